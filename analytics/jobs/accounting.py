"""Amounts times factors: tonnes of coal equivalent and of CO2, line by line.

One function serves the book of a park (all subjects by month) and the figures of one
subject, so that both give the same bits. Which factor a method takes stands in
``analytics/methods/*.yaml``.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import accounts, energy
from analytics import carbon as kernel
from analytics.jobs.choosing import NONE, Chooser
from analytics.jobs.methods import Method, of_kind
from store.quantities import QUANTITIES
from store.records import Factor

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

# Metered carriers: part of the account, and the terms of what is consumed. Water,
# wastewater and compressed air are media: they count only when bought from outside,
# which a meter does not tell.
CARRIERS: dict[str, tuple[str, dict[str, float]]] = {
    "electricity": ("electricity", {"energy_import": 1.0, "pv_generation": 1.0}),
    "natural_gas": ("fuel", {"natural_gas": 1.0}),
    "heat": ("heat", {"heat": 1.0, "steam": kernel.STEAM_GJ_PER_T}),
    "coal": ("fuel", {"coal": 1.0}),
    "coke": ("fuel", {"coke": 1.0}),
    "fuel_oil": ("fuel", {"fuel_oil": 1.0}),
    "diesel": ("fuel", {"diesel": 1.0}),
    "gasoline": ("fuel", {"gasoline": 1.0}),
    "lpg": ("fuel", {"lpg": 1.0}),
    "lng": ("fuel", {"lng": 1.0}),
}
# what is given to others, at the factor of its kind
EXPORTS: dict[str, dict[str, float]] = {"electricity": {"energy_export": 1.0}}
COUNTED = tuple(
    name
    for terms in [*(each[1] for each in CARRIERS.values()), *EXPORTS.values()]
    for name in terms
)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Amounts of some subjects in some cells of time, shape (subjects, cells) each."""

    amounts: dict[str, Float64]  # by quantity, in its canonical unit; NaN: unknown
    shape: tuple[int, int]
    park_row: int | None  # the row of the park, where it is among the subjects
    rows: dict[int, int]  # of each subject's id


@dataclass(frozen=True, kw_only=True)
class Line:
    """One carrier's amounts times the factors that apply to them."""

    carrier: str
    part: str  # fuel, process, gas, electricity, heat or medium
    origin: str  # metered, stated or green
    unit: str
    terms: dict[str, Float64]  # the quantities that the amount adds up
    amount: Float64  # [unit]; NaN: unknown
    factor: Int64  # place in Account.factors; -1: none applies
    result: Float64  # [t]; NaN where amount or factor is unknown
    counts: bool = True  # False: listed beside the total


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a method makes of a sheet; arrays of shape (subjects, cells)."""

    method: Method
    total: Float64  # [t]; NaN where nothing is known or a factor is missing
    unpriced: Bool  # where a known amount has no factor
    parts: dict[str, Float64]  # the total by part; NaN where the part is unknown
    lines: tuple[Line, ...]
    factors: tuple[Factor, ...]

    @property
    def scope_1(self) -> Float64:
        """Fuels, processes and gases set free [t]."""
        return self._sum("fuel", "process", "gas")

    @property
    def scope_2(self) -> Float64:
        """Electricity and heat [t]."""
        return self._sum("electricity", "heat")

    def _sum(self, *names: str) -> Float64:
        nothing = np.full(self.total.shape, np.nan)
        here = [(1.0, self.parts[name]) for name in names if name in self.parts]
        spoilt = np.any(
            [_unpriced(line) for line in self.lines if line.part in names]
            or [np.zeros(self.total.shape, np.bool_)],
            axis=0,
        )
        return np.where(spoilt, np.nan, accounts.known_sum([(0.0, nothing), *here]))

    def over_cells(self, row: int) -> float | None:
        """Give a subject's total over all cells; None where any lacks a factor."""
        if self.unpriced[row].any():
            return None
        return known_total(self.total[row])

    def told(self, row: int) -> list[dict[str, Any]]:
        """Give a subject's lines over all cells, one for each factor."""
        return [each for line in self.lines for each in _told(self, line, row)]


def known_total(values: Float64) -> float | None:
    """Add what is known of a row of cells; None where nothing is."""
    known = values[~np.isnan(values)]
    return math.fsum(known.tolist()) if known.size else None


def coal(sheet: Sheet, chooser: Chooser) -> dict[str, Account]:
    """Give tonnes of coal equivalent by method: calorific (当量), equal_value (等价)."""
    return {
        each.name: account(sheet, each, chooser, energy.UNIT_SCALE)
        for each in of_kind("energy")
    }


def carbon(sheet: Sheet, chooser: Chooser) -> dict[str, Account]:
    """Give tonnes of CO2 by method."""
    return {
        each.name: account(sheet, each, chooser, kernel.UNIT_SCALE)
        for each in of_kind("co2")
    }


def account(
    sheet: Sheet, method: Method, chooser: Chooser, scale: dict[tuple[str, str], float]
) -> Account:
    """Apply a method to a sheet."""
    lines = [
        line
        for carrier, (part, terms) in CARRIERS.items()
        for line in _metered(sheet, method, chooser, scale, carrier, part, terms)
    ]
    counting = [each for each in lines if each.counts]
    nothing = np.full(sheet.shape, np.nan)
    total, unpriced = accounts.total(
        [(nothing, nothing), *((each.amount, each.result) for each in counting)]
    )
    parts = {
        part: accounts.known_sum(
            [(1.0, each.result) for each in counting if each.part == part]
        )
        for part in dict.fromkeys(each.part for each in counting)
    }
    return Account(
        method=method,
        total=total,
        unpriced=unpriced,
        parts=parts,
        lines=tuple(lines),
        factors=chooser.factors,
    )


def _metered(
    sheet: Sheet,
    method: Method,
    chooser: Chooser,
    scale: dict[tuple[str, str], float],
    carrier: str,
    part: str,
    terms: dict[str, float],
) -> Iterator[Line]:
    """Give a carrier's line, and one for what it gives to others where that is listed."""
    if part not in method.factors:
        return
    weights = dict(terms)
    if method.own_pv != "consumed":
        weights.pop("pv_generation", None)
    given = EXPORTS.get(carrier, {})
    if method.export == "subtracted":
        weights |= {name: -weight for name, weight in given.items()}
        given = {}
    for names, counts in ((weights, True), (given, False)):
        here = {name: sheet.amounts[name] for name in names if name in sheet.amounts}
        if not here:
            continue
        amount = accounts.known_sum([(names[name], here[name]) for name in here])
        unit = QUANTITIES[next(iter(terms))].unit
        factor = chooser.choose(method.kind, carrier, method.factors[part])
        yield priced(
            chooser.factors,
            scale,
            Line(
                carrier=carrier,
                part=part,
                origin="metered",
                unit=unit,
                terms=here,
                amount=amount,
                factor=factor,
                result=amount,
                counts=counts,
            ),
        )


def priced(
    factors: Sequence[Factor], scale: dict[tuple[str, str], float], line: Line
) -> Line:
    """Give a line its result: amount times factor."""
    per_unit = np.full(line.amount.shape, np.nan)
    for place in np.unique(line.factor):
        if place != NONE:
            factor = factors[place]
            kg = factor.value * scale[factor.unit, line.unit]  # kgCO2 or kgce
            per_unit[line.factor == place] = kg
    result = np.asarray(line.amount * per_unit / 1000.0)
    return Line(**(vars(line) | {"result": result}))


def _unpriced(line: Line) -> Bool:
    return line.counts & ~np.isnan(line.amount) & np.isnan(line.result)


def _told(whole: Account, line: Line, row: int) -> Iterator[dict[str, Any]]:
    known = ~np.isnan(line.amount[row])
    for place in dict.fromkeys(line.factor[row][known].tolist()):
        cells = known & (line.factor[row] == place)
        told: dict[str, Any] = {
            "carrier": line.carrier,
            "part": line.part,
            "origin": line.origin,
            "counts": line.counts,
            "quantities": sorted(
                name
                for name, each in line.terms.items()
                if not np.isnan(each[row, cells]).all()
            ),
            "amount": math.fsum(line.amount[row, cells].tolist()),
            "unit": line.unit,
            "factor_id": None,
            "factor": None,
            "result_t": None,
        }
        if place != NONE:
            factor = whole.factors[place]
            told |= {
                "factor_id": factor.factor_id,
                "factor": factor.code,
                "factor_value": factor.value,
                "factor_unit": factor.unit,
                "data_year": factor.data_year,
                "verified": factor.verified,
                "result_t": math.fsum(line.result[row, cells].tolist()),
            }
        yield told
