"""Peaks: when they were, who made them, who pays for them, and the shape around them.

Demand stands in matrices of subjects x windows, NaN is unknown. A window counts where it
is known for at least the minimum coverage; a figure of a period is given where at least
that share of its windows counts. Below it the answer is NaN (index: -1), never a guess.
"""

from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics import demand
from analytics.intensity import ratio

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

MINIMUM_COVERAGE = 0.95
EXACT_PARTS = 16  # 65 536 groups, each with its own peak; ours

UNKNOWN, LIGHT, NORMAL, HEAVY, OVERLOAD = range(5)
LOAD_NAMES = ("unknown", "light", "normal", "heavy", "overload")


class Makers(NamedTuple):
    """Who made a park's peak; the last of the parts is the unmetered rest."""

    window: int  # of the park's peak
    kw: float  # the park in it
    part_kw: Float64  # each part in it, shape (parts + 1,)
    share: Float64  # of `kw`; all of them add up to 1
    own_window: Int64  # of each part's own peak
    own_kw: Float64
    coincidence: float  # kw over the sum of own_kw, at most 1 without negative parts
    diversity: float  # its inverse
    coverage: float  # share of the time of the main meter's windows that count
    part_coverage: Float64  # share of the time of the windows in which the part counted


class Weights(NamedTuple):
    """What a demand charge can be divided by, each of shape (parts + 1,) [kW]."""

    coincident: Float64
    own: Float64
    shapley: Float64
    shapley_error: Float64  # standard error; 0 where the value is exact


class Duration(NamedTuple):
    """Load duration curve: demand was at least `kw` for `hours`."""

    kw: Float64  # falling
    hours: Float64  # rising
    coverage: float  # share of the time whose windows count


class Maxima(NamedTuple):
    """Highest demand of each subject and group, each of shape (subjects, groups)."""

    kw: Float64
    window: Int64  # the first of equals
    coverage: Float64  # share of the group's windows that count


def _counts(kw: Float64, covered: Float64 | None, minimum: float) -> NDArray[np.bool_]:
    known = ~np.isnan(kw)
    return known if covered is None else known & (covered >= minimum)


def _share(counts: NDArray[np.bool_], window_s: float | Float64 = 1.0) -> Float64:
    length = np.broadcast_to(np.asarray(window_s, np.float64), counts.shape[-1:])
    return ratio(counts @ length, length.sum())


def with_rest(parts_kw: Float64, main_kw: Float64) -> Float64:
    """Put the unmetered rest below the parts.

    Parameters
    ----------
    parts_kw
        Mean power per window, shape (parts, n) [kW].
    main_kw
        The park's main meter, shape (n,) [kW].

    Returns
    -------
    NDArray[np.float64]
        Shape (parts + 1, n) [kW]; the rest is main - sum of parts, NaN where one of them
        is unknown, and negative where the parts show more than the main meter.
    """
    return np.vstack([parts_kw, main_kw - parts_kw.sum(axis=0)])


def makers(
    parts_kw: Float64,
    main_kw: Float64,
    parts_covered: Float64 | None = None,
    main_covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    counted: Bool | None = None,
    window_s: float | Float64 = 900.0,
) -> Makers:
    """Tell who made the park's peak, beside each one's own peak.

    Parameters
    ----------
    parts_kw, main_kw
        Mean power per window of the parts, shape (parts, n), and of the park's main
        meter, shape (n,) [kW]. Without a main meter give the sum of the parts.
    parts_covered, main_covered
        Share of each window that is known, same shapes, 0 … 1; None: all of it.
    minimum_coverage
        Of a window, and of the windows of the period.
    counted
        Where any meter counted for the part, shape (parts, n); None: always. Elsewhere
        the part is 0 by definition, whatever stands there, not unknown.
    window_s
        Length of the windows [s], of all or shape (n,): coverage is a share of time.

    Returns
    -------
    Makers
        A part that is unknown in the peak's window is NaN, and so is the rest then,
        and the coincidence. An own peak is NaN where too few of the windows in which
        the part counted are known. Nothing is given where too few of the main meter's
        windows count.

    Notes
    -----
    The park's peak is the peak of the main meter, the first of equals. Coincidence 同时率
    and diversity as in :func:`analytics.demand.coincidence`, the rest being one more part.
    """
    there = np.ones(parts_kw.shape, np.bool_) if counted is None else counted
    each = with_rest(np.where(there, parts_kw, 0.0), main_kw)
    counts = _counts(parts_kw, parts_covered, minimum_coverage) | ~there
    main = _counts(main_kw, main_covered, minimum_coverage)
    counts = np.vstack([counts, counts.all(axis=0) & main])
    there = np.vstack([there, np.ones(main.shape, np.bool_)])
    parts = each.shape[0]
    window, kw = -1, np.nan
    part_kw = np.full(parts, np.nan)
    coverage = float(_share(main, window_s))
    if main.any() and coverage >= minimum_coverage:
        window = int(np.argmax(np.where(main, main_kw, -np.inf)))
        kw = float(main_kw[window])
        part_kw = np.where(counts[:, window], each[:, window], np.nan)
    length = np.broadcast_to(np.asarray(window_s, np.float64), main.shape)
    own_coverage = ratio((counts & there) @ length, there @ length)
    one = np.zeros(each.shape[1], np.int64)
    own = maxima(np.where(counts & there, each, np.nan), one, 1, None, 0.0)
    enough = own_coverage >= minimum_coverage
    own_kw = np.where(enough, own.kw[:, 0], np.nan)
    # a part unknown in the park's peak may have had its own peak there
    complete = not np.isnan(part_kw).any()
    together = float(demand.coincidence(kw, own_kw)) if complete else np.nan
    return Makers(
        window,
        kw,
        part_kw,
        ratio(part_kw, kw),
        np.where(enough, own.window[:, 0], -1),
        own_kw,
        together,
        float(ratio(1.0, together)),
        coverage,
        own_coverage,
    )


def shapley(
    kw: Float64,
    covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
) -> Float64:
    """Shapley value of each part in the game of the common peak, exactly.

    Parameters
    ----------
    kw
        Mean power per window, shape (parts, n) [kW], at most 16 parts.
    covered
        Share of each window that is known, same shape; None: all of it.
    minimum_coverage
        Of a window, and of the windows in which all parts count.

    Returns
    -------
    NDArray[np.float64]
        Shape (parts,) [kW]; adds up to the peak of the sum. All NaN where too few windows
        are known of all parts.

    Raises
    ------
    ValueError
        Above 16 parts: their groups are too many to be asked for each.

    Notes
    -----
    v(S) = max over windows of the sum of S, v(∅) = 0, and φ_i = Σ |S|!(n-|S|-1)!/n! ·
    (v(S∪i) - v(S)) over the groups S without i: what i adds to the peak, on average over
    all orders in which the parts could have come. Shapley, A value for n-person games
    (1953), doi 10.1515/9781400881970-018. Only windows known of all parts are looked at,
    so that all groups are measured alike. A part that generates may have a negative
    value: it lowers the peak.
    """
    parts = kw.shape[0]
    if parts > EXACT_PARTS:
        raise ValueError(
            f"{parts} parts: the exact Shapley value takes at most {EXACT_PARTS}; "
            "use shapley_sampled"
        )
    known = _complete(kw, covered, minimum_coverage)
    if known is None:
        return np.full(parts, np.nan)
    value = np.full(2**parts, -np.inf)  # by group: bit i is part i
    size = max(1, 2**21 // 2**parts)  # windows at a time: 16 MB
    for low in range(0, known.shape[1], size):
        some = known[:, low : low + size]
        sums = np.zeros((1, some.shape[1]))
        for row in some:
            sums = np.concatenate([sums, sums + row])
        value = np.maximum(value, sums.max(axis=1))
    group = np.arange(2**parts)
    others = np.bitwise_count(group).astype(np.int64)
    chance = np.array([1 / (parts * comb(parts - 1, s)) for s in range(parts)])
    phi = np.empty(parts)
    for part in range(parts):
        without = group[(group >> part) & 1 == 0]
        added = value[without | (1 << part)] - value[without]
        phi[part] = (chance[others[without]] * added).sum()
    return phi


def shapley_sampled(
    kw: Float64,
    covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    pairs: int = 500,
    seed: int = 1,
) -> tuple[Float64, Float64]:
    """Estimate the Shapley value from random orders, for many parts.

    Parameters
    ----------
    kw, covered, minimum_coverage
        As in :func:`shapley`, any number of parts.
    pairs
        Random orders drawn, at least 2; each is taken forwards and backwards.
    seed
        The same seed gives the same estimate.

    Returns
    -------
    value, error
        Shape (parts,) each [kW]. The values add up to the peak of the sum, whatever was
        drawn; the standard error is that of the mean over the pairs.

    Notes
    -----
    Castro, Gómez and Tejada, Polynomial calculation of the Shapley value based on
    sampling (2009), doi 10.1016/j.cor.2008.04.004; the pairs halve the error at best and
    are ours to choose.
    """
    parts = kw.shape[0]
    known = _complete(kw, covered, minimum_coverage)
    if known is None:
        return np.full(parts, np.nan), np.full(parts, np.nan)
    draw = np.random.Generator(np.random.PCG64(seed))
    added = np.empty((pairs, parts))
    for pair in range(pairs):
        order = np.argsort(draw.random(parts), kind="stable")
        added[pair] = (_added(known, order) + _added(known, order[::-1])) / 2
    return added.mean(axis=0), added.std(axis=0, ddof=1) / np.sqrt(pairs)


def _complete(
    kw: Float64, covered: Float64 | None, minimum_coverage: float
) -> Float64 | None:
    counts = np.asarray(_counts(kw, covered, minimum_coverage).all(axis=0))
    enough = counts.any() and _share(counts) >= minimum_coverage
    return kw[:, counts] if enough else None


def _added(kw: Float64, order: Int64) -> Float64:
    peaks = np.cumsum(kw[order], axis=0).max(axis=1)
    added = np.empty(order.size)
    added[order] = np.diff(peaks, prepend=0.0)
    return added


def weights(
    parts_kw: Float64,
    main_kw: Float64,
    parts_covered: Float64 | None = None,
    main_covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    counted: Bool | None = None,
    window_s: float | Float64 = 900.0,
) -> Weights:
    """Give what the park's demand charge can be divided by, in three ways.

    Parameters
    ----------
    parts_kw, main_kw, parts_covered, main_covered, minimum_coverage, counted, window_s
        As in :func:`makers`.

    Returns
    -------
    Weights
        The rest is the last. `coincident` and `shapley` add up to the park's peak, `own`
        to more. All three are NaN where one of the parts is unknown in the park's peak;
        `own` where one own peak is.

    Notes
    -----
    `coincident`: the part's demand in the park's peak (coincident peak allocation).
    `own`: its own highest demand (non-coincident peak allocation). Both are the usual
    demand allocators of rate making (NARUC, Electric Utility Cost Allocation Manual,
    1992). `shapley`: :func:`shapley`, above 16 parts :func:`shapley_sampled`.
    """
    made = makers(
        parts_kw,
        main_kw,
        parts_covered,
        main_covered,
        minimum_coverage,
        counted=counted,
        window_s=window_s,
    )
    there = np.ones(parts_kw.shape, np.bool_) if counted is None else counted
    each = with_rest(np.where(there, parts_kw, 0.0), main_kw)
    unknown = np.full(each.shape[0], np.nan)
    if np.isnan(made.part_kw).any():
        return Weights(unknown, unknown, unknown, unknown)
    own = unknown if np.isnan(made.own_kw).any() else made.own_kw
    known = _counts(parts_kw, parts_covered, minimum_coverage) | ~there
    counts = known.all(axis=0)
    counts &= _counts(main_kw, main_covered, minimum_coverage)
    each = np.where(counts, each, np.nan)
    if each.shape[0] > EXACT_PARTS:
        value, error = shapley_sampled(each, None, minimum_coverage)
    else:
        value = shapley(each, None, minimum_coverage)
        error = value * 0.0
    return Weights(made.part_kw, own, value, error)


def split(
    charge: float, weight: Float64, *, credit: bool = False, decimals: int = 2
) -> Float64:
    """Divide a charge by weights so that the parts add up to it exactly.

    Parameters
    ----------
    charge
        What is to be divided [CNY], rounded to `decimals` first.
    weight
        What each part counts, shape (parts,) [kW].
    credit
        A negative weight (the part generated, or lowered the peak) is taken as it is and
        gives a credit that the others pay; else it counts 0 and the part pays nothing.
    decimals
        Of the smallest amount of money: 2 for 0.01 CNY.

    Returns
    -------
    NDArray[np.float64]
        Shape (parts,) [CNY], each with so many decimals; all NaN where the
        charge or one weight is unknown or the weights do not add up to more than 0.

    Notes
    -----
    Largest remainder (Hamilton's method): each part gets its share rounded down; what is
    left goes by 0.01 to the largest remainders, of equals to the part that stands first.
    """
    counted = weight if credit else np.maximum(weight, 0.0)
    total = counted.sum()
    if not (np.isfinite(charge) and np.isfinite(total) and total > 0):
        return np.full(weight.shape, np.nan)
    steps = round(charge * 10**decimals)
    exact = steps * (counted / total)
    given = np.floor(exact)
    left = int(steps - given.sum())
    given[np.argsort(given - exact, kind="stable")[:left]] += 1
    return np.asarray(given / 10**decimals)


def top(
    kw: Float64,
    count: int,
    separation: int,
    covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    at: Int64 | None = None,
) -> Int64:
    """Find the highest separate peaks of a period.

    Parameters
    ----------
    kw, covered, minimum_coverage
        Mean power per window, shape (n,) [kW]; what is known of it; what is asked for.
    count
        Peaks wanted.
    separation
        Windows up to so far from a higher peak belong to it.
    at
        When each window begins, shape (n,), in the unit of the separation; None: a step
        after the one before.

    Returns
    -------
    NDArray[np.int64]
        Windows, highest first, of equals the earlier first; fewer than `count` where no
        more count. Where some do not count, a higher one may be among them.
    """
    counts = _counts(kw, covered, minimum_coverage)
    found: list[int] = []
    at = np.arange(kw.size) if at is None else at
    left = np.where(counts, kw, -np.inf)
    while len(found) < count and (left > -np.inf).any():
        highest = int(np.argmax(left))
        found.append(highest)
        left[np.abs(at - at[highest]) <= separation] = -np.inf
    return np.array(found, np.int64)


def duration(
    kw: Float64,
    window_s: float | Float64 = 900.0,
    covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    points: int | None = None,
) -> Duration:
    """Sort demand into the load duration curve 负荷持续曲线.

    Parameters
    ----------
    kw, covered, minimum_coverage
        Mean power per window, shape (n,) [kW]; what is known of it; what is asked for.
    window_s
        Length of the windows [s], of all or shape (n,).
    points
        Thin the curve to at most so many points, at least 2, evenly over the hours; the
        highest and the lowest stay.

    Returns
    -------
    Duration
        Over the windows that count; without points where they are too few.
    """
    counts = _counts(kw, covered, minimum_coverage)
    coverage = float(_share(counts, window_s))
    if not coverage >= minimum_coverage:
        return Duration(np.empty(0), np.empty(0), coverage)
    order = np.argsort(kw[counts], kind="stable")[::-1]
    falling = kw[counts][order]
    length = np.broadcast_to(np.asarray(window_s, np.float64), kw.shape)[counts]
    hours: Float64 = np.cumsum(length[order]) / 3600.0
    if points is not None and points < falling.size:
        keep = np.linspace(0, falling.size - 1, max(points, 2)).round().astype(np.int64)
        falling, hours = falling[keep], hours[keep]
    return Duration(falling, hours, coverage)


def day_map(
    kw: Float64,
    day: Int64,
    slot: Int64,
    shape: tuple[int, int],
    covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    window_s: float | Float64 = 900.0,
) -> Float64:
    """Lay demand out by local day and hour (or quarter hour).

    Parameters
    ----------
    kw, covered, minimum_coverage
        Mean power per window, shape (n,) [kW]; what is known of it; what is asked for.
    day, slot
        Row and column of each window by the local clock, shape (n,).
    shape
        Days and slots of a day: (days, 24) or (days, 96).
    window_s
        Length of the windows [s], of all or shape (n,): each counts by it.

    Returns
    -------
    NDArray[np.float64]
        Mean power of each cell, `shape` [kW]; NaN where too little of its time counts or
        there is none: the hour that a day of 23 h does not have. The hour that a day of
        25 h has twice is the mean of both.
    """
    counts = _counts(kw, covered, minimum_coverage)
    cell = day * shape[1] + slot
    cells = shape[0] * shape[1]
    # in quarter hours: of windows all alike this changes no bit of the mean
    length = np.broadcast_to(np.asarray(window_s, np.float64) / 900.0, kw.shape)
    expected = np.bincount(cell, length, cells)
    there = np.bincount(cell, counts * length, cells)
    total = np.bincount(cell, np.where(counts, kw * length, 0.0), cells)
    enough = ratio(there, expected) >= minimum_coverage
    return np.where(enough, ratio(total, there), np.nan).reshape(shape)


def maxima(
    kw: Float64,
    group: Int64,
    groups: int,
    covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    window_s: float | Float64 = 900.0,
) -> Maxima:
    """Find the highest demand of each subject in each month (or day).

    Parameters
    ----------
    kw, covered, minimum_coverage
        Mean power per window, shape (subjects, n) [kW]; what is known of it; what is
        asked for.
    group
        Month 0 … groups-1 of each window, shape (n,), by the local calendar.
    groups
        How many months there are.
    window_s
        Length of the windows [s], of all or shape (n,): coverage is a share of time.

    Returns
    -------
    Maxima
        NaN and -1 where the windows that count are too little of the month.
    """
    subjects, windows = kw.shape
    counts = _counts(kw, covered, minimum_coverage)
    highest = np.full((subjects, groups), -np.inf)
    window = np.full((subjects, groups), -1, np.int64)
    there = np.zeros((subjects, groups))
    length = np.broadcast_to(np.asarray(window_s, np.float64), (windows,))
    order = np.argsort(group, kind="stable")
    month, first = np.unique(group[order], return_index=True)
    if windows:
        usable = np.where(counts, kw, -np.inf)[:, order]
        highest[:, month] = np.maximum.reduceat(usable, first, axis=1)
        at_top = usable == highest[:, group[order]]
        place = np.where(at_top, order, windows)
        window[:, month] = np.minimum.reduceat(place, first, axis=1)
        there[:, month] = np.add.reduceat((counts * length)[:, order], first, axis=1)
    coverage = ratio(there, np.bincount(group, length, groups))
    enough = (coverage >= minimum_coverage) & (there > 0)
    return Maxima(
        np.where(enough, highest, np.nan), np.where(enough, window, -1), coverage
    )


def peak_valley(
    kw: Float64,
    day: Int64,
    days: int,
    covered: Float64 | None = None,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    window_s: float | Float64 = 900.0,
) -> tuple[Float64, Float64]:
    """Give the peak-valley difference 峰谷差 of each day.

    Parameters
    ----------
    kw, covered, minimum_coverage
        Mean power per window, shape (subjects, n) [kW]; what is known of it; what is
        asked for.
    day, days
        Local day 0 … days-1 of each window, shape (n,), and how many there are.
    window_s
        Length of the windows [s], of all or shape (n,): coverage is a share of time.

    Returns
    -------
    difference, rate
        Shape (subjects, days): Pmax - Pmin [kW], and over Pmax (峰谷差率), NaN where the
        maximum is not above 0; both NaN where too few windows of the day count.
    """
    seen = (day, days, covered, minimum_coverage)
    high = maxima(kw, *seen, window_s=window_s).kw
    low = -maxima(-kw, *seen, window_s=window_s).kw
    return high - low, ratio(high - low, high)


def load_rate(
    active_kw: ArrayLike, reactive_kvar: ArrayLike, rated_kva: ArrayLike
) -> Float64:
    """Give the load rate of transformers 变压器负载率.

    Parameters
    ----------
    active_kw, reactive_kvar, rated_kva
        Mean active and reactive power of a window and rated apparent power; they
        broadcast.

    Returns
    -------
    NDArray[np.float64]
        √(P² + Q²) / S_n; NaN where something is unknown or S_n not above 0.
    """
    return ratio(np.hypot(active_kw, reactive_kvar), rated_kva)


def load_class(
    rate: ArrayLike, light: float = 0.3, heavy: float = 0.8, overload: float = 1.0
) -> Int64:
    """Class load rates; what is returned indexes :data:`LOAD_NAMES`.

    Parameters
    ----------
    rate
        Load rate, any shape.
    light, heavy, overload
        Below, above, above; on a bound it is the milder class. Practice, not a standard.
    """
    rate = np.asarray(rate, np.float64)
    found = np.full(rate.shape, NORMAL, np.int64)
    found[rate < light] = LIGHT
    found[rate > heavy] = HEAVY
    found[rate > overload] = OVERLOAD
    found[np.isnan(rate)] = UNKNOWN
    return found


def control_rate(demand_kw: ArrayLike, contract_kw: ArrayLike) -> Float64:
    """Give the demand control rate: highest demand over contract demand.

    Parameters
    ----------
    demand_kw, contract_kw
        They broadcast.

    Returns
    -------
    NDArray[np.float64]
        NaN where one is unknown or no contract demand above 0 is stated.
    """
    return ratio(demand_kw, contract_kw)
