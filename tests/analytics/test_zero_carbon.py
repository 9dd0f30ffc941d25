"""The core indicator against the park of docs/carbon.md, by hand."""

import math

import pytest

from analytics.zero_carbon import indicator, reach, size_class

# 500 GWh, 350 of it green, 20 M Nm3 gas, 500 000 GJ heat
CO2, TCE = 223_118.8, 194_860.0
POWER_KWH = 150e6
POWER_T = 124_875.0  # at 0.8325


def test_the_park() -> None:
    assert round(indicator(CO2, TCE), 3) == 1.145
    found = reach(CO2, TCE, POWER_T, POWER_KWH, 0.2)
    assert round(found.with_all_green, 3) == 0.504
    assert found.gap_t == pytest.approx(223_118.8 - 38_972)
    assert found.green_kwh == pytest.approx(POWER_KWH)  # all of it, and not enough
    assert found.rest_t == pytest.approx(184_146.8 - 124_875)


def test_what_green_power_alone_reaches() -> None:
    """An aim of 1.0 leaves 194 860 t: 28 258.8 t less, at 0.8325 kg/kWh."""
    found = reach(CO2, TCE, POWER_T, POWER_KWH, 1.0)
    assert found.gap_t == pytest.approx(28_258.8)
    assert found.green_kwh == pytest.approx(28_258.8e3 / 0.8325)
    assert found.rest_t == pytest.approx(0)
    assert reach(CO2, TCE, POWER_T, POWER_KWH, 1.2)[:2] == (0, 0)


def test_power_given_away_leaves_nothing_to_prove() -> None:
    found = reach(100.0, 1000.0, -50.0, -60.0, 0.05)
    assert found[:2] == (50.0, 0.0)
    assert found.with_all_green == pytest.approx(0.1)
    assert found.rest_t == 50.0


def test_sizes() -> None:
    sizes = [199_999.9, 200_000.0, 999_999.9, 1_000_000.0]
    assert [size_class(each) for each in sizes] == [0, 1, 1, 2]


def test_unknown_stays_unknown() -> None:
    assert math.isnan(indicator(math.nan, TCE))
    assert math.isnan(indicator(CO2, 0.0))
    assert all(map(math.isnan, reach(CO2, TCE, math.nan, math.nan, 0.2)[1:]))
    assert all(map(math.isnan, reach(math.nan, TCE, POWER_T, POWER_KWH, 0.2)))
