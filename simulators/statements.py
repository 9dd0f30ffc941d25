"""What enterprises state of months, and what the park remembers of earlier years."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from simulators.load import EPOCH
from simulators.plant import Plant
from simulators.scenario import Scenario
from simulators.series import hashed, key


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What an enterprise states of a month; kinds and units of docs/intensity.md."""

    enterprise: str
    kind: str  # added_value, output, pollutant
    product: str | None
    unit: str
    first: date
    following: date
    amount: float


@dataclass(frozen=True, kw_only=True)
class Past:
    """A month of the park before metering."""

    first: date
    following: date
    electricity_mwh: float
    co2_t: float


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield first day and following first day of the months of ``[first, last)``."""
    while first < last:
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        yield first, following
        first = following


def nothing_made(enterprise: str, first: date, following: date) -> Statement:
    """Give the statement of one that adds no value."""
    return Statement(
        enterprise=enterprise,
        kind="added_value",
        product=None,
        unit="10k_cny",
        first=first,
        following=following,
        amount=0.0,
    )


def stated(
    scenario: Scenario,
    plant: Plant,
    first: date,
    following: date,
    masses_kg: Mapping[str, float],
) -> Iterator[Statement]:
    """Yield what an enterprise states of a month, pollutants as they were measured."""
    business = scenario.business
    number = np.array([first.year * 12 + first.month], dtype=np.int64)
    years = (first - EPOCH.date()).days / 365.2425
    usual_mwh: float = (
        plant.mean_kw
        * (following - first).days
        * 24
        / 1000
        * business.season[first.month - 1]
        * (1 + business.growth_per_year) ** years
    )

    def statement(
        kind: str, product: str | None, unit: str, amount: float
    ) -> Statement:
        return Statement(
            enterprise=plant.code,
            kind=kind,
            product=product,
            unit=unit,
            first=first,
            following=following,
            amount=round(amount, 2),
        )

    def varied(kind: str, per_mwh: float) -> float:
        drawn = float(hashed(key(scenario.seed, plant.code, kind), number)[0])
        return per_mwh * usual_mwh * (1 + business.noise * (2 * drawn - 1))

    value = varied("added_value", plant.kind.added_value_10k_cny_per_mwh)
    yield statement("added_value", None, "10k_cny", value)
    if (output := plant.kind.output) is not None:
        amount = varied("output", output.per_mwh)
        yield statement("output", output.product, output.unit, amount)
    for name, mass_kg in masses_kg.items():
        yield statement("pollutant", name, "kg", mass_kg)
