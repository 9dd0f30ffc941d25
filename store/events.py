"""What was recognised in the registers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from store.database import Connection
from store.dirty import Span


@dataclass(frozen=True, kw_only=True)
class RegisterEvent:
    """A rollover, reset, glitch, spike or overlap of one channel."""

    channel_id: int
    at: datetime
    kind: str
    value_before: float
    value_after: float
    rule: str
    confidence: float  # of the rule, 0 … 1


def with_events(
    conn: Connection, spans: list[Span], kinds: Collection[str]
) -> set[int]:
    """Choose the channels that have an event of some kinds in their span."""
    rows = conn.execute(
        """
        SELECT DISTINCT s.channel_id
        FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[])
             AS s (channel_id, start, stop)
        CROSS JOIN LATERAL (
            SELECT FROM core.register_event e
            WHERE e.channel_id = s.channel_id AND e.at >= s.start AND e.at < s.stop
              AND e.kind = ANY(%s) LIMIT 1) AS any_event
        """,
        (
            [each.channel_id for each in spans],
            [each.start for each in spans],
            [each.stop for each in spans],
            sorted(kinds),
        ),
    ).fetchall()
    return {int(str(channel)) for (channel,) in rows}


def replace_events(
    conn: Connection,
    spans: list[Span],
    kinds: Collection[str],
    events: list[RegisterEvent],
) -> None:
    """Make `events` those of some kinds in spans; rows that stay the same stay."""
    with conn.cursor(row_factory=class_row(RegisterEvent)) as cur:
        known = set(
            cur.execute(
                """
                SELECT e.channel_id, e.at, e.kind, e.value_before, e.value_after,
                       e.rule, e.confidence
                FROM core.register_event e
                JOIN unnest(%s::int[], %s::timestamptz[], %s::timestamptz[])
                     AS s (channel_id, start, stop) USING (channel_id)
                WHERE e.at >= s.start AND e.at < s.stop AND e.kind = ANY(%s)
                """,
                (
                    [each.channel_id for each in spans],
                    [each.start for each in spans],
                    [each.stop for each in spans],
                    sorted(kinds),
                ),
            ).fetchall()
        )
    wanted = set(events)
    for event in known - wanted:
        conn.execute(
            "DELETE FROM core.register_event "
            "WHERE channel_id = %s AND at = %s AND kind = %s",
            (event.channel_id, event.at, event.kind),
        )
    fresh = [each for each in events if each not in known]
    if not fresh:
        return
    with (
        conn.cursor() as plain,
        plain.copy(
            "COPY core.register_event (channel_id, at, kind, value_before, "
            "value_after, rule, confidence) FROM STDIN"
        ) as copy,
    ):
        for each in fresh:
            copy.write_row(
                (
                    each.channel_id,
                    each.at,
                    each.kind,
                    each.value_before,
                    each.value_after,
                    each.rule,
                    each.confidence,
                )
            )


@dataclass(frozen=True, kw_only=True)
class Found:
    """Events of one kind of one register in a period."""

    enterprise: str
    meter: str
    quantity: str
    unit: str
    kind: str
    count: int
    judged: int  # of which somebody said something
    first: datetime
    last: datetime
    value_before: float  # of the last one
    value_after: float
    rule: str
    confidence: float


def counted(
    conn: Connection,
    park_id: int,
    start: datetime,
    stop: datetime,
    kinds: Collection[str],
) -> list[Found]:
    """Count the events of some kinds in [start, stop), by meter, quantity and kind."""
    with conn.cursor(row_factory=class_row(Found)) as cur:
        return cur.execute(
            """
            WITH found AS (
                SELECT v.*, e.code AS enterprise, m.code AS meter, c.quantity, c.unit,
                       EXISTS (SELECT FROM core.judgement j
                               WHERE j.channel_id = v.channel_id AND j.at = v.at)
                           AS judged
                FROM core.register_event v
                JOIN core.channel c USING (channel_id)
                JOIN core.meter m ON m.meter_id = c.subject_id
                JOIN core.enterprise e USING (enterprise_id)
                WHERE m.park_id = %s AND v.at >= %s AND v.at < %s AND v.kind = ANY(%s))
            SELECT enterprise, meter, quantity, unit, kind, count(*) AS count,
                   count(*) FILTER (WHERE judged) AS judged,
                   min(at) AS first, max(at) AS last,
                   (array_agg(value_before ORDER BY at DESC))[1] AS value_before,
                   (array_agg(value_after ORDER BY at DESC))[1] AS value_after,
                   min(rule) AS rule, min(confidence) AS confidence
            FROM found GROUP BY enterprise, meter, quantity, unit, kind
            ORDER BY enterprise COLLATE "C", meter COLLATE "C", quantity, kind
            """,
            (park_id, start, stop, sorted(kinds)),
        ).fetchall()


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Readings that were refused for one reason, of one enterprise's topics."""

    enterprise: str
    meter: str
    count: int
    first: datetime
    last: datetime


def refused(
    conn: Connection, park: str, start: datetime, stop: datetime, reason: str
) -> list[Refusals]:
    """Count what was refused in [start, stop) with some words in the reason.

    Only topics of the native format say whose a message is.
    """
    with conn.cursor(row_factory=class_row(Refusals)) as cur:
        return cur.execute(
            """
            SELECT split_part(q.topic, '/', 4) AS enterprise,
                   split_part(q.topic, '/', 5) AS meter, sum(q.readings)::int AS count,
                   min(b.received_at) AS first, max(b.received_at) AS last
            FROM core.quarantine q JOIN core.batch b USING (batch_id)
            WHERE b.received_at >= %s AND b.received_at < %s
              AND starts_with(q.topic, %s) AND position(%s IN q.reason) > 0
            GROUP BY 1, 2 ORDER BY 1, 2
            """,
            (start, stop, f"parkwatt/v1/{park}/", reason),
        ).fetchall()
