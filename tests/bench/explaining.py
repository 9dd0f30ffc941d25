"""Why is the year of a park of 1 000 meters what it is."""

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import factors
from analytics.jobs.explaining import MOST_METER_DAYS, explain
from store import registry, relations
from store.database import Connection, connect
from store.readings import to_us
from store.series import USAGE_15MIN, USAGE_DAY, Series, write
from tests.bench.tools import emit

METERS = 1000
ZONE = ZoneInfo("Asia/Shanghai")
YEAR = (date(2025, 1, 1), date(2026, 1, 1))
NOTHING = Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((4, 0)))


def measure(url: str) -> None:
    """Explain energy and carbon of the park, and what arrived late."""
    with connect(url, autocommit=True) as conn:
        park_id, channels = _fill(conn)
        park = registry.subject(conn, "explained")
        then = datetime.now(UTC)
        for figure in ("energy_kwh", "co2_t.location_region"):
            began = time.perf_counter()
            told = explain(conn, park, figure, *YEAR)
            emit(
                f"{figure} of a year of {METERS} meters explained",
                time.perf_counter() - began,
                "s",
                "< 10",
                readings=told["readings"]["readings"],
            )
        meter = registry.meters(conn, park_id)[0].meter_id
        relations.set_multiplier(
            conn,
            meter,
            ct=2.0,
            pt=1.0,
            valid_from=relations.BEGINNING,
            source="bench",
        )
        conn.execute("DELETE FROM core.dirty WHERE park_id = %s", (park_id,))
        began = time.perf_counter()
        told = explain(conn, park, "energy_kwh", *YEAR, compare_with=then)
        emit(
            f"〃 compared with before a multiplier of one of {len(channels)} meters",
            time.perf_counter() - began,
            "s",
            "< 30",
            causes=len(told["change"]["causes"]),
        )


def _fill(conn: Connection) -> tuple[int, list[int]]:
    """Put a year there as the job would store it, and readings of each quarter hour."""
    factors.load(conn)
    park_id = registry.add_park(conn, "explained", zone=str(ZONE), region="CN-JS")
    since = datetime(2025, 1, 1, tzinfo=ZONE).astimezone(UTC)
    channels = []
    for i in range(METERS):
        owner = registry.add_enterprise(conn, park_id, f"E{i // 10:03}")
        meter = registry.add_meter(conn, park_id, owner, f"M{i:04}")
        relations.confirm_meter(conn, meter, owner, source="bench", since=since)
        channels.append(registry.add_channel(conn, meter, "energy_import", "register"))
    total = registry.add_channel(conn, park_id, "energy_import", "total")
    conn.execute("DELETE FROM core.dirty WHERE park_id = %s", (park_id,))
    first = to_us(since)
    quarter, day = 900_000_000, 86_400_000_000
    quarters = first + quarter * np.arange(365 * 96)
    seconds = np.full(quarters.size, 900.0 * METERS)
    amount = np.full(quarters.size, float(METERS))
    values = np.array([amount, seconds, 0 * seconds, seconds])
    write(
        conn,
        USAGE_15MIN,
        NOTHING,
        Series(seconds.astype(int) * 0 + total, quarters, values),
    )
    days = first + day * np.arange(365)
    keys = np.repeat(np.array(channels, np.int64), 365)
    one = np.full(keys.size, 86400.0)
    values = np.array([one / 900, one, 0 * one, one])
    write(
        conn, USAGE_DAY, NOTHING, Series(keys, np.tile(days, METERS), values).ordered()
    )
    # readings of as many meters as are counted, a year of each quarter hour
    row = conn.execute(
        "INSERT INTO core.batch (source, parser, messages, received, inserted, duplicate, "
        "conflict, quarantined) VALUES ('bench', 'none', 1, 0, 0, 0, 0, 0) "
        "RETURNING batch_id"
    ).fetchone()
    assert row is not None
    conn.execute(
        "INSERT INTO core.reading (channel_id, at, value, batch_id) "
        "SELECT c, %s + n * interval '15 minutes', n, %s "
        "FROM unnest(%s::int[]) AS c, generate_series(0, 365 * 96) AS n",
        (since, row[0], channels[: MOST_METER_DAYS // 365]),
    )
    conn.execute("ANALYZE core.reading")
    return park_id, channels
