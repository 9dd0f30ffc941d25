"""Formulas of the shipped packs: each gives its unit, and what arithmetic by hand gives."""

import ast
from collections import Counter
from typing import NamedTuple

import pytest

from analytics import indicators
from analytics.jobs.packs import ALONE, MANDATORY, Indicator, Pack, input_units, shipped
from analytics.jobs.park_values import base_name

PACKS = {each.name: each for each in shipped()}

# what one of each unit is, of base units of their own; 1 tce is 29.3076 GJ
SCALES: dict[str, tuple[float, dict[str, int]]] = {
    "": (1, {}),
    "yes_no": (1, {}),
    "percent": (0.01, {}),
    "d": (1, {"d": 1}),
    "t": (1, {"t": 1}),
    "tCO2": (1, {"t": 1}),
    "kg": (0.001, {"t": 1}),
    "m2": (1, {"m": 2}),
    "km2": (1e6, {"m": 2}),
    "m3": (1, {"m": 3}),
    "gj": (1, {"gj": 1}),
    "tce": (29.3076, {"gj": 1}),
    "kwh": (0.0036, {"gj": 1}),
    "cny": (1, {"cny": 1}),
    "10k_cny": (1e4, {"cny": 1}),
    "100m_cny": (1e8, {"cny": 1}),
}


class Unit(NamedTuple):
    """How much of the base units a bare 1 stands for."""

    scale: float
    base: Counter[str]


def unit_of(text: str) -> Unit:
    found = Unit(1, Counter())
    for i, part in enumerate(text.split("/")):
        scale, base = SCALES[part]
        found = product(found, Unit(scale, Counter(base)), -1 if i else 1)
    return found


def product(a: Unit, b: Unit, power: int) -> Unit:
    base = Counter(a.base)
    for name, n in b.base.items():
        base[name] += power * n
    base = Counter({name: n for name, n in base.items() if n})
    return Unit(a.scale * b.scale**power, base)


def same(a: Unit, b: Unit) -> bool:
    return a.base == b.base and a.scale == pytest.approx(b.scale)


def result(node: ast.expr, units: dict[str, str]) -> Unit:
    match node:
        case ast.Name(name):
            return unit_of(units[base_name(name)[0]])
        case ast.Constant(int() | float() as value):
            # twice as many of half the unit is the same
            return Unit(1 / value, Counter())
        case ast.UnaryOp(_, operand):
            return result(operand, units)
        case ast.BinOp(left, ast.Add() | ast.Sub(), right):
            a, b = result(left, units), result(right, units)
            assert same(a, b), ast.unparse(node)
            return a
        case ast.BinOp(left, operator, right):
            sign = 1 if isinstance(operator, ast.Mult) else -1
            return product(result(left, units), result(right, units), sign)
        case ast.Call(_, [a, b, *_]):
            assert same(result(a, units), result(b, units)), ast.unparse(node)
            return Unit(1, Counter())
    raise AssertionError(ast.unparse(node))


EVERY = [
    pytest.param(pack, each, id=f"{pack.name}-{each.name}")
    for pack in PACKS.values()
    for each in pack.indicators
]


@pytest.mark.parametrize(("pack", "of"), EVERY)
def test_each_formula_gives_its_unit(pack: Pack, of: Indicator) -> None:
    units = input_units([pack])
    for formula in of.formulas():
        assert same(result(formula.tree, units), unit_of(of.unit)), formula.text
    if of.size is not None:
        found = result(indicators.parse(of.size).tree, units)
        assert same(found, unit_of(of.size_unit))


def test_a_wrong_unit_is_seen() -> None:
    units = {"a_t": "t", "b_kg": "kg", "v_10k_cny": "10k_cny", "heat_gj": "gj"}
    for text, unit, right in (
        ("1000 * a_t / v_10k_cny", "kg/10k_cny", True),
        ("100 * a_t / v_10k_cny", "kg/10k_cny", False),
        ("heat_gj / 29.3076", "tce", True),
        ("v_10k_cny / 10000", "100m_cny", True),
        ("v_10k_cny", "cny", False),
    ):
        assert same(result(indicators.parse(text).tree, units), unit_of(unit)) == right
    with pytest.raises(AssertionError):
        result(indicators.parse("a_t + b_kg").tree, units)


def test_every_title_is_in_both_languages() -> None:
    for pack in PACKS.values():
        assert pack.title_zh
        assert all(each.title_zh for each in pack.indicators)
        assert all(each.title_zh for each in pack.inputs.values())


def test_inputs_mean_the_same_in_every_pack() -> None:
    known: dict[str, object] = {}
    for pack in PACKS.values():
        for name, each in pack.inputs.items():
            assert known.setdefault(name, each) == each
    asked = {
        base_name(name)[0]
        for pack in PACKS.values()
        for each in pack.indicators
        for text in (*(f.text for f in each.formulas()), each.size, each.sign)
        if text is not None
        for name in indicators.parse(text).names
    } | {each.waiver for pack in PACKS.values() for each in pack.indicators}
    assert set(known) <= asked  # nobody is asked for what nothing uses


def test_the_parts_of_the_sources_are_counted() -> None:
    green = PACKS["green_park_2016"]
    assert [each.number for each in green.indicators] == [str(i) for i in range(1, 32)]
    needs = Counter(each.need for each in green.indicators)
    assert needs.pop("index") == 18
    chosen = {name: green.needed.get(name, 1) for name in needs}
    assert needs == {
        "recovery": 4,
        "green_buildings": 2,
        "transport": 2,
        "economy": 2,
        "greenery": 3,
    }
    assert 18 + sum(chosen.values()) == 24
    table = PACKS["provincial_zero_carbon"]
    assert [each.number for each in table.indicators] == [str(i) for i in range(1, 21)]
    hj = PACKS["hj_274_2015"]
    assert [each.number for each in hj.indicators] == [str(i) for i in range(1, 33)]
    must = [int(e.number) for e in hj.indicators if e.need == MANDATORY]
    assert must == [5, 10, 13, *range(17, 27), *range(29, 33)]
    groups = Counter(e.need for e in hj.indicators if e.need != MANDATORY)
    assert sorted(groups.values()) == [2, 2, 2, 2, 3, 4]
    assert not set(groups) & set(ALONE)
    for pack in (green, table, hj, PACKS["netdz_green"]):
        assert not pack.verified
        assert not any(each.verified for each in pack.indicators)


def test_thresholds_are_those_that_were_read() -> None:
    """Of 910号, attachment 3; of the provincial table; of 山东省省级生态工业园区考核标准."""
    table = [0.35, 0.6, 50, 50, 50, 100, 20, 30, 50, 50]  # no. 1 to 10
    table += [80, 80, 96, 85, 95, 10, 10, 50, 3.5, 1]  # no. 11 to 20
    names = [each.name for each in PACKS["provincial_zero_carbon"].indicators]
    read: dict[str, dict[str, float]] = {
        "zero_carbon_park": {
            "clean_energy": 90,
            "product_energy": 100,
            "solid_waste": 80,
            "waste_heat": 50,
            "water_reuse": 80,
        },
        "provincial_zero_carbon": dict(zip(names, table, strict=True)),
        "hj_274_2015": {
            "added_value_per_employee": 15,
            "added_value_growth": 15,
            "eco_chain_projects": 6,
            "solid_waste": 70,
            "renewable_resources": 80,
            "clean_production_audits": 100,
            "central_sewage": 1,
        },
    }
    for pack, levels in read.items():
        by = {each.name: each for each in PACKS[pack].indicators}
        for name, level in levels.items():
            found = by[name].threshold
            assert found is not None
            least = name not in {"energy_per_added_value", "co2_per_added_value"}
            assert (found.at_least if least else found.at_most) == level, name


# by hand: values of a park, and what each indicator is of them
GREEN: dict[str, tuple[dict[str, float], float]] = {
    # 600 000 x 10^4 CNY of 300 000 tce
    "energy_productivity": (
        {"added_value_10k_cny": 6e5, "energy_calorific_tce": 3e5},
        2,
    ),
    "renewable_share": (
        {"renewable_energy_tce": 3e4, "energy_calorific_tce": 3e5},
        10,
    ),
    "clean_energy_share": (
        {"clean_energy_calorific_tce": 6e4, "energy_calorific_tce": 3e5},
        20,
    ),
    # 6 000 000 000 CNY of 5 000 000 m3
    "water_productivity": (
        {"added_value_comparable_10k_cny": 6e5, "fresh_industrial_water_m3": 5e6},
        1200,
    ),
    # 60 x 10^8 CNY on 8 km2
    "land_productivity": ({"added_value_10k_cny": 6e5, "industrial_land_km2": 8}, 7.5),
    "solid_waste": (
        {
            "solid_waste_used_t": 90,
            "solid_waste_generated_t": 100,
            "solid_waste_old_stock_used_t": 20,
        },
        75,
    ),
    "water_reuse": (
        {"water_reused_m3": 1.5e7, "fresh_industrial_water_m3": 5e6},
        75,
    ),
    "green_industrial_buildings": (
        {
            "new_green_industrial_buildings_m2": 3e3,
            "new_industrial_buildings_m2": 1.2e4,
        },
        25,
    ),
    "green_public_buildings": (
        {"new_green_public_buildings_m2": 9e3, "new_public_buildings_m2": 1e4},
        90,
    ),
    "clean_buses": ({"clean_buses": 12, "buses": 48}, 25),
    "high_tech_share": (
        {"high_tech_industry_output_10k_cny": 5e5, "gross_output_10k_cny": 2e6},
        25,
    ),
    "green_industry_share": (
        {"green_industry_added_value_10k_cny": 1.5e5, "added_value_10k_cny": 6e5},
        25,
    ),
    "added_value_per_employee": ({"added_value_10k_cny": 6e5, "employees": 4e4}, 15),
    # 1 t of 1 a unit before, 0.729 after three years: 10 % less each year
    "co2_reduction": (
        {
            "co2_enterprise_t_3y": 1e5,
            "added_value_comparable_10k_cny_3y": 1e5,
            "co2_enterprise_t": 145_800,
            "added_value_comparable_10k_cny": 2e5,
        },
        10,
    ),
    "wastewater_per_added_value": (
        {"industrial_wastewater_t": 3e6, "added_value_10k_cny": 6e5},
        5,
    ),
    # pollutants grow by 2 %, added value by 10 % a year
    "pollutant_elasticity": (
        {
            "main_pollutants_t_3y": 1000,
            "main_pollutants_t": 1061.208,
            "added_value_comparable_10k_cny_3y": 1e5,
            "added_value_comparable_10k_cny": 133_100,
        },
        0.2,
    ),
    "air_quality": ({"good_air_days": 292, "air_days": 365}, 80),
}
TABLE: dict[str, tuple[dict[str, float], float]] = {
    "energy_per_added_value": (
        {"energy_calorific_tce": 3e5, "added_value_10k_cny": 6e5},
        0.5,
    ),
    "co2_per_added_value": (
        {"co2_provincial_inventory_t": 9e5, "added_value_10k_cny": 6e5},
        1.5,
    ),
    "benchmark_enterprises": (
        {"benchmark_level_enterprises": 60, "park_enterprises": 240},
        25,
    ),
    "green_enterprises": ({"green_enterprises": 12, "park_enterprises": 240}, 5),
    "clean_production_audits": (
        {"audited_enterprises": 120, "park_enterprises": 240},
        50,
    ),
    "digital_diagnosis": (
        {"diagnosed_above_size_enterprises": 72, "above_size_enterprises": 80},
        90,
    ),
    # 30 000 tce of power and 293 076 GJ of heat, 10 000 tce
    "non_fossil_share": (
        {
            "non_fossil_electricity_calorific_tce": 3e4,
            "non_fossil_heat_gj": 293_076,
            "energy_calorific_tce": 2e5,
        },
        20,
    ),
    "renewable_power": (
        {"green_electricity_kwh": 3e7, "electricity_used_kwh": 1e8},
        30,
    ),
    "electrification": (
        {"electricity_calorific_tce": 1.2e5, "energy_calorific_tce": 3e5},
        40,
    ),
    "green_buildings": (
        {"new_two_star_buildings_m2": 4e4, "new_buildings_m2": 5e4},
        80,
    ),
    "clean_freight": ({"clean_freight_t": 9e5, "freight_t": 1.2e6}, 75),
    "clean_vehicles": ({"clean_vehicles": 33, "vehicles": 60}, 55),
    "solid_waste": (
        {
            "general_solid_waste_used_t": 120,
            "general_solid_waste_generated_t": 100,
            "general_solid_waste_old_stock_used_t": 25,
        },
        96,
    ),
    "water_reuse": (
        {"water_reused_m3": 1.7e7, "fresh_industrial_water_m3": 3e6},
        85,
    ),
    "verified_enterprises": (
        {"verified_enterprises": 24, "park_enterprises": 240},
        10,
    ),
    "footprint_enterprises": (
        {"footprint_enterprises": 6, "park_enterprises": 240},
        2.5,
    ),
    "disclosure": (
        {"disclosing_above_size_enterprises": 44, "above_size_enterprises": 80},
        55,
    ),
}
BY_HAND = [
    pytest.param(pack, name, *case, id=f"{pack}-{name}")
    for pack, cases in (("green_park_2016", GREEN), ("provincial_zero_carbon", TABLE))
    for name, case in cases.items()
]


@pytest.mark.parametrize(("pack", "name", "values", "expected"), BY_HAND)
def test_by_hand(
    pack: str, name: str, values: dict[str, float], expected: float
) -> None:
    (of,) = [each for each in PACKS[pack].indicators if each.name == name]
    (formula,) = of.formulas()
    assert float(indicators.evaluate(formula, values)) == pytest.approx(expected)
    for lacking in values:  # a part that is unknown leaves it unknown, never 0
        less = {**values, lacking: None}
        assert str(float(indicators.evaluate(formula, less))) == "nan"


def test_all_others_are_stated_as_they_are() -> None:
    for pack, cases in (("green_park_2016", GREEN), ("provincial_zero_carbon", TABLE)):
        rest = [each for each in PACKS[pack].indicators if each.name not in cases]
        assert rest
        for each in rest:
            assert each.formula in PACKS[pack].inputs
