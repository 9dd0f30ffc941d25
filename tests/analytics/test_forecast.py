from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import demand, forecast
from simulators import scenario, steel
from simulators.world import World

SLOTS = 4  # of a day in the small series
Series = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def series(seed: int, days: int = 45, slots: int = SLOTS) -> Series:
    """Demand, slot, power so far at a third of the window, latest power."""
    draw = np.random.default_rng(seed)
    slot = np.arange(days * SLOTS) % slots
    thirds = 100 * (slot + 1)[:, None] + draw.normal(0, 10, (slot.size, 3))
    return (
        thirds.mean(axis=1),
        slot,
        thirds[:, 0],
        thirds[:, 0] + draw.normal(0, 1, slot.size),
    )


def both(found: forecast.Expected, upto: int | None = None) -> np.ndarray:
    return np.array([each[:upto] for each in found])


# --- what a window will end with


def test_a_load_that_repeats_itself_is_known_beforehand() -> None:
    day = np.array([10.0, 80.0, 40.0, 20.0])
    kw = np.tile(day, 40)
    found = forecast.expected(kw, np.tile(np.arange(SLOTS), 40), first=150)
    assert np.isnan(found.kw[:150]).all()
    assert_allclose(found.kw[150:], kw[150:])
    assert (found.low_kw[150:] <= kw[150:]).all()
    assert (found.high_kw - found.low_kw)[150:].max() < 0.1


def test_the_rest_of_the_window_goes_on_as_in_similar_windows() -> None:
    # by hand: after 200 in the first third the load always rises to 500
    slot = np.zeros(40, np.int64)
    so_far = np.where(np.arange(40) % 2 == 0, 200.0, 100.0)
    rest = np.where(np.arange(40) % 2 == 0, 500.0, 100.0)
    kw = so_far / 3 + rest * 2 / 3
    kw[-2:] = np.nan
    found = forecast.expected(kw, slot, 1 / 3, so_far)
    assert found.kw[-2] == pytest.approx(200 / 3 + 500 * 2 / 3)
    assert np.isnan(found.low_kw[-2])  # fewer than 96 errors are known


@pytest.mark.parametrize("elapsed", [0.0, 1 / 3])
@pytest.mark.parametrize("latest_known", [False, True])
@given(
    seed=st.integers(0, 2**32 - 1),
    split=st.integers(0, 179),
    slots=st.sampled_from([1, 2, SLOTS]),
)
def test_what_comes_later_changes_nothing(
    elapsed: float, latest_known: bool, seed: int, split: int, slots: int
) -> None:
    kw, slot, so_far, latest = series(seed % 5, slots=slots)
    draw = np.random.default_rng(seed)

    def forecasts() -> forecast.Expected:
        known = latest if latest_known else None
        return forecast.expected(kw, slot, elapsed, so_far, known)

    before = both(forecasts(), split + 1)
    kw[split:] = draw.normal(0, 500, kw.size - split)
    so_far[split + 1 :] = draw.normal(0, 500, kw.size - split - 1)
    latest[split + 1 :] = np.nan
    assert_array_equal(both(forecasts(), split + 1), before)


@given(st.integers(0, 179), st.sampled_from([0.0, 1 / 3, 1.0]))
def test_a_later_start_gives_the_same(first: int, elapsed: float) -> None:
    kw, slot, so_far, latest = series(3)
    whole = both(forecast.expected(kw, slot, elapsed, so_far, latest))
    known = ~np.isnan(whole).any(axis=0)
    assert (whole[1] <= whole[0])[known].all()
    assert (whole[0] <= whole[2])[known].all()
    part = both(forecast.expected(kw, slot, elapsed, so_far, latest, first))
    assert_array_equal(part[:, first:], whole[:, first:])
    assert np.isnan(part[:, :first]).all()


def test_older_windows_than_it_says_are_not_looked_at() -> None:
    kw, slot, so_far, _ = series(4, days=4 * 14 * 96 // SLOTS)
    older = forecast.CALIBRATION + (forecast.LIKE_DAYS + 1) * SLOTS
    whole = forecast.expected(kw, slot, 1 / 3, so_far, first=kw.size - 1)
    recent = slice(kw.size - older - 1, None)
    part = forecast.expected(
        kw[recent], slot[recent], 1 / 3, so_far[recent], first=older
    )
    assert_array_equal(both(part)[:, -1], both(whole)[:, -1])


@given(arrays(np.float64, 12, elements=st.floats(-1000, 1000)))
def test_once_it_is_over_a_window_is_its_demand(kw: np.ndarray) -> None:
    found = forecast.expected(kw, np.zeros(12, np.int64), 1.0, kw)
    assert_array_equal(both(found), [kw] * 3)


def test_forecasts_scale_with_the_load() -> None:
    kw, slot, so_far, latest = series(1)
    one = forecast.expected(kw, slot, 1 / 3, so_far, latest)
    other = forecast.expected(4 * kw, slot, 1 / 3, 4 * so_far, 4 * latest)
    assert_array_equal(other.kw, 4 * one.kw)
    assert_allclose(other.low_kw, 4 * one.low_kw, rtol=1e-3)


def test_what_is_not_known_gives_no_forecast_and_is_not_zero() -> None:
    kw, slot, so_far, latest = series(2)
    hidden = latest.copy()
    hidden[-1] = np.nan
    assert np.isnan(forecast.expected(kw, slot, 1 / 3, so_far, hidden).kw[-1])
    so_far[-1] = np.nan
    assert np.isnan(forecast.expected(kw, slot, 1 / 3, so_far).kw[-1])
    last = forecast.expected(kw, slot, first=kw.size - 1).kw[-1]
    kw[-2] = np.nan
    assert np.isnan(forecast.expected(kw, slot).kw[-1])
    # a gap further back is passed over: neither a sign nor an analogue
    kw, slot, *_ = series(2)
    kw[-3] = np.nan
    kw[-40:-36] = np.nan
    assert forecast.expected(kw, slot).kw[-1] == pytest.approx(last, rel=0.1)
    few = forecast.expected(kw[:8], slot[:8])
    assert np.isnan(both(few)).all()
    assert both(forecast.expected(kw[:0], slot[:0])).shape == (3, 0)


def test_a_window_after_a_gap_is_no_analogue() -> None:
    # by hand: 10 then 20 kW for 14 days; then the 10 are unknown and 1000 kW follow
    kw = np.tile([10.0, 20.0], 25)
    kw[28::2], kw[29::2] = np.nan, 1000
    kw[-2:] = 10, np.nan
    slot, latest = np.tile([0, 1], 25), np.full(50, 15.0)
    found = forecast.expected(kw, slot, latest_kw=latest)
    assert found.kw[-1] == 20


@pytest.mark.parametrize("elapsed", [-0.1, 1.1, np.nan])
def test_elapsed_is_a_share(elapsed: float) -> None:
    with pytest.raises(ValueError, match="not a share"):
        forecast.expected(np.ones(3), np.zeros(3, np.int64), elapsed, np.ones(3))


def test_a_window_that_began_needs_its_power_so_far() -> None:
    with pytest.raises(ValueError, match="no power so far"):
        forecast.expected(np.ones(3), np.zeros(3, np.int64), 0.5)


def test_power_so_far_and_latest_power_of_minutes() -> None:
    # 600 kW from minute 10 to 25, seen at minute 5 and 11 of each quarter
    minutes = np.zeros(45)
    minutes[10:25] = 600
    so_far, latest = forecast.progress(minutes / 60, 11)
    assert_allclose(so_far, [600 / 11, 600 * 10 / 11, 0], atol=1e-9)
    assert_allclose(latest, [600, 0, 0], atol=1e-9)
    so_far, latest = forecast.progress(minutes / 60, 0)
    assert np.isnan(so_far).all()
    assert_allclose(latest, [np.nan, 600, 0], atol=1e-9)
    so_far, _ = forecast.progress(minutes / 60, 15)
    assert_allclose(so_far, minutes.reshape(3, 15).mean(axis=1), atol=1e-9)
    minutes[16:22] = np.nan
    so_far, latest = forecast.progress(minutes / 60, 11)
    assert_allclose(so_far, [600 / 11, np.nan, 0], atol=1e-9)


@given(st.floats(0, 1000), st.floats(1, 1000))
def test_a_running_window_that_is_over_has_its_demand(kwh: float, limit: float) -> None:
    kw, slot, *_ = series(0)
    found = forecast.running(kwh, 900, limit, kw[:-1], slot, kw[:-1])
    assert found.expected_kw == found.low_kw == found.high_kw == found.so_far_kw
    assert found.so_far_kw == pytest.approx(kwh * 4)
    assert found.minutes_left == 0
    over = forecast.IMPOSSIBLE if kwh * 4 > limit else forecast.NOT_NEEDED
    assert found.shed_state == found.safe_shed_state == over


def test_a_running_window_is_updated_with_each_reading() -> None:
    kw, slot, so_far, latest = series(5)
    past = (kw[:-1], slot, so_far[:-1], latest[:-1])
    found = forecast.running(so_far[-1] / 12, 300, 300.0, *past, latest[-1])
    wanted = forecast.expected(kw, slot, 1 / 3, so_far, latest)
    assert_allclose(found[1:4], both(wanted)[:, -1])
    assert found.low_kw < found.expected_kw < found.high_kw
    assert found.minutes_left == 10
    assert found.shed_state == found.safe_shed_state == forecast.NEEDED
    assert found.shed_kw == pytest.approx((found.expected_kw - 300) * 1.5)
    assert found.safe_shed_kw > found.shed_kw
    without = forecast.running(so_far[-1] / 12, 300, np.nan, *past)
    assert_allclose(
        without.expected_kw, forecast.expected(kw, slot, 1 / 3, so_far).kw[-1]
    )
    assert without.shed_state == forecast.UNKNOWN
    begun = forecast.running(np.nan, 0, 300.0, kw[:-1], slot)
    assert begun.expected_kw == forecast.expected(kw, slot).kw[-1]
    assert begun.shed_state == forecast.NEEDED
    assert np.isnan(forecast.running(np.nan, 300, 300.0, *past).expected_kw)


# --- what to drop


def test_what_to_drop_by_hand() -> None:
    found = forecast.shed(
        [560.0, 500.0, 900.0, np.nan, 700.0, 400.0, 480.0],
        [450.0, 450.0, 850.0, 450.0, np.nan, 700.0, 480.0],
        [1 / 3, 1 / 3, 2 / 3, 1 / 3, 0.0, 1 / 3, 1.0],
        [500.0, 500.0, 500.0, 500.0, 500.0, 200.0, 500.0],
    )
    names = [forecast.SHED_NAMES[each] for each in found.state]
    assert names == [
        *("needed", "not needed", "impossible", "unknown"),
        *("needed", "impossible", "not needed"),
    ]
    assert_allclose(found.kw, [90, np.nan, np.nan, np.nan, 200, np.nan, np.nan])
    over = forecast.shed(600.0, 600.0, 1.0, 500.0)
    assert over.state == forecast.IMPOSSIBLE


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 0.99), st.floats(1, 1000))
def test_dropping_it_keeps_the_limit(
    so_far: float, rest: float, elapsed: float, limit: float
) -> None:
    end = elapsed * so_far + (1 - elapsed) * rest
    found = forecast.shed(end, so_far, elapsed, limit)
    if found.state == forecast.NEEDED:
        assert 0 <= found.kw <= rest + 1e-6
        after = elapsed * so_far + (1 - elapsed) * (rest - float(found.kw))
        assert after == pytest.approx(limit)
    elif found.state == forecast.IMPOSSIBLE:
        assert elapsed * so_far > limit
    else:
        assert end <= limit


def test_candidates_are_those_that_ran_lower_lately() -> None:
    steps = np.arange(11.0)
    recent = np.array([50 + 0 * steps, 100 - 10 * steps, 20 * steps, 20 * steps])
    recent[3, 0] = np.nan
    found = forecast.candidates(recent, np.array([50.0, 90.0, 180.0, 180.0]))
    # the 10 % quantiles are 50, 10, 20: the first runs as always, the last is unknown
    assert_array_equal(found.part, [2, 1])
    assert_allclose(found.reducible_kw, [160, 80])
    assert_allclose(found.swing_kw, [160, 80])
    assert_allclose(found.together_kw, [160, 240])
    more = forecast.candidates(recent, np.full(4, 180.0), None, 0.9)
    assert_array_equal(more.part, [1, 2, 3, 0])
    covered = np.full(recent.shape, 0.5)
    assert forecast.candidates(recent, np.full(4, 180.0), covered).part.size == 0
    assert forecast.candidates(recent, np.full(4, np.nan)).part.size == 0


@given(arrays(np.float64, (3, 12), elements=st.floats(-100, 100)), st.data())
def test_candidates_follow_their_parts(recent: np.ndarray, data: st.DataObject) -> None:
    latest = data.draw(
        arrays(np.float64, 3, elements=st.floats(-100, 100), unique=True)
    )
    found = forecast.candidates(recent, latest)
    low, high = np.quantile(recent, [0.1, 0.9], axis=1)
    assert (np.diff(found.reducible_kw) <= 0).all()
    assert_allclose(found.reducible_kw, (latest - low)[found.part], atol=1e-9)
    assert_allclose(found.swing_kw, (high - low)[found.part], atol=1e-9)
    assert set(found.part) == set(np.flatnonzero(latest - low > 0))


# --- how good it is


def day_class(days: np.ndarray) -> np.ndarray:
    """Working day, Saturday, Sunday of days since a Monday."""
    return np.asarray(np.maximum(days % 7 - 4, 0))


@pytest.mark.slow
def test_the_plant_years_next_window_beats_the_last() -> None:
    kw = demand.fixed(np.diff(steel.read().hundredths[:, 0]) / 100)
    number = np.arange(kw.size)  # 2018 began on a Monday
    slot = day_class(number // 96) * 96 + number % 96
    score = forecast.backtest(kw, slot, first=28 * 96)
    assert score.windows == kw.size - 28 * 96
    assert score.mae_kw < 0.85 * score.last_window_mae_kw
    assert np.isnan(score.so_far_mae_kw)
    assert 0.75 <= score.band <= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("elapsed", [0, 5, 10])
def test_the_simulated_park_beats_holding_the_power(elapsed: int) -> None:
    monday = datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    start, days = int(monday.timestamp()), 42
    at = np.arange(start, start + days * 86_400 + 1, 60)
    park = World(scenario.load("clean"))
    [meter] = [each for each in park.meters if each.code == "E23-M1"]
    register = meter.channels[0].flow.integral(at) / 3_600_000
    kw = demand.fixed(np.diff(register[::15].astype(np.float64)))
    number = np.arange(kw.size)
    score = forecast.backtest(
        kw,
        day_class(number // 96) * 96 + number % 96,
        elapsed / 15,
        *forecast.progress(np.diff(register.astype(np.float64)), elapsed),
        first=28 * 96,
    )
    assert score.windows == 14 * 96
    assert score.mae_kw < 0.8 * score.latest_mae_kw
    assert score.mae_kw < 0.8 * score.last_window_mae_kw
    assert elapsed == 0 or score.mae_kw < 0.6 * score.so_far_mae_kw
    assert 0.75 <= score.band <= 0.85


def jagged(kind: str, minutes: int) -> np.ndarray:
    """Loads whose past tells little: one machine on and off, a walk, noise."""
    draw = np.random.default_rng(3)
    if kind == "machine":
        return 300.0 * (np.cumsum(draw.random(minutes) < 1 / 30) % 2)
    steps = draw.normal(0, 1, minutes)
    return 1000 + (np.cumsum(steps) if kind == "walk" else 20 * steps)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["machine", "walk", "noise"])
@pytest.mark.parametrize("minute", [0, 5, 10])
def test_where_nothing_can_be_learned_it_loses_little_to_the_best_simple_forecast(
    kind: str, minute: int
) -> None:
    kw_minute = jagged(kind, 56 * 1440)
    of_window = kw_minute.reshape(-1, 15)
    before = np.concatenate(([np.nan], kw_minute[:-1]))[::15]
    kw = of_window.mean(axis=1)
    number = np.arange(kw.size)
    score = forecast.backtest(
        kw,
        day_class(number // 96) * 96 + number % 96,
        minute / 15,
        of_window[:, :minute].mean(axis=1) if minute else None,
        of_window[:, minute - 1] if minute else before,
        first=28 * 96,
    )
    simple = (score.last_window_mae_kw, score.so_far_mae_kw, score.latest_mae_kw)
    # a latest power that is all noise is a bad base, as docs/demand.md says
    bound = 1.4 if kind == "noise" else 1.15
    assert score.mae_kw < bound * np.nanmin(simple)
    assert 0.75 <= score.band <= 0.9


def test_a_backtest_without_windows_says_nothing() -> None:
    score = forecast.backtest(np.ones(4), np.zeros(4, np.int64))
    assert score.windows == 0
    assert np.isnan(score[1:]).all()
