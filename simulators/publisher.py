"""A small MQTT 5 publisher: QoS 1, a bounded number in flight, no silent refusal.

PUBACK from a broker means that a message has travelled one hop, not that it is
stored; what must not be lost goes through `simulators.gateway`, which waits for the
acknowledgement after commit.
"""

import threading
from collections import Counter
from collections.abc import Callable, Set
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import (
    Client,
    ConnectFlags,
    MQTTMessage,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulators.errors import PublishError

NO_SUBSCRIBERS = 16
QUOTA_EXCEEDED = 151

# on_message(topic, payload); runs in the network thread
OnMessage = Callable[[str, bytes], None]


class Publisher:
    """Publish with QoS 1; use as a context manager.

    Parameters
    ----------
    host, port : str, int
        The broker.
    client_id : str
        Fixed for one source of readings: two publishers must not share it.
    username, password : str, optional
        Sign-in at the broker.
    window : int
        Messages in flight at most; a smaller receive maximum of the broker wins.
    timeout_s : float
        How long to wait for the connection, and for room in the window.
    tolerate : set of int
        Reason codes of PUBACK that are counted in `refused` but are no error, because
        the caller sends again.
    listen : str, optional
        A topic to subscribe to, for `on_message`.
    on_message : callable, optional
        Called with topic and payload in the network thread; it must not block.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str,
        username: str | None = None,
        password: str | None = None,
        window: int = 500,
        timeout_s: float = 30.0,
        tolerate: Set[int] = frozenset(),
        listen: str | None = None,
        on_message: OnMessage | None = None,
    ) -> None:
        self.host, self.port, self.client_id = host, port, client_id
        self.accepted = 0  # messages acknowledged by the broker
        self.refused: Counter[int] = Counter()  # reason code -> messages
        self._window, self._timeout_s = window, timeout_s
        self._tolerate = tolerate
        self._listen, self._on_message = listen, on_message
        self._in_flight = 0
        self._failure: str | None = None
        # Guards the counters only. paho calls back while it holds its own locks, so
        # nothing of paho is ever called while this one is held.
        self._changed = threading.Condition()
        self._ready = False
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.max_inflight_messages_set(window)
        self._client.reconnect_delay_set(1, 30)
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._connected
        self._client.on_publish = self._published
        self._client.on_message = self._received

    def __enter__(self) -> Self:
        # paho's constructor has no annotations
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        try:
            self._client.connect(self.host, self.port, properties=properties)
        except (OSError, ValueError) as error:
            raise PublishError(
                f"cannot reach the MQTT broker at {self.host}:{self.port}: {error}. "
                "Is it running?"
            ) from error
        self._client.loop_start()
        try:
            self._wait(lambda: self._ready, self._timeout_s, "did not answer")
        except PublishError:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.drain()
        finally:
            self.close()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand over one message; wait while the window is full.

        Raises
        ------
        PublishError
            If an earlier message was not accepted, the broker stays silent for
            `timeout_s`, or this message cannot be sent at all.
        """
        self._wait(
            lambda: self._in_flight < self._window,
            self._timeout_s,
            "acknowledged nothing",
        )
        with self._changed:
            self._in_flight += 1
        try:
            code = self._client.publish(topic, payload, qos=1, retain=retain).rc
        except ValueError as error:
            self._settle()
            raise PublishError(f"cannot publish to {topic!r}: {error}") from error
        # without a connection paho keeps the message and sends it on reconnect
        if code not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            self._settle()
            raise PublishError(f"cannot publish to {topic!r}: {code.name}")

    def drain(self, timeout_s: float | None = None) -> None:
        """Wait until every message is acknowledged.

        Raises
        ------
        PublishError
            If a message was not accepted, or some are open after `timeout_s`
            (default: the publisher's own).
        """
        limit = self._timeout_s if timeout_s is None else timeout_s
        self._wait(lambda: self._in_flight == 0, limit, "left messages unacknowledged")

    def close(self) -> None:
        """Disconnect without waiting for anything."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def in_flight(self) -> int:
        """Messages not yet acknowledged by the broker."""
        return self._in_flight

    def _wait(self, done: Callable[[], bool], timeout_s: float, silence: str) -> None:
        """Wait for `done`; the time starts anew with every message that is settled."""
        with self._changed:
            while self._failure is None and not done():
                if not self._changed.wait(timeout_s):
                    raise PublishError(
                        f"the MQTT broker at {self.host}:{self.port} {silence} for "
                        f"{timeout_s:g} s ({self._in_flight} in flight)"
                    )
            if self._failure is not None:
                raise PublishError(self._failure)

    def _settle(self) -> None:
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def _fail(self, reason: str) -> None:
        with self._changed:
            self._failure = self._failure or reason
            self._changed.notify_all()

    # Called by paho in its network thread.

    def _connected(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._fail(
                f"the MQTT broker at {self.host}:{self.port} refused the connection: "
                f"{code}"
            )
            return
        if self._listen is not None:
            client.subscribe(self._listen, qos=1)
        room = getattr(properties, "ReceiveMaximum", self._window)
        with self._changed:
            self._window = min(self._window, room)
            self._ready = True
            self._changed.notify_all()

    def _published(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        with self._changed:
            self._in_flight -= 1
            if code.value == NO_SUBSCRIBERS or code.is_failure:
                self.refused[code.value] += 1
                if code.value not in self._tolerate:
                    self._failure = self._failure or _refusal(code)
            else:
                self.accepted += 1
            self._changed.notify_all()

    def _received(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        if self._on_message is None:
            return
        # an exception here would end the network thread without a sound
        try:
            self._on_message(message.topic, bytes(message.payload))
        except Exception as error:
            self._fail(f"cannot read a message that came back: {error!r}")


def _refusal(code: ReasonCode) -> str:
    if code.value == NO_SUBSCRIBERS:
        return "nobody is listening on this topic: is `parkwatt ingest` running?"
    return f"the MQTT broker did not accept a message: {code} ({code.value})"
