"""Codes of meters from the names that stand in topics and payloads."""

import re

from ingest.formats.lessons import teach
from ingest.reading import Knowledge, Refused, code_of
from store.registry import CODE

_PART = re.compile(r"[A-Za-z0-9_-]+")  # no dot: it joins
_LONGEST = 64


def joined(*names: str) -> str:
    """Join names by dots; a checksum keeps apart what would fall together.

    `hall3` and `press` are `hall3.press`. The single name `hall3.press` is not: it gets
    a checksum, as every name does that holds a dot.
    """
    code = ".".join(names)
    if len(code) <= _LONGEST and all(_PART.fullmatch(each) for each in names):
        return code
    if len(names) == 1 and not CODE.fullmatch(code):
        return code_of(code)
    # names from a payload may hold the slash, too
    apart = (each.replace("~", "~0").replace("/", "~1") for each in names)
    return code_of("/".join(apart) + "/")


def below(meter: str, *names: str) -> str:
    """Name what is a part of a meter whose code is known, which may hold dots."""
    if all(_PART.fullmatch(each) for each in names):
        return code_of(".".join((meter, *names)))
    return joined(meter, *names)


def channel_of(device: str, kind: str, channel: str, known: Knowledge) -> str:
    """Name the meter of a channel; two kinds that count on one number stay apart.

    The kind that is heard first has `{device}.{channel}`, and keeps it. Another one of
    the same number is `{device}.{kind}-{channel}`.
    """
    place = f"{device}#{channel}"
    holder = known.get(place)
    if holder is None:
        try:
            teach(known, {place: kind})
        except Refused:  # the first is then not known, and nobody is kept apart
            return below(device, channel)
    if holder in (None, kind):
        return below(device, channel)
    return below(device, f"{kind}-{channel}")
