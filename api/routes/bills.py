"""What months cost by the tariffs."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from analytics.jobs.billing import Assumed, bills
from api.answer import CSV_TOO, table
from api.asking import AskedDays, AskedSubject, Conn, Format, KnownOn, Set
from api.cost_models import Bills

router = APIRouter(prefix="/parks/{park}", tags=["cost"])

_COLUMNS = ["month", "kind", "period", "from", "to", "quantity", "unit"]
_COLUMNS += ["price_cny", "amount_cny", "rule", "source"]


@router.get("/bills", response_model=Bills, responses=CSV_TOO)
def asked_bills(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    known_on: KnownOn,
    settings: Set,
    tariff: Annotated[str | None, Query(description="another tariff's code")] = None,
    method: Annotated[
        Literal["capacity", "contract", "demand", "none"] | None,
        Query(description="another method of the basic charge"),
    ] = None,
    capacity_kva: Annotated[
        float | None, Query(gt=0, lt=1e9, description="another connected capacity")
    ] = None,
    power_factor_standard: Annotated[
        Literal["0.90", "0.85", "0.80"] | None, Query(description="another standard")
    ] = None,
    form: Format = "json",
) -> Any:
    """Give the bills of whole months, as stated or under other terms; CSV: the lines."""
    standard = power_factor_standard
    found = bills(
        conn,
        subject,
        days.first,
        days.last,
        assumed=Assumed(
            tariff=tariff,
            method=method,
            capacity_kva=capacity_kva,
            power_factor_standard=None if standard is None else float(standard),
        ),
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "json":
        return found
    rows = [
        line | {"month": each["month"]}
        for each in found["bills"]
        for line in each["lines"]
    ]
    return table(f"{subject.park.code}-bills", _COLUMNS, rows)
