"""Replay the real steel plant as a meter would send it, or as an import file.

`replay` and `write_csv` send the same readings: the values are formatted once, by
the shortest decimal text that gives the same number.
"""

import csv
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulators import steel
from simulators.errors import DataFileError, SimulatorError
from simulators.publisher import Publisher

CSV_COLUMNS = ("park", "enterprise", "meter", "quantity", "at", "value")

# progress(readings done, readings in all)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a replay sent; every message of it was acknowledged by the broker."""

    instants: int  # with repeats
    readings: int  # values: instants x registers
    messages: int
    seconds: float


def replay(
    path: str | Path = steel.FILE,
    *,
    host: str,
    port: int,
    park: str,
    enterprise: str,
    meter: str,
    shuffle: bool = False,
    duplicates: float = 0.0,
    seed: int = 1,
    per_message: int = 50,
    zone: str = steel.ZONE,
    progress: Progress | None = None,
    username: str | None = None,
    password: str | None = None,
) -> Report:
    """Publish the plant's year over MQTT and wait for every acknowledgement.

    Parameters
    ----------
    path : str or Path
        The UCI steel file.
    host, port : str, int
        The broker.
    park, enterprise, meter : str
        Codes of the topic.
    shuffle : bool
        Send the instants in a random order instead of by time.
    duplicates : float
        Share of the instants, 0 to 1, that come a second time, somewhere later.
    seed : int
        The same seed gives the same order and the same repeats.
    per_message : int
        Instants in one message; 1 sends the single-instant form.
    zone : str
        Time zone of the file's labels.
    progress : callable, optional
        Called with readings done and readings in all after each message.
    username, password : str, optional
        Sign-in at the broker.

    Raises
    ------
    DataFileError
        If the file cannot be read.
    PublishError
        If the broker cannot be reached or does not accept a message.
    """
    if per_message < 1:
        raise SimulatorError(f"per_message must be at least 1, not {per_message}")
    registers = steel.read(path, zone=zone)
    sequence = order(
        len(registers.at), shuffle=shuffle, duplicates=duplicates, seed=seed
    )
    topic = f"parkwatt/v1/{park}/{enterprise}/{meter}/readings"
    each = len(steel.KEYS)
    total = len(sequence) * each
    messages = 0
    begin = time.monotonic()
    with Publisher(
        host,
        port,
        client_id=f"parkwatt-replay-{park}-{enterprise}-{meter}",
        username=username,
        password=password,
    ) as publisher:
        for first in range(0, len(sequence), per_message):
            chunk = sequence[first : first + per_message].tolist()
            publisher.publish(topic, payload(registers, chunk, per_message == 1))
            messages += 1
            if progress is not None:
                progress((first + len(chunk)) * each, total)
    return Report(
        instants=len(sequence),
        readings=total,
        messages=messages,
        seconds=time.monotonic() - begin,
    )


def write_csv(
    path: str | Path,
    out: str | Path,
    *,
    park: str,
    enterprise: str,
    meter: str,
    shuffle: bool = False,
    duplicates: float = 0.0,
    seed: int = 1,
    zone: str = steel.ZONE,
) -> int:
    """Write the readings that `replay` sends as a file for ``parkwatt import``.

    Returns
    -------
    int
        Rows written below the header, one per reading.

    Raises
    ------
    DataFileError
        If a file cannot be read or written.
    """
    registers = steel.read(path, zone=zone)
    sequence = order(
        len(registers.at), shuffle=shuffle, duplicates=duplicates, seed=seed
    )
    try:
        with Path(out).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(CSV_COLUMNS)
            for index in sequence.tolist():
                reading = registers.reading(index)
                writer.writerows(
                    (park, enterprise, meter, key, reading["at"], repr(reading[key]))
                    for key in steel.KEYS
                )
    except OSError as error:
        raise DataFileError(f"cannot write {out}: {error.strerror}") from error
    return len(sequence) * len(steel.KEYS)


def order(
    count: int, *, shuffle: bool, duplicates: float, seed: int
) -> NDArray[np.int64]:
    """Return the order in which `count` instants are sent, repeats included.

    Every instant comes once; ``round(duplicates * count)`` of them come again, each
    at a random place behind its first.
    """
    if not 0 <= duplicates <= 1:
        raise SimulatorError(f"duplicates must be between 0 and 1, not {duplicates}")
    rng = np.random.default_rng(seed)
    sequence = rng.permutation(count) if shuffle else np.arange(count)
    again = rng.choice(count, round(duplicates * count), replace=False)
    places = again + rng.random(again.size) * (count - again)
    # the stable sort keeps a repeat behind the first where the places are equal
    by_place = np.argsort(np.concatenate((np.arange(count), places)), kind="stable")
    return np.concatenate((sequence, sequence[again])).astype(np.int64)[by_place]


def payload(
    registers: steel.Registers, indices: Sequence[int], single: bool = False
) -> bytes:
    """Return the message of these instants: ``readings``, or one bare object."""
    readings = [registers.reading(index) for index in indices]
    body = readings[0] if single else {"readings": readings}
    return json.dumps(body, separators=(",", ":")).encode()
