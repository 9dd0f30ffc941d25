"""A gateway's memory on disk: batches that are not known to be stored.

What `append` returned from is on disk and stays until `remove`, whatever ends the
process. The file also names itself: its boot and its sequence numbers go on where they
were, so a batch is sent again after a restart with the bytes it had before.
"""

import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from simulators.errors import SimulatorError

T = TypeVar("T")
MOST_BYTES = 512 * 1024**2
_LOG_BYTES = 2 * 1024**2
_VERSION = 1
_SCHEMA = """
CREATE TABLE spool (boot TEXT NOT NULL);
CREATE TABLE last (topic TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE batch (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    seq INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (topic, seq)
);
"""


class SpoolError(SimulatorError):
    """The spool cannot be read or written."""


class SpoolFull(SpoolError):
    """The spool takes no more; what it holds is kept."""


class Batch(NamedTuple):
    """A batch that waits in the spool."""

    number: int  # in the order of arrival, never used again
    topic: str
    seq: int  # counts from 1 in each topic
    payload: bytes


class Spool:
    """Batches on disk; one process at a time, any of its threads.

    Parameters
    ----------
    path : Path
        An SQLite file; it is made if it is not there.
    most_bytes : int
        Payload that may wait. A batch that would be too much is refused, the old
        ones stay.

    Raises
    ------
    SpoolError
        If the file cannot be used, or another process uses it.
    """

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self._most_bytes = most_bytes
        self._turn = threading.RLock()
        self.boot = ""  # names this file, and the sequence numbers in it
        self._count = self._bytes = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SpoolError(f"spool {path}: {error.strerror}") from error
        with self._told():
            self._db = sqlite3.connect(
                path, timeout=2.0, isolation_level=None, check_same_thread=False
            )
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back; what waits in it stays."""
        with self._turn:
            self._db.close()

    def __len__(self) -> int:
        return self._count

    def append(self, topic: str, build: Callable[[int], bytes]) -> int:
        """Keep one batch; on return it is on disk.

        Parameters
        ----------
        topic : str
            Where it will be sent.
        build : callable
            Gives the payload for a sequence number.

        Returns
        -------
        int
            Its sequence number.

        Raises
        ------
        SpoolFull
            If the bound is reached or the disk is full. Nothing was kept of this
            batch, nothing lost of the others.
        SpoolError
            If the disk fails.
        """
        with self._turn:
            seq = self.last(topic) + 1
            payload = build(seq)
            if self._bytes + len(payload) > self._most_bytes:
                raise SpoolFull(
                    f"spool {self.path} is full: {self._count} batches, {self._bytes} "
                    f"of {self._most_bytes} bytes, are not yet known to be stored"
                )
            self._write(lambda: self._insert(topic, seq, payload))
            self._count += 1
            self._bytes += len(payload)
            return seq

    def last(self, topic: str) -> int:
        """Give the sequence number of a topic's newest batch, 0 if there was none."""
        with self._turn, self._told():
            row = self._db.execute(
                "SELECT seq FROM last WHERE topic = ?", (topic,)
            ).fetchone()
        return int(row[0]) if row else 0

    def after(self, number: int, most: int) -> list[Batch]:
        """Give the oldest batches that came after another."""
        with self._turn, self._told():
            rows = self._db.execute(
                "SELECT number, topic, seq, payload FROM batch WHERE number > ? "
                "ORDER BY number LIMIT ?",
                (number, most),
            ).fetchall()
        return [Batch(*row) for row in rows]

    def payload(self, number: int) -> bytes | None:
        """Give a batch's payload, None if it is no longer here."""
        with self._turn, self._told():
            row = self._db.execute(
                "SELECT payload FROM batch WHERE number = ?", (number,)
            ).fetchone()
        return bytes(row[0]) if row else None

    def remove(self, stored: Collection[tuple[str, int]]) -> int:
        """Forget batches by topic and sequence number; give how many were here.

        Raises
        ------
        SpoolError
            If the disk fails or is full. They are still here: try again.
        """
        with self._turn:
            gone = self._write(lambda: self._delete(stored))
            self._count -= len(gone)
            self._bytes -= sum(gone)
            return len(gone)

    def _insert(self, topic: str, seq: int, payload: bytes) -> None:
        self._db.execute(
            "INSERT INTO last VALUES (?, ?) "
            "ON CONFLICT (topic) DO UPDATE SET seq = excluded.seq",
            (topic, seq),
        )
        self._db.execute(
            "INSERT INTO batch (topic, seq, payload) VALUES (?, ?, ?)",
            (topic, seq, payload),
        )

    def _delete(self, stored: Collection[tuple[str, int]]) -> list[int]:
        """Delete what is here of `stored`; give the sizes."""
        return [
            int(row[0])
            for key in stored
            for row in self._db.execute(
                "DELETE FROM batch WHERE topic = ? AND seq = ? "
                "RETURNING length(payload)",
                key,
            ).fetchall()
        ]

    def _write(self, work: Callable[[], T]) -> T:
        """Do it in one transaction; on a full disk make room and try once more."""
        try:
            with self._transaction():
                return work()
        except SpoolFull:
            # the log holds pages that the file has room for
            with suppress(sqlite3.Error):
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._transaction():
            return work()

    def _open(self) -> None:
        with self._told():
            # alone with the file, SQLite needs no shared memory beside it
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            # the log reaches the disk with every commit, not only at checkpoints
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA wal_autocheckpoint = 64")
            # the file leaves room for the log on its disk: to forget a batch is to
            # write as well
            (page,) = self._db.execute("PRAGMA page_size").fetchone()
            room = self.path.stat().st_size + shutil.disk_usage(self.path).free
            most = max(1, (room - _LOG_BYTES) // page)
            self._db.execute(f"PRAGMA max_page_count = {most}")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise SpoolError(f"spool {self.path} is of version {version}, not 1")
        # a write, to hold the lock from now on
        with self._transaction():
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO spool VALUES (?)", (uuid.uuid4().hex,))
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
        with self._told():
            (self.boot,) = self._db.execute("SELECT boot FROM spool").fetchone()
            self._count, self._bytes = self._db.execute(
                "SELECT count(*), coalesce(sum(length(payload)), 0) FROM batch"
            ).fetchone()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # some errors have ended the transaction themselves
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in our words what SQLite says."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name == "SQLITE_FULL":
                raise SpoolFull(
                    f"spool {self.path}: the disk is full; what it holds is kept"
                ) from error
            if name.startswith("SQLITE_BUSY"):
                raise SpoolError(
                    f"spool {self.path} is used by another process"
                ) from error
            raise SpoolError(f"spool {self.path}: {error}") from error
