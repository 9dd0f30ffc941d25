"""The core indicator of national zero-carbon parks."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from analytics.jobs import core_indicator as job
from api.asking import AskedPark, Conn, KnownOn, Set
from api.peak_years_models import ZeroCarbon

router = APIRouter(prefix="/parks/{park}", tags=["carbon peak"])


@router.get("/zero-carbon", response_model=ZeroCarbon)
def zero_carbon(
    conn: Conn,
    park: AskedPark,
    known_on: KnownOn,
    settings: Set,
    stop: Annotated[
        date | None,
        Query(alias="to", description="first day of the month after twelve months"),
    ] = None,
) -> Any:
    """Give carbon per energy of twelve months, and what would reach the threshold."""
    return job.zero_carbon(
        conn,
        park,
        stop,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
