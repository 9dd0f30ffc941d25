"""What all enterprises of a park share at a time: clock, kind of day, weather."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import numpy as np

from simulators.archetypes import DAY_KINDS
from simulators.load import EPOCH, EPOCH_S, NODE_S, Clock, Integers
from simulators.series import CHUNK, DAY_NODES, Float64, hashed
from simulators.weather import Weather

_KEPT = 64  # more than a year: all flows rest on them
_YEAR_DAYS = 365.2425


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A stretch of nodes on the park's clock; arrays are (`CHUNK`,) but `days`."""

    at_s: Integers  # since 1970
    slot: Integers  # node of the local day, 0 … 287
    place: Integers  # in a flat table of 4 kinds of day x 288 slots
    days: Integers  # the local days since 2024-01-01, ascending
    day: Integers  # which of them a node is in
    whole: Float64  # 1 on days of 24 hours, 0 where the clock changes
    years: Float64  # since the epoch, in whole days
    temperature_c: Float64
    irradiance_w_m2: Float64

    def daily(self, of: int, spread: float) -> Float64:
        """Return a level drawn for each day, 1 ± `spread`, at the nodes."""
        drawn: Float64 = (1 + spread * (2 * hashed(of, self.days) - 1))[self.day]
        return drawn


class Frames:
    """The frames of a place.

    Parameters
    ----------
    zone : ZoneInfo
        The park's clock.
    country : str
        Its holidays and exchanged working days, as the package ``holidays`` knows them.
    weather : Weather
        Of the place.
    """

    def __init__(self, zone: ZoneInfo, country: str, weather: Weather) -> None:
        self._clock, self._weather = Clock(zone), weather
        self._holidays = holidays.country_holidays(country)
        self._kinds: dict[int, int] = {}
        self._kept: dict[int, Frame] = {}

    def __call__(self, number: int) -> Frame:
        """Return the frame of a stretch."""
        known = self._kept.get(number)
        if known is None:
            known = self._make(number)
            if len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[number] = known
        return known

    def kind(self, day: int) -> int:
        """Return which of `DAY_KINDS` a local day since 2024-01-01 is."""
        known = self._kinds.get(day)
        if known is None:
            known = self._kinds[day] = DAY_KINDS.index(
                self._kind(EPOCH.date() + timedelta(days=day))
            )
        return known

    def _kind(self, day: date) -> str:
        if not self._rests(day):
            return "workday"
        if self._beside_holidays(day, -1) or self._beside_holidays(day, 1):
            return "holiday"
        return "saturday" if day.weekday() == 5 else "sunday"

    def _rests(self, day: date) -> bool:
        free = day.weekday() >= 5 and not self._holidays.is_working_day(day)
        return free or day in self._holidays

    def _beside_holidays(self, day: date, step: int) -> bool:
        """Tell whether a holiday comes before the next day at work, from a day on.

        So are holidays announced in China: the weekends beside and between them that
        are not worked in exchange are part of them.
        """
        while self._rests(day):
            if day in self._holidays:
                return True
            day += timedelta(days=step)
        return False

    def _whole(self, day: int) -> bool:
        """Tell whether the clock stands alike at both ends of a local day."""
        first = EPOCH.date() + timedelta(days=day)
        offsets = {
            datetime(at.year, at.month, at.day, tzinfo=self._clock.zone).utcoffset()
            for at in (first, first + timedelta(days=1))
        }
        return len(offsets) == 1

    def _make(self, number: int) -> Frame:
        node = np.arange(number * CHUNK, (number + 1) * CHUNK, dtype=np.int64)
        at_s = EPOCH_S + node * NODE_S
        local_day, second = np.divmod(self._clock.local_s(node), 86400)
        days, day = np.unique(local_day, return_inverse=True)
        kinds = np.array([self.kind(each) for each in days.tolist()])
        slot = second // NODE_S
        return Frame(
            at_s=at_s,
            slot=slot,
            place=kinds[day] * DAY_NODES + slot,
            days=days,
            day=day,
            whole=np.array([float(self._whole(each)) for each in days.tolist()])[day],
            years=(days / _YEAR_DAYS)[day],
            temperature_c=self._weather.temperature_c(at_s),
            irradiance_w_m2=self._weather.irradiance_w_m2(at_s),
        )
