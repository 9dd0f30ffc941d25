"""The page's API and the panels of *Demand and peaks* give the same figures.

Each panel's own SQL, as Grafana's login runs it, against the answer the page shows. What
a kernel computes for the API and a view for Grafana is held together here, on a day that
is known, on one with holes, and on one of which too little is known; by rules of demand
and with a tenant that moves in.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest

from analytics.jobs import tariffs
from store import demand_rules, registry
from store import tariffs as stored
from store.database import session
from tests.api.conftest import STEP_S
from tests.api.test_peaks_page import tell
from tests.api.test_routes import get
from tests.dashboards.test_sql import expand, with_park

Json = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "dashboards" / "json"
BOARD: Json = json.loads((FOLDER / "demand_peaks.json").read_text("utf-8"))
OF = "channel_id IN (SELECT channel_id FROM core.channel c JOIN core.{} s ON "
PARK = OF.format("park") + "c.subject_id = s.park_id WHERE s.code = 'P1')"
E03 = OF.format("enterprise") + "c.subject_id = s.enterprise_id WHERE s.code = 'E03')"

# 2 of 96 windows of the park and 3 of an enterprise, none of them near the peak
HOLES = (
    f"DELETE FROM core.usage_15min WHERE {PARK} AND start = %(day)s + interval '1 hour'",
    f"UPDATE core.usage_15min SET measured_s = 450, estimated_s = 0 WHERE {PARK} "
    "AND start = %(day)s + interval '135 minutes'",
    f"DELETE FROM core.usage_15min WHERE {E03} AND start >= %(day)s + interval '3 hours' "
    "AND start < %(day)s + interval '225 minutes'",
    # a rest that nobody measures, from 5 to 9
    f"UPDATE core.usage_15min SET amount = amount + 2.5 WHERE {PARK} AND amount > 100 "
    "AND start >= %(day)s + interval '5 hours' AND start < %(day)s + interval '9 hours'",
)
PEAKLESS = (
    f"DELETE FROM core.usage_15min WHERE {E03} AND start >= %(day)s + interval '9 hours' "
    "AND start < %(day)s + interval '12 hours'",
)
MOVED_IN = (
    "UPDATE core.assignment SET valid_from = %(day)s + interval '370 minutes' "
    "WHERE meter_id IN (SELECT meter_id FROM core.meter m JOIN core.enterprise e "
    "USING (enterprise_id) WHERE e.code = 'E07')",
)
TOO_LITTLE = (
    f"DELETE FROM core.usage_15min WHERE {PARK} AND start >= %(day)s "
    "AND start < %(day)s + interval '3 hours'",
)


@pytest.fixture
def grafana(own: Any) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection that reads as Grafana's login does."""
    with psycopg.connect(own.url, autocommit=True) as conn:
        conn.execute("SET ROLE parkwatt_grafana")
        yield conn


def rows(
    conn: psycopg.Connection[tuple[object, ...]],
    title: str,
    start: datetime,
    stop: datetime,
) -> list[Any]:
    """Run a panel's SQL for park P1 and a range."""
    (panel,) = [each for each in BOARD["panels"] if title in each["title"]]
    sql = expand(with_park(panel["targets"][0]["rawSql"], "P1"), start, stop)
    return conn.execute(sql.encode()).fetchall()


def close(value: Any) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-5)


def at(text: str | None, form: str) -> str | None:
    return None if text is None else f"{datetime.fromisoformat(text):{form}}"


def compare_period(
    api: httpx.Client, grafana: Any, first: datetime, last: datetime
) -> Json:
    """Hold all that is shown of a period on both sides together; give the answer."""
    asked = {"from": first.date().isoformat(), "to": last.date().isoformat()}
    said = get(api, "/parks/P1/peaks", **asked, count=10)
    # the API and the page say that a peak is a lower bound; a panel cannot, and refuses
    assert said["lower_bound"] == (said["coverage"] < 1)
    top = [
        ("%Y-%m-%d %H:%M", each["start"], each["kw"], each["control_rate"])
        for each in (said["top"] if said["coverage"] >= 0.95 else [])
    ]
    assert [row[:3] for row in rows(grafana, "Ten highest", first, last)] == [
        (at(start, form), close(kw), close(rate)) for form, start, kw, rate in top
    ]
    peak = rows(grafana, "Peak of the range", first, last)
    if top:
        assert peak[0][:3] == (
            close(top[0][2]),
            close(top[0][3]),
            at(top[0][1], "%m-%d %H:%M"),
        )
        loaded = said["transformer"]  # None: no capacity is stated
        assert peak[0][4] == (close(loaded["highest_rate"]) if loaded else None)
    else:
        assert peak == []
    (quality,) = rows(grafana, "Data quality", first, last)
    assert quality[0] == close(said["coverage"])
    made = said["made_by"]
    together = rows(grafana, "同时系数", first, last)
    assert together == (
        []
        if made["kw"] is None
        else [(close(made["coincidence"]), close(made["diversity"]))]
    )
    parts = rows(grafana, "Who made", first, last)
    names = {
        f"{each['name']} ({each['enterprise']})"
        if each["enterprise"]
        else "未分表 / unmetered": each
        for each in made["parts"]
    }
    assert {row[0] for row in parts} == set(names)
    for name, kw, share, own_kw, own_start, coverage in parts:
        each = names[name]
        assert (kw, share, own_kw) == (
            close(each["kw"]),
            close(each["share"]),
            close(each["own_kw"]),
        )
        assert coverage == close(each["coverage"])
        if each["enterprise"]:  # that of a rest of 0 is one of many equals
            assert own_start == at(each["own_start"], "%m-%d %H:%M")
    curve = rows(grafana, "duration", first, last)
    known = said["duration"][-1]["hours"] if said["duration"] else 0
    assert [(row[0] * known, row[1]) for row in curve] == [
        (close(each["hours"]), close(each["kw"])) for each in said["duration"]
    ]
    cells = rows(grafana, "hour and day", first, last)
    assert [f"{row[0].astimezone(first.tzinfo):%Y-%m-%d}" for row in cells] == said[
        "map"
    ]["days"]
    assert [list(row[1:]) for row in cells] == [
        [close(cell) for cell in day] for day in said["map"]["kw"]
    ]
    return said


def test_a_period(own: Any, serving: Any, grafana: Any) -> None:
    today = datetime.combine(own.today, datetime.min.time(), own.zone)
    yesterday = today - timedelta(days=1)
    with session(own.url) as conn:
        tariffs.load(conn)
        stored.set_billing(
            conn,
            registry.subject(conn, "P1").subject_id,
            "CN-JS",
            "contract",
            yesterday.date(),
            capacity_kva=6300.0,
            source="contract 1",
        )
    with serving(own.url) as base, httpx.Client(base_url=base, timeout=20) as api:
        whole = compare_period(api, grafana, yesterday, today)
        assert whole["coverage"] == 1
        assert len(whole["top"]) == 10
        change(own, yesterday, HOLES)
        holed = compare_period(api, grafana, yesterday, today)
        assert holed["coverage"] == pytest.approx(94 / 96)
        assert holed["made_by"]["coincidence"] is None  # of the rest 91 are known
        assert holed["map"]["kw"][0][1] is None
        change(own, yesterday, PEAKLESS)
        peakless = compare_period(api, grafana, yesterday, today)
        assert peakless["top"]
        assert peakless["made_by"]["parts"][2]["kw"] is None
        change(own, yesterday, TOO_LITTLE)
        little = compare_period(api, grafana, yesterday, today)
        assert little["coverage"] < 0.95
        assert little["made_by"]["kw"] is None
        assert little["duration"] == []


def test_a_period_by_rules(own: Any, serving: Any, grafana: Any) -> None:
    today = datetime.combine(own.today, datetime.min.time(), own.zone)
    yesterday = today - timedelta(days=1)
    read_each_minute(own, yesterday, today)

    def rule(window_min: int, method: str, begin: datetime) -> None:
        with session(own.url) as conn:
            demand_rules.set_demand_rule(
                conn, own.park_id, window_min, method, begin, source="contract 1"
            )
        own.compute()

    with serving(own.url) as base, httpx.Client(base_url=base, timeout=20) as api:

        def hold(method: str, windows: int) -> Json:
            said = compare_period(api, grafana, yesterday, today)
            assert said["demand_method"] == method
            assert len(said["duration"]) == windows
            return said

        rule(30, "fixed", yesterday)
        halves = hold("demand_fixed30", 48)
        rule(15, "fixed", yesterday + timedelta(hours=9, minutes=30))
        # an hour of one half and two quarters: each counts by its length
        mixed = compare_period(api, grafana, yesterday, today)
        assert len(mixed["duration"]) == 19 + 58
        assert mixed["map"]["kw"][0][9] == close(halves["map"]["kw"][0][9])
        rule(30, "fixed", yesterday)
        rule(15, "sliding", yesterday)
        slid = hold("demand_sliding15", 96)
        assert slid["top"][0]["kw"] > slid["made_by"]["kw"]
        rule(60, "fixed", yesterday)
        hold("demand_fixed60", 24)
        change(own, yesterday, MOVED_IN)  # at 06:10: three quarters of an hour
        moved = hold("demand_fixed60", 24)["made_by"]["parts"][6]
        assert moved["coverage"] == 1
        rule(30, "fixed", yesterday)
        rule(15, "sliding", yesterday + timedelta(hours=9, minutes=10))
        # 18 windows of half an hour and the cut one, then quarter hours
        cut = compare_period(api, grafana, yesterday, today)
        assert [each["method"] for each in cut["demand_rules"]] == ["fixed", "sliding"]
        assert len(cut["duration"]) == 18 + 59
        change(own, yesterday, HOLES)
        holed = compare_period(api, grafana, yesterday, today)
        assert holed["made_by"]["coincidence"] is None
        assert holed["months"][0]["coverage"] == close(holed["coverage"])


def read_each_minute(own: Any, first: datetime, last: datetime) -> None:
    """Add the readings of the registers between those that are there."""
    at = np.arange(first.timestamp(), last.timestamp(), 60).astype(np.int64)
    between = at % STEP_S != 0
    for (meter, quantity), channel in own.channels.items():
        if quantity == "energy_import":
            mean_kw = own.load_kw(int(meter[1:3]) - 1, at - at % STEP_S)
            ramp = (at % STEP_S - 120) / 600  # up in one step, down in the next
            kw = mean_kw * (1 + np.where(at // STEP_S % 2 == 0, ramp, -ramp))
            used = np.concatenate([[0.0], np.cumsum(kw[:-1] / 60)])
            value = np.round(10_000 + used, 3)[between]
            own.write(np.full(value.size, channel), at[between] * 1_000_000, value)
    own.compute()


def change(own: Any, day: datetime, statements: tuple[str, ...]) -> None:
    with session(own.url) as conn:
        for statement in statements:
            done = conn.execute(statement.encode(), {"day": day})
            assert done.rowcount > 0


def test_now(own: Any, serving: Any, grafana: Any) -> None:
    tell(own.url)
    own.say_power("E03/M1", 777.5)
    with serving(own.url) as base, httpx.Client(base_url=base, timeout=20) as api:
        said = get(api, "/parks/P1/live")
        now = datetime.now(UTC)
        (running,) = rows(grafana, "on course", now - timedelta(hours=1), now)
        told = said["forecast"]
        assert running[:2] == (
            told["expected_kw"],
            close(told["expected_kw"] / told["contract_kw"]),
        )
        # both from their own now on, some milliseconds apart
        shed = float(running[2].removesuffix(" kW"))
        assert shed == pytest.approx(told["shed_kw"], rel=0.02, abs=0.51)
        assert running[3] == pytest.approx(told["minutes_left"], abs=0.3)
        assert running[4] == f"{told['low_kw']:.0f} – {told['high_kw']:.0f} kW"
        power = rows(grafana, "draws power now", now - timedelta(hours=1), now)
        assert [row[1:] for row in power[:-1]] == [
            (
                close(each["kw"]),
                close(each["share"]),
                each["meters_heard"] / each["meters_counted"],
            )
            for each in said["enterprises"]
        ]
        assert power[-1] == ("未分表 / unmetered", 0, 0, 1)
        start = datetime.fromisoformat(said["today"]["start"])
        series = rows(grafana, "24 hours", start, now)
        closed = [row for row in series if row[3] is None]
        # the last one may have ended a moment ago, and be known in part
        assert [row[:3] for row in closed] == [
            (
                datetime.fromisoformat(each["start"]),
                close(each["demand_kw"]) if each["publishable"] else None,
                None if each["publishable"] else close(each["demand_kw"]),
            )
            for each in said["today"]["demand"]
        ]
        assert series[-1][3:] == (
            told["expected_kw"],
            told["low_kw"],
            told["high_kw"],
            said["contract_demand_kw"],
            close(0.9 * said["contract_demand_kw"]),
        )
