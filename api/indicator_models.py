"""The documented shape of packs, indicators and the zero-carbon-park report."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value, Words
from api.models import Number, Row

State = Literal["unknown", "met", "missed", "no_threshold"]
OneState = State | Literal["waived"]


class NewPack(Asked):
    """A pack of indicators as YAML; docs/indicators.md says what it may hold."""

    text: Annotated[str, Field(max_length=200_000)]
    who: Words


class PackInput(Row):
    """A value that people state for a year."""

    name: str
    unit: str
    title: str
    title_zh: str


class ListedPack(Row):
    """A pack."""

    name: str
    title: str
    title_zh: str
    source: str
    verified: bool
    note: str | None
    shipped: bool
    indicators: int
    indicators_in_source: int | None
    inputs: list[PackInput]


class Packs(Row):
    """All packs, the shipped ones first."""

    rows: list[ListedPack]


class NewInput(Asked):
    """A value of a park's year for packs; null withdraws it."""

    name: Code
    year: int
    value: Value | None
    unit: Annotated[str, Field(max_length=64)]
    evidence: Words | None = None
    source: Words
    who: Words


class ListedInput(Row):
    """A statement that counts unless the platform computes the value."""

    indicator_input_id: int
    name: str
    year: int
    value: Number
    unit: str
    evidence: str | None
    source: str
    who: str
    recorded_at: datetime


class Inputs(Row):
    """What is stated for packs."""

    rows: list[ListedInput]


class Counts(Row):
    """How many."""

    met: int
    missed: int
    unknown: int


class GuidingCounts(Counts):
    """How many of those that decide nothing together."""

    waived: int = Field(description="set aside with a reason")


class IndicatorValue(Row):
    """One indicator of a pack."""

    name: str
    number: str
    title: str
    title_zh: str
    unit: str
    boundary: str
    need: str
    formula: list[str]
    value: Number
    each: list[Number] | None = Field(description="of several formulas")
    size: Number
    size_unit: str | None
    threshold_kind: str | None
    at_least: Number
    at_most: Number
    state: OneState
    would_reach: Number = Field(description="what must be added to meet it; 0: is met")
    lead: Number
    better: str | None
    score: Number = Field(description="value / lead, or lead / value: less is better")
    in_index: bool | None = Field(description="whether the index takes the score")
    missing: list[str]
    source: str
    verified: bool
    note: str | None


class UsedValue(Row):
    """A value that formulas rest on."""

    asked_as: str
    name: str
    year: int
    value: Number
    unit: str
    origin: Literal["computed", "stated", "missing"]
    why: str | None
    evidence: str | None
    source: str | None
    input_id: int | None


class MissingValue(Row):
    """A value that nobody knows."""

    asked_as: str = Field(description="its name among what an indicator misses")
    name: str
    year: int
    unit: str
    why: str | None


class Index(Row):
    """An index against lead values; unknown while one that it takes is."""

    value: Number
    indicators: int = Field(description="that have a lead value")
    indicators_in_source: int | None
    taken: int = Field(description="n: all, but of groups only as many as are needed")
    unknown: int = Field(description="of those taken")
    scores: list[Number]


class Evaluation(Row):
    """A pack over a park's year."""

    park: str
    year: int
    pack: str
    title: str
    title_zh: str
    source: str
    verified: bool
    note: str | None
    clean_energy: str = Field(description="its definition")
    as_known_on: str | None
    state: State
    mandatory: Counts
    groups: Counts
    group_states: dict[str, State]
    guiding: GuidingCounts = Field(description="guiding, scored and index indicators")
    index: Index | None
    indicators: list[IndicatorValue]
    values: list[UsedValue]
    missing: list[MissingValue]


class ReportPart(Row):
    """What a carrier adds to the core indicator."""

    carrier: str
    co2_t: Number
    share: Number
    energy_tce: Number
    of_core: Number


class ReportStep(Row):
    """The core indicator after a step; arithmetic with one assumption."""

    name: str
    assumption: str
    co2_t: Number
    core: Number


class Reach(Row):
    """What a level asks for."""

    at_most: Number
    applies: bool
    to_cut_t: Number
    by_green_power_t: Number
    green_power_kwh: Number
    by_heat_and_fuel_t: Number
    power_alone_reaches: bool


class ZeroCarbonReport(Evaluation):
    """The report of 发改环资〔2025〕910号."""

    rules: dict[str, str] = Field(description="by which rule the year counts")
    co2_t: Number
    energy_tce: Number
    core: Number
    cautions: list[str]
    parts: list[ReportPart]
    steps: list[ReportStep]
    reach: list[Reach]
