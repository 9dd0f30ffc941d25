"""Commands as a person types them, against one database."""

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
            "COLUMNS": "200",
        }

    def __call__(
        self, *arguments: str, status: int = 0, **env: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "parkwatt", *arguments],
            env={**self._env, **env},
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)
