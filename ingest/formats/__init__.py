"""Payload formats: one file per format, one line in the registry."""

from collections.abc import Callable
from typing import NamedTuple

from ingest.formats import flat
from ingest.reading import Heard, Knowledge, Parsed, Place


class Format(NamedTuple):
    """How the messages of one kind of foreign device are recognised and read."""

    name: str  # with the version of our reading of it
    accepts: Callable[[str], bool]  # the topic, without the prefix of an enterprise
    parse: Callable[[Heard, Place, Knowledge], Parsed]


# The first that accepts a topic reads it. The native format has its own way, by prefix.
FORMATS: tuple[Format, ...] = (Format(flat.NAME, flat.accepts, flat.parse),)


def find(topic: str) -> Format | None:
    """Find the format of a foreign topic."""
    return next((each for each in FORMATS if each.accepts(topic)), None)


def named(name: str) -> Format | None:
    """Find a format by its name without the version."""
    return next((each for each in FORMATS if each.name.partition("/")[0] == name), None)
