"""The spool: what it took stays, whatever happens to the process or the disk."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.spool import Spool, SpoolError, SpoolFull

TOPIC = "parkwatt/v1/P/E/GW1/batch"


def fill(spool: Spool, count: int, size: int = 1000) -> None:
    for _ in range(count):
        spool.append(TOPIC, lambda seq: seq.to_bytes(4, "big") + bytes(size - 4))


def held(path: Path) -> list[int]:
    with Spool(path) as spool:
        return [each.seq for each in spool.after(0, 1_000_000)]


def test_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "s.db"
    with Spool(path) as spool:
        boot = spool.boot
        fill(spool, 3)
        assert spool.append("other", bytes) == 1
        assert spool.remove([(TOPIC, 3), (TOPIC, 2), (TOPIC, 9)]) == 2
    with Spool(path) as spool:
        assert spool.boot == boot
        assert len(spool) == 2
        assert spool.last(TOPIC) == 3
        fill(spool, 1)
        assert [each.seq for each in spool.after(0, 9)] == [1, 1, 4]
        assert spool.payload(1) == (1).to_bytes(4, "big") + bytes(996)
        assert spool.payload(2) is None
    assert Spool(tmp_path / "another.db").boot != boot


def test_it_refuses_the_new_and_keeps_the_old(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Spool(path, most_bytes=10_000) as spool:
        fill(spool, 10)
        with pytest.raises(SpoolFull, match="10 batches, 10000 of 10000 bytes"):
            fill(spool, 1)
        spool.remove([(TOPIC, 1)])
        fill(spool, 1)
        assert spool.last(TOPIC) == 11  # a refused batch uses no number
    assert held(path) == list(range(2, 12))


def test_a_file_that_is_no_spool_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(SpoolError, match="not a database"):
        Spool(path)
    assert path.read_bytes().startswith(b"not a database")
    path.unlink()
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 2")
    later.close()
    with pytest.raises(SpoolError, match="version 2"):
        Spool(path)
    with pytest.raises(SpoolError, match="File exists"):
        Spool(path / "below")


def test_two_processes_cannot_share_it(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Spool(path), pytest.raises(SpoolError, match="used by another process"):
        Spool(path)
    Spool(path).close()


CHILD = """
import sys
from pathlib import Path
from simulators.spool import Spool
spool = Spool(Path(sys.argv[1]))
while True:
    seq = spool.append("t", lambda seq: b"%d" % seq)
    print(seq, flush=True)
    if seq % 3 == 0:
        spool.remove([("t", seq - 1)])
        print(-(seq - 1), flush=True)
"""


def test_kill_9_while_it_writes(tmp_path: Path) -> None:
    """What was told as taken is there, whenever the process ends."""
    path = tmp_path / "s.db"
    said: list[int] = []
    for lines in (1, 40, 7, 100):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            said += [int(child.stdout.readline()) for _ in range(lines)]
            os.kill(child.pid, signal.SIGKILL)
            said += [int(line) for line in child.stdout if line.endswith("\n")]
    taken = {each for each in said if each > 0}
    removed = {-each for each in said if each < 0}
    with Spool(path) as spool:
        here = {each.seq for each in spool.after(0, 1_000_000)}
        newest = spool.last("t")
    # at most the one call that a kill cut short is not told
    assert len(taken - removed - here) <= 4
    assert all((each + 1) % 3 == 0 for each in taken - removed - here)
    assert not removed & here
    assert newest - max(taken) <= 1
    assert len(set(range(1, newest + 1)) - taken) <= 4


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_the_disk_is_full(small_disk: Path) -> None:
    path = small_disk / "s.db"
    with Spool(path) as spool:
        with pytest.raises(SpoolFull, match="the disk is full"):
            fill(spool, 5000)
        taken = len(spool)
        assert taken > 1000
        with pytest.raises(SpoolFull):
            fill(spool, 1, 100_000)
        # confirmations make room again, though the disk stays full
        assert spool.remove([(TOPIC, seq) for seq in range(1, 41)]) == 40
        fill(spool, 2)
    assert held(path) == list(range(41, taken + 3))
    with Spool(path) as spool:
        spool.remove([(TOPIC, seq) for seq in range(41, taken + 3)])
        fill(spool, taken // 2)
        assert len(spool) == taken // 2
