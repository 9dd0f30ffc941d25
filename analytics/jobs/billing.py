"""A month's bill of a subject, each line with its rule, and what other methods cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import cost
from analytics.jobs import compute, daytypes, demands, tariffs
from analytics.jobs.amounts import (
    ENERGY,
    Amounts,
    Period,
    coverage,
    load_amounts,
    power_factor,
)
from analytics.jobs.validity import segments
from analytics.registers import Int64
from store import demand_rules, statements
from store import tariffs as stored
from store.database import Connection
from store.demand_rules import Rule
from store.errors import Invalid
from store.readings import to_datetime, to_us
from store.records import Subject
from store.tariffs import Billing, Tariff

LONGEST_MONTHS = 60
UNSTATED = Rule(15, "sliding")  # as billing meters measure: DL/T 645-2007


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """What a bill is to be reckoned with instead of what was stated; None: as stated."""

    tariff: str | None = None
    method: str | None = None
    capacity_kva: float | None = None
    power_factor_standard: float | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is assumed."""
        return self != Assumed()


@dataclass(frozen=True, kw_only=True)
class _Day:
    """What applies on a local day."""

    billing: Billing | None
    tariff: Tariff | None
    outside: bool  # of the tariff's validity, because it was asked for
    contract_kw: float
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Days of a month on which the same terms apply."""

    first: date
    last: date  # the day after
    share: float  # of the month's days
    terms: tariffs.Terms
    billing: Billing
    outside: bool
    contract_kw: float
    rule: Rule  # how demand is measured


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
        For anything but whole months, an unknown tariff, or a subject of which nothing
        says how it is billed.
    """
    if first.day != 1 or last.day != 1 or last <= first:
        raise Invalid(
            "bills are of whole months: from and to must be first days of them"
        )
    months = _months(first, last)
    if len(months) - 1 > LONGEST_MONTHS:
        raise Invalid(f"at most {LONGEST_MONTHS} months at once; ask in parts")
    assumed = assumed or Assumed()
    now = now or datetime.now(UTC)
    zone = ZoneInfo(subject.park.zone)
    terms = _Terms(conn, subject, assumed, known_on)
    found = []
    for start, stop in pairwise(months):
        period = Period(
            first=start,
            last=stop,
            zone=zone,
            now=min(now, known_on) if known_on else now,
        )
        amounts = load_amounts(conn, subject, period, known_on)
        found.append(_bill(period, amounts, terms, minimum_coverage))
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
        "total_cny": _sum([each["total_cny"] for each in found]),
        "comparison": _compared(found),
    }


def _holds(row: Billing | Tariff, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day < row.valid_to)


def _months(first: date, last: date) -> list[date]:
    found = [first]
    while found[-1] < last:
        found.append((found[-1] + timedelta(31)).replace(day=1))
    return found


def _sum(amounts: Sequence[float | None]) -> float | None:
    known = [each for each in amounts if each is not None]
    if len(known) < len(amounts):
        return None
    return cost.rounded(math.fsum(known))


class _Terms:
    """Tariffs, terms and contract demand of a subject, by local day."""

    def __init__(
        self,
        conn: Connection,
        subject: Subject,
        assumed: Assumed,
        known_on: datetime | None,
    ) -> None:
        self._rows = stored.tariffs(conn, known_on)
        self._billings = stored.billings(conn, subject.subject_id, known_on)
        self._assumed = assumed
        self._zone = ZoneInfo(subject.park.zone)
        self._contract = segments(
            statements.contract_demands(conn, subject.subject_id, known_on)
        ).get(subject.subject_id, [])
        self._rules = segments(
            demand_rules.demand_rules(conn, subject.park.park_id, known_on)
        ).get(subject.subject_id, [])
        self._hot = stored.hot_days(conn, subject.park.park_id, known_on)
        self._parsed: dict[int, tariffs.Terms] = {}
        if assumed.tariff and all(row.code != assumed.tariff for row in self._rows):
            raise Invalid(f"no tariff has the code {assumed.tariff[:70]!r}")
        if not self._billings and not assumed.tariff:
            raise Invalid(
                "nothing says how this is billed: state it with parkwatt billing, or ask "
                "for a tariff"
            )

    def parts(self, period: Period) -> list[_Part | None]:
        """Give the runs of days with the same terms; None stands for days without any."""
        count = (period.last - period.first).days
        days = [period.first + timedelta(i) for i in range(count)]
        parts: list[_Part | None] = []
        for today, run in groupby(days, self._day):
            run_days = list(run)
            if today.tariff is None or today.billing is None:
                parts.append(None)
                continue
            parts.append(
                _Part(
                    first=run_days[0],
                    last=run_days[-1] + timedelta(1),
                    share=len(run_days) / count,
                    terms=self._read(today.tariff),
                    billing=today.billing,
                    outside=today.outside,
                    contract_kw=today.contract_kw,
                    rule=today.rule,
                )
            )
        return parts

    def day_classes(self, terms: tariffs.Terms, days: list[date]) -> list[int]:
        """Tell what each local day is for a tariff."""
        return [
            daytypes.day_class(terms.holidays, day, day in self._hot) for day in days
        ]

    def _read(self, row: Tariff) -> tariffs.Terms:
        if row.tariff_id not in self._parsed:
            self._parsed[row.tariff_id] = tariffs.parse(row.terms)
        return self._parsed[row.tariff_id]

    def _day(self, day: date) -> _Day:
        billing = None
        for row in self._billings:
            if _holds(row, day):
                billing = row
        billing = self._as_assumed(billing)
        tariff, outside = None, False
        if billing is not None:
            rows = [each for each in self._rows if each.code == billing.tariff]
            for version in rows:
                if _holds(version, day):
                    tariff = version
            if tariff is None and self._assumed.tariff:
                outside = True
                tariff = min(
                    reversed(rows), key=lambda each: abs((each.valid_from - day).days)
                )
        at = to_us(datetime.combine(day, time(), self._zone))
        contract = math.nan
        for begin, kw in self._contract:
            if begin <= at:
                contract = math.nan if kw is None else kw
        return _Day(
            billing=billing,
            tariff=tariff,
            outside=outside,
            contract_kw=contract,  # math.nan is itself, so days without one are alike
            rule=demands.stretches(self._rules, at, at, UNSTATED)[0].rule,
        )

    def _as_assumed(self, billing: Billing | None) -> Billing | None:
        asked = self._assumed
        if billing is None and not asked.tariff:
            return None
        base = billing or Billing(
            tariff=asked.tariff or "",
            method="demand",
            capacity_kva=None,
            power_factor_standard=None,
            valid_from=date.min,
            valid_to=None,
            source="assumed",
        )
        return replace(
            base,
            tariff=asked.tariff or base.tariff,
            method=asked.method or base.method,
            capacity_kva=asked.capacity_kva or base.capacity_kva,
            power_factor_standard=asked.power_factor_standard
            or base.power_factor_standard,
        )


def _bill(
    period: Period, amounts: dict[str, Amounts], terms: _Terms, minimum: float
) -> dict[str, Any]:
    energy = amounts.get(ENERGY)
    shares = coverage(energy)
    edges = compute.days(period.zone, period.start, period.stop)
    parts = terms.parts(period)
    stated = [each for each in parts if each is not None]
    totals = {name: each.total(edges) for name, each in amounts.items()}
    factor, total_kwh = power_factor(amounts, totals), totals.get(ENERGY)
    lines: list[dict[str, Any]] = []
    for part in stated:
        lines += _energy_lines(part, energy, terms, period)
    methods = dict.fromkeys(cost.METHODS, 0.0)
    for part in stated:
        demand = _demand(part, energy, period, minimum)
        lines += _basic_lines(part, part.billing.method, demand, total_kwh)
        for name in methods:
            methods[name] += math.fsum(
                _nan(line["amount_cny"])
                for line in _basic_lines(part, name, demand, total_kwh)
            )
    lines += _adjustment(stated, lines, factor)
    known = [each["amount_cny"] for each in lines]
    publishable = shares["coverage"] >= minimum and None not in parts and bool(lines)
    adjusted = [each for each in lines if each["kind"] == "power_factor"]
    percent = adjusted[0]["quantity"] if adjusted else 0.0
    funded = [each for each in lines if each["kind"] in ("energy", "fund")]
    rest = math.fsum(_nan(each["amount_cny"]) for each in funded)
    based = math.fsum(_nan(e["amount_cny"]) for e in funded if e["kind"] == "energy")
    return {
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
        "total_cny": _sum(known) if publishable else None,
        "methods_cny": {
            name: _total(rest, based, basic, _nan(percent)) if publishable else None
            for name, basic in methods.items()
        },
        "maximum_kw": _demand_of(stated, energy, period, minimum),
    }


def _words(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{cost.rounded(value):.10g}"


def _total(rest: float, based: float, basic: float, percent: float) -> float | None:
    """Give a month's total with another basic charge; `based` is adjusted with it."""
    adjusted = cost.rounded(percent / 100.0 * (based + basic))
    return _number(cost.rounded(rest + basic + adjusted))


def _nan(amount: float | None) -> float:
    return math.nan if amount is None else amount


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _local(day: date, zone: ZoneInfo) -> int:
    return to_us(datetime.combine(day, time(), zone))


def _energy_lines(
    part: _Part, energy: Amounts | None, terms: _Terms, period: Period
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
        price = math.fsum(
            each.price * (ratio if each.by_hours else 1.0) for each in components
        )
        words = " + ".join(
            f"{each.name} {each.price:g}" + (f" × {ratio:g}" if each.by_hours else "")
            for each in components
        )
        found.append(
            _line(
                "energy", part, float(sums[index]), "kWh", cost.rounded(price, 6), words
            )
            | {"period": name}
        )
    for each in part.terms.energy_cny_per_kwh:
        if each.fund:
            found.append(
                _line("fund", part, math.fsum(kwh), "kWh", each.price, each.name)
            )
    return found


def _clock(
    part: _Part, at_us: Int64, terms: _Terms, zone: ZoneInfo
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
    kind: str, part: _Part, quantity: float, unit: str, price: float | None, rule: str
) -> dict[str, Any]:
    amount = math.nan if price is None else cost.rounded(quantity * price)
    return {
        "kind": kind,
        "period": None,
        "from": part.first.isoformat(),
        "to": part.last.isoformat(),
        "quantity": _number(quantity),
        "unit": unit,
        "price_cny": price,
        "amount_cny": _number(amount),
        "rule": rule,
        "source": part.terms.source,
    }


@dataclass(frozen=True, kw_only=True)
class _Maximum:
    kw: float
    method: str


def _demand(
    part: _Part, energy: Amounts | None, period: Period, minimum: float
) -> _Maximum:
    """Give the highest demand of a part, by the rule that holds for its days.

    Without a rule: sliding windows where they are known, else fixed ones.
    """
    begin, end = _local(part.first, period.zone), _local(part.last, period.zone)
    end = min(end, to_us(period.due))
    unknown = _Maximum(kw=math.nan, method="too little is known")
    if energy is None or end <= begin:
        return unknown
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
    parts: list[_Part], energy: Amounts | None, period: Period, minimum: float
) -> float | None:
    found = [_demand(each, energy, period, minimum).kw for each in parts]
    return _number(max(found)) if found and not any(map(math.isnan, found)) else None


def _basic_lines(
    part: _Part, method: str, demand: _Maximum, month_kwh: float | None
) -> list[dict[str, Any]]:
    if method == "none":
        return []
    prices, kva = part.terms.basic, _nan(part.billing.capacity_kva)
    if method == "capacity":
        price = prices.capacity_cny_per_kva
        words = f"capacity {_words(kva)} kVA"
        quantity, unit = kva, "kVA"
    else:
        factor = cost.high_use(_nan(month_kwh), kva)
        price = prices.demand_cny_per_kw
        price = None if price is None else cost.rounded(price * factor, 6)
        quantity = float(cost.billed_kw(method, demand.kw, part.contract_kw))
        unit = "kW"
        words = f"maximum {_words(demand.kw)} kW ({demand.method})"
        if method == "contract":
            words += f"; contract {_words(part.contract_kw)} kW, beyond {cost.EXCESS:.0%} double"
        if factor != 1.0:
            words += (
                f"; price × {factor:g}: {cost.HIGH_USE_KWH_PER_KVA:g} kWh a kVA or more"
            )
    if part.share != 1.0:
        words += f"; {(part.last - part.first).days} days of the month"
        quantity *= part.share
    return [_line("basic", part, quantity, unit, price, words)]


def _adjustment(
    parts: list[_Part], lines: list[dict[str, Any]], factor: float | None
) -> list[dict[str, Any]]:
    """Raise or lower the month's basic and energy charge by the power factor."""
    if not parts or parts[-1].billing.power_factor_standard is None:
        return []
    last, standard = parts[-1], parts[-1].billing.power_factor_standard
    percent = cost.power_factor_percent(_nan(factor), standard)
    base = math.fsum(
        _nan(each["amount_cny"]) for each in lines if each["kind"] != "fund"
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
            "amount_cny": _number(cost.rounded(percent / 100.0 * base)),
            "source": "(83)水电财字第215号",
        }
    ]


def _compared(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Tell which method would have cost least over all months."""
    totals = {
        name: _sum([each["methods_cny"][name] for each in found])
        for name in cost.METHODS
    }
    known = {name: each for name, each in totals.items() if each is not None}
    maxima = np.array([_nan(each["maximum_kw"]) for each in found])
    best = cost.best_contract(maxima) if not np.isnan(maxima).any() else math.nan
    return {
        "totals_cny": totals,
        "cheapest": min(known, key=lambda name: known[name]) if known else None,
        "best_contract_kw": _number(best),
    }
