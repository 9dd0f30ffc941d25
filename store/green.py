"""Power of proven green origin and what it is matched with: rows are never changed."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from store.database import Connection

KINDS = ("certificate", "trade", "direct", "self_use")


@dataclass(frozen=True, kw_only=True)
class GreenPower:
    """A batch of certificates, a trade, a direct supply or self-use of one month."""

    green_power_id: int
    kind: str
    reference: str
    production_month: date
    kwh: float
    technology: str
    plant: str | None
    producer: str | None  # code of the park's enterprise that made it
    part_of: str | None
    evidence: str | None
    issued: date | None
    expires: date | None
    cancelled: bool
    source: str
    who: str
    recorded_at: datetime

    @property
    def key(self) -> tuple[str, str, date]:
        """What names a record in its park."""
        return self.kind, self.reference, self.production_month


@dataclass(frozen=True, kw_only=True)
class GreenMatch:
    """kWh of a record that an enterprise used in a month."""

    green_match_id: int
    kind: str
    reference: str
    production_month: date
    enterprise_id: int
    enterprise: str
    month: date
    kwh: float
    source: str
    who: str
    recorded_at: datetime

    @property
    def key(self) -> tuple[str, str, date]:
        """The record that it takes from."""
        return self.kind, self.reference, self.production_month


def hold_ledger(conn: Connection, park_id: int) -> None:
    """Let no two entries of a park's ledger pass each other unseen."""
    conn.execute(
        "SELECT FROM core.park WHERE park_id = %s FOR NO KEY UPDATE", (park_id,)
    )


def record_power(
    conn: Connection,
    park_id: int,
    kind: str,
    reference: str,
    production_month: date,
    kwh: float,
    *,
    technology: str,
    plant: str | None,
    producer_id: int | None,
    part_of: str | None,
    evidence: str | None,
    issued: date | None,
    expires: date | None,
    cancelled: bool,
    source: str,
    who: str,
) -> None:
    """Record green power; one of the same kind, reference and month is replaced."""
    conn.execute(
        "INSERT INTO core.green_power (park_id, kind, reference, production_month, kwh, "
        "technology, plant, producer_id, part_of, evidence, issued, expires, cancelled, "
        "source, who) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            park_id,
            kind,
            reference,
            production_month,
            kwh,
            technology,
            plant,
            producer_id,
            part_of,
            evidence,
            issued,
            expires,
            cancelled,
            source,
            who,
        ),
    )


def record_match(
    conn: Connection,
    park_id: int,
    key: tuple[str, str, date],
    enterprise_id: int,
    month: date,
    kwh: float,
    *,
    source: str,
    who: str,
) -> None:
    """Record that an enterprise used kWh of a record in a month."""
    conn.execute(
        "INSERT INTO core.green_match (park_id, kind, reference, production_month, "
        "enterprise_id, month, kwh, source, who) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (park_id, *key, enterprise_id, month, kwh, source, who),
    )


def certificates_twice(
    conn: Connection, park_id: int, reference: str, production_month: date
) -> bool:
    """Tell if another record, of whichever park, has the number of certificates.

    Until the transaction ends nobody else records any.
    """
    conn.execute("SELECT pg_advisory_xact_lock(hashtext('core.green_power'))")
    found = conn.execute(
        r"""
        SELECT FROM (
            SELECT DISTINCT ON (park_id, reference COLLATE "C", production_month)
                   park_id, reference, production_month, cancelled
            FROM core.green_power
            WHERE kind = 'certificate'
              AND lower(regexp_replace(normalize(reference, NFKC), '\s', '', 'g'))
                  = lower(regexp_replace(normalize(%(reference)s, NFKC), '\s', '', 'g'))
            ORDER BY park_id, reference COLLATE "C", production_month,
                     recorded_at DESC, green_power_id DESC) AS last
        WHERE NOT cancelled
          AND (park_id, reference, production_month)
              <> (%(park_id)s, %(reference)s, %(month)s)
        LIMIT 1
        """,
        {"park_id": park_id, "reference": reference, "month": production_month},
    ).fetchone()
    return found is not None


def green_power(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[GreenPower]:
    """List the records of a park as known on a date, by kind, reference and month."""
    with conn.cursor(row_factory=class_row(GreenPower)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (kind, reference COLLATE "C", production_month)
                   green_power_id, kind, reference, production_month, kwh, technology,
                   plant, e.code AS producer, part_of, evidence, issued, expires,
                   cancelled, source, who, g.recorded_at
            FROM core.green_power g
            LEFT JOIN core.enterprise e ON e.enterprise_id = g.producer_id
            WHERE g.park_id = %s
              AND g.recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY kind, reference COLLATE "C", production_month, g.recorded_at DESC,
                     green_power_id DESC
            """,
            (park_id, known_on),
        ).fetchall()


def green_matches(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[GreenMatch]:
    """List what is matched as known on a date, in the order recorded."""
    with conn.cursor(row_factory=class_row(GreenMatch)) as cur:
        return cur.execute(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (kind, reference, production_month, enterprise_id,
                                    month)
                       green_match_id, kind, reference, production_month, enterprise_id,
                       e.code AS enterprise, month, kwh, source, who, m.recorded_at
                FROM core.green_match m JOIN core.enterprise e USING (enterprise_id)
                WHERE m.park_id = %s
                  AND m.recorded_at <= coalesce(%s::timestamptz, 'infinity')
                ORDER BY kind, reference, production_month, enterprise_id, month,
                         m.recorded_at DESC, green_match_id DESC) AS last
            WHERE kwh > 0 ORDER BY green_match_id
            """,
            (park_id, known_on),
        ).fetchall()
