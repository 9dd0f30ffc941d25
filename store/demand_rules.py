"""How demand is measured: window and method of a park, enterprise or meter, dated."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from store import registry
from store.database import Connection
from store.errors import Invalid
from store.relations import BEGINNING, END, LONGEST_WINDOW

WINDOWS_MIN = (15, 30, 60)
METHODS = ("fixed", "sliding")
DEMAND_OF = "energy_import"


class Rule(NamedTuple):
    """A window's length and how windows follow each other."""

    window_min: int = 15
    method: str = "fixed"


@dataclass(frozen=True, kw_only=True)
class DemandRule:
    """A dated rule of a subject."""

    key: int  # the subject
    window_min: int
    method: str
    valid_from: datetime
    valid_to: datetime | None
    source: str
    recorded_at: datetime

    @property
    def value(self) -> Rule:
        """Window and method."""
        return Rule(self.window_min, self.method)


def set_demand_rule(
    conn: Connection,
    subject_id: int,
    window_min: int,
    method: str,
    valid_from: datetime,
    valid_to: datetime | None = None,
    *,
    source: str,
) -> None:
    """Record how a subject's demand is measured in [valid_from, valid_to).

    Its sliding demand there is computed anew, with windows of this length.

    Raises
    ------
    Invalid
        For another window than 15, 30 or 60 minutes or an unknown method.
    """
    if window_min not in WINDOWS_MIN:
        raise Invalid(f"a window of {window_min} minutes is none of 15, 30 and 60")
    if method not in METHODS:
        raise Invalid(f"method {method[:70]!r} is none of {', '.join(METHODS)}")
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid("a rule must end after it begins")
    with conn.transaction():
        conn.execute(
            "INSERT INTO core.demand_rule "
            "(subject_id, window_min, method, valid_from, valid_to, source) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (subject_id, window_min, method, valid_from, valid_to, source),
        )
        start = max(valid_from - LONGEST_WINDOW, BEGINNING)
        _mark(conn, subject_id, start, min(valid_to or END, END))


def _mark(conn: Connection, subject_id: int, start: datetime, stop: datetime) -> None:
    marked = conn.execute(
        """
        INSERT INTO core.dirty (park_id, channel_id, start, stop)
        SELECT m.park_id, c.channel_id, %s, %s
        FROM core.meter m
        JOIN core.channel c ON c.subject_id = m.meter_id
        WHERE m.meter_id = %s AND c.quantity = %s AND c.kind <> 'gauge'
        """,
        (start, stop, subject_id, DEMAND_OF),
    )
    if not marked.rowcount:
        row = conn.execute(
            "SELECT coalesce((SELECT park_id FROM core.enterprise "
            "WHERE enterprise_id = %(id)s), "
            "(SELECT park_id FROM core.park WHERE park_id = %(id)s))",
            {"id": subject_id},
        ).fetchone()
        if row is None or row[0] is None:  # a meter that has sent nothing yet
            return
        park_id = int(str(row[0]))
        total = registry.add_channel(conn, park_id, DEMAND_OF, "total")
        conn.execute(
            "INSERT INTO core.dirty (park_id, channel_id, start, stop, settled) "
            "VALUES (%s, %s, %s, %s, true)",
            (park_id, total, start, stop),
        )
    conn.execute("SELECT pg_notify('parkwatt_dirty', '')")


def demand_rules(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[DemandRule]:
    """List the rules of a park, its enterprises and meters in the order recorded."""
    with conn.cursor(row_factory=class_row(DemandRule)) as cur:
        return cur.execute(
            """
            SELECT r.subject_id AS key, r.window_min, r.method, r.valid_from,
                   r.valid_to, r.source, r.recorded_at
            FROM core.demand_rule r
            LEFT JOIN core.enterprise e ON e.enterprise_id = r.subject_id
            LEFT JOIN core.meter m ON m.meter_id = r.subject_id
            WHERE coalesce(e.park_id, m.park_id, r.subject_id) = %s
              AND r.recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY r.recorded_at, r.demand_rule_id
            """,
            (park_id, known_on),
        ).fetchall()
