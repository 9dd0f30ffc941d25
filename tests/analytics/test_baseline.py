import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import baseline

ENERGY = arrays(np.float64, 14, elements=st.integers(1, 5000).map(float))
PRODUCTION = arrays(
    np.float64, 14, elements=st.integers(0, 900).map(float), unique=True
)
DEGREE_DAYS = arrays(
    np.float64, 14, elements=st.integers(0, 600).map(float), unique=True
)


def table(*columns: np.ndarray) -> np.ndarray:
    return np.column_stack(columns)


# --- degree days


def test_degree_days_by_hand() -> None:
    mean = [-2.0, 18, 20, 26, 30.5, np.nan]
    assert_array_equal(baseline.heating_degree_days(mean), [20, 0, 0, 0, 0, np.nan])
    assert_array_equal(baseline.cooling_degree_days(mean), [0, 0, 0, 0, 4.5, np.nan])


@given(st.floats(-40, 50), st.floats(0, 30))
def test_at_one_base_heating_less_cooling_is_the_difference(t: float, b: float) -> None:
    heating = baseline.heating_degree_days(t, b)
    cooling = baseline.cooling_degree_days(t, b)
    assert heating - cooling == b - t
    assert min(heating, cooling) == 0


# --- the line


@given(
    PRODUCTION,
    DEGREE_DAYS,
    st.floats(0, 1e4),
    st.floats(0.1, 50),
    st.floats(0.1, 50),
)
def test_an_exact_line_is_found_again(
    production: np.ndarray, days: np.ndarray, base: float, a: float, b: float
) -> None:
    x = table(production, days)
    if np.linalg.matrix_rank(x - x.mean(axis=0)) < 2:
        return
    found = baseline.fit(base + a * production + b * days, x)
    assert_allclose(found.coefficient, [base, a, b], rtol=1e-6, atol=1e-6 * (base + 1))
    assert found.r2 == pytest.approx(1)
    assert found.warnings == ()


@given(ENERGY, PRODUCTION, DEGREE_DAYS)
def test_what_is_left_knows_nothing_of_the_variables(
    energy: np.ndarray, production: np.ndarray, days: np.ndarray
) -> None:
    found = baseline.fit(energy, table(production, days))
    if baseline.NO_FIT in found.warnings:
        return
    left = baseline.savings(found, energy, table(production, days)).saved
    size = np.abs(energy).sum() * 1000 * 14
    for column in (np.ones(14), production, days):
        assert abs(left @ column) < 1e-9 * size
    assert abs(found.nmbe) < 1e-9


@given(ENERGY, PRODUCTION, st.floats(0.001, 1000), st.permutations(range(14)))
def test_units_and_order_do_not_change_the_statistics(
    energy: np.ndarray, production: np.ndarray, unit: float, order: list[int]
) -> None:
    here = baseline.fit(energy, production[:, None])
    there = baseline.fit(unit * energy[order], 1000 * production[order, None])
    if not here.r2 > 1 - 1e-9:  # else t is rounding alone
        for one, other in ((here.t, there.t), (here.p, there.p)):
            assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    assert here.cv_rmse == pytest.approx(there.cv_rmse, rel=1e-6, abs=1e-9)
    assert here.n == there.n


def test_statistics_by_hand() -> None:
    # x 1…5, y 2 4 5 4 5: slope 6/10, base 4 - 0.6·3 = 2.2, Σe² = 2.4, Σ(y-ȳ)² = 6
    found = baseline.fit([2, 4, 5, 4, 5], [[1], [2], [3], [4], [5]])
    assert_allclose(found.coefficient, [2.2, 0.6])
    sigma = np.sqrt(2.4 / 3)
    assert found.sigma == pytest.approx(sigma)
    assert found.r2 == pytest.approx(0.6)
    assert found.cv_rmse == pytest.approx(sigma / 4)
    assert found.nmbe == pytest.approx(0, abs=1e-12)
    errors = [sigma * np.sqrt(1 / 5 + 9 / 10), sigma / np.sqrt(10)]
    assert_allclose(found.standard_error, errors)
    assert_allclose(found.t, np.array([2.2, 0.6]) / errors)
    # t = 2.1213 with 3 degrees: between 0.90 (2.353) and 0.80 (1.638) of the table
    assert found.p[1] == pytest.approx(0.1240, abs=5e-5)
    assert found.warnings == ("too_few_periods", "low_r2")
    assert_array_equal([found.low, found.high], [[1], [5]])


def test_warnings_by_the_number_of_periods() -> None:
    x = np.arange(12.0)[:, None]
    for n, warnings in ((12, ()), (11, ("few_periods",)), (9, ("too_few_periods",))):
        assert baseline.fit(2 * x[:n, 0] + 1, x[:n]).warnings == warnings


def test_unknown_periods_are_left_out() -> None:
    y, x = np.array([2.0, 4, 5, 4, 5]), np.arange(1.0, 6)
    found = baseline.fit([*y, np.nan, 7], np.array([*x, 6, np.nan])[:, None])
    for one, other in zip(found, baseline.fit(y, x[:, None]), strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize(
    "x",
    [
        np.full((14, 1), 7.0),
        table(np.arange(14.0), 3 * np.arange(14.0) + 5),
        np.full((14, 1), np.nan),
    ],
)
def test_variables_that_tell_nothing_give_no_line(x: np.ndarray) -> None:
    found = baseline.fit(np.arange(14.0), x)
    assert found.warnings[0] == "no_fit"
    assert np.isnan(found.coefficient).all()
    assert np.isnan([found.r2, found.cv_rmse, found.nmbe, found.sigma]).all()
    assert np.isnan(baseline.savings(found, np.ones(14), x).saved).all()


def test_two_points_are_no_baseline() -> None:
    assert baseline.fit([1, 2], [[1], [2]]).warnings == ("no_fit", "too_few_periods")


def test_without_variables_it_is_the_mean() -> None:
    found = baseline.fit(np.arange(12.0), np.empty((12, 0)))
    assert_allclose(found.coefficient, [5.5])
    assert found.r2 == pytest.approx(0)
    assert found.warnings == ("low_r2",)


# --- savings and CUSUM


def test_savings_and_the_range() -> None:
    line = baseline.fit(100 + 2 * np.arange(12.0), np.arange(12.0)[:, None])
    found = baseline.savings(
        line, [110, 130, 90, np.nan], np.array([[5], [11.5], [np.nan], [1]])
    )
    assert_allclose(found.expected, [110, 123, np.nan, 102])
    assert_allclose(found.saved, [0, -7, np.nan, np.nan], atol=1e-9)
    assert_array_equal(found.outside, [False, True, False, False])
    assert found.warnings == ("outside_range",)


def test_cusum_by_hand() -> None:
    # k σ = 1, h σ = 4 with σ = 2
    found = baseline.cusum([3, 3, -1, 4, -9], 2.0, slack=0.5, limit=2.0)
    assert_array_equal(found.total, [3, 6, 5, 9, 0])
    assert_array_equal(found.upper, [2, 4, 2, 5, 0])
    assert_array_equal(found.lower, [0, 0, 0, 0, -8])
    assert found.limit == 4
    assert_array_equal(found.saves, [False, False, False, True, False])
    assert_array_equal(found.loses, [False] * 4 + [True])


@given(arrays(np.float64, 20, elements=st.integers(-100, 100).map(float)))
def test_losses_mirror_savings(saved: np.ndarray) -> None:
    here, there = baseline.cusum(saved, 10), baseline.cusum(-saved, 10)
    assert_array_equal(here.upper, -there.lower)
    assert_array_equal(here.total, -there.total)
    assert_array_equal(here.saves, there.loses)
    assert here.total[-1] == saved.sum()


def test_cusum_after_a_gap_is_unknown() -> None:
    found = baseline.cusum([50.0, np.nan, 50], 2)
    for each in (found.total, found.upper, found.lower):
        assert_array_equal(np.isnan(each), [False, True, True])
    assert_array_equal(found.saves, [True, False, False])
    assert not found.loses.any()


def test_cusum_finds_one_sigma_in_about_ten_periods() -> None:
    # average run length 10.4 for a shift of one σ, Montgomery, table 9.3
    random = np.random.default_rng(7)
    runs = []
    for _ in range(400):
        found = baseline.cusum(random.normal(1, 1, 200), 1)
        runs.append(1 + int(np.argmax(found.saves)))
    assert np.mean(runs) == pytest.approx(10.4, abs=1.0)
