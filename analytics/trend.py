"""Trend: does a series fall, has it peaked, and did carbon part from added value.

Series stand in the last axis, one year (or month) after the other without holes; NaN is
unknown. Every state comes with a reason, as an index into the names below.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intensity import ratio

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

SIGNIFICANT = 0.05
PLATEAU_BAND = 0.05  # of the maximum
PLATEAU_YEARS = 3  # after the maximum
CONFIRMING_YEARS = 5  # 〃; four falling ones have p = 0.0894
FEWEST_YEARS = 3  # with fewer the maximum is always one of the last two
ROUNDING = 1e-12  # of the maximum; a smaller slope is none; ours

UNKNOWN, RISING, PLATEAU, DECLINING_UNCONFIRMED, PEAKED = range(5)
STATE_NAMES = ("unknown", "rising", "plateau", "declining-unconfirmed", "peaked")

(
    TOO_FEW_YEARS,
    GAP,
    NOT_POSITIVE,
    RECENT_MAXIMUM,
    RISING_AGAIN,
    WITHIN_BAND,
    LEVEL_BELOW_PEAK,
    TOO_FEW_YEARS_AFTER,
    NOT_SIGNIFICANT,
    SIGNIFICANT_DECLINE,
) = range(10)
REASON_NAMES = (
    "too_few_years",  # known ones
    "gap",  # a year after the first known one is unknown
    "not_positive",  # the maximum is not above zero
    "recent_maximum",  # it is one of the last two years
    "rising_again",  # after the maximum, Sen slope above zero
    "within_band",  # three years and more stay within 5 % of the maximum, no trend
    "level_below_peak",  # lower than the maximum, but not falling
    "too_few_years_after",  # falling, but fewer than five years
    "not_significant",  # falling, p at or above 0.05
    "significant_decline",
)

(
    COUPLING_UNKNOWN,
    STRONG_DECOUPLING,
    WEAK_DECOUPLING,
    EXPANSIVE_COUPLING,
    EXPANSIVE_NEGATIVE_DECOUPLING,
    RECESSIVE_DECOUPLING,
    RECESSIVE_COUPLING,
    WEAK_NEGATIVE_DECOUPLING,
    STRONG_NEGATIVE_DECOUPLING,
) = range(9)
COUPLING_NAMES = (
    "unknown",
    "strong decoupling",
    "weak decoupling",
    "expansive coupling",
    "expansive negative decoupling",
    "recessive decoupling",
    "recessive coupling",
    "weak negative decoupling",
    "strong negative decoupling",
)


class MannKendall(NamedTuple):
    """Test for a monotonic trend, each of the shape of the series without the last axis."""

    n: Int64  # known values
    s: Float64
    variance: Float64
    z: Float64
    p: Float64  # two-sided
    slope: Float64  # Sen, units per step


class Peak(NamedTuple):
    """Where a series stands on its way over the peak, each of shape (…)."""

    state: Int64  # of STATE_NAMES
    reason: Int64  # of REASON_NAMES
    year: (
        Int64  # index of the maximum, the last of equals; -1 where the state is unknown
    )
    years_after: Int64  # -1 where the state is unknown
    below: Float64  # how far the newest year lies under the maximum, share of it
    p: Float64  # Mann-Kendall over the years after the maximum
    slope: Float64  # Sen, over the same years
    first: NDArray[np.bool_]  # the maximum is the first known year: it may lie before


class Decoupling(NamedTuple):
    """Tapio's elasticity and its state, an index into COUPLING_NAMES."""

    elasticity: Float64
    state: Int64


def mann_kendall(series: ArrayLike) -> MannKendall:
    """Test series for a monotonic trend, with the slope of Sen.

    Parameters
    ----------
    series
        Shape (…, n), any unit, equal steps; unknown values are left out.

    Returns
    -------
    MannKendall
        NaN with fewer than two known values. Without any trend (s = 0) z is 0 and p 1.

    Notes
    -----
    S = Σ_{i<j} sgn(x_j - x_i); Var = [n(n-1)(2n+5) - Σ t(t-1)(2t+5)] / 18 over groups of
    t equal values; Z = (S ∓ 1) / √Var; p = erfc(|Z| / √2). Mann (1945), doi
    10.2307/1907187; Kendall, Rank correlation methods (1975). Slope: the median of
    (x_j - x_i) / (j - i), Sen (1968), doi 10.1080/01621459.1968.10480934. The normal
    distribution is an approximation; it is used from n = 2 on, as is common.
    """
    x = np.asarray(series, np.float64)
    known = ~np.isnan(x)
    n = known.sum(axis=-1)
    first, second = np.triu_indices(x.shape[-1], 1)
    apart = x[..., second] - x[..., first]
    s = np.where(np.isnan(apart), 0.0, np.sign(apart)).sum(axis=-1)
    same = (x[..., :, None] == x[..., None, :]).sum(axis=-1)  # 0 where unknown
    ties = np.where(known, (same - 1) * (2 * same + 5), 0).sum(axis=-1)
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18.0
    z = np.zeros(s.shape)
    np.divide(s - np.sign(s), np.sqrt(variance), out=z, where=s != 0)
    p = np.vectorize(math.erfc, otypes=[np.float64])(np.abs(z) / math.sqrt(2.0))
    few = n < 2
    told = [np.where(few, np.nan, each) for each in (s, variance, z, p)]
    slope = _median(apart / (second - first))
    return MannKendall._make([np.asarray(n), *told, slope])


def _median(values: Float64) -> Float64:
    """Take the median of the known values of the last axis, without warnings."""
    ordered = np.sort(values, axis=-1)  # NaN goes last
    ordered = np.concatenate([ordered, np.full((*ordered.shape[:-1], 1), np.nan)], -1)
    known = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, known // 2, axis=-1)
    middle: Float64 = np.where(known % 2 == 1, low, (low + high) / 2)[..., 0]
    return middle


def rolling_sums(month: ArrayLike, width: int = 12) -> Float64:
    """Sum the last twelve months at each month.

    Parameters
    ----------
    month
        Amount per month, shape (…, n), any additive unit; NaN is unknown.
    width
        Months in a sum.

    Returns
    -------
    NDArray[np.float64]
        Shape (…, n), labelled by the last month; NaN before `width` months are over and
        where any of them is unknown. Each is summed by itself in the order of time.

    Notes
    -----
    Arithmetic. A rolling intensity is the ratio of two of these, never their mean.
    """
    x = np.asarray(month, np.float64)
    out = np.full(x.shape, np.nan)
    whole = x.shape[-1] - width + 1
    if whole > 0:
        out[..., width - 1 :] = 0.0
        for step in range(width):
            out[..., width - 1 :] += x[..., step : step + whole]
    return out


def median_of_three(year: ArrayLike) -> Float64:
    """Smooth a noisy series by the median of each year and its two neighbours.

    Parameters
    ----------
    year
        Shape (…, n); NaN is unknown and makes its neighbours' medians unknown.

    Returns
    -------
    NDArray[np.float64]
        Shape (…, n); the first and the last year stay as they are.

    Notes
    -----
    Tukey, Exploratory data analysis (1977), running medians of 3. The last year is kept
    so that a new maximum is seen at once.
    """
    smooth = np.array(year, np.float64)
    if smooth.shape[-1] > 2:
        raw = np.array(smooth)
        three = np.stack([raw[..., :-2], raw[..., 1:-1], raw[..., 2:]])
        middle = np.sort(three, axis=0)[1]
        smooth[..., 1:-1] = np.where(np.isnan(three).any(axis=0), np.nan, middle)
    return smooth


def peak_state(
    year: ArrayLike,
    *,
    significant: float = SIGNIFICANT,
    band: float = PLATEAU_BAND,
) -> Peak:
    """Tell whether annual emissions rise, stay level, fall or have peaked.

    Parameters
    ----------
    year
        Emissions of whole years, shape (…, years) [tCO2], up to the newest that is over;
        NaN is unknown. Years before the first known one do not matter.
        Give :func:`median_of_three` of them where they are noisy.
    significant
        Below this p a trend is a trend.
    band
        How far below the maximum a plateau may lie, share of the maximum.

    Returns
    -------
    Peak
        In this order: *unknown* with fewer than 3 known years, a gap, or a maximum not
        above zero; *rising* where the maximum is one of the last two years; *peaked* with
        5 years after it, p below `significant` and a falling slope; *plateau* with 3 years
        after it, all within the band, no significant trend; *declining-unconfirmed* where
        the slope falls, or where the years are lower but level; else *rising* again.

    Notes
    -----
    No official rule for parks was found; the criteria are ours, after the practice of
    Chinese Mann-Kendall studies (Chen et al. 2023, doi 10.16183/j.cnki.jsjtu.2021.524).
    Only the years after the maximum are tested: the maximum is chosen to be the highest,
    so every pair with it falls and would make a decline out of nothing. A new maximum,
    or an equal one, starts again: the maximum is the last of equals.
    """
    x = np.asarray(year, np.float64)
    if not x.shape[-1]:
        x = np.full((*x.shape[:-1], 1), np.nan)
    known = ~np.isnan(x)
    count = known.sum(axis=-1)
    years = x.shape[-1]
    place = np.arange(years)
    begin = np.argmax(known, axis=-1)
    filled = np.where(known, x, -np.inf)
    top = years - 1 - np.argmax(filled[..., ::-1], axis=-1)
    highest = np.take_along_axis(x, top[..., None], axis=-1)[..., 0]
    after = years - 1 - top
    later = np.where(place > top[..., None], x, np.nan)
    test = mann_kendall(later)
    within = np.where(np.isnan(later), True, later >= (1 - band) * highest[..., None])
    level = within.all(axis=-1) & ~(test.p < significant) & (after >= PLATEAU_YEARS)
    # two pairs that cancel leave a slope of rounding, which is none
    slope = np.where(np.abs(test.slope) <= ROUNDING * highest, 0.0, test.slope)
    falls = slope < 0
    confirmed = falls & (test.p < significant) & (after >= CONFIRMING_YEARS)
    reason = np.select(
        [
            count < FEWEST_YEARS,
            count != years - begin,
            ~(highest > 0),
            after < 2,
            confirmed,
            level,
            falls & (after < CONFIRMING_YEARS),
            falls,
            slope > 0,
        ],
        [
            TOO_FEW_YEARS,
            GAP,
            NOT_POSITIVE,
            RECENT_MAXIMUM,
            SIGNIFICANT_DECLINE,
            WITHIN_BAND,
            TOO_FEW_YEARS_AFTER,
            NOT_SIGNIFICANT,
            RISING_AGAIN,
        ],
        LEVEL_BELOW_PEAK,
    ).astype(np.int64)
    state = np.array(_STATE_OF)[reason]
    told = state != UNKNOWN
    below = np.where(told, 1 - ratio(x[..., -1], highest), np.nan)
    return Peak(
        state,
        reason,
        np.where(told, top, -1),
        np.where(told, after, -1),
        below,
        np.where(told, test.p, np.nan),
        np.where(told, test.slope, np.nan),
        told & (top == begin),
    )


_STATE_OF = (
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    RISING,
    RISING,
    PLATEAU,
    DECLINING_UNCONFIRMED,
    DECLINING_UNCONFIRMED,
    DECLINING_UNCONFIRMED,
    PEAKED,
)


def decoupling(
    carbon_before: ArrayLike,
    carbon_after: ArrayLike,
    value_before: ArrayLike,
    value_after: ArrayLike,
) -> Decoupling:
    """Tell how emissions moved against added value between two periods.

    Parameters
    ----------
    carbon_before, carbon_after
        Emissions [tCO2]; they broadcast with the rest.
    value_before, value_after
        Added value [10⁴ CNY] at comparable prices.

    Returns
    -------
    Decoupling
        Unknown (NaN) where anything is, where the value did not change, or where a value
        before is not above zero. Emissions that did not change count as not falling:
        weak decoupling, or weak negative decoupling.

    Notes
    -----
    e = (ΔC / C0) / (ΔV / V0), bounds 0, 0.8 and 1.2: Tapio (2005), doi
    10.1016/j.tranpol.2005.01.001. 0.8 and 1.2 themselves count as coupling.
    """
    c0, c1, v0, v1 = np.broadcast_arrays(
        *(
            np.asarray(each, np.float64)
            for each in (carbon_before, carbon_after, value_before, value_after)
        )
    )
    carbon, value = ratio(c1 - c0, c0), ratio(v1 - v0, v0)
    e = np.full(carbon.shape, np.nan)
    np.divide(carbon, value, out=e, where=value != 0)
    grows, more = value > 0, carbon > 0
    state = np.select(
        [
            np.isnan(e),
            grows & (carbon < 0),
            grows & (e < 0.8),
            grows & (e <= 1.2),
            grows,
            more,
            e < 0.8,
            e <= 1.2,
        ],
        [
            COUPLING_UNKNOWN,
            STRONG_DECOUPLING,
            WEAK_DECOUPLING,
            EXPANSIVE_COUPLING,
            EXPANSIVE_NEGATIVE_DECOUPLING,
            STRONG_NEGATIVE_DECOUPLING,
            WEAK_NEGATIVE_DECOUPLING,
            RECESSIVE_COUPLING,
        ],
        RECESSIVE_DECOUPLING,
    ).astype(np.int64)
    return Decoupling(e, state)
