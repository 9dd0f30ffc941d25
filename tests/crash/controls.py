"""Negative controls: a little ingest that is wrong on purpose, and shows what that costs.

It stores into a file of its own. The right way of the same program is among them: it
must lose nothing under the same kills.
"""

import argparse
import queue
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from store.processes import free_port, launch, stop, tied
from tests.crash.rig import ROOT, wait

MESSAGES, RATE, KILLS = 20_000, 4000.0, 3
WAYS = ("right", "auto-ack", "clean-start", "qos-2", "queue-1000")
_TOPIC = "control"


def run(program: str, seed: int) -> Iterator[dict[str, Any]]:
    """Run each way; the right one must lose nothing, the others something."""
    for way in WAYS:
        with tempfile.TemporaryDirectory(prefix="crash-") as folder:
            lost, accepted = _one(Path(folder), program, way, seed)
        right = way == "right"
        missed = [] if (lost == 0) == right else [f"{lost} lost of {MESSAGES}"]
        yield {
            "fault": f"control-{way}",
            "seed": seed,
            "sent": MESSAGES,
            "puback": accepted,
            "stored": MESSAGES - lost,
            "lost": lost,
            "missed": missed,
        }


def _one(folder: Path, program: str, way: str, seed: int) -> tuple[int, int]:
    port = free_port()
    config = folder / "mosquitto.conf"
    limit = 1000 if way == "queue-1000" else 1_000_000
    config.write_text(
        f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        f"max_queued_messages {limit}\nmax_inflight_messages 2000\n"
    )
    broker = launch(tied([program, "-c", str(config)]), folder / "broker.log")
    children: list[subprocess.Popen[bytes]] = []
    try:
        stored = folder / "stored.db"
        with sqlite3.connect(stored) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("CREATE TABLE stored (number INTEGER PRIMARY KEY)")
        db.close()

        def start() -> None:
            command = [sys.executable, "-m", "tests.crash.controls"]
            command += [way, str(port), str(stored)]
            env = {"PYTHONPATH": str(ROOT)}
            children.append(launch(tied(command, "KILL"), folder / "wrong.log", env))

        time.sleep(0.3)
        start()
        log = folder / "wrong.log"
        wait(lambda: b"subscribed" in log.read_bytes(), 20, "the little ingest")
        rng = random.Random(seed)
        span = MESSAGES / RATE
        kills = sorted(rng.uniform(0.1 * span, 0.9 * span) for _ in range(KILLS))

        def fault() -> None:
            children[-1].kill()
            children[-1].wait()
            start()

        accepted = _publish(port, 2 if way == "qos-2" else 1, kills, fault)
        count, since = -1, time.monotonic()
        while time.monotonic() - since < 3.0:
            time.sleep(0.1)
            with sqlite3.connect(stored) as db:
                (now,) = db.execute("SELECT count(*) FROM stored").fetchone()
            db.close()
            if now != count:
                count, since = now, time.monotonic()
        return MESSAGES - count, accepted
    finally:
        for child in children:
            child.kill()
            child.wait()
        stop(broker, [])


def _publish(port: int, qos: int, kills: list[float], fault: Any) -> int:
    """Send the numbers, with the faults on the way; give how many were acknowledged."""
    accepted = 0

    def published(*_: Any) -> None:
        nonlocal accepted
        accepted += 1

    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(500)
    client.on_publish = published
    client.connect("127.0.0.1", port)
    client.loop_start()
    begin = time.monotonic()
    for number in range(MESSAGES):
        if kills and time.monotonic() - begin > kills[0]:
            kills.pop(0)
            fault()
        client.publish(_TOPIC, str(number), qos)
        if number % 40 == 0:
            time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
    wait(lambda: accepted == MESSAGES, 60, "acknowledgements of the broker")
    client.disconnect()
    client.loop_stop()
    return accepted


def ingest() -> None:
    """The little ingest: queue, commit every 500 messages or 0.1 s, slowly."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("port", type=int)
    parser.add_argument("stored", type=Path)
    known = parser.parse_args()
    db = sqlite3.connect(known.stored, timeout=30)
    waiting: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    manual = known.way != "auto-ack"
    qos = 2 if known.way == "qos-2" else 1
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id="control",
        protocol=mqtt.MQTTv5,
        manual_ack=manual,
    )

    def connected(client: mqtt.Client, *_: Any) -> None:
        client.subscribe(_TOPIC, qos)
        print("subscribed", flush=True)

    def received(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        waiting.put((message.mid, int(message.payload)))

    client.on_connect = connected
    client.on_message = received
    keep = Properties(PacketTypes.CONNECT)
    keep.SessionExpiryInterval = 3600
    keep.ReceiveMaximum = 1000
    more: dict[str, Any] = {} if known.way == "clean-start" else {"clean_start": False}
    client.connect("127.0.0.1", known.port, properties=keep, **more)
    client.loop_start()
    while True:
        batch = [waiting.get()]
        end = time.monotonic() + 0.1
        while len(batch) < 500 and time.monotonic() < end:
            try:
                batch.append(waiting.get(timeout=0.01))
            except queue.Empty:
                continue
        time.sleep(0.05)
        db.executemany(
            "INSERT OR IGNORE INTO stored VALUES (?)", [b[1:] for b in batch]
        )
        db.commit()
        if manual:
            for mid, _ in batch:
                client.ack(mid, qos)


if __name__ == "__main__":
    ingest()
