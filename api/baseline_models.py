"""The documented shape of energy baselines."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value, Words
from api.models import Number, Row


class NewBaseline(Asked):
    """What is explained, by what, over which months."""

    enterprise: Code | None = Field(None, description="null: of the park")
    name: Code
    figure: Code = Field(description="a counted quantity, or a method of energy")
    variables: Annotated[list[Code], Field(min_length=1, max_length=8)]
    first: date = Field(description="first day of the first month")
    last: date = Field(description="first day of the month after the last")
    source: Words
    who: Words


class NewDriver(Asked):
    """What drove energy in a month or on a day; null withdraws it."""

    enterprise: Code | None = Field(None, description="null: of the park")
    name: Code
    first: date = Field(description="the day, or the first day of the month")
    value: Value | None
    unit: Annotated[str, Field(max_length=64)]
    grain: Literal["day", "month"] = "month"
    source: Words
    who: Words


class Definition(Row):
    """A baseline as it is defined."""

    energy_baseline_id: int
    name: str
    figure: str
    variables: list[str]
    first_month: date
    last_month: date
    source: str
    who: str
    recorded_at: datetime


class Baselines(Row):
    """The baselines of a subject."""

    rows: list[Definition]


class ListedDriver(Row):
    """A value that drives energy."""

    driver_id: int
    name: str
    grain: str
    first: date
    value: Number
    unit: str
    source: str
    who: str
    recorded_at: datetime


class Drivers(Row):
    """What drove energy."""

    rows: list[ListedDriver]


class Coefficient(Row):
    """Of the base load or a variable."""

    name: str
    value: Number
    standard_error: Number
    t: Number
    p: Number
    significant: bool
    low: Number = Field(description="range of the variable in the baseline")
    high: Number


class Fit(Row):
    """Whether the line may be trusted."""

    n: int
    r2: Number
    cv_rmse: Number
    nmbe: Number
    sigma: Number
    warnings: list[str]
    coefficients: list[Coefficient]


class JudgedMonth(Row):
    """A month against the baseline."""

    month: str
    used: Number
    variables: list[Number]
    expected: Number
    saved: Number = Field(description="expected less used")
    outside_range: bool
    cusum: Number
    upper: Number
    lower: Number
    saves: bool = Field(description="beyond the limit: more than chance")
    loses: bool


class Judged(Row):
    """Months against a baseline."""

    park: str
    enterprise: str | None
    as_known_on: str | None
    baseline: Definition
    unit: str
    fit: Fit
    months: list[JudgedMonth]
    cusum_limit: Number
    saved: Number = Field(description="of the months that are known")
    saved_share: Number
    months_known: int
    warnings: list[str]
