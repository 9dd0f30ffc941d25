"""The documented shapes of intensities, ranks, changes, benchmarks and budgets."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value
from api.models import Number, Row
from api.statement_models import Source, Who, Year

Numbers = dict[str, Number]


class Ratios(Row):
    """One denominator and what falls on a unit of it."""

    amount: Number = Field(description="the denominator; null: somebody's is missing")
    estimated: bool = Field(
        description="not as stated: scaled to what counts, or told by an indicator"
    )
    provisional: bool
    how: list[str] = Field(description="states of the months, and their indicators")
    statement_ids: list[int]
    missing: list[str] = Field(description="enterprises whose part is not known")
    tce: Numbers
    co2_t: Numbers
    water_m3: Number
    wastewater_m3: Number
    pollutant_kg: Numbers
    added_value_10k_cny: Number = None


class ProductRatios(Ratios):
    """A product, and what falls on a unit of it."""

    product: str
    unit: str
    makers: list[str] = Field(description="who makes nothing else")
    several: list[str] = Field(description="who makes others too, so is not in it")


class Water(Row):
    """Water, as metered or stated [m³]."""

    amount: Number = Field(description="null: somebody's is missing")
    known: Number = Field(description="of those whose part is known")
    basis: list[Literal["metered", "stated"]]
    coverage: Number = Field(
        description="lowest known share of a month of anybody's meters, of months for "
        "which no statement stands in; null: there are none"
    )
    missing: list[str] = Field(
        description="whose part is not known: enterprises, or the park by its meter"
    )


class Pollutant(Row):
    """A pollutant, as monitors measured it or as stated [kg]."""

    amount: Number = Field(description="null: somebody's is missing")
    known: Number = Field(description="of those whose part is known")
    basis: list[Literal["measured", "stated"]]
    measured_share: Number = Field(description="of known, as monitors measured it")
    coverage: Number = Field(
        description="lowest known share of a month of anybody's monitors, of months for "
        "which no statement stands in; null: there are none"
    )
    missing: list[str] = Field(description="enterprises whose part is not known")


class IntensityRow(Row):
    """All intensities of a period."""

    period: str
    first: date = Field(alias="from")
    last: date = Field(alias="to", description="the day after the last")
    of: str
    members: list[str]
    set_year: int | None = Field(description="of the set above designated size")
    size_not_stated: list[str]
    complete: bool = Field(description="the period is over")
    coverage: Number
    publishable: bool
    tce: Numbers
    co2_t: Numbers
    water_m3: Water
    wastewater_m3: Water
    pollutant_kg: dict[str, Pollutant]
    per: dict[str, Ratios]
    per_product: list[ProductRatios]


class Doubt(Row):
    """Statements that disagree, and which of them counts."""

    enterprise: str
    kind: str
    what: Literal[
        "overlaps", "differs", "nothing_left", "no_whole_months", "no_price_base"
    ]
    statement_id: int
    amount: Number
    other_ids: list[int]
    other_amount: Number
    counts: Literal["statement", "others", "neither"]


class History(Row):
    """Intensities over time."""

    park: str
    enterprise: str | None
    length: str
    price_base: int | None
    method: str
    as_known_on: datetime | None
    minimum_coverage: float
    units: dict[str, str]
    rows: list[IntensityRow]
    doubts: list[Doubt]


class RankRow(Row):
    """An enterprise's place; null with the reason where it has none."""

    place: int | None
    enterprise: str
    value: Number
    denominator: Number
    estimated: bool
    provisional: bool
    how: list[str]
    coverage: Number
    reason: (
        Literal[
            "not_over",
            "denominator_missing",
            "denominator_not_positive",
            "numerator_unknown",
            "coverage",
        ]
        | None
    )


class Rank(Row):
    """The enterprises of a park by an intensity, the lowest first."""

    park: str
    period: str
    figure: str
    figure_method: str | None
    per: str
    members: str
    set_year: int | None
    size_not_stated: list[str]
    ranked: int
    minimum_coverage: float
    as_known_on: datetime | None
    rows: list[RankRow]


class Changed(Row):
    """Change by both formulas, and the growth they rest on [%]."""

    of_intensities: Number
    of_growth: Number
    numerator_growth: Number
    value_growth: Number


class ChangePercent(Row):
    """Change of each numerator per added value at comparable prices."""

    tce: dict[str, Changed]
    co2_t: dict[str, Changed]
    water_m3: Changed
    wastewater_m3: Changed


class SetChange(Row):
    """Change between two periods, each with its set of enterprises."""

    report: IntensityRow
    base: IntensityRow
    publishable: bool
    change_percent: ChangePercent


class Change(Row):
    """Change against a base period: each period's own set, and the same one."""

    park: str
    enterprise: str | None
    of: str
    price_base: int
    as_known_on: datetime | None
    units: dict[str, str]
    own_sets: SetChange
    same_set: SetChange | None = Field(description="null where all are compared")
    joined: list[str]
    left: list[str]


class BenchmarkRow(Row):
    """An own figure and the quarter of the industry it is in."""

    figure: str
    figure_method: str | None
    per: str
    unit: str
    value: Number
    coverage: Number = Field(description="of this figure; null: as stated, or no meter")
    band: Literal[
        "no_figure",
        "too_few",
        "best_quarter",
        "second_quarter",
        "third_quarter",
        "last_quarter",
    ]


class Benchmark(Row):
    """Where an enterprise stands among its industry in the park."""

    park: str
    enterprise: str
    year: int
    industry: str | None = Field(
        description="two digits of GB/T 4754; null: not stated"
    )
    fewest_others: int
    minimum_coverage: float
    coverage: Number
    added_value_10k_cny: Number
    estimated: bool
    provisional: bool
    rows: list[BenchmarkRow]


class NewTarget(Asked):
    """A limit of a year."""

    enterprise: Code | None = Field(None, description="null: the park's")
    kind: Literal[
        "energy", "co2", "energy_intensity", "co2_intensity", "water", "demand"
    ]
    method: Code | None = Field(None, description="how energy or carbon is counted")
    year: Year
    value: Annotated[Value, Field(ge=0, lt=1e12)] | None = Field(
        description="null withdraws it"
    )
    excluded: list[Literal["renewable", "feedstock"]] = Field(
        default=[], description="of energy: what does not count against it"
    )
    source: Source
    who: Who


class Target(Row):
    """A target as recorded."""

    target_id: int
    enterprise: str | None
    kind: str
    method: str | None
    year: int
    value: Number
    unit: str
    excluded: list[str]
    source: str
    who: str
    recorded_at: datetime


class Targets(Row):
    """Targets by year."""

    rows: list[Target]


class LeftOut(Row):
    """What does not count against an energy target [tce]."""

    months: list[Number]
    sum: Number


class Outlook(Row):
    """How a budget goes; lists are cumulative at the ends of the twelve months."""

    months: list[Number] = Field(description="of those that are over, not cumulative")
    left_out: dict[str, LeftOut]
    used: Number
    left: Number
    ahead_of_pace: Number
    pace_by: Literal["uniform", "history"]
    pace: list[Number]
    path: list[Number]
    low: list[Number]
    high: list[Number]
    year_end: Number
    year_end_low: Number
    year_end_high: Number
    spent_on: date | None = Field(description="null: not in the year, or not known")
    spent_early: date | None
    spent_late: date | None
    method: str
    band: list[float]
    history_years: int
    coverage: Number
    publishable: bool


class SoFar(Row):
    """An intensity of the year to date, or the peak so far."""

    value: Number
    left: Number
    estimated: bool
    missing: list[str]
    coverage: Number
    publishable: bool
    at: Any = Field(description="when the peak was")


class Budget(Row):
    """A target of the year and how it goes."""

    target_id: int
    kind: str
    method: str | None
    value: Number
    unit: str
    excluded: list[str]
    source: str
    recorded_at: datetime
    outlook: Outlook | None
    so_far: SoFar | None


class Budgets(Row):
    """The targets of a year and how they go."""

    park: str
    enterprise: str | None
    year: int
    zone: str
    as_known_on: datetime | None
    months_over: int
    pace: str
    minimum_coverage: float
    rows: list[Budget]
