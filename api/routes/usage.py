"""Stored usage by grain and stored demand."""

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from analytics.jobs.figures import figures
from api.amounts import (
    Bounds,
    between,
    counted,
    known,
    local,
    parentage,
    share,
    usage,
)
from api.answer import CSV_TOO, table
from api.asking import AskedDays, AskedSubject, Conn, Format, Grain, Quantity, Set
from api.models import Demand, DemandRow, Shares, Usage, UsageRow
from store.quantities import QUANTITIES
from store.series import DEMAND, USAGE_15MIN, USAGE_DAY, USAGE_MONTH, read

router = APIRouter(prefix="/parks/{park}", tags=["figures"])

TABLES = {"15min": USAGE_15MIN, "day": USAGE_DAY, "month": USAGE_MONTH}


@router.get("/usage", response_model=Usage, responses=CSV_TOO)
def used(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    quantity: Quantity,
    grain: Grain = "day",
    form: Format = "json",
    bounds: Annotated[
        bool, Query(description="tell what estimated amounts lie between")
    ] = False,
) -> Any:
    """Give the usage of a quantity in the intervals that begin in [from, to)."""
    start, stop = days.between(subject.park.zone)
    of = counted(conn, subject, quantity, start, stop)
    found = usage(conn, TABLES[grain], of, start, stop)
    unit = QUANTITIES[quantity].unit
    edges: list[Bounds] = [(None, None)] * (found.key.size + 1)
    if bounds and found.key.size:
        edges = between(conn, of, found, start, stop)
    rows = [
        {
            "start": local(int(found.start_us[i]), subject.park.zone),
            "amount": amount,
            "least": edges[i][0],
            "most": edges[i][1],
            "unit": unit,
            "measured_s": measured,
            "estimated_s": estimated,
            "expected_s": expected,
            "coverage": share(measured + estimated, expected),
        }
        for i, (amount, measured, estimated, expected) in enumerate(
            found.values.T.tolist()
        )
    ]
    if form == "csv":
        name = f"{subject.park.code}-usage"
        return table(name, list(UsageRow.model_fields), rows)
    daily = usage(conn, USAGE_DAY, of, start, stop)
    due = min(stop.astimezone(UTC), datetime.now(UTC))
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "meter": subject.meter,
        "from": days.first,
        "to": days.last,
        "zone": subject.park.zone,
        "quantity": quantity,
        "unit": unit,
        "grain": grain,
        "total": math.fsum(daily.values[0]) if daily.key.size else None,
        "total_least": edges[-1][0],
        "total_most": edges[-1][1],
        **known(daily, of.expected_s(start.astimezone(UTC), due)),
        "parentage": parentage(conn, subject, of),
        "rows": rows,
    }


@router.get("/demand", response_model=Demand, responses=CSV_TOO)
def demanded(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    settings: Set,
    grain: Grain = "15min",
    form: Format = "json",
) -> Any:
    """Give demand by quarter hour, peak and load factor by the rule, and the contract."""
    start, stop = days.between(subject.park.zone)
    found = read(conn, DEMAND, [subject.subject_id], start, stop)
    rows = [
        {
            "start": local(int(found.start_us[i]), subject.park.zone),
            "demand_kw": kw,
            "unit": "kW",
            "measured": measured,
            "coverage": min(coverage, 1.0),
        }
        for i, (kw, measured, coverage) in enumerate(found.values.T.tolist())
    ]
    if form == "csv":
        return table(f"{subject.park.code}-demand", list(DemandRow.model_fields), rows)
    head = figures(
        conn,
        subject,
        days.first,
        days.last,
        grain="day",
        minimum_coverage=settings.minimum_coverage,
    )
    of = counted(conn, subject, "energy_import", start, stop)
    return {
        **{name: head[name] for name in _HEAD},
        "unit": "kW",
        "parentage": parentage(conn, subject, of),
        "rows": rows,
    }


_HEAD = [
    *((field.alias or name) for name, field in Shares.model_fields.items()),
    "peak_demand_kw",
    "peak_start",
    "peak_measured_share",
    "peak_known_share",
    "peak_lower_bound",
    "demand_method",
    "demand_rules",
    "peak_sliding_kw",
    "peak_sliding_start",
    "sliding_coverage",
    "load_factor",
    "contract_demand_kw",
]
