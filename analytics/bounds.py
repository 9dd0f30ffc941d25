"""Between what an amount must lie whose energy is known and whose shape is estimated."""

import numpy as np

from analytics.registers import QUARTER_US, Bool, Float64, Int64


def bounds(
    key: Int64,
    start: Int64,
    amount: Float64,
    counts: Bool,
    at: Int64,
    stop: int,
    total: Float64,
) -> tuple[Float64, Float64]:
    """Give the least and the most that intervals can have had.

    Parameters
    ----------
    key, start, amount
        Of all quarter hours that are estimated at least in part, whole stretches of them,
        ordered by (key, start), shape (n,): channel, start [µs] and amount.
    counts
        Whether the channel counts in that quarter hour, shape (n,).
    at, stop
        Starts of the intervals, ascending, shape (m,) and the end of the last [µs].
    total
        Amount of each interval, shape (m,), in the unit of `amount`.

    Returns
    -------
    least, most
        Shape (m,). Both are the total where no stretch reaches beyond its interval; NaN
        where a stretch has an amount below 0, as those of a formula may.

    Notes
    -----
    Registers only rise, and what was used over a stretch of neighbouring quarter hours is
    their difference: of the stretch any part of it may have fallen into an interval, from
    nothing to all. Bounds are of what is known: what is missing is not in them. Ours.
    """
    if not key.size:
        return total, total
    new = np.ones(key.size, np.bool_)
    new[1:] = (np.diff(key) != 0) | (np.diff(start) != QUARTER_US)
    stretch = np.cumsum(new) - 1
    whole = np.bincount(stretch, np.where(amount < 0, np.nan, amount))
    place = np.searchsorted(at, start, "right") - 1
    place[(start >= stop) | ~counts] = -1
    new[1:] |= np.diff(place) != 0
    first = np.flatnonzero(new)
    stretch, place = stretch[first], place[first]
    part = np.add.reduceat(amount, first)
    quarters = np.diff(np.append(first, key.size))
    cut = (place >= 0) & (quarters < np.bincount(stretch, quarters)[stretch])
    stretch, place, part = stretch[cut], place[cut], part[cut]

    def summed(values: Float64) -> Float64:
        return np.bincount(place, values, total.size).astype(np.float64)

    rest = whole[stretch] - part
    # the least is unknown where the stretch is
    return total - summed(part + 0.0 * rest), total + summed(rest)
