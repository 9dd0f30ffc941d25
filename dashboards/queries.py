"""The SQL of the panels, without comments: some Grafana versions expand macros in them.

`$park` is replaced by the browser, `$__` macros by the server. Ranges are half-open.
"""

PARKS = (
    "SELECT name || ' (' || park || ')' AS __text, park AS __value "
    "FROM grafana.park ORDER BY 1"
)

POWER = """\
SELECT kw AS "功率 / power",
meters_heard::float8 / meters AS "表计在线 / meters heard",
age_s AS "最旧读数 / oldest reading"
FROM grafana.park_power WHERE park = '$park'"""

DAY = """\
SELECT w.kw AS "最高 / highest", w.kw / c.kw AS "占合同 / of contract",
to_char(w.at AT TIME ZONE p.zone, 'MM-DD HH24:MI') AS "窗口起 / window from"
FROM grafana.park p
CROSS JOIN LATERAL grafana.competing(p.park, date_trunc('day',
$__timeTo()::timestamptz - interval '1 microsecond', p.zone),
$__timeTo()::timestamptz) w
JOIN grafana.park_contract c ON c.park = p.park AND c.since <= w.at AND c.until > w.at
WHERE p.park = '$park' AND w.coverage >= 0.95
ORDER BY w.kw DESC, w.at LIMIT 1"""

MONTH = """\
SELECT k.peak_kw AS "峰值 / peak", k.peak_kw / k.contract_kw AS "占合同 / of contract",
to_char(k.time AT TIME ZONE p.zone, 'MM-DD HH24:MI') AS "窗口起 / window from",
k.known AS "已知时间 / time known"
FROM grafana.park_peak k JOIN grafana.park p ON p.park = k.park
WHERE k.park = '$park' AND k.month < $__timeTo()::timestamptz
AND k.until >= $__timeTo()::timestamptz"""

COINCIDENCE = """\
SELECT factor AS "同时系数 / coincidence factor" FROM grafana.coincidence
WHERE park = '$park' AND month < $__timeTo()::timestamptz
AND until >= $__timeTo()::timestamptz"""

COVERAGE = """\
SELECT least(known / windows, 1) AS "已知 / known",
least(estimated / windows, 1) AS "其中估算 / estimated"
FROM (SELECT coalesce(sum(d.coverage), 0) AS known,
coalesce(sum(d.coverage - d.measured), 0) AS estimated,
greatest(extract(epoch FROM least($__timeTo()::timestamptz, now())
- $__timeFrom()::timestamptz) / 900, 1)::float8 AS windows
FROM grafana.park p LEFT JOIN grafana.park_demand d ON d.park = p.park
AND d.time >= $__timeFrom()::timestamptz AND d.time < $__timeTo()::timestamptz
WHERE p.park = '$park' GROUP BY p.park) AS sums"""

DEMAND = """\
SELECT w.slot AS "time",
CASE WHEN w.coverage >= 0.95 THEN w.kw END AS "需量 / demand",
CASE WHEN w.coverage < 0.95 THEN w.kw END AS "数据不足 / incompletely known",
c.kw AS "合同需量 / contract demand", 0.9 * c.kw AS "合同的 90 % / 90 % of contract"
FROM grafana.competing('$park', $__timeFrom()::timestamptz,
$__timeTo()::timestamptz) w
JOIN grafana.park_contract c
ON c.park = '$park' AND c.since <= w.at AND c.until > w.at
ORDER BY w.slot"""

SHARES = """\
SELECT coalesce(name || ' (' || enterprise || ')', '未分表 / unmetered')
AS "企业 / enterprise",
kw AS "峰值窗口 / at the peak", share AS "占比 / share", own_kw AS "自身峰值 / own peak"
FROM grafana.peak_share
WHERE park = '$park' AND month < $__timeTo()::timestamptz
AND until >= $__timeTo()::timestamptz
ORDER BY kw DESC NULLS LAST"""

MONTHS = """\
SELECT to_char(k.month AT TIME ZONE p.zone, 'YYYY-MM') AS "月 / month",
k.peak_kw AS "峰值 / peak", k.contract_kw AS "合同需量 / contract demand"
FROM grafana.park_peak k JOIN grafana.park p ON p.park = k.park
WHERE k.park = '$park' AND k.month < $__timeTo()::timestamptz
AND k.month >= $__timeTo()::timestamptz - interval '12 months'
ORDER BY k.month"""

QUALITY = """\
SELECT enterprise || ' / ' || meter AS "表计 / meter",
sum(known * expected_s) / sum(expected_s) AS "已知 / known",
sum(estimated * expected_s) / sum(expected_s) AS "其中估算 / estimated"
FROM grafana.data_quality
WHERE park = '$park' AND time < $__timeTo()::timestamptz
AND time > $__timeFrom()::timestamptz - interval '1 day'
GROUP BY enterprise, meter ORDER BY 2, 1 LIMIT 100"""
