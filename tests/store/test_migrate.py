"""Forward only, once, unchanged; and the schema is the one that is written down."""

from pathlib import Path

import pytest

from store.database import connect
from store.errors import MigrationChanged
from store.migrate import Step, migrate, pending, steps
from store.quantities import QUANTITIES

pytestmark = pytest.mark.db

SCHEMA = Path(__file__).parents[1] / "data" / "schema.sql"

DESCRIBE = """
SELECT line FROM (
    SELECT c.relname AS t, 1 AS part, a.attnum AS n,
           format('%s.%s %s%s%s', c.relname, a.attname,
                  format_type(a.atttypid, a.atttypmod),
                  CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                  CASE WHEN a.attidentity <> '' THEN ' IDENTITY' ELSE
                  coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') END) AS line
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'core'::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT c.relname, 2, 0,
           format('%s: %s', c.relname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'core'::regnamespace AND k.contype IN ('p', 'u', 'c', 'f')
    UNION ALL
    SELECT tablename, 3, 0, indexdef FROM pg_indexes WHERE schemaname = 'core'
) AS lines ORDER BY t, part, n, line
"""


def test_a_second_time_nothing_is_done(database: str) -> None:
    assert migrate(database) == []
    with connect(database) as conn:
        assert pending(conn) == []


def test_an_edited_old_file_is_refused(database: str) -> None:
    changed = [
        Step(each.name, each.text + "\n-- edited") for each in steps("migrations")
    ]
    with pytest.raises(MigrationChanged, match="0001_core"):
        migrate(database, migrations=changed)


def test_a_new_file_is_applied_alone(database: str) -> None:
    more = [
        *steps("migrations"),
        Step("9999_more.sql", "CREATE TABLE core.more (a int)"),
    ]
    assert migrate(database, migrations=more) == ["9999_more.sql"]


def test_a_failing_file_leaves_nothing(database: str) -> None:
    broken = Step("9999_bad.sql", "CREATE TABLE core.half (a int); SELECT 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        migrate(database, migrations=[*steps("migrations"), broken])
    with connect(database) as conn:
        assert conn.execute("SELECT to_regclass('core.half')").fetchone() == (None,)


def test_changed_views_are_rebuilt(database: str) -> None:
    views = [
        *steps("views"),
        Step("99.sql", "CREATE VIEW grafana.one AS SELECT 1 AS a"),
    ]
    assert "views/99.sql" in migrate(database, views=views)
    assert migrate(database, views=views) == []


def test_the_schema_is_the_one_written_down(
    database: str, request: pytest.FixtureRequest
) -> None:
    with connect(database) as conn:
        found = "\n".join(str(row[0]) for row in conn.execute(DESCRIBE)) + "\n"
    if request.config.getoption("--update"):
        SCHEMA.write_text(found, "utf-8")
    assert found == SCHEMA.read_text("utf-8")


def test_channels_that_were_there_get_the_flow_of_the_catalogue(
    empty_database: str,
) -> None:
    before = [each for each in steps("migrations") if each.name < "0037"]
    migrate(empty_database, migrations=before, views=[])
    # concentrations came later
    there = [e for e in QUANTITIES.values() if not e.name.endswith("_concentration")]
    with connect(empty_database, autocommit=True) as conn:
        conn.execute("INSERT INTO core.subject (kind) VALUES ('meter')")
        for each in there:
            conn.execute(
                "INSERT INTO core.channel (subject_id, quantity, kind, unit) "
                "VALUES (1, %s, %s, %s)",
                (each.name, each.kind, each.unit),
            )
    migrate(empty_database)
    with connect(empty_database) as conn:
        found = conn.execute("SELECT quantity, flow FROM core.channel").fetchall()
    assert {str(name): flow for name, flow in found} == {
        each.name: each.flow for each in there
    }


def test_numbers_that_are_none_are_refused_by_the_tables(database: str) -> None:
    """CHECK (v >= 0) alone would take NaN."""
    for value in ("NaN", "Infinity", "-Infinity"):
        with (
            connect(database) as conn,
            pytest.raises(Exception, match="check constraint"),
        ):
            conn.execute(
                "INSERT INTO reading VALUES (1, '2026-01-01', %s::float8, NULL, 1)",
                (value,),
            )


@pytest.mark.timescale
def test_hypertables_where_timescale_is(timescale_database: str) -> None:
    with connect(timescale_database) as conn:
        found = conn.execute(
            "SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY 1"
        ).fetchall()
    assert [row[0] for row in found] == [
        "demand_sliding",
        "reading",
        "usage_15min",
        "usage_day",
        "usage_month",
    ]
