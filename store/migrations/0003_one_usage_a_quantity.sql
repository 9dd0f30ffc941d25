-- A register's digits, recorded with their source like everything that figures rest on.
CREATE TABLE core.register_digits (
    register_digits_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id integer NOT NULL REFERENCES core.channel,
    digits integer NOT NULL CHECK (digits BETWEEN 1 AND 15),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX register_digits_channel ON core.register_digits (channel_id);
INSERT INTO core.register_digits (channel_id, digits, source)
SELECT channel_id, digits, 'before 0003' FROM core.channel WHERE digits IS NOT NULL;
ALTER TABLE core.channel DROP COLUMN digits;

-- A meter that sends a register and interval amounts of one quantity has one usage now,
-- under the first of the two channels.
CREATE TEMP TABLE twin ON COMMIT DROP AS
SELECT r.channel_id AS register_id, d.channel_id AS delta_id, m.park_id
FROM core.channel r JOIN core.channel d USING (subject_id, quantity)
JOIN core.meter m ON m.meter_id = r.subject_id
WHERE r.kind = 'register' AND d.kind = 'delta';
DELETE FROM core.usage_15min
WHERE channel_id IN (SELECT greatest(register_id, delta_id) FROM twin);
DELETE FROM core.usage_day
WHERE channel_id IN (SELECT greatest(register_id, delta_id) FROM twin);
DELETE FROM core.usage_month
WHERE channel_id IN (SELECT greatest(register_id, delta_id) FROM twin);
INSERT INTO core.dirty (park_id, channel_id, start, stop)
SELECT t.park_id, c.channel_id, r.low, r.high + interval '1 microsecond'
FROM twin t CROSS JOIN LATERAL (VALUES (register_id), (delta_id)) AS c (channel_id)
CROSS JOIN LATERAL (SELECT min(at) AS low, max(coalesce(until, at)) AS high
                    FROM core.reading x WHERE x.channel_id = c.channel_id) AS r
WHERE r.low IS NOT NULL;
