"""What people state: contract demand, added value and the like, with source and vintage."""

from dataclasses import asdict
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid
from store.records import AddedValue, Stated, Statement, Validity
from store.statement_kinds import KINDS, PRICES


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


def state(conn: Connection, said: Stated) -> int | None:
    """Record a statement unless its stage says so already.

    Returns
    -------
    int | None
        The id of the new row; None where the newest says the same.

    Raises
    ------
    Invalid
        When money is stated without its prices, or prices of anything else.
    """
    if said.prices not in (PRICES if KINDS[said.kind].money else (None,)):
        raise Invalid(f"prices {said.prices!r} do not suit {said.kind}")
    row = conn.execute(
        """
        INSERT INTO core.statement (subject_id, kind, product, unit, period_from,
            period_to, amount, prices, price_base, stage, source, who)
        SELECT %(subject_id)s, %(kind)s, %(product)s::text, %(unit)s, %(period_from)s,
               %(period_to)s, %(amount)s, %(prices)s, %(price_base)s, %(stage)s,
               %(source)s, %(who)s
        WHERE %(amount)s::double precision IS DISTINCT FROM
            (SELECT amount FROM core.statement
             WHERE subject_id = %(subject_id)s AND kind = %(kind)s
               AND product IS NOT DISTINCT FROM %(product)s::text AND unit = %(unit)s
               AND period_from = %(period_from)s AND period_to = %(period_to)s
               AND prices IS NOT DISTINCT FROM %(prices)s::text
               AND price_base IS NOT DISTINCT FROM %(price_base)s::integer
               AND stage = %(stage)s
             ORDER BY recorded_at DESC, statement_id DESC
             LIMIT 1)
        RETURNING statement_id
        """,
        asdict(said),
    ).fetchone()
    return None if row is None else int(str(row[0]))


def stated(
    conn: Connection,
    subject_ids: list[int],
    kinds: list[str],
    period_from: date = date(1, 1, 1),
    period_to: date = date(9999, 1, 1),
    *,
    known_on: datetime | None = None,
) -> list[Statement]:
    """List what counts inside [period_from, period_to), one statement of each period.

    Final beats provisional; of one stage the newest counts, and nothing where that
    withdraws it. By subject, kind, product, unit, prices and period.
    """
    with conn.cursor(row_factory=class_row(Statement)) as cur:
        return cur.execute(
            """
            WITH newest AS (
                SELECT DISTINCT ON (subject_id, kind, product, unit, prices, price_base,
                                    period_from, period_to, stage)
                       statement_id, subject_id, kind, product, unit, period_from,
                       period_to, amount, prices, price_base, stage, source, who,
                       recorded_at
                FROM core.statement
                WHERE subject_id = ANY(%s) AND kind = ANY(%s)
                  AND period_from >= %s AND period_to <= %s
                  AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY subject_id, kind, product, unit, prices, price_base,
                         period_from, period_to, stage, recorded_at DESC,
                         statement_id DESC)
            SELECT DISTINCT ON (subject_id, kind, product, unit, prices, price_base,
                                period_from, period_to) *
            FROM newest WHERE amount IS NOT NULL
            ORDER BY subject_id, kind, product, unit, prices, price_base, period_from,
                     period_to, stage = 'provisional'
            """,
            (subject_ids, kinds, period_from, period_to, known_on),
        ).fetchall()


def vintages(
    conn: Connection,
    subject_ids: list[int],
    kinds: list[str],
    *,
    known_on: datetime | None = None,
    before: int | None = None,
    limit: int = 1000,
) -> list[Statement]:
    """List all that was ever stated, the newest first, from below an id on."""
    with conn.cursor(row_factory=class_row(Statement)) as cur:
        return cur.execute(
            """
            SELECT statement_id, subject_id, kind, product, unit, period_from, period_to,
                   amount, prices, price_base, stage, source, who, recorded_at
            FROM core.statement
            WHERE subject_id = ANY(%s) AND kind = ANY(%s)
              AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
              AND (%s::bigint IS NULL OR statement_id < %s)
            ORDER BY statement_id DESC LIMIT %s
            """,
            (subject_ids, kinds, known_on, before, before, limit),
        ).fetchall()


def state_added_value(
    conn: Connection,
    enterprise_id: int,
    period_from: date,
    period_to: date,
    amount_10k_cny: float,
    *,
    prices: str = "current",
    price_base: int | None = None,
    stage: str = "final",
    source: str,
    who: str = "",
) -> None:
    """Record added value of [period_from, period_to); a later statement replaces it."""
    state(
        conn,
        Stated(
            subject_id=enterprise_id,
            kind="added_value",
            unit="10k_cny",
            period_from=period_from,
            period_to=period_to,
            amount=amount_10k_cny,
            prices=prices,
            price_base=price_base,
            stage=stage,
            source=source,
            who=who,
        ),
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
    """List the added values inside [period_from, period_to), one of each period."""
    return [
        AddedValue(
            added_value_id=each.statement_id,
            enterprise_id=each.subject_id,
            period_from=each.period_from,
            period_to=each.period_to,
            amount_10k_cny=each.amount,
            prices=each.prices,
            price_base=each.price_base,
            stage=each.stage,
            source=each.source,
            recorded_at=each.recorded_at,
        )
        for each in stated(
            conn,
            enterprise_ids,
            ["added_value"],
            period_from,
            period_to,
            known_on=known_on,
        )
        if each.prices == prices and each.amount is not None
    ]
