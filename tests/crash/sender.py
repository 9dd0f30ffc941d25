"""A gateway process that is killed and started again, and the readings it sends.

Every reading follows from its number and the seed, so what must be stored is known
without asking anybody. A process that was killed goes on with the batch after the last
one that its spool has.
"""

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.gateway import Gateway, Reading

PARK, ENTERPRISE = "crash", "E01"
METERS = 20  # one reading of each is a batch
START = datetime(2026, 1, 1, tzinfo=UTC)
Key = tuple[str, datetime]


def reading(meter: int, number: int, seed: int) -> tuple[Key, float]:
    """The register of a meter at an instant."""
    at = START + timedelta(minutes=number)
    return (f"M{meter}", at), 1000.0 * meter + number * 0.25 + seed


def truth(batches: int, seed: int) -> dict[Key, float]:
    """All readings of a run."""
    return dict(
        reading(meter, number, seed)
        for number in range(batches)
        for meter in range(METERS)
    )


def wire(key: Key, value: float) -> Reading:
    return {"at": key[1].isoformat(), "energy_import_kwh": value}


def batch(number: int, seed: int) -> dict[str, list[Reading]]:
    """One instant of every meter."""
    made = (reading(meter, number, seed) for meter in range(METERS))
    return {key[0]: [wire(key, value)] for key, value in made}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--spool", type=Path, required=True)
    parser.add_argument("--batches", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="batches/s")
    parser.add_argument("--resend", type=float, required=True, help="first pause [s]")
    parser.add_argument("--seed", type=int, required=True)
    known = parser.parse_args()
    with Gateway(
        "127.0.0.1",
        known.port,
        park=PARK,
        spool=known.spool,
        resend_s=known.resend,
    ) as gateway:
        due = time.monotonic()
        for number in range(gateway.last_seq(ENTERPRISE), known.batches):
            gateway.send(ENTERPRISE, batch(number, known.seed))
            due = max(due + 1 / known.rate, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))
        gateway.drain(timeout_s=90)
        print(json.dumps({"resent": gateway.resent, "refused": gateway.refused}))


if __name__ == "__main__":
    main()
