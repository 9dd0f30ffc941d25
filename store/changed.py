"""What was recorded or arrived after an instant: of a park, by kind of input."""

from datetime import datetime, timedelta
from typing import LiteralString

from store.database import Connection


def touched(
    conn: Connection, which: str, park_id: int, since: datetime
) -> frozenset[int]:
    """List the meters of a park of which rows of a kind were recorded after an instant."""
    queries: dict[str, LiteralString] = {
        "multipliers": "SELECT meter_id FROM core.multiplier WHERE recorded_at > %(t)s",
        "registers": "SELECT meter_id FROM core.fall_policy WHERE recorded_at > %(t)s "
        "UNION SELECT meter_id FROM core.plate WHERE recorded_at > %(t)s "
        "UNION SELECT meter_id FROM core.register_policy WHERE recorded_at > %(t)s "
        "UNION SELECT c.subject_id FROM core.register_digits d "
        "JOIN core.channel c USING (channel_id) WHERE d.recorded_at > %(t)s",
        "corrections": "SELECT c.subject_id AS meter_id FROM core.revision v "
        "JOIN core.channel c USING (channel_id) WHERE v.recorded_at > %(t)s "
        "UNION SELECT c.subject_id FROM core.judgement j "
        "JOIN core.channel c USING (channel_id) WHERE j.recorded_at > %(t)s",
        "membership": "SELECT meter_id FROM core.assignment WHERE recorded_at > %(t)s "
        "UNION SELECT meter_id FROM core.placement WHERE recorded_at > %(t)s "
        "UNION SELECT meter_id FROM core.meter WHERE confirmed_at > %(t)s "
        "UNION SELECT c.subject_id FROM core.formula f "
        "JOIN core.channel c USING (channel_id) WHERE f.recorded_at > %(t)s",
    }
    rows = conn.execute(queries[which], {"t": since}).fetchall()
    mine = conn.execute(
        "SELECT meter_id FROM core.meter WHERE park_id = %s", (park_id,)
    ).fetchall()
    return frozenset(int(str(row[0])) for row in {*rows} & {*mine})


def arrived(
    conn: Connection,
    park_id: int,
    start: datetime,
    stop: datetime,
    since: datetime,
    *,
    reach: int,
    before: timedelta,
    rests: timedelta,
) -> frozenset[int]:
    """List the meters of a park whose readings of a period arrived after an instant.

    A new channel counts as arrived. The period is widened, on either side, by `reach`
    readings of each channel, and `before` that by what gives gaps their shape. Where a
    register rests at its end, it ends where that does, if within `rests`: the reading there
    may say that the register was stuck.
    """
    rows = conn.execute(
        """
        WITH late AS MATERIALIZED (
            SELECT batch_id FROM core.batch WHERE received_at > %(since)s),
        mine AS (
            SELECT c.channel_id, c.subject_id AS meter_id, c.recorded_at
            FROM core.source c JOIN core.meter m ON m.meter_id = c.subject_id
            WHERE m.park_id = %(park)s AND c.kind <> 'virtual'
            UNION
            SELECT c.flow_id, c.subject_id, c.recorded_at
            FROM core.source c JOIN core.meter m ON m.meter_id = c.subject_id
            WHERE m.park_id = %(park)s AND c.kind = 'load')
        SELECT DISTINCT meter_id FROM mine w
        LEFT JOIN LATERAL (
            SELECT moved.at AS stop
            FROM (SELECT value FROM core.reading b WHERE b.channel_id = w.channel_id
                    AND b.at >= %(stop)s ORDER BY at LIMIT 1) AS shown
            CROSS JOIN LATERAL (
                SELECT at FROM core.reading b WHERE b.channel_id = w.channel_id
                  AND b.at >= %(stop)s AND b.at < %(stop)s + %(rests)s::interval
                  AND b.value <> shown.value ORDER BY at LIMIT 1) AS moved) AS rest ON true
        WHERE (w.recorded_at > %(since)s OR EXISTS (
            SELECT FROM core.reading r
            WHERE r.channel_id = w.channel_id
              AND r.at >= coalesce((
                  SELECT min(at) FROM (
                      SELECT at FROM core.reading b WHERE b.channel_id = w.channel_id
                        AND b.at < %(start)s ORDER BY at DESC LIMIT %(reach)s) AS x),
                  %(start)s) - %(before)s::interval
              AND r.at <= coalesce((
                  SELECT max(at) FROM (
                      SELECT at FROM core.reading b WHERE b.channel_id = w.channel_id
                        AND b.at >= coalesce(rest.stop, %(stop)s)
                      ORDER BY at LIMIT %(reach)s) AS x),
                  %(stop)s)
              AND r.batch_id >= (SELECT min(batch_id) FROM late)
              AND r.batch_id IN (SELECT batch_id FROM late)))
        """,
        {
            "park": park_id,
            "start": start,
            "stop": stop,
            "since": since,
            "reach": reach,
            "before": before,
            "rests": rests,
        },
    ).fetchall()
    return frozenset(int(str(row[0])) for row in rows)


def recorded_since(conn: Connection, which: str, park_id: int, since: datetime) -> bool:
    """Tell whether factors, statements or green power were recorded after an instant."""
    queries: dict[str, LiteralString] = {
        "demand_rules": "SELECT EXISTS (SELECT FROM core.demand_rule "
        "WHERE recorded_at > %(t)s)",
        "factors": "SELECT EXISTS (SELECT FROM core.factor WHERE recorded_at > %(t)s "
        "AND (subject_id IS NULL OR subject_id = %(park)s OR subject_id IN ("
        "SELECT enterprise_id FROM core.enterprise WHERE park_id = %(park)s)))",
        "statements": "SELECT EXISTS (SELECT FROM core.statement s "
        "JOIN core.enterprise e ON e.enterprise_id = s.subject_id "
        "WHERE e.park_id = %(park)s AND s.recorded_at > %(t)s) "
        "OR EXISTS (SELECT FROM core.activity JOIN core.enterprise USING (enterprise_id) "
        "WHERE park_id = %(park)s AND activity.recorded_at > %(t)s) "
        "OR EXISTS (SELECT FROM core.contract_demand WHERE recorded_at > %(t)s)",
        "green": "SELECT EXISTS (SELECT FROM core.green_power "
        "WHERE park_id = %(park)s AND recorded_at > %(t)s) "
        "OR EXISTS (SELECT FROM core.green_match "
        "WHERE park_id = %(park)s AND recorded_at > %(t)s)",
    }
    row = conn.execute(queries[which], {"park": park_id, "t": since}).fetchone()
    assert row is not None
    return bool(row[0])
