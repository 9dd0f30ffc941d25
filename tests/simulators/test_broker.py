"""Publisher, replay and park against a real Mosquitto."""

import json
import shutil
import socket
import subprocess
import sys
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
from simulators.gateway import Gateway, Reading
from simulators.park import Park
from simulators.publisher import Publisher
from simulators.replay import replay
from simulators.simulate import Broker, backfill, run
from simulators.spool import SpoolError
from tests.crash import sender

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]
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


def confirm(client: Client, message: MQTTMessage) -> None:
    """Answer as ingest does after its commit."""
    body = json.loads(message.payload)
    reply = json.dumps({"boot": body["boot"], "seq": body["seq"]})
    client.publish(message.topic.removesuffix("batch") + "ack", reply, qos=1)


def batches(got: Got) -> list[int]:
    return [json.loads(payload)["seq"] for _, payload in got]


WATER: Reading = {"at": "2026-03-04T00:00:00+08:00", "water_m3": 1.5}


def test_gateway_waits_for_the_store(
    mosquitto_port: int, listen: Callable[..., Got], tmp_path: Path
) -> None:
    deaf = 3  # the first batches are lost behind the broker

    def answer(client: Client, message: MQTTMessage) -> None:
        nonlocal deaf
        if deaf:
            deaf -= 1
        else:
            confirm(client, message)

    got = listen("parkwatt/v1/P04/+/GW1/batch", answer)
    with Gateway(
        "127.0.0.1", mosquitto_port, park="P04", spool=tmp_path / "s.db", resend_s=0.3
    ) as gateway:
        for _ in range(10):
            gateway.send("E01", {"W1": [WATER]})
            gateway.send("E02", {"W2": [WATER]})
        gateway.drain(timeout_s=20)
        assert gateway.confirmed == 20
        assert gateway.resent >= 3
        assert gateway.unconfirmed == 0
        assert gateway.last_seq("E02") == 10
        boot = gateway.boot
    assert json.loads(got[0][1]) == {"boot": boot, "seq": 1, "meters": {"W1": [WATER]}}
    # what is sent again is the same to the byte
    assert len(set(got)) == 20 < len(got)


def test_gateway_says_that_nothing_is_stored(
    mosquitto_port: int, tmp_path: Path
) -> None:
    with Gateway(
        "127.0.0.1", mosquitto_port, park="P05", spool=tmp_path / "s.db"
    ) as gateway:
        gateway.send("E01", {"W1": [WATER]})
        with pytest.raises(PublishError, match=r"1 batches wait in .*s\.db"):
            gateway.drain(timeout_s=0.5)
        # accepted by the broker with reason 16: nobody has it
        wait_for(lambda: gateway.refused[16] == 1)
        assert gateway.unconfirmed == 1


def test_gateway_that_may_not_write(tmp_path: Path) -> None:
    program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if program is None:
        pytest.skip("mosquitto is not installed")
    port = free_port()
    (tmp_path / "acl").write_text("topic read #\n")
    (tmp_path / "acl").chmod(0o600)
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        f"acl_file {tmp_path / 'acl'}\n"
    )
    with (
        subprocess.Popen(
            [program, "-c", str(config)], stderr=subprocess.DEVNULL
        ) as run,
        Gateway(
            "127.0.0.1", port, park="P09", spool=tmp_path / "s.db", resend_s=0.3
        ) as gateway,
    ):
        gateway.send("E01", {"W1": [WATER]})
        wait_for(lambda: gateway.refused[135] >= 2)
        assert gateway.unconfirmed == 1
        assert gateway.confirmed == 0
        run.terminate()


def test_gateway_goes_on_after_a_restart(
    mosquitto_port: int, listen: Callable[..., Got], tmp_path: Path
) -> None:
    spool = tmp_path / "s.db"
    port = free_port()
    with Gateway("127.0.0.1", port, park="P07", spool=spool) as gateway:
        for _ in range(300):  # no broker is needed to take them
            gateway.send("E01", {"W1": [WATER]})
        boot = gateway.boot
        assert not gateway.connected
        with pytest.raises(SpoolError, match="used by another process"):
            Gateway("127.0.0.1", port, park="P07", spool=spool)
    got = listen("parkwatt/v1/P07/+/GW1/batch", confirm)
    with Gateway("127.0.0.1", mosquitto_port, park="P07", spool=spool) as gateway:
        assert gateway.unconfirmed == 300
        assert gateway.send("E01", {"W1": [WATER]}) == 301
        gateway.drain(timeout_s=20)
        assert gateway.boot == boot
    assert batches(got) == list(range(1, 302))


@pytest.mark.parametrize(
    ("enterprise", "meters", "words"),
    [
        ("E/1", {"W1": [WATER]}, "code 'E/1'"),
        ("E1", {"W 1": [WATER]}, "code 'W 1'"),
        ("E1", {"W1": [{**WATER, "water_m3": float("nan")}]}, "not JSON compliant"),
        ("E1", {"W1": [WATER] * 6000}, "send fewer readings"),
    ],
)
def test_gateway_takes_only_what_can_be_answered(
    tmp_path: Path, enterprise: str, meters: dict[str, list[Reading]], words: str
) -> None:
    with Gateway(
        "127.0.0.1", free_port(), park="P08", spool=tmp_path / "s.db"
    ) as gateway:
        with pytest.raises(PublishError, match=words):
            gateway.send(enterprise, meters)
        assert gateway.unconfirmed == 0


@pytest.mark.slow
def test_gateway_killed_again_and_again(
    mosquitto_port: int, listen: Callable[..., Got], tmp_path: Path
) -> None:
    """Every batch comes, whenever the process ends; its numbers have no gap."""
    got = listen(f"parkwatt/v1/{sender.PARK}/+/GW1/batch", confirm)
    command = [
        *(sys.executable, "-m", "tests.crash.sender", "--port", str(mosquitto_port)),
        *("--spool", str(tmp_path / "s.db"), "--batches", "600", "--rate", "300"),
        *("--resend", "0.5", "--seed", "3"),
    ]
    for pause in (0.2, 0.35, 0.5):
        before = len(got)
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            wait_for(lambda before=before: len(got) > before)  # type: ignore[misc]
            time.sleep(pause)
            process.kill()
        assert process.returncode == -9
    subprocess.run(command, cwd=ROOT, check=True, timeout=60, stdout=subprocess.DEVNULL)
    assert set(batches(got)) == set(range(1, 601))
    assert len({json.loads(payload)["boot"] for _, payload in got}) == 1
    bodies = {payload: json.loads(payload) for _, payload in got}
    assert len(bodies) == 600
    for body in bodies.values():
        assert body["meters"] == sender.batch(body["seq"] - 1, 3)


def test_backfill_through_the_gateway(
    mosquitto_port: int, listen: Callable[..., Got], tmp_path: Path
) -> None:
    got = listen("parkwatt/v1/P06/+/GW1/batch", confirm)
    broker = Broker(host="127.0.0.1", port=mosquitto_port, spool=tmp_path / "s.db")
    report = backfill(
        Park(1, code="P06"), broker, start=DAY, until=DAY + timedelta(hours=6)
    )
    assert report.messages == 24
    assert len(got) == 24
    first = json.loads(got[0][1])
    assert set(first["meters"]) == {"E01-M1", "E01-W1"}
    assert len(first["meters"]["E01-M1"]) == 60
