"""What the API asks beside the figures: power now, pages of readings, freshness."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import class_row

from store.database import Connection
from store.whose import own_at


@dataclass(frozen=True, kw_only=True)
class MeterPower:
    """The newest power of a meter that counts now; None where it has never said one."""

    enterprise: str | None  # it counts for; None: for the park alone
    enterprise_name: str | None
    meter: str
    of_park: bool  # whether it counts for the park
    at: datetime | None
    kw: float | None  # value x transformer ratio
    interval_s: float | None  # between its last two readings


@dataclass(frozen=True, kw_only=True)
class BrowsedChannel:
    """One channel of a meter of a park."""

    channel_id: int
    enterprise: str
    meter: str
    quantity: str
    kind: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class BrowsedReading:
    """One reading and when it arrived."""

    channel_id: int
    at: datetime
    until: datetime | None
    value: float
    batch_id: int
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest reading of a park; None where it has none since."""

    park: str
    at: datetime | None


def power_now(
    conn: Connection, park_id: int, since: datetime, now: datetime
) -> list[MeterPower]:
    """List the electricity meters that count in a park now, with their newest power."""
    with conn.cursor(row_factory=class_row(MeterPower)) as cur:
        return cur.execute(
            """
            SELECT e.code AS enterprise, e.name AS enterprise_name, m.code AS meter,
                   counts.of_park,
                   last.at, last.value * coalesce(ratio.value, 1) AS kw,
                   nullif(extract(epoch FROM last.gap), 0)::float8 AS interval_s
            FROM core.counting(%(now)s, 'electricity', rates => true) AS counts
            JOIN core.meter m USING (meter_id)
            LEFT JOIN core.enterprise e ON e.enterprise_id = counts.enterprise_id
            LEFT JOIN LATERAL (
                SELECT x.ct * x.pt AS value FROM core.multiplier x
                WHERE x.meter_id = m.meter_id AND x.valid_from <= %(now)s
                  AND (x.valid_to IS NULL OR x.valid_to > %(now)s)
                ORDER BY x.recorded_at DESC, x.multiplier_id DESC LIMIT 1
            ) AS ratio ON true
            LEFT JOIN core.channel c ON c.subject_id = m.meter_id
                AND c.quantity = 'power' AND c.kind = 'gauge'
            LEFT JOIN LATERAL (
                SELECT max(two.at) AS at, max(two.at) - min(two.at) AS gap,
                       (array_agg(two.value ORDER BY two.at DESC))[1] AS value
                FROM (SELECT r.at, r.value FROM core.reading r
                      WHERE r.channel_id = c.channel_id AND r.at >= %(since)s
                      ORDER BY r.at DESC LIMIT 2) AS two) AS last ON true
            WHERE m.park_id = %(park)s
              AND (counts.of_park OR counts.enterprise_id IS NOT NULL)
              AND EXISTS (SELECT FROM core.channel x WHERE x.subject_id = m.meter_id
                          AND x.quantity IN ('power', 'energy_import'))
            ORDER BY e.code, m.code
            """,
            {"park": park_id, "since": since, "now": now},
        ).fetchall()


def channels(
    conn: Connection,
    park_id: int,
    *,
    enterprise: str | None = None,
    meter: str | None = None,
    quantity: str | None = None,
) -> list[BrowsedChannel]:
    """List the channels of a park's meters by id."""
    with conn.cursor(row_factory=class_row(BrowsedChannel)) as cur:
        return cur.execute(
            """
            SELECT c.channel_id, e.code AS enterprise, m.code AS meter, c.quantity,
                   c.kind, c.unit
            FROM core.channel c
            JOIN core.meter m ON m.meter_id = c.subject_id
            JOIN core.enterprise e USING (enterprise_id)
            WHERE m.park_id = %(park)s
              AND (%(enterprise)s::text IS NULL OR e.code = %(enterprise)s)
              AND (%(meter)s::text IS NULL OR m.code = %(meter)s)
              AND (%(quantity)s::text IS NULL OR c.quantity = %(quantity)s)
            ORDER BY c.channel_id
            """,
            {
                "park": park_id,
                "enterprise": enterprise,
                "meter": meter,
                "quantity": quantity,
            },
        ).fetchall()


def readings(
    conn: Connection,
    channel_ids: list[int],
    start: datetime,
    stop: datetime,
    after: tuple[int, datetime],
    most: int,
    *,
    own: bool = False,
) -> list[BrowsedReading]:
    """List readings of [start, stop) by channel and time, from behind `after` on.

    Parameters
    ----------
    own
        Not while a meter counts for another than the enterprise it is registered for.
    """
    with conn.cursor(row_factory=class_row(BrowsedReading)) as cur:
        return cur.execute(
            sql.SQL(
                """
            SELECT r.channel_id, r.at, r.until, r.value, r.batch_id, b.received_at
            FROM (SELECT * FROM core.reading r
                  WHERE channel_id = ANY(%(channels)s) AND at >= %(start)s
                    AND at < %(stop)s AND (channel_id, at) > (%(channel)s, %(after)s)
                    AND (NOT %(own)s OR EXISTS (
                        SELECT FROM core.channel c
                        JOIN core.meter m ON m.meter_id = c.subject_id
                        WHERE c.channel_id = r.channel_id AND {own}))
                  ORDER BY channel_id, at LIMIT %(most)s) AS r
            JOIN core.batch b USING (batch_id)
            ORDER BY r.channel_id, r.at
            """
            ).format(own=sql.SQL(own_at("r.at", "r.until"))),
            {
                "channels": channel_ids,
                "start": start,
                "stop": stop,
                "channel": after[0],
                "after": after[1],
                "own": own,
                "most": most,
            },
        ).fetchall()


def newest_readings(conn: Connection, since: datetime) -> list[Newest]:
    """Give the time of the newest reading of each park."""
    with conn.cursor(row_factory=class_row(Newest)) as cur:
        return cur.execute(
            """
            SELECT p.code AS park, max(last.at) AS at
            FROM core.park p
            LEFT JOIN core.meter m USING (park_id)
            LEFT JOIN core.channel c ON c.subject_id = m.meter_id
            LEFT JOIN LATERAL (
                SELECT r.at FROM core.reading r
                WHERE r.channel_id = c.channel_id AND r.at >= %s
                ORDER BY r.at DESC LIMIT 1) AS last ON true
            GROUP BY p.code ORDER BY p.code
            """,
            (since,),
        ).fetchall()
