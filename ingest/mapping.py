"""A mapping: what a person writes down so that any device's messages can be read.

docs/mapping.md has the reference. It says where the device stands and, either by the name
of a format or value by value with JSON paths (RFC 9535), how its messages are read.
"""

import re
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import jsonpath
import msgspec
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ingest.formats import FORMATS
from ingest.reading import (
    Heard,
    Parsed,
    Place,
    Refused,
    Reject,
    code_of,
    from_text,
    instant,
)
from store.errors import Invalid
from store.quantities import KEYS
from store.registry import is_code

METER = "{meter}"
_MOST_OBJECTS = 10_000


class Value(BaseModel):
    """Where one quantity stands in a message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="JSON path of the number")
    key: str = Field(description="key of the catalogue, with the device's unit")
    scale: float = Field(
        default=1.0,
        allow_inf_nan=False,
        description="the number times this is in the key's unit",
    )

    @field_validator("path")
    @classmethod
    def _is_path(cls, text: str) -> str:
        _compiled(text)
        return text

    @field_validator("scale")
    @classmethod
    def _is_scale(cls, scale: float) -> float:
        if scale == 0:
            raise ValueError("is 0: every value would be")
        return scale

    @field_validator("key")
    @classmethod
    def _is_key(cls, key: str) -> str:
        if key not in KEYS:
            raise ValueError(f"{key[:70]!r} is no key of docs/wire.md")
        if KEYS[key].kind == "delta":
            raise ValueError(f"{key} is an interval amount; a mapping reads registers")
        return key


class Mapping(BaseModel):
    """Where the devices of a topic filter stand, and how their messages are read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, ignored_types=(cached_property,)
    )

    name: str
    topic: str = Field(description="filter; {meter} names the level that is the meter")
    park: str
    enterprise: str
    zone: str | None = Field(default=None, description="of times without one")
    format: str | None = Field(default=None, description="a format that reads it")
    each: str | None = Field(default=None, description="JSON path of many objects")
    meter: str | None = Field(default=None, description="code, or JSON path from $")
    time: str | None = Field(default=None, description="JSON path; none: of arrival")
    values: tuple[Value, ...] = ()

    @field_validator("name", "park", "enterprise")
    @classmethod
    def _is_code(cls, text: str) -> str:
        if not is_code(text):
            raise ValueError("is not 1-64 letters, digits, dots, _ or -")
        return text

    @field_validator("topic")
    @classmethod
    def _is_filter(cls, text: str) -> str:
        levels = text.split("/")
        if not text or len(text) > 500 or "#" in levels[:-1] or levels.count(METER) > 1:
            raise ValueError("is no topic filter")
        for level in levels:
            if level not in ("+", "#", METER) and re.search(r"[+#{}]", level):
                raise ValueError("+, # and {meter} stand for whole levels")
        return text

    @field_validator("each", "time")
    @classmethod
    def _is_path(cls, text: str | None) -> str | None:
        if text is not None:
            _compiled(text)
        return text

    @field_validator("meter")
    @classmethod
    def _is_meter(cls, text: str | None) -> str | None:
        if text is not None and text.startswith("$"):
            _compiled(text)
        elif text is not None and not is_code(text):
            raise ValueError("is neither a code nor a JSON path")
        return text

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, text: str | None) -> str | None:
        try:
            return text if text is None else str(ZoneInfo(text))
        except (ValueError, OSError, LookupError):
            raise ValueError("is no IANA zone") from None

    @field_validator("format")
    @classmethod
    def _is_format(cls, text: str | None) -> str | None:
        names = [each.name.partition("/")[0] for each in FORMATS]
        if text is not None and text not in names:
            raise ValueError(f"is none of {', '.join(names)}")
        return text

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The filter as an expression, with a group for the meter."""
        parts = []
        for level in self.topic.split("/"):
            if level == METER:
                parts.append("(?P<meter>[^/]+)")
            elif level == "#":
                parts.append(".*")
            else:
                parts.append("[^/]*" if level == "+" else re.escape(level))
        return re.compile("/".join(parts), re.DOTALL)


def load(text: str) -> Mapping:
    """Read a mapping from YAML.

    Raises
    ------
    Invalid
        Naming the line or the field and what is wrong with it.
    """
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid(f"mapping is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(body, dict):
        raise Invalid("mapping is not a table of names and values")
    try:
        found = Mapping.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"])
        raise Invalid(f"mapping, {where}: {first['msg']}") from error
    if problem := _contradiction(found):
        raise Invalid(f"mapping: {problem}")
    return found


def _contradiction(found: Mapping) -> str:
    """Say what of a mapping would be passed over in silence."""
    if (found.format is None) == (not found.values):
        return "it has either a format or values"
    by_path = bool(found.meter and found.meter.startswith("$"))
    if found.format and (found.each or found.time or by_path):
        return "a format finds objects, times and meters by itself: no path is read"
    if found.meter and METER in found.topic.split("/"):
        return "the meter stands in the topic or under meter, not in both"
    keys = [value.key for value in found.values]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        return f"{', '.join(twice)} of one meter stands in two places"
    return ""


class Matched(NamedTuple):
    """A topic that a mapping reads."""

    mapping: Mapping
    meter: str | None  # as the topic says


def match(mapping: Mapping, topic: str) -> Matched | None:
    """Tell whether a mapping reads a topic, and which meter the topic names."""
    found = mapping.pattern.fullmatch(topic)
    if found is None:
        return None
    named = found.groupdict().get("meter")
    fixed = mapping.meter if mapping.meter and is_code(mapping.meter) else None
    return Matched(mapping, code_of(named) if named else fixed)


def parse(mapping: Mapping, heard: Heard, place: Place) -> Parsed:
    """Read a message value by value.

    Raises
    ------
    Refused
        When nothing of it can be read.
    """
    body = _decoded(heard.payload)
    parsed = Parsed(park=place.park, enterprise=place.enterprise)
    objects = [body] if mapping.each is None else _find(mapping.each, body)
    if not objects:
        raise Refused(f"nothing stands at {mapping.each}")
    for each in objects[:_MOST_OBJECTS]:
        try:
            _read(parsed, mapping, heard, place, each, body)
        except Refused as refused:
            if len(objects) == 1:
                raise
            parsed.rejects.append(Reject(str(refused), len(mapping.values)))
    if len(objects) > _MOST_OBJECTS:
        over = len(objects) - _MOST_OBJECTS
        parsed.rejects.append(Reject(f"more than {_MOST_OBJECTS} objects", over))
    if not parsed.readings and not parsed.rejects and not heard.retained:
        raise Refused("none of the mapping's values is in the message")
    return parsed


def _read(
    parsed: Parsed, mapping: Mapping, heard: Heard, place: Place, body: Any, whole: Any
) -> None:
    """Read one object; meter and time may stand in it or beside the list of them."""
    meter = place.meter
    if meter is None and mapping.meter is not None:
        found = _find(mapping.meter, body) or _find(mapping.meter, whole)
        named = found[0] if found else None
        if isinstance(named, str | int) and not isinstance(named, bool) and named != "":
            meter = code_of(str(named))
    if meter is None:
        raise Refused("the message names no meter: neither its topic nor the mapping's")
    at: int | Refused = heard.arrived_us
    if mapping.time is not None:
        times = _find(mapping.time, body) or _find(mapping.time, whole)
        at = instant(times[0] if times else None, place.zone, heard.arrived_us)
    elif heard.retained:  # of unknown age
        return
    else:
        parsed.on_arrival = True
    for value in mapping.values:
        there = _find(value.path, body)
        if len(there) > 1:
            why = f"{value.key}: {len(there)} values stand at {value.path}"
            parsed.rejects.append(Reject(why))
        elif there:
            parsed.add(meter, value.key, there[0], at, scale=value.scale)


def _decoded(payload: bytes) -> Any:
    """Read JSON; a bare number or text is a value too, at path $."""
    try:
        return msgspec.json.decode(payload.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        pass
    try:
        text = payload.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > 40 or isinstance(from_text(text), str):
        raise Refused("payload is neither JSON nor a number")
    return from_text(text)


def _compiled(text: str) -> Any:
    try:
        return jsonpath.compile(text, strict=True)
    except jsonpath.JSONPathError as error:
        raise ValueError(f"{text[:70]!r} is no JSON path: {error.args[0]}") from None


_paths: dict[str, Any] = {}


def _find(path: str, body: Any) -> list[Any]:
    if isinstance(body, str):  # the library would read it as JSON once more
        return [body] if path.strip() == "$" else []
    known = _paths.get(path)
    if known is None:
        known = _paths.setdefault(path, _compiled(path))
    try:
        found: list[Any] = known.findall(body)
    except (jsonpath.JSONPathError, RecursionError):
        return []
    return found
