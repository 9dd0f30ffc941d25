"""Corrections by a person, and the conflicts that they settle."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.answer import CSV_TOO, rows_of, table
from api.asking import AskedPark, Conn, Format, NamedSubject, OwnTime
from api.entry_models import Conflict, Conflicts, NewRevision, Revision, Revisions
from api.errors import WRITE_ERRORS
from ingest import manual
from store import registry, revisions
from store.errors import Invalid

router = APIRouter(prefix="/parks/{park}", tags=["corrections"])

Limit = Annotated[int, Query(ge=1, le=10_000, description="rows of a page")]
Cursor = Annotated[
    int | None, Query(ge=1, le=2**62, description="`next` of the page before")
]


@router.get("/revisions", response_model=Revisions, responses=CSV_TOO)
def listed(
    conn: Conn,
    subject: NamedSubject,
    own: OwnTime,
    quantity: Annotated[str | None, Query(description="see docs/wire.md")] = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
    form: Format = "json",
) -> Any:
    """List corrections, the newest first."""
    found = revisions.revisions(
        conn,
        subject.park.park_id,
        enterprise=subject.enterprise,
        meter=subject.meter,
        quantity=quantity,
        before=cursor,
        own=own,
        most=limit + 1,
    )
    rows = _rows(found[:limit])
    if form == "csv":
        name = f"{subject.park.code}-revisions"
        return table(name, list(Revision.model_fields), rows)
    following = rows[-1]["revision_id"] if len(found) > limit else None
    return {"rows": rows, "next": following}


@router.post(
    "/revisions", response_model=Revision, status_code=201, responses=WRITE_ERRORS
)
def revise(conn: Conn, park: AskedPark, asked: NewRevision) -> Any:
    """Correct a reading, or settle a conflict by the value that was refused."""
    named = (asked.meter, asked.quantity, asked.at, asked.until, asked.value)
    if asked.conflict_id is not None:
        if asked.strike or any(each is not None for each in named):
            raise Invalid("conflict_id stands alone with who and why")
        done = revisions.settle(
            conn, park.park_id, asked.conflict_id, who=asked.who, why=asked.why
        )
    else:
        if asked.meter is None or asked.quantity is None or asked.at is None:
            raise Invalid("name meter, quantity and at, or a conflict_id")
        if asked.strike == (asked.value is not None):
            raise Invalid("give either value or strike")
        done = manual.revise(
            conn,
            registry.subject(conn, park.code, asked.enterprise, asked.meter),
            quantity=asked.quantity,
            at=asked.at,
            value=asked.value,
            until=asked.until,
            who=asked.who,
            why=asked.why,
        )
    return _rows([done])[0]


@router.get("/conflicts", response_model=Conflicts, responses=CSV_TOO)
def conflicts(
    conn: Conn,
    subject: NamedSubject,
    own: OwnTime,
    settled: Annotated[
        bool | None, Query(description="true or false: only those that are, or are not")
    ] = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
    form: Format = "json",
) -> Any:
    """List second values of a key that were refused, the newest first."""
    found = revisions.conflicts(
        conn,
        subject.park.park_id,
        enterprise=subject.enterprise,
        meter=subject.meter,
        settled=settled,
        before=cursor,
        own=own,
        most=limit + 1,
    )
    rows = _rows(found[:limit])
    if form == "csv":
        name = f"{subject.park.code}-conflicts"
        return table(name, list(Conflict.model_fields), rows)
    following = rows[-1]["conflict_id"] if len(found) > limit else None
    return {"rows": rows, "next": following}


def _rows(found: Any) -> list[dict[str, Any]]:
    rows = rows_of(found)
    for each in rows:
        del each["channel_id"]
    return rows
