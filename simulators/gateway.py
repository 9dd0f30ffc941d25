"""A gateway: batches of many meters, on disk until the store says they are stored.

docs/gateway.md tells the rules; this file keeps them and may be copied.
"""

import json
import logging
import queue
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulators.errors import PublishError
from simulators.spool import MOST_BYTES, Spool, SpoolError

log = logging.getLogger(__name__)

# of one meter at one time: at, or from and to, and the values by their wire keys
Reading = Mapping[str, str | float | None]

NO_SUBSCRIBERS = 16  # of PUBACK: it succeeds, and yet nobody has the message
PACKET_TOO_LARGE = 149
LARGEST_PAYLOAD = 262_144
SLOWEST_S = 300.0
_TICK_S = 0.5
_KEEP_SESSION_S = 7 * 86400
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(kw_only=True)
class _Sent:
    """A batch that was sent and is not confirmed; its payload stays in the spool."""

    number: int
    topic: str
    seq: int
    pause_s: float
    due: float  # monotonic: when it is sent again
    mid: int | None  # the broker has not yet answered this


class _Puback(NamedTuple):
    mid: int
    code: int


class _Ack(NamedTuple):
    topic: str
    boot: str
    seq: int


class Gateway:
    """Keep batches, send them, forget them when they are stored.

    Use as a context manager. It needs no broker to take batches, and on a spool that
    holds some it goes on with them. Leaving it does not wait: see `drain`.

    Parameters
    ----------
    host, port : str, int
        The broker.
    park, code : str
        Codes of the topic; several enterprises may share the gateway.
    spool : Path
        File of the batches that are not confirmed; see `simulators.spool.Spool`.
    username, password : str, optional
        Sign-in at the broker.
    window : int
        Batches that are sent and not confirmed, at most.
    resend_s : float
        First pause before an unconfirmed batch is sent again [s]. It doubles each
        time, up to 300 s, and is spread by a fifth.
    most_bytes : int
        Payload the spool takes.

    Raises
    ------
    SpoolError
        If the spool cannot be used.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        park: str,
        spool: Path,
        code: str = "GW1",
        username: str | None = None,
        password: str | None = None,
        window: int = 200,
        resend_s: float = 30.0,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.confirmed = 0  # batches stored, as far as this process knows
        self.resent = 0  # batches sent once more
        self.refused: Counter[int] = Counter()  # reason code -> messages
        self._host, self._port = host, port
        self._park, self._code = _checked(park), _checked(code)
        self._window, self._resend_s = window, resend_s
        self._listen = f"parkwatt/v1/{park}/+/{code}/ack"
        self._largest = 0  # packet the broker takes; 0: no limit told
        self._connected = threading.Event()
        # what the network thread hands over; paho calls it while it holds its locks
        self._told: queue.SimpleQueue[_Puback | _Ack | None] = queue.SimpleQueue()
        self._progress = threading.Condition()
        self._stop = False
        self._failure: Exception | None = None
        # of the sending thread alone
        self._sent: dict[tuple[str, int], _Sent] = {}
        self._by_mid: dict[int, _Sent] = {}
        self._stored: set[tuple[str, int]] = set()  # to be removed from the spool
        self._taken = 0  # number of the newest batch read from the spool
        self._answered = time.monotonic()
        self._spool = Spool(spool, most_bytes=most_bytes)
        self._sender = threading.Thread(target=self._work, name="gateway", daemon=True)
        self._client = self._make_client(username, password)

    def __enter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = _KEEP_SESSION_S
        self._client.connect_async(
            self._host,
            self._port,
            keepalive=30,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()
        self._sender.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop = True
        self._told.put(None)
        self._sender.join()
        self._client.disconnect()
        self._client.loop_stop()
        self._spool.close()

    @property
    def boot(self) -> str:
        """The name of the spool, which goes with every batch."""
        return self._spool.boot

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection."""
        return self._connected.is_set()

    @property
    def unconfirmed(self) -> int:
        """Batches in the spool: sent or not, none is known to be stored."""
        return len(self._spool)

    def last_seq(self, enterprise: str) -> int:
        """Give the number of batches taken for an enterprise since the spool was made."""
        return self._spool.last(self._topic(enterprise))

    def send(self, enterprise: str, meters: Mapping[str, Sequence[Reading]]) -> int:
        """Take one batch of an enterprise; on return it is on disk.

        It never waits for the network.

        Returns
        -------
        int
            The sequence number of the batch.

        Raises
        ------
        PublishError
            If no store could ever read the batch; it is not taken.
        SpoolFull
            If the spool or its disk is full; it is not taken, the older ones stay.
        SpoolError
            If the spool fails.
        """
        for meter in meters:
            _checked(meter)

        def build(boot: str, seq: int) -> bytes:
            body = {"boot": boot, "seq": seq, "meters": meters}
            try:
                text = json.dumps(body, separators=(",", ":"), allow_nan=False)
            except ValueError as error:
                raise PublishError(f"batch of {enterprise!r}: {error}") from error
            return text.encode()

        return self.keep(enterprise, build)

    def keep(self, enterprise: str, build: Callable[[str, int], bytes]) -> int:
        """Take one batch that the caller writes, given boot and sequence number.

        Otherwise as `send`.
        """
        self._check()

        def checked(seq: int) -> bytes:
            payload = build(self._spool.boot, seq)
            if len(payload) > LARGEST_PAYLOAD:
                raise PublishError(
                    f"batch of {enterprise!r} has {len(payload)} bytes, more than "
                    f"{LARGEST_PAYLOAD}: send fewer readings in one"
                )
            return payload

        seq = self._spool.append(self._topic(enterprise), checked)
        self._told.put(None)
        return seq

    def drain(
        self,
        most: int = 0,
        *,
        timeout_s: float = 120.0,
        stop: threading.Event | None = None,
    ) -> None:
        """Wait until at most `most` batches are unconfirmed, or `stop` is set.

        Raises
        ------
        PublishError
            If nothing is confirmed for `timeout_s`. The batches stay in the spool.
        """
        confirmed, since = -1, 0.0
        while stop is None or not stop.is_set():
            self._check()
            with self._progress:
                if len(self._spool) <= most:
                    return
                if confirmed != self.confirmed:
                    confirmed, since = self.confirmed, time.monotonic()
                elif time.monotonic() - since > timeout_s:
                    raise PublishError(
                        f"nothing was confirmed as stored for {timeout_s:g} s: is "
                        f"`parkwatt ingest` running? {len(self._spool)} batches wait "
                        f"in {self._spool.path} and are sent when it is used again"
                    )
                self._progress.wait(0.2)

    def _topic(self, enterprise: str) -> str:
        return f"parkwatt/v1/{self._park}/{_checked(enterprise)}/{self._code}/batch"

    def _check(self) -> None:
        if self._failure is not None:
            raise PublishError(f"gateway stopped: {self._failure}") from self._failure

    # The sending thread.

    def _work(self) -> None:
        try:
            while not self._stop:
                self._hear()
                self._forget()
                if self._connected.is_set():
                    self._send_again()
                    self._send_next()
        except Exception as error:
            log.exception("the gateway's sending thread ended")
            self._failure = error

    def _hear(self) -> None:
        """Take what was told; wait a moment for the first."""
        try:
            told = self._told.get(timeout=_TICK_S)
            while True:
                if isinstance(told, _Puback):
                    self._travelled(told)
                elif isinstance(told, _Ack):
                    self._is_stored(told)
                told = self._told.get_nowait()
        except queue.Empty:
            return

    def _travelled(self, puback: _Puback) -> None:
        sent = self._by_mid.pop(puback.mid, None)
        if sent is not None:
            sent.mid = None
        if puback.code == NO_SUBSCRIBERS or puback.code >= 128:
            self._refuse(puback.code)

    def _refuse(self, code: int) -> None:
        """Count it; the batch is sent again like any that is not confirmed."""
        self.refused[code] += 1
        if self.refused[code] == 1:
            log.warning("the broker did not accept a batch: reason %d", code)

    def _is_stored(self, ack: _Ack) -> None:
        if ack.boot != self._spool.boot:
            return
        key = (ack.topic, ack.seq)
        self._stored.add(key)
        self._sent.pop(key, None)
        now = time.monotonic()
        if now - self._answered > self._resend_s:
            # the store is back: what backed off meanwhile need not wait its time
            for sent in self._sent.values():
                sent.pause_s = self._resend_s
                sent.due = min(sent.due, now + self._spread(self._resend_s))
        self._answered = now

    def _forget(self) -> None:
        if not self._stored:
            return
        try:
            removed = self._spool.remove(self._stored)
        except SpoolError as error:
            # kept twice is better than forgotten: it is tried again
            log.warning("%s", error)
            return
        self._stored.clear()
        with self._progress:
            self.confirmed += removed
            self._progress.notify_all()

    def _send_again(self) -> None:
        now = time.monotonic()
        for sent in list(self._sent.values()):
            if sent.due > now:
                continue
            sent.pause_s = min(2 * sent.pause_s, SLOWEST_S)
            sent.due = now + self._spread(sent.pause_s)
            # what the broker has not answered the client itself repeats
            if sent.mid is None:
                payload = self._spool.payload(sent.number)
                if payload is not None:
                    self.resent += 1
                    self._publish(sent, payload)

    def _send_next(self) -> None:
        room = self._window - len(self._sent)
        if room <= 0:
            return
        for batch in self._spool.after(self._taken, room):
            self._taken = batch.number
            key = (batch.topic, batch.seq)
            if key in self._stored:
                continue
            self._sent[key] = sent = _Sent(
                number=batch.number,
                topic=batch.topic,
                seq=batch.seq,
                pause_s=self._resend_s,
                due=time.monotonic() + self._spread(self._resend_s),
                mid=None,
            )
            self._publish(sent, batch.payload)

    def _publish(self, sent: _Sent, payload: bytes) -> None:
        # the broker would end the connection, again and again
        if self._largest and len(payload) + len(sent.topic) + 16 > self._largest:
            self._refuse(PACKET_TOO_LARGE)
            return
        info = self._client.publish(sent.topic, payload, qos=1)
        sent.mid = info.mid
        self._by_mid[info.mid] = sent

    def _spread(self, pause_s: float) -> float:
        return pause_s * random.uniform(0.8, 1.2)  # noqa: S311

    # Called by paho in its network thread; nothing here may wait or raise.

    def _make_client(self, username: str | None, password: str | None) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            f"parkwatt-gateway-{self._park}-{self._code}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        client.max_inflight_messages_set(self._window)
        client.reconnect_delay_set(1, 30)
        if username is not None:
            client.username_pw_set(username, password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        return client

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            log.error("the broker refused the connection: %s", code)
            return
        self._window = min(
            self._window, getattr(properties, "ReceiveMaximum", self._window)
        )
        self._largest = getattr(properties, "MaximumPacketSize", 0)
        client.subscribe(self._listen, qos=1)
        self._connected.set()
        self._told.put(None)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._connected.clear()
        if code.is_failure:
            log.warning("disconnected from the broker: %s", code)

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(code.is_failure for code in codes):
            log.error("the broker gives no answers: it refused %s", self._listen)

    def _on_publish(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._told.put(_Puback(mid, code.value))

    def _on_message(
        self, _client: Client, _userdata: Any, message: MQTTMessage
    ) -> None:
        try:
            answer = json.loads(message.payload)
            boot, seq = answer["boot"], answer["seq"]
            topic = message.topic.removesuffix("ack") + "batch"
            if isinstance(boot, str) and isinstance(seq, int):
                self._told.put(_Ack(topic, boot, seq))
        except (ValueError, KeyError, TypeError) as error:
            log.warning("an answer cannot be read: %r", error)


def _checked(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise PublishError(
            f"code {code[:70]!r} is not 1-64 characters of A-Z a-z 0-9 . _ -"
        )
    return code
