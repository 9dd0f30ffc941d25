"""The added value that enterprises have stated: one truth for every figure that asks."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from analytics.jobs.added_value import comparable, volume_indices
from analytics.jobs.stated import Amount, exact, flow, index, spans
from store import registry, statements
from store.database import Connection
from store.records import Statement, Subject


def enterprises_of(conn: Connection, subject: Subject) -> list[int]:
    """Give the ids of those whose added value is a subject's; a meter has none."""
    if subject.kind == "enterprise":
        return [subject.subject_id]
    if subject.kind == "meter":
        return []
    return [
        each.enterprise_id for each in registry.enterprises(conn, subject.park.park_id)
    ]


def added_values(
    conn: Connection,
    ids: Sequence[int],
    first: date,
    last: date,
    *,
    prices: str = "current",
    base: int | None = None,
    known_on: datetime | None = None,
) -> dict[int, Amount | None]:
    """Give the added value [10⁴ CNY] of enterprises over [first, last) by id.

    None where what is stated does not fill the period; no indicator tells it.

    Parameters
    ----------
    base
        Of comparable prices: the year whose prices they are; None: those that name no
        year.

    Notes
    -----
    Statements of whole months are reconciled as /intensity/history does, so both give
    the same bits (:func:`analytics.reconciling.reconciled`). A period that is not of
    whole months takes statements of any days, by the same rules. Comparable prices
    of a base year are chained by volume indices too
    (:func:`analytics.jobs.added_value.comparable`).
    """
    if prices == "comparable" and base is not None and first.day == last.day == 1:
        return _comparable(conn, ids, first, last, base, known_on)
    rows: dict[int, list[Statement]] = {each: [] for each in ids}
    for row in statements.stated(conn, list(rows), ["added_value"], known_on=known_on):
        if row.prices == prices and row.price_base == base:
            rows[row.subject_id].append(row)
    return {each: _over(said, first, last) for each, said in rows.items()}


def _comparable(
    conn: Connection,
    ids: Sequence[int],
    first: date,
    last: date,
    base: int,
    known_on: datetime | None,
) -> dict[int, Amount | None]:
    parks = registry.parks_of(conn, ids)
    asked = [*ids, *set(parks.values())]
    said: dict[tuple[int, str, int | None], list[Statement]] = defaultdict(list)
    kinds = ["added_value", "volume_index"]
    for row in statements.stated(conn, asked, kinds, known_on=known_on):
        if row.prices != "comparable" or row.price_base is not None:
            said[row.subject_id, row.kind, row.price_base].append(row)
    return {
        each: exact(
            comparable(
                flow(spans(said[each, "added_value", None])),
                spans(said[each, "added_value", base]),
                volume_indices(
                    said[each, "volume_index", None],
                    said[parks[each], "volume_index", None],
                ),
                base,
            ),
            index(first),
            index(last),
        )
        for each in ids
    }


def _over(rows: list[Statement], first: date, last: date) -> Amount | None:
    if first.day == last.day == 1:
        return exact(flow(spans(rows)), index(first), index(last))
    days = flow(spans(rows, date.toordinal))
    return exact(days, first.toordinal(), last.toordinal())
