-- Where a meter stands in the tree, dated: until now every meter was main, without a
-- parent. 'main' counts for its enterprise unless it lies behind another main meter of the
-- same one; without a parent it counts for the park too. 'park' counts for the park alone
-- (what no enterprise below it explains is unmetered), 'sub' and 'check' count nowhere.
DROP SCHEMA IF EXISTS grafana CASCADE; -- its views are made anew
DELETE FROM ledger.applied WHERE name LIKE 'views/%';

CREATE TABLE core.placement (
    placement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id integer NOT NULL REFERENCES core.meter,
    role text NOT NULL CHECK (role IN ('main', 'park', 'sub', 'check')),
    parent_id integer REFERENCES core.meter CHECK (parent_id <> meter_id),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX placement_meter ON core.placement (meter_id);
CREATE INDEX placement_parent ON core.placement (parent_id);

INSERT INTO core.placement (meter_id, role, parent_id, valid_from, source, recorded_at)
SELECT meter_id, role, parent_id, '2000-01-01Z', 'as registered', recorded_at
FROM core.meter WHERE role <> 'main' OR parent_id IS NOT NULL;
ALTER TABLE core.meter DROP COLUMN role, DROP COLUMN parent_id;

-- What a plate says of a meter: its accuracy class [% of the value] and the most that can
-- flow [kW, or unit per hour]. Not dated: a plate stays with its meter.
CREATE TABLE core.plate (
    plate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id integer NOT NULL REFERENCES core.meter,
    accuracy_class double precision CHECK (accuracy_class > 0 AND accuracy_class <= 20),
    rated_per_h double precision CHECK (rated_per_h > 0 AND rated_per_h < 1e12),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX plate_meter ON core.plate (meter_id);

-- Which confirmed meters count for what at an instant; `enterprise_id` is null where one
-- counts for none. Grafana's views read it with the rights of its owner.
CREATE FUNCTION core.counting(instant timestamptz)
RETURNS TABLE (meter_id integer, park_id integer, role text, parent_id integer,
               enterprise_id integer, of_park boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
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
    SELECT m.meter_id, m.park_id, coalesce(p.role, 'main'), p.parent_id,
           CASE WHEN coalesce(p.role, 'main') = 'main'
                 AND (p.parent_id IS NULL OR above.role = 'park'
                      OR over.enterprise_id IS DISTINCT FROM o.enterprise_id)
                THEN o.enterprise_id END,
           p.parent_id IS NULL AND coalesce(p.role, 'main') IN ('main', 'park')
    FROM core.meter m
    JOIN owner o USING (meter_id)
    LEFT JOIN place p USING (meter_id)
    LEFT JOIN place above ON above.meter_id = p.parent_id
    LEFT JOIN owner over ON over.meter_id = p.parent_id
    WHERE m.confirmed_at IS NOT NULL
$$;
