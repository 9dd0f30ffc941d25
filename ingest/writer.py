"""From messages to one committed transaction, and only then to acknowledgements."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from ingest.formats import native
from ingest.mosquitto import PROBE
from ingest.reading import (
    Answer,
    Heard,
    Parsed,
    Reading,
    Refused,
    Reject,
    Unplaced,
    check_size,
)
from ingest.resolver import Owner, Resolver
from ingest.routing import Lesson, Router
from ingest.session import Message
from ingest.topics import pattern_of, raw
from store import devices
from store.batches import Quarantined, note_in_flight, write_batch
from store.database import Connection, connect, translated
from store.errors import DatabaseAway, DatabaseRefused, ParkwattError
from store.readings import Rows
from store.records import Counts
from store.settings import Settings

log = logging.getLogger(__name__)


class Batch:
    """The rows and refusals of some messages, gathered before they are written."""

    def __init__(self) -> None:
        self.channel: list[int] = []
        self.at: list[int] = []
        self.value: list[float] = []
        self.until: list[int] = []
        self.quarantined: list[Quarantined] = []
        self.unplaced: list[devices.Unplaced] = []
        self.parsers: set[str] = set()
        self.on_arrival: set[int] = set()  # channels

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
        readings = parsed.readings
        try:
            channels = [owner.channels[each[:2]] for each in readings]
        except KeyError:
            readings = _placed(conn, resolver, owner, readings, rejects)
            channels = [owner.channels[each[:2]] for each in readings]
        if readings:
            _, _, at, value, until = zip(*readings, strict=True)
            self.channel += channels
            self.at += at
            self.value += value
            self.until += until
            if parsed.on_arrival:
                self.on_arrival.update(channels)
        if rejects:
            reasons = "; ".join(dict.fromkeys(each.reason for each in rejects))
            self.refuse(topic, payload, reasons, sum(each.readings for each in rejects))

    def refuse(
        self,
        topic: str,
        payload: bytes,
        reason: str,
        readings: int,
        pattern: str | None = None,
    ) -> None:
        """Quarantine a message, or the part of it that could not be read."""
        self.quarantined.append(
            Quarantined(
                topic.replace("\0", "\\0"),
                payload,
                reason.replace("\0", "\\0"),
                readings,
                pattern,
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


def _placed(
    conn: Connection,
    resolver: Resolver,
    owner: Owner,
    readings: list[Reading],
    rejects: list[Reject],
) -> list[Reading]:
    """Make the channels that are missing; give the readings that have one then."""
    refused: dict[str, str] = {}
    placed = []
    for reading in readings:
        if reading[:2] not in owner.channels:
            try:
                if reading.meter in refused:
                    raise Refused(refused[reading.meter])
                resolver.channel(conn, owner, reading)
            except Refused as why:
                refused[reading.meter] = str(why)
                rejects.append(Reject(str(why)))
                continue
        placed.append(reading)
    return placed


class Prepared(NamedTuple):
    """A batch that was read and waits to be stored."""

    batch: Batch
    lessons: list[Lesson]
    answers: list[Answer]
    messages: int
    resolver: Resolver  # that found its channels


Written: TypeAlias = tuple[Counts, list[Answer]]


class Writer:
    """Stores batches of messages, one while the next is read.

    Knows a connection to look up and one to store, and gets new ones when they die.
    """

    def __init__(self, url: str, settings: Settings, source: str) -> None:
        self._url = url
        self._settings = settings
        self._source = source
        self._lookups: Connection | None = None
        self._stores: Connection | None = None
        self._beside = ThreadPoolExecutor(1, "store")
        self._forget()

    def close(self) -> None:
        """Give the connections back."""
        for conn in (self._lookups, self._stores):
            if conn is not None:
                conn.close()
        self._lookups = self._stores = None
        # what it knew may be gone: another server, or one that was restored
        self._forget()

    def _forget(self) -> None:
        self._resolver = Resolver(self._settings.unconfirmed_meters)
        self._router = Router(shared=bool(self._settings.mqtt_share))

    def _connect(self) -> Connection:
        return connect(
            self._url, autocommit=True, name="parkwatt-ingest", patience_s=60
        )

    def note_in_flight(self, messages: int) -> None:
        """Say how many messages wait to be stored, if the database can be told."""
        with suppress(DatabaseAway), translated():
            if self._lookups is not None:
                note_in_flight(self._lookups, self._source, messages)

    def prepare(self, messages: Sequence[Message]) -> Prepared | None:
        """Read a batch; None when only `write` can deal with it."""
        try:
            with translated():
                return self._prepare(messages)
        except (DatabaseAway, DatabaseRefused):
            return None

    def start(
        self, messages: Sequence[Message], prepared: Prepared | None
    ) -> Callable[[], Written]:
        """Begin to store a batch; the result waits for it as `write` would.

        The one before it must have been waited for.
        """
        if prepared is None or prepared.resolver is not self._resolver:
            return partial(self.write, messages)
        stored = self._beside.submit(self._store, prepared)

        def finish() -> Written:
            try:
                with translated():
                    return stored.result()
            except (DatabaseAway, DatabaseRefused):
                self.close()
                return self.write(messages)

        return finish

    def write(self, messages: Sequence[Message]) -> Written:
        """Store a batch and commit.

        Raises
        ------
        DatabaseAway
            Nothing was confirmed; the same batch can be written again.
        """
        try:
            with translated():
                return self._store(self._prepare(messages))
        except DatabaseAway:
            self.close()
            raise
        except DatabaseRefused as refused:
            # one message the database does not take must not hold up the others
            self.close()
            if len(messages) == 1:
                with translated():
                    return self._store(self._prepare([], [(messages[0], str(refused))]))
            half = len(messages) // 2
            counts, answers = self.write(messages[:half])
            more, others = self.write(messages[half:])
            return counts + more, answers + others

    def _prepare(
        self,
        messages: Sequence[Message],
        refused_whole: Sequence[tuple[Message, str]] = (),
    ) -> Prepared:
        if self._lookups is None:
            self._lookups = self._connect()
        conn = self._lookups
        batch = Batch()
        answers: list[Answer] = []
        for message, reason in refused_whole:
            parsed = self._parse(conn, message, None)
            count = parsed.count if parsed else 1
            batch.refuse(message.topic, message.payload, reason, count)
            if parsed and parsed.answer is not None:  # or it comes again for ever
                answers.append(parsed.answer)
        for message in messages:
            parsed = self._parse(conn, message, batch)
            if parsed is None:
                continue
            batch.add(conn, self._resolver, message.topic, message.payload, parsed)
            if parsed.answer is not None:
                answers.append(parsed.answer)
        return Prepared(
            batch,
            self._router.lessons(),
            answers,
            len(messages) + len(refused_whole),
            self._resolver,
        )

    def _store(self, prepared: Prepared) -> Written:
        batch, lessons, answers, messages, resolver = prepared
        rows = batch.rows()
        if not (rows.channel.size or batch.quarantined or batch.unplaced or lessons):
            return Counts(), answers
        if self._stores is None:
            self._stores = self._connect()
        conn = self._stores
        with conn.transaction():
            unkept = self._count_unplaced(conn, batch)
            for lesson in lessons:
                devices.learn(conn, *lesson)
            if batch.on_arrival:
                devices.note_arrival_times(conn, sorted(batch.on_arrival))
            counts = write_batch(
                conn,
                rows,
                batch.quarantined,
                parks=resolver.parks,
                totals=resolver.totals,
                source=self._source,
                parser=", ".join(sorted(batch.parsers)) or "none",
                messages=messages,
                unkept=unkept,
            )
        return counts, answers

    def _parse(
        self, conn: Connection, message: Message, batch: Batch | None
    ) -> Parsed | None:
        """Read a message; what cannot be read goes to the batch's quarantine."""
        topic, payload = message.topic, message.payload
        try:
            if topic.startswith(PROBE):  # ours, heard by a filter that is wide
                return None
            check_size(payload, self._settings.payload_bytes)
            if native.accepts(topic) and not raw(topic):
                if native.silent(topic):
                    return None
                if batch is not None:
                    batch.parsers.add(native.NAME)
                return native.parse(topic, payload, message.arrived_us)
            heard = Heard(topic, payload, message.arrived_us, message.retained)
            with translated():
                parsed, name = self._router.read(conn, heard)
            if batch is not None:
                batch.parsers.add(name)
            return parsed
        except Unplaced as unplaced:
            if batch is not None:
                pattern = pattern_of(topic)
                batch.unplaced.append(
                    devices.Unplaced(pattern, topic, payload, str(unplaced))
                )
            return None
        except Refused as refused:
            reason = str(refused)
        except ParkwattError:
            raise
        except Exception as error:  # no message, however odd, may stop the others
            log.exception("a parser failed; the message is in quarantine")
            reason = f"parser failed: {type(error).__name__}"
        if batch is not None:
            batch.refuse(topic, payload, reason, 1)
        return None

    def _count_unplaced(self, conn: Connection, batch: Batch) -> int:
        """Count what nobody can place; keep the bytes of the first of each pattern."""
        if not batch.unplaced:
            return 0
        counted = devices.count_unplaced(conn, batch.unplaced)
        for each in counted.kept:
            batch.refuse(each.topic, each.payload, each.reason, 1, each.pattern)
        return counted.unkept
