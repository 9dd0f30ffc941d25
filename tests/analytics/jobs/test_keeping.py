"""Accounts that are kept for readers of SQL: the API's bits, anew when something changed."""

import threading
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics.jobs import keeping, service
from analytics.jobs.recompute import run_once
from analytics.jobs.yearly import state
from store import kept, registry, targets
from store.database import connect
from store.statements import state_added_value
from store.targets import NewTarget
from tests.analytics.jobs.conftest import Monthly

pytestmark = pytest.mark.db

THIS_YEAR = datetime.now(UTC).year
SAID: dict[str, Any] = {"source": "report", "who": "Clerk One"}


def filled(url: str) -> Monthly:
    """Two enterprises over two years and the months of this one that are over."""
    park = Monthly(url)
    months = 24 + max(datetime.now(UTC).month - 1, 0)
    rising = [400_000.0 + 1000.0 * i for i in range(months)]
    gas = [20_000.0 + 7.0 * i for i in range(months)]
    park.add("A", {"energy_import": rising, "natural_gas": gas}, THIS_YEAR - 2)
    park.add("B", {"energy_import": [70_000.1] * months}, THIS_YEAR - 2)
    with connect(url, autocommit=True) as conn:
        enterprise = registry.subject(conn, "P", "A").subject_id
        for year in (THIS_YEAR - 2, THIS_YEAR - 1):
            state_added_value(
                conn, enterprise, date(year, 1, 1), date(year + 1, 1, 1), 9000.0,
                source="bureau",
            )  # fmt: skip
        whole = registry.subject(conn, "P")
        state(
            conn, whole, method="location_region", year=THIS_YEAR - 3, amount_t=9999.5,
            **SAID,
        )  # fmt: skip
        targets.set_target(
            conn,
            NewTarget(
                subject_id=whole.subject_id, kind="co2", method="location_region",
                year=THIS_YEAR, value=3000.0, **SAID,
            ),
        )  # fmt: skip
    return park


def rows(url: str, table: kept.Kept) -> list[dict[str, Any]]:
    names = (*table.keys, *table.values)
    with connect(url) as conn:
        found = conn.execute(
            f"SELECT {', '.join(names)} FROM core.{table.name} ORDER BY 1, 2, 3".encode()
        ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]


def keep(url: str, **options: Any) -> keeping.Wrote | None:
    with connect(url, autocommit=True) as conn:
        return keeping.keep_park(conn, registry.park(conn, "P"), **options)


def test_nothing_is_written_twice_and_every_change_once(
    timescale_database: str,
) -> None:
    url = timescale_database
    park = filled(url)
    park.compute()
    assert keep(url) is None  # as it is known already, also after a restart
    made = {e["figure"]: e["value"] for e in rows(url, kept.BOOK) if e["value"]}
    with connect(url, autocommit=True) as conn:
        subject = registry.subject(conn, "P")
        state(
            conn, subject, method="residual", year=THIS_YEAR - 3, amount_t=5.0, **SAID
        )
    done = keep(url)
    assert done is not None
    assert 0 < done.rows < 40  # years of one method, not the book
    assert keep(url) is None
    with connect(url, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO core.factor (code, kind, carrier, basis, region, data_year, "
            "published, valid_from, value, unit, source, verified, recorded_at) "
            "SELECT code, kind, carrier, basis, region, data_year, published, "
            "valid_from, value * 2, unit, source, verified, clock_timestamp() "
            "FROM core.factor WHERE basis = 'calorific' AND carrier = 'electricity'"
        )
    assert keep(url) is not None
    after = {e["figure"]: e["value"] for e in rows(url, kept.BOOK) if e["value"]}
    assert after["tce/calorific"] > made["tce/calorific"]
    assert after["co2_t/residual"] == made["co2_t/residual"]
    later = datetime(THIS_YEAR + 1, 2, 3, tzinfo=UTC)
    assert keep(url, now=later) is not None  # another day: months have ended


def test_late_readings_are_kept_after_the_pause(timescale_database: str) -> None:
    url = timescale_database
    park = filled(url)
    park.compute()
    before = rows(url, kept.BOOK)
    stop = threading.Event()
    thread = threading.Thread(
        target=service.keep_books, args=(url, stop), kwargs={"pause_s": 0.1}
    )
    thread.start()
    try:
        park.add("C", {"energy_import": [3e4] * 12}, THIS_YEAR - 2)
        with connect(url, autocommit=True) as conn:
            while run_once(conn) is not None:
                pass
        end = time.monotonic() + 30
        while rows(url, kept.BOOK) == before and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert len(rows(url, kept.BOOK)) > len(before)
    assert keep(url) is None or keep(url) is None


def test_a_park_of_which_nothing_is_known(timescale_database: str) -> None:
    Monthly(timescale_database)
    assert keep(timescale_database) is not None
    for table in (kept.BOOK, kept.TRAJECTORY_STATE, kept.BUDGET_YEAR):
        assert rows(timescale_database, table) == []
