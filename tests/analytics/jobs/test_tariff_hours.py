"""The hours of the shipped tariffs, each quarter hour of 2026 against the notices' words."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from analytics import cost
from analytics.jobs import daytypes, tariffs
from store.errors import Invalid

# the State Council's notice for 2026: first day and days off, weekends' days worked
OFF = {(1, 1): 3, (2, 15): 9, (4, 4): 3, (5, 1): 5, (6, 19): 3, (9, 25): 3, (10, 1): 7}
WORKED = {(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)}
HOLIDAYS = {
    date(2026, *first) + timedelta(i)
    for first, days in OFF.items()
    for i in range(days)
}
HOT = {date(2026, 5, 30), date(2026, 7, 4), date(2026, 10, 3)}


def rests(day: date) -> bool:
    weekend = day.weekday() >= 5 and (day.month, day.day) not in WORKED
    return weekend or day in HOLIDAYS


def within(at: datetime, *hours: tuple[float, float]) -> bool:
    hour = at.hour + at.minute / 60
    return any(start <= hour < stop for start, stop in hours)


def jiangsu(at: datetime) -> str:
    if at.date() in HOLIDAYS and within(at, (10, 14)):
        return "deep_valley"
    if at.month in (7, 8) and within(at, (14, 15), (19.5, 21.5)):
        return "critical"
    if at.month in (12, 1) and within(at, (18, 20)):
        return "critical"
    if at.month in (6, 7, 8, 12, 1, 2):
        if within(at, (14, 22)):
            return "peak"
        return "valley" if within(at, (0, 6), (11, 13)) else "flat"
    if within(at, (15, 22)):
        return "peak"
    return "valley" if within(at, (2, 6), (10, 14)) else "flat"


def guangdong(at: datetime) -> str:
    hot = at.month in (7, 8, 9) or at.date() in HOT
    if hot and within(at, (11, 12), (15, 17)):
        return "critical"
    if within(at, (10, 12), (14, 19)):
        return "peak"
    return "valley" if within(at, (0, 8)) else "flat"


def shanghai(at: datetime) -> str:
    if rests(at.date()) and within(at, (0, 6), (22, 24)):
        return "deep_valley"
    if at.month in (7, 8) and within(at, (12, 14)):
        return "critical"
    if at.month in (1, 12) and within(at, (19, 21)):
        return "critical"
    if within(at, (8, 15 if at.month in (7, 8, 9) else 11), (18, 21)):
        return "peak"
    return "valley" if within(at, (0, 6), (22, 24)) else "flat"


def tianjin(at: datetime) -> str:
    if within(at, (9, 12), (16, 21)):
        return "peak"
    return "valley" if within(at, (0, 7), (23, 24)) else "flat"


def beijing(at: datetime) -> str:
    if at.month in (7, 8) and within(at, (11, 13), (16, 17)):
        return "critical"
    if at.month in (1, 12) and within(at, (18, 21)):
        return "critical"
    if within(at, (10, 13), (17, 22)):
        return "peak"
    return "valley" if within(at, (0, 7), (23, 24)) else "flat"


def zhejiang(at: datetime) -> str:
    """Say 浙发改价格〔2024〕21号 for spring and autumn, deep valley on three holidays."""
    named = [first for first in OFF if first in ((2, 15), (5, 1), (10, 1))]
    days = {
        date(2026, *each) + timedelta(i) for each in named for i in range(OFF[each])
    }
    if at.date() in days and within(at, (10, 14)):
        return "deep_valley"
    if within(at, (8, 11), (13, 17)):
        return "peak"
    return "valley" if within(at, (0, 8), (11, 13)) else "flat"


def jiangxi(at: datetime) -> str:
    """Say the critical hours of 赣发改价管〔2025〕463号, with edges on the half hour."""
    late = at.month in (7, 8) and within(at, (20.5, 22.5))
    return "critical" if late else "flat"


ALL = list(range(1, 13))
ZHEJIANG: dict[str, Any] = {
    "code": "ZJ",
    "seasons": [
        {
            "months": ALL,
            "ratio": {"peak": 1.5, "flat": 1.0, "valley": 0.4, "deep_valley": 0.2},
            "hours": {
                "peak": ["08:00-11:00", "13:00-17:00"],
                "flat": ["17:00-24:00"],
                "valley": ["00:00-08:00", "11:00-13:00"],
            },
        }
    ],
    "special": [
        {
            "period": "deep_valley",
            "days": ["spring_festival", "labour_day", "national_day"],
            "hours": ["10:00-14:00"],
        }
    ],
}
JIANGXI: dict[str, Any] = {
    "code": "JX",
    "seasons": [
        {
            "months": ALL,
            "ratio": {"critical": 1.8, "flat": 1.0},
            "hours": {"flat": ["00:00-24:00"]},
        }
    ],
    "special": [{"period": "critical", "months": [7, 8], "hours": ["20:30-22:30"]}],
}


def shipped(which: str, **of: Any) -> dict[str, Any]:
    return next(each for each in tariffs.shipped() if each["code"] == which) | of


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (shipped("CN-JS"), jiangsu),
        (shipped("CN-GD"), guangdong),
        (shipped("CN-SH"), shanghai),
        (shipped("CN-TJ"), tianjin),
        (shipped("CN-BJ"), beijing),
        (shipped("CN-TJ", **ZHEJIANG), zhejiang),
        (shipped("CN-TJ", **JIANGXI), jiangxi),
    ],
    ids=lambda each: each["code"] if isinstance(each, dict) else "",
)
def test_every_quarter_hour_of_a_year(
    terms: dict[str, Any], words: Callable[[datetime], str]
) -> None:
    tariff = tariffs.parse(terms)
    at = [datetime(2026, 1, 1) + timedelta(minutes=15 * i) for i in range(35_040)]  # noqa: DTZ001
    day = {
        each: daytypes.day_class("CN", each, each in HOT)
        | daytypes.festivals("CN", each)
        for each in {each.date() for each in at}
    }
    found = cost.periods(
        np.array([each.month for each in at]),
        np.array([each.hour * 60 + each.minute for each in at]),
        np.array([day[each.date()] for each in at]),
        tariff.rules(),
    )
    assert [cost.PERIODS[each] for each in found] == [words(each) for each in at]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ({"energy_cny_per_kwh": []}, "length >= 1"),
        (
            {
                "energy_cny_per_kwh": [
                    {"name": "f", "price": 0.1, "fund": True, "by_hours": True}
                ]
            },
            "f is a fund and follows the hours",
        ),
        ({"code": "  "}, "matching regex"),
        ({"special": [{"period": "flat", "hours": []}]}, "length >= 1"),
        (
            {"special": [{"period": "flat", "hours": ["01:00-02:00"], "months": []}]},
            "length >= 1",
        ),
        (ZHEJIANG | {"holidays": None}, "need the calendar"),
        (ZHEJIANG | {"holidays": "DE"}, "of CN alone"),
    ],
)
def test_what_would_be_passed_over_is_refused(of: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        tariffs.parse(shipped("CN-TJ", **of))
