"""What if: more photovoltaics, green power, a fuel replaced by electricity.

Plain arithmetic on one year, drawn over later years. No optimum, no prices, no forecast:
each answer carries the assumptions it rests on, by name, value and unit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

GJ_PER_KWH = 0.0036


class Assumption(NamedTuple):
    """One number the answer rests on."""

    name: str
    value: float
    unit: str


class Effect(NamedTuple):
    """What a measure changes in one full year."""

    measure: str
    co2_t: float  # below zero is less
    grid_kwh: float  # change of what is taken from the grid; keeps what is bought green
    fuel_units: float  # change of the fuel, in its unit
    assumptions: tuple[Assumption, ...]


def more_pv(
    kwp: float,
    full_load_hours: float,
    self_use: float,
    grid_kwh: float,
    grid_kg_per_kwh: float,
) -> Effect:
    """More photovoltaic power.

    Parameters
    ----------
    kwp
        Added [kWp].
    full_load_hours
        Of a year [h].
    self_use
        Share used on site, 0 … 1.
    grid_kwh
        Taken from the grid now [kWh]: more cannot be replaced.
    grid_kg_per_kwh
        Factor of the grid power it replaces, of one basis [kgCO2/kWh].

    Returns
    -------
    Effect
        -min(kwp · h · self_use, grid) · factor. What is exported lowers nothing here.

    Raises
    ------
    ValueError
        If a number is negative or the share above 1.

    Notes
    -----
    Arithmetic.
    """
    _checked(kwp=kwp, full_load_hours=full_load_hours, grid_kwh=grid_kwh)
    _share(self_use=self_use)
    used = kwp * full_load_hours * self_use
    replaced = float(np.minimum(used, grid_kwh))  # keeps NaN
    return Effect(
        "more_pv",
        -replaced * grid_kg_per_kwh / 1000.0,
        -replaced,
        0.0,
        (
            Assumption("pv_added", kwp, "kWp"),
            Assumption("full_load_hours", full_load_hours, "h"),
            Assumption("self_use", self_use, "share"),
            Assumption("not_usable", used - replaced, "kWh"),
            Assumption("grid_factor", grid_kg_per_kwh, "kgCO2/kWh"),
        ),
    )


def green_power(share: float, grid_kwh: float, grid_kg_per_kwh: float) -> Effect:
    """Buy a share of the grid power as proven green power.

    Parameters
    ----------
    share
        Of what is now taken without proof, 0 … 1.
    grid_kwh
        Taken from the grid without proof [kWh].
    grid_kg_per_kwh
        Factor that this power has now, of one basis [kgCO2/kWh]; 0 is its factor then.

    Returns
    -------
    Effect
        -share · grid · factor; the same energy is taken. Only in methods that know green
        power: location-based figures do not change by it.

    Raises
    ------
    ValueError
        If a number is negative or the share above 1.

    Notes
    -----
    发改环资〔2025〕910号 Attachment 4: proven green power counts 0.
    """
    _checked(grid_kwh=grid_kwh)
    _share(green_share=share)
    return Effect(
        "green_power",
        -share * grid_kwh * grid_kg_per_kwh / 1000.0,
        0.0,
        0.0,
        (
            Assumption("green_share", share, "share"),
            Assumption("green_power", share * grid_kwh, "kWh"),
            Assumption("green_factor", 0.0, "kgCO2/kWh"),
            Assumption("grid_factor", grid_kg_per_kwh, "kgCO2/kWh"),
        ),
    )


def electrified(
    share: float,
    fuel_units: float,
    fuel_t_per_unit: float,
    heat_gj_per_unit: float,
    fuel_efficiency: float,
    electric_efficiency: float,
    grid_kg_per_kwh: float,
) -> Effect:
    """Replace a share of a fuel by electricity for the same useful heat.

    Parameters
    ----------
    share
        Of the fuel, 0 … 1.
    fuel_units
        Burnt in the year [unit of the fuel].
    fuel_t_per_unit
        Its factor [tCO2/unit].
    heat_gj_per_unit
        Its net calorific value [GJ/unit].
    fuel_efficiency
        Useful heat per heat of the fuel, above zero.
    electric_efficiency
        Useful heat per electricity: about 1 for resistance, the seasonal performance for a
        heat pump.
    grid_kg_per_kwh
        Factor of the power that is added, of one basis [kgCO2/kWh]; 0 only if it is proven
        green.

    Returns
    -------
    Effect
        Fuel saved × factor against electricity added × factor: above zero where the grid is
        worse than the fuel.

    Raises
    ------
    ValueError
        If a number is negative, a share above 1, or an efficiency not above zero.

    Notes
    -----
    kWh = fuel · NCV · η_fuel / η_electric / 0.0036. Arithmetic.
    """
    _checked(fuel_units=fuel_units, heat_gj_per_unit=heat_gj_per_unit)
    _share(electrified_share=share)
    if fuel_efficiency <= 0 or electric_efficiency <= 0:
        raise ValueError("an efficiency is not above zero")
    saved = share * fuel_units
    useful_gj = saved * heat_gj_per_unit * fuel_efficiency
    added_kwh = useful_gj / electric_efficiency / GJ_PER_KWH
    return Effect(
        "electrified",
        added_kwh * grid_kg_per_kwh / 1000.0 - saved * fuel_t_per_unit,
        added_kwh,
        -saved,
        (
            Assumption("electrified_share", share, "share"),
            Assumption("fuel_factor", fuel_t_per_unit, "tCO2/unit"),
            Assumption("net_calorific_value", heat_gj_per_unit, "GJ/unit"),
            Assumption("fuel_efficiency", fuel_efficiency, "share"),
            Assumption("electric_efficiency", electric_efficiency, "share"),
            Assumption("useful_heat", useful_gj, "GJ"),
            Assumption("grid_factor", grid_kg_per_kwh, "kgCO2/kWh"),
        ),
    )


def line(
    co2_t: ArrayLike, effects: list[Effect], first: int, ramp_years: int = 1
) -> tuple[Float64, tuple[Assumption, ...]]:
    """Draw emissions of later years with measures taken.

    Parameters
    ----------
    co2_t
        Emissions without them, shape (…, years) [tCO2].
    effects
        Of one full year; a later measure must have been given what the ones before it left
        (grid_kwh + effect.grid_kwh), else power is saved twice.
    first
        Index of the first year with any effect.
    ramp_years
        Years until the full effect, in equal steps; 1: full at once.

    Returns
    -------
    line, assumptions
        Shape (…, years) [tCO2], and all assumptions with those of the line itself.

    Raises
    ------
    ValueError
        If `ramp_years` is below 1 or `first` negative.

    Notes
    -----
    Everything else stays as it is without the measures. Arithmetic.
    """
    if ramp_years < 1 or first < 0:
        raise ValueError(f"no line from year {first} over {ramp_years} years")
    without = np.asarray(co2_t, np.float64)
    done = np.arange(without.shape[-1]) - first + 1
    part = np.clip(done / ramp_years, 0.0, 1.0)
    change = np.array([each.co2_t for each in effects]).sum()
    own = (
        Assumption("first_year", float(first), "index"),
        Assumption("ramp", float(ramp_years), "years"),
    )
    named = [each for effect in effects for each in effect.assumptions]
    return without + np.where(part > 0, part * change, 0.0), (*named, *own)


def _checked(**numbers: float) -> None:
    for name, number in numbers.items():
        if number < 0:
            raise ValueError(f"{name} {number:g} is negative")


def _share(**shares: float) -> None:
    for name, share in shares.items():
        if share < 0 or share > 1:
            raise ValueError(f"{name} {share:g} is not a share 0 … 1")
