"""The live object: power now, today's windows, shares."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.live import park_live
from store import registry, relations
from store.database import session


def live(seed: Any, now: datetime | None = None, code: str = "P1") -> dict[str, Any]:
    with session(seed.url) as conn:
        return park_live(conn, registry.park(conn, code), 0.95, now)


def test_power_is_the_sum_of_what_counts(seeded: Any) -> None:
    power = live(seeded, seeded.now)["power"]  # the suite may be slow
    assert power["kw"] == pytest.approx(sum(seeded.power.values()))
    assert (power["meters_heard"], power["meters_counted"]) == (12, 12)
    assert power["complete"]
    assert not power["late"]


def test_shares_add_up_and_are_sorted(seeded: Any) -> None:
    rows = live(seeded, seeded.now)["enterprises"]
    assert sum(each["share"] for each in rows) == pytest.approx(1.0)
    assert [each["kw"] for each in rows] == sorted(seeded.power.values(), reverse=True)


def test_contract(seeded: Any) -> None:
    found = live(seeded, seeded.now)
    assert found["contract_demand_kw"] == 5400.0
    assert found["contract_share"] == found["power"]["kw"] / 5400.0


def test_after_a_quarter_of_silence_there_is_no_power(seeded: Any) -> None:
    found = live(seeded, seeded.now + timedelta(minutes=16))
    assert found["power"]["kw"] is None
    assert found["power"]["late"]
    assert found["power"]["newest_at"] is not None
    assert found["contract_share"] is None
    assert {each["share"] for each in found["enterprises"]} == {None}


def test_a_silent_meter_takes_the_shares_away(own: Any) -> None:
    later = datetime.now(UTC) + timedelta(minutes=16)
    for code, kw in list(own.power.items())[1:]:
        own.say_power(f"{code}/M1", kw, later)
    found = live(own, later + timedelta(seconds=5))
    assert found["power"]["meters_heard"] == 11
    assert not found["power"]["complete"]
    assert found["power"]["kw"] == pytest.approx(sum(list(own.power.values())[1:]))
    assert {each["share"] for each in found["enterprises"]} == {None}


def test_power_follows_the_transformer_ratio(own: Any) -> None:
    with session(own.url) as conn:
        meter = next(m for m in registry.meters(conn, own.park_id) if m.code == "M1")
        relations.set_multiplier(
            conn,
            meter.meter_id,
            ct=80.0,
            pt=1.0,
            valid_from=datetime(2020, 1, 1, tzinfo=UTC),
            source="plate",
        )
    first = min(live(own)["power"]["parentage"], key=lambda each: each["enterprise"])
    assert first["kw"] == pytest.approx(80 * own.power["E01"])


def test_today_has_closed_windows_and_one_that_runs(seeded: Any) -> None:
    # half past: a closed window and a running one, whatever the hour of the test
    found = live(seeded, seeded.now)
    today = found["today"]
    starts = [each["start"] for each in today["demand"]]
    assert starts == sorted(starts)
    for start in starts:
        assert start + timedelta(minutes=15) <= seeded.now
    if today["running"]:
        assert today["running"]["start"] <= seeded.now < today["running"]["stop"]
        assert 0 < today["running"]["coverage"] <= 1
        mean = today["running"]["mean_kw"]
        assert mean == pytest.approx(found["power"]["kw"], rel=0.2)
    known = [each["demand_kw"] for each in today["demand"] if each["publishable"]]
    assert today["peak_demand_kw"] == (max(known) if known else None)


def test_last_readings_name_what_is_unconfirmed(api: httpx.Client) -> None:
    rows = api.get("/api/v1/parks/P1/live").json()["readings"]
    assert len(rows) == 13 * 4
    assert {each["meter"] for each in rows if not each["confirmed"]} == {"NEW"}


def test_a_park_without_anything(api: httpx.Client) -> None:
    found = api.get("/api/v1/parks/P2/live").json()
    assert found["power"]["kw"] is None
    assert found["power"]["coverage"] is None
    assert found["power"]["late"]
    assert found["contract_demand_kw"] is None
    assert found["today"]["demand"] == []
    assert found["readings"] == []
