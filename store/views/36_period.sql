-- The figures of a period [since, until) are views with arguments. As in analytics.peaks:
-- a window counts where at least `minimum` of its time is known, and a figure is given
-- where at least `of_period` of the closed windows of the period count.

CREATE VIEW grafana.park_window AS
SELECT p.code AS park, p.zone, d.start AS time, d.fixed_kw AS kw, d.coverage
FROM core.park p JOIN core.demand d ON d.subject_id = p.park_id;

CREATE FUNCTION grafana.quarter(instant timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_bin('15 minutes', instant, '2000-01-01 00:00:00+00')
$$;

-- Closed quarter hours of the period in which the park's meters counted; the running one
-- is not among them.
CREATE FUNCTION grafana.closed(of_park text, since timestamptz, until timestamptz)
RETURNS TABLE (first timestamptz, due timestamptz, windows bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.first, c.due,
           greatest(extract(epoch FROM c.due - c.first)::bigint / 900, 0)
    FROM grafana.counted(of_park, grafana.quarter(since),
                         grafana.quarter(least(until, now()))) AS c
$$;

-- What is known of the period.
CREATE FUNCTION grafana.known(of_park text, since timestamptz, until timestamptz,
                              minimum double precision DEFAULT 0.95,
                              of_period double precision DEFAULT 0.95)
RETURNS TABLE (windows bigint, counting bigint, coverage double precision,
               enough boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.windows, n.counting, n.counting::float8 / nullif(c.windows, 0),
           coalesce(n.counting::float8 / nullif(c.windows, 0) >= of_period, false)
    FROM grafana.park p
    CROSS JOIN grafana.closed(of_park, since, until) c
    CROSS JOIN LATERAL (
        SELECT count(*) AS counting FROM grafana.park_window w
        WHERE w.park = of_park AND w.coverage >= minimum
          AND w.time >= grafana.quarter(since)
          AND w.time < grafana.quarter(least(until, now()))) AS n
    WHERE p.park = of_park
$$;

-- The windows that count of a period that is known well enough.
CREATE FUNCTION grafana.counting(of_park text, since timestamptz, until timestamptz,
                                 minimum double precision DEFAULT 0.95,
                                 of_period double precision DEFAULT 0.95)
RETURNS TABLE (at timestamptz, kw double precision)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT w.time, w.kw
    FROM grafana.known(of_park, since, until, minimum, of_period) k
    CROSS JOIN grafana.park_window w
    WHERE k.enough AND w.park = of_park AND w.coverage >= minimum
      AND w.time >= grafana.quarter(since)
      AND w.time < grafana.quarter(least(until, now()))
$$;

-- Highest separate peaks: windows up to an hour from a higher peak belong to it, of
-- equals the earlier stands first.
CREATE FUNCTION grafana.top_peaks(of_park text, since timestamptz, until timestamptz,
                                  most integer DEFAULT 10,
                                  minimum double precision DEFAULT 0.95)
RETURNS TABLE ("time" timestamptz, kw double precision, contract_kw double precision)
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found record;
    taken timestamptz[] := '{}';
BEGIN
    FOR found IN
        SELECT w.at, w.kw FROM grafana.counting(of_park, since, until, minimum) w
        ORDER BY w.kw DESC, w.at
    LOOP
        EXIT WHEN cardinality(taken) >= most;
        CONTINUE WHEN EXISTS (
            SELECT FROM unnest(taken) AS higher
            WHERE found.at BETWEEN higher - interval '1 hour'
                               AND higher + interval '1 hour');
        taken := taken || found.at;
        RETURN QUERY
            SELECT d.time, d.fixed_kw, d.contract_kw FROM grafana.park_demand d
            WHERE d.park = of_park AND d.time = found.at;
    END LOOP;
END
$$;

-- Load duration curve: at least kw for so many hours, that share of those known. Thinned
-- evenly over its hours; the highest and the lowest stay.
CREATE FUNCTION grafana.load_duration(of_park text, since timestamptz, until timestamptz,
                                      points integer DEFAULT 200,
                                      minimum double precision DEFAULT 0.95)
RETURNS TABLE (hours double precision, share double precision, kw double precision)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH falling AS (
        SELECT w.kw, row_number() OVER (ORDER BY w.kw DESC) AS n, count(*) OVER () AS total
        FROM grafana.counting(of_park, since, until, minimum) w)
    SELECT f.n * 0.25::float8, f.n::float8 / f.total, f.kw
    FROM falling f
    WHERE f.total <= points
       OR f.n - 1 IN (SELECT round(i * (f.total - 1) / (points - 1)::float8)::bigint
                      FROM generate_series(0, points - 1) AS i)
$$;

-- Mean power by local day and hour of the park's zone; null where less than `minimum` of
-- the cell's windows count. `time` is the day's local midnight.
CREATE FUNCTION grafana.hour_map(of_park text, since timestamptz, until timestamptz,
                                 minimum double precision DEFAULT 0.95)
RETURNS TABLE ("time" timestamptz, day date, hour integer, kw double precision)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT cells.day::timestamp AT TIME ZONE cells.zone, cells.day, cells.hour,
           CASE WHEN cells.counting::float8 / cells.expected >= minimum THEN cells.kw END
    FROM (
        SELECT p.zone, (slot AT TIME ZONE p.zone)::date AS day,
               extract(hour FROM slot AT TIME ZONE p.zone)::integer AS hour,
               nullif(count(*) FILTER (WHERE slot >= c.first AND slot < c.due), 0)
                   AS expected,
               count(w.kw) AS counting, avg(w.kw) AS kw
        FROM grafana.park p
        CROSS JOIN grafana.closed(of_park, since, until) c
        CROSS JOIN generate_series(
            grafana.quarter(since),
            grafana.quarter(least(until, now())) - interval '15 minutes',
            interval '15 minutes') AS slot
        LEFT JOIN grafana.park_window w
            ON w.park = of_park AND w.time = slot AND w.coverage >= minimum
           AND w.time >= grafana.quarter(since)
           AND w.time < grafana.quarter(least(until, now()))
        WHERE p.park = of_park
        GROUP BY 1, 2, 3) AS cells
$$;

-- Who made the period's peak: each enterprise in the park's peak window, its own peak
-- beside it, and the unmetered rest (enterprise is null). Null where the part does not
-- count in the window; an own peak where too few of its windows count.
CREATE FUNCTION grafana.made_by(of_park text, since timestamptz, until timestamptz,
                                minimum double precision DEFAULT 0.95,
                                of_period double precision DEFAULT 0.95)
RETURNS TABLE (enterprise text, name text, at timestamptz, park_kw double precision,
               kw double precision, share double precision, own_kw double precision,
               own_time timestamptz, coverage double precision)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH main AS MATERIALIZED (
        SELECT w.at, w.kw FROM grafana.counting(of_park, since, until, minimum, 0) w),
    peak AS (
        SELECT m.at, m.kw
        FROM grafana.known(of_park, since, until, minimum, of_period) k
        JOIN main m ON k.enough ORDER BY m.kw DESC, m.at LIMIT 1),
    -- two plain sums over the same rows are far cheaper than one of grouping sets, and the
    -- instant of an own peak is looked for only once its height is known
    sums AS MATERIALIZED (
        SELECT d.time AS at, count(*) AS counting, sum(d.kw) AS kw
        FROM grafana.enterprise_demand d
        WHERE d.park = of_park AND d.coverage >= minimum
          AND d.time >= grafana.quarter(since)
          AND d.time < grafana.quarter(least(until, now()))
        GROUP BY d.time),
    owns AS MATERIALIZED (
        SELECT d.enterprise, d.name,
               count(*) FILTER (WHERE d.coverage >= minimum) AS counting,
               max(d.kw) FILTER (WHERE d.coverage >= minimum) AS kw
        FROM grafana.enterprise_demand d
        WHERE d.park = of_park AND d.time >= grafana.quarter(since)
          AND d.time < grafana.quarter(least(until, now()))
        GROUP BY d.enterprise, d.name),
    -- of windows that are known of all
    rests AS MATERIALIZED (
        SELECT m.at, round((m.kw - s.kw)::numeric, 6)::float8 AS kw
        FROM sums s JOIN main m USING (at)
        WHERE s.counting = (SELECT count(*) FROM owns)),
    parts AS (
        SELECT o.enterprise, o.name, o.counting, o.kw AS highest_kw, (
            SELECT d.time FROM grafana.enterprise_demand d
            WHERE d.park = of_park AND d.enterprise = o.enterprise
              AND d.kw = o.kw AND d.coverage >= minimum
              AND d.time >= grafana.quarter(since)
              AND d.time < grafana.quarter(least(until, now()))
            ORDER BY d.time LIMIT 1) AS highest_at
        FROM owns o
        UNION ALL
        SELECT NULL, NULL, (SELECT count(*) FROM rests), r.kw, r.at
        FROM (SELECT) AS one
        LEFT JOIN (SELECT kw, at FROM rests ORDER BY kw DESC, at LIMIT 1) AS r ON true
        WHERE EXISTS (SELECT FROM owns)),
    at_peak AS (
        SELECT d.enterprise, d.kw FROM peak k JOIN grafana.enterprise_demand d
            ON d.park = of_park AND d.time = k.at AND d.coverage >= minimum
        UNION ALL
        SELECT NULL, r.kw FROM peak k JOIN rests r USING (at))
    SELECT p.enterprise, p.name, k.at, k.kw, t.kw, t.kw / nullif(k.kw, 0),
           CASE WHEN own.enough THEN p.highest_kw END,
           CASE WHEN own.enough THEN p.highest_at END,
           p.counting::float8 / nullif(c.windows, 0)
    FROM parts p
    CROSS JOIN grafana.closed(of_park, since, until) c
    CROSS JOIN LATERAL (
        SELECT p.counting::float8 / nullif(c.windows, 0) >= of_period AS enough) AS own
    LEFT JOIN peak k ON true
    LEFT JOIN at_peak t ON t.enterprise IS NOT DISTINCT FROM p.enterprise
$$;

-- Park's peak over the sum of own peaks, the rest being one more part; null while one of
-- them is not known. Diversity is its inverse.
CREATE FUNCTION grafana.period_coincidence(of_park text, since timestamptz,
                                           until timestamptz,
                                           minimum double precision DEFAULT 0.95,
                                           of_period double precision DEFAULT 0.95)
RETURNS TABLE (park_kw double precision, own_peaks_kw double precision,
               factor double precision, diversity double precision)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.park_kw, s.own, s.park_kw / nullif(s.own, 0), s.own / nullif(s.park_kw, 0)
    FROM (SELECT max(m.park_kw) AS park_kw,
                 CASE WHEN bool_and(m.kw IS NOT NULL AND m.own_kw IS NOT NULL)
                      THEN sum(m.own_kw) END AS own
          FROM grafana.made_by(of_park, since, until, minimum, of_period) m) AS s
$$;

-- The same of each month of the park, however little of it is known: the peaks are then
-- lower bounds, as park_peak says.
CREATE VIEW grafana.coincidence AS
SELECT m.park, m.month, m.until, c.park_kw AS peak_kw, c.own_peaks_kw, c.factor
FROM grafana.park_month m
CROSS JOIN LATERAL grafana.period_coincidence(m.park, m.month, m.until,
                                              of_period => 0) c
WHERE c.park_kw IS NOT NULL;

-- Load rate of the connected capacity, where one is stated and both energies are known to
-- 95 %: apparent power of the window's means over the capacity that is billed that day.
CREATE VIEW grafana.transformer_load AS
SELECT s.park, s.enterprise, a.start AS time, b.capacity_kva,
       sqrt((a.amount * 4) ^ 2 + (r.amount * 4) ^ 2) / b.capacity_kva AS rate
FROM (
    SELECT p.code AS park, p.zone, p.park_id AS subject_id, NULL::text AS enterprise
    FROM core.park p
    UNION ALL
    SELECT p.code, p.zone, e.enterprise_id, e.code
    FROM core.park p JOIN core.enterprise e USING (park_id)) AS s
JOIN core.channel active ON active.subject_id = s.subject_id
    AND active.quantity = 'energy_import' AND active.kind = 'total'
JOIN core.channel lagging ON lagging.subject_id = s.subject_id
    AND lagging.quantity = 'reactive_energy_q1' AND lagging.kind = 'total'
JOIN core.usage_15min a ON a.channel_id = active.channel_id
JOIN core.usage_15min r ON r.channel_id = lagging.channel_id AND r.start = a.start
CROSS JOIN LATERAL (
    SELECT x.capacity_kva FROM core.billing x
    WHERE x.subject_id = s.subject_id
      AND x.valid_from <= (a.start AT TIME ZONE s.zone)::date
      AND (x.valid_to IS NULL OR (a.start AT TIME ZONE s.zone)::date < x.valid_to)
    ORDER BY x.recorded_at DESC, x.billing_id DESC LIMIT 1) AS b
WHERE b.capacity_kva IS NOT NULL
  AND a.measured_s + a.estimated_s >= 0.95 * 900
  AND r.measured_s + r.estimated_s >= 0.95 * 900;
