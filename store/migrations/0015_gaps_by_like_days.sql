-- Gaps longer than an hour run as their meter's like days did, and more is told of
-- registers: everything that is there is computed once more. What was a gap, a silence of
-- more than 366 days, has a name of its own now.
UPDATE core.register_event SET kind = 'silence' WHERE kind = 'gap';
INSERT INTO core.dirty (park_id, channel_id, start, stop)
SELECT m.park_id, c.channel_id, '2000-01-01Z', '2100-01-01Z'
FROM core.meter m
JOIN core.channel c ON c.subject_id = m.meter_id
WHERE m.confirmed_at IS NOT NULL AND c.kind = 'register';
