"""The carbon peak through the API, and as a person types it."""

import json
from typing import Any

import httpx
import pytest

from tests.analytics.jobs.conftest import Monthly
from tests.api.test_accounts import Json, get, post
from tests.system.conftest import Run

pytestmark = pytest.mark.db

SERIES = [100, 112, 121, 130, 138, 135, 133, 131, 129, 128]


def test_the_peak_by_api_and_command(
    timescale_database: str, serving: Any, tmp_path: Any
) -> None:
    park = Monthly(timescale_database, "PK")
    park.add("a", {"energy_import": [1e6] * 12}, 2020)
    park.compute()
    run = Run(timescale_database, tmp_path)
    said = ("--park", "PK", "--method", "enterprise", "--source", "s", "--who", "w")
    done = run("history", "add", *said, "--year", "2010", "--amount", "100")
    assert "recorded" in done.stdout
    done = run("history", "add", *said, "--year", "2010", "--amount", "100")
    assert "known already" in done.stdout
    with (
        serving(timescale_database) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        for year, t in enumerate(SERIES[1:], 2011):
            body: Json = {"method": "enterprise", "year": year, "amount_t": t}
            found = post(client, "/parks/PK/history", **body)
            assert found["recorded"] == [f"enterprise {year}"]
        post(
            client,
            "/parks/PK/history",
            422,
            method="enterprise",
            year=2011,
            month=14,
            amount_t=1,
        )
        rows = get(client, "/parks/PK/history")["rows"]
        assert [each["amount_t"] for each in rows] == SERIES
        asked: Json = {"method": "enterprise", "last": 2019}
        found = get(client, "/parks/PK/trajectory", **asked)
        assert found["series"][0]["state"]["state"] == "peaked"
        assert found["series"][0]["state"]["after_peak"]["s"] == -10
        everything = get(client, "/parks/PK/trajectory", first=2019, last=2021)
        assert {"location_region", "zero_carbon_park"} <= {
            each["method"] for each in everything["series"]
        }
        answer = client.get(
            "/api/v1/parks/PK/trajectory", params={**asked, "format": "csv"}
        )
        assert answer.text.splitlines()[1].startswith("enterprise,2010,100")
        lines = get(client, "/parks/PK/what-if", year=2020, green_share=1)
        assert lines["base_t"] == pytest.approx(12_000 * 0.8325)
        assert lines["lines"][1]["with_t"] == pytest.approx(0, abs=1e-9)
        split = get(client, "/parks/PK/decomposition", before=2019, after=2020)
        assert split["effects"]["activity_t"] is None
        assert split["missing_added_value"]["2020"] == ["a"]
    shown = run("trajectory", "--park", "PK", "--last", "2019", *said[2:4]).stdout
    assert "peaked (significant_decline)" in shown
    assert "p 0.0275" in shown
    listed = run("history", "list", "--park", "PK").stdout
    assert "138.000 tCO2" in listed
    typed = run("what-if", "--park", "PK", "--year", "2020", "--green", "1", "--json")
    assert json.loads(typed.stdout) == lines
    words = run("decomposition", "--park", "PK", "--before", "2019", "--after", "2020")
    assert "no added value of 2020: a" in words.stdout
