"""The shipped factor tables, read from YAML and recorded in the store."""

from importlib.resources import files
from typing import Any

import yaml

from store.database import Connection
from store.factors import record_factors


def shipped() -> list[dict[str, Any]]:
    """Read all rows of ``analytics/factors/*.yaml``."""
    folder = files("analytics").joinpath("factors")
    rows: list[dict[str, Any]] = []
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.name.endswith(".yaml"):
            rows += yaml.safe_load(each.read_text("utf-8"))
    return rows


def load(conn: Connection) -> int:
    """Record what the store does not have yet; returns how many rows were added."""
    return record_factors(conn, shipped())
