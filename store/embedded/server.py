"""Run a private database server: first use makes it, `stop` ends it, data stay."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from store.embedded.timescale import Installation, locked
from store.processes import DidNotStart, free_port, last_lines, launch, stop

_START_SECONDS = 120.0  # recovery after a crash included


class Server:
    """One data directory of an installation, served on 127.0.0.1 only.

    Parameters
    ----------
    installation : Installation
        The programs.
    name : str
        Name of the data directory; the same name finds the same data.
    timescale : bool
        False leaves the TimescaleDB library out: a plain PostgreSQL.
    shared_buffers : str
        PostgreSQL's own cache.
    settings : Mapping[str, str], optional
        Further server settings, for this run.
    """

    user = "parkwatt"
    database = "parkwatt"

    def __init__(
        self,
        installation: Installation,
        name: str,
        *,
        timescale: bool = True,
        shared_buffers: str = "512MB",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.installation = installation
        self.data = installation.state / name
        self.log_path = installation.state / f"{name}.log"
        self.adopted = False  # running already when `start` came: not ours to stop
        self._secret = installation.state / f"{name}.secret"
        self._port_file = installation.state / f"{name}.port"
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = {
            "shared_buffers": shared_buffers,
            "max_wal_size": "4GB",
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": "100",
            "max_locks_per_transaction": "256",  # a hypertable locks many chunks
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            # /dev/shm is missing or small in a root folder and in containers
            "dynamic_shared_memory_type": "sysv",
        }
        if timescale and installation.timescale:
            self._settings |= {
                "shared_preload_libraries": "timescaledb",
                "timescaledb.telemetry_level": "off",
            }
        self._settings |= settings or {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the database `parkwatt`, with its password."""
        return self.url_of(self.database)

    def url_of(self, database: str) -> str:
        """Address of another database of this server."""
        password = self._secret.read_text("ascii").strip()
        port = int(self._port_file.read_text("ascii"))
        return f"postgresql://{self.user}:{password}@127.0.0.1:{port}/{database}"

    @property
    def pid(self) -> int | None:
        """Process id of the server on this data directory, whoever started it."""
        found = self._postmaster()
        return found[0] if found else None

    def start(self) -> None:
        """Start and wait until connections are accepted; reuse what already runs.

        The server ends with the thread that starts it, so call it from the main one.

        Raises
        ------
        DidNotStart
            With the end of the server's log.
        """
        self._make_state()
        with locked(self.data.with_suffix(".lock")):
            running = self._runs()
            self.adopted = running and self._process is None
            if not running:
                self.stop()  # reaps what was killed
                if not (self.data / "PG_VERSION").exists():
                    self._initialise()
                self._forget_stale()
                self._launch()
            self._create_database()

    def stop(self) -> None:
        """Stop the server if this object started it."""
        if self._process:
            # fast shutdown, immediate shutdown
            stop(self._process, [(signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0)])
            self._process = None

    def destroy(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        if self.pid:
            raise DidNotStart(f"{self.data} is in use by process {self.pid}")
        shutil.rmtree(self.data, ignore_errors=True)
        for path in (self._secret, self._port_file, self.log_path):
            path.unlink(missing_ok=True)
        self.data.with_suffix(".lock").unlink(missing_ok=True)

    def _make_state(self) -> None:
        state = self.installation.state
        state.mkdir(parents=True, exist_ok=True)
        if self.installation.owner:
            os.chown(state, *self.installation.owner)

    def _initialise(self) -> None:
        """Make the data directory beside its place, so that it is whole or absent."""
        part = self.data.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        self._secret.unlink(missing_ok=True)
        self._secret.touch(mode=0o600)
        self._secret.write_text(secrets.token_urlsafe(24), "ascii")
        shown = self.data.with_suffix(".pw")  # the same for the server's user
        shown.unlink(missing_ok=True)
        shutil.copy(self._secret, shown)
        if self.installation.owner:
            os.chown(shown, *self.installation.owner)
        inside = self.installation.inside
        command = self.installation.command(
            "initdb",
            *("--pgdata", inside(part), "--username", self.user),
            *("--pwfile", inside(shown), "--auth", "scram-sha-256"),
            *("--locale", "C.UTF-8", "--encoding", "UTF8"),
        )
        try:
            process = launch(command, self.log_path)
            if process.wait(_START_SECONDS) != 0:
                raise DidNotStart(f"initdb: {last_lines(self.log_path)}")
        finally:
            shown.unlink(missing_ok=True)
        part.rename(self.data)

    def _launch(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            remembered = self._port_file
            port = free_port(int(remembered.read_text()) if remembered.exists() else 0)
            remembered.write_text(str(port), "ascii")
            settings = {**self._settings, "port": str(port)}
            options = [f"--{name}={value}" for name, value in settings.items()]
            command = self.installation.command(
                *("postgres", "-D", self.installation.inside(self.data), *options),
                die="INT",
            )
            self._process = launch(command, self.log_path)
            try:
                self._wait(self._process, deadline)
            except DidNotStart:
                ended = self._process.poll() is not None
                self.stop()
                # another program took the port, or the last orphans of a killed
                # server are still ending: both pass
                passing = "in use" in last_lines(self.log_path, 6)
                if not (ended and passing and time.monotonic() < deadline):
                    raise
                time.sleep(0.5)
            else:
                return

    def _runs(self) -> bool:
        """Tell whether a server runs on the data already and is not just ending."""
        deadline = time.monotonic() + _START_SECONDS
        while running := self._postmaster():
            self._port_file.write_text(str(running[1]), "ascii")
            if self._accepts():
                return True
            if time.monotonic() > deadline:
                raise self._not_started()
            time.sleep(0.1)
        return False

    def _wait(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        while not self._accepts():
            if process.poll() is not None or time.monotonic() > deadline:
                raise self._not_started()
            time.sleep(0.1)

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _not_started(self) -> DidNotStart:
        words = last_lines(self.log_path)
        return DidNotStart(f"PostgreSQL, see {self.log_path}: {words}")

    def _create_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", (self.database,)
            ).fetchall():
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database))
                )

    def _postmaster(self) -> tuple[int, int] | None:
        """Process id and port of the server that runs on the data directory."""
        found = self._pid_file()
        if not found:
            return None
        try:
            # a server's working directory is its data directory: a pid that was
            # given to another program since is not taken for it
            here = Path(f"/proc/{found[0]}/cwd").readlink() == self.data.resolve()
        except OSError:
            return None
        return found if here else None

    def _pid_file(self) -> tuple[int, int] | None:
        try:
            lines = (self.data / "postmaster.pid").read_text("utf-8").splitlines()
            return int(lines[0]), int(lines[3])
        except (OSError, IndexError, ValueError):
            return None

    def _forget_stale(self) -> None:
        """Remove the file of a killed server whose pid another program has now.

        Where the pid is free PostgreSQL itself sees that the file is stale.
        """
        found = self._pid_file()
        if found and Path(f"/proc/{found[0]}").exists() and not self._postmaster():
            (self.data / "postmaster.pid").unlink()
