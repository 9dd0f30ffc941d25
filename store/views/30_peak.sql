-- Months [month, until) of the park's zone, and the time in which its meters counted.

CREATE VIEW grafana.park_month AS
SELECT p.park_id, p.code AS park, local AT TIME ZONE p.zone AS month,
       (local + interval '1 month') AT TIME ZONE p.zone AS until
FROM core.park p
CROSS JOIN LATERAL (
    SELECT min(start) AS first, max(start) AS last FROM core.demand
    WHERE subject_id = p.park_id) AS span
CROSS JOIN LATERAL generate_series(
    date_trunc('month', span.first AT TIME ZONE p.zone),
    span.last AT TIME ZONE p.zone, interval '1 month') AS local;

CREATE FUNCTION grafana.quarter(instant timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_bin('15 minutes', instant, '2000-01-01 00:00:00+00')
$$;

-- When meters counted for the park and for its enterprises, within [since, until), both
-- on a quarter hour: a quarter hour counts where a meter counts at its start. As
-- compute.plan_totals.
CREATE FUNCTION grafana.counted_time(of_park text, since timestamptz, until timestamptz)
RETURNS TABLE (subject_id integer, first timestamptz, due timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = '' AS $$
    WITH edge AS (
        SELECT counted_time.since AS at
        UNION
        SELECT x.at
        FROM core.park p
        JOIN core.meter m USING (park_id)
        CROSS JOIN LATERAL (
            SELECT a.valid_from FROM core.assignment a WHERE a.meter_id = m.meter_id
            UNION ALL
            SELECT a.valid_to FROM core.assignment a WHERE a.meter_id = m.meter_id
            UNION ALL
            SELECT l.valid_from FROM core.placement l WHERE l.meter_id = m.meter_id
            UNION ALL
            SELECT l.valid_to FROM core.placement l WHERE l.meter_id = m.meter_id
        ) AS x (at)
        WHERE p.code = counted_time.of_park AND x.at > counted_time.since
          AND x.at < counted_time.until),
    stretch AS (
        SELECT e.at, lead(e.at, 1, counted_time.until) OVER (ORDER BY e.at) AS next
        FROM edge e),
    counts AS (
        SELECT c.park_id, c.enterprise_id, c.of_park,
               tstzrange(grafana.quarter(s.at + interval '899.999999 s'),
                         grafana.quarter(s.next + interval '899.999999 s')) AS time
        FROM stretch s
        CROSS JOIN LATERAL core.counting(s.at, 'electricity') AS c
        JOIN core.park p USING (park_id)
        JOIN core.channel h ON h.subject_id = c.meter_id
            AND h.quantity = 'energy_import' AND h.kind <> 'gauge'
        WHERE p.code = counted_time.of_park AND s.at < s.next)
    SELECT times.id, lower(each), upper(each)
    FROM (
        SELECT x.id, range_agg(x.time) AS every
        FROM (
            SELECT c.park_id, c.time FROM counts c WHERE c.of_park
            UNION ALL
            SELECT c.enterprise_id, c.time FROM counts c
            WHERE c.enterprise_id IS NOT NULL) AS x (id, time)
        GROUP BY x.id) AS times
    CROSS JOIN LATERAL unnest(times.every) AS each
$$;

-- Cuts [since, until), both on a quarter hour, to the time from the first to the last
-- meter that counted for the park: before and behind it nothing is unknown, there is
-- nothing. Where no meter ever counted in it, it stays. As demands.counted.
CREATE FUNCTION grafana.counted(of_park text, since timestamptz, until timestamptz)
RETURNS TABLE (first timestamptz, due timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED ROWS 1 SET search_path = '' AS $$
    SELECT coalesce(min(c.first), counted.since), coalesce(max(c.due), counted.until)
    FROM grafana.counted_time(of_park, since, until) c
    JOIN core.park p ON p.park_id = c.subject_id
$$;
