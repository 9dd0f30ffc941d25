"""Local months."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo


def later(month: date, count: int) -> date:
    """Give the first day of the month so many months later."""
    n = month.year * 12 + month.month - 1 + count
    return date(n // 12, n % 12 + 1, 1)


def month_edges(zone: ZoneInfo, first: date, last: date) -> list[datetime]:
    """Give the local beginnings of the months from `first` to `last`, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month
    days = [later(first, n) for n in range(count + 1)]
    return [datetime.combine(each, time(), zone) for each in days]
