"""The documented shape of peaks and of the running window's forecast."""

from datetime import date, datetime

from pydantic import Field

from api.models import Number, Row, RulePeak


class TopPeak(Row):
    """One of the highest separate peaks."""

    start: datetime
    kw: Number
    measured_share: Number = Field(
        description="of the window, with its shape; below 1 it is partly estimated"
    )
    contract_kw: Number = Field(description="contract demand that applied then")
    control_rate: Number = Field(description="kw over the contract demand")


class MonthPeak(Row):
    """The highest window of a month, or of the part of it that was asked for."""

    start: datetime
    kw: Number
    peak_start: datetime | None
    measured_share: Number = Field(
        description="of the window, with its shape; below 1 it is partly estimated"
    )
    coverage: float


class DayPeak(Row):
    """Peak and valley of a local day."""

    day: date
    kw: Number
    measured_share: Number = Field(
        description="of the window, with its shape; below 1 it is partly estimated"
    )
    difference_kw: Number = Field(description="highest less lowest window")
    difference_rate: Number = Field(description="of the highest")
    coverage: float


class Hours(Row):
    """Hours by class of load: below 30 %, to 80 %, to 100 % of the capacity, above."""

    unknown: float
    light: float
    normal: float
    heavy: float
    overload: float


class Transformer(Row):
    """How the connected capacity was loaded, in 15-minute means."""

    capacity_kva: float
    coverage: float
    highest_rate: Number
    mean_rate: Number
    hours: Hours


class Point(Row):
    """A point of the load duration curve: at least kw for so many hours."""

    hours: float
    kw: float


class Map(Row):
    """Mean power by local day (row) and hour (column); null is unknown."""

    days: list[date]
    kw: list[list[Number]]


class ByMethod(Row):
    """One figure for each way of dividing a demand charge."""

    coincident: Number = Field(description="by the demand in the park's peak")
    own: Number = Field(description="by the own peak")
    shapley: Number = Field(description="by the Shapley value")


class Part(Row):
    """What one enterprise has to do with the park's peak; null: what none measures."""

    enterprise: str | None
    name: str | None
    kw: Number = Field(description="in the park's peak")
    share: Number
    own_kw: Number = Field(description="own peak of the period")
    own_start: datetime | None
    coverage: float = Field(
        description="share of the windows in which its meters counted"
    )
    weight_kw: ByMethod
    shapley_error_kw: Number = Field(description="standard error; 0: exact")
    charge_cny: ByMethod


class MadeBy(Row):
    """Who made the park's peak."""

    window_min: int | None = Field(description="length of the fixed windows compared")
    kw: Number
    start: datetime | None
    measured_share: Number = Field(
        description="of the window, with its shape; below 1 it is partly estimated"
    )
    coincidence: Number
    diversity: Number
    charge_cny: Number
    parts: list[Part]


class Peaks(Row):
    """The peaks of a period, and how the demand lies around them."""

    park: str
    enterprise: str | None
    meter: str | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    zone: str
    as_known_on: datetime | None
    unit: str
    demand_method: str
    coverage: float = Field(description="share of the time whose windows are known")
    lower_bound: bool = Field(description="a higher peak may be unknown")
    demand_rules: list[RulePeak]
    load_factor: Number
    sliding_kw: Number
    sliding_start: datetime | None
    sliding_coverage: float
    top: list[TopPeak]
    months: list[MonthPeak]
    days: list[DayPeak]
    transformer: Transformer | None = Field(
        description="null: no connected capacity is stated"
    )
    duration: list[Point]
    map: Map
    made_by: MadeBy | None = Field(description="of a park")


class RunningForecast(Row):
    """What the running window of demand is expected to come to."""

    start: datetime
    stop: datetime
    made_at: datetime
    known_s: float = Field(description="seconds of the window that are known")
    energy_kwh: Number = Field(description="in these seconds")
    expected_kw: Number
    low_kw: Number = Field(description="10 % of such windows ended below")
    high_kw: Number = Field(description="10 % of such windows ended above")
    minutes_left: float
    contract_kw: Number
    shed_state: str = Field(description="unknown, not needed, needed or impossible")
    shed_kw: Number = Field(
        description="to drop from now until the end, to stay at the contract"
    )


class Balance(Row):
    """What a meter counted and the meters below it did not, in one interval."""

    meter: str = Field(description="ENTERPRISE/METER")
    start: datetime
    main: Number
    parts: Number
    unaccounted: Number = Field(
        description="main - parts; null: one of them is unknown"
    )
    share: Number = Field(description="unaccounted / main")
    uncertainty: Number = Field(description="of it, from the accuracy classes")
    significant: bool | None = Field(description="unaccounted exceeds its uncertainty")
    coverage: float = Field(description="of the meter that is known least")
    below: list[str]


class Balances(Row):
    """Balances of the meter tree."""

    unit: str
    rows: list[Balance]


class Candidate(Row):
    """An enterprise that could take less now, going by its recent past."""

    enterprise: str
    name: str
    reducible_kw: float
    swing_kw: float = Field(description="10 to 90 % of its recent windows")
    together_kw: float = Field(description="with all that stand before it")


class Forecast(Row):
    """The running window and whom to ask first."""

    park: str
    forecast: RunningForecast | None
    candidates: list[Candidate]
