"""Accounts as arrays: what is known adds up, what has no factor makes it unknown."""

import math
from collections.abc import Mapping, Sequence

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


def unproven(
    gross: Mapping[int, float],
    proven: Mapping[int, float],
    above: Mapping[int, Sequence[int]],
) -> dict[int, float]:
    """Give what of each one's own use nobody has proven green.

    Parameters
    ----------
    gross
        What went through the meters of each [unit], with what went on to those behind.
    proven
        What each has proven [unit].
    above
        Of each those above its meters, the next one first; all of them are in `gross`.

    Notes
    -----
    Proof comes off the prover's own use; what is beyond is of what it passed on, and comes
    off the use of all behind it by what each has left. The deepest prove first: theirs can
    be of nothing else. What is beyond even that, as certificates of whole MWh can be, comes
    off the next one above. So no proof makes anything fall below 0, and the sum is the
    gross of the topmost less all proofs while nobody and those behind have proven more
    together than went through its meters. Ours.
    """
    left, proofs = dict(gross), dict(proven)
    behind: dict[int, list[int]] = {each: [] for each in gross}
    for each, who in above.items():
        for i, one in enumerate(who):
            left[one] -= 0.0 if i else gross[each]
            behind[one].append(each)
    for prover in sorted(gross, key=lambda each: -len(above[each])):
        own = min(proofs[prover], max(left[prover], 0.0))
        over = proofs[prover] - own
        rest = {each: left[each] for each in behind[prover] if left[each] > 0}
        whole = math.fsum(rest.values())
        taken = min(over, whole)
        for each, amount in rest.items() if taken > 0 else ():
            left[each] = amount - amount * (taken / whole)
        left[prover] -= own
        for one in above[prover][:1]:
            proofs[one] += over - taken
    return left


def moved(before: Float64, after: Float64) -> Bool:
    """Tell where a figure is another one; unknown and unknown are the same."""
    both = np.isnan(before) & np.isnan(after)
    return np.asarray((before != after) & ~both)
