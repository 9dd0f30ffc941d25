"""A gateway: batches of many meters, kept until the store says they are stored.

What is unconfirmed is kept in memory only: it survives a lost connection, a broker
that forgot it and an ingest that was killed, but not the end of this process.
"""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from simulators.errors import PublishError
from simulators.park import Reading
from simulators.publisher import NO_SUBSCRIBERS, QUOTA_EXCEEDED, Publisher

_SLOWEST_S = 300.0


@dataclass(kw_only=True)
class _Batch:
    topic: str
    payload: bytes
    due: float  # monotonic: when it is sent again
    pause_s: float


class Gateway:
    """Send batches and wait for their acknowledgement; use as a context manager.

    One gateway stands in each enterprise; they share a code and a connection.

    Parameters
    ----------
    host, port : str, int
        The broker.
    park, code : str
        Codes of the topic.
    username, password : str, optional
        Sign-in at the broker.
    window : int
        Unconfirmed batches at most.
    resend_s : float
        First pause before an unconfirmed batch is sent again; it doubles each time,
        up to 300 s.
    timeout_s : float
        How long no batch may be confirmed while the window is full or at the end.
    boot : str, optional
        Names this run of the gateway; its sequence numbers count from 1.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        park: str,
        code: str = "GW1",
        username: str | None = None,
        password: str | None = None,
        window: int = 200,
        resend_s: float = 30.0,
        timeout_s: float = 120.0,
        boot: str | None = None,
    ) -> None:
        self.boot = boot or uuid.uuid4().hex
        self.confirmed = 0
        self.resent = 0
        self._park, self._code = park, code
        self._window, self._resend_s, self._timeout_s = window, resend_s, timeout_s
        self._seq: Counter[str] = Counter()  # by enterprise
        self._open: dict[tuple[str, int], _Batch] = {}
        # guards `_open`; never held while something is published
        self._changed = threading.Condition()
        self._publisher = Publisher(
            host,
            port,
            client_id=f"parkwatt-gateway-{park}-{code}",
            username=username,
            password=password,
            tolerate={NO_SUBSCRIBERS, QUOTA_EXCEEDED},
            listen=f"parkwatt/v1/{park}/+/{code}/ack",
            on_message=self._confirm,
        )

    def __enter__(self) -> Self:
        self._publisher.__enter__()
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
            # what is unconfirmed has been reported by drain
            self._publisher.close()

    @property
    def unconfirmed(self) -> int:
        """Batches sent and not yet confirmed as stored."""
        return len(self._open)

    def send(self, enterprise: str, meters: Mapping[str, Sequence[Reading]]) -> None:
        """Send one batch of an enterprise; wait while the window is full.

        Raises
        ------
        PublishError
            If the broker cannot be reached, or nothing is confirmed for `timeout_s`.
        """
        self._wait(self._window - 1)
        self._seq[enterprise] += 1
        seq = self._seq[enterprise]
        body = {"boot": self.boot, "seq": seq, "meters": meters}
        batch = _Batch(
            topic=f"parkwatt/v1/{self._park}/{enterprise}/{self._code}/batch",
            payload=json.dumps(body, separators=(",", ":")).encode(),
            due=time.monotonic() + self._resend_s,
            pause_s=self._resend_s,
        )
        with self._changed:
            self._open[enterprise, seq] = batch
        self._publisher.publish(batch.topic, batch.payload)

    def resend(self) -> None:
        """Send again what has been unconfirmed for too long."""
        now = time.monotonic()
        with self._changed:
            late = [each for each in self._open.values() if each.due <= now]
            for batch in late:
                batch.pause_s = min(2 * batch.pause_s, _SLOWEST_S)
                batch.due = now + batch.pause_s
        for batch in late:
            self._publisher.publish(batch.topic, batch.payload)
            self.resent += 1

    def drain(self) -> None:
        """Wait until every batch is confirmed.

        Raises
        ------
        PublishError
            If nothing is confirmed for `timeout_s`.
        """
        self._wait(0)

    def _wait(self, most: int) -> None:
        """Wait until at most `most` batches are open."""
        confirmed, since = -1, 0.0
        while True:
            self.resend()
            with self._changed:
                if len(self._open) <= most:
                    return
                if confirmed != self.confirmed:
                    confirmed, since = self.confirmed, time.monotonic()
                elif time.monotonic() - since > self._timeout_s:
                    raise PublishError(
                        f"nothing was confirmed as stored for {self._timeout_s:g} s "
                        f"({len(self._open)} batches open): is `parkwatt ingest` "
                        "running?"
                    )
                self._changed.wait(0.2)

    def _confirm(self, topic: str, payload: bytes) -> None:
        """Take an acknowledgement; called in the network thread."""
        enterprise = topic.split("/")[3]
        answer = json.loads(payload)
        if answer["boot"] != self.boot:
            return
        with self._changed:
            if self._open.pop((enterprise, answer["seq"]), None) is not None:
                self.confirmed += 1
                self._changed.notify_all()
