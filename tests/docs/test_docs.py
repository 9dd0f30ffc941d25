"""The docs are in step: every setting, command, wire key, figure and dependency."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import asdict
from inspect import signature
from pathlib import Path

import pytest
import typer.main

import parkwatt
from analytics.jobs.methods import shipped
from simulators import gateway, spool
from simulators.bars import Thresholds
from simulators.control import WORDS
from simulators.gateway import Gateway
from simulators.matching import KINDS
from store.quantities import QUANTITIES, UNITS
from store.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def between(text: str, mark: str) -> str:
    return text.split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0]


def between_headings(text: str, heading: str) -> str:
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_every_setting_with_its_default_and_meaning() -> None:
    rows = []
    for name, field in Settings.model_fields.items():
        default = str(field.default)
        shown = f"`{default}`" if default else ""
        rows.append(f"| `PARKWATT_{name.upper()}` | {shown} | {field.description} |")
    wanted = "\n".join(rows).replace("|  |", "| |")
    table = between(page("operation.md"), "settings").strip().split("\n", 2)[2]
    assert table == wanted


def commands() -> list[str]:
    group = typer.main.get_command(parkwatt.app)
    names = []
    for name, command in getattr(group, "commands", {}).items():
        inner = getattr(command, "commands", None)
        names += [f"{name} {each}" for each in inner] if inner else [name]
    return names


def test_every_command() -> None:
    found = re.findall(r"^\| `parkwatt ([a-z -]+)` \|", page("operation.md"), re.M)
    assert sorted(found) == sorted(commands())


def test_every_wire_key() -> None:
    table = between(page("wire.md"), "keys")
    for quantity in QUANTITIES.values():
        tail = f"_{quantity.unit}" if quantity.unit else ""
        rows = [row for row in table.splitlines() if f"`{quantity.name}{tail}`" in row]
        assert len(rows) == 1, quantity.name
        assert quantity.carrier in rows[0]
        assert quantity.kind in rows[0]
        for unit in UNITS[quantity.unit]:
            assert f"`{unit}`" in rows[0] or unit in rows[0], (quantity.name, unit)
        if quantity.kind == "register":
            assert f"`{quantity.name}_delta{tail}`" in rows[0]
    assert table.count("\n| `") == len(QUANTITIES)


def test_the_gateways_limits_and_reasons() -> None:
    default = {
        name: each.default
        for name, each in signature(Gateway.__init__).parameters.items()
    }
    rows = re.findall(
        r"^\| [^|]+ \| (\d+) \|", between(page("gateway.md"), "limits"), re.M
    )
    assert [int(row) for row in rows] == [
        gateway.LARGEST_PAYLOAD,
        default["window"],
        default["resend_s"],
        gateway.SLOWEST_S,
        spool.MOST_BYTES,
    ]
    assert Settings.model_fields["payload_bytes"].default == gateway.LARGEST_PAYLOAD
    reasons = between_headings(page("gateway.md"), "What PUBACK means")
    for code in (0, 16, 135, 151):
        assert f"\n| {code} |" in reasons


@pytest.mark.parametrize(
    "figure",
    [
        "energy_kwh",
        "peak_demand_kw",
        "peak_start",
        "peak_sliding_kw",
        "peak_sliding_start",
        "sliding_coverage",
        "load_factor",
        "power_factor",
        "coverage",
        "tce",
        "co2_t",
        "intensity",
        "contract_demand_kw",
        "publishable",
        "parentage",
    ],
)
def test_every_figure(figure: str) -> None:
    assert re.search(rf"^#+ .*\b{figure}\b|`{figure}`", page("figures.md"), re.M)


def test_every_method() -> None:
    text = page("carbon.md")
    for method in shipped():
        assert f"| `{method.name}`" in text, method.name
        assert f"`{method.name}`" in page("figures.md"), method.name


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        named += extra
    text = page("dependencies.md")
    for each in named:
        name = re.match(r"[A-Za-z0-9_.-]+", each)
        assert name is not None
        assert name[0].lower() in text.lower(), name[0]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.name))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_locks_hold_names_versions_and_hashes_only() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text("utf-8"), path.name


def test_every_fault_and_what_proves_it() -> None:
    table = between(page("simulator_score.md"), "faults").strip().split("\n")[2:]
    assert table == [
        f"| `{kind}` | {_words(seen.proof)} | {_words(seen.beside)} "
        f"| {_words(seen.refusal)} | {seen.hides or '–'} |"
        for kind, seen in KINDS.items()
    ]


def test_every_bar_of_a_score() -> None:
    text = between(page("simulator_score.md"), "bars")
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S+) \|", text, re.M)
    clean = asdict(Thresholds.of_a_clean_run())
    assert rows == [
        (
            name,
            *("none" if each is None else f"{each:g}" for each in (bar, clean[name])),
        )
        for name, bar in asdict(Thresholds()).items()
    ]


def test_every_word_of_control() -> None:
    text = between_headings(page("simulator_score.md"), "Live control")
    for words in WORDS.values():
        command = words.partition(":")[0].replace("|", r"\|")
        assert f"\n| `{command}` |" in text


def _words(some: Iterable[str]) -> str:
    return ", ".join(sorted(some)) or "–"
