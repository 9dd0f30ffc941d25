-- The figures of a period [since, until) are views with arguments. As in analytics.peaks:
-- a window counts where at least `minimum` of its time is known, and a figure is given
-- where at least `of_period` of the closed windows of the period count.

CREATE VIEW grafana.park_window AS
SELECT p.code AS park, p.zone, d.start AS time, d.fixed_kw AS kw, d.coverage
FROM core.park p JOIN core.demand d ON d.subject_id = p.park_id;

-- Closed quarter hours of the period; the running one is not among them.
CREATE FUNCTION grafana.closed(since timestamptz, until timestamptz)
RETURNS TABLE (first timestamptz, due timestamptz, windows bigint)
LANGUAGE sql STABLE AS $$
    SELECT b.first, b.due,
           greatest(extract(epoch FROM b.due - b.first)::bigint / 900, 0)
    FROM (SELECT date_bin('15 minutes', since, '2000-01-01Z') AS first,
                 date_bin('15 minutes', least(until, now()), '2000-01-01Z') AS due) AS b
$$;

-- What is known of the period.
CREATE FUNCTION grafana.known(of_park text, since timestamptz, until timestamptz,
                              minimum double precision DEFAULT 0.95,
                              of_period double precision DEFAULT 0.95)
RETURNS TABLE (windows bigint, counting bigint, coverage double precision,
               enough boolean)
LANGUAGE sql STABLE AS $$
    SELECT c.windows, n.counting, n.counting::float8 / nullif(c.windows, 0),
           coalesce(n.counting::float8 / nullif(c.windows, 0) >= of_period, false)
    FROM grafana.park p
    CROSS JOIN grafana.closed(since, until) c
    CROSS JOIN LATERAL (
        SELECT count(*) AS counting FROM grafana.park_window w
        WHERE w.park = p.park AND w.time >= c.first AND w.time < c.due
          AND w.coverage >= minimum) AS n
    WHERE p.park = of_park
$$;

-- The windows that count of a period that is known well enough.
CREATE FUNCTION grafana.counting(of_park text, since timestamptz, until timestamptz,
                                 minimum double precision DEFAULT 0.95,
                                 of_period double precision DEFAULT 0.95)
RETURNS TABLE (at timestamptz, kw double precision)
LANGUAGE sql STABLE AS $$
    SELECT w.time, w.kw
    FROM grafana.known(of_park, since, until, minimum, of_period) k
    CROSS JOIN grafana.closed(since, until) c
    JOIN grafana.park_window w
        ON w.park = of_park AND w.time >= c.first AND w.time < c.due
       AND w.coverage >= minimum
    WHERE k.enough
$$;

-- Highest separate peaks: windows up to an hour from a higher peak belong to it, of
-- equals the earlier stands first.
CREATE FUNCTION grafana.top_peaks(of_park text, since timestamptz, until timestamptz,
                                  most integer DEFAULT 10,
                                  minimum double precision DEFAULT 0.95)
RETURNS TABLE ("time" timestamptz, kw double precision, contract_kw double precision)
LANGUAGE plpgsql STABLE AS $$
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
LANGUAGE sql STABLE AS $$
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
LANGUAGE sql STABLE AS $$
    SELECT cells.day::timestamp AT TIME ZONE cells.zone, cells.day, cells.hour,
           CASE WHEN cells.counting::float8 / cells.expected >= minimum THEN cells.kw END
    FROM (
        SELECT p.zone, (slot AT TIME ZONE p.zone)::date AS day,
               extract(hour FROM slot AT TIME ZONE p.zone)::integer AS hour,
               count(*) AS expected, count(w.kw) AS counting, avg(w.kw) AS kw
        FROM grafana.park p
        CROSS JOIN grafana.closed(since, until) c
        CROSS JOIN generate_series(c.first, c.due - interval '15 minutes',
                                   interval '15 minutes') AS slot
        LEFT JOIN grafana.park_window w
            ON w.park = of_park AND w.time = slot AND w.coverage >= minimum
           AND w.time >= c.first AND w.time < c.due
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
LANGUAGE sql STABLE AS $$
    WITH main AS MATERIALIZED (
        SELECT w.at, w.kw FROM grafana.counting(of_park, since, until, minimum, 0) w),
    peak AS (
        SELECT m.at, m.kw
        FROM grafana.known(of_park, since, until, minimum, of_period) k
        JOIN main m ON k.enough ORDER BY m.kw DESC, m.at LIMIT 1),
    parts AS MATERIALIZED (
        SELECT d.enterprise, d.name, d.time AS at, d.kw,
               d.coverage >= minimum AS counts
        FROM grafana.closed(since, until) c
        JOIN grafana.enterprise_demand d
            ON d.park = of_park AND d.time >= c.first AND d.time < c.due),
    there AS (SELECT count(DISTINCT p.enterprise) AS parts FROM parts p),
    -- an enterprise without a row in a window is not known in it
    together AS (
        SELECT p.at, sum(p.kw) AS kw FROM parts p CROSS JOIN there t WHERE p.counts
        GROUP BY p.at, t.parts HAVING count(*) = t.parts),
    each AS (
        SELECT p.enterprise, p.name, p.at, p.kw FROM parts p WHERE p.counts
        UNION ALL
        SELECT NULL, NULL, m.at, round((m.kw - t.kw)::numeric, 6)::float8
        FROM main m JOIN together t USING (at)),
    own AS (
        SELECT e.enterprise, e.name, count(*) AS counting, max(e.kw) AS kw,
               (array_agg(e.at ORDER BY e.kw DESC, e.at))[1] AS at
        FROM each e GROUP BY e.enterprise, e.name),
    all_parts AS (
        SELECT DISTINCT p.enterprise, p.name FROM parts p
        UNION ALL SELECT NULL, NULL WHERE EXISTS (SELECT FROM parts))
    SELECT a.enterprise, a.name, k.at, k.kw, e.kw, e.kw / nullif(k.kw, 0),
           CASE WHEN o.counting::float8 / c.windows >= of_period THEN o.kw END,
           CASE WHEN o.counting::float8 / c.windows >= of_period THEN o.at END,
           coalesce(o.counting, 0)::float8 / nullif(c.windows, 0)
    FROM all_parts a
    CROSS JOIN grafana.closed(since, until) c
    LEFT JOIN own o ON o.enterprise IS NOT DISTINCT FROM a.enterprise
    LEFT JOIN peak k ON true
    LEFT JOIN each e ON e.at = k.at AND e.enterprise IS NOT DISTINCT FROM a.enterprise
$$;

-- Park's peak over the sum of own peaks, the rest being one more part; null while one of
-- them is not known. Diversity is its inverse.
CREATE FUNCTION grafana.period_coincidence(of_park text, since timestamptz,
                                           until timestamptz,
                                           minimum double precision DEFAULT 0.95,
                                           of_period double precision DEFAULT 0.95)
RETURNS TABLE (park_kw double precision, own_peaks_kw double precision,
               factor double precision, diversity double precision)
LANGUAGE sql STABLE AS $$
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
