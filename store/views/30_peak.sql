-- Months [month, until) of the park's zone, their highest window and who made it. Only
-- windows known to at least 95 % compete; a month is searched only when it is asked for.

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

-- Cuts [since, until), both on a quarter hour, to the time from the first to the last
-- meter that counted for the park: before and behind it nothing is unknown, there is
-- nothing. Where no meter ever counted in it, it stays. As demands.counted.
CREATE FUNCTION grafana.counted(of_park text, since timestamptz, until timestamptz)
RETURNS TABLE (first timestamptz, due timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = '' AS $$
    WITH edge AS (
        SELECT counted.since AS at
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
        WHERE p.code = counted.of_park AND x.at > counted.since
          AND x.at < counted.until),
    stretch AS (
        SELECT e.at, lead(e.at, 1, counted.until) OVER (ORDER BY e.at) AS next, EXISTS (
            SELECT FROM core.counting(e.at, 'electricity') AS c
            JOIN core.park p USING (park_id)
            JOIN core.channel h ON h.subject_id = c.meter_id
                AND h.quantity = 'energy_import' AND h.kind <> 'gauge'
            WHERE p.code = counted.of_park AND c.of_park) AS counts
        FROM edge e),
    -- a quarter hour counts where its meter counts at its start
    cut AS (
        SELECT min(s.at) FILTER (WHERE s.counts) + interval '899.999999 s' AS low,
               max(s.next) FILTER (WHERE s.counts) + interval '899.999999 s' AS high
        FROM stretch s)
    SELECT coalesce(date_bin('15 minutes', c.low, '2000-01-01 00:00:00+00'),
                    counted.since),
           coalesce(date_bin('15 minutes', c.high, '2000-01-01 00:00:00+00'),
                    counted.until)
    FROM cut c
$$;

-- `known` is the share of the month's past windows that compete, from the first in which
-- a meter counted; below 1 the peak is a lower bound. A month of which nothing is known
-- has no peak.
CREATE VIEW grafana.park_peak AS
SELECT m.park, m.month, m.until, peak.start AS time, peak.fixed_kw AS peak_kw,
       c.kw AS contract_kw,
       least(seen.windows * 900 / nullif(extract(epoch FROM time.due - time.first), 0), 1)
           ::float8 AS known
FROM grafana.park_month m
CROSS JOIN LATERAL grafana.counted(
    m.park, m.month,
    date_bin('15 minutes', least(m.until, now()), '2000-01-01 00:00:00+00')) AS time
LEFT JOIN LATERAL (
    SELECT d.start, d.fixed_kw FROM core.demand d
    WHERE d.subject_id = m.park_id AND d.start >= m.month AND d.start < m.until
      AND d.coverage >= 0.95
    ORDER BY d.fixed_kw DESC, d.start LIMIT 1) AS peak ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS windows FROM core.demand d
    WHERE d.subject_id = m.park_id AND d.start >= m.month AND d.start < m.until
      AND d.coverage >= 0.95) AS seen ON true
LEFT JOIN LATERAL (
    SELECT k.kw FROM core.contract_demand k
    WHERE k.subject_id = m.park_id AND k.valid_from <= coalesce(peak.start, m.month)
      AND (k.valid_to IS NULL OR coalesce(peak.start, m.month) < k.valid_to)
    ORDER BY k.recorded_at DESC, k.contract_demand_id DESC LIMIT 1) AS c ON true;

-- Each enterprise at the park's peak window, its own peak of that month beside it; one
-- without any demand in the month is not there. LIMIT 1 keeps each search an index search.
CREATE VIEW grafana.enterprise_peak AS
SELECT k.park, k.month, k.until, k.time, k.peak_kw, e.code AS enterprise, e.name,
       here.fixed_kw AS kw, here.coverage, own.fixed_kw AS own_kw, own.start AS own_time
FROM grafana.park_peak k
JOIN core.park p ON p.code = k.park
JOIN core.enterprise e ON e.park_id = p.park_id
CROSS JOIN LATERAL (
    SELECT FROM core.demand d
    WHERE d.subject_id = e.enterprise_id AND d.start >= k.month AND d.start < k.until
    LIMIT 1) AS present
LEFT JOIN LATERAL (
    SELECT d.fixed_kw, d.coverage FROM core.demand d
    WHERE d.subject_id = e.enterprise_id AND d.start = k.time LIMIT 1) AS here ON true
LEFT JOIN LATERAL (
    SELECT d.start, d.fixed_kw FROM core.demand d
    WHERE d.subject_id = e.enterprise_id AND d.start >= k.month AND d.start < k.until
      AND d.coverage >= 0.95
    ORDER BY d.fixed_kw DESC, d.start LIMIT 1) AS own ON true
WHERE k.time IS NOT NULL;

-- The same with the rest that no enterprise's meter explains (enterprise is null), to
-- the watt, where every enterprise is known in the peak window. Shares are of the park.
CREATE VIEW grafana.peak_share AS
SELECT park, month, until, time, enterprise, name, kw, kw / nullif(peak_kw, 0) AS share,
       own_kw, own_time
FROM grafana.enterprise_peak
UNION ALL
SELECT park, month, until, time, NULL, NULL, rest, rest / nullif(peak_kw, 0), NULL, NULL
FROM (
    SELECT park, month, until, time, peak_kw,
           round((peak_kw - sum(kw))::numeric, 3)::float8 AS rest
    FROM grafana.enterprise_peak
    GROUP BY park, month, until, time, peak_kw
    HAVING bool_and(kw IS NOT NULL AND coverage >= 0.95)) AS rests;
