"""What a meter shows, by hand: 36 kW are 9 kWh in each quarter of an hour."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.display import Display, instants, show
from simulators.errors import SimulatorError
from simulators.load import EPOCH_S, Flow, Integers
from simulators.meter import Channel, Fault, Meter

QUARTER = 900
KEY = "energy_import_kwh"


def steady(number: Integers) -> Integers:
    return np.full(number.size, 36_000)


def wavy(number: Integers) -> Integers:
    return 20_000 + number * 7919 % 30_011


def meter(**changes: object) -> Meter:
    flow = Flow(steady)
    made = Meter(
        enterprise="E01",
        code="E01-M1",
        carrier="electricity",
        channels=(
            Channel(key=KEY, kind="register", flow=flow),
            Channel(key="power_kw", kind="gauge", flow=flow),
            Channel(key="voltage_v", kind="gauge", flow=flow, scale=6.0),
        ),
        initial=100.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def at(*quarters: float) -> Integers:
    return EPOCH_S + np.array([round(each * QUARTER) for each in quarters])


def fault(
    kind: str, start: float, stop: float | None = None, **parameters: float | str
) -> Fault:
    first, last = at(start, start if stop is None else stop).tolist()
    return Fault(
        kind=kind,
        subject="E01-M1",
        start_s=first,
        stop_s=last,
        parameters=parameters,
    )


def registers(which: Meter, quarters: list[float], *faults: Fault) -> list[float]:
    return list(show(which, at(*quarters), faults).values[KEY])


def test_register_and_gauges() -> None:
    shown = show(meter(), at(0, 1, 2))
    assert shown.values[KEY].tolist() == [100.0, 109.0, 118.0]
    assert shown.values["power_kw"].tolist() == [36.0] * 3
    assert shown.values["voltage_v"].tolist() == [216.0] * 3
    assert shown.stamp_us.tolist() == [each * 1_000_000 for each in at(0, 1, 2)]


def test_ratios_divide_energy_and_power_alone() -> None:
    # 36 kW behind CT 40 and PT 1.5 are 0.6 kW; 9 kWh are 0.15 kWh
    shown = show(meter(ct=40.0, pt=1.5), at(0, 1, 2, 3))
    assert shown.values[KEY].tolist() == [100.0, 100.15, 100.3, 100.45]
    assert shown.values["power_kw"].tolist() == [0.6] * 4
    assert shown.values["voltage_v"].tolist() == [216.0] * 4


def test_resolution_cuts() -> None:
    # 20 s of 36 kW are 0.2 kWh
    which = meter(decimals=0)
    assert registers(which, [80 / QUARTER, 99 / QUARTER, 100 / QUARTER]) == [
        100.0,
        100.0,
        101.0,
    ]


def test_error_of_the_meter() -> None:
    # 0.5 % of 3456 kWh in 96 hours are 17.28 kWh
    assert registers(meter(error_ppm=5000), [384]) == [100 + 3456 + 17.28]
    assert registers(meter(error_ppm=-5000), [384]) == [100 + 3456 - 17.28]
    assert show(meter(error_ppm=5000), at(1)).values["power_kw"].tolist() == [36.18]


def test_own_clock_has_offset_and_drift() -> None:
    # 2.5 s, and 100 ppm of a day: 8.64 s
    which = meter(clock_offset_s=2.5, clock_drift_ppm=100.0)
    shown = show(which, at(0, 96))
    assert (shown.stamp_us - shown.at_s * 1_000_000).tolist() == [2_500_000, 11_140_000]


def test_reads_itself_by_its_own_clock() -> None:
    assert instants(meter(), EPOCH_S, EPOCH_S + 1801).tolist() == at(0, 1, 2).tolist()
    assert instants(meter(), EPOCH_S, EPOCH_S + 1800).tolist() == at(0, 1).tolist()
    # 2.5 s ahead: at the first whole second from 897.5 s on
    ahead = instants(meter(clock_offset_s=2.5), EPOCH_S + 1, EPOCH_S + 1801)
    assert (ahead - EPOCH_S).tolist() == [898, 1798]


@given(
    offset=st.floats(-3000, 3000),
    drift=st.floats(-200, 200),
    first=st.integers(10_000, 50_000_000),
    cuts=st.lists(st.integers(0, 20_000), max_size=4),
    cadence=st.sampled_from([5, 60, 900, 3600]),
)
def test_each_cadence_is_read_once(
    offset: float, drift: float, first: int, cuts: list[int], cadence: int
) -> None:
    which = meter(clock_offset_s=offset, clock_drift_ppm=drift, cadence_s=cadence)
    start, stop = EPOCH_S + first, EPOCH_S + first + 20_000
    whole = instants(which, start, stop)
    edges = [start, *sorted(start + each for each in cuts), stop]
    parts = [instants(which, *pair) for pair in itertools.pairwise(edges)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert ((whole >= start) & (whole < stop)).all()
    strokes = show(which, whole).stamp_us // (cadence * 1_000_000)
    assert (np.diff(strokes) == 1).all()
    assert abs(whole.size - 20_000 / cadence) <= 1 + 20_000 / cadence * 3e-4


def test_rolls_over_by_its_digits() -> None:
    which = meter(digits=3, initial=990.0)
    assert registers(which, [0, 1, 2, 3]) == [990.0, 999.0, 8.0, 17.0]


def test_rollover_is_placed() -> None:
    shown = registers(meter(digits=4), [9, 9.5, 10, 11], fault("rollover", 10))
    assert shown == [9991.0, 9995.5, 0.0, 9.0]


@pytest.mark.parametrize("kind", ["reset", "replacement"])
def test_rollover_of_a_register_that_began_anew_is_refused(kind: str) -> None:
    with pytest.raises(SimulatorError, match="was reset or replaced"):
        Display(meter(), [fault(kind, 1), fault("rollover", 2)])


def test_rollover_after_a_change_of_the_ratio() -> None:
    changes = [fault("multiplier_change", 2, ct=9.0), fault("rollover", 4)]
    shown = registers(meter(digits=4), [1, 2, 3, 4, 5], *changes)
    assert shown == [9989.0, 9998.0, 9999.0, 0.0, 1.0]


def test_rollover_before_a_reset_moves_only_what_is_before_it() -> None:
    shown = registers(
        meter(), [1, 2, 3, 4], fault("reset", 2.5), fault("rollover", 1.5)
    )
    assert shown == [99_999_995.5, 4.5, 4.5, 13.5]


def test_reset_and_replacement() -> None:
    assert registers(meter(), [1, 2, 3], fault("reset", 1.5)) == [109.0, 4.5, 13.5]
    shown = registers(meter(), [1, 2, 3], fault("replacement", 1.5, initial=7.25))
    assert shown == [109.0, 11.75, 20.75]


def test_multiplier_changes() -> None:
    which = meter(ct=2.0)
    shown = show(which, at(0, 1, 2, 3), [fault("multiplier_change", 1, ct=6.0)])
    assert shown.values[KEY].tolist() == [100.0, 104.5, 106.0, 107.5]
    assert shown.values["power_kw"].tolist() == [18.0, 6.0, 6.0, 6.0]


def test_spike_and_glitch_are_of_one_reading() -> None:
    usual = [100.0, 109.0, 118.0, 127.0]
    for odd, value in (
        (fault("spike", 1.2, by=5000.0), 5118.0),
        (fault("spike", 1.2, by=1e12), 99_999_999.99),
        (fault("glitch", 1.2), 0.0),
        (fault("glitch", 1.2, by=20.5), 97.5),
        (fault("glitch", 1.2, by=500.0), 0.0),
    ):
        assert registers(meter(), [0, 1, 2, 3], odd) == [*usual[:2], value, usual[3]]
    two = fault("glitch", 1.2, to=3.0, readings=2)
    assert registers(meter(), [0, 1, 2, 3, 4], two) == [100.0, 109.0, 3.0, 3.0, 136.0]
    power = fault("spike", 1, by=100.0, channel="power_kw")
    shown = show(meter(), at(0, 1), [power]).values
    assert shown["power_kw"].tolist() == [36.0, 136.0]
    assert shown[KEY].tolist() == usual[:2]


def test_stuck_catches_up() -> None:
    frozen = fault("stuck", 1, 3)
    shown = registers(meter(), [0, 1, 2, 2.9, 3, 4], frozen)
    assert shown == [100.0, 109.0, 109.0, 109.0, 127.0, 136.0]


def test_a_fault_of_a_gateway_is_seen_on_all_its_meters() -> None:
    stuck = replace(fault("stuck", 1, 3), subject="GW1")
    behind = registers(meter(gateway="GW1"), [1, 2], stuck)
    assert behind == registers(meter(), [1, 1])
    assert registers(meter(gateway="GW2"), [1, 2], stuck) == registers(meter(), [1, 2])


def test_wrong_unit_for_a_while() -> None:
    assert registers(meter(), [0, 1, 2], fault("wrong_unit", 1, 2)) == [
        100.0,
        109_000.0,
        118.0,
    ]
    little = fault("wrong_unit", 1, 2, factor=0.001)
    assert registers(meter(), [0, 1, 2], little) == [100.0, 0.109, 118.0]


def test_null() -> None:
    shown = show(meter(), at(0, 1, 2), [fault("null", 1, 2)]).values
    for values in shown.values():
        assert np.isnan(values).tolist() == [False, True, False]
    one = fault("null", 1, 2, channel="power_kw")
    shown = show(meter(), at(0, 1, 2), [one]).values
    assert np.isnan(shown["power_kw"]).tolist() == [False, True, False]
    assert not np.isnan(shown[KEY]).any()


def test_clock_faults_change_stamps_alone() -> None:
    for wrong, expected in (
        (fault("clock_skew", 1, 2, by_s=-42.5), EPOCH_S + 857.5),
        (fault("clock_jump", 1, 2, by_s=7200.0), EPOCH_S + 900 + 7200),
        (fault("clock_1970", 1, 2), 0.0),
    ):
        shown = show(meter(), at(0, 1, 2), [wrong])
        assert (shown.stamp_us / 1e6).tolist() == [
            EPOCH_S,
            expected,
            EPOCH_S + 1800,
        ]
        assert shown.values[KEY].tolist() == [100.0, 109.0, 118.0]


def test_faults_of_others_change_nothing() -> None:
    other = replace(fault("reset", 1), subject="E01-M2")
    assert registers(meter(), [0, 2], other) == [100.0, 118.0]


def test_a_ratio_that_cannot_be_counted_is_refused() -> None:
    with pytest.raises(SimulatorError, match="cannot be counted"):
        Display(meter(ct=1.000000000007, pt=1.00000000003))


@given(
    cuts=st.lists(st.integers(0, 40 * 86400), min_size=2, max_size=12, unique=True),
    decimals=st.integers(0, 4),
    digits=st.integers(3, 9),
    ratio=st.sampled_from([1.0, 40.0, 0.5, 1.5, 80.0]),
    ppm=st.integers(-5000, 5000),
    initial=st.floats(0, 900),
)
def test_differences_times_ratio_are_the_integral(
    cuts: list[int],
    decimals: int,
    digits: int,
    ratio: float,
    ppm: int,
    initial: float,
) -> None:
    flow = Flow(wavy)
    which = meter(
        channels=(Channel(key=KEY, kind="register", flow=flow),),
        decimals=decimals,
        digits=digits,
        ct=ratio,
        pt=10.0,
        error_ppm=ppm,
        initial=initial,
    )
    times = EPOCH_S + np.array(sorted(cuts))
    values = show(which, times).values[KEY]
    assert ((values >= 0) & (values < 10**digits)).all()
    steps = np.round(values * 10**decimals).astype(np.int64)
    moved = int(np.sum(np.diff(steps) % 10 ** (digits + decimals)))
    integral = Fraction(int(np.diff(flow.integral(times)[[0, -1]])[0]))
    true = integral * (1_000_000 + ppm) / 1_000_000 / 3_600_000
    step = Fraction(ratio) * 10 / 10**decimals
    # how often the whole range passed between two readings no display can tell
    span = 10 ** (digits + decimals) * step
    off = (moved * step - true) % span
    assert min(off, span - off) <= step + Fraction(1, 3_600_000)


@given(
    quarters=st.lists(st.integers(0, 400), min_size=1, max_size=20, unique=True),
    starts=st.lists(st.integers(1, 300), min_size=6, max_size=6, unique=True),
)
def test_random_access_is_the_sequence(quarters: list[int], starts: list[int]) -> None:
    kinds = [
        fault("reset", starts[0]),
        fault("replacement", starts[1] + 0.3, initial=500.0),
        fault("multiplier_change", starts[2] + 0.7, ct=3.0),
        fault("stuck", starts[3], starts[3] + 9),
        fault("spike", starts[4], by=9999.0),
        fault("clock_jump", starts[5], starts[5] + 5, by_s=-4321.0),
    ]
    display = Display(meter(), kinds)
    every = display.show(at(*range(401)))
    for quarter in quarters:
        alone = show(meter(), at(quarter), kinds)
        assert alone.stamp_us[0] == every.stamp_us[quarter]
        for key, values in alone.values.items():
            assert values[0] == every.values[key][quarter]
