"""What of the broker's settings would lose readings: looked at when ingest starts."""

import logging
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.mosquitto import PROBE
from store.settings import Settings

log = logging.getLogger(__name__)

MESSAGES = 1_200  # Mosquitto's default keeps 1000 and drops the others silently
DROPPED = "$SYS/broker/publish/messages/dropped"  # Mosquitto counts for all clients
_PATIENCE_S = 10.0
_SILENCE_S = 1.0


class NotPossible(Exception):
    """The broker could not be looked at; the text says why."""


def told(properties: Any, keep_s: int, shared: bool) -> list[str]:
    """Say what the broker's answer to CONNECT takes away (MQTT 5.0, section 3.2.2.3).

    Parameters
    ----------
    properties
        Of CONNACK; what is not there is as asked.
    keep_s
        For how long the session was asked to be kept [s].
    """
    risks = []
    kept = getattr(properties, "SessionExpiryInterval", keep_s)
    if kept < keep_s:
        risks.append(
            f"the broker keeps the session for {kept} s only: what comes while ingest is "
            "away for longer is lost"
        )
    if getattr(properties, "MaximumQoS", 2) < 1:
        risks.append("the broker knows QoS 0 only: it gives nothing a second time")
    if shared and not getattr(properties, "SharedSubscriptionAvailable", 1):
        risks.append("the broker has no shared subscriptions: run one ingest alone")
    return risks


def look(settings: Settings) -> list[str]:
    """Try whether the broker keeps a queue for a client that is away; takes a second.

    Raises
    ------
    NotPossible
        When the broker refuses, is silent, or ingest signs in: brokers may give a login
        one session only, and a second client would take it from ingest.
    """
    if settings.mqtt_username or settings.mqtt_cert:
        raise NotPossible("not tried with a sign-in, which may allow one session only")
    topic = f"{PROBE}/{settings.mqtt_client_id}"
    away = _Client(settings, "away")
    try:
        away.connect(clean=True)
        away.subscribe(topic)
        away.leave(keep=True)
        sender = _Client(settings, "sender")
        try:
            sender.connect(clean=True)
            sender.send(topic)
        finally:
            sender.leave(keep=False)
        present = away.connect(clean=False)
        if not present:
            return [
                "the broker keeps no session: what comes while ingest is away is lost"
            ]
        got = away.count()
    finally:
        away.leave(keep=False)
    if got < MESSAGES:
        return [
            f"the broker kept {got} of {MESSAGES} messages for a client that was away: "
            "raise its queue limit (Mosquitto: max_queued_messages 1000000)"
        ]
    return []


def warn(settings: Settings) -> threading.Thread:
    """Look, beside the caller, and log what is wrong."""

    def work() -> None:
        try:
            for risk in look(settings):
                log.warning("%s", risk)
        except NotPossible as reason:
            log.info("the broker's queue was not looked at: %s", reason)
        except Exception:  # whatever a broker does, ingest goes on
            log.exception("the broker's queue could not be looked at")

    thread = threading.Thread(target=work, name="probe", daemon=True)
    thread.start()
    return thread


class _Client:
    """A short-lived client; each step waits for the broker's word."""

    def __init__(self, settings: Settings, part: str) -> None:
        self._settings = settings
        self._name = f"{settings.mqtt_client_id}-probe-{part}"
        self._answer = threading.Event()
        self._present = self._refused = False
        self._got = self._sent = 0
        self._client = self._made()

    def _made(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, self._name, protocol=mqtt.MQTTv5
        )
        if self._settings.mqtt_ca:
            client.tls_set(ca_certs=self._settings.mqtt_ca)
        client.max_inflight_messages_set(500)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def connect(self, *, clean: bool) -> bool:
        """Connect; tell whether the broker had kept the session."""
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = 60
        self._answer.clear()
        self._client = self._made()
        try:
            self._client.connect(
                self._settings.mqtt_host,
                self._settings.mqtt_port,
                keepalive=30,
                clean_start=clean,
                properties=keep,
            )
        except OSError as error:
            raise NotPossible(str(error)) from error
        self._client.loop_start()
        self._wait("connection")
        return self._present

    def subscribe(self, topic: str) -> None:
        self._answer.clear()
        self._client.subscribe(topic, qos=1)
        self._wait("subscription")

    def send(self, topic: str) -> None:
        for _ in range(MESSAGES):
            self._client.publish(topic, b"", qos=1)
        end = time.monotonic() + _PATIENCE_S
        while self._sent < MESSAGES:
            if time.monotonic() > end:
                raise NotPossible(f"it took {self._sent} of {MESSAGES} messages")
            time.sleep(0.01)

    def count(self) -> int:
        """Count messages until all are here or no more come."""
        last, since = 0, time.monotonic()
        while self._got < MESSAGES and time.monotonic() - since < _SILENCE_S:
            if self._got != last:
                last, since = self._got, time.monotonic()
            time.sleep(0.01)
        return self._got

    def leave(self, *, keep: bool) -> None:
        """Disconnect; the session stays for a minute, or ends."""
        end = Properties(PacketTypes.DISCONNECT)
        end.SessionExpiryInterval = 60 if keep else 0
        self._client.disconnect(properties=end)
        self._client.loop_stop()

    def _wait(self, what: str) -> None:
        if not self._answer.wait(_PATIENCE_S):
            raise NotPossible(f"no answer to the {what}")
        if self._refused:
            raise NotPossible(f"the broker refused the {what}")

    def _on_connect(self, _: Any, __: Any, flags: Any, reason: Any, ___: Any) -> None:
        self._present, self._refused = flags.session_present, reason.is_failure
        self._answer.set()

    def _on_subscribe(self, _: Any, __: Any, ___: Any, reasons: Any, ____: Any) -> None:
        self._refused = any(each.is_failure for each in reasons)
        self._answer.set()

    def _on_message(self, _: Any, __: Any, ___: Any) -> None:
        self._got += 1

    def _on_publish(self, *_: Any) -> None:
        self._sent += 1
