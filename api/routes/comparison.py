"""The parks of this database side by side."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from analytics.jobs.park_comparison import comparison as compare
from api.asking import Conn, Set, instant
from api.comparison_models import Comparison

router = APIRouter(tags=["indicators"])


@router.get("/comparison", response_model=Comparison)
def comparison(
    conn: Conn,
    settings: Set,
    last: Annotated[int, Query(description="year")],
    first: Annotated[
        int | None, Query(description="year; the same if not said")
    ] = None,
    clean: Annotated[
        Literal["non_fossil_electricity", "non_fossil", "non_fossil_and_gas"],
        Query(description="which energy is clean"),
    ] = "non_fossil",
    basis: Annotated[
        Literal["calorific", "equal_value"], Query(description="of the tce")
    ] = "equal_value",
    as_known_on: Annotated[
        str | None, Query(description="a time, or a day of China (to its end)")
    ] = None,
) -> Any:
    """Give how many parks have more than half of their energy clean, rank and trend."""
    known_on = None
    if as_known_on is not None:
        zone = "Asia/Shanghai"
        known_on = instant("as_known_on", as_known_on, zone, end_of_day=True)
    return compare(
        conn,
        last if first is None else first,
        last,
        definition=clean,
        basis=basis,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
