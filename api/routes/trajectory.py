"""The way over the peak: years, what made them change, and what if."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from analytics.jobs import trajectory as job
from analytics.jobs import whatifs
from analytics.jobs.decomposing import decompose
from api.answer import CSV_TOO, table
from api.asking import AskedPark, AskedSubject, Conn, Format, KnownOn, Set
from api.peak_years_models import (
    Decomposition,
    Trajectory,
    TrajectoryYear,
    WhatIf,
)

router = APIRouter(prefix="/parks/{park}", tags=["carbon peak"])

Methods = Annotated[
    list[str] | None, Query(description="a method's name; may be said several times")
]
Method = Annotated[str, Query(description="a method's name, see /methods")]
First = Annotated[int | None, Query(description="first year; all that are known")]
Last = Annotated[int | None, Query(description="last year, included")]
Share = Annotated[float, Query(ge=0, le=1, description="share, 0 … 1")]
Amount = Annotated[float, Query(ge=0, le=1e9, description="unit as in its name")]


@router.get("/trajectory", response_model=Trajectory, responses=CSV_TOO)
def trajectory(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    settings: Set,
    method: Methods = None,
    first: First = None,
    last: Last = None,
    smooth: Annotated[bool, Query(description="median of three years")] = False,
    form: Format = "json",
) -> Any:
    """Give years, rolling twelve months, state and decoupling; CSV: the years."""
    found = job.trajectory(
        conn,
        subject,
        names=method or (),
        first=first,
        last=last,
        smooth=smooth,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "csv":
        rows = [
            {"method": s["method"]} | y for s in found["series"] for y in s["years"]
        ]
        columns = ["method", *TrajectoryYear.model_fields]
        return table(f"{subject.park.code}-trajectory", columns, rows)
    return found


@router.get("/decomposition", response_model=Decomposition)
def decomposition(
    conn: Conn,
    park: AskedPark,
    known_on: KnownOn,
    settings: Set,
    before: Annotated[int, Query(description="year")],
    after: Annotated[int, Query(description="a later year")],
    method: Method = "enterprise",
    energy: Annotated[str, Query(description="a method of energy")] = "calorific",
    prices: Annotated[
        Literal["comparable", "current"], Query(description="of the added value")
    ] = "comparable",
) -> Any:
    """Split the change of the park's emissions by enterprise: LMDI-I, additive."""
    return decompose(
        conn,
        park,
        before,
        after,
        method=method,
        energy=energy,
        prices=prices,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )


@router.get("/what-if", response_model=WhatIf)
def what_if(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    settings: Set,
    year: Annotated[int, Query(description="that meters cover")],
    method: Method = "zero_carbon_park",
    first: First = None,
    last: Last = None,
    ramp_years: Annotated[int, Query(ge=1, le=60, description="to full effect")] = 1,
    pv_kwp: Amount = 0.0,
    full_load_hours: Amount = 1000.0,
    self_use: Share = 1.0,
    electrify: Annotated[str | None, Query(description="a fuel")] = None,
    electrify_share: Share = 0.0,
    fuel_efficiency: Share = 0.9,
    electric_efficiency: Amount = 1.0,
    green_share: Share = 0.0,
) -> Any:
    """Draw later years with measures taken one after the other, with assumptions."""
    measures = whatifs.Measures(
        pv_kwp=pv_kwp,
        full_load_hours=full_load_hours,
        self_use=self_use,
        electrify=electrify,
        electrify_share=electrify_share,
        fuel_efficiency=fuel_efficiency,
        electric_efficiency=electric_efficiency,
        green_share=green_share,
    )
    return whatifs.what_if(
        conn,
        subject,
        year,
        measures,
        method=method,
        first=first,
        last=last,
        ramp_years=ramp_years,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
