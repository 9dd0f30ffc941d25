import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import intensity


def test_known_intensities() -> None:
    # the enterprise of test_energy with 26 000, the steel plant with 2 000 ×10⁴ CNY
    assert intensity.ratio(3921.602, 26_000) == pytest.approx(0.15083, abs=5e-6)
    assert intensity.ratio(6344.852, 26_000) == pytest.approx(0.24403, abs=5e-6)
    assert intensity.ratio(117.940, 2000) == pytest.approx(0.05897, abs=5e-6)
    assert intensity.ratio(509.185, 2000) == pytest.approx(0.25459, abs=5e-6)


def test_without_a_positive_denominator_it_is_unknown() -> None:
    found = intensity.ratio(1.0, np.array([2.0, 0.0, -1.0, np.nan]))
    assert_array_equal(found, [0.5, np.nan, np.nan, np.nan])
    assert np.isnan(intensity.ratio(np.nan, 1.0))


def test_group_sums_keep_the_unknown_and_give_zero_to_nobody() -> None:
    amount = np.array([[1.0, 2.0, 4.0], [1.0, np.nan, 4.0]])
    found = intensity.group_sums(amount, np.array([2, 0, 2]), 3)
    assert_array_equal(found, [[2.0, 0.0, 5.0], [np.nan, 0.0, 5.0]])


@given(
    arrays(np.float64, 6, elements=st.floats(0, 1e6)),
    arrays(np.float64, 6, elements=st.floats(0.01, 1e6)),
    arrays(np.int64, 6, elements=st.integers(0, 1)),
)
def test_a_groups_ratio_lies_between_its_members(
    energy: np.ndarray, value: np.ndarray, group: np.ndarray
) -> None:
    sums = intensity.group_sums(np.array([energy, value]), group, 2)
    assert_allclose(sums.sum(axis=1), [energy.sum(), value.sum()])
    whole = intensity.ratio(sums[0], sums[1])
    each = intensity.ratio(energy, value)
    for i in set(group.tolist()):
        members = each[group == i]
        slack = 1e-9 * members.max() + 1e-12
        assert members.min() - slack <= whole[i] <= members.max() + slack


def test_the_mean_of_ratios_is_another_number() -> None:
    energy, value = np.array([100.0, 1.0]), np.array([100.0, 10.0])
    assert intensity.ratio(energy.sum(), value.sum()) == pytest.approx(101 / 110)
    assert intensity.ratio(energy, value).mean() == pytest.approx(0.55)
