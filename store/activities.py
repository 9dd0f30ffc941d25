"""What people state by the month of an enterprise: dated rows, never changed."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid

USES = ("burnt", "bought", "process", "released", "feedstock")


@dataclass(frozen=True, kw_only=True)
class Activity:
    """A stated amount of an enterprise's month."""

    activity_id: int
    enterprise_id: int
    enterprise: str  # its code
    month: date
    item: str
    use: str  # one of USES
    amount: float | None  # None: withdrawn
    unit: str
    beside: bool  # no meter counts any of it
    supplier: str | None  # code of the enterprise of the park that passed it on
    stage: str
    source: str
    who: str
    recorded_at: datetime


def record_activity(
    conn: Connection,
    enterprise_id: int,
    month: date,
    item: str,
    use: str,
    amount: float | None,
    unit: str,
    *,
    beside: bool = False,
    supplier_id: int | None = None,
    stage: str = "final",
    source: str,
    who: str,
) -> bool:
    """Record a statement, unless the last of its stage says so; tell if it is new.

    Raises
    ------
    Invalid
        For a supplier of another park.
    """
    if supplier_id is not None and not _neighbours(conn, enterprise_id, supplier_id):
        raise Invalid("a supplier is an enterprise of the same park")
    done = conn.execute(
        """
        INSERT INTO core.activity (enterprise_id, month, item, use, amount, unit, beside,
                                   supplier_id, stage, source, who)
        SELECT %(id)s, %(month)s, %(item)s, %(use)s, %(amount)s, %(unit)s, %(beside)s,
               %(supplier)s, %(stage)s, %(source)s, %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT amount, beside, supplier_id, source
                         FROM core.activity
                         WHERE enterprise_id = %(id)s AND month = %(month)s
                           AND item = %(item)s AND use = %(use)s AND stage = %(stage)s
                         ORDER BY recorded_at DESC, activity_id DESC
                         LIMIT 1) AS last
            WHERE amount IS NOT DISTINCT FROM %(amount)s::double precision
              AND supplier_id IS NOT DISTINCT FROM %(supplier)s::integer
              AND beside = %(beside)s AND source = %(source)s)
        """,
        {
            "id": enterprise_id,
            "month": month,
            "item": item,
            "use": use,
            "amount": amount,
            "unit": unit,
            "beside": beside,
            "supplier": supplier_id,
            "stage": stage,
            "source": source,
            "who": who,
        },
    )
    return done.rowcount > 0


def _neighbours(conn: Connection, one_id: int, other_id: int) -> bool:
    """Tell whether two enterprises are of one park."""
    found = conn.execute(
        """
        SELECT FROM core.enterprise JOIN core.enterprise o USING (park_id)
        WHERE enterprise.enterprise_id = %s AND o.enterprise_id = %s
        """,
        (one_id, other_id),
    )
    return found.rowcount > 0


def activities(
    conn: Connection,
    park_id: int,
    first: date,
    last: date,
    known_on: datetime | None = None,
    *,
    enterprise_id: int | None = None,
) -> list[Activity]:
    """List what counts of the months in [first, last), by enterprise and month.

    Of an enterprise's month, item and use final beats provisional; of one stage the
    newest counts, and nothing where that withdraws it.
    """
    with conn.cursor(row_factory=class_row(Activity)) as cur:
        return cur.execute(
            """
            WITH newest AS (
                SELECT DISTINCT ON (enterprise_id, month, item, use, stage) a.*
                FROM core.activity a JOIN core.enterprise e USING (enterprise_id)
                WHERE e.park_id = %(park)s AND month >= %(first)s AND month < %(last)s
                  AND (%(one)s::integer IS NULL OR enterprise_id = %(one)s)
                  AND a.recorded_at <= coalesce(%(known)s::timestamptz, 'infinity')
                ORDER BY enterprise_id, month, item, use, stage, a.recorded_at DESC,
                         activity_id DESC)
            SELECT DISTINCT ON (e.code COLLATE "C", month, item, use)
                   activity_id, a.enterprise_id, e.code AS enterprise, month, item, use,
                   amount, unit, beside, s.code AS supplier, stage, source,
                   who, a.recorded_at
            FROM newest a JOIN core.enterprise e USING (enterprise_id)
            LEFT JOIN core.enterprise s ON s.enterprise_id = a.supplier_id
            WHERE amount IS NOT NULL
            ORDER BY e.code COLLATE "C", month, item, use, stage = 'provisional'
            """,
            {
                "park": park_id,
                "first": first,
                "last": last,
                "one": enterprise_id,
                "known": known_on,
            },
        ).fetchall()
