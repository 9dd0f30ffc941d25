"""Speed, and how good forecasts are, measured in one run as JSON lines.

Ratios and errors travel between machines, seconds do not.

Durable commits, a real broker and TimescaleDB of their own. Each line names what was
measured, the figure, its unit and the bar it is held against, where there is one.
"""

import json
import os
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from analytics import registers
from analytics.jobs import service
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
from tests.bench import forecasting, ingesting
from tests.bench.tools import (
    METERS,
    START,
    emit,
    listening,
    note,
    process,
    register,
    wait,
)

RAW = 400_000


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
            with connect(server.url_of("postgres"), autocommit=True) as conn:
                conn.execute("CREATE DATABASE year")
            url = server.url_of("year")  # nothing else waits to be computed there
            migrate(url)
            analysis(url)
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


def analysis(url: str) -> None:
    """The plant's year x 100 meters, from the database to the database."""
    channels = register(url, "year", METERS)
    plant = steel.read()
    at = plant.at * 1_000_000
    value = plant.hundredths[:, 0] / 100.0
    n = at.size
    parks = dict.fromkeys(channels, _park(url, "year"))
    for low in range(0, METERS, 10):
        some = channels[low : low + 10]
        rows = Rows(
            np.repeat(np.array(some, np.int64), n),
            np.tile(at, len(some)),
            np.tile(value, len(some)),
            np.full(n * len(some), NO_UNTIL, np.int64),
        )
        with connect(url) as conn:
            write_batch(
                conn,
                rows,
                [],
                parks=parks,
                totals=set(channels),
                source="bench year",
                parser="bench",
                messages=1,
            )
    dense = np.repeat(np.arange(METERS), n)
    kernels = []
    for _ in range(3):
        began = time.perf_counter()
        found, _ = registers.intervals(
            dense, np.tile(at, METERS), np.tile(value, METERS), np.full(METERS, np.nan)
        )
        none = np.empty(0, np.int64)
        registers.usage(
            found,
            np.full(METERS, 1_350_000_000),
            registers.Steps(none, none, np.empty(0)),
        )
        kernels.append(time.perf_counter() - began)
    total = n * METERS
    emit(
        "kernels, registers to usage",
        total / statistics.median(kernels),
        "readings/s",
        "> 5000000",
        readings=total,
    )
    began = time.perf_counter()
    service.run(url, threading.Event(), once=True)
    seconds = time.perf_counter() - began
    emit(
        "analysis of the plant's year x 100 meters",
        seconds,
        "s",
        "< 60",
        readings=total,
    )


def _park(url: str, code: str) -> int:
    with connect(url) as conn:
        return registry.park(conn, code).park_id


if __name__ == "__main__":
    main()
