"""The rows that a figure rests on, or that were recorded between two instants.

Each list is bounded and says how many rows there are in all. Rows of an enterprise that
was not asked for are never among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

from psycopg.rows import class_row

from store.database import Connection

MOST = 50


@dataclass(frozen=True, kw_only=True)
class Ground:
    """One row with who says so, why, and when we learned it."""

    kind: str  # of vintage.KINDS
    table: str
    row_id: int
    enterprise: str | None
    meter: str | None
    what: str
    valid_from: str | None
    valid_to: str | None
    who: str | None
    why: str | None  # source, or reason
    recorded_at: datetime
    total: int  # rows of this kind, also those beyond the bound


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which rows: of a period, recorded in (since, until]; None: open."""

    start: datetime
    stop: datetime
    since: datetime | None = None
    until: datetime | None = None
    most: int = MOST


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Where readings came from."""

    readings: int
    batches: int
    first_batch: int | None
    last_batch: int | None
    first_received_at: datetime | None
    last_received_at: datetime | None
    sources: list[str]
    parsers: list[str]


# parts that touch are one: a reading is in it once
_PARTS: LiteralString = """
    WITH part AS (
        SELECT meter_id, lower(each) AS low, upper(each) AS high
        FROM (SELECT meter_id, unnest(range_agg(tstzrange(low, high, '[]'))) AS each
              FROM unnest(%(meters)s::int[], %(lows)s::timestamptz[],
                          %(highs)s::timestamptz[]) AS p (meter_id, low, high)
              GROUP BY meter_id) AS together),
    -- loads of a meter that itself tells the mass are none of its usage; two loads may
    -- rest on one flow
    tells AS (
        SELECT DISTINCT c.subject_id AS meter_id, of.channel_id
        FROM core.source c
        CROSS JOIN LATERAL (VALUES (c.channel_id), (c.flow_id)) AS of (channel_id)
        WHERE c.subject_id = ANY(%(meters)s::int[]) AND c.kind <> 'virtual'
          AND of.channel_id IS NOT NULL
          AND (%(names)s::text[] IS NULL OR c.quantity = ANY(%(names)s))
          AND (c.kind <> 'load' OR NOT EXISTS (
              SELECT FROM core.source o
              WHERE o.subject_id = c.subject_id AND o.quantity = c.quantity
                AND o.kind <> 'load'
                AND o.recorded_at <= coalesce(%(until)s::timestamptz, 'infinity')))),
    span AS (SELECT meter_id, min(low) AS low, max(high) AS high
             FROM part GROUP BY meter_id),
    named AS (
        SELECT s.*, e.code AS enterprise, m.code AS meter
        FROM span s JOIN core.meter m USING (meter_id)
        JOIN core.enterprise e USING (enterprise_id)),
    found AS (
"""
_CHOSEN: LiteralString = """
    )
    SELECT *, count(*) OVER () AS total FROM found
    WHERE recorded_at > coalesce(%(since)s::timestamptz, '-infinity')
      AND recorded_at <= coalesce(%(until)s::timestamptz, 'infinity')
    ORDER BY recorded_at DESC, "table", row_id DESC LIMIT %(most)s
"""
_OF_METERS: dict[str, LiteralString] = {
    "multipliers": """
        SELECT 'multipliers' AS kind, 'multiplier' AS "table", multiplier_id AS row_id,
               enterprise, meter, format('CT %%s × PT %%s', ct, pt) AS what,
               valid_from::text, valid_to::text, NULL AS who, source AS why, recorded_at
        FROM core.multiplier x JOIN named n USING (meter_id)
        WHERE EXISTS (SELECT FROM part p WHERE p.meter_id = n.meter_id
                      AND x.valid_from < p.high
                      AND coalesce(x.valid_to, 'infinity') > p.low)
    """,
    "registers": """
        SELECT 'registers' AS kind, 'register_digits' AS "table",
               register_digits_id AS row_id, enterprise, meter,
               format('%%s: %%s digits', c.quantity, x.digits) AS what,
               NULL AS valid_from, NULL AS valid_to, NULL AS who, source AS why,
               x.recorded_at
        FROM core.register_digits x JOIN core.channel c USING (channel_id)
        JOIN named n ON n.meter_id = c.subject_id
        UNION ALL
        SELECT 'registers', 'fall_policy', fall_policy_id, enterprise, meter,
               'a fall means ' || fall, NULL, NULL, NULL, source, recorded_at
        FROM core.fall_policy JOIN named USING (meter_id)
        UNION ALL
        SELECT 'registers', 'register_policy', register_policy_id, enterprise, meter,
               format('%%s: %%s', name, coalesce(value::text, 'as documented')), NULL,
               NULL, NULL, source, recorded_at
        FROM core.register_policy JOIN named USING (meter_id)
        UNION ALL
        SELECT 'registers', 'plate', plate_id, enterprise, meter,
               format('class %%s, at most %%s per hour', accuracy_class, rated_per_h),
               NULL, NULL, NULL, source, recorded_at
        FROM core.plate JOIN named USING (meter_id)
    """,
    "corrections": """
        SELECT 'corrections' AS kind, 'revision' AS "table", revision_id AS row_id,
               enterprise, meter,
               format('%%s: %%s instead of %%s', c.quantity,
                      coalesce(v.value_after::text, 'struck out'),
                      coalesce(v.value_before::text, 'none')) AS what,
               v.at::text AS valid_from, v.until::text AS valid_to, v.who, v.why,
               v.recorded_at
        FROM core.revision v JOIN core.channel c USING (channel_id)
        JOIN named n ON n.meter_id = c.subject_id
        WHERE EXISTS (SELECT FROM part p WHERE p.meter_id = n.meter_id
                      AND v.at <= p.high AND coalesce(v.until, v.at) >= p.low)
        UNION ALL
        SELECT 'corrections', 'judgement', judgement_id, enterprise, meter,
               format('%%s: %%s', c.quantity, j.verdict), j.at::text, NULL, j.who, j.why,
               j.recorded_at
        FROM core.judgement j JOIN core.channel c USING (channel_id)
        JOIN named n ON n.meter_id = c.subject_id
        WHERE EXISTS (SELECT FROM part p WHERE p.meter_id = n.meter_id
                      AND j.at BETWEEN p.low AND p.high)
    """,
    # Of an assignment to another enterprise only that it is another one's, and the day on
    # which the meter went or came. What was stated of it while it counted for another is
    # that one's. The park is told all of the period.
    "membership": """
        SELECT 'membership' AS kind, 'assignment' AS "table", assignment_id AS row_id,
               enterprise, meter,
               CASE WHEN %(owner)s::int IS NULL THEN 'counts for ' || o.code
                    WHEN mine.it THEN 'counts for it'
                    ELSE 'counts for another' END AS what,
               CASE WHEN mine.it OR EXISTS (
                   SELECT FROM part p WHERE p.meter_id = n.meter_id
                     AND a.valid_from BETWEEN p.low AND p.high)
                   THEN valid_from::text END AS valid_from,
               CASE WHEN mine.it OR EXISTS (
                   SELECT FROM part p WHERE p.meter_id = n.meter_id
                     AND a.valid_to BETWEEN p.low AND p.high)
                   THEN valid_to::text END AS valid_to, NULL AS who,
               CASE WHEN mine.it THEN source END AS why, a.recorded_at
        FROM core.assignment a JOIN named n USING (meter_id)
        JOIN core.enterprise o ON o.enterprise_id = a.enterprise_id
        CROSS JOIN LATERAL (VALUES (
            a.enterprise_id = coalesce(%(owner)s::int, a.enterprise_id))) AS mine (it)
        WHERE CASE WHEN mine.it
              THEN a.valid_from < %(stop)s AND coalesce(a.valid_to, 'infinity') > %(start)s
              ELSE EXISTS (SELECT FROM part p WHERE p.meter_id = n.meter_id
                           AND a.valid_from <= p.high
                           AND coalesce(a.valid_to, 'infinity') >= p.low) END
        UNION ALL
        SELECT 'membership', 'placement', placement_id, enterprise, meter,
               'stands as ' || role, valid_from::text, valid_to::text, NULL, source,
               p.recorded_at
        FROM core.placement p JOIN named n USING (meter_id)
        WHERE p.valid_from < %(stop)s AND coalesce(p.valid_to, 'infinity') > %(start)s
          AND (%(owner)s::int IS NULL OR EXISTS (
              SELECT FROM part WHERE part.meter_id = n.meter_id
                AND p.valid_from < part.high
                AND coalesce(p.valid_to, 'infinity') > part.low
                AND %(owner)s::int = (
                    SELECT a.enterprise_id FROM core.assignment a
                    WHERE a.meter_id = n.meter_id
                      AND a.valid_from <= greatest(p.valid_from, part.low)
                      AND coalesce(a.valid_to, 'infinity')
                          > greatest(p.valid_from, part.low)
                    ORDER BY a.recorded_at DESC, a.assignment_id DESC LIMIT 1)))
        UNION ALL
        SELECT 'membership', 'formula', formula_id, enterprise, meter,
               c.quantity || ' by a formula', valid_from::text, valid_to::text, NULL,
               f.source, f.recorded_at
        FROM core.formula f JOIN core.channel c USING (channel_id)
        JOIN named n ON n.meter_id = c.subject_id
        WHERE f.valid_from < %(stop)s AND coalesce(f.valid_to, 'infinity') > %(start)s
          AND (%(owner)s::int IS NULL OR EXISTS (
              SELECT FROM part WHERE part.meter_id = n.meter_id
                AND f.valid_from < part.high
                AND coalesce(f.valid_to, 'infinity') > part.low
                AND %(owner)s::int = (
                    SELECT a.enterprise_id FROM core.assignment a
                    WHERE a.meter_id = n.meter_id
                      AND a.valid_from <= greatest(f.valid_from, part.low)
                      AND coalesce(a.valid_to, 'infinity')
                          > greatest(f.valid_from, part.low)
                    ORDER BY a.recorded_at DESC, a.assignment_id DESC LIMIT 1)))
    """,
    "events": """
        SELECT 'readings' AS kind, 'register_event' AS "table", register_event_id AS row_id,
               enterprise, meter,
               format('%%s: %%s from %%s to %%s, %%s', c.quantity, v.kind,
                      v.value_before, v.value_after, v.rule) AS what,
               v.at::text AS valid_from, NULL AS valid_to, NULL AS who, NULL AS why,
               v.at AS recorded_at
        FROM core.register_event v JOIN core.channel c USING (channel_id)
        JOIN named n ON n.meter_id = c.subject_id
        -- on the day on which a meter goes it tells the ratio of either owner
        WHERE EXISTS (SELECT FROM part p WHERE p.meter_id = n.meter_id
                      AND v.at >= p.low AND v.at <= p.high
                      AND (%(owner)s::int IS NULL OR v.at NOT IN (p.low, p.high)))
    """,
}

Part = tuple[int, datetime, datetime]  # meter, from, to


def of_meters(
    conn: Connection,
    which: str,
    parts: Sequence[Part],
    window: Window,
    owner: int | None,
) -> list[Ground]:
    """List rows of meters while they count, the newest first.

    Parameters
    ----------
    which
        multipliers, registers, corrections, membership or events.
    owner
        The enterprise that asks; None: the park.
    """
    with conn.cursor(row_factory=class_row(Ground)) as cur:
        return cur.execute(
            _PARTS + _OF_METERS[which] + _CHOSEN,
            {
                "meters": [each[0] for each in parts],
                "lows": [each[1] for each in parts],
                "highs": [each[2] for each in parts],
                "owner": owner,
                "names": None,
                **vars(window),
            },
        ).fetchall()


_READ: LiteralString = """
        SELECT r.batch_id, count(*) AS readings
        FROM tells JOIN part p USING (meter_id)
        JOIN core.reading r ON r.channel_id = tells.channel_id
             AND r.at >= p.low AND r.at <= p.high
        GROUP BY r.batch_id)
    SELECT coalesce(sum(readings), 0)::bigint, count(*), min(b.batch_id),
           max(b.batch_id), min(b.received_at), max(b.received_at),
           coalesce(array_agg(DISTINCT b.source), '{}'),
           coalesce(array_agg(DISTINCT b.parser), '{}')
    FROM found JOIN core.batch b USING (batch_id)
    WHERE b.received_at > coalesce(%(since)s::timestamptz, '-infinity')
      AND b.received_at <= coalesce(%(until)s::timestamptz, 'infinity')
"""


def batches(
    conn: Connection, parts: Sequence[Part], quantities: Sequence[str], window: Window
) -> Batches:
    """Sum up where the readings of meters while they count came from."""
    row = conn.execute(
        _PARTS + _READ,
        {
            "meters": [each[0] for each in parts],
            "lows": [each[1] for each in parts],
            "highs": [each[2] for each in parts],
            "names": list(quantities),
            **vars(window),
        },
    ).fetchone()
    assert row is not None
    names = ("readings", "batches", "first_batch", "last_batch")
    names += ("first_received_at", "last_received_at", "sources", "parsers")  # type: ignore[assignment]
    return Batches(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]


# each kind of statement: one line here once it can be asked as known on a date
_STATED: dict[str, LiteralString] = {
    "statements": """
        SELECT 'statements' AS kind, 'statement' AS "table", statement_id AS row_id,
               e.code AS enterprise, NULL AS meter,
               format('added value: %%s, current prices, %%s',
                      coalesce(amount || ' 10⁴ CNY', 'withdrawn'), stage) AS what,
               period_from::text AS valid_from, period_to::text AS valid_to,
               nullif(v.who, '') AS who, source AS why, v.recorded_at
        FROM core.statement v JOIN core.enterprise e ON e.enterprise_id = v.subject_id
        WHERE v.subject_id = ANY(%(ids)s) AND v.kind = 'added_value'
          AND prices = 'current' AND %(added)s
          AND (%(added_ids)s::bigint[] IS NULL OR statement_id = ANY(%(added_ids)s))
          -- what lies beside a part of the period in the same year decides on it too
          AND EXISTS (
              SELECT FROM core.statement u
              WHERE u.subject_id = v.subject_id AND u.kind = v.kind
                AND u.prices = 'current'
                AND u.period_from < %(last)s AND u.period_to > %(first)s
                AND u.period_from < v.period_to AND u.period_to > v.period_from)
        UNION ALL
        SELECT 'statements', 'activity', activity_id, e.code, NULL,
               format('%%s %%s: %%s %%s, %%s%%s', use, item,
                      coalesce(amount::text, 'withdrawn'), unit, stage,
                      -- never which: the taker asks for this too
                      CASE WHEN supplier_id IS NOT NULL THEN ', from another' END),
               month::text, NULL, who, source, a.recorded_at
        FROM core.activity a JOIN core.enterprise e USING (enterprise_id)
        WHERE enterprise_id = ANY(%(ids)s) AND month >= %(first)s AND month < %(last)s
          AND %(activity)s
        UNION ALL
        SELECT 'statements', 'contract_demand', contract_demand_id, NULL, NULL,
               kw || ' kW', valid_from::text, valid_to::text, NULL, source, recorded_at
        FROM core.contract_demand WHERE subject_id = %(subject)s AND %(contract)s
    """,
    "green": """
        SELECT 'green' AS kind, 'green_match' AS "table", green_match_id AS row_id,
               e.code AS enterprise, NULL AS meter,
               format('%%s %%s of %%s: %%s kWh', kind, reference, production_month, kwh)
                   AS what,
               month::text AS valid_from, NULL AS valid_to, who, source AS why,
               g.recorded_at
        FROM core.green_match g JOIN core.enterprise e USING (enterprise_id)
        WHERE enterprise_id = ANY(%(ids)s) AND month >= %(first)s AND month < %(last)s
        UNION ALL
        SELECT 'green', 'green_power', green_power_id, NULL, NULL,
               format('%%s %%s of %%s: %%s kWh%%s', kind, reference, production_month, kwh,
                      CASE WHEN cancelled THEN ', cancelled' ELSE '' END),
               production_month::text, expires::text, who, source, recorded_at
        FROM core.green_power p WHERE park_id = %(park)s AND EXISTS (
            SELECT FROM core.green_match g
            WHERE g.enterprise_id = ANY(%(ids)s) AND g.month >= %(first)s
              AND g.month < %(last)s AND g.kind = p.kind
              AND g.reference = p.reference AND g.production_month = p.production_month)
    """,
}


def stated(
    conn: Connection,
    which: str,
    park_id: int,
    subject_id: int,
    enterprise_ids: Sequence[int],
    days: tuple[date, date],
    window: Window,
    *,
    added: bool = True,
    added_ids: Sequence[int] | None = None,
    activity: bool = True,
    contract: bool = False,
) -> list[Ground]:
    """List what was stated (`statements`), or is in the ledger (`green`), newest first.

    Parameters
    ----------
    added_ids
        Of added value these statements alone; None: all that could decide on it.
    """
    with conn.cursor(row_factory=class_row(Ground)) as cur:
        return cur.execute(
            "WITH found AS (" + _STATED[which] + _CHOSEN,
            {
                "park": park_id,
                "subject": subject_id,
                "ids": list(enterprise_ids),
                "first": days[0],
                "last": days[1],
                "added": added,
                "added_ids": None if added_ids is None else list(added_ids),
                "activity": activity,
                "contract": contract,
                **vars(window),
            },
        ).fetchall()


_FACTORS: LiteralString = """
    WITH found AS (
        SELECT 'factors' AS kind, 'factor' AS "table", factor_id::bigint AS row_id,
               e.code AS enterprise, NULL AS meter,
               format('%%s = %%s %%s%%s', f.code, value, unit,
                      CASE WHEN verified THEN '' ELSE ', not verified' END) AS what,
               valid_from::text, valid_to::text, who, source AS why, f.recorded_at
        FROM core.factor f LEFT JOIN core.enterprise e ON e.enterprise_id = f.subject_id
        WHERE factor_id = ANY(%(ids)s)
"""


def demand_rules(conn: Connection, subject_id: int, window: Window) -> list[Ground]:
    """List how a subject's demand is measured, the newest first."""
    with conn.cursor(row_factory=class_row(Ground)) as cur:
        return cur.execute(
            _RULES + _CHOSEN, {"subject": subject_id, **vars(window)}
        ).fetchall()


_RULES: LiteralString = """
    WITH found AS (
        SELECT 'demand_rules' AS kind, 'demand_rule' AS "table",
               demand_rule_id AS row_id, NULL AS enterprise, NULL AS meter,
               format('%%s minutes, %%s', window_min, method) AS what,
               valid_from::text, valid_to::text, NULL AS who, source AS why, recorded_at
        FROM core.demand_rule WHERE subject_id = %(subject)s
          AND valid_from < %(stop)s AND coalesce(valid_to, 'infinity') > %(start)s
"""


def factor_rows(
    conn: Connection, factor_ids: Sequence[int], window: Window
) -> list[Ground]:
    """List factors by id, the newest first."""
    with conn.cursor(row_factory=class_row(Ground)) as cur:
        return cur.execute(
            _FACTORS + _CHOSEN,
            {"ids": list(factor_ids), **vars(window)},
        ).fetchall()


def new_factors(conn: Connection, park_id: int, window: Window) -> list[Ground]:
    """List anybody's factors and those of a park and its enterprises, the newest first."""
    rows = conn.execute(
        """
        SELECT factor_id FROM core.factor
        WHERE recorded_at > coalesce(%(since)s::timestamptz, '-infinity')
          AND (subject_id IS NULL OR subject_id = %(park)s OR subject_id IN
               (SELECT enterprise_id FROM core.enterprise WHERE park_id = %(park)s))
        """,
        {"park": park_id, "since": window.since},
    ).fetchall()
    return factor_rows(conn, [int(str(row[0])) for row in rows], window)


_BATCHES: LiteralString = """
        SELECT 'readings' AS kind, 'batch' AS "table", b.batch_id AS row_id,
               enterprise, meter,
               format('%%s: %%s readings by %%s', c.quantity, count(*), b.parser) AS what,
               min(r.at)::text AS valid_from, max(r.at)::text AS valid_to,
               NULL AS who, b.source AS why, b.received_at AS recorded_at
        FROM named n JOIN tells USING (meter_id)
        JOIN core.channel c ON c.channel_id = tells.channel_id
        JOIN core.reading r ON r.channel_id = c.channel_id
             AND r.at >= n.low AND r.at <= n.high
        JOIN core.batch b USING (batch_id)
        WHERE b.received_at > coalesce(%(since)s::timestamptz, '-infinity')
        GROUP BY b.batch_id, enterprise, meter, c.quantity
"""


def late_batches(
    conn: Connection, parts: Sequence[Part], window: Window
) -> list[Ground]:
    """List what arrived of meters while they count, by batch and meter."""
    with conn.cursor(row_factory=class_row(Ground)) as cur:
        return cur.execute(
            _PARTS + _BATCHES + _CHOSEN,
            {
                "meters": [each[0] for each in parts],
                "lows": [each[1] for each in parts],
                "highs": [each[2] for each in parts],
                "names": None,
                **vars(window),
            },
        ).fetchall()
