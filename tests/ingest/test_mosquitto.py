"""The generated configuration, on a real Mosquitto with a test authority."""

import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from typer.testing import CliRunner

import parkwatt
from ingest import mosquitto as generated
from store.errors import Invalid
from store.processes import free_port, launch, stop, tied

ROOT = Path(__file__).parents[2]
OWN = "parkwatt/v1/north/steel"
GATEWAYS = ["GW1=north/steel", "GW2=north/glass", "north-3=north/paper/GW3"]


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Authority:
    """Issues certificates with openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._make("ca", "-x509", "-subj", "/CN=test authority")

    def _make(self, name: str, *words: str) -> None:
        key, out = str(self.folder / f"{name}.key"), str(self.folder / f"{name}.pem")
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        run("openssl", "req", *kind, "-days", "1", "-keyout", key, "-out", out, *words)

    def issue(self, name: str, *words: str) -> Path:
        """Issue a certificate with a common name; give its file."""
        ca = (str(self.folder / "ca.pem"), str(self.folder / "ca.key"))
        self._make(
            name, "-x509", "-subj", f"/CN={name}", "-CA", ca[0], "-CAkey", ca[1], *words
        )
        return self.folder / f"{name}.pem"


class Secured:
    """A broker that runs with what `parkwatt broker-config` has written."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port(0)
        self.certs = Authority(folder / "certs")
        self.certs.issue("broker", "-addext", "subjectAltName=IP:127.0.0.1")
        words = ["broker-config", str(folder), "--port", str(self.port)]
        words += ["--host", "127.0.0.1"]
        for each in GATEWAYS:
            words += ["--gateway", each]
        done = CliRunner().invoke(parkwatt.app, words)
        assert done.exit_code == 0, done.output
        conf = folder / generated.CONF
        if os.geteuid() == 0:  # below a folder that only root enters
            with conf.open("a") as file:
                file.write("user root\n")
        self.log = folder / "log"
        self.process = launch(tied([program, "-c", str(conf)]), self.log)

    def stop(self) -> None:
        stop(self.process, [(signal.SIGTERM, 10.0)])


@pytest.fixture(scope="module")
def secured(
    mosquitto: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secured]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    broker = Secured(mosquitto, tmp_path_factory.mktemp("secured"))
    try:
        yield broker
    finally:
        broker.stop()


class Member:
    """A client with the certificate of a name, or none."""

    def __init__(self, broker: Secured, name: str, client_id: str = "any") -> None:
        self.got: Queue[tuple[str, bytes]] = Queue()
        self.acks: Queue[ReasonCode] = Queue()
        self.refused = False
        self._subscribed: Queue[int] = Queue()
        self._connected: Queue[bool] = Queue()
        client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5)
        files = broker.certs.folder
        cert = broker.certs.issue(name) if name else None
        client.tls_set(
            str(files / "ca.pem"),
            certfile=str(cert) if cert else None,
            keyfile=str(cert.with_suffix(".key")) if cert else None,
        )
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = lambda *_: self._subscribed.put(1)
        client.reconnect_delay_set(30, 30)  # one that is refused stays away
        deadline = time.monotonic() + 20
        while True:
            try:
                client.connect("127.0.0.1", broker.port)
                break
            except ConnectionRefusedError:  # it is starting
                assert time.monotonic() < deadline, broker.log.read_text()
                time.sleep(0.05)
        client.loop_start()
        self.client = client
        self.connected = self._connected.get(timeout=10)

    def __enter__(self) -> "Member":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        self._subscribed.get(timeout=10)

    def publish(self, topic: str, payload: bytes = b"{}") -> int:
        self.client.publish(topic, payload, qos=1)
        return self.acks.get(timeout=10).value

    def topics(self, count: int) -> list[str]:
        """The topics of what arrives, and that nothing more arrives."""
        found = [self.got.get(timeout=10)[0] for _ in range(count)]
        with pytest.raises(Empty):
            self.got.get(timeout=0.3)
        return found

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self.got.put((message.topic, bytes(message.payload)))

    def _on_publish(
        self, _: Client, __: object, ___: int, code: ReasonCode, ____: Properties | None
    ) -> None:
        self.acks.put(code)

    def _on_connect(
        self, _: Client, __: object, ___: object, code: ReasonCode, ____: object
    ) -> None:
        self._connected.put(not code.is_failure)

    def _on_disconnect(self, *_: object) -> None:
        self._connected.put(False)


Join = Callable[..., Member]


@pytest.fixture
def join(secured: Secured) -> Iterator[Join]:
    members: list[Member] = []

    def start(name: str, client_id: str = "any") -> Member:
        members.append(Member(secured, name, client_id))
        return members[-1]

    yield start
    for each in members:
        each.client.disconnect()
        each.client.loop_stop()


def test_a_gateway_writes_below_its_own_enterprise_only(join: Join) -> None:
    ingest = join("parkwatt-ingest")
    ingest.subscribe("parkwatt/v1/#")
    own = [
        f"{OWN}/M1/readings",
        f"{OWN}/GW1/batch",
        f"{OWN}/raw/shellies/em-1/emeter/0/total",
    ]
    others = [
        "parkwatt/v1/north/glass/M1/readings",
        "parkwatt/v1/south/steel/M1/readings",
        f"{OWN}/GW2/batch",
        f"{OWN}/GW1/ack",
        f"{OWN}/M1/readings/deeper",
        "parkwatt/v1/north/steel2/M1/readings",
        "shellies/em-1/emeter/0/total",
    ]
    for topic in others:  # a refusal ends the connection
        with join("GW1") as gateway:
            assert gateway.publish(topic) == 135
    gateway = join("GW1")
    for topic in own:
        assert gateway.publish(topic) == 0
    assert sorted(ingest.topics(len(own))) == sorted(own)


def test_an_answer_reaches_its_gateway_and_no_other(join: Join) -> None:
    ingest, gateway, other = join("parkwatt-ingest"), join("GW1"), join("GW2")
    for each in (gateway, other):
        each.subscribe(f"{OWN}/GW1/ack")
        each.subscribe("#")
    assert ingest.publish(f"{OWN}/GW1/ack", b'{"boot":"b","seq":1}') == 0
    assert gateway.got.get(timeout=10) == (f"{OWN}/GW1/ack", b'{"boot":"b","seq":1}')
    assert other.topics(0) == []


def test_a_gateway_whose_certificate_has_another_name_than_its_code(join: Join) -> None:
    ingest, gateway = join("parkwatt-ingest"), join("north-3")
    ingest.subscribe("parkwatt/v1/#")
    assert gateway.publish("parkwatt/v1/north/paper/GW3/batch") == 0
    assert ingest.topics(1) == ["parkwatt/v1/north/paper/GW3/batch"]


def test_no_certificate_no_connection(secured: Secured) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        assert Member(secured, "").connected


def test_a_certificate_without_an_entry_writes_nothing(join: Join) -> None:
    assert join("GW9").publish(f"{OWN}/M1/readings") == 135


def test_the_client_id_is_the_certificates_name(join: Join) -> None:
    """Who names ingest's id takes over his own session, not ingest's."""
    ingest = join("parkwatt-ingest", "parkwatt-ingest")
    ingest.subscribe("parkwatt/v1/#")
    first = join("GW1", "parkwatt-ingest")
    assert first.publish(f"{OWN}/M1/readings") == 0
    assert ingest.topics(1) == [f"{OWN}/M1/readings"]
    assert ingest.client.is_connected()
    join("GW1", "another id")
    deadline = time.monotonic() + 10
    while first.client.is_connected():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_plain_starts_and_takes_the_loopback_only(
    mosquitto: str, tmp_path: Path
) -> None:
    port = free_port(0)
    words = ["broker-config", str(tmp_path / "b"), "--plain", "--port", str(port)]
    done = CliRunner().invoke(parkwatt.app, words)
    assert done.exit_code == 0, done.output
    conf = tmp_path / "b" / generated.CONF
    with conf.open("a") as file:
        file.write("user root\n" if os.geteuid() == 0 else "")
    process = launch(tied([mosquitto, "-c", str(conf)]), tmp_path / "log")
    try:
        client = Client(CallbackAPIVersion.VERSION2, "c", protocol=MQTTv5)
        for _ in range(200):
            try:
                client.connect("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        client.disconnect()
        with pytest.raises(ConnectionRefusedError):
            client.connect("127.0.0.2", port)
    finally:
        stop(process, [(signal.SIGTERM, 10.0)])
    assert (tmp_path / "b" / "state" / "mosquitto.db").exists()
    with pytest.raises(Invalid, match="loopback only"):
        generated.plain(port=1883, state=tmp_path, host="0.0.0.0", root=False)


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / generated.ACL).write_text("mine")
    words = ["broker-config", str(tmp_path)]
    done = CliRunner().invoke(parkwatt.app, words)
    assert isinstance(done.exception, Invalid)
    assert (tmp_path / generated.ACL).read_text() == "mine"
    assert not (tmp_path / generated.CONF).exists()
    assert CliRunner().invoke(parkwatt.app, [*words, "--force"]).exit_code == 0
    assert (tmp_path / generated.ACL).read_text() == generated.access([])


@pytest.mark.parametrize(
    "text", ["GW1", "GW1=north", "=a/b", "G=a/+", "G=a/#", "G=a/b/c/d", "G=a/b\nuser x"]
)
def test_a_gateway_that_would_open_others_topics(text: str) -> None:
    with pytest.raises(Invalid):
        generated.gateway(text)


def test_a_name_stands_once() -> None:
    twice = [generated.gateway("GW1=a/b"), generated.gateway("GW1=c/d")]
    with pytest.raises(Invalid, match="named twice"):
        generated.access(twice)


def test_what_is_deployed_is_what_is_generated(tmp_path: Path) -> None:
    """Renew it with the command that deploy/compose.yaml names."""
    words = ["--inside", "/mosquitto/config", "--state", "/mosquitto/data"]
    done = CliRunner().invoke(parkwatt.app, ["broker-config", str(tmp_path), *words])
    assert done.exit_code == 0
    for name in (generated.CONF, generated.ACL):
        deployed = (ROOT / "deploy" / "mosquitto" / name).read_text("utf-8")
        assert deployed == (tmp_path / name).read_text("utf-8")
