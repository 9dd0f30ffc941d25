"""The short way through the client reads what paho itself reads, and loses nothing."""

import socket
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.link import Link

Heard = tuple[int, bytes, bytes, bool]


def _length(count: int) -> bytes:
    out = b""
    while True:
        count, low = divmod(count, 128)
        out += bytes([low | (128 if count else 0)])
        if not count:
            return out


def _packet(message: Heard, properties: bytes = b"\0") -> bytes:
    mid, topic, payload, retained = message
    body = struct.pack("!H", len(topic)) + topic
    body += struct.pack("!H", mid) if mid else b""
    body += properties + payload
    head = 0x30 | (2 if mid else 0) | retained
    return bytes([head]) + _length(len(body)) + body


class Wire:
    """A client whose broker is the other end of a pair of sockets."""

    def __init__(self, client: Any, heard: list[Heard]) -> None:
        self.client: Any = client
        self.heard = heard
        self.broker, own = socket.socketpair()
        own.setblocking(False)
        with patch.object(client, "_create_socket_connection", lambda: own):
            client.connect("nowhere", keepalive=0)
        self.read()

    def read(self) -> bytes:
        """Give what the client has sent."""
        self.client.loop_write()
        self.broker.setblocking(False)
        try:
            return self.broker.recv(1 << 20)
        except BlockingIOError:
            return b""

    def bring(self, *parts: bytes) -> list[Heard]:
        """Send in parts, letting the client read after each; give what it heard."""
        for part in parts:
            self.broker.setblocking(True)
            self.broker.sendall(part)
            for _ in range(len(part) + 2):  # as its own loop does while bytes come
                self.client.loop_read()
        return self.heard

    def close(self) -> None:
        self.broker.close()
        self.client.loop_read()


def linked() -> Wire:
    heard: list[Heard] = []
    return Wire(Link(lambda *each: heard.append(each)), heard)


def plain() -> Wire:
    """The client as it is without us."""
    heard: list[Heard] = []
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, manual_ack=True
    )
    client.on_message = lambda _, __, message: heard.append(
        (message.mid, message._topic, bytes(message.payload), bool(message.retain))
    )
    return Wire(client, heard)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = linked()
    yield made
    made.close()


messages = st.lists(
    st.tuples(
        st.integers(0, 65535),
        st.binary(min_size=1, max_size=20),
        st.binary(max_size=300),
        st.booleans(),
    ),
    max_size=8,
)


@given(sent=messages, cuts=st.lists(st.integers(0, 3000), max_size=4))
def test_hears_what_paho_hears(sent: list[Heard], cuts: list[int]) -> None:
    stream = b"".join(_packet(each) for each in sent)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    parts = [stream[low:high] for low, high in pairwise(edges)]
    short, whole = linked(), plain()
    try:
        assert short.bring(*parts) == whole.bring(*parts) == sent
    finally:
        short.close()
        whole.close()


@given(st.binary(max_size=60))
def test_odd_bytes_end_the_connection_as_with_paho(stream: bytes) -> None:
    # 0x30-0x3f are messages; other packets have paths of their own in paho
    stream = b"\x32" + stream
    short, whole = linked(), plain()
    try:
        assert short.bring(stream) == whole.bring(stream)
    finally:
        short.close()
        whole.close()


def test_properties_and_other_packets_go_to_paho_in_order(wire: Wire) -> None:
    some = Properties(PacketTypes.PUBLISH)
    some.ContentType = "text/plain"
    first, second, third = (
        (1, b"a", b"1", False),
        (2, b"b", b"2", False),
        (0, b"c", b"3", True),
    )
    stream = (
        _packet(first) + _packet(second, some.pack()) + b"\xd0\x00" + _packet(third)
    )
    assert wire.bring(stream) == [first, second, third]


def test_a_message_larger_than_the_buffer(wire: Wire) -> None:
    large = (7, b"t", b"x" * 150_000, False)
    small = (8, b"t", b"y", False)
    assert wire.bring(_packet(large)[:70_000], _packet(large)[70_000:]) == [large]
    assert wire.bring(_packet(small)) == [large, small]


def test_acknowledgements_leave_in_order_and_at_once(wire: Wire) -> None:
    wire.client.acknowledge([3, 1, 2])
    assert wire.read() == b"\x40\x02\x00\x03\x40\x02\x00\x01\x40\x02\x00\x02"
    wire.client.acknowledge([])
    assert wire.read() == b""


def test_what_a_full_socket_does_not_take_leaves_later(wire: Wire) -> None:
    mids = [i % 65535 + 1 for i in range(400_000)]
    for low in range(0, len(mids), 500):
        wire.client.acknowledge(mids[low : low + 500])
    assert wire.client.want_write()
    got = b""
    while len(got) < 4 * len(mids):
        more = wire.read()
        assert more, len(got)
        got += more
    assert got == b"".join(struct.pack("!BBH", 0x40, 2, mid) for mid in mids)
    assert not wire.client.want_write()


def test_a_lost_connection_is_told(wire: Wire) -> None:
    lost = []
    wire.client.on_disconnect = lambda *each: lost.append(each)
    wire.broker.close()
    assert wire.client.loop_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST
    assert len(lost) == 1
    assert not wire.client.want_write()
