"""What the words in a sensor's name, path and topic say of what it counts.

A register that counts another way than it seems to, or a part of what another one
counts, does lasting harm to a balance. So a word must be known to be harmless: one that
is not leaves the sensor unread.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from ingest.reading import Refused

_EXPORT = frozenset(
    [
        "export",
        "exported",
        "return",
        "returned",
        "feedin",
        "fed",
        "injection",
        "injected",
        "reverse",
        "reversed",
        "backward",
        "backwards",
        "negative",
        "sold",
        "einspeisung",
        "eingespeist",
    ]
)
_IMPORT = frozenset(
    [
        "import",
        "imported",
        "consumption",
        "consumed",
        "usage",
        "used",
        "forward",
        "positive",
        "bought",
        "purchased",
        "bezug",
        "bezogen",
    ]
)
_SOLAR = frozenset(["solar", "pv", "photovoltaic"])
# counts of a time, a tariff or a phase, which the whole already holds; extremes
_PART = re.compile(
    r"today|yesterday|daily|day|night|week|weekly|month|monthly|year|yearly|annual"
    r"|hour|hourly|last|previous|session|tariff?s?\d*|rate\d*|t\d{1,2}|cost|price"
    r"|peak|offpeak|off|valley|shoulder|sharp|high|low|max|maximum|min|minimum"
    r"|average|avg|mean|limit|rated|demand|phase\w*|l\d+"
)
# of which we cannot tell how it enters the balance
_DOUBT = frozenset(
    [
        "production",
        "produced",
        "generation",
        "generated",
        "delivered",
        "delivery",
        "received",
        "feed",
        "in",
        "out",
        "input",
        "output",
        "incoming",
        "outgoing",
        "battery",
        "storage",
        "charge",
        "charged",
        "charging",
        "discharge",
        "discharged",
        "net",
        "gas",
        "gasmeter",
        "heat",
        "heating",
        "thermal",
        "cold",
        "cool",
        "cooling",
        "chilled",
    ]
)
# say what is measured, not of which part of the device
_PLAIN = frozenset(
    [
        "energy",
        "power",
        "voltage",
        "current",
        "frequency",
        "factor",
        "apparent",
        "reactive",
        "active",
        "total",
        "cumulative",
        "value",
        "state",
        "sum",
        "electricity",
        "meter",
        "wh",
        "kwh",
        "mwh",
        "w",
        "kw",
        "va",
        "kva",
        "var",
        "kvar",
        "v",
        "hz",
        "m3",
        "water",
        "volume",
    ]
)
# harmless, and kept in the code of the meter where they stand in topic or path
_HARMLESS = frozenset(
    [
        "smart",
        "sensor",
        "reading",
        "counter",
        "register",
        "electric",
        "electrical",
        "electricitymeter",
        "energymeter",
        "the",
        "grid",
        "main",
        "mains",
        "e",
        "p",
        "q",
        "s",
        "u",
        "i",
        "f",
        "pf",
        "cosphi",
    ]
)
_CHANNEL = re.compile(
    r"\d{1,2}|(channels?|ch|circuits?|clamp|ct|relay|socket|outlet|plug|switch|port"
    r"|em|emeters?|meters?|sensors?|pm|no|nr|index)\d{0,2}"
)
_OBIS = {"1": "import", "2": "export"}
_PHRASES: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    # OBIS: active energy and power of all phases and tariffs. Others stay numbers
    (r"\b(?:1 0 )?([12]) [78] 0\b(?: 255)?", lambda m: _OBIS[m[1]]),
    (r"\b(?:1 0 )?16 7 0\b(?: 255)?", lambda m: "total"),
    (r"\bfe?ed in(?:to)? (?:the )?grid\b", lambda m: "export grid"),
    (r"\bfe?ed in(?:to)?\b", lambda m: "export"),
    (r"\b(?:in)?to (?:the )?grid\b", lambda m: "export grid"),
    (r"\bgrid feed\b", lambda m: "export grid"),
    (r"\bfrom (?:the )?grid\b", lambda m: "import grid"),
    (r"\bphase ?([abc123])\b|\bl([123])\b", lambda m: _phase(m[1] or m[2])),
    (r"\bvoltage ([abc])\b", lambda m: f"voltage {_phase(m[1])}"),
    # current a: of phase A, or in amperes?
    (r"\bcurrent ([bc])\b", lambda m: f"current {_phase(m[1])}"),
]
_OTHER_OBIS = re.compile(r"\b\d{1,2} [78] \d{1,2}\b")


_UNIT = re.compile(r"(?<![A-Za-z])[kM](?:Wh|W|VA|varh|var|V)(?![A-Za-z])")
_BRACKETED = re.compile(r"[(\[]\s*[kM]?(?:Wh|W|VA|varh|var|V|A|Hz|m³)\s*[)\]]")


def _phase(name: str) -> str:
    return "phase_" + {"1": "a", "2": "b", "3": "c"}.get(name, name)


class Meaning(NamedTuple):
    """What words say."""

    export: bool
    solar: bool
    phase: str  # a, b or c; "" of all


def words(text: str) -> list[str]:
    """Split a name into words, with phrases and phases of one word each."""
    text = _BRACKETED.sub(" ", text)
    text = _UNIT.sub(lambda found: found[0].lower(), text)  # no camel case
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    plain = " ".join(each for each in re.split(r"[\W_]+", apart.lower()) if each)
    for pattern, instead in _PHRASES:
        plain = re.sub(pattern, instead, plain)
    return plain.split()


def part(said: list[str]) -> list[str]:
    """Give the words that name a part of the device: in the code of its meter."""
    strip = _PLAIN | _IMPORT | _EXPORT | _SOLAR
    return [
        each for each in said if each not in strip and not each.startswith("phase_")
    ]


def understood(
    kind: str, sensor: list[str], name: list[str], own: list[str], topic: list[str]
) -> Meaning:
    """Say what a sensor counts.

    Parameters
    ----------
    kind
        The class of the sensor.
    sensor
        Words that tell it from the others of its device.
    name
        Words of its name.
    own
        Words of the device's own name: they need not be known.
    topic
        Words of the level of the topic that names it.

    Raises
    ------
    Refused
        With the word that leaves it open.
    """
    spoken = {*sensor, *name}
    heard = spoken | set(topic)
    phases = {each for each in spoken if each in ("phase_a", "phase_b", "phase_c")}
    by_phase = kind in ("voltage", "current")
    doubt = {
        each
        for each in heard
        if _PART.fullmatch(each) and not (by_phase and each in phases)
    }
    if kind != "gas":
        doubt |= heard & _DOUBT
    if kind in ("energy", "power"):
        doubt |= heard & {"reactive", "apparent", "varh", "kvarh"}
    # what only the topic says may be the name of the device: reverse osmosis
    doubt |= (set(topic) - spoken) & (_EXPORT - {"export", "exported"})
    if by_phase and len(phases) > 1:
        doubt |= phases
    known = _PLAIN | _HARMLESS | _IMPORT | _EXPORT | _SOLAR | phases | set(own)
    if kind == "gas":
        known |= {"gas", "gasmeter", "natural"}
    text = " ".join(sensor), " ".join(name)
    doubt |= {found[0] for each in text for found in _OTHER_OBIS.finditer(each)}
    if not doubt:
        doubt = {
            each
            for each in spoken
            if each not in known and not _CHANNEL.fullmatch(each)
        }
    if doubt:
        raise Refused(f"{min(doubt)!r} in its name leaves open what it counts")
    export = bool(heard & _EXPORT)
    if export and heard & _IMPORT:
        raise Refused("its name speaks of import and of export")
    phase = next(iter(phases), "")
    return Meaning(export, bool(heard & _SOLAR), phase.removeprefix("phase_"))
