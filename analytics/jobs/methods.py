"""The methods of accounting: which factor each takes, read from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from analytics.jobs.shipped import contents

PARK = "park"  # as a region: the park's own
YEARS = ("newest_published", "of_period", "pinned")
PARTS = ("fuel", "process", "gas", "electricity", "heat", "medium")
OPTIONS = {
    "own_pv": ("consumed", "no_import", "residual_if_sold"),
    "export": ("subtracted", "listed"),
    "green": ("zero", "ignored"),
    "processes": ("included", "excluded"),
    "gases": ("co2", "co2e"),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which factor of a carrier a method takes."""

    basis: str
    region: str  # PARK: the one the park lies in
    year: str  # one of YEARS
    code: str | None = None  # of the factor that is pinned


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to make tonnes of amounts; docs/carbon.md explains each."""

    name: str
    kind: str  # energy or co2
    title: str
    title_zh: str
    summary: bool  # shown where there is room for few
    factors: Mapping[str, Choice]  # by part; what is not there does not count
    own_pv: str
    export: str
    green: str
    processes: str
    gases: str
    source: str
    verified: bool
    note: str | None


@lru_cache(maxsize=1)
def shipped() -> tuple[Method, ...]:
    """Read all methods of ``analytics/methods/*.yaml``, in their order.

    Raises
    ------
    ValueError
        For a word that no method knows, or two methods of one name.
    """
    found = [_method(row) for each in reversed(contents("methods")) for row in each]
    if len({each.name for each in found}) < len(found):
        raise ValueError("two methods have one name")
    return tuple(found)


def of_kind(kind: str) -> tuple[Method, ...]:
    """Give the methods of energy or of co2."""
    return tuple(each for each in shipped() if each.kind == kind)


def _method(row: dict[str, Any]) -> Method:
    for name, words in OPTIONS.items():
        if row[name] not in words:
            raise ValueError(f"{row['name']}: {name} {row[name]!r} is none of {words}")
    factors = {part: Choice(**each) for part, each in row["factors"].items()}
    for part, each in factors.items():
        if part not in PARTS or each.year not in YEARS:
            raise ValueError(f"{row['name']}: {part} {each.year}")
        if (each.year == "pinned") != (each.code is not None):
            raise ValueError(f"{row['name']}: {part} pins no factor")
    return Method(**(row | {"factors": factors}))
