"""Finding what of a closed period became another figure, and why."""

import json
import logging
import math
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics.jobs import restating
from analytics.jobs.book import load_book
from analytics.jobs.closing import Figures, canonical, digest, faults, figures_of
from analytics.jobs.months import month_edges
from analytics.jobs.vintage import Vintage
from store import closings as stored
from store import parentage, registry, relations
from store.closings import Closing, Restatement
from store.database import Connection
from store.parentage import Window
from store.records import Park

log = logging.getLogger(__name__)

ROUNDING = 1e-9  # of a figure; ours
Steps = list[tuple[str, Figures]]  # kind, figures after it has moved


def check(
    conn: Connection,
    park: Park,
    start: date | None = None,
    stop: date | None = None,
    *,
    only: int | None = None,
    now: datetime | None = None,
) -> list[Restatement]:
    """Find what of the closings of a park that overlap [start, stop) is another figure.

    Each closing gets one record of all that differs from what was published or restated
    last, with the causes; none when nothing does. Closings that wait for the job are left
    for later, and so are all but `only`, if it is named.
    """
    made: list[Restatement] = []
    with conn.transaction():
        stored.hold(conn, park.park_id)
        for closing in stored.closings(conn, park.park_id, start, stop):
            if only not in (None, closing.closing_id):
                continue
            edges = month_edges(
                ZoneInfo(park.zone), closing.period_from, closing.period_to
            )
            if stored.waiting_in(conn, park.park_id, edges[0], edges[-1]):
                continue
            wrong = list(faults(conn, closing))
            if wrong:  # nothing can be added to what is not what it was
                log.error("%s", "; ".join(wrong))
                continue
            found = _check(conn, park, closing, now or datetime.now(UTC))
            made += [found] if found else []
    return made


def _check(
    conn: Connection, park: Park, closing: Closing, now: datetime
) -> Restatement | None:
    before = stored.restatements(conn, closing.closing_id)
    published = state(closing, before)
    days = closing.period_from, closing.period_to
    current = figures_of(conn, load_book(conn, park, *days))
    moved = [
        (code, name)
        for code in sorted({*published, *current})
        for name in sorted({*published.get(code, {}), *current.get(code, {})})
        if _differs(published.get(code, {}).get(name), current.get(code, {}).get(name))
    ]
    if not moved:
        return None
    since = before[-1].found_at if before else closing.closed_at
    steps, touched = _steps(conn, park, days, since)
    previous = before[-1].sha256 if before else closing.sha256
    told = {
        "form": "parkwatt-restatement/1",
        "closing": closing.sha256,
        "previous": previous,
        "since": since.astimezone(UTC).isoformat(),
        "found_at": now.astimezone(UTC).isoformat(),
        "differences": [
            _difference(code, name, published, current, steps) for code, name in moved
        ],
        "rows": _rows(conn, park, days, [kind for kind, _ in steps], since, touched),
    }
    content = canonical(told)
    restatement_id = stored.record_restatement(
        conn,
        closing.closing_id,
        content=content,
        sha256=digest(content),
        previous=previous,
        found_at=now,
    )
    (made,) = [
        each
        for each in stored.restatements(conn, closing.closing_id)
        if each.restatement_id == restatement_id
    ]
    return made


def _differs(before: float | None, after: float | None) -> bool:
    """Whether a figure is another one by more than the rounding of its sum."""
    if before is None or after is None:
        return before is not after
    return not math.isclose(before, after, rel_tol=ROUNDING)


def state(closing: Closing, restated: list[Restatement]) -> Figures:
    """Give the figures of a closing with all its restatements laid over them."""
    figures: Figures = json.loads(closing.content)["figures"]
    for each in restated:
        for one in json.loads(each.content)["differences"]:
            figures.setdefault(one["subject"], {})[one["figure"]] = one["after"]
    return figures


def _steps(
    conn: Connection, park: Park, days: tuple[date, date], since: datetime
) -> tuple[Steps, frozenset[int]]:
    """Give the figures as known then (kind ""), and with one kind after the other moved.

    Beside them the meters that are touched; all where that is not known.
    """
    edges = month_edges(ZoneInfo(park.zone), *days)
    before, after = restating.vintages(conn, park.park_id, edges[0], edges[-1], since)

    def figure(vintage: Vintage) -> Figures:
        return figures_of(conn, load_book(conn, park, *days, vintage), vintage)

    first, steps, _ = restating.told_apart(before, after, figure)
    touched = before.touched
    if touched is None:
        touched = frozenset(relations.confirmed(conn, park.park_id))
    return [("", first), *((step.kind, step.after) for step in steps)], touched


def _difference(
    code: str, name: str, published: Figures, current: Figures, steps: Steps
) -> dict[str, Any]:
    was = published.get(code, {}).get(name)
    now = current.get(code, {}).get(name)
    causes = []
    last = was
    # what was published is what was known then, but for what was under way: a transaction
    # that had begun before the closing and ended after it
    for kind, figures in [*steps, ("under_way", current)]:
        value = figures.get(code, {}).get(name)
        if value != last:
            causes.append({"kind": kind or "under_way", **_moved(last, value)})
        last = value
    return {"subject": code, "figure": name, **_moved(was, now), "causes": causes}


def _moved(before: float | None, after: float | None) -> dict[str, float | None]:
    change = None if before is None or after is None else after - before
    return {"before": before, "after": after, "change": change}


def _rows(
    conn: Connection,
    park: Park,
    days: tuple[date, date],
    kinds: list[str],
    since: datetime,
    touched: frozenset[int],
) -> list[dict[str, Any]]:
    """List the rows that were recorded since, of the kinds that moved."""
    edges = month_edges(ZoneInfo(park.zone), *days)
    window = Window(start=edges[0], stop=edges[-1], since=since)
    enterprises = [e.enterprise_id for e in registry.enterprises(conn, park.park_id)]
    parts = [
        (meter_id, edges[0], edges[-1])
        for meter_id in relations.confirmed(conn, park.park_id)
    ]
    found: list[Any] = []
    for kind in kinds:
        if kind in ("multipliers", "registers", "corrections", "membership"):
            found += parentage.of_meters(conn, kind, parts, window, None)
        elif kind in ("statements", "green"):
            found += parentage.stated(
                conn, kind, park.park_id, park.park_id, enterprises, days, window
            )
        elif kind == "factors":
            found += parentage.new_factors(conn, park.park_id, window)
        elif kind == "readings":
            late = [part for part in parts if part[0] in touched]
            found += parentage.late_batches(conn, late, window)
    return [
        {**asdict(each), "recorded_at": each.recorded_at.astimezone(UTC).isoformat()}
        for each in found
    ]
