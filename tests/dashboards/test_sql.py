"""Each panel's SQL runs in the real database and gives a frame the panel can draw."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

Connection = psycopg.Connection[tuple[object, ...]]
Json = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "dashboards" / "json"
BOARD: Json = json.loads((FOLDER / "park_peak.json").read_text("utf-8"))
END = datetime(2026, 3, 11, 1, 45, tzinfo=UTC)  # of the peak window
RANGES = {
    "15 minutes": timedelta(minutes=15),
    "1 day": timedelta(days=1),
    "1 year": timedelta(days=365),
}
CALL = re.compile(r"\$([_a-zA-Z0-9]+)\(([^\)]*)\)")


class Frame(NamedTuple):
    columns: list[str]
    rows: list[tuple[object, ...]]


def expand(sql: str, start: datetime, stop: datetime) -> str:
    """Expand the macros that our panels use as Grafana does; refuse all others."""
    known = {"__timeFrom": start, "__timeTo": stop}

    def value(call: re.Match[str]) -> str:
        if call[1] not in known or call[2]:
            raise ValueError(f"unknown macro {call[0]}")
        return f"'{known[call[1]].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"

    return CALL.sub(value, sql)


def with_park(sql: str, park: str) -> str:
    """Put in a single-valued variable as the browser does: quotes doubled, unwrapped."""
    return sql.replace("$park", park.replace("'", "''"))


def run(conn: Connection, panel: Json, park: str, span: timedelta) -> Frame:
    (target,) = panel["targets"]
    sql = expand(with_park(target["rawSql"], park), END - span, END)
    assert "$" not in sql
    cursor = conn.execute(sql.encode())
    assert cursor.description is not None
    frame = Frame([each.name for each in cursor.description], cursor.fetchall())
    if target["format"] == "time_series":
        check_series(frame)
    named = {
        override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]
    }
    named |= {panel["options"]["xField"]} if "xField" in panel["options"] else set()
    assert named <= set(frame.columns)
    return frame


def check_series(frame: Frame) -> None:
    assert frame.columns[0] == "time"
    times = [row[0] for row in frame.rows]
    assert all(isinstance(each, datetime) for each in times)
    assert times == sorted(times)  # type: ignore[type-var]
    assert len(set(times)) == len(times)
    for row in frame.rows:
        assert all(each is None or isinstance(each, int | float) for each in row[1:])


def panel(title: str) -> Json:
    (found,) = [each for each in BOARD["panels"] if title in each["title"]]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("span", RANGES)
def test_every_panel_has_data(park: Connection, span: str) -> None:
    for each in BOARD["panels"]:
        begun = time.perf_counter()
        frame = run(park, each, "P", RANGES[span])
        took = time.perf_counter() - begun
        assert frame.rows, each["title"]
        assert any(value is not None for row in frame.rows for value in row[1:] or row)
        assert len(frame.rows) <= 40_000
        assert took < 2, each["title"]


@pytest.mark.parametrize("code", ["EMPTY", "nobody", "O'Brien", "x' OR '1'='1", ""])
def test_every_panel_survives(park: Connection, code: str) -> None:
    for each in BOARD["panels"]:
        for span in RANGES.values():
            frame = run(park, each, code, span)
            if "Coverage" in each["title"] and code == "EMPTY":
                assert frame.rows == [(0, 0)]
            else:
                assert frame.rows == []


def test_variable(park: Connection) -> None:
    (variable,) = [v for v in BOARD["templating"]["list"] if v["name"] == "park"]
    cursor = park.execute(variable["query"].encode())
    assert cursor.description is not None
    assert [each.name for each in cursor.description] == ["__text", "__value"]
    assert cursor.fetchall() == [("Park's (P)", "P"), ("空 (EMPTY)", "EMPTY")]


def test_figures(park: Connection) -> None:
    day = timedelta(days=1)
    assert run(park, panel("Day's highest"), "P", day).rows == [
        (655, 655 / 800, "03-11 09:30")
    ]
    (month,) = run(park, panel("Month's peak (fixed"), "P", day).rows
    assert month[:3] == (655, 655 / 800, "03-11 09:30")
    assert run(park, panel("Coincidence"), "P", day).rows == [(655 / 950,)]
    shares = run(park, panel("Who makes"), "P", day).rows
    assert [row[0] for row in shares] == [
        'O\'Neill "Steel" 钢铁 (A)',
        "B (B)",
        "C (C)",
        "未分表 / unmetered",
    ]
    assert sum(float(str(row[2])) for row in shares) == pytest.approx(1)
    assert run(park, panel("Monthly"), "P", day).rows == [("2026-03", 655, 800)]
    series = run(park, panel("15-min demand (fixed window)"), "P", day)
    assert len(series.rows) == 96
    assert series.rows[-1][1:] == (655, None, 800, 720)
    half = [row for row in series.rows if row[2] is not None]
    assert [row[1:3] for row in half] == [(None, 9000)]
    quality = run(park, panel("Data quality"), "P", timedelta(minutes=15)).rows
    assert quality[0] == ("C / M1", 0.75, 0.25)
    (coverage,) = run(park, panel("Coverage"), "P", day).rows
    assert coverage == (
        pytest.approx(95.5 / 96),
        pytest.approx(95 * 0.1 / 96),
    )


def test_month_that_ends_with_the_range(park: Connection) -> None:
    """A range to midnight of 1 April, Shanghai, ends in March."""
    sql = panel("Month's peak (fixed")["targets"][0]["rawSql"]
    march = datetime(2026, 3, 31, 16, tzinfo=UTC)
    text = expand(with_park(sql, "P"), march - timedelta(days=1), march)
    assert len(park.execute(text.encode()).fetchall()) == 1


def test_unknown_macro_is_refused() -> None:
    with pytest.raises(ValueError, match="__timeGroup"):
        expand("SELECT $__timeGroup(time,'1M')", END, END)
