"""Sparkplug B: an edge node for each gateway, a device for each meter.

Eclipse Sparkplug specification 3.0.0: topics in chapter 4, payloads in chapter 6. Births
name the metrics and give them aliases, their values null; data carry the aliases alone.
Numbers are those of the specification's protobuf schema (section 6.4.1).
"""

import struct
from collections.abc import Iterable

from simulators.formats.common import Encode, Number, Place, each, raw
from simulators.meter import Message, Meter, Shown

_INT64, _DOUBLE, _BOOLEAN = 4, 10, 11  # data types
_VARINT, _FIXED64, _BYTES = 0, 1, 2  # protobuf's wire types


def carried(keys: Iterable[str]) -> list[str]:
    """All."""
    return list(keys)


def code_of(meter: Meter, place: Place) -> str:
    """Return group, node and device: a device's name is its own only below its node."""
    return f"{place.park}.{_node(meter)}.{meter.code}"


def encoder(place: Place) -> Encode:
    """Return how to write data, with the births where they were not yet sent."""
    nodes: dict[tuple[str, str], _Node] = {}

    def encode(shown: Shown) -> list[Message]:
        if not shown.at_s.size:
            return []
        meter = shown.meter
        name = (meter.enterprise, _node(meter))
        if name not in nodes:
            nodes[name] = _Node(f"{raw(meter, place)}/spBv1.0/{place.park}", name[1])
        return nodes[name].told(shown)

    return encode


class _Node:
    """One edge node: the aliases it has given, and where its sequence stands."""

    def __init__(self, group: str, name: str) -> None:
        self._group, self._name = group, name
        self._aliases: dict[str, dict[str, int]] = {}  # device -> metric -> alias
        self._given = 0
        self._seq = -1

    def told(self, shown: Shown) -> list[Message]:
        first_s, first_ms = int(shown.at_s[0]), int(shown.stamp_us[0]) // 1000
        device = shown.meter.code
        births = []
        if self._seq < 0:
            metrics = [
                metric(first_ms, name="bdSeq", datatype=_INT64, whole=0),
                metric(
                    first_ms,
                    name="Node Control/Rebirth",
                    datatype=_BOOLEAN,
                    truth=False,
                ),
            ]
            births.append(self._message("NBIRTH", "", first_s, first_ms, metrics, 0))
        if device not in self._aliases:
            self._aliases[device] = self._name_metrics(carried(shown.values))
            metrics = [
                metric(first_ms, name=key, alias=alias, datatype=_DOUBLE)
                for key, alias in self._aliases[device].items()
            ]
            births.append(
                self._message("DBIRTH", device, first_s, first_ms, metrics, 0)
            )
        return [*births, self._data(shown, self._aliases[device])]

    def _name_metrics(self, keys: list[str]) -> dict[str, int]:
        first, self._given = self._given + 1, self._given + len(keys)
        return dict(zip(keys, range(first, self._given + 1), strict=True))

    def _data(self, shown: Shown, aliases: dict[str, int]) -> Message:
        metrics: list[bytes] = []
        readings = at_ms = 0
        for instant in each(shown, list(aliases)):
            at_ms = instant.stamp_us // 1000
            readings += instant.readings
            metrics += [
                metric(at_ms, alias=aliases[key], value=value)
                for key, value in instant.values.items()
            ]
        return self._message(
            "DDATA", shown.meter.code, int(shown.at_s[-1]), at_ms, metrics, readings
        )

    def _message(
        self,
        kind: str,
        device: str,
        due_s: int,
        at_ms: int,
        metrics: list[bytes],
        readings: int,
    ) -> Message:
        self._seq = (self._seq + 1) % 256
        topic = f"{self._group}/{kind}/{self._name}"
        return Message(
            due_s=due_s,
            topic=f"{topic}/{device}" if device else topic,
            payload=payload(at_ms, metrics, self._seq),
            readings=readings,
        )


def payload(at_ms: int, metrics: list[bytes], seq: int) -> bytes:
    """Write a payload of metrics."""
    body = b"".join(_field(2, _BYTES) + _varint(len(each)) + each for each in metrics)
    return b"".join(
        (_field(1, _VARINT), _varint(at_ms), body, _field(3, _VARINT), _varint(seq))
    )


def metric(
    at_ms: int,
    *,
    name: str | None = None,
    alias: int | None = None,
    datatype: int | None = None,
    value: Number = None,
    whole: int | None = None,
    truth: bool | None = None,
) -> bytes:
    """Write one metric; without any value it is null."""
    parts = []
    if name is not None:
        text = name.encode()
        parts += [_field(1, _BYTES), _varint(len(text)), text]
    if alias is not None:
        parts += [_field(2, _VARINT), _varint(alias)]
    parts += [_field(3, _VARINT), _varint(at_ms)]
    if datatype is not None:
        parts += [_field(4, _VARINT), _varint(datatype)]
    if value is not None:
        parts += [_field(13, _FIXED64), struct.pack("<d", value)]
    elif whole is not None:
        parts += [_field(11, _VARINT), _varint(whole)]
    elif truth is not None:
        parts += [_field(14, _VARINT), _varint(truth)]
    else:
        parts += [_field(7, _VARINT), _varint(True)]
    return b"".join(parts)


def _node(meter: Meter) -> str:
    return meter.gateway or meter.enterprise


def _field(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(number: int) -> bytes:
    """Write seven bits a byte, the lowest first, the top bit where more follow."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)
