"""The parks of this database side by side: who has most of its energy clean."""

import math
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import ranking, trend
from analytics.jobs import clean, yearly
from analytics.jobs.trajectory import tested
from store import registry
from store.database import Connection
from store.errors import Invalid
from store.packs import inputs
from store.records import Park

Float64 = NDArray[np.float64]

CLEAN_PARK = 0.5  # of its energy; above it a park counts as clean
MOST_YEARS = 20


def comparison(
    conn: Connection,
    first: int,
    last: int,
    *,
    definition: str = "non_fossil",
    basis: str = "equal_value",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Compare the share of clean energy of all parks over calendar years.

    Parameters
    ----------
    first, last
        Years, both included.
    definition, basis
        Of clean energy and its tonnes of coal equivalent; both stand in the answer.

    Raises
    ------
    Invalid
        For an unknown definition or basis, or more than 20 years.

    Notes
    -----
    A park whose year is not metered and complete has a coverage and no share: it is not
    ranked and not counted. 36.08 % of 230 national zones had more than half of their
    energy clean in 2020 (GPIPC report); what was clean there is not said.
    """
    clean.check(definition)
    if basis not in clean.BASES:
        raise Invalid(f"basis {basis[:70]!r} is none of {', '.join(clean.BASES)}")
    if not 1980 <= first <= last <= 2100 or last - first >= MOST_YEARS:
        raise Invalid(f"{first} to {last} are not 1 to {MOST_YEARS} years")
    years = range(first, last + 1)
    parks = registry.parks(conn)
    cells = [
        [
            _year(conn, park, year, definition, basis, known_on, minimum_coverage, now)
            for year in years
        ]
        for park in parks
    ]
    share = np.array(
        [[each["share"] for each in row] for row in cells], np.float64
    ).reshape(len(parks), len(years))
    places, ranked = _ranked(share)
    return {
        "definition": definition,
        "basis": basis,
        "minimum_coverage": minimum_coverage,
        "as_known_on": known_on.isoformat() if known_on else None,
        "years": [
            {
                "year": year,
                "parks": len(parks),
                "compared": ranked[i],
                "above_half": int((share[:, i] > CLEAN_PARK).sum()),
                "share_above_half": None
                if not ranked[i]
                else float((share[:, i] > CLEAN_PARK).sum() / ranked[i]),
            }
            for i, year in enumerate(years)
        ],
        "parks": [
            {
                "park": park.code,
                "name": park.name,
                "years": [
                    cell
                    | {
                        "place": int(places[k, i]) or None,
                        "places_won": _won(places, k, i),
                    }
                    for i, cell in enumerate(cells[k])
                ],
                "trend": _trend(share[k]),
            }
            for k, park in enumerate(parks)
        ],
    }


def _year(
    conn: Connection,
    park: Park,
    year: int,
    definition: str,
    basis: str,
    known_on: datetime | None,
    minimum: float,
    now: datetime | None,
) -> dict[str, Any]:
    record = yearly.load(
        conn,
        registry.subject(conn, park.code),
        first=year,
        last=year,
        known_on=known_on,
        minimum_coverage=minimum,
        now=now,
    )
    (known,) = yearly.years(record, basis)
    cell: dict[str, Any] = {
        "year": year,
        "share": None,
        "coverage": known.coverage,
        "months_complete": known.months_complete,
        "refused_because": None,
    }
    if known.rule != yearly.METERED or record.metered is None:
        return cell | {"refused_because": f"the year is {known.rule}"}
    heat = [
        each.value
        for each in inputs(conn, park.park_id, known_on)
        if each.name == "non_fossil_heat_gj" and each.year == year
    ]
    found = clean.share(
        record.metered,
        0,
        definition=definition,
        basis=basis,
        non_fossil_heat_gj=heat[0] if heat else None,
    )
    if math.isnan(found.share):
        return cell | {"refused_because": "a part of clean energy is not known"}
    return cell | {"share": found.share}


def _ranked(share: Float64) -> tuple[NDArray[np.int64], list[int]]:
    """Rank each year, the largest share first; 0 is not ranked."""
    places = np.zeros(share.shape, np.int64)
    counts = []
    for i in range(share.shape[1]):
        found = ranking.rank(share[:, i], np.ones(share.shape[0]), less_is_better=False)
        places[:, i] = found.place
        counts.append(found.ranked)
    return places, counts


def _won(places: NDArray[np.int64], park: int, year: int) -> int | None:
    """Places won against the year before; None where it is not ranked in both."""
    if year == 0 or not places[park, year] or not places[park, year - 1]:
        return None
    return int(places[park, year - 1] - places[park, year])


def _trend(share: Float64) -> dict[str, Any]:
    found = tested(share)
    slope = found.pop("sen_slope_t_per_year")
    p = found["p"]
    word = "unknown"
    if p is not None and slope is not None:
        word = (
            "none" if p >= trend.SIGNIFICANT else "rising" if slope > 0 else "falling"
        )
    return found | {"sen_slope_per_year": slope, "trend": word}
