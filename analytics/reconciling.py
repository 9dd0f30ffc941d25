"""Statements of a month, a quarter and a year at once: which of them count, and as what.

What is stated of periods that lie in each other need not add up. The rules are ours and
follow how statistics are revised: a final statement counts before a provisional one; of
two of a kind the longer period is the benchmark, and the shorter ones become its shape.
Nothing is passed over in silence: each disagreement is told.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

TOLERANCE = 1e-6  # of an amount: how exactly parts must add up to be no disagreement


class Span(NamedTuple):
    """An amount of the months [first, stop), counted from any fixed month."""

    first: int
    stop: int
    amount: float
    final: bool
    key: int  # of the statement
    scaled: bool = False  # to what counts before it: no more what was stated


class Doubt(NamedTuple):
    """Two statements that do not go together, and which of them counts."""

    key: int
    others: tuple[int, ...]
    what: str  # overlaps, differs or nothing_left
    amount: float  # of the statement
    other_amount: float  # of the others
    counts: bool  # whether the statement does; else the others do


class Reconciled(NamedTuple):
    """Spans that agree, each inside, around or apart from the others; and the doubts."""

    spans: tuple[Span, ...]  # with the amounts that count, by first month and length
    doubts: tuple[Doubt, ...]


class Group(NamedTuple):
    """Months of one known amount that no shorter span splits."""

    months: tuple[int, ...]
    amount: float
    final: bool
    keys: tuple[int, ...]  # of the statements it rests on
    scaled: bool = False  # one of these is


class _Node:
    def __init__(self, span: Span) -> None:
        self.span, self.amount, self.final = span, span.amount, span.final
        self.parts: list[_Node] = []

    @property
    def tiled(self) -> bool:
        """Whether the parts fill it."""
        at = self.span.first
        for each in self.parts:
            if each.span.first != at:
                return False
            at = each.span.stop
        return bool(self.parts) and at == self.span.stop

    @property
    def sum(self) -> float:
        """What the parts add up to."""
        return math.fsum(each.amount for each in self.parts)


def reconciled(stated: Sequence[Span]) -> Reconciled:
    """Choose among statements of periods in each other.

    Parameters
    ----------
    stated
        One of each period, in any order. Amounts in any additive unit.

    Returns
    -------
    Reconciled
        A span that overlaps another without one holding the other is left out. Where parts
        fill a span and add up to something else: if the span is final, or some parts are
        provisional, it counts and its provisional parts are scaled to what the final ones
        leave (all parts, where that would not be above zero or all are final); a
        provisional span of final parts does not count. Where parts do not fill a span, the
        rest is what they leave of it; where that is not above zero although the span is,
        the span does not count.

    Notes
    -----
    Ours. Scaling of the parts is pro rata, as :func:`analytics.benchmarking.pro_rata`.
    """
    doubts: list[Doubt] = []
    accepted = _accepted(stated, doubts)
    roots = _tree(accepted)
    kept: list[_Node] = []
    for each in roots:
        kept += _judged(each, doubts)
    spans: list[Span] = []
    for each in kept:
        _scaled(each, each.amount, spans)
    spans.sort(key=lambda each: (each.first, -each.stop))
    doubts.sort()
    return Reconciled(tuple(spans), tuple(doubts))


def groups(spans: Sequence[Span]) -> list[Group]:
    """Give the months that only their sum is known of; no month belongs to two.

    Parameters
    ----------
    spans
        As :func:`reconciled` gives them.
    """
    found: list[Group] = []
    todo = _tree(spans)
    while todo:
        node = todo.pop()
        todo += node.parts
        months = set(range(node.span.first, node.span.stop))
        for each in node.parts:
            months -= set(range(each.span.first, each.span.stop))
        if months:
            nodes = [node, *node.parts]
            found.append(
                Group(
                    tuple(sorted(months)),
                    math.fsum([node.amount, *(-each.amount for each in node.parts)]),
                    all(each.final for each in nodes),
                    tuple(each.span.key for each in nodes),
                    any(each.span.scaled for each in nodes),
                )
            )
    return sorted(found)


def _accepted(stated: Sequence[Span], doubts: list[Doubt]) -> list[Span]:
    accepted: list[Span] = []
    for each in sorted(stated, key=lambda s: (not s.final, s.first - s.stop, s)):
        crossing = [
            other
            for other in accepted
            if each.first < other.stop
            and other.first < each.stop
            and not other.first <= each.first < each.stop <= other.stop
            and not each.first <= other.first < other.stop <= each.stop
        ]
        if crossing:
            amount = math.fsum(other.amount for other in crossing)
            keys = tuple(sorted(other.key for other in crossing))
            doubts.append(Doubt(each.key, keys, "overlaps", each.amount, amount, False))
        else:
            accepted.append(each)
    return accepted


def _tree(spans: Sequence[Span]) -> list[_Node]:
    roots: list[_Node] = []
    path: list[_Node] = []
    for each in sorted(spans, key=lambda s: (s.first, -s.stop, s.key)):
        node = _Node(each)
        while path and path[-1].span.stop <= each.first:
            path.pop()
        (path[-1].parts if path else roots).append(node)
        path.append(node)
    return roots


def _judged(node: _Node, doubts: list[Doubt]) -> list[_Node]:
    """Decide from the inside out whether a node counts; else its parts stand for it."""
    parts: list[_Node] = []
    for each in node.parts:
        parts += _judged(each, doubts)
    node.parts = parts
    if not parts:
        return [node]
    total = node.sum
    if node.tiled:
        if math.isclose(total, node.amount, rel_tol=TOLERANCE, abs_tol=1e-9):
            return [node]
        counts = node.final or not all(each.final for each in parts)
        if counts and not node.final:
            counts = _left(node) > 0
        what = "differs"
    else:
        counts = not (node.amount > 0 and node.amount - total <= 0)
        what = "nothing_left"
        if counts:
            return [node]
    keys = tuple(each.span.key for each in parts)
    doubts.append(Doubt(node.span.key, keys, what, node.amount, total, counts))
    return [node] if counts else parts


def _left(node: _Node) -> float:
    return node.amount - math.fsum(each.amount for each in node.parts if each.final)


def _scaled(node: _Node, amount: float, spans: list[Span]) -> None:
    """Give the node this amount and its parts what follows for them."""
    scaled = node.span.scaled or amount != node.span.amount
    spans.append(node.span._replace(amount=amount, scaled=scaled))
    if not node.parts:
        return
    wanted = {id(each): each.amount for each in node.parts}
    if node.tiled:
        open_ = [each for each in node.parts if not each.final]
        room = amount - math.fsum(each.amount for each in node.parts if each.final)
        share = math.fsum(each.amount for each in open_)
        if not (open_ and room > 0 and share > 0):
            open_, room, share = node.parts, amount, node.sum
        if not math.isclose(room, share, rel_tol=TOLERANCE, abs_tol=1e-9):
            if share == 0:  # no shape to follow
                return
            for each in open_:
                wanted[id(each)] = each.amount * room / share
    elif amount != node.amount and node.amount != 0:
        for each in node.parts:
            wanted[id(each)] = each.amount * amount / node.amount
    for each in node.parts:
        _scaled(each, wanted[id(each)], spans)
