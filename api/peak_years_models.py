"""The documented shape of trajectories, decompositions and what-if lines."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value, Words
from api.models import Number, Row


class NewHistory(Asked):
    """The total of a year, or of a month, by a method; null takes back its stage's."""

    enterprise: Code | None = Field(None, description="null: of the park")
    method: Code = Field(description="see /methods")
    year: int
    month: int | None = Field(None, description="null: of the whole year")
    amount_t: Value | None = Field(description="tCO2 or tce")
    stage: Literal["provisional", "final"] = "final"
    source: Words
    who: Words


class ListedHistory(Row):
    """A stated total that counts unless meters go first."""

    history_id: int
    enterprise: str | None
    method: str
    period: str
    amount_t: Number
    unit: str
    stage: str
    source: str
    who: str
    recorded_at: datetime


class History(Row):
    """What is stated of years before metering."""

    rows: list[ListedHistory]


class YearValue(Row):
    """The added value of a year."""

    year: int
    comparable_10k_cny: Number


class TrajectoryYear(Row):
    """A year by one method: what counts, and all that is known beside it."""

    year: int
    value_t: Number
    rule: Literal[
        "metered_complete",
        "stated_year",
        "months_together",
        "metered_in_part",
        "nothing_known",
    ]
    decides: bool = Field(description="false: provisional, the state does not see it")
    metered_t: Number
    months_t: Number = Field(description="twelve months, each metered or stated")
    stated_t: Number
    stated_stage: str | None
    stated_source: str | None
    history_id: int | None
    difference_t: Number = Field(description="metered less stated")
    months_complete: int
    months_over: int
    coverage: Number = Field(description="the lowest of its months that are over")
    fewest_enterprises: int | None = Field(description="with meters, in one month")
    most_enterprises: int | None


class RollingMonth(Row):
    """A month, and the twelve months that end with it."""

    month: str
    value_t: Number = Field(description="twelve months; null where one is unknown")
    month_t: Number
    metered: bool = Field(description="false: stated, or unknown")


class Trend(Row):
    """Mann-Kendall and Sen slope of a series."""

    n: int
    s: Number
    variance: Number
    z: Number
    p: Number
    sen_slope_t_per_year: Number


class PeakState(Row):
    """Where the years stand, and why."""

    state: Literal["unknown", "rising", "plateau", "declining-unconfirmed", "peaked"]
    reason: str = Field(description="see docs/indicators.md")
    smoothed: bool
    from_: int | None = Field(alias="from")
    to: int | None = Field(description="the last year that the state rests on")
    undecided: list[int]
    peak_year: int | None
    peak_t: Number
    peak_is_first_known: bool = Field(description="the real one may lie before")
    years_after: int | None
    below_peak: Number
    whole: Trend
    after_peak: Trend


class Decoupling(Row):
    """Emissions against added value between two years."""

    from_: int = Field(alias="from")
    to: int
    emissions_change_t: Number
    added_value_change_10k_cny: Number
    elasticity: Number
    state: str


class TrajectorySeries(Row):
    """One method's years."""

    method: str
    kind: Literal["energy", "co2"]
    title: str
    title_zh: str
    unit: str
    years: list[TrajectoryYear]
    rolling: list[RollingMonth]
    state: PeakState
    decoupling: list[Decoupling]


class Trajectory(Row):
    """How the years of a park or an enterprise go."""

    park: str
    enterprise: str | None
    as_known_on: str | None
    minimum_coverage: float
    price_base: int | None = Field(
        description="year of the comparable prices, if named"
    )
    added_value: list[YearValue]
    series: list[TrajectorySeries]


class Effects(Row):
    """What moved the emissions; all of them add up to the change."""

    activity_t: Number
    structure_t: Number
    intensity_t: Number
    mix_t: Number
    carbon_factor_t: Number
    not_split_t: Number = Field(description="enterprises that no product describes")
    without_energy_t: Number = Field(description="processes and gases set free")
    beside_the_enterprises_t: Number = Field(description="in the park's account alone")


class EnterpriseEffects(Row):
    """One enterprise's part."""

    enterprise: str
    activity_t: Number
    structure_t: Number
    intensity_t: Number
    mix_t: Number
    carbon_factor_t: Number
    without_energy_t: Number
    change_t: Number
    split: bool


class Decomposition(Row):
    """What made emissions change between two years."""

    park: str
    before: int
    after: int
    method: str
    energy: str
    prices: str
    price_base: int | None
    as_known_on: str | None
    missing_added_value: dict[str, list[str]]
    below_coverage: dict[str, list[str]]
    before_t: Number
    after_t: Number
    change_t: Number
    effects: Effects
    enterprises: list[EnterpriseEffects]


class Assumption(Row):
    """A number that an answer rests on."""

    name: str
    value: Number
    unit: str


class Measure(Row):
    """What a measure changes in one full year."""

    measure: str
    co2_t: Number
    grid_kwh: Number
    assumptions: list[Assumption]


class LineYear(Row):
    """A year with and without the measures."""

    year: int
    without_t: Number
    with_t: Number


class WhatIf(Row):
    """Lines of later years."""

    park: str
    enterprise: str | None
    year: int
    method: str
    as_known_on: str | None
    base_t: Number
    grid_kwh: Number
    grid_kg_per_kwh: Number
    effects: list[Measure]
    assumptions: list[Assumption]
    lines: list[LineYear]


class ZeroCarbon(Row):
    """Carbon per energy of a park in twelve months, and what would reach the aim."""

    park: str
    from_: str = Field(alias="from")
    to: str
    as_known_on: datetime | None
    value: Number = Field(description="tCO2/tce")
    co2_t: Number
    tce: Number = Field(description="with electricity at the equal value")
    aim: Number = Field(description="tCO2/tce; below 200 000 tce no threshold is given")
    size_class: Literal["unknown", "below_200k_tce", "from_200k_tce", "from_1m_tce"]
    state: Literal["unknown", "met", "missed", "no_threshold"]
    gap_t: Number = Field(description="above the aim")
    unproven_kwh: Number = Field(description="power without proof of its origin")
    green_kwh: Number = Field(description="to prove as green: to the aim, or all")
    with_all_green: Number = Field(description="tCO2/tce")
    rest_t: Number = Field(description="of the gap, where all power is green")
    coverage: float
    months_known: int
    publishable: bool
    method: str
    energy: str
    factors: list[str] = Field(description="codes of all that both parts rest on")
