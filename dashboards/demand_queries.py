"""The SQL of the dashboard *Demand and peaks*, without comments; see `queries`."""

RUNNING = """\
SELECT f.expected_kw AS "预计 / expected",
f.expected_kw / f.contract_kw AS "占合同 / of contract",
CASE f.shed_state
WHEN 'needed' THEN CASE WHEN f.shed_kw * n.rest_s > n.rest_kws / n.rest_s * n.left_s
THEN '已超合同 / exceeded'
ELSE round((f.shed_kw * n.rest_s / nullif(n.left_s, 0))::numeric) || ' kW' END
WHEN 'not needed' THEN '无需 / nothing'
WHEN 'impossible' THEN '已超合同 / exceeded' ELSE '未知 / unknown' END
AS "须压减 / to drop",
greatest(extract(epoch FROM f.until - now()) / 60, 0)::float8 AS "剩余 / left",
coalesce(round(f.low_kw::numeric) || ' – ' || round(f.high_kw::numeric) || ' kW',
'未知 / unknown') AS "10–90 %"
FROM grafana.forecast f
CROSS JOIN LATERAL (
SELECT 60 * f.window_min - f.known_s AS rest_s,
f.expected_kw * 60 * f.window_min - f.energy_kwh * 3600 AS rest_kws,
greatest(least(extract(epoch FROM f.until - now()), 60 * f.window_min - f.known_s),
0)::float8 AS left_s
) AS n
WHERE f.park = '$park' AND f.enterprise IS NULL
AND f.time <= now() AND f.until > now()
ORDER BY f.time DESC, f.known_s DESC LIMIT 1"""

PEAK = """\
SELECT t.kw AS "峰值 / peak", t.kw / t.contract_kw AS "占合同 / of contract",
to_char(t.time AT TIME ZONE p.zone, 'MM-DD HH24:MI') AS "窗口起 / window from",
near.hours AS "≥ 90 % 合同 / of contract",
load.rate AS "变压器最高负载 / transformer at most"
FROM grafana.park p
CROSS JOIN LATERAL grafana.top_peaks(p.park, $__timeFrom()::timestamptz,
$__timeTo()::timestamptz, 1) t
CROSS JOIN LATERAL (
SELECT CASE WHEN count(c.kw) > 0
THEN coalesce(sum(w.window_min) FILTER (WHERE w.kw >= 0.9 * c.kw), 0) / 60::float8 END
AS hours
FROM grafana.windows(p.park, $__timeFrom()::timestamptz,
$__timeTo()::timestamptz, false) w
JOIN grafana.park_contract c ON c.park = p.park AND c.since <= w.at AND c.until > w.at
WHERE w.coverage >= 0.95) AS near
CROSS JOIN LATERAL (
SELECT max(x.rate) AS rate FROM grafana.transformer_load x
WHERE x.park = p.park AND x.enterprise IS NULL
AND x.time >= $__timeFrom()::timestamptz AND x.time < $__timeTo()::timestamptz) AS load
WHERE p.park = '$park'"""

COINCIDENCE = """\
SELECT factor AS "同时系数 / coincidence", diversity AS "分散系数 / diversity"
FROM grafana.period_coincidence('$park', $__timeFrom()::timestamptz,
$__timeTo()::timestamptz)
WHERE park_kw IS NOT NULL"""

QUALITY = """\
SELECT k.coverage AS "已知时间 / time known",
rough.share AS "其中估算 / estimated",
w.meters_heard::float8 / w.meters AS "表计在线 / meters heard"
FROM grafana.park p
CROSS JOIN LATERAL grafana.known(p.park, $__timeFrom()::timestamptz,
$__timeTo()::timestamptz) k
CROSS JOIN LATERAL (
SELECT greatest(sum(d.coverage - d.measured) / nullif(sum(d.coverage), 0), 0) AS share
FROM grafana.park_demand d WHERE d.park = p.park
AND d.time >= $__timeFrom()::timestamptz AND d.time < $__timeTo()::timestamptz) AS rough
LEFT JOIN grafana.park_power w ON w.park = p.park
WHERE p.park = '$park'"""

LIVE = """\
SELECT w.slot AS "time",
CASE WHEN w.coverage >= 0.95 THEN w.kw END AS "需量 / demand",
CASE WHEN w.coverage < 0.95 THEN w.kw END AS "数据不足 / incompletely known",
NULL::float8 AS "本时段预计 / expected", NULL::float8 AS "预计下限 / low",
NULL::float8 AS "预计上限 / high",
c.kw AS "合同需量 100 % / contract demand",
0.9 * c.kw AS "合同的 90 % / 90 % of contract"
FROM grafana.competing('$park', $__timeFrom()::timestamptz,
$__timeTo()::timestamptz) w
JOIN grafana.park_contract c
ON c.park = '$park' AND c.since <= w.at AND c.until > w.at
WHERE w.kw IS NOT NULL
UNION ALL
(SELECT f.time, NULL, NULL, f.expected_kw, f.low_kw, f.high_kw, f.contract_kw,
0.9 * f.contract_kw
FROM grafana.forecast f
WHERE f.park = '$park' AND f.enterprise IS NULL AND f.time < $__timeTo()::timestamptz
AND f.time <= now() AND f.until > now()
ORDER BY f.time DESC, f.known_s DESC LIMIT 1)
ORDER BY 1"""

NOW = """\
SELECT coalesce(name || ' (' || enterprise || ')', '未分表 / unmetered')
AS "企业 / enterprise",
kw AS "此刻 / now", share AS "占比 / share",
meters_heard::float8 / meters AS "表计在线 / meters heard"
FROM grafana.enterprise_power WHERE park = '$park'
ORDER BY enterprise IS NULL, kw DESC NULLS LAST, enterprise"""

TOP = """\
SELECT to_char(t.time AT TIME ZONE p.zone, 'YYYY-MM-DD HH24:MI')
AS "窗口起 / window from",
t.kw AS "需量 / demand", t.kw / t.contract_kw AS "占合同 / of contract",
most.name || ' (' || most.enterprise || ')' AS "最大企业 / largest",
most.share AS "其占比 / its share"
FROM grafana.park p
CROSS JOIN LATERAL grafana.top_peaks(p.park, $__timeFrom()::timestamptz,
$__timeTo()::timestamptz, 10) t
LEFT JOIN grafana.drew_most(p.park, t.time) most ON true
WHERE p.park = '$park'
ORDER BY t.kw DESC, t.time"""

SHARES = """\
SELECT coalesce(m.name || ' (' || m.enterprise || ')', '未分表 / unmetered')
AS "企业 / enterprise",
m.kw AS "峰值窗口 / at the peak", m.share AS "占比 / share",
m.own_kw AS "自身峰值 / own peak",
to_char(m.own_time AT TIME ZONE p.zone, 'MM-DD HH24:MI') AS "其窗口 / its window",
m.coverage AS "已知 / known"
FROM grafana.park p
CROSS JOIN LATERAL grafana.made_by(p.park, $__timeFrom()::timestamptz,
$__timeTo()::timestamptz) m
WHERE p.park = '$park'
ORDER BY m.enterprise IS NULL, m.kw DESC NULLS LAST, m.enterprise"""

DURATION = """\
SELECT c.share AS "占已知时间 / share of the time known", c.kw AS "需量 / demand",
t.contract_kw AS "合同需量 100 % / contract demand",
0.9 * t.contract_kw AS "合同的 90 % / 90 % of contract"
FROM grafana.load_duration('$park', $__timeFrom()::timestamptz,
$__timeTo()::timestamptz, 200) c
CROSS JOIN grafana.top_peaks('$park', $__timeFrom()::timestamptz,
$__timeTo()::timestamptz, 1) t
ORDER BY c.share"""

MAP = """\
SELECT m.time AS "time",
max(m.kw) FILTER (WHERE m.hour = 0) AS "00",
max(m.kw) FILTER (WHERE m.hour = 1) AS "01",
max(m.kw) FILTER (WHERE m.hour = 2) AS "02",
max(m.kw) FILTER (WHERE m.hour = 3) AS "03",
max(m.kw) FILTER (WHERE m.hour = 4) AS "04",
max(m.kw) FILTER (WHERE m.hour = 5) AS "05",
max(m.kw) FILTER (WHERE m.hour = 6) AS "06",
max(m.kw) FILTER (WHERE m.hour = 7) AS "07",
max(m.kw) FILTER (WHERE m.hour = 8) AS "08",
max(m.kw) FILTER (WHERE m.hour = 9) AS "09",
max(m.kw) FILTER (WHERE m.hour = 10) AS "10",
max(m.kw) FILTER (WHERE m.hour = 11) AS "11",
max(m.kw) FILTER (WHERE m.hour = 12) AS "12",
max(m.kw) FILTER (WHERE m.hour = 13) AS "13",
max(m.kw) FILTER (WHERE m.hour = 14) AS "14",
max(m.kw) FILTER (WHERE m.hour = 15) AS "15",
max(m.kw) FILTER (WHERE m.hour = 16) AS "16",
max(m.kw) FILTER (WHERE m.hour = 17) AS "17",
max(m.kw) FILTER (WHERE m.hour = 18) AS "18",
max(m.kw) FILTER (WHERE m.hour = 19) AS "19",
max(m.kw) FILTER (WHERE m.hour = 20) AS "20",
max(m.kw) FILTER (WHERE m.hour = 21) AS "21",
max(m.kw) FILTER (WHERE m.hour = 22) AS "22",
max(m.kw) FILTER (WHERE m.hour = 23) AS "23"
FROM grafana.hour_map('$park', $__timeFrom()::timestamptz,
$__timeTo()::timestamptz) m
GROUP BY m.time ORDER BY m.time"""
