"""The shapes of what people send: typed readings and corrections."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.models import Number, Row

NO_NUL = r"^[^\x00]*$"  # text in the database has none
Code = Annotated[str, Field(max_length=64, pattern=NO_NUL)]
Time = Annotated[
    str, Field(max_length=64, description="ISO 8601 with its offset, as on the wire")
]
Words = Annotated[str, Field(max_length=500, pattern=NO_NUL)]
Value = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Asked(BaseModel):
    """What is sent; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class NewReading(Asked):
    """A reading that a person typed."""

    enterprise: Code | None = Field(None, description="needed where codes repeat")
    meter: Code
    quantity: Code = Field(description="wire key, or a name in its canonical unit")
    at: Time
    until: Time | None = Field(None, description="end of an interval amount")
    value: Value
    who: Words = Field(description="the person who read the meter")
    confirm: bool = Field(False, description="store it although it looks wrong")


class Entered(Row):
    """What became of a typed reading."""

    outcome: Literal["inserted", "duplicate"]
    at: datetime
    value: Number
    unit: str
    stored: Number


class LastReading(Row):
    """A reading as it counts."""

    quantity: str
    kind: Literal["register", "delta", "gauge"]
    unit: str
    at: datetime
    until: datetime | None
    value: Number
    revised: bool = Field(description="a person corrected it")


class LastReadings(Row):
    """The newest readings of each quantity of a meter, the newest first."""

    enterprise: str
    meter: str
    confirmed: bool
    zone: str
    rows: list[LastReading]


class NewRevision(Asked):
    """A correction, or the settlement of a conflict by the value that was refused."""

    enterprise: Code | None = None
    meter: Code | None = None
    quantity: Code | None = Field(
        None, description="wire key, or a name in its canonical unit"
    )
    at: Time | None = None
    until: Time | None = Field(None, description="end of an interval amount")
    value: Value | None = Field(None, description="what it really was")
    strike: bool = Field(False, description="take the reading out")
    conflict_id: int | None = Field(
        None,
        ge=1,
        le=2**62,
        description="alone with who and why: takes its refused value",
    )
    who: Words
    why: Words


class Revision(Row):
    """A correction that lies over a reading; the newest of an instant applies."""

    revision_id: int
    enterprise: str
    meter: str
    quantity: str
    kind: Literal["register", "delta", "gauge"]
    unit: str
    at: datetime
    until: datetime | None
    value_before: Number = Field(description="null: there was no reading")
    value_after: Number = Field(description="null: struck out")
    who: str
    why: str
    recorded_at: datetime


class NewJudgement(Asked):
    """What happened to a register at an instant, in a person's words."""

    enterprise: Code | None = Field(None, description="needed where codes repeat")
    meter: Code
    quantity: Code = Field("energy_import", description="the register")
    at: Time = Field(description="a reading's time; of a replacement: when it was")
    verdict: Literal["real", "left out", "rollover", "reset", "replacement", "rule"]
    final: Value | None = Field(None, description="of the register that was replaced")
    initial: Value | None = Field(None, description="of the one that replaced it")
    who: Words
    why: Words


class Event(Row):
    """Something recognised in a register, or said of it."""

    enterprise: str
    meter: str
    quantity: str
    unit: str
    at: datetime
    kind: str | None = Field(description="null: nothing is recognised there any more")
    value_before: Number
    value_after: Number
    rule: str | None
    confidence: Number = Field(description="of the rule, 0 … 1")
    verdict: str | None = Field(description="null: nobody has said anything")
    who: str | None
    why: str | None
    said_at: datetime | None


class Events(Row):
    """Events, the newest first."""

    rows: list[Event]


class Revisions(Row):
    """A page of corrections, the newest first."""

    rows: list[Revision]
    next: int | None = Field(description="cursor of the next page; null: there is none")


class Conflict(Row):
    """A second value for a key: refused and kept."""

    conflict_id: int
    enterprise: str
    meter: str
    quantity: str
    kind: Literal["register", "delta", "gauge"]
    unit: str
    at: datetime
    stored: Number
    refused: Number
    refused_until: datetime | None
    source: str
    received_at: datetime
    settled: bool = Field(description="a later revision of the instant decided it")


class Conflicts(Row):
    """A page of conflicts, the newest first."""

    rows: list[Conflict]
    next: int | None = Field(description="cursor of the next page; null: there is none")
