"""Bills at the edges of time and place: late readings, clocks, moves, minutes."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import tariffs
from analytics.jobs.billing import Assumed, bills
from store import registry, relations
from store.database import connect
from tests.analytics.jobs.test_bill_terms import (
    JULY,
    JUNE,
    Place,
    june,
    lines,
    place,
    settle,
)

__all__ = ["place"]
pytestmark = pytest.mark.db


def test_a_late_reading_restates_and_the_earlier_bill_stays_known(place: Place) -> None:
    """29 days first, 27 840 kWh; the 30th arrives later."""
    empty = datetime.now(UTC)
    place.read(place.at(JUNE), june({})[: 29 * 96])
    place.analyse()
    asked: dict[str, Any] = {"tariff": "PLAIN", "method": "none"}
    before = place.bill(**asked)
    then = datetime.now(UTC)
    time.sleep(0.01)
    place.read(place.at(JUNE), june({}))
    place.analyse()
    assert before["total_cny"] == 13_920.0
    assert before["bills"][0]["coverage"] == pytest.approx(29 / 30)
    assert place.bill(**asked)["total_cny"] == 14_400.0
    early = place.bill(**asked, known_on=then)
    assert early["bills"] == before["bills"]
    # before anything had arrived there is no bill, and none of 0
    nothing = place.bill(**asked, known_on=empty)
    assert nothing["total_cny"] is None


@pytest.mark.parametrize(
    ("zone", "quarters"),
    [
        ("Asia/Kathmandu", (2976, 2976)),  # 5:45 ahead
        ("Europe/Berlin", (2972, 2980)),  # an hour less in March, one more in October
        ("Australia/Lord_Howe", (2976, 2974)),  # changes by half an hour
    ],
)
def test_hours_are_those_of_the_parks_clock(
    plain_database: str, zone: str, quarters: tuple[int, int]
) -> None:
    with connect(plain_database, autocommit=True) as conn:
        tariffs.load(conn)
        there = settle(plain_database, conn, zone)
        for month, count in zip((3, 10), quarters, strict=True):
            first, last = date(2026, month, 1), date(2026, month + 1, 1)
            start = there.at(first)
            assert (there.at(last) - start) // 900 == count
            used = np.random.default_rng(month).integers(0, 1000, count)
            there.read(start, used / 100)
            there.analyse()
            wanted: dict[str, Decimal] = {}
            for i, hundredths in enumerate(used.tolist()):
                at = datetime.fromtimestamp(start + 900 * i, ZoneInfo(zone))
                period = "valley" if at.hour < 8 else "flat"
                if 10 <= at.hour < 12 or 14 <= at.hour < 19:
                    period = "peak"
                wanted[period] = wanted.get(period, Decimal(0)) + hundredths
            bill = there.bill(first, last, tariff="CN-GD")["bills"][0]
            energy = [each for each in bill["lines"] if each["kind"] == "energy"]
            assert {each["period"]: each["quantity"] for each in energy} == {
                period: float(each / 100) for period, each in wanted.items()
            }
            assert bill["coverage"] == 1.0
            assert bill["maximum_kw"] == pytest.approx(used.max() / 25)


def test_a_meter_that_moves_is_billed_where_it_counted(place: Place) -> None:
    """It is e's for 15 days of 960 kWh and 80 kW, f's for 15 of 960 kWh and 160 kW."""
    other = registry.add_enterprise(place.conn, place.park, "f")
    place.read(place.at(JUNE), june({5: 20.0, 20: 40.0}))
    relations.assign_meter(
        place.conn,
        place.meter,
        other,
        datetime(2026, 6, 16, tzinfo=place.zone),
        None,
        source="test",
    )
    place.analyse()
    asked = Assumed(tariff="PLAIN", method="demand", capacity_kva=1000.0)
    subjects = [
        registry.subject(place.conn, "p", *each)
        for each in (("e",), ("f",), ("e", "M1"), ())
    ]
    found = [
        bills(place.conn, each, JUNE, JULY, assumed=asked)["bills"][0]
        for each in subjects
    ]
    assert [each["energy_kwh"] for each in found] == [14_410, 14_430, 28_840, 28_840]
    assert [each["maximum_kw"] for each in found] == [80, 160, 160, 160]
    assert [each["coverage"] for each in found] == [1, 1, 1, 1]


def test_demand_of_minutes_is_sliding(place: Place) -> None:
    """600 kW from 12:10 to 12:25 are 400 kW of fixed and 600 kW of sliding windows."""
    minutes = np.zeros(30 * 1440)
    minutes[9 * 1440 + 730 : 9 * 1440 + 745] = 10.0
    place.read(place.at(JUNE), minutes, step_s=60)
    place.analyse()
    bill = place.bill(tariff="PLAIN", method="demand")["bills"][0]
    assert lines(bill, "basic") == [("2026-06-01", "2026-07-01", 600.0, 22_800.0)]
    basic = next(each for each in bill["lines"] if each["kind"] == "basic")
    assert "demand_sliding15" in basic["rule"]
    assert "lower bound" not in basic["rule"]


def test_what_is_given_back_is_not_billed(place: Place) -> None:
    """A sunny enterprise takes 5 kWh and gives 20 kWh in each quarter hour."""
    given = relations.add_meter_channel(
        place.conn, place.meter, "energy_export", "register"
    )
    place.read(place.at(JUNE), june({}, 5.0))
    place.channels = (given, place.channels[1])
    place.read(place.at(JUNE), june({}, 20.0))
    place.analyse()
    bill = place.bill(tariff="PLAIN", method="none")["bills"][0]
    assert lines(bill, "energy") == [("2026-06-01", "2026-07-01", 14_400.0, 7_200.0)]
    assert bill["total_cny"] == 7_200.0
