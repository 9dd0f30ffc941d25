"""What a parser gives: readings, what it refused and why, and the answer to send."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from store.readings import NO_UNTIL, to_us

LARGEST = 1e15
EARLIEST_US = to_us(datetime(2000, 1, 1, tzinfo=UTC))
AHEAD = timedelta(minutes=10)
_AHEAD_US = AHEAD // timedelta(microseconds=1)


class Reading(NamedTuple):
    """One value of one meter, in the quantity's canonical unit."""

    meter: str
    key: str  # of the catalogue, store.quantities.KEYS
    at_us: int
    value: float
    until_us: int = NO_UNTIL  # end of the interval of a delta


class Reject(NamedTuple):
    """Why some readings of a message were refused, and how many."""

    reason: str
    readings: int = 1


class Answer(NamedTuple):
    """What to publish after the commit."""

    topic: str
    payload: bytes


@dataclass(kw_only=True)
class Parsed:
    """What one message said."""

    park: str = ""
    enterprise: str = ""
    readings: list[Reading] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def count(self) -> int:
        """Readings that the message holds, good and refused; at least one."""
        refused = sum(each.readings for each in self.rejects)
        return max(1, len(self.readings) + refused)


class Refused(ValueError):
    """Part of a message that cannot be read; the text is the reason."""


def shown(raw: object) -> str:
    """Name a value in a reason, short and never deep."""
    if isinstance(raw, str):
        return repr(raw[:40])
    if raw is None or isinstance(raw, bool):
        return json.dumps(raw)
    if isinstance(raw, int | float):
        return f"{raw:.15g}" if abs(raw) < 1e300 else "a number too large"
    return "a list" if isinstance(raw, list) else "an object"


_times: dict[str, int] = {}


def time_us(text: object, arrived_us: int) -> int:
    """Read an ISO 8601 time with zone as microseconds since 1970.

    Raises
    ------
    Refused
        For a missing, naive, ill-formed, unset (before 2000) or future time.
    """
    if not isinstance(text, str):
        if text is None:
            raise Refused("time is missing")
        raise Refused(f"time {shown(text)} is not ISO 8601 text")
    if len(text) > 64:
        raise Refused(f"time {text[:40]!r} is not ISO 8601")
    at = _times.get(text)
    if at is None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Refused(f"time {text[:40]!r} is not ISO 8601") from None
        if moment.tzinfo is None:
            raise Refused(f"time {text!r} has no zone")
        at = to_us(moment)
        if len(_times) > 50_000:
            _times.clear()
        _times[text] = at
    if at < EARLIEST_US:
        raise Refused(f"time {text!r} is before 2000: clock not set")
    if at > arrived_us + _AHEAD_US:
        raise Refused(f"time {text!r} is more than 10 minutes in the future")
    return at


def number(raw: object, scale: float) -> float:
    """Take a JSON number in the canonical unit as a finite float within bounds.

    Raises
    ------
    Refused
        For text, true, false, NaN, infinities and numbers beyond 1e15.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Refused(f"{shown(raw)} is not a number")
    if not -LARGEST < raw < LARGEST or not -LARGEST < raw * scale < LARGEST:
        raise Refused(f"number {shown(raw)} is not within ±1e15")  # nor is NaN
    return float(raw) * scale
