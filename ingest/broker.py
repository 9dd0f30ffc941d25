"""A private MQTT broker for machines that have none: Mosquitto, else rumqttd."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest import mosquitto
from store.embedded import apt
from store.errors import ParkwattError
from store.processes import DidNotStart, free_port, last_lines, launch, stop, tied

_START_SECONDS = 60.0  # a long queue is read back first

# rumqttd has one listener per protocol version; ours speaks MQTT 5 only
_RUMQTTD = """\
id = 0

[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 2000
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 2000
"""


# MQTT 5, clean start, keep alive 60 s, no properties, client id "probe"
_CONNECT = b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x05probe"
_CONNACK = b"\x20"


class NoBroker(ParkwattError):
    """No MQTT broker found or installable; set PARKWATT_MQTT_HOST."""


def find_or_install(home: Path, progress: Callable[[str], None]) -> str:
    """Return the path of `mosquitto`, installed if need be, or "iotcore".

    Raises
    ------
    NoBroker
        When neither can be had.
    """
    if not _mosquitto() and apt.usable():
        progress("installing mosquitto")
        log = home / "log" / "install.log"
        try:
            apt.update(log)
            apt.install(["mosquitto"], log)
        except apt.Failed as error:
            progress(str(error))
    if found := _mosquitto():
        return found
    if find_spec("iotcore"):
        progress("using the broker of the Python package iotcore: it keeps no queue")
        return "iotcore"
    raise NoBroker("install mosquitto, or the Python package iotcore")


class Broker:
    """A broker on 127.0.0.1 whose sessions and queues outlive a restart.

    With `iotcore` they live in memory only.

    Parameters
    ----------
    folder : Path
        Where configuration, queue, port and log are kept.
    port : int, optional
        Port to listen on; by default a free one, remembered in the folder.
    program : str
        As `find_or_install` returns it.
    """

    host = "127.0.0.1"

    def __init__(
        self, folder: Path, port: int | None = None, *, program: str = "mosquitto"
    ) -> None:
        self.folder = folder.absolute()
        self.log_path = self.folder / "broker.log"
        self.port = port or 0
        self.adopted = False  # running already when `start` came: not ours to stop
        self._chosen = port
        self._program = program
        self._pid_file = self.folder / "broker.pid"
        self._port_file = self.folder / "broker.port"
        self._process: subprocess.Popen[bytes] | None = None

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
        """Address of the broker."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the broker on this folder, whoever started it."""
        try:
            pid = int(self._pid_file.read_text("ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.folder).encode() in command else None

    def start(self) -> None:
        """Start and wait until connections are accepted; reuse what already runs.

        The broker ends with the thread that starts it, so call it from the main one.

        Raises
        ------
        DidNotStart
            With the end of the broker's log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        remembered = self.remembered_port
        if self.pid and _answers(remembered):
            self.adopted = self._process is None
            self.port = remembered
            return
        self.stop()  # reaps what was killed
        self.adopted = False
        self.port = self._chosen or free_port(remembered)
        try:
            self._launch()
        except DidNotStart:
            # a queue file cut short by a full disk keeps Mosquitto from starting
            queue = self.folder / "mosquitto.db"
            if not queue.exists() or "database" not in last_lines(self.log_path):
                raise
            queue.rename(queue.with_suffix(".bad"))
            self._launch()

    def stop(self) -> None:
        """Stop the broker if this object started it; Mosquitto saves its queue."""
        if self._process:
            stop(self._process, [(signal.SIGTERM, 30.0)])
            self._process = None
            self._pid_file.unlink(missing_ok=True)

    def _launch(self) -> None:
        if _taken(self.port):
            raise DidNotStart(f"broker: port {self.port} is taken")
        self._process = launch(tied(self._command()), self.log_path)
        self._pid_file.write_text(str(self._process.pid), "ascii")
        self._port_file.write_text(str(self.port), "ascii")
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                words = last_lines(self.log_path)
                raise DidNotStart(f"broker, see {self.log_path}: {words}")
            time.sleep(0.05)

    @property
    def remembered_port(self) -> int:
        """The port of the latest start, 0 if there was none."""
        try:
            return int(self._port_file.read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def _command(self) -> list[str]:
        if self._program == "iotcore":
            path = self.folder / "rumqttd.toml"
            path.write_text(_RUMQTTD.format(port=self.port), "utf-8")
            quiet = ["--log-level", "critical"]  # it logs each message as an error
            return [sys.executable, "-m", "iotcore", "--config", str(path), *quiet]
        path = self.folder / "mosquitto.conf"
        root = os.geteuid() == 0
        text = mosquitto.plain(port=self.port, state=self.folder, root=root)
        path.write_text(text, "utf-8")
        return [self._program, "-c", str(path)]


def _answers(port: int) -> bool:
    """Tell whether a broker answers; a connection alone is made by the kernel."""
    try:
        with socket.create_connection((Broker.host, port), timeout=1.0) as link:
            link.sendall(_CONNECT)
            return link.recv(1) == _CONNACK
    except OSError:
        return False


def _taken(port: int) -> bool:
    try:
        socket.create_connection((Broker.host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _mosquitto() -> str:
    # a user's PATH often lacks /usr/sbin, where Debian puts it
    return (
        shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""
    )
