from collections import Counter
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from analytics import carbon, energy
from analytics.jobs import factors
from store.quantities import QUANTITIES

SNAPSHOTS = Path(__file__).parents[1] / "data" / "factors"
ROWS = {
    "energy": 51,
    "fuels": 26,
    "grid_national": 13,
    "grid_regional": 20,
    "grid_provincial": 90,
    "heat": 1,
    "carbonates": 12,
    "green": 1,
    "ipcc": 10,
    "comparison": 8,
}
KEYS = [
    "code",
    "kind",
    "carrier",
    "basis",
    "region",
    "data_year",
    "published",
    "valid_from",
    "valid_to",
    "value",
    "unit",
    "source",
    "verified",
    "note",
]
FUEL_KEYS = ["ncv_gj", "carbon_tc_per_gj", "oxidation"]
COMPARISON = {
    "ipcc_2006",
    "product_footprint",
    "operating_margin",
    "build_margin",
    "macro_check",
}
BASES = {
    "co2": {
        "grid_average",
        "grid_average_excluding_traded_non_fossil",
        "fossil_power",
        "zero_carbon_park",
        "ets",
        "net_calorific",
        "default",
        "carbonate",
        "proven_green",
        *COMPARISON,
    },
    "energy": {"calorific", "equal_value", "equal_value_medium"},
}


def read(name: str) -> list[dict[str, Any]]:
    path = files("analytics") / "factors" / f"{name}.yaml"
    rows: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))
    return rows


def snapshot(name: str) -> list[list[str]]:
    lines = (SNAPSHOTS / f"{name}.txt").read_text("utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


EVERY = [row for name in ROWS for row in read(name)]
BY_CODE = {row["code"]: row for row in EVERY}


@pytest.mark.parametrize(("name", "rows"), ROWS.items())
def test_rows_and_keys(name: str, rows: int) -> None:
    found = read(name)
    assert len(found) == rows
    for row in found:
        assert set(row) == {*KEYS, *(FUEL_KEYS if name == "fuels" else ())}


def test_there_is_no_other_file() -> None:
    folder = files("analytics") / "factors"
    assert {each.name for each in folder.iterdir()} == {f"{name}.yaml" for name in ROWS}


def test_codes_are_unique_and_begin_with_basis_and_region() -> None:
    assert len(BY_CODE) == len(EVERY)
    for code, row in BY_CODE.items():
        assert code.startswith(f"{row['basis']}/{row['region']}/")


def test_one_row_answers_one_question() -> None:
    asked = Counter(
        (
            row["kind"],
            row["carrier"],
            row["basis"],
            row["region"],
            row["data_year"],
            row["valid_from"],
        )
        for row in EVERY
    )
    assert max(asked.values()) == 1


@pytest.mark.parametrize("row", EVERY, ids=lambda row: str(row["code"]))
def test_types_and_units(row: dict[str, Any]) -> None:
    assert row["basis"] in BASES[row["kind"]]
    assert type(row["value"]) is float
    assert (row["value"] > 0) is (row["basis"] != "proven_green")
    assert type(row["verified"]) is bool
    assert row["data_year"] is None or type(row["data_year"]) is int
    for key in ("published", "valid_from", "valid_to"):
        assert row[key] is None or type(row[key]) is date
    assert row["published"] or row["note"]
    assert row["source"]
    scales = carbon.UNIT_SCALE if row["kind"] == "co2" else energy.UNIT_SCALE
    consumed = {
        q.unit
        for q in QUANTITIES.values()
        if q.carrier == row["carrier"] and q.direction == "consumption"
    }
    if row["basis"] not in COMPARISON:  # no figure is made of these
        assert row["unit"] in {unit for unit, _ in scales}
        assert all((row["unit"], unit) in scales for unit in consumed)


def test_what_comes_from_memory_is_not_verified() -> None:
    for row in EVERY:
        if "memory" in row["source"] or "secondary" in row["source"]:
            assert not row["verified"], row["code"]
    assert sum(row["verified"] for row in EVERY) == 26 + 7 + 7 + 33 + 1 + 12 + 1


def test_provinces_equal_the_snapshot() -> None:
    rows = {(r["region"], r["data_year"]): r["value"] for r in read("grid_provincial")}
    table = snapshot("grid_provincial")
    assert len(table) == 30
    expected = {
        (region, year): float(value)
        for region, *values in table
        for year, value in zip((2021, 2022, 2023), values, strict=True)
    }
    assert rows == expected


def test_nation_and_regions_equal_the_snapshot() -> None:
    rows = sorted(
        (r["basis"], r["region"], str(r["data_year"] or "-"), r["value"])
        for name in ("grid_national", "grid_regional")
        for r in read(name)
    )
    table = snapshot("grid_other")
    assert rows == sorted((a, b, year, float(value)) for a, b, year, value in table)


def test_fuels_equal_the_snapshot_and_their_own_formula() -> None:
    rows = {row["carrier"]: row for row in read("fuels")}
    table = snapshot("fuels")
    assert set(rows) == {line[0] for line in table}
    for carrier, ncv, carbon_kg, percent, value in table:
        row = rows[carrier]
        assert row["ncv_gj"] == float(ncv)
        assert row["carbon_tc_per_gj"] == pytest.approx(float(carbon_kg) / 1000)
        assert row["oxidation"] == pytest.approx(float(percent) / 100)
        assert row["value"] == float(value)
        found = carbon.fuel_factor_t_per_unit(
            row["ncv_gj"], row["carbon_tc_per_gj"], row["oxidation"]
        )
        assert found == pytest.approx(row["value"], abs=0.5e-4)


def test_energy_equals_the_tables() -> None:
    rows = {
        (r["basis"], r["carrier"]): r["value"]
        for r in read("energy")
        if r["basis"] != "equal_value"
    }
    table = snapshot("coefficients")
    assert rows == {(basis, carrier): float(value) for basis, carrier, value in table}
    equal = {r["data_year"]: r["value"] for r in EVERY if r["basis"] == "equal_value"}
    assert equal == {
        2020: 0.3055,
        2021: 0.3015,
        2022: 0.3007,
        2023: 0.3019,
        2024: 0.3024,
    }


def test_the_zero_carbon_park_factor_stays_when_fossil_power_moves() -> None:
    assert BY_CODE["zero_carbon_park/CN/2022"]["value"] == 0.8325
    assert BY_CODE["fossil_power/CN/2023"]["value"] == 0.8273
    assert BY_CODE["default/CN/heat"]["value"] == 0.11


def test_carbonates_equal_their_molar_masses() -> None:
    """CO2 per carbonate from atomic weights, within the standard's three decimals."""
    mass = {"C": 12.011, "O": 15.999, "Na": 22.990, "Mg": 24.305, "K": 39.098}
    mass |= {"Ca": 40.078, "Mn": 54.938, "Fe": 55.845, "Sr": 87.62, "Ba": 137.327}
    co2, co3 = mass["C"] + 2 * mass["O"], mass["C"] + 3 * mass["O"]
    for name, metal in (
        ("calcium_carbonate", mass["Ca"]),
        ("magnesium_carbonate", mass["Mg"]),
        ("sodium_carbonate", 2 * mass["Na"]),
        ("iron_carbonate", mass["Fe"]),
        ("manganese_carbonate", mass["Mn"]),
        ("barium_carbonate", mass["Ba"]),
        ("potassium_carbonate", 2 * mass["K"]),
        ("strontium_carbonate", mass["Sr"]),
    ):
        value = BY_CODE[f"carbonate/CN/{name}"]["value"]
        assert value == pytest.approx(co2 / (metal + co3), abs=6e-4), name
    dolomite = 2 * co2 / (mass["Ca"] + mass["Mg"] + 2 * co3)
    assert BY_CODE["carbonate/CN/dolomite"]["value"] == pytest.approx(
        dolomite, abs=6e-4
    )


def test_carbonates_and_desulphurisation_equal_the_snapshot() -> None:
    rows = {row["carrier"]: row["value"] for row in read("carbonates")}
    assert rows == {name: float(value) for name, value in snapshot("carbonates")}
    # CAL x I x EF x TR with I = 90 % and TR = 100 %
    assert rows["desulphurisation_limestone"] == pytest.approx(0.90 * 0.440 * 1.0)


def test_what_no_method_takes_equals_the_snapshot() -> None:
    rows = [
        (r["basis"], r["region"], r["carrier"], r["value"], r["unit"])
        for name in ("ipcc", "comparison")
        for r in read(name)
    ]
    wanted = [
        (*names, float(value), unit) for *names, value, unit in snapshot("others")
    ]
    assert sorted(rows) == sorted(wanted)


def test_warming_of_gases_equals_the_snapshot() -> None:
    rows = {(row["basis"], row["carrier"]): row for row in factors.warming()}
    for gas, *values in snapshot("gwp"):
        found = [rows[basis, gas]["value"] for basis in factors.WARMING]
        assert found == pytest.approx([float(each) for each in values], rel=1e-4), gas
    # AR4, half 675 and half 3500
    assert rows["gwp100_ar4", "R410A"]["value"] == pytest.approx(2087.5)
    for shares in factors.BLENDS.values():
        assert sum(shares.values()) == pytest.approx(1)
