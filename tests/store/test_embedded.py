import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from store.embedded import Installation, Server
from store.embedded.timescale import pick_mirror


@pytest.fixture
def server(installation: Installation) -> Iterator[Server]:
    """A plain server of the test's own."""
    name = f"test-{os.getpid()}-embedded"
    server = Server(installation, name, timescale=False, shared_buffers="64MB")
    try:
        yield server
    finally:
        server.destroy()


def remember(server: Server, number: int) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (number int)")
        connection.execute("INSERT INTO memory VALUES (%s)", (number,))


def remembered(server: Server) -> list[int]:
    with psycopg.connect(server.url) as connection:
        rows = connection.execute("SELECT number FROM memory ORDER BY 1").fetchall()
    return [number for (number,) in rows]


def setting(server: Server, name: str) -> str:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row
    return str(row[0])


def test_mirror_is_debians_own_among_third_parties() -> None:
    targets = (
        "NodeSource|nodistro|https://packages.example/node/\n"
        "||https://packages.example/unsigned/\n"
        "Debian|Debian-Security|http://mirror.example/debian-security/\n"
        "Debian|Debian|http://mirror.example/debian/\n"
        "Debian|Debian|http://second.example/debian/\n"
    )
    assert pick_mirror(targets) == "http://mirror.example/debian"


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param("", id="nothing"),
        pytest.param("Ubuntu|Ubuntu|http://mirror.example/ubuntu/\n", id="ubuntu"),
        pytest.param("odd line\n", id="odd"),
    ],
)
def test_no_mirror_without_a_debian_source(targets: str) -> None:
    assert pick_mirror(targets) == ""


def test_data_password_and_port_outlive_a_restart(server: Server) -> None:
    server.start()
    url = server.url
    remember(server, 1)
    server.stop()
    assert server.pid is None
    server.start()
    assert server.url == url
    assert remembered(server) == [1]


def test_server_is_durable_utc_and_on_the_loopback_only(server: Server) -> None:
    server.start()
    assert setting(server, "fsync") == "on"
    assert setting(server, "synchronous_commit") == "on"
    assert setting(server, "TimeZone") == "UTC"
    assert setting(server, "listen_addresses") == "127.0.0.1"
    assert setting(server, "server_encoding") == "UTF8"
    assert setting(server, "shared_preload_libraries") == ""
    secret = server.data.with_suffix(".secret")
    assert secret.stat().st_mode & 0o777 == 0o600
    wrong = server.url.replace(secret.read_text(), "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication"):
        psycopg.connect(wrong)


def test_a_killed_server_starts_again_with_what_was_committed(server: Server) -> None:
    server.start()
    remember(server, 1)
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    assert not server.adopted
    assert remembered(server) == [1]


def test_pid_file_of_another_program_is_not_believed(server: Server) -> None:
    server.start()
    remember(server, 1)
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text()
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as other:
        pid_file.write_text("\n".join([str(other.pid), *lines.splitlines()[1:]]) + "\n")
        server.start()
        assert remembered(server) == [1]
        other.kill()


def test_a_second_start_uses_the_server_that_runs(
    server: Server, installation: Installation
) -> None:
    server.start()
    second = Server(installation, server.data.name, timescale=False)
    second.start()
    assert second.adopted
    assert second.url == server.url
    second.stop()
    assert server.pid


def test_a_taken_port_is_replaced(server: Server) -> None:
    server.start()
    taken = server.url
    server.stop()
    port = int(taken.rsplit(":", 1)[1].split("/")[0])
    code = (
        "import socket, sys\n"
        f"socket.create_server(('127.0.0.1', {port}))\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", f"s = None\n{code}"], stdin=-1, stdout=-1
    ) as other:
        assert other.stdout
        other.stdout.readline()
        server.start()
        other.kill()
    assert setting(server, "port") == server.url.rsplit(":", 1)[1].split("/")[0]


def test_the_server_ends_with_a_killed_parent(
    server: Server, installation: Installation, home: Path
) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from store.embedded import Server, find_or_install\n"
        "found = find_or_install(Path(sys.argv[1]), lambda line: None)\n"
        "server = Server(found, sys.argv[2], timescale=False)\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home), server.data.name],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as parent:
        assert parent.stdout
        assert int(parent.stdout.readline()) == server.pid
        parent.kill()
    deadline = time.monotonic() + 30
    while server.pid and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.pid is None


def test_each_test_has_its_own_copy(new_database: Callable[[], str]) -> None:
    first, second = new_database(), new_database()
    with psycopg.connect(first, autocommit=True) as connection:
        connection.execute("CREATE TABLE only_here (number int)")
    with psycopg.connect(second) as connection:
        row = connection.execute("SELECT to_regclass('only_here')").fetchone()
    assert row == (None,)
