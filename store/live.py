"""What the live page shows: last readings, power now, what came in and what was refused."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from store.database import Connection


@dataclass(frozen=True, kw_only=True)
class LastReading:
    """The newest reading of one channel."""

    enterprise: str
    meter: str
    confirmed: bool
    counts: bool  # for the park or an enterprise, in the flow that it is of
    quantity: str
    kind: str
    unit: str
    at: datetime
    value: float


@dataclass(frozen=True, kw_only=True)
class SourceCounts:
    """What became of all readings of one source."""

    source: str
    messages: int
    received: int
    inserted: int
    duplicate: int
    conflict: int
    quarantined: int
    in_flight: int  # messages taken and not stored yet, as the source last said


@dataclass(frozen=True, kw_only=True)
class QuarantinedMessage:
    """A message, or part of one, that could not be read."""

    quarantine_id: int
    received_at: datetime
    topic: str
    reason: str
    readings: int
    payload: bytes


def last_readings(
    conn: Connection, park_id: int, since: datetime, enterprise: str | None = None
) -> list[LastReading]:
    """List the newest reading of each channel of a park that is not older than `since`."""
    with conn.cursor(row_factory=class_row(LastReading)) as cur:
        return cur.execute(
            """
            WITH counting AS MATERIALIZED (
                SELECT f.flow, k.* FROM (SELECT DISTINCT flow FROM core.channel) AS f
                CROSS JOIN LATERAL core.counting(now(), f.flow, rates => true) AS k)
            SELECT e.code AS enterprise, m.code AS meter,
                   m.confirmed_at IS NOT NULL AS confirmed,
                   coalesce(k.of_park OR k.enterprise_id IS NOT NULL, false)
                       AS counts,
                   c.quantity, c.kind, c.unit, last.at, last.value
            FROM core.meter m
            JOIN core.enterprise e USING (enterprise_id)
            JOIN core.channel c ON c.subject_id = m.meter_id
            LEFT JOIN counting k ON k.meter_id = m.meter_id AND k.flow = c.flow
            CROSS JOIN LATERAL (
                SELECT at, value FROM core.reading r
                WHERE r.channel_id = c.channel_id AND r.at >= %s
                ORDER BY at DESC LIMIT 1) AS last
            WHERE m.park_id = %s AND (%s::text IS NULL OR e.code = %s)
            ORDER BY e.code, m.code, c.quantity
            """,
            (since, park_id, enterprise, enterprise),
        ).fetchall()


def newest(conn: Connection, park_id: int) -> datetime | None:
    """Give the time of a park's newest reading."""
    row = conn.execute(
        """
        SELECT max(last.at)
        FROM core.meter m
        JOIN core.channel c ON c.subject_id = m.meter_id
        CROSS JOIN LATERAL (
            SELECT at FROM core.reading r WHERE r.channel_id = c.channel_id
            ORDER BY at DESC LIMIT 1) AS last
        WHERE m.park_id = %s
        """,
        (park_id,),
    ).fetchone()
    at = row[0] if row else None
    assert at is None or isinstance(at, datetime)
    return at


def source_counts(conn: Connection) -> list[SourceCounts]:
    """Tell, per source, what became of the readings received."""
    with conn.cursor(row_factory=class_row(SourceCounts)) as cur:
        return cur.execute(
            """
            SELECT source, messages, received, inserted, duplicate, conflict,
                   quarantined, in_flight
            FROM core.source_total ORDER BY source
            """
        ).fetchall()


def quarantined(
    conn: Connection, most: int = 100, *, before: int | None = None
) -> list[QuarantinedMessage]:
    """List the newest messages in quarantine, or the newest of those before one."""
    with conn.cursor(row_factory=class_row(QuarantinedMessage)) as cur:
        return cur.execute(
            """
            SELECT q.quarantine_id, b.received_at, q.topic, q.reason, q.readings,
                   q.payload
            FROM core.quarantine q JOIN core.batch b USING (batch_id)
            WHERE %s::bigint IS NULL OR q.quarantine_id < %s
            ORDER BY q.quarantine_id DESC LIMIT %s
            """,
            (before, before, most),
        ).fetchall()
