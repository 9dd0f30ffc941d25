"""Speed, and how good forecasts are, measured in one run as JSON lines.

Ratios and errors travel between machines, seconds do not.

Durable commits, a real broker and TimescaleDB of their own. Each line names what was
measured, the figure, its unit and the bar it is held against, where there is one, with
whether it held; where one did not, the run ends with status 1 and names it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from analytics import registers
from analytics.jobs.recompute import run_once
from ingest.broker import Broker
from ingest.broker import find_or_install as find_broker
from simulators import steel
from simulators.publisher import Publisher
from store import registry
from store.batches import copy_rows, write_batch
from store.database import connect
from store.embedded import Server, find_or_install
from store.migrate import migrate
from store.processes import free_port
from store.readings import NO_UNTIL, Rows, to_us
from tests.bench import books, explaining, forecasting, ingesting
from tests.bench.tools import (
    METERS,
    START,
    emit,
    listening,
    note,
    process,
    register,
    verdict,
    wait,
)

RAW = 400_000


YEARS = (10, 100, 1_000)  # meters
LATE = 17_000 + 97 * np.arange(5)  # of the year's readings, those that come late


def main() -> None:
    forecasting.measure()
    home = Path(os.environ.get("PARKWATT_HOME", ".parkwatt")).absolute()
    installation = find_or_install(home, note)
    program = find_broker(home, note)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(installation, f"bench-{os.getpid()}") as server,
        Broker(Path(folder) / "broker", program=program) as broker,
    ):
        try:
            url = server.url
            migrate(url)
            ingesting.measure(url, broker, partial(raw_copy, url))
            freshness(url, broker)
            books.measure(url)
            explaining.measure(url)
            analysis(server)
        finally:
            server.stop()
            server.destroy()


def shape(readings: int, meters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Meter, instant and value of readings, minute after minute."""
    i = np.arange(readings)
    at = to_us(START) + i // meters * 60_000_000
    return i % meters, at, 1000 + (i // meters) * 0.25


def raw_copy(url: str) -> float:
    """COPY rows into the hypertable with its key: the limit for ingest."""
    rates = []
    with connect(url) as conn:
        for run in range(3):
            meter, at, value = shape(RAW, METERS)
            rows = Rows(meter + 1, at, value, np.full(RAW, NO_UNTIL, np.int64))
            rows = rows._replace(channel=rows.channel + 1_000_000 * (run + 1))
            began = time.perf_counter()
            for low in range(0, RAW, 20_000):
                copy_rows(conn, rows.take(np.arange(low, low + 20_000)), 1)
                conn.commit()
            rates.append(RAW / (time.perf_counter() - began))
        conn.execute("DELETE FROM core.reading WHERE channel_id > 1000000")
        conn.commit()
    return statistics.median(rates)


def freshness(url: str, broker: Broker) -> None:
    """Time from publishing a reading to the event on the live page's stream."""
    register(url, "live", 1)
    port = free_port()
    env = {
        "PARKWATT_MQTT_CLIENT_ID": "bench-live",
        "PARKWATT_MQTT_TOPIC": "parkwatt/v1/live/#",
        "PARKWATT_API_PORT": str(port),
    }
    base = f"http://127.0.0.1:{port}"
    with (
        process(url, broker, "ingest", **env),
        process(url, broker, "serve", **env),
        httpx.Client(base_url=base, timeout=30) as client,
        Publisher(broker.host, broker.port, client_id="bench-now") as publisher,
    ):
        wait(lambda: listening(broker, "live"))
        wait(lambda: _healthy(client))
        waits = []
        with client.stream("GET", "/api/v1/parks/live/stream") as stream:
            lines = stream.iter_lines()
            for i in range(12):
                power = 1000 + i
                began = time.perf_counter()
                publisher.publish(
                    "parkwatt/v1/live/e/M0/readings",
                    json.dumps(
                        {"at": datetime.now(UTC).isoformat(), "power_kw": power}
                    ).encode(),
                )
                publisher.drain()
                for line in lines:
                    if line.startswith("data:") and _power(line) == power:
                        break
                waits.append(time.perf_counter() - began)
                time.sleep(0.37)
    emit("publish to live page, median", statistics.median(waits), "s", "< 2")
    emit("publish to live page, longest of 12", max(waits), "s", "< 2")


def _healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def _power(line: str) -> float | None:
    data = json.loads(line.removeprefix("data:"))
    power = data.get("power", data)
    return power.get("kw") if isinstance(power, dict) else None


def analysis(server: Server) -> None:
    """The plant's year for 10, 100 and 1 000 meters, from the database to itself."""
    seconds = {}
    for meters in YEARS:
        with connect(server.url_of("postgres"), autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE year_{meters}")
        url = server.url_of(f"year_{meters}")  # nothing else waits to be computed there
        migrate(url)
        channels = register(url, "year", meters)
        late = channels[meters // 2]
        readings = _fill(url, channels, late)
        if meters == METERS:
            _kernels(meters)
        began = time.perf_counter()
        peak_mb = _analyse(url)
        seconds[meters] = time.perf_counter() - began
        emit(
            f"analysis of a year of 15-minute registers, {meters:,} meters",
            seconds[meters],
            "s",
            "< 180" if meters == max(YEARS) else "",
            readings=readings,
        )
        emit("the same: peak memory", peak_mb, "MB", "< 1500")
        emit(
            "one late reading is restated",
            _late(url, late),
            "s",
            "< 0.2",
            meters=meters,
        )
    few, many = sorted(YEARS)[-2:]
    emit(
        f"time a meter, {many:,} over {few:,} meters",
        seconds[many] / many / (seconds[few] / few),
        "ratio",
        "< 1.2",
    )


def _analyse(url: str) -> float:
    """Let a process of its own compute all there is; give its peak memory [MB]."""
    child = subprocess.Popen(
        [sys.executable, "-m", "parkwatt", "analyse", "--once"],
        env={**os.environ, "PARKWATT_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit("the analysis failed")
    return usage.ru_maxrss / 1024


def _fill(url: str, channels: list[int], late: int) -> int:
    """Write the plant's register for each channel; give the number of readings.

    One channel lacks the readings that come late.
    """
    plant = steel.read()
    at = plant.at * 1_000_000
    value = plant.hundredths[:, 0] / 100.0
    parks = dict.fromkeys(channels, _park(url, "year"))
    for low in range(0, len(channels), 10):
        some = channels[low : low + 10]
        rows = Rows(
            np.repeat(np.array(some, np.int64), at.size),
            np.tile(at, len(some)),
            np.tile(value, len(some)),
            np.full(at.size * len(some), NO_UNTIL, np.int64),
        )
        missing = (rows.channel == late) & np.isin(rows.at_us, at[LATE])
        _write(url, rows.take(~missing), parks)
    return at.size * len(channels) - LATE.size


def _write(url: str, rows: Rows, parks: dict[int, int]) -> None:
    with connect(url) as conn:
        write_batch(
            conn,
            rows,
            [],
            parks=parks,
            totals=set(parks),
            source="bench year",
            parser="bench",
            messages=1,
        )


def _late(url: str, channel: int) -> float:
    """Time to restate all that rests on one reading that comes late, median of 5.

    It ends a gap of half an hour: two quarters, their day and month change, of the meter,
    its enterprise and the park.
    """
    plant = steel.read()
    parks = {channel: _park(url, "year")}
    seconds = []
    with connect(url, autocommit=True) as conn:
        for i in LATE.tolist():
            at = int(plant.at[i]) * 1_000_000
            value = float(plant.hundredths[i, 0]) / 100.0
            one = [np.array([each]) for each in (channel, at, value, NO_UNTIL)]
            _write(url, Rows(*one), parks)
            began = time.perf_counter()
            while run_once(conn) is not None:
                pass
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _kernels(meters: int) -> None:
    plant = steel.read()
    n = plant.at.size
    at = np.tile(plant.at * 1_000_000, meters)
    value = np.tile(plant.hundredths[:, 0] / 100.0, meters)
    dense = np.repeat(np.arange(meters), n)
    none = np.empty(0, np.int64)
    limits = np.full(meters, 1_350_000_000)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        found, _ = registers.intervals(
            dense,
            at,
            value,
            np.full(meters, np.nan),
            momentary=np.full(meters, registers.MOMENTARY),
            measured_up_to_us=limits,
        )
        registers.usage(
            found,
            limits,
            registers.Steps(none, none, np.empty(0)),
        )
        seconds.append(time.perf_counter() - began)
    emit(
        "kernels, registers to usage",
        n * meters / statistics.median(seconds),
        "readings/s",
        "> 10000000",
        readings=n * meters,
    )


def _park(url: str, code: str) -> int:
    with connect(url) as conn:
        return registry.park(conn, code).park_id


if __name__ == "__main__":
    main()
    sys.exit(verdict())
