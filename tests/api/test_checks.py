"""Violated rules and policies over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.test_routes import get

PARK = "/api/v1/parks/P1"


@pytest.fixture
def served(own: Any, serving: Any) -> Iterator[httpx.Client]:
    with serving(own.url) as base, httpx.Client(base_url=base, timeout=20) as client:
        yield client


def test_a_sound_day_violates_nothing_and_a_silent_one_does(
    api: httpx.Client, seeded: Any
) -> None:
    day = timedelta(days=1)
    sound = {"from": seeded.today - day, "to": seeded.today}
    assert get(api, "/parks/P1/checks", **sound) == {"rows": []}
    silent = {"from": seeded.today - 2 * day, "to": seeded.today - day}
    rows = get(api, "/parks/P1/checks", **silent)["rows"]
    assert {each["rule"] for each in rows} == {"missing share"}
    assert {each["value"] for each in rows} == {1.0}
    assert len({each["meter"] for each in rows}) == 12
    text = api.get(f"{PARK}/checks", params={**silent, "format": "csv"}).text
    head, *lines = text.splitlines()
    assert head.startswith("rule,meter,quantity,says,touches,count,judged")
    assert len(lines) == len(rows)


def test_a_policy_is_stated_listed_and_taken_back(served: httpx.Client) -> None:
    body = {
        "enterprise": "E01",
        "meter": "M1",
        "name": "stuck_after_s",
        "source": "idle at weekends",
    }
    made = served.post(f"{PARK}/policies", json=body | {"value": 259_200.0})
    assert made.status_code == 201, made.text
    (row,) = made.json()["rows"]
    assert (row["meter"], row["name"], row["value"], row["source"]) == (
        "E01/M1",
        "stuck_after_s",
        259_200.0,
        "idle at weekends",
    )
    assert served.get(f"{PARK}/policies").json() == made.json()
    assert served.post(f"{PARK}/policies", json=body).json() == {"rows": []}
    for wrong in ({"value": 60.0}, {"name": "colour"}, {"more": 1}):
        refused = served.post(f"{PARK}/policies", json=body | wrong)
        assert refused.status_code == 422, refused.text
