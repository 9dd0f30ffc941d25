"""Where registers show the same for long, and then rise by more than they can at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from store import overlay
from store.database import Connection
from store.dirty import Span


class Edge(NamedTuple):
    """An instant of a register, and the most that it counts in an hour."""

    channel_id: int
    at: datetime
    most_per_h: float


def across(
    conn: Connection,
    edges: Sequence[Edge],
    within: timedelta,
    *,
    known_on: datetime | None = None,
    revised_by: datetime | None = None,
) -> list[Span]:
    """List the rows of equal readings across some instants that may end in a catch-up.

    Each from the last other reading before it to the one behind it that rises too much,
    and no longer than `within`. The kernel decides; here none is missed.
    """
    if not edges:
        return []
    overlaid = overlay.revised(conn, [each.channel_id for each in edges], revised_by)

    def reading(where: LiteralString, ends: LiteralString) -> sql.Composed:
        return overlay.effective(
            where,
            ends,
            overlaid=overlaid,
            known_on=known_on,
            revised_by=revised_by,
            most=1,
        )

    query = sql.SQL(
        """
        SELECT w.channel_id,
               coalesce(before.at, higher.at - %(within)s::interval) AS start,
               higher.at + interval '1 microsecond' AS stop, true AS settled
        FROM unnest(%(channel)s::int[], %(at)s::timestamptz[], %(most)s::float8[])
             AS w (channel_id, at, most_per_h)
        CROSS JOIN LATERAL ({shown}) AS shown
        CROSS JOIN LATERAL ({higher}) AS higher
        CROSS JOIN LATERAL ({last}) AS last
        LEFT JOIN LATERAL ({before}) AS before ON true
        WHERE shown.value <> 0
          -- a little less than the kernel's, for rounding
          AND higher.value - shown.value
              > 0.999999 * w.most_per_h * extract(epoch FROM higher.at - last.at) / 3600
        """
    ).format(
        shown=reading("r.at < w.at", "ORDER BY at DESC"),
        higher=reading(
            "r.at >= w.at AND r.at <= shown.at + %(within)s::interval "
            "AND r.value <> shown.value",
            "ORDER BY at",
        ),
        last=reading("r.at < higher.at", "ORDER BY at DESC"),
        before=reading(
            "r.at < shown.at AND r.at >= higher.at - %(within)s::interval "
            "AND r.value <> shown.value",
            "ORDER BY at DESC",
        ),
    )
    with conn.cursor(row_factory=class_row(Span)) as cur:
        return cur.execute(
            query,
            {
                "channel": [each.channel_id for each in edges],
                "at": [each.at for each in edges],
                "most": [each.most_per_h for each in edges],
                "within": within,
            },
        ).fetchall()


def told(
    conn: Connection,
    spans: Sequence[Span],
    usage_ids: Sequence[int],
    kind: str,
    within: timedelta,
) -> list[Span]:
    """List the stretches that end with an event of a kind in spans of registers, or soon.

    Each as far back as the stored quarter hours are estimated, at most `within`.

    Parameters
    ----------
    usage_ids
        The usage that each register gives.
    within
        How long a stretch can be, and how far behind its span an event is looked for.
    """
    with conn.cursor(row_factory=class_row(Span)) as cur:
        return cur.execute(
            """
            SELECT s.channel_id,
                   coalesce((
                       SELECT max(u.start) FROM core.usage_15min u
                       WHERE u.channel_id = s.usage_id AND u.start >= e.at - s.within
                         AND u.start < e.at - interval '15 minutes' AND u.estimated_s = 0),
                       e.at - s.within) AS start,
                   e.at + interval '1 microsecond' AS stop, true AS settled
            FROM (SELECT *, %s::interval AS within
                  FROM unnest(%s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[])
                       AS s (channel_id, usage_id, start, stop)) AS s
            JOIN core.register_event e ON e.channel_id = s.channel_id
                AND e.at >= s.start AND e.at < s.stop + s.within AND e.kind = %s
            """,
            (
                within,
                [each.channel_id for each in spans],
                list(usage_ids),
                [each.start for each in spans],
                [each.stop for each in spans],
                kind,
            ),
        ).fetchall()
