"""Whose meters stand behind whose, over time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from analytics.jobs import compute
from analytics.jobs.validity import value_at
from analytics.registers import QUARTER_US
from store.readings import to_us
from store.records import Channel

# by quantity, enterprise and cell: who is above its meters, the next one first
Behind = Mapping[tuple[str, int, int], frozenset[tuple[int, ...]]]


def behind(
    world: compute.World, quantities: Sequence[str], edges: Sequence[datetime]
) -> Behind:
    """Find who is above the meters that count for enterprises in each cell of time."""
    at = [to_us(each) for each in edges]
    found: dict[tuple[str, int, int], set[tuple[int, ...]]] = defaultdict(set)
    for channel in world.usages:
        if channel.quantity not in quantities:
            continue
        for cell, (start, stop) in enumerate(pairwise(at)):
            for low, _, owner, _, _ in pieces(world, channel, start, stop):
                if owner is not None:
                    who = tuple(
                        each for each in chain(world, channel, low) if each != owner
                    )
                    found[channel.quantity, owner, cell].add(who)
    return {key: frozenset(each) for key, each in found.items()}


def pieces(
    world: compute.World, channel: Channel, start: int, stop: int
) -> list[tuple[int, int, int | None, bool, int | None]]:
    """Cut time where it changes what a meter counts for in the flow of a channel.

    Returns
    -------
    list
        From, to, the enterprise it counts for, whether for the park, and the enterprise
        behind whose meter it stands.
    """
    meter, flow = channel.measures
    members = world.members.get((meter, flow), [])
    of_park = world.of_park.get((meter, flow), [])
    edges = {start, stop, *(at for at, _ in of_park)} | world.tree.edges(meter)
    for each in {meter} | world.tree.ever_above(meter):
        edges |= {at for at, _ in world.members.get((each, flow), [])}
    cuts = sorted(_quarter(each) for each in edges if start <= each <= stop)
    pieces = []
    for low, high in pairwise(cuts):
        if low == high:
            continue
        owner, whole = value_at(members, low), value_at(of_park, low) is not None
        giver = next(iter(chain(world, channel, low)), None)
        pieces.append((low, high, owner, whole, giver))
    return pieces


def _quarter(at_us: int) -> int:
    return -(-at_us // QUARTER_US) * QUARTER_US


def chain(world: compute.World, channel: Channel, at_us: int) -> tuple[int, ...]:
    """List the enterprises of the main meters above one of a flow, the next one first."""
    meter, flow = channel.measures
    seen, found = {meter}, []
    above = world.tree.above(meter, flow, at_us)
    while above is not None and above not in seen:
        seen.add(above)
        owner = value_at(world.members.get((above, flow), []), at_us)
        if owner is not None:
            found.append(owner)
        above = world.tree.above(above, flow, at_us)
    return tuple(found)
