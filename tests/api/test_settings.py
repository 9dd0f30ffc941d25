"""Virtual meters and rules of measuring demand, stated over the API."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.test_routes import get

Json = dict[str, Any]


@pytest.fixture
def there(own: Any, serving: Any) -> Any:
    with serving(own.url) as base, httpx.Client(base_url=base, timeout=20) as client:
        yield client


def post(client: httpx.Client, path: str, body: Json) -> httpx.Response:
    return client.post(f"/api/v1/parks/P1/{path}", json=body)


def test_a_virtual_meter_is_stated_listed_and_computed(
    there: httpx.Client, own: Any
) -> None:
    body = {
        "enterprise": "E01",
        "meter": "V1",
        "formula": "E01/M1 + E02/M1 - 0.5 E03/M1",
        "source": "plan 4",
    }
    answer = post(there, "virtual-meters", body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["formula"] == body["formula"]
    assert answer.json()["to"] is None
    own.compute()
    day = own.today - timedelta(days=1)
    asked = {"from": day.isoformat(), "to": own.today.isoformat()}
    energy = {
        code: get(there, "/parks/P1/figures", **asked, enterprise=code, meter=meter)[
            "energy_kwh"
        ]
        for code, meter in (("E01", "M1"), ("E02", "M1"), ("E03", "M1"))
    }
    found = get(there, "/parks/P1/figures", **asked, enterprise="E01", meter="V1")
    wanted = energy["E01"] + energy["E02"] - 0.5 * energy["E03"]
    assert found["energy_kwh"] == pytest.approx(wanted)
    assert found["coverage"] == 1.0
    meters = get(there, "/parks/P1/meters", enterprise="E01")["rows"]
    assert {each["code"]: (each["virtual"], each["role"]) for each in meters} == {
        "M1": (False, "main"),
        "V1": (True, "check"),
    }
    (row,) = get(there, "/parks/P1/virtual-meters")["rows"]
    assert (row["enterprise"], row["meter"], row["source"]) == ("E01", "V1", "plan 4")
    csv = there.get("/api/v1/parks/P1/virtual-meters", params={"format": "csv"}).text
    assert csv.splitlines()[0].startswith("enterprise,meter,quantity,unit,formula,from")
    usage = get(there, "/parks/P1/usage", **asked, enterprise="E01", meter="V1")
    assert usage["parentage"]["meters"][0]["kind"] == "virtual"


def test_what_a_virtual_meter_may_not_is_refused(there: httpx.Client, own: Any) -> None:
    body = {"enterprise": "E01", "meter": "V1", "source": "plan"}
    for formula, words in (
        ("E01/M1 +", "meter is expected"),
        ("E09/NONE", "no meter"),
        ("E01/V1", "rests on this meter"),
    ):
        answer = post(there, "virtual-meters", body | {"formula": formula})
        assert answer.status_code == 422, formula
        assert words in answer.text
    read = post(there, "virtual-meters", body | {"meter": "M1", "formula": "E02/M1"})
    assert "read itself" in read.text
    made = post(there, "virtual-meters", body | {"formula": "E01/M1"})
    assert made.status_code == 201
    typed = post(
        there,
        "readings",
        {
            "enterprise": "E01",
            "meter": "V1",
            "quantity": "energy_import",
            "at": own.now.isoformat(),
            "value": 5.0,
            "who": "Li",
            "confirm": True,
        },
    )
    assert typed.status_code == 422
    assert "virtual" in typed.text


def test_a_rule_is_stated_listed_and_followed(there: httpx.Client, own: Any) -> None:
    day = own.today - timedelta(days=1)
    asked = {"from": day.isoformat(), "to": own.today.isoformat()}
    rows = get(there, "/parks/P1/demand", **asked, enterprise="E02")["rows"]
    hours = [
        sum(each["demand_kw"] for each in rows[i : i + 4]) / 4 for i in range(0, 96, 4)
    ]
    body = {
        "enterprise": "E02",
        "window_min": 60,
        "method": "fixed",
        "from": day.isoformat(),
        "source": "contract 9",
    }
    answer = post(there, "demand-rules", body)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["window_min"], answer.json()["meter"]) == (60, None)
    own.compute()
    for path in ("figures", "demand"):
        found = get(there, f"/parks/P1/{path}", **asked, enterprise="E02")
        assert found["demand_method"] == "demand_fixed60"
        assert found["peak_demand_kw"] == pytest.approx(max(hours))
    found = get(there, "/parks/P1/peaks", **asked, enterprise="E02")
    assert found["top"][0]["kw"] == pytest.approx(max(hours))
    assert len(found["duration"]) == 24
    assert get(there, "/parks/P1/demand-rules")["rows"] == [answer.json()]
    assert post(there, "demand-rules", body | {"window_min": 20}).status_code == 422
