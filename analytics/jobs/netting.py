"""What the enterprises have together against what the park has, and why they differ.

An enterprise behind another one's meter is in the own account of both; the park has it
once. Below a meter of the park, what no enterprise explains is the park's alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import compute
from analytics.jobs.accounting import COUNTED
from analytics.jobs.book import Book
from analytics.jobs.months import later, month_edges
from analytics.jobs.nested import pieces
from analytics.registers import Float64
from store.database import Connection
from store.quantities import QUANTITIES
from store.readings import to_datetime, to_us
from store.series import USAGE_15MIN, USAGE_MONTH, read


@dataclass(kw_only=True)
class Net:
    """A quantity of a month: enterprises together, the park, and what lies between."""

    quantity: str
    unit: str
    month: date
    enterprises: float | None  # Σ of their own amounts
    park: float | None
    # taken behind the meter of another enterprise: (giver, taker) → amount, in both
    flows: dict[tuple[str, str], float] = field(default_factory=dict)
    below_park_meters: float = 0.0  # of enterprises, below a meter of the park
    park_meters: float = 0.0  # what these meters say

    @property
    def difference(self) -> float | None:
        """Enterprises together less the park."""
        if self.enterprises is None or self.park is None:
            return None
        return self.enterprises - self.park

    @property
    def unexplained(self) -> float | None:
        """What of the difference neither flows nor park meters tell; 0 but for rounding."""
        if self.difference is None:
            return None
        told = sum(self.flows.values()) + self.below_park_meters - self.park_meters
        return self.difference - told


def netting(conn: Connection, book: Book) -> list[Net]:
    """Compare the sum of the enterprises with the park, by counted quantity and month.

    The book must be one of now: what was known earlier is not stored by meter.
    """
    park = book.park
    world = compute.load_world(conn, park.park_id, park.zone)
    codes = {each.subject_id: each.enterprise or "" for each in book.subjects}
    last = later(book.months[-1], 1)
    edges = month_edges(ZoneInfo(park.zone), book.months[0], last)
    at = np.array([to_us(each) for each in edges], np.int64)
    names = [name for name in COUNTED if name in book.amounts]
    found = {
        (name, cell): Net(
            quantity=name,
            unit=QUANTITIES[name].unit,
            month=month,
            enterprises=_known(
                np.nansum(book.amounts[name][1:, cell]), book, name, cell
            ),
            park=_number(book.amounts[name][0, cell]),
        )
        for name in names
        for cell, month in enumerate(book.months)
    }
    parts = [
        (channel.channel_id, channel.quantity, low, high, owner, of_park, giver)
        for channel in world.usages
        if channel.quantity in names
        for low, high, owner, of_park, giver in pieces(
            world, channel, int(at[0]), int(at[-1])
        )
        if (owner is None) == of_park  # what counts for both or none explains nothing
    ]
    amounts = _amounts(conn, sorted({part[0] for part in parts}), edges)
    for channel_id, name, low, high, owner, of_park, giver in parts:
        for cell in range(len(edges) - 1):
            begin, end = max(low, int(at[cell])), min(high, int(at[cell + 1]))
            if begin >= end:
                continue
            whole = (begin, end) == (int(at[cell]), int(at[cell + 1]))
            amount = (
                amounts[channel_id][cell]
                if whole
                else _piece(conn, channel_id, begin, end)
            )
            if np.isnan(amount):
                continue
            net = found[name, cell]
            if of_park:
                net.park_meters += amount
            elif owner is not None and giver is not None:
                key = codes[giver], codes[owner]
                net.flows[key] = net.flows.get(key, 0.0) + amount
            else:
                net.below_park_meters += amount
    return list(found.values())


def _known(total: float, book: Book, name: str, cell: int) -> float | None:
    rows = book.amounts[name][1:, cell]
    return None if np.isnan(rows).all() else float(total)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _amounts(
    conn: Connection, keys: list[int], edges: Sequence[datetime]
) -> dict[int, Float64]:
    """Give what meters used in months as stored."""
    start, stop = (each.astimezone(UTC) for each in (edges[0], edges[-1]))
    rows = read(conn, USAGE_MONTH, keys, start, stop)
    at = np.array([to_us(each) for each in edges], np.int64)
    table: dict[int, Float64] = defaultdict(lambda: np.full(at.size - 1, np.nan))
    cells = np.searchsorted(at, rows.start_us)
    for key, cell, amount in zip(
        rows.key.tolist(), cells.tolist(), rows.values[0].tolist(), strict=True
    ):
        table[key][cell] = amount
    return table


def _piece(conn: Connection, key: int, low: int, high: int) -> float:
    """Add up a part of a month by its quarter hours."""
    rows = read(conn, USAGE_15MIN, [key], to_datetime(low), to_datetime(high))
    return float(rows.values[0].sum()) if rows.key.size else np.nan
