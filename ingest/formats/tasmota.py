"""Tasmota: the object ENERGY of its SENSOR messages.

Times are local without zone, energy is in kWh. `Total` already holds all tariffs.
"""

import re
from typing import Any

from ingest.formats.codes import joined
from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    Reject,
    arrival,
    decoded,
    from_text,
    instant,
    number,
)

NAME = "tasmota/1"

_PREFIXES = ("tele", "stat")
_READ = ("SENSOR", "STATUS8", "STATUS10")
_OTHER = re.compile(r"LWT|STATE|STATUS\d*|RESULT|UPTIME|MARGINS|INFO\d|POWER\d*")
_SUMS = {
    "Total": "energy_import_kwh",
    "ExportActive": "energy_export_kwh",
    "Power": "power_w",
    "ApparentPower": "apparent_power_va",
    "ReactivePower": "reactive_power_var",
}
_PHASES = {"Voltage": ("voltage", "_v"), "Current": ("current", "_a")}
_SINGLE = {"Factor": "power_factor", "Frequency": "frequency_hz"}


def accepts(topic: str) -> bool:
    """Tell whether the topic is one of such a device, in any FullTopic."""
    *levels, last = topic.split("/")
    return not set(levels).isdisjoint(_PREFIXES) and (
        last in _READ or _OTHER.fullmatch(last) is not None
    )


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one message.

    Raises
    ------
    Refused
        When there is no object ENERGY in it or the topic names no device.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    *levels, last = heard.topic.split("/")
    if last not in _READ:  # the state of a relay, of the network, ...
        parsed.unread.append(last)
        return parsed
    named = [each for each in levels if each and each not in _PREFIXES]
    if not named and not place.meter:
        raise Refused("the topic names no device: FullTopic needs %topic%")
    meter = place.meter or joined(*named)
    body = decoded(heard.payload)
    if isinstance(body, dict):
        body = body.get("StatusSNS", body)
    energy = body.get("ENERGY") if isinstance(body, dict) else None
    if not isinstance(energy, dict):
        raise Refused("no object ENERGY in it: a mapping is needed")
    when = body.get("Time")
    at = (
        arrival(heard, parsed)
        if when is None
        else instant(when, place.zone, heard.arrived_us)
    )
    if at is not None:
        for name, raw in energy.items():
            _value(parsed, meter, name, raw, at)
    parsed.unread += [each for each in body if each not in ("Time", "ENERGY")]
    return parsed


def _value(parsed: Parsed, meter: str, name: str, raw: Any, at: int | Refused) -> None:
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    if name in _SUMS:
        try:
            total = _sum(raw) if isinstance(raw, list) else raw
        except Refused as refused:
            parsed.rejects.append(Reject(f"{name}: {refused}"))
        else:
            parsed.add(meter, _SUMS[name], total, at)
    elif name in _PHASES and isinstance(raw, list) and len(raw) <= 3:
        lead, unit = _PHASES[name]
        for phase, value in zip("abc", raw, strict=False):
            parsed.add(meter, f"{lead}_{phase}{unit}", value, at)
    elif name in _PHASES:
        parsed.add(meter, "".join(_PHASES[name]), raw, at)
    elif name in _SINGLE and not isinstance(raw, list):
        parsed.add(meter, _SINGLE[name], raw, at)
    else:
        parsed.unread.append(f"ENERGY.{name}")


def _sum(values: list[Any]) -> float | None:
    """Add the phases; where one is not measured the sum is not known."""
    if not values or None in values:
        return None
    return sum(number(from_text(each), 1.0) for each in values)
