"""How the registers of a meter are judged, where not by the defaults."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid
from store.relations import mark_meter_dirty

# least and highest value of each; docs/operation.md says what they set
POLICIES: dict[str, tuple[float, float]] = {
    "measured_up_to_s": (1.0, 86_400.0),
    "straight_up_to_s": (900.0, 31_622_400.0),
    "stuck_after_s": (3_600.0, 2_419_200.0),
    "momentary": (1.0, 4.0),
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What was stated last of one setting of a meter; the value is never null."""

    meter_id: int
    name: str
    value: float
    source: str
    recorded_at: datetime


def set_policy(
    conn: Connection, meter_id: int, name: str, value: float | None, *, source: str
) -> None:
    """State how a meter's registers are judged; None: by the default again.

    Raises
    ------
    Invalid
        For an unknown setting or a value outside its bounds.
    """
    if name not in POLICIES:
        raise Invalid(f"policy {name[:70]!r} is none of {', '.join(POLICIES)}")
    low, high = POLICIES[name]
    if value is not None and not low <= value <= high:
        raise Invalid(f"{name} {value:g} is not within {low:g} and {high:g}")
    if name == "momentary" and value is not None and value != int(value):
        raise Invalid(f"momentary {value:g} is no whole number")
    with conn.transaction():
        conn.execute(
            "INSERT INTO core.register_policy (meter_id, name, value, source) "
            "VALUES (%s, %s, %s, %s)",
            (meter_id, name, value, source),
        )
        mark_meter_dirty(conn, meter_id)


def policies(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Policy]:
    """List what applies of what was stated, by meter and name."""
    with conn.cursor(row_factory=class_row(Policy)) as cur:
        return cur.execute(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (p.meter_id, p.name)
                       p.meter_id, p.name, p.value, p.source, p.recorded_at
                FROM core.register_policy p JOIN core.meter m USING (meter_id)
                WHERE m.park_id = %s
                  AND p.recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY p.meter_id, p.name, p.register_policy_id DESC) AS newest
            WHERE value IS NOT NULL ORDER BY meter_id, name
            """,
            (park_id, known_on),
        ).fetchall()
