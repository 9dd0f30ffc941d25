"""Local days of 23, 24 and 25 hours, and of zones with a half hour."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import service
from analytics.jobs.figures import figures
from store import registry, relations
from store.batches import write_batch
from store.database import connect
from store.readings import NO_UNTIL, Rows, to_us

pytestmark = pytest.mark.db


@pytest.mark.parametrize("kind", ["park", "enterprise", "meter"])
@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 28), [24, 23, 24]),
        ("Europe/Berlin", date(2026, 10, 24), [24, 25, 24]),
        ("Asia/Kolkata", date(2026, 2, 28), [24, 24, 24]),
        ("America/New_York", date(2026, 10, 31), [24, 25, 24]),
    ],
)
def test_days_are_as_long_as_they_are(
    timescale_database: str, zone: str, first: date, hours: list[int], kind: str
) -> None:
    """1 kWh an hour gives each day as many kWh as it has hours, and full coverage."""
    local = ZoneInfo(zone)
    last = first + timedelta(days=3)
    start = to_us(datetime(first.year, first.month, first.day, tzinfo=local))
    at = start + np.arange(sum(hours) * 4 + 1) * 900_000_000
    with connect(timescale_database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone=zone)
        enterprise = registry.add_enterprise(conn, park, "e")
        meter = registry.add_meter(conn, park, enterprise, "m")
        relations.confirm_meter(conn, meter, enterprise, source="test")
        channel = registry.add_channel(conn, meter, "energy_import", "register")
        with conn.transaction():
            write_batch(
                conn,
                Rows(
                    np.full(at.size, channel, np.int64),
                    at,
                    np.arange(at.size) / 4,
                    np.full(at.size, NO_UNTIL, np.int64),
                ),
                [],
                parks={channel: park},
                totals={channel},
                source="test",
                parser="test",
                messages=1,
            )
        service.run(timescale_database, threading.Event(), once=True)
        codes = {"park": (), "enterprise": ("e",), "meter": ("e", "m")}[kind]
        subject = registry.subject(conn, "p", *codes)
        for known_on in (None, datetime.now(UTC)):
            found = figures(
                conn,
                subject,
                first,
                last,
                grain="day",
                known_on=known_on,
                now=datetime(2027, 1, 1, tzinfo=UTC),
            )
            assert [row["energy_kwh"] for row in found["series"]] == hours
            assert [row["expected_s"] / 3600 for row in found["series"]] == hours
            assert found["energy_kwh"] == sum(hours)
            if known_on is None:
                assert found["coverage"] == 1.0
                assert found["measured_share"] == 1.0
                assert found["load_factor"] == pytest.approx(1.0)
