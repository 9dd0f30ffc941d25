"""Small parts that all dashboards are made of: SQL targets, units, limits, layout."""

from typing import Literal

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    LegendDisplayMode,
    LegendPlacement,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DynamicConfigValue,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

from dashboards import queries
from dashboards.datasource import NAME as SOURCE_NAME
from dashboards.datasource import UID as SOURCE_UID

SOURCE_TYPE = "grafana-postgresql-datasource"
SOURCE = DataSourceRef(type_val=SOURCE_TYPE, uid="${ds}")
KW = "kwatt"
SHARE = "percentunit"
RULE = "by the rule of demand; 15 minutes, fixed, where none is stated"
RULE_ZH = "按园区需量规则，未规定时为固定 15 分钟"
NOTHING = "—"
TONNES = "suffix: tCO₂"
PER_TCE = "suffix: tCO₂/tce"
TAG = "parkwatt"


class SqlQuery(variants.Dataquery):
    """One SQL query of a panel; the SDK has no model of it."""

    def __init__(self, sql: str, form: str) -> None:
        self.sql = sql
        self.form = form

    def to_json(self) -> dict[str, object]:
        """Give the query as Grafana stores it."""
        return {
            "refId": "A",
            "datasource": SOURCE.to_json(),
            "editorMode": "code",
            "format": self.form,
            "rawQuery": True,
            "rawSql": self.sql,
        }


class Sql(builder.Builder[variants.Dataquery]):
    """Builder of a query, as the SDK wants one."""

    def __init__(
        self, sql: str, form: Literal["table", "time_series"] = "table"
    ) -> None:
        self.query = SqlQuery("\n".join(line.strip() for line in sql.split("\n")), form)

    def build(self) -> variants.Dataquery:
        """Give the query."""
        return self.query


def place(x: int, y: int, width: int, height: int) -> GridPos:
    """Give a place on the grid of 24 columns."""
    return GridPos(x=x, y=y, w=width, h=height)


def limits(*steps: tuple[float | None, str]) -> builders.ThresholdsConfig:
    """Colour values from each step upwards; the first step has no bound."""
    return (
        builders.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=color) for value, color in steps])
    )


PLAIN = limits((None, "text"))
OF_CONTRACT = limits((None, "green"), (0.9, "orange"), (1, "red"))
KNOWN = limits((None, "red"), (0.95, "orange"), (0.99, "green"))


def unit(name: str) -> DynamicConfigValue:
    """Override the unit of a column."""
    return DynamicConfigValue(id_val="unit", value=name)


def decimals(count: int) -> DynamicConfigValue:
    """Override the decimals of a column."""
    return DynamicConfigValue(id_val="decimals", value=count)


def coloured(by: builders.ThresholdsConfig) -> list[DynamicConfigValue]:
    """Make a column a share, coloured by limits."""
    return [
        unit(SHARE),
        decimals(1),
        DynamicConfigValue(id_val="thresholds", value=by.build().to_json()),
    ]


def line(
    color: str, *, dashed: bool = False, width: int = 2
) -> list[DynamicConfigValue]:
    """Draw a column as a thin line without fill."""
    style = {"fill": "dash", "dash": [10, 10]} if dashed else {"fill": "solid"}
    return [
        DynamicConfigValue(
            id_val="color", value={"mode": "fixed", "fixedColor": color}
        ),
        DynamicConfigValue(id_val="custom.lineStyle", value=style),
        DynamicConfigValue(id_val="custom.lineWidth", value=width),
        DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    ]


def every_value() -> common_builders.ReduceDataOptions:
    """Show every column of the first row, text too."""
    return (
        common_builders.ReduceDataOptions()
        .values(True)
        .limit(1)
        .fields("/.*/")
        .calcs([])
    )


def board(uid: str, title: str, description: str, since: str) -> builders.Dashboard:
    """Begin a dashboard of one park; it links to the others, keeping time and park."""
    return (
        builders.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("Asia/Shanghai")
        .refresh("10s")
        .time(since, "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            builders.DashboardLink("Parkwatt")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .keep_time(True)
            .include_vars(True)
            .placement("")  # above the panels, not in the menu
        )
        .with_variable(
            builders.DatasourceVariable("ds")
            .label("数据源 / data source")
            .type(SOURCE_TYPE)
            .current(VariableOption(text=SOURCE_NAME, value=SOURCE_UID))
        )
        .with_variable(
            builders.QueryVariable("park")
            .label("园区 / park")
            .datasource(SOURCE)
            .allow_custom_value(False)
            .query(queries.PARKS)
            .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        )
    )


def choice(name: str, label: str, query: str) -> builders.QueryVariable:
    """Let one of the rows of a query be chosen; the first is, unless another was."""
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .allow_custom_value(False)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def bars(color: str, opacity: int = 70) -> list[DynamicConfigValue]:
    """Draw a column as bars."""
    return [
        DynamicConfigValue(
            id_val="color", value={"mode": "fixed", "fixedColor": color}
        ),
        DynamicConfigValue(id_val="custom.drawStyle", value="bars"),
        DynamicConfigValue(id_val="custom.barAlignment", value=1),
        DynamicConfigValue(id_val="custom.fillOpacity", value=opacity),
        DynamicConfigValue(id_val="custom.lineWidth", value=0),
    ]


def filled(color: str, opacity: int = 80) -> list[DynamicConfigValue]:
    """Give a bar of a bar chart its colour."""
    return [
        DynamicConfigValue(
            id_val="color", value={"mode": "fixed", "fixedColor": color}
        ),
        DynamicConfigValue(id_val="custom.fillOpacity", value=opacity),
    ]


def answers(sql: str) -> stat.Panel:
    """Show every column of one row, named; numbers are kW unless overridden."""
    return (
        stat.Panel()
        .datasource(SOURCE)
        .with_target(Sql(sql))
        .reduce_options(every_value())
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .orientation(VizOrientation.HORIZONTAL)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .thresholds(PLAIN)
        .unit(KW)
        .no_value(NOTHING)
    )


def rows(sql: str) -> table.Panel:
    """Show rows; numbers are kW unless overridden."""
    return (
        table.Panel()
        .datasource(SOURCE)
        .with_target(Sql(sql))
        .thresholds(PLAIN)
        .unit(KW)
        .no_value(NOTHING)
    )


def cell(kind: dict[str, str]) -> DynamicConfigValue:
    """Override how the cells of a column look."""
    return DynamicConfigValue(id_val="custom.cellOptions", value=kind)


def share_bar() -> list[DynamicConfigValue]:
    """Make a column a share of 0 to 1 with a bar."""
    return [
        unit(SHARE),
        decimals(1),
        DynamicConfigValue(id_val="min", value=0),
        DynamicConfigValue(id_val="max", value=1),
        cell({"type": "gauge", "mode": "basic"}),
    ]


def legend() -> common_builders.VizLegendOptions:
    """Name the series in a list below."""
    return (
        common_builders.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )
