"""The documented shape of own plant."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value, Words
from api.models import Number, Row

What = Literal["pv_kwp", "storage_kwh", "charging_kw", "charging_piles"]


class NewPlant(Asked):
    """What a subject's plant can do from a day on; null: not known any more."""

    enterprise: Code | None = Field(None, description="null: of the park")
    what: What
    value: Value | None = Field(description="unit as in the name")
    valid_from: date
    valid_to: date | None = None
    source: Words
    who: Words


class ListedPlant(Row):
    """A rating, in the order recorded."""

    plant_id: int
    what: str
    value: Number
    valid_from: date
    valid_to: date | None
    source: str
    who: str
    recorded_at: datetime


class Plants(Row):
    """What a subject's plant can do."""

    rows: list[ListedPlant]


class PlantAmount(Row):
    """Energy of a quantity over the period."""

    quantity: str
    amount_kwh: Number
    measured: bool
    coverage: Number


class CleanEnergy(Row):
    """Share of clean energy, of whole months."""

    share: Number
    definition: str
    basis: str
    clean_tce: Number
    total_tce: Number
    coverage: Number


class Unbalanced(Row):
    """A quarter hour that does not balance within the meters' tolerance."""

    start: str
    residual_kwh: Number = Field(description="sources less sinks")
    tolerance_kwh: Number


class Identity(Row):
    """Import, photovoltaics and discharge against load, export and charge."""

    load: list[str]
    intervals: int
    unknown: int
    holds: int
    broken: int
    classes_missing: bool
    worst: list[Unbalanced]


class Onsite(Row):
    """Own plant over local days."""

    park: str
    enterprise: str | None
    meter: str | None
    from_: date = Field(alias="from")
    to: date
    as_known_on: str | None
    minimum_coverage: float
    amounts: dict[str, PlantAmount]
    ratings: dict[str, Number] = Field(description="mean over the days")
    self_consumption: Number
    self_consumption_by: Literal["sums", "intervals"]
    intervals_known: Number
    self_sufficiency: Number
    full_load_hours: Number
    round_trip_efficiency: Number
    equivalent_cycles: Number
    charging_power_utilisation: Number
    charging_time_utilisation: Number
    charging_time_unknown_because: str | None
    hours: Number
    soc_change: Number
    assumed: list[str]
    clean_energy: CleanEnergy
    identity: Identity | None
