"""Packs of indicators and the zero-carbon-park report through API and commands."""

import io
import json
from datetime import date
from typing import Any

import httpx
import openpyxl
import pytest

from store import membership, registry, statements
from store.database import connect
from tests.analytics.jobs.conftest import Monthly
from tests.api.test_accounts import Json, certificates, get, post
from tests.system.conftest import Run

pytestmark = pytest.mark.db

NONE = [0.0] * 10
OWN = """
name: chamber
title: what the chamber asks for
source: circular 4
verified: true
needed: {social: 1}
inputs:
  apprentices: {unit: "", title: apprentices in the park}
  visitors: {unit: "", title: visitors in the year}
indicators:
- {name: power, title: power taken, unit: kWh, formula: electricity_taken_kwh,
   threshold: {at_most: 400000000}, source: circular 4, verified: true}
- {name: apprentices, title: apprentices, unit: "", formula: apprentices, need: social,
   threshold: {at_least: 100}, source: circular 4, verified: true}
- {name: visitors, title: growth of visitors, unit: percent, need: social,
   formula: "100 × growth(visitors_before, visitors)",
   threshold: {at_least: 5}, source: circular 4, verified: true}
- {name: idle, title: idle places, unit: "", formula: apprentices - 7, need: index,
   lead: 1, better: less, source: circular 4, verified: true}
- {name: per_idle, title: guests per place, unit: "", formula: visitors / (apprentices - 7),
   need: guiding, source: circular 4, verified: true}
"""


@pytest.fixture
def zc(timescale_database: str) -> Monthly:
    """The park of the guide: 500 GWh, 20 M Nm3, 500 000 GJ, in a natural year."""
    park = Monthly(timescale_database, "ZC")
    for code, kwh, gas in (
        ("A", [200e6, 100e6], [8e6, 4e6]),
        ("B", [150e6, 50e6], [4e6] * 2),
    ):
        used = {"energy_import": [*kwh, *NONE], "natural_gas": [*gas, *NONE]}
        park.add(code, used, 2024)
    park.add("C", {"heat": [300e3, 200e3, *NONE]}, 2024)
    park.compute()
    return park


def test_the_zero_carbon_report_and_a_pack_of_ones_own(
    zc: Monthly, serving: Any, tmp_path: Any
) -> None:
    run = Run(zc.url, tmp_path)
    with (
        serving(zc.url) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        certificates(client, "ZC", "A", 200_000)
        certificates(client, "ZC", "B", 150_000)
        found = get(client, "/parks/ZC/zero-carbon-report", year=2024)
        report(found)
        stated(client)
        own_pack(client)
        above_size(zc.url, client)
        book = client.get(
            "/api/v1/parks/ZC/zero-carbon-report",
            params={"year": 2024, "format": "xlsx"},
        )
        sheets = openpyxl.load_workbook(io.BytesIO(book.content))
        assert sheets["steps 路径"]["D3"].value == pytest.approx(0.504, abs=5e-4)
        before = get(client, "/parks/ZC/zero-carbon-report", year=2023)
        assert before["core"] is None
        assert before["state"] == "unknown"
        assert before["indicators"][0]["state"] == "unknown"
        csv = client.get(
            "/api/v1/parks/ZC/indicators",
            params={"pack": "hj_274_2015", "year": 2024, "format": "csv"},
        )
        assert len(csv.text.splitlines()) == 33
    commands(run)


def report(found: Json) -> None:
    assert found["co2_t"] == pytest.approx(223_118.8, abs=0.05)
    assert found["energy_tce"] == pytest.approx(194_860, abs=0.05)
    assert found["core"] == pytest.approx(1.145, abs=5e-4)
    assert found["indicators"][0]["state"] == "no_threshold"
    assert any("below 200 000 tce" in each for each in found["cautions"])
    green = found["steps"][1]
    assert green["name"] == "all power green"
    assert green["core"] == pytest.approx(0.504, abs=5e-4)
    assert found["steps"][-1]["co2_t"] == pytest.approx(0, abs=1e-6)
    parts = {each["carrier"]: each["co2_t"] for each in found["parts"]}
    # 150 GWh · 0.8325, 500 000 GJ · 0.11, and gas
    assert parts["electricity"] == pytest.approx(124_875)
    assert parts["heat"] == pytest.approx(55_000)
    assert parts["natural_gas"] == pytest.approx(43_243.8, abs=0.05)
    low = found["reach"][0]
    assert (low["at_most"], low["applies"]) == (0.2, False)
    assert low["to_cut_t"] == pytest.approx(223_118.8 - 0.2 * 194_860, abs=0.05)
    assert low["by_green_power_t"] == pytest.approx(124_875)
    assert low["green_power_kwh"] == pytest.approx(150e6)
    assert low["by_heat_and_fuel_t"] == pytest.approx(59_271.8, abs=0.05)
    assert not low["power_alone_reaches"]
    missing = {each["name"] for each in found["missing"]}
    assert {"solid_waste_used_t", "water_reused_m3"} <= missing
    why = {each["name"]: each["why"] for each in found["missing"]}
    assert "state non_fossil_heat_gj" in why["clean_energy_equal_value_tce"]
    assert found["guiding"] == {"met": 0, "missed": 0, "unknown": 5, "waived": 0}


def stated(client: httpx.Client) -> None:
    where = "/parks/ZC/indicator-inputs"
    for name, value, unit in (
        ("solid_waste_used_t", 90.0, "t"),
        ("solid_waste_generated_t", 100.0, "t"),
        ("solid_waste_old_stock_used_t", 20.0, "t"),
        ("non_fossil_heat_gj", 0.0, "gj"),
    ):
        post(
            client,
            where,
            name=name,
            year=2024,
            value=value,
            unit=unit,
            evidence="ledger",
        )
    post(client, where, 422, name="solid_waste_used_t", year=2024, value=1, unit="kg")
    post(client, where, 422, name="solid_wast_used_t", year=2024, value=1, unit="t")
    found = get(client, "/parks/ZC/zero-carbon-report", year=2024)
    by = {each["name"]: each for each in found["indicators"]}
    # 90 t of 100 t and 20 t of old stock
    assert by["solid_waste"]["value"] == pytest.approx(75)
    assert by["solid_waste"]["state"] == "missed"
    assert by["solid_waste"]["would_reach"] == pytest.approx(5)
    # 350 GWh of 500, at 0.3024 kgce
    assert by["clean_energy"]["value"] == pytest.approx(
        100 * 350e6 * 0.3024e-3 / 194_860, abs=1e-3
    )
    gas = get(
        client, "/parks/ZC/zero-carbon-report", year=2024, clean="non_fossil_and_gas"
    )
    by = {each["name"]: each for each in gas["indicators"]}
    assert by["clean_energy"]["value"] == pytest.approx(
        100 * (350e6 * 0.3024e-3 + 20e6 * 1.33e-3) / 194_860, abs=1e-3
    )
    year = {"from": "2024-01-01", "to": "2025-01-01"}
    plant = get(client, "/parks/ZC/onsite", clean="non_fossil_and_gas", **year)
    assert plant["clean_energy"]["share"] == pytest.approx(
        by["clean_energy"]["value"] / 100
    )
    used = {each["name"]: each for each in gas["values"]}
    assert used["solid_waste_used_t"]["origin"] == "stated"
    assert used["solid_waste_used_t"]["evidence"] == "ledger"
    assert used["co2_zero_carbon_park_t"]["origin"] == "computed"


def own_pack(client: httpx.Client) -> None:
    def add(text: str, status: int = 201) -> Json:
        answer = client.post("/api/v1/packs", json={"text": text, "who": "Chamber"})
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found

    assert add(OWN) == {"recorded": ["chamber"]}
    assert add(OWN) == {"recorded": []}
    for wrong, words in (
        (OWN.replace("formula: apprentices,", "formula: apprentice,"), "no value"),
        (OWN.replace("name: chamber", "name: hj_274_2015"), "is shipped"),
        (
            OWN.replace("circular 4\nverified", "circular 4\ncolour: red\nverified"),
            "colour",
        ),
        (OWN.replace("{social: 1}", "{sport: 1}"), "sport"),
        (OWN.replace("at_least: 100", "at_best: 100"), "at_best"),
        (OWN.replace("visitors_before, visitors", "visitors"), "not allowed"),
    ):
        assert words in add(wrong, 422)["error"]["message"]
    where, year = "/parks/ZC/indicator-inputs", 2024
    asked: Json = {"pack": "chamber", "year": year}
    found = get(client, "/parks/ZC/indicators", **asked)
    assert found["state"] == "missed"  # 500 GWh
    assert found["group_states"] == {"social": "unknown"}
    assert [(e["name"], e["year"]) for e in found["missing"]] == [
        ("apprentices", 2024),
        ("visitors", 2024),
        ("visitors", 2023),
    ]
    for name, at, value in (("visitors", 2023, 100.0), ("visitors", 2024, 106.0)):
        post(client, where, name=name, year=at, value=value, unit="")
    found = get(client, "/parks/ZC/indicators", **asked)
    assert found["group_states"] == {"social": "met"}
    assert found["indicators"][2]["value"] == pytest.approx(6)
    # a newer pack of the name stands in for it
    add(OWN.replace("at_most: 400000000", "at_most: 600000000"))
    assert get(client, "/parks/ZC/indicators", **asked)["state"] == "met"
    names = [each["name"] for each in get(client, "/packs")["rows"]]
    assert names[-1] == "chamber"
    assert {"zero_carbon_park", "netdz_green", "green_park_2016"} < set(names)


def above_size(url: str, client: httpx.Client) -> None:
    asked: Json = {"pack": "netdz_green", "year": 2024}
    found = get(client, "/parks/ZC/indicators", **asked)
    assert found["indicators"][0]["value"] is None
    with connect(url, autocommit=True) as conn:
        for code, above, value in (
            ("A", True, 1e5),
            ("B", True, 5e4),
            ("C", False, 9e9),
        ):
            owner = registry.subject(conn, "ZC", code).subject_id
            membership.state_size(conn, owner, 2024, above, source="bureau", who="w")
            statements.state_added_value(
                conn, owner, date(2024, 1, 1), date(2025, 1, 1), value, source="bureau"
            )
    found = get(client, "/parks/ZC/indicators", **asked)
    # A 300 GWh and 12 M m3, B 200 GWh and 8 M m3, at 0.1229 and 1.33 kgce
    tce = 500e6 * 0.1229e-3 + 20e6 * 1.33e-3
    assert found["indicators"][0]["value"] == pytest.approx(tce / 1.5e5)
    assert found["indicators"][0]["state"] == "no_threshold"
    assert not found["indicators"][0]["verified"]


def commands(run: Run) -> None:
    asked = ("--park", "ZC", "--year", "2024")
    shown = run("report", "zero-carbon", *asked, "--xlsx", str(run.folder / "a.xlsx"))
    assert "0.504" in shown.stdout
    assert "1.145" in shown.stdout
    assert (run.folder / "a.xlsx").stat().st_size > 4000
    found = json.loads(run("report", "zero-carbon", *asked, "--json").stdout)
    assert found["core"] == pytest.approx(1.145, abs=5e-4)
    assert "chamber" in run("pack", "list").stdout
    assert "apprentices" in run("pack", "show", "chamber").stdout
    said = ("--unit", "", "--source", "s", "--who", "w")
    done = run("pack", "state", *asked, "--name", "apprentices", "--value", "7", *said)
    assert "recorded" in done.stdout
    own = run("indicators", *asked, "--pack", "chamber").stdout
    assert "missed" in own
    assert "no score: idle places: 0, and less is better" in own
    assert "no value: guests per place: it divides by what is not above 0" in own
    green = run("indicators", *asked, "--pack", "green_park_2016").stdout
    # of meters: energy productivity, share of clean energy; stated: solid waste
    assert "index: unknown of 24 indicators, 21 of them unknown" in green
    assert (
        "green_plan 2024, nobody has stated it (for plan for the green park)" in green
    )
    assert "not verified: 工信厅节函〔2016〕586号" in green
    assert "yes_no: 1 for yes" in run("pack", "show", "green_park_2016").stdout
    file = run.file("own.yaml", OWN)
    assert "recorded" in run("pack", "add", file, "--who", "w").stdout


def test_parks_side_by_side(
    timescale_database: str, serving: Any, tmp_path: Any
) -> None:
    """Clean: E1 with all certificates, E2 none; E3 without its last months is refused."""
    for code, months in (("E1", 24), ("E2", 24), ("E3", 20)):
        park = Monthly(timescale_database, code)
        park.add("a", {"energy_import": [1e6] * months}, 2023)
        park.compute()
    Monthly(timescale_database, "E4")
    asked: Json = {"first": 2023, "last": 2024, "clean": "non_fossil_electricity"}
    with (
        serving(timescale_database) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        certificates(client, "E1", "a", 1000)
        found = get(client, "/comparison", **asked)
        by = {each["park"]: each["years"] for each in found["parks"]}
        # one month of twelve in 2024
        assert by["E1"][1]["share"] == pytest.approx(1 / 12)
        assert by["E2"][1]["share"] == 0
        assert [by[code][1]["place"] for code in by] == [1, 2, None, None]
        assert [by[code][0]["place"] for code in by] == [1, 1, 1, None]
        assert by["E2"][1]["places_won"] == -1
        assert by["E3"][1]["refused_because"] == "the year is metered_in_part"
        assert by["E3"][1]["months_complete"] == 8
        assert by["E4"][1]["refused_because"] == "the year is nothing_known"
        assert [each["compared"] for each in found["years"]] == [3, 2]
        assert found["years"][1]["share_above_half"] == 0
        for month in range(2, 13):
            key: Json = {
                "kind": "certificate",
                "reference": f"GEC-{month}",
                "production_month": f"2024-{month:02}-01",
                "mwh": 1000,
            }
            more: Json = {"technology": "wind", "evidence": "certificates"}
            post(client, "/parks/E1/green-power", **key, **more)
            day = f"2024-{month:02}-01"
            post(client, "/parks/E1/green-matches", enterprise="a", month=day, **key)
        year = get(client, "/comparison", **asked)["years"][1]
        assert (year["above_half"], year["share_above_half"]) == (1, 0.5)
        # heat that nobody has stated is not known
        asked["clean"] = "non_fossil"
        refused = get(client, "/comparison", **asked)["parks"][0]["years"][1]
        assert refused["refused_because"] == "a part of clean energy is not known"
    run = Run(timescale_database, tmp_path)
    shown = run("comparison", "--last", "2024", "--clean", "non_fossil_electricity")
    assert "1 of 2 parks compared" in shown.stdout
