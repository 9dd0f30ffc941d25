"""What was recognised in registers, and what persons say it was."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.answer import CSV_TOO, rows_of, table
from api.asking import (
    AskedDays,
    AskedPark,
    Conn,
    Format,
    NamedSubject,
    OwnTime,
    instant,
)
from api.entry_models import Event, Events, NewJudgement
from api.errors import WRITE_ERRORS
from store import judgements, registry

router = APIRouter(prefix="/parks/{park}", tags=["corrections"])


@router.get("/events", response_model=Events, responses=CSV_TOO)
def listed(
    conn: Conn,
    subject: NamedSubject,
    own: OwnTime,
    days: AskedDays,
    limit: Annotated[int, Query(ge=1, le=10_000, description="rows")] = 1000,
    form: Format = "json",
) -> Any:
    """List what was recognised in registers or said of them, the newest first."""
    start, stop = days.between(subject.park.zone)
    found = judgements.events(
        conn,
        subject.park.park_id,
        enterprise=subject.enterprise,
        meter=subject.meter,
        start=start,
        stop=stop,
        own=own,
        most=limit,
    )
    rows = rows_of(found)
    if form == "csv":
        return table(f"{subject.park.code}-events", list(Event.model_fields), rows)
    return {"rows": rows}


@router.post("/events", response_model=Event, status_code=201, responses=WRITE_ERRORS)
def judge(conn: Conn, park: AskedPark, asked: NewJudgement) -> Any:
    """Say what happened to a register at an instant; figures restate."""
    subject = registry.subject(conn, park.code, asked.enterprise, asked.meter)
    at = instant("at", asked.at, park.zone)
    judgements.judge(
        conn,
        subject.subject_id,
        asked.quantity,
        at,
        asked.verdict,
        final=asked.final,
        initial=asked.initial,
        who=asked.who,
        why=asked.why,
    )
    found = judgements.events(
        conn,
        park.park_id,
        enterprise=subject.enterprise,
        meter=subject.meter,
        start=at,
        stop=at + timedelta(microseconds=1),
        most=100,
    )
    return next(row for row in rows_of(found) if row["quantity"] == asked.quantity)
