"""Derived series in and out: (key, start) → numbers, written only where they differ."""

from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from store.arrays import (
    COPY_HEADER,
    COPY_TRAILER,
    EPOCH_US,
    KEY,
    TIME,
    VALUE,
    parse,
)
from store.database import Connection
from store.readings import to_datetime

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


_GONE_AT_ONCE = 20_000  # rows whose keys one statement names
_COPIED_AT_ONCE = 8_192  # rows that are laid out together: as many as the cache holds


class Table(NamedTuple):
    """A table of shape (key, start) → float columns, a row each `step` at most."""

    name: LiteralString
    key: LiteralString
    columns: tuple[LiteralString, ...]
    step: timedelta


_USAGE: tuple[LiteralString, ...] = (
    "amount",
    "measured_s",
    "estimated_s",
    "expected_s",
)
_QUARTER, _DAY = timedelta(minutes=15), timedelta(days=1)
USAGE_15MIN = Table("usage_15min", "channel_id", _USAGE, _QUARTER)
USAGE_DAY = Table("usage_day", "channel_id", _USAGE, _DAY)
USAGE_MONTH = Table("usage_month", "channel_id", _USAGE, 28 * _DAY)
DEMAND = Table("demand", "subject_id", ("fixed_kw", "measured", "coverage"), _QUARTER)
SLIDING = Table("demand_sliding", "subject_id", ("kw", "after_s"), _QUARTER)


class Series(NamedTuple):
    """Rows ordered by (key, start); `values` has shape (columns, n)."""

    key: Int64
    start_us: Int64
    values: Float64

    @classmethod
    def empty(cls, columns: int) -> "Series":
        """Give no rows."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((columns, 0)))

    def take(self, which: NDArray[np.bool_] | Int64) -> "Series":
        """Give the chosen rows; they share memory where all are."""
        if which.dtype == np.bool_ and which.all():
            return self
        return Series(self.key[which], self.start_us[which], self.values[:, which])

    def ordered(self) -> "Series":
        """Give the rows by key and time; they share memory where they are so already."""
        key, start = self.key, self.start_us
        later = key[1:] > key[:-1]
        later |= (key[1:] == key[:-1]) & (start[1:] >= start[:-1])
        if later.all():
            return self
        return self.take(np.lexsort((self.start_us, self.key)))


def _row(table: Table) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [
        ("fields", ">i2"),
        ("key_len", ">i4"),
        ("key", ">i4"),
        ("start_len", ">i4"),
        ("start", ">i8"),
    ]
    for name in table.columns:
        fields += [(name + "_len", ">i4"), (name, ">f8")]
    return np.dtype(fields)


def _columns(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.Identifier(each) for each in (table.key, "start", *table.columns)
    )


def read(
    conn: Connection,
    table: Table,
    keys: list[int],
    start: datetime,
    stop: datetime,
) -> Series:
    """Read the rows of some keys with `start` in [start, stop)."""
    if not keys:
        return Series.empty(len(table.columns))
    # one row a key or one a time, whichever are fewer
    by_time = len(keys) * table.step > stop - start
    group, other = ("start", table.key) if by_time else (table.key, "start")
    query = sql.SQL(
        "COPY (SELECT {group}, {columns} FROM core.{table} "
        "WHERE {key} = ANY({keys}::int[]) AND start >= {start}::timestamptz "
        "AND start < {stop}::timestamptz GROUP BY {group}) TO STDOUT (FORMAT BINARY)"
    ).format(
        group=sql.Identifier(group),
        columns=sql.SQL(", ").join(
            sql.SQL("array_agg({})").format(sql.Identifier(each))
            for each in (other, *table.columns)
        ),
        table=sql.Identifier(table.name),
        key=sql.Identifier(table.key),
        keys="{" + ",".join(map(str, keys)) + "}",
        start=start,
        stop=stop,
    )
    with conn.cursor() as cur, cur.copy(query) as copy:
        raw = b"".join(bytes(block) for block in copy)
    kinds = (KEY if by_time else TIME, *(VALUE for _ in table.columns))
    grouped, (others, *values) = parse(raw, kinds)
    if by_time:
        grouped, others = others, grouped + EPOCH_US
    return Series(grouped, others, np.array(values)).ordered()


def estimated(
    conn: Connection, keys: list[int], start: datetime, stop: datetime
) -> Series:
    """Read the estimated quarter hours of some channels around [start, stop).

    Of each channel those after its last measured one before `start` and before its first
    one from `stop` on: no stretch of them that reaches into the period is cut.
    """
    query = (
        "SELECT u.channel_id, extract(epoch FROM u.start)::bigint * 1000000, u.amount, "
        "u.measured_s, u.estimated_s, u.expected_s "
        "FROM unnest(%(keys)s::int[]) AS w (key) CROSS JOIN LATERAL (SELECT "
        "coalesce((SELECT max(b.start) FROM core.usage_15min b WHERE b.channel_id = w.key "
        "AND b.start < %(start)s AND b.estimated_s = 0), '-infinity') AS low, "
        "coalesce((SELECT min(a.start) FROM core.usage_15min a WHERE a.channel_id = w.key "
        "AND a.start >= %(stop)s AND a.estimated_s = 0), 'infinity') AS high) AS edge "
        "JOIN core.usage_15min u ON u.channel_id = w.key AND u.start > edge.low "
        "AND u.start < edge.high AND u.estimated_s > 0 ORDER BY 1, 2"
    )
    rows = conn.execute(query, {"keys": keys, "start": start, "stop": stop}).fetchall()
    if not rows:
        return Series.empty(len(_USAGE))
    key, at, *values = zip(*rows, strict=True)
    return Series(
        np.array(key, np.int64), np.array(at, np.int64), np.array(values, np.float64)
    )


def extent(
    conn: Connection, table: Table, *keys: int
) -> tuple[datetime, datetime] | None:
    """Give the first start of some keys and the time just after the last one.

    None without rows.
    """
    query = sql.SQL(
        "SELECT min(low), max(high) + interval '1 microsecond' "
        "FROM unnest(%s::int[]) AS w (key) CROSS JOIN LATERAL ("
        "SELECT min(start) AS low, max(start) AS high "
        "FROM core.{table} WHERE {key} = w.key) AS x"
    ).format(table=sql.Identifier(table.name), key=sql.Identifier(table.key))
    row = conn.execute(query, (list(keys),)).fetchone()
    if row is None or not isinstance(row[0], datetime):
        return None
    assert isinstance(row[1], datetime)
    return row[0], row[1]


def write(
    conn: Connection,
    table: Table,
    old: Series,
    new: Series,
) -> tuple[Series, Series]:
    """Turn the rows `old`, as read before, into `new`; touch only what differs.

    Returns
    -------
    gone, fresh
        The rows of `old` that are not there any more, and those of `new` that were not.
    """
    which_fresh, which_gone = difference(old, new)
    gone, fresh = old.take(which_gone), new.take(which_fresh)
    for first in range(0, gone.key.size, _GONE_AT_ONCE):
        some = np.arange(first, min(first + _GONE_AT_ONCE, gone.key.size))
        _delete(conn, table, gone.take(some))
    if fresh.key.size:
        _copy_in(conn, table, fresh)
    return gone, fresh


def _delete(conn: Connection, table: Table, rows: Series) -> None:
    conn.execute(
        sql.SQL(
            "DELETE FROM core.{table} t "
            "USING unnest(%s::int[], %s::timestamptz[]) AS gone (key, at) "
            "WHERE t.{key} = gone.key AND t.start = gone.at "
            "AND t.start BETWEEN %s AND %s"
        ).format(table=sql.Identifier(table.name), key=sql.Identifier(table.key)),
        (
            rows.key.tolist(),
            [to_datetime(each) for each in rows.start_us.tolist()],
            to_datetime(int(rows.start_us.min())),
            to_datetime(int(rows.start_us.max())),
        ),
    )


def difference(old: Series, new: Series) -> tuple[NDArray[np.bool_], Int64]:
    """Find the rows of `new` to write and the indices of `old` to delete."""
    if not old.key.size:
        return np.ones(new.key.size, np.bool_), np.empty(0, np.int64)
    both_key = np.concatenate([old.key, new.key])
    both_start = np.concatenate([old.start_us, new.start_us])
    order = np.lexsort((both_start, both_key))  # stable: old before new
    twin = np.zeros(order.size, np.bool_)
    twin[:-1] = (np.diff(both_key[order]) == 0) & (np.diff(both_start[order]) == 0)
    first = np.flatnonzero(twin)
    i_old, i_new = order[first], order[first + 1] - old.key.size
    equal = (old.values[:, i_old] == new.values[:, i_new]).all(axis=0)
    fresh = np.ones(new.key.size, np.bool_)
    fresh[i_new[equal]] = False
    gone = np.ones(old.key.size, np.bool_)
    gone[i_old[equal]] = False
    return fresh, np.flatnonzero(gone)


def _copy_in(conn: Connection, table: Table, rows: Series) -> None:
    query = sql.SQL("COPY core.{} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table.name), _columns(table)
    )
    out = np.empty(min(rows.key.size, _COPIED_AT_ONCE), _row(table))
    out["fields"] = 2 + len(table.columns)
    out["key_len"], out["start_len"] = 4, 8
    for name in table.columns:
        out[name + "_len"] = 8
    with conn.cursor() as cur, cur.copy(query) as copy:
        copy.write(COPY_HEADER)
        for first in range(0, rows.key.size, _COPIED_AT_ONCE):
            some = slice(first, first + _COPIED_AT_ONCE)
            part = out[: rows.key[some].size]
            part["key"] = rows.key[some]
            part["start"] = rows.start_us[some] - EPOCH_US
            for i, name in enumerate(table.columns):
                part[name] = rows.values[i, some]
            copy.write(part.tobytes())
        copy.write(COPY_TRAILER)
