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
KEY = np.dtype([("length", ">i4"), ("item", ">i4")])
TIME = np.dtype([("length", ">i4"), ("item", ">i8")])
VALUE = np.dtype([("length", ">i4"), ("item", ">f8")])


def parse(
    raw: bytes, kinds: tuple[np.dtype[Any], ...]
) -> tuple[NDArray[np.int64], list[NDArray[Any]]]:
    """Read what COPY gave of (integer or time, array, …, array), none of them null.

    Parameters
    ----------
    kinds
        :data:`KEY`, :data:`TIME` or :data:`VALUE`, for each array; those of a row are
        equally long.

    Returns
    -------
    first
        Shape (n,), repeated for each element; a time as the database counts it.
    columns
        Shape (n,) each: keys and times [µs since 1970] as int64, values as float64.
    """
    keys: list[int] = []
    sizes: list[int] = []
    columns: list[list[NDArray[Any]]] = [[] for _ in kinds]
    place, end = len(COPY_HEADER), len(raw) - len(COPY_TRAILER)
    while place < end:
        start = place + 6
        place = start + int.from_bytes(raw[place + 2 : start], "big")
        keys.append(int.from_bytes(raw[start:place], "big", signed=True))
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
    if kind is not VALUE:
        whole = np.concatenate([*parts, np.empty(0, np.int64)]).astype(np.int64)
        return whole + EPOCH_US if kind is TIME else whole
    return np.concatenate([*parts, np.empty(0)]).astype(np.float64)
