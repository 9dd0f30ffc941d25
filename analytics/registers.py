"""From registers to usage per interval, split exactly at its edges.

All arrays are flat and ordered by (channel, time); channels are dense indices
0 … n-1; times are microseconds since 1970 in UTC. Nothing loops over meters.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

QUARTER_US = 900_000_000
PLAUSIBLE_ROLLOVER = 0.1  # of the register's range; ours
MOMENTARY = 4  # odd readings in a row that are left out; more are no moment; ours

LONGEST_US = 366 * 86_400_000_000  # across a longer silence nothing is known; ours

TOLERATED = 1.1  # of a meter's rating: what more is used is impossible
ROLLOVER, RESET, GLITCH, SPIKE, OVERLAP, ERRATIC, GAP, JUMP, REPLACEMENT = range(9)
EVENT_NAMES = (
    "rollover",
    "reset",
    "glitch",
    "spike",
    "overlap",
    "erratic",
    "gap",
    "jump",
    "replacement",
)
# how sure the rule is that it was one, before a person says so; ours
EVENT_CONFIDENCE = (0.9, 0.6, 0.9, 0.9, 1.0, 0.6, 1.0, 0.8, 1.0)
EVENT_RULES = (
    "fell, and the wrapped rise is plausible for its digits and its rating",
    "fell, did not come back and is no plausible rollover: unknown, or begun at 0",
    "one reading below both neighbours, which rise: left out",
    "one reading above both neighbours, which rise: left out",
    "interval begins before an earlier one of the channel ends: not counted",
    "one of more than four odd readings in a row: what was used across them is unknown",
    "no reading for more than 366 days: what was used is unknown",
    "rose by more than 1.1 times what its rating allows: what was used is unknown",
    "replaced: what each of the two registers counted is added",
)

# what a person may say of an instant
REAL, LEFT_OUT, ROLLED, BEGAN, REPLACED = range(5)
VERDICTS = ("real", "left out", "rollover", "reset", "replacement")


class Intervals(NamedTuple):
    """Known amounts of [start, stop) by channel."""

    channel: Int64
    start: Int64
    stop: Int64
    amount: Float64

    def take(self, which: Bool | Int64) -> "Intervals":
        """Give the chosen ones."""
        return Intervals(
            self.channel[which], self.start[which], self.stop[which], self.amount[which]
        )


class Events(NamedTuple):
    """What was recognised in the registers; `kind` indexes :data:`EVENT_NAMES`."""

    channel: Int64
    at: Int64
    kind: Int64
    before: Float64
    after: Float64

    def joined(self, other: "Events") -> "Events":
        """Give both, by channel and time."""
        channel = np.concatenate([self.channel, other.channel])
        at = np.concatenate([self.at, other.at])
        order = np.lexsort((at, channel))
        return Events(
            channel[order],
            at[order],
            np.concatenate([self.kind, other.kind])[order],
            np.concatenate([self.before, other.before])[order],
            np.concatenate([self.after, other.after])[order],
        )


class Said(NamedTuple):
    """What persons said of registers, ordered by (channel, at); at most one an instant."""

    channel: Int64
    at: Int64
    verdict: Int64  # indexes :data:`VERDICTS`
    final: Float64  # of a replacement: last value of the old register
    initial: Float64  # and first of the new one


NOTHING_SAID = Said(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0),
    np.empty(0),
)


class Usage(NamedTuple):
    """Amount and known seconds of each interval of the grid that has any."""

    channel: Int64
    start: Int64
    amount: Float64
    measured_s: Float64
    estimated_s: Float64


class Steps(NamedTuple):
    """A step function per channel: `value` holds from `at` on; before the first, 1.

    Ordered by (channel, at).
    """

    channel: Int64
    at: Int64
    value: Float64


def intervals(
    channel: Int64,
    at: Int64,
    value: Float64,
    modulus: Float64,
    *,
    rated_per_h: Float64 | None = None,
    restarts: Bool | None = None,
    said: Said = NOTHING_SAID,
) -> tuple[Intervals, Events]:
    """Take differences of registers and recognise where they are none.

    Parameters
    ----------
    channel, at, value
        Readings, shape (n,), ordered by (channel, at), times distinct per channel;
        value in [unit of the register].
    modulus
        Range of each channel's register, shape (channels,), [unit]; NaN where it is
        not known.
    rated_per_h
        The most that each channel's register can count, shape (channels,), [unit/h];
        NaN where it is not known.
    restarts
        Channels whose register begins at 0 after a fall that is no rollover, shape
        (channels,): what it shows then was used since. Of others it is unknown.
    said
        What persons said, which stands for the rules. A replacement is that of the
        first reading at or after its instant.

    Returns
    -------
    Intervals
        Non-negative amounts between neighbouring good readings. Across a reset, and
        across more than four odd readings in a row, there is none: what was used is
        unknown.
    Events
        In the order of channel and time.

    Notes
    -----
    An odd reading, below or above both of its neighbours while these do not fall, is
    left out. Two devices that answer under one code make every reading odd: so more
    than :data:`MOMENTARY` in a row end what is known. An interval thus depends on at
    most MOMENTARY + 2 readings on either side of any instant in it, whatever the order
    of arrival; readings more than :data:`LONGEST_US` apart have nothing to do with each
    other, so that one from a clock that was never set costs nothing. Rollover by the
    register's digits as in DL/T 645-2007 meters: the wrapped rise is at most 1.1 times
    what the rating allows, or without a rating a tenth of the range. The rules are ours.
    """
    rated = np.full(modulus.size, np.nan) if rated_per_h is None else rated_per_h
    series, silent = _unbroken(channel, at)
    place, spoken = _spoken(channel, at, said)
    good, odd = _momentary(series, at, value, place, spoken)
    odd = odd._replace(channel=channel[np.searchsorted(series, odd.channel)])
    kept = np.flatnonzero(good)
    c, t, v, part = channel[kept], at[kept], value[kept], series[kept]
    same = (part[1:] == part[:-1]) & (np.diff(kept) <= MOMENTARY + 1)
    rise = v[1:] - v[:-1]
    most = TOLERATED * rated[c[1:]] * ((t[1:] - t[:-1]) / 3.6e9)
    verdict = np.full(at.size, -1, np.int64)
    verdict[place] = spoken
    verdict = verdict[kept][1:]
    fell = same & (rise < 0) & (verdict != REAL)
    wrapped = rise + modulus[c[1:]]
    likely = np.where(np.isnan(most), PLAUSIBLE_ROLLOVER * modulus[c[1:]], most)
    rolled = fell & (wrapped >= 0) & (wrapped <= likely) & (verdict != BEGAN)
    rolled |= fell & (wrapped >= 0) & (verdict == ROLLED)
    began = fell & ~rolled
    jumped = same & (rise > most) & (verdict != REAL)
    amount = np.where(rolled, wrapped, rise)
    known = same & ~began & ~jumped & (amount >= 0)
    if restarts is not None:
        restarted = began & restarts[c[1:]] & (v[1:] >= 0)
        amount = np.where(restarted, v[1:], amount)
        known |= restarted
    kind = np.select([rolled, began, jumped], [ROLLOVER, RESET, JUMP], -1)
    before = v[:-1].copy()
    after = v[1:].copy()
    which, of = _replaced(c, t, same, said)
    counted = (said.final[of] - v[which]) + (v[which + 1] - said.initial[of])
    sound = (said.final[of] >= v[which]) & (v[which + 1] >= said.initial[of])
    amount[which], known[which], kind[which] = counted, sound, REPLACEMENT
    before[which], after[which] = said.final[of], said.initial[of]
    falls = np.flatnonzero(kind >= 0)
    fallen = Events(
        c[1:][falls], t[1:][falls], kind[falls], before[falls], after[falls]
    )
    found = Intervals(c[1:][known], t[:-1][known], t[1:][known], amount[known])
    gaps = Events(
        channel[silent],
        at[silent],
        np.full(silent.size, GAP, np.int64),
        value[silent - 1],
        value[silent],
    )
    return found, odd.joined(fallen).joined(gaps)


def _key(*pairs: tuple[Int64, Int64]) -> list[Int64]:
    """Give (channel, time) pairs of several arrays numbers in one order."""
    times = [each for _, each in pairs if each.size]
    if not times:
        return [each for _, each in pairs]
    base = min(int(each.min()) for each in times)
    width = max(int(each.max()) for each in times) - base + 1
    return [channel * width + (at - base) for channel, at in pairs]


def _spoken(channel: Int64, at: Int64, said: Said) -> tuple[Int64, Int64]:
    """Find the readings of which somebody said something, and what."""
    if not said.at.size or not at.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    readings, instants = _key((channel, at), (said.channel, said.at))
    place = np.minimum(np.searchsorted(readings, instants), readings.size - 1)
    there = (readings[place] == instants) & (said.verdict != REPLACED)
    return place[there], said.verdict[there]


def _replaced(c: Int64, t: Int64, same: Bool, said: Said) -> tuple[Int64, Int64]:
    """Find the intervals in which a register was replaced, and by what was said of it."""
    of = np.flatnonzero(said.verdict == REPLACED)
    if not of.size or not t.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    readings, instants = _key((c, t), (said.channel[of], said.at[of]))
    which = np.searchsorted(readings, instants, "left") - 1
    inside = (which >= 0) & (which < same.size)
    inside[inside] = same[which[inside]] & (
        c[which[inside]] == said.channel[of[inside]]
    )
    # of two in one interval the values between are not known: the last one is taken
    last = np.ones(which.size, np.bool_)
    last[:-1] = which[1:] != which[:-1]
    return which[inside & last], of[inside & last]


def _unbroken(channel: Int64, at: Int64) -> tuple[Int64, Int64]:
    """Give the number of each unbroken stretch, and where a long silence ends."""
    fresh = np.zeros(channel.size, np.bool_)
    other = channel[1:] != channel[:-1]
    long = ~other & (np.diff(at) > LONGEST_US)
    fresh[1:] = other | long
    return np.cumsum(fresh), np.flatnonzero(long) + 1


def _momentary(
    channel: Int64, at: Int64, value: Float64, place: Int64, spoken: Int64
) -> tuple[Bool, Events]:
    good = np.ones(value.size, np.bool_)
    if value.size >= 3:
        left, mid, right = value[:-2], value[1:-1], value[2:]
        inside = (channel[:-2] == channel[2:]) & (left <= right)
        good[1:-1] = ~(inside & ((mid < left) | (mid > right)))
    good[place[spoken != LEFT_OUT]] = True
    good[place[spoken == LEFT_OUT]] = False
    which = np.flatnonzero(~good)
    if not which.size:
        none = np.empty(0, np.int64)
        return good, Events(none, none, none, np.empty(0), np.empty(0))
    before = np.maximum(which - 1, 0)
    kind = np.where(value[which] < value[before], GLITCH, SPIKE).astype(np.int64)
    fresh = np.ones(which.size, np.bool_)
    fresh[1:] = (np.diff(which) > 1) | (np.diff(channel[which]) != 0)
    run = np.cumsum(fresh) - 1
    kind[np.bincount(run)[run] > MOMENTARY] = ERRATIC
    return good, Events(channel[which], at[which], kind, value[before], value[which])


def amounts(
    channel: Int64, start: Int64, stop: Int64, amount: Float64
) -> tuple[Intervals, Events]:
    """Take interval amounts (deltas) that do not overlap.

    Parameters
    ----------
    channel, start, stop, amount
        Deltas, shape (n,), ordered by (channel, start).

    Returns
    -------
    Intervals
        Those that begin when all earlier ones of their channel have ended.
    Events
        One per interval that was left out.
    """
    if not start.size:
        empty = np.empty(0, np.int64)
        none = np.empty(0)
        return Intervals(channel, start, stop, amount), Events(
            empty, empty, empty, none, none
        )
    base = int(start.min())
    width = int(stop.max()) - base + 1
    ends = np.maximum.accumulate(channel * width + (stop - base))
    begins = channel * width + (start - base)
    over = np.zeros(start.size, np.bool_)
    over[1:] = begins[1:] < ends[:-1]
    which = np.flatnonzero(over)
    events = Events(
        channel[which],
        start[which],
        np.full(which.size, OVERLAP, np.int64),
        amount[_leading(channel * width + (stop - base))[which - 1]],
        amount[which],
    )
    return Intervals(channel, start, stop, amount).take(~over), events


def _leading(ends: Int64) -> Int64:
    """Index of the one that ends last so far, at each place."""
    top = np.maximum.accumulate(ends)
    fresh = np.ones(ends.size, np.bool_)
    fresh[1:] = ends[1:] > top[:-1]
    found: Int64 = np.maximum.accumulate(np.where(fresh, np.arange(ends.size), 0))
    return found


def beside(deltas: Intervals, known: Intervals, group: Int64) -> Intervals:
    """Leave out the deltas that overlap what a register of their group knows.

    Parameters
    ----------
    deltas, known
        Ordered by (channel, start); `known` disjoint per channel.
    group
        Of each channel, shape (channels,); a group has at most one register.
    """
    if not deltas.start.size or not known.start.size:
        return deltas
    base = min(int(deltas.start.min()), int(known.start.min()))
    width = max(int(deltas.stop.max()), int(known.stop.max())) - base + 1
    order = np.lexsort((known.start, group[known.channel]))
    place = group[known.channel][order] * width - base
    of = group[deltas.channel] * width - base
    begun = np.searchsorted(place + known.start[order], of + deltas.stop, "left")
    ended = np.searchsorted(place + known.stop[order], of + deltas.start, "right")
    return deltas.take(begun == ended)


def usage(
    found: Intervals,
    measured_up_to_us: Int64,
    multiplier: Steps,
    *,
    step_us: int = QUARTER_US,
) -> Usage:
    """Spread known amounts over a grid, split in proportion to time at its edges.

    Parameters
    ----------
    found
        Amounts ordered by (channel, start), disjoint per channel.
    measured_up_to_us
        Per channel, shape (channels,): an interval no longer than this counts as
        measured, a longer one as estimated in shape (its total is known all the same).
    multiplier
        CT x PT by channel and time; it applies from the instant it changes.
    step_us
        Width of the grid, counted from 1970-01-01T00:00Z.

    Returns
    -------
    Usage
        Ordered by (channel, start). The amounts of one interval's parts add up to the
        interval's amount times its multiplier, to float rounding.
    """
    long = (found.stop - found.start) > measured_up_to_us[found.channel]
    cut, of = _split_at_steps(found, multiplier)
    factor = _value_at(multiplier, cut.channel, cut.start)
    first = cut.start // step_us
    parts = (cut.stop - 1) // step_us - first + 1
    if cut.start.size and int(parts.max()) > 1:
        piece = np.repeat(np.arange(parts.size), parts)
        nth = np.arange(piece.size) - np.repeat(np.cumsum(parts) - parts, parts)
        cell = first[piece] + nth
        begin = np.maximum(cell * step_us, cut.start[piece])
        end = np.minimum((cell + 1) * step_us, cut.stop[piece])
        length = (cut.stop - cut.start).astype(np.float64)[piece]
        whole = cut.amount[piece]
        amount = whole * ((end - cut.start[piece]) / length) - whole * (
            (begin - cut.start[piece]) / length
        )
        channel, factor, estimated = cut.channel[piece], factor[piece], long[of][piece]
        seconds = (end - begin) / 1e6
    else:
        channel, cell, amount = cut.channel, first, cut.amount
        estimated = long[of]
        seconds = (cut.stop - cut.start) / 1e6
    amount = amount * factor
    if not channel.size:
        return Usage(channel, cell, amount, seconds, seconds)
    fresh = np.ones(channel.size, np.bool_)
    fresh[1:] = (np.diff(channel) != 0) | (np.diff(cell) != 0)
    begin = np.flatnonzero(fresh)
    return Usage(
        channel[begin],
        cell[begin] * step_us,
        np.add.reduceat(amount, begin),
        np.add.reduceat(np.where(estimated, 0.0, seconds), begin),
        np.add.reduceat(np.where(estimated, seconds, 0.0), begin),
    )


def _split_at_steps(found: Intervals, steps: Steps) -> tuple[Intervals, Int64]:
    """Cut intervals where their channel's step function changes inside them."""
    whole = np.arange(found.start.size)
    if not steps.at.size or not whole.size:
        return found, whole
    base = min(int(found.start.min()), int(steps.at.min()))
    width = max(int(found.stop.max()), int(steps.at.max())) - base + 1
    edges = steps.channel * width + (steps.at - base)
    low = np.searchsorted(edges, found.channel * width + found.start - base, "right")
    high = np.searchsorted(edges, found.channel * width + found.stop - base, "left")
    inside = high - low
    if not inside.any():
        return found, whole
    of = np.repeat(whole, inside + 1)
    nth = np.arange(of.size) - np.repeat(np.cumsum(inside + 1) - inside - 1, inside + 1)
    last = steps.at.size - 1
    before = np.minimum(np.maximum(low[of] + nth - 1, 0), last)
    after = np.minimum(low[of] + nth, last)
    begin = np.where(nth == 0, found.start[of], steps.at[before])
    end = np.where(nth == inside[of], found.stop[of], steps.at[after])
    length = (found.stop - found.start).astype(np.float64)[of]
    amount = found.amount[of] * ((end - found.start[of]) / length) - found.amount[
        of
    ] * ((begin - found.start[of]) / length)
    return Intervals(found.channel[of], begin, end, amount), of


def _value_at(steps: Steps, channel: Int64, at: Int64) -> Float64:
    """Value of each channel's step function; 1 before its first step."""
    if not steps.at.size or not at.size:
        return np.ones(at.size)
    base = min(int(at.min()), int(steps.at.min()))
    width = max(int(at.max()), int(steps.at.max())) - base + 1
    edges = steps.channel * width + (steps.at - base)
    place = np.searchsorted(edges, channel * width + at - base, "right") - 1
    inside = (place >= 0) & (steps.channel[np.maximum(place, 0)] == channel)
    return np.where(inside, steps.value[np.maximum(place, 0)], 1.0)
