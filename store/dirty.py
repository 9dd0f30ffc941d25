"""What the job must recompute: claimed by park, taken, widened, put back."""

from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import sql

from store import overlay
from store.database import Connection
from store.readings import LONGEST_DELTA


class Span(NamedTuple):
    """A range of one channel; `settled` if it is already as wide as it must be."""

    channel_id: int
    start: datetime
    stop: datetime
    settled: bool


def claim_park(conn: Connection) -> int | None:
    """Lock one park that has something to recompute, to the transaction's end.

    The lock comes before the reading, so a process sees all that the one before it
    has written.
    """
    row = conn.execute(
        """
        SELECT park_id FROM (SELECT DISTINCT park_id FROM core.dirty) AS waiting
        WHERE pg_try_advisory_xact_lock(7261, park_id) LIMIT 1
        """
    ).fetchone()
    return None if row is None else int(str(row[0]))


def take(conn: Connection, park_id: int) -> list[Span]:
    """Take all marks of a park, neighbouring and overlapping ones made one."""
    rows = conn.execute(
        "DELETE FROM core.dirty WHERE park_id = %s "
        "RETURNING channel_id, start, stop, settled",
        (park_id,),
    ).fetchall()
    spans = sorted(Span(*row) for row in rows)  # type: ignore[arg-type]
    merged: list[Span] = []
    for span in sorted(
        spans, key=lambda each: (each.channel_id, each.settled, each.start)
    ):
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.channel_id == span.channel_id
            and last.settled == span.settled
            and span.start <= last.stop
        ):
            merged[-1] = last._replace(stop=max(last.stop, span.stop))
        else:
            merged.append(span)
    return merged


def widen(conn: Connection, spans: list[Span], context: int) -> list[Span]:
    """Stretch spans of registers to the readings that a change in them can reach.

    A reading can change the intervals of its neighbours and whether these are good, so
    a span grows to the `context`-th reading before and after it, though not across a
    silence longer than any interval.
    """
    overlaid = overlay.revised(conn, [each.channel_id for each in spans])
    query = sql.SQL(
        """
        SELECT w.channel_id,
               least(w.start, (
                   SELECT min(at) FROM (
                       SELECT at, bool_and(later - at <= w.longest)
                                  OVER (ORDER BY at DESC) AS near
                       FROM (SELECT at, lag(at, 1, w.start)
                                        OVER (ORDER BY at DESC) AS later
                             FROM ({before}) AS r) AS before) AS linked
                   WHERE near)),
               greatest(w.stop, (
                   SELECT max(at) + interval '1 microsecond' FROM (
                       SELECT at, bool_and(at - earlier <= w.longest)
                                  OVER (ORDER BY at) AS near
                       FROM (SELECT at, lag(at, 1, w.stop)
                                        OVER (ORDER BY at) AS earlier
                             FROM ({after}) AS r) AS after) AS linked
                   WHERE near))
        FROM (SELECT channel_id, start, stop,
                     make_interval(secs => %(longest)s) AS longest
              FROM unnest(%(channel)s::int[], %(start)s::timestamptz[],
                          %(stop)s::timestamptz[]) AS w (channel_id, start, stop)) AS w
        """
    ).format(
        before=overlay.effective(
            "r.at < w.start", "ORDER BY at DESC", most=context, overlaid=overlaid
        ),
        after=overlay.effective(
            "r.at >= w.stop", "ORDER BY at", most=context, overlaid=overlaid
        ),
    )
    rows = conn.execute(
        query,
        {
            "longest": LONGEST_DELTA.total_seconds(),
            "channel": [each.channel_id for each in spans],
            "start": [each.start for each in spans],
            "stop": [each.stop for each in spans],
        },
    ).fetchall()
    return [Span(*row, settled=True) for row in rows]  # type: ignore[arg-type, misc]


def extents(conn: Connection, spans: list[Span]) -> list[Span]:
    """Cut spans down to the readings and revisions there are; others fall away."""
    if not spans:
        return []
    rows = conn.execute(
        """
        SELECT w.channel_id, greatest(w.start, first.at),
               least(w.stop, last.at + interval '1 microsecond')
        FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[])
             AS w (channel_id, start, stop)
        CROSS JOIN LATERAL (SELECT least(
            (SELECT at FROM core.reading r WHERE r.channel_id = w.channel_id
             ORDER BY at LIMIT 1),
            (SELECT min(at) FROM core.revision v
             WHERE v.channel_id = w.channel_id)) AS at) AS first
        CROSS JOIN LATERAL (SELECT greatest(
            (SELECT coalesce(until, at) FROM core.reading r
             WHERE r.channel_id = w.channel_id ORDER BY r.at DESC LIMIT 1),
            (SELECT max(coalesce(until, at)) FROM core.revision v
             WHERE v.channel_id = w.channel_id)) AS at) AS last
        WHERE first.at IS NOT NULL
        """,
        (
            [each.channel_id for each in spans],
            [each.start for each in spans],
            [each.stop for each in spans],
        ),
    ).fetchall()
    found = [Span(*row, settled=False) for row in rows]  # type: ignore[arg-type, misc]
    return [each for each in found if each.start < each.stop]


def stretch(conn: Connection, spans: list[Span]) -> list[Span]:
    """Stretch spans of interval amounts to the ends of those that reach across them.

    Amounts that a revision replaced count too: an earlier answer may rest on them.
    """
    rows = conn.execute(
        """
        SELECT w.channel_id,
               least(w.start, (
                   SELECT min(at) FROM core.reading r
                   WHERE r.channel_id = w.channel_id AND r.at < w.start
                     AND r.at >= w.start - make_interval(secs => %(longest)s)
                     AND r.until > w.start), (
                   SELECT min(at) FROM core.revision v
                   WHERE v.channel_id = w.channel_id AND v.at < w.start
                     AND v.at >= w.start - make_interval(secs => %(longest)s)
                     AND v.until > w.start)),
               greatest(w.stop, (
                   SELECT max(until) FROM core.reading r
                   WHERE r.channel_id = w.channel_id
                     AND r.at >= w.start - make_interval(secs => %(longest)s)
                     AND r.at < w.stop AND r.until > w.start), (
                   SELECT max(until) FROM core.revision v
                   WHERE v.channel_id = w.channel_id
                     AND v.at >= w.start - make_interval(secs => %(longest)s)
                     AND v.at < w.stop AND v.until > w.start))
        FROM unnest(%(channel)s::int[], %(start)s::timestamptz[],
                    %(stop)s::timestamptz[]) AS w (channel_id, start, stop)
        """,
        {
            "longest": LONGEST_DELTA.total_seconds(),
            "channel": [each.channel_id for each in spans],
            "start": [each.start for each in spans],
            "stop": [each.stop for each in spans],
        },
    ).fetchall()
    return [Span(*row, settled=True) for row in rows]  # type: ignore[arg-type, misc]


def estimated(conn: Connection, spans: list[Span]) -> list[Span]:
    """List the stretches of stored usage within spans whose shape is estimated.

    Whole quarter hours count, and what touches is one stretch.
    """
    if not spans:
        return []
    rows = conn.execute(
        """
        SELECT channel_id, min(start), max(start) + interval '15 minutes' FROM (
            SELECT channel_id, start,
                   start - row_number() OVER (PARTITION BY channel_id ORDER BY start)
                           * interval '15 minutes' AS stretch
            FROM (SELECT DISTINCT u.channel_id, u.start
                  FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[])
                       AS w (channel_id, start, stop)
                  CROSS JOIN LATERAL (
                      SELECT u.channel_id, u.start FROM core.usage_15min u
                      WHERE u.channel_id = w.channel_id AND u.start >= w.start
                        AND u.start < w.stop AND u.estimated_s > 899
                        -- else the planner reads all there is, for want of bounds
                        AND u.start >= %s AND u.start < %s) AS u
                 ) AS quarters) AS numbered
        GROUP BY channel_id, stretch
        """,
        (
            [each.channel_id for each in spans],
            [each.start for each in spans],
            [each.stop for each in spans],
            min(each.start for each in spans),
            max(each.stop for each in spans),
        ),
    ).fetchall()
    return [Span(*row, settled=True) for row in rows]  # type: ignore[arg-type, misc]


def zeros_beside(
    conn: Connection, spans: list[Span], within: list[timedelta]
) -> dict[int, int]:
    """Count the quarter hours within a time before and behind spans that used nothing.

    A side counts where the quarter hour next to the span is one of them: else no rest
    reaches across the edge for as long as that.

    Returns
    -------
    dict
        By usage id; none where none counts.
    """
    rows = conn.execute(
        """
        SELECT w.channel_id, sum((
                   SELECT count(*) FROM core.usage_15min u
                   WHERE u.channel_id = w.channel_id AND u.start >= side.low
                     AND u.start < side.high AND u.amount = 0))
        FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[], %s::interval[])
             AS w (channel_id, start, stop, within)
        CROSS JOIN LATERAL (VALUES
            (w.start - interval '15 minutes', w.start - w.within, w.start),
            (w.stop, w.stop, w.stop + w.within)) AS side (next, low, high)
        WHERE (SELECT u.amount FROM core.usage_15min u
               WHERE u.channel_id = w.channel_id AND u.start = side.next) = 0
        GROUP BY w.channel_id
        """,
        (
            [each.channel_id for each in spans],
            [each.start for each in spans],
            [each.stop for each in spans],
            within,
        ),
    ).fetchall()
    return {int(str(channel)): int(str(count)) for channel, count in rows}


def put_back(conn: Connection, park_id: int, spans: list[Span]) -> None:
    """Leave spans for a later run."""
    if not spans:
        return
    conn.execute(
        "INSERT INTO core.dirty (park_id, channel_id, start, stop, settled) "
        "SELECT %s, * FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[], "
        "%s::boolean[])",
        (
            park_id,
            [each.channel_id for each in spans],
            [each.start for each in spans],
            [each.stop for each in spans],
            [each.settled for each in spans],
        ),
    )


def waiting_for(conn: Connection, park_id: int) -> bool:
    """Tell whether a park has something to recompute."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM core.dirty WHERE park_id = %s)", (park_id,)
    ).fetchone()
    assert row is not None
    return bool(row[0])


def waiting(conn: Connection) -> int:
    """Count the marks that wait."""
    row = conn.execute("SELECT count(*) FROM core.dirty").fetchone()
    assert row is not None
    return int(str(row[0]))
