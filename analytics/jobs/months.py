"""Local months."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from store.errors import Invalid

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)  # months that anything is stated of


def later(month: date, count: int) -> date:
    """Give the first day of the month so many months later."""
    n = month.year * 12 + month.month - 1 + count
    return date(n // 12, n % 12 + 1, 1)


def month_edges(zone: ZoneInfo, first: date, last: date) -> list[datetime]:
    """Give the local beginnings of the months from `first` to `last`, both included.

    Raises
    ------
    Invalid
        When `last` is before `first`.
    """
    if last < first:
        raise Invalid(f"the period {first} to {last} ends before it begins")
    count = (last.year - first.year) * 12 + last.month - first.month
    days = [later(first, n) for n in range(count + 1)]
    return [datetime.combine(each, time(), zone) for each in days]


def check_month(month: date) -> None:
    """Refuse what is not the first day of a month, or of no month of ours.

    Raises
    ------
    Invalid
        Naming the day.
    """
    if month.day != 1:
        raise Invalid(f"{month} is not the first day of a month")
    if not FIRST <= month < LAST:
        raise Invalid(f"the month {month} does not lie between {FIRST} and {LAST}")
