from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics import carbon, intensity
from store.quantities import UNITS

FUELS = Path(__file__).parents[1] / "data" / "factors" / "fuels.txt"


def test_fuel_factors_of_the_standard_to_four_decimals() -> None:
    rows = [
        [float(each) for each in line.split()[1:]]
        for line in FUELS.read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    ncv, carbon_kg, percent, value = np.array(rows).T
    found = carbon.fuel_factor_t_per_unit(ncv, carbon_kg / 1000, percent / 100)
    assert len(rows) == 26
    assert_allclose(found, value, rtol=0, atol=0.5e-4)


@pytest.mark.parametrize(
    ("import_mwh", "factor", "total", "per_10k_cny"),
    [
        (12_000, 0.5827, 12_393.660, 0.47668),  # region, certificates ignored
        (
            10_000,
            0.5306,
            10_707.260,
            0.41182,
        ),  # national, 2 000 MWh of green power at 0
        (10_000, 0.6096, 11_497.260, 0.44220),  # residual
        (10_000, 0.8325, 13_726.260, 0.52793),  # zero-carbon park
    ],
)
def test_four_electricity_bases_of_an_enterprise(
    import_mwh: float, factor: float, total: float, per_10k_cny: float
) -> None:
    # the enterprise of test_energy
    gas_kg_m3 = 21.6219 * carbon.UNIT_SCALE["tCO2/10^4 Nm3", "m3"]
    diesel_kg_t = 3.0959 * carbon.UNIT_SCALE["tCO2/t", "t"]
    heat_kg_gj = 0.11 * carbon.UNIT_SCALE["tCO2/GJ", "gj"]
    parts = carbon.co2_t(
        np.array([import_mwh * 1000, 800_000, 120, 30_000]),
        np.array([factor, gas_kg_m3, diesel_kg_t, heat_kg_gj]),
    )
    assert_allclose(parts[1:], [1729.752, 371.508, 3300], atol=1e-6)
    assert parts.sum() == pytest.approx(total, abs=5e-4)
    assert intensity.ratio(parts.sum(), 26_000) == pytest.approx(per_10k_cny, abs=5e-6)


def test_the_steel_plant() -> None:
    found = carbon.co2_t(959_640.31, np.array([0.5306, 0.5827]))
    assert_allclose(found, [509.185, 559.182], atol=5e-4)


def test_a_park_of_the_zero_carbon_method() -> None:
    # 150 GWh without green proof, 20 million Nm3 of gas, 500 000 GJ of fossil heat
    parts = carbon.co2_t(
        np.array([150e6, 20e6, 500e3]), np.array([0.8325, 2.16219, 110.0])
    )
    assert_allclose(parts, [124_875, 43_243.8, 55_000])


def test_unit_scale() -> None:
    scale = carbon.UNIT_SCALE
    assert 21.6219 * scale["tCO2/10^4 Nm3", "m3"] == pytest.approx(2.16219)
    assert 3.0959 * scale["tCO2/t", "t"] == pytest.approx(3095.9)
    assert 0.11 * scale["tCO2/GJ", "gj"] == pytest.approx(110)
    assert {unit for _, unit in scale} <= set(UNITS)


def test_steam_counts_by_its_enthalpy() -> None:
    # saturated, 1.00 MPa: 2777.0 kJ/kg; 1 000 t at 0.11 tCO2/GJ
    heat_gj = 1000 * carbon.STEAM_GJ_PER_T
    assert carbon.co2_t(heat_gj, 110.0) == pytest.approx(305.47)


def test_net_import_may_be_negative_and_unknown_stays() -> None:
    found = carbon.net_import(np.array([5.0, 1.0, np.nan]), np.array([2.0, 4.0, 1.0]))
    assert_allclose(found, [3.0, -3.0, np.nan])
    assert np.isnan(carbon.co2_t(1.0, np.nan))


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 10))
def test_export_is_subtracted_at_the_factor_of_its_kind(
    bought: float, sold: float, factor: float
) -> None:
    net = carbon.co2_t(carbon.net_import(bought, sold), factor)
    apart = carbon.co2_t(bought, factor) - carbon.co2_t(sold, factor)
    assert_allclose(net, apart, rtol=1e-9, atol=1e-3)
