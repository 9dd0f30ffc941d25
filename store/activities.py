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
    """Record a statement, unless the last one of the same says so; tell if it is new.

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
            SELECT FROM (SELECT amount, beside, supplier_id, stage, source
                         FROM core.activity
                         WHERE enterprise_id = %(id)s AND month = %(month)s
                           AND item = %(item)s AND use = %(use)s
                         ORDER BY recorded_at DESC, activity_id DESC
                         LIMIT 1) AS last
            WHERE amount IS NOT DISTINCT FROM %(amount)s::double precision
              AND supplier_id IS NOT DISTINCT FROM %(supplier)s::integer
              AND beside = %(beside)s AND stage = %(stage)s AND source = %(source)s)
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

    Of an enterprise's month, item and use the final statement recorded last, else the
    provisional one; what was recorded before a withdrawal is gone.
    """
    with conn.cursor(row_factory=class_row(Activity)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (e.code COLLATE "C", month, item, use)
                   activity_id, a.enterprise_id, e.code AS enterprise, month, item, use,
                   amount, unit, beside, s.code AS supplier, stage, source,
                   who, a.recorded_at
            FROM core.activity a JOIN core.enterprise e USING (enterprise_id)
            LEFT JOIN core.enterprise s ON s.enterprise_id = a.supplier_id
            WHERE e.park_id = %(park)s AND month >= %(first)s AND month < %(last)s
              AND (%(one)s::integer IS NULL OR a.enterprise_id = %(one)s)
              AND a.recorded_at <= coalesce(%(known)s::timestamptz, 'infinity')
              AND NOT EXISTS (
                  SELECT FROM core.activity w
                  WHERE (w.enterprise_id, w.month, w.item, w.use)
                        = (a.enterprise_id, a.month, a.item, a.use)
                    AND w.amount IS NULL
                    AND (w.recorded_at, w.activity_id) >= (a.recorded_at, a.activity_id)
                    AND w.recorded_at <= coalesce(%(known)s::timestamptz, 'infinity'))
            ORDER BY e.code COLLATE "C", month, item, use, (stage = 'final') DESC,
                     a.recorded_at DESC, activity_id DESC
            """,
            {
                "park": park_id,
                "first": first,
                "last": last,
                "one": enterprise_id,
                "known": known_on,
            },
        ).fetchall()
