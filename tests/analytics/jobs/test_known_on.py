"""Of each table of statements: what was known earlier is told again, to the bit.

A figure is asked at K1, then something is stated at K2. As known on K1 it is the earlier
one, now it is another one, and where figures can be explained the change between names
the kind of cause and the row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from analytics.jobs import (
    activities,
    baselines,
    factors,
    intensities,
    ledger,
    onsiting,
    packs,
)
from analytics.jobs import tariffs as shipped_tariffs
from analytics.jobs.benchmark import benchmark
from analytics.jobs.billed import Assumed
from analytics.jobs.billing import bills
from analytics.jobs.budgets import budgets
from analytics.jobs.evaluating import evaluate
from analytics.jobs.explaining import explain
from analytics.jobs.recompute import run_once
from analytics.jobs.trajectory import trajectory
from store import (
    demand_rules,
    formulas,
    history,
    judgements,
    membership,
    policies,
    registry,
    relations,
    revisions,
    statements,
    targets,
    tariffs,
)
from store.batches import write_batch
from store.database import Connection, connect
from store.factors import record_factors
from store.readings import NO_UNTIL, Rows, to_us
from tests.analytics.jobs.conftest import turns
from tests.analytics.jobs.test_explaining import DAYS, JANUARY, SAYS, YEAR, Lab

pytestmark = pytest.mark.db

BEGIN = relations.BEGINNING
FEBRUARY = turns(YEAR)[1].astimezone(UTC)
NOON = (JANUARY + timedelta(hours=12)).astimezone(UTC)
# no statements on which figures rest, or held to the same by another test
BESIDE = {
    "park",  # its zone and region are given once
    "enterprise",  # its code
    "mapping",  # where messages belong, before they are readings
    "learned",
    "ownership",  # test_benchmark.py
}


class World(Lab):
    """Those of the lab, and one for each case that must not meet another."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        # each month 10 MWh, and 2 for each piece that is made
        pieces = [float(1 + n * 5 % 7) for n in range(6)]
        used: dict[str, list[float | None]] = {
            "energy_import": [1e4 + 2e3 * each for each in pieces],
            "pv_generation": [3000.0],
        }
        self.add("D", used, YEAR)
        for code in ("sold", "bought", "below", "read", "judged"):
            self.tell(code, [1.0] * 96)
        for code in ("fell", "rolled"):  # to 400, 960, and 50
            self.tell(code, [400.0, 560.0, -910.0])
        for code in ("C", "rated", "slow"):  # 10 kW, and once 50
            self.tell(code, [2.5] * 40 + [12.5] + [2.5] * 55)
        self.meter_of("quiet")
        self.waits = self.tell("E", [1.0] * 96, confirm=False)
        with connect(url, autocommit=True) as conn:
            shipped_tariffs.load(conn)
            packs.add(conn, OWN, who="Clerk One")
            self.d = self.of(conn, "D")
            for n, each in enumerate(pieces):
                driver(self, conn, n, each)
            baselines.define(conn, self.d, name="line", **BASELINE, **SAYS)
            contract(self, conn, 90.0, BEGIN)
            membership.state_size(conn, self.d.subject_id, YEAR, True, source="list")
            tariffs.set_billing(
                conn, self.d.subject_id, "CN-JS", "contract", DAYS[0], source="letter"
            )
        self.compute()

    def compute(self) -> None:
        """Compute what is dirty; nothing here rests on the accounts that are kept."""
        with connect(self.url, autocommit=True) as conn:
            while run_once(conn) is not None:
                pass

    def tell(self, code: str, used: list[float], confirm: bool = True) -> int:
        """Let a meter count by quarter hours from the first of January on."""
        meter = self.meter_of(code, confirm)
        with connect(self.url, autocommit=True) as conn:
            channel = relations.add_meter_channel(
                conn, meter, "energy_import", "register"
            )
        self.channels[code, "Q", "energy_import"] = channel
        at = to_us(JANUARY) + np.arange(len(used) + 1) * 900_000_000
        full = np.full(at.size, channel, np.int64)
        value = np.concatenate([[0.0], np.cumsum(used)])
        with connect(self.url) as conn:
            write_batch(
                conn,
                Rows(full, at, value, np.full(at.size, NO_UNTIL, np.int64)),
                [],
                parks={channel: self.park.park_id},
                totals={channel},
                source="test",
                parser="test/1",
                messages=1,
            )
        return meter

    def meter_of(self, code: str, confirm: bool = True) -> int:
        with connect(self.url, autocommit=True) as conn:
            owner = registry.add_enterprise(conn, self.park.park_id, code)
            meter = registry.add_meter(conn, self.park.park_id, owner, "M")
            if confirm:
                relations.confirm_meter(conn, meter, owner, source="t", since=BEGIN)
        return meter


State = Callable[[World, Connection], object]
Ask = Callable[[World, Connection, datetime | None], Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is stated, and what moves by it."""

    tables: tuple[str, ...]
    state: State
    ask: Ask
    # of a figure that can be explained: whose, which, when, the cause, words of its row
    code: str | None = None
    figure: str | None = None
    days: tuple[date, date] = DAYS
    kind: str = ""
    row: str = ""


def late(lab: World, _: Connection) -> None:
    lab.late("B", 3, 1500.0)


def channel(lab: World, _: Connection) -> None:
    lab.tell("quiet", [1.0] * 96, confirm=False)


def multiplier(lab: World, conn: Connection) -> None:
    relations.set_multiplier(
        conn,
        lab.meter(conn, "A"),
        ct=2.0,
        pt=1.0,
        valid_from=FEBRUARY,
        source="letter M",
    )


def assignment(lab: World, conn: Connection) -> None:
    to = lab.of(conn, "bought").subject_id
    relations.assign_meter(
        conn, lab.meter(conn, "sold"), to, NOON, None, source="deed of sale"
    )


def placement(lab: World, conn: Connection) -> None:
    relations.place_meter(
        conn,
        lab.meter(conn, "below"),
        "park",
        None,
        NOON,
        source="plan P",
    )


def formula(lab: World, conn: Connection) -> None:
    formulas.add_virtual(
        conn,
        lab.park.park_id,
        lab.of(conn, "bought").subject_id,
        "V",
        quantity="energy_import",
        formula="below/M",
        role="main",
        source="sketch",
    )


def confirmed(lab: World, conn: Connection) -> None:
    owner = lab.of(conn, "E").subject_id
    relations.confirm_meter(conn, lab.waits, owner, source="walk", since=BEGIN)


def digits(lab: World, conn: Connection) -> None:
    relations.set_digits(
        conn, lab.meter(conn, "rolled"), "energy_import", 3, source="its plate"
    )


def fall_policy(lab: World, conn: Connection) -> None:
    judgements.set_fall_policy(
        conn, lab.meter(conn, "fell"), "restart", source="letter of the maker"
    )


def plate(lab: World, conn: Connection) -> None:
    judgements.set_plate(
        conn,
        lab.meter(conn, "rated"),
        accuracy_class=1.0,
        rated_per_h=20.0,
        source="rating plate",
    )


def policy(lab: World, conn: Connection) -> None:
    policies.set_policy(
        conn, lab.meter(conn, "slow"), "measured_up_to_s", 60.0, source="letter P"
    )


def revision(lab: World, conn: Connection) -> None:
    channel = lab.channels["read", "Q", "energy_import"]
    revisions.add_revision(
        conn,
        channel,
        NOON + timedelta(hours=12),
        97.0,
        who="Reader One",
        why="read again",
    )


def judgement(lab: World, conn: Connection) -> None:
    judgements.judge(
        conn,
        lab.meter(conn, "judged"),
        "energy_import",
        NOON + timedelta(hours=12),
        "left out",
        who="Reader One",
        why="a misread digit",
    )


def rule(lab: World, conn: Connection) -> None:
    demand_rules.set_demand_rule(
        conn, lab.of(conn, "C").subject_id, 60, "fixed", BEGIN, source="contract 9"
    )


def factor(lab: World, conn: Connection) -> None:
    (row,) = [e for e in factors.shipped() if e["code"] == "grid_average/CN/2023"]
    record_factors(conn, [row | {"value": 0.54, "source": "corrigendum"}])


def added_value(lab: World, conn: Connection) -> None:
    statements.state_added_value(
        conn, lab.of(conn, "A").subject_id, *DAYS, 12.5, source="bureau, second"
    )


def activity(lab: World, conn: Connection) -> None:
    activities.state(
        conn,
        lab.of(conn, "C").subject_id,
        month=date(YEAR, 2, 1),
        item="diesel",
        use="burnt",
        amount=2.0,
        unit="t",
        **SAYS,
    )


def contract(
    lab: World, conn: Connection, kw: float = 150.0, since: datetime = FEBRUARY
) -> None:
    statements.set_contract_demand(
        conn, lab.d.subject_id, kw, since, source=f"contract of {kw} kW"
    )


def proof(lab: World, conn: Connection) -> None:
    key: dict[str, Any] = {
        "kind": "certificate",
        "reference": "GEC-1",
        "production_month": date(YEAR, 1, 1),
        "mwh": 1.0,
    }
    given: dict[str, Any] = {"technology": "wind", "evidence": "certificate 1"}
    ledger.record(conn, lab.park, **key, **given, **SAYS)
    ledger.match(conn, lab.park, "D", month=date(YEAR, 2, 1), **key, **SAYS)


def billing(lab: World, conn: Connection) -> None:
    tariffs.set_billing(
        conn, lab.d.subject_id, "CN-JS", "demand", JUNE[0], source="letter B"
    )


def tariff(lab: World, conn: Connection) -> None:
    (row,) = [e for e in shipped_tariffs.shipped() if e["code"] == "CN-GD"]
    row["energy_cny_per_kwh"][0]["price"] = 9.0
    tariffs.record_tariffs(conn, [row | {"source": "corrigendum"}])


def hot_day(lab: World, conn: Connection) -> None:
    tariffs.say_hot(conn, lab.park.park_id, JUNE[0], hot=True, source="weather")


def size(lab: World, conn: Connection) -> None:
    a = lab.of(conn, "A").subject_id
    membership.state_size(conn, a, YEAR, True, source="second list")


def industry(lab: World, conn: Connection) -> None:
    a = lab.of(conn, "A").subject_id
    membership.state_industry(conn, a, "3011", date(2020, 1, 1), source="list")


def target(lab: World, conn: Connection) -> None:
    limit = targets.NewTarget(
        subject_id=lab.d.subject_id,
        kind="co2",
        method="location_national",
        year=YEAR,
        value=100.0,
        **SAYS,
    )
    targets.set_target(conn, limit)


def past(lab: World, conn: Connection) -> None:
    history.record_history(
        conn,
        lab.d.subject_id,
        "location_national",
        date(2020, 1, 1),
        date(2021, 1, 1),
        150.0,
        stage="final",
        **SAYS,
    )


def say(lab: World, conn: Connection, name: str, value: float, unit: str) -> None:
    said: dict[str, Any] = {
        "name": name,
        "value": value,
        "unit": unit,
        "evidence": "letter 3",
    }
    packs.state(conn, lab.park.park_id, year=YEAR, **said, **SAYS)


def waiver(lab: World, conn: Connection) -> None:
    say(lab, conn, "solid_waste_waived", 1.0, "yes_no")


def answer(lab: World, conn: Connection) -> None:
    say(lab, conn, "waste_heat_recovery_percent", 97.0, "percent")


def pack(lab: World, conn: Connection) -> None:
    packs.add(conn, OWN.replace("at_most: 5", "at_most: 7"), who="Clerk One")


def plant(lab: World, conn: Connection) -> None:
    onsiting.state(conn, lab.d, what="pv_kwp", value=30.0, valid_from=DAYS[0], **SAYS)


def baseline(lab: World, conn: Connection) -> None:
    other = BASELINE | {"first": date(YEAR, 2, 1)}
    baselines.define(conn, lab.d, name="line", **other, **SAYS)


def driver(lab: World, conn: Connection, month: int = 5, pieces: float = 20.0) -> None:
    day = turns(YEAR)[month].date()
    baselines.state_driver(
        conn, lab.d, name="pieces", first=day, value=pieces, unit="1", **SAYS
    )


BASELINE: dict[str, Any] = {
    "figure": "energy_import",
    "variables": ["pieces"],
    "first": date(YEAR, 1, 1),
    "last": date(YEAR, 6, 1),
}
OWN = """
name: own
title: own
source: ours
verified: true
inputs:
  load: {unit: t, title: load}
indicators:
- {name: load, title: load, unit: t, formula: load, need: guiding,
   threshold: {at_most: 5}, source: ours, verified: true}
"""
NEW_YEAR = (date(YEAR, 1, 1), date(YEAR, 1, 2))
JUNE = (date(YEAR, 6, 1), date(YEAR, 7, 1))


def explained(
    tables: str, state: State, kind: str, code: str | None, figure: str, row: str,
    days: tuple[date, date] = NEW_YEAR,
) -> Case:  # fmt: skip
    def ask(lab: World, conn: Connection, known_on: datetime | None) -> Any:
        found = explain(conn, lab.of(conn, code), figure, *days, known_on=known_on)
        return found["value"]

    return Case(
        tables=tuple(tables.split()), state=state, ask=ask, code=code, figure=figure,
        days=days, kind=kind, row=row,
    )  # fmt: skip


def bill(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    return bills(conn, lab.d, *JUNE, known_on=known_on)["bills"]


def bill_of_guangdong(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    assumed = Assumed(tariff="CN-GD", method="demand")
    return bills(conn, lab.d, *JUNE, assumed=assumed, known_on=known_on)["bills"]


def of_size(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    park = lab.of(conn, None)
    found = intensities.history(conn, park, *DAYS, of="above_size", known_on=known_on)
    return [each["tce"] for each in found["rows"]]


def of_industry(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    return benchmark(conn, lab.of(conn, "A"), known_on=known_on)["industry"]


def budget(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    return budgets(conn, lab.d, YEAR, known_on=known_on)["rows"]


def way(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    return trajectory(conn, lab.d, known_on=known_on)["series"]


def zero_carbon(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    park = lab.of(conn, None)
    found = evaluate(conn, park, "zero_carbon_park", YEAR, known_on=known_on)
    return found["guiding"], found["indicators"]


def of_own_pack(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    found = evaluate(conn, lab.of(conn, None), "own", YEAR, known_on=known_on)
    return found["indicators"]


def own_plant(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    return onsiting.own_plant(conn, lab.d, *DAYS, known_on=known_on)["ratings"]


def savings(lab: World, conn: Connection, known_on: datetime | None) -> Any:
    found = baselines.judged(conn, lab.d, "line", *JUNE, known_on=known_on)
    return found["fit"], found["months"]


KWH, COAL, CO2 = "energy_kwh", "tce.calorific", "co2_t.location_national"
EXPLAINED = [
    explained("batch", late, "readings", "B", KWH, "late courier", DAYS),
    explained("channel", channel, "readings", "quiet", KWH, "test/1"),
    explained("multiplier", multiplier, "multipliers", "A", KWH, "letter M", DAYS),
    explained("assignment", assignment, "membership", "sold", KWH, "another"),
    explained("placement", placement, "membership", "below", KWH, "plan P"),
    explained("formula", formula, "membership", "bought", KWH, "sketch"),
    explained("meter", confirmed, "membership", None, KWH, "walk"),
    explained("register_digits", digits, "registers", "rolled", KWH, "its plate"),
    explained("fall_policy", fall_policy, "registers", "fell", KWH, "the maker"),
    explained("plate", plate, "registers", "rated", KWH, "rating plate"),
    explained(
        "register_policy", policy, "registers", "slow", "measured_share", "letter P"
    ),
    explained("revision", revision, "corrections", "read", KWH, "read again"),
    explained("judgement", judgement, "corrections", "judged", KWH, "misread digit"),
    explained("demand_rule", rule, "demand_rules", "C", "peak_demand_kw", "contract 9"),
    explained("factor", factor, "factors", "D", CO2, "corrigendum", DAYS),
    explained(
        "statement",
        added_value,
        "statements",
        "A",
        "added_value_10k_cny",
        "second",
        DAYS,
    ),
    explained("activity", activity, "statements", "C", COAL, "letter 7", DAYS),
    explained(
        "contract_demand",
        contract,
        "statements",
        "D",
        "contract_demand_kw",
        "150.0 kW",
        DAYS,
    ),
    explained(
        "green_power green_match", proof, "green", "D", "co2_t.residual", "GEC-1", DAYS
    ),
]
ASKED = [
    Case(tables=("billing",), state=billing, ask=bill),
    Case(tables=("tariff",), state=tariff, ask=bill_of_guangdong),
    Case(tables=("hot_day",), state=hot_day, ask=bill_of_guangdong),
    Case(tables=("enterprise_year",), state=size, ask=of_size),
    Case(tables=("industry",), state=industry, ask=of_industry),
    Case(tables=("target",), state=target, ask=budget),
    Case(tables=("history",), state=past, ask=way),
    Case(tables=("indicator_input",), state=waiver, ask=zero_carbon),
    Case(tables=("indicator_input",), state=answer, ask=zero_carbon),
    Case(tables=("indicator_pack",), state=pack, ask=of_own_pack),
    Case(tables=("plant",), state=plant, ask=own_plant),
    Case(tables=("energy_baseline",), state=baseline, ask=savings),
    Case(tables=("driver",), state=driver, ask=savings),
]  # fmt: skip


@pytest.fixture(scope="module")
def world(timescale: Any) -> Iterator[World]:
    url = timescale.copy()
    yield World(url)
    timescale.drop(url)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was known before all that can be explained was stated, and when."""

    then: datetime
    now: datetime
    earlier: dict[State, Any]


@pytest.fixture(scope="module")
def said(world: World) -> Said:
    """State all that can be explained one after the other, and compute once."""
    with connect(world.url, autocommit=True) as conn:
        then = datetime.now(UTC)
        earlier = {each.state: each.ask(world, conn, None) for each in EXPLAINED}
        for each in EXPLAINED:
            each.state(world, conn)
    world.compute()
    return Said(then=then, now=datetime.now(UTC), earlier=earlier)


@pytest.mark.parametrize("case", EXPLAINED, ids=lambda case: case.state.__name__)
def test_an_earlier_date_gives_the_earlier_figure_and_why_it_is_another(
    world: World, said: Said, case: Case
) -> None:
    with connect(world.url, autocommit=True) as conn:
        earlier = said.earlier[case.state]
        assert case.ask(world, conn, said.then) == earlier  # to the bit
        changed = case.ask(world, conn, None)
        assert changed != earlier
        assert case.figure is not None
        told = explain(
            conn,
            world.of(conn, case.code),
            case.figure,
            *case.days,
            known_on=said.now,
            compare_with=said.then,
        )["change"]
        assert (told["before"], told["after"]) == (earlier, changed)
        causes = {each["kind"]: each for each in told["causes"]}
        if case.code is not None:  # the park's figure moves by the others, too
            assert list(causes) == [case.kind]
        cause = causes[case.kind]
        assert case.row in str([cause["rows"], cause["readings"]])


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.state.__name__)
def test_an_earlier_date_gives_the_earlier_answer(
    world: World, said: Said, case: Case
) -> None:
    with connect(world.url, autocommit=True) as conn:
        then = datetime.now(UTC)
        earlier = case.ask(world, conn, None)
        case.state(world, conn)
        now = datetime.now(UTC)
        assert case.ask(world, conn, then) == earlier  # to the bit
        changed = case.ask(world, conn, None)
        assert changed != earlier
        assert case.ask(world, conn, now) == changed


def test_each_table_of_statements_is_among_them(world: World) -> None:
    with connect(world.url) as conn:
        rows = conn.execute(
            "SELECT c.table_name FROM information_schema.columns c "
            "JOIN information_schema.tables t USING (table_schema, table_name) "
            "WHERE table_schema = 'core' AND table_type = 'BASE TABLE' "
            "AND column_name IN ('recorded_at', 'confirmed_at', 'received_at')"
        ).fetchall()
    held = {table for case in EXPLAINED + ASKED for table in case.tables}
    assert {str(row[0]) for row in rows} == held | BESIDE
