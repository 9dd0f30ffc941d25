"""Questions and entries of the green ledger, with the amounts of the months they touch."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import green
from analytics.jobs.accounting import known_total
from analytics.jobs.book import Book, load_book
from analytics.jobs.months import check_month, later
from store import green as stored
from store import registry
from store.database import Connection
from store.errors import Invalid
from store.green import GreenPower, green_matches, green_power
from store.records import Park


def record(
    conn: Connection,
    park: Park,
    *,
    kind: str,
    reference: str,
    production_month: date,
    mwh: float,
    technology: str,
    plant: str | None = None,
    producer: str | None = None,
    part_of: str | None = None,
    evidence: str | None = None,
    issued: date | None = None,
    expires: date | None = None,
    cancelled: bool = False,
    source: str,
    who: str,
) -> None:
    """Record green power of a month of production.

    Raises
    ------
    Invalid
        For an unknown kind, a day that begins no month, certificates of parts of a MWh, of
        a month to come or whose number another record has, or words that are missing.
    """
    if kind not in stored.KINDS:
        raise Invalid(f"kind {kind[:70]!r} is none of {', '.join(stored.KINDS)}")
    check_month(production_month)
    today = datetime.now(ZoneInfo(park.zone)).date()
    if kind == "certificate" and production_month > today:
        raise Invalid(f"nothing was made yet in {production_month:%Y-%m}")
    if expires is not None and expires <= production_month:
        raise Invalid(f"it ends on {expires}, before it is made")
    if not 0 < mwh < 1e12:
        raise Invalid(f"{mwh} MWh is no amount")
    if kind == "certificate" and mwh != int(mwh):
        raise Invalid("a certificate is of a whole MWh; the rest goes to a later month")
    if part_of is not None and kind != "certificate":
        raise Invalid("certificates alone can stand for another record")
    if not all(each.strip() for each in (reference, technology, source, who)):
        raise Invalid(
            "green power needs a reference, a technology, a source and a person"
        )
    made_by = None
    if producer is not None:
        made_by = registry.subject(conn, park.code, producer).subject_id
    with conn.transaction():
        stored.hold_ledger(conn, park.park_id)
        if not cancelled:
            _refuse_twice(conn, park, kind, reference, production_month)
        stored.record_power(
            conn,
            park.park_id,
            kind,
            reference,
            production_month,
            mwh * 1000,
            technology=technology,
            plant=plant,
            producer_id=made_by,
            part_of=part_of,
            evidence=evidence,
            issued=issued,
            expires=expires,
            cancelled=cancelled,
            source=source,
            who=who,
        )


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
    check_month(month)
    if not 0 <= mwh < 1e12 or not source.strip() or not who.strip():
        raise Invalid("a match needs an amount, a source and a person")
    owner = registry.subject(conn, park.code, enterprise).subject_id
    book = load_book(conn, park, month, later(month, 1))
    row = book.row(enterprise)
    taken, made = _electricity(book)[row, 0], _kept(book)[row, 0]
    with conn.transaction():
        stored.hold_ledger(conn, park.park_id)
        if mwh > 0:
            _refuse_twice(conn, park, kind, reference, production_month)
        stored.record_match(
            conn,
            park.park_id,
            (kind, reference, production_month),
            owner,
            month,
            mwh * 1000,
            source=source,
            who=who,
        )
        matches = green_matches(conn, park.park_id)
        newest = max((each.green_match_id for each in matches), default=0)
        free = green.boundless(matches)
        limits = [
            {at: free[at] for at in free if at != (owner, month)}
            | ({} if np.isnan(known) else {(owner, month): float(known)})
            for known in (taken, made)
        ]
        if mwh == 0:
            return
        for each in green.check(green_power(conn, park.park_id), matches, *limits):
            if each.green_match_id == newest:
                raise Invalid(
                    f"{reference} for {enterprise} in {month:%Y-%m}: {each.told}"
                )


def _refuse_twice(
    conn: Connection, park: Park, kind: str, reference: str, production_month: date
) -> None:
    """Refuse certificates that are in a ledger already; whose it is nobody is told."""
    if kind == "certificate" and stored.certificates_twice(
        conn, park.park_id, reference, production_month
    ):
        raise Invalid(
            f"certificates of the number {reference[:70]} are in the ledger already: "
            "they count once, and a record that is wrong is cancelled first"
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


def _given_beside(book: Book) -> Any:
    """Give what left those whose own power no meter counts: none of the metered [kWh]."""
    given = np.nan_to_num(_column(book, "energy_export"))
    theirs = np.where(book.green.unmetered[1:] > 0, given[1:], 0.0).sum(axis=0)
    return np.minimum(theirs, given[0])


def shares(book: Book) -> list[dict[str, Any]]:
    """Give proven green power and its share of the electricity used, over the book.

    The share is (proven + own photovoltaic power kept) / (taken + own power kept); own
    power is what meters count, and what its monthly records say of each enterprise where
    none does.
    """
    taken, kept = _electricity(book), _kept(book)
    kept[0] += _given_beside(book)
    kept = np.nan_to_num(kept) + book.green.unmetered
    rows = []
    for row, subject in enumerate(book.subjects):
        used = known_total(taken[row])
        proven = float(book.green.proven[row].sum())
        direct = float(book.green.direct[row].sum())
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
                "direct_kwh": None if spoilt else direct,
                "green_share": (proven + own) / whole if known and whole else None,
                "direct_share": direct / whole if known and whole else None,
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
