"""The documented shape of explanations and closings."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.entry_models import Asked, Words
from api.models import Number, Row


class Ground(Row):
    """A row that a figure rests on, or that made it another one."""

    kind: str
    table: str
    row_id: int
    enterprise: str | None
    meter: str | None
    what: str
    valid_from: str | None
    valid_to: str | None
    who: str | None
    why: str | None = Field(description="source, or a person's reason")
    recorded_at: datetime
    total: int = Field(description="rows of this list, also those beyond its bound")


class Arrived(BaseModel):
    """Where readings came from."""

    model_config = ConfigDict(extra="allow")

    readings: int
    batches: int
    first_batch: int | None
    last_batch: int | None
    first_received_at: datetime | None
    last_received_at: datetime | None
    sources: list[str]
    parsers: list[str]


class Cause(Row):
    """One kind of input moved from the earlier date to the later one."""

    kind: str
    before: Number
    after: Number
    change: Number
    rows: list[Ground]
    readings: Arrived | None


class Change(Row):
    """A figure on two dates; the causes' changes add up to the whole."""

    since: datetime
    until: datetime | None = Field(description="null: now")
    before: Number
    after: Number
    change: Number
    causes: list[Cause]


class Explanation(BaseModel):
    """A figure and all that it rests on."""

    model_config = ConfigDict(extra="allow")

    figure: str
    value: Number
    unit: str
    formula: str
    lines: list[dict[str, Any]]
    factors: list[Ground]
    meters: list[dict[str, Any]]
    multipliers: list[Ground]
    membership: list[Ground]
    registers: list[Ground]
    corrections: list[Ground]
    events: list[Ground]
    statements: list[Ground]
    green: list[Ground]
    readings: Arrived
    change: Change | None


class ListedClosing(BaseModel):
    """A closing: whose hash, and whether its figures were restated since."""

    model_config = ConfigDict(populate_by_name=True)

    closing_id: int
    start: date = Field(alias="from")
    stop: date = Field(alias="to")
    sha256: str
    previous: str | None
    closed_at: datetime
    who: str
    note: str
    despite: str | None = Field(description="why it was closed below coverage")
    restatements: int


class Closings(Row):
    """The closings of a park as they were made."""

    rows: list[ListedClosing]
    faults: list[str] | None = Field(description="with verify: what is wrong")


class ListedRestatement(Row):
    """What became another figure, and why."""

    restatement_id: int
    sha256: str
    previous: str
    found_at: datetime
    differences: list[dict[str, Any]]
    rows: list[Ground]
    content: str | None


class ClosingDetail(Row):
    """A closing with its figures and restatements."""

    closing: ListedClosing
    content: str | None = Field(description="what was hashed; null for an enterprise")
    figures: dict[str, dict[str, Number]]
    restatements: list[ListedRestatement]


class NewClosing(Asked):
    """A period to be closed."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    who: Words
    note: Words = ""
    despite: Words | None = Field(None, description="why below the minimum coverage")
