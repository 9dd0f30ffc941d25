"""Added value by month from what is stated; numbers by hand or of domain facts."""

import math
from datetime import date

import pytest

from analytics.jobs.added_value import by_months, by_statements, comparable, history
from analytics.jobs.stated import Flow, exact, flow, index
from analytics.reconciling import Span

JAN = index(date(2026, 1, 1))
# 10⁴ CNY: gross output of half a year, and the added value of its two quarters
OUTPUT = [380.0, 400, 420, 430, 425, 445]
QUARTERS = [(0, 3, 300.0), (3, 6, 330.0)]
PRO_RATA = [95, 100, 105, 109.1538, 107.8846, 112.9615]
DENTON = [94.6893, 99.9063, 105.4045, 108.7063, 107.9662, 113.3276]


def stated(*spans: tuple[int, int, float], final: bool = True) -> Flow:
    return flow(
        Span(JAN + first, JAN + stop, amount, final, i + 1)
        for i, (first, stop, amount) in enumerate(spans)
    )


def months(*amounts: float, start: int = 0) -> Flow:
    return stated(*((start + i, start + i + 1, a) for i, a in enumerate(amounts)))


@pytest.mark.parametrize(
    ("method", "wanted"), [("pro_rata", PRO_RATA), ("denton", DENTON)]
)
def test_the_known_vectors(method: str, wanted: list[float]) -> None:
    found = history(
        stated(*QUARTERS),
        {"gross_output": by_statements(months(*OUTPUT))},
        JAN,
        JAN + 12,
        method,
    )
    got = [each.amount for each in found.months[:6]]
    assert got == pytest.approx(wanted, abs=5e-5)
    assert {each.how for each in found.months[:6]} == {"benchmarked"}
    assert {each.indicator for each in found.months[:6]} == {"gross_output"}
    march = found.over(JAN + 2, JAN + 3)
    assert march is not None
    assert march.estimated
    assert march.how == ("benchmarked", "gross_output")
    quarter = found.over(JAN, JAN + 3)
    assert quarter is not None
    assert (quarter.amount, quarter.estimated, quarter.how) == (300, False, ("stated",))
    # January to April: a known quarter and one estimated month
    part = found.over(JAN, JAN + 4)
    assert part is not None
    assert part.amount == pytest.approx(300 + wanted[3], abs=5e-5)
    assert part.estimated
    assert [each.how for each in found.months[6:]] == ["unknown"] * 6
    assert found.over(JAN, JAN + 7) is None


def test_months_of_no_known_sum_take_the_rate_of_last_year() -> None:
    # 2025: 1 300 of 5 200, a rate of 0.25
    output = stated((-12, 0, 5200.0), *((i, i + 1, o) for i, o in enumerate(OUTPUT)))
    found = history(
        stated((-12, 0, 1300.0)),
        {"gross_output": by_statements(output)},
        JAN - 12,
        JAN + 12,
        "denton",
    )
    assert [each.amount for each in found.months[12:18]] == [o / 4 for o in OUTPUT]
    april = found.month(JAN + 3)
    assert (april.how, april.rate, april.rate_year) == ("rate", 0.25, 2025)
    year = found.over(JAN - 12, JAN)
    assert year is not None
    assert (year.amount, year.estimated) == (1300, False)
    rests_on = found.over(JAN + 3, JAN + 4)
    assert rests_on is not None
    assert rests_on.statement_ids == (1, 5)  # of value, of output: 2025 and April
    assert found.over(JAN - 12, JAN - 11) is None  # no indicator to spread 2025 by


def test_the_best_indicator_that_is_known_is_taken_and_named() -> None:
    kwh = by_months({JAN + i: 1000.0 + i for i in range(-12, 6)})
    sales = by_statements(months(*(2 * each for each in OUTPUT)))
    gap = by_statements(months(*OUTPUT[:2]))  # not all of the quarter
    found = history(
        stated(*QUARTERS),
        {"gross_output": gap, "revenue": sales, "electricity": kwh},
        JAN,
        JAN + 12,
        "pro_rata",
    )
    assert [each.amount for each in found.months[:6]] == pytest.approx(
        PRO_RATA, abs=5e-5
    )
    assert found.month(JAN).indicator == "revenue"
    alone = history(stated(*QUARTERS), {"electricity": kwh}, JAN, JAN + 12, "pro_rata")
    assert alone.month(JAN).indicator == "electricity"
    assert alone.month(JAN).amount == pytest.approx(300 * 1000 / 3003)


def test_a_stated_month_needs_no_indicator() -> None:
    found = history(months(10.0, 20.0), {}, JAN, JAN + 12, "denton")
    both = found.over(JAN, JAN + 2)
    assert both is not None
    assert (both.amount, both.estimated, both.statement_ids) == (30, False, (1, 2))
    assert found.month(JAN).how == "stated"


def test_a_year_that_disagrees_is_told_and_kept() -> None:
    found = stated((0, 12, 660.0), (0, 3, 150.0), (3, 6, 150.0), (6, 12, 300.0))
    assert [each.what for each in found.doubts] == ["differs"]
    spread = history(
        found,
        {"gross_output": by_statements(months(*([100.0] * 12)))},
        JAN,
        JAN + 12,
        "denton",
    )
    year = spread.over(JAN, JAN + 12)
    assert year is not None
    assert year.amount == pytest.approx(660)
    half = spread.over(JAN, JAN + 6)
    assert half is not None
    assert half.amount == pytest.approx(330)


def test_sums_that_are_nothing_but_rounding_apart() -> None:
    value = stated((0, 1, 0.1), (1, 2, 0.2), (2, 3, -0.3), (0, 3, 0.0))
    output = by_statements(months(*OUTPUT))
    found = history(value, {"gross_output": output}, JAN, JAN + 12, "denton")
    assert [each.amount for each in found.months[:3]] == [0.1, 0.2, -0.3]
    assert value.doubts == ()


def test_comparable_prices_are_chained_from_the_base_year() -> None:
    # 2024: 1 000; volume +10 % in 2025, +5 % in the first quarter of 2026 after 240
    current = stated((-24, -12, 1000.0), (-24, -21, 240.0), (-12, 0, 1200.0))
    indices = [
        Span(JAN - 12, JAN, 110.0, True, 20),
        Span(JAN - 12, JAN - 9, 112.5, True, 21),
        Span(JAN, JAN + 3, 105.0, False, 22),
    ]
    found = comparable(current, [], indices, 2024)
    known = {(each.first - JAN, each.stop - JAN): each.amount for each in found.spans}
    assert known == pytest.approx(
        {
            (-24, -12): 1000,
            (-24, -21): 240,
            (-12, 0): 1100,
            (-12, -9): 270,
            (0, 3): 283.5,
        }
    )
    assert [each.final for each in found.spans if each.first == JAN] == [False]
    stated_too = comparable(
        current, [Span(JAN - 12, JAN, 1090, True, 9)], indices, 2024
    )
    assert (JAN - 12, JAN, 1090) in [each[:3] for each in stated_too.spans]
    assert not comparable(current, [], indices[2:], 2024).keys(JAN, JAN + 3)


def test_years_of_one_indicator_are_benchmarked_together() -> None:
    output = by_months({JAN + i: 100.0 for i in range(-12, 12)})
    value = stated((-12, 0, 300.0), (0, 12, 360.0))
    found = history(value, {"gross_output": output}, JAN - 12, JAN + 12, "denton")
    step = found.month(JAN).amount - found.month(JAN - 1).amount
    assert 0 < step < 1.0  # pro rata would step by 5
    total = math.fsum(each.amount for each in found.months)
    assert total == pytest.approx(660)


def test_what_is_scaled_says_so_and_is_an_estimate() -> None:
    # quarters of 100 under a year of 300: 75 each, which nobody has stated
    quarters = [(3 * i, 3 * i + 3, 100.0) for i in range(4)]
    said = stated((0, 12, 300.0), *quarters)
    for first, stop, amount, how in ((0, 3, 75, "scaled"), (0, 12, 300, "stated")):
        for found in (
            exact(said, JAN + first, JAN + stop),
            history(said, {}, JAN, JAN + 12, "denton").over(JAN + first, JAN + stop),
        ):
            assert found is not None
            assert (found.amount, found.how) == (amount, (how,))
            assert found.estimated == (how == "scaled")
    # months of 20 under a quarter of 30; April is as stated
    said = stated((0, 3, 30.0), *((i, i + 1, 20.0) for i in range(4)))
    found = exact(said, JAN + 2, JAN + 4)
    assert found is not None
    assert (found.amount, found.how) == (30, ("scaled", "stated"))
    months_of = history(
        said, {"gross_output": by_statements(months(*OUTPUT))}, JAN, JAN + 12, "denton"
    ).months
    assert [each.how for each in months_of[:4]] == ["scaled"] * 3 + ["stated"]
    # what is chained to a scaled quarter rests on an estimate too
    index = [Span(JAN + 12, JAN + 15, 110.0, True, 9)]
    real = comparable(stated((0, 12, 300.0), *quarters), [], index, JAN // 12)
    found = exact(real, JAN + 12, JAN + 15)
    assert found is not None
    assert found.amount == pytest.approx(82.5)
    assert found.estimated
