"""A short part of `make crash`: each part killed once, at a seeded point."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READINGS = 6000


@pytest.mark.db
@pytest.mark.broker
@pytest.mark.slow
def test_nothing_is_lost_and_nothing_counts_twice(home: Path, mosquitto: str) -> None:
    command = [
        *(sys.executable, "-m", "tests.crash.run", "--fault", "parts"),
        *("--points", "1", "--seed", "7", "--readings", str(READINGS)),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PARKWATT_HOME": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    *runs, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert summary["missed"] == [], done.stderr
    assert done.returncode == 0, done.stderr
    assert [run["fault"] for run in runs] == ["ingest", "broker", "database", "gateway"]
    for run in runs:
        assert run["stored"] == run["sent"] == READINGS
        assert run["lost"] == run["twice"] == 0
