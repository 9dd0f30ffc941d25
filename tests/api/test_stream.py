"""The live stream: fresh, coalesced, shared, ended."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from api.routes import live as live_routes

pytestmark = pytest.mark.slow

Event = dict[str, str]


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Read events; comments come as {"comment": …}."""
    event: Event = {}
    for line in lines:
        if line.startswith(":"):
            yield {"comment": line[1:].strip()}
        elif line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            yield event
            event = {}


@contextmanager
def watching(base: str, **headers: str) -> Iterator[Iterator[Event]]:
    path = f"{base}/api/v1/parks/P1/stream"
    with httpx.stream("GET", path, timeout=20, headers=headers) as answer:
        assert answer.status_code == 200
        yield events(answer.iter_lines())


def power_of(event: Event, enterprise: str) -> float:
    rows = json.loads(event["data"])["enterprises"]
    return float(next(r["kw"] for r in rows if r["enterprise"] == enterprise))


def until(stream: Iterator[Event], wanted: Callable[[Event], bool]) -> Event:
    for event in stream:
        if "data" in event and wanted(event):
            return event
    raise AssertionError("the stream ended")


def test_first_event_is_the_live_object(base: str) -> None:
    with watching(base, **{"Last-Event-ID": "12"}) as stream:
        event = next(stream)
    assert event["event"] == "live"
    assert int(event["id"]) > 0
    shown = json.loads(event["data"])
    asked = httpx.get(f"{base}/api/v1/parks/P1/live").json()
    assert set(shown) == set(asked)
    assert shown["enterprises"] == asked["enterprises"]


def test_headers(base: str) -> None:
    with httpx.stream("GET", f"{base}/api/v1/parks/P1/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-accel-buffering"] == "no"


def test_a_reading_is_on_the_page_within_two_seconds(
    own: Any, serving: Callable[[str], Any]
) -> None:
    with serving(own.url) as base, watching(base) as stream:
        next(stream)
        for kw in (111.0, 222.0, 333.0):
            own.say_power("E01/M1", kw)
            committed = time.monotonic()
            until(stream, lambda e, kw=kw: power_of(e, "E01") == kw)  # type: ignore[misc]
            assert time.monotonic() - committed < 2.0


def test_computed_figures_call_too(own: Any, serving: Callable[[str], Any]) -> None:
    with serving(own.url) as base, watching(base) as stream:
        first = next(stream)
        with psycopg.connect(own.url, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_notify('parkwatt_figures', %s)", (str(own.park_id),)
            )
        begun = time.monotonic()
        assert int(next(stream)["id"]) > int(first["id"])
        assert time.monotonic() - begun < 2.0


def test_many_changes_are_few_events_and_all_watchers_share_them(
    own: Any, serving: Callable[[str], Any]
) -> None:
    seen: list[list[str]] = [[], []]

    def watch(base: str, ids: list[str]) -> None:
        with watching(base) as stream:
            ids.append(until(stream, lambda e: power_of(e, "E01") >= 500)["id"])

    with serving(own.url) as base, watching(base) as stream:
        next(stream)
        threads = [threading.Thread(target=watch, args=(base, ids)) for ids in seen]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        begun = time.monotonic()
        count = 0
        for i in range(40):
            own.say_power("E01/M1", 500.0 if i == 39 else 100.0 + i)
            time.sleep(0.02)
        for event in stream:
            count += 1
            if power_of(event, "E01") == 500.0:
                break
        assert count <= time.monotonic() - begun + 2
        for thread in threads:
            thread.join(10)
    assert seen[0] == seen[1] == [event["id"]]


def test_more_watchers_than_connections(base: str) -> None:
    def one() -> None:
        with watching(base) as stream:
            next(stream)
            time.sleep(1)

    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert httpx.get(f"{base}/health").status_code == 200
    for thread in threads:
        thread.join(10)


def test_heartbeat(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert live_routes.HEARTBEAT_S == 15
    monkeypatch.setattr(live_routes, "HEARTBEAT_S", 1)
    with watching(base) as stream:
        next(stream)
        assert next(stream) == {"comment": "heartbeat"}


def test_the_database_may_go_away(own: Any, serving: Callable[[str], Any]) -> None:
    with serving(own.url) as base, watching(base) as stream:
        next(stream)
        with psycopg.connect(own.url, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        own.say_power("E01/M1", 444.0)
        begun = time.monotonic()
        until(stream, lambda e: power_of(e, "E01") == 444.0)
        assert time.monotonic() - begun < 8.0


def test_streams_end_when_the_server_stops(
    own: Any, serving: Callable[[str], Any]
) -> None:
    ended: list[float] = []

    def watch(base: str) -> None:
        with watching(base) as stream:
            up.set()
            for _ in stream:
                pass
        ended.append(time.monotonic())

    up = threading.Event()
    with serving(own.url) as base:
        thread = threading.Thread(target=watch, args=(base,))
        thread.start()
        assert up.wait(5)
        begun = time.monotonic()
    assert time.monotonic() - begun < 2.0
    thread.join(5)
    assert ended
    assert ended[0] - begun < 2.0
