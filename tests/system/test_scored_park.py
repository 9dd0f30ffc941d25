"""A simulated park over MQTT into the running platform, scored by its API alone."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from store.processes import free_port

pytestmark = [pytest.mark.db, pytest.mark.timescale, pytest.mark.broker]

PARK: dict[str, Any] = {
    "code": "T",
    "name": "Test",
    "since": "2026-02-28",
    "contract_demand_kw": 9000,
    "enterprises": [
        {"archetype": "auto_parts", "count": 2, "pv_kwp": [700, 900]},
        {"archetype": "food", "own_boiler": True, "carriers": ["natural_gas", "steam"]},
        {"archetype": "hotel", "count": 2, "carriers": ["heat", "water"]},
    ],
    "factors": {
        "electricity": {"value": 0.5827, "unit": "kgCO2/kWh", "source": "CN-JS 2023"},
        "natural_gas": {"value": 2.16219, "unit": "kgCO2/m3", "source": "Table C.1"},
        "heat": {"value": 110, "unit": "kgCO2/GJ", "source": "910号"},
        "steam": {"value": 305.47, "unit": "kgCO2/t", "source": "2.777 GJ/t"},
    },
}
FORMATS = ("tasmota", "shelly2", "acrel", "sparkplug", "chirpstack")
FAULTY = PARK | {
    "seed": 11,
    "meters": {
        "transformers": True,
        "overrides": [
            {"match": f"E0{i}-M1", "format": each} for i, each in enumerate(FORMATS, 1)
        ],
    },
    "faults": "mixed",
}
START = "2026-03-01"
# where nothing is estimated or missing, and of part of a month, nothing can be judged
OPEN = {
    "park emissions error [%]",
    "estimated stretches right in sum",
    "truth inside the band of estimates",
    "missing is explained",
}
COMMAND = [sys.executable, "-P", "-m", "parkwatt"]
QUIET = ("parkwatt_dirty_marks", "parkwatt_messages_in_flight")


@contextmanager
def platform(env: dict[str, str], log: Path) -> Iterator[str]:
    """Run `parkwatt up`, and end it as a person would."""
    url = f"http://127.0.0.1:{env['PARKWATT_API_PORT']}"
    with log.open("wb") as out:
        process = subprocess.Popen([*COMMAND, "up"], env=env, stdout=out, stderr=out)
        try:
            wait(lambda: process.poll() is None and answers(url), log)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def run(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *words], env=env, stdout=subprocess.PIPE, timeout=240, check=False
    )


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2):
            return True
    except OSError:
        return False


def counted(url: str) -> dict[str, float]:
    """Give what stands in /metrics, summed over labels."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for name, value in re.findall(r"^(parkwatt_\w+)(?:\{.*\})? (\S+)$", text, re.M):
        found[name] = found.get(name, 0) + float(value)
    return found


def settled(url: str) -> bool:
    """Tell whether for a second nothing came and nothing waits."""
    before = counted(url)
    sleep(1)
    now = counted(url)
    came = now["parkwatt_readings_received_total"]
    return came == before["parkwatt_readings_received_total"] > 0 and not any(
        each[name] for each in (before, now) for name in QUIET
    )


def wait(condition: Callable[[], bool], log: Path, seconds: float = 120) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, log.read_text()
        sleep(0.2)


@pytest.mark.parametrize(
    ("park", "until", "bars", "open_"),
    [(PARK, "2026-03-11", ["--clean"], OPEN), (FAULTY, "2026-04-01", [], set())],
    ids=["clean", "mixed"],
)
def test_every_bar_is_met(
    park: dict[str, Any],
    until: str,
    bars: list[str],
    open_: set[str],
    timescale_database: str,
    tmp_path: Path,
) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "PARKWATT_DATABASE_URL": timescale_database,
        "PARKWATT_HOME": str(tmp_path / "home"),
        "PARKWATT_API_PORT": str(free_port()),
    }
    file, truth, log = (tmp_path / name for name in ("T.yaml", "T.parquet", "log"))
    file.write_text(json.dumps(park))
    with platform(env, log) as url:
        span = ("--start", START, "--until", until)
        to = ("--register", "--truth", str(truth))
        run(env, "simulate", str(file), *span, *to).check_returncode()
        wait(lambda: settled(url), log)
        done = run(env, "score", str(truth), "--json", *bars)
    checks = {
        each["name"]: each["passed"] for each in json.loads(done.stdout)["checks"]
    }
    assert {"park energy error [%]", "lost readings", "doubled readings"} <= set(checks)
    assert {name for name, passed in checks.items() if passed is None} == open_
    assert {name for name, passed in checks.items() if passed is False} == set()
    assert done.returncode == 0
