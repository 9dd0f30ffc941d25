import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics import energy
from store.quantities import UNITS

# An enterprise's year, worked by hand: electricity 13.5 GWh (own PV included), natural gas
# 800 000 m3, diesel 120 t, heat 30 000 GJ.
AMOUNT = np.array([13_500_000.0, 800_000.0, 120.0, 30_000.0])
CALORIFIC = np.array([0.1229, 1.33, 1457.1, 34.12])
EQUAL_VALUE = np.array([0.3024, np.nan, np.nan, np.nan])
SECONDARY = np.array([True, False, False, False])


def test_both_bases_of_an_enterprise() -> None:
    parts = energy.tce(AMOUNT, CALORIFIC)
    assert_allclose(parts, [1659.15, 1064, 174.852, 1023.6])
    assert energy.total_calorific(AMOUNT, CALORIFIC) == pytest.approx(3921.602)
    assert energy.total_equal_value(
        AMOUNT, CALORIFIC, EQUAL_VALUE, SECONDARY
    ) == pytest.approx(6344.852)


def test_the_steel_plant() -> None:
    assert energy.tce(959_640.31, 0.1229) == pytest.approx(117.940, abs=5e-4)


def test_a_park_of_the_zero_carbon_method() -> None:
    # 500 GWh, 20 million m3 of gas, 500 000 GJ of heat: 151 200 + 26 600 + 17 060
    found = energy.total_equal_value(
        np.array([500e6, 20e6, 500e3]),
        np.array([0.1229, 1.33, 34.12]),
        np.array([0.3024, np.nan, np.nan]),
        np.array([True, False, False]),
    )
    assert found == pytest.approx(194_860)


def test_unknown_is_not_zero() -> None:
    amount = np.array([[1.0, 2.0], [np.nan, 2.0]])
    assert_allclose(
        energy.total_calorific(amount, np.array([1000.0, 1000.0])), [3.0, np.nan]
    )
    # electricity without an equal value is unknown, it never falls back
    unknown = np.array([np.nan])
    assert np.isnan(
        energy.total_equal_value(
            np.array([1.0]), np.array([0.1229]), unknown, np.array([True])
        )
    )


def test_unit_scale() -> None:
    scale = energy.UNIT_SCALE
    assert 0.03412 * scale["kgce/MJ", "gj"] == pytest.approx(34.12)
    assert 1.4571 * scale["kgce/kg", "t"] == pytest.approx(1457.1)
    assert scale["kgce/kWh", "kwh"] == scale["kgce/m3", "m3"] == 1
    assert {unit for _, unit in scale} <= set(UNITS)


@given(st.floats(0, 1e9), st.floats(0, 1e4), st.floats(0, 1e4))
def test_tce_is_linear(amount: float, low: float, high: float) -> None:
    together = energy.tce(amount, low) + energy.tce(amount, high)
    assert_allclose(energy.tce(amount, low + high), together, rtol=1e-9, atol=1e-9)
