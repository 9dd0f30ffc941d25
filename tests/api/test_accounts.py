"""The worked examples through database, jobs and API."""

import csv
import io
import json
from datetime import date
from typing import Any

import httpx
import pytest

from store import registry, statements
from store.database import connect
from tests.analytics.jobs.conftest import Monthly
from tests.analytics.jobs.test_green_power import X

Json = dict[str, Any]
MONTHS = {"from": "2024-01-01", "to": "2024-03-01"}
SAID = {"source": "ledger 3", "who": "Metering office"}


def post(client: httpx.Client, path: str, status: int = 201, **body: Any) -> Json:
    answer = client.post(f"/api/v1{path}", json=SAID | body)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def get(client: httpx.Client, path: str, **asked: Any) -> Json:
    answer = client.get(f"/api/v1{path}", params=asked)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def certificates(client: httpx.Client, park: str, enterprise: str, mwh: int) -> None:
    record: Json = {
        "kind": "certificate",
        "reference": f"GEC-{enterprise}-{mwh}",
        "production_month": "2024-01-01",
        "mwh": mwh,
    }
    post(
        client,
        f"/parks/{park}/green-power",
        technology="wind",
        evidence="certificates",
        **record,
    )
    post(
        client,
        f"/parks/{park}/green-matches",
        enterprise=enterprise,
        month="2024-01-01",
        **record,
    )


def test_the_worked_examples(timescale_database: str, serving: Any) -> None:
    """Enterprise X and the park of the guide, their year's amounts in two months."""
    one = Monthly(timescale_database, "PX")
    one.add("X", X, 2024)
    park = Monthly(timescale_database, "ZC")
    # 500 GWh, 20 M Nm3, 500 000 GJ in all
    park.add("A", {"energy_import": [200e6, 100e6], "natural_gas": [8e6, 4e6]}, 2024)
    park.add("B", {"energy_import": [150e6, 50e6], "natural_gas": [4e6, 4e6]}, 2024)
    park.add("C", {"heat": [300e3, 200e3]}, 2024)
    one.compute()
    with connect(timescale_database, autocommit=True) as conn:
        statements.state_added_value(
            conn,
            registry.subject(conn, "PX", "X").subject_id,
            date(2024, 1, 1),
            date(2024, 3, 1),
            26_000.0,
            source="bureau",
        )
    with (
        serving(timescale_database) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        enterprise_x(client)
        zero_carbon_park(client)
        lists(client)


def enterprise_x(client: httpx.Client) -> None:
    for month in ("2024-01-01", "2024-02-01"):
        post(
            client,
            "/parks/PX/activities",
            enterprise="X",
            month=month,
            item="diesel",
            use="burnt",
            amount=60,
            unit="t",
        )
    early: Json = {"kind": "certificate", "reference": "GEC-early", "mwh": 1}
    early |= {"production_month": "2099-01-01", "technology": "wind"}
    refused = post(client, "/parks/PX/green-power", 422, **early)
    assert "nothing was made yet in 2099-01" in refused["error"]["message"]
    certificates(client, "PX", "X", 2000)
    found = get(client, "/parks/PX/figures", enterprise="X", grain="month", **MONTHS)
    assert found["tce"]["calorific"] == pytest.approx(3921.602, abs=5e-4)
    assert found["tce"]["equal_value"] == pytest.approx(6344.852, abs=5e-4)
    ratios = found["intensity"]
    assert ratios["tce_per_10k_cny"]["calorific"] == pytest.approx(0.15083, abs=5e-6)
    assert ratios["tce_per_10k_cny"]["equal_value"] == pytest.approx(0.24403, abs=5e-6)
    for method, co2_t, ratio in (
        ("location_region", 12_393.660, 0.47668),
        ("enterprise", 10_707.260, 0.41182),
        ("residual", 11_497.260, 0.44220),
        ("zero_carbon_park", 13_726.260, 0.52793),
    ):
        assert found["co2_t"][method] == pytest.approx(co2_t, abs=5e-3)
        assert ratios["co2_t_per_10k_cny"][method] == pytest.approx(ratio, abs=5e-6)
    # the book's months add up to the figures
    book = get(client, "/parks/PX/accounts", enterprise="X", **MONTHS)
    assert book["totals"] == book["netting"] == []  # of X alone
    assert {each["enterprise"] for each in book["rows"]} == {"X"}
    for method in ("enterprise", "ghg_market"):
        rows = [each for each in book["rows"] if each["method"] == method]
        assert [each["month"] for each in rows] == ["2024-01", "2024-02"]
        assert sum(e["total"] for e in rows) == pytest.approx(found["co2_t"][method])
        for each in rows:
            assert each["scope_1"] + each["scope_2"] == pytest.approx(each["total"])
            assert each["heat"] == pytest.approx(1650)
            assert sum(each["carriers"].values()) == pytest.approx(each["total"])
            assert each["carriers"]["diesel"] == pytest.approx(60 * 3.0959, abs=1e-2)
    post(
        client,
        "/parks/PX/green-matches",
        422,
        enterprise="X",
        kind="certificate",
        reference="GEC-none",
        production_month="2024-01-01",
        month="2024-01-01",
        mwh=1,
    )


def zero_carbon_park(client: httpx.Client) -> None:
    certificates(client, "ZC", "A", 200_000)
    certificates(client, "ZC", "B", 150_000)
    co2, tce = totals(client)
    assert co2 == pytest.approx(223_118.8, abs=0.05)
    assert tce == pytest.approx(194_860, abs=0.05)
    assert co2 / tce == pytest.approx(1.145, abs=5e-4)
    core = get(client, "/parks/ZC/zero-carbon", to="2025-01-01")
    assert core["value"] == pytest.approx(1.145, abs=5e-4)
    assert core["with_all_green"] == pytest.approx(0.504, abs=5e-4)
    # what it rests on, and nothing of the hundreds that are known
    assert core["factors"] == [
        "calorific/CN/heat",
        "calorific/CN/natural_gas",
        "default/CN/heat",
        "equal_value/CN/electricity/2024",
        "net_calorific/CN/natural_gas",
        "proven_green/CN/electricity",
        "zero_carbon_park/CN/2022",
    ]
    assert core["state"] == "unknown"  # most of the twelve months are
    assert core["size_class"] == "unknown"
    assert core["aim"] is core["gap_t"] is core["green_kwh"] is None
    for day in ("0001-01-01", "9999-12-01", "2025-01-02"):
        refused = client.get("/api/v1/parks/ZC/zero-carbon", params={"to": day})
        assert refused.status_code == 422, day
    shares = {
        e["enterprise"]: e
        for e in get(client, "/parks/ZC/green-power", **MONTHS)["shares"]
    }
    assert shares[None]["green_share"] == pytest.approx(0.7)
    assert shares[None]["direct_share"] == 0
    # the rest of the power, too: gas and heat alone
    for enterprise, mwh in (("A", 100_000), ("B", 50_000)):
        record: Json = {
            "kind": "trade",
            "reference": f"T-{enterprise}",
            "production_month": "2024-02-01",
            "mwh": mwh,
        }
        where = "/parks/ZC/green-power"
        post(client, where, technology="wind", evidence="settled", **record)
        where = "/parks/ZC/green-matches"
        post(client, where, enterprise=enterprise, month="2024-02-01", **record)
    co2, tce = totals(client)
    assert co2 == pytest.approx(98_243.8, abs=0.05)
    assert co2 / tce == pytest.approx(0.504, abs=5e-4)


def totals(client: httpx.Client) -> tuple[float, float]:
    found = get(client, "/parks/ZC/accounts", **MONTHS)
    assert found["errors"] == []
    by = {each["method"]: each for each in found["totals"]}
    for each in by.values():
        if each["park"] is not None:
            assert each["difference"] == pytest.approx(0, abs=1e-6)
    assert all(
        each["unexplained"] in (None, pytest.approx(0, abs=1e-3))
        for each in found["netting"]
    )
    return by["zero_carbon_park"]["park"], by["equal_value"]["park"]


def lists(client: httpx.Client) -> None:
    methods = {each["name"]: each for each in get(client, "/methods")["rows"]}
    assert methods["zero_carbon_park"]["verified"]
    assert methods["zero_carbon_park"]["factors"]["electricity"]["year"] == "pinned"
    factors = get(client, "/factors", carrier="electricity", basis="ets")["rows"]
    assert [each["value"] for each in factors] == [0.5810, 0.5703]
    own: Json = {
        "carrier": "heat",
        "kind": "co2",
        "basis": "default",
        "unit": "tCO2/GJ",
    }
    where, since = "/parks/ZC/own-factors", "2024-01-01"
    post(client, where, 422, value=0.0, valid_from=since, **own)
    post(client, where, value=0.09, valid_from=since, **own)
    post(
        client,
        where,
        enterprise="A",
        carrier="natural_gas",
        ncv_gj=380.0,
        valid_from=since,
    )
    mine = get(client, where)["rows"]
    assert [(each["carrier"], each["enterprise"]) for each in mine] == [
        ("heat", None),
        *[("natural_gas", "A")] * 2,
    ]
    assert not any("subject_id" in each for each in (*mine, *factors))
    # another enterprise's are not told
    of_b = get(client, where, enterprise="B")["rows"]
    assert [each["carrier"] for each in of_b] == ["heat"]
    said = get(client, "/parks/PX/activities", **MONTHS)
    assert [each["amount"] for each in said["rows"]] == [60, 60]
    assert {"item": "clinker", "uses": ["process"], "units": ["t", "kg"]} in said[
        "items"
    ]
    matches = get(client, "/parks/ZC/green-matches")["rows"]
    assert [each["kwh"] for each in matches] == [200e6, 150e6, 100e6, 50e6]
    ledger = get(client, "/parks/ZC/green-power", **MONTHS)["rows"]
    assert {each["status"] for each in ledger} == {"used"}
    for path in (
        "accounts",
        "activities",
        "green-power",
        "green-matches",
        "own-factors",
    ):
        answer = client.get(
            f"/api/v1/parks/PX/{path}", params={**MONTHS, "format": "csv"}
        )
        assert answer.headers["content-type"].startswith("text/csv"), path
    refused = client.get(
        "/api/v1/parks/PX/accounts", params={"from": "2024-01-02", "to": "2024-02-01"}
    )
    assert refused.status_code == 422
    assert "whole months" in refused.json()["error"]["message"]


def test_what_is_entered_cannot_spoil_what_is_asked(
    timescale_database: str, serving: Any
) -> None:
    """Months beyond the calendar, bytes of zero, factors next to 0."""
    park = Monthly(timescale_database)
    park.add("X", X, 2024)
    park.compute()
    activity: Json = {"enterprise": "X", "item": "coke", "use": "burnt", "unit": "t"}
    activity |= {"amount": 1}
    power: Json = {"kind": "certificate", "reference": "G", "mwh": 1, "evidence": "e"}
    power |= {"technology": "wind"}
    factor: Json = {"enterprise": "X", "valid_from": "2024-01-01", "kind": "co2"}
    grid: Json = {"carrier": "electricity", "basis": "grid_average"}
    grid |= {"unit": "kgCO2/kWh"}
    with (
        serving(timescale_database) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for month in ("9999-12-01", "0001-01-01", "2100-01-01", "2024-01-02"):
            post(client, "/parks/P/activities", 422, month=month, **activity)
            post(client, "/parks/P/green-power", 422, production_month=month, **power)
        power["production_month"] = "2024-01-01"
        post(client, "/parks/P/green-power", 422, expires="2023-12-31", **power)
        nul = {"month": "2024-01-01", "source": "invoice\0"}
        post(client, "/parks/P/activities", 422, **activity, **nul)
        for value in (0, 1e-9, 0.0107):  # the least shipped one is 0.1073
            post(client, "/parks/P/own-factors", 422, value=value, **factor, **grid)
        post(client, "/parks/P/own-factors", value=0.0108, **factor, **grid)
        for days in (("2024-03-01", "2023-01-01"), ("0001-01-01", "2024-03-01")):
            asked = {"from": days[0], "to": days[1], "who": "w", "despite": "so"}
            answer = client.post("/api/v1/parks/P/closings", json=asked)
            assert answer.status_code == 422, answer.text
        assert get(client, "/parks/P/green-power", **MONTHS)["rows"] == []
        asked = MONTHS | {"format": "csv"}
        text = client.get("/api/v1/parks/P/accounts", params=asked).text
        rows = list(csv.DictReader(io.StringIO(text)))
        assert json.loads(rows[0]["carriers"])["heat"] == pytest.approx(511.8)
