"""The core indicator of national zero-carbon parks, and what would reach it."""

from typing import NamedTuple

import numpy as np

from analytics.intensity import ratio

SIZES_TCE = (200_000.0, 1_000_000.0)
SIZE_NAMES = ("below_200k_tce", "from_200k_tce", "from_1m_tce")
AIMS = (
    0.2,
    0.2,
    0.3,
)  # tCO2/tce; below the smallest size none is given, see size_class
STATE_NAMES = ("unknown", "met", "missed", "no_threshold")


class Reach(NamedTuple):
    """What would bring the emissions down to the aim."""

    gap_t: float  # above the aim; 0 where it is met
    green_kwh: float  # power to prove as green: what closes the gap, or all there is
    with_all_green: float  # the indicator then [tCO2/tce]
    rest_t: float  # of the gap, where all power is green


def size_class(tce: float) -> int:
    """Give the index of the size of a park by its yearly energy.

    Parameters
    ----------
    tce
        Energy of a year with electricity at the equal value [tce]; not NaN.

    Notes
    -----
    发改环资〔2025〕910号: at most 0.2 tCO2/tce from 200 000 tce, 0.3 from 1 000 000 tce. It
    says nothing below 200 000 tce; holding such parks against 0.2 is ours, and no verdict.
    """
    return int(np.searchsorted(SIZES_TCE, tce, "right"))


def indicator(co2_t: float, tce: float) -> float:
    """Carbon of energy [tCO2/tce]; NaN where it is unknown or the energy not above 0.

    Notes
    -----
    发改环资〔2025〕910号, core indicator: CO2 of Attachment 4 / comprehensive energy
    consumption with electricity at the equal value (等价值), both of a year.
    """
    return float(ratio(np.float64(co2_t), np.float64(tce)))


def reach(
    co2_t: float, tce: float, power_t: float, power_kwh: float, aim: float
) -> Reach:
    """Tell what would reach the aim: first green power, then fuels and heat.

    Parameters
    ----------
    co2_t, tce
        Of a year [tCO2], [tce].
    power_t, power_kwh
        Of the power taken without proof of its origin [tCO2], [kWh]; NaN: unknown.
    aim
        [tCO2/tce]

    Returns
    -------
    Reach
        NaN where something is unknown. Plain arithmetic, ours: energy stays as it is,
        and proven power counts 0.
    """
    # what gives away more than it takes has no power left to prove
    power_t, power_kwh = np.maximum(power_t, 0.0), np.maximum(power_kwh, 0.0)
    gap = max(co2_t - aim * tce, 0.0) if np.isfinite(co2_t - aim * tce) else np.nan
    closed = min(gap, power_t) if np.isfinite(gap + power_t) else np.nan
    share = float(ratio(np.float64(closed), np.float64(power_t)))
    kwh = 0.0 if closed == 0 else share * power_kwh
    return Reach(
        gap_t=gap,
        green_kwh=kwh,
        with_all_green=indicator(co2_t - power_t, tce),
        rest_t=gap - closed,
    )
