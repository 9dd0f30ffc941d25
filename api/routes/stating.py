"""How statements come in: in rows, or as a file that was filled in."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.asking import AskedPark, Conn
from api.errors import WRITE_ERRORS, Problem, problem
from api.headers import FILE_KINDS
from api.statement_models import NewStatements, StatedRows
from ingest import stating
from ingest.sheets import read_sheet
from ingest.statement_template import CONTENT_TYPE, template
from store import registry

router = APIRouter(prefix="/parks/{park}/statements", tags=["statements"])

_REFUSED: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "a row was refused, and nothing is stored"}
}
_FILE = {"schema": {"type": "string", "format": "binary"}}
_FILES = dict.fromkeys(FILE_KINDS, _FILE)


@router.post(
    "",
    response_model=StatedRows,
    status_code=201,
    responses={**WRITE_ERRORS, **_REFUSED},
)
def state(conn: Conn, park: AskedPark, asked: NewStatements, reply: Response) -> Any:
    """Store statements, all or none; each row is told of."""
    rows = stating.rows_of([each.model_dump() for each in asked.rows])
    report = stating.store(conn, park, rows, who=asked.who, dry_run=asked.dry_run)
    return _answer(report, reply)


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/file",
    response_model=StatedRows,
    status_code=201,
    responses={**WRITE_ERRORS, **_REFUSED},
    openapi_extra={"requestBody": {"required": True, "content": _FILES}},
)
def state_file(
    conn: Conn,
    park: AskedPark,
    body: Annotated[bytes, Depends(_body)],
    reply: Response,
    who: Annotated[str, Query(min_length=1, max_length=500, description="a person")],
    dry_run: Annotated[bool, Query(description="store nothing, only tell")] = False,
) -> Any:
    """Store the statements of an XLSX or CSV file, all or none; each row is told of."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(body)
        rows = read_sheet(path, stating.NAMES, stating.REQUIRED)
    return _answer(stating.store(conn, park, rows, who=who, dry_run=dry_run), reply)


def _answer(report: stating.Report, reply: Response) -> Any:
    refused = report.count("refused")
    rows = stating.as_rows(report)
    if refused:
        words = f"Nothing is stored: {refused} of {len(rows)} rows cannot be used."
        return problem(422, "rows_refused", words, rows)
    if not report.stored or report.count("known") == len(rows):
        reply.status_code = 200
    return {"stored": report.stored, "rows": rows}


@router.get(
    "/template",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: _FILE}}},
)
def blank(conn: Conn, park: AskedPark) -> Response:
    """Give the workbook to fill in, with instructions and the park's codes."""
    return Response(
        template(park, registry.enterprises(conn, park.park_id)),
        media_type=CONTENT_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="{park.code}-statements.xlsx"'
        },
    )
