"""Who could take less now: the enterprises by their recent flexibility."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import forecast
from analytics.jobs import daytypes
from analytics.jobs.forecasting import like_slot
from analytics.registers import QUARTER_US
from store import browse, registry
from store.database import Connection
from store.readings import to_datetime, to_us
from store.records import Park
from store.series import DEMAND, read

RECENT = timedelta(days=28)
HEARD = timedelta(minutes=15)  # an older power is not power now
BESIDE = 2  # quarter hours before and after the running one, of like days


def candidates(
    conn: Connection, park: Park, now: datetime, minimum_coverage: float = 0.95
) -> list[dict[str, Any]]:
    """Rank a park's enterprises by how much each could be reduced now.

    By its power now and the windows of the same hour of the last four weeks' like days.
    """
    known = registry.enterprises(conn, park.park_id)
    ids = [each.enterprise_id for each in known]
    start = to_us(now) // QUARTER_US
    first = to_us(now - RECENT) // QUARTER_US
    zone, country = ZoneInfo(park.zone), daytypes.country_of(park.region)
    slots = np.array(
        [
            like_slot(to_datetime(i * QUARTER_US).astimezone(zone), country)
            for i in range(first, start + 1)
        ],
        np.int64,
    )
    day, quarter = np.divmod(slots, 96)
    near = np.abs((quarter - quarter[-1] + 48) % 96 - 48) <= BESIDE
    like = np.flatnonzero((day == day[-1]) & near)[:-1]
    rows = read(conn, DEMAND, ids, to_datetime(first * QUARTER_US), now)
    kw, covered = (
        np.full((len(ids), slots.size), np.nan),
        np.zeros((len(ids), slots.size)),
    )
    place = {key: i for i, key in enumerate(ids)}
    row = np.array([place[key] for key in rows.key.tolist()], np.int64)
    kw[row, rows.start_us // QUARTER_US - first] = rows.values[0]
    covered[row, rows.start_us // QUARTER_US - first] = rows.values[2]
    powers: dict[str | None, list[float]] = {}
    for meter in browse.power_now(conn, park.park_id, now - HEARD, now):
        heard = meter.at is not None and meter.kw is not None
        powers.setdefault(meter.enterprise, []).append(
            float(meter.kw) if heard and meter.kw is not None else np.nan
        )
    power = np.array([sum(powers.get(each.code, [np.nan])) for each in known])
    found = forecast.candidates(kw[:, like], power, covered[:, like], minimum_coverage)
    return [
        {
            "enterprise": known[part].code,
            "name": known[part].name,
            "reducible_kw": reducible,
            "swing_kw": swing,
            "together_kw": together,
        }
        for part, reducible, swing, together in zip(
            found.part.tolist(),
            found.reducible_kw.tolist(),
            found.swing_kw.tolist(),
            found.together_kw.tolist(),
            strict=True,
        )
    ]
