"""Payload formats: one file per format, one line in the registry."""

from collections.abc import Callable
from typing import NamedTuple

from ingest.formats import (
    acrel,
    adw300,
    chirpstack,
    esphome,
    flat,
    homeassistant,
    shelly1,
    shelly2,
    sparkplug,
    tasmota,
    thingsboard,
)
from ingest.reading import Heard, Knowledge, Parsed, Place


class Format(NamedTuple):
    """How the messages of one kind of foreign device are recognised and read."""

    name: str  # with the version of our reading of it
    accepts: Callable[[str], bool]  # the topic, without the prefix of an enterprise
    parse: Callable[[Heard, Place, Knowledge], Parsed]
    # tells a topic by what was learned, where its form does not tell
    learned: Callable[[str, Knowledge], bool] | None = None
    teacher: str | None = None  # the format whose knowledge it reads; None: its own
    ordered: bool = False  # a message means what those before it say

    @property
    def memory(self) -> str:
        """Name the format under which its knowledge is kept."""
        return self.teacher or self.name


# The first that accepts a topic reads it. The native format has its own way, by prefix.
FORMATS: tuple[Format, ...] = (
    Format(shelly2.NAME, shelly2.accepts, shelly2.parse),  # may stand below shellies/
    Format(shelly1.NAME, shelly1.accepts, shelly1.parse),
    Format(tasmota.NAME, tasmota.accepts, tasmota.parse),
    Format(thingsboard.NAME, thingsboard.accepts, thingsboard.parse),
    Format(acrel.NAME, acrel.accepts, acrel.parse),
    Format(adw300.NAME, adw300.accepts, adw300.parse),
    Format(chirpstack.NAME, chirpstack.accepts, chirpstack.parse),
    Format(sparkplug.NAME, sparkplug.accepts, sparkplug.parse, ordered=True),
    Format(esphome.NAME, esphome.accepts, esphome.parse, teacher=homeassistant.NAME),
    Format(
        homeassistant.NAME,
        homeassistant.accepts,
        homeassistant.parse,
        homeassistant.learned,
    ),
    Format(flat.NAME, flat.accepts, flat.parse),
)


def find(
    topic: str, knowledge: Callable[[str], Knowledge] | None = None
) -> Format | None:
    """Find the format of a foreign topic, by its form or by what was learned.

    Parameters
    ----------
    knowledge
        Gives what the format of a name has learned in the enterprise.
    """
    for each in FORMATS:
        if each.accepts(topic):
            return each
        if each.learned and knowledge and each.learned(topic, knowledge(each.memory)):
            return each
    return None


def named(name: str) -> Format | None:
    """Find a format by its name without the version."""
    return next((each for each in FORMATS if each.name.partition("/")[0] == name), None)
