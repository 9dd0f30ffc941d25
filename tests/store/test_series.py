"""Derived series: what is written is read, however it is asked for."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from store.database import connect
from store.readings import to_us
from store.series import USAGE_15MIN, USAGE_DAY, Series, read, write

pytestmark = pytest.mark.db

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def some(keys: int, quarters: int) -> Series:
    rng = np.random.default_rng(5)
    at = to_us(START) + np.arange(quarters) * 900_000_000
    every = Series(
        np.repeat(np.arange(1, keys + 1), quarters),
        np.tile(at, keys),
        rng.random((4, keys * quarters)),
    )
    return every.take(rng.random(keys * quarters) < 0.7)


def same(one: Series, other: Series) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_few_quarters_of_many_keys_and_many_of_few(database: str) -> None:
    rows = some(40, 96)
    with connect(database) as conn:
        gone, fresh = write(conn, USAGE_15MIN, Series.empty(4), rows)
        assert gone.key.size == 0
        assert same(fresh, rows)
        keys = list(range(1, 41))
        hour = START + timedelta(hours=1)
        assert same(read(conn, USAGE_15MIN, keys, START, START + DAY), rows)
        first = rows.take(rows.start_us < to_us(hour))
        assert same(read(conn, USAGE_15MIN, keys, START, hour), first)
        one = rows.take(rows.key == 7)
        assert same(read(conn, USAGE_15MIN, [7], START, START + DAY), one)
        assert read(conn, USAGE_15MIN, [], START, START + DAY).key.size == 0
        assert read(conn, USAGE_15MIN, keys, START - DAY, START).values.shape == (4, 0)


def test_only_what_differs_is_touched(database: str) -> None:
    rows = some(5, 1)
    later = rows._replace(values=rows.values.copy())
    later.values[0, 0] += 1
    with connect(database) as conn:
        write(conn, USAGE_DAY, Series.empty(4), rows)
        gone, fresh = write(conn, USAGE_DAY, rows, later.take(later.key != 5))
        wanted = [int(rows.key[0]), *([5] if 5 in rows.key else [])]
        assert gone.key.tolist() == wanted
        assert fresh.key.tolist() == wanted[:1]
        found = read(conn, USAGE_DAY, list(range(1, 6)), START, START + DAY)
        assert same(found, later.take(later.key != 5))
