"""Under which terms a subject is billed on which days: stated, or asked for."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from analytics import cost
from analytics.jobs import daytypes, demands, tariffs
from analytics.jobs.amounts import Period
from analytics.jobs.validity import segments
from store import demand_rules, statements
from store import tariffs as stored
from store.database import Connection
from store.demand_rules import Rule
from store.errors import Invalid
from store.readings import to_us
from store.records import Subject
from store.tariffs import Billing, Tariff

LARGEST_KVA = 1e9
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

    def check(self) -> None:
        """Refuse what no bill can be reckoned with.

        Raises
        ------
        Invalid
            For an unknown method or standard, or a capacity that is none.
        """
        if self.method is not None and self.method not in stored.METHODS:
            raise Invalid(
                f"method {self.method[:70]!r} is none of {', '.join(stored.METHODS)}"
            )
        kva = self.capacity_kva
        if kva is not None and not 0 < kva < LARGEST_KVA:
            raise Invalid(f"a capacity of {kva:g} kVA cannot be")
        standard = self.power_factor_standard
        if standard is not None and standard not in cost.STANDARDS:
            raise Invalid(f"power factor {standard:g} is none of 0.90, 0.85 and 0.80")


@dataclass(frozen=True, kw_only=True)
class _Day:
    """What applies on a local day."""

    billing: Billing | None
    tariff: Tariff | None
    outside: bool  # of the tariff's validity, because it was asked for
    contract_kw: float
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Part:
    """Days of a month on which the same terms apply."""

    first: date
    last: date  # the day after
    month_days: int
    terms: tariffs.Terms
    billing: Billing
    outside: bool
    contract_kw: float
    rule: Rule  # how demand is measured

    @property
    def days(self) -> int:
        """How many days of the month these are."""
        return (self.last - self.first).days


def joined(parts: list[Part], key: Callable[[Part], Any]) -> list[Part]:
    """Take parts that follow each other as one where all that counts, the key, is alike.

    What changes in other terms must not cut a charge: the highest demand of a month is
    one, also where a contract demand is stated anew that nobody is billed by.
    """
    found: list[Part] = []
    for part in parts:
        if found and found[-1].last == part.first and key(found[-1]) == key(part):
            found[-1] = replace(found[-1], last=part.last)
        else:
            found.append(part)
    return found


def _holds(row: Billing | Tariff, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day < row.valid_to)


class Stated:
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

    def parts(self, period: Period) -> list[Part | None]:
        """Give the runs of days with the same terms; None stands for days without any."""
        count = (period.last - period.first).days
        days = [period.first + timedelta(i) for i in range(count)]
        parts: list[Part | None] = []
        for today, run in groupby(days, self._day):
            run_days = list(run)
            if today.tariff is None or today.billing is None:
                parts.append(None)
                continue
            parts.append(
                Part(
                    first=run_days[0],
                    last=run_days[-1] + timedelta(1),
                    month_days=count,
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
            daytypes.day_class(terms.holidays, day, day in self._hot)
            | daytypes.festivals(terms.holidays, day)
            for day in days
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
