"""The shape of gaps: by hand, and the laws as properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import registers, shape
from analytics.registers import QUARTER_US, Intervals, Usage
from analytics.shape import DAY_US, LOOK_BACK, SLOTS, Calendar, Weights

HOUR = 4 * QUARTER_US
MONDAY = 20_458  # 2026-01-05, counted from 1970-01-01
NONE = registers.Steps(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def week(
    first: int, days: int, offsets: tuple[tuple[int, int], ...] = ((0, 0),)
) -> Calendar:
    """Local time with its offsets [h], worked days, Saturdays and Sundays."""
    at, hours = zip(*offsets, strict=True)
    weekday = (np.arange(first, first + days) - MONDAY) % 7
    return Calendar(
        np.array(at, np.int64),
        np.array(hours, np.int64) * HOUR,
        first,
        np.where(weekday == 5, 1, np.where(weekday == 6, 2, 0)),
    )


def days(*amounts: tuple[int, list[float]], channel: int = 0) -> Usage:
    """Quarter hours of whole UTC days, each day from the same 24 hourly amounts."""
    start = np.concatenate(
        [day * DAY_US + np.arange(SLOTS) * QUARTER_US for day, _ in amounts]
    )
    amount = np.concatenate([np.repeat(hours, 4) / 4 for _, hours in amounts])
    size = start.size
    return Usage(
        np.full(size, channel), start, amount, np.full(size, 900.0), np.zeros(size)
    )


def gap(start: int, stop: int, amount: float) -> Intervals:
    return Intervals(
        np.array([0]), np.array([start]), np.array([stop]), np.array([amount])
    )


def like(measured: Usage, day: int, calendar: Calendar) -> Weights:
    return shape.weights(np.array([0]), np.array([day]), measured, calendar)


def hourly(found: Intervals, of_hour: int) -> list[float]:
    """Amounts by hours counted from an instant."""
    place = (found.start - of_hour) // HOUR
    summed: list[float] = np.bincount(place, found.amount).tolist()
    return summed


ALL = np.array([True])


def test_a_gap_runs_as_the_mean_of_like_days_scaled_to_its_energy() -> None:
    # Monday to Wednesday at 8, 9 and 10 o'clock: 10, 20, 30 / 20, 20, 20 / 30, 20, 40 kWh,
    # in the mean 20, 20, 30; the gap of 35 kWh on Thursday: 10, 10, 15
    hours = [
        [0.0] * 8 + each + [0.0] * 13 for each in ([10, 20, 30], [20] * 3, [30, 20, 40])
    ]
    measured = days(*((MONDAY + i, each) for i, each in enumerate(hours)))
    thursday = MONDAY + 3
    calendar = week(MONDAY - 28, 40)
    begin = thursday * DAY_US + 8 * HOUR
    found, of = shape.spread(
        gap(begin, begin + 3 * HOUR, 35.0), ALL, like(measured, thursday, calendar)
    )
    assert hourly(found, begin) == pytest.approx([10.0, 10.0, 15.0], rel=1e-4)
    assert found.start.size == 12
    assert of.tolist() == [0] * 12


def test_only_the_three_newest_days_of_the_same_class_are_like() -> None:
    # Mon … Fri 1, 2, 3, 4, 5 kWh before noon and as much after it; Saturday all after noon
    worked = [(MONDAY + i, [float(i + 1)] * 12 + [7.0] * 12) for i in range(5)]
    saturday = (MONDAY + 5, [0.0] * 12 + [2.0] * 12)
    next_monday = MONDAY + 7
    calendar = week(MONDAY - 28, 60)
    weights = like(days(*worked, saturday), next_monday, calendar)
    assert weights.known.tolist() == [[True, True, False]]
    # mean of Wed, Thu, Fri: 4 before noon, 7 after it
    ratio = weights.weight[0, 0, 0] / weights.weight[0, 0, 95]
    assert ratio == pytest.approx(4 / 7, rel=1e-4)
    assert weights.weight[0, 1, :48].tolist() == [0] * 48
    begin = next_monday * DAY_US + 11 * HOUR
    found, _ = shape.spread(gap(begin, begin + 2 * HOUR, 11.0), ALL, weights)
    assert hourly(found, begin) == pytest.approx([4.0, 7.0], rel=1e-4)


def test_a_gap_over_a_day_without_like_days_stays_straight() -> None:
    measured = days(*((MONDAY + i, [1.0] * 12 + [3.0] * 12) for i in range(5)))
    friday = MONDAY + 4
    weights = like(measured, friday, week(MONDAY - 28, 60))
    begin = (friday + 1) * DAY_US - 2 * HOUR  # into Saturday
    whole = gap(begin, begin + 4 * HOUR, 8.0)
    found, of = shape.spread(whole, ALL, weights)
    assert (found.amount.tolist(), of.tolist()) == ([8.0], [0])
    # nor is there one where no day is measured, or the days before used nothing
    for unlike in (days((MONDAY, [1.0] * 24)), days((friday - 1, [0.0] * 24))):
        there = like(
            unlike, MONDAY if unlike.amount.any() else friday, weights.calendar
        )
        assert shape.spread(whole, ALL, there)[0].amount.tolist() == [8.0]


def test_days_longer_ago_than_four_weeks_or_half_measured_are_not_like() -> None:
    calendar = week(MONDAY - 60, 80)
    old = days((MONDAY - LOOK_BACK - 3, [1.0] * 24))
    assert like(old, MONDAY, calendar).channel.size == 0
    half = days((MONDAY - 3, [1.0] * 24))
    half = half._replace(measured_s=half.measured_s * 0.94)
    assert like(half, MONDAY, calendar).channel.size == 0
    enough = half._replace(measured_s=half.measured_s / 0.94 * 0.95)
    assert like(enough, MONDAY, calendar).channel.size == 1


def test_the_clock_of_the_park_decides_over_the_change_to_summer_time() -> None:
    # local time is UTC+1, from Sunday 01:00 UTC on UTC+2. The machine runs from 8 to 9
    # local on all Sundays: at 7 UTC before the change, and at 6 UTC after it.
    sunday = MONDAY + 6
    change = sunday * DAY_US + HOUR
    calendar = week(MONDAY - 40, 80, ((0, 1), (change, 2)))
    runs = [0.0] * 7 + [12.0] + [0.0] * 16
    start = (sunday - 7) * DAY_US - HOUR  # local midnight of the Sunday before
    measured = days((0, [0.0, *runs[:23]]))
    measured = measured._replace(start=measured.start + start)
    weights = like(measured, sunday, calendar)
    begin = sunday * DAY_US + 4 * HOUR
    found, _ = shape.spread(gap(begin, begin + 6 * HOUR, 9.0), ALL, weights)
    assert hourly(found, begin) == pytest.approx([0, 0, 9.0, 0, 0, 0])


@st.composite
def measured_days(draw: st.DrawFn) -> Usage:
    hours = st.lists(st.floats(0, 1e6), min_size=24, max_size=24)
    some = draw(st.sets(st.integers(-LOOK_BACK, -1), min_size=1, max_size=9))
    return days(*((MONDAY + day, draw(hours)) for day in sorted(some)))


@given(
    measured_days(),
    st.integers(0, 24 * 60 - 1),
    st.integers(61, 366 * 24 * 60),
    st.floats(0, 1e9),
)
def test_the_parts_add_up_and_none_is_negative(
    measured: Usage, minute: int, length: int, amount: float
) -> None:
    calendar = week(MONDAY - 40, 420)
    begin = MONDAY * DAY_US + minute * 60_000_000
    whole = gap(begin, begin + length * 60_000_000, amount)
    found, of = shape.spread(whole, ALL, like(measured, MONDAY, calendar))
    assert found.amount.sum() == pytest.approx(amount, rel=1e-9)
    assert (found.amount >= 0).all()
    assert found.start[0] == whole.start[0]
    assert found.stop[-1] == whole.stop[0]
    assert (found.start[1:] == found.stop[:-1]).all()
    assert not of.any()
    used = registers.usage(
        found, np.array([1]), NONE, estimated=np.ones(of.size, np.bool_)
    )
    assert used.estimated_s.sum() == pytest.approx(length * 60)
    assert used.measured_s.sum() == 0


@given(st.integers(0, 10**6))
def test_a_gap_gets_the_same_bits_whatever_is_computed_beside_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    calendar = week(MONDAY - 60, 120)
    usage, gaps = [], []
    for channel in range(4):
        some = np.flatnonzero(rng.random(40) < 0.6) + MONDAY - 40
        usage.append(
            days(*((int(d), rng.random(24).tolist()) for d in some), channel=channel)
        )
        start = MONDAY * DAY_US + np.cumsum(rng.integers(1, 4000, 5)) * 60_000_000
        stop = start[:-1] + ((start[1:] - start[:-1]) * rng.random(4)).astype(np.int64)
        there = stop > start[:-1]
        gaps.append(
            Intervals(np.full(4, channel), start[:-1], stop, rng.random(4) * 100).take(
                there
            )
        )

    def shaped(channels: list[int]) -> Intervals:
        found = Intervals(
            *(np.concatenate(c) for c in zip(*(gaps[i] for i in channels), strict=True))
        )
        measured = Usage(
            *(
                np.concatenate(c)
                for c in zip(*(usage[i] for i in channels), strict=True)
            )
        )
        day, _ = calendar.local(found.start)
        weights = shape.weights(found.channel, day, measured, calendar)
        return shape.spread(found, np.ones(found.start.size, np.bool_), weights)[0]

    together = shaped([0, 1, 2, 3])
    for channel in range(4):
        alone = shaped([channel])
        mine = together.take(together.channel == channel)
        for one, other in zip(alone, mine, strict=True):
            assert one.tolist() == other.tolist()
