"""Usage of a subject over a period: as stored, or computed anew from what was known."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from analytics import demand
from analytics.jobs import compute, sliding, virtual
from analytics.jobs.known import usage_known
from analytics.jobs.validity import Segments
from analytics.jobs.vintage import KnownOn, Vintage
from analytics.registers import Float64
from store import registry
from store.database import Connection
from store.demand_rules import Rule
from store.dirty import Span
from store.readings import to_datetime, to_us
from store.records import Subject
from store.series import SLIDING, USAGE_15MIN, Series, read

ENERGY = "energy_import"
LAGGING = "reactive_energy_q1"


@dataclass(frozen=True, kw_only=True)
class Period:
    """Local days [first, last) of a zone and the time up to which anything is expected."""

    first: date
    last: date
    zone: ZoneInfo
    now: datetime

    @property
    def start(self) -> datetime:
        """Local midnight of the first day, in UTC."""
        return datetime.combine(self.first, time(), self.zone).astimezone(UTC)

    @property
    def stop(self) -> datetime:
        """Local midnight after the last day, in UTC."""
        return datetime.combine(self.last, time(), self.zone).astimezone(UTC)

    @property
    def due(self) -> datetime:
        """End of what has passed already."""
        return min(self.stop, self.now)


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a channel contributes to a total while its meter counts."""

    usage_id: int
    start: datetime
    stop: datetime
    amount: float | None  # None: nothing is known
    measured_s: float
    estimated_s: float


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """Usage of one quantity of a subject per quarter hour, and what it adds up."""

    plan: compute.Total
    quarters: Series
    meters: frozenset[tuple[int, int, int]]  # each from and to [µs]
    expected_s: float  # of what has passed of the period
    sliding: Series | None = None  # sliding demand, of the energy taken
    rules: Segments[Rule] = field(default_factory=list)  # how demand is measured
    shares: tuple["Share", ...] | None = None  # None where usage is as stored

    def total(self, edges: list[datetime]) -> float | None:
        """Sum over months, as they are stored; None where nothing is known."""
        known = self.cells(edges)[0]
        known = known[~np.isnan(known)]
        return math.fsum(known.tolist()) if known.size else None

    def cells(self, edges: list[datetime]) -> Float64:
        """Sum over the months in some days: each the sum of its days, these of quarters.

        Returns
        -------
        Float64
            Amount (NaN: nothing is known), seconds measured, seconds estimated, by cells
            as :func:`cells` cuts them.
        """
        cuts = cells(edges)
        monthly = compute.by_edges(compute.by_edges(self.quarters, edges), cuts)
        table = np.zeros((3, len(cuts) - 1))
        table[0] = np.nan
        at = np.searchsorted([to_us(each) for each in cuts], monthly.start_us)
        table[:, at] = monthly.values[:3]
        return table


def cells(edges: list[datetime]) -> list[datetime]:
    """Cut local days where months begin."""
    return [each for each in edges if each.day == 1 or each in (edges[0], edges[-1])]


def load_amounts(
    conn: Connection, subject: Subject, period: Period, known_on: KnownOn
) -> dict[str, Amounts]:
    """Give the subject's usage, as stored or computed anew from what was known.

    Where a vintage names the meters that it touches, the usage of all others is taken as
    stored, and sliding demand is not computed.
    """
    found = load_beside(conn, subject, period, known_on)
    return found.get(subject.subject_id, {})


def load_beside(
    conn: Connection,
    subject: Subject,
    period: Period,
    known_on: KnownOn,
    *,
    beside: Collection[int] = (),
    quantities: Collection[str] | None = None,
) -> dict[int, dict[str, Amounts]]:
    """Give the usage of a subject and of enterprises beside it, by subject.

    Parameters
    ----------
    beside
        Ids of enterprises of the subject's park. What they share is computed once. Their
        sliding demand is not told.
    quantities
        None: all.
    """
    vintage = Vintage.of(known_on)
    world = compute.load_world(conn, subject.park.park_id, subject.park.zone, vintage)
    plans = _plans(world, subject, period.start, period.stop, beside)
    if quantities is not None:
        plans = [each for each in plans if each.quantity in quantities]
    if not vintage.stored:
        ids = sorted(
            {part[0] for plan in plans for part in compute.real_parts(world, plan)}
        )
        stop = period.stop + world.reach  # the last sliding window ends there
        spans = [Span(each, period.start, stop, settled=True) for each in ids]
        usage, understood = usage_known(conn, world, spans, vintage)
        usage = compute.clip(usage, period.start, period.stop)
        usage = virtual.beside(world.virtual, usage, period.start, period.stop)
        minutes = compute.meter_minutes(understood)
    found: dict[int, dict[str, Amounts]] = defaultdict(dict)
    for plan in plans:
        sliding = None
        mine = plan.subject_id == subject.subject_id
        if mine and plan.quantity == compute.DEMAND_OF:
            sliding = (
                read(conn, SLIDING, [subject.subject_id], period.start, period.stop)
                if vintage.stored
                else _sliding(world, subject, period, minutes)
                if vintage.touched is None
                else None
            )
        if not vintage.stored:
            quarters = compute.add_up(plan, usage, period.start, period.stop)
        else:
            keys = _stored_keys(conn, subject, plan)
            quarters = read(conn, USAGE_15MIN, keys, period.start, period.stop)
        found[plan.subject_id][plan.quantity] = Amounts(
            plan=plan,
            quarters=quarters._replace(key=np.zeros_like(quarters.key)),
            meters=frozenset(
                (world.by_id[usage_id].meter_id, low, high)
                for usage_id, low, high in plan.parts
            ),
            expected_s=float(
                compute.expected_s(plan, [period.start, period.due]).sum()
            ),
            sliding=sliding,
            rules=world.rules.get(plan.subject_id, []),
            shares=None if vintage.stored else tuple(shares(plan, usage)),
        )
    return found


def shares(plan: compute.Total, usage: Series) -> Iterator[Share]:
    """Give what each part of a total contributes."""
    for usage_id, low, high in plan.parts:
        begin, end = np.searchsorted(usage.key, [usage_id, usage_id + 1])
        start = usage.start_us[begin:end]
        inside = (start >= low) & (start < high)
        amount, measured, estimated = usage.values[:3, begin:end][:, inside]
        yield Share(
            usage_id=usage_id,
            start=to_datetime(low),
            stop=to_datetime(high),
            amount=math.fsum(amount.tolist()) if amount.size else None,
            measured_s=math.fsum(measured.tolist()),
            estimated_s=math.fsum(estimated.tolist()),
        )


def _sliding(
    world: compute.World, subject: Subject, period: Period, minutes: Series
) -> Series:
    """Compute a subject's sliding demand from the minutes of its meters."""
    stop = period.stop + world.reach
    plans = [
        plan
        for plan in _plans(world, subject, period.start, stop)
        if plan.quantity == compute.DEMAND_OF
    ]
    added = sliding.Minutes(plans, world, period.start, stop)
    added.add(minutes)
    found = sliding.sliding_demand(added.known(), world.rules)
    return compute.clip(found, period.start, period.stop)


def _plans(
    world: compute.World,
    subject: Subject,
    start: datetime,
    stop: datetime,
    beside: Collection[int] = (),
) -> list[compute.Total]:
    if subject.kind == "meter":
        return [
            compute.Total(
                subject_id=subject.subject_id,
                quantity=each.quantity,
                parts=((each.channel_id, to_us(start), to_us(stop)),),
            )
            for each in world.usages
            if each.meter_id == subject.subject_id
        ]
    return compute.plan_totals(
        world,
        {each.quantity for each in world.usages},
        start,
        stop,
        {subject.subject_id, *beside},
    )


def energy_parts(
    world: compute.World, subject: Subject, period: Period
) -> tuple[tuple[int, int, int], ...]:
    """Give what a subject's active energy adds up: usage ids, from, to [us]."""
    for plan in _plans(world, subject, period.start, period.stop):
        if plan.quantity == ENERGY:
            return plan.parts
    return ()


def _stored_keys(conn: Connection, subject: Subject, plan: compute.Total) -> list[int]:
    if subject.kind == "meter":
        return [part[0] for part in plan.parts]
    key = registry.find_channel(conn, plan.subject_id, plan.quantity, "total")
    return [] if key is None else [key]


def coverage(amounts: Amounts | None) -> dict[str, float]:
    """Shares of the expected time that are measured, estimated in shape, missing."""
    if amounts is None or amounts.expected_s <= 0:
        return {
            "coverage": 0.0,
            "measured_share": 0.0,
            "estimated_share": 0.0,
            "missing_share": 1.0,
        }
    measured = math.fsum(amounts.quarters.values[1]) / amounts.expected_s
    estimated = math.fsum(amounts.quarters.values[2]) / amounts.expected_s
    measured, estimated = min(measured, 1.0), min(estimated, 1.0)
    known = min(measured + estimated, 1.0)
    return {
        "coverage": known,
        "measured_share": measured,
        "estimated_share": estimated,
        "missing_share": 1.0 - known,
    }


def power_factor(amounts: dict[str, Amounts], minimum: float) -> float | None:
    """Give cos φ where all that take energy measure what they take of it lagging.

    It is a ratio of sums over the quarter hours of which both are known, so that a
    reactive register that falls silent does not make it better. None where these are less
    than `minimum` of the time of which the active energy is known.
    """
    active, lagging = amounts.get(ENERGY), amounts.get(LAGGING)
    if active is None or lagging is None or active.meters != lagging.meters:
        return None
    _, here, there = np.intersect1d(
        active.quarters.start_us,
        lagging.quarters.start_us,
        assume_unique=True,
        return_indices=True,
    )
    used, reactive = active.quarters.values[:, here], lagging.quarters.values[:, there]
    both = np.minimum(used[1] + used[2], reactive[1] + reactive[2])
    counts = both >= minimum * (used[1] + used[2])
    if both[counts].sum() < minimum * active.quarters.values[1:3].sum():
        return None
    found = demand.power_factor(
        np.float64(math.fsum(used[0][counts])),
        np.float64(math.fsum(reactive[0][counts])),
    )
    return None if math.isnan(found) else float(found)
