"""Virtual meters: formulas over other meters, written plainly, dated, with source."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from psycopg.rows import class_row

from store import registry, relations
from store.database import Connection
from store.errors import Invalid
from store.quantities import QUANTITIES
from store.relations import BEGINNING, END, LONGEST_WINDOW

MOST_TERMS = 500
_NUMBER = re.compile(r"\d+(\.\d+)?|\.\d+")
_METER = re.compile(
    r"([A-Za-z0-9._-]{1,64})/([A-Za-z0-9._-]{1,64})(?::([a-z0-9_]{1,64}))?"
)


class Written(NamedTuple):
    """A term as a person writes it."""

    coefficient: float
    enterprise: str
    meter: str
    quantity: str | None  # None: that of the virtual meter


class Term(NamedTuple):
    """A meter's quantity and how often it counts."""

    meter_id: int
    quantity: str
    coefficient: float


@dataclass(frozen=True, kw_only=True)
class Formula:
    """What a virtual meter's channel adds up in [valid_from, valid_to)."""

    key: int  # the channel
    value: tuple[Term, ...]
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class StatedFormula:
    """A formula in codes, for people."""

    enterprise: str
    meter: str
    quantity: str
    unit: str
    formula: str
    valid_from: datetime
    valid_to: datetime | None
    source: str
    recorded_at: datetime


def parse(text: str) -> list[Written]:
    """Read a formula: `E01/M1 + E01/M2 - 0.5 E02/M7`.

    Parameters
    ----------
    text
        Terms ENTERPRISE/METER joined by + and -, each with a number before it or none,
        and with :QUANTITY behind it where it is not the virtual meter's own. Spaces stand
        around signs, as codes may contain a hyphen.

    Raises
    ------
    Invalid
        With the place that cannot be read.
    """
    words = text.split()
    found: list[Written] = []
    sign: float | None = 1.0  # None: a sign has to come
    number: float | None = None
    for word in words:
        if word in ("+", "-", "−"):
            if number is not None or (sign is not None and found):
                raise Invalid(f"formula: a meter is expected before {word!r}")
            sign = 1.0 if word == "+" else -1.0
            continue
        if sign is None:
            raise Invalid(f"formula: + or - is expected before {word[:70]!r}")
        if word in ("*", "×") and number is not None:
            continue
        if _NUMBER.fullmatch(word) and number is None:
            number = float(word)
            continue
        meter = _METER.fullmatch(word)
        if meter is None:
            raise Invalid(
                f"formula: {word[:70]!r} is no ENTERPRISE/METER and no number (write "
                "spaces around + and -)"
            )
        coefficient = sign * (1.0 if number is None else number)
        if not 0 < abs(coefficient) < 1e6:
            raise Invalid(
                f"formula: {coefficient:g} is no factor above 0 and below 1e6"
            )
        found.append(Written(coefficient, *meter.groups()))
        sign, number = None, None
    if sign is not None or not found:
        raise Invalid("formula: it ends where a meter is expected")
    if len(found) > MOST_TERMS:
        raise Invalid(f"formula: {len(found)} terms; at most {MOST_TERMS}")
    return found


def wording(terms: Sequence[Written]) -> str:
    """Write a formula as :func:`parse` reads it."""
    words = []
    for i, each in enumerate(terms):
        sign = "-" if each.coefficient < 0 else "+" if i else ""
        size = abs(each.coefficient)
        number = "" if size == 1.0 else f"{_plain(size)} "
        quantity = f":{each.quantity}" if each.quantity else ""
        words.append(f"{sign} {number}{each.enterprise}/{each.meter}{quantity}".strip())
    return " ".join(words)


def _plain(number: float) -> str:
    return f"{number:.17f}".rstrip("0").rstrip(".") if number < 1e-4 else f"{number!r}"


def add_virtual(
    conn: Connection,
    park_id: int,
    enterprise_id: int,
    code: str,
    *,
    quantity: str,
    formula: str,
    valid_from: datetime = BEGINNING,
    valid_to: datetime | None = None,
    role: str = "check",
    name: str = "",
    source: str,
) -> int:
    """State a virtual meter's formula of a quantity; make the meter if it is new.

    A new one is confirmed and stands in the tree as `role`: by default `check`, so that
    what its terms count is not counted twice.

    Returns
    -------
    int
        The meter's id.

    Raises
    ------
    Invalid
        For a formula that cannot be read, a meter that is read itself, a term of another
        unit, or a formula that rests on itself.
    """
    with conn.transaction():
        known, _ = registry.find_meter(conn, enterprise_id, code)
        meter_id = registry.add_meter(conn, park_id, enterprise_id, code, name=name)
        if known is None:
            relations.place_meter(conn, meter_id, role, None, BEGINNING, source=source)
        state_formula(
            conn,
            meter_id,
            quantity,
            _resolved(conn, park_id, quantity, parse(formula)),
            valid_from,
            valid_to,
            source=source,
        )
        relations.confirm_meter(conn, meter_id, enterprise_id, source=source)
    return meter_id


def _resolved(
    conn: Connection, park_id: int, quantity: str, written: list[Written]
) -> list[Term]:
    meters = {text: key for key, text in registry.meter_codes(conn, park_id).items()}
    found = []
    for each in written:
        code = f"{each.enterprise}/{each.meter}"
        if code not in meters:
            raise Invalid(f"formula: the park has no meter {code!r}")
        found.append(Term(meters[code], each.quantity or quantity, each.coefficient))
    return found


def state_formula(
    conn: Connection,
    meter_id: int,
    quantity: str,
    terms: Sequence[Term],
    valid_from: datetime,
    valid_to: datetime | None = None,
    *,
    source: str,
) -> None:
    """Record what a virtual meter's quantity adds up in [valid_from, valid_to).

    Raises
    ------
    Invalid
        As :func:`add_virtual`.
    """
    _check_quantities(quantity, terms)
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid("a formula must end after it begins")
    with conn.transaction():
        # two statements at once could close a circle that neither of them sees
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('core.formula'))")
        channel = relations.add_meter_channel(conn, meter_id, quantity, "virtual")
        _check_meters(conn, meter_id, quantity, terms)
        row = conn.execute(
            "INSERT INTO core.formula (channel_id, valid_from, valid_to, source) "
            "VALUES (%s, %s, %s, %s) RETURNING formula_id",
            (channel, valid_from, valid_to, source),
        ).fetchone()
        assert row is not None
        conn.execute(
            "INSERT INTO core.virtual_term "
            "(formula_id, place, meter_id, quantity, coefficient) "
            "SELECT %s, * FROM unnest(%s::int[], %s::int[], %s::text[], %s::float8[])",
            (
                row[0],
                list(range(len(terms))),
                [each.meter_id for each in terms],
                [each.quantity for each in terms],
                [each.coefficient for each in terms],
            ),
        )
        conn.execute(
            "INSERT INTO core.dirty (park_id, channel_id, start, stop, settled) "
            "SELECT park_id, %s, %s, %s, true FROM core.meter WHERE meter_id = %s",
            (
                channel,
                max(valid_from - LONGEST_WINDOW, BEGINNING),
                min(valid_to or END, END),
                meter_id,
            ),
        )
        conn.execute("SELECT pg_notify('parkwatt_dirty', '')")


def _check_quantities(quantity: str, terms: Sequence[Term]) -> None:
    known = QUANTITIES.get(quantity)
    if known is None or known.kind != "register":
        raise Invalid(f"quantity {quantity[:70]!r} is none that adds up")
    if not terms:
        raise Invalid("a formula needs a meter")
    for each in terms:
        other = QUANTITIES.get(each.quantity)
        if other is None or other.kind != "register":
            raise Invalid(f"quantity {each.quantity[:70]!r} is none that adds up")
        if other.unit != known.unit:
            raise Invalid(
                f"{each.quantity} is measured in {other.unit}, {quantity} in {known.unit}"
            )


def _check_meters(
    conn: Connection, meter_id: int, quantity: str, terms: Sequence[Term]
) -> None:
    row = conn.execute(
        "SELECT count(DISTINCT park_id) FROM core.meter WHERE meter_id = ANY(%s)",
        ([meter_id, *(each.meter_id for each in terms)],),
    ).fetchone()
    if row is None or row[0] != 1:
        raise Invalid("a formula's meters are of one park")
    # all that was ever stated: a circle at one time only would be hard to see
    circle = conn.execute(
        """
        WITH RECURSIVE below AS (
            SELECT * FROM unnest(%s::int[], %s::text[]) AS t (meter_id, quantity)
            UNION
            SELECT t.meter_id, t.quantity
            FROM below b
            JOIN core.channel c
                ON c.subject_id = b.meter_id AND c.quantity = b.quantity
               AND c.kind = 'virtual'
            JOIN core.formula f USING (channel_id)
            JOIN core.virtual_term t USING (formula_id))
        SELECT EXISTS (SELECT FROM below WHERE meter_id = %s AND quantity = %s)
        """,
        (
            [each.meter_id for each in terms],
            [each.quantity for each in terms],
            meter_id,
            quantity,
        ),
    ).fetchone()
    if circle is not None and circle[0]:
        raise Invalid("the formula rests on this meter itself")


def formulas(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Formula]:
    """List the formulas of a park's virtual meters in the order recorded."""
    rows = conn.execute(
        """
        SELECT f.formula_id, f.channel_id, f.valid_from, f.valid_to, f.recorded_at,
               t.meter_id, t.quantity, t.coefficient
        FROM core.formula f
        JOIN core.channel c USING (channel_id)
        JOIN core.meter m ON m.meter_id = c.subject_id
        JOIN core.virtual_term t USING (formula_id)
        WHERE m.park_id = %s AND f.recorded_at <= coalesce(%s::timestamptz, 'infinity')
        ORDER BY f.recorded_at, f.formula_id, t.place
        """,
        (park_id, known_on),
    ).fetchall()
    return [
        Formula(
            key=first[1],  # type: ignore[arg-type]
            value=tuple(Term(*each[5:]) for each in same),  # type: ignore[arg-type]
            valid_from=first[2],  # type: ignore[arg-type]
            valid_to=first[3],  # type: ignore[arg-type]
            recorded_at=first[4],  # type: ignore[arg-type]
        )
        for _, rest in groupby(rows, itemgetter(0))
        for same in [list(rest)]
        for first in same[:1]
    ]


@dataclass(frozen=True, kw_only=True)
class _Row:
    formula_id: int
    enterprise: str
    meter: str
    quantity: str
    unit: str
    valid_from: datetime
    valid_to: datetime | None
    source: str
    recorded_at: datetime
    coefficients: list[float]
    enterprises: list[str]
    meters: list[str]
    quantities: list[str]


def stated(conn: Connection, park_id: int) -> list[StatedFormula]:
    """List what was stated of a park's virtual meters, by code, the newest first."""
    with conn.cursor(row_factory=class_row(_Row)) as cur:
        rows = cur.execute(
            """
            SELECT f.formula_id, e.code AS enterprise, m.code AS meter, c.quantity,
                   c.unit, f.valid_from, f.valid_to, f.source, f.recorded_at,
                   array_agg(t.coefficient ORDER BY t.place) AS coefficients,
                   array_agg(oe.code::text ORDER BY t.place) AS enterprises,
                   array_agg(o.code::text ORDER BY t.place) AS meters,
                   array_agg(t.quantity ORDER BY t.place) AS quantities
            FROM core.formula f
            JOIN core.channel c USING (channel_id)
            JOIN core.meter m ON m.meter_id = c.subject_id
            JOIN core.enterprise e USING (enterprise_id)
            JOIN core.virtual_term t USING (formula_id)
            JOIN core.meter o ON o.meter_id = t.meter_id
            JOIN core.enterprise oe ON oe.enterprise_id = o.enterprise_id
            WHERE m.park_id = %s
            GROUP BY f.formula_id, e.code, m.code, c.quantity, c.unit
            ORDER BY e.code, m.code, c.quantity, f.recorded_at DESC, f.formula_id DESC
            """,
            (park_id,),
        ).fetchall()
    return [
        StatedFormula(
            enterprise=row.enterprise,
            meter=row.meter,
            quantity=row.quantity,
            unit=row.unit,
            formula=wording(
                [
                    Written(number, owner, meter, None if of == row.quantity else of)
                    for number, owner, meter, of in zip(
                        row.coefficients,
                        row.enterprises,
                        row.meters,
                        row.quantities,
                        strict=True,
                    )
                ]
            ),
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            source=row.source,
            recorded_at=row.recorded_at,
        )
        for row in rows
    ]


def virtual_meters(conn: Connection, park_id: int) -> set[int]:
    """Give the ids of a park's virtual meters."""
    rows = conn.execute(
        "SELECT DISTINCT m.meter_id FROM core.meter m "
        "JOIN core.channel c ON c.subject_id = m.meter_id AND c.kind = 'virtual' "
        "WHERE m.park_id = %s",
        (park_id,),
    ).fetchall()
    return {int(str(row[0])) for row in rows}
