"""The same seed gives the same bytes, in another process as well."""

import os
import subprocess
import sys

import pytest

SENT = """
import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from simulators import scenario, simulate
from simulators.delivery import Delivery
from simulators.formats import Place
from simulators.world import World

said = scenario.load("mixed")
world = World(said if {seed} is None else said.model_copy(update={{"seed": {seed}}}))
start = datetime(2026, 3, 1, tzinfo=world.zone)
until = start + timedelta(days=3)
faults = simulate.planned(world, start, until)
first, last = (int(each.timestamp()) for each in (start, until))
simulate.count_up_of(world.meters, first)
delivery = Delivery(
    world.meters, faults, place=Place(world.code, world.zone), instants_in_message=24,
    boot="run",
)
total = hashlib.sha256()
for each in (*delivery.run(first, last), *delivery.rest()):
    total.update(repr((each.topic, each.due_s, each.retain)).encode())
    total.update(each.payload)
print(len(faults), delivery.ledger.stored, total.hexdigest())
"""


def sent(hash_seed: str, seed: int | None = None) -> tuple[int, int, str]:
    """Give faults, readings stored and the hash of all messages of three days."""
    done = subprocess.run(
        [sys.executable, "-c", SENT.format(seed=seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    faults, stored, digest = done.stdout.split()
    return int(faults), int(stored), digest


@pytest.mark.slow
def test_two_runs_send_the_same_bytes_and_another_seed_others() -> None:
    one = sent("1")
    assert one[0] > 20
    assert one[1] > 50_000
    assert sent("2") == one
    assert sent("1", seed=99)[2] != one[2]
