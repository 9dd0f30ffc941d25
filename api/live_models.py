"""The documented shape of the live object, of /live and of the stream alike."""

from datetime import date, datetime

from pydantic import Field

from api.models import Number, Park, Row
from api.peak_models import RunningForecast


class PowerMeter(Row):
    """The newest power of one meter that counts."""

    enterprise: str | None = Field(description="null: it counts for the park alone")
    meter: str
    at: datetime | None
    kw: Number
    heard: bool = Field(description="not older than 15 minutes: it is in the sum")


class Power(Row):
    """The sum of the newest power of the meters that count."""

    kw: Number = Field(description="null where no meter was heard for 15 minutes")
    unit: str
    meters_heard: int
    meters_counted: int
    coverage: Number = Field(description="meters heard over meters counted")
    complete: bool = Field(description="coverage reaches the stated minimum")
    newest_at: datetime | None
    age_s: Number = Field(description="age of the newest reading in the sum")
    oldest_age_s: Number = Field(description="age of the oldest reading in the sum")
    interval_s: Number = Field(description="median distance of readings")
    late: bool = Field(description="the newest is older than three intervals")
    parentage: list[PowerMeter]


class Window(Row):
    """One closed 15-minute window."""

    start: datetime
    demand_kw: Number
    measured: Number
    coverage: Number
    publishable: bool


class Running(Row):
    """The window that has not ended yet, as far as it is known."""

    start: datetime
    stop: datetime
    energy_kwh: Number
    mean_kw: Number = Field(description="over the part known")
    coverage: Number = Field(description="part of the window known")


class Today(Row):
    """Today's fixed 15-minute demand in the park's zone."""

    day: date
    start: datetime
    stop: datetime
    unit: str
    window: str
    energy_kwh: Number = Field(description="of the closed windows")
    peak_demand_kw: Number
    peak_start: datetime | None
    coverage: Number = Field(description="known share of the closed windows")
    measured_share: Number
    demand: list[Window]
    running: Running | None


class Share(Row):
    """An enterprise's part of the power now."""

    enterprise: str
    name: str
    kw: Number
    share: Number = Field(description="of the park; null while the park is incomplete")
    meters_heard: int
    meters_counted: int


class Last(Row):
    """The newest reading of a channel."""

    enterprise: str
    meter: str
    quantity: str
    kind: str
    unit: str
    value: Number
    at: datetime
    age_s: Number
    confirmed: bool
    counts: bool


class Live(Row):
    """The state of a park now."""

    park: Park
    at: datetime
    minimum_coverage: float
    power: Power
    contract_demand_kw: Number
    contract_share: Number
    forecast: RunningForecast | None = Field(description="null: none was told")
    today: Today
    enterprises: list[Share]
    open_conflicts: int = Field(
        description="readings that contradict what is stored and wait; 100: or more"
    )
    newest_reading_at: datetime | None
    readings: list[Last]
