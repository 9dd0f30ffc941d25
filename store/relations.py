"""What holds between them, dated: whose a meter is, its ratios, what counts."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from psycopg.rows import class_row

from store import registry
from store.database import Connection
from store.errors import Invalid
from store.quantities import CARRIED, OF_LOADS, QUANTITIES
from store.records import Channel, Placement, Validity

ROLES = ("main", "park", "sub", "check")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
END = datetime(2100, 1, 1, tzinfo=UTC)
LONGEST_WINDOW = timedelta(hours=1)  # a sliding one that begins before may reach so far


def confirm_meter(
    conn: Connection,
    meter_id: int,
    enterprise_id: int,
    *,
    source: str,
    since: datetime = BEGINNING,
) -> None:
    """Let a meter count for an enterprise from an instant on, unless it does already.

    From then on it is expected to be known; what is not is missing.
    """
    if is_confirmed(conn, meter_id):
        return
    with conn.transaction():
        _hold_tree(conn)
        done = conn.execute(
            "UPDATE core.meter SET confirmed_at = now() "
            "WHERE meter_id = %s AND confirmed_at IS NULL RETURNING meter_id",
            (meter_id,),
        ).fetchone()
        if done is None:
            return
        conn.execute(
            "INSERT INTO core.assignment (meter_id, enterprise_id, valid_from, source) "
            "VALUES (%s, %s, %s, %s)",
            (meter_id, enterprise_id, since, source),
        )
        mark_meter_dirty(conn, meter_id)
        # what it measures it stands above of from now on, at whatever time
        _mark_totals(conn, meter_id, BEGINNING, END)


def is_confirmed(conn: Connection, meter_id: int) -> bool:
    """Tell whether a meter counts."""
    row = conn.execute(
        "SELECT confirmed_at IS NOT NULL FROM core.meter WHERE meter_id = %s",
        (meter_id,),
    ).fetchone()
    return row is not None and bool(row[0])


def assign_meter(
    conn: Connection,
    meter_id: int,
    enterprise_id: int,
    valid_from: datetime,
    valid_to: datetime | None,
    *,
    source: str,
) -> None:
    """Record that a meter counts for an enterprise in [valid_from, valid_to)."""
    with conn.transaction():
        _hold_tree(conn)
        _hold(conn, meter_id)
        conn.execute(
            "INSERT INTO core.assignment "
            "(meter_id, enterprise_id, valid_from, valid_to, source) "
            "VALUES (%s, %s, %s, %s, %s)",
            (meter_id, enterprise_id, valid_from, valid_to, source),
        )
        mark_meter_dirty(conn, meter_id)
        _mark_totals(conn, meter_id, valid_from, valid_to or END)


def place_meter(
    conn: Connection,
    meter_id: int,
    role: str,
    parent_id: int | None,
    valid_from: datetime,
    valid_to: datetime | None = None,
    *,
    source: str,
) -> None:
    """Record where a meter stands in the tree in [valid_from, valid_to).

    Raises
    ------
    Invalid
        For an unknown role, a meter of another park above it, or one that stands below it.
    """
    if role not in ROLES:
        raise Invalid(f"role {role[:70]!r} is none of {', '.join(ROLES)}")
    with conn.transaction():
        _hold_tree(conn)
        _hold(conn, meter_id)
        if parent_id is not None:
            _check_parent(conn, meter_id, parent_id)
        conn.execute(
            "INSERT INTO core.placement "
            "(meter_id, role, parent_id, valid_from, valid_to, source) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (meter_id, role, parent_id, valid_from, valid_to, source),
        )
        _mark_totals(conn, meter_id, valid_from, valid_to or END)
        conn.execute("SELECT pg_notify('parkwatt_dirty', '')")


def _check_parent(conn: Connection, meter_id: int, parent_id: int) -> None:
    row = conn.execute(
        "SELECT count(DISTINCT park_id) FROM core.meter WHERE meter_id IN (%s, %s)",
        (meter_id, parent_id),
    ).fetchone()
    if row is None or row[0] != 1:
        raise Invalid("the meter above is of another park")
    # all that was ever stated: a circle at one time only would be hard to see
    above = conn.execute(
        """
        WITH RECURSIVE up AS (
            SELECT %s::integer AS meter_id
            UNION SELECT p.parent_id FROM up JOIN core.placement p USING (meter_id)
            WHERE p.parent_id IS NOT NULL)
        SELECT EXISTS (SELECT FROM up WHERE meter_id = %s)
        """,
        (parent_id, meter_id),
    ).fetchone()
    if above is not None and above[0]:
        raise Invalid("the meter above stands below this one")


def set_multiplier(
    conn: Connection,
    meter_id: int,
    *,
    ct: float,
    pt: float,
    valid_from: datetime,
    valid_to: datetime | None = None,
    source: str,
) -> None:
    """Record a meter's current and voltage transformer ratios in [valid_from, valid_to).

    Raises
    ------
    Invalid
        For a virtual meter: its formula has factors.
    """
    with conn.transaction():
        _hold(conn, meter_id)
        virtual = conn.execute(
            "SELECT FROM core.channel WHERE subject_id = %s AND kind = 'virtual' LIMIT 1",
            (meter_id,),
        ).fetchone()
        if virtual is not None:
            raise Invalid("the meter is a virtual one: its formula has the factors")
        conn.execute(
            "INSERT INTO core.multiplier "
            "(meter_id, ct, pt, valid_from, valid_to, source) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (meter_id, ct, pt, valid_from, valid_to, source),
        )
        mark_meter_dirty(conn, meter_id)


def set_digits(
    conn: Connection, meter_id: int, quantity: str, digits: int, *, source: str
) -> None:
    """Record a register's digits before the decimal point: where it rolls over.

    Raises
    ------
    Invalid
        For other than 1 to 15 digits, or a quantity that is no register.
    """
    known = QUANTITIES.get(quantity)
    if known is None or known.kind != "register":
        raise Invalid(f"quantity {quantity[:70]!r} is no register")
    if not 1 <= digits <= 15:
        raise Invalid(f"a register has 1 to 15 digits, not {digits}")
    with conn.transaction():
        _hold(conn, meter_id)
        channel = registry.find_channel(conn, meter_id, quantity, "register")
        if channel is None:  # one that never sends is not to be expected
            raise Invalid(f"the meter has sent no {quantity} yet")
        conn.execute(
            "INSERT INTO core.register_digits (channel_id, digits, source) "
            "VALUES (%s, %s, %s)",
            (channel, digits, source),
        )
        mark_meter_dirty(conn, meter_id)


def add_meter_channel(conn: Connection, meter_id: int, quantity: str, kind: str) -> int:
    """Make sure a meter has a channel; if it is new, the totals it joins await it.

    So do those of the meters below: it may be the first here of the flow that it measures.

    Raises
    ------
    Invalid
        For a reading of a virtual meter, or a formula of one that is read.
    """
    found = registry.find_channel(conn, meter_id, quantity, kind)
    if found is not None:
        return found
    with conn.transaction():
        _hold_tree(conn)
        _hold(conn, meter_id)
        other = conn.execute(
            "SELECT FROM core.channel WHERE subject_id = %s "
            "AND (kind = 'virtual') <> (%s::text = 'virtual') LIMIT 1",
            (meter_id, kind),
        ).fetchone()
        if other is not None and kind == "virtual":
            raise Invalid("the meter is read itself: it cannot be a virtual one")
        if other is not None:
            raise Invalid("the meter is a virtual one: it has a formula, no readings")
        made = registry.add_channel(conn, meter_id, quantity, kind)
        if kind != "gauge":
            _mark_totals(conn, meter_id, BEGINNING, END, QUANTITIES[quantity].flow)
        elif quantity in OF_LOADS:
            for name, (flow, _) in CARRIED.items():
                if quantity in (name, flow):
                    _mark_totals(conn, meter_id, BEGINNING, END, QUANTITIES[name].flow)
    return made


def _hold_tree(conn: Connection) -> None:
    """Let statements wait that tell what counts: each marks what those before it made.

    It is the lock under which channels are made, taken before any meter is held.
    """
    conn.execute("SELECT pg_advisory_xact_lock(hashtext('core.registry'))")


def _hold(conn: Connection, meter_id: int) -> None:
    """Let no two statements of a meter pass each other unseen."""
    conn.execute(
        "SELECT FROM core.meter WHERE meter_id = %s FOR NO KEY UPDATE", (meter_id,)
    )


def _mark_totals(
    conn: Connection,
    meter_id: int,
    start: datetime,
    stop: datetime,
    flow: str | None = None,
) -> None:
    """Have the totals that a meter counts in expect it in [start, stop), or no more.

    So with those that are below it, at whatever time, however far: what is between may not
    measure the flow. The marks stand on the park's totals, for the park and all its
    enterprises.

    Parameters
    ----------
    flow
        The one flow that it is about; None: any.
    """
    rows = conn.execute(
        """
        WITH RECURSIVE below AS (
            SELECT %(meter)s::integer AS meter_id
            UNION SELECT p.meter_id
            FROM below b JOIN core.placement p ON p.parent_id = b.meter_id)
        SELECT DISTINCT m.park_id, c.quantity
        FROM below JOIN core.meter m USING (meter_id)
        JOIN core.source c ON c.subject_id = m.meter_id
        WHERE m.confirmed_at IS NOT NULL
          AND (%(flow)s::text IS NULL OR c.flow = %(flow)s)
        ORDER BY 2
        """,
        {"meter": meter_id, "flow": flow},
    ).fetchall()
    for park_id, quantity in rows:
        total = registry.add_channel(conn, int(str(park_id)), str(quantity), "total")
        conn.execute(
            "INSERT INTO core.dirty (park_id, channel_id, start, stop, settled) "
            "VALUES (%s, %s, %s, %s, true)",
            (park_id, total, max(start - LONGEST_WINDOW, BEGINNING), min(stop, END)),
        )


def mark_meter_dirty(conn: Connection, meter_id: int) -> None:
    """Have everything a meter's registers tell computed again.

    The mark is open: what has come when the job takes it counts, so that nothing that
    arrives beside this transaction is left out.
    """
    conn.execute(
        """
        INSERT INTO core.dirty (park_id, channel_id, start, stop)
        SELECT m.park_id, c.channel_id, %s, %s
        FROM core.meter m
        JOIN core.source c ON c.subject_id = m.meter_id
        WHERE m.meter_id = %s
        """,
        (BEGINNING, END, meter_id),
    )
    conn.execute("SELECT pg_notify('parkwatt_dirty', '')")


def counted_channels(
    conn: Connection,
    park_id: int,
    known_on: datetime | None = None,
    *,
    registers_known_on: datetime | None = None,
    arrived_by: datetime | None = None,
    stuck_after_s: Mapping[str, float] | None = None,
) -> list[Channel]:
    """List the channels that give usage, of meters confirmed by `known_on`.

    In the order of codes, in which totals are summed: ids tell who came first. Loads of a
    meter that itself tells the mass are not among them.

    Parameters
    ----------
    registers_known_on
        Digits, ratings and policies that were recorded by then.
    arrived_by
        Channels that are read and of which the first reading had come by then.
    stuck_after_s
        For how long registers of a quantity may rest; of others it is not limited.
    """
    with conn.cursor(row_factory=class_row(Channel)) as cur:
        return cur.execute(
            """
            SELECT c.channel_id,
                   min(c.channel_id) OVER (PARTITION BY c.subject_id, c.quantity)
                       AS usage_id,
                   c.subject_id AS meter_id, c.quantity, c.kind, d.digits,
                   m.measured_up_to_s, coalesce(f.fall = 'restart', false) AS restarts,
                   p.rated_per_h, c.flow_id,
                   (%(resting)s::jsonb ->> c.quantity)::float8 AS stuck_after_s
            FROM core.source c
            JOIN core.meter m ON m.meter_id = c.subject_id
            JOIN core.enterprise e USING (enterprise_id)
            LEFT JOIN (
                SELECT DISTINCT ON (x.channel_id) x.channel_id, x.digits
                FROM core.register_digits x
                WHERE x.recorded_at <= coalesce(%(plate)s::timestamptz, 'infinity')
                ORDER BY x.channel_id, x.register_digits_id DESC) AS d
                USING (channel_id)
            LEFT JOIN (
                SELECT DISTINCT ON (x.meter_id) x.meter_id, x.fall
                FROM core.fall_policy x
                WHERE x.recorded_at <= coalesce(%(plate)s::timestamptz, 'infinity')
                ORDER BY x.meter_id, x.fall_policy_id DESC) AS f USING (meter_id)
            LEFT JOIN (
                SELECT DISTINCT ON (x.meter_id) x.meter_id, x.rated_per_h
                FROM core.plate x
                WHERE x.recorded_at <= coalesce(%(plate)s::timestamptz, 'infinity')
                ORDER BY x.meter_id, x.plate_id DESC) AS p USING (meter_id)
            WHERE m.park_id = %(park)s
              AND m.confirmed_at <= coalesce(%(known)s::timestamptz, now())
              AND c.recorded_at <= coalesce(CASE WHEN c.kind = 'virtual'
                  THEN %(known)s::timestamptz ELSE %(arrived)s::timestamptz END,
                  'infinity')
              AND (c.kind <> 'load' OR NOT EXISTS (
                  SELECT FROM core.source o
                  WHERE o.subject_id = c.subject_id AND o.quantity = c.quantity
                    AND o.kind <> 'load' AND o.recorded_at
                        <= coalesce(%(arrived)s::timestamptz, 'infinity')))
            ORDER BY e.code COLLATE "C", m.code COLLATE "C", c.quantity, c.channel_id
            """,
            {
                "park": park_id,
                "known": known_on,
                "plate": registers_known_on,
                "arrived": arrived_by,
                "resting": json.dumps(dict(stuck_after_s or {})),
            },
        ).fetchall()


def placements(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Placement]:
    """Where the meters stand that are placed, in the order recorded."""
    with conn.cursor(row_factory=class_row(Placement)) as cur:
        return cur.execute(
            """
            SELECT p.meter_id AS key, p.role, p.parent_id,
                   p.valid_from, p.valid_to, p.recorded_at
            FROM core.placement p JOIN core.meter m USING (meter_id)
            WHERE m.park_id = %s
              AND p.recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY p.recorded_at, p.placement_id
            """,
            (park_id, known_on),
        ).fetchall()


def assignments(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Validity]:
    """Which enterprise (value) each meter (key) counts for, in the order recorded."""
    with conn.cursor(row_factory=class_row(Validity)) as cur:
        return cur.execute(
            """
            SELECT a.meter_id AS key, a.enterprise_id::float8 AS value,
                   a.valid_from, a.valid_to, a.recorded_at
            FROM core.assignment a JOIN core.meter m USING (meter_id)
            WHERE m.park_id = %s
              AND a.recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY a.recorded_at, a.assignment_id
            """,
            (park_id, known_on),
        ).fetchall()


def multipliers(
    conn: Connection, park_id: int, known_on: datetime | None = None
) -> list[Validity]:
    """CT x PT (value) of each meter (key), in the order recorded."""
    with conn.cursor(row_factory=class_row(Validity)) as cur:
        return cur.execute(
            """
            SELECT x.meter_id AS key, x.ct * x.pt AS value,
                   x.valid_from, x.valid_to, x.recorded_at
            FROM core.multiplier x JOIN core.meter m USING (meter_id)
            WHERE m.park_id = %s
              AND x.recorded_at <= coalesce(%s::timestamptz, 'infinity')
            ORDER BY x.recorded_at, x.multiplier_id
            """,
            (park_id, known_on),
        ).fetchall()


def confirmed(conn: Connection, park_id: int) -> list[int]:
    """List the meters of a park that count, by id."""
    rows = conn.execute(
        "SELECT meter_id FROM core.meter WHERE park_id = %s "
        "AND confirmed_at IS NOT NULL ORDER BY 1",
        (park_id,),
    ).fetchall()
    return [int(str(row[0])) for row in rows]


def usage_meters(
    conn: Connection, channel_ids: list[int]
) -> dict[int, tuple[int, str, str]]:
    """Give meter id, enterprise and code of the meters of channels."""
    rows = conn.execute(
        "SELECT c.channel_id, m.meter_id, e.code, m.code FROM core.channel c "
        "JOIN core.meter m ON m.meter_id = c.subject_id "
        "JOIN core.enterprise e USING (enterprise_id) WHERE c.channel_id = ANY(%s)",
        (channel_ids,),
    ).fetchall()
    return {
        int(str(row[0])): (int(str(row[1])), str(row[2]), str(row[3])) for row in rows
    }
