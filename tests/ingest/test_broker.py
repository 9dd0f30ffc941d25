import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.broker import Broker
from store.processes import DidNotStart

TOPIC = "parkwatt/v1/broker-test/e/m/readings"


@pytest.fixture(params=["mosquitto", "iotcore"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own, of each program."""
    if request.param == "iotcore":
        pytest.importorskip("iotcore")
        program = "iotcore"
    else:
        program = request.getfixturevalue("mosquitto")
    with Broker(tmp_path / "broker", program=program) as broker:
        yield broker


class Session:
    """A client with a lasting session."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.arrived: Queue[bytes] = Queue()
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5
        )
        self.client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self.client.connect(
            broker.host, broker.port, clean_start=False, properties=properties
        )
        self.client.loop_start()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self) -> None:
        answered: Queue[int] = Queue()
        self.client.on_subscribe = lambda *_: answered.put(1)
        self.client.subscribe(TOPIC, qos=1)
        answered.get(timeout=10)

    def publish(self, payload: bytes) -> None:
        self.client.publish(TOPIC, payload, qos=1).wait_for_publish(10)

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self.arrived.put(bytes(message.payload))


def test_a_300_kb_payload_passes(own: Broker) -> None:
    payload = bytes(300_000)
    with Session(own, "reader") as reader, Session(own, "sender") as sender:
        reader.subscribe()
        sender.publish(payload)
        assert reader.arrived.get(timeout=10) == payload


def test_more_than_a_thousand_messages_wait_for_an_absent_reader(own: Broker) -> None:
    with Session(own, "reader") as reader:
        reader.subscribe()
    with Session(own, "sender") as sender:
        for number in range(3000):
            sender.client.publish(TOPIC, str(number).encode(), qos=1)
        sender.publish(b"last")
    with Session(own, "reader") as reader:
        got = [reader.arrived.get(timeout=10) for _ in range(3001)]
    assert got == [*(str(number).encode() for number in range(3000)), b"last"]


def test_listens_on_the_loopback_only(own: Broker) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", own.port), timeout=2)


def test_a_second_start_uses_the_broker_that_runs(own: Broker) -> None:
    second = Broker(own.folder)
    second.start()
    assert second.adopted
    assert second.url == own.url
    second.stop()
    assert own.pid


def test_queue_and_port_outlive_a_restart(mosquitto: str, tmp_path: Path) -> None:
    with Broker(tmp_path, program=mosquitto) as first:
        with Session(first, "reader") as reader:
            reader.subscribe()
        with Session(first, "sender") as sender:
            sender.publish(b"kept")
    with Broker(tmp_path, program=mosquitto) as second:
        assert second.port == first.port
        with Session(second, "reader") as reader:
            assert reader.arrived.get(timeout=10) == b"kept"


def test_starts_again_after_a_kill(mosquitto: str, tmp_path: Path) -> None:
    with Broker(tmp_path, program=mosquitto) as first:
        assert first.pid
        os.kill(first.pid, signal.SIGKILL)
        with Broker(tmp_path, program=mosquitto) as second:
            assert not second.adopted


def test_a_broken_queue_file_is_set_aside(mosquitto: str, tmp_path: Path) -> None:
    (tmp_path / "mosquitto.db").write_bytes(b"cut short")
    with Broker(tmp_path, program=mosquitto):
        assert (tmp_path / "mosquitto.bad").read_bytes() == b"cut short"


def test_a_taken_port_is_said(mosquitto: str, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(DidNotStart, match="is taken"),
    ):
        Broker(tmp_path, taken.getsockname()[1], program=mosquitto).start()
