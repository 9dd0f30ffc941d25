"""The monthly book of a park: amounts and accounts of the park and all its enterprises."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics import accounts
from analytics.jobs import accounting, compute, virtual
from analytics.jobs.accounting import Account
from analytics.jobs.activities import Stated
from analytics.jobs.green import Green
from analytics.jobs.known import usage_known
from analytics.jobs.months import month_edges
from analytics.jobs.nested import Behind, behind
from analytics.jobs.sheets import build, gates, load_side, of_the_park_alone
from analytics.jobs.vintage import KnownOn, Vintage
from store import registry
from store.database import Connection
from store.dirty import Span
from store.errors import Invalid
from store.readings import to_us
from store.records import Park, Subject
from store.series import USAGE_MONTH, Series, read

Float64 = NDArray[np.float64]

AT_ONCE = 100  # meters whose readings of a month are in memory together
_NOTHING = Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((4, 0)))


@dataclass(frozen=True, kw_only=True)
class Book:
    """Monthly accounts as arrays of shape (subjects, months).

    Rows are the park, then its enterprises by code; columns are local months. NaN is
    unknown. Over several months what is known adds up, as in the figures of the period:
    :func:`analytics.jobs.accounting.known_total`.
    """

    park: Park
    subjects: tuple[Subject, ...]
    months: tuple[date, ...]  # first days
    amounts: dict[str, Float64]  # by quantity, in its canonical unit
    measured_s: dict[str, Float64]
    estimated_s: dict[str, Float64]
    expected_s: dict[str, Float64]  # of what has passed
    counted_s: dict[str, Float64]  # 〃 in which one meter counted at least
    park_alone_s: dict[str, Float64]  # 〃 one that counts for no enterprise; months
    behind: Behind  # who is above whose meters of water
    coal: dict[str, Account]  # [tce] by method
    carbon: dict[str, Account]  # [tCO2] by method
    stated: tuple[Stated, ...]
    green: Green
    known_on: datetime | None  # None: now, or not by one instant

    def row(self, code: str | None) -> int:
        """Give the row of an enterprise, or of the park (None)."""
        for row, each in enumerate(self.subjects):
            if each.enterprise == code:
                return row
        raise Invalid(f"the book has no enterprise {code!r}")

    def coverage(self, quantity: str) -> Float64:
        """Share of the expected seconds that are known; NaN where none are expected."""
        known = self.measured_s[quantity] + self.estimated_s[quantity]
        expected = self.expected_s[quantity]
        share = np.full(known.shape, np.nan)
        np.divide(known, expected, out=share, where=expected > 0)
        return np.asarray(np.minimum(share, 1.0))

    @property
    def known_share(self) -> Float64:
        """Give the lowest coverage of the quantities that accounts count.

        Below 1 a total is the sum of what is known and not the whole.
        """
        shares = [
            self.coverage(name) for name in accounting.COUNTED if name in self.amounts
        ]
        if not shares:
            return np.full((len(self.subjects), len(self.months)), np.nan)
        lowest = np.min([np.where(np.isnan(each), np.inf, each) for each in shares], 0)
        return np.where(np.isinf(lowest), np.nan, lowest)


@dataclass(frozen=True, kw_only=True)
class Move:
    """A figure that is another one in a newer book."""

    enterprise: str | None  # None: the park
    month: date
    kind: str  # amount, energy or co2
    name: str  # quantity or method
    before: float  # NaN: unknown
    after: float


def load_book(
    conn: Connection,
    park: Park,
    first_month: date,
    last_month: date,
    known_on: KnownOn = None,
    *,
    factors_known_on: datetime | None = None,
    now: datetime | None = None,
) -> Book:
    """Give the monthly accounts of a park and its enterprises.

    Parameters
    ----------
    first_month, last_month
        First days of the first month and of the month after the last one, local.
    known_on
        Compute the amounts anew from what had arrived and was recorded by then, with the
        factors recorded by then, by one instant or one for each kind of input; None: from
        what the job has stored.
    factors_known_on
        Take the factors as known on this date and the amounts as stored: what a factor
        alone has changed. Not together with `known_on`.

    Raises
    ------
    Invalid
        When the days are not those of months, or the book would be empty.
    """
    if first_month.day != 1 or last_month.day != 1 or last_month <= first_month:
        raise Invalid(f"{first_month} to {last_month} are not whole months")
    now = now or datetime.now(UTC)
    vintage = Vintage.of(known_on)
    if factors_known_on is not None:
        vintage = replace(vintage, factors=factors_known_on)
    edges = month_edges(ZoneInfo(park.zone), first_month, last_month)
    world = compute.load_world(conn, park.park_id, park.zone, vintage)
    plans = compute.plan_totals(
        world, {each.quantity for each in world.usages}, edges[0], edges[-1]
    )
    subjects = _subjects(conn, park)
    rows = {each.subject_id: i for i, each in enumerate(subjects)}
    plans = [each for each in plans if each.subject_id in rows]
    if vintage.stored:
        keys = registry.total_channels(conn, park.park_id)
        stored = read(conn, USAGE_MONTH, list(keys), edges[0], edges[-1])
    else:
        keys, stored = _computed(conn, world, plans, edges, vintage)
    shape = (len(subjects), len(edges) - 1)
    found = _tables(keys, stored, rows, edges, shape)
    due = min(edges[-1], vintage.now(now))
    passed = [min(each, due) for each in edges]
    expected = _expected(plans, rows, passed, shape)
    alone: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, low, high in of_the_park_alone(world, plans, to_us(edges[-1])):
        alone[name].append((low, high))
    nothing = np.full((3, *shape), 0.0)
    nothing[0] = np.nan
    tables = {name: found.get(name, nothing) for name in expected}
    months = tuple(each.date() for each in edges[:-1])
    side = load_side(conn, park, first_month, last_month, vintage)
    amounts = {name: each[0] for name, each in tables.items()}
    sheet = build(
        side,
        amounts,
        subjects,
        months,
        whole=np.ones(len(months), np.bool_),
        park_meters=gates(world, plans, edges) if side.statements else {},
        behind=behind(world, accounting.COUNTED, edges) if side.nests else {},
    )
    chooser = side.chooser(
        [(park.park_id, each.subject_id) for each in subjects], months
    )
    return Book(
        park=park,
        subjects=subjects,
        months=months,
        amounts=amounts,
        measured_s={name: each[1] for name, each in tables.items()},
        estimated_s={name: each[2] for name, each in tables.items()},
        expected_s=expected,
        counted_s=_counted(plans, rows, passed, shape),
        park_alone_s={name: _covered(parts, passed) for name, parts in alone.items()},
        behind=behind(world, ("water", "wastewater"), edges),
        coal=accounting.coal(sheet, chooser),
        carbon=accounting.carbon(sheet, chooser),
        stated=sheet.stated,
        green=sheet.green,
        known_on=known_on if isinstance(known_on, datetime) else None,
    )


def difference(before: Book, after: Book) -> list[Move]:
    """List what is another figure in the book after, by kind, name, subject and month.

    Raises
    ------
    Invalid
        When the books are not of the same park, subjects and months.
    """
    if (before.subjects, before.months) != (after.subjects, after.months):
        raise Invalid("the books are not of the same subjects and months")
    nothing = np.full((len(before.subjects), len(before.months)), np.nan)
    moves: list[Move] = []
    for kind, old, new in (
        ("amount", before.amounts, after.amounts),
        ("energy", _totals(before.coal), _totals(after.coal)),
        ("co2", _totals(before.carbon), _totals(after.carbon)),
    ):
        for name in dict.fromkeys([*old, *new]):
            moves += _moves(
                before, kind, name, old.get(name, nothing), new.get(name, nothing)
            )
    return moves


def _totals(of: dict[str, Account]) -> dict[str, Float64]:
    return {name: each.total for name, each in of.items()}


def _moves(
    book: Book, kind: str, name: str, old: Float64, new: Float64
) -> Iterator[Move]:
    where = np.nonzero(accounts.moved(old, new))
    for row, cell, was, now in zip(
        *(each.tolist() for each in where),
        old[where].tolist(),
        new[where].tolist(),
        strict=True,
    ):
        yield Move(
            enterprise=book.subjects[row].enterprise,
            month=book.months[cell],
            kind=kind,
            name=name,
            before=was,
            after=now,
        )


def _subjects(conn: Connection, park: Park) -> tuple[Subject, ...]:
    whole = Subject(
        subject_id=park.park_id, kind="park", park=park, enterprise=None, meter=None
    )
    return (
        whole,
        *(
            Subject(
                subject_id=each.enterprise_id,
                kind="enterprise",
                park=park,
                enterprise=each.code,
                meter=None,
            )
            for each in registry.enterprises(conn, park.park_id)
        ),
    )


def _tables(
    keys: dict[int, tuple[int, str]],
    stored: Series,
    rows: dict[int, int],
    edges: list[datetime],
    shape: tuple[int, int],
) -> dict[str, Float64]:
    """Lay rows of (key, month) out: amount, seconds measured, estimated by quantity."""
    names = sorted({quantity for _, quantity in keys.values()})
    place = {name: i for i, name in enumerate(names)}
    known = [key for key, (subject, _) in keys.items() if subject in rows]
    of = np.full((2, max(keys, default=0) + 1), -1)
    for key in known:
        subject, quantity = keys[key]
        of[:, key] = place[quantity], rows[subject]
    tables = np.zeros((len(names), 3, *shape))
    tables[:, 0] = np.nan
    at = np.array([to_us(each) for each in edges], np.int64)
    quantity_of, row_of = of[:, stored.key]
    cell = np.searchsorted(at, stored.start_us)
    here = row_of >= 0
    tables[quantity_of[here], :, row_of[here], cell[here]] = stored.values[:3, here].T
    return {name: tables[i] for name, i in place.items()}


def _expected(
    plans: list[compute.Total],
    rows: dict[int, int],
    edges: list[datetime],
    shape: tuple[int, int],
) -> dict[str, Float64]:
    """Seconds that the members of each total should have in each month."""
    names = sorted({each.quantity for each in plans})
    place = {name: i for i, name in enumerate(names)}
    parts = [
        (place[plan.quantity], rows[plan.subject_id], low, high)
        for plan in plans
        for _, low, high in plan.parts
    ]
    quantity, row, low, high = np.array(parts, np.int64).reshape(-1, 4).T
    at = np.array([to_us(each) for each in edges], np.int64)
    inside = np.diff(np.clip(at[:, None], low, high), axis=0).T
    sums = np.zeros((len(names), *shape), np.int64)
    np.add.at(sums, (quantity, row), inside)
    return {name: sums[i] / 1e6 for name, i in place.items()}


def _counted(
    plans: list[compute.Total],
    rows: dict[int, int],
    edges: list[datetime],
    shape: tuple[int, int],
) -> dict[str, Float64]:
    """Seconds of each month in which any member of each total counted."""
    found = {plan.quantity: np.zeros(shape) for plan in plans}
    for plan in plans:
        spells = [(low, high) for _, low, high in plan.parts]
        found[plan.quantity][rows[plan.subject_id]] = _covered(spells, edges)
    return found


def _covered(spells: Iterable[tuple[int, int]], edges: list[datetime]) -> Float64:
    """Seconds of each month within any of some spells [µs], which may overlap."""
    whole: list[list[int]] = []
    for low, high in sorted(set(spells)):
        if whole and low <= whole[-1][1]:
            whole[-1][1] = max(whole[-1][1], high)
        else:
            whole.append([low, high])
    at = np.array([to_us(each) for each in edges], np.int64)
    begin, end = np.array(whole, np.int64).reshape(-1, 2).T
    inside = np.diff(np.clip(at[:, None], begin, end), axis=0)
    return np.asarray(inside.sum(axis=1) / 1e6)


def _computed(
    conn: Connection,
    world: compute.World,
    plans: list[compute.Total],
    edges: list[datetime],
    vintage: Vintage,
) -> tuple[dict[int, tuple[int, str]], Series]:
    """Compute the months of all totals anew, one month after the other.

    Totals of which no meter is touched are taken as the job has stored them.
    """
    keys = {i: (plan.subject_id, plan.quantity) for i, plan in enumerate(plans)}
    found = [_NOTHING]
    places = dict(enumerate(plans))
    if vintage.membership is None:
        untouched = {
            (plan.subject_id, plan.quantity): key
            for key, plan in places.items()
            if not any(
                vintage.anew(world.by_id[part[0]].meter_id)
                for part in compute.real_parts(world, plan)
            )
        }
        channels = registry.total_channels(conn, world.park_id)
        mine = {
            channel: untouched[what]
            for channel, what in channels.items()
            if what in untouched
        }
        stored = read(conn, USAGE_MONTH, list(mine), edges[0], edges[-1])
        own = np.array([mine[key] for key in stored.key.tolist()], np.int64)
        found.append(stored._replace(key=own))
        for key in untouched.values():
            places.pop(key)
    ids = sorted(
        {
            part[0]
            for plan in places.values()
            for part in compute.real_parts(world, plan)
        }
    )
    for start, stop in pairwise(edges):
        low, high = start.astimezone(UTC), stop.astimezone(UTC)
        usage = _usage(conn, world, ids, low, high, vintage)
        usage = virtual.beside(world.virtual, usage, low, high)
        days = compute.days(world.zone, low, high)
        for key, plan in places.items():
            quarters = compute.add_up(plan, usage, low, high)
            daily = compute.by_edges(quarters, days)
            month = compute.by_edges(daily, [start, stop])
            found.append(month._replace(key=month.key + key))
    return keys, _joined(found)


def _usage(
    conn: Connection,
    world: compute.World,
    ids: list[int],
    start: datetime,
    stop: datetime,
    vintage: Vintage,
) -> Series:
    """Compute the usage of meters from readings, some meters at a time."""
    parts = [_NOTHING]
    for low in range(0, len(ids), AT_ONCE):
        some = ids[low : low + AT_ONCE]
        spans = [Span(each, start, stop, settled=True) for each in some]
        usage, _ = usage_known(conn, world, spans, vintage)
        parts.append(compute.clip(usage, start, stop))
    return _joined(parts)


def _joined(parts: list[Series]) -> Series:
    return Series(
        np.concatenate([each.key for each in parts]),
        np.concatenate([each.start_us for each in parts]),
        np.concatenate([each.values for each in parts], axis=1),
    )
