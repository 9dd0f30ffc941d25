from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import benchmarking
from analytics.benchmarking import BENCHMARKED, EXTRAPOLATED, UNKNOWN, Benchmarks

Method = Callable[[np.ndarray, Benchmarks], benchmarking.Monthly]
METHODS = pytest.mark.parametrize(
    "method", [benchmarking.pro_rata, benchmarking.denton]
)
INDICATOR = arrays(np.float64, 24, elements=st.floats(1, 1000))
TOTALS = arrays(np.float64, 6, elements=st.floats(-1e4, 1e5))


def known(*spans: tuple[int, int, float]) -> Benchmarks:
    first, stop, total = zip(*spans, strict=True) if spans else ((), (), ())
    return Benchmarks(
        np.array(first, np.int64), np.array(stop, np.int64), np.array(total, float)
    )


P = np.array([380.0, 400, 420, 430, 425, 445])
Q = known((0, 3, 300), (3, 6, 330))


def test_the_known_vectors() -> None:
    found = benchmarking.pro_rata(P, Q)
    wanted = [95, 100, 105, 109.1538, 107.8846, 112.9615]
    assert_allclose(found.value, wanted, atol=5e-5)
    found = benchmarking.denton(P, Q)
    wanted = [94.6893, 99.9063, 105.4045, 108.7063, 107.9662, 113.3276]
    assert_allclose(found.value, wanted, atol=5e-5)
    assert_array_equal(found.state, [BENCHMARKED] * 6)


@METHODS
@given(p=INDICATOR, totals=TOTALS)
def test_months_add_up_to_every_quarter_and_year(
    method: Method, p: np.ndarray, totals: np.ndarray
) -> None:
    # three quarters and their year, one quarter of the next, and that year
    spans = [(0, 3), (3, 6), (9, 12), (0, 12), (15, 18), (12, 24)]
    given_ = known(*((*s, t) for s, t in zip(spans, totals, strict=True)))
    found = method(p, given_)
    for (first, stop), total in zip(spans, totals, strict=True):
        assert_allclose(found.value[first:stop].sum(), total, rtol=1e-7, atol=1e-4)
    assert_array_equal(found.state, [BENCHMARKED] * 24)


@METHODS
@given(p=INDICATOR, totals=TOTALS, seed=st.randoms())
def test_the_order_of_the_benchmarks_changes_no_bit(
    method: Method, p: np.ndarray, totals: np.ndarray, seed: object
) -> None:
    spans = [(0, 3), (3, 6), (9, 12), (0, 12), (15, 18), (12, 24)]
    rows = [(*s, t) for s, t in zip(spans, totals.tolist(), strict=True)]
    here = method(p, known(*rows))
    seed.shuffle(rows)  # type: ignore[attr-defined]
    for one, other in zip(here, method(p, known(*rows)), strict=True):
        assert_array_equal(one, other)


@METHODS
@given(p=INDICATOR, rate=st.floats(0.01, 2))
def test_a_constant_ratio_is_found_again_everywhere(
    method: Method, p: np.ndarray, rate: float
) -> None:
    spans = [(3, 6), (9, 12), (3, 15)]
    given_ = known(*((a, b, rate * p[a:b].sum()) for a, b in spans))
    found = method(p, given_)
    assert_allclose(found.value, rate * p, rtol=1e-8)
    assert_array_equal(found.state[:3], [EXTRAPOLATED] * 3)
    assert_array_equal(found.state[3:15], [BENCHMARKED] * 12)
    assert_array_equal(found.state[15:], [EXTRAPOLATED] * 9)


@given(
    p=INDICATOR, totals=TOTALS, kick=arrays(np.float64, 24, elements=st.floats(-1, 1))
)
def test_no_other_months_have_smaller_steps(
    p: np.ndarray, totals: np.ndarray, kick: np.ndarray
) -> None:
    spans = [(3 * i, 3 * i + 3) for i in range(6)]
    given_ = known(*((*s, t) for s, t in zip(spans, totals, strict=True)))
    found = benchmarking.denton(p, given_).ratio
    for first, stop in spans:  # a change that keeps each quarter
        part = slice(first, stop)
        kick[part] -= p[part] * (kick[part] @ p[part]) / (p[part] @ p[part])
    least = (np.diff(found) ** 2).sum()
    assert (np.diff(found + kick) ** 2).sum() >= least * (1 - 1e-9) - 1e-9


def test_months_after_the_last_benchmark_keep_its_ratio() -> None:
    p = np.append(P, [440.0, 450.0])
    found = benchmarking.pro_rata(p, Q)
    assert_allclose(found.value[6:], np.array([440, 450]) * 330 / 1300)
    assert_array_equal(found.state, [BENCHMARKED] * 6 + [EXTRAPOLATED] * 2)
    found = benchmarking.denton(p, Q)
    assert_allclose(found.value[:6], benchmarking.denton(P, Q).value)
    assert_allclose(found.value[6:], np.array([440, 450]) * 113.3276 / 445, atol=1e-4)
    assert_array_equal(found.state, [BENCHMARKED] * 6 + [EXTRAPOLATED] * 2)


def test_a_year_beside_some_quarters_is_spread_over_the_rest() -> None:
    p = np.ones(12)
    found = benchmarking.pro_rata(p, known((0, 12, 100), (0, 3, 30), (3, 6, 40)))
    assert_allclose(found.value, [10] * 3 + [40 / 3] * 3 + [5] * 6)


@METHODS
def test_a_month_that_stood_still_has_no_value(method: Method) -> None:
    p = np.array([380.0, 0, 420, 430, 425, 445])
    found = method(p, Q)
    assert found.value[1] == 0
    assert found.value[:3].sum() == pytest.approx(300)


@METHODS
def test_unknown_months_make_their_benchmark_unknown_and_no_other(
    method: Method,
) -> None:
    p = np.array([380.0, 400, 420, 430, np.nan, 445, 100])
    found = method(p, Q)
    assert_allclose(found.value[:3], [95, 100, 105])
    assert np.isnan(found.value[3:6]).all()
    assert found.value[6] == pytest.approx(25)
    assert_array_equal(found.state, [BENCHMARKED] * 3 + [UNKNOWN] * 3 + [EXTRAPOLATED])
    still = method(np.array([380.0, 400, 420, 0, 0, 0]), Q)
    assert_array_equal(still.state[3:], [UNKNOWN] * 3)


@METHODS
def test_without_benchmarks_nothing_is_known(method: Method) -> None:
    for nothing in (known(), known((0, 3, np.nan))):
        found = method(P, nothing)
        assert np.isnan(found.value).all()
        assert_array_equal(found.state, [UNKNOWN] * 6)


@METHODS
def test_what_does_not_fit_is_refused(method: Method) -> None:
    with pytest.raises(ValueError, match="-1 of month 1 is negative"):
        method(np.array([1.0, -1, 1]), known((0, 3, 5)))
    with pytest.raises(ValueError, match="does not lie in the 6 months"):
        method(P, known((3, 9, 5)))
    with pytest.raises(ValueError, match="overlaps that of 0 to 2"):
        method(P, known((0, 3, 5), (2, 6, 5)))
    with pytest.raises(ValueError, match="differs from its parts, 630"):
        method(P, known((0, 3, 300), (3, 6, 330), (0, 6, 640)))
    agreed = method(P, known((0, 3, 300), (3, 6, 330), (0, 6, 630)))
    assert_array_equal(agreed.value, method(P, Q).value)


# --- comparable prices


def test_annual_and_monthly_chains() -> None:
    found = benchmarking.chained(1000, [105, 110, np.nan, 102])
    assert_allclose(found, [1000, 1050, 1155, np.nan, np.nan])
    # the same month of the year before = 100
    base = np.arange(1.0, 13.0)
    found = benchmarking.chained(base, np.array([110.0] * 12 + [0.0, 120]))
    assert_allclose(found[12:24], 1.1 * base)
    assert_allclose(found[24:], [np.nan, 1.32 * 2])


@given(arrays(np.float64, (3, 5), elements=st.floats(50, 200)))
def test_a_chain_is_the_product_of_its_links(index: np.ndarray) -> None:
    found = benchmarking.chained(np.array([[10.0], [20.0], [0.0]]), index)
    whole = (index / 100).prod(axis=1)
    assert_allclose(found[:, -1], [10 * whole[0], 20 * whole[1], 0])


def test_deflation() -> None:
    assert benchmarking.deflated(1100, 110) == pytest.approx(1000)
    assert np.isnan(benchmarking.deflated(1100, 0))
