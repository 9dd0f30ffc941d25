"""Order, repeats and the import file; no broker."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import steel
from simulators.errors import SimulatorError
from simulators.replay import CSV_COLUMNS, order, payload, write_csv


@given(
    count=st.integers(0, 300),
    shuffle=st.booleans(),
    duplicates=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_every_instant_comes_and_repeats_come_later(
    count: int, shuffle: bool, duplicates: float, seed: int
) -> None:
    sent = order(count, shuffle=shuffle, duplicates=duplicates, seed=seed)
    again = order(count, shuffle=shuffle, duplicates=duplicates, seed=seed)
    assert sent.tolist() == again.tolist()
    assert sent.size == count + round(duplicates * count)
    instants, times = np.unique(sent, return_counts=True)
    assert instants.tolist() == list(range(count))
    assert not times.size or times.max() <= 2
    if not shuffle:
        first = list(dict.fromkeys(sent.tolist()))
        assert first == list(range(count))


def test_shuffle_and_seed_matter() -> None:
    one = order(1000, shuffle=True, duplicates=0.03, seed=1)
    two = order(1000, shuffle=True, duplicates=0.03, seed=2)
    assert one.size == two.size == 1030
    assert one.tolist() != two.tolist()
    assert np.mean(np.diff(one) < 0) > 0.4


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_share_of_duplicates_is_checked(share: float) -> None:
    with pytest.raises(SimulatorError, match="duplicates must be between 0 and 1"):
        order(10, shuffle=False, duplicates=share, seed=1)


def test_import_file_equals_the_wire(tmp_path: Path) -> None:
    out = tmp_path / "plant.csv"
    codes = {"park": "P01", "enterprise": "E01", "meter": "M1"}
    rows = write_csv(steel.FILE, out, **codes, shuffle=True, duplicates=0.03, seed=5)
    assert rows == (35_041 + 1_051) * 3
    registers = steel.read()
    sequence = order(35_041, shuffle=True, duplicates=0.03, seed=5)
    # parse_float keeps the text as it stands on the wire
    message = json.loads(payload(registers, sequence.tolist()), parse_float=str)
    wire = [
        ("P01", "E01", "M1", key, reading["at"], reading[key])
        for reading in message["readings"]
        for key in steel.KEYS
    ]
    with out.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        assert tuple(next(lines)) == CSV_COLUMNS
        assert [tuple(line) for line in lines] == wire


def test_single_form() -> None:
    registers = steel.read()
    assert payload(registers, [1], single=True) == (
        b'{"at":"2018-01-01T00:15:00+09:00","energy_import_kwh":1203.17,'
        b'"reactive_energy_q1_kvarh":1202.95,"reactive_energy_q4_kvarh":1200.0}'
    )
