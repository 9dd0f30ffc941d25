"""The dashboard of a park's peak: how high, when, who makes it, how well known."""

from grafana_foundation_sdk.builders import barchart, dashboard, stat, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueTextMode,
    GraphDrawStyle,
    LineInterpolation,
    VisibilityMode,
)

from dashboards import panels, queries
from dashboards.panels import KNOWN, KW, NOTHING, OF_CONTRACT, SHARE, Sql, place

UID = "parkwatt-park-peak"
TITLE = "Park peak tracking / 园区峰值跟踪"


def build() -> dashboard.Dashboard:
    """Put the dashboard together."""
    return (
        panels.board(
            UID,
            TITLE,
            f"园区最大需量：现在多高、何时出现、由谁造成、数据是否完整；{panels.RULE_ZH}。"
            "Highest demand of a park: how high, when, who makes it, and how well it is "
            f"known; {panels.RULE}.",
            "now/d",
        )
        .with_panel(_power())
        .with_panel(_day())
        .with_panel(_month())
        .with_panel(_coincidence())
        .with_panel(_coverage())
        .with_panel(_demand())
        .with_panel(_shares())
        .with_panel(_months())
        .with_panel(_quality())
    )


def _power() -> stat.Panel:
    return (
        panels.answers(queries.POWER)
        .id(1)
        .title("此刻功率 / Power now")
        .description(
            "各计入表计最新功率读数之和（15 分钟以内），与所选时间无关；未上报的表计不计入，"
            "“表计在线”低于 100 % 时为下限。来源：grafana.park_power。"
            "Sum of the newest power readings (up to 15 minutes old) of the counting "
            "meters, whatever the time range; a lower bound while meters heard is below "
            "100 %. Source: grafana.park_power."
        )
        .grid_pos(place(0, 0, 5, 5))
        .override_by_name("表计在线 / meters heard", panels.coloured(KNOWN))
        .override_by_name("最旧读数 / oldest reading", [panels.unit("s")])
    )


def _day() -> stat.Panel:
    return (
        panels.answers(queries.DAY)
        .id(2)
        .title("当日最高需量（按需量规则）/ Day's highest demand (by its rule)")
        .description(
            "所选时间末尾所在日（园区时区）覆盖率 ≥ 95 % 的窗口平均功率最大值及其与当时合同需量之比；"
            f"{panels.RULE_ZH}。来源：grafana.competing。"
            "Highest mean power of the windows with coverage ≥ 95 % on the day (park's "
            "time zone) in which the range ends, and its ratio to the contract demand "
            f"then; {panels.RULE}. Source: grafana.competing."
        )
        .grid_pos(place(5, 0, 5, 5))
        .override_by_name("占合同 / of contract", panels.coloured(OF_CONTRACT))
    )


def _month() -> stat.Panel:
    return (
        panels.answers(queries.MONTH)
        .id(3)
        .title("当月峰值（按需量规则）/ Month's peak (by its rule)")
        .description(
            "所选时间末尾所在月（园区时区）的最高需量、窗口起点及已知窗口占时间之比，"
            f"占比低于 100 % 时峰值为下限；{panels.RULE_ZH}。来源：grafana.park_peak。"
            "Highest demand of the month (park's time zone) in which the range ends, the "
            "start of its window, and the share of the time whose windows are known to "
            f"≥ 95 %; below 100 % the peak is a lower bound; {panels.RULE}. "
            "Source: grafana.park_peak."
        )
        .grid_pos(place(10, 0, 6, 5))
        .override_by_name("占合同 / of contract", panels.coloured(OF_CONTRACT))
        .override_by_name("已知时间 / time known", panels.coloured(KNOWN))
    )


def _coincidence() -> stat.Panel:
    return (
        panels.answers(queries.COINCIDENCE)
        .id(4)
        .title("同时系数 / Coincidence factor")
        .description(
            "当月园区峰值 ÷ 各企业与未分表部分自身峰值之和，均为园区规则长度的固定窗口、园区时区；"
            "任一部分未知时不给出。来源：grafana.coincidence。"
            "Park peak of the month ÷ sum of the own peaks of the enterprises and of the "
            "unmetered rest, all of fixed windows of the length that the park's rule says, "
            "in the park's time zone; not given while one of them is unknown. "
            "Source: grafana.coincidence."
        )
        .grid_pos(place(16, 0, 4, 5))
        .unit("none")
        .decimals(3)
        .text_mode(BigValueTextMode.VALUE)
    )


def _coverage() -> stat.Panel:
    return (
        panels.answers(queries.COVERAGE)
        .id(5)
        .title("数据覆盖率 / Coverage")
        .description(
            "所选时间内 15 分钟窗口的已知时长占应有时长之比，及其中估算部分（UTC 对齐窗口）。"
            "来源：grafana.park_demand。"
            "Known share of the 15-minute windows of the range, and how much of it is "
            "estimated; the range itself has no time zone. Source: grafana.park_demand."
        )
        .grid_pos(place(20, 0, 4, 5))
        .unit(SHARE)
        .decimals(1)
        .override_by_name("已知 / known", panels.coloured(KNOWN))
    )


def _demand() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .id(6)
        .title("需量（按需量规则）与合同需量 / Demand (by its rule) and contract")
        .description(
            "园区各窗口的平均功率，以起点标记；滑动规则下为各刻钟内开始的最高滑动窗口；"
            "覆盖率 < 95 % 的窗口单独显示，缺失的留空。虚线为当时有效的合同需量及其 90 %。"
            f"{panels.RULE_ZH}。时间轴为北京时间。来源：grafana.competing。"
            "Mean power of each window, labelled by its start, of sliding ones the highest "
            "that begins in each quarter hour; windows with coverage < 95 % apart, missing "
            "ones left out. Dashed: the contract demand valid then and 90 % of it; "
            f"{panels.RULE}. Time axis Asia/Shanghai. Source: grafana.competing."
        )
        .grid_pos(place(0, 5, 16, 11))
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.DEMAND, "time_series"))
        .interval("15m")
        .unit(KW)
        .min(0)
        .no_value(NOTHING)
        .draw_style(GraphDrawStyle.LINE)
        .line_interpolation(LineInterpolation.STEP_AFTER)
        .show_points(VisibilityMode.AUTO)
        .fill_opacity(15)
        .span_nulls(False)
        .override_by_name("需量 / demand", panels.line("blue"))
        .override_by_name(
            "数据不足 / incompletely known", panels.line("#8e8e8e", width=1)
        )
        .override_by_name(
            "合同需量 / contract demand", panels.line("red", dashed=True, width=1)
        )
        .override_by_name(
            "合同的 90 % / 90 % of contract",
            panels.line("orange", dashed=True, width=1),
        )
        .legend(panels.legend())
    )


def _shares() -> table.Panel:
    return (
        panels.rows(queries.SHARES)
        .id(7)
        .title("谁造成当月峰值 / Who makes the month's peak")
        .description(
            "当月园区峰值窗口（园区规则长度的固定窗口，园区时区）内各企业功率、占园区比例及其自身当月峰值；"
            "“未分表”= 园区 − 各企业之和，仅在全部已知时给出。来源：grafana.peak_share。"
            "Each enterprise in the window of the park's peak (fixed, of the length that "
            "the park's rule says; park's time zone): power, share of the park, own peak "
            "of the month. Unmetered = park − sum of enterprises, where all are known. "
            "Source: grafana.peak_share."
        )
        .grid_pos(place(16, 5, 8, 11))
        .override_by_name("占比 / share", panels.share_bar())
    )


def _months() -> barchart.Panel:
    return (
        barchart.Panel()
        .id(8)
        .title(
            "各月峰值与合同需量（按需量规则）/ Monthly peaks and contract (by its rule)"
        )
        .description(
            "截至所选时间末尾的十二个月（园区时区）：每月最高需量与当时合同需量；"
            f"{panels.RULE_ZH}。来源：grafana.park_peak。"
            "The twelve months (park's time zone) up to the end of the range: highest "
            f"demand and the contract demand then; {panels.RULE}. "
            "Source: grafana.park_peak."
        )
        .grid_pos(place(0, 16, 14, 9))
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.MONTHS))
        .x_field("月 / month")
        .unit(KW)
        .min(0)
        .no_value(NOTHING)
        .override_by_name("峰值 / peak", panels.line("blue")[:1])
        .override_by_name("合同需量 / contract demand", panels.line("red")[:1])
    )


def _quality() -> table.Panel:
    return (
        panels.rows(queries.QUALITY)
        .id(9)
        .title("数据质量：最差在前 / Data quality: worst first")
        .description(
            "所选时间触及的各日（园区时区）中，每块已确认表计的已知与估算时长占比（总和之比）。"
            "影响：以上各合计。来源：grafana.data_quality。"
            "Per confirmed meter, over the days (park's time zone) that the range "
            "touches: share of the time known and, of it, estimated, as ratios of sums. "
            "It bears on all totals above. Source: grafana.data_quality."
        )
        .grid_pos(place(14, 16, 10, 9))
        .unit(SHARE)
        .decimals(1)
        .override_by_name(
            "已知 / known",
            [*panels.coloured(KNOWN), panels.cell({"type": "color-text"})],
        )
    )
