"""A seeded park of twelve enterprises, and the API served on a port of its own."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from analytics.jobs import factors
from analytics.jobs.recompute import run_once
from api.serve import serve
from store import devices, registry, relations, statements
from store.batches import Quarantined, write_batch
from store.database import connect, session
from store.readings import NO_UNTIL, Rows, to_us
from store.settings import Settings

NAMES = "轴承一厂 染整二厂 铸造三厂 电子四厂 玻璃五厂 机械六厂 食品七厂 化纤八厂 制药九厂 建材十厂 "
NAMES += "数据中心 包装车间"
STEP_S = 300


class Seed:
    """Writes a park's readings through the store and has the job compute them."""

    def __init__(self, url: str, zone: str = "Asia/Shanghai") -> None:
        self.url = url
        self.zone = ZoneInfo(zone)
        self.now = datetime.now(UTC)
        self.today: date = self.now.astimezone(self.zone).date()
        self.channels: dict[tuple[str, str], int] = {}
        self.power: dict[str, float] = {}
        with session(url) as conn:
            factors.load(conn)
            self.park_id = registry.add_park(
                conn, "P1", name="Tonghe Park 同和园区", zone=zone, region="CN-JS"
            )
            statements.set_contract_demand(
                conn,
                self.park_id,
                5400.0,
                datetime(2020, 1, 1, tzinfo=UTC),
                source="contract 1",
            )
            for i, name in enumerate(NAMES.split()):
                self._enterprise(conn, i, name)
            registry.add_park(conn, "P2", name="Empty", zone="UTC")

    def _enterprise(self, conn: Any, i: int, name: str) -> None:
        code = f"E{i + 1:02}"
        enterprise = registry.add_enterprise(conn, self.park_id, code, name=name)
        statements.state_added_value(
            conn,
            enterprise,
            self.today - timedelta(days=1),
            self.today,
            100.0 + i,
            source="bureau",
        )
        names = ["M1", "NEW"] if i == 4 else ["M1"]
        for meter_code in names:
            meter = registry.add_meter(conn, self.park_id, enterprise, meter_code)
            if meter_code == "M1":
                relations.confirm_meter(conn, meter, enterprise, source="test")
            for quantity, kind in (
                ("energy_import", "register"),
                ("reactive_energy_q1", "register"),
                ("power", "gauge"),
                ("voltage", "gauge"),
            ):
                self.channels[f"{code}/{meter_code}", quantity] = registry.add_channel(
                    conn, meter, quantity, kind
                )

    def load_kw(self, i: int, at: np.ndarray) -> np.ndarray:
        """Mean power of the i-th enterprise in the steps that begin at `at` [s]."""
        hour = (at + self.now.astimezone(self.zone).utcoffset().total_seconds()) / 3600  # type: ignore[union-attr]
        hour = hour % 24
        shift = np.exp(-(((hour - 10.5) / 3.2) ** 2)) + 0.85 * np.exp(
            -(((hour - 16) / 2.8) ** 2)
        )
        ripple = 0.04 * np.sin(at / 700 + i)
        return np.round((120 + 42 * i) * (0.45 + 0.75 * shift + ripple), 3)

    def fill(self) -> None:
        """Write yesterday and today up to now, then a quarantined message."""
        begin = datetime.combine(
            self.today - timedelta(days=1), time(), self.zone
        ).timestamp()
        at = np.arange(int(begin), int(self.now.timestamp()) + 1, STEP_S)
        at[-1] = int(self.now.timestamp())  # the last reading is fresh
        columns: list[tuple[np.ndarray, ...]] = []
        for (meter, quantity), channel in self.channels.items():
            i = int(meter[1:3]) - 1
            kw = self.load_kw(i, at)
            used = np.concatenate([[0.0], np.cumsum(kw[:-1] * np.diff(at) / 3600)])
            value = {
                "energy_import": np.round(10_000 + used, 3),
                "reactive_energy_q1": np.round(4_000 + 0.3 * used, 3),
                "power": kw,
                "voltage": np.full(at.size, 230.0 + i / 10),
            }[quantity]
            columns.append((np.full(at.size, channel), at * 1_000_000, value))
            if quantity == "power" and meter.endswith("M1"):
                self.power[meter[:3]] = float(value[-1])
        channel_id, at_us, values = map(np.concatenate, zip(*columns, strict=True))
        self.write(channel_id, at_us, values)
        with session(self.url) as conn:
            write_batch(
                conn,
                _rows([], [], []),
                [Quarantined("parkwatt/v1/P1/E01/M1/readings", b"=1+1", "no JSON", 1)],
                parks={},
                totals=set(),
                source="mqtt",
                parser="native/1",
                messages=1,
            )
            topic = "factory/dtu-0001/up"
            odd = devices.Unplaced("factory/+/up", topic, b'{"EP": 1}', "unknown")
            devices.count_unplaced(conn, [odd])
        self.compute()

    def write(self, channel: Any, at_us: Any, value: Any) -> None:
        """Write and commit one batch."""
        with session(self.url) as conn:
            write_batch(
                conn,
                _rows(channel, at_us, value),
                [],
                parks=dict.fromkeys(self.channels.values(), self.park_id),
                totals={
                    channel
                    for (_, quantity), channel in self.channels.items()
                    if "energy" in quantity
                },
                source="seed",
                parser="none",
                messages=1,
            )

    def say_power(self, meter: str, kw: float, at: datetime | None = None) -> None:
        """Write one power reading."""
        at = at or datetime.now(UTC)
        self.write([self.channels[meter, "power"]], [to_us(at)], [kw])

    def compute(self) -> None:
        """Let the job do all it has to."""
        with connect(self.url, autocommit=True) as conn:
            while run_once(conn) is not None:
                pass


def _rows(channel: Any, at_us: Any, value: Any) -> Rows:
    size = len(channel)
    return Rows(
        np.asarray(channel, np.int64),
        np.asarray(at_us, np.int64),
        np.asarray(value, np.float64),
        np.full(size, NO_UNTIL, np.int64),
    )


@contextmanager
def running(url: str) -> Iterator[str]:
    """Serve a database and give the address."""
    stop, up = threading.Event(), threading.Event()
    address: list[str] = []

    def ready(base: str) -> None:
        address.append(base)
        up.set()

    thread = threading.Thread(
        target=serve,
        args=(url, Settings(api_port=0), stop, ready),
    )
    thread.start()
    assert up.wait(10)
    try:
        yield address[0]
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def seeded(timescale: Any) -> Iterator[Seed]:
    """A seeded database that tests only read."""
    seed = Seed(timescale.copy())
    seed.fill()
    yield seed
    timescale.drop(seed.url)


@pytest.fixture(scope="session")
def base(seeded: Seed) -> Iterator[str]:
    """The address of an API that serves the seeded database."""
    with running(seeded.url) as address:
        yield address


@pytest.fixture
def api(base: str) -> Iterator[httpx.Client]:
    """A client of the API."""
    with httpx.Client(base_url=base, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium; each test opens pages of its own in it."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield running
        running.close()


@pytest.fixture
def own(timescale_database: str) -> Seed:
    """A seeded database of the test's own."""
    seed = Seed(timescale_database)
    seed.fill()
    return seed


@pytest.fixture
def serving() -> Callable[[str], Any]:
    """Serve a database while a block runs."""
    return running
