"""Energy per minute of totals and virtual meters, and the sliding demand it gives."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from analytics import demand
from analytics.jobs import virtual
from analytics.jobs.compute import MINUTE_US, Total, World
from analytics.jobs.validity import Segments
from analytics.registers import Int64
from store.demand_rules import Rule
from store.readings import to_us
from store.series import Series


def sliding_demand(minutes: Series, rules: dict[int, Segments[Rule]]) -> Series:
    """Give each quarter hour's highest sliding window from known minutes.

    Parameters
    ----------
    minutes
        By subject.
    rules
        By subject; the windows that begin in a quarter are of the length that holds then.

    Returns
    -------
    Series
        By subject; columns kw, after_s.
    """
    lengths = {Rule().window_min}
    for key in np.unique(minutes.key).tolist():
        lengths |= {rule.window_min for _, rule in rules.get(key, []) if rule}
    found = []
    for length in sorted(lengths):
        first, kw, after = demand.sliding_peaks(
            minutes.key, minutes.start_us // MINUTE_US, minutes.values[0], steps=length
        )
        rows = Series(
            minutes.key[first], minutes.start_us[first], np.array([kw, after * 60.0])
        )
        found.append(rows.take(_lengths(rows, rules) == length))
    if len(found) == 1:
        return found[0]
    return Series(
        np.concatenate([each.key for each in found]),
        np.concatenate([each.start_us for each in found]),
        np.concatenate([each.values for each in found], axis=1),
    ).ordered()


def _lengths(rows: Series, rules: dict[int, Segments[Rule]]) -> Int64:
    """Give the window [min] that holds for each row's subject at its start."""
    found = np.full(rows.key.size, Rule().window_min, np.int64)
    for key in set(rows.key.tolist()) & rules.keys():
        mine = rows.key == key
        for begin, rule in rules[key]:
            found[mine & (rows.start_us >= begin)] = (rule or Rule()).window_min
    return found


class Minutes:
    """Adds up the energy of totals per minute, meter after meter.

    A virtual member is taken apart into the meters that it rests on.

    Parameters
    ----------
    totals
        What to add up in [start, stop).
    """

    def __init__(
        self, totals: Sequence[Total], world: World, start: datetime, stop: datetime
    ) -> None:
        self._subjects = np.array([each.subject_id for each in totals], np.int64)
        self._first = to_us(start) // MINUTE_US
        self._size = to_us(stop) // MINUTE_US - self._first
        self._energy = np.zeros((len(totals), self._size))
        self._members = np.zeros((len(totals), self._size), np.int32)
        self._of: dict[int, list[tuple[int, int, int, float]]] = defaultdict(list)
        for place, total in enumerate(totals):
            for channel, low, high in total.parts:
                for since, until, parts in virtual.terms_in(
                    world.virtual, channel, low, high
                ):
                    begin, end = self._minute(since), self._minute(until)
                    if begin >= end:
                        continue
                    # a formula that is unknown is a member that never tells anything
                    self._members[place, begin:end] += max(len(parts), 1)
                    for part, factor in parts:
                        self._of[part].append((place, begin, end, factor))
        self._missing = self._members.copy()
        self.channels = [
            each.channel_id for each in world.usages if each.channel_id in self._of
        ]

    def _minute(self, at_us: int) -> int:
        return min(max(at_us // MINUTE_US - self._first, 0), self._size)

    def add(self, minutes: Series) -> None:
        """Add minutes of the next channels, whole and in the order of `channels`."""
        there = set(minutes.key.tolist())
        for key in self.channels:
            if key not in there:
                continue
            low, high = np.searchsorted(minutes.key, [key, key + 1])
            at = minutes.start_us[low:high] // MINUTE_US - self._first
            amount = minutes.values[0, low:high]
            for place, begin, end, factor in self._of[key]:
                inside = (at >= begin) & (at < end)
                self._energy[place, at[inside]] += factor * amount[inside]
                self._missing[place, at[inside]] -= 1

    def known(self) -> Series:
        """Give the minutes in which all members are known, by subject; column amount."""
        total, minute = np.nonzero((self._missing == 0) & (self._members > 0))
        return Series(
            self._subjects[total],
            (self._first + minute) * MINUTE_US,
            self._energy[None, total, minute],
        ).ordered()
