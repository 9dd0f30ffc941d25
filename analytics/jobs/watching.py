"""Finding restatements of closed periods by itself, where something may have moved them."""

import time
from datetime import date, timedelta

from analytics.jobs import closing
from analytics.jobs.recompute import Done
from store import closings, registry
from store.database import Connection

EVERY_S = 3600.0  # all closings, whether anything is known to have moved them or not


class Watcher:
    """Remembers what may have moved closed periods since it looked last."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[int, ...]] = {}
        self._moved: dict[int, tuple[date, date]] = {}  # by park, days recomputed
        self._whole_s = -EVERY_S  # when all were looked at

    def note(self, done: Done) -> None:
        """Take down what the job has recomputed."""
        if done.start is None or done.stop is None:
            return
        day = timedelta(days=1)  # of any zone
        low, high = done.start.date() - day, done.stop.date() + 2 * day
        known = self._moved.get(done.park_id, (low, high))
        self._moved[done.park_id] = (min(known[0], low), max(known[1], high))

    def look(self, conn: Connection) -> int:
        """Record what is another figure in closings that may be touched; count it."""
        rows = closings.newest_rows(conn)
        whole = time.monotonic() - self._whole_s >= EVERY_S
        found = 0
        for park in registry.parks(conn) if rows else ():
            if park.park_id not in rows:
                continue
            if whole or rows[park.park_id] != self._rows.get(park.park_id):
                found += len(closing.check(conn, park))
            elif park.park_id in self._moved:
                found += len(closing.check(conn, park, *self._moved[park.park_id]))
        self._rows, self._moved = rows, {}
        if whole:
            self._whole_s = time.monotonic()
        return found
