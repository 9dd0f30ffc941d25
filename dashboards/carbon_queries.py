"""The SQL of *Carbon peak* and *Enterprise intensity*, without comments; see `queries`."""

_PIECES = {
    "state": """\
CASE t.state WHEN 'rising' THEN '上升 / rising' WHEN 'plateau' THEN '平台期 / plateau'
WHEN 'declining-unconfirmed' THEN '下降，未确认 / declining, not confirmed'
WHEN 'peaked' THEN '已达峰 / peaked' ELSE '未知 / unknown' END""",
    "reason": """\
CASE t.reason
WHEN 'too_few_years' THEN '已知年份太少 / too few years known'
WHEN 'gap' THEN '年份有缺口 / a year that is over is missing'
WHEN 'not_positive' THEN '最高值不为正 / the maximum is not above 0'
WHEN 'recent_maximum' THEN '最高值在最近两年 / the maximum is one of the last two years'
WHEN 'rising_again' THEN '最高值后又上升 / rising again after the maximum'
WHEN 'within_band' THEN '三年以上保持在最高值 5 % 以内 / within 5 % of the maximum for years'
WHEN 'level_below_peak' THEN '低于最高值但未下降 / below the maximum, but not falling'
WHEN 'too_few_years_after' THEN '最高值后不足五年 / fewer than five years after the maximum'
WHEN 'not_significant' THEN '下降不显著 / the decline is not significant'
WHEN 'significant_decline' THEN '显著下降 / a significant decline'
ELSE t.reason END""",
    "last": """\
(SELECT max(x.month) FROM grafana.intensity x
WHERE x.park = '$park' AND x.complete)""",
    "kind": """\
CASE split_part('$figure', '/', 1) WHEN 'tce' THEN 'energy_intensity'
ELSE 'co2_intensity' END""",
}


def _filled(text: str) -> str:
    for name, piece in _PIECES.items():
        text = text.replace(f"<{name}>", piece)
    return text


METHODS = """\
SELECT t.title_zh || ' (' || t.method || ')' AS __text, t.method AS __value
FROM grafana.trajectory t
WHERE t.park = '$park' AND t.unit LIKE 'tCO2%'
ORDER BY (SELECT count(*) FROM grafana.trajectory_year y WHERE y.park = t.park
AND y.method = t.method AND NOT y.provisional) DESC, t.method"""

FIGURES = """\
SELECT * FROM (VALUES ('能耗（当量）/ energy, calorific [tce]', 'tce/calorific'),
('能耗（等价）/ energy, equal value [tce]', 'tce/equal_value'),
('碳排放（全国因子）/ carbon, national factor [tCO2]', 'co2_t/location_national'),
('碳排放（省级因子）/ carbon, regional factor [tCO2]', 'co2_t/location_region'))
AS f (__text, __value)"""

SPANS = """\
SELECT * FROM (VALUES ('月 / month', 'month'), ('本年累计 / year to date', 'year_to_date'),
('滚动 12 个月 / rolling 12 months', 'rolling_12')) AS s (__text, __value)"""


STATE = _filled("""\
SELECT <state> AS "状态 / state",
<reason> AS "原因 / why",
coalesce(t.first_year::text || '–' || t.last_year, '无 / none') AS "依据年份 / years",
coalesce(t.peak_year::text, '未知 / unknown') || CASE WHEN t.peak_is_first_known
THEN ' （或更早 / or earlier）' ELSE '' END AS "最高年 / highest year",
t.peak_t AS "最高值 / highest",
t.years_after::text AS "其后年数 / years after it"
FROM grafana.trajectory t WHERE t.park = '$park' AND t.method = '$method'""")

ROLLING_NOW = """\
SELECT m.rolling_t AS "滚动 12 个月 / rolling 12 months",
m.rolling_t / nullif(t.peak_t, 0) AS "与最高年之比 / of the highest year",
to_char(m.month, 'YYYY-MM') AS "截至 / to the end of"
FROM grafana.trajectory t
JOIN grafana.trajectory_month m ON m.park = t.park AND m.method = t.method
WHERE t.park = '$park' AND t.method = '$method' AND m.rolling_t IS NOT NULL
ORDER BY m.month DESC LIMIT 1"""

BUDGET = """\
SELECT b.used AS "已用 / used", b.used / nullif(b.value, 0) AS "占预算 / of the budget",
b.ahead_of_pace AS "超进度 / ahead of pace", b.year_end AS "年末预计 / year's end",
CASE WHEN b.spent_on IS NOT NULL THEN b.spent_on::text
WHEN b.year_end IS NULL THEN '未知 / unknown'
ELSE '本年内不会 / not this year' END AS "用尽日 / spent on"
FROM grafana.budget b
WHERE b.park = '$park' AND b.kind = 'co2' AND b.year = (
SELECT max(year) FROM grafana.budget WHERE park = '$park' AND kind = 'co2')
ORDER BY b.method = '$method' DESC, b.method LIMIT 1"""

ZERO_CARBON = """\
SELECT CASE WHEN z.publishable THEN z.value END AS "指标 / indicator",
z.aim AS "目标 / aim",
CASE z.state WHEN 'met' THEN '达到 / met' WHEN 'missed' THEN '未达到 / missed'
WHEN 'no_threshold' THEN '规模以下无阈值 / no threshold of this size'
ELSE '数据不足 / too little known' END AS "状态 / state",
CASE WHEN z.publishable THEN z.with_all_green END
AS "全部绿电时 / with all power green"
FROM grafana.zero_carbon z WHERE z.park = '$park' ORDER BY z.month DESC LIMIT 1"""

YEARS = """\
SELECT y.year::text || CASE WHEN y.provisional AND y.value_t IS NOT NULL
THEN ' 暂定 / provisional' ELSE '' END AS "年 / year",
CASE WHEN NOT y.provisional AND y.rule <> 'stated_year' THEN y.value_t END
AS "计量 / metered",
CASE WHEN y.rule = 'stated_year' THEN y.value_t END AS "填报 / stated",
CASE WHEN y.provisional THEN y.value_t END AS "暂定 / provisional"
FROM grafana.trajectory_year y
WHERE y.park = '$park' AND y.method = '$method' ORDER BY y.year"""

ROLLING = """\
SELECT m.time AS "time", m.rolling_t AS "滚动 12 个月 / rolling 12 months",
t.peak_t AS "最高年 / highest year"
FROM grafana.trajectory_month m
JOIN grafana.trajectory t ON t.park = m.park AND t.method = m.method
WHERE m.park = '$park' AND m.method = '$method'
AND m.time >= $__timeFrom()::timestamptz AND m.time < $__timeTo()::timestamptz
ORDER BY m.time"""

PACE = """\
SELECT to_char(m.month, 'YYYY-MM') AS "月末 / end of", m.used AS "已用 / used",
m.pace AS "进度线 / pace", CASE WHEN m.used IS NULL THEN m.path END
AS "预计 / forecast", b.value AS "预算 / budget"
FROM grafana.budget b
JOIN grafana.budget_month m ON m.park = b.park AND m.year = b.year AND m.kind = b.kind
AND m.method = b.method
WHERE b.park = '$park' AND b.kind = 'co2' AND b.year = (
SELECT max(year) FROM grafana.budget WHERE park = '$park' AND kind = 'co2')
AND b.method = (SELECT x.method FROM grafana.budget x WHERE x.park = '$park'
AND x.kind = 'co2' AND x.year = b.year ORDER BY x.method = '$method' DESC, x.method LIMIT 1)
ORDER BY m.month"""

SIDE_BY_SIDE = _filled("""\
SELECT t.title_zh || ' / ' || t.method AS "方法 / method",
CASE WHEN bool_and(total.coverage >= 0.95) AND count(total.value) = 12
THEN sum(total.value) END AS "12 个月 / 12 months",
CASE WHEN bool_and(total.coverage >= 0.95) AND count(total.value) = 12
THEN sum(one.value) END AS "范围一 / scope 1",
CASE WHEN bool_and(total.coverage >= 0.95) AND count(total.value) = 12
THEN sum(two.value) END AS "范围二 / scope 2",
sum(total.value) AS "已知部分 / known part",
count(total.value) AS "已知月数 / months known",
t.unit AS "单位 / unit", <state> AS "状态 / state",
t.first_year::text || '–' || t.last_year AS "依据年份 / years", t.factors AS "电力因子 / power factor"
FROM grafana.trajectory t
JOIN grafana.park p ON p.park = t.park
JOIN grafana.book total ON total.park = t.park AND total.enterprise IS NULL
AND total.figure = 'co2_t/' || t.method
LEFT JOIN grafana.book one ON one.park = t.park AND one.enterprise IS NULL
AND one.month = total.month AND one.figure = 'co2_t_scope1/' || t.method
LEFT JOIN grafana.book two ON two.park = t.park AND two.enterprise IS NULL
AND two.month = total.month AND two.figure = 'co2_t_scope2/' || t.method
WHERE t.park = '$park' AND t.unit LIKE 'tCO2%'
AND total.time < date_trunc('month', now(), p.zone)
AND total.month >= ((date_trunc('month', now(), p.zone) AT TIME ZONE p.zone)
- interval '12 months')::date
GROUP BY t.method, t.title_zh, t.unit, t.state, t.first_year, t.last_year, t.factors
ORDER BY t.method""")

TREND = _filled("""\
SELECT t.method AS "方法 / method", <state> AS "状态 / state",
<reason> AS "原因 / why", t.first_year::text || '–' || t.last_year AS "年份 / years",
t.below_peak AS "低于最高 / below the highest", t.n AS "n", t.s AS "S", t.z AS "Z",
t.p AS "p", t.sen_slope_t_per_year AS "Sen 斜率 / slope a year"
FROM grafana.trajectory t WHERE t.park = '$park' AND t.unit LIKE 'tCO2%'
ORDER BY t.method""")

REACH = """\
SELECT CASE z.size_class WHEN 'below_200k_tce' THEN '不足 20 万 tce / below 200 000 tce'
WHEN 'from_200k_tce' THEN '20 万 tce 起 / from 200 000 tce'
WHEN 'from_1m_tce' THEN '100 万 tce 起 / from 1 000 000 tce'
ELSE '未知 / unknown' END AS "规模 / size",
z.co2_t AS "tCO2", z.tce AS "tce", z.gap_t AS "须减排 / to save [tCO2]",
z.green_kwh / 1000 AS "须绿电 / green power [MWh]",
z.rest_t AS "其后燃料与热力 / then fuels and heat [tCO2]", z.coverage AS "已知 / known"
FROM grafana.zero_carbon z WHERE z.park = '$park' ORDER BY z.month DESC LIMIT 1"""


PARK_NOW = _filled("""\
SELECT max(CASE WHEN i.span = 'month' AND i.publishable THEN i.value END)
AS "月 / month",
max(CASE WHEN i.span = 'year_to_date' AND i.publishable THEN i.value END)
AS "本年累计 / year to date",
max(CASE WHEN i.span = 'rolling_12' AND i.publishable THEN i.value END)
AS "滚动 12 个月 / rolling 12",
to_char(i.month, 'YYYY-MM') AS "截至 / to the end of"
FROM grafana.intensity i
WHERE i.park = '$park' AND i.enterprise IS NULL AND i.figure = '$figure'
AND i.month = <last>
GROUP BY i.month""")

COUNTS = _filled("""\
SELECT count(i.place) AS "已排名 / ranked",
count(*) FILTER (WHERE i.reason LIKE 'denominator%')
AS "缺增加值 / added value missing",
count(*) FILTER (WHERE i.reason = 'coverage') AS "数据不足 / too little known",
count(*) FILTER (WHERE i.reason = 'numerator_unknown') AS "无能耗 / no energy"
FROM grafana.intensity i
WHERE i.park = '$park' AND i.enterprise IS NOT NULL AND i.figure = '$figure'
AND i.span = '$span' AND i.month = <last>
HAVING count(*) > 0""")


TARGET = _filled("""\
SELECT t.value AS "目标 / target",
CASE WHEN i.publishable THEN i.value END AS "本年累计 / year to date",
CASE WHEN i.publishable THEN i.value / nullif(t.value, 0) END AS "占目标 / of the target",
t.year::text AS "年 / year"
FROM grafana.target t
LEFT JOIN grafana.intensity i ON i.park = t.park AND i.enterprise IS NULL
AND i.span = 'year_to_date' AND i.figure = '$figure' AND i.month = <last>
AND extract(year FROM i.month) = t.year
WHERE t.park = '$park' AND t.enterprise IS NULL
AND t.method = split_part('$figure', '/', 2) AND t.kind = <kind>
ORDER BY t.year DESC LIMIT 1""")

QUALITY = """\
SELECT min(i.coverage) AS "最低覆盖 / lowest coverage",
count(*) FILTER (WHERE i.estimated)::float8 / nullif(count(i.value), 0)
AS "估算占比 / estimated",
to_char(max(i.made_at) AT TIME ZONE p.zone, 'MM-DD HH24:MI') AS "算于 / made at"
FROM grafana.intensity i JOIN grafana.park p ON p.park = i.park
WHERE i.park = '$park' AND i.enterprise IS NOT NULL AND i.figure = '$figure'
AND i.complete GROUP BY p.zone"""

MONTHS = _filled("""\
SELECT i.time AS "time",
max(CASE WHEN i.span = 'month' AND i.publishable THEN i.value END) AS "月 / month",
max(CASE WHEN i.span = 'month' AND NOT i.publishable THEN i.value END)
AS "未可发布 / not publishable",
max(CASE WHEN i.span = 'year_to_date' AND i.publishable THEN i.value END)
AS "本年累计 / year to date",
max(CASE WHEN i.span = 'rolling_12' AND i.publishable THEN i.value END)
AS "滚动 12 个月 / rolling 12",
max(t.value) AS "目标 / target"
FROM grafana.intensity i
LEFT JOIN grafana.target t ON t.park = i.park AND t.enterprise IS NULL
AND t.year = extract(year FROM i.month) AND t.kind = <kind>
AND t.method = split_part('$figure', '/', 2)
WHERE i.park = '$park' AND i.enterprise IS NULL AND i.figure = '$figure'
AND i.time >= $__timeFrom()::timestamptz AND i.time < $__timeTo()::timestamptz
GROUP BY i.time ORDER BY i.time""")

RANKING = _filled("""\
SELECT i.place AS "名次 / place", i.name || ' (' || i.enterprise || ')'
AS "企业 / enterprise", i.value AS "强度 / intensity",
i.added_value_10k_cny AS "增加值 / added value [10⁴ CNY]",
CASE WHEN i.estimated THEN '估算 / estimated' WHEN i.provisional
THEN '初步 / provisional' ELSE '核定 / final' END AS "增加值为 / it is",
i.coverage AS "覆盖 / coverage", t.value AS "目标 / target"
FROM grafana.intensity i
LEFT JOIN grafana.target t ON t.park = i.park AND t.enterprise = i.enterprise
AND t.year = extract(year FROM i.month) AND t.kind = <kind>
AND t.method = split_part('$figure', '/', 2)
WHERE i.park = '$park' AND i.enterprise IS NOT NULL AND i.figure = '$figure'
AND i.span = '$span' AND i.place IS NOT NULL AND i.month = <last>
ORDER BY i.place, i.enterprise""")

UNRANKED = _filled("""\
SELECT i.name || ' (' || i.enterprise || ')' AS "企业 / enterprise",
CASE i.reason WHEN 'denominator_missing' THEN '缺增加值 / added value missing'
WHEN 'denominator_not_positive' THEN '增加值不为正 / added value not above 0'
WHEN 'numerator_unknown' THEN '能耗或排放未知 / energy or carbon unknown'
WHEN 'coverage' THEN '计量覆盖不足 / too little covered by meters'
ELSE i.reason END AS "原因 / why", i.coverage AS "覆盖 / coverage"
FROM grafana.intensity i
WHERE i.park = '$park' AND i.enterprise IS NOT NULL AND i.figure = '$figure'
AND i.span = '$span' AND i.place IS NULL AND i.month = <last>
ORDER BY i.enterprise""")

ACROSS = _filled("""\
SELECT i.name || ' (' || i.enterprise || ')' AS "企业 / enterprise",
max(CASE WHEN i.span = 'month' AND i.publishable THEN i.value END) AS "月 / month",
max(CASE WHEN i.span = 'year_to_date' AND i.publishable THEN i.value END)
AS "本年累计 / year to date",
max(CASE WHEN i.span = 'rolling_12' AND i.publishable THEN i.value END)
AS "滚动 12 个月 / rolling 12",
min(i.coverage) AS "最低覆盖 / lowest coverage",
max(t.value) AS "目标 / target"
FROM grafana.intensity i
LEFT JOIN grafana.target t ON t.park = i.park AND t.enterprise = i.enterprise
AND t.year = extract(year FROM i.month) AND t.kind = <kind>
AND t.method = split_part('$figure', '/', 2)
WHERE i.park = '$park' AND i.enterprise IS NOT NULL AND i.figure = '$figure'
AND i.month = <last>
GROUP BY i.enterprise, i.name ORDER BY i.enterprise""")
