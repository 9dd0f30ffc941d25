"""Notices registers that are stuck, and clocks that are wrong: what needs a wide look.

A mark of the job tells of the readings beside it; these need a day and more on either
side. So a look is taken only where there can be something.
"""

from datetime import timedelta

import numpy as np

from analytics import doubts
from analytics.jobs import catching, compute
from analytics.jobs.compute import World
from analytics.jobs.shaping import by_memory
from analytics.jobs.vintage import Vintage
from analytics.registers import (
    CLOCK,
    EVENT_NAMES,
    GLITCH,
    MOMENTARY,
    QUARTER_US,
    SPIKE,
    STUCK,
    Events,
)
from store import dirty, events
from store.database import Connection
from store.dirty import Span
from store.series import Series

SLOW = (STUCK, CLOCK)  # kinds that are told of here
WIDEN = MOMENTARY + 2
LOOKED_AT = tuple(EVENT_NAMES[each] for each in (GLITCH, SPIKE, STUCK, CLOCK))
CLOCK_WITHIN = timedelta(microseconds=doubts.CLOCK_US)


def notice(
    conn: Connection, world: World, spans: list[Span], used: Series
) -> tuple[list[Span], Events] | None:
    """Look at the registers of usages in spans that have just been written.

    Parameters
    ----------
    used
        The usage of the spans.

    Returns
    -------
    spans, events
        Of which spans of registers these are now all events of the kinds of
        :data:`SLOW`; None where nothing can have changed.
    """
    mine = [
        (each._replace(channel_id=source.channel_id), each)
        for each in spans
        for source in world.sources[each.channel_id]
        if source.kind == "register"
    ]
    around = [
        register._replace(
            start=register.start - _within(world, register),
            stop=register.stop + _within(world, register),
        )
        for register, _ in mine
    ]
    if not around:
        return None
    wanted = events.with_events(conn, around, LOOKED_AT)
    wanted |= _resting(conn, world, mine, used)
    around = [each for each in around if each.channel_id in wanted]
    if not around:
        return None
    # the first good reading at or behind the end is among the next few
    wide = {each.channel_id: each for each in dirty.widen(conn, around, WIDEN)}
    told = [each._replace(stop=wide[each.channel_id].stop) for each in around]
    found = [
        _look(conn, world, some)
        for some in by_memory(
            [
                each._replace(
                    start=each.start - _within(world, each),
                    stop=each.stop + _within(world, each),
                )
                for each in wide.values()
            ]
        )
    ]
    return sorted(told), Events(
        *(np.concatenate(each) for each in zip(*found, strict=True))
    )


def _within(world: World, register: Span) -> timedelta:
    """Give how far on either side a reading has to do with what is told."""
    limit = world.by_id[register.channel_id].stuck_after_s
    return max(CLOCK_WITHIN, timedelta(seconds=limit or 0.0))


def _resting(
    conn: Connection, world: World, spans: list[tuple[Span, Span]], used: Series
) -> set[int]:
    """Choose the registers that can have rested for too long in or across their span.

    Whole quarter hours of a rest are 0; those before, in a row within and behind the span
    must be enough.
    """
    limited = [
        (register, usage, limit)
        for register, usage in spans
        if (limit := world.by_id[register.channel_id].stuck_after_s) is not None
    ]
    if not limited:
        return set()
    zeros = dirty.zeros_beside(
        conn,
        [usage for _, usage, _ in limited],
        [timedelta(seconds=limit) for _, _, limit in limited],
    )
    longest = _longest_zeros(used)
    return {
        register.channel_id
        for register, usage, limit in limited
        if zeros.get(usage.channel_id, 0) + longest.get(usage.channel_id, 0)
        >= limit * 1e6 / QUARTER_US - 3
    }


def _longest_zeros(used: Series) -> dict[int, int]:
    """Count the quarter hours of the longest stretch of each id in which nothing counts."""
    zero = np.flatnonzero(used.values[0] == 0)
    if not zero.size:
        return {}
    fresh = np.ones(zero.size, np.bool_)
    fresh[1:] = (np.diff(used.key[zero]) != 0) | (
        np.diff(used.start_us[zero]) != QUARTER_US
    )
    begin = np.flatnonzero(fresh)
    length = np.diff(np.append(begin, zero.size))
    longest: dict[int, int] = {}
    for key, count in zip(used.key[zero[begin]].tolist(), length.tolist(), strict=True):
        longest[key] = max(longest.get(key, 0), count)
    return longest


def _look(conn: Connection, world: World, spans: list[Span]) -> Events:
    rows = catching.read(conn, spans, world.most_per_h, Vintage())
    known = compute.understand(world, rows)
    ids = np.array([each.channel_id for each in known.channels], np.int64)
    dense = np.searchsorted(ids, rows.channel)
    first, last = doubts.ends(known.intervals, dense, rows.at_us, rows.value)
    odd = known.events._replace(
        channel=np.searchsorted(ids, known.events.channel).astype(np.int64)
    )
    limits = np.array(
        [
            doubts.NEVER
            if each.stuck_after_s is None
            else round(each.stuck_after_s * 1e6)
            for each in known.channels
        ],
        np.int64,
    )
    said = compute.said_of(world, ids)
    found = doubts.stuck(known.intervals, first, last, limits, said).joined(
        doubts.clock(known.intervals, first, last, odd)
    )
    return found._replace(channel=ids[found.channel] if ids.size else found.channel)
