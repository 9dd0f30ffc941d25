"""Targets, quotas and carbon budgets by year, and how they go."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from analytics.jobs.budgets import budgets, zone_year
from analytics.jobs.methods import of_kind
from api.answer import CSV_TOO, table
from api.asking import AskedPark, AskedSubject, Conn, Format, KnownOn, Set
from api.errors import WRITE_ERRORS
from api.intensity_models import Budgets, NewTarget, Target, Targets
from store import registry, targets
from store.errors import Invalid

router = APIRouter(prefix="/parks/{park}", tags=["targets"])

AskedYear = Annotated[int | None, Query(ge=1990, le=2200, description="of the target")]


def _rows(
    conn: Conn, subject: AskedSubject, found: list[targets.Target]
) -> list[dict[str, Any]]:
    codes = {
        each.enterprise_id: each.code
        for each in registry.enterprises(conn, subject.park.park_id)
    }
    return [
        {name: getattr(each, name, None) for name in Target.model_fields}
        | {"enterprise": codes.get(each.subject_id)}
        for each in found
    ]


@router.get("/targets", response_model=Targets, responses=CSV_TOO)
def listed(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    year: AskedYear = None,
    every: Annotated[
        bool, Query(alias="all", description="replaced and withdrawn ones too")
    ] = False,
    form: Format = "json",
) -> Any:
    """List the targets of a park and its enterprises, or of one enterprise."""
    ids = [subject.subject_id]
    if subject.kind == "park":
        found = registry.enterprises(conn, subject.park.park_id)
        ids += [each.enterprise_id for each in found]
    rows = _rows(
        conn,
        subject,
        targets.targets(conn, ids, year, known_on=known_on, every=every),
    )
    if form == "csv":
        flat = [each | {"excluded": " ".join(each["excluded"])} for each in rows]
        return table(f"{subject.park.code}-targets", list(Target.model_fields), flat)
    return {"rows": rows}


@router.post("/targets", response_model=Target, status_code=201, responses=WRITE_ERRORS)
def set_target(conn: Conn, park: AskedPark, asked: NewTarget, reply: Response) -> Any:
    """Set a target of a year; a later one replaces it and both are kept."""
    known = "energy" if asked.kind.startswith("energy") else "co2"
    names = [each.name for each in of_kind(known)]
    if asked.method is not None and asked.method not in names:
        raise Invalid(f"method {asked.method!r} is none of {', '.join(names)}")
    subject = registry.subject(conn, park.code, asked.enterprise)
    new = targets.set_target(
        conn,
        targets.NewTarget(
            subject_id=subject.subject_id,
            kind=asked.kind,
            method=asked.method,
            year=asked.year,
            value=asked.value,
            excluded=tuple(asked.excluded),
            source=asked.source,
            who=asked.who,
        ),
    )
    reply.status_code = 201 if new else 200
    made = targets.targets(conn, [subject.subject_id], asked.year, every=True)
    same = [e for e in made if (e.kind, e.method) == (asked.kind, asked.method)]
    return _rows(conn, subject, same)[0]


@router.get("/budgets", response_model=Budgets)
def going(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    settings: Set,
    year: AskedYear = None,
    pace: Annotated[
        Literal["uniform", "history"],
        Query(description="evenly over the days, or by the months of earlier years"),
    ] = "uniform",
) -> Any:
    """Tell of each target of a year the pace, the use so far and the year's end."""
    return budgets(
        conn,
        subject,
        zone_year(subject) if year is None else year,
        pace=pace,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
