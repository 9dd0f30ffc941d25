"""Payload formats: one file per format, one line in the registry."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ingest.formats import native
from ingest.reading import Parsed, Refused
from store.errors import Invalid
from store.quantities import KEYS
from store.readings import NO_UNTIL, to_datetime


class Format(NamedTuple):
    """How one payload format is recognised and read."""

    accepts: Callable[[str], bool]
    parse: Callable[[str, bytes, int], Parsed]


FORMATS: dict[str, Format] = {
    native.NAME: Format(native.accepts, native.parse),
}


def parse(topic: str, payload: bytes, arrived_us: int, limit: int) -> Parsed:
    """Read a message by the first format that accepts its topic.

    Raises
    ------
    Refused
        When nothing of it can be read.
    """
    if len(payload) > limit:
        raise Refused(f"payload of {len(payload)} bytes is over the limit of {limit}")
    for each in FORMATS.values():
        if each.accepts(topic):
            return each.parse(topic, payload, arrived_us)
    raise Refused("no format reads this topic")


def holds_no_reading(topic: str) -> bool:
    """Tell whether a message is only an answer of ours."""
    return native.silent(topic)


def explain(topic: str, file: Path, limit: int) -> dict[str, Any]:
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
    try:
        parsed = parse(topic, payload, time.time_ns() // 1000, limit)
    except Refused as refused:
        return {
            "park": None,
            "enterprise": None,
            "readings": [],
            "refused": [{"reason": str(refused), "readings": 1}],
        }
    readings = []
    for each in parsed.readings:
        known = KEYS[each.key]
        until = None if each.until_us == NO_UNTIL else to_datetime(each.until_us)
        readings.append(
            {
                "meter": each.meter,
                "quantity": known.quantity.name,
                "kind": known.kind,
                "at": to_datetime(each.at_us).isoformat(),
                "until": until.isoformat() if until else None,
                "value": each.value,
                "unit": known.quantity.unit,
            }
        )
    return {
        "park": parsed.park,
        "enterprise": parsed.enterprise,
        "readings": readings,
        "refused": [each._asdict() for each in parsed.rejects],
    }
