"""The weather is a function of time, and the sun stands where it does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.load import EPOCH_S
from simulators.weather import CLIMATES, Weather, clear_sky_w_m2

SUZHOU = Weather(1, 31.3, 120.6, CLIMATES["humid_subtropical"])
DAY = 86400
YEAR = EPOCH_S + np.arange(0, 365 * DAY, 1800, dtype=np.int64)


@given(st.integers(0, 3 * 365 * DAY), st.integers(1, 7200))
def test_any_time_can_be_asked_alone(second: int, step: int) -> None:
    at = EPOCH_S + second + step * np.arange(20, dtype=np.int64)
    for course in (SUZHOU.temperature_c, SUZHOU.irradiance_w_m2):
        alone = [course(at[i : i + 1])[0] for i in range(at.size)]
        assert np.array_equal(course(at), alone)


def test_sun_at_noon_and_night() -> None:
    """By hand: 90° − latitude + declination, 23.45° at the solstice of June."""
    # 2024-06-21, solar noon at 120.6° E is 12 h − 120.6 / 15 h = 03:57:36 UTC
    noon = np.array([EPOCH_S + 172 * DAY + 3 * 3600 + 57 * 60 + 36])
    assert SUZHOU.sun(noon)[0] == pytest.approx(
        np.sin(np.deg2rad(90 - 31.3 + 23.45)), abs=2e-4
    )
    midnight = noon + 12 * 3600
    assert SUZHOU.sun(midnight)[0] < 0
    assert SUZHOU.irradiance_w_m2(midnight)[0] == 0


def test_clear_sky_by_hand() -> None:
    """Haurwitz: 1098 e^−0.057 overhead, 1098 · 0.5 · e^−0.114 at 30°."""
    found = clear_sky_w_m2(np.array([1.0, 0.5, 0.0, -0.3]))
    assert found == pytest.approx([1037.16, 489.85, 0, 0], abs=0.01)


def test_seasons() -> None:
    warm = SUZHOU.temperature_c(YEAR).reshape(365, -1)
    assert warm[182:212].mean() > 25
    assert warm[0:31].mean() < 9
    afternoon, before_dawn = warm[:, 14], warm[:, 42]  # 07:00 and 21:00 UTC
    assert (afternoon - before_dawn).mean() > 4
    south = Weather(1, -33.9, 151.2, CLIMATES["oceanic"]).temperature_c(YEAR)
    assert south[: 31 * 48].mean() > south[182 * 48 : 212 * 48].mean() + 8


def test_seed_makes_the_weather() -> None:
    other = Weather(2, 31.3, 120.6, CLIMATES["humid_subtropical"])
    assert not np.array_equal(other.temperature_c(YEAR), SUZHOU.temperature_c(YEAR))
    yearly_kwh = SUZHOU.irradiance_w_m2(YEAR).sum() / 2 / 1000
    assert 1100 < yearly_kwh < 1700
