import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from analytics import indicators
from analytics.indicators import (
    MET,
    MISSED,
    NO_THRESHOLD,
    UNKNOWN,
    SizeClass,
    Threshold,
)

NUMBER = st.floats(-1e6, 1e6).map(lambda each: round(each, 3))


# --- formulas


@st.composite
def formulas(draw: st.DrawFn, depth: int = 4) -> tuple[str, float]:
    """Text of a formula over a = 3 and b = -2, and its value."""
    kind = draw(st.sampled_from("abn" if depth == 0 else "abn+-*/~"))
    if kind in "ab":
        return kind, {"a": 3.0, "b": -2.0}[kind]
    if kind == "n":
        number = draw(st.integers(0, 9))
        return str(number), float(number)
    left, x = draw(formulas(depth - 1))
    if kind == "~":
        return f"-({left})", -x
    right, y = draw(formulas(depth - 1))
    value = {"+": x + y, "-": x - y, "*": x * y, "/": x / y if y > 0 else math.nan}[
        kind
    ]
    return f"({left}) {kind} ({right})", value


@given(formulas())
def test_formulas_are_worked_out_as_by_hand(pair: tuple[str, float]) -> None:
    text, wanted = pair
    found = indicators.evaluate(indicators.parse(text), {"a": 3.0, "b": -2.0})
    assert_allclose(found, wanted, rtol=1e-9)


@given(formulas())
def test_one_unknown_makes_the_formula_unknown(pair: tuple[str, float]) -> None:
    formula = indicators.parse(f"a + {pair[0]}")
    for nothing in (None, math.nan):
        assert np.isnan(indicators.evaluate(formula, {"a": nothing, "b": 1.0}))


@given(st.text(max_size=40))
def test_any_text_is_a_formula_or_a_refusal(text: str) -> None:
    try:
        formula = indicators.parse(text)
    except ValueError:
        return
    found = indicators.evaluate(formula, dict.fromkeys(formula.names, 2.0))
    assert np.isnan(found) or np.isfinite(found)


def test_precedence_and_signs_of_print() -> None:
    formula = indicators.parse("used_t ÷ (made_t + old_t) × 100 − 2")
    assert formula.names == ("made_t", "old_t", "used_t")
    values = {"used_t": 70.0, "made_t": 80.0, "old_t": 20.0}
    assert indicators.evaluate(formula, values) == pytest.approx(68)
    assert indicators.evaluate(indicators.parse("2 + 3 * 4"), {}) == 14


def test_a_series_of_each_name() -> None:
    formula = indicators.parse("energy_tce / value_10k_cny")
    found = indicators.evaluate(
        formula, {"energy_tce": np.array([6.0, 4, 1]), "value_10k_cny": [3.0, 0, -1]}
    )
    assert_array_equal(found, [2, np.nan, np.nan])


def test_what_is_too_large_is_unknown() -> None:
    formula = indicators.parse("a * a / b")
    assert np.isnan(indicators.evaluate(formula, {"a": 1e200, "b": 1.0}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a +",
        "a ** 2",
        "a // b",
        "a if b else c",
        "a.b",
        "a[0]",
        "'a'",
        "True",
        "1j",
        "1e999",
        "A",
        "用能",
        "lambda: 1",
        "(b := 1)",
        "a, b",
        "a\nb",
        "f'{a}'",
        "growth",
        "growth(a)",
        "growth(a, b, years=3)",
        "growth(*a)",
        "sum(a, b)",
        "__import__('os')",
        "growth(a, b).real",
        "a" * 1001,
        "-" * 500 + "a",
        "(" * 300 + "a" + ")" * 300,
        "+".join("a" * 200),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="formula"):
        indicators.parse(text)


def test_a_name_that_is_not_there_is_a_slip() -> None:
    with pytest.raises(ValueError, match=r"names what is not there: \['vlaue'\]"):
        indicators.evaluate(indicators.parse("energy / vlaue"), {"energy": 1.0})


def test_growth_and_elasticity() -> None:
    # HJ 274-2015: three years from 100 to 172.8 are 20 % each
    text = "growth(value0, value3, 3) * 100"
    found = indicators.evaluate(
        indicators.parse(text), {"value0": 100.0, "value3": 172.8}
    )
    assert found == pytest.approx(20)
    assert indicators.growth(100, 110) == pytest.approx(0.1)
    for before, after, years in (
        (0, 1, 3),
        (1, 0, 3),
        (-1, 1, 3),
        (1, 1, 0),
        (1, 1, np.nan),
    ):
        assert np.isnan(indicators.growth(before, after, years))
    assert indicators.elasticity(0.06, 0.1) == pytest.approx(0.6)
    assert indicators.elasticity(-0.06, -0.1) == pytest.approx(0.6)
    assert indicators.elasticity(0.06, -0.1) == pytest.approx(-0.6)
    assert np.isnan(indicators.elasticity(0.06, 0))
    text = "elasticity(growth(e0, e1), growth(v0, v1))"
    values = {"e0": 250.0, "e1": 243.0, "v0": 200.0, "v1": 240.0}
    found = indicators.evaluate(indicators.parse(text), values)
    assert found == pytest.approx(-0.14)


@given(st.floats(0.01, 1e6), st.floats(-0.5, 1), st.integers(1, 20))
def test_growth_is_what_compounds(before: float, rate: float, years: int) -> None:
    after = before * (1 + rate) ** years
    assert indicators.growth(before, after, years) == pytest.approx(rate, abs=1e-9)


# --- thresholds

# 发改环资〔2025〕910号 [tCO2/tce] by energy [tce]
CORE = [
    SizeClass(200_000, 1_000_000, Threshold("at_most", high=0.2)),
    SizeClass(1_000_000, math.inf, Threshold("at_most", high=0.3)),
]


@pytest.mark.parametrize(
    ("size", "value", "state"),
    [
        (199_999, 0.1, NO_THRESHOLD),
        (200_000, 0.2, MET),
        (999_999, 0.25, MISSED),
        (1_000_000, 0.25, MET),
        (1e9, 0.31, MISSED),
        (math.nan, 0.1, NO_THRESHOLD),
        (300_000, math.nan, UNKNOWN),
    ],
)
def test_the_core_indicator_by_size(size: float, value: float, state: int) -> None:
    assert indicators.judge(value, indicators.threshold_of(CORE, size)) == state


def test_the_worked_park_is_below_the_sizes_and_far_above_the_threshold() -> None:
    core = 223_118.8 / 194_860
    assert core == pytest.approx(1.145, abs=5e-4)
    assert indicators.threshold_of(CORE, 194_860) is None
    assert indicators.shortfall(core, CORE[0].threshold) == pytest.approx(
        -0.945, abs=5e-4
    )


def test_classes_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="lies in 2 classes"):
        indicators.threshold_of([*CORE, SizeClass(0, 1e9, CORE[0].threshold)], 3e5)


def test_bands_and_signs() -> None:
    band = Threshold("band", 15, 30)
    found = indicators.judge([14.9, 15, 30, 30.1, np.nan], band)
    assert_array_equal(found, [MISSED, MET, MET, MISSED, UNKNOWN])
    # HJ 274-2015 indicator 10: growing ≤ 0.6, shrinking ≥ 0.6
    elastic = Threshold("by_sign", high=0.6)
    value = [0.5, 0.6, 0.7, 0.5, 0.6, 0.7, 0.5, 0.5, np.nan]
    sign = [0.1, 0.1, 0.1, -0.1, -0.1, -0.1, 0, np.nan, 0.1]
    wanted = [MET, MET, MISSED, MISSED, MET, MET, UNKNOWN, UNKNOWN, UNKNOWN]
    assert_array_equal(indicators.judge(value, elastic, sign), wanted)
    with pytest.raises(ValueError, match="no threshold 'below'"):
        indicators.judge(1, Threshold("below"))
    with pytest.raises(ValueError, match="by sign"):
        indicators.shortfall(1, elastic)


@given(NUMBER, NUMBER, st.floats(0, 1e6).map(lambda each: round(each, 3)))
def test_what_was_short_added_meets_the_threshold(
    x: float, low: float, width: float
) -> None:
    for limit in (
        Threshold("at_least", low=low),
        Threshold("at_most", high=low),
        Threshold("band", low, low + width),
    ):
        short = float(indicators.shortfall(x, limit))
        assert (short == 0) == (indicators.judge(x, limit) == MET)
        loose = Threshold(limit.kind, limit.low - 1e-6, limit.high + 1e-6)
        assert indicators.judge(x + short, loose) == MET


# --- sets

# HJ 274-2015: indicators 1-32; 0 is mandatory, else the group of which one is needed
HJ_274 = [1] * 4 + [0] + [2] * 2 + [3] * 2 + [0] + [4] * 2 + [0] + [5] * 3
HJ_274 += [0] * 10 + [6] * 2 + [0] * 4


def test_hj_274_has_17_mandatory_indicators_and_six_groups_of_15() -> None:
    found = indicators.verdict([MET] * 32, HJ_274, {})
    assert found.mandatory == (17, 0, 0)
    assert found.groups == (6, 0, 0)
    assert len(HJ_274) - 17 == 15
    assert found.state == MET


def test_one_of_a_group_is_enough_and_one_mandatory_missed_is_not() -> None:
    states = [MISSED if group else MET for group in HJ_274]
    for name in range(1, 7):
        states[HJ_274.index(name)] = MET
    assert indicators.verdict(states, HJ_274, {}).state == MET
    states[4] = MISSED
    found = indicators.verdict(states, HJ_274, {})
    assert (found.state, found.mandatory) == (MISSED, (16, 1, 0))


@given(st.lists(st.sampled_from([UNKNOWN, MET, MISSED]), min_size=32, max_size=32))
def test_an_unknown_verdict_could_still_go_both_ways(states: list[int]) -> None:
    found = indicators.verdict(states, HJ_274, {})
    ends = [
        indicators.verdict([end if s == UNKNOWN else s for s in states], HJ_274, {})
        for end in (MET, MISSED)
    ]
    if found.state == UNKNOWN:
        assert [each.state for each in ends] == [MET, MISSED]
    else:
        assert {each.state for each in ends} == {found.state}


def test_two_of_three() -> None:
    for states, wanted in (
        ([MET, MET, UNKNOWN], MET),
        ([MET, MISSED, UNKNOWN], UNKNOWN),
        ([MET, MISSED, MISSED], MISSED),
        ([MET, MET, NO_THRESHOLD], MET),
        ([MET, NO_THRESHOLD, MISSED], UNKNOWN),
    ):
        assert indicators.verdict(states, [1, 1, 1], {1: 2}).state == wanted
    assert indicators.verdict([], [], {}).state == UNKNOWN


# --- green index


def test_green_index_by_hand() -> None:
    # energy productivity 2.4 of 3, water 6 where 3 leads, a yes
    found = indicators.green_index([2.4, 6, 1], [3, 3, 1], [True, False, True])
    assert_allclose(found.scores, [0.8, 0.5, 1])
    assert found.value == pytest.approx(100 / 3 * 2.3)
    assert found.unknown == 0
    found = indicators.green_index([2.4, np.nan, 0], [3, 3, 1], [True, False, False])
    assert found.unknown == 2
    assert math.isnan(found.value)
    assert math.isnan(indicators.green_index([], [], []).value)


def test_of_a_group_the_best_known_scores_are_taken() -> None:
    # one always, two of four, one of two
    group, needed = [0, 1, 1, 1, 1, 2, 2], {1: 2}
    lead, more = np.ones(7), np.ones(7, np.bool_)
    found = indicators.green_index(
        [0.5, 0.2, np.nan, 0.9, 0.6, np.nan, 0.1], lead, more, group, needed
    )
    assert found.chosen.tolist() == [True, False, False, True, True, False, True]
    assert (found.taken, found.unknown) == (4, 0)
    assert found.value == pytest.approx(100 / 4 * (0.5 + 0.9 + 0.6 + 0.1))
    # one known of a group that needs two: no index
    found = indicators.green_index(
        [0.5, 0.2, np.nan, np.nan, np.nan, np.nan, 0.1], lead, more, group, needed
    )
    assert (found.taken, found.unknown) == (4, 1)
    assert math.isnan(found.value)
    # a group smaller than what it needs is taken whole
    found = indicators.green_index([0.5, 0.2], lead[:2], more[:2], [1, 1], {1: 3})
    assert (found.taken, found.unknown) == (2, 0)


@given(st.lists(st.floats(0.01, 1000), min_size=1, max_size=10), st.booleans())
def test_the_leader_has_100(lead: list[float], more: bool) -> None:
    better = [more] * len(lead)
    assert indicators.green_index(lead, lead, better).value == pytest.approx(100)
    twice = indicators.green_index(2 * np.array(lead), lead, better).value
    assert twice == pytest.approx(200 if more else 50)
