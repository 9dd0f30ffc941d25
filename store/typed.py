"""Readings that a person types: who did, and what stands beside them."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import class_row

from store import overlay
from store.database import Connection
from store.whose import own_at


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A reading as it counts."""

    at: datetime
    until: datetime | None
    value: float


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A reading of a meter as it counts, and whether a person corrected it."""

    quantity: str
    kind: str
    unit: str
    at: datetime
    until: datetime | None
    value: float
    revised: bool


def last_batch(conn: Connection) -> int:
    """Give the id of the batch that this connection wrote last."""
    row = conn.execute(
        "SELECT currval(pg_get_serial_sequence('core.batch', 'batch_id'))"
    ).fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def sign_batch(conn: Connection, batch_id: int, who: str) -> None:
    """Record who typed the readings of a batch."""
    conn.execute(
        "INSERT INTO core.typed (batch_id, who) VALUES (%s, %s)", (batch_id, who)
    )


def corrected(conn: Connection, channel_id: int, at: datetime) -> bool:
    """Tell whether a correction lies over an instant: a reading there does not count."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM core.revision WHERE channel_id = %s AND at = %s)",
        (channel_id, at),
    ).fetchone()
    return row is not None and bool(row[0])


def neighbours(
    conn: Connection, channel_id: int, at: datetime, most: int
) -> tuple[list[Neighbour], Neighbour | None]:
    """Give the readings that count before an instant, in time, and the next one."""
    before = _beside(conn, channel_id, at, most, earlier=True)
    after = _beside(conn, channel_id, at, 1, earlier=False)
    return before[::-1], after[0] if after else None


def _beside(
    conn: Connection, channel_id: int, at: datetime, most: int, *, earlier: bool
) -> list[Neighbour]:
    overlaid = overlay.revised(conn, [channel_id])
    found = (
        overlay.effective(
            "r.at < w.at", "ORDER BY at DESC", most=most, overlaid=overlaid
        )
        if earlier
        else overlay.effective(
            "r.at > w.at", "ORDER BY at", most=most, overlaid=overlaid
        )
    )
    with conn.cursor(row_factory=class_row(Neighbour)) as cur:
        return cur.execute(
            sql.SQL(
                "SELECT f.at, f.until, f.value "
                "FROM (VALUES (%s::int, %s::timestamptz)) AS w (channel_id, at) "
                "CROSS JOIN LATERAL ({}) AS f"
            ).format(found),
            (channel_id, at),
        ).fetchall()


def last_of_meter(
    conn: Connection, meter_id: int, most: int, *, own: bool = False
) -> list[Shown]:
    """List the newest readings of each channel of a meter as they count.

    Parameters
    ----------
    own
        Not while it counts for another than the enterprise it is registered for.
    """
    with conn.cursor(row_factory=class_row(Shown)) as cur:
        return cur.execute(
            sql.SQL(
                """
                SELECT w.quantity, w.kind, w.unit, f.at, f.until, f.value,
                       EXISTS (SELECT FROM core.revision v
                               WHERE v.channel_id = w.channel_id
                                 AND v.at = f.at) AS revised
                FROM core.channel w JOIN core.meter m ON m.meter_id = w.subject_id
                CROSS JOIN LATERAL ({}) AS f
                WHERE m.meter_id = %s ORDER BY w.quantity, w.kind, f.at DESC
                """
            ).format(
                overlay.effective(
                    own_at("r.at", "r.until") if own else "true",
                    "ORDER BY at DESC",
                    most=most,
                    overlaid=True,
                )
            ),
            (meter_id,),
        ).fetchall()
