"""Explanations and closings through the API; an enterprise sees its own alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from analytics.jobs import closing, restatement
from store.database import connect
from tests.analytics.jobs.test_explaining import Lab, added_value, late, multiplier

pytestmark = pytest.mark.db

DAYS = {"from": "2025-01-01", "to": "2025-04-01"}


def test_explain_close_and_restate(
    timescale_database: str,
    serving: Callable[[str], AbstractContextManager[str]],
) -> None:
    lab = Lab(timescale_database)
    with (
        serving(timescale_database) as base,
        httpx.Client(base_url=f"{base}/api/v1/parks/P", timeout=60) as client,
        connect(timescale_database, autocommit=True) as conn,
    ):
        then = datetime.now(UTC).isoformat()
        asked = {"who": "Auditor One", **DAYS}
        refused = client.post("/closings", json=asked)
        assert refused.status_code == 422
        assert "coverage below" in refused.json()["error"]["message"]
        made = client.post("/closings", json=asked | {"despite": "B was read late"})
        assert made.status_code == 201
        number = made.json()["closing"]["closing_id"]
        late(lab, conn)
        multiplier(lab, conn)
        lab.compute()
        added_value(lab, conn)
        restatement.check(conn, lab.park)

        told = get(client, "/explain", figure="energy_kwh", compare_with=then, **DAYS)
        assert told["value"] == pytest.approx(5500.0)
        assert told["change"]["change"] == pytest.approx(1500.0)
        kinds = {each["kind"]: each["change"] for each in told["change"]["causes"]}
        assert kinds == pytest.approx({"readings": 500.0, "multipliers": 1000.0})
        was = get(client, "/explain", figure="energy_kwh", as_known_on=then, **DAYS)
        assert was["value"] == told["change"]["before"] == pytest.approx(4000.0)
        unknown = client.get("/explain", params={"figure": "tce", **DAYS})
        assert unknown.status_code == 422
        assert "tce.calorific" in unknown.json()["error"]["message"]

        whole = get(client, f"/closings/{number}")
        assert len(whole["restatements"]) == 2
        assert closing.digest(whole["content"]) == whole["closing"]["sha256"]
        one = get(client, f"/closings/{number}", enterprise="B")
        assert list(one["figures"]) == ["B"]
        assert one["content"] is None
        assert "letter of February" not in str(one)
        (only,) = one["restatements"]
        assert {each["subject"] for each in only["differences"]} == {"B"}
        shown = get(client, "/figures", enterprise="A", grain="month", **DAYS)
        assert shown["closing"]["restated"] is True
        listed = get(client, "/closings", verify=True)
        assert listed["faults"] == []
        assert [each["restatements"] for each in listed["rows"]] == [2]
        assert client.get("/closings/99").status_code == 404


def get(client: httpx.Client, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()
