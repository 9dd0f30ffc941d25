"""Whose meters stand behind whose, over time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from analytics.jobs import compute
from analytics.jobs.validity import Segments, segments, value_at
from analytics.jobs.vintage import Vintage
from analytics.registers import QUARTER_US
from store import relations
from store.database import Connection
from store.readings import to_us

Places = Mapping[int, Segments[tuple[str, int | None]]]
# by quantity, enterprise and cell: who is above its meters, the next one first
Behind = Mapping[tuple[str, int, int], frozenset[tuple[int, ...]]]


def behind(
    conn: Connection,
    world: compute.World,
    quantities: Sequence[str],
    edges: Sequence[datetime],
    vintage: Vintage,
) -> Behind:
    """Find who is above the meters that count for enterprises in each cell of time."""
    places = segments(relations.placements(conn, world.park_id, vintage.membership))
    at = [to_us(each) for each in edges]
    found: dict[tuple[str, int, int], set[tuple[int, ...]]] = defaultdict(set)
    for channel in world.usages:
        if channel.quantity not in quantities:
            continue
        for cell, (start, stop) in enumerate(pairwise(at)):
            for low, _, owner, _, _ in pieces(
                world, places, channel.meter_id, start, stop
            ):
                if owner is not None:
                    who = tuple(
                        each
                        for each in chain(world, places, channel.meter_id, low)
                        if each != owner
                    )
                    found[channel.quantity, owner, cell].add(who)
    return {key: frozenset(each) for key, each in found.items()}


def pieces(
    world: compute.World,
    places: Places,
    meter: int,
    start: int,
    stop: int,
) -> list[tuple[int, int, int | None, bool, int | None]]:
    """Cut time where it changes what a meter counts for.

    Returns
    -------
    list
        From, to, the enterprise it counts for, whether for the park, and the enterprise
        behind whose meter it stands.
    """
    members = world.members.get(meter, [])
    of_park = world.of_park.get(meter, [])
    edges = {start, stop, *(at for at, _ in of_park)}
    for each in _above_ever(places, meter):
        edges |= {at for at, _ in world.members.get(each, [])}
        edges |= {at for at, _ in places.get(each, [])}
    cuts = sorted(_quarter(each) for each in edges if start <= each <= stop)
    pieces = []
    for low, high in pairwise(cuts):
        if low == high:
            continue
        owner, whole = value_at(members, low), value_at(of_park, low) is not None
        pieces.append(
            (
                low,
                high,
                owner,
                whole,
                next(iter(chain(world, places, meter, low)), None),
            )
        )
    return pieces


def _above_ever(places: Places, meter: int) -> set[int]:
    """Give a meter and all that ever stood above it."""
    found, todo = {meter}, [meter]
    while todo:
        for _, place in places.get(todo.pop(), []):
            if place is not None and place[1] is not None and place[1] not in found:
                found.add(place[1])
                todo.append(place[1])
    return found


def _quarter(at_us: int) -> int:
    return -(-at_us // QUARTER_US) * QUARTER_US


def chain(
    world: compute.World, places: Places, meter: int, at_us: int
) -> tuple[int, ...]:
    """List the enterprises of the main meters above a meter, the next one first."""
    seen, found = {meter}, []
    while (place := value_at(places.get(meter, []), at_us)) and place[1] is not None:
        meter = place[1]
        if meter in seen:
            break
        seen.add(meter)
        owner = value_at(world.members.get(meter, []), at_us)
        if owner is not None:
            found.append(owner)
    return tuple(found)
