"""The job that tells, each minute, what the running 15-minute window will come to.

A park, and its enterprises that have a contract demand. What is told is kept as it was
known then; later forecasts learn from it how such windows went on.
"""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from analytics import forecast
from analytics.jobs import compute, daytypes, sliding
from analytics.jobs.compute import DEMAND_OF, MINUTE_US, QUARTER, World
from analytics.registers import QUARTER_US, Float64, Int64
from store import forecasts, registry, statements
from store.database import Connection
from store.dirty import Span
from store.forecasts import Forecast
from store.readings import to_datetime, to_us
from store.records import Park
from store.series import DEMAND, Series, read

HISTORY = timedelta(days=74)  # of windows that a forecast looks at
KEPT = timedelta(days=400)
LATE_S = 30.0  # after a minute has ended, its readings have mostly come
MINUTE = timedelta(minutes=1)


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
        start = to_datetime(to_us(now) // QUARTER_US * QUARTER_US)
        contracts = {
            subject: limit
            for subject in _subjects(conn, park)
            if (limit := statements.contract_demand_at(conn, subject, now)) is not None
            or subject == park.park_id
        }
        world = compute.load_world(conn, park.park_id, park.zone)
        minutes = _minutes(conn, world, set(contracts), start)
        told = []
        for subject, contract in contracts.items():
            mine = minutes.take(minutes.key == subject)
            known, energy, latest = _so_far(mine, start)
            news = (start, known)
            if self._told.get(subject, (None, 0)) == news:
                continue
            if known == 0 and not _has_demand(conn, subject, start):
                continue
            self._told[subject] = news
            told.append(
                _tell(
                    conn,
                    subject,
                    park,
                    start,
                    now,
                    (known, energy, latest),
                    contract,
                    self._minimum,
                )
            )
        if told:
            with conn.transaction():
                for each in told:
                    forecasts.tell(conn, each)
                    forecasts.forget(conn, each.subject_id, start - KEPT)
                conn.execute(
                    "SELECT pg_notify('parkwatt_figures', %s)", (str(park.park_id),)
                )
        return told


def _subjects(conn: Connection, park: Park) -> list[int]:
    return [
        park.park_id,
        *(each.enterprise_id for each in registry.enterprises(conn, park.park_id)),
    ]


def _minutes(
    conn: Connection, world: World, subjects: set[int], start: datetime
) -> Series:
    """Give the known minutes of a window, and the one before it, of some totals."""
    begin, stop = start - MINUTE, start + QUARTER
    totals = [
        each
        for each in compute.plan_totals(world, {DEMAND_OF}, start - QUARTER, stop)
        if each.subject_id in subjects
    ]
    added = sliding.Minutes(totals, world, begin, stop)
    spans = [Span(key, begin, stop, True) for key in sorted(added.channels)]
    rows = compute.read_sources(conn, world, spans)
    added.add(compute.meter_minutes(compute.understand(world, rows)))
    return added.known()


def _so_far(minutes: Series, start: datetime) -> tuple[int, float, float]:
    """Give the minutes known without a gap, their energy, and the latest power."""
    first = to_us(start)
    place = (minutes.start_us - first) // MINUTE_US  # -1 for the minute before
    inside = place[place >= 0]
    known = int((inside == np.arange(inside.size)).sum())
    amount = minutes.values[0][place >= 0][:known]
    last = minutes.values[0][place == known - 1]
    latest = float(last[0]) * 60.0 if last.size else math.nan
    return known, math.fsum(amount), latest


def _has_demand(conn: Connection, subject: int, start: datetime) -> bool:
    return read(conn, DEMAND, [subject], start - 4 * QUARTER, start).key.size > 0


def _tell(
    conn: Connection,
    subject: int,
    park: Park,
    start: datetime,
    now: datetime,
    so_far: tuple[int, float, float],
    contract: float | None,
    minimum_coverage: float,
) -> Forecast:
    known, energy, latest = so_far
    kw, slot = _windows(conn, subject, park, start, minimum_coverage)
    then_kw, latest_then = _then(conn, subject, start, known, kw.size)
    limit = math.nan if contract is None else contract
    found = forecast.running(
        energy, known * 60.0, limit, kw, slot, then_kw, latest_then, latest
    )
    if math.isnan(found.expected_kw):
        found = _without_memory(energy, known, limit, kw, slot)
    return Forecast(
        subject_id=subject,
        start=start,
        known_s=known * 60.0,
        made_at=now,
        energy_kwh=energy,
        latest_kw=_finite(latest),
        expected_kw=_finite(found.expected_kw),
        low_kw=_finite(found.low_kw),
        high_kw=_finite(found.high_kw),
        contract_kw=contract,
        shed_state=forecast.SHED_NAMES[found.shed_state],
        shed_kw=_finite(found.shed_kw),
    )


def _windows(
    conn: Connection, subject: int, park: Park, start: datetime, minimum: float
) -> tuple[Float64, Int64]:
    """Give the demand of the windows before, and the slot of these and the running one."""
    first = to_us(start - HISTORY) // QUARTER_US
    count = to_us(start) // QUARTER_US - first
    rows = read(conn, DEMAND, [subject], start - HISTORY, start)
    counts = rows.values[2] >= minimum
    kw = np.full(count, np.nan)
    kw[rows.start_us[counts] // QUARTER_US - first] = rows.values[0][counts]
    zone, country = ZoneInfo(park.zone), daytypes.country_of(park.region)
    slot = np.empty(count + 1, np.int64)
    for i in range(count + 1):
        slot[i] = like_slot(
            to_datetime((first + i) * QUARTER_US).astimezone(zone), country
        )
    return kw, slot


def like_slot(local: datetime, country: str | None) -> int:
    """Give the class of the day × 96 + the quarter hour: windows of one are alike."""
    day = daytypes.like_day(country, local.date())
    return day * 96 + local.hour * 4 + local.minute // 15


def _then(
    conn: Connection, subject: int, start: datetime, known: int, count: int
) -> tuple[Float64, Float64]:
    """Give power so far and latest power of the windows before, as told at this minute."""
    at_us, energy, latest = forecasts.begun_alike(
        conn, subject, known * 60.0, start - HISTORY, start
    )
    place = at_us // QUARTER_US - (to_us(start) // QUARTER_US - count)
    so_far_kw, latest_kw = np.full((2, count), np.nan)
    if known:
        so_far_kw[place] = energy * (60.0 / known)
    latest_kw[place] = latest
    return so_far_kw, latest_kw


def _without_memory(
    energy: float, known: int, limit: float, kw: Float64, slot: Int64
) -> forecast.Running:
    """Go on as the window was expected to be before it began: nothing better is known."""
    share = known / 15
    whole = forecast.expected(np.append(kw, np.nan), slot, first=kw.size)
    so_far = energy * 60.0 / known if known else 0.0
    end, low, high = (
        share * so_far + (1.0 - share) * float(each[-1]) for each in whole
    )
    drop = forecast.shed(np.array([end, high]), so_far, share, limit)
    return forecast.Running(
        so_far,
        end,
        low,
        high,
        15.0 - known,
        float(drop.kw[0]),
        int(drop.state[0]),
        float(drop.kw[1]),
        int(drop.state[1]),
    )


def _finite(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None
