"""The page of peaks in a real browser: what it says agrees with the API."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from store import forecasts, registry
from store.database import session
from store.forecasts import Forecast

pytestmark = pytest.mark.browser


def tell(url: str) -> Forecast:
    """Have the running window told, as the analysis does each minute."""
    now = datetime.now(UTC)
    if (left := 900 - now.timestamp() % 900) < 90:
        time.sleep(left + 0.1)  # the test shall not outlast the window
        now = datetime.now(UTC)
    start = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    with session(url) as conn:
        told = Forecast(
            subject_id=registry.park(conn, "P1").park_id,
            start=start,
            window_min=15,
            known_s=300.0,
            made_at=now,
            energy_kwh=430.5,
            latest_kw=5200.0,
            expected_kw=5612.0,
            low_kw=5480.0,
            high_kw=5733.0,
            contract_kw=5400.0,
            shed_state="needed",
            shed_kw=318.0,
        )
        forecasts.tell(conn, told)
        conn.execute(
            "SELECT pg_notify('parkwatt_figures', %s)", (str(told.subject_id),)
        )
    return told


def opened(browser: Browser, address: str, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text))
    page.goto(address)
    page.wait_for_selector("body[data-ready=P1]")
    return page, trouble


def test_who_made_the_peak_agrees_with_the_api(
    browser: Browser, own: Any, serving: Any, tmp_path: Path
) -> None:
    day = (own.today - timedelta(days=1)).isoformat()
    with serving(own.url) as base:
        page, trouble = opened(
            browser,
            f"{base}/parks/P1/peaks?from={day}&until={day}",
            viewport={"width": 1440, "height": 1500},
            locale="en-GB",
        )
        page.fill("#charge", "10000")
        page.press("#charge", "Enter")
        expect(page.locator("#made thead th")).to_have_count(9)
        query = {
            "from": day,
            "to": own.today.isoformat(),
            "charge": 10_000,
            "count": 10,
        }
        said = httpx.get(f"{base}/api/v1/parks/P1/peaks", params=query).json()
        parts = sorted(
            (each for each in said["made_by"]["parts"] if each["enterprise"]),
            key=lambda each: -each["kw"],
        )
        rows = page.locator("#made tbody tr")
        assert rows.count() == len(parts) == 12
        for i, each in enumerate(parts):
            cells = rows.nth(i).locator("td").all_inner_texts()
            assert each["enterprise"] in cells[0]
            assert cells[2] == f"{100 * each['share']:.1f}\u00a0%"
            shown = [float(cell.replace(",", "")) for cell in (cells[1], *cells[6:])]
            assert cells[5] == "100.0\u00a0%"
            assert shown[0] == pytest.approx(each["kw"], abs=0.51)
            assert shown[1:] == list(each["charge_cny"].values())
        assert f"{said['made_by']['coincidence']:.3f}" in page.inner_text("#made-note")
        assert page.locator("#top tbody tr").count() == len(said["top"])
        assert page.locator("#map tbody td").count() == 24
        assert (
            page.locator("#map tbody td").nth(12).get_attribute("aria-label")
            == f"{said['map']['kw'][0][12]:,.0f} kW"
        )
        assert page.locator("#chart canvas").count() == 1
        with session(own.url) as conn:
            assert conn.execute("SELECT count(*) FROM core.forecast").fetchone() == (0,)
        assert page.inner_text("#expected") == "–"
        page.wait_for_selector("#state.live")
        told = tell(own.url)  # it shows itself
        expect(page.locator("#expected")).to_have_text("5,612", timeout=3000)
        # 212 kW over the contract, in what is left of 15 minutes
        left = (told.start - datetime.now(UTC)).total_seconds() / 60 + 15
        shed = float(page.inner_text("#shed").replace(",", ""))
        assert shed == pytest.approx(212.0 * 15 / min(left, 10), rel=0.1)
        assert page.inner_text("#window-words").startswith("104\u00a0%")
        assert "5,480 and 5,733" in page.inner_text("#window-note")
        assert page.inner_text("#window-action").startswith("Drop ")
        page.wait_for_timeout(300)
        target = os.environ.get("PARKWATT_PEAKS_SCREENSHOT", str(tmp_path / "p.png"))
        page.screenshot(path=target)
        page.click("[data-language=zh]")
        assert page.inner_text("#t-made") == "峰值由谁造成"
        assert trouble == []
        page.context.close()


def test_a_month_of_which_little_is_known_names_nobody(
    browser: Browser, base: str, seeded: Any, tmp_path: Path
) -> None:
    first = (seeded.today - timedelta(days=40)).isoformat()
    page, trouble = opened(
        browser,
        f"{base}/parks/P1/peaks?from={first}&until={seeded.today}",
        viewport={"width": 390, "height": 844},
        locale="en-GB",
        color_scheme="dark",
    )
    assert "too little to say who made its peak" in page.inner_text("#made-note")
    note = page.inner_text("#period-note")
    assert "fixed windows of 15 minutes · the peak is a lower bound" in note
    assert page.locator("#top tbody td").nth(1).inner_text().startswith("≥ ")
    target = os.environ.get("PARKWATT_LITTLE_SCREENSHOT", str(tmp_path / "p.png"))
    page.screenshot(path=target)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert trouble == []
    page.context.close()


def test_the_live_page_leads_to_it(browser: Browser, base: str) -> None:
    page, trouble = opened(browser, f"{base}/parks/P1")
    page.click("#to-peaks")
    page.wait_for_selector("body[data-ready=P1]")
    assert page.url.endswith("/parks/P1/peaks")
    assert trouble == []
    page.context.close()


def test_who_draws_power_now_moves_by_itself(
    browser: Browser, own: Any, serving: Any
) -> None:
    day = own.today - timedelta(days=1)
    with serving(own.url) as base:
        page, trouble = opened(
            browser,
            f"{base}/parks/P1/peaks?from={day}&until={day}",
            viewport={"width": 1440, "height": 900},
            locale="en-GB",
        )
        page.wait_for_selector("#state.live")
        own.say_power("E03/M1", 4321.0)
        first = page.locator("#now tbody tr").first
        expect(first).to_contain_text("E03", timeout=5000)
        expect(first).to_contain_text("4,321")
        live = httpx.get(f"{base}/api/v1/parks/P1/live").json()
        assert first.locator("td").nth(2).inner_text() == (
            f"{100 * live['enterprises'][0]['share']:.1f}\u00a0%"
        )
        assert "12 of 12 meters heard" in page.inner_text("#now-note")
        page.click("#today-as-table")
        windows = page.locator("#today-table tbody tr")
        running = live["today"]["running"] is not None
        assert windows.count() == len(live["today"]["demand"]) + running
        page.click("#duration-as-table")
        assert page.locator("#duration-table tbody tr").count() == 96
        assert page.locator("#chart").is_hidden()
        page.click("#duration-as-table")
        expect(page.locator("#chart canvas")).to_have_count(1)
        assert trouble == []
        page.context.close()


def test_what_is_to_be_done_is_said_in_a_sentence(
    browser: Browser, own: Any, serving: Any
) -> None:
    """The same window as told: nothing to drop, too late, and nothing known."""
    with serving(own.url) as base:
        page, trouble = opened(browser, f"{base}/parks/P1/peaks", locale="zh-CN")
        assert page.inner_text("#window-action") == ""
        assert page.inner_text("#window-note") == "本时段暂无数据"
        page.wait_for_selector("#state.live")
        for state, words in (("not needed", "无需压减"), ("impossible", "无法避免")):
            told = tell(own.url)
            with session(own.url) as conn:
                forecasts.tell(conn, replace(told, shed_state=state, shed_kw=None))
                conn.execute(
                    "SELECT pg_notify('parkwatt_figures', %s)", (str(told.subject_id),)
                )
            expect(page.locator("#window-action")).to_contain_text(words, timeout=5000)
        assert trouble == []
        page.context.close()
