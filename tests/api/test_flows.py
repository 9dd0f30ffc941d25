"""What is below a meter of electricity and measures something else, over HTTP."""

from typing import Any

import httpx
import pytest

from tests.analytics.jobs.test_flows import QUARTERS, Park, main_with_everything_below

DAYS = {"from": "2026-01-31", "to": "2026-02-02"}


def test_gas_water_and_own_generation_below_electricity_count(
    plain_database: str, serving: Any
) -> None:
    park = Park(plain_database)
    main_with_everything_below(park)
    park.analyse()
    once = {"energy_import": 60, "natural_gas": 5, "water": 2, "pv_generation": 9}
    with (
        serving(plain_database) as base,
        httpx.Client(base_url=base + "/api/v1/parks/p", timeout=60) as client,
    ):
        for whose in ({"enterprise": "a"}, {}):
            found = client.get("/figures", params=DAYS | whose).json()
            amounts = {name: each["amount"] for name, each in found["amounts"].items()}
            assert amounts == pytest.approx(
                {name: used * QUARTERS for name, used in once.items()}
            )
            for name, used in once.items():
                asked = DAYS | whose | {"quantity": name}
                found = client.get("/usage", params=asked).json()
                assert found["total"] == pytest.approx(used * QUARTERS)
            nothing = DAYS | whose | {"quantity": "energy_export"}
            assert client.get("/usage", params=nothing).json()["total"] is None
