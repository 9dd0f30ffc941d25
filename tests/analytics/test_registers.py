"""Registers to usage: known cases by hand, and the laws as properties."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import registers
from analytics.registers import (
    EVENT_NAMES,
    QUARTER_US,
    VERDICTS,
    Intervals,
    Said,
    Steps,
    Usage,
)

MINUTE = 60_000_000
NONE = Steps(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def ints(*values: int) -> registers.Int64:
    return np.array(values, np.int64)


def floats(*values: float) -> registers.Float64:
    return np.array(values, np.float64)


def use(
    at_minutes: Sequence[float],
    values: Sequence[float],
    *,
    modulus: float = np.nan,
    rated: float = np.nan,
    restarts: bool = False,
    said: tuple[tuple[float, str, float, float], ...] = (),
    measured_up_to_s: float = 1350,
    multiplier: Steps = NONE,
    step_us: int = QUARTER_US,
    momentary: int = 4,
    gaps: bool = False,
) -> tuple[Usage, list[str]]:
    at = (np.array(at_minutes) * MINUTE).astype(np.int64)
    channel = np.zeros(at.size, np.int64)
    limit = ints(round(measured_up_to_s * 1e6))
    found, events = registers.intervals(
        channel,
        at,
        np.array(values, np.float64),
        floats(modulus),
        rated_per_h=floats(rated),
        restarts=np.array([restarts]),
        said=Said(
            np.zeros(len(said), np.int64),
            np.array([round(each[0] * MINUTE) for each in said], np.int64),
            np.array([VERDICTS.index(each[1]) for each in said], np.int64),
            np.array([each[2] for each in said], np.float64),
            np.array([each[3] for each in said], np.float64),
        ),
        momentary=ints(momentary),
        measured_up_to_us=limit if gaps else None,
    )
    used = registers.usage(found, limit, multiplier, step_us=step_us)
    return used, [EVENT_NAMES[kind] for kind in events.kind]


def test_aligned_registers_give_their_differences() -> None:
    used, events = use([0, 15, 30, 45], [100.0, 103.0, 103.0, 110.5])
    assert used.start.tolist() == [0, QUARTER_US, 2 * QUARTER_US]
    assert used.amount.tolist() == [3.0, 0.0, 7.5]
    assert used.measured_s.tolist() == [900, 900, 900]
    assert used.estimated_s.tolist() == [0, 0, 0]
    assert events == []


def test_an_interval_over_an_edge_is_split_in_proportion_to_time() -> None:
    # 10 … 20 min, 6 kWh: half before minute 15, half after
    used, _ = use([10, 20], [0.0, 6.0])
    assert used.amount.tolist() == [3.0, 3.0]
    assert used.measured_s.tolist() == [300, 300]


def test_a_long_gap_keeps_its_energy_and_says_that_the_shape_is_estimated() -> None:
    used, _ = use([0, 60], [10.0, 18.0])
    assert used.amount.tolist() == [2.0, 2.0, 2.0, 2.0]
    assert used.measured_s.sum() == 0
    assert used.estimated_s.tolist() == [900] * 4


def test_each_interval_longer_than_measured_is_told_with_its_values() -> None:
    _, events = use([0, 22.5, 45.1, 60], [10.0, 11.0, 18.0, 20.0], gaps=True)
    assert events == ["gap"]
    at, values = [0, 15, 75], [10.0, 11.0, 2.0]
    assert use(at, values, gaps=True)[1] == ["reset"]  # its energy is unknown
    assert use(at, values, gaps=True, restarts=True)[1] == ["reset", "gap"]


def test_how_a_meter_is_read_is_no_gap_but_stays_estimated() -> None:
    # each hour and a little; then one is missing, then hours again; then each five minutes
    at = [0, 60, 120.5, 180, 300, 360, 420, 425, 430, 490, 495]
    values = [float(i) for i in range(len(at))]
    used, events = use(at, values, gaps=True)
    assert events == ["gap"] * 3  # the last hour too: then it is read more often
    assert used.measured_s.sum() == 3 * 300.0
    assert used.estimated_s.sum() == (420 + 60) * 60.0
    found, told = registers.intervals(
        np.zeros(len(at), np.int64),
        (np.array(at) * MINUTE).astype(np.int64),
        np.array(values),
        floats(np.nan),
        measured_up_to_us=ints(1_350_000_000),
    )
    assert (told.at / MINUTE).tolist() == [300, 420, 490]
    assert found.start.size == 10
    # where no other reading stands beside it nobody knows how the meter is read
    assert use([0, 60], [10.0, 18.0], gaps=True)[1] == ["gap"]
    # of another meter's readings it does not depend, whatever stands beside
    both, values = [0, 60, 120, 0, 5, 65, 70], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0]
    _, told = registers.intervals(
        ints(0, 0, 0, 1, 1, 1, 1),
        (np.array(both) * MINUTE).astype(np.int64),
        np.array(values),
        floats(np.nan, np.nan),
        measured_up_to_us=ints(1_350_000_000, 1_350_000_000),
    )
    assert (told.channel.tolist(), (told.at / MINUTE).tolist()) == ([1], [65])


def test_how_many_odd_readings_are_momentary_is_set_for_each_meter() -> None:
    at = [15.0 * i for i in range(7)]
    values = [10.0, 11.0, 0.0, 12.0, 13.0, 14.0, 15.0]
    used, events = use(at, values, momentary=1)
    assert (used.amount.sum(), events) == (5.0, ["glitch"])
    values = [10.0, 11.0, 0.0, 12.0, 0.0, 13.0, 14.0]  # three in a row are odd
    used, events = use(at, values, momentary=3)
    assert (used.amount.sum(), events) == (4.0, ["glitch", "spike", "glitch"])
    used, events = use(at, values, momentary=2)
    # from 15 to 75 minutes nothing is known
    assert (used.amount.sum(), events) == (2.0, ["erratic"] * 3)


def test_rollover_of_a_register_with_known_digits() -> None:
    used, events = use([0, 15, 30], [999_990.0, 5.0, 20.0], modulus=1e6)
    assert used.amount.tolist() == [15.0, 15.0]
    assert events == ["rollover"]


def test_a_fall_that_is_no_rollover_is_unknown_not_zero_and_not_huge() -> None:
    used, events = use([0, 15, 30, 45], [500.0, 510.0, 2.0, 5.0])
    assert used.start.tolist() == [0, 2 * QUARTER_US]
    assert used.amount.tolist() == [10.0, 3.0]
    assert events == ["reset"]


def test_a_register_that_restarts_counts_what_it_shows_after_a_fall() -> None:
    # the documented rule of Home Assistant's total_increasing: 1000, 1010, 0, 5 → 0, 10, 10, 15
    used, events = use([0, 15, 30, 45], [1000.0, 1010.0, 0.0, 5.0], restarts=True)
    assert np.cumsum(used.amount).tolist() == [10.0, 10.0, 15.0]
    assert events == ["reset"]
    used, _ = use([0, 15, 30], [1000.0, 4.0, 5.0], restarts=True)
    assert used.amount.tolist() == [4.0, 1.0]


def test_a_rollover_is_plausible_by_the_rating() -> None:
    # 80 of 100 units wrapped in a quarter of an hour: too much for the tenth of the range
    at, values = [0, 15, 30], [30.0, 10.0, 20.0]
    assert use(at, values, modulus=100.0)[1] == ["reset"]
    used, events = use(at, values, modulus=100.0, rated=400.0)
    assert (used.amount.tolist(), events) == ([80.0, 10.0], ["rollover"])
    assert use(at, values, modulus=100.0, rated=200.0)[1] == ["reset"]


def test_more_than_the_rating_allows_is_unknown() -> None:
    at, values = [0, 15, 30, 45], [0.0, 10.0, 500.0, 510.0]
    used, events = use(at, values, rated=100.0)
    assert (used.amount.tolist(), events) == ([10.0, 10.0], ["jump"])
    used, events = use(at, values, rated=100.0, said=((30, "real", 0, 0),))
    assert (used.amount.tolist(), events) == ([10.0, 490.0, 10.0], [])


def test_one_step_of_a_slow_register_read_often_is_no_jump() -> None:
    # 0.9 units/h read every 5 s: 0.00125 each time, and the register shows hundredths
    seconds = np.arange(0, 3601, 5)
    shown = np.floor((7.0 + 0.9 / 3600 * seconds) * 100 + 1e-9) / 100
    used, events = use((seconds / 60).tolist(), shown.tolist(), rated=1.0)
    assert (events, used.amount.sum()) == ([], pytest.approx(0.9))
    # from 0 on, and over the end of its digits
    used, events = use([0, 1 / 12, 1 / 6], [0.0, 0.01, 0.01], rated=1.0)
    assert (events, used.amount.tolist()) == ([], [0.01])
    used, events = use([0, 1 / 12], [99.99, 0.0], rated=1.0, modulus=100.0)
    assert (events, used.amount.tolist()) == (["rollover"], [pytest.approx(0.01)])
    # two steps at once are one too many, and a register of many decimals has none to spare
    for after in (7.02, 7.0123456789):
        used, events = use([0, 1 / 12], [7.0, after], rated=1.0)
        assert (events, used.amount.tolist()) == (["jump"], [])


@given(st.integers(0, 6), st.integers(0, 10**9))
def test_the_step_of_a_register_is_its_last_decimal(decimals: int, shown: int) -> None:
    before, after = (Decimal(each).scaleb(-decimals) for each in (shown, shown + 1))
    step = registers._step(floats(float(before)), floats(float(after)))
    assert step == 10.0**-decimals


STUCK = [*range(0, 75, 15), *range(75, 1275, 15)]  # from minute 60 on it shows the same
SHOWN = [100.0, 101.0, 102.0, 103.0, 104.0] + [104.0] * 79 + [184.0]


def test_a_register_that_was_stuck_counts_when_it_catches_up() -> None:
    # 4 kW; for 20 h it shows 104, then 184. It may be stuck since shortly behind 103: 81 kWh
    # in 81 quarters of an hour, straight 1 in each
    at, values = [*STUCK, 1275], [*SHOWN, 185.0]
    used, events = use(at, values, rated=100.0, gaps=True)
    assert events == ["catch-up"]
    assert used.amount.tolist() == pytest.approx([1.0] * 85)
    assert used.amount.sum() == pytest.approx(85.0, rel=1e-12)
    assert used.estimated_s.tolist() == [0] * 3 + [900] * 81 + [0]
    assert used.measured_s.tolist() == [900] * 3 + [0] * 81 + [900]
    # until it does, the hours are a rest
    used, events = use(at[:-2], values[:-2], rated=100.0, gaps=True)
    assert (used.amount.sum(), used.estimated_s.sum(), events) == (4.0, 0.0, [])


def test_a_catch_up_is_told_with_what_it_showed_and_shows() -> None:
    at = (np.array(STUCK) * MINUTE).astype(np.int64)
    found, told = registers.intervals(
        np.zeros(at.size, np.int64),
        at,
        np.array(SHOWN),
        floats(np.nan),
        rated_per_h=floats(100.0),
        measured_up_to_us=ints(1_350_000_000),
    )
    assert (found.start[-1] / MINUTE, found.stop[-1] / MINUTE) == (45, 1260)
    assert found.amount.tolist() == [1.0, 1.0, 1.0, 81.0]
    assert (told.at / MINUTE).tolist() == [1260]
    assert (told.before.tolist(), told.after.tolist()) == ([104.0], [184.0])


def test_what_the_rating_does_not_allow_for_the_whole_time_is_no_catch_up() -> None:
    # 80.5 kWh in 20.25 h: 1.1 x 3.7 kW are 82.4, 1.1 x 3.6 are 80.2
    values = [102.0, 102.5, 103.0, 103.5, *SHOWN[4:]]
    assert use(STUCK, values, rated=3.7)[1] == ["catch-up"]
    used, events = use(STUCK, values, rated=3.6)
    assert (used.amount.sum(), used.estimated_s.sum(), events) == (2.0, 0.0, ["jump"])


def test_a_coarse_register_at_full_load_catches_up_by_one_step_more() -> None:
    # 1 kW counts 2 whole kWh in 2 h, and shows 3 more than before: 4.9 is shown as 4
    at, values = [15.0 * i for i in range(12)], [4.0, *[5.0] * 8, 7.0, 7.0, 7.0]
    for rated, events in ((1.0, ["catch-up"]), (0.8, ["jump"])):
        used, found = use(at, values, rated=rated)
        assert (used.amount.sum(), found) == (3.0 if rated == 1.0 else 1.0, events)


@pytest.mark.parametrize(
    ("values", "rated"),
    [
        ([7.0, 7.0, 7.0, 7.0, 50.0], 100.0),  # nobody knows since when it is stuck
        ([90.0, 7.0, 7.0, 7.0, 50.0], 100.0),  # it shows something else since a fall
        ([6.0, 7.0, 50.0, 51.0, 52.0], 100.0),  # never the same
        ([-1.0, 0.0, 0.0, 0.0, 50.0], 100.0),  # what a device shows without a value
        ([6.0, 7.0, 3.0, 7.0, 7.0, 50.0], 100.0),  # it came back from a glitch
        ([6.0, 7.0, 7.0, 3.0, 80.0, 81.0], 100.0),  # or caught up behind one
    ],
)
def test_a_jump_that_ends_no_plain_row_of_equal_readings_stays_one(
    values: list[float], rated: float
) -> None:
    used, events = use([15.0 * i for i in range(len(values))], values, rated=rated)
    assert "jump" in events
    assert "catch-up" not in events
    assert used.amount.sum() < 10


def test_a_register_is_not_stuck_for_more_than_four_weeks() -> None:
    days = [0.0, 0.01, *range(1, 28)]
    values = [6.0] + [7.0] * (len(days) - 1)
    for last, kind in ((28.0, ["catch-up"]), (28.01, ["jump"])):
        at = [*(1440 * each for each in days), 1440 * 27.995, 1440 * last]
        assert use(at, [*values, 7.0, 60.0], rated=100.0)[1] == kind


def test_a_short_row_counts_as_measured_like_any_short_interval() -> None:
    # a register of whole kWh that is shown anew each third minute, at 40 kW
    at = [float(i) for i in range(13)]
    values = [5.0] * 3 + [7.0] * 3 + [9.0] * 3 + [11.0] * 4
    used, events = use(at, values, rated=45.0, gaps=True)
    # nobody knows when it came to 5
    assert (used.amount.sum(), events) == (4.0, ["jump", "catch-up", "catch-up"])
    assert used.estimated_s.sum() == 0.0


@pytest.mark.parametrize(
    ("said", "amounts", "estimated_s", "events"),
    [
        ((), [7.75, 7.75, 7.75, 7.75], 3600, ["catch-up"]),
        # a quarter of an hour used all of it
        (((60, "real", 0, 0),), [1.0, 0.0, 0.0, 30.0], 0, []),
        (((60, "reset", 0, 0),), [1.0, 0.0, 0.0], 0, ["jump"]),
        (((60, "replacement", 8.0, 36.0),), [1.0, 0.0, 0.0, 2.0], 0, ["replacement"]),
        # it rested until minute 30, and was stuck since
        (((30, "real", 0, 0),), [1.0, 0.0, 15.0, 15.0], 1800, ["catch-up"]),
        (((45, "real", 0, 0),), [1.0, 0.0, 0.0], 0, ["jump"]),
    ],
)
def test_what_a_person_says_of_a_catch_up_stands_for_the_rule(
    said: tuple[tuple[float, str, float, float], ...],
    amounts: list[float],
    estimated_s: float,
    events: list[str],
) -> None:
    at, values = [0, 15, 30, 45, 60], [6.0, 7.0, 7.0, 7.0, 37.0]
    used, found = use(at, values, rated=100.0, said=said, gaps=True)
    assert used.amount.tolist() == pytest.approx(amounts)
    assert (used.estimated_s.sum(), found) == (estimated_s, events)


@given(
    st.lists(st.integers(1, 100), min_size=8, max_size=80),
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 12)), max_size=8),
    st.integers(1, 60),
)
def test_conservation_across_a_register_that_is_stuck(
    load: list[int], frozen: list[tuple[int, int]], minutes: int
) -> None:
    """Whenever it is stuck, usage adds up to last - first, and no second is lost."""
    true = 10.0 + np.concatenate([[0.0], np.cumsum(load)])
    shown, begin = true.copy(), 0
    for pause, length in frozen:
        begin += pause
        shown[begin : begin + length] = true[min(begin, true.size - 1)]
        begin += length
    at = [float(minutes * i) for i in range(true.size)]
    used, events = use(at, shown.tolist(), rated=100 * 60 / minutes, gaps=minutes <= 22)
    assert set(events) <= {"catch-up"}
    assert used.amount.sum() == pytest.approx(shown[-1] - shown[0], rel=1e-12)
    known = used.measured_s + used.estimated_s
    assert known.sum() == pytest.approx(at[-1] * 60)
    assert (used.amount >= 0).all()


def test_a_day_between_two_readings_is_split_and_not_lost() -> None:
    used, _ = use([0, 2880], [43_783.48, 43_864.75], step_us=1440 * MINUTE)
    assert used.amount.sum() == pytest.approx(81.27)
    assert used.amount.size == 2


@pytest.mark.parametrize(
    ("said", "amounts", "events"),
    [
        ((), [10.0, 3.0], ["reset"]),
        (((30, "rollover", 0, 0),), [10.0, 999_492.0, 3.0], ["rollover"]),
        (((30, "left out", 0, 0),), [10.0], ["glitch", "reset"]),
        (((30, "reset", 0, 0),), [10.0, 3.0], ["reset"]),
        (((20, "replacement", 511.0, 1.0),), [10.0, 2.0, 3.0], ["replacement"]),
        (((30, "replacement", 511.0, 1.0),), [10.0, 2.0, 3.0], ["replacement"]),
        # a final value below what was read before: the person is wrong, nothing is known
        (((20, "replacement", 400.0, 1.0),), [10.0, 3.0], ["replacement"]),
        (((50, "replacement", 511.0, 1.0),), [10.0, 3.0], ["reset"]),
    ],
)
def test_what_a_person_says_stands_for_the_rule(
    said: tuple[tuple[float, str, float, float], ...],
    amounts: list[float],
    events: list[str],
) -> None:
    used, found = use([0, 15, 30, 45], [500.0, 510.0, 2.0, 5.0], modulus=1e6, said=said)
    assert used.amount[used.amount > 0].tolist() == amounts
    assert found == events


def test_a_spike_that_is_real_is_not_left_out() -> None:
    used, events = use([0, 15, 30, 45], [100.0, 9000.0, 101.0, 102.0])
    assert (used.amount.sum(), events) == (2.0, ["spike"])
    used, events = use(
        [0, 15, 30, 45], [100.0, 9000.0, 101.0, 102.0], said=((15, "real", 0, 0),)
    )
    assert (used.amount.tolist(), events) == ([8900.0, 1.0], ["reset"])


@given(
    st.lists(st.floats(0, 1000), min_size=3, max_size=40),
    st.lists(
        st.tuples(st.integers(0, 39), st.sampled_from(VERDICTS[:4])),
        max_size=5,
        unique_by=lambda each: each[0],
    ),
    st.booleans(),
)
def test_no_verdict_makes_energy_negative_or_counts_a_stretch_twice(
    values: list[float], verdicts: list[tuple[int, str]], restarts: bool
) -> None:
    at = [15.0 * i for i in range(len(values))]
    said = tuple((15.0 * i, verdict, 0.0, 0.0) for i, verdict in sorted(verdicts))
    used, _ = use(at, values, modulus=1e4, restarts=restarts, said=said)
    assert (used.amount >= 0).all()
    known = used.measured_s + used.estimated_s
    assert (known <= 900).all()


def test_a_momentary_zero_makes_no_spike() -> None:
    # the total of 13 423.7 kWh that read 0 once must not make a 53.7 MW quarter
    used, events = use([0, 15, 30, 45], [13423.0, 13423.7, 0.0, 13424.9])
    assert used.amount.max() < 1.0
    assert used.amount.sum() == pytest.approx(1.9)
    assert events == ["glitch"]


def test_a_momentary_rise_is_left_out() -> None:
    used, events = use([0, 15, 30, 45], [100.0, 9000.0, 101.0, 102.0])
    assert used.amount.sum() == pytest.approx(2.0)
    assert events == ["spike"]


def test_silence_between_two_values() -> None:
    # a meter that answers 3.737, silence, 0.000, 3.746 used 0.009
    used, _ = use([0, 30, 45], [3.737, 0.0, 3.746])
    assert used.amount.sum() == pytest.approx(0.009)


def test_a_multiplier_applies_from_the_instant_it_changes() -> None:
    steps = Steps(ints(0, 0), ints(0, 20 * MINUTE), floats(80.0, 100.0))
    # 15 … 30 min: 3 units, of which a third before minute 20
    used, _ = use([0, 15, 30], [0.0, 1.0, 4.0], multiplier=steps)
    assert used.amount.tolist() == pytest.approx([80.0, 80.0 + 200.0])


def test_channels_do_not_touch_each_other() -> None:
    channel = ints(0, 0, 1, 1)
    at = ints(0, QUARTER_US, QUARTER_US, 2 * QUARTER_US)
    found, _ = registers.intervals(
        channel, at, floats(1, 2, 50, 60), floats(np.nan, np.nan)
    )
    assert found.channel.tolist() == [0, 1]
    assert found.amount.tolist() == [1.0, 10.0]


def test_deltas_that_overlap_are_counted_once() -> None:
    q = QUARTER_US
    found, events = registers.amounts(
        ints(0, 0, 0, 1),
        ints(0, q // 2, q, 0),
        ints(q, q, 2 * q, q),
        floats(4, 9, 5, 1),
    )
    assert found.amount.tolist() == [4.0, 5.0, 1.0]
    assert [EVENT_NAMES[kind] for kind in events.kind] == ["overlap"]


def test_nothing_gives_nothing() -> None:
    empty = np.empty(0, np.int64)
    found, events = registers.intervals(empty, empty, np.empty(0), np.empty(0))
    assert registers.usage(found, empty, NONE).amount.size == 0
    assert events.at.size == 0
    assert registers.amounts(empty, empty, empty, np.empty(0))[0].start.size == 0


@st.composite
def rising(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    """Distinct times and a register that never falls."""
    at = sorted(draw(st.sets(st.integers(0, 40 * 60), min_size=2, max_size=60)))
    steps = draw(
        st.lists(
            st.floats(0, 1000, allow_nan=False), min_size=len(at), max_size=len(at)
        )
    )
    return at, np.cumsum(steps).tolist()


@given(rising())
def test_conservation(readings: tuple[list[int], list[float]]) -> None:
    """The sum of usage is last − first; no second is counted twice."""
    at, values = readings
    used, events = use([each / 1 for each in at], values)
    assert events == []
    assert used.amount.sum() == pytest.approx(
        values[-1] - values[0], rel=1e-9, abs=1e-9
    )
    seconds = used.measured_s + used.estimated_s
    assert seconds.max() <= 900 + 1e-9
    assert seconds.sum() == pytest.approx((at[-1] - at[0]) * 60)
    assert (used.amount >= -1e-9).all()


@given(rising(), st.integers(1, 5))
def test_a_finer_grid_adds_up_to_the_coarser(
    readings: tuple[list[int], list[float]], parts: int
) -> None:
    at, values = readings
    coarse, _ = use([each / 1 for each in at], values)
    fine, _ = use([each / 1 for each in at], values, step_us=QUARTER_US // parts)
    total = np.bincount(
        np.searchsorted(coarse.start, fine.start, "right") - 1, weights=fine.amount
    )
    np.testing.assert_allclose(total, coarse.amount, rtol=1e-9, atol=1e-9)


@given(rising(), st.integers(0, 10**6))
def test_a_part_computed_with_its_context_equals_the_whole_bit_for_bit(
    readings: tuple[list[int], list[float]], seed: int
) -> None:
    """Recomputing a range from the readings around it gives the stored bits."""
    at, values = readings
    whole, _ = use([each / 1 for each in at], values)
    rng = np.random.default_rng(seed)
    low = int(rng.integers(0, len(at) - 1))
    high = int(rng.integers(low + 1, len(at))) + 1
    part, _ = use([each / 1 for each in at[low:high]], values[low:high])
    first, last = at[low] * MINUTE, at[high - 1] * MINUTE
    inside = (whole.start >= first) & (whole.start + QUARTER_US <= last)
    shared = np.isin(part.start, whole.start[inside])
    assert part.start[shared].tolist() == whole.start[inside].tolist()
    assert part.amount[shared].tolist() == whole.amount[inside].tolist()


@given(st.integers(0, 2000), st.integers(1, 2000))
def test_a_cut_interval_adds_up(cut: int, length: int) -> None:
    found = Intervals(ints(0), ints(0), ints(length * MINUTE), floats(7.0))
    steps = Steps(ints(0), ints(cut * MINUTE), floats(1.0))
    used = registers.usage(found, ints(1), steps)
    assert used.amount.sum() == pytest.approx(7.0)
