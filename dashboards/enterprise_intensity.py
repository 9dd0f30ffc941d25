"""The dashboard of intensities: who takes how much energy or carbon for its added value."""

from grafana_foundation_sdk.builders import dashboard, stat, table, timeseries
from grafana_foundation_sdk.models.common import GraphDrawStyle, VisibilityMode

from dashboards import carbon_queries as queries
from dashboards import panels
from dashboards.panels import KNOWN, SHARE, Sql, place

UID = "parkwatt-enterprise-intensity"
TITLE = "Enterprise intensity / 企业强度"
REFUSED = (
    "覆盖不足 95 % 或缺增加值，不给出 / refused: coverage below 95 %, or no added value"
)
UNIT = "单位：tce 或 tCO2 每万元增加值（当年价）。"  # of all intensities, before the source
UNIT_EN = "Unit: tce or tCO2 per 10⁴ CNY of added value at current prices. "


def build() -> dashboard.Dashboard:
    """Put the dashboard together."""
    return (
        panels.board(
            UID,
            TITLE,
            "园区每万元增加值的能耗与碳排放：月、本年累计、滚动十二个月与目标；企业排名及覆盖率；"
            "没有名次者与原因一并列出。供园区管理者使用，不给企业看。"
            "Energy and carbon per 10⁴ CNY of added value: month, year to date and rolling "
            "twelve months against the target; enterprises ranked with their coverage, and "
            "those without a place with the reason. For the park's managers, never for "
            "enterprises.",
            "now-1y",
        )
        .refresh("60s")
        .with_variable(panels.choice("figure", "指标 / figure", queries.FIGURES))
        .with_variable(panels.choice("span", "期间 / period", queries.SPANS))
        .with_panel(_now())
        .with_panel(_target())
        .with_panel(_counts())
        .with_panel(_quality())
        .with_panel(_months())
        .with_panel(_ranking())
        .with_panel(_unranked())
        .with_panel(_across())
    )


def _now() -> stat.Panel:
    return (
        panels.answers(queries.PARK_NOW)
        .id(1)
        .title("园区强度 / Intensity of the park")
        .description(
            "公式：能耗或排放之和 ÷ 增加值之和（园区，最近结束的月、本年累计、滚动十二个月，园区时区）。"
            + UNIT
            + "来源：grafana.intensity。"
            "Formula: sum of energy or carbon ÷ sum of added value of the park; the last "
            "month that is over, the year to date, rolling twelve months of the park's "
            "time zone. " + UNIT_EN + "Source: grafana.intensity."
        )
        .grid_pos(place(0, 0, 8, 6))
        .unit("none")
        .decimals(4)
        .no_value(REFUSED)
    )


def _target() -> stat.Panel:
    return (
        panels.answers(queries.TARGET)
        .id(2)
        .title("强度目标 / Intensity target")
        .description(
            "园区强度目标（所选指标与方法）与同年本年累计。年为园区时区的自然年。"
            + UNIT
            + "来源：grafana.target、grafana.intensity。"
            "The park's target of the chosen figure and method, and the year to date of "
            "the same year in the park's time zone. "
            + UNIT_EN
            + "Source: grafana.target, intensity."
        )
        .grid_pos(place(8, 0, 6, 6))
        .unit("none")
        .decimals(4)
        .no_value("未设目标 / no target is set")
        .override_by_name("占目标 / of the target", panels.coloured(panels.OF_CONTRACT))
    )


def _counts() -> stat.Panel:
    return (
        panels.answers(queries.COUNTS)
        .id(3)
        .title("排名企业数 / Enterprises ranked")
        .description(
            "所选期间（截至最近结束的月，园区时区）有名次的企业数与没有名次者的原因。来源：grafana.intensity。"
            "Enterprises that have a place in the chosen period, which ends with the last "
            "month that is over (park's time zone), and why others have none. "
            "Source: grafana.intensity."
        )
        .grid_pos(place(14, 0, 5, 6))
        .unit("none")
        .decimals(0)
    )


def _quality() -> stat.Panel:
    return (
        panels.answers(queries.QUALITY)
        .id(4)
        .title("数据质量 / Data quality")
        .description(
            "各企业已结束期间的最低计量覆盖、增加值为估算的占比、算出的时刻（园区时区）。来源：grafana.intensity。"
            "Lowest coverage by meters of the enterprises' periods that are over, share "
            "of them whose added value is estimated, and when they were made (park's time "
            "zone). Source: grafana.intensity."
        )
        .grid_pos(place(19, 0, 5, 6))
        .unit(SHARE)
        .decimals(1)
        .override_by_name("最低覆盖 / lowest coverage", panels.coloured(KNOWN))
    )


def _months() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .id(5)
        .title("园区逐月至全年与目标 / The park, month to year, and the target")
        .description(
            "柱：各月强度；灰柱：覆盖不足或月份未结束，不可发布。线：本年累计、滚动十二个月；虚线：当年目标。"
            "时间轴为北京时间，固定为最近一年。" + UNIT + "来源：grafana.intensity。"
            "Bars: months; grey: covered too little or not over, not to be published. "
            "Lines: year to date, rolling twelve months; dashed: the year's target. Time "
            "axis Asia/Shanghai, always one year. "
            + UNIT_EN
            + "Source: grafana.intensity."
        )
        .grid_pos(place(0, 6, 16, 10))
        .time_from("1y")
        .datasource(panels.SOURCE)
        .with_target(Sql(queries.MONTHS, "time_series"))
        .unit("none")
        .decimals(4)
        .min(0)
        .no_value(REFUSED)
        .draw_style(GraphDrawStyle.LINE)
        .show_points(VisibilityMode.ALWAYS)
        .span_nulls(False)
        .override_by_name("月 / month", panels.bars("blue", 50))
        .override_by_name("未可发布 / not publishable", panels.bars("#8e8e8e", 30))
        .override_by_name("本年累计 / year to date", panels.line("purple"))
        .override_by_name("滚动 12 个月 / rolling 12", panels.line("green"))
        .override_by_name("目标 / target", panels.line("red", dashed=True))
        .legend(panels.legend())
    )


def _unranked() -> table.Panel:
    return (
        panels.rows(queries.UNRANKED)
        .id(7)
        .title("没有名次者与原因 / Without a place, and why")
        .description(
            "所选期间（截至最近结束的月，园区时区）没有名次的企业：缺增加值、覆盖不足或能耗未知；一个也不隐去。"
            "来源：grafana.intensity。"
            "Enterprises without a place in the chosen period, which ends with the last "
            "month that is over (park's time zone): added value missing, too little "
            "covered, or energy unknown. Nobody is dropped. Source: grafana.intensity."
        )
        .grid_pos(place(16, 6, 8, 10))
        .unit(SHARE)
        .decimals(1)
        .no_value("都有名次 / everybody has a place")
    )


def _ranking() -> table.Panel:
    return (
        panels.rows(queries.RANKING)
        .id(6)
        .title("强度排名与覆盖 / Ranking with coverage")
        .description(
            "所选期间（截至最近结束的月，园区时区）按强度由低到高；并列同名次。只排名覆盖 ≥ 95 % 且增加值为正者。"
            + UNIT
            + "来源：grafana.intensity。"
            "The chosen period, which ends with the last month that is over (park's time "
            "zone), lowest first, equals share a place; only with coverage of 95 % and an "
            "added value above 0. " + UNIT_EN + "Source: grafana.intensity."
        )
        .grid_pos(place(0, 16, 13, 11))
        .unit("none")
        .decimals(4)
        .no_value(REFUSED)
        .override_by_name("名次 / place", [panels.decimals(0)])
        .override_by_name("增加值 / added value [10⁴ CNY]", [panels.decimals(1)])
        .override_by_name("覆盖 / coverage", panels.share_bar())
    )


def _across() -> table.Panel:
    return (
        panels.rows(queries.ACROSS)
        .id(8)
        .title(
            "各企业：月、累计、滚动与目标 / Enterprises: month, to date, rolling, target"
        )
        .description(
            "截至最近结束的月（园区时区）；不可发布者留空，留空不等于 0。"
            + UNIT
            + "来源：grafana.intensity。"
            "Up to the last month that is over (park's time zone); left out where it must "
            "not be published: empty is not 0. "
            + UNIT_EN
            + "Source: grafana.intensity."
        )
        .grid_pos(place(13, 16, 11, 11))
        .unit("none")
        .decimals(4)
        .override_by_name(
            "最低覆盖 / lowest coverage",
            [*panels.coloured(KNOWN), panels.cell({"type": "color-text"})],
        )
    )
