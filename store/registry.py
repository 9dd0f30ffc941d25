"""Who and what there is: parks, enterprises, meters and channels."""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from psycopg.rows import class_row

from store.database import Connection
from store.errors import Invalid, Unknown
from store.quantities import QUANTITIES
from store.records import Enterprise, Meter, Park, Subject

CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_code(text: str) -> bool:
    """Tell whether a text can be the code of a park, enterprise or meter."""
    return CODE.fullmatch(text) is not None


def _check(code: str) -> None:
    if not is_code(code):
        raise Invalid(f"code {code[:70]!r} is not 1-64 letters, digits, dots, _ or -")


def parks(conn: Connection) -> list[Park]:
    """List all parks by code."""
    with conn.cursor(row_factory=class_row(Park)) as cur:
        return cur.execute(
            "SELECT park_id, code, name, zone, region FROM core.park ORDER BY code"
        ).fetchall()


def park(conn: Connection, code: str) -> Park:
    """Find one park.

    Raises
    ------
    Unknown
        When there is none of this code.
    """
    for each in parks(conn):
        if each.code == code:
            return each
    raise Unknown(f"park {code!r}")


def enterprises(conn: Connection, park_id: int) -> list[Enterprise]:
    """List the enterprises of a park by code."""
    with conn.cursor(row_factory=class_row(Enterprise)) as cur:
        return cur.execute(
            "SELECT enterprise_id, park_id, code, name FROM core.enterprise "
            "WHERE park_id = %s ORDER BY code",
            (park_id,),
        ).fetchall()


def parks_of(conn: Connection, enterprise_ids: Sequence[int]) -> dict[int, int]:
    """Give the park of each enterprise."""
    rows = conn.execute(
        "SELECT enterprise_id, park_id FROM core.enterprise WHERE enterprise_id = ANY(%s)",
        (list(enterprise_ids),),
    ).fetchall()
    return {_int(one): _int(park_id) for one, park_id in rows}


def meters(
    conn: Connection, park_id: int, enterprise: str | None = None
) -> list[Meter]:
    """List the meters of a park, or of one enterprise of it, by code."""
    with conn.cursor(row_factory=class_row(Meter)) as cur:
        return cur.execute(
            """
            SELECT m.meter_id, m.park_id, e.code AS enterprise, m.code, m.name,
                   place.role, parent.code AS parent, m.confirmed_at
            FROM core.meter m JOIN core.enterprise e USING (enterprise_id)
            LEFT JOIN core.placed(now()) AS place
                ON place.meter_id = m.meter_id AND place.enterprise_id IS NOT NULL
               AND m.confirmed_at IS NOT NULL
            LEFT JOIN core.meter parent ON parent.meter_id = place.parent_id
            WHERE m.park_id = %s AND (%s::text IS NULL OR e.code = %s)
            ORDER BY e.code, m.code
            """,
            (park_id, enterprise, enterprise),
        ).fetchall()


def meter_codes(conn: Connection, park_id: int) -> dict[int, str]:
    """Give ENTERPRISE/METER of each meter of a park."""
    rows = conn.execute(
        "SELECT m.meter_id, e.code || '/' || m.code FROM core.meter m "
        "JOIN core.enterprise e USING (enterprise_id) WHERE m.park_id = %s",
        (park_id,),
    ).fetchall()
    return {int(str(meter)): str(code) for meter, code in rows}


def subject(
    conn: Connection,
    park_code: str,
    enterprise: str | None = None,
    meter: str | None = None,
) -> Subject:
    """Find a park, an enterprise of it, or a meter.

    A meter's code alone is enough where it is the only one of the park.

    Raises
    ------
    Unknown
        When a code names nothing.
    Invalid
        When the meter's code is used by several enterprises.
    """
    found = park(conn, park_code)
    subject_id, kind = found.park_id, "park"
    if enterprise is not None:
        ids = {
            each.code: each.enterprise_id for each in enterprises(conn, found.park_id)
        }
        if enterprise not in ids:
            raise Unknown(f"enterprise {enterprise!r} in park {park_code!r}")
        subject_id, kind = ids[enterprise], "enterprise"
    if meter is not None:
        same = [m for m in meters(conn, found.park_id, enterprise) if m.code == meter]
        if not same:
            raise Unknown(f"meter {meter!r} in park {park_code!r}")
        if len(same) > 1:
            raise Invalid(f"several enterprises have a meter {meter!r}: name one")
        subject_id, kind, enterprise = same[0].meter_id, "meter", same[0].enterprise
    return Subject(
        subject_id=subject_id,
        kind=kind,
        park=found,
        enterprise=enterprise,
        meter=meter,
    )


def find_enterprise(
    conn: Connection, park: str, enterprise: str
) -> tuple[int, int] | None:
    """Find the ids of a park and an enterprise of it by their codes."""
    row = conn.execute(
        "SELECT p.park_id, e.enterprise_id FROM core.park p "
        "JOIN core.enterprise e USING (park_id) WHERE p.code = %s AND e.code = %s",
        (park, enterprise),
    ).fetchone()
    return None if row is None else (_int(row[0]), _int(row[1]))


def find_meter(
    conn: Connection, enterprise_id: int, code: str
) -> tuple[int | None, int]:
    """Find a meter's id, and how many of the enterprise's wait for confirmation."""
    row = conn.execute(
        "SELECT max(meter_id) FILTER (WHERE code = %s), "
        "count(*) FILTER (WHERE confirmed_at IS NULL) "
        "FROM core.meter WHERE enterprise_id = %s",
        (code, enterprise_id),
    ).fetchone()
    assert row is not None
    return (None if row[0] is None else _int(row[0])), _int(row[1])


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def add_park(
    conn: Connection, code: str, *, name: str = "", zone: str, region: str = "CN"
) -> int:
    """Make sure a park of this code exists and return its id.

    Raises
    ------
    Invalid
        When the code or the zone cannot be used.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(f"{zone!r} is no IANA time zone") from None
    _check(code)
    return _add(
        conn,
        "SELECT park_id FROM core.park WHERE code = %(code)s",
        """
        WITH s AS (INSERT INTO core.subject (kind) VALUES ('park') RETURNING subject_id)
        INSERT INTO core.park (park_id, code, name, zone, region)
        SELECT subject_id, %(code)s, %(name)s, %(zone)s, %(region)s FROM s
        RETURNING park_id
        """,
        {"code": code, "name": name or code, "zone": zone, "region": region},
    )


def add_enterprise(conn: Connection, park_id: int, code: str, *, name: str = "") -> int:
    """Make sure an enterprise of this code exists in the park and return its id."""
    _check(code)
    return _add(
        conn,
        "SELECT enterprise_id FROM core.enterprise "
        "WHERE park_id = %(park_id)s AND code = %(code)s",
        """
        WITH s AS (INSERT INTO core.subject (kind) VALUES ('enterprise')
                   RETURNING subject_id)
        INSERT INTO core.enterprise (enterprise_id, park_id, code, name)
        SELECT subject_id, %(park_id)s, %(code)s, %(name)s FROM s
        RETURNING enterprise_id
        """,
        {"park_id": park_id, "code": code, "name": name or code},
    )


def add_meter(
    conn: Connection, park_id: int, enterprise_id: int, code: str, *, name: str = ""
) -> int:
    """Make sure a meter of this code exists, unconfirmed if new, and return its id."""
    _check(code)
    return _add(
        conn,
        "SELECT meter_id FROM core.meter "
        "WHERE enterprise_id = %(enterprise_id)s AND code = %(code)s",
        """
        WITH s AS (INSERT INTO core.subject (kind) VALUES ('meter')
                   RETURNING subject_id)
        INSERT INTO core.meter (meter_id, park_id, enterprise_id, code, name)
        SELECT subject_id, %(park_id)s, %(enterprise_id)s, %(code)s, %(name)s FROM s
        RETURNING meter_id
        """,
        {
            "park_id": park_id,
            "enterprise_id": enterprise_id,
            "code": code,
            "name": name or code,
        },
    )


def add_channel(conn: Connection, subject_id: int, quantity: str, kind: str) -> int:
    """Make sure a channel exists and return its id."""
    return _add(
        conn,
        "SELECT channel_id FROM core.channel WHERE subject_id = %(subject_id)s "
        "AND quantity = %(quantity)s AND kind = %(kind)s",
        """
        INSERT INTO core.channel (subject_id, quantity, kind, unit, flow)
        VALUES (%(subject_id)s, %(quantity)s, %(kind)s, %(unit)s, %(flow)s)
        RETURNING channel_id
        """,
        {
            "subject_id": subject_id,
            "quantity": quantity,
            "kind": kind,
            "unit": QUANTITIES[quantity].unit,
            "flow": QUANTITIES[quantity].flow,
        },
    )


def find_channel(
    conn: Connection, subject_id: int, quantity: str, kind: str
) -> int | None:
    """Find a channel's id."""
    row = conn.execute(
        "SELECT channel_id FROM core.channel "
        "WHERE subject_id = %s AND quantity = %s AND kind = %s",
        (subject_id, quantity, kind),
    ).fetchone()
    return None if row is None else _int(row[0])


def totals(conn: Connection, park_id: int) -> dict[int, tuple[int, str]]:
    """Give subject and quantity of each total of a park and its enterprises, by channel."""
    rows = conn.execute(
        """
        SELECT channel_id, subject_id, quantity FROM core.channel
        WHERE kind = 'total' AND (subject_id = %s OR subject_id IN
              (SELECT enterprise_id FROM core.enterprise WHERE park_id = %s))
        """,
        (park_id, park_id),
    ).fetchall()
    return {
        _int(key): (_int(subject), str(quantity)) for key, subject, quantity in rows
    }


def total_channels(conn: Connection, park_id: int) -> dict[int, tuple[int, str]]:
    """Give subject and quantity of all totals of a park and its enterprises."""
    rows = conn.execute(
        """
        SELECT channel_id, subject_id, quantity FROM core.channel
        WHERE kind = 'total' AND (subject_id = %(park)s OR subject_id IN
              (SELECT enterprise_id FROM core.enterprise WHERE park_id = %(park)s))
        ORDER BY channel_id
        """,
        {"park": park_id},
    ).fetchall()
    return {_int(row[0]): (_int(row[1]), str(row[2])) for row in rows}


def _add(conn: Connection, find: str, make: str, values: dict[str, object]) -> int:
    """Find or make one row; two processes that make the same one agree by a lock."""
    row = conn.execute(find, values).fetchone()
    if row is None:
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(hashtext('core.registry'))")
            row = conn.execute(find, values).fetchone()
            if row is None:
                row = conn.execute(make, values).fetchone()
    assert row is not None
    return _int(row[0])
