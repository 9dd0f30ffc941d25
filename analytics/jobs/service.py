"""The analysis process: recompute what is dirty, as soon as it is announced.

Between two recomputations it tells what the running window will come to, and what of
closed periods has become another figure. Beside them, in a thread and on a connection of
its own, it keeps the accounts that Grafana reads.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from analytics.jobs.forecasting import Forecaster
from analytics.jobs.keeping import keep_park
from analytics.jobs.recompute import Done, run_once
from analytics.jobs.watching import Watcher
from store import registry
from store.database import connect, translated
from store.errors import DatabaseUnreachable
from store.listen import Listener

log = logging.getLogger(__name__)

IDLE_S = 5.0  # look without having been called, should a call be lost
PAUSE_S = 60.0  # between two times that a park's accounts are kept, at the least
REST = 20  # times as long as keeping them took is rested, at the least


def run(
    url: str,
    stop: threading.Event,
    progress: Callable[[Done], None] | None = None,
    *,
    once: bool = False,
    minimum_coverage: float = 0.95,
) -> None:
    """Recompute until `stop` is set, or until nothing is left if `once`.

    A database that goes away is waited for. Accounts are kept at most once a minute for
    each park, and a twentieth of the time; if `once`, when nothing is left.

    Parameters
    ----------
    minimum_coverage
        From which accounts that are kept count as publishable.

    Raises
    ------
    DatabaseUnreachable
        Only if `once`.
    """
    keeper = None
    if not once:
        keeper = threading.Thread(
            target=keep_books, args=(url, stop, minimum_coverage), name="keeper"
        )
        keeper.start()
    try:
        _patiently(lambda: _work(url, stop, progress, once), stop, once)
        if once and not stop.is_set():
            keep_all(url, minimum_coverage)
    finally:
        if keeper is not None:
            stop.set()
            keeper.join()


def _patiently(work: Callable[[], None], stop: threading.Event, once: bool) -> None:
    wait_s = 0.25
    while not stop.is_set():
        try:
            work()
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


def keep_all(url: str, minimum_coverage: float) -> None:
    """Keep the accounts of all parks, now."""
    with translated(), connect(url, autocommit=True, name="parkwatt-keep") as conn:
        for park in registry.parks(conn):
            keep_park(conn, park, minimum_coverage=minimum_coverage)


def keep_books(
    url: str,
    stop: threading.Event,
    minimum_coverage: float = 0.95,
    pause_s: float = PAUSE_S,
) -> None:
    """Keep the accounts of all parks until `stop` is set."""
    due: dict[int, float] = {}

    def look() -> None:
        with translated(), connect(url, autocommit=True, name="parkwatt-keep") as conn:
            while not stop.wait(min(IDLE_S, pause_s)):
                for park in registry.parks(conn):
                    begun = time.monotonic()
                    if stop.is_set() or begun < due.get(park.park_id, begun):
                        continue
                    if keep_park(conn, park, minimum_coverage=minimum_coverage):
                        took = time.monotonic() - begun
                        rest = max(pause_s, REST * took)
                        due[park.park_id] = time.monotonic() + rest

    while not stop.is_set():
        try:
            _patiently(look, stop, once=False)
        except Exception:  # what it keeps can be made anew; the rest must go on
            log.exception("the accounts could not be kept")
            stop.wait(PAUSE_S)
