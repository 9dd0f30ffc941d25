"""The documented shapes of what the API answers. Unknown numbers are null."""

import math
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _known(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


Number = Annotated[float | None, BeforeValidator(_known)]


class Row(BaseModel):
    """A row; it has exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Park(Row):
    """An industrial park."""

    code: str
    name: str
    zone: str = Field(description="IANA name; local days and months follow it")
    region: str = Field(description="grid region of the emission factors")


class Parks(Row):
    """All parks."""

    rows: list[Park]


class ParkDetail(Park):
    """A park and what it has."""

    enterprises: int
    meters: int
    unconfirmed_meters: int
    contract_demand_kw: Number = Field(description="that applies now")


class Quantity(Row):
    """One measurable quantity."""

    name: str
    kind: Literal["register", "gauge"]
    unit: str = Field(description="canonical unit; empty for a pure number")
    carrier: str
    direction: str
    meaning: str


class Quantities(Row):
    """The catalogue of quantities."""

    rows: list[Quantity]


class Enterprise(Row):
    """An enterprise of a park."""

    code: str
    name: str
    meters: int = Field(description="that speak on its topic")
    unconfirmed_meters: int


class Enterprises(Row):
    """The enterprises of a park."""

    rows: list[Enterprise]


class Meter(Row):
    """A meter, under the enterprise whose topic it speaks on."""

    enterprise: str
    code: str
    name: str
    role: Literal["main", "park", "sub", "check"] | None
    parent: str | None
    virtual: bool = Field(description="its usage is a formula's, see virtual-meters")
    confirmed: bool = Field(description="an unconfirmed meter counts for nothing")
    confirmed_at: datetime | None


class Meters(Row):
    """The meters of a park."""

    rows: list[Meter]


class Reading(Row):
    """One raw reading, in the canonical unit of its quantity."""

    enterprise: str
    meter: str
    quantity: str
    kind: Literal["register", "delta", "gauge"]
    unit: str
    at: datetime
    until: datetime | None = Field(description="end of an interval amount (delta)")
    value: Number
    batch_id: int = Field(description="the batch it arrived in")
    received_at: datetime


class Readings(Row):
    """A page of readings, by channel and time."""

    rows: list[Reading]
    next: str | None = Field(description="cursor of the next page; null: there is none")


class CountedMeter(BaseModel):
    """A meter's channel that a figure adds up, during its membership."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    enterprise: str = Field(description="whose topic it speaks on")
    meter: str
    channel_id: int
    kind: str
    start: datetime = Field(alias="from")
    stop: datetime = Field(alias="to")


class Counted(Row):
    """What a figure rests on."""

    meters: list[CountedMeter]


class _Head(BaseModel):
    """Whose figure of which period, and how much of it is known."""

    park: str
    enterprise: str | None
    meter: str | None
    start: date = Field(alias="from")
    stop: date = Field(alias="to")
    zone: str

    model_config = ConfigDict(populate_by_name=True)


class UsageRow(Row):
    """The usage of one interval; intervals of which nothing is known have no row."""

    start: datetime
    amount: Number
    least: Number = Field(
        description="with bounds=true: no less was used, of what is known"
    )
    most: Number = Field(description="with bounds=true: no more was used")
    unit: str
    measured_s: Number
    estimated_s: Number
    expected_s: Number
    coverage: Number


class Usage(_Head):
    """Usage of one quantity per interval."""

    quantity: str
    unit: str
    grain: str
    total: Number
    total_least: Number = Field(description="with bounds=true: no less was used")
    total_most: Number = Field(description="with bounds=true: no more was used")
    coverage: Number = Field(description="known seconds over those expected up to now")
    measured_s: Number
    estimated_s: Number
    expected_s: Number
    parentage: Counted
    rows: list[UsageRow]


class Shares(_Head):
    """The head of every cut of the figures."""

    as_known_on: str | None
    coverage: Number
    measured_share: Number
    estimated_share: Number
    missing_share: Number
    publishable: bool = Field(description="coverage reaches the stated minimum")


class DemandRow(Row):
    """Mean power of one 15-minute window."""

    start: datetime
    demand_kw: Number
    unit: str
    measured: Number
    coverage: Number


class RulePeak(BaseModel):
    """A rule of measuring demand, and the peak of the time in which it holds."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start_of_rule: datetime = Field(alias="from")
    end_of_rule: datetime = Field(alias="to")
    window_min: int
    method: Literal["fixed", "sliding"]
    demand_method: str = Field(description="by which windows the peak is told")
    kw: Number
    start: datetime | None
    known_share: float
    lower_bound: bool


class Demand(Shares):
    """Fixed 15-minute demand by quarter hour, its peak by the rule that holds."""

    unit: str
    peak_demand_kw: Number
    peak_start: datetime | None
    peak_measured_share: Number
    peak_known_share: float = Field(
        description="share of the time whose windows are known well enough"
    )
    peak_lower_bound: bool = Field(description="a higher one may be unknown")
    demand_method: str
    demand_rules: list[RulePeak]
    peak_sliding_kw: Number
    peak_sliding_start: datetime | None
    sliding_coverage: float
    load_factor: Number
    contract_demand_kw: Number
    parentage: Counted
    rows: list[DemandRow]


class Line(BaseModel):
    """One amount times one factor."""

    model_config = ConfigDict(extra="allow")

    carrier: str
    quantities: list[str]
    amount: Number
    unit: str
    factor_id: int | None
    factor: str | None = Field(description="the factor's code")
    result_t: Number


class SeriesRow(BaseModel):
    """Energy and peak of one interval."""

    model_config = ConfigDict(extra="allow")

    start: datetime
    energy_kwh: Number
    measured_s: Number
    estimated_s: Number
    expected_s: Number
    peak_demand_kw: Number
    peak_start: datetime | None


class Amount(BaseModel):
    """The amount of one quantity and how much of it is known."""

    model_config = ConfigDict(extra="allow")

    amount: Number
    unit: str
    coverage: Number
    measured_share: Number
    estimated_share: Number
    missing_share: Number


class EnergyParents(Row):
    """The lines of each basis."""

    tce: dict[str, list[Line]]


class CarbonParents(Row):
    """The lines of each method."""

    co2_t: dict[str, list[Line]]


class AllParents(EnergyParents, CarbonParents):
    """The lines of energy and carbon."""


class Energy(Shares):
    """Energy and tonnes of coal equivalent."""

    units: dict[str, str]
    energy_kwh: Number
    amounts: dict[str, Amount]
    tce: dict[str, Number]
    parentage: EnergyParents
    grain: str
    series: list[SeriesRow]


class Carbon(Shares):
    """Tonnes of CO2 by method."""

    units: dict[str, str]
    co2_t: dict[str, Number]
    parentage: CarbonParents


class Ratios(BaseModel):
    """Ratios of sums; null without added value stated for the whole period."""

    model_config = ConfigDict(extra="allow")

    added_value_10k_cny: Number
    added_value_estimated: bool
    added_value_provisional: bool
    added_value_ids: list[int]
    tce_per_10k_cny: dict[str, Number]
    co2_t_per_10k_cny: dict[str, Number]


class Intensity(Shares):
    """Energy and carbon per 10⁴ CNY of added value."""

    units: dict[str, str]
    intensity: Ratios
    parentage: AllParents


class Published(Row):
    """The closing of the figures' period."""

    closing_id: int
    sha256: str
    closed_at: datetime
    restated: bool = Field(description="any of the subject's figures was, since")
    restated_at: datetime | None


class Figures(Energy):
    """All figures of a period; docs/figures.md names each."""

    model_config = ConfigDict(extra="allow")

    parentage: AllParents
    co2_t: dict[str, Number]
    intensity: Ratios
    closing: Published | None
    peak_demand_kw: Number
    peak_start: datetime | None
    load_factor: Number
    power_factor: Number
    contract_demand_kw: Number


class Source(Row):
    """What became of the readings of one source; received is the sum of the four."""

    source: str
    messages: int
    received: int
    inserted: int
    duplicate: int
    conflict: int
    quarantined: int
    in_flight: int = Field(
        description="messages taken and not stored yet, as last told"
    )


class UnknownTopic(Row):
    """Messages of one shape of topic that nobody can place."""

    pattern: str
    messages: int
    first_at: datetime
    last_at: datetime
    reason: str
    topic: str = Field(description="of the latest message")
    payload: str = Field(description="its beginning as text, what is no text escaped")
    proposal: str | None = Field(description="a draft of a mapping, each line a guess")


class UnknownTopics(Row):
    """The topics that nobody can place, the most frequent first."""

    rows: list[UnknownTopic]


class Sources(Row):
    """The accounting of all sources."""

    rows: list[Source]


class Quarantined(Row):
    """A message, or a part of one, that could not be read."""

    quarantine_id: int
    received_at: datetime
    topic: str
    reason: str
    readings: int
    payload: str = Field(description="its beginning as text, what is no text escaped")
    payload_bytes: int


class Quarantine(Row):
    """A page of messages in quarantine, the newest first."""

    rows: list[Quarantined]
    next: int | None = Field(description="cursor of the next page; null: there is none")


class Health(Row):
    """All is well."""

    status: Literal["ok"]
    database: Literal["ok"]
    schema_: Literal["current"] = Field(alias="schema")
