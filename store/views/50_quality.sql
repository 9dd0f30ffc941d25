-- How much of each local day is known, per confirmed meter, from its first day to today;
-- a silent day is there too, with nothing known.

CREATE VIEW grafana.data_quality AS
SELECT p.code AS park, e.code AS enterprise, m.code AS meter, m.name,
       local AT TIME ZONE p.zone AS time,
       least(coalesce(u.measured_s + u.estimated_s, 0) / u.expected_s, 1) AS known,
       least(coalesce(u.estimated_s, 0) / u.expected_s, 1) AS estimated, u.expected_s
FROM core.park p
JOIN core.meter m USING (park_id)
JOIN core.enterprise e USING (enterprise_id)
CROSS JOIN LATERAL (
    SELECT min(first.start) AS first, count(*) AS channels
    FROM core.channel c
    CROSS JOIN LATERAL (
        SELECT d.start FROM core.usage_day d
        WHERE d.channel_id = c.channel_id ORDER BY d.start LIMIT 1) AS first
    WHERE c.subject_id = m.meter_id) AS span
CROSS JOIN LATERAL generate_series(
    span.first AT TIME ZONE p.zone, now() AT TIME ZONE p.zone, interval '1 day') AS local
CROSS JOIN LATERAL (
    SELECT sum(d.measured_s) AS measured_s, sum(d.estimated_s) AS estimated_s,
           span.channels * greatest(extract(epoch FROM
               least((local + interval '1 day') AT TIME ZONE p.zone, now())
               - local AT TIME ZONE p.zone), 1)::float8 AS expected_s
    FROM core.channel c
    JOIN core.usage_day d USING (channel_id)
    WHERE c.subject_id = m.meter_id AND d.start = local AT TIME ZONE p.zone) AS u
WHERE m.confirmed_at IS NOT NULL;
