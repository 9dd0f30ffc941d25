"""Registers that are in doubt: stuck ones, and readings of a clock that was wrong.

Nothing here changes what counts. What is told at an instant depends on what was read
within the times given on either side of it, whatever else is computed beside it.
"""

import numpy as np

from analytics.registers import (
    CLOCK,
    GLITCH,
    REAL,
    SPIKE,
    STUCK,
    Bool,
    Events,
    Float64,
    Int64,
    Intervals,
    Said,
)

CLOCK_US = 86_400_000_000  # how far off a clock is thought to be at most; ours
NEVER = np.iinfo(np.int64).max


def ends(
    found: Intervals, channel: Int64, at: Int64, value: Float64
) -> tuple[Float64, Float64]:
    """Give what a register showed at the start and the stop of each interval.

    Parameters
    ----------
    found
        Intervals between readings.
    channel, at, value
        The readings, shape (n,), ordered by (channel, at).
    """
    if not found.start.size:
        return np.empty(0), np.empty(0)
    base = int(at.min())
    width = int(at.max()) - base + 1
    there = channel * width + (at - base)
    key = found.channel * width - base
    return (
        value[np.searchsorted(there, key + found.start)],
        value[np.searchsorted(there, key + found.stop)],
    )


def stuck(
    found: Intervals, first: Float64, last: Float64, after_us: Int64, said: Said
) -> Events:
    """Tell where a register has shown the same for too long.

    Parameters
    ----------
    found
        Known amounts between readings, ordered by (channel, start).
    first, last
        What the register showed at start and stop, shape (n,).
    after_us
        How long each channel's register may rest, shape (channels,); NEVER: for ever.
    said
        A reading that somebody called real is not told of.

    Returns
    -------
    Events
        One for each rest, at the first reading that is at least `after_us` behind the
        one with which it began. A register that shows 0 has never counted, and may rest.
    """
    still = (first == last) & (last != 0)
    joined = np.zeros(still.size, np.bool_)
    joined[1:] = (
        still[:-1]
        & (found.channel[1:] == found.channel[:-1])
        & (found.start[1:] == found.stop[:-1])
    )
    begins = still & ~joined
    run = np.cumsum(begins) - 1
    begun = found.start[begins][run] if begins.any() else found.start
    limit = after_us[found.channel]
    # a rest is told once, where it passes its limit
    passed = still & (found.stop - begun >= limit)
    which = np.flatnonzero(passed & (begins | (found.start - begun < limit)))
    if which.size and said.at.size:
        real = set(
            zip(
                said.channel[said.verdict == REAL].tolist(),
                said.at[said.verdict == REAL].tolist(),
                strict=True,
            )
        )
        where = zip(
            found.channel[which].tolist(), found.stop[which].tolist(), strict=True
        )
        which = which[np.array([each not in real for each in where], np.bool_)]
    return Events(
        found.channel[which],
        found.stop[which],
        np.full(which.size, STUCK, np.int64),
        first[which],
        last[which],
    )


def clock(found: Intervals, first: Float64, last: Float64, odd: Events) -> Events:
    """Tell which of the readings that were left out show what the register showed later.

    Parameters
    ----------
    found
        Known amounts between good readings, ordered by (channel, start).
    first, last
        What the register showed at start and stop, shape (n,).
    odd
        Events of any kind, their channels dense; spikes and glitches are looked at.

    Returns
    -------
    Events
        Of a spike that the register reaches within :data:`CLOCK_US`, and of a glitch that
        shows what it had within :data:`CLOCK_US` before, without a fall between.

    Notes
    -----
    Ours. A wrong value can lie there by chance, so confidence is low; a clock that is
    wrong for all readings alike cannot be seen in a register.
    """
    some = np.flatnonzero((odd.kind == SPIKE) | (odd.kind == GLITCH))
    if not some.size or not found.start.size:
        return _take(odd, some[:0])
    base = min(int(found.start.min()), int(odd.at.min())) - CLOCK_US
    width = max(int(found.stop.max()), int(odd.at.max())) - base + CLOCK_US + 1
    starts = found.channel * width + (found.start - base)
    stops = found.channel * width + (found.stop - base)
    key = odd.channel[some] * width + (odd.at[some] - base)
    over = np.searchsorted(starts, key, "right") - 1
    inside = (over >= 0) & (stops[np.maximum(over, 0)] > key)
    over = np.maximum(over, 0)
    rising = np.zeros(starts.size, np.bool_)
    rising[1:] = (starts[1:] == stops[:-1]) & (first[1:] <= last[1:])
    chain: Int64 = np.cumsum(~rising, dtype=np.int64)
    later = np.searchsorted(stops, key + CLOCK_US, "right") - 1
    earlier = np.searchsorted(starts, key - CLOCK_US, "left")
    shown = odd.after[some]
    up: Bool = (later >= over) & _same(chain, over, later)
    up &= last[np.clip(later, 0, last.size - 1)] >= shown
    down: Bool = (earlier <= over) & _same(chain, over, earlier)
    down &= first[np.clip(earlier, 0, first.size - 1)] <= shown
    # the rise across the reading itself must be one, too
    inside &= first[over] <= last[over]
    match = np.where(shown > last[over], up, (shown < first[over]) & down)
    return _take(odd, some[inside & match])


def _same(chain: Int64, one: Int64, other: Int64) -> Bool:
    there = np.clip(other, 0, chain.size - 1)
    same: Bool = chain[one] == chain[there]
    return same


def _take(odd: Events, which: Int64) -> Events:
    return Events(
        odd.channel[which],
        odd.at[which],
        np.full(which.size, CLOCK, np.int64),
        odd.before[which],
        odd.after[which],
    )
