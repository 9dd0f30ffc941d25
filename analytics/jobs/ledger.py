"""Questions and entries of the green ledger, with the amounts of the months they touch."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import green
from analytics.jobs.accounting import known_total
from analytics.jobs.book import Book, load_book
from analytics.jobs.months import later
from store.database import Connection
from store.green import GreenPower, green_matches, green_power
from store.records import Park


def match(
    conn: Connection,
    park: Park,
    enterprise: str,
    *,
    kind: str,
    reference: str,
    production_month: date,
    month: date,
    mwh: float,
    source: str,
    who: str,
) -> None:
    """Record that an enterprise used green power in a month; 0 takes a match back.

    Raises
    ------
    Invalid
        When the match would prove nothing, and why.
    """
    first = month.replace(day=1)
    book = load_book(conn, park, first, later(first, 1))
    row = book.row(enterprise)
    taken = _electricity(book)[row, 0]
    made = _kept(book)[row, 0]
    green.match(
        conn,
        park,
        enterprise,
        kind=kind,
        reference=reference,
        production_month=production_month,
        month=month,
        mwh=mwh,
        taken_kwh=None if np.isnan(taken) else float(taken),
        made_kwh=None if np.isnan(made) else float(made),
        source=source,
        who=who,
    )


def _column(book: Book, name: str) -> Any:
    nothing = np.full((len(book.subjects), len(book.months)), np.nan)
    return book.amounts.get(name, nothing)


def _electricity(book: Book) -> Any:
    """Give power taken from the grid, metered or stated [kWh]; NaN: not known."""
    known = _column(book, "energy_import").copy()
    for each in book.stated:
        if each.counts and each.item == "electricity":
            known = np.where(
                np.isnan(each.amount), known, np.nan_to_num(known) + each.amount
            )
    return known


def _kept(book: Book) -> Any:
    """Give own photovoltaic power that was not given away [kWh]."""
    given = np.nan_to_num(_column(book, "energy_export"))
    return _column(book, "pv_generation") - given


def shares(book: Book) -> list[dict[str, Any]]:
    """Give proven green power and its share of the electricity used, over the book.

    The share is (proven + own photovoltaic power kept) / (taken + own power kept); own
    power is what meters count, or what its monthly records say where none does.
    """
    taken, kept = _electricity(book), _kept(book)
    kept = np.where(np.isnan(kept), book.green.self_use, kept)
    rows = []
    for row, subject in enumerate(book.subjects):
        used = known_total(taken[row])
        proven = float(book.green.proven[row].sum())
        own = known_total(kept[row]) or 0.0
        spoilt = bool(book.green.wrong[row].any())
        whole = None if used is None else used + own
        known = whole is not None and whole > 0 and not spoilt
        rows.append(
            {
                "enterprise": subject.enterprise,
                "taken_kwh": used,
                "proven_kwh": None if spoilt else proven,
                "own_pv_kwh": own,
                "self_use_proven_kwh": float(book.green.self_use[row].sum()),
                "green_share": (proven + own) / whole if known and whole else None,
            }
        )
    return rows


def listed(
    conn: Connection, park: Park, known_on: datetime | None = None
) -> list[dict[str, Any]]:
    """List the records with what is used of them and how they stand."""
    records = green_power(conn, park.park_id, known_on)
    matches = green_matches(conn, park.park_id, known_on)
    today = (known_on or datetime.now(UTC)).astimezone(ZoneInfo(park.zone)).date()
    rows = []
    for each in records:
        used = sum(m.kwh for m in matches if m.key == each.key)
        used += sum(
            m.kwh
            for m in matches
            for c in records
            if m.key == c.key
            and c.kind == "certificate"
            and (c.part_of, c.production_month)
            == (each.reference, each.production_month)
            and each.kind in ("trade", "direct")
        )
        rows.append(
            vars(each)
            | {"expires": green.expiry(each), "used_kwh": used}
            | {"status": _status(each, used, today)}
        )
    return rows


def _status(of: GreenPower, used: float, today: date) -> str:
    if of.cancelled:
        return "cancelled"
    if not (of.evidence or "").strip():
        return "without evidence"
    if used >= of.kwh - green.STORED_KWH:
        return "used"
    end = green.expiry(of)
    if end is not None and today >= end:
        return "expired"
    return "held"
