"""Benchmarking: monthly added value from an indicator and the quarters and years known.

What comes out is an estimate, whatever it rests on: each month says so. Comparable prices
are chained from volume indices below.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intensity import ratio

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

TOLERANCE = 1e-6  # of a benchmark: how exactly quarters must add up to their year

UNKNOWN, BENCHMARKED, EXTRAPOLATED = range(3)
STATE_NAMES = ("unknown", "benchmarked", "extrapolated")


class Benchmarks(NamedTuple):
    """Known sums over months, quarters and years in any mixture, each of shape (k,)."""

    first: Int64  # first month of each, counted as in the indicator
    stop: Int64  # the month after its last
    total: Float64  # [10⁴ CNY]; NaN is not yet known


class Monthly(NamedTuple):
    """Estimated months, each of shape (months,)."""

    value: Float64  # unit of the benchmarks; NaN is unknown
    ratio: Float64  # value per indicator
    state: Int64  # an index into STATE_NAMES


class _Groups(NamedTuple):
    """Benchmarks less what shorter ones say: no month belongs to two."""

    of_month: Int64  # -1: of none
    total: Float64


def pro_rata(indicator: ArrayLike, benchmarks: Benchmarks) -> Monthly:
    """Give each month its share of the benchmark by the indicator.

    Parameters
    ----------
    indicator
        Gross output, invoiced sales or electricity per month, shape (months,), not
        negative; NaN is unknown.
    benchmarks
        Known sums. A year that stands beside some of its quarters is spread over the
        rest of its months.

    Returns
    -------
    Monthly
        Months of no benchmark take the ratio of the last one before them, else of the
        first after them, and say *extrapolated*. A benchmark with an unknown month, or
        without any indicator, leaves its months unknown.

    Raises
    ------
    ValueError
        If an indicator is negative, a benchmark does not lie in the months, two overlap
        without one holding the other, or quarters do not add up to their year.

    Notes
    -----
    x_m = Q · p_m / Σp. It steps where one benchmark's ratio differs from the next's; see
    :func:`denton`. IMF, Quarterly National Accounts Manual (2017), 6.9-6.17.
    """
    p, groups = _checked(indicator, benchmarks)
    ratios = np.full(p.shape, np.nan)
    usable = _usable(p, groups)
    for group in np.flatnonzero(usable):
        mine = groups.of_month == group
        ratios[mine] = groups.total[group] / p[mine].sum()
    state = np.where(np.isnan(ratios), UNKNOWN, BENCHMARKED)
    return _extrapolated(p, ratios, state, groups)


def denton(indicator: ArrayLike, benchmarks: Benchmarks) -> Monthly:
    """Give months whose ratio to the indicator changes as little as it can.

    Parameters
    ----------
    indicator, benchmarks
        As in :func:`pro_rata`.

    Returns
    -------
    Monthly
        As in :func:`pro_rata`; months between two benchmarks lie between their ratios,
        those after the last keep the last month's. Where a benchmark is not usable its
        months are unknown and the others are linked across them.

    Raises
    ------
    ValueError
        As :func:`pro_rata`.

    Notes
    -----
    Proportional first differences: min Σ (x_t/p_t - x_{t-1}/p_{t-1})² subject to the
    benchmarks, Denton (1971), doi 10.1080/01621459.1971.10482227, in the form without a
    condition on the first month (Cholette 1984). Solved for b = x / p by Lagrange's
    equations [[2D'D, A'], [A, 0]]. A month with indicator 0 has the value 0; b passes
    through it, which is ours.
    """
    p, groups = _checked(indicator, benchmarks)
    usable = np.flatnonzero(_usable(p, groups))
    ratios = np.full(p.shape, np.nan)
    grouped = np.isin(groups.of_month, usable)
    links = np.flatnonzero(grouped | ((groups.of_month < 0) & ~np.isnan(p)))
    if usable.size:
        scale = p[links].mean()
        spread = (groups.of_month[links] == usable[:, None]) * (p[links] / scale)
        steps = np.diff(np.eye(links.size), axis=0)
        system = np.block(
            [
                [2.0 * steps.T @ steps, spread.T],
                [spread, np.zeros((usable.size, usable.size))],
            ]
        )
        wanted = np.concatenate([np.zeros(links.size), groups.total[usable] / scale])
        ratios[links] = np.linalg.solve(system, wanted)[: links.size]
    state = np.where(grouped, BENCHMARKED, np.where(np.isnan(ratios), 0, EXTRAPOLATED))
    return Monthly(ratios * p, ratios, state.astype(np.int64))


def chained(base: ArrayLike, index: ArrayLike) -> Float64:
    """Value at the prices of the base period, from volume indices.

    Parameters
    ----------
    base
        Value of the base periods at their own prices [10⁴ CNY], shape (…, lag): one year,
        or the twelve months of the base year where indices compare with the same month
        of the year before, as those of the National Bureau of Statistics do.
    index
        Volume index of each later period against the one `lag` before it, at comparable
        prices, shape (…, n) [same period = 100].

    Returns
    -------
    NDArray[np.float64]
        Shape (…, lag + n) [10⁴ CNY at base prices]; after an unknown or non-positive index
        the periods that rest on it are unknown.

    Notes
    -----
    V_t = V_{t-lag} · index_t / 100, that is V_base · Π index/100. Chain volume measures,
    System of National Accounts 2008, 15.35-15.50. They do not add up over enterprises
    once the base is left: chain the sums, do not sum the chains.
    """
    start, step = np.asarray(base, np.float64), np.asarray(index, np.float64)
    if start.ndim == 0:
        start = start[None]
    lag = start.shape[-1]
    shape = np.broadcast_shapes(start.shape[:-1], step.shape[:-1])
    out = np.empty((*shape, lag + step.shape[-1]))
    out[..., :lag] = start
    factor = np.where(step > 0, step, np.nan) / 100.0
    for t in range(step.shape[-1]):
        out[..., lag + t] = out[..., t] * factor[..., t]
    return out


def deflated(current: ArrayLike, price_index: ArrayLike) -> Float64:
    """Value at base prices, from a price index.

    Parameters
    ----------
    current
        Value at current prices [10⁴ CNY].
    price_index
        Prices against the base period, for instance PPI of the industry [base = 100].

    Returns
    -------
    NDArray[np.float64]
        [10⁴ CNY at base prices]; NaN where the index is not above zero.

    Notes
    -----
    Single deflation of added value, as where no volume index is published; ours to
    offer, and rough where input and output prices part.
    """
    return 100.0 * ratio(current, price_index)


def _checked(indicator: ArrayLike, benchmarks: Benchmarks) -> tuple[Float64, _Groups]:
    p = np.asarray(indicator, np.float64)
    if (p < 0).any():
        month = int(np.argmax(p < 0))
        raise ValueError(f"indicator {p[month]:g} of month {month} is negative")
    group = np.full(p.size, -1, np.int64)
    totals: list[float] = []
    spans = sorted(
        zip(*(np.asarray(each).tolist() for each in benchmarks), strict=True),
        key=lambda span: (span[1] - span[0], span[0]),
    )
    held: list[tuple[int, int, float]] = []
    for first, stop, total in spans:
        where = f"benchmark {total:g} of months {first} to {stop - 1}"
        if not 0 <= first < stop <= p.size:
            raise ValueError(f"{where} does not lie in the {p.size} months")
        if np.isnan(total):
            continue
        rest, shorter = total, 0.0
        for f, s, known in held:
            if f < stop and s > first:
                if f < first or s > stop:
                    raise ValueError(f"{where} overlaps that of {f} to {s - 1}")
                shorter += known
        rest -= shorter
        free = group[first:stop] < 0
        if not free.any():
            if abs(rest) > TOLERANCE * max(abs(total), abs(shorter)):
                raise ValueError(f"{where} differs from its parts, {shorter:g}")
            continue
        group[first:stop][free] = len(totals)
        totals.append(rest)
        # a longer benchmark subtracts this rest and the shorter ones, each once
        held.append((first, stop, rest))
    return p, _Groups(group, np.array(totals))


def _usable(p: Float64, groups: _Groups) -> NDArray[np.bool_]:
    """Whether each group has a known indicator above zero to be spread by."""
    sums = [p[groups.of_month == group].sum() for group in range(groups.total.size)]
    return np.array(sums, np.float64) > 0


def _extrapolated(
    p: Float64, ratios: Float64, state: Int64, groups: _Groups
) -> Monthly:
    known = np.flatnonzero(state == BENCHMARKED)
    ratios, state = ratios.copy(), state.astype(np.int64)
    for month in np.flatnonzero((groups.of_month < 0) & ~np.isnan(p)):
        before = known[known < month]
        near = before[-1:] if before.size else known[:1]
        if near.size:
            ratios[month], state[month] = ratios[near[0]], EXTRAPOLATED
    return Monthly(ratios * p, ratios, state)
