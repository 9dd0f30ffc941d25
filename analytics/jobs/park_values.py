"""Named values of a park's year, as indicator packs ask for them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics import onsite
from analytics.jobs import clean, methods, yearly
from analytics.jobs.accounting import CARRIERS
from analytics.jobs.book import Book
from analytics.jobs.grounds import load_grounds
from analytics.jobs.intensity import WATER, Group, water
from analytics.jobs.yearly import Record
from store import membership, registry
from store import packs as stored
from store.database import Connection
from store.errors import Invalid
from store.packs import Input
from store.records import Subject

Float64 = NDArray[np.float64]

SUFFIXES = {"_before": 1, "_3y": 3}  # years before
ABOVE_SIZE = {  # of the enterprises above designated size in the year
    "above_size_energy_tce": ("tce", "calorific"),
    "above_size_co2_t": ("t", "enterprise"),
    "above_size_added_value_10k_cny": ("10k_cny", ""),
}


NO_ENTERPRISE = "the park has no enterprise"


def _undecided(rule: str) -> str:
    if rule == yearly.NOTHING:
        return "nothing of the year is metered or stated"
    return f"the year is {rule}"


def _units() -> dict[str, str]:
    units = {f"co2_{each.name}_t": "t" for each in methods.of_kind("co2")}
    units |= {f"energy_{each.name}_tce": "tce" for each in methods.of_kind("energy")}
    for basis in clean.BASES:
        for name in (*CARRIERS, "non_fossil_electricity", "clean_energy"):
            units[f"{name}_{basis}_tce"] = "tce"
    units |= {
        "added_value_10k_cny": "10k_cny",
        "added_value_comparable_10k_cny": "10k_cny",
    }
    units |= dict.fromkeys(WATER, "m3")
    units |= {name: unit for name, (unit, _) in ABOVE_SIZE.items()}
    units |= dict.fromkeys(
        ("electricity_taken_kwh", "electricity_used_kwh", "green_electricity_kwh"),
        "kwh",
    )
    return units | {"non_fossil_heat_gj": "gj"}


# what the platform computes where it can, and the unit in which it may be stated else
UNITS: dict[str, str] = _units()


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value of a year, or why there is none."""

    name: str
    year: int
    value: float | None
    unit: str
    origin: str  # computed, stated or missing
    why: str | None  # the rule by which it counts, or why it is missing
    evidence: str | None = None
    source: str | None = None
    input_id: int | None = None


def base_name(name: str) -> tuple[str, int]:
    """Split a name of a formula into the value's and how many years before it is."""
    for suffix, years in SUFFIXES.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix), years
    return name, 0


class ParkYears:
    """Values of a park's years, each computed once and only when asked for."""

    def __init__(
        self,
        conn: Connection,
        subject: Subject,
        *,
        clean_by: str,
        known_on: datetime | None = None,
        minimum_coverage: float = 0.95,
        now: datetime | None = None,
    ) -> None:
        clean.check(clean_by)
        self.conn = conn
        self.subject = subject
        self.clean = clean_by
        self.known_on = known_on
        self.minimum_coverage = minimum_coverage
        self.now = now
        self.park_id = subject.park.park_id
        rows = stored.inputs(conn, self.park_id, known_on)
        self._stated: dict[tuple[str, int], Input] = {(e.name, e.year): e for e in rows}
        self._years: dict[int, _OneYear] = {}

    def value(self, name: str, year: int, unit: str) -> Value:
        """Give a value: computed where it is known, else as stated."""
        found, why = None, "nobody has stated it"
        if name in UNITS:
            found, why = self.year(year).computed(name)
        if found is not None:
            return Value(
                name=name, year=year, value=found, unit=unit, origin="computed", why=why
            )
        said = self._stated.get((name, year))
        if said is not None and said.value is not None and said.unit != unit:
            # an older version of the pack asked for it so
            why = (
                f"stated in {said.unit or 'no unit'}, asked for in {unit or 'no unit'}"
            )
            said = None
        if said is None or said.value is None:
            return Value(
                name=name, year=year, value=None, unit=unit, origin="missing", why=why
            )
        return Value(
            name=name,
            year=year,
            value=said.value,
            unit=said.unit,
            origin="stated",
            why=f"stated by {said.who}",
            evidence=said.evidence,
            source=said.source,
            input_id=said.indicator_input_id,
        )

    @cached_property
    def enterprises(self) -> list[int]:
        """Give the ids of the park's enterprises."""
        found = registry.enterprises(self.conn, self.park_id)
        return [each.enterprise_id for each in found]

    @cached_property
    def price_base(self) -> int | None:
        """Give the year whose prices all comparable values are at."""
        every = range(yearly.EARLIEST, yearly.LATEST)
        return yearly.price_base(self.conn, self.enterprises, every, self.known_on)

    def stated(self, name: str, year: int) -> float | None:
        """Give what is stated of a year."""
        said = self._stated.get((name, year))
        return None if said is None else said.value

    def year(self, year: int) -> "_OneYear":
        """Give what is known of one year."""
        if year not in self._years:
            record = yearly.load(
                self.conn,
                self.subject,
                first=year,
                last=year,
                known_on=self.known_on,
                minimum_coverage=self.minimum_coverage,
                now=self.now,
            )
            self._years[year] = _OneYear(self, record)
        return self._years[year]


class _OneYear:
    """What is known of a park's year."""

    def __init__(self, park: ParkYears, record: Record) -> None:
        self.park = park
        self.record = record
        self.number = record.years.start

    @property
    def book(self) -> Book | None:
        return self.record.metered

    @cached_property
    def decided(self) -> Mapping[str, yearly.Year]:
        return {
            each.name: yearly.years(self.record, each.name)[0]
            for each in methods.shipped()
        }

    def computed(self, name: str) -> tuple[float | None, str]:
        """Give a value of the platform's, with its rule or why there is none."""
        for each in methods.shipped():
            whole = f"co2_{each.name}_t", f"energy_{each.name}_tce"
            if name in whole:
                year = self.decided[each.name]
                if year.decides:
                    return year.value_t, year.rule
                return None, _undecided(year.rule)
        if name in ABOVE_SIZE:
            return self._above_size(ABOVE_SIZE[name][1])
        if name.startswith("added_value"):
            return self._added_value(
                "comparable" if "comparable" in name else "current"
            )
        if name == "non_fossil_heat_gj":
            return None, "nobody has stated it"
        if self.book is None or self.decided["calorific"].rule != yearly.METERED:
            return None, _undecided(self.decided["calorific"].rule)
        if name in WATER:
            return self._water(name)
        if name.endswith("_kwh"):
            return self._electricity(name), "metered, with proof from the ledger"
        for basis in clean.BASES:
            if name.endswith(f"_{basis}_tce"):
                part = name.removesuffix(f"_{basis}_tce")
                if part == "clean_energy":
                    return self._clean(basis)
                if part == "non_fossil_electricity":
                    return clean.non_fossil_tce(
                        self._complete, 0, basis
                    ), "proven green and own power"
                return self.carriers(basis).get(part, 0.0), "by its coal equivalent"
        raise Invalid(f"{name} is no value of the platform")

    def carriers(self, basis: str) -> dict[str, float]:
        """Give energy by carrier [tce] of a complete year."""
        return clean.by_carrier(self._complete.coal[basis], 0)

    def emissions(self, method: str) -> dict[str, float]:
        """Give emissions by carrier [tCO2] of a complete year."""
        return clean.by_carrier(self._complete.carbon[method], 0)

    @property
    def _complete(self) -> Book:
        assert self.book is not None  # noqa: S101  (callers look)
        return self.book

    def grid(self, method: str) -> tuple[float, float]:
        """Give power that counts at the grid's factor [kWh], and its emissions [t]."""
        book = self._complete
        kwh = co2 = 0.0
        for line in book.carbon[method].lines:
            if line.counts and line.part == "electricity" and line.origin != "green":
                known = ~np.isnan(line.amount[0])
                kwh += math.fsum(line.amount[0, known].tolist())
                co2 += math.fsum(line.result[0, known].tolist())
        return kwh, co2

    def _added_value(self, prices: str) -> tuple[float | None, str]:
        conn, ids = self.park.conn, self.park.enterprises
        base = self.park.price_base if prices == "comparable" else None
        each = yearly.added_values(
            conn,
            ids,
            self.number,
            prices=prices,
            base=base,
            known_on=self.park.known_on,
        )
        known = [value for value in each if value is not None]
        if not each:
            return None, NO_ENTERPRISE
        if len(known) < len(each):
            lacking = len(each) - len(known)
            return None, f"{lacking} of {len(each)} enterprises have not stated theirs"
        return math.fsum(known), "the sum of what all enterprises have stated"

    def _above_size(self, method: str) -> tuple[float | None, str]:
        """Add up energy, CO2, or (no method) added value of those above size."""
        sizes = membership.sizes(self.park.conn, self.park.park_id, self.park.known_on)
        said = {
            each.enterprise_id: each.above_designated_size
            for each in sizes
            if each.year == self.number
        }
        unsaid = [each for each in self.park.enterprises if each not in said]
        ids = [each for each in self.park.enterprises if said.get(each)]
        if not self.park.enterprises:
            return None, NO_ENTERPRISE
        if unsaid:
            return None, f"the size of {len(unsaid)} enterprises is not stated"
        if not ids:
            return None, "no enterprise is above designated size"
        if not method:
            each = yearly.added_values(
                self.park.conn,
                ids,
                self.number,
                prices="current",
                known_on=self.park.known_on,
            )
        elif self.book is None or self.decided[method].rule != yearly.METERED:
            return None, _undecided(self.decided[method].rule)
        else:
            book = self._complete
            rows = {s.subject_id: i for i, s in enumerate(book.subjects)}
            account = (book.coal | book.carbon)[method]
            each = [account.over_cells(rows[one]) for one in ids]
        known = [value for value in each if value is not None]
        if len(known) < len(ids):
            return None, f"{len(ids) - len(known)} of {len(ids)} are not known"
        return math.fsum(known), f"the sum of {len(ids)} above designated size"

    def _water(self, name: str) -> tuple[float | None, str]:
        park, first = self.park, self.number * 12
        grounds = load_grounds(
            park.conn,
            park.subject.park,
            first,
            first + 12,
            known_on=park.known_on,
            minimum_coverage=park.minimum_coverage,
            now=park.now,
        )
        whole = Group(name="park", ids=tuple(grounds.codes), park_row=True)
        found = water(grounds, whole, name, first, first + 12)
        if found["amount"] is None:
            return None, f"not known of {', '.join(found['missing']) or 'anybody'}"
        return found["amount"], " and ".join(found["basis"])

    @cached_property
    def _power(self) -> clean.Power:
        return clean.power(self._complete, 0)

    def _electricity(self, name: str) -> float | None:
        return {
            "electricity_taken_kwh": self._power.taken_kwh,
            "electricity_used_kwh": self._power.used_kwh,
            "green_electricity_kwh": self._power.green_kwh,
        }[name]

    def _clean(self, basis: str) -> tuple[float | None, str]:
        heat = self.park.stated("non_fossil_heat_gj", self.number)
        found = clean.share(
            self._complete,
            0,
            definition=self.park.clean,
            basis=basis,
            non_fossil_heat_gj=heat,
        )
        if not math.isnan(found.clean_tce):
            return found.clean_tce, f"clean energy is {self.park.clean}"
        words = "proven green power"
        if heat is None and "non_fossil_heat" in onsite.CLEAN_PARTS[self.park.clean]:
            words = "state non_fossil_heat_gj, 0 where there is none"
        return None, f"not known: {words}"
