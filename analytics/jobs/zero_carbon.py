"""The zero-carbon-park report: core and guiding indicators, and what would reach them.

It is of a natural year and says what is missing; the page shows the last twelve months
(:mod:`analytics.jobs.core_indicator`). Both reckon by :mod:`analytics.zero_carbon`.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from analytics import zero_carbon as kernel
from analytics.intensity import ratio
from analytics.jobs import yearly
from analytics.jobs.evaluating import evaluated, years_of
from analytics.jobs.packs import Indicator, shipped
from analytics.jobs.park_values import ParkYears
from store.database import Connection
from store.records import Subject

PACK, METHOD, ENERGY = "zero_carbon_park", "zero_carbon_park", "equal_value"


def report(
    conn: Connection,
    subject: Subject,
    year: int,
    *,
    clean: str = "non_fossil",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give the report of 发改环资〔2025〕910号 for a park and a natural year.

    Raises
    ------
    Invalid
        For a subject that is no park, or an unknown definition of clean energy.

    Notes
    -----
    Core indicator: E_park / comprehensive energy consumption with electricity at its equal
    value; CO2 only, processes included, proven green power 0, other power 0.8325 kgCO2/kWh.
    """
    values = years_of(
        conn,
        subject,
        clean=clean,
        known_on=known_on,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    (pack,) = [each for each in shipped() if each.name == PACK]
    found = evaluated(values, pack, year)
    core = found["indicators"][0]
    one = values.year(year)
    co2, energy = one.decided[METHOD], one.decided[ENERGY]
    found["rules"] = {"co2": co2.rule, "energy": energy.rule}
    found["co2_t"] = co2.value_t if co2.decides else None
    found["energy_tce"] = energy.value_t if energy.decides else None
    found["core"] = core["value"]
    found["cautions"] = list(_cautions(found, values, year))
    found["parts"] = []
    found["steps"] = []
    found["reach"] = []
    if co2.rule == energy.rule == yearly.METERED:
        found |= _levers(values, year, pack.indicators[0], core, found)
    return found


def _cautions(found: dict[str, Any], values: ParkYears, year: int) -> Iterator[str]:
    energy = found["energy_tce"]
    if energy is not None and energy < kernel.SIZES_TCE[0]:
        yield (
            f"{energy:,.0f} tce is below 200 000 tce: no band is given, so nothing is met "
            "or missed"
        )
    if found["co2_t"] is None or energy is None:
        yield (
            f"{year} is {found['rules']['co2']} for CO2 and {found['rules']['energy']} for "
            "energy: the core indicator is unknown"
        )
    book = values.year(year).book
    if book is not None and book.green.wrong[0].any():
        yield "green power is matched that is not proven: see errors of the accounts"
    yield f"clean energy is not defined in the attachment; taken: {values.clean}"


def _levers(
    values: ParkYears,
    year: int,
    indicator: Indicator,
    core: dict[str, Any],
    found: dict[str, Any],
) -> dict[str, Any]:
    """Tell what the rest consists of, and how far each lever goes."""
    one = values.year(year)
    emissions, energies = one.emissions(METHOD), one.carriers(ENERGY)
    total, energy = found["co2_t"], found["energy_tce"]
    grid_kwh, grid_t = one.grid(METHOD)
    names = sorted(emissions, key=lambda name: -emissions[name])
    parts = [
        {
            "carrier": name,
            "co2_t": emissions[name],
            "share": _ratio(emissions[name], total),
            "energy_tce": energies.get(name),
            "of_core": _ratio(emissions[name], energy),
        }
        for name in names
    ]
    steps = [_step("as it is", "", total, energy)]
    left = total - max(grid_t, 0.0)
    assumed = "all power that is not proven green becomes so; the energy stays the same"
    steps.append(_step("all power green", assumed, left, energy))
    rest = [name for name in names if name != "electricity" and emissions[name] > 0]
    for name in rest:
        left -= emissions[name]
        words = f"nothing of {name} emits; the energy stays the same"
        steps.append(_step(f"and {name}", words, left, energy))
    reach = [
        _reach(level, grid_kwh, grid_t, total, energy, core)
        for level in dict.fromkeys(
            each.at_most for each in indicator.classes if each.at_most is not None
        )
    ]
    return {"parts": parts, "steps": steps, "reach": reach}


def _step(
    name: str, assumption: str, co2_t: float, energy_tce: float
) -> dict[str, Any]:
    core = _ratio(co2_t, energy_tce)
    return {"name": name, "assumption": assumption, "co2_t": co2_t, "core": core}


def _reach(
    level: float,
    grid_kwh: float,
    grid_t: float,
    total: float,
    energy: float,
    core: dict[str, Any],
) -> dict[str, Any]:
    """Tell what a level asks for: by green power alone, and what must come from elsewhere."""
    found = kernel.reach(total, energy, grid_t, grid_kwh, level)
    return {
        "at_most": level,
        "applies": core["at_most"] == level,
        "to_cut_t": found.gap_t,
        "by_green_power_t": found.gap_t - found.rest_t,
        "green_power_kwh": found.green_kwh if math.isfinite(found.green_kwh) else None,
        "by_heat_and_fuel_t": found.rest_t,
        "power_alone_reaches": found.rest_t == 0,
    }


def _ratio(top: float, below: float) -> float | None:
    value = float(ratio(top, below))
    return None if math.isnan(value) else value
