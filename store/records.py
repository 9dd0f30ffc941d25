"""The rows that rooms pass to each other. Frozen; times are aware and in UTC."""

from dataclasses import dataclass
from datetime import date, datetime

from store.quantities import QUANTITIES


@dataclass(frozen=True, kw_only=True)
class Park:
    """An industrial park."""

    park_id: int
    code: str
    name: str
    zone: str  # IANA name; local days, months and tariffs follow it
    region: str  # grid region of the emission factors, ISO 3166-2


@dataclass(frozen=True, kw_only=True)
class Enterprise:
    """An enterprise of a park."""

    enterprise_id: int
    park_id: int
    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Meter:
    """A meter, under the enterprise whose topic it speaks on."""

    meter_id: int
    park_id: int
    enterprise: str  # that enterprise's code
    code: str
    name: str
    role: str | None  # in the tree, now; None: not confirmed
    parent: str | None  # code of the meter above it
    confirmed_at: datetime | None  # None: it counts for nothing yet


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One quantity of one meter, as a register or interval amounts, by its gauges, or by formula."""

    channel_id: int
    usage_id: int  # the meter's first channel of this quantity: its usage stands there
    meter_id: int
    quantity: str
    kind: str  # register, delta, load or virtual
    digits: int | None  # of the register, before the decimal point
    measured_up_to_s: float  # readings further apart than this estimate the shape
    restarts: bool  # a register that fell began again at 0
    rated_per_h: float | None  # the most that the meter can count, in its primary unit
    momentary: int = 4  # odd readings in a row that are left out
    straight_up_to_s: float = 3600.0  # a longer gap runs as its like days did
    stuck_after_s: float | None = None  # a register that rests longer is told of
    flow_id: int | None = None  # of a load: the gauge of what carries it

    @property
    def measures(self) -> tuple[int, str]:
        """Its meter and the flow: by these the meter tree is asked."""
        return self.meter_id, QUANTITIES[self.quantity].flow


@dataclass(frozen=True, kw_only=True)
class Validity:
    """A dated row: `value` holds in [valid_from, valid_to) since `recorded_at`."""

    key: int
    value: float
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a meter stands in the tree in [valid_from, valid_to) since `recorded_at`."""

    key: int  # the meter
    role: str
    parent_id: int | None  # the meter above it
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime

    @property
    def value(self) -> tuple[str, int | None]:
        """Role and the meter above."""
        return self.role, self.parent_id


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose figure it is: a park, an enterprise or a meter."""

    subject_id: int
    kind: str
    park: Park
    enterprise: str | None
    meter: str | None


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What is said of a subject over local days [period_from, period_to)."""

    subject_id: int
    kind: str  # of store.statement_kinds.KINDS
    product: str | None = None
    unit: str
    period_from: date
    period_to: date
    amount: float | None  # None withdraws what this stage said before
    prices: str | None = None
    price_base: int | None = None  # year whose prices are the comparable ones
    stage: str = "final"
    source: str
    who: str = ""


@dataclass(frozen=True, kw_only=True)
class Statement(Stated):
    """A recorded statement."""

    statement_id: int
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class AddedValue:
    """A statement of added value of one enterprise over [period_from, period_to)."""

    added_value_id: int
    enterprise_id: int
    period_from: date
    period_to: date
    amount_10k_cny: float
    prices: str
    price_base: int | None  # year whose prices are the comparable ones
    stage: str
    source: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A dated emission or energy factor."""

    factor_id: int
    code: str
    kind: str
    carrier: str
    basis: str
    region: str
    data_year: int | None
    published: date | None
    valid_from: date | None
    valid_to: date | None  # half-open
    value: float
    unit: str
    source: str
    verified: bool
    subject_id: int | None = None  # whose own it is; None: anybody's
    evidence: str | None = None  # of a factor of 0


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of the readings of one batch; the sum is what was received."""

    inserted: int = 0
    duplicate: int = 0
    conflict: int = 0
    quarantined: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Add two batches."""
        return Counts(
            inserted=self.inserted + other.inserted,
            duplicate=self.duplicate + other.duplicate,
            conflict=self.conflict + other.conflict,
            quarantined=self.quarantined + other.quarantined,
        )

    @property
    def received(self) -> int:
        """All readings of the batch."""
        return self.inserted + self.duplicate + self.conflict + self.quarantined
