"""Where an enterprise stands in its industry, and nothing about any neighbour.

The answer holds the enterprise's own figures and, of each, a quarter of its group. Whoever
asks chooses neither group, nor period, nor coverage, because the difference of two answers
would tell of who is in one alone: the group is the industry's division (two digits of
GB/T 4754) in the park, the period the last calendar year that is over. The rules against
learning more stand at :func:`analytics.ranking.quarters`.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import ranking
from analytics.jobs.grounds import load_grounds
from analytics.jobs.intensities import UNITS
from analytics.jobs.intensity import Group, figure, quality
from analytics.jobs.stated import first_day
from store import membership
from store.database import Connection
from store.errors import Invalid
from store.records import Subject

# what is compared, by which method; per added value at current prices
FIGURES: tuple[tuple[str, str | None], ...] = (
    ("tce", "calorific"),
    ("co2_t", "location_national"),
    ("water_m3", None),
)
DIVISION = 2  # digits of the industry's code


def benchmark(
    conn: Connection,
    subject: Subject,
    *,
    known_on: datetime | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give an enterprise's own figures of the last year and the quarter each is in.

    Parameters
    ----------
    known_on
        As it was answered on this date. For the park alone: what was known before and
        after a neighbour has stated something tells of that neighbour.

    Raises
    ------
    Invalid
        When the subject is no enterprise.
    """
    if subject.kind != "enterprise":
        raise Invalid("name an enterprise")
    now = now or datetime.now(UTC)
    due = min(now, known_on) if known_on else now
    year = due.astimezone(ZoneInfo(subject.park.zone)).year - 1
    grounds = load_grounds(
        conn,
        subject.park,
        year * 12,
        year * 12 + 12,
        known_on=known_on,
        minimum_coverage=ranking.MINIMUM_COVERAGE,
        now=now,
    )
    ids = list(grounds.codes)
    own = ids.index(subject.subject_id)
    park_id = subject.park.park_id
    found = [
        figure(
            grounds, Group(name="enterprise", ids=(each,)), year * 12, year * 12 + 12
        )
        for each in ids
    ]
    last_day = first_day(year * 12 + 11)
    industries = [
        membership.industry_on(list(grounds.industries), each, last_day) for each in ids
    ]
    # without an industry everybody is a group of one
    groups = np.array(
        [
            -1 - i if each is None else int(each.code[:DIVISION])
            for i, each in enumerate(industries)
        ],
        np.int64,
    )
    said = {
        each.enterprise_id: each.owner
        for each in membership.owners(conn, park_id, known_on)
    }
    # nobody has said: an owner of its own, by a name that no owner can have
    owners = np.array([said.get(each, f"/{each}") for each in ids])
    rows = []
    for name, method in FIGURES:
        values = [_value(each, name, method) for each in found]
        known = [quality(each, name, method) for each in found]
        enough = _array([1.0 if good else None for _, good in known])
        band = ranking.quarters(_array(values), enough, groups, owners)
        rows.append(
            {
                "figure": name,
                "figure_method": method,
                "per": "added_value_10k_cny",
                "unit": f"{UNITS[name]}/10^4 CNY",
                "value": values[own],
                "coverage": known[own][0],
                "band": ranking.QUARTER_NAMES[int(band[own])],
            }
        )
    mine, industry = found[own], industries[own]
    below = mine["per"]["added_value_10k_cny"]
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "year": year,
        "industry": None if industry is None else industry.code[:DIVISION],
        "fewest_others": ranking.FEWEST_OTHERS,
        "minimum_coverage": ranking.MINIMUM_COVERAGE,
        "coverage": mine["coverage"],
        "added_value_10k_cny": below["amount"],
        "estimated": below["estimated"],
        "provisional": below["provisional"],
        "rows": rows,
    }


def _value(found: dict[str, Any], name: str, method: str | None) -> float | None:
    value = found["per"]["added_value_10k_cny"][name]
    return value[method] if method is not None else value  # type: ignore[no-any-return]


def _array(values: list[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if each is None else each for each in values], np.float64)
