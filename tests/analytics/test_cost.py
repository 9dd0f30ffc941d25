"""Periods, basic charges and the power factor against the published rules."""

import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import cost


@pytest.mark.parametrize(
    ("standard", "factor", "percent"),
    [
        # (83)水电财字第215号, as in the tables of the notice
        (0.90, 0.90294, 0.0),  # the steel plant's year
        (0.90, 0.95, -0.75),
        (0.90, 1.0, -0.75),
        (0.90, 0.94, -0.60),
        (0.90, 0.91, -0.15),
        (0.90, 0.905, -0.15),  # a half is rounded up
        (0.90, 0.89, 0.5),
        (0.90, 0.8949, 0.5),
        (0.90, 0.70, 10.0),
        (0.90, 0.69, 11.0),
        (0.90, 0.65, 15.0),
        (0.90, 0.64, 17.0),
        (0.90, 0.60, 25.0),
        (0.85, 0.86, -0.1),
        (0.85, 0.90, -0.5),
        (0.85, 0.91, -0.65),
        (0.85, 0.93, -0.95),
        (0.85, 0.99, -1.10),
        (0.85, 0.84, 0.5),
        (0.85, 0.65, 10.0),
        (0.85, 0.60, 15.0),
        (0.85, 0.59, 17.0),
        (0.80, 0.81, -0.1),
        (0.80, 0.90, -1.0),
        (0.80, 0.91, -1.15),
        (0.80, 0.92, -1.30),
        (0.80, 0.60, 10.0),
        (0.80, 0.55, 15.0),
        (0.80, 0.54, 17.0),
    ],
)
def test_power_factor(standard: float, factor: float, percent: float) -> None:
    assert cost.power_factor_percent(factor, standard) == pytest.approx(percent)


# (83)水电财字第215号, percent in hundredths from cos phi 1.00 downwards: (value, how often),
# then runs of (step, how often), typed from the tables of the notice
TENTHS = [(-50, 1), (-40, 1), (-30, 1), (-20, 1), (-10, 1), (0, 1)]
TABLES = {
    0.90: (
        [(-75, 6), (-60, 1), (-45, 1), (-30, 1), (-15, 1), (0, 1)],
        [(50, 20), (100, 5), (200, 65)],
    ),
    0.85: (
        [(-110, 7), (-95, 1), (-80, 1), (-65, 1), *TENTHS],
        [(50, 20), (100, 5), (200, 60)],
    ),
    0.80: (
        [
            *((-130, 9), (-115, 1), (-100, 1), (-90, 1), (-80, 1), (-70, 1), (-60, 1)),
            *TENTHS,
        ],
        [(50, 20), (100, 5), (200, 55)],
    ),
}


@pytest.mark.parametrize("standard", cost.STANDARDS)
def test_power_factor_at_every_hundredth(standard: float) -> None:
    flat, steps = TABLES[standard]
    table = [value for value, often in flat for _ in range(often)]
    for step, often in steps:
        for _ in range(often):
            table.append(table[-1] + step)
    assert len(table) == 101
    for below, percent in enumerate(table):
        found = cost.power_factor_percent((100 - below) / 100, standard)
        assert found == percent / 100


@given(st.sampled_from(cost.STANDARDS), st.floats(0, 1), st.floats(0, 1))
def test_a_better_power_factor_never_costs_more(
    standard: float, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert cost.power_factor_percent(low, standard) >= cost.power_factor_percent(
        high, standard
    )


def test_unknown_power_factor() -> None:
    assert math.isnan(cost.power_factor_percent(math.nan, 0.9))
    with pytest.raises(ValueError, match="none of"):
        cost.power_factor_percent(0.9, 0.95)


def test_contract_demand() -> None:
    # 600 kW agreed: up to 630 kW the contract, 650 kW cost 600 + 2 x 20
    assert cost.billed_kw("contract", 610.0, 600.0) == 600.0
    assert cost.billed_kw("contract", 630.0, 600.0) == 600.0
    assert cost.billed_kw("contract", 650.0, 600.0) == pytest.approx(640.0)
    assert cost.billed_kw("demand", 650.0, 600.0) == 650.0
    assert math.isnan(cost.billed_kw("contract", math.nan, 600.0))
    assert math.isnan(cost.billed_kw("contract", 500.0, math.nan))
    with pytest.raises(ValueError, match="not billed by demand"):
        cost.billed_kw("capacity", 1.0, 1.0)


def test_demand_is_cheaper_below_the_ratio_of_prices() -> None:
    # 26 CNY/kVA and 38 CNY/kW: 0.684 of the capacity
    for share, demand in ((0.684, True), (0.685, False)):
        assert (cost.billed_kw("demand", share * 1000, 0.0) * 38 < 26_000) is demand


def test_high_use() -> None:
    assert cost.high_use(259_999.0, 1000.0) == 1.0
    assert cost.high_use(260_000.0, 1000.0) == 0.9
    assert cost.high_use(math.nan, 1000.0) == 1.0
    # sums of registers are off by the last bits
    assert cost.high_use(259_999.99999999997, 1000.0) == 0.9


@given(
    st.lists(
        st.tuples(st.floats(1, 1e4), st.sampled_from([34.2, 38.0, 12.5])),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([0.0, 400.0, 5000.0]),
)
def test_no_contract_is_cheaper_than_the_best(
    months: list[tuple[float, float]], lowest: float
) -> None:
    maxima, prices = np.array(months).T
    best = cost.best_contract(maxima, prices, lowest)
    assert best >= lowest

    def total(contract: float) -> float:
        return sum(cny * cost.billed_kw("contract", kw, contract) for kw, cny in months)

    for other in np.linspace(lowest, max(*maxima, lowest) * 1.1, 200):
        assert total(best) <= total(float(other)) * (1 + 1e-12)


def test_best_contract_weighs_months_by_their_price() -> None:
    # 210 kW at 10 and at 10, 1050 kW at 30: with equal prices 200 kW cost least, 3 x 200 +
    # 2 x 840 = 2280 against 3000. By price 1000 kW cost 50 000; 200 kW 10 000 + 50 400
    maxima = np.array([210.0, 210.0, 1050.0])
    assert cost.best_contract(maxima, np.ones(3)) == pytest.approx(200.0)
    dear = np.array([10.0, 10.0, 30.0])
    assert cost.best_contract(maxima, dear) == pytest.approx(1000.0)
    assert cost.best_contract(maxima, np.ones(3), 240.0) == 240.0
    assert math.isnan(cost.best_contract(np.array([1.0, math.nan]), np.ones(2)))
    assert math.isnan(cost.best_contract(np.empty(0), np.empty(0)))


def test_later_rules_hold_and_midnight_is_in_two() -> None:
    months = frozenset({7})
    rules = [
        cost.Rule(3, months, 0, 22 * 60, 1440),
        cost.Rule(3, months, 0, 0, 6 * 60),
        cost.Rule(1, months, 0, 14 * 60, 22 * 60),
        cost.Rule(0, months, 0, 19 * 60 + 30, 21 * 60 + 30),
        cost.Rule(4, months, cost.HOLIDAY, 22 * 60, 1440),
    ]
    minute = np.array([0, 345, 360, 840, 1155, 1170, 1275, 1290, 1320, 1425])
    month = np.full(minute.size, 7)
    names = [
        cost.PERIODS[each]
        for each in cost.periods(month, minute, np.zeros_like(minute), rules)
    ]
    assert names == [
        *("valley", "valley", "flat", "peak", "peak", "critical", "critical", "peak"),
        *("valley", "valley"),
    ]
    days = np.full(minute.size, cost.HOLIDAY | cost.REST)
    assert cost.PERIODS[cost.periods(month, minute, days, rules)[-1]] == "deep_valley"
    other = cost.periods(np.full(minute.size, 8), minute, days, rules)
    assert set(other.tolist()) == {cost.FLAT}


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 4)), max_size=200))
def test_periods_add_up(rows: list[tuple[float, int]]) -> None:
    kwh = np.array([each[0] for each in rows])
    sums = cost.by_period(kwh, np.array([each[1] for each in rows], np.int64))
    assert math.fsum(sums) == pytest.approx(math.fsum(kwh))


@pytest.mark.parametrize(
    ("amount", "money"),
    [(1.005, 1.01), (2.675, 2.68), (-1.005, -1.01), (0.004999, 0.0), (1e9, 1e9)],
)
def test_rounding(amount: float, money: float) -> None:
    assert cost.rounded(amount) == money


@pytest.mark.parametrize(
    ("factors", "money"),
    [
        # by hand: 982 026.055, 27.225 and -0.015, each a half cent
        ((85_393_570.0, 0.0115), 982_026.06),
        ((-0.75, 0.01, 3_630.0), -27.23),
        ((1.5, 0.01, 1.0), 0.02),
        ((2.0, math.nan), math.nan),
    ],
)
def test_money_is_multiplied_as_written(
    factors: tuple[float, ...], money: float
) -> None:
    assert cost.product(*factors) == pytest.approx(money, abs=0.0, nan_ok=True)


@given(st.integers(0, 10**10), st.integers(-(10**5), 10**5), st.sampled_from([2, 4, 6]))
def test_products_are_those_of_decimals(hundredths: int, price: int, at: int) -> None:
    exact = Decimal(hundredths).scaleb(-2) * Decimal(price).scaleb(-at)
    cents = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert cost.product(hundredths / 100, price / 10**at) == float(cents)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3000)), max_size=5),
)
def test_prices_are_those_of_decimals(parts: list[tuple[int, int]]) -> None:
    exact = sum(
        (Decimal(a).scaleb(-6) * Decimal(b) / 1000 for a, b in parts), Decimal()
    )
    found = cost.price([(a / 10**6, b / 1000) for a, b in parts])
    assert found == float(exact.quantize(Decimal("0.000001"), ROUND_HALF_UP))


def test_a_price_that_ends_in_a_half_is_rounded_up() -> None:
    # 0.9961 x 2.125 = 2.1167125, and the same with 0.1 more
    assert cost.price([(0.9961, 2.125)]) == 2.116713
    assert cost.price([(0.9961, 2.125), (0.1, 1.0)]) == 2.216713


def test_unknown_money_stays_unknown() -> None:
    assert math.isnan(cost.rounded(math.nan))
