"""What would lose readings is told; a broker that is set well is not blamed."""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest import probing, service
from ingest.broker import Broker, _answers
from ingest.session import Session
from store.processes import free_port, launch, stop, tied
from store.settings import Settings

pytestmark = pytest.mark.broker


def settings(port: int, **more: str) -> Settings:
    known = Settings(mqtt_host="127.0.0.1", mqtt_port=port, mqtt_client_id="probed")
    return known.model_copy(update=more)


@pytest.fixture
def careless(mosquitto: str, tmp_path: Path) -> Iterator[int]:
    """Port of a Mosquitto with its own defaults."""
    port = free_port(0)
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nsys_interval 1\n"
    )
    process = launch(tied([mosquitto, "-c", str(conf)]), tmp_path / "log")
    deadline = time.monotonic() + 10
    while not _answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield port
    stop(process, [(signal.SIGTERM, 10.0)])


def test_our_own_settings_keep_all(broker: Broker) -> None:
    began = time.monotonic()
    assert probing.look(settings(broker.port)) == []
    assert time.monotonic() - began < 5
    assert probing.look(settings(broker.port)) == []  # nothing is left of the first


def test_the_default_queue_is_told(careless: int) -> None:
    (risk,) = probing.look(settings(careless))
    assert "max_queued_messages" in risk
    assert "of 1200 messages" in risk


def test_it_is_not_tried_where_it_could_take_the_session(broker: Broker) -> None:
    with pytest.raises(probing.NotPossible, match="sign-in"):
        probing.look(settings(broker.port, mqtt_username="somebody"))


def test_no_broker() -> None:
    with pytest.raises(probing.NotPossible):
        probing.look(settings(free_port(0)))


def test_ingest_warns_when_it_starts(
    careless: int, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    caplog.set_level(logging.INFO)
    known = settings(careless)
    work = threading.Thread(
        target=service.run, args=("postgresql://127.0.0.1:1/none", known, stop)
    )
    work.start()
    deadline = time.monotonic() + 15
    while "max_queued_messages" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    work.join(20)
    assert "max_queued_messages" in caplog.text
    assert not work.is_alive()


def test_dropped_messages_are_told(
    careless: int, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session(settings(careless))
    session.start()
    time.sleep(1.5)
    probing.look(settings(careless))  # drops some, as this broker would of anybody
    deadline = time.monotonic() + 10
    while "has dropped" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    session.stop()
    assert "the broker has dropped" in caplog.text


def connack(**said: int) -> Properties:
    properties = Properties(PacketTypes.CONNACK)
    for name, value in said.items():
        setattr(properties, name, value)
    return properties


@pytest.mark.parametrize(
    ("said", "shared", "word"),
    [
        ({}, True, ""),
        ({"SessionExpiryInterval": 100}, False, ""),
        ({"SessionExpiryInterval": 99}, False, "99 s only"),
        ({"SessionExpiryInterval": 0}, False, "0 s only"),
        ({"MaximumQoS": 1}, False, ""),
        ({"MaximumQoS": 0}, False, "QoS 0"),
        ({"SharedSubscriptionAvailable": 0}, True, "shared"),
        ({"SharedSubscriptionAvailable": 0}, False, ""),
    ],
)
def test_what_connack_takes_away(said: dict[str, int], shared: bool, word: str) -> None:
    risks = probing.told(connack(**said), keep_s=100, shared=shared)
    assert len(risks) == bool(word)
    assert word in "".join(risks)


def test_a_probe_heard_by_a_wide_filter_is_no_unknown_topic(broker: Broker) -> None:
    heard: list[str] = []
    wide = Client(CallbackAPIVersion.VERSION2, "wide", protocol=MQTTv5)
    wide.on_message = lambda _, __, message: heard.append(message.topic)
    wide.connect(broker.host, broker.port)
    wide.subscribe("#")
    wide.loop_start()
    probing.look(settings(broker.port))
    wide.disconnect()
    wide.loop_stop()
    assert {each for each in heard if each.startswith("parkwatt/probe")} == {
        "parkwatt/probe/probed"
    }
