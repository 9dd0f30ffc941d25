"""Energy baseline: what would have been used, and what was saved against it.

A line through production, degree days and the like, with the figures that tell whether it
may be trusted. A baseline that may not says so; it is still shown.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics import student

Float64 = NDArray[np.float64]

HEATING_BASE_C = 18.0
COOLING_BASE_C = 26.0

TOO_FEW = 10  # periods: below, nothing should rest on the line
FEW = 12  # a year of months
LEAST_R2 = 0.75
NO_FIT = "no_fit"
TOO_FEW_PERIODS = "too_few_periods"
FEW_PERIODS = "few_periods"
LOW_R2 = "low_r2"
OUTSIDE_RANGE = "outside_range"
WARNING_NAMES = (NO_FIT, TOO_FEW_PERIODS, FEW_PERIODS, LOW_R2, OUTSIDE_RANGE)

# tabular CUSUM, Montgomery, Introduction to statistical quality control, chapter 9
SLACK = 0.5  # standard deviations that are not counted
LIMIT = 5.0  # standard deviations


class Baseline(NamedTuple):
    """A fitted line; the first coefficient is the base load."""

    coefficient: Float64  # shape (variables + 1,) [energy], [energy per variable]
    standard_error: Float64  # 〃
    t: Float64
    p: Float64  # two-sided, Student's t with n - variables - 1 degrees
    n: int  # periods fitted
    r2: float  # NaN where the energy never changed
    cv_rmse: float  # of the mean energy
    nmbe: float  # 〃; 0 for any line with a base load, but for rounding
    sigma: float  # standard deviation of what the line leaves [energy]
    low: Float64  # range of each variable in the baseline, shape (variables,)
    high: Float64
    warnings: tuple[str, ...]  # of WARNING_NAMES


class Savings(NamedTuple):
    """A later period against the baseline, each of shape (n,)."""

    expected: Float64  # by the line [energy]
    saved: Float64  # expected less used
    outside: NDArray[np.bool_]  # a variable is outside what the baseline has seen
    warnings: tuple[str, ...]


class Cusum(NamedTuple):
    """Savings added up, each of shape (n,) [energy], and the limits of chance."""

    total: Float64  # Σ saved
    upper: Float64  # what is saved beyond the slack, since it last was zero
    lower: Float64  # what is lost beyond it, not above zero
    limit: float  # ± of upper and lower
    saves: NDArray[np.bool_]  # upper is beyond the limit
    loses: NDArray[np.bool_]  # lower is


def heating_degree_days(mean_c: ArrayLike, base_c: float = HEATING_BASE_C) -> Float64:
    """Give heating degree days from daily mean temperatures.

    Parameters
    ----------
    mean_c
        Mean temperature of each day [°C], any shape.
    base_c
        Below this it is heated [°C].

    Returns
    -------
    NDArray[np.float64]
        max(0, base - mean) of each day [K·d]; NaN stays NaN. Sum over the days.

    Notes
    -----
    HDD18, as in JGJ 26-2018 and GB 50176-2016.
    """
    return np.maximum(0.0, base_c - np.asarray(mean_c, np.float64))


def cooling_degree_days(mean_c: ArrayLike, base_c: float = COOLING_BASE_C) -> Float64:
    """Give cooling degree days from daily mean temperatures.

    Parameters
    ----------
    mean_c
        Mean temperature of each day [°C], any shape.
    base_c
        Above this it is cooled [°C].

    Returns
    -------
    NDArray[np.float64]
        max(0, mean - base) of each day [K·d]; NaN stays NaN. Sum over the days.

    Notes
    -----
    CDD26, as in JGJ 26-2018 and GB 50176-2016.
    """
    return np.maximum(0.0, np.asarray(mean_c, np.float64) - base_c)


def fit(energy: ArrayLike, variables: ArrayLike) -> Baseline:
    """Fit energy as a base load and a part for each variable.

    Parameters
    ----------
    energy
        Use per period (month, week or day), shape (n,) [any energy unit].
    variables
        Production, degree days and the like per period, shape (n, k). A period of which
        anything is unknown is left out.

    Returns
    -------
    Baseline
        With warnings: *no_fit* where there are not more periods than coefficients, or the
        variables move together or never, and then NaN; *too_few_periods* below 10 and
        *few_periods* below 12; *low_r2* below 0.75.

    Notes
    -----
    Ordinary least squares. ISO 50006:2014 (now 2023) asks for statistical tests without
    numbers; R² of 0.75 is common practice (for instance IPMVP). σ² = Σ(y - ŷ)² / (n - p)
    with p coefficients, CV(RMSE) = σ / ȳ, NMBE = Σ(y - ŷ) / ((n - p) ȳ): ASHRAE
    Guideline 14-2014, 5.2.11.
    """
    y, x = np.asarray(energy, np.float64), np.asarray(variables, np.float64)
    known = ~np.isnan(y) & ~np.isnan(x).any(axis=1)
    y, x = y[known], x[known]
    n, k = x.shape
    freedom = n - k - 1
    low, high = np.full((2, k), np.nan)
    if n:
        low, high = x.min(axis=0), x.max(axis=0)
    counted = (TOO_FEW_PERIODS,) if n < TOO_FEW else (FEW_PERIODS,) if n < FEW else ()
    found = _solved(y, x) if freedom > 0 else None
    if found is None:
        nothing = np.full(k + 1, np.nan)
        none = (nothing, nothing.copy(), nothing.copy(), nothing.copy())
        bad = (math.nan,) * 4
        return Baseline(*none, n, *bad, low, high, (NO_FIT, *counted))
    coefficient, inverse = found
    rest = y - coefficient[0] - x @ coefficient[1:]
    squares = float(rest @ rest)
    mean = float(y.mean())
    spread = float(((y - mean) ** 2).sum())
    if spread <= n * (1e-12 * mean) ** 2:  # constant but for rounding
        squares = spread = 0.0
    sigma = math.sqrt(squares / freedom)
    r2 = 1 - squares / spread if spread > 0 else math.nan
    error = sigma * inverse
    t = np.full(k + 1, np.nan)
    np.divide(coefficient, error, out=t, where=error > 0)
    return Baseline(
        coefficient,
        error,
        t,
        np.array([student.two_sided_p(each, freedom) for each in t.tolist()]),
        n,
        r2,
        sigma / mean if mean > 0 else math.nan,
        float(rest.sum()) / (freedom * mean) if mean > 0 else math.nan,
        sigma,
        low,
        high,
        counted if r2 >= LEAST_R2 else (*counted, LOW_R2),
    )


def _solved(y: Float64, x: Float64) -> tuple[Float64, Float64] | None:
    """Coefficients, and their standard errors for σ = 1; None where there are none."""
    middle = x.mean(axis=0)
    centred = x - middle
    scale = np.abs(centred).max(axis=0)
    if (scale <= 1e-12 * np.abs(middle)).any() or (scale == 0).any():
        return None
    # centred and scaled, so that tonnes beside kilowatt hours lose no digits
    q, r = np.linalg.qr(centred / scale)
    if np.abs(np.diag(r)).min(initial=np.inf) < 1e-9:
        return None
    back = np.linalg.inv(r)
    slopes = back @ (q.T @ (y - y.mean())) / scale
    covariance = (back @ back.T) / np.outer(scale, scale)
    base = np.array([y.mean() - middle @ slopes])
    base_variance = np.array([1 / y.size + middle @ covariance @ middle])
    variance = np.concatenate([base_variance, np.diag(covariance)])
    return np.concatenate([base, slopes]), np.sqrt(variance)


def savings(baseline: Baseline, energy: ArrayLike, variables: ArrayLike) -> Savings:
    """Compare later periods with what the baseline expects.

    Parameters
    ----------
    baseline
        From :func:`fit`.
    energy, variables
        As there, of the periods to be judged.

    Returns
    -------
    Savings
        s = ŷ - y, positive where less was used; NaN where anything is unknown. The
        baseline's warnings, with *outside_range* where any period is outside.

    Notes
    -----
    Avoided energy use, ISO 50006 and IPMVP; a line is not known beyond its range.
    """
    y, x = np.asarray(energy, np.float64), np.asarray(variables, np.float64)
    expected = baseline.coefficient[0] + x @ baseline.coefficient[1:]
    outside = np.any((x < baseline.low) | (x > baseline.high), axis=1)
    beyond = (OUTSIDE_RANGE,) if outside.any() else ()
    return Savings(expected, expected - y, outside, (*baseline.warnings, *beyond))


def cusum(
    saved: ArrayLike, sigma: float, *, slack: float = SLACK, limit: float = LIMIT
) -> Cusum:
    """Add up savings and tell when they are more than chance.

    Parameters
    ----------
    saved
        Savings per period, shape (n,) [energy]; NaN is unknown.
    sigma
        Standard deviation of what the baseline leaves [energy].
    slack, limit
        k and h [σ].

    Returns
    -------
    Cusum
        After an unknown period the total and both sides are unknown: what it held is
        missing in all that follows. Begin anew behind it.

    Notes
    -----
    upper_t = max(0, upper_{t-1} + s_t - k·σ), lower_t = min(0, lower_{t-1} + s_t + k·σ),
    signal beyond ±h·σ: tabular CUSUM, Page (1954), doi 10.1093/biomet/41.1-2.100; k = 0.5
    and h = 5 find a shift of one σ in about 10 periods and alarm falsely about once in
    465 (Montgomery, chapter 9). The plain total has no such limits: it wanders.
    """
    s = np.asarray(saved, np.float64)
    upper, lower = np.empty(s.size), np.empty(s.size)
    up = down = 0.0
    for t, each in enumerate(s.tolist()):
        step = each - slack * sigma, each + slack * sigma
        up = float(np.maximum(0.0, up + step[0]))  # keeps NaN
        down = float(np.minimum(0.0, down + step[1]))
        upper[t], lower[t] = up, down
    bound = limit * sigma
    return Cusum(np.cumsum(s), upper, lower, bound, upper > bound, lower < -bound)
