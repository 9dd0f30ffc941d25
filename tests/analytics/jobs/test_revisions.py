"""A correction restates the figures, and the earlier answer stays what it was."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import service
from analytics.jobs.figures import figures
from store import registry, relations, revisions
from store.batches import write_batch
from store.database import Connection, connect
from store.readings import NO_UNTIL, Rows, to_us

pytestmark = pytest.mark.db

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 2, 27, tzinfo=ZONE)
STEP = timedelta(minutes=15)
WHO: dict[str, Any] = {"who": "Reader One", "why": "read again at the meter"}


class One:
    """A park with one meter that reads 10 kWh more each quarter hour."""

    def __init__(self, url: str, kind: str = "register") -> None:
        self.url, self.kind = url, kind
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, "p", zone=str(ZONE))
            enterprise = registry.add_enterprise(conn, self.park, "e")
            meter = registry.add_meter(conn, self.park, enterprise, "M")
            relations.confirm_meter(conn, meter, enterprise, source="test")
            self.channel = registry.add_channel(conn, meter, "energy_import", kind)

    def write(self, *quarters: tuple[int, float]) -> None:
        at = np.array([to_us(FIRST + i * STEP) for i, _ in quarters], np.int64)
        value = np.array([each for _, each in quarters], np.float64)
        until = at + 900_000_000 if self.kind == "delta" else at * 0 + NO_UNTIL
        rows = Rows(np.full(at.size, self.channel, np.int64), at, value, until)
        with connect(self.url) as conn:
            write_batch(
                conn,
                rows,
                [],
                parks={self.channel: self.park},
                totals={self.channel},
                source="test",
                parser="test/1",
                messages=1,
            )

    def straight(self, stop: int = 97) -> list[tuple[int, float]]:
        return [(i, 10.0 * i) for i in range(stop)]

    def revise(self, quarter: int, value: float | None, **more: Any) -> None:
        with connect(self.url) as conn:
            at = FIRST + quarter * STEP
            revisions.add_revision(conn, self.channel, at, value, **WHO, **more)

    def analyse(self) -> None:
        service.run(self.url, threading.Event(), once=True)

    def tables(self) -> list[list[tuple[object, ...]]]:
        with connect(self.url) as conn:
            return [
                conn.execute(f"SELECT * FROM core.{name} ORDER BY 1, 2").fetchall()
                for name in ("usage_15min", "usage_day", "usage_month", "demand")
            ]

    def figures(self, known_on: datetime | None = None) -> dict[str, Any]:
        with connect(self.url) as conn:
            found = figures(
                conn,
                registry.subject(conn, "p"),
                date(2026, 2, 27),
                date(2026, 2, 28),
                grain="15min",
                known_on=known_on,
                now=datetime(2027, 1, 1, tzinfo=UTC),
            )
        return {key: found[key] for key in found if key != "as_known_on"}

    def now(self) -> datetime:
        with connect(self.url) as conn:
            return _clock(conn)


def _clock(conn: Connection) -> datetime:
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def test_a_correction_restates_and_the_earlier_answer_stays(database: str) -> None:
    park = One(database)
    park.write(*park.straight())
    park.analyse()
    before, then = park.figures(), park.now()
    assert before["energy_kwh"] == 960.0
    park.revise(96, 1060.0)
    park.analyse()
    after = park.figures()
    assert after["energy_kwh"] == 1060.0
    assert after["peak_demand_kw"] == 440.0
    assert park.figures(known_on=then) == before
    known = park.figures(known_on=park.now())
    assert known["series"] == after["series"]
    with connect(database) as conn:
        raw = conn.execute("SELECT value FROM reading ORDER BY at DESC LIMIT 1")
        assert raw.fetchone() == (960.0,)


def test_the_newest_correction_applies_and_any_can_be_taken_back(database: str) -> None:
    park = One(database)
    park.write(*park.straight())
    park.analyse()
    before, tables = park.figures(), park.tables()
    for value in (1000.0, None, 1100.0, 960.0):
        park.revise(96, value)
        park.analyse()
    assert park.tables() == tables
    assert park.figures() == before
    with connect(database) as conn:
        found = revisions.revisions(conn, park.park)
    assert [(each.value_before, each.value_after) for each in found] == [
        (1100.0, 960.0),
        (None, 1100.0),
        (1000.0, None),
        (960.0, 1000.0),
    ]


@pytest.mark.parametrize("kind", ["register", "delta"])
def test_corrected_readings_count_as_if_they_had_come_so(
    new_database: Callable[[], str], kind: str
) -> None:
    """Struck out, added and changed: the same bits as a park that read so at once."""
    told, right = One(new_database(), kind), One(new_database(), kind)
    end = {} if kind == "register" else {"until": FIRST + 41 * STEP}
    rows = told.straight()
    told.write(*[row for row in rows if row[0] != 40])
    told.analyse()
    for i in range(20, 28):  # more than the neighbours that a reading reaches
        told.revise(i, None)
    told.revise(40, 405.0, **end)
    told.revise(60, 601.5)
    told.analyse()
    odd = {40: 405.0, 60: 601.5}
    right.write(*[(i, odd.get(i, v)) for i, v in rows if not 20 <= i < 28])
    right.analyse()
    assert told.tables() == right.tables()
    # a late reading beside them finds the same neighbours
    for park in (told, right):
        with connect(park.url, autocommit=True) as conn:
            conn.execute("DELETE FROM reading WHERE at = %s", (FIRST + 29 * STEP,))
        park.write((29, 292.0))
        park.analyse()
    assert told.tables() == right.tables()


def test_readings_far_apart_are_struck_out_together(database: str) -> None:
    """Beside a long silence nothing of the interval between them may stay."""
    park = One(database)
    park.write((0, 0.0), (300 * 96, 1000.0), (500 * 96, 2000.0), (800 * 96, 3000.0))
    park.analyse()
    assert len(park.tables()[0]) > 0
    park.revise(300 * 96, None)
    park.revise(500 * 96, None)
    park.analyse()
    assert [len(each) for each in park.tables()] == [0, 0, 0, 0]


def test_late_readings_and_corrections_come_in_any_order(
    new_database: Callable[[], str],
) -> None:
    one, other = One(new_database()), One(new_database())
    rows = one.straight()
    one.write(*rows)
    one.analyse()
    one.revise(50, 502.0)
    one.revise(70, None)
    one.analyse()
    other.write(*rows[:40])
    other.revise(50, 502.0)
    other.analyse()
    other.write(*rows[80:], *rows[60:80])
    other.revise(70, None)
    other.analyse()
    other.write(*rows[40:60])
    other.analyse()
    assert one.tables() == other.tables()


def test_a_meter_confirmed_later_brings_its_corrections_along(database: str) -> None:
    park = One(database)
    with connect(database, autocommit=True) as conn:
        conn.execute("UPDATE meter SET confirmed_at = NULL")
        conn.execute("DELETE FROM assignment")
    park.revise(0, 0.0)
    park.revise(4, 40.0)
    park.analyse()
    with connect(database, autocommit=True) as conn:
        subject = registry.subject(conn, "p", "e", "M")
        enterprise = registry.subject(conn, "p", "e").subject_id
        relations.confirm_meter(conn, subject.subject_id, enterprise, source="test")
    park.analyse()
    assert park.figures()["energy_kwh"] == 40.0


def test_an_earlier_answer_may_rest_on_an_amount_that_was_struck_out(
    database: str,
) -> None:
    park = One(database, "delta")
    begin = FIRST - timedelta(days=300)
    park.revise(-300 * 96, 300 * 96.0 + 960.0, until=FIRST + timedelta(days=10))
    park.analyse()
    before, then = park.figures(), park.now()
    assert before["energy_kwh"] > 0
    with connect(database) as conn:
        revisions.add_revision(conn, park.channel, begin, None, **WHO)
    park.analyse()
    assert park.figures()["energy_kwh"] is None
    assert park.figures(known_on=then) == before
