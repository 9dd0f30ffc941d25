-- A month's highest window by the park's rule of demand, and who made it. Only windows
-- known to at least 95 % compete; a month is searched only when it is asked for.

-- `known` is the share of the time of the month's past windows that compete, from the
-- first in which a meter counted; below 1 the peak is a lower bound. A month of which
-- nothing is known has no peak.
CREATE VIEW grafana.park_peak AS
SELECT m.park, m.month, m.until, peak.at AS time, peak.kw AS peak_kw,
       c.kw AS contract_kw, best.known
FROM grafana.park_month m
LEFT JOIN LATERAL (
    SELECT w.at, w.kw, w.coverage >= 0.95 AS competes,
           coalesce(sum(w.window_min) FILTER (WHERE w.coverage >= 0.95) OVER ()::float8
                    / sum(w.window_min) OVER (), 0) AS known
    FROM grafana.competing(m.park, m.month, m.until) w
    ORDER BY competes DESC, w.kw DESC, w.at LIMIT 1) AS best ON true
LEFT JOIN LATERAL (SELECT best.at, best.kw WHERE best.competes) AS peak ON true
LEFT JOIN grafana.park_contract c
    ON c.park = m.park AND c.since <= coalesce(peak.at, m.month)
   AND c.until > coalesce(peak.at, m.month);

-- Each enterprise and the rest (enterprise is null) at the month's highest window of fixed
-- ones, their own peaks beside it, however little of the month is known.
CREATE VIEW grafana.enterprise_peak AS
SELECT m.park, m.month, m.until, made.at AS time, made.park_kw AS peak_kw,
       made.enterprise, made.name, made.kw, made.share, made.own_kw, made.own_time,
       made.coverage
FROM grafana.park_month m
CROSS JOIN LATERAL grafana.made_by(m.park, m.month, m.until, of_period => 0) AS made
WHERE made.at IS NOT NULL;

-- The same with the rest only where every enterprise is known in that window.
CREATE VIEW grafana.peak_share AS
SELECT park, month, until, time, enterprise, name, kw, share, own_kw, own_time
FROM grafana.enterprise_peak
WHERE enterprise IS NOT NULL OR kw IS NOT NULL;

-- Coincidence of each month, however little of it is known: the peaks are then lower
-- bounds, as park_peak says.
CREATE VIEW grafana.coincidence AS
SELECT m.park, m.month, m.until, c.park_kw AS peak_kw, c.own_peaks_kw, c.factor
FROM grafana.park_month m
CROSS JOIN LATERAL grafana.period_coincidence(m.park, m.month, m.until,
                                              of_period => 0) c
WHERE c.park_kw IS NOT NULL;
