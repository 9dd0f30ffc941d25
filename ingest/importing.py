"""Readings from a CSV file, by the same rules as from the wire."""

import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ingest.reading import Parsed, Reading, Refused, number, time_us
from ingest.resolver import Resolver
from ingest.writer import Batch
from store import registry, relations
from store.batches import write_batch
from store.database import Connection
from store.errors import Invalid
from store.quantities import KEYS, QUANTITIES
from store.records import Counts
from store.settings import Settings

COLUMNS = ("park", "enterprise", "meter", "quantity", "at", "value")
ROWS_PER_BATCH = 20_000
PARSER = "csv/1"


@dataclass(kw_only=True)
class Report:
    """What became of a file."""

    counts: Counts = field(default_factory=Counts)
    problems: list[str] = field(default_factory=list)  # the first ones, by line


def import_csv(
    conn: Connection,
    path: Path,
    settings: Settings,
    *,
    create: bool = False,
    zone: str = "Asia/Shanghai",
    region: str = "CN",
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Import readings; each batch is committed, so a second try finds duplicates.

    Parameters
    ----------
    create
        Register and confirm the parks, enterprises and meters that the file names.
    zone, region
        Of parks that are created.
    progress
        Called with bytes read and bytes in all.

    Raises
    ------
    Invalid
        When the file cannot be read or has other columns.
    """
    report = Report()
    resolver = Resolver(settings.unconfirmed_meters)
    confirmed: set[tuple[str, str, str]] = set()
    size = path.stat().st_size if path.is_file() else 0
    batch = Batch()
    for line in _lines(path):
        try:
            if line.problem:
                raise Refused(line.problem)
            owner, reading = _reading(line.cells)
        except Refused as refused:
            batch.refuse(_name(path), line.raw, str(refused), 1)
            _note(report, line.number, str(refused))
            continue
        if create and (*owner, reading.meter) not in confirmed:
            _create(conn, owner, reading.meter, zone, region, _name(path))
            confirmed.add((*owner, reading.meter))
        parsed = Parsed(park=owner[0], enterprise=owner[1], readings=[reading])
        before = len(batch.quarantined)
        batch.add(conn, resolver, _name(path), line.raw, parsed)
        for each in batch.quarantined[before:]:
            _note(report, line.number, each.reason)
        if len(batch.channel) + len(batch.quarantined) >= ROWS_PER_BATCH:
            report.counts += _write(conn, batch, resolver, path)
            batch = Batch()
            if progress is not None:
                progress(line.done, size)
    if batch.channel or batch.quarantined:
        report.counts += _write(conn, batch, resolver, path)
    if progress is not None:
        progress(size, size)
    return report


def _name(path: Path) -> str:
    """Give a file's name as text that can be stored, whatever its bytes."""
    return path.name.encode("utf-8", "backslashreplace").decode().replace("\0", "")


class _Line(NamedTuple):
    number: int
    done: int  # bytes read so far
    raw: bytes
    cells: list[str]
    problem: str = ""  # why it is no row


def _lines(path: Path) -> Iterator[_Line]:
    """Give the rows, with the cells in the order of COLUMNS.

    Each line is read on its own: a quote that is never closed, or a byte that is not
    UTF-8, spoils its own row and no other.
    """
    try:
        with path.open("rb") as file:
            done, header = _cells(file.readline())
            if isinstance(header, str):
                raise Invalid(f"{path.name} is not CSV text: {header}")
            names = [cell.strip().lower() for cell in header]
            missing = [each for each in COLUMNS if each not in names]
            if missing:
                raise Invalid(
                    f"{path.name} lacks the column {', '.join(missing)}; it needs "
                    + ",".join(COLUMNS)
                )
            order = [names.index(each) for each in COLUMNS]
            for number, line in enumerate(file, 2):
                size, row = _cells(line)
                done += size
                if isinstance(row, str):
                    yield _Line(number, done, line, [], row)
                elif row:
                    cells = [row[i].strip() if i < len(row) else "" for i in order]
                    yield _Line(number, done, line, cells)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from error


def _cells(line: bytes) -> tuple[int, list[str] | str]:
    """Give a line's bytes and its cells, or why it has none."""
    try:
        text = line.decode("utf-8-sig")
        return len(line), next(csv.reader([text.rstrip("\r\n")], strict=True), [])
    except UnicodeDecodeError as error:
        return len(line), f"byte {error.start + 1} is not UTF-8"
    except csv.Error as error:
        return len(line), f"not CSV: {error}"


def _reading(cells: list[str]) -> tuple[tuple[str, str], Reading]:
    park, enterprise, meter, quantity, at, value = cells
    for name, code in (("park", park), ("enterprise", enterprise), ("meter", meter)):
        if not registry.is_code(code):
            raise Refused(f"{name} code {code[:70]!r} is empty or has other characters")
    key = quantity
    if key not in KEYS and key in QUANTITIES:  # the bare name: in its canonical unit
        unit = QUANTITIES[key].unit
        key = f"{key}_{unit}" if unit else key
    known = KEYS.get(key)
    if known is None:
        raise Refused(f"unknown quantity {quantity[:70]!r}")
    if known.kind == "delta":
        raise Refused(f"{quantity} is an interval amount: not possible in this file")
    at_us = time_us(at or None, time.time_ns() // 1000)
    try:
        figure = float(value.replace("_", "?"))  # Python alone takes 1_000
    except ValueError:
        raise Refused(f"value {value[:40]!r} is not a number") from None
    return (park, enterprise), Reading(meter, key, at_us, number(figure, known.scale))


def _create(
    conn: Connection,
    owner: tuple[str, str],
    meter: str,
    zone: str,
    region: str,
    source: str,
) -> None:
    park_id = registry.add_park(conn, owner[0], zone=zone, region=region)
    enterprise_id = registry.add_enterprise(conn, park_id, owner[1])
    meter_id = registry.add_meter(conn, park_id, enterprise_id, meter)
    relations.confirm_meter(conn, meter_id, enterprise_id, source=f"import {source}")


def _note(report: Report, line: int, reason: str) -> None:
    if len(report.problems) < 20:
        report.problems.append(f"line {line}: {reason}")


def _write(conn: Connection, batch: Batch, resolver: Resolver, path: Path) -> Counts:
    with conn.transaction():
        return write_batch(
            conn,
            batch.rows(),
            batch.quarantined,
            parks=resolver.parks,
            totals=resolver.totals,
            source=f"import {_name(path)}",
            parser=PARSER,
            messages=len(batch.channel) + len(batch.quarantined),
        )
