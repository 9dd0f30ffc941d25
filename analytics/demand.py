"""Demand: mean power over a window, its peak, and how evenly it is used.

The peak of a park is the peak of the sum of its meters, never the sum of their peaks.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intensity import ratio


def fixed(amount: NDArray[np.float64], window_s: float = 900.0) -> NDArray[np.float64]:
    """Mean power of each window from its energy.

    Parameters
    ----------
    amount
        Energy per window, shape (…, n) [kWh].
    window_s
        Length of the windows [s].

    Returns
    -------
    NDArray[np.float64]
        Shape (…, n) [kW]; NaN stays NaN.

    Notes
    -----
    P = E / t. The highest of fixed windows is a lower bound of the sliding maximum.
    """
    return amount * (3600.0 / window_s)


def sliding(
    at_s: NDArray[np.int64] | NDArray[np.float64],
    register: NDArray[np.float64],
    start_s: int,
    stop_s: int,
    *,
    window_s: int = 900,
    step_s: int = 60,
    cadence_s: float | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sliding demand of one meter from its cumulative register.

    Parameters
    ----------
    at_s
        Times of the readings, shape (n,) [s since 1970 UTC], strictly rising.
    register
        Continuous register (rollover and replacement removed) × multiplier, shape (n,)
        [kWh]; a NaN reading counts as not there.
    start_s, stop_s
        Windows that begin in [start_s, stop_s) are given; the last of them end up to
        `window_s` later.
    window_s, step_s
        Length of a window and the step between windows [s].
    cadence_s
        The longest interval between readings that a window may touch [s]; default two
        steps.

    Returns
    -------
    start
        Window starts, shape (m,) [s], whole multiples of `step_s`.
    kw
        Mean power, shape (m,) [kW]; NaN where the readings do not reach over the window
        or one of their intervals in it is longer than `cadence_s`.

    Notes
    -----
    Demand period 15 min and slip time 1 min as in DL/T 645-2007 meters (parameters
    04000103, 04000104). Between two readings the register is taken as a straight line;
    the bound on their distance is ours.
    """
    first = -(-start_s // step_s)
    start = np.arange(first, -(-stop_s // step_s), dtype=np.int64) * step_s
    kw = np.full(start.size, np.nan)
    there = ~np.isnan(register)
    at, value = at_s[there], register[there]
    if at.size < 2:
        return start, kw
    bound = 2 * step_s if cadence_s is None else cadence_s
    long_before = np.concatenate(([0], np.cumsum(np.diff(at) > bound)))
    inside = np.flatnonzero((start >= at[0]) & (start + window_s <= at[-1]))
    begin = start[inside]
    end = begin + window_s
    # the readings at or before the window's start and at or after its end
    left = np.searchsorted(at, begin, "right") - 1
    right = np.searchsorted(at, end, "left")
    known = long_before[left] == long_before[right]
    used = np.interp(end, at, value) - np.interp(begin, at, value)
    kw[inside] = np.where(known, used * (3600.0 / window_s), np.nan)
    return start, kw


def peak(
    kw: NDArray[np.float64],
    covered: NDArray[np.float64] | None = None,
    minimum_coverage: float = 0.95,
) -> int | None:
    """Find the window of the highest demand, the first of equals.

    Parameters
    ----------
    kw
        Mean power per window, shape (n,) [kW]; NaN is passed over.
    covered
        Share of each window that is known, shape (n,), 0 … 1; None: all of it.
    minimum_coverage
        Windows known less than this are passed over: their peak would be a guess.

    Returns
    -------
    int or None
        Index of the window; None where none is left.
    """
    usable = ~np.isnan(kw)
    if covered is not None:
        usable &= covered >= minimum_coverage
    if not usable.any():
        return None
    return int(np.argmax(np.where(usable, kw, -np.inf)))


def load_factor(kw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over maximum of demand, both of the same window length (负荷率).

    Parameters
    ----------
    kw
        Mean power per window, shape (…, n) [kW]; NaN is left out of both.

    Returns
    -------
    NDArray[np.float64]
        Shape (…), at most 1; NaN where nothing is known or the maximum is not above 0.
    """
    known = ~np.isnan(kw)
    total = np.where(known, kw, 0.0).sum(axis=-1)
    highest = np.where(known, kw, -np.inf).max(axis=-1, initial=-np.inf)
    mean = ratio(total, known.sum(axis=-1))
    return ratio(mean, highest)


def coincidence(
    sum_kw_peak: ArrayLike, own_peaks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Peak of the sum over the sum of the peaks (同时率); its inverse is diversity.

    Parameters
    ----------
    sum_kw_peak
        Highest demand of all together, shape (…) [kW].
    own_peaks
        Highest demand of each for itself, shape (…, parts) [kW].

    Returns
    -------
    NDArray[np.float64]
        Shape (…), at most 1 where no part is negative; NaN where a peak is unknown or
        their sum is not above 0.
    """
    return ratio(sum_kw_peak, own_peaks.sum(axis=-1))


def power_factor(active: ArrayLike, reactive: ArrayLike) -> NDArray[np.float64]:
    """Give the mean power factor of a period from its energies.

    Parameters
    ----------
    active, reactive
        Active [kWh] and reactive [kvarh] energy of the period; they broadcast.

    Returns
    -------
    NDArray[np.float64]
        P/√(P²+Q²), -1 … 1, not rounded; NaN where both are 0 or one is unknown.

    Notes
    -----
    (83)水电财字第215号: monthly cos φ from the month's energies, not a mean of readings.
    """
    return ratio(active, np.hypot(active, reactive))
