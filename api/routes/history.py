"""Totals of years before metering, as people state them."""

from typing import Any

from fastapi import APIRouter

from analytics.jobs import yearly
from analytics.jobs.trajectory import listed
from api.account_models import Recorded
from api.asking import AskedPark, AskedSubject, Conn, KnownOn
from api.errors import WRITE_ERRORS
from api.peak_years_models import History, NewHistory
from store import registry

router = APIRouter(prefix="/parks/{park}", tags=["carbon peak"])


@router.get("/history", response_model=History)
def history(conn: Conn, subject: AskedSubject, known_on: KnownOn) -> Any:
    """List stated totals of years and months of the park, or of one enterprise."""
    return {"rows": listed(conn, subject, known_on)}


@router.post(
    "/history", response_model=Recorded, status_code=201, responses=WRITE_ERRORS
)
def state(conn: Conn, park: AskedPark, asked: NewHistory) -> Any:
    """Record the total of a year or a month before metering; the last one counts."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    new = yearly.state(conn, subject, **asked.model_dump(exclude={"enterprise"}))
    period = f"{asked.year}" + (f"-{asked.month:02}" if asked.month else "")
    return {"recorded": [f"{asked.method} {period}"] if new else []}
