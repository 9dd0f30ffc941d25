-- Sliding demand where the cadence of the readings allows it: the highest mean power, at
-- steps of a minute, of the 15-minute windows that begin in the quarter hour, and the
-- seconds from the quarter's start to that window's. A row of its own: most subjects
-- have fixed demand without it.
DROP VIEW IF EXISTS grafana.park_demand CASCADE;
ALTER TABLE core.demand DROP COLUMN sliding_kw, DROP COLUMN sliding_start;

CREATE TABLE core.demand_sliding (
    subject_id integer NOT NULL,
    start timestamptz NOT NULL,
    kw double precision NOT NULL CHECK (kw > -1e300 AND kw < 1e300),
    after_s double precision NOT NULL CHECK (after_s >= 0 AND after_s < 900),
    PRIMARY KEY (subject_id, start)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('core.demand_sliding',
                                  by_range('start', interval '84 days'),
                                  create_default_indexes => false);
    END IF;
END
$$;

-- What is there is computed once more, now with sliding demand.
INSERT INTO core.dirty (park_id, channel_id, start, stop)
SELECT m.park_id, c.channel_id, '2000-01-01Z', '2100-01-01Z'
FROM core.meter m
JOIN core.channel c ON c.subject_id = m.meter_id
WHERE m.confirmed_at IS NOT NULL AND c.quantity = 'energy_import' AND c.kind <> 'gauge';
