"""The figures of a park, an enterprise or a meter over a period, with their parentage."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import demand, intensity
from analytics.jobs import accounting, compute, demands, stated_value
from analytics.jobs.amounts import Amounts, Period, load_amounts, power_factor
from analytics.jobs.amounts import coverage as coverage_of
from analytics.jobs.periods import account_for
from analytics.jobs.published import published
from analytics.jobs.stated import together
from analytics.jobs.vintage import KnownOn, Vintage
from analytics.registers import QUARTER_US
from store import dirty, statements
from store.database import Connection
from store.errors import Invalid
from store.quantities import QUANTITIES
from store.readings import to_datetime, to_us
from store.records import Subject

GRAINS = ("15min", "day", "month")
ENERGY = "energy_import"


def figures(
    conn: Connection,
    subject: Subject,
    first: date,
    last: date,
    *,
    grain: str = "month",
    known_on: KnownOn = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give the figures of local days [first, last); docs/figures.md names each.

    Parameters
    ----------
    known_on
        Compute from what had arrived and was recorded by then, by one instant or one for
        each kind of input; None: from what the job has stored.

    Raises
    ------
    Invalid
        For an empty period or an unknown grain.
    """
    if last <= first:
        raise Invalid(f"the period {first} to {last} is empty")
    if grain not in GRAINS:
        raise Invalid(f"grain {grain!r} is none of {', '.join(GRAINS)}")
    now = now or datetime.now(UTC)
    vintage = Vintage.of(known_on)
    period = Period(
        first=first,
        last=last,
        zone=ZoneInfo(subject.park.zone),
        now=vintage.now(now),
    )
    amounts = load_amounts(conn, subject, period, known_on)
    edges = compute.days(period.zone, period.start, period.stop)
    totals = {name: each.total(edges) for name, each in amounts.items()}
    energy = amounts.get(ENERGY)
    coverage = coverage_of(energy)
    measured = _demand(energy, period, minimum_coverage)
    made = account_for(conn, subject, period, amounts, known_on)
    coal, carbon = made.coal, made.carbon
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "meter": subject.meter,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "zone": subject.park.zone,
        "as_known_on": known_on.isoformat() if isinstance(known_on, datetime) else None,
        "energy_kwh": totals.get(ENERGY),
        **_demand_figures(measured, period, minimum_coverage),
        **_sliding_figures(energy, period),
        **_contract(conn, subject, period, vintage.statements),
        "power_factor": power_factor(amounts, minimum_coverage),
        **coverage,
        "publishable": coverage["coverage"] >= minimum_coverage,
        "closing": published(conn, subject, first, last, known_on),
        "pending": vintage.stored and dirty.waiting_for(conn, subject.park.park_id),
        "amounts": {
            name: {
                "amount": totals[name],
                "unit": QUANTITIES[name].unit,
                **coverage_of(each),
            }
            for name, each in amounts.items()
        },
        "tce": {basis: each.over_cells(0) for basis, each in coal.items()},
        "co2_t": {method: each.over_cells(0) for method, each in carbon.items()},
        "intensity": _intensity(
            conn, subject, period, vintage.statements, coal, carbon
        ),
        "parentage": {
            "tce": {basis: each.told(0) for basis, each in coal.items()},
            "co2_t": {method: each.told(0) for method, each in carbon.items()},
        },
        "errors": made.errors,
        "grain": grain,
        "series": _series(energy, period, grain, measured),
    }


def _demand(
    energy: Amounts | None, period: Period, minimum_coverage: float
) -> demands.Demand | None:
    if energy is None or not energy.quarters.key.size:
        return None
    start, due = demands.counted(
        energy.plan.parts, to_us(period.start), to_us(period.due)
    )
    return demands.measure(
        demands.quarters(energy.quarters, start, due),
        energy.sliding,
        demands.stretches(energy.rules, start, due),
        period.zone,
        minimum_coverage,
    )


def _demand_figures(
    found: demands.Demand | None, period: Period, minimum_coverage: float
) -> dict[str, Any]:
    """Peak and load factor by the rule that holds, and the peak of each rule's time."""
    if found is None:
        return {
            "peak_demand_kw": None,
            "peak_start": None,
            "peak_measured_share": None,
            "peak_known_share": 0.0,
            "peak_lower_bound": False,
            "demand_method": "demand_fixed15",
            "load_factor": None,
            "demand_rules": [],
        }
    peak = found.peak
    known = not math.isnan(peak.kw)
    return {
        "peak_demand_kw": peak.kw if known else None,
        "peak_start": _local(peak.at_us, period) if known else None,
        "peak_measured_share": peak.measured if known else None,
        "peak_known_share": peak.known,
        "peak_lower_bound": peak.lower_bound,
        "demand_method": peak.method,
        "load_factor": _number(demands.load_factor(found.fixed, minimum_coverage))
        if known
        else None,
        "demand_rules": rules_of(found, period),
    }


def rules_of(found: demands.Demand, period: Period) -> list[dict[str, Any]]:
    """Give the rules that held, each with the peak of its time."""
    return [
        {
            "from": _local(part.start_us, period),
            "to": _local(part.stop_us, period),
            "window_min": part.rule.window_min,
            "method": part.rule.method,
            "demand_method": peak.method,
            "kw": _number(peak.kw),
            "start": None if peak.at_us < 0 else _local(peak.at_us, period),
            "known_share": peak.known,
            "lower_bound": peak.lower_bound,
        }
        for part, peak in found.parts
    ]


def _sliding_figures(energy: Amounts | None, period: Period) -> dict[str, Any]:
    """Peak of the sliding windows, and how much of what has passed of them is known."""
    if energy is None or energy.sliding is None or not energy.sliding.key.size:
        highest, start, known = None, None, 0.0
    else:
        begin, end = demands.counted(
            energy.plan.parts, to_us(period.start), to_us(period.due)
        )
        due = (end - begin) // QUARTER_US
        kw, after_s = energy.sliding.values
        best = int(np.argmax(kw))
        at = int(energy.sliding.start_us[best]) + round(after_s[best] * 1e6)
        highest, start = float(kw[best]), _local(at, period)
        known = min(kw.size / due, 1.0) if due > 0 else 0.0
    return {
        "peak_sliding_kw": highest,
        "peak_sliding_start": start,
        "sliding_coverage": known,
    }


def _contract(
    conn: Connection, subject: Subject, period: Period, known_on: datetime | None
) -> dict[str, Any]:
    """Give the contract demand that applies at the end of the period."""
    at = period.stop - timedelta(microseconds=1)
    applies = statements.contract_demand_at(conn, subject.subject_id, at, known_on)
    return {"contract_demand_kw": applies}


def _intensity(
    conn: Connection,
    subject: Subject,
    period: Period,
    known_on: datetime | None,
    coal: dict[str, accounting.Account],
    carbon: dict[str, accounting.Account],
) -> dict[str, Any]:
    """Give energy and carbon per 10⁴ CNY of added value stated for the whole period."""
    ids = stated_value.enterprises_of(conn, subject)
    parts = stated_value.added_values(
        conn, ids, period.first, period.last, known_on=known_on
    )
    found = together(list(parts.values()))
    value = None if found is None else found.amount
    return {
        "added_value_10k_cny": value,
        "added_value_estimated": found is not None and found.estimated,
        "added_value_provisional": found is not None and found.provisional,
        "added_value_ids": [
            i for each in parts.values() if each is not None for i in each.statement_ids
        ],
        "added_value_missing": sum(each is None for each in parts.values()),
        "tce_per_10k_cny": {
            basis: _ratio(each.over_cells(0), value) for basis, each in coal.items()
        },
        "co2_t_per_10k_cny": {
            method: _ratio(each.over_cells(0), value) for method, each in carbon.items()
        },
    }


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or denominator is None:
        return None
    return _number(intensity.ratio(np.float64(numerator), np.float64(denominator)))


def _number(value: Any) -> float | None:
    figure = float(value)
    return figure if math.isfinite(figure) else None


def _series(
    energy: Amounts | None,
    period: Period,
    grain: str,
    measured: demands.Demand | None,
) -> list[dict[str, Any]]:
    """Give energy, coverage and peak of each interval of the grain that has begun.

    The peak is the highest of the windows that begin in the interval.
    """
    if energy is None or period.due <= period.start:
        return []
    quarters = energy.quarters
    days = compute.days(period.zone, period.start, period.stop)
    edges = _edges(period, grain, days)
    edges = edges[: 1 + sum(each < period.due for each in edges)]
    expected = compute.expected_s(energy.plan, [min(e, period.due) for e in edges])
    daily = compute.by_edges(quarters, days)
    summed = compute.by_edges(quarters if grain == "15min" else daily, edges)
    edges_us = np.array([to_us(each) for each in edges], np.int64)
    known = np.searchsorted(edges_us, summed.start_us)
    amounts = np.zeros((3, expected.size))
    amounts[0] = np.nan
    amounts[:, known] = summed.values[:3]
    at_us, kw = np.empty(0, np.int64), np.empty(0)
    if measured is not None:
        at_us, kw = measured.competing.at_us, measured.competing.kw
    bounds = np.searchsorted(at_us, edges_us)
    rows = []
    for i in range(expected.size):
        part = slice(int(bounds[i]), int(bounds[i + 1]))
        highest = demand.peak(kw[part])
        rows.append(
            {
                "start": _local(int(edges_us[i]), period),
                "energy_kwh": _number(amounts[0, i]),
                "measured_s": float(amounts[1, i]),
                "estimated_s": float(amounts[2, i]),
                "expected_s": float(expected[i]),
                "peak_demand_kw": None if highest is None else float(kw[part][highest]),
                "peak_start": None
                if highest is None
                else _local(int(at_us[part][highest]), period),
            }
        )
    return rows


def _local(us: int, period: Period) -> str:
    return to_datetime(us).astimezone(period.zone).isoformat()


def _edges(period: Period, grain: str, days: list[datetime]) -> list[datetime]:
    if grain == "15min":
        first = to_us(period.start) // QUARTER_US
        last = -(-to_us(period.stop) // QUARTER_US)
        return [to_datetime(i * QUARTER_US) for i in range(first, last + 1)]
    if grain == "day":
        return days
    return [each for each in days if each.day == 1 or each in (days[0], days[-1])]
