from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import demand, peaks
from simulators import steel

# in eighths, as no meter shows 1e-300 kW and sums of these are exact
POWERS = st.integers(0, 8000).map(lambda eighths: eighths / 8)
SIGNED = st.integers(-8000, 8000).map(lambda eighths: eighths / 8)
MAYBE = st.one_of(POWERS, st.just(np.nan))


def games(
    elements: st.SearchStrategy[float] = SIGNED, most: int = 5
) -> st.SearchStrategy[np.ndarray]:
    shape = array_shapes(min_dims=2, max_dims=2, max_side=most)
    return arrays(np.float64, shape, elements=elements)


# --- who made the peak

# by hand: the park peaks in window 1 at 100 = 60 + 20 + 20 of the rest
PARTS = np.array([[10.0, 60.0, 50.0], [50.0, 20.0, 30.0]])
MAIN = np.array([70.0, 100.0, 90.0])


def test_who_made_the_peak_by_hand() -> None:
    made = peaks.makers(PARTS, MAIN)
    assert (made.window, made.kw) == (1, 100.0)
    assert_array_equal(made.part_kw, [60, 20, 20])
    assert_allclose(made.share, [0.6, 0.2, 0.2])
    assert_array_equal(made.own_window, [1, 0, 1])
    assert_array_equal(made.own_kw, [60, 50, 20])
    assert made.coincidence == pytest.approx(100 / 130)
    assert made.diversity == pytest.approx(1.3)
    assert made.coverage == 1
    assert_array_equal(made.part_coverage, [1, 1, 1])


def test_a_part_unknown_in_the_peak_makes_the_rest_unknown_not_larger() -> None:
    parts = PARTS.copy()
    parts[1, 1] = np.nan
    made = peaks.makers(parts, MAIN, minimum_coverage=0.6)
    assert made.kw == 100
    assert_array_equal(made.part_kw, [60, np.nan, np.nan])
    assert_array_equal(made.share, [0.6, np.nan, np.nan])
    assert_array_equal(made.own_kw, [60, 50, 10])  # each where it is known
    assert np.isnan(made.coincidence)
    assert np.isnan(made.diversity)
    for weight in peaks.weights(parts, MAIN, minimum_coverage=0.6):
        assert np.isnan(weight).all()


def test_half_known_windows_are_passed_over_and_too_many_of_them_refused() -> None:
    covered = np.array([1.0, 0.9, 1.0])
    assert peaks.makers(PARTS, MAIN, None, covered).window == -1
    assert np.isnan(peaks.makers(PARTS, MAIN, None, covered).part_kw).all()
    made = peaks.makers(PARTS, MAIN, np.ones((2, 3)), covered, 0.91)
    assert made.window == -1
    parts = np.tile(PARTS, 20)
    main = np.tile(MAIN, 20)
    covered = np.ones(60)
    covered[1] = 0.5
    made = peaks.makers(parts, main, None, covered)
    assert (made.window, made.kw) == (4, 100)
    # a part with too few windows has no own peak, and nobody can call it coincident
    parts_covered = np.ones((2, 60))
    parts_covered[0, 5:] = 0.5
    made = peaks.makers(parts, main, parts_covered, covered)
    assert np.isnan(made.own_kw[[0, 2]]).all()
    assert made.own_window[0] == -1
    assert made.own_kw[1] == 50
    assert made.coverage == pytest.approx(59 / 60)
    assert_allclose(made.part_coverage, [5 / 60, 1, 4 / 60])
    assert np.isnan(made.coincidence)


def test_a_part_that_moved_in_is_measured_by_its_own_time() -> None:
    # the second part counts from window 1 on: rest 70-10, 100-80, 90-80, by hand
    parts = np.array([[10.0, 60.0, 50.0], [np.nan, 20.0, 30.0]])
    counted = np.array([[True, True, True], [False, True, True]])
    made = peaks.makers(parts, MAIN, counted=counted)
    assert_array_equal(made.part_kw, [60, 20, 20])
    assert_array_equal(made.own_kw, [60, 30, 60])
    assert_array_equal(made.own_window, [1, 2, 0])
    assert_array_equal(made.part_coverage, [1, 1, 1])
    assert made.coincidence == pytest.approx(100 / 150)
    found = peaks.weights(parts, MAIN, counted=counted)
    assert_array_equal(found.coincident, [60, 20, 20])
    assert_array_equal(found.own, [60, 30, 60])
    game = peak_game(np.array([[10.0, 60, 50], [0, 20, 30], [60, 20, 10]]))
    assert_allclose(found.shapley, plain_shapley(3, game))
    # whatever stands where it did not count says nothing
    parts[1, 0] = 5000
    again = peaks.makers(parts, MAIN, counted=counted)
    for one, other in zip(made, again, strict=True):
        assert_array_equal(one, other)


def test_a_part_that_moved_out_before_the_peak_has_no_share_of_it() -> None:
    parts = np.array([[10.0, 60.0, 50.0], [50.0, np.nan, np.nan]])
    counted = np.array([[True, True, True], [True, False, False]])
    made = peaks.makers(parts, MAIN, counted=counted)
    assert_array_equal(made.part_kw, [60, 0, 40])
    assert_array_equal(made.own_kw, [60, 50, 40])
    assert made.coincidence == pytest.approx(100 / 150)


def test_a_part_that_is_unknown_while_it_counts_stays_unknown() -> None:
    parts = np.array([[10.0, 60.0, 50.0], [np.nan, np.nan, 30.0]])
    counted = np.array([[True, True, True], [False, True, True]])
    made = peaks.makers(parts, MAIN, counted=counted)
    assert_array_equal(made.part_kw, [60, np.nan, np.nan])
    assert_array_equal(made.own_kw, [60, np.nan, np.nan])
    assert_allclose(made.part_coverage, [1, 0.5, 2 / 3])
    assert np.isnan(made.coincidence)
    for weight in peaks.weights(parts, MAIN, counted=counted):
        assert np.isnan(weight).all()


def test_a_park_that_gives_power_has_a_peak_but_no_shares() -> None:
    made = peaks.makers(-PARTS, -MAIN)
    assert (made.window, made.kw) == (0, -70)
    assert np.isnan(made.share).all()
    assert np.isnan(made.coincidence)


@given(games(POWERS, 6), st.data())
def test_makers_add_up_and_are_coincident_at_most_once(
    parts: np.ndarray, data: st.DataObject
) -> None:
    rest = data.draw(arrays(np.float64, parts.shape[1], elements=POWERS))
    main = parts.sum(axis=0) + rest
    made = peaks.makers(parts, main)
    assert made.kw == main.max()
    assert made.part_kw.sum() == pytest.approx(made.kw)
    if made.kw > 0:
        assert made.share.sum() == pytest.approx(1)
        assert made.coincidence <= 1 + 1e-9
        assert made.diversity >= 1 - 1e-9
    order = data.draw(st.permutations(range(parts.shape[0])))
    again = peaks.makers(parts[order], main)
    assert_array_equal(again.part_kw[:-1], made.part_kw[:-1][order])
    assert_array_equal(again.own_window[:-1], made.own_window[:-1][order])
    assert_array_equal(again.own_kw[:-1], made.own_kw[:-1][order])
    assert again.kw == made.kw


@given(games(MAYBE, 6), st.floats(0, 1), st.data())
def test_what_is_unknown_is_never_taken_as_zero(
    parts: np.ndarray, minimum: float, data: st.DataObject
) -> None:
    main = data.draw(arrays(np.float64, parts.shape[1], elements=MAYBE))
    made = peaks.makers(parts, main, minimum_coverage=minimum)
    # any number in the place of the unknown would give the same answer
    filled = np.where(np.isnan(parts), 1e6, parts)
    covered = np.where(np.isnan(parts), -1.0, 1.0)
    again = peaks.makers(filled, main, covered, minimum_coverage=minimum)
    for one, other in zip(made, again, strict=True):
        assert_array_equal(one, other)
    if made.window >= 0:
        assert_array_equal(np.isnan(made.part_kw[:-1]), np.isnan(parts[:, made.window]))
        unknown = np.isnan(parts[:, made.window]).any()
        assert np.isnan(made.part_kw[-1]) == unknown


# --- how its charge is divided


def plain_shapley(parts: int, value: Callable[[frozenset[int]], float]) -> np.ndarray:
    """The definition: what each adds, over all orders in which they may come."""
    phi = np.zeros(parts)
    orders = list(permutations(range(parts)))
    for order in orders:
        before: frozenset[int] = frozenset()
        for part in order:
            phi[part] += value(before | {part}) - value(before)
            before |= {part}
    return phi / len(orders)


def peak_game(kw: np.ndarray) -> Callable[[frozenset[int]], float]:
    def value(group: frozenset[int]) -> float:
        columns = range(kw.shape[1])
        return max(sum(kw[i, k] for i in group) for k in columns) if group else 0.0

    return value


def test_shapley_by_hand() -> None:
    # v(A) = 10, v(B) = 6, v(AB) = 10: A adds 10 or 4, B adds 0 or 6
    assert_allclose(peaks.shapley(np.array([[10.0, 0.0], [0.0, 6.0]])), [7, 3])
    assert_allclose(peaks.shapley(np.array([[10.0], [-5.0]])), [10, -5])
    # a generator that takes 2 off the peak is given half of that
    assert_allclose(peaks.shapley(np.array([[10.0, 8.0], [-5.0, 0.0]])), [9, -1])
    assert peaks.shapley(np.empty((0, 4))).shape == (0,)


@pytest.mark.parametrize("parts", [1, 5, 12, 16])
def test_shapley_of_separate_peaks_is_the_airport_game(parts: int) -> None:
    # Littlechild and Owen (1973), doi 10.1287/mnsc.20.3.370: each step of the runway is
    # paid in equal parts by all who need it
    need = np.cumsum(np.arange(1.0, parts + 1))
    steps = np.diff(need, prepend=0.0) / np.arange(parts, 0, -1)
    assert_allclose(peaks.shapley(np.diag(need)), np.cumsum(steps))


@given(games())
def test_shapley_is_the_mean_over_all_orders(kw: np.ndarray) -> None:
    wanted = plain_shapley(kw.shape[0], peak_game(kw))
    assert_allclose(peaks.shapley(kw), wanted, atol=1e-8)


@given(games(), st.data())
def test_axioms_of_shapley(kw: np.ndarray, data: st.DataObject) -> None:
    phi = peaks.shapley(kw)
    assert phi.sum() == pytest.approx(kw.sum(axis=0).max(), abs=1e-8)  # efficiency
    twins = peaks.shapley(np.vstack([kw, kw[:1]]))
    assert twins[0] == pytest.approx(twins[-1], abs=1e-8)  # symmetry
    idle = peaks.shapley(np.vstack([kw, np.zeros(kw.shape[1])]))
    assert idle[-1] == pytest.approx(0, abs=1e-8)  # null player
    assert_allclose(idle[:-1], phi, atol=1e-8)
    order = data.draw(st.permutations(range(kw.shape[0])))
    assert_allclose(peaks.shapley(kw[order]), phi[order], atol=1e-8)


@given(st.integers(1, 4), st.data())
def test_shapley_of_two_months_is_that_of_each_added(
    parts: int, data: st.DataObject
) -> None:
    months = [data.draw(arrays(np.float64, (parts, 3), elements=SIGNED)) for _ in "12"]
    first, second = (peak_game(kw) for kw in months)
    both = plain_shapley(parts, lambda group: first(group) + second(group))
    assert_allclose(sum(peaks.shapley(kw) for kw in months), both, atol=1e-8)


def test_shapley_looks_only_where_all_are_known_and_refuses_below_coverage() -> None:
    kw = np.tile([[10.0, 0.0], [0.0, 6.0]], 20)
    hidden = kw.copy()
    hidden[1, 0] = np.nan
    assert_allclose(peaks.shapley(hidden), [7, 3])
    hidden[1, :6] = np.nan
    assert np.isnan(peaks.shapley(hidden)).all()
    covered = np.where(np.isnan(hidden), 0.5, 1.0)
    assert np.isnan(peaks.shapley(kw, covered)).all()
    for found in peaks.shapley_sampled(hidden):
        assert np.isnan(found).all()


def test_too_many_parts_are_sampled_with_an_error_that_holds() -> None:
    kw = np.random.default_rng(7).uniform(0, 100, (17, 96))
    with pytest.raises(ValueError, match=r"17 parts.*shapley_sampled"):
        peaks.shapley(kw)
    exact = peaks.shapley(kw[:12])
    value, error = peaks.shapley_sampled(kw[:12])
    assert value.sum() == pytest.approx(kw[:12].sum(axis=0).max())
    assert (error > 0).all()
    assert (np.abs(value - exact) < 4 * error).all()
    assert error.max() < 0.03 * exact.max()
    assert_array_equal(value, peaks.shapley_sampled(kw[:12])[0])
    main = kw.sum(axis=0) + 50
    shares = peaks.weights(kw, main)
    assert shares.shapley.sum() == pytest.approx(main.max())
    assert (shares.shapley_error[:-1] > 0).all()


def test_three_ways_to_divide_by_hand() -> None:
    found = peaks.weights(PARTS, MAIN)
    assert_array_equal(found.coincident, [60, 20, 20])
    assert_array_equal(found.own, [60, 50, 20])
    game = peak_game(np.vstack([PARTS, MAIN - PARTS.sum(axis=0)]))
    assert_allclose(found.shapley, plain_shapley(3, game))
    assert_array_equal(found.shapley_error, [0, 0, 0])
    assert_array_equal(peaks.split(4000.0, found.coincident), [2400, 800, 800])
    assert_array_equal(peaks.split(4000.0, found.own), [1846.15, 1538.46, 615.39])


@given(games(), st.data())
def test_two_of_the_ways_add_up_to_the_peak(
    parts: np.ndarray, data: st.DataObject
) -> None:
    main = data.draw(arrays(np.float64, parts.shape[1], elements=SIGNED))
    found = peaks.weights(parts, main)
    assert found.coincident.sum() == pytest.approx(main.max(), abs=1e-8)
    assert found.shapley.sum() == pytest.approx(main.max(), abs=1e-8)
    assert (found.own >= found.coincident).all()


def test_a_window_that_is_half_known_does_not_make_the_game() -> None:
    parts, main = np.tile(PARTS, 20), np.tile(MAIN, 20)
    covered = np.ones(60)
    main[4], covered[4] = 1000, 0.5
    found = peaks.weights(parts, main, None, covered)
    assert found.coincident.sum() == pytest.approx(100)
    assert found.shapley.sum() == pytest.approx(100)
    parts_covered = np.ones((2, 60))
    parts_covered[0, 4] = 0.5
    main[4], covered[4] = 95, 1.0
    parts[0, 4] = 500
    found = peaks.weights(parts, main, parts_covered, covered)
    assert found.own[0] == 60
    assert_allclose(found.shapley, peaks.weights(PARTS, MAIN).shapley)


def test_own_peaks_are_refused_alone_where_one_is_unknown() -> None:
    parts = PARTS.copy()
    parts[1, 0] = np.nan
    found = peaks.weights(parts, MAIN, minimum_coverage=0.7)
    assert_array_equal(found.coincident, [60, 20, 20])
    assert np.isnan(found.own).all()
    assert np.isnan(found.shapley).all()


def test_cents_left_go_to_the_largest_remainder_and_of_equals_to_the_first() -> None:
    assert_array_equal(peaks.split(100.0, np.ones(3)), [33.34, 33.33, 33.33])
    assert_array_equal(peaks.split(0.02, np.array([1.0, 1.0, 1.2])), [0.01, 0, 0.01])
    assert_array_equal(peaks.split(1000.0, np.ones(3), decimals=0), [334, 333, 333])


def test_who_generates_pays_nothing_or_is_paid_when_that_is_wanted() -> None:
    weight = np.array([150.0, -50.0])
    assert_array_equal(peaks.split(100.0, weight), [100, 0])
    assert_array_equal(peaks.split(100.0, weight, credit=True), [150, -50])


@pytest.mark.parametrize(
    ("charge", "weight"),
    [(np.nan, [1.0]), (1.0, [np.nan, 1.0]), (1.0, [0.0, 0.0]), (1.0, [-1.0]), (1, [])],
)
def test_what_cannot_be_divided_is_unknown(charge: float, weight: list[float]) -> None:
    assert np.isnan(peaks.split(charge, np.array(weight))).all()


@given(
    st.integers(0, 10**9),
    arrays(np.float64, st.integers(1, 13), elements=SIGNED, unique=True),
    st.booleans(),
    st.data(),
)
def test_a_split_adds_up_to_the_cent(
    cents: int, weight: np.ndarray, credit: bool, data: st.DataObject
) -> None:
    counted = weight if credit else np.maximum(weight, 0)
    assume(counted.sum() > 0.01)
    amount = peaks.split(cents / 100, weight, credit=credit)
    assert sum(round(each * 100) for each in amount) == cents
    exact = cents * (counted / counted.sum())
    assert np.abs(amount * 100 - exact).max() <= 1 + 1e-6
    if not credit:
        assert (amount >= 0).all()
    # parts of equal remainder may change a cent with their places
    order = data.draw(st.permutations(range(weight.size)))
    again = peaks.split(cents / 100, weight[order], credit=credit)
    assert np.abs(again - amount[order]).max() <= 0.01 + 1e-6


# --- the shape around the peaks


def test_the_sliding_windows_of_a_block_are_one_peak() -> None:
    # 600 kW from minute 10 to 25 and 500 kW from minute 60 to 75
    kw = np.zeros(90)
    kw[10:25], kw[60:75] = 600, 500
    sliding = demand.sliding(kw / 60)
    assert_array_equal(peaks.top(sliding, 2, 14), [10, 60])
    assert_allclose(sliding[[10, 60]], [600, 500])
    quarters = kw.reshape(-1, 15).mean(axis=1)
    assert_array_equal(peaks.top(quarters, 3, 1), [4, 1])
    assert_allclose(quarters[[4, 1]], [500, 400])


@given(
    arrays(np.float64, st.integers(1, 30), elements=st.sampled_from([1.0, 2.0, 3.0])),
    st.integers(0, 8),
    st.integers(0, 5),
)
def test_top_peaks_are_what_picking_one_by_one_gives(
    kw: np.ndarray, count: int, separation: int
) -> None:
    picked: list[int] = []
    for window in sorted(range(kw.size), key=lambda i: (-kw[i], i)):
        if all(abs(window - other) > separation for other in picked):
            picked.append(window)
    assert_array_equal(peaks.top(kw, count, separation), picked[:count])


def test_top_peaks_pass_over_the_unknown_however_much_it_is() -> None:
    kw = np.arange(40.0)
    kw[39] = np.nan
    assert_array_equal(peaks.top(kw, 2, 3), [38, 34])
    covered = np.where(np.arange(40) < 5, 1.0, 0.5)
    assert_array_equal(peaks.top(kw, 2, 3, covered), [4, 0])
    assert peaks.top(kw, 2, 3, np.zeros(40)).size == 0
    assert peaks.top(np.empty(0), 2, 3).size == 0


def test_load_duration_by_hand() -> None:
    curve = peaks.duration(np.array([100.0, 400.0, 200.0, 300.0]))
    assert_array_equal(curve.kw, [400, 300, 200, 100])
    assert_array_equal(curve.hours, [0.25, 0.5, 0.75, 1.0])
    assert curve.coverage == 1
    thin = peaks.duration(np.array([100.0, 400.0, 200.0, 300.0]), points=2)
    assert_array_equal(thin.kw, [400, 100])
    assert_array_equal(thin.hours, [0.25, 1.0])


@given(
    arrays(np.float64, st.integers(1, 60), elements=SIGNED),
    st.one_of(st.none(), st.integers(1, 70)),
)
def test_load_duration_falls_and_keeps_its_ends(
    kw: np.ndarray, points: int | None
) -> None:
    curve = peaks.duration(kw, 3600.0, points=points)
    assert (np.diff(curve.kw) <= 0).all()
    assert (np.diff(curve.hours) > 0).all()
    assert (curve.kw[0], curve.kw[-1]) == (kw.max(), kw.min())
    assert curve.hours[-1] == kw.size
    assert curve.kw.size <= max(points or kw.size, 2)
    # demand was at least so much for so long
    assert (np.sum(kw >= curve.kw[:, None], axis=1) >= curve.hours).all()
    if points is None:
        assert curve.kw.sum() == pytest.approx(kw.sum())


def test_load_duration_leaves_the_unknown_out_and_says_how_much_is_known() -> None:
    kw = np.array([3.0, np.nan, 5.0, 4.0])
    refused = peaks.duration(kw)
    assert refused.kw.size == refused.hours.size == 0
    assert refused.coverage == 0.75
    assert_array_equal(peaks.duration(kw, minimum_coverage=0.7).kw, [5, 4, 3])
    assert np.isnan(peaks.duration(np.empty(0)).coverage)


def local_quarters(day: str, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Day and hour by the clock of Berlin of each quarter hour."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(day).replace(tzinfo=zone)
    at, stop = start.astimezone(UTC), (start + timedelta(days=days)).astimezone(UTC)
    local = []
    while at < stop:
        local.append(at.astimezone(zone))
        at += timedelta(minutes=15)
    row = [(each.date() - start.date()).days for each in local]
    return np.array(row), np.array([each.hour for each in local])


def test_the_map_of_a_day_of_23_and_of_25_hours() -> None:
    day, hour = local_quarters("2026-03-28", 2)
    assert day.size == 4 * (24 + 23)
    found = peaks.day_map(np.arange(float(day.size)), day, hour, (2, 24))
    assert_array_equal(found[0], 4 * np.arange(24) + 1.5)
    assert_array_equal(np.flatnonzero(np.isnan(found[1])), [2])
    assert found[1, 3] == 96 + 8 + 1.5
    day, hour = local_quarters("2026-10-25", 1)
    found = peaks.day_map(np.arange(float(day.size)), day, hour, (1, 24))
    assert day.size == 4 * 25
    assert found[0, 2] == 8 + 3.5  # both hours between 2 and 3
    assert found[0, 3] == 16 + 1.5


def test_windows_of_several_lengths_count_by_their_length() -> None:
    # half an hour at 100 kW, then two quarter hours at 0; an hour, a quarter unknown
    kw, length = np.array([100.0, 0.0, 0.0, 7.0, np.nan]), [1800, 900, 900, 2700, 900]
    window_s = np.array(length, np.float64)
    hour, day = np.array([9, 9, 9, 10, 10]), np.zeros(5, np.int64)
    cells = peaks.day_map(kw, day, hour, (1, 24), None, 0.75, window_s=window_s)
    assert cells[0, 9:11].tolist() == [50.0, 7.0]
    found = peaks.maxima(kw[None], day, 1, None, 0.0, window_s=window_s)
    assert found.coverage.tolist() == [[7 / 8]]
    difference, _ = peaks.peak_valley(kw[None], day, 1, None, 0.87, window_s=window_s)
    assert difference.tolist() == [[100.0]]


def test_a_cell_known_too_little_is_empty() -> None:
    day, hour = np.zeros(96, np.int64), np.repeat(np.arange(24), 4)
    kw = np.ones(96)
    kw[5] = np.nan
    covered = np.ones(96)
    covered[20] = 0.9
    found = peaks.day_map(kw, day, hour, (1, 24), covered)
    assert_array_equal(np.flatnonzero(np.isnan(found[0])), [1, 5])
    assert peaks.day_map(kw, day, hour, (1, 24), covered, 0.75)[0, 1] == 1


def test_a_months_maximum_is_the_first_of_equals() -> None:
    kw = np.array([[1.0, 5.0, 5.0, 2.0, 9.0], [-3.0, -2.0, -1.0, np.nan, 0.0]])
    found = peaks.maxima(kw, np.array([0, 0, 0, 2, 2]), 3)
    assert_array_equal(found.kw, [[5, np.nan, 9], [-1, np.nan, np.nan]])
    assert_array_equal(found.window, [[1, -1, 4], [2, -1, -1]])
    assert_array_equal(found.coverage, [[1, np.nan, 1], [1, np.nan, 0.5]])


@given(
    arrays(np.float64, (3, 12), elements=st.one_of(st.integers(-2, 2), st.just(np.nan)))
    .flatmap(lambda kw: st.tuples(st.just(kw), st.permutations(range(12))))
    .map(lambda both: (both[0], np.array(both[1]) % 4)),
    st.floats(0, 1),
)
def test_maxima_are_what_looking_at_each_month_gives(
    both: tuple[np.ndarray, np.ndarray], minimum: float
) -> None:
    kw, month = both
    found = peaks.maxima(kw, month, 5, None, minimum)
    for subject in range(3):
        for group in range(5):
            inside = [w for w in range(12) if month[w] == group]
            known = [w for w in inside if not np.isnan(kw[subject, w])]
            if not known or len(known) / len(inside) < minimum:
                assert np.isnan(found.kw[subject, group])
                assert found.window[subject, group] == -1
                continue
            best = max(known, key=lambda w: (kw[subject, w], -w))
            assert found.window[subject, group] == best
            assert found.kw[subject, group] == kw[subject, best]


def test_the_steel_plants_year() -> None:
    plant = steel.read()
    kw = demand.fixed(np.diff(plant.hundredths[:, 0]) / 100)
    local = [datetime.fromtimestamp(each, plant.zone) for each in plant.at[:-1]]
    month = np.array([each.month - 1 for each in local])
    found = peaks.maxima(kw[None], month, 12)
    # the set's monthly peaks, computed from the published file by other means
    wanted = [612.56, 582.04, 605.24, 556.12, 560.16, 535.40, 486.72, 534.80, 510.48]
    assert_allclose(found.kw[0], [*wanted, 557.72, 628.72, 596.72])
    assert f"{local[found.window[0, 10]]:%m-%d %H:%M}" == "11-22 09:30"
    curve = peaks.duration(kw, points=200)
    assert (curve.kw[0], curve.hours[-1]) == (pytest.approx(628.72), 8760)
    assert peaks.top(kw, 1, 4)[0] == found.window[0, 10]


def test_peaks_are_separate_in_time_and_hours_add_up_by_length() -> None:
    at = np.array([0, 15, 30, 60, 120])  # two quarters, a half hour, two hours
    kw = np.array([5.0, 6.0, 4.0, 3.0, 2.0])
    assert_array_equal(peaks.top(kw, 5, 30, at=at), [1, 3, 4])
    length = np.array([900.0, 900, 1800, 3600, 3600])
    curve = peaks.duration(kw, length)
    assert_array_equal(curve.kw, [6, 5, 4, 3, 2])
    assert_array_equal(curve.hours, [0.25, 0.5, 1.0, 2.0, 3.0])


def test_peak_valley_difference_by_hand() -> None:
    kw = np.array([[400.0, 100.0, 300.0, 200.0], [0.0, 0.0, 50.0, np.nan]])
    difference, rate = peaks.peak_valley(kw, np.array([0, 0, 1, 1]), 2)
    assert_array_equal(difference, [[300, 100], [0, np.nan]])
    assert_allclose(rate, [[0.75, 1 / 3], [np.nan, np.nan]])


def test_load_rate_of_transformers_and_its_classes() -> None:
    rate = peaks.load_rate([300.0, 60.0, 300.0, 300.0], [400.0, 80.0, np.nan, 0], 500.0)
    assert_allclose(rate, [1.0, 0.2, np.nan, 0.6])
    assert np.isnan(peaks.load_rate(1.0, 1.0, 0.0))
    classes = peaks.load_class([np.nan, 0.29, 0.3, 0.8, 0.81, 1.0, 1.01])
    names = [peaks.LOAD_NAMES[each] for each in classes]
    assert " ".join(names) == "unknown light normal normal heavy heavy overload"
    assert peaks.load_class(0.6, heavy=0.5) == peaks.HEAVY


def test_demand_control_rate() -> None:
    found = peaks.control_rate([950.0, 1050.0, np.nan, 1.0], [1000.0, 1000.0, 1.0, 0.0])
    assert_allclose(found, [0.95, 1.05, np.nan, np.nan])
