"""How the targets of a year go: pace, use so far, where the year will end, when it is spent."""

import math
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics import budget
from analytics.jobs.figures import figures
from analytics.jobs.grounds import Grounds, load_grounds
from analytics.jobs.intensity import Group, coverage_of, figure, water
from analytics.jobs.stated import exact
from store import targets as stored
from store.database import Connection
from store.errors import Invalid
from store.records import Subject
from store.targets import Target

Float64 = NDArray[np.float64]

YEARS_BACK = 5  # whose months tell how a year goes
PACES = ("uniform", "history")


def budgets(
    conn: Connection,
    subject: Subject,
    year: int,
    *,
    pace: str = "uniform",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Tell how each target of a subject's year goes.

    Parameters
    ----------
    pace
        How the budget may be spent: evenly over the days, or by the months of earlier
        years.

    Raises
    ------
    Invalid
        For a meter, or an unknown pace.
    """
    if subject.kind == "meter":
        raise Invalid("a meter has no targets")
    if pace not in PACES:
        raise Invalid(f"pace {pace!r} is none of {', '.join(PACES)}")
    now = now or datetime.now(UTC)
    set_ = stored.targets(conn, [subject.subject_id], year, known_on=known_on)
    grounds = load_grounds(
        conn,
        subject.park,
        (year - YEARS_BACK) * 12,
        year * 12 + 12,
        known_on=known_on,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    months = min(max(grounds.running - year * 12, 0), 12)
    group = (
        Group(name="park", ids=tuple(grounds.codes), park_row=True)
        if subject.kind == "park"
        else Group(name="enterprise", ids=(subject.subject_id,))
    )
    rows = []
    for each in set_:
        row: dict[str, Any] = {
            "target_id": each.target_id,
            "kind": each.kind,
            "method": each.method,
            "value": each.value,
            "unit": each.unit,
            "excluded": list(each.excluded),
            "source": each.source,
            "recorded_at": each.recorded_at,
            "outlook": None,
            "so_far": None,
        }
        if each.kind == "demand":
            row["so_far"] = _demand(conn, subject, year, known_on, now)
        elif each.kind in ("energy", "co2", "water"):
            row["outlook"] = _outlook(grounds, group, each, months, pace)
        else:
            row["so_far"] = _intensity(grounds, group, each, months)
        so_far = row["so_far"]
        if so_far is not None and so_far["value"] is not None:
            so_far["left"] = (each.value or 0.0) - so_far["value"]
        rows.append(row)
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "year": year,
        "zone": subject.park.zone,
        "as_known_on": known_on,
        "months_over": months,
        "pace": pace,
        "minimum_coverage": minimum_coverage,
        "rows": rows,
    }


def _outlook(
    grounds: Grounds, group: Group, target: Target, months: int, pace: str
) -> dict[str, Any]:
    """Run the months of a year against its limit."""
    year, days = target.year, budget.days_of_months(target.year)
    table = np.array(
        [
            _earlier(grounds, group, target, each)
            for each in range(year - YEARS_BACK, year)
        ]
    )
    of_year = _months(grounds, group, target, year)
    items = {
        name: _left_out(grounds, group, target, name, year) for name in target.excluded
    }
    counted = of_year - np.sum([np.nan_to_num(e) for e in items.values()], axis=0)
    for name in target.excluded:
        for i, each in enumerate(range(year - YEARS_BACK, year)):
            table[i] -= np.nan_to_num(_left_out(grounds, group, target, name, each))
    weights, followed = days, "uniform"
    if pace == "history":
        by_months = budget.profile(table)
        if not np.isnan(by_months).any():
            weights, followed = by_months, "history"
    limit = math.nan if target.value is None else target.value
    found = budget.outlook(limit, counted, months, weights, days, table)
    shares = _shares(grounds, group, target, year)[:months]
    metered = shares[~np.isnan(shares)]
    return {
        "months": _list(counted[:months]),
        "left_out": {
            name: {"months": _list(each[:months]), "sum": _sum(each[:months])}
            for name, each in items.items()
        },
        "used": _number(found.used),
        "left": _number(found.left),
        "ahead_of_pace": _number(found.ahead),
        "pace_by": followed,
        "pace": _list(found.pace),
        "path": _list(found.path),
        "low": _list(found.low),
        "high": _list(found.high),
        "year_end": _number(float(found.path[-1])),
        "year_end_low": _number(float(found.low[-1])),
        "year_end_high": _number(float(found.high[-1])),
        "spent_on": _day(year, found.spent),
        "spent_early": _day(year, found.spent_early),
        "spent_late": _day(year, found.spent_late),
        "method": budget.METHOD_NAMES[found.method],
        "band": list(budget.BAND),
        "history_years": int((~np.isnan(table).any(axis=1)).sum()),
        "coverage": min(metered.tolist(), default=None),
        "publishable": bool((metered >= grounds.minimum_coverage).all()),
    }


def _months(grounds: Grounds, group: Group, target: Target, year: int) -> Float64:
    """Give what counts of each month of a year, excluded items still in; NaN unknown."""
    columns = grounds.columns(year * 12, year * 12 + 12)
    row = 0 if group.park_row else grounds.rows[group.ids[0]]
    if target.kind == "water":
        return np.array(
            [
                _nan(water(grounds, group, "water_m3", m, m + 1)["amount"])
                for m in range(year * 12, year * 12 + 12)
            ]
        )
    book = grounds.book.coal if target.kind == "energy" else grounds.book.carbon
    account = book.get(target.method or "")
    if account is None:
        raise Invalid(f"there is no method {target.method!r} of {target.kind}")
    return np.asarray(account.total[row, columns])


def _earlier(grounds: Grounds, group: Group, target: Target, year: int) -> Float64:
    """Give the months of an earlier year; NaN also where meters cover too little."""
    shares = _shares(grounds, group, target, year)
    few = shares < grounds.minimum_coverage
    return np.where(few, np.nan, _months(grounds, group, target, year))


def _shares(grounds: Grounds, group: Group, target: Target, year: int) -> Float64:
    """Give the share of each month that meters know, of its water or of its energy.

    0 where somebody's water is neither metered nor stated, NaN where all is stated.
    """
    shares = np.zeros(12)
    for i, month in enumerate(range(year * 12, year * 12 + 12)):
        if target.kind != "water":
            share = coverage_of(grounds, group, month, month + 1)
            shares[i] = 0.0 if share is None else share
            continue
        found = water(grounds, group, "water_m3", month, month + 1)
        share = _nan(found["coverage"])
        unknown = found["amount"] is None and not share < grounds.minimum_coverage
        shares[i] = 0.0 if unknown else share
    return shares


def _left_out(
    grounds: Grounds, group: Group, target: Target, name: str, year: int
) -> Float64:
    """Give what does not count against the target by month [tce]; NaN: nothing is known.

    Renewable: own photovoltaic power that was not given to others and green power with its
    proof, both at the method's factor, and what is stated as renewable; feedstock: what is
    stated.
    """
    first = year * 12
    subject = grounds.park.park_id if group.park_row else group.ids[0]
    kind = "renewable_energy" if name == "renewable" else "feedstock_energy"
    said = grounds.flows.get((subject, kind, None, "tce"))
    amounts = np.full(12, np.nan)
    if said is not None:
        for month in range(12):
            one = exact(said, first + month, first + month + 1)
            amounts[month] = math.nan if one is None else one.amount
    if name != "renewable":
        return amounts
    row = 0 if group.park_row else grounds.rows[subject]
    own = _renewable_tce(grounds, row, first, target.method or "")
    both = np.nan_to_num(own) + np.nan_to_num(amounts)
    return np.where(np.isnan(own) & np.isnan(amounts), np.nan, both)


def _renewable_tce(grounds: Grounds, row: int, first: int, method: str) -> Float64:
    """Give own power that stayed and proven green power at the method's factor [tce]."""
    book, columns = grounds.book, grounds.columns(first, first + 12)
    nothing = np.full(12, np.nan)

    def amount(name: str) -> Float64:
        table = book.amounts.get(name)
        return nothing if table is None else table[row, columns]

    kept = np.maximum(
        amount("pv_generation") - np.nan_to_num(amount("energy_export")), 0
    )
    proven = np.where(
        book.green.wrong[row, columns], 0, book.green.proven[row, columns]
    )
    kwh = np.nan_to_num(kept) + book.green.unmetered[row, columns] + proven
    used, tonnes = np.zeros((2, 12))
    for line in book.coal[method].lines:
        if line.part == "electricity" and line.origin == "metered" and line.counts:
            used += np.nan_to_num(line.amount[row, columns])
            tonnes += np.nan_to_num(line.result[row, columns])
    found = np.full(12, np.nan)
    np.divide(kwh * tonnes, used, out=found, where=(used > 0) & (kwh > 0))
    return found


def _intensity(
    grounds: Grounds, group: Group, target: Target, months: int
) -> dict[str, Any] | None:
    """Give the intensity of the year to date, months by months a ratio of sums."""
    if not months:
        return None
    found = figure(grounds, group, target.year * 12, target.year * 12 + months)
    name = "tce" if target.kind == "energy_intensity" else "co2_t"
    below = found["per"]["added_value_10k_cny"]
    if target.method not in below[name]:
        raise Invalid(f"there is no method {target.method!r} of {target.kind}")
    return {
        "value": below[name][target.method],
        "left": None,
        "estimated": below["estimated"],
        "missing": below["missing"],
        "coverage": found["coverage"],
        "publishable": found["publishable"],
        "at": None,
    }


def _demand(
    conn: Connection,
    subject: Subject,
    year: int,
    known_on: datetime | None,
    now: datetime,
) -> dict[str, Any]:
    found = figures(
        conn,
        subject,
        date(year, 1, 1),
        date(year + 1, 1, 1),
        known_on=known_on,
        now=now,
    )
    return {
        "value": found["peak_demand_kw"],
        "left": None,
        "estimated": (found["peak_measured_share"] or 0.0) < 1.0,
        "missing": [],
        "coverage": found["coverage"],
        "publishable": found["publishable"],
        "at": found["peak_start"],
    }


def zone_year(subject: Subject, now: datetime | None = None) -> int:
    """Give the local year that runs."""
    return (now or datetime.now(UTC)).astimezone(ZoneInfo(subject.park.zone)).year


def _day(year: int, position: float) -> str | None:
    found = budget.day(year, position)
    return None if found is None else str(found)


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def _list(values: Float64) -> list[float | None]:
    return [_number(each) for each in values.tolist()]


def _sum(values: Float64) -> float | None:
    known = values[~np.isnan(values)]
    return math.fsum(known.tolist()) if known.size else None


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
