-- Amounts of a park (enterprise is null) and of its enterprises per local day and month.

CREATE VIEW grafana.energy_day AS
SELECT p.code AS park, e.code AS enterprise, c.quantity, c.unit, u.start AS time,
       u.amount, (u.measured_s + u.estimated_s) / nullif(u.expected_s, 0) AS coverage
FROM core.channel c
JOIN core.usage_day u USING (channel_id)
LEFT JOIN core.enterprise e ON e.enterprise_id = c.subject_id
JOIN core.park p ON p.park_id = coalesce(e.park_id, c.subject_id)
WHERE c.kind = 'total';

CREATE VIEW grafana.energy_month AS
SELECT p.code AS park, e.code AS enterprise, c.quantity, c.unit, u.start AS time,
       u.amount, (u.measured_s + u.estimated_s) / nullif(u.expected_s, 0) AS coverage
FROM core.channel c
JOIN core.usage_month u USING (channel_id)
LEFT JOIN core.enterprise e ON e.enterprise_id = c.subject_id
JOIN core.park p ON p.park_id = coalesce(e.park_id, c.subject_id)
WHERE c.kind = 'total';
