-- What running windows were expected to come to, as it was told then; of a park
-- (enterprise is null) and of its enterprises that have a contract demand. The newest row
-- of the window that holds an instant is the forecast at that instant.
CREATE VIEW grafana.forecast AS
SELECT p.code AS park, s.enterprise, f.start AS time,
       f.start + f.window_min * interval '1 minute' AS until, f.window_min, f.known_s,
       f.made_at, f.energy_kwh, f.expected_kw, f.low_kw, f.high_kw,
       f.contract_kw, f.shed_state, f.shed_kw
FROM core.park p
CROSS JOIN LATERAL (
    SELECT p.park_id AS subject_id, NULL::text AS enterprise
    UNION ALL
    SELECT e.enterprise_id, e.code FROM core.enterprise e WHERE e.park_id = p.park_id
) AS s
JOIN core.forecast f USING (subject_id);

-- Who draws power now, by the newest reading of the last 15 minutes. Shares are of the
-- park and are given where 95 % of its meters are heard; the unmetered rest (enterprise is
-- null) is what the park's meters show above the enterprises, to the watt, where all are.
CREATE VIEW grafana.enterprise_power AS
WITH now AS MATERIALIZED (SELECT * FROM grafana.meter_power),  -- looked up once
own AS (
    SELECT park, enterprise, sum(kw) AS kw, count(kw) AS meters_heard,
           count(*) AS meters
    FROM now WHERE enterprise IS NOT NULL GROUP BY park, enterprise),
together AS (
    SELECT park, sum(kw) AS kw, sum(meters_heard) AS meters_heard, sum(meters) AS meters
    FROM own GROUP BY park),
whole AS (
    SELECT park, sum(kw) AS kw, count(kw) AS meters_heard, count(*) AS meters
    FROM now WHERE of_park GROUP BY park)
SELECT o.park, o.enterprise, e.name, o.kw,
       CASE WHEN p.meters_heard >= 0.95 * p.meters AND p.kw > 0 THEN o.kw / p.kw END
           AS share, o.meters_heard, o.meters
FROM own o
JOIN core.park k ON k.code = o.park
JOIN core.enterprise e ON e.park_id = k.park_id AND e.code = o.enterprise
LEFT JOIN whole p ON p.park = o.park
UNION ALL
SELECT p.park, NULL, NULL, rest.kw, CASE WHEN p.kw > 0 THEN rest.kw / p.kw END,
       p.meters_heard, p.meters
FROM whole p
JOIN together t USING (park)
CROSS JOIN LATERAL (SELECT round((p.kw - t.kw)::numeric, 3)::float8 AS kw) AS rest
WHERE p.meters_heard = p.meters AND t.meters_heard = t.meters;
