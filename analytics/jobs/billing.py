"""A month's bill of a subject, each line with its rule, and what other methods cost."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from analytics import cost
from analytics.jobs import compute, demands
from analytics.jobs.amounts import (
    ENERGY,
    Amounts,
    Period,
    coverage,
    load_amounts,
    power_factor,
)
from analytics.jobs.billed import Assumed, Part, Stated, joined
from analytics.jobs.comparing import (
    Offer,
    added,
    compare,
    nan,
    number,
    offer,
    with_basic,
)
from analytics.registers import Int64
from store.database import Connection
from store.demand_rules import Rule
from store.errors import Invalid
from store.readings import to_datetime, to_us
from store.records import Subject

__all__ = ["Assumed", "bills"]

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
LONGEST_MONTHS = 60


def bills(
    conn: Connection,
    subject: Subject,
    first: date,
    last: date,
    *,
    assumed: Assumed | None = None,
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give the bills of the local months in [first, last); docs/cost.md names each line.

    Parameters
    ----------
    first, last
        First days of months.
    assumed
        Ask what the months would cost under other terms.

    Raises
    ------
    Invalid
        For anything but whole months, an unknown tariff or method, or a subject of which
        nothing says how it is billed.
    """
    if first.day != 1 or last.day != 1 or last <= first:
        raise Invalid(
            "bills are of whole months: from and to must be first days of them"
        )
    if first < FIRST or last > LAST:
        raise Invalid(f"the period must lie between {FIRST} and {LAST}")
    months = _months(first, last)
    if len(months) - 1 > LONGEST_MONTHS:
        raise Invalid(f"at most {LONGEST_MONTHS} months at once; ask in parts")
    assumed = assumed or Assumed()
    assumed.check()
    now = now or datetime.now(UTC)
    zone = ZoneInfo(subject.park.zone)
    terms = Stated(conn, subject, assumed, known_on)
    found: list[dict[str, Any]] = []
    offers: list[Offer] = []
    for start, stop in pairwise(months):
        period = Period(
            first=start,
            last=stop,
            zone=zone,
            now=min(now, known_on) if known_on else now,
        )
        amounts = load_amounts(conn, subject, period, known_on)
        bill, told = _bill(period, amounts, terms, minimum_coverage)
        found.append(bill)
        offers.append(told)
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "meter": subject.meter,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "zone": subject.park.zone,
        "currency": "CNY",
        "as_known_on": known_on.isoformat() if known_on else None,
        "assumed": bool(assumed),
        "bills": found,
        "total_cny": added([each["total_cny"] for each in found]),
        "comparison": compare(found, offers),
    }


def _months(first: date, last: date) -> list[date]:
    found = [first]
    while found[-1] < last:
        found.append((found[-1] + timedelta(31)).replace(day=1))
    return found


def _bill(
    period: Period, amounts: dict[str, Amounts], terms: Stated, minimum: float
) -> tuple[dict[str, Any], Offer]:
    energy = amounts.get(ENERGY)
    shares = coverage(energy)
    edges = compute.days(period.zone, period.start, period.stop)
    parts = terms.parts(period)
    stated = [each for each in parts if each is not None]
    totals = {name: each.total(edges) for name, each in amounts.items()}
    factor, total_kwh = power_factor(amounts, minimum), totals.get(ENERGY)
    lines: list[dict[str, Any]] = []
    for part in joined(stated, lambda each: each.terms):
        lines += _energy_lines(part, energy, terms, period)

    def basic(method: str | None) -> list[dict[str, Any]]:
        """Give the lines of the basic charge; None: by the methods stated."""

        def key(part: Part) -> Any:
            return _basis(part, method or part.billing.method, total_kwh)

        return [
            _basic_line(part, key(part), _demand(part, energy, period, minimum))
            for part in joined(stated, key)
            if key(part).method != "none"
        ]

    lines += basic(None)
    compared = {name: basic(name) for name in cost.METHODS}
    methods = {
        name: math.fsum(nan(line["amount_cny"]) for line in each)
        for name, each in compared.items()
    }
    lines += _adjustment(stated, lines, factor)
    known = [each["amount_cny"] for each in lines]
    publishable = shares["coverage"] >= minimum and None not in parts and bool(lines)
    adjusted = [each for each in lines if each["kind"] == "power_factor"]
    percent = adjusted[0]["quantity"] if adjusted else 0.0
    funded = [each for each in lines if each["kind"] in ("energy", "fund")]
    rest = math.fsum(nan(each["amount_cny"]) for each in funded)
    based = math.fsum(nan(e["amount_cny"]) for e in funded if e["kind"] == "energy")
    bill = {
        "month": period.first.isoformat()[:7],
        "complete": period.now >= period.stop,
        "energy_kwh": total_kwh,
        **shares,
        "publishable": publishable,
        "power_factor": factor,
        "tariffs": sorted({each.terms.code for each in stated}),
        "outside_validity": any(each.outside for each in stated),
        "prices_are_examples": any(each.terms.prices_are_examples for each in stated),
        "days_without_terms": None in parts,
        "lines": lines,
        "known_cny": cost.rounded(math.fsum(e for e in known if e is not None)),
        "total_cny": added(known) if publishable else None,
        "methods_cny": {
            name: with_basic(rest, based, basic, nan(percent)) if publishable else None
            for name, basic in methods.items()
        },
        "maximum_kw": _demand_of(stated, energy, period, minimum),
    }
    return bill, offer(stated, compared["demand"], period)


def _words(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{cost.rounded(value):.10g}"


def _local(day: date, zone: ZoneInfo) -> int:
    return to_us(datetime.combine(day, time(), zone))


def _energy_lines(
    part: Part, energy: Amounts | None, terms: Stated, period: Period
) -> list[dict[str, Any]]:
    if energy is None or not energy.quarters.key.size:
        return []
    begin, end = _local(part.first, period.zone), _local(part.last, period.zone)
    starts = energy.quarters.start_us
    inside = (starts >= begin) & (starts < end)
    at, kwh = starts[inside], energy.quarters.values[0][inside]
    months, minutes, classes = _clock(part, at, terms, period.zone)
    period_of = cost.periods(months, minutes, classes, part.terms.rules())
    sums = cost.by_period(kwh, period_of)
    ratios = part.terms.ratios(part.first.month)
    found = []
    components = [each for each in part.terms.energy_cny_per_kwh if not each.fund]
    for index, name in enumerate(cost.PERIODS):
        if not (period_of == index).any():
            continue
        ratio = ratios[name]
        price = cost.price(
            [(each.price, ratio if each.by_hours else 1.0) for each in components]
        )
        words = " + ".join(
            f"{each.name} {each.price:.10g}"
            + (f" × {ratio:.10g}" if each.by_hours else "")
            for each in components
        )
        found.append(
            _line("energy", part, float(sums[index]), "kWh", price, words)
            | {"period": name}
        )
    for each in part.terms.energy_cny_per_kwh:
        if each.fund:
            found.append(
                _line("fund", part, math.fsum(kwh), "kWh", each.price, each.name)
            )
    return found


def _clock(
    part: Part, at_us: Int64, terms: Stated, zone: ZoneInfo
) -> tuple[Int64, Int64, Int64]:
    """Give month, minute of the day and class of the day by the local clock."""
    local = [to_datetime(int(each)).astimezone(zone) for each in at_us]
    days = sorted({each.date() for each in local})
    classes = dict(zip(days, terms.day_classes(part.terms, days), strict=True))
    return (
        np.array([each.month for each in local], np.int64),
        np.array([each.hour * 60 + each.minute for each in local], np.int64),
        np.array([classes[each.date()] for each in local], np.int64),
    )


def _line(
    kind: str, part: Part, quantity: float, unit: str, price: float | None, rule: str
) -> dict[str, Any]:
    quantity = cost.rounded(quantity, 6)  # finer than any register; no binary noise
    amount = math.nan if price is None else cost.product(quantity, price)
    return {
        "kind": kind,
        "period": None,
        "from": part.first.isoformat(),
        "to": part.last.isoformat(),
        "quantity": number(quantity),
        "unit": unit,
        "price_cny": price,
        "amount_cny": number(amount),
        "rule": rule,
        "source": part.terms.source,
    }


@dataclass(frozen=True, kw_only=True)
class _Maximum:
    kw: float
    method: str


def _demand(
    part: Part, energy: Amounts | None, period: Period, minimum: float
) -> _Maximum:
    """Give the highest demand of a part, by the rule that holds for its days.

    Without a rule: sliding windows where they are known, else fixed ones.
    """
    begin, end = _local(part.first, period.zone), _local(part.last, period.zone)
    end = min(end, to_us(period.due))
    unknown = _Maximum(kw=math.nan, method="too little is known")
    if energy is None or end <= begin:
        return unknown
    begin, end = demands.counted(energy.plan.parts, begin, end)
    peak = demands.measure(
        demands.quarters(energy.quarters, begin, end),
        energy.sliding,
        [demands.Stretch(begin, end, part.rule)],
        period.zone,
        minimum,
    ).peak
    if math.isnan(peak.kw) or peak.known < minimum:
        return unknown
    replaced = not peak.method.startswith(f"demand_{part.rule.method}")
    return _Maximum(
        kw=peak.kw, method=peak.method + (", a lower bound" if replaced else "")
    )


def _demand_of(
    parts: list[Part], energy: Amounts | None, period: Period, minimum: float
) -> float | None:
    runs = joined(parts, lambda each: each.rule)
    found = [_demand(each, energy, period, minimum).kw for each in runs]
    return number(max(found)) if found and not any(map(math.isnan, found)) else None


class _Basis(NamedTuple):
    """All that a basic charge rests on beside the demand."""

    method: str
    price_cny: float | None  # a month
    high_use: float  # factor of the price
    kva: float
    contract_kw: float
    rule: Rule | None  # None: not charged by demand


def _basis(part: Part, method: str, month_kwh: float | None) -> _Basis:
    prices, kva = part.terms.basic, nan(part.billing.capacity_kva)
    if method == "capacity":
        return _Basis(method, prices.capacity_cny_per_kva, 1.0, kva, math.nan, None)
    return _Basis(
        method,
        prices.demand_cny_per_kw,
        cost.high_use(nan(month_kwh), kva),
        math.nan,
        part.contract_kw if method == "contract" else math.nan,
        part.rule,
    )


def _basic_line(part: Part, basis: _Basis, demand: _Maximum) -> dict[str, Any]:
    price = basis.price_cny
    if basis.method == "capacity":
        words = f"capacity {_words(basis.kva)} kVA"
        quantity, unit = basis.kva, "kVA"
    else:
        price = None if price is None else cost.product(price, basis.high_use, places=6)
        quantity = cost.billed_kw(basis.method, demand.kw, basis.contract_kw)
        unit = "kW"
        words = f"maximum {_words(demand.kw)} kW ({demand.method})"
        if basis.method == "contract":
            words += f"; contract {_words(basis.contract_kw)} kW, beyond {cost.EXCESS:.0%} double"
        if basis.high_use != 1.0:
            words += (
                f"; price × {basis.high_use:g}: {cost.HIGH_USE_KWH_PER_KVA:g} kWh "
                "a kVA or more"
            )
    if part.days != part.month_days:
        words += f"; {part.days} days of the month"
        quantity *= part.days / part.month_days
    return _line("basic", part, quantity, unit, price, words)


def _adjustment(
    parts: list[Part], lines: list[dict[str, Any]], factor: float | None
) -> list[dict[str, Any]]:
    """Raise or lower the month's basic and energy charge by the power factor."""
    if not parts or parts[-1].billing.power_factor_standard is None:
        return []
    last, standard = parts[-1], parts[-1].billing.power_factor_standard
    percent = cost.power_factor_percent(nan(factor), standard)
    base = cost.rounded(
        math.fsum(nan(each["amount_cny"]) for each in lines if each["kind"] != "fund")
    )
    rounded = "unknown" if factor is None else f"{cost.hundredths(factor) / 100:.2f}"
    line = _line(
        "power_factor",
        last,
        percent,
        "%",
        None,
        f"power factor {rounded}, standard "
        f"{standard:.2f}, on basic and energy charge {base:.2f}",
    )
    return [
        line
        | {
            "from": parts[0].first.isoformat(),
            "amount_cny": number(cost.product(percent, 0.01, base)),
            "source": "(83)水电财字第215号",
        }
    ]
