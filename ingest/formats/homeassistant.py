"""Home Assistant discovery: what a device says about the topics of its sensors.

A discovery message names a state topic, a unit, a class and a place in the payload. We
keep them, and read the state topic, which may be any topic, when it speaks.
"""

import re
from typing import Any

from ingest.formats.codes import below, joined
from ingest.formats.flat import TIMES
from ingest.formats.lessons import teach
from ingest.formats.wording import part, understood, words
from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    Reject,
    arrival,
    decoded,
    instant,
    shown,
)
from store.quantities import KEYS

NAME = "homeassistant/2"

_TOPIC = re.compile(r"homeassistant/(?P<component>\w+)/(?:([^/]+)/)?[^/]+/config")
_LONG = {
    "stat_t": "state_topic",
    "unit_of_meas": "unit_of_measurement",
    "dev_cla": "device_class",
    "stat_cla": "state_class",
    "val_tpl": "value_template",
    "lrst_val_tpl": "last_reset_value_template",
    "cmps": "components",
    "p": "platform",
    "dev": "device",
}
_TEMPLATE = re.compile(r"\{\{-?\s*value(?P<path>_json(?P<members>.*?))?\s*-?\}\}")
_MEMBER = re.compile(
    r"""\.([^\W\d]\w*)|\[\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\d{1,3}))\s*\]"""
)
# the unit as Home Assistant writes it -> as a key ends, and the class it goes without
_UNITS = {
    "Wh": ("wh", "energy"),
    "kWh": ("kwh", "energy"),
    "MWh": ("mwh", "energy"),
    "W": ("w", "power"),
    "kW": ("kw", "power"),
    "MW": ("mw", "power"),
    "VA": ("va", "apparent_power"),
    "kVA": ("kva", "apparent_power"),
    "var": ("var", "reactive_power"),
    "kvar": ("kvar", "reactive_power"),
    "V": ("v", "voltage"),
    "kV": ("kv", "voltage"),
    "A": ("a", "current"),
    "Hz": ("hz", "frequency"),
    "m³": ("m3", ""),
    "L": ("l", ""),
}
_QUANTITIES = {
    "energy": "energy_import",
    "gas": "natural_gas",
    **{
        each: each
        for each in (
            "power",
            "apparent_power",
            "reactive_power",
            "power_factor",
            "voltage",
            "current",
            "frequency",
            "water",
        )
    },
}
_LEVELS = frozenset(("sensor", "state", "status", "tele", "stat", "data"))
_SILENT = frozenset(
    ("", "nan", "unknown", "unavailable", "none", "null", "online", "offline")
)
_LONGEST = 256  # bytes of a topic and of a template: they become keys


def accepts(topic: str) -> bool:
    """Tell whether the topic is one of discovery."""
    return _TOPIC.fullmatch(topic) is not None


def learned(topic: str, known: Knowledge) -> bool:
    """Tell whether a discovery message has named the topic."""
    return bool(known.get(_state(topic)))


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Learn from a discovery message, or read a state that one has named.

    Raises
    ------
    Refused
        When the payload is not JSON, a discovery message is no object, or more was learned
        of the enterprise than can be kept.
    """
    found = _TOPIC.fullmatch(heard.topic)
    if found is None:
        return read(heard, place, known)
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    component = found["component"]
    if len(heard.topic.encode()) > _LONGEST:
        raise Refused(f"topic is longer than {_LONGEST} bytes")
    if not heard.payload.strip():  # the sensor was taken away
        _keep(heard.topic, [], known, parsed)
        return parsed
    body = decoded(heard.payload)
    if not isinstance(body, dict):
        raise Refused("payload is not a JSON object")
    body = _long(body)
    sensors = []
    if component == "device":
        parts = body.get("components")
        for each in parts.values() if isinstance(parts, dict) else ():
            if isinstance(each, dict) and _long(each).get("platform") == "sensor":
                sensors.append(body | {"name": None} | _long(each))
    elif component == "sensor":
        sensors.append(body)
    else:
        parsed.unread.append(component)
    entries = [_entry(each, heard.topic, place, parsed) for each in sensors]
    _keep(heard.topic, [each for each in entries if each], known, parsed)
    return parsed


def read(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read a state topic by what was learned of it.

    Raises
    ------
    Refused
        When nothing was, or the payload is not of the kind that was announced.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    text = heard.payload.decode(errors="replace").strip()
    if text.lower() in _SILENT:
        return parsed
    entries = known.get(_state(heard.topic))
    if not entries:
        if heard.retained:  # often comes before the discovery message; it is no news
            return parsed
        raise Refused("not known what this measures: no discovery message named it")
    body = decoded(heard.payload) if any(each["path"] for each in entries) else None
    for each in entries:
        if each["key"] is None:
            parsed.unread.append(each["name"])
            continue
        raw, when = _dig(body, each["path"]) if each["path"] else (text, None)
        if raw is None:
            continue
        at = (
            arrival(heard, parsed)
            if when is None
            else instant(when, place.zone, heard.arrived_us)
        )
        if at is not None:
            parsed.add(_meter(each, place.meter), each["key"], raw, at)
    return parsed


def _meter(entry: dict[str, Any], instead: str | None) -> str:
    rest = [entry["part"]] if entry["part"] else []
    return below(instead, *rest) if instead else joined(*entry["device"], *rest)


def _state(topic: str) -> str:
    return f"discovered/{topic}"


def _long(body: dict[str, Any]) -> dict[str, Any]:
    return {_LONG.get(key, key): value for key, value in body.items()}


def _entry(
    body: dict[str, Any], by: str, place: Place, parsed: Parsed
) -> dict[str, Any] | None:
    """Say how the states of one sensor are to be read; without key: not at all."""
    topic = _own(body, place)
    name = str(body.get("name") or by.split("/")[-2])[:100]
    if topic is None:
        parsed.unread.append(f"{name}: no state topic of this enterprise")
        return None
    path = _path(body.get("value_template"))
    levels = [each for each in topic.split("/") if each]
    levels = [each for each in levels if each.lower() not in _LEVELS] or levels
    said = words(levels[-1])
    inner = words(" ".join(str(step) for step in path or ()))
    if path:  # one topic for many quantities: the path tells the part
        sensor = [each for each in inner if each not in said]
    else:
        sensor, said = said, []
        levels = levels[:-1]
    rest = "_".join(part(sensor))
    try:
        if path is None:
            raise Refused(f"template {shown(body.get('value_template'))}")
        own = words(" ".join((*levels, *_device(body), *_ids(by))))
        if not body.get("name") and not body.get("device"):
            own += words(name)  # the id in the topic is all the name that it has
        key = _key(body, sensor, words(name), own, said)
    except Refused as refused:
        parsed.unread.append(f"{name}: {refused}")
        key = None
    return {
        "by": by,
        "topic": topic,
        "name": name.replace("\0", ""),
        "key": key,
        "path": path or [],
        "device": levels or ([] if rest else [topic]),
        "part": rest,
    }


def _device(body: dict[str, Any]) -> list[str]:
    """Give the names of the device that a discovery message states."""
    device = body.get("device")
    found = device.values() if isinstance(device, dict) else ()
    return [
        each[:100]
        for some in found
        for each in (some if isinstance(some, list) else [some])
        if isinstance(each, str)
    ][:20]


def _ids(by: str) -> list[str]:
    """Give the levels of a discovery topic that name the device, and no sensor."""
    _, component, *names, _ = by.split("/")
    *node, last = names
    ids = [each for each in re.split(r"[\W_]+", last) if _ID.fullmatch(each)]
    return [*node, last] if component == "device" else node + ids


_ID = re.compile(r"(?=.*\d)\w{5,}")


def _own(body: dict[str, Any], place: Place) -> str | None:
    """Give the state topic as we hear it: without the prefix of the enterprise."""
    topic, base = body.get("state_topic"), body.get("~")
    if not isinstance(topic, str):
        return None
    if isinstance(base, str):
        if topic.startswith("~"):
            topic = base + topic[1:]
        elif topic.endswith("~"):
            topic = topic[:-1] + base
    topic = topic.removeprefix(f"parkwatt/v1/{place.park}/{place.enterprise}/raw/")
    if not 0 < len(topic.encode()) <= _LONGEST or set(topic) & set("+#\0"):
        return None
    return None if topic.startswith("parkwatt/v1/") else topic


def _path(template: object) -> list[str | int] | None:
    """Give the members that a template walks; None: it does more than that."""
    if template is None or template == "":
        return []
    if not isinstance(template, str) or "\0" in template:
        return None
    if len(template.encode()) > _LONGEST:
        return None
    found = _TEMPLATE.fullmatch(template.strip())
    if found is None:
        return None
    members = (found["members"] or "").strip()
    steps: list[str | int] = []
    end = 0
    for each in _MEMBER.finditer(members):
        if each.start() != end:
            break
        end = each.end()
        name = each[1] or each[2] or each[3]
        steps.append(int(each[4]) if each[4] else name or "")
    return steps if end == len(members) else None


def _key(
    body: dict[str, Any],
    sensor: list[str],
    name: list[str],
    own: list[str],
    topic: list[str],
) -> str:
    """Give the key of the catalogue that a sensor stands for.

    Raises
    ------
    Refused
        Where class, unit and words leave it open.
    """
    unit = body.get("unit_of_measurement")
    tail, implied = _UNITS.get(unit, ("", "")) if isinstance(unit, str) else ("", "")
    kind = body.get("device_class") or implied
    quantity = _QUANTITIES.get(kind) if isinstance(kind, str) else None
    if quantity is None:
        raise Refused(f"class {shown(kind)} with unit {shown(unit)}")
    meaning = understood(str(kind), sensor, name, own, topic)
    if kind == "energy":
        if meaning.export and meaning.solar:
            raise Refused("export of solar energy may be generation or export")
        if meaning.export:
            quantity = "energy_export"
        elif meaning.solar:
            quantity = "pv_generation"
    elif meaning.export:
        raise Refused(
            "the sign of an export power is not known"
            if kind == "power"
            else f"an export of {kind} has no quantity"
        )
    elif kind == "power" and meaning.solar:
        quantity = "pv_power"
    elif meaning.phase:
        quantity += f"_{meaning.phase}"
    key = f"{quantity}_{tail}" if tail else quantity
    if key not in KEYS or (kind == "power_factor" and unit):
        raise Refused(f"class {shown(kind)} with unit {shown(unit)}")
    if KEYS[key].kind == "register":
        state = body.get("state_class")
        cycles = body.get("last_reset_value_template") is not None
        if state not in ("total_increasing", "total") or cycles:
            raise Refused(f"state class {shown(state)} does not make it a register")
    return key


def _keep(
    by: str, entries: list[dict[str, Any]], known: Knowledge, parsed: Parsed
) -> None:
    """Put what one discovery message said in the place of what it said before."""
    mine = f"discovery/{by}"
    before = known.get(mine)
    if before is None and not entries:
        return
    before = before or {"topics": [], "claims": [], "most": 0}
    news: dict[str, Any] = dict.fromkeys(before["claims"], "")
    claims = []
    for each in entries:
        if each["key"] is None:
            continue
        quantity = KEYS[each["key"]].quantity.name
        claim = f"claim/{_meter(each, None)}/{quantity}"
        holder = news[claim] if claim in news else known.get(claim)
        if holder:  # never two sensors in one series
            parsed.rejects.append(
                Reject(
                    f"{each['name']!r} is {quantity} of the same meter as the sensor of "
                    f"{holder!r}: rename one, or clear that message"
                )
            )
            each["key"] = None
        else:
            news[claim] = by
            claims.append(claim)
    topics = sorted({each["topic"] for each in entries})
    for topic in sorted({*before["topics"], *topics}):
        others = [e for e in known.get(_state(topic)) or [] if e["by"] != by]
        now = others + [e for e in entries if e["topic"] == topic]
        now.sort(key=lambda e: (e["by"], e["name"]))
        news[_state(topic)] = now
    most = max(before["most"], len(entries))
    news[mine] = {"topics": topics, "claims": claims, "most": most}
    teach(known, news, most - before["most"])


def _dig(body: Any, path: list[str | int]) -> tuple[Any, Any]:
    """Give the value at a path, and the time that stands nearest to it."""
    when = None
    for step in path:
        if isinstance(body, dict):
            times = (body[name] for name in TIMES if name in body)
            when = next(
                (each for each in times if isinstance(each, str | int | float)), when
            )
            body = body.get(str(step))
        elif isinstance(body, list) and isinstance(step, int) and step < len(body):
            body = body[step]
        else:
            return None, when
    return body, when
