"""The accounts that are kept for Grafana: the same functions, and so the same bits."""

import hashlib
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import intensity as kernel
from analytics import ranking
from analytics.jobs import core_indicator, intensities, intensity, methods, yearly
from analytics.jobs.accounting import Account
from analytics.jobs.book import Book, load_book
from analytics.jobs.budgets import budgets
from analytics.jobs.grounds import Grounds, load_grounds
from analytics.jobs.intensity import Group
from analytics.jobs.months import later
from analytics.jobs.stated import first_day, index
from analytics.jobs.trajectory import of_record
from analytics.jobs.yearly import Record
from store import kept, registry, targets
from store.database import Connection
from store.errors import Invalid
from store.records import Park, Subject

log = logging.getLogger(__name__)

MONTHS = 12  # of intensities, beside the one that runs
# of intensities; the figures of the dashboard
INTENSITIES = (
    ("tce", "calorific"),
    ("tce", "equal_value"),
    ("co2_t", "location_national"),
    ("co2_t", "location_region"),
)
PER = "added_value_10k_cny"
_AHEAD = (
    "used",
    "left",
    "ahead_of_pace",
    "year_end",
    "year_end_low",
    "year_end_high",
    "spent_on",
    "method",
    "coverage",
    "publishable",
)
Row = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Wrote:
    """What keeping the accounts of a park did."""

    park_id: int
    rows: int  # that differed


def keep_park(
    conn: Connection,
    park: Park,
    *,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> Wrote | None:
    """Make the kept rows of a park anew if what they rest on has changed.

    One transaction, which sees one state of the database; another process that is at
    the same park is left to it.

    Returns
    -------
    Wrote or None
        None when nothing has changed, or another process is at it.
    """
    now = now or datetime.now(UTC)
    with kept.claimed(conn, park.park_id) as mine:
        return _keep(conn, park, minimum_coverage, now) if mine else None


def _keep(
    conn: Connection, park: Park, minimum_coverage: float, now: datetime
) -> Wrote | None:
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rests_on = _rests_on(conn, park, minimum_coverage, now)
        if kept.kept(conn, park.park_id) == rests_on:
            return None
        rows = sum(
            kept.keep(conn, table, park.park_id, made)
            for table, made in _tables(conn, park, minimum_coverage, now)
        )
        kept.mark_kept(conn, park.park_id, rests_on)
        return Wrote(park_id=park.park_id, rows=rows)


def _rests_on(conn: Connection, park: Park, minimum: float, now: datetime) -> str:
    """Tell amounts, dated rows, methods, and the local day: months come to an end."""
    day = now.astimezone(ZoneInfo(park.zone)).date()
    words = f"{kept.fingerprint(conn, park.park_id)}|{day}|{minimum}|{_methods()}"
    return hashlib.sha256(words.encode()).hexdigest()


def _methods() -> str:
    return repr(methods.shipped())


def _tables(
    conn: Connection, park: Park, minimum: float, now: datetime
) -> Iterator[tuple[kept.Kept, list[Row]]]:
    whole = registry.subject(conn, park.code)
    running = index(now.astimezone(ZoneInfo(park.zone)).date().replace(day=1))
    grounds = load_grounds(
        conn,
        park,
        running - 2 * MONTHS,
        running + 1,
        minimum_coverage=minimum,
        now=now,
    )
    yield kept.INTENSITY, list(_intensities(grounds))
    try:
        record = yearly.load(conn, whole, minimum_coverage=minimum, now=now)
    except Invalid:  # nothing is known of any year
        yield from ((each, []) for each in (kept.BOOK, kept.ZERO_CARBON))
        for each in (
            kept.TRAJECTORY_YEAR,
            kept.TRAJECTORY_MONTH,
            kept.TRAJECTORY_STATE,
        ):
            yield each, []
    else:
        book = record.metered
        yield kept.BOOK, [] if book is None else list(_book(book, grounds))
        yield kept.ZERO_CARBON, _zero_carbon(conn, park, book, running, minimum, now)
        yield from _trajectory(conn, record)
    yield from _budgets(conn, whole, minimum, now)


def _book(book: Book, grounds: Grounds) -> Iterator[Row]:
    share = book.known_share
    for row, subject in enumerate(book.subjects):
        figures = {
            **{f"tce/{name}": each.total for name, each in book.coal.items()},
            **{f"co2_t/{name}": each.total for name, each in book.carbon.items()},
        }
        if row == 0:
            for name, account in book.carbon.items():
                figures[f"co2_t_scope1/{name}"] = account.scope_1
                figures[f"co2_t_scope2/{name}"] = account.scope_2
        for cell, month in enumerate(book.months):
            if math.isnan(share[row, cell]) and all(
                math.isnan(each[row, cell]) for each in figures.values()
            ):
                continue  # nothing was there yet
            known = _number(share[row, cell])
            for name, each in figures.items():
                value = _number(each[row, cell])
                yield subject.subject_id, month, name, value, known, False, False
            at = index(month)
            if row > 0:
                value_of = grounds.current[subject.subject_id].over(at, at + 1)
                yield (
                    subject.subject_id,
                    month,
                    PER,
                    None if value_of is None else value_of.amount,
                    known,
                    value_of is not None and value_of.estimated,
                    value_of is not None and value_of.provisional,
                )


def _intensities(grounds: Grounds) -> Iterator[Row]:
    """Give the park's every month and span; of enterprises the spans to the last month."""
    ids = list(grounds.codes)
    whole = Group(name="park", ids=tuple(ids), park_row=True)
    groups = {each: Group(name="enterprise", ids=(each,)) for each in ids}
    for month in range(grounds.running - MONTHS, grounds.running + 1):
        for span, first in (
            ("month", month),
            ("year_to_date", month // 12 * 12),
            ("rolling_12", month - 11),
        ):
            of = {grounds.park.park_id: whole}
            if span == "month" or month == grounds.running - 1:
                of |= groups
            found = {
                each: intensity.energy_and_carbon(
                    grounds, group, first, month + 1, INTENSITIES
                )
                for each, group in of.items()
            }
            for name in INTENSITIES:
                yield from _ratios(grounds, (span, first_day(month)), name, found)


def _ratios(
    grounds: Grounds,
    head: tuple[str, date],
    name: tuple[str, str],
    found: dict[int, dict[str, Any]],
) -> Iterator[Row]:
    """Divide, and rank all but the first, which is the park."""
    minimum, rows = grounds.minimum_coverage, list(found.values())
    values = kernel.ratio(
        _array([each["numerators"][name] for each in rows]),
        _array([each["per"][PER]["amount"] for each in rows]),
    )
    shares = _array([e["coverage"] if e["complete"] else None for e in rows])
    places = ranking.rank(values[1:], shares[1:], minimum).place.tolist()
    for i, (subject, each) in enumerate(found.items()):
        value = _number(values[i])
        place = places[i - 1] if i else 0
        reason = None
        if i and not place:
            reason = intensities.reason(each, PER, value, minimum)
        below = each["per"][PER]
        yield (
            subject,
            *head,
            "/".join(name),
            value,
            each["numerators"][name],
            below["amount"],
            each["coverage"],
            below["estimated"],
            below["provisional"],
            each["complete"],
            each["publishable"],
            place or None,
            reason,
        )


def _zero_carbon(
    conn: Connection,
    park: Park,
    book: Book | None,
    running: int,
    minimum: float,
    now: datetime,
) -> list[Row]:
    if book is None:
        return []
    stop = first_day(running)
    year = load_book(conn, park, later(stop, -core_indicator.MONTHS), stop, now=now)
    found = core_indicator.of_book(year, stop, now, minimum)
    names = kept.ZERO_CARBON.values
    return [(park.park_id, stop, *(found[each] for each in names))]


def _trajectory(
    conn: Connection, record: Record
) -> Iterator[tuple[kept.Kept, list[Row]]]:
    subject = record.subject.subject_id
    series = of_record(conn, record, methods.shipped())["series"]
    yield (
        kept.TRAJECTORY_YEAR,
        [
            (
                subject,
                each["method"],
                year["year"],
                year["value_t"],
                year["rule"],
                not year["decides"],
                year["metered_t"],
                year["stated_t"],
                year["coverage"],
                year["months_complete"],
            )
            for each in series
            for year in each["years"]
        ],
    )
    yield (
        kept.TRAJECTORY_MONTH,
        [
            (
                subject,
                each["method"],
                f"{month['month']}-01",
                month["value_t"],
                month["month_t"],
                month["metered"],
            )
            for each in series
            for month in each["rolling"]
        ],
    )
    yield (
        kept.TRAJECTORY_STATE,
        [(subject, *_state(each, record.metered)) for each in series],
    )


def _state(series: dict[str, Any], book: Book | None) -> Row:
    state, trend = series["state"], series["state"]["after_peak"]
    return (
        series["method"],
        series["title"],
        series["title_zh"],
        series["unit"],
        "" if book is None else _factors((book.coal | book.carbon)[series["method"]]),
        state["state"],
        state["reason"],
        state["from"],
        state["to"],
        state["peak_year"],
        state["peak_t"],
        state["peak_is_first_known"],
        state["years_after"],
        state["below_peak"],
        trend["n"],
        trend["s"],
        trend["z"],
        trend["p"],
        trend["sen_slope_t_per_year"],
    )


def _factors(account: Account) -> str:
    """Name the factors of electricity in the newest month of which any is known."""
    lines = [
        each
        for each in account.lines
        if each.part == "electricity" and each.origin == "metered"
    ]
    used = [each.factor[0][~np.isnan(each.result[0])] for each in lines]
    return ", ".join(
        sorted({account.factors[each[-1]].code for each in used if each.size})
    )


def _budgets(
    conn: Connection, whole: Subject, minimum: float, now: datetime
) -> Iterator[tuple[kept.Kept, list[Row]]]:
    """Give the park's budgets of the year that runs."""
    year = now.astimezone(ZoneInfo(whole.park.zone)).year
    years: list[Row] = []
    months: list[Row] = []
    try:
        found: list[dict[str, Any]] = []
        over = 0
        if targets.targets(conn, [whole.subject_id], year):
            told = budgets(conn, whole, year, minimum_coverage=minimum, now=now)
            found, over = told["rows"], told["months_over"]
    except Invalid as error:  # a target of a method that is there no more
        log.error("budgets of park %s: %s", whole.park.code, error)
    for each in found:
        head = whole.subject_id, year, each["kind"], each["method"] or ""
        years.append((*head, *_budget_year(each), over))
        if each["outlook"] is not None:
            months += [(*head, *row) for row in _budget_months(each, year)]
    yield kept.BUDGET_YEAR, years
    yield kept.BUDGET_MONTH, months


def _budget_year(of: dict[str, Any]) -> Row:
    ahead, so_far = of["outlook"], of["so_far"]
    names = ("value", "left", *(6 * [""]), "coverage", "publishable")
    if ahead is not None:
        so_far, names = ahead, _AHEAD
    so_far = so_far or {"publishable": False}
    return of["value"], of["unit"], *(so_far.get(each) for each in names)


def _budget_months(of: dict[str, Any], year: int) -> Iterator[Row]:
    ahead = of["outlook"]
    used: list[float] = []
    known = True
    for i in range(12):
        month = ahead["months"][i] if i < len(ahead["months"]) else None
        known = known and month is not None
        if month is not None:
            used.append(month)
        yield (
            date(year, i + 1, 1),
            math.fsum(used) if known else None,
            ahead["pace"][i],
            ahead["path"][i],
            ahead["low"][i],
            ahead["high"][i],
        )


def _array(values: list[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if each is None else each for each in values], np.float64)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
