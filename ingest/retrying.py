"""Messages that nobody could place, read again once a mapping can."""

from typing import NamedTuple

from ingest.reading import Heard, Refused, Unplaced
from ingest.routing import Router
from ingest.session import Message
from ingest.writer import Writer
from store import devices
from store.database import Connection, connect, translated
from store.records import Counts
from store.settings import Settings

SOURCE = "retry"
_AT_ONCE = 500


def _placed(router: Router, conn: Connection, row: devices.Kept) -> bool:
    try:
        router.read(conn, Heard(row.topic, row.payload, row.arrived_us))
    except Unplaced:
        return False
    except Refused:
        return True
    return True


class Retried(NamedTuple):
    """What became of the messages that were kept."""

    messages: int
    placed: int
    counts: Counts


def retry(url: str, settings: Settings) -> Retried:
    """Read again what is kept of messages that could not be placed.

    What can be placed now is stored, or quarantined with its new reason, and the old
    entry is marked as settled. Times of arrival are those of the first arrival.
    """
    messages, placed, counts = 0, 0, Counts()
    writer = Writer(url, settings, SOURCE)
    router = Router()
    try:
        with translated(), connect(url, autocommit=True) as conn:
            after = 0
            while rows := devices.unplaced_kept(conn, after, _AT_ONCE):
                after = rows[-1].quarantine_id
                ready = [row for row in rows if _placed(router, conn, row)]
                messages += len(rows)
                placed += len(ready)
                if ready:
                    found, _ = writer.write(
                        [
                            Message(0, 0, row.topic, row.payload, row.arrived_us)
                            for row in ready
                        ]
                    )
                    counts += found
                    devices.settle(conn, [row.quarantine_id for row in ready])
    finally:
        writer.close()
    return Retried(messages, placed, counts)
