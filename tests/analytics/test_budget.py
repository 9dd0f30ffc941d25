import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import budget
from analytics.budget import METHOD_NAMES, Outlook

DAYS = budget.days_of_months(2026)
YEAR = arrays(np.float64, 12, elements=st.floats(0.1, 1000))
HISTORY = arrays(np.float64, (4, 12), elements=st.floats(0.1, 1000))
NONE = np.empty((0, 12))


def look(
    limit: float, month: np.ndarray, months: int, history: np.ndarray = NONE
) -> Outlook:
    return budget.outlook(limit, month, months, DAYS, DAYS, history)


def test_days_of_months() -> None:
    assert_array_equal(DAYS, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    assert budget.days_of_months(2028)[1] == 29
    assert budget.days_of_months(2100)[1] == 28


@given(YEAR, st.floats(0, 1e6))
def test_a_pace_ends_at_the_limit_and_never_falls(
    weights: np.ndarray, limit: float
) -> None:
    line = budget.pace(limit, weights)
    assert line[-1] == pytest.approx(limit)
    assert (np.diff(line) >= 0).all()
    assert_allclose(np.diff(line) * weights.sum(), limit * weights[1:], atol=1e-6)


def test_a_profile_is_a_ratio_of_sums() -> None:
    large, small = np.full(12, 100.0), np.zeros(12)
    small[0] = 120
    found = budget.profile([large, small])
    assert found.sum() == pytest.approx(1)
    assert found[0] == pytest.approx(220 / 1320)
    holed = large.copy()
    holed[3] = np.nan
    assert_allclose(budget.profile([large, small, holed]), found)
    for nothing in (NONE, [holed], [np.zeros(12)]):
        assert np.isnan(budget.profile(nothing)).all()


def test_uniform_by_hand() -> None:
    # 59 days used 118: 2 a day, 730 in the year; 365 is reached after 182.5 days:
    # June ends with day 181, so 1.5 days into July
    found = look(365, np.array([62.0, 56]), 2)
    assert METHOD_NAMES[found.method] == "uniform"
    assert (found.months, found.used, found.left) == (2, 118, 247)
    assert found.ahead == pytest.approx(118 - 59)
    assert found.path[-1] == pytest.approx(730)
    assert found.spent == pytest.approx(6 + 1.5 / 31)
    assert str(budget.day(2026, found.spent)) == "2026-07-02"
    assert np.isnan(found.high).all()
    assert math.isnan(found.spent_early)


def test_history_by_hand() -> None:
    # by the end of March the years had used 1/4 and 1/9 of their whole
    one, two = np.full(12, 10.0), np.full(12, 10.0)
    two[3:] = 240 / 9
    found = look(600, np.full(3, 20.0), 3, np.array([one, two]))
    assert METHOD_NAMES[found.method] == "history"
    assert found.path[-1] == pytest.approx(60 * math.sqrt(4 * 9))
    assert np.isnan(found.low).all()


def test_a_band_by_hand() -> None:
    # factors 2, 4, 8: mean ln 4, s = ln 2, t(0.9, 2) = 1.886, √(4/3)
    years = [
        np.concatenate([np.full(6, 10.0), np.full(6, 10 * (k - 1))]) for k in (2, 4, 8)
    ]
    found = look(1000, np.full(6, 10.0), 6, np.array(years))
    assert METHOD_NAMES[found.method] == "history_band"
    assert found.path[-1] == pytest.approx(240)
    reach = 1.8856 * math.sqrt(4 / 3)
    assert found.high[-1] == pytest.approx(240 * 2**reach, rel=1e-4)
    assert found.low[-1] == pytest.approx(max(60.0, 240 / 2**reach), rel=1e-4)


@given(YEAR, st.integers(1, 12), HISTORY, st.floats(1, 2e4))
def test_the_path_begins_with_what_was_used_and_lies_in_its_band(
    month: np.ndarray, months: int, history: np.ndarray, limit: float
) -> None:
    found = look(limit, month, months, history)
    for each in (found.path, found.low, found.high):
        assert_array_equal(each[:months], np.cumsum(month[:months]))
        assert (np.diff(each) >= -1e-9 * each[-1]).all()
    slack = 1e-9 * found.high
    assert (found.low <= found.path + slack).all()
    assert (found.path <= found.high + slack).all()
    assert found.left == pytest.approx(limit - found.used)
    ends = (found.spent_early, found.spent, found.spent_late)
    reached = [each for each in ends if not math.isnan(each)]
    assert reached == pytest.approx(sorted(reached))
    assert math.isnan(found.spent) == (found.path[-1] < limit)


@given(YEAR, st.integers(1, 11), HISTORY, st.floats(0.01, 100))
def test_the_unit_does_not_matter(
    month: np.ndarray, months: int, history: np.ndarray, unit: float
) -> None:
    here = look(5000, month, months, history)
    there = look(5000 * unit, unit * month, months, unit * history)
    for one, other in ((here.path, there.path), (here.high, there.high)):
        assert_allclose(unit * one, other, rtol=1e-9)
    assert here.spent == pytest.approx(there.spent, nan_ok=True)


@given(HISTORY, st.integers(1, 11), st.floats(0.2, 5))
def test_a_year_like_all_others_ends_like_them(
    history: np.ndarray, months: int, growth: float
) -> None:
    same = np.tile(history[0], (4, 1))
    found = look(1.0, growth * history[0], months, same)
    end = growth * history[0].sum()
    assert_allclose([found.path[-1], found.low[-1], found.high[-1]], end)


def test_eight_of_ten_years_end_in_the_band() -> None:
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(2000):
        years = np.exp(random.normal(0, 0.2, (5, 2))).repeat(6, axis=1)
        found = look(1.0, years[0], 6, years[1:])
        inside += found.low[-1] <= years[0].sum() <= found.high[-1]
    assert inside / 2000 == pytest.approx(0.8, abs=0.03)


def test_the_unknown_is_not_zero() -> None:
    history = np.full((3, 12), 10.0)
    found = look(100, np.array([10, np.nan, 10.0]), 3, history)
    assert METHOD_NAMES[found.method] == "unknown_month"
    assert math.isnan(found.used)
    assert math.isnan(found.spent)
    assert_array_equal(np.isnan(found.path), [False] + [True] * 11)
    assert METHOD_NAMES[look(100, np.zeros(12), 3, history).method] == "nothing_used"
    found = look(100, np.full(12, np.nan), 0, history)
    assert METHOD_NAMES[found.method] == "not_begun"
    assert_array_equal([found.used, found.left, found.ahead], [0, 100, 0])
    assert np.isnan(found.path).all()
    # without a limit there still is a forecast
    found = look(math.nan, np.full(12, 10.0), 3, history)
    assert found.path[-1] == pytest.approx(120)
    assert math.isnan(found.left)
    assert math.isnan(found.spent)


def test_years_that_tell_nothing_are_left_out() -> None:
    good = np.full(12, 10.0)
    holed, negative, late = good.copy(), good.copy(), good.copy()
    holed[11], negative[11], late[:4] = np.nan, -1, 0
    month = np.full(12, 10.0)
    found = look(100, month, 3, np.array([good, holed, negative, late]))
    assert METHOD_NAMES[found.method] == "history"
    assert found.path[-1] == pytest.approx(120)
    found = look(100, month, 3, np.array([holed, negative, late]))
    assert METHOD_NAMES[found.method] == "uniform"


@pytest.mark.parametrize(("limit", "months"), [(-1, 3), (1, -1), (1, 13)])
def test_what_makes_no_sense_is_refused(limit: float, months: int) -> None:
    with pytest.raises(ValueError, match="no outlook"):
        look(limit, np.ones(12), months)


def test_when_it_is_spent() -> None:
    path = np.arange(10.0, 130, 10)
    assert budget.spent(75, path) == pytest.approx(7.5)
    assert budget.spent(120, path) == 12
    assert budget.spent(0, path) == 0
    assert math.isnan(budget.spent(121, path))
    assert str(budget.day(2026, 0.0)) == "2026-01-01"
    assert str(budget.day(2026, 12.0)) == "2026-12-31"
    assert str(budget.day(2028, 1.999)) == "2028-02-29"
    assert budget.day(2026, math.nan) is None
