"""Bills over the API and on their page."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from analytics.jobs import tariffs
from store import registry
from store import tariffs as stored
from store.database import session
from tests.api.test_routes import get

Json = dict[str, Any]


def bill(url: str) -> None:
    """Say how one enterprise is billed, by a tariff that holds today."""
    with session(url) as conn:
        tariffs.load(conn)
        stored.set_billing(
            conn,
            registry.subject(conn, "P1", "E01").subject_id,
            "CN-JS",
            "demand",
            date(2025, 6, 1),
            capacity_kva=400.0,
            power_factor_standard=0.9,
            source="contract 7",
        )


def month(today: date) -> Json:
    first = today.replace(day=1)
    return {
        "from": first.isoformat(),
        "to": (first + timedelta(31)).replace(day=1).isoformat(),
    }


def test_a_bill_adds_up(api: httpx.Client, seeded: Any) -> None:
    bill(seeded.url)
    asked = month(seeded.today)
    found = get(api, "/parks/P1/bills", **asked, enterprise="E01")
    only = found["bills"][0]
    assert not only["complete"]
    assert only["tariffs"] == ["CN-JS"]
    assert not found["assumed"]
    energy = [each for each in only["lines"] if each["kind"] == "energy"]
    used = get(api, "/parks/P1/figures", **asked, enterprise="E01", grain="month")
    assert sum(e["quantity"] for e in energy) == pytest.approx(used["energy_kwh"])
    for each in energy:
        assert each["amount_cny"] == pytest.approx(
            each["quantity"] * each["price_cny"], abs=0.0051
        )
    known = [each["amount_cny"] for each in only["lines"]]
    total = sum(each for each in known if each is not None)
    assert only["known_cny"] == pytest.approx(total)
    # readings of two days of the month: too little is known for a total
    assert (only["total_cny"] is None) == (only["coverage"] < 0.95 or None in known)
    text = api.get(
        "/api/v1/parks/P1/bills", params={**asked, "enterprise": "E01", "format": "csv"}
    ).text
    assert len(text.splitlines()) == 1 + len(only["lines"])


def test_other_terms_and_none(api: httpx.Client, seeded: Any) -> None:
    bill(seeded.url)
    asked = month(seeded.today)
    answer = api.get("/api/v1/parks/P1/bills", params={**asked, "enterprise": "E02"})
    assert answer.status_code == 422
    assert "nothing says how" in answer.json()["error"]["message"]
    found = get(
        api,
        "/parks/P1/bills",
        **asked,
        enterprise="E02",
        tariff="CN-SH",
        method="capacity",
        capacity_kva=500,
    )
    basic = [e for e in found["bills"][0]["lines"] if e["kind"] == "basic"]
    assert [(e["quantity"], e["amount_cny"]) for e in basic] == [(500, 13_000)]
    answer = api.get(
        "/api/v1/parks/P1/bills",
        params={**asked, "enterprise": "E02", "tariff": "CN-XX"},
    )
    assert answer.status_code == 422
    one = asked | {"to": (date.fromisoformat(asked["from"]) + timedelta(3)).isoformat()}
    answer = api.get("/api/v1/parks/P1/bills", params={**one, "enterprise": "E01"})
    assert "whole months" in answer.json()["error"]["message"]


def test_tariffs(api: httpx.Client, seeded: Any) -> None:
    bill(seeded.url)
    rows = get(api, "/tariffs")["rows"]
    assert [each["code"] for each in rows] == [
        "CN-BJ",
        "CN-GD",
        "CN-JS",
        "CN-SH",
        "CN-TJ",
    ]
    assert all(each["prices_are_examples"] and not each["verified"] for each in rows)


@pytest.mark.browser
def test_the_page_agrees_with_the_api(browser: Browser, own: Any, serving: Any) -> None:
    bill(own.url)
    asked = month(own.today)
    with serving(own.url) as base:
        page = browser.new_page(
            locale="en-GB", viewport={"width": 1440, "height": 1000}
        )
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(f"{base}/parks/P1/bills")
        page.wait_for_selector("body[data-ready=P1]")
        found = httpx.get(
            f"{base}/api/v1/parks/P1/bills", params={**asked, "enterprise": "E01"}
        ).json()
        lines = found["bills"][0]["lines"]
        rows = page.locator(f"[data-month='{found['bills'][0]['month']}'] tbody tr")
        expect(rows).to_have_count(len(lines) + 1)
        for i, each in enumerate(lines):
            shown = rows.nth(i).locator("td").nth(3)
            cny = each["amount_cny"]
            expect(shown).to_have_text("–" if cny is None else f"{cny:,.2f}")
            expect(rows.nth(i).locator("td").nth(4)).to_have_text(each["rule"])
        # under other terms
        page.select_option("#method", "capacity")
        page.fill("#capacity", "500")
        page.click("button[type=submit]")
        expect(page.locator("#total-note")).to_have_text("under the terms asked for")
        expect(page.get_by_text("13,000.00")).to_have_count(1)
        # 40 % of the capacity
        expect(page.locator("#contract-note")).to_contain_text(
            "at least 200 kW must be"
        )
        page.click("[data-language=zh]")
        expect(page.locator("#t-capacity")).to_contain_text("按容量")
        # of whom nothing is said: told, not guessed
        page.select_option("#method", "")
        page.select_option("#enterprise", "E02")
        page.fill("#capacity", "")
        page.click("button[type=submit]")
        expect(page.locator("#banner")).to_contain_text("nothing says how")
        assert not trouble
        page.close()
