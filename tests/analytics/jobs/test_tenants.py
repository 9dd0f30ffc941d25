"""Peaks of a park whose tenants come, are unknown, are corrected and move on."""

import threading
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import service, tariffs
from analytics.jobs.peaking import peak_figures
from analytics.registers import QUARTER_US
from store import demand_rules, registry, relations, statements
from store.batches import write_batch
from store.database import Connection, connect
from store.readings import NO_UNTIL, Rows, to_us
from store.readings import to_datetime as at
from store.revisions import add_revision

ZONE = ZoneInfo("Asia/Kolkata")
SUBJECTS = ((), ("S",), ("T",), ("T", "MT"))


class Tenants:
    """Two tenants, read each quarter hour of ten local days; T comes on the sixth."""

    FIRST, LAST, COMES = date(2026, 3, 2), date(2026, 3, 12), 5 * 96
    START = to_us(datetime(2026, 3, 2, tzinfo=ZONE))

    def __init__(self, url: str, known_from: int = COMES) -> None:
        self.url = url
        # kWh of each quarter hour: S 10 kW and once 50, T 20 kW and once 60 and 80
        self.used = {"S": np.full(960, 2.5), "T": np.full(960, 5.0)}
        self.used["S"][100] = 12.5
        self.used["T"][700], self.used["T"][10] = 15.0, 20.0
        with connect(url, autocommit=True) as conn:
            tariffs.load(conn)
            self.park = registry.add_park(conn, "p", zone=str(ZONE), region="CN-JS")
            self.meters, self.channels = {}, {}
            for code, begin in (("S", 0), ("T", self.COMES)):
                owner = registry.add_enterprise(conn, self.park, code)
                meter = registry.add_meter(conn, self.park, owner, f"M{code}")
                since = at(self.START + begin * QUARTER_US)
                relations.confirm_meter(conn, meter, owner, source="test", since=since)
                self.meters[code] = meter
                self.channels[code] = relations.add_meter_channel(
                    conn, meter, "energy_import", "register"
                )
        self.read("S", 0, 961)
        self.read("T", known_from, 961)

    def read(self, code: str, low: int, high: int) -> None:
        key = self.channels[code]
        value = np.concatenate([[0.0], np.cumsum(self.used[code])])[low:high]
        when = self.START + np.arange(low, high) * QUARTER_US
        of_key = np.full(when.size, key, np.int64)
        until = np.full(when.size, NO_UNTIL, np.int64)
        with connect(self.url, autocommit=True) as conn, conn.transaction():
            write_batch(
                conn,
                Rows(of_key, when, value, until),
                [],
                parks={key: self.park},
                totals={key},
                source="test",
                parser="test/1",
                messages=1,
            )

    def ask(self, *names: str, **more: Any) -> dict[str, Any]:
        with connect(self.url, autocommit=True) as conn:
            subject = registry.subject(conn, "p", *names)
            return peak_figures(conn, subject, self.FIRST, self.LAST, **more)

    def analyse(self) -> None:
        service.run(self.url, threading.Event(), once=True)


@pytest.mark.db
@pytest.mark.parametrize("known_from", [Tenants.COMES, 0])
def test_a_tenant_that_moved_in_has_its_own_peak_and_its_share(
    database: str, known_from: int
) -> None:
    tenants = Tenants(database, known_from)  # read before it counted, or not
    tenants.analyse()
    made = tenants.ask(charge=1000.0)["made_by"]
    # by hand: park's peak 10 + 60 kW; own peaks 50 and 60; nothing unmetered
    assert made["kw"] == 70.0
    assert datetime.fromisoformat(made["start"]) == at(Tenants.START + 700 * QUARTER_US)
    parts = {each["enterprise"]: each for each in made["parts"]}
    assert [parts[each]["own_kw"] for each in ("S", "T", None)] == [50, 60, 0]
    assert [parts[each]["coverage"] for each in ("S", "T", None)] == [1, 1, 1]
    assert made["coincidence"] == pytest.approx(70 / 110)
    # orders S T and T S: S adds 50 or 10 to what is there, T 20 or 60
    cny = [
        [parts[each]["charge_cny"][method] for each in ("S", "T", None)]
        for method in ("coincident", "own", "shapley")
    ]
    assert cny == [[142.86, 857.14, 0], [454.55, 545.45, 0], [428.57, 571.43, 0]]


@pytest.mark.db
def test_a_tenant_unknown_while_it_counts_has_no_own_peak(database: str) -> None:
    tenants = Tenants(database, Tenants.COMES + 48)  # half a day of five
    with connect(database, autocommit=True) as conn:
        owner = registry.add_enterprise(conn, tenants.park, "whole")
        meter = registry.add_meter(conn, tenants.park, owner, "main")
        relations.confirm_meter(
            conn, meter, owner, source="test", since=at(Tenants.START)
        )
        tenants.channels["main"] = relations.add_meter_channel(
            conn, meter, "energy_import", "register"
        )
        relations.place_meter(
            conn, meter, "park", None, at(Tenants.START), source="test"
        )
        for each in tenants.meters.values():
            relations.place_meter(
                conn, each, "main", meter, at(Tenants.START), source="test"
            )
    counts = np.arange(960) >= Tenants.COMES
    tenants.used["main"] = tenants.used["S"] + counts * tenants.used["T"]
    tenants.read("main", 0, 961)
    tenants.analyse()
    made = tenants.ask(charge=1000.0)["made_by"]
    assert made["kw"] == 70.0  # of the park's own meter
    parts = {each["enterprise"]: each for each in made["parts"]}
    assert parts["T"]["kw"] == 60.0
    assert parts["T"]["coverage"] == pytest.approx(1 - 48 / 480)
    assert parts["T"]["own_kw"] is None
    assert made["coincidence"] is None
    assert parts["T"]["charge_cny"]["own"] is None
    # S and T are known of 95 % of all windows together
    assert parts["T"]["charge_cny"]["coincident"] == 857.14


@pytest.mark.db
def test_peaks_as_known_on_are_those_that_were_answered(database: str) -> None:
    tenants = Tenants(database, Tenants.COMES + 48)
    park = tenants.park

    def late(conn: Connection) -> None:
        tenants.read("T", Tenants.COMES, Tenants.COMES + 48)

    def revision(conn: Connection) -> None:
        key, when = tenants.channels["S"], at(Tenants.START + 101 * QUARTER_US)
        add_revision(conn, key, when, 255.0, who="someone", why="misread")

    def contract(conn: Connection) -> None:
        since = at(Tenants.START)
        statements.set_contract_demand(conn, park, 50.0, since, source="test")

    def rule(conn: Connection) -> None:
        since = at(Tenants.START)
        demand_rules.set_demand_rule(conn, park, 60, "fixed", since, source="test")

    def moved(conn: Connection) -> None:
        since, owner = at(Tenants.START + 800 * QUARTER_US), "N"
        relations.assign_meter(
            conn,
            tenants.meters["T"],
            registry.add_enterprise(conn, park, owner),
            since,
            None,
            source="test",
        )

    tenants.analyse()
    answered: list[tuple[datetime, list[dict[str, Any]]]] = []
    for change in (late, revision, contract, rule, moved):
        with connect(database, autocommit=True) as conn:
            (then,) = conn.execute("SELECT clock_timestamp()").fetchall()[0]
            assert isinstance(then, datetime)
            answered.append((then, [tenants.ask(*n, charge=1000.0) for n in SUBJECTS]))
            change(conn)
        tenants.analyse()
        assert tenants.ask(charge=1000.0) != answered[-1][1][0], change.__name__
    for then, before in answered:
        for names, said in zip(SUBJECTS, before, strict=True):
            asked = tenants.ask(*names, charge=1000.0, known_on=then)
            assert asked["as_known_on"] == then.isoformat()
            assert {**asked, "as_known_on": None} == said
    # the tenant that moved in, known from half a day later: its windows are too few
    made = answered[0][1][0]["made_by"]["parts"]
    assert [each["enterprise"] for each in made] == ["S", "T", None]
    assert made[1]["own_kw"] is None
