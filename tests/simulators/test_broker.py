"""Publisher, replay and park against a real Mosquitto."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulators import steel
from simulators.errors import PublishError
from simulators.gateway import Gateway
from simulators.park import Park, Reading
from simulators.publisher import Publisher
from simulators.replay import replay
from simulators.simulate import Broker, backfill, run

pytestmark = pytest.mark.broker

DAY = datetime(2026, 3, 4, tzinfo=ZoneInfo("Asia/Shanghai"))
Got = list[tuple[str, bytes]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def mosquitto_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if program is None:
        pytest.skip("mosquitto is not installed")
    folder: Path = tmp_path_factory.mktemp("mosquitto")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\n"
        "max_queued_messages 1000000\n",
        encoding="utf-8",
    )
    with subprocess.Popen(
        [program, "-c", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            process.terminate()


@pytest.fixture
def listen(mosquitto_port: int) -> Iterator[Callable[..., Got]]:
    """Subscribe to a topic; the messages gather in the list returned."""
    clients: list[Client] = []

    def start(
        topic: str, answer: Callable[[Client, MQTTMessage], None] | None = None
    ) -> Got:
        got: Got = []
        ready = threading.Event()
        client = Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5
        )

        def take(client: Client, _userdata: object, message: MQTTMessage) -> None:
            got.append((message.topic, bytes(message.payload)))
            if answer is not None:
                answer(client, message)

        client.on_message = take
        client.on_subscribe = lambda *_: ready.set()
        client.connect("127.0.0.1", mosquitto_port)
        client.subscribe(topic, qos=1)
        client.loop_start()
        clients.append(client)
        assert ready.wait(5)
        return got

    yield start
    for client in clients:
        client.disconnect()
        client.loop_stop()


def wait_for(done: Callable[[], bool]) -> None:
    for _ in range(200):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("did not happen within 10 s")


def test_publisher_counts_what_was_accepted(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    got = listen("test/many")
    with Publisher("127.0.0.1", mosquitto_port, client_id="many", window=7) as sender:
        for number in range(500):
            sender.publish("test/many", str(number).encode())
            assert sender.in_flight <= 7
        sender.drain(5)
        assert sender.accepted == 500
        assert sender.in_flight == 0
    wait_for(lambda: len(got) == 500)
    assert {int(payload) for _, payload in got} == set(range(500))


def test_nobody_listens(mosquitto_port: int) -> None:
    sender = Publisher("127.0.0.1", mosquitto_port, client_id="alone")
    with pytest.raises(PublishError, match="is `parkwatt ingest` running"), sender:
        sender.publish("test/nobody", b"{}")
    assert sender.refused == {16: 1}
    assert sender.accepted == 0


def test_no_broker() -> None:
    sender = Publisher("127.0.0.1", free_port(), client_id="lost")
    with pytest.raises(PublishError, match="cannot reach the MQTT broker"), sender:
        pass


@pytest.mark.slow
def test_replay_arrives_completely(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    got = listen("parkwatt/v1/P01/E01/M1/readings")
    seen: list[tuple[int, int]] = []
    report = replay(
        host="127.0.0.1",
        port=mosquitto_port,
        park="P01",
        enterprise="E01",
        meter="M1",
        shuffle=True,
        duplicates=0.03,
        seed=1,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert report.instants == 35_041 + 1_051
    assert report.readings == report.instants * 3
    assert report.messages == 722
    assert seen[-1] == (report.readings, report.readings)
    wait_for(lambda: len(got) == report.messages)
    arrived: dict[str, float] = {}
    count = 0
    for _, payload in got:
        for reading in json.loads(payload)["readings"]:
            count += 1
            value = reading["energy_import_kwh"]
            assert arrived.setdefault(reading["at"], value) == value
    assert count == report.instants
    registers = steel.read()
    assert arrived == {
        str(reading["at"]): reading["energy_import_kwh"]
        for reading in map(registers.reading, range(35_041))
    }


def test_backfill_and_run(mosquitto_port: int, listen: Callable[..., Got]) -> None:
    park = Park(1, code="P02")
    broker = Broker(host="127.0.0.1", port=mosquitto_port)
    got = listen("parkwatt/v1/P02/+/+/readings")
    report = backfill(park, broker, start=DAY, until=DAY + timedelta(hours=6))
    assert report.messages == 54  # 72 instants of 27 meters, 60 in a message
    assert report.readings == 72 * (12 * 3 + 12 + 2 + 2)
    wait_for(lambda: len(got) == 54)
    expected = list(park.history(DAY, DAY + timedelta(hours=6), 300))
    assert sorted(got) == sorted((each.topic, each.payload) for each in expected)

    got.clear()
    report = run(park, broker, interval_s=0.01, start=DAY, speed=6000, ticks=3)
    assert report.messages == 81
    wait_for(lambda: len(got) == 81)
    times = {json.loads(payload)["at"] for _, payload in got}
    assert times == {f"2026-03-04T00:0{minute}:00+08:00" for minute in range(3)}


def test_run_stops_when_told(mosquitto_port: int, listen: Callable[..., Got]) -> None:
    listen("parkwatt/v1/P03/+/+/readings")
    stop = threading.Event()
    report = run(
        Park(1, code="P03"),
        Broker(host="127.0.0.1", port=mosquitto_port),
        interval_s=60,
        stop=stop,
        progress=lambda *_: stop.set(),
    )
    assert report.messages == 27
    assert report.seconds < 20


def test_gateway_waits_for_the_store(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    deaf = 3  # the first batches are lost behind the broker

    def answer(client: Client, message: MQTTMessage) -> None:
        nonlocal deaf
        if deaf:
            deaf -= 1
            return
        body = json.loads(message.payload)
        reply = json.dumps({"boot": body["boot"], "seq": body["seq"]})
        client.publish(message.topic.removesuffix("batch") + "ack", reply, qos=1)

    got = listen("parkwatt/v1/P04/+/GW1/batch", answer)
    reading: Reading = {"at": "2026-03-04T00:00:00+08:00", "water_m3": 1.5}
    with Gateway(
        "127.0.0.1", mosquitto_port, park="P04", resend_s=0.3, boot="b1"
    ) as gateway:
        for _ in range(10):
            gateway.send("E01", {"W1": [reading]})
            gateway.send("E02", {"W2": [reading]})
        gateway.drain()
        assert gateway.confirmed == 20
        assert gateway.resent >= 3
        assert gateway.unconfirmed == 0
    assert json.loads(got[0][1]) == {
        "boot": "b1",
        "seq": 1,
        "meters": {"W1": [reading]},
    }


def test_gateway_says_that_nothing_is_stored(mosquitto_port: int) -> None:
    gateway = Gateway("127.0.0.1", mosquitto_port, park="P05", timeout_s=0.5)
    with pytest.raises(PublishError, match="1 batches open"), gateway:
        gateway.send("E01", {"W1": [{"at": "2026-03-04T00:00:00+08:00"}]})


def test_backfill_through_the_gateway(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    def answer(client: Client, message: MQTTMessage) -> None:
        body = json.loads(message.payload)
        del body["meters"]
        client.publish(message.topic[:-5] + "ack", json.dumps(body), qos=1)

    got = listen("parkwatt/v1/P06/+/GW1/batch", answer)
    broker = Broker(host="127.0.0.1", port=mosquitto_port, gateway=True)
    report = backfill(
        Park(1, code="P06"), broker, start=DAY, until=DAY + timedelta(hours=6)
    )
    assert report.messages == 24
    assert len(got) == 24
    first = json.loads(got[0][1])
    assert set(first["meters"]) == {"E01-M1", "E01-W1"}
    assert len(first["meters"]["E01-M1"]) == 60
