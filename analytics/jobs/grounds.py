"""What intensities of a park rest on: its book, and what its enterprises have stated."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from analytics.jobs import added_value
from analytics.jobs.added_value import History, Indicator
from analytics.jobs.book import Book, load_book
from analytics.jobs.stated import NOTHING, Flow, first_day, flow, index, spans
from store import membership, statements
from store.database import Connection
from store.errors import Invalid
from store.membership import Industry, SizeYear
from store.records import Park, Statement
from store.statement_kinds import KINDS

EARLIEST = index(date(2000, 1, 1))
FlowKey = tuple[int, str, str | None, str]  # subject, kind, product, unit


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """Accounts and statements of a park over months [first, stop)."""

    park: Park
    book: Book
    codes: dict[int, str]  # of the enterprises by id, in the order of codes
    rows: dict[int, int]  # of the book, by id
    current: dict[int, History]  # added value at current prices
    real: dict[int, History]  # 〃 at those of the base year; empty without one
    price_base: int | None
    flows: dict[FlowKey, Flow]  # output, water, pollutants
    levels: dict[tuple[int, str], list[Statement]]  # areas and heads
    ignored: list[Statement]  # of money or amounts, not of whole months
    sizes: tuple[SizeYear, ...]
    industries: tuple[Industry, ...]
    minimum_coverage: float
    running: int  # the month that is not over

    def columns(self, first: int, stop: int) -> slice:
        """Give the book's columns of months [first, stop)."""
        start = index(self.book.months[0])
        if not start <= first < stop <= start + len(self.book.months):
            raise Invalid("the months are not in the book")
        return slice(first - start, stop - start)

    def members(self, year: int) -> list[int]:
        """Give the enterprises above designated size in a year, by code."""
        above = {
            each.enterprise_id
            for each in self.sizes
            if each.year == year and each.above_designated_size
        }
        return [each for each in self.codes if each in above]

    def unsaid(self, year: int) -> list[str]:
        """Give the codes of those of whom the year's size is not stated."""
        said = {each.enterprise_id for each in self.sizes if each.year == year}
        return [code for each, code in self.codes.items() if each not in said]


def load_grounds(
    conn: Connection,
    park: Park,
    first: int,
    stop: int,
    *,
    known_on: datetime | None = None,
    price_base: int | None = None,
    method: str = "denton",
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> Grounds:
    """Read what the intensities of months [first, stop) rest on.

    Parameters
    ----------
    price_base
        Also give added value at the prices of this year.
    method
        How quarters and years are spread over months: denton or pro_rata.
    known_on
        As known on a date: statements and readings alike.

    Raises
    ------
    Invalid
        For an unknown method.
    """
    if method not in added_value.METHODS:
        raise Invalid(f"method {method!r} is none of {', '.join(added_value.METHODS)}")
    now = now or datetime.now(UTC)
    due = min(now, known_on) if known_on else now
    running = index(due.astimezone(ZoneInfo(park.zone)).date().replace(day=1))
    book = load_book(
        conn, park, first_day(first), first_day(stop), known_on=known_on, now=now
    )
    ids = {
        each.subject_id: str(each.enterprise)
        for each in book.subjects
        if each.kind == "enterprise"
    }
    stated = statements.stated(
        conn, [park.park_id, *ids], list(KINDS), known_on=known_on
    )
    chosen = _Stated(park, stated)
    windows = {each: chosen.window(each, running) for each in ids}
    rows = {each.subject_id: i for i, each in enumerate(book.subjects)}

    @cache
    def whole() -> Book:
        """Read the book of all months that are estimated, once it is needed."""
        low = min([first, *(each for each, _ in windows.values())])
        high = max(running, stop)
        if (low, high) == (first, stop):
            return book
        return load_book(
            conn, park, first_day(low), first_day(high), known_on=known_on, now=now
        )

    def history(each: int, base: int | None) -> History:
        stated = chosen.added_value(each, base)
        known = chosen.indicators(each)
        window = windows[each]

        def by_electricity() -> History:
            used = _electricity(whole(), rows[each], minimum_coverage)
            more = known if used is None else known | {"electricity": used}
            return added_value.history(stated, more, *window, method)

        return added_value.with_last_resort(
            added_value.history(stated, known, *window, method), by_electricity
        )

    return Grounds(
        park=park,
        book=book,
        codes=ids,
        rows=rows,
        current={each: history(each, None) for each in ids},
        real={}
        if price_base is None
        else {each: history(each, price_base) for each in ids},
        price_base=price_base,
        flows=chosen.flows,
        levels=chosen.levels,
        ignored=chosen.ignored,
        sizes=tuple(membership.sizes(conn, park.park_id, known_on)),
        industries=tuple(membership.industries(conn, park.park_id, known_on)),
        minimum_coverage=minimum_coverage,
        running=running,
    )


def _electricity(book: Book, row: int, minimum: float) -> Indicator | None:
    """Take the months whose electricity is known as a whole."""
    if "energy_import" not in book.amounts:
        return None
    coverage = book.coverage("energy_import")[row]
    amounts = book.amounts["energy_import"][row]
    return added_value.by_months(
        {
            index(month): float(amounts[i])
            for i, month in enumerate(book.months)
            if coverage[i] >= minimum and not math.isnan(amounts[i])
        }
    )


class _Stated:
    """Statements by what they are of."""

    def __init__(self, park: Park, rows: Iterable[Statement]) -> None:
        self._park = park
        self.levels: dict[tuple[int, str], list[Statement]] = {}
        self.ignored: list[Statement] = []
        self._money: dict[tuple[int, str, int | None], list[Statement]] = {}
        others: dict[FlowKey, list[Statement]] = {}
        for each in rows:
            kind = KINDS.get(each.kind)
            if kind is None:
                continue
            if kind.level:
                self.levels.setdefault((each.subject_id, each.kind), []).append(each)
            elif not spans([each]):
                self.ignored.append(each)
            elif kind.money and (each.prices == "current" or each.price_base):
                key = each.subject_id, each.kind, each.price_base
                self._money.setdefault(key, []).append(each)
            elif not kind.money:
                use = each.subject_id, each.kind, each.product, each.unit
                others.setdefault(use, []).append(each)
            else:
                self.ignored.append(each)  # comparable with no one knows when
        index_key = "volume_index"
        self._indices = {k[0]: v for k, v in others.items() if k[1] == index_key}
        self.flows = {k: flow(spans(v)) for k, v in others.items() if k[1] != index_key}

    def window(self, subject: int, running: int) -> tuple[int, int]:
        """Give the months that are estimated: from its first statement's January on."""
        starts = [
            index(each.period_from) // 12 * 12
            for (of, _, _), rows in self._money.items()
            for each in rows
            if of == subject
        ]
        return max(min(starts, default=running), EARLIEST), running

    def of_money(self, subject: int, kind: str, base: int | None = None) -> Flow:
        rows = self._money.get((subject, kind, base))
        return NOTHING if rows is None else flow(spans(rows))

    def added_value(self, subject: int, base: int | None) -> Flow:
        """Give added value at current prices, or at those of a base year."""
        stated = self.of_money(subject, "added_value")
        if base is None:
            return stated
        return added_value.comparable(
            stated,
            spans(self._money.get((subject, "added_value", base), [])),
            added_value.volume_indices(
                self._indices.get(subject, []),
                self._indices.get(self._park.park_id, []),
            ),
            base,
        )

    def indicators(self, subject: int) -> dict[str, Indicator]:
        """Give what the subject itself has stated that moves with added value."""
        return {
            kind: added_value.by_statements(self.of_money(subject, kind))
            for kind in ("gross_output", "revenue")
        }
