"""Added value of an enterprise by month: stated, benchmarked, or estimated by a rate.

The recipe: a monthly indicator (gross output, else sales, else electricity) times the
added-value rate of the last year known, benchmarked to the quarters and years that are
known. Every month says which of these it is.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics import benchmarking
from analytics.benchmarking import BENCHMARKED, Benchmarks, Monthly
from analytics.jobs.stated import Amount, Flow, exact, flow, spans, states
from analytics.reconciling import Span
from store.records import Statement

Float64 = NDArray[np.float64]

METHODS: dict[str, Callable[[Float64, Benchmarks], Monthly]] = {
    "denton": benchmarking.denton,
    "pro_rata": benchmarking.pro_rata,
}
INDICATORS = ("gross_output", "revenue", "electricity")


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """What moves with added value; NaN where unknown."""

    month: Callable[[int], float]
    year: Callable[[int], float]
    keys: Callable[[int, int], tuple[int, ...]] = lambda first, stop: ()  # statements


def by_statements(of: Flow) -> Indicator:
    """Take a stated flow as indicator; its year may be known without its months."""

    def year(each: int) -> float:
        found = exact(of, each * 12, each * 12 + 12)
        return math.nan if found is None else found.amount

    return Indicator(month=of.month, year=year, keys=of.keys)


def by_months(amounts: Mapping[int, float]) -> Indicator:
    """Take measured months as indicator."""

    def month(each: int) -> float:
        return amounts.get(each, math.nan)

    def year(each: int) -> float:
        return math.fsum(month(m) for m in range(each * 12, each * 12 + 12))

    return Indicator(month=month, year=year)


How = Literal["stated", "scaled", "benchmarked", "rate", "extrapolated", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month's added value [10⁴ CNY]."""

    amount: float  # NaN: unknown
    how: How
    indicator: str | None = None
    rate: float | None = None  # 10⁴ CNY per unit of the indicator, where that is used
    rate_year: int | None = None  # whose added value and indicator gave the rate
    statement_ids: tuple[int, ...] = ()  # beside those that reach into the month


@dataclass(frozen=True, kw_only=True)
class History:
    """An enterprise's added value: what is stated, and the months of its window."""

    stated: Flow
    first: int  # month of `months[0]`
    estimate: Callable[[], tuple[Month, ...]]

    @cached_property
    def months(self) -> tuple[Month, ...]:
        """Estimate the months once somebody asks for one that is not stated."""
        return self.estimate()

    def month(self, at: int) -> Month:
        """Give one month."""
        if 0 <= at - self.first < len(self.months):
            return self.months[at - self.first]
        return Month(amount=math.nan, how="unknown")

    def over(self, first: int, stop: int) -> Amount | None:
        """Add months [first, stop): known sums where they fit, else estimated months."""
        stated = exact(self.stated, first, stop)
        if stated is not None:
            return stated
        inside, rest = self.stated.sums(first, stop)
        estimated = [self.month(each) for each in rest]
        parts = [each.amount for each in inside]
        parts += [each.amount for each in estimated]
        if not parts or any(math.isnan(each) for each in parts):
            return None
        how = set(states(inside))
        for each in estimated:
            how |= {each.how, each.indicator or ""}
        return Amount(
            amount=math.fsum(parts),
            estimated=True,
            provisional=not all(each.final for each in inside),
            how=tuple(sorted(how - {""})),
            statement_ids=_ids(
                self.stated.keys(first, stop), *(e.statement_ids for e in estimated)
            ),
        )


def _ids(*parts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted({each for part in parts for each in part}))


def volume_indices(
    own: Sequence[Statement], of_park: Sequence[Statement]
) -> list[Span]:
    """Take an enterprise's own volume indices, and the park's for other periods."""
    said = {(each.period_from, each.period_to) for each in own}
    others = (e for e in of_park if (e.period_from, e.period_to) not in said)
    return spans([*own, *others])


def comparable(
    current: Flow, stated: list[Span], indices: list[Span], base: int
) -> Flow:
    """Give added value at the prices of a base year.

    Parameters
    ----------
    current
        As stated at current prices; in the base year both are the same.
    stated
        As stated at the prices of the base year.
    indices
        Volume indices, the same period of the year before = 100.

    Notes
    -----
    V_real(t) = V_real(t - 1 year) · index / 100: chained volume measures, SNA 2008,
    15.35-15.50. A stated value counts before one that is chained.
    """
    first, stop = base * 12, base * 12 + 12
    known = [each for each in current.spans if first <= each.first < each.stop <= stop]
    known += stated
    for each in sorted(indices, key=lambda span: (span.first, span.stop, span.key)):
        if any((s.first, s.stop) == (each.first, each.stop) for s in known):
            continue
        before = exact(flow(known), each.first - 12, each.stop - 12)
        if before is not None and each.first >= stop:
            amount = before.amount * each.amount / 100.0
            final = each.final and not before.provisional
            known.append(
                each._replace(amount=amount, final=final, scaled=before.estimated)
            )
    return flow(known)


def history(
    stated: Flow,
    indicators: Mapping[str, Indicator],
    first: int,
    stop: int,
    method: str,
) -> History:
    """Estimate the months of [first, stop); first is a January.

    Parameters
    ----------
    indicators
        Of :data:`INDICATORS` those there are, the best first.
    method
        How quarters and years are spread: a key of :data:`METHODS`.

    Notes
    -----
    Of a calendar year the first indicator is taken that is known in every month of each
    sum to be spread, and in one month at least; years of the same indicator are
    benchmarked together, so that no step is made at their turn. Months of no known sum
    take the rate of the last year before them whose added value and indicator are known,
    else the ratio of the nearest benchmark.
    """

    def estimate() -> tuple[Month, ...]:
        return _months(stated, indicators, first, stop, method)

    return History(stated=stated, first=first, estimate=estimate)


def with_last_resort(found: History, electricity: Callable[[], History]) -> History:
    """Estimate by electricity where statements alone leave a month unknown."""

    def estimate() -> tuple[Month, ...]:
        months = found.months
        unknown = any(math.isnan(each.amount) for each in months)
        return electricity().months if found.stated.spans and unknown else months

    return History(stated=found.stated, first=found.first, estimate=estimate)


def _months(
    stated: Flow,
    indicators: Mapping[str, Indicator],
    first: int,
    stop: int,
    method: str,
) -> tuple[Month, ...]:
    chosen = {year: _choose(stated, indicators, year) for year in _years(first, stop)}
    months: list[Month] = []
    for name, years in groupby(chosen, key=lambda year: chosen[year]):
        run = list(years)
        low, high = max(first, run[0] * 12), min(stop, run[-1] * 12 + 12)
        if name is None:
            months += [_stated(stated, month) for month in range(low, high)]
        else:
            months += _run(stated, name, indicators[name], low, high, method)
    return tuple(months)


def _years(first: int, stop: int) -> range:
    return range(first // 12, -(-stop // 12))


def _choose(stated: Flow, indicators: Mapping[str, Indicator], year: int) -> str | None:
    low, high = year * 12, year * 12 + 12
    spread = {
        month
        for each in stated.groups
        if len(each.months) > 1
        for month in each.months
        if low <= month < high
    }
    for name, indicator in indicators.items():
        known = {m for m in range(low, high) if not math.isnan(indicator.month(m))}
        if known and spread <= known:
            return name
    return None


def _stated(stated: Flow, month: int) -> Month:
    for each in stated.groups:
        if each.months == (month,):
            return Month(amount=each.amount, how="scaled" if each.scaled else "stated")
    return Month(amount=math.nan, how="unknown")


def _run(
    stated: Flow, name: str, indicator: Indicator, low: int, high: int, method: str
) -> list[Month]:
    p = np.array([indicator.month(month) for month in range(low, high)], np.float64)
    p[p < 0] = np.nan  # no shape
    # what its parts fill says nothing more than they do
    keys = {each.keys[0] for each in stated.groups}
    spans = [
        each
        for each in stated.spans
        if low <= each.first < each.stop <= high and each.key in keys
    ]
    found = METHODS[method](
        p,
        Benchmarks(
            np.array([each.first - low for each in spans], np.int64),
            np.array([each.stop - low for each in spans], np.int64),
            np.array([each.amount for each in spans], np.float64),
        ),
    )
    months: list[Month] = []
    for at, month in enumerate(range(low, high)):
        alone = _stated(stated, month)
        if alone.how != "unknown":
            months.append(alone)
        elif found.state[at] == BENCHMARKED:
            months.append(
                Month(
                    amount=float(found.value[at]),
                    how="benchmarked",
                    indicator=name,
                    statement_ids=indicator.keys(*_year(month)),
                )
            )
        else:
            months.append(_rated(stated, name, indicator, month, found.ratio[at]))
    return months


def _rated(
    stated: Flow, name: str, indicator: Indicator, month: int, ratio: float
) -> Month:
    """Estimate a month of no known sum."""
    p = indicator.month(month)
    if not p >= 0 or _in_a_sum(stated, month):
        return Month(amount=math.nan, how="unknown")
    earliest = min((each.first for each in stated.spans), default=month)
    for year in range(month // 12 - 1, earliest // 12 - 1, -1):
        value = exact(stated, year * 12, year * 12 + 12)
        total = indicator.year(year)
        if value is not None and total > 0:
            rate = value.amount / total
            return Month(
                amount=p * rate,
                how="rate",
                indicator=name,
                rate=rate,
                rate_year=year,
                statement_ids=_ids(
                    value.statement_ids,
                    indicator.keys(*_year(year * 12)),
                    indicator.keys(month, month + 1),
                ),
            )
    if math.isnan(ratio):
        return Month(amount=math.nan, how="unknown")
    return Month(
        amount=float(p * ratio),
        how="extrapolated",
        indicator=name,
        rate=float(ratio),
        statement_ids=_ids(
            tuple(each.key for each in stated.spans), indicator.keys(month, month + 1)
        ),
    )


def _year(month: int) -> tuple[int, int]:
    return month // 12 * 12, month // 12 * 12 + 12


def _in_a_sum(stated: Flow, month: int) -> bool:
    return any(month in each.months for each in stated.groups)
