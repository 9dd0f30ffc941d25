"""The truth file: what flowed, exactly, and nothing else."""

import hashlib
import json
import sys
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from simulators import scenario, truth
from simulators.coherence import check
from simulators.display import Display
from simulators.errors import SimulatorError
from simulators.meter import Fault
from simulators.truth_file import read
from simulators.world import World

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 30, tzinfo=ZONE)
STOP = datetime(2026, 3, 2, 6, 15, tzinfo=ZONE)  # February is whole
PARK: dict[str, Any] = {
    "code": "T",
    "name": "Test",
    "since": "2026-01-01",
    "contract_demand_kw": 9000,
    "enterprises": [
        {"archetype": "auto_parts", "pv_kwp": 2500, "monitors": True},
        {"archetype": "hotel"},
        {"archetype": "offices", "behind": "E01"},
    ],
    "park": {"feeders": 1},
    "meters": {"transformers": True, "accuracy_class": {"electricity": 0.5}},
    "factors": {
        "electricity": {"value": 0.5, "unit": "kgCO2/kWh", "source": "a test"},
        "natural_gas": {"value": 2.0, "unit": "kgCO2/m3", "source": "a test"},
    },
}
FAULTS = (
    Fault(kind="reset", subject="E01-M1", start_s=1_770_000_000, stop_s=1_770_000_000),
    Fault(
        kind="gap",
        subject="E02-GW",
        start_s=1_770_000_000,
        stop_s=1_770_003_600,
        parameters={"hours": 1},
    ),
)
Row = dict[str, Any]


@cache
def world() -> World:
    return World(scenario.read(PARK))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("truth") / "truth.parquet"
    truth.write(found, world(), START, STOP, faults=FAULTS, minutes=False)
    return found


@pytest.fixture(scope="module")
def table(path: Path) -> pa.Table:
    return parquet.read_table(path)


def rows(table: pa.Table, **wanted: str) -> list[Row]:
    found = np.ones(table.num_rows, dtype=bool)
    for name, text in wanted.items():
        column = table[name].combine_chunks()
        texts = np.array(column.dictionary.to_pylist())
        found &= texts[column.indices.to_numpy()] == text
    chosen: list[Row] = table.filter(pa.array(found)).to_pylist()
    return chosen


def flowed(code: str, key: str, *at: datetime) -> list[float]:
    meters = world().meters
    meter = next(each for each in meters if each.code == code)
    flow = next(each.flow for each in meter.channels if each.key == key)
    instants = np.array([int(each.timestamp()) for each in at])
    return [each / 3_600_000 for each in np.diff(flow.integral(instants)).tolist()]


def test_what_the_file_says_of_itself(path: Path) -> None:
    said = parquet.read_schema(path)
    assert tuple(said.names) == truth.COLUMNS
    assert said.metadata[b"parkwatt.truth"] == truth.VERSION.encode()
    assert said.metadata[b"scenario_hash"] == world().scenario.hash.encode()
    assert said.metadata[b"seed"] == b"1"
    assert said.metadata[b"start"] == b"2026-01-29T16:00:00+00:00"
    # one row group for each local day, and one for the faults
    assert parquet.ParquetFile(path).num_row_groups == 32 + 1


def test_usage_is_the_integral(table: pa.Table) -> None:
    found = rows(table, what="usage_15min", subject="E01-M1", quantity="energy_export")
    assert len(found) == (STOP - START) / timedelta(minutes=15)
    assert {each["unit"] for each in found} == {"kwh"}
    assert [each["start"] for each in found[1:]] == [
        each["stop"] for each in found[:-1]
    ]
    assert (found[0]["start"], found[-1]["stop"]) == (START, STOP)
    total = sum(each["value"] for each in found)
    assert total > 0
    assert [total] == pytest.approx(
        flowed("E01-M1", "energy_export_kwh", START, STOP), rel=1e-12
    )
    some = found[1234]
    assert [some["value"]] == flowed(
        "E01-M1", "energy_export_kwh", some["start"], some["stop"]
    )


def test_park_is_the_gate_and_an_enterprise_its_main(table: pa.Table) -> None:
    def usage(subject: str) -> list[float]:
        found = rows(
            table, what="usage_15min", subject=subject, quantity="energy_import"
        )
        return [each["value"] for each in found]

    assert usage("T") == usage("PARK-G")
    assert usage("E03") == usage("E03-M1")
    demand = rows(table, what="demand_15min", subject="T")
    assert [each["value"] for each in demand] == pytest.approx(
        [4 * each for each in usage("T")], rel=1e-12
    )


def test_peaks_are_the_highest_windows(table: pa.Table) -> None:
    february = datetime(2026, 2, 1, tzinfo=ZONE), datetime(2026, 3, 1, tzinfo=ZONE)
    demand = [
        each
        for each in rows(table, what="demand_15min", subject="E02")
        if february[0] <= each["start"] < february[1]
    ]
    peaks = [
        each
        for each in rows(table, what="peak", subject="E02")
        if february[0] <= each["start"] < february[1]
    ]
    fixed, sliding = peaks
    assert (fixed["quantity"], sliding["quantity"]) == tuple(truth._WINDOWS)
    best = max(demand, key=lambda each: float(each["value"]))
    assert (fixed["value"], fixed["start"]) == (best["value"], best["start"])
    assert fixed["value"] <= sliding["value"]
    assert sliding["stop"] - sliding["start"] == timedelta(minutes=15)
    minute = timedelta(minutes=1)
    # no window of any minute of that day is higher
    midnight = sliding["start"].astimezone(ZONE).replace(hour=0, minute=0)
    edges = [midnight + n * minute for n in range(1441)]
    used = np.cumsum([0.0, *flowed("E02-M1", "energy_import_kwh", *edges)])
    windows = (used[15:] - used[:-15]) * 4
    assert sliding["value"] == pytest.approx(windows.max(), rel=1e-9)
    assert edges[int(windows.argmax())] == sliding["start"]


def test_emissions_and_intensity_of_the_whole_month(table: pa.Table) -> None:
    month = datetime(2026, 2, 1, tzinfo=ZONE), datetime(2026, 3, 1, tzinfo=ZONE)
    emissions = rows(table, what="emissions", subject="E01")
    assert [each["start"].astimezone(ZONE).month for each in emissions] == [1, 2, 3]
    february = emissions[1]
    assert (february["start"], february["stop"]) == month
    (taken,), (given,), (gas,) = (
        flowed(code, key, *month)
        for code, key in (
            ("E01-M1", "energy_import_kwh"),
            ("E01-M1", "energy_export_kwh"),
            ("E01-G1", "natural_gas_m3"),
        )
    )
    by_hand = (0.5 * (taken - given) + 2.0 * gas) / 1000
    assert february["value"] == pytest.approx(by_hand, rel=1e-12)
    parts = json.loads(february["note"])
    assert {each["source"] for each in parts} == {"a test"}
    (value,) = rows(table, what="added_value", subject="E01")
    (intensity,) = rows(table, what="intensity", subject="E01")
    assert intensity["value"] == pytest.approx(by_hand / value["value"], rel=1e-12)
    (park,) = rows(table, what="added_value", subject="T")
    own = [each["value"] for each in rows(table, what="added_value")]
    assert park["value"] == pytest.approx(sum(own) / 2, rel=1e-12)
    mass = rows(table, what="pollutant", subject="E01", quantity="cod")
    assert [each["value"] for each in mass] == pytest.approx(
        flowed("E01-Q1", "cod_kg", *month), abs=0.006
    )


def test_meters_and_faults_are_told(table: pa.Table) -> None:
    (meter,) = rows(table, what="meter", subject="E02-M1")
    note = json.loads(meter["note"])
    assert meter["value"] == note["ct"] * note["pt"]
    assert note["resolution"] == pytest.approx(meter["value"] / 10 ** note["decimals"])
    assert 0 < abs(note["error_ppm"]) <= 5000
    assert len(rows(table, what="meter")) == len(world().meters)
    reset, gap = rows(table, what="fault")
    assert (reset["subject"], reset["quantity"], reset["value"]) == (
        *("E01-M1", "reset"),
        None,
    )
    assert reset["start"] == reset["stop"]
    assert gap["stop"] - gap["start"] == timedelta(hours=1)
    assert json.loads(gap["note"]) == {"hours": 1}


def test_a_truth_agrees_with_itself(path: Path) -> None:
    told = read(path)
    check(told)
    main = told.meters["E01-M1"]
    assert main.registers is not None
    assert {"energy_import", "energy_export"} <= main.registers
    assert "power" not in main.registers


def test_a_run_of_another_cadence_says_so(tmp_path: Path) -> None:
    path, stop = tmp_path / "truth.parquet", START + timedelta(hours=1)
    truth.write(path, world(), START, stop, cadence_s=3600)
    meters = rows(parquet.read_table(path), what="meter")
    assert {json.loads(each["note"])["cadence_s"] for each in meters} == {3600}


def test_no_fault_of_another_time(tmp_path: Path) -> None:
    begin = int(START.timestamp())
    faults = [
        Fault(kind="reset", subject="E01-M1", start_s=begin - 1, stop_s=begin - 1),
        Fault(kind="gap", subject="E01-M1", start_s=begin - 60, stop_s=begin + 60),
        Fault(
            kind="gap", subject="E02-GW", start_s=begin + 90_000, stop_s=begin + 900_000
        ),
    ]
    path = tmp_path / "truth.parquet"
    truth.write(path, world(), START, START + timedelta(days=1), faults=faults)
    [gap] = rows(parquet.read_table(path), what="fault")
    assert (gap["subject"], gap["quantity"]) == ("E01-M1", "gap")
    assert (gap["start"], gap["stop"]) == (START, START + timedelta(minutes=1))


def test_rollovers_beside_what_begins_anew(tmp_path: Path) -> None:
    """Where a meter's display falls, it was reset, placed, or has rolled over."""
    small = {"match": "E02-M1", "digits": 3, "ct": 1.0, "pt": 1.0, "error_ppm": 4000}
    meters = PARK["meters"] | {"overrides": [small]}
    park = World(scenario.read(PARK | {"meters": meters}))
    begin = int(START.timestamp())
    at = np.arange(begin, begin + 3 * 86_400 + 1, 900)
    reset_s, placed_s = begin + 130_000, begin + 70_000
    faults = [
        Fault(kind="rollover", subject="E02-M1", start_s=placed_s, stop_s=placed_s),
        Fault(kind="reset", subject="E02-M1", start_s=reset_s, stop_s=reset_s),
    ]
    path = tmp_path / "truth.parquet"
    stop = START + timedelta(days=3)
    truth.write(path, park, START, stop, faults=faults, minutes=False)
    told = [
        each
        for each in rows(parquet.read_table(path), what="fault", subject="E02-M1")
        if json.loads(each["note"] or "{}").get("channel") == "energy_import_kwh"
    ]
    (meter,) = (each for each in park.meters if each.code == "E02-M1")
    shown = Display(meter, faults).show(at).values["energy_import_kwh"]
    fell = set(at[:-1][np.diff(shown) < 0].tolist())
    expected = fell - {each - each % 900 for each in (placed_s, reset_s)}
    assert {int(each["start"].timestamp()) for each in told} == expected
    assert min(expected) < reset_s < max(expected)


def test_minutes_add_up_and_bytes_stay(tmp_path: Path) -> None:
    stop = START + timedelta(days=1)
    digests = set()
    for name in ("one", "two"):
        path = tmp_path / name
        written = truth.write(path, World(scenario.read(PARK)), START, stop)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1
    table = parquet.read_table(path)
    assert written.rows == table.num_rows
    of = {"subject": "E01-P1", "quantity": "pv_generation"}
    minutes = [each["value"] for each in rows(table, what="usage_1min", **of)]
    quarters = [each["value"] for each in rows(table, what="usage_15min", **of)]
    assert len(minutes) == 1440
    assert np.reshape(minutes, (96, 15)).sum(axis=1) == pytest.approx(quarters)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (START, START),
        (START + timedelta(minutes=1), STOP),
        (START, STOP + timedelta(seconds=1)),
    ],
)
def test_times_are_quarters(tmp_path: Path, start: datetime, stop: datetime) -> None:
    with pytest.raises(SimulatorError, match="quarters of an hour"):
        truth.write(tmp_path / "t", world(), start, stop)


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SimulatorError, match=r"install parkwatt\[simulate\]"):
        truth.write(tmp_path / "t", world(), START, STOP)
