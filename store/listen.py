"""Waiting for the database's NOTIFY."""

import threading

from psycopg import sql

from store.database import Connection


class Listener:
    """Listens on one channel of an autocommit connection."""

    def __init__(self, conn: Connection, channel: str) -> None:
        conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._conn = conn

    def wait(self, seconds: float, stop: threading.Event) -> list[str]:
        """Wait for calls, at most so long; give what they said, without repetition."""
        heard: dict[str, None] = {}
        left = seconds
        while left > 0 and not heard and not stop.is_set():
            step = min(left, 0.5)
            for call in self._conn.notifies(timeout=step, stop_after=1):
                heard[call.payload] = None
            left -= step
        for call in self._conn.notifies(timeout=0):
            heard[call.payload] = None
        return list(heard)
