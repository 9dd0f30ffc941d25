"""What a day is: worked, of rest, a holiday."""

from datetime import date, timedelta
from functools import cache

import holidays

from analytics import cost
from store.errors import Invalid


@cache
def calendar(country: str, year: int) -> holidays.HolidayBase:
    """Give the public holidays of a year and those beside it.

    Raises
    ------
    Invalid
        When nothing is known of that country.
    """
    try:
        return holidays.country_holidays(country, years=range(year - 1, year + 2))
    except (NotImplementedError, AttributeError) as error:
        raise Invalid(f"no calendar of holidays is known for {country!r}") from error


def day_class(country: str | None, day: date, hot: bool = False) -> int:
    """Tell what a local day is: a sum of cost.REST, HOLIDAY and HOT.

    A day of rest is a public holiday, a day off given for it, or a weekend's day that is
    not worked in exchange. A holiday is a run of days of rest with a public holiday in
    it, as the State Council's yearly notices announce them; ours as a rule.
    """
    found = cost.HOT if hot else 0
    if not rests(country, day):
        return found
    found |= cost.REST
    first = day
    while rests(country, first - timedelta(1)):
        first -= timedelta(1)
    while country is not None and rests(country, first):
        if first in calendar(country, first.year):
            return found | cost.HOLIDAY
        first += timedelta(1)
    return found


def rests(country: str | None, day: date) -> bool:
    """Tell whether a day is one of rest; without a country, a weekend's."""
    if country is None:
        return day.weekday() >= 5
    known = calendar(country, day.year)
    worked = getattr(known, "weekend_workdays", ())
    return day in known or (known.is_weekend(day) and day not in worked)


@cache
def like_day(country: str | None, day: date) -> int:
    """Class days that load alike: 0 worked, 1 Saturday, 2 Sunday and days off. Ours."""
    if not rests(country, day):
        return 0
    return 1 if day.weekday() == 5 else 2


@cache
def country_of(region: str) -> str | None:
    """Give the country of a park's grid region if its holidays are known."""
    country = region.partition("-")[0]
    return country if country in holidays.list_supported_countries() else None
