"""Demand by the rule that holds: its windows, its peak, and how much that peak says.

Figures, peaks and bills ask here, so that they say the same.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from analytics import demand
from analytics.jobs.validity import Segments
from analytics.registers import QUARTER_US, Float64, Int64
from store.demand_rules import Rule
from store.readings import to_datetime
from store.series import Series

MINUTE_US = 60_000_000
QUARTER_MIN = QUARTER_US // MINUTE_US
QUARTER_S = QUARTER_US / 1e6


class Windows(NamedTuple):
    """Windows of one subject, shape (n,), or of several, (subjects, n); NaN is unknown."""

    at_us: Int64  # (n,) when each begins
    length_s: Float64  # (n,)
    kw: Float64
    covered: Float64
    measured: Float64

    def row(self, which: int) -> "Windows":
        """Give those of one subject."""
        return self._replace(
            kw=self.kw[which],
            covered=self.covered[which],
            measured=self.measured[which],
        )

    def take(self, which: slice | np.ndarray) -> "Windows":
        """Give some of the windows."""
        return Windows(
            self.at_us[which],
            self.length_s[which],
            self.kw[..., which],
            self.covered[..., which],
            self.measured[..., which],
        )


class Stretch(NamedTuple):
    """A time in which one rule holds."""

    start_us: int
    stop_us: int
    rule: Rule


class Peak(NamedTuple):
    """The highest window that is known well enough; NaN and -1: none is."""

    kw: float
    at_us: int
    method: str  # demand_fixed15, demand_sliding30, …
    measured: float  # share of the window
    known: float  # share of the time whose windows are known well enough
    lower_bound: bool  # a higher one may be among those that are not, or between these


class Demand(NamedTuple):
    """What a subject's demand was by its rules."""

    fixed: Windows  # of the rules' lengths
    # those that compete for the peak, NaN where one is not known well enough: the fixed
    # ones, or of each quarter hour the highest sliding one
    competing: Windows
    parts: list[tuple[Stretch, Peak]]
    peak: Peak  # the highest of the parts'


def counted(
    parts: Sequence[tuple[int, int, int]], start_us: int, stop_us: int
) -> tuple[int, int]:
    """Cut [start, stop) to the time from the first to the last meter that counted.

    Before and behind it nothing is unknown: there is nothing. Where no meter ever
    counted in it, it stays.

    Parameters
    ----------
    parts
        What the total adds up: id, from, to [us].
    """
    some = [each for each in parts if each[1] < stop_us and each[2] > start_us]
    if not some:
        return start_us, stop_us
    low, high = min(each[1] for each in some), max(each[2] for each in some)
    return max(start_us, low), min(stop_us, high)


def stretches(
    painted: Segments[Rule], start_us: int, stop_us: int, default: Rule | None = None
) -> list[Stretch]:
    """Cut [start, stop) where another rule begins to hold.

    Parameters
    ----------
    painted
        The subject's rules.
    default
        Where none was stated; None: 15 minutes, fixed.
    """
    otherwise = default or Rule()
    inner = [at for at, _ in painted if start_us < at < stop_us]
    found: list[Stretch] = []
    for low, high in pairwise([start_us, *inner, max(stop_us, start_us)]):
        rule = otherwise
        for begin, value in painted:
            if begin <= low:
                rule = value or otherwise
        if found and found[-1].rule == rule:
            low = found.pop().start_us
        found.append(Stretch(low, high, rule))
    return found


def quarters(usage: Series, start_us: int, stop_us: int) -> Windows:
    """Lay the stored quarter hours of a subject out over [start, stop).

    Parameters
    ----------
    usage
        Rows of one subject: amount [kWh], measured_s, estimated_s, expected_s.
    """
    first = start_us // QUARTER_US
    size = max(stop_us // QUARTER_US - first, 0)
    kw, covered, measured = np.full(size, np.nan), np.zeros(size), np.zeros(size)
    place = usage.start_us // QUARTER_US - first
    inside = (place >= 0) & (place < size)
    amount, seconds, estimated, expected = usage.values[:, inside]
    kw[place[inside]] = demand.fixed(amount, QUARTER_S)
    covered[place[inside]] = np.minimum((seconds + estimated) / expected, 1.0)
    measured[place[inside]] = seconds / expected
    return Windows(
        (first + np.arange(size)) * QUARTER_US,
        np.full(size, QUARTER_S),
        kw,
        covered,
        measured,
    )


def regroup(grid: Windows, cut: Sequence[Stretch], zone: ZoneInfo) -> Windows:
    """Make the windows of the rules' lengths from quarter hours.

    They follow the local clock: one of 60 minutes begins at a full hour of the park's
    zone. Where the clock is set by less than a window, or a rule begins within one, what
    is cut off is no whole window: the rest of it is not covered. One that has not ended
    yet is not there.
    """
    parts = []
    for each in cut:
        inside = (grid.at_us >= each.start_us) & (grid.at_us < each.stop_us)
        part = grid.take(np.flatnonzero(inside))
        if each.rule.window_min != QUARTER_MIN:
            part = _summed(part, each, zone)
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    return Windows(
        *(np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    )


def _summed(part: Windows, stretch: Stretch, zone: ZoneInfo) -> Windows:
    if not part.at_us.size:
        return part
    count = stretch.rule.window_min // QUARTER_MIN
    offset = np.array([offset_us(at, zone) for at in part.at_us.tolist()], np.int64)
    label = (part.at_us + offset) // (count * QUARTER_US)
    fresh = np.ones(label.size, np.bool_)
    fresh[1:] = (np.diff(label) != 0) | (np.diff(offset) != 0)
    begin = np.flatnonzero(fresh)
    known = ~np.isnan(part.kw)
    energy = np.add.reduceat(np.where(known, part.kw, 0.0), begin, axis=-1)
    there = np.add.reduceat(known, begin, axis=-1, dtype=np.int64) > 0
    found = Windows(
        part.at_us[begin],
        np.full(begin.size, count * QUARTER_S),
        np.where(there, energy / count, np.nan),
        np.add.reduceat(part.covered, begin, axis=-1) / count,
        np.add.reduceat(part.measured, begin, axis=-1) / count,
    )
    ended = int(part.at_us[-1]) + QUARTER_US
    running = label.size - int(begin[-1]) < count and ended < stretch.stop_us
    return found.take(slice(None, -1)) if running else found


def offset_us(at_us: int, zone: ZoneInfo) -> int:
    """Give the local clock less UTC [µs]."""
    offset = to_datetime(at_us).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1e6)


def measure(
    grid: Windows,
    sliding: Series | None,
    cut: Sequence[Stretch],
    zone: ZoneInfo,
    minimum_coverage: float,
) -> Demand:
    """Give a subject's demand by its rules.

    Parameters
    ----------
    grid
        Its quarter hours that have passed.
    sliding
        Its sliding demand, of windows of the rules' lengths: kw, after_s.
    minimum_coverage
        A window known less is passed over. Sliding windows that are known less in a
        stretch are replaced by fixed ones, which are a lower bound of them.

    Notes
    -----
    A peak is given where one window is known well enough, with the share of the time of
    which that can be said. Below 1 it is a lower bound.
    """
    fixed, competing, parts = [], [], []
    for each in cut:
        windows = regroup(grid, [each], zone)
        fixed.append(windows)
        enough = windows.covered >= minimum_coverage
        mine = windows._replace(kw=np.where(enough, windows.kw, np.nan))
        method = f"demand_fixed{each.rule.window_min}"
        if each.rule.method == "sliding":
            best = _sliding(grid, sliding, each)
            if 0 < _share(best) >= minimum_coverage:
                mine, method = best, f"demand_sliding{each.rule.window_min}"
        competing.append(mine)
        parts.append((each, _peak(mine, method, each.rule)))
    whole = _joined(competing)
    return Demand(_joined(fixed), whole, parts, _highest(parts, whole))


def _joined(parts: list[Windows]) -> Windows:
    return Windows(
        *(np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    )


def _sliding(grid: Windows, sliding: Series | None, stretch: Stretch) -> Windows:
    """Give of each quarter hour its highest sliding window."""
    inside = (grid.at_us >= stretch.start_us) & (grid.at_us < stretch.stop_us)
    part = grid.take(np.flatnonzero(inside))
    kw, at_us = np.full(part.at_us.size, np.nan), part.at_us.copy()
    if sliding is not None and part.at_us.size:
        place = (sliding.start_us - part.at_us[0]) // QUARTER_US
        there = (place >= 0) & (place < kw.size)
        place = place[there]
        kw[place] = sliding.values[0][there]
        at_us[place] += np.round(sliding.values[1][there] * 1e6).astype(np.int64)
    known = ~np.isnan(kw)
    return Windows(at_us, part.length_s, kw, known.astype(float), known.astype(float))


def _share(windows: Windows) -> float:
    """Give the share of the time whose windows are known."""
    total = float(windows.length_s.sum())
    known = float(windows.length_s[~np.isnan(windows.kw)].sum())
    return known / total if total > 0 else 0.0


def _peak(windows: Windows, method: str, rule: Rule) -> Peak:
    best = demand.peak(windows.kw)
    known = _share(windows)
    if best is None:
        return Peak(math.nan, -1, method, math.nan, known, False)
    return Peak(
        float(windows.kw[best]),
        int(windows.at_us[best]),
        method,
        float(windows.measured[best]),
        known,
        known < 1.0 or not method.startswith(f"demand_{rule.method}"),
    )


def _highest(parts: list[tuple[Stretch, Peak]], whole: Windows) -> Peak:
    some = [each for _, each in parts if not math.isnan(each.kw)]
    if not some:
        return parts[-1][1]._replace(known=0.0)
    best = max(some, key=lambda each: each.kw)  # the first of equals
    known = _share(whole)
    bound = known < 1.0 or any(each.lower_bound for each in some)
    return best._replace(known=known, lower_bound=bound)


def load_factor(fixed: Windows, minimum_coverage: float) -> float:
    """Give mean over maximum of the fixed windows that are known well enough.

    Windows of several lengths count by their length.
    """
    kw = np.where(fixed.covered >= minimum_coverage, fixed.kw, np.nan)
    if np.unique(fixed.length_s).size > 1:
        kw = np.repeat(kw, np.round(fixed.length_s / QUARTER_S).astype(np.int64))
    return float(demand.load_factor(kw))
