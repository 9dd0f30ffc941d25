"""Corrections need a person, a reason and something to change; conflicts get settled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from store import registry, revisions
from store.batches import write_batch
from store.database import Connection, connect
from store.errors import Invalid, Unknown
from store.readings import NO_UNTIL, Rows, to_us

pytestmark = pytest.mark.db

AT = datetime(2026, 3, 1, tzinfo=UTC)
WHO: dict[str, Any] = {"who": "Reader One", "why": "digit slipped"}


class Place:
    """A meter's channel and its park."""

    def __init__(self, conn: Connection, kind: str = "register") -> None:
        self.conn = conn
        self.park = registry.add_park(conn, "p", zone="UTC")
        enterprise = registry.add_enterprise(conn, self.park, "e")
        meter = registry.add_meter(conn, self.park, enterprise, "M")
        self.channel = registry.add_channel(conn, meter, "energy_import", kind)

    def write(self, value: float, until: datetime | None = None) -> None:
        end = NO_UNTIL if until is None else to_us(until)
        rows = Rows(
            np.array([self.channel], np.int64),
            np.array([to_us(AT)], np.int64),
            np.array([value]),
            np.array([end], np.int64),
        )
        with self.conn.transaction():
            write_batch(
                self.conn,
                rows,
                [],
                parks={self.channel: self.park},
                totals={self.channel},
                source="test",
                parser="test/1",
                messages=1,
            )

    def revise(self, value: float | None, **more: Any) -> revisions.Revision:
        return revisions.add_revision(self.conn, self.channel, AT, value, **WHO, **more)

    def open(self) -> list[float]:
        found = revisions.conflicts(self.conn, self.park, settled=False)
        return [each.refused for each in found]


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as conn:
        yield conn


def test_what_changes_nothing_is_refused(conn: Connection) -> None:
    place = Place(conn)
    with pytest.raises(Invalid, match="no reading at 2026-03-01"):
        place.revise(None)
    place.write(5.0)
    with pytest.raises(Invalid, match=r"counts as 5\.0 already"):
        place.revise(5.0)
    place.revise(None)
    with pytest.raises(Invalid, match="no reading"):
        place.revise(None)
    with pytest.raises(Unknown, match="channel 99"):
        revisions.add_revision(conn, 99, AT, 1.0, **WHO)


@pytest.mark.parametrize("words", ["", "  ", "a\nb", "x" * 501, "\0"])
def test_a_person_and_a_reason_are_needed(conn: Connection, words: str) -> None:
    place = Place(conn)
    for name in ("who", "why"):
        with pytest.raises(Invalid, match=name):
            revisions.add_revision(conn, place.channel, AT, 1.0, **{**WHO, name: words})


def test_an_interval_amount_keeps_its_end(conn: Connection) -> None:
    place = Place(conn, "delta")
    with pytest.raises(Invalid, match="needs its end"):
        place.revise(1.0)
    end = AT + timedelta(hours=1)
    place.write(5.0, end)
    assert place.revise(6.0).until == end
    assert place.revise(None).until == end
    assert place.revise(6.0, until=end).value_before is None
    marks = conn.execute("SELECT stop FROM dirty").fetchall()
    assert {row[0] for row in marks} == {end + timedelta(microseconds=1)}


def test_a_register_has_no_end(conn: Connection) -> None:
    with pytest.raises(Invalid, match="register has no end"):
        Place(conn).revise(1.0, until=AT + timedelta(hours=1))


def test_a_conflict_is_settled_by_the_refused_value(conn: Connection) -> None:
    place = Place(conn)
    for value in (5.0, 6.0):
        place.write(value)
    assert place.open() == [6.0]
    one = revisions.conflicts(conn, place.park)[0]
    done = revisions.settle(conn, place.park, one.conflict_id, **WHO)
    assert (done.value_before, done.value_after) == (5.0, 6.0)
    assert place.open() == []
    with pytest.raises(Invalid, match="settled already"):
        revisions.settle(conn, place.park, one.conflict_id, **WHO)
    place.write(6.0)  # the sender tries again what was taken meanwhile
    assert place.open() == []
    place.write(7.0)
    assert place.open() == [7.0]
    with pytest.raises(Unknown, match="conflict 99"):
        revisions.settle(conn, place.park, 99, **WHO)
    with pytest.raises(Unknown, match="conflict"):  # of another park
        revisions.settle(conn, place.park + 999, one.conflict_id, **WHO)


def test_a_conflict_is_settled_by_confirming_what_is_stored(conn: Connection) -> None:
    place = Place(conn)
    for value in (5.0, 6.0):
        place.write(value)
    place.revise(5.0)
    assert place.open() == []


def test_a_gauge_can_be_corrected_and_marks_nothing(conn: Connection) -> None:
    place = Place(conn, "gauge")
    place.revise(3.0)
    assert conn.execute("SELECT count(*) FROM dirty").fetchone() == (0,)
