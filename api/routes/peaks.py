"""Peaks of a period and the forecast of the running window."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from analytics.jobs.peaking import peak_figures
from analytics.jobs.shedding import candidates
from api.answer import CSV_TOO, table
from api.asking import AskedDays, AskedPark, AskedSubject, Conn, Format, KnownOn, Set
from api.live import running_forecast
from api.peak_models import Forecast, Part, Peaks
from store.errors import Invalid

router = APIRouter(prefix="/parks/{park}", tags=["peaks"])

_FLAT = [name for name in Part.model_fields if name not in ("weight_kw", "charge_cny")]
_METHODS = ("coincident", "own", "shapley")


@router.get("/peaks", response_model=Peaks, responses=CSV_TOO)
def asked_peaks(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    settings: Set,
    known_on: KnownOn,
    count: Annotated[int, Query(ge=1, le=50, description="separate peaks")] = 5,
    charge: Annotated[
        float | None, Query(ge=0, le=1e12, description="CNY to be divided; of a park")
    ] = None,
    form: Format = "json",
) -> Any:
    """Give the peaks, who made them and the shape around them; CSV: who made the peak."""
    if (days.last - days.first).days > 400:
        raise Invalid("the period must have at most 400 days; ask in parts")
    found = peak_figures(
        conn,
        subject,
        days.first,
        days.last,
        minimum_coverage=settings.minimum_coverage,
        count=count,
        charge=charge,
        known_on=known_on,
    )
    if form == "json":
        return found
    parts = found["made_by"]["parts"] if found["made_by"] else []
    rows = [
        each
        | {f"weight_{name}_kw": each["weight_kw"][name] for name in _METHODS}
        | {f"charge_{name}_cny": each["charge_cny"][name] for name in _METHODS}
        for each in parts
    ]
    columns = [*_FLAT, *(f"weight_{name}_kw" for name in _METHODS)]
    columns += [f"charge_{name}_cny" for name in _METHODS]
    return table(f"{subject.park.code}-peak", columns, rows)


@router.get("/forecast", response_model=Forecast)
def forecast(conn: Conn, park: AskedPark, settings: Set) -> Any:
    """Tell what the park's running window is expected to come to, and whom to ask first."""
    now = datetime.now(UTC)
    return {
        "park": park.code,
        "forecast": running_forecast(conn, park, now),
        "candidates": candidates(conn, park, now, settings.minimum_coverage),
    }
