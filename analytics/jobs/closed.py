"""Closings and restatements as the front door and the API show them."""

from typing import Any

from analytics.jobs.closing import PARK
from analytics.jobs.published import document
from store import closings as stored
from store.closings import Closing
from store.database import Connection
from store.errors import Unknown
from store.records import Subject


def listed(conn: Connection, closing: Closing) -> dict[str, Any]:
    """Give a closing without its figures."""
    told = document(closing.content)
    return {
        "closing_id": closing.closing_id,
        "from": closing.period_from,
        "to": closing.period_to,
        "sha256": closing.sha256,
        "previous": closing.previous,
        "closed_at": closing.closed_at,
        "who": closing.who,
        "note": told.get("note", ""),
        "despite": told.get("despite"),
        "restatements": len(stored.restatements(conn, closing.closing_id)),
    }


def detail(conn: Connection, subject: Subject, closing_id: int) -> dict[str, Any]:
    """Give a closing with figures and restatements; of an enterprise its own alone.

    Raises
    ------
    Unknown
        When the park has no such closing.
    """
    for closing in stored.closings(conn, subject.park.park_id):
        if closing.closing_id == closing_id:
            break
    else:
        raise Unknown(f"closing {closing_id}")
    whole = subject.kind == "park"
    code = subject.enterprise or PARK
    figures = document(closing.content).get("figures", {})
    restated = []
    for each in stored.restatements(conn, closing_id):
        told = document(each.content)
        differences = [
            one
            for one in told.get("differences", [])
            if whole or one["subject"] == code
        ]
        rows = [row for row in told.get("rows", []) if whole or _for(code, row)]
        if differences:
            restated.append(
                {
                    "restatement_id": each.restatement_id,
                    "sha256": each.sha256,
                    "previous": each.previous,
                    "found_at": each.found_at,
                    "differences": differences,
                    "rows": rows,
                    "content": each.content if whole else None,
                }
            )
    return {
        # how often others were restated is theirs, and the words may be of them
        "closing": listed(conn, closing)
        | {"restatements": len(restated)}
        | ({} if whole else {"note": "", "despite": None}),
        "content": closing.content if whole else None,
        "figures": figures if whole else {code: figures.get(code, {})},
        "restatements": restated,
    }


def _for(code: str, row: dict[str, Any]) -> bool:
    """Whether an enterprise may see a row: of meters only an explanation tells that."""
    if row["kind"] == "factors":
        return row["enterprise"] in (code, None)
    return bool(row["kind"] == "statements" and row["enterprise"] == code)
