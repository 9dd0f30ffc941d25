import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from analytics import ranking
from analytics.ranking import BEST, LAST, NO_FIGURE, SECOND, THIRD, TOO_FEW

FIGURE = st.floats(0.01, 100)
OTHERS = st.lists(FIGURE, min_size=5, max_size=12)


def told(own: float, others: list[float] | np.ndarray, **more: bool) -> int:
    """What the first member of a group is told."""
    value = np.array([own, *others])
    one = np.ones(value.size)
    return int(ranking.quarters(value, one, one, **more)[0])


# --- the order, for managers


@given(st.lists(st.integers(0, 9).map(float), max_size=20))
def test_a_place_is_one_more_than_those_before(values: list[float]) -> None:
    found = ranking.rank(values, np.ones(len(values)))
    for x, place in zip(values, found.place, strict=True):
        assert place == 1 + sum(other < x for other in values)
    assert found.ranked == len(values)
    back = ranking.rank(-np.array(values), np.ones(len(values)), less_is_better=False)
    assert_array_equal(back.place, found.place)


def test_the_order_by_hand() -> None:
    value = [0.3, 0.1, np.nan, 0.2, 0.2, 0.05, 0.4]
    coverage = [1, 0.95, 1, 1, 1, 0.94, np.nan]
    found = ranking.rank(value, coverage)
    assert_array_equal(found.place, [4, 1, 0, 2, 2, 0, 0])
    assert found.ranked == 4
    found = ranking.rank(value, coverage, less_is_better=False)
    assert_array_equal(found.place, [1, 4, 0, 2, 2, 0, 0])


# --- the quarter, for a member


def test_the_quarter_by_hand() -> None:
    others = [1.0, 2, 4, 8, 16, 32, 64, 128]
    assert told(0.5, others) == BEST
    assert told(1.5, others) == BEST  # 1 of 8
    assert told(3, others) == SECOND  # 2 of 8
    assert told(12, others) == THIRD  # 4
    assert told(48, others) == LAST  # 6
    assert told(200, others) == LAST
    assert told(200, others, less_is_better=False) == BEST
    assert told(0.5, others, less_is_better=False) == LAST
    assert told(1.02, [1.01] * 8) == THIRD  # in the middle: all are equal
    assert told(0, [-1.0, 0, 0, 0, 0]) == THIRD


def test_five_others_and_no_fewer() -> None:
    assert told(1, [2.0] * 5) == BEST
    assert told(1, [2.0] * 4) == TOO_FEW
    value, coverage = np.arange(1.0, 8), np.ones(7)
    group = [1, 1, 1, 1, 1, 1, 2]
    found = ranking.quarters(value, coverage, group)
    assert found[6] == TOO_FEW
    assert TOO_FEW not in found[:6]
    coverage[5] = 0.94  # one of six is not covered
    found = ranking.quarters(value, coverage, group)
    assert_array_equal(found, [TOO_FEW] * 5 + [NO_FIGURE, TOO_FEW])
    value[0] = np.nan
    assert ranking.quarters(value, np.ones(7), group)[0] == NO_FIGURE


def test_what_one_owner_has_counts_as_one() -> None:
    value, one = np.arange(1.0, 8), np.ones(7)
    found = ranking.quarters(value, one, one, owner=[1, 1, 2, 2, 3, 4, 5])
    assert_array_equal(found, [TOO_FEW] * 7)
    found = ranking.quarters(value, one, one, owner=[1, 1, 2, 3, 4, 5, 6])
    assert_array_equal(found[:2], [BEST, BEST])  # not compared with each other
    assert_array_equal(found[2:4], [SECOND, THIRD])  # 2 of 6, 3 of 6


# --- what cannot be learnt

# any number of questions: own figures below, between and above all classes
PROBES = ranking.STEP ** np.arange(-10.0, 11, 0.5)


@given(
    st.lists(st.integers(-8, 7), min_size=5, max_size=12),
    st.data(),
)
def test_no_question_tells_more_than_the_class_of_a_neighbour(
    classes: list[int], data: st.DataObject
) -> None:
    # two worlds whose neighbours differ, each within its class, answer alike
    inside = st.lists(
        st.floats(0.001, 0.999), min_size=len(classes), max_size=len(classes)
    )
    here, there = (
        ranking.STEP ** (np.array(classes) + np.array(data.draw(inside)))
        for _ in range(2)
    )
    for own in PROBES:
        assert told(own, here) == told(own, there)


def test_a_class_hides_ten_per_cent_to_either_side_of_its_middle() -> None:
    assert ranking.STEP**0.5 > 1.10
    assert ranking.STEP**-0.5 < 0.90


@given(OTHERS, st.randoms(), st.lists(FIGURE, min_size=3, max_size=3))
def test_no_question_tells_who_is_who(
    others: list[float], random: object, own: list[float]
) -> None:
    shuffled = [*others]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for each in own:
        assert told(each, others) == told(each, shuffled)


@given(OTHERS, FIGURE)
def test_an_answer_tells_only_how_many_are_on_each_side(
    others: list[float], own: float
) -> None:
    # the better ones could be next to nothing, the worse ones anything at all
    step = [
        math.floor(math.log(each) / math.log(ranking.STEP)) for each in (own, *others)
    ]
    extreme = [
        1e-9 if each < step[0] else 1e9 if each > step[0] else own for each in step[1:]
    ]
    assert told(own, others) == told(own, extreme)


@pytest.mark.parametrize("number", range(5, 13))
def test_of_no_neighbour_is_it_known_on_which_side_it_stands(number: int) -> None:
    # every world of neighbours better or worse: for each answer and each neighbour there
    # is a world in which it is better and one in which it is worse
    sides: dict[int, tuple[set[int], set[int]]] = {}
    for world in product((0, 1), repeat=number):
        answer = told(1, [0.5 if better else 2.0 for better in world])
        yes, no = sides.setdefault(answer, (set(), set()))
        for j, better in enumerate(world):
            (yes if better else no).add(j)
    assert sorted(sides) == [BEST, SECOND, THIRD, LAST]
    for yes, no in sides.values():
        assert yes == no == set(range(number))


@given(OTHERS, FIGURE)
def test_the_number_of_members_is_not_told(others: list[float], own: float) -> None:
    assert told(own, others) == told(own, others * 2)


@given(OTHERS, FIGURE, st.floats(0.01, 100), st.sampled_from([np.nan, 0.5]))
def test_who_is_outside_the_group_or_not_covered_changes_nothing(
    others: list[float], own: float, stranger: float, covered: float
) -> None:
    n = len(others)
    value = np.array([own, *others, stranger, stranger])
    coverage = np.array([1.0] * (n + 1) + [1, covered])
    group = np.array([1] * (n + 1) + [2, 1])
    found = ranking.quarters(value, coverage, group)
    assert found[0] == told(own, others)


@given(st.lists(FIGURE, min_size=6, max_size=12, unique=True))
def test_better_figures_never_stand_behind(values: list[float]) -> None:
    one = np.ones(len(values))
    found = ranking.quarters(values, one, one)
    ordered = found[np.argsort(values)]
    assert (np.diff(ordered) >= 0).all()
