"""What own plant can do, as people state it: dated rows that are never changed."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection

WHAT = ("pv_kwp", "storage_kwh", "charging_kw", "charging_piles")


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A rating that holds on days [valid_from, valid_to)."""

    plant_id: int
    what: str  # of WHAT; the unit is in it
    value: float | None  # None: not known any more
    valid_from: date
    valid_to: date | None
    source: str
    who: str
    recorded_at: datetime


def record_plant(
    conn: Connection,
    subject_id: int,
    what: str,
    value: float | None,
    valid_from: date,
    valid_to: date | None,
    *,
    source: str,
    who: str,
) -> bool:
    """Record a rating, unless the last one of its kind says the same; tell if it is new."""
    done = conn.execute(
        """
        INSERT INTO core.plant (subject_id, what, value, valid_from, valid_to, source, who)
        SELECT %(id)s, %(what)s, %(value)s, %(from)s, %(to)s, %(source)s, %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT value, valid_from, valid_to FROM core.plant
                         WHERE subject_id = %(id)s AND what = %(what)s
                         ORDER BY recorded_at DESC, plant_id DESC LIMIT 1) AS last
            WHERE value IS NOT DISTINCT FROM %(value)s::double precision
              AND valid_from = %(from)s AND valid_to IS NOT DISTINCT FROM %(to)s::date)
        """,
        {
            "id": subject_id,
            "what": what,
            "value": value,
            "from": valid_from,
            "to": valid_to,
            "source": source,
            "who": who,
        },
    )
    return done.rowcount > 0


def plants(
    conn: Connection, subject_id: int, known_on: datetime | None = None
) -> list[Plant]:
    """List the ratings of a subject in the order recorded."""
    with conn.cursor(row_factory=class_row(Plant)) as cur:
        return cur.execute(
            """
            SELECT plant_id, what, value, valid_from, valid_to, source, who, recorded_at
            FROM core.plant
            WHERE subject_id = %s
              AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY recorded_at, plant_id
            """,
            (subject_id, known_on),
        ).fetchall()
