"""What devices may teach: bounded, as whoever may publish can invent devices."""

from collections.abc import Mapping
from typing import Any

from ingest.reading import Knowledge, Refused

# An enterprise of a thousand devices with a hundred metrics each can be learned. It is
# all in memory: at some 300 bytes each, 30 MB.
MOST = 100_000
_TAUGHT = "#taught"  # no topic has a #


def teach(known: Knowledge, news: Mapping[str, Any], more: int = 0) -> None:
    """Remember what was learned, if the enterprise has not taught too much.

    What was learned under a key before may always be replaced. To forget, teach an
    empty value: None would count as new when it comes back.

    Parameters
    ----------
    more
        What the values hold now beyond all they ever held: names, sensors.

    Raises
    ------
    Refused
        When it is too much; nothing is remembered then.
    """
    more += sum(known.get(key) is None for key in news)
    if more:
        taught = (known.get(_TAUGHT) or 0) + more
        if taught > MOST:
            raise Refused(
                f"devices of this enterprise have taught {MOST} things: no more"
            )
        known.put(_TAUGHT, taught)
    for key, value in news.items():
        known.put(key, value)
