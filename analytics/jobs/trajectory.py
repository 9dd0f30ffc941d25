"""The way over the peak: years, rolling twelve months, state, and decoupling."""

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics import trend
from analytics.jobs import methods, yearly
from analytics.jobs.methods import Method
from analytics.jobs.telling import UNIT
from analytics.jobs.yearly import Record, Year
from store import registry
from store.database import Connection
from store.errors import Invalid
from store.history import history
from store.records import Subject

Float64 = NDArray[np.float64]


def trajectory(
    conn: Connection,
    subject: Subject,
    *,
    names: Sequence[str] = (),
    first: int | None = None,
    last: int | None = None,
    smooth: bool = False,
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Tell how the years of a park or an enterprise go, by method.

    Parameters
    ----------
    names
        Methods of CO2 or energy; none: those of CO2 that are shown where room is short.
    first, last
        Years, both included; None: all of which anything is known.
    smooth
        Judge the median of each year and its neighbours, for noisy series.

    Raises
    ------
    Invalid
        For an unknown method, or when nothing is known.
    """
    chosen = _chosen(names)
    record = yearly.load(
        conn,
        subject,
        first=first,
        last=last,
        known_on=known_on,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    return of_record(conn, record, chosen, smooth=smooth)


def of_record(
    conn: Connection,
    record: Record,
    chosen: Sequence[Method],
    *,
    smooth: bool = False,
) -> dict[str, Any]:
    """Tell how the years of a record go, by method."""
    subject, known_on = record.subject, record.known_on
    base, values = _values(conn, subject, record.years, known_on)
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "as_known_on": known_on.isoformat() if known_on else None,
        "minimum_coverage": record.minimum_coverage,
        "price_base": base,
        "added_value": [
            {"year": year, "comparable_10k_cny": _number(value)}
            for year, value in zip(record.years, values.tolist(), strict=True)
        ],
        "series": [_series(record, each, values, smooth) for each in chosen],
    }


def _chosen(names: Sequence[str]) -> list[Method]:
    shipped = methods.shipped()
    known = [each.name for each in shipped]
    for name in names:
        if name not in known:
            raise Invalid(f"method {name[:70]!r} is none of {', '.join(known)}")
    if names:
        return [each for each in shipped if each.name in names]
    return [each for each in shipped if each.kind == "co2" and each.summary]


def _values(
    conn: Connection, subject: Subject, years: range, known_on: datetime | None
) -> tuple[int | None, Float64]:
    """Give the added value of years at prices of one year; NaN where one lacks it."""
    ids = [subject.subject_id]
    if subject.kind == "park":
        park = subject.park.park_id
        ids = [each.enterprise_id for each in registry.enterprises(conn, park)]
    base = yearly.price_base(conn, ids, years, known_on)
    found = np.full(len(years), np.nan)
    for i, year in enumerate(years):
        each = yearly.added_values(
            conn, ids, year, prices="comparable", base=base, known_on=known_on
        )
        known = [value for value in each if value is not None]
        if each and len(known) == len(each):
            found[i] = math.fsum(known)
    return base, found


def _series(
    record: Record, method: Method, values: Float64, smooth: bool
) -> dict[str, Any]:
    years = yearly.years(record, method.name)
    monthly = yearly.months(record, method.name)
    rolling = trend.rolling_sums(monthly.value_t)
    return {
        "method": method.name,
        "kind": method.kind,
        "title": method.title,
        "title_zh": method.title_zh,
        "unit": UNIT[method.kind] + ("e" if method.gases == "co2e" else ""),
        "years": [_year(each) for each in years],
        "rolling": [
            {
                "month": f"{month:%Y-%m}",
                "value_t": _number(value),
                "month_t": _number(single),
                "metered": bool(metered),
            }
            for month, value, single, metered in zip(
                monthly.months,
                rolling.tolist(),
                monthly.value_t.tolist(),
                monthly.metered.tolist(),
                strict=True,
            )
            if not math.isnan(single) or not math.isnan(value)
        ],
        "state": state(years, running=_running(record), smooth=smooth),
        "decoupling": decoupling(years, values),
    }


def _year(of: Year) -> dict[str, Any]:
    past, metered = of.stated, of.metered_enterprises
    both = past is not None and of.metered_t is not None
    told: dict[str, Any] = {
        "year": of.year,
        "value_t": of.value_t,
        "rule": of.rule,
        "decides": of.decides,
        "metered_t": of.metered_t,
        "months_t": of.months_t,
        "stated_t": None if past is None else past.amount_t,
        "stated_stage": None if past is None else past.stage,
        "stated_source": None if past is None else past.source,
        "history_id": None if past is None else past.history_id,
        "difference_t": None,
        "months_complete": of.months_complete,
        "months_over": of.months_over,
        "coverage": of.coverage,
        "fewest_enterprises": None if metered is None else metered[0],
        "most_enterprises": None if metered is None else metered[1],
    }
    if both and past is not None and past.amount_t is not None:
        told["difference_t"] = (of.metered_t or 0.0) - past.amount_t
    return told


def _running(record: Record) -> int:
    return record.now.astimezone(ZoneInfo(record.subject.park.zone)).year


def state(
    years: Sequence[Year], *, running: int, smooth: bool = False
) -> dict[str, Any]:
    """Judge where decided years stand, with the reason and its numbers.

    Notes
    -----
    The year that runs is left out; one that is over and undecided, between decided years
    or after them, is a gap and makes the state unknown: it would be that of another time.
    All that are undecided are named.
    """
    decided = [i for i, each in enumerate(years) if each.decides]
    begin, last = (decided[0], decided[-1]) if decided else (0, -1)
    inner = [
        each
        for i, each in enumerate(years)
        if begin <= i and (i <= last or each.year < running) and decided
    ]
    raw = np.array(
        [
            each.value_t if each.decides and each.value_t is not None else np.nan
            for each in inner
        ],
        np.float64,
    )
    series = trend.median_of_three(raw) if smooth else raw
    peak = trend.peak_state(series)
    top = int(peak.year)
    after = series[top + 1 :] if top >= 0 else series[:0]
    return {
        "state": trend.STATE_NAMES[int(peak.state)],
        "reason": trend.REASON_NAMES[int(peak.reason)],
        "smoothed": smooth,
        "from": inner[0].year if inner else None,
        "to": years[last].year if inner else None,
        "undecided": [each.year for each in years if not each.decides],
        "peak_year": inner[top].year if top >= 0 else None,
        "peak_t": float(series[top]) if top >= 0 else None,
        "peak_is_first_known": bool(peak.first),
        "years_after": int(peak.years_after) if top >= 0 else None,
        "below_peak": _number(peak.below),
        "whole": tested(series),
        "after_peak": tested(after),
    }


def tested(series: Float64) -> dict[str, Any]:
    """Give the trend of a series with all its numbers; see trend.mann_kendall."""
    found = trend.mann_kendall(series)
    return {
        "n": int(found.n),
        "s": _number(found.s),
        "variance": _number(found.variance),
        "z": _number(found.z),
        "p": _number(found.p),
        "sen_slope_t_per_year": _number(found.slope),
    }


def decoupling(years: Sequence[Year], values: Float64) -> list[dict[str, Any]]:
    """Give Tapio's elasticity of each two consecutive decided years."""
    carbon = np.array(
        [e.value_t if e.decides and e.value_t is not None else np.nan for e in years],
        np.float64,
    )
    found = trend.decoupling(carbon[:-1], carbon[1:], values[:-1], values[1:])
    return [
        {
            "from": years[i].year,
            "to": years[i + 1].year,
            "emissions_change_t": _number(carbon[i + 1] - carbon[i]),
            "added_value_change_10k_cny": _number(values[i + 1] - values[i]),
            "elasticity": _number(found.elasticity[i]),
            "state": trend.COUPLING_NAMES[int(found.state[i])],
        }
        for i in range(len(years) - 1)
    ]


def listed(
    conn: Connection, subject: Subject, known_on: datetime | None = None
) -> list[dict[str, Any]]:
    """List the statements of a subject that count unless meters go first."""
    kinds = {each.name: each.kind for each in methods.shipped()}
    return [
        {
            "history_id": each.history_id,
            "enterprise": subject.enterprise,
            "method": each.method,
            "period": f"{each.period_from:%Y}"
            if each.is_year
            else _month(each.period_from),
            "amount_t": each.amount_t,
            "unit": UNIT[kinds.get(each.method, "co2")],
            "stage": each.stage,
            "source": each.source,
            "who": each.who,
            "recorded_at": each.recorded_at,
        }
        for each in history(conn, subject.subject_id, known_on)
    ]


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _number(value: Any) -> float | None:
    figure = float(value)
    return figure if math.isfinite(figure) else None
