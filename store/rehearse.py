"""What became of rows that were written, and what would become of rows that are not."""

from typing import NamedTuple

import numpy as np

from store.database import Connection
from store.readings import NO_UNTIL, Float64, Int64, Rows

INSERTED, DUPLICATE, CONFLICT = range(3)


class Outcomes(NamedTuple):
    """Of each row: what became of it, and the value that is stored."""

    outcome: Int64
    stored: Float64


class _Found(NamedTuple):
    """Of each row: who holds its key (-1: nobody), with which value and end."""

    holder: Int64
    value: Float64
    until_us: Int64


def outcomes(conn: Connection, rows: Rows, batch_id: int) -> Outcomes:
    """Tell what became of the rows of a batch that was written just now."""
    found = _stored(conn, rows)
    mine = (found.holder == batch_id) & _first(rows)
    return _judged(rows, found, mine)


class Rehearsal:
    """Tells what would become of rows, batch after batch, and stores none.

    The new keys of a file are kept in a temporary table, so that memory does not grow
    with it.
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._count = 0
        conn.execute(
            "CREATE TEMP TABLE rehearsal (channel_id integer, at_us bigint, "
            "value float8, until_us bigint, ord bigint, PRIMARY KEY (channel_id, at_us))"
        )

    def close(self) -> None:
        """Forget the file."""
        self._conn.execute("DROP TABLE rehearsal")

    def outcomes(self, rows: Rows) -> Outcomes:
        """Tell what would become of the next rows; the first of a key is inserted."""
        found = _stored(self._conn, rows)
        order = self._count + np.arange(rows.channel.size)
        self._count += rows.channel.size
        new = found.holder < 0
        held = self._hold(rows.take(new), order[new])
        for mine, theirs in zip(found, held, strict=True):
            mine[new] = theirs
        first = np.zeros(rows.channel.size, np.bool_)
        first[new] = held.holder == order[new]
        return _judged(rows, found, first)

    def _hold(self, rows: Rows, order: Int64) -> _Found:
        """Keep the first of each key, and tell which one holds it."""
        with self._conn.transaction(), self._conn.cursor() as cur:
            cur.execute(
                """
                INSERT INTO rehearsal (channel_id, at_us, value, until_us, ord)
                SELECT * FROM unnest(%s::int[], %s::int8[], %s::float8[], %s::int8[],
                                     %s::int8[]) AS n (channel_id, at_us, value,
                                                       until_us, ord)
                ORDER BY ord ON CONFLICT DO NOTHING
                """,
                (
                    rows.channel.tolist(),
                    rows.at_us.tolist(),
                    rows.value.tolist(),
                    rows.until_us.tolist(),
                    order.tolist(),
                ),
            )
            return _columns(
                cur.execute(
                    """
                    SELECT h.ord, h.value, h.until_us
                    FROM unnest(%s::int[], %s::int8[]) WITH ORDINALITY
                        AS n (channel_id, at_us, i)
                    JOIN rehearsal h USING (channel_id, at_us) ORDER BY n.i
                    """,
                    (rows.channel.tolist(), rows.at_us.tolist()),
                ).fetchall()
            )


def _stored(conn: Connection, rows: Rows) -> _Found:
    """Look up who holds the key of each row."""
    if not rows.channel.size:
        return _columns([])
    found = conn.execute(
        """
        WITH asked AS MATERIALIZED (
            SELECT n.channel_id, n.i,
                   'epoch'::timestamptz + n.at_us * interval '1 microsecond' AS at
            FROM unnest(%(channel)s::int[], %(at)s::int8[]) WITH ORDINALITY
                AS n (channel_id, at_us, i))
        SELECT coalesce(r.batch_id, -1), coalesce(r.value, 0),
               coalesce((extract(epoch FROM r.until) * 1000000)::int8, %(none)s)
        FROM asked a LEFT JOIN core.reading r
            ON r.channel_id = a.channel_id AND r.at = a.at
            AND r.at >= 'epoch'::timestamptz + %(low)s * interval '1 microsecond'
            AND r.at <= 'epoch'::timestamptz + %(high)s * interval '1 microsecond'
        ORDER BY a.i
        """,
        {
            "channel": rows.channel.tolist(),
            "at": rows.at_us.tolist(),
            "none": NO_UNTIL,
            # so that the server looks into the right months only
            "low": int(rows.at_us.min()),
            "high": int(rows.at_us.max()),
        },
    ).fetchall()
    return _columns(found)


def _columns(found: list[tuple[object, ...]]) -> _Found:
    holder, value, until = zip(*found, strict=True) if found else ((), (), ())
    return _Found(
        np.array(holder, np.int64),
        np.array(value, np.float64),
        np.array(until, np.int64),
    )


def _first(rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which rows are the first of their key."""
    order = np.lexsort((rows.at_us, rows.channel))  # stable
    again = np.zeros(order.size, np.bool_)
    again[1:] = (np.diff(rows.channel[order]) == 0) & (np.diff(rows.at_us[order]) == 0)
    first = np.empty(order.size, np.bool_)
    first[order] = ~again
    return first


def _judged(
    rows: Rows, found: _Found, inserted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Outcomes:
    same = (rows.value == found.value) & (rows.until_us == found.until_us)
    outcome = np.where(inserted, INSERTED, np.where(same, DUPLICATE, CONFLICT))
    return Outcomes(outcome.astype(np.int64), found.value)
