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
MOMENTARY = (
    4  # odd readings in a row at most that are left out; more are no moment; ours
)

UNUSUAL = 1.5  # a gap lasts longer than so many distances of readings beside it; ours
LONGEST_US = 366 * 86_400_000_000  # across a longer silence nothing is known; ours
STUCK_US = (
    28 * 86_400_000_000
)  # a register that is stuck longer catches up no more; ours

TOLERATED = 1.1  # of a meter's rating: what more is used is impossible
SHOWN = 2e-15  # of a reading: as far as a decimal may lie from its double
ROLLOVER, RESET, GLITCH, SPIKE, OVERLAP, ERRATIC, SILENCE, JUMP, REPLACEMENT = range(9)
GAP, RATIO, STUCK, CLOCK, CATCH_UP = range(9, 14)
EVENT_NAMES = (
    "rollover",
    "reset",
    "glitch",
    "spike",
    "overlap",
    "erratic",
    "silence",
    "jump",
    "replacement",
    "gap",
    "multiplier change",
    "stuck",
    "clock",
    "catch-up",
)
# how sure the rule is that it was one, before a person says so; ours
EVENT_CONFIDENCE = (
    *(0.9, 0.6, 0.9, 0.9, 1.0, 0.6, 1.0, 0.8, 1.0, 1.0, 1.0, 0.3, 0.5),
    0.7,  # of a catch-up
)
EVENT_RULES = (
    "fell, and the wrapped rise is plausible for its digits and its rating",
    "fell, did not come back and is no plausible rollover: unknown, or begun at 0",
    "one reading below both neighbours, which rise: left out",
    "one reading above both neighbours, which rise: left out",
    "interval begins before an earlier one of the channel ends: not counted",
    "one of more odd readings in a row than are left out: what was used is unknown",
    "no reading for more than 366 days: what was used is unknown",
    "rose by more than 1.1 times what its rating allows: what was used is unknown",
    "replaced: what each of the two registers counted is added",
    "no good reading for longer than its shape counts as measured: the energy is known",
    "its ratio was stated to change: each side counts with its own",
    "has shown the same for longer than it is expected to rest: counts as no usage",
    "left out, and what it shows the register showed at another time: a wrong clock",
    "too much at once, not for the time since it was live: stuck, the energy is known",
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
    momentary: Int64 | None = None,
    measured_up_to_us: Int64 | None = None,
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
    momentary
        How many odd readings in a row are left out of each channel, shape (channels,),
        1 … :data:`MOMENTARY`; None: MOMENTARY.
    measured_up_to_us
        A known interval that is longer is a gap, shape (channels,); None: none is told.
        One no longer than :data:`UNUSUAL` times the distance of the readings beside it
        is how the meter is read, and not told.

    Returns
    -------
    Intervals
        Non-negative amounts between neighbouring good readings; of a register that was
        stuck one amount from the last reading before that to where it caught up. Across
        a reset, and across more odd readings in a row than are left out, there is none:
        what was used is unknown.
    Events
        In the order of channel and time.

    Notes
    -----
    An odd reading, below or above both of its neighbours while these do not fall, is
    left out. Two devices that answer under one code make every reading odd: so more
    than `momentary` in a row end what is known. An interval thus depends on at
    most MOMENTARY + 2 readings on either side of any instant in it, whatever the order
    of arrival; readings more than :data:`LONGEST_US` apart have nothing to do with each
    other, so that one from a clock that was never set costs nothing. Rollover by the
    register's digits as in DL/T 645-2007 meters: the wrapped rise is at most 1.1 times
    what the rating allows, or without a rating a tenth of the range. What a rating
    allows is that and one step of the register, since it counts in whole steps. The
    rules are ours.

    A rise above the rating that ends a row of readings which are all the same is a
    catch-up where its rating allows it for the time since the reading before these, the
    last that was live for sure: a display or a gateway was stuck, and a register's energy
    is known though its shape is not. The row must have begun with a rise (else it may be
    what a fault shows; where that was a jump itself the time begins behind it), not at 0
    (what a device shows that has no value) and at most :data:`STUCK_US` ago, and no
    reading among it and beside it is odd. A reading of the row that somebody called real
    was right: the register is stuck since then at the earliest. What was said of the
    catch-up itself stands for the rule.
    """
    rated = np.full(modulus.size, np.nan) if rated_per_h is None else rated_per_h
    series, silent = _unbroken(channel, at)
    place, spoken = _spoken(channel, at, said)
    bound = None if momentary is None else momentary[channel]
    good, odd = _momentary(series, at, value, place, spoken, bound)
    odd = odd._replace(channel=channel[np.searchsorted(series, odd.channel)])
    if odd.at.size:
        kept = np.flatnonzero(good)
        c, t, v, part = channel[kept], at[kept], value[kept], series[kept]
        out = np.diff(kept) - 1
        same = (part[1:] == part[:-1]) & (
            out <= (MOMENTARY if bound is None else bound[kept[1:]])
        )
    else:
        kept, c, t, v = None, channel, at, value
        same = series[1:] == series[:-1]
    amount = v[1:] - v[:-1]
    strange = amount < 0
    if not np.isnan(rated).all():
        strange |= amount > _most(rated, c[1:], t[:-1], t[1:])
    falls = np.flatnonzero(strange & same)
    verdict = np.full(channel.size, -1, np.int64) if place.size else None
    real = None
    if verdict is not None:
        verdict[place] = spoken
        verdict = verdict if kept is None else verdict[kept]
        real, verdict = verdict == REAL, verdict[1:][falls]
    most = _most(rated, c[1:][falls], t[:-1][falls], t[1:][falls])
    most += _step(v[:-1][falls], v[1:][falls])
    strange[falls] = ~((amount[falls] >= 0) & (amount[falls] <= most))
    kind, counts = _strange(
        amount[falls],
        v[1:][falls],
        modulus[c[1:][falls]],
        most,
        np.zeros(falls.size, np.bool_) if restarts is None else restarts[c[1:][falls]],
        verdict,
    )
    before, after = v[:-1][falls], v[1:][falls]
    amount[falls] = counts
    which, of = _replaced(c, t, same, said)
    jump = kind == JUMP
    if verdict is not None:
        jump &= verdict < 0
    jumps = falls[jump & ~np.isin(falls, which)]
    if jumps.size:
        whole = same.copy() if kept is None else same & (out == 0)
        whole[which] = False
        jumps, first = _caught_up(jumps, c, t, v, whole, strange, real, rated)
    else:
        first = jumps
    amount[jumps] = v[jumps + 1] - v[first]
    kind[np.isin(falls, jumps)] = CATCH_UP
    if which.size:
        final, initial = said.final[of], said.initial[of]
        sound = (final >= v[which]) & (v[which + 1] >= initial)
        counted = (final - v[which]) + (v[which + 1] - initial)
        amount[which] = np.where(sound, counted, np.nan)
        other = ~np.isin(falls, which)
        falls = np.concatenate([falls[other], which])
        kind = np.concatenate([kind[other], np.full(which.size, REPLACEMENT)])
        before = np.concatenate([before[other], final])
        after = np.concatenate([after[other], initial])
    told = kind >= 0
    fallen = Events(
        c[1:][falls][told], t[1:][falls][told], kind[told], before[told], after[told]
    )
    known = same & ~np.isnan(amount)
    begin = t[:-1]
    if jumps.size:
        begin = begin.copy()
        begin[jumps] = t[first]
        known[_ranges(first, jumps)] = False
    found = Intervals(c[1:][known], begin[known], t[1:][known], amount[known])
    gaps = Events(
        channel[silent],
        at[silent],
        np.full(silent.size, SILENCE, np.int64),
        value[silent - 1],
        value[silent],
    )
    told_of = odd.joined(fallen).joined(gaps)
    if measured_up_to_us is None:
        return found, told_of
    long = np.flatnonzero(found.stop - found.start > measured_up_to_us[found.channel])
    if not long.size:
        return found, told_of
    of = np.flatnonzero(known)[long]
    usual = _beside(channel, at, *(of, of + 1) if kept is None else kept[[of, of + 1]])
    unusual = found.stop[long] - found.start[long] > UNUSUAL * usual
    unusual &= ~np.isin(of, jumps)
    long, of = long[unusual], of[unusual]
    return found, told_of.joined(
        Events(
            found.channel[long],
            found.stop[long],
            np.full(long.size, GAP, np.int64),
            v[:-1][of],
            v[1:][of],
        )
    )


def _beside(channel: Int64, at: Int64, first: Int64, last: Int64) -> Int64:
    """Give how far the nearest reading beside intervals is from their end; 0: none is.

    Of readings as they came: those that were left out tell of the cadence too.
    """
    never = np.iinfo(np.int64).max
    before, after = np.maximum(first - 1, 0), np.minimum(last + 1, at.size - 1)
    there = (before < first) & (channel[before] == channel[first])
    low = np.where(there, at[first] - at[before], never)
    there = (after > last) & (channel[after] == channel[last])
    near = np.minimum(low, np.where(there, at[after] - at[last], never))
    return np.where(near == never, 0, near)


def _caught_up(
    jumps: Int64,
    c: Int64,
    t: Int64,
    v: Float64,
    whole: Bool,
    strange: Bool,
    real: Bool | None,
    rated: Float64,
) -> tuple[Int64, Int64]:
    """Choose the jumps that end a row of equal readings, and give the reading before it.

    Parameters
    ----------
    jumps
        Intervals, by the reading with which they begin.
    whole
        Intervals between readings beside which none was left out, shape (n - 1,).
    strange
        Intervals in which a register fell or rose too much, shape (n - 1,).
    real
        Readings that somebody called real, shape (n,); None: nobody did.
    """
    equal = whole & (v[1:] == v[:-1])
    if real is not None:
        equal &= ~real[1:]
    still = np.flatnonzero(equal)
    jumps = jumps[equal[jumps - 1] & (jumps > 0)]
    fresh = np.ones(still.size, np.bool_)
    fresh[1:] = np.diff(still) > 1
    begin = np.maximum.accumulate(np.where(fresh, still, 0))
    first = begin[np.searchsorted(still, jumps - 1)]
    before = np.maximum(first - 1, 0)
    trusted = (first > 0) & whole[before] & (v[first] > v[before])
    live = trusted & ~strange[before]
    if real is not None:
        trusted |= real[first]
        live &= ~real[first]
    since, stop = np.where(live, before, first), t[jumps + 1]
    caught = trusted & whole[jumps] & (v[jumps] != 0)
    caught &= stop - t[since] <= STUCK_US
    most = _most(rated, c[jumps], t[since], stop) + _step(v[since], v[jumps + 1])
    caught &= v[jumps + 1] - v[since] <= most
    return jumps[caught], since[caught]


def _ranges(start: Int64, stop: Int64) -> Int64:
    """Give start, start + 1 … stop - 1 of each."""
    length = stop - start
    first = np.repeat(start - (np.cumsum(length) - length), length)
    found: Int64 = first + np.arange(first.size)
    return found


def _most(rated: Float64, channel: Int64, start: Int64, stop: Int64) -> Float64:
    """Give the most that registers can count between two readings; NaN: not known."""
    return TOLERATED * rated[channel] * ((stop - start) / 3.6e9)


def _step(before: Float64, after: Float64) -> Float64:
    """Give one step of registers, by the last decimal that either reading shows.

    A register read every few seconds counts nothing, then a whole step: more than its
    rating allows for that time, and yet right. 0 where there are more than 6 decimals.
    """
    step = np.zeros(before.size)
    for decimals in range(6, -1, -1):
        scaled = np.stack([before, after]) * 10.0**decimals
        whole = np.abs(scaled - np.rint(scaled)) <= SHOWN * np.abs(scaled)
        step[whole.all(axis=0)] = 10.0**-decimals
    return step


def _strange(
    rise: Float64,
    shown: Float64,
    modulus: Float64,
    most: Float64,
    restarts: Bool,
    verdict: Int64 | None,
) -> tuple[Int64, Float64]:
    """Tell what intervals are in which a register fell or rose too much.

    Returns
    -------
    kind, amount
        -1 where it is nothing after all; NaN where what was used is unknown.
    """
    said = np.full(rise.size, -1, np.int64) if verdict is None else verdict
    fell = (rise < 0) & (said != REAL)
    wrapped = rise + modulus
    likely = np.where(np.isnan(most), PLAUSIBLE_ROLLOVER * modulus, most)
    rolled = fell & (wrapped >= 0) & ((wrapped <= likely) & (said != BEGAN))
    rolled |= fell & (wrapped >= 0) & (said == ROLLED)
    began = fell & ~rolled
    jumped = (rise > most) & (said != REAL)
    kind = np.select([rolled, began, jumped], [ROLLOVER, RESET, JUMP], -1)
    restarted = began & restarts & (shown >= 0)
    amount = np.select(
        [rolled, restarted, began | jumped | (rise < 0)], [wrapped, shown, np.nan], rise
    )
    return kind.astype(np.int64), amount


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
    channel: Int64,
    at: Int64,
    value: Float64,
    place: Int64,
    spoken: Int64,
    bound: Int64 | None,
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
    before = np.where(channel[before] == channel[which], before, which)
    kind = np.where(value[which] < value[before], GLITCH, SPIKE).astype(np.int64)
    fresh = np.ones(which.size, np.bool_)
    fresh[1:] = (np.diff(which) > 1) | (np.diff(channel[which]) != 0)
    run = np.cumsum(fresh) - 1
    most = MOMENTARY if bound is None else bound[which]
    kind[np.bincount(run)[run] > most] = ERRATIC
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
    estimated: Bool | None = None,
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
    estimated
        Which amounts are parts of longer intervals whose shape is estimated, shape (n,);
        None: by `measured_up_to_us`.

    Returns
    -------
    Usage
        Ordered by (channel, start). The amounts of one interval's parts add up to the
        interval's amount times its multiplier, to float rounding.
    """
    long = estimated
    if long is None:
        long = (found.stop - found.start) > measured_up_to_us[found.channel]
    cut, of = _split_at_steps(found, multiplier)
    if of is not None:
        long = long[of]
    first = cut.start // step_us
    last = (cut.stop - 1) // step_us
    channel, cell, amount, at = cut.channel, first, cut.amount, cut.start
    seconds, guessed = (cut.stop - cut.start) / 1e6, long
    if not (first == last).all():
        parts = last - first + 1
        piece = np.repeat(np.arange(parts.size), parts)
        channel, cell, amount = channel[piece], cell[piece], amount[piece]
        at, seconds, guessed = at[piece], seconds[piece], guessed[piece]
        # what lies within one cell is whole
        split = np.flatnonzero((parts > 1)[piece])
        of = piece[split]
        cell[split] += split - (np.cumsum(parts) - parts)[of]
        begin = np.maximum(cell[split] * step_us, cut.start[of])
        end = np.minimum((cell[split] + 1) * step_us, cut.stop[of])
        length = (cut.stop - cut.start).astype(np.float64)[of]
        whole = cut.amount[of]
        amount[split] = whole * ((end - cut.start[of]) / length) - whole * (
            (begin - cut.start[of]) / length
        )
        seconds[split] = (end - begin) / 1e6
    if multiplier.at.size:
        amount = amount * _value_at(multiplier, channel, at)
    fresh = np.ones(channel.size, np.bool_)
    np.not_equal(channel[1:], channel[:-1], out=fresh[1:])
    fresh[1:] |= cell[1:] != cell[:-1]
    if fresh.all():
        return Usage(
            channel,
            cell * step_us,
            amount,
            np.where(guessed, 0.0, seconds),
            np.where(guessed, seconds, 0.0),
        )
    begin = np.flatnonzero(fresh)
    return Usage(
        channel[begin],
        cell[begin] * step_us,
        np.add.reduceat(amount, begin),
        np.add.reduceat(np.where(guessed, 0.0, seconds), begin),
        np.add.reduceat(np.where(guessed, seconds, 0.0), begin),
    )


def _split_at_steps(found: Intervals, steps: Steps) -> tuple[Intervals, Int64 | None]:
    """Cut intervals where their channel's step function changes inside them.

    Returns
    -------
    Intervals
        Whole ones and parts.
    of
        Of which interval each is; None where none was cut.
    """
    if not steps.at.size or not found.start.size:
        return found, None
    base = min(int(found.start.min()), int(steps.at.min()))
    width = max(int(found.stop.max()), int(steps.at.max())) - base + 1
    edges = steps.channel * width + (steps.at - base)
    low = np.searchsorted(edges, found.channel * width + found.start - base, "right")
    high = np.searchsorted(edges, found.channel * width + found.stop - base, "left")
    inside = high - low
    if not inside.any():
        return found, None
    of = np.repeat(np.arange(found.start.size), inside + 1)
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
