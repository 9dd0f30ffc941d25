"""What the park and its enterprises could show, added up from their meters."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulators.client import QUARTER_S, Platform
from simulators.comparing import Energy, Shown, percent
from simulators.load import Integers
from simulators.meter import Float64
from simulators.results import Amount, Emission, Peak
from simulators.truth_file import Key, MeterNote, Row, Truth

ACTIVE = "energy_import"
_SAME = 1e-6  # two figures from the same factors agree so far
WINDOW = "demand_fixed15"


@dataclass(frozen=True, kw_only=True)
class Months:
    """Local months that a run touches; the first may begin before it."""

    first: tuple[date, ...]
    of: Integers  # month of each quarter hour

    @staticmethod
    def touched(truth: Truth) -> "Months":
        """Return those of a run."""
        zone = ZoneInfo(truth.zone)
        day = datetime.fromtimestamp(truth.start_s, zone).date().replace(day=1)
        first, start_s = [], []
        while (begin := _midnight_s(day, zone)) < truth.stop_s:
            first.append(day)
            start_s.append(begin)
            day = following(day)
        at = truth.start_s + QUARTER_S * np.arange(truth.quarters)
        of: Integers = np.searchsorted(start_s, at, "right") - 1
        return Months(first=tuple(first), of=of)


class Book:
    """Sums over the registers that count for a subject; `add` them one by one."""

    def __init__(self, truth: Truth) -> None:
        self.months = Months.touched(truth)
        self._truth = truth
        self._energies: dict[Key, list[Energy]] = defaultdict(list)
        self._demand_kw: dict[str, Float64] = {}
        self._beyond_kw: dict[str, Float64] = {}  # of what no reading need tell
        self._tolerance_kw: dict[str, Float64] = {}
        self._by_month: dict[tuple[str, date], dict[str, float]] = defaultdict(
            lambda: defaultdict(float)
        )
        self._span: dict[Key, slice] = {}

    def add(self, key: Key, could: Shown, of: Energy) -> None:
        """Add a register to all for whom it counts."""
        inside = np.zeros(could.amount.size)
        inside[could.span] = could.amount[could.span]
        first = self.months.first
        sums = np.bincount(self.months.of, inside, len(first)).tolist()
        for subject in counts_for(self._truth, self._truth.meters[key.subject]):
            whose = Key(subject, key.quantity)
            self._energies[whose].append(of)
            known = self._span.get(whose, could.span)
            self._span[whose] = slice(
                max(known.start, could.span.start), min(known.stop, could.span.stop)
            )
            for month, amount in zip(first, sums, strict=True):
                self._by_month[subject, month][key.quantity] += amount
            if key.quantity == ACTIVE:
                self._add_demand(subject, could)

    def _add_demand(self, subject: str, could: Shown) -> None:
        kw = np.full(could.amount.size, -np.inf)  # no peak where nothing is told
        kw[could.span] = 4 * could.amount[could.span]
        self._demand_kw[subject] = self._demand_kw.get(subject, 0.0) + kw
        beyond = self._beyond_kw.get(subject, 0.0) + 4 * could.amount
        self._beyond_kw[subject] = beyond
        allowed = self._tolerance_kw.get(subject, 0.0) + 4 * could.tolerance
        self._tolerance_kw[subject] = allowed

    def park_amounts(self, platform: Platform) -> tuple[Amount, ...]:
        """Compare the park's own totals, by quantity."""
        truth, found = self._truth, []
        for key, parts in self._energies.items():
            if key.subject != truth.park:
                continue
            told = platform.usage(key.quantity, truth.start_s, truth.stop_s)
            known = told.amount[self._span[key]]
            total = Energy(
                told=float(np.nansum(known)) if not np.isnan(known).all() else np.nan,
                shown=sum(each.shown for each in parts),
                flowed=sum(each.flowed for each in parts),
                tolerance=sum(each.tolerance for each in parts),
            )
            found.append(Amount.of(key, total))
        return tuple(found)

    def peaks(self, platform: Platform, notes: list[str]) -> tuple[Peak, ...]:
        """Compare the monthly peaks of the park and all enterprises."""
        truth, found = self._truth, []
        for subject in truth.subjects:
            if subject not in self._demand_kw:
                continue
            method, months = platform.month_peaks(
                truth.start_s, truth.stop_s, enterprise=self._enterprise(subject)
            )
            if method not in ("", WINDOW):
                notes.append(f"the peaks of {subject} are not judged: {method}")
                continue
            zone = ZoneInfo(truth.zone)
            told = {
                datetime.fromtimestamp(each.month_s, zone).date().replace(day=1): each
                for each in months
            }
            for number, month in enumerate(self.months.first):
                within = np.flatnonzero(self.months.of == number)
                kw = self._demand_kw[subject][within]
                if not np.isfinite(kw).any():
                    continue
                best = int(within[kw.argmax()])
                of = told.get(month)
                found.append(
                    self._peak(
                        subject,
                        month,
                        best,
                        told_kw=of.kw if of else np.nan,
                        told_s=of.at_s if of else None,
                        known_share=of.known_share if of else 0.0,
                    )
                )
        return tuple(found)

    def _peak(
        self,
        subject: str,
        month: date,
        best: int,
        *,
        told_kw: float,
        told_s: int | None,
        known_share: float,
    ) -> Peak:
        kw, allowed = self._demand_kw[subject], self._tolerance_kw[subject]
        highest, start_s = float(kw[best]), self._truth.start_s
        right = False
        if told_s is not None and start_s <= told_s < self._truth.stop_s:
            there = (told_s - start_s) // QUARTER_S
            beyond = float(self._beyond_kw[subject][there])
            if beyond > highest and kw[there] == -np.inf:
                # not expected, but known where readings went on after the truth ends
                kw, best, highest = self._beyond_kw[subject], there, beyond
            right = bool(kw[there] >= highest - allowed[there] - allowed[best])
        return Peak(
            subject=subject,
            month=f"{month:%Y-%m}",
            told_kw=told_kw,
            shown_kw=highest,
            error_percent=percent(told_kw - highest, highest),
            tolerance_percent=percent(float(allowed[best]), highest),
            told_at=None if told_s is None else text(told_s),
            shown_at=text(start_s + best * QUARTER_S),
            time_right=right,
            known_share=known_share,
        )

    def emissions(self, platform: Platform) -> tuple[Emission, ...]:
        """Compare CO2 and intensity of whole months."""
        zone = ZoneInfo(self._truth.zone)
        values = {
            (row.subject, row.start_s): row.value for row in self._truth.added_values
        }
        found = []
        for row in self._truth.emissions:
            month = datetime.fromtimestamp(row.start_s, zone).date()
            edges = [_midnight_s(each, zone) for each in (month, following(month))]
            if month.day == 1 and [row.start_s, row.stop_s] == edges:
                figures = platform.figures(
                    month, following(month), enterprise=self._enterprise(row.subject)
                )
                value = values.get((row.subject, row.start_s))
                found.append(self._emission(row, month, figures, value))
        return tuple(found)

    def _emission(
        self, row: Row, month: date, figures: Mapping[str, Any], value: float | None
    ) -> Emission:
        parts = json.loads(row.note)
        amounts = self._by_month[row.subject, month]
        shown_t = co2_t(parts, amounts)
        told_t = co2_t(
            parts,
            {name: each["amount"] for name, each in figures["amounts"].items()},
        )
        told_value = figures["intensity"]["added_value_10k_cny"]
        told = told_t / told_value if told_value else None
        true = shown_t / value if value else None
        return Emission(
            subject=row.subject,
            month=f"{month:%Y-%m}",
            told_t=told_t,
            shown_t=shown_t,
            true_t=row.value,
            error_percent=percent(told_t - shown_t, shown_t),
            method=next(
                (
                    name
                    for name, of in figures["co2_t"].items()
                    if of is not None and abs(of - told_t) <= _SAME * abs(told_t)
                ),
                None,
            ),
            told_t_per_10k_cny=told,
            true_t_per_10k_cny=row.value / value if value else None,
            intensity_error_percent=percent(told - true, true)
            if told is not None and true is not None
            else None,
        )

    def _enterprise(self, subject: str) -> str | None:
        return None if subject == self._truth.park else subject


def counts_for(truth: Truth, meter: MeterNote) -> list[str]:
    """Return for whom a meter counts, by docs/operation.md: the meter tree."""
    above = truth.meters[meter.parent] if meter.parent else None
    found = []
    if above is None and meter.role in ("main", "park"):
        found.append(truth.park)
    if meter.role == "main" and (
        above is None or above.role == "park" or above.enterprise != meter.enterprise
    ):
        found.append(meter.enterprise)
    return found


def following(month: date) -> date:
    """Return the first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def text(at_s: float) -> str:
    """Return an instant in words."""
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def co2_t(parts: list[Mapping[str, Any]], amounts: Mapping[str, float | None]) -> float:
    """Return the CO2 of amounts by the truth's factors; NaN where one is unknown."""
    total_kg = 0.0
    for part in parts:
        amount = amounts.get(part["key"].rpartition("_")[0])
        total_kg += (
            part["sign"] * part["factor"] * (np.nan if amount is None else amount)
        )
    return total_kg / 1000


def _midnight_s(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
