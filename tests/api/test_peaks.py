"""Peaks and who made them; the running window."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import numpy as np
import pytest

from analytics.jobs import tariffs
from api.live import running_forecast
from store import forecasts, registry
from store import tariffs as stored
from store.database import session
from store.forecasts import Forecast
from tests.api.test_routes import get

Json = dict[str, Any]


@pytest.fixture
def yesterday(seeded: Any) -> Json:
    return {
        "from": (seeded.today - timedelta(days=1)).isoformat(),
        "to": seeded.today.isoformat(),
    }


def quarters(api: httpx.Client, yesterday: Json, **of: str) -> np.ndarray:
    rows = get(api, "/parks/P1/demand", **yesterday, **of)["rows"]
    return np.array([each["demand_kw"] for each in rows])


def test_who_made_the_peak(api: httpx.Client, yesterday: Json) -> None:
    found = get(api, "/parks/P1/peaks", **yesterday, charge=10_000)
    park = quarters(api, yesterday)
    made = found["made_by"]
    assert made["kw"] == pytest.approx(park.max())
    assert found["top"][0]["kw"] == made["kw"]
    assert found["top"][0]["start"] == made["start"]
    assert found["top"][0]["control_rate"] == pytest.approx(made["kw"] / 5400)
    parts = made["parts"]
    assert [each["enterprise"] for each in parts] == [
        *(f"E{n:02}" for n in range(1, 13)),
        None,
    ]
    own = [
        quarters(api, yesterday, enterprise=each["enterprise"]) for each in parts[:-1]
    ]
    at = int(np.argmax(park))
    assert [each["kw"] for each in parts[:-1]] == pytest.approx([kw[at] for kw in own])
    assert [each["own_kw"] for each in parts[:-1]] == pytest.approx(
        [kw.max() for kw in own]
    )
    assert parts[-1]["kw"] == pytest.approx(0, abs=1e-6)  # no meter of the park's own
    assert sum(each["share"] for each in parts) == pytest.approx(1)
    assert made["coincidence"] == pytest.approx(
        park.max() / sum(kw.max() for kw in own)
    )
    assert made["diversity"] == pytest.approx(1 / made["coincidence"])
    for method in ("coincident", "own", "shapley"):
        charges = [Decimal(repr(each["charge_cny"][method])) for each in parts]
        assert sum(charges) == Decimal(10_000)
        assert all(each == each.quantize(Decimal("0.01")) for each in charges)


def test_the_shape_around_the_peak(api: httpx.Client, yesterday: Json) -> None:
    found = get(api, "/parks/P1/peaks", **yesterday)
    park = quarters(api, yesterday)
    assert found["coverage"] == 1.0
    curve = found["duration"]
    assert [each["kw"] for each in curve] == pytest.approx(sorted(park)[::-1])
    assert curve[-1]["hours"] == 24.0
    assert found["map"]["days"] == [yesterday["from"]]
    assert found["map"]["kw"][0] == pytest.approx(park.reshape(24, 4).mean(axis=1))
    assert found["months"][0]["kw"] == park.max()
    assert found["sliding_kw"] is None  # read every five minutes
    assert found["load_factor"] == pytest.approx(park.mean() / park.max())


def test_an_enterprise_sees_its_own_peaks_alone(
    api: httpx.Client, yesterday: Json
) -> None:
    found = get(api, "/parks/P1/peaks", **yesterday, enterprise="E02")
    assert found["made_by"] is None
    assert "E03" not in str(found)
    assert found["top"][0]["kw"] == pytest.approx(
        quarters(api, yesterday, enterprise="E02").max()
    )


def test_below_the_coverage_a_peak_is_a_lower_bound_and_nobody_made_it(
    api: httpx.Client, seeded: Any
) -> None:
    days = {
        "from": (seeded.today - timedelta(days=30)).isoformat(),
        "to": seeded.today.isoformat(),
    }
    found = get(api, "/parks/P1/peaks", **days)
    figures = get(api, "/parks/P1/figures", **days)
    assert found["coverage"] == figures["peak_known_share"] < 0.1
    assert found["top"][0]["kw"] == figures["peak_demand_kw"]
    assert found["lower_bound"]
    assert figures["peak_lower_bound"]
    assert found["duration"] == []
    assert found["made_by"]["kw"] is None
    assert {each["share"] for each in found["made_by"]["parts"]} == {None}


def test_peaks_as_known_on(api: httpx.Client, yesterday: Json) -> None:
    found = get(api, "/parks/P1/peaks", **yesterday, charge=10_000)
    assert found["as_known_on"] is None
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    known = get(api, "/parks/P1/peaks", **yesterday, charge=10_000, as_known_on=later)
    assert known["as_known_on"] is not None
    assert {**known, "as_known_on": None} == found
    before = get(api, "/parks/P1/peaks", **yesterday, as_known_on="2026-01-01")
    assert (before["coverage"], before["top"]) == (0.0, [])
    assert before["made_by"]["kw"] is None
    refused = api.get("/api/v1/parks/P1/peaks", params={"as_known_on": "yesterday"})
    assert refused.status_code == 422


def test_who_made_the_peak_as_csv(api: httpx.Client, yesterday: Json) -> None:
    answer = api.get("/api/v1/parks/P1/peaks", params={**yesterday, "format": "csv"})
    lines = answer.text.splitlines()
    assert lines[0].startswith("enterprise,name,kw,share,own_kw,own_start")
    assert len(lines) == 14


def test_the_running_window(own: Any) -> None:
    now = datetime.now(UTC)
    start = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    with session(own.url) as conn:
        park = registry.park(conn, "P1")
        told = Forecast(
            subject_id=park.park_id,
            start=start,
            window_min=15,
            known_s=300.0,
            made_at=now,
            energy_kwh=100.0,
            latest_kw=1200.0,
            expected_kw=1210.0,
            low_kw=1100.0,
            high_kw=1300.0,
            contract_kw=1150.0,
            shed_state="needed",
            shed_kw=90.0,
        )
        forecasts.tell(conn, told)
        found = running_forecast(conn, park, start + timedelta(minutes=6))
        assert found is not None
        assert found["minutes_left"] == 9.0
        # 60 kW over the contract in 15 minutes are 90 in ten, and 100 in the nine left
        assert found["shed_kw"] == pytest.approx(60.0 * 15 / 9, rel=1e-12)
        # what runs is 1215 kW: 60 kW over 15 minutes are more than that in 44 s
        for left_s, kw, state in (
            (600.0, 90.0, "needed"),
            (660.0, 90.0, "needed"),  # no minute is known that is yet to come
            (60.0, 900.0, "needed"),
            (44.0, None, "impossible"),
        ):
            late = start + timedelta(seconds=900 - left_s)
            found = running_forecast(conn, park, late)
            assert found is not None
            assert found["shed_state"] == state
            assert found["shed_kw"] == (None if kw is None else pytest.approx(kw))
        assert running_forecast(conn, park, start + timedelta(minutes=15)) is None


def test_whom_to_ask_first(api: httpx.Client) -> None:
    found = get(api, "/parks/P1/forecast")
    assert found["park"] == "P1"
    assert found["candidates"] == []  # two days tell nothing of four weeks


def test_days_and_transformer(own: Any, serving: Any) -> None:
    day = own.today - timedelta(days=1)
    asked: Json = {"from": day.isoformat(), "to": own.today.isoformat()}
    with session(own.url) as conn:
        tariffs.load(conn)
        stored.set_billing(
            conn,
            registry.subject(conn, "P1", "E12").subject_id,
            "CN-JS",
            "demand",
            day,
            capacity_kva=700.0,
            source="contract 8",
        )
    with serving(own.url) as base, httpx.Client(base_url=base) as there:
        found = get(there, "/parks/P1/peaks", **asked, enterprise="E12")
        kw = quarters(there, asked, enterprise="E12")
        kvarh = get(
            there,
            "/parks/P1/usage",
            **asked,
            enterprise="E12",
            quantity="reactive_energy_q1",
            grain="15min",
        )["rows"]
        other = get(there, "/parks/P1/peaks", **asked, enterprise="E11")
    (only,) = found["days"]
    assert only["difference_kw"] == pytest.approx(kw.max() - kw.min())
    assert only["difference_rate"] == pytest.approx(1 - kw.min() / kw.max())
    rates = [
        float(np.hypot(one, each["amount"] * 4)) / 700
        for one, each in zip(kw, kvarh, strict=True)
    ]
    loaded = found["transformer"]
    assert loaded["highest_rate"] == pytest.approx(max(rates))
    assert loaded["mean_rate"] == pytest.approx(sum(rates) / len(rates))
    assert loaded["hours"]["overload"] == sum(each > 1 for each in rates) / 4
    assert sum(loaded["hours"].values()) == 24
    assert loaded["coverage"] == 1
    assert other["transformer"] is None
