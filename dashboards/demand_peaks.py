"""The dashboard of demand: where this window ends, what the period's peaks were made of."""

from grafana_foundation_sdk.builders import (
    dashboard,
    heatmap,
    stat,
    table,
    timeseries,
    trend,
)
from grafana_foundation_sdk.models.common import (
    GraphDrawStyle,
    LineInterpolation,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale

from dashboards import demand_queries as queries
from dashboards import panels
from dashboards.panels import KNOWN, KW, OF_CONTRACT, SHARE, Sql, place

UID = "parkwatt-demand-peaks"
TITLE = "Demand and peaks / 需量与峰值"
REFUSED = "无数据，或已知时间不足 95 % / no data, or less than 95 % of the time known"

LIMIT = "合同需量 100 % / contract demand"
NEAR = "合同的 90 % / 90 % of contract"


def build() -> dashboard.Dashboard:
    """Put the dashboard together."""
    return (
        panels.board(
            UID,
            TITLE,
            "本时段会不会超过合同需量、要压减多少、现在谁在用电；"
            f"本期峰值何时出现、由谁造成、负荷如何分布；{panels.RULE_ZH}。"
            "Will this window exceed the contract demand, how much must be "
            "dropped, who draws it now; when the period's peaks were, who made them, and "
            f"how the load lies around them; {panels.RULE}.",
            "now/M",
        )
        .with_panel(_running())
        .with_panel(_peak())
        .with_panel(_coincidence())
        .with_panel(_quality())
        .with_panel(_live())
        .with_panel(_now())
        .with_panel(_top())
        .with_panel(_shares())
        .with_panel(_duration())
        .with_panel(_map())
    )


def _running() -> stat.Panel:
    return (
        panels.answers(queries.RUNNING)
        .id(1)
        .title("本时段预计需量 / This window is on course for")
        .description(
            "正在进行的固定窗口（园区规则的长度）结束时的预计需量、占合同需量、为不超合同在剩余时间须压减的功率，"
            "及同类窗口十有八次落入的区间；与所选时间无关。公式：f·已过部分平均功率 + (1−f)·其余预计功率。"
            "来源：grafana.forecast。"
            "Expected demand at the end of the running fixed window, of the length that "
            "the park's rule says, its ratio to the contract demand, the power to drop for all of the time left, and the "
            "range in which 8 of 10 such windows end; whatever the time range. Formula: "
            "f · mean so far + (1 − f) · expected rest, f being the share that is over. "
            "Source: grafana.forecast."
        )
        .grid_pos(place(0, 0, 9, 6))
        .no_value("本时段暂无数据 / nothing is known of this window")
        .override_by_name("占合同 / of contract", panels.coloured(OF_CONTRACT))
        .override_by_name("剩余 / left", [panels.unit("m"), panels.decimals(1)])
    )


def _peak() -> stat.Panel:
    return (
        panels.answers(queries.PEAK)
        .id(2)
        .title("本期峰值（按需量规则）/ Peak of the range (by its rule)")
        .description(
            "所选时间内已结束窗口的平均功率最大值、占当时合同需量、窗口起点（园区时区）、"
            f"固定窗口达到合同 90 % 及以上的小时数；{panels.RULE_ZH}。变压器负载率 = √(P²+Q²) / 登记容量，未登记时不给出。"
            "来源：grafana.top_peaks、windows、transformer_load。"
            "Highest mean power of the closed windows of the range, its ratio to the "
            "contract demand then, its start (park's time zone), hours of fixed windows at "
            f"90 % of the contract or above; {panels.RULE}. Transformer: √(P²+Q²) / "
            "capacity stated, none where none is. "
            "Source: grafana.top_peaks, windows, transformer_load."
        )
        .grid_pos(place(9, 0, 7, 6))
        .no_value(REFUSED)
        .override_by_name("占合同 / of contract", panels.coloured(OF_CONTRACT))
        .override_by_name("≥ 90 % 合同 / of contract", [panels.unit("h")])
        .override_by_name(
            "变压器最高负载 / transformer at most",
            panels.coloured(
                panels.limits((None, "green"), (0.8, "orange"), (1, "red"))
            ),
        )
    )


def _coincidence() -> stat.Panel:
    return (
        panels.answers(queries.COINCIDENCE)
        .id(3)
        .title("同时系数 / Coincidence")
        .description(
            "所选时间内园区峰值 ÷ 各企业与未分表部分自身峰值之和（园区规则长度的固定窗口）；分散系数为其倒数。"
            "任一部分未知时不给出。来源：grafana.period_coincidence。"
            "Park peak of the time range ÷ sum of the own peaks of the enterprises and the "
            "unmetered rest, in fixed windows of the length that the park's rule says; "
            "diversity is its inverse. None while a part is unknown. "
            "Source: grafana.period_coincidence."
        )
        .grid_pos(place(16, 0, 4, 6))
        .unit("none")
        .decimals(3)
        .no_value(REFUSED)
    )


def _quality() -> stat.Panel:
    return (
        panels.answers(queries.QUALITY)
        .id(4)
        .title("数据质量 / Data quality")
        .description(
            "所选时间内已结束窗口中已知 ≥ 95 % 者占时间之比，不足 95 % 时下方各峰值不给出；"
            f"{panels.RULE_ZH}。其中估算时长占比；此刻 15 分钟内上报功率的表计占比。来源：grafana.known、park_demand、park_power。"
            "Share of the time range whose closed windows are known to 95 %: below 95 % "
            f"the peaks below are refused; {panels.RULE}. Estimated part of the time "
            "known; share of the meters that said their power within 15 minutes. "
            "Source: grafana.known, park_demand, park_power."
        )
        .grid_pos(place(20, 0, 4, 6))
        .unit(SHARE)
        .decimals(1)
        .override_by_name("已知时间 / time known", panels.coloured(KNOWN))
        .override_by_name("表计在线 / meters heard", panels.coloured(KNOWN))
    )


def _dots(color: str, size: int) -> list[DynamicConfigValue]:
    return [
        *panels.line(color),
        DynamicConfigValue(id_val="custom.drawStyle", value="points"),
        DynamicConfigValue(id_val="custom.showPoints", value="always"),
        DynamicConfigValue(id_val="custom.pointSize", value=size),
    ]


def _bars(color: str) -> list[DynamicConfigValue]:
    return [
        DynamicConfigValue(
            id_val="color", value={"mode": "fixed", "fixedColor": color}
        ),
        DynamicConfigValue(id_val="custom.drawStyle", value="bars"),
        DynamicConfigValue(id_val="custom.barAlignment", value=1),
        DynamicConfigValue(id_val="custom.fillOpacity", value=60),
        DynamicConfigValue(id_val="custom.lineWidth", value=0),
    ]


def _live() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .id(5)
        .title(
            "最近 24 小时需量（按需量规则）、本时段预计与合同 / "
            "Demand of 24 hours (by its rule), this window's forecast, contract"
        )
        .description(
            "柱：已结束窗口的平均功率，以起点标记，滑动规则下为各刻钟内开始的最高滑动窗口；"
            f"覆盖率 < 95 % 者为灰色，缺失者留空；{panels.RULE_ZH}。"
            "点：进行中窗口的预计需量及 10–90 % 区间。虚线：当时有效的合同需量（100 %）及其 90 %。"
            "时间轴为北京时间，固定为最近 24 小时。来源：grafana.competing、grafana.forecast。"
            "Bars: mean power of closed windows, labelled by their start, of sliding ones "
            "the highest that begins in each quarter hour; grey where coverage is < 95 %, "
            f"missing ones left out; {panels.RULE}. Dots: expected demand of the running "
            "window and its 10–90 % band. Dashed: contract demand valid then (100 %) and "
            "90 % of it. Time axis Asia/Shanghai, always 24 hours. "
            "Source: grafana.competing, grafana.forecast."
        )
        .grid_pos(place(0, 6, 16, 11))
        .time_from("24h")
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.LIVE, "time_series"))
        .interval("15m")
        .unit(KW)
        .min(0)
        .no_value(REFUSED)
        .draw_style(GraphDrawStyle.LINE)
        .line_interpolation(LineInterpolation.STEP_AFTER)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .override_by_name("需量 / demand", _bars("blue"))
        .override_by_name("数据不足 / incompletely known", _bars("#8e8e8e"))
        .override_by_name("本时段预计 / expected", _dots("purple", 12))
        .override_by_name("预计下限 / low", _dots("purple", 5))
        .override_by_name("预计上限 / high", _dots("purple", 5))
        .override_by_name(LIMIT, panels.line("red", dashed=True))
        .override_by_name(NEAR, panels.line("orange", dashed=True))
        .legend(panels.legend())
    )


def _now() -> table.Panel:
    return (
        panels.rows(queries.NOW)
        .id(6)
        .title("此刻谁在用电 / Who draws power now")
        .description(
            "各企业计入表计最新功率读数（15 分钟以内）之和及占园区比例，与所选时间无关；"
            "“未分表”= 园区 − 各企业之和，仅在全部表计在线时给出。来源：grafana.enterprise_power。"
            "Sum of the newest power readings (up to 15 minutes old) of each enterprise's "
            "meters and its share of the park, whatever the time range. Unmetered = park − "
            "sum of enterprises, where all meters are heard. "
            "Source: grafana.enterprise_power."
        )
        .grid_pos(place(16, 6, 8, 11))
        .override_by_name("占比 / share", panels.share_bar())
        .override_by_name(
            "表计在线 / meters heard",
            [*panels.coloured(KNOWN), panels.cell({"type": "color-text"})],
        )
    )


def _top() -> table.Panel:
    return (
        panels.rows(queries.TOP)
        .id(7)
        .title("最高的十个峰值 / Ten highest peaks")
        .description(
            "所选时间内相隔一小时以上的最高需量、占当时合同需量，及其所在固定窗口内功率最大的企业；"
            f"{panels.RULE_ZH}。窗口起点为园区时区。来源：grafana.top_peaks、drew_most。"
            "Highest demands of the time range that are more than an hour apart, their "
            "ratio to the contract demand then, and the enterprise that drew most in the "
            f"fixed window that holds them; {panels.RULE}. Starts in the park's time zone. "
            "Source: grafana.top_peaks, drew_most."
        )
        .grid_pos(place(0, 17, 12, 10))
        .no_value(REFUSED)
        .override_by_name(
            "占合同 / of contract",
            [*panels.coloured(OF_CONTRACT), panels.cell({"type": "color-text"})],
        )
        .override_by_name("其占比 / its share", panels.share_bar())
    )


def _shares() -> table.Panel:
    return (
        panels.rows(queries.SHARES)
        .id(8)
        .title("谁造成本期峰值 / Who made the peak of the range")
        .description(
            "所选时间内园区峰值窗口（园区规则长度的固定窗口，园区时区）中各企业功率、占园区比例，"
            "其自身峰值及窗口，以及其表计计入期间的已知占比；“未分表”= 园区 − 各企业之和，各项占比相加为 1。来源：grafana.made_by。"
            "Each enterprise in the window of the park's peak (fixed, of the length that "
            "the park's rule says; park's time zone): power, share of the park, own peak "
            "and its window, known share of the time in which its meters counted. "
            "Unmetered = park − sum of enterprises; the shares add up to 1. "
            "Source: grafana.made_by."
        )
        .grid_pos(place(12, 17, 12, 10))
        .override_by_name("占比 / share", panels.share_bar())
        .override_by_name(
            "已知 / known",
            [*panels.coloured(KNOWN), panels.cell({"type": "color-text"})],
        )
    )


def _duration() -> trend.Panel:
    return (
        trend.Panel()
        .id(9)
        .title("负荷持续曲线与合同需量 / Load duration curve and contract")
        .description(
            "横轴：需量不低于该值的时间占已知时间之比；纵轴：园区规则长度的固定窗口需量，由高到低，至多 200 点；"
            "虚线为峰值出现时的合同需量（100 %）及其 90 %。来源：grafana.load_duration。"
            "Across: share of the known time of the time range in which demand was at "
            "least so high; up: demand of fixed windows of the length that the park's rule "
            "says, falling, at most 200 points. "
            "Dashed: contract demand at the peak (100 %) and 90 % of it. "
            "Source: grafana.load_duration."
        )
        .grid_pos(place(0, 27, 12, 11))
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.DURATION))
        .x_field("占已知时间 / share of the time known")
        .unit(KW)
        .min(0)
        .no_value(REFUSED)
        .draw_style(GraphDrawStyle.LINE)
        .show_points(VisibilityMode.NEVER)
        .fill_opacity(15)
        .override_by_name("占已知时间 / share of the time known", [panels.unit(SHARE)])
        .override_by_name("需量 / demand", panels.line("blue"))
        .override_by_name(LIMIT, panels.line("red", dashed=True))
        .override_by_name(NEAR, panels.line("orange", dashed=True))
        .legend(panels.legend())
    )


def _map() -> heatmap.Panel:
    return (
        heatmap.Panel()
        .id(10)
        .title("时 × 日平均功率 / Mean power by hour and day")
        .description(
            "每格为园区当地一小时内各固定窗口（园区规则的长度）的平均功率；已知窗口不足 95 % 的格子留空，空不等于 0。"
            "色标自 0 起。横轴为园区时区的各日，纵轴 00–23 时。来源：grafana.hour_map。"
            "Each cell is the mean power of the fixed windows of one local hour, of the "
            "length that the park's rule says; "
            "left out where less than 95 % of them are known: empty is not 0. The colours "
            "begin at 0. Across the days of the park's time zone, up its hours 00–23. "
            "Source: grafana.hour_map."
        )
        .grid_pos(place(12, 27, 12, 11))
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.MAP))
        .calculate(False)
        .unit(KW)
        .no_value(REFUSED)
        .cell_values(heatmap.CellValues().unit(KW).decimals(0))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("Blues")
            .scale(HeatmapColorScale.LINEAR)
            .fill("blue")
            .exponent(0.5)
            .steps(64)
            .reverse(False)
            .min(0)
        )
        .show_legend()
    )
