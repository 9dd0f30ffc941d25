"""Virtual meters: formulas made flat over time, and what they add up.

A formula over virtual meters is linear: it is taken apart until real meters are left, their
coefficients added up. Where they cancel, the meter has no part in it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from analytics.jobs.validity import Segments, segments
from analytics.registers import QUARTER_US, Int64
from store.dirty import Span
from store.events import RegisterEvent
from store.formulas import Formula, Term
from store.readings import to_datetime, to_us
from store.records import Channel
from store.series import Series

QUARTER_S = QUARTER_US / 1e6
WHOLE_S = QUARTER_S - 1e-3  # of a quarter hour known to the end
ROUNDING = 1e-6  # of the unit; a smaller negative amount is none; ours
NEGATIVE = "negative"  # the kind of event that tells of it
CANCELLED = 1e-12  # what is left of coefficients that cancel; ours


class Part(NamedTuple):
    """A real meter's usage id and how often it counts."""

    usage_id: int
    coefficient: float


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A formula over real meters in the quarters that begin in [start_us, stop_us)."""

    start_us: int
    stop_us: int
    parts: tuple[Part, ...]  # in the order of codes; a sum runs in it


@dataclass(frozen=True, kw_only=True)
class Virtual:
    """A virtual meter's usage: known in its pieces alone."""

    usage_id: int
    meter_id: int
    quantity: str
    pieces: tuple[Piece, ...]  # ascending
    below: frozenset[int]  # all usage ids it rests on, virtual ones too

    @property
    def real(self) -> list[int]:
        """The real meters' usage ids, in order."""
        return sorted({part.usage_id for each in self.pieces for part in each.parts})


def flatten(
    channels: Sequence[Channel], formulas: Iterable[Formula]
) -> dict[int, Virtual]:
    """Take the formulas of virtual channels apart.

    Parameters
    ----------
    channels
        Those that count, in the order of codes.
    formulas
        In the order recorded.

    Returns
    -------
    dict
        By usage id. A time in which no formula holds, or in which one names a meter that
        has no such quantity or is not confirmed, has no piece: it is unknown.
    """
    painted = segments(formulas)
    usages = [each for each in channels if each.channel_id == each.usage_id]
    place = {each.usage_id: i for i, each in enumerate(usages)}
    by_name = {(each.meter_id, each.quantity): each for each in usages}
    found = {}
    for each in usages:
        if each.kind == "virtual":
            below = _below(each.usage_id, by_name, painted)
            found[each.usage_id] = Virtual(
                usage_id=each.usage_id,
                meter_id=each.meter_id,
                quantity=each.quantity,
                pieces=_pieces(each.usage_id, below, by_name, painted, place),
                below=frozenset(below),
            )
    return found


def _below(
    usage_id: int,
    by_name: dict[tuple[int, str], Channel],
    painted: dict[int, Segments[tuple[Term, ...]]],
) -> set[int]:
    found: set[int] = set()
    open_ids = [usage_id]
    while open_ids:
        for _, terms in painted.get(open_ids.pop(), []):
            for term in terms or ():
                channel = by_name.get((term.meter_id, term.quantity))
                if channel is not None and channel.usage_id not in found:
                    found.add(channel.usage_id)
                    open_ids.append(channel.usage_id)
    return found


def _pieces(
    usage_id: int,
    below: set[int],
    by_name: dict[tuple[int, str], Channel],
    painted: dict[int, Segments[tuple[Term, ...]]],
    place: dict[int, int],
) -> tuple[Piece, ...]:
    # a quarter belongs to the formula that holds at its start
    edges = sorted(
        {_ceil(at) for each in (usage_id, *below) for at, _ in painted.get(each, [])}
    )
    pieces: list[Piece] = []
    for start, stop in pairwise([*edges, _FOREVER]):
        flat: dict[int, float] | None = defaultdict(float)
        flat = _add(flat, usage_id, 1.0, start, by_name, painted)
        if flat is None:
            continue
        parts = tuple(
            Part(key, flat[key])
            for key in sorted(flat, key=place.__getitem__)
            if abs(flat[key]) > CANCELLED
        )
        if not parts:
            continue
        if pieces and pieces[-1].stop_us == start and pieces[-1].parts == parts:
            start = pieces.pop().start_us
        pieces.append(Piece(start_us=start, stop_us=stop, parts=parts))
    return tuple(pieces)


_FOREVER = 4_102_531_200_000_000  # 2100-01-02, behind all readings


def _ceil(at_us: int) -> int:
    return -(-at_us // QUARTER_US) * QUARTER_US


def _add(
    flat: dict[int, float] | None,
    usage_id: int,
    factor: float,
    at_us: int,
    by_name: dict[tuple[int, str], Channel],
    painted: dict[int, Segments[tuple[Term, ...]]],
) -> dict[int, float] | None:
    """Add a virtual channel's real parts; None where one of them is not there."""
    terms = None
    for begin, value in painted.get(usage_id, []):
        if begin > at_us:
            break
        terms = value
    if terms is None:
        return None
    for term in terms:
        channel = by_name.get((term.meter_id, term.quantity))
        if flat is None or channel is None:
            return None
        if channel.kind == "virtual":
            flat = _add(
                flat,
                channel.usage_id,
                factor * term.coefficient,
                at_us,
                by_name,
                painted,
            )
        else:
            flat[channel.usage_id] += factor * term.coefficient
    return flat


def resting(known: dict[int, Virtual], spans: Sequence[Span]) -> list[Span]:
    """Give the spans in which virtual meters rest on something in `spans`.

    Parameters
    ----------
    spans
        At most one a usage id; those of virtual meters whose formula changed too.

    Returns
    -------
    list
        One hull a virtual meter, in the order of usage ids.
    """
    found = []
    for usage_id, each in sorted(known.items()):
        mine = [
            s for s in spans if s.channel_id in each.below or s.channel_id == usage_id
        ]
        if mine:
            low, high = min(s.start for s in mine), max(s.stop for s in mine)
            found.append(Span(usage_id, low, high, True))
    return found


def usage(known: dict[int, Virtual], spans: Sequence[Span], of_real: Series) -> Series:
    """Add up the usage of virtual meters in their spans.

    A quarter hour is known where all of every part is: what is missing of a difference
    would else become a number. Its seconds are those of the part that is known worst.

    Parameters
    ----------
    of_real
        Usage of the real meters, ordered, with all of them in the spans.

    Returns
    -------
    Series
        By usage id; columns amount, measured_s, estimated_s, expected_s.
    """
    keys: list[Int64] = [np.empty(0, np.int64)]
    starts: list[Int64] = [np.empty(0, np.int64)]
    values = [np.empty((4, 0))]
    for span in sorted(spans):
        for piece in known[span.channel_id].pieces:
            first = max(piece.start_us, _ceil(to_us(span.start))) // QUARTER_US
            stop = -(-min(piece.stop_us, to_us(span.stop)) // QUARTER_US)
            if stop <= first:
                continue
            sums = _sum(piece, of_real, first, stop - first)
            whole = np.flatnonzero(~np.isnan(sums[0]))
            keys.append(np.full(whole.size, span.channel_id, np.int64))
            starts.append((first + whole) * QUARTER_US)
            values.append(sums[:, whole])
    return Series(
        np.concatenate(keys), np.concatenate(starts), np.concatenate(values, axis=1)
    ).ordered()


def beside(
    known: dict[int, Virtual], of_real: Series, start: datetime, stop: datetime
) -> Series:
    """Give usage of real meters in [start, stop) and that of virtual ones beside it."""
    spans = [Span(each, start, stop, True) for each in known]
    if not spans:
        return of_real
    added = usage(known, spans, of_real)
    return Series(
        np.concatenate([of_real.key, added.key]),
        np.concatenate([of_real.start_us, added.start_us]),
        np.concatenate([of_real.values, added.values], axis=1),
    ).ordered()


def _sum(piece: Piece, usage: Series, first: int, size: int) -> np.ndarray:
    sums = np.zeros((4, size))
    sums[1], sums[3] = QUARTER_S, QUARTER_S
    for part in piece.parts:
        low, high = np.searchsorted(usage.key, [part.usage_id, part.usage_id + 1])
        cell = usage.start_us[low:high] // QUARTER_US - first
        amount, measured, estimated = usage.values[:3, low:high]
        there = (cell >= 0) & (cell < size) & (measured + estimated >= WHOLE_S)
        mine = np.full((3, size), np.nan)
        mine[:, cell[there]] = amount[there], measured[there], estimated[there]
        sums[0] += part.coefficient * mine[0]
        sums[1] = np.minimum(sums[1], mine[1])
        sums[2] = np.maximum(sums[2], mine[2])
    return sums


def negative(
    resting: Sequence[Span], usage: Series, edges: Sequence[datetime]
) -> list[RegisterEvent]:
    """Tell the days on which virtual usage is negative, each at its first such quarter.

    `value_before` is the lowest quarter hour, `value_after` the sum of the negative ones.
    """
    found = []
    days = np.array([to_us(each) for each in edges], np.int64)
    for key in sorted({each.channel_id for each in resting}):
        low, high = np.searchsorted(usage.key, [key, key + 1])
        below = np.flatnonzero(usage.values[0, low:high] < -ROUNDING) + low
        day = np.searchsorted(days, usage.start_us[below], "right")
        for each in np.unique(day).tolist():
            mine = below[day == each]
            amount = usage.values[0, mine]
            found.append(
                RegisterEvent(
                    channel_id=key,
                    at=to_datetime(int(usage.start_us[mine[0]])),
                    kind=NEGATIVE,
                    value_before=float(amount.min()),
                    value_after=math.fsum(amount),
                    rule="a formula's parts came to less than 0: counted as it is",
                    confidence=1.0,
                )
            )
    return found


def terms_in(
    known: dict[int, Virtual], usage_id: int, low: int, high: int
) -> list[tuple[int, int, tuple[Part, ...]]]:
    """List the pieces of [low, high) [µs] as (from, to, parts), without gaps.

    A usage that is real is its own part; a time in which nothing is known has none.
    """
    if usage_id not in known:
        return [(low, high, (Part(usage_id, 1.0),))]
    found: list[tuple[int, int, tuple[Part, ...]]] = []
    at = low
    for piece in known[usage_id].pieces:
        begin, end = max(piece.start_us, low), min(piece.stop_us, high)
        if begin < end:
            if at < begin:
                found.append((at, begin, ()))
            found.append((begin, end, piece.parts))
            at = end
    if at < high:
        found.append((at, high, ()))
    return found
