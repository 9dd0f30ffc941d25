"""Amounts times factors: tonnes of coal equivalent and of CO2, line by line.

One function serves the book of a park (all subjects by month) and the figures of one
subject, so that both give the same bits. Which factor a method takes stands in
``analytics/methods/*.yaml``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analytics import accounts, energy
from analytics import carbon as kernel
from analytics.jobs import activities
from analytics.jobs.activities import PRODUCTS, Stated
from analytics.jobs.choosing import NONE, Chooser
from analytics.jobs.green import Green
from analytics.jobs.methods import PARTS, Choice, Method, of_kind
from analytics.jobs.nested import Behind, own_parts
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
EXPORTS: dict[str, dict[str, float]] = {
    "electricity": {"energy_export": 1.0},
    "heat": {"heat_export": 1.0, "steam_export": kernel.STEAM_GJ_PER_T},
}
PROVEN = Choice(basis="proven_green", region="CN", year="newest_published")
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
    rows: dict[int, int]  # of each enterprise's id
    stated: tuple[Stated, ...]
    green: Green
    behind: Behind = field(default_factory=dict)


Origin = Literal["metered", "stated", "green"]
Rule = (
    activities.Rule
    | Literal["export_listed", "self_use", "certificates_sold", "proven_green"]
)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One carrier's amounts and which factor they take."""

    carrier: str
    part: str  # one of methods.PARTS
    origin: Origin
    unit: str
    amount: Float64  # [unit]; NaN: unknown
    choice: Choice
    terms: Mapping[str, Float64] = field(default_factory=dict)  # what it adds up
    # what meters say, with power that is proven green and heat that is given on
    gross: Float64 | None = None
    # of it proven green, less own power given away that another of the park proves
    proven: Float64 | None = None
    counts: bool = True  # False: listed beside the total
    rule: Rule | None = None  # why it counts or does not
    ids: Mapping[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Line(Draft):
    """Amounts times the factors that apply to them."""

    factor: Int64  # place in Account.factors; -1: none applies
    result: Float64  # [t]; NaN where amount or factor is unknown


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a method makes of a sheet; arrays of shape (subjects, cells)."""

    method: Method
    total: Float64  # [t]; NaN where nothing is known or a factor is missing
    unpriced: Bool  # where a known amount has no factor
    parts: dict[str, Float64]  # the total by part; NaN where the part is unknown
    unpriced_parts: dict[str, Bool]
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

    @property
    def carriers(self) -> dict[str, Float64]:
        """The total by carrier [t]; NaN where the carrier is unknown."""
        return {
            carrier: accounts.total(
                [
                    (each.amount, each.result)
                    for each in self.lines
                    if each.counts and each.carrier == carrier
                ]
            )[0]
            for carrier in dict.fromkeys(e.carrier for e in self.lines if e.counts)
        }

    def _sum(self, *names: str) -> Float64:
        here = [name for name in names if name in self.parts]
        nothing = np.full(self.total.shape, np.nan)
        known = accounts.known_sum(
            [(1.0, nothing), *((1.0, self.parts[name]) for name in here)]
        )
        for name in here:
            known[self.unpriced_parts[name]] = np.nan
        return known

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
    drafts = [*_metered(sheet, method), *_stated(sheet, method)]
    drafts = _with_green(sheet, method, drafts)
    lines = [
        line
        for draft in drafts
        for line in _priced(sheet, chooser, method.kind, scale, draft)
    ]
    parts: dict[str, Float64] = {}
    unpriced: dict[str, Bool] = {}
    for part in PARTS:
        mine = [(e.amount, e.result) for e in lines if e.counts and e.part == part]
        if mine:
            parts[part], unpriced[part] = accounts.total(mine)
    if method.green == "zero" and sheet.green.wrong.any():
        # an error, and never another factor
        wrong, nothing = sheet.green.wrong, np.full(sheet.shape, np.nan)
        unpriced["electricity"] = wrong | unpriced.get("electricity", wrong)
        known = parts.get("electricity", nothing)
        parts["electricity"] = np.where(wrong, np.nan, known)
    lacking = np.zeros(sheet.shape, np.bool_)
    for each in unpriced.values():
        lacking |= each
    total = accounts.known_sum(
        [(1.0, np.full(sheet.shape, np.nan)), *((1.0, each) for each in parts.values())]
    )
    return Account(
        method=method,
        total=np.where(lacking, np.nan, total),
        unpriced=lacking,
        parts=parts,
        unpriced_parts=unpriced,
        lines=tuple(lines),
        factors=chooser.factors,
    )


def _metered(sheet: Sheet, method: Method) -> Iterator[Draft]:
    """Give a draft of each carrier, and of what is given to others where that is listed."""
    for carrier, (part, terms) in CARRIERS.items():
        weights = dict(terms)
        if method.own_pv != "consumed":
            weights.pop("pv_generation", None)
        given = EXPORTS.get(carrier, {})
        net = weights | {name: -weight for name, weight in given.items()}
        listed = method.export == "listed" and bool(given)
        whole = _sum(sheet, weights if listed else net)
        beside = _sum(sheet, given) if listed else None
        if listed and carrier == "heat" and sheet.park_row is not None:
            # heat goes no further than the park: there it was bought by somebody else
            row, of_park = sheet.park_row, _sum(sheet, net)
            if whole is not None and of_park is not None:
                whole[row] = of_park[row]
            if beside is not None:
                beside[row] = np.nan
        if carrier == "heat" and sheet.park_row is not None and whole is not None:
            whole[sheet.park_row] += _came_back(sheet, sheet.park_row)
        for names, amount, counts in (
            (weights if listed else net, whole, True),
            (given, beside, False),
        ):
            if amount is not None:
                yield Draft(
                    carrier=carrier,
                    part=part,
                    origin="metered",
                    unit=QUANTITIES[next(iter(terms))].unit,
                    terms={q: sheet.amounts[q] for q in names if q in sheet.amounts},
                    amount=amount,
                    gross=_sum(sheet, weights) if carrier == "heat" else amount,
                    choice=method.factors[part],
                    counts=counts,
                    rule=None if counts else "export_listed",
                )


def _came_back(sheet: Sheet, park_row: int) -> Float64:
    """Give heat that a meter says was given and its taker has stated, shape (cells,) [GJ].

    No other amount of the park's row has it, so there it was not given away either.
    """
    given, found = _sum(sheet, EXPORTS["heat"]), np.zeros(sheet.shape[1])
    if given is None:
        return found
    for each in sheet.stated:
        if each.rule == "given_by_meter":
            gj = kernel.STEAM_GJ_PER_T if each.item == "steam" else 1.0
            found += np.nan_to_num(each.amount[park_row]) * gj
    return np.asarray(np.minimum(found, np.nan_to_num(given[park_row])))


def _sum(sheet: Sheet, weights: Mapping[str, float]) -> Float64 | None:
    parts = [(w, sheet.amounts[q]) for q, w in weights.items() if q in sheet.amounts]
    return accounts.known_sum(parts) if parts else None


def _stated(sheet: Sheet, method: Method) -> Iterator[Draft]:
    for each in sheet.stated:
        carrier, unit, amount, part = each.item, each.unit, each.amount, "fuel"
        if each.use == "process":
            part = "process"
        elif each.use == "released":
            part = "gas"
        elif each.use == "bought":
            part = carrier if carrier in ("electricity", "heat") else "medium"
            if carrier == "steam":
                part, carrier, unit = "heat", "heat", "gj"
                amount = amount * kernel.STEAM_GJ_PER_T
        if part not in method.factors:
            continue
        choice = method.factors[part]
        if carrier in PRODUCTS:
            choice = replace(choice, basis="process")
        yield Draft(
            carrier=carrier,
            part=part,
            origin="stated",
            unit=unit,
            amount=amount,
            choice=choice,
            counts=each.counts,
            rule=each.rule,
            ids=each.ids,
        )


def _with_green(sheet: Sheet, method: Method, drafts: list[Draft]) -> list[Draft]:
    """Take proven green power out of what the grid's factor applies to."""
    green = sheet.green
    if not (green.ids or green.sold.any()):
        return drafts
    electricity = method.factors["electricity"]
    more: list[Draft] = []

    def add(amount: Float64, choice: Choice, rule: Rule) -> None:
        if (amount > 0).any():
            more.append(
                Draft(
                    carrier="electricity",
                    part="electricity",
                    origin="green",
                    unit="kwh",
                    amount=np.where(amount > 0, amount, np.nan),
                    choice=choice,
                    rule=rule,
                    ids=green.ids,
                )
            )

    if method.own_pv == "consumed":
        add(green.unmetered, electricity, "self_use")
    if method.own_pv == "residual_if_sold":
        add(green.sold, electricity, "certificates_sold")
    if method.green == "zero":
        drafts, green_kwh = _less_green(sheet, method, drafts)
        add(green_kwh, PROVEN, "proven_green")
        add(green.self_use, PROVEN, "self_use")
    return [*drafts, *more]


def _less_green(
    sheet: Sheet, method: Method, drafts: list[Draft]
) -> tuple[list[Draft], Float64]:
    """Take proven green power off what was taken, and give what came off [kWh].

    No more than is left of it all: green power that is given away again is subtracted at
    the factor of its kind, which is 0.
    """
    power = [i for i, d in enumerate(drafts) if d.part == "electricity" and d.counts]
    amounts = (np.nan_to_num(drafts[i].amount) for i in power)
    bound = np.maximum(sum(amounts, np.zeros(sheet.shape)), 0.0)
    proven, inside = sheet.green.proven.copy(), np.zeros(sheet.shape)
    park, rows = sheet.park_row, [*sheet.rows.values()]
    if park is not None and method.export == "subtracted":
        inside = sheet.green.inside
        proven[park] -= inside[park]
        again = np.maximum(proven - bound, 0.0)[rows].sum(axis=0)
        nothing = np.zeros(sheet.shape)
        out = np.nan_to_num(sheet.amounts.get("energy_export", nothing)[park])
        proven[park] -= np.minimum(again, np.maximum(out - inside[park], 0.0))
    green_kwh = np.minimum(proven, bound)
    rest, drafts = green_kwh, [*drafts]
    for as_theirs in (True, False):  # the park's first where its enterprises have it
        for i in power:
            amount, before = drafts[i].amount, drafts[i].proven
            taken = np.minimum(rest, np.maximum(np.nan_to_num(amount), 0.0))
            if as_theirs and park is not None:
                taken[park] = np.minimum(taken[park], taken[rows].sum(axis=0))
            rest = rest - taken
            known = -inside if before is None else before
            drafts[i] = replace(drafts[i], amount=amount - taken, proven=known + taken)
    return drafts, green_kwh


def _priced(
    sheet: Sheet,
    chooser: Chooser,
    kind: str,
    scale: dict[tuple[str, str], float],
    draft: Draft,
) -> Iterator[Line]:
    """Multiply by factors; where an enterprise has its own, the park's line is split."""
    factor = chooser.choose(kind, draft.carrier, draft.choice)
    amount, park = draft.amount, sheet.park_row
    split: list[tuple[Float64, Int64]] = []
    stand_in: dict[int, Bool] = {}
    for owner in (
        chooser.own(kind, draft.carrier, draft.choice) if park is not None else ()
    ):
        row = sheet.rows.get(owner)
        if row is not None:
            own = np.array(
                [chooser.factors[i].subject_id == owner for i in factor[row]]
            )
            own &= ~np.isnan(amount[row]) & ~np.isnan(amount[park])
            stand_in[owner] = own
    if any(own.any() for own in stand_in.values()):
        amount, factor = amount.copy(), factor.copy()
        mine = {owner: draft.amount[sheet.rows[owner]] for owner in stand_in}
        torn = np.zeros(sheet.shape[1], np.bool_)
        if draft.gross is not None:
            proven = np.zeros(sheet.shape) if draft.proven is None else draft.proven
            mine, torn = own_parts(
                draft.gross,
                proven,
                stand_in,
                terms=draft.terms,
                rows=sheet.rows,
                behind=sheet.behind,
            )
            if draft.carrier == "heat":
                # what is given on in the park is heat of its takers, at their factors
                taken, share = draft.gross[park], np.ones(sheet.shape[1])
                np.divide(amount[park], taken, out=share, where=taken > 0)
                mine = {owner: each * share for owner, each in mine.items()}
    for owner, own in stand_in.items():
        if own.any():
            row = sheet.rows[owner]
            part, which = np.full(sheet.shape, np.nan), np.full(sheet.shape, NONE)
            part[park, own], which[park, own] = mine[owner][own], factor[row, own]
            which[park, own & torn] = NONE
            amount[park, own] -= mine[owner][own]
            split.append((part, which))
    for some, places in ((amount, factor), *split):
        result = np.asarray(some * _per_unit(chooser.factors, places, draft, scale))
        yield Line(
            **(vars(draft) | {"amount": some, "factor": places, "result": result / 1e3})
        )


def _per_unit(
    factors: Sequence[Factor],
    places: Int64,
    draft: Draft,
    scale: dict[tuple[str, str], float],
) -> Float64:
    """Give kgCO2 or kgce per unit of the amount."""
    per_unit = np.full(places.shape, np.nan)
    for place in np.unique(places):
        if place != NONE:
            factor = factors[place]
            per_unit[places == place] = factor.value * scale[factor.unit, draft.unit]
    return per_unit


def _told(whole: Account, line: Line, row: int) -> Iterator[dict[str, Any]]:
    known = ~np.isnan(line.amount[row])
    for place in dict.fromkeys(line.factor[row][known].tolist()):
        cells = known & (line.factor[row] == place)
        told: dict[str, Any] = {
            "carrier": line.carrier,
            "part": line.part,
            "origin": line.origin,
            "counts": line.counts,
            "rule": line.rule,
            "evidence": [
                f"{'green match' if line.origin == 'green' else 'activity'} {each}"
                for (at, cell), ids in line.ids.items()
                if at == row and cells[cell]
                for each in ids
            ],
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
