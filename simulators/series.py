"""Node values of a flow, computed some days at a time and kept for a while.

A park is a net of flows: an enterprise's is the sum of its machines', a feeder's that of
its enterprises. Each series is computed once for a stretch of days, however many flows
rest on it. What is kept is a matter of speed alone: a series is a pure function of the
node's number.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.load import CHUNK_DAYS, NODE_S, Integers

DAY_NODES = 86400 // NODE_S
CHUNK = CHUNK_DAYS * DAY_NODES  # nodes
_KEPT = 2  # stretches: the one at work and the one behind its edge
_PERIOD = 4099  # nodes after which the noise repeats: 14.2 days, and a prime
_TABLES = 32

Float64 = NDArray[np.float64]
# number of a stretch -> its `CHUNK` values
Make = Callable[[int], Integers]
Wander = Callable[[int], Float64]


class Series:
    """Whole numbers at nodes 5 minutes apart.

    Parameters
    ----------
    make : callable
        Number of a stretch since the epoch -> its node values, (`CHUNK`,).
    """

    _outages = 0  # of all series: what is kept may rest on one that was cut off

    def __init__(self, make: Make) -> None:
        self._make = make
        self._kept: dict[int, Integers] = {}
        self._as_of = 0  # outages when it was kept
        self._off: list[tuple[int, int]] = []

    def cut_off(self, first: int, last: int) -> None:
        """Let the values of nodes ``[first, last)`` be 0 from now on."""
        self._off.append((first, last))
        Series._outages += 1

    def chunk(self, number: int) -> Integers:
        """Return the values of a stretch; not to be written to."""
        if self._as_of != Series._outages:
            self._kept.clear()
            self._as_of = Series._outages
        known = self._kept.get(number)
        if known is None:
            known = self._make(number)
            for first, last in self._off:
                begin, end = (max(0, at - number * CHUNK) for at in (first, last))
                if begin < CHUNK and end:
                    known = known.copy()
                    known[begin:end] = 0
            if len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[number] = known
        return known

    def __call__(self, number: Integers) -> Integers:
        """Return the values at ascending node numbers since the epoch."""
        first, last = int(number[0]) // CHUNK, int(number[-1]) // CHUNK
        if first == last:
            within = number - first * CHUNK
            if int(within[-1] - within[0]) == within.size - 1:
                return self.chunk(first)[int(within[0]) : int(within[-1]) + 1]
            return self.chunk(first)[within]
        cuts = np.searchsorted(number, np.arange(first + 1, last + 1) * CHUNK)
        parts = [part for part in np.split(number, cuts) if part.size]
        return np.concatenate([self(part) for part in parts])


def total(parts: list[Series]) -> Series:
    """Return the sum of series; none give 0."""

    def make(number: int) -> Integers:
        whole: Integers = np.zeros(CHUNK, dtype=np.int64)
        for part in parts:
            whole += part.chunk(number)
        return whole

    return parts[0] if len(parts) == 1 else Series(make)


def positive(of: Series) -> Series:
    """Return what is above 0 of a series."""
    return Series(lambda number: np.maximum(of.chunk(number), 0))


def negative(of: Series) -> Series:
    """Return what is below 0 of a series, as an amount."""
    return Series(lambda number: np.maximum(-of.chunk(number), 0))


def whole(values: NDArray[np.floating[Any]]) -> Integers:
    """Return the nearest whole numbers, none below 0."""
    nearest: Integers = np.maximum(np.rint(values), 0).astype(np.int64)
    return nearest


def key(seed: int, *name: str) -> int:
    """Return a fixed 64-bit number for a seed and a name."""
    text = "/".join((str(seed), *name)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def hashed(of: int, numbers: Integers) -> Float64:
    """Return a fixed number in [0, 1) for a key and each whole number.

    The mixer of SplitMix64 (Steele, Lea, Flood, 2014, doi:10.1145/2660193.2660195).
    """
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(of)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    drawn: Float64 = (mixed >> np.uint64(11)).astype(np.float64) / 2**53
    return drawn


class Noise:
    """Smooth noise around 0 with a deviation of 1, for any number of names.

    Each name reads one of a few tables from a place of its own.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tables = [_table(key(seed, "noise", str(n))) for n in range(_TABLES)]

    def named(self, *name: str) -> Wander:
        """Return the noise of a name by stretch, (`CHUNK`,)."""
        place = key(self._seed, *name, "noise")
        table, phase = self._tables[place % _TABLES], place // _TABLES % _PERIOD

        def wander(number: int) -> Float64:
            begin = (number * CHUNK + phase) % _PERIOD
            return table[begin : begin + CHUNK]

        return wander


def _table(of: int) -> Float64:
    """Return noise of some minutes, an hour and half a day, twice round."""
    white = hashed(of, np.arange(_PERIOD, dtype=np.int64)) - 0.5
    mixed = np.zeros(_PERIOD)
    for width, weight in ((2, 0.5), (12, 0.6), (144, 0.6)):
        sums = np.cumsum(np.concatenate((white, white[:width])))
        course = sums[width:] - sums[:_PERIOD]
        mixed += weight * (course - course.mean()) / course.std()
    mixed /= mixed.std()
    return np.concatenate((mixed, mixed)).clip(-2.5, 2.5)
