"""The committed JSON is what the builders give, and keeps to the rules we set."""

import copy
import importlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("grafana_foundation_sdk", reason="extra [grafana] not installed")

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model

from dashboards import build

Json = dict[str, Any]

PANELS = {
    "barchart",
    "bargauge",
    "heatmap",
    "stat",
    "statetimeline",
    "table",
    "timeseries",
    "trend",
}
UNITS = {"h", "kwatt", "m", "none", "percentunit", "s"}
UNITS |= {"suffix: tCO₂", "suffix: tCO₂/tce"}
# beside data source and park
CHOICES = {"parkwatt-carbon-peak": {"method"}}
CHOICES["parkwatt-enterprise-intensity"] = {"figure", "span"}
DASHBOARDS = build.dashboards()


@pytest.fixture(scope="session", autouse=True)
def _plugins() -> None:
    register_default_plugins()


def test_committed_json_is_generated() -> None:
    committed = {p.name: p.read_text("utf-8") for p in build.FOLDER.glob("*.json")}
    assert committed == build.texts(), "run: python -m dashboards.build"


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_rules(uid: str) -> None:
    assert list(faults(DASHBOARDS[uid])) == []


def lost(given: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Name what is in `given` and not in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from lost(value, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is unknown"
    elif isinstance(given, list) and isinstance(kept, list):
        for i, (one, other) in enumerate(zip(given, kept, strict=False)):
            yield from lost(one, other, f"{path}[{i}]")


def through(kind: Any, given: Json) -> Any:
    return json.loads(json.dumps(kind.from_json(given), cls=JSONEncoder))


def unknown_keys(board: Json) -> Iterator[str]:
    yield from lost(board, through(model.Dashboard, board))
    for panel in board["panels"]:
        if panel["type"] not in PANELS:
            continue
        kinds = importlib.import_module(
            "grafana_foundation_sdk.models." + panel["type"]
        )
        yield from lost(panel["options"], through(kinds.Options, panel["options"]))
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if custom:
            yield from lost(custom, through(kinds.FieldConfig, custom))


def faults(board: Json) -> Iterator[str]:
    """Find what breaks our rules for dashboards."""
    yield from unknown_keys(board)
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board["uid"]):
        yield "uid"
    if board["editable"]:
        yield "editable"
    if board["timezone"] != "Asia/Shanghai":
        yield "timezone"
    if int(board["refresh"].removesuffix("s")) < 5:
        yield "refresh below 5 s"
    if not re.search(r"[\u4e00-\u9fff]", board["title"] + board["description"]):
        yield "no Chinese title"
    variables = {each["name"]: each for each in board["templating"]["list"]}
    if set(variables) != {"ds", "park"} | CHOICES.get(board["uid"], set()):
        yield "variables"
    if any(each.get("refresh", 0) not in (0, 1, 2) for each in variables.values()):
        yield "variable refresh"
    if [
        (each["type"], each["tags"], each["keepTime"], each["includeVars"])
        for each in board["links"]
    ] != [("dashboards", ["parkwatt"], True, True)] or "parkwatt" not in board["tags"]:
        yield "no links that keep time and park"
    if not 6 <= len(board["panels"]) <= 10:
        yield "6 to 10 panels"
    ids = [each.get("id") for each in board["panels"]]
    if None in ids or len(set(ids)) < len(ids):
        yield "panel ids"
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        yield from (f"{panel.get('title')}: {each}" for each in panel_faults(panel))
        at = panel["gridPos"]
        if not all(isinstance(at[key], int) for key in "xywh"):
            yield "grid position is not a number"
            continue
        mine = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        if at["x"] < 0 or at["x"] + at["w"] > 24:
            yield "outside the grid"
        if mine & cells:
            yield "panels overlap"
        cells |= mine


def panel_faults(panel: Json) -> Iterator[str]:
    if panel["type"] not in PANELS:
        yield f"type {panel['type']}"
    for key in ("title", "description"):
        text = panel.get(key, "")
        if not (re.search(r"[\u4e00-\u9fff]", text) and re.search(r"[a-z]{3}", text)):
            yield f"{key} is not in Chinese and English"
    for word in ("来源", "Source: grafana.", "time zone|time range|Time axis"):
        if not re.search(word, panel.get("description", "")):
            yield f"description lacks {word}"
    units = [panel["fieldConfig"]["defaults"].get("unit")] + [
        each["value"]
        for override in panel["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "unit"
    ]
    if not set(units) <= UNITS:
        yield f"units {units}"
    source = {"type": "grafana-postgresql-datasource", "uid": "${ds}"}
    if panel.get("datasource") != source:
        yield "data source"
    if not panel.get("targets"):
        yield "no query"
    for target in panel.get("targets", []):
        if target.get("datasource") != source:
            yield "data source of the query"
        if target.get("format") not in ("table", "time_series"):
            yield "format"
        sql = target.get("rawSql", "")
        if "'$park'" not in sql:
            yield "rawSql without '$park'"
        if "--" in sql or "/*" in sql:
            yield "comment in SQL"
        if re.search(r"core\.|\$__interval|\$__timeFilter|:raw", sql):
            yield "SQL reads more than the views, or an inclusive or moving window"


def _set(*path: Any, to: Any) -> Callable[[Json], None]:
    def change(board: Json) -> None:
        at: Any = board
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = to

    return change


def _rename_sql(board: Json) -> None:
    target = board["panels"][0]["targets"][0]
    target["rawSQL"] = target.pop("rawSql")


MISTAKES = {
    "key of the dashboard": _set("bogus", to=1),
    "key of a field": _set("panels", 0, "fieldConfig", "defaults", "untis", to="kwatt"),
    "key of a line": _set(
        "panels", 5, "fieldConfig", "defaults", "custom", "lineWdth", to=2
    ),
    "key of a legend": _set("panels", 5, "options", "legend", "showLegnd", to=True),
    "type": _set("panels", 0, "type", to="singlestat"),
    "place is text": _set("panels", 0, "gridPos", "x", to="0"),
    "too wide": _set("panels", 0, "gridPos", "w", to=25),
    "overlap": _set("panels", 1, "gridPos", "x", to=4),
    "same id": _set("panels", 1, "id", to=1),
    "unit": _set("panels", 0, "fieldConfig", "defaults", "unit", to="kW"),
    "language": _set("panels", 0, "description", to="only English"),
    "fixed source": _set("panels", 0, "datasource", "uid", to="fixed"),
    "variable": _set("templating", "list", 1, "refresh", to=9),
    "refresh": _set("refresh", to="1s"),
    "links that forget the park": _set("links", 0, "includeVars", to=False),
    "rawSQL": _rename_sql,
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_rules_find_mistakes(mistake: str) -> None:
    board = copy.deepcopy(DASHBOARDS["parkwatt-park-peak"])
    assert not list(faults(board))
    MISTAKES[mistake](board)
    assert list(faults(board))


def test_each_dashboard_has_its_own_address_and_name() -> None:
    assert len(DASHBOARDS) == len(build.texts()) == 4
    assert len({each["title"] for each in DASHBOARDS.values()}) == 4
