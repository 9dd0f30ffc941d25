"""Balances of the meter tree: each meter that others are placed below, against these."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import balance
from analytics.intensity import ratio
from analytics.jobs import compute
from analytics.jobs.amounts import Period
from analytics.jobs.compute import World
from analytics.registers import Float64
from store import judgements, registry
from store.database import Connection
from store.quantities import QUANTITIES
from store.readings import to_datetime, to_us
from store.records import Channel, Park
from store.series import USAGE_15MIN, Series, read


def balances(
    conn: Connection,
    park: Park,
    first: date,
    last: date,
    *,
    quantity: str = "energy_import",
    grain: str = "day",
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Give the balance of each node of the tree for each day or month of [first, last).

    A meter is below another one as `parkwatt place` says for the time, past those between
    that do not measure the flow; sub and check meters count here as main ones do. Below the minimum coverage of any of them nothing
    is given: what is missing would look like a loss. So it is for an interval in which a
    meter was placed or taken away.
    """
    period = Period(
        first=first, last=last, zone=ZoneInfo(park.zone), now=now or datetime.now(UTC)
    )
    world = compute.load_world(conn, park.park_id, park.zone)
    usages = {c.meter_id: c for c in world.usages if c.quantity == quantity}
    start_us, stop_us = to_us(period.start), to_us(period.stop)
    below: dict[int, list[tuple[int, int, int]]] = {}  # node → meter, from, to
    for meter, flow in world.tree.measured:
        if usages and flow == QUANTITIES[quantity].flow:
            for node, low, high in _above(world, meter, flow, start_us, stop_us):
                below.setdefault(node, []).append((meter, low, high))
    edges = _edges(period, grain)
    codes = registry.meter_codes(conn, park.park_id)
    classes = judgements.accuracy_classes(conn, park.park_id)
    found: list[dict[str, Any]] = []
    for node, members in sorted(below.items(), key=lambda each: codes[each[0]]):
        if node in usages:
            found += _node(
                conn,
                world,
                usages,
                (node, start_us, stop_us),
                sorted(members, key=lambda each: (codes[each[0]], each[1])),
                edges,
                period,
                classes,
                codes,
                minimum_coverage,
            )
    return found


def _above(
    world: World, meter: int, flow: str, start_us: int, stop_us: int
) -> list[tuple[int, int, int]]:
    """List the next meters above one that measure a flow, each from and to [µs]."""
    inner = [at for at in world.tree.edges(meter) if start_us < at < stop_us]
    found: list[tuple[int, int, int]] = []
    for low, high in pairwise([start_us, *sorted(inner), stop_us]):
        node = world.tree.above(meter, flow, low)
        if found and found[-1][0] == node and found[-1][2] == low:
            low = found.pop()[1]
        if node is not None:
            found.append((node, low, high))
    return found


def _edges(period: Period, grain: str) -> list[datetime]:
    days = compute.days(period.zone, period.start, period.stop)
    if grain == "day":
        return days
    return [each for each in days if each.day == 1 or each in (days[0], days[-1])]


def _node(
    conn: Connection,
    world: World,
    usages: dict[int, Channel],
    main: tuple[int, int, int],
    members: list[tuple[int, int, int]],
    edges: list[datetime],
    period: Period,
    classes: dict[int, float],
    codes: dict[int, str],
    minimum: float,
) -> list[dict[str, Any]]:
    meters = [main, *members]
    columns = [
        _amounts(conn, usages.get(each[0]), each, edges, period) for each in meters
    ]
    amount = np.array([each[0] for each in columns])
    covered = np.array([each[1] for each in columns])
    # a meter that was not below the node in an interval has no part in it
    expected = np.array([each[2] for each in columns])
    there = expected > 0
    whole = expected >= expected[0]  # one that came or left meanwhile explains a part
    known = (covered >= minimum) & whole | ~there
    counted = np.where(there, np.where(known, amount, np.nan), 0.0)
    rest = balance.unaccounted(counted[0], counted[1:])
    accuracy = [classes.get(each[0], np.nan) for each in meters]
    # the class of a meter that has no part does not matter
    uncertain = np.array(
        [
            balance.uncertainty(
                counted[there[:, i]][:, [i]], np.array(accuracy)[there[:, i]]
            )[0]
            for i in range(rest.size)
        ]
    )
    share = ratio(rest, counted[0])
    rows = []
    for i in range(rest.size):
        if not there[1:, i].any():
            continue
        rows.append(
            {
                "meter": codes[main[0]],
                "start": edges[i].isoformat(),
                "main": _number(counted[0, i]),
                "parts": _number(counted[1:, i].sum()),
                "unaccounted": _number(rest[i]),
                "share": _number(share[i]),
                "uncertainty": _number(uncertain[i]),
                "significant": None
                if np.isnan(uncertain[i]) or np.isnan(rest[i])
                else bool(abs(rest[i]) > uncertain[i]),
                "coverage": float(covered[there[:, i], i].min()),
                "below": list(
                    dict.fromkeys(
                        codes[each[0]]
                        for each, part in zip(members, there[1:, i], strict=True)
                        if part
                    )
                ),
            }
        )
    return rows


def _amounts(
    conn: Connection,
    usage: Channel | None,
    span: tuple[int, int, int],
    edges: list[datetime],
    period: Period,
) -> tuple[Float64, Float64, Float64]:
    """Give a meter's amount and coverage per interval, and the seconds expected."""
    at = np.array([to_us(each) for each in edges], np.int64)
    due = min(to_us(period.due), span[2])
    inside = np.clip(at, span[1], max(due, span[1]))
    expected = (inside[1:] - inside[:-1]).astype(np.float64) / 1e6
    amount, covered = np.full((2, expected.size), np.nan)
    covered[:] = 0.0
    if usage is not None:
        rows = read(
            conn,
            USAGE_15MIN,
            [usage.channel_id],
            to_datetime(span[1]),
            to_datetime(span[2]),
        )
        summed: Series = compute.by_edges(rows, edges)
        place = np.searchsorted(at, summed.start_us)
        amount[place] = summed.values[0]
        covered[place] = summed.values[1] + summed.values[2]
        covered = np.minimum(np.nan_to_num(ratio(covered, expected)), 1.0)
    return amount, covered, expected


def _number(value: Any) -> float | None:
    figure = float(value)
    return None if np.isnan(figure) else figure
