"""Registers that were stuck: their energy is known, in any order and as known on any date."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from analytics.jobs import compute, restating
from analytics.jobs.figures import figures
from store import judgements, registry
from store.database import connect
from store.dirty import Span
from store.readings import NO_UNTIL, to_datetime, to_us
from tests.analytics.jobs.test_order import FIRST, MINUTE, ZONE, Park, Sent, everything
from tests.analytics.jobs.test_shaping import at, between, events, line, quarters

pytestmark = pytest.mark.db


def rate(park: Park, code: str, kw: float) -> None:
    with connect(park.url, autocommit=True) as conn:
        judgements.set_plate(
            conn, park.ids[code], accuracy_class=None, rated_per_h=kw, source="plate"
        )


def judge(park: Park, instant: int, verdict: str) -> None:
    with connect(park.url, autocommit=True) as conn:
        judgements.judge(
            conn,
            park.ids["M0"],
            "energy_import",
            to_datetime(instant),
            verdict,
            who="L. Chen",
            why="test",
        )
    park.analyse()


def frozen(
    rows: list[tuple[int, float]], low: int, high: int
) -> list[tuple[int, float]]:
    """Let a register show in [low, high) what it showed at `low`."""
    shown = dict(rows)[low]
    return [(t, shown if low <= t < high else v) for t, v in rows]


def one(database: str, rows: list[tuple[int, float]]) -> Park:
    park = Park(database, [Sent(rows, [])])
    park.confirm("M0")
    rate(park, "M0", 60.0)
    park.write(everything(park.meters))
    park.analyse()
    return park


def test_a_stuck_register_that_catches_up_is_a_gap_of_known_energy(
    database: str,
) -> None:
    # Thursday from 6 to 14 o'clock: 2 h at 4, 4 h at 40, 2 h at 4 kWh/h, see test_shaping.
    # It may be stuck since a quarter of an hour before, shortly behind the last rise
    low, high = at(3, 6), at(3, 14)
    rows = frozen(line(5), low, high)
    park = one(database, [each for each in rows if each[0] < high])
    assert events(park) == []
    assert between(park, low, high) == 0.0
    assert not any(seconds for _, seconds in quarters(park).values())
    # the reading at 14 o'clock restates the eight hours before it
    park.write(everything([Sent([each for each in rows if each[0] >= high], [])]))
    park.analyse()
    assert events(park) == [(high, "catch-up", 5744.0, 5920.0)]
    assert between(park, low, at(3, 8)) == pytest.approx(8.0, rel=1e-3)
    assert between(park, at(3, 8), at(3, 12)) == pytest.approx(160.0, rel=1e-3)
    assert between(park, at(3, 5.75), high) == pytest.approx(177.0, rel=1e-12)
    estimated = {to_us(t): s for t, (_, s) in quarters(park).items() if s}
    assert estimated == {at(3, 5.75 + i / 4): 900.0 for i in range(33)}
    with connect(database, autocommit=True) as conn:
        found = figures(
            conn,
            registry.subject(conn, "p", "e", "M0"),
            date(2026, 1, 15),
            date(2026, 1, 16),
        )
    assert found["energy_kwh"] == pytest.approx(240.0, rel=1e-12)
    assert (found["coverage"], found["estimated_share"]) == (
        1.0,
        pytest.approx(8.25 / 24),
    )


def test_a_register_that_was_told_to_be_stuck_is_so_no_more_when_it_catches_up(
    database: str,
) -> None:
    low, high = at(1, 6), at(2, 16)  # 34 h, 24 of them 240 kWh, 10 more 184
    rows = frozen(line(5), low, high)
    park = one(database, [each for each in rows if each[0] < high])
    before = park.tables()
    assert events(park) == [(at(2, 6), "stuck", 5264.0, 5264.0)]
    late = rows[[t for t, _ in rows].index(high)]
    park.write([(0, "register", *late, NO_UNTIL)])
    park.analyse()
    assert events(park) == [(high, "catch-up", 5264.0, 5688.0)]
    assert between(park, at(1, 5.75), high) == pytest.approx(425.0, rel=1e-12)
    # somebody who has seen it rest says so: then the jump is none that was caught up
    judge(park, at(2, 15.75), "real")
    assert [each[1] for each in events(park)] == ["stuck", "jump"]
    assert between(park, low, high) == 0.0
    judge(park, at(2, 15.75), "rule")
    assert events(park) == [(high, "catch-up", 5264.0, 5688.0)]
    # the reading itself is wrong: all is as it was before it came
    judge(park, high, "left out")
    assert park.tables()["usage_15min"] == before["usage_15min"]


@pytest.mark.parametrize("minutes", [1, 15])
def test_a_late_reading_in_a_stuck_stretch_restates_all_of_it(
    database: str, minutes: int
) -> None:
    # 3 kW on two days; stuck for nine hours across midnight
    start, step = at(0, 12), minutes * MINUTE
    rows = [
        (start + i * step, 100.0 + i * minutes / 20) for i in range(1440 // minutes)
    ]
    low, high = at(0, 20), at(1, 5)
    rows = frozen(rows, low, high)
    park = one(database, rows)
    rate(park, "M0", 4.0)
    park.analyse()
    assert events(park) == [(high, "catch-up", 124.0, 151.0)]
    # half a minute after one o'clock it showed what was right
    late = (at(1, 1) + MINUTE // 2, 139.0)
    park.write([(0, "register", *late, NO_UNTIL)])
    park.analyse()
    found = park.tables()
    rate(park, "M0", 4.0)
    park.analyse()
    assert park.tables() == found
    # it is a spike, as 124 stands behind it, and the row is no plain one any more
    assert [each[1] for each in events(park)] == ["spike", "jump"]
    assert between(park, low, high) == 0.0


def test_a_day_that_ends_at_a_step_before_a_stuck_stretch_knows_of_it(
    database: str,
) -> None:
    # whole kWh at 1 kW, read each quarter: a step is more than 1.1 kW allow, and no jump.
    # From midnight on it is stuck for ten hours, from a quarter before at the earliest
    rows = [(at(0, i / 4), float(1000 + i // 4)) for i in range(4 * 40)]
    low, high = at(1, 0), at(1, 10)
    park = one(database, frozen(rows, low, high))
    rate(park, "M0", 1.0)
    park.analyse()
    assert events(park) == [(high, "catch-up", 1024.0, 1034.0)]
    # what is read of a span that ends at midnight tells how its last quarter goes on
    with connect(database, autocommit=True) as conn:
        world = compute.load_world(conn, park.park, str(ZONE))
        (usage,) = world.usages
        span = Span(usage.channel_id, to_datetime(at(0, 12)), to_datetime(low), True)
        known = compute.understand(world, compute.read_sources(conn, world, [span]))
    inside = known.intervals.start < low
    assert known.intervals.stop[inside][-1] == high
    assert known.intervals.amount[inside][-1] == 11.0


def test_late_like_days_shape_all_of_a_long_stretch_anew(
    database: str,
) -> None:
    # stuck from day 30 to 57; its like days lie before, and the period, of one
    # day of the stretch, begins on day 56. Of day 25 half came late
    used = np.round(0.2 + np.random.default_rng(4).random(65 * 96) * 10, 2)
    value = np.round(100.0 + np.cumsum(used), 2).tolist()
    rows = frozen(
        [(at(0, i / 4), each) for i, each in enumerate(value)], at(30, 0), at(57, 0)
    )
    late = [each for each in rows if at(25, 0) <= each[0] < at(25, 12)]
    park = one(database, [each for each in rows if each not in late])
    since = datetime.now(UTC)
    start, stop = to_datetime(at(56, 0)), to_datetime(at(57, 0))
    days = (date(2026, 3, 9), date(2026, 3, 10))
    with connect(database, autocommit=True) as conn:
        meter = registry.subject(conn, "p", "e", "M0")
        published = figures(conn, meter, *days)["energy_kwh"]
        park.write(everything([Sent(late, [])]))
        park.analyse()
        assert figures(conn, meter, *days)["energy_kwh"] != published
        before, _ = restating.vintages(conn, park.park, start, stop, since)
        assert before.touched == frozenset({park.ids["M0"]})
        assert figures(conn, meter, *days, known_on=before)["energy_kwh"] == published
    found = park.tables()
    rate(park, "M0", 60.0)
    park.analyse()
    assert park.tables() == found


def stuck(rng: np.random.Generator, days: int, minutes: int) -> Sent:
    """Make up a meter over the end of a month that is stuck now and then, and has gaps."""
    start = to_us(FIRST - timedelta(days=days - 3))
    stamp = start + np.arange(days * 1440 // minutes) * minutes * MINUTE
    used = np.round((0.2 + rng.random(stamp.size)) * 50 * minutes / 60, 2)
    used[rng.random(stamp.size) < 0.1] = 0.0
    value = np.round(100.0 + np.cumsum(used), 2)
    for length in (3, 4, 6, 9, 14, 40, 90, 130):
        low = int(rng.integers(0, stamp.size - 20))
        value[low : low + length] = value[low]
    # one reaches over the end of the month, and some of it never came
    middle = int(np.searchsorted(stamp, to_us(FIRST + timedelta(days=2))))
    value[middle - 50 : middle + 40] = value[middle - 50]
    keep = np.ones(stamp.size, np.bool_)
    for length in (3, 12, 40):
        gap = int(rng.integers(0, stamp.size))
        keep[gap : gap + length] = False
    keep[middle - 20 : middle - 10] = False
    for odd in rng.integers(0, stamp.size, 6):
        value[odd] += rng.choice([-90.0, 0.5, 400.0])
    return Sent(list(zip(stamp[keep].tolist(), value[keep].tolist(), strict=True)), [])


@pytest.mark.parametrize(("seed", "minutes"), [(1, 15), (2, 15), (3, 5)])
def test_stuck_registers_come_out_the_same_in_any_order(
    new_database: Callable[[], str], seed: int, minutes: int
) -> None:
    rng = np.random.default_rng(seed)
    meters = [stuck(rng, 6, minutes) for _ in range(4)]
    rows = everything(meters)
    whole, parts = (Park(new_database(), meters) for _ in "ab")
    for park in (whole, parts):
        for m in range(len(meters)):
            park.confirm(f"M{m}")
            rate(park, f"M{m}", 60.0)
    whole.write(rows)
    whole.analyse()
    order = rng.permutation(len(rows))
    for part in np.array_split(order[:-40], 4):
        parts.write([rows[i] for i in part])
        parts.analyse()
    for i in order[-40:]:
        parts.write([rows[i]])
        if rng.random() < 0.5:
            parts.analyse()
    parts.analyse()
    expected, found = whole.tables(), parts.tables()
    told = [each for each in expected["events"] if each[2] == "catch-up"]
    assert len(told) > 10
    for name, table in expected.items():
        assert found[name] == table, name
    days = (FIRST.date() + timedelta(days=1), FIRST.date() + timedelta(days=2))
    with connect(parts.url, autocommit=True) as conn:
        now = datetime.now(UTC) + timedelta(hours=1)
        for code in (None, *(f"M{m}" for m in range(len(meters)))):
            subject = registry.subject(conn, "p", code and "e", code)
            stored = figures(conn, subject, *days, grain="15min")
            asked = figures(conn, subject, *days, grain="15min", known_on=now)
            for name in stored.keys() - {"as_known_on", "pending"}:
                assert asked[name] == stored[name], (code, name)
