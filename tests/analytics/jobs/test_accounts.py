"""Methods, own factors, statements and green power, from the database to the account."""

import json
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from analytics.jobs import activities, ledger, own_factors, telling
from analytics.jobs.accounting import known_total
from analytics.jobs.book import Book, load_book
from analytics.jobs.explaining import explain
from analytics.jobs.figures import figures
from analytics.jobs.green import errors as ledger_errors
from analytics.jobs.netting import netting
from store import green as stored
from store import registry, relations
from store.activities import Activity
from store.activities import activities as stored_activities
from store.database import Connection, connect
from store.errors import Invalid
from store.records import Subject
from tests.analytics.jobs.conftest import Monthly, turns

pytestmark = pytest.mark.db

JAN, FEB, MAR = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)
SAID: dict[str, Any] = {"source": "invoice 7", "who": "Metering office"}


def say(
    conn: Connection, code: str, item: str, use: str, amount: Any, **more: Any
) -> bool:
    owner = registry.subject(conn, "P", code).subject_id
    unit = more.pop("unit", "t")
    month = more.pop("month", JAN)
    supplier = more.pop("supplier", None)
    if supplier is not None:
        more["supplier_id"] = registry.subject(conn, "P", supplier).subject_id
    return activities.state(
        conn,
        owner,
        month=month,
        item=item,
        use=use,
        amount=amount,
        unit=unit,
        **(SAID | more),
    )


def agree(conn: Connection, book: Book) -> None:
    """One truth: the figures of the months are those of the book, bit for bit."""
    for row, subject in enumerate(book.subjects):
        found = figures(conn, subject, JAN, MAR)
        for kind, accounts in (("tce", book.coal), ("co2_t", book.carbon)):
            for name, account in accounts.items():
                assert found[kind][name] == account.over_cells(row), (row, name)


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


X = {
    "energy_import": [6_000_000.0, 6_000_000.0],
    "pv_generation": [750_000.0, 750_000.0],
    "natural_gas": [400_000.0, 400_000.0],
    "heat": [15_000.0, 15_000.0],
}


def batch(conn: Connection, park: Monthly, mwh: float, **more: Any) -> None:
    given: dict[str, Any] = {
        "kind": "certificate",
        "reference": "GEC-1",
        "production_month": JAN,
        "technology": "wind",
        "evidence": "certificates 1 to 2000",
    }
    ledger.record(conn, park.park, mwh=mwh, **(given | SAID | more))


def use(conn: Connection, park: Monthly, mwh: float, **more: Any) -> None:
    given: dict[str, Any] = {
        "kind": "certificate",
        "reference": "GEC-1",
        "production_month": JAN,
        "month": FEB,
    }
    enterprise = more.pop("enterprise", "X")
    ledger.match(conn, park.park, enterprise, mwh=mwh, **(given | SAID | more))


def test_the_four_bases_of_enterprise_x_with_its_certificates(
    timescale_database: str,
) -> None:
    """The year's amounts of the worked example, in two months."""
    park = Monthly(timescale_database)
    park.add("X", X, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "X", "diesel", "burnt", 60)
        say(conn, "X", "diesel", "burnt", 60, month=FEB)
        batch(conn, park, 2000)
        use(conn, park, 2000)
        book = load_book(conn, park.park, JAN, MAR)
        row = book.row("X")
        agree(conn, book)
        assert book.coal["calorific"].over_cells(row) == pytest.approx(
            3921.602, abs=5e-4
        )
        assert book.coal["equal_value"].over_cells(row) == pytest.approx(
            6344.852, abs=5e-4
        )
        for name, electricity, total in (
            ("location_region", 6992.400, 12_393.660),
            ("enterprise", 5306.000, 10_707.260),
            ("residual", 6096.000, 11_497.260),
            ("zero_carbon_park", 8325.000, 13_726.260),
        ):
            account = book.carbon[name]
            assert known_total(account.parts["electricity"][row]) == pytest.approx(
                electricity
            )
            assert account.over_cells(row) == pytest.approx(total, abs=5e-3)
        told = book.carbon["enterprise"].told(row)
        proof = [each for each in told if each["origin"] == "green"]
        assert [each["amount"] for each in proof] == [2_000_000]
        assert proof[0]["factor"] == "proven_green/CN/electricity"
        assert proof[0]["evidence"][0].startswith("green match ")
        shares = {each["enterprise"]: each for each in ledger.shares(book)}
        # (2000 + 1500) / (12 000 + 1500)
        assert shares["X"]["green_share"] == pytest.approx(3.5 / 13.5)
        # taken back: no trace of it in the figures
        use(conn, park, 0)
        anew = load_book(conn, park.park, JAN, MAR)
        assert anew.carbon["enterprise"].over_cells(row) == pytest.approx(
            5401.260 + 12_000 * 0.5306, abs=5e-3
        )


def test_what_proves_nothing_is_an_error(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("X", {"energy_import": [3000.0, 3000.0], "pv_generation": [9, 9]}, 2024)
    park.add("Y", {"energy_import": [9000.0, 9000.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        with pytest.raises(Invalid, match="whole MWh"):
            batch(conn, park, 1.5)
        batch(conn, park, 5)
        with pytest.raises(Invalid, match="no such record"):
            use(conn, park, 1, reference="GEC-2")
        with pytest.raises(Invalid, match="more than the power taken"):
            use(conn, park, 4)
        use(conn, park, 3)
        with pytest.raises(Invalid, match="more than is left of GEC-1"):
            use(conn, park, 3, enterprise="Y")
        use(conn, park, 2, enterprise="Y")  # single use: the five are gone
        with pytest.raises(Invalid, match="more than is left of GEC-1"):
            use(conn, park, 1, enterprise="Y", month=JAN)
        # two years from the month of production
        batch(conn, park, 9, reference="old", production_month=date(2022, 1, 1))
        with pytest.raises(Invalid, match="ended on 2024-01-01"):
            use(
                conn,
                park,
                1,
                reference="old",
                production_month=date(2022, 1, 1),
                month=JAN,
                enterprise="Y",
            )
        batch(conn, park, 9, reference="next", production_month=date(2025, 1, 1))
        with pytest.raises(Invalid, match="a later year"):
            use(
                conn,
                park,
                1,
                reference="next",
                production_month=date(2025, 1, 1),
                enterprise="Y",
            )
        batch(conn, park, 9, reference="roof", producer="Y", plant="roof of Y")
        with pytest.raises(Invalid, match="made and gave away"):
            use(conn, park, 1, reference="roof", enterprise="Y")
        # trades and supplies: settlement, their own month, and certificates as part
        batch(conn, park, 4, kind="trade", reference="T-1", evidence=None, plant="farm")
        with pytest.raises(Invalid, match="no settlement"):
            use(conn, park, 1, kind="trade", reference="T-1", month=JAN, enterprise="Y")
        trade: dict[str, Any] = {"kind": "trade", "reference": "T-1", "plant": "farm"}
        batch(conn, park, 4, evidence="settlement 9", **trade)
        with pytest.raises(Invalid, match="own month"):
            use(conn, park, 1, kind="trade", reference="T-1", enterprise="Y")
        use(conn, park, 3, kind="trade", reference="T-1", month=JAN, enterprise="Y")
        batch(conn, park, 4, reference="twin", plant="farm")
        with pytest.raises(Invalid, match="in the ledger already"):
            use(conn, park, 1, reference="twin", enterprise="Y")
        batch(conn, park, 4, reference="twin", plant="farm", part_of="T-1")
        with pytest.raises(Invalid, match="more than is left of T-1"):
            use(conn, park, 2, reference="twin", enterprise="Y")
        use(conn, park, 1, reference="twin", enterprise="Y")
        known = datetime.now(UTC)
        good = load_book(conn, park.park, JAN, MAR)
        assert good.green.faults == ()
        agree(conn, good)
        # a batch that turns out to be cancelled: an error, and no other factor
        batch(conn, park, 5, cancelled=True)
        book = load_book(conn, park.park, JAN, MAR)
        assert {each.why for each in book.green.faults} == {"the record is cancelled"}
        for code in ("X", "Y", None):
            row = book.row(code)
            for name in ("residual", "enterprise", "zero_carbon_park", "ghg_market"):
                account = book.carbon[name]
                assert account.unpriced[row].tolist() == [False, True]
                assert account.over_cells(row) is None
                assert np.isnan(account.parts["electricity"][row, 1])
                assert np.isnan(account.scope_2[row, 1])
            assert book.carbon["location_region"].over_cells(row) is not None
        found = figures(conn, registry.subject(conn, "P"), JAN, MAR)
        assert len(found["errors"]) == 2
        assert found["co2_t"]["enterprise"] is None
        agree(conn, book)
        then = load_book(conn, park.park, JAN, MAR, known)
        assert then.green.faults == ()
        # own power kept is 9 kWh a month, and its certificates are others'
        batch(conn, park, 1, kind="self_use", reference="PV", evidence="log")
        with pytest.raises(Invalid, match="more than the own power kept"):
            use(conn, park, 1, kind="self_use", reference="PV", month=JAN)


def test_green_power_that_is_given_away_again_takes_nothing_off(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    taken = {"energy_import": [3000.0, 3000.0], "energy_export": [1000.0, 1000.0]}
    park.add("X", taken, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 5)
        use(conn, park, 3)  # all that it took in February
        use(conn, park, 1, month=JAN)
        book = load_book(conn, park.park, JAN, MAR)
        x = book.row("X")
        # net 2 000 kWh, of which 1 000 and then all are proven
        for name, factor in (("zero_carbon_park", 0.8325), ("enterprise", 0.5306)):
            for row in (x, 0):
                power = book.carbon[name].parts["electricity"][row]
                assert power == pytest.approx([factor, 0.0])
        # listed apart, what was taken counts alone
        market = book.carbon["ghg_market"].parts["electricity"][x]
        assert market[1] == 0.0 < market[0]
        proof = [
            each["amount"]
            for each in book.carbon["zero_carbon_park"].told(x)
            if each["rule"] == "proven_green"
        ]
        assert proof == [3000.0]
        agree(conn, book)


def test_certificates_of_exported_power_cost_the_maker_nothing(
    timescale_database: str,
) -> None:
    """What is given to others is not used: the residual mix is of power kept alone."""
    park = Monthly(timescale_database)
    power = {"pv_generation": [9000.0] * 2, "energy_export": [3000.0] * 2}
    park.add("X", {"energy_import": [10_000.0] * 2} | power, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 3, reference="roof", producer="X")
        market = load_book(conn, park.park, JAN, MAR).carbon["ghg_market"]
        for row in (0, 1):
            assert market.total[row] == pytest.approx([6.096, 6.096])
        batch(conn, park, 5, reference="roof", producer="X")  # two of power kept
        market = load_book(conn, park.park, JAN, MAR).carbon["ghg_market"]
        for row in (0, 1):
            assert market.total[row] == pytest.approx([12 * 0.6096, 6.096])
        agree(conn, load_book(conn, park.park, JAN, MAR))


def test_power_of_one_that_another_proves_is_once_in_the_park(
    timescale_database: str,
) -> None:
    """X gives 3 MWh away, Y proves them: the park took 20 and gave 3, whoever has proof."""
    park = Monthly(timescale_database)
    power = {"pv_generation": [9000.0] * 2, "energy_export": [3000.0] * 2}
    park.add("X", {"energy_import": [10_000.0] * 2} | power, 2024)
    park.add("Y", {"energy_import": [10_000.0] * 2}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        of_x: dict[str, Any] = {"producer": "X", "plant": "roof of X"}
        batch(conn, park, 3, kind="direct", reference="line", **of_x)
        batch(conn, park, 3, reference="roof", part_of="line", plant="roof of X")
        use(conn, park, 2, kind="direct", reference="line", month=JAN, enterprise="Y")
        use(conn, park, 1, reference="roof", month=JAN, enterprise="Y")
        batch(conn, park, 5)  # from elsewhere
        use(conn, park, 5, month=JAN, enterprise="Y")
        book = load_book(conn, park.park, JAN, MAR)
        y = book.row("Y")
        for name, factor in (("enterprise", 0.5306), ("zero_carbon_park", 0.8325)):
            account = book.carbon[name]
            assert account.total[y] == pytest.approx([2 * factor, 10 * factor])
            assert account.total[0] == pytest.approx([12 * factor, 17 * factor])
        # nothing is subtracted: the proof counts
        market = book.carbon["ghg_market"].total
        assert market[0] == pytest.approx([12 * 0.6096, 20 * 0.6096])
        agree(conn, book)


def test_what_never_passed_the_parks_meter_needs_no_room_in_it(
    timescale_database: str,
) -> None:
    """X gives Y 3 MWh within the park, so 20 MWh taken are 17 at the park's meter."""
    park = Monthly(timescale_database)
    park.add("X", {"energy_import": [10_000.0], "energy_export": [3000.0]}, 2024)
    park.add("Y", {"energy_import": [10_000.0]}, 2024)
    park.add("op", {"energy_import": [17_000.0]}, 2024)
    with connect(timescale_database, autocommit=True) as conn:
        ids = {}
        for code in ("X", "Y", "op"):
            owner = registry.find_enterprise(conn, "P", code)
            assert owner is not None
            ids[code] = registry.find_meter(conn, owner[1], "M")[0] or 0
        since = turns(2024)[0].astimezone(UTC)
        for code, role, above in (
            ("op", "park", None),
            ("X", "main", ids["op"]),
            ("Y", "main", ids["op"]),
        ):
            relations.place_meter(conn, ids[code], role, above, since, source="plan")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 3, kind="direct", reference="line", producer="X")
        use(conn, park, 3, kind="direct", reference="line", month=JAN, enterprise="Y")
        batch(conn, park, 16)
        use(conn, park, 7, month=JAN, enterprise="Y")
        use(conn, park, 9, month=JAN, enterprise="X")
        book = load_book(conn, park.park, JAN, FEB)
        assert book.green.faults == ()
        account = book.carbon["zero_carbon_park"]
        assert account.total[0] == pytest.approx([1 * 0.8325])
        assert account.total[book.row("Y")] == pytest.approx([0])


def test_enterprises_together_are_not_the_park(timescale_database: str) -> None:
    """A tenant behind another's meter, a park's meter above all, heat from A to B."""
    park = Monthly(timescale_database)
    park.add("a", {"energy_import": [100.0, 100.0], "natural_gas": [9.0, 9.0]}, 2024)
    park.add("a", {"heat_export": [5.0, 5.0]}, 2024, meter="H")
    park.add("b", {"energy_import": [30.0, 30.0]}, 2024)
    park.add("b", {"heat": [5.0, 5.0]}, 2024, meter="H")
    park.add("c", {"energy_import": [20.0, 20.0]}, 2024)
    park.add("op", {"energy_import": [125.0, 125.0]}, 2024, meter="G")
    with connect(timescale_database, autocommit=True) as conn:
        ids = {}
        for code, meter in (("a", "M"), ("b", "M"), ("c", "M"), ("op", "G")):
            owner = registry.find_enterprise(conn, "P", code)
            assert owner is not None
            ids[code] = registry.find_meter(conn, owner[1], meter)[0] or 0
        since = turns(2024)[0].astimezone(UTC)
        for meter, role, above in (
            ("op", "park", None),
            ("a", "main", "op"),
            ("b", "main", "a"),
            ("c", "main", "op"),
        ):
            relations.place_meter(
                conn,
                ids[meter],
                role,
                None if above is None else ids[above],
                since,
                source="test",
            )
        # in the middle of February c moves behind a
        relations.place_meter(
            conn,
            ids["c"],
            "main",
            ids["a"],
            datetime(2024, 2, 15, tzinfo=UTC),
            source="test",
        )
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


def test_proven_power_takes_no_more_off_than_all_power_that_is_left(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    taken = {"energy_import": [3000.0, 3000.0], "energy_export": [4000.0, 4000.0]}
    park.add("X", taken, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "X", "electricity", "bought", 1500.0, unit="kwh", beside=True)
        batch(conn, park, 5)
        use(conn, park, 3, month=JAN)
        book = load_book(conn, park.park, JAN, MAR)
        # 3 000 - 4 000 + 1 500 = 500 kWh are left, and proven
        for row in (book.row("X"), 0):
            power = book.carbon["enterprise"].parts["electricity"]
            assert power[row, 0] == pytest.approx(0.0, abs=1e-12)
        agree(conn, book)


@pytest.mark.parametrize(
    ("proofs", "own", "in_the_park"),
    [
        # o took 100 MWh, 30 of them went on to t, 40 to n without a factor of its own
        ({"o": 90}, {"o": 10, "t": 30}, {"o": 0, "t": 10}),
        ({"o": 80, "t": 20}, {"o": 20, "t": 10}, {"o": 0, "t": 0}),
        ({"o": 50, "n": 30}, {"o": 50, "t": 30}, {"o": 0, "t": 20}),
        ({"o": 20, "n": 30, "t": 30}, {"o": 80, "t": 0}, {"o": 20, "t": 0}),
        # and where t has none either
        ({"o": 50, "n": 30}, {"o": 50}, {"o": 20}),
    ],
)
def test_the_proof_of_one_above_another_leaves_no_part_of_the_park_below_0(
    timescale_database: str,
    proofs: dict[str, float],
    own: dict[str, float],
    in_the_park: dict[str, float],
) -> None:
    """Beside them a took 900 MWh, at the factor of the method."""
    park = Monthly(timescale_database)
    for code, mwh in (("a", 900), ("o", 100), ("t", 30), ("n", 40)):
        park.add(code, {"energy_import": [mwh * 1e3]}, 2024)
    factor = {code: {"o": 0.9, "t": 0.5}[code] for code in own}
    with connect(timescale_database, autocommit=True) as conn:
        ids = {}
        for code in "otn":
            owner = registry.find_enterprise(conn, "P", code)
            assert owner is not None
            ids[code] = registry.find_meter(conn, owner[1], "M")[0] or 0
        since = turns(2024)[0].astimezone(UTC)
        for code in "tn":
            relations.place_meter(
                conn, ids[code], "main", ids["o"], since, source="test"
            )
        for code, value in factor.items():
            own_factors.record(
                conn,
                registry.subject(conn, "P", code),
                kind="co2",
                carrier="electricity",
                basis="grid_average",
                unit="kgCO2/kWh",
                value=value,
                valid_from=JAN,
                **SAID,
            )
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 1000)
        for code, proof in proofs.items():
            use(conn, park, proof, enterprise=code, month=JAN)
        book = load_book(conn, park.park, JAN, FEB)
        assert book.green.faults == ()
        account = book.carbon["enterprise"]
        rest = 1000 - sum(proofs.values()) - sum(in_the_park.values())
        told = {
            each["factor"].split("/")[1]: each["amount"] / 1e3
            for each in account.told(0)
            if each["origin"] == "metered"
        }
        for code, value in factor.items():
            power = account.parts["electricity"][book.row(code), 0]
            assert power == pytest.approx(own[code] * value)
            assert told[code] == pytest.approx(in_the_park[code], abs=1e-9)
        assert told["CN"] == pytest.approx(rest)
        # 0.5306 kgCO2/kWh is the national average of 2023
        assert account.parts["electricity"][0, 0] == pytest.approx(
            rest * 0.5306 + sum(in_the_park[each] * factor[each] for each in factor)
        )
        agree(conn, book)


def test_an_enterprise_is_not_told_how_much_of_a_record_others_have(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    for code in "XY":
        park.add(code, {"energy_import": [9000.0, 9000.0]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 5)
        use(conn, park, 3)
        with pytest.raises(Invalid, match="more than is left of GEC-1") as refused:
            use(conn, park, 3, enterprise="Y")
        assert "000 kWh" not in str(refused.value)
        use(conn, park, 2, enterprise="Y")
        batch(conn, park, 4)  # the record is corrected: Y's match came last
        book = load_book(conn, park.park, JAN, MAR)
        head = "2024-02 Y: certificate GEC-1: more than"
        assert telling.errors(book) == [f"{head} the 4,000 kWh of GEC-1"]
        assert telling.errors(book, "X") == []
        assert telling.errors(book, "Y") == [f"{head} is left of GEC-1"]
        for of in (None, "X", "Y"):
            figure = figures(conn, registry.subject(conn, "P", of), FEB, MAR)
            assert figure["errors"] == telling.errors(book, of)


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
        with connect(timescale_database, autocommit=True) as conn:
            ids = []
            for code, meter in (("op", "G"), ("X", "M"), ("Y", "M")):
                owner = registry.find_enterprise(conn, "P", code)
                assert owner is not None
                ids.append(registry.find_meter(conn, owner[1], meter)[0] or 0)
            since = turns(2024)[0].astimezone(UTC)
            for each in ids:
                above = None if each == ids[0] else ids[0]
                role = "park" if above is None else "main"
                relations.place_meter(conn, each, role, above, since, source="test")
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


@pytest.mark.parametrize(("n_mwh", "right"), [(10, True), (10.001, False)])
@pytest.mark.parametrize("own", [False, True])
def test_those_behind_one_meter_prove_no_more_than_it_took(
    timescale_database: str, n_mwh: float, right: bool, own: bool
) -> None:
    """Of the 40 MWh that t took 30 went on to n: 30 of t and 10 of n are all of it."""
    park = Monthly(timescale_database)
    for code, mwh in (("a", 900), ("t", 40), ("n", 30)):
        park.add(code, {"energy_import": [mwh * 1e3]}, 2024)
    with connect(timescale_database, autocommit=True) as conn:
        owners = [registry.find_enterprise(conn, "P", code) for code in "tn"]
        t, n = (registry.find_meter(conn, each[1], "M")[0] for each in owners if each)
        since = turns(2024)[0].astimezone(UTC)
        assert n is not None
        relations.place_meter(conn, n, "main", t, since, source="test")
        if own:
            own_factors.record(
                conn,
                registry.subject(conn, "P", "t"),
                kind="co2",
                carrier="electricity",
                basis="grid_average",
                unit="kgCO2/kWh",
                value=0.9,
                valid_from=JAN,
                **SAID,
            )
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 1000)
        use(conn, park, 30, enterprise="t", month=JAN)
        use(conn, park, n_mwh, enterprise="n", month=JAN)
        book = load_book(conn, park.park, JAN, FEB)
        power = book.carbon["enterprise"].parts["electricity"][:, 0]
        if right:
            assert book.green.faults == ()
            assert power[0] == pytest.approx(900 * 0.5306)
        else:
            (fault,) = book.green.faults
            assert "than the meter above them took" in fault.why
            assert np.isnan(power[0])
        # each one's own is its own: it is told nothing of the other's proof
        assert power[book.row("t")] == pytest.approx(10 * (0.9 if own else 0.5306))
        assert not ledger_errors(book.green.faults, "t")
        assert not ledger_errors(book.green.faults, "n")
