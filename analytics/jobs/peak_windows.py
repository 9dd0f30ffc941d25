"""What peaks rest on: quarter hours and sliding demand, as stored or as known on a date."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from analytics.jobs import compute, demands
from analytics.jobs.amounts import (
    ENERGY,
    LAGGING,
    Amounts,
    Period,
    load_amounts,
    load_beside,
)
from analytics.jobs.demands import Windows
from analytics.registers import QUARTER_US, Bool, Int64
from store.database import Connection
from store.readings import to_us
from store.records import Subject
from store.series import DEMAND, SLIDING, Series, read


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Demand of a subject, and of enterprises beside it, in what has passed of a period."""

    mine: Windows  # (n,) quarter hours
    beside: Windows  # (enterprises, n)
    sliding: Series  # the subject's; kw, after_s
    known: dict[str, Amounts] | None  # the subject's; None: as stored


def shown(
    conn: Connection,
    subject: Subject,
    period: Period,
    known_on: datetime | None,
    beside: list[int],
) -> Shown:
    """Give what is stored, or compute it anew, once for all, from what was known."""
    ids = [subject.subject_id, *beside]
    if known_on is None:
        every = _stored(conn, ids, period)
        sliding = read(conn, SLIDING, ids[:1], period.start, period.due)
        amounts = None
    else:
        found = load_beside(
            conn,
            subject,
            period,
            known_on,
            beside=beside,
            quantities={ENERGY, LAGGING},
        )
        every = _known(found, ids, period)
        amounts = found.get(subject.subject_id, {})
        sliding = _sliding(amounts.get(ENERGY), period)
    return Shown(
        mine=every.row(0),
        beside=every._replace(
            kw=every.kw[1:], covered=every.covered[1:], measured=every.measured[1:]
        ),
        sliding=sliding,
        known=amounts,
    )


def usage(
    conn: Connection, subject: Subject, period: Period, demand: Shown
) -> dict[str, Amounts]:
    """Give the subject's energies of the same knowledge."""
    if demand.known is not None:
        return demand.known
    return load_amounts(conn, subject, period, None)


def counted(world: compute.World, ids: list[int], period: Period, at_us: Int64) -> Bool:
    """Tell in which quarter hours any meter counted for some enterprises."""
    there = np.zeros((len(ids), at_us.size), np.bool_)
    place = {key: i for i, key in enumerate(ids)}
    for plan in compute.plan_totals(
        world, {ENERGY}, period.start, period.stop, set(ids)
    ):
        for _, low, high in plan.parts:
            begin, end = np.searchsorted(at_us, [low, high])
            there[place[plan.subject_id], begin:end] = True
    return there


def _known(
    found: dict[int, dict[str, Amounts]], ids: list[int], period: Period
) -> Windows:
    none = Series.empty(4)
    rows = [
        demands.quarters(
            each.quarters if (each := found.get(key, {}).get(ENERGY)) else none,
            to_us(period.start),
            to_us(period.due),
        )
        for key in ids
    ]
    return rows[0]._replace(
        kw=np.array([each.kw for each in rows]),
        covered=np.array([each.covered for each in rows]),
        measured=np.array([each.measured for each in rows]),
    )


def _sliding(amounts: Amounts | None, period: Period) -> Series:
    if amounts is None or amounts.sliding is None:
        return Series.empty(2)
    return compute.clip(amounts.sliding, period.start, period.due)


def _stored(conn: Connection, ids: list[int], period: Period) -> Windows:
    first = to_us(period.start) // QUARTER_US
    size = max(to_us(period.due) // QUARTER_US - first, 0)
    rows = read(conn, DEMAND, ids, period.start, period.due)
    kw = np.full((len(ids), size), np.nan)
    covered, measured = np.zeros((2, len(ids), size))
    place = {key: i for i, key in enumerate(ids)}
    row = np.array([place[key] for key in rows.key.tolist()], np.int64)
    window = rows.start_us // QUARTER_US - first
    closed = window < size
    kw[row[closed], window[closed]] = rows.values[0][closed]
    measured[row[closed], window[closed]] = rows.values[1][closed]
    covered[row[closed], window[closed]] = np.minimum(rows.values[2][closed], 1.0)
    return Windows(
        (first + np.arange(size)) * QUARTER_US,
        np.full(size, QUARTER_US / 1e6),
        kw,
        covered,
        measured,
    )
