"""Where a back-fill through a spool was stopped: a small file beside the spool.

It names the run by all that its readings rest on. Each time it is written anew as a
whole, after its readings are in the spool: whatever ends the process, what is taken
again is what was taken, and is stored once.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from simulators.delivery import Ledger
from simulators.errors import SimulatorError


class Unfinished:
    """Remembers how far a run has come.

    Parameters
    ----------
    spool : Path
        The file of the spool.
    run : tuple
        What the run's readings rest on, and which spool holds them.
    """

    def __init__(self, spool: Path, *run: object) -> None:
        self.path = spool.with_suffix(".run.json")
        self._run = hashlib.sha256(repr(run).encode()).hexdigest()

    def read(self) -> tuple[int, Ledger | None] | None:
        """Return where this run goes on [s since 1970], and its ledger so far."""
        try:
            said = json.loads(self.path.read_bytes())
            if said["run"] != self._run:
                return None
            ledger = said["ledger"]
            return int(said["reached_s"]), None if ledger is None else Ledger(**ledger)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # none was stopped, or it cannot be known

    def write(self, reached_s: int, ledger: Ledger | None) -> None:
        """Remember that all readings before an instant are in the spool, or were.

        Raises
        ------
        SimulatorError
            If the file cannot be written.
        """
        said = {
            "run": self._run,
            "reached_s": reached_s,
            "ledger": None if ledger is None else asdict(ledger),
        }
        beside = self.path.with_name(f"{self.path.name}.part")
        try:
            beside.write_text(json.dumps(said), "utf-8")
            beside.replace(self.path)
        except OSError as error:
            raise SimulatorError(f"{self.path}: {error.strerror}") from error

    def forget(self) -> None:
        """Forget the run: it is finished."""
        self.path.unlink(missing_ok=True)
