"""What the formats share: where a meter stands, and its values as numbers to write."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from simulators.meter import Message, Meter, Shown

Number = float | None  # None: null


class Place(NamedTuple):
    """The park whose meters speak."""

    park: str  # code
    zone: ZoneInfo  # of clocks that show local time


# of one format in one place; it may remember what it has said
Encode = Callable[[Shown], list[Message]]


def own_code(meter: Meter, place: Place) -> str:
    """Return the meter's own code: most formats let us name the device."""
    return meter.code


class Format(NamedTuple):
    """How meters of one kind write what they show."""

    encoder: Callable[[Place], Encode]
    carried: Callable[[Iterable[str]], list[str]]  # of keys those it can say
    code_of: Callable[[Meter, Place], str] = own_code  # as the platform knows it
    many: bool = False  # instants in a message
    text: bool = True  # JSON


class Instant(NamedTuple):
    """What a meter showed at one instant."""

    at_s: int
    stamp_us: int
    values: dict[str, Number]  # by key

    @property
    def readings(self) -> int:
        """Values that are not null."""
        return sum(value is not None for value in self.values.values())


def raw(meter: Meter, place: Place) -> str:
    """Return the prefix below which the meter uses its own topics."""
    return f"parkwatt/v1/{place.park}/{meter.enterprise}/raw"


def part(shown: Shown, low: int, high: int) -> Shown:
    """Return some of the instants."""
    return replace(
        shown,
        at_s=shown.at_s[low:high],
        stamp_us=shown.stamp_us[low:high],
        values={key: values[low:high] for key, values in shown.values.items()},
    )


def pieces(shown: Shown, size: int) -> Iterator[Shown]:
    """Cut a stretch into pieces of `size` instants."""
    if 0 < shown.at_s.size <= size:
        yield shown
        return
    for low in range(0, shown.at_s.size, size):
        yield part(shown, low, low + size)


def each(shown: Shown, keys: Sequence[str]) -> Iterator[Instant]:
    """Give the instants with the values of `keys`, NaN as None."""
    columns = [
        [None if value != value else value for value in shown.values[key].tolist()]
        for key in keys
    ]
    times = zip(shown.at_s.tolist(), shown.stamp_us.tolist(), strict=True)
    for (at_s, stamp_us), *values in zip(times, *columns, strict=True):
        yield Instant(at_s, stamp_us, dict(zip(keys, values, strict=True)))


def count(shown: Shown, keys: Iterable[str]) -> int:
    """Count the values of `keys` that are not null."""
    return sum(int(np.count_nonzero(~np.isnan(shown.values[key]))) for key in keys)


def times(value: Number, factor: float, decimals: int) -> Number:
    """Scale a number into the device's unit, to the decimals that it writes."""
    return None if value is None else round(value * factor, decimals)


def local(stamp_us: int, zone: ZoneInfo) -> datetime:
    """Return what a local clock shows, to the second."""
    return datetime.fromtimestamp(stamp_us // 1_000_000, zone)


def message(topic: str, body: object, instant: Instant) -> Message:
    """Make a JSON message of one instant."""
    return Message(
        due_s=instant.at_s,
        topic=topic,
        payload=msgspec.json.encode(body),
        readings=instant.readings,
    )
