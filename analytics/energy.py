"""Energy to standard coal, in the two bases that are never mixed.

当量 (calorific): the heat content of the carrier itself. 等价 (equal value): the primary
energy spent to obtain it. They differ for what is made from other energy: 0.1229 against
about 0.30 kgce/kWh for electricity. Every tce figure names its basis.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# (unit of the coefficient, canonical unit of the quantity) -> times the coefficient
# gives kgce per quantity unit
UNIT_SCALE: dict[tuple[str, str], float] = {
    ("kgce/kWh", "kwh"): 1.0,
    ("kgce/kg", "t"): 1000.0,
    ("kgce/m3", "m3"): 1.0,
    ("kgce/MJ", "gj"): 1000.0,
    ("kgce/t", "t"): 1.0,
    ("kgce/t", "m3"): 1.0,  # water: 1 m3 is taken as 1 t
}


def tce(amount: ArrayLike, kgce_per_unit: ArrayLike) -> NDArray[np.float64]:
    """Tonnes of coal equivalent of amounts, in the basis of the coefficient.

    Parameters
    ----------
    amount
        Amount of a carrier [unit], any shape; exports negative or left out as the
        report says.
    kgce_per_unit
        Coefficient [kgce/unit], broadcasts.

    Returns
    -------
    NDArray[np.float64]
        [tce]; NaN where the amount or the coefficient is unknown.

    Notes
    -----
    E = Σ E_i·k_i, GB/T 2589-2020 clause 7; 1 kgce = 29 307.6 kJ (low heating value).
    """
    return np.multiply(amount, kgce_per_unit, dtype=np.float64) / 1000.0


def total_calorific(
    amount: NDArray[np.float64], calorific: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum carriers at their calorific coefficients (当量).

    Parameters
    ----------
    amount
        Shape (…, carriers) [unit of each carrier].
    calorific
        Shape (carriers,) [kgce/unit].

    Returns
    -------
    NDArray[np.float64]
        Shape (…) [tce]; NaN where any carrier is unknown.
    """
    return np.asarray(tce(amount, calorific).sum(axis=-1))


def total_equal_value(
    amount: NDArray[np.float64],
    calorific: NDArray[np.float64],
    equal_value: NDArray[np.float64],
    secondary: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Sum carriers with the secondary ones at their equal value (等价).

    Parameters
    ----------
    amount
        Shape (…, carriers) [unit of each carrier].
    calorific, equal_value
        Shape (carriers,) [kgce/unit].
    secondary
        Shape (carriers,); True: counted at `equal_value` (electricity), and unknown
        when that is NaN; False: counted at `calorific` in this basis too (fuels, and
        heat as long as no heat-supply coal rate is stated).

    Returns
    -------
    NDArray[np.float64]
        Shape (…) [tce]; NaN where any carrier is unknown.

    Notes
    -----
    GB/T 2589: electricity counts the coal rate of power plants, a dated parameter.
    """
    return total_calorific(amount, np.where(secondary, equal_value, calorific))
