"""Accounts as arrays: what is known adds up, what has no factor makes it unknown."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


def known_sum(parts: Sequence[tuple[float, Float64]]) -> Float64:
    """Add weighted parts, one after the other, and leave out what is unknown.

    Parameters
    ----------
    parts
        Weight and amounts [unit], at least one; all of one shape.

    Returns
    -------
    Float64
        [unit]; NaN where no part is known.

    Notes
    -----
    The order of the parts is that of the additions, so that a subject alone gives the same
    bits as among others. Ours.
    """
    total = np.zeros_like(parts[0][1])
    any_known = np.zeros(total.shape, np.bool_)
    for weight, amount in parts:
        known = ~np.isnan(amount)
        total += np.where(known, weight * amount, 0.0)
        any_known |= known
    return np.where(any_known, total, np.nan)


def total(lines: Sequence[tuple[Float64, Float64]]) -> tuple[Float64, Bool]:
    """Add the results of lines; one that is measured and has no factor spoils the sum.

    Parameters
    ----------
    lines
        Amount [unit] and result [t] of each line, at least one; all of one shape.

    Returns
    -------
    total
        [t]; NaN where nothing is known, or a known amount has no result.
    unpriced
        Where a known amount has no result.
    """
    unpriced = np.zeros(lines[0][0].shape, np.bool_)
    for amount, result in lines:
        unpriced |= ~np.isnan(amount) & np.isnan(result)
    found = known_sum([(1.0, result) for _, result in lines])
    return np.where(unpriced, np.nan, found), unpriced


def moved(before: Float64, after: Float64) -> Bool:
    """Tell where a figure is another one; unknown and unknown are the same."""
    both = np.isnan(before) & np.isnan(after)
    return np.asarray((before != after) & ~both)
