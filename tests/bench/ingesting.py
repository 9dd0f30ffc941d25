"""How fast a backlog drains, in which form, and how soon a reading is committed."""

import json
import math
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ingest.broker import Broker
from ingest.formats.sparkplug import _Payload
from ingest.link import Link
from simulators.publisher import Publisher
from store import registry
from store.database import connect
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

PER_BATCH = 50
TICK_HZ = os.sysconf("SC_CLK_TCK")

Sent = tuple[str, bytes]  # topic and payload


class Form(NamedTuple):
    """A kind of message and how many readings each one holds."""

    name: str
    readings: int
    messages: Callable[[str, int], Iterator[Sent]]


def _at(minute: int) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


def batches(park: str, count: int) -> Iterator[Sent]:
    """Fifty instants of one meter a message."""
    times = [_at(i) for i in range(math.ceil(count / METERS) * PER_BATCH)]
    for i in range(count):
        low = i // METERS * PER_BATCH
        part = [
            {"at": at, "energy_import_kwh": 1000 + 0.25 * (low + k)}
            for k, at in enumerate(times[low : low + PER_BATCH])
        ]
        yield (
            f"parkwatt/v1/{park}/e/M{i % METERS}/readings",
            json.dumps({"readings": part}).encode(),
        )


def singles(park: str, count: int) -> Iterator[Sent]:
    """One reading a message."""
    for i in range(count):
        body = {"at": _at(i // METERS), "energy_import_kwh": 1000 + i // METERS * 0.25}
        topic = f"parkwatt/v1/{park}/e/M{i % METERS}/readings"
        yield topic, json.dumps(body).encode()


def tasmota(park: str, count: int) -> Iterator[Sent]:
    """SENSOR telemetry of a plug with energy."""
    for i in range(count):
        minute = i // METERS
        energy = {
            **{"TotalStartTime": "2025-11-01T00:00:00", "Total": 1000 + minute / 8},
            **{"Yesterday": 1.5, "Today": 0.5, "Period": 2, "Power": 1200 + minute % 9},
            **{"ApparentPower": 1300, "ReactivePower": 400, "Factor": 0.92},
            **{"Voltage": 230 + minute % 3, "Current": 5.6},
        }
        body = {"Time": _at(minute)[:19], "ENERGY": energy}
        topic = f"parkwatt/v1/{park}/e/raw/tele/plug{i % METERS}/SENSOR"
        yield topic, json.dumps(body).encode()


_METRICS = (
    *("energy_import_kwh", "energy_export_kwh", "power_kw", "power_factor"),
    *("voltage_a_v", "voltage_b_v", "voltage_c_v"),
    *("current_a_a", "current_b_a", "current_c_a"),
)


def sparkplug(park: str, count: int) -> Iterator[Sent]:
    """Births of a node and its devices, then data by alias, ten metrics a message."""
    root = f"parkwatt/v1/{park}/e/raw/spBv1.0/plant"
    since = round(START.timestamp() * 1000)
    yield f"{root}/NBIRTH/node", _Payload(timestamp=since, seq=0).SerializeToString()
    for meter in range(METERS):
        payload = _Payload(timestamp=since, seq=(meter + 1) % 256)
        for alias, name in enumerate(_METRICS):
            payload.metrics.add(
                name=name.encode(), alias=alias, datatype=10, double_value=0.5
            )
        yield f"{root}/DBIRTH/node/d{meter}", payload.SerializeToString()
    for i in range(count - METERS - 1):
        stamp = since + (i // METERS + 1) * 60_000
        payload = _Payload(timestamp=stamp, seq=(i + METERS + 1) % 256)
        for alias in range(len(_METRICS)):
            payload.metrics.add(alias=alias, double_value=0.5 + i // METERS / 1000)
        yield f"{root}/DDATA/node/d{i % METERS}", payload.SerializeToString()


BATCHES = Form("native, 50 readings a message", PER_BATCH, batches)
SINGLES = Form("native, 1 reading a message", 1, singles)
TASMOTA = Form("Tasmota, 7 readings a message", 7, tasmota)
SPARKPLUG = Form("Sparkplug B, 10 readings a message", 10, sparkplug)


class Drained(NamedTuple):
    """How a backlog went in."""

    rate: float  # readings/s, from the first commit to the last
    cpu_us: float  # of all ingest processes a reading, their start included
    peak_mb: float  # of the largest
    inserted: int
    duplicate: int


class Backlog:
    """A park whose messages wait in the broker until ingest runs."""

    def __init__(self, url: str, broker: Broker, park: str, processes: int = 1) -> None:
        self.url, self.broker, self.park = url, broker, park
        self.sources = [f"bench-{park}-{i}" for i in range(processes)]
        register(url, park, METERS)
        with self._running():  # the sessions are made, and kept
            pass

    def _env(self, source: str) -> dict[str, str]:
        return {
            "PARKWATT_MQTT_CLIENT_ID": source,
            "PARKWATT_MQTT_TOPIC": f"parkwatt/v1/{self.park}/#",
            "PARKWATT_MQTT_SHARE": "bench" if len(self.sources) > 1 else "",
        }

    def _running(self) -> ExitStack:
        stack = ExitStack()
        self._children = []
        for source in self.sources:
            child = process(self.url, self.broker, "ingest", **self._env(source))
            self._children.append(stack.enter_context(child))
            wait(lambda: listening(self.broker, self.park))
        if len(self.sources) > 1:
            time.sleep(2)  # the door opens with the first of them
        return stack

    def fill(self, sent: Iterator[Sent]) -> None:
        """Queue messages; the broker has them all when this returns."""
        with Publisher(
            self.broker.host, self.broker.port, client_id="bench-fill"
        ) as publisher:
            for topic, payload in sent:
                publisher.publish(topic, payload)
            publisher.drain(300)

    def drain(self, readings: int) -> Drained:
        """Run ingest until so many more readings are accounted for."""
        before = self._counts()
        with connect(self.url) as conn:
            row = conn.execute(
                "SELECT coalesce(max(batch_id), 0) FROM batch"
            ).fetchone()
        first = int(str(row[0])) if row else 0
        cpu_s = peak_mb = 0.0
        with self._running():
            wait(lambda: self._counts()[0] >= before[0] + readings, 300)
            for child in self._children:
                cpu_s += _cpu_s(child.pid)
                status = Path(f"/proc/{child.pid}/status").read_text()
                peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
                peak_mb = max(peak_mb, peak)
        after = self._counts()
        with connect(self.url) as conn:
            row = conn.execute(
                "SELECT sum(received)::int8, extract(epoch FROM max(received_at) - "
                "min(received_at))::float8, "
                "(array_agg(received ORDER BY received_at DESC))[1]::int8 "
                "FROM batch WHERE source = ANY(%s) AND batch_id > %s AND received > 0",
                (self.sources, first),
            ).fetchone()
        assert row is not None
        received, seconds, last = (float(str(each)) for each in row)
        return Drained(
            rate=(received - last) / seconds,  # the last one's commit is not in it
            cpu_us=1e6 * cpu_s / readings,
            peak_mb=peak_mb,
            inserted=after[1] - before[1],
            duplicate=after[2] - before[2],
        )

    def _counts(self) -> tuple[int, ...]:
        with connect(self.url) as conn:
            row = conn.execute(
                "SELECT coalesce(sum(received), 0), coalesce(sum(inserted), 0), "
                "coalesce(sum(duplicate), 0) FROM source_total WHERE source = ANY(%s)",
                (self.sources,),
            ).fetchone()
        assert row is not None
        return tuple(int(str(each)) for each in row)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK_HZ


def measure(url: str, broker: Broker, raw_copy: Callable[[], float]) -> None:
    """Measure ingest against the raw COPY, measured before, between and after."""
    raws = [raw_copy()]
    note("queueing batches")
    one, two = Backlog(url, broker, "one"), Backlog(url, broker, "two", processes=2)
    one.fill(batches("one", 32_000))
    done_one = one.drain(32_000 * PER_BATCH)
    raws.append(raw_copy())
    two.fill(batches("two", 32_000))
    done_two = two.drain(32_000 * PER_BATCH)
    raws.append(raw_copy())
    raw = statistics.median(raws)
    emit("raw binary COPY, 20 000 rows a commit", raw, "rows/s", runs=len(raws))
    _tell(BATCHES.name, done_one, "", raw)
    _tell(f"{BATCHES.name}, two processes", done_two, "", raw)
    note("queueing single readings")
    single = Backlog(url, broker, "single")
    single.fill(singles("single", 100_000))
    _tell(SINGLES.name, single.drain(100_000), ">= 15000")
    _again(url, broker)
    for form, messages in ((TASMOTA, 20_000), (SPARKPLUG, 20_000)):
        note(f"queueing {messages} messages, {form.name}")
        park = Backlog(url, broker, form.messages.__name__)
        park.fill(form.messages(park.park, messages))
        done = park.drain(messages * form.readings - METERS)
        _tell(form.name, done, "")
    latency(url, broker, done_one.rate / 2)
    outage(url, broker)


def _tell(what: str, done: Drained, bar: str, raw: float = 0.0) -> None:
    name = f"ingest drains a backlog, {what}"
    counts = {"inserted": done.inserted, "duplicate": done.duplicate}
    emit(name, done.rate, "readings/s", bar, **counts)
    if raw:
        emit(f"{name}, of raw COPY", done.rate / raw, "ratio", ">= 0.5")
    emit(
        f"{name}: CPU of ingest, start included",
        done.cpu_us,
        "µs/reading",
        "< 8" if raw else "",
    )
    emit(f"{name}: peak memory of a process", done.peak_mb, "MB", "< 300")


def _again(url: str, broker: Broker) -> None:
    """All of it a second time, and new messages of which one in a hundred is old."""
    note("queueing duplicates")
    park = Backlog(url, broker, "again")
    old = list(batches("again", 8_000))
    park.fill(iter(old))
    park.drain(8_000 * PER_BATCH)
    park.fill(iter(old))
    _tell("50 a message, 100 % duplicates", park.drain(8_000 * PER_BATCH), "")
    new = list(batches("again", 16_000))[8_000:]
    for i in random.Random(1).sample(range(len(new)), len(new) // 100):
        new[i] = old[i]
    park.fill(iter(new))
    _tell("50 a message, 1 % duplicates", park.drain(8_000 * PER_BATCH), "")


def latency(url: str, broker: Broker, rate: float, seconds: float = 8.0) -> None:
    """From publish to the answer that follows the commit, at a steady rate."""
    register(url, "steady", METERS)
    with connect(url) as conn:
        assert registry.park(conn, "steady")
    count = int(rate * seconds / PER_BATCH)
    note(f"publishing {count} batches at {rate:.0f} readings/s")
    per_meter: list[Any] = [json.loads(body) for _, body in batches("steady", count)]
    bodies = [
        json.dumps(
            {"boot": "b", "seq": i, "meters": {f"M{i % METERS}": each["readings"]}}
        ).encode()
        for i, each in enumerate(per_meter)
    ]
    sent, waits = [0.0] * count, [0.0] * count
    left = threading.Semaphore(0)

    def answered(mid: int, topic: bytes, payload: bytes, retained: bool) -> None:
        client.acknowledge([mid])
        seq = json.loads(payload)["seq"]
        if not waits[seq]:
            waits[seq] = time.perf_counter() - sent[seq]
            left.release()

    env = {
        "PARKWATT_MQTT_CLIENT_ID": "bench-steady",
        "PARKWATT_MQTT_TOPIC": "parkwatt/v1/steady/#",
    }
    with process(url, broker, "ingest", **env):
        wait(lambda: listening(broker, "steady"))
        client = Link(answered)
        client.max_inflight_messages_set(2000)
        client.connect(broker.host, broker.port)
        client.subscribe("parkwatt/v1/steady/e/g/ack", qos=1)
        client.loop_start()
        time.sleep(0.5)
        began = time.perf_counter()
        for i, body in enumerate(bodies):
            due = began + i * PER_BATCH / rate
            while (now := time.perf_counter()) < due:
                time.sleep(due - now)
            sent[i] = due  # when it ought to leave: a late sender hides no wait
            client.publish("parkwatt/v1/steady/e/g/batch", body, qos=1)
        took = time.perf_counter() - began
        for _ in bodies:
            assert left.acquire(timeout=60), "an answer did not come"
        client.disconnect()
        client.loop_stop()
    waits.sort()
    real = round(count * PER_BATCH / took)
    p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    emit("publish to commit at half load, p50", p50, "s", rate=real)
    emit("publish to commit at half load, p99", p99, "s", "< 0.5", rate=real)


def outage(url: str, broker: Broker) -> None:
    """Eight hours of 500 enterprises with 10 meters each, a reading a minute."""
    minutes, enterprises, meters = 480, 500, 10
    park = Backlog(url, broker, "outage")
    with connect(url, autocommit=True) as conn:
        park_id = registry.park(conn, "outage").park_id
        for e in range(enterprises):
            registry.add_enterprise(conn, park_id, f"e{e}")
    note("queueing eight hours of 5 000 meters")

    def messages() -> Iterator[Sent]:
        for minute in range(minutes):
            at = _at(minute)
            for e in range(enterprises):
                readings = {
                    f"m{m}": [{"at": at, "energy_import_kwh": 1000 + minute * 0.25}]
                    for m in range(meters)
                }
                body = {"boot": "b", "seq": minute, "meters": readings}
                yield f"parkwatt/v1/outage/e{e}/g/batch", json.dumps(body).encode()

    began = time.perf_counter()
    park.fill(messages())
    note(f"queued in {time.perf_counter() - began:.0f} s")
    readings = minutes * enterprises * meters
    began = time.perf_counter()
    done = park.drain(readings)
    seconds = time.perf_counter() - began
    emit(
        "eight hours of 5 000 meters drain, new meters registered, times real time",
        minutes * 60 / seconds,
        "ratio",
        ">= 20",
        seconds=round(seconds, 1),
        inserted=done.inserted,
    )
    emit("the same: peak memory of ingest", done.peak_mb, "MB", "< 300")
