"""Emission and energy factors: dated rows with source, never changed, only added to."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row

from store.database import Connection
from store.records import Factor

_COLUMNS = (
    "code",
    "kind",
    "carrier",
    "basis",
    "region",
    "data_year",
    "published",
    "valid_from",
    "valid_to",
    "value",
    "unit",
    "source",
    "verified",
    "note",
)


def record_factors(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add the factors that are new or say something else than last recorded.

    Returns
    -------
    int
        How many were added.
    """
    known = {
        row[0]: row[1:]
        for row in conn.execute(
            "SELECT DISTINCT ON (code) code, kind, carrier, basis, region, data_year, "
            "published, valid_from, valid_to, value, unit, source, verified, note "
            "FROM core.factor WHERE subject_id IS NULL "
            "ORDER BY code, recorded_at DESC, factor_id DESC"
        ).fetchall()
    }
    fresh = [
        values
        for values in (tuple(row.get(name) for name in _COLUMNS) for row in rows)
        if known.get(values[0]) != values[1:]
    ]
    with conn.cursor() as cur:
        cur.executemany(
            "INSERT INTO core.factor (code, kind, carrier, basis, region, data_year, "
            "published, valid_from, valid_to, value, unit, source, verified, note) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            fresh,
        )
    return len(fresh)


def factors(conn: Connection, known_on: datetime | None = None) -> list[Factor]:
    """List anybody's factors as known on a date, the last recorded of each code."""
    with conn.cursor(row_factory=class_row(Factor)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (code)
                   factor_id, code, kind, carrier, basis, region, data_year, published,
                   valid_from, valid_to, value, unit, source, verified
            FROM core.factor
            WHERE subject_id IS NULL
              AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY code, recorded_at DESC, factor_id DESC
            """,
            (known_on,),
        ).fetchall()


def local_factors(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Factor]:
    """List the own factors of a park and its enterprises in the order recorded."""
    with conn.cursor(row_factory=class_row(Factor)) as cur:
        return cur.execute(
            """
            SELECT factor_id, code, kind, carrier, basis, region, data_year, published,
                   valid_from, valid_to, value, unit, source, verified, subject_id,
                   evidence
            FROM core.factor
            WHERE (subject_id = %(park)s OR subject_id IN
                   (SELECT enterprise_id FROM core.enterprise WHERE park_id = %(park)s))
              AND recorded_at <= coalesce(%(known)s::timestamptz, 'infinity')
            ORDER BY recorded_at, factor_id
            """,
            {"park": park_id, "known": known_on},
        ).fetchall()


def record_local_factor(
    conn: Connection,
    subject_id: int,
    code: str,
    *,
    kind: str,
    carrier: str,
    basis: str,
    region: str,
    valid_from: date,
    valid_to: date | None,
    value: float,
    unit: str,
    source: str,
    evidence: str | None,
    note: str | None,
    who: str,
) -> None:
    """Record a factor of a park's or an enterprise's own; it is said, not verified."""
    conn.execute(
        "INSERT INTO core.factor (code, kind, carrier, basis, region, valid_from, "
        "valid_to, value, unit, source, verified, note, subject_id, evidence, who, "
        "recorded_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false, %s, %s, "
        "%s, %s, clock_timestamp())",
        (
            code,
            kind,
            carrier,
            basis,
            region,
            valid_from,
            valid_to,
            value,
            unit,
            source,
            note,
            subject_id,
            evidence,
            who,
        ),
    )
