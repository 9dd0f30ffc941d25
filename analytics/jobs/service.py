"""The analysis process: recompute what is dirty, as soon as it is announced.

Between two recomputations it tells what the running window will come to, and what of
closed periods has become another figure.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from analytics.jobs.forecasting import Forecaster
from analytics.jobs.recompute import Done, run_once
from analytics.jobs.watching import Watcher
from store.database import connect, translated
from store.errors import DatabaseUnreachable
from store.listen import Listener

log = logging.getLogger(__name__)

IDLE_S = 5.0  # look without having been called, should a call be lost


def run(
    url: str,
    stop: threading.Event,
    progress: Callable[[Done], None] | None = None,
    *,
    once: bool = False,
) -> None:
    """Recompute until `stop` is set, or until nothing is left if `once`.

    A database that goes away is waited for.

    Raises
    ------
    DatabaseUnreachable
        Only if `once`.
    """
    wait_s = 0.25
    while not stop.is_set():
        try:
            _work(url, stop, progress, once)
            return
        except DatabaseUnreachable as error:
            if once:
                raise
            log.error("%s; trying again", error)
            stop.wait(wait_s)
            wait_s = min(2 * wait_s, 5.0)


def _work(
    url: str,
    stop: threading.Event,
    progress: Callable[[Done], None] | None,
    once: bool,
) -> None:
    with translated(), connect(url, autocommit=True, name="parkwatt-analyse") as conn:
        listener = Listener(conn, "parkwatt_dirty")
        forecaster = Forecaster()
        watcher = Watcher()
        while not stop.is_set():
            done = run_once(conn)
            if not once:
                forecaster.tell(conn, datetime.now(UTC))
            if done is None:
                found = watcher.look(conn, None if once else 1)
                if found:
                    log.info("restatements found: %d", found)
            if done is not None:
                watcher.note(done)
                if progress is not None:
                    progress(done)
            elif once:
                return
            else:
                listener.wait(IDLE_S, stop)
