"""Periods as people write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import Invalid
from store.periods import add_months, period, written


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", (2026, 1, 1), (2027, 1, 1)),
        ("2026年", (2026, 1, 1), (2027, 1, 1)),
        ("2026-H2", (2026, 7, 1), (2027, 1, 1)),
        ("2026年上半年", (2026, 1, 1), (2026, 7, 1)),
        ("2026-Q3", (2026, 7, 1), (2026, 10, 1)),
        ("2026q4", (2026, 10, 1), (2027, 1, 1)),
        ("2026年一季度", (2026, 1, 1), (2026, 4, 1)),
        ("2026年第4季", (2026, 10, 1), (2027, 1, 1)),
        ("2024-02", (2024, 2, 1), (2024, 3, 1)),
        (" 2026年3月 ", (2026, 3, 1), (2026, 4, 1)),
        ("2026-01..2026-09", (2026, 1, 1), (2026, 10, 1)),
        ("2026-03-05..2026-03-05", (2026, 3, 5), (2026, 3, 6)),
    ],
)
def test_what_is_read(
    text: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    assert period(text) == (date(*first), date(*last))


@pytest.mark.parametrize(
    "text",
    [
        *("", "26", "2026-3", "2026-13", "2026-00", "2026-Q5", "2026..", "1989"),
        *("2026..2027..2028", "2026-03..2026-01", "2026-02-30..2026-03-01", "9999"),
        "2026年13月",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(Invalid):
        period(text)


@given(st.dates(date(1990, 1, 1), date(2150, 1, 1)), st.integers(1, 60), st.booleans())
def test_written_is_read_again(day: date, length: int, months: bool) -> None:
    first = day.replace(day=1) if months else day
    last = (
        add_months(first, length)
        if months
        else date.fromordinal(first.toordinal() + length)
    )
    assert period(written(first, last)) == (first, last)
