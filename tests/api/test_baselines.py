"""Energy baselines through database, API and commands, by arithmetic one can follow."""

import json
from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from store import registry
from store.baselines import record_driver
from store.database import connect
from tests.analytics.jobs.conftest import Monthly
from tests.api.test_accounts import Json, get, post
from tests.system.conftest import Run

pytestmark = pytest.mark.db

OUTPUT = [50, 60, 70, 80, 90, 100, 90, 80, 70, 60, 50, 40]
MEAN_C = [0, 2, 8, 15, 20, 25, 29, 28, 22, 16, 10, 3]  # each day of the month
NOISE = [3, -3] * 6  # sums to 0
SAVED = 25.0


def degree_days(month: int, year: int, base: float) -> float:
    return max(0.0, base - MEAN_C[month]) * monthrange(year, month + 1)[1]


def used(year: int, saved: float) -> list[float]:
    """1 000 kWh, 20 a tonne, 2 a degree day below 18 °C."""
    return [
        1000 + 20 * OUTPUT[i] + 2 * degree_days(i, year, 18.0) + NOISE[i] - saved
        for i in range(12)
    ]


def test_a_baseline_by_hand(
    timescale_database: str, serving: Any, tmp_path: Any
) -> None:
    park = Monthly(timescale_database, "B")
    park.add("a", {"energy_import": [*used(2022, 0.0), *used(2023, SAVED)]}, 2022)
    park.compute()
    rows = ["name,grain,first,value,unit"]
    for year in (2022, 2023):
        for i, tonnes in enumerate(OUTPUT):
            rows.append(f"output_t,month,{year}-{i + 1:02}-01,{tonnes},t")
    run = Run(timescale_database, tmp_path)
    said = ("--source", "MES", "--who", "Energy office")
    one = ("--park", "B", "--enterprise", "a")
    done = run("baseline", "drive", run.file("o.csv", "\n".join(rows)), *one, *said)
    assert "24 recorded, 0 known" in done.stdout
    days = ["name,grain,first,value,unit"]
    for year in (2022, 2023):
        for i, mean in enumerate(MEAN_C):
            for day in range(monthrange(year, i + 1)[1]):
                days.append(
                    f"outdoor_temperature_c,day,{year}-{i + 1:02}-{day + 1:02},{mean},c"
                )
    # stated once, of the park
    file = run.file("t.csv", "\n".join(days))
    assert "730 recorded" in run("baseline", "drive", file, "--park", "B", *said).stdout
    with (
        serving(timescale_database) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        defined(client)
        before = datetime.now(UTC).isoformat()
        months: Json = {"from": "2023-01-01", "to": "2024-01-01", "enterprise": "a"}
        found = get(client, "/parks/B/savings", baseline="kwh", **months)
        judged(found)
        absurd(client)
        # a day that nobody knows any more leaves its month, and the CUSUM after it
        post(
            client,
            "/parks/B/drivers",
            name="outdoor_temperature_c",
            grain="day",
            first="2023-03-05",
            value=None,
            unit="c",
        )
        holed = get(client, "/parks/B/savings", baseline="kwh", **months)
        assert holed["months"][2]["saved"] is None
        assert holed["months"][11]["cusum"] is None
        assert holed["months_known"] == 11
        then = get(
            client, "/parks/B/savings", baseline="kwh", as_known_on=before, **months
        )
        assert then["saved"] == pytest.approx(found["saved"])
        assert then["fit"]["n"] == 12
    asked = ("--name", "kwh", "--from", "2023-01-01", "--to", "2024-01-01", *one)
    typed = json.loads(run("baseline", "savings", *asked, "--json").stdout)
    assert typed["months"] == holed["months"]
    shown = run("baseline", "savings", *asked).stdout
    assert "in 11 months" in shown
    more = ("--figure", "calorific", "--variable", "output_t")
    made = run("baseline", "define", *asked[:6], *one, *more, *said)
    assert "recorded" in made.stdout
    wrong = run.file("w.csv", "name,grain,first,value,unit\noutput_t,month,x,1,t")
    failed = run("baseline", "drive", wrong, *one, *said, status=1)
    assert "line 2" in failed.stderr


def defined(client: httpx.Client) -> None:
    body: Json = {
        "enterprise": "a",
        "name": "kwh",
        "figure": "energy_import",
        "variables": ["output_t", "heating_degree_days"],
        "first": "2022-01-01",
        "last": "2023-01-01",
    }
    assert post(client, "/parks/B/baselines", **body)["recorded"] == ["kwh"]
    assert post(client, "/parks/B/baselines", **body)["recorded"] == []
    for wrong in (
        {"figure": "power"},
        {"variables": ["Output"]},
        {"variables": ["output_t", "output_t"]},
        {"last": "2023-01-02"},
    ):
        post(client, "/parks/B/baselines", 422, **body | wrong)
    (row,) = get(client, "/parks/B/baselines", enterprise="a")["rows"]
    assert row["variables"] == ["output_t", "heating_degree_days"]
    days: Json = {"from": "2022-01-01", "to": "2022-01-03", "enterprise": "a"}
    driven = get(client, "/parks/B/drivers", **days)["rows"]
    assert [each["name"] for each in driven] == ["outdoor_temperature_c"] * 2 + [
        "output_t"
    ]


def absurd(client: httpx.Client) -> None:
    """What cannot be is refused, with its words; nothing of it is recorded."""
    output: Json = {"enterprise": "a", "name": "output_t", "unit": "t", "value": 1.0}
    for wrong, words in (
        ({"first": "2023-01-01", "unit": "kg"}, "stated in t, not in 'kg'"),
        ({"first": "2023-01-01", "value": -5000.0}, "0 to 1e+12, not -5000"),
        ({"first": "2099-01-01"}, "still to come"),
    ):
        answer = post(client, "/parks/B/drivers", 422, **output | wrong)
        assert words in answer["error"]["message"]
    warm: Json = {"name": "outdoor_temperature_c", "grain": "day", "unit": "c"}
    for value in (5000.0, -90.1, 60.1):
        cold = warm | {"first": "2023-03-05", "value": value}
        post(client, "/parks/B/drivers", 422, **cold)
    days: Json = {"name": "heating_degree_days", "unit": "c_d", "first": "2023-01-01"}
    post(client, "/parks/B/drivers", 422, value=6000.5, **days)
    rows = get(
        client,
        "/parks/B/drivers",
        **{"from": "2023-01-01", "to": "2024-01-01", "enterprise": "a"},
    )["rows"]
    assert {each["unit"] for each in rows if each["name"] == "output_t"} == {"t"}
    # all of a name withdrawn, it may have another unit
    pieces: Json = {"name": "pieces", "first": "2023-01-01", "value": 5.0}
    post(client, "/parks/B/drivers", unit="piece", **pieces)
    post(client, "/parks/B/drivers", 422, unit="t", **pieces)
    post(client, "/parks/B/drivers", unit="piece", **pieces | {"value": None})
    assert post(client, "/parks/B/drivers", unit="t", **pieces)["recorded"]


def test_a_fit_refuses_two_units_of_a_driver(
    timescale_database: str, serving: Any
) -> None:
    park = Monthly(timescale_database, "B")
    park.add("a", {"energy_import": used(2022, 0.0)}, 2022)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        owner = registry.subject(conn, "B", "a").subject_id
        for i, tonnes in enumerate(OUTPUT):  # as they could be recorded before
            record_driver(
                conn,
                owner,
                "output_t",
                "month",
                date(2022, i + 1, 1),
                float(tonnes),
                "kg" if i == 3 else "t",
                source="MES",
                who="Clerk",
            )
    with (
        serving(timescale_database) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        post(
            client,
            "/parks/B/baselines",
            enterprise="a",
            name="kwh",
            figure="energy_import",
            variables=["output_t"],
            first="2022-01-01",
            last="2023-01-01",
        )
        asked = {"from": "2022-01-01", "to": "2023-01-01", "enterprise": "a"}
        refused = client.get(
            "/api/v1/parks/B/savings", params={"baseline": "kwh"} | asked
        )
        assert refused.status_code == 422
        assert "kg and t" in refused.json()["error"]["message"]


def judged(found: Json) -> None:
    assert found["unit"] == "kwh"
    base, tonne, degree = found["fit"]["coefficients"]
    # the noise of ±3 kWh moves them little
    assert base["value"] == pytest.approx(1000, abs=15)
    assert tonne["value"] == pytest.approx(20, abs=0.2)
    assert degree["value"] == pytest.approx(2, abs=0.02)
    assert all(each["significant"] for each in (base, tonne, degree))
    assert found["fit"]["n"] == 12
    assert found["fit"]["r2"] > 0.999
    assert found["warnings"] == []
    assert found["fit"]["nmbe"] == pytest.approx(0, abs=1e-12)
    # the same months, 25 kWh less each: residuals of the fit sum to 0
    assert found["saved"] == pytest.approx(12 * SAVED, abs=1e-6)
    assert found["months"][11]["cusum"] == pytest.approx(12 * SAVED, abs=1e-6)
    assert found["saved_share"] == pytest.approx(
        12 * SAVED / sum(used(2022, 0.0)), abs=1e-9
    )
    # sigma is √(Σ rest² / 9), at most √(12 · 9 / 9); the limit is five of it
    assert found["fit"]["sigma"] <= (12 * 9 / 9) ** 0.5
    assert found["cusum_limit"] == pytest.approx(5 * found["fit"]["sigma"])
    assert found["months"][11]["saves"]
    assert not any(each["loses"] for each in found["months"])
    assert found["months"][0]["variables"] == [50, 18 * 31]
