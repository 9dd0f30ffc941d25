"""Readings as columns, and reading them back in bulk."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from store import overlay
from store.arrays import TIME, VALUE, parse
from store.database import Connection

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_DELTA = timedelta(days=366)  # so that what reaches into a span can be found
NO_UNTIL: int = np.iinfo(np.int64).min


class Rows(NamedTuple):
    """Readings as columns. `until` is :data:`NO_UNTIL` for registers and gauges."""

    channel: Int64
    at_us: Int64
    value: Float64
    until_us: Int64

    def take(self, which: NDArray[np.bool_] | Int64) -> "Rows":
        """Give the chosen rows."""
        return Rows(
            self.channel[which],
            self.at_us[which],
            self.value[which],
            self.until_us[which],
        )


def read_spans(
    conn: Connection,
    spans: list[tuple[int, datetime, datetime]],
    *,
    context: int,
    known_on: datetime | None = None,
    revised_by: datetime | None = None,
) -> Rows:
    """Read the readings of each (channel, start, stop) and some on either side.

    The newest revision of an instant stands for its reading.

    Parameters
    ----------
    context
        How many readings before `start` and from `stop` on come along.
    known_on
        Only readings that had arrived by then.
    revised_by
        Only revisions that were recorded by then.

    Returns
    -------
    Rows
        Ordered by channel and time; `until` equals `at` where there is none.
    """
    overlaid = overlay.revised(conn, [each[0] for each in spans], revised_by)
    query = sql.SQL(
        """
        COPY (
            SELECT w.channel_id, found.*
            FROM span w CROSS JOIN LATERAL (
                SELECT array_agg(r.at), array_agg(r.value),
                       array_agg(coalesce(r.until, r.at))
                FROM (({before}) UNION ALL ({inside}) UNION ALL ({after})) AS r
                HAVING count(*) > 0) AS found
        ) TO STDOUT (FORMAT BINARY)
        """
    ).format(
        before=overlay.effective(
            "r.at < w.start",
            "ORDER BY at DESC",
            most=context,
            overlaid=overlaid,
            known_on=known_on,
            revised_by=revised_by,
        ),
        inside=overlay.effective(
            "r.at >= w.start AND r.at < w.stop",
            overlaid=overlaid,
            known_on=known_on,
            revised_by=revised_by,
        ),
        after=overlay.effective(
            "r.at >= w.stop",
            "ORDER BY at",
            most=context,
            overlaid=overlaid,
            known_on=known_on,
            revised_by=revised_by,
        ),
    )
    rows = _copy_out(conn, query, spans)
    return rows.take(np.lexsort((rows.at_us, rows.channel)))


_NEAR_US = 15 * 60_000_000
_MOST_SPANS = 5_000


def rows_there(conn: Connection, rows: Rows) -> Rows | None:
    """Give the stored readings around some rows; None where that would be too many.

    Parameters
    ----------
    rows
        Ordered by channel and time. Where they are close, one look is for all.
    """
    fresh = np.ones(rows.at_us.size, np.bool_)
    fresh[1:] = (np.diff(rows.channel) != 0) | (np.diff(rows.at_us) > _NEAR_US)
    begin = np.flatnonzero(fresh)
    if begin.size > _MOST_SPANS:
        return None
    end = np.append(begin[1:], rows.at_us.size) - 1
    spans = [
        (channel, to_datetime(low), to_datetime(high + 1))
        for channel, low, high in zip(
            rows.channel[begin].tolist(),
            rows.at_us[begin].tolist(),
            rows.at_us[end].tolist(),
            strict=True,
        )
    ]
    most = 4 * rows.at_us.size + 1_000  # a denser history than the rows is of no use
    query = sql.SQL(
        """
        COPY (
            SELECT channel_id, array_agg(at), array_agg(value), array_agg(until) FROM (
                SELECT w.channel_id, r.at, r.value, coalesce(r.until, r.at) AS until
                FROM span w CROSS JOIN LATERAL (
                    SELECT r.at, r.value, r.until FROM core.reading r
                    WHERE r.channel_id = w.channel_id
                      AND r.at >= w.start AND r.at < w.stop
                ) AS r LIMIT {}) AS chosen
            GROUP BY channel_id
        ) TO STDOUT (FORMAT BINARY)
        """
    ).format(most)
    found = _copy_out(conn, query, spans)
    if found.at_us.size == most:
        return None
    until = np.where(found.until_us == found.at_us, NO_UNTIL, found.until_us)
    found = found._replace(until_us=until)
    return found.take(np.lexsort((found.at_us, found.channel)))


def _copy_out(
    conn: Connection,
    query: sql.Composed,
    spans: list[tuple[int, datetime, datetime]],
) -> Rows:
    with conn.transaction(), conn.cursor() as cur:
        _span_table(cur, spans)
        with cur.copy(query) as copy:
            raw = b"".join(bytes(block) for block in copy)
    channel, (at, value, until) = parse(raw, (TIME, VALUE, TIME))
    return Rows(channel, at, value, until)


def _span_table(
    cur: psycopg.Cursor[tuple[object, ...]],
    spans: list[tuple[int, datetime, datetime]],
) -> None:
    cur.execute(
        "CREATE TEMP TABLE IF NOT EXISTS span "
        "(channel_id integer, start timestamptz, stop timestamptz) ON COMMIT DROP"
    )
    cur.execute("TRUNCATE span")
    with cur.copy("COPY span (channel_id, start, stop) FROM STDIN") as copy:
        for each in spans:
            copy.write_row(each)


def to_datetime(us: int) -> datetime:
    """Turn microseconds since 1970 into an aware time, exactly."""
    return _UNIX + timedelta(microseconds=us)


def to_us(at: datetime) -> int:
    """Turn an aware time into microseconds since 1970, exactly."""
    return (at - _UNIX) // timedelta(microseconds=1)
