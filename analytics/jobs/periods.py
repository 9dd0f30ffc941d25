"""The accounts of one subject over local days, by the functions of the book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from analytics.jobs import accounting, compute, green
from analytics.jobs.amounts import Amounts, Period, cells, load_amounts
from analytics.jobs.nested import Behind, behind
from analytics.jobs.sheets import Side, build, gates, load_side
from analytics.jobs.vintage import KnownOn, Vintage
from analytics.registers import Bool, Float64
from store import registry
from store.database import Connection
from store.readings import to_us
from store.records import Subject
from store.series import USAGE_DAY, USAGE_MONTH, read


@dataclass(frozen=True, kw_only=True)
class Made:
    """Accounts whose first row is the subject, by the months of the period."""

    coal: dict[str, accounting.Account]
    carbon: dict[str, accounting.Account]
    errors: list[str]


def account_for(
    conn: Connection,
    subject: Subject,
    period: Period,
    amounts: dict[str, Amounts],
    known_on: KnownOn,
) -> Made:
    """Give the accounts of energy and carbon of one subject.

    For the park those of its enterprises are made, too, that state something, have
    factors of their own, use green power, or stand behind one that does.
    """
    edges = compute.days(period.zone, period.start, period.stop)
    cuts = cells(edges)
    months = tuple(each.date() for each in cuts[:-1])
    side = load_side(conn, subject.park, period.first, period.last, known_on)
    park_id = subject.park.park_id
    meters: dict[str, Bool] = {}
    nests: Behind = {}
    if subject.kind == "park" and (side.statements or side.nests):
        world = compute.load_world(conn, park_id, subject.park.zone, known_on)
        plans = [each.plan for each in amounts.values()]
        meters = gates(world, plans, cuts) if side.statements else {}
        if side.nests:
            nests = behind(world, accounting.COUNTED, cuts)
    subjects = [subject]
    if subject.kind == "park":
        subjects += _enterprises(conn, subject, side, nests)
    tables = _tables(conn, subjects, period, amounts, edges, known_on)
    sheet = build(
        side,
        tables,
        subjects,
        months,
        whole=_whole(cuts),
        park_meters=meters,
        behind=nests,
    )
    owners = [_owners(conn, each) for each in subjects]
    chooser = side.chooser(owners, months)
    return Made(
        coal=accounting.coal(sheet, chooser),
        carbon=accounting.carbon(sheet, chooser),
        errors=green.errors(sheet.green.faults, subject.enterprise),
    )


def _whole(cuts: Sequence[datetime]) -> Bool:
    return np.array(
        [
            a.day == 1 and b.day == 1 and (a.month != b.month or a.year != b.year)
            for a, b in pairwise(cuts)
        ],
        np.bool_,
    )


def _enterprises(
    conn: Connection, park: Subject, side: Side, nests: Behind
) -> list[Subject]:
    ids, producers = side.involved(nests), side.producers()
    return [
        Subject(
            subject_id=each.enterprise_id,
            kind="enterprise",
            park=park.park,
            enterprise=each.code,
            meter=None,
        )
        for each in registry.enterprises(conn, park.subject_id)
        if each.enterprise_id in ids or each.code in producers
    ]


def _owners(conn: Connection, subject: Subject) -> list[int]:
    park = subject.park
    if subject.kind == "enterprise":
        return [park.park_id, subject.subject_id]
    if subject.enterprise is None:
        return [park.park_id]
    found = registry.find_enterprise(conn, park.code, subject.enterprise)
    return [park.park_id, *([found[1]] if found else [])]


def _tables(
    conn: Connection,
    subjects: Sequence[Subject],
    period: Period,
    amounts: dict[str, Amounts],
    edges: list[datetime],
    known_on: KnownOn,
) -> dict[str, Float64]:
    """Give amounts by quantity, shape (subjects, months)."""
    cuts = cells(edges)
    shape = (len(subjects), len(cuts) - 1)
    tables: dict[str, Float64] = {}

    def table(quantity: str) -> Float64:
        return tables.setdefault(quantity, np.full(shape, np.nan))

    for quantity, each in amounts.items():
        table(quantity)[0] = each.cells(edges)[0]
    if not Vintage.of(known_on).stored:
        for row, subject in enumerate(subjects[1:], 1):
            for quantity, each in load_amounts(conn, subject, period, known_on).items():
                table(quantity)[row] = each.cells(edges)[0]
    elif len(subjects) > 1:
        rows = {each.subject_id: i for i, each in enumerate(subjects[1:], 1)}
        channels = registry.total_channels(conn, subjects[0].park.park_id)
        keys = [key for key, (owner, _) in channels.items() if owner in rows]
        start, stop = (each.astimezone(UTC) for each in (edges[0], edges[-1]))
        stored = USAGE_MONTH if _whole(cuts).all() else USAGE_DAY  # the same, and less
        monthly = compute.by_edges(read(conn, stored, keys, start, stop), cuts)
        at = np.array([to_us(each) for each in cuts], np.int64)
        cell = np.searchsorted(at, monthly.start_us)
        for i, key in enumerate(monthly.key.tolist()):
            owner, quantity = channels[key]
            table(quantity)[rows[owner], cell[i]] = monthly.values[0, i]
    return tables
