"""Rows of a CSV or XLSX file, one after the other, in bounded memory."""

import csv
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from store.errors import Invalid

COLUMNS = ("park", "enterprise", "meter", "quantity", "at", "value")
LINE_BYTES = 65_536  # a longer line is no row
# what a workbook may unpack to: a full sheet of a million rows fits
SHEET_BYTES = 512 << 20
OTHER_BYTES = 64 << 20  # texts and styles, which are held in memory
PARTS = 10_000
SHEET_ROWS, SHEET_COLUMNS = 1_048_576, 64

Cell = str | int | float | datetime


class Line(NamedTuple):
    """One row, or why there is none; `cells` in the order of :data:`COLUMNS`."""

    number: int
    done: int  # of `total`: bytes of CSV, rows of XLSX
    raw: bytes
    cells: list[Cell]
    problem: str = ""


class Table(NamedTuple):
    """A file's rows."""

    parser: str
    total: int
    note: str  # what of the file is not read
    lines: Iterator[Line]


class Broken(Exception):
    """The file cannot be read any further; what came before can be used."""


def open_table(path: Path, stack: ExitStack) -> Table:
    """Open a file by what is in it, whatever its name.

    Raises
    ------
    Invalid
        When it cannot be read, unpacks to too much, or lacks a column.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(8)
        if magic.startswith(b"\xd0\xcf\x11\xe0"):
            raise Invalid(
                f"{path.name} is an old or locked workbook (.xls): save it as .xlsx "
                "without a password"
            )
        if magic.startswith(b"PK\x03\x04"):
            return _workbook(path, stack)
        lines = _csv_lines(path)
        next(lines)  # the header, so that a wrong one is told at once
        return Table("csv/1", path.stat().st_size, "", lines)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from error


def _order(path: Path, header: Sequence[object]) -> list[int]:
    names = [str(cell or "").strip().lower() for cell in header]
    missing = [each for each in COLUMNS if each not in names]
    if len(names) == 1 and len(missing) == len(COLUMNS) and ";" in names[0]:
        raise Invalid(f"{path.name} separates by semicolons; it needs commas")
    if missing:
        raise Invalid(
            f"{path.name} lacks the column {', '.join(missing)}; it needs "
            + ",".join(COLUMNS)
        )
    twice = [each for each in COLUMNS if names.count(each) > 1]
    if twice:
        raise Invalid(f"{path.name} has the column {', '.join(twice)} more than once")
    return [names.index(each) for each in COLUMNS]


def _csv_lines(path: Path) -> Iterator[Line]:
    """Give an empty line for the header, then the rows.

    Each line is read on its own: a quote that is never closed, or a byte that is not
    UTF-8, spoils its own row and no other.
    """
    with path.open("rb") as file:
        first = file.readline(LINE_BYTES + 1)
        done, header = len(first), csv_cells(first)
        if isinstance(header, str):
            raise Invalid(f"{path.name} is not CSV text: {header}")
        order = _order(path, header)
        width = len(header)
        yield Line(1, done, b"", [])
        number = 1
        while line := file.readline(LINE_BYTES + 1):
            number += 1
            done += len(line)
            row = csv_cells(line)
            rest = line
            while len(rest) > LINE_BYTES and not rest.endswith(b"\n"):
                rest = file.readline(LINE_BYTES + 1)
                done += len(rest)
            if isinstance(row, str):
                yield Line(number, done, line[:LINE_BYTES], [], row)
            elif any(cell.strip() for cell in row[width:]):
                # a decimal comma, perhaps: what stands before it is another number
                problem = f"{len(row)} cells, and the header has {width}"
                yield Line(number, done, line, [], problem)
            elif row:
                cells: list[Cell] = [
                    row[i].strip() if i < len(row) else "" for i in order
                ]
                yield Line(number, done, line, cells)


def csv_cells(line: bytes) -> list[str] | str:
    """Give a line's cells, or why it has none."""
    if len(line) > LINE_BYTES:
        return f"line is longer than {LINE_BYTES} bytes"
    try:
        text = line.decode("utf-8-sig")
        return next(csv.reader([text.rstrip("\r\n")], strict=True), [])
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} is not UTF-8: save it as CSV UTF-8 or .xlsx"
    except csv.Error as error:
        return f"not CSV: {error}"


def _workbook(path: Path, stack: ExitStack) -> Table:
    formulas = check_size(path)
    book = load_book(path, stack, data_only=True)
    sheets = [each for each in book.worksheets if each.sheet_state == "visible"]
    if not sheets:
        raise Invalid(f"{path.name} has no visible sheet")
    sheet = sheets[0]
    others = [each for each in book.sheetnames if each != sheet.title]
    note = f"only sheet {sheet.title!r} is read, not {', '.join(others)}"
    written: Iterator[Any] | None = None
    if formulas:  # a second look at the same cells tells which of them are formulas
        written = _rows(load_book(path, stack, data_only=False)[sheet.title])
    lines = _sheet_lines(path, _rows(sheet), written)
    next(lines)
    return Table("xlsx/1", sheet.max_row or 0, note if others else "", lines)


def check_size(path: Path, sheet_bytes: int | None = None) -> bool:
    """Refuse what unpacks to too much; tell whether a sheet may hold formulas.

    The sizes are what the archive says; none of its parts unpacks to more than that.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            sheets = [e for e in parts if e.filename.startswith("xl/worksheets/")]
            of_sheets = sum(each.file_size for each in sheets)
            others = sum(each.file_size for each in parts) - of_sheets
            for what, size, most in (
                ("sheets", of_sheets, sheet_bytes or SHEET_BYTES),
                ("texts and styles", others, OTHER_BYTES),
            ):
                if size > most:
                    raise Invalid(
                        f"{path.name}: its {what} unpack to {size >> 20} MiB, and the "
                        f"most is {most >> 20} MiB: split it, or import CSV"
                    )
            if len(parts) > PARTS:
                raise Invalid(f"{path.name} has {len(parts)} parts: no workbook")
            return any(_holds(archive, each, b"<f") for each in sheets)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Invalid(f"{path.name} is no workbook: {error}") from error


def _holds(archive: zipfile.ZipFile, part: zipfile.ZipInfo, mark: bytes) -> bool:
    tail = b""
    with archive.open(part) as stream:
        while block := stream.read(1 << 20):
            if mark in tail + block:
                return True
            tail = block[-len(mark) :]
    return False


def load_book(path: Path, stack: ExitStack, *, data_only: bool) -> Any:
    """Open a workbook row by row, with the results of its formulas or with their text.

    Raises
    ------
    Invalid
        When it is none.
    """
    import openpyxl  # slow to start: only where there is a workbook

    file = stack.enter_context(path.open("rb"))  # by its content, not by its name
    try:
        with warnings.catch_warnings(action="ignore"):
            book = openpyxl.load_workbook(file, read_only=True, data_only=data_only)
    except Exception as error:  # as many kinds as a workbook has parts
        raise Invalid(f"{path.name} is no workbook: {first_line(error)}") from error
    stack.callback(book.close)
    return book


def _rows(sheet: Any) -> Iterator[Any]:
    # bounds of our own: those that the file states need not be true
    rows: Iterator[Any] = sheet.iter_rows(
        min_row=1, max_row=SHEET_ROWS, min_col=1, max_col=SHEET_COLUMNS
    )
    return rows


def _sheet_lines(
    path: Path, rows: Iterator[Any], written: Iterator[Any] | None
) -> Iterator[Line]:
    order: list[int] = []
    number = 0
    while True:
        try:
            with warnings.catch_warnings(action="ignore"):
                row = next(rows)
                texts = next(written) if written else row
        except StopIteration:
            break
        except Exception as error:  # as many kinds as a workbook has parts
            if not order:
                raise Invalid(f"{path.name}: {first_line(error)}") from error
            raise Broken(
                f"{path.name} cannot be read from row {number + 1} on: "
                f"{first_line(error)}"
            ) from error
        number += 1
        if not order:
            order = _order(path, [each.value for each in row])
            yield Line(1, 1, b"", [])
            continue
        cells = [row[i].value for i in order]
        formula = [is_formula(texts[i]) for i in order] if written else None
        if all(each is None for each in cells) and not (formula and any(formula)):
            continue
        line = _sheet_line(number, cells, [row[i].data_type for i in order], formula)
        if not line.problem and _is_day(row[order[COLUMNS.index("at")]]):
            day = f"at {cells[COLUMNS.index('at')]:%Y-%m-%d} is a day without a time"
            line = line._replace(cells=[], problem=day)
        yield line
    if not order:
        _order(path, [])


def is_formula(cell: Any) -> bool:
    """Tell whether a cell, read with its text, holds a formula."""
    from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

    return cell.data_type == "f" or isinstance(
        cell.value, ArrayFormula | DataTableFormula
    )


def _is_day(cell: Any) -> bool:
    """Tell whether a cell shows a day alone: no reading is of a whole day."""
    return (
        isinstance(cell.value, datetime)
        and cell.value.time() == time()
        and "h" not in str(cell.number_format).lower()
    )


def _sheet_line(
    number: int, values: list[Any], types: list[str], formula: list[bool] | None
) -> Line:
    raw = ",".join("" if each is None else str(each) for each in values).encode()
    cells: list[Cell] = []
    for i, (name, value, kind) in enumerate(zip(COLUMNS, values, types, strict=True)):
        problem = ""
        if formula and formula[i] and value is None:
            problem = (
                f"{name} is a formula without a stored result: open the file in a "
                "spreadsheet program and save it"
            )
        elif kind == "e":
            problem = f"{name} is the error {value}"
        elif isinstance(value, bool):
            problem = f"{name} is {str(value).upper()}, no text or number"
        elif name == "at":
            problem = _no_instant(value)
        elif isinstance(value, datetime | date | time | timedelta):
            problem = f"{name} {value} is a date or time"
        elif isinstance(value, float) and name != "value":
            if value.is_integer():
                value = int(value)
            else:
                problem = f"{name} {value} is a number: make the cell a text"
        if problem:
            return Line(number, number, raw, [], problem)
        if name not in ("at", "value"):
            value = "" if value is None else str(value)
        elif value is None:
            value = ""
        cells.append(value.strip() if isinstance(value, str) else value)
    return Line(number, number, raw, cells)


def _no_instant(value: object) -> str:
    if value is None or isinstance(value, str | datetime):
        return ""
    if isinstance(value, int | float):
        return f"at {value} is a number: format the cell as date and time"
    return f"at {value} is no date with its time"


def first_line(error: Exception) -> str:
    """Give an error's words, one line and not too long."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]
