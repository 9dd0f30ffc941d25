"""CO2 from amounts and factors. A factor is a dated row and never a constant here."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

CO2_PER_C = 44.0 / 12.0  # tCO2 per tC, as in GB/T 32151

# Enthalpy of saturated steam of 1.00 MPa (179.88 °C), GB/T 32151.34-2024 table of steam
# enthalpies. That metered steam is of this kind is ours; 0.50 MPa would be 2.7485.
STEAM_GJ_PER_T = 2.777

# (unit of the factor, canonical unit of the quantity) -> times the factor gives kgCO2
# per quantity unit. A gas meter's m3 is taken as Nm3 (0 °C, 101.325 kPa); if it counts
# at 20 °C, 1 Nm3 is 1.0732 m3 and the result is 7.3 % too high.
UNIT_SCALE: dict[tuple[str, str], float] = {
    ("kgCO2/kWh", "kwh"): 1.0,
    ("tCO2/t", "t"): 1000.0,
    ("tCO2e/t", "t"): 1000.0,
    ("tCO2/10^4 Nm3", "m3"): 0.1,
    ("tCO2/GJ", "gj"): 1000.0,
}


def co2_t(amount: ArrayLike, factor_kg_per_unit: ArrayLike) -> NDArray[np.float64]:
    """CO2 of amounts by factor.

    Parameters
    ----------
    amount
        [unit], any shape; for bought power and heat the net import.
    factor_kg_per_unit
        [kgCO2/unit], broadcasts; one basis, region and data year per figure.

    Returns
    -------
    NDArray[np.float64]
        [tCO2]; NaN where the amount or the factor is unknown.

    Notes
    -----
    E = AD·EF, GB/T 32151.34-2024; 发改环资〔2025〕910号 Attachment 4.
    """
    return np.multiply(amount, factor_kg_per_unit, dtype=np.float64) / 1000.0


def fuel_factor_t_per_unit(
    ncv_gj: ArrayLike, carbon_t_per_gj: ArrayLike, oxidation: ArrayLike
) -> NDArray[np.float64]:
    """CO2 of burning one unit of a fuel.

    Parameters
    ----------
    ncv_gj
        Net calorific value [GJ/unit].
    carbon_t_per_gj
        Carbon content per heat [tC/GJ].
    oxidation
        Share of the carbon that is oxidised, 0 … 1.

    Returns
    -------
    NDArray[np.float64]
        NCV × C × OF × 44/12 [tCO2/unit].

    Notes
    -----
    GB/T 32151.34-2024 formulas (1)–(3) and Table C.1; the printed tCO2 of the formulas
    (1) and (2) is a slip for tC.
    """
    carbon = np.multiply(ncv_gj, carbon_t_per_gj, dtype=np.float64)
    return np.asarray(carbon * oxidation * CO2_PER_C)


def net_import(bought: ArrayLike, sold: ArrayLike) -> NDArray[np.float64]:
    """Give what is bought less what is sold of one carrier and one factor.

    Parameters
    ----------
    bought, sold
        [unit], not negative; they broadcast.

    Returns
    -------
    NDArray[np.float64]
        [unit]; negative where more is sold than bought.

    Notes
    -----
    E_el = Σ El_in·EF − Σ El_out·EF, 发改环资〔2025〕910号 Attachment 4; the same for heat
    and in GB/T 32151.34-2024. Under the GHG Protocol exports are not subtracted.
    """
    return np.subtract(bought, sold, dtype=np.float64)
