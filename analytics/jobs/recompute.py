"""The job: take what is dirty, recompute exactly that and all that rests on it.

One run is one transaction for one park and at most one local month, so that memory is
bounded and readers see a long back-fill grow. Any number of processes may run it: a
park is claimed by a lock that lasts to the commit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import catching, compute, noticing, shaping, sliding, virtual
from analytics.jobs.compute import DEMAND_OF, World
from analytics.jobs.loads import HOLD
from analytics.registers import (
    EVENT_CONFIDENCE,
    EVENT_NAMES,
    EVENT_RULES,
    MOMENTARY,
    QUARTER_US,
    Bool,
    Events,
    Float64,
    Int64,
)
from store import dirty, kept, registry
from store.database import Connection
from store.dirty import Span
from store.events import RegisterEvent, replace_events
from store.readings import to_datetime, to_us
from store.series import (
    SLIDING,
    USAGE_15MIN,
    USAGE_DAY,
    USAGE_MONTH,
    Series,
    extent,
    read,
    write,
)

WIDEN = MOMENTARY + 2  # readings on either side whose intervals a new one can change
PAUSE = timedelta(days=1)
FAST = [each for each in range(len(EVENT_NAMES)) if each not in noticing.SLOW]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What one run did."""

    park_id: int
    readings: int  # read, those beside the spans included
    quarters: int  # usage rows of meters that are new or changed
    start: datetime | None = None  # of what was recomputed
    stop: datetime | None = None


def run_once(conn: Connection) -> Done | None:
    """Recompute one park's next month; None when nothing is dirty or all is taken."""
    with conn.transaction():
        park_id = dirty.claim_park(conn)
        if park_id is None:
            return None
        zone = next(p.zone for p in registry.parks(conn) if p.park_id == park_id)
        # marks first: whatever made one is then seen by what is read after them
        marks = dirty.take(conn, park_id)
        world = compute.load_world(conn, park_id, zone)
        totals = registry.totals(conn, park_id)
        spans = _settled(conn, world, totals, marks)
        if not spans:
            return Done(park_id=park_id, readings=0, quarters=0)
        begin = min(each.start for each in spans)
        window = _until_a_pause(spans, _month(world.zone, begin))
        now, later = _cut(spans, window)
        dirty.put_back(conn, park_id, later)
        done = replace(
            _recompute(conn, world, totals, now),
            start=min(each.start for each in now),
            stop=max(each.stop for each in now),
        )
        kept.count_change(conn, park_id)
        conn.execute("SELECT pg_notify('parkwatt_figures', %s)", (str(park_id),))
        return done


def _settled(
    conn: Connection,
    world: World,
    totals: dict[int, tuple[int, str]],
    marks: list[Span],
) -> list[Span]:
    """Turn marks on readings into spans of usage, and clip those on totals."""
    registers: list[Span] = []
    deltas: list[Span] = []
    of_gauges: list[Span] = []
    spans: list[Span] = []
    for mark in marks:
        known = world.by_id.get(mark.channel_id)
        if mark.channel_id in totals:
            # what is stored of it, and of meters that may count in it from now on
            quantity = totals[mark.channel_id][1]
            parts = [u.channel_id for u in world.usages if u.quantity == quantity]
            stored = extent(conn, USAGE_15MIN, mark.channel_id, *parts)
            if stored is None:
                continue
            # whole months: their rows say what is expected of all their days
            low = max(mark.start, _month(world.zone, stored[0])[0])
            high = min(mark.stop, _month(world.zone, stored[1])[1])
            if low < high:
                spans.append(mark._replace(start=low, stop=high))
        elif mark.channel_id in world.loads and not mark.settled:
            of_gauges += [
                Span(each.channel_id, mark.start - HOLD, mark.stop + HOLD, True)
                for each in world.loads[mark.channel_id]
            ]
        elif known is None:  # not confirmed: all of it is marked again when it is
            continue
        elif known.kind == "virtual":
            spans += _stored_of(conn, world, mark)
        elif mark.settled:
            spans.append(mark)
        else:
            (deltas if known.kind == "delta" else registers).append(mark)
    registers = dirty.extents(conn, registers)
    deltas = dirty.extents(conn, deltas)
    if registers:
        registers = _reached(conn, world, registers)
        gaps = shaping.reached(conn, world, registers)
        if (
            gaps
        ):  # there may be readings in one, which a register that was stuck has sent
            registers += _reached(conn, world, gaps)
    for each in registers:  # a register decides which amounts beside it count
        usage_id = world.by_id[each.channel_id].usage_id
        deltas += [
            each._replace(channel_id=other.channel_id)
            for other in world.sources[usage_id]
            if other.kind == "delta"
        ]
    if deltas:
        deltas = dirty.stretch(conn, deltas)
    of_gauges = [
        each._replace(stop=each.stop + HOLD) for each in dirty.extents(conn, of_gauges)
    ]
    for each in registers + deltas + of_gauges:
        known = world.by_id[each.channel_id]
        # windows that begin before it reach into a span
        early = world.reach if known.quantity == DEMAND_OF else timedelta()
        spans.append(Span(known.usage_id, each.start - early, each.stop, True))
    return spans


def _reached(conn: Connection, world: World, changed: list[Span]) -> list[Span]:
    """Stretch spans of registers in which something changed to what that may change."""
    # a backlog comes in many parts: what they reach to overlaps, and is asked for once
    wide = _united(dirty.widen(conn, changed, WIDEN))
    of = [world.by_id[each.channel_id] for each in wide]
    return catching.reached(conn, of, wide, world.most_per_h)


def _united(spans: Iterable[Span]) -> list[Span]:
    """Join spans of a channel that overlap or touch."""
    united: list[Span] = []
    for each in sorted(spans, key=lambda span: (span.channel_id, span.start)):
        last = united[-1] if united else None
        if last and last.channel_id == each.channel_id and each.start <= last.stop:
            united[-1] = last._replace(stop=max(last.stop, each.stop))
        else:
            united.append(each)
    return united


def _stored_of(conn: Connection, world: World, mark: Span) -> list[Span]:
    """Clip a mark on a virtual meter to what it and its parts have stored."""
    of = world.virtual[mark.channel_id]
    stored = extent(conn, USAGE_15MIN, of.usage_id, *of.real)
    if stored is None:
        return []
    low = max(mark.start, _month(world.zone, stored[0])[0])
    high = min(mark.stop, _month(world.zone, stored[1])[1])
    return [Span(mark.channel_id, low, high, True)] if low < high else []


def _month(zone: ZoneInfo, at: datetime) -> tuple[datetime, datetime]:
    first = at.astimezone(zone).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    following = (first + timedelta(days=32)).replace(day=1)
    return first, following


def _until_a_pause(
    spans: list[Span], window: tuple[datetime, datetime]
) -> tuple[datetime, datetime]:
    """End the window where nothing is to do for more than a day.

    Gaps may lie weeks behind what changed their shape: what is between stays as it is.
    """
    reach = None
    for each in sorted(spans, key=lambda span: span.start):
        if reach is not None and each.start - reach > PAUSE:
            return window[0], min(window[1], each.start)
        reach = each.stop if reach is None else max(reach, each.stop)
    return window


def _cut(
    spans: list[Span], window: tuple[datetime, datetime]
) -> tuple[list[Span], list[Span]]:
    """Split spans into one hull per channel inside the window and what lies behind it."""
    _, stop = window
    hulls: dict[int, tuple[datetime, datetime]] = {}
    later: list[Span] = []
    for span in spans:
        if span.start < stop:
            low, high = span.start, min(span.stop, stop)
            known = hulls.get(span.channel_id, (low, high))
            hulls[span.channel_id] = (min(known[0], low), max(known[1], high))
        if span.stop > stop:
            later.append(span._replace(start=max(span.start, stop), settled=True))
    now = [
        Span(channel, _floor(low), _ceil(high), True)
        for channel, (low, high) in sorted(hulls.items())
    ]
    return now, later


def _floor(at: datetime) -> datetime:
    return to_datetime(to_us(at) // QUARTER_US * QUARTER_US)


def _ceil(at: datetime) -> datetime:
    return to_datetime(-(-to_us(at) // QUARTER_US) * QUARTER_US)


def _recompute(
    conn: Connection,
    world: World,
    totals: dict[int, tuple[int, str]],
    marked: list[Span],
) -> Done:
    """Compute the usage in one span per id, and all that rests on it."""
    read_ids = world.by_id.keys() - world.virtual.keys()
    spans = [each for each in marked if each.channel_id in read_ids]
    own = [each for each in marked if each.channel_id in totals]
    used, readings = _usage(conn, world, spans)
    resting = virtual.resting(world.virtual, marked)
    used = _joined(used, _virtual_usage(conn, world, resting, spans, used))
    spans = sorted([*spans, *resting])
    keys = [each.channel_id for each in spans]
    edges = compute.days(
        world.zone, min(s.start for s in marked), max(s.stop for s in marked)
    )
    quantity = {
        each.channel_id: totals[each.channel_id][1]
        if each.channel_id in totals
        else world.by_id[each.channel_id].quantity
        for each in [*spans, *own]
    }
    # a mark on a total may be of a meter that has left: it stands for all of them
    subjects = None if own else _counted_for(world, keys)
    months = _months(world.zone, edges)
    plans = _plans(conn, world, totals, set(quantity.values()), months, subjects)
    # quarters of these days, on which days rest
    stored = read(conn, USAGE_15MIN, [*keys, *plans], edges[0], edges[-1])
    of_totals = np.isin(stored.key, list(plans))
    theirs, stored = stored.take(of_totals), stored.take(~of_totals)
    replaced = _inside(stored.key, stored.start_us, spans)
    gone, fresh = write(conn, USAGE_15MIN, stored.take(replaced), used)
    told = noticing.notice(conn, world, spans, used)
    if told is not None:
        _write_events(conn, *told, noticing.SLOW)
    mine = _joined(stored.take(~replaced), used)
    restated = _hull(own, gone, fresh)
    if restated is not None:  # else all that rests on them is as it was
        theirs = _write_totals(conn, plans, theirs, mine, keys, restated)
        _roll_up(conn, world.zone, (mine, theirs), keys, plans, edges)
        _write_negative(conn, resting, mine, edges)
    taken = [e for e in [*spans, *own] if quantity[e.channel_id] == DEMAND_OF]
    if taken:
        _write_sliding_totals(
            conn,
            world,
            _floor(min(each.start for each in taken)),
            _ceil(max(each.stop for each in taken)),
            subjects,
        )
    return Done(park_id=world.park_id, readings=readings, quarters=fresh.key.size)


def _counted_for(world: World, keys: list[int]) -> set[int]:
    """Give whom the meters of some usages ever count for."""
    measured = {world.by_id[key].measures for key in keys}
    return {
        subject
        for counts in (world.members, world.of_park)
        for each in measured
        for _, subject in counts.get(each, [])
        if subject is not None
    }


def _plans(
    conn: Connection,
    world: World,
    totals: dict[int, tuple[int, str]],
    quantities: set[str],
    months: tuple[datetime, datetime],
    subjects: set[int] | None,
) -> dict[int, compute.Total]:
    """Plan the totals of some quantities and subjects, by their channel.

    One that has no member any more is among them: what it holds must go.
    """
    planned = {
        (each.subject_id, each.quantity): each
        for each in compute.plan_totals(world, quantities, *months, subjects)
    }
    known = {each: channel for channel, each in totals.items()}
    for subject, quantity in known:
        if quantity in quantities and (subjects is None or subject in subjects):
            empty = compute.Total(subject_id=subject, quantity=quantity, parts=())
            planned.setdefault((subject, quantity), empty)
    return {
        known.get(each) or registry.add_channel(conn, *each, "total"): total
        for each, total in planned.items()
    }


def _hull(
    own: list[Span], gone: Series, fresh: Series
) -> tuple[datetime, datetime] | None:
    """Give the time in which totals must be added up: marked, or of a changed quarter."""
    at = np.concatenate([gone.start_us, fresh.start_us])
    edges = [each.start for each in own] + [each.stop for each in own]
    if at.size:
        edges += [to_datetime(int(at.min())), to_datetime(int(at.max()) + QUARTER_US)]
    return (min(edges), max(edges)) if edges else None


def _write_totals(
    conn: Connection,
    plans: dict[int, compute.Total],
    stored: Series,
    mine: Series,
    keys: list[int],
    restated: tuple[datetime, datetime],
) -> Series:
    """Write the quarters of totals in what is restated; give `stored` with them.

    What of their members is not `mine`, the usage of `keys`, is read.
    """
    members = {part[0] for total in plans.values() for part in total.parts}
    peers = sorted(members.difference(keys))
    usage = _joined(
        compute.clip(mine, *restated), read(conn, USAGE_15MIN, peers, *restated)
    )
    added = [Series.empty(len(USAGE_15MIN.columns))]
    for key, total in plans.items():
        found = compute.add_up(total, usage, *restated)
        added.append(found._replace(key=found.key + key))
    new = _joined(*added)
    old = compute.between(stored, *restated)
    write(conn, USAGE_15MIN, stored.take(old), new)
    return _joined(stored.take(~old), new)


def _usage(conn: Connection, world: World, spans: list[Span]) -> tuple[Series, int]:
    """Compute usage from readings, some ids at a time; record events and sliding demand."""
    parts = [Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((4, 0)))]
    readings = 0
    for some in shaping.by_memory(spans):
        rows = compute.read_sources(conn, world, _to_last_window(world, some))
        readings += rows.channel.size
        known = compute.understand(world, rows)
        used = compute.meter_usage(shaping.shape_gaps(conn, world, known, some))
        parts.append(used.take(_inside(used.key, used.start_us, some)))
        _write_sliding(conn, world, some, compute.meter_minutes(known))
        of_sources = sorted(
            each._replace(channel_id=source.channel_id)
            for each in some
            for source in world.sources[each.channel_id]
        )
        _write_events(conn, of_sources, known.events, FAST)
    return _joined(*parts), readings


def _virtual_usage(
    conn: Connection,
    world: World,
    resting: list[Span],
    spans: list[Span],
    used: Series,
) -> Series:
    """Compute the usage of virtual meters from what is stored, or is about to be."""
    if not resting:
        return used.take(np.empty(0, np.int64))
    low, high = min(s.start for s in resting), max(s.stop for s in resting)
    keys = {key for each in resting for key in world.virtual[each.channel_id].real}
    stored = read(conn, USAGE_15MIN, sorted(keys), low, high)
    stored = stored.take(~_inside(stored.key, stored.start_us, spans))
    return virtual.usage(world.virtual, resting, _joined(stored, used))


def _write_negative(
    conn: Connection, resting: list[Span], usage: Series, edges: list[datetime]
) -> None:
    """Tell of the days on which a virtual meter's usage falls below 0."""
    if resting:
        replace_events(
            conn,
            [each._replace(start=edges[0], stop=edges[-1]) for each in resting],
            [virtual.NEGATIVE],
            virtual.negative(resting, usage, edges),
        )


def _to_last_window(world: World, spans: list[Span]) -> list[Span]:
    """Let spans reach to the end of the last sliding window that begins in them."""
    return [
        each._replace(stop=each.stop + world.reach)
        if world.by_id[each.channel_id].quantity == DEMAND_OF
        else each
        for each in spans
    ]


def _write_sliding(
    conn: Connection, world: World, spans: list[Span], minutes: Series
) -> None:
    """Write the sliding demand of meters in their spans."""
    mine = sorted(
        each._replace(channel_id=world.by_id[each.channel_id].meter_id)
        for each in spans
        if world.by_id[each.channel_id].quantity == DEMAND_OF
    )
    if not mine:
        return
    start, stop = min(s.start for s in mine), max(s.stop for s in mine)
    old = read(conn, SLIDING, [each.channel_id for each in mine], start, stop)
    meters = [world.by_id[key].meter_id for key in minutes.key.tolist()]
    by_meter = minutes._replace(key=np.array(meters, np.int64)).ordered()
    new = sliding.sliding_demand(by_meter, world.rules)
    write(
        conn,
        SLIDING,
        old.take(_inside(old.key, old.start_us, mine)),
        new.take(_inside(new.key, new.start_us, mine)),
    )


def _write_sliding_totals(
    conn: Connection,
    world: World,
    start: datetime,
    stop: datetime,
    subjects: set[int] | None,
) -> None:
    """Write the sliding demand of park, enterprises and virtual meters, day after day."""
    edges = compute.days(world.zone, start, stop)
    meter = {each.channel_id: each.meter_id for each in world.usages}
    virtuals = compute.virtual_totals(world, start, stop)
    stored = {each.subject_id for each in virtuals} | (subjects or set())
    if subjects is None:
        known = registry.enterprises(conn, world.park_id)
        stored |= {world.park_id, *(each.enterprise_id for each in known)}
    for begin, end in pairwise(edges):
        low, high = max(begin, start), min(end, stop)
        last = high + world.reach
        whole = to_us(low), to_us(last)
        planned = compute.plan_totals(world, {DEMAND_OF}, low, last, subjects)
        planned += compute.virtual_totals(world, low, last)
        parts = [compute.real_parts(world, total) for total in planned]
        own = read(
            conn,
            SLIDING,
            sorted({meter[part[0]] for each in parts for part in each}),
            low,
            high,
        )
        # one member that is never known for a whole window makes its totals unknown; of
        # one with windows of another length that is not said
        told = set(own.key.tolist()) | world.rules.keys()
        wanted = [
            total
            for total, mine in zip(planned, parts, strict=True)
            if all(
                meter[channel] in told or since > whole[0] or until < whole[1]
                for channel, since, until in mine
            )
        ]
        minutes = sliding.Minutes(wanted, world, low, last)
        spans = [Span(key, low, last, True) for key in minutes.channels]
        for some in shaping.by_memory(spans):
            rows = compute.read_sources(conn, world, sorted(some))
            minutes.add(compute.meter_minutes(compute.understand(world, rows)))
        found = sliding.sliding_demand(minutes.known(), world.rules)
        found = compute.clip(found, low, high)
        old = read(conn, SLIDING, sorted(stored), low, high)
        write(conn, SLIDING, old, found)


def _inside(key: Int64, start_us: Int64, spans: list[Span]) -> Bool:
    """Tell which rows lie in the span of their channel (one span each, in order)."""
    if not spans:
        return np.zeros(key.size, np.bool_)
    ids = np.array([each.channel_id for each in spans], np.int64)
    low = np.array([to_us(each.start) for each in spans], np.int64)
    high = np.array([to_us(each.stop) for each in spans], np.int64)
    place = np.minimum(np.searchsorted(ids, key), ids.size - 1)
    inside: Bool = ids[place] == key
    return inside & (start_us >= low[place]) & (start_us < high[place])


def _joined(*parts: Series) -> Series:
    some = [each for each in parts if each.key.size] or parts[:1]
    if len(some) == 1:
        return some[0].ordered()
    return Series(
        np.concatenate([each.key for each in some]),
        np.concatenate([each.start_us for each in some]),
        np.concatenate([each.values for each in some], axis=1),
    ).ordered()


def _write_events(
    conn: Connection, spans: list[Span], events: Events, kinds: Sequence[int]
) -> None:
    inside = _inside(events.channel, events.at, spans)
    replace_events(
        conn,
        spans,
        [EVENT_NAMES[each] for each in kinds],
        [
            RegisterEvent(
                channel_id=int(events.channel[i]),
                at=to_datetime(int(events.at[i])),
                kind=EVENT_NAMES[events.kind[i]],
                value_before=float(events.before[i]),
                value_after=float(events.after[i]),
                rule=EVENT_RULES[events.kind[i]],
                confidence=EVENT_CONFIDENCE[events.kind[i]],
            )
            for i in np.flatnonzero(inside)
        ],
    )


def _roll_up(
    conn: Connection,
    zone: ZoneInfo,
    quarters: tuple[Series, ...],
    keys: list[int],
    plans: dict[int, compute.Total],
    edges: list[datetime],
) -> None:
    """Write days and months of meters and totals from their quarters."""
    first, last = _months(zone, edges)
    every = [*keys, *plans]
    daily = _joined(*(_summed(each, edges, plans) for each in quarters))
    stored = read(conn, USAGE_DAY, every, first, last)
    inside = compute.between(stored, edges[0], edges[-1])
    write(conn, USAGE_DAY, stored.take(inside), daily)
    months = [first]
    while months[-1] < last:
        months.append(_month(zone, months[-1])[1])
    monthly = _summed(_joined(stored.take(~inside), daily), months, plans)
    write(conn, USAGE_MONTH, read(conn, USAGE_MONTH, every, first, last), monthly)


def _summed(
    rows: Series, edges: list[datetime], plans: dict[int, compute.Total]
) -> Series:
    """Sum rows over [edge, next edge), with what is expected of meters and totals."""
    summed = compute.by_edges(rows, edges, _seconds(edges))
    edges_us = np.array([to_us(each) for each in edges], np.int64)
    for key, total in plans.items():
        mine = slice(*np.searchsorted(summed.key, [key, key + 1]))
        place = np.searchsorted(edges_us, summed.start_us[mine])
        summed.values[3, mine] = compute.expected_s(total, edges)[place]
    return summed


def _seconds(edges: list[datetime]) -> Float64:
    return np.diff([to_us(each) for each in edges]) / 1e6


def _months(zone: ZoneInfo, edges: list[datetime]) -> tuple[datetime, datetime]:
    last_day = edges[-1] - timedelta(days=1)
    return _month(zone, edges[0])[0], _month(zone, last_day)[1]
