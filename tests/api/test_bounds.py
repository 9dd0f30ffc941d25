"""Between what estimated usage lies, over HTTP; every number by hand."""

from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import pytest

from store import relations
from store.batches import write_batch
from store.database import connect
from store.readings import NO_UNTIL, Rows, to_us
from tests.analytics.jobs.test_flows import Park

START = datetime(2026, 1, 31, tzinfo=UTC)
MIDNIGHT = datetime(2026, 2, 1, tzinfo=UTC)
DAYS = {"from": "2026-01-31", "to": "2026-02-02"}
GAP = range(88, 108)  # quarter hours from 22:00 to 03:00


@pytest.fixture
def park(plain_database: str) -> Park:
    """1 kWh a quarter hour, and 40 kWh over the 20 quarter hours without readings."""
    park = Park(plain_database)
    park.confirm("M")
    used = np.ones(192)
    used[list(GAP)] = 2.0
    read = np.delete(np.arange(193), list(GAP)[1:])
    register = np.concatenate(([0.0], np.cumsum(used)))[read]
    with connect(park.url, autocommit=True) as conn:
        channel = relations.add_meter_channel(
            conn, park.meter("M"), "energy_import", "register"
        )
        rows = Rows(
            np.full(read.size, channel),
            to_us(START) + read * 900_000_000,
            register,
            np.full(read.size, NO_UNTIL),
        )
        write_batch(
            conn,
            rows,
            [],
            parks={channel: park.park},
            totals={channel},
            source="test",
            parser="test/1",
            messages=1,
        )
    return park


def edges(found: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    rows = [(row["least"], row["amount"], row["most"]) for row in found["rows"]]
    return [*rows, (found["total_least"], found["total"], found["total_most"])]


@pytest.mark.parametrize("whose", [{}, {"enterprise": "a"}, {"meter": "M"}])
def test_a_gap_over_midnight(park: Park, serving: Any, whose: dict[str, str]) -> None:
    park.analyse()
    with serving(park.url) as base, httpx.Client(base_url=base, timeout=60) as client:

        def usage(**asked: Any) -> dict[str, Any]:
            answer = client.get("/api/v1/parks/p/usage", params=DAYS | whose | asked)
            found: dict[str, Any] = answer.json()
            return found

        # 2 hours of the 5 lie on the first day: 16 of the 40 kWh
        days = usage(bounds=True)
        assert edges(days) == [(88, 104, 128), (84, 108, 124), (212, 212, 212)]
        second = usage(bounds=True, **{"from": "2026-02-01"})
        assert edges(second)[-1] == (84, 108, 124)
        quarters = edges(usage(bounds=True, grain="15min"))
        assert set(quarters[88:108]) == {(0, 2, 40)}
        assert set(quarters[:88] + quarters[108:192]) == {(1, 1, 1)}
        assert set(edges(usage())) == {(None, 104, None), (None, 108, None)} | {
            (None, 212, None)
        }


def test_a_meter_that_changes_hands_in_the_gap(park: Park, serving: Any) -> None:
    park.assign("M", "b", MIDNIGHT)
    park.analyse()
    with serving(park.url) as base, httpx.Client(base_url=base, timeout=60) as client:

        def whole(**whose: str) -> tuple[float, float, float]:
            asked = DAYS | whose | {"bounds": "true"}
            found = client.get("/api/v1/parks/p/usage", params=asked).json()
            return edges(found)[-1]

        assert whole(enterprise="a") == (88, 104, 128)
        assert whole(enterprise="b") == (84, 108, 124)
        assert whole() == (212, 212, 212)  # whoever had it, the park had it
