"""What came in and what was refused: sources, quarantine, unknown topics."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.answer import CSV_TOO, rows_of, table
from api.asking import Conn, Format
from api.models import (
    Quarantine,
    Quarantined,
    Source,
    Sources,
    UnknownTopic,
    UnknownTopics,
)
from ingest.proposing import propose
from store.devices import unknown_topics
from store.live import quarantined, source_counts

router = APIRouter(tags=["accounting"])

SHOWN_BYTES = 1000


@router.get("/sources", response_model=Sources, responses=CSV_TOO)
def sources(conn: Conn, form: Format = "json") -> Any:
    """Account for all readings received, by source."""
    rows = rows_of(source_counts(conn))
    if form == "csv":
        return table("sources", list(Source.model_fields), rows)
    return {"rows": rows}


@router.get("/quarantine", response_model=Quarantine, responses=CSV_TOO)
def quarantine(
    conn: Conn,
    limit: Annotated[int, Query(ge=1, le=1000, description="rows of a page")] = 100,
    cursor: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next` of the page before")
    ] = None,
    form: Format = "json",
) -> Any:
    """List what could not be read, the newest first."""
    found = quarantined(conn, limit + 1, before=cursor)
    rows = [
        {
            "quarantine_id": each.quarantine_id,
            "received_at": each.received_at,
            "topic": each.topic,
            "reason": each.reason,
            "readings": each.readings,
            "payload": each.payload[:SHOWN_BYTES].decode(errors="backslashreplace"),
            "payload_bytes": len(each.payload),
        }
        for each in found[:limit]
    ]
    if form == "csv":
        return table("quarantine", list(Quarantined.model_fields), rows)
    following = rows[-1]["quarantine_id"] if len(found) > limit else None
    return {"rows": rows, "next": following}


@router.get("/unknown-topics", response_model=UnknownTopics, responses=CSV_TOO)
def unknown(conn: Conn, form: Format = "json") -> Any:
    """List the topics that nobody can place, with a draft of a mapping for each."""
    rows = [
        {
            "pattern": each.pattern,
            "messages": each.messages,
            "first_at": each.first_at,
            "last_at": each.last_at,
            "reason": each.reason,
            "topic": each.topic,
            "payload": each.payload[:SHOWN_BYTES].decode(errors="backslashreplace"),
            "proposal": propose(each.topic, [each.payload]),
        }
        for each in unknown_topics(conn)
    ]
    if form == "csv":
        return table("unknown-topics", list(UnknownTopic.model_fields), rows)
    return {"rows": rows}
