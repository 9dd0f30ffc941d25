"""The ingest process: take, write, acknowledge; wait while the database is away."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from ingest import probing
from ingest.session import Message, Session
from ingest.writer import Writer, Written
from store.errors import DatabaseAway
from store.records import Counts
from store.settings import Settings

SAY_S = 2.0  # between two reports of what is in flight

log = logging.getLogger(__name__)


def run(
    url: str,
    settings: Settings,
    stop: threading.Event,
    progress: Callable[[Counts], None] | None = None,
) -> None:
    """Store what the broker brings until `stop` is set.

    While the database is away the batch is kept, nothing is acknowledged and the
    window keeps the broker from sending more.

    Raises
    ------
    BrokerUnreachable
        When the broker does not accept the session.
    NetworkThreadDied
        When no message can come any more.
    """
    session = Session(settings)
    writer = Writer(url, settings, source=settings.mqtt_client_id)
    session.start()
    probing.warn(settings)
    stored: list[Message] = []  # what is being stored while the next batch is read
    finish: Callable[[], Written] | None = None

    def settle() -> bool:
        nonlocal finish
        attempt, finish, wait_s = finish, None, 0.25
        while attempt is not None:
            try:
                counts, answers = attempt()
            except DatabaseAway as error:
                log.error("%s; the batch is kept", error)
                if stop.wait(wait_s):
                    return False
                wait_s = min(2 * wait_s, 5.0)
                attempt = partial(writer.write, stored)
                continue
            session.acknowledge(stored)
            session.answer(answers)
            if counts.conflict:
                log.warning(
                    "%d readings contradict what is stored and changed nothing: "
                    "see `parkwatt conflicts`",
                    counts.conflict,
                )
            if progress is not None:
                progress(counts)
            break
        return True

    try:
        said_at = 0.0
        while not stop.is_set():
            if time.monotonic() - said_at >= SAY_S:
                said_at = time.monotonic()
                writer.note_in_flight(session.waiting + len(stored) * bool(finish))
            # while one is being stored, the next need not wait for more messages
            seconds = 0.0 if finish else settings.batch_seconds
            messages = session.take(settings.batch_messages, seconds)
            if not messages:
                continue
            prepared = writer.prepare(messages)
            if not settle():
                return
            stored, finish = messages, writer.start(messages, prepared)
            if not session.waiting and not settle():  # nothing to read meanwhile
                return
        settle()
    finally:
        time.sleep(0.05)  # let the last acknowledgements leave
        session.stop()
        writer.close()
