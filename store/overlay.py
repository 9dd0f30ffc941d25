"""Readings as they count: the raw ones with their newest revisions laid over them."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from store.database import Connection


def revised(
    conn: Connection, channel_ids: Sequence[int], known_on: datetime | None = None
) -> bool:
    """Tell whether any of the channels has a revision, so that others cost nothing."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM core.revision WHERE channel_id = ANY(%s) "
        "AND recorded_at <= coalesce(%s::timestamptz, 'infinity'))",
        (sorted(set(channel_ids)), known_on),
    ).fetchone()
    assert row is not None
    return bool(row[0])


def effective(
    where: LiteralString,
    ends: LiteralString = "",
    *,
    overlaid: bool,
    known_on: datetime | None = None,
    revised_by: datetime | None = None,
    most: int | None = None,
) -> sql.Composed:
    """Give the query of at, value and until of the readings of channel `w.channel_id`.

    Parameters
    ----------
    where
        Which ones, in terms of `r.at` and of the span `w`.
    ends
        `ORDER BY at` or `ORDER BY at DESC`, with `most`.
    overlaid
        Whether there are revisions to look at.
    known_on
        Only readings that had arrived by then.
    revised_by
        Only revisions that were recorded by then.
    """
    limit = sql.SQL(ends) + (
        sql.SQL("") if most is None else sql.SQL(" LIMIT {}").format(most)
    )
    arrived = recorded = sql.SQL("").format()
    if known_on is not None:
        arrived = sql.SQL(
            "AND r.batch_id IN "
            "(SELECT batch_id FROM core.batch WHERE received_at <= {})"
        ).format(known_on)
    if revised_by is not None:
        recorded = sql.SQL("AND v.recorded_at <= {}").format(revised_by)
    raw = sql.SQL(
        "SELECT r.at, r.value, r.until FROM core.reading r "
        "WHERE r.channel_id = w.channel_id AND {} {} "
    ).format(sql.SQL(where), arrived)
    if not overlaid:
        return raw + limit
    return sql.SQL(
        """
        ({raw} AND NOT EXISTS (
             SELECT FROM core.revision v
             WHERE v.channel_id = r.channel_id AND v.at = r.at {recorded}) {limit})
        UNION ALL
        (SELECT r.at, r.value, r.until
         FROM (SELECT DISTINCT ON (v.at) v.at, v.value_after AS value, v.until
               FROM core.revision v
               WHERE v.channel_id = w.channel_id {recorded}
               ORDER BY v.at, v.recorded_at DESC, v.revision_id DESC) AS r
         WHERE r.value IS NOT NULL AND {where} {limit})
        {limit}
        """
    ).format(raw=raw, recorded=recorded, limit=limit, where=sql.SQL(where))
