"""A scenario says what is wrong with it, where, and what to do."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators import scenario
from simulators.archetypes import BDEW, DAY_KINDS, archetypes, shape
from simulators.errors import SimulatorError
from simulators.load import Flow
from simulators.world import World
from store.quantities import QUANTITIES

FACTORS = {"electricity": {"value": 0.5, "unit": "kgCO2/kWh", "source": "a test"}}
SMALL: dict[str, Any] = {
    "code": "T",
    "name": "Test",
    "contract_demand_kw": 1000,
    "enterprises": [{"archetype": "offices"}],
    "factors": FACTORS,
}


def small(**other: object) -> dict[str, Any]:
    return SMALL | other


UNIT_AND_SOURCE = {"unit": "gCO2/kWh", "source": "a test"}


def overriding(match: str = "E01-M1", **about: object) -> dict[str, Any]:
    return {"meters": {"overrides": [{"match": match} | about]}}


def test_shipped_ones_are_what_they_say() -> None:
    assert scenario.shipped() == ["clean", "demo", "mixed", "year"]
    demo, clean, mixed, year = (
        World(scenario.load(name)) for name in ("demo", "clean", "mixed", "year")
    )
    assert len([e for e in demo.enterprises if e.archetype]) == 40
    assert len(clean.meters) == 200
    assert all(
        meter.error_ppm == 0
        and meter.accuracy_class is None
        and meter.clock_offset_s == meter.clock_drift_ppm == 0
        for meter in clean.meters
    )
    assert clean.scenario.faults is None
    assert mixed.scenario.faults == "mixed"
    assert [m.code for m in mixed.meters] == [m.code for m in clean.meters]
    of_one: dict[str, int] = {}
    for meter in year.meters:
        of_one[meter.enterprise] = of_one.get(meter.enterprise, 0) + len(meter.channels)
    del of_one["PARK"]
    assert len(of_one) == 300
    assert set(of_one.values()) == {8}


def test_demo_has_something_for_every_page() -> None:
    world = World(scenario.load("demo"))
    keys = {channel.key for meter in world.meters for channel in meter.channels}
    assert keys >= {
        "energy_import_kwh",
        "energy_export_kwh",
        *(f"reactive_energy_q{n}_kvarh" for n in (1, 2, 3, 4)),
        "pv_generation_kwh",
        "storage_charge_kwh",
        "state_of_charge_percent",
        "charging_energy_kwh",
        *("natural_gas_m3", "steam_t", "heat_gj", "water_m3", "wastewater_m3"),
        "compressed_air_m3",
    }
    monitored = {channel.key for each in world.monitors for channel in each.channels}
    assert monitored >= {"wastewater_flow_m3_h", "cod_kg", "cod_concentration_mg_l"}
    assert monitored >= {"flue_gas_flow_m3_h", "so2_kg", "nox_concentration_mg_m3"}
    kinds = {each.archetype for each in world.enterprises if each.archetype}
    assert kinds == set(archetypes().archetypes)


def test_all_that_is_sent_is_on_the_wire() -> None:
    """The house's own catalogue knows each key, its kind and its carrier."""
    for gauges in ("power", "all"):
        said = scenario.load("demo")
        meters = said.meters.model_copy(update={"gauges": gauges})
        for meter in World(said.model_copy(update={"meters": meters})).meters:
            for channel in meter.channels:
                quantity = QUANTITIES[
                    channel.key.rpartition(f"_{unit_of(channel.key)}")[0]
                ]
                assert quantity.kind == channel.kind
                assert quantity.carrier == meter.carrier
                assert quantity.unit == unit_of(channel.key)


def unit_of(key: str) -> str:
    two = key.endswith(("_h", "_mg_l", "_mg_m3"))
    return "_".join(key.rsplit("_", 2)[1:]) if two else key.rsplit("_")[-1]


def test_demo_peaks_every_afternoon_near_the_contract() -> None:
    world = World(scenario.load("demo"))
    gate = Flow(world.nodes["PARK-G"].net)
    highest = []
    for month in (1, 4, 7, 11):
        for day in range(10, 31):
            if world.frames.kind((date(2026, month, day) - date(2024, 1, 1)).days) == 0:
                at = world.midnight(date(2026, month, day)) + np.arange(0, 86400, 300)
                power_kw = gate.rate(at) / 1000
                assert 13 <= power_kw.argmax() / 12 <= 16, (month, day)
                highest.append(float(power_kw.max()))
    assert 0.85 < max(highest) / world.scenario.contract_demand_kw < 1.15


def test_hash_is_of_what_it_says() -> None:
    one = scenario.read(small())
    assert one.hash == scenario.read(small()).hash
    assert one.hash != scenario.read(small(seed=2)).hash


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sede": 1}, "sede: not known here"),
        ({"contract_demand_kw": 0}, "contract_demand_kw: .*greater than 0"),
        ({"zone": "Suzhou"}, "'Suzhou' is no time zone: use"),
        ({"country": "XX"}, "'XX': use a code"),
        ({"since": "2019-01-01"}, "begins on 2024-01-01"),
        ({"weather": {"climate": "nice"}}, "weather: climate 'nice': use one of humid"),
        ({"enterprises": []}, "enterprises: .*at least 1"),
        ({"enterprises": [{"archetype": "bakery"}]}, r"enterprises\.0: .*use one of"),
        ({"enterprises": [{}]}, r"enterprises\.0\.archetype: is missing"),
        (
            {"enterprises": [{"archetype": "steel", "shifts": "five"}]},
            r"enterprises\.0: shifts 'five': use one of continuous",
        ),
        (
            {"enterprises": [{"archetype": "steel", "count": 2, "code": "A"}]},
            "of one enterprise",
        ),
        (
            {"enterprises": [{"archetype": "steel", "size_kw": [9, 1]}]},
            r"\[least, most\]",
        ),
        (
            {"enterprises": [{"archetype": "steel", "feeder": 9}]},
            r"enterprises\.0\.feeder: 9, but the park has 4",
        ),
        (
            {"enterprises": [{"archetype": "steel", "code": "A"}] * 2},
            "two enterprises have the code A",
        ),
        ({"factors": {}}, "factors: none is stated: name those"),
        (
            {"enterprises": [{"archetype": "offices", "monitors": True}]},
            r"enterprises\.0: monitors: this offices has .*: use one of semiconductor_fab",
        ),
        (
            {
                "enterprises": [
                    {"archetype": "steel", "monitors": True, "carriers": ["water"]}
                ]
            },
            "with wastewater or natural_gas among its carriers",
        ),
        (
            {
                "enterprises": [
                    {"archetype": "pharma", "monitors": True}
                    | {"carriers": ["natural_gas", "steam"]}
                ]
            },
            "this pharma has no wastewater",
        ),
        (
            {"enterprises": [{"archetype": "steel", "size_kw": [0, 100]}]},
            r"enterprises\.0: size_kw: a range begins above 0, not \[0.0, 100.0\]",
        ),
        (
            {"enterprises": [{"archetype": "steel", "pv_kwp": [0, 500]}]},
            r"enterprises\.0: pv_kwp: a range begins above 0",
        ),
        (
            {"enterprises": [{"archetype": "steel", "size_kw": float("inf")}]},
            r"enterprises\.0\.size_kw\.0: Input should be a finite number",
        ),
        (
            {"enterprises": [{"archetype": "steel", "size_kw": 1e9}]},
            r"size_kw\.0: Input should be less than or equal to 1000000",
        ),
        (
            {"enterprises": [{"archetype": "steel", "sub_meters": ["cooling"]}]},
            "sub_meters: this steel has no cooling to measure: use some of base, proc",
        ),
        (
            {"enterprises": [{"archetype": "offices", "sub_meters": ["charging"]}]},
            "sub_meters: this offices has no charging",
        ),
        (
            {
                "enterprises": [
                    {"archetype": "steel", "replay": "steel_2018"}
                    | {"sub_meters": ["base"]}
                ]
            },
            "has no base to measure: use some of process$",
        ),
        (
            {"enterprises": [{"archetype": "data_centre", "carriers": ["steam"]}]},
            "carriers: this data_centre uses no steam .*: use some of wastewater, water",
        ),
        (
            {"enterprises": [{"archetype": "auto_parts", "own_boiler": True}]},
            "own_boiler: this auto_parts uses no steam",
        ),
        (
            {"enterprises": [{"archetype": "steel", "code": ".."}]},
            r"enterprises\.0\.code: String should match",
        ),
        (
            {"factors": {"electricity": {"value": 582.7} | UNIT_AND_SOURCE}},
            r"factors\.electricity\.unit: 'gCO2/kWh': state its value in kgCO2/kWh",
        ),
        (
            {"factors": {"natural_gas": {"value": 2} | UNIT_AND_SOURCE}},
            "state its value in kgCO2/m3",
        ),
        ({"since": "9999-12-31"}, "since: 9999-12-31 is after 2099-12-31"),
        ({"zone": "localtime"}, "'localtime' is no time zone: use"),
        ({"faults": "mixd"}, "faults: unknown fault 'mixd': it is mixed or one of"),
        ({"faults": {"gapp": 1}}, "faults: unknown fault 'gapp'"),
        ({"faults": {"gap": -1}}, "faults: gap: -1 is below 0"),
        ({"faults": {"gap": [5]}}, "faults: fault gap: 5 is no entry: write"),
        ({"faults": {"gap": [{"metre": "E01-M1"}]}}, "fault gap: unknown 'metre'"),
        ({"meters": {"format": "modbus"}}, r"meters\.format: unknown format 'modbus'"),
        ({"meters": {"clock_offset_s": float("nan")}}, "clock_offset_s: .* finite"),
        (overriding(format="modbus"), r"overrides\.0\.format: unknown format 'modbus'"),
        (overriding(clock_offset_s=float("nan")), "clock_offset_s: .* finite number"),
        (overriding(clock_drift_ppm=-1_000_000), "or equal to -100000"),
        (overriding(error_ppm=-2_000_000), "or equal to -500000"),
        ({"enterprises": [5]}, r"enterprises\.0: write its entries as word: value$"),
    ],
)
def test_what_is_wrong(change: dict[str, object], told: str) -> None:
    with pytest.raises(SimulatorError, match=told):
        scenario.read(small(**change))


@pytest.mark.parametrize(
    ("enterprises", "told"),
    [
        ([{"archetype": "steel", "behind": "E09"}], "E01 is behind E09: name"),
        ([{"archetype": "steel", "behind": "E01"}], "E01 is behind E01: name"),
        ([{"archetype": "steel", "code": "PARK"}], "code PARK;"),
        ([{"archetype": "steel", "code": "E02"}, {"archetype": "food"}], "code E02;"),
    ],
)
def test_what_only_the_whole_park_shows(
    enterprises: list[dict[str, str]], told: str
) -> None:
    with pytest.raises(SimulatorError, match=told):
        World(scenario.read(small(enterprises=enterprises)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (overriding("ZZZ*", digits=5), r"overrides\.0\.match: 'ZZZ\*' fits no meter"),
        (overriding(digits=3, initial=5000), "initial 5000 of E01-M1 .* its 3 digits"),
        (overriding(gateway="E01-M1"), "code E01-M1: an enterprise and a meter"),
        (
            {"park": {"transformer": {"rated_kva": 0.001}}},
            r"park\.transformer\.rated_kva: 0.001 is less than half of the \d+ kW",
        ),
        (
            {"enterprises": [{"archetype": "steel", "code": "PARK-F1"}]},
            "code PARK-F1: an enterprise and a meter",
        ),
        (
            {
                "enterprises": [
                    {"archetype": "steel"},
                    {"archetype": "steel", "code": "E01-M1"},
                ]
            },
            "code E01-M1: an enterprise and a meter",
        ),
    ],
)
def test_what_only_the_meters_show(change: dict[str, object], told: str) -> None:
    with pytest.raises(SimulatorError, match=told):
        World(scenario.read(small(**change)))


def test_monitors_where_there_is_something_to_measure() -> None:
    def codes(**about: object) -> list[str]:
        group = {"archetype": "pharma", "monitors": True} | about
        return [
            m.code for m in World(scenario.read(small(enterprises=[group]))).monitors
        ]

    assert codes() == ["E01-Q1"]
    assert codes(own_boiler=True) == ["E01-Q1", "E01-Q2"]
    assert codes(own_boiler=True, carriers=["natural_gas"]) == ["E01-Q2"]
    for name, kind in archetypes().archetypes.items():
        if kind.monitored:
            assert codes(archetype=name)


def test_one_wrong_entry_is_one_message() -> None:
    with pytest.raises(SimulatorError) as told:
        scenario.read(small(enterprises=[{"archetype": "bakery"}]))
    assert "at least 1" not in str(told.value)
    assert ";" not in str(told.value)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# nothing yet\n")
    with pytest.raises(SimulatorError, match=r"mine\.yaml: is empty: write"):
        scenario.load(path)
    path.unlink()
    with pytest.raises(SimulatorError, match=r"cannot read .*mine\.yaml"):
        scenario.load(path)
    path.write_text("a: [1", "utf-8")
    with pytest.raises(SimulatorError, match=r"mine\.yaml is not YAML: .*line 1"):
        scenario.load(path)
    path.write_text("code: 'a b'", "utf-8")
    with pytest.raises(SimulatorError, match=r"mine\.yaml: code: .*; name: is missing"):
        scenario.load(path)
    with pytest.raises(SimulatorError, match=r"no scenario 'dmeo'.*clean, demo"):
        scenario.load("dmeo")


def test_a_file_may_extend_another(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "code: T\nname: One\ncontract_demand_kw: 9\nenterprises: [{archetype: food}]\n"
        "factors: {electricity: {value: 1, unit: kgCO2/kWh, source: test}}\n",
        "utf-8",
    )
    other = tmp_path / "two.yaml"
    other.write_text("extends: one\nname: Two\n", "utf-8")
    found = scenario.load(other)
    assert (found.code, found.name) == ("T", "Two")
    other.write_text("extends: nought\n", "utf-8")
    with pytest.raises(SimulatorError, match=r"cannot read .*nought\.yaml"):
        scenario.load(other)


def test_shapes_are_shares() -> None:
    for name, each in archetypes().shapes.items():
        course = each.course()
        assert course.shape == (len(DAY_KINDS), 288), name
        assert course.min() >= 0
        assert course.max() <= 1
        assert course[0].mean() >= course[3].mean() or name == "hotel"


def test_office_is_like_measured_trade() -> None:
    """The 2025 profile G25 rests on meters of German trade, 2022 and 2023."""
    own, standard = shape("office"), shape(BDEW)
    for kind, least in (("workday", 0.9), ("saturday", 0.9), ("sunday", 0.8)):
        like = np.corrcoef(getattr(own, kind), getattr(standard, kind))[0, 1]
        assert like > least, kind
    assert max(standard.workday) == 1


def test_a_standard_profile_as_shifts() -> None:
    said = small(enterprises=[{"archetype": "offices", "shifts": BDEW}])
    assert World(scenario.read(said)).plants[0].shape == shape(BDEW)


def test_a_standard_profile_without_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "demandlib.bdew", None)
    with pytest.raises(SimulatorError, match=r"install parkwatt\[simulate\]"):
        shape.__wrapped__(BDEW)
