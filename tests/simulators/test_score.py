"""A platform made by hand against a truth made by hand: each measure, and each defect."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from rich.console import Console

from simulators.bars import Thresholds
from simulators.client import Event, MonthPeak, Platform, Refused, Told
from simulators.comparing import shown
from simulators.errors import SimulatorError
from simulators.results import Check, Score
from simulators.score import account, score
from simulators.score_table import show
from simulators.truth_file import Key, Truth, read

ZONE = ZoneInfo("Asia/Shanghai")
MARCH = datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE)
DAYS = datetime(2026, 3, 10, tzinfo=ZONE), datetime(2026, 3, 12, tzinfo=ZONE)
RESOLUTION = 0.01
METERS: dict[str, dict[str, Any]] = {
    "G": {"enterprise": "PARK", "role": "park", "parent": None, "error_ppm": 1500},
    "M1": {"enterprise": "E1", "role": "main", "parent": "G", "error_ppm": -900},
    "M2": {"enterprise": "E2", "role": "main", "parent": "G", "error_ppm": 0},
    "S2": {"enterprise": "E2", "role": "sub", "parent": "M2", "error_ppm": 0},
    "W1": {"enterprise": "E2", "role": "main", "parent": None, "error_ppm": 0},
}
CHANNELS = {
    **{Key(code, "energy_import"): "kwh" for code in ("G", "M1", "M2", "S2")},
    Key("W1", "water"): "m3",
    Key("W1", "voc"): "kg",  # no quantity of the platform
}
SENT = {"stored": 1000, "duplicates": 20}
LEDGER = SENT | dict.fromkeys(("corrupt", "foreign", "clock_not_set", "ahead"), 0)
FACTOR, VALUE = 0.5827, 1200.0


def flows(count: int) -> dict[Key, np.ndarray]:
    hour = np.arange(count) / 4
    one = 100 + 40 * np.sin(2 * np.pi * (hour - 9) / 24) + 7 * np.sin(hour)
    two = 60 + 10 * np.sin(2 * np.pi * (hour - 5) / 24) + 3 * np.cos(hour / 3)
    return {
        Key("G", "energy_import"): one + two,
        Key("M1", "energy_import"): one,
        Key("M2", "energy_import"): two,
        Key("S2", "energy_import"): two / 2,
        Key("W1", "water"): np.full(count, 2.5),
        Key("W1", "voc"): np.full(count, 0.1),
    }


def write(
    path: Path,
    start: datetime,
    stop: datetime,
    faults: tuple[tuple[str, str, datetime, datetime, dict[str, Any]], ...] = (),
    ledger: Mapping[str, int] = LEDGER,
) -> Path:
    """Write a truth as docs/simulator.md has it: a row group for each day, and a last."""
    first, last = int(start.timestamp()), int(stop.timestamp())
    groups: list[list[tuple[Any, ...]]] = [[]]
    for code, about in METERS.items():
        note = about | {
            "registers": [
                f"{key.quantity}_{unit}"
                for key, unit in CHANNELS.items()
                if key.subject == code
            ],
            "resolution": RESOLUTION,
            "ct": 1.0,
            "cadence_s": 900,
            "clock_offset_s": 0.0,
            "clock_drift_ppm": 0.0,
            "gateway": f"GW-{about['enterprise']}",
        }
        text = json.dumps(note)
        groups[0].append(("meter", code, "multiplier", "", first, last, 1.0, text))
    true = flows((last - first) // 900)
    counts = {"T": "G", "E1": "M1", "E2": "M2"}
    summed = {
        Key(subject, "energy_import"): Key(code, "energy_import")
        for subject, code in counts.items()
    }
    for subject in ("T", "E2"):  # the water meter has none above it
        for quantity in ("water", "voc"):
            summed[Key(subject, quantity)] = Key("W1", quantity)
    for day in range(first, last, 86400):
        rows = groups[-1]
        for key, unit in CHANNELS.items():
            for at in range(day, day + 86400, 900):
                value = float(true[key][(at - first) // 900])
                rows.append(("usage_15min", *key, unit, at, at + 900, value, ""))
        for whose, of in summed.items():
            amounts = true[of][(day - first) // 900 :][:96]
            for place, value in enumerate(amounts.tolist()):
                at = day + 900 * place
                what = ("usage_15min", *whose, CHANNELS[of])
                rows.append((*what, at, at + 900, value, ""))
        groups.append([])
    rows = groups[-1]
    for subject, code in counts.items():
        kwh = float(true[Key(code, "energy_import")].sum())
        part = {"key": "energy_import_kwh", "amount": kwh, "sign": 1, "factor": FACTOR}
        parts = json.dumps([part | {"unit": "kgCO2/kWh", "source": "a test"}])
        co2_t = kwh * FACTOR / 1000
        rows.append(("emissions", subject, "co2", "t", first, last, co2_t, parts))
        what = ("added_value", subject, "added_value", "10k_cny")
        rows.append((*what, first, last, VALUE, ""))
        what = ("intensity", subject, "co2_per_added_value", "t_per_10k_cny")
        rows.append((*what, first, last, co2_t / VALUE, ""))
        highest = int(true[Key(code, "energy_import")].argmax())
        peak_kw = 4 * float(true[Key(code, "energy_import")][highest])
        for name in ("demand_fixed15", "demand_sliding15"):
            at = first + 900 * highest
            rows.append(("peak", subject, name, "kw", at, at + 900, peak_kw, ""))
    for kind, subject, begin, end, parameters in faults:
        edges = (int(begin.timestamp()), int(end.timestamp()))
        rows.append(("fault", subject, kind, "", *edges, None, json.dumps(parameters)))
    for name, number in ledger.items():
        rows.append(("ledger", "T", name, "readings", first, last, float(number), ""))
    text_type = pa.dictionary(pa.int32(), pa.string())
    at_type = pa.timestamp("us", "UTC")
    names = ("what", "subject", "quantity", "unit", "start", "stop", "value", "note")
    kinds = {"start": at_type, "stop": at_type, "value": pa.float64()}
    schema = pa.schema(
        [(name, kinds.get(name, text_type)) for name in names],
        metadata={
            "parkwatt.truth": "1",
            "scenario": "T",
            "zone": "Asia/Shanghai",
            "start": start.isoformat(),
            "stop": stop.isoformat(),
        },
    )
    with parquet.ParquetWriter(path, schema) as writer:
        for group in groups:
            columns = dict(zip(names, zip(*group, strict=True), strict=True))
            for name in ("start", "stop"):
                columns[name] = tuple(each * 1_000_000 for each in columns[name])
            writer.write_table(
                pa.table(
                    [
                        pa.array(columns[name], kinds.get(name, pa.string())).cast(
                            schema.field(name).type
                        )
                        for name in names
                    ],
                    schema=schema,
                )
            )
    return path


class Made(Platform):
    """A platform that answers as it is told to; made perfect, then spoilt."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        keys = [key for key in truth.channels if key.quantity != "voc"]
        self.told = {key: self._read(key, flow) for key, flow in truth.usage(keys)}
        self.peaks: dict[str | None, list[MonthPeak]] = {
            subject: [self._highest(code)]
            for subject, code in ((None, "G"), ("E1", "M1"), ("E2", "M2"))
        }
        self.seen: list[Event] = []
        self.refused: list[Refused] = []
        self.counts = {
            "received": 1020,
            "inserted": 1000,
            "duplicate": 20,
            "conflict": 0,
            "quarantined": 0,
            "in_flight": 0,
        }
        self.busy = False
        self.factor = FACTOR

    def _read(self, key: Key, flow: np.ndarray) -> Told:
        """Differences of a register that counts on from 5000; its last end is unread."""
        ppm = self.truth.meters[key.subject].error_ppm
        edges = 5000 + np.concatenate(([0.0], np.cumsum(flow))) * (1 + ppm / 1e6)
        amount = np.diff(np.floor(edges / RESOLUTION) * RESOLUTION)
        amount[-1] = np.nan
        seconds = np.full(flow.size, 900.0)
        seconds[-1] = 0.0
        return Told(amount, seconds, np.zeros(flow.size), amount.copy(), amount.copy())

    def _highest(self, code: str) -> MonthPeak:
        amount = self.told[Key(code, "energy_import")].amount
        best = int(np.nanargmax(amount))
        day = datetime.fromtimestamp(self.truth.start_s, ZONE).date()
        first = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        return MonthPeak(
            month_s=int(first.timestamp()),
            kw=4 * float(amount[best]),
            at_s=self.truth.start_s + 900 * best,
            known_share=1.0,
        )

    def quantities(self) -> frozenset[str]:
        return frozenset({"energy_import", "water", "power"})

    def pending(self, start_s: int) -> bool:
        return self.busy

    def usage(
        self,
        quantity: str,
        start_s: int,
        stop_s: int,
        *,
        enterprise: str | None = None,
        meter: str | None = None,
    ) -> Told:
        assert (start_s, stop_s) == (self.truth.start_s, self.truth.stop_s)
        code = meter or {"energy_import": "G", "water": "W1"}[quantity]
        assert meter is None or enterprise == METERS[code]["enterprise"]
        return self.told[Key(code, quantity)]

    def month_peaks(
        self, start_s: int, stop_s: int, *, enterprise: str | None = None
    ) -> tuple[str, list[MonthPeak]]:
        return "demand_fixed15", self.peaks[enterprise]

    def figures(
        self, first: date, last: date, *, enterprise: str | None = None
    ) -> Mapping[str, Any]:
        assert (first, last) == (date(2026, 3, 1), date(2026, 4, 1))
        code = {None: "G", "E1": "M1", "E2": "M2"}[enterprise]
        kwh = float(np.nansum(self.told[Key(code, "energy_import")].amount))
        return {
            "amounts": {"energy_import": {"amount": kwh}},
            "co2_t": {
                "power_average": kwh * 0.5 / 1000,
                "regional": kwh * self.factor / 1000,
            },
            "intensity": {"added_value_10k_cny": VALUE},
        }

    def events(self, start_s: int, stop_s: int) -> list[Event]:
        return self.seen

    def sources(self) -> dict[str, dict[str, int]]:
        return {"mqtt": self.counts}

    def quarantine(self) -> list[Refused]:
        return self.refused


@cache
def two_days() -> Truth:
    return read(write(Path(mkdtemp()) / "two_days.parquet", *DAYS))


def scored(platform: Made, **other: Any) -> Score:
    bars = other.pop("thresholds", Thresholds.of_a_clean_run())
    return score(platform.truth, platform, thresholds=bars, **other)


def missed(found: Score) -> list[str]:
    return [each.name for each in found.checks if each.passed is False]


def check(found: Score, name: str) -> Check:
    return next(each for each in found.checks if each.name == name)


# the truth, read back


def test_the_truth_is_read_back() -> None:
    truth = two_days()
    assert (truth.park, truth.zone, truth.quarters) == ("T", "Asia/Shanghai", 192)
    assert truth.subjects == ("T", "E1", "E2")
    assert truth.channels == tuple(CHANNELS)
    assert truth.meters["M1"].error_ppm == -900
    assert truth.meters["M1"].step == RESOLUTION
    assert truth.ledger["stored"] == 1000
    wanted = [Key("W1", "water"), Key("M2", "energy_import")]
    for key, found in truth.usage(wanted):
        assert found.tolist() == flows(192)[key].tolist()


def test_few_channels_at_a_time_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = two_days()
    at_once = {key: found.tolist() for key, found in truth.usage(truth.channels)}
    monkeypatch.setattr("simulators.truth_file.AT_ONCE", 2 * 192)
    in_parts = {key: found.tolist() for key, found in truth.usage(truth.channels)}
    assert in_parts == at_once
    assert list(in_parts) == list(CHANNELS)


def test_what_is_no_truth_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    parquet.write_table(pa.table({"what": ["peak"]}), other)
    with pytest.raises(SimulatorError, match="is no truth of version 1"):
        read(other)
    with pytest.raises(SimulatorError, match="cannot read the truth"):
        read(tmp_path / "none.parquet")


Change = Callable[[pa.Table], pa.Table]


def _where(table: pa.Table, **wanted: str) -> np.ndarray:
    found = np.ones(table.num_rows, dtype=np.bool_)
    for name, text in wanted.items():
        found &= np.array([each == text for each in table[name].to_pylist()])
    return found


def times(by: float, **wanted: str) -> Change:
    """Multiply the values of some rows."""

    def change(table: pa.Table) -> pa.Table:
        factor = np.where(_where(table, **wanted), by, 1.0)
        value = pa.array(table["value"].to_numpy() * factor, from_pandas=True)
        return table.set_column(table.column_names.index("value"), "value", value)

    return change


def without(many: int | None = None, **wanted: str) -> Change:
    """Remove some rows, or so many of them."""

    def change(table: pa.Table) -> pa.Table:
        keep = np.ones(table.num_rows, dtype=np.bool_)
        keep[np.flatnonzero(_where(table, **wanted))[:many]] = False
        return table.filter(pa.array(keep))

    return change


def changed(path: Path, change: Change) -> Path:
    """Write a truth anew with another table, each row group as it was."""
    file = parquet.ParquetFile(path)
    other = path.with_name("changed.parquet")
    with parquet.ParquetWriter(other, file.schema_arrow) as writer:
        for number in range(file.num_row_groups):
            table = change(file.read_row_group(number))
            if table.num_rows:
                writer.write_table(table.cast(file.schema_arrow))
    return other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            without(what="usage_15min", subject="S2"),
            "usage of S2 energy_import is missing",
        ),
        (
            without(3, what="usage_15min", subject="M1"),
            "usage of M1 energy_import is not whole from 2026-03-09T16:00:00",
        ),
        (
            without(what="usage_15min", subject="E1"),
            "usage of E1 energy_import is not whole",
        ),
        (
            times(2.0, what="usage_15min", subject="E1"),
            # 100 + 40 sin(-3/4 pi) of the first quarter hour, twice
            r"usage of E1 energy_import is 143.431 at \S+, its meters say 71.7157",
        ),
        (times(1.05, what="peak"), r"peak of T in 2026-03 is \S+ kW, its meters say"),
        (
            times(0.99, what="peak", quantity="demand_sliding15"),
            "peak of T in 2026-03, sliding, is",
        ),
        (without(what="peak"), "peak of T in 2026-03 is missing"),
        (times(1.5, what="emissions"), r"CO2 of T in 2026-03 is \S+ t, its parts say"),
        (without(what="emissions", subject="E2"), "CO2 of E2 in 2026-03 is missing"),
        (times(1.5, what="added_value"), "intensity of T in 2026-03 is not its CO2"),
        (without(what="meter", subject="G"), "meter G above M1 is missing"),
        (
            without(what="ledger", quantity="duplicates"),
            "its ledger lacks duplicates",
        ),
    ],
)
def test_a_truth_that_was_changed_is_refused(
    tmp_path: Path, change: Change, words: str
) -> None:
    whole = write(tmp_path / "whole.parquet", *DAYS)
    assert scored(Made(read(changed(whole, lambda table: table)))).passed
    with pytest.raises(SimulatorError, match=f"is no whole truth.*{words}"):
        score(read(changed(whole, change)), Made(two_days()))


def test_a_clean_run_without_a_ledger_has_not_passed(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.parquet", *DAYS)
    platform = Made(read(changed(whole, without(what="ledger"))))
    assert missed(scored(platform)) == ["lost readings", "doubled readings"]
    assert scored(platform, thresholds=Thresholds()).passed


def test_hourly_readings_tell_no_peaks(tmp_path: Path) -> None:
    path = write(tmp_path / "hourly.parquet", *DAYS)
    truth = read(path)
    hourly = {
        code: replace(each, cadence_s=3600) for code, each in truth.meters.items()
    }
    found = scored(Made(replace(truth, meters=hourly)))
    assert any("come 3600 s apart" in each for each in found.notes)
    assert not any("apart" in each for each in scored(Made(truth)).notes)


# the score


def test_a_perfect_platform_has_a_perfect_score() -> None:
    done = []
    found = scored(Made(two_days()), progress=lambda *each: done.append(each))
    assert missed(found) == []
    assert found.passed
    assert [each.passed for each in found.checks if each.value is None] == [None] * 4
    assert found.honesty.expected == 5 * 191
    assert found.honesty.measured_right == 5 * 191
    park, water = found.park_amounts
    assert (park.quantity, water.quantity) == ("energy_import", "water")
    assert abs(park.error) < RESOLUTION
    # the gate counts 1500 ppm too much: that is its error, not the platform's
    assert park.physical_error_percent == pytest.approx(0.15, abs=1e-3)
    assert [each.subject for each in found.peaks] == ["T", "E1", "E2"]
    assert all(each.time_right for each in found.peaks)
    assert "1 registers are not judged" in found.notes[0]
    assert done[-1] == (5, 5)


def test_a_whole_month_has_emissions_and_intensity(tmp_path: Path) -> None:
    platform = Made(read(write(tmp_path / "march.parquet", *MARCH)))
    found = scored(platform)
    assert found.passed
    park = found.emissions[0]
    kwh = float(flows(31 * 96)[Key("G", "energy_import")][:-1].sum()) * 1.0015
    assert (park.subject, park.month, park.method) == ("T", "2026-03", "regional")
    assert park.shown_t == pytest.approx(kwh * FACTOR / 1000)
    assert park.told_t == pytest.approx(park.shown_t, rel=1e-6)
    assert park.told_t_per_10k_cny == pytest.approx(park.told_t / VALUE)
    assert park.intensity_error_percent == pytest.approx(0, abs=1e-4)
    # other factors are no error of the platform's: its amounts with the truth's are
    platform.factor = 0.6
    other = scored(platform).emissions[0]
    assert (other.method, other.told_t) == (None, park.told_t)
    platform.told[Key("G", "energy_import")].amount[7] += 0.01 * kwh
    worse = scored(platform)
    assert "park emissions error [%]" in missed(worse)
    assert worse.emissions[0].error_percent == pytest.approx(1.0, rel=1e-3)


def test_energy_error_by_hand() -> None:
    platform = Made(two_days())
    gate = platform.told[Key("G", "energy_import")]
    total = float(np.nansum(gate.amount))
    gate.amount[50] += 0.001 * total
    found = scored(platform, thresholds=Thresholds())
    assert missed(found) == ["park energy error [%]"]
    assert check(found, "park energy error [%]").value == pytest.approx(0.1, rel=1e-3)
    (wrong,) = [each for each in found.registers if not each.right]
    assert wrong.subject == "G"
    assert wrong.error == pytest.approx(0.001 * total, rel=1e-3)


def test_one_wrong_peak() -> None:
    platform = Made(two_days())
    (right,) = platform.peaks["E1"]
    assert right.at_s is not None
    platform.peaks["E1"] = [replace(right, kw=1.02 * right.kw, at_s=right.at_s + 900)]
    found = scored(platform)
    assert missed(found) == ["enterprise peaks within 0 %"]
    peak = next(each for each in found.peaks if each.subject == "E1")
    assert peak.error_percent == pytest.approx(2.0, abs=0.01)
    assert not peak.time_right
    assert found.peaks[0].time_right


def test_a_peak_in_the_last_quarter_hour_where_readings_went_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = flows(192)
    rising = {key: flow + np.arange(192.0) for key, flow in usual.items()}
    monkeypatch.setitem(globals(), "flows", lambda _: rising)
    platform = Made(read(write(tmp_path / "rising.parquet", *DAYS)))
    last_kw = 4 * float(rising[Key("M2", "energy_import")][-1])
    (peak,) = platform.peaks["E2"]
    assert scored(platform).passed
    for share, passed in ((1.0, True), (1.01, False), (0.99, False)):
        at_s = platform.truth.stop_s - 900
        platform.peaks["E2"] = [replace(peak, kw=share * last_kw, at_s=at_s)]
        assert scored(platform).passed is passed


def test_a_peak_that_is_not_told_is_missed() -> None:
    platform = Made(two_days())
    platform.peaks[None] = []
    assert "park monthly peak error [%]" in missed(scored(platform))


def test_lost_and_doubled() -> None:
    platform = Made(two_days())
    platform.counts |= {"inserted": 999, "received": 1019}
    lost = scored(platform)
    assert missed(lost) == ["lost readings"]
    assert (lost.accounting.lost, lost.accounting.doubled) == (1, 0)
    platform.counts |= {"inserted": 1002, "received": 1022}
    assert missed(scored(platform)) == ["doubled readings"]
    platform.counts |= {"inserted": 1000, "received": 1021}  # one without a fate
    assert missed(scored(platform)) == ["readings add up"]


def test_counts_are_those_of_the_run() -> None:
    platform = Made(two_days())
    before = {"mqtt": platform.counts}
    platform.counts = {name: 2 * number for name, number in platform.counts.items()}
    assert scored(platform, before=before).accounting.lost == 0
    alone = account(before, {}, {})
    assert alone.lost is None
    assert alone.received == 1020


def test_an_invented_measured_quarter_hour() -> None:
    platform = Made(two_days())
    told = platform.told[Key("M2", "energy_import")]
    told.amount[[80, 81]] += [0.5, -0.5]  # the sum is right
    found = scored(platform)
    assert missed(found) == ["measured is right"]
    assert found.honesty.wrong_unprovoked == 2


def test_missing_for_no_reason() -> None:
    platform = Made(two_days())
    told = platform.told[Key("W1", "water")]
    told.amount[10], told.measured_s[10] = np.nan, 0.0
    assert "missing is explained" in missed(scored(platform))


FAULT_AT = datetime(2026, 3, 10, 12, 0, tzinfo=ZONE)
UNTIL = datetime(2026, 3, 10, 15, 0, tzinfo=ZONE)


def with_fault(tmp_path: Path, kind: str, subject: str, **parameters: Any) -> Made:
    stop = UNTIL if kind in ("gap", "nan", "clock_jump") else FAULT_AT
    faults = ((kind, subject, FAULT_AT, stop, parameters),)
    return Made(read(write(tmp_path / "faulty.parquet", *DAYS, faults=faults)))


def event(
    kind: str, meter: str, minutes: float, quantity: str = "energy_import"
) -> Event:
    at_s = FAULT_AT.timestamp() + 60 * minutes
    return Event(meter=meter, quantity=quantity, at_s=at_s, kind=kind)


def test_a_missed_reset(tmp_path: Path) -> None:
    platform = with_fault(tmp_path, "reset", "M1")
    found = scored(platform)
    assert missed(found) == ["recall of reset"]
    assert found.recalls[0].missed == ("M1 2026-03-10T04:00:00Z",)
    # on another meter, of another kind, hours later: it is none of these
    for other in (
        event("reset", "M2", 7),
        event("spike", "M1", 7),
        event("reset", "M1", 200),
    ):
        platform.seen = [other]
        assert set(missed(scored(platform))) == {
            "recall of reset",
            f"precision of {other.kind}",
        }
    platform.seen = [event("reset", "M1", 7)]
    found = scored(platform)
    assert found.passed
    assert (found.recalls[0].recall, found.precisions[0].precision) == (1.0, 1.0)


def test_a_false_spike() -> None:
    platform = Made(two_days())
    platform.seen = [event("spike", "M2", 0)]
    found = scored(platform, thresholds=Thresholds())
    assert missed(found) == ["precision of spike"]
    assert found.precisions[0].false == ("M2 2026-03-10T04:00:00Z",)
    # of a meter that the run does not have
    platform.seen = [event("spike", "elsewhere", 0)]
    assert scored(platform).passed


def test_what_a_fault_brings_along_is_neither_found_nor_false(tmp_path: Path) -> None:
    platform = with_fault(tmp_path, "spike", "M1", by=1e6)
    platform.seen = [event("gap", "M1", 15)]
    assert missed(scored(platform)) == ["recall of spike"]
    platform.seen.append(event("spike", "M1", 0))
    assert scored(platform).passed


def test_a_fault_of_one_channel(tmp_path: Path) -> None:
    platform = with_fault(tmp_path, "glitch", "W1", channel="water_m3", to=0)
    platform.seen = [event("glitch", "W1", 0)]  # energy_import
    assert "recall of glitch" in missed(scored(platform))
    platform.seen = [event("glitch", "W1", 0, "water")]
    assert scored(platform).passed


def test_a_gateway_that_is_silent_explains_what_is_missing(tmp_path: Path) -> None:
    platform = with_fault(tmp_path, "gap", "GW-E2")
    hidden = slice(48, 60)
    for code in ("M2", "S2"):
        told = platform.told[Key(code, "energy_import")]
        told.estimated_s[hidden], told.measured_s[hidden] = 900.0, 0.0
        told.least[hidden], told.most[hidden] = 0.0, told.amount[hidden].sum()
        told.amount[hidden] = told.amount[hidden].mean()
    water = platform.told[Key("W1", "water")]
    water.amount[hidden], water.measured_s[hidden] = np.nan, 0.0
    platform.seen = [event("gap", "M2", 180)]
    found = scored(platform, thresholds=Thresholds())
    assert found.passed
    assert (found.honesty.missing, found.honesty.never_sent) == (12, 12)
    assert (found.honesty.stretches, found.honesty.stretches_right) == (2, 2)
    assert (found.honesty.estimated, found.honesty.inside_band) == (24, 24)


def test_what_shows_only_in_quarantine(tmp_path: Path) -> None:
    platform = with_fault(tmp_path, "nan", "M1")
    assert missed(scored(platform)) == ["recall of nan"]
    topic = "parkwatt/v1/T/E1/GW-E1/batch"
    platform.refused = [Refused(topic=topic, reason="not JSON: …", payload="{")]
    assert scored(platform).recalls[0].recall == 1.0
    platform.refused = [
        Refused(topic="parkwatt/v1/T/E2/M2/readings", reason="not JSON", payload="{")
    ]
    assert missed(scored(platform)) == ["recall of nan"]


def test_a_short_run_with_a_reset_is_told_what_the_bars_are_for(tmp_path: Path) -> None:
    found = scored(with_fault(tmp_path, "reset", "M1"))
    assert (
        "the bars are meant for 30 days: what one reset hides is a larger part of 2"
        in (found.notes)
    )
    other = scored(with_fault(tmp_path, "duplicates", "M1"))
    assert not any("bars" in note for note in other.notes)


@pytest.mark.parametrize("kind", ["duplicates", "clock_skew"])
def test_what_nobody_can_see_is_not_judged(tmp_path: Path, kind: str) -> None:
    found = scored(with_fault(tmp_path, kind, "M1"))
    assert found.passed
    assert (found.recalls[0].injected, found.recalls[0].recall) == (1, None)


def test_a_platform_that_still_computes_is_named() -> None:
    platform = Made(two_days())
    platform.busy = True
    assert any("still computing" in note for note in scored(platform).notes)


Spoil = Callable[[Made, int], None]


def _more(platform: Made, place: int) -> None:
    key = list(platform.told)[place % 5]
    platform.told[key].amount[place] += 0.05


def _less(platform: Made, place: int) -> None:
    key = list(platform.told)[place % 5]
    platform.told[key].amount[place] *= 0.5


def _unknown(platform: Made, place: int) -> None:
    key = list(platform.told)[place % 5]
    platform.told[key].amount[place] = np.nan
    platform.told[key].measured_s[place] = 0.0


def _guessed(platform: Made, place: int) -> None:
    told = platform.told[list(platform.told)[place % 5]]
    told.measured_s[place], told.estimated_s[place] = 0.0, 900.0
    told.amount[place] += 1.0


def _lost(platform: Made, place: int) -> None:
    platform.counts["inserted"] -= 1 + place
    platform.counts["received"] -= 1 + place


def _doubled(platform: Made, place: int) -> None:
    platform.counts["inserted"] += 1 + place
    platform.counts["received"] += 1 + place


def _peak(platform: Made, place: int) -> None:
    subject = list(platform.peaks)[place % 3]
    (peak,) = platform.peaks[subject]
    platform.peaks[subject] = [replace(peak, kw=peak.kw * 1.01)]


def _event(platform: Made, place: int) -> None:
    kind = ("reset", "spike", "glitch", "rollover", "gap", "jump")[place % 6]
    platform.seen.append(event(kind, "M1", place))


@given(
    st.sampled_from([_more, _less, _unknown, _guessed, _lost, _doubled, _peak, _event]),
    st.integers(0, 190),
)
def test_any_single_defect_is_found(spoil: Spoil, place: int) -> None:
    platform = Made(two_days())
    spoil(platform, place)
    assert not scored(platform).passed


def test_json_and_table(tmp_path: Path) -> None:
    platform = with_fault(tmp_path, "reset", "M1")
    platform.seen = [event("spike", "M2", 0)]
    platform.told[Key("M2", "energy_import")].amount[3] = np.nan
    platform.told[Key("M2", "energy_import")].measured_s[3] = 0.0
    found = scored(platform)
    told = json.loads(found.to_json())
    assert told["verdict"] == "failed"
    assert told["recalls"][0] == {
        "kind": "reset",
        "injected": 1,
        "found": 0,
        "recall": 0.0,
        "missed": ["M1 2026-03-10T04:00:00Z"],
    }
    assert told["honesty"]["missing"] == 1
    console = Console(width=100, record=True, file=io.StringIO())
    show(console, found)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 100
    for words in (
        "FAILED  park T",
        "recall of reset",
        "missed reset: M1 2026-03-10T04:00:00Z",
        "unexplained spike: M2",
        "Registers off by more than their resolution: 1 of 5",
        "distinct, stored",
    ):
        assert words in text


def test_tolerance_follows_the_register() -> None:
    truth = two_days()
    about = truth.meters["M1"]
    flow = flows(192)[Key("M1", "energy_import")]
    coarse = shown(flow, about, truth.start_s, largest_step=2.0)
    fine = shown(flow, about, truth.start_s)
    assert coarse.tolerance - fine.tolerance == pytest.approx(RESOLUTION)
