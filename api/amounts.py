"""What a stored amount rests on, and how much of a period is known."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.bounds import bounds
from analytics.jobs import compute
from store import registry
from store.browse import channels
from store.database import Connection
from store.readings import to_datetime, to_us
from store.records import Subject
from store.series import Series, Table, estimated, read

Bounds = tuple[float | None, float | None]  # the least and the most


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The channels a subject's quantity adds up, and where its sum is stored."""

    key: int | None  # of the stored usage; None: there is none yet
    plan: compute.Total | None

    def expected_s(self, start: datetime, stop: datetime) -> float:
        """Seconds that should be known in [start, stop)."""
        if self.plan is None:
            return 0.0
        return float(compute.expected_s(self.plan, [start, stop]).sum())


def counted(
    conn: Connection, subject: Subject, quantity: str, start: datetime, stop: datetime
) -> Counted:
    """Find what a subject's quantity adds up in [start, stop)."""
    world = compute.load_world(conn, subject.park.park_id, subject.park.zone)
    if subject.kind == "meter":
        for each in world.usages:
            if each.meter_id == subject.subject_id and each.quantity == quantity:
                part = (each.channel_id, to_us(start), to_us(stop))
                plan = compute.Total(
                    subject_id=subject.subject_id, quantity=quantity, parts=(part,)
                )
                return Counted(key=each.channel_id, plan=plan)
        return Counted(key=None, plan=None)
    for plan in compute.plan_totals(world, {quantity}, start, stop):
        if plan.subject_id == subject.subject_id:
            key = registry.find_channel(conn, subject.subject_id, quantity, "total")
            return Counted(key=key, plan=plan)
    return Counted(key=None, plan=None)


def parentage(conn: Connection, subject: Subject, of: Counted) -> dict[str, Any]:
    """Name the meters behind a figure."""
    known = {each.channel_id: each for each in channels(conn, subject.park.park_id)}
    parts = of.plan.parts if of.plan else ()
    return {
        "meters": [
            {
                "enterprise": known[channel].enterprise,
                "meter": known[channel].meter,
                "channel_id": channel,
                "kind": known[channel].kind,
                "from": to_datetime(start_us),
                "to": to_datetime(stop_us),
            }
            for channel, start_us, stop_us in parts
        ]
    }


def usage(
    conn: Connection,
    table: Table,
    of: Counted,
    start: datetime,
    stop: datetime,
) -> Series:
    """Read the stored usage of [start, stop)."""
    return read(conn, table, [] if of.key is None else [of.key], start, stop)


def between(
    conn: Connection, of: Counted, found: Series, start: datetime, stop: datetime
) -> list[Bounds]:
    """Give the least and the most of each row, then of all; see `analytics.bounds`."""
    parts = of.plan.parts if of.plan else ()
    guessed = estimated(conn, sorted({each[0] for each in parts}), start, stop)
    counts = np.zeros(guessed.key.size, np.bool_)
    for channel, low_us, high_us in parts:
        at = guessed.start_us
        counts |= (guessed.key == channel) & (low_us <= at) & (at < high_us)
    stretches = (guessed.key, guessed.start_us, guessed.values[0], counts)
    amount, last = found.values[0], to_us(stop)
    rows = bounds(*stretches, found.start_us, last, amount)
    total = np.array([math.fsum(amount)])
    whole = bounds(*stretches, np.array([to_us(start)]), last, total)
    return [
        (None, None) if math.isnan(least) else (least, most)
        for each in (rows, whole)
        for least, most in zip(each[0].tolist(), each[1].tolist(), strict=True)
    ]


def known(found: Series, expected_s: float) -> dict[str, float | None]:
    """Sum up how much of a period's usage is known; null where nothing is expected."""
    measured, estimated = math.fsum(found.values[1]), math.fsum(found.values[2])
    return {
        "coverage": share(measured + estimated, expected_s),
        "measured_s": measured,
        "estimated_s": estimated,
        "expected_s": expected_s,
    }


def share(part: float, whole: float) -> float | None:
    """Give a part of a whole, at most 1; None where there is no whole."""
    return min(part / whole, 1.0) if whole > 0 else None


def local(us: int, zone: str) -> datetime:
    """Turn microseconds into the park's time."""
    return to_datetime(us).astimezone(ZoneInfo(zone))
