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
    amount: NDArray[np.float64], *, steps: int = 15, step_s: float = 60.0
) -> NDArray[np.float64]:
    """Mean power of the windows that begin at each step.

    Parameters
    ----------
    amount
        Energy per step, shape (…, n) [kWh]; NaN is unknown.
    steps
        Steps in a window.
    step_s
        Length of a step [s].

    Returns
    -------
    NDArray[np.float64]
        Shape (…, n - steps + 1) [kW]; NaN where any step of the window is unknown.

    Notes
    -----
    Demand period 15 min and slip time 1 min as in DL/T 645-2007 meters (parameters
    04000103, 04000104). Each window is summed by itself, in the order of time: the same
    steps give the same bits whatever surrounds them.
    """
    windows = max(amount.shape[-1] - steps + 1, 0)
    energy = np.zeros((*amount.shape[:-1], windows))
    for step in range(steps):
        energy += amount[..., step : step + windows]
    return energy * (3600.0 / (steps * step_s))


def sliding_peaks(
    key: NDArray[np.int64],
    step: NDArray[np.int64],
    amount: NDArray[np.float64],
    *,
    steps: int = 15,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Highest sliding demand of each quarter hour, of many keys at once.

    Parameters
    ----------
    key, step, amount
        Known minutes, shape (n,), ordered by (key, step): whose, which minute counted
        from a full hour, and its energy [kWh].
    steps
        Minutes of a window.

    Returns
    -------
    first
        Index of the first minute of each quarter, shape (m,). Only quarters that are
        known, with the time after them: all 15 windows that begin in them.
    kw
        Highest mean power of these windows, shape (m,) [kW].
    after
        Minutes from the quarter's start to the window's, the first of equals.
    """
    reach = 13 + steps  # from the first minute to the last one of the last window
    first = np.flatnonzero(step[: max(step.size - reach, 0)] % 15 == 0)
    last = first + reach
    first = first[(key[last] == key[first]) & (step[last] - step[first] == reach)]
    windows = sliding(amount, steps=steps)[first[:, None] + np.arange(15)]
    after = np.argmax(windows, axis=1)
    return first, windows[np.arange(first.size), after], after


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
