"""The meter tree hides what is measured again, not what else is measured below."""

import random
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial

import numpy as np
import pytest

from analytics.jobs import service
from analytics.jobs.balancing import balances
from analytics.jobs.figures import figures
from analytics.jobs.validity import Tree, counting
from analytics.jobs.vintage import Vintage
from store import browse, formulas, live, registry, relations
from store.batches import write_batch
from store.database import connect
from store.quantities import QUANTITIES
from store.readings import NO_UNTIL, Rows, to_us
from store.records import Validity

START = datetime(2026, 1, 31, tzinfo=UTC)  # two days over the end of a month
DAY = timedelta(days=1)
QUARTERS = 2 * 96
MINUTE_US = 60_000_000
# of each quarter hour
USED = {
    ("G", "energy_import"): 100.0,
    ("G", "energy_export"): 8.0,
    ("A", "energy_import"): 60.0,
    ("A1", "energy_import"): 25.0,
    ("A1", "energy_export"): 3.0,
    ("A1", "pv_generation"): 12.0,
    ("GAS", "natural_gas"): 5.0,
    ("H2O", "water"): 2.0,
    ("PV", "pv_generation"): 9.0,
    ("PV", "energy_export"): 1.0,
    ("COUNT", "water"): 4.0,
}
Step = Callable[[], None]


class Park:
    """Meters that say what they are asked to, of the enterprises op, a and b."""

    def __init__(self, url: str, code: str = "p") -> None:
        self.url, self.code = url, code
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, code, zone="UTC", region="CN-JS")
            self.owners = {
                each: registry.add_enterprise(conn, self.park, each)
                for each in ("op", "a", "b")
            }

    def meter(self, code: str) -> int:
        owner = self.owners["op" if code == "G" else "a"]
        with connect(self.url, autocommit=True) as conn:
            return registry.add_meter(conn, self.park, owner, code)

    def confirm(
        self, code: str, owner: str = "a", since: datetime = relations.BEGINNING
    ) -> None:
        with connect(self.url, autocommit=True) as conn:
            relations.confirm_meter(
                conn, self.meter(code), self.owners[owner], source="test", since=since
            )

    def assign(self, code: str, owner: str, since: datetime) -> None:
        with connect(self.url, autocommit=True) as conn:
            relations.assign_meter(
                conn, self.meter(code), self.owners[owner], since, None, source="test"
            )

    def place(
        self,
        code: str,
        parent: str | None,
        role: str = "main",
        since: datetime = START,
        until: datetime | None = None,
    ) -> None:
        above = None if parent is None else self.meter(parent)
        with connect(self.url, autocommit=True) as conn:
            relations.place_meter(
                conn, self.meter(code), role, above, since, until, source="test"
            )

    def say(self, code: str, quantity: str, kind: str = "register") -> None:
        """Two days of readings by the quarter hour; import by the minute about noon."""
        used = USED.get((code, quantity), 7.0)
        with connect(self.url, autocommit=True) as conn:
            channel = relations.add_meter_channel(
                conn, self.meter(code), quantity, kind
            )
            minute = np.arange(QUARTERS + 1) * 15
            if quantity == "energy_import" and kind == "register":
                minute = np.union1d(minute, np.arange(11 * 60, 13 * 60))
            at = to_us(START) + minute * MINUTE_US
            value = used * minute / 15 if kind == "register" else used
            until = at + 15 * MINUTE_US if kind == "delta" else NO_UNTIL
            rows = Rows(
                np.full(at.size, channel, np.int64),
                at,
                np.broadcast_to(value, at.shape).astype(np.float64),
                np.broadcast_to(until, at.shape).astype(np.int64),
            )
            with conn.transaction():
                write_batch(
                    conn,
                    rows,
                    [],
                    parks={channel: self.park},
                    totals=set() if kind == "gauge" else {channel},
                    source="test",
                    parser="test/1",
                    messages=1,
                )

    def formula(self, code: str, text: str) -> None:
        with connect(self.url, autocommit=True) as conn:
            formulas.add_virtual(
                conn,
                self.park,
                self.owners["a"],
                code,
                quantity="energy_import",
                formula=text,
                role="main",
                source="test",
            )

    def analyse(self) -> None:
        service.run(self.url, threading.Event(), once=True)

    def add_up_anew(self) -> None:
        """Let all totals be made again, whatever was marked."""
        with connect(self.url, autocommit=True) as conn:
            conn.execute(
                "INSERT INTO dirty (park_id, channel_id, start, stop, settled) "
                "SELECT %s, channel_id, '2000-01-01Z', '2100-01-01Z', true "
                "FROM channel WHERE kind = 'total' AND subject_id = %s",
                (self.park, self.park),
            )
        self.analyse()

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """All that was derived of meters and totals, by codes."""
        with connect(self.url) as conn:
            sliding = conn.execute(
                """
                SELECT coalesce(e.code, 'park'), m.code, d.start, d.kw, d.after_s
                FROM demand_sliding d
                LEFT JOIN meter m ON m.meter_id = d.subject_id
                LEFT JOIN enterprise e ON e.enterprise_id
                    = coalesce(m.enterprise_id, d.subject_id)
                WHERE %(park)s IN (d.subject_id, m.park_id, e.park_id)
                ORDER BY 1, 2, 3
                """,
                {"park": self.park},
            ).fetchall()
            return {"demand_sliding": sliding} | {
                name: conn.execute(
                    f"""
                    SELECT coalesce(e.code, 'park'), m.code, c.quantity, t.start,
                           t.amount, t.measured_s, t.estimated_s, t.expected_s
                    FROM {name} t JOIN channel c USING (channel_id)
                    LEFT JOIN meter m ON m.meter_id = c.subject_id
                    LEFT JOIN enterprise e ON e.enterprise_id
                        = coalesce(m.enterprise_id, c.subject_id)
                    WHERE %(park)s IN (c.subject_id, m.park_id, e.park_id)
                    ORDER BY 1, 2, 3, 4
                    """,
                    {"park": self.park},
                ).fetchall()
                for name in ("usage_15min", "usage_day", "usage_month")
            }

    def totals(self, day: int = 0) -> dict[str, dict[str, float]]:
        """Amount of a quarter hour of each total on a day, by its mean."""
        begin = START + day * DAY
        found: dict[str, dict[str, float]] = {}
        for owner, meter, quantity, start, amount, *_ in self.tables()["usage_day"]:
            if meter is None and start == begin:
                found.setdefault(str(owner), {})[str(quantity)] = (
                    float(str(amount)) / 96
                )
        return found


def full(park: Park) -> list[Step]:
    """All that is said of a park, each step on its own."""
    joins = {"G": "op", "A": "a", "A1": "a", "GAS": "a", "PV": "a"}

    def join_count() -> None:  # one row of a meter after the other is their order
        park.confirm("COUNT")
        park.assign("COUNT", "b", START + DAY / 2)

    def place_gas() -> None:
        park.place("GAS", "A1")
        park.place("GAS", "A", since=START + DAY)

    return [
        *(partial(park.confirm, code, owner) for code, owner in joins.items()),
        partial(park.confirm, "H2O", "a", START + DAY / 4),
        join_count,
        *(partial(park.say, *each) for each in USED),
        partial(park.say, "H2O", "energy_export", "delta"),
        partial(park.say, "A", "power", "gauge"),
        partial(park.place, "G", None, "park"),
        partial(park.place, "A", "G"),
        partial(park.place, "A1", "H2O", "main", START + DAY / 2),
        partial(park.place, "H2O", "A"),
        partial(park.place, "PV", "A1"),
        partial(park.place, "COUNT", "H2O", "main", START, START + 1.5 * DAY),
        place_gas,
    ]


def near(found: Mapping[str, Mapping[str, float]]) -> object:
    return {key: pytest.approx(value) for key, value in found.items()}


@pytest.fixture
def park(plain_database: str) -> Park:
    return Park(plain_database)


def main_with_everything_below(park: Park) -> None:
    """An enterprise's meter of electricity, and below it all else that it has."""
    for code in ("A", "GAS", "H2O", "PV", "A1"):
        park.confirm(code)
        if code != "A":
            park.place(code, "A")
    for code, quantity in (
        ("A", "energy_import"),
        ("A1", "energy_import"),
        ("A1", "energy_export"),
        ("GAS", "natural_gas"),
        ("H2O", "water"),
        ("PV", "pv_generation"),
        ("PV", "energy_export"),
    ):
        park.say(code, quantity)


def test_what_else_is_measured_below_a_meter_of_electricity_counts(park: Park) -> None:
    main_with_everything_below(park)
    park.analyse()
    once = {"energy_import": 60.0, "natural_gas": 5, "water": 2, "pv_generation": 9}
    assert park.totals() == near({"a": once, "park": once})
    with connect(park.url) as conn:
        for enterprise in ("a", None):
            subject = registry.subject(conn, "p", enterprise)
            for known_on in (None, datetime.now(UTC)):  # stored, and from the readings
                found = figures(
                    conn,
                    subject,
                    date(2026, 1, 31),
                    date(2026, 2, 2),
                    known_on=None if known_on is None else Vintage.of(known_on),
                )
                assert found["energy_kwh"] == pytest.approx(60 * QUARTERS)
                assert {
                    name: each["amount"] for name, each in found["amounts"].items()
                } == pytest.approx({name: n * QUARTERS for name, n in once.items()})
                assert found["coverage"] == pytest.approx(1.0)


# By hand. Electricity: G is the park's. A, below it, counts for a; A1 counts for a and the park
# up to noon of the first day, then it is below H2O, which exports; that and PV's export are
# below meters of a. Generation: A1 has none above, PV is below A1. Water: H2O has none
# above and counts from six o'clock on; COUNT is below it: before six, when that is nobody's,
# it counts for a, from noon of the first day on for b, and from noon of the second day on,
# being alone, for the park too. Gas has none above anywhere.
EXPECTED: list[dict[str, dict[str, float]]] = [
    {
        "a": {
            "energy_import": 60 + 25 / 2,
            "energy_export": 3 / 2,
            "pv_generation": 12,
            "natural_gas": 5,
            "water": 2 * 3 / 4 + 4 / 4,
        },
        "b": {"water": 4 / 2},
        "park": {
            "energy_import": 100 + 25 / 2,
            "energy_export": 8 + 3 / 2,
            "pv_generation": 12,
            "natural_gas": 5,
            "water": 2 * 3 / 4,
        },
    },
    {
        "a": {"energy_import": 60, "pv_generation": 12, "natural_gas": 5, "water": 2},
        "b": {"water": 4},
        "park": {
            "energy_import": 100,
            "energy_export": 8,
            "pv_generation": 12,
            "natural_gas": 5,
            "water": 2 + 4 / 2,
        },
    },
]


@pytest.mark.parametrize("seed", [0, 6])
def test_the_order_in_which_meters_places_and_quantities_come_does_not_matter(
    timescale_database: str, seed: int
) -> None:
    """One park hears all of it first; the other is analysed between the steps."""
    park = Park(timescale_database)
    for step in full(park):
        step()
    park.analyse()
    assert park.totals(0) == near(EXPECTED[0])
    assert park.totals(1) == near(EXPECTED[1])
    sliding = park.tables()["demand_sliding"]
    kw = {(owner, at): kw for owner, meter, at, kw, _ in sliding if meter is None}
    noon = START + DAY / 2
    assert kw["a", noon - DAY / 24] == pytest.approx(4 * (60 + 25))
    assert kw["a", noon + DAY / 48] == pytest.approx(4 * 60)
    other = Park(timescale_database, "q")
    steps = full(other)
    random.Random(seed).shuffle(steps)
    for step in steps:
        step()
        other.analyse()
        found = other.tables()
        other.add_up_anew()
        assert found == other.tables()  # at each step as if all was known before
    assert found == park.tables()


def test_the_first_quantity_of_a_parent_comes_late(park: Park) -> None:
    park.confirm("G", "op")
    park.confirm("A")
    park.place("A", "H2O")
    park.place("H2O", "G")
    park.say("A", "energy_import")
    park.analyse()
    alone = {"energy_import": 60}
    assert park.totals() == near({"a": alone, "park": alone})
    park.say("G", "water")  # another flow: nothing is as it was not
    park.analyse()
    water = {"water": 7}
    assert park.totals() == near({"a": alone, "op": water, "park": alone | water})
    park.say("G", "energy_export")  # two above, and between them one that is not known
    park.analyse()
    assert park.totals() == near(
        {
            "a": alone,
            "op": water | {"energy_export": 8},
            "park": water | {"energy_export": 8},
        }
    )
    park.say(
        "H2O", "energy_import", "delta"
    )  # it counts nowhere before it is confirmed
    park.analyse()
    assert park.totals()["a"] == pytest.approx(alone)
    park.confirm("H2O")
    park.analyse()
    assert park.totals()["a"] == pytest.approx({"energy_import": 7})


def test_a_meter_above_that_is_confirmed_late_stands_there_at_all_times(
    park: Park,
) -> None:
    park.confirm("A")
    park.place("A", "H2O")
    park.say("A", "energy_import")
    with connect(park.url, autocommit=True) as conn:  # it has said nothing yet
        relations.add_meter_channel(conn, park.meter("H2O"), "energy_import", "delta")
    park.analyse()
    assert park.totals(0)["park"] == pytest.approx({"energy_import": 60})
    park.confirm("H2O", since=START + DAY)
    park.analyse()
    assert park.totals(0) == near({"a": {"energy_import": 60}})  # as a parent of nobody
    assert park.totals(1) == {}


def test_a_place_waits_for_a_quantity_that_is_being_made_above(park: Park) -> None:
    """Else the job could see the place alone, and nothing would mark what is below."""
    park.confirm("A")
    park.confirm("H2O")
    park.say("A", "energy_import")
    with connect(park.url) as conn:
        relations.add_meter_channel(conn, park.meter("H2O"), "energy_export", "delta")
        other = threading.Thread(target=park.place, args=("A", "H2O"))
        other.start()
        other.join(0.2)
        assert other.is_alive()
        conn.commit()
        other.join(10)
    park.analyse()
    assert park.totals() == {}


def test_a_total_that_nothing_counted_in_fills_when_a_meter_is_placed(
    park: Park,
) -> None:
    park.confirm("GAS")
    park.place("GAS", None, "check")
    park.say("GAS", "natural_gas")
    park.analyse()
    assert park.totals() == {}
    park.place("GAS", None, "main", START + DAY)
    park.analyse()
    assert park.totals(0) == {}
    assert park.totals(1) == near({"a": {"natural_gas": 5}, "park": {"natural_gas": 5}})


def test_a_virtual_meter_above_measures_too(park: Park) -> None:
    park.confirm("A1")
    park.place("A1", "SUM")
    park.say("A1", "energy_import")
    park.analyse()
    assert park.totals()["a"] == {"energy_import": 25}
    park.formula("SUM", "2 a/A1")
    park.analyse()
    assert park.totals() == near(
        {"a": {"energy_import": 50}, "park": {"energy_import": 50}}
    )


def test_a_meter_of_power_alone_stands_above_where_power_is_asked_for(
    park: Park,
) -> None:
    park.confirm("G", "op")
    park.confirm("A")
    park.place("A", "G")
    park.say("G", "power", "gauge")
    for quantity, kind in (("energy_import", "register"), ("power", "gauge")):
        park.say("A", quantity, kind)
    park.say("A", "water_flow", "gauge")
    park.analyse()
    energy = {"energy_import": 60}
    assert park.totals() == near({"a": energy, "park": energy})
    now = START + 2 * DAY
    with connect(park.url) as conn:
        found = browse.power_now(conn, park.park, now - DAY, now)
        assert [(each.meter, each.enterprise, each.of_park) for each in found] == [
            ("A", "a", False),
            ("G", "op", True),
        ]
        seen = live.last_readings(conn, park.park, START)
        assert {(each.meter, each.quantity): each.counts for each in seen} == {
            ("A", "energy_import"): True,
            ("A", "power"): True,
            ("A", "water_flow"): True,
            ("G", "power"): True,
        }
        said = conn.execute(
            "SELECT meter, enterprise, of_park FROM grafana.meter_power ORDER BY 1"
        ).fetchall()
    assert said == [("A", "a", False), ("G", "op", True)]


def test_a_balance_passes_meters_that_do_not_measure_the_flow(park: Park) -> None:
    for code in ("A", "A1", "H2O", "GAS"):
        park.confirm(code)
    park.place("H2O", "A")
    park.place("A1", "H2O", "sub")
    park.place("GAS", "A")
    for code, quantity in (
        ("A", "energy_import"),
        ("A1", "energy_import"),
        ("H2O", "water"),
        ("GAS", "natural_gas"),
    ):
        park.say(code, quantity)
    park.analyse()
    with connect(park.url) as conn:
        known = registry.park(conn, "p")
        (row,) = balances(conn, known, date(2026, 1, 31), date(2026, 2, 1))
        assert (row["meter"], row["below"]) == ("a/A", ["a/A1"])
        assert row["unaccounted"] == pytest.approx(96 * 35)
        assert (
            balances(conn, known, date(2026, 1, 31), date(2026, 2, 1), quantity="water")
            == []
        )


def _placed(
    *above: tuple[int, int | None],
) -> dict[int, list[tuple[int, tuple[str, int | None] | None]]]:
    return {meter: [(0, ("main", parent))] for meter, parent in above}


def test_a_circle_or_a_long_chain_ends() -> None:
    circle = _placed((1, 2), (2, 3), (3, 1), (4, 3))
    water = {(1, "water"), (4, "water"), (4, "heat")}
    tree = Tree(places=circle, measured=water)
    assert tree.above(1, "water", 5) is None  # not itself
    assert tree.above(4, "water", 5) == 1
    assert tree.above(4, "heat", 5) is None
    assert tree.ever_above(4) == {1, 2, 3}
    long = _placed(*((n, n + 1) for n in range(5000)))
    tree = Tree(places=long, measured={(0, "heat"), (5000, "heat")})
    assert tree.above(0, "heat", 0) == 5000
    owner = Validity(
        key=0,
        value=7.0,
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=None,
        recorded_at=START,
    )
    of_enterprises, of_park = counting([owner], tree, 1)
    assert of_enterprises[0, "heat"] == [(0, 7)]
    assert of_park[0, "heat"] == [(0, None)]


def test_a_circle_ends_in_the_database_too(park: Park) -> None:
    for code, above in (("A", "A1"), ("A1", "PV"), ("PV", "A")):
        park.confirm(code)
        with connect(park.url, autocommit=True) as conn:
            conn.execute(
                "INSERT INTO core.placement (meter_id, role, parent_id, valid_from, source)"
                " VALUES (%s, 'main', %s, %s, 'test')",
                (park.meter(code), park.meter(above), START),
            )
    park.say("A", "energy_import")
    park.place("GAS", "A")
    park.confirm("GAS")
    park.say("GAS", "natural_gas")
    park.analyse()
    both = {"energy_import": 60, "natural_gas": 5}
    assert park.totals() == near({"a": both, "park": both})


def test_flows_of_the_catalogue() -> None:
    """What is exchanged with what lies above is one flow, each other one its own."""
    flows: dict[str, list[str]] = {}
    for name, each in QUANTITIES.items():
        if each.kind == "register":
            flows.setdefault(each.flow, []).append(name)
    several = {flow: names for flow, names in flows.items() if len(names) > 1}
    reactive = [f"reactive_energy_q{n}" for n in range(1, 5)]
    assert several == {
        "electricity": ["energy_import", "energy_export", *reactive],
        "steam": ["steam", "steam_export"],
        "heat": ["heat", "heat_export"],
        "storage": ["storage_charge", "storage_discharge"],
    }
    assert QUANTITIES["pv_power"].flow == "pv_generation"
    assert QUANTITIES["charging_energy"].flow == QUANTITIES["charging_power"].flow
    assert QUANTITIES["power"].flow == "electricity"
