"""What-if lines of a subject: measures chained on one metered year, drawn over later ones."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from analytics import whatif
from analytics.jobs import methods, yearly
from analytics.jobs.accounting import CARRIERS, Account
from analytics.whatif import Assumption, Effect
from store.database import Connection
from store.errors import Invalid
from store.records import Subject

GJ_PER_TCE = 29.3076
LONGEST_YEAR_H = 8784.0


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is asked for; what is not named is not done."""

    pv_kwp: float = 0.0
    full_load_hours: float = 1000.0
    self_use: float = 1.0
    electrify: str | None = None  # a fuel
    electrify_share: float = 0.0
    fuel_efficiency: float = 0.9
    electric_efficiency: float = 1.0
    green_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Base:
    """The year that the measures change."""

    co2_t: float
    grid_kwh: float  # taken without proof of green origin
    grid_kg_per_kwh: float


def what_if(
    conn: Connection,
    subject: Subject,
    year: int,
    measures: Measures,
    *,
    method: str = "zero_carbon_park",
    first: int | None = None,
    last: int | None = None,
    ramp_years: int = 1,
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Draw emissions of later years with measures taken, and name what it rests on.

    Parameters
    ----------
    year
        Metered and complete; all else stays as it was in it.
    first, last
        First year with any effect and last year drawn; None: the year after, and five.

    Raises
    ------
    Invalid
        When the year is not complete, a number has no meaning, the method does not know
        green power, or the fuel was not burnt.

    Notes
    -----
    Chained in this order: photovoltaic power replaces grid power, a fuel is replaced by
    grid power, and a share of what is then taken is bought green. So no kWh is saved
    twice. Arithmetic; no prices, no forecast.
    """
    chosen = next((m for m in methods.of_kind("co2") if m.name == method), None)
    if chosen is None:
        names = ", ".join(each.name for each in methods.of_kind("co2"))
        raise Invalid(f"method {method[:70]!r} is none of {names}")
    if measures.green_share and chosen.green != "zero":
        raise Invalid(
            f"{method} does not know green power: its factor would not change"
        )
    if measures.full_load_hours > LONGEST_YEAR_H:
        raise Invalid(
            f"{measures.full_load_hours:g} full-load hours are more than a year has"
        )
    first = year + 1 if first is None else first
    last = first + 4 if last is None else last
    if not year < first <= last or last - year > 60:
        raise Invalid(f"{first} to {last} do not lie after {year}")
    record = yearly.load(
        conn,
        subject,
        first=year,
        last=year,
        known_on=known_on,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    (known,) = yearly.years(record, method)
    if known.rule != yearly.METERED or known.value_t is None or record.metered is None:
        raise Invalid(
            f"{year} is {known.rule}: measures need a year that meters cover, by carrier"
        )
    account = record.metered.carbon[method]
    row = record.metered.row(subject.enterprise)
    base = _base(account, row, known.value_t)
    energy = record.metered.coal["calorific"]
    effects = _effects(account, energy, row, base, measures)
    years = range(year, last + 1)
    flat = np.full(len(years), known.value_t)
    try:
        line, named = whatif.line(flat, effects, first - year, ramp_years)
    except ValueError as error:
        raise Invalid(str(error)) from error
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "year": year,
        "method": method,
        "as_known_on": known_on.isoformat() if known_on else None,
        "base_t": known.value_t,
        "grid_kwh": base.grid_kwh,
        "grid_kg_per_kwh": base.grid_kg_per_kwh,
        "effects": [
            {
                "measure": each.measure,
                "co2_t": each.co2_t,
                "grid_kwh": each.grid_kwh,
                "assumptions": [_told(a) for a in each.assumptions],
            }
            for each in effects
        ],
        "assumptions": [
            *(_told(each) for each in named[len(named) - 2 :]),
            {"name": "all_else_as_in", "value": float(year), "unit": "year"},
        ],
        "lines": [
            {"year": each, "without_t": without, "with_t": done}
            for each, without, done in zip(
                years, flat.tolist(), line.tolist(), strict=True
            )
        ],
    }


def _told(of: Assumption) -> dict[str, Any]:
    return {"name": of.name, "value": of.value, "unit": of.unit}


def _base(account: Account, row: int, co2_t: float) -> Base:
    """Give power without proof of a year, and the mean factor that it had."""
    kwh = result = 0.0
    for line in account.lines:
        if not line.counts or line.part != "electricity" or line.origin == "green":
            continue
        known = ~np.isnan(line.amount[row])
        kwh += math.fsum(line.amount[row, known].tolist())
        result += math.fsum(line.result[row, known].tolist())
    factor = 1000.0 * result / kwh if kwh > 0 else math.nan
    return Base(co2_t=co2_t, grid_kwh=kwh, grid_kg_per_kwh=factor)


def _effects(
    account: Account, energy: Account, row: int, base: Base, measures: Measures
) -> list[Effect]:
    found: list[Effect] = []
    grid = base.grid_kwh
    wanted = measures.pv_kwp or measures.green_share or measures.electrify_share
    if wanted and math.isnan(base.grid_kg_per_kwh):
        raise Invalid(
            "no power was taken from the grid without proof: it has no factor"
        )
    try:
        if measures.pv_kwp:
            found.append(
                whatif.more_pv(
                    measures.pv_kwp,
                    measures.full_load_hours,
                    measures.self_use,
                    grid,
                    base.grid_kg_per_kwh,
                )
            )
            grid += found[-1].grid_kwh
        if measures.electrify is not None:
            units, per_unit = _fuel(account, row, measures.electrify)
            found.append(
                whatif.electrified(
                    measures.electrify_share,
                    units,
                    per_unit,
                    _heat(energy, row, measures.electrify),
                    measures.fuel_efficiency,
                    measures.electric_efficiency,
                    base.grid_kg_per_kwh,
                )
            )
            grid += found[-1].grid_kwh
        if measures.green_share:
            found.append(
                whatif.green_power(measures.green_share, grid, base.grid_kg_per_kwh)
            )
    except ValueError as error:
        raise Invalid(str(error)) from error
    return found


def _fuel(account: Account, row: int, carrier: str) -> tuple[float, float]:
    """Give what was burnt of a fuel, and its tonnes per unit."""
    amount = result = 0.0
    for line in account.lines:
        if line.counts and line.part == "fuel" and line.carrier == carrier:
            known = ~np.isnan(line.amount[row])
            amount += math.fsum(line.amount[row, known].tolist())
            result += math.fsum(line.result[row, known].tolist())
    if carrier not in CARRIERS or amount <= 0:
        raise Invalid(f"no {carrier[:70]!r} was burnt in the year")
    return amount, result / amount


def _heat(energy: Account, row: int, carrier: str) -> float:
    """Give a fuel's net heat [GJ/unit], by the coal equivalent that it has."""
    amount, tce = _fuel(energy, row, carrier)
    if math.isnan(tce):
        raise Invalid(f"{amount:g} of {carrier} have no coal equivalent")
    return tce * GJ_PER_TCE
