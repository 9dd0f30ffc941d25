"""Own plant: photovoltaics, storage, charging and gas, and whether their meters agree.

Ratios are of sums over a period. Where a sum is unknown or its denominator is not above
zero, they are NaN.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics import balance
from analytics.intensity import ratio

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

MINIMUM_COVERAGE = 0.95

# 293.15 K / 273.15 K: the same gas at 20 °C (Chinese trade) and at 0 °C (Nm³)
M3_AT_20C_PER_NM3 = 293.15 / 273.15
STANDARD_KPA = 101.325

# what counts as clean; 发改环资〔2025〕910号 does not say, so the name goes with the figure
CLEAN_PARTS: dict[str, tuple[str, ...]] = {
    "non_fossil_electricity": ("non_fossil_electricity",),
    "non_fossil": ("non_fossil_electricity", "non_fossil_heat"),
    "non_fossil_and_gas": ("non_fossil_electricity", "non_fossil_heat", "natural_gas"),
}

UNKNOWN, HOLDS, BROKEN = range(3)
IDENTITY_NAMES = ("unknown", "holds", "broken")


class CleanShare(NamedTuple):
    """Share of clean energy, never without what was counted."""

    share: float
    definition: str  # of CLEAN_PARTS
    basis: str  # of the coal equivalents: calorific or equal_value
    clean_tce: float
    total_tce: float


class Identity(NamedTuple):
    """Balance of energy per interval, each of shape (n,)."""

    residual: Float64  # sources less sinks [kWh]
    tolerance: Float64  # [kWh]
    state: Int64  # of IDENTITY_NAMES


def self_consumption(generated: ArrayLike, exported: ArrayLike) -> Float64:
    """Share of the photovoltaic energy that was used on site 自发自用率.

    Parameters
    ----------
    generated, exported
        Energy of the period [kWh]; what is exported is all taken as photovoltaic.

    Returns
    -------
    NDArray[np.float64]
        (generated - exported) / generated; negative where other plant exports too.

    Notes
    -----
    The common definition.
    """
    own = np.subtract(generated, exported, dtype=np.float64)
    return ratio(own, generated)


def self_sufficiency(
    generated: ArrayLike,
    exported: ArrayLike,
    imported: ArrayLike,
    discharged: ArrayLike = 0.0,
    charged: ArrayLike = 0.0,
) -> Float64:
    """Share of the load that own plant covered 自给率.

    Parameters
    ----------
    generated, exported, imported
        Energy of the period [kWh].
    discharged, charged
        Of the storage on site [kWh].

    Returns
    -------
    NDArray[np.float64]
        own / (imported + own), own = generated - exported + discharged - charged: the load
        that was not imported over the load.

    Notes
    -----
    The common definition, storage in its balance: its losses are own load. Negative where
    a storage is charged from the grid and holds the energy still.
    """
    own = np.subtract(generated, exported, dtype=np.float64)
    own = own + np.subtract(discharged, charged, dtype=np.float64)
    return ratio(own, np.add(imported, own))


def self_consumption_by_interval(
    generated: ArrayLike, load: ArrayLike, minimum_coverage: float = MINIMUM_COVERAGE
) -> tuple[Float64, Float64]:
    """Share used on site where there is no export meter.

    Parameters
    ----------
    generated, load
        Energy per interval, shape (…, n) [kWh]; NaN is unknown.
    minimum_coverage
        Share of intervals in which both must be known.

    Returns
    -------
    share, coverage
        Shape (…) each: Σ min(generated, load) / Σ generated over the intervals known.

    Notes
    -----
    The common estimate; longer intervals give higher shares.
    """
    made, used = np.broadcast_arrays(
        np.asarray(generated, np.float64), np.asarray(load, np.float64)
    )
    known = ~np.isnan(made + used)
    own = np.where(known, np.minimum(made, used), 0.0).sum(axis=-1)
    whole = np.where(known, made, 0.0).sum(axis=-1)
    coverage = ratio(known.sum(axis=-1), made.shape[-1])
    return np.where(coverage >= minimum_coverage, ratio(own, whole), np.nan), coverage


def full_load_hours(generated: ArrayLike, installed_kwp: ArrayLike) -> Float64:
    """Equivalent full-load hours 等效利用小时数.

    Parameters
    ----------
    generated
        Energy of the period [kWh].
    installed_kwp
        Peak power installed in it [kWp].

    Returns
    -------
    NDArray[np.float64]
        [h].
    """
    return ratio(generated, installed_kwp)


def round_trip_efficiency(
    charged: ArrayLike,
    discharged: ArrayLike,
    soc_change: ArrayLike = 0.0,
    rated_kwh: ArrayLike = 0.0,
) -> Float64:
    """Energy a storage gave back for what it took.

    Parameters
    ----------
    charged, discharged
        Energy of the period at the AC side [kWh].
    soc_change
        State of charge at its end less at its begin, share of the rated energy; leave it
        out only between equal states.
    rated_kwh
        Rated energy [kWh]; needed where the state of charge changed.

    Returns
    -------
    NDArray[np.float64]
        (discharged + change · rated) / charged.

    Notes
    -----
    The common definition between equal states of charge. The stored rest is counted as
    if it came out without loss, which flatters short periods; ours.
    """
    rest = np.multiply(soc_change, rated_kwh, dtype=np.float64)
    return ratio(np.add(discharged, rest), charged)


def equivalent_cycles(discharged: ArrayLike, rated_kwh: ArrayLike) -> Float64:
    """Full cycles that would have given the same energy.

    Parameters
    ----------
    discharged
        Energy of the period [kWh].
    rated_kwh
        Rated energy [kWh].

    Returns
    -------
    NDArray[np.float64]
        discharged / rated.
    """
    return ratio(discharged, rated_kwh)


def time_utilisation(busy_h: ArrayLike, piles: ArrayLike, hours: ArrayLike) -> Float64:
    """Share of the time in which charging piles were busy.

    Parameters
    ----------
    busy_h
        Hours of all piles together [h].
    piles
        Their number.
    hours
        Length of the period [h].

    Returns
    -------
    NDArray[np.float64]
        busy / (piles · hours).
    """
    return ratio(busy_h, np.multiply(piles, hours, dtype=np.float64))


def power_utilisation(
    charged: ArrayLike, rated_kw: ArrayLike, hours: ArrayLike
) -> Float64:
    """Share of what charging piles could have given at rated power.

    Parameters
    ----------
    charged
        Energy given in the period [kWh].
    rated_kw
        Power of all piles together [kW].
    hours
        Length of the period [h].

    Returns
    -------
    NDArray[np.float64]
        charged / (rated · hours).
    """
    return ratio(charged, np.multiply(rated_kw, hours, dtype=np.float64))


def clean_share(
    parts_tce: dict[str, float], total_tce: float, *, definition: str, basis: str
) -> CleanShare:
    """Share of clean energy by a named definition.

    Parameters
    ----------
    parts_tce
        What may count as clean, by the names in :data:`CLEAN_PARTS` [tce]; one that is
        needed and missing is unknown.
    total_tce
        All energy of the same period in the same basis [tce].
    definition
        A name of :data:`CLEAN_PARTS`.
    basis
        Of both: ``calorific`` (当量) or ``equal_value`` (等价).

    Returns
    -------
    CleanShare
        NaN where a part or the total is unknown, or the total is not above zero.

    Raises
    ------
    ValueError
        If the definition or the basis has no such name.

    Notes
    -----
    The basis moves the share: electricity weighs 2.46 times as much by equal value.
    """
    if definition not in CLEAN_PARTS or basis not in ("calorific", "equal_value"):
        raise ValueError(f"no clean energy by {definition!r} in basis {basis!r}")
    clean = sum(parts_tce.get(part, np.nan) for part in CLEAN_PARTS[definition])
    share = float(ratio(clean, total_tce))
    return CleanShare(share, definition, basis, clean, total_tce)


def identity(
    sources: Float64,
    sinks: Float64,
    accuracy_class: ArrayLike,
    losses: ArrayLike = 0.0,
    resolution_kwh: float = 0.0,
) -> Identity:
    """Check that energy came from where it went, interval by interval.

    Parameters
    ----------
    sources
        Import, photovoltaic, discharge, shape (k, n) [kWh]; NaN is unknown.
    sinks
        Load, export, charge, shape (m, n) [kWh].
    accuracy_class
        Of the meters of both, sources first, shape (k + m,) [% of the amount].
    losses
        Known losses between them [kWh].
    resolution_kwh
        Step of the registers: each amount is that uncertain at least.

    Returns
    -------
    Identity
        Broken where |sources - sinks - losses| exceeds the tolerance.

    Notes
    -----
    import + PV + discharge = load + export + charge + losses. Tolerance: expanded
    uncertainty by the classes (:func:`analytics.balance.uncertainty`) plus the resolution
    once for each meter; adding both is ours and on the safe side.
    """
    residual = sources.sum(axis=0) - sinks.sum(axis=0) - np.asarray(losses, np.float64)
    every = np.concatenate([sources, sinks])
    tolerance = balance.uncertainty(every, accuracy_class)
    tolerance = tolerance + resolution_kwh * every.shape[0]
    state = np.select(
        [np.isnan(residual + tolerance), np.abs(residual) <= tolerance],
        [UNKNOWN, HOLDS],
        BROKEN,
    )
    return Identity(residual, tolerance, state.astype(np.int64))


def gas_at_reference(
    volume_m3: ArrayLike,
    absolute_kpa: ArrayLike,
    temperature_c: ArrayLike,
    reference_c: float = 0.0,
    compressibility_ratio: ArrayLike = 1.0,
) -> Float64:
    """Volume of a gas at reference conditions, from that at the meter.

    Parameters
    ----------
    volume_m3
        At the meter [m³].
    absolute_kpa, temperature_c
        Pressure (not gauge) [kPa] and temperature [°C] there.
    reference_c
        0 for Nm³, 20 for Chinese trade [°C]; the pressure is 101.325 kPa in both.
    compressibility_ratio
        Z at the meter over Z at reference, from the volume corrector.

    Returns
    -------
    NDArray[np.float64]
        [m³ at reference]; NaN where pressure, temperature or ratio has no meaning.

    Notes
    -----
    V_r = V · p / p_r · T_r / T / (Z / Z_r). One Nm³ is 1.0732 m³ at 20 °C.
    """
    kelvin = np.asarray(temperature_c, np.float64) + 273.15
    pressure = np.where(np.asarray(absolute_kpa) > 0, absolute_kpa, np.nan)
    cold = (reference_c + 273.15) / STANDARD_KPA * pressure
    z = np.asarray(compressibility_ratio, np.float64)
    below = np.where(kelvin > 0, kelvin * z, np.nan)
    return ratio(np.multiply(volume_m3, cold, dtype=np.float64), below)
