"""Acrel gateways and meters (ADL400, AWT100, …): one JSON frame per meter.

Topics `/gw/acrelHW/{product}/{type}/{gateway}`. Certain, from a captured frame and a
public consumer of it: the times are local, `u*` V, `i*` A, `p` kW, `q` kvar, `wh` the
energy taken in kWh, and all behind a current transformer are secondary: that consumer
multiplies them by `ct`. Assumed, from the order in which the maker's other protocols
give the four totals: `wl` is the energy given in kWh. `varh` and `varl` are then
reactive totals of two quadrants each; the catalogue has single quadrants, so they are
unread. `pt` and `ct` are never applied: `parkwatt multiplier` states them.
"""

import re

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
    shown,
)

NAME = "acrel/1"
_TOPIC = re.compile(r"/?gw/acrelHW/[^/]+/([^/]+)/[^/]+")

_KEYS = {
    "ua": "voltage_a_v",
    "ub": "voltage_b_v",
    "uc": "voltage_c_v",
    "ia": "current_a_a",
    "ib": "current_b_a",
    "ic": "current_c_a",
    "p": "power_kw",
    "q": "reactive_power_kvar",
    "pf": "power_factor",
    "hz": "frequency_hz",
    "wh": "energy_import_kwh",
    "wl": "energy_export_kwh",
}
_ABOUT = frozenset(
    ("type", "time", "gwSN", "meterSN", "meterName", "meterStatus", "ch")
)
# states in which the values are not those of the meter
_BAD = frozenset(
    [
        "abnormal",
        "bad",
        "broken",
        "disconnected",
        "error",
        "fail",
        "failed",
        "failure",
        "fault",
        "faulty",
        "invalid",
        "lost",
        "offline",
        "timeout",
    ]
)


def accepts(topic: str) -> bool:
    """Tell whether a topic is of such a gateway."""
    return _TOPIC.fullmatch(topic) is not None


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one frame; only `data` and `hstdata` (history) hold readings.

    Raises
    ------
    Refused
        When the frame names no meter, or a state of the meter that makes its values bad.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    topic = _TOPIC.search(heard.topic)
    if topic and topic[1] not in ("data", "hstdata"):
        return parsed  # login, time, heart, para, event
    body = decoded(heard.payload)
    if not isinstance(body, dict):
        raise Refused("payload is not a JSON object")
    kind = body.get("type") or (topic[1] if topic else None)
    if kind not in ("data", "hstdata"):
        return parsed
    said = body.get("meterStatus")
    status = said.strip().lower() if isinstance(said, str) else said
    if status == "missing":  # the gateway did not reach it: its zeros are no values
        return parsed
    if isinstance(status, str) and status in _BAD:
        raise Refused(f"meterStatus is {shown(said)}")
    if status not in (None, "", "normal"):
        parsed.unread.append("meterStatus")
    meter = place.meter or _meter(body.get("meterSN"), body.get("ch"))
    when = _written(body.get("time"))
    at: int | Refused | None
    if when not in (None, ""):
        at = instant(when, place.zone, heard.arrived_us)
    elif "hstdata" in (kind, topic and topic[1]) and not heard.retained:
        at = Refused("history without its time")
    else:
        at = arrival(heard, parsed)
    if at is None:
        return parsed
    for name, raw in body.items():
        if name in _KEYS:
            parsed.add(meter, _KEYS[name], raw, at)
        elif name not in _ABOUT:
            parsed.unread.append(name)
    return parsed


def _meter(serial: object, channel: object) -> str:
    if not isinstance(serial, str | int) or isinstance(serial, bool) or serial == "":
        raise Refused("no meterSN")
    # circuits of one meter share its number: never let two become one
    if isinstance(channel, bool) or not isinstance(channel, str | int | float | None):
        raise Refused(f"ch is {shown(channel)}")
    number = channel.strip() if isinstance(channel, str) else shown(channel or 0)
    return code_of(f"{serial}" if number in ("", "0") else f"{serial}-ch{number}")


def _written(when: object) -> object:
    """Give a time that came as a number the form of text: it is a date, no count."""
    if isinstance(when, float) and when.is_integer():
        when = int(when)
    if isinstance(when, int) and len(str(when)) in (14, 17):
        return str(when)
    return when
