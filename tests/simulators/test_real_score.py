"""The score asks a real API: a month of registers, with a gap, a glitch and a reset."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from analytics.jobs import factors
from simulators.bars import Thresholds
from simulators.client import Platform
from simulators.errors import SimulatorError
from simulators.results import Score
from simulators.score import score
from simulators.truth_file import Key, read
from store import registry, relations, statements
from store.batches import Quarantined, write_batch
from store.database import session
from tests.api.conftest import Seed, _rows, running
from tests.simulators.test_score import (
    CHANNELS,
    MARCH,
    METERS,
    RESOLUTION,
    VALUE,
    flows,
    write,
)

ZONE = ZoneInfo("Asia/Shanghai")
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
GAP = slice(96 * 9 + 40, 96 * 9 + 52)  # three hours of the tenth
GLITCH = 96 * 15 + 50
RESET = 96 * 20 + 48


def at(place: int) -> datetime:
    return MARCH[0] + place * timedelta(minutes=15)


def register(key: Key, ppm: int) -> np.ndarray:
    """What a meter shows at each of its readings, as it would be with the faults."""
    true = np.concatenate(([0.0], np.cumsum(flows(31 * 96)[key])[:-1]))
    value = 5000 + true * (1 + ppm / 1e6)
    if key.subject == "S2":
        value[RESET:] -= value[RESET - 1]
    value = np.floor(value / RESOLUTION) * RESOLUTION
    if key.subject == "M2":
        value[GLITCH] = 0
    return value


class World(Seed):
    """The park of test_score, registered and read."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.channels = {}
        with session(url) as conn:
            factors.load(conn)
            self.park_id = registry.add_park(
                conn, "T", zone="Asia/Shanghai", region="CN-JS"
            )
            enterprises = {
                code: registry.add_enterprise(conn, self.park_id, code)
                for code in ("PARK", "E1", "E2")
            }
            for code in ("PARK", "E1", "E2"):
                statements.state_added_value(
                    conn,
                    enterprises[code],
                    date(2026, 3, 1),
                    date(2026, 4, 1),
                    VALUE / 3,
                    source="bureau",
                )
            meters: dict[str, int] = {}
            for code, about in METERS.items():
                of = enterprises[about["enterprise"]]
                meters[code] = registry.add_meter(conn, self.park_id, of, code)
                relations.confirm_meter(
                    conn, meters[code], of, source="test", since=SINCE
                )
                above = meters[about["parent"]] if about["parent"] else None
                relations.place_meter(
                    conn, meters[code], about["role"], above, SINCE, source="test"
                )
            for key in CHANNELS:
                if key.quantity != "voc":
                    self.channels[key] = registry.add_channel(
                        conn, meters[key.subject], key.quantity, "register"
                    )
        self.sent = 0
        for named, channel in self.channels.items():
            self._send(Key(*named), channel)
        self._refuse()
        self.compute()

    def _send(self, key: Key, channel: int) -> None:
        value = register(key, METERS[key.subject]["error_ppm"])
        first_us = int(MARCH[0].timestamp()) * 1_000_000
        at_us = first_us + 900_000_000 * np.arange(value.size)
        sent = np.ones(value.size, np.bool_)
        if key.subject == "M1":
            sent[GAP] = False
        self.sent += int(sent.sum())
        # the first nine once more: duplicates
        for which in (np.flatnonzero(sent), np.arange(9)):
            with session(self.url) as conn:
                write_batch(
                    conn,
                    _rows(np.full(which.size, channel), at_us[which], value[which]),
                    [],
                    parks={channel: self.park_id},
                    totals={channel},
                    source="mqtt",
                    parser="native/1",
                    messages=1,
                )

    def _refuse(self) -> None:
        with session(self.url) as conn:
            topic = "parkwatt/v1/T/E1/M1/readings"
            write_batch(
                conn,
                _rows([], [], []),
                [Quarantined(topic, b'{"at": "1970', "not JSON: cut off", 1)],
                parks={},
                totals=set(),
                source="mqtt",
                parser="native/1",
                messages=1,
            )


@pytest.fixture(scope="module")
def world(timescale: Any) -> Iterator[tuple[World, str]]:
    url = timescale.copy()
    made = World(url)
    with running(url) as address:
        yield made, address
    timescale.drop(url)


def scored(world: tuple[World, str], folder: Path, lost: int = 0) -> Score:
    made, address = world
    faults: tuple[tuple[str, str, datetime, datetime, dict[str, Any]], ...] = (
        ("gap", "M1", at(GAP.start), at(GAP.stop), {}),
        ("truncated", "M1", at(GAP.start), at(GAP.start + 1), {}),
        ("glitch", "M2", at(GLITCH), at(GLITCH), {"to": 0.0}),
        ("reset", "S2", at(RESET) - timedelta(minutes=7), at(RESET), {}),
    )
    ledger = dict.fromkeys(("foreign", "clock_not_set", "ahead"), 0)
    ledger |= {"stored": made.sent + lost, "duplicates": 45, "corrupt": 1}
    path = write(folder / "truth.parquet", *MARCH, faults=faults, ledger=ledger)
    with Platform(address, "T", "Asia/Shanghai") as platform:
        return score(read(path), platform, thresholds=Thresholds())


def test_the_real_platform(world: tuple[World, str], tmp_path: Path) -> None:
    found = scored(world, tmp_path)
    assert [each for each in found.checks if each.passed is False] == []
    assert {each.kind: each.recall for each in found.recalls} == {
        "gap": 1.0,
        "glitch": 1.0,
        "reset": 1.0,
        "truncated": 1.0,
    }
    # the glitch leaves a gap of half an hour beside it
    assert {each.kind: each.told for each in found.precisions} == {
        "gap": 2,
        "glitch": 1,
        "reset": 1,
    }
    assert {each.precision for each in found.precisions} == {1.0}
    park = found.park_amounts[0]
    assert park.right
    assert park.shown > 400_000
    # the reset hides the quarter hour in which it came, of the sub-meter
    wrong = [each.subject for each in found.registers if not each.right]
    assert wrong == ["S2"]
    assert (found.honesty.missing, found.honesty.unknowable) == (1, 1)
    assert found.honesty.stretches_right == found.honesty.stretches == 2
    assert found.honesty.inside_band == found.honesty.estimated == 13 + 2
    assert all(each.time_right for each in found.peaks)
    assert max(abs(each.error_percent) for each in found.peaks) < 0.05
    assert found.accounting.received == found.accounting.inserted + 45 + 1
    emission = found.emissions[0]
    assert abs(emission.error_percent) < 1e-4
    assert emission.told_t_per_10k_cny == pytest.approx(emission.told_t / VALUE)
    # MEE's factor of Jiangsu for 2023 is the truth's
    assert emission.method is not None


def test_a_lost_reading(world: tuple[World, str], tmp_path: Path) -> None:
    found = scored(world, tmp_path, lost=1)
    assert [each.name for each in found.checks if each.passed is False] == [
        "lost readings"
    ]


def test_questions_that_are_not_answered(world: tuple[World, str]) -> None:
    _, address = world
    with (
        Platform(address, "elsewhere", "Asia/Shanghai") as other,
        pytest.raises(SimulatorError, match="There is no park 'elsewhere'"),
    ):
        other.pending(int(MARCH[0].timestamp()))
    with (
        Platform("http://127.0.0.1:9", "T", "Asia/Shanghai") as nobody,
        pytest.raises(SimulatorError, match="start parkwatt serve"),
    ):
        nobody.sources()
    answering = httpx.MockTransport(lambda _: httpx.Response(404, text="<html>"))
    client = httpx.Client(base_url="http://x", transport=answering)
    with (
        Platform("http://x", "T", "Asia/Shanghai", client) as page,
        pytest.raises(SimulatorError, match="is this address that of parkwatt serve"),
    ):
        page.sources()


def test_long_runs_are_asked_in_parts() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.params["from"], request.url.params["to"]))
        head = "start,amount,least,most,unit,measured_s,estimated_s,expected_s,coverage\r\n"
        row = f"{asked[-1][0]}T00:00:00+08:00,1.5,1.5,1.5,kWh,900.0,0.0,900,1\r\n"
        return httpx.Response(200, text=head + row)

    client = httpx.Client(base_url="http://x", transport=httpx.MockTransport(answer))
    start_s = int(datetime(2024, 3, 10, tzinfo=ZONE).timestamp())
    stop_s = int(datetime(2026, 3, 10, tzinfo=ZONE).timestamp())
    with Platform("http://x", "T", "Asia/Shanghai", client) as platform:
        told = platform.usage("energy_import", start_s, stop_s)
    assert asked == [
        ("2024-03-10", "2025-03-01"),
        ("2025-03-01", "2026-03-01"),
        ("2026-03-01", "2026-03-10"),
    ]
    assert np.flatnonzero(told.measured_s).tolist() == [0, 96 * 356, 96 * 721]


def test_the_quarantine_is_read_page_by_page_and_of_the_park_alone() -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor"))
        last = asked[-1] == "7"
        park = "T" if last else "U"
        row = {
            "topic": f"parkwatt/v1/{park}/E1/M1/readings",
            "reason": "",
            "payload": "",
        }
        return httpx.Response(200, json={"rows": [row], "next": None if last else 7})

    client = httpx.Client(base_url="http://x", transport=httpx.MockTransport(answer))
    with Platform("http://x", "T", "Asia/Shanghai", client) as platform:
        [found] = platform.quarantine()
    assert asked == [None, "7"]
    assert found.topic.startswith("parkwatt/v1/T/")
