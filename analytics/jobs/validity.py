"""Dated rows painted over each other: what applies when, as known on a date."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

from analytics.registers import Steps
from store.readings import to_us
from store.records import Validity

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Segments: TypeAlias = list[
    tuple[int, T | None]
]  # (from_us, value); None: nothing applies
Counts: TypeAlias = dict[tuple[int, str], Segments[int]]  # by meter and flow

_UNPLACED = ("main", None)


class Dated(Protocol[T_co]):
    """A row of which `value` holds for `key` in [valid_from, valid_to)."""

    @property
    def key(self) -> int: ...  # noqa: D102
    @property
    def value(self) -> T_co: ...  # noqa: D102
    @property
    def valid_from(self) -> datetime: ...  # noqa: D102
    @property
    def valid_to(self) -> datetime | None: ...  # noqa: D102


def segments(rows: Iterable[Dated[T]]) -> dict[int, Segments[T]]:
    """Paint rows, given in the order recorded, on each key's time line.

    Returns
    -------
    dict
        Per key the instants [µs] at which another value begins to apply, ascending.
    """
    by_key: dict[int, list[Dated[T]]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    return {key: _paint(each) for key, each in by_key.items()}


def _paint(rows: list[Dated[T]]) -> Segments[T]:
    edges = {row.valid_from for row in rows}
    edges |= {row.valid_to for row in rows if row.valid_to is not None}
    painted: Segments[T] = []
    for edge in sorted(edges):
        value = None
        for row in rows:
            if row.valid_from <= edge and (row.valid_to is None or edge < row.valid_to):
                value = row.value  # the one recorded last wins
        if not painted or painted[-1][1] != value:
            painted.append((to_us(max(edge, _FIRST)), value))
    return painted


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Where meters stand over time, and what they measure: for each flow a tree."""

    places: Mapping[
        int, Segments[tuple[str, int | None]]
    ]  # by meter: role, the one above
    measured: Collection[tuple[int, str]]  # meters and flows

    def ever_above(self, meter: int) -> set[int]:
        """Give all meters that ever stand above one, whatever they measure."""
        found: set[int] = set()
        todo = [meter]
        while todo:
            for _, place in self.places.get(todo.pop(), []):
                if place is not None and place[1] is not None and place[1] not in found:
                    found.add(place[1])
                    todo.append(place[1])
        return found

    def edges(self, meter: int) -> set[int]:
        """Give the instants [µs] at which what is above a meter may change."""
        chain = {meter} | self.ever_above(meter)
        return {at for each in chain for at, _ in self.places.get(each, [])}

    def above(self, meter: int, flow: str, at_us: int) -> int | None:
        """Give the nearest meter above one, at an instant, that measures the flow."""
        seen = {meter}  # a circle ends where it began
        while (place := value_at(self.places.get(meter, []), at_us)) is not None:
            parent = place[1]
            if parent is None or parent in seen:
                return None
            if (parent, flow) in self.measured:
                return parent
            seen.add(parent)
            meter = parent
        return None


def counting(
    assignments: Iterable[Validity], tree: Tree, park_id: int
) -> tuple[Counts, Counts]:
    """Tell what each meter counts for, and when; as core.counting of the database.

    For each flow it is the nearest meter above a meter that measures this flow which says:
    a main meter counts for the enterprise it is assigned to, unless that is a meter of the
    same enterprise, other than of the role park. Without one above it, it counts for the
    park, as one of the role park does.

    Returns
    -------
    of_enterprises, of_park
        By meter and flow it measures: the id it counts for from each instant on.
    """
    owners = segments(assignments)
    of_enterprises: Counts = {}
    of_park: Counts = {}
    alone: dict[int, tuple[Segments[int], Segments[int]]] = {}
    for meter, flow in tree.measured:
        if meter not in owners:
            continue
        if meter in tree.places:
            found = _below(owners, tree, meter, flow, park_id)
        else:  # a main meter with none above it: most are
            if meter not in alone:
                alone[meter] = _alone(owners[meter], park_id)
            found = alone[meter]
        of_enterprises[meter, flow], of_park[meter, flow] = found
    return of_enterprises, of_park


def _alone(owned: Segments[float], park_id: int) -> tuple[Segments[int], Segments[int]]:
    mine: Segments[int] = []
    parks: Segments[int] = []
    for at, owner in owned:
        _append(mine, at, None if owner is None else int(owner))
        _append(parks, at, None if owner is None else park_id)
    return mine, parks


def _below(
    owners: Mapping[int, Segments[float]],
    tree: Tree,
    meter: int,
    flow: str,
    park_id: int,
) -> tuple[Segments[int], Segments[int]]:
    mine: Segments[int] = []
    parks: Segments[int] = []
    edges = tree.edges(meter)
    for each in {meter} | tree.ever_above(meter):
        edges |= {at for at, _ in owners.get(each, [])}
    for at in sorted(edges):
        owner = value_at(owners[meter], at)
        role, _ = value_at(tree.places[meter], at) or _UNPLACED
        above = tree.above(meter, flow, at)
        counts, top = role == "main", role in ("main", "park")
        if above is not None:
            its_role, _ = value_at(tree.places.get(above, []), at) or _UNPLACED
            over = value_at(owners.get(above, []), at)
            counts, top = counts and (its_role == "park" or over != owner), False
        _append(mine, at, int(owner) if owner is not None and counts else None)
        _append(parks, at, park_id if owner is not None and top else None)
    return mine, parks


def value_at(painted: Segments[T], at_us: int) -> T | None:
    """Give what applies at an instant [µs]."""
    found = None
    for begin, value in painted:
        if begin > at_us:
            break
        found = value
    return found


def _append(painted: Segments[int], at_us: int, value: int | None) -> None:
    if not painted or painted[-1][1] != value:
        painted.append((at_us, value))


def steps(rows: Iterable[Validity], index: dict[int, list[int]]) -> Steps:
    """Give painted rows as step functions of channels; where nothing applies, 1.

    Parameters
    ----------
    index
        The dense channel indices of each key.
    """
    flat = sorted(
        (channel, at, 1.0 if value is None else value)
        for key, painted in segments(rows).items()
        for channel in index.get(key, ())
        for at, value in painted
    )
    return Steps(
        np.array([each[0] for each in flat], np.int64),
        np.array([each[1] for each in flat], np.int64),
        np.array([each[2] for each in flat], np.float64),
    )
