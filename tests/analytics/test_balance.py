import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import balance

AMOUNTS = st.floats(0, 1e6)


def test_by_hand() -> None:
    main = np.array([100.0, 100.0, 90.0])
    parts = np.array([[40.0, 40.0, 50.0], [30.0, np.nan, 50.0]])
    assert_array_equal(balance.unaccounted(main, parts), [30.0, np.nan, -10.0])
    # class 1 of 100 kWh alone: 2 · 1/√3
    found = balance.uncertainty(np.array([[100.0]]), np.array([1.0]))
    assert found[0] == pytest.approx(1.1547, abs=1e-4)
    assert np.isnan(balance.uncertainty(np.ones((2, 1)), np.array([1.0, np.nan])))[0]


@given(arrays(np.float64, (3, 5), elements=AMOUNTS), st.floats(0.1, 5))
def test_scaling_and_order_of_meters(amount: np.ndarray, percent: float) -> None:
    classes = np.array([percent, 1.0, 2.0])
    whole = balance.uncertainty(amount, classes)
    assert_allclose(balance.uncertainty(2 * amount, classes), 2 * whole)
    assert_allclose(balance.uncertainty(amount[::-1], classes[::-1]), whole)
    # no meter makes it smaller
    assert (whole + 1e-9 >= balance.uncertainty(amount[:2], classes[:2])).all()
