"""The golden payloads are complete, and the simulators write what they show."""

import re
from pathlib import Path

import yaml

from simulators import scenario, steel
from simulators.world import World

ROOT = Path(__file__).parents[2]
WIRE = ROOT / "tests" / "data" / "wire"


def keys_of_the_docs() -> set[str]:
    text = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
    table = text.split("<!-- keys -->")[1].split("<!-- /keys -->")[0]
    keys = re.findall(r"^\| `(\w+)` \| (?:`(\w+)`|–) \|", table, re.MULTILINE)
    return {key for row in keys for key in row if key}


def test_index_names_every_file() -> None:
    index = yaml.safe_load((WIRE / "index.yaml").read_text(encoding="utf-8"))
    files = [each["file"] for each in index]
    assert len(files) == len(set(files))
    assert set(files) == {path.name for path in WIRE.glob("*.json")}
    for each in index:
        assert each["readings"] or each["reasons"], each["file"]
        assert all(len(reading) == 6 for reading in each["readings"])


def test_simulators_use_documented_keys() -> None:
    used = set(steel.KEYS)
    for name in scenario.shipped():
        for meter in World(scenario.load(name)).meters:
            used.update(channel.key for channel in meter.channels)
    assert used <= keys_of_the_docs()
    assert len(keys_of_the_docs()) == 57 + 29
