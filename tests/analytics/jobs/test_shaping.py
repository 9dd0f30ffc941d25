"""Gaps get the shape of like days in the park's local time, and get it again when late."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import shaping
from analytics.jobs.book import load_book
from analytics.jobs.peaking import peak_figures
from store import judgements, policies, registry, relations
from store.database import connect
from store.readings import NO_UNTIL, to_datetime, to_us
from tests.analytics.jobs.test_order import MINUTE, ZONE, Park, Sent, everything

pytestmark = pytest.mark.db

MONDAY = datetime(2026, 1, 12, tzinfo=ZONE)
DAY = 96


def at(day: int, hour: float) -> int:
    """Minutes to microseconds of a local hour, counted from Monday."""
    return to_us(MONDAY) + round((day * 24 + hour) * 60) * MINUTE


def line(days: int) -> list[tuple[int, float]]:
    """Quarter hours of a register that gains 4 kWh an hour, from 8 to 12 o'clock 40."""
    quarter = np.arange(days * DAY)
    morning = (quarter % DAY >= 32) & (quarter % DAY < 48)
    used = np.where(morning, 10.0, 1.0)
    value = 5000.0 + np.cumsum(used) - used
    return list(
        zip((to_us(MONDAY) + quarter * 15 * MINUTE).tolist(), value, strict=True)
    )


def quarters(park: Park, code: str = "M0") -> dict[datetime, tuple[float, float]]:
    """Amount and estimated seconds of each stored quarter hour."""
    return {
        row[1]: (float(row[2]), float(row[4]))  # type: ignore[arg-type, misc]
        for row in park.tables()["usage_15min"]
        if row[0] == code
    }


def between(park: Park, low: int, high: int) -> float:
    return sum(
        amount
        for start, (amount, _) in quarters(park).items()
        if low <= to_us(start) < high
    )


def one(database: str, rows: list[tuple[int, float]]) -> Park:
    park = Park(database, [Sent(rows, [])])
    park.confirm("M0")
    park.write(everything(park.meters))
    park.analyse()
    return park


def events(park: Park) -> list[tuple[int, str, float, float]]:
    return [
        (to_us(row[1]), *row[2:])  # type: ignore[arg-type, misc]
        for row in park.tables()["events"]
    ]


def without(
    rows: list[tuple[int, float]], low: int, high: int
) -> list[tuple[int, float]]:
    return [each for each in rows if not low < each[0] < high]


def test_a_long_gap_runs_as_its_like_days_and_an_hour_goes_straight(
    database: str,
) -> None:
    # Thursday from 6 to 14 o'clock nothing came: 2 h at 4, 4 h at 40, 2 h at 4 kWh/h are
    # 176 kWh; on a straight line each hour would have 22
    rows = without(line(5), at(3, 6), at(3, 14))
    # and on Friday from 7.30 to 8.30, an hour: 22 kWh straight, 5.5 a quarter hour
    rows = without(rows, at(4, 7.5), at(4, 8.5))
    park = one(database, rows)
    assert between(park, at(3, 6), at(3, 8)) == pytest.approx(8.0, rel=1e-3)
    assert between(park, at(3, 8), at(3, 12)) == pytest.approx(160.0, rel=1e-3)
    assert between(park, at(3, 6), at(3, 14)) == pytest.approx(176.0, rel=1e-12)
    assert between(park, at(4, 7.5), at(4, 8)) == pytest.approx(11.0, rel=1e-12)
    estimated = {to_us(t) for t, (_, seconds) in quarters(park).items() if seconds}
    assert estimated == {
        at(day, low + i / 4)
        for day, low, n in ((3, 6, 32), (4, 7.5, 4))
        for i in range(n)
    }
    assert events(park) == [
        (at(3, 14), "gap", 5000.0 + 3 * 240 + 24, 5000.0 + 3 * 240 + 200),
        (at(4, 8.5), "gap", 5000.0 + 4 * 240 + 30, 5000.0 + 4 * 240 + 52),
    ]


def test_days_of_the_month_before_restate_the_gap_when_they_come_late(
    database: str,
) -> None:
    # the gap lies in February, its like days in January; of Monday 26 to Wednesday 28
    rows = [(t + 14 * DAY * 15 * MINUTE, v) for t, v in line(8)]
    low, high = at(21, 6), at(21, 14)  # Monday, 2 February
    late = [each for each in rows if each[0] < at(19, 0)]
    rest = without([each for each in rows if each not in late], low, high)
    park = one(database, rest)
    assert between(park, at(21, 8), at(21, 12)) == pytest.approx(88.0)  # straight
    park.write(everything([Sent(late, [])]))
    park.analyse()
    assert between(park, at(21, 8), at(21, 12)) == pytest.approx(160.0, rel=1e-3)


def test_a_late_reading_far_from_any_gap_reads_and_restates_nothing_else(
    database: str,
) -> None:
    rows = line(10)
    late = rows.pop(400)
    park = one(database, rows)
    before = quarters(park)
    park.write([(0, "register", *late, NO_UNTIL)])
    assert park.analyse() == 1
    after = quarters(park)
    changed = {t for t, found in after.items() if before[t] != found}
    edge = to_datetime(late[0])
    assert changed == {edge, edge - timedelta(minutes=15)}


@pytest.mark.parametrize(("stop", "runs"), [(8.0, 1), (8.75, 2)])
def test_a_late_reading_restates_no_gap_that_goes_straight(
    database: str, stop: float, runs: int
) -> None:
    # on Tuesday one comes late; the gap on Sunday is of half an hour, or of 75 minutes
    rows = without(line(8), at(6, 7.5), at(6, stop))
    late = rows.pop(DAY + 40)
    park = one(database, rows)
    park.write([(0, "register", *late, NO_UNTIL)])
    assert park.analyse() == runs  # what lies days apart is computed apart


def test_a_gap_across_the_end_of_what_a_late_day_reaches_is_restated_whole(
    database: str,
) -> None:
    # Monday uses most until 4 o'clock, and comes late. Tuesday has a gap from 0.30 to 5.15
    # in which three readings are odd: the last of them is the sixth behind Monday
    quarter = np.arange(2 * DAY)
    used = np.where(quarter % DAY < 16, 10.0, 1.0)
    value = 5000.0 + np.cumsum(used) - used
    rows = [(at(0, i / 4), float(v)) for i, v in zip(quarter, value, strict=True)]
    rows = without(rows, at(1, 0.5), at(1, 5.25))
    odd = [(at(1, 2), 1.0), (at(1, 3), 5400.0), (at(1, 4.75), 1.0)]
    monday = [each for each in rows if each[0] < at(1, 0)]
    rest = sorted([*rows[DAY:], *odd])
    park = one(database, rest)
    park.write(everything([Sent(monday, [])]))
    park.analyse()
    late = park.tables()["usage_15min"]
    assert between(park, at(1, 0.5), at(1, 5.25)) == pytest.approx(145.0, rel=1e-9)
    with connect(database, autocommit=True) as conn:
        relations.mark_meter_dirty(conn, park.ids["M0"])
    park.analyse()
    assert park.tables()["usage_15min"] == late


def test_a_policy_sets_how_far_a_line_goes_straight_and_earlier_answers_stay(
    database: str,
) -> None:
    park = one(database, without(line(5), at(3, 6), at(3, 14)))
    with connect(database, autocommit=True) as conn:
        policies.set_policy(
            conn, park.ids["M0"], "straight_up_to_s", 8 * 3600, source="test"
        )
    park.analyse()
    assert between(park, at(3, 8), at(3, 12)) == pytest.approx(88.0)
    with connect(database, autocommit=True) as conn:
        policies.set_policy(
            conn, park.ids["M0"], "straight_up_to_s", None, source="test"
        )
        policies.set_policy(
            conn, park.ids["M0"], "measured_up_to_s", 8 * 3600, source="test"
        )
    park.analyse()
    assert not any(seconds for _, seconds in quarters(park).values())
    assert events(park) == []


def test_a_peak_in_an_estimated_window_says_so(database: str) -> None:
    # all of the mornings but Thursday's are measured; that one used twice as much
    rows = line(5)
    more = [(t, v + 160.0 * (t >= at(3, 12))) for t, v in rows]
    one(database, without(more, at(3, 7), at(3, 13)))
    with connect(database, autocommit=True) as conn:
        subject = registry.subject(conn, "p", "e", "M0")
        found = peak_figures(conn, subject, date(2026, 1, 12), date(2026, 1, 17))
    top = found["top"]
    assert top[0]["start"].startswith("2026-01-15")
    assert (top[0]["measured_share"], top[-1]["measured_share"]) == (0.0, 1.0)
    assert top[0]["kw"] == pytest.approx(40.0 * 328 / 168, rel=1e-3)
    assert found["months"][0]["measured_share"] == 0.0
    assert [each["measured_share"] for each in found["days"]] == [1, 1, 1, 0, 1]
    with connect(database, autocommit=True) as conn:
        park_peaks = peak_figures(
            conn, registry.subject(conn, "p"), date(2026, 1, 12), date(2026, 1, 17)
        )
    assert park_peaks["made_by"]["measured_share"] == 0.0


def test_months_on_both_sides_of_a_gap_are_the_same_as_stored_and_as_known(
    database: str,
) -> None:
    # from Saturday, 31 January, 20 o'clock to Sunday at noon: 16 + 32 + 160 kWh
    park = one(database, without(line(22), at(19, 20), at(20, 12)))
    assert between(park, at(19, 20), at(20, 0)) == pytest.approx(16.0, rel=1e-3)
    assert between(park, at(20, 0), at(20, 12)) == pytest.approx(192.0, rel=1e-3)
    months = (date(2026, 1, 1), date(2026, 3, 1))
    with connect(database, autocommit=True) as conn:
        whole = registry.park(conn, "p")
        stored = load_book(conn, whole, *months)
        known = load_book(conn, whole, *months, datetime.now(ZONE) + timedelta(hours=1))
    # 20 days, of which the last four hours lie in the gap
    january = stored.amounts["energy_import"][0, 0]
    assert january == pytest.approx(20 * 240.0, rel=1e-5)
    for name in ("amounts", "measured_s", "estimated_s"):
        one_of, other = (
            getattr(each, name)["energy_import"] for each in (stored, known)
        )
        assert one_of.tolist() == other.tolist()


def test_a_change_of_ratio_inside_a_gap_splits_its_shape(database: str) -> None:
    park = one(database, without(line(5), at(3, 6), at(3, 14)))
    with connect(database, autocommit=True) as conn:
        relations.set_multiplier(
            conn,
            park.ids["M0"],
            ct=10,
            pt=1,
            valid_from=to_datetime(at(3, 12)),
            source="test",
        )
    park.analyse()
    assert between(park, at(3, 8), at(3, 12)) == pytest.approx(160.0, rel=1e-3)
    assert between(park, at(3, 12), at(3, 14)) == pytest.approx(80.0, rel=1e-3)
    assert (at(3, 12), "multiplier change", 1.0, 10.0) in events(park)


def test_a_stuck_register_is_told_until_somebody_says_that_it_rests(
    database: str,
) -> None:
    rows = line(5)
    rest = [(t, min(v, 5240.0)) for t, v in rows if t < at(2, 12)]
    park = one(database, rest)
    assert events(park) == [(at(2, 0), "stuck", 5240.0, 5240.0)]
    with connect(database, autocommit=True) as conn:
        judgements.judge(
            conn,
            park.ids["M0"],
            "energy_import",
            to_datetime(at(2, 0)),
            "real",
            who="L. Chen",
            why="holidays",
        )
    park.analyse()
    assert events(park) == []
    assert between(park, at(1, 0), at(2, 0)) == 0.0


@pytest.mark.parametrize("front_first", [True, False])
def test_a_rest_that_comes_in_parts_is_told_where_it_passes_its_limit(
    database: str, front_first: bool
) -> None:
    # 7 minutes past the quarter hours; it rests from Monday's end on, in parts of 21 and
    # 15 hours, and what is written last looks back, or ahead, across its edge
    late = 7 * MINUTE
    rows = [(t + late, min(v, 5240.0)) for t, v in line(3) if t < at(2, 12)]
    parts = [
        [each for each in rows if (each[0] < at(1, 21)) is front]
        for front in (front_first, not front_first)
    ]
    park = one(database, parts[0])
    assert events(park) == []
    park.write(everything([Sent(parts[1], [])]))
    park.analyse()
    assert events(park) == [(at(2, 0) + late, "stuck", 5240.0, 5240.0)]


def test_local_time_follows_the_zone_and_days_their_classes() -> None:
    found = shaping.calendar_of(
        ZoneInfo("Europe/Berlin"), "DE", date(2026, 3, 27), date(2026, 3, 31)
    )
    # clocks go from 2 to 3 on Sunday, 29 March, at 1:00 UTC
    change = to_us(datetime(2026, 3, 29, 1, tzinfo=ZoneInfo("UTC")))
    assert found.at.tolist()[1:] == [change]
    assert (found.offset_us / 3.6e9).tolist() == [1.0, 2.0]
    assert found.like.tolist() == [0, 1, 2, 0, 0]
    day, slot = found.local(np.array([change - 1, change]))
    assert slot.tolist() == [7, 12]
    assert day.tolist() == [date(2026, 3, 29).toordinal() - 719_163] * 2
