-- What a meter stands above of is what it measures, flow by flow (store/quantities.py): one
-- of electricity hides no gas, water or own generation below it.
DROP SCHEMA IF EXISTS grafana CASCADE; -- its views are made anew
DELETE FROM ledger.applied WHERE name LIKE 'views/%';

ALTER TABLE core.channel ADD COLUMN flow text;
UPDATE core.channel SET flow = CASE
    WHEN quantity LIKE 'pv\_%' THEN 'pv_generation'
    WHEN quantity LIKE 'storage\_%' OR quantity = 'state_of_charge' THEN 'storage'
    WHEN quantity LIKE 'charging\_%' THEN 'charging'
    WHEN unit IN ('kwh', 'kvarh', 'kw', 'kvar', 'kva', 'v', 'a', 'hz', '') THEN 'electricity'
    ELSE regexp_replace(quantity, '_(flow|export)$', '') END;
ALTER TABLE core.channel ALTER COLUMN flow SET NOT NULL;

-- Whose each meter is and where it stands at an instant; `enterprise_id` is null where it
-- is nobody's.
CREATE FUNCTION core.placed(instant timestamptz)
RETURNS TABLE (meter_id integer, role text, parent_id integer, enterprise_id integer)
LANGUAGE sql STABLE AS $$
    WITH owner AS (
        SELECT DISTINCT ON (a.meter_id) a.meter_id, a.enterprise_id
        FROM core.assignment a
        WHERE a.valid_from <= instant AND (a.valid_to IS NULL OR instant < a.valid_to)
        ORDER BY a.meter_id, a.recorded_at DESC, a.assignment_id DESC),
    place AS (
        SELECT DISTINCT ON (p.meter_id) p.meter_id, p.role, p.parent_id
        FROM core.placement p
        WHERE p.valid_from <= instant AND (p.valid_to IS NULL OR instant < p.valid_to)
        ORDER BY p.meter_id, p.recorded_at DESC, p.placement_id DESC)
    SELECT m.meter_id, coalesce(p.role, 'main'), p.parent_id, o.enterprise_id
    FROM core.meter m
    LEFT JOIN owner o USING (meter_id)
    LEFT JOIN place p USING (meter_id)
$$;

-- Which confirmed meters that measure a flow count for what at an instant: the meter above
-- one is the nearest that measures it too. `enterprise_id` is null where one counts for
-- none. A gauge gives no amount, so it measures no flow; asked for `rates`, a gauge of the
-- flow's power or volume an hour does. Grafana's views read it with the rights of its owner.
DROP FUNCTION core.counting(timestamptz);
CREATE FUNCTION core.counting(instant timestamptz, flow text, rates boolean DEFAULT false)
RETURNS TABLE (meter_id integer, park_id integer, enterprise_id integer, of_park boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    WITH RECURSIVE placed AS MATERIALIZED (
        SELECT * FROM core.placed(instant)),
    measuring AS MATERIALIZED (
        SELECT m.meter_id, m.park_id, p.role, p.parent_id, p.enterprise_id
        FROM core.meter m JOIN placed p USING (meter_id)
        WHERE m.confirmed_at IS NOT NULL AND m.meter_id IN (
            SELECT c.subject_id FROM core.channel c
            WHERE c.flow = counting.flow
              AND (c.kind <> 'gauge'
                   OR counting.rates AND c.unit IN ('kw', 'm3_h', 't_h', 'gj_h')))),
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

-- What counts of meters below others is added up anew.
INSERT INTO core.dirty (park_id, channel_id, start, stop, settled)
SELECT c.subject_id, c.channel_id, '2000-01-01Z', '2100-01-01Z', true
FROM core.channel c
WHERE c.kind = 'total' AND c.subject_id IN (
    SELECT m.park_id FROM core.placement p JOIN core.meter m USING (meter_id)
    WHERE p.parent_id IS NOT NULL);
