"""The MQTT session: takes no message it cannot hold, acknowledges only what is stored."""

import logging
import os
import queue
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.link import Link
from ingest.probing import DROPPED, told
from ingest.reading import Answer
from store.errors import ParkwattError
from store.settings import Settings

log = logging.getLogger(__name__)

ANSWERS_IN_FLIGHT = 1_000  # paho's 20 would hold back the senders of a backlog
KEEP_SESSION_S = 30 * 86400
SESSION_TAKEN_OVER = 142
_NOT_UTF8 = "(not UTF-8)"  # no topic of anybody
ANSWERS = 20_000  # most that wait for a broker; a gateway without one sends again


class BrokerUnreachable(ParkwattError):
    """The MQTT broker cannot be reached; see `parkwatt doctor`."""


class NetworkThreadDied(ParkwattError):
    """The MQTT network thread ended; the process must be started again."""


class Message(NamedTuple):
    """A message that waits to be stored."""

    generation: int  # of the connection: a mid means nothing on the next one
    mid: int
    topic: str
    payload: bytes
    arrived_us: int
    retained: bool = False


class Session:
    """One kept MQTT 5 session with manual acknowledgement.

    The broker sends at most `receive_maximum` messages that are not acknowledged, so
    the queue is bounded by the window and the handler never waits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # one batch waits for its commit, one is read, two are on their way
        self._window = 4 * settings.batch_messages
        # a new connection may deliver its window while the old one's is still queued
        self._most = 2 * self._window
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._generation = 0
        self._turn = threading.RLock()  # paho may call back from within an ack
        self._connected, self._ended = threading.Event(), threading.Event()
        self._refused = ""
        self._dropped = -1  # messages the broker says it dropped; nothing said yet
        self._died = ""
        client = Link(self._deliver, client_id=settings.mqtt_client_id)
        if settings.mqtt_username:
            client.username_pw_set(settings.mqtt_username, settings.mqtt_password)
        if settings.mqtt_ca:
            client.tls_set(
                ca_certs=settings.mqtt_ca,
                certfile=settings.mqtt_cert or None,
                keyfile=settings.mqtt_key or None,
                cert_reqs=ssl.CERT_REQUIRED,
            )
        client.reconnect_delay_set(1, 30)
        client.max_queued_messages_set(ANSWERS)
        client.max_inflight_messages_set(ANSWERS_IN_FLIGHT)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        self._client = client

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted this session."""
        return self._connected.is_set()

    def start(self, patience_s: float = 30.0) -> None:
        """Connect and subscribe.

        Raises
        ------
        BrokerUnreachable
            When the broker does not accept the session in time.
        """
        threading.excepthook = self._thread_died
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = KEEP_SESSION_S
        keep.ReceiveMaximum = min(self._window, 65535)
        where = f"{self._settings.mqtt_host}:{self._settings.mqtt_port}"
        self._client.connect_async(
            self._settings.mqtt_host,
            self._settings.mqtt_port,
            keepalive=30,
            clean_start=False,
            properties=keep,
        )
        self._client.loop_start()
        if not self._connected.wait(patience_s):
            self.stop()
            raise BrokerUnreachable(self._refused or where)

    def stop(self) -> None:
        """Disconnect; what is not acknowledged comes again."""
        self._ended.set()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def waiting(self) -> int:
        """Messages that have come and were not taken yet."""
        return self._queue.qsize()

    def take(self, most: int, seconds: float) -> list[Message]:
        """Wait up to half a second for a first message, then gather a batch.

        Raises
        ------
        NetworkThreadDied
            When no message can come any more.
        """
        if self._died:
            raise NetworkThreadDied(self._died)
        try:
            batch = [self._queue.get(timeout=0.5)]
        except queue.Empty:
            return []
        end = time.monotonic() + seconds
        while len(batch) < most:
            try:
                left = end - time.monotonic()
                batch.append(
                    self._queue.get(timeout=left)
                    if left > 0
                    else self._queue.get_nowait()
                )
            except queue.Empty:
                break
        return batch

    def acknowledge(self, messages: Iterable[Message]) -> None:
        """Acknowledge in order what was taken on the present connection.

        A message of QoS 0 has no id and takes no acknowledgement.
        """
        # between the look and the ack no new connection may come: what is queued for
        # the old one is thrown away with it
        with self._turn:
            now = self._generation
            self._client.acknowledge(
                [each.mid for each in messages if each.mid and each.generation == now]
            )

    def answer(self, answers: Iterable[Answer]) -> None:
        """Publish what the senders wait for."""
        for each in answers:
            self._client.publish(each.topic, each.payload, qos=1)

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            log.error("broker refused the session: %s", reason)
            return
        with self._turn:
            self._generation += 1
        if flags.session_present:
            self._forget_queued()
        elif self._generation > 1:
            log.error("the broker forgot the session: messages may be lost")
        share = self._settings.mqtt_share
        for risk in told(properties, KEEP_SESSION_S, bool(share)):
            log.warning("%s", risk)
        topic = self._settings.mqtt_topic
        # our own answers need not come back, where the protocol lets us say so
        options = SubscribeOptions(qos=1, noLocal=not share)
        client.subscribe(
            [
                (f"$share/{share}/{topic}" if share else topic, options),
                (DROPPED, SubscribeOptions(qos=0)),
            ]
        )
        self._connected.set()
        log.info("connected, session kept: %s", flags.session_present)

    def _forget_queued(self) -> None:
        """Drop what the broker sends again, so that reconnects fill no queue."""
        kept: list[Message] = []
        with suppress(queue.Empty):
            while True:
                message = self._queue.get_nowait()
                if not message.mid:  # QoS 0 comes once
                    kept.append(message)
        for message in kept:
            self._queue.put_nowait(message)

    def _on_disconnect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        with self._turn:
            self._generation += 1
        self._connected.clear()
        if reason.value == SESSION_TAKEN_OVER:
            log.error(
                "another client uses the id %r: give each ingest its own "
                "PARKWATT_MQTT_CLIENT_ID",
                self._settings.mqtt_client_id,
            )
        elif reason.is_failure:
            log.warning("disconnected from the broker: %s", reason)

    def _deliver(self, mid: int, topic: bytes, payload: bytes, retained: bool) -> None:
        try:
            self._keep(mid, topic.decode(), payload, retained)
        except UnicodeDecodeError:
            self._keep(mid, _NOT_UTF8, payload, retained)

    def _keep(self, mid: int, topic: str, payload: bytes, retained: bool) -> None:
        if topic == DROPPED:
            self._note_dropped(payload)
            return
        while self._queue.qsize() >= self._most:  # QoS 0 knows no window
            if self._ended.wait(0.01):
                return
        self._queue.put(
            Message(
                self._generation, mid, topic, payload, time.time_ns() // 1000, retained
            )
        )

    def _note_dropped(self, payload: bytes) -> None:
        """Tell when the broker has dropped messages, of whatever client."""
        if not payload.isdigit():
            return
        now = int(payload)
        if now > max(0, self._dropped):
            log.error(
                "the broker has dropped %d messages%s: its queue limit is too low, or a "
                "client is away for ever",
                now - max(0, self._dropped),
                " since it started" if self._dropped < 0 else "",
            )
        self._dropped = now

    def _thread_died(self, args: Any) -> None:
        log.critical("thread died: %r", args.exc_value, exc_info=args.exc_value)
        self._died = repr(args.exc_value) or f"in process {os.getpid()}"
