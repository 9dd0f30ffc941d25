"""Dated rows painted over each other: what applies when, as known on a date."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from analytics.registers import Steps
from store.readings import to_us
from store.records import Validity

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)

Segments = list[tuple[int, float | None]]  # (from_us, value); None: nothing applies


def segments(rows: Iterable[Validity]) -> dict[int, Segments]:
    """Paint rows, given in the order recorded, on each key's time line.

    Returns
    -------
    dict
        Per key the instants [µs] at which another value begins to apply, ascending.
    """
    by_key: dict[int, list[Validity]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    return {key: _paint(each) for key, each in by_key.items()}


def _paint(rows: list[Validity]) -> Segments:
    edges = {row.valid_from for row in rows}
    edges |= {row.valid_to for row in rows if row.valid_to is not None}
    painted: Segments = []
    for edge in sorted(edges):
        value = None
        for row in rows:
            if row.valid_from <= edge and (row.valid_to is None or edge < row.valid_to):
                value = row.value  # the one recorded last wins
        if not painted or painted[-1][1] != value:
            painted.append((to_us(max(edge, _FIRST)), value))
    return painted


def steps(rows: Iterable[Validity], index: dict[int, list[int]]) -> Steps:
    """Give painted rows as step functions of channels; where nothing applies, 1.

    Parameters
    ----------
    index
        The dense channel indices of each key.
    """
    flat = sorted(
        (channel, at, 1.0 if value is None else value)
        for key, painted in segments(rows).items()
        for channel in index.get(key, ())
        for at, value in painted
    )
    return Steps(
        np.array([each[0] for each in flat], np.int64),
        np.array([each[1] for each in flat], np.int64),
        np.array([each[2] for each in flat], np.float64),
    )
