"""How intensities changed against a base period, at comparable prices."""

import math
from datetime import date, datetime
from typing import Any

import numpy as np

from analytics import intensity
from analytics.jobs.grounds import Grounds, load_grounds
from analytics.jobs.intensities import UNITS, enterprise_of, months_of
from analytics.jobs.intensity import Group, figure, group_of
from store.database import Connection
from store.errors import Invalid
from store.records import Subject


def change(
    conn: Connection,
    subject: Subject,
    period: tuple[date, date],
    base: tuple[date, date],
    *,
    of: str = "park",
    price_base: int | None = None,
    method: str = "denton",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Tell how intensities changed against a base period, at comparable prices.

    Each period's own set of enterprises is compared, and the same set: those that were in
    both. Both formulas are given; they agree.

    Parameters
    ----------
    period, base
        First days of the first month and of the month after the last; of equal length.
    price_base
        Whose prices; None: the year in which the base period begins.

    Raises
    ------
    Invalid
        When the periods differ in length, or the prices' year lies after the base.
    """
    report, before = months_of(*period), months_of(*base)
    if report[1] - report[0] != before[1] - before[0]:
        raise Invalid("the periods are not of equal length")
    prices = before[0] // 12 if price_base is None else price_base
    grounds = load_grounds(
        conn,
        subject.park,
        min(report[0], before[0]),
        max(report[1], before[1]),
        known_on=known_on,
        price_base=prices,
        method=method,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    enterprise = enterprise_of(subject)
    now_set = group_of(grounds, of, (report[1] - 1) // 12, enterprise)
    old_set = group_of(grounds, of, (before[1] - 1) // 12, enterprise)
    found = {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "of": now_set.name,
        "price_base": prices,
        "as_known_on": known_on,
        "units": UNITS,
        "own_sets": _change(grounds, now_set, old_set, report, before),
        "same_set": None,
        "joined": [grounds.codes[e] for e in now_set.ids if e not in old_set.ids],
        "left": [grounds.codes[e] for e in old_set.ids if e not in now_set.ids],
    }
    if now_set.year is not None:
        both = tuple(each for each in now_set.ids if each in old_set.ids)
        same = Group(name="same_set", ids=both)
        found["same_set"] = _change(grounds, same, same, report, before)
    return found


def _change(
    grounds: Grounds,
    now_set: Group,
    old_set: Group,
    report: tuple[int, int],
    before: tuple[int, int],
) -> dict[str, Any]:
    new, old = figure(grounds, now_set, *report), figure(grounds, old_set, *before)
    key = "added_value_comparable_10k_cny"
    changes: dict[str, Any] = {}
    for name in ("tce", "co2_t"):
        changes[name] = {
            each: _both(
                new[name][each], old[name][each], new["per"][key], old["per"][key]
            )
            for each in new[name]
        }
    for name in ("water_m3", "wastewater_m3"):
        tops = new[name]["amount"], old[name]["amount"]
        changes[name] = _both(*tops, new["per"][key], old["per"][key])
    return {
        "report": new,
        "base": old,
        "publishable": new["publishable"] and old["publishable"],
        "change_percent": changes,
    }


def _both(
    new: float | None, old: float | None, above: dict[str, Any], below: dict[str, Any]
) -> dict[str, float | None]:
    parts = (new, old, above["amount"], below["amount"])
    e1, e0, v1, v0 = (np.float64(np.nan if p is None else p) for p in parts)
    growth = [intensity.ratio(e1, e0) - 1.0, intensity.ratio(v1, v0) - 1.0]
    return {
        "of_intensities": _number(
            intensity.change(intensity.ratio(e1, v1), intensity.ratio(e0, v0))
        ),
        "of_growth": _number(intensity.change_by_growth(*growth)),
        "numerator_growth": _number(100.0 * growth[0]),
        "value_growth": _number(100.0 * growth[1]),
    }


def _number(value: Any) -> float | None:
    found = float(value)
    return found if math.isfinite(found) else None
