"""Violated rules, and how the registers of a meter are judged."""

from typing import Any

from fastapi import APIRouter

from analytics.jobs.checking import checks
from api.answer import CSV_TOO, rows_of, table
from api.asking import AskedDays, AskedPark, Conn, Format, Set
from api.check_models import Check, Checks, NewPolicy, Policies
from api.errors import WRITE_ERRORS
from store import policies, registry

router = APIRouter(prefix="/parks/{park}", tags=["corrections"])


@router.get("/checks", response_model=Checks, responses=CSV_TOO)
def listed(
    conn: Conn, park: AskedPark, days: AskedDays, settings: Set, form: Format = "json"
) -> Any:
    """List the rules that a period violates, by meter."""
    rows = checks(
        conn,
        park,
        days.first,
        days.last,
        minimum_coverage=settings.minimum_coverage,
    )
    if form == "csv":
        return table(f"{park.code}-checks", list(Check.model_fields), rows)
    return {"rows": rows}


@router.get("/policies", response_model=Policies)
def stated(conn: Conn, park: AskedPark) -> Any:
    """List how registers are judged where not by the defaults."""
    codes = registry.meter_codes(conn, park.park_id)
    rows = rows_of(policies.policies(conn, park.park_id))
    return {"rows": [each | {"meter": codes[each.pop("meter_id")]} for each in rows]}


@router.post(
    "/policies", response_model=Policies, status_code=201, responses=WRITE_ERRORS
)
def state(conn: Conn, park: AskedPark, asked: NewPolicy) -> Any:
    """State how the registers of a meter are judged; figures restate."""
    subject = registry.subject(conn, park.code, asked.enterprise, asked.meter)
    policies.set_policy(
        conn, subject.subject_id, asked.name, asked.value, source=asked.source
    )
    return stated(conn, park)
