"""Amounts times factors: tonnes of coal equivalent and of CO2, line by line.

Which factor a method takes is said here once; the newest data year known on the date
applies to every period, and the line names it.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import carbon as kernel
from analytics import energy
from store.quantities import QUANTITIES
from store.records import Factor

# What is counted: the terms of each carrier's consumption. Water, wastewater and
# compressed air are media: they count only when bought from outside, which a meter
# does not tell.
COAL_TERMS: dict[str, dict[str, float]] = {
    "electricity": {"energy_import": 1.0, "pv_generation": 1.0, "energy_export": -1.0},
    "natural_gas": {"natural_gas": 1.0},
    "heat": {"heat": 1.0, "steam": kernel.STEAM_GJ_PER_T},
    "coal": {"coal": 1.0},
    "coke": {"coke": 1.0},
    "fuel_oil": {"fuel_oil": 1.0},
    "diesel": {"diesel": 1.0},
    "gasoline": {"gasoline": 1.0},
    "lpg": {"lpg": 1.0},
    "lng": {"lng": 1.0},
}
CARBON_TERMS = {
    **COAL_TERMS,
    # own photovoltaic power has no emission and was never bought
    "electricity": {"energy_import": 1.0, "energy_export": -1.0},
}
COAL_BASES = ("calorific", "equal_value")

# method → basis and region of its electricity factor; PARK is the park's own region
PARK = ""
METHODS: dict[str, tuple[str, str]] = {
    "location_national": ("grid_average", "CN"),
    "location_region": ("grid_average", PARK),
    "residual": ("grid_average_excluding_traded_non_fossil", "CN"),
    "zero_carbon_park": ("zero_carbon_park", "CN"),
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """A total and the lines it adds up; None where a line's factor is not known."""

    total: float | None
    lines: list[dict[str, Any]]


def coal(
    totals: dict[str, float | None], known: Iterable[Factor]
) -> dict[str, Account]:
    """Give tonnes of coal equivalent by basis: calorific (当量) and equal_value (等价).

    The bases differ for electricity alone; heat and fuels count as calorific in both.
    """
    by = _by_use(each for each in known if each.kind == "energy")
    accounts = {}
    for basis in COAL_BASES:
        lines = []
        for carrier, terms in COAL_TERMS.items():
            own = basis if carrier == "electricity" else "calorific"
            factor = by.get((carrier, own, "CN"))
            lines += _line(
                carrier, terms, totals, factor, energy.tce, energy.UNIT_SCALE
            )
        accounts[basis] = _account(lines)
    return accounts


def carbon(
    totals: dict[str, float | None], known: Iterable[Factor], region: str
) -> dict[str, Account]:
    """Give tonnes of CO2 by method: fuels and heat alike, electricity by the method."""
    by = _by_use(each for each in known if each.kind == "co2")
    accounts = {}
    for method, (basis, where) in METHODS.items():
        lines = []
        for carrier, terms in CARBON_TERMS.items():
            if carrier == "electricity":
                factor = by.get((carrier, basis, where or region))
            elif carrier == "heat":
                factor = by.get((carrier, "default", "CN"))
            else:
                factor = by.get((carrier, "net_calorific", "CN"))
            lines += _line(
                carrier, terms, totals, factor, kernel.co2_t, kernel.UNIT_SCALE
            )
        accounts[method] = _account(lines)
    return accounts


def _by_use(known: Iterable[Factor]) -> dict[tuple[str, str, str], Factor]:
    """Choose the newest data year of each carrier, basis and region."""
    newest: dict[tuple[str, str, str], Factor] = {}
    for each in known:
        use = (each.carrier, each.basis, each.region)
        other = newest.get(use)
        if other is None or (each.data_year or 0) > (other.data_year or 0):
            newest[use] = each
    return newest


def _line(
    carrier: str,
    terms: dict[str, float],
    totals: dict[str, float | None],
    factor: Factor | None,
    tonnes: Callable[[float, float], NDArray[np.float64]],
    scale: dict[tuple[str, str], float],
) -> list[dict[str, Any]]:
    known = {name: totals[name] for name in terms if totals.get(name) is not None}
    if not known:
        return []
    amount = math.fsum(terms[name] * (known[name] or 0.0) for name in known)
    unit = QUANTITIES[next(iter(terms))].unit
    line: dict[str, Any] = {
        "carrier": carrier,
        "quantities": sorted(known),
        "amount": amount,
        "unit": unit,
        "factor_id": None,
        "factor": None,
        "result_t": None,
    }
    if factor is not None:
        per_unit = factor.value * scale[factor.unit, unit]  # kgCO2 or kgce
        line |= {
            "factor_id": factor.factor_id,
            "factor": factor.code,
            "factor_value": factor.value,
            "factor_unit": factor.unit,
            "data_year": factor.data_year,
            "verified": factor.verified,
            "result_t": float(tonnes(amount, per_unit)),
        }
    return [line]


def _account(lines: list[dict[str, Any]]) -> Account:
    results = [each["result_t"] for each in lines]
    complete = bool(lines) and None not in results
    return Account(total=math.fsum(results) if complete else None, lines=lines)
