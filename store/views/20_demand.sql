-- Mean power of 15-minute windows, labelled by their start, beside the contract demand:
-- of the rows whose validity holds the start, the one recorded last.

CREATE VIEW grafana.park_demand AS
SELECT p.code AS park, d.start AS time, d.fixed_kw, s.kw AS sliding_kw, d.measured,
       d.coverage, c.kw AS contract_kw
FROM core.park p
JOIN core.demand d ON d.subject_id = p.park_id
LEFT JOIN core.demand_sliding s USING (subject_id, start)
LEFT JOIN LATERAL (
    SELECT k.kw FROM core.contract_demand k
    WHERE k.subject_id = p.park_id AND k.valid_from <= d.start
      AND (k.valid_to IS NULL OR d.start < k.valid_to)
    ORDER BY k.recorded_at DESC, k.contract_demand_id DESC LIMIT 1) AS c ON true;

CREATE VIEW grafana.enterprise_demand AS
SELECT p.code AS park, e.code AS enterprise, e.name, d.start AS time,
       d.fixed_kw AS kw, d.coverage
FROM core.park p
JOIN core.enterprise e USING (park_id)
JOIN core.demand d ON d.subject_id = e.enterprise_id;
