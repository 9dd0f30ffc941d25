"""A period's peaks: how high, when, who made them, how the demand lies around them."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import peaks
from analytics.jobs import compute, demands
from analytics.jobs.amounts import (
    ENERGY,
    LAGGING,
    Amounts,
    Period,
    energy_parts,
)
from analytics.jobs.demands import Stretch, Windows
from analytics.jobs.figures import rules_of
from analytics.jobs.peak_windows import Shown, counted, shown, usage
from analytics.jobs.validity import segments
from analytics.jobs.vintage import Vintage
from analytics.registers import QUARTER_US, Float64, Int64
from store import registry, statements
from store.database import Connection
from store.readings import to_datetime, to_us
from store.records import Enterprise, Subject
from store.series import Series
from store.tariffs import billings

SEPARATE_US = 4 * QUARTER_US  # peaks no further apart than an hour are one
POINTS = 200  # of a load duration curve
ROUNDING_KW = 1e-6  # the rest of a park without a meter of its own


def peak_figures(
    conn: Connection,
    subject: Subject,
    first: date,
    last: date,
    *,
    minimum_coverage: float = 0.95,
    count: int = 5,
    charge: float | None = None,
    known_on: datetime | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give the peaks of local days [first, last); docs/demand.md names each figure.

    Parameters
    ----------
    count
        Of separate peaks.
    charge
        A demand charge [CNY] that is to be divided among those who made a park's peak.
    known_on
        Answer as known then: by the readings, corrections, relations, rules, contract
        demands and billings recorded until then. None: as stored.
    """
    vintage = Vintage.of(known_on)
    period = Period(
        first=first,
        last=last,
        zone=ZoneInfo(subject.park.zone),
        now=vintage.now(now or datetime.now(UTC)),
    )
    park = subject.park
    world = compute.load_world(conn, park.park_id, park.zone, vintage)
    others = registry.enterprises(conn, park.park_id) if subject.kind == "park" else []
    start, due = demands.counted(
        energy_parts(world, subject, period), to_us(period.start), to_us(period.due)
    )
    cut = demands.stretches(world.rules.get(subject.subject_id, []), start, due)
    demand = shown(
        conn, subject, period, known_on, [each.enterprise_id for each in others]
    )
    measured = demands.measure(
        demand.mine,
        demand.sliding,
        cut,
        period.zone,
        minimum_coverage,
    )
    mine, competing = measured.fixed, measured.competing
    at_us, kw = competing.at_us, competing.kw
    found = peaks.top(kw, count, SEPARATE_US, at=at_us).tolist()
    contract = _contract(conn, subject.subject_id, known_on)
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "meter": subject.meter,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "zone": subject.park.zone,
        "as_known_on": known_on.isoformat() if known_on else None,
        "unit": "kW",
        "demand_method": measured.peak.method,
        "coverage": measured.peak.known if found else 0.0,
        "lower_bound": measured.peak.lower_bound,
        "demand_rules": rules_of(measured, period),
        "load_factor": _number(demands.load_factor(mine, minimum_coverage))
        if found
        else None,
        "top": [
            {
                "start": _local(int(at_us[each]), period),
                "kw": float(kw[each]),
                "measured_share": float(measured.competing.measured[each]),
                "contract_kw": contract(int(at_us[each])),
                "control_rate": _number(
                    peaks.control_rate(kw[each], contract(int(at_us[each])) or np.nan)
                ),
            }
            for each in found
        ],
        **_sliding(demand.sliding, period, due - start),
        "months": _months(competing, period),
        "days": _days(mine, competing, period, minimum_coverage),
        "transformer": _transformer(
            conn, subject, period, minimum_coverage, (start, due), demand, known_on
        ),
        "duration": _duration(mine, minimum_coverage),
        "map": _map(mine, period, minimum_coverage),
        "made_by": _made_by(
            world, others, period, minimum_coverage, charge, mine, demand.beside, cut
        )
        if subject.kind == "park"
        else None,
    }


def _contract(conn: Connection, subject_id: int, known_on: datetime | None) -> Any:
    stated = statements.contract_demands(conn, subject_id, known_on)
    painted = segments(stated).get(subject_id, [])

    def applies(at_us: int) -> float | None:
        found = None
        for begin, kw in painted:
            if begin <= at_us:
                found = kw
        return found

    return applies


def _sliding(rows: Series, period: Period, counted_us: int) -> dict[str, Any]:
    due = max(counted_us // QUARTER_US, 1)
    if not rows.key.size:
        return {"sliding_kw": None, "sliding_start": None, "sliding_coverage": 0.0}
    best = int(np.argmax(rows.values[0]))
    at_us = int(rows.start_us[best]) + round(rows.values[1][best] * 1e6)
    return {
        "sliding_kw": float(rows.values[0][best]),
        "sliding_start": _local(at_us, period),
        "sliding_coverage": min(rows.key.size / due, 1.0),
    }


def _months(competing: Windows, period: Period) -> list[dict[str, Any]]:
    days = compute.days(period.zone, period.start, period.stop)
    edges = [each for each in days[:-1] if each.day == 1 or each == days[0]]
    at = np.array([to_us(each) for each in edges], np.int64)
    group = np.searchsorted(at, competing.at_us, "right") - 1
    passed = int(group.max()) + 1 if group.size else 0
    highest = peaks.maxima(
        competing.kw[None], group, passed, None, 0.0, window_s=competing.length_s
    )
    return [
        {
            "start": edges[i].isoformat(),
            "kw": _number(highest.kw[0, i]),
            "peak_start": _local(int(competing.at_us[window]), period)
            if (window := int(highest.window[0, i])) >= 0
            else None,
            "measured_share": None if window < 0 else float(competing.measured[window]),
            "coverage": _number(highest.coverage[0, i]) or 0.0,
        }
        for i in range(passed)
    ]


def _duration(mine: Windows, minimum: float) -> list[dict[str, float]]:
    curve = peaks.duration(mine.kw, mine.length_s, mine.covered, minimum, POINTS)
    return [
        {"hours": hours, "kw": power}
        for hours, power in zip(curve.hours.tolist(), curve.kw.tolist(), strict=True)
    ]


def _local_days(mine: Windows, period: Period) -> tuple[Int64, int]:
    """Give the local day of each window, counted from the first, and how many began."""
    edges = compute.days(period.zone, period.start, period.stop)
    at = np.array([to_us(each) for each in edges], np.int64)
    day = np.searchsorted(at, mine.at_us, "right") - 1
    return day, int(day.max()) + 1 if day.size else 0


def _days(
    mine: Windows, competing: Windows, period: Period, minimum: float
) -> list[dict[str, Any]]:
    """Give the peak of each local day, and its peak-valley difference."""
    day, count = _local_days(competing, period)
    high = peaks.maxima(
        competing.kw[None], day, count, None, 0.0, window_s=competing.length_s
    )
    difference, rate = peaks.peak_valley(
        mine.kw[None],
        _local_days(mine, period)[0],
        count,
        mine.covered[None],
        minimum,
        window_s=mine.length_s,
    )
    return [
        {
            "day": (period.first + timedelta(i)).isoformat(),
            "kw": _number(high.kw[0, i]),
            "measured_share": None
            if (window := int(high.window[0, i])) < 0
            else float(competing.measured[window]),
            "difference_kw": _number(difference[0, i]),
            "difference_rate": _number(rate[0, i]),
            "coverage": _number(high.coverage[0, i]) or 0.0,
        }
        for i in range(count)
    ]


def _transformer(
    conn: Connection,
    subject: Subject,
    period: Period,
    minimum: float,
    counted_us: tuple[int, int],
    demand: Shown,
    known_on: datetime | None,
) -> dict[str, Any] | None:
    """Tell how the connected capacity was loaded; None where nobody stated one."""
    stated = [
        each
        for each in billings(conn, subject.subject_id, known_on)
        if each.valid_from < period.last
        and (each.valid_to is None or each.valid_to > period.first)
    ]
    if not stated or stated[-1].capacity_kva is None:
        return None
    kva = stated[-1].capacity_kva  # the one recorded last
    amounts = usage(conn, subject, period, demand)
    first, due = (each // QUARTER_US for each in counted_us)
    kw, kvar = (
        _power(amounts.get(name), first, max(due - first, 0), minimum)
        for name in (ENERGY, LAGGING)
    )
    rate = peaks.load_rate(kw, kvar, kva)
    known = ~np.isnan(rate)
    classes = peaks.load_class(rate)
    enough = _share(known) >= minimum
    return {
        "capacity_kva": kva,
        "coverage": _share(known),
        "highest_rate": _number(rate[known].max()) if enough else None,
        "mean_rate": _number(rate[known].mean()) if enough else None,
        "hours": {
            name: float((classes == i).sum()) * QUARTER_US / 3600e6
            for i, name in enumerate(peaks.LOAD_NAMES)
        },
    }


def _power(amounts: Amounts | None, first: int, size: int, minimum: float) -> Float64:
    """Give the mean power of the windows that are known well enough; NaN elsewhere."""
    power = np.full(size, np.nan)
    if amounts is not None:
        rows = amounts.quarters
        window = rows.start_us // QUARTER_US - first
        known = (rows.values[1] + rows.values[2]) * 1e6 >= minimum * QUARTER_US
        known &= (window >= 0) & (window < size)
        power[window[known]] = rows.values[0][known] * 3600e6 / QUARTER_US
    return power


def _map(mine: Windows, period: Period, minimum: float) -> dict[str, Any]:
    """Lay mean power out by local day and hour."""
    local = [to_datetime(us).astimezone(period.zone) for us in mine.at_us.tolist()]
    first = period.first.toordinal()
    day = np.array([each.toordinal() - first for each in local], np.int64)
    hour = np.array([each.hour for each in local], np.int64)
    days = int(day.max()) + 1 if day.size else 0
    cells = peaks.day_map(
        mine.kw,
        day,
        hour,
        (days, 24),
        mine.covered,
        minimum,
        window_s=mine.length_s,
    )
    return {
        "days": [date.fromordinal(first + i).isoformat() for i in range(days)],
        "kw": [[_number(cell) for cell in row] for row in cells],
    }


def _made_by(
    world: compute.World,
    known: list[Enterprise],
    period: Period,
    minimum: float,
    charge: float | None,
    mine: Windows,
    grid: Windows,
    cut: list[Stretch],
) -> dict[str, Any]:
    """Tell who made the park's peak, and what each would bear of a charge.

    In fixed windows of the park's rule, whatever the rules of the enterprises.
    """
    ids = [each.enterprise_id for each in known]
    there = counted(world, ids, period, grid.at_us)
    # a quarter hour in which none of its meters counted is 0 of a longer window
    grid = grid._replace(
        kw=np.where(there, grid.kw, 0.0),
        covered=np.where(there, grid.covered, 1.0),
        measured=np.where(there, grid.measured, 1.0),
    )
    all_parts = demands.regroup(grid, cut, period.zone)
    share = demands.regroup(grid._replace(kw=there.astype(float)), cut, period.zone)
    among = share.kw > 0
    some = np.asarray(among.any(axis=1))
    parts = [each for each, any_ in zip(known, some.tolist(), strict=True) if any_]
    kw, covered, among = all_parts.kw[some], all_parts.covered[some], among[some]
    main = _without_rounding(kw, mine.kw)
    seen = (kw, main, covered, mine.covered, minimum)
    made = peaks.makers(*seen, counted=among, window_s=mine.length_s)
    weights = peaks.weights(*seen, counted=among, window_s=mine.length_s)
    methods = {
        "coincident": weights.coincident,
        "own": weights.own,
        "shapley": weights.shapley,
    }
    amounts = {
        name: peaks.split(math.nan if charge is None else charge, weight)
        for name, weight in methods.items()
    }
    start = None if made.window < 0 else int(mine.at_us[made.window])
    length_s = mine.length_s[made.window] if made.window >= 0 else None
    return {
        "window_min": None if length_s is None else round(length_s / 60),
        "kw": _number(made.kw),
        "start": None if start is None else _local(start, period),
        "measured_share": None if start is None else float(mine.measured[made.window]),
        "coincidence": _number(made.coincidence),
        "diversity": _number(made.diversity),
        "charge_cny": charge,
        "parts": [
            {
                "enterprise": each.code if each else None,
                "name": each.name if each else None,
                "kw": _number(made.part_kw[i]),
                "share": _number(made.share[i]),
                "own_kw": _number(made.own_kw[i]),
                "own_start": _local(int(mine.at_us[window]), period)
                if (window := int(made.own_window[i])) >= 0
                else None,
                "coverage": float(made.part_coverage[i]),
                "weight_kw": {
                    name: _number(weight[i]) for name, weight in methods.items()
                },
                "shapley_error_kw": _number(weights.shapley_error[i]),
                "charge_cny": {
                    name: _number(amount[i]) for name, amount in amounts.items()
                },
            }
            for i, each in enumerate([*parts, None])
        ],
    }


def _without_rounding(parts_kw: Float64, main_kw: Float64) -> Float64:
    """Take the sum of the parts where the park is nothing else, to the bit."""
    total = parts_kw.sum(axis=0)
    return np.where(np.abs(main_kw - total) <= ROUNDING_KW, total, main_kw)


def _share(known: Any) -> float:
    return float(known.mean()) if known.size else 0.0


def _number(value: Any) -> float | None:
    figure = float(value)
    return figure if math.isfinite(figure) else None


def _local(us: int, period: Period) -> str:
    return to_datetime(us).astimezone(period.zone).isoformat()
