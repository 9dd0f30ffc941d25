"""The documented shape of accounts, factors, methods, statements and green power."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.entry_models import Asked, Code, Value, Words
from api.models import Number, Row


class AccountRow(Row):
    """One method's account of one subject's month."""

    enterprise: str | None = Field(description="null: the park")
    month: str
    kind: Literal["energy", "co2"]
    method: str
    unit: str
    total: Number
    scope_1: Number
    scope_2: Number
    fuel: Number
    process: Number
    gas: Number
    electricity: Number
    heat: Number
    medium: Number
    carriers: dict[str, float] = Field(description="the total by carrier; not in CSV")
    known_share: Number = Field(description="lowest coverage of what is counted")


class AccountTotal(Row):
    """A method over the whole period: the park against its enterprises together."""

    kind: Literal["energy", "co2"]
    method: str
    title: str
    unit: str
    park: Number
    park_scope_1: Number = Field(description="fuels, processes, gases; null: energy")
    park_scope_2: Number = Field(description="power and heat; null: energy")
    enterprises: Number
    difference: Number = Field(description="enterprises together less the park")


class Flow(Row):
    """What one enterprise took behind another one's meter."""

    giver: str
    taker: str
    amount: Number


class NetRow(Row):
    """Why the enterprises together and the park differ, of a quantity and month."""

    quantity: str
    unit: str
    month: str
    enterprises: Number
    park: Number
    difference: Number
    flows: list[Flow]
    below_park_meters: Number = Field(description="of enterprises below a park's meter")
    park_meters: Number = Field(description="what these meters of the park say")
    unexplained: Number


class Accounts(Row):
    """The monthly book of a park."""

    park: str
    zone: str
    as_known_on: str | None
    totals: list[AccountTotal] = Field(description="empty for one enterprise")
    netting: list[NetRow] = Field(
        description="empty for one enterprise, and with as_known_on"
    )
    errors: list[str] = Field(description="green power that is matched and not proven")
    rows: list[AccountRow]


class ListedFactor(Row):
    """One factor."""

    factor_id: int
    code: str
    kind: Literal["co2", "energy"]
    carrier: str
    basis: str
    region: str
    data_year: int | None
    published: date | None
    valid_from: date | None
    valid_to: date | None
    value: Number
    unit: str
    source: str
    verified: bool
    evidence: str | None


class Factors(Row):
    """Factors."""

    rows: list[ListedFactor]


class OwnFactor(ListedFactor):
    """One factor of a park's or an enterprise's own."""

    enterprise: str | None = Field(description="null: of the park")


class OwnFactors(Row):
    """Own factors."""

    rows: list[OwnFactor]


class ListedMethod(Row):
    """One method; docs/carbon.md explains the words."""

    name: str
    kind: Literal["energy", "co2"]
    title: str
    title_zh: str
    summary: bool
    factors: dict[str, dict[str, str | None]]
    own_pv: str
    export: str
    green: str
    processes: str
    gases: str
    source: str
    verified: bool
    note: str | None


class Methods(Row):
    """All methods."""

    rows: list[ListedMethod]


class NewFactor(Asked):
    """A factor of one's own, or a fuel's measured calorific value (`ncv_gj`)."""

    enterprise: Code | None = Field(None, description="null: of the park")
    carrier: Code
    kind: Literal["co2", "energy"] | None = None
    basis: Code | None = None
    value: Value | None = None
    unit: Code | None = None
    ncv_gj: Value | None = Field(None, description="GJ/t, of gases GJ/10⁴ Nm³")
    valid_from: date
    valid_to: date | None = None
    source: Words
    evidence: Words | None = Field(None, description="needed for a factor of 0")
    who: Words


class Recorded(Row):
    """What was recorded."""

    recorded: list[str]


class NewActivity(Asked):
    """An amount that an enterprise states for a month; null takes back its stage's."""

    enterprise: Code
    month: date = Field(description="its first day")
    item: Code
    use: Literal["burnt", "bought", "process", "released", "feedstock"]
    amount: Value | None
    unit: Code
    beside: bool = Field(False, description="no meter counts any of it")
    supplier: Code | None = Field(
        None, description="enterprise of the park that passed it on"
    )
    stage: Literal["provisional", "final"] = "final"
    source: Words
    who: Words


class ListedActivity(Row):
    """A statement that counts, unless a meter goes first."""

    activity_id: int
    enterprise: str
    month: date
    item: str
    use: str
    amount: Number
    unit: str
    beside: bool
    supplier: str | None
    stage: str
    source: str
    who: str
    recorded_at: datetime


class Item(Row):
    """Something that can be stated."""

    item: str
    uses: list[str]
    units: list[str]


class Activities(Row):
    """The statements of a period, and what can be stated."""

    rows: list[ListedActivity]
    items: list[Item]


class NewGreenPower(Asked):
    """Certificates, a trade, a direct supply or self-use of one month of production."""

    kind: Literal["certificate", "trade", "direct", "self_use"]
    reference: Words = Field(description="batch of certificates, or contract")
    production_month: date = Field(description="its first day")
    mwh: Value
    technology: Words
    plant: Words | None = None
    producer: Code | None = Field(None, description="the enterprise that made it")
    part_of: Words | None = Field(None, description="the trade or supply it stands for")
    evidence: Words | None = Field(
        None, description="settlement, certificate, or monthly original record"
    )
    issued: date | None = None
    expires: date | None = None
    cancelled: bool = False
    source: Words
    who: Words


class ListedGreenPower(Row):
    """A record of the ledger."""

    green_power_id: int
    kind: str
    reference: str
    production_month: date
    kwh: Number
    used_kwh: Number
    status: str
    technology: str
    plant: str | None
    producer: str | None
    part_of: str | None
    evidence: str | None
    issued: date | None
    expires: date | None
    cancelled: bool
    source: str
    who: str
    recorded_at: datetime


class GreenShare(Row):
    """Proven green power of a subject over the period."""

    enterprise: str | None = Field(description="null: the park")
    taken_kwh: Number
    proven_kwh: Number
    own_pv_kwh: Number
    self_use_proven_kwh: Number
    direct_kwh: Number = Field(description="of it by direct supply")
    green_share: Number
    direct_share: Number


class GreenPowers(Row):
    """The ledger, and shares over whole months."""

    rows: list[ListedGreenPower]
    shares: list[GreenShare]
    errors: list[str]


class NewGreenMatch(Asked):
    """kWh of a record that an enterprise used in a month; 0 takes a match back."""

    enterprise: Code
    kind: Literal["certificate", "trade", "direct", "self_use"]
    reference: Words
    production_month: date
    month: date = Field(description="first day of the month of consumption")
    mwh: Value
    source: Words
    who: Words


class ListedGreenMatch(Row):
    """A match that counts, if it proves anything."""

    green_match_id: int
    kind: str
    reference: str
    production_month: date
    enterprise: str
    month: date
    kwh: Number
    source: str
    who: str
    recorded_at: datetime


class GreenMatches(Row):
    """What is matched."""

    rows: list[ListedGreenMatch]
