"""Quarter hours of own plant: what was used on site, and whether energy balances."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import onsite
from analytics.jobs.amounts import Amounts, Period, load_amounts
from analytics.onsite import IDENTITY_NAMES
from analytics.registers import QUARTER_US
from store import judgements, registry
from store.database import Connection
from store.errors import Invalid
from store.readings import to_datetime, to_us
from store.records import Subject

Float64 = NDArray[np.float64]

IMPORT, EXPORT, PV = "energy_import", "energy_export", "pv_generation"
SOURCES = (IMPORT, PV, "storage_discharge")
SINKS = (EXPORT, "storage_charge")
WORST = 20  # intervals that do not balance are listed, the worst first


def by_interval(
    conn: Connection,
    subject: Subject,
    amounts: dict[str, Amounts],
    load: Sequence[str],
    period: Period,
    known_on: datetime | None,
    minimum: float,
) -> dict[str, Any]:
    """Give self-consumption where no meter counts the export, by the named load."""
    made = amounts.get(PV)
    if made is None or EXPORT in amounts or not load:
        return {}
    count = _count(period)
    used = np.array(
        [
            _quarters(_load(conn, subject, code, period, known_on), period, count)
            for code in load
        ]
    ).sum(axis=0)
    share, covered = onsite.self_consumption_by_interval(
        _quarters(made, period, count), used, minimum
    )
    return {
        "self_consumption": _number(share),
        "self_consumption_by": "intervals",
        "intervals_known": _number(covered),
    }


def identity(
    conn: Connection,
    subject: Subject,
    period: Period,
    amounts: dict[str, Amounts],
    load: Sequence[str],
    resolution_kwh: float,
    known_on: datetime | None,
) -> dict[str, Any] | None:
    """Hold import, photovoltaics and storage against load, export and charge.

    Notes
    -----
    The class of a sum of meters is the largest of theirs: on the safe side. A quantity
    that is not measured has no part in it.
    """
    if not load:
        return None
    classes = judgements.accuracy_classes(conn, subject.park.park_id)
    count = _count(period)
    sources: list[Float64] = []
    sinks: list[Float64] = []
    accuracy: tuple[list[float], list[float]] = ([], [])
    for names, series, of_classes in (
        (SOURCES, sources, accuracy[0]),
        (SINKS, sinks, accuracy[1]),
    ):
        for name in names:
            each = amounts.get(name)
            if each is not None:
                series.append(_quarters(each, period, count))
                of_classes.append(_worst(each, classes))
    for code in load:
        each = _load(conn, subject, code, period, known_on)
        sinks.append(_quarters(each, period, count))
        accuracy[1].append(_worst(each, classes))
    if not sources:
        return None
    found = onsite.identity(
        np.array(sources),
        np.array(sinks),
        [*accuracy[0], *accuracy[1]],
        0.0,
        resolution_kwh,
    )
    counts = {
        name: int((found.state == i).sum()) for i, name in enumerate(IDENTITY_NAMES)
    }
    broken = np.flatnonzero(found.state == onsite.BROKEN)
    over = np.abs(found.residual[broken]) - found.tolerance[broken]
    worst = broken[np.argsort(-over, kind="stable")][:WORST]
    start = to_us(period.start)
    return {
        "load": list(load),
        "intervals": int(count),
        **counts,
        "classes_missing": bool(np.isnan([*accuracy[0], *accuracy[1]]).any()),
        "worst": [
            {
                "start": to_datetime(start + int(i) * QUARTER_US)
                .astimezone(period.zone)
                .isoformat(),
                "residual_kwh": float(found.residual[i]),
                "tolerance_kwh": float(found.tolerance[i]),
            }
            for i in worst.tolist()
        ],
    }


def _load(
    conn: Connection,
    subject: Subject,
    code: str,
    period: Period,
    known_on: datetime | None,
) -> Amounts:
    enterprise, _, meter = code.rpartition("/")
    found = registry.subject(conn, subject.park.code, enterprise or None, meter)
    if subject.enterprise is not None and found.enterprise != subject.enterprise:
        raise Invalid(f"{code} is not of {subject.enterprise}")
    each = load_amounts(conn, found, period, known_on).get(IMPORT)
    if each is None:
        raise Invalid(f"{code} does not count the energy it takes")
    return each


def _quarters(of: Amounts, period: Period, count: int) -> Float64:
    """Give energy per quarter hour [kWh]; NaN where any of it is estimated or missing."""
    out = np.full(count, np.nan)
    place = (of.quarters.start_us - to_us(period.start)) // QUARTER_US
    measured = of.quarters.values[1]
    whole = (measured >= of.quarters.values[3] * (1 - 1e-9)) & (place < count)
    out[place[whole]] = of.quarters.values[0, whole]
    return out


def _worst(of: Amounts, classes: dict[int, float]) -> float:
    each = [classes.get(meter, math.nan) for meter, _, _ in of.meters]
    return float(np.max(each)) if each else math.nan


def _count(period: Period) -> int:
    return -(-(to_us(period.due) - to_us(period.start)) // QUARTER_US)


def _number(value: Any) -> float | None:
    figure = float(value)
    return figure if math.isfinite(figure) else None
