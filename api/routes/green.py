"""The ledger of green power."""

from typing import Any

from fastapi import APIRouter

from analytics.jobs import ledger, telling
from analytics.jobs.book import load_book
from api.account_models import (
    GreenMatches,
    GreenPowers,
    ListedGreenMatch,
    ListedGreenPower,
    NewGreenMatch,
    NewGreenPower,
    Recorded,
)
from api.answer import CSV_TOO, rows_of, table
from api.asking import AskedDays, AskedPark, Conn, Format, KnownOn
from api.errors import WRITE_ERRORS
from store.green import green_matches

router = APIRouter(prefix="/parks/{park}", tags=["accounts"])


@router.get("/green-power", response_model=GreenPowers, responses=CSV_TOO)
def listed(
    conn: Conn,
    park: AskedPark,
    days: AskedDays,
    known_on: KnownOn,
    form: Format = "json",
) -> Any:
    """List the ledger, and the proven share of whole months; CSV: the ledger."""
    rows = ledger.listed(conn, park, known_on)
    if form == "csv":
        name = f"{park.code}-green-power"
        return table(name, list(ListedGreenPower.model_fields), rows)
    book = load_book(conn, park, days.first, days.last, known_on)
    return {
        "rows": rows,
        "shares": ledger.shares(book),
        "errors": telling.errors(book),
    }


@router.post(
    "/green-power", response_model=Recorded, status_code=201, responses=WRITE_ERRORS
)
def record(conn: Conn, park: AskedPark, asked: NewGreenPower) -> Any:
    """Record green power of a month of production; the last record of a key counts."""
    ledger.record(conn, park, **asked.model_dump())
    return {"recorded": [f"{asked.kind} {asked.reference}"]}


@router.get("/green-matches", response_model=GreenMatches, responses=CSV_TOO)
def matches(
    conn: Conn, park: AskedPark, known_on: KnownOn, form: Format = "json"
) -> Any:
    """List what is matched, in the order recorded."""
    rows = rows_of(green_matches(conn, park.park_id, known_on))
    for each in rows:
        del each["enterprise_id"]
    if form == "csv":
        name = f"{park.code}-green-matches"
        return table(name, list(ListedGreenMatch.model_fields), rows)
    return {"rows": rows}


@router.post(
    "/green-matches", response_model=Recorded, status_code=201, responses=WRITE_ERRORS
)
def match(conn: Conn, park: AskedPark, asked: NewGreenMatch) -> Any:
    """Record that an enterprise used green power in a month; refused without proof."""
    given = asked.model_dump(exclude={"enterprise"})
    ledger.match(conn, park, asked.enterprise, **given)
    return {"recorded": [f"{asked.reference} {asked.month:%Y-%m}"]}
