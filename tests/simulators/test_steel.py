"""The facts of the data set, as computed independently (its README)."""

import hashlib
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulators import steel
from simulators.errors import DataFileError

MONTHLY_KWH = [
    126238.29,
    91497.34,
    80230.41,
    78769.80,
    79059.28,
    65404.64,
    81674.41,
    68559.43,
    57883.07,
    84665.65,
    86221.21,
    59436.78,
]
MONTHLY_PEAK_KW = [
    612.56,
    582.04,
    605.24,
    556.12,
    560.16,
    535.40,
    486.72,
    534.80,
    510.48,
    557.72,
    628.72,
    596.72,
]
SHA256 = "5f4feb86ee46598c096b60cc72ea84e2e314119a2fdfb214cc5061b7fabc2d4f"


@pytest.fixture(scope="module")
def registers() -> steel.Registers:
    return steel.read()


def test_file_is_the_published_one() -> None:
    assert hashlib.sha256(steel.FILE.read_bytes()).hexdigest() == SHA256
    assert SHA256 in (steel.FILE.parent / "LICENCE.md").read_text(encoding="utf-8")


def test_first_and_last_instant(registers: steel.Registers) -> None:
    assert registers.at.size == 35_041
    assert registers.reading(0) == {
        "at": "2018-01-01T00:00:00+09:00",
        "energy_import_kwh": 1200.0,
        "reactive_energy_q1_kvarh": 1200.0,
        "reactive_energy_q4_kvarh": 1200.0,
    }
    assert registers.reading(1) == {
        "at": "2018-01-01T00:15:00+09:00",
        "energy_import_kwh": 1203.17,
        "reactive_energy_q1_kvarh": 1202.95,
        "reactive_energy_q4_kvarh": 1200.0,
    }
    assert registers.reading(35_040) == {
        "at": "2019-01-01T00:00:00+09:00",
        "energy_import_kwh": 960_840.31,
        "reactive_energy_q1_kvarh": 457_965.85,
        "reactive_energy_q4_kvarh": 136_838.04,
    }


def test_sums_of_the_year(registers: steel.Registers) -> None:
    year = registers.hundredths[-1] - registers.hundredths[0]
    assert year.tolist() == [95_964_031, 45_676_585, 13_563_804]
    assert np.all(np.diff(registers.at) == 900)
    assert np.all(np.diff(registers.hundredths, axis=0) >= 0)


def test_months_and_peaks(registers: steel.Registers) -> None:
    zone = ZoneInfo("Asia/Seoul")
    starts = [datetime(2018 + m // 12, m % 12 + 1, 1, tzinfo=zone) for m in range(13)]
    edges = np.searchsorted(registers.at, [each.timestamp() for each in starts])
    energy = registers.hundredths[:, 0]
    assert (np.diff(energy[edges]) / 100).tolist() == MONTHLY_KWH
    power = np.diff(energy) * 4 / 100
    peaks = [power[a:b].max() for a, b in pairwise(edges)]
    assert peaks == MONTHLY_PEAK_KW
    start = datetime.fromtimestamp(int(registers.at[power.argmax()]), zone)
    assert start == datetime(2018, 11, 22, 9, 30, tzinfo=zone)


HEADER = (
    "date,Usage_kWh,Lagging_Current_Reactive_Power_kVarh,"
    "Leading_Current_Reactive_Power_kVarh\n"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("date,kWh\n", "line 1: no column 'Usage_kWh'"),
        ("", "line 1: no column 'date'"),
        (HEADER, "no rows"),
        (HEADER + "01/01/2018 00:15,1,2\n", "line 2: 3 columns"),
        (HEADER + "2018-01-01 00:15,1,2,3\n", "line 2: date '2018-01-01 00:15'"),
        (HEADER + "01/01/2018 00:15,x,2,3\n", "line 2: Usage_kWh 'x'"),
        (HEADER + "01/01/2018 00:15,nan,2,3\n", "line 2: Usage_kWh 'nan'"),
        (HEADER + "01/01/2018 00:15,-1,2,3\n", "line 2: Usage_kWh '-1'"),
        (HEADER + "01/01/2018 00:15,0.125,2,3\n", "two decimals"),
        (
            HEADER + "01/01/2018 00:15,1,2,3\n01/01/2018 00:45,1,2,3\n",
            "line 3: not 15 minutes",
        ),
    ],
)
def test_wrong_file_is_told_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "plant.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match=r"plant\.csv") as raised:
        steel.read(path)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_or_binary_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="No such file"):
        steel.read(tmp_path / "absent.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\x93NUMPY\xff\xfe")
    with pytest.raises(DataFileError, match="not a text file"):
        steel.read(path)


def test_midnight_closes_its_own_date(tmp_path: Path) -> None:
    path = tmp_path / "plant.csv"
    path.write_text(
        "\ufeff" + HEADER + "31/12/2018 23:45,1,0,0\n31/12/2018 00:00,2.5,0,0\n",
        encoding="utf-8",
    )
    registers = steel.read(path)
    assert [registers.reading(i)["at"] for i in range(3)] == [
        "2018-12-31T23:30:00+09:00",
        "2018-12-31T23:45:00+09:00",
        "2019-01-01T00:00:00+09:00",
    ]
    assert registers.hundredths[:, 0].tolist() == [120_000, 120_100, 120_350]
