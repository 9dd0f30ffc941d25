"""Whether a truth is whole and agrees with itself: its sums are those of its meters.

A score rests on the truth alone, so a file that was cut, mixed up or changed must not
be scored. What the meters used is the measure of all else that follows from it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulators.errors import SimulatorError
from simulators.meter import Float64
from simulators.subjects import ACTIVE, WINDOW, Months, co2_t, counts_for, text
from simulators.truth_file import QUARTER_S, USAGE, Block, Key, Row, Truth

_SLIDING = "demand_sliding15"
_ROUNDING = 1e-9  # of an amount: floating point
_NAMED = 5


def check(truth: Truth) -> None:
    """Refuse a truth that lacks something, or does not agree with itself.

    Raises
    ------
    SimulatorError
        It names what is missing or disagrees.
    """
    wrong = list(_unknown_parents(truth)) or list(_wrong(truth))
    if wrong:
        more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise SimulatorError(
            f"{truth.path} is no whole truth, or was changed: "
            f"{'; '.join(wrong[:_NAMED])}{more}"
        )


def _unknown_parents(truth: Truth) -> Iterator[str]:
    for meter in truth.meters.values():
        if meter.parent is not None and meter.parent not in truth.meters:
            yield f"meter {meter.parent} above {meter.code} is missing"


def _wrong(truth: Truth) -> Iterator[str]:
    channels = set(truth.channels)
    for meter in truth.meters.values():
        for quantity in sorted(meter.registers or ()):
            if Key(meter.code, quantity) not in channels:
                yield f"usage of {meter.code} {quantity} is missing"
    sums = _Sums(truth)
    for blocks in truth.groups():
        sums.add(blocks)
    yield from sums.wrong()
    yield from _peaks(truth, sums)
    yield from _emissions(truth, sums)
    yield from _intensities(truth)


class _Sums:
    """What the meters of each subject used, day by day, against what is told of it."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.months = Months.touched(truth)
        self.amounts: dict[tuple[str, int], dict[str, float]] = defaultdict(
            lambda: defaultdict(float)
        )
        self.demand_kw: dict[str, Float64] = {}
        self._reached: dict[Key, int] = {}
        self._broken: dict[Key, int] = {}
        self._differs: dict[Key, str] = {}
        self._counts_for = {
            code: counts_for(truth, meter) for code, meter in truth.meters.items()
        }

    def add(self, blocks: Sequence[Block]) -> None:
        """Add a group of rows, in which meters and subjects are of the same time."""
        blocks = [each for each in blocks if each.what in (USAGE, "demand_15min")]
        if not blocks:
            return
        low = min(int(each.start_s[0]) for each in blocks)
        high = max(int(each.stop_s[-1]) for each in blocks)
        if not self._truth.start_s <= low < high <= self._truth.stop_s:
            self._broken |= {each.key: low for each in blocks}
            return
        size = (high - low) // QUARTER_S
        summed: dict[Key, Float64] = {}
        told: dict[Key, Float64] = {}
        for block in blocks:
            if not self._follows(block):
                continue
            first = (int(block.start_s[0]) - low) // QUARTER_S
            part = slice(first, first + block.value.size)
            if block.key.subject not in self._truth.meters:
                told.setdefault(block.key, np.full(size, np.nan))[part] = block.value
                continue
            for subject in self._counts_for[block.key.subject]:
                whose = Key(subject, block.key.quantity)
                summed.setdefault(whose, np.zeros(size))[part] += block.value
        self._remember(summed, (low - self._truth.start_s) // QUARTER_S)
        for whose in [each for each in summed if each.quantity == ACTIVE]:
            summed[Key(whose.subject, "demand")] = 4 * summed[whose]
        self._compare(summed, told, low)

    def _follows(self, block: Block) -> bool:
        """Tell whether a block goes on where its key has come to, each value known."""
        reached = self._reached.get(block.key, self._truth.start_s)
        due = reached + QUARTER_S * np.arange(block.value.size)
        self._reached[block.key] = int(block.stop_s[-1])
        right = (
            np.array_equal(block.start_s, due)
            and np.array_equal(block.stop_s, due + QUARTER_S)
            and bool(np.isfinite(block.value).all())
        )
        if not right:
            self._broken.setdefault(block.key, reached)
        return right

    def _remember(self, summed: Mapping[Key, Float64], place: int) -> None:
        for whose, amount in summed.items():
            months = self.months.of[place : place + amount.size]
            for month in np.unique(months).tolist():
                total = float(amount[months == month].sum())
                self.amounts[whose.subject, month][whose.quantity] += total
            if whose.quantity == ACTIVE:
                whole = self.demand_kw.setdefault(
                    whose.subject, np.zeros(self._truth.quarters)
                )
                whole[place : place + amount.size] = 4 * amount

    def _compare(
        self, summed: Mapping[Key, Float64], told: Mapping[Key, Float64], low: int
    ) -> None:
        for key in dict.fromkeys((*summed, *told)):
            if key in self._differs or key in self._broken:
                continue
            ours, theirs = summed.get(key), told.get(key)
            if theirs is None:
                # a truth need not tell the demand, which is four times the energy
                if key.quantity != "demand":
                    self._broken[key] = low
            elif ours is None:
                self._differs[key] = f"{_name(key)} is of no meter"
            elif not (same := np.abs(theirs - ours) <= _allowed(ours)).all():
                at = int(np.flatnonzero(~same)[0])
                self._differs[key] = (
                    f"{_name(key)} is {theirs[at]:.6g} at "
                    f"{text(low + at * QUARTER_S)}, its meters say {ours[at]:.6g}"
                )

    def wrong(self) -> Iterator[str]:
        """Tell what is missing and what differs, when all was added."""
        for key, reached in self._reached.items():
            if reached != self._truth.stop_s:
                self._broken.setdefault(key, reached)
        for key, at_s in self._broken.items():
            yield f"{_name(key)} is not whole from {text(at_s)} on"
        for key, words in self._differs.items():
            if key not in self._broken:
                yield words

    def month(self, at_s: int) -> int | None:
        """Return which month an instant of the run is in."""
        if not self._truth.start_s <= at_s < self._truth.stop_s:
            return None
        return int(self.months.of[(at_s - self._truth.start_s) // QUARTER_S])


def _peaks(truth: Truth, sums: _Sums) -> Iterator[str]:
    told = {
        (row.subject, row.quantity, sums.month(row.start_s)): row for row in truth.peaks
    }
    for subject, kw in sums.demand_kw.items():
        for number, month in enumerate(sums.months.first):
            fixed, sliding = (
                told.get((subject, name, number)) for name in (WINDOW, _SLIDING)
            )
            name = f"peak of {subject} in {month:%Y-%m}"
            if fixed is None or sliding is None:
                yield f"{name} is missing"
                continue
            highest = float(kw[sums.months.of == number].max())
            there = float(kw[(fixed.start_s - truth.start_s) // QUARTER_S])
            if not (_same(fixed.value, highest) and _same(there, highest)):
                yield f"{name} is {fixed.value:.6g} kW, its meters say {highest:.6g}"
            # sliding windows begin at the quarters too
            elif not sliding.value >= highest - float(_allowed(highest)):
                yield f"{name}, sliding, is {sliding.value:.6g} kW, below {highest:.6g}"


def _emissions(truth: Truth, sums: _Sums) -> Iterator[str]:
    told = {(row.subject, sums.month(row.start_s)): row for row in truth.emissions}
    for (subject, number), amounts in sums.amounts.items():
        name = f"CO2 of {subject} in {sums.months.first[number]:%Y-%m}"
        row = told.get((subject, number))
        if row is None:
            yield f"{name} is missing"
            continue
        parts: list[Mapping[str, Any]] = json.loads(row.note)
        for part in parts:
            amount = amounts.get(part["key"].rpartition("_")[0], 0.0)
            if not _same(part["amount"], amount):
                yield (
                    f"{name} is of {part['amount']:.6g} {part['key']}, its meters say "
                    f"{amount:.6g}"
                )
        by_hand = co2_t(parts, {_quantity(part): part["amount"] for part in parts})
        if not _same(row.value, by_hand):
            yield f"{name} is {row.value:.6g} t, its parts say {by_hand:.6g}"


def _intensities(truth: Truth) -> Iterator[str]:
    values, co2 = _by_start(truth.added_values), _by_start(truth.emissions)
    for row in truth.intensities:
        whose = (row.subject, row.start_s)
        value, emitted = values.get(whose), co2.get(whose)
        if value is None or emitted is None or not _same(row.value * value, emitted):
            month = datetime.fromtimestamp(row.start_s, ZoneInfo(truth.zone))
            yield (
                f"intensity of {row.subject} in {month:%Y-%m} is not its CO2 over its "
                "added value"
            )


def _by_start(rows: Iterable[Row]) -> dict[tuple[str, int], float]:
    return {(row.subject, row.start_s): row.value for row in rows}


def _quantity(part: Mapping[str, Any]) -> str:
    return str(part["key"]).rpartition("_")[0]


def _name(key: Key) -> str:
    if key.quantity == "demand":
        return f"demand of {key.subject}"
    return f"usage of {key.subject} {key.quantity}"


def _same(one: float, other: float) -> bool:
    return bool(abs(one - other) <= _allowed(other))


def _allowed(amount: Any) -> Any:
    """Return by how much sums in another order may differ."""
    return _ROUNDING * (np.abs(amount) + 1)
