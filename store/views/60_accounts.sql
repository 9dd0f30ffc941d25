-- Accounts as the analysis keeps them (analytics/jobs/keeping.py), of a park (enterprise is
-- null) and its enterprises. Null is unknown, never 0.

CREATE VIEW grafana.subject AS
SELECT p.code AS park, p.zone, p.park_id AS subject_id, NULL::text AS enterprise,
       p.name
FROM core.park p
UNION ALL
SELECT p.code, p.zone, e.enterprise_id, e.code, e.name
FROM core.park p JOIN core.enterprise e USING (park_id);

CREATE VIEW grafana.book AS
SELECT s.park, s.enterprise, s.name, b.month,
       b.month::timestamp AT TIME ZONE s.zone AS time, b.figure, b.value, b.coverage,
       b.estimated, b.provisional, b.made_at
FROM grafana.subject s JOIN core.book b USING (subject_id);

CREATE VIEW grafana.intensity AS
SELECT s.park, s.enterprise, s.name, i.span, i.month,
       i.month::timestamp AT TIME ZONE s.zone AS time, i.figure, i.value, i.numerator_t,
       i.added_value_10k_cny, i.coverage, i.estimated, i.provisional, i.complete,
       i.publishable, i.place, i.reason, i.made_at
FROM grafana.subject s JOIN core.intensity i USING (subject_id);

-- Of the targets of a year the one recorded last applies.
CREATE VIEW grafana.target AS
SELECT s.park, s.enterprise, last.kind, last.method, last.year, last.value, last.unit
FROM grafana.subject s
JOIN (SELECT DISTINCT ON (t.subject_id, t.kind, t.method, t.year)
             t.subject_id, t.kind, t.method, t.year, t.value, t.unit
      FROM core.target t
      ORDER BY t.subject_id, t.kind, t.method, t.year, t.recorded_at DESC,
               t.target_id DESC) AS last USING (subject_id)
WHERE last.value IS NOT NULL;

CREATE VIEW grafana.trajectory AS
SELECT s.park, t.method, t.title, t.title_zh, t.unit, t.factors, t.state, t.reason,
       t.first_year, t.last_year, t.peak_year, t.peak_t, t.peak_is_first_known,
       t.years_after, t.below_peak, t.n, t.s, t.z, t.p, t.sen_slope_t_per_year,
       t.made_at
FROM grafana.subject s JOIN core.trajectory_state t USING (subject_id)
WHERE s.enterprise IS NULL;

CREATE VIEW grafana.trajectory_year AS
SELECT s.park, y.method, y.year, y.value_t, y.rule, y.provisional, y.metered_t,
       y.stated_t, y.coverage, y.months_complete
FROM grafana.subject s JOIN core.trajectory_year y USING (subject_id)
WHERE s.enterprise IS NULL;

CREATE VIEW grafana.trajectory_month AS
SELECT s.park, m.method, m.month, m.month::timestamp AT TIME ZONE s.zone AS time,
       m.rolling_t, m.month_t, m.metered
FROM grafana.subject s JOIN core.trajectory_month m USING (subject_id)
WHERE s.enterprise IS NULL;

CREATE VIEW grafana.budget AS
SELECT s.park, b.year, b.kind, b.method, b.value, b.unit, b.used, b.remaining,
       b.ahead_of_pace, b.year_end, b.year_end_low, b.year_end_high, b.spent_on, b.how,
       b.coverage, b.publishable, b.months_over
FROM grafana.subject s JOIN core.budget_year b USING (subject_id)
WHERE s.enterprise IS NULL;

CREATE VIEW grafana.budget_month AS
SELECT s.park, b.year, b.kind, b.method, b.month, b.used, b.pace, b.path, b.low, b.high
FROM grafana.subject s JOIN core.budget_month b USING (subject_id)
WHERE s.enterprise IS NULL;

CREATE VIEW grafana.zero_carbon AS
SELECT s.park, z.month, z.value, z.co2_t, z.tce, z.aim, z.size_class, z.state, z.gap_t,
       z.green_kwh, z.with_all_green, z.rest_t, z.coverage, z.publishable
FROM grafana.subject s JOIN core.zero_carbon z USING (subject_id);
