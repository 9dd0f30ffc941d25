"""The page of statements, in a browser and against the API."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.db, pytest.mark.browser, pytest.mark.slow]


def test_a_person_states_added_value(
    browser: Browser, own: Any, serving: Any, tmp_path: Path
) -> None:
    with serving(own.url) as base:
        context = browser.new_context(
            viewport={"width": 1200, "height": 1000}, locale="en-GB"
        )
        page = context.new_page()
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(f"{base}/parks/P1/entry")
        page.wait_for_selector("body[data-ready=P1]")
        page.click("#pages a[href='/parks/P1/statements']")
        page.wait_for_selector("body[data-ready=P1]")
        expect(page.locator("#kind option").first).to_have_text(
            "industrial added value"
        )
        page.select_option("#enterprise", "E02")
        said = page.locator("#outcome")

        def state(period: str, amount: str, **chosen: str) -> None:
            for name, value in chosen.items():
                page.select_option(f"#{name}", value)
            page.fill("#period", period)
            page.fill("#amount", amount)
            page.fill("#source", "monthly report")
            page.fill("#who", "Statistics One")
            page.press("#amount", "Enter")

        state("2026-03", "twelve")
        expect(said).to_contain_text("not a number")
        state("2026-03", "120.5")
        expect(said).to_have_text("Stored: 120.50")
        state("2026-03", "120.5")
        expect(said).to_contain_text("stated already")
        state("2026-13", "1")
        expect(said).to_contain_text("Not stored.")
        state("2026-Q1", "9900000", unit="cny", stage="final")
        expect(said).to_contain_text("Stored")
        expect(page.locator("#stated tbody tr")).to_have_count(3)  # one of the seed
        page.select_option("#prices", "comparable")
        page.fill("#base", "2020")
        state("2026-03", "110", unit="10k_cny", stage="provisional")
        expect(said).to_contain_text("Stored")
        expect(page.locator("#stated")).to_contain_text("prices of 2020")
        page.select_option("#kind", "output")
        page.fill("#product", "steel<b>")
        page.fill("#own-unit", "t")
        state("2026-03", "7")
        expect(said).to_contain_text("steel<b>")  # refused, and shown as text
        page.fill("#product", "steel")
        page.fill("#own-unit", "t")
        state("2026-03", "7")
        expect(said).to_have_text("Stored: 7.00")
        expect(page.locator("#stated")).to_contain_text("2026-03 · steel")
        file = tmp_path / "more.csv"
        file.write_text(
            "enterprise,kind,period,amount,source\nE02,added_value,2026-04,5,report\n"
        )
        page.set_input_files("#file", file)
        expect(said).to_have_text("Stored: 1 rows, 1 of them new")
        file.write_text(
            "enterprise,kind,period,amount,source\nE99,added_value,2026-05,5,report\n"
        )
        page.set_input_files("#file", file)
        expect(said).to_contain_text("E99")
        rows = [f"E{100 + i},added_value,2026-05,5,report\n" for i in range(25)]
        file.write_text("enterprise,kind,period,amount,source\n" + "".join(rows))
        page.set_input_files("#file", file)
        expect(said.locator(".line")).to_have_count(21)
        expect(said).to_contain_text("E119")
        expect(said).not_to_contain_text("E120")
        expect(said.locator(".line").last).to_have_text("… and 5 rows more")
        page.click("[data-language=zh]")
        page.set_input_files("#file", file)
        expect(said).to_contain_text("第 2 行:没有企业 E100")
        expect(said.locator("small").nth(1)).to_contain_text("there is no enterprise")
        bad = os.environ.get("PARKWATT_SCREENSHOT_REFUSED")
        if bad:
            page.screenshot(path=bad, full_page=True)
        page.click("[data-language=en]")
        target = os.environ.get("PARKWATT_SCREENSHOT_STATEMENTS")
        if target:
            page.select_option("#kind", "added_value")
            page.screenshot(path=target)
        page.click("[data-language=zh]")
        assert page.inner_text("#t-state") == "申报数据"
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        rows = httpx.get(
            f"{base}/api/v1/parks/P1/statements?enterprise=E02&kind=added_value"
        ).json()["rows"]
        told = {(e["period"], e["prices"], e["stage"]): e["amount"] for e in rows}
        assert told["2026-03", "current", "provisional"] == 120.5
        assert told["2026-Q1", "current", "final"] == 990.0
        assert told["2026-03", "comparable", "provisional"] == 110.0
        assert told["2026-04", "current", "final"] == 5.0
        assert trouble == []
        context.close()
