"""The accounts that are kept for those who read SQL: what they rest on, and their rows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from psycopg import sql

from store.database import Connection


class Kept(NamedTuple):
    """A table of rows that the analysis makes; its first key is the subject."""

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]


BOOK = Kept(
    "book",
    ("subject_id", "month", "figure"),
    ("value", "coverage", "estimated", "provisional"),
)
INTENSITY = Kept(
    "intensity",
    ("subject_id", "span", "month", "figure"),
    (
        "value",
        "numerator_t",
        "added_value_10k_cny",
        "coverage",
        "estimated",
        "provisional",
        "complete",
        "publishable",
        "place",
        "reason",
    ),
)
TRAJECTORY_YEAR = Kept(
    "trajectory_year",
    ("subject_id", "method", "year"),
    (
        "value_t",
        "rule",
        "provisional",
        "metered_t",
        "stated_t",
        "coverage",
        "months_complete",
    ),
)
TRAJECTORY_MONTH = Kept(
    "trajectory_month",
    ("subject_id", "method", "month"),
    ("rolling_t", "month_t", "metered"),
)
TRAJECTORY_STATE = Kept(
    "trajectory_state",
    ("subject_id", "method"),
    (
        "title",
        "title_zh",
        "unit",
        "factors",
        "state",
        "reason",
        "first_year",
        "last_year",
        "peak_year",
        "peak_t",
        "peak_is_first_known",
        "years_after",
        "below_peak",
        "n",
        "s",
        "z",
        "p",
        "sen_slope_t_per_year",
    ),
)
BUDGET_YEAR = Kept(
    "budget_year",
    ("subject_id", "year", "kind", "method"),
    (
        "value",
        "unit",
        "used",
        "remaining",
        "ahead_of_pace",
        "year_end",
        "year_end_low",
        "year_end_high",
        "spent_on",
        "how",
        "coverage",
        "publishable",
        "months_over",
    ),
)
BUDGET_MONTH = Kept(
    "budget_month",
    ("subject_id", "year", "kind", "method", "month"),
    ("used", "pace", "path", "low", "high"),
)
ZERO_CARBON = Kept(
    "zero_carbon",
    ("subject_id", "month"),
    (
        "value",
        "co2_t",
        "tce",
        "aim",
        "size_class",
        "state",
        "gap_t",
        "green_kwh",
        "with_all_green",
        "rest_t",
        "coverage",
        "publishable",
    ),
)


def count_change(conn: Connection, park_id: int) -> None:
    """Say that amounts of a park were written, in the transaction that does."""
    conn.execute(
        "INSERT INTO core.book_change (park_id, changes) VALUES (%s, 1) "
        "ON CONFLICT (park_id) DO UPDATE SET changes = core.book_change.changes + 1",
        (park_id,),
    )


def fingerprint(conn: Connection, park_id: int) -> str:
    """Tell what the accounts of a park rest on: it changes when any of that does.

    Dated rows are never changed and only added, so number and newest time of their
    recording tell whether there are others; amounts are counted where they are written.
    """
    row = conn.execute(
        """
        WITH ids AS (
            SELECT array_agg(id) AS all FROM (
                SELECT %(park)s::integer AS id
                UNION ALL
                SELECT enterprise_id FROM core.enterprise
                WHERE park_id = %(park)s) AS one)
        SELECT concat_ws('|',
            (SELECT concat_ws(' ', zone, region) FROM core.park
             WHERE park_id = %(park)s),
            cardinality(ids.all),
            (SELECT changes FROM core.book_change WHERE park_id = %(park)s),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.factor
             WHERE subject_id IS NULL OR subject_id = ANY(ids.all)),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.activity
             WHERE enterprise_id = ANY(ids.all)),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.green_power
             WHERE park_id = %(park)s),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.green_match
             WHERE park_id = %(park)s),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.statement
             WHERE subject_id = ANY(ids.all)),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.enterprise_year
             WHERE enterprise_id = ANY(ids.all)),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.target
             WHERE subject_id = ANY(ids.all)),
            (SELECT concat_ws(' ', count(*), max(recorded_at)) FROM core.history
             WHERE subject_id = ANY(ids.all)))
        FROM ids
        """,
        {"park": park_id},
    ).fetchone()
    return "" if row is None else str(row[0])


def kept(conn: Connection, park_id: int) -> str | None:
    """Give the fingerprint of what the kept rows rest on; None: there are none."""
    row = conn.execute(
        "SELECT fingerprint FROM core.book_kept WHERE park_id = %s", (park_id,)
    ).fetchone()
    return None if row is None else str(row[0])


@contextmanager
def claimed(conn: Connection, park_id: int) -> Iterator[bool]:
    """Keep other processes from a park's kept rows; tell if none was at them.

    Ask before the transaction begins, so that it sees what the one before has committed.
    """
    asked = conn.execute("SELECT pg_try_advisory_lock(7264, %s)", (park_id,))
    mine = asked.fetchone() == (True,)
    try:
        yield mine
    finally:
        if mine and not conn.closed:
            conn.execute("SELECT pg_advisory_unlock(7264, %s)", (park_id,))


def mark_kept(conn: Connection, park_id: int, rests_on: str) -> None:
    """Say what the kept rows of a park rest on."""
    conn.execute(
        "INSERT INTO core.book_kept (park_id, fingerprint) VALUES (%s, %s) "
        "ON CONFLICT (park_id) DO UPDATE SET fingerprint = excluded.fingerprint, "
        "kept_at = now()",
        (park_id, rests_on),
    )


def keep(
    conn: Connection, table: Kept, park_id: int, rows: Iterable[tuple[Any, ...]]
) -> int:
    """Let the rows of a park's subjects be these; write and tell only what differs.

    Parameters
    ----------
    rows
        Keys, then values, as the table names them.
    """
    names = (*table.keys, *table.values)
    parts = {
        "table": sql.Identifier("core", table.name),
        "fresh": sql.Identifier("pg_temp", f"fresh_{table.name}"),
        "name": sql.Identifier(f"fresh_{table.name}"),
        "columns": _list(names),
        "keys": _list(table.keys),
        "same": sql.SQL(" AND ").join(
            sql.SQL("f.{0} = t.{0}").format(sql.Identifier(each)) for each in table.keys
        ),
        "set": sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(each))
            for each in table.values
        ),
        "old": _list(table.values, "t"),
        "new": _list(table.values, "excluded"),
        "park": sql.Literal(park_id),
    }

    def run(text: str) -> int:
        return conn.execute(sql.SQL(text).format(**parts)).rowcount

    run(
        "CREATE TEMP TABLE {name} ON COMMIT DROP AS "
        "SELECT {columns} FROM {table} WITH NO DATA"
    )
    copy_in = sql.SQL("COPY {fresh} ({columns}) FROM STDIN").format(**parts)
    with conn.cursor() as cur, cur.copy(copy_in) as copy:
        for row in rows:
            copy.write_row(row)
    run("CREATE INDEX ON {fresh} ({keys})")
    run("ANALYZE {fresh}")
    gone = run(
        "DELETE FROM {table} t WHERE (t.subject_id = {park} OR t.subject_id IN "
        "(SELECT enterprise_id FROM core.enterprise WHERE park_id = {park})) "
        "AND NOT EXISTS (SELECT FROM {fresh} f WHERE {same})"
    )
    return gone + run(
        "INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM {fresh} "
        "ON CONFLICT ({keys}) DO UPDATE SET {set}, made_at = now() "
        "WHERE ({old}) IS DISTINCT FROM ({new})"
    )


def _list(names: tuple[str, ...], of: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.Identifier(of, each) if of else sql.Identifier(each) for each in names
    )
