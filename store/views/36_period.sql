-- The figures of a period [since, until) are views with arguments. As in analytics.peaks:
-- a window counts where at least `minimum` of its time is known, and a figure is given
-- where windows that count make up at least `of_period` of the time.

CREATE VIEW grafana.park_window AS
SELECT p.code AS park, p.zone, d.start AS time, d.fixed_kw AS kw, d.coverage
FROM core.park p JOIN core.demand d ON d.subject_id = p.park_id;

-- What is known of the period: of the windows that compete for its peak.
CREATE FUNCTION grafana.known(of_park text, since timestamptz, until timestamptz,
                              minimum double precision DEFAULT 0.95,
                              of_period double precision DEFAULT 0.95)
RETURNS TABLE (windows bigint, counting bigint, coverage double precision,
               enough boolean)
LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT n.windows, n.counting, n.coverage, coalesce(n.coverage >= of_period, false)
    FROM grafana.park p
    CROSS JOIN LATERAL (
        SELECT count(*) AS windows, count(*) FILTER (WHERE w.coverage >= minimum)
                   AS counting,
               coalesce(sum(w.window_min) FILTER (WHERE w.coverage >= minimum), 0)::float8
               / sum(w.window_min) AS coverage
        FROM grafana.competing(of_park, since, until, minimum) w) AS n
    WHERE p.park = of_park
$$;

-- The windows that count of a period that is known well enough: those that compete, or
-- the fixed ones.
CREATE FUNCTION grafana.counting(of_park text, since timestamptz, until timestamptz,
                                 minimum double precision DEFAULT 0.95,
                                 of_period double precision DEFAULT 0.95,
                                 sliding boolean DEFAULT true)
RETURNS TABLE (at timestamptz, window_min integer, kw double precision)
LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT x.at, x.window_min, x.kw
    FROM (
        SELECT w.*, sum(w.window_min) FILTER (WHERE w.coverage >= minimum) OVER ()::float8
                    / sum(w.window_min) OVER () AS share
        FROM grafana.windows(of_park, since, until, sliding, minimum) w) AS x
    WHERE x.share >= of_period AND x.coverage >= minimum
$$;

-- Highest separate peaks: windows up to an hour from a higher peak belong to it, of
-- equals the earlier stands first.
CREATE FUNCTION grafana.top_peaks(of_park text, since timestamptz, until timestamptz,
                                  most integer DEFAULT 10,
                                  minimum double precision DEFAULT 0.95)
RETURNS TABLE ("time" timestamptz, kw double precision, contract_kw double precision)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS $$
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
            SELECT found.at, found.kw, c.kw FROM grafana.park_contract c
            WHERE c.park = of_park AND c.since <= found.at AND c.until > found.at;
    END LOOP;
END
$$;

-- The enterprise that drew most in the fixed window that holds an instant, and its share
-- of what the park drew in it; none where too little of the window is known.
CREATE FUNCTION grafana.drew_most(of_park text, instant timestamptz)
RETURNS TABLE (enterprise text, name text, share double precision)
LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1 AS $$
    SELECT d.enterprise, d.name, sum(d.kw) * 15 / w.window_min / nullif(w.kw, 0)
    FROM grafana.quarter(instant) AS quarter
    JOIN grafana.park_rule r
        ON r.park = of_park AND r.since <= quarter AND r.until > quarter
    CROSS JOIN LATERAL grafana.window_start(of_park, instant) AS begin
    CROSS JOIN LATERAL grafana.windows(
        of_park, begin, begin + r.window_min * interval '1 minute', false) w
    CROSS JOIN LATERAL (SELECT w.at + w.window_min * interval '1 minute' AS until) AS x
    JOIN grafana.enterprise_demand d
        ON d.park = of_park AND d.time >= w.at AND d.time < x.until
    WHERE w.at = begin AND w.coverage >= 0.95
    GROUP BY d.enterprise, d.name, w.kw, w.window_min
    HAVING sum(d.coverage) * 15 >= 0.95 * w.window_min
    ORDER BY sum(d.kw) DESC, d.enterprise LIMIT 1
$$;

-- Load duration curve: at least kw for so many hours, that share of those known. Thinned
-- evenly over its windows; the highest and the lowest stay.
CREATE FUNCTION grafana.load_duration(of_park text, since timestamptz, until timestamptz,
                                      points integer DEFAULT 200,
                                      minimum double precision DEFAULT 0.95)
RETURNS TABLE (hours double precision, share double precision, kw double precision)
LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    WITH falling AS (
        SELECT w.kw, row_number() OVER down AS n, count(*) OVER () AS total,
               sum(w.window_min) OVER down AS minutes,
               sum(w.window_min) OVER () AS of_minutes
        FROM grafana.counting(of_park, since, until, minimum, sliding => false) w
        WINDOW down AS (ORDER BY w.kw DESC, w.at ROWS UNBOUNDED PRECEDING))
    SELECT f.minutes / 60::float8, f.minutes::float8 / f.of_minutes, f.kw
    FROM falling f
    WHERE f.total <= points
       OR f.n - 1 IN (SELECT round(i * (f.total - 1) / (points - 1)::float8)::bigint
                      FROM generate_series(0, points - 1) AS i)
$$;

-- Mean power by local day and hour of the park's zone; null where less than `minimum` of
-- the time of the cell's windows counts. `time` is the day's local midnight.
CREATE FUNCTION grafana.hour_map(of_park text, since timestamptz, until timestamptz,
                                 minimum double precision DEFAULT 0.95)
RETURNS TABLE ("time" timestamptz, day date, hour integer, kw double precision)
LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    WITH cell AS (
        SELECT DISTINCT (slot AT TIME ZONE p.zone)::date AS day,
               extract(hour FROM slot AT TIME ZONE p.zone)::integer AS hour, p.zone
        FROM grafana.park p
        CROSS JOIN generate_series(
            grafana.quarter(since),
            grafana.quarter(least(until, now())) - interval '15 minutes',
            interval '15 minutes') AS slot
        WHERE p.park = of_park),
    mean AS (
        SELECT (w.at AT TIME ZONE p.zone)::date AS day,
               extract(hour FROM w.at AT TIME ZONE p.zone)::integer AS hour,
               CASE WHEN sum(w.window_min) FILTER (WHERE w.coverage >= minimum)
                         >= minimum * sum(w.window_min)
                    THEN sum(w.kw * w.window_min) FILTER (WHERE w.coverage >= minimum)
                         / sum(w.window_min) FILTER (WHERE w.coverage >= minimum) END AS kw
        FROM grafana.park p
        CROSS JOIN grafana.windows(of_park, since, until, false, minimum) w
        WHERE p.park = of_park
        GROUP BY 1, 2)
    SELECT c.day::timestamp AT TIME ZONE c.zone, c.day, c.hour, m.kw
    FROM cell c LEFT JOIN mean m USING (day, hour)
$$;

-- What each enterprise did while its meters counted, and the unmetered rest (enterprise is
-- null) where every enterprise that counts is known: minutes of its windows, of those that
-- count, power in the park's peak window, own peak. Of stretches of 15 minutes: two plain
-- sums over the same rows, which PostgreSQL may divide among workers.
CREATE FUNCTION grafana.part_quarters(of_park text, since timestamptz, until timestamptz,
                                      peak_at timestamptz, minimum double precision)
RETURNS TABLE (enterprise text, name text, minutes bigint, counting bigint,
               kw double precision, own_kw double precision, own_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    ids integer[];
    channels integer[];
    firsts timestamptz[];
    dues timestamptz[];
BEGIN
    SELECT array_agg(e.enterprise_id), array_agg(c.channel_id), array_agg(t.first),
           array_agg(t.due)
    INTO ids, channels, firsts, dues
    FROM grafana.counted_time(of_park, since, until) t
    JOIN core.enterprise e ON e.enterprise_id = t.subject_id
    LEFT JOIN core.channel c ON c.subject_id = t.subject_id
        AND c.quantity = 'energy_import' AND c.kind = 'total';
    RETURN QUERY
        WITH due AS (
            SELECT t.id, t.channel_id,
                   sum(extract(epoch FROM t.due - t.first) / 60)::bigint AS minutes,
                   bool_or(peak_at >= t.first AND peak_at < t.due) AS at_peak
            FROM unnest(ids, channels, firsts, dues) AS t (id, channel_id, first, due)
            GROUP BY t.id, t.channel_id),
        -- a month's highest first: the instant of an own peak is then looked for in one
        month AS MATERIALIZED (
            SELECT u.channel_id, date_bin('30 days', u.start, since) AS month,
                   count(*) AS windows, max(u.amount) AS highest,
                   max(u.amount) FILTER (WHERE u.start = peak_at) AS here
            FROM unnest(channels, firsts, dues) AS t (channel_id, first, due)
            JOIN core.usage_15min u ON u.channel_id = t.channel_id
            WHERE u.start >= since AND u.start < until
              AND u.start >= t.first AND u.start < t.due
              AND u.measured_s + u.estimated_s >= minimum * u.expected_s
            GROUP BY 1, 2),
        own AS (
            SELECT m.channel_id, sum(m.windows)::bigint AS windows, max(m.here) AS here,
                   max(m.highest) AS highest,
                   (array_agg(m.month ORDER BY m.highest DESC, m.month))[1] AS month
            FROM month m GROUP BY m.channel_id)
        SELECT e.code::text, e.name, d.minutes, coalesce(15 * o.windows, 0),
               CASE WHEN d.at_peak THEN o.here * 4 WHEN NOT d.at_peak THEN 0 END,
               o.highest * 4, (
                   SELECT u.start
                   FROM unnest(ids, firsts, dues) AS t (id, first, due)
                   JOIN core.usage_15min u ON u.channel_id = d.channel_id
                   WHERE t.id = d.id AND u.amount = o.highest AND u.start < until
                     AND u.start >= o.month AND u.start < o.month + interval '30 days'
                     AND u.start >= t.first AND u.start < t.due
                     AND u.measured_s + u.estimated_s >= minimum * u.expected_s
                   ORDER BY u.start LIMIT 1)
        FROM due d
        JOIN core.enterprise e ON e.enterprise_id = d.id
        LEFT JOIN own o USING (channel_id);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH parts AS (
            SELECT u.start AS at, count(*) AS known, sum(u.amount) * 4 AS kw
            FROM unnest(channels, firsts, dues) AS t (channel_id, first, due)
            JOIN core.usage_15min u ON u.channel_id = t.channel_id
            WHERE u.start >= since AND u.start < until
              AND u.start >= t.first AND u.start < t.due
              AND u.measured_s + u.estimated_s >= minimum * u.expected_s
            GROUP BY u.start),
        -- how many enterprises count from when on
        change AS (
            SELECT x.at, sum(x.more) AS more
            FROM (
                SELECT since AS at, 0 AS more
                UNION ALL SELECT t, 1 FROM unnest(firsts) AS t
                UNION ALL SELECT t, -1 FROM unnest(dues) AS t) AS x
            GROUP BY x.at),
        number AS (
            SELECT x.at, lead(x.at, 1, until) OVER w AS next, sum(x.more) OVER w AS parts
            FROM change x WINDOW w AS (ORDER BY x.at)),
        rest AS MATERIALIZED (
            SELECT w.at, CASE WHEN w.coverage >= minimum
                               AND coalesce(p.known, 0) = n.parts
                         THEN round((w.kw - coalesce(p.kw, 0))::numeric, 6)::float8 END
                         AS kw
            FROM grafana.windows(of_park, since, until, false) w
            LEFT JOIN parts p USING (at)
            JOIN number n ON n.at <= w.at AND n.next > w.at)
        SELECT NULL::text, NULL::text, 15 * count(*), 15 * count(r.kw),
               max(r.kw) FILTER (WHERE r.at = peak_at), max(r.kw),
               (SELECT x.at FROM rest x WHERE x.kw IS NOT NULL
                ORDER BY x.kw DESC, x.at LIMIT 1)
        FROM rest r;
END
$$;

-- The same of windows of any length, one enterprise after the other: all at once would be
-- too much to hold. A quarter hour in which none of its meters counted is 0 of a window.
CREATE FUNCTION grafana.part_windows(of_park text, since timestamptz, until timestamptz,
                                     peak_at timestamptz, minimum double precision)
RETURNS TABLE (enterprise text, name text, minutes bigint, counting bigint,
               kw double precision, own_kw double precision, own_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    ats timestamptz[];  -- of each window
    lengths integer[];
    rest double precision[];
    mine double precision[];
    slots timestamptz[];  -- of each quarter hour
    places bigint[];  -- its window
    part record;
BEGIN
    SELECT array_agg(w.at ORDER BY w.at), array_agg(w.window_min ORDER BY w.at),
           array_agg(CASE WHEN w.coverage >= minimum THEN w.kw END ORDER BY w.at)
    INTO ats, lengths, rest
    FROM grafana.windows(of_park, since, until, false) w;
    SELECT array_agg(x.slot), array_agg(x.place) INTO slots, places
    FROM (
        SELECT s.slot, dense_rank() OVER (ORDER BY s.at) AS place
        FROM core.park p
        CROSS JOIN grafana.stretches(of_park, since, until) c
        CROSS JOIN LATERAL grafana.slots(p.zone, c.first, c.due, c.window_min,
                                         c.goes_on) s
        WHERE p.code = of_park) AS x;
    FOR part IN
        SELECT e.code, e.name, c.channel_id, range_agg(tstzrange(t.first, t.due)) AS time
        FROM (
            SELECT min(s.first) AS first, max(s.due) AS due
            FROM grafana.stretches(of_park, since, until) s) AS whole
        CROSS JOIN LATERAL grafana.counted_time(of_park, whole.first, whole.due) t
        JOIN core.enterprise e ON e.enterprise_id = t.subject_id
        LEFT JOIN core.channel c ON c.subject_id = t.subject_id
            AND c.quantity = 'energy_import' AND c.kind = 'total'
        GROUP BY e.enterprise_id, c.channel_id ORDER BY e.code
    LOOP
        WITH used AS MATERIALIZED (
            SELECT u.start, u.amount,
                   least((u.measured_s + u.estimated_s) / u.expected_s, 1) AS coverage
            FROM core.usage_15min u
            WHERE u.channel_id = part.channel_id
              AND u.start >= lower(part.time) AND u.start < upper(part.time)),
        sums AS (
            SELECT s.place, sum(u.amount) FILTER (WHERE part.time @> s.slot) AS kwh,
                   sum(CASE WHEN NOT part.time @> s.slot THEN 15
                       ELSE 15 * coalesce(u.coverage, 0) END) AS known_min,
                   bool_or(part.time @> s.slot) AS counts
            FROM unnest(slots, places) AS s (slot, place)
            LEFT JOIN used u ON u.start = s.slot
            GROUP BY s.place),
        means AS (
            SELECT x.place, x.counts, lengths[x.place] AS minutes,
                   CASE WHEN NOT x.counts THEN 0
                        WHEN x.known_min >= minimum * lengths[x.place]
                        THEN x.kwh * 60 / lengths[x.place] END AS kw
            FROM sums x)
        SELECT part.code, part.name, sum(m.minutes) FILTER (WHERE m.counts),
               coalesce(sum(m.minutes) FILTER (WHERE m.counts AND m.kw IS NOT NULL), 0),
               max(m.kw) FILTER (WHERE ats[m.place] = peak_at),
               max(m.kw) FILTER (WHERE m.counts),
               ats[(array_agg(m.place ORDER BY m.kw DESC, m.place)
                    FILTER (WHERE m.counts AND m.kw IS NOT NULL))[1]],
               array_agg(m.kw ORDER BY m.place)
        INTO enterprise, name, minutes, counting, kw, own_kw, own_time, mine
        FROM means m;
        RETURN NEXT;
        rest := (SELECT array_agg(x.whole - x.part ORDER BY x.place)
                 FROM unnest(rest, mine) WITH ORDINALITY AS x (whole, part, place));
    END LOOP;
    IF mine IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT NULL::text, NULL::text, sum(x.minutes),
               coalesce(sum(x.minutes) FILTER (WHERE x.kw IS NOT NULL), 0),
               max(x.kw) FILTER (WHERE x.at = peak_at), max(x.kw),
               (array_agg(x.at ORDER BY x.kw DESC, x.at)
                FILTER (WHERE x.kw IS NOT NULL))[1]
        FROM (
            SELECT y.at, y.minutes, round(y.kw::numeric, 6)::float8 AS kw
            FROM unnest(ats, lengths, rest) AS y (at, minutes, kw)) AS x;
END
$$;

-- Who made the period's peak, in fixed windows of the park's rule: each enterprise in the
-- park's peak window, its own peak beside it, and the unmetered rest (enterprise is null).
-- Null where the part is not known in the window, 0 where none of its meters counted; an
-- own peak where too few of the windows in which they counted are known.
CREATE FUNCTION grafana.made_by(of_park text, since timestamptz, until timestamptz,
                                minimum double precision DEFAULT 0.95,
                                of_period double precision DEFAULT 0.95)
RETURNS TABLE (enterprise text, name text, at timestamptz, park_kw double precision,
               kw double precision, share double precision, own_kw double precision,
               own_time timestamptz, coverage double precision)
LANGUAGE sql STABLE AS $$
    WITH peak AS MATERIALIZED (
        SELECT w.at, w.kw
        FROM grafana.counting(of_park, since, until, minimum, of_period, false) w
        ORDER BY w.kw DESC, w.at LIMIT 1),
    time AS MATERIALIZED (
        SELECT min(s.first) AS first, max(s.due) AS due,
               bool_and(s.window_min = 15) AS plain, (SELECT x.at FROM peak x) AS peak_at
        FROM grafana.stretches(of_park, since, until, minimum) s),
    part AS (
        SELECT x.* FROM time t
        CROSS JOIN LATERAL grafana.part_quarters(of_park, t.first, t.due, t.peak_at,
                                                 minimum) x
        WHERE t.plain
        UNION ALL
        SELECT x.* FROM time t
        CROSS JOIN LATERAL grafana.part_windows(of_park, since, until, t.peak_at,
                                                minimum) x
        WHERE NOT t.plain)
    SELECT p.enterprise, p.name, k.at, k.kw, p.kw, p.kw / nullif(k.kw, 0),
           CASE WHEN own.coverage >= of_period THEN p.own_kw END,
           CASE WHEN own.coverage >= of_period THEN p.own_time END, own.coverage
    FROM part p
    CROSS JOIN LATERAL (SELECT p.counting::float8 / nullif(p.minutes, 0)) AS own (coverage)
    LEFT JOIN peak k ON true
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
