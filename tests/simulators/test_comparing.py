"""One channel against its truth, by hand and as properties."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.client import Told
from simulators.comparing import (
    Doubt,
    Honesty,
    clock_error_s,
    energy,
    honesty,
    percent,
    shown,
)
from simulators.load import EPOCH_S
from simulators.truth_file import MeterNote

START_S = EPOCH_S + 90 * 86400
QUARTERS = 12
NAN = float("nan")


def meter(**other: Any) -> MeterNote:
    about: dict[str, Any] = {
        "code": "M1",
        "enterprise": "E1",
        "role": "main",
        "parent": None,
        "step": 0.01,
        "error_ppm": 0,
        "cadence_s": 900,
    }
    return MeterNote(**about | other)


def doubt(quarters: int = QUARTERS, **at: list[int]) -> Doubt:
    masks = {name: np.zeros(quarters, np.bool_) for name in Doubt._fields}
    for name, places in at.items():
        masks[name][places] = True
    return Doubt(**masks)


def measured(amount: Any) -> Told:
    """All is told, and measured, but the last quarter hour: nothing is read at its end."""
    amount = np.array(amount, float)
    amount[-1] = NAN
    seconds = np.where(np.isnan(amount), 0.0, 900.0)
    return Told(amount, seconds, np.zeros(amount.size), amount.copy(), amount.copy())


FLOWED = np.full(QUARTERS, 10.0)


def test_span_lies_between_the_first_and_the_last_reading() -> None:
    assert shown(FLOWED, meter(), START_S).span == slice(0, 11)
    assert shown(FLOWED, meter(cadence_s=60), START_S).span == slice(0, 11)
    # hourly: read at 0:00, 1:00, 2:00 of 3 hours
    assert shown(FLOWED, meter(cadence_s=3600), START_S).span == slice(0, 8)
    # two seconds fast: the outermost readings may be those of before and after, and the
    # first, stamped 0:15:00.5, leaves half a second of its quarter hour unknown
    wrong = meter(clock_offset_s=2.0)
    assert shown(FLOWED, wrong, START_S).span == slice(2, 10)


def test_clock_error_grows_with_drift() -> None:
    # 90 days at 10 ppm are 77.76 s, 3 hours 0.108 s more; the clock strikes within 1 s
    drifting = meter(clock_drift_ppm=10.0, clock_offset_s=-80.0)
    stop_s = START_S + 3 * 3600
    assert clock_error_s(drifting, START_S, stop_s) == pytest.approx(80 - 77.76 + 1)
    assert clock_error_s(meter(), START_S, stop_s) == 0


def test_energy_by_hand() -> None:
    # 11 quarter hours of 10 kWh at +2000 ppm; one is told 0.5 kWh too low
    could = shown(FLOWED, meter(error_ppm=2000), START_S)
    told = measured(FLOWED * 1.002)
    told.amount[3] -= 0.5
    found = energy(told, could, FLOWED)
    assert found.shown == pytest.approx(110.22)
    assert found.error == pytest.approx(-0.5)
    assert found.error_percent == pytest.approx(-100 * 0.5 / 110.22)
    assert found.physical_error_percent == pytest.approx(100 * (109.72 - 110) / 110)
    assert found.tolerance == pytest.approx(0.01, rel=1e-3)
    assert not found.right


def test_what_is_not_told_is_unknown_and_not_right() -> None:
    could = shown(FLOWED, meter(), START_S)
    found = energy(measured(FLOWED * NAN), could, FLOWED)
    assert np.isnan(found.told)
    assert not found.right


def test_percent_of_nothing() -> None:
    assert percent(0.0, 0.0) == 0
    assert percent(1.0, 0.0) == np.inf
    assert np.isnan(percent(NAN, 0.0))


def test_an_invented_measured_quarter_hour_is_found() -> None:
    told = measured(FLOWED)
    told.amount[5] += 0.02
    found = honesty(told, shown(FLOWED, meter(), START_S), doubt())
    assert found == Honesty(
        expected=11, measured=11, measured_right=10, wrong_unprovoked=1
    )
    # where a fault was at work it is wrong all the same, but not unprovoked
    excused = honesty(told, shown(FLOWED, meter(), START_S), doubt(any_fault=[5]))
    assert excused == dataclasses.replace(found, wrong_unprovoked=0)


def test_a_slow_clock_excuses_what_flows_meanwhile() -> None:
    flowed = np.array([10, 10, 10, 10, 40, 40, 40, 40, 40, 10, 10, 10.0])
    told = measured(flowed)
    told.amount[4] -= 30 * 9 / 900  # 9 s of the lower quarter hour before
    late = meter(clock_offset_s=-9.0)
    assert honesty(told, shown(flowed, late, START_S), doubt()).wrong_unprovoked == 0
    exact = shown(flowed, meter(), START_S)
    assert honesty(told, exact, doubt()).wrong_unprovoked == 1


def test_estimated_stretches_by_hand() -> None:
    flowed = np.array([1, 2, 9, 4, 5, 6, 7, 8, 9, 10, 11, 12.0])
    amount = flowed.copy()
    amount[2:5] = 6.0  # 18 in all: right in sum, on a straight line
    amount[7:9] = 8.0  # 16, and it was 17
    told = measured(amount)
    told.measured_s[[2, 3, 4, 7, 8]] = 0.0
    told.estimated_s[[2, 3, 4, 7, 8]] = 900.0
    told.least[[2, 3, 4, 7, 8]] = 0.0
    told.most[2:5], told.most[7:9] = 18.0, 16.0
    found = honesty(told, shown(flowed, meter(), START_S), doubt())
    assert found == Honesty(
        expected=11,
        measured=6,
        measured_right=6,
        stretches=2,
        stretches_right=1,
        estimated=5,
        inside_band=5,
    )
    # a quarter hour that truly had more than the platform holds possible: 9 > 8
    told.most[7:9] = 8.0
    outside = honesty(told, shown(flowed, meter(), START_S), doubt())
    assert (outside.estimated, outside.inside_band) == (5, 4)


def test_missing_by_its_reason() -> None:
    told = measured(FLOWED)
    for place in (2, 3, 6, 9):
        told.amount[place], told.measured_s[place] = NAN, 0.0
    told.measured_s[7] = 300.0  # a third of it is known
    told.amount[7] = 3.0
    faults = doubt(any_fault=[2, 3, 6, 7], never_sent=[2, 3], unknowable=[2, 6, 7])
    found = honesty(told, shown(FLOWED, meter(), START_S), faults)
    assert (found.measured, found.missing) == (6, 5)
    assert (found.never_sent, found.unknowable) == (2, 2)


def test_a_stretch_that_is_partly_missing_is_open() -> None:
    told = measured(FLOWED)
    told.estimated_s[4:6] = [900.0, 300.0]
    told.measured_s[4:6] = 0.0
    told.amount[4:6] = [10.0, 3.0]
    found = honesty(told, shown(FLOWED, meter(), START_S), doubt())
    assert (found.stretches, found.stretches_open, found.estimated) == (1, 1, 0)
    assert (found.missing, found.measured) == (1, 9)


STEPS = 100  # of a register in a unit


@st.composite
def registers(draw: st.DrawFn) -> tuple[np.ndarray, MeterNote, np.ndarray]:
    """True flows, a meter, and what its register truly showed at each edge."""
    flows = draw(
        st.lists(st.floats(0, 500, allow_subnormal=False), min_size=3, max_size=40)
    )
    ppm = draw(st.integers(-5000, 5000))
    first = draw(st.floats(0, 1e6))
    edges = first + np.concatenate(([0.0], np.cumsum(flows))) * (1 + ppm / 1e6)
    readings = np.floor(edges * STEPS) / STEPS
    return np.array(flows), meter(error_ppm=ppm), readings


@given(registers())
def test_differences_of_a_register_are_always_right(
    made: tuple[np.ndarray, MeterNote, np.ndarray],
) -> None:
    flowed, about, readings = made
    told = measured(np.diff(readings))
    could = shown(flowed, about, START_S)
    could = could._replace(tolerance=could.tolerance + 1e-9 * readings[-1])
    assert energy(told, could, flowed).right
    found = honesty(told, could, doubt(flowed.size))
    assert found == Honesty(
        expected=flowed.size - 1,
        measured=flowed.size - 1,
        measured_right=flowed.size - 1,
    )


@given(registers(), st.data())
def test_one_wrong_quarter_hour_is_always_found(
    made: tuple[np.ndarray, MeterNote, np.ndarray], data: st.DataObject
) -> None:
    flowed, about, readings = made
    told = measured(np.diff(readings))
    place = data.draw(st.integers(0, flowed.size - 2))
    told.amount[place] += data.draw(st.sampled_from([-1, 1])) * data.draw(
        st.floats(0.021, 100)
    )
    found = honesty(told, shown(flowed, about, START_S), doubt(flowed.size))
    assert found.measured - found.measured_right == found.wrong_unprovoked == 1
