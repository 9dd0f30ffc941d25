"""What people write means one thing or is refused."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.entry import figure, instant_us, key_of, zone_of
from ingest.reading import Refused
from store.errors import Invalid
from store.quantities import KEYS
from store.readings import to_us

BERLIN = ZoneInfo("Europe/Berlin")
ENERGY = KEYS["energy_export_kwh"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", 12.5), ("-3", -3.0), ("+4.", 4.0), (".5", 0.5), ("1e3", 1000.0), (7, 7)],
)
def test_numbers(text: object, value: float) -> None:
    assert figure(text, ENERGY) == value


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1,234",
            "1.234,5",
            "1 234",
            "１２",
            "1_000",
            "NaN",
            "inf",
            "0x1",
            "",
            "12kWh",
        ),
        *(True, None, float("nan"), "1e16", "1e999"),
    ],
)
def test_what_may_mean_something_else_is_no_number(text: object) -> None:
    with pytest.raises(Refused):
        figure(text, ENERGY)


@given(st.floats(-1e14, 1e14))
def test_every_number_that_python_writes_is_read_back(value: float) -> None:
    assert figure(repr(value), ENERGY) == value


def test_a_local_time_needs_its_zone() -> None:
    noon = to_us(datetime(2026, 3, 1, 11, tzinfo=UTC))
    assert instant_us("2026-03-01T12:00", BERLIN) == noon
    assert instant_us(datetime(2026, 3, 1, 12), BERLIN) == noon  # noqa: DTZ001
    assert instant_us("2026-03-01T11:00Z", BERLIN) == noon  # its own offset stands
    for raw in ("2026-03-01T12:00", datetime(2026, 3, 1, 12)):  # noqa: DTZ001
        with pytest.raises(Refused, match="has no zone"):
            instant_us(raw)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-03-29T02:30", "does not exist"),
        ("2025-10-26T02:30", "happens twice"),
        ("2026-03-01", "a day without a time"),
        ("1.3.2026 12:00", "not ISO 8601"),
        ("1999-01-01T00:00", "clock not set"),
        ("2099-01-01T00:00", "in the future"),
        ("", "missing"),
    ],
)
def test_times_that_are_none(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        instant_us(text, BERLIN)


def test_names() -> None:
    assert key_of("energy_import") == "energy_import_kwh"
    assert key_of("power_factor") == "power_factor"
    assert key_of("water_delta_l") == "water_delta_l"
    with pytest.raises(Refused, match="unknown quantity"):
        key_of("colour")
    for name in ("Mars/X", "../etc/passwd", ""):
        with pytest.raises(Invalid, match="no IANA time zone"):
            zone_of(name)
