"""Packs over a park's year, values stated for them, the zero-carbon-park report."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from analytics.jobs import packs as job
from analytics.jobs.evaluating import evaluate
from analytics.jobs.workbooks import zero_carbon_workbook
from analytics.jobs.zero_carbon import report
from api.account_models import Recorded
from api.answer import CSV_TOO, rows_of, table
from api.asking import AskedPark, AskedSubject, Conn, Format, KnownOn, Set
from api.errors import WRITE_ERRORS
from api.indicator_models import (
    Evaluation,
    IndicatorValue,
    Inputs,
    NewInput,
    ZeroCarbonReport,
)
from store.packs import inputs

router = APIRouter(prefix="/parks/{park}", tags=["indicators"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AskedYear = Annotated[int, Query(ge=1980, le=2100, description="calendar year")]
Clean = Annotated[
    Literal["non_fossil_electricity", "non_fossil", "non_fossil_and_gas"],
    Query(description="which energy is clean"),
]
Form = Annotated[
    Literal["json", "xlsx"], Query(alias="format", description="of the answer")
]


@router.get("/indicators", response_model=Evaluation, responses=CSV_TOO)
def evaluation(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    settings: Set,
    pack: Annotated[str, Query(description="a pack's name, see /packs")],
    year: AskedYear,
    clean: Clean = "non_fossil",
    form: Format = "json",
) -> Any:
    """Evaluate a pack for a park's year; CSV: the indicators."""
    found = evaluate(
        conn,
        subject,
        pack,
        year,
        clean=clean,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "csv":
        name = f"{subject.park.code}-{pack}-{year}"
        return table(name, list(IndicatorValue.model_fields), found["indicators"])
    return found


@router.get(
    "/zero-carbon-report",
    response_model=ZeroCarbonReport,
    responses={200: {"content": {XLSX: {"schema": {"type": "string"}}}}},
)
def zero_carbon(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    settings: Set,
    year: AskedYear,
    clean: Clean = "non_fossil",
    form: Form = "json",
) -> Any:
    """Give core and guiding indicators, what is missing, and what would reach them."""
    found = report(
        conn,
        subject,
        year,
        clean=clean,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "xlsx":
        name = f'attachment; filename="{subject.park.code}-zero-carbon-{year}.xlsx"'
        return Response(
            zero_carbon_workbook(found),
            media_type=XLSX,
            headers={"Content-Disposition": name},
        )
    return found


@router.get("/indicator-inputs", response_model=Inputs)
def listed(conn: Conn, park: AskedPark, known_on: KnownOn) -> Any:
    """List what is stated of the park's years for packs."""
    return {"rows": rows_of(inputs(conn, park.park_id, known_on))}


@router.post(
    "/indicator-inputs",
    response_model=Recorded,
    status_code=201,
    responses=WRITE_ERRORS,
)
def state(conn: Conn, park: AskedPark, asked: NewInput) -> Any:
    """Record a value of a year; what the platform computes goes first."""
    new = job.state(conn, park.park_id, **asked.model_dump())
    return {"recorded": [f"{asked.name} {asked.year}"] if new else []}
