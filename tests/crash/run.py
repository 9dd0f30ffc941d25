"""The crash matrix: kill each part at seeded points, compare what was sent with what is stored.

One JSON line a run, a summary at the end, exit status 1 where a bar is missed. With the
gateway protocol nothing may be lost or stored twice. A foreign meter, which knows only
PUBACK, may lose what the broker held at a crash of the broker: that is measured. The
negative controls are wrong on purpose and must show loss, or the test sees nothing.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.broker import find_or_install as find_broker
from simulators.publisher import Publisher
from store.database import connect
from store.embedded import Installation, find_or_install
from tests.crash import controls, sender
from tests.crash.rig import Database, Rig, wait

READINGS = 20_000
RATE = 250.0  # batches/s: the readings travel for 4 s
HOLD_S = 6.0  # how long the database is down, slow or full
RECOVERY_S = 10.0
# share of the journey within which a fault begins; a long one must meet readings
LATE, EARLY = 0.9, 0.4

PARTS = ("ingest", "broker", "database", "gateway")
OTHERS = ("database-down", "database-locked", "database-stopped", "database-full")
BROKER_FULL = "broker-full"
FOREIGN = ("foreign-broker", "foreign-broker-queue", "foreign-ingest")
Result = dict[str, Any]


class Skipped(Exception):
    """This machine cannot make the fault."""


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Matrix:
    """All runs on one database server and one broker program."""

    def __init__(self, home: Path, known: argparse.Namespace) -> None:
        self.installation = find_or_install(home, note)
        self.program = find_broker(home, note)
        self.known = known
        self.batches = known.readings // sender.METERS
        self.failures: list[str] = []
        self.results: list[Result] = []

    def run(self) -> None:
        wanted = self.known.fault
        points = self.known.points
        plan: list[tuple[str, int]] = []
        for point in range(points):
            # the parts in turn, so that a run that is cut short has seen all of them
            plan += [
                (part, point) for part in PARTS if wanted in ("all", "parts", part)
            ]
        for fault in (*OTHERS, BROKER_FULL, *FOREIGN):
            if wanted in ("all", "others", fault):
                times = points if wanted == fault else 1
                plan += [(fault, point) for point in range(times)]
        if plan:
            with self.database(self.installation) as database:
                for fault, point in plan:
                    self.one(database, fault, point)
        if wanted in ("all", "controls"):
            for result in controls.run(self.program, self.known.seed):
                self.report(result)

    @contextmanager
    def database(self, installation: Installation) -> Iterator[Database]:
        database = Database(installation, f"crash-{os.getpid()}")
        try:
            database.start()
            database.prepare()
            yield database
        finally:
            database.server.stop()
            database.server.destroy()

    def one(self, database: Database, fault: str, point: int) -> None:
        seed = self.known.seed * 1000 + point
        rng = random.Random(f"{fault} {seed}")
        with tempfile.TemporaryDirectory(prefix="crash-") as folder:
            begin = {"fault": fault, "seed": seed}
            try:
                if fault == "database-full":
                    result = self.database_full(Path(folder), seed, rng)
                elif fault.startswith("foreign"):
                    rig = self.rig(database, Path(folder), seed)
                    result = self.foreign(rig, fault, rng)
                elif fault == BROKER_FULL:
                    result = self.broker_full(database, Path(folder), seed, rng)
                else:
                    rig = self.rig(database, Path(folder), seed)
                    with rig.running():
                        result = self.faulty(
                            rig,
                            rng,
                            self.cause(fault),
                            LATE if fault in PARTS else EARLY,
                        )
            except Skipped as reason:
                result = {"skipped": str(reason)}
            except Exception as error:  # the other runs go on
                note(traceback.format_exc())
                result = {"missed": [f"{type(error).__name__}: {error}"]}
                for log in sorted(Path(folder).glob("**/*.log")):
                    note(f"{log.name}: {log.read_text('utf-8', 'replace')[-1500:]}")
        self.report(begin | result)

    def report(self, result: Result) -> None:
        print(json.dumps(result), flush=True)
        self.results.append(result)
        for each in result.get("missed", ()):
            self.failures.append(f"{result['fault']} seed {result['seed']}: {each}")

    def rig(self, database: Database, folder: Path, seed: int) -> Rig:
        return Rig(
            database,
            folder,
            self.program,
            seed=seed,
            batches=self.batches,
            rate=self.known.rate,
        )

    def faulty(
        self, rig: Rig, rng: random.Random, cause: Callable[[Rig], float], latest: float
    ) -> Result:
        """Let the readings travel, break something on the way, compare."""
        travel_s = self.batches / self.known.rate
        rig.wait_for(1)
        begin = time.monotonic()
        when = rng.uniform(0.0, latest * travel_s)
        time.sleep(when)
        at = rig.received()
        back = cause(rig)
        sent = rig.finish()
        result = self.compared(rig, back)
        return result | {
            "when_s": round(when, 2),
            "stored_before": at,
            "re_sent": sent["resent"],
            "seconds": round(time.monotonic() - begin, 1),
        }

    def cause(self, fault: str) -> Callable[[Rig], float]:
        """How a fault is made; it gives the time when it is over."""
        others = {
            "database-down": self.database_down,
            "database-locked": self.database_locked,
            "database-stopped": self.database_stopped,
        }
        return others.get(fault) or (lambda rig: self.killed(rig, fault))

    def killed(self, rig: Rig, part: str) -> float:
        before = rig.pid(part)
        assert before, f"{part} was not running"
        rig.kill(part)
        rig.start(part)
        after = rig.pid(part)
        assert after, f"{part} did not come back"
        assert after != before, f"{part} was not killed"
        return time.monotonic()

    def held(self, rig: Rig) -> None:
        """Make sure that the fault has held something up."""
        total = sum(count for _, count in rig.samples[-1:])
        assert total < self.batches * sender.METERS, "the fault met no readings"

    def database_down(self, rig: Rig) -> float:
        before = rig.pid("database")
        rig.database.server.stop()
        time.sleep(HOLD_S)
        self.held(rig)
        rig.database.start()
        assert rig.pid("database") != before
        return time.monotonic()

    def database_locked(self, rig: Rig) -> float:
        with connect(rig.url) as conn:
            conn.execute("LOCK TABLE core.reading IN ACCESS EXCLUSIVE MODE")
            time.sleep(HOLD_S)
            self.held(rig)
        return time.monotonic()

    def database_stopped(self, rig: Rig) -> float:
        rig.database.signal(signal.SIGSTOP)
        time.sleep(HOLD_S)
        self.held(rig)
        rig.database.signal(signal.SIGCONT)
        return time.monotonic()

    def database_full(self, folder: Path, seed: int, rng: random.Random) -> Result:
        """A database on a small disk of its own that something else fills."""
        state = self.installation.state / f"small-{os.getpid()}"
        with small_disk(state, 400) as disk:
            if self.installation.owner:
                os.chown(disk, *self.installation.owner)
            small = replace(self.installation, state=disk)
            with self.database(small) as database:
                rig = self.rig(database, folder, seed)

                def full(rig: Rig) -> float:
                    # files of the database grow by pages, its log by 16 MB
                    ballast = disk / "ballast"
                    fill(ballast)
                    try:
                        time.sleep(HOLD_S)
                        self.held(rig)
                        told = rig.log("ingest")
                        assert "No space left" in told or "is kept" in told, told
                    finally:
                        ballast.unlink()
                    # where even its log had no room the server has ended itself
                    rig.database.start()
                    return time.monotonic()

                with rig.running():
                    return self.faulty(rig, rng, full, EARLY)

    def broker_full(
        self, database: Database, folder: Path, seed: int, rng: random.Random
    ) -> Result:
        """The broker's disk is full, then it is killed and has lost its queue."""
        with small_disk(folder / "broker", 1):
            rig = self.rig(database, folder, seed)

            def full(rig: Rig) -> float:
                before = rig.pid("broker")
                ballast = rig.broker.folder / "ballast"
                fill(ballast)
                rig.kill("ingest")  # what comes now stays in the broker
                time.sleep(HOLD_S)  # longer than its timer
                rig.kill("broker")
                ballast.unlink()
                saved = rig.broker.folder / "mosquitto.db"
                size = saved.stat().st_size if saved.exists() else 0
                assert size < 100_000, f"{size} bytes fitted on the full disk"
                rig.start("broker")
                assert rig.pid("broker") != before
                rig.start("ingest")
                return time.monotonic()

            with rig.running():
                return self.faulty(rig, rng, full, EARLY)

    def foreign(self, rig: Rig, fault: str, rng: random.Random) -> Result:
        """A meter that knows only PUBACK."""
        part = "ingest" if fault == "foreign-ingest" else "broker"
        truth = sender.truth(self.batches, rig.seed)
        travel_s = self.batches / self.known.rate
        when = rng.uniform(0.3, 0.9) * travel_s
        by_meter: dict[str, list[tuple[sender.Key, float]]] = {}
        for key, value in truth.items():
            by_meter.setdefault(key[0], []).append((key, value))
        messages = []
        for meter, all_of in by_meter.items():
            for low in range(0, len(all_of), 20):
                part_of = [sender.wire(*each) for each in all_of[low : low + 20]]
                messages.append((meter, json.dumps({"readings": part_of}).encode()))
        messages.sort(key=lambda each: each[1])  # by time
        back = 0.0
        queued = fault == "foreign-broker-queue"
        with rig.running(gateway=False):
            with Publisher(
                rig.broker.host,
                rig.broker.port,
                client_id="foreign",
                tolerate=frozenset({16, 151}),
            ) as publisher:
                begin = due = time.monotonic()
                for meter, payload in messages:
                    gone = time.monotonic() - begin
                    if queued and gone > when - 1.0 and rig.pid("ingest"):
                        rig.kill("ingest")  # what comes now waits in the broker
                    if not back and gone > when:
                        back = self.killed(rig, part)
                        queued = False
                        if not rig.pid("ingest"):
                            rig.start("ingest")
                    publisher.publish(
                        f"parkwatt/v1/{sender.PARK}/{sender.ENTERPRISE}/{meter}/readings",
                        payload,
                    )
                    due += 1 / self.known.rate
                    time.sleep(max(0.0, due - time.monotonic()))
                publisher.drain()
                refused = sum(publisher.refused.values())
            # a restarted ingest, or one whose broker was, connects a second time
            wait(lambda: rig.log("ingest").count("session kept") > 1, 60, "ingest")
            rig.quiet(4.0)
            result = self.compared(rig, back, may_lose=part == "broker")
        return result | {"when_s": round(when, 2), "refused": 20 * refused}

    def compared(self, rig: Rig, back: float, *, may_lose: bool = False) -> Result:
        """Hold what is stored against what was sent."""
        truth = set(sender.truth(self.batches, rig.seed).items())
        stored = rig.stored()
        lost = len(truth - set(stored.values))
        keys = {key for key, _ in stored.values}
        twice = stored.rows - len(keys)
        strange = len(set(stored.values) - truth)
        recovery = rig.recovery(back)
        became = (
            stored.inserted + stored.duplicate + stored.conflict + stored.quarantined
        )
        missed = []
        if lost and not may_lose:
            missed.append(f"{lost} lost")
        if twice:
            missed.append(f"{twice} stored twice")
        if strange or stored.conflict or stored.quarantined:
            missed.append(
                f"{strange} strange, {stored.conflict} conflict, "
                f"{stored.quarantined} quarantined"
            )
        if stored.received != became or stored.inserted != stored.rows:
            missed.append(f"{stored.received} received, {became} accounted for")
        if stored.batches != tuple(stored[1:6]):
            missed.append("the source's total is not the sum of its batches")
        if recovery is not None and recovery > RECOVERY_S:
            missed.append(f"recovery after {recovery} s")
        return {
            "sent": len(truth),
            "stored": stored.rows,
            "lost": lost,
            "twice": twice,
            "duplicates": stored.duplicate,
            "recovery_s": recovery,
            "missed": missed,
        }

    def summary(self) -> Result:
        """The worst of each fault."""
        faults: dict[str, Result] = {}
        for each in self.results:
            seen = faults.setdefault(each["fault"], {"runs": 0})
            if "skipped" in each:
                seen["skipped"] = each["skipped"]
                continue
            seen["runs"] += 1
            for name in ("lost", "twice", "duplicates", "re_sent", "recovery_s"):
                if each.get(name) is not None:
                    seen[name] = max(seen.get(name, 0), each[name])
        return {"summary": faults, "missed": self.failures}


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a small file system; only root can."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={megabytes}m"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(command, capture_output=True).returncode
    ):
        raise Skipped("cannot mount a small file system: not root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def fill(path: Path) -> None:
    """Write a file that leaves nothing of its disk."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    groups = ("all", "parts", "others", "controls")
    faults = (*groups, *PARTS, *OTHERS, BROKER_FULL, *FOREIGN)
    parser.add_argument("--fault", choices=faults, default="all")
    parser.add_argument("--points", type=int, default=20, help="kills of each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readings", type=int, default=READINGS)
    parser.add_argument("--rate", type=float, default=RATE, help="batches/s")
    known = parser.parse_args()
    home = Path(os.environ.get("PARKWATT_HOME", ".parkwatt")).absolute()
    matrix = Matrix(home, known)
    matrix.run()
    print(json.dumps(matrix.summary()), flush=True)
    sys.exit(1 if matrix.failures else 0)


if __name__ == "__main__":
    main()
