"""What counts of what was stated, now and on an earlier day."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from store import membership, registry, statements
from store.database import Connection, connect
from store.errors import Invalid
from store.migrate import migrate, steps
from store.records import Stated

pytestmark = pytest.mark.db

MARCH = (date(2026, 3, 1), date(2026, 4, 1))
Say = Callable[..., int | None]


@pytest.fixture
def conn(timescale_database: str) -> Iterator[Connection]:
    with connect(timescale_database, autocommit=True) as conn:
        yield conn


@pytest.fixture
def enterprise(conn: Connection) -> int:
    park = registry.add_park(conn, "P", zone="Asia/Shanghai")
    return registry.add_enterprise(conn, park, "E")


@pytest.fixture
def say(conn: Connection, enterprise: int) -> Say:
    def say(amount: float | None, **more: Any) -> int | None:
        row: dict[str, Any] = {
            "subject_id": enterprise,
            "kind": "gross_output",
            "unit": "10k_cny",
            "period_from": MARCH[0],
            "period_to": MARCH[1],
            "prices": "current",
            "source": "report",
        }
        return statements.state(conn, Stated(**(row | more), amount=amount))

    return say


def counting(conn: Connection, enterprise: int, **more: Any) -> list[float | None]:
    found = statements.stated(conn, [enterprise], ["gross_output", "output"], **more)
    return [each.amount for each in found]


def test_final_beats_provisional_and_the_newest_of_a_stage_counts(
    conn: Connection, enterprise: int, say: Say
) -> None:
    assert say(80, stage="provisional") is not None
    assert counting(conn, enterprise) == [80]
    assert say(100) is not None
    assert counting(conn, enterprise) == [100]
    assert say(90, stage="provisional") is not None  # after the final one
    assert counting(conn, enterprise) == [100]
    assert say(100) is None  # known
    say(110)
    say(100)
    assert counting(conn, enterprise) == [100]
    assert say(None) is not None  # withdrawn: what is provisional counts again
    assert counting(conn, enterprise) == [90]
    assert say(None, stage="provisional") is not None
    assert say(None, stage="provisional") is None
    assert counting(conn, enterprise) == []
    made = statements.vintages(conn, [enterprise], ["gross_output"])
    assert [e.amount for e in made] == [None, None, 100, 110, 90, 100, 80]
    page = statements.vintages(
        conn, [enterprise], ["gross_output"], before=made[1].statement_id, limit=2
    )
    assert page == made[2:4]


def test_what_differs_stands_side_by_side(
    conn: Connection, enterprise: int, say: Say
) -> None:
    say(1)
    say(2, prices="comparable", price_base=2020)
    say(3, prices="comparable", price_base=2025)
    say(4, period_to=date(2026, 7, 1))
    say(5, kind="output", product="rebar", unit="t", prices=None)
    say(6, kind="output", product="wire", unit="t", prices=None)
    assert sorted(e or 0 for e in counting(conn, enterprise)) == [1, 2, 3, 4, 5, 6]
    inside = counting(conn, enterprise, period_from=MARCH[0], period_to=MARCH[1])
    assert sorted(e or 0 for e in inside) == [1, 2, 3, 5, 6]


def test_as_known_on(conn: Connection, enterprise: int, say: Say) -> None:
    for day, amount in ((1, 10.0), (9, 11.0)):
        at = say(amount)
        conn.execute(
            "UPDATE core.statement SET recorded_at = %s WHERE statement_id = %s",
            (datetime(2026, 4, day, tzinfo=UTC), at),
        )
    for day, known in ((1, [10.0]), (8, [10.0]), (9, [11.0])):
        on = datetime(2026, 4, day, tzinfo=UTC)
        assert counting(conn, enterprise, known_on=on) == known
    assert counting(conn, enterprise, known_on=datetime(2026, 3, 1, tzinfo=UTC)) == []


def test_the_database_refuses_what_is_no_statement(say: Say) -> None:
    for wrong in (
        {"amount": 1e13},
        {"amount": float("nan")},
        {"amount": 1, "stage": "guess"},
        {"amount": 1, "price_base": 2020},
        {"amount": 1, "period_to": MARCH[0]},
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            say(**wrong)


def test_size_by_year(conn: Connection, enterprise: int) -> None:
    assert membership.state_size(conn, enterprise, 2025, True, source="list")
    assert not membership.state_size(conn, enterprise, 2025, True, source="list")
    assert membership.state_size(conn, enterprise, 2026, True, source="list")
    assert membership.state_size(conn, enterprise, 2026, False, source="list 2")
    park = registry.park(conn, "P").park_id
    assert [
        (each.year, each.above_designated_size) for each in membership.sizes(conn, park)
    ] == [(2025, True), (2026, False)]
    assert membership.sizes(conn, park, datetime(2020, 1, 1, tzinfo=UTC)) == []


def test_industry_changes_with_its_day(conn: Connection, enterprise: int) -> None:
    first, then = date(2020, 1, 1), date(2026, 1, 1)
    code = membership.digits("C3011")
    assert membership.state_industry(conn, enterprise, code, first, source="a")
    assert not membership.state_industry(conn, enterprise, code, first, source="a")
    assert membership.state_industry(conn, enterprise, "3099", then, source="b")
    rows = membership.industries(conn, registry.park(conn, "P").park_id)
    on = [
        membership.industry_on(rows, enterprise, day)
        for day in (date(2019, 1, 1), first, date(2025, 12, 31), then)
    ]
    assert [each and each.code for each in on] == [None, "3011", "3011", "3099"]


def test_added_values_move_with_their_ids(empty_database: str) -> None:
    before = [each for each in steps("migrations") if each.name < "0025"]
    migrate(empty_database, migrations=before, views=[])
    with connect(empty_database, autocommit=True) as conn:
        park = registry.add_park(conn, "P", zone="Asia/Shanghai")
        enterprise = registry.add_enterprise(conn, park, "E")
        conn.execute(
            "UPDATE core.enterprise SET industry_code = 'C3011' "
            "WHERE enterprise_id = %s",
            (enterprise,),
        )
        for amount in (5, 7, 6):
            conn.execute(
                "INSERT INTO core.added_value (enterprise_id, period_from, period_to, "
                "amount_10k_cny, source) VALUES (%s, %s, %s, %s, 'old')",
                (enterprise, *MARCH, amount),
            )
        conn.execute("DELETE FROM core.added_value WHERE added_value_id = 2")
        migrate(empty_database)
        found = statements.added_values(conn, [enterprise], *MARCH)
        assert [(e.added_value_id, e.amount_10k_cny) for e in found] == [(3, 6.0)]
        statements.state_added_value(conn, enterprise, *MARCH, 8.0, source="new")
        found = statements.added_values(conn, [enterprise], *MARCH)
        assert [(e.added_value_id, e.amount_10k_cny) for e in found] == [(4, 8.0)]
        assert membership.industries(conn, park)[0].code == "3011"


@pytest.mark.parametrize(
    ("kind", "unit", "prices"),
    [
        ("added_value", "10k_cny", None),
        ("added_value", "10k_cny", "constant"),
        ("heads", "persons", "current"),
    ],
)
def test_money_has_prices_and_nothing_else_has(
    conn: Connection, enterprise: int, kind: str, unit: str, prices: str | None
) -> None:
    said = Stated(
        subject_id=enterprise,
        kind=kind,
        unit=unit,
        period_from=MARCH[0],
        period_to=MARCH[1],
        amount=1.0,
        prices=prices,
        source="test",
    )
    with pytest.raises(Invalid, match="do not suit"):
        statements.state(conn, said)
