"""Bounds of estimated amounts, by hand and as a property."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.bounds import bounds

QUARTER = 900_000_000


def of(
    quarters: list[int],
    amounts: list[float],
    at: list[int],
    stop: int,
    total: list[float],
    key: list[int] | None = None,
    counts: list[bool] | None = None,
) -> tuple[list[float], list[float]]:
    """Ask in whole quarter hours instead of microseconds."""
    size = len(quarters)
    least, most = bounds(
        np.array(key or [1] * size, np.int64),
        np.array(quarters, np.int64) * QUARTER,
        np.array(amounts, float),
        np.array(counts or [True] * size, np.bool_),
        np.array(at, np.int64) * QUARTER,
        stop * QUARTER,
        np.array(total, float),
    )
    return least.tolist(), most.tolist()


def test_a_stretch_of_three_quarter_hours() -> None:
    # 2, 3 and 1 estimated: each may have had from nothing to all 6
    assert of([1, 2, 3], [2, 3, 1], [0, 1, 2, 3, 4], 5, [9, 2, 3, 1, 7]) == (
        [9, 0, 0, 0, 7],
        [9, 6, 6, 6, 7],
    )


def test_one_quarter_hour_alone_is_known_by_its_registers() -> None:
    assert of([1], [2], [0, 1, 2], 3, [9, 2, 7]) == ([9, 2, 7], [9, 2, 7])


def test_of_days_only_what_reaches_beyond_them_is_open() -> None:
    # a stretch within the first day, and one over midnight: 4 of its 10 on the first
    quarters, amounts = [10, 11, 94, 95, 96], [1.0, 1, 2, 2, 6]
    assert of(quarters, amounts, [0, 96], 192, [100, 50]) == ([96, 44], [106, 54])


def test_a_stretch_reaches_out_of_what_is_asked_for() -> None:
    assert of([4, 5, 6, 7], [1, 1, 1, 1], [5], 7, [8]) == ([6], [10])


def test_a_meter_that_changes_hands_in_a_gap() -> None:
    counts = [True, True, False]
    asked = of([1, 2, 3], [2, 2, 2], [0], 96, [10], counts=counts)
    assert asked == ([6], [12])


def test_two_meters_add_up() -> None:
    # 1 has 3 + 5, 2 has 4 + 4 in the same two quarter hours
    asked = of([1, 2, 1, 2], [3, 5, 4, 4], [1, 2], 3, [7, 9], key=[1, 1, 2, 2])
    assert asked == ([0, 0], [16, 16])


def test_what_falls_has_no_bounds() -> None:
    least, most = of([1, 2, 7, 8], [3, -1, 2, 2], [0, 4, 8], 12, [5, 3, 3])
    assert (least[1:], most[1:]) == ([1, 1], [5, 5])
    least, most = of([1, 2], [3, -1], [1, 2], 3, [3, -1])
    assert np.isnan([*least, *most]).all()


@given(
    st.lists(st.floats(0, 100), min_size=24, max_size=24),
    st.lists(st.floats(0, 100), min_size=24, max_size=24),
    st.sets(st.integers(0, 23)),
    st.sampled_from([1, 2, 4, 6, 12, 24]),
)
def test_the_truth_lies_between(
    true: list[float], shape: list[float], guessed: set[int], length: int
) -> None:
    """However a stretch's amount is spread, the true one is within the bounds."""
    truth = np.array(true)
    told = truth.copy()
    places = np.array(sorted(guessed), np.int64)
    for run in np.split(places, np.flatnonzero(np.diff(places) != 1) + 1):
        weights = np.array(shape)[run] + 1e-3
        told[run] = truth[run].sum() * weights / weights.sum()
    at = list(range(0, 24, length))
    total = told.reshape(-1, length).sum(axis=1).tolist()
    least, most = of(places.tolist(), told[places].tolist(), at, 24, total)
    real = truth.reshape(-1, length).sum(axis=1)
    assert (np.array(least) <= real + 1e-9).all()
    assert (np.array(most) >= real - 1e-9).all()
    if length == 24:
        assert least == most == pytest.approx(real.tolist())
