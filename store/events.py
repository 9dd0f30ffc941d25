"""What was recognised in the registers."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from store.database import Connection


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


def replace_events(
    conn: Connection,
    spans: list[tuple[int, datetime, datetime]],
    events: list[RegisterEvent],
) -> None:
    """Make `events` the ones of these spans; rows that stay the same are not touched."""
    with conn.cursor(row_factory=class_row(RegisterEvent)) as cur:
        known = cur.execute(
            """
            SELECT e.channel_id, e.at, e.kind, e.value_before, e.value_after,
                   e.rule, e.confidence
            FROM core.register_event e
            JOIN unnest(%s::int[], %s::timestamptz[], %s::timestamptz[])
                 AS s (channel_id, start, stop) USING (channel_id)
            WHERE e.at >= s.start AND e.at < s.stop
            """,
            tuple(list(column) for column in zip(*spans, strict=True)),
        ).fetchall()
    for event in set(known) - set(events):
        conn.execute(
            "DELETE FROM core.register_event "
            "WHERE channel_id = %s AND at = %s AND kind = %s",
            (event.channel_id, event.at, event.kind),
        )
    with conn.cursor() as write:
        write.executemany(
            "INSERT INTO core.register_event "
            "(channel_id, at, kind, value_before, value_after, rule, confidence) "
            "VALUES (%(channel_id)s, %(at)s, %(kind)s, %(value_before)s, "
            "%(value_after)s, %(rule)s, %(confidence)s)",
            [vars(e) for e in events if e not in set(known)],
        )
