"""The job: take what is dirty, recompute exactly that and all that rests on it.

One run is one transaction for one park and at most one local month, so that memory is
bounded and readers see a long back-fill grow. Any number of processes may run it: a
park is claimed by a lock that lasts to the commit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import compute, sliding, virtual
from analytics.jobs.compute import DEMAND_OF, World
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
from store import dirty, registry
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
    Table,
    extent,
    read,
    write,
)

WIDEN = MOMENTARY + 2  # readings on either side whose intervals a new one can change
CHUNK = timedelta(days=124)  # of channel time whose readings are in memory together


@dataclass(frozen=True, kw_only=True)
class Done:
    """What one run did."""

    park_id: int
    readings: int  # read, those beside the spans included
    quarters: int  # usage rows of meters that are new or changed


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
        window = _month(world.zone, begin)
        now, later = _cut(spans, window)
        dirty.put_back(conn, park_id, later)
        done = _recompute(conn, world, totals, now)
        conn.execute("SELECT pg_notify('parkwatt_figures', %s)", (str(park_id),))
        return done


def _settled(
    conn: Connection, world: World, totals: dict[int, str], marks: list[Span]
) -> list[Span]:
    """Turn marks on readings into spans of usage, and clip those on totals."""
    registers: list[Span] = []
    deltas: list[Span] = []
    spans: list[Span] = []
    for mark in marks:
        known = world.by_id.get(mark.channel_id)
        if mark.channel_id in totals:
            stored = extent(conn, USAGE_15MIN, mark.channel_id)
            if stored is None:
                continue
            # whole months: their rows say what is expected of all their days
            low = max(mark.start, _month(world.zone, stored[0])[0])
            high = min(mark.stop, _month(world.zone, stored[1])[1])
            if low < high:
                spans.append(mark._replace(start=low, stop=high))
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
        registers = dirty.widen(conn, registers, WIDEN)
    for each in registers:  # a register decides which amounts beside it count
        usage_id = world.by_id[each.channel_id].usage_id
        deltas += [
            each._replace(channel_id=other.channel_id)
            for other in world.sources[usage_id]
            if other.kind == "delta"
        ]
    if deltas:
        deltas = dirty.stretch(conn, deltas)
    for each in registers + deltas:
        known = world.by_id[each.channel_id]
        # windows that begin before it reach into a span
        early = world.reach if known.quantity == DEMAND_OF else timedelta()
        spans.append(Span(known.usage_id, each.start - early, each.stop, True))
    return spans


def _stored_of(conn: Connection, world: World, mark: Span) -> list[Span]:
    """Clip a mark on a virtual meter to what it and its parts have stored."""
    of = world.virtual[mark.channel_id]
    stored = [extent(conn, USAGE_15MIN, key) for key in (of.usage_id, *of.real)]
    known = [each for each in stored if each is not None]
    if not known:
        return []
    low = max(mark.start, _month(world.zone, min(each[0] for each in known))[0])
    high = min(mark.stop, _month(world.zone, max(each[1] for each in known))[1])
    return [Span(mark.channel_id, low, high, True)] if low < high else []


def _month(zone: ZoneInfo, at: datetime) -> tuple[datetime, datetime]:
    first = at.astimezone(zone).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    following = (first + timedelta(days=32)).replace(day=1)
    return first, following


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
    conn: Connection, world: World, totals: dict[int, str], marked: list[Span]
) -> Done:
    """Compute the usage in one span per id, and all that rests on it."""
    read_ids = world.by_id.keys() - world.virtual.keys()
    spans = [each for each in marked if each.channel_id in read_ids]
    used, readings = _usage(conn, world, spans)
    resting = virtual.resting(world.virtual, marked)
    used = _joined(used, _virtual_usage(conn, world, resting, spans, used))
    spans = sorted([*spans, *resting])
    keys = [each.channel_id for each in spans]
    edges = compute.days(
        world.zone, min(s.start for s in marked), max(s.stop for s in marked)
    )
    start, stop = edges[0], edges[-1]
    quantities = {world.by_id[key].quantity for key in keys}
    quantities |= {totals[s.channel_id] for s in marked if s.channel_id in totals}
    # their usage of these days, on which days rest, and that of all meters of the same
    # quantities in what is restated, on which totals rest
    stored = read(conn, USAGE_15MIN, keys, start, stop)
    replaced = _inside(stored.key, stored.start_us, spans)
    changed = write(conn, USAGE_15MIN, stored.take(replaced), used)
    mine = _joined(stored.take(~replaced), used)
    low, high = min(s.start for s in marked), max(s.stop for s in marked)
    known = set(keys)
    peers = [
        c.channel_id
        for c in world.usages
        if c.quantity in quantities and c.channel_id not in known
    ]
    usage = _joined(
        compute.clip(mine, low, high), read(conn, USAGE_15MIN, peers, low, high)
    )
    _roll_up(conn, world.zone, mine, keys, edges, _seconds)
    _write_negative(conn, resting, mine, edges)
    meters = {key for key in keys if world.by_id[key].quantity == DEMAND_OF}
    first, last = _months(world.zone, edges)
    planned = compute.plan_totals(world, quantities, first, last)
    for total in [*planned, *_emptied(conn, world.park_id, quantities, planned)]:
        _write_total(conn, world.zone, total, usage, (low, high), edges)
    taken = [
        each
        for each in marked
        if each.channel_id in meters or totals.get(each.channel_id) == DEMAND_OF
    ]
    if taken:
        _write_sliding_totals(
            conn,
            world,
            _floor(min(each.start for each in taken)),
            _ceil(max(each.stop for each in taken)),
        )
    return Done(park_id=world.park_id, readings=readings, quarters=changed.key.size)


def _usage(conn: Connection, world: World, spans: list[Span]) -> tuple[Series, int]:
    """Compute usage from readings, some ids at a time; record events and sliding demand."""
    parts = [Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((4, 0)))]
    readings = 0
    for some in _chunks(spans):
        rows = compute.read_sources(conn, world, _to_last_window(world, some))
        readings += rows.channel.size
        known = compute.understand(world, rows)
        used = compute.meter_usage(known)
        parts.append(used.take(_inside(used.key, used.start_us, some)))
        _write_sliding(conn, world, some, compute.meter_minutes(known))
        of_sources = sorted(
            each._replace(channel_id=source.channel_id)
            for each in some
            for source in world.sources[each.channel_id]
        )
        _write_events(conn, of_sources, known.events)
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
            [(each.channel_id, edges[0], edges[-1]) for each in resting],
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
    conn: Connection, world: World, start: datetime, stop: datetime
) -> None:
    """Write the sliding demand of park, enterprises and virtual meters, day after day."""
    edges = compute.days(world.zone, start, stop)
    meter = {each.channel_id: each.meter_id for each in world.usages}
    subjects = [
        world.park_id,
        *(each.enterprise_id for each in registry.enterprises(conn, world.park_id)),
        *(each.subject_id for each in compute.virtual_totals(world, start, stop)),
    ]
    for begin, end in pairwise(edges):
        low, high = max(begin, start), min(end, stop)
        last = high + world.reach
        planned = compute.plan_totals(world, {DEMAND_OF}, low, last)
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
                meter[channel] in told or since > low or until < last
                for channel, since, until in mine
            )
        ]
        minutes = sliding.Minutes(wanted, world, low, last)
        spans = [Span(key, low, last, True) for key in minutes.channels]
        for some in _chunks(spans):
            rows = compute.read_sources(conn, world, sorted(some))
            minutes.add(compute.meter_minutes(compute.understand(world, rows)))
        found = sliding.sliding_demand(minutes.known(), world.rules)
        found = compute.clip(found, low, high)
        old = read(conn, SLIDING, subjects, low, high)
        write(conn, SLIDING, old, found)


def _chunks(spans: list[Span]) -> Iterator[list[Span]]:
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


def _emptied(
    conn: Connection, park_id: int, quantities: set[str], planned: list[compute.Total]
) -> list[compute.Total]:
    """Totals that are stored and have no member any more: what they hold must go."""
    known = {(each.subject_id, each.quantity) for each in planned}
    return [
        compute.Total(subject_id=each.enterprise_id, quantity=quantity, parts=())
        for each in registry.enterprises(conn, park_id)
        for quantity in sorted(quantities)
        if (each.enterprise_id, quantity) not in known
        and registry.find_channel(conn, each.enterprise_id, quantity, "total")
    ]


def _write_total(
    conn: Connection,
    zone: ZoneInfo,
    total: compute.Total,
    usage: Series,
    restated: tuple[datetime, datetime],
    edges: list[datetime],
) -> None:
    """Write a total's quarters in what is restated, and its days and months."""
    key = registry.add_channel(conn, total.subject_id, total.quantity, "total")
    added = compute.add_up(total, usage, *restated)
    added = added._replace(key=added.key + key)
    _replace(conn, USAGE_15MIN, [key], *restated, added)
    _roll_up(
        conn,
        zone,
        read(conn, USAGE_15MIN, [key], edges[0], edges[-1]),
        [key],
        edges,
        lambda ends: compute.expected_s(total, ends),
    )


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
    return Series(
        np.concatenate([each.key for each in parts]),
        np.concatenate([each.start_us for each in parts]),
        np.concatenate([each.values for each in parts], axis=1),
    ).ordered()


def _write_events(conn: Connection, spans: list[Span], events: Events) -> None:
    inside = _inside(events.channel, events.at, spans)
    replace_events(
        conn,
        [(s.channel_id, s.start, s.stop) for s in spans],
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
    usage: Series,
    keys: list[int],
    edges: list[datetime],
    expected: Callable[[list[datetime]], Float64],
) -> None:
    """Write days and months of channels from their quarters."""
    daily = compute.by_edges(usage, edges, expected(edges))
    _replace(conn, USAGE_DAY, keys, edges[0], edges[-1], daily)
    first, last = _months(zone, edges)
    months = [first]
    while months[-1] < last:
        months.append(_month(zone, months[-1])[1])
    whole = read(conn, USAGE_DAY, keys, first, last)
    monthly = compute.by_edges(whole, months, expected(months))
    _replace(conn, USAGE_MONTH, keys, first, last, monthly)


def _seconds(edges: list[datetime]) -> Float64:
    return np.diff([to_us(each) for each in edges]) / 1e6


def _months(zone: ZoneInfo, edges: list[datetime]) -> tuple[datetime, datetime]:
    last_day = edges[-1] - timedelta(days=1)
    return _month(zone, edges[0])[0], _month(zone, last_day)[1]


def _replace(
    conn: Connection,
    table: Table,
    keys: list[int],
    start: datetime,
    stop: datetime,
    new: Series,
) -> None:
    write(conn, table, read(conn, table, keys, start, stop), new)
