"""The native format: docs/wire.md."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest

import msgspec
import numpy as np

from simulators.formats.common import Encode, Place, count, pieces
from simulators.load import Integers
from simulators.meter import Message, Shown

_encoder = msgspec.json.Encoder()  # writes NaN as null


def carried(keys: Iterable[str]) -> list[str]:
    """All: each key is of docs/wire.md."""
    return list(keys)


def encoder(place: Place) -> Encode:
    """Return how to write the readings of one meter into one message."""

    def encode(shown: Shown) -> list[Message]:
        if not shown.at_s.size:
            return []
        meter, rows = shown.meter, _rows(shown)
        topic = f"parkwatt/v1/{place.park}/{meter.enterprise}/{meter.code}/readings"
        body: object = rows[0] if len(rows) == 1 else {"readings": rows}
        return [
            Message(
                due_s=float(shown.at_s[-1]),
                topic=topic,
                payload=_encoder.encode(body),
                readings=count(shown, shown.values),
            )
        ]

    return encode


def batch(
    place: Place, gateway: str, boot: str, seq: int, parts: Sequence[Shown]
) -> Message:
    """Write the readings of several meters of one enterprise into a gateway's batch.

    Parameters
    ----------
    parts : sequence of Shown
        At least one; of the same meter several may be there.
    """
    meters: dict[str, list[object]] = {}
    for shown in parts:
        meters.setdefault(shown.meter.code, []).extend(_rows(shown))
    enterprise = parts[0].meter.enterprise
    return Message(
        due_s=max(float(shown.at_s[-1]) for shown in parts),
        topic=f"parkwatt/v1/{place.park}/{enterprise}/{gateway}/batch",
        payload=_encoder.encode({"boot": boot, "seq": seq, "meters": meters}),
        readings=sum(count(shown, shown.values) for shown in parts),
    )


def batches(runs: Sequence[Shown], many: int, most: int) -> Iterator[list[Shown]]:
    """Group what meters of one gateway showed into batches, all going on in time.

    Parameters
    ----------
    many : int
        Instants of a meter in a batch, at most.
    most : int
        Readings in a batch, at most.
    """
    keys = sum(len(run.values) for run in runs)
    step = max(1, min(many, most // max(1, keys)))
    for together in zip_longest(*(pieces(run, step) for run in runs)):
        some: list[Shown] = []
        size = 0
        for piece in together:
            if piece is None:
                continue
            readings = piece.at_s.size * len(piece.values)
            if some and size + readings > most:
                yield some
                some, size = [], 0
            some.append(piece)
            size += readings
        if some:
            yield some


def _rows(shown: Shown) -> list[object]:
    row = _row(tuple(shown.values))
    columns = [values.tolist() for values in shown.values.values()]
    return list(map(row, _times(shown.stamp_us.tobytes()), *columns))


@lru_cache(maxsize=1000)
def _row(keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """Make the type of a reading object: it is written faster than a dict."""
    fields = [("at", str), *((key, float) for key in keys)]
    return msgspec.defstruct("Reading", fields, gc=False)


@lru_cache(maxsize=256)
def _times(stamps: bytes) -> list[str]:
    """Write stamps [µs since 1970] in UTC; meters of one cadence share them."""
    stamp_us: Integers = np.frombuffer(stamps, dtype=np.int64)
    moments = stamp_us.astype("datetime64[us]")
    if (stamp_us % 1_000_000).any():
        text = np.datetime_as_string(moments, unit="us")
    else:
        text = np.datetime_as_string(moments, unit="s")
    return [f"{each}Z" for each in text.tolist()]
