"""When a meter counts for another enterprise than the one that it is registered for."""

from datetime import datetime
from typing import LiteralString

from psycopg.rows import tuple_row

from store.database import Connection

Span = tuple[datetime | None, datetime | None]  # from, to; None: open


_OWN: LiteralString = """m.enterprise_id = ALL (
    SELECT coalesce((
        SELECT a.enterprise_id FROM core.assignment a
        WHERE a.meter_id = m.meter_id AND a.valid_from <= near.at
          AND coalesce(a.valid_to, 'infinity') > near.at
        ORDER BY a.recorded_at DESC, a.assignment_id DESC LIMIT 1), m.enterprise_id)
    FROM (VALUES (INSTANT), (INSTANT - interval '1 microsecond')
          UNION ALL
          SELECT edge.at FROM core.assignment o
          CROSS JOIN LATERAL (VALUES (o.valid_from), (o.valid_to)) AS edge (at)
          WHERE o.meter_id = m.meter_id AND edge.at > INSTANT AND edge.at < UNTIL
         ) AS near (at))"""


def own_at(at: LiteralString, until: LiteralString = "NULL") -> LiteralString:
    """Give the condition that meter `m` counts for no other at `at` and just before.

    What stands at the instant at which it goes on may tell of either owner. An amount of
    [at, until) is its own if it counts for no other up to `until`.
    """
    return _OWN.replace("INSTANT", at).replace("UNTIL", until)


def own_spans(conn: Connection, meter_id: int) -> list[Span]:
    """Give the time in which a meter counts for no other enterprise, in order."""
    cur = conn.cursor(row_factory=tuple_row)
    rows = cur.execute(
        """
        WITH edge AS (
            SELECT '-infinity'::timestamptz AS at
            UNION SELECT valid_from FROM core.assignment WHERE meter_id = %(meter)s
            UNION SELECT valid_to FROM core.assignment
            WHERE meter_id = %(meter)s AND valid_to IS NOT NULL),
        step AS (
            SELECT at, lead(at, 1, 'infinity') OVER (ORDER BY at) AS next,
                   (SELECT a.enterprise_id FROM core.assignment a
                    WHERE a.meter_id = %(meter)s AND a.valid_from <= edge.at
                      AND coalesce(a.valid_to, 'infinity') > edge.at
                    ORDER BY a.recorded_at DESC, a.assignment_id DESC LIMIT 1) AS owner
            FROM edge)
        SELECT nullif(lower(each), '-infinity'), nullif(upper(each), 'infinity')
        FROM (SELECT unnest(range_agg(tstzrange(at, next))) AS each
              FROM step JOIN core.meter m ON m.meter_id = %(meter)s
              WHERE coalesce(owner, m.enterprise_id) = m.enterprise_id) AS own
        ORDER BY 1 NULLS FIRST
        """,
        {"meter": meter_id},
    ).fetchall()
    return [(low, high) for low, high in rows]
