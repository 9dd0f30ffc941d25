"""Shelly of the first generation: one plain number per topic, without a time.

Each channel is a meter of its own: `{device}.{channel}`. A relay and an emeter of one
number, where both count, are two.
"""

import re

from ingest.formats.codes import channel_of, joined
from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    arrival,
)

NAME = "shelly1/1"

_TOPIC = re.compile(r"(?:^|/)shellies/")
_FIELD = re.compile(
    r"(?:(?P<lead>.+)/)?shellies/(?P<device>.+?)/(?P<part>emeter|relay)/(?P<channel>\d{1,2})/(?P<field>\w+)"
)
_EMETER = {
    "power": "power_w",
    "reactive_power": "reactive_power_var",
    "pf": "power_factor",
    "voltage": "voltage_v",
    "current": "current_a",
    "total": "energy_import_wh",
    "total_returned": "energy_export_wh",
}
_RELAY = {"power": "power_w", "energy": "energy_import_wh"}


def accepts(topic: str) -> bool:
    """Tell whether the topic is one of such a device."""
    return _TOPIC.search(topic) is not None


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one number.

    Raises
    ------
    Refused
        When the payload is not text.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    found = _FIELD.fullmatch(heard.topic)
    key = found and (_EMETER if found["part"] == "emeter" else _RELAY).get(
        found["field"]
    )
    if not found or not key:  # temperature, online, the state of a relay, ...
        parsed.unread.append(heard.topic.rpartition("/")[2])
        return parsed
    at = arrival(heard, parsed)
    if at is None:
        return parsed
    try:
        raw = heard.payload.decode().strip()
    except UnicodeDecodeError:
        raise Refused("payload is not a number") from None
    levels = [*(found["lead"] or "").split("/"), *found["device"].split("/")]
    device = place.meter or joined(*filter(None, levels))
    # a relay counts watt-minutes
    scale = 1 / 60 if found["field"] == "energy" else 1.0
    meter = channel_of(device, found["part"], found["channel"], known)
    parsed.add(meter, key, raw, at, scale=scale)
    return parsed
