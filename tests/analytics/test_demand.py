import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import demand

ENERGIES = st.floats(0, 1000)


def minutes(kw: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Register read each minute: mean power of each minute in, times and kWh out."""
    register = np.concatenate(([0.0], np.cumsum(np.array(kw) / 60.0)))
    return np.arange(len(kw) + 1, dtype=np.int64) * 60, register


# domain knowledge of demand metering: 600 kW for 15 minutes from minute 10 on
BLOCK = [0.0] * 10 + [600.0] * 15 + [0.0] * 20


def test_a_block_over_the_edge_is_cut_by_fixed_windows_only() -> None:
    at, register = minutes(BLOCK)
    quarters = demand.fixed(np.diff(register[::15]))
    assert_allclose(quarters, [200, 400, 0], atol=1e-9)
    start, kw = demand.sliding(at, register, 0, 1860)
    best = demand.peak(kw)
    assert best is not None
    assert kw[best] == pytest.approx(600)
    assert start[best] == 600


def test_sliding_gives_windows_that_begin_in_the_range() -> None:
    at, register = minutes(BLOCK)
    start, kw = demand.sliding(at, register, 0, 2700)
    assert_array_equal(start, np.arange(45) * 60)
    # the last reading is at minute 45: later windows reach beyond what is known
    assert_array_equal(np.isnan(kw), start > 1800)


def test_parts_of_a_range_give_the_same_windows_as_the_whole() -> None:
    at, register = minutes(BLOCK)
    whole = demand.sliding(at, register, 0, 2700)
    parts = [demand.sliding(at, register, *edges) for edges in ((0, 630), (630, 2700))]
    for i in (0, 1):
        assert_array_equal(whole[i], np.concatenate([part[i] for part in parts]))


def test_a_gap_is_unknown_in_every_window_it_touches_and_only_there() -> None:
    at, register = minutes([60.0] * 60)
    keep = (at < 1200) | (at >= 1500)  # the interval 1140 … 1500 is longer than 120 s
    start, kw = demand.sliding(at[keep], register[keep], 0, 2700)
    touched = (start < 1500) & (start + 900 > 1140)
    assert_array_equal(np.isnan(kw), touched)
    assert_allclose(kw[~touched], 60)
    _, bridged = demand.sliding(at[keep], register[keep], 0, 2700, cadence_s=360)
    assert_allclose(bridged, 60)


def test_a_reading_without_value_is_no_reading() -> None:
    at, register = minutes([60.0] * 30)
    register[7] = np.nan
    _, kw = demand.sliding(at, register, 0, 901)
    assert_allclose(kw, 60)  # two minutes apart is within the bound
    register[8] = np.nan
    start, kw = demand.sliding(at, register, 0, 901)
    assert_array_equal(np.isnan(kw), start < 540)


def test_window_edges_between_readings_are_interpolated() -> None:
    at = np.array([30, 90, 150, 930, 990], np.int64)
    register = np.array([0.0, 1.0, 2.0, 15.0, 16.0])  # 60 kW throughout
    start, kw = demand.sliding(at, register, 0, 91, cadence_s=780)
    assert_array_equal(start, [0, 60])
    assert np.isnan(kw[0])
    assert kw[1] == pytest.approx(60)


@pytest.mark.parametrize("readings", [0, 1])
def test_too_few_readings_know_nothing(readings: int) -> None:
    at = np.arange(readings, dtype=np.int64)
    start, kw = demand.sliding(at, np.zeros(readings), 0, 120)
    assert_array_equal(start, [0, 60])
    assert np.isnan(kw).all()


@given(arrays(np.float64, 60, elements=ENERGIES))
def test_sliding_is_never_below_fixed_and_at_most_twice(used: np.ndarray) -> None:
    register = np.concatenate(([0.0], np.cumsum(used)))
    at = np.arange(61, dtype=np.int64) * 60
    quarters = demand.fixed(np.diff(register[::15]))
    _, kw = demand.sliding(at, register, 0, 2701)
    assert np.max(kw) >= np.max(quarters)
    # any window lies in two neighbouring quarters
    assert np.max(kw) <= np.max(quarters[:-1] + quarters[1:]) + 1e-6


@given(
    arrays(np.float64, (3, 8), elements=ENERGIES),
    st.sampled_from([60.0, 900.0, 3600.0]),
)
def test_fixed_is_linear_and_keeps_its_shape(
    amount: np.ndarray, window_s: float
) -> None:
    kw = demand.fixed(amount, window_s)
    assert kw.shape == amount.shape
    assert_array_equal(demand.fixed(2 * amount, window_s), 2 * kw)
    assert_allclose(kw * window_s / 3600, amount, atol=1e-12)


def test_fixed_keeps_the_unknown() -> None:
    assert_array_equal(demand.fixed(np.array([157.18, np.nan])), [628.72, np.nan])


def test_peak_is_the_first_of_equals_among_covered_windows() -> None:
    kw = np.array([np.nan, 3.0, 9.0, 5.0, 5.0])
    covered = np.array([1.0, 1.0, 0.9, 0.95, 1.0])
    assert demand.peak(kw) == 2
    assert demand.peak(kw, covered) == 3
    assert demand.peak(kw, covered, 0.99) == 4
    assert demand.peak(-kw) == 1


def test_peak_of_nothing_is_none() -> None:
    assert demand.peak(np.array([])) is None
    assert demand.peak(np.array([np.nan])) is None
    assert demand.peak(np.array([5.0]), np.array([0.5])) is None
    assert demand.peak(np.array([5.0]), np.array([np.nan])) is None


def test_load_factor_leaves_the_unknown_out_and_needs_a_positive_maximum() -> None:
    kw = np.array(
        [
            [1.0, 2.0, 3.0, np.nan],
            [0.0, 0.0, 0.0, 0.0],
            [np.nan] * 4,
            [-1.0, -2.0, -3.0, -4.0],
        ]
    )
    assert_allclose(demand.load_factor(kw), [2 / 3, np.nan, np.nan, np.nan])
    assert np.isnan(demand.load_factor(np.array([])))


def test_load_factor_of_the_steel_plant() -> None:
    # year 2018, 35 040 quarters: 959 640.31 kWh, highest 157.18 kWh, load factor 0.17424
    energy = np.full(35_040, (959_640.31 - 157.18) / 35_039)
    energy[31_238] = 157.18
    assert demand.load_factor(demand.fixed(energy)) == pytest.approx(0.17424, abs=5e-6)


@given(
    arrays(np.float64, (4, 12), elements=st.floats(0.01, 1000)), st.floats(0.01, 100)
)
def test_load_factor_and_coincidence_are_shares_without_scale(
    kw: np.ndarray, scale: float
) -> None:
    factor = demand.load_factor(kw)
    assert ((factor > 0) & (factor <= 1 + 1e-12)).all()
    assert_allclose(demand.load_factor(kw * scale), factor, rtol=1e-9)
    together = demand.coincidence(kw.sum(axis=0).max(), kw.max(axis=1))
    assert 0.25 - 1e-12 <= together <= 1 + 1e-12


def test_coincidence_is_unknown_without_peaks() -> None:
    assert demand.coincidence(150.0, np.array([100.0, 100.0])) == 0.75
    assert np.isnan(demand.coincidence(0.0, np.array([0.0, 0.0])))
    assert np.isnan(demand.coincidence(1.0, np.array([1.0, np.nan])))


def test_power_factor() -> None:
    # the steel plant's year: kWh and lagging kvarh
    assert demand.power_factor(959_640.31, 456_765.85) == pytest.approx(
        0.90294, abs=5e-6
    )
    found = demand.power_factor(
        np.array([3.0, 0.0, -3.0, 0.0, np.nan]), np.array([4.0, 0.0, 4.0, 1.0, 1.0])
    )
    assert_allclose(found, [0.6, np.nan, -0.6, 0.0, np.nan])
