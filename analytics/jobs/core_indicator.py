"""How far a park is from the core indicator of national zero-carbon parks."""

import math
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import zero_carbon as kernel
from analytics.jobs import accounting
from analytics.jobs.book import Book, load_book
from analytics.jobs.months import check_month, later, month_edges
from store.database import Connection
from store.records import Park

METHOD, ENERGY = "zero_carbon_park", "equal_value"
MONTHS = 12


def zero_carbon(
    conn: Connection,
    park: Park,
    stop: date | None = None,
    *,
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give the indicator of twelve months and what would reach its threshold.

    Parameters
    ----------
    stop
        First day after them, of a month; None: of the month that runs.

    Raises
    ------
    Invalid
        When the day is not the first of a month, or of no month of ours.
    """
    now = now or datetime.now(UTC)
    due = min(now, known_on) if known_on else now
    if stop is None:
        stop = due.astimezone(ZoneInfo(park.zone)).date().replace(day=1)
    check_month(stop)
    book = load_book(conn, park, later(stop, -MONTHS), stop, known_on, now=now)
    return of_book(book, stop, due, minimum_coverage)


def of_book(
    book: Book, stop: date, due: datetime, minimum_coverage: float
) -> dict[str, Any]:
    """Give the indicator of the twelve months of a book; months not known add nothing."""
    account = book.carbon[METHOD]
    co2_t, tce = account.over_cells(0), book.coal[ENERGY].over_cells(0)
    power_t, power_kwh = _unproven(account)
    co2, energy = _nan(co2_t), _nan(tce)
    share = book.known_share[0]
    edge = month_edges(ZoneInfo(book.park.zone), stop, stop)[0]
    known = [0.0 if math.isnan(each) else each for each in share.tolist()]
    complete = edge <= due
    enough = complete and min(known) >= minimum_coverage
    # of less than twelve months nobody knows the size, and so no threshold
    size = None if tce is None or not enough else kernel.size_class(tce)
    aim = math.nan if size is None else kernel.AIMS[size]
    value = kernel.indicator(co2, energy)
    found = kernel.reach(co2, energy, power_t, power_kwh, aim)
    return {
        "park": book.park.code,
        "from": book.months[0].isoformat(),
        "to": stop.isoformat(),
        "as_known_on": book.known_on,
        "value": _number(value),
        "co2_t": co2_t,
        "tce": tce,
        "aim": _number(aim),
        "size_class": "unknown" if size is None else kernel.SIZE_NAMES[size],
        "state": _state(value, aim, size, enough),
        "gap_t": _number(found.gap_t),
        "unproven_kwh": _number(power_kwh),
        "green_kwh": _number(found.green_kwh),
        "with_all_green": _number(found.with_all_green),
        "rest_t": _number(found.rest_t),
        "coverage": min(known),
        "months_known": sum(each > 0 for each in known),
        "publishable": enough,
        "method": METHOD,
        "energy": ENERGY,
        "factors": sorted(_codes(account) | _codes(book.coal[ENERGY])),
    }


def _state(value: float, aim: float, size: int | None, enough: bool) -> str:
    if not enough or math.isnan(value) or size is None:
        return "unknown"
    if size == 0:
        return "no_threshold"
    return "met" if value <= aim else "missed"


def _unproven(account: accounting.Account) -> tuple[float, float]:
    """Give carbon and amount of the park's power without proof; NaN: unknown."""
    parts = [
        (each.result[0], each.amount[0])
        for each in account.lines
        if each.counts and each.part == "electricity" and each.origin != "green"
    ]
    tonnes = [accounting.known_total(result) for result, _ in parts]
    kwh = [accounting.known_total(amount) for _, amount in parts]
    return _sum(tonnes), _sum(kwh)


def _codes(account: accounting.Account) -> set[str]:
    """Give the factors that the park's total rests on."""
    places = {
        place
        for each in account.lines
        if each.counts
        for place in each.factor[0][~np.isnan(each.result[0])].tolist()
    }
    return {account.factors[place].code for place in places}


def _sum(parts: list[float | None]) -> float:
    known = [each for each in parts if each is not None]
    return math.fsum(known) if known else math.nan


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
