"""What was recognised in registers, and what persons say it was."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid, Unknown
from store.relations import mark_meter_dirty
from store.revisions import signed
from store.whose import own_at

VERDICTS = ("real", "left out", "rollover", "reset", "replacement", "rule")
FALLS = ("unknown", "restart")


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The newest word on a register at an instant."""

    channel_id: int
    at: datetime
    verdict: str
    final: float | None
    initial: float | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something recognised in a register, or said of it."""

    enterprise: str
    meter: str
    quantity: str
    unit: str
    at: datetime
    kind: str | None  # None: nothing is recognised there any more
    value_before: float | None
    value_after: float | None
    rule: str | None
    confidence: float | None
    verdict: str | None
    who: str | None
    why: str | None
    said_at: datetime | None


def judge(
    conn: Connection,
    meter_id: int,
    quantity: str,
    at: datetime,
    verdict: str,
    *,
    final: float | None = None,
    initial: float | None = None,
    who: str,
    why: str,
) -> None:
    """Say what happened to a meter's register at an instant; `rule` takes it back.

    Raises
    ------
    Invalid
        For an unknown verdict, a replacement without both values, or an instant without a
        reading of which anything could be said.
    """
    who, why = signed("who", who), signed("why", why)
    if verdict not in VERDICTS:
        raise Invalid(f"verdict {verdict[:70]!r} is none of {', '.join(VERDICTS)}")
    if (verdict == "replacement") != (final is not None and initial is not None):
        raise Invalid(
            "a replacement needs the old register's final and the new one's initial "
            "value, and nothing else has them"
        )
    with conn.transaction():
        row = conn.execute(
            "SELECT c.channel_id, m.park_id FROM core.channel c "
            "JOIN core.meter m ON m.meter_id = c.subject_id "
            "WHERE c.subject_id = %s AND c.quantity = %s AND c.kind = 'register'",
            (meter_id, quantity),
        ).fetchone()
        if row is None:
            raise Unknown(f"register {quantity!r} of this meter")
        channel_id, park_id = row
        read = conn.execute(
            "SELECT EXISTS (SELECT FROM core.reading WHERE channel_id = %s AND at = %s) "
            "OR EXISTS (SELECT FROM core.revision WHERE channel_id = %s AND at = %s)",
            (channel_id, at, channel_id, at),
        ).fetchone()
        if verdict not in ("replacement", "rule") and (read is None or not read[0]):
            raise Invalid(f"the register was not read at {at.isoformat()}")
        conn.execute(
            "INSERT INTO core.judgement "
            "(channel_id, at, verdict, final, initial, who, why) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (channel_id, at, verdict, final, initial, who, why),
        )
        # from the reading before to the one after, as one may be left out now
        conn.execute(
            """
            INSERT INTO core.dirty (park_id, channel_id, start, stop)
            SELECT %(park)s, %(channel)s,
                   coalesce((SELECT max(at) FROM core.reading
                             WHERE channel_id = %(channel)s AND at < %(at)s), %(at)s),
                   coalesce((SELECT min(at) FROM core.reading
                             WHERE channel_id = %(channel)s AND at > %(at)s), %(at)s)
                   + interval '1 microsecond'
            """,
            {"park": park_id, "channel": channel_id, "at": at},
        )
        conn.execute("SELECT pg_notify('parkwatt_dirty', '')")


def set_fall_policy(conn: Connection, meter_id: int, fall: str, *, source: str) -> None:
    """State what a fall that is no rollover means for a meter's registers.

    Raises
    ------
    Invalid
        For an unknown policy.
    """
    if fall not in FALLS:
        raise Invalid(f"policy {fall[:70]!r} is none of {', '.join(FALLS)}")
    with conn.transaction():
        conn.execute(
            "INSERT INTO core.fall_policy (meter_id, fall, source) VALUES (%s, %s, %s)",
            (meter_id, fall, source),
        )
        mark_meter_dirty(conn, meter_id)


def set_plate(
    conn: Connection,
    meter_id: int,
    *,
    accuracy_class: float | None,
    rated_per_h: float | None,
    source: str,
) -> None:
    """State a meter's accuracy class [%] and the most that it can count [kW or unit/h].

    Raises
    ------
    Invalid
        For values that no plate shows.
    """
    if accuracy_class is not None and not 0 < accuracy_class <= 20:
        raise Invalid(f"accuracy class {accuracy_class:g} is not within 0 and 20 %")
    if rated_per_h is not None and not 0 < rated_per_h < 1e12:
        raise Invalid(f"a rating of {rated_per_h:g} is not above 0")
    with conn.transaction():
        conn.execute(
            "INSERT INTO core.plate (meter_id, accuracy_class, rated_per_h, source) "
            "VALUES (%s, %s, %s, %s)",
            (meter_id, accuracy_class, rated_per_h, source),
        )
        mark_meter_dirty(conn, meter_id)


def accuracy_classes(conn: Connection, park_id: int) -> dict[int, float]:
    """Give the accuracy class [%] that was stated last of each meter, where one was."""
    rows = conn.execute(
        """
        SELECT DISTINCT ON (p.meter_id) p.meter_id, p.accuracy_class
        FROM core.plate p JOIN core.meter m USING (meter_id)
        WHERE m.park_id = %s AND p.accuracy_class IS NOT NULL
        ORDER BY p.meter_id, p.plate_id DESC
        """,
        (park_id,),
    ).fetchall()
    return {int(str(meter)): float(str(percent)) for meter, percent in rows}


def judgements(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Judgement]:
    """List what applies of what was said, by channel and time."""
    with conn.cursor(row_factory=class_row(Judgement)) as cur:
        return cur.execute(
            """
            SELECT channel_id, at, verdict, final, initial FROM (
                SELECT DISTINCT ON (j.channel_id, j.at) j.*
                FROM core.judgement j
                JOIN core.channel c USING (channel_id)
                JOIN core.meter m ON m.meter_id = c.subject_id
                WHERE m.park_id = %s
                  AND j.recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY j.channel_id, j.at, j.recorded_at DESC, j.judgement_id DESC
            ) AS newest
            WHERE verdict <> 'rule' ORDER BY channel_id, at
            """,
            (park_id, known_on),
        ).fetchall()


def events(
    conn: Connection,
    park_id: int,
    *,
    enterprise: str | None = None,
    meter: str | None = None,
    start: datetime,
    stop: datetime,
    own: bool = False,
    most: int,
) -> list[Event]:
    """List what was recognised or said in [start, stop), the newest first.

    Parameters
    ----------
    own
        Not while a meter counts for another than the enterprise it is registered for.
    """
    with conn.cursor(row_factory=class_row(Event)) as cur:
        return cur.execute(
            sql.SQL(
                """
            WITH channels AS (
                SELECT c.channel_id, m.meter_id, m.enterprise_id, e.code AS enterprise,
                       m.code AS meter, c.quantity, c.unit
                FROM core.channel c
                JOIN core.meter m ON m.meter_id = c.subject_id
                JOIN core.enterprise e USING (enterprise_id)
                WHERE m.park_id = %(park)s
                  AND (%(enterprise)s::text IS NULL OR e.code = %(enterprise)s)
                  AND (%(meter)s::text IS NULL OR m.code = %(meter)s)),
            said AS (
                SELECT DISTINCT ON (j.channel_id, j.at) j.channel_id, j.at, j.verdict,
                       j.who, j.why, j.recorded_at
                FROM core.judgement j JOIN channels USING (channel_id)
                WHERE j.at >= %(start)s AND j.at < %(stop)s
                ORDER BY j.channel_id, j.at, j.recorded_at DESC, j.judgement_id DESC),
            found AS (
                SELECT v.* FROM core.register_event v JOIN channels USING (channel_id)
                WHERE v.at >= %(start)s AND v.at < %(stop)s)
            SELECT enterprise, meter, quantity, unit, at, kind, value_before,
                   value_after, rule, confidence, verdict, who, why,
                   said.recorded_at AS said_at
            FROM found FULL JOIN said USING (channel_id, at)
            JOIN channels m USING (channel_id)
            WHERE NOT %(own)s OR {own}
            ORDER BY at DESC, enterprise, meter, quantity, kind LIMIT %(most)s
            """
            ).format(own=sql.SQL(own_at("at"))),
            {
                "park": park_id,
                "enterprise": enterprise,
                "meter": meter,
                "start": start,
                "stop": stop,
                "own": own,
                "most": most,
            },
        ).fetchall()
