"""Every word of the pages is there in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from store.quantities import QUANTITIES

pytestmark = pytest.mark.browser

WEB = Path(__file__).parents[2] / "api" / "web"
ASKED = re.compile(r"""(?<![\w.])t\("([^"]+)"|data-t="([^"]+)\"""")
READ = """source => new Function("localStorage", source + `
    const told = (words) => Object.fromEntries(Object.entries(words).map(
        ([key, each]) => [key, typeof each === "function" ? each.length : "words"]));
    return { en: told(WORDS.en), zh: told(WORDS.zh), quantities: QUANTITIES_ZH };`)(
    { getItem: () => "zh" })"""


def test_every_word_is_there_in_both_languages(browser: Browser) -> None:
    source = re.sub(r"^export ", "", (WEB / "text.js").read_text(), flags=re.MULTILINE)
    page = browser.new_page()
    found: dict[str, Any] = page.evaluate(READ, source)
    page.close()
    assert found["en"] == found["zh"]  # the same keys, filled with as many values
    assert QUANTITIES.keys() <= found["quantities"].keys()
    pages = [each for each in WEB.iterdir() if each.suffix in (".js", ".html")]
    asked = {
        "".join(each) for page in pages for each in ASKED.findall(page.read_text())
    }
    assert len(asked) > 200
    assert asked <= found["en"].keys()
