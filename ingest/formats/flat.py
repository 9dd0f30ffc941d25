"""Flat JSON of a gateway whose keys already name quantity and unit.

The device's name is the topic's last level that is not a word such as `data`. Where the
message has no time, that of its arrival is taken and the message says so.
"""

from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    arrival,
    code_of,
    decoded,
    instant,
)
from store.quantities import KEYS

NAME = "flat/1"

TIMES = ("ts", "time", "Time", "timestamp", "utc_date_time", "received_at", "at")
_WORDS = frozenset(
    [
        "data",
        "telemetry",
        "status",
        "state",
        "up",
        "report",
        "post",
        "sensor",
        "event",
        "events",
        "readings",
    ]
)


def accepts(topic: str) -> bool:
    """Tell whether the topic may be one: it is the last format that is asked."""
    return bool(topic)


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one object.

    Raises
    ------
    Refused
        When the payload is no JSON object with a key of the catalogue.
    """
    body = decoded(heard.payload)
    if not isinstance(body, dict):
        raise Refused("payload is not a JSON object")
    body = {str(key).strip(): value for key, value in body.items()}
    if not body.keys() & KEYS.keys():
        raise Refused("no key names a quantity and its unit: a mapping is needed")
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    meter = place.meter or device(heard.topic)
    when = next((body[name] for name in TIMES if body.get(name) is not None), None)
    at = (
        arrival(heard, parsed)
        if when is None
        else instant(when, place.zone, heard.arrived_us)
    )
    if at is None:
        return parsed
    for key, raw in body.items():
        if key in TIMES:
            continue
        if key in KEYS and KEYS[key].kind != "delta":
            parsed.add(meter, key, raw, at)
        else:
            parsed.unread.append(key)
    return parsed


def device(topic: str) -> str:
    """Name the device of a topic."""
    levels = [each for each in topic.split("/") if each] or ["device"]
    named = [each for each in levels if each.lower() not in _WORDS]
    return code_of((named or levels)[-1])
