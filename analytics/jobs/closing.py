"""Closing a period, and finding what became another figure since.

A closing is the text of a canonical JSON document and its SHA-256; docs/audit.md says how
to recompute both.
"""

import hashlib
import json
import logging
import math
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics.jobs import restating
from analytics.jobs.accounting import Account, known_total
from analytics.jobs.book import Book, load_book
from analytics.jobs.figures import stated_added_value
from analytics.jobs.months import month_edges
from analytics.jobs.published import document
from analytics.jobs.vintage import KnownOn, Vintage
from store import closings as stored
from store import parentage, registry, relations
from store.closings import Closing, Restatement
from store.database import Connection
from store.errors import Invalid
from store.parentage import Window
from store.records import Park
from store.revisions import signed

log = logging.getLogger(__name__)

FORM = "parkwatt-closing/1"
ROUNDING = 1e-9  # of a figure; ours
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
        found = figures_of(conn, book)
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
    vintage = Vintage.of(known_on)
    days = (book.months[0], _following(book.months[-1]))
    values = stated_added_value(conn, book.subjects, *days, known_on=vintage.statements)
    found: Figures = {}
    for row, subject in enumerate(book.subjects):
        value = values[row]
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


def check(
    conn: Connection,
    park: Park,
    start: date | None = None,
    stop: date | None = None,
    *,
    now: datetime | None = None,
) -> list[Restatement]:
    """Find what of the closings of a park that overlap [start, stop) is another figure.

    Each closing gets one record of all that differs from what was published or restated
    last, with the causes; none when nothing does. Closings that wait for the job are left
    for later.
    """
    made: list[Restatement] = []
    with conn.transaction():
        stored.hold(conn, park.park_id)
        for closing in stored.closings(conn, park.park_id, start, stop):
            edges = month_edges(
                ZoneInfo(park.zone), closing.period_from, closing.period_to
            )
            if stored.waiting_in(conn, park.park_id, edges[0], edges[-1]):
                continue
            faults = list(_faults(conn, closing))
            if faults:  # nothing can be added to what is not what it was
                log.error("%s", "; ".join(faults))
                continue
            found = _check(conn, park, closing, now or datetime.now(UTC))
            made += [found] if found else []
    return made


def _check(
    conn: Connection, park: Park, closing: Closing, now: datetime
) -> Restatement | None:
    before = stored.restatements(conn, closing.closing_id)
    published = state(closing, before)
    days = closing.period_from, closing.period_to
    current = figures_of(conn, load_book(conn, park, *days))
    moved = [
        (code, name)
        for code in sorted({*published, *current})
        for name in sorted({*published.get(code, {}), *current.get(code, {})})
        if _differs(published.get(code, {}).get(name), current.get(code, {}).get(name))
    ]
    if not moved:
        return None
    since = before[-1].found_at if before else closing.closed_at
    steps, touched = _steps(conn, park, days, since)
    previous = before[-1].sha256 if before else closing.sha256
    told = {
        "form": "parkwatt-restatement/1",
        "closing": closing.sha256,
        "previous": previous,
        "since": since.astimezone(UTC).isoformat(),
        "found_at": now.astimezone(UTC).isoformat(),
        "differences": [
            _difference(code, name, published, current, steps) for code, name in moved
        ],
        "rows": _rows(conn, park, days, [kind for kind, _ in steps], since, touched),
    }
    content = canonical(told)
    restatement_id = stored.record_restatement(
        conn,
        closing.closing_id,
        content=content,
        sha256=digest(content),
        previous=previous,
        found_at=now,
    )
    (made,) = [
        each
        for each in stored.restatements(conn, closing.closing_id)
        if each.restatement_id == restatement_id
    ]
    return made


def _differs(before: float | None, after: float | None) -> bool:
    """Whether a figure is another one by more than the rounding of its sum."""
    if before is None or after is None:
        return before is not after
    return not math.isclose(before, after, rel_tol=ROUNDING)


def state(closing: Closing, restated: list[Restatement]) -> Figures:
    """Give the figures of a closing with all its restatements laid over them."""
    figures: Figures = json.loads(closing.content)["figures"]
    for each in restated:
        for one in json.loads(each.content)["differences"]:
            figures.setdefault(one["subject"], {})[one["figure"]] = one["after"]
    return figures


Steps = list[tuple[str, Figures]]  # kind, figures after it has moved


def _steps(
    conn: Connection, park: Park, days: tuple[date, date], since: datetime
) -> tuple[Steps, frozenset[int]]:
    """Give the figures as known then (kind ""), and with one kind after the other moved.

    Beside them the meters that are touched; all where that is not known.
    """
    edges = month_edges(ZoneInfo(park.zone), *days)
    before, after = restating.vintages(conn, park.park_id, edges[0], edges[-1], since)

    def figure(vintage: Vintage) -> Figures:
        return figures_of(conn, load_book(conn, park, *days, vintage), vintage)

    first, steps, _ = restating.told_apart(before, after, figure)
    touched = before.touched
    if touched is None:
        touched = frozenset(relations.confirmed(conn, park.park_id))
    return [("", first), *((step.kind, step.after) for step in steps)], touched


def _difference(
    code: str, name: str, published: Figures, current: Figures, steps: Steps
) -> dict[str, Any]:
    was = published.get(code, {}).get(name)
    now = current.get(code, {}).get(name)
    causes = []
    last = was
    # what was published is what was known then, but for what was under way: a transaction
    # that had begun before the closing and ended after it
    for kind, figures in [*steps, ("under_way", current)]:
        value = figures.get(code, {}).get(name)
        if value != last:
            causes.append({"kind": kind or "under_way", **_moved(last, value)})
        last = value
    return {"subject": code, "figure": name, **_moved(was, now), "causes": causes}


def _moved(before: float | None, after: float | None) -> dict[str, float | None]:
    change = None if before is None or after is None else after - before
    return {"before": before, "after": after, "change": change}


def _rows(
    conn: Connection,
    park: Park,
    days: tuple[date, date],
    kinds: list[str],
    since: datetime,
    touched: frozenset[int],
) -> list[dict[str, Any]]:
    """List the rows that were recorded since, of the kinds that moved."""
    edges = month_edges(ZoneInfo(park.zone), *days)
    window = Window(start=edges[0], stop=edges[-1], since=since)
    enterprises = [e.enterprise_id for e in registry.enterprises(conn, park.park_id)]
    parts = [
        (meter_id, edges[0], edges[-1])
        for meter_id in relations.confirmed(conn, park.park_id)
    ]
    found: list[Any] = []
    for kind in kinds:
        if kind in ("multipliers", "registers", "corrections", "membership"):
            found += parentage.of_meters(conn, kind, parts, window, None)
        elif kind in ("statements", "green"):
            found += parentage.stated(
                conn, kind, park.park_id, park.park_id, enterprises, days, window
            )
        elif kind == "factors":
            found += parentage.new_factors(conn, park.park_id, window)
        elif kind == "readings":
            late = [part for part in parts if part[0] in touched]
            found += parentage.late_batches(conn, late, window)
    return [
        {**asdict(each), "recorded_at": each.recorded_at.astimezone(UTC).isoformat()}
        for each in found
    ]


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
        yield from _faults(conn, closing)


def _faults(conn: Connection, closing: Closing) -> Iterator[str]:
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
