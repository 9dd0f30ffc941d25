"""Packs as files and over stated years: thresholds by size and by sign, groups, an index."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
import yaml

from analytics.jobs import packs, yearly
from analytics.jobs.evaluating import evaluate
from analytics.jobs.packs import ALONE, MANDATORY
from analytics.jobs.park_values import base_name
from analytics.jobs.zero_carbon import report
from store import packs as stored
from store import registry
from store.database import Connection, connect
from store.errors import Invalid
from store.records import Subject

pytestmark = pytest.mark.db

SAID: dict[str, Any] = {"source": "bureau", "who": "Energy office"}


@pytest.fixture
def conn(plain_database: str) -> Iterator[Connection]:
    with connect(plain_database, autocommit=True) as conn:
        registry.add_park(conn, "P", zone="Asia/Shanghai")
        yield conn


@pytest.fixture
def park(conn: Connection) -> Subject:
    return registry.subject(conn, "P")


def say(conn: Connection, park: Subject, year: int, **values: float) -> None:
    units = packs.input_units(packs.shipped())
    for name, value in values.items():
        packs.state(
            conn,
            park.subject_id,
            name=name,
            year=year,
            value=value,
            unit=units[name],
            source="bureau",
            who="Energy office",
        )


def test_the_shipped_packs_are_as_their_sources_count_them() -> None:
    by = {each.name: each for each in packs.shipped()}
    hj = Counter(each.need for each in by["hj_274_2015"].indicators)
    assert hj.pop(MANDATORY) == 17
    assert sorted(hj.values()) == [2, 2, 2, 2, 3, 4]
    assert not any(each.verified for each in by["hj_274_2015"].indicators)
    zero = by["zero_carbon_park"].indicators
    assert [each.need for each in zero] == [MANDATORY] + ["guiding"] * 5
    assert all(each.verified for each in zero)
    assert [each.at_most for each in zero[0].classes] == [0.2, 0.3]
    assert {each.need for each in by["netdz_green"].indicators} < set(ALONE)
    units: dict[str, str] = {}
    for pack in by.values():
        for name, each in pack.inputs.items():
            assert units.setdefault(name, each.unit) == each.unit


@pytest.mark.parametrize(
    ("co2_t", "tce", "state"),
    [
        (40_000, 200_000, "met"),  # 0.2
        (75_000, 300_000, "missed"),  # 0.25
        (250_000, 1_000_000, "met"),  # 0.25 ≤ 0.3
        (310_000, 1_000_000, "missed"),
        (1_000, 199_999, "unknown"),  # no band
    ],
)
def test_the_core_indicator_by_size(
    conn: Connection, park: Subject, co2_t: float, tce: float, state: str
) -> None:
    for method, t in (("zero_carbon_park", co2_t), ("equal_value", tce)):
        yearly.state(conn, park, method=method, year=2020, amount_t=t, **SAID)
    found = report(conn, park, 2020)
    assert found["core"] == pytest.approx(co2_t / tce)
    assert found["state"] == state
    assert found["rules"] == {"co2": "stated_year", "energy": "stated_year"}
    assert found["parts"] == []  # a stated total has no carriers
    assert any("no band" in each for each in found["cautions"]) == (tce < 200_000)


def test_signs_groups_and_earlier_years_of_hj_274(
    conn: Connection, park: Subject
) -> None:
    before = datetime.now(UTC)
    for year, value, cod in ((2017, 100.0, 50.0), (2020, 133.1, 54.0)):
        more = {"so2_t": 10.0, "ammonia_nitrogen_t": 5.0, "nox_t": 8.0}
        say(
            conn,
            park,
            year,
            added_value_comparable_10k_cny=value,
            cod_t=cod,
            employees=5.0,
            added_value_10k_cny=value,
            **more,
        )
        yearly.state(
            conn, park, method="calorific", year=year, amount_t=40.0 + year / 20, **SAID
        )
    found = evaluate(conn, park, "hj_274_2015", 2020)
    by = {each["name"]: each for each in found["indicators"]}
    # 1.331 in three years is 10 % a year: below 15 %
    assert by["added_value_growth"]["value"] == pytest.approx(10.0)
    assert by["added_value_growth"]["state"] == "missed"
    assert by["added_value_per_employee"]["state"] == "met"  # 26.6
    assert found["group_states"]["economy"] == "met"
    growth = (54 / 50) ** (1 / 3) - 1
    assert by["pollutant_elasticity"]["each"] == pytest.approx(
        [growth / 0.1, 0.0, 0.0, 0.0]
    )
    assert by["pollutant_elasticity"]["state"] == "met"
    assert by["energy_per_added_value"]["value"] == pytest.approx(141 / 133.1)
    assert by["energy_per_added_value"]["would_reach"] == pytest.approx(
        0.5 - 141 / 133.1
    )
    assert found["group_states"]["energy"] == "unknown"  # renewables may do
    assert found["state"] == "unknown"
    # where added value shrank, at least 0.3 is asked for
    say(conn, park, 2020, added_value_comparable_10k_cny=72.9)
    found = evaluate(conn, park, "hj_274_2015", 2020)
    by = {each["name"]: each for each in found["indicators"]}
    assert by["pollutant_elasticity"]["state"] == "missed"
    assert found["state"] == "missed"
    then = evaluate(conn, park, "hj_274_2015", 2020, known_on=before)
    assert then["mandatory"]["unknown"] == 17


def test_the_index_of_a_green_park(conn: Connection, park: Subject) -> None:
    with pytest.raises(Invalid, match="none of"):
        evaluate(conn, park, "green", 2020)
    say(conn, park, 2020, waste_heat_percent=30.0, industrial_land_km2=1.0)
    say(conn, park, 2020, added_value_10k_cny=300_000.0, industrial_wastewater_t=3e6)
    found = evaluate(conn, park, "green_park_2016", 2020)
    scores = {each["name"]: each["score"] for each in found["indicators"]}
    assert scores["waste_heat"] == pytest.approx(0.5)
    assert scores["land_productivity"] == pytest.approx(2.0)  # 30 of 15
    assert scores["wastewater_per_added_value"] == pytest.approx(0.5)  # 10 against 5
    index = found["index"]
    assert index["value"] is None
    # 24 are taken, and three of these are known
    assert (index["taken"], index["unknown"], index["indicators"]) == (24, 21, 31)
    assert [each["score"] for each in found["indicators"]] == index["scores"]
    assert found["state"] == "no_threshold"
    assert found["group_states"] == {}


# what a park states for 2020, and its score: value / lead, or lead / value
STATED: dict[str, dict[str, float]] = {
    "2020": {
        "added_value_10k_cny": 6e5,
        "added_value_comparable_10k_cny": 6e5,
        "energy_calorific_tce": 1e5,
        "clean_energy_calorific_tce": 6e4,
        "co2_enterprise_t": 2e5,
        "renewable_energy_tce": 3e4,
        "fresh_industrial_water_m3": 5e6,
        "industrial_land_km2": 8,
        "solid_waste_used_t": 95,
        "solid_waste_generated_t": 100,
        "solid_waste_old_stock_used_t": 0,
        "water_reused_m3": 1.5e7,
        "reclaimed_water_percent": 45,
        "waste_heat_percent": 30,
        "waste_gas_percent": 72,
        "central_sewage": 1,
        "new_industrial_buildings_m2": 100,
        "new_green_industrial_buildings_m2": 15,
        "bus_stop_coverage_percent": 90,
        "high_tech_industry_output_10k_cny": 6e5,
        "gross_output_10k_cny": 2e6,
        "green_industry_added_value_10k_cny": 9e4,
        "employees": 4e4,
        "waste_disposal_percent": 100,
        "industrial_wastewater_t": 6e6,
        "main_pollutants_t": 1092.727,
        "air_days": 365,
        "good_air_days": 292,
        "green_cover_percent": 15,
        "road_shade_percent": 80,
        "green_standards": 1,
        "green_plan": 1,
        "green_platform": 0,
    },
    "2017": {
        "added_value_comparable_10k_cny": 6e5 / 1.331,
        "co2_enterprise_t": 2e5,
        "main_pollutants_t": 1000,
    },
}


METHODS = {"calorific": "energy_calorific_tce", "enterprise": "co2_enterprise_t"}


def test_the_whole_index_by_hand(conn: Connection, park: Subject) -> None:
    for year, values in STATED.items():
        # energy and emissions are stated as years, the rest for packs
        rest = dict(values)
        for method, name in METHODS.items():
            if name in rest:
                t = rest.pop(name)
                yearly.state(
                    conn, park, method=method, year=int(year), amount_t=t, **SAID
                )
        say(conn, park, int(year), **rest)
    found = evaluate(conn, park, "green_park_2016", 2020)
    by = {each["name"]: each for each in found["indicators"]}
    # CO2 as much as before over 1.1 a year: 1 - 1/1.1 = 1/11; elasticity 0.03 / 0.1 = 0.3
    always = {
        "energy_productivity": 2,  # 6 of 3
        "renewable_share": 2,  # 30 of 15
        "clean_energy_share": 0.8,  # 60 of 75
        "water_productivity": 0.8,  # 1200 of 1500
        "land_productivity": 0.5,  # 7.5 of 15
        "solid_waste": 1,
        "water_reuse": 75 / 90,
        "central_sewage": 1,
        "high_tech_share": 1,
        "green_industry_share": 0.5,  # 15 of 30
        "waste_disposal": 1,
        "co2_reduction": 100 / 11 / 3,
        "wastewater_per_added_value": 0.5,  # 10, and 5 leads
        "pollutant_elasticity": 1,
        "air_quality": 1,
        "standards": 1,
        "plan": 1,
        "platform": 0,
    }
    # two of the four of recovery, the best known one of each other group
    chosen = {
        "reclaimed_water": 1.5,
        "waste_gas": 0.8,
        "green_industrial_buildings": 0.5,
        "bus_stops": 1,
        "added_value_per_employee": 1,
        "road_shade": 1,
    }
    taken = {name for name, each in by.items() if each["in_index"]}
    assert taken == set(always) | set(chosen)
    for name, score in (always | chosen).items():
        assert by[name]["score"] == pytest.approx(score, abs=1e-6), name
    assert by["waste_heat"]["score"] == pytest.approx(
        0.5
    )  # known, and not among the best
    index = found["index"]
    assert (index["taken"], index["unknown"]) == (24, 0)
    by_hand = 100 / 24 * sum((always | chosen).values())
    assert index["value"] == pytest.approx(by_hand, abs=1e-4)


def test_a_park_that_has_stated_nothing_is_told_all_that_is_missing(
    conn: Connection, park: Subject
) -> None:
    for pack in packs.shipped():
        found = evaluate(conn, park, pack.name, 2020)
        named = {each["name"] for each in found["missing"]}
        assert named
        assert all(each["why"] for each in found["missing"])
        for each in found["indicators"]:
            assert each["missing"], each["name"]
            assert {base_name(name)[0] for name in each["missing"]} <= named
            assert each["value"] is None
            assert each["each"] is None or set(each["each"]) == {None}
            assert each["state"] in {"unknown", "no_threshold"}
            assert each["score"] is None
            assert not each["in_index"]
        assert found["state"] in {"unknown", "no_threshold"}
        index = found["index"]
        assert index is None or (index["value"], index["unknown"]) == (None, 24)


def test_yes_and_no_are_stated_as_1_and_0(conn: Connection, park: Subject) -> None:
    for wrong in (0.5, 2.0, -1.0):
        with pytest.raises(Invalid, match="1 for yes or 0 for no"):
            say(conn, park, 2020, central_sewage=wrong)
    for value, state, score in ((1.0, "met", 1.0), (0.0, "missed", 0.0)):
        say(conn, park, 2020, central_sewage=value)
        hj = evaluate(conn, park, "hj_274_2015", 2020)["indicators"]
        green = evaluate(conn, park, "green_park_2016", 2020)["indicators"]
        (of_hj,) = [each for each in hj if each["name"] == "central_sewage"]
        (of_green,) = [each for each in green if each["name"] == "central_sewage"]
        assert of_hj["state"] == state
        assert (of_green["score"], of_green["in_index"]) == (score, True)


def test_a_guiding_indicator_may_be_set_aside_with_its_reason(
    conn: Connection, park: Subject
) -> None:
    say(conn, park, 2020, waste_heat_waived=1.0, solid_waste_waived=0.0)
    found = evaluate(conn, park, "zero_carbon_park", 2020)
    by = {each["name"]: each for each in found["indicators"]}
    assert (by["waste_heat"]["state"], by["waste_heat"]["missing"]) == ("waived", [])
    assert by["solid_waste"]["state"] == "unknown"
    assert found["guiding"] == {"met": 0, "missed": 0, "unknown": 4, "waived": 1}
    missing = {each["name"] for each in found["missing"]}
    assert "waste_heat_recovery_percent" not in missing
    assert "solid_waste_used_t" in missing
    assert not any(name.endswith("_waived") for name in missing)
    values = {each["name"]: each for each in found["values"]}
    assert values["waste_heat_waived"]["source"] == "bureau"
    assert found["state"] == "unknown"  # the core indicator cannot be set aside


OWN = """
name: own
title: own
source: ours
verified: true
needed: {some: 1}
inputs:
  load: {unit: t, title: load}
  excused: {unit: yes_no, title: excused}
indicators:
- {name: load, title: load, unit: t, formula: load, need: guiding, waiver: excused,
   threshold: {at_most: 5}, source: ours, verified: true}
- {name: more, title: more, unit: t, formula: load, need: some, lead: 2, better: less,
   source: ours, verified: true}
"""


def test_what_was_stated_in_another_unit_is_not_taken(
    conn: Connection, park: Subject
) -> None:
    def add(text: str) -> None:
        packs.add(conn, text, who="w")

    def stated(value: float, unit: str) -> None:
        packs.state(
            conn,
            park.subject_id,
            name="load",
            year=2020,
            value=value,
            unit=unit,
            **SAID,
        )

    add(OWN)
    stated(4.0, "t")
    assert evaluate(conn, park, "own", 2020)["indicators"][0]["state"] == "met"
    add(OWN.replace("unit: t,", "unit: kg,"))
    found = evaluate(conn, park, "own", 2020)
    assert found["indicators"][0]["value"] is None
    assert found["missing"][0]["why"] == "stated in t, asked for in kg"
    stated(4000.0, "kg")
    found = evaluate(conn, park, "own", 2020)
    assert found["indicators"][0]["value"] == 4000


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("lead: 2", "lead: 0", "lead above 0"),
        (
            "formula: load, need: some",
            "formula: [load, load], need: some",
            "one formula",
        ),
        ("need: guiding, waiver", "need: mandatory, waiver", "of a guiding"),
        ("waiver: excused", "waiver: load", "yes_no input"),
        ("waiver: excused", "waiver: absent", "yes_no input"),
        ("needed: {some: 1}", "needed: {some: 2}", "2 of the 1"),
        (
            "needed: {some: 1}",
            "needed: {some: 1, guiding: 1}",
            "no indicator is of that group",
        ),
        # what can never be
        ("{at_most: 5}", "{at_least: 10, at_most: 5}", "at least 10 and at most 5"),
        (
            "threshold: {at_most: 5}",
            "size: load, classes: [{from: 10, to: 5, at_most: 1}]",
            "no size is from 10 to below 5",
        ),
        ("threshold: {at_most: 5}", "size: load", "a size needs classes"),
        ("formula: load, need: g", "formula: 1/0, need: g", "1 / 0 is unknown"),
        (
            "formula: load, need: g",
            'formula: "load / (2 - 2)", need: g',
            "is unknown whatever",
        ),
        (
            "formula: load, need: g",
            'formula: "growth(load, load, 0)", need: g',
            "is unknown whatever",
        ),
        ("title: own\n", "title: own\ntitle: other\n", "line 4 says title a second"),
        ("unit: t, formula", "unit: t, unit: kg, formula", "unit a second time"),
        ("needed: {some: 1}\n", "", "some is the need of it alone"),
        ("need: some", "need: mandatroy", "no indicator is of that group"),
    ],
)
def test_what_a_pack_may_not_say(
    conn: Connection, old: str, new: str, words: str
) -> None:
    assert old in OWN
    with pytest.raises(Invalid, match=words):
        packs.add(conn, OWN.replace(old, new), who="w")


def test_a_recorded_pack_is_read_although_it_would_be_refused_today(
    conn: Connection, park: Subject
) -> None:
    terms = yaml.safe_load(OWN.replace("{at_most: 5}", "{at_least: 10, at_most: 5}"))
    stored.record_pack(conn, "own", terms, source="ours", who="w")
    assert [each.name for each in packs.known(conn)][-1] == "own"


@pytest.mark.parametrize("text", ["[" * 5000, "a: " + "{a: " * 5000, "a: [1"])
def test_what_is_no_yaml_is_refused_however_deep(conn: Connection, text: str) -> None:
    with pytest.raises(Invalid, match="no YAML"):
        packs.add(conn, text, who="Clerk One")


def test_shipped_packs_pass_the_checks_of_new_ones() -> None:
    folder = files("analytics").joinpath("packs")
    for each in folder.iterdir():
        if each.name.endswith(".yaml"):
            assert packs.read(each.read_text("utf-8"))[0] in packs.shipped()
