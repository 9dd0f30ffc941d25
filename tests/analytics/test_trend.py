import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import trend

WHOLE = st.integers(-50, 50).map(float)  # many ties
SERIES = st.lists(WHOLE, min_size=2, max_size=12)
YEARS = st.lists(st.integers(1, 60).map(float), min_size=3, max_size=14)
TEN_YEARS = [100.0, 112, 121, 130, 138, 135, 133, 131, 129, 128]


# --- Mann-Kendall and Sen


@given(SERIES)
def test_a_mirrored_series_has_the_opposite_trend(series: list[float]) -> None:
    here, back = trend.mann_kendall(series), trend.mann_kendall(series[::-1])
    assert here.s == -back.s
    assert here.z == -back.z
    assert_array_equal([here.p, here.variance], [back.p, back.variance])
    assert here.slope == pytest.approx(-back.slope)


@given(SERIES, st.floats(0.1, 10), st.floats(-100, 100))
def test_the_test_sees_only_the_order_and_the_slope_scales(
    series: list[float], scale: float, offset: float
) -> None:
    x = np.asarray(series, np.float64)
    here, moved = trend.mann_kendall(x), trend.mann_kendall(scale * x + offset)
    assert_array_equal([here.s, here.p], [moved.s, moved.p])
    assert moved.slope == pytest.approx(scale * here.slope, abs=1e-9)


@given(SERIES, st.integers(0, 12))
def test_unknown_years_are_left_out_but_take_their_time(
    series: list[float], at: int
) -> None:
    at = min(at, len(series))
    holed = trend.mann_kendall([*series[:at], np.nan, *series[at:]])
    here = trend.mann_kendall(series)
    assert holed.n == len(series)
    assert (holed.s, holed.variance, holed.p) == (here.s, here.variance, here.p)
    if at in (0, len(series)):
        assert holed.slope == pytest.approx(here.slope)


@given(st.lists(SERIES.map(lambda each: (each * 6)[:6]), min_size=1, max_size=4))
def test_many_series_at_once_are_as_each_by_itself(series: list[list[float]]) -> None:
    together = trend.mann_kendall(series)
    states = trend.peak_state(np.abs(np.asarray(series, np.float64)))
    for i, each in enumerate(series):
        size = [abs(value) for value in each]
        for one, all_of in zip(trend.mann_kendall(each), together, strict=True):
            assert_array_equal(one, all_of[i])
        for state, states_of in zip(trend.peak_state(size), states, strict=True):
            assert_array_equal(state, states_of[i])


@pytest.mark.parametrize(
    ("n", "s", "variance", "z", "p"),
    [
        # domain.md 3.5; n = 5 by hand: 5·4·15/18, (-10+1)/√16.667
        (4, -6, 4 * 3 * 13 / 18, -1.6984, 0.0894),
        (5, -10, 16.6667, -2.2045, 0.0275),
        (6, -15, 6 * 5 * 17 / 18, -2.6301, 0.0085),
    ],
)
def test_strictly_falling(n: int, s: int, variance: float, z: float, p: float) -> None:
    found = trend.mann_kendall(np.arange(n, 0, -1))
    assert_array_equal([found.n, found.s, found.slope], [n, s, -1])
    assert found.variance == pytest.approx(variance, abs=5e-5)
    assert found.z == pytest.approx(z, abs=5e-5)
    assert found.p == pytest.approx(p, abs=5e-5)


def test_ties_by_hand() -> None:
    # 2, 2, 3, 1, 3: pairs + + 0 … S = (0+1-1+1) + (1-1+1) + (-1+0) + 1 = 2;
    # two groups of two: (5·4·15 - 2·(2·1·9)) / 18 = 264/18
    found = trend.mann_kendall([2, 2, 3, 1, 3])
    assert found.s == 2
    assert found.variance == pytest.approx(264 / 18)
    assert found.z == pytest.approx(1 / np.sqrt(264 / 18))


def test_the_ten_years() -> None:
    whole = trend.mann_kendall(TEN_YEARS)
    assert whole.z == pytest.approx(0.894, abs=5e-4)
    assert whole.p == pytest.approx(0.371, abs=5e-4)
    falling = trend.mann_kendall(TEN_YEARS[4:])
    assert falling.p < 0.05
    assert falling.slope == -2


def test_without_two_values_nothing_is_known_and_without_trend_p_is_one() -> None:
    for few in ([], [1.0], [np.nan, 3.0, np.nan]):
        found = trend.mann_kendall(few)
        assert found.n == np.sum(~np.isnan(few))
        assert np.isnan(found[1:]).all()
    level = trend.mann_kendall([7, 7, 7])
    assert_array_equal(level, [3, 0, 0, 0, 1, 0])


# --- rolling sums and medians


@given(
    arrays(np.float64, 30, elements=st.one_of(st.floats(0, 1e6), st.just(np.nan))),
    st.integers(0, 18),
)
def test_a_rolling_sum_knows_its_twelve_months_and_no_others(
    month: np.ndarray, at: int
) -> None:
    sums = trend.rolling_sums(month)
    assert np.isnan(sums[:11]).all()
    assert_allclose(sums[at + 11], month[at : at + 12].sum())
    assert_array_equal(trend.rolling_sums(month[at : at + 12])[-1], sums[at + 11])


def test_rolling_sums_of_too_few_months() -> None:
    assert_array_equal(trend.rolling_sums([1.0, 2.0]), [np.nan, np.nan])
    assert_array_equal(trend.rolling_sums([[1.0, 2, 4]], 2), [[np.nan, 3, 6]])


def test_medians_take_out_a_single_spike() -> None:
    assert_array_equal(trend.median_of_three([1, 9, 2, 3, 8]), [1, 2, 3, 3, 8])
    found = trend.median_of_three([1, np.nan, 2, 3, 4])
    assert_array_equal(found, [1, np.nan, np.nan, 3, 4])
    assert_array_equal(trend.median_of_three([2.0]), [2])
    spiky = [100.0, 112, 121, 160, 138, 135, 133, 131, 129, 128]
    assert trend.peak_state(spiky).year == 3
    assert trend.peak_state(trend.median_of_three(spiky)).year == 4


# --- the way over the peak


def told(series: list[float]) -> tuple[str, str]:
    found = trend.peak_state(series)
    return trend.STATE_NAMES[found.state], trend.REASON_NAMES[found.reason]


@pytest.mark.parametrize(
    ("series", "state", "reason"),
    [
        ([90, 95, 100], "rising", "recent_maximum"),
        ([90, 100, 98], "rising", "recent_maximum"),
        ([100, 97, 98, 97], "plateau", "within_band"),
        ([100, 99, 98, 97], "plateau", "within_band"),
        ([100, 95, 95, 95], "plateau", "within_band"),
        ([100, 99, 98], "declining-unconfirmed", "too_few_years_after"),
        ([100, 90, 80, 70, 60], "declining-unconfirmed", "too_few_years_after"),
        ([100, 90, 80, 85, 70, 75], "declining-unconfirmed", "not_significant"),
        ([100, 80, 80, 80], "declining-unconfirmed", "level_below_peak"),
        ([100, 80, 84, 88], "rising", "rising_again"),
        ([100, 96, 97, 98, 99, 99.5], "rising", "rising_again"),
        (TEN_YEARS, "peaked", "significant_decline"),
        ([100, 99.5, 99, 98, 97, 96], "peaked", "significant_decline"),
        ([100, 90, 80, 70, 60, 50], "peaked", "significant_decline"),
        ([100, 90, 80, 70, 60, 101], "rising", "recent_maximum"),
        ([100, 90, 80, 70, 60, 50, 100], "rising", "recent_maximum"),
        ([np.nan, np.nan, 90, 95, 100], "rising", "recent_maximum"),
        ([90, 95], "unknown", "too_few_years"),
        ([], "unknown", "too_few_years"),
        ([np.nan] * 5, "unknown", "too_few_years"),
        ([100, 90, np.nan, 70, 60], "unknown", "gap"),
        ([100, 90, 80, np.nan], "unknown", "gap"),
        ([0, 0, 0], "unknown", "not_positive"),
    ],
)
def test_states_and_reasons(series: list[float], state: str, reason: str) -> None:
    assert told(series) == (state, reason)


@given(YEARS)
def test_a_new_maximum_starts_again(series: list[float]) -> None:
    for newest in (max(series), max(series) + 1):
        found = trend.peak_state([*series, newest])
        assert found.state == trend.RISING
        assert_array_equal(
            [found.year, found.years_after, found.below], [len(series), 0, 0]
        )


@given(YEARS, st.floats(0.01, 1000))
@example([12.0, 11.0, 3.0, 1.0, 4.0, 9.0], 373.0143615317388)
def test_the_unit_does_not_matter(series: list[float], scale: float) -> None:
    here = trend.peak_state(series)
    scaled = trend.peak_state(scale * np.array(series))
    assert_array_equal([here.year, here.years_after], [scaled.year, scaled.years_after])
    # exactly at the edge of the band the last bit may decide
    if trend.PLATEAU not in (here.state, scaled.state):
        assert_array_equal([here.state, here.reason], [scaled.state, scaled.reason])


@given(YEARS)
def test_peaked_means_five_lower_years_that_fall(series: list[float]) -> None:
    found = trend.peak_state(series)
    later = series[int(found.year) + 1 :]
    assert all(value < series[int(found.year)] for value in later)
    assert found.first == (found.year == 0)
    if found.state == trend.PEAKED:
        assert len(later) >= 5
        assert found.p < 0.05
        assert found.slope < 0
    if len(later) < 5:
        assert found.state != trend.PEAKED


def test_the_maximum_itself_is_no_evidence() -> None:
    # with 100 among them five falling values would have p = 0.0275
    found = trend.peak_state([100, 90, 80, 70, 60])
    assert found.p == pytest.approx(0.0894, abs=5e-5)
    assert found.below == pytest.approx(0.4)
    assert found.first
    # nor do four years confirm anything to someone who asks for less
    lax = trend.peak_state([100, 90, 80, 70, 60], significant=0.1)
    assert lax.state == trend.DECLINING_UNCONFIRMED
    found = trend.peak_state(TEN_YEARS)
    assert_array_equal([found.year, found.years_after, found.first], [4, 5, False])
    assert found.below == pytest.approx(10 / 138)


# --- Tapio


@pytest.mark.parametrize(
    ("value", "carbon", "name"),
    [
        # changes of 100 in per cent; every row of the table and its bounds
        (10, 5, "weak decoupling"),
        (10, 0, "weak decoupling"),
        (10, 7.9, "weak decoupling"),
        (10, 8.1, "expansive coupling"),
        (10, 11.9, "expansive coupling"),
        (10, 12.1, "expansive negative decoupling"),
        (10, -1, "strong decoupling"),
        (-10, -13, "recessive decoupling"),
        (-10, -11.9, "recessive coupling"),
        (-10, -8.1, "recessive coupling"),
        (-10, -7.9, "weak negative decoupling"),
        (-10, 0, "weak negative decoupling"),
        (-10, 1, "strong negative decoupling"),
        (0, 5, "unknown"),
    ],
)
def test_decoupling_states(value: float, carbon: float, name: str) -> None:
    found = trend.decoupling(100, 100 + carbon, 100, 100 + value)
    assert trend.COUPLING_NAMES[found.state] == name
    if value:
        assert found.elasticity == pytest.approx(carbon / value)


def test_the_known_elasticity() -> None:
    found = trend.decoupling(250, 243, 200, 240)  # (-7/250) / (40/200)
    assert found.elasticity == pytest.approx(-0.14)
    assert trend.COUPLING_NAMES[found.state] == "strong decoupling"
    found = trend.decoupling(1000, [1008, 1012], 1000, 1010)
    assert_allclose(found.elasticity, [0.8, 1.2])


def test_without_a_positive_start_nothing_is_told() -> None:
    found = trend.decoupling([0, 100, np.nan, 100], 90, [100, 0, 100, -5], 110)
    assert np.isnan(found.elasticity).all()
    assert_array_equal(found.state, [trend.COUPLING_UNKNOWN] * 4)
