"""Derived series in and out: (key, start) → numbers, written only where they differ."""

from datetime import datetime
from typing import LiteralString, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from store.arrays import COPY_HEADER, COPY_TRAILER, EPOCH_US, TIME, VALUE, parse
from store.database import Connection
from store.readings import to_datetime

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


class Table(NamedTuple):
    """A table of shape (key, start) → float columns."""

    name: LiteralString
    key: LiteralString
    columns: tuple[LiteralString, ...]


_USAGE: tuple[LiteralString, ...] = (
    "amount",
    "measured_s",
    "estimated_s",
    "expected_s",
)
USAGE_15MIN = Table("usage_15min", "channel_id", _USAGE)
USAGE_DAY = Table("usage_day", "channel_id", _USAGE)
USAGE_MONTH = Table("usage_month", "channel_id", _USAGE)
DEMAND = Table("demand", "subject_id", ("fixed_kw", "measured", "coverage"))
SLIDING = Table("demand_sliding", "subject_id", ("kw", "after_s"))


class Series(NamedTuple):
    """Rows ordered by (key, start); `values` has shape (columns, n)."""

    key: Int64
    start_us: Int64
    values: Float64

    def take(self, which: NDArray[np.bool_] | Int64) -> "Series":
        """Give the chosen rows."""
        return Series(self.key[which], self.start_us[which], self.values[:, which])

    def ordered(self) -> "Series":
        """Give the rows by key and time."""
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
    query = sql.SQL(
        "COPY (SELECT {key}, array_agg(start), {columns} FROM core.{table} "
        "WHERE {key} = ANY({keys}::int[]) AND start >= {start}::timestamptz "
        "AND start < {stop}::timestamptz GROUP BY {key}) TO STDOUT (FORMAT BINARY)"
    ).format(
        columns=sql.SQL(", ").join(
            sql.SQL("array_agg({})").format(sql.Identifier(each))
            for each in table.columns
        ),
        table=sql.Identifier(table.name),
        key=sql.Identifier(table.key),
        keys=keys,
        start=start,
        stop=stop,
    )
    with conn.cursor() as cur, cur.copy(query) as copy:
        raw = b"".join(bytes(block) for block in copy)
    key, (start_us, *values) = parse(raw, (TIME, *(VALUE for _ in table.columns)))
    return Series(key, start_us, np.array(values)).ordered()


def extent(
    conn: Connection, table: Table, key: int
) -> tuple[datetime, datetime] | None:
    """Give the first start and the time just after the last one; None without rows."""
    query = sql.SQL(
        "SELECT min(start), max(start) + interval '1 microsecond' "
        "FROM core.{table} WHERE {key} = %s"
    ).format(table=sql.Identifier(table.name), key=sql.Identifier(table.key))
    row = conn.execute(query, (key,)).fetchone()
    if row is None or not isinstance(row[0], datetime):
        return None
    assert isinstance(row[1], datetime)
    return row[0], row[1]


def write(
    conn: Connection,
    table: Table,
    old: Series,
    new: Series,
) -> Series:
    """Turn the rows `old`, as read before, into `new`; touch only what differs.

    Returns
    -------
    Series
        The rows of `new` that are new or changed.
    """
    fresh, gone = difference(old, new)
    changed = new.take(fresh)
    if gone.size:
        with conn.cursor() as cur:
            cur.execute(
                "CREATE TEMP TABLE IF NOT EXISTS gone (key integer, at timestamptz) "
                "ON COMMIT DROP"
            )
            cur.execute("TRUNCATE gone")
            _copy_in(
                cur_table=Table("gone", "key", ()),
                conn=conn,
                rows=old.take(gone),
                schema=None,
            )
            low, high = int(old.start_us[gone].min()), int(old.start_us[gone].max())
            cur.execute(
                sql.SQL(
                    "DELETE FROM core.{table} t USING gone WHERE t.{key} = gone.key "
                    "AND t.start = gone.at AND t.start BETWEEN {low} AND {high}"
                ).format(
                    table=sql.Identifier(table.name),
                    key=sql.Identifier(table.key),
                    low=to_datetime(low),
                    high=to_datetime(high),
                )
            )
    if changed.key.size:
        _copy_in(cur_table=table, conn=conn, rows=changed, schema="core")
    return changed


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


def _copy_in(
    *, cur_table: Table, conn: Connection, rows: Series, schema: str | None
) -> None:
    out = np.empty(rows.key.size, _row(cur_table))
    out["fields"] = 2 + len(cur_table.columns)
    out["key_len"], out["key"] = 4, rows.key
    out["start_len"], out["start"] = 8, rows.start_us - EPOCH_US
    for i, name in enumerate(cur_table.columns):
        out[name + "_len"], out[name] = 8, rows.values[i]
    target = (
        sql.Identifier(schema, cur_table.name)
        if schema
        else sql.Identifier(cur_table.name)
    )
    columns = _columns(cur_table) if schema else sql.SQL("key, at")
    with (
        conn.cursor() as cur,
        cur.copy(
            sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(target, columns)
        ) as copy,
    ):
        copy.write(COPY_HEADER)
        copy.write(out.tobytes())
        copy.write(COPY_TRAILER)
