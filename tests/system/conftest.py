"""Commands as a person types them, against one database.

Each runs in a process of its own, forked from one that has imported Parkwatt: to
import it anew took most of the time of these tests.
"""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEADER = "park,enterprise,meter,quantity,at,value\n"
ROWS = """p,e1,M1,energy_import_kwh,2026-03-01T00:15:00+08:00,110
p,e1,M1,energy_import_kwh,2026-03-01T00:00:00+08:00,100
p,e1,M1,energy_import_kwh,2026-03-01T00:30:00+08:00,135.5
p,e2,M1,energy_import,2026-03-01T00:00:00+08:00,5
p,e2,M1,energy_import_mwh,2026-03-01T00:15:00+08:00,0.006
"""
TIMEOUT_S = 120

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["parkwatt"])


@pytest.fixture
def parkwatt(timescale_database: str, tmp_path: Path) -> "Run":
    return Run(timescale_database, tmp_path)


class Run:
    """Runs commands against one database; nothing of this machine is used."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self._env = {
            "PATH": os.environ["PATH"],
            "PARKWATT_DATABASE_URL": url,
            "PARKWATT_HOME": str(folder / "home"),
        }

    def __call__(
        self, *arguments: str, status: int = 0, **env: str
    ) -> subprocess.CompletedProcess[str]:
        out, err = self.folder / "stdout", self.folder / "stderr"
        process = _SERVER.Process(
            target=_command,
            args=(arguments, self._env | env, self.folder, out, err),
        )
        process.start()
        process.join(TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        assert process.exitcode is not None
        done = subprocess.CompletedProcess(
            arguments, process.exitcode, out.read_text(), err.read_text()
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)


def _command(
    arguments: tuple[str, ...], env: dict[str, str], folder: Path, out: Path, err: Path
) -> None:
    for path, number in ((out, 1), (err, 2)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = ["parkwatt", *arguments]
    from parkwatt import main, printing

    for console in (printing.out, printing.err):
        console.width = 200
    main()
