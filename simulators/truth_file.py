"""The truth of a run, read back: meters, faults, and usage a few channels at a time.

The file is written day by day; to compare channel by channel without holding a year of
thousands of them, it is gone through once for each group of channels. Needs the extra
``simulate``.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulators.errors import SimulatorError
from simulators.load import Integers
from simulators.meter import Fault, Float64

if TYPE_CHECKING:
    from pyarrow import parquet

VERSION = "1"
QUARTER_S = 900
REFUSABLE = ("corrupt", "foreign", "clock_not_set", "ahead")
LEDGER = ("stored", "duplicates", *REFUSABLE)  # without these nothing adds up
AT_ONCE = 16_000_000  # quarter hours held at a time: 128 MB
USAGE = "usage_15min"
_NAMES = ("what", "subject", "quantity", "unit", "note")


class Key(NamedTuple):
    """Whose quantity: a meter, an enterprise or the park."""

    subject: str
    quantity: str


@dataclass(frozen=True, kw_only=True)
class MeterNote:
    """What the truth says of a meter."""

    code: str
    enterprise: str
    role: str
    parent: str | None
    step: float  # of its registers, primary: resolution x ratio
    ct: float = 1.0
    error_ppm: int
    cadence_s: int
    clock_offset_s: float = 0.0
    clock_drift_ppm: float = 0.0
    gateway: str | None = None
    carried: frozenset[str] | None = None  # quantities its format can say; None: all
    registers: frozenset[str] | None = None  # its quantities; None: it does not tell
    # its code on the platform; None: of a truth that does not tell, its own
    known_as: str | None = None

    @property
    def platform_code(self) -> str:
        """Its code on the platform."""
        return self.known_as or self.code


@dataclass(frozen=True, kw_only=True)
class Row:
    """Any other row of the truth."""

    subject: str
    quantity: str
    start_s: int
    stop_s: int
    value: float
    note: str


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What happened in a run.

    Attributes
    ----------
    channels : tuple of Key
        Registers of meters, in the order of the file.
    subjects : tuple of str
        The park, then the enterprises.
    ledger : mapping of str to int
        What the delivery counted; empty where it was not written.
    """

    path: Path
    park: str
    zone: str
    start_s: int
    stop_s: int
    meters: Mapping[str, MeterNote]
    channels: tuple[Key, ...]
    subjects: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    peaks: tuple[Row, ...] = ()
    emissions: tuple[Row, ...] = ()
    added_values: tuple[Row, ...] = ()
    intensities: tuple[Row, ...] = ()
    ledger: Mapping[str, int] = field(default_factory=dict)

    @property
    def quarters(self) -> int:
        """Number of quarter hours."""
        return (self.stop_s - self.start_s) // QUARTER_S

    def faults_of(self, meter: MeterNote) -> list[Fault]:
        """Return the faults of a meter and those of its gateway."""
        mine = self._by_subject.get(meter.code, [])
        return mine + self._by_subject.get(meter.gateway or "", [])

    def meters_of(self, fault: Fault) -> list[MeterNote]:
        """Return the meters that a fault falls upon: one, or those of a gateway."""
        if fault.subject in self.meters:
            return [self.meters[fault.subject]]
        return [each for each in self.meters.values() if each.gateway == fault.subject]

    @cached_property
    def _by_subject(self) -> dict[str, list[Fault]]:
        found: dict[str, list[Fault]] = defaultdict(list)
        for fault in self.faults:
            found[fault.subject].append(fault)
        return dict(found)

    def usage(self, keys: Sequence[Key]) -> Iterator[tuple[Key, Float64]]:
        """Yield what truly flowed in each quarter hour, shape (quarters,), by key."""
        many = max(1, AT_ONCE // self.quarters)
        for begin in range(0, len(keys), many):
            some = keys[begin : begin + many]
            yield from zip(some, self._matrix(some), strict=True)

    def groups(self) -> Iterator[list["Block"]]:
        """Yield the rows of the file by row group: a local day, or what is left."""
        file = _open(self.path)
        for number in range(file.num_row_groups):
            yield list(_group(file, number))

    def _matrix(self, keys: Sequence[Key]) -> Float64:
        row = {key: number for number, key in enumerate(keys)}
        found = np.full((len(keys), self.quarters), np.nan)
        for block in _blocks(_open(self.path)):
            number = row.get(block.key) if block.what == USAGE else None
            if number is not None:
                place = (block.start_s - self.start_s) // QUARTER_S
                found[number, place] = block.value
        return found


class Block(NamedTuple):
    """Neighbouring rows of one kind, in one row group."""

    what: str
    key: Key
    unit: str
    note: str
    start_s: Integers
    stop_s: Integers
    value: Float64


def read(path: Path) -> Truth:
    """Read all but the usage.

    Raises
    ------
    SimulatorError
        If the file cannot be read, or is no truth of this version.
    """
    file = _open(path)
    said = {
        key.decode(): value.decode()
        for key, value in (file.schema_arrow.metadata or {}).items()
        if not key.startswith(b"ARROW")
    }
    if said.get("parkwatt.truth") != VERSION:
        raise SimulatorError(
            f"{path} is no truth of version {VERSION}: name the file that parkwatt "
            "simulate wrote"
        )
    usage: dict[Key, None] = {}
    rows: dict[str, list[Row]] = {}
    for block in _blocks(file):
        if block.what == USAGE:
            usage[block.key] = None
        elif block.what not in ("usage_1min", "demand_15min"):
            rows.setdefault(block.what, []).extend(_rows(block))
    meters = {row.subject: _meter(row) for row in rows.get("meter", ())}
    park = said["scenario"]
    others = dict.fromkeys(key.subject for key in usage if key.subject not in meters)
    return Truth(
        path=path,
        park=park,
        zone=said["zone"],
        start_s=_second(said["start"]),
        stop_s=_second(said["stop"]),
        meters=meters,
        channels=tuple(key for key in usage if key.subject in meters),
        subjects=(park, *(each for each in others if each != park)),
        faults=tuple(_fault(row) for row in rows.get("fault", ())),
        peaks=tuple(rows.get("peak", ())),
        emissions=tuple(rows.get("emissions", ())),
        added_values=tuple(rows.get("added_value", ())),
        intensities=tuple(rows.get("intensity", ())),
        ledger=_ledger(path, rows.get("ledger", ())),
    )


def _open(path: Path) -> "parquet.ParquetFile":
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise SimulatorError(
            "a truth file needs pyarrow: install parkwatt[simulate]"
        ) from error
    try:
        return parquet.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise SimulatorError(f"cannot read the truth {path}: {error}") from error


def _blocks(file: "parquet.ParquetFile") -> Iterator[Block]:
    for number in range(file.num_row_groups):
        yield from _group(file, number)


def _group(file: "parquet.ParquetFile", number: int) -> Iterator[Block]:
    """Yield runs of rows that differ in time and value alone."""
    table = file.read_row_group(number).combine_chunks()
    texts, indices = [], []
    for name in _NAMES:
        column = table[name].chunk(0).dictionary_encode()
        texts.append(column.dictionary.to_pylist())
        indices.append(column.indices.to_numpy())
    fresh = np.zeros(table.num_rows, dtype=np.bool_)
    fresh[:1] = True
    for index in indices:
        fresh[1:] |= index[1:] != index[:-1]
    begin = np.flatnonzero(fresh)
    edges = [*begin.tolist(), table.num_rows]
    start_s, stop_s = (_instants(table, name) for name in ("start", "stop"))
    value = table["value"].to_numpy()
    named = zip(
        *(
            [text[place] for place in index[begin].tolist()]
            for text, index in zip(texts, indices, strict=True)
        ),
        strict=True,
    )
    for place, (what, subject, quantity, unit, note) in enumerate(named):
        part = slice(edges[place], edges[place + 1])
        yield Block(
            *(what, Key(subject, quantity), unit, note),
            *(start_s[part], stop_s[part], value[part]),
        )


def _instants(table: Any, name: str) -> Integers:
    micros: Integers = table[name].to_numpy().astype("datetime64[us]").astype(np.int64)
    return micros // 1_000_000


def _rows(block: Block) -> Iterator[Row]:
    columns = (block.start_s.tolist(), block.stop_s.tolist(), block.value.tolist())
    for start_s, stop_s, value in zip(*columns, strict=True):
        yield Row(
            subject=block.key.subject,
            quantity=block.key.quantity,
            start_s=start_s,
            stop_s=stop_s,
            value=value,
            note=block.note,
        )


def _ledger(path: Path, rows: Sequence[Row]) -> dict[str, int]:
    found = {row.quantity: int(row.value) for row in rows}
    lacking = [each for each in LEDGER if each not in found]
    if found and lacking:
        raise SimulatorError(
            f"{path} is no whole truth: its ledger lacks {', '.join(lacking)}"
        )
    return found


def _meter(row: Row) -> MeterNote:
    said = json.loads(row.note)
    return MeterNote(
        code=row.subject,
        enterprise=said["enterprise"],
        role=said["role"],
        parent=said["parent"],
        step=said["resolution"],
        ct=said["ct"],
        error_ppm=said["error_ppm"],
        cadence_s=said["cadence_s"],
        clock_offset_s=said["clock_offset_s"],
        clock_drift_ppm=said["clock_drift_ppm"],
        gateway=said["gateway"],
        known_as=said.get("known_as"),
        carried=_quantities(said.get("carried")),
        registers=_quantities(said.get("registers")),
    )


def _quantities(keys: Sequence[str] | None) -> frozenset[str] | None:
    return None if keys is None else frozenset(each.rpartition("_")[0] for each in keys)


def _fault(row: Row) -> Fault:
    return Fault(
        kind=row.quantity,
        subject=row.subject,
        start_s=row.start_s,
        stop_s=row.stop_s,
        parameters=json.loads(row.note or "{}"),
    )


def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
