-- What gives a meter's usage: its registers, interval amounts and formulas; and, as kind
-- `load`, each concentration of a pollutant beside the flow that carries it (flow_id).
CREATE VIEW core.source AS
SELECT channel_id, subject_id, quantity, kind, flow, recorded_at, NULL::integer AS flow_id
FROM core.channel WHERE kind IN ('register', 'delta', 'virtual')
UNION ALL
SELECT c.channel_id, c.subject_id, c.flow, 'load', c.flow,
       greatest(c.recorded_at, f.recorded_at), f.channel_id
FROM core.channel c
JOIN core.channel f ON f.subject_id = c.subject_id AND f.kind = 'gauge'
 AND f.quantity = CASE c.unit WHEN 'mg_l' THEN 'wastewater_flow' ELSE 'flue_gas_flow' END
WHERE c.kind = 'gauge' AND c.unit IN ('mg_l', 'mg_m3');

-- As before, but a concentration beside its flow gives an amount too.
CREATE OR REPLACE FUNCTION core.counting(instant timestamptz, flow text, rates boolean DEFAULT false)
RETURNS TABLE (meter_id integer, park_id integer, enterprise_id integer, of_park boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    WITH RECURSIVE placed AS MATERIALIZED (
        SELECT * FROM core.placed(instant)),
    measuring AS MATERIALIZED (
        SELECT m.meter_id, m.park_id, p.role, p.parent_id, p.enterprise_id
        FROM core.meter m JOIN placed p USING (meter_id)
        WHERE m.confirmed_at IS NOT NULL AND m.meter_id IN (
            SELECT c.subject_id FROM core.source c WHERE c.flow = counting.flow
            UNION ALL
            SELECT c.subject_id FROM core.channel c
            WHERE counting.rates AND c.flow = counting.flow AND c.kind = 'gauge'
              AND c.unit IN ('kw', 'm3_h', 't_h', 'gj_h'))),
    -- UNION ends a circle, in which no meter stands above itself
    up AS (
        SELECT w.meter_id, w.parent_id AS above FROM measuring w
        WHERE w.parent_id IS NOT NULL
        UNION
        SELECT u.meter_id, p.parent_id
        FROM up u JOIN placed p ON p.meter_id = u.above
        WHERE p.parent_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM measuring w WHERE w.meter_id = u.above)),
    nearest AS (
        SELECT u.meter_id, w.role, w.enterprise_id
        FROM up u JOIN measuring w ON w.meter_id = u.above
        WHERE u.above <> u.meter_id)
    SELECT w.meter_id, w.park_id,
           CASE WHEN w.role = 'main'
                 AND (n.meter_id IS NULL OR n.role = 'park'
                      OR n.enterprise_id IS DISTINCT FROM w.enterprise_id)
                THEN w.enterprise_id END,
           n.meter_id IS NULL AND w.role IN ('main', 'park')
    FROM measuring w LEFT JOIN nearest n USING (meter_id)
    WHERE w.enterprise_id IS NOT NULL
$$;
