"""What enterprises have stated, and what can be stated."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.answer import CSV_TOO, table
from api.asking import AskedSubject, Conn, Format, KnownOn
from api.statement_models import (
    ListedStatement,
    StatementKind,
    StatementKinds,
    Statements,
)
from store import periods, registry, statements
from store.errors import Invalid
from store.statement_kinds import KINDS

router = APIRouter(tags=["statements"])
PARK = "/parks/{park}"
_COLUMNS = [each.alias or name for name, each in ListedStatement.model_fields.items()]


@router.get("/statement-kinds", response_model=StatementKinds, responses=CSV_TOO)
def kinds(form: Format = "json") -> Any:
    """List what can be stated, with its units."""
    names = list(StatementKind.model_fields)
    rows = [
        {name: getattr(each, name) for name in names} | {"units": list(each.units)}
        for each in KINDS.values()
    ]
    if form == "csv":
        flat = [row | {"units": " ".join(row["units"])} for row in rows]
        return table("statement-kinds", names, flat)
    return {"rows": rows}


@router.get(PARK + "/statements", response_model=Statements, responses=CSV_TOO)
def listed(
    conn: Conn,
    subject: AskedSubject,
    known_on: KnownOn,
    kind: Annotated[str | None, Query(description="one kind alone")] = None,
    every: Annotated[
        bool, Query(alias="all", description="replaced and withdrawn ones too")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=10_000, description="rows")] = 1000,
    cursor: Annotated[
        int | None, Query(ge=1, le=2**62, description="next of the page before")
    ] = None,
    form: Format = "json",
) -> Any:
    """List statements, the newest first: those that count, or all that were made."""
    if kind is not None and kind not in KINDS:
        raise Invalid(f"kind {kind[:70]!r} is none of {', '.join(KINDS)}")
    park = subject.park
    codes: dict[int, str | None] = {subject.subject_id: subject.enterprise}
    if subject.kind == "park":
        codes |= {
            each.enterprise_id: each.code
            for each in registry.enterprises(conn, park.park_id)
        }
    asked = list(codes), list(KINDS) if kind is None else [kind]
    if every:
        found = statements.vintages(
            conn, *asked, known_on=known_on, before=cursor, limit=limit + 1
        )
    else:
        count = statements.stated(conn, *asked, known_on=known_on)
        found = [e for e in count if cursor is None or e.statement_id < cursor]
        found.sort(key=lambda each: -each.statement_id)
    rows = [
        {name: getattr(each, name, None) for name in _COLUMNS}
        | {
            "enterprise": codes[each.subject_id],
            "period": periods.written(each.period_from, each.period_to),
            "from": each.period_from,
            "to": each.period_to,
        }
        for each in found[:limit]
    ]
    following = rows[-1]["statement_id"] if len(found) > limit else None
    if form == "csv":
        return table(f"{park.code}-statements", _COLUMNS, rows)
    return {"rows": rows, "next": following}
