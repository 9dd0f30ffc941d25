"""Which enterprises are above designated size in a year, in which industry, and whose."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class SizeYear:
    """Whether an enterprise belongs to those above designated size in a year."""

    enterprise_id: int
    year: int
    above_designated_size: bool
    source: str
    who: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Industry:
    """The industry of an enterprise on days [valid_from, valid_to), GB/T 4754."""

    industry_id: int
    enterprise_id: int
    code: str  # two to four digits
    valid_from: date
    valid_to: date | None
    source: str
    who: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """Whose an enterprise is."""

    enterprise_id: int
    owner: str | None  # None: withdrawn
    source: str
    who: str
    recorded_at: datetime


def digits(code: str) -> str:
    """Give an industry's digits without the letter of its section.

    Raises
    ------
    Invalid
        When it is not two to four digits.
    """
    found = re.fullmatch(r"[A-T]?([0-9]{2,4})", code.strip())
    if found is None:
        raise Invalid(f"industry {code[:40]!r} is not two to four digits of GB/T 4754")
    return found[1]


def state_size(
    conn: Connection,
    enterprise_id: int,
    year: int,
    above: bool,
    *,
    source: str,
    who: str = "",
) -> bool:
    """Record a year's membership unless said already; tell whether it is new."""
    return (
        conn.execute(
            """
            INSERT INTO core.enterprise_year (enterprise_id, year,
                above_designated_size, source, who)
            SELECT %(id)s, %(year)s, %(above)s, %(source)s, %(who)s
            WHERE %(above)s IS DISTINCT FROM
                (SELECT above_designated_size FROM core.enterprise_year
                 WHERE enterprise_id = %(id)s AND year = %(year)s
                 ORDER BY recorded_at DESC LIMIT 1)
            """,
            {
                "id": enterprise_id,
                "year": year,
                "above": above,
                "source": source,
                "who": who,
            },
        ).rowcount
        == 1
    )


def sizes(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[SizeYear]:
    """List what counts of each enterprise and year, by year and enterprise's code."""
    with conn.cursor(row_factory=class_row(SizeYear)) as cur:
        return cur.execute(
            """
            SELECT enterprise_id, year, above_designated_size, source, who, recorded_at
            FROM (SELECT DISTINCT ON (y.enterprise_id, y.year) y.*, e.code
                  FROM core.enterprise_year y JOIN core.enterprise e USING (enterprise_id)
                  WHERE e.park_id = %s
                    AND y.recorded_at <= coalesce(%s::timestamptz, 'infinity')
                  ORDER BY y.enterprise_id, y.year, y.recorded_at DESC) AS newest
            ORDER BY year, code
            """,
            (park_id, known_on),
        ).fetchall()


def state_industry(
    conn: Connection,
    enterprise_id: int,
    code: str,
    valid_from: date,
    valid_to: date | None = None,
    *,
    source: str,
    who: str = "",
) -> bool:
    """Record an enterprise's industry unless said last; tell whether it is new."""
    return (
        conn.execute(
            """
            INSERT INTO core.industry (enterprise_id, code, valid_from, valid_to, source,
                                       who)
            SELECT %(id)s, %(code)s, %(from)s, %(to)s, %(source)s, %(who)s
            WHERE NOT EXISTS (
                SELECT FROM (SELECT code, valid_from, valid_to FROM core.industry
                             WHERE enterprise_id = %(id)s
                             ORDER BY recorded_at DESC, industry_id DESC
                             LIMIT 1) AS last
                WHERE code = %(code)s AND valid_from = %(from)s
                  AND valid_to IS NOT DISTINCT FROM %(to)s::date)
            """,
            {
                "id": enterprise_id,
                "code": code,
                "from": valid_from,
                "to": valid_to,
                "source": source,
                "who": who,
            },
        ).rowcount
        == 1
    )


def industries(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Industry]:
    """List all that was said of the industries of a park's enterprises, as recorded."""
    with conn.cursor(row_factory=class_row(Industry)) as cur:
        return cur.execute(
            """
            SELECT i.industry_id, i.enterprise_id, i.code, i.valid_from, i.valid_to,
                   i.source, i.who, i.recorded_at
            FROM core.industry i JOIN core.enterprise e USING (enterprise_id)
            WHERE e.park_id = %s
              AND i.recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY i.recorded_at, i.industry_id
            """,
            (park_id, known_on),
        ).fetchall()


def industry_on(rows: list[Industry], enterprise_id: int, day: date) -> Industry | None:
    """Give the statement recorded last whose validity holds the day."""
    holds = None
    for each in rows:
        if (
            each.enterprise_id == enterprise_id
            and each.valid_from <= day
            and (each.valid_to is None or day < each.valid_to)
        ):
            holds = each
    return holds


def state_owner(
    conn: Connection, enterprise_id: int, owner: str | None, *, source: str, who: str
) -> Ownership:
    """Record whose an enterprise is, from now on; None withdraws what was said."""
    with conn.cursor(row_factory=class_row(Ownership)) as cur:
        (made,) = cur.execute(
            "INSERT INTO core.ownership (enterprise_id, owner, source, who) "
            "VALUES (%s, %s, %s, %s) "
            "RETURNING enterprise_id, owner, source, who, recorded_at",
            (enterprise_id, owner, source, who),
        ).fetchall()
    return made


def owners(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Ownership]:
    """List what counts of each enterprise of which somebody has said whose it is."""
    with conn.cursor(row_factory=class_row(Ownership)) as cur:
        return cur.execute(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (o.enterprise_id)
                       o.enterprise_id, o.owner, o.source, o.who, o.recorded_at
                FROM core.ownership o JOIN core.enterprise e USING (enterprise_id)
                WHERE e.park_id = %s
                  AND o.recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY o.enterprise_id, o.recorded_at DESC, o.ownership_id DESC) AS last
            WHERE owner IS NOT NULL
            """,
            (park_id, known_on),
        ).fetchall()
