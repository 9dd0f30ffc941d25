"""Energy baselines: what is expected, what was saved, and whether it is more than chance."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from analytics.jobs import baselines as job
from api.account_models import Recorded
from api.answer import rows_of
from api.asking import AskedDays, AskedPark, AskedSubject, Conn, KnownOn, Set
from api.baseline_models import Baselines, Drivers, Judged, NewBaseline, NewDriver
from api.errors import WRITE_ERRORS
from store import registry
from store.baselines import baselines, drivers

router = APIRouter(prefix="/parks/{park}", tags=["baselines"])


@router.get("/baselines", response_model=Baselines)
def listed(conn: Conn, subject: AskedSubject, known_on: KnownOn) -> Any:
    """List the baselines of the park, or of one enterprise."""
    rows = baselines(conn, subject.subject_id, known_on)
    return {"rows": [job.told(each) for each in rows]}


@router.post(
    "/baselines", response_model=Recorded, status_code=201, responses=WRITE_ERRORS
)
def define(conn: Conn, park: AskedPark, asked: NewBaseline) -> Any:
    """Record a baseline; a newer one of its name stands in for it."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    new = job.define(conn, subject, **asked.model_dump(exclude={"enterprise"}))
    return {"recorded": [asked.name] if new else []}


@router.post(
    "/drivers", response_model=Recorded, status_code=201, responses=WRITE_ERRORS
)
def drive(conn: Conn, park: AskedPark, asked: NewDriver) -> Any:
    """Record production of a month, or the mean temperature of a day."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    new = job.state_driver(conn, subject, **asked.model_dump(exclude={"enterprise"}))
    return {"recorded": [f"{asked.name} {asked.first}"] if new else []}


@router.get("/drivers", response_model=Drivers)
def driven(
    conn: Conn, subject: AskedSubject, days: AskedDays, known_on: KnownOn
) -> Any:
    """List what drove energy; of an enterprise its own, and the park's where it has none."""
    ids = list(dict.fromkeys((subject.subject_id, subject.park.park_id)))
    return {"rows": rows_of(drivers(conn, ids, days.first, days.last, known_on))}


@router.get("/savings", response_model=Judged)
def savings(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    known_on: KnownOn,
    settings: Set,
    baseline: Annotated[str, Query(description="its name")],
) -> Any:
    """Fit a baseline and judge whole months against it: savings and CUSUM."""
    return job.judged(
        conn,
        subject,
        baseline,
        days.first,
        days.last,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
