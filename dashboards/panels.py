"""Small parts that all dashboards are made of: SQL targets, units, limits, layout."""

from typing import Literal

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    GridPos,
    Threshold,
    ThresholdsMode,
)

SOURCE_TYPE = "grafana-postgresql-datasource"
SOURCE = DataSourceRef(type_val=SOURCE_TYPE, uid="${ds}")
KW = "kwatt"
SHARE = "percentunit"
NOTHING = "—"


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
