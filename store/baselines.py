"""Energy baselines and what drives energy: dated rows that are never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection

GRAINS = ("day", "month")


@dataclass(frozen=True, kw_only=True)
class StoredBaseline:
    """A baseline as it is defined."""

    energy_baseline_id: int
    name: str
    figure: str
    variables: list[str]
    first_month: date
    last_month: date  # the first day of the month after the last one
    source: str
    who: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A value of a day or a month that drives energy."""

    driver_id: int
    name: str
    grain: str
    first: date
    value: float | None  # None: withdrawn
    unit: str
    source: str
    who: str
    recorded_at: datetime


def record_baseline(
    conn: Connection,
    subject_id: int,
    name: str,
    figure: str,
    variables: Sequence[str],
    first_month: date,
    last_month: date,
    *,
    source: str,
    who: str,
) -> bool:
    """Record a baseline, unless the last of its name says the same; tell if it is new."""
    done = conn.execute(
        """
        INSERT INTO core.energy_baseline (subject_id, name, figure, variables, first_month,
                                          last_month, source, who)
        SELECT %(id)s, %(name)s, %(figure)s, %(variables)s, %(from)s, %(to)s, %(source)s,
               %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT figure, variables, first_month, last_month
                         FROM core.energy_baseline
                         WHERE subject_id = %(id)s AND name = %(name)s
                         ORDER BY recorded_at DESC, energy_baseline_id DESC
                         LIMIT 1) AS last
            WHERE figure = %(figure)s AND variables = %(variables)s
              AND first_month = %(from)s AND last_month = %(to)s)
        """,
        {
            "id": subject_id,
            "name": name,
            "figure": figure,
            "variables": list(variables),
            "from": first_month,
            "to": last_month,
            "source": source,
            "who": who,
        },
    )
    return done.rowcount > 0


def baselines(
    conn: Connection, subject_id: int, known_on: datetime | None = None
) -> list[StoredBaseline]:
    """List the baselines of a subject, the last recorded of each name."""
    with conn.cursor(row_factory=class_row(StoredBaseline)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (name COLLATE "C") energy_baseline_id, name, figure,
                   variables, first_month, last_month, source, who, recorded_at
            FROM core.energy_baseline
            WHERE subject_id = %s
              AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY name COLLATE "C", recorded_at DESC, energy_baseline_id DESC
            """,
            (subject_id, known_on),
        ).fetchall()


def record_driver(
    conn: Connection,
    subject_id: int,
    name: str,
    grain: str,
    first: date,
    value: float | None,
    unit: str,
    *,
    source: str,
    who: str,
) -> bool:
    """Record a value, unless the last one of the same says so; tell if it is new."""
    done = conn.execute(
        """
        INSERT INTO core.driver (subject_id, name, grain, first, value, unit, source, who)
        SELECT %(id)s, %(name)s, %(grain)s, %(first)s, %(value)s, %(unit)s, %(source)s,
               %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT value, unit, source FROM core.driver
                         WHERE subject_id = %(id)s AND name = %(name)s
                           AND grain = %(grain)s AND first = %(first)s
                         ORDER BY recorded_at DESC, driver_id DESC LIMIT 1) AS last
            WHERE value IS NOT DISTINCT FROM %(value)s::double precision
              AND unit = %(unit)s AND source = %(source)s)
        """,
        {
            "id": subject_id,
            "name": name,
            "grain": grain,
            "first": first,
            "value": value,
            "unit": unit,
            "source": source,
            "who": who,
        },
    )
    return done.rowcount > 0


def drivers(
    conn: Connection,
    subject_ids: Sequence[int],
    first: date,
    last: date,
    known_on: datetime | None = None,
) -> list[Driver]:
    """List what counts of days and months that begin in [first, last).

    A subject's own row goes before those of the subjects after it in the list.
    """
    with conn.cursor(row_factory=class_row(Driver)) as cur:
        return cur.execute(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (name COLLATE "C", grain, first)
                       driver_id, name, grain, first, value, unit, source, who,
                       recorded_at
                FROM (SELECT DISTINCT ON (subject_id, name, grain, first) *
                      FROM core.driver
                      WHERE subject_id = ANY(%(ids)s)
                        AND first >= %(from)s AND first < %(to)s
                        AND recorded_at <= coalesce(%(known)s::timestamptz, 'infinity')
                      ORDER BY subject_id, name, grain, first, recorded_at DESC,
                               driver_id DESC) AS newest
                WHERE value IS NOT NULL
                ORDER BY name COLLATE "C", grain, first,
                         array_position(%(ids)s::integer[], subject_id)) AS last
            """,
            {
                "ids": list(subject_ids),
                "from": first,
                "to": last,
                "known": known_on,
            },
        ).fetchall()


def driver_unit(conn: Connection, subject_ids: Sequence[int], name: str) -> str | None:
    """Give the unit in which a driver was first stated, of the rows that still count."""
    row = conn.execute(
        """
        SELECT unit FROM (
            SELECT DISTINCT ON (subject_id, grain, first) value, unit, driver_id
            FROM core.driver
            WHERE subject_id = ANY(%(ids)s) AND name = %(name)s
            ORDER BY subject_id, grain, first, recorded_at DESC, driver_id DESC) AS newest
        WHERE value IS NOT NULL
        ORDER BY driver_id
        LIMIT 1
        """,
        {"ids": list(subject_ids), "name": name},
    ).fetchone()
    return None if row is None else str(row[0])
