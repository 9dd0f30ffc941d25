"""Child processes: started in sessions of their own, watched, stopped by pid."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from store.errors import ParkwattError

_QUIET_SECONDS = 60.0  # a child that lived this long has its earlier exits forgiven
_LONGEST_BACKOFF = 30.0


class DidNotStart(ParkwattError):
    """A program that Parkwatt runs did not start."""


class ChildFailed(ParkwattError):
    """A part of Parkwatt exited again and again."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """What to run."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]  # added to the environment of the parent
    log_path: Path  # standard output and error are appended here


class Startable(Protocol):
    """A server that somebody else owns."""

    @property
    def pid(self) -> int | None:
        """Its process id; None when it is gone."""

    def start(self) -> None:
        """Start it, unless it runs."""


@dataclass(kw_only=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    exits: int = 0
    due: float | None = field(default=None)  # when to start again


def tied(argv: Sequence[str], name: str = "TERM") -> list[str]:
    """Return a command that gets the signal when the thread that starts it ends.

    So nothing lingers when Parkwatt itself is killed. Works where util-linux is.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", name, "--", *argv] if setpriv else list(argv)


def launch(
    argv: Sequence[str], log_path: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program out of reach of the terminal's Ctrl-C, its output in a file.

    Raises
    ------
    DidNotStart
        When the program cannot be executed.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log_path.open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
    except OSError as error:
        raise DidNotStart(f"{argv[0]}: {error.strerror}") from error


def stop(
    process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]
) -> None:
    """Send each signal in turn, waiting its seconds, until the process has ended."""
    for number, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()


def free_port(preferred: int = 0) -> int:
    """Return a port of the loopback that is free, the preferred one if it is."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            # as servers do: a port in TIME_WAIT counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DidNotStart("no free port on 127.0.0.1")


def last_lines(path: Path, count: int = 3) -> str:
    """Return the end of a log file in one line, for an error message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return " | ".join(line.strip() for line in lines[-count:])


class Supervisor:
    """Starts children, restarts those that exit, stops them in reverse order.

    Nothing runs in the background: the owner calls `poll` about twice a second.

    Parameters
    ----------
    restarts : int or None
        How often one child may exit in a row before `ChildFailed`; None: as often as it
        does, for one part that fails must not end the others.
    say : Callable
        Told in one line when a child has exited.
    backoff : float
        Wait before the first restart [s]; doubles with each further one.
    grace : float
        Time between SIGTERM and SIGKILL [s].
    """

    def __init__(
        self,
        *,
        restarts: int | None = 5,
        backoff: float = 0.5,
        grace: float = 20.0,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._say = say or (lambda _: None)
        self._restarts = restarts
        self._backoff = backoff
        self._grace = grace
        self._running: list[_Running] = []
        self._watched: dict[str, Startable] = {}
        self._watch_due = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, child: Child) -> None:
        """Start a child; call from the main thread, to whose life it is tied."""
        self._running.append(
            _Running(child=child, process=self._launch(child), started=time.monotonic())
        )

    def watch(self, name: str, part: "Startable") -> None:
        """Start a part again when its process is gone; its owner stops it."""
        self._watched[name] = part

    def pids(self) -> dict[str, int]:
        """Return the process id of each child that is running."""
        return {
            each.child.name: each.process.pid
            for each in self._running
            if each.process.poll() is None
        }

    def poll(self) -> None:
        """Restart what has exited, when its turn has come.

        Raises
        ------
        ChildFailed
            When a child exited more often in a row than allowed.
        """
        now = time.monotonic()
        if now >= self._watch_due:
            self._watch_due = now + 1.0
            self._start_again()
        for each in self._running:
            if each.due is not None:
                if now >= each.due:
                    each.process = self._launch(each.child)
                    each.started, each.due = now, None
            elif each.process.poll() is not None:
                if now - each.started >= _QUIET_SECONDS:
                    each.exits = 0
                each.exits += 1
                what = (
                    f"{each.child.name} (exit status {each.process.returncode}); "
                    f"see {each.child.log_path}: {last_lines(each.child.log_path, 1)}"
                )
                if self._restarts is not None and each.exits > self._restarts:
                    raise ChildFailed(what)
                wait = self._backoff * 2 ** min(each.exits - 1, 16)
                wait = min(wait, _LONGEST_BACKOFF)
                self._say(f"again in {wait:.0f} s: {what}")
                each.due = now + wait

    def _start_again(self) -> None:
        for name, part in self._watched.items():
            if part.pid is None:
                self._say(f"{name} is gone: starting it again")
                try:
                    part.start()
                except DidNotStart as error:
                    self._say(str(error))
                    self._watch_due = time.monotonic() + _LONGEST_BACKOFF

    def stop(self) -> None:
        """Stop all, the last started first."""
        while self._running:
            stop(self._running.pop().process, [(signal.SIGTERM, self._grace)])

    def _launch(self, child: Child) -> subprocess.Popen[bytes]:
        return launch(tied(child.argv), child.log_path, child.env)
