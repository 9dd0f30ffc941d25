"""The documented shape of tariffs and bills."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.models import Number, Row


class ListedTariff(Row):
    """One version of a tariff; the newest recorded that holds a day applies."""

    code: str
    name: str
    name_zh: str | None
    valid_from: date
    valid_to: date | None
    verified: bool
    prices_are_examples: bool
    note: str | None
    source: str
    recorded_at: datetime


class Tariffs(Row):
    """All tariffs that are known."""

    rows: list[ListedTariff]


class BillLine(Row):
    """One line of a bill with the rule it follows."""

    kind: Literal["energy", "fund", "basic", "power_factor"]
    period: str | None = Field(description="critical, peak, flat, valley, deep_valley")
    first: date = Field(alias="from")
    last: date = Field(alias="to", description="the day after the last")
    quantity: Number
    unit: str
    price_cny: Number
    amount_cny: Number = Field(description="rounded to 0.01; null is unknown")
    rule: str
    source: str


class Methods(Row):
    """What the month would cost by each method of the basic charge."""

    capacity: Number
    contract: Number
    demand: Number


class Bill(Row):
    """The bill of one local month."""

    month: str
    complete: bool = Field(description="false: the month is not over")
    energy_kwh: Number
    coverage: float
    measured_share: float
    estimated_share: float
    missing_share: float
    publishable: bool
    power_factor: Number
    tariffs: list[str]
    outside_validity: bool = Field(description="a tariff applied before it held")
    prices_are_examples: bool
    days_without_terms: bool
    lines: list[BillLine]
    known_cny: float = Field(description="sum of the lines that are known")
    total_cny: Number = Field(description="null where a line or too much is unknown")
    methods_cny: Methods
    maximum_kw: Number


class Comparison(Row):
    """Which method would have cost least over all months asked for."""

    totals_cny: Methods
    cheapest: str | None
    best_contract_kw: Number = Field(
        description="the contract demand that would have cost least"
    )
    lowest_contract_kw: Number = Field(
        description="that may be agreed, by the capacity stated; null: none is stated"
    )


class Bills(Row):
    """Bills of a subject over whole months."""

    park: str
    enterprise: str | None
    meter: str | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    zone: str
    currency: str
    as_known_on: datetime | None
    assumed: bool
    bills: list[Bill]
    total_cny: Number
    comparison: Comparison
