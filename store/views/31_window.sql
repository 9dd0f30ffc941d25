-- Windows of a park's demand by its rule: 15, 30 or 60 minutes by the local clock, fixed
-- or sliding; 15 minutes, fixed, where none is stated. As analytics.jobs.demands.

-- What holds from when to when; neighbours differ.
CREATE VIEW grafana.park_rule AS
WITH painted AS (
    SELECT p.park_id, p.code, edge.at, coalesce(r.window_min, 15) AS window_min,
           coalesce(r.method, 'fixed') AS method
    FROM core.park p
    CROSS JOIN LATERAL (
        SELECT '-infinity'::timestamptz
        UNION
        SELECT x.valid_from FROM core.demand_rule x WHERE x.subject_id = p.park_id
        UNION
        SELECT x.valid_to FROM core.demand_rule x
        WHERE x.subject_id = p.park_id AND x.valid_to IS NOT NULL) AS edge (at)
    LEFT JOIN LATERAL (
        SELECT x.window_min, x.method FROM core.demand_rule x
        WHERE x.subject_id = p.park_id AND x.valid_from <= edge.at
          AND (x.valid_to IS NULL OR edge.at < x.valid_to)
        ORDER BY x.recorded_at DESC, x.demand_rule_id DESC LIMIT 1) AS r ON true),
begun AS (
    SELECT x.*, lag(x.window_min::text || x.method) OVER (
               PARTITION BY x.park_id ORDER BY x.at)
           IS DISTINCT FROM x.window_min::text || x.method AS begins
    FROM painted x)
SELECT b.code AS park, b.at AS since,
       lead(b.at, 1, 'infinity') OVER (PARTITION BY b.park_id ORDER BY b.at) AS until,
       b.window_min, b.method
FROM begun b WHERE b.begins;

-- Of the rows whose validity holds an instant, the one recorded last; null: none does.
CREATE VIEW grafana.park_contract AS
SELECT p.code AS park, edge.at AS since,
       lead(edge.at, 1, 'infinity') OVER (PARTITION BY p.park_id ORDER BY edge.at)
           AS until, c.kw
FROM core.park p
CROSS JOIN LATERAL (
    SELECT '-infinity'::timestamptz
    UNION
    SELECT x.valid_from FROM core.contract_demand x WHERE x.subject_id = p.park_id
    UNION
    SELECT x.valid_to FROM core.contract_demand x
    WHERE x.subject_id = p.park_id AND x.valid_to IS NOT NULL) AS edge (at)
LEFT JOIN LATERAL (
    SELECT x.kw FROM core.contract_demand x
    WHERE x.subject_id = p.park_id AND x.valid_from <= edge.at
      AND (x.valid_to IS NULL OR edge.at < x.valid_to)
    ORDER BY x.recorded_at DESC, x.contract_demand_id DESC LIMIT 1) AS c ON true;

-- The highest sliding window that begins in a quarter hour.
CREATE VIEW grafana.park_sliding AS
SELECT p.code AS park, x.start AS time, x.kw, x.after_s
FROM core.park p JOIN core.demand_sliding x ON x.subject_id = p.park_id;

-- Start of the window that holds an instant, by the rule that holds at its quarter hour.
-- As in slots, a window begins anew where the clock is set.
CREATE FUNCTION grafana.window_start(of_park text, instant timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(max(greatest(
               x.begin, grafana.quarter(r.since + interval '899.999999 s'))),
               max(at.quarter))
    FROM (SELECT grafana.quarter(instant) AS quarter, p.park, p.zone,
                 grafana.quarter(instant) AT TIME ZONE p.zone AS local
          FROM grafana.park p WHERE p.park = of_park) AS at
    LEFT JOIN grafana.park_rule r
        ON r.park = at.park AND r.since <= at.quarter AND r.until > at.quarter
    LEFT JOIN LATERAL (
        SELECT min(q.slot) AS begin
        FROM (
            SELECT slot, slot AT TIME ZONE at.zone AS local
            FROM generate_series(at.quarter - (r.window_min - 15) * interval '1 minute',
                                 at.quarter, interval '15 minutes') AS slot) AS q
        WHERE at.local - q.local = at.quarter - q.slot
          AND date_bin(r.window_min * interval '1 minute', q.local, '2000-01-01 00:00')
              = date_bin(r.window_min * interval '1 minute', at.local,
                         '2000-01-01 00:00')) AS x ON true
$$;

-- The closed quarter hours of the period in which the park's meters counted, cut where
-- another rule begins. The period begins and ends with the windows that hold its ends.
-- `slides`: its sliding demand is known well enough to compete for the peak.
-- `goes_on`: its rule holds beyond now, so that its last window may be running.
CREATE FUNCTION grafana.stretches(of_park text, since timestamptz, until timestamptz,
                                  minimum double precision DEFAULT 0.95)
RETURNS TABLE (first timestamptz, due timestamptz, window_min integer, slides boolean,
               goes_on boolean)
LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1 AS $$
    SELECT cut.first, cut.due, r.window_min,
           CASE WHEN r.method = 'sliding' THEN (
               SELECT count(*) > 0 AND count(*) * 900
                   >= minimum * extract(epoch FROM cut.due - cut.first)
               FROM grafana.park_sliding x
               WHERE x.park = of_park AND x.time >= cut.first AND x.time < cut.due)
           ELSE false END,
           cut.due = grafana.quarter(now()) AND r.until > cut.due
    FROM grafana.counted(
        of_park, grafana.window_start(of_park, since),
        CASE WHEN until > now() THEN grafana.quarter(now())
        ELSE grafana.window_start(of_park, until) END) AS c
    JOIN grafana.park_rule r ON r.park = of_park AND r.since < c.due AND r.until > c.first
    CROSS JOIN LATERAL (
        SELECT grafana.quarter(greatest(r.since, c.first) + interval '899.999999 s')
                   AS first,
               grafana.quarter(least(r.until, c.due) + interval '899.999999 s') AS due
    ) AS cut
    WHERE cut.first < cut.due
    ORDER BY cut.first
$$;

-- The window of each quarter hour: it follows the local clock and ends where that is set.
-- The last one of what `goes_on` is not there until it has ended.
CREATE FUNCTION grafana.slots(zone text, first timestamptz, due timestamptz,
                              window_min integer, goes_on boolean)
RETURNS TABLE (slot timestamptz, at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT x.slot, x.at
    FROM (
        SELECT q.slot, min(q.slot) OVER w AS at,
               goes_on AND count(*) OVER w < window_min / 15
               AND max(q.slot) OVER w + interval '15 minutes' = due AS running
        FROM (
            SELECT slot, slot AT TIME ZONE zone AS local
            FROM generate_series(first, due - interval '15 minutes',
                                 interval '15 minutes') AS slot) AS q
        WINDOW w AS (PARTITION BY
            date_bin(window_min * interval '1 minute', q.local, '2000-01-01 00:00'),
            q.local - q.slot AT TIME ZONE 'UTC')) AS x
    WHERE NOT x.running
$$;

-- All windows of the period, those of which nothing is known too. With `sliding`, where it
-- `slides`, of each quarter hour `slot` the highest that begins in it.
CREATE FUNCTION grafana.windows(of_park text, since timestamptz, until timestamptz,
                                sliding boolean, minimum double precision DEFAULT 0.95)
RETURNS TABLE (slot timestamptz, at timestamptz, window_min integer,
               kw double precision, coverage double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    of_zone text;
    id integer;
    cut record;
BEGIN
    SELECT p.park_id, p.zone INTO id, of_zone FROM core.park p WHERE p.code = of_park;
    FOR cut IN SELECT * FROM grafana.stretches(of_park, since, until, minimum) LOOP
        IF sliding AND cut.slides THEN
            RETURN QUERY
                WITH known AS MATERIALIZED (
                    SELECT y.start, y.kw, y.after_s FROM core.demand_sliding y
                    WHERE y.subject_id = id
                      AND y.start >= cut.first AND y.start < cut.due)
                SELECT q, q + coalesce(x.after_s, 0) * interval '1 second', 15, x.kw,
                       CASE WHEN x.kw IS NULL THEN 0 ELSE 1 END::float8
                FROM generate_series(cut.first, cut.due - interval '15 minutes',
                                     interval '15 minutes') AS q
                LEFT JOIN known x ON x.start = q;
        ELSIF cut.window_min = 15 THEN
            RETURN QUERY
                WITH known AS MATERIALIZED (
                    SELECT y.start, y.fixed_kw, y.coverage FROM core.demand y
                    WHERE y.subject_id = id
                      AND y.start >= cut.first AND y.start < cut.due)
                SELECT q, q, 15, x.fixed_kw, least(coalesce(x.coverage, 0), 1)
                FROM generate_series(cut.first, cut.due - interval '15 minutes',
                                     interval '15 minutes') AS q
                LEFT JOIN known x ON x.start = q;
        ELSE
            RETURN QUERY
                WITH known AS MATERIALIZED (
                    SELECT y.start, y.fixed_kw, y.coverage FROM core.demand y
                    WHERE y.subject_id = id
                      AND y.start >= cut.first AND y.start < cut.due)
                SELECT s.at, s.at, cut.window_min,
                       sum(x.fixed_kw) * 15 / cut.window_min,
                       sum(least(coalesce(x.coverage, 0), 1)) * 15 / cut.window_min
                FROM grafana.slots(of_zone, cut.first, cut.due, cut.window_min,
                                   cut.goes_on) AS s
                LEFT JOIN known x ON x.start = s.slot
                GROUP BY s.at;
        END IF;
    END LOOP;
END
$$;

-- Those that compete for the peak: the sliding ones where the rule says so and they are
-- known of `minimum` of the time, else the fixed ones.
CREATE FUNCTION grafana.competing(of_park text, since timestamptz, until timestamptz,
                                  minimum double precision DEFAULT 0.95)
RETURNS TABLE (slot timestamptz, at timestamptz, window_min integer,
               kw double precision, coverage double precision)
LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT * FROM grafana.windows(of_park, since, until, true, minimum)
$$;
