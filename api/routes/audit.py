"""Why a number is what it is; periods that are closed, and what was restated since."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from analytics.jobs import closed, closing
from analytics.jobs.catalogue import figure_named
from analytics.jobs.explaining import explain
from api.asking import AskedDays, AskedPark, AskedSubject, Conn, KnownOn, Set, instant
from api.audit_models import ClosingDetail, Closings, Explanation, NewClosing
from api.errors import WRITE_ERRORS
from store import closings as stored
from store.errors import Invalid

router = APIRouter(prefix="/parks/{park}", tags=["audit"])


@router.get("/explain", response_model=Explanation)
def explained(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    settings: Set,
    known_on: KnownOn,
    figure: Annotated[str, Query(max_length=100, description="see docs/audit.md")],
    compare_with: Annotated[
        str | None,
        Query(description="a time, or a local day (to its end): what changed since"),
    ] = None,
) -> Any:
    """Give a figure's parentage, and why it is another one than on an earlier date."""
    other = None
    if compare_with is not None:
        zone = subject.park.zone
        other = instant("compare_with", compare_with, zone, end_of_day=True)
    return explain(
        conn,
        subject,
        figure_named(figure).name,
        days.first,
        days.last,
        known_on=known_on,
        compare_with=other,
        minimum_coverage=settings.minimum_coverage,
    )


@router.get("/closings", response_model=Closings)
def listed(
    conn: Conn,
    park: AskedPark,
    verify: Annotated[bool, Query(description="recompute every hash")] = False,
) -> Any:
    """List the closings of a park as they were made."""
    rows = [closed.listed(conn, each) for each in stored.closings(conn, park.park_id)]
    faults = list(closing.verify(conn, park)) if verify else None
    return {"rows": rows, "faults": faults}


@router.get("/closings/{closing}", response_model=ClosingDetail)
def detail(
    conn: Conn,
    subject: AskedSubject,
    closing_id: Annotated[
        int, Path(alias="closing", ge=1, lt=2**63, description="number of a closing")
    ],
) -> Any:
    """Give what was published, and what became another figure since."""
    if subject.kind == "meter":
        raise Invalid("closings are of the park and its enterprises, not of meters")
    return closed.detail(conn, subject, closing_id)


@router.post(
    "/closings", response_model=ClosingDetail, status_code=201, responses=WRITE_ERRORS
)
def close(conn: Conn, subject: AskedSubject, settings: Set, asked: NewClosing) -> Any:
    """Freeze the figures of whole months of a park and its enterprises."""
    if subject.kind != "park":
        raise Invalid("a period is closed for the whole park")
    made = closing.close(
        conn,
        subject.park,
        asked.first,
        asked.last,
        who=asked.who,
        note=asked.note,
        despite=asked.despite,
        minimum_coverage=settings.minimum_coverage,
    )
    return closed.detail(conn, subject, made.closing_id)
