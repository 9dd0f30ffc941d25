"""The workbook that people fill in: a sheet of statements, what to write, and codes."""

import io
from collections.abc import Sequence
from typing import Any

from ingest.stating import COLUMNS, NAMES
from store.periods import EXAMPLES
from store.records import Enterprise, Park
from store.statement_kinds import KINDS

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BLANK_ROWS = 500  # whose cells are text, so that 2026-03 stays what was typed

_INSTRUCTIONS = (
    (
        "Fill in the first sheet, one statement a row, and upload the file.",
        "在第一张表中填写，每行一项，然后上传文件。",
    ),
    (
        "All rows are stored, or none: each row that is wrong is named with its reason.",
        "全部入库或全部不入库；有错的行逐行说明原因。",
    ),
    (
        "Nothing is overwritten: a new amount for the same period is a new version.",
        "不覆盖旧数据：同一期间的新数值记为新版本。",
    ),
    ("enterprise: its code, see the sheet codes.", "企业：企业代码，见 codes 表。"),
    ("kind: see the sheet codes.", "指标：见 codes 表。"),
    (
        "product: of output its code, of pollutant its name such as cod or nh3_n.",
        "产品：产量填产品代码，污染物填名称，如 cod、nh3_n。",
    ),
    (
        "unit: as in the sheet codes; empty means the first one. Output needs its own.",
        "单位：见 codes 表，空白表示第一个；产量须填自己的单位。",
    ),
    (
        f"period: {EXAMPLES} (both ends belong to it).",
        f"期间：{EXAMPLES}（含首尾）；也可写 2026年3月、2026年一季度。",
    ),
    (
        "amount: a number without thousands separators.",
        "数值：数字，不用千位分隔符。",
    ),
    (
        "prices: current (if empty) or comparable; comparable needs price_base, a year.",
        "价格：current（当年价，空白即此）或 comparable（可比价），后者须填基年。",
    ),
    (
        "stage: final (if empty) or provisional; final counts before provisional.",
        "阶段：final（终值，空白即此）或 provisional（初值）；终值优先。",
    ),
    ("source: where the figure is from.", "来源：数据出处，如报表名称和编号。"),
)


def template(park: Park, enterprises: Sequence[Enterprise]) -> bytes:
    """Make the workbook for one park."""
    import openpyxl  # slow to start: only where there is a workbook
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "statements"
    headers = [each for each in NAMES if " " in each]
    _append(sheet, headers)
    for number, name in enumerate(COLUMNS, 1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[sheet.cell(1, number).column_letter].width = 18
        if name in ("enterprise", "product", "period"):
            for row in range(2, BLANK_ROWS + 2):
                sheet.cell(row, number).number_format = "@"
    sheet.freeze_panes = "A2"
    words: Any = book.create_sheet("instructions 说明")
    for each in _INSTRUCTIONS:
        _append(words, each)
    words.column_dimensions["A"].width = words.column_dimensions["B"].width = 80
    codes: Any = book.create_sheet("codes")
    _append(codes, ["kind 指标", "meaning", "含义", "unit 单位"])
    for kind in KINDS.values():
        units = ", ".join(kind.units) or "its own 自定"
        _append(codes, [kind.name, kind.meaning, kind.zh, units])
    _append(codes, [])
    _append(codes, ["enterprise 企业", "name 名称", f"{park.code} {park.name}"])
    for one in enterprises:
        _append(codes, [one.code, one.name])
    for letter in "ABCD":
        codes.column_dimensions[letter].width = 32
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _append(sheet: Any, values: Sequence[str]) -> None:
    """Write a row of texts; none of them is ever a formula."""
    row = sheet.max_row + 1 if sheet.max_row > 1 or sheet["A1"].value else 1
    for number, value in enumerate(values, 1):
        cell = sheet.cell(row, number)
        cell.value = value
        cell.data_type = "s"
