"""Flat JSON of a gateway whose keys already name quantity and unit.

The device's name is that of the topic's levels, without words such as `data`. Where the
message has no time, that of its arrival is taken and the message says so.
"""

import re
from zoneinfo import ZoneInfo

from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    Unplaced,
    arrival,
    code_of,
    decoded,
    instant,
)
from store.quantities import KEYS

NAME = "flat/1"

# in small letters; the first that is there
TIMES = (
    "ts",
    "time",
    "timestamp",
    "utc_date_time",
    "datetime",
    "tp",
    "received_at",
    "at",
)
METER_KEYS = re.compile(
    r"(meter|device|dev|gw|gateway)?_?(sn|id|eui|code|no|name|addr|address|imei)|meter|"
    r"device|仪表|设备|表号",
    re.IGNORECASE,
)
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
        When the payload is no JSON object.
    Unplaced
        When no key is of the catalogue, or one names a meter that the topic does not.
    """
    body = decoded(heard.payload)
    if not isinstance(body, dict):
        raise Refused("payload is not a JSON object")
    body = {str(key).strip(): value for key, value in body.items()}
    if not body.keys() & KEYS.keys():
        raise Unplaced("no key names a quantity and its unit: a mapping is needed")
    named = [
        key
        for key, value in body.items()
        if METER_KEYS.fullmatch(key) and str(value) not in heard.topic.split("/")
    ]
    if named and place.meter is None:
        raise Unplaced(f"{named[0]} may name the meter: a mapping is needed")
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    meter = place.meter or device(heard.topic)
    times = {key.lower(): raw for key, raw in body.items() if raw is not None}
    name = next((each for each in TIMES if each in times), None)
    zone = ZoneInfo("UTC") if name == "utc_date_time" else place.zone
    at = (
        arrival(heard, parsed)
        if name is None
        else instant(times[name], zone, heard.arrived_us)
    )
    if at is None:
        return parsed
    for key, raw in body.items():
        if key.lower() in TIMES:
            continue
        if key in KEYS and KEYS[key].kind != "delta":
            parsed.add(meter, key, raw, at)
        else:
            parsed.unread.append(key)
    return parsed


def device(topic: str) -> str:
    """Name the device of a topic by all its levels but those that say what is sent."""
    levels = [each for each in topic.split("/") if each] or ["device"]
    named = [each for each in levels if each.lower() not in _WORDS] or levels
    if all(re.fullmatch(r"[A-Za-z0-9_-]+", each) for each in named):
        return code_of(".".join(named))  # no level has a dot: it joins
    return code_of("/".join(named) + "/")
