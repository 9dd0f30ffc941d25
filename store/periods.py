"""How people write periods: a year, half, quarter or month, or the first to the last."""

import re
from datetime import date, timedelta

from store.errors import Invalid

EXAMPLES = "2026, 2026-H1, 2026-Q3, 2026-03, 2026-01..2026-09"
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")
_CHINESE = {"一": "1", "二": "2", "三": "3", "四": "4", "上": "1", "下": "2"}


def add_months(day: date, months: int) -> date:
    """Give the first of the month that lies so many months after a first."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def period(text: str) -> tuple[date, date]:
    """Read a period as local days [first, last).

    Both ends of ``FIRST..LAST`` belong to it. Also read are 2026年, 2026年3月,
    2026年一季度 and 2026年上半年.

    Raises
    ------
    Invalid
        When the text is none, or lies outside the years 1990 to 2200.
    """
    text = text.strip()
    try:
        if days := _DAYS.fullmatch(text):
            first = date.fromisoformat(days[1])
            last = date.fromisoformat(days[2]) + timedelta(days=1)
        else:
            parts = [_part(each) for each in text.split("..")]
            if len(parts) > 2:
                raise ValueError
            first, last = parts[0][0], parts[-1][1]
    except (ValueError, OverflowError):
        raise Invalid(
            f"period {text[:40]!r} is none; write one like {EXAMPLES}"
        ) from None
    if last <= first:
        raise Invalid(f"period {text[:40]!r} ends before it begins")
    if first.year < 1990 or last > date(2200, 1, 1):
        raise Invalid(f"period {text[:40]!r} lies outside the years 1990 to 2200")
    return first, last


def _part(text: str) -> tuple[date, date]:
    text = text.strip()
    if found := re.fullmatch(r"(\d{4})年?", text):
        return _months(found[1], 0, 12)
    if found := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text):
        return _months(found[1], 3 * (int(found[2]) - 1), 3)
    if found := re.fullmatch(r"(\d{4})-?[Hh]([12])", text):
        return _months(found[1], 6 * (int(found[2]) - 1), 6)
    if found := re.fullmatch(r"(\d{4})(?:-(\d\d)|年(\d{1,2})月)", text):
        return _months(found[1], int(found[2] or found[3]) - 1, 1)
    if found := re.fullmatch(r"(\d{4})年第?([1-4一二三四])季度?", text):
        quarter = int(_CHINESE.get(found[2], found[2]))
        return _months(found[1], 3 * (quarter - 1), 3)
    if found := re.fullmatch(r"(\d{4})年([上下])半年", text):
        return _months(found[1], 6 * (int(_CHINESE[found[2]]) - 1), 6)
    raise ValueError


def _months(year: str, before: int, count: int) -> tuple[date, date]:
    if before not in range(12):
        raise ValueError
    first = date(int(year), before + 1, 1)
    return first, add_months(first, count)


def written(first: date, last: date) -> str:
    """Write local days [first, last) as :func:`period` reads them, the shortest way."""
    if first.day == 1 and last.day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month
        if months == 12 and first.month == 1:
            return f"{first.year}"
        if months == 6 and first.month in (1, 7):
            return f"{first.year}-H{1 + first.month // 7}"
        if months == 3 and first.month % 3 == 1:
            return f"{first.year}-Q{1 + first.month // 3}"
        if months == 1:
            return f"{first:%Y-%m}"
        return f"{first:%Y-%m}..{add_months(last, -1):%Y-%m}"
    return f"{first}..{last - timedelta(days=1)}"
