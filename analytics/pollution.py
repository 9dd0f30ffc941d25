"""Pollutant loads from online monitors: flow times concentration, over valid time.

Sewage and flue gas by HJ 212-2017 Annex D. HJ 212-2025 has replaced it since 2026-01-01;
its text was not at hand.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intensity import group_sums, ratio

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

FEWEST_SAMPLES = 120  # of a ten-minute value of sewage: one in 5 s
FEWEST_TEN_MINUTES = 1  # of an hour of sewage, 1 ≤ m ≤ 6
FEWEST_MINUTES = 45  # of a valid hour of flue gas
FEWEST_HOURS = 20  # of a valid day

STANDARD_PA = 101_325.0
STANDARD_K = 273.0  # as the standard rounds it
MOLAR_L = 22.4  # 〃
MOLAR_G = {"so2": 64.06, "no": 30.01, "no2": 46.01, "co": 28.01, "nh3": 17.03}


class Load(NamedTuple):
    """What went out in each period, each of shape (…, periods)."""

    volume_m3: Float64
    load_kg: Float64
    concentration_mg_per_l: Float64  # weighted by flow; = g/m³
    flow_l_per_s: Float64  # mean
    known: Int64  # samples or shorter periods that were known


class Emission(NamedTuple):
    """Flue gas of each period, each of shape (…, periods)."""

    volume_m3: Float64  # standard state, dry
    load_kg: Float64
    concentration_mg_per_m3: Float64  # weighted by flow
    known: Int64


def ten_minutes(
    flow_l_per_s: ArrayLike, concentration_mg_per_l: ArrayLike, sample_s: float
) -> Load:
    """Ten-minute loads of sewage from samples.

    Parameters
    ----------
    flow_l_per_s, concentration_mg_per_l
        Samples of whole periods, shape (…, periods · 600 / `sample_s`); NaN is unknown.
        Between two analyses the last concentration goes on: repeat it in each sample.
    sample_s
        Time between samples [s], at most 5, a divisor of 600.

    Returns
    -------
    Load
        NaN with fewer than 120 samples known of a period.

    Raises
    ------
    ValueError
        If `sample_s` is above 5 or does not divide 600, or the last period is not whole.

    Notes
    -----
    D_i = Q·T·10⁻³ m³, G_i = D_i·C·10⁻³ kg, C = G/D·10³, n ≥ 120: HJ 212-2017 Annex D.
    With samples missing, the mean of the known ones stands for the period, which is ours:
    the plain sum would take them for no flow.
    """
    size = 600.0 / sample_s if 0 < sample_s <= 5 else math.nan
    if not size.is_integer():
        raise ValueError(f"samples each {sample_s:g} s do not make ten minutes")
    q, c = _together(flow_l_per_s, concentration_mg_per_l)
    if q.shape[-1] % int(size):
        raise ValueError(f"{q.shape[-1]} samples are no whole periods of {size:g}")
    volume, load, count = _sums(q * sample_s * 1e-3, q * c * sample_s * 1e-6, int(size))
    good = count >= FEWEST_SAMPLES
    whole = np.where(good, ratio(size, count), np.nan)
    return _load(volume * whole, load * whole, count, 600.0)


def hours(periods: Load, fewest: int = FEWEST_TEN_MINUTES) -> Load:
    """Add up ten-minute loads of sewage to hours.

    Parameters
    ----------
    periods
        Six for each hour, from :func:`ten_minutes`.
    fewest
        Periods that must be known.

    Returns
    -------
    Load
        Sums over the known periods; `known` tells of how many: below 6 the load is too
        small by what is missing.

    Notes
    -----
    HJ 212-2017 Annex D: the sum of m ten-minute values, 1 ≤ m ≤ 6.
    """
    return _longer(periods, 6, fewest, 3600.0)


def days(hour: Load, fewest: int = FEWEST_HOURS) -> Load:
    """Add up hours to days.

    Parameters
    ----------
    hour
        24 for each day.
    fewest
        Hours that must be known.

    Returns
    -------
    Load
        Sums over the known hours; `known` tells of how many.

    Notes
    -----
    HJ 212-2017 Annex D; a valid day has 20 hours.
    """
    return _longer(hour, 24, fewest, 86_400.0)


def flue_gas(
    volume_m3: ArrayLike,
    concentration_mg_per_m3: ArrayLike,
    size: int,
    fewest: int,
) -> Emission:
    """Add up flue gas of minutes to hours, or of hours to days.

    Parameters
    ----------
    volume_m3
        Gas at standard state, dry, shape (…, periods · size) [m³]; NaN is unknown.
    concentration_mg_per_m3
        In the same state, same shape.
    size, fewest
        60 and 45 for hours of minutes, 24 and 20 for days of hours.

    Returns
    -------
    Emission
        Sums over what is valid; NaN with fewer than `fewest`.

    Raises
    ------
    ValueError
        If the last period is not whole.

    Notes
    -----
    G = Q·C·10⁻⁶ kg. A valid hour has 45 valid minutes, a valid day 20 hours: HJ 212-2017.
    """
    q, c = _together(volume_m3, concentration_mg_per_m3)
    if q.shape[-1] % size:
        raise ValueError(f"{q.shape[-1]} values are no whole periods of {size}")
    volume, load, count = _sums(q, q * c * 1e-6, size)
    good = count >= fewest
    volume, load = np.where(good, volume, np.nan), np.where(good, load, np.nan)
    return Emission(volume, load, ratio(load, volume) * 1e6, count)


def held(
    flow_at: Int64,
    flow_m3_h: ArrayLike,
    concentration_at: Int64,
    concentration_g_per_m3: ArrayLike,
    flow_up_to: int,
    concentration_up_to: int,
) -> tuple[Int64, Int64, Float64]:
    """Multiply samples of flow and concentration, each held until its next one.

    Parameters
    ----------
    flow_at, concentration_at
        When, ascending [µs].
    flow_m3_h, concentration_g_per_m3
        Samples, in the same state; g/m³ is mg/L. Below 0 or NaN is unknown.
    flow_up_to, concentration_up_to
        For how long a sample stands [µs].

    Returns
    -------
    start, stop, load
        Intervals in which both stand to their end [µs], and what went out [kg].

    Notes
    -----
    G = Q·C as in HJ 212-2017 Annex D, of which between two analyses the last concentration
    goes on. Holding the flow as well is ours, for monitors that tell it less often than
    every 5 s; so are the limits.
    """
    at = np.union1d(flow_at, concentration_at)
    start, stop = at[:-1], at[1:]
    q, q_age = _last(flow_at, flow_m3_h, start, stop)
    c, c_age = _last(concentration_at, concentration_g_per_m3, start, stop)
    load = q * c * 1e-3 * (stop - start) / 3.6e9
    good = (q >= 0) & (c >= 0) & (q_age <= flow_up_to) & (c_age <= concentration_up_to)
    return start[good], stop[good], load[good]


def _last(
    at: Int64, value: ArrayLike, start: Int64, stop: Int64
) -> tuple[Float64, Int64]:
    """Give the last sample at each start, and how old it is at each stop."""
    place = np.searchsorted(at, start, "right") - 1
    if not at.size:
        return np.full(start.size, np.nan), np.zeros(start.size, np.int64)
    found = np.where(place >= 0, np.asarray(value, np.float64)[place], np.nan)
    return found, stop - at[place]


def standard_concentration(
    measured: ArrayLike,
    static_pa: ArrayLike,
    ambient_pa: ArrayLike,
    temperature_c: ArrayLike,
) -> Float64:
    """Concentration in flue gas at standard state.

    Parameters
    ----------
    measured
        In the state of the duct [mg/m³].
    static_pa
        Pressure of the duct against the ambient [Pa], often negative.
    ambient_pa
        Atmospheric pressure [Pa].
    temperature_c
        Of the flue gas [°C].

    Returns
    -------
    NDArray[np.float64]
        [mg/m³ at 273 K and 101 325 Pa]; NaN where pressure or temperature has no meaning.

    Notes
    -----
    C_sn = C_s · 101325 / (B_a + P_s) · (273 + t_s) / 273, HJ 212-2017 Annex D.
    """
    return np.asarray(measured, np.float64) / _density(
        static_pa, ambient_pa, temperature_c
    )


def standard_flow(
    measured: ArrayLike,
    static_pa: ArrayLike,
    ambient_pa: ArrayLike,
    temperature_c: ArrayLike,
    moisture: ArrayLike,
) -> Float64:
    """Flow of flue gas at standard state, dry.

    Parameters
    ----------
    measured
        In the state of the duct, wet [m³/s or m³].
    static_pa, ambient_pa, temperature_c
        As in :func:`standard_concentration`.
    moisture
        Volume share of water, 0 … 1.

    Returns
    -------
    NDArray[np.float64]
        Unit of `measured`, at 273 K and 101 325 Pa, dry.

    Notes
    -----
    Q_sn = Q_s · (B_a + P_s) / 101325 · 273 / (273 + t_s) · (1 - X_sw), the inverse of the
    concentration: the load is the same in either state.
    """
    dense = _density(static_pa, ambient_pa, temperature_c)
    return np.asarray(measured, np.float64) * dense * _dry_share(moisture)


def dry(wet: ArrayLike, moisture: ArrayLike) -> Float64:
    """Concentration in dry flue gas, from that in wet.

    Parameters
    ----------
    wet
        Any unit per volume of wet gas.
    moisture
        Volume share of water, 0 … 1.

    Returns
    -------
    NDArray[np.float64]
        wet / (1 - moisture); NaN where the moisture is not in 0 … 1.

    Notes
    -----
    HJ 212-2017 Annex D.
    """
    return np.asarray(wet, np.float64) / _dry_share(moisture)


def mg_per_m3(ppm: ArrayLike, molar_g: ArrayLike) -> Float64:
    """Mass concentration at standard state, from parts per million of volume.

    Parameters
    ----------
    ppm
        [10⁻⁶].
    molar_g
        Molar mass [g/mol], for instance of :data:`MOLAR_G`.

    Returns
    -------
    NDArray[np.float64]
        M / 22.4 · ppm [mg/m³].

    Notes
    -----
    HJ 212-2017 Annex D.
    """
    return np.multiply(ppm, molar_g, dtype=np.float64) / MOLAR_L


def nox_as_no2(no: ArrayLike, no2: ArrayLike) -> Float64:
    """Nitrogen oxides, counted as NO2.

    Parameters
    ----------
    no, no2
        [mg/m³]; they broadcast.

    Returns
    -------
    NDArray[np.float64]
        NO · M(NO2) / M(NO) + NO2 [mg/m³].

    Notes
    -----
    HJ 212-2017 Annex D.
    """
    as_no2 = np.asarray(no, np.float64) * (MOLAR_G["no2"] / MOLAR_G["no"])
    return np.add(as_no2, no2, dtype=np.float64)


def _together(flow: ArrayLike, concentration: ArrayLike) -> tuple[Float64, Float64]:
    """Both known or none: a weighted mean needs both of the same moment."""
    q, c = np.broadcast_arrays(
        np.asarray(flow, np.float64), np.asarray(concentration, np.float64)
    )
    known = ~np.isnan(q + c)
    return np.where(known, q, np.nan), np.where(known, c, np.nan)


def _sums(
    volume: Float64, load: Float64, size: int
) -> tuple[Float64, Float64, NDArray[np.int64]]:
    periods = volume.shape[-1] // size
    group = np.arange(volume.shape[-1]) // size
    known = ~np.isnan(volume)
    volumes = group_sums(np.where(known, volume, 0.0), group, periods)
    loads = group_sums(np.where(known, load, 0.0), group, periods)
    count = group_sums(known.astype(np.float64), group, periods).astype(np.int64)
    return volumes, loads, count


def _load(volume: Float64, load: Float64, count: Int64, seconds: float) -> Load:
    weighted = ratio(load, volume) * 1e3
    return Load(volume, load, weighted, volume / seconds * 1e3, count)


def _longer(periods: Load, size: int, fewest: int, seconds: float) -> Load:
    if periods.volume_m3.shape[-1] % size:
        raise ValueError(
            f"{periods.volume_m3.shape[-1]} values are no whole periods of {size}"
        )
    volume, load, count = _sums(periods.volume_m3, periods.load_kg, size)
    good = count >= max(fewest, 1)
    volume, load = np.where(good, volume, np.nan), np.where(good, load, np.nan)
    return _load(volume, load, count, seconds)


def _density(static: ArrayLike, ambient: ArrayLike, celsius: ArrayLike) -> Float64:
    """Gas in the duct against standard state; NaN where it has no meaning."""
    pressure = np.add(static, ambient, dtype=np.float64)
    kelvin = np.asarray(celsius, np.float64) + STANDARD_K
    dense = ratio(pressure * STANDARD_K, STANDARD_PA * kelvin)
    return np.where(dense > 0, dense, np.nan)


def _dry_share(moisture: ArrayLike) -> Float64:
    wet = np.asarray(moisture, np.float64)
    return np.where((wet >= 0) & (wet < 1), 1.0 - wet, np.nan)
