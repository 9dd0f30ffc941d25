import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from store.processes import (
    Child,
    ChildFailed,
    DidNotStart,
    Supervisor,
    free_port,
    last_lines,
    tied,
)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def python(tmp_path: Path, name: str, code: str) -> Child:
    return Child(
        name=name,
        argv=[sys.executable, "-u", "-c", code],
        env={"WHO": name},
        log_path=tmp_path / "log" / f"{name}.log",
    )


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(") ", 1)[1]
    except OSError:
        return False
    return not state.startswith("Z")


def test_child_has_own_session_environment_and_log(tmp_path: Path) -> None:
    code = "import os, time; print(os.environ['WHO']); time.sleep(60)"
    with Supervisor() as supervisor:
        supervisor.start(python(tmp_path, "one", code))
        pid = supervisor.pids()["one"]
        assert os.getsid(pid) == pid != os.getsid(0)
        until(lambda: last_lines(tmp_path / "log" / "one.log") == "one")
    assert not alive(pid)


def test_exited_child_is_restarted(tmp_path: Path) -> None:
    code = "import time; time.sleep(60)"
    with Supervisor(backoff=0.05) as supervisor:
        supervisor.start(python(tmp_path, "one", code))
        first = supervisor.pids()["one"]
        os.kill(first, signal.SIGKILL)

        def restarted() -> bool:
            supervisor.poll()
            return supervisor.pids().get("one", first) != first

        until(restarted)


def test_a_child_that_keeps_exiting_is_given_up_with_its_last_words(
    tmp_path: Path,
) -> None:
    supervisor = Supervisor(restarts=2, backoff=0.01)
    supervisor.start(python(tmp_path, "one", "raise SystemExit('no database')"))

    def poll_for_ever() -> None:
        while True:
            supervisor.poll()
            time.sleep(0.01)

    with pytest.raises(ChildFailed, match=r"one \(exit status 1\).*no database"):
        poll_for_ever()
    assert (tmp_path / "log" / "one.log").read_text().count("no database") == 3
    supervisor.stop()


def test_a_child_that_keeps_exiting_does_not_end_the_others(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(restarts=None, backoff=0.001, say=said.append)
    supervisor.start(python(tmp_path, "one", "raise SystemExit('no port')"))
    supervisor.start(python(tmp_path, "two", "import time; time.sleep(60)"))

    def often() -> bool:
        supervisor.poll()
        return len(said) >= 7

    until(often)
    assert "one (exit status 1)" in said[0]
    assert "no port" in said[0]
    assert "two" in supervisor.pids()
    supervisor.stop()


def test_a_watched_part_is_started_again() -> None:
    class Part:
        pid: int | None = None
        starts = 0

        def start(self) -> None:
            self.starts += 1
            if self.starts == 1:
                self.pid = 1

    part, said = Part(), list[str]()
    supervisor = Supervisor(say=said.append)
    supervisor.watch("broker", part)
    supervisor.poll()
    assert (part.starts, said) == (1, ["broker is gone: starting it again"])


def test_stop_is_in_reverse_order_and_kills_the_deaf(tmp_path: Path) -> None:
    polite = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    print('end', time.monotonic())\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready')\n"
        "time.sleep(60)"
    )
    deaf = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready')\n"
        "time.sleep(60)"
    )
    supervisor = Supervisor(grace=0.3)
    for name, code in (("first", polite), ("deaf", deaf), ("last", polite)):
        supervisor.start(python(tmp_path, name, code))
        until(lambda name=name: "ready" in last_lines(tmp_path / "log" / f"{name}.log"))  # type: ignore[misc]
    pids = supervisor.pids()
    supervisor.stop()
    assert not any(alive(pid) for pid in pids.values())

    def ended(name: str) -> float:
        return float(last_lines(tmp_path / "log" / f"{name}.log", 1).split()[1])

    assert ended("first") - ended("last") >= 0.3


def test_nothing_lingers_when_the_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from store.processes import Child, Supervisor\n"
        "supervisor = Supervisor()\n"
        "supervisor.start(Child(name='one', argv=[sys.executable, '-uc', "
        "'import time; print(1); time.sleep(60)'], env={}, log_path=Path(sys.argv[1])))\n"
        "print(supervisor.pids()['one'], flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        until(lambda: last_lines(tmp_path / "log") == "1")
        parent.kill()
    until(lambda: not alive(pid))


def test_missing_program_is_named(tmp_path: Path) -> None:
    missing = Child(
        name="x", argv=["/nowhere/x"], env={}, log_path=tmp_path / "log" / "x.log"
    )
    supervisor = Supervisor(restarts=0)
    if tied(["x"]) == ["x"]:
        with pytest.raises(DidNotStart, match="/nowhere/x"):
            supervisor.start(missing)
        return
    supervisor.start(missing)
    until(lambda: not supervisor.pids())
    with pytest.raises(ChildFailed, match="/nowhere/x"):
        supervisor.poll()


def test_free_port_keeps_the_preferred_one() -> None:
    port = free_port()
    assert free_port(port) == port
