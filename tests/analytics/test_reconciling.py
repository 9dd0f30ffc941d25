"""Which statement counts where a month, a quarter and a year disagree."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.benchmarking import Benchmarks, pro_rata
from analytics.reconciling import Doubt, Span, groups, reconciled


def quarters(*amounts: float, final: str = "ffff") -> list[Span]:
    return [
        Span(3 * i, 3 * i + 3, amount, stage == "f", 10 + i)
        for i, (amount, stage) in enumerate(zip(amounts, final, strict=False))
    ]


def amounts(*stated: Span) -> dict[int, float]:
    return {each.key: each.amount for each in reconciled(stated).spans}


def test_what_agrees_stays() -> None:
    year = Span(0, 12, 400, True, 1)
    found = reconciled([*quarters(100, 90, 110, 100), year])
    assert found.doubts == ()
    assert {e.key: e.amount for e in found.spans} == {
        1: 400,
        10: 100,
        11: 90,
        12: 110,
        13: 100,
    }
    assert [each.amount for each in groups(found.spans)] == [100, 90, 110, 100]


def test_a_final_year_is_the_benchmark_of_its_quarters() -> None:
    year = Span(0, 12, 440, True, 1)
    found = reconciled([year, *quarters(100, 100, 100, 100)])
    assert [each.amount for each in found.spans] == [440, 110, 110, 110, 110]
    assert found.doubts == (Doubt(1, (10, 11, 12, 13), "differs", 440, 400, True),)


def test_final_quarters_count_before_a_provisional_year() -> None:
    year = Span(0, 12, 440, False, 1)
    found = reconciled([year, *quarters(100, 100, 100, 100)])
    assert [each.key for each in found.spans] == [10, 11, 12, 13]
    assert found.doubts[0].counts is False


@pytest.mark.parametrize("final", [True, False])
def test_what_final_quarters_leave_goes_to_the_provisional_ones(final: bool) -> None:
    year = Span(0, 12, 400, final, 1)
    found = amounts(year, *quarters(100, 100, 120, 40, final="ffpp"))
    assert found == {1: 400, 10: 100, 11: 100, 12: 150, 13: 50}


def test_final_quarters_that_leave_nothing() -> None:
    parts = quarters(150, 150, 150, 10, final="fffp")
    assert 1 not in amounts(Span(0, 12, 400, False, 1), *parts)
    found = amounts(Span(0, 12, 400, True, 1), *parts)  # 400 / 460 of each
    assert found[10] == pytest.approx(150 * 400 / 460)
    assert math.fsum(found[10 + i] for i in range(4)) == pytest.approx(400)


def test_year_to_date_statements_are_split() -> None:
    stated = [Span(0, 12 - 3 * i, 400 - 90.0 * i, True, i) for i in range(4)]
    found = reconciled(stated)
    assert found.doubts == ()
    assert [(each.months, each.amount) for each in groups(found.spans)] == [
        ((0, 1, 2), 130),
        ((3, 4, 5), 90),
        ((6, 7, 8), 90),
        ((9, 10, 11), 90),
    ]


def test_a_year_that_leaves_nothing_does_not_count() -> None:
    found = reconciled([Span(0, 12, 90, True, 1), *quarters(100)])
    assert [each.key for each in found.spans] == [10]
    assert found.doubts == (Doubt(1, (10,), "nothing_left", 90, 100, False),)


def test_what_overlaps_is_left_out_and_told() -> None:
    stated = [Span(1, 4, 7, True, 5), *quarters(100), Span(0, 12, 400, False, 1)]
    found = reconciled(stated)
    assert [each.key for each in found.spans] == [1, 10]
    assert [(each.key, each.others) for each in found.doubts] == [(5, (10,))]


def test_a_loss_can_be_benchmarked() -> None:
    found = amounts(Span(0, 6, -50, True, 1), *quarters(-20, -20))
    assert found == {1: -50, 10: -25, 11: -25}


def test_what_is_scaled_takes_its_months_along() -> None:
    months = [Span(i, i + 1, 10, True, 20 + i) for i in range(3)]
    found = amounts(Span(0, 6, 120, True, 1), *quarters(30, 30), *months)
    assert found == {1: 120, 10: 60, 11: 60, 20: 20, 21: 20, 22: 20}


SPANS = st.lists(
    st.builds(
        lambda first, length, amount, final: Span(
            first, first + length, amount, final, first * 100 + length
        ),
        st.integers(0, 23),
        st.sampled_from([1, 2, 3, 6, 9, 12]),
        st.floats(-100, 1000).map(lambda each: round(each, 2)),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda each: each.key,
)


@given(SPANS, st.randoms(use_true_random=False))
def test_whatever_is_stated_becomes_benchmarks(
    stated: list[Span], order: object
) -> None:
    found = reconciled(stated)
    shuffled = list(stated)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reconciled(shuffled) == found
    told = {each.key for each in found.spans} | {
        key for doubt in found.doubts for key in (doubt.key, *doubt.others)
    }
    assert {each.key for each in stated} <= told
    parts = groups(found.spans)
    months = [month for part in parts for month in part.months]
    assert len(months) == len(set(months))
    for each in found.spans:
        inside = [p for p in parts if set(p.months) <= set(range(*each[:2]))]
        total = math.fsum(part.amount for part in inside)
        assert total == pytest.approx(each.amount, rel=1e-5, abs=1e-4)
    if found.spans:  # the kernel takes them
        first, stop, amount, *_ = zip(*found.spans, strict=True)
        spread = pro_rata(
            np.ones(40),
            Benchmarks(np.array(first), np.array(stop), np.array(amount, float)),
        )
        for part in parts:
            got = spread.value[list(part.months)].sum()
            assert got == pytest.approx(part.amount, rel=1e-5, abs=1e-4)
