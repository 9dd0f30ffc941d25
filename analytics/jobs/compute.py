"""Readings of a park → usage of its meters → totals of its enterprises and itself.

The same functions serve the job, which writes what they give, and questions *as known
on* a date, which only ask; so both give the same bits.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from analytics import registers
from analytics.jobs import catching, loads, virtual
from analytics.jobs.validity import Counts, Segments, Tree, counting, segments, steps
from analytics.jobs.vintage import KnownOn, Vintage
from analytics.jobs.virtual import Virtual
from analytics.registers import (
    QUARTER_US,
    RATIO,
    TOLERATED,
    VERDICTS,
    Bool,
    Events,
    Float64,
    Int64,
    Intervals,
    Said,
    Steps,
    Usage,
)
from store import demand_rules, dirty, formulas, judgements, policies, relations
from store.database import Connection
from store.demand_rules import Rule
from store.dirty import Span
from store.judgements import Judgement
from store.policies import Policy
from store.readings import Rows, to_us
from store.records import Channel, Validity
from store.series import Series

MINUTE_US = 60_000_000
FINE_US = 2 * MINUTE_US  # readings no further apart resolve a minute; ours
DEMAND_OF = "energy_import"
QUARTER = timedelta(minutes=15)
FOREVER = to_us(datetime(2200, 1, 1, tzinfo=UTC))  # behind all that is asked
AT_ONCE = 128  # parts of a total whose rows are in memory together
# a main energy register that rests for a day is odd; of others it is common; ours
STUCK_AFTER_S = {DEMAND_OF: 86_400.0}


@dataclass(kw_only=True)
class World:
    """What is known of a park on a date: its counted channels and their relations.

    A meter's usage of a quantity has one id, that of the first channel it came from;
    it may rest on a register and on interval amounts.
    """

    park_id: int
    zone: ZoneInfo
    channels: list[Channel]
    multipliers: list[Validity]
    judgements: list[Judgement]  # by channel and time
    tree: Tree
    # per meter and flow: from when it counts for which enterprise, and for the park
    members: Counts
    of_park: Counts
    rules: dict[int, Segments[Rule]] = field(default_factory=dict)  # by subject
    virtual: dict[int, Virtual] = field(default_factory=dict)  # by usage id
    by_id: dict[int, Channel] = field(init=False)
    loads: dict[int, list[Channel]] = field(
        init=False
    )  # by the gauges that they rest on
    sources: dict[int, list[Channel]] = field(init=False)  # read ones, by usage id
    usages: list[Channel] = field(init=False)  # the channels that name a usage

    def __post_init__(self) -> None:
        self.by_id = {each.channel_id: each for each in self.channels}
        self.loads = defaultdict(list)
        for each in self.channels:
            if each.flow_id is not None:
                self.loads[each.channel_id].append(each)
                self.loads[each.flow_id].append(each)
        self.sources = defaultdict(list)
        for each in self.channels:
            if each.kind != "virtual":
                self.sources[each.usage_id].append(each)
        self.usages = [c for c in self.channels if c.channel_id == c.usage_id]

    @cached_property
    def spells(self) -> dict[str, Int64]:
        """When the usages of a quantity count for whom, in the order of codes and time.

        By quantity rows of subject, usage id, from and to [µs]; a quarter hour counts
        where its meter counts at its start.
        """
        found: dict[str, list[tuple[int, int, int, int]]] = defaultdict(list)
        for usage in self.usages:
            for counts in (self.members, self.of_park):
                painted = counts.get(usage.measures, [])
                for (begin, subject), (end, _) in pairwise([*painted, (FOREVER, None)]):
                    if subject is not None:
                        low, high = quarter(begin), quarter(end)
                        row = (subject, usage.channel_id, low, high)
                        found[usage.quantity].append(row)
        return {key: np.array(rows, np.int64) for key, rows in found.items()}

    @cached_property
    def rated(self) -> dict[int, float]:
        """What registers can count in an hour, by the least ratio that each ever had."""
        ratio: dict[int, float] = {}
        for each in self.multipliers:
            ratio[each.key] = min(ratio.get(each.key, each.value), each.value)
        return {
            each.channel_id: each.rated_per_h / ratio.get(each.meter_id, 1.0)
            for each in self.channels
            if each.rated_per_h is not None and each.kind == "register"
        }

    @cached_property
    def most_per_h(self) -> dict[int, float]:
        """What registers count in an hour at most."""
        return {key: TOLERATED * each for key, each in self.rated.items()}

    @cached_property
    def reach(self) -> timedelta:
        """The longest sliding window: so far one reaches from where it begins."""
        stated = [rule for each in self.rules.values() for _, rule in each if rule]
        return timedelta(
            minutes=max([Rule().window_min, *(r.window_min for r in stated)])
        )


def load_world(
    conn: Connection, park_id: int, zone: str, known_on: KnownOn = None
) -> World:
    """Read a park's relations, as known on a date."""
    vintage = Vintage.of(known_on)
    channels = _with_policies(
        relations.counted_channels(
            conn,
            park_id,
            vintage.membership,
            registers_known_on=vintage.registers,
            arrived_by=vintage.readings,
            stuck_after_s=STUCK_AFTER_S,
        ),
        policies.policies(conn, park_id, vintage.registers),
    )
    tree = Tree(
        places=segments(relations.placements(conn, park_id, vintage.membership)),
        measured={each.measures for each in channels},
    )
    members, of_park = counting(
        relations.assignments(conn, park_id, vintage.membership), tree, park_id
    )
    return World(
        park_id=park_id,
        zone=ZoneInfo(zone),
        channels=channels,
        rules=segments(demand_rules.demand_rules(conn, park_id, vintage.demand_rules)),
        virtual=virtual.flatten(
            channels, formulas.formulas(conn, park_id, vintage.membership)
        ),
        multipliers=relations.multipliers(conn, park_id, vintage.multipliers),
        judgements=judgements.judgements(conn, park_id, vintage.corrections),
        tree=tree,
        members=members,
        of_park=of_park,
    )


def _with_policies(channels: list[Channel], stated: list[Policy]) -> list[Channel]:
    """Lay what was stated of meters over the defaults of their channels."""
    by_meter: dict[int, dict[str, float]] = defaultdict(dict)
    for each in stated:
        by_meter[each.meter_id][each.name] = each.value
    found = []
    for channel in channels:
        mine = by_meter.get(channel.meter_id)
        if mine is not None:
            channel = replace(
                channel,
                measured_up_to_s=mine.get("measured_up_to_s", channel.measured_up_to_s),
                straight_up_to_s=mine.get("straight_up_to_s", channel.straight_up_to_s),
                momentary=int(mine.get("momentary", channel.momentary)),
                stuck_after_s=mine.get("stuck_after_s", channel.stuck_after_s),
            )
        found.append(channel)
    return found


def read_sources(
    conn: Connection,
    world: World,
    spans: Sequence[Span],
    known_on: KnownOn = None,
) -> Rows:
    """Read all that decides on the usage of some ids in their spans, one span each."""
    vintage = Vintage.of(known_on)
    registers: list[Span] = []
    deltas: list[Span] = []
    of_gauges: list[tuple[Channel, Span]] = []
    for span in spans:
        for source in world.sources[span.channel_id]:
            mine = span._replace(channel_id=source.channel_id)
            if source.kind == "load":
                of_gauges.append((source, mine))
                continue
            (deltas if source.kind == "delta" else registers).append(mine)
    if deltas:
        # the amounts that reach into the spans, then those that decide if these count
        deltas = dirty.stretch(conn, deltas)
        reach = {world.by_id[each.channel_id].usage_id: each for each in deltas}
        for i, mine in enumerate(registers):
            whole = reach.get(world.by_id[mine.channel_id].usage_id, mine)
            registers[i] = mine._replace(start=whole.start, stop=whole.stop)
        deltas = dirty.stretch(conn, deltas)
    rows = catching.read(conn, registers + deltas, world.most_per_h, vintage)
    if not of_gauges:
        return rows
    parts = zip(rows, loads.loads(conn, of_gauges, vintage), strict=True)
    rows = Rows(*(np.concatenate(each) for each in parts))
    return rows.take(np.lexsort((rows.at_us, rows.channel)))


class Known(NamedTuple):
    """What readings of counted channels say, by dense index of the channels."""

    channels: list[Channel]
    intervals: Intervals
    multiplier: Steps
    events: Events  # with channel ids
    # the intervals once more, long gaps cut to their shape, and of which each is a part
    shaped: tuple[Intervals, Int64] | None = None


def understand(world: World, rows: Rows) -> Known:
    """Take what readings, ordered by channel and time, say."""
    ids = np.unique(rows.channel)
    channels = [world.by_id[int(each)] for each in ids]
    dense = np.searchsorted(ids, rows.channel)
    is_delta = np.array([e.kind in ("delta", "load") for e in channels], np.bool_)
    delta = is_delta[dense] if ids.size else np.empty(0, np.bool_)
    of_registers, events = registers.intervals(
        dense[~delta],
        rows.at_us[~delta],
        rows.value[~delta],
        np.array(
            [np.nan if each.digits is None else 10.0**each.digits for each in channels]
        ),
        rated_per_h=np.array(
            [world.rated.get(each.channel_id, np.nan) for each in channels], np.float64
        ),
        restarts=np.array([each.restarts for each in channels], np.bool_),
        said=said_of(world, ids),
        momentary=np.array([each.momentary for each in channels], np.int64),
        measured_up_to_us=measured_up_to_us(channels),
    )
    of_deltas, overlaps = registers.amounts(
        dense[delta], rows.at_us[delta], rows.until_us[delta], rows.value[delta]
    )
    usage_id = np.array([each.usage_id for each in channels], np.int64)
    of_deltas = registers.beside(of_deltas, of_registers, usage_id)
    index: dict[int, list[int]] = defaultdict(list)
    for i, each in enumerate(channels):
        index[each.meter_id].append(i)
    multiplier = _without_deltas(steps(world.multipliers, index), is_delta)
    found = events.joined(overlaps).joined(
        _changes(multiplier, dense[~delta], rows.at_us[~delta])
    )
    return Known(
        channels,
        _merged(of_registers, of_deltas),
        multiplier,
        found._replace(channel=ids[found.channel]),
    )


def measured_up_to_us(channels: list[Channel]) -> Int64:
    """Give how long an interval of each channel may be to count as measured [us]."""
    return np.array([round(each.measured_up_to_s * 1e6) for each in channels], np.int64)


def _changes(ratios: Steps, channel: Int64, at: Int64) -> Events:
    """Tell where a ratio changes between two readings of a register."""
    before = np.ones(ratios.at.size)
    if ratios.at.size:
        same = ratios.channel[1:] == ratios.channel[:-1]
        before[1:] = np.where(same, ratios.value[:-1], 1.0)
    inside = before != ratios.value
    for i in np.flatnonzero(inside).tolist():  # few are ever stated
        low, high = np.searchsorted(channel, [ratios.channel[i], ratios.channel[i] + 1])
        mine = at[low:high]
        inside[i] = mine.size > 0 and mine[0] < ratios.at[i] <= mine[-1]
    return Events(
        ratios.channel[inside],
        ratios.at[inside],
        np.full(np.count_nonzero(inside), RATIO, np.int64),
        before[inside],
        ratios.value[inside],
    )


def said_of(world: World, ids: Int64) -> Said:
    """Give what was said of some channels, by their place in `ids`."""
    known = set(ids.tolist())
    rows = [each for each in world.judgements if each.channel_id in known]
    return Said(
        np.searchsorted(ids, [each.channel_id for each in rows]).astype(np.int64),
        np.array([to_us(each.at) for each in rows], np.int64),
        np.array([VERDICTS.index(each.verdict) for each in rows], np.int64),
        np.array([each.final or 0.0 for each in rows], np.float64),
        np.array([each.initial or 0.0 for each in rows], np.float64),
    )


def meter_usage(known: Known) -> Series:
    """Give usage per quarter hour.

    Returns
    -------
    Series
        By usage id; columns amount, measured_s, estimated_s, expected_s.
    """
    limits = measured_up_to_us(known.channels)
    whole = known.intervals
    parts, estimated = whole, None
    if known.shaped is not None:
        parts, of = known.shaped
        estimated = ((whole.stop - whole.start) > limits[whole.channel])[of]
    used = registers.usage(parts, limits, known.multiplier, estimated=estimated)
    return _series(known.channels, used)


def meter_minutes(known: Known) -> Series:
    """Give the energy taken in each minute that close readings tell whole.

    Returns
    -------
    Series
        By usage id; one column, amount.
    """
    taken = np.array([each.quantity == DEMAND_OF for each in known.channels], np.bool_)
    long = known.intervals.stop - known.intervals.start
    fine = (long <= FINE_US) & taken[known.intervals.channel]
    if not fine.any():
        return Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((1, 0)))
    used = registers.usage(
        known.intervals.take(fine),
        np.full(len(known.channels), FINE_US, np.int64),
        known.multiplier,
        step_us=MINUTE_US,
    )
    minutes = _series(known.channels, used)
    whole = minutes.values[1] > MINUTE_US / 1e6 - 1e-3
    return minutes.take(whole)._replace(values=minutes.values[:1, whole])


def _merged(one: Intervals, other: Intervals) -> Intervals:
    if not other.start.size:
        return one
    both = Intervals(
        np.concatenate([one.channel, other.channel]),
        np.concatenate([one.start, other.start]),
        np.concatenate([one.stop, other.stop]),
        np.concatenate([one.amount, other.amount]),
    )
    return both.take(np.lexsort((both.start, both.channel)))


def _without_deltas(multiplier: Steps, is_delta: Bool) -> Steps:
    """Interval amounts are primary values: no transformer ratio applies to them."""
    if not multiplier.channel.size:
        return multiplier
    keep = ~is_delta[multiplier.channel]
    return Steps(multiplier.channel[keep], multiplier.at[keep], multiplier.value[keep])


def _series(channels: list[Channel], used: Usage) -> Series:
    """Give usage by usage id; where a register and amounts share an interval, add them."""
    usage_id = np.array([each.usage_id for each in channels], np.int64)
    found = Series(
        usage_id[used.channel],
        used.start,
        np.array([used.amount, used.measured_s, used.estimated_s]),
    )
    if np.unique(usage_id).size < usage_id.size:
        found = found.ordered()
        fresh = np.ones(found.key.size, np.bool_)
        fresh[1:] = (np.diff(found.key) != 0) | (np.diff(found.start_us) != 0)
        begin = np.flatnonzero(fresh)
        sums = (
            np.add.reduceat(found.values, begin, axis=1) if begin.size else found.values
        )
        found = found.take(begin)._replace(values=sums)
    expected = np.full(found.key.size, QUARTER_US / 1e6)
    return found._replace(values=np.vstack([found.values, expected]))


def between(series: Series, start: datetime, stop: datetime) -> Bool:
    """Tell which rows have their start in [start, stop)."""
    return (series.start_us >= to_us(start)) & (series.start_us < to_us(stop))


def clip(series: Series, start: datetime, stop: datetime) -> Series:
    """Keep the rows with start in [start, stop)."""
    return series.take(between(series, start, stop))


@dataclass(frozen=True, kw_only=True)
class Total:
    """What a total adds up: the usage of some channels, each during its membership."""

    subject_id: int
    quantity: str
    # (usage id, from [µs], to [µs]): half-open, in the order of codes and time
    parts: tuple[tuple[int, int, int], ...]

    def columns(self) -> tuple[Int64, Int64, Int64]:
        """Give the parts as arrays: usage ids, from, to."""
        ids, low, high = np.array(self.parts, np.int64).reshape(-1, 3).T
        return ids, low, high


def plan_totals(
    world: World,
    quantities: Iterable[str],
    start: datetime,
    stop: datetime,
    subjects: set[int] | None = None,
) -> list[Total]:
    """List the totals of the park and its enterprises, or some of them, in [start, stop)."""
    first, last = to_us(start), to_us(stop)
    totals = []
    for quantity in sorted(set(quantities) & world.spells.keys()):
        subject, usage_id, low, high = world.spells[quantity].T
        low, high = np.maximum(low, first), np.minimum(high, last)
        for each in np.unique(subject[low < high]).tolist():
            if subjects is None or each in subjects:
                mine = (subject == each) & (low < high)
                parts = np.array([usage_id[mine], low[mine], high[mine]]).T
                totals.append(
                    Total(
                        subject_id=each,
                        quantity=quantity,
                        parts=tuple(map(tuple, parts.tolist())),
                    )
                )
    return sorted(totals, key=lambda each: (each.subject_id, each.quantity))


def _cell(at_us: int) -> int:
    """Give the number of the quarter hour that begins at or after an instant."""
    return -(-at_us // QUARTER_US)


def quarter(at_us: int) -> int:
    """Give the first start of a quarter hour at or after an instant [µs]."""
    return _cell(at_us) * QUARTER_US


def add_up(total: Total, usage: Series, start: datetime, stop: datetime) -> Series:
    """Add usage per quarter hour, meter after meter.

    A quarter belongs to the enterprise that the meter counts for at its start. Where no
    channel has anything there is no row; `expected_s` counts the members of the quarter.

    Returns
    -------
    Series
        One key, 0; columns as of usage.
    """
    first = to_us(start) // QUARTER_US
    size = _cell(to_us(stop)) - first
    channel, low, high = total.columns()
    begin = np.clip(-(-low // QUARTER_US) - first, 0, size)
    end = np.clip(-(-high // QUARTER_US) - first, 0, size)
    top = np.searchsorted(usage.key, channel, "left")
    count = np.searchsorted(usage.key, channel, "right") - top
    sums = np.zeros((4, size))
    present = np.zeros(size, np.bool_)
    for few in range(0, channel.size, AT_ONCE):
        parts = slice(few, few + AT_ONCE)
        # the rows of one part after the other: `add.at` adds in this order
        part = np.repeat(np.arange(channel.size)[parts], count[parts])
        row = top[part] + np.arange(part.size)
        row -= (np.cumsum(count[parts]) - count[parts])[part - few]
        cell = usage.start_us[row] // QUARTER_US - first
        inside = (cell >= begin[part]) & (cell < end[part])
        row, cell = row[inside], cell[inside]
        for column, summed in zip(usage.values[:3], sums[:3], strict=True):
            np.add.at(summed, cell, column[row])
        present[cell] = True
    come, left = (np.bincount(each, minlength=size + 1) for each in (begin, end))
    sums[3] = np.cumsum(come - left)[:size] * (QUARTER_US / 1e6)
    where = np.flatnonzero(present)
    return Series(
        np.zeros(where.size, np.int64), (where + first) * QUARTER_US, sums[:, where]
    )


def virtual_totals(world: World, start: datetime, stop: datetime) -> list[Total]:
    """List virtual meters as totals of their own in [start, stop), for their demand."""
    return [
        Total(
            subject_id=each.meter_id,
            quantity=each.quantity,
            parts=((each.usage_id, to_us(start), to_us(stop)),),
        )
        for each in world.virtual.values()
        if each.quantity == DEMAND_OF
    ]


def real_parts(world: World, total: Total) -> list[tuple[int, int, int]]:
    """List a total's parts with virtual ones taken apart."""
    if not world.virtual:
        return list(total.parts)
    return [
        (part.usage_id, since, until)
        for channel, low, high in total.parts
        for since, until, parts in virtual.terms_in(world.virtual, channel, low, high)
        for part in parts
    ]


def expected_s(total: Total, edges: Sequence[datetime]) -> Float64:
    """Seconds that a total's members should have in each [edge, next edge)."""
    # in microseconds of UTC: local times of one zone subtract without its changes
    at = np.array([to_us(each) for each in edges], np.int64)
    _, low, high = total.columns()
    inside = np.clip(at[:, None], low, high).sum(axis=1)
    return np.asarray(inside[1:] - inside[:-1]) / 1e6


def days(zone: ZoneInfo, start: datetime, stop: datetime) -> list[datetime]:
    """List the local midnights from the day of `start` to that at or after `stop`."""
    midnight = datetime.combine(start.astimezone(zone).date(), datetime.min.time())
    edges = [midnight]
    while edges[-1].replace(tzinfo=zone) < stop:
        edges.append(edges[-1] + timedelta(days=1))
    return [each.replace(tzinfo=zone) for each in edges]


def by_edges(
    series: Series, edges: Sequence[datetime], expected: Float64 | float = 0.0
) -> Series:
    """Sum rows of one or more keys over [edge, next edge), one row after the other.

    Parameters
    ----------
    series
        Ordered by key and time.
    expected
        Seconds expected, of each interval or of any; the same for all keys.
    """
    if not series.key.size:
        return series
    edges_us = np.array([to_us(each) for each in edges], np.int64)
    place = np.searchsorted(edges_us, series.start_us, "right") - 1
    inside = (place >= 0) & (place < edges_us.size - 1)
    series, place = series.take(inside), place[inside]
    keys, of = np.unique(series.key, return_inverse=True)
    width = edges_us.size - 1
    cell = of * width + place
    used = np.unique(cell)
    # bincount adds in the order of the rows: the same rows give the same bits
    sums = [
        np.bincount(cell, weights=column, minlength=keys.size * width)[used]
        for column in series.values[:3]
    ]
    return Series(
        keys[used // width],
        edges_us[used % width],
        np.array([*sums, np.broadcast_to(expected, width)[used % width]]),
    )
