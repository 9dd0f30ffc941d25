"""The machine's package manager, without questions, its output in a log file."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from store.processes import last_lines

# another apt that holds the lock is waited for
_APT = ("apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=120")
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
_TIMEOUT_SECONDS = 900


class Failed(Exception):
    """A command did not succeed."""


def usable() -> bool:
    """Tell whether packages can be installed: apt is here and we are root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def update(log: Path) -> None:
    """Read the package lists; a broken third-party source does not matter."""
    with suppress(Failed):
        run([*_APT, "update"], log)


def install(packages: Sequence[str], log: Path) -> None:
    """Install packages.

    Raises
    ------
    Failed
        With the last line of the log.
    """
    run([*_APT, "install", "--no-install-recommends", *packages], log)


def run(command: Sequence[str], log: Path) -> None:
    """Run a command, its output appended to a log file.

    Raises
    ------
    Failed
        When it cannot be run, takes too long or its exit status is not 0.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        try:
            subprocess.run(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                check=True,
                timeout=_TIMEOUT_SECONDS,
                env={**os.environ, **_ENVIRONMENT},
            )
        except (subprocess.SubprocessError, OSError) as error:
            words = f"{command[0]} failed, see {log}: {last_lines(log, 1)}"
            raise Failed(words) from error


def output(*command: str) -> str:
    """Return what a command prints, whatever its exit status."""
    result = subprocess.run(  # noqa: S603
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **_ENVIRONMENT},
    )
    return result.stdout
