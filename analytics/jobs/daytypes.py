"""What a day is: worked, of rest, a holiday."""

from datetime import date, timedelta
from functools import cache

import holidays

from analytics import cost
from store.errors import Invalid

# by the name the calendar gives it
_FESTIVALS = (
    ("Spring Festival", cost.SPRING_FESTIVAL),
    ("Labor Day", cost.LABOUR_DAY),
    ("National Day", cost.NATIONAL_DAY),
)


@cache
def calendar(country: str, year: int) -> holidays.HolidayBase:
    """Give the public holidays of a year and those beside it.

    Raises
    ------
    Invalid
        When nothing is known of that country.
    """
    try:
        return holidays.country_holidays(
            country, years=range(year - 1, year + 2), language="en_US"
        )
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
    if country is not None:
        run = _run(country, day)
        if any(each in calendar(country, each.year) for each in run):
            found |= cost.HOLIDAY
    return found


@cache
def festivals(country: str | None, day: date) -> int:
    """Tell which of the holidays that notices name a day belongs to, as bits of cost.

    As in :func:`day_class`, the whole run of days of rest belongs to it; where two
    holidays are one run, as Mid-Autumn and National Day in some years, all of it does.
    """
    if country is None or not rests(country, day):
        return 0
    names = [calendar(country, each.year).get(each, "") for each in _run(country, day)]
    return sum(bit for word, bit in _FESTIVALS if any(word in each for each in names))


def _run(country: str, day: date) -> list[date]:
    """List the days of rest without a gap around one of them."""
    first, last = day, day
    while rests(country, first - timedelta(1)):
        first -= timedelta(1)
    while rests(country, last + timedelta(1)):
        last += timedelta(1)
    return [first + timedelta(i) for i in range((last - first).days + 1)]


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
