"""Balances of the meter tree."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from analytics.jobs.balancing import balances
from api.answer import CSV_TOO, table
from api.asking import AskedDays, AskedPark, Conn, Format, Quantity, Set
from api.peak_models import Balance, Balances
from store.quantities import QUANTITIES

router = APIRouter(prefix="/parks/{park}", tags=["figures"])


@router.get("/balances", response_model=Balances, responses=CSV_TOO)
def asked_balances(
    conn: Conn,
    park: AskedPark,
    days: AskedDays,
    quantity: Quantity,
    settings: Set,
    grain: Annotated[
        Literal["day", "month"], Query(description="length of the rows' intervals")
    ] = "day",
    form: Format = "json",
) -> Any:
    """Set each meter that others are placed below against these."""
    rows = balances(
        conn,
        park,
        days.first,
        days.last,
        quantity=quantity,
        grain=grain,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "csv":
        flat = [each | {"below": " ".join(each["below"])} for each in rows]
        return table(f"{park.code}-balances", list(Balance.model_fields), flat)
    return {"unit": QUANTITIES[quantity].unit, "rows": rows}
