"""From messages to one committed transaction, and only then to acknowledgements."""

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ingest.parsing import holds_no_reading, parse
from ingest.reading import Answer, Parsed, Reading, Refused, Reject
from ingest.session import Message
from store import registry, relations
from store.batches import Quarantined, write_batch
from store.database import Connection, connect, translated
from store.errors import DatabaseAway, DatabaseRefused
from store.quantities import KEYS
from store.readings import Rows
from store.records import Counts
from store.settings import Settings

log = logging.getLogger(__name__)

_FORGET_S = 1.0  # how long an unknown enterprise stays unknown


class _Owner(NamedTuple):
    """A known enterprise and the channels met so far."""

    park_id: int
    enterprise_id: int
    channels: dict[tuple[str, str], int]


class Resolver:
    """Finds the channel of each reading; registers new meters as unconfirmed."""

    def __init__(self, unconfirmed_meters: int) -> None:
        self._limit = unconfirmed_meters
        self._owners: dict[tuple[str, str], _Owner] = {}
        self._unknown: dict[tuple[str, str], float] = {}
        self.parks: dict[int, int] = {}
        self.totals: set[int] = set()

    def owner(self, conn: Connection, park: str, enterprise: str) -> _Owner:
        """Find an enterprise.

        Raises
        ------
        Refused
            When the park or the enterprise is not registered.
        """
        found = self._owners.get((park, enterprise))
        if found is None:
            now = time.monotonic()
            if self._unknown.get((park, enterprise), 0.0) < now:
                found = self._load(conn, park, enterprise)
            if found is None:
                if len(self._unknown) > 10_000:
                    self._unknown.clear()
                if self._unknown.get((park, enterprise), 0.0) < now:
                    self._unknown[park, enterprise] = now + _FORGET_S
                raise Refused(f"unknown enterprise {enterprise!r} of park {park!r}")
            self._owners[park, enterprise] = found
            self._unknown.pop((park, enterprise), None)
        return found

    def _load(self, conn: Connection, park: str, enterprise: str) -> _Owner | None:
        ids = registry.find_enterprise(conn, park, enterprise)
        return None if ids is None else _Owner(*ids, {})

    def channel(self, conn: Connection, owner: _Owner, reading: Reading) -> int:
        """Find the channel of a reading, making it and its meter where they are new.

        Raises
        ------
        Refused
            When too many meters of the enterprise wait for confirmation.
        """
        known = KEYS[reading.key]
        meter_id = self._meter(conn, owner, reading.meter)
        channel = relations.add_meter_channel(
            conn, meter_id, known.quantity.name, known.kind
        )
        owner.channels[reading.meter, reading.key] = channel
        self.parks[channel] = owner.park_id
        if known.kind != "gauge":
            self.totals.add(channel)
        return channel

    def _meter(self, conn: Connection, owner: _Owner, code: str) -> int:
        meter_id, waiting = registry.find_meter(conn, owner.enterprise_id, code)
        if meter_id is not None:
            return meter_id
        if waiting >= self._limit:
            raise Refused(
                f"{self._limit} meters of this enterprise wait for confirmation already"
            )
        return registry.add_meter(conn, owner.park_id, owner.enterprise_id, code)


class Batch:
    """The rows and refusals of some messages, gathered before they are written."""

    def __init__(self) -> None:
        self.channel: list[int] = []
        self.at: list[int] = []
        self.value: list[float] = []
        self.until: list[int] = []
        self.quarantined: list[Quarantined] = []

    def add(
        self,
        conn: Connection,
        resolver: Resolver,
        topic: str,
        payload: bytes,
        parsed: Parsed,
    ) -> None:
        """Add one message; what cannot be placed is quarantined with its bytes."""
        rejects = list(parsed.rejects)
        try:
            owner = resolver.owner(conn, parsed.park, parsed.enterprise)
        except Refused as refused:
            self.refuse(topic, payload, str(refused), parsed.count)
            return
        channels = owner.channels
        refused_meters: dict[str, str] = {}
        for reading in parsed.readings:
            channel = channels.get((reading.meter, reading.key))
            if channel is None:
                try:
                    if reading.meter in refused_meters:
                        raise Refused(refused_meters[reading.meter])
                    channel = resolver.channel(conn, owner, reading)
                except Refused as refused:
                    refused_meters[reading.meter] = str(refused)
                    rejects.append(Reject(str(refused)))
                    continue
            self.channel.append(channel)
            self.at.append(reading.at_us)
            self.value.append(reading.value)
            self.until.append(reading.until_us)
        if rejects:
            reasons = "; ".join(dict.fromkeys(each.reason for each in rejects))
            self.refuse(topic, payload, reasons, sum(each.readings for each in rejects))

    def refuse(self, topic: str, payload: bytes, reason: str, readings: int) -> None:
        """Quarantine a message, or the part of it that could not be read."""
        self.quarantined.append(
            Quarantined(
                topic.replace("\0", "\\0"),
                payload,
                reason.replace("\0", "\\0"),
                readings,
            )
        )

    def rows(self) -> Rows:
        """Give the rows as columns, in the order of arrival."""
        return Rows(
            np.array(self.channel, np.int64),
            np.array(self.at, np.int64),
            np.array(self.value, np.float64),
            np.array(self.until, np.int64),
        )


class Writer:
    """Stores batches of messages; knows one connection and gets a new one when it dies."""

    def __init__(self, url: str, settings: Settings, source: str) -> None:
        self._url = url
        self._settings = settings
        self._source = source
        self._conn: Connection | None = None
        self._resolver = Resolver(settings.unconfirmed_meters)

    def close(self) -> None:
        """Give the connection back."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None
        # what it knew may be gone: another server, or one that was restored
        self._resolver = Resolver(self._settings.unconfirmed_meters)

    def write(self, messages: Sequence[Message]) -> tuple[Counts, list[Answer]]:
        """Store a batch and commit.

        Raises
        ------
        DatabaseAway
            Nothing was confirmed; the same batch can be written again.
        """
        try:
            with translated():
                return self._write(messages)
        except DatabaseAway:
            self.close()
            raise
        except DatabaseRefused as refused:
            # one message the database does not take must not hold up the others
            self.close()
            if len(messages) == 1:
                with translated():
                    return self._write([], [(messages[0], str(refused))])
            half = len(messages) // 2
            counts, answers = self.write(messages[:half])
            more, others = self.write(messages[half:])
            return counts + more, answers + others

    def _write(
        self,
        messages: Sequence[Message],
        refused_whole: Sequence[tuple[Message, str]] = (),
    ) -> tuple[Counts, list[Answer]]:
        if self._conn is None:
            self._conn = connect(
                self._url, autocommit=True, name="parkwatt-ingest", patience_s=60
            )
        conn = self._conn
        batch = Batch()
        answers: list[Answer] = []
        for message, reason in refused_whole:
            parsed = self._parse(message, batch=None)
            count = parsed.count if parsed else 1
            batch.refuse(message.topic, message.payload, reason, count)
            if parsed and parsed.answer is not None:  # or it comes again for ever
                answers.append(parsed.answer)
        for message in messages:
            if holds_no_reading(message.topic):
                continue
            parsed = self._parse(message, batch)
            if parsed is None:
                continue
            batch.add(conn, self._resolver, message.topic, message.payload, parsed)
            if parsed.answer is not None:
                answers.append(parsed.answer)
        rows = batch.rows()
        if not rows.channel.size and not batch.quarantined:
            return Counts(), answers
        with conn.transaction():
            counts = write_batch(
                conn,
                rows,
                batch.quarantined,
                parks=self._resolver.parks,
                totals=self._resolver.totals,
                source=self._source,
                parser="native/1",
                messages=len(messages) + len(refused_whole),
            )
        return counts, answers

    def _parse(self, message: Message, batch: Batch | None) -> Parsed | None:
        """Read a message; what cannot be read goes to the batch's quarantine."""
        try:
            return parse(
                message.topic,
                message.payload,
                message.arrived_us,
                self._settings.payload_bytes,
            )
        except Refused as refused:
            reason = str(refused)
        except Exception as error:  # no message, however odd, may stop the others
            log.exception("a parser failed; the message is in quarantine")
            reason = f"parser failed: {type(error).__name__}"
        if batch is not None:
            batch.refuse(message.topic, message.payload, reason, 1)
        return None
