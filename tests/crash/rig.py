"""The parts that are killed: database, broker, ingest and gateway, each a process."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from ingest.broker import Broker
from store import registry, relations
from store.database import connect
from store.embedded import Installation, Server
from store.errors import ParkwattError
from store.migrate import migrate
from store.processes import launch, tied
from tests.crash import sender

ROOT = Path(__file__).parents[2]
SOURCE = "crash-ingest"
RESEND_S = 2.0  # of the gateway here; real ones begin with 30 s
_TEMPLATE = "crash_template"


def wait(done: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


class Database:
    """A durable server of our own, with a registered park in its template."""

    def __init__(self, installation: Installation, name: str) -> None:
        self.server = Server(
            installation,
            name,
            shared_buffers="128MB",
            settings={"timescaledb.max_background_workers": "0", "max_wal_size": "1GB"},
        )
        self._count = 0

    def start(self) -> None:
        self.server.start()

    def prepare(self) -> None:
        self._execute("CREATE DATABASE {}", _TEMPLATE)
        url = self.server.url_of(_TEMPLATE)
        migrate(url)
        with connect(url, autocommit=True) as conn:
            park = registry.add_park(conn, sender.PARK, zone="UTC", region="CN")
            enterprise = registry.add_enterprise(conn, park, sender.ENTERPRISE)
            for i in range(sender.METERS):
                meter = registry.add_meter(conn, park, enterprise, f"M{i}")
                relations.confirm_meter(conn, meter, enterprise, source="crash")

    def copy(self) -> tuple[str, str]:
        """Make a database for one run; give its name and address."""
        self._count += 1
        name = f"crash_{self._count}"
        self._execute(
            "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, _TEMPLATE
        )
        return name, self.server.url_of(name)

    def drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def pids(self) -> list[int]:
        """The server and its children."""
        first = self.server.pid
        if first is None:
            return []
        found = [first]
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError, IndexError):
                stat = (entry / "stat").read_text()
                if int(stat.rsplit(")", 1)[1].split()[1]) == first:
                    found.append(int(entry.name))
        return found

    def signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End it and all its children at once."""
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait(lambda: self.server.pid is None, 10, "end of the database")

    def _execute(self, text: str, *names: str) -> None:
        url = self.server.url_of("postgres")
        with psycopg.connect(url, autocommit=True) as conn:
            # fixed texts of this file, names as identifiers
            statement = sql.SQL(text).format(*map(sql.Identifier, names))
            conn.execute(statement)


class Stored(NamedTuple):
    """What is in the database after a run."""

    values: Counter[tuple[sender.Key, float]]
    received: int
    inserted: int
    duplicate: int
    conflict: int
    quarantined: int
    batches: tuple[int, ...]  # the same five, added up from core.batch
    rows: int


class Rig:
    """One run: a database of its own, a fresh broker, ingest and a gateway."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        program: str,
        *,
        seed: int,
        batches: int,
        rate: float,
    ) -> None:
        self.database, self.folder, self.seed = database, folder, seed
        self.batches, self.rate = batches, rate
        self.broker = Broker(folder / "broker", program=program)
        self.url = self._name = ""
        self.samples: list[tuple[float, int]] = []  # monotonic, readings received
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @contextmanager
    def running(self, gateway: bool = True) -> Iterator[None]:
        """Run all parts; what is left of them is ended."""
        self._name, self.url = self.database.copy()
        try:
            self.broker.start()
            self.start_ingest()
            self._watcher.start()
            self._wait_for_ingest()
            if gateway:
                self.start_gateway()
            yield
        finally:
            self._ended.set()
            self._watcher.join()
            for child in self._children.values():
                child.kill()
                child.wait()
            self.broker.stop()
            self.database.start()
            self.database.drop(self._name)

    def _wait_for_ingest(self) -> None:
        """Wait for its subscription: its log tells of the connection."""
        log = self.folder / "ingest.log"
        wait(lambda: log.exists() and b"connected" in log.read_bytes(), 30, "ingest")
        time.sleep(0.2)

    def start_ingest(self) -> None:
        env = {
            "PARKWATT_DATABASE_URL": self.url,
            "PARKWATT_MQTT_HOST": self.broker.host,
            "PARKWATT_MQTT_PORT": str(self.broker.port),
            "PARKWATT_MQTT_CLIENT_ID": SOURCE,
            "PARKWATT_MQTT_TOPIC": f"parkwatt/v1/{sender.PARK}/#",
        }
        command = [sys.executable, "-m", "parkwatt", "ingest"]
        self._start("ingest", command, env)

    def start_gateway(self) -> None:
        self._start(
            "gateway",
            [
                *(sys.executable, "-m", "tests.crash.sender"),
                *("--port", str(self.broker.port)),
                *("--spool", str(self.folder / "spool.db")),
                *("--batches", str(self.batches), "--rate", str(self.rate)),
                *("--resend", str(RESEND_S), "--seed", str(self.seed)),
            ],
            {"PYTHONPATH": str(ROOT)},
        )

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> None:
        self._children[name] = launch(
            tied(command, "KILL"), self.folder / f"{name}.log", env
        )

    def pid(self, part: str) -> int:
        """Process id of a part, 0 while it does not run."""
        if part == "broker":
            return self.broker.pid or 0
        if part == "database":
            return self.database.server.pid or 0
        child = self._children[part]
        return child.pid if child.poll() is None else 0

    def kill(self, part: str) -> None:
        """End a part as a power cut of its machine's process table would."""
        if part == "database":
            self.database.kill()
            return
        os.kill(self.pid(part), signal.SIGKILL)
        if part in self._children:
            self._children[part].wait()
        # a broker with a long queue takes a moment to give its memory back
        wait(lambda: not self.pid(part), 10, f"end of {part}")

    def start(self, part: str) -> None:
        if part == "database":
            self.database.start()
        elif part == "broker":
            self.broker.start()
        elif part == "ingest":
            self.start_ingest()
        else:
            self.start_gateway()

    def log(self, part: str) -> str:
        """What a part has said."""
        return (self.folder / f"{part}.log").read_text("utf-8", "replace")

    def received(self) -> int:
        """Readings received, as last seen."""
        return self.samples[-1][1] if self.samples else 0

    def wait_for(self, readings: int, seconds: float = 60) -> None:
        wait(lambda: self.received() >= readings, seconds, f"{readings} readings")

    def finish(self, seconds: float = 120) -> dict[str, int]:
        """Wait until the gateway has every batch confirmed; give its counts."""
        gateway = self._children["gateway"]
        log = self.folder / "gateway.log"
        try:
            code = gateway.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the gateway did not finish: {log.read_text()[-400:]}"
            ) from None
        text = log.read_text()
        if code:
            raise AssertionError(f"the gateway failed: {text[-400:]}")
        found: dict[str, int] = json.loads(text.splitlines()[-1])
        return found

    def recovery(self, since: float) -> float | None:
        """Seconds from `since` to the next reading that was committed.

        What was taken before the fault may still be committed just after it, and is
        seen a little later: growth counts from a quarter of a second on.
        """
        settled = since + 0.25
        before = max((count for at, count in self.samples if at <= settled), default=0)
        later = [at for at, count in self.samples if at > settled and count > before]
        return round(later[0] - since, 2) if later else None

    def quiet(self, seconds: float = 3.0) -> None:
        """Wait until nothing more comes."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            if self.received() != last:
                last, since = self.received(), time.monotonic()
            time.sleep(0.05)

    def stored(self) -> Stored:
        with connect(self.url) as conn:
            rows = conn.execute(
                """
                SELECT m.code, r.at, r.value
                FROM core.reading r JOIN core.channel c USING (channel_id)
                JOIN core.meter m ON m.meter_id = c.subject_id
                """
            ).fetchall()
            sums = [
                tuple(int(str(each)) for each in row)
                for row in conn.execute(
                    """
                    SELECT coalesce(sum(received), 0), coalesce(sum(inserted), 0),
                           coalesce(sum(duplicate), 0), coalesce(sum(conflict), 0),
                           coalesce(sum(quarantined), 0)
                    FROM core.source_total
                    UNION ALL
                    SELECT coalesce(sum(received), 0), coalesce(sum(inserted), 0),
                           coalesce(sum(duplicate), 0), coalesce(sum(conflict), 0),
                           coalesce(sum(quarantined), 0)
                    FROM core.batch
                    """
                ).fetchall()
            ]
        values: Counter[tuple[sender.Key, float]] = Counter()
        for code, at, value in rows:
            assert isinstance(at, datetime)
            values[(str(code), at), float(str(value))] += 1
        received, inserted, duplicate, conflict, quarantined = sums[0]
        return Stored(
            values,
            received,
            inserted,
            duplicate,
            conflict,
            quarantined,
            batches=sums[1],
            rows=len(rows),
        )

    def _watch(self) -> None:
        """Look at the total again and again, however the database is."""
        conn: psycopg.Connection[tuple[object, ...]] | None = None
        while not self._ended.wait(0.05):
            try:
                conn = conn or connect(self.url, autocommit=True, name="crash-watch")
                row = conn.execute("SELECT sum(received) FROM source_total").fetchone()
                count = int(str(row[0])) if row and row[0] is not None else 0
                self.samples.append((time.monotonic(), count))
            except (psycopg.Error, ParkwattError):
                if conn is not None:
                    conn.close()
                conn = None
        if conn is not None:
            conn.close()
