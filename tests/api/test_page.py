"""The page in a real browser; what it says agrees with the API."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", color_scheme="light"
    )
    opened = context.new_page()
    trouble: list[str] = []
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", lambda said: trouble.append(said.text))
    opened.on(
        "request",
        lambda asked: None if asked.url.startswith(base) else trouble.append(asked.url),
    )
    opened.goto(f"{base}/parks/P1")
    opened.wait_for_selector("body[data-ready=P1]")
    yield opened
    context.close()
    assert trouble == []


def figure(page: Page, selector: str) -> float:
    return float(re.sub(r"[^0-9.\-]", "", page.inner_text(selector)))


def test_numbers_agree_with_the_api(
    page: Page, api: httpx.Client, tmp_path: Path
) -> None:
    live = api.get("/api/v1/parks/P1/live").json()
    page.wait_for_timeout(500)
    target = os.environ.get("PARKWATT_SCREENSHOT", str(tmp_path / "page.png"))
    page.screenshot(path=target)
    assert Path(target).stat().st_size > 20_000
    assert figure(page, "#power") == round(live["power"]["kw"])
    words = page.inner_text("#contract-words")
    assert words.startswith(f"{100 * live['contract_share']:.0f}\u00a0%")
    assert "5,400 kW" in words
    if live["today"]["peak_demand_kw"] is not None:
        assert figure(page, "#peak") == round(live["today"]["peak_demand_kw"])
        assert figure(page, "#energy") == round(live["today"]["energy_kwh"])
        known = int(live["today"]["coverage"] * 1000) / 10
        assert figure(page, "#coverage") == known
    rows = page.locator("#shares tbody tr")
    assert rows.count() == 12
    for i, each in enumerate(live["enterprises"]):
        row = rows.nth(i)
        assert row.get_attribute("data-enterprise") == each["enterprise"]
        kw = float(row.locator("td").nth(1).inner_text().replace(",", ""))
        assert kw == pytest.approx(each["kw"], abs=0.51)
        share = row.locator("td").nth(2).inner_text()
        assert share == f"{100 * each['share']:.1f}\u00a0%"
    assert page.locator("#readings tbody tr").count() == len(live["readings"])
    assert page.locator("#readings .chip").count() == 4  # of the unconfirmed meter


def test_the_chart_says_in_words_what_it_shows(page: Page, api: httpx.Client) -> None:
    live = api.get("/api/v1/parks/P1/live").json()
    chart = page.locator("#chart")
    assert chart.get_attribute("role") == "img"
    label = chart.get_attribute("aria-label") or ""
    assert f"{live['power']['kw']:,.0f} kW" in label
    assert "contract demand of 5,400 kW" in label
    assert page.locator("#chart canvas").count() == 1


def test_the_chart_as_a_table(page: Page, api: httpx.Client) -> None:
    today = api.get("/api/v1/parks/P1/live").json()["today"]
    page.click("#as-table")
    rows = page.locator("#demand-table tbody tr")
    assert rows.count() == len(today["demand"]) + bool(today["running"])
    assert page.get_attribute("#as-table", "aria-expanded") == "true"
    page.click("#as-table")
    assert page.locator("#chart").is_visible()


def test_the_language_is_remembered(page: Page) -> None:
    page.click("[data-language=zh]")
    assert page.inner_text("#t-power") == "园区当前功率"
    page.reload()
    page.wait_for_selector("body[data-ready=P1]")
    assert page.inner_text("#t-power") == "园区当前功率"
    assert page.get_attribute("html", "lang") == "zh-CN"


def test_another_park(page: Page) -> None:
    page.select_option("#park", "P2")
    page.wait_for_selector("body[data-ready=P2]")
    assert page.inner_text("#power") == "–"
    assert page.url.endswith("/parks/P2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone(browser: Browser, base: str, scheme: Any) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", color_scheme=scheme
    )
    page = context.new_page()
    page.goto(base)
    page.wait_for_selector("body[data-ready=P1]")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_a_new_reading_shows_itself(browser: Browser, own: Any, serving: Any) -> None:
    with serving(own.url) as base:
        page = browser.new_page()
        page.goto(base)
        page.wait_for_selector("#state.live")
        before = sum(own.power.values())
        own.say_power("E01/M1", own.power["E01"] + 1000.0)
        wanted = f"{before + 1000:,.0f}"
        expect(page.locator("#power")).to_have_text(wanted, timeout=2000)
        page.close()


def test_a_conflict_shows_itself(browser: Browser, own: Any, serving: Any) -> None:
    with serving(own.url) as base:
        page = browser.new_page()
        page.goto(base)
        page.wait_for_selector("#state.live")
        assert page.locator("#conflicts").is_hidden()
        # another value of a reading that is there
        own.say_power("E01/M1", 5.0, own.now.replace(microsecond=0))
        said = page.locator("#conflicts")
        expect(said).to_contain_text("1 reading contradicts", timeout=5000)
        page.close()


def test_a_reading_is_typed(browser: Browser, own: Any, serving: Any) -> None:
    with serving(own.url) as base:
        context = browser.new_context(
            viewport={"width": 1200, "height": 900},
            locale="en-GB",
            timezone_id="America/New_York",  # the person is not where the park is
        )
        page = context.new_page()
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(base)
        page.wait_for_selector("body[data-ready=P1]")
        page.click("#to-entry")
        page.wait_for_selector("body[data-ready=P1]")
        assert page.url.endswith("/parks/P1/entry")
        assert page.locator("#meter option").count() == 12  # the confirmed ones
        assert page.input_value("#quantity") == "energy_import"
        assert page.locator("#lasts tbody tr").count() == 12
        page.select_option("#quantity", "water")
        assert page.inner_text("#value-label") == "Value [m³]"
        page.fill("#who", "Reader One")

        def store(at: str, value: str) -> None:
            page.fill("#at", at)
            page.fill("#value", value)
            page.press("#value", "Enter")

        said = page.locator("#outcome")
        store("2026-01-02T08:00", "1,234")
        expect(said).to_contain_text("not a number")
        store("2026-01-02T08:00", "1234.5")
        expect(said).to_have_text("Stored: 1,234.5 m³")
        first = page.locator("#lasts tbody tr").first
        expect(first).to_contain_text("2026-01-02 08:00")
        store("2026-01-02T08:00", "1234.5")
        expect(said).to_contain_text("there already")
        store("2026-01-02T08:00", "1235")
        expect(said).to_contain_text("Another value is stored and stays: 1,234.5")
        store("2026-01-03T08:00", "12")
        expect(page.locator("#doubts")).to_contain_text("1,234.5 at 2026-01-02 08:00")
        target = os.environ.get("PARKWATT_SCREENSHOT_ENTRY")
        if target:
            page.screenshot(path=target)
        page.click("#cancel")
        assert page.locator("#lasts").inner_text().count("2026-01-03") == 0
        store("2026-01-03T08:00", "12")
        page.click("#confirm")
        expect(said).to_have_text("Stored: 12 m³")
        page.click("[data-language=zh]")
        assert page.inner_text("#t-entry") == "录入读数"
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        at = httpx.get(
            f"{base}/api/v1/parks/P1/readings/last?enterprise=E01&meter=M1"
        ).json()
        found = {each["at"] for each in at["rows"] if each["quantity"] == "water"}
        assert found == {"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"}
        context.close()
    # the browser names the answers that are refusals, and nothing else
    assert trouble == []
