"""What the measurements share."""

import json
import operator
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ingest.broker import Broker
from simulators.errors import PublishError
from simulators.publisher import Publisher
from store import registry, relations
from store.database import connect

METERS = 100
START = datetime(2026, 1, 1, tzinfo=UTC)


MISSED: list[str] = []  # what did not hold its bar, told at the end of the run
HOLDS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


def emit(name: str, value: float, unit: str, bar: str = "", **more: object) -> None:
    line = {"measure": name, "value": round(value, 4), "unit": unit, "bar": bar, **more}
    if bar:
        sign, limit = bar.split()
        line["held"] = HOLDS[sign](value, float(limit))
        if not line["held"]:
            MISSED.append(f"{name}: {value:.4g} {unit}, the bar is {bar}")
    print(json.dumps(line), flush=True)


def verdict() -> int:
    """Name every bar that was missed; give the status that the run ends with."""
    for each in MISSED:
        note(f"MISSED {each}")
    return 1 if MISSED else 0


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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
