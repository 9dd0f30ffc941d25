"""Every word of the pages is there in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from playwright.sync_api import Browser

from analytics.jobs import accounting, activities, added_value, methods, vintage
from analytics.registers import EVENT_NAMES
from ingest import manual
from parkwatt import simulated_park
from store import demand_rules, green, judgements, parentage, policies, relations
from store.activities import USES
from store.quantities import QUANTITIES
from store.statement_kinds import STAGES

pytestmark = pytest.mark.browser

WEB = Path(__file__).parents[2] / "api" / "web"
ASKED = re.compile(r"""(?<![\w.])t\("([^"]+)"|data-t="([^"]+)\"""")
READ = """([source, words]) => new Function("localStorage", "words", source + `
    const told = (words) => Object.fromEntries(Object.entries(words).map(
        ([key, each]) => [key, typeof each === "function" ? each.length : "words"]));
    return { en: told(WORDS.en), zh: told(WORDS.zh), quantities: QUANTITIES_ZH,
             said: words.map(said), sources: words.map(source) };`)(
    { getItem: () => "zh" }, words)"""


def read(browser: Browser, words: list[str]) -> dict[str, Any]:
    """Give the words of the pages, and what they make of words of the API in Chinese."""
    source = re.sub(r"^export ", "", (WEB / "text.js").read_text(), flags=re.MULTILINE)
    page = browser.new_page()
    found: dict[str, Any] = page.evaluate(READ, [source, words])
    page.close()
    return found


def literals(of: Any) -> Iterator[str]:
    """Give the words of a Literal, or of a union of them."""
    for each in get_args(of):
        yield from [each] if isinstance(each, str) else literals(each)


def phrases() -> Iterator[str]:
    """Give what the rows of an explanation say, from the queries that say it."""
    text = Path(parentage.__file__).read_text()
    for each in re.findall(
        r"(?:format\(|THEN |ELSE |\|\| |coalesce\([^\n]*?, )'([^']*[a-z][^']*)'(?! AS)",
        text,
    ):
        if "infinity" not in each and not each.startswith("counts for "):
            yield each.replace("%%s", "7").strip(", ")
    yield from re.findall(r"'([^']*[a-z] )' \|\| (?!o\.code)", text)


def test_what_the_api_says_has_words_in_chinese(browser: Browser) -> None:
    rules = literals(accounting.Rule)
    said = [*vintage.KINDS, "under_way", *rules, *phrases(), *STAGES, *USES]
    said += [*activities.items(), *QUANTITIES, *relations.ROLES, *EVENT_NAMES]
    said += [*judgements.VERDICTS, *judgements.FALLS, *policies.POLICIES]
    said += [*demand_rules.METHODS, *green.KINDS]
    said += [each.name for kind in ("energy", "co2") for each in methods.of_kind(kind)]
    assert len(said) > 200
    assert "7: 7 digits" in said
    assert "stands as " in said
    sources = [
        manual.SOURCE,
        simulated_park.INVENTED,
        simulated_park.WHO,
        "import x.csv",
    ]
    codes = ["counts for steel", "heat/CN/2023 = 7", "line-main"]
    found = read(browser, said + sources + codes)
    for each, words in zip(said, found["said"], strict=False):
        if re.fullmatch("[a-zA-Z0-9]*[A-Z][a-zA-Z0-9]*", each):
            continue  # a formula, or the name of a refrigerant
        assert not re.search("[a-z]{3}|_", words), (each, words)
    told = found["sources"][len(said) :][: len(sources)]
    assert told == ["手工录入", "演示虚构", "演示", "导入 x.csv"]
    assert found["said"][-3:] == ["计入 steel", *codes[1:]]
    keys = {
        f"how {each}" for each in (*literals(added_value.How), *added_value.INDICATORS)
    }
    text = Path(parentage.__file__).read_text()
    keys |= {f"what {each}" for each in re.findall("'(counts for [a-z]+)'", text)}
    keys |= {f"origin {each}" for each in literals(accounting.Origin)}
    assert keys <= found["zh"].keys()


def test_every_word_is_there_in_both_languages(browser: Browser) -> None:
    found = read(browser, [])
    assert found["en"] == found["zh"]  # the same keys, filled with as many values
    assert QUANTITIES.keys() <= found["quantities"].keys()
    pages = [each for each in WEB.iterdir() if each.suffix in (".js", ".html")]
    asked = {
        "".join(each) for page in pages for each in ASKED.findall(page.read_text())
    }
    assert len(asked) > 200
    assert asked <= found["en"].keys()
