"""Rows as CSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from fastapi import Response

from store.spreadsheet import cell

CSV_TOO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


def rows_of(records: Sequence[Any]) -> list[dict[str, Any]]:
    """Turn dataclass records into rows."""
    return [asdict(each) if is_dataclass(each) else dict(each) for each in records]  # type: ignore[arg-type]


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
