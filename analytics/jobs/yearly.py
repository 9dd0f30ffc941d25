"""Calendar years of a subject: what is metered, what is stated, and which of them counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.jobs import methods, stated_value
from analytics.jobs.book import Book, load_book
from analytics.jobs.months import later, month_edges
from store import history as stored
from store import registry, statements
from store.database import Connection
from store.errors import Invalid
from store.history import Past
from store.records import Park, Subject
from store.series import USAGE_MONTH, extent

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

STAGES = ("provisional", "final")
EARLIEST, LATEST = 1980, 2100
MOST_YEARS = 60

# which of the things known of a year counts; the first that applies
METERED, STATED, MONTHS, PART, NOTHING = (
    "metered_complete",  # all twelve months are over and covered
    "stated_year",
    "months_together",  # each metered and complete, or stated
    "metered_in_part",  # provisional: it decides nothing
    "nothing_known",
)


@dataclass(frozen=True, kw_only=True)
class Year:
    """One method's total of one calendar year."""

    year: int
    value_t: float | None
    rule: str
    decides: bool
    metered_t: float | None  # the sum of what is metered, complete or not
    months_complete: int
    months_over: int
    coverage: float | None  # the lowest of its months that are over
    metered_enterprises: tuple[int, int] | None  # fewest and most in one of its months
    stated: Past | None  # of the whole year
    months_t: float | None  # the sum of its months, each metered or stated


@dataclass(frozen=True, kw_only=True)
class Past12:
    """Months of a subject by one method, shape (months,)."""

    months: tuple[date, ...]
    value_t: Float64  # metered and complete, else stated; NaN: neither
    metered: Bool


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of a subject over whole years."""

    subject: Subject
    years: range
    metered: Book | None  # of the metered years; None: there are none
    history: tuple[Past, ...]
    known_on: datetime | None
    now: datetime
    minimum_coverage: float


def state(
    conn: Connection,
    subject: Subject,
    *,
    method: str,
    year: int,
    month: int | None = None,
    amount_t: float | None,
    stage: str = "final",
    source: str,
    who: str,
) -> bool:
    """Record the total of a year, or of one month, by a method; tell if it is new.

    Parameters
    ----------
    amount_t
        tCO2 or tce as the method says; None withdraws what was stated.

    Raises
    ------
    Invalid
        For an unknown method or stage, a period that is not over, an amount below 0, or
        no source or person.
    """
    names = [each.name for each in methods.shipped()]
    if method not in names:
        raise Invalid(f"method {method[:70]!r} is none of {', '.join(names)}")
    if subject.kind == "meter":
        raise Invalid("history is of a park or an enterprise, not of a meter")
    if not EARLIEST <= year < LATEST or (month is not None and not 1 <= month <= 12):
        raise Invalid(f"{year}-{month or 1} is no month of {EARLIEST} to {LATEST}")
    first = date(year, month or 1, 1)
    last = later(first, 12 if month is None else 1)
    if last > datetime.now(ZoneInfo(subject.park.zone)).date():
        raise Invalid(f"{first} to {last} is not over yet")
    if amount_t is not None and not 0 <= amount_t < 1e12:
        raise Invalid(f"amount {amount_t} is below 0 or no amount")
    if stage not in STAGES:
        raise Invalid(f"stage {stage[:70]!r} is neither provisional nor final")
    if not source.strip() or not who.strip():
        raise Invalid("a statement needs a source and a person")
    return stored.record_history(
        conn,
        subject.subject_id,
        method,
        first,
        last,
        amount_t,
        stage=stage,
        source=source,
        who=who,
    )


def load(
    conn: Connection,
    subject: Subject,
    *,
    first: int | None = None,
    last: int | None = None,
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> Record:
    """Read what is known of a subject's years.

    Parameters
    ----------
    first, last
        Years, both included; None: from the first one of which anything is known, to the
        running one.

    Raises
    ------
    Invalid
        When nothing is known at all, or the years are none or more than 60.
    """
    if subject.kind == "meter":
        raise Invalid("years are of a park or an enterprise, not of a meter")
    now = now or datetime.now(UTC)
    due = min(now, known_on) if known_on else now
    past = tuple(stored.history(conn, subject.subject_id, known_on))
    begun = metered_from(conn, subject.park)
    known = [each.period_from.year for each in past]
    known += [] if begun is None else [begun.year]
    if not known and first is None:
        raise Invalid(
            "nothing is metered yet and no year stated: `parkwatt history add`"
        )
    first = min(known) if first is None else first
    running = due.astimezone(ZoneInfo(subject.park.zone)).year
    last = running if last is None else last
    if not EARLIEST <= first <= last < LATEST or last - first >= MOST_YEARS:
        raise Invalid(f"{first} to {last} are not 1 to {MOST_YEARS} years")
    begin = max(first, begun.year) if begun is not None else last + 1
    stop = min(last, running)
    book = None
    if begin <= stop:
        book = load_book(
            conn,
            subject.park,
            date(begin, 1, 1),
            date(stop + 1, 1, 1),
            known_on,
            now=now,
        )
    return Record(
        subject=subject,
        years=range(first, last + 1),
        metered=book,
        history=past,
        known_on=known_on,
        now=due,
        minimum_coverage=minimum_coverage,
    )


def metered_from(conn: Connection, park: Park) -> date | None:
    """Give the local day from which a park has usage; None where it has none."""
    found = [
        extent(conn, USAGE_MONTH, key)
        for key, (owner, _) in registry.total_channels(conn, park.park_id).items()
        if owner == park.park_id
    ]
    starts = [each[0] for each in found if each is not None]
    if not starts:
        return None
    return min(starts).astimezone(ZoneInfo(park.zone)).date()


def complete(record: Record, row: int, total: Float64) -> Bool:
    """Tell which months of the book are over, covered, and have a total.

    A month in which no meter is expected is not complete, whatever is stated of single
    fuels: state its total. Ours.
    """
    book = record.metered
    assert book is not None  # noqa: S101  (callers look)
    share = book.known_share[row]
    covered = np.nan_to_num(share) >= record.minimum_coverage
    return np.asarray(over(record) & covered & ~np.isnan(total))


def over(record: Record) -> Bool:
    """Tell which months of the book are over."""
    book = record.metered
    assert book is not None  # noqa: S101
    edges = month_edges(
        ZoneInfo(record.subject.park.zone), book.months[0], later(book.months[-1], 1)
    )
    return np.array([each <= record.now for each in edges[1:]], np.bool_)


def months(record: Record, method: str) -> Past12:
    """Give the months of all years by one method."""
    first = date(record.years.start, 1, 1)
    days = tuple(later(first, n) for n in range(12 * len(record.years)))
    value, metered = np.full(len(days), np.nan), np.zeros(len(days), np.bool_)
    for each in record.history:
        if each.method == method and not each.is_year and each.period_from in days:
            assert each.amount_t is not None  # noqa: S101  (the query gives no others)
            value[days.index(each.period_from)] = each.amount_t
    book = record.metered
    if book is not None:
        row = book.row(record.subject.enterprise)
        total = (book.coal | book.carbon)[method].total[row]
        good = complete(record, row, total)
        begin = days.index(book.months[0])
        here = slice(begin, begin + len(book.months))
        value[here] = np.where(good, total, value[here])
        metered[here] = good
    return Past12(months=days, value_t=value, metered=metered)


def years(record: Record, method: str) -> list[Year]:
    """Decide each year of a subject by one method.

    Notes
    -----
    In this order: metered and complete, stated for the year, twelve months of which each
    is metered and complete or stated, what is metered in part. The last is provisional and
    decides nothing. All that is known is told beside it. Ours.
    """
    monthly = months(record, method)
    stated = {
        each.period_from.year: each
        for each in record.history
        if each.method == method and each.is_year
    }
    found = []
    for i, year in enumerate(record.years):
        cells = slice(12 * i, 12 * i + 12)
        part = _metered(record, method, year)
        together = _sum(monthly.value_t[cells])
        whole = bool(monthly.metered[cells].all())
        past = stated.get(year)
        if whole:
            value, rule = together, METERED
        elif past is not None:
            value, rule = past.amount_t, STATED
        elif together is not None:
            value, rule = together, MONTHS
        else:
            value, rule = part[0], NOTHING if part[0] is None else PART
        found.append(
            Year(
                year=year,
                value_t=value,
                rule=rule,
                decides=rule in (METERED, STATED, MONTHS),
                metered_t=part[0],
                months_complete=int(monthly.metered[cells].sum()),
                months_over=part[1],
                coverage=part[2],
                metered_enterprises=part[3],
                stated=past,
                months_t=together,
            )
        )
    return found


def _sum(values: Float64) -> float | None:
    return None if np.isnan(values).any() else math.fsum(values.tolist())


def _metered(
    record: Record, method: str, year: int
) -> tuple[float | None, int, float | None, tuple[int, int] | None]:
    """Give the metered sum, months over, lowest coverage, and who has meters."""
    book = record.metered
    if book is None or not book.months[0].year <= year <= book.months[-1].year:
        return None, 0, None, None
    at = 12 * (year - book.months[0].year)
    cells = slice(at, at + 12)
    row = book.row(record.subject.enterprise)
    account = (book.coal | book.carbon)[method]
    past = over(record)[cells]
    if not past.any():
        return None, 0, None, None
    known = account.total[row, cells]
    spoilt = account.unpriced[row, cells].any()
    total = None
    if not spoilt and not np.isnan(known).all():
        total = math.fsum(known[~np.isnan(known)].tolist())
    share = np.nan_to_num(book.known_share[row, cells][past])
    there = np.zeros((len(book.subjects) - 1, 12), np.bool_)
    for each in book.expected_s.values():
        there |= each[1:, cells] > 0
    counts = there[:, past].sum(axis=0)
    metered = None
    if record.subject.kind == "park":
        metered = int(counts.min()), int(counts.max())
    return total, int(past.sum()), float(share.min()), metered


def price_base(
    conn: Connection, ids: Sequence[int], years: range, known_on: datetime | None = None
) -> int | None:
    """Give the newest year whose prices comparable added value is stated at, if any.

    Where none is stated at comparable prices but volume indices are, the year before the
    first of them: from there on they chain.
    """
    rows = statements.added_values(
        conn,
        list(ids),
        date(years.start, 1, 1),
        date(years.stop, 1, 1),
        prices="comparable",
        known_on=known_on,
    )
    if not rows:
        parks = registry.parks_of(conn, ids).values()
        said = statements.stated(
            conn,
            [*ids, *parks],
            ["volume_index"],
            date(years.start + 1, 1, 1),
            date(years.stop, 1, 1),
            known_on=known_on,
        )
        return min((r.period_from.year - 1 for r in said), default=None)
    return max((r.price_base for r in rows if r.price_base is not None), default=None)


def added_values(
    conn: Connection,
    ids: Sequence[int],
    year: int,
    *,
    prices: str,
    base: int | None = None,
    known_on: datetime | None = None,
) -> list[float | None]:
    """Give the added value of some enterprises in a year [10⁴ CNY]; None: not stated.

    Parameters
    ----------
    base
        Of comparable prices: the year whose prices they are, from :func:`price_base`;
        values at other prices do not count. None: those that name no year.

    Notes
    -----
    As :func:`analytics.jobs.stated_value.added_values` decides.
    """
    found = stated_value.added_values(
        conn,
        ids,
        date(year, 1, 1),
        date(year + 1, 1, 1),
        prices=prices,
        base=base,
        known_on=known_on,
    )
    return [None if each is None else each.amount for each in found.values()]
