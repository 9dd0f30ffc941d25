"""Every route against a seeded database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

Json = dict[str, Any]


def get(api: httpx.Client, path: str, **params: object) -> Json:
    answer = api.get(f"/api/v1{path}", params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


@pytest.fixture
def yesterday(seeded: Any) -> Json:
    return {"from": seeded.today - timedelta(days=1), "to": seeded.today}


def true_kwh(seeded: Any, i: int) -> float:
    """Energy of yesterday by hand: 288 steps of constant power."""
    begin = datetime.combine(
        seeded.today - timedelta(days=1), datetime.min.time(), seeded.zone
    ).timestamp()
    at = begin + 300 * np.arange(288)
    return float(seeded.load_kw(i, at).sum() / 12)


def test_parks(api: httpx.Client) -> None:
    assert [each["code"] for each in get(api, "/parks")["rows"]] == ["P1", "P2"]
    assert get(api, "/parks/P1") == {
        "code": "P1",
        "name": "Tonghe Park 同和园区",
        "zone": "Asia/Shanghai",
        "region": "CN-JS",
        "enterprises": 12,
        "meters": 13,
        "unconfirmed_meters": 1,
        "contract_demand_kw": 5400.0,
    }


def test_enterprises_and_meters(api: httpx.Client) -> None:
    rows = get(api, "/parks/P1/enterprises")["rows"]
    assert len(rows) == 12
    assert rows[4] == {
        "code": "E05",
        "name": "玻璃五厂",
        "meters": 2,
        "unconfirmed_meters": 1,
    }
    assert len(get(api, "/parks/P1/meters")["rows"]) == 13
    waiting = get(api, "/parks/P1/meters", confirmed=False)["rows"]
    assert [(each["enterprise"], each["code"]) for each in waiting] == [("E05", "NEW")]
    assert len(get(api, "/parks/P1/meters", enterprise="E05")["rows"]) == 2


def test_readings_by_page_are_all_and_each_once(
    api: httpx.Client, seeded: Any, yesterday: Json
) -> None:
    asked = {**yesterday, "enterprise": "E05", "limit": 500}
    rows: list[Json] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor:
        page = get(
            api, "/parks/P1/readings", **asked, **({"cursor": cursor} if cursor else {})
        )
        rows += page["rows"]
        cursor = page["next"]
        pages += 1
    assert pages == 5  # 8 channels x 288 readings
    assert len({(r["meter"], r["quantity"], r["at"]) for r in rows}) == 8 * 288
    assert {r["unit"] for r in rows} == {"kwh", "kvarh", "kw", "v"}


def test_readings_between_two_times(api: httpx.Client, seeded: Any) -> None:
    stop = seeded.now.replace(minute=0, second=0, microsecond=0)
    asked = {
        "from": (stop - timedelta(hours=1)).isoformat(),
        "to": stop.isoformat(),
        "enterprise": "E01",
        "quantity": "power",
    }
    rows = get(api, "/parks/P1/readings", **asked)["rows"]
    assert len(rows) == 12
    assert rows[0]["at"] == (stop - timedelta(hours=1)).isoformat().replace(
        "+00:00", "Z"
    )


def test_a_plus_left_unescaped_is_understood(api: httpx.Client) -> None:
    answer = api.get(
        "/api/v1/parks/P1/readings?from=2026-01-01T00:00:00+08:00&to=2026-01-02"
    )
    assert answer.status_code == 200


def test_usage_is_the_register_difference(
    api: httpx.Client, seeded: Any, yesterday: Json
) -> None:
    for grain, size in (("15min", 96), ("day", 1)):
        used = get(api, "/parks/P1/usage", **yesterday, enterprise="E03", grain=grain)
        assert used["total"] == pytest.approx(true_kwh(seeded, 2), abs=0.01)
        assert used["unit"] == "kwh"
        assert used["coverage"] == 1.0
        assert len(used["rows"]) == size
        assert used["parentage"]["meters"][0]["meter"] == "M1"
    park = get(api, "/parks/P1/usage", **yesterday)
    assert park["total"] == pytest.approx(
        sum(true_kwh(seeded, i) for i in range(12)), abs=0.1
    )
    assert len(park["parentage"]["meters"]) == 12  # the unconfirmed one is not there
    meter = get(api, "/parks/P1/usage", **yesterday, enterprise="E03", meter="M1")
    assert meter["total"] == used["total"]


def test_usage_of_what_is_not_measured_is_unknown(
    api: httpx.Client, yesterday: Json
) -> None:
    used = get(api, "/parks/P1/usage", **yesterday, quantity="steam")
    assert (used["total"], used["coverage"], used["rows"]) == (None, None, [])


def test_demand(api: httpx.Client, yesterday: Json) -> None:
    found = get(api, "/parks/P1/demand", **yesterday)
    kw = [each["demand_kw"] for each in found["rows"]]
    assert len(kw) == 96
    assert found["peak_demand_kw"] == max(kw)
    assert found["unit"] == "kW"
    assert found["rows"][kw.index(max(kw))]["start"] == found["peak_start"]
    assert found["load_factor"] == pytest.approx(sum(kw) / 96 / max(kw))
    assert found["contract_demand_kw"] == 5400.0


def test_energy_carbon_and_intensity_are_cuts_of_the_figures(
    api: httpx.Client, seeded: Any, yesterday: Json
) -> None:
    whole = get(api, "/parks/P1/figures", **yesterday)
    energy = get(api, "/parks/P1/energy", **yesterday)
    carbon = get(api, "/parks/P1/carbon", **yesterday)
    intensity = get(api, "/parks/P1/intensity", **yesterday)
    for cut in (energy, carbon, intensity):
        for name in set(cut) - {"units", "parentage"}:
            assert cut[name] == whole[name]
        assert cut["coverage"] == 1.0
        assert cut["units"].items() <= whole["units"].items()
    kwh = energy["energy_kwh"]
    assert energy["tce"]["calorific"] == pytest.approx(kwh * 0.1229 / 1000)
    line = carbon["parentage"]["co2_t"]["location_national"][0]
    assert line["factor_id"] > 0
    assert line["result_t"] == pytest.approx(kwh * line["factor_value"] / 1000)
    value = sum(100.0 + i for i in range(12))
    assert intensity["intensity"]["added_value_10k_cny"] == value
    assert intensity["intensity"]["tce_per_10k_cny"]["calorific"] == pytest.approx(
        energy["tce"]["calorific"] / value
    )


def test_as_known_before_anything_arrived(api: httpx.Client, yesterday: Json) -> None:
    for known_on in ("2020-01-01", "2020-01-01T12:00:00Z"):
        found = get(api, "/parks/P1/figures", **yesterday, as_known_on=known_on)
        assert found["energy_kwh"] is None
        assert found["coverage"] == 0.0
        assert found["as_known_on"].startswith("2020-01-01")


def test_as_known_today_is_as_known_now(api: httpx.Client, yesterday: Json) -> None:
    day = datetime.now(UTC) + timedelta(minutes=1)
    then = get(api, "/parks/P1/energy", **yesterday, as_known_on=day.isoformat())
    assert then["energy_kwh"] == get(api, "/parks/P1/energy", **yesterday)["energy_kwh"]


def test_sources_and_quarantine(api: httpx.Client) -> None:
    rows = {each["source"]: each for each in get(api, "/sources")["rows"]}
    assert rows["mqtt"]["quarantined"] == 1
    for row in rows.values():
        parts = ("inserted", "duplicate", "conflict", "quarantined")
        assert row["received"] == sum(row[each] for each in parts)
    assert get(api, "/quarantine")["rows"][0]["payload"] == "=1+1"


def test_unknown_topics(api: httpx.Client) -> None:
    found = get(api, "/unknown-topics")["rows"]
    assert [(each["pattern"], each["messages"]) for each in found] == [
        ("factory/+/up", 1)
    ]
    assert "key: energy_import_kwh" in found[0]["proposal"]


def test_health_and_metrics(api: httpx.Client) -> None:
    assert api.get("/health").json() == {
        "status": "ok",
        "database": "ok",
        "schema": "current",
    }
    answer = api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    words = answer.text
    assert 'parkwatt_readings_total{outcome="quarantined",source="mqtt"} 1.0' in words
    assert "parkwatt_dirty_marks 0.0" in words
    assert 'parkwatt_newest_reading_age_seconds{park="P1"}' in words
    assert "process_resident_memory_bytes" in words
    assert "None" not in words


def test_headers(api: httpx.Client) -> None:
    data = api.get("/api/v1/parks").headers
    page = api.get("/").headers
    for headers in (data, page, api.get("/nope").headers):
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
    assert data["cache-control"] == "no-store"
