"""The shape of a gap: its known energy spread as the meter's like days ran.

Nothing loops over meters. What a gap gets depends on the gap itself and on what was
measured in the days before it, to the bit, whatever else is computed beside it.
"""

from typing import NamedTuple

import numpy as np

from analytics.registers import QUARTER_US, Bool, Float64, Int64, Intervals, Usage

DAY_US = 86_400_000_000
SLOTS = DAY_US // QUARTER_US
CLASSES = 3  # of days that load alike
LIKE_DAYS = 3  # of the newest like days the mean is taken
LOOK_BACK = 28  # local days before the day in which the gap begins
KNOWN_S = 0.95 * 86_400  # a like day is measured at least that long; ours
# Weights are whole numbers, so that their sums are exact in any order: at most 2^16,
# times a quarter hour in us, times the quarters of 366 days, stays below 2^63.
FULL = 65_535


class Calendar(NamedTuple):
    """The local time of a park over some days."""

    at: Int64  # from when each offset holds, ascending; the first covers all before
    offset_us: Int64  # local time - UTC
    first: int  # local day of like[0], counted from 1970-01-01
    like: Int64  # what class of days each day is like, 0 … CLASSES - 1

    def local(self, at: Int64) -> tuple[Int64, Int64]:
        """Give the local day of instants and their quarter hour in it."""
        place = np.searchsorted(self.at, at, "right") - 1
        local = at + self.offset_us[np.maximum(place, 0)]
        day = local // DAY_US
        return day, (local - day * DAY_US) // QUARTER_US


class Weights(NamedTuple):
    """How much each local quarter hour takes, as whole numbers.

    A row stands for the gaps of one channel that begin on one local day; where there is
    no like day there is no row.
    """

    channel: Int64  # (rows,), ordered by (channel, day)
    day: Int64
    known: Bool  # (rows, CLASSES): whether there is a like day
    weight: Int64  # (rows, CLASSES, SLOTS)
    calendar: Calendar


def weights(channel: Int64, day: Int64, measured: Usage, calendar: Calendar) -> Weights:
    """Take the mean of like days before gaps.

    Parameters
    ----------
    channel, day
        Of each gap the channel and the local day in which it begins, shape (gaps,).
    measured
        Usage per quarter hour of measured intervals alone, ordered by (channel, start),
        of the :data:`LOOK_BACK` days before each gap's day at least.

    Returns
    -------
    Weights
        Of each class of days the mean power of its newest like days, up to
        :data:`LIKE_DAYS` of them, by local quarter hour: energy over measured time. A
        quarter hour that none of them has takes the mean of the others.

    Notes
    -----
    Mean of three like days of the same class, scaled to the difference of the registers:
    the rule of California's validating and estimating, as far as it can be read. How far
    to look back and when a day is known are ours.
    """
    rows = np.unique(np.stack([channel, day], axis=1), axis=0)
    of, start = rows[:, 0], rows[:, 1]
    on, slot = calendar.local(measured.start)
    fresh = np.ones(on.size, np.bool_)
    fresh[1:] = (np.diff(measured.channel) != 0) | (np.diff(on) != 0)
    group = np.cumsum(fresh) - 1
    days = int(group[-1]) + 1 if group.size else 0
    cell = group * SLOTS + slot
    energy = np.bincount(cell, measured.amount, days * SLOTS).reshape(days, SLOTS)
    seconds = np.bincount(cell, measured.measured_s, days * SLOTS)
    seconds = seconds.reshape(days, SLOTS)
    enough = seconds.sum(axis=1) >= KNOWN_S
    energy, seconds = energy[enough], seconds[enough]
    place = _find(measured.channel[fresh][enough], on[fresh][enough], of, start)
    chosen = _newest(place, start, calendar)
    has = (chosen >= 0).any(axis=1)
    of, start, place, chosen = of[has], start[has], place[has], chosen[has]
    total = np.zeros((of.size, CLASSES, SLOTS))
    time = np.zeros_like(total)
    for back in range(LOOK_BACK):
        for kind in range(CLASSES):
            some = np.flatnonzero(chosen[:, back] == kind)
            which = place[some, back]
            total[some, kind] += energy[which]
            time[some, kind] += seconds[which]
    known = np.asarray((time > 0).any(axis=2))
    return Weights(of, start, known, _whole(total, time), calendar)


def _find(channel: Int64, day: Int64, of: Int64, start: Int64) -> Int64:
    """Give which day each of the days before some is, shape (rows, LOOK_BACK); -1: none."""
    wanted = start[:, None] - 1 - np.arange(LOOK_BACK)
    if not day.size:
        return np.full(wanted.shape, -1, np.int64)
    low = min(int(day.min()), int(wanted.min()))
    width = max(int(day.max()), int(wanted.max())) - low + 1
    there = channel * width + (day - low)
    keys = of[:, None] * width + (wanted - low)
    place = np.minimum(np.searchsorted(there, keys), there.size - 1)
    return np.where(there[place] == keys, place, -1)


def _newest(place: Int64, start: Int64, calendar: Calendar) -> Int64:
    """Tell of which class each day before is taken as a like day; -1: of none."""
    wanted = start[:, None] - 1 - np.arange(LOOK_BACK)
    like = calendar.like[wanted - calendar.first]
    chosen = np.full(place.shape, -1, np.int64)
    for kind in range(CLASSES):
        usable = (place >= 0) & (like == kind)
        chosen[usable & (np.cumsum(usable, axis=1) <= LIKE_DAYS)] = kind
    return chosen


def _whole(energy: Float64, seconds: Float64) -> Int64:
    """Turn mean power into whole weights, the highest of a row as FULL."""
    there = seconds > 0
    power = np.where(there, energy / np.where(there, seconds, 1.0), 0.0)
    count = there.sum(axis=2, keepdims=True)
    mean = power.sum(axis=2, keepdims=True) / np.maximum(count, 1)
    power = np.maximum(np.where(there, power, mean), 0.0)
    highest = power.max(axis=(1, 2), keepdims=True)
    scaled = power / np.where(highest > 0, highest, 1.0)
    return np.rint(scaled * FULL).astype(np.int64)


def spread(found: Intervals, which: Bool, like: Weights) -> tuple[Intervals, Int64]:
    """Cut gaps into quarter hours and give each its part.

    Parameters
    ----------
    found
        Known amounts ordered by (channel, start), disjoint per channel.
    which
        Which of them are gaps that are to get a shape, shape (n,).

    Returns
    -------
    Intervals
        In the same order. The parts of a gap add up to its amount, to float rounding.
        A gap stays whole, to be spread on a straight line, when one of the classes of
        days that it touches has no like day, or all of its weights are 0.
    of
        Of which interval each is a part, shape (parts,).
    """
    gap = np.flatnonzero(which)
    row = _row(like, found.channel[gap], found.start[gap])
    gap, row = gap[row >= 0], row[row >= 0]
    first = found.start[gap] // QUARTER_US
    cells = (found.stop[gap] - 1) // QUARTER_US - first + 1
    piece = np.repeat(np.arange(gap.size), cells)
    begun = np.cumsum(cells) - cells
    cell = first[piece] + np.arange(piece.size) - begun[piece]
    begin = np.maximum(cell * QUARTER_US, found.start[gap][piece])
    end = np.minimum((cell + 1) * QUARTER_US, found.stop[gap][piece])
    row = row[piece]
    day, slot = like.calendar.local(cell * QUARTER_US)
    kind = like.calendar.like[day - like.calendar.first]
    weight = like.weight[row, kind, slot] * (end - begin)
    # whole numbers wrap around without loss, so one sum over all gaps is exact in each
    above = np.cumsum(weight)
    before = (above - weight) - (above - weight)[begun][piece]
    last = begun + cells - 1
    whole = (above[last] - (above - weight)[begun]) if gap.size else above
    shaped = whole > 0
    if gap.size:
        shaped &= np.logical_and.reduceat(like.known[row, kind], begun)
    kept = shaped[piece]
    amount = found.amount[gap][piece]
    total = np.where(shaped, whole, 1).astype(np.float64)[piece]
    amount = amount * ((before + weight) / total) - amount * (before / total)
    counts = np.ones(found.start.size, np.int64)
    counts[gap[shaped]] = cells[shaped]
    of = np.repeat(np.arange(counts.size), counts)
    cut = np.zeros(counts.size, np.bool_)
    cut[gap[shaped]] = True
    parts = found.take(of)
    pieces = np.flatnonzero(cut[of])
    parts.start[pieces] = begin[kept]
    parts.stop[pieces] = end[kept]
    parts.amount[pieces] = amount[kept]
    return parts, of


def _row(like: Weights, channel: Int64, start: Int64) -> Int64:
    """Give the row of weights of each gap; -1 where there is none."""
    if not start.size or not like.day.size:
        return np.full(start.size, -1, np.int64)
    day, _ = like.calendar.local(start)
    low = min(int(day.min()), int(like.day.min()))
    width = max(int(day.max()), int(like.day.max())) - low + 1
    there = like.channel * width + (like.day - low)
    key = channel * width + (day - low)
    place = np.minimum(np.searchsorted(there, key), there.size - 1)
    return np.where(there[place] == key, place, -1)
