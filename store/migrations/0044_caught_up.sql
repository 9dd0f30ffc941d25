-- A register that was stuck and caught up keeps its energy, and one step of a slow register
-- is no jump: those in which a jump was told are computed once more.
INSERT INTO core.dirty (park_id, channel_id, start, stop)
SELECT DISTINCT m.park_id, c.channel_id, '2000-01-01Z'::timestamptz, '2100-01-01Z'::timestamptz
FROM core.register_event e
JOIN core.channel c USING (channel_id)
JOIN core.meter m ON m.meter_id = c.subject_id
WHERE e.kind = 'jump' AND m.confirmed_at IS NOT NULL;
