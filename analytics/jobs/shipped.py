"""What comes with the code as YAML: factors, tariffs, methods, packs."""

from importlib.resources import files
from typing import Any

import yaml

# the parser in C reads the same, seven times faster; not every build of PyYAML has it
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def contents(folder: str) -> list[Any]:
    """Read all of ``analytics/<folder>/*.yaml``, by the files' names."""
    found = files("analytics").joinpath(folder).iterdir()
    return [
        yaml.load(each.read_text("utf-8"), _LOADER)  # noqa: S506  (a safe one)
        for each in sorted(found, key=lambda each: each.name)
        if each.name.endswith(".yaml")
    ]
