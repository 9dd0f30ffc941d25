"""Rows in bulk: one row a key in binary COPY, its columns as arrays.

A row of its own for each value costs the client three times as much as the server.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
COPY_TRAILER = b"\xff\xff"
# PostgreSQL counts microseconds from 2000-01-01, the house from 1970-01-01
EPOCH_US = 946_684_800_000_000

# an element of an array of one dimension, which has 20 bytes before its first one
TIME = np.dtype([("length", ">i4"), ("item", ">i8")])
VALUE = np.dtype([("length", ">i4"), ("item", ">f8")])


def parse(
    raw: bytes, kinds: tuple[np.dtype[Any], ...]
) -> tuple[NDArray[np.int64], list[NDArray[Any]]]:
    """Read what COPY gave of (integer key, array, …, array), none of them null.

    Parameters
    ----------
    kinds
        :data:`TIME` or :data:`VALUE`, for each array; those of a row are equally long.

    Returns
    -------
    key
        Shape (n,), repeated for each element.
    columns
        Shape (n,) each: times [µs since 1970] as int64, values as float64.
    """
    keys: list[int] = []
    sizes: list[int] = []
    columns: list[list[NDArray[Any]]] = [[] for _ in kinds]
    place, end = len(COPY_HEADER), len(raw) - len(COPY_TRAILER)
    while place < end:
        keys.append(int.from_bytes(raw[place + 6 : place + 10], "big"))
        place += 10
        size = 0
        for column, kind in zip(columns, kinds, strict=True):
            size = int.from_bytes(raw[place + 16 : place + 20], "big")
            place += 24
            column.append(np.frombuffer(raw, kind, size, place)["item"])
            place += size * kind.itemsize
        sizes.append(size)
    return np.repeat(np.array(keys, np.int64), sizes), [
        _joined(column, kind) for column, kind in zip(columns, kinds, strict=True)
    ]


def _joined(parts: list[NDArray[Any]], kind: np.dtype[Any]) -> NDArray[Any]:
    if kind is TIME:
        whole = np.concatenate([*parts, np.empty(0, np.int64)])
        return whole.astype(np.int64) + EPOCH_US
    return np.concatenate([*parts, np.empty(0)]).astype(np.float64)
