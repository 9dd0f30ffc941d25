"""What a parser gives: readings, what it refused and why, and the answer to send."""

import json
import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec

from store.quantities import KEYS, Key
from store.readings import NO_UNTIL, to_us
from store.registry import CODE

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


class Heard(NamedTuple):
    """A message of a foreign device, and how it came."""

    topic: str  # without the prefix that names its enterprise
    payload: bytes
    arrived_us: int
    retained: bool = False  # kept by the broker: no news


class Place(NamedTuple):
    """Where a foreign device stands. Its topic or a mapping says so, never its payload."""

    park: str
    enterprise: str
    zone: ZoneInfo  # of times without one
    meter: str | None = None  # instead of the device's own name


class Knowledge(Protocol):
    """What a format has learned from earlier messages of one enterprise, and keeps."""

    def get(self, key: str) -> Any:
        """Give what was learned under a key, JSON-like; None: nothing."""

    def put(self, key: str, value: Any) -> None:
        """Remember it; it is stored with the batch."""


@dataclass(kw_only=True)
class Parsed:
    """What one message said."""

    park: str = ""
    enterprise: str = ""
    readings: list[Reading] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    answer: Answer | None = None
    unread: list[str] = field(default_factory=list)  # keys that are no quantity of ours
    on_arrival: bool = False  # the message had no time of its own

    def add(
        self,
        meter: str,
        key: str,
        raw: object,
        at: "int | Refused",
        *,
        scale: float = 1.0,
    ) -> None:
        """Add one value of a foreign device; null and empty text are not measured.

        Parameters
        ----------
        key
            Of the catalogue, with the unit that the device uses.
        raw
            A number, or text of one.
        at
            The time [µs], or why there is none.
        scale
            The number times this is in the key's unit.
        """
        if raw is None or raw == "":
            return
        try:
            if isinstance(at, Refused):
                raise at
            value = quantified(scaled(from_text(raw), scale), KEYS[key])
            self.readings.append(Reading(meter, key, at, value))
        except Refused as refused:
            self.rejects.append(Reject(f"{key}: {refused}"))

    @property
    def count(self) -> int:
        """Readings that the message holds, good and refused; at least one."""
        refused = sum(each.readings for each in self.rejects)
        return max(1, len(self.readings) + refused)


class Refused(ValueError):
    """Part of a message that cannot be read; the text is the reason."""


class Unplaced(Refused):
    """Nobody can place this message; it is counted by its topic."""


def decoded(payload: bytes) -> Any:
    """Decode the JSON of a foreign device, with or without a byte order mark.

    Raises
    ------
    Refused
        When the payload is empty or is not JSON.
    """
    text = payload.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise Refused("payload is empty")
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise Refused("payload is not JSON") from None


def arrival(heard: Heard, parsed: Parsed) -> int | None:
    """Give the time of arrival [µs] to a message without one, which then says so.

    None for a message that the broker kept: it is of unknown age and no news.
    """
    if heard.retained:
        return None
    parsed.on_arrival = True
    return heard.arrived_us


def shown(raw: object) -> str:
    """Name a value in a reason, short and never deep."""
    if isinstance(raw, str):
        return repr(raw[:40])
    if raw is None or isinstance(raw, bool):
        return json.dumps(raw)
    if isinstance(raw, int | float):
        return f"{raw:.15g}" if not abs(raw) >= 1e300 else "a number too large"
    return "a list" if isinstance(raw, list) else "an object"


# a second that is put in at the end of a day is the next day's first
_LEAP = re.compile(r"(?<=:59):60(?=$|[.,Zz+-])")
_times: dict[str, int] = {}


def _from_iso(text: str) -> datetime:
    whole, leaps = _LEAP.subn(":59", text)
    return datetime.fromisoformat(whole) + timedelta(seconds=leaps)


def known_time(text: object, arrived_us: int) -> int | None:
    """Give a good time that `time_us` has read before; None: ask there."""
    at = _times.get(text) if isinstance(text, str) else None
    return at if at and EARLIEST_US <= at <= arrived_us + _AHEAD_US else None


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
            moment = _from_iso(text)
        except (ValueError, OverflowError):
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


def instant(raw: object, zone: ZoneInfo, arrived_us: int) -> int | Refused:
    """Read the time of a foreign device, in any of the ways that devices write it.

    Seconds or milliseconds since 1970 as number or text, ISO 8601 with or without zone,
    `YYYYMMDDhhmmss` with or without milliseconds. Local times are of `zone`.

    Returns
    -------
    int or Refused
        Microseconds since 1970; or the reason, to be given for each value.
    """
    try:
        at = _instant_us(raw, zone, arrived_us)
        if at < EARLIEST_US:
            raise Refused(f"time {shown(raw)} is before 2000: clock not set")
        if at > arrived_us + _AHEAD_US:
            raise Refused(f"time {shown(raw)} is more than 10 minutes in the future")
    except Refused as refused:
        return refused
    except (ValueError, OverflowError):
        return Refused(f"time {shown(raw)} is in no form that is known")
    return at


_COMPACT = re.compile(r"(\d{14})(\d{3})?")
_DIGITS = re.compile(r"\d{9,13}(\.\d+)?")
_LIVE_US = 30 * 60_000_000  # a message that is no older tells which of two hours it is


def _instant_us(raw: object, zone: ZoneInfo, arrived_us: int) -> int:
    if isinstance(raw, str):
        text = raw.strip()[:64]
        if _DIGITS.fullmatch(text):
            return _since_1970(float(text))
        if compact := _COMPACT.fullmatch(text):
            moment = datetime.strptime(compact[1], "%Y%m%d%H%M%S")  # noqa: DTZ007
            return _local_us(moment, zone, arrived_us) + int(compact[2] or 0) * 1000
        if "T" not in text and " " not in text:
            raise ValueError(text)  # a day, which is no instant
        moment = _from_iso(text)
        return to_us(moment) if moment.tzinfo else _local_us(moment, zone, arrived_us)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Refused("time is missing" if raw is None else f"time is {shown(raw)}")
    return _since_1970(raw)


def _local_us(moment: datetime, zone: ZoneInfo, arrived_us: int) -> int:
    """Give a local time; one that comes twice only where its arrival tells which."""
    first, second = (
        to_us(moment.replace(tzinfo=zone, fold=fold)) for fold in (False, True)
    )
    if first == second:
        return first
    if first > second:
        raise Refused(f"local time {moment} does not exist: the clock was put forward")
    near = min(first, second, key=lambda at: abs(arrived_us - at))
    if abs(arrived_us - near) <= _LIVE_US:
        return near
    raise Refused(f"local time {moment} comes twice: the clock was put back")


def _since_1970(figure: float) -> int:
    # milliseconds, from 1973 on, are more than seconds will be in 5138
    return round(figure * (1e3 if abs(figure) > 1e11 else 1e6))


def code_of(name: str) -> str:
    """Make a device's own name a code: what a code cannot hold becomes a dash.

    Names that would fall together stay apart by a checksum at the end.
    """
    if CODE.fullmatch(name):
        return name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:55]
    return f"{plain}-{zlib.crc32(name.encode()):08x}".lstrip("-")


def from_text(raw: object) -> object:
    """Give the number that a text holds; anything else as it is."""
    if isinstance(raw, str) and _NUMBER.fullmatch(text := raw.strip()):
        return float(text)
    return raw


_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?")


def check_size(payload: bytes, limit: int) -> None:
    """Refuse a payload that is too large to be one of a meter.

    Raises
    ------
    Refused
        With both sizes.
    """
    if len(payload) > limit:
        raise Refused(f"payload of {len(payload)} bytes is over the limit of {limit}")


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
    return float(scaled(raw, scale))


def quantified(raw: object, key: Key) -> float:
    """Take a number as a value of its quantity, in the canonical unit.

    Raises
    ------
    Refused
        As of `number`, for an interval amount below 0 and for what the quantity cannot be.
    """
    value = number(raw, key.scale)
    if key.kind == "delta" and value < 0:
        raise Refused("an interval amount is below 0")
    if key.low is not None and not key.low <= value <= key.high:
        raise Refused(f"number {shown(raw)} is not within {key.low:g} and {key.high:g}")
    return value


def scaled(raw: Any, scale: float) -> Any:
    """Multiply a number; where the scale is 1/n divide, which rounds only once."""
    if scale == 1.0 or isinstance(raw, bool) or not isinstance(raw, int | float):
        return raw
    times, parts = ratio(scale)
    return raw * times / parts


@lru_cache(maxsize=1000)
def ratio(scale: float) -> tuple[float, float]:
    """Give what to multiply with and then to divide by; one of them is 1."""
    parts = round(1.0 / scale)
    return (1.0, parts) if parts > 1 and scale == 1.0 / parts else (scale, 1.0)
