"""What enterprises state by the month and no meter measures."""

from typing import Any

from fastapi import APIRouter

from analytics.jobs import activities as job
from api.account_models import Activities, ListedActivity, NewActivity, Recorded
from api.answer import CSV_TOO, rows_of, table
from api.asking import AskedDays, AskedPark, AskedSubject, Conn, Format, KnownOn
from api.errors import WRITE_ERRORS
from store import registry
from store.activities import activities
from store.errors import Invalid

router = APIRouter(prefix="/parks/{park}", tags=["accounts"])


@router.get("/activities", response_model=Activities, responses=CSV_TOO)
def listed(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    known_on: KnownOn,
    form: Format = "json",
) -> Any:
    """List the statements of the months in [from, to), and what can be stated."""
    if subject.kind == "meter":
        raise Invalid("statements are of enterprises, not of meters")
    rows = rows_of(
        activities(
            conn,
            subject.park.park_id,
            days.first,
            days.last,
            known_on,
            enterprise_id=None if subject.kind == "park" else subject.subject_id,
        )
    )
    for each in rows:
        del each["enterprise_id"]
    if form == "csv":
        name = f"{subject.park.code}-activities"
        return table(name, list(ListedActivity.model_fields), rows)
    return {"rows": rows, "items": job.listed()}


@router.post(
    "/activities", response_model=Recorded, status_code=201, responses=WRITE_ERRORS
)
def state(conn: Conn, park: AskedPark, asked: NewActivity) -> Any:
    """Record what an enterprise states for a month; final beats provisional."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    given = asked.model_dump(exclude={"enterprise", "supplier"})
    supplier = asked.supplier and registry.subject(conn, park.code, asked.supplier)
    supplier_id = supplier.subject_id if supplier else None
    new = job.state(conn, subject.subject_id, supplier_id=supplier_id, **given)
    return {"recorded": [f"{asked.item} {asked.month:%Y-%m}"] if new else []}
