"""Up to when what was recorded counts, by kind of input: what *as known on* means."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

# what usage rests on, then what turns it into accounts; the order in which a difference
# is told apart (docs/audit.md). Membership is first: who has lost a meter learns by no
# cause what became of it since
AMOUNTS = (
    "membership",
    "readings",
    "corrections",
    "registers",
    "multipliers",
    "demand_rules",
)
KINDS = ("time", *AMOUNTS, "factors", "statements", "green")


@dataclass(frozen=True, kw_only=True)
class Vintage:
    """Rows recorded by an instant, of each kind; None: all that there are.

    Where no kind that usage rests on has an instant, usage is taken as the job stored it;
    else it is computed anew from the readings.
    """

    time: datetime | None = None  # what has passed by then is expected
    readings: datetime | None = None  # what had arrived
    corrections: datetime | None = None  # revisions, judgements
    registers: datetime | None = None  # digits, ratings, policies
    multipliers: datetime | None = None
    # confirmation, assignments, places in the tree, formulas of virtual meters
    membership: datetime | None = None
    demand_rules: datetime | None = None  # window and method
    factors: datetime | None = None
    statements: datetime | None = None  # added value, activity, contract demand
    green: datetime | None = None  # ledger and matches
    # meters whose usage is not as stored; None: any may be
    touched: frozenset[int] | None = None

    @classmethod
    def of(cls, known_on: "KnownOn") -> "Vintage":
        """Take the plain form: one instant for all kinds, or None for what is stored."""
        if isinstance(known_on, Vintage):
            return known_on
        return cls(**dict.fromkeys(KINDS, known_on))

    @property
    def stored(self) -> bool:
        """Whether usage is as the job has stored it."""
        return all(getattr(self, kind) is None for kind in AMOUNTS)

    def now(self, now: datetime) -> datetime:
        """Up to when anything is expected."""
        return min(now, self.time) if self.time else now

    def anew(self, meter_id: int) -> bool:
        """Whether the usage of a meter must be computed from its readings."""
        return not self.stored and (self.touched is None or meter_id in self.touched)


KnownOn = datetime | Vintage | None


def steps(before: Vintage, after: Vintage) -> Iterator[tuple[str, Vintage]]:
    """Move one kind after the other from one vintage to another, in the order of KINDS."""
    at = before
    for kind in KINDS:
        moved = getattr(after, kind)
        if moved != getattr(at, kind):
            at = replace(at, **{kind: moved})
            yield kind, at
