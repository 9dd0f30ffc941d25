"""The shapes of statements: what is sent, what is told of each row, what is listed."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value, Words
from api.models import Number, Row

Source = Annotated[str, Field(min_length=1, max_length=500)]
Who = Annotated[str, Field(min_length=1, max_length=500)]
Year = Annotated[int, Field(ge=1990, le=2200)]
Digits = Annotated[str, Field(pattern=r"^[A-T]?[0-9]{2,4}$")]


class NewStatement(Asked):
    """One statement; a later one of the same period is a new version of it."""

    enterprise: Code | None = Field(None, description="null: the park's own")
    kind: Code = Field(description="of GET /api/v1/statement-kinds")
    product: Code | None = Field(None, description="of output; of pollutant: which")
    unit: Code | None = Field(None, description="null: the canonical one of the kind")
    period: Words = Field(description="2026, 2026-H1, 2026-Q3, 2026-03, FIRST..LAST")
    amount: Value | None = None
    withdraw: bool = Field(False, description="take back what this stage says")
    prices: Literal["current", "comparable"] | None = None
    price_base: Year | None = Field(None, description="of comparable prices")
    stage: Literal["provisional", "final"] = "final"
    source: Source


class NewStatements(Asked):
    """Statements that are stored all or not at all."""

    who: Who = Field(description="the person who enters them")
    rows: Annotated[list[NewStatement], Field(min_length=1, max_length=1000)]
    dry_run: bool = Field(False, description="store nothing, only tell")


class StatedRow(Row):
    """What became of a row, or would."""

    row: int
    outcome: Literal["new", "withdrawn", "known", "refused"]
    message: str
    statement_id: int | None


class StatedRows(Row):
    """What became of all rows."""

    stored: bool = Field(description="false: nothing was stored")
    rows: list[StatedRow]


class ListedStatement(Row):
    """One statement of a period."""

    statement_id: int
    enterprise: str | None = Field(description="null: the park's own")
    kind: str
    product: str | None
    unit: str
    period: str
    first: date = Field(alias="from")
    last: date = Field(alias="to", description="the day after the last")
    amount: Number = Field(description="null: withdrawn")
    prices: Literal["current", "comparable"] | None
    price_base: int | None
    stage: Literal["provisional", "final"]
    source: str
    who: str
    recorded_at: datetime


class Statements(Row):
    """Statements, the newest first."""

    rows: list[ListedStatement]
    next: int | None = Field(description="cursor of the next page; null: there is none")


class StatementKind(Row):
    """What can be stated."""

    name: str
    unit: str = Field(description="canonical; empty: the product's own")
    units: list[str] = Field(description="that are taken")
    money: bool = Field(description="has prices")
    level: bool = Field(description="holds through its period, is no sum over it")
    product: bool = Field(description="names a product or pollutant")
    park: bool = Field(description="a park may state it too")
    meaning: str
    zh: str


class StatementKinds(Row):
    """All kinds of statements."""

    rows: list[StatementKind]


class NewSize(Asked):
    """Whether an enterprise is above designated size in a year."""

    enterprise: Code
    year: Year
    above_designated_size: bool
    source: Source
    who: Who


class Size(Row):
    """What counts of an enterprise and year."""

    enterprise: str
    year: int
    above_designated_size: bool
    source: str
    who: str
    recorded_at: datetime


class Sizes(Row):
    """Membership by year."""

    rows: list[Size]


class NewIndustry(Asked):
    """An enterprise's industry from a day on."""

    enterprise: Code
    code: Digits = Field(description="GB/T 4754, two to four digits")
    valid_from: date
    valid_to: date | None = None
    source: Source
    who: Who


class Industry(Row):
    """What was said of an enterprise's industry; of those that hold, the last counts."""

    enterprise: str
    code: str
    valid_from: date
    valid_to: date | None
    source: str
    who: str
    recorded_at: datetime


class Industries(Row):
    """Industries in the order recorded."""

    rows: list[Industry]


class NewOwner(Asked):
    """Whose an enterprise is: those of one owner are not compared with each other."""

    enterprise: Code
    owner: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")] | None = Field(
        description="such as the unified credit code of the group; null: withdrawn"
    )
    source: Words
    who: Words


class Owner(Row):
    """What counts of an enterprise."""

    enterprise: str
    owner: str | None = Field(description="null: withdrawn")
    source: str
    who: str
    recorded_at: datetime


class Owners(Row):
    """Whose the enterprises are of which somebody has said so."""

    rows: list[Owner]
