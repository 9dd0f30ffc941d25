"""The MQTT client with buffers at its socket, and a short way for plain messages.

By itself paho asks the system three times or more for each packet that comes, builds
tables of properties for each, and writes each acknowledgement alone: a backlog of single
readings spends most of its time there. Here it reads ahead and writes in one go, and a
PUBLISH of QoS 0 or 1 without properties (MQTT 5.0, section 3.3) goes straight to its
handler. Everything else is left to paho.
"""

import ssl
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

_CHUNK = 65_536
_MOST = 1 << 20  # bytes that may wait for a broker that takes none
_PUBLISH = 3
_PUBACK = 0x40
_WAITING = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

# mid (0: QoS 0), topic, payload, whether the broker had kept it
Deliver: TypeAlias = Callable[[int, bytes, bytes, bool], None]


class Link(mqtt.Client):
    """A paho client for many messages, which go to `deliver` in the network thread."""

    def __init__(self, deliver: Deliver, **options: Any) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            **options,
        )
        self._deliver = deliver
        self.on_message = self._take_whole

    def _take_whole(
        self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage
    ) -> None:
        # not through its topic, which raises where it is not UTF-8
        topic, payload = bytes(message._topic), bytes(message.payload)
        self._deliver(message.mid, topic, payload, bool(message.retain))

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages of QoS 1 in this order, by one write."""
        if mids:
            packets = b"".join(struct.pack("!BBH", _PUBACK, 2, mid) for mid in mids)
            self._packet_queue(_PUBACK, packets, mids[-1], 1)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read all that has come."""
        code = super().loop_read()
        while code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            buffered: Any = self._sock
            if buffered is None:
                break
            if not self._in_packet["command"]:  # paho stands between two packets
                buffered.at = self._take_plain(buffered.data, buffered.at)
            if not buffered.pending():
                break
            code = super().loop_read()
        return code

    def _take_plain(self, data: bytes, at: int) -> int:
        """Deliver plain messages up to the first packet that is not one, whole."""
        end, deliver = len(data), self._deliver
        while at + 2 <= end:
            head = data[at]
            qos = head >> 1 & 3
            if head >> 4 != _PUBLISH or qos > 1:
                break
            length, body = data[at + 1], at + 2
            shift = 7
            while length >> shift and body < end and shift < 28:
                length += (data[body] << shift) - (1 << shift)
                shift += 7
                body += 1
            stop = body + length
            if length >> shift or stop > end or length < 3:
                break
            topic = body + 2
            rest = topic + (data[body] << 8 | data[body + 1])
            mid = 0
            if qos and rest + 2 < stop:
                mid = data[rest] << 8 | data[rest + 1]
                rest += 2
            if rest >= stop or data[rest] or rest == topic or (qos and not mid):
                break  # properties, or no message at all
            deliver(
                mid,
                data[topic : rest - 2 if qos else rest],
                data[rest + 1 : stop],
                bool(head & 1),
            )
            at = stop
        return at

    def loop_write(self) -> MQTTErrorCode:
        """Write what waits, as far as the socket takes it."""
        code = super().loop_write()
        buffered: Any = self._sock
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or buffered is None:
            return code
        try:
            buffered.flush()
        except _WAITING:
            pass
        except OSError:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        return code

    def want_write(self) -> bool:
        """Tell whether anything waits to be written."""
        buffered: Any = self._sock
        return super().want_write() or (buffered is not None and bool(buffered.unsent))

    def _create_socket(self) -> Any:
        return _Buffered(super()._create_socket())


class _Buffered:
    """A non-blocking socket, plain or TLS, that reads ahead and writes in one go."""

    def __init__(self, plain: Any) -> None:
        self._plain = plain
        self.data = b""
        self.at = 0  # what of it was taken
        self.unsent = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def recv(self, most: int) -> bytes:
        """Give at most `most` bytes; asks the system only when none are here."""
        if self.at == len(self.data):
            self.data, self.at = self._plain.recv(_CHUNK), 0
        piece = self.data[self.at : self.at + most]
        self.at += len(piece)
        return piece

    def pending(self) -> int:
        """Count the bytes that are here already."""
        left = len(self.data) - self.at
        if not left and isinstance(self._plain, ssl.SSLSocket):
            return self._plain.pending()
        return left

    def send(self, data: bytes) -> int:
        """Keep data for the next flush."""
        if len(self.unsent) > _MOST:
            self.flush()
            if len(self.unsent) > _MOST:
                raise BlockingIOError
        self.unsent += data
        return len(data)

    def flush(self) -> None:
        """Send what waits, as far as it goes without waiting."""
        while self.unsent:
            del self.unsent[: self._plain.send(self.unsent)]

    def close(self) -> None:
        """Send what waits, the word of parting included, and close."""
        with suppress(OSError):
            if self.unsent:
                self._plain.settimeout(1.0)
                self._plain.sendall(self.unsent)
        self._plain.close()
