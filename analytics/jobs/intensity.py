"""Intensities of an enterprise, a set of them or a park over months: ratios of sums.

Sums first, division last: of a set over several months each numerator and denominator is
added up over members and months. A member whose part is not known is named, and the sum is
unknown then; nobody is dropped.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from analytics import intensity
from analytics.jobs import accounting
from analytics.jobs.accounting import Account, known_total
from analytics.jobs.added_value import History
from analytics.jobs.grounds import Grounds
from analytics.jobs.months import later, month_edges
from analytics.jobs.stated import (
    NOTHING,
    Amount,
    Flow,
    exact,
    first_day,
    index,
    level,
    period_name,
    together,
)
from analytics.registers import Float64
from store.quantities import POLLUTANTS
from store.readings import to_us

WHOLE = ("park", "enterprises", "above_size")
WATER = {  # what meters count of it, and what is stated of it
    "water_m3": ("water", "fresh_water"),
    "wastewater_m3": ("wastewater", "wastewater"),
}
M2_PER_HA = 10_000.0
LEVELS = {"land_ha": "land_area", "building_ha": "building_area", "head": "heads"}


@dataclass(frozen=True, kw_only=True)
class Group:
    """Whose figures are added up."""

    name: str  # enterprise, or one of WHOLE
    ids: tuple[int, ...]
    park_row: bool = False  # numerators are the park's own, flows inside it netted
    year: int | None = None  # of the set above designated size
    unsaid: tuple[str, ...] = ()  # of whom that year's size is not stated


def group_of(
    grounds: Grounds, name: str, year: int, enterprise: int | None = None
) -> Group:
    """Give one enterprise, or the enterprises that a name means in a year."""
    if enterprise is not None:
        return Group(name="enterprise", ids=(enterprise,))
    if name == "above_size":
        return Group(
            name=name,
            ids=tuple(grounds.members(year)),
            year=year,
            unsaid=tuple(grounds.unsaid(year)),
        )
    return Group(name=name, ids=tuple(grounds.codes), park_row=name == "park")


def figure(grounds: Grounds, group: Group, first: int, stop: int) -> dict[str, Any]:
    """Give all intensities of a group over months [first, stop).

    Returns
    -------
    dict
        `publishable` where the period is over and meters cover enough of it, of energy and
        carbon; of water and pollutants :func:`quality` tells. `per` holds
        each denominator with its ratios; null is unknown, and `missing` says whose part.
    """
    coverage = coverage_of(grounds, group, first, stop)
    top = numerators(grounds, group, first, stop)
    value = _added_value(grounds, grounds.current, group, first, stop)
    per: dict[str, Any] = {"added_value_10k_cny": _per(top, value)}
    if grounds.price_base is not None:
        real = _added_value(grounds, grounds.real, group, first, stop)
        per["added_value_comparable_10k_cny"] = _per(top, real)
    for name, kind in LEVELS.items():
        below = _level(grounds, group, kind, first, stop)
        if below["amount"] is not None and kind != "heads":
            below["amount"] /= M2_PER_HA
        per[name] = _per(top, below) | {
            "added_value_10k_cny": _ratio(value["amount"], below["amount"])
        }
    complete = stop <= grounds.running
    return {
        "period": period_name(first, stop),
        "from": first_day(first).isoformat(),
        "to": first_day(stop).isoformat(),
        "of": group.name,
        "members": [grounds.codes[each] for each in group.ids],
        "set_year": group.year,
        "size_not_stated": list(group.unsaid),
        "complete": complete,
        "coverage": coverage,
        "publishable": complete
        and coverage is not None
        and coverage >= grounds.minimum_coverage,
        **top,
        "per": per,
        "per_product": _products(grounds, group, first, stop),
    }


def energy_and_carbon(
    grounds: Grounds,
    group: Group,
    first: int,
    stop: int,
    names: Iterable[tuple[str, str]],
) -> dict[str, Any]:
    """Give some accounts and the added value alone: the same bits as in `figure`.

    Parameters
    ----------
    names
        ``tce`` or ``co2_t``, and the method.
    """
    books = {"tce": grounds.book.coal, "co2_t": grounds.book.carbon}
    rows, complete = _rows(grounds, group), stop <= grounds.running
    coverage = coverage_of(grounds, group, first, stop)
    value = _added_value(grounds, grounds.current, group, first, stop)
    return {
        "complete": complete,
        "coverage": coverage,
        "publishable": complete
        and coverage is not None
        and coverage >= grounds.minimum_coverage,
        "numerators": {
            (kind, name): _accounts(
                grounds, {name: books[kind][name]}, rows, first, stop
            )[name]
            for kind, name in names
        },
        "per": {"added_value_10k_cny": value},
    }


def quality(
    found: dict[str, Any], name: str, method: str | None
) -> tuple[float | None, bool]:
    """Give coverage of one numerator of a figure, and whether it may be published.

    That of water and of a pollutant is its own, null where statements alone tell it.
    """
    own = found["pollutant_kg"].get(method) if name == "pollutant_kg" else None
    if name in WATER:
        own = found[name]
    if own is None:
        return found["coverage"], found["publishable"]
    return own["coverage"], found["complete"] and own["amount"] is not None


def numerators(grounds: Grounds, group: Group, first: int, stop: int) -> dict[str, Any]:
    """Add up energy, carbon, water and pollutants; null where a member's is unknown."""
    rows = _rows(grounds, group)
    return {
        "tce": _accounts(grounds, grounds.book.coal, rows, first, stop),
        "co2_t": _accounts(grounds, grounds.book.carbon, rows, first, stop),
        **{name: water(grounds, group, name, first, stop) for name in WATER},
        "pollutant_kg": _pollutants(grounds, group, first, stop),
    }


def _rows(grounds: Grounds, group: Group) -> list[int]:
    return [0] if group.park_row else [grounds.rows[each] for each in group.ids]


def _accounts(
    grounds: Grounds, of: dict[str, Account], rows: list[int], first: int, stop: int
) -> dict[str, float | None]:
    columns = grounds.columns(first, stop)
    return {
        name: _sum(
            None
            if each.unpriced[row, columns].any()
            else known_total(each.total[row, columns])
            for row in rows
        )
        for name, each in of.items()
    }


def coverage_of(grounds: Grounds, group: Group, first: int, stop: int) -> float | None:
    """Give the lowest share known of a counted quantity; null where none is expected.

    Time in which nobody measured the member yet, or any more, is not known either: its
    added value counts, its energy is not there.
    """
    book, columns = grounds.book, grounds.columns(first, stop)
    lowest: float | None = None
    for row in _rows(grounds, group):
        shares = []
        for name in accounting.COUNTED:
            if name not in book.expected_s:
                continue
            due = math.fsum(book.expected_s[name][row, columns].tolist())
            if due > 0:
                known = math.fsum(
                    [
                        *book.measured_s[name][row, columns].tolist(),
                        *book.estimated_s[name][row, columns].tolist(),
                    ]
                )
                shares.append(min(known / due, 1.0))
        if not shares:
            return None  # nobody measures this member
        share = min(shares) * _counted(grounds, row, columns)
        lowest = share if lowest is None else min(lowest, share)
    return lowest


def _counted(grounds: Grounds, row: int, columns: slice) -> float:
    """Give the share of the months that are over in which any meter counted."""
    book = grounds.book
    whole, counted = [], []
    for column in range(columns.start, columns.stop):
        if index(book.months[column]) >= grounds.running:
            continue
        whole.append(_seconds(grounds, column))
        here = [
            float(book.counted_s[name][row, column])
            for name in accounting.COUNTED
            if name in book.counted_s
        ]
        counted.append(min(whole[-1], max(here, default=0.0)))
    return math.fsum(counted) / math.fsum(whole) if whole else 1.0


def _seconds(grounds: Grounds, column: int) -> float:
    return _length(grounds.park.zone, grounds.book.months[column])


@lru_cache(maxsize=1000)
def _length(zone: str, month: date) -> float:
    start, end = month_edges(ZoneInfo(zone), month, later(month, 1))
    return (to_us(end) - to_us(start)) / 1e6


def water(
    grounds: Grounds, group: Group, name: str, first: int, stop: int
) -> dict[str, Any]:
    """Add water or wastewater by months, as metered or else as stated.

    Returns
    -------
    dict
        `amount` is null where somebody's is not known, and `missing` says whose; `known` is
        of the others. `coverage` is the lowest known share of a month that rests on meters;
        null: none does.
    """
    quantity, kind = WATER[name]

    def member(each: int, low: int, high: int) -> _Discharged:
        said = grounds.flows.get((each, kind, None, "m3"), NOTHING)
        return _discharged(grounds, grounds.rows[each], quantity, said, low, high)

    parts: list[tuple[str, _Discharged]] = []
    for low, high, alone in _gated(grounds, group, quantity, first, stop):
        if alone:
            park = _discharged(grounds, 0, quantity, NOTHING, low, high)
            parts.append((grounds.park.code, park))
            continue
        members = {each: member(each, low, high) for each in group.ids}
        if group.park_row:
            park, members = _netted(grounds, quantity, members, low, high)
            parts.append((grounds.park.code, park))
        parts += [(grounds.codes[each], of) for each, of in members.items()]
    found = _together(parts)
    names = {"measured": "metered", "stated": "stated"}
    return {
        "amount": found["amount"],
        "known": found["known"],
        "basis": [names[each] for each in found["basis"]],
        "coverage": found["coverage"],
        "missing": found["missing"],
    }


def _gated(
    grounds: Grounds, group: Group, quantity: str, first: int, stop: int
) -> list[tuple[int, int, bool]]:
    """Cut months where a meter of the park begins or ends to count for all members."""
    alone_s = grounds.book.park_alone_s.get(quantity)
    if not group.park_row or alone_s is None:
        return [(first, stop, False)]
    found: list[tuple[int, int, bool]] = []
    for month in range(first, stop):
        column = grounds.columns(month, month + 1).start
        over = _seconds(grounds, column) if month < grounds.running else 0.0
        counted = alone_s[column]
        alone = bool(counted > 0 and counted >= grounds.minimum_coverage * over)
        if found and (found[-1][2] == alone or month > grounds.running):
            found[-1] = (found[-1][0], month + 1, found[-1][2])
        else:
            found.append((month, month + 1, alone))
    return found


def _netted(
    grounds: Grounds,
    quantity: str,
    members: dict[int, "_Discharged"],
    first: int,
    stop: int,
) -> tuple["_Discharged", dict[int, "_Discharged"]]:
    """Take what meters measured from the park's row, in which nobody stands twice.

    What they measured and does not count, as a statement does, is taken off. What those
    say who stand behind a meter that counts is in what it measured.
    """
    columns = grounds.columns(first, stop)
    amounts = grounds.book.amounts.get(quantity)
    measured, split = None, False
    within = _within(grounds, quantity, members, first, stop)
    beside = {each: of for each, of in members.items() if each not in within}
    counted = [(of.measured if of.known else None) for of in beside.values()]
    if amounts is not None and any(each is not None for each in counted):
        top, split = _at_the_top(grounds, quantity, members, columns)
        rows = [grounds.rows[each] for each in beside]
        parts = [known_total(amounts[row, columns]) or 0.0 for row in rows]
        pairs = zip(parts, counted, strict=True)
        measured = top - math.fsum(part - (of or 0.0) for part, of in pairs)
    return (
        _Discharged(None if split else measured, None, math.inf, known=not split),
        {each: of._replace(measured=None) for each, of in beside.items()},
    )


def _at_the_top(
    grounds: Grounds, quantity: str, members: Iterable[int], columns: slice
) -> tuple[float, bool]:
    """Add what members took who stand behind nobody, and tell if one does so in part.

    It is the park's row but in a month that has something of the park's own meter.
    """
    book, parts, split = grounds.book, [], False
    alone_s = book.park_alone_s.get(quantity, np.zeros(len(book.months)))
    for cell in range(columns.start, columns.stop):
        rows = [0]
        if alone_s[cell] > 0:
            chains = {
                each: book.behind.get((quantity, each, cell), frozenset([()]))
                for each in members
            }
            split |= any(() in who and len(who) > 1 for who in chains.values())
            rows = [grounds.rows[each] for each, who in chains.items() if () in who]
        parts += [known_total(book.amounts[quantity][row, [cell]]) for row in rows]
    return math.fsum(each or 0.0 for each in parts), split


def _within(
    grounds: Grounds,
    quantity: str,
    members: dict[int, "_Discharged"],
    first: int,
    stop: int,
) -> set[int]:
    """Find who is not known by meters alone, all behind those of some who are."""
    metered = {each for each, of in members.items() if of.known and of.stated is None}
    columns = grounds.columns(first, stop)
    found = set()
    for each in members.keys() - metered:
        chains = [
            grounds.book.behind.get((quantity, each, cell), frozenset([()]))
            for cell in range(columns.start, columns.stop)
        ]
        if all(metered.intersection(who) for cell in chains for who in cell):
            found.add(each)
    return found


def _pollutants(
    grounds: Grounds, group: Group, first: int, stop: int
) -> dict[str, dict[str, Any]]:
    """Add each pollutant that any member has ever stated, or that its monitors count."""
    expected, columns = grounds.book.expected_s, grounds.columns(first, stop)
    rows = [grounds.rows[each] for each in group.ids]
    stated = {
        str(product)
        for subject, kind, product, _ in grounds.flows
        if kind == "pollutant" and subject in group.ids
    }
    counted = {
        name
        for name in POLLUTANTS
        if name in expected and expected[name][rows, columns].any()
    }
    return {
        name: _together(
            [
                (
                    grounds.codes[each],
                    _discharged(
                        grounds,
                        grounds.rows[each],
                        name,
                        grounds.flows.get((each, "pollutant", name, "kg"), NOTHING),
                        first,
                        stop,
                    ),
                )
                for each in group.ids
            ]
        )
        for name in sorted(stated | counted)
    }


class _Discharged(NamedTuple):
    """What an enterprise discharged [kg], or its water [m³]; None: not known."""

    measured: float | None
    stated: float | None
    coverage: float  # lowest of a month of monitors that no statement stands in for
    known: bool


def _discharged(
    grounds: Grounds, row: int, name: str, stated: Flow, first: int, stop: int
) -> _Discharged:
    """Take the months that meters cover from them, and the others from statements.

    A statement of several months counts where meters do not cover all of these; what
    they measured of them is then not added to it.
    """
    share = _monitored(grounds, row, name, first, stop)
    monitored = share is not None
    if share is None:
        if stated is NOTHING:
            return _Discharged(None, None, math.inf, False)
        share = np.full(stop - first, np.nan)
    covered = share >= grounds.minimum_coverage
    groups = [
        each
        for each in stated.sums(first, stop)[0]
        if not all(covered[month - first] for month in each.months)
    ]
    told = {month for each in groups for month in each.months}
    rest = [
        month - first
        for month in range(first, stop)
        if month not in told and month <= grounds.running
    ]
    if rest or not groups:
        measured = [each for each in rest if covered[each]]
        said = math.fsum(each.amount for each in groups) if groups else None
        known = bool(measured) and len(measured) == len(rest)
    else:
        whole = exact(stated, first, stop)
        measured, said = [], None if whole is None else whole.amount
        known = said is not None
    amounts = grounds.book.amounts.get(name)
    return _Discharged(
        measured=math.fsum(amounts[row, grounds.columns(first, stop)][measured])
        if measured and amounts is not None
        else None,
        stated=said,
        # a month without a monitor, beside others that have one, is not covered at all
        coverage=min([*np.nan_to_num(share[rest]).tolist(), math.inf])
        if monitored
        else math.inf,
        known=known,
    )


def _monitored(
    grounds: Grounds, row: int, name: str, first: int, stop: int
) -> Float64 | None:
    """Give the known share of each month; NaN in which no meter was to count.

    A month that is over counts as a whole, whenever its meter came. None: there is none.
    """
    book, columns = grounds.book, grounds.columns(first, stop)
    here = row, columns
    if name not in book.expected_s or not book.expected_s[name][here].any():
        return None
    due = book.expected_s[name][here]
    known = book.measured_s[name][here] + book.estimated_s[name][here]
    counted = book.counted_s[name][here]
    whole = np.array(
        [
            _seconds(grounds, columns.start + i) if month < grounds.running else 0.0
            for i, month in enumerate(range(first, stop))
        ]
    )
    present = intensity.ratio(counted, np.maximum(counted, whole))
    share = np.minimum(intensity.ratio(known, due), 1.0) * present
    return np.where(due > 0, share, np.nan)


def _together(parts: Sequence[tuple[str, _Discharged]]) -> dict[str, Any]:
    """Add what each enterprise discharged; unknown where one is, and all of them named."""
    missing = list(dict.fromkeys(code for code, each in parts if not each.known))
    known = [each for _, each in parts if each.known]
    measured = [e.measured for e in known if e.measured is not None]
    stated = [e.stated for e in known if e.stated is not None]
    total = math.fsum([*measured, *stated]) if measured or stated else None
    coverage = min((each.coverage for _, each in parts), default=math.inf)
    return {
        "amount": None if missing else total,
        "known": total,
        "basis": [
            name for name, of in (("measured", measured), ("stated", stated)) if of
        ],
        "measured_share": _ratio(math.fsum(measured), total),
        "coverage": None if math.isinf(coverage) else coverage,
        "missing": missing,
    }


def _flow(
    grounds: Grounds,
    subject: int,
    kind: str,
    product: str | None,
    unit: str,
    first: int,
    stop: int,
) -> Amount | None:
    found = grounds.flows.get((subject, kind, product, unit))
    return None if found is None else exact(found, first, stop)


def _added_value(
    grounds: Grounds, of: dict[int, History], group: Group, first: int, stop: int
) -> dict[str, Any]:
    return _members(grounds, group, lambda each: of[each].over(first, stop))


def _level(
    grounds: Grounds, group: Group, kind: str, first: int, stop: int
) -> dict[str, Any]:
    """Add an area or heads; a park's own statement stands for the whole park."""
    if group.park_row:
        own = level(grounds.levels.get((grounds.park.park_id, kind), []), first, stop)
        if own is not None:
            return _told(own, [])
    return _members(
        grounds,
        group,
        lambda each: level(grounds.levels.get((each, kind), []), first, stop),
    )


def _members(
    grounds: Grounds, group: Group, find: Callable[[int], Amount | None]
) -> dict[str, Any]:
    """Add what each member has; unknown where one is missing, and all missing named."""
    found = [(each, find(each)) for each in group.ids]
    missing = [grounds.codes[each] for each, amount in found if amount is None]
    return _told(together([amount for _, amount in found]), missing)


def _told(amount: Amount | None, missing: list[str]) -> dict[str, Any]:
    return {
        "amount": None if amount is None else amount.amount,
        "estimated": amount is not None and amount.estimated,
        "provisional": amount is not None and amount.provisional,
        "how": [] if amount is None else list(amount.how),
        "statement_ids": [] if amount is None else list(amount.statement_ids),
        "missing": missing,
    }


def _per(top: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    """Divide all numerators by one denominator."""
    amount = below["amount"]
    return {
        **below,
        "tce": {name: _ratio(each, amount) for name, each in top["tce"].items()},
        "co2_t": {name: _ratio(each, amount) for name, each in top["co2_t"].items()},
        "water_m3": _ratio(top["water_m3"]["amount"], amount),
        "wastewater_m3": _ratio(top["wastewater_m3"]["amount"], amount),
        "pollutant_kg": {
            name: _ratio(each["amount"], amount)
            for name, each in top["pollutant_kg"].items()
        },
    }


def _products(
    grounds: Grounds, group: Group, first: int, stop: int
) -> list[dict[str, Any]]:
    """Give energy and carbon per product, of members who state that one alone.

    Meters do not tell which of several products took the energy; who makes several is
    named in `several`.
    """
    made: dict[int, dict[tuple[str, str], Amount]] = {}
    unknown: dict[int, list[tuple[str, str]]] = {}
    for (subject, kind, product, unit), stated in grounds.flows.items():
        if kind != "output" or subject not in group.ids:
            continue
        if not stated.keys(first - 12, stop):
            continue  # made no more
        use = (str(product), unit)
        amount = _flow(grounds, subject, kind, product, unit, first, stop)
        if amount is None:
            unknown.setdefault(subject, []).append(use)
        else:
            made.setdefault(subject, {})[use] = amount
    uses = sorted(
        {use for each in made.values() for use in each}
        | {use for each in unknown.values() for use in each}
    )
    rows = []
    for product, unit in uses:
        makers = [
            each
            for each in group.ids
            if (product, unit) in made.get(each, {})
            or (product, unit) in unknown.get(each, [])
        ]
        alone = [
            e for e in makers if len(made.get(e, {})) + len(unknown.get(e, [])) == 1
        ]
        part = Group(name="enterprise", ids=tuple(alone))
        below = _members(
            grounds,
            part,
            lambda each, use=(product, unit): made.get(each, {}).get(use),  # type: ignore[misc]
        )
        rows.append(
            {
                "product": product,
                "unit": unit,
                "makers": [grounds.codes[each] for each in alone],
                "several": [grounds.codes[e] for e in makers if e not in alone],
                **_per(numerators(grounds, part, first, stop), below),
            }
        )
    return rows


def _sum(parts: Iterable[float | None]) -> float | None:
    """Add parts; unknown where one is, or where there is none."""
    found: Sequence[float | None] = list(parts)
    known = [each for each in found if each is not None]
    return math.fsum(known) if found and len(known) == len(found) else None


def _ratio(top: float | None, bottom: float | None) -> float | None:
    if top is None or bottom is None:
        return None
    found = float(intensity.ratio(np.float64(top), np.float64(bottom)))
    return found if math.isfinite(found) else None
