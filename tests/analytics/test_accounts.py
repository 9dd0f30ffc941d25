"""Sums of what is known, and what a missing factor does to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.accounts import known_sum, moved, total

NAN = np.nan
cells = st.lists(
    st.lists(
        st.one_of(st.just(NAN), st.floats(-1e9, 1e9, allow_subnormal=False)),
        min_size=4,
        max_size=4,
    ),
    min_size=1,
    max_size=9,
)


def arrays(rows: list[list[float]]) -> list[NDArray[np.float64]]:
    return [np.array(row) for row in rows]


@given(cells)
def test_what_is_unknown_adds_nothing_and_alone_is_unknown(
    rows: list[list[float]],
) -> None:
    found = known_sum([(1.0, row) for row in arrays(rows)])
    table = np.array(rows)
    assert np.array_equal(np.isnan(found), np.isnan(table).all(axis=0))
    wanted = np.where(np.isnan(table).all(axis=0), NAN, np.nansum(table, axis=0))
    assert found == pytest.approx(wanted, abs=1e-3, nan_ok=True)


@given(cells)
def test_a_cell_alone_has_the_same_bits_as_among_others(
    rows: list[list[float]],
) -> None:
    whole = known_sum([(-1.5, row) for row in arrays(rows)])
    for i in range(4):
        alone = known_sum([(-1.5, row[i : i + 1]) for row in arrays(rows)])
        assert np.array_equal(alone, whole[i : i + 1], equal_nan=True)


def test_a_known_amount_without_a_result_spoils_the_sum() -> None:
    amount = np.array([1.0, 1.0, NAN, NAN])
    found, unpriced = total(
        [
            (amount, np.array([2.0, NAN, NAN, NAN])),
            (amount, np.array([3.0, 3, NAN, NAN])),
        ]
    )
    assert found[0] == 5
    assert np.isnan(found[1:]).all()
    assert unpriced.tolist() == [False, True, False, False]


def test_unknown_that_stays_unknown_has_not_moved() -> None:
    before, after = np.array([1.0, NAN, NAN, 1.0]), np.array([1.0, NAN, 2.0, NAN])
    assert moved(before, after).tolist() == [False, False, True, True]
