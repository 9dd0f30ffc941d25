"""Rows of stated activity in a CSV or XLSX file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.sheets import SheetRow, read_sheet
from store.errors import Invalid

REQUIRED = ("enterprise", "month", "item", "use", "amount", "unit", "source")
OPTIONAL = ("beside", "supplier", "stage")
NAMES = {each: each for each in (*REQUIRED, *OPTIONAL)} | {
    "企业": "enterprise",
    "月份": "month",
    "项目": "item",
    "用途": "use",
    "数量": "amount",
    "单位": "unit",
    "来源": "source",
    "供方": "supplier",
    "无表": "beside",  # no meter counts it
    "阶段": "stage",
}
_YES, _NO = ("yes", "true", "1", "是"), ("", "no", "false", "0", "否")


@dataclass(frozen=True, kw_only=True)
class ActivityRow:
    """One row as a statement, or why it is none."""

    number: int
    problem: str = ""
    enterprise: str = ""
    month: date = date.min
    item: str = ""
    use: str = ""
    amount: float | None = None  # None: withdrawn
    unit: str = ""
    source: str = ""
    beside: bool = False
    supplier: str = ""
    stage: str = "final"


def read_activities(path: Path) -> Iterator[ActivityRow]:
    """Give the rows of a file; one that cannot be read says why.

    Raises
    ------
    Invalid
        When the file cannot be read or lacks a column.
    """
    for row in read_sheet(path, NAMES, REQUIRED):
        try:
            yield _row(row)
        except Invalid as error:
            words = str(error).removeprefix("The input cannot be used: ")
            yield ActivityRow(number=row.number, problem=words)


def _row(row: SheetRow) -> ActivityRow:
    if row.problem:
        raise Invalid(row.problem)
    cells = {name: row.cells.get(name) for name in (*REQUIRED, *OPTIONAL)}
    words = {
        name: "" if cell is None else str(cell).strip() for name, cell in cells.items()
    }
    beside = words["beside"].lower()
    if beside not in (*_YES, *_NO):
        raise Invalid(f"beside {beside[:20]!r} is neither yes nor no")
    return ActivityRow(
        number=row.number,
        enterprise=words["enterprise"],
        month=_month(cells["month"]),
        item=words["item"],
        use=words["use"],
        amount=_amount(cells["amount"]),
        unit=words["unit"],
        source=words["source"],
        beside=beside in _YES,
        supplier=words["supplier"],
        stage=words["stage"] or "final",
    )


def _month(cell: object) -> date:
    # a date of a workbook is read as its text is
    text = str(cell or "").strip().removesuffix(" 00:00:00")
    try:
        return date.fromisoformat(text if len(text) > len("2026-03") else f"{text}-01")
    except ValueError:
        raise Invalid(f"month {text[:20]!r} is not written like 2026-03") from None


def _amount(cell: object) -> float | None:
    if cell is None or cell == "":
        return None
    try:
        return float(str(cell))
    except ValueError:
        raise Invalid(f"amount {str(cell)[:20]!r} is no number") from None
