"""Green power, from the ledger to the account."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from analytics.jobs import clean, compute, ledger, telling
from analytics.jobs.accounting import known_total
from analytics.jobs.book import load_book
from analytics.jobs.core_indicator import of_book as zero_carbon_of
from analytics.jobs.figures import figures
from analytics.jobs.green import errors as ledger_errors
from analytics.jobs.nested import behind
from analytics.jobs.onsiting import own_plant
from store import registry, relations
from store.database import connect
from store.errors import Invalid
from tests.analytics.jobs.conftest import (
    FEB,
    JAN,
    MAR,
    Monthly,
    agree,
    batch,
    say,
    turns,
    use,
)

pytestmark = pytest.mark.db


X = {
    "energy_import": [6_000_000.0, 6_000_000.0],
    "pv_generation": [750_000.0, 750_000.0],
    "natural_gas": [400_000.0, 400_000.0],
    "heat": [15_000.0, 15_000.0],
}


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
        # each at its own factor: what X gave is in Y's proof, and no more off X's part
        park.power_factor("X", 0.9)
        park.power_factor("Y", 0.5)
        book = load_book(conn, park.park, JAN, MAR)
        mixed = book.carbon["enterprise"]
        assert mixed.total[0] == pytest.approx([10 * 0.9 + 2 * 0.5, 7 * 0.9 + 10 * 0.5])
        agree(conn, book)


@pytest.mark.parametrize(
    ("gate", "grey"),
    [
        # MWh taken and given by the park's own meter, and those of X and Y not proven
        (None, 10),  # nobody knows where the 1 of X went: it counts as having left
        ((12, 0), 9),  # Y took it
        ((13, 1), 10),  # it left the park
    ],
)
def test_green_power_given_away_again_takes_nothing_off_a_neighbour(
    timescale_database: str, gate: tuple[float, float] | None, grey: float
) -> None:
    """X has proven all 3 MWh that it took, and gives 1 away; Y takes 10."""
    park = Monthly(timescale_database)
    park.add("X", {"energy_import": [3000.0], "energy_export": [1000.0]}, 2024)
    park.add("Y", {"energy_import": [10_000.0]}, 2024)
    if gate is not None:
        taken, given = ([1e3 * each] for each in gate)
        of_park = {"energy_import": taken, "energy_export": given}
        park.add("op", of_park, 2024, "G")
        park.place("op", meter="G", role="park")
        for code in "XY":
            park.place(code, "op", above_meter="G")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, park, 5)
        use(conn, park, 3, month=JAN)
        book = load_book(conn, park.park, JAN, FEB)
        for name, factor in (("zero_carbon_park", 0.8325), ("enterprise", 0.5306)):
            power = book.carbon[name].parts["electricity"][:, 0]
            assert power[book.row("X")] == 0
            assert power[book.row("Y")] == pytest.approx(10 * factor)
            assert power[0] == pytest.approx(grey * factor)
        agree(conn, book)


def test_what_never_passed_the_parks_meter_needs_no_room_in_it(
    timescale_database: str,
) -> None:
    """X gives Y 3 MWh within the park, so 20 MWh taken are 17 at the park's meter."""
    park = Monthly(timescale_database)
    park.add("X", {"energy_import": [10_000.0], "energy_export": [3000.0]}, 2024)
    park.add("Y", {"energy_import": [10_000.0]}, 2024)
    park.add("op", {"energy_import": [17_000.0]}, 2024)
    park.place("op", role="park")
    park.place("X", "op")
    park.place("Y", "op")
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


def test_proof_of_stated_power_takes_nothing_off_what_a_neighbour_metered(
    timescale_database: str,
) -> None:
    """X states 10 MWh and has proven them; Y's meter says 20, at Y's own factor."""
    park = Monthly(timescale_database)
    park.add("X", {"water": [1.0]}, 2024)
    park.add("Y", {"energy_import": [20_000.0]}, 2024)
    park.power_factor("Y", 0.5)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "X", "electricity", "bought", 10_000.0, unit="kwh")
        batch(conn, park, 10)
        use(conn, park, 10, month=JAN)
        book = load_book(conn, park.park, JAN, FEB)
        account = book.carbon["enterprise"]
        assert account.total[:, 0] == pytest.approx([10, 0, 10])
        told = [each for each in account.told(0) if each["origin"] != "green"]
        assert min(each["amount"] for each in told) == 0
        agree(conn, book)


def nested(
    url: str,
    mwh: dict[str, float],
    above: dict[str, str],
    factor: dict[str, float],
) -> Monthly:
    """A park of one month: who took what, behind whose meter, with which own factor."""
    park = Monthly(url)
    for code, each in mwh.items():
        park.add(code, {"energy_import": [each * 1e3]}, 2024)
    for code, who in above.items():
        park.place(code, who)
    for code, value in factor.items():
        park.power_factor(code, value)
    park.compute()
    return park


@pytest.mark.parametrize(
    ("proofs", "own", "in_the_park"),
    [
        # o took 100 MWh, 30 of them went on to t, 40 to n without a factor of its own
        # 60 beyond its own 30 are six sevenths of theirs
        ({"o": 90}, {"o": 10, "t": 30}, {"o": 40 / 7, "t": 30 / 7}),
        ({"o": 80, "t": 20}, {"o": 20, "t": 10}, {"o": 0, "t": 0}),
        # 20 beyond its own 30 are half of the 30 of t and the 10 that n has left
        ({"o": 50, "n": 30}, {"o": 50, "t": 30}, {"o": 5, "t": 15}),
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
    factor = {code: {"o": 0.9, "t": 0.5}[code] for code in own}
    park = nested(
        timescale_database,
        {"a": 900, "o": 100, "t": 30, "n": 40},
        {"t": "o", "n": "o"},
        factor,
    )
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


@pytest.mark.parametrize(("n_mwh", "right"), [(10, True), (10.001, False)])
@pytest.mark.parametrize("own", [False, True])
def test_those_behind_one_meter_prove_no_more_than_it_took(
    timescale_database: str, n_mwh: float, right: bool, own: bool
) -> None:
    """Of the 40 MWh that t took 30 went on to n: 30 of t and 10 of n are all of it."""
    park = nested(
        timescale_database,
        {"a": 900, "t": 40, "n": 30},
        {"n": "t"},
        {"t": 0.9} if own else {},
    )
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


def test_own_power_without_a_meter_is_in_the_park_whoever_else_has_one(
    timescale_database: str,
) -> None:
    """E1 meters its photovoltaics, E2 states its own: the park has 72 and 60 MWh kept."""
    park = Monthly(timescale_database)
    power = {"energy_import": [1e6], "pv_generation": [80e3], "energy_export": [8e3]}
    park.add("E1", power, 2024)
    park.add("E2", {"energy_import": [2e6]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        for code, mwh in (("E1", 50), ("E2", 60)):
            own: dict[str, Any] = {"kind": "self_use", "reference": f"PV of {code}"}
            batch(conn, park, mwh, producer=code, **own)
            use(conn, park, mwh, enterprise=code, month=JAN, **own)
        book = load_book(conn, park.park, JAN, FEB)
        # 3 000 taken, 80 and 60 made, 8 given away [MWh]
        for name, factor in (("calorific", 0.1229), ("equal_value", 0.3024)):
            assert book.coal[name].total[0] == pytest.approx([3132 * factor])
            assert clean.non_fossil_tce(book, 0, name) == pytest.approx(132 * factor)
        for account in (*book.coal.values(), *book.carbon.values()):
            together = account.total[1:].sum(axis=0)  # none of `ets`: it has no factor
            assert account.total[0] == pytest.approx(together, nan_ok=True)
        whole, one, two = ledger.shares(book)
        assert (one["own_pv_kwh"], two["own_pv_kwh"]) == (72e3, 60e3)
        assert whole["own_pv_kwh"] == pytest.approx(132e3)
        assert whole["green_share"] == pytest.approx(132 / 3132)
        core = zero_carbon_of(book, FEB, datetime(2024, 3, 1, tzinfo=UTC), 0.0)
        assert core["value"] == pytest.approx(2992 * 0.8325 / (3132 * 0.3024))
        site = own_plant(
            conn,
            registry.subject(conn, "P"),
            JAN,
            FEB,
            definition="non_fossil_electricity",
        )
        assert site["clean_energy"]["clean_tce"] == pytest.approx(132 * 0.3024)
        agree(conn, load_book(conn, park.park, JAN, MAR))


def test_what_one_without_a_meter_of_own_power_gives_takes_nothing_off_that_of_others(
    timescale_database: str,
) -> None:
    """E2 keeps 60 MWh and gives 5: they are not of the 80 that E1 made and kept."""
    park = Monthly(timescale_database)
    park.add("E1", {"energy_import": [1e6], "pv_generation": [80e3]}, 2024)
    park.add("E2", {"energy_import": [2e6], "energy_export": [5e3]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        own: dict[str, Any] = {"kind": "self_use", "reference": "PV"}
        batch(conn, park, 60, **own)
        use(conn, park, 60, enterprise="E2", month=JAN, **own)
        shares = ledger.shares(load_book(conn, park.park, JAN, FEB))
        assert [each["own_pv_kwh"] for each in shares] == [140e3, 80e3, 60e3]


@pytest.mark.parametrize(
    ("plant", "certified", "why"),
    [
        ("Farm", "Farm", "in the ledger already, not as part"),
        ("Farm", "farm ", "in the ledger already, not as part"),
        ("Farm 1", "\uff26\uff41\uff52\uff4d\u3000\uff11", "in the ledger already"),
        ("Farm", None, "it names no plant"),
        ("Farm", " ", "it names no plant"),
        (None, "Farm", "direct supply of its month names no plant"),
        ("Farm", "Farm 2", None),
    ],
)
def test_one_kwh_of_a_plant_is_no_proof_twice(
    timescale_database: str, plant: str | None, certified: str | None, why: str | None
) -> None:
    """50 MWh come directly, and then by certificates: 30.480 t at 0.6096 for once."""
    park = Monthly(timescale_database)
    park.add("X", {"energy_import": [1e6, 1e6]}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        direct: dict[str, Any] = {"kind": "direct", "reference": "D1"}
        batch(conn, park, 50, plant=plant, **direct)
        use(conn, park, 50, month=JAN, **direct)
        batch(conn, park, 50, reference="C9", plant=certified)
        if why is None:
            use(conn, park, 50, reference="C9", month=JAN)
        else:
            with pytest.raises(Invalid, match=why):
                use(conn, park, 50, reference="C9", month=FEB)
        book = load_book(conn, park.park, JAN, FEB)
        grey = 950 if why else 900
        assert book.carbon["residual"].total[0] == pytest.approx([grey * 0.6096])
        # a supply that was cancelled proves nothing
        batch(conn, park, 50, plant=plant, cancelled=True, **direct)
        use(conn, park, 0, month=JAN, **direct)
        if why is not None:
            use(conn, park, 50, reference="C9", month=FEB)


def test_certificates_count_once_in_all_parks(timescale_database: str) -> None:
    one, two = (Monthly(timescale_database, code) for code in ("P", "Secret"))
    for park in (one, two):
        park.add("X", {"energy_import": [90e3, 90e3]}, 2024)
        park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        batch(conn, two, 77)
        use(conn, two, 5)
        for reference in ("GEC-1", "gec-1 "):
            with pytest.raises(Invalid, match="in the ledger already") as refused:
                batch(conn, one, 60, reference=reference)
            assert not any(word in str(refused.value) for word in ("Secret", "77", "5"))
        with pytest.raises(Invalid, match="in the ledger already"):
            batch(conn, two, 77, production_month=FEB)
        batch(conn, one, 60, kind="trade")  # a contract of that name is something else
        batch(conn, one, 60, cancelled=True)
        batch(conn, two, 60)  # a correction of its own record
        # what stood in two ledgers before serves neither any more until one is cancelled
        conn.execute(
            "INSERT INTO core.green_power (park_id, kind, reference, production_month, "
            "kwh, technology, evidence, source, who) VALUES "
            "(%s, 'certificate', 'GEC-1', '2024-01-01', 9e3, 'wind', 'e', 's', 'w')",
            (one.park.park_id,),
        )
        for park in (one, two):
            with pytest.raises(Invalid, match="in the ledger already"):
                use(conn, park, 6)
        batch(conn, two, 60, cancelled=True)
        batch(conn, one, 60, plant="hill")
        use(conn, one, 6)


def test_who_is_behind_whom_over_months_is_who_is_in_each(
    timescale_database: str,
) -> None:
    """C moves from A to B within February, and B's meter is A's from 10 March on."""
    park = Monthly(timescale_database)
    for code in "ABC":
        park.add(code, {"energy_import": [90.0] * 4}, 2024)
    park.place("C", "A")
    park.place("C", "B", since=datetime(2024, 2, 15, 3, 7, tzinfo=UTC))
    with connect(timescale_database, autocommit=True) as conn:
        a, b, c = (registry.subject(conn, "P", code).subject_id for code in "ABC")
        meter = registry.subject(conn, "P", "B", "M").subject_id
        sold = datetime(2024, 3, 10, 1, 1, tzinfo=UTC)
        relations.assign_meter(conn, meter, a, sold, None, source="sale")
        world = compute.load_world(conn, park.park.park_id, park.park.zone)
    edges, names = turns(2024, 4), ["energy_import"]
    found = behind(world, names, edges)
    in_c = [{(a,)}, {(a,), (b,)}, {(a,), (b,)}, {(a,)}]
    assert [found["energy_import", c, cell] for cell in range(4)] == in_c
    assert {cell for _, owner, cell in found if owner == b} == {0, 1, 2}
    months = [behind(world, names, each) for each in pairwise(edges)]
    assert found == {
        (name, owner, cell): who
        for cell, month in enumerate(months)
        for (name, owner, _), who in month.items()
    }
