"""The job that tells, each minute, what the running window of demand will come to.

A park, and its enterprises that have a contract demand, each in windows of the length its
rule of demand says; where that asks for sliding ones, the fixed ones of that length. What
is told is kept as it was known then; later forecasts learn from it how such windows went
on.
"""

import math
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from analytics import forecast
from analytics.jobs import compute, daytypes, demands, sliding
from analytics.jobs.compute import DEMAND_OF, MINUTE_US, QUARTER, World
from analytics.registers import QUARTER_US, Float64, Int64
from store import forecasts, registry, statements
from store.database import Connection
from store.demand_rules import Rule
from store.dirty import Span
from store.forecasts import Forecast
from store.readings import to_datetime, to_us
from store.records import Park
from store.series import DEMAND, Series, read

HISTORY = timedelta(days=74)  # of windows that a forecast looks at
KEPT = timedelta(days=400)
LATE_S = 30.0  # after a minute has ended, its readings have mostly come
MINUTE = timedelta(minutes=1)


class Window(NamedTuple):
    """A window of demand that is running."""

    start: datetime
    minutes: int  # its length


class SoFar(NamedTuple):
    """What is known of a running window."""

    minutes: int  # from its start on, without a gap
    energy_kwh: float
    latest_kw: float  # NaN: not known


class Past(NamedTuple):
    """The windows before a running one, shape (n,) each; of `slot` the last is its own."""

    at_us: Int64
    kw: Float64  # NaN: not known well enough
    slot: Int64  # (n + 1,)


class Forecaster:
    """Tells once for each minute that becomes known of the running windows."""

    def __init__(self, minimum_coverage: float = 0.95) -> None:
        self._minimum = minimum_coverage
        self._told: dict[int, tuple[datetime, int]] = {}  # subject → window, minutes
        self._looked: dict[int, datetime] = {}  # park → when

    def tell(self, conn: Connection, now: datetime) -> list[Forecast]:
        """Tell of every park what is new; give it."""
        told = []
        for park in registry.parks(conn):
            looked = self._looked.get(park.park_id)
            if looked is None or (now - looked).total_seconds() >= LATE_S / 3:
                self._looked[park.park_id] = now
                told += self._park(conn, park, now)
        return told

    def _park(self, conn: Connection, park: Park, now: datetime) -> list[Forecast]:
        contracts = {
            subject: limit
            for subject in _subjects(conn, park)
            if (limit := statements.contract_demand_at(conn, subject, now)) is not None
            or subject == park.park_id
        }
        world = compute.load_world(conn, park.park_id, park.zone)
        windows = {each: running_window(world, each, now) for each in contracts}
        minutes = _minutes(conn, world, windows)
        told = []
        for subject, window in windows.items():
            so_far = _so_far(minutes.take(minutes.key == subject), window)
            news = (window.start, so_far.minutes)
            if self._told.get(subject, (None, 0)) == news:
                continue
            if not so_far.minutes and not _has_demand(conn, subject, window.start):
                continue
            self._told[subject] = news
            past = _past(conn, subject, park, window, self._minimum)
            told.append(
                _tell(conn, subject, window, now, so_far, past, contracts[subject])
            )
        if told:
            with conn.transaction():
                for each in told:
                    forecasts.tell(conn, each)
                    forecasts.forget(conn, each.subject_id, each.start - KEPT)
                conn.execute(
                    "SELECT pg_notify('parkwatt_figures', %s)", (str(park.park_id),)
                )
        return told


def running_window(world: World, subject: int, now: datetime) -> Window:
    """Give the window of a subject's rule that holds an instant, by the local clock."""
    at_us = to_us(now)
    [cut] = demands.stretches(world.rules.get(subject, []), at_us, at_us + 1)
    length_us = cut.rule.window_min * MINUTE_US
    offset_us = demands.offset_us(at_us, world.zone)
    start_us = (at_us + offset_us) // length_us * length_us - offset_us
    return Window(to_datetime(start_us), cut.rule.window_min)


def _subjects(conn: Connection, park: Park) -> list[int]:
    return [
        park.park_id,
        *(each.enterprise_id for each in registry.enterprises(conn, park.park_id)),
    ]


def _minutes(conn: Connection, world: World, windows: dict[int, Window]) -> Series:
    """Give the known minutes of running windows, and the one before each."""
    first = min(each.start for each in windows.values())
    stop = max(each.start + each.minutes * MINUTE for each in windows.values())
    begin = first - MINUTE
    totals = [
        each
        for each in compute.plan_totals(world, {DEMAND_OF}, first - QUARTER, stop)
        if each.subject_id in windows
    ]
    added = sliding.Minutes(totals, world, begin, stop)
    spans = [Span(key, begin, stop, True) for key in sorted(added.channels)]
    rows = compute.read_sources(conn, world, spans)
    added.add(compute.meter_minutes(compute.understand(world, rows)))
    return added.known()


def _so_far(minutes: Series, window: Window) -> SoFar:
    """Give the minutes known without a gap, their energy, and the latest power."""
    place = (minutes.start_us - to_us(window.start)) // MINUTE_US  # -1: the one before
    inside = place[place >= 0]
    known = int((inside == np.arange(inside.size)).sum())
    amount = minutes.values[0][place >= 0][:known]
    last = minutes.values[0][place == known - 1]
    latest = float(last[0]) * 60.0 if last.size else math.nan
    return SoFar(known, math.fsum(amount), latest)


def _has_demand(conn: Connection, subject: int, start: datetime) -> bool:
    return read(conn, DEMAND, [subject], start - 4 * QUARTER, start).key.size > 0


def _tell(
    conn: Connection,
    subject: int,
    window: Window,
    now: datetime,
    so_far: SoFar,
    past: Past,
    contract: float | None,
) -> Forecast:
    known_s = so_far.minutes * 60.0
    limit = math.nan if contract is None else contract
    found = forecast.running(
        so_far.energy_kwh,
        known_s,
        limit,
        past.kw,
        past.slot,
        *_then(conn, subject, window, so_far.minutes, past.at_us),
        so_far.latest_kw,
        window_s=window.minutes * 60.0,
    )
    if math.isnan(found.expected_kw):
        found = _without_memory(so_far, window, limit, past)
    return Forecast(
        subject_id=subject,
        start=window.start,
        window_min=window.minutes,
        known_s=known_s,
        made_at=now,
        energy_kwh=so_far.energy_kwh,
        latest_kw=_finite(so_far.latest_kw),
        expected_kw=_finite(found.expected_kw),
        low_kw=_finite(found.low_kw),
        high_kw=_finite(found.high_kw),
        contract_kw=contract,
        shed_state=forecast.SHED_NAMES[found.shed_state],
        shed_kw=_finite(found.shed_kw),
    )


def _past(
    conn: Connection, subject: int, park: Park, window: Window, minimum: float
) -> Past:
    """Give the windows before a running one, of its length."""
    start, zone = window.start - HISTORY, ZoneInfo(park.zone)
    rows = read(conn, DEMAND, [subject], start, window.start)
    first = to_us(start) // QUARTER_US
    size = to_us(window.start) // QUARTER_US - first
    kw, covered = np.full(size, np.nan), np.zeros(size)
    place = rows.start_us // QUARTER_US - first
    kw[place], covered[place] = rows.values[0], rows.values[2]
    at_us = (first + np.arange(size)) * QUARTER_US
    stretch = demands.Stretch(int(at_us[0]), to_us(window.start), Rule(window.minutes))
    found = demands.regroup(
        demands.Windows(at_us, np.full(size, demands.QUARTER_S), kw, covered, covered),
        [stretch],
        zone,
    )
    country = daytypes.country_of(park.region)
    slot = [
        like_slot(to_datetime(at).astimezone(zone), country, window.minutes)
        for at in [*found.at_us.tolist(), to_us(window.start)]
    ]
    known = np.where(found.covered >= minimum, found.kw, np.nan)
    return Past(found.at_us, known, np.array(slot, np.int64))


def like_slot(local: datetime, country: str | None, window_min: int = 15) -> int:
    """Give a number that windows of the same hour on days of one class share."""
    day = daytypes.like_day(country, local.date())
    return day * 96 + (local.hour * 60 + local.minute) // window_min


def _then(
    conn: Connection, subject: int, window: Window, known: int, at_us: Int64
) -> tuple[Float64, Float64]:
    """Give power so far and latest power of the windows before, as told at this minute."""
    told_us, energy, latest = forecasts.begun_alike(
        conn,
        subject,
        window.minutes,
        known * 60.0,
        window.start - HISTORY,
        window.start,
    )
    place = np.searchsorted(at_us, told_us)
    there = (place < at_us.size) & (at_us[np.minimum(place, at_us.size - 1)] == told_us)
    so_far_kw, latest_kw = np.full((2, at_us.size), np.nan)
    if known:
        so_far_kw[place[there]] = energy[there] * (60.0 / known)
    latest_kw[place[there]] = latest[there]
    return so_far_kw, latest_kw


def _without_memory(
    so_far: SoFar, window: Window, limit: float, past: Past
) -> forecast.Running:
    """Go on as the window was expected to be before it began: nothing better is known."""
    known = so_far.minutes
    share = known / window.minutes
    whole = forecast.expected(np.append(past.kw, np.nan), past.slot, first=past.kw.size)
    power = so_far.energy_kwh * 60.0 / known if known else 0.0
    end, low, high = (share * power + (1.0 - share) * float(each[-1]) for each in whole)
    drop = forecast.shed(np.array([end, high]), power, share, limit)
    return forecast.Running(
        power,
        end,
        low,
        high,
        float(window.minutes - known),
        float(drop.kw[0]),
        int(drop.state[0]),
        float(drop.kw[1]),
        int(drop.state[1]),
    )


def _finite(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None
