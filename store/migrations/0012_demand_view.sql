-- Fixed 15-minute demand is the energy of a quarter hour over its length: a view, as a
-- table of it would hold every row of usage a second time.
DROP SCHEMA IF EXISTS grafana CASCADE; -- its views are made anew
DELETE FROM ledger.applied WHERE name LIKE 'views/%';
DROP TABLE core.demand;
CREATE VIEW core.demand AS
SELECT c.subject_id, u.start, u.amount * 4 AS fixed_kw,
       u.measured_s / u.expected_s AS measured,
       (u.measured_s + u.estimated_s) / u.expected_s AS coverage
FROM core.channel c
JOIN core.usage_15min u USING (channel_id)
WHERE c.quantity = 'energy_import' AND c.kind <> 'gauge';
