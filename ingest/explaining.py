"""What ingest would read from messages, shown without a broker or a database."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest import formats, mapping
from ingest.formats import native
from ingest.mapping import Mapping, match
from ingest.proposing import propose
from ingest.reading import Heard, Parsed, Place, Reading, Refused, check_size
from ingest.topics import raw
from store.errors import Invalid
from store.quantities import KEYS
from store.readings import NO_UNTIL, to_datetime


class Remembered(dict[str, Any]):
    """Knowledge that lasts as long as the process."""

    def put(self, key: str, value: Any) -> None:
        """Remember it."""
        self[key] = value


def explain(
    topic: str,
    files: Sequence[Path],
    limit: int,
    *,
    zone: str = "Asia/Shanghai",
    by: Mapping | None = None,
) -> dict[str, Any]:
    """Tell what ingest would read from messages of a topic, and what it would refuse.

    Parameters
    ----------
    files
        One message each, in the order in which they came; the last one is shown.
    by
        A mapping to try.

    Raises
    ------
    Invalid
        When a file cannot be read.
    """
    payloads = [_bytes(each) for each in files]
    found: dict[str, Any] = {
        "read_by": None,
        "park": None,
        "enterprise": None,
        "timed_on_arrival": False,
        "readings": [],
        "refused": [],
        "unread": [],
        "proposal": None,
    }
    try:
        *_, (found["read_by"], parsed) = _explained(topic, payloads, limit, zone, by)
    except Refused as refused:
        found["refused"] = [{"reason": str(refused), "readings": 1}]
        if below := raw(topic):
            found["proposal"] = propose(
                below.topic, payloads, park=below.park, enterprise=below.enterprise
            )
        elif not native.accepts(topic):
            found["proposal"] = propose(topic, payloads)
        return found
    return found | {
        "park": parsed.park or None,
        "enterprise": parsed.enterprise or None,
        "timed_on_arrival": parsed.on_arrival,
        "readings": [_shown(each) for each in parsed.readings],
        "refused": [each._asdict() for each in parsed.rejects],
        "unread": parsed.unread,
    }


def _explained(
    topic: str, payloads: list[bytes], limit: int, zone: str, by: Mapping | None
) -> Iterator[tuple[str, Parsed]]:
    """Read messages one after the other, so that a later one knows what came before."""
    known = Remembered()
    arrived_us = time.time_ns() // 1000
    for payload in payloads:
        check_size(payload, limit)
        below = raw(topic)
        if by is not None:
            matched = match(by, topic) or (match(by, below.topic) if below else None)
            if matched is None:
                raise Refused(f"the mapping reads {by.topic}, not this topic")
            place = Place(by.park, by.enterprise, ZoneInfo(by.zone or zone), matched[1])
            heard = Heard(topic, payload, arrived_us)
            if by.format is None:
                yield f"mapping/{by.name}", mapping.parse(by, heard, place)
                continue
            form = formats.named(by.format)
        elif native.accepts(topic) and below is None:
            yield native.NAME, native.parse(topic, payload, arrived_us)
            continue
        else:
            place = Place(
                below.park if below else "",
                below.enterprise if below else "",
                ZoneInfo(zone),
            )
            heard = Heard(below.topic if below else topic, payload, arrived_us)
            form = formats.find(heard.topic, lambda _: known)
        if form is None:
            raise Refused("no format reads this topic")
        yield form.name, form.parse(heard, place, known)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file}: {error.strerror}") from error


def _shown(reading: Reading) -> dict[str, Any]:
    known = KEYS[reading.key]
    until = None if reading.until_us == NO_UNTIL else to_datetime(reading.until_us)
    return {
        "meter": reading.meter,
        "quantity": known.quantity.name,
        "kind": known.kind,
        "at": to_datetime(reading.at_us).isoformat(),
        "until": until.isoformat() if until else None,
        "value": reading.value,
        "unit": known.quantity.unit,
    }
