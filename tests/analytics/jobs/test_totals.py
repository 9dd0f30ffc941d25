"""Totals: added up in the order of codes, bit for bit, and only where something changed."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.jobs import compute
from analytics.jobs.recompute import run_once
from analytics.registers import QUARTER_US
from store import registry, relations
from store.batches import write_batch
from store.database import Connection, connect
from store.readings import NO_UNTIL, Rows, to_datetime, to_us
from store.series import Series

START = datetime(2026, 3, 2, tzinfo=UTC)
QUARTERS = 8


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[tuple[int, int, int]], Series]:
    """Meters in any order of codes, each counting for some quarters, some of them known."""
    parts, rows = [], []
    for meter in draw(st.permutations(range(1, draw(st.integers(1, 300)) + 1))):
        edges = sorted(draw(st.sets(st.integers(-2, QUARTERS + 2), min_size=2)))
        for low, high in list(pairwise(edges))[::2]:
            parts.append((meter, low * QUARTER_US, high * QUARTER_US))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for meter in sorted({each[0] for each in parts}):
        for quarter in np.flatnonzero(rng.random(QUARTERS) < 0.8).tolist():
            rows.append((meter, quarter * QUARTER_US, *rng.random(4) * 1e3))
    columns = np.array(rows, np.float64).reshape(-1, 6).T
    return parts, Series(
        columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2:]
    )


@given(plans())
def test_a_total_is_added_up_meter_after_meter(
    drawn: tuple[list[tuple[int, int, int]], Series],
) -> None:
    parts, usage = drawn
    total = compute.Total(subject_id=1, quantity="energy_import", parts=tuple(parts))
    stop = to_datetime(QUARTERS * QUARTER_US)
    found = compute.add_up(total, usage, to_datetime(0), stop)
    known = {
        (int(key), int(at)): values
        for key, at, values in zip(
            usage.key, usage.start_us, usage.values.T, strict=True
        )
    }
    expected = {}
    for at in range(0, QUARTERS * QUARTER_US, QUARTER_US):
        there = [meter for meter, low, high in parts if low <= at < high]
        sums = [0.0, 0.0, 0.0]
        for meter in there:
            for i, value in enumerate(known.get((meter, at), [])[:3]):
                sums[i] += value
        if any((meter, at) in known for meter in there):
            expected[at] = [*sums, 900.0 * len(there)]
    assert found.start_us.tolist() == sorted(expected)
    assert found.values.T.tolist() == [expected[at] for at in sorted(expected)]


def _park(conn: Connection, enterprises: int) -> tuple[int, list[int]]:
    """A park of enterprises with a meter each, all of one day but a reading."""
    park = registry.add_park(conn, "p", zone="UTC", region="CN-JS")
    channels = []
    for i in range(enterprises):
        enterprise = registry.add_enterprise(conn, park, f"e{i:02}")
        meter = registry.add_meter(conn, park, enterprise, "M")
        relations.confirm_meter(conn, meter, enterprise, source="test")
        channels.append(
            relations.add_meter_channel(conn, meter, "energy_import", "register")
        )
    at = to_us(START) + np.arange(97) * QUARTER_US
    for channel in channels:
        keep = (np.arange(97) != 40) | (channel != channels[0])
        _send(conn, park, channel, at[keep], np.arange(97.0)[keep] ** 2)
    while run_once(conn) is not None:
        pass
    return park, channels


def _send(
    conn: Connection,
    park: int,
    channel: int,
    at: np.ndarray[Any, Any],
    value: np.ndarray[Any, Any],
) -> None:
    rows = Rows(
        np.full(at.size, channel), at, value, np.full(at.size, NO_UNTIL, np.int64)
    )
    with conn.transaction():
        write_batch(
            conn,
            rows,
            [],
            parks={channel: park},
            totals={channel},
            source="test",
            parser="test/1",
            messages=1,
        )


class Counting(psycopg.Cursor[tuple[object, ...]]):
    """Counts the statements that are sent."""

    sent = 0

    def execute(self, *args: Any, **more: Any) -> Any:
        """Count one."""
        Counting.sent += 1
        return super().execute(*args, **more)

    def copy(self, *args: Any, **more: Any) -> Any:
        """Count one."""
        Counting.sent += 1
        return super().copy(*args, **more)


@pytest.mark.db
def test_a_late_reading_asks_no_more_in_a_park_of_many(
    new_database: Any,
) -> None:
    statements = {}
    for enterprises in (2, 12):
        with connect(new_database(), autocommit=True) as conn:
            park, channels = _park(conn, enterprises)
            before = _versions(conn)
            at = np.array([to_us(START) + 40 * QUARTER_US])
            _send(conn, park, channels[0], at, np.array([1600.0]))
            conn.cursor_factory, Counting.sent = Counting, 0
            assert run_once(conn) is not None
            statements[enterprises] = Counting.sent
            changed = set(_versions(conn)) - set(before)
            # of the meter, its enterprise and the park: two quarters, a day, a month
            assert len(changed) == 3 * (2 + 1 + 1)
            assert {row[1] for row in changed} == {"e00", "p"}
    assert statements[2] == statements[12]


@pytest.mark.db
def test_what_counts_for_nobody_leaves_all_totals_alone(database: str) -> None:
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="UTC", region="CN-JS")
        enterprise = registry.add_enterprise(conn, park, "e")
        channels, meters = [], []
        for code in ("main", "sub"):
            meter = registry.add_meter(conn, park, enterprise, code)
            relations.confirm_meter(conn, meter, enterprise, source="test")
            channels.append(
                relations.add_meter_channel(conn, meter, "energy_import", "register")
            )
            meters.append(meter)
        relations.place_meter(
            conn, meters[1], "sub", meters[0], relations.BEGINNING, source="test"
        )
        at, value = to_us(START) + np.arange(121) * 60_000_000, np.arange(121.0)
        late = (value > 57) & (value < 63)
        _send(conn, park, channels[0], at, value)
        _send(conn, park, channels[1], at[~late], value[~late])
        while run_once(conn) is not None:
            pass
        before = _versions(conn), _sliding(conn)
        assert {park, enterprise} <= {row[0] for row in before[1]}
        _send(conn, park, channels[1], at[late], value[late])
        assert run_once(conn) is not None
        after = _versions(conn), _sliding(conn)
        totals = {row for row in before[0] if row[2] not in channels}
        assert totals <= set(after[0])
        mine = {row for row in after[1] if row[0] == meters[1]}
        assert mine > {row for row in before[1] if row[0] == meters[1]}
        assert set(before[1]) | mine == set(after[1])


def _sliding(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute("SELECT subject_id, start, kw FROM demand_sliding").fetchall()


def _versions(conn: Connection) -> list[tuple[object, ...]]:
    """All that was derived, each row with whose it is and where it was written."""
    return [
        row
        for table in ("usage_15min", "usage_day", "usage_month")
        for row in conn.execute(
            f"""
            SELECT '{table}', coalesce(o.code, e.code, p.code), t.channel_id, t.start,
                   t.xmin::text
            FROM {table} t JOIN channel c USING (channel_id)
            LEFT JOIN meter m ON m.meter_id = c.subject_id
            LEFT JOIN enterprise o ON o.enterprise_id = m.enterprise_id
            LEFT JOIN enterprise e ON e.enterprise_id = c.subject_id
            LEFT JOIN park p ON p.park_id = c.subject_id
            """
        ).fetchall()
    ]
