"""Packs of indicators and what is stated for them: dated rows that are never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from store.database import Connection


@dataclass(frozen=True, kw_only=True)
class StoredPack:
    """One version of a pack that a person brought."""

    indicator_pack_id: int
    name: str
    terms: dict[str, Any]
    source: str
    who: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Input:
    """A value of a park's year as a person states it."""

    indicator_input_id: int
    name: str
    year: int
    value: float | None  # None: withdrawn
    unit: str
    evidence: str | None
    source: str
    who: str
    recorded_at: datetime


def record_pack(
    conn: Connection, name: str, terms: Mapping[str, Any], *, source: str, who: str
) -> bool:
    """Record a pack, unless the last one of its name says the same; tell if it is new."""
    done = conn.execute(
        """
        INSERT INTO core.indicator_pack (name, terms, source, who)
        SELECT %(name)s, %(terms)s, %(source)s, %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT terms FROM core.indicator_pack WHERE name = %(name)s
                         ORDER BY recorded_at DESC, indicator_pack_id DESC
                         LIMIT 1) AS last
            WHERE terms = %(terms)s)
        """,
        {"name": name, "terms": Jsonb(dict(terms)), "source": source, "who": who},
    )
    return done.rowcount > 0


def packs(conn: Connection, known_on: datetime | None = None) -> list[StoredPack]:
    """List the packs that people brought, the last recorded of each name."""
    with conn.cursor(row_factory=class_row(StoredPack)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (name COLLATE "C") indicator_pack_id, name, terms, source,
                   who, recorded_at
            FROM core.indicator_pack
            WHERE recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY name COLLATE "C", recorded_at DESC, indicator_pack_id DESC
            """,
            (known_on,),
        ).fetchall()


def record_input(
    conn: Connection,
    park_id: int,
    name: str,
    year: int,
    value: float | None,
    unit: str,
    *,
    evidence: str | None,
    source: str,
    who: str,
) -> bool:
    """Record a statement, unless the last one of the same says so; tell if it is new."""
    done = conn.execute(
        """
        INSERT INTO core.indicator_input (park_id, name, year, value, unit, evidence,
                                          source, who)
        SELECT %(park)s, %(name)s, %(year)s, %(value)s, %(unit)s, %(evidence)s, %(source)s,
               %(who)s
        WHERE NOT EXISTS (
            SELECT FROM (SELECT value, evidence, source FROM core.indicator_input
                         WHERE park_id = %(park)s AND name = %(name)s AND year = %(year)s
                         ORDER BY recorded_at DESC, indicator_input_id DESC
                         LIMIT 1) AS last
            WHERE value IS NOT DISTINCT FROM %(value)s::double precision
              AND evidence IS NOT DISTINCT FROM %(evidence)s::text
              AND source = %(source)s)
        """,
        {
            "park": park_id,
            "name": name,
            "year": year,
            "value": value,
            "unit": unit,
            "evidence": evidence,
            "source": source,
            "who": who,
        },
    )
    return done.rowcount > 0


def inputs(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Input]:
    """List what counts of a park's statements, by name and year."""
    with conn.cursor(row_factory=class_row(Input)) as cur:
        return cur.execute(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (name COLLATE "C", year)
                       indicator_input_id, name, year, value, unit, evidence, source, who,
                       recorded_at
                FROM core.indicator_input
                WHERE park_id = %s
                  AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY name COLLATE "C", year, recorded_at DESC,
                         indicator_input_id DESC) AS last
            WHERE value IS NOT NULL
            """,
            (park_id, known_on),
        ).fetchall()
