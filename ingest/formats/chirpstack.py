"""ChirpStack v4: uplinks of LoRaWAN devices, as JSON.

Event `up` of the ChirpStack documentation (Integrations, Event types). Only the decoded
`object` is read, which a codec in the device profile makes. An uplink that comes twice
(`deduplicationId`) has the same device, time and values: its readings are duplicates by
their key, so the identifier is not needed. An object within it is a meter of its own:
its name alone tells the circuits of a device apart.
"""

import re
from collections import Counter
from typing import Any

from ingest.formats.codes import below, joined
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
)
from store.quantities import KEYS

NAME = "chirpstack/1"
_UPLINK = re.compile(r"application/[^/]+/device/([^/]+)/event/(\w+)")


def accepts(topic: str) -> bool:
    """Tell whether a topic is an event of a device."""
    return _UPLINK.fullmatch(topic) is not None


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one uplink; other events (join, ack, status, …) give nothing.

    Raises
    ------
    Refused
        When the payload is not decoded, or no key of it names a quantity.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    topic = _UPLINK.search(heard.topic)
    if topic and topic[2] != "up":
        return parsed
    body = decoded(heard.payload)
    if not isinstance(body, dict):
        raise Refused("payload is not a JSON object")
    inner = body.get("object")
    if not isinstance(inner, dict):
        if not body.get("data"):  # an uplink of the network alone
            return parsed
        raise Refused("no decoded object: set a codec in the device profile")
    values = _flat(inner)
    if not any(_is_key(key) for _, key, _ in values):
        raise Refused("no key names a quantity and its unit: a mapping is needed")
    meter = place.meter or _device(body, topic[1] if topic else None)
    when = body.get("time")
    at = (
        arrival(heard, parsed)
        if when is None
        else instant(when, place.zone, heard.arrived_us)
    )
    if at is None:
        return parsed
    seen = Counter((part, key) for part, key, _ in values)
    for part, key, raw in values:
        path = f"{part}.{key}" if part is not None else key
        if not _is_key(key):
            parsed.unread.append(path)
        elif seen[part, key] > 1:
            reason = f"{path[:70]!r}: {key} stands twice: a mapping is needed"
            parsed.rejects.append(Reject(reason))
        else:
            whose = meter if part is None else below(meter, part)
            parsed.add(whose, key, raw, at)
    return parsed


def _flat(inner: dict[str, Any]) -> list[tuple[str | None, str, Any]]:
    """Give key and value, also of what is nested one level, and the name it is below."""
    values: list[tuple[str | None, str, Any]] = []
    for name, raw in inner.items():
        if isinstance(raw, dict):
            values += [(name.strip(), key.strip(), raw[key]) for key in raw]
        else:
            values.append((None, name.strip(), raw))
    return values


def _is_key(name: str) -> bool:
    return name in KEYS and KEYS[name].kind != "delta"


def _device(body: dict[str, Any], named: str | None) -> str:
    info = body.get("deviceInfo")
    identity = named or (info.get("devEui") if isinstance(info, dict) else None)
    if not isinstance(identity, str) or not identity:
        raise Refused("no devEui in topic or payload")
    return joined(identity)
