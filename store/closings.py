"""Closed periods and what became of their figures: rows are never changed."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Closing:
    """The published figures of a park's period."""

    closing_id: int
    park_id: int
    period_from: date
    period_to: date
    content: str  # canonical JSON
    sha256: str
    previous: str | None
    closed_at: datetime
    who: str


@dataclass(frozen=True, kw_only=True)
class Restatement:
    """What of a closing is another figure, since the restatement before it."""

    restatement_id: int
    closing_id: int
    content: str
    sha256: str
    previous: str
    found_at: datetime


def hold(conn: Connection, park_id: int) -> None:
    """Let one at a time close periods of a park or look for restatements."""
    conn.execute("SELECT pg_advisory_xact_lock(7263, %s)", (park_id,))


def record_closing(
    conn: Connection,
    park_id: int,
    days: tuple[date, date],
    *,
    content: str,
    sha256: str,
    previous: str | None,
    closed_at: datetime,
    who: str,
) -> int:
    """Record a closing and give its id."""
    row = conn.execute(
        "INSERT INTO core.closing (park_id, period_from, period_to, content, sha256, "
        "previous, closed_at, who) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) "
        "RETURNING closing_id",
        (park_id, *days, content, sha256, previous, closed_at, who),
    ).fetchone()
    assert row is not None
    return int(str(row[0]))


def record_restatement(
    conn: Connection,
    closing_id: int,
    *,
    content: str,
    sha256: str,
    previous: str,
    found_at: datetime,
) -> int:
    """Record a restatement and give its id."""
    row = conn.execute(
        "INSERT INTO core.restatement (closing_id, content, sha256, previous, found_at) "
        "VALUES (%s, %s, %s, %s, %s) RETURNING restatement_id",
        (closing_id, content, sha256, previous, found_at),
    ).fetchone()
    assert row is not None
    return int(str(row[0]))


def closings(
    conn: Connection,
    park_id: int,
    start: date | None = None,
    stop: date | None = None,
) -> list[Closing]:
    """List the closings of a park that overlap days [start, stop), as they were made."""
    with conn.cursor(row_factory=class_row(Closing)) as cur:
        return cur.execute(
            """
            SELECT closing_id, park_id, period_from, period_to, content, sha256, previous,
                   closed_at, who
            FROM core.closing WHERE park_id = %s
              AND period_to > coalesce(%s::date, '-infinity')
              AND period_from < coalesce(%s::date, 'infinity')
            ORDER BY closing_id
            """,
            (park_id, start, stop),
        ).fetchall()


def numbers(
    conn: Connection, park_id: int, start: date | None, stop: date | None
) -> list[int]:
    """List the closings of a park that overlap days [start, stop) by their ids."""
    rows = conn.execute(
        "SELECT closing_id FROM core.closing WHERE park_id = %s "
        "AND period_to > coalesce(%s::date, '-infinity') "
        "AND period_from < coalesce(%s::date, 'infinity') ORDER BY 1",
        (park_id, start, stop),
    ).fetchall()
    return [int(str(row[0])) for row in rows]


def closing_at(
    conn: Connection, park_id: int, first: date, last: date
) -> tuple[int, str, datetime] | None:
    """Give number, hash and time of the closing of exactly the days [first, last)."""
    row = conn.execute(
        "SELECT closing_id, sha256, closed_at FROM core.closing "
        "WHERE park_id = %s AND period_from = %s AND period_to = %s",
        (park_id, first, last),
    ).fetchone()
    if row is None:
        return None
    assert isinstance(row[2], datetime)
    return int(str(row[0])), str(row[1]), row[2]


def restatements(conn: Connection, closing_id: int) -> list[Restatement]:
    """List the restatements of a closing as they were found."""
    with conn.cursor(row_factory=class_row(Restatement)) as cur:
        return cur.execute(
            "SELECT restatement_id, closing_id, content, sha256, previous, found_at "
            "FROM core.restatement WHERE closing_id = %s ORDER BY restatement_id",
            (closing_id,),
        ).fetchall()


def waiting_in(conn: Connection, park_id: int, start: datetime, stop: datetime) -> bool:
    """Tell whether a park has something to recompute that can reach into a period."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM core.dirty WHERE park_id = %s "
        "AND start < %s::timestamptz + interval '2 days' "
        "AND stop > %s::timestamptz - interval '2 days')",
        (park_id, stop, start),
    ).fetchone()
    assert row is not None
    return bool(row[0])


def newest_rows(conn: Connection) -> dict[int, tuple[int, ...]]:
    """Give of each park with closings the newest rows that move its figures unasked.

    Readings, revisions and relations mark what the job must recompute; factors,
    statements and green power mark nothing.
    """
    rows = conn.execute(
        """
        SELECT park_id,
               (SELECT coalesce(max(factor_id), 0) FROM core.factor),
               (SELECT coalesce(max(statement_id), 0) FROM core.statement),
               (SELECT coalesce(max(activity_id), 0) FROM core.activity),
               (SELECT coalesce(max(green_power_id), 0) FROM core.green_power),
               (SELECT coalesce(max(green_match_id), 0) FROM core.green_match)
        FROM (SELECT DISTINCT park_id FROM core.closing) AS p
        """
    ).fetchall()
    return {int(str(row[0])): tuple(int(str(x)) for x in row[1:]) for row in rows}
