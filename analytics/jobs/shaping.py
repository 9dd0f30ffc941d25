"""Gives long gaps the shape of their meters' like days, and finds gaps to give it anew."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from analytics import registers, shape
from analytics.jobs import catching, compute
from analytics.jobs.compute import QUARTER, Known, World
from analytics.jobs.daytypes import country_of, like_day
from analytics.jobs.vintage import KnownOn, Vintage
from analytics.registers import Bool, Intervals
from analytics.shape import DAY_US, LOOK_BACK, Calendar, Weights
from store import dirty, registry
from store.database import Connection
from store.dirty import Span
from store.readings import to_datetime, to_us
from store.records import Channel

CHUNK = timedelta(days=124)  # of channel time whose readings are in memory together
EPOCH = date(1970, 1, 1).toordinal()
# a gap that begins within it may have a like day in what has changed; with a margin for
# zones and for the first whole quarter hour of the gap
REACH = timedelta(days=LOOK_BACK + 1, hours=3)


def shape_gaps(
    conn: Connection,
    world: World,
    known: Known,
    spans: Sequence[Span],
    known_on: KnownOn = None,
) -> Known:
    """Cut the long gaps that reach into the spans of their usage to like days' shape.

    A register's gap that is longer than its straight line goes is cut; interval amounts
    stay straight. What is read beside is read of channels with such a gap alone.
    """
    which = _gaps(known, spans)
    if not which.any():
        return known
    gaps = known.intervals.take(which)
    country = next(
        country_of(each.region)
        for each in registry.parks(conn)
        if each.park_id == world.park_id
    )
    first = to_datetime(int(gaps.start.min())).date() - timedelta(days=LOOK_BACK + 2)
    last = to_datetime(int(gaps.stop.max())).date() + timedelta(days=2)
    calendar = calendar_of(world.zone, country, first, last)
    parts = [
        _weights(conn, world, known, each, calendar, known_on) for each in _chunks(gaps)
    ]
    like = Weights(
        np.concatenate([each.channel for each in parts]),
        np.concatenate([each.day for each in parts]),
        np.concatenate([each.known for each in parts]),
        np.concatenate([each.weight for each in parts]),
        calendar,
    )
    return known._replace(shaped=shape.spread(known.intervals, which, like))


def _gaps(known: Known, spans: Sequence[Span]) -> Bool:
    """Tell which intervals are to be cut."""
    reach = {each.channel_id: (to_us(each.start), to_us(each.stop)) for each in spans}
    outside = (0, 0)
    limits = np.array(
        [
            [
                _straight(each) // timedelta(microseconds=1)
                if each.kind == "register"
                else np.iinfo(np.int64).max,
                *reach.get(each.usage_id, outside),
            ]
            for each in known.channels
        ],
        np.int64,
    ).reshape(-1, 3)
    found = known.intervals
    long: Bool = (found.stop - found.start) > limits[found.channel, 0]
    if long.any():
        low, high = limits[found.channel, 1], limits[found.channel, 2]
        long &= (found.start < high) & (found.stop > low)
    return long


def _chunks(gaps: Intervals) -> Iterator[Intervals]:
    """Group gaps by channels so that the readings before them fit into memory."""
    fresh = np.flatnonzero(np.diff(gaps.channel, prepend=-1))
    ends = np.append(fresh[1:], gaps.channel.size)
    begin, time = 0, timedelta()
    for low, high in zip(fresh.tolist(), ends.tolist(), strict=True):
        days = (int(gaps.start[high - 1]) - int(gaps.start[low])) / DAY_US + LOOK_BACK
        if time and time + timedelta(days=days) > CHUNK:
            yield gaps.take(np.arange(begin, low))
            begin, time = low, timedelta()
        time += timedelta(days=days)
    yield gaps.take(np.arange(begin, gaps.channel.size))


def by_memory(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Group spans so that the readings of a group fit into memory at any cadence."""
    some: list[Span] = []
    time = timedelta()
    for span in spans:
        some.append(span)
        time += span.stop - span.start
        if time >= CHUNK:
            yield some
            some, time = [], timedelta()
    if some:
        yield some


def _weights(
    conn: Connection,
    world: World,
    known: Known,
    gaps: Intervals,
    calendar: Calendar,
    known_on: KnownOn,
) -> Weights:
    """Read what was measured before some gaps, and weigh the quarter hours by it."""
    day, _ = calendar.local(gaps.start)
    spans = []
    for dense in np.unique(gaps.channel).tolist():
        mine = gaps.channel == dense
        # local midnights lie within a day of those of UTC
        low = (int(day[mine].min()) - LOOK_BACK - 1) * DAY_US
        high = int(gaps.start[mine].max())
        spans.append(
            Span(
                known.channels[dense].channel_id,
                to_datetime(low),
                to_datetime(high),
                settled=True,
            )
        )
    rows = catching.read(conn, spans, world.most_per_h, Vintage.of(known_on))
    before = compute.understand(world, rows)
    limits = compute.measured_up_to_us(before.channels)
    whole = before.intervals
    short = (whole.stop - whole.start) <= limits[whole.channel]
    measured = registers.usage(whole.take(short), limits, before.multiplier)
    dense_of = {each.channel_id: i for i, each in enumerate(known.channels)}
    back = np.array([dense_of[each.channel_id] for each in before.channels], np.int64)
    measured = measured._replace(channel=back[measured.channel])
    return shape.weights(gaps.channel, day, measured, calendar)


@lru_cache(maxsize=64)
def calendar_of(
    zone: ZoneInfo, country: str | None, first: date, last: date
) -> Calendar:
    """Give the local time and the classes of the days [first, last]."""
    noons = [
        datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        for day in _days(first, last)
    ]
    at, offset = [to_us(noons[0])], [_offset_us(zone, to_us(noons[0]))]
    for low, high in zip(map(to_us, noons[:-1]), map(to_us, noons[1:]), strict=True):
        if _offset_us(zone, high) == offset[-1]:
            continue
        while high - low > 1_000_000:  # clocks change at whole seconds
            middle = (low + high) // 2_000_000 * 1_000_000
            if _offset_us(zone, middle) == offset[-1]:
                low = middle
            else:
                high = middle
        at.append(high)
        offset.append(_offset_us(zone, high))
    return Calendar(
        np.array(at, np.int64),
        np.array(offset, np.int64),
        first.toordinal() - EPOCH,
        np.array([like_day(country, day) for day in _days(first, last)], np.int64),
    )


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]


def _offset_us(zone: ZoneInfo, at_us: int) -> int:
    offset = to_datetime(at_us).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def reached(conn: Connection, world: World, changed: list[Span]) -> list[Span]:
    """List the gaps whose like days lie in spans of registers that have changed.

    They are looked for among the stored usage: a gap that is not there yet waits to be
    computed anyway. One that is no longer than its straight line goes has no like days.
    """
    known = [(world.by_id[each.channel_id], each.stop) for each in changed]
    # so that enough is seen of a gap which begins within reach to tell how long it is
    asked = [
        Span(
            register.usage_id,
            stop - 2 * QUARTER,
            stop + REACH + _straight(register),
            settled=True,
        )
        for register, stop in known
    ]
    # a gap that is seen from the first quarter hour on may have begun long before it
    cut = {(each.channel_id, compute.quarter(to_us(each.start))) for each in asked}
    return [
        each._replace(channel_id=source.channel_id, settled=False)
        for each in dirty.estimated(conn, asked)
        for source in world.sources[each.channel_id]
        if source.kind == "register"
        # at both ends of a gap less than a quarter hour is not whole
        and (
            each.stop - each.start + 2 * QUARTER > _straight(source)
            or (each.channel_id, to_us(each.start)) in cut
        )
    ]


def _straight(channel: Channel) -> timedelta:
    """Give how long a gap may be to run on a straight line."""
    return timedelta(seconds=max(channel.straight_up_to_s, channel.measured_up_to_s))
