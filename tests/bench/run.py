"""Speed, measured in one run as JSON lines; ratios travel between machines, seconds do not.

Durable commits, a real broker and TimescaleDB of their own. Each line names what was
measured, the figure, its unit and the bar it is held against, where there is one.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from analytics import registers
from analytics.jobs import service
from ingest.broker import Broker
from ingest.broker import find_or_install as find_broker
from simulators import steel
from simulators.errors import PublishError
from simulators.publisher import Publisher
from store import registry, relations
from store.batches import copy_rows, write_batch
from store.database import connect
from store.embedded import Server, find_or_install
from store.migrate import migrate
from store.processes import free_port
from store.readings import NO_UNTIL, Rows, to_us

METERS = 100
BATCHED, SINGLE, RAW = 400_000, 60_000, 400_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def emit(name: str, value: float, unit: str, bar: str = "", **more: object) -> None:
    line = {"measure": name, "value": round(value, 4), "unit": unit, "bar": bar, **more}
    print(json.dumps(line), flush=True)


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
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
            raw = raw_copy(url)
            ingest(url, broker, "batched", BATCHED, 50, raw)
            ingest(url, broker, "single", SINGLE, 1, raw)
            freshness(url, broker)
            analysis(url)
        finally:
            server.stop()
            server.destroy()


def register(url: str, park: str, meters: int) -> list[int]:
    with connect(url, autocommit=True) as conn:
        park_id = registry.add_park(conn, park, zone="Asia/Shanghai", region="CN-JS")
        enterprise = registry.add_enterprise(conn, park_id, "e")
        channels = []
        for i in range(meters):
            meter = registry.add_meter(conn, park_id, enterprise, f"M{i}")
            relations.confirm_meter(conn, meter, enterprise, source="bench")
            channels.append(
                registry.add_channel(conn, meter, "energy_import", "register")
            )
    return channels


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
    rate = statistics.median(rates)
    emit("raw binary COPY, 20 000 rows a commit", rate, "rows/s", rows=RAW)
    return rate


@contextmanager
def process(url: str, broker: Broker, command: str, **env: str) -> Iterator[Any]:
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "parkwatt", command],
            env={
                **os.environ,
                "PARKWATT_DATABASE_URL": url,
                "PARKWATT_MQTT_HOST": broker.host,
                "PARKWATT_MQTT_PORT": str(broker.port),
                **env,
            },
            stdout=log,
            stderr=log,
        )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)


def wait(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("waited in vain")
        time.sleep(0.02)


def listening(broker: Broker, park: str) -> bool:
    try:
        with Publisher(broker.host, broker.port, client_id="bench-door") as door:
            door.publish(f"parkwatt/v1/{park}/e/door/ack", b"{}")
            door.drain()
    except PublishError:
        return False
    return True


def received(url: str, source: str) -> int:
    with connect(url) as conn:
        row = conn.execute(
            "SELECT coalesce(sum(received), 0)::int8 FROM core.batch WHERE source = %s",
            (source,),
        ).fetchone()
    return int(str(row[0])) if row else 0


def ingest(
    url: str, broker: Broker, name: str, readings: int, per_message: int, raw: float
) -> None:
    """Drain a backlog queued in the broker, acknowledged after commit."""
    register(url, name, METERS)
    source = f"bench-{name}"
    env = {
        "PARKWATT_MQTT_CLIENT_ID": source,
        "PARKWATT_MQTT_TOPIC": f"parkwatt/v1/{name}/#",
    }
    with process(url, broker, "ingest", **env):
        wait(lambda: listening(broker, name))
    meter, _, value = shape(readings, METERS)
    times = [
        (START + timedelta(minutes=i)).isoformat()
        for i in range(readings // METERS + 1)
    ]
    note(f"queueing {readings} readings, {per_message} a message")
    with Publisher(broker.host, broker.port, client_id="bench-fill") as publisher:
        for m in range(METERS):
            mine = np.flatnonzero(meter == m)
            for low in range(0, mine.size, per_message):
                part = [
                    {
                        "at": times[i // METERS],
                        "energy_import_kwh": float(value[i]),
                    }
                    for i in mine[low : low + per_message].tolist()
                ]
                body: Any = part[0] if per_message == 1 else {"readings": part}
                publisher.publish(
                    f"parkwatt/v1/{name}/e/M{m}/readings", json.dumps(body).encode()
                )
        publisher.drain(120)
    with process(url, broker, "ingest", **env) as child:
        wait(lambda: received(url, source) >= readings)
        usage = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        status = Path(f"/proc/{child.pid}/status").read_text()
    cpu_s = (int(usage[11]) + int(usage[12])) / os.sysconf("SC_CLK_TCK")
    peak_mb = int(status.split("VmHWM:")[1].split()[0]) / 1024
    with connect(url) as conn:
        row = conn.execute(
            "SELECT sum(inserted)::int8, extract(epoch FROM max(received_at) - "
            "min(received_at))::float8, "
            "(array_agg(received ORDER BY batch_id DESC))[1]::int8 "
            "FROM core.batch WHERE source = %s AND received > 0",
            (source,),
        ).fetchone()
    assert row is not None
    inserted, seconds, last = (float(str(each)) for each in row)
    rate = (inserted - last) / seconds
    what = f"ingest drains a backlog, {per_message} readings a message"
    emit(
        what, rate, "readings/s", "" if per_message > 1 else ">= 8000", stored=inserted
    )
    if per_message > 1:
        emit(f"{what}, of raw COPY", rate / raw, "ratio", ">= 0.25")
    emit(f"{what}: CPU of ingest, start included", 1e6 * cpu_s / readings, "µs/reading")
    emit(f"{what}: peak memory of ingest", peak_mb, "MB", "< 300")


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
