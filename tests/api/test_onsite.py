"""Own plant through the API, and as a person types it."""

import json
from typing import Any

import httpx
import pytest

from store import judgements
from store.database import connect
from tests.analytics.jobs.test_onsiting import EXPORT, IMPORT, LOAD, PV, Plant
from tests.api.test_accounts import get, post
from tests.system.conftest import Run

pytestmark = pytest.mark.db


def test_own_plant_by_api_and_command(
    timescale_database: str, serving: Any, tmp_path: Any
) -> None:
    park = Plant(timescale_database)
    meters = [
        park.quarters("GATE", energy_import=IMPORT + 4.0, energy_export=EXPORT + 9.0),
        park.quarters("PV", pv_generation=PV),
        park.quarters("LOAD", "sub", energy_import=LOAD),
    ]
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        for meter in meters:
            judgements.set_plate(
                conn, meter, accuracy_class=0.5, rated_per_h=None, source="plate"
            )
    days = {"from": "2024-06-01", "to": "2024-06-03"}
    rating: dict[str, Any] = {
        "what": "pv_kwp",
        "value": 80.0,
        "valid_from": "2024-01-01",
    }
    with (
        serving(timescale_database) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        assert post(client, "/parks/P/plants", **rating)["recorded"] == ["pv_kwp"]
        assert post(client, "/parks/P/plants", **rating)["recorded"] == []
        post(client, "/parks/P/plants", 422, **rating | {"value": -1.0})
        (listed,) = get(client, "/parks/P/plants")["rows"]
        assert listed["value"] == 80
        found = get(client, "/parks/P/onsite", load="A/LOAD", **days)
        one = get(client, "/parks/P/onsite", enterprise="A", **days)
    assert found["from"] == "2024-06-01"
    assert found["full_load_hours"] == pytest.approx(3840 / 80)
    assert one["full_load_hours"] is None  # stated of the park, not of the enterprise
    # export is 9 more than is to spare, import 4 more: by day 40 + 4 against 25 + 19
    assert found["identity"]["holds"] == 96
    # at night 20 against 20 and 9
    assert found["identity"]["broken"] == 96
    assert found["identity"]["worst"][0]["residual_kwh"] == pytest.approx(-9)
    assert found["clean_energy"]["share"] is None  # not whole months
    run = Run(timescale_database, tmp_path)
    asked = ("onsite", "--park", "P", "--from", days["from"], "--to", days["to"])
    typed = run(*asked, "--load", "A/LOAD", "--json")
    assert json.loads(typed.stdout) == found
    assert "assumed: there is no storage" in run(*asked).stdout
    rated = ("--what", "storage_kwh", "--value", "5", "--from", "2024-01-01")
    said = ("--source", "plate", "--who", "w")
    assert "recorded" in run("own-plant", "--park", "P", *rated, *said).stdout
