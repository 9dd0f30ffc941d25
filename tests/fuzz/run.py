"""Fuzz the native and the Sparkplug parser: `make fuzz`, not part of `make test`.

Atheris (libFuzzer) mutates the captured samples towards new branches of the parsers.
A parser may raise nothing but Refused, gives finite values of codes and keys that can be
stored, and takes at most 50 ms for a message. Afterwards the corpus is read again, over
and over, in a fresh process: its memory must stay flat.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
ARRIVED_US = 1_795_500_000_000_000
SLOWEST_S = 0.05
GROWTH_MB = 8.0
ROUNDS_S = 15.0


def targets() -> dict[str, Callable[[bytes], None]]:
    """Give each target; the imports are here so that they can be instrumented."""
    from ingest.explaining import Remembered
    from ingest.formats import native, sparkplug
    from ingest.reading import Heard, Parsed, Place, Refused
    from store.quantities import KEYS
    from store.registry import is_code

    place = Place("P01", "E01", ZoneInfo("Asia/Shanghai"))

    def check(parsed: Parsed) -> None:
        for each in parsed.readings:
            assert -1e15 < each.value < 1e15
            assert is_code(each.meter)
            assert each.key in KEYS

    def read_native(data: bytes) -> None:
        form = "batch" if data[:1] == b"b" else "readings"
        try:
            check(native.parse(f"parkwatt/v1/P01/E01/M1/{form}", data[1:], ARRIVED_US))
        except Refused:
            return

    def read_sparkplug(data: bytes) -> None:
        # a birth certificate, then data that need it
        cut = 2 + int.from_bytes(data[:2], "big")
        known = Remembered()
        for kind, payload in (("DBIRTH", data[2:cut]), ("DDATA", data[cut:])):
            heard = Heard(f"spBv1.0/g/{kind}/n/d", payload, ARRIVED_US)
            try:
                check(sparkplug.parse(heard, place, known))
            except Refused:
                continue
        # what was learned goes to the database as JSON
        assert "\\u0000" not in json.dumps(dict(known), allow_nan=False)

    return {"native": read_native, "sparkplug": read_sparkplug}


def seeds(target: str) -> Iterator[bytes]:
    if target == "native":
        for file in sorted((DATA / "wire").glob("*.json")):
            raw = file.read_bytes()
            yield (b"b" if b'"meters"' in raw else b"r") + raw
        return
    samples = yaml.safe_load((DATA / "formats" / "sparkplug.yaml").read_text("utf-8"))
    births = [b""]
    for each in samples:
        raw = bytes.fromhex(each["hex"])
        if "BIRTH" in each["topic"]:
            births.append(raw)
        yield len(births[-1]).to_bytes(2, "big") + births[-1] + raw


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def seconds_for(read: Callable[[bytes], None], data: bytes) -> float:
    start = time.thread_time()  # other processes on the machine do not count
    read(data)
    return time.thread_time() - start


def fuzz(target: str, corpus: str, seconds: int) -> None:
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["ingest", "store"]):
        read = targets()[target]
    worst = 0.0

    def once(data: bytes) -> None:
        nonlocal worst
        taken = seconds_for(read, data)
        if taken > worst:
            # a collection of garbage falls on any message; one that is slow stays slow
            taken = min(taken, *(seconds_for(read, data) for _ in range(3)))
        if taken > worst:
            worst = taken
            print(f"slowest so far {worst * 1e3:.2f} ms", file=sys.stderr, flush=True)
        assert taken < SLOWEST_S, f"{taken * 1e3:.1f} ms for {len(data)} bytes"

    limits = [f"-max_total_time={seconds}", "-max_len=16384", "-rss_limit_mb=1024"]
    limits += ["-timeout=5", "-print_final_stats=1", f"-artifact_prefix={corpus}/"]
    atheris.Setup([sys.argv[0], *limits, corpus], once)
    atheris.Fuzz()


def replay(target: str, corpus: str) -> None:
    """Read the corpus for a while, as JSON: rounds and memory at its begin and end."""
    read = targets()[target]
    inputs = [file.read_bytes() for file in sorted(Path(corpus).iterdir())]
    worst = 0.0
    for data in inputs * 3:  # caches fill
        worst = max(worst, seconds_for(read, data))
    before, rounds, end = rss_mb(), 0, time.monotonic() + ROUNDS_S
    while time.monotonic() < end:
        for data in inputs:
            read(data)
        rounds += 1
    found = {
        "inputs": len(inputs),
        "rounds": rounds,
        "slowest_ms": round(worst * 1e3, 3),
        "rss_before_mb": round(before, 1),
        "rss_after_mb": round(rss_mb(), 1),
    }
    print(json.dumps(found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--target", choices=["native", "sparkplug"])
    parser.add_argument("--step", choices=["fuzz", "replay"])
    parser.add_argument("--corpus")
    given = parser.parse_args()
    if given.step == "fuzz":
        fuzz(given.target, given.corpus, given.seconds)
        return 0
    if given.step == "replay":
        replay(given.target, given.corpus)
        return 0
    failed = False
    for target in [given.target] if given.target else ["native", "sparkplug"]:
        with tempfile.TemporaryDirectory(prefix="parkwatt-fuzz-") as corpus:
            failed |= not run(target, corpus, given.seconds)
    return int(failed)


def run(target: str, corpus: str, seconds: int) -> bool:
    """Fuzz one target, print one JSON line; give whether it held."""
    for number, raw in enumerate(seeds(target)):
        (Path(corpus) / f"seed-{number}").write_bytes(raw)
    this = [sys.executable, __file__, "--target", target, "--corpus", corpus]
    done = subprocess.run(
        [*this, "--step", "fuzz", "--seconds", str(seconds)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    log = done.stderr.splitlines()
    slowest = [line for line in log if line.startswith("slowest so far")]
    tried = [line for line in log if "number_of_executed_units" in line]
    found: dict[str, Any] = {
        "target": target,
        "seconds": seconds,
        "messages": int(tried[-1].split()[-1]) if tried else None,
        "slowest_instrumented_ms": float(slowest[-1].split()[3]) if slowest else None,
        "crash": done.returncode != 0,
    }
    if done.returncode:
        print(json.dumps(found))
        kept = [file for file in Path(corpus).iterdir() if "-" in file.name]
        for file in kept:
            if file.name.partition("-")[0] in ("crash", "timeout", "oom"):
                print(f"{file.name}: {file.read_bytes().hex()}", file=sys.stderr)
        print("\n".join(log[-40:] + done.stdout.splitlines()), file=sys.stderr)
        return False
    again = subprocess.run(
        [*this, "--step", "replay"], stdout=subprocess.PIPE, text=True, check=True
    )
    found |= json.loads(again.stdout)
    print(json.dumps(found))
    growth: float = found["rss_after_mb"] - found["rss_before_mb"]
    return growth < GROWTH_MB and bool(found["slowest_ms"] < SLOWEST_S * 1e3)


if __name__ == "__main__":
    sys.exit(main())
