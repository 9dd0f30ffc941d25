"""Dated rows painted over each other: what applies when, as known on a date."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

from analytics.registers import Steps
from store.readings import to_us
from store.records import Placement, Validity

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Segments: TypeAlias = list[
    tuple[int, T | None]
]  # (from_us, value); None: nothing applies


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


def counting(
    assignments: Iterable[Validity], placements: Iterable[Placement], park_id: int
) -> tuple[dict[int, Segments[int]], dict[int, Segments[int]]]:
    """Tell what each meter counts for, and when; as core.counting of the database.

    A main meter counts for the enterprise it is assigned to, unless the meter above it is
    a main one of the same enterprise. Without a meter above it, it counts for the park,
    as one of the role park does.

    Returns
    -------
    of_enterprises, of_park
        By meter: the id it counts for from each instant on.
    """
    owners = segments(assignments)
    places = segments(placements)
    of_enterprises: dict[int, Segments[int]] = {}
    of_park: dict[int, Segments[int]] = {}
    for meter, owned in owners.items():
        mine: Segments[int] = []
        parks: Segments[int] = []
        of_enterprises[meter], of_park[meter] = mine, parks
        if meter not in places:  # a main meter with none above it: most are
            for at, owner in owned:
                _append(mine, at, None if owner is None else int(owner))
                _append(parks, at, None if owner is None else park_id)
            continue
        parents = {place[1] or 0 for _, place in places[meter] if place}
        edges = {at for at, _ in owned}
        for each in {meter} | parents:
            edges |= {at for at, _ in owners.get(each, [])}
            edges |= {at for at, _ in places.get(each, [])}
        for at in sorted(edges):
            owner = value_at(owned, at)
            role, parent = value_at(places[meter], at) or ("main", None)
            above, _ = value_at(places.get(parent or 0, []), at) or ("main", None)
            over = value_at(owners.get(parent or 0, []), at)
            counts = role == "main" and (
                parent is None or above == "park" or over != owner
            )
            _append(mine, at, int(owner) if owner is not None and counts else None)
            top = parent is None and role in ("main", "park")
            _append(parks, at, park_id if owner is not None and top else None)
    return of_enterprises, of_park


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
