"""Forward-only migrations, then the views. Each file is applied once, in one transaction."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

import psycopg
from psycopg import sql

from store.database import connect
from store.errors import MigrationChanged

_LOCK = 0x7061726B  # "park"

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE TABLE IF NOT EXISTS ledger.applied (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class Step(NamedTuple):
    """One SQL file."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def steps(folder: str) -> list[Step]:
    """Read the SQL files of ``store/<folder>`` in the order of their names."""
    found = list(files("store").joinpath(folder).iterdir())
    return [
        Step(each.name, each.read_text("utf-8"))
        for each in sorted(found, key=lambda each: each.name)
        if each.name.endswith(".sql")
    ]


def migrate(
    url: str,
    migrations: Sequence[Step] | None = None,
    views: Sequence[Step] | None = None,
) -> list[str]:
    """Bring the database up to date and return the names of what was applied.

    Raises
    ------
    MigrationChanged
        When a file that was applied before has another checksum now.
    """
    migrations = steps("migrations") if migrations is None else migrations
    views = steps("views") if views is None else views
    done: list[str] = []
    with connect(url, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        conn.execute(_LEDGER)
        _create_extension(conn)
        applied = _applied(conn)
        for step in migrations:
            known = applied.get(step.name)
            if known is None:
                with conn.transaction():
                    conn.execute(sql.SQL(step.text))
                    _record(conn, step)
                done.append(step.name)
            elif known != step.checksum:
                raise MigrationChanged(step.name)
        if any(applied.get("views/" + view.name) != view.checksum for view in views):
            _rebuild(conn, views)
            done.extend("views/" + view.name for view in views)
    return done


def pending(conn: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    """Names of migrations that this database has not seen."""
    row = conn.execute("SELECT to_regclass('ledger.applied') IS NOT NULL").fetchone()
    applied = _applied(conn) if row and row[0] else {}
    return [step.name for step in steps("migrations") if step.name not in applied]


def timescale_version(conn: psycopg.Connection[tuple[object, ...]]) -> str:
    """Version of the TimescaleDB extension of this database; "" where there is none."""
    row = conn.execute(
        "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
    ).fetchone()
    return str(row[0]) if row else ""


def _applied(conn: psycopg.Connection[tuple[object, ...]]) -> dict[str, str]:
    rows = conn.execute("SELECT name, checksum FROM ledger.applied").fetchall()
    return {str(name): str(checksum) for name, checksum in rows}


def _record(conn: psycopg.Connection[tuple[object, ...]], step: Step) -> None:
    conn.execute(
        "INSERT INTO ledger.applied (name, checksum) VALUES (%s, %s) "
        "ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, "
        "applied_at = now()",
        (step.name, step.checksum),
    )


def _create_extension(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Take TimescaleDB where the server has it loaded; work without where not."""
    conn.execute(
        """
        DO $$
        BEGIN
            IF current_setting('shared_preload_libraries') LIKE '%timescaledb%'
               AND EXISTS (SELECT FROM pg_available_extensions
                           WHERE name = 'timescaledb') THEN
                CREATE EXTENSION IF NOT EXISTS timescaledb;
            END IF;
        END
        $$
        """
    )


def _rebuild(
    conn: psycopg.Connection[tuple[object, ...]], views: Sequence[Step]
) -> None:
    """Drop and create the reading schemas: they hold nothing but views."""
    with conn.transaction():
        conn.execute("DROP SCHEMA IF EXISTS grafana CASCADE")
        conn.execute("CREATE SCHEMA grafana")
        for view in views:
            conn.execute(sql.SQL(view.text))
            _record(conn, Step("views/" + view.name, view.text))
