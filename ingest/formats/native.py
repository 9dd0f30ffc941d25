"""The native wire format, version 1: docs/wire.md."""

from datetime import timedelta
from typing import Any

import msgspec

from ingest.reading import (
    LARGEST,
    Answer,
    Parsed,
    Reading,
    Refused,
    Reject,
    known_time,
    quantified,
    ratio,
    shown,
    time_us,
)
from store.quantities import KEYS
from store.readings import LONGEST_DELTA
from store.registry import is_code

NAME = "native/1"
PREFIX = "parkwatt/v1/"

_SCALES = {
    key: ratio(known.scale)
    for key, known in KEYS.items()
    if known.kind != "delta" and known.low is None
}
_NUMBERS = frozenset((int, float))
_LOW = -LARGEST
_LONGEST_US = LONGEST_DELTA // timedelta(microseconds=1)
_OWN = frozenset(("park", "enterprise", "meter"))
_RESERVED = frozenset(("at", "from", "to")) | _OWN


def accepts(topic: str) -> bool:
    """Tell whether a topic is of this format."""
    return topic.startswith(PREFIX)


def silent(topic: str) -> bool:
    """Tell whether a topic is our own answer, which holds no reading."""
    return topic.startswith(PREFIX) and topic.endswith("/ack")


def parse(topic: str, payload: bytes, arrived_us: int) -> Parsed:
    """Read one message.

    Raises
    ------
    Refused
        When nothing of it can be read.
    """
    levels = topic.split("/")
    if len(levels) != 6 or levels[5] not in ("readings", "batch"):
        raise Refused(
            f"topic is not {PREFIX}park/enterprise/meter/readings or "
            f"{PREFIX}park/enterprise/gateway/batch"
        )
    _, _, park, enterprise, sender, form = levels
    for code in (park, enterprise, sender):
        if not is_code(code):
            raise Refused(f"code {code[:70]!r} in the topic has other characters")
    body = _decode(payload)
    parsed = Parsed(park=park, enterprise=enterprise)
    own = {"park": park, "enterprise": enterprise}
    if form == "readings":
        _meter(parsed, own, sender, body, arrived_us)
    else:
        _batch(
            parsed, own, f"{PREFIX}{park}/{enterprise}/{sender}/ack", body, arrived_us
        )
    return parsed


def _decode(payload: bytes) -> dict[str, Any]:
    if not payload:
        raise Refused("payload is empty")
    try:
        body = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        raise Refused(f"payload is not JSON: {str(error)[:120]}") from None
    if not isinstance(body, dict):
        raise Refused("payload is not a JSON object")
    return body


def _batch(
    parsed: Parsed,
    own: dict[str, str],
    answer_topic: str,
    body: dict[str, Any],
    arrived_us: int,
) -> None:
    boot, seq, meters = body.get("boot"), body.get("seq"), body.get("meters")
    if (
        not isinstance(boot, str)
        or not 1 <= len(boot) <= 64
        or isinstance(seq, bool)
        or not isinstance(seq, int)
        or seq < 0
    ):
        raise Refused(
            "batch needs boot (1-64 characters) and seq (whole number from 0)"
        )
    if not isinstance(meters, dict):
        raise Refused("batch needs meters: an object of meter code and readings")
    parsed.answer = Answer(
        answer_topic, msgspec.json.encode({"boot": boot, "seq": seq})
    )
    _agree(body, own)
    for key in body.keys() - _OWN - {"boot", "seq", "meters"}:
        parsed.rejects.append(Reject(f"{key[:70]!r} stands beside meters"))
    for meter, readings in meters.items():
        if not is_code(meter):
            parsed.rejects.append(
                Reject(
                    f"meter code {meter[:70]!r} has other characters",
                    _values(readings),
                )
            )
        else:
            _many(parsed, own, meter, readings, arrived_us)


def _values(readings: object) -> int:
    """Count the values of readings that are refused together."""
    if not isinstance(readings, list):
        return 1
    counts = (
        len(each.keys() - _RESERVED) if isinstance(each, dict) else 1
        for each in readings
    )
    return max(1, sum(max(1, count) for count in counts))


def _meter(
    parsed: Parsed,
    own: dict[str, str],
    meter: str,
    body: dict[str, Any],
    arrived_us: int,
) -> None:
    if "readings" not in body:
        _instant(parsed, {**own, "meter": meter}, meter, body, arrived_us)
        return
    _agree(body, {**own, "meter": meter})
    for key in body.keys() - _OWN - {"readings"}:
        parsed.rejects.append(Reject(f"{key[:70]!r} stands beside readings"))
    _many(parsed, own, meter, body["readings"], arrived_us)


def _many(
    parsed: Parsed,
    own: dict[str, str],
    meter: str,
    readings: object,
    arrived_us: int,
) -> None:
    if not isinstance(readings, list):
        parsed.rejects.append(Reject("readings is not a list"))
        return
    own = {**own, "meter": meter}
    for each in readings:
        if not isinstance(each, dict):
            parsed.rejects.append(Reject("a reading is not a JSON object"))
        elif not _usual(parsed, meter, each, arrived_us):
            _instant(parsed, own, meter, each, arrived_us)


def _usual(parsed: Parsed, meter: str, body: dict[str, Any], arrived_us: int) -> bool:
    """Read an instant of plain numbers at a known time, with the same outcome as below.

    Most are, and this is three times as fast. False: nothing of it was read.
    """
    at = known_time(body.get("at"), arrived_us)
    if at is None:
        return False
    found = []
    for key, raw in body.items():
        if key == "at":
            continue
        scale = _SCALES.get(key)
        if scale is None or type(raw) not in _NUMBERS or not _LOW < raw < LARGEST:
            return False
        value = raw * scale[0] / scale[1]
        if not _LOW < value < LARGEST:
            return False
        found.append(Reading(meter, key, at, value))
    parsed.readings += found
    return bool(found)


def _agree(body: dict[str, Any], own: dict[str, str]) -> None:
    """Refuse a payload that names another owner than its topic."""
    for name in _OWN & body.keys():
        if body[name] != own.get(name, body[name]):
            raise Refused(
                f"payload says {name} {shown(body[name])}, the topic {own[name]!r}"
            )


def _instant(
    parsed: Parsed,
    own: dict[str, str],
    meter: str,
    body: dict[str, Any],
    arrived_us: int,
) -> None:
    """Read one instant: each value on its own, so that a bad one spoils no other."""
    values = [item for item in body.items() if item[0] not in _RESERVED]
    at: int | Refused | None = None
    span: tuple[int, int] | Refused | None = None
    try:
        if not values:
            raise Refused("reading has no quantity")
        if not _OWN.isdisjoint(body):
            _agree(body, own)
    except Refused as refused:
        parsed.rejects.append(Reject(str(refused), max(1, len(values))))
        return
    for key, raw in values:
        if raw is None:  # not measured
            continue
        try:
            known = KEYS.get(key)
            if known is None:
                raise Refused(f"unknown key {key[:70]!r}")
            if known.kind == "delta":
                span = span or _span(body, arrived_us)
                begin, end = _or_raise(span)
                value = quantified(raw, known)
                parsed.readings.append(Reading(meter, key, begin, value, end))
            else:
                if at is None:
                    at = _at(body, arrived_us)
                if isinstance(at, Refused):
                    raise at
                value = quantified(raw, known)
                parsed.readings.append(Reading(meter, key, at, value))
        except Refused as refused:
            parsed.rejects.append(Reject(str(refused)))


def _at(body: dict[str, Any], arrived_us: int) -> int | Refused:
    try:
        return time_us(body.get("at"), arrived_us)
    except Refused as refused:
        return refused


def _span(body: dict[str, Any], arrived_us: int) -> tuple[int, int] | Refused:
    try:
        if "from" not in body or "to" not in body:
            raise Refused("an interval amount needs from and to")
        begin = time_us(body["from"], arrived_us)
        end = time_us(body["to"], arrived_us)
        if end <= begin:
            raise Refused("to is not after from")
        if end - begin > _LONGEST_US:
            raise Refused("an interval amount is of at most 366 days")
    except Refused as refused:
        return refused
    return begin, end


def _or_raise(span: tuple[int, int] | Refused) -> tuple[int, int]:
    if isinstance(span, Refused):
        raise span
    return span
