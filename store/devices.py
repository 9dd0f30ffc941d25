"""Foreign devices: where they stand, what was learned of them, what nobody can place."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid, Unknown

SAMPLE_BYTES = 4096
KEPT = 100  # messages of one pattern whose bytes are kept
PATTERNS = 1000
OTHERS = "(others)"


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Where the devices of a topic filter stand, and how to read them."""

    mapping_id: int
    name: str
    park: str
    enterprise: str
    zone: str  # of the park
    topic: str
    document: str  # the YAML as a person wrote it
    source: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class UnknownTopic:
    """Messages of one shape of topic that nobody can place."""

    pattern: str
    messages: int
    first_at: datetime
    last_at: datetime
    topic: str  # of the latest
    payload: bytes
    reason: str


class Unplaced(NamedTuple):
    """A message that nobody can place."""

    pattern: str
    topic: str
    payload: bytes
    reason: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A message of the quarantine that nobody could place."""

    quarantine_id: int
    topic: str
    payload: bytes
    arrived_us: int


class Counted(NamedTuple):
    """Which messages that nobody can place are to be kept, and how many are not."""

    kept: list[Unplaced]
    unkept: int


def add_mapping(
    conn: Connection,
    name: str,
    enterprise_id: int,
    topic: str,
    document: str,
    *,
    source: str,
) -> None:
    """Record a mapping; the enterprise's one of the same name ends.

    Raises
    ------
    Invalid
        When another enterprise has one of this name.
    """
    with conn.transaction():
        other = conn.execute(
            "SELECT FROM core.mapping "
            "WHERE name = %s AND ended_at IS NULL AND enterprise_id <> %s",
            (name, enterprise_id),
        ).fetchone()
        if other is not None:
            raise Invalid(
                f"another enterprise has a mapping {name!r}: name it otherwise"
            )
        conn.execute(
            "UPDATE core.mapping SET ended_at = now() "
            "WHERE name = %s AND ended_at IS NULL",
            (name,),
        )
        conn.execute(
            "INSERT INTO core.mapping (name, enterprise_id, topic, document, source) "
            "VALUES (%s, %s, %s, %s, %s)",
            (name, enterprise_id, topic, document, source),
        )


def end_mapping(conn: Connection, name: str) -> None:
    """End a mapping.

    Raises
    ------
    Unknown
        When there is none of this name.
    """
    row = conn.execute(
        "UPDATE core.mapping SET ended_at = now() "
        "WHERE name = %s AND ended_at IS NULL RETURNING mapping_id",
        (name,),
    ).fetchone()
    if row is None:
        raise Unknown(f"mapping {name!r}")


def mappings(conn: Connection) -> list[Mapping]:
    """List the mappings that apply, in the order recorded."""
    with conn.cursor(row_factory=class_row(Mapping)) as cur:
        return cur.execute(
            """
            SELECT m.mapping_id, m.name, p.code AS park, e.code AS enterprise, p.zone,
                   m.topic, m.document, m.source, m.recorded_at
            FROM core.mapping m
            JOIN core.enterprise e USING (enterprise_id)
            JOIN core.park p USING (park_id)
            WHERE m.ended_at IS NULL ORDER BY m.mapping_id
            """
        ).fetchall()


def learned(
    conn: Connection, enterprise_id: int, form: str, within_s: float | None = None
) -> dict[str, Any]:
    """Give what a format has learned of an enterprise's devices, ever or lately."""
    rows = conn.execute(
        """
        SELECT key, value FROM core.learned
        WHERE enterprise_id = %(enterprise)s AND format = %(form)s
          AND (%(within)s::float8 IS NULL
               OR recorded_at > now() - make_interval(secs => %(within)s))
        """,
        {"enterprise": enterprise_id, "form": form, "within": within_s},
    ).fetchall()
    return {str(key): value for key, value in rows}


def learn(
    conn: Connection, enterprise_id: int, form: str, news: dict[str, Any]
) -> None:
    """Remember what a format has learned; a later lesson replaces an earlier one."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO core.learned (enterprise_id, format, key, value)
            VALUES (%s, %s, %s, %s)
            ON CONFLICT (enterprise_id, format, key)
            DO UPDATE SET value = excluded.value, recorded_at = now()
            """,
            [
                (enterprise_id, form, key, json.dumps(value))
                for key, value in sorted(news.items())
            ],
        )


def count_unplaced(conn: Connection, messages: list[Unplaced]) -> Counted:
    """Count messages that nobody can place, with the latest of each pattern.

    The bytes of the first :data:`KEPT` of a pattern are to be kept; anybody may invent
    topics, so beyond :data:`PATTERNS` they are counted together.
    """
    before = {
        str(pattern): int(str(count))
        for pattern, count in conn.execute(
            "SELECT pattern, messages FROM core.unknown_topic"
        ).fetchall()
    }
    room = PATTERNS - len(before)
    latest: dict[str, Unplaced] = {}
    counts: dict[str, int] = {}
    kept: list[Unplaced] = []
    for each in messages:
        pattern = each.pattern
        if pattern not in before and pattern not in counts and len(counts) >= room:
            pattern = OTHERS
        count = counts[pattern] = counts.get(pattern, 0) + 1
        latest[pattern] = each
        if before.get(pattern, 0) + count <= KEPT:
            kept.append(each)
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO core.unknown_topic AS u
                (pattern, messages, topic, payload, reason)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (pattern) DO UPDATE SET
                messages = u.messages + excluded.messages, last_at = now(),
                topic = excluded.topic, payload = excluded.payload,
                reason = excluded.reason
            """,
            [
                (
                    pattern,
                    counts[pattern],
                    each.topic.replace("\0", "\\0"),
                    each.payload[:SAMPLE_BYTES],
                    each.reason,
                )
                for pattern, each in sorted(latest.items())
            ],
        )
    return Counted(kept, len(messages) - len(kept))


def unknown_topics(conn: Connection) -> list[UnknownTopic]:
    """List the topics that nobody can place, the most frequent first."""
    with conn.cursor(row_factory=class_row(UnknownTopic)) as cur:
        return cur.execute(
            "SELECT pattern, messages, first_at, last_at, topic, payload, reason "
            "FROM core.unknown_topic ORDER BY messages DESC, pattern LIMIT 1000"
        ).fetchall()


def unplaced_kept(conn: Connection, after: int, most: int) -> list[Kept]:
    """List the kept messages that nobody could place, from behind an id on."""
    with conn.cursor(row_factory=class_row(Kept)) as cur:
        return cur.execute(
            """
            SELECT q.quarantine_id, q.topic, q.payload,
                   (extract(epoch FROM b.received_at) * 1000000)::int8 AS arrived_us
            FROM core.quarantine q JOIN core.batch b USING (batch_id)
            WHERE q.pattern IS NOT NULL AND q.settled_at IS NULL
              AND q.quarantine_id > %s
            ORDER BY q.quarantine_id LIMIT %s
            """,
            (after, most),
        ).fetchall()


def settle(conn: Connection, quarantine_ids: list[int]) -> None:
    """Mark kept messages as read after all; topics without others are known now."""
    with conn.transaction():
        conn.execute(
            "UPDATE core.quarantine SET settled_at = now() "
            "WHERE quarantine_id = ANY(%s)",
            (quarantine_ids,),
        )
        conn.execute(
            "DELETE FROM core.unknown_topic u WHERE NOT EXISTS (SELECT FROM "
            "core.quarantine q WHERE q.pattern = u.pattern AND q.settled_at IS NULL)"
        )


def note_arrival_times(conn: Connection, channels: list[int]) -> None:
    """Note the channels whose readings have no time of their own."""
    conn.execute(
        "UPDATE core.channel SET timed_on_arrival_since = now() "
        "WHERE channel_id = ANY(%s) AND timed_on_arrival_since IS NULL",
        (channels,),
    )
