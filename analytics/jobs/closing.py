"""Closing a period: its figures as a text with a hash.

A closing is the text of a canonical JSON document and its SHA-256; docs/audit.md says how
to recompute both.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics.jobs.accounting import Account, known_total
from analytics.jobs.book import Book, load_book
from analytics.jobs.months import check_month, month_edges
from analytics.jobs.published import document
from analytics.jobs.stated import Amount, together
from analytics.jobs.stated_value import added_values
from analytics.jobs.vintage import KnownOn, Vintage
from store import closings as stored
from store.closings import Closing
from store.database import Connection
from store.errors import Invalid
from store.records import Park
from store.revisions import signed

FORM = "parkwatt-closing/1"
PARK = ""  # the park among the codes of subjects

Figures = dict[str, dict[str, float | None]]  # by subject, by figure


def canonical(told: dict[str, Any]) -> str:
    """Write a document in the one form that is hashed.

    Keys in the order of code points, no white space, UTF-8 without escapes, numbers as
    the shortest decimals that give the same IEEE 754 double.
    """
    return json.dumps(
        told,
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )


def digest(text: str) -> str:
    """Give the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def close(
    conn: Connection,
    park: Park,
    first: date,
    last: date,
    *,
    who: str,
    note: str = "",
    despite: str | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> Closing:
    """Freeze the figures of whole local months [first, last) of a park.

    Parameters
    ----------
    despite
        Why the period is closed although some coverage is below the minimum.

    Raises
    ------
    Invalid
        For a period that is not over, is closed already, waits for the job, or is known
        too little without a reason.
    """
    who = signed("who", who)
    for each in (first, last):
        check_month(each)
    edges = month_edges(ZoneInfo(park.zone), first, last)
    start, stop = edges[0], edges[-1]
    now = now or datetime.now(UTC)
    if stop > now:
        raise Invalid(f"the period {first} to {last} is not over")
    with conn.transaction():
        stored.hold(conn, park.park_id)
        before = stored.closings(conn, park.park_id)
        if any((each.period_from, each.period_to) == (first, last) for each in before):
            raise Invalid(f"the period {first} to {last} is closed already")
        if stored.waiting_in(conn, park.park_id, start, stop):
            raise Invalid("readings of the period wait to be computed; run analyse")
        book = load_book(conn, park, first, last, now=now)
        values = _values(conn, book)
        found = _figures(book, values)
        low = _below(found, minimum_coverage)
        if low and not (despite or "").strip():
            raise Invalid(
                f"coverage below {minimum_coverage:.0%} in {', '.join(low[:10])}"
                + (f" and {len(low) - 10} more" if len(low) > 10 else "")
                + ": give a reason to close it all the same"
            )
        previous = before[-1].sha256 if before else None
        told = {
            "form": FORM,
            "park": park.code,
            "from": first.isoformat(),
            "to": last.isoformat(),
            "zone": park.zone,
            "region": park.region,
            "closed_at": now.astimezone(UTC).isoformat(),
            "who": who,
            "note": note,
            "below_coverage": low,
            "despite": despite if low else None,
            "minimum_coverage": minimum_coverage,
            "previous": previous,
            "figures": found,
            "factors": _factors(book),
            "added_value_statements": _statements(book, values),
        }
        content = canonical(told)
        closing_id = stored.record_closing(
            conn,
            park.park_id,
            (first, last),
            content=content,
            sha256=digest(content),
            previous=previous,
            closed_at=now,
            who=who,
        )
        (made,) = [
            each
            for each in stored.closings(conn, park.park_id)
            if each.closing_id == closing_id
        ]
        return made


def figures_of(conn: Connection, book: Book, known_on: KnownOn = None) -> Figures:
    """Give the figures of the park and each enterprise over the whole book."""
    return _figures(book, _values(conn, book, Vintage.of(known_on).statements))


def _figures(book: Book, values: list[Amount | None]) -> Figures:
    found: Figures = {}
    for row, subject in enumerate(book.subjects):
        stated = values[row]
        value = None if stated is None else stated.amount
        mine: dict[str, float | None] = {"added_value_10k_cny": value}
        for name, cells in book.amounts.items():
            expected = math.fsum(book.expected_s[name][row].tolist())
            if expected <= 0:
                continue  # nobody measures it there
            known = book.measured_s[name][row] + book.estimated_s[name][row]
            mine[f"amounts.{name}"] = known_total(cells[row])
            mine[f"coverage.{name}"] = min(math.fsum(known.tolist()) / expected, 1.0)
        for kind, accounts in (("tce", book.coal), ("co2_t", book.carbon)):
            for name, account in accounts.items():
                total = account.over_cells(row)
                mine[f"{kind}.{name}"] = total
                ratio = None
                if total is not None and value is not None and value > 0:
                    ratio = total / value
                mine[f"{kind}_per_10k_cny.{name}"] = ratio
        found[subject.enterprise or PARK] = mine
    return found


def _values(
    conn: Connection, book: Book, known_on: datetime | None = None
) -> list[Amount | None]:
    """Give the added value of the book's subjects, the park first."""
    days = (book.months[0], _following(book.months[-1]))
    ids = [each.subject_id for each in book.subjects[1:]]
    own = list(added_values(conn, ids, *days, known_on=known_on).values())
    return [together(own), *own]


def _statements(book: Book, values: list[Amount | None]) -> dict[str, dict[str, Any]]:
    """Tell on which statements the added values rest, and whether one is provisional."""
    return {
        subject.enterprise or PARK: {
            "ids": list(value.statement_ids),
            "provisional": value.provisional,
        }
        for subject, value in zip(book.subjects, values, strict=True)
        if value is not None
    }


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _below(found: Figures, minimum: float) -> list[str]:
    return [
        f"{code or 'the park'} {name.removeprefix('coverage.')}"
        for code, figures in found.items()
        for name, share in figures.items()
        if name.startswith("coverage.") and share is not None and share < minimum
    ]


def _factors(book: Book) -> dict[str, dict[str, Any]]:
    """Give the factors that the accounts take, by id."""
    used: dict[int, Any] = {}
    for account in (*book.coal.values(), *book.carbon.values()):
        for place in _places(account):
            used[account.factors[place].factor_id] = account.factors[place]
    return {
        str(factor_id): {
            "code": each.code,
            "value": each.value,
            "unit": each.unit,
            "data_year": each.data_year,
            "source": each.source,
            "verified": each.verified,
        }
        for factor_id, each in sorted(used.items())
    }


def _places(account: Account) -> set[int]:
    return {
        place
        for line in account.lines
        for place in line.factor[line.amount == line.amount].tolist()
        if place >= 0
    }


def verify(conn: Connection, park: Park) -> Iterator[str]:
    """Tell what is wrong with the closings of a park: nothing when nothing is."""
    last: str | None = None
    for closing in stored.closings(conn, park.park_id):
        name = f"closing {closing.closing_id}"
        if closing.previous != last:
            yield f"{name}: the one before it is not the one that it names"
        last = closing.sha256
        told = document(closing.content)
        for key, value in (
            ("park", park.code),
            ("from", closing.period_from.isoformat()),
            ("to", closing.period_to.isoformat()),
            ("closed_at", closing.closed_at.astimezone(UTC).isoformat()),
            ("who", closing.who),
            ("previous", closing.previous),
        ):
            if told.get(key) != value:
                yield f"{name}: {key} of the row is not that of its content"
        yield from faults(conn, closing)


def faults(conn: Connection, closing: Closing) -> Iterator[str]:
    """Tell what is wrong with the hashes of a closing and its restatements."""
    if digest(closing.content) != closing.sha256:
        yield f"closing {closing.closing_id}: its content has another hash"
    before = closing.sha256
    for each in stored.restatements(conn, closing.closing_id):
        name = f"restatement {each.restatement_id}"
        if digest(each.content) != each.sha256:
            yield f"{name}: its content has another hash"
        if each.previous != before:
            yield f"{name}: the one before it is not the one that it names"
        before = each.sha256
