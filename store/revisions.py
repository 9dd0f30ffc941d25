"""Corrections by a person: recorded over the readings, and what they settle."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import sql
from psycopg.rows import class_row

from store import overlay
from store.database import Connection
from store.errors import Invalid, Unknown
from store.quantities import OF_LOADS
from store.readings import LONGEST_DELTA
from store.whose import own_at

LONGEST_WORDS = 500


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One correction of one instant of a channel; the newest of an instant applies."""

    revision_id: int
    channel_id: int
    enterprise: str
    meter: str
    quantity: str
    kind: str
    unit: str
    at: datetime
    until: datetime | None  # end of an interval amount
    value_before: float | None  # None: there was no reading
    value_after: float | None  # None: struck out
    who: str
    why: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A second value for a key: refused and kept."""

    conflict_id: int
    channel_id: int
    enterprise: str
    meter: str
    quantity: str
    kind: str
    unit: str
    at: datetime
    stored: float
    refused: float
    refused_until: datetime | None
    source: str
    received_at: datetime
    settled: bool  # a later revision of the instant decided it


def signed(name: str, text: str) -> str:
    """Take a person's name or reason.

    Raises
    ------
    Invalid
        When it is blank, too long or has control characters.
    """
    words = text.strip()
    if not words:
        raise Invalid(f"{name} is empty: a correction needs a person and a reason")
    if len(words) > LONGEST_WORDS:
        raise Invalid(f"{name} is longer than {LONGEST_WORDS} characters")
    if not words.isprintable():
        raise Invalid(f"{name} has control characters")
    return words


def add_revision(
    conn: Connection,
    channel_id: int,
    at: datetime,
    value: float | None,
    *,
    until: datetime | None = None,
    who: str,
    why: str,
) -> Revision:
    """Lay a value over the reading of an instant, or strike it out with None.

    Parameters
    ----------
    value
        In the canonical unit of the quantity.
    until
        End of an interval amount; None: that of the reading which is there.

    Raises
    ------
    Invalid
        When nothing would change, or an interval amount has no end.
    """
    who, why = signed("who", who), signed("why", why)
    with conn.transaction():
        # one after the other, so that each says what it really found
        conn.execute("SELECT pg_advisory_xact_lock(7262, %s)", (channel_id,))
        row = conn.execute(
            "SELECT m.park_id, c.kind, c.quantity FROM core.channel c "
            "JOIN core.meter m ON m.meter_id = c.subject_id WHERE c.channel_id = %s",
            (channel_id,),
        ).fetchone()
        if row is None:
            raise Unknown(f"channel {channel_id}")
        park_id, kind, quantity = row
        before, end = _counting(conn, channel_id, at)
        shown = f"at {at.isoformat()}"
        if before is None and value is None:
            raise Invalid(f"there is no reading {shown} to strike out")
        until = until or end
        if kind != "delta" and until is not None:
            raise Invalid(f"a {kind} has no end of an interval")
        if kind == "delta" and (until is None or until <= at):
            raise Invalid(f"an interval amount {shown} needs its end, after it")
        if kind == "delta" and value is not None and value < 0:
            raise Invalid(f"an interval amount of {value:g} is below 0")
        same = value is not None and (value, until) == (before, end)
        if same and not _contested(conn, channel_id, at):
            raise Invalid(f"the reading {shown} counts as {value} already")
        reached = _reached(conn, channel_id, at) if kind == "register" else [at]
        found = conn.execute(
            "INSERT INTO core.revision "
            "(channel_id, at, until, value_before, value_after, who, why) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING revision_id",
            (channel_id, at, until, before, value, who, why),
        ).fetchone()
        if (kind != "gauge" or quantity in OF_LOADS) and not same:
            stop = max(each for each in (at, until, end) if each is not None)
            conn.execute(
                "INSERT INTO core.dirty (park_id, channel_id, start, stop) "
                "VALUES (%s, %s, %s, %s)",
                (
                    park_id,
                    channel_id,
                    min(at, *reached),
                    max(stop, *reached) + timedelta(microseconds=1),
                ),
            )
            conn.execute("SELECT pg_notify('parkwatt_dirty', '')")
        conn.execute("SELECT pg_notify('parkwatt_readings', %s)", (str(park_id),))
        assert found is not None
        return _revisions(conn, revision_id=int(str(found[0])))[0]


def settle(
    conn: Connection, park_id: int, conflict_id: int, *, who: str, why: str
) -> Revision:
    """Settle a conflict of a park by a revision that takes the value that was refused.

    Raises
    ------
    Unknown
        When there is no such conflict.
    Invalid
        When it is settled already.
    """
    found = conflicts(conn, park_id, conflict_id=conflict_id)
    if not found:
        raise Unknown(f"conflict {conflict_id}")
    one = found[0]
    if one.settled:
        raise Invalid(f"conflict {conflict_id} is settled already")
    return add_revision(
        conn,
        one.channel_id,
        one.at,
        one.refused,
        until=one.refused_until,
        who=who,
        why=why,
    )


def revisions(
    conn: Connection,
    park_id: int,
    *,
    enterprise: str | None = None,
    meter: str | None = None,
    quantity: str | None = None,
    before: int | None = None,
    own: bool = False,
    most: int = 1000,
) -> list[Revision]:
    """List the revisions of a park, the newest first, from below the id `before`.

    Parameters
    ----------
    own
        Not while a meter counts for another than the enterprise it is registered for.
    """
    return _revisions(
        conn,
        park_id=park_id,
        enterprise=enterprise,
        meter=meter,
        quantity=quantity,
        before=before,
        own=own,
        most=most,
    )


def _revisions(
    conn: Connection,
    *,
    revision_id: int | None = None,
    park_id: int | None = None,
    enterprise: str | None = None,
    meter: str | None = None,
    quantity: str | None = None,
    before: int | None = None,
    own: bool = False,
    most: int = 1,
) -> list[Revision]:
    with conn.cursor(row_factory=class_row(Revision)) as cur:
        return cur.execute(
            sql.SQL(
                """
            SELECT v.revision_id, v.channel_id, e.code AS enterprise, m.code AS meter,
                   c.quantity, c.kind, c.unit, v.at, v.until, v.value_before,
                   v.value_after, v.who, v.why, v.recorded_at
            FROM core.revision v
            JOIN core.channel c USING (channel_id)
            JOIN core.meter m ON m.meter_id = c.subject_id
            JOIN core.enterprise e USING (enterprise_id)
            WHERE (%(id)s::bigint IS NULL OR v.revision_id = %(id)s)
              AND (%(park)s::int IS NULL OR m.park_id = %(park)s)
              AND (%(enterprise)s::text IS NULL OR e.code = %(enterprise)s)
              AND (%(meter)s::text IS NULL OR m.code = %(meter)s)
              AND (%(quantity)s::text IS NULL OR c.quantity = %(quantity)s)
              AND (%(before)s::bigint IS NULL OR v.revision_id < %(before)s)
              AND (NOT %(own)s OR {own})
            ORDER BY v.revision_id DESC LIMIT %(most)s
            """
            ).format(own=sql.SQL(own_at("v.at", "v.until"))),
            {
                "id": revision_id,
                "park": park_id,
                "enterprise": enterprise,
                "meter": meter,
                "quantity": quantity,
                "before": before,
                "own": own,
                "most": most,
            },
        ).fetchall()


def conflicts(
    conn: Connection,
    park_id: int,
    *,
    conflict_id: int | None = None,
    enterprise: str | None = None,
    meter: str | None = None,
    settled: bool | None = None,
    before: int | None = None,
    own: bool = False,
    most: int = 1000,
) -> list[Conflict]:
    """List the conflicts of a park, the newest first, from below the id `before`.

    One is settled by any later revision of its instant; the same value refused once
    more, after a revision took it, is settled too.

    Parameters
    ----------
    own
        Not while a meter counts for another than the enterprise it is registered for.
    """
    with conn.cursor(row_factory=class_row(Conflict)) as cur:
        return cur.execute(
            sql.SQL(
                """
            SELECT f.conflict_id, f.channel_id, e.code AS enterprise, m.code AS meter,
                   c.quantity, c.kind, c.unit, f.at, f.stored, f.refused,
                   f.refused_until, b.source, b.received_at, last.settled
            FROM core.conflict f
            JOIN core.channel c USING (channel_id)
            JOIN core.meter m ON m.meter_id = c.subject_id
            JOIN core.enterprise e USING (enterprise_id)
            JOIN core.batch b USING (batch_id)
            CROSS JOIN LATERAL (
                SELECT coalesce(bool_or(
                    v.recorded_at > b.received_at
                    OR v.newest AND v.value_after = f.refused
                       AND v.until IS NOT DISTINCT FROM f.refused_until),
                    false) AS settled
                FROM (SELECT x.*, 1 = row_number() OVER (
                          ORDER BY x.recorded_at DESC, x.revision_id DESC) AS newest
                      FROM core.revision x
                      WHERE x.channel_id = f.channel_id AND x.at = f.at) AS v) AS last
            WHERE m.park_id = %(park)s
              AND (%(id)s::bigint IS NULL OR f.conflict_id = %(id)s)
              AND (%(enterprise)s::text IS NULL OR e.code = %(enterprise)s)
              AND (%(meter)s::text IS NULL OR m.code = %(meter)s)
              AND (%(before)s::bigint IS NULL OR f.conflict_id < %(before)s)
              AND (%(settled)s::boolean IS NULL OR last.settled = %(settled)s)
              AND (NOT %(own)s OR {own})
            ORDER BY f.conflict_id DESC LIMIT %(most)s
            """
            ).format(own=sql.SQL(own_at("f.at", "f.refused_until"))),
            {
                "id": conflict_id,
                "park": park_id,
                "enterprise": enterprise,
                "meter": meter,
                "settled": settled,
                "before": before,
                "own": own,
                "most": most,
            },
        ).fetchall()


def _counting(
    conn: Connection, channel_id: int, at: datetime
) -> tuple[float | None, datetime | None]:
    """Give value and end of the reading that counts at an instant."""
    row = conn.execute(
        sql.SQL(
            "SELECT f.value, f.until FROM (VALUES (%s::int, %s::timestamptz)) "
            "AS w (channel_id, at) CROSS JOIN LATERAL ({}) AS f"
        ).format(overlay.effective("r.at = w.at", overlaid=True)),
        (channel_id, at),
    ).fetchone()
    if row is None:
        return None, None
    value, until = row
    assert isinstance(value, float)
    assert until is None or isinstance(until, datetime)
    return value, until


def _reached(conn: Connection, channel_id: int, at: datetime) -> list[datetime]:
    """Give an instant and the readings beside it, as they count before the change.

    Of several that are struck out the intervals between them go, too.
    """
    rows = conn.execute(
        sql.SQL(
            "SELECT f.at FROM (VALUES (%s::int, %s::timestamptz)) "
            "AS w (channel_id, at) CROSS JOIN LATERAL (({}) UNION ALL ({})) AS f"
        ).format(
            overlay.effective("r.at < w.at", "ORDER BY at DESC", most=1, overlaid=True),
            overlay.effective("r.at > w.at", "ORDER BY at", most=1, overlaid=True),
        ),
        (channel_id, at),
    ).fetchall()
    found = [row[0] for row in rows if isinstance(row[0], datetime)]
    return [at, *(each for each in found if abs(each - at) <= LONGEST_DELTA)]


def _contested(conn: Connection, channel_id: int, at: datetime) -> bool:
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM core.conflict WHERE channel_id = %s AND at = %s)",
        (channel_id, at),
    ).fetchone()
    assert row is not None
    return bool(row[0])
