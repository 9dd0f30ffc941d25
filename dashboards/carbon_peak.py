"""The dashboard of the carbon peak: where the years stand, and how this one goes."""

from grafana_foundation_sdk.builders import (
    barchart,
    dashboard,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import GraphDrawStyle, VisibilityMode

from dashboards import carbon_queries as queries
from dashboards import panels
from dashboards.panels import KNOWN, PER_TCE, SHARE, TONNES, Sql, place

UID = "parkwatt-carbon-peak"
TITLE = "Carbon peak / 碳达峰"
NO_YEARS = "没有已知年份 / no year is known"
NO_BUDGET = "未设本年碳预算 / no carbon budget is set for the year"
REFUSED = "数据不足 95 %，不给出 / refused: less than 95 % is known"


def build() -> dashboard.Dashboard:
    """Put the dashboard together."""
    return (
        panels.board(
            UID,
            TITLE,
            "园区排放是否已达峰、为什么；近十二个月与最高年相比如何；今年碳预算用到哪里；各方法与范围并列；"
            "离零碳园区还差多少。数值由分析服务保存，至多晚一分钟。"
            "Have the park's emissions peaked and why; the last twelve months against the "
            "highest year; how far this year's budget is used; methods and scopes side by "
            "side; how far a zero-carbon park is. Kept by the analysis, a minute old at "
            "most in parks of usual size.",
            "now-5y",
        )
        .refresh("60s")
        .with_variable(
            panels.choice("method", "核算方法 / method of CO2", queries.METHODS)
        )
        .with_panel(_state())
        .with_panel(_now())
        .with_panel(_budget())
        .with_panel(_zero_carbon())
        .with_panel(_years())
        .with_panel(_rolling())
        .with_panel(_methods())
        .with_panel(_pace())
        .with_panel(_trend())
        .with_panel(_reach())
    )


def _state() -> stat.Panel:
    return (
        panels.answers(queries.STATE)
        .id(1)
        .title("达峰状态与原因 / State of the peak and why")
        .description(
            "按已定年份（园区时区的自然年）判断：最高年、其后年数，Mann–Kendall 与 Sen 斜率；"
            "上升、平台期、下降未确认、已达峰。与所选时间无关。来源：grafana.trajectory。"
            "Judged by the years that decide (calendar years of the park's time zone): the "
            "highest year, years after it, Mann-Kendall and Sen slope. Whatever the time "
            "range. Source: grafana.trajectory."
        )
        .grid_pos(place(0, 0, 9, 7))
        .unit(TONNES)
        .decimals(0)
        .no_value(NO_YEARS)
    )


def _now() -> stat.Panel:
    return (
        panels.answers(queries.ROLLING_NOW)
        .id(2)
        .title("近十二个月与最高年 / Last twelve months against the highest year")
        .description(
            "最近一个十二个月都完整（计量或填报）的滚动合计，及其与最高年之比。园区时区的月，与所选时间无关。"
            "来源：grafana.trajectory_month。"
            "The newest sum of twelve months that are all complete, metered or stated, and "
            "its ratio to the highest year. Months of the park's time zone, whatever the "
            "time range. Source: grafana.trajectory_month."
        )
        .grid_pos(place(9, 0, 5, 7))
        .unit(TONNES)
        .decimals(0)
        .no_value("缺月份，不给出 / refused: a month is missing")
        .override_by_name(
            "与最高年之比 / of the highest year",
            panels.coloured(
                panels.limits((None, "green"), (0.95, "orange"), (1, "red"))
            ),
        )
    )


def _budget() -> stat.Panel:
    return (
        panels.answers(queries.BUDGET)
        .id(3)
        .title("碳预算 / Carbon budget")
        .description(
            "本年碳预算（优先所选方法）：已结束各月的用量、占比、比均匀进度超出多少、年末预计与用尽日。"
            "园区时区的年，与所选时间无关。来源：grafana.budget。"
            "This year's carbon budget, of the chosen method where it has one: use of the "
            "months that are over, its share, how far ahead of an even pace, the year's "
            "end and the day it is spent. Years of the park's time zone, whatever the time "
            "range. Source: grafana.budget."
        )
        .grid_pos(place(14, 0, 5, 7))
        .unit(TONNES)
        .decimals(0)
        .no_value(NO_BUDGET)
        .override_by_name("占预算 / of the budget", panels.coloured(panels.OF_CONTRACT))
    )


def _zero_carbon() -> stat.Panel:
    return (
        panels.answers(queries.ZERO_CARBON)
        .id(4)
        .title("零碳园区核心指标 / Zero-carbon park, core indicator")
        .description(
            "公式：近十二个月 CO2（910号附件4，电力 0.8325 kgCO2/kWh，已证绿电为 0）÷ 综合能耗（等价）。"
            "阈值 20 万 tce 起 0.2、100 万 tce 起 0.3；以下无阈值，0.2 仅作参照。园区时区的月。"
            "来源：grafana.zero_carbon。"
            "Formula: CO2 of twelve months (910号 Attachment 4, power at 0.8325 kgCO2/kWh, "
            "proven green 0) ÷ energy at the equal value. Threshold 0.2 from 200 000 tce, "
            "0.3 from 1 000 000 tce; none below, where 0.2 is an aim of ours. Months of "
            "the park's time zone. Source: grafana.zero_carbon."
        )
        .grid_pos(place(19, 0, 5, 7))
        .unit(PER_TCE)
        .decimals(3)
        .no_value(REFUSED)
    )


def _years() -> barchart.Panel:
    return (
        barchart.Panel()
        .id(5)
        .title("各年排放（所选方法）/ Emissions by year, chosen method")
        .description(
            "每个自然年（园区时区）：十二个月都计量完整、由人填报、或仅部分计量的暂定值（浅灰，不参与判断）。"
            "电力因子见“各方法并列”。来源：grafana.trajectory_year。"
            "Each calendar year of the park's time zone: metered and complete, stated by "
            "people, or in part (pale grey, provisional: decides nothing). The factor of "
            "power stands in the table of methods. Source: grafana.trajectory_year."
        )
        .grid_pos(place(0, 7, 12, 10))
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.YEARS))
        .x_field("年 / year")
        .unit(TONNES)
        .decimals(0)
        .min(0)
        .no_value(NO_YEARS)
        .override_by_name("计量 / metered", panels.filled("blue"))
        .override_by_name("填报 / stated", panels.filled("purple", 50))
        .override_by_name("暂定 / provisional", panels.filled("#8e8e8e", 20))
        .legend(panels.legend())
    )


def _rolling() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .id(6)
        .title("滚动十二个月排放 / Emissions of rolling twelve months")
        .description(
            "截至各月的十二个月合计，以月初标记；缺一个月则留空。虚线为最高年。时间轴为北京时间，固定为最近五年。"
            "来源：grafana.trajectory_month。"
            "Sum of the twelve months that end with each month, labelled by its start; "
            "left out where one is missing. Dashed: the highest year. Time axis "
            "Asia/Shanghai, always five years. Source: grafana.trajectory_month."
        )
        .grid_pos(place(12, 7, 12, 10))
        .time_from("5y")
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.ROLLING, "time_series"))
        .unit(TONNES)
        .decimals(0)
        .no_value("缺月份，不给出 / refused: a month is missing")
        .draw_style(GraphDrawStyle.LINE)
        .show_points(VisibilityMode.ALWAYS)
        .span_nulls(False)
        .override_by_name("滚动 12 个月 / rolling 12 months", panels.line("blue"))
        .override_by_name("最高年 / highest year", panels.line("red", dashed=True))
        .legend(panels.legend())
    )


def _methods() -> table.Panel:
    return (
        panels.rows(queries.SIDE_BY_SIDE)
        .id(7)
        .title("各方法与范围并列 / Methods and scopes side by side")
        .description(
            "截至上月的十二个月（园区时区）：合计、范围一（燃料、过程、气体）与范围二（电、热），仅在十二个月都覆盖 ≥ 95 % "
            "时给出；已知部分及月数在旁。不同方法不可相加或比较。来源：grafana.book、grafana.trajectory。"
            "Twelve months up to the last one (park's time zone): total, scope 1 (fuels, "
            "processes, gases) and scope 2 (power, heat), given where all twelve are "
            "covered to 95 %; what is known and of how many months beside it. Methods are "
            "never added or compared. Source: grafana.book, trajectory."
        )
        .grid_pos(place(0, 17, 24, 9))
        .unit("none")
        .decimals(1)
        .override_by_name("已知月数 / months known", [panels.decimals(0)])
    )


def _pace() -> barchart.Panel:
    return (
        barchart.Panel()
        .id(8)
        .title("碳预算进度 / Pace of the carbon budget")
        .description(
            "本年各月末的累计用量、均匀进度线、预计与预算（园区时区），与所选时间无关。来源：grafana.budget_month。"
            "Cumulative at the end of each month of this year (park's time zone): use, an "
            "even pace, the forecast and the budget, whatever the time range. "
            "Source: grafana.budget_month."
        )
        .grid_pos(place(0, 26, 12, 9))
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.PACE))
        .x_field("月末 / end of")
        .unit(TONNES)
        .decimals(0)
        .min(0)
        .no_value(NO_BUDGET)
        .override_by_name("已用 / used", panels.filled("blue"))
        .override_by_name("进度线 / pace", panels.filled("orange", 40))
        .override_by_name("预计 / forecast", panels.filled("#8e8e8e", 20))
        .override_by_name("预算 / budget", panels.filled("red", 10))
        .legend(panels.legend())
    )


def _trend() -> table.Panel:
    return (
        panels.rows(queries.TREND)
        .id(9)
        .title("判断依据 / What the state rests on")
        .description(
            "各方法最高年之后各年的 Mann–Kendall（n、S、Z、p）与 Sen 斜率 [t/年]；年为园区时区的自然年，与所选时间无关。"
            "来源：grafana.trajectory。"
            "Mann-Kendall of the years after the highest (n, S, Z, p) and Sen slope [t a "
            "year], by method; calendar years of the park's time zone, whatever the time "
            "range. Source: grafana.trajectory."
        )
        .grid_pos(place(12, 26, 12, 9))
        .unit("none")
        .decimals(3)
        .override_by_name("低于最高 / below the highest", [panels.unit(SHARE)])
        .override_by_name("n", [panels.decimals(0)])
    )


def _reach() -> table.Panel:
    return (
        panels.rows(queries.REACH)
        .id(10)
        .title("怎样达到零碳园区指标 / What would reach the zero-carbon indicator")
        .description(
            "近十二个月能耗不变时：须减排 = CO2 − 目标 × 综合能耗；先以绿电，余下由燃料与热力。纯算术，非预测。"
            "园区时区的月。来源：grafana.zero_carbon。"
            "With the energy of twelve months unchanged: to save = CO2 − aim × energy, "
            "first by green power, the rest by fuels and heat. Arithmetic, no forecast. "
            "Months of the park's time zone. Source: grafana.zero_carbon."
        )
        .grid_pos(place(0, 35, 24, 5))
        .unit("none")
        .decimals(1)
        .no_value(REFUSED)
        .override_by_name(
            "已知 / known",
            [*panels.coloured(KNOWN), panels.cell({"type": "color-text"})],
        )
    )
