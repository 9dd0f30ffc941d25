"""Shelly of the second generation and later: RPC notifications and status topics.

Energy is in Wh, power in W. A three-phase meter (`em`) is one meter under the device's
name; each channel of the others is a meter of its own: `{device}.{channel}`. A switch
and a meter of one number, where both count, are two.
"""

import re
from typing import Any

from ingest.formats.codes import channel_of, joined
from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    arrival,
    decoded,
    from_text,
    instant,
)

NAME = "shelly2/1"

_TOPIC = re.compile(
    r"(?:(?P<device>.+)/)?"
    r"(?:events/rpc|status/(?P<component>[a-z0-9_]+:\d+)|(?:status/(?:sys|wifi|eth|ble|cloud|mqtt|ws)|online))"
)
_EM1 = {
    "act_power": "power_w",
    "aprt_power": "apparent_power_va",
    "voltage": "voltage_v",
    "current": "current_a",
    "pf": "power_factor",
    "freq": "frequency_hz",
}
_SWITCH = _EM1 | {"apower": "power_w", "aprtpower": "apparent_power_va"}
_KEYS: dict[str, dict[str, str]] = {
    "em": {
        "total_act_power": "power_w",
        "total_aprt_power": "apparent_power_va",
        **{f"{phase}_voltage": f"voltage_{phase}_v" for phase in "abc"},
        **{f"{phase}_current": f"current_{phase}_a" for phase in "abc"},
    },
    "emdata": {"total_act": "energy_import_wh", "total_act_ret": "energy_export_wh"},
    "em1": _EM1,
    "em1data": {
        "total_act_energy": "energy_import_wh",
        "total_act_ret_energy": "energy_export_wh",
    },
    "switch": _SWITCH,
    "pm1": _SWITCH,
    "cover": _SWITCH,
}
_COUNTERS = {"aenergy": "energy_import_wh", "ret_aenergy": "energy_export_wh"}
_LIVE_V = 1.0  # below it a phase is not connected, and current and frequency are noise


def accepts(topic: str) -> bool:
    """Tell whether the topic is one of such a device."""
    return _TOPIC.fullmatch(topic) is not None


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one notification, or the status of one component.

    Raises
    ------
    Refused
        When the payload is no JSON object or the topic names no device.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    found = _TOPIC.fullmatch(heard.topic)
    rpc = heard.topic.endswith("events/rpc")
    if not found or not (rpc or found["component"]):  # wifi, online, ...
        parsed.unread.append(heard.topic.rpartition("/")[2])
        return parsed
    levels = [each for each in (found["device"] or "").split("/") if each]
    if not levels and not place.meter:
        raise Refused("the topic names no device: set its MQTT prefix")
    device = place.meter or joined(*levels)
    body = decoded(heard.payload)
    if not isinstance(body, dict):
        raise Refused("payload is not a JSON object")
    components: Any = body.get("params") if rpc else {found["component"]: body}
    if not isinstance(components, dict):
        raise Refused("params is not a JSON object")
    if rpc and body.get("method") not in ("NotifyStatus", "NotifyFullStatus"):
        parsed.unread.append(str(body.get("method")))
        return parsed
    when = _time(components) if rpc else None
    at = (
        arrival(heard, parsed)
        if when is None
        else instant(when, place.zone, heard.arrived_us)
    )
    if at is None:
        return parsed
    # of two kinds with one number the meter proper is the first
    for name in sorted(components, key=lambda name: not name.startswith("em")):
        fields = components[name]
        if isinstance(fields, dict):
            _component(parsed, device, name, fields, at, known)
    return parsed


def _time(components: dict[str, Any]) -> object:
    """Give the time of a notification, or the minute of a counter in it."""
    if components.get("ts") is not None:
        return components["ts"]
    counters = (
        fields.get("aenergy")
        for fields in components.values()
        if isinstance(fields, dict)
    )
    return next(
        (each.get("minute_ts") for each in counters if isinstance(each, dict)), None
    )


def _component(
    parsed: Parsed,
    device: str,
    name: str,
    fields: dict[str, Any],
    at: int | Refused,
    known: Knowledge,
) -> None:
    # the id inside may be wrong: the name counts
    kind, _, channel = name.partition(":")
    keys = _KEYS.get(kind)
    if keys is None:
        parsed.unread.append(name)
        return
    whole = kind in ("em", "emdata") and channel == "0"
    dead = {
        field.removesuffix("voltage")
        for field, raw in fields.items()
        if field.endswith("voltage") and _dead(raw)
    }
    counters = _COUNTERS if keys is _SWITCH else {}
    for phase in "abc" if kind == "em" else "":  # one of them is that of the mains
        if f"{phase}_freq" in fields and f"{phase}_" not in dead:
            keys = {**keys, f"{phase}_freq": "frequency_hz"}
            break
    found: list[tuple[str, Any]] = []
    for field, raw in fields.items():
        if field in counters:
            total = raw.get("total") if isinstance(raw, dict) else None
            found.append((counters[field], total))
        elif field not in keys:
            if field != "id":
                parsed.unread.append(f"{name}.{field}")
        elif not _nonsense(field, dead):
            found.append((keys[field], raw))
    found = [(key, raw) for key, raw in found if raw is not None and raw != ""]
    if not found:  # a switch that does not count has no meter
        return
    family = kind.removesuffix("data")
    meter = device if whole else channel_of(device, family, channel, known)
    for key, raw in found:
        parsed.add(meter, key, raw, at)


def _dead(raw: object) -> bool:
    volts = from_text(raw)
    return isinstance(volts, int | float) and abs(volts) < _LIVE_V


def _nonsense(field: str, dead: set[str]) -> bool:
    lead = field[:2] if field[:2] in ("a_", "b_", "c_") else ""
    return lead in dead and field.removeprefix(lead) in (
        "voltage",
        "current",
        "freq",
        "pf",
    )
