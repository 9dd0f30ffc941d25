"""Targets, quotas and budgets by year: dated rows that are never changed."""

from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid

UNITS = {
    "energy": "tce",
    "co2": "tCO2",
    "energy_intensity": "tce/10^4 CNY",
    "co2_intensity": "tCO2/10^4 CNY",
    "water": "m3",
    "demand": "kW",
}
EXCLUDED = ("renewable", "feedstock")


@dataclass(frozen=True, kw_only=True)
class NewTarget:
    """A limit of a year."""

    subject_id: int
    kind: str  # of UNITS
    method: str | None = None  # how energy or carbon is counted
    year: int
    value: float | None  # None withdraws it
    excluded: tuple[str, ...] = ()  # of EXCLUDED: what does not count against it
    source: str
    who: str


@dataclass(frozen=True, kw_only=True)
class Target(NewTarget):
    """A recorded limit."""

    target_id: int
    unit: str
    recorded_at: datetime


def set_target(conn: Connection, said: NewTarget) -> bool:
    """Record a target unless said last; tell whether it is new.

    Raises
    ------
    Invalid
        When the kind, the method or what is excluded do not go together.
    """
    if said.kind not in UNITS:
        raise Invalid(f"kind {said.kind[:70]!r} is none of {', '.join(UNITS)}")
    if (said.kind in ("water", "demand")) != (said.method is None):
        which = "has no" if said.method is not None else "needs its"
        raise Invalid(f"a target of {said.kind} {which} method")
    if set(said.excluded) - set(EXCLUDED) or (said.excluded and said.kind != "energy"):
        raise Invalid(f"only {' and '.join(EXCLUDED)} can be excluded, and of energy")
    row = asdict(said) | {
        "unit": UNITS[said.kind],
        "excluded": sorted(set(said.excluded)),
    }
    return (
        conn.execute(
            """
            INSERT INTO core.target (subject_id, kind, method, year, value, unit,
                                     excluded, source, who)
            SELECT %(subject_id)s, %(kind)s, %(method)s::text, %(year)s, %(value)s,
                   %(unit)s, %(excluded)s::text[], %(source)s, %(who)s
            WHERE NOT EXISTS (
                SELECT FROM (SELECT value, excluded FROM core.target
                             WHERE subject_id = %(subject_id)s AND kind = %(kind)s
                               AND method IS NOT DISTINCT FROM %(method)s::text
                               AND year = %(year)s
                             ORDER BY recorded_at DESC, target_id DESC
                             LIMIT 1) AS last
                WHERE value IS NOT DISTINCT FROM %(value)s::double precision
                  AND excluded = %(excluded)s::text[])
            """,
            row,
        ).rowcount
        == 1
    )


def targets(
    conn: Connection,
    subject_ids: list[int],
    year: int | None = None,
    *,
    known_on: datetime | None = None,
    every: bool = False,
) -> list[Target]:
    """List the targets that apply, or all that were ever set, by year and kind."""
    with conn.cursor(row_factory=class_row(Target)) as cur:
        found = cur.execute(
            """
            SELECT target_id, subject_id, kind, method, year, value, unit, excluded,
                   source, who, recorded_at
            FROM core.target
            WHERE subject_id = ANY(%s) AND (%s::integer IS NULL OR year = %s)
              AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY year, subject_id, kind, method, recorded_at DESC, target_id DESC
            """,
            (subject_ids, year, year, known_on),
        ).fetchall()
    if every:
        return found
    newest: dict[tuple[object, ...], Target] = {}
    for each in found:
        newest.setdefault((each.subject_id, each.kind, each.method, each.year), each)
    return [each for each in newest.values() if each.value is not None]
