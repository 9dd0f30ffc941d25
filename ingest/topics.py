"""Topics: the prefix that names an enterprise, and the shape of unknown ones."""

import re
from collections.abc import Callable
from typing import NamedTuple

from ingest.formats import native
from store.registry import is_code

# below it stand the topics of foreign devices of an enterprise, as they are
RAW = "raw"


class Raw(NamedTuple):
    """A foreign topic below the prefix of an enterprise."""

    park: str
    enterprise: str
    topic: str


def raw(topic: str) -> Raw | None:
    """Take a foreign topic out of `parkwatt/v1/{park}/{enterprise}/raw/{topic}`.

    None where it is none: a meter may be called raw.
    """
    levels = topic.split("/", 5)
    if (
        len(levels) != 6
        or levels[4] != RAW
        or levels[5] in ("readings", "batch", "ack")
        or not topic.startswith(native.PREFIX)
        or not (is_code(levels[2]) and is_code(levels[3]))
    ):
        return None
    return Raw(levels[2], levels[3], levels[5])


_ID = re.compile(r"(?=.*\d)[A-Za-z0-9_.:-]{3,}|\d+")
_NAMES: Callable[[str], re.Match[str] | None] = re.compile(
    r"v\d+(\.\d+)?|spBv1\.0|json-v2|emeter|switch:\d"
).fullmatch


def looks_like_an_id(level: str) -> bool:
    """Tell whether a topic's level names a device rather than a kind of message."""
    return bool(_ID.fullmatch(level)) and not _NAMES(level)


def pattern_of(topic: str) -> str:
    """Give the shape of a topic: levels that look like a device's id become +.

    Bounded in length and levels, as anybody may invent topics.
    """
    levels = topic.replace("\0", "")[:300].split("/")[:12]
    return "/".join("+" if looks_like_an_id(each) else each[:40] for each in levels)
