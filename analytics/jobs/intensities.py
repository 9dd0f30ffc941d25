"""Intensities beside each other: a history, and a rank in the park."""

from datetime import date, datetime
from typing import Any

import numpy as np

from analytics import ranking
from analytics.jobs.grounds import Grounds, load_grounds
from analytics.jobs.intensity import Group, figure, group_of, quality
from analytics.jobs.stated import index, period_name, told
from store.database import Connection
from store.errors import Invalid
from store.records import Park, Subject

# how long a figure of a history is
LENGTHS = ("month", "quarter", "year", "year_to_date", "rolling_12")
PER = ("added_value_10k_cny", "land_ha", "building_ha", "head")
SETS = ("all", "above_size")
LONGEST = 240  # months of one question
UNITS = {
    "tce": "tce",
    "co2_t": "tCO2",
    "water_m3": "m3",
    "wastewater_m3": "m3",
    "pollutant_kg": "kg",
    "added_value_10k_cny": "10^4 CNY",
    "added_value_comparable_10k_cny": "10^4 CNY at the prices of price_base",
    "land_ha": "ha",
    "building_ha": "ha",
    "head": "persons",
    "coverage": "1",
    "change_percent": "%",
}


def months_of(first: date, last: date) -> tuple[int, int]:
    """Give the numbers of whole months [first, last).

    Raises
    ------
    Invalid
        When they are none, or too many.
    """
    if first.day != 1 or last.day != 1 or last <= first:
        raise Invalid(f"{first} to {last} are not whole months")
    if index(last) - index(first) > LONGEST:
        raise Invalid(f"the period is longer than {LONGEST} months")
    return index(first), index(last)


def pieces(first: int, stop: int, length: str) -> list[tuple[int, int]]:
    """Cut months into the periods of a history, each inside or ending in them."""
    if length == "month":
        return [(m, m + 1) for m in range(first, stop)]
    if length == "rolling_12":
        return [(m - 11, m + 1) for m in range(first, stop)]
    if length == "year_to_date":
        return [(m // 12 * 12, m + 1) for m in range(first, stop)]
    size = {"quarter": 3, "year": 12}.get(length)
    if size is None:
        raise Invalid(f"length {length!r} is none of {', '.join(LENGTHS)}")
    start = -(-first // size) * size
    return [(m, m + size) for m in range(start, stop - size + 1, size)]


def history(
    conn: Connection,
    subject: Subject,
    first: date,
    last: date,
    *,
    length: str = "month",
    of: str = "park",
    price_base: int | None = None,
    method: str = "denton",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give the intensities of a subject over time.

    Parameters
    ----------
    length
        One of :data:`LENGTHS`; all but quarters and years end in each month asked for.
    of
        For a park: ``park`` (its own account, flows inside netted), ``enterprises`` (the
        sum of theirs) or ``above_size`` (of those above designated size in the year in
        which each period ends).

    Raises
    ------
    Invalid
        For a meter, or days that are no whole months.
    """
    asked = months_of(first, last)
    cut = pieces(*asked, length)
    enterprise = enterprise_of(subject)
    low = min((each[0] for each in cut), default=asked[0])
    grounds = load_grounds(
        conn,
        subject.park,
        low,
        asked[1],
        known_on=known_on,
        price_base=price_base,
        method=method,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    rows = [
        figure(
            grounds, group_of(grounds, of, (stop - 1) // 12, enterprise), start, stop
        )
        for start, stop in cut
    ]
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "length": length,
        "price_base": price_base,
        "method": method,
        "as_known_on": known_on,
        "minimum_coverage": minimum_coverage,
        "units": UNITS,
        "rows": rows,
        "doubts": doubts(grounds, enterprise),
    }


def lines(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Give each ratio of a period as a line of its own."""
    found = []
    head = {name: row[name] for name in ("period", "from", "to", "of")}
    for per, ratios in row["per"].items():
        for name in ("tce", "co2_t", "water_m3", "wastewater_m3", "pollutant_kg"):
            values = ratios[name]
            values = values if isinstance(values, dict) else {None: values}
            for method, value in values.items():
                share, publishable = quality(row, name, method)
                found.append(
                    head
                    | {
                        "per": per,
                        "figure": name,
                        "method": method,
                        "value": value,
                        "denominator": ratios["amount"],
                        "estimated": ratios["estimated"],
                        "provisional": ratios["provisional"],
                        "coverage": share,
                        "publishable": publishable,
                    }
                )
    return found


def doubts(grounds: Grounds, enterprise: int | None = None) -> list[dict[str, Any]]:
    """Tell which statements disagree and what counts, and which say nothing of a month."""
    found: list[dict[str, Any]] = []
    for each, code in grounds.codes.items():
        if enterprise not in (None, each):
            continue
        for kind, of in (
            ("added_value", grounds.current),
            ("comparable", grounds.real),
        ):
            if each in of:
                found += told(
                    of[each].stated,
                    lambda _, code=code, kind=kind: {  # type: ignore[misc]
                        "enterprise": code,
                        "kind": kind,
                    },
                )
        for (subject, kind, product, _), flow in grounds.flows.items():
            if subject == each:
                words = f"{kind} {product or ''}".strip()
                found += told(
                    flow,
                    lambda _, code=code, words=words: {  # type: ignore[misc]
                        "enterprise": code,
                        "kind": words,
                    },
                )
    for row in grounds.ignored:
        if row.subject_id in grounds.codes and enterprise in (None, row.subject_id):
            whole = row.period_from.day == 1 and row.period_to.day == 1
            found.append(
                {
                    "enterprise": grounds.codes[row.subject_id],
                    "kind": row.kind,
                    "what": "no_price_base" if whole else "no_whole_months",
                    "statement_id": row.statement_id,
                    "amount": row.amount,
                    "other_ids": [],
                    "other_amount": None,
                    "counts": "neither",
                }
            )
    return found


def rank(
    conn: Connection,
    park: Park,
    first: date,
    last: date,
    *,
    figure_name: str = "tce",
    method_name: str | None = "calorific",
    per: str = "added_value_10k_cny",
    members: str = "all",
    method: str = "denton",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Rank the enterprises of a park by an intensity; for the park's managers.

    Who has no place is listed with the reason.

    Raises
    ------
    Invalid
        When there is no such figure.
    """
    if per not in PER:
        raise Invalid(f"per {per!r} is none of {', '.join(PER)}")
    if members not in SETS:
        raise Invalid(f"members {members!r} is none of {', '.join(SETS)}")
    start, stop = months_of(first, last)
    grounds = load_grounds(
        conn,
        park,
        start,
        stop,
        known_on=known_on,
        method=method,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    year = (stop - 1) // 12
    ids = grounds.members(year) if members == "above_size" else list(grounds.codes)
    found = [
        figure(grounds, Group(name="enterprise", ids=(each,)), start, stop)
        for each in ids
    ]
    values = [_value(each["per"][per], figure_name, method_name) for each in found]
    known = [quality(each, figure_name, method_name) for each in found]
    places = ranking.rank(
        np.array([np.nan if v is None else v for v in values], np.float64),
        np.array([1.0 if good else np.nan for _, good in known], np.float64),
        minimum_coverage,
    )
    rows = [
        {
            "place": int(place) or None,
            "enterprise": grounds.codes[enterprise],
            "value": value,
            "denominator": each["per"][per]["amount"],
            "estimated": each["per"][per]["estimated"],
            "provisional": each["per"][per]["provisional"],
            "how": each["per"][per]["how"],
            "coverage": share,
            "reason": None
            if place
            else reason(each | {"coverage": share}, per, value, minimum_coverage),
        }
        for enterprise, each, value, (share, _), place in zip(
            ids, found, values, known, places.place.tolist(), strict=True
        )
    ]
    rows.sort(key=lambda row: (row["place"] is None, row["place"], row["enterprise"]))
    return {
        "park": park.code,
        "period": period_name(start, stop),
        "figure": figure_name,
        "figure_method": method_name,
        "per": per,
        "members": members,
        "set_year": year if members == "above_size" else None,
        "size_not_stated": grounds.unsaid(year) if members == "above_size" else [],
        "ranked": places.ranked,
        "minimum_coverage": minimum_coverage,
        "as_known_on": known_on,
        "rows": rows,
    }


def _value(
    ratios: dict[str, Any], figure_name: str, method_name: str | None
) -> float | None:
    found = ratios.get(figure_name)
    if isinstance(found, dict):
        if method_name not in found and figure_name != "pollutant_kg":
            raise Invalid(f"{figure_name} has no {method_name!r}")
        found = found.get(method_name or "")
    elif figure_name not in ("water_m3", "wastewater_m3"):
        raise Invalid(f"there is no figure {figure_name!r} to rank by")
    return found if found is None else float(found)


def reason(found: dict[str, Any], per: str, value: float | None, minimum: float) -> str:
    """Say why a figure has no place in a ranking."""
    below = found["per"][per]["amount"]
    if not found["complete"]:
        return "not_over"
    if below is None:
        return "denominator_missing"
    if below <= 0:
        return "denominator_not_positive"
    if value is None:
        return "numerator_unknown"
    if found["coverage"] is None or found["coverage"] < minimum:
        return "coverage"
    return "numerator_unknown"


def enterprise_of(subject: Subject) -> int | None:
    """Give the enterprise's id; None for a park.

    Raises
    ------
    Invalid
        For a meter.
    """
    if subject.kind == "meter":
        raise Invalid("a meter has no added value, so no intensity")
    return subject.subject_id if subject.kind == "enterprise" else None
