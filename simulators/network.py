"""The park's electric network: nodes, their losses, and the quadrants of a meter."""

from dataclasses import dataclass

import numpy as np

from simulators.errors import SimulatorError
from simulators.load import Integers
from simulators.plant import Plant
from simulators.scenario import Transformer
from simulators.series import Series, total, whole


@dataclass(frozen=True, kw_only=True)
class Node:
    """A place of the network where a meter may stand.

    `net` is what flows in less what flows out [W]: the sum of what stands below and
    `loss`. Where it is not `signed` nothing ever flows out.
    """

    size_kw: float
    net: Series
    reactive: Series
    signed: bool
    loss: Series | None = None


def main(plant: Plant) -> Node:
    """Return the node of an enterprise's main meter."""
    return Node(
        size_kw=max(plant.size_kw, plant.pv_kwp),
        net=plant.net,
        reactive=plant.reactive,
        signed=plant.signed,
    )


def lamps(series: Series, size_kw: float) -> Node:
    """Return the node of what the park uses itself."""
    return Node(size_kw=size_kw, net=series, reactive=total([]), signed=False)


def feeder(below: list[Node], of: Transformer) -> Node:
    """Return a feeder before its transformer.

    Its losses are those without load + those at the rating x (S / rating)², as of any
    transformer.
    """
    size_kw = sum(node.size_kw for node in below)
    if of.rated_kva is not None and of.rated_kva < size_kw / 2:
        raise SimulatorError(
            f"park.transformer.rated_kva: {of.rated_kva:.15g} is less than half of the "
            f"{size_kw:.0f} kW on a feeder: state more, or more feeders"
        )
    rated_w = 1000 * (of.rated_kva or max(1.25 * size_kw, 100))
    net = total([node.net for node in below])
    reactive = total([node.reactive for node in below])

    def lost(number: int) -> Integers:
        active, idle = net.chunk(number) / rated_w, reactive.chunk(number) / rated_w
        return whole(rated_w * (of.no_load + of.load * (active**2 + idle**2)))

    return _over(below, Series(lost))


def gate(below: list[Node], line_loss: float) -> Node:
    """Return the node before all others; its lines lose a share."""
    net = total([node.net for node in below])
    return _over(
        below, Series(lambda number: whole(line_loss * np.abs(net.chunk(number))))
    )


def quadrant(node: Node, active: int, lagging: int) -> Series:
    """Return the reactive power of a quadrant; power of 0 counts as taken."""

    def make(number: int) -> Integers:
        inside = (node.net.chunk(number) >= 0) == (active > 0)
        part = np.where(inside, lagging * node.reactive.chunk(number), 0)
        return np.maximum(part, 0)

    return Series(make)


def _over(below: list[Node], loss: Series) -> Node:
    return Node(
        size_kw=sum(node.size_kw for node in below),
        net=total([*(node.net for node in below), loss]),
        reactive=total([node.reactive for node in below]),
        signed=any(node.signed for node in below),
        loss=loss,
    )
