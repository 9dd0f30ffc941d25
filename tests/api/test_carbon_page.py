"""The pages Carbon peak and Intensity in a real browser: what they say agrees with the API."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from analytics.jobs.yearly import state
from store import membership, registry, targets
from store.database import connect
from store.records import Subject
from store.statements import state_added_value
from store.targets import NewTarget
from tests.analytics.jobs.conftest import Monthly
from tests.analytics.jobs.test_keeping import filled
from tests.api.conftest import running

pytestmark = pytest.mark.browser

TODAY = datetime.now(UTC).date()
YEAR = TODAY.year
OVER = TODAY.month - 1  # months of the year that are over
SAID: dict[str, Any] = {"source": "report", "who": "Clerk One"}
NAMES = "轴承一厂 染整二厂 铸造三厂 电子四厂 玻璃五厂 机械六厂 食品七厂 化纤八厂"
ROOT = "/api/v1/parks/P"


def fill(url: str) -> None:
    """Eight enterprises of one industry over two years and the months that are over.

    E8 states its added value by years, so this one's months are estimated. The park's
    years before are stated, the highest five years ago.
    """
    park = Monthly(url)
    months = 24 + OVER
    with connect(url, autocommit=True) as conn:
        for i, name in enumerate(NAMES.split()):
            registry.add_enterprise(conn, park.park.park_id, f"E{i + 1}", name=name)
    for i in range(8):
        fewer = [2e6 * (1 + i / 2) * (1 - 0.004 * m) for m in range(months)]
        used = {"energy_import": fewer}
        if i % 3 == 0:
            used["natural_gas"] = [9e4 + 2e3 * (m % 12) for m in range(months)]
        if i == 0:
            used["cod"] = [25.0] * months
        park.add(f"E{i + 1}", used, YEAR - 2)
    with connect(url, autocommit=True) as conn:
        for i in range(8):
            owner = registry.subject(conn, "P", f"E{i + 1}").subject_id
            membership.state_industry(conn, owner, "3311", date(YEAR - 3, 1, 1), **SAID)
            for m in range(months if i < 7 else 0):
                first = date(YEAR - 2 + m // 12, m % 12 + 1, 1)
                last = date(YEAR - 2 + (m + 1) // 12, (m + 1) % 12 + 1, 1)
                value = 3000.0 * (1 + i / 4) * (1 + 0.006 * m)
                state_added_value(conn, owner, first, last, value, source="bureau")
            for year in (YEAR - 2, YEAR - 1) if i == 7 else ():
                state_added_value(
                    conn, owner, date(year, 1, 1), date(year + 1, 1, 1), 99_000.0,
                    source="bureau",
                )  # fmt: skip
        whole = registry.subject(conn, "P")
        for year, amount in zip(range(YEAR - 6, YEAR - 2), SERIES, strict=True):
            state(
                conn,
                whole,
                method="location_region",
                year=year,
                amount_t=amount,
                **SAID,
            )
        set_(conn, whole, "co2", "location_region", 180_000.0)
        set_(conn, whole, "energy_intensity", "calorific", 0.1)
        set_(
            conn,
            registry.subject(conn, "P", "E1"),
            "energy_intensity",
            "calorific",
            0.09,
        )
    park.compute()


SERIES = (330_000.0, 345_000.0, 334_000.0, 322_000.0)


def set_(conn: Any, subject: Subject, kind: str, method: str, value: float) -> None:
    targets.set_target(
        conn,
        NewTarget(
            subject_id=subject.subject_id,
            kind=kind,
            method=method,
            year=YEAR,
            value=value,
            **SAID,
        ),
    )


@pytest.fixture(scope="module")
def carbon(timescale: Any) -> Iterator[str]:
    """The address of an API that serves the park."""
    url = timescale.copy()
    fill(url)
    with running(url) as address:
        yield address
    timescale.drop(url)


@pytest.fixture
def api(carbon: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=carbon, timeout=60) as client:
        yield client


def opened(
    browser: Browser, address: str, ready: str, **options: Any
) -> tuple[Page, list[str], list[str]]:
    options = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"} | options
    page = browser.new_context(**options).new_page()
    trouble: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    # that /explain is not there is no fault of the page
    page.on(
        "console",
        lambda said: (
            None
            if "404" in said.text and "/explain" in said.location["url"]
            else trouble.append(f"{said.text} {said.location['url']}")
        ),
    )
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector(f"body[data-ready={ready}]", timeout=60_000)
    return page, trouble, asked


def shot(page: Page, name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("PARKWATT_SCREENSHOTS", str(tmp_path)))
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def number(text: str) -> float:
    return float(re.sub(r"[^0-9.\-]", "", text))


def test_the_carbon_peak_agrees_with_the_api(
    browser: Browser, carbon: str, api: httpx.Client, tmp_path: Path
) -> None:
    page, trouble, _ = opened(browser, f"{carbon}/parks/P/carbon", "P")
    shot(page, "carbon", tmp_path)
    said = api.get(f"{ROOT}/trajectory", params={"method": "location_region"}).json()
    (series,) = said["series"]
    assert page.input_value("#method") == "location_region"
    judged = series["state"]
    assert judged["state"] == "declining-unconfirmed"
    assert page.inner_text("#state") == "declining, not confirmed"
    assert "fewer than five years after the maximum" in page.inner_text("#state-note")
    assert f"highest in {judged['peak_year']} with 345,000 t" in page.inner_text(
        "#state-note"
    )
    rolling = [each for each in series["rolling"] if each["value_t"] is not None]
    assert number(page.inner_text("#rolling")) == round(rolling[-1]["value_t"])
    share = 100 * rolling[-1]["value_t"] / judged["peak_t"]
    assert f"{share:.1f}\u00a0%" in page.inner_text("#rolling-note")
    (budget,) = (
        each
        for each in api.get(f"{ROOT}/budgets").json()["rows"]
        if each["kind"] == "co2"
    )
    if OVER:
        ahead = budget["outlook"]
        assert number(page.inner_text("#budget")) == round(ahead["used"])
        if ahead["spent_on"]:
            assert f"spent on {ahead['spent_on']}" in page.inner_text("#budget-note")
    page.click("#years-as-table")
    for each in series["years"]:
        cells = page.locator(f"#years-table tr[data-year='{each['year']}'] td")
        assert number(cells.nth(1).inner_text()) == round(each["value_t"])
        provisional = "provisional" in cells.nth(2).inner_text()
        assert provisional == (not each["decides"])
    zero = api.get(f"{ROOT}/zero-carbon").json()
    assert zero["publishable"]
    assert float(page.inner_text("#zero")) == round(zero["value"], 3)
    assert "no threshold below 200" in page.inner_text("#zero-words")
    totals = api.get(
        f"{ROOT}/accounts", params={"from": zero["from"], "to": zero["to"]}
    ).json()["totals"]
    co2 = [each for each in totals if each["kind"] == "co2"]
    for each in co2:
        cells = page.locator(f"#methods tr[data-method={each['method']}] td")
        for i, key in enumerate(("park", "park_scope_1", "park_scope_2"), 1):
            text = cells.nth(i).inner_text()
            assert (
                text == "refused"
                if each[key] is None
                else number(text) == round(each[key])
            )
        if each["park"] is not None:
            both = each["park_scope_1"] + each["park_scope_2"]
            assert both == pytest.approx(each["park"], rel=1e-12)
    assert "refused" in page.inner_text("#methods tr[data-method=ets]")
    split = api.get(
        f"{ROOT}/decomposition",
        params={"before": YEAR - 2, "after": YEAR - 1, "method": "location_region",
                "prices": "current"},
    ).json()  # fmt: skip
    for name, value in {"change_t": split["change_t"], **split["effects"]}.items():
        shown = page.inner_text(f"#split tr[data-effect={name}] td:nth-child(2)")
        assert number(shown) == pytest.approx(value, abs=0.51)
    assert split["effects"]["activity_t"] > 0 > split["effects"]["intensity_t"]
    shot(page, "carbon-en", tmp_path)
    page.click("#years-as-table")
    page.select_option("#method", "location_national")
    page.wait_for_selector("body[data-ready=P]")
    assert page.inner_text("#state") != "–"
    page.select_option("#method", "location_region")
    page.wait_for_selector("body[data-ready=P]")
    page.click("[data-language=zh]")
    assert page.inner_text("#t-zero") == "零碳园区核心指标"
    shot(page, "carbon-zh", tmp_path)
    assert trouble == []
    page.context.close()


def test_the_core_indicator_explains_its_own_number(
    browser: Browser, carbon: str, api: httpx.Client
) -> None:
    zero = api.get(f"{ROOT}/zero-carbon").json()
    months = {"from": zero["from"], "to": zero["to"]}
    parentage = api.get(f"{ROOT}/figures", params=months).json()["parentage"]
    of = {
        kind: [each["factor"] for each in parentage[kind][method] if each["counts"]]
        for kind, method in (("co2_t", "zero_carbon_park"), ("tce", "equal_value"))
    }
    page, trouble, _ = opened(browser, f"{carbon}/parks/P/carbon", "P")
    page.click("#zero-why button")
    page.wait_for_selector("#why[data-ready=co2_t]")
    assert number(page.inner_text("#why-value")) == pytest.approx(
        zero["value"], abs=5e-6
    )
    assert page.inner_text("#why-body .unit").strip() == "tCO₂/tce"
    assert number(page.inner_text("#why-above")) == pytest.approx(
        zero["co2_t"], abs=0.006
    )
    assert number(page.inner_text("#why-below")) == pytest.approx(
        zero["tce"], abs=0.006
    )
    for factor in of["co2_t"] + of["tce"]:
        assert factor in page.inner_text("#why-body")
    assert trouble == []
    page.context.close()


def test_a_state_names_its_years_and_those_that_are_lacking(
    browser: Browser, carbon: str, api: httpx.Client
) -> None:
    # no factor of ETS for metered years: after the stated ones nothing decides
    for i, amount in enumerate((300_000, 310_000, 320_000)):
        api.post(
            f"{ROOT}/history",
            json={"method": "ets", "year": YEAR - 6 + i, "amount_t": amount, **SAID},
        ).raise_for_status()
    asked = {"method": ["location_region", "ets"]}
    found = api.get(f"{ROOT}/trajectory", params=asked).json()["series"]
    state = {each["method"]: each["state"] for each in found}
    assert (state["ets"]["state"], state["ets"]["reason"]) == ("unknown", "gap")
    page, trouble, _ = opened(browser, f"{carbon}/parks/P/carbon", "P")
    whole = f"years {YEAR - 6} to {YEAR - 1}"
    assert whole in page.inner_text("#state-note")
    assert whole in page.inner_text("#methods tr[data-method=location_region]")
    part = f"years {YEAR - 6} to {YEAR - 4}"
    assert f"unknown · {part}" in page.inner_text("#methods tr[data-method=ets]")
    page.select_option("#method", "ets")
    page.wait_for_selector("body[data-ready=P]")
    note = page.inner_text("#state-note")
    assert part in note
    assert f"undecided: {YEAR - 3}, {YEAR - 2}, {YEAR - 1}" in note
    assert trouble == []
    page.context.close()


def test_a_refused_month_leaves_no_figures_of_another(
    browser: Browser, carbon: str, tmp_path: Path
) -> None:
    page, _, _ = opened(browser, f"{carbon}/parks/P/intensity", "P", locale="zh-CN")
    banner = page.locator("#banner")
    assert page.inner_text("#month") != "–"
    page.fill("#until", "1999-01")
    expect(banner).to_contain_text("所选日期不在 2000-01-01 至")
    # the API's own words stand beside
    expect(banner.locator("small[lang=en]")).to_contain_text("must lie between")
    for each in ("#month", "#year_to_date", "#rolling_12", "#target"):
        expect(page.locator(each)).to_have_text("–")
        expect(page.locator(f"{each}-note")).to_have_text("")
    assert page.inner_text("#ranking") == page.inner_text("#months") == ""
    shot(page, "intensity-refused-zh", tmp_path)
    page.click("[data-language=en]")
    expect(banner).to_contain_text("The input cannot be used")
    expect(banner.locator("small")).to_have_count(0)
    page.goto(f"{carbon}/parks/R9/intensity")
    page.click("[data-language=zh]")
    expect(banner).to_contain_text("没有园区 R9")
    page.context.close()


def test_figures_of_another_choice_are_dimmed_until_it_is_there(
    browser: Browser, carbon: str, tmp_path: Path
) -> None:
    page, trouble, _ = opened(browser, f"{carbon}/parks/P/intensity", "P")
    main = page.locator("main")
    assert main.get_attribute("aria-busy") == "false"
    held: list[Any] = []
    page.route("**/intensity/ranking?*", lambda route: held.append(route))
    page.select_option("#figure", "co2_t/location_region")
    expect(main).to_have_attribute("aria-busy", "true")
    card = page.locator(".card.answer").first
    expect(card).to_have_css("opacity", "0.45")
    shot(page, "intensity-waits", tmp_path)
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(main).to_have_attribute("aria-busy", "false", timeout=30_000)
    expect(card).to_have_css("opacity", "1")
    # away from the server, in words that tell what to do
    page.unroute("**/intensity/ranking?*")
    page.context.set_offline(True)
    page.select_option("#figure", "tce/calorific")
    expect(page.locator("#banner")).to_contain_text("The server cannot be reached")
    assert [each for each in trouble if "ERR_INTERNET" not in each] == []
    page.context.close()


def test_the_ranking_can_be_read_on_a_phone(
    browser: Browser, carbon: str, tmp_path: Path
) -> None:
    page, _, _ = opened(
        browser,
        f"{carbon}/parks/P/intensity",
        "P",
        viewport={"width": 360, "height": 780},
    )
    width = page.evaluate(
        """() => document.querySelector("#ranking tbody td:nth-child(5)").offsetWidth"""
    )
    assert width >= 100
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#ranking").scroll_into_view_if_needed()
    folder = Path(os.environ.get("PARKWATT_SCREENSHOTS", str(tmp_path)))
    page.screenshot(path=folder / "ranking-360.png")
    page.context.close()


def test_why_this_number_opens_by_keyboard(
    browser: Browser, carbon: str, api: httpx.Client, tmp_path: Path
) -> None:
    page, trouble, _ = opened(browser, f"{carbon}/parks/P/carbon", "P")
    page.focus("#rolling-why button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#why[data-ready=co2_t]")
    asked = {
        "from": page.inner_text("#why > .note").split(" – ")[0],
        "to": page.inner_text("#why > .note").split(" – ")[1][:10],
    }
    said = api.get(f"{ROOT}/figures", params=asked).json()
    shown = number(page.inner_text("#why-value"))
    assert shown == pytest.approx(said["co2_t"]["location_region"], abs=0.006)
    assert shown == pytest.approx(number(page.inner_text("#rolling")), abs=0.51)
    lines = said["parentage"]["co2_t"]["location_region"]
    results = page.locator("#why tbody tr td:nth-child(6)").all_inner_texts()
    assert [number(each) for each in results] == [
        pytest.approx(each["result_t"], abs=0.006) for each in lines
    ]
    assert lines[0]["factor"] in page.inner_text("#why-body")
    # when a meter began to count: a local midnight, and not its instant in UTC
    began = page.locator("#why tr", has_text="counts for E1").locator("td")
    assert began.nth(1).inner_text() == f"{YEAR - 2}-01-01 00:00"
    shot(page, "why-en", tmp_path)
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_be_hidden()
    focused = page.evaluate("document.activeElement.closest('#rolling-why') !== null")
    assert focused
    page.locator("#state-why button").click()
    page.wait_for_selector("#why[data-ready=told]")
    years = page.locator("#why tbody tr").count()
    assert years == len(api.get(f"{ROOT}/trajectory").json()["series"][0]["years"])
    assert "Z -1.6984" in page.inner_text("#why > .note")
    page.click("#why-close")
    assert trouble == []
    page.context.close()


def test_the_intensities_agree_with_the_api(
    browser: Browser, carbon: str, api: httpx.Client, tmp_path: Path
) -> None:
    page, trouble, _ = opened(browser, f"{carbon}/parks/P/intensity", "P")
    until = page.input_value("#until")
    assert until == f"{last_month():%Y-%m}"
    history = api.get(
        f"{ROOT}/intensity/history",
        params={
            "from": last_month().isoformat(),
            "to": TODAY.replace(day=1).isoformat(),
            "length": "rolling_12",
        },
    ).json()["rows"][0]
    value = history["per"]["added_value_10k_cny"]["tce"]["calorific"]
    assert history["publishable"]
    assert float(page.inner_text("#rolling_12")) == round(value, 4)
    assert "added value estimated" in page.inner_text("#rolling_12-note")
    rank = api.get(f"{ROOT}/intensity/ranking", params={"period": until}).json()
    placed = [each for each in rank["rows"] if each["place"]]
    assert len(placed) == 8
    rows = page.locator("#ranking tbody tr")
    assert rows.count() == 8
    for i, each in enumerate(placed):
        cells = rows.nth(i).locator("td").all_inner_texts()
        assert cells[0] == str(each["place"])
        assert each["enterprise"] in cells[1]
        assert float(cells[2]) == round(each["value"], 4)
        assert number(cells[3]) == round(each["denominator"], 1)
    assert "estimated" in page.inner_text("#ranking tr[data-enterprise=E8]")
    shot(page, "intensity-en", tmp_path)
    page.select_option("#span", "rolling_12")
    page.select_option("#figure", "co2_t/location_region")
    expect(page.locator("#ranking-note")).to_contain_text("..")
    page.wait_for_selector("body[data-ready=P]")
    query = {
        "period": f"{twelve_before():%Y-%m}..{until}",
        "figure": "co2_t",
        "figure_method": "location_region",
    }
    rank = api.get(f"{ROOT}/intensity/ranking", params=query).json()
    first = page.locator("#ranking tbody tr").first.locator("td").all_inner_texts()
    assert float(first[2]) == round(rank["rows"][0]["value"], 4)
    page.locator("#ranking .why").first.click()
    page.wait_for_selector("#why[data-ready=co2_t]")
    assert number(page.inner_text("#why-value")) == pytest.approx(
        rank["rows"][0]["value"], abs=5e-6
    )
    assert f"{rank['rows'][0]['denominator']:,.2f}" in page.inner_text("#why-below")
    page.click("#why-close")
    page.click("[data-language=zh]")
    assert page.inner_text("#t-ranking") == "强度排名与覆盖"
    shot(page, "intensity-zh", tmp_path)
    assert trouble == []
    page.context.close()


def test_monitored_pollutants_agree_with_the_api(
    browser: Browser, carbon: str, api: httpx.Client, tmp_path: Path
) -> None:
    url = f"{carbon}/parks/P/enterprises/E1/intensity"
    page, trouble, _ = opened(browser, url, "E1")
    asked = {
        "from": last_month().isoformat(),
        "to": TODAY.replace(day=1).isoformat(),
        "length": "rolling_12",
        "enterprise": "E1",
    }
    (row,) = api.get(f"{ROOT}/intensity/history", params=asked).json()["rows"]
    told = page.locator("#pollutants tr[data-pollutant='cod/rolling_12'] td")
    cells = told.all_inner_texts()
    assert cells[0] == "COD"
    assert number(cells[2]) == 12 * 25
    per = row["per"]["added_value_10k_cny"]["pollutant_kg"]["cod"]
    assert number(cells[3]) == round(per, 4)
    assert cells[4] == "measured by monitors"
    assert cells[5].startswith("100")
    shot(page, "own-en", tmp_path)
    page.context.close()
    # of the park nothing is known but what E1 measured
    page, more, _ = opened(browser, f"{carbon}/parks/P/intensity", "P")
    words = page.inner_text("#pollutants tr[data-pollutant='cod/rolling_12']")
    assert "of what is known 300.0 kg" in words
    assert "not known of E2, E3, E4 … (7)" in words
    page.click("[data-language=zh]")
    assert "在线监测" in page.inner_text("#pollutants")
    assert trouble == more == []
    page.context.close()


def test_who_states_no_added_value_is_named(
    browser: Browser, timescale_database: str, serving: Any
) -> None:
    filled(timescale_database).compute()
    with serving(timescale_database) as address:
        page, trouble, _ = opened(browser, f"{address}/parks/P/intensity", "P")
        assert page.inner_text("#month") == "–"
        assert "added value missing: B" in page.inner_text("#month-note")
        words = page.inner_text("#unranked tr[data-enterprise=B]")
        assert "added value missing" in words
        assert page.locator("#ranking tbody tr").count() == 1
        assert trouble == []
        page.context.close()


def test_a_park_without_enterprises_and_money_in_chinese(
    browser: Browser, timescale_database: str, serving: Any
) -> None:
    with connect(timescale_database, autocommit=True) as conn:
        registry.add_park(
            conn, "P", name="经济技术开发区" * 9, zone="Asia/Shanghai", region="CN-JS"
        )
    with serving(timescale_database) as address:
        page, trouble, _ = opened(browser, f"{address}/parks/P/intensity", "P")
        assert page.inner_text("#unranked-note") == "no data yet"  # not: all have one
        page.goto(f"{address}/parks/P/statements")
        page.wait_for_selector("body[data-ready=P]")
        page.click("[data-language=zh]")
        units = page.locator("#unit option").all_inner_texts()
        assert units[:3] == ["万元", "元", "亿元"]
        page.goto(f"{address}/parks/P/intensity")
        page.wait_for_selector("body[data-ready=P]")
        assert page.inner_text("#unranked-note") == "暂无数据"
        page.set_viewport_size({"width": 390, "height": 844})  # however long its name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert trouble == []
        page.context.close()


def last_month() -> date:
    return date(YEAR - (TODAY.month == 1), (TODAY.month - 2) % 12 + 1, 1)


def twelve_before() -> date:
    last = last_month()
    return date(last.year - (last.month < 12), last.month % 12 + 1, 1)


def test_an_enterprise_asks_nothing_of_its_neighbours(
    browser: Browser, carbon: str, api: httpx.Client, tmp_path: Path
) -> None:
    page, trouble, asked = opened(
        browser, f"{carbon}/parks/P/enterprises/E1/intensity", "E1"
    )
    own = api.get(
        f"{ROOT}/intensity/history",
        params={
            "enterprise": "E1",
            "from": last_month().isoformat(),
            "to": TODAY.replace(day=1).isoformat(),
        },
    ).json()["rows"][0]
    value = own["per"]["added_value_10k_cny"]["tce"]["calorific"]
    assert float(page.inner_text("#month")) == round(value, 4)
    assert float(page.inner_text("#target")) == 0.09
    bench = api.get(f"{ROOT}/enterprises/E1/benchmark").json()
    bands = page.locator("#bands tbody tr").all_inner_texts()
    for each, text in zip(bench["rows"], bands, strict=True):
        words = {"no_figure": "no figure of your own"}
        assert words.get(each["band"], each["band"].replace("_", " ")) in text
    assert bench["rows"][0]["band"].endswith("_quarter")
    page.locator("#month-why button").click()
    page.wait_for_selector("#why[data-ready=tce]")
    shot(page, "own-why-en", tmp_path)
    page.click("#why-close")
    page.select_option("#figure", "co2_t/location_region")
    page.click("#months-as-table")
    page.click("#months-as-table")
    page.click("[data-language=zh]")
    shot(page, "own-zh", tmp_path)
    questions = [urlsplit(each) for each in asked if "/api/" in each]
    assert len(questions) > 6
    for each in questions:
        mine = "enterprise=E1" in each.query.split("&")
        assert mine or each.path == f"{ROOT}/enterprises/E1/benchmark", each
        answer = api.get(f"{each.path}?{each.query}")
        for i in range(1, 8):
            assert NAMES.split()[i] not in answer.text
            assert f'"E{i + 1}"' not in answer.text
    assert page.locator("#pages, a[href*='/parks/']:not(#to-csv)").count() == 0
    assert trouble == []
    page.context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", ["carbon", "intensity", "enterprises/E1/intensity"])
def test_on_a_phone(
    browser: Browser, carbon: str, name: str, language: str, tmp_path: Path
) -> None:
    ready = "E1" if "/" in name else "P"
    page, trouble, _ = opened(
        browser,
        f"{carbon}/parks/P/{name}",
        ready,
        viewport={"width": 390, "height": 844},
        locale="zh-CN" if language == "zh" else "en-GB",
        color_scheme="dark" if language == "zh" else "light",
    )
    wide = page.evaluate("document.documentElement.scrollWidth")
    shot(page, f"phone-{name.replace('/', '-')}-{language}", tmp_path)
    assert wide <= 390
    assert trouble == []
    page.context.close()


def test_every_page_leads_to_all_others(browser: Browser, carbon: str) -> None:
    page, trouble, _ = opened(browser, f"{carbon}/parks/P", "P")
    names = page.locator("#pages a").all_inner_texts()
    assert names == [
        "Live",
        "Peaks",
        "Carbon peak",
        "Intensity",
        "Bills",
        "Type a reading",
        "Statements",
    ]
    for i in range(len(names)):
        where = page.locator("#pages a").nth(i).get_attribute("href")
        page.goto(f"{carbon}{where}")
        expect(page.locator("#pages a[aria-current=page]")).to_have_text(names[i])
    page.click("[data-language=zh]")
    assert "碳达峰" in page.locator("#pages a").all_inner_texts()
    # nobody has set up the bills of this park, and its page says so
    refused = [each for each in trouble if "404" not in each and "/bills?" not in each]
    assert refused == []
    page.context.close()


def test_a_park_of_which_nothing_is_known(
    browser: Browser, base: str, seeded: Any
) -> None:
    for name in ("carbon", "intensity"):
        page, trouble, _ = opened(browser, f"{base}/parks/P2/{name}", "P2")
        assert not re.search(r"NaN|undefined|Infinity", page.inner_text("main"))
        refused = [each for each in trouble if "422" not in each]
        assert refused == []
        page.context.close()
