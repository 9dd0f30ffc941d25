"""A year's book of 300 enterprises x 5 carriers, and what a restated factor moves."""

import json
import statistics
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import closing, factors, restatement
from analytics.jobs.book import difference, load_book
from store import registry, relations
from store.database import connect
from store.factors import record_factors
from store.readings import to_us
from store.series import USAGE_MONTH, Series, write
from tests.bench.tools import emit

ENTERPRISES = 300
CARRIERS = ("energy_import", "natural_gas", "heat", "diesel", "coke")
ZONE = ZoneInfo("Asia/Shanghai")
YEAR = (date(2025, 1, 1), date(2026, 1, 1))


def measure(url: str) -> None:
    """Load the book from the database, restate a factor of the grid, list what moved."""
    _fill(url)
    with connect(url, autocommit=True) as conn:
        park = registry.park(conn, "books")
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            book = load_book(conn, park, *YEAR)
            seconds.append(time.perf_counter() - began)
        if np.isnan(book.carbon["zero_carbon_park"].total).any():
            raise SystemExit("the book has holes")
        emit(
            f"book of {ENTERPRISES} enterprises x {len(CARRIERS)} carriers x 12 months",
            statistics.median(seconds),
            "s",
            "< 1",
            subjects=len(book.subjects),
            methods=len(book.coal) + len(book.carbon),
        )
        began = time.perf_counter()
        closing.close(conn, park, *YEAR, who="Auditor One")
        emit("closing the year", time.perf_counter() - began, "s", "< 5")
        before = datetime.now(UTC)
        (row,) = [e for e in factors.shipped() if e["code"] == "grid_average/CN/2023"]
        record_factors(conn, [row | {"value": 0.54}])
        began = time.perf_counter()
        was = load_book(conn, park, *YEAR, factors_known_on=before)
        moves = difference(was, load_book(conn, park, *YEAR))
        emit(
            "restated factor of the grid: both books and the list of what moved",
            time.perf_counter() - began,
            "s",
            "< 2",
            moved=len(moves),
        )
        began = time.perf_counter()
        (found,) = restatement.check(conn, park)
        emit(
            "〃 found and recorded as the closed year's restatement, with causes",
            time.perf_counter() - began,
            "s",
            "< 2",
            moved=len(json.loads(found.content)["differences"]),
        )


def _fill(url: str) -> None:
    """Put months of totals there as the job would store them."""
    with connect(url) as conn:
        factors.load(conn)
        park_id = registry.add_park(conn, "books", zone=str(ZONE), region="CN-JS")
        since = datetime(2025, 1, 1, tzinfo=ZONE).astimezone(UTC)
        for i in range(ENTERPRISES):
            owner = registry.add_enterprise(conn, park_id, f"E{i:03}")
            for carrier in CARRIERS:
                meter = registry.add_meter(conn, park_id, owner, carrier)
                relations.confirm_meter(conn, meter, owner, source="bench", since=since)
                registry.add_channel(conn, meter, carrier, "register")
                registry.add_channel(conn, owner, carrier, "total")
        for carrier in CARRIERS:
            registry.add_channel(conn, park_id, carrier, "total")
        conn.execute("DELETE FROM core.dirty WHERE park_id = %s", (park_id,))
        starts = [datetime(2025, month, 1, tzinfo=ZONE) for month in range(1, 13)]
        stops = [(each + timedelta(31)).replace(day=1) for each in starts]
        long = [
            (b.astimezone(UTC) - a.astimezone(UTC)).total_seconds()
            for a, b in zip(starts, stops, strict=True)
        ]
        keys = registry.total_channels(conn, park_id)
        amount = np.random.default_rng(1).uniform(1, 1e6, (len(keys), 12))
        members = np.array(
            [ENTERPRISES if s == park_id else 1 for s, _ in keys.values()]
        )
        seconds = members[:, None] * np.array(long)
        rows = Series(
            np.repeat(np.array(list(keys), np.int64), 12),
            np.tile([to_us(each) for each in starts], len(keys)),
            np.array(
                [each.ravel() for each in (amount, seconds, 0 * seconds, seconds)]
            ),
        )
        empty = Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((4, 0)))
        write(conn, USAGE_MONTH, empty, rows.ordered())
