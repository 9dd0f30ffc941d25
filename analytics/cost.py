"""What energy and demand cost: periods of the day, basic charge, power factor, rounding.

Money is in the tariff's currency [CNY]. NaN is unknown and makes what rests on it unknown.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

PERIODS = ("critical", "peak", "flat", "valley", "deep_valley")
FLAT = PERIODS.index("flat")
REST, HOLIDAY, HOT = 1, 2, 4  # what a day can be, added up
SPRING_FESTIVAL, LABOUR_DAY, NATIONAL_DAY = 8, 16, 32  # and which holiday

METHODS = ("capacity", "contract", "demand")
EXCESS = 1.05  # of the contract demand; above it the price is doubled
LOWEST_SHARE = 0.4  # of the connected capacity, that a contract demand may be
HIGH_USE_KWH_PER_KVA = 260.0
HIGH_USE_SHARE = 0.9
STANDARDS = (0.90, 0.85, 0.80)
_BEST = {90: 95, 85: 94, 80: 92}  # hundredths from which on nothing more is taken off


class Rule(NamedTuple):
    """In these months, on these days, from minute to minute it is this period."""

    period: int  # index into PERIODS
    months: frozenset[int]
    days: int  # sum of what days can be, of which one must hold; 0: every day
    start_min: int  # of the local day
    stop_min: int


def periods(month: Int64, minute: Int64, day: Int64, rules: Sequence[Rule]) -> Int64:
    """Tell the period of each interval; of several rules the last one holds.

    Parameters
    ----------
    month, minute
        Of the local time at which the interval starts, shape (n,); minute of the day.
    day
        What the local day is, a sum of REST, HOLIDAY and the like, shape (n,).
    rules
        Half-open in minutes. One over midnight stands in two.

    Returns
    -------
    NDArray[np.int64]
        Indices into PERIODS, shape (n,); where no rule holds, flat.
    """
    found = np.full(month.shape, FLAT, np.int64)
    for rule in rules:
        holds = np.isin(month, list(rule.months))
        holds &= (minute >= rule.start_min) & (minute < rule.stop_min)
        if rule.days:
            holds &= (day & rule.days) != 0
        found[holds] = rule.period
    return found


def by_period(energy_kwh: Float64, period: Int64) -> Float64:
    """Add energy up by period, each sum rounded once.

    Parameters
    ----------
    energy_kwh
        Known energy of intervals, shape (n,).
    period
        Indices into PERIODS, shape (n,).

    Returns
    -------
    NDArray[np.float64]
        [kWh], shape (5,).
    """
    return np.array(
        [math.fsum(energy_kwh[period == each]) for each in range(len(PERIODS))]
    )


def high_use(energy_kwh: float, capacity_kva: float) -> float:
    """Give the factor of the demand price: 0.9 from 260 kWh a month and kVA on, else 1.

    Source: 发改价格〔2023〕526号, third regulatory period.
    """
    if math.isnan(energy_kwh) or math.isnan(capacity_kva):
        return 1.0
    high = rounded(energy_kwh, 6) >= product(
        HIGH_USE_KWH_PER_KVA, capacity_kva, places=6
    )
    return HIGH_USE_SHARE if high else 1.0


def billed_kw(method: str, maximum_kw: float, contract_kw: float) -> float:
    """Give the demand [kW] that a month is billed for.

    By actual demand it is the maximum. By contract it is the contract demand, and what
    goes beyond 105 % of it counts twice (common terms of two-part tariffs).

    Raises
    ------
    ValueError
        For another method.
    """
    if method == "demand":
        return maximum_kw
    if method == "contract":
        return contract_kw + 2.0 * float(
            np.maximum(maximum_kw - EXCESS * contract_kw, 0.0)
        )
    raise ValueError(f"method {method!r} is not billed by demand")


def best_contract(
    maxima_kw: Float64, price_cny: Float64, lowest_kw: float = 0.0
) -> float:
    """Give the contract demand [kW] that would have cost least over months.

    The cost is linear between the maxima over 1.05, so one of them is the best, or the
    lowest that may be agreed; of equals the lowest. Ours.

    Parameters
    ----------
    maxima_kw
        Highest demand of each month or part of one, shape (n,); NaN makes the answer so.
    price_cny
        What a kW costs in each, shape (n,); not below 0.
    lowest_kw
        That may be agreed: :data:`LOWEST_SHARE` of the connected capacity.
    """
    if not maxima_kw.size or np.isnan(maxima_kw + price_cny).any():
        return math.nan
    offers = np.unique(np.maximum(maxima_kw / EXCESS, lowest_kw))
    beyond = np.maximum(maxima_kw[None, :] - EXCESS * offers[:, None], 0.0)
    cost = price_cny.sum() * offers + 2.0 * (beyond * price_cny).sum(axis=1)
    return float(offers[int(np.argmin(cost))])


def hundredths(power_factor: float) -> int:
    """Round a power factor to hundredths, a half upwards."""
    return int((_decimal(power_factor) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def power_factor_percent(power_factor: float, standard: float) -> float:
    """Give what a bill is raised (+) or lowered (-) by [%].

    Source: (83)水电财字第215号, tables for the standards 0.90, 0.85 and 0.80. Written as
    steps: below the standard 0.5 for each of twenty hundredths, then 1 for each of
    five, then 2; above it 0.1 for each up to 0.90 and 0.15 beyond, up to the best.

    Raises
    ------
    ValueError
        For another standard.
    """
    if standard not in STANDARDS:
        raise ValueError(f"standard {standard} is none of {STANDARDS}")
    if math.isnan(power_factor):
        return math.nan
    norm, at = round(standard * 100), hundredths(power_factor)
    if at < norm:
        short = norm - at
        half = 5 * min(short, 20) + 10 * min(max(short - 20, 0), 5)
        return (half + 20 * max(short - 25, 0)) / 10
    at = min(at, _BEST[norm])
    return -(10 * max(min(at, 90) - norm, 0) + 15 * max(at - max(norm, 90), 0)) / 100


def rounded(amount: float, places: int = 2) -> float:
    """Round money to places, a half away from zero; NaN stays."""
    return amount if math.isnan(amount) else _quantized(_decimal(amount), places)


def product(*factors: float, places: int = 2) -> float:
    """Multiply numbers as they are written and round once, a half away from zero.

    Whoever multiplies the quantity and the price of a line by hand gets the same cent: in
    binary 85 393 570 x 0.0115 falls below the half cent it is. NaN stays.
    """
    if any(math.isnan(each) for each in factors):
        return math.nan
    found = Decimal(1)
    for each in factors:
        found *= _decimal(each)
    return _quantized(found, places)


def price(parts: Sequence[tuple[float, float]], places: int = 6) -> float:
    """Add components times their ratios up as they are written, and round once.

    Guangdong's critical ratio makes of 0.9961 a price that ends in a half, 2.1167125,
    which in binary lies below it.
    """
    found = sum((_decimal(each) * _decimal(by) for each, by in parts), Decimal(0))
    return _quantized(found, places)


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _quantized(number: Decimal, places: int) -> float:
    return float(number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
