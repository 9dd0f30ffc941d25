"""What every parser rests on: times, numbers and the names of devices."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.flat import device
from ingest.formats.flat import parse as flat
from ingest.reading import (
    Heard,
    Parsed,
    Place,
    Refused,
    Unplaced,
    instant,
    quantified,
    time_us,
)
from store.quantities import KEYS
from store.readings import to_datetime, to_us

BERLIN = ZoneInfo("Europe/Berlin")
ARRIVED_US = to_us(
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
)  # the clock is put back at 1


@pytest.mark.parametrize(
    ("local", "arrived", "at"),
    [
        ("02:30", "00:30", "00:30"),
        ("02:00", "01:00", "01:00"),
        ("02:30", "01:31", "01:30"),
        ("03:00", "02:00", "02:00"),
    ],
)
def test_a_local_time_that_comes_twice_is_the_one_of_its_arrival(
    local: str, arrived: str, at: str
) -> None:
    arrived_us = to_us(datetime.fromisoformat(f"2025-10-26T{arrived}Z"))
    found = instant(f"2025-10-26T{local}:00", BERLIN, arrived_us)
    assert found == to_us(datetime.fromisoformat(f"2025-10-26T{at}Z"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2025-10-26T02:30:00", "comes twice"),
        ("20251026023000", "comes twice"),
        ("2025-03-30T02:30:00", "does not exist"),
        ("2025-03-30", "in no form"),
        ("20250330", "in no form"),
        ("2025-W10", "in no form"),
    ],
)
def test_a_time_that_may_be_another_one_is_refused(text: str, words: str) -> None:
    found = instant(text, BERLIN, ARRIVED_US + 86_400_000_000)
    assert isinstance(found, Refused)
    assert words in str(found)


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60+08:00"])
def test_a_leap_second_is_the_next_minute(text: str) -> None:
    midnight = datetime(2017, 1, 1, tzinfo=UTC)
    assert to_datetime(time_us(text, ARRIVED_US)) == midnight
    assert instant(text, BERLIN, ARRIVED_US) == to_us(midnight)


@given(st.integers(0, 10**12))
def test_a_number_is_the_same_in_any_unit(thousandths: int) -> None:
    whole = thousandths / 1000
    kwh = quantified(whole, KEYS["energy_import_kwh"])
    assert quantified(thousandths, KEYS["energy_import_wh"]) == kwh == whole


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("power_factor", 95),
        ("power_factor", -1.01),
        ("state_of_charge_percent", 400),
        ("frequency_hz", -5),
        ("energy_import_delta_kwh", -4),
        ("power_kw", float("nan")),
    ],
)
def test_what_a_quantity_cannot_be_is_refused(key: str, raw: float) -> None:
    with pytest.raises(Refused):
        quantified(raw, KEYS[key])


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("dtu-07/data", "dtu-07"),
        ("hall1/main/data", "hall1.main"),
        ("/hall2//main/up", "hall2.main"),
        ("data/up", "data.up"),
    ],
)
def test_a_device_is_all_levels_of_its_topic(topic: str, code: str) -> None:
    assert device(topic) == code


def test_devices_never_fall_together() -> None:
    topics = ["hall3.press/data", "hall3/press/data", "hall3-press/data"]
    assert len({device(each) for each in topics}) == len(topics)


def read(topic: str, body: str) -> Parsed:
    class Nothing:
        def get(self, key: str) -> None: ...
        def put(self, key: str, value: object) -> None: ...

    place = Place("p", "e", ZoneInfo("Asia/Shanghai"))
    return flat(Heard(topic, body.encode(), ARRIVED_US), place, Nothing())


def test_a_meter_that_only_the_payload_names_needs_a_mapping() -> None:
    with pytest.raises(Unplaced, match="meter may name the meter"):
        read("gateway/up", '{"meter": "M1", "ts": 1751000000, "power_kw": 1}')
    found = read("gateway/M1/up", '{"meter": "M1", "ts": 1751000000, "power_kw": 1}')
    assert [each.meter for each in found.readings] == ["gateway.M1"]


@pytest.mark.parametrize(
    ("name", "value", "at"),
    [
        ("utc_date_time", "2022-01-01 00:00:00", "2022-01-01T00:00:00+00:00"),
        ("Ts", "2022-01-01 08:00:00", "2022-01-01T00:00:00+00:00"),
        ("tp", "2022-01-01 08:00:00", "2022-01-01T00:00:00+00:00"),
        ("datetime", "2022-01-01 08:00:00", "2022-01-01T00:00:00+00:00"),
    ],
)
def test_a_message_with_a_time_is_not_dated_on_arrival(
    name: str, value: str, at: str
) -> None:
    found = read("m/up", f'{{"{name}": "{value}", "power_kw": 1}}')
    assert [to_datetime(each.at_us).isoformat() for each in found.readings] == [at]
    assert not found.on_arrival
