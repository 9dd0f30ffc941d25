"""Intensities from registers and statements; numbers of domain facts or by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics import onsite
from analytics.jobs import changing, intensities
from analytics.jobs.figures import figures as figures_of
from analytics.jobs.park_values import ParkYears
from store import membership, registry, relations, statements
from store.database import Connection, connect
from store.errors import Invalid
from store.periods import period as read_period
from store.records import Stated
from tests.analytics.jobs.conftest import ZONE, Monthly, turns
from tests.analytics.jobs.test_added_value import DENTON, OUTPUT, PRO_RATA
from tests.analytics.jobs.test_book import X

pytestmark = pytest.mark.db

MWH = 1000.0
Say = Callable[..., None]


def say(
    conn: Connection,
    code: str | None,
    kind: str,
    period: str,
    amount: float | None,
    **more: Any,
) -> None:
    first, last = read_period(period)
    unit = {"output": "t", "pollutant": "kg", "heads": "persons", "land_area": "m2"}
    unit |= {"fresh_water": "m3", "volume_index": "percent", "building_area": "m2"}
    money = kind in ("added_value", "gross_output", "revenue")
    row: dict[str, Any] = {
        "subject_id": registry.subject(conn, "P", code).subject_id,
        "kind": kind,
        "unit": unit.get(kind, "10k_cny"),
        "period_from": first,
        "period_to": last,
        "amount": amount,
        "prices": "current" if money else None,
        "source": "test",
    }
    assert statements.state(conn, Stated(**(row | more))) is not None


def figures(conn: Connection, period: str, code: str | None = None, **more: Any) -> Any:
    options: dict[str, Any] = {"length": "year"} | more
    subject = registry.subject(conn, "P", code)
    return intensities.history(conn, subject, *read_period(period), **options)["rows"]


def test_enterprise_x(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("X", X, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        ratios = figures(conn, "2023", "X")[0]["per"]["added_value_10k_cny"]
        assert ratios["missing"] == ["X"]
        assert ratios["tce"]["calorific"] is None
        say(conn, "X", "added_value", "2023", 26_000)
        (year,) = figures(conn, "2023", "X")
        ratios = year["per"]["added_value_10k_cny"]
        assert ratios["tce"]["calorific"] == pytest.approx(0.15083, abs=5e-6)
        assert ratios["tce"]["equal_value"] == pytest.approx(0.24403, abs=5e-6)
        # 12 393.660 of Jiangsu's 0.5827 on 12 000 MWh
        assert ratios["co2_t"]["location_region"] == pytest.approx(0.47668, abs=5e-6)
        assert (ratios["amount"], ratios["estimated"]) == (26_000, False)
        assert year["coverage"] == 1
        assert year["publishable"]
        # a month is an estimate and says by what
        march = figures(conn, "2023-03", "X", length="month")[0]
        below = march["per"]["added_value_10k_cny"]
        assert below["how"] == ["benchmarked", "electricity"]
        assert below["estimated"]


def test_time_before_the_first_meter_is_not_covered(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("X", {"energy_import": [MWH] * 6}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "X", "added_value", "2023-H2", 100)
        say(conn, "X", "added_value", "2024-H1", 100)
        half, whole = (
            figures(conn, period, "X", length="rolling_12")[-1]
            for period in ("2024-H1", "2024-06")
        )
        assert half == whole
        assert whole["coverage"] == pytest.approx(182 / 366)
        assert not whole["publishable"]


@pytest.mark.parametrize(
    ("method", "wanted"), [("pro_rata", PRO_RATA), ("denton", DENTON)]
)
def test_monthly_intensity_by_the_known_vectors(
    timescale_database: str, method: str, wanted: list[float]
) -> None:
    park = Monthly(timescale_database)
    park.add("X", {"energy_import": [MWH * 1000] * 6}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        for month, amount in enumerate(OUTPUT, 1):
            say(conn, "X", "gross_output", f"2024-{month:02}", amount)
        say(conn, "X", "added_value", "2024-Q1", 300)
        say(conn, "X", "added_value", "2024-Q2", 330)
        rows = figures(conn, "2024-H1", "X", length="month", method=method)
        below = [each["per"]["added_value_10k_cny"] for each in rows]
        assert [each["amount"] for each in below] == pytest.approx(wanted, abs=5e-5)
        assert {each["estimated"] for each in below} == {True}
        assert below[0]["how"] == ["benchmarked", "gross_output"]
        # 1 GWh is 122.9 tce
        assert below[2]["tce"]["calorific"] == pytest.approx(
            122.9 / wanted[2], rel=1e-6
        )
        dated = figures(conn, "2024-H1", "X", length="year_to_date", method=method)
        to_april = dated[3]["per"]["added_value_10k_cny"]
        assert to_april["tce"]["calorific"] == pytest.approx(
            4 * 122.9 / (300 + wanted[3]), rel=1e-6
        )
        quarter = figures(conn, "2024-H1", "X", length="quarter", method=method)[1]
        assert quarter["period"] == "2024-Q2"
        assert not quarter["per"]["added_value_10k_cny"]["estimated"]
        rolling = figures(conn, "2024-06", "X", length="rolling_12")[0]
        assert (rolling["from"], rolling["to"]) == ("2023-07-01", "2024-07-01")
        assert rolling["per"]["added_value_10k_cny"]["amount"] is None


def two(url: str) -> Monthly:
    """A small enterprise that uses much and a large one that uses little."""
    park = Monthly(url)
    a = [100 * MWH] * 12 + [108 * MWH] * 12
    park.add("A", {"energy_import": a}, 2023)
    park.add("B", {"energy_import": [10 * each for each in a]}, 2023)
    park.compute()
    return park


def test_a_ratio_of_sums_and_who_is_missing(timescale_database: str) -> None:
    two(timescale_database)
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "A", "added_value", "2023", 100)
        (year,) = figures(conn, "2023", of="enterprises")
        assert year["per"]["added_value_10k_cny"]["missing"] == ["B"]
        assert year["per"]["added_value_10k_cny"]["tce"]["calorific"] is None
        say(conn, "B", "added_value", "2023", 10_000)
        for of in ("enterprises", "park"):
            (year,) = figures(conn, "2023", of=of)
            got = year["per"]["added_value_10k_cny"]["tce"]["calorific"]
            # 1.2 + 12 GWh over 10 100; the mean of 1.4748 and 0.14748 is 0.81
            assert got == pytest.approx(13.2 * 122.9 / 10_100)
        for code, lost in (("A", -1.0), ("B", -20_000.0)):
            say(conn, code, "added_value", "2023", lost)
        (year,) = figures(conn, "2023", of="enterprises")
        assert year["per"]["added_value_10k_cny"]["amount"] == -20_001
        assert year["per"]["added_value_10k_cny"]["tce"]["calorific"] is None


def test_a_member_that_joins(timescale_database: str) -> None:
    two(timescale_database)
    with connect(timescale_database, autocommit=True) as conn:
        for code, year, amount in (
            ("A", 2023, 100),
            ("B", 2023, 10_000),
            ("A", 2024, 130),
            ("B", 2024, 11_000),
        ):
            say(conn, code, "added_value", str(year), amount)
        say(conn, None, "volume_index", "2024", 120)
        say(conn, "B", "volume_index", "2024", 108)
        a, b = (registry.subject(conn, "P", code).subject_id for code in "AB")
        for enterprise, year, above in (
            (a, 2023, True),
            (a, 2024, True),
            (b, 2024, True),
        ):
            membership.state_size(conn, enterprise, year, above, source="list")
        whole = registry.subject(conn, "P")
        years = read_period("2024"), read_period("2023")
        found = changing.change(conn, whole, *years, of="above_size")
        assert (found["joined"], found["left"], found["price_base"]) == (
            ["B"],
            [],
            2023,
        )
        own, same = found["own_sets"], found["same_set"]
        assert (own["report"]["set_year"], own["base"]["set_year"]) == (2024, 2023)
        assert own["report"]["members"] == ["A", "B"]
        assert own["base"]["members"] == ["A"]
        assert own["base"]["size_not_stated"] == ["B"]
        # A alone was 1.2 GWh over 100; both are 1.08 x 13.2 GWh over 120 + 10 800
        first, then = 1.2 * 122.9 / 100, 1.08 * 13.2 * 122.9 / 10_920
        wanted = 100 * (then / first - 1)
        got = own["change_percent"]["tce"]["calorific"]
        assert got["of_intensities"] == pytest.approx(wanted)
        assert got["of_growth"] == pytest.approx(wanted)
        # the same set: energy +8 %, value +20 %
        got = same["change_percent"]["tce"]["calorific"]
        assert got["numerator_growth"] == pytest.approx(8)
        assert got["value_growth"] == pytest.approx(20)
        assert got["of_intensities"] == pytest.approx(-10)
        assert got["of_growth"] == pytest.approx(-10)
        assert same["report"]["members"] == ["A"]
        assert same["publishable"]
        alone = changing.change(conn, registry.subject(conn, "P", "B"), *years)
        got = alone["own_sets"]["change_percent"]["co2_t"]["location_national"]
        assert got["of_intensities"] == pytest.approx(0, abs=1e-9)
        assert got["value_growth"] == pytest.approx(8)
        with pytest.raises(Invalid, match="equal length"):
            changing.change(conn, whole, years[0], read_period("2023-H1"))


def test_other_numerators_and_denominators(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [MWH] * 12, "water": [100.0] * 12}, 2023)
    park.add("B", {"energy_import": [2 * MWH] * 12}, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        for code in "AB":
            say(conn, code, "added_value", "2023", 100)
            say(conn, code, "heads", "2023", 40)
            say(conn, code, "land_area", "2020..2030", 15_000)
            say(conn, code, "pollutant", "2023", 5, product="cod")
        say(conn, "A", "fresh_water", "2023", 9_999)  # metered: does not count
        for quarter in (1, 2, 3):
            say(conn, "B", "fresh_water", f"2023-Q{quarter}", 200)
        say(conn, "A", "output", "2023", 600, product="rebar")
        say(conn, "B", "output", "2023", 300, product="rebar")
        say(conn, "B", "output", "2023", 7, product="wire")
        (year,) = figures(conn, "2023", of="enterprises")
        assert year["water_m3"] == {
            "amount": None,
            "known": 1200,
            "basis": ["metered"],
            "coverage": 1,
            "missing": ["B"],
        }
        say(conn, "B", "fresh_water", "2023-Q4", 200)
        (year,) = figures(conn, "2023", of="enterprises")
        assert year["water_m3"]["basis"] == ["metered", "stated"]
        per = year["per"]
        assert per["added_value_10k_cny"]["water_m3"] == pytest.approx(2000 / 200)
        assert per["added_value_10k_cny"]["pollutant_kg"]["cod"] == pytest.approx(0.05)
        assert per["head"]["amount"] == 80
        assert per["head"]["added_value_10k_cny"] == pytest.approx(2.5)
        assert per["land_ha"]["amount"] == pytest.approx(3)
        assert per["land_ha"]["tce"]["calorific"] == pytest.approx(36 * 0.1229 / 3)
        assert per["building_ha"]["missing"] == ["A", "B"]
        rebar, wire = year["per_product"]
        assert (rebar["makers"], rebar["several"]) == (["A"], ["B"])
        assert rebar["tce"]["calorific"] == pytest.approx(12 * 0.1229 / 600)
        assert (wire["makers"], wire["amount"]) == ([], None)
        say(conn, None, "land_area", "2023", 50_000)
        (year,) = figures(conn, "2023", of="park")
        assert year["per"]["land_ha"]["amount"] == pytest.approx(5)


def test_monitors_count_where_they_cover_and_statements_where_not(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    half = [10.0] * 6 + [None] * 6
    park.add("A", {"energy_import": [MWH] * 12, "cod": half}, 2023)
    park.add("B", {"energy_import": [MWH] * 12}, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:

        def cod(period: str, code: str | None = None, **more: Any) -> Any:
            (row,) = figures(conn, period, code, **more)
            return row["pollutant_kg"]["cod"]

        # nobody has stated anything: half a year is not the year
        assert cod("2023", "A") == {
            "amount": None,
            "known": None,
            "basis": [],
            "measured_share": None,
            "coverage": 0,
            "missing": ["A"],
        }
        june = cod("2023-06", "A", length="month")
        assert (june["amount"], june["basis"]) == (10, ["measured"])
        assert (june["measured_share"], june["coverage"]) == (1, 1)
        july = cod("2023-07", "A", length="month")
        assert (july["amount"], july["coverage"]) == (None, 0)
        for quarter, kg in ((1, 999), (3, 33), (4, 44)):
            say(conn, "A", "pollutant", f"2023-Q{quarter}", kg, product="cod")
        year = cod("2023", "A")
        assert year["amount"] == pytest.approx(6 * 10 + 33 + 44)  # 999 is not added
        assert year["basis"] == ["measured", "stated"]
        assert year["measured_share"] == pytest.approx(60 / 137)
        assert (year["coverage"], year["missing"]) == (1, [])
        assert cod("2023-Q1", "A", length="quarter")["amount"] == pytest.approx(30)
        # of the whole: B has said nothing
        whole = cod("2023", of="enterprises")
        assert (whole["amount"], whole["missing"]) == (None, ["B"])
        assert whole["known"] == pytest.approx(137)
        say(conn, "B", "pollutant", "2023", 3, product="cod")
        assert cod("2023", of="park")["amount"] == pytest.approx(140)
        for code in "AB":
            say(conn, code, "added_value", "2023", 100)
        (row,) = figures(conn, "2023", of="enterprises")
        per = row["per"]["added_value_10k_cny"]
        assert per["pollutant_kg"] == {"cod": pytest.approx(0.7)}
        # a mass is in no energy, carbon or water, and no coverage of these
        assert row["tce"]["calorific"] == pytest.approx(24 * 0.1229)
        assert (row["coverage"], row["water_m3"]["amount"]) == (1, None)
        before = datetime.now(UTC)
        # a year that monitors cover by half is as stated, whatever they measured of it
        for quarter in (1, 3, 4):
            say(conn, "A", "pollutant", f"2023-Q{quarter}", None, product="cod")
        say(conn, "A", "pollutant", "2023", 125, product="cod")
        year = cod("2023", "A")
        assert (year["amount"], year["basis"]) == (125, ["stated"])
        assert (year["measured_share"], year["coverage"]) == (0, None)
        assert cod("2023", "A", known_on=before)["amount"] == pytest.approx(137)


def test_a_monitor_that_changes_hands_covers_the_month_for_neither(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"nox": [31.0, 28.0, 31.0]}, 2023)
    park.add("B", {"so2": [1.0, 1.0, 1.0]}, 2023)
    with connect(timescale_database, autocommit=True) as conn:
        meter = registry.subject(conn, "P", "A", "M").subject_id
        other = registry.subject(conn, "P", "B").subject_id
        middle = datetime(2023, 2, 15, tzinfo=ZONE)
        relations.assign_meter(conn, meter, other, middle, None, source="sold")
        park.compute()
        amounts = {
            code: [
                each["pollutant_kg"].get("nox", {}).get("amount")
                for each in figures(conn, "2023-Q1", code, length="month")
            ]
            for code in "AB"
        }
        assert amounts == {"A": [31, None, None], "B": [None, None, 31]}
        # known of February all the same: 14 days each
        february = figures(conn, "2023-02", "B", length="month")[0]["pollutant_kg"]
        assert february["nox"]["coverage"] == pytest.approx(0.5)


def test_a_ranking_with_everybody_in_it(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    for code, part in (("A", 1.0), ("B", 2.0), ("C", 2.0), ("D", 1.0), ("E", 1.0)):
        park.add(code, {"energy_import": [part * MWH] * 12}, 2023)
    park.add("F", {"energy_import": [MWH] * 4 + [None] * 8}, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        registry.add_enterprise(conn, park.park.park_id, "G")
        for code, amount in (("A", 40), ("B", 20), ("C", 20), ("E", -3), ("F", 10)):
            say(conn, code, "added_value", "2023", amount)
        found = intensities.rank(conn, park.park, *read_period("2023"))
        assert [
            (each["place"], each["enterprise"], each["reason"])
            for each in found["rows"]
        ] == [
            (1, "A", None),
            (2, "B", None),
            (2, "C", None),
            (None, "D", "denominator_missing"),
            (None, "E", "denominator_not_positive"),
            (None, "F", "coverage"),
            (None, "G", "denominator_missing"),
        ]
        assert found["ranked"] == 3
        assert found["rows"][5]["coverage"] == pytest.approx(120 / 365, abs=0.01)
        a = registry.subject(conn, "P", "A").subject_id
        membership.state_size(conn, a, 2023, True, source="list")
        found = intensities.rank(
            conn, park.park, *read_period("2023"), members="above_size"
        )
        assert [each["enterprise"] for each in found["rows"]] == ["A"]
        assert found["set_year"] == 2023
        wrongs: list[dict[str, Any]] = [{"per": "tree"}, {"figure_name": "x"}]
        for wrong in (*wrongs, {"method_name": "x"}):
            with pytest.raises(Invalid):
                intensities.rank(conn, park.park, *read_period("2023"), **wrong)
        early = intensities.rank(
            conn, park.park, *read_period("2023"), now=datetime(2023, 12, 1, tzinfo=UTC)
        )
        assert {each["reason"] for each in early["rows"]} == {"not_over"}


def test_as_known_on_and_what_disagrees(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [MWH] * 12}, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "A", "added_value", "2023", 30, stage="provisional")
        before = datetime.now(UTC)
        say(conn, "A", "added_value", "2023", 40)
        for quarter in (1, 2, 3, 4):
            say(conn, "A", "added_value", f"2023-Q{quarter}", 11)
        subject = registry.subject(conn, "P", "A")

        def value(**more: Any) -> Any:
            return intensities.history(
                conn, subject, date(2023, 1, 1), date(2024, 1, 1), length="year", **more
            )

        now, then = value(), value(known_on=before)
        assert now["rows"][0]["per"]["added_value_10k_cny"]["amount"] == 40
        earlier = then["rows"][0]["per"]["added_value_10k_cny"]
        assert (earlier["amount"], earlier["provisional"]) == (30, True)
        assert then["rows"][0]["tce"] == now["rows"][0]["tce"]
        assert then["doubts"] == []
        (doubt,) = now["doubts"]
        assert (doubt["what"], doubt["counts"]) == ("differs", "statement")
        assert (doubt["amount"], doubt["other_amount"]) == (40, 44)


def test_electricity_is_the_last_resort(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [MWH * n for n in (1, 2, 3, *[2] * 9)]}, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "A", "added_value", "2023-Q1", 60)
        first, *_, last = figures(
            conn, "2023-01..2023-12", "A", length="month", method="pro_rata"
        )
        below = first["per"]["added_value_10k_cny"]
        assert below["amount"] == pytest.approx(10)
        assert below["how"] == ["benchmarked", "electricity"]
        assert last["per"]["added_value_10k_cny"]["how"] == [
            "electricity",
            "extrapolated",
        ]
        assert last["per"]["added_value_10k_cny"]["amount"] == pytest.approx(20)


def test_what_a_neighbour_states_moves_nothing(timescale_database: str) -> None:
    """Only its own statements say from when on an enterprise's months are estimated."""
    two(timescale_database)
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "A", "added_value", "2024", 100)
        before = figures(conn, "2023", "A", length="month")
        below = [each["per"]["added_value_10k_cny"] for each in before]
        assert {each["amount"] for each in below} == {None}
        say(conn, "B", "added_value", "2023", 1000)
        assert figures(conn, "2023", "A", length="month") == before


def place(url: str, meter: str, role: str, above: str | None = None) -> None:
    """Place a meter, named as enterprise/code, from 2023 on."""
    with connect(url, autocommit=True) as conn:
        found = [
            None if each is None else registry.subject(conn, "P", *each.split("/"))
            for each in (meter, above)
        ]
        own, over = (None if each is None else each.subject_id for each in found)
        assert own is not None
        since = turns(2023)[0].astimezone(UTC)
        relations.place_meter(conn, own, role, over, since, source="plan")


WATER = [1000.0] * 12  # m3


def watered(url: str, *codes: str) -> Monthly:
    """Enterprises with electricity all year, of which some have a water meter W."""
    park = Monthly(url)
    for code in "ABC":
        park.add(code, {"energy_import": [MWH] * 12}, 2023)
        if code in codes:
            park.add(code, {"water": WATER}, 2023, meter="W")
    with connect(url, autocommit=True) as conn:
        for code in "ABC":
            say(conn, code, "added_value", "2023", 1000)
    return park


def test_water_that_is_metered_from_december_on_is_not_the_years(
    timescale_database: str,
) -> None:
    park = watered(timescale_database, "A")
    late = [None] * 11 + [1000.0]
    park.add("C", {"water": late, "wastewater": late}, 2023, meter="W")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        (year,) = figures(conn, "2023", "C")
        assert (year["coverage"], year["publishable"]) == (1, True)  # of its energy
        for name in ("water_m3", "wastewater_m3"):
            assert year[name] == {
                "amount": None,
                "known": None,
                "basis": [],
                "coverage": 0,
                "missing": ["C"],
            }
            assert year["per"]["added_value_10k_cny"][name] is None
        (december,) = figures(conn, "2023-12", "C", length="month")
        assert december["water_m3"]["amount"] == pytest.approx(1000)
        assert december["water_m3"]["coverage"] == 1
        shown = {
            each["figure"]: (each["coverage"], each["publishable"])
            for each in intensities.lines(year)
            if each["per"] == "added_value_10k_cny" and each["method"] is None
        }
        assert shown == {"water_m3": (0, False), "wastewater_m3": (0, False)}

        def ranked() -> Any:
            return [
                (each["place"], each["enterprise"], each["value"], each["coverage"])
                for each in intensities.rank(
                    conn, park.park, *read_period("2023"), figure_name="water_m3"
                )["rows"]
            ]

        assert ranked() == [
            (1, "A", pytest.approx(12), 1),
            (None, "B", None, None),
            (None, "C", None, 0),
        ]
        # stated of the year it counts for the year: what the meter counted of it is in it
        say(conn, "C", "fresh_water", "2023", 11_000)
        (year,) = figures(conn, "2023", "C")
        assert (year["water_m3"]["amount"], year["water_m3"]["basis"]) == (
            11_000,
            ["stated"],
        )
        assert ranked()[0] == (1, "C", pytest.approx(11), None)
        # nor is it added to the park's: 12 000 + 11 000 + B's
        (whole,) = figures(conn, "2023")
        assert (whole["water_m3"]["amount"], whole["water_m3"]["missing"]) == (
            None,
            ["B"],
        )
        assert whole["water_m3"]["known"] == pytest.approx(23_000)
        say(conn, "B", "fresh_water", "2023", 500)
        for of in ("park", "enterprises"):
            (whole,) = figures(conn, "2023", of=of)
            assert whole["water_m3"]["amount"] == pytest.approx(23_500)
            assert whole["water_m3"]["basis"] == ["metered", "stated"]


def test_two_meters_of_half_a_month_do_not_cover_it(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    for meter in ("W1", "W2"):
        used = {"water": [1000.0] * 3, "energy_import": [MWH] * 3, "nox": [1.0] * 3}
        park.add("A", used, 2023, meter=meter)
    with connect(timescale_database, autocommit=True) as conn:
        b = registry.add_enterprise(conn, park.park.park_id, "B")
        middle = datetime(2023, 2, 15, tzinfo=ZONE)
        for meter in ("W1", "W2"):
            own = registry.subject(conn, "P", "A", meter).subject_id
            relations.assign_meter(conn, own, b, turns(2023)[0], middle, source="x")
        park.compute()
        (february,) = figures(conn, "2023-02", "A", length="month")
        # 14 of 28 days, twice
        assert february["coverage"] == pytest.approx(0.5)
        for of in (february["water_m3"], february["pollutant_kg"]["nox"]):
            assert (of["amount"], of["missing"]) == (None, ["A"])
            assert of["coverage"] == pytest.approx(0.5)


def test_the_parks_water_drops_nobody_who_has_no_meter(timescale_database: str) -> None:
    park = watered(timescale_database, "A", "C")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        for of in ("park", "enterprises"):
            (year,) = figures(conn, "2023", of=of)
            assert year["water_m3"]["missing"] == ["B"]
            assert year["water_m3"]["amount"] is None
            assert year["wastewater_m3"]["missing"] == ["A", "B", "C"]

        def of_packs() -> Any:
            subject = registry.subject(conn, "P")
            years = ParkYears(conn, subject, clean_by=sorted(onsite.CLEAN_PARTS)[0])
            found = years.value("water_m3", 2023, "m3")
            return found.value, found.why

        assert of_packs() == (None, "not known of B")
        say(conn, "B", "fresh_water", "2023", 500)
        assert of_packs() == (pytest.approx(24_500), "metered and stated")


def test_a_tenant_behind_anothers_meter_is_once_in_the_park(
    timescale_database: str,
) -> None:
    park = watered(timescale_database, "A", "C")
    place(timescale_database, "C/W", "main", above="A/W")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "B", "fresh_water", "2023", 500)
        (year,) = figures(conn, "2023", of="park")
        assert year["water_m3"]["amount"] == pytest.approx(12_500)


def test_beside_a_meter_of_the_park_nobodys_statement_counts_for_it(
    timescale_database: str,
) -> None:
    park = watered(timescale_database, "A")
    park.add("A", {"water": [3000.0] * 12}, 2023, meter="WP")
    place(timescale_database, "A/WP", "park")
    place(timescale_database, "A/W", "main", above="A/WP")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "B", "fresh_water", "2023", 18_000)
        (year,) = figures(conn, "2023", of="park")
        assert year["water_m3"] == {
            "amount": pytest.approx(36_000),
            "known": pytest.approx(36_000),
            "basis": ["metered"],
            "coverage": 1,
            "missing": [],
        }
        whole = figures_of(conn, registry.subject(conn, "P"), *read_period("2023"))
        assert whole["amounts"]["water"]["amount"] == pytest.approx(36_000)
        # of the enterprises C is missing, and A's own 12 000 count
        (year,) = figures(conn, "2023", of="enterprises")
        assert year["water_m3"]["missing"] == ["C"]
        assert year["water_m3"]["known"] == pytest.approx(30_000)


def test_a_meter_of_the_park_counts_from_the_month_it_came(
    timescale_database: str,
) -> None:
    park = watered(timescale_database, "A")
    park.add("A", {"water": [None] * 6 + [3000.0] * 6}, 2023, meter="WP")
    with connect(timescale_database, autocommit=True) as conn:
        ids = [registry.subject(conn, "P", "A", m).subject_id for m in ("WP", "W")]
        july = turns(2023)[6].astimezone(UTC)
        january = turns(2023)[0].astimezone(UTC)
        relations.place_meter(conn, ids[0], "check", None, january, source="plan")
        relations.place_meter(conn, ids[0], "park", None, july, source="plan")
        relations.place_meter(conn, ids[1], "main", ids[0], july, source="plan")
        park.compute()
        (year,) = figures(conn, "2023")
        assert year["water_m3"]["missing"] == ["B", "C"]  # of the first half year
        for code, half in (("B", 900), ("C", 100)):
            say(conn, code, "fresh_water", "2023-H1", half)
            say(conn, code, "fresh_water", "2023-H2", half)
        (year,) = figures(conn, "2023")
        # six months of A's, 1 000 as stated, and six of the park's
        assert year["water_m3"]["amount"] == pytest.approx(6000 + 1000 + 18_000)
        assert year["water_m3"]["coverage"] == 1


@pytest.mark.parametrize("said", [400, None])
def test_what_a_tenant_states_is_in_the_meter_that_it_stands_behind(
    timescale_database: str, said: float | None
) -> None:
    """C's meter, behind A's, is read from July on; its year is stated, or not known."""
    park = watered(timescale_database, "A")
    park.add("C", {"water": [None] * 6 + [30.0] * 6}, 2023, meter="W")
    place(timescale_database, "C/W", "main", above="A/W")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        say(conn, "B", "fresh_water", "2023", 500)
        if said is not None:
            say(conn, "C", "fresh_water", "2023", said)
        (year,) = figures(conn, "2023", of="park")
        assert year["water_m3"]["amount"] == pytest.approx(12_500)
        assert year["water_m3"]["coverage"] == 1
        (year,) = figures(conn, "2023", of="enterprises")
        own = None if said is None else pytest.approx(12_900)
        assert year["water_m3"]["amount"] == own


def test_the_month_in_which_a_meter_of_the_park_comes_is_the_enterprises(
    timescale_database: str,
) -> None:
    """It counts 3 000 m3 a month from 16 July on; A's 1 000, C's 200 of them, and B's 50."""
    park = watered(timescale_database, "A")
    park.add("A", {"water": [None] * 6 + [3000.0] * 6}, 2023, meter="WP")
    park.add("C", {"water": [200.0] * 12}, 2023, meter="W")
    place(timescale_database, "C/W", "main", above="A/W")
    with connect(timescale_database, autocommit=True) as conn:
        ids = [registry.subject(conn, "P", "A", m).subject_id for m in ("WP", "W")]
        comes = datetime(2023, 7, 15, 16, tzinfo=UTC)
        january = turns(2023)[0].astimezone(UTC)
        relations.place_meter(conn, ids[0], "check", None, january, source="plan")
        relations.place_meter(conn, ids[0], "park", None, comes, source="plan")
        relations.place_meter(conn, ids[1], "main", ids[0], comes, source="plan")
        park.compute()
        for month in range(1, 13):
            say(conn, "B", "fresh_water", f"2023-{month:02}", 50)
        for period, amount in (("2023-06", 1050), ("2023-07", 1050), ("2023-08", 3000)):
            (found,) = figures(conn, period, length="month")
            assert found["water_m3"]["missing"] == []
            assert found["water_m3"]["amount"] == pytest.approx(amount), period
        (year,) = figures(conn, "2023")
        assert year["water_m3"]["amount"] == pytest.approx(7 * 1050 + 5 * 3000)
