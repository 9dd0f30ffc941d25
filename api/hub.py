"""The live stream: the database's calls in, one computed object per park and tick out."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from store.database import connect, translated
from store.errors import ParkwattError
from store.listen import Listener

log = logging.getLogger(__name__)

TICK_S = 1.0  # at most one event per park and second
QUIET_S = 15.0  # without a call the object is made anew after this, for its ages
RETRY_S = 1.0


@dataclass(kw_only=True)
class _Feed:
    """One park that somebody watches."""

    listeners: int = 0
    number: int = 0  # of the newest event; rises, also over restarts
    text: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None


class Hub:
    """Shares each park's live object among all who watch it; made in the event loop."""

    def __init__(self, url: str, compute: Callable[[int], str]) -> None:
        self._url = url
        self._compute = compute
        self._feeds: dict[int, _Feed] = {}
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._listen, name="parkwatt-listen", daemon=True
        )

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    async def close(self) -> None:
        """End all streams and the listening."""
        self._stop.set()
        for feed in list(self._feeds.values()):
            async with feed.news:
                feed.news.notify_all()
        await run_in_threadpool(self._thread.join, 1.0)

    async def events(self, park_id: int) -> AsyncIterator[tuple[int, str]]:
        """Give a park's object now and after each change, until closed."""
        feed = self._feeds.setdefault(park_id, _Feed())
        feed.listeners += 1
        if feed.task is None:
            feed.task = asyncio.create_task(self._run(park_id, feed))
        seen = 0
        try:
            while not self._stop.is_set():
                if feed.number > seen:
                    seen = feed.number
                    yield seen, feed.text
                    continue
                async with feed.news:
                    if feed.number == seen and not self._stop.is_set():
                        await feed.news.wait()
        finally:
            feed.listeners -= 1
            if not feed.listeners:
                self._feeds.pop(park_id, None)
                feed.task.cancel()

    async def _run(self, park_id: int, feed: _Feed) -> None:
        while not self._stop.is_set():
            begun = time.monotonic()
            feed.changed.clear()
            try:
                text = await run_in_threadpool(self._compute, park_id)
            except Exception as error:  # the next call may go better
                known = isinstance(error, ParkwattError)
                log.warning("live stream: %s", error, exc_info=not known)
            else:
                async with feed.news:
                    feed.number = max(feed.number + 1, time.time_ns() // 1_000_000)
                    feed.text = text
                    feed.news.notify_all()
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - begun)))
            with suppress(TimeoutError):
                await asyncio.wait_for(feed.changed.wait(), QUIET_S)

    def _heard(self, park_ids: set[int] | None) -> None:
        for park_id, feed in self._feeds.items():
            if park_ids is None or park_id in park_ids:
                feed.changed.set()

    def _tell(self, park_ids: set[int] | None) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._heard, park_ids)

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen_once()
            except (
                Exception
            ) as error:  # without this thread pages only look now and then
                known = isinstance(error, ParkwattError)
                log.warning("not listening: %s", error, exc_info=not known)
                self._stop.wait(RETRY_S)

    def _listen_once(self) -> None:
        name = "parkwatt-listen"
        with translated(), connect(self._url, autocommit=True, name=name) as conn:
            Listener(conn, "parkwatt_readings")
            # a connection's calls all come to each of its listeners
            listener = Listener(conn, "parkwatt_figures")
            self._tell(None)  # what was called while nobody listened
            while not self._stop.is_set():
                calls = listener.wait(5.0, self._stop)
                if calls:
                    self._tell(
                        {
                            int(each)
                            for call in calls
                            for each in call.split(",")
                            if each.isdecimal()  # anyone may call
                        }
                    )
