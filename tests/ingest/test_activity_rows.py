"""Files of stated activity: the same from CSV and XLSX."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from ingest.activity_rows import NAMES, OPTIONAL, REQUIRED, ActivityRow, read_activities

ZH = ("企业", "月份", "项目", "用途", "数量", "单位", "来源", "无表", "供方", "阶段")


def sheet(path: Path, *lines: Sequence[object]) -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    for line in lines:
        page.append(list(line))
    book.save(path)
    return path


def test_every_column_has_a_chinese_heading(tmp_path: Path) -> None:
    chinese = {name for heading, name in NAMES.items() if not heading.isascii()}
    assert chinese == {*REQUIRED, *OPTIONAL}
    cells = "e1,2026-02,steam,bought,5,t,invoice 7,是,e2,provisional"
    file = tmp_path / "rows.csv"
    file.write_text(f"{','.join(ZH)}\n{cells}\n")
    assert list(read_activities(file)) == [
        ActivityRow(
            number=2,
            enterprise="e1",
            month=date(2026, 2, 1),
            item="steam",
            use="bought",
            amount=5.0,
            unit="t",
            source="invoice 7",
            beside=True,
            supplier="e2",
            stage="provisional",
        )
    ]


@pytest.mark.parametrize(
    ("text", "month", "problem"),
    [
        ("2026-02-01", date(2026, 2, 1), ""),
        ("2026-02-15", date(2026, 2, 15), ""),  # begins no month: refused when stated
        (
            "2026-02-01 07:30:00",
            date.min,
            "month '2026-02-01 07:30:00' is not written like 2026-03",
        ),
    ],
)
def test_a_date_in_a_workbook_is_what_its_text_is(
    tmp_path: Path, text: str, month: date, problem: str
) -> None:
    rest = ("diesel", "burnt", 1, "t", "x")
    cell = datetime.fromisoformat(text)
    book = sheet(tmp_path / "rows.xlsx", REQUIRED, ("e1", cell, *rest))
    file = tmp_path / "rows.csv"
    file.write_text(f"{','.join(REQUIRED)}\ne1,{text},diesel,burnt,1,t,x\n")
    (found,) = read_activities(book)
    assert (found.month, found.problem) == (month, problem)
    assert list(read_activities(file)) == [found]
