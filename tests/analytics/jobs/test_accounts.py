"""Methods, own factors and statements, from the database to the account."""

import json
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from analytics.jobs import own_factors
from analytics.jobs.book import load_book
from analytics.jobs.explaining import explain
from analytics.jobs.netting import netting
from store import green as stored
from store import registry
from store.activities import Activity
from store.activities import activities as stored_activities
from store.database import connect
from store.errors import Invalid
from store.records import Subject
from tests.analytics.jobs.conftest import (
    FEB,
    JAN,
    MAR,
    SAID,
    Monthly,
    agree,
    batch,
    say,
)

pytestmark = pytest.mark.db


def test_what_an_enterprise_of_the_park_passed_on_is_in_the_park_once(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    park.add("g", {"energy_import": [10_000.0, 10_000.0]}, 2024)
    park.add("t", {"water": [1.0, 1.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "t", "electricity", "bought", 4000.0, unit="kwh", supplier="g")
        say(conn, "t", "steam", "bought", 10.0, beside=True, supplier="g")
        book = load_book(conn, park.park, JAN, MAR)
        g, t = book.row("g"), book.row("t")
        enterprise = book.carbon["enterprise"]
        power = enterprise.parts["electricity"]
        assert power[t, 0] == pytest.approx(0.4 * power[g, 0])
        assert power[0, 0] == power[g, 0]
        assert enterprise.parts["heat"][t, 0] > 0
        assert np.isnan(enterprise.parts.get("heat", np.full((3, 2), np.nan))[0, 0])
        listed = {
            each["carrier"]: (each["rule"], each["counts"])
            for each in enterprise.told(0)
            if each["origin"] == "stated"
        }
        assert set(listed.values()) == {("supplied_within", False)}
        why = explain(
            conn, registry.subject(conn, "P", "t"), "co2_t.enterprise", JAN, FEB
        )
        said = [each["what"] for each in why["statements"]]
        assert sorted(each.split(", ")[-1] for each in said) == ["from another"] * 2
        agree(conn, book)
        with pytest.raises(Invalid, match="no supplier of its own"):
            say(conn, "t", "heat", "bought", 1.0, unit="gj", supplier="t")
        with pytest.raises(Invalid, match="not burnt"):
            say(conn, "t", "diesel", "burnt", 1.0, supplier="g")
        elsewhere = registry.add_park(conn, "Q", zone="UTC")
        other = registry.add_enterprise(conn, elsewhere, "o")
        with pytest.raises(Invalid, match="of the same park"):
            say(conn, "t", "heat", "bought", 1.0, unit="gj", supplier_id=other)
        # without its supplier it is bought from outside
        say(conn, "t", "electricity", "bought", 4000.0, unit="kwh")
        outside = load_book(conn, park.park, JAN, FEB).carbon["enterprise"]
        assert outside.parts["electricity"][0, 0] == pytest.approx(1.4 * power[g, 0])


def test_the_taker_knows_its_supplier_and_the_supplier_nothing_of_the_taker(
    timescale_database: str,
) -> None:
    """What a neighbour passed on is a statement of the taker's alone."""
    park = Monthly(timescale_database)
    park.add("giver", {"energy_import": [10_000.0]}, 2024)
    park.add("taker", {"water": [1.0]}, 2024)
    park.compute()
    heat: dict[str, Any] = {"kind": "co2", "carrier": "heat", "basis": "default"}
    heat["unit"] = "tCO2/GJ"
    with connect(timescale_database, autocommit=True) as conn:
        giver, taker = (registry.subject(conn, "P", e) for e in ("giver", "taker"))

        def seen(of: Subject) -> tuple[list[Activity], dict[str, Any]]:
            mine = of.subject_id
            rows = stored_activities(
                conn, park.park.park_id, JAN, FEB, enterprise_id=mine
            )
            return rows, explain(conn, of, "co2_t.enterprise", JAN, FEB)

        say(conn, "giver", "coke", "burnt", 7.0, source="scales of the giver")
        given: dict[str, Any] = SAID | {"source": "laboratory of the giver"}
        own_factors.record(conn, giver, value=0.5, valid_from=JAN, **heat, **given)
        before = seen(giver)
        said = {"source": "bill to the taker", "beside": True, "supplier": "giver"}
        say(conn, "taker", "steam", "bought", 40.0, **said)
        assert seen(giver) == before
        rows, why = seen(taker)
        assert [(e.item, e.supplier) for e in rows] == [("steam", "giver")]
        assert why["value"] is not None
        assert [each["enterprise"] for each in why["statements"]] == ["taker"]
        assert "giver" not in json.dumps(why, default=str)


def test_a_final_statement_stands_until_it_is_withdrawn(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    park.add("b", {"water": [1.0]}, 2024)
    with connect(timescale_database, autocommit=True) as conn:

        def counts() -> list[float | None]:
            rows = stored_activities(conn, park.park.park_id, JAN, FEB)
            return [each.amount for each in rows]

        say(conn, "b", "coke", "burnt", 5.0)
        say(conn, "b", "coke", "burnt", 6.0, stage="provisional")
        assert counts() == [5.0]
        say(conn, "b", "coke", "burnt", 7.0)
        assert counts() == [7.0]
        # what is provisional never takes back what is final
        assert say(conn, "b", "coke", "burnt", None, stage="provisional")
        assert counts() == [7.0]
        assert not say(conn, "b", "coke", "burnt", 7.0)  # its stage says so already
        say(conn, "b", "coke", "burnt", None)
        assert counts() == []
        say(conn, "b", "coke", "burnt", 8.0, stage="provisional")
        say(conn, "b", "coke", "burnt", 9.0)
        assert counts() == [9.0]
        say(conn, "b", "coke", "burnt", None)  # what is provisional counts again
        assert counts() == [8.0]


def test_statements_beside_meters_and_of_processes(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("a", {"energy_import": [1000.0, 1000.0], "diesel": [None, 2.0]}, 2024)
    park.add("b", {"natural_gas": [10_000.0, 10_000.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        assert say(conn, "a", "diesel", "burnt", 10_000, unit="kg")
        assert not say(conn, "a", "diesel", "burnt", 10_000, unit="kg")
        say(conn, "a", "diesel", "burnt", 5, month=FEB)  # a meter says 2
        say(conn, "b", "diesel", "burnt", 3, beside=True)
        say(conn, "b", "naphtha", "feedstock", 100)
        say(conn, "b", "calcium_carbonate", "process", 100)
        say(conn, "b", "desulphurisation_limestone", "process", 10)
        say(conn, "b", "SF6", "released", 1.5, unit="kg")
        say(conn, "b", "water", "bought", 1000)
        say(conn, "b", "coke", "burnt", 7)
        say(conn, "b", "coke", "burnt", None)  # withdrawn
        book = load_book(conn, park.park, JAN, MAR)
        a, b = book.row("a"), book.row("b")
        enterprise = book.carbon["enterprise"]
        # diesel 3.0959 tCO2/t (42.652 x 20.2e-3 x 0.98 x 44/12)
        assert enterprise.parts["fuel"][a] == pytest.approx(
            [10 * 3.0959, 2 * 3.0959], abs=1e-3
        )
        told = enterprise.told(a)
        listed = [each for each in told if not each["counts"]]
        assert [(e["rule"], e["amount"], e["origin"]) for e in listed] == [
            ("metered_first", 5.0, "stated")
        ]
        assert [e["rule"] for e in told if e["origin"] == "stated" and e["counts"]] == [
            "stated_alone"
        ]
        assert all(e["evidence"] for e in told if e["origin"] == "stated")
        # 100 x 0.440 + 10 x 0.9 x 0.440 x 100 %
        assert enterprise.parts["process"][b, 0] == pytest.approx(47.96)
        assert "gas" not in enterprise.parts
        # 1.5 kg x 23 500 (AR5)
        assert book.carbon["ghg_market"].parts["gas"][b, 0] == pytest.approx(35.25)
        assert "process" not in book.carbon["location_national"].parts
        # 3 t diesel 1.4571, 10 000 m3 gas 1.33, 1000 t water 0.2571 kgce/t; no feedstock
        assert book.coal["calorific"].total[b, 0] == pytest.approx(
            3 * 1.4571 + 13.3 + 0.2571
        )
        feedstock = [
            e for e in book.coal["calorific"].told(b) if e["rule"] == "feedstock"
        ]
        assert [each["counts"] for each in feedstock] == [False]
        for part in ("fuel", "process"):
            whole = enterprise.parts[part]
            assert whole[0, 0] == pytest.approx(
                sum(each for each in whole[1:, 0] if each == each)
            )
        agree(conn, book)
        before = datetime.now(UTC)
        say(conn, "b", "clinker", "process", 1000)
        without = load_book(conn, park.park, JAN, MAR)
        assert without.carbon["enterprise"].unpriced[b].tolist() == [True, False]
        own_factors.record(
            conn,
            registry.subject(conn, "P"),
            kind="co2",
            carrier="clinker",
            basis="process",
            value=0.5,
            unit="tCO2/t",
            valid_from=JAN,
            **SAID,
        )
        now = load_book(conn, park.park, JAN, MAR)
        assert now.carbon["enterprise"].parts["process"][b, 0] == pytest.approx(547.96)
        then = load_book(conn, park.park, JAN, MAR, before)
        assert then.carbon["enterprise"].total[b, 0] == enterprise.total[b, 0]
        for wrong, words in (
            ({"item": "wine"}, "unknown"),
            ({"use": "process"}, "burnt or feedstock"),
            ({"unit": "kwh"}, "stated in t, kg"),
            ({"month": date(2024, 1, 2)}, "first day"),
            ({"month": date(2099, 1, 1)}, "not begun"),
            ({"amount": -1}, "below 0"),
            ({"source": " "}, "source"),
        ):
            good: dict[str, Any] = {"item": "diesel", "use": "burnt", "amount": 1}
            with pytest.raises(Invalid, match=words):
                say(conn, "a", **(good | wrong))


def test_own_factors_go_first_and_the_park_follows(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    gas = {"natural_gas": [10_000.0, 10_000.0]}
    park.add("a", gas | {"heat": [100.0, 100.0]}, 2024)
    park.add("b", gas | {"heat": [100.0, 100.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        before = datetime.now(UTC)
        of_a = registry.subject(conn, "P", "a")
        codes = own_factors.record_ncv(
            conn, of_a, carrier="natural_gas", ncv_gj=350.0, valid_from=FEB, **SAID
        )
        assert codes == [
            "net_calorific/a/natural_gas/2024-02-01",
            "calorific/a/natural_gas/2024-02-01",
        ]
        heat: dict[str, Any] = {
            "kind": "co2",
            "carrier": "heat",
            "basis": "default",
            "unit": "tCO2/GJ",
            "valid_from": JAN,
            **SAID,
        }
        whole = registry.subject(conn, "P")
        own_factors.record(conn, whole, value=0.10, **heat)
        with pytest.raises(Invalid, match="evidence"):
            own_factors.record(conn, of_a, value=0.0, **heat)
        own_factors.record(
            conn, of_a, value=0.0, evidence="biomass boiler, audit 3", **heat
        )
        book = load_book(conn, park.park, JAN, MAR)
        a, b = book.row("a"), book.row("b")
        carbon = book.carbon["enterprise"]
        # 350 x 15.3e-3 x 0.99 x 44/12 = 19.43865 t a 10^4 m3
        assert carbon.parts["fuel"][a] == pytest.approx([21.6219, 19.43865], abs=1e-4)
        assert carbon.parts["fuel"][b] == pytest.approx([21.6219, 21.6219], abs=1e-4)
        assert carbon.parts["fuel"][0] == pytest.approx([43.2438, 41.06055], abs=2e-4)
        # 350 GJ a 10^4 m3 / 29.3076
        assert book.coal["calorific"].parts["fuel"][a, 1] == pytest.approx(
            350 / 29.3076, abs=1e-6
        )
        assert carbon.parts["heat"][a].tolist() == [0, 0]
        assert carbon.parts["heat"][b] == pytest.approx([10, 10])
        assert carbon.parts["heat"][0] == pytest.approx([10, 10])
        named = {each["factor"] for each in carbon.told(0)}
        assert "net_calorific/a/natural_gas/2024-02-01" in named
        assert "default/a/heat/2024-01-01" in named
        agree(conn, book)
        was = load_book(conn, park.park, JAN, MAR, factors_known_on=before)
        assert was.carbon["enterprise"].parts["heat"][0] == pytest.approx([22, 22])


def test_enterprises_together_are_not_the_park(timescale_database: str) -> None:
    """A tenant behind another's meter, a park's meter above all, heat from A to B."""
    park = Monthly(timescale_database)
    park.add("a", {"energy_import": [100.0, 100.0], "natural_gas": [9.0, 9.0]}, 2024)
    park.add("a", {"heat_export": [5.0, 5.0]}, 2024, meter="H")
    park.add("b", {"energy_import": [30.0, 30.0]}, 2024)
    park.add("b", {"heat": [5.0, 5.0]}, 2024, meter="H")
    park.add("c", {"energy_import": [20.0, 20.0]}, 2024)
    park.add("op", {"energy_import": [125.0, 125.0]}, 2024, meter="G")
    park.place("op", meter="G", role="park")
    park.place("a", "op", above_meter="G")
    park.place("b", "a")
    park.place("c", "op", above_meter="G")
    # in the middle of February c moves behind a
    park.place("c", "a", since=datetime(2024, 2, 15, tzinfo=UTC))
    park.compute()
    with connect(timescale_database) as conn:
        book = load_book(conn, park.park, JAN, MAR)
        nets = {(e.quantity, e.month): e for e in netting(conn, book)}
        power = nets["energy_import", JAN]
        assert (power.enterprises, power.park) == pytest.approx((150, 125))
        assert power.flows == {("a", "b"): pytest.approx(30)}
        assert power.below_park_meters == pytest.approx(120)
        assert power.park_meters == pytest.approx(125)
        moved = nets["energy_import", FEB]
        assert moved.enterprises == pytest.approx(150)
        share = moved.flows["a", "c"] / 20  # 15 of 29 days but for the zone's 8 hours
        assert share == pytest.approx((15 - 8 / 24) / 29, abs=0.01)
        for each in nets.values():
            assert each.unexplained in (None, pytest.approx(0, abs=1e-9))
        # heat: a gives, b takes, the park has bought none
        for name in ("enterprise", "ghg_market"):
            heat = book.carbon[name].parts["heat"][:, 0]
            assert heat[0] == pytest.approx(0)
            assert heat[book.row("b")] == pytest.approx(0.55)
        given = book.carbon["enterprise"].parts["heat"][book.row("a"), 0]
        assert given == pytest.approx(-0.55)
        listed = [
            each
            for each in book.carbon["ghg_market"].told(book.row("a"))
            if each["rule"] == "export_listed"
        ]
        assert [each["amount"] for each in listed] == pytest.approx([10])
        agree(conn, book)
    # b's power is a's, too: both prove it, and the park took it once
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 1)
        owners = {each.enterprise: each.subject_id for each in book.subjects}
        for code, kwh in (("a", 100.0), ("b", 30.0)):
            stored.record_match(
                conn,
                park.park.park_id,
                ("certificate", "GEC-1", JAN),
                owners[code],
                JAN,
                kwh,
                **SAID,
            )
        good = load_book(conn, park.park, JAN, MAR)
        assert good.carbon["enterprise"].unpriced[0].tolist() == [True, False]
        assert not good.carbon["enterprise"].unpriced[1:].any()
        assert [each.why for each in good.green.faults] == [
            "enterprises have proven more together than the meter above them took"
        ]
        agree(conn, good)


def test_an_own_factor_of_a_taker_takes_nothing_off_what_others_bought(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    park.add("b", {"water": [1.0, 1.0]}, 2024)
    park.add("g", {"energy_import": [10_000.0, 10_000.0]}, 2024)
    park.add("t", {"water": [1.0, 1.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "b", "steam", "bought", 10.0)
        say(conn, "t", "steam", "bought", 40.0, supplier="g")
        before = load_book(conn, park.park, JAN, MAR)
        heat = before.carbon["enterprise"].parts["heat"]
        b, t = before.row("b"), before.row("t")
        assert heat[0, 0] == heat[b, 0] > 0
        own_factors.record(
            conn,
            registry.subject(conn, "P", "t"),
            kind="co2",
            carrier="heat",
            basis="default",
            unit="tCO2/GJ",
            value=0.05,
            valid_from=JAN,
            **SAID,
        )
        book = load_book(conn, park.park, JAN, MAR)
        after = book.carbon["enterprise"].parts["heat"]
        assert after[t, 0] < heat[t, 0]
        assert after[0, 0] == heat[0, 0]
        agree(conn, book)


@pytest.mark.parametrize(
    ("gate", "subtracted", "listed"),
    [
        # MWh taken and given by the park's own meter; what the park's account has of power
        (None, 7, 10),  # nobody knows where the 3 of X went: taken off what Y took
        ((7, 0), 7, 7),  # Y took them
        ((10, 3), 7, 10),  # they left the park
    ],
)
def test_power_given_away_without_a_meter_of_the_park(
    timescale_database: str,
    gate: tuple[float, float] | None,
    subtracted: float,
    listed: float,
) -> None:
    """X gives 3 MWh away, Y takes 10."""
    park = Monthly(timescale_database)
    park.add("X", {"pv_generation": [3000.0], "energy_export": [3000.0]}, 2024)
    park.add("Y", {"energy_import": [10_000.0]}, 2024)
    if gate is not None:
        of_park = {
            "energy_import": [1e3 * gate[0]],
            "energy_export": [1e3 * gate[1]],
        }
        park.add("op", of_park, 2024, "G")
        park.place("op", meter="G", role="park")
        for code in "XY":
            park.place(code, "op", above_meter="G")
    park.compute()
    with connect(timescale_database) as conn:
        book = load_book(conn, park.park, JAN, FEB)
        # 0.5306 and 0.6096 kgCO2/kWh: the averages of 2023, all and without traded green
        for method, mwh, factor in (
            ("enterprise", subtracted, 0.5306),
            ("ghg_market", listed, 0.6096),
        ):
            power = book.carbon[method].parts["electricity"]
            assert power[0, 0] == pytest.approx(mwh * factor)
            assert power[book.row("Y"), 0] == pytest.approx(10 * factor)
        beside = [
            each["amount"]
            for each in book.carbon["ghg_market"].told(0)
            if each["rule"] == "export_listed"
        ]
        given = 3e3 if gate is None else 1e3 * gate[1]
        assert sum(beside) == pytest.approx(given)
        agree(conn, book)


@pytest.mark.parametrize(("owner", "kg_per_gj"), [("G", 110), ("V", 50), ("W", 80)])
def test_heat_that_stays_in_the_park_takes_the_same_factor_on_both_sides(
    timescale_database: str, owner: str, kg_per_gj: float
) -> None:
    """G gives 200 GJ, V takes 200, and W 100 of another: the park bought 100.

    By hand: V has two thirds of what is taken, W one third, at the factor of each.
    """
    park = Monthly(timescale_database)
    park.add("G", {"heat_export": [200.0]}, 2024)
    park.add("V", {"heat": [200.0]}, 2024)
    park.add("W", {"heat": [100.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        own_factors.record(
            conn,
            registry.subject(conn, "P", owner),
            kind="co2",
            carrier="heat",
            basis="default",
            unit="tCO2/GJ",
            value={"G": 0.05, "V": 0.02, "W": 0.02}[owner],
            valid_from=JAN,
            **SAID,
        )
        book = load_book(conn, park.park, JAN, FEB)
        for method in ("enterprise", "ghg_market"):
            heat = book.carbon[method].parts["heat"][:, 0]
            assert heat[0] == pytest.approx(100 * kg_per_gj / 1000)
        agree(conn, book)


@pytest.mark.parametrize(
    ("given", "stated", "park_gj"),
    [
        (40.0, 40.0, 100),  # all that the meter of g gave is heat of t
        (40.0, 30.0, 90),  # 10 are lost between the two
        (0.0, 40.0, 100),  # it went where no meter of g counts
        (None, 40.0, 100),
    ],
)
def test_heat_that_a_meter_gave_and_its_taker_states_is_in_the_park_once(
    timescale_database: str, given: float | None, stated: float, park_gj: float
) -> None:
    """G buys 100 GJ and gives some to t, which has no meter; w gives v 7, both metered."""
    park = Monthly(timescale_database)
    gift = {} if given is None else {"heat_export": [given]}
    park.add("g", {"heat": [100.0], **gift}, 2024)
    park.add("t", {"water": [1.0]}, 2024)
    park.add("v", {"heat": [7.0]}, 2024)
    park.add("w", {"heat_export": [7.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "t", "heat", "bought", stated, unit="gj", supplier="g")
        book = load_book(conn, park.park, JAN, MAR)
        for method in ("enterprise", "ghg_market", "zero_carbon_park"):
            heat = book.carbon[method].parts["heat"][:, 0]
            assert heat[0] == pytest.approx(park_gj * 0.11)
            assert heat[book.row("t")] == pytest.approx(stated * 0.11)
        agree(conn, book)
