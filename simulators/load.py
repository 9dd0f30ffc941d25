"""Loads as pure functions of time, integrated exactly.

A flow is a whole number of thousandths per hour (W, l/h) at nodes 5 minutes apart,
and a straight line between them. Its register is the integral from a fixed epoch, in
integers, so any instant can be asked for alone and the same seed always gives the
same register: nothing needs to be remembered over a restart.

The shapes, levels and noise are ours, chosen to look like a park; they are no
statistics of real plants.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.errors import SimulatorError

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
EPOCH_S = int(EPOCH.timestamp())
NODE_S = 300
_NODES = 86400 // NODE_S  # in a day
CHUNK_DAYS = 8  # computed together, see simulators.series
_PER_HUNDREDTH = 36_000  # thousandths/h x s in one hundredth of a unit

Integers = NDArray[np.int64]
# ascending node numbers since the epoch -> thousandths per hour
Nodes = Callable[[Integers], Integers]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a load goes through a day, and how much of it is left at the weekend."""

    hours: tuple[float, ...]
    share: tuple[float, ...]  # of the day's highest load, at those hours
    saturday: float
    sunday: float


CONTINUOUS = Shape(
    hours=(0, 5, 8, 11, 12.5, 14.5, 17, 20, 24),
    share=(0.82, 0.80, 0.91, 0.95, 0.91, 1.0, 0.94, 0.87, 0.82),
    saturday=0.95,
    sunday=0.90,
)
TWO_SHIFTS = Shape(
    hours=(0, 5.5, 7, 10.5, 12, 14.5, 17, 21, 23, 24),
    share=(0.25, 0.22, 0.78, 0.93, 0.80, 1.0, 0.88, 0.72, 0.28, 0.25),
    saturday=0.80,
    sunday=0.62,
)
DAY_SHIFT = Shape(
    hours=(0, 6.5, 8.5, 11, 12.2, 14.5, 17, 19, 24),
    share=(0.14, 0.14, 0.84, 0.93, 0.66, 1.0, 0.84, 0.30, 0.14),
    saturday=0.55,
    sunday=0.30,
)


class Clock:
    """The park's wall clock at the nodes; zones change theirs at nodes."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._known = 0  # node up to which the changes are known
        self._since: Integers = np.zeros(1, dtype=np.int64)  # nodes
        self._offsets: Integers = np.array([self._offset_s(0)], dtype=np.int64)

    def local_s(self, nodes: Integers) -> Integers:
        """Return the local seconds since 2024-01-01T00:00 on the park's clock."""
        while self._known < int(nodes.max()):
            day = range(self._known + 1, self._known + _NODES + 1)
            if self._offset_s(day[-1]) != self._offsets[-1]:
                at = next(n for n in day if self._offset_s(n) != self._offsets[-1])
                self._since = np.append(self._since, at)
                self._offsets = np.append(self._offsets, self._offset_s(at))
            self._known = day[-1]
        which = np.searchsorted(self._since, nodes, side="right") - 1
        local: Integers = nodes * NODE_S + self._offsets[which]
        return local

    def _offset_s(self, node: int) -> int:
        at = EPOCH + timedelta(seconds=node * NODE_S)
        offset = at.astimezone(self.zone).utcoffset() or timedelta(0)
        return int(offset.total_seconds())


class Flow:
    """A rate and its register.

    Parameters
    ----------
    nodes : callable
        Rate at node numbers [thousandths per hour], never negative.
    initial : int
        Register at the epoch [hundredths].
    since : int
        Days from the epoch to where the integral begins.
    """

    def __init__(self, nodes: Nodes, initial: int = 0, since: int = 0) -> None:
        self._nodes, self._initial, self._since = nodes, initial, since
        self._day_sums: Integers = np.zeros(1, dtype=np.int64)

    def rate(self, at: Integers) -> Integers:
        """Return the rate at ascending `at` [s since 1970] in thousandths per hour."""
        node, into = np.divmod(at - EPOCH_S, NODE_S)
        left, right = self._nodes(node), self._nodes(node + 1)
        rate: Integers = left + (right - left) * into // NODE_S
        return rate

    def register(self, at: Integers) -> Integers:
        """Return the register at ascending `at` [s since 1970] in hundredths."""
        shown: Integers = self._initial + self.integral(at) // _PER_HUNDREDTH
        return shown

    def integral(self, at: Integers) -> Integers:
        """Return the integral from the epoch to ascending `at` [thousandths/h x s].

        Raises
        ------
        SimulatorError
            If a time is before the day where the integral begins.
        """
        node, into = np.divmod(at - EPOCH_S, NODE_S)
        day = int(node.min()) // _NODES
        first = day * _NODES
        rates = self._nodes(np.arange(first, int(node.max()) + 2))
        sums = np.concatenate(([0], np.cumsum((rates[:-1] + rates[1:]) * NODE_S // 2)))
        left, right = rates[node - first], rates[node - first + 1]
        part = (2 * NODE_S * left * into + (right - left) * into**2) // (2 * NODE_S)
        whole: Integers = self._before(day) + sums[node - first] + part
        return whole

    def count_up(self, day: int) -> None:
        """Get the integral up to midnight of a day, unless it begins later."""
        if day >= self._since:
            self._before(day)

    def forget(self, day: int) -> None:
        """Count anew what is after midnight of a day: the rates there have changed."""
        self._day_sums = self._day_sums[: max(day - self._since, 0) + 1]

    def _before(self, day: int) -> int:
        """Return the integral up to midnight of `day`, a few days at a time."""
        if day < self._since:
            begin = EPOCH + timedelta(days=self._since)
            raise SimulatorError(
                f"registers begin on {begin:%Y-%m-%d}, and an earlier time was asked for"
            )
        while (known := self._since + self._day_sums.size - 1) < day:
            until = min(day, (known // CHUNK_DAYS + 1) * CHUNK_DAYS)
            rates = self._nodes(np.arange(known * _NODES, until * _NODES + 1))
            steps = (rates[:-1] + rates[1:]) * NODE_S // 2
            totals = steps.reshape(-1, _NODES).sum(axis=1)
            later = self._day_sums[-1] + np.cumsum(totals)
            self._day_sums = np.concatenate((self._day_sums, later))
        return int(self._day_sums[day - self._since])


def count_up(flows: Iterable[Flow], at_s: int) -> None:
    """Count flows up to the day of an instant, all of them a few days at a time.

    Each does so by itself when it is asked; together, what they rest on is computed once.
    """
    waiting, day = list(flows), (at_s - EPOCH_S) // 86400
    for reached in range(CHUNK_DAYS, day + CHUNK_DAYS, CHUNK_DAYS):
        for each in waiting:
            each.count_up(min(reached, day))


def seconds(at: datetime) -> int:
    """Return the whole seconds since 1970 of an aware time at or after the epoch."""
    if at.tzinfo is None:
        raise SimulatorError(f"time {at.isoformat()} has no zone")
    if at < EPOCH:
        raise SimulatorError(
            f"time {at.isoformat()} is before {EPOCH:%Y-%m-%d}, where the simulated "
            "park begins"
        )
    return int(at.timestamp())


def draw(seed: int, *name: str) -> float:
    """Return a fixed number in [0, 1) for a seed and a name."""
    text = "/".join((str(seed), *name)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest()) / 2**48


def load(clock: Clock, shape: Shape, peak: float, seed: int, name: str) -> Nodes:
    """Return a load of about `peak` thousandths per hour in the afternoon.

    The day's shape, times the weekend's share, a summer of +4 % and a winter of -4 %,
    a level of its own for `name` (within 2 %) and smooth noise within 5 %.
    """
    level = peak * (0.98 + 0.04 * draw(seed, name, "level"))
    # period [s] and amplitude: stirring within the hour, hours, days
    waves = [
        (period, amplitude, 2 * np.pi * draw(seed, name, str(period)))
        for period, amplitude in ((2_741, 0.018), (17_387, 0.018), (232_701, 0.012))
    ]
    weekday = np.array([1, 1, 1, 1, 1, shape.saturday, shape.sunday])
    # zones keep to quarters of an hour, so the local time of a node is a node's
    course = np.interp(np.arange(0, 24, NODE_S / 3600), shape.hours, shape.share)

    def nodes(number: Integers) -> Integers:
        local = clock.local_s(number)
        day, second = np.divmod(local, 86400)
        days = np.arange(day[0], day[-1] + 1)
        season = 1 + 0.04 * np.cos(2 * np.pi * (days - 200) / 365.25)
        by_day = level * weekday[days % 7] * season
        noise = 1.0 + sum(
            amplitude * np.sin(2 * np.pi / period * local + phase)
            for period, amplitude, phase in waves
        )
        return _whole(by_day[day - days[0]] * course[second // NODE_S] * noise)

    return nodes


def sunshine(clock: Clock, peak: float, seed: int, name: str) -> Nodes:
    """Return a photovoltaic generation of at most `peak` thousandths per hour."""

    def nodes(number: Integers) -> Integers:
        day, second = np.divmod(clock.local_s(number), 86400)
        length = 12 + 2 * np.cos(2 * np.pi * (day - 172) / 365.25)  # [h] of daylight
        height = np.cos(np.pi * (second / 3600 - 12) / length)
        days, where = np.unique(day, return_inverse=True)
        sky = np.array([0.3 + 0.7 * draw(seed, name, str(each)) for each in days])
        light = (np.abs(second / 3600 - 12) < length / 2) * np.maximum(height, 0) ** 1.2
        return _whole(peak * sky[where] * light)

    return nodes


def _whole(rate: NDArray[np.float64]) -> Integers:
    return np.rint(rate).astype(np.int64)
