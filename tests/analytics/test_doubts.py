"""Stuck registers and wrong clocks: by hand, and bounded in what they depend on."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import doubts, registers
from analytics.registers import EVENT_NAMES, VERDICTS, Said

MINUTE = 60_000_000
HOUR = 60 * MINUTE
Told = list[tuple[str, float, float, float]]  # kind, hour, before, after


def look(
    hours: Sequence[float],
    values: Sequence[float],
    *,
    after_h: float = 24,
    real: tuple[float, ...] = (),
) -> Told:
    at = np.rint(np.array(hours) * HOUR).astype(np.int64)
    value = np.array(values, np.float64)
    channel = np.zeros(at.size, np.int64)
    said = Said(
        np.zeros(len(real), np.int64),
        np.array([round(each * HOUR) for each in real], np.int64),
        np.full(len(real), VERDICTS.index("real")),
        np.zeros(len(real)),
        np.zeros(len(real)),
    )
    found, events = registers.intervals(
        channel, at, value, np.array([np.nan]), said=said
    )
    first, last = doubts.ends(found, channel, at, value)
    limit = np.array([round(after_h * HOUR)])
    told = doubts.stuck(found, first, last, limit, said).joined(
        doubts.clock(found, first, last, events)
    )
    return [
        (EVENT_NAMES[kind], at / HOUR, before, after)
        for kind, at, before, after in zip(
            told.kind.tolist(),
            told.at.tolist(),
            told.before.tolist(),
            told.after.tolist(),
            strict=True,
        )
    ]


def test_a_rest_longer_than_the_limit_is_told_once() -> None:
    # it last moved at hour 2; 24 h later it still rests, and so for three days
    hours = range(80)
    values = [10.0, 11.0] + [12.0] * 76 + [13.0, 14.0]
    assert look(hours, values) == [("stuck", 26.0, 12.0, 12.0)]
    assert look(hours, values, after_h=76) == []
    assert look(hours, values, after_h=75) == [("stuck", 77.0, 12.0, 12.0)]


def test_two_rests_are_two_and_one_across_a_silence_counts_too() -> None:
    hours = [0, 1, 24, 25, 26, 60, 61]
    assert look(hours, [5.0, 5.0, 5.0, 5.0, 6.0, 6.0, 7.0]) == [
        ("stuck", 24.0, 5.0, 5.0),
        ("stuck", 60.0, 6.0, 6.0),
    ]


def test_a_register_that_never_counted_may_rest() -> None:
    assert look(range(60), [0.0] * 60) == []


def test_a_person_may_say_that_the_rest_is_real() -> None:
    values = [12.0] * 60
    assert look(range(60), values) == [("stuck", 24.0, 12.0, 12.0)]
    assert look(range(60), values, real=(24.0,)) == []
    assert look(range(60), values, real=(23.0,)) != []


@pytest.mark.parametrize(
    ("hour", "value", "told"),
    [
        # the register gains 10 an hour: what reads 250 at hour 20 was read at hour 25
        (20, 250.0, True),
        (20, 440.0, True),  # 24 hours later
        (20, 441.0, False),  # never within a day: a spike and no more
        (30, 60.0, True),  # a clock that was fast by 24 hours
        (30, 59.0, False),
        (30, 0.0, False),  # a momentary zero
    ],
)
def test_a_wrong_clock_shows_what_the_register_showed_at_another_time(
    hour: int, value: float, told: bool
) -> None:
    values = [10.0 * each for each in range(60)]
    values[hour] = value
    expected = [("clock", float(hour), values[hour - 1], value)]
    assert look(range(60), values) == (expected if told else [])


def test_what_was_shown_before_a_reset_is_no_matter_of_the_clock() -> None:
    values = [1000.0 + 10 * each for each in range(30)] + [10.0 * i for i in range(30)]
    values[35] = 1100.0  # shown at hour 10, but by the register before
    assert [each[0] for each in look(range(60), values)] == []


@given(
    st.lists(st.sampled_from([0, 0, 0, 1, 1, 30, 90]), min_size=2, max_size=120),
    st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, 5.0]), min_size=120, max_size=120),
    st.sets(st.integers(1, 118), max_size=6),
    st.integers(0, 10**6),
)
def test_what_is_told_depends_on_a_bounded_time_around_it(
    pauses: list[int], steps: list[float], odd: set[int], seed: int
) -> None:
    """What is told in a window comes out the same from two days around it."""
    at = np.cumsum([0.5 + each for each in pauses])
    values = 100.0 + np.cumsum(steps[: at.size])
    rng = np.random.default_rng(seed)
    for each in sorted(odd):
        if each < at.size:
            values[each] += rng.choice([-3.0, 3.0, 50.0])
    low = int(rng.integers(0, at.size))
    high = int(rng.integers(low, at.size))
    whole = look(at.tolist(), values.tolist())
    begin, end = at[low], at[high]
    # as the job reads: a day around what is told, and some readings beside that
    before = np.flatnonzero(at < begin)[-6:]
    first = at[before[0]] if before.size else begin
    near = np.flatnonzero((at >= first - 24) & (at < end + 48.01))
    some = slice(max(near[0] - 8, 0), near[-1] + 9)
    part = look(at[some].tolist(), values[some].tolist())

    def inside(told: Told) -> Told:
        return [each for each in told if begin <= each[1] <= end]

    assert inside(part) == inside(whole)
