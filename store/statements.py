"""What people state: contract demand and added value, dated, with source and vintage."""

from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection
from store.records import AddedValue, Validity


def set_contract_demand(
    conn: Connection,
    subject_id: int,
    kw: float,
    valid_from: datetime,
    valid_to: datetime | None = None,
    *,
    source: str,
) -> None:
    """Record the contract demand of a park, enterprise or meter, unless known already."""
    conn.execute(
        """
        INSERT INTO core.contract_demand (subject_id, kw, valid_from, valid_to, source)
        SELECT %(subject)s, %(kw)s, %(from)s, %(to)s, %(source)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT kw, valid_from, valid_to FROM core.contract_demand
                         WHERE subject_id = %(subject)s
                         ORDER BY recorded_at DESC, contract_demand_id DESC
                         LIMIT 1) AS last
            WHERE kw = %(kw)s AND valid_from = %(from)s
              AND valid_to IS NOT DISTINCT FROM %(to)s::timestamptz)
        """,
        {
            "subject": subject_id,
            "kw": kw,
            "from": valid_from,
            "to": valid_to,
            "source": source,
        },
    )


def contract_demands(
    conn: Connection, subject_id: int, known_on: datetime | None = None
) -> list[Validity]:
    """List the contract demands [kW] of a subject in the order recorded."""
    with conn.cursor(row_factory=class_row(Validity)) as cur:
        return cur.execute(
            """
            SELECT subject_id AS key, kw AS value, valid_from, valid_to, recorded_at
            FROM core.contract_demand
            WHERE subject_id = %s
              AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY recorded_at, contract_demand_id
            """,
            (subject_id, known_on),
        ).fetchall()


def contract_demand_at(
    conn: Connection, subject_id: int, at: datetime, known_on: datetime | None = None
) -> float | None:
    """Give the contract demand [kW] that applies at an instant."""
    applies = None
    for row in contract_demands(conn, subject_id, known_on):
        if row.valid_from <= at and (row.valid_to is None or at < row.valid_to):
            applies = row.value
    return applies


def state_added_value(
    conn: Connection,
    enterprise_id: int,
    period_from: date,
    period_to: date,
    amount_10k_cny: float,
    *,
    prices: str = "current",
    stage: str = "final",
    source: str,
) -> None:
    """Record added value of [period_from, period_to); a later statement replaces it."""
    conn.execute(
        """
        INSERT INTO core.added_value (enterprise_id, period_from, period_to,
                                      amount_10k_cny, prices, stage, source)
        SELECT %(id)s, %(from)s, %(to)s, %(amount)s, %(prices)s, %(stage)s, %(source)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT amount_10k_cny, stage FROM core.added_value
                         WHERE enterprise_id = %(id)s AND period_from = %(from)s
                           AND period_to = %(to)s AND prices = %(prices)s
                         ORDER BY recorded_at DESC, added_value_id DESC
                         LIMIT 1) AS last
            WHERE amount_10k_cny = %(amount)s AND stage = %(stage)s)
        """,
        {
            "id": enterprise_id,
            "from": period_from,
            "to": period_to,
            "amount": amount_10k_cny,
            "prices": prices,
            "stage": stage,
            "source": source,
        },
    )


def added_values(
    conn: Connection,
    enterprise_ids: list[int],
    period_from: date,
    period_to: date,
    *,
    prices: str = "current",
    known_on: datetime | None = None,
) -> list[AddedValue]:
    """List the statements inside [period_from, period_to), the newest of each period."""
    with conn.cursor(row_factory=class_row(AddedValue)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (enterprise_id, period_from, period_to)
                   added_value_id, enterprise_id, period_from, period_to,
                   amount_10k_cny, prices, stage, source, recorded_at
            FROM core.added_value
            WHERE enterprise_id = ANY(%s) AND period_from >= %s AND period_to <= %s
              AND prices = %s AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY enterprise_id, period_from, period_to, recorded_at DESC,
                     added_value_id DESC
            """,
            (enterprise_ids, period_from, period_to, prices, known_on),
        ).fetchall()
