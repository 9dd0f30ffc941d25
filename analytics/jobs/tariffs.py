"""Tariffs from YAML: what is shipped, and the check of what users bring."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import yaml

from analytics import cost
from analytics.jobs import daytypes
from analytics.jobs.shipped import contents
from store.database import Connection
from store.errors import Invalid
from store.tariffs import record_tariffs

Price = Annotated[float, msgspec.Meta(ge=-100.0, le=100.0)]
Month = Annotated[int, msgspec.Meta(ge=1, le=12)]
Hours = Annotated[str, msgspec.Meta(pattern=r"^\d\d:\d\d-\d\d:\d\d$")]
Period = Literal["critical", "peak", "flat", "valley", "deep_valley"]
Day = Literal["holiday", "rest", "hot", "spring_festival", "labour_day", "national_day"]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^\S")]

_FESTIVALS = {
    "spring_festival": cost.SPRING_FESTIVAL,
    "labour_day": cost.LABOUR_DAY,
    "national_day": cost.NATIONAL_DAY,
}
_DAYS = {"rest": cost.REST, "holiday": cost.HOLIDAY, "hot": cost.HOT} | _FESTIVALS
DAY_MIN = 24 * 60


class Component(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the price of energy [CNY/kWh]."""

    name: Text
    price: Price
    by_hours: bool = False  # the period's ratio applies to it
    fund: bool = False  # the power factor's adjustment does not


class Season(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hours of some months, and what the price is multiplied by in each period."""

    months: list[Month]
    ratio: dict[Period, Annotated[float, msgspec.Meta(ge=0.0, le=20.0)]]
    hours: dict[Period, list[Hours]]


class Special(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another period in some hours of some months or days."""

    period: Period
    hours: Annotated[list[Hours], msgspec.Meta(min_length=1)]
    months: Annotated[tuple[Month, ...], msgspec.Meta(min_length=1)] = tuple(
        range(1, 13)
    )
    days: list[Day] = []


class Basic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What capacity or demand costs a month."""

    capacity_cny_per_kva: Price | None = None
    demand_cny_per_kw: Price | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tariff as its file says it."""

    code: Text
    name: str
    valid_from: date
    source: Annotated[str, msgspec.Meta(min_length=1)]
    energy_cny_per_kwh: Annotated[list[Component], msgspec.Meta(min_length=1)]
    seasons: list[Season]
    name_zh: str | None = None
    holidays: str | None = None
    valid_to: date | None = None
    verified: bool = False
    note: str | None = None
    prices_are_examples: bool = False
    special: list[Special] = []
    basic: Basic = Basic()

    def rules(self) -> list[cost.Rule]:
        """Give the rules of its hours, the seasons' first."""
        found = []
        for season in self.seasons:
            for period, hours in season.hours.items():
                found += _rules(period, season.months, [], hours)
        for each in self.special:
            found += _rules(each.period, each.months, each.days, each.hours)
        return found

    def ratios(self, month: int) -> dict[str, float]:
        """Give the ratios of a month by period."""
        for season in self.seasons:
            if month in season.months:
                return dict(season.ratio.items())
        return {}


def _minutes(text: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    found = hour * 60 + minute
    if minute > 59 or found > DAY_MIN or minute % 15:
        raise Invalid(f"{text} is no quarter hour of a day")
    return found


def _rules(
    period: str, months: Sequence[int], days: Sequence[str], hours: list[str]
) -> list[cost.Rule]:
    found = []
    for each in hours:
        start, stop = _minutes(each[:5]), _minutes(each[6:])
        if start == stop:
            raise Invalid(f"the hours {each} are empty; a whole day is 00:00-24:00")
        parts = [(start, stop)] if start < stop else [(start, DAY_MIN), (0, stop)]
        found += [
            cost.Rule(
                cost.PERIODS.index(period),
                frozenset(months),
                sum(_DAYS[day] for day in set(days)),
                begin,
                end,
            )
            for begin, end in parts
            if begin < end
        ]
    return found


def parse(terms: Any) -> Terms:
    """Check a tariff and give it typed.

    Raises
    ------
    Invalid
        Saying what is wrong and where: a month without hours, hours twice or never, a
        period without a ratio, an unknown calendar of holidays, a fund that follows the hours.
    """
    try:
        found = msgspec.convert(terms, Terms)
    except msgspec.ValidationError as error:
        raise Invalid(f"the tariff is not understood: {error}") from error
    _check_days(found)
    for each in found.energy_cny_per_kwh:
        if each.fund and each.by_hours:
            raise Invalid(
                f"{each.name} is a fund and follows the hours; a fund is charged on all "
                "energy alike"
            )
    for month in range(1, 13):
        seasons = [each for each in found.seasons if month in each.months]
        if len(seasons) != 1:
            raise Invalid(
                f"month {month} stands in {len(seasons)} seasons, and must stand in one"
            )
        season = seasons[0]
        _check_cover(season, month)
        used = set(season.hours)
        used |= {each.period for each in found.special if month in each.months}
        lacking = sorted(used - set(season.ratio))
        if lacking:
            raise Invalid(f"month {month} has no ratio for {', '.join(lacking)}")
    found.rules()
    return found


def _check_days(terms: Terms) -> None:
    if terms.valid_to is not None and terms.valid_to <= terms.valid_from:
        raise Invalid("valid_to must lie after valid_from")
    asked = {day for each in terms.special for day in each.days}
    if terms.holidays is None:
        if asked & {"holiday", *_FESTIVALS}:
            raise Invalid("special hours on holidays need the calendar: holidays: CN")
    else:
        daytypes.calendar(terms.holidays, 2025)
        if terms.holidays != "CN" and asked & set(_FESTIVALS):
            raise Invalid("Spring Festival and the like are known of CN alone")


def _check_cover(season: Season, month: int) -> None:
    covered = np.zeros(DAY_MIN, np.int64)
    for period, hours in season.hours.items():
        for rule in _rules(period, [month], [], hours):
            covered[rule.start_min : rule.stop_min] += 1
    for wrong, words in ((covered == 0, "in no period"), (covered > 1, "in two")):
        if wrong.any():
            at = int(np.argmax(wrong))
            raise Invalid(
                f"month {month}: {at // 60:02d}:{at % 60:02d} stands {words}; "
                "the hours of a season must make one whole day"
            )


def shipped() -> list[dict[str, Any]]:
    """Read all tariffs of ``analytics/tariffs/*.yaml``."""
    return contents("tariffs")


def load(conn: Connection) -> int:
    """Record the shipped tariffs the store does not have yet; returns how many.

    A code of which someone has recorded a version of his own stays as it is.
    """
    return record_tariffs(conn, shipped(), shipped=True)


def add(conn: Connection, text: str) -> str:
    """Record a tariff written in YAML; gives its code.

    Raises
    ------
    Invalid
        When it is no YAML or not a tariff.
    """
    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise Invalid(f"the file is no YAML: {error}") from error
    terms = parse(read)
    record_tariffs(conn, [{"valid_to": None} | read])
    return terms.code
