"""Emissions and energy of years before metering, as people state them: dated rows."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Past:
    """A stated total of a year or a month of a park or an enterprise."""

    history_id: int
    subject_id: int
    method: str
    period_from: date
    period_to: date
    amount_t: float | None  # tCO2 or tce; None: withdrawn
    stage: str
    source: str
    who: str
    recorded_at: datetime

    @property
    def is_year(self) -> bool:
        """Tell a year from a month."""
        return (self.period_to - self.period_from).days > 31


def record_history(
    conn: Connection,
    subject_id: int,
    method: str,
    period_from: date,
    period_to: date,
    amount_t: float | None,
    *,
    stage: str,
    source: str,
    who: str,
) -> bool:
    """Record a statement, unless the last one of the same says so; tell if it is new."""
    done = conn.execute(
        """
        INSERT INTO core.history (subject_id, method, period_from, period_to, amount_t,
                                  stage, source, who)
        SELECT %(id)s, %(method)s, %(from)s, %(to)s, %(amount)s, %(stage)s, %(source)s,
               %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT amount_t, stage, source FROM core.history
                         WHERE subject_id = %(id)s AND method = %(method)s
                           AND period_from = %(from)s AND period_to = %(to)s
                         ORDER BY recorded_at DESC, history_id DESC
                         LIMIT 1) AS last
            WHERE amount_t IS NOT DISTINCT FROM %(amount)s::double precision
              AND stage = %(stage)s AND source = %(source)s)
        """,
        {
            "id": subject_id,
            "method": method,
            "from": period_from,
            "to": period_to,
            "amount": amount_t,
            "stage": stage,
            "source": source,
            "who": who,
        },
    )
    return done.rowcount > 0


def history(
    conn: Connection, subject_id: int, known_on: datetime | None = None
) -> list[Past]:
    """List what counts of a subject, by method and period."""
    with conn.cursor(row_factory=class_row(Past)) as cur:
        return cur.execute(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (method, period_from, period_to)
                       history_id, subject_id, method, period_from, period_to, amount_t,
                       stage, source, who, recorded_at
                FROM core.history
                WHERE subject_id = %s
                  AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY method, period_from, period_to, recorded_at DESC,
                         history_id DESC) AS last
            WHERE amount_t IS NOT NULL
            ORDER BY method COLLATE "C", period_from, period_to
            """,
            (subject_id, known_on),
        ).fetchall()
