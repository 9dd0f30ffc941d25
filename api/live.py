"""The state of a park now: power, today's demand, shares, last readings."""

import math
import statistics
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import demand
from analytics.registers import QUARTER_US
from api.amounts import counted, local, share, usage
from store import browse, forecasts, live, revisions, statements
from store.browse import MeterPower
from store.database import Connection
from store.forecasts import RunningWindow
from store.readings import to_datetime, to_us
from store.records import Park, Subject
from store.series import USAGE_15MIN

HEARD = timedelta(minutes=15)  # an older power is not power now
LATE_INTERVALS = 3
MOST_CONFLICTS = 100  # that are counted
USUAL_S = 60.0  # taken for the distance of readings where it is not known
REMEMBERED = timedelta(days=7)  # older last readings are not looked for
QUARTER = timedelta(minutes=15)
QUARTER_S = QUARTER_US / 1e6


def park_live(
    conn: Connection, park: Park, minimum_coverage: float, now: datetime | None = None
) -> dict[str, Any]:
    """Give the live object of a park; api/live_models.py describes it."""
    now = now or datetime.now(UTC)
    meters = browse.power_now(conn, park.park_id, now - REMEMBERED, now)
    power = _power(meters, minimum_coverage, now)
    contract = statements.contract_demand_at(conn, park.park_id, now)
    last = live.last_readings(conn, park.park_id, now - REMEMBERED)
    return {
        "park": {
            "code": park.code,
            "name": park.name,
            "zone": park.zone,
            "region": park.region,
        },
        "at": now,
        "minimum_coverage": minimum_coverage,
        "power": power,
        "contract_demand_kw": contract,
        "contract_share": None
        if contract is None or power["kw"] is None
        else power["kw"] / contract,
        "forecast": running_forecast(conn, park, now),
        "today": _today(conn, park, minimum_coverage, now),
        "enterprises": _shares(meters, power, now),
        "open_conflicts": len(
            revisions.conflicts(conn, park.park_id, settled=False, most=MOST_CONFLICTS)
        ),
        "newest_reading_at": max((each.at for each in last), default=None),
        "readings": [
            {
                "enterprise": each.enterprise,
                "meter": each.meter,
                "quantity": each.quantity,
                "kind": each.kind,
                "unit": each.unit,
                "value": each.value,
                "at": each.at,
                "age_s": _age(each.at, now),
                "confirmed": each.confirmed,
                "counts": each.counts,
            }
            for each in last
        ],
    }


def running_forecast(
    conn: Connection, park: Park, now: datetime
) -> dict[str, Any] | None:
    """Give the newest forecast of the running window; None where none was told."""
    told = forecasts.running(conn, park.code, now)
    if told is None:
        return None
    return {
        "start": told.time.astimezone(ZoneInfo(park.zone)),
        "stop": told.until.astimezone(ZoneInfo(park.zone)),
        "made_at": told.made_at,
        "known_s": told.known_s,
        "energy_kwh": told.energy_kwh,
        "expected_kw": told.expected_kw,
        "low_kw": told.low_kw,
        "high_kw": told.high_kw,
        "minutes_left": (told.until - now).total_seconds() / 60.0,
        "contract_kw": told.contract_kw,
        **_to_shed(told, now),
    }


def _to_shed(told: RunningWindow, now: datetime) -> dict[str, Any]:
    """Give what is to be dropped from now on; it was told of the last known minute.

    Nothing is known of the time since: it is taken to have run as expected. More than
    runs cannot be dropped.
    """
    as_told = {"shed_state": told.shed_state, "shed_kw": told.shed_kw}
    if told.shed_kw is None or told.expected_kw is None:
        return as_told
    whole_s = (told.until - told.time).total_seconds()
    rest_s = whole_s - told.known_s
    left_s = min((told.until - now).total_seconds(), rest_s)
    running_kw = (told.expected_kw * whole_s - told.energy_kwh * 3600.0) / rest_s
    if told.shed_kw * rest_s > running_kw * left_s:
        return {"shed_state": "impossible", "shed_kw": None}
    return as_told | {"shed_kw": told.shed_kw * rest_s / left_s}


def _age(at: datetime, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds())


def _heard(meter: MeterPower, now: datetime) -> bool:
    return meter.at is not None and now - meter.at <= HEARD


def _sum(meters: list[MeterPower]) -> float | None:
    known = [each.kw for each in meters if each.kw is not None]
    return math.fsum(known) if known else None


def _power(
    meters: list[MeterPower], minimum_coverage: float, now: datetime
) -> dict[str, Any]:
    meters = [each for each in meters if each.of_park]
    heard = [each for each in meters if _heard(each, now)]
    ages = [_age(each.at, now) for each in heard if each.at is not None]
    intervals = [each.interval_s for each in meters if each.interval_s is not None]
    interval = statistics.median(intervals) if intervals else None
    coverage = share(len(heard), len(meters))
    return {
        "kw": _sum(heard),
        "unit": "kW",
        "meters_heard": len(heard),
        "meters_counted": len(meters),
        "coverage": coverage,
        "complete": coverage is not None and coverage >= minimum_coverage,
        "newest_at": max(
            (each.at for each in meters if each.at is not None), default=None
        ),
        "age_s": min(ages, default=None),
        "oldest_age_s": max(ages, default=None),
        "interval_s": interval,
        "late": not ages or min(ages) > LATE_INTERVALS * (interval or USUAL_S),
        "parentage": [
            {
                "enterprise": each.enterprise,
                "meter": each.meter,
                "at": each.at,
                "kw": each.kw,
                "heard": _heard(each, now),
            }
            for each in meters
        ],
    }


def _shares(
    meters: list[MeterPower], power: dict[str, Any], now: datetime
) -> list[dict[str, Any]]:
    by: dict[str, list[MeterPower]] = {}
    for each in meters:
        if each.enterprise is not None:
            by.setdefault(each.enterprise, []).append(each)
    whole = power["kw"] if power["complete"] else None
    rows = []
    for code, own in by.items():
        heard = [each for each in own if _heard(each, now)]
        kw = _sum(heard)
        rows.append(
            {
                "enterprise": code,
                "name": own[0].enterprise_name,
                "kw": kw,
                "share": None
                if kw is None or whole is None or whole <= 0
                else kw / whole,
                "meters_heard": len(heard),
                "meters_counted": len(own),
            }
        )
    return sorted(
        rows,
        key=lambda row: (row["kw"] is None, -(row["kw"] or 0.0), row["enterprise"]),
    )


def _today(
    conn: Connection, park: Park, minimum_coverage: float, now: datetime
) -> dict[str, Any]:
    zone = ZoneInfo(park.zone)
    day = now.astimezone(zone).date()
    start = datetime.combine(day, time(), zone)
    stop = datetime.combine(day + timedelta(days=1), time(), zone)
    running = to_datetime(to_us(now) // QUARTER_US * QUARTER_US)
    subject = Subject(
        subject_id=park.park_id, kind="park", park=park, enterprise=None, meter=None
    )
    of = counted(conn, subject, "energy_import", start, stop)
    rows = usage(conn, USAGE_15MIN, of, start, stop)
    closed = rows.take(rows.start_us < to_us(running))
    amount, measured, estimated, expected = closed.values
    kw = demand.fixed(amount, QUARTER_S)
    covered = np.minimum((measured + estimated) / expected, 1.0)
    highest = demand.peak(kw, covered, minimum_coverage)
    due_s = of.expected_s(start.astimezone(UTC), running)
    return {
        "day": day,
        "start": start,
        "stop": stop,
        "unit": "kW",
        "window": "fixed 15 min",
        "energy_kwh": math.fsum(amount) if amount.size else None,
        "peak_demand_kw": None if highest is None else float(kw[highest]),
        "peak_start": None
        if highest is None
        else local(int(closed.start_us[highest]), park.zone),
        "coverage": share(math.fsum(measured) + math.fsum(estimated), due_s),
        "measured_share": share(math.fsum(measured), due_s),
        "demand": [
            {
                "start": local(int(closed.start_us[i]), park.zone),
                "demand_kw": float(kw[i]),
                "measured": float(measured[i] / expected[i]),
                "coverage": float(covered[i]),
                "publishable": bool(covered[i] >= minimum_coverage),
            }
            for i in range(kw.size)
        ],
        "running": _running(
            rows.take(rows.start_us == to_us(running)).values, running, zone
        ),
    }


def _running(values: Any, start: datetime, zone: ZoneInfo) -> dict[str, Any] | None:
    """Describe the window that has not ended; its mean power is over the part known."""
    if not values.shape[1]:
        return None
    amount, measured, estimated, expected = (float(each[0]) for each in values)
    covered = share(measured + estimated, expected) or 0.0
    hours = covered * QUARTER_S / 3600.0
    return {
        "start": start.astimezone(zone),
        "stop": (start + QUARTER).astimezone(zone),
        "energy_kwh": amount,
        "mean_kw": amount / hours if hours > 0 else None,
        "coverage": covered,
    }
