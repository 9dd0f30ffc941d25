"""Run the simulated park over MQTT: in real time, accelerated, or back-filled."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import numpy as np

from simulators.errors import SimulatorError
from simulators.gateway import Gateway
from simulators.load import Integers, seconds
from simulators.park import Park, Reading, chunks
from simulators.publisher import Publisher

# progress(readings so far, readings in all; 0 where the run has no end)
Progress = Callable[[int, int], None]

# sends these instants of every meter and returns the number of messages
_Send = Callable[[Integers], int]
_AHEAD = 400  # batches that a back-fill may be ahead of the store


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where to publish, and how."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    # batches, kept in this file until they are stored; None: plain messages
    spool: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run sent.

    Plain messages were acknowledged by the broker. Batches are stored, or wait in the
    spool where the run was stopped.
    """

    readings: int
    messages: int
    seconds: float


def run(
    park: Park,
    broker: Broker,
    *,
    interval_s: float = 5.0,
    start: datetime | None = None,
    speed: float = 1.0,
    ticks: int | None = None,
    stop: Event | None = None,
    progress: Progress | None = None,
) -> Report:
    """Send a snapshot of the park every `interval_s`, until stopped.

    Parameters
    ----------
    park : Park
        Whose meters.
    broker : Broker
        Where to.
    interval_s : float
        Seconds between snapshots.
    start : datetime, optional
        Simulated time of the first snapshot; without it every snapshot is stamped
        with the present.
    speed : float
        Simulated seconds per second, from `start`. The run ends where the simulated
        time reaches the present.
    ticks : int, optional
        End after so many snapshots.
    stop : Event, optional
        Ends the run when set.
    progress : callable, optional
        Called after each snapshot.

    Raises
    ------
    SimulatorError
        If a time or number makes no sense.
    PublishError
        If the broker cannot be reached or does not accept a message. With a spool the
        run goes on, until the spool is full.
    """
    if interval_s <= 0 or speed <= 0:
        raise SimulatorError("interval and speed must be above 0")
    if start is None and speed != 1:
        raise SimulatorError("an accelerated run needs a start")
    stop = stop or Event()
    each = _keys(park)
    total = (ticks or 0) * each
    tick = messages = 0
    begin = due = time.monotonic()
    with _connection(park, broker, stop) as (send, settle):
        while tick != ticks:
            at = now = datetime.now(UTC)
            if start is not None:
                at = start + timedelta(seconds=tick * interval_s * speed)
            if at > now:
                break
            messages += send(np.array([seconds(at)], dtype=np.int64))
            tick += 1
            if progress is not None:
                progress(tick * each, total)
            # a snapshot that is late moves all later ones, they do not pile up
            due = max(due + interval_s, time.monotonic())
            if tick == ticks or stop.wait(due - time.monotonic()):
                break
        settle(0)
    return Report(
        readings=tick * each, messages=messages, seconds=time.monotonic() - begin
    )


def backfill(
    park: Park,
    broker: Broker,
    *,
    start: datetime,
    until: datetime,
    step_s: int = 300,
    per_message: int = 60,
    stop: Event | None = None,
    progress: Progress | None = None,
) -> Report:
    """Send the park's history of ``[start, until)`` as fast as it is acknowledged.

    Parameters
    ----------
    park : Park
        Whose meters.
    broker : Broker
        Where to.
    start, until : datetime
        With zone.
    step_s : int
        Seconds between instants.
    per_message : int
        Instants of a meter in one message.
    stop : Event, optional
        Ends the run when set.
    progress : callable, optional
        Called with readings done and readings in all after each step of the way.

    Raises
    ------
    SimulatorError
        If a time or number makes no sense.
    PublishError
        If the broker cannot be reached or does not accept a message.
    """
    stop = stop or Event()
    each = _keys(park)
    # every round goes through all meters, so the park fills evenly
    rounds = list(chunks(start, until, step_s, per_message))
    total = each * sum(instants.size for instants in rounds)
    done = messages = 0
    begin = time.monotonic()
    with _connection(park, broker, stop) as (send, settle):
        for instants in rounds:
            if stop.is_set():
                break
            messages += send(instants)
            settle(_AHEAD)
            done += each * instants.size
            if progress is not None:
                progress(done, total)
        settle(0)
    return Report(readings=done, messages=messages, seconds=time.monotonic() - begin)


def _keys(park: Park) -> int:
    return sum(len(meter.keys) for meter in park.meters)


@contextmanager
def _connection(
    park: Park, broker: Broker, stop: Event
) -> Iterator[tuple[_Send, Callable[[int], None]]]:
    """Give how to send, and how to wait until few enough are not yet stored."""
    if broker.spool is not None:
        with Gateway(
            broker.host,
            broker.port,
            park=park.code,
            spool=broker.spool,
            username=broker.username,
            password=broker.password,
        ) as gateway:
            yield (
                lambda instants: _batches(park, gateway, instants),
                lambda most: gateway.drain(most, stop=stop),
            )
    else:
        with Publisher(
            broker.host,
            broker.port,
            client_id=f"parkwatt-simulate-{park.code}",
            username=broker.username,
            password=broker.password,
        ) as publisher:
            yield lambda instants: _messages(park, publisher, instants), lambda _: None


def _messages(park: Park, publisher: Publisher, instants: Integers) -> int:
    for meter in park.meters:
        message = park.message(meter, instants)
        publisher.publish(message.topic, message.payload)
    return len(park.meters)


def _batches(park: Park, gateway: Gateway, instants: Integers) -> int:
    meters: dict[str, dict[str, list[Reading]]] = defaultdict(dict)
    for meter in park.meters:
        meters[meter.enterprise][meter.code] = park.readings(meter, instants)
    for enterprise, readings in meters.items():
        gateway.send(enterprise, readings)
    return len(meters)
