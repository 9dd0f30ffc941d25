import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from analytics import whatif

AMOUNT = st.floats(0, 1e9)
SHARE = st.floats(0, 1)
FACTOR = st.floats(0, 1)


def named(effect: whatif.Effect) -> dict[str, tuple[float, str]]:
    return {each.name: (each.value, each.unit) for each in effect.assumptions}


def test_more_pv_by_hand() -> None:
    found = whatif.more_pv(1000, 1100, 0.8, 10_000_000, 0.5827)
    assert found.grid_kwh == pytest.approx(-880_000)
    assert found.co2_t == pytest.approx(-512.776)
    assert named(found)["full_load_hours"] == (1100, "h")
    assert named(found)["grid_factor"] == (0.5827, "kgCO2/kWh")
    assert named(found)["not_usable"] == (0, "kWh")
    # no more than was taken from the grid
    found = whatif.more_pv(1000, 1100, 0.8, 500_000, 0.5827)
    assert found.grid_kwh == -500_000
    assert named(found)["not_usable"][0] == pytest.approx(380_000)


def test_green_power_by_hand() -> None:
    # the worked park: 150 GWh without proof at 0.8325 weigh 124 875 t
    found = whatif.green_power(1, 150e6, 0.8325)
    assert found.co2_t == pytest.approx(-124_875)
    assert found.grid_kwh == 0
    left, _ = whatif.line([223_118.8], [found], 0)
    # with all green power still 0.504 tCO2/tce
    assert left[0] / 194_860 == pytest.approx(0.504, abs=5e-4)


def test_electrification_by_hand() -> None:
    # 100 ×10⁴ Nm³ of gas, 389.31 GJ each, η 0.9, a heat pump of 3: 3 244 250 kWh
    found = whatif.electrified(0.5, 200, 21.6219, 389.31, 0.9, 3.0, 0.5827)
    assert found.fuel_units == -100
    assert found.grid_kwh == pytest.approx(100 * 389.31 * 0.9 / 3 / 0.0036)
    assert found.grid_kwh == pytest.approx(3_244_250)
    assert found.co2_t == pytest.approx(3_244.25 * 0.5827 - 2162.19)
    # by resistance on the same grid it is worse than the gas
    assert whatif.electrified(0.5, 200, 21.6219, 389.31, 0.9, 1.0, 0.5827).co2_t > 0
    assert named(found)["electric_efficiency"] == (3, "share")


@given(AMOUNT, AMOUNT, SHARE, AMOUNT, FACTOR)
def test_a_measure_never_saves_more_power_than_there_was(
    kwp: float, hours: float, self_use: float, grid: float, factor: float
) -> None:
    sun = whatif.more_pv(kwp, hours, self_use, grid, factor)
    assert 0 <= -sun.grid_kwh <= grid
    left = grid + sun.grid_kwh
    green = whatif.green_power(1, left, factor)
    assert -(sun.co2_t + green.co2_t) <= grid * factor / 1000 * (1 + 1e-9)
    assert -green.co2_t == pytest.approx(left * factor / 1000)


@given(SHARE, AMOUNT, st.floats(0.1, 1), st.floats(0.5, 5))
def test_useful_heat_stays(
    share: float, fuel: float, burnt: float, pump: float
) -> None:
    found = whatif.electrified(share, fuel, 21.6, 389.31, burnt, pump, 0.5)
    lost = -found.fuel_units * 389.31 * burnt
    assert found.grid_kwh * 0.0036 * pump == pytest.approx(lost)
    # more of it is proportionally more
    whole = whatif.electrified(1, fuel, 21.6, 389.31, burnt, pump, 0.5)
    assert found.co2_t == pytest.approx(share * whole.co2_t, rel=1e-5, abs=1e-6)


def test_a_line_begins_ramps_and_names_everything() -> None:
    effects = [whatif.green_power(1, 1e6, 0.5), whatif.green_power(0.5, 1e6, 0.2)]
    found, assumptions = whatif.line([1000, 1000, 1000, 1000, np.nan], effects, 1, 2)
    assert_allclose(found[:4], [1000, 700, 400, 400])
    assert math.isnan(found[4])
    names = [each.name for each in assumptions]
    assert names.count("green_share") == 2
    assert names[-2:] == ["first_year", "ramp"]
    same, _ = whatif.line([1000, 900], [], 0)
    assert_array_equal(same, [1000, 900])


def test_an_unknown_assumption_makes_the_later_years_unknown() -> None:
    effect = whatif.more_pv(1000, 1100, 0.8, math.nan, 0.5)
    assert math.isnan(effect.co2_t)
    found, _ = whatif.line([1000, 1000], [effect], 1)
    assert_array_equal(found, [1000, np.nan])


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="kwp -1 is negative"):
        whatif.more_pv(-1, 1100, 0.8, 1, 0.5)
    with pytest.raises(ValueError, match=r"self_use 1\.5 is not a share"):
        whatif.more_pv(1, 1100, 1.5, 1, 0.5)
    with pytest.raises(ValueError, match=r"green_share -0\.1 is not a share"):
        whatif.green_power(-0.1, 1, 0.5)
    with pytest.raises(ValueError, match="efficiency"):
        whatif.electrified(1, 1, 1, 1, 0, 1, 1)
    for first, ramp in ((0, 0), (-1, 1)):
        with pytest.raises(ValueError, match="no line"):
            whatif.line([1.0], [], first, ramp)
