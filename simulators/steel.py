"""The UCI steel plant's year as cumulative registers.

The published file holds 15-minute amounts labelled by interval *end*; the row
labelled 00:00 closes its own date, that is, it is 24:00 of that day. A meter sends
registers, so the amounts are summed from an initial register value, in integers of
one hundredth, as the file has two decimals: no rounding happens anywhere.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.errors import DataFileError

FILE = Path(__file__).parent / "data" / "steel_industry_2018.csv"
ZONE = "Asia/Seoul"
KEYS = ("energy_import_kwh", "reactive_energy_q1_kvarh", "reactive_energy_q4_kvarh")
INITIAL = Decimal("1200.00")
STEP_S = 900

_DATE = "date"
_COLUMNS = (
    "Usage_kWh",
    "Lagging_Current_Reactive_Power_kVarh",
    "Leading_Current_Reactive_Power_kVarh",
)


@dataclass(frozen=True, kw_only=True)
class Registers:
    """Cumulative registers of one meter: one row per instant, one column per key."""

    at: NDArray[np.int64]  # (n,) seconds since 1970-01-01T00:00Z, ascending
    hundredths: NDArray[np.int64]  # (n, 3) kWh, kvarh, kvarh, each x 100
    zone: ZoneInfo  # the plant's own zone, for the times on the wire

    def reading(self, index: int) -> dict[str, str | float]:
        """Return the wire object of one instant: ``at`` and the three registers."""
        at = datetime.fromtimestamp(int(self.at[index]), self.zone).isoformat()
        values = (int(each) / 100 for each in self.hundredths[index])
        return {"at": at, **dict(zip(KEYS, values, strict=True))}


def read(
    path: str | Path = FILE, *, zone: str = ZONE, initial: Decimal = INITIAL
) -> Registers:
    """Read the file of 15-minute amounts into cumulative registers.

    Parameters
    ----------
    path : str or Path
        The UCI file, ``steel_industry_2018.csv``.
    zone : str
        Time zone of the labels, the plant's own.
    initial : Decimal
        Value of every register at the start of the first interval [kWh, kvarh].

    Returns
    -------
    Registers
        35 041 instants: the start of the year, then each interval's end.

    Raises
    ------
    DataFileError
        If the file is missing, its header or a row is not as published, or two rows
        are not 15 minutes apart.
    """
    clock = ZoneInfo(zone)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(file, clock))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataFileError(f"cannot read {path}: {reason}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{path} is not a text file of columns: {error}") from error
    except DataFileError as error:
        raise DataFileError(f"{path}, {error}") from error
    if not rows:
        raise DataFileError(f"{path} holds no rows below its header")
    ends = np.array([at for at, _ in rows], dtype=np.int64)
    steps = np.flatnonzero(np.diff(ends) != STEP_S)
    if steps.size:
        # the header is line 1, so row i stands on line i + 2
        raise DataFileError(
            f"{path}, line {steps[0] + 3}: not 15 minutes after the row before"
        )
    amounts = np.array([row for _, row in rows], dtype=np.int64)
    begin = np.full((1, len(KEYS)), _hundredths(str(initial), "initial"), np.int64)
    return Registers(
        at=np.concatenate(([ends[0] - STEP_S], ends)),
        hundredths=np.cumsum(np.concatenate((begin, amounts)), axis=0),
        zone=clock,
    )


def _rows(file: TextIO, zone: ZoneInfo) -> Iterator[tuple[int, list[int]]]:
    lines = csv.reader(file)
    header = next(lines, [])
    for column in chain([_DATE], _COLUMNS):
        if column not in header:
            raise DataFileError(
                f"line 1: no column {column!r}; this is not the UCI file "
                "'Steel Industry Energy Consumption'"
            )
    date = header.index(_DATE)
    columns = [(header.index(name), name) for name in _COLUMNS]
    for row in lines:
        try:
            if len(row) != len(header):
                raise DataFileError(f"{len(row)} columns, the header has {len(header)}")
            amounts = [_hundredths(row[index], name) for index, name in columns]
            yield _end(row[date], zone), amounts
        except DataFileError as error:
            raise DataFileError(f"line {lines.line_num}: {error}") from error


def _end(label: str, zone: ZoneInfo) -> int:
    try:
        at = datetime.strptime(label, "%d/%m/%Y %H:%M").replace(tzinfo=zone)
    except ValueError as error:
        raise DataFileError(f"date {label!r} is not d/m/yyyy hh:mm") from error
    if at.hour == at.minute == 0:
        at += timedelta(days=1)
    return int(at.timestamp())


def _hundredths(text: str, name: str) -> int:
    try:
        scaled = Decimal(text) * 100
    except InvalidOperation as error:
        raise DataFileError(f"{name} {text!r} is not a number") from error
    if not scaled.is_finite() or scaled < 0 or scaled != scaled.to_integral_value():
        raise DataFileError(f"{name} {text!r} is not an amount with two decimals")
    return int(scaled)
