import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import demand

ENERGIES = st.floats(0, 1000)


def minutes(kw: list[float]) -> np.ndarray:
    """Energy of each minute [kWh] from its mean power."""
    return np.array(kw) / 60.0


# domain knowledge of demand metering: 600 kW for 15 minutes from minute 10 on
BLOCK = minutes([0.0] * 10 + [600.0] * 15 + [0.0] * 20)


def test_a_block_over_the_edge_is_cut_by_fixed_windows_only() -> None:
    quarters = demand.fixed(BLOCK.reshape(-1, 15).sum(axis=1))
    assert_allclose(quarters, [200, 400, 0], atol=1e-9)
    kw = demand.sliding(BLOCK)
    assert kw.size == 31
    best = demand.peak(kw)
    assert best == 10
    assert kw[best] == pytest.approx(600)
    first, highest, after = demand.sliding_peaks(
        np.zeros(45, np.int64), np.arange(45), BLOCK
    )
    assert_array_equal(first, [0, 15])
    assert_allclose(highest, [600, 400])
    assert_array_equal(after, [10, 0])


@given(
    arrays(np.float64, 60, elements=st.one_of(ENERGIES, st.just(np.nan))),
    st.integers(0, 30),
)
def test_a_window_is_the_same_bits_whatever_surrounds_it(
    used: np.ndarray, begin: int
) -> None:
    assert_array_equal(demand.sliding(used)[begin:], demand.sliding(used[begin:]))


def test_a_gap_is_unknown_in_every_window_it_touches_and_only_there() -> None:
    used = minutes([60.0] * 60)
    used[20:25] = np.nan
    kw = demand.sliding(used)
    start = np.arange(kw.size)
    touched = (start < 25) & (start + 15 > 20)
    assert_array_equal(np.isnan(kw), touched)
    assert_allclose(kw[~touched], 60)


@pytest.mark.parametrize("known", [0, 1, 14])
def test_too_few_minutes_know_nothing(known: int) -> None:
    assert demand.sliding(np.zeros(known)).shape == (0,)
    first, kw, after = demand.sliding_peaks(
        np.zeros(known, np.int64), np.arange(known), np.zeros(known)
    )
    assert first.size == kw.size == after.size == 0


@given(
    arrays(np.float64, (2, 120), elements=st.one_of(ENERGIES, st.just(np.nan))),
    st.integers(-100, 100),
)
def test_peaks_of_quarters_are_those_of_their_windows(
    used: np.ndarray, shift: int
) -> None:
    key, minute = np.nonzero(~np.isnan(used))
    step = minute + shift
    first, kw, after = demand.sliding_peaks(key, step, used[key, minute])
    found = {
        (int(key[i]), int(step[i])): (float(best), int(late))
        for i, best, late in zip(first, kw, after, strict=True)
    }
    expected = {}
    for each in (0, 1):
        windows = demand.sliding(used[each])
        for at in range(-shift % 15, windows.size - 14, 15):
            of_quarter = windows[at : at + 15]
            if not np.isnan(of_quarter).any():
                best = int(np.argmax(of_quarter))
                expected[each, at + shift] = (float(of_quarter[best]), best)
    assert found == expected


@given(arrays(np.float64, 60, elements=ENERGIES))
def test_sliding_is_never_below_fixed_and_at_most_twice(used: np.ndarray) -> None:
    quarters = demand.sliding(used, steps=15)[::15]
    assert_allclose(quarters, demand.fixed(used.reshape(-1, 15).sum(axis=1)))
    kw = demand.sliding(used)
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
