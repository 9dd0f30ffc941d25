"""Every way into an error gives {"error": {"code", "message", "detail"?}}."""

from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

PARK = "/api/v1/parks/P1"
DAYS = "from=2026-01-01&to=2026-01-02"

WAYS = [
    ("/nope", 404, "not_found"),
    ("/api/v1/nope", 404, "not_found"),
    ("/static/nope.js", 404, "not_found"),
    ("/api/v1/parks/NO", 404, "unknown_park"),
    ("/api/v1/parks/NO/live", 404, "unknown_park"),
    ("/api/v1/parks/NO/stream", 404, "unknown_park"),
    (f"/api/v1/parks/NO/figures?{DAYS}", 404, "unknown_park"),
    (f"{PARK}/usage?{DAYS}&enterprise=NO", 404, "unknown_enterprise"),
    (f"{PARK}/meters?enterprise=NO", 404, "unknown_enterprise"),
    (f"{PARK}/usage?{DAYS}&meter=NO", 404, "unknown_meter"),
    (f"{PARK}/usage?{DAYS}&meter=%00", 404, "unknown_meter"),
    (f"{PARK}/usage?{DAYS}&meter=M1", 422, "invalid"),  # of several enterprises
    (f"{PARK}/usage?{DAYS}&quantity=steem", 422, "invalid"),
    (f"{PARK}/usage?{DAYS}&grain=hour", 422, "invalid"),
    (f"{PARK}/usage?{DAYS}&format=xml", 422, "invalid"),
    (f"{PARK}/usage", 422, "invalid"),
    (f"{PARK}/usage?from=yesterday&to=2026-01-02", 422, "invalid"),
    (f"{PARK}/usage?from=2026-01-02&to=2026-01-02", 422, "invalid"),
    (f"{PARK}/usage?from=2025-01-01&to=2026-12-31&grain=15min", 422, "invalid"),
    (f"{PARK}/energy?from=2000-01-01&to=2100-01-01", 422, "invalid"),
    (f"{PARK}/energy?from=2026-01-01&to=9999-12-31", 422, "invalid"),
    (f"{PARK}/figures?{DAYS}&as_known_on=then", 422, "invalid"),
    (f"{PARK}/figures?{DAYS}&as_known_on=2026-01-01T00:00", 422, "invalid"),
    (f"{PARK}/figures?{DAYS}&as_known_on=9999-12-31", 422, "invalid"),
    (f"{PARK}/readings?from=2026-01-01T00:00&to=2026-01-02", 422, "invalid"),
    (f"{PARK}/readings?{DAYS}&limit=10001", 422, "invalid"),
    (f"{PARK}/readings?{DAYS}&cursor=1;2", 422, "invalid"),
    (f"{PARK}/readings?{DAYS}&cursor=1.99999999999999999", 422, "invalid"),
    (f"{PARK}/readings?{DAYS}&quantity=x", 422, "invalid"),
    ("/api/v1/quarantine?limit=0", 422, "invalid"),
]


def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "detail"}
    message = body["error"]["message"]
    assert isinstance(message, str)
    assert message.endswith(".")
    assert "\n" not in message
    assert "Traceback" not in answer.text
    assert answer.headers["cache-control"] in ("no-store", "no-cache")
    found: dict[str, Any] = body["error"]
    return found


@pytest.mark.parametrize(("path", "status", "code"), WAYS)
def test_ways(api: httpx.Client, path: str, status: int, code: str) -> None:
    check(api.get(path), status, code)


def test_what_was_unknown_is_named(api: httpx.Client) -> None:
    error = check(api.get("/api/v1/parks/NO"), 404, "unknown_park")
    assert "'NO'" in error["message"]
    assert "/api/v1/parks lists" in error["message"]


def test_all_parameters_that_are_wrong_are_named(api: httpx.Client) -> None:
    error = check(api.get(f"{PARK}/usage?from=x"), 422, "invalid")
    assert [each["parameter"] for each in error["detail"]] == ["from", "to"]


def test_method(api: httpx.Client) -> None:
    answer = api.post("/api/v1/parks", json={})
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8600", "[", ""])
def test_foreign_host(api: httpx.Client, host: str) -> None:
    check(api.get("/api/v1/parks", headers={"Host": host}), 400, "host_refused")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8600"])
def test_own_host(api: httpx.Client, host: str) -> None:
    assert api.get("/api/v1/parks", headers={"Host": host}).status_code == 200


@pytest.mark.slow
def test_no_database(serving: Callable[[str], Any]) -> None:
    url = "postgresql://nobody@127.0.0.1:9/none?connect_timeout=1"
    with serving(url) as base, httpx.Client(base_url=base, timeout=20) as api:
        for path in ("/health", "/api/v1/parks"):
            answer = api.get(path)
            check(answer, 503, "database_unreachable")
            assert int(answer.headers["retry-after"]) > 0
            assert "127.0.0.1:9" not in answer.text


def test_no_schema(timescale: Any, serving: Callable[[str], Any]) -> None:
    url = timescale.empty()
    with serving(url) as base, httpx.Client(base_url=base, timeout=20) as api:
        for path in ("/health", "/metrics", "/api/v1/parks", f"{PARK}/live"):
            error = check(api.get(path), 503, "schema_missing")
            assert "parkwatt migrate" in error["message"]
    timescale.drop(url)


def test_an_older_schema_is_not_healthy(
    timescale_database: str, serving: Callable[[str], Any]
) -> None:
    with psycopg.connect(timescale_database, autocommit=True) as conn:
        conn.execute("DELETE FROM ledger.applied WHERE name LIKE '0002%'")
    with serving(timescale_database) as base, httpx.Client(base_url=base) as api:
        check(api.get("/health"), 503, "schema_missing")


def test_an_error_of_ours_says_nothing_of_the_inside(
    timescale_database: str, serving: Callable[[str], Any]
) -> None:
    with psycopg.connect(timescale_database, autocommit=True) as conn:
        conn.execute("ALTER TABLE core.park RENAME COLUMN region TO secret_thing")
    with serving(timescale_database) as base, httpx.Client(base_url=base) as api:
        answer = api.get("/api/v1/parks")
        check(answer, 500, "internal")
        assert "region" not in answer.text
