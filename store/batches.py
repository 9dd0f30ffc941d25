"""Batches into the table: the optimistic COPY with its exact fallbacks."""

from datetime import datetime
from typing import LiteralString, NamedTuple

import numpy as np
import psycopg

from store.arrays import COPY_HEADER, COPY_TRAILER, EPOCH_US
from store.database import Connection
from store.readings import (
    NO_UNTIL,
    Bool,
    Float64,
    Int64,
    Rows,
    rows_there,
    to_datetime,
)
from store.records import Counts


class Quarantined(NamedTuple):
    """A message, or a part of one, that could not be read."""

    topic: str
    payload: bytes
    reason: str
    readings: int
    pattern: str | None = None  # of the topic, where nobody could place it


def write_batch(
    conn: Connection,
    rows: Rows,
    quarantined: list[Quarantined],
    *,
    parks: dict[int, int],
    totals: frozenset[int] | set[int],
    source: str,
    parser: str,
    messages: int,
    unkept: int = 0,
) -> Counts:
    """Store one batch in the caller's transaction and count what became of it.

    Parameters
    ----------
    rows
        In the order of arrival: of two readings of one key the first is stored.
    parks
        The park of each channel.
    totals
        Channels whose readings make usage (registers and deltas); their ranges are
        marked for the job.
    unkept
        Refused readings whose bytes are not kept: they are only counted.
    """
    batch_id = _next_batch(conn)
    stored = _store(conn, rows, batch_id) if rows.channel.size else _Stored(0, 0, rows)
    counts = Counts(
        inserted=stored.inserted,
        duplicate=rows.channel.size - stored.inserted - stored.conflict,
        conflict=stored.conflict,
        quarantined=sum(each.readings for each in quarantined) + unkept,
    )
    _quarantine(conn, quarantined, batch_id)
    _account(conn, batch_id, source, parser, messages, counts)
    if stored.inserted:
        _announce(conn, stored.spans, parks, totals)
    if stored.conflict:  # whose are not looked up: all of the batch are told
        _tell(conn, rows.channel, parks)
    elif stored.inserted:
        _tell(conn, stored.spans.channel, parks)
    return counts


def _account(
    conn: Connection,
    batch_id: int,
    source: str,
    parser: str,
    messages: int,
    counts: Counts,
) -> None:
    """Record what became of the batch, and add it to its source's total."""
    values = {
        "batch_id": batch_id,
        "source": source,
        "parser": parser,
        "messages": messages,
        "received": counts.received,
        "inserted": counts.inserted,
        "duplicate": counts.duplicate,
        "conflict": counts.conflict,
        "quarantined": counts.quarantined,
    }
    conn.execute(
        """
        INSERT INTO core.batch (batch_id, source, parser, messages, received, inserted,
                                duplicate, conflict, quarantined)
        OVERRIDING SYSTEM VALUE
        VALUES (%(batch_id)s, %(source)s, %(parser)s, %(messages)s, %(received)s,
                %(inserted)s, %(duplicate)s, %(conflict)s, %(quarantined)s)
        """,
        values,
    )
    conn.execute(
        """
        INSERT INTO core.source_total AS t
            (source, messages, received, inserted, duplicate, conflict, quarantined)
        VALUES (%(source)s, %(messages)s, %(received)s, %(inserted)s, %(duplicate)s,
                %(conflict)s, %(quarantined)s)
        ON CONFLICT (source) DO UPDATE SET
            messages = t.messages + excluded.messages,
            received = t.received + excluded.received,
            inserted = t.inserted + excluded.inserted,
            duplicate = t.duplicate + excluded.duplicate,
            conflict = t.conflict + excluded.conflict,
            quarantined = t.quarantined + excluded.quarantined
        """,
        values,
    )


def note_in_flight(conn: Connection, source: str, messages: int) -> None:
    """Record how many messages a source has taken from its broker and not stored."""
    conn.execute(
        """
        INSERT INTO core.source_total AS t
            (source, messages, received, inserted, duplicate, conflict, quarantined,
             in_flight, in_flight_at)
        VALUES (%s, 0, 0, 0, 0, 0, 0, %s, now())
        ON CONFLICT (source) DO UPDATE SET
            in_flight = excluded.in_flight, in_flight_at = excluded.in_flight_at
        """,
        (source, messages),
    )


class _Stored(NamedTuple):
    inserted: int
    conflict: int
    spans: Rows  # [at, until) of what went in, by channel; value is not used


def _next_batch(conn: Connection) -> int:
    row = conn.execute(
        "SELECT nextval(pg_get_serial_sequence('core.batch', 'batch_id'))"
    ).fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def _store(conn: Connection, rows: Rows, batch_id: int) -> _Stored:
    """COPY what is new; most often that is all, so what is there is looked at later."""
    ordered = rows.take(
        np.lexsort((rows.at_us, rows.channel))
    )  # first come stays first
    again = np.zeros(rows.channel.size, np.bool_)
    again[1:] = (np.diff(ordered.channel) == 0) & (np.diff(ordered.at_us) == 0)
    of = np.cumsum(~again) - 1  # the key of each row
    first = ordered.take(~again)
    there, kept = np.zeros(first.channel.size, np.bool_), first
    try:
        with conn.transaction():
            copy_rows(conn, first, batch_id)
    except psycopg.errors.UniqueViolation:
        known = rows_there(conn, first)
        if known is None:
            return _store_exactly(conn, rows, batch_id)
        there, kept = _laid_over(first, known)
        try:
            with conn.transaction():
                copy_rows(conn, first.take(~there), batch_id)
        except psycopg.errors.UniqueViolation:  # another writer was there meanwhile
            return _store_exactly(conn, rows, batch_id)
    refused = (ordered.value != kept.value[of]) | (
        ordered.until_us != kept.until_us[of]
    )
    refused &= again | there[of]
    _note_conflicts(conn, ordered.take(refused), kept.value[of][refused], batch_id)
    return _Stored(
        int(np.count_nonzero(~there)),
        int(np.count_nonzero(refused)),
        _spans(first.take(~there)),
    )


def _laid_over(first: Rows, known: Rows) -> tuple[Bool, Rows]:
    """Tell which keys are there already, and give what is stored for each then."""
    both = np.concatenate([known.channel, first.channel])
    at = np.concatenate([known.at_us, first.at_us])
    order = np.lexsort((at, both))  # stable: what is known comes before its equal
    same = (np.diff(both[order]) == 0) & (np.diff(at[order]) == 0)
    mine = order[1:][same] - known.channel.size
    theirs = order[:-1][same]
    there = np.zeros(first.channel.size, np.bool_)
    there[mine] = True
    value, until = first.value.copy(), first.until_us.copy()
    value[mine], until[mine] = known.value[theirs], known.until_us[theirs]
    return there, first._replace(value=value, until_us=until)


def _note_conflicts(
    conn: Connection, refused: Rows, stored: Float64, batch_id: int
) -> None:
    if not stored.size:
        return
    columns = zip(*(each.tolist() for each in (*refused, stored)), strict=True)
    with conn.cursor() as cur:
        cur.executemany(
            "INSERT INTO core.conflict "
            "(channel_id, at, stored, refused, refused_until, batch_id) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (channel, to_datetime(at), kept, value, _until(until), batch_id)
                for channel, at, value, until, kept in columns
            ],
        )


def copy_rows(conn: Connection, rows: Rows, batch_id: int) -> None:
    """COPY rows into the table of readings; a key that is there already is an error."""
    with conn.cursor() as cur:
        _copy_in(
            cur,
            "COPY core.reading (channel_id, at, value, batch_id, until) "
            "FROM STDIN (FORMAT BINARY)",
            rows,
            np.full(rows.channel.size, batch_id, np.int64),
        )


def _store_exactly(conn: Connection, rows: Rows, batch_id: int) -> _Stored:
    """Store what is new beside what is there, row by row, whoever else writes.

    The staging table keeps the order of arrival, so that the first of a key stays.
    """
    with conn.cursor() as cur:
        cur.execute(
            "CREATE TEMP TABLE IF NOT EXISTS staging (channel_id integer, "
            "at timestamptz, value float8, ord bigint, until timestamptz) "
            "ON COMMIT DELETE ROWS"
        )
        _copy_in(
            cur,
            "COPY staging (channel_id, at, value, ord, until) "
            "FROM STDIN (FORMAT BINARY)",
            rows,
            np.arange(rows.channel.size, dtype=np.int64),
        )
        found = cur.execute(
            """
            WITH stored AS (
                INSERT INTO core.reading (channel_id, at, value, until, batch_id)
                SELECT DISTINCT ON (channel_id, at)
                       channel_id, at, value, until, %s
                FROM staging ORDER BY channel_id, at, ord
                ON CONFLICT DO NOTHING
                RETURNING channel_id, at, until)
            SELECT channel_id::int8,
                   (extract(epoch FROM min(at)) * 1000000)::int8,
                   (extract(epoch FROM max(coalesce(until, at))) * 1000000)::int8,
                   count(*)
            FROM stored
            GROUP BY channel_id, date_bin('1 day', at, 'epoch') ORDER BY 1, 2
            """,
            (batch_id,),
        ).fetchall()
        conflict = cur.execute(
            """
            INSERT INTO core.conflict
                (channel_id, at, stored, refused, refused_until, batch_id)
            SELECT s.channel_id, s.at, r.value, s.value, s.until, %s
            FROM staging s JOIN core.reading r USING (channel_id, at)
            WHERE r.value <> s.value OR r.until IS DISTINCT FROM s.until
            ORDER BY s.ord
            """,
            (batch_id,),
        ).rowcount
        cur.execute("DELETE FROM staging")
    table = np.array(found, np.int64).reshape(-1, 4)
    spans = Rows(table[:, 0], table[:, 1], np.zeros(len(table)), table[:, 2] + 1)
    return _Stored(int(table[:, 3].sum()), conflict, spans)


def _spans(ordered: Rows) -> Rows:
    """Coalesce rows ordered by channel and time into spans of neighbouring days."""
    day = ordered.at_us // 86_400_000_000
    fresh = np.ones(day.size, np.bool_)
    fresh[1:] = (np.diff(ordered.channel) != 0) | (np.diff(day) > 1)
    begin = np.flatnonzero(fresh)
    end = np.maximum(ordered.at_us, ordered.until_us)
    return Rows(
        ordered.channel[begin],
        ordered.at_us[begin],
        np.zeros(begin.size),
        np.maximum.reduceat(end, begin) + 1,
    )


def _announce(
    conn: Connection,
    spans: Rows,
    parks: dict[int, int],
    totals: frozenset[int] | set[int],
) -> None:
    """Mark what the job must recompute and wake whoever listens."""
    count = [i for i, channel in enumerate(spans.channel.tolist()) if channel in totals]
    if count:
        conn.execute(
            "INSERT INTO core.dirty (park_id, channel_id, start, stop) "
            "SELECT * FROM unnest(%s::int[], %s::int[], %s::timestamptz[], "
            "%s::timestamptz[])",
            (
                [parks[int(spans.channel[i])] for i in count],
                [int(spans.channel[i]) for i in count],
                [to_datetime(int(spans.at_us[i])) for i in count],
                [to_datetime(int(spans.until_us[i])) for i in count],
            ),
        )
        conn.execute("SELECT pg_notify('parkwatt_dirty', '')")


def _tell(conn: Connection, channels: Int64, parks: dict[int, int]) -> None:
    """Wake whoever watches the parks of some channels."""
    touched = sorted({parks[channel] for channel in np.unique(channels).tolist()})
    conn.execute(
        "SELECT pg_notify('parkwatt_readings', %s)",
        (",".join(str(each) for each in touched),),
    )


def _quarantine(
    conn: Connection, quarantined: list[Quarantined], batch_id: int
) -> None:
    if not quarantined:
        return
    with conn.cursor() as cur:
        cur.executemany(
            "INSERT INTO core.quarantine "
            "(batch_id, topic, payload, reason, readings, pattern) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [(batch_id, *each) for each in quarantined],
        )


def _copy_in(
    cur: psycopg.Cursor[tuple[object, ...]],
    statement: LiteralString,
    rows: Rows,
    last: Int64,
) -> None:
    """COPY rows with a fourth bigint column; `until` comes fifth and may be null."""
    open_ended = rows.until_us == NO_UNTIL
    with cur.copy(statement) as copy:
        copy.write(COPY_HEADER)
        for which, has_until in ((open_ended, False), (~open_ended, True)):
            if which.all():
                copy.write(_encode(rows, last, has_until))
            elif which.any():
                copy.write(_encode(rows.take(which), last[which], has_until))
        copy.write(COPY_TRAILER)


_FIELDS: list[tuple[str, str]] = [
    ("fields", ">i2"),
    ("channel_len", ">i4"),
    ("channel", ">i4"),
    ("at_len", ">i4"),
    ("at", ">i8"),
    ("value_len", ">i4"),
    ("value", ">f8"),
    ("last_len", ">i4"),
    ("last", ">i8"),
    ("until_len", ">i4"),
]
_OPEN = np.dtype(_FIELDS)
_CLOSED = np.dtype([*_FIELDS, ("until", ">i8")])


def _encode(rows: Rows, last: Int64, has_until: bool) -> bytes:
    out = np.empty(rows.channel.size, _CLOSED if has_until else _OPEN)
    out["fields"] = 5
    out["channel_len"] = 4
    out["channel"] = rows.channel
    out["at_len"] = out["value_len"] = out["last_len"] = 8
    out["at"] = rows.at_us - EPOCH_US
    out["value"] = rows.value
    out["last"] = last
    out["until_len"] = -1
    if has_until:
        out["until_len"] = 8
        out["until"] = rows.until_us - EPOCH_US
    return out.tobytes()


def _until(us: int) -> datetime | None:
    return None if us == NO_UNTIL else to_datetime(us)
