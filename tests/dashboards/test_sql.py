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
BOARDS: dict[str, Json] = {
    each.stem: json.loads(each.read_text("utf-8")) for each in FOLDER.glob("*.json")
}
END = datetime(2026, 3, 11, 1, 45, tzinfo=UTC)  # of the peak window
RANGES = {
    "15 minutes": timedelta(minutes=15),
    "1 day": timedelta(days=1),
    "1 year": timedelta(days=365),
}
DAY = timedelta(days=1)
# by id: what refuses a year of which three days are known
REFUSED: dict[str, set[int]] = {"demand_peaks": {2, 3, 7, 9}}
# panels whose span is their own
OWN = {"24h": DAY, "1y": 365 * DAY, "5y": 5 * 365 * DAY}
CHOSEN = {"method": "location_region", "figure": "tce/calorific", "span": "month"}
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
        return f"'{known[call[1]].astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"

    return CALL.sub(value, sql)


def with_park(sql: str, park: str) -> str:
    """Put in a single-valued variable as the browser does: quotes doubled, unwrapped."""
    sql = sql.replace("$park", park.replace("'", "''"))
    for name, value in CHOSEN.items():
        sql = sql.replace(f"${name}", value)
    return sql


def run(
    conn: Connection, panel: Json, park: str, span: timedelta, end: datetime = END
) -> Frame:
    (target,) = panel["targets"]
    if "timeFrom" in panel:  # a panel with a span of its own
        span = OWN[panel["timeFrom"]]
    sql = expand(with_park(target["rawSql"], park), end - span, end)
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


def panel(title: str, board: str = "park_peak") -> Json:
    (found,) = [each for each in BOARDS[board]["panels"] if title in each["title"]]
    assert isinstance(found, dict)
    return found


def demand(title: str) -> Json:
    return panel(title, "demand_peaks")


@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("board", BOARDS)
def test_every_panel_has_data(park: Connection, span: str, board: str) -> None:
    refused = REFUSED.get(board, set()) if span == "1 year" else set()
    for each in BOARDS[board]["panels"]:
        begun = time.perf_counter()
        frame = run(park, each, "P", RANGES[span])
        took = time.perf_counter() - begun
        assert took < 2, each["title"]
        if each["id"] in refused:
            assert frame.rows == []
            assert "95 %" in each["fieldConfig"]["defaults"]["noValue"]
            continue
        assert frame.rows, each["title"]
        assert any(value is not None for row in frame.rows for value in row[1:] or row)
        assert len(frame.rows) <= 40_000


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("code", ["EMPTY", "nobody", "O'Brien", "x' OR '1'='1", ""])
def test_every_panel_survives(park: Connection, code: str, board: str) -> None:
    for each in BOARDS[board]["panels"]:
        for span in RANGES.values():
            columns, rows = run(park, each, code, span)
            if code == "EMPTY":  # nothing but shares of nothing, and days of its map
                known = [dict(zip(columns, row, strict=True)) for row in rows]
                assert not any(
                    value
                    for row in known
                    for column, value in row.items()
                    if column != "time"
                )
            else:
                assert rows == []


def test_variable(park: Connection) -> None:
    queries = {
        each["query"]
        for board in BOARDS.values()
        for each in board["templating"]["list"]
        if each["name"] == "park"
    }
    (query,) = queries
    cursor = park.execute(query.encode())
    assert cursor.description is not None
    assert [each.name for each in cursor.description] == ["__text", "__value"]
    assert cursor.fetchall() == [("Park's (P)", "P"), ("空 (EMPTY)", "EMPTY")]


def test_figures(park: Connection) -> None:
    day = timedelta(days=1)
    assert run(park, panel("Day's highest"), "P", day).rows == [
        (655, 655 / 800, "03-11 09:30")
    ]
    (month,) = run(park, panel("Month's peak (by"), "P", day).rows
    assert month[:3] == (655, 655 / 800, "03-11 09:30")
    assert run(park, panel("Coincidence"), "P", day).rows == [(655 / 955,)]
    shares = run(park, panel("Who makes"), "P", day).rows
    assert [row[0] for row in shares] == [
        'O\'Neill "Steel" 钢铁 (A)',
        "B (B)",
        "C (C)",
        "未分表 / unmetered",
    ]
    assert sum(float(str(row[2])) for row in shares) == pytest.approx(1)
    assert run(park, panel("Monthly"), "P", day).rows == [("2026-03", 655, 800)]
    series = run(park, panel("Demand (by its rule)"), "P", day)
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
    sql = panel("Month's peak (by")["targets"][0]["rawSql"]
    march = datetime(2026, 3, 31, 16, tzinfo=UTC)
    text = expand(with_park(sql, "P"), march - timedelta(days=1), march)
    assert len(park.execute(text.encode()).fetchall()) == 1


def test_unknown_macro_is_refused() -> None:
    with pytest.raises(ValueError, match="__timeGroup"):
        expand("SELECT $__timeGroup(time,'1M')", END, END)


def test_the_running_window(park: Connection) -> None:
    (row,) = run(park, demand("on course"), "P", DAY).rows
    assert row[:2] == (840, 840 / 800)
    assert isinstance(row[3], float)
    assert 0 <= row[3] <= 15
    # 40 kW over the contract in 15 minutes; what runs is (210 - 50) kWh in 10 minutes
    shed = 40 * 15 / max(min(row[3], 10), 1e-9)
    exceeded = "已超合同 / exceeded"
    assert row[2] == (f"{shed:.0f} kW" if shed <= 960 else exceeded)
    assert row[4] == "820 – 870 kW"
    now = datetime.now(UTC)
    live = run(park, demand("24 hours"), "P", DAY, now + timedelta(seconds=5))
    (told,) = [row for row in live.rows if row[3] is not None]
    assert told[1:] == (None, None, 840, 820, 870, 800, 720)
    assert told == live.rows[-1]


def test_the_running_window_is_not_closed(park: Connection) -> None:
    """Its energy so far is no demand: only its forecast is shown."""
    park.execute("RESET ROLE")
    park.execute(
        "INSERT INTO core.usage_15min (channel_id, start, amount, measured_s, "
        "estimated_s, expected_s) SELECT channel_id, "
        "date_bin('15 minutes', now(), '2000-01-01Z') - n * interval '15 minutes', "
        "10, 900, 0, 900 FROM core.channel, generate_series(0, 1) AS n "
        "WHERE subject_id = 1 AND kind = 'total' AND quantity = 'energy_import'"
    )
    now = datetime.now(UTC)
    rows = run(park, demand("24 hours"), "P", DAY, now + timedelta(seconds=5)).rows
    assert [row[1] for row in rows] == [40, None]
    assert run(park, demand("Peak of the"), "P", timedelta(hours=1), now).rows == []


def test_who_draws_power_now(park: Connection) -> None:
    rows = run(park, demand("draws power now"), "P", DAY).rows
    assert rows == [
        ("B (B)", 87, None, 1),
        ('O\'Neill "Steel" 钢铁 (A)', 86, None, 1),
        ("C (C)", None, None, 0),
    ]
    park.execute("RESET ROLE")
    park.execute(
        "INSERT INTO core.reading (channel_id, at, value, batch_id) "
        "SELECT channel_id, now(), 27, 1 FROM core.channel "
        "WHERE subject_id = 7 AND quantity = 'power'"
    )
    rows = run(park, demand("draws power now"), "P", DAY).rows
    assert [row[1:] for row in rows] == [
        (87, 87 / 200, 1),
        (86, 86 / 200, 1),
        (27, 27 / 200, 1),
        (0, 0, 1),
    ]
    assert rows[-1][0] == "未分表 / unmetered"


def test_the_peaks_of_a_day(park: Connection) -> None:
    """10 March 09:45 to 11 March 09:45; one of 96 windows is known to one half."""
    (peak,) = run(park, demand("Peak of the range"), "P", DAY).rows
    assert peak[:4] == (655, 655 / 800, "03-11 09:30", 0)
    assert peak[4] == pytest.approx(655 * 1.25 / 1000)
    (quality,) = run(park, demand("Data quality"), "P", DAY).rows
    assert quality == pytest.approx((95 / 96, 9.5 / 95.5, 2 / 3))
    top = run(park, demand("Ten highest"), "P", DAY).rows
    largest = ('O\'Neill "Steel" 钢铁 (A)', 400 / 655)
    assert top[0] == ("2026-03-11 09:30", 655, 655 / 800, *largest)
    assert [row[0] for row in top[1:3]] == ["2026-03-10 09:45", "2026-03-10 11:00"]
    assert len(top) == 10
    curve = run(park, demand("duration"), "P", DAY).rows
    assert curve[0] == (1 / 95, 655, 800, 720)
    assert curve[-1] == (1, 355, 800, 720)
    assert len(curve) == 95


def test_who_made_the_peak_of_a_day(park: Connection) -> None:
    """11 March: A 400 kW at 09:30, B 500 kW at 20:00, and 5 kW that nobody measures."""
    end = datetime(2026, 3, 11, 16, tzinfo=UTC)
    rows = run(park, demand("Who made"), "P", DAY, end).rows
    assert rows == [
        ('O\'Neill "Steel" 钢铁 (A)', 400, 400 / 655, 400, "03-11 09:30", 1),
        ("B (B)", 200, 200 / 655, 500, "03-11 20:00", 1),
        ("C (C)", 50, 50 / 655, 50, "03-11 00:00", 1),
        ("未分表 / unmetered", 5, 5 / 655, 5, "03-11 00:00", 1),
    ]
    assert run(park, demand("同时系数"), "P", DAY, end).rows == [(655 / 955, 955 / 655)]


def test_the_map_of_a_day(park: Connection) -> None:
    """Three of four windows are too few; hours cut by the range are of what is in it."""
    frame = run(park, demand("hour and day"), "P", DAY)
    assert frame.columns == ["time", *(f"{hour:02}" for hour in range(24))]
    assert [row[0] for row in frame.rows] == [
        datetime(2026, 3, 9, 16, tzinfo=UTC),
        datetime(2026, 3, 10, 16, tzinfo=UTC),
    ]
    first, second = (row[1:] for row in frame.rows)
    assert first == (*[None] * 9, 355, 355, 355, None, *[355] * 11)
    assert second == (*[355] * 9, (355 + 355 + 655) / 3, *[None] * 14)


def test_a_window_without_an_enterprise_has_no_rest(park: Connection) -> None:
    park.execute("RESET ROLE")
    park.execute(
        "DELETE FROM core.usage_15min WHERE start = '2026-03-11 09:30+08' AND "
        "channel_id IN (SELECT channel_id FROM core.channel WHERE subject_id = 4)"
    )
    rows = run(park, demand("Who made"), "P", DAY).rows
    assert [row[1] for row in rows] == [400, 200, None, None]
    assert run(park, demand("同时系数"), "P", DAY).rows == [(None, None)]


def carbon(title: str) -> Json:
    return panel(title, "carbon_peak")


def ratios(title: str) -> Json:
    return panel(title, "enterprise_intensity")


def test_choices(park: Connection) -> None:
    """The first method is the one of which most years decide."""
    found: dict[str, list[object]] = {}
    for board in ("carbon_peak", "enterprise_intensity"):
        for each in BOARDS[board]["templating"]["list"]:
            if each["name"] in CHOSEN:
                cursor = park.execute(with_park(each["query"], "P").encode())
                assert cursor.description is not None
                assert [e.name for e in cursor.description] == ["__text", "__value"]
                found[each["name"]] = [row[1] for row in cursor.fetchall()]
    assert found["method"] == ["location_region", "ets"]
    assert {name: values[0] for name, values in found.items()} == CHOSEN


def test_the_carbon_peak(park: Connection) -> None:
    (state,) = run(park, carbon("State of the peak"), "P", DAY).rows
    assert state[0] == "下降，未确认 / declining, not confirmed"
    assert "fewer than five years" in str(state[1])
    assert state[2:] == ("2020–2024", "2020", 1500, "4")
    assert run(park, carbon("Last twelve"), "P", DAY).rows == [(1200, 0.8, "2026-02")]
    (budget,) = run(park, carbon("/ Carbon budget"), "P", DAY).rows
    assert budget == (200, 0.2, 40, 1100, "2026-11-20")
    assert run(park, carbon("core indicator"), "P", DAY).rows == [
        (1.145, 0.2, "规模以下无阈值 / no threshold of this size", 0.504)
    ]
    assert run(park, carbon("Emissions by year"), "P", DAY).rows == [
        ("2023", None, 1400, None),
        ("2024", 1350, None, None),
        ("2025 暂定 / provisional", None, None, 600),
    ]
    rolling = run(park, carbon("rolling twelve"), "P", DAY).rows
    assert [row[1:] for row in rolling] == [(1202, 1500), (None, 1500), (1200, 1500)]
    pace = run(park, carbon("Pace of"), "P", DAY).rows
    assert pace[:3] == [
        ("2026-01", 100, 80, None, 1000),
        ("2026-02", 200, 160, None, 1000),
        ("2026-03", None, 240, 300, 1000),
    ]


def test_methods_side_by_side(park: Connection) -> None:
    """A method of which a month is missing is refused, and what is known stands beside."""
    rows = run(park, carbon("side by side"), "P", DAY).rows
    assert [row[:6] for row in rows] == [
        ("配额 / ets", None, None, None, 990, 11),
        ("省级因子 / location_region", 1200, 360, 840, 1200, 12),
    ]
    assert rows[1][9] == "grid_average/CN-JS/2023"
    park.execute("RESET ROLE")
    park.execute("UPDATE core.book SET coverage = 0.9 WHERE figure LIKE 'co2_t/%'")
    rows = run(park, carbon("side by side"), "P", DAY).rows
    assert [row[1] for row in rows] == [None, None]


def test_the_intensities(park: Connection) -> None:
    assert run(park, ratios("Intensity of the park"), "P", DAY).rows == [
        (0.3, 0.3, 0.3, "2026-02")
    ]
    (target,) = run(park, ratios("Intensity target"), "P", DAY).rows
    assert target == (0.25, 0.3, pytest.approx(1.2), "2026")
    assert run(park, ratios("Enterprises ranked"), "P", DAY).rows == [(2, 1, 0, 0)]
    ranking = run(park, ratios("Ranking with"), "P", DAY).rows
    assert ranking == [
        (1, 'O\'Neill "Steel" 钢铁 (A)', 0.2, 100, "初步 / provisional", 1, 0.1),
        (2, "B (B)", 0.4, 100, "估算 / estimated", 1, None),
    ]
    assert run(park, ratios("Without a place"), "P", DAY).rows == [
        ("C (C)", "缺增加值 / added value missing", 0.5)
    ]
    months = run(park, ratios("month to year"), "P", DAY).rows
    assert [row[1:] for row in months] == [
        (0.3, None, 0.3, 0.3, 0.25),
        (0.3, None, 0.3, 0.3, 0.25),
        (None, 0.3, None, None, 0.25),
    ]
    across = run(park, ratios("Enterprises: month"), "P", DAY).rows
    assert across[0][1:] == (0.2, 0.2, 0.2, 1, 0.1)
    assert across[2][1:] == (None, None, None, 0.5, None)
