"""What goes in is counted exactly, and nothing that is stored is ever changed."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import batches, readings, registry
from store.batches import Quarantined, write_batch
from store.database import Connection, connect
from store.readings import NO_UNTIL, Rows, read_spans, to_datetime, to_us
from store.records import Counts

pytestmark = pytest.mark.db

START = 1_700_000_000_000_000
STEP = 900_000_000


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as conn:
        yield conn


def channel(conn: Connection, meter: str = "M1", kind: str = "register") -> int:
    park = registry.add_park(conn, "p", zone="Asia/Shanghai")
    enterprise = registry.add_enterprise(conn, park, "e")
    meter_id = registry.add_meter(conn, park, enterprise, meter)
    return registry.add_channel(conn, meter_id, "energy_import", kind)


def rows(
    channel_id: int, readings: list[tuple[int, float]], until: int = NO_UNTIL
) -> Rows:
    n = len(readings)
    return Rows(
        np.full(n, channel_id, np.int64),
        np.array([START + i * STEP for i, _ in readings], np.int64),
        np.array([value for _, value in readings], np.float64),
        np.full(n, until, np.int64),
    )


def write(
    conn: Connection, batch: Rows, quarantined: list[Quarantined] | None = None
) -> Counts:
    ids = set(batch.channel.tolist())
    with conn.transaction():
        return write_batch(
            conn,
            batch,
            quarantined or [],
            parks=dict.fromkeys(ids, 1),
            totals=ids,
            source="test",
            parser="test/1",
            messages=1,
        )


def stored(conn: Connection) -> dict[tuple[int, int], float]:
    found = conn.execute(
        "SELECT channel_id, (extract(epoch FROM at) * 1000000)::int8, value FROM reading"
    ).fetchall()
    return {(int(str(c)), int(str(at))): float(str(v)) for c, at, v in found}


def test_new_duplicate_and_conflict(conn: Connection) -> None:
    c = channel(conn)
    assert write(conn, rows(c, [(0, 1.0), (1, 2.0)])) == Counts(inserted=2)
    again = write(conn, rows(c, [(1, 2.0), (1, 9.0), (2, 3.0), (2, 3.0), (2, 4.0)]))
    assert again == Counts(inserted=1, duplicate=2, conflict=2)
    assert list(stored(conn).values()) == [1.0, 2.0, 3.0]
    refused = conn.execute("SELECT stored, refused FROM conflict ORDER BY 2").fetchall()
    assert refused == [(3.0, 4.0), (2.0, 9.0)]


def test_two_values_of_one_key_in_the_first_batch(conn: Connection) -> None:
    c = channel(conn)
    counts = write(conn, rows(c, [(0, 5.0), (0, 6.0), (0, 5.0)]))
    assert counts == Counts(inserted=1, duplicate=1, conflict=1)
    assert list(stored(conn).values()) == [5.0]


def test_the_end_of_an_interval_is_part_of_what_must_agree(conn: Connection) -> None:
    c = channel(conn, kind="delta")
    one = rows(c, [(0, 5.0)], START + STEP)
    other = rows(c, [(0, 5.0)], START + 2 * STEP)
    assert write(conn, one).inserted == 1
    assert write(conn, one).duplicate == 1
    assert write(conn, other).conflict == 1


def test_quarantine_keeps_the_bytes_and_counts(conn: Connection) -> None:
    bad = Quarantined("a/b", b"\x00\xff", "not JSON", 3)
    counts = write(conn, rows(channel(conn), [(0, 1.0)]), [bad])
    assert counts == Counts(inserted=1, quarantined=3)
    assert conn.execute("SELECT topic, payload, reason FROM quarantine").fetchall() == [
        ("a/b", b"\x00\xff", "not JSON")
    ]
    batch = conn.execute("SELECT received, inserted, quarantined FROM batch").fetchall()
    assert batch == [(4, 1, 3)]


def test_nothing_is_left_of_a_batch_that_fails(conn: Connection) -> None:
    c = channel(conn)
    with pytest.raises(Exception, match="reading"):
        write(conn, rows(c, [(0, 1.0), (1, 1e16)]))
    assert stored(conn) == {}
    assert conn.execute("SELECT count(*) FROM batch").fetchone() == (0,)


def test_marks_cover_what_went_in_and_only_that(conn: Connection) -> None:
    c = channel(conn)
    write(conn, rows(c, [(0, 1.0), (1, 2.0), (4000, 3.0)]))
    marks = conn.execute("SELECT start, stop FROM dirty ORDER BY start").fetchall()
    assert len(marks) == 2  # the days between are not marked
    assert marks[0][0] == to_datetime(START)
    write(conn, rows(c, [(0, 1.0)]))
    assert conn.execute("SELECT count(*) FROM dirty").fetchone() == (2,)


def test_what_is_there_is_looked_up_where_it_is_near(conn: Connection) -> None:
    """Days apart are two looks; a history far denser than the rows is left alone."""
    c = channel(conn)
    write(conn, rows(c, [(i, 1.0) for i in range(0, 3000)]))
    near = readings.rows_there(conn, rows(c, [(1, 1.0), (2, 2.0), (500, 1.0)]))
    assert near is not None
    assert near.at_us.tolist() == [START + i * STEP for i in (1, 2, 500)]
    begin = START + 250 * STEP
    conn.execute(
        "INSERT INTO reading (channel_id, at, value, batch_id) "
        "SELECT %s, generate_series(%s::timestamptz, %s, '0.5 seconds'), 1, 1 "
        "ON CONFLICT DO NOTHING",
        (c, to_datetime(begin), to_datetime(begin + 800_000_000)),
    )
    at = np.array([begin, begin + 800_000_000])
    few = Rows(np.full(2, c), at, np.array([1.0, 2.0]), np.full(2, NO_UNTIL))
    assert readings.rows_there(conn, few) is None
    assert write(conn, few) == Counts(duplicate=1, conflict=1)


def test_spans_come_with_their_context(conn: Connection) -> None:
    c, other = channel(conn), channel(conn, "M2")
    write(conn, rows(c, [(i, float(i)) for i in range(20)]))
    write(conn, rows(other, [(i, 0.5) for i in range(20)]))
    low, high = to_datetime(START + 5 * STEP), to_datetime(START + 8 * STEP)
    found = read_spans(conn, [(c, low, high)], context=2)
    assert found.value.tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert set(found.channel.tolist()) == {c}


def _too_many(conn: Connection, rows: Rows) -> None:
    return None


def _out_of_date(conn: Connection, rows: Rows) -> Rows:
    """What another writer has stored a moment later is not in it."""
    return rows.take(np.empty(0, np.int64))


@pytest.mark.parametrize("look", [readings.rows_there, _too_many, _out_of_date])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from([1.0, 2.0])), max_size=30),
    st.lists(st.integers(1, 29), max_size=4),
)
def test_accounts_balance_and_the_first_value_stays(
    conn: Connection,
    look: Callable[[Connection, Rows], Rows | None],
    sent: list[tuple[int, float]],
    cuts: list[int],
) -> None:
    """Any batches: received = inserted + duplicate + conflict, the first value stays."""
    conn.execute("TRUNCATE reading, conflict, batch, dirty")
    c = channel(conn)
    edges = [0, *sorted(cuts), len(sent)]
    totals = Counts()
    for low, high in pairwise(edges):
        part = sent[low:high]
        with patch.object(batches, "rows_there", look):
            counts = write(conn, rows(c, part))
        assert counts.received == len(part)
        totals += counts
    first: dict[int, float] = {}
    clashes = 0
    for i, value in sent:
        clashes += first.setdefault(i, value) != value
    assert stored(conn) == {(c, START + i * STEP): v for i, v in first.items()}
    assert totals.inserted == len(first)
    assert totals.conflict == clashes
    assert conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE stored = refused) FROM conflict"
    ).fetchone() == (clashes, 0)
    for at, kept in conn.execute("SELECT at, stored FROM conflict"):
        assert isinstance(at, datetime)
        assert first[(to_us(at) - START) // STEP] == kept
