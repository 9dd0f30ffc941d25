"""Tariffs, what is billed by which, and hot days: dated rows that are never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from store.database import Connection
from store.errors import Invalid

METHODS = ("capacity", "contract", "demand", "none")
STANDARDS = (0.90, 0.85, 0.80)


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """One version of a tariff, valid on local days [valid_from, valid_to)."""

    tariff_id: int
    code: str
    valid_from: date
    valid_to: date | None
    terms: dict[str, Any]
    source: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Billing:
    """How a subject is billed on local days [valid_from, valid_to)."""

    tariff: str
    method: str
    capacity_kva: float | None
    power_factor_standard: float | None
    valid_from: date
    valid_to: date | None
    source: str


def record_tariffs(
    conn: Connection, rows: Sequence[Mapping[str, Any]], *, shipped: bool = False
) -> int:
    """Add the tariffs that are new or say something else than last recorded.

    Each row has code, valid_from, valid_to and source; all of it is kept as its terms.

    Parameters
    ----------
    shipped
        They come with the program and are offered at each start: what was recorded once
        is not recorded again, and a code of which someone has stated prices of his own
        is left alone.

    Returns
    -------
    int
        How many were added.
    """
    added = 0
    for row in rows:
        terms = {
            key: each.isoformat() if isinstance(each, date) else each
            for key, each in row.items()
        }
        added += conn.execute(
            """
            INSERT INTO core.tariff (code, valid_from, valid_to, terms, source)
            SELECT %(code)s, %(valid_from)s, %(valid_to)s, %(terms)s, %(source)s
            WHERE NOT EXISTS (
                SELECT FROM (SELECT valid_to, terms, source FROM core.tariff
                             WHERE code = %(code)s AND valid_from = %(valid_from)s
                             ORDER BY recorded_at DESC, tariff_id DESC
                             LIMIT 1) AS last
                WHERE terms = %(terms)s
                  AND valid_to IS NOT DISTINCT FROM %(valid_to)s::date
                  AND source = %(source)s)
              AND NOT (%(shipped)s AND EXISTS (
                SELECT FROM core.tariff
                WHERE code = %(code)s
                  AND (terms = %(terms)s
                       OR terms -> 'prices_are_examples' IS DISTINCT FROM 'true')))
            """,
            {
                "shipped": shipped,
                "code": row["code"],
                "valid_from": row["valid_from"],
                "valid_to": row["valid_to"],
                "source": row["source"],
                "terms": Jsonb(terms),
            },
        ).rowcount
    return added


def tariffs(conn: Connection, known_on: datetime | None = None) -> list[Tariff]:
    """List all versions of all tariffs in the order recorded."""
    with conn.cursor(row_factory=class_row(Tariff)) as cur:
        return cur.execute(
            """
            SELECT tariff_id, code, valid_from, valid_to, terms, source, recorded_at
            FROM core.tariff
            WHERE recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY recorded_at, tariff_id
            """,
            (known_on,),
        ).fetchall()


def set_billing(
    conn: Connection,
    subject_id: int,
    tariff: str,
    method: str,
    valid_from: date,
    valid_to: date | None = None,
    *,
    capacity_kva: float | None = None,
    power_factor_standard: float | None = None,
    source: str,
) -> None:
    """Record by which tariff and method a subject is billed, unless known already.

    Raises
    ------
    Invalid
        When no tariff has that code, the method or the standard is unknown, the method
        lacks its capacity, or the days end before they begin.
    """
    if method not in METHODS:
        raise Invalid(f"method {method[:70]!r} is none of {', '.join(METHODS)}")
    if power_factor_standard not in (None, *STANDARDS):
        raise Invalid(
            f"power factor {power_factor_standard:g} is none of 0.90, 0.85 and 0.80"
        )
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid(f"the days from {valid_from} to {valid_to} are none")
    if method == "capacity" and capacity_kva is None:
        raise Invalid("billing by capacity needs the capacity in kVA")
    if not conn.execute(
        "SELECT 1 FROM core.tariff WHERE code = %s LIMIT 1", (tariff,)
    ).fetchone():
        raise Invalid(
            f"no tariff has the code {tariff[:70]!r}; see parkwatt tariff list"
        )
    conn.execute(
        """
        INSERT INTO core.billing (subject_id, tariff, method, capacity_kva,
            power_factor_standard, valid_from, valid_to, source)
        SELECT %(subject)s, %(tariff)s, %(method)s, %(kva)s, %(standard)s, %(from)s,
               %(to)s, %(source)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT tariff, method, capacity_kva, power_factor_standard,
                                valid_from, valid_to
                         FROM core.billing WHERE subject_id = %(subject)s
                         ORDER BY recorded_at DESC, billing_id DESC
                         LIMIT 1) AS last
            WHERE tariff = %(tariff)s AND method = %(method)s
              AND capacity_kva IS NOT DISTINCT FROM %(kva)s::double precision
              AND power_factor_standard IS NOT DISTINCT FROM
                  %(standard)s::double precision
              AND valid_from = %(from)s
              AND valid_to IS NOT DISTINCT FROM %(to)s::date)
        """,
        {
            "subject": subject_id,
            "tariff": tariff,
            "method": method,
            "kva": capacity_kva,
            "standard": power_factor_standard,
            "from": valid_from,
            "to": valid_to,
            "source": source,
        },
    )


def billings(
    conn: Connection, subject_id: int, known_on: datetime | None = None
) -> list[Billing]:
    """List how a subject was said to be billed, in the order recorded."""
    with conn.cursor(row_factory=class_row(Billing)) as cur:
        return cur.execute(
            """
            SELECT tariff, method, capacity_kva, power_factor_standard, valid_from,
                   valid_to, source
            FROM core.billing
            WHERE subject_id = %s
              AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY recorded_at, billing_id
            """,
            (subject_id, known_on),
        ).fetchall()


def say_hot(
    conn: Connection, park_id: int, day: date, *, hot: bool, source: str
) -> None:
    """Record that a day of a park is a hot one for tariffs, or is not after all."""
    conn.execute(
        "INSERT INTO core.hot_day (park_id, day, hot, source) VALUES (%s, %s, %s, %s)",
        (park_id, day, hot, source),
    )


def hot_days(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> set[date]:
    """Give the hot days of a park as last said."""
    cur = conn.cursor(row_factory=scalar_row)
    rows = cur.execute(
        """
        SELECT day FROM (
            SELECT DISTINCT ON (day) day, hot FROM core.hot_day
            WHERE park_id = %s AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY day, recorded_at DESC) AS last
        WHERE hot
        """,
        (park_id, known_on),
    ).fetchall()
    return set(rows)
