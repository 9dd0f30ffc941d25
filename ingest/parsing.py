"""Which format reads a message, and where the device that sent it stands."""

import time
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ingest import formats
from ingest.formats import native
from ingest.reading import Heard, Place, Reading, Refused
from store.errors import Invalid
from store.quantities import KEYS
from store.readings import NO_UNTIL, to_datetime
from store.registry import is_code

# below it stand the topics of foreign devices of an enterprise, as they are
RAW = "raw"


def check_size(payload: bytes, limit: int) -> None:
    """Refuse a payload that is too large to be one of a meter.

    Raises
    ------
    Refused
        With both sizes.
    """
    if len(payload) > limit:
        raise Refused(f"payload of {len(payload)} bytes is over the limit of {limit}")


class Raw(NamedTuple):
    """A foreign topic below the prefix of an enterprise."""

    park: str
    enterprise: str
    topic: str


def raw(topic: str) -> Raw | None:
    """Take a foreign topic out of `parkwatt/v1/{park}/{enterprise}/raw/{topic}`.

    None where it is none: a meter may be called raw.
    """
    levels = topic.split("/", 5)
    if (
        len(levels) != 6
        or levels[4] != RAW
        or levels[5] in ("readings", "batch", "ack")
        or not topic.startswith(native.PREFIX)
        or not (is_code(levels[2]) and is_code(levels[3]))
    ):
        return None
    return Raw(levels[2], levels[3], levels[5])


class Remembered(dict[str, Any]):
    """Knowledge that lasts as long as the process."""

    def put(self, key: str, value: Any) -> None:
        """Remember it."""
        self[key] = value


def explain(
    topic: str, file: Path, limit: int, zone: str = "Asia/Shanghai"
) -> dict[str, Any]:
    """Tell what ingest would read from a message, and what it would refuse and why.

    Raises
    ------
    Invalid
        When the file cannot be read.
    """
    try:
        payload = file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file}: {error.strerror}") from error
    found: dict[str, Any] = {
        "format": None,
        "park": None,
        "enterprise": None,
        "timed_on_arrival": False,
        "readings": [],
        "refused": [],
        "unread": [],
    }
    arrived_us = time.time_ns() // 1000
    try:
        check_size(payload, limit)
        foreign = raw(topic)
        if native.accepts(topic) and foreign is None:
            found["format"] = native.NAME
            parsed = native.parse(topic, payload, arrived_us)
        else:
            place = foreign or Raw("", "", topic)
            form = formats.find(place.topic)
            if form is None:
                raise Refused("no format reads this topic")
            found["format"] = form.name
            parsed = form.parse(
                Heard(place.topic, payload, arrived_us),
                Place(place.park, place.enterprise, ZoneInfo(zone)),
                Remembered(),
            )
    except Refused as refused:
        found["refused"] = [{"reason": str(refused), "readings": 1}]
        return found
    return found | {
        "park": parsed.park or None,
        "enterprise": parsed.enterprise or None,
        "timed_on_arrival": parsed.on_arrival,
        "readings": [_shown(each) for each in parsed.readings],
        "refused": [each._asdict() for each in parsed.rejects],
        "unread": parsed.unread,
    }


def _shown(reading: Reading) -> dict[str, Any]:
    known = KEYS[reading.key]
    until = None if reading.until_us == NO_UNTIL else to_datetime(reading.until_us)
    return {
        "meter": reading.meter,
        "quantity": known.quantity.name,
        "kind": known.kind,
        "at": to_datetime(reading.at_us).isoformat(),
        "until": until.isoformat() if until else None,
        "value": reading.value,
        "unit": known.quantity.unit,
    }
