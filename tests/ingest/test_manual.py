"""Typed readings: the rules of the wire, and a word before a likely slip."""

from collections.abc import Iterator
from typing import Any

import pytest

from ingest.manual import Doubt, Entry, doubts, enter, revise
from store import registry, relations
from store.database import Connection, connect
from store.errors import Invalid
from store.records import Subject

pytestmark = pytest.mark.db


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as conn:
        yield conn


@pytest.fixture
def meter(conn: Connection) -> Subject:
    park = registry.add_park(conn, "p", zone="Asia/Shanghai")
    enterprise = registry.add_enterprise(conn, park, "e")
    for code in ("M", "N"):
        made = registry.add_meter(conn, park, enterprise, code)
        if code == "M":
            relations.confirm_meter(conn, made, enterprise, source="test")
    return registry.subject(conn, "p", "e", "M")


def typed(day: int, value: float, quantity: str = "water_m3", **more: Any) -> Entry:
    at = f"2026-03-{day:02d}T08:00:00+08:00"
    given: dict[str, Any] = {"at": at, "value": value, "quantity": quantity} | more
    return Entry(**{"who": "Reader One", **given})


def test_each_outcome_is_counted(conn: Connection, meter: Subject) -> None:
    entries = [typed(1, 10.0), typed(1, 10.0), typed(1, 11.0)]
    entries += [typed(1, 1.0, "colour"), typed(1, 1.0, at="2026-03-01T08:00:00")]
    entries += [typed(1, 2000.0, "water_l", at="2026-03-02T00:00:00Z")]
    done = [enter(conn, meter, each) for each in entries]
    assert [each.outcome for each in done] == [
        "inserted",
        "duplicate",
        "conflict",
        "quarantined",
        "quarantined",
        "inserted",
    ]
    assert done[2].stored == 10.0
    assert done[3].reason == "unknown quantity 'colour'"
    assert (done[5].value, done[5].unit) == (2.0, "m3")
    total = conn.execute(
        "SELECT source, messages, received, inserted, duplicate, conflict, quarantined "
        "FROM source_total"
    ).fetchall()
    assert total == [("manual", 6, 6, 2, 1, 1, 2)]
    assert conn.execute("SELECT DISTINCT who FROM typed").fetchall() == [
        ("Reader One",)
    ]
    assert conn.execute("SELECT count(*) FROM typed").fetchone() == (6,)


def test_a_likely_slip_is_told(conn: Connection, meter: Subject) -> None:
    for day, value in ((1, 100.0), (2, 124.0), (3, 142.0), (20, 500.0)):
        assert doubts(conn, meter, typed(4, value)) == [] or day == 20
        enter(conn, meter, typed(day, value))

    def kinds(day: int, value: float) -> list[str]:
        return [each.kind for each in doubts(conn, meter, typed(day, value))]

    assert kinds(4, 160.0) == []
    assert kinds(4, 14.0) == ["falls"]
    assert kinds(4, 1600.0) == ["falls", "rises"]  # above the next one, too
    assert kinds(21, 5240.0) == ["rises"]
    assert kinds(3, 142.0) == []  # again the same
    assert doubts(conn, meter, typed(4, 1.0, at="no time")) == []
    assert doubts(conn, meter, typed(4, 1e9, "power_kw")) == []
    found = doubts(conn, meter, typed(21, 5240.0))
    assert isinstance(found[0], Doubt)
    assert found[0].usual == pytest.approx(1.0)


def test_amounts(conn: Connection, meter: Subject) -> None:
    end = "2026-03-01T09:00:00+08:00"
    key = "water_delta_m3"
    assert enter(conn, meter, typed(1, 5.0, key)).outcome == "quarantined"
    assert enter(conn, meter, typed(1, 5.0, key, until=end)).outcome == "inserted"
    late = typed(2, 500.0, key, until="2026-03-02T09:00:00+08:00")
    assert [each.kind for each in doubts(conn, meter, late)] == ["rises"]
    assert enter(conn, meter, typed(1, 5.0, until=end)).outcome == "quarantined"


def test_a_negative_amount_is_refused_wherever_it_is_typed(
    conn: Connection, meter: Subject
) -> None:
    end = "2026-03-01T09:00:00+08:00"
    key = "water_delta_m3"
    assert enter(conn, meter, typed(1, -4.0, key, until=end)).outcome == "quarantined"
    with pytest.raises(Invalid, match="below 0"):
        revise(
            conn,
            meter,
            quantity=key,
            at="2026-03-01T08:00:00+08:00",
            until=end,
            value=-50,
            who="Reader One",
            why="test",
        )


def test_what_would_not_count_is_not_stored(conn: Connection, meter: Subject) -> None:
    enter(conn, meter, typed(1, 100.0))
    revise(
        conn,
        meter,
        quantity=typed(1, 0.0).quantity,
        at=typed(1, 0.0).at,
        value=None,
        who="Reader One",
        why="misread",
    )
    with pytest.raises(Invalid, match="struck out"):
        enter(conn, meter, typed(1, 100.0))


def test_only_a_confirmed_meter_and_a_named_person(
    conn: Connection, meter: Subject
) -> None:
    other = registry.subject(conn, "p", "e", "N")
    with pytest.raises(Invalid, match="'N' is not confirmed"):
        enter(conn, other, typed(1, 1.0))
    with pytest.raises(Invalid, match="of a meter"):
        enter(conn, registry.subject(conn, "p"), typed(1, 1.0))
    with pytest.raises(Invalid, match="who is empty"):
        enter(conn, meter, typed(1, 1.0, who=" "))
    assert conn.execute("SELECT count(*) FROM batch").fetchone() == (0,)


def test_a_correction_that_is_refused_leaves_no_channel(
    conn: Connection, meter: Subject
) -> None:
    given = {"at": "2026-03-01T00:00:00Z", "who": "Reader One", "why": "test"}
    for quantity, value, words in (
        ("coal", None, "has no coal to strike out"),
        ("coal_delta_t", 1.0, "needs its end"),
        ("coal", "1,5", "without commas"),
        ("colour", 1.0, "unknown quantity"),
    ):
        with pytest.raises(Invalid, match=words):
            revise(conn, meter, quantity=quantity, value=value, **given)
    assert conn.execute("SELECT count(*) FROM channel").fetchone() == (0,)
    revise(conn, meter, quantity="coal_kg", value=1500.0, **given)
    assert conn.execute("SELECT value_after FROM revision").fetchall() == [(1.5,)]
