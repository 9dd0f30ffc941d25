"""Publisher, replay and park against a real Mosquitto."""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulators import faults, scenario, steel
from simulators.control import Control
from simulators.delivery import Ledger
from simulators.display import Display
from simulators.errors import PublishError, SimulatorError
from simulators.gateway import Gateway, Reading
from simulators.load import EPOCH_S
from simulators.loading import load
from simulators.publisher import Publisher
from simulators.replay import replay
from simulators.simulate import Broker, Report, backfill, run
from simulators.spool import SpoolError
from simulators.view import State, status
from simulators.world import World
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


def small(code: str) -> dict[str, Any]:
    """Two enterprises with 4 electricity and other meters, one value at an instant each."""
    return {
        "code": code,
        "name": "Test",
        "contract_demand_kw": 3000,
        "enterprises": [
            {"archetype": "food", "carriers": ["water"]},
            {"archetype": "offices", "carriers": ["water"]},
        ],
        "park": {"feeders": 0},
        "meters": {"gauges": "none"},
        "factors": {
            "electricity": {
                "value": 0.5827,
                "unit": "kgCO2/kWh",
                "source": "CN-JS 2023",
            }
        },
    }


def world(code: str) -> World:
    return World(scenario.read(small(code)))


def channels(park: World) -> int:
    return sum(len(each.channels) for each in park.meters)


def test_backfill_and_run(mosquitto_port: int, listen: Callable[..., Got]) -> None:
    park = world("P02")
    broker = Broker(host="127.0.0.1", port=mosquitto_port)
    got = listen("parkwatt/v1/P02/+/+/batch")
    report = backfill(
        park, broker, start=DAY, until=DAY + timedelta(hours=6), cadence_s=300
    )
    assert report.readings == 72 * channels(park)
    assert report.ledger is not None
    assert report.ledger.stored == report.readings
    wait_for(lambda: len(got) == report.messages)
    read = {
        (meter, reading["at"]): reading
        for _, payload in got
        for meter, readings in json.loads(payload)["meters"].items()
        for reading in readings
    }
    assert len(read) == 72 * len(park.meters)
    at = np.array([int(DAY.timestamp()) + 3600])
    for meter in park.meters:
        shown = Display(meter).show(at)
        reading = read[meter.code, "2026-03-03T17:00:00Z"]
        assert {key: values[0] for key, values in shown.values.items()} == {
            key: value for key, value in reading.items() if key != "at"
        }

    got.clear()
    report = run(
        park, broker, interval_s=0.01, cadence_s=60, start=DAY, speed=6000, ticks=3
    )
    assert report.readings == 3 * channels(park)
    wait_for(lambda: len(got) == report.messages)
    assert report.stop - report.start == timedelta(minutes=3)


def test_an_accelerated_run_ends_at_the_present(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    park, broker = world("P15"), Broker(host="127.0.0.1", port=mosquitto_port)
    listen("parkwatt/v1/P15/+/+/batch")
    begin = datetime.now(DAY.tzinfo) - timedelta(minutes=30)
    # a tick is more than the way to the present
    report = run(
        park, broker, interval_s=0.1, cadence_s=60, start=begin, speed=1_000_000
    )
    assert report.readings in (30 * channels(park), 31 * channels(park))
    later = datetime.now(DAY.tzinfo) + timedelta(hours=1)
    with pytest.raises(SimulatorError, match="cannot begin in the future"):
        run(park, broker, start=later, speed=100)
    for number in (math.nan, math.inf, 0.0):
        for speed, interval_s in ((number, 1.0), (1.0, number)):
            with pytest.raises(SimulatorError, match="numbers above 0"):
                run(park, broker, start=DAY, speed=speed, interval_s=interval_s)


def test_run_takes_commands_and_stops_when_told(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    park = world("P03")
    got = listen("parkwatt/v1/P03/+/+/batch")
    stop = threading.Event()
    control = Control(stop, faults.KINDS)
    seen: list[State] = []
    answers: list[str | None] = []

    def say() -> None:
        answers.append(control.ask("trip E02 chiller for 30 min"))
        answers.append(control.ask("silence E01-M1 for 10 min"))
        answers.append(control.ask("silence gateway 1 for 5 min"))
        for odd in ("silence gateway 99", "silence gateway-x"):
            with pytest.raises(SimulatorError):
                control.ask(odd)
        answers.append(control.ask("stop"))

    talk = threading.Thread(target=say)
    talk.start()
    report = run(
        park,
        Broker(host="127.0.0.1", port=mosquitto_port),
        interval_s=0.02,
        cadence_s=60,
        start=DAY + timedelta(hours=12),
        speed=3000,
        control=control,
        view=seen.append,
        stop=stop,
    )
    talk.join()
    assert answers == [
        "cooling of E02 is off for 30 min",
        f"gap of E01-M1 until {answers[1][-11:] if answers[1] else ''}",
        f"gap of E01-GW until {answers[2][-11:] if answers[2] else ''}",
        "the run ends after this tick",
    ]
    assert report.ledger is not None
    assert [each.kind for each in report.faults] == ["gap", "gap"]
    assert report.ledger.never_sent + report.ledger.stored == report.ledger.shown
    assert seen[-1].contract_kw == 3000
    assert seen[-1].power_kw is not None
    last = status(max(seen, key=lambda each: len(each.tripped) + len(each.faults)))
    assert last["silenced"] == ["E01-GW", "E01-M1"]
    [tripped] = last["tripped"]
    assert (tripped["enterprise"], tripped["load"]) == ("E02", "chiller")
    assert json.loads(json.dumps(last)) == last
    wait_for(lambda: len(got) == report.messages)


def test_how_a_run_goes_is_told_by_http(
    mosquitto_port: int, listen: Callable[..., Got], tmp_path: Path
) -> None:
    listen("parkwatt/v1/P17/+/+/batch")
    file, port = tmp_path / "P17.yaml", free_port()
    file.write_text(json.dumps(small("P17")))
    env = {
        "PATH": os.environ["PATH"],
        "PARKWATT_HOME": str(tmp_path),
        "PARKWATT_MQTT_HOST": "127.0.0.1",
        "PARKWATT_MQTT_PORT": str(mosquitto_port),
    }
    words = "--start 2026-03-04 --speed 600 --interval 0.2 --cadence 60 --control"
    with (
        subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "parkwatt", "simulate", str(file)),
                *(*words.split(), str(port)),
            ],
            env=env,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            transport=httpx.HTTPTransport(retries=8),
            timeout=30,
        ) as client,
    ):
        try:
            wait_for(lambda: client.get("/status").json().get("readings", 0) > 0)
            line = {"line": "trip E02 chiller for 20 d"}
            assert client.post("/commands", json=line).status_code == 200
            wait_for(lambda: client.get("/status").json()["tripped"] != [])
            told = client.get("/status").json()
            client.post("/commands", json={"line": "stop"})
            assert process.stderr is not None
            said = process.stderr.read().decode()
        finally:
            process.terminate()
    assert process.returncode == 0
    assert (told["park"], told["speed"]) == ("P17", 600.0)
    assert told["at"].startswith("2026-03-04T")
    assert told["messages"] >= told["acknowledged"] > 0
    assert "uvicorn" not in said


def test_a_trip_takes_the_load_away_and_leaves_the_past() -> None:
    park, other = world("P03"), world("P03")
    noon = int(DAY.timestamp()) + 12 * 3600
    at = np.arange(noon - 86_400, noon + 7200, 300)
    [main] = [each for each in park.meters if each.code == "E02-M1"]
    before = main.channels[0].flow.integral(at)
    park.trip("E02", "base", noon, noon + 3600)
    after = main.channels[0].flow.integral(at)
    base = {each.code: each for each in other.plants}["E02"].parts["base"]
    off = base((at - EPOCH_S) // 300)[(at > noon) & (at <= noon + 3600)]
    assert (after[at < noon] == before[at < noon]).all()
    # an hour of nodes, half of the first and the last interval beside them
    lost = before[-1] - after[-1]
    assert lost == pytest.approx(off.sum() * 300, rel=0.01)
    with pytest.raises(SimulatorError, match="has no load 'oven', but process, base"):
        park.trip("E02", "oven", noon, noon + 60)


def test_a_load_of_many_connections(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    park = world("P12")
    got = listen("parkwatt/v1/P12/+/+/batch")
    sent = load(
        park,
        Broker(host="127.0.0.1", port=mosquitto_port),
        DAY,
        rate=20_000,
        connections=3,
        lasts_s=1.0,
    )
    wait_for(lambda: len(got) == sent.messages)
    assert sum(json.loads(payload)["seq"] == 0 for _, payload in got) >= 3
    assert 5_000 < sent.readings < 40_000
    for rate, lasts_s in (
        *((odd, 1.0) for odd in (0.0, math.nan, math.inf)),
        *((1.0, odd) for odd in (0.0, math.nan, math.inf)),
    ):
        with pytest.raises(SimulatorError, match="numbers above 0"):
            load(
                *(park, Broker(host="127.0.0.1", port=mosquitto_port), DAY),
                rate=rate,
                lasts_s=lasts_s,
            )


def test_a_small_load_keeps_rate_and_duration(
    mosquitto_port: int, listen: Callable[..., Got]
) -> None:
    listen("parkwatt/v1/P16/+/+/batch")
    broker = Broker(host="127.0.0.1", port=mosquitto_port)
    sent = load(world("P16"), broker, DAY, rate=200, connections=3, lasts_s=2.0)
    assert sent.readings == pytest.approx(400, rel=0.2)
    assert sent.seconds == pytest.approx(2.0, abs=1.0)  # a busy machine ends later


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
        world("P06"),
        broker,
        start=DAY,
        until=DAY + timedelta(hours=6),
        cadence_s=300,
    )
    # two stretches, none longer than an hour's batch: 60 and 12 instants
    assert len(got) == report.messages
    assert report.readings == 72 * channels(world("P06"))
    assert report.ledger == Ledger(shown=report.readings, stored=report.readings)
    first = json.loads(got[0][1])
    assert len(first["meters"]) >= 1
    assert all(len(readings) == 60 for readings in first["meters"].values())


def test_backfill_by_hours_fills_its_batches(
    mosquitto_port: int, listen: Callable[..., Got], tmp_path: Path
) -> None:
    got = listen("parkwatt/v1/P13/+/GW1/batch", confirm)
    broker = Broker(host="127.0.0.1", port=mosquitto_port, spool=tmp_path / "s.db")
    report = backfill(
        world("P13"), broker, start=DAY, until=DAY + timedelta(days=5), cadence_s=3600
    )
    assert report.readings == 120 * channels(world("P13"))
    bodies = [json.loads(payload)["meters"] for _, payload in got]
    assert {len(rows) for body in bodies for rows in body.values()} == {60}


def test_a_stopped_backfill_goes_on(
    mosquitto_port: int, listen: Callable[..., Got], tmp_path: Path
) -> None:
    """Nobody confirms the first part; the same run sends it and the rest, each once."""
    broker = Broker(host="127.0.0.1", port=mosquitto_port, spool=tmp_path / "s.db")
    until = DAY + timedelta(days=2)
    told: list[str] = []
    readings = 192 * channels(world("P14"))

    def part(stop: threading.Event, progress: Callable[..., None]) -> Report:
        return backfill(
            *(world("P14"), broker),
            start=DAY,
            until=until,
            stop=stop,
            progress=progress,
            go_on=True,
            tell=told.append,
        )

    stop = threading.Event()
    first = part(stop, lambda *_: stop.set())
    assert first.unfinished
    assert first.waiting == first.messages > 0
    assert DAY < first.stop < until
    assert not told
    got = listen("parkwatt/v1/P14/+/GW1/batch", confirm)
    second = part(threading.Event(), lambda *_: None)
    assert (second.waiting, second.unfinished) == (0, False)
    assert (second.start, second.stop) == (DAY, until)
    assert second.readings == readings - first.readings
    assert second.ledger == Ledger(shown=readings, stored=readings)
    assert f"{first.stop:%Y-%m-%d %H:%M}" in told[0]
    times = [
        (meter, each["at"])
        for payload in {payload for _, payload in got}
        for meter, rows in json.loads(payload)["meters"].items()
        for each in rows
    ]
    assert len(times) == len(set(times)) == 192 * len(world("P14").meters)
    # what is finished begins anew
    assert part(threading.Event(), lambda *_: None).readings == readings
    assert len(told) == 1
