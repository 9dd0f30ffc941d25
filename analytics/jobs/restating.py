"""Why a figure is another one on a later date: one kind of input after the other."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from analytics.jobs import catching, shaping
from analytics.jobs.vintage import AMOUNTS, Vintage, steps
from store import changed, dirty
from store.database import Connection

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Step(Generic[T]):
    """What moving one kind of input from one date to another makes of figures."""

    kind: str
    before: T
    after: T
    vintage: Vintage  # that `after` is computed with


def vintages(
    conn: Connection,
    park_id: int,
    start: datetime,
    stop: datetime,
    since: datetime,
    until: datetime | None = None,
    *,
    demand: bool = False,
) -> tuple[Vintage, Vintage]:
    """Give the vintages of two instants, without what is the same on both.

    What was not recorded after the earlier one is taken as it is stored, so that only
    what changed is computed anew. While the park waits for the job, nothing is.

    Parameters
    ----------
    until
        None: now.
    demand
        Whether a peak is asked for, which may need the readings of all meters.
    """
    if dirty.waiting_for(conn, park_id):
        return Vintage.of(since), Vintage.of(until or datetime.now(UTC))
    moved: set[str] = set()
    meters: set[int] = set()
    for kind in AMOUNTS:
        if kind == "readings":
            found = changed.arrived(
                conn,
                park_id,
                start,
                stop,
                since,
                reach=catching.CONTEXT,
                # a stretch in which a register was stuck may begin long before the period
                before=shaping.REACH + catching.WITHIN,
                rests=catching.WITHIN,
            )
        elif kind == "demand_rules":
            if demand and changed.recorded_since(conn, kind, park_id, since):
                moved.add(kind)
            continue
        else:
            found = changed.touched(conn, kind, park_id, since)
        if found:
            moved.add(kind)
        if kind != "membership":
            meters |= found
    moved |= {
        kind
        for kind in ("factors", "statements", "green")
        if changed.recorded_since(conn, kind, park_id, since)
    }
    if stop > since:
        moved.add("time")
    at = Vintage(touched=None if demand else frozenset(meters))
    early: dict[str, Any] = dict.fromkeys(moved, since)
    late: dict[str, Any] = dict.fromkeys(moved, until)
    return replace(at, **early), replace(at, **late)


def told_apart(
    before: Vintage, after: Vintage, figure: Callable[[Vintage], T]
) -> tuple[T, list[Step[T]], T]:
    """Compute a figure with one kind of input after the other moved.

    The kinds move in the order of :data:`analytics.jobs.vintage.KINDS`. Each step begins
    with what the one before has ended with, so the changes of all steps telescope to the
    whole difference.

    Returns
    -------
    T, list, T
        The figure before, the steps, the figure after.
    """
    first = last = figure(before)
    found: list[Step[T]] = []
    for kind, vintage in steps(before, after):
        made = figure(vintage)
        found.append(Step(kind=kind, before=last, after=made, vintage=vintage))
        last = made
    return first, found, last
