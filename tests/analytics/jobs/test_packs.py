"""Packs as files and over stated years: thresholds by size and by sign, groups, an index."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.jobs import packs, yearly
from analytics.jobs.evaluating import evaluate
from analytics.jobs.packs import ALONE, MANDATORY
from analytics.jobs.zero_carbon import report
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
    scores = dict(
        zip(
            [each["name"] for each in found["indicators"]],
            found["index"]["scores"],
            strict=True,
        )
    )
    assert scores["waste_heat"] == pytest.approx(0.5)
    assert scores["land_productivity"] == pytest.approx(2.0)  # 30 of 15
    assert scores["wastewater_per_added_value"] == pytest.approx(0.5)  # 10 against 5
    assert found["index"]["value"] is None
    assert (found["index"]["unknown"], found["index"]["indicators_in_source"]) == (
        9,
        31,
    )


@pytest.mark.parametrize("text", ["[" * 5000, "a: " + "{a: " * 5000, "a: [1"])
def test_what_is_no_yaml_is_refused_however_deep(conn: Connection, text: str) -> None:
    with pytest.raises(Invalid, match="no YAML"):
        packs.add(conn, text, who="Clerk One")
