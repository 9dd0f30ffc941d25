"""Budgets of a year: the pace, the use so far, where the year will end and when it is spent.

A budget is any yearly limit of an additive amount: energy [tce], carbon [tCO2], water
[m³]. Months are those of one local year, January first; only whole months are looked at.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics import student
from analytics.intensity import ratio

Float64 = NDArray[np.float64]

BAND = (0.1, 0.9)
YEARS_FOR_BAND = 3  # with two, a band of 10-90 % would be 3.8 standard deviations wide

NOT_BEGUN, UNKNOWN_MONTH, NOTHING_USED, UNIFORM, HISTORY, HISTORY_BAND = range(6)
METHOD_NAMES = (
    "not_begun",  # no month is over
    "unknown_month",  # one that is over is not known
    "nothing_used",  # so far: no rate to go on with
    "uniform",  # no earlier year: goes on at the mean of the days so far
    "history",  # by the months of one or two earlier years, no band
    "history_band",  # by those of three and more
)


class Outlook(NamedTuple):
    """How a year goes; series are cumulative at the ends of its months, shape (12,)."""

    months: int  # that are over
    used: float  # in these; NaN where one is unknown
    left: float  # of the limit; negative where it is exceeded
    ahead: float  # used less the pace; above zero is too fast
    pace: Float64
    path: Float64  # used, then expected; the last is the year's end
    low: Float64  # 10 % lie below; NaN without a band
    high: Float64  # 90 % lie below
    spent: (
        float  # months from the year's begin until the limit is reached; NaN: not in it
    )
    spent_early: float  # 〃 by the high edge of the band
    spent_late: float  # 〃 by the low edge
    method: int  # of METHOD_NAMES


def days_of_months(year: int) -> Float64:
    """Give the days of the twelve months of a year.

    Parameters
    ----------
    year
        Of the Gregorian calendar.

    Returns
    -------
    NDArray[np.float64]
        Shape (12,) [d].
    """
    starts = np.arange(f"{year:04}-01", f"{year + 1:04}-02", dtype="datetime64[M]")
    return np.diff(starts.astype("datetime64[D]")).astype(np.float64)


def profile(history: ArrayLike) -> Float64:
    """Give the share of each month in a year, from earlier years.

    Parameters
    ----------
    history
        Amounts, shape (years, 12); a year with an unknown month is left out.

    Returns
    -------
    NDArray[np.float64]
        Shape (12,), adds up to 1: the sum of each month over the sum of the years, a
        ratio of sums. NaN without a whole year or where the sum is not above zero.
    """
    table = np.asarray(history, np.float64).reshape(-1, 12)
    whole = table[~np.isnan(table).any(axis=1)]
    return ratio(whole.sum(axis=0), whole.sum() if whole.size else np.nan)


def pace(limit: float, weights: ArrayLike) -> Float64:
    """Give the line that spends the budget evenly.

    Parameters
    ----------
    limit
        Of the year.
    weights
        Shape (12,): :func:`days_of_months` for a uniform pace, :func:`profile` for one by
        the months of earlier years.

    Returns
    -------
    NDArray[np.float64]
        Shape (12,): what may have been used by the end of each month; the last is the
        limit.

    Notes
    -----
    Arithmetic.
    """
    share = np.cumsum(np.asarray(weights, np.float64))
    return limit * ratio(share, share[-1])


def outlook(
    limit: float,
    month: ArrayLike,
    months: int,
    weights: ArrayLike,
    days: ArrayLike,
    history: ArrayLike,
) -> Outlook:
    """Tell how a budget goes, from its months so far and from earlier years.

    Parameters
    ----------
    limit
        Of the year, not negative; NaN where none is set: then only the forecast is told.
    month
        Amount of each month, shape (12,); those that are not over do not matter.
    months
        How many are over, 0 … 12.
    weights
        As in :func:`pace`.
    days
        :func:`days_of_months`.
    history
        Amounts of earlier years, shape (years, 12), 0 years or more. A year with an unknown
        or negative month, or with nothing used by this month, is left out.

    Returns
    -------
    Outlook
        `path` is used up to `months` and NaN after it where `method` gives no forecast.

    Raises
    ------
    ValueError
        If the limit is negative or `months` is not 0 … 12.

    Notes
    -----
    Each earlier year tells by which factor its use at the end of a later month exceeded
    that at the end of this month. The path is the use so far times the geometric mean of
    these factors. The band is the prediction interval of one more such factor, exp(m ± t ·
    s · √(1 + 1/n)), with t of Student's distribution at 90 % and n - 1 degrees, as if
    their logarithms were normal and the years alike (Hahn and Meeker, Statistical
    intervals, 1991, 4.7). With few years it is wide, as it should be; below three there is
    none. A band never falls below the use so far. That the growth between years is not
    looked at, as the use so far holds it, is ours.
    """
    if limit < 0 or not 0 <= months <= 12:
        raise ValueError(f"no outlook of limit {limit:g} after {months} months")
    so_far = np.cumsum(np.asarray(month, np.float64)[:months])
    used = float(so_far[-1]) if months else 0.0
    line = pace(limit, weights)
    path, low, high = np.full((3, 12), np.nan)
    path[:months] = so_far
    factors = _factors(history, months)
    method = _method(used, months, factors.shape[0])
    if method == UNIFORM:
        share = np.cumsum(np.asarray(days, np.float64))
        path[months:] = used * share[months:] / share[months - 1]
    elif method in (HISTORY, HISTORY_BAND):
        middle = factors.mean(axis=0)
        path[months:] = used * np.exp(middle)
    if method == HISTORY_BAND:
        n = factors.shape[0]
        reach = student.quantile(BAND[1], n - 1) * math.sqrt(1 + 1 / n)
        reach *= factors.std(axis=0, ddof=1)
        low[:months] = high[:months] = so_far
        low[months:] = used * np.exp(np.maximum.accumulate(middle - reach).clip(0.0))
        high[months:] = used * np.exp(np.maximum.accumulate(middle + reach))
    return Outlook(
        months,
        used,
        limit - used,
        used - (float(line[months - 1]) if months else 0.0),
        line,
        path,
        low,
        high,
        spent(limit, path),
        spent(limit, high),
        spent(limit, low),
        method,
    )


def spent(limit: float, path: ArrayLike) -> float:
    """Tell when a cumulative path reaches a limit.

    Parameters
    ----------
    limit
        Of the year.
    path
        Use by the end of each month, shape (12,), not falling.

    Returns
    -------
    float
        Months from the year's begin, evenly within each: 7.5 is the middle of August.
        NaN where it is not reached in the year, or a month before is unknown.
    """
    edges = np.concatenate([[0.0], np.asarray(path, np.float64)])
    for month in range(12):
        before, after = float(edges[month]), float(edges[month + 1])
        if math.isnan(after) or math.isnan(limit):
            return math.nan
        if after >= limit and after > before:
            return month + max(0.0, (limit - before) / (after - before))
    return math.nan


def day(year: int, position: float) -> np.datetime64 | None:
    """Give the local day of a position in a year.

    Parameters
    ----------
    year
        Of the Gregorian calendar.
    position
        Months from its begin, 0 … 12, as :func:`spent` gives it; NaN is none.

    Returns
    -------
    numpy.datetime64 or None
        The day in which the limit is reached; December 31 for 12.
    """
    if math.isnan(position):
        return None
    month = min(int(position), 11)
    days = days_of_months(year)
    passed = min(int((position - month) * days[month]), int(days[month]) - 1)
    start = np.datetime64(f"{year:04}-{month + 1:02}", "D")
    return start + np.timedelta64(passed, "D")


def _factors(history: ArrayLike, months: int) -> Float64:
    """Logarithms of how much earlier years had grown by the end of each later month."""
    table = np.asarray(history, np.float64).reshape(-1, 12)
    good = (table >= 0).all(axis=1)  # False where unknown
    sums = np.cumsum(table[good], axis=1)
    now = sums[:, months - 1] if months else np.zeros(sums.shape[0])
    return np.log(sums[now > 0, months:] / now[now > 0, None])


def _method(used: float, months: int, years: int) -> int:
    if not months:
        return NOT_BEGUN
    if math.isnan(used):
        return UNKNOWN_MONTH
    if used <= 0:
        return NOTHING_USED
    if not years:
        return UNIFORM
    return HISTORY_BAND if years >= YEARS_FOR_BAND else HISTORY
