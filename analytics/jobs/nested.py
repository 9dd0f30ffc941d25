"""Whose meters stand behind whose, over time, and what the park has of each."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np

from analytics import accounts
from analytics.jobs import compute
from analytics.jobs.validity import value_at
from analytics.registers import QUARTER_US, Bool, Float64
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
        for low, high, owner, _, _ in pieces(world, channel, at[0], at[-1]):
            if owner is None:
                continue
            who = tuple(each for each in chain(world, channel, low) if each != owner)
            for cell in range(bisect_right(at, low) - 1, bisect_left(at, high)):
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


def own_parts(
    gross: Float64,
    proven: Float64,
    stand_in: Mapping[int, Bool],
    *,
    terms: Mapping[str, Float64],
    rows: Mapping[int, int],
    behind: Behind,
) -> tuple[dict[int, Float64], Bool]:
    """Give what a park has of a carrier at each enterprise's own factor.

    Parameters
    ----------
    gross, proven
        What went through meters and what of it is proven green [unit], shape (subjects,
        cells); NaN: unknown.
    stand_in
        Where an enterprise has a factor of its own, shape (cells,) each.
    terms
        By quantity what `gross` adds up.
    rows
        Row of each enterprise's id.

    Returns
    -------
    amounts
        By enterprise [unit], shape (cells,): what it and those behind its meters use who
        keep its factor, less what of it is proven green; :func:`accounts.unproven`.
    torn
        Where only some of the meters of one that counts apart are behind another, so that
        nobody's part is known.
    """
    cells = gross.shape[1]
    mine = {owner: np.zeros(cells) for owner in stand_in}
    torn = np.zeros(cells, np.bool_)
    for cell in np.flatnonzero(np.any([*stand_in.values()], axis=0)).tolist():
        apart = {owner for owner, own in stand_in.items() if own[cell]}
        known = {e: row for e, row in rows.items() if not np.isnan(gross[row, cell])}
        provers = {each for each, row in known.items() if proven[row, cell]}
        above: dict[int, tuple[int, ...]] = {}
        for each, row in known.items():
            if not provers and each not in apart:
                continue
            chains = {
                who
                for name, amount in terms.items()
                if not np.isnan(amount[row, cell])
                for who in behind.get((name, each, cell), ())
            }
            if each in apart:
                ways = {tuple(e for e in w if e in apart | provers) for w in chains}
            else:
                ways = {tuple(e for e in w if e in apart)[:1] for w in chains}
            if each in apart | provers and len(ways) > 1:
                torn[cell] = True
            # of one that is only partly behind another nobody knows how much is
            alone = set.intersection(*map(set, chains)) if chains else set()
            if each in apart | provers or alone & provers:
                next_first = dict.fromkeys(min(chains, default=()))
                above[each] = tuple(e for e in next_first if e in alone)
        above = {e: tuple(a for a in who if a in above) for e, who in above.items()}
        left = accounts.unproven(
            {each: float(gross[rows[each], cell]) for each in above},
            {each: float(proven[rows[each], cell]) for each in above},
            above,
        )
        found: dict[int, list[float]] = defaultdict(list)
        for each, amount in left.items():
            owner = next((e for e in (each, *above[each]) if e in apart), None)
            if owner is not None:
                found[owner].append(amount)
        for owner in apart:
            mine[owner][cell] = math.fsum(found[owner])
    return mine, torn
