"""Readings from a CSV or XLSX file, by the same rules as from the wire."""

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest.entry import figure, instant_us, key_of, zone_of
from ingest.reading import Parsed, Reading, Refused
from ingest.resolver import Owner, Resolver
from ingest.tables import Broken, Cell, Line, open_table
from ingest.writer import Batch
from store import registry, rehearse, relations, typed
from store.batches import write_batch
from store.database import Connection
from store.errors import Invalid
from store.quantities import KEYS
from store.records import Counts
from store.rehearse import Rehearsal
from store.settings import Settings
from store.spreadsheet import cell as safe

ROWS_PER_BATCH = 20_000
NAMED = 20  # refusals that are told one by one
OUTCOMES = ("inserted", "duplicate", "conflict")


@dataclass(kw_only=True)
class Report:
    """What became of a file, or would become of it."""

    counts: Counts = field(default_factory=Counts)
    problems: list[str] = field(default_factory=list)  # the first ones, by line
    note: str = ""  # what of the file is not read
    broken: str = ""  # why it could not be read to its end


@dataclass(kw_only=True)
class Options:
    """How a file is imported."""

    create: bool = False  # register and confirm the parks and meters that it names
    zone: str | None = None  # of times that name none, and of parks that are created
    region: str = "CN"  # of parks that are created
    dry_run: bool = False  # store nothing
    report: Path | None = None  # where each row's outcome is written


def import_file(
    conn: Connection,
    path: Path,
    settings: Settings,
    options: Options,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Import readings; each batch is committed, so a second try finds duplicates.

    Parameters
    ----------
    progress
        Called with what is done and all there is: bytes of CSV, rows of XLSX.

    Raises
    ------
    Invalid
        When the file cannot be read at all, has other columns, or the report cannot be
        written.
    """
    zone = zone_of(options.zone) if options.zone else None
    with ExitStack() as stack:
        table = open_table(path, stack)
        report = Report(note=table.note)
        rows = _Rows(conn, path, table.parser, settings, options, report)
        stack.callback(rows.close)
        rows.write_to(_sheet(options.report, path, stack))
        try:
            for line in table.lines:
                rows.add(line, zone)
                if rows.size >= ROWS_PER_BATCH:
                    rows.flush()
                    if progress is not None:
                        progress(line.done, table.total)
        except Broken as broken:
            report.broken = str(broken)
        except OSError as error:
            report.broken = f"{path}: {error.strerror}"
        rows.flush()
        if progress is not None:
            progress(table.total, table.total)
    return report


def _sheet(target: Path | None, path: Path, stack: ExitStack) -> Any:
    if target is None:
        return None
    try:
        if target.exists() and target.samefile(path):
            raise Invalid(f"the report {target} is the file itself")
        file = stack.enter_context(target.open("w", encoding="utf-8", newline=""))
    except OSError as error:
        raise Invalid(f"{target}: {error.strerror}") from error
    sheet = csv.writer(file)
    sheet.writerow(("line", "outcome", "reason", "stored"))
    return sheet


class _Rows:
    """Gathers rows, and writes or rehearses them batch by batch."""

    def __init__(
        self,
        conn: Connection,
        path: Path,
        parser: str,
        settings: Settings,
        options: Options,
        report: Report,
    ) -> None:
        self._conn, self._name, self._parser = conn, _name(path), parser
        self._options, self._report = options, report
        self._rehearsal = Rehearsal(conn) if options.dry_run else None
        limit = settings.unconfirmed_meters
        self._resolver = (
            _Pretender(limit, create=options.create)
            if options.dry_run
            else Resolver(limit)
        )
        self._confirmed: set[tuple[str, str, str]] = set()
        self._sheet: Any = None
        self._begin()

    def _begin(self) -> None:
        self._batch = Batch()
        self._lines: list[int] = []  # of the rows of the batch
        self._refused: list[tuple[int, str]] = []

    @property
    def size(self) -> int:
        """Rows that wait."""
        return len(self._lines) + len(self._refused)

    def close(self) -> None:
        """Forget what was rehearsed."""
        if self._rehearsal is not None and not self._conn.closed:
            self._rehearsal.close()

    def write_to(self, sheet: Any) -> None:
        """Write each row's outcome there."""
        self._sheet = sheet

    def add(self, line: Line, zone: ZoneInfo | None) -> None:
        """Add a row to the batch, or its refusal."""
        batch = self._batch
        before = len(batch.quarantined)
        try:
            if line.problem:
                raise Refused(line.problem)
            owner, reading = _reading(line.cells, zone)
        except Refused as refused:
            batch.refuse(self._name, line.raw, str(refused), 1)
        else:
            self._create(owner, reading.meter)
            parsed = Parsed(park=owner[0], enterprise=owner[1], readings=[reading])
            rows = len(batch.channel)
            batch.add(self._conn, self._resolver, self._name, line.raw, parsed)
            if len(batch.channel) > rows:
                self._lines.append(line.number)
        for each in batch.quarantined[before:]:
            self._refused.append((line.number, each.reason))
            if len(self._report.problems) < NAMED:
                self._report.problems.append(f"line {line.number}: {each.reason}")

    def _create(self, owner: tuple[str, str], meter: str) -> None:
        options = self._options
        if not options.create or options.dry_run or (*owner, meter) in self._confirmed:
            return
        zone = options.zone or "Asia/Shanghai"
        park_id = registry.add_park(
            self._conn, owner[0], zone=zone, region=options.region
        )
        enterprise_id = registry.add_enterprise(self._conn, park_id, owner[1])
        meter_id = registry.add_meter(self._conn, park_id, enterprise_id, meter)
        relations.confirm_meter(
            self._conn, meter_id, enterprise_id, source=f"import {self._name}"
        )
        self._confirmed.add((*owner, meter))

    def flush(self) -> None:
        """Write the batch and commit, or tell what would become of it."""
        if not self.size:
            return
        batch, rows = self._batch, self._batch.rows()
        told: rehearse.Outcomes | None = None
        if self._rehearsal is not None:
            told = self._rehearsal.outcomes(rows)
            sums = [int((told.outcome == each).sum()) for each in range(3)]
            counts = Counts(
                inserted=sums[rehearse.INSERTED],
                duplicate=sums[rehearse.DUPLICATE],
                conflict=sums[rehearse.CONFLICT],
                quarantined=len(self._refused),
            )
        else:
            with self._conn.transaction():
                counts = write_batch(
                    self._conn,
                    rows,
                    batch.quarantined,
                    parks=self._resolver.parks,
                    totals=self._resolver.totals,
                    source=f"import {self._name}",
                    parser=self._parser,
                    messages=self.size,
                )
                if self._sheet is not None:
                    batch_id = typed.last_batch(self._conn)
                    told = rehearse.outcomes(self._conn, rows, batch_id)
        self._report.counts += counts
        if self._sheet is not None and told is not None:
            self._sheet.writerows(self._told(told))
        self._begin()

    def _told(self, told: rehearse.Outcomes) -> Iterator[tuple[object, ...]]:
        names = ("new", *OUTCOMES[1:]) if self._options.dry_run else OUTCOMES
        rows: list[tuple[int, str, object, object]] = [
            (line, "refused", safe(reason), "") for line, reason in self._refused
        ]
        for line, outcome, stored in zip(
            self._lines, told.outcome.tolist(), told.stored.tolist(), strict=True
        ):
            clash = outcome == rehearse.CONFLICT
            reason = "another value is stored" if clash else ""
            rows.append((line, names[outcome], reason, stored if clash else ""))
        return iter(sorted(rows, key=lambda row: row[0]))


class _Pretender(Resolver):
    """Finds channels and makes none: what is new gets an id below zero."""

    def __init__(self, unconfirmed_meters: int, *, create: bool) -> None:
        super().__init__(unconfirmed_meters)
        self._most, self._makes = unconfirmed_meters, create
        self._pretended: dict[tuple[object, ...], int] = {}
        self._waiting: dict[int, int] = {}  # meters, by enterprise

    def _id(self, *place: object) -> int:
        return self._pretended.setdefault(place, -1 - len(self._pretended))

    def _load(self, conn: Connection, park: str, enterprise: str) -> Owner | None:
        found = super()._load(conn, park, enterprise)
        if found is None and self._makes:
            return Owner(self._id(park), self._id(park, enterprise), {})
        return found

    def channel(self, conn: Connection, owner: Owner, reading: Reading) -> int:
        """Find the channel of a reading, or pretend that there is one."""
        known = KEYS[reading.key]
        meter_id, waiting = registry.find_meter(
            conn, owner.enterprise_id, reading.meter
        )
        if meter_id is None:
            meter_id = self._new_meter(owner.enterprise_id, reading.meter, waiting)
        found = registry.find_channel(conn, meter_id, known.quantity.name, known.kind)
        if found is None:
            found = self._id(meter_id, known.quantity.name, known.kind)
        owner.channels[reading.meter, reading.key] = found
        return found

    def _new_meter(self, enterprise_id: int, code: str, waiting: int) -> int:
        if not self._makes and (enterprise_id, code) not in self._pretended:
            pretended = self._waiting.get(enterprise_id, 0)
            if waiting + pretended >= self._most:
                raise Refused(
                    f"{self._most} meters of this enterprise wait for confirmation "
                    "already"
                )
            self._waiting[enterprise_id] = pretended + 1
        return self._id(enterprise_id, code)


def _name(path: Path) -> str:
    """Give a file's name as text that can be stored, whatever its bytes."""
    return path.name.encode("utf-8", "backslashreplace").decode().replace("\0", "")


def _reading(
    cells: list[Cell], zone: ZoneInfo | None
) -> tuple[tuple[str, str], Reading]:
    park, enterprise, meter, quantity = (str(each) for each in cells[:4])
    at, value = cells[4:]
    for name, code in (("park", park), ("enterprise", enterprise), ("meter", meter)):
        if not registry.is_code(code):
            raise Refused(f"{name} code {code[:70]!r} is empty or has other characters")
    key = key_of(quantity)
    known = KEYS[key]
    if known.kind == "delta":
        raise Refused(f"{quantity} is an interval amount: not possible in this file")
    at_us = instant_us(at, zone)
    return (park, enterprise), Reading(meter, key, at_us, figure(value, known))
