-- What Grafana may read: views only. A park and its power now.

CREATE VIEW grafana.park AS
SELECT code AS park, name, zone, region FROM core.park;

-- Meters that count for the park or for an enterprise (null: for none). One that measures
-- electricity but said nothing of its power for 15 minutes is counted and has no value.
-- A meter of power alone stands above those below it here, where power is asked for.
-- What a meter behind transformers says is secondary: CT x PT applies to its power too.
CREATE VIEW grafana.meter_power AS
SELECT p.code AS park, e.code AS enterprise, m.code AS meter, counts.of_park,
       last.at AS time, last.value * coalesce(ratio.value, 1) AS kw
FROM core.counting(now(), 'electricity', rates => true) AS counts
JOIN core.park p USING (park_id)
JOIN core.meter m ON m.meter_id = counts.meter_id
LEFT JOIN core.enterprise e ON e.enterprise_id = counts.enterprise_id
LEFT JOIN core.channel c
    ON c.subject_id = m.meter_id AND c.quantity = 'power' AND c.kind = 'gauge'
LEFT JOIN LATERAL (
    SELECT r.at, r.value FROM core.reading r
    WHERE r.channel_id = c.channel_id AND r.at > now() - interval '15 minutes'
    ORDER BY r.at DESC LIMIT 1) AS last ON true
LEFT JOIN LATERAL (
    SELECT x.ct * x.pt AS value FROM core.multiplier x
    WHERE x.meter_id = m.meter_id AND x.valid_from <= last.at
      AND (x.valid_to IS NULL OR last.at < x.valid_to)
    ORDER BY x.recorded_at DESC, x.multiplier_id DESC LIMIT 1) AS ratio ON true
WHERE (counts.of_park OR counts.enterprise_id IS NOT NULL)
  AND EXISTS (SELECT FROM core.channel x
              WHERE x.subject_id = m.meter_id
                AND x.quantity IN ('power', 'energy_import'));

-- kw adds up the meters heard; the oldest of their readings is age_s old.
CREATE VIEW grafana.park_power AS
SELECT park, max(time) AS time, sum(kw) AS kw, count(kw) AS meters_heard,
       count(*) AS meters,
       greatest(extract(epoch FROM now() - min(time)), 0)::float8 AS age_s
FROM grafana.meter_power WHERE of_park GROUP BY park;
