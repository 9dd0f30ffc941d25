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
    """Record a statement, unless the last of its stage says so; tell if it is new."""
    done = conn.execute(
        """
        INSERT INTO core.history (subject_id, method, period_from, period_to, amount_t,
                                  stage, source, who)
        SELECT %(id)s, %(method)s, %(from)s, %(to)s, %(amount)s, %(stage)s, %(source)s,
               %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT amount_t, source FROM core.history
                         WHERE subject_id = %(id)s AND method = %(method)s
                           AND period_from = %(from)s AND period_to = %(to)s
                           AND stage = %(stage)s
                         ORDER BY recorded_at DESC, history_id DESC
                         LIMIT 1) AS last
            WHERE amount_t IS NOT DISTINCT FROM %(amount)s::double precision
              AND source = %(source)s)
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
    """List what counts of a subject, by method and period.

    Final beats provisional; of one stage the newest counts, and nothing where that
    withdraws it.
    """
    with conn.cursor(row_factory=class_row(Past)) as cur:
        return cur.execute(
            """
            WITH newest AS (
                SELECT DISTINCT ON (method, period_from, period_to, stage)
                       history_id, subject_id, method, period_from, period_to, amount_t,
                       stage, source, who, recorded_at
                FROM core.history
                WHERE subject_id = %s
                  AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY method, period_from, period_to, stage, recorded_at DESC,
                         history_id DESC)
            SELECT DISTINCT ON (method COLLATE "C", period_from, period_to) *
            FROM newest WHERE amount_t IS NOT NULL
            ORDER BY method COLLATE "C", period_from, period_to, stage = 'provisional'
            """,
            (subject_id, known_on),
        ).fetchall()
