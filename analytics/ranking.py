"""Ranking: the order in a park for its managers, and a quarter of a group for a member.

A park's managers see every figure; their ranking needs coverage and nothing else. A member
of a group may learn where it stands and nothing about any neighbour. What it is told, and
why not more, stands at :func:`quarters`.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

MINIMUM_COVERAGE = 0.95
FEWEST_OTHERS = 5
STEP = 1.25  # ratio of neighbouring classes; their ends are over 10 % from the middle
NOT_ABOVE_ZERO = -(2**62)  # class of 0 and below

NO_FIGURE, TOO_FEW, BEST, SECOND, THIRD, LAST = range(6)
QUARTER_NAMES = (
    "no_figure",  # its own is unknown or below the coverage
    "too_few",  # fewer than five others that may be compared
    "best_quarter",
    "second_quarter",
    "third_quarter",
    "last_quarter",
)


class Ranking(NamedTuple):
    """Places in a park; for its managers only."""

    place: Int64  # 1 is best, equals share the better place; 0 is not ranked
    ranked: int  # how many are


def rank(
    value: ArrayLike,
    coverage: ArrayLike,
    minimum_coverage: float = MINIMUM_COVERAGE,
    *,
    less_is_better: bool = True,
) -> Ranking:
    """Rank subjects by a figure.

    Parameters
    ----------
    value
        Figure of each, shape (n,), any unit; NaN is unknown.
    coverage
        Share of the period covered by meters, shape (n,); NaN is unknown.
    minimum_coverage
        Below it a subject has no place.
    less_is_better
        As for intensities; else the largest has place 1.

    Returns
    -------
    Ranking
        With equals 1, 2, 2, 4.

    Notes
    -----
    Standard competition ranking. Not for members: a place tells how many stand before.
    """
    x = np.asarray(value, np.float64)
    counts = _counts(x, coverage, minimum_coverage)
    ordered = np.sort(x[counts] if less_is_better else -x[counts])
    place = 1 + np.searchsorted(ordered, x if less_is_better else -x, "left")
    return Ranking(np.where(counts, place, 0).astype(np.int64), int(counts.sum()))


def quarters(
    value: ArrayLike,
    coverage: ArrayLike,
    group: ArrayLike,
    owner: ArrayLike | None = None,
    *,
    less_is_better: bool = True,
) -> Int64:
    """Tell each member in which quarter of its group it stands.

    Parameters
    ----------
    value
        Figure of each of the park's enterprises, shape (n,), any unit; NaN is unknown.
    coverage
        Share of the period covered by meters, shape (n,).
    group
        Whom each is compared with (industry), shape (n,).
    owner
        Whose each is, shape (n,); None: everyone's own. What one owner has is not compared
        with each other and counts as one: together they could tell the rest apart.
    less_is_better
        As for intensities.

    Returns
    -------
    NDArray[np.int64]
        Index into QUARTER_NAMES of each; tell a member its own alone.

    Notes
    -----
    Ours. The share of *others* that are better, equals by half, in four bands. It rests on
    four rules, each against one way to a neighbour's figure:

    * Refused below five others, so at least six members: below that a band is an order.
    * Bands of a quarter: the best and the last always hold room for one more on the other
      side, so no answer says of any single neighbour whether it is better or worse.
    * Figures are compared by fixed classes, each a quarter larger than the one before. A
      member can change its own figure, by restating its added value, and ask again, period
      after period; where its quarter turns is where neighbours lie. The classes stop it
      there: whatever it asks, figures within one class look the same, and from the middle
      of a class its ends are more than 10 % away (the p% rule with p = 10, Hundepool et
      al., Statistical disclosure control, 2012, chapter 4). They do not depend on who
      asks, else asking would move them.
    * Nothing but the band: no number of members, no mean, median, sum, best or worst. From
      a mean of ratios of sums two restatements of the own figure give the sums of the
      others; so there is none, however large the group.

    What remains to be learnt by asking without end: in which class the quarters of the
    others begin, not whose figures these are, and that at least six can be compared. So
    callers answer for a period that is over, and let nobody choose group, period or
    coverage: the difference of two groups tells of who is in one alone.
    """
    x = np.asarray(value, np.float64)
    counts = _counts(x, coverage, MINIMUM_COVERAGE)
    steps = _classes(x) if less_is_better else -_classes(x)
    whose = np.arange(x.size) if owner is None else np.asarray(owner)
    groups = np.asarray(group)
    out = np.full(x.size, NO_FIGURE, np.int64)
    for i in np.flatnonzero(counts):
        others = counts & (groups == groups[i]) & (whose != whose[i])
        number = int(others.sum())
        if np.unique(whose[others]).size < FEWEST_OTHERS:
            out[i] = TOO_FEW
            continue
        better = int((steps[others] < steps[i]).sum())
        equal = int((steps[others] == steps[i]).sum())
        out[i] = BEST + min(3, 4 * (2 * better + equal) // (2 * number))
    return out


def _counts(x: Float64, coverage: ArrayLike, minimum: float) -> NDArray[np.bool_]:
    return np.isfinite(x) & (np.asarray(coverage, np.float64) >= minimum)


def _classes(x: Float64) -> Int64:
    """Give the class of each figure, rising; all that is not above zero is one."""
    known = np.isfinite(x) & (x > 0)
    floor = np.floor(np.log(np.where(known, x, 1.0)) / math.log(STEP))
    return np.where(known, floor, NOT_ABOVE_ZERO).astype(np.int64)
