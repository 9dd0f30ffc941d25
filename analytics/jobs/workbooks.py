"""Reports as XLSX, for those who hand them in on paper."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from store.spreadsheet import cell

UNKNOWN = "unknown"
MORE = ("need", "would_reach", "source", "verified")
REST = ("by_heat_and_fuel_t", "power_alone_reaches")


def zero_carbon_workbook(report: dict[str, Any]) -> bytes:
    """Write the zero-carbon-park report: indicators, steps, values, what is missing.

    Parameters
    ----------
    report
        From :func:`analytics.jobs.zero_carbon.report`.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    first = book.create_sheet("report 报告")
    _rows(
        first,
        ("", ""),
        [
            ("park 园区", report["park"]),
            ("year 年份", report["year"]),
            ("source 依据", report["source"]),
            ("E_park, tCO2", report["co2_t"]),
            ("energy 综合能源消费量（等价值）, tce", report["energy_tce"]),
            ("core 单位能耗碳排放, tCO2/tce", report["core"]),
            ("state 结论", report["state"]),
            *(("caution 注意", each) for each in report["cautions"]),
        ],
    )
    _table(
        book,
        "indicators 指标",
        ("title_zh", "title", "unit", "value", "at_least", "at_most", "state", *MORE),
        report["indicators"],
    )
    _table(
        book, "parts 构成", ("carrier", "co2_t", "share", "energy_tce"), report["parts"]
    )
    _table(book, "steps 路径", ("name", "assumption", "co2_t", "core"), report["steps"])
    _table(
        book,
        "reach 差距",
        (
            "at_most",
            "applies",
            "to_cut_t",
            "by_green_power_t",
            "green_power_kwh",
            *REST,
        ),
        report["reach"],
    )
    _table(
        book,
        "values 数据",
        ("name", "year", "value", "unit", "origin", "why", "evidence", "source"),
        report["values"],
    )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _table(
    book: Workbook, title: str, columns: Sequence[str], rows: Iterable[dict[str, Any]]
) -> None:
    _rows(book.create_sheet(title), columns, [[r[c] for c in columns] for r in rows])


def _rows(sheet: Any, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    if any(head):
        sheet.append(list(head))
        for each in sheet[1]:
            each.font = Font(bold=True)
    for row in rows:
        sheet.append([UNKNOWN if v is None else _safe(v) for v in row])
    for column in sheet.columns:
        widest = max(len(str(each.value or "")) for each in column)
        sheet.column_dimensions[column[0].column_letter].width = min(60, widest + 2)


def _safe(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else cell(str(value))
