"""Monitors that tell concentrations and flows: their loads, by hand."""

import random
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from analytics.jobs import explaining, service
from analytics.jobs.figures import figures
from store import live, parentage, policies, registry, relations, revisions
from store.batches import write_batch
from store.database import connect
from store.parentage import Window
from store.readings import NO_UNTIL, Rows, to_us

pytestmark = pytest.mark.db

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = date(2026, 3, 1)
QUARTER = timedelta(minutes=15)


class Outlet:
    """A meter Q of enterprise a, of gauges that tell what they are asked to."""

    def __init__(self, url: str) -> None:
        self.url = url
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, "p", zone="UTC", region="CN-JS")
            owner = registry.add_enterprise(conn, self.park, "a")
            self.meter = registry.add_meter(conn, self.park, owner, "Q")
            relations.confirm_meter(conn, self.meter, owner, source="t", since=START)

    def channel(self, quantity: str, kind: str = "gauge") -> int:
        with connect(self.url, autocommit=True) as conn:
            return relations.add_meter_channel(conn, self.meter, quantity, kind)

    def tell(self, channel: int, values: dict[int, float], step: timedelta) -> None:
        """Store a channel's readings, by how many steps after the start they are."""
        at = [to_us(START + place * step) for place in values]
        rows = Rows(
            np.full(len(at), channel, np.int64),
            np.array(at, np.int64),
            np.array(list(values.values()), np.float64),
            np.full(len(at), NO_UNTIL, np.int64),
        )
        with connect(self.url) as conn:
            write_batch(
                conn, rows, [], parks={channel: self.park}, totals={channel},
                source="test", parser="test/1", messages=1,
            )  # fmt: skip

    def compute(self) -> None:
        service.run(self.url, threading.Event(), once=True)

    def day(self, quantity: str = "cod", **more: Any) -> dict[str, Any] | None:
        """Give an amount of the first day, and how much of it is known."""
        with connect(self.url, autocommit=True) as conn:
            told = figures(
                conn, registry.subject(conn, "p", "a"), DAY, DAY + timedelta(1), **more
            )
        found: dict[str, Any] | None = told["amounts"].get(quantity)
        return found


def test_a_day_of_concentrations_and_flows(timescale_database: str) -> None:
    outlet = Outlet(timescale_database)
    cod = outlet.channel("cod_concentration")
    assert outlet.day() is None
    flow = outlet.channel("wastewater_flow")
    # 10 m³/h at 50 mg/l are 0.5 kg/h; from noon 20 m³/h at 80 mg/l 1.6 kg/h
    flows = {i: 10.0 if i < 48 else 20.0 for i in range(97)}
    outlet.tell(flow, flows, QUARTER)
    # every two hours
    outlet.tell(cod, {i: 50.0 if i < 6 else 80.0 for i in range(13)}, 8 * QUARTER)
    outlet.compute()
    told = outlet.day()
    assert told is not None
    assert told["unit"] == "kg"
    assert told["amount"] == pytest.approx(12 * 0.5 + 12 * 1.6)
    assert told["coverage"] == pytest.approx(1)
    before = datetime.now(UTC)
    # a value that was wrong: from 10 to 12 o'clock 150 mg/l, 1 kg/h more for two hours
    with connect(timescale_database, autocommit=True) as conn:
        revisions.add_revision(
            conn, cod, START + 40 * QUARTER, 150.0, who="Clerk One", why="calibrated"
        )
    outlet.compute()
    told = outlet.day()
    assert told is not None
    assert told["amount"] == pytest.approx(12 * 0.5 + 12 * 1.6 + 2)
    told = outlet.day(known_on=before)
    assert told is not None
    assert told["amount"] == pytest.approx(12 * 0.5 + 12 * 1.6)
    with connect(timescale_database, autocommit=True) as conn:
        rows = live.last_readings(conn, outlet.park, START)
        assert {(each.quantity, each.counts) for each in rows} == {
            ("cod_concentration", True),
            ("wastewater_flow", True),
        }


def test_silence_is_not_known_and_order_does_not_matter(
    timescale_database: str,
) -> None:
    outlet = Outlet(timescale_database)
    so2 = outlet.channel("so2_concentration")
    flow = outlet.channel("flue_gas_flow")
    drawn = random.Random(5)
    flows = {i: 1000.0 * drawn.randint(1, 9) for i in range(97)}
    parts = {i: float(drawn.randint(1, 90)) for i in range(97)}
    silent = range(40, 52)  # from 10 o'clock on for three hours
    for i in silent:
        flows.pop(i)
    pieces = [(flow, {i: each}) for i, each in flows.items()]
    pieces += [(so2, {i: each}) for i, each in parts.items()]
    drawn.shuffle(pieces)
    for number, (channel, value) in enumerate(pieces):
        outlet.tell(channel, value, QUARTER)
        if number % 60 == 0:
            outlet.compute()
    outlet.compute()
    # a flow stands for a quarter hour: what 9:45 told, to 10:00
    by_hand = sum(flows[i] * parts[i] * 0.25e-6 for i in range(96) if i in flows)
    told = outlet.day("so2")
    assert told is not None
    assert told["amount"] == pytest.approx(by_hand)
    assert told["coverage"] == pytest.approx(84 / 96)
    assert told["estimated_share"] == 0
    anew = outlet.day("so2", known_on=datetime.now(UTC))
    assert anew is not None
    assert anew["amount"] == told["amount"]


def test_a_monitor_that_counts_masses_is_believed(timescale_database: str) -> None:
    outlet = Outlet(timescale_database)
    outlet.tell(outlet.channel("nox_concentration"), {0: 1e6, 96: 1e6}, QUARTER)
    outlet.tell(
        outlet.channel("flue_gas_flow"), dict.fromkeys(range(97), 1000.0), QUARTER
    )
    outlet.compute()
    told = outlet.day("nox")
    assert told is not None
    assert told["amount"] == pytest.approx(3 * 1000)  # kg, one a m³, for three hours
    register = outlet.channel("nox", "register")
    outlet.tell(register, {0: 10.0, 96: 12.5}, QUARTER)
    outlet.compute()
    told = outlet.day("nox")
    assert told is not None
    assert told["amount"] == pytest.approx(2.5)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("told", "kg"),
    [
        # 10 m³/h: 3 hours each at 0.5 and 0.8 kg/h, 18 at 0.6
        ({0: 50.0, 12: 80.0, **dict.fromkeys(range(24, 97, 12), 60.0)}, 14.7),
        # no flow and no concentration stands longer than 3 hours
        ({0: 50.0, 40: 80.0, 80: 60.0, 96: 60.0}, None),
    ],
)
def test_what_is_held_long_does_not_depend_on_order(
    timescale_database: str, told: dict[int, float], kg: float | None, backwards: bool
) -> None:
    outlet = Outlet(timescale_database)
    cod = outlet.channel("cod_concentration")
    flow = outlet.channel("wastewater_flow")
    with connect(outlet.url, autocommit=True) as conn:
        policies.set_policy(
            conn, outlet.meter, "measured_up_to_s", 43_200.0, source="t"
        )
    outlet.tell(flow, dict.fromkeys(told, 10.0), QUARTER)
    for place in sorted(told, reverse=backwards):
        outlet.tell(cod, {place: told[place]}, QUARTER)
        outlet.compute()
    for known_on in (None, datetime.now(UTC)):
        found = outlet.day(known_on=known_on)
        assert found is not None
        assert found["amount"] == (kg and pytest.approx(kg))


def test_a_late_flow_is_among_the_causes(timescale_database: str) -> None:
    outlet = Outlet(timescale_database)
    cod = outlet.channel("cod_concentration")
    flow = outlet.channel("wastewater_flow")
    outlet.tell(cod, {0: 50.0, 8: 50.0}, QUARTER)
    outlet.tell(flow, dict.fromkeys(range(4), 10.0), QUARTER)
    outlet.compute()
    before = datetime.now(UTC)
    outlet.tell(flow, dict.fromkeys(range(4, 9), 10.0), QUARTER)
    outlet.compute()
    with connect(outlet.url, autocommit=True) as conn:
        found = explaining.explain(
            conn,
            registry.subject(conn, "p", "a"),
            "amounts.cod",
            DAY,
            DAY + timedelta(1),
            known_on=datetime.now(UTC),
            compare_with=before,
        )
    # an hour and a quarter more at 0.5 kg/h, by five readings of the flow
    change = found["change"]
    assert change["change"] == pytest.approx(0.625)
    (cause,) = change["causes"]
    assert cause["kind"] == "readings"
    assert cause["readings"]["readings"] == 5


def test_a_batch_is_listed_once(timescale_database: str) -> None:
    outlet = Outlet(timescale_database)
    flow = outlet.channel("wastewater_flow")
    outlet.tell(flow, {0: 10.0, 4: 10.0}, QUARTER)
    for name in ("cod", "nh3_n"):
        outlet.tell(
            outlet.channel(f"{name}_concentration"), {0: 50.0, 4: 50.0}, QUARTER
        )
    outlet.compute()
    with connect(outlet.url, autocommit=True) as conn:
        a = registry.subject(conn, "p", "a")
        days = (DAY, DAY + timedelta(1))
        window = Window(start=START, stop=START + timedelta(1))
        # twice while it counts: what meets is one
        parts = [(outlet.meter, START, START + each * QUARTER) for each in (8, 16)]
        flows = ["cod", "nh3_n"]

        def told() -> tuple[int, int]:
            read = explaining.explain(conn, a, "amounts.cod", *days)["readings"]
            return read["readings"], read["batches"]

        assert told() == (4, 2)
        # both loads rest on one flow
        both = parentage.batches(conn, parts, flows, window)
        assert (both.readings, both.batches) == (6, 3)
        rows = parentage.late_batches(conn, parts, window)
        assert sorted(each.what for each in rows) == [
            "cod_concentration: 2 readings by test/1",
            "nh3_n_concentration: 2 readings by test/1",
            "wastewater_flow: 2 readings by test/1",
        ]
        # once the monitor tells the mass, nothing rests on what it was reckoned from
        then = datetime.now(UTC)
        outlet.tell(outlet.channel("cod", "register"), {0: 1.0, 4: 2.0}, QUARTER)
        outlet.compute()
        assert told() == (2, 1)
        was = explaining.explain(conn, a, "amounts.cod", *days, known_on=then)
        assert was["readings"]["readings"] == 4
        rows = parentage.late_batches(conn, parts, window)
        assert sorted(each.what for each in rows) == [
            "cod: 2 readings by test/1",
            "nh3_n_concentration: 2 readings by test/1",
            "wastewater_flow: 2 readings by test/1",
        ]
