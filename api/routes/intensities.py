"""Intensities over time, by rank, and against a base period; an enterprise's benchmark."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from analytics.jobs import changing, intensities
from analytics.jobs.benchmark import benchmark
from api.answer import CSV_TOO, table
from api.asking import AskedDays, AskedPark, AskedSubject, Conn, Format, KnownOn, Set
from api.intensity_models import Benchmark, Change, History, Rank, RankRow
from store import registry
from store.errors import Invalid
from store.periods import EXAMPLES, period

router = APIRouter(prefix="/parks/{park}", tags=["intensity"])

Of = Annotated[
    Literal["park", "enterprises", "above_size"],
    Query(description="of a park: its own account, or the sum of enterprises"),
]
Method = Annotated[
    Literal["denton", "pro_rata"],
    Query(description="how quarters and years of added value are spread"),
]
PriceBase = Annotated[
    int | None, Query(ge=1990, le=2200, description="year of comparable prices")
]
_COLUMNS = ["period", "from", "to", "of", "per", "figure", "method", "value"]
_COLUMNS += ["denominator", "estimated", "provisional", "coverage", "publishable"]


@router.get("/intensity/history", response_model=History, responses=CSV_TOO)
def history(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    known_on: KnownOn,
    settings: Set,
    length: Annotated[
        Literal["month", "quarter", "year", "year_to_date", "rolling_12"],
        Query(description="of each period; all but quarter and year end in each month"),
    ] = "month",
    of: Of = "park",
    price_base: PriceBase = None,
    method: Method = "denton",
    form: Format = "json",
) -> Any:
    """Give energy, carbon, water and pollutants per denominator over whole months."""
    found = intensities.history(
        conn,
        subject,
        days.first,
        days.last,
        length=length,
        of=of,
        price_base=price_base,
        method=method,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "csv":
        rows = [line for each in found["rows"] for line in intensities.lines(each)]
        return table(f"{subject.park.code}-intensity", _COLUMNS, rows)
    return found


@router.get("/intensity/ranking", response_model=Rank, responses=CSV_TOO)
def ranking(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    settings: Set,
    asked: Annotated[str, Query(alias="period", description=f"like {EXAMPLES}")],
    figure: Annotated[
        Literal["tce", "co2_t", "water_m3", "wastewater_m3"],
        Query(description="what falls on the denominator"),
    ] = "tce",
    figure_method: Annotated[
        str | None, Query(description="of tce and co2_t: how it is counted")
    ] = None,
    per: Annotated[
        Literal["added_value_10k_cny", "land_ha", "building_ha", "head"],
        Query(description="the denominator"),
    ] = "added_value_10k_cny",
    members: Annotated[
        Literal["all", "above_size"], Query(description="who is ranked")
    ] = "all",
    method: Method = "denton",
    form: Format = "json",
) -> Any:
    """Rank the enterprises of a park by an intensity; for its managers."""
    if subject.kind != "park":
        raise Invalid("a ranking is of a whole park; an enterprise has its benchmark")
    usual = {"tce": "calorific", "co2_t": "location_national"}.get(figure)
    found = intensities.rank(
        conn,
        subject.park,
        *period(asked),
        figure_name=figure,
        method_name=figure_method or usual,
        per=per,
        members=members,
        method=method,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "csv":
        columns = list(RankRow.model_fields)
        rows = [each | {"how": " ".join(each["how"])} for each in found["rows"]]
        return table(f"{subject.park.code}-ranking", columns, rows)
    return found


@router.get("/intensity/change", response_model=Change)
def change(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    settings: Set,
    asked: Annotated[str, Query(alias="period", description=f"like {EXAMPLES}")],
    base: Annotated[str, Query(description="the period to compare with, as long")],
    of: Of = "park",
    price_base: PriceBase = None,
    method: Method = "denton",
) -> Any:
    """Tell how intensities changed against a base period at comparable prices."""
    return changing.change(
        conn,
        subject,
        period(asked),
        period(base),
        of=of,
        price_base=price_base,
        method=method,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )


@router.get("/enterprises/{enterprise}/benchmark", response_model=Benchmark)
def own_benchmark(
    conn: Conn,
    park: AskedPark,
    enterprise: Annotated[str, Path(description="the enterprise's code")],
) -> Any:
    """Tell an enterprise its own figures of the last year and its industry's quarter.

    Nothing can be chosen: two answers that differ in whom they compare would tell of one.
    """
    return benchmark(conn, registry.subject(conn, park.code, enterprise))
