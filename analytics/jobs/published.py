"""Whether a figure is published: its closing, and whether it was restated since."""

import json
from datetime import UTC, date, datetime
from typing import Any

from analytics.jobs.vintage import KnownOn, Vintage
from store import closings
from store.database import Connection
from store.records import Subject


def document(content: str) -> dict[str, Any]:
    """Read what was hashed; nothing where somebody has made it no document."""
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def published(
    conn: Connection, subject: Subject, first: date, last: date, known_on: KnownOn
) -> dict[str, Any] | None:
    """Give the closing of exactly the days [first, last); None where there is none.

    `restated` tells it of the subject's own figures alone.
    """
    if subject.kind == "meter" or isinstance(known_on, Vintage):
        return None
    until = known_on or datetime.max.replace(tzinfo=UTC)
    found = closings.closing_at(conn, subject.park.park_id, first, last)
    if found is None or found[2] > until:
        return None
    closing_id, sha256, closed_at = found
    restated = [
        each.found_at
        for each in closings.restatements(conn, closing_id)
        if each.found_at <= until
        and any(
            one["subject"] == (subject.enterprise or "")
            for one in document(each.content).get("differences", [])
        )
    ]
    last_at = restated[-1].astimezone(UTC).isoformat() if restated else None
    return {
        "closing_id": closing_id,
        "sha256": sha256,
        "closed_at": closed_at.astimezone(UTC).isoformat(),
        "restated": bool(restated),
        "restated_at": last_at,
    }
