"""Rows as CSV, safe to open in a spreadsheet."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any

from fastapi import Response

CSV_TOO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_of(records: Sequence[Any]) -> list[dict[str, Any]]:
    """Turn dataclass records into rows."""
    return [asdict(each) if is_dataclass(each) else dict(each) for each in records]  # type: ignore[arg-type]


def cell(value: object) -> object:
    """Write one value: unknown is empty, numbers stay, text never starts a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, int | float):
        return value
    text = value.isoformat() if isinstance(value, date) else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def table(
    name: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with rows as CSV (RFC 4180, UTF-8) named ``{name}.csv``."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(row.get(each)) for each in columns] for row in rows)
    return Response(
        out.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            **(headers or {}),
        },
    )
