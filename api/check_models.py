"""The shapes of violated rules, and of how registers are judged."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value, Words
from api.models import Number, Row

Name = Literal["measured_up_to_s", "straight_up_to_s", "stuck_after_s", "momentary"]


class Check(Row):
    """A rule that a register, or a node of the meter tree, violated."""

    rule: str
    meter: str = Field(description="ENTERPRISE/METER")
    quantity: str | None
    says: str = Field(description="the rule")
    touches: str = Field(description="what becomes of it in the figures")
    count: int | None = Field(description="how often; null: it is a share of the time")
    judged: int | None = Field(description="of which a person said something")
    first: datetime | None
    last: datetime | None
    value_before: Number = Field(description="of the last event")
    value: Number = Field(description="of the last event, or the worst one")
    limit: Number
    unit: str | None
    confidence: float = Field(description="of the rule, 0 … 1")


class Checks(Row):
    """The rules that a period violates, by meter."""

    rows: list[Check]


class Policy(Row):
    """How the registers of a meter are judged, where not by the default."""

    meter: str = Field(description="ENTERPRISE/METER")
    name: Name
    value: float
    source: str
    recorded_at: datetime


class Policies(Row):
    """What was stated last of each meter and setting."""

    rows: list[Policy]


class NewPolicy(Asked):
    """How the registers of a meter are judged from now on, for all their readings."""

    enterprise: Code | None = Field(None, description="needed where codes repeat")
    meter: Code
    name: Name
    value: Value | None = Field(None, description="null: by the default again")
    source: Words
