"""Small tables that people fill in, CSV or XLSX: read whole, a problem for each row."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ingest.tables import (
    SHEET_ROWS,
    check_size,
    csv_cells,
    first_line,
    is_formula,
    load_book,
)
from store.errors import Invalid

FILE_BYTES = 4 << 20
UNPACKED = 64 << 20  # a full sheet of so few rows fits many times
ROWS = 5_000
FURTHEST = 100_000  # row, empty ones counted
COLUMNS = 64  # that are looked at

Value = str | int | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One row: its cells by column, or why it has none."""

    number: int
    cells: Mapping[str, Value] = field(default_factory=dict)
    problem: str = ""


def read_sheet(
    path: Path, names: Mapping[str, str], required: tuple[str, ...]
) -> list[SheetRow]:
    """Read the first visible sheet of a workbook, or CSV text.

    Parameters
    ----------
    names
        The column that a header means, by the header in small letters.
    required
        Columns that must be there.

    Notes
    -----
    A formula counts by the result that is stored with it; text is never taken as one.

    Raises
    ------
    Invalid
        When the file is too large, or is none, or lacks a column.
    """
    size = path.stat().st_size
    if size > FILE_BYTES:
        raise Invalid(
            f"the file has {size >> 10} KiB, and the most is {FILE_BYTES >> 10}"
        )
    with ExitStack() as stack, path.open("rb") as file:
        workbook = file.read(4) == b"PK\x03\x04"
        lines = _sheet_lines(path, stack) if workbook else _csv_lines(path)
        rows: list[SheetRow] = []
        order: dict[int, str] = {}
        for number, cells, problem in lines:
            if not order:
                order = _order(cells, names, required)
            elif problem:
                rows.append(SheetRow(number=number, problem=problem))
            else:
                row = _row(number, cells, order)
                filled = any(each not in (None, "") for each in row.cells.values())
                rows += [row] if row.problem or filled else []
            if len(rows) > ROWS or number > FURTHEST:
                raise Invalid(f"the file has more than {ROWS} rows: split it")
    if not order:
        _order([], names, required)
    return rows


def _order(
    header: list[Any], names: Mapping[str, str], required: tuple[str, ...]
) -> dict[int, str]:
    order: dict[int, str] = {}
    for i, each in enumerate(header):
        name = names.get(str(each or "").strip().lower())
        if name is None:
            continue
        if name in order.values():
            raise Invalid(f"the column {name} is there more than once")
        order[i] = name
    missing = [each for each in required if each not in order.values()]
    if missing:
        raise Invalid(f"the file lacks the column {', '.join(missing)}")
    return order


def _row(number: int, cells: list[Any], order: dict[int, str]) -> SheetRow:
    found: dict[str, Value] = {}
    for i, name in order.items():
        value = cells[i] if i < len(cells) else None
        if isinstance(value, bool):
            words = f"{name} is {str(value).upper()}, no text or number"
            return SheetRow(number=number, problem=words)
        if isinstance(value, date | time | timedelta) and not isinstance(
            value, datetime
        ):
            return SheetRow(number=number, problem=f"{name} {value} is a date or time")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        found[name] = value.strip() if isinstance(value, str) else value
    return SheetRow(number=number, cells=found)


def _csv_lines(path: Path) -> Iterator[tuple[int, list[Any], str]]:
    width = 0
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        cells = csv_cells(line)
        width = width or len(cells)
        if isinstance(cells, str):
            if number == 1:
                raise Invalid(f"the file is not CSV text: {cells}")
            yield number, [], cells
        elif number == 1 and len(cells) == 1 and ";" in cells[0]:
            raise Invalid("the file separates by semicolons; it needs commas")
        elif any(each.strip() for each in cells[width:]):
            # a decimal comma, perhaps: what stands before it is another number
            yield number, [], f"{len(cells)} cells, and the header has {width}"
        else:
            yield number, list(cells), ""


def _sheet_lines(path: Path, stack: ExitStack) -> Iterator[tuple[int, list[Any], str]]:
    formulas = check_size(path, UNPACKED)
    book = load_book(path, stack, data_only=True)
    visible = [each for each in book.worksheets if each.sheet_state == "visible"]
    if not visible:
        raise Invalid("the workbook has no visible sheet")
    title = visible[0].title
    written: Iterator[Any] = iter(())
    if formulas:  # a second look at the same cells tells which of them are formulas
        written = _rows(load_book(path, stack, data_only=False)[title])
    try:
        for number, (row, texts) in enumerate(
            zip_longest(_rows(visible[0]), written, fillvalue=()), 1
        ):
            yield number, [each.value for each in row], _problem(row, texts)
    except Invalid:
        raise
    except Exception as error:  # as many kinds as a workbook has parts
        raise Invalid(f"the workbook cannot be read: {first_line(error)}") from error


def _rows(sheet: Any) -> Iterator[Any]:
    # bounds of our own: those that the file states need not be true
    rows: Iterator[Any] = sheet.iter_rows(
        min_row=1, max_row=SHEET_ROWS, min_col=1, max_col=COLUMNS
    )
    return rows


def _problem(row: Any, texts: Any) -> str:
    for cell in row:
        if cell.data_type == "e":
            return f"a cell is the error {cell.value}"
    for cell, text in zip(row, texts, strict=False):
        if is_formula(text) and cell.value is None:
            return (
                "a cell is a formula without a stored result: open the file in a "
                "spreadsheet program and save it"
            )
    return ""
