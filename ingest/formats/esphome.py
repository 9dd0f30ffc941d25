"""ESPHome: a bare number on the topic of each sensor.

What the number is stands in the discovery message of the sensor alone.
"""

import re

from ingest.formats import flat, homeassistant
from ingest.reading import Heard, Knowledge, Parsed, Place

NAME = "esphome/1"

_STATE = re.compile(
    r".+/(?P<kind>sensor|binary_sensor|text_sensor|switch|number|select|light|fan|cover"
    r"|climate|button|lock|valve|text|update)/[^/]+/state"
)


def accepts(topic: str) -> bool:
    """Tell whether the topic is the state of a sensor, or of the device."""
    return _STATE.fullmatch(topic) is not None or topic.endswith("/status")


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one number by what its discovery message said.

    Raises
    ------
    Refused
        When there was none.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    found = _STATE.fullmatch(heard.topic)
    if found is None:
        if heard.payload.strip() in (b"online", b"offline", b""):
            return parsed
        return flat.parse(heard, place, known)
    if found["kind"] != "sensor":
        parsed.unread.append(heard.topic.split("/")[-2])
        return parsed
    return homeassistant.read(heard, place, known)
