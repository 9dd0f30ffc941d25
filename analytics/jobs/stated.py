"""What statements say of months, quarters and years: sums of flows, and levels."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from analytics.reconciling import Doubt, Group, Span, groups, reconciled
from store import periods
from store.records import Statement


def index(day: date) -> int:
    """Give the number of a month that begins on a day."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """Give the first day of a month by its number."""
    return date(month // 12, month % 12 + 1, 1)


class Flow(NamedTuple):
    """An additive amount as stated of periods of whole months."""

    spans: tuple[Span, ...]
    groups: tuple[Group, ...]
    doubts: tuple[Doubt, ...]

    def month(self, at: int) -> float:
        """Give the amount of one month; NaN where it is not known by itself."""
        for each in self.groups:
            if each.months == (at,):
                return each.amount
        return math.nan

    def sums(self, first: int, stop: int) -> tuple[list[Group], list[int]]:
        """Give the known sums of months [first, stop), and the months outside them."""
        inside = [
            each
            for each in self.groups
            if first <= each.months[0] and each.months[-1] < stop
        ]
        known = {month for each in inside for month in each.months}
        return inside, [month for month in range(first, stop) if month not in known]

    def keys(self, first: int, stop: int) -> tuple[int, ...]:
        """Give the ids of the statements that decide on months [first, stop).

        They are those that reach into them, and what lies beside these in the same longer
        one: it is scaled with them, or leaves them the rest.
        """
        reach = [s for s in self.spans if s.first < stop and first < s.stop]
        low = min((s.first for s in reach), default=stop)
        high = max((s.stop for s in reach), default=first)
        return tuple(
            sorted(s.key for s in self.spans if s.first < high and low < s.stop)
        )


NOTHING = Flow((), (), ())


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What is known of a period."""

    amount: float
    estimated: bool = False  # not all as stated: scaled, or by an indicator
    provisional: bool = False
    how: tuple[str, ...] = ()  # states and indicators of the months
    statement_ids: tuple[int, ...] = ()


def flow(spans: Iterable[Span]) -> Flow:
    """Decide what counts of the spans of one amount."""
    found = reconciled(list(spans))
    return Flow(found.spans, tuple(groups(found.spans)), found.doubts)


def spans(
    rows: Iterable[Statement], number: Callable[[date], int] = index
) -> list[Span]:
    """Give statements by months, or by what else numbers days.

    Those that are not of whole months say nothing of a month.
    """
    return [
        Span(
            number(each.period_from),
            number(each.period_to),
            each.amount,
            each.stage == "final",
            each.statement_id,
        )
        for each in rows
        if each.amount is not None and (number is not index or whole_months(each))
    ]


def whole_months(row: Statement) -> bool:
    """Tell whether a statement is of whole months."""
    return row.period_from.day == 1 and row.period_to.day == 1


def exact(of: Flow, first: int, stop: int) -> Amount | None:
    """Add the known sums of months [first, stop); None where they do not fill them."""
    inside, rest = of.sums(first, stop)
    if rest or not inside:
        return None
    # what is final of a period is so, whatever its parts are
    whole: list[Span] = []
    for each in of.spans:  # the longer of two first
        inner = bool(whole) and each.first < whole[-1].stop
        if each.final and first <= each.first and each.stop <= stop and not inner:
            whole.append(each)
    parts = [
        each
        for each in inside
        if not any(
            s.first <= each.months[0] and each.months[-1] < s.stop for s in whole
        )
    ]
    how = states([*whole, *parts])
    return Amount(
        amount=math.fsum([*(e.amount for e in whole), *(e.amount for e in parts)]),
        estimated="scaled" in how,
        provisional=not all(each.final for each in parts),
        how=how,
        statement_ids=of.keys(first, stop),
    )


def states(parts: Iterable[Span | Group]) -> tuple[str, ...]:
    """Tell whether parts are as stated, or scaled to what counts before them."""
    return tuple(sorted({"scaled" if each.scaled else "stated" for each in parts}))


def together(parts: Sequence[Amount | None]) -> Amount | None:
    """Add what each of some enterprises has; None where one lacks it, or there is none."""
    known = [each for each in parts if each is not None]
    if not known or len(known) < len(parts):
        return None
    return Amount(
        amount=math.fsum(each.amount for each in known),
        estimated=any(each.estimated for each in known),
        provisional=any(each.provisional for each in known),
        how=tuple(sorted({how for each in known for how in each.how})),
        statement_ids=tuple(i for each in known for i in each.statement_ids),
    )


def level(rows: Sequence[Statement], first: int, stop: int) -> Amount | None:
    """Give the mean over days of a level such as an area; None where a month has none.

    Of the statements that hold a month a final one counts first, then that of the
    shortest period, then the newest.
    """
    total, days = [], 0
    ids, provisional = set(), False
    for month in range(first, stop):
        start, end = first_day(month), first_day(month + 1)
        holds = [e for e in rows if e.period_from <= start and end <= e.period_to]
        if not holds:
            return None
        best = min(
            holds,
            key=lambda e: (
                e.stage != "final",
                e.period_to - e.period_from,
                -e.statement_id,
            ),
        )
        length = (end - start).days
        total.append((best.amount or 0.0) * length)
        days += length
        ids.add(best.statement_id)
        provisional |= best.stage != "final"
    return Amount(
        amount=math.fsum(total) / days,
        provisional=provisional,
        how=("stated",),
        statement_ids=tuple(sorted(ids)),
    )


def told(of: Flow, code_of: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell the doubts of a flow, each with what counts."""
    return [
        {
            **code_of(each.key),
            "what": each.what,
            "statement_id": each.key,
            "amount": each.amount,
            "other_ids": list(each.others),
            "other_amount": each.other_amount,
            "counts": "statement" if each.counts else "others",
        }
        for each in of.doubts
    ]


def period_name(first: int, stop: int) -> str:
    """Write months [first, stop) as people do."""
    return periods.written(first_day(first), first_day(stop))
