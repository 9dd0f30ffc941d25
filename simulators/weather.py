"""Temperature and sunshine as pure functions of time.

A yearly and a daily course, and smooth weather from day to day drawn by the seed. The
climates are rounded from what is commonly known of such places; they are no
statistics of a station.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.load import EPOCH_S, Integers
from simulators.series import hashed, key

Float64 = NDArray[np.float64]

_YEAR_S = 365.2425 * 86400
_CLEAR_W_M2 = 1098.0
_HAZE = 0.057


@dataclass(frozen=True, kw_only=True)
class Climate:
    """What a place is like."""

    mean_c: float  # of the year
    yearly_k: float  # half the way from the coldest to the warmest time of the year
    daily_k: float  # 〃 of a clear day
    unrest_k: float  # deviation from day to day
    cloud: float  # mean share of the sky


CLIMATES = {
    "humid_subtropical": Climate(
        mean_c=17.0, yearly_k=12.0, daily_k=4.0, unrest_k=2.6, cloud=0.78
    ),
    "continental": Climate(
        mean_c=12.5, yearly_k=15.5, daily_k=5.0, unrest_k=3.2, cloud=0.62
    ),
    "tropical": Climate(
        mean_c=23.0, yearly_k=7.5, daily_k=3.5, unrest_k=2.0, cloud=0.75
    ),
    "oceanic": Climate(mean_c=10.5, yearly_k=7.5, daily_k=3.5, unrest_k=2.8, cloud=0.8),
    "arid": Climate(mean_c=15.0, yearly_k=14.0, daily_k=7.0, unrest_k=2.4, cloud=0.45),
}


class Weather:
    """The weather of a place.

    Parameters
    ----------
    seed : int
        The same seed, the same weather.
    latitude_deg, longitude_deg : float
        North and east are positive.
    climate : Climate
        One of `CLIMATES`.
    """

    def __init__(
        self, seed: int, latitude_deg: float, longitude_deg: float, climate: Climate
    ) -> None:
        self._seed, self._climate = seed, climate
        self._latitude, self._longitude = np.deg2rad(latitude_deg), longitude_deg

    def temperature_c(self, at_s: Integers) -> Float64:
        """Return the air temperature at `at_s` [s since 1970], in °C, (n,)."""
        climate = self._climate
        # the coldest days come a month after the shortest, the warmest hour at three
        north = 1.0 if self._latitude >= 0 else -1.0
        season = -north * np.cos(2 * np.pi * (self._year(at_s) - 0.055))
        hour = self._solar_h(at_s)
        course = np.cos(2 * np.pi * (hour - 15) / 24) * (1.15 - 0.6 * self._cloud(at_s))
        unrest = 2.0 * (self._smooth("warm", at_s, 3.1) - 0.5)
        unrest += 1.2 * (self._smooth("warmer", at_s, 0.9) - 0.5)
        warm: Float64 = (
            climate.mean_c
            + climate.yearly_k * season
            + climate.daily_k * course
            + climate.unrest_k * 2 * unrest
        )
        return warm

    def irradiance_w_m2(self, at_s: Integers) -> Float64:
        """Return the sunshine on a level roof at `at_s` [s since 1970], in W/m², (n,).

        Clear sky by Haurwitz, 1098 sin h exp(−0.057 / sin h) for the height h of the
        sun, less what clouds take (Kasten and Czeplak: 1 − 0.75 n^3.4).

        References
        ----------
        B. Haurwitz, Journal of Meteorology 2 (1945) 154–166. F. Kasten, G. Czeplak,
        Solar Energy 24 (1980) 177–189, doi:10.1016/0038-092X(80)90391-6.
        """
        height = self.sun(at_s)
        clear = clear_sky_w_m2(height)
        shine: Float64 = clear * (1 - 0.75 * self._cloud(at_s) ** 3.4)
        return shine

    def sun(self, at_s: Integers) -> Float64:
        """Return the sine of the sun's height at `at_s`, (n,); Cooper's declination.

        References
        ----------
        P. I. Cooper, Solar Energy 12 (1969) 333–346,
        doi:10.1016/0038-092X(69)90047-4.
        """
        day = self._year(at_s) * 365 + 1
        declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
        angle = np.pi * (self._solar_h(at_s) - 12) / 12
        height: Float64 = np.sin(self._latitude) * np.sin(declination) + np.cos(
            self._latitude
        ) * np.cos(declination) * np.cos(angle)
        return height

    def _solar_h(self, at_s: Integers) -> Float64:
        hour: Float64 = (at_s % 86400) / 3600 + self._longitude / 15
        return hour % 24

    @staticmethod
    def _year(at_s: Integers) -> Float64:
        """Return the part of the year that has passed, near enough."""
        part: Float64 = (at_s - EPOCH_S) / _YEAR_S % 1.0
        return part

    def _cloud(self, at_s: Integers) -> Float64:
        drawn = 0.65 * self._smooth("cloud", at_s, 1.3)
        drawn += 0.35 * self._smooth("clouds", at_s, 0.13)
        cover: Float64 = np.clip(self._climate.cloud + 1.8 * (drawn - 0.5), 0.0, 1.0)
        return cover

    def _smooth(self, name: str, at_s: Integers, days: float) -> Float64:
        """Return drawn numbers `days` apart with a smooth way between, in [0, 1)."""
        place = (at_s - EPOCH_S) / (days * 86400)
        knot = np.floor(place).astype(np.int64)
        into = place - knot
        of = key(self._seed, "weather", name)
        left, right = hashed(of, knot), hashed(of, knot + 1)
        way: Float64 = left + (right - left) * into * into * (3 - 2 * into)
        return way


def clear_sky_w_m2(height: Float64) -> Float64:
    """Return the clear-sky sunshine for the sine of the sun's height; 0 at night."""
    up = np.maximum(height, 1e-4)
    clear: Float64 = np.where(height > 0, _CLEAR_W_M2 * up * np.exp(-_HAZE / up), 0.0)
    return clear
