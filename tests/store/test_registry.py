"""Codes, ids, confirmation and dated relations."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from store import registry, relations
from store.database import Connection, connect
from store.errors import Invalid, Unknown

pytestmark = pytest.mark.db


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as conn:
        yield conn


def test_adding_twice_gives_the_same_row(conn: Connection) -> None:
    park = registry.add_park(conn, "p", zone="Asia/Shanghai", region="CN-JS")
    assert registry.add_park(conn, "p", zone="Asia/Seoul") == park
    assert registry.park(conn, "p").zone == "Asia/Shanghai"
    assert registry.add_enterprise(conn, park, "e") == registry.add_enterprise(
        conn, park, "e"
    )


@pytest.mark.parametrize(
    ("code", "zone"), [("a b", "UTC"), ("", "UTC"), ("p", "Mars/X")]
)
def test_codes_and_zones_that_cannot_be(conn: Connection, code: str, zone: str) -> None:
    with pytest.raises(Invalid):
        registry.add_park(conn, code, zone=zone)


def test_two_enterprises_may_own_a_meter_of_the_same_code(conn: Connection) -> None:
    park = registry.add_park(conn, "p", zone="UTC")
    for code in ("e1", "e2"):
        enterprise = registry.add_enterprise(conn, park, code)
        registry.add_meter(conn, park, enterprise, "M1")
    with pytest.raises(Invalid, match="several"):
        registry.subject(conn, "p", meter="M1")
    assert registry.subject(conn, "p", "e2", "M1").enterprise == "e2"


@pytest.mark.parametrize(
    "codes", [("x", None, None), ("p", "x", None), ("p", "e", "x"), ("p", None, "x")]
)
def test_what_is_not_there_is_unknown(
    conn: Connection, codes: tuple[str, str | None, str | None]
) -> None:
    park = registry.add_park(conn, "p", zone="UTC")
    registry.add_enterprise(conn, park, "e")
    with pytest.raises(Unknown):
        registry.subject(conn, *codes)


def test_an_unconfirmed_meter_counts_for_nothing(conn: Connection) -> None:
    park = registry.add_park(conn, "p", zone="UTC")
    enterprise = registry.add_enterprise(conn, park, "e")
    meter = registry.add_meter(conn, park, enterprise, "M1")
    registry.add_channel(conn, meter, "energy_import", "register")
    assert registry.meters(conn, park)[0].confirmed_at is None
    assert relations.counted_channels(conn, park) == []
    relations.confirm_meter(conn, meter, enterprise, source="test")
    relations.confirm_meter(conn, meter, enterprise, source="again")
    assert [c.quantity for c in relations.counted_channels(conn, park)] == [
        "energy_import"
    ]
    assert len(relations.assignments(conn, park)) == 1
    before = datetime(2020, 1, 1, tzinfo=UTC)
    assert relations.counted_channels(conn, park, before) == []
    assert relations.assignments(conn, park, before) == []


def test_a_register_and_interval_amounts_share_one_usage(conn: Connection) -> None:
    park = registry.add_park(conn, "p", zone="UTC")
    enterprise = registry.add_enterprise(conn, park, "e")
    meter = registry.add_meter(conn, park, enterprise, "M1")
    registry.add_channel(conn, meter, "energy_import", "delta")
    registry.add_channel(conn, meter, "energy_import", "register")
    relations.confirm_meter(conn, meter, enterprise, source="test")
    found = relations.counted_channels(conn, park)
    assert [c.kind for c in found] == ["delta", "register"]
    assert {c.usage_id for c in found} == {found[0].channel_id}
