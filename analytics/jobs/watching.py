"""Finding restatements of closed periods by itself, where something may have moved them."""

import time
from datetime import date, timedelta

from analytics.jobs import restatement
from analytics.jobs.recompute import Done
from store import closings, registry
from store.database import Connection

EVERY_S = 3600.0  # all closings, whether anything is known to have moved them or not


class Watcher:
    """Remembers which closings may have moved, and compares them one after the other."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[int, ...]] = {}
        self._moved: dict[int, tuple[date, date]] = {}  # by park, days recomputed
        self._whole_s = -EVERY_S  # when all were put in line
        self._line: dict[int, int] = {}  # closing → park

    def note(self, done: Done) -> None:
        """Take down what the job has recomputed."""
        if done.start is None or done.stop is None:
            return
        day = timedelta(days=1)  # of any zone
        low, high = done.start.date() - day, done.stop.date() + 2 * day
        known = self._moved.get(done.park_id, (low, high))
        self._moved[done.park_id] = (min(known[0], low), max(known[1], high))

    def look(self, conn: Connection, most: int | None = None) -> int:
        """Compare closings that may have moved, at most some; count what is restated."""
        self._line_up(conn)
        parks = {each.park_id: each for each in registry.parks(conn)}
        found = 0
        for closing_id in list(self._line)[:most]:
            park = parks[self._line.pop(closing_id)]
            found += len(restatement.check(conn, park, only=closing_id))
        return found

    def _line_up(self, conn: Connection) -> None:
        rows = closings.newest_rows(conn)
        whole = time.monotonic() - self._whole_s >= EVERY_S
        for park_id, newest in rows.items():
            days: tuple[date | None, date | None] | None = self._moved.get(park_id)
            if whole or newest != self._rows.get(park_id):
                days = None, None
            if days is not None:
                for closing_id in closings.numbers(conn, park_id, *days):
                    self._line[closing_id] = park_id
        self._rows, self._moved = rows, {}
        if whole:
            self._whole_s = time.monotonic()
