"""Days of rest and holidays against the State Council's notices."""

from datetime import date, timedelta

import pytest

from analytics import cost
from analytics.jobs import daytypes, tariffs
from analytics.jobs.daytypes import country_of, day_class, like_day
from store.errors import Invalid

WORKED = 0
REST = cost.REST
HOLIDAY = cost.REST | cost.HOLIDAY


@pytest.mark.parametrize(
    ("day", "found"),
    [
        # 国办发明电〔2024〕12号: 2025
        ("2025-01-26", WORKED),  # a Sunday worked for Spring Festival
        ("2025-01-27", WORKED),
        ("2025-01-28", HOLIDAY),
        ("2025-02-01", HOLIDAY),  # a Saturday within it
        ("2025-02-04", HOLIDAY),
        ("2025-02-08", WORKED),
        ("2025-04-04", HOLIDAY),
        ("2025-04-06", HOLIDAY),
        ("2025-04-12", REST),  # any Saturday
        ("2025-05-31", HOLIDAY),
        ("2025-10-08", HOLIDAY),
        ("2025-10-09", WORKED),
        ("2025-10-11", WORKED),
    ],
)
def test_chinese_days(day: str, found: int) -> None:
    assert day_class("CN", date.fromisoformat(day)) == found


def test_other_places() -> None:
    assert day_class("DE", date(2026, 5, 1)) == HOLIDAY
    assert day_class(None, date(2026, 5, 1)) == WORKED
    assert day_class(None, date(2026, 5, 2), hot=True) == cost.REST | cost.HOT
    with pytest.raises(Invalid, match="no calendar"):
        daytypes.calendar("XX", 2026)
    assert country_of("CN-JS") == "CN"
    assert country_of("somewhere") is None


def test_like_days() -> None:
    week = [date(2026, 11, 23) + timedelta(i) for i in range(7)]
    assert [like_day("CN", day) for day in week] == [0, 0, 0, 0, 0, 1, 2]
    assert like_day("CN", date(2026, 10, 5)) == 2  # Monday of National Day
    assert like_day("CN", date(2026, 10, 10)) == 0  # a Saturday that is worked
    assert like_day(None, date(2026, 10, 5)) == 0


def terms(**of: object) -> dict[str, object]:
    given = next(each for each in tariffs.shipped() if each["code"] == "CN-JS")
    return given | of


def test_shipped_tariffs_are_understood() -> None:
    for each in tariffs.shipped():
        assert tariffs.parse(each).rules()


SEASON = {"months": [1], "ratio": {"flat": 1.0}, "hours": {"flat": ["00:00-24:00"]}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("text", "not understood"),
        (None, "not understood"),
        ({}, "not understood"),
        (terms(unknown=1), "not understood"),
        (terms(seasons=[]), "month 1 stands in 0"),
        (terms(seasons=[SEASON, SEASON]), "month 1 stands in 2"),
        (
            terms(seasons=[SEASON | {"hours": {"flat": ["00:00-23:00"]}}]),
            "23:00 stands in no period",
        ),
        (
            terms(
                seasons=[SEASON | {"hours": {"flat": ["00:00-24:00", "06:00-07:00"]}}]
            ),
            "06:00 stands in two",
        ),
        (
            terms(seasons=[SEASON | {"hours": {"flat": ["00:00-24:10"]}}]),
            "no quarter hour",
        ),
        (
            terms(seasons=[SEASON | {"hours": {"flat": ["07:00-07:00"]}}]),
            "are empty",
        ),
        (
            terms(seasons=[SEASON | {"ratio": {"peak": 1.0}}]),
            "no ratio for critical, deep_valley, flat",
        ),
        (terms(holidays="XX"), "no calendar"),
        (terms(holidays=None), "need the calendar"),
        (terms(valid_to="2020-01-01"), "valid_to"),
    ],
)
def test_what_is_wrong_with_a_tariff(given: object, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        tariffs.parse(given)
