"""Energy baselines of a subject: fitted from its months, and what was saved against them."""

import csv
import io
import math
import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics import baseline as kernel
from analytics.jobs import methods
from analytics.jobs.book import Book, load_book
from analytics.jobs.months import later
from analytics.jobs.yearly import Record, complete, over
from store import baselines as stored
from store.baselines import Driver, StoredBaseline
from store.database import Connection
from store.errors import Invalid
from store.quantities import QUANTITIES
from store.records import Subject

Float64 = NDArray[np.float64]

NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}$")
TEMPERATURE = "outdoor_temperature_c"  # mean of a day
DEGREE_DAYS = re.compile(r"^(heating|cooling)_degree_days(?:_(\d{1,2}))?$")
SIGNIFICANT = 0.1  # of a driver
# what a value may be, both ends included; the heat of a furnace drives as well
OUTDOORS_C, ANY_C = (-90.0, 60.0), (-273.15, 5000.0)
MONTH_DEGREE_DAYS = (0.0, 6000.0)
ANYTHING = (0.0, 1e12)  # output, people, hours
MOST_MONTHS = 240


def define(
    conn: Connection,
    subject: Subject,
    *,
    name: str,
    figure: str,
    variables: Sequence[str],
    first: date,
    last: date,
    source: str,
    who: str,
) -> bool:
    """Record a baseline; tell if it says anything new.

    Parameters
    ----------
    figure
        A quantity that meters count, or a method of energy (then in tce).
    variables
        Names of drivers, ``heating_degree_days`` and ``cooling_degree_days``, these with
        another base as ``heating_degree_days_15``.
    first, last
        First days of the baseline's first month and of the month after its last one.

    Raises
    ------
    Invalid
        For an unknown figure, a name that is none, or months that are none.
    """
    _months(first, last)
    if subject.kind == "meter":
        raise Invalid("baselines are of a park or an enterprise")
    names = [each.name for each in methods.of_kind("energy")]
    registers = [each.name for each in QUANTITIES.values() if each.kind == "register"]
    if figure not in (*names, *registers):
        raise Invalid(
            f"figure {figure[:70]!r} is no counted quantity and no energy method"
        )
    for each in (name, *variables):
        if not NAME.match(each):
            raise Invalid(f"{each[:70]!r} is no name: a-z, 0-9 and _")
    if len(set(variables)) != len(variables) or not 1 <= len(variables) <= 8:
        raise Invalid("a baseline has 1 to 8 variables, each once")
    if not source.strip() or not who.strip():
        raise Invalid("a baseline needs a source and a person")
    return stored.record_baseline(
        conn,
        subject.subject_id,
        name,
        figure,
        variables,
        first,
        last,
        source=source,
        who=who,
    )


def state_driver(
    conn: Connection,
    subject: Subject,
    *,
    name: str,
    first: date,
    value: float | None,
    unit: str,
    grain: str = "month",
    source: str,
    who: str,
    now: datetime | None = None,
) -> bool:
    """Record what drove energy in a month or on a day; tell if it is new.

    Raises
    ------
    Invalid
        For a name or grain that is none, a month that begins on no first day or has not
        begun, a value beyond what its kind can be, another unit than the name has, or no
        source or person.
    """
    if not NAME.match(name):
        raise Invalid(f"{name[:70]!r} is no name: a-z, 0-9 and _")
    if grain not in stored.GRAINS:
        raise Invalid(f"grain {grain[:70]!r} is neither day nor month")
    if grain == "month" and first.day != 1:
        raise Invalid(f"{first} is not the first day of a month")
    if name == TEMPERATURE and (grain != "day" or unit != "c"):
        raise Invalid(f"{TEMPERATURE} is the mean of a day in c")
    if not source.strip() or not who.strip():
        raise Invalid("a statement needs a source and a person")
    if value is not None:  # whatever was stated can be withdrawn
        today = (now or datetime.now(UTC)).astimezone(ZoneInfo(subject.park.zone))
        if first > today.date():
            raise Invalid(f"{first} is still to come")
        low, high = _bounds(name, unit)
        if not low <= value <= high:
            raise Invalid(f"{name} is {low:g} to {high:g}, not {value:g}")
        usual = stored.driver_unit(conn, _ids(subject), name)
        if usual not in (None, unit):
            raise Invalid(f"{name} is stated in {usual}, not in {unit[:70]!r}")
    return stored.record_driver(
        conn,
        subject.subject_id,
        name,
        grain,
        first,
        value,
        unit,
        source=source,
        who=who,
    )


def read_drivers(
    conn: Connection, subject: Subject, text: str, *, source: str, who: str
) -> tuple[int, int]:
    """Record drivers from CSV with the columns name, grain, first, value, unit.

    Returns
    -------
    tuple
        How many were new, and how many were known already. All or none are recorded.

    Raises
    ------
    Invalid
        Naming the line that cannot be used.
    """
    counts = [0, 0]
    with conn.transaction():
        for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
            try:
                new = state_driver(
                    conn,
                    subject,
                    name=row["name"],
                    grain=row["grain"],
                    first=date.fromisoformat(row["first"]),
                    value=float(row["value"]) if row["value"].strip() else None,
                    unit=row["unit"],
                    source=source,
                    who=who,
                )
            except KeyError as error:
                raise Invalid(f"line {number}: column {error} is missing") from error
            except (AttributeError, ValueError) as error:
                raise Invalid(f"line {number}: {error}") from error
            counts[not new] += 1
    return counts[0], counts[1]


def judged(
    conn: Connection,
    subject: Subject,
    name: str,
    first: date,
    last: date,
    *,
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Fit a baseline and judge months [first, last) against it.

    Raises
    ------
    Invalid
        When there is no such baseline, the months are none, or a driver has two units.

    Notes
    -----
    A month counts that is over and covered and of which every variable is known. Months
    before and after are judged alike; savings of the baseline's own months only show how
    well the line fits.
    """
    _months(first, last)
    all_of = stored.baselines(conn, subject.subject_id, known_on)
    found = next((each for each in all_of if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in all_of) or "none"
        raise Invalid(f"baseline {name[:70]!r} is not there; there are: {names}")
    asked = (found.first_month, found.last_month), (first, last)
    tables = [
        _table(conn, subject, found, *each, known_on, minimum_coverage, now)
        for each in asked
    ]
    line = kernel.fit(*tables[0])
    saved = kernel.savings(line, *tables[1])
    sums = kernel.cusum(saved.saved, line.sigma)
    months = _between(first, last)
    total = saved.saved[~np.isnan(saved.saved)]
    expected = saved.expected[~np.isnan(saved.saved)]
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "as_known_on": known_on.isoformat() if known_on else None,
        "baseline": told(found),
        "unit": _unit(found.figure),
        "fit": _fit(found, line),
        "months": [
            {
                "month": f"{month:%Y-%m}",
                "used": _number(tables[1][0][i]),
                "variables": [_number(each) for each in tables[1][1][i]],
                "expected": _number(saved.expected[i]),
                "saved": _number(saved.saved[i]),
                "outside_range": bool(saved.outside[i]),
                "cusum": _number(sums.total[i]),
                "upper": _number(sums.upper[i]),
                "lower": _number(sums.lower[i]),
                "saves": bool(sums.saves[i]),
                "loses": bool(sums.loses[i]),
            }
            for i, month in enumerate(months)
        ],
        "cusum_limit": _number(sums.limit),
        "saved": math.fsum(total.tolist()) if total.size else None,
        "saved_share": _number(math.fsum(total.tolist()) / math.fsum(expected.tolist()))
        if total.size and expected.sum() > 0
        else None,
        "months_known": int(total.size),
        "warnings": list(saved.warnings),
    }


def told(of: StoredBaseline) -> dict[str, Any]:
    """Give a baseline's definition for people."""
    return {
        "energy_baseline_id": of.energy_baseline_id,
        "name": of.name,
        "figure": of.figure,
        "variables": list(of.variables),
        "first_month": of.first_month,
        "last_month": of.last_month,
        "source": of.source,
        "who": of.who,
        "recorded_at": of.recorded_at,
    }


def _ids(subject: Subject) -> list[int]:
    """Whose drivers count for a subject: its own, else the park's."""
    return list(dict.fromkeys((subject.subject_id, subject.park.park_id)))


def _bounds(name: str, unit: str) -> tuple[float, float]:
    if name == TEMPERATURE:
        return OUTDOORS_C
    if DEGREE_DAYS.match(name):
        return MONTH_DEGREE_DAYS
    return ANY_C if unit == "c" else ANYTHING


def _months(first: date, last: date) -> None:
    if first.day != 1 or last.day != 1 or last <= first:
        raise Invalid(f"{first} to {last} are not whole months")
    if len(_between(first, last)) > MOST_MONTHS:
        raise Invalid(f"{first} to {last} are more than {MOST_MONTHS} months")


def _between(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month
    return [later(first, n) for n in range(count)]


def _unit(figure: str) -> str:
    return QUANTITIES[figure].unit if figure in QUANTITIES else "tce"


def _fit(of: StoredBaseline, line: kernel.Baseline) -> dict[str, Any]:
    return {
        "n": line.n,
        "r2": _number(line.r2),
        "cv_rmse": _number(line.cv_rmse),
        "nmbe": _number(line.nmbe),
        "sigma": _number(line.sigma),
        "warnings": list(line.warnings),
        "coefficients": [
            {
                "name": name,
                "value": _number(line.coefficient[i]),
                "standard_error": _number(line.standard_error[i]),
                "t": _number(line.t[i]),
                "p": _number(line.p[i]),
                "significant": bool(line.p[i] < SIGNIFICANT),
                "low": None if i == 0 else _number(line.low[i - 1]),
                "high": None if i == 0 else _number(line.high[i - 1]),
            }
            for i, name in enumerate(("base_load", *of.variables))
        ],
    }


def _table(
    conn: Connection,
    subject: Subject,
    of: StoredBaseline,
    first: date,
    last: date,
    known_on: datetime | None,
    minimum: float,
    now: datetime | None,
) -> tuple[Float64, Float64]:
    """Give energy (months,) and variables (months, k); NaN is unknown."""
    book = load_book(conn, subject.park, first, last, known_on, now=now)
    due = now or datetime.now(UTC)
    due = min(due, known_on) if known_on else due
    energy = _energy(book, subject, of.figure, due, minimum, known_on)
    rows = stored.drivers(conn, _ids(subject), first, last, known_on)
    months = _between(first, last)
    columns = [_column(rows, each, months) for each in of.variables]
    return energy, np.array(columns).T


def _energy(
    book: Book,
    subject: Subject,
    figure: str,
    due: datetime,
    minimum: float,
    known_on: datetime | None,
) -> Float64:
    row = book.row(subject.enterprise)
    record = Record(
        subject=subject,
        years=range(book.months[0].year, book.months[-1].year + 1),
        metered=book,
        history=(),
        known_on=known_on,
        now=due,
        minimum_coverage=minimum,
    )
    if figure in QUANTITIES:
        if figure not in book.amounts:
            return np.full(len(book.months), np.nan)
        good = np.nan_to_num(book.coverage(figure)[row]) >= minimum
        return np.where(good & over(record), book.amounts[figure][row], np.nan)
    total = book.coal[figure].total[row]
    return np.where(complete(record, row, total), total, np.nan)


def _column(rows: Sequence[Driver], name: str, months: Sequence[date]) -> Float64:
    """Give a driver by months; degree days come from each day's temperature, if not stated."""
    found = np.full(len(months), np.nan)
    stated = [each for each in rows if each.name == name and each.grain == "month"]
    units = sorted({each.unit for each in stated})
    if len(units) > 1:
        raise Invalid(
            f"{name} is stated in {' and '.join(units)}; state it in one unit"
        )
    for each in stated:
        if each.value is not None:
            found[months.index(each.first)] = each.value
    match = DEGREE_DAYS.match(name)
    if match is None:
        return found
    days = {
        each.first: each.value
        for each in rows
        if each.name == TEMPERATURE and each.grain == "day"
    }
    kind, base = match[1], match[2]
    for i, month in enumerate(months):
        if math.isnan(found[i]):
            length = monthrange(month.year, month.month)[1]
            daily = [days.get(month.replace(day=n + 1)) for n in range(length)]
            mean = np.array([math.nan if t is None else t for t in daily])
            found[i] = _degree_days(kind, base, mean)
    return found


def _degree_days(kind: str, base: str | None, mean_c: Float64) -> float:
    """Add up a month's degree days; NaN where a day is unknown."""
    given = [] if base is None else [float(base)]
    if kind == "heating":
        return float(kernel.heating_degree_days(mean_c, *given).sum())
    return float(kernel.cooling_degree_days(mean_c, *given).sum())


def _number(value: Any) -> float | None:
    figure = float(value)
    return figure if math.isfinite(figure) else None
