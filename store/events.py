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
