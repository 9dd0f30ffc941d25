"""Sparkplug B: protobuf metrics of an edge node and its devices.

Eclipse Sparkplug specification 3.0.0 (ISO/IEC 20237): topics in chapter 4, payloads in
chapter 6. A birth certificate tells name, alias, datatype and unit of each metric; later
data may carry the alias alone. A metric is read where its name is a key of the
catalogue, or where name and unit property together are one; all others are unread.
"""

import re
import zlib
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from ingest.formats.codes import joined
from ingest.formats.lessons import teach
from ingest.reading import (
    Heard,
    Knowledge,
    Parsed,
    Place,
    Refused,
    Reject,
    instant,
)
from store.quantities import KEYS

NAME = "sparkplug/1"
_ROOT = "spBv1.0/"

# Field numbers and types are those of the specification's schema (section 6.4.1). Only
# what is read is here; protobuf skips the rest. Text is taken as bytes, which look the
# same on the wire: the schema is proto2, which does not promise that text is UTF-8.
_SCHEMA = {
    "Payload": {
        "timestamp": (1, "uint64"),
        "metrics": (2, "[Metric]"),
        "seq": (3, "uint64"),
        "uuid": (4, "bytes"),
        "body": (5, "bytes"),
    },
    "Metric": {
        "name": (1, "bytes"),
        "alias": (2, "uint64"),
        "timestamp": (3, "uint64"),
        "datatype": (4, "uint32"),
        "is_historical": (5, "bool"),
        "is_transient": (6, "bool"),
        "is_null": (7, "bool"),
        "properties": (9, "Properties"),
        "int_value": (10, "uint32"),
        "long_value": (11, "uint64"),
        "float_value": (12, "float"),
        "double_value": (13, "double"),
        "boolean_value": (14, "bool"),
        "string_value": (15, "bytes"),
        "bytes_value": (16, "bytes"),
        "dataset_value": (17, "bytes"),
        "template_value": (18, "bytes"),
        "extension_value": (19, "bytes"),
    },
    "Properties": {"keys": (1, "[bytes]"), "values": (2, "[Property]")},
    "Property": {"string_value": (8, "bytes")},
}


def _message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="sparkplug.proto", package="sparkplug", syntax="proto2"
    )
    for message, fields in _SCHEMA.items():
        made = file.message_type.add(name=message)
        made.oneof_decl.add(name="value")
        for name, (number, kind) in fields.items():
            each = made.field.add(name=name, number=number)
            many, kind = kind.startswith("["), kind.strip("[]")
            each.label = each.LABEL_REPEATED if many else each.LABEL_OPTIONAL
            if kind in _SCHEMA:
                each.type, each.type_name = each.TYPE_MESSAGE, f".sparkplug.{kind}"
            else:
                each.type = each.Type.Value(f"TYPE_{kind.upper()}")
            if name.endswith("_value"):
                each.oneof_index = 0
        if not any(each.HasField("oneof_index") for each in made.field):
            del made.oneof_decl[:]
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("sparkplug.Payload")
    )


_Payload = _message_class()

_MOST = 10_000  # metrics; a payload of the largest size holds no more that say anything
_INFLATED = 262_144  # bytes: compression is no way round the limit of docs/wire.md
_LONGEST = 200  # of a name that is looked at; caches and the database stay small
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}  # datatype -> bits
_UNKNOWN = 0
_NO_NUMBERS = {
    "bytes_value": "bytes are no number",
    "dataset_value": "a data set is no number: send its columns as metrics",
    "template_value": "a template is no number: send its members as metrics",
    "extension_value": "an extension is no number",
}

# Written as units are; case counts, as mW is not MW.
_UNITS = {
    written: unit
    for unit, ways in {
        "wh": "Wh WH wh",
        "kwh": "kWh KWh KWH Kwh kwh kW.h kW·h",
        "mwh": "MWh MWH",
        "varh": "varh VArh Varh",
        "kvarh": "kvarh kVArh kVarh KVARH",
        "mvarh": "Mvarh MVArh",
        "w": "W w Watt Watts watt watts",
        "kw": "kW KW Kw kw",
        "mw": "MW",
        "var": "var VAr Var VAR",
        "kvar": "kvar kVAr kVar KVAR",
        "mvar": "Mvar MVAr MVar",
        "va": "VA va",
        "kva": "kVA KVA kva",
        "mva": "MVA",
        "v": "V v Volt Volts volt volts",
        "kv": "kV KV",
        "a": "A a Amp Amps amp amps Ampere ampere",
        "ka": "kA KA",
        "hz": "Hz HZ hz Hertz hertz",
        "percent": "% percent",
        "m3": "m3 m³ m^3",
        "l": "l L",
        "m3_h": "m3/h m³/h m^3/h",
        "l_h": "l/h L/h",
        "t": "t",
        "kg": "kg",
        "t_h": "t/h",
        "kg_h": "kg/h",
        "gj": "GJ",
        "mj": "MJ",
        "gj_h": "GJ/h",
        "mj_h": "MJ/h",
    }.items()
    for written in ways.split()
}
_NO_UNIT = frozenset(("-", "–", "1", "none", "None", "n/a", "N/A", "null"))
_UNIT_PROPERTIES = frozenset(("engunit", "engineeringunit", "engineeringunits", "unit"))
# A bare "energy" is not here: it may be a register or the energy of an interval.
_WELL_KNOWN = {
    "active_power": "power",
    "total_active_power": "power",
    "total_reactive_power": "reactive_power",
    "total_apparent_power": "apparent_power",
    "pf": "power_factor",
    "total_power_factor": "power_factor",
    "freq": "frequency",
    "active_energy_import": "energy_import",
    "import_active_energy": "energy_import",
    "forward_active_energy": "energy_import",
    "active_energy_export": "energy_export",
    "export_active_energy": "energy_export",
    "reverse_active_energy": "energy_export",
    "voltage_l1": "voltage_a",
    "voltage_l2": "voltage_b",
    "voltage_l3": "voltage_c",
    "current_l1": "current_a",
    "current_l2": "current_b",
    "current_l3": "current_c",
}


class _Stream(NamedTuple):
    """Who speaks, and what kind of message it is."""

    kind: str
    node: str  # group/node
    name: str  # group/node or group/node/device
    device: bool


def accepts(topic: str) -> bool:
    """Tell whether a topic is of the Sparkplug B namespace."""
    return topic.startswith(_ROOT)


def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
    """Read one message; a birth certificate also teaches.

    A gap in the sequence numbers of a node loses no value that is here, so nothing is
    refused for it. It is counted beside the last number, in what is known of the node.

    Raises
    ------
    Refused
        When the topic or the payload is none of Sparkplug B.
    """
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    stream = _stream(heard.topic)
    if stream is None:
        return parsed
    if not heard.payload:
        raise Refused("payload is empty")
    payload = _payload(heard.payload)
    if payload.body:
        parsed.unread.append("body")
    _count_gaps(stream, payload, known)
    if stream.kind.endswith("DEATH"):  # no values: from here on they are unknown
        return parsed
    if stream.kind.endswith("BIRTH"):
        try:
            _learn(stream, payload, heard, known)
        except Refused as reason:  # what has a name says what it is all the same
            parsed.rejects.append(Reject(str(reason)))
    _read(parsed, stream, payload, heard, place, _lesson(stream, known))
    return parsed


def _payload(raw: bytes) -> Any:
    """Decode a payload, and the one that stands compressed within it.

    Eclipse Tahu's way, which the specification does not have: the identifier, the bytes
    as body, and a metric `algorithm`; without it they are DEFLATE with zlib's header.
    """
    payload = _decoded(raw)
    if payload.uuid != b"SPBV1.0_COMPRESSED":
        return payload
    named = [each for each in payload.metrics if _text(each.name) == "algorithm"]
    algorithm = _text(named[0].string_value).upper() if named else "DEFLATE"
    if algorithm not in _ALGORITHMS:
        raise Refused(
            f"payload is compressed by {algorithm[:20]!r}, which is not known"
        )
    inner = _decoded(_inflated(payload.body, _ALGORITHMS[algorithm]))
    if inner.uuid == payload.uuid:
        raise Refused("payload is compressed twice")
    for field in ("timestamp", "seq"):
        if payload.HasField(field) and not inner.HasField(field):
            setattr(inner, field, getattr(payload, field))
    return inner


_ALGORITHMS = {"DEFLATE": zlib.MAX_WBITS, "GZIP": zlib.MAX_WBITS | 16}


def _decoded(raw: bytes) -> Any:
    try:
        payload = _Payload.FromString(raw)
    except DecodeError:
        raise Refused("payload is not Sparkplug B") from None
    if len(payload.metrics) > _MOST:
        raise Refused(f"more than {_MOST} metrics")
    return payload


def _inflated(body: bytes, form: int) -> bytes:
    inflater = zlib.decompressobj(form)
    try:
        raw = inflater.decompress(body, _INFLATED + 1)
    except zlib.error:
        raise Refused("compressed payload cannot be inflated") from None
    if len(raw) > _INFLATED:
        raise Refused(f"compressed payload holds more than {_INFLATED} bytes")
    if not inflater.eof:
        raise Refused("compressed payload is cut off")
    return raw


def _stream(topic: str) -> _Stream | None:
    levels = topic.partition(_ROOT)[2].split("/")
    if levels[0] == "STATE":
        return None
    kind = levels[1] if len(levels) in (3, 4) else ""
    if kind not in _KINDS.get(len(levels), ()):
        raise Refused(f"topic is not {_ROOT}group/type/node or …/node/device")
    if kind.endswith("CMD") or kind == "NDEATH":  # a death by will has no number
        return None
    node = f"{levels[0]}/{levels[2]}"
    device = len(levels) == 4
    return _Stream(kind, node, f"{node}/{levels[3]}" if device else node, device)


_KINDS = {
    3: ("NBIRTH", "NDATA", "NDEATH", "NCMD"),
    4: ("DBIRTH", "DDATA", "DDEATH", "DCMD"),
}


def _count_gaps(stream: _Stream, payload: Any, known: Knowledge) -> None:
    if not payload.HasField("seq"):
        return
    place = f"{stream.node}#seq"  # no topic has a #
    last, gaps = known.get(place) or (None, 0)
    if stream.kind != "NBIRTH" and last is not None:
        gaps += payload.seq not in (last, (last + 1) % 256)  # the same: sent again
    with suppress(Refused):  # a node too many is not counted
        teach(known, {place: [payload.seq, gaps]})


def _learn(stream: _Stream, payload: Any, heard: Heard, known: Knowledge) -> None:
    aliases: dict[str, str] = {}  # to the name; to nothing where it is of two metrics
    metrics, refused = {}, {}
    series: dict[str, str] = {}
    for metric in payload.metrics:
        name = _text(metric.name)
        if not name:
            continue
        if metric.HasField("alias"):
            other = aliases.setdefault(str(metric.alias), name)
            if other != name:
                aliases[str(metric.alias)] = ""
                reason = f"alias {metric.alias} is that of two metrics"
                refused[name] = refused[other or name] = reason
        unit = _unit(metric)
        key = _key(name, unit)
        if key is not None:
            metrics[name] = [metric.datatype, unit]
        if key is None or isinstance(key, Refused) or metric.is_transient:
            continue
        if clash := _clash(series, {}, name, key):
            refused.setdefault(name, clash)
    # aliases are those of a node's life: after its next birth, a device's old ones
    # may mean something else
    if stream.device:
        birth = _birth(stream, known)
    elif payload.HasField("timestamp"):
        birth = payload.timestamp
    else:
        birth = f"heard at {heard.arrived_us}"
    size = len(aliases) + len(metrics)
    most = (known.get(stream.name) or {}).get("most", 0)
    lesson = {
        "birth": birth,
        "aliases": aliases,
        "metrics": metrics,
        "series": series,
        "refused": refused,
        "most": max(most, size),
    }
    try:
        teach(known, {stream.name: lesson}, max(0, size - most))
    except Refused:
        if known.get(stream.name) is not None:  # what it meant before is over
            known.put(stream.name, {"birth": birth, "most": most})
        raise


def _clash(
    claimed: dict[str, str], born: dict[str, str], name: str, key: str
) -> str | None:
    """Claim the series of a metric; tell what is wrong if another name has it."""
    quantity = KEYS[key].quantity.name
    series = f"{name.rpartition('/')[0]}/{quantity}"
    other = born.get(series) or claimed.setdefault(series, name)
    return None if other == name else f"{other[:70]!r} is {quantity} of the same meter"


def _lesson(stream: _Stream, known: Knowledge) -> dict[str, Any]:
    lesson: dict[str, Any] = known.get(stream.name) or {}
    if stream.device and lesson.get("birth") != _birth(stream, known):
        return {}
    return lesson


def _birth(stream: _Stream, known: Knowledge) -> Any:
    return (known.get(stream.node) or {}).get("birth")


def _read(
    parsed: Parsed,
    stream: _Stream,
    payload: Any,
    heard: Heard,
    place: Place,
    lesson: dict[str, Any],
) -> None:
    aliases, metrics = lesson.get("aliases", {}), lesson.get("metrics", {})
    sent = payload.timestamp if payload.HasField("timestamp") else None
    refused: dict[str, str] = lesson.get("refused", {})
    born: dict[str, str] = lesson.get("series", {})
    claimed: dict[str, str] = {}
    lost: list[int] = []
    doubtful: list[int] = []
    bare = 0
    for metric in payload.metrics:
        if metric.HasField("name") and metric.name:
            name = _text(metric.name)
        elif not metric.HasField("alias"):
            bare += 1
            continue
        else:
            named = aliases.get(str(metric.alias))
            if not named:
                (lost if named is None else doubtful).append(metric.alias)
                continue
            name = named
        datatype, unit = metrics.get(name, (_UNKNOWN, ""))
        key = _key(name, _unit(metric) or unit)
        if key is None or metric.is_transient:
            parsed.unread.append(name)
            continue
        if metric.is_null:
            continue
        try:
            if isinstance(key, Refused):
                raise Refused(*key.args)  # a cached one would grow by each traceback
            if clash := refused.get(name) or _clash(claimed, born, name, key):
                raise Refused(clash)
            when = metric.timestamp if metric.HasField("timestamp") else None
            if when is None and metric.is_historical:
                raise Refused("a historical value without its own time")
            when = sent if when is None else when
            if when is None:
                if heard.retained:  # of unknown age
                    continue
                parsed.on_arrival = True
                at: int | Refused = heard.arrived_us
            else:
                at = instant(when, place.zone, heard.arrived_us)
            raw = _value(metric, metric.datatype or datatype)
            parsed.add(_meter(stream.name, name, place.meter), key, raw, at)
        except Refused as reason:
            parsed.rejects.append(Reject(f"{name[:70]!r}: {reason}"))
    for which, words in (
        (lost, "is in no birth certificate: a rebirth is needed"),
        (doubtful, "is that of two metrics in the birth certificate"),
    ):
        if which:
            some = ", ".join(str(each) for each in which[:5])
            parsed.rejects.append(Reject(f"alias {some} {words}", len(which)))
    if bare:
        parsed.rejects.append(Reject("a metric has neither name nor alias", bare))


@lru_cache(maxsize=10_000)
def _meter(stream: str, metric: str, instead: str | None) -> str:
    """Name the meter of a metric.

    A device's name is unique only below its node, a node's below its group, and a folder
    in a metric's name may stand for one of many meters. So all of them are named: two
    meters must never become one.
    """
    folders = metric.split("/")[:-1]
    parts = ([instead] if instead else stream.split("/")) + folders
    if not folders and instead:
        return instead
    return joined(*parts)


@lru_cache(maxsize=10_000)
def _key(name: str, unit: str) -> str | Refused | None:
    """Find the key that a metric's name, or its name and unit, stands for."""
    if len(name) > _LONGEST:
        return None
    leaf = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])", "_", name.rpartition("/")[2])
    leaf = re.sub(r"[^a-z0-9]+", "_", leaf.lower()).strip("_")
    leaf = _WELL_KNOWN.get(leaf, leaf)
    unit = "" if unit in _NO_UNIT else unit
    wanted = _UNITS.get(unit)
    with_unit = f"{leaf}_{wanted}"
    if wanted and with_unit in KEYS and KEYS[with_unit].kind != "delta":
        # current_a with the unit A: the current in A, or that of phase A?
        return None if leaf in KEYS else with_unit
    if leaf not in KEYS or KEYS[leaf].kind == "delta":
        return None
    own = leaf.removeprefix(KEYS[leaf].quantity.name).removeprefix("_")
    if unit and wanted is None:
        return Refused(f"its unit property {unit[:20]!r} is not known")
    if wanted and wanted != own:
        return Refused(f"its unit property says {unit!r}")
    return leaf


def _unit(metric: Any) -> str:
    if not metric.HasField("properties"):
        return ""
    properties = metric.properties
    for name, value in zip(properties.keys, properties.values, strict=False):
        plain = _text(name).replace("_", "").replace(" ", "").lower()
        if plain in _UNIT_PROPERTIES:
            return _text(value.string_value).strip()
    return ""


def _value(metric: Any, datatype: int) -> object:
    kind = metric.WhichOneof("value")
    if kind is None:
        raise Refused("no number in it")
    if kind in _NO_NUMBERS:
        raise Refused(_NO_NUMBERS[kind])
    raw = getattr(metric, kind)
    if kind == "string_value":
        return _text(raw)
    if kind in ("int_value", "long_value"):
        return _signed(raw, datatype)
    return raw


def _signed(raw: int, datatype: int) -> int:
    """Undo the two's complement in which signed numbers travel.

    Int8 and Int16 travel as 32 bits from some senders, as their own from others.
    """
    bits = _SIGNED.get(datatype)
    if bits is None:
        if datatype == _UNKNOWN and raw >= 1 << 31:
            raise Refused("its datatype is not known: a rebirth is needed")
        return raw
    half = 1 << (bits - 1)
    if raw < half:
        return raw
    for width in (bits, 32, 64):
        if (1 << width) - half <= raw < 1 << width:
            return raw - (1 << width)
    raise Refused(f"{raw} is no Int{bits}")


def _text(raw: bytes) -> str:
    # cut so that what is too long stays so; the database keeps no NUL in text
    return raw.decode("utf-8", "replace").replace("\0", "")[: _LONGEST + 1]
