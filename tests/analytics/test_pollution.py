import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import pollution

FLOW = arrays(np.float64, 120 * 6, elements=st.floats(0.1, 100))
COD = arrays(np.float64, 120 * 6, elements=st.floats(0.1, 500))


# --- sewage


@given(FLOW, COD)
def test_hours_are_the_sum_of_all_samples(flow: np.ndarray, cod: np.ndarray) -> None:
    ten = pollution.ten_minutes(flow, cod, 5)
    hour = pollution.hours(ten)
    assert_allclose(hour.volume_m3, [(flow * 5e-3).sum()])
    assert_allclose(hour.load_kg, [(flow * cod * 5e-6).sum()])
    assert_allclose(hour.flow_l_per_s, [flow.mean()])
    assert_array_equal(ten.known, [120] * 6)
    assert_array_equal(hour.known, [6])
    # weighted by flow: between the extremes, and not the mean of the means
    assert cod.min() * (1 - 1e-9) <= hour.concentration_mg_per_l[0]
    assert hour.concentration_mg_per_l[0] <= cod.max() * (1 + 1e-9)
    assert_allclose(
        hour.concentration_mg_per_l, [(flow * cod).sum() / flow.sum()], rtol=1e-9
    )


def test_sewage_by_hand() -> None:
    # 20 L/s of 50 mg/L for ten minutes: 12 m³ and 0.6 kg
    ten = pollution.ten_minutes(np.full(120, 20.0), np.full(120, 50.0), 5)
    assert_allclose(ten.volume_m3, [12])
    assert_allclose(ten.load_kg, [0.6])
    assert_allclose(ten.concentration_mg_per_l, [50])
    assert_allclose(ten.flow_l_per_s, [20])


def test_the_mean_is_weighted_by_flow() -> None:
    flow = np.repeat([30.0, 10.0], 60)
    cod = np.repeat([100.0, 20.0], 60)
    ten = pollution.ten_minutes(flow, cod, 5)
    assert_allclose(ten.concentration_mg_per_l, [80])  # (30·100 + 10·20) / 40


def test_fewer_than_120_samples_are_no_value() -> None:
    flow, cod = np.full((2, 300), 20.0), np.full((2, 300), 50.0)
    flow[0, :180] = np.nan  # 120 of 300 left
    cod[1, :181] = np.nan  # 119
    ten = pollution.ten_minutes(flow, cod, 2)
    assert_array_equal(ten.known, [[120], [119]])
    assert_allclose(ten.volume_m3[:, 0], [12, np.nan])
    assert_allclose(ten.load_kg[:, 0], [0.6, np.nan])
    assert_array_equal(np.isnan(ten.concentration_mg_per_l), [[False], [True]])


def test_hours_and_days_of_what_is_known() -> None:
    flow = np.full(144, 1.0)
    ten = pollution.Load(flow, flow * 2, flow * 2000, flow, flow.astype(np.int64))
    ten.volume_m3[:5] = np.nan  # one of six left
    ten.volume_m3[6:12] = np.nan  # none
    ten.load_kg[np.isnan(ten.volume_m3)] = np.nan
    hour = pollution.hours(ten)
    assert_array_equal(hour.known[:3], [1, 0, 6])
    assert_array_equal(hour.load_kg[:3], [2, np.nan, 12])
    strict = pollution.hours(ten, fewest=5)
    assert_array_equal(strict.load_kg[:3], [np.nan, np.nan, 12])
    day = pollution.days(hour)
    assert_array_equal(day.known, [23])
    assert_array_equal(day.volume_m3, [22 * 6 + 1])
    assert_allclose(day.concentration_mg_per_l, [2000])
    hour.volume_m3[:5] = np.nan
    assert np.isnan(pollution.days(hour).load_kg).all()  # 19 hours


def test_no_flow_has_a_load_of_zero_and_no_concentration() -> None:
    ten = pollution.ten_minutes(np.zeros(120), np.full(120, 50.0), 5)
    assert_array_equal([ten.volume_m3, ten.load_kg], [[0], [0]])
    assert np.isnan(ten.concentration_mg_per_l).all()


@pytest.mark.parametrize(
    ("samples", "each"), [(120, 6.0), (120, 0.0), (120, 3.5), (100, 5)]
)
def test_samples_that_make_no_periods_are_refused(samples: int, each: float) -> None:
    with pytest.raises(ValueError, match="samples"):
        pollution.ten_minutes(np.ones(samples), np.ones(samples), each)
    with pytest.raises(ValueError, match="whole periods of 60"):
        pollution.flue_gas(np.ones(90), np.ones(90), 60, 45)
    ten = pollution.ten_minutes(np.ones(120), np.ones(120), 5)
    with pytest.raises(ValueError, match="whole periods of 6"):
        pollution.hours(ten)


# --- flue gas


def test_a_valid_hour_has_45_minutes() -> None:
    volume, so2 = np.full(120, 1000.0), np.full(120, 35.0)
    so2[:15] = np.nan
    so2[60:76] = np.nan
    found = pollution.flue_gas(volume, so2, 60, pollution.FEWEST_MINUTES)
    assert_array_equal(found.known, [45, 44])
    assert_allclose(found.load_kg, np.array([1.575, np.nan]))
    assert_allclose(found.concentration_mg_per_m3, [35, np.nan])


def test_standard_state_by_hand() -> None:
    # 546 K and half the pressure: a quarter as dense
    found = pollution.standard_concentration(10, -40_662.5, 91_325, 273)
    assert found == pytest.approx(40)
    assert pollution.standard_flow(8, -40_662.5, 91_325, 273, 0.1) == pytest.approx(1.8)
    assert pollution.standard_concentration(10, 0, 101_325, 0) == 10
    assert pollution.dry(90, 0.1) == pytest.approx(100)
    for pressure, celsius in ((-101_325, 20), (0, -273), (np.nan, 20)):
        found = pollution.standard_concentration(10, pressure, 101_325, celsius)
        assert np.isnan(found)
    for moisture in (1, -0.1, 1.5, np.nan):
        assert np.isnan(pollution.dry(90, moisture))


@given(
    st.floats(0.1, 1000),
    st.floats(0.1, 1000),
    st.floats(-5000, 5000),
    st.floats(60_000, 105_000),
    st.floats(0, 400),
    st.floats(0, 0.5),
)
def test_the_load_is_the_same_in_every_state(
    flow: float, wet: float, static: float, ambient: float, t: float, moisture: float
) -> None:
    standard = pollution.standard_flow(flow, static, ambient, t, moisture)
    concentration = pollution.dry(
        pollution.standard_concentration(wet, static, ambient, t), moisture
    )
    assert standard * concentration == pytest.approx(flow * wet)


def test_gases_by_hand() -> None:
    assert pollution.mg_per_m3(100, 64) == pytest.approx(285.714, abs=5e-4)
    assert pollution.mg_per_m3(22.4, pollution.MOLAR_G["no2"]) == pytest.approx(46.01)
    found = pollution.nox_as_no2(30.01, 4)
    assert found == pytest.approx(50.01)
    # the same molecules whether oxidised or not
    ppm = pollution.nox_as_no2(pollution.mg_per_m3(50, 30.01), 0)
    assert ppm == pytest.approx(pollution.mg_per_m3(50, 46.01))


def test_samples_that_are_held() -> None:
    hour = 3_600_000_000
    # flow each hour, silent from 3 to 5; a concentration at 0, one at 1:30 and one at 5
    start, stop, load = pollution.held(
        np.array([0, 1, 2, 3, 5, 6]) * hour,
        [10, 20, 20, 30, 10, -1],
        np.array([0, 3, 10]) * hour // 2,
        [50, 100, 40],
        hour,
        3 * hour,
    )
    assert (start / hour).tolist() == [0, 1, 1.5, 2, 5]
    assert (stop / hour).tolist() == [1, 1.5, 2, 3, 6]
    # m³/h × g/m³ × h / 1000
    assert_allclose(load, [0.5, 0.5, 1.0, 2.0, 0.4])
    for flow, concentration in (([0, 9], []), ([], [0, 9]), ([], [])):
        found = pollution.held(
            np.array(flow, np.int64),
            np.ones(len(flow)),
            np.array(concentration, np.int64),
            np.ones(len(concentration)),
            hour,
            hour,
        )
        assert found[0].size == found[1].size == found[2].size == 0
