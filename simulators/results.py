"""What a score is made of; docs/simulator_score.md explains each figure."""

from dataclasses import dataclass

import msgspec

from simulators.comparing import Energy, Honesty
from simulators.matching import Precision, Recall
from simulators.truth_file import Key


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Energy, or the amount of another quantity, over the run."""

    subject: str
    quantity: str
    told: float
    shown: float
    flowed: float
    error: float
    error_percent: float
    physical_error_percent: float
    tolerance: float
    right: bool

    @staticmethod
    def of(key: Key, of: Energy) -> "Amount":
        """Return what is told of an energy."""
        return Amount(
            subject=key.subject,
            quantity=key.quantity,
            told=of.told,
            shown=of.shown,
            flowed=of.flowed,
            error=of.error,
            error_percent=of.error_percent,
            physical_error_percent=of.physical_error_percent,
            tolerance=of.tolerance,
            right=of.right,
        )


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The peak of a subject's month, or of the part of it that the run has."""

    subject: str
    month: str
    told_kw: float
    shown_kw: float  # the highest sum of what its meters could show
    error_percent: float
    tolerance_percent: float  # the registers' resolution
    told_at: str | None
    shown_at: str
    time_right: bool  # at the time told there is a peak as high, within resolution
    known_share: float


@dataclass(frozen=True, kw_only=True)
class Emission:
    """CO2 of a subject's month, and its intensity where added value is known."""

    subject: str
    month: str
    told_t: float
    shown_t: float
    true_t: float
    error_percent: float
    method: str | None  # of the platform, whose factors are the truth's
    told_t_per_10k_cny: float | None
    true_t_per_10k_cny: float | None
    intensity_error_percent: float | None  # of told against shown, not of true


@dataclass(frozen=True, kw_only=True)
class Accounting:
    """What became of all readings, by the platform's counts and the ledger's."""

    received: int
    inserted: int
    duplicate: int
    conflict: int
    quarantined: int
    in_flight: int
    balanced: bool  # received is the sum of the four, for each source
    sent: int | None = None  # distinct, well-formed
    sent_again: int | None = None
    refusable: int | None = None  # corrupt, foreign, clock not set, ahead
    lost: int | None = None
    doubled: int | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure and its bar; `passed` None: there was nothing to judge."""

    name: str
    value: float | None
    bar: float
    passed: bool | None


@dataclass(frozen=True, kw_only=True)
class Score:
    """All that was compared."""

    park: str
    start: str
    stop: str
    verdict: str  # passed or failed
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    park_amounts: tuple[Amount, ...]
    peaks: tuple[Peak, ...]
    honesty: Honesty
    recalls: tuple[Recall, ...]
    precisions: tuple[Precision, ...]
    accounting: Accounting
    emissions: tuple[Emission, ...]
    registers: tuple[Amount, ...]

    @property
    def passed(self) -> bool:
        """Whether no bar is missed."""
        return self.verdict == "passed"

    def to_json(self) -> bytes:
        """Return all of it as JSON; NaN and infinity become null."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)
