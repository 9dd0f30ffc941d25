"""Telemetry for ThingsBoard, of a device or of a gateway with many.

Its keys are free. Those that name a quantity and a unit of the catalogue are read.
"""

import re
from typing import Any

from ingest.formats.codes import below, joined
from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    arrival,
    decoded,
    instant,
)
from store.quantities import KEYS

NAME = "thingsboard/1"

_TOPIC = re.compile(
    r"(?:(?P<lead>.+)/)?(?:v1/devices/me/telemetry|v2/t(?:/j)?|(?P<gateway>v1/gateway/telemetry))"
)


def accepts(topic: str) -> bool:
    """Tell whether the topic is one for ThingsBoard."""
    return _TOPIC.fullmatch(topic) is not None


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read the telemetry of one device, or of each device of a gateway.

    Raises
    ------
    Refused
        When nothing in it names a quantity and its unit, or a device has no name.
    """
    found = _TOPIC.fullmatch(heard.topic)
    lead = [each for each in ((found and found["lead"]) or "").split("/") if each]
    meter = place.meter or (joined(*lead) if lead else None)
    body = decoded(heard.payload)
    if found and found["gateway"]:
        if not isinstance(body, dict):
            raise Refused("payload is not a JSON object of devices")
        devices = [
            (
                below(place.meter, name) if place.meter else joined(*lead, name),
                body[name],
            )
            for name in body
        ]
    elif meter:
        devices = [(meter, body)]
    else:
        raise Refused(
            "the topic names no device: its name must stand before v1/ or v2/"
        )
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    named = False
    for code, entries in devices:
        for each in entries if isinstance(entries, list) else [entries]:
            named |= _entry(parsed, code, each, heard, place)
    if not named:
        raise Refused("no key names a quantity and its unit: a mapping is needed")
    return parsed


def _entry(parsed: Parsed, meter: str, entry: Any, heard: Heard, place: Place) -> bool:
    """Read one instant, and tell whether a key of it is in the catalogue."""
    if not isinstance(entry, dict):
        parsed.unread.append(meter)
        return False
    values = entry.get("values")
    if not isinstance(values, dict):  # the time, if any, stands beside the keys
        values = {key: raw for key, raw in entry.items() if key != "ts"}
    keys = [key for key in values if key in KEYS and KEYS[key].kind != "delta"]
    parsed.unread += [key for key in values if key not in keys]
    if not keys:
        return False
    when = entry.get("ts")
    at = (
        arrival(heard, parsed)
        if when is None
        else instant(when, place.zone, heard.arrived_us)
    )
    if at is not None:
        for key in keys:
            parsed.add(meter, key, values[key], at)
    return True
