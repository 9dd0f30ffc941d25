"""Readings that people type, and what they see beside them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.encoders import jsonable_encoder

from api.answer import rows_of
from api.asking import AskedPark, Conn, NamedSubject, OwnTime
from api.entry_models import Entered, LastReadings, NewReading
from api.errors import WRITE_ERRORS, Problem, problem
from ingest import manual
from store import registry, relations, typed
from store.errors import Invalid

router = APIRouter(prefix="/parks/{park}", tags=["readings"])


@router.get("/readings/last", response_model=LastReadings)
def last(
    conn: Conn,
    subject: NamedSubject,
    own: OwnTime,
    limit: Annotated[int, Query(ge=1, le=100, description="rows a quantity")] = 5,
) -> Any:
    """List the newest readings of a meter as they count, corrections included."""
    if subject.kind != "meter":
        raise Invalid("name a meter")
    return {
        "enterprise": subject.enterprise,
        "meter": subject.meter,
        "confirmed": relations.is_confirmed(conn, subject.subject_id),
        "zone": subject.park.zone,
        "rows": rows_of(typed.last_of_meter(conn, subject.subject_id, limit, own=own)),
    }


@router.post(
    "/readings",
    response_model=Entered,
    status_code=201,
    responses={
        **WRITE_ERRORS,
        200: {"model": Entered, "description": "the same reading is there already"},
        409: {
            "model": Problem,
            "description": "conflict: another value is stored; or implausible: nothing "
            "is stored until it is sent again with confirm",
        },
    },
)
def enter(conn: Conn, park: AskedPark, asked: NewReading, response: Response) -> Any:
    """Store a typed reading of a confirmed meter by the rules of the wire."""
    subject = registry.subject(conn, park.code, asked.enterprise, asked.meter)
    entry = manual.Entry(
        quantity=asked.quantity,
        at=asked.at,
        until=asked.until,
        value=asked.value,
        who=asked.who,
    )
    doubts = [] if asked.confirm else manual.doubts(conn, subject, entry)
    if doubts:
        words = doubts[0].message
        words = f"Nothing is stored: {words}; send confirm: true if it is right."
        return problem(409, "implausible", words, jsonable_encoder(doubts))
    done = manual.enter(conn, subject, entry)
    if done.outcome == "quarantined":
        words = f"The reading was refused and kept in quarantine: {done.reason}."
        return problem(422, "quarantined", words)
    if done.outcome == "conflict":
        words = (
            f"Another value, {done.stored:.15g} {done.unit}".rstrip()
            + ", is stored and stays; a revision settles the conflict."
        )
        return problem(409, "conflict", words, {"stored": done.stored})
    if done.outcome == "duplicate":
        response.status_code = 200
    return {
        "outcome": done.outcome,
        "at": done.at,
        "value": done.value,
        "unit": done.unit,
        "stored": done.stored,
    }
