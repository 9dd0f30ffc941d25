"""Acrel ADW300, protocol json-v2: numbered points of a meter.

Topic `platform/{vendor}/{type}/json-v2/analog/{group}`; the numbers are those of the
maker's table of data items. PT (34) and CT (35) are never applied: `parkwatt
multiplier` states them. The reactive totals (30, 31) are of two quadrants each, for
which the catalogue has no key.
"""

import re
from typing import Any

from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    Reject,
    arrival,
    code_of,
    decoded,
    instant,
)

NAME = "adw300/1"
_TOPIC = re.compile(r"platform/[^/]+/[^/]+/json-v2/analog/[^/]+")

_SERIAL = 0
_KEYS = {
    1: "voltage_a_v",
    2: "voltage_b_v",
    3: "voltage_c_v",
    7: "current_a_a",
    8: "current_b_a",
    9: "current_c_a",
    13: "power_kw",
    17: "reactive_power_kvar",
    21: "apparent_power_kva",
    25: "power_factor",
    26: "frequency_hz",
    28: "energy_import_kwh",
    29: "energy_export_kwh",
}


def accepts(topic: str) -> bool:
    """Tell whether a topic is of this protocol."""
    return _TOPIC.fullmatch(topic) is not None


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one message: instants of one or many meters.

    Raises
    ------
    Refused
        When the payload has not the form `{"data": [{"tp": …, "point": […]}]}`.
    """
    body = decoded(heard.payload)
    instants = body.get("data") if isinstance(body, dict) else None
    if not isinstance(instants, list):
        raise Refused("payload has no list data of points")
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    for each in instants:
        try:
            _instant(parsed, each, heard, place)
        except Refused as refused:
            parsed.rejects.append(Reject(str(refused)))
    return parsed


def _instant(parsed: Parsed, each: object, heard: Heard, place: Place) -> None:
    points = each.get("point") if isinstance(each, dict) else None
    if not isinstance(each, dict) or not isinstance(points, list):
        raise Refused("an element of data has no list point")
    values = [(_number(point), point) for point in points if isinstance(point, dict)]
    serial = next((point.get("val") for item, point in values if item == _SERIAL), None)
    meter = place.meter or _code(serial)
    when = each.get("tp")
    at = (
        arrival(heard, parsed)
        if when is None
        else instant(when, place.zone, heard.arrived_us)
    )
    if at is None:
        return
    for item, point in values:
        if item in _KEYS:
            parsed.add(meter, _KEYS[item], point.get("val"), at)
        elif item != _SERIAL:
            parsed.unread.append(f"id {str(point.get('id'))[:20]}")


def _number(point: dict[str, Any]) -> int | None:
    item = point.get("id")
    if isinstance(item, str) and re.fullmatch("[0-9]{1,4}", item):
        return int(item)
    return item if isinstance(item, int) and not isinstance(item, bool) else None


def _code(serial: object) -> str:
    if not isinstance(serial, str | int) or isinstance(serial, bool) or serial == "":
        raise Refused("no serial number (id 0)")
    return code_of(str(serial))
