"""Finds where registers that were stuck caught up: what decides on days may lie far off.

A row of equal readings may be hundreds long, and the reading behind it says what it was.
So where a span begins or ends in such a row, the whole of it is read, and computed again.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from analytics.jobs.vintage import Vintage
from analytics.registers import (
    CATCH_UP,
    EVENT_NAMES,
    MOMENTARY,
    STUCK_US,
)
from store import stuck
from store.database import Connection
from store.dirty import Span
from store.readings import Rows, read_spans, to_datetime, to_us
from store.records import Channel
from store.stuck import Edge

CONTEXT = MOMENTARY + 4  # readings beside a span that decide on what is in it
MOMENT = timedelta(microseconds=1)
WITHIN = timedelta(microseconds=STUCK_US)


def read(
    conn: Connection,
    spans: Sequence[Span],
    most_per_h: Mapping[int, float],
    vintage: Vintage,
) -> Rows:
    """Read what decides on what is in spans of channels, one span each.

    Parameters
    ----------
    most_per_h
        The most that registers count in an hour, of those of which it is known.
    """

    def read_in(some: Sequence[Span]) -> Rows:
        return read_spans(
            conn,
            [(each.channel_id, each.start, each.stop) for each in some],
            context=CONTEXT,
            known_on=vintage.readings,
            revised_by=vintage.corrections,
        )

    rows = read_in(spans)
    found = stuck.across(
        conn,
        _doubtful(rows, spans, most_per_h),
        WITHIN,
        known_on=vintage.readings,
        revised_by=vintage.corrections,
    )
    if not found:
        return rows
    wide = _joined(spans, found)
    more = read_in([each for each, was in zip(wide, spans, strict=True) if each != was])
    parts = zip(rows.take(~np.isin(rows.channel, more.channel)), more, strict=True)
    rows = Rows(*(np.concatenate(each) for each in parts))
    return rows.take(np.lexsort((rows.at_us, rows.channel)))


def reached(
    conn: Connection,
    registers: Sequence[Channel],
    changed: Sequence[Span],
    most_per_h: Mapping[int, float],
) -> list[Span]:
    """Stretch spans of registers in which something changed to what that may change.

    Over the rows of equal readings that may end in a catch-up by now, and over those
    that did when they were computed last.

    Parameters
    ----------
    registers
        Of each span.
    """
    rated = [
        (register, each)
        for register, each in zip(registers, changed, strict=True)
        if each.channel_id in most_per_h
    ]
    if not rated:
        return list(changed)
    found = stuck.across(
        conn,
        [
            Edge(each.channel_id, at, most_per_h[each.channel_id])
            for _, each in rated
            # the first reading of a span may be the first of a row
            for at in (each.start + MOMENT, each.stop)
        ],
        WITHIN,
    )
    longest = {
        register.channel_id: timedelta(seconds=register.measured_up_to_s)
        for register, _ in rated
    }
    found += [
        # one that counts as measured is not stored as estimated
        each._replace(start=min(each.start, each.stop - longest[each.channel_id]))
        for each in stuck.told(
            conn,
            [each for _, each in rated],
            [register.usage_id for register, _ in rated],
            EVENT_NAMES[CATCH_UP],
            WITHIN,
        )
    ]
    return _joined(changed, found)


def _doubtful(
    rows: Rows, spans: Sequence[Span], most_per_h: Mapping[int, float]
) -> list[Edge]:
    """Choose the ends of spans that lie between equal readings, before them or in a jump."""
    edges: list[Edge] = []
    for each in spans:
        most = most_per_h.get(each.channel_id)
        if most is None:
            continue
        low, high = np.searchsorted(
            rows.channel, [each.channel_id, each.channel_id + 1]
        )
        mine = rows.at_us[low:high]
        for at in (each.start, each.stop):
            place = int(low + np.searchsorted(mine, to_us(at)))
            if not low < place < high:
                continue
            rise = rows.value[place] - rows.value[place - 1]
            hours = (rows.at_us[place] - rows.at_us[place - 1]) / 3.6e9
            if rise == 0 or rise > 0.999999 * most * hours:
                edges.append(Edge(each.channel_id, at, most))
            # also behind a jump: one step of the register is none
            if (
                rise != 0
                and place + 1 < high
                and rows.value[place + 1] == rows.value[place]
            ):
                first = to_datetime(int(rows.at_us[place]))
                edges.append(Edge(each.channel_id, first + MOMENT, most))
    return edges


def _joined(spans: Sequence[Span], found: Sequence[Span]) -> list[Span]:
    """Give spans, stretched over what touches them."""
    by_channel: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for each in found:
        by_channel[each.channel_id].append((each.start, each.stop))
    wide = []
    for each in spans:
        touching = [
            (start, stop)
            for start, stop in by_channel.get(each.channel_id, ())
            if start <= each.stop and stop >= each.start
        ]
        wide.append(
            each._replace(
                start=min([each.start, *(start for start, _ in touching)]),
                stop=max([each.stop, *(stop for _, stop in touching)]),
            )
        )
    return wide
