"""The shapes of what people state: virtual meters and rules of measuring demand."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.entry_models import Asked, Code, Words
from api.models import Row

_LAST = "local day after the last; null: open"


class NewVirtual(Asked):
    """A formula of a virtual meter; the meter is made where it is new."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    enterprise: Code
    meter: Code
    formula: Annotated[str, Field(max_length=40_000)] = Field(
        description="E01/M1 + E01/M2 - 0.5 E02/M7"
    )
    quantity: Code = "energy_import"
    role: Literal["main", "park", "sub", "check"] = Field(
        "check", description="of a new meter; what counts for the enterprise is main"
    )
    first: date | None = Field(
        None, alias="from", description="first local day; null: always"
    )
    last: date | None = Field(None, alias="to", description=_LAST)
    source: Words


class Virtual(BaseModel):
    """A formula; of those of a meter that hold on a day the newest applies."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    enterprise: str
    meter: str
    quantity: str
    unit: str
    formula: str
    valid_from: datetime = Field(alias="from")
    valid_to: datetime | None = Field(alias="to")
    source: str
    recorded_at: datetime


class Virtuals(Row):
    """The formulas of a park's virtual meters, each meter's newest first."""

    rows: list[Virtual]


class NewRule(Asked):
    """How demand is measured from a local day on."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    enterprise: Code | None = Field(None, description="none: the park's")
    meter: Code | None = None
    window_min: Literal[15, 30, 60]
    method: Literal["fixed", "sliding"]
    first: date = Field(alias="from", description="first local day")
    last: date | None = Field(None, alias="to", description=_LAST)
    source: Words


class Rule(BaseModel):
    """A rule of measuring demand; of those that hold on a day the newest applies."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    enterprise: str | None
    meter: str | None
    window_min: int
    method: str
    valid_from: datetime = Field(alias="from")
    valid_to: datetime | None = Field(alias="to")
    source: str
    recorded_at: datetime


class Rules(Row):
    """Rules of measuring demand, in the order recorded."""

    rows: list[Rule]
