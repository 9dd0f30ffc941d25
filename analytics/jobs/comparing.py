"""What months would have cost by each method of the basic charge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from analytics import cost
from analytics.jobs.amounts import Period
from analytics.jobs.billed import Part


def nan(amount: float | None) -> float:
    """Give what is unknown as NaN."""
    return math.nan if amount is None else amount


def number(value: float) -> float | None:
    """Give what is unknown as None."""
    return None if math.isnan(value) else value


def added(amounts: Sequence[float | None]) -> float | None:
    """Add money up; None where one amount is unknown."""
    known = [each for each in amounts if each is not None]
    if len(known) < len(amounts):
        return None
    return cost.rounded(math.fsum(known))


def with_basic(rest: float, based: float, basic: float, percent: float) -> float | None:
    """Give a month's total with another basic charge; `based` is adjusted with it."""
    adjusted = cost.product(percent, 0.01, cost.rounded(based + basic))
    return number(cost.rounded(rest + basic + adjusted))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a month tells of the best contract demand; unknown is NaN."""

    maxima_kw: list[float]
    price_cny: list[float]  # of a kW in these days
    lowest_kw: float


def offer(parts: list[Part], basic: list[dict[str, Any]], month: Period) -> Offer:
    """Read the lines of a month by actual demand; they tell demand and price."""
    days = (month.last - month.first).days
    stated = sum(each.days for each in parts)
    shares = [
        (date.fromisoformat(each["to"]) - date.fromisoformat(each["from"])).days / days
        for each in basic
    ]
    unknown = [math.nan] if stated < days else []
    return Offer(
        maxima_kw=[
            nan(each["quantity"]) / share
            for each, share in zip(basic, shares, strict=True)
        ]
        + unknown,
        price_cny=[
            nan(each["price_cny"]) * share
            for each, share in zip(basic, shares, strict=True)
        ]
        + unknown,
        lowest_kw=max(
            (
                cost.LOWEST_SHARE * each.billing.capacity_kva
                for each in parts
                if each.billing.capacity_kva is not None
            ),
            default=0.0,
        ),
    )


def compare(bills: list[dict[str, Any]], offers: list[Offer]) -> dict[str, Any]:
    """Tell which method would have cost least over all months."""
    totals = {
        name: added([each["methods_cny"][name] for each in bills])
        for name in cost.METHODS
    }
    known = {name: each for name, each in totals.items() if each is not None}
    lowest = max(each.lowest_kw for each in offers)
    best = cost.best_contract(
        np.array([kw for each in offers for kw in each.maxima_kw]),
        np.array([cny for each in offers for cny in each.price_cny]),
        lowest,
    )
    return {
        "totals_cny": totals,
        # one alone is compared with nothing
        "cheapest": min(known, key=lambda name: known[name])
        if len(known) > 1
        else None,
        "best_contract_kw": number(best),
        "lowest_contract_kw": lowest or None,
    }
