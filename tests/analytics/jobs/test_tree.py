"""What counts for whom: the meter tree, dated."""

import itertools
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.jobs import service
from analytics.jobs.balancing import balances
from analytics.jobs.validity import Segments, Tree, counting, segments
from store import judgements, registry, relations
from store.batches import write_batch
from store.database import connect
from store.errors import Invalid
from store.readings import NO_UNTIL, Rows, to_us

pytestmark = pytest.mark.db

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
USED = {"G": 100.0, "A": 40.0, "A1": 15.0, "B": 30.0}  # kWh a quarter hour
OWNER = {"G": "op", "A": "a", "A1": "a", "B": "b"}


class Park:
    """A grid meter above two tenants, one of them with a sub meter of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.meters: dict[str, int] = {}
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, "p", zone="UTC", region="CN-JS")
            self.owners = {
                code: registry.add_enterprise(conn, self.park, code)
                for code in ("op", "a", "b")
            }
            channels = {}
            for code, owner in OWNER.items():
                enterprise = self.owners[owner]
                meter = registry.add_meter(conn, self.park, enterprise, code)
                relations.confirm_meter(conn, meter, enterprise, source="test")
                channels[code] = relations.add_meter_channel(
                    conn, meter, "energy_import", "register"
                )
                self.meters[code] = meter
            parts = [
                (channels[code], to_us(START) + i * 900_000_000, used * i)
                for code, used in USED.items()
                for i in range(2 * 96 + 1)
            ]
            channel, at, value = zip(*parts, strict=True)
            ids = dict.fromkeys(channels.values(), self.park)
            with conn.transaction():
                write_batch(
                    conn,
                    Rows(
                        np.array(channel, np.int64),
                        np.array(at, np.int64),
                        np.array(value, np.float64),
                        np.full(len(parts), NO_UNTIL, np.int64),
                    ),
                    [],
                    parks=ids,
                    totals=set(ids),
                    source="test",
                    parser="test/1",
                    messages=1,
                )

    def place(
        self, code: str, role: str, parent: str | None, since: datetime = START
    ) -> None:
        with connect(self.url, autocommit=True) as conn:
            relations.place_meter(
                conn,
                self.meters[code],
                role,
                None if parent is None else self.meters[parent],
                since,
                source="test",
            )

    def totals(self, day: int = 0) -> dict[str, float]:
        """Mean energy of a quarter hour of each total on a day, after the job has run."""
        service.run(self.url, threading.Event(), once=True)
        begin = START + day * DAY
        with connect(self.url) as conn:
            rows = conn.execute(
                "SELECT coalesce(e.code, 'park'), sum(u.amount) / 96 "
                "FROM usage_15min u JOIN channel c USING (channel_id) "
                "LEFT JOIN enterprise e ON e.enterprise_id = c.subject_id "
                "WHERE c.kind = 'total' AND u.start >= %s AND u.start < %s "
                "GROUP BY 1",
                (begin, begin + DAY),
            ).fetchall()
        return {str(code): float(str(used)) for code, used in rows}


def test_a_grid_meter_counts_for_the_park_and_tenants_for_themselves(
    database: str,
) -> None:
    park = Park(database)
    assert park.totals() == pytest.approx({"park": 185, "op": 100, "a": 55, "b": 30})
    park.place("G", "park", None)
    park.place("A", "main", "G")
    park.place("B", "main", "G")
    park.place("A1", "main", "A")  # behind another of the same enterprise
    assert park.totals() == pytest.approx({"park": 100, "a": 40, "b": 30})
    park.place("A1", "sub", None)
    assert park.totals() == pytest.approx({"park": 100, "a": 40, "b": 30})


def test_a_place_holds_from_its_day_on(database: str) -> None:
    park = Park(database)
    park.totals()
    later = START + DAY
    for code, role, parent in (
        ("G", "park", None),
        ("A", "main", "G"),
        ("B", "main", "G"),
        ("A1", "sub", "A"),
    ):
        park.place(code, role, parent, later)
    assert park.totals(0) == pytest.approx({"park": 185, "op": 100, "a": 55, "b": 30})
    assert park.totals(1) == pytest.approx({"park": 100, "a": 40, "b": 30})


def test_a_meter_sold_to_the_owner_above_counts_no_more(database: str) -> None:
    park = Park(database)
    park.place("B", "main", "A")
    assert park.totals()["b"] == pytest.approx(30)
    with connect(database, autocommit=True) as conn:
        relations.assign_meter(
            conn, park.meters["B"], park.owners["a"], START, None, source="test"
        )
    assert "b" not in park.totals()
    assert park.totals()["a"] == pytest.approx(55)  # A and A1, and B is behind A


def test_the_balance_of_a_node_with_its_uncertainty(database: str) -> None:
    park = Park(database)
    park.place("G", "park", None)
    park.place("A", "main", "G")
    park.place("B", "main", "G")
    park.place("A1", "sub", "A", START + DAY / 2)  # on the first day from noon on
    park.totals()
    days = START.date(), (START + 2 * DAY).date()
    with connect(database, autocommit=True) as conn:
        for code, percent in (("G", 0.5), ("A", 1.0)):
            judgements.set_plate(
                conn,
                park.meters[code],
                accuracy_class=percent,
                rated_per_h=None,
                source="plate",
            )
        park.totals()
        known = registry.park(conn, "p")
        first, *_ = (
            row
            for row in balances(conn, known, *days)
            if row["meter"] == "op/G" and row["uncertainty"] is None
        )
        assert first["below"] == ["a/A", "b/B"]
        assert first["main"] == pytest.approx(9_600)
        assert first["unaccounted"] == pytest.approx(96 * 30)
        assert first["share"] == pytest.approx(0.3)
        assert first["significant"] is None  # the class of B is not known
        judgements.set_plate(
            conn, park.meters["B"], accuracy_class=1.0, rated_per_h=None, source="plate"
        )
        park.totals()
        half, sub, whole, _ = balances(conn, known, *days)
        # 2 √((0.5 % · 9600)² + (1 % · 3840)² + (1 % · 2880)²) / √3, by hand
        assert whole["uncertainty"] == pytest.approx(78.4, abs=0.05)
        assert whole["significant"]
        assert (half["meter"], half["unaccounted"]) == ("a/A", None)
        assert sub["unaccounted"] == pytest.approx(96 * 25)
        month = balances(conn, known, *days, grain="month")[-1]
        assert month["unaccounted"] == pytest.approx(2 * 96 * 30)


def test_a_balance_without_a_part_is_unknown(database: str) -> None:
    park = Park(database)
    park.place("A", "main", "G")
    park.place("B", "main", "G")
    with connect(database, autocommit=True) as conn:
        conn.execute(
            "DELETE FROM core.reading r USING core.channel c WHERE "
            "c.channel_id = r.channel_id AND c.subject_id = %s AND r.at > %s",
            (park.meters["B"], START + DAY / 2),
        )
        park.totals()
        days = START.date(), (START + DAY).date()
        (row,) = balances(conn, registry.park(conn, "p"), *days)
    assert (row["unaccounted"], row["parts"]) == (None, None)
    assert row["coverage"] == pytest.approx(0.5)


def test_no_circle_and_no_other_park(database: str) -> None:
    park = Park(database)
    park.place("A", "main", "G")
    with pytest.raises(Invalid, match="below this one"):
        park.place("G", "main", "A")
    with pytest.raises(Invalid, match="none of main"):
        park.place("A", "grid", None)
    with connect(database, autocommit=True) as conn:
        other = registry.add_park(conn, "q", zone="UTC", region="CN-JS")
        enterprise = registry.add_enterprise(conn, other, "x")
        meter = registry.add_meter(conn, other, enterprise, "X")
        with pytest.raises(Invalid, match="another park"):
            relations.place_meter(
                conn, meter, "main", park.meters["G"], START, source="test"
            )


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(data=st.data())
def test_the_time_lines_are_what_the_database_says_at_each_instant(
    data: st.DataObject, database: str
) -> None:
    """Python paints what counts over time, SQL answers for one instant."""
    when = st.integers(0, 6).map(lambda n: START + n * DAY)
    with connect(database) as conn:
        park = registry.add_park(conn, "p", zone="UTC", region="CN-JS")
        owners = [registry.add_enterprise(conn, park, code) for code in "abc"]
        meters = [registry.add_meter(conn, park, owners[0], f"M{n}") for n in range(4)]
        conn.execute("UPDATE core.meter SET confirmed_at = now() WHERE code <> 'M3'")
        if data.draw(st.booleans()):  # one that is not confirmed measures nothing
            conn.execute("UPDATE core.meter SET confirmed_at = now()")
        what = st.sampled_from(
            [
                ("energy_import", "register"),
                ("energy_export", "delta"),
                ("power", "gauge"),
                ("water", "delta"),
            ]
        )
        for meter in meters:
            for quantity, kind in data.draw(st.sets(what)):
                registry.add_channel(conn, meter, quantity, kind)
        for meter in data.draw(st.sets(st.sampled_from(meters))):
            conn.execute(
                "INSERT INTO core.assignment (meter_id, enterprise_id, valid_from, source)"
                " VALUES (%s, %s, %s, 'test')",
                (meter, data.draw(st.sampled_from(owners)), START),
            )
        for _ in range(data.draw(st.integers(0, 12))):
            begin, end = data.draw(when), data.draw(st.none() | when)
            if end is not None and end <= begin:
                continue
            meter = data.draw(st.sampled_from(meters))
            if data.draw(st.booleans()):
                conn.execute(
                    "INSERT INTO core.assignment "
                    "(meter_id, enterprise_id, valid_from, valid_to, source) "
                    "VALUES (%s, %s, %s, %s, 'test')",
                    (meter, data.draw(st.sampled_from(owners)), begin, end),
                )
            else:
                parent = data.draw(st.none() | st.sampled_from(meters))
                conn.execute(
                    "INSERT INTO core.placement "
                    "(meter_id, role, parent_id, valid_from, valid_to, source) "
                    "VALUES (%s, %s, %s, %s, %s, 'test')",
                    (
                        meter,
                        data.draw(st.sampled_from(relations.ROLES)),
                        None if parent == meter else parent,
                        begin,
                        end,
                    ),
                )
        tree = Tree(
            places=segments(relations.placements(conn, park)),
            measured={c.measures for c in relations.counted_channels(conn, park)},
        )
        of_enterprises, of_park = counting(
            relations.assignments(conn, park), tree, park
        )
        for n, flow in itertools.product(range(7), ("electricity", "water")):
            at = START + n * DAY
            rows = conn.execute(
                "SELECT meter_id, enterprise_id, of_park FROM core.counting(%s, %s)",
                (at, flow),
            ).fetchall()
            said = {row[0]: (row[1], row[2]) for row in rows}
            for meter in meters:
                expected = said.get(meter, (None, False))
                mine = _now(of_enterprises.get((meter, flow), []), at)
                whole = _now(of_park.get((meter, flow), []), at) == park
                assert (mine, whole) == expected
        conn.rollback()


def _now(painted: Segments[int], at: datetime) -> int | None:
    found = None
    for begin, value in painted:
        if begin <= to_us(at):
            found = value
    return found
