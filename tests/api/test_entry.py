"""What people send: typed readings, corrections, and who may send anything at all."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import httpx
import psycopg
import pytest

PARK = "/api/v1/parks/P1"
WHO = {"who": "Reader One"}
PLACE = {"enterprise": "E01", "meter": "M1", **WHO}


@pytest.fixture
def served(own: Any, serving: Any) -> Iterator[httpx.Client]:
    with serving(own.url) as base, httpx.Client(base_url=base, timeout=20) as client:
        yield client


@pytest.fixture
def at(own: Any) -> str:
    before: datetime = own.now - timedelta(days=30)
    return before.replace(microsecond=0).isoformat()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_typed_readings(served: httpx.Client, at: str) -> None:
    body = {**PLACE, "quantity": "water_m3", "at": at, "value": 10.5}

    def send(**more: object) -> httpx.Response:
        return served.post(f"{PARK}/readings", json=body | more)

    answer = send()
    assert answer.status_code == 201, answer.text
    assert answer.json()["outcome"] == "inserted"
    assert answer.headers["cache-control"] == "no-store"
    assert send().status_code == 200
    assert send().json()["outcome"] == "duplicate"
    clash = send(value=11)
    assert code(clash) == (409, "conflict")
    assert clash.json()["error"]["detail"] == {"stored": 10.5}
    assert code(send(at="2026-01-01T00:00:00")) == (422, "quarantined")
    assert code(send(quantity="colour")) == (422, "quarantined")
    assert code(send(meter="NO")) == (404, "unknown_meter")
    assert code(send(enterprise="E05", meter="NEW")) == (422, "invalid")
    later = (datetime.fromisoformat(at) + timedelta(days=1)).isoformat()
    doubt = send(at=later, value=1)
    assert code(doubt) == (409, "implausible")
    assert doubt.json()["error"]["detail"][0]["kind"] == "falls"
    assert send(at=later, value=1, confirm=True).status_code == 201
    rows = {
        each["source"]: each for each in served.get("/api/v1/sources").json()["rows"]
    }
    assert rows["manual"] == {
        "source": "manual",
        "messages": 7,
        "received": 7,
        "inserted": 2,
        "duplicate": 2,
        "conflict": 1,
        "quarantined": 2,
        "in_flight": 0,
    }
    where = {"enterprise": "E01", "meter": "M1"}
    last = served.get(f"{PARK}/readings/last", params=where).json()
    water = [each for each in last["rows"] if each["quantity"] == "water"]
    assert [each["value"] for each in water] == [1.0, 10.5]
    assert code(served.get(f"{PARK}/readings/last")) == (422, "invalid")


def test_quarantine_page_by_page(served: httpx.Client, at: str) -> None:
    for quantity in ("colour", "taste"):
        body = {**PLACE, "quantity": quantity, "at": at, "value": 1}
        assert served.post(f"{PARK}/readings", json=body).status_code == 422

    def page(**asked: int) -> dict[str, Any]:
        found: dict[str, Any] = served.get("/api/v1/quarantine", params=asked).json()
        return found

    whole = page()
    assert (len(whole["rows"]), whole["next"]) == (3, None)
    first = page(limit=2)
    assert first["rows"] == whole["rows"][:2]
    second = page(limit=2, cursor=first["next"])
    assert (second["rows"], second["next"]) == (whole["rows"][2:], None)
    assert page(limit=3)["next"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "10"},
        {"value": None},
        {"value": True},
        {"extra": 1},
        {"who": ""},
        {"who": "a\u0000b"},
        {"at": 5},
        {"meter": "\u0000"},
    ],
)
def test_what_has_another_shape_is_not_taken(
    served: httpx.Client, at: str, wrong: dict[str, Any]
) -> None:
    body = {**PLACE, "quantity": "water_m3", "at": at, "value": 1.0} | wrong
    answer = served.post(f"{PARK}/readings", json=body)
    assert answer.status_code in (404, 422), answer.text
    assert "manual" not in served.get("/api/v1/sources").text


def test_a_correction_restates_and_is_listed(served: httpx.Client, own: Any) -> None:
    begin = datetime.combine(
        own.today - timedelta(days=1), datetime.min.time(), own.zone
    )
    days = {"from": str(own.today - timedelta(days=1)), "to": str(own.today)}
    asked = {**days, "enterprise": "E01"}

    def energy(**more: str) -> float:
        found = served.get(f"{PARK}/energy", params=asked | more).json()
        return float(found["energy_kwh"])

    before, then = energy(), datetime.now(UTC).isoformat()
    body = {**PLACE, "quantity": "energy_import", "why": "digit slipped"}
    body["at"] = begin.isoformat()
    answer = served.post(f"{PARK}/revisions", json=body | {"value": 9990.0})
    assert answer.status_code == 201, answer.text
    assert answer.json()["value_before"] == 10_000.0
    own.compute()
    assert energy() == pytest.approx(before + 10)
    assert energy(as_known_on=then) == before
    struck = served.post(f"{PARK}/revisions", json=body | {"strike": True})
    assert struck.json()["value_after"] is None
    rows = served.get(f"{PARK}/revisions", params={"limit": 1}).json()
    assert [each["value_before"] for each in rows["rows"]] == [9990.0]
    more = served.get(f"{PARK}/revisions", params={"cursor": rows["next"]}).json()
    assert [each["value_after"] for each in more["rows"]] == [9990.0]
    assert more["next"] is None
    again = served.post(f"{PARK}/revisions", json=body | {"strike": True})
    assert code(again) == (422, "invalid")
    for wrong in ({}, {"value": 1.0, "strike": True}, {"conflict_id": 1, "value": 1.0}):
        assert code(served.post(f"{PARK}/revisions", json=body | wrong)) == (
            422,
            "invalid",
        )
    table = served.get(f"{PARK}/revisions", params={"format": "csv"})
    assert table.text.count("digit slipped") == 2


def test_a_verdict_restates_and_is_listed(served: httpx.Client, own: Any) -> None:
    yesterday = own.today - timedelta(days=1)
    at = datetime.combine(yesterday, time(12), own.zone).isoformat()
    days = {"from": yesterday.isoformat(), "to": own.today.isoformat()}
    asked = {
        "enterprise": "E01",
        "meter": "M1",
        "at": at,
        "verdict": "left out",
        "who": "Reader One",
        "why": "the display was misread",
    }
    answer = served.post(f"{PARK}/events", json=asked)
    assert answer.status_code == 201
    assert answer.json()["verdict"] == "left out"
    own.compute()
    rows = served.get(f"{PARK}/events", params=days).json()["rows"]
    (found,) = (each for each in rows if each["at"] and each["verdict"])
    assert found["who"] == "Reader One"
    assert found["kind"] in ("glitch", "spike")
    wrong = served.post(f"{PARK}/events", json=asked | {"verdict": "nothing"})
    assert wrong.status_code == 422


def test_a_conflict_is_listed_and_settled(served: httpx.Client, at: str) -> None:
    body = {**PLACE, "quantity": "water_m3", "at": at, "value": 10.5}
    for value in (10.5, 11.5):
        served.post(f"{PARK}/readings", json=body | {"value": value})
    found = served.get(f"{PARK}/conflicts", params={"settled": False}).json()["rows"]
    assert [(each["stored"], each["refused"]) for each in found] == [(10.5, 11.5)]
    settle = {"conflict_id": found[0]["conflict_id"], **WHO, "why": "read again"}
    other = served.post("/api/v1/parks/P2/revisions", json=settle)
    assert other.status_code == 404  # a conflict of another park
    answer = served.post(f"{PARK}/revisions", json=settle)
    assert answer.json()["value_after"] == 11.5
    assert code(served.post(f"{PARK}/revisions", json=settle)) == (422, "invalid")
    assert not served.get(f"{PARK}/conflicts?settled=false").json()["rows"]
    assert len(served.get(f"{PARK}/conflicts?settled=true").json()["rows"]) == 1


@pytest.mark.parametrize(
    ("headers", "status", "name"),
    [
        ({"Origin": "https://evil.example"}, 403, "cross_site"),
        ({"Origin": "null"}, 403, "cross_site"),
        ({"Origin": "http://127.0.0.1:1"}, 403, "cross_site"),
        ({"Origin": "http://["}, 403, "cross_site"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "cross_site"),
        ({"Sec-Fetch-Site": "same-site"}, 403, "cross_site"),
        ({"Content-Type": "text/plain"}, 415, "not_json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "not_json"),
        ({"Content-Type": ""}, 415, "not_json"),
        ({"Host": "evil.example"}, 400, "host_refused"),
    ],
)
def test_no_other_site_changes_anything(
    api: httpx.Client, headers: dict[str, str], status: int, name: str
) -> None:
    sent = {"Content-Type": "application/json", **headers}
    answer = api.post(f"{PARK}/readings", content=b"{}", headers=sent)
    assert code(answer) == (status, name)


def test_own_page_and_programs_may_send(api: httpx.Client, base: str) -> None:
    for headers in ({}, {"Origin": base, "Sec-Fetch-Site": "same-origin"}):
        answer = api.post(f"{PARK}/readings", json={}, headers=headers)
        assert code(answer) == (422, "invalid")


def test_bodies_are_bounded(api: httpx.Client) -> None:
    sent = {"Content-Type": "application/json"}
    large = api.post(f"{PARK}/readings", content=b" " * 70_000, headers=sent)
    assert code(large) == (413, "too_large")

    def endless() -> Iterator[bytes]:
        yield b"{}"

    unknown = api.post(f"{PARK}/readings", content=endless(), headers=sent)
    assert code(unknown) == (413, "too_large")
    broken = api.post(f"{PARK}/readings", content=b"{", headers=sent)
    assert code(broken) == (422, "invalid")
    assert broken.json()["error"]["message"] == "The body is not JSON."


def test_nothing_is_left_of_what_fails(served: httpx.Client, own: Any, at: str) -> None:
    with psycopg.connect(own.url, autocommit=True) as conn:
        conn.execute("ALTER TABLE core.typed RENAME TO gone")
    body = {**PLACE, "quantity": "water_m3", "at": at, "value": 1.0}
    assert served.post(f"{PARK}/readings", json=body).status_code == 503
    assert "manual" not in served.get("/api/v1/sources").text
