"""Run a simulated park over MQTT: in real time, accelerated, or back-filled.

Without faults the readings go as batches through a gateway, which keeps them on disk
until they are stored. With faults they go as a delivery has them, copies and spoilt
messages included, by plain publishing: a gateway would mend what is meant to be wrong.
"""

import itertools
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Protocol
from zoneinfo import ZoneInfo

from simulators import faults as planning
from simulators.control import Command, Control
from simulators.delivery import IN_A_MESSAGE, Delivery, Ledger
from simulators.display import Display, instants
from simulators.errors import SimulatorError
from simulators.formats import Place, native
from simulators.gateway import Gateway
from simulators.load import count_up, seconds
from simulators.meter import Fault, Message, Meter, Shown, at_cadence
from simulators.publisher import Publisher
from simulators.unfinished import Unfinished
from simulators.view import State, View
from simulators.world import World

# progress(simulated seconds done, seconds in all, readings so far)
Progress = Callable[[int, int, int], None]

_AHEAD = 400  # batches that a back-fill may be ahead of the store
_STRETCH_S = 21_600  # of a back-fill at a time, at least
_IN_BACKFILL = 60  # instants of a meter in one message
_TRIP_S = 3600  # a trip lasts so long if nothing is said


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
    spool where the run was stopped. There is no ledger where the spool held batches of
    another run.

    Attributes
    ----------
    start, stop : datetime
        Of the whole run, of which an earlier process may have sent a part.
    readings, messages : int
        That this process sent.
    waiting : int, optional
        Batches in the spool; None: there is no spool.
    unfinished : bool
        The same run, asked for again, goes on where this one was stopped.
    """

    start: datetime
    stop: datetime
    readings: int
    messages: int
    seconds: float
    faults: tuple[Fault, ...] = ()
    ledger: Ledger | None = None
    waiting: int | None = None
    unfinished: bool = False


class Door(Protocol):
    """How readings leave."""

    @property
    def accepted(self) -> int:
        """Messages that are acknowledged."""

    @property
    def waiting(self) -> int:
        """Messages and batches that are not."""

    def send(self, start_s: int, stop_s: int) -> tuple[int, int]:
        """Send what is due in a stretch of time; give messages and readings."""

    def settle(self, most: int) -> None:
        """Wait until at most so many are not yet acknowledged."""

    @property
    def faults(self) -> Sequence[Fault]:
        """What goes wrong."""

    @property
    def ledger(self) -> Ledger | None:
        """What became of the readings, where it is told."""

    def rest(self) -> tuple[int, int]:
        """Send what would leave later; give messages and readings."""

    def add(self, fault: Fault) -> None:
        """Let a fault begin."""

    def go_on(self, *run: object) -> tuple[int, Path] | None:
        """Remember a run, and give where it was stopped and the file that says so."""

    def finish(self) -> bool:
        """Forget the run if all of it is stored; tell whether it is."""

    @property
    def spooled(self) -> int | None:
        """Batches in the spool; None: there is none."""


def backfill(
    world: World,
    broker: Broker,
    *,
    start: datetime,
    until: datetime,
    cadence_s: int | None = None,
    faults: Sequence[Fault] = (),
    stop: Event | None = None,
    progress: Progress | None = None,
    go_on: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Send the park's history of ``[start, until)`` as fast as it is acknowledged.

    Parameters
    ----------
    world : World
        Whose meters.
    broker : Broker
        Where to.
    start, until : datetime
        With zone.
    cadence_s : int, optional
        Between readings of each meter; by default as the scenario says.
    faults : sequence of Fault
        What goes wrong.
    stop : Event, optional
        Ends the run when set.
    progress : callable, optional
        Called after each stretch of the way.
    go_on : bool
        With a spool: begin where the same run was stopped before, if it was.
    tell : callable, optional
        Takes a line that says so.

    Raises
    ------
    SimulatorError
        If a time or number makes no sense.
    PublishError
        If the broker cannot be reached or does not accept a message.
    """
    stop = stop or Event()
    first, last = seconds(start), seconds(until)
    if last <= first:
        raise SimulatorError("a back-fill must end after it begins")
    messages = readings = 0
    reached = first
    begin = time.monotonic()
    meters = at_cadence(world.meters, cadence_s)
    stretch_s = _stretch_s(meters, faults)
    count_up_of(meters, first)
    with _door(world, meters, broker, faults, stop, many=_IN_BACKFILL) as door:
        before = door.go_on(world.scenario.hash, first, cadence_s) if go_on else None
        if before is not None:
            reached, path = before
            count_up_of(meters, reached)
            if tell is not None:
                at = datetime.fromtimestamp(reached, world.zone)
                tell(
                    f"goes on at {at:%Y-%m-%d %H:%M}, where it was stopped; to begin "
                    f"anew remove {path}"
                )
        for low in range(reached, last, stretch_s):
            if stop.is_set():
                break
            reached = min(low + stretch_s, last)
            sent = door.send(low, reached)
            messages, readings = messages + sent[0], readings + sent[1]
            door.settle(_AHEAD)
            if progress is not None:
                progress(reached - first, last - first, readings)
        else:
            sent = door.rest()
            messages, readings = messages + sent[0], readings + sent[1]
        door.settle(0)
        finished = reached >= last and door.finish()
        waiting = door.spooled
    return Report(
        waiting=waiting,
        unfinished=go_on and waiting is not None and not finished,
        start=start,
        stop=datetime.fromtimestamp(reached, world.zone),
        readings=readings,
        messages=messages,
        seconds=time.monotonic() - begin,
        faults=tuple(door.faults),
        ledger=door.ledger,
    )


def run(
    world: World,
    broker: Broker,
    *,
    interval_s: float = 5.0,
    cadence_s: int | None = None,
    start: datetime | None = None,
    speed: float = 1.0,
    ticks: int | None = None,
    faults: Sequence[Fault] = (),
    control: Control | None = None,
    view: View | None = None,
    stop: Event | None = None,
) -> Report:
    """Let the park go on, a tick each `interval_s`, until stopped.

    Parameters
    ----------
    world : World
        Whose meters.
    broker : Broker
        Where to.
    interval_s : float
        Seconds between ticks; in a tick all readings leave that have become due.
    cadence_s : int, optional
        Between readings of each meter; by default as the scenario says.
    start : datetime, optional
        Simulated time of the beginning; without it, now.
    speed : float
        Simulated seconds per second, from `start`. The run ends where the simulated
        time reaches the present.
    ticks : int, optional
        End after so many.
    faults : sequence of Fault
        What goes wrong.
    control : Control, optional
        Takes commands between two ticks.
    view : View, optional
        Shows how the run goes, after each tick.
    stop : Event, optional
        Ends the run when set.

    Raises
    ------
    SimulatorError
        If a time or number makes no sense.
    PublishError
        If the broker cannot be reached or does not accept a message. With a spool the
        run goes on, until the spool is full.
    """
    if not (0 < interval_s < math.inf and 0 < speed < math.inf):
        raise SimulatorError("interval and speed must be numbers above 0")
    if start is None and speed != 1:
        raise SimulatorError("an accelerated run needs a start")
    stop = stop or Event()
    live = start is None
    began = start or datetime.now(UTC)
    if seconds(began) > time.time():
        raise SimulatorError(
            f"a run cannot begin in the future, at {began:%Y-%m-%d %H:%M:%S}: it ends "
            "where it reaches the present"
        )
    first = reached = seconds(began)
    messages = readings = 0
    begin = due = time.monotonic()
    meters = at_cadence(world.meters, cadence_s)
    count_up_of(meters, first)
    plain = bool(faults) or control is not None
    trips: dict[tuple[str, str], int] = {}
    with _door(
        world, meters, broker, faults, stop, many=1, live=live, plain=plain
    ) as door:
        for tick in itertools.count(1):
            now_s = int(time.time())
            wanted = now_s + 1 if live else first + round(tick * interval_s * speed)
            until = min(wanted, now_s + 1)
            if control is not None:
                control.handle(partial(_obey, world, door, trips, until))
            if until > reached:
                sent = door.send(reached, until)
                messages, readings = messages + sent[0], readings + sent[1]
                reached = until
            if view is not None:
                told = _state(world, door, trips, reached)
                view(
                    replace(
                        told,
                        speed=speed,
                        readings=readings,
                        readings_per_s=readings / (time.monotonic() - begin),
                        messages=messages,
                        answers=tuple(control.answers) if control else (),
                    )
                )
            # a tick that is late moves all later ones, they do not pile up
            due = max(due + interval_s, time.monotonic())
            at_present = wanted > until
            if at_present or tick == ticks or stop.wait(due - time.monotonic()):
                break
        door.settle(0)
        waiting = door.spooled
    return Report(
        waiting=waiting,
        start=began,
        stop=datetime.fromtimestamp(reached, world.zone),
        readings=readings,
        messages=messages,
        seconds=time.monotonic() - begin,
        faults=tuple(door.faults),
        ledger=door.ledger,
    )


def planned(
    world: World,
    start: datetime,
    until: datetime,
    wanted: object = None,
    cadence_s: int | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[Fault]:
    """Plan the faults that a scenario wants of a run.

    Parameters
    ----------
    wanted : str or mapping, optional
        Instead of what the scenario says.
    tell : callable, optional
        Takes a line for each fault that is named outside the run.
    """
    asked = world.scenario.faults if wanted is None else wanted
    if not asked:
        return []
    mapping = {asked: 1} if isinstance(asked, str) else asked
    if not isinstance(mapping, dict):
        raise SimulatorError("faults: name mixed, or kinds with their numbers")
    meters = at_cadence(world.meters, cadence_s)
    return planning.plan(
        mapping, meters, seconds(start), seconds(until), world.scenario.seed, tell
    )


def _stretch_s(meters: Iterable[Meter], faults: Sequence[Fault]) -> int:
    """Return how much a back-fill does at a time: so much that its messages are full.

    What a stretch costs, and a message, hardly depends on how much is in it. Where
    something goes wrong the messages stay short: a spoilt one takes fewer with it.
    """
    if faults:
        return _STRETCH_S
    shortest_s = min((each.cadence_s for each in meters), default=0)
    return max(_STRETCH_S, _IN_BACKFILL * shortest_s)


def count_up_of(meters: Iterable[Meter], at_s: int) -> None:
    """Count all registers up to where a run begins."""
    channels = (channel for each in meters for channel in each.channels)
    count_up((each.flow for each in channels if each.kind == "register"), at_s)


@contextmanager
def _door(
    world: World,
    meters: Sequence[Meter],
    broker: Broker,
    faults: Sequence[Fault],
    stop: Event,
    *,
    many: int,
    live: bool = False,
    plain: bool = False,
) -> Iterator[Door]:
    place = Place(world.code, ZoneInfo(world.scenario.zone))
    all_native = all(each.format == "native" for each in meters)
    if broker.spool is not None and all_native and not faults and not plain:
        with Gateway(
            broker.host,
            broker.port,
            park=world.code,
            spool=broker.spool,
            username=broker.username,
            password=broker.password,
        ) as gateway:
            yield _Spooled(gateway, broker.spool, meters, place, many, stop)
        return
    with Publisher(
        broker.host,
        broker.port,
        client_id=f"parkwatt-simulate-{world.code}",
        username=broker.username,
        password=broker.password,
    ) as publisher:
        boot = f"run-{time.time_ns()}"
        delivery = Delivery(
            meters,
            faults,
            place=place,
            instants_in_message=many,
            boot=boot,
            live=live,
        )
        yield _Plain(publisher, delivery)


class _Spooled:
    """Batches of each enterprise, on disk until they are stored."""

    def __init__(
        self,
        gateway: Gateway,
        spool: Path,
        meters: Sequence[Meter],
        place: Place,
        many: int,
        stop: Event,
    ) -> None:
        self._gateway, self._place, self._stop = gateway, place, stop
        self._spool, self._many = spool, many
        self._run: Unfinished | None = None
        self._displays: dict[str, list[Display]] = defaultdict(list)
        for meter in meters:
            self._displays[meter.enterprise].append(Display(meter))
        self._ledger = None if gateway.unconfirmed else Ledger()

    @property
    def accepted(self) -> int:
        return self._gateway.confirmed

    @property
    def waiting(self) -> int:
        return self._gateway.unconfirmed

    def send(self, start_s: int, stop_s: int) -> tuple[int, int]:
        messages = readings = 0
        for enterprise, displays in self._displays.items():
            shown = [
                each.show(instants(each.meter, start_s, stop_s)) for each in displays
            ]
            for parts in native.batches(shown, self._many, IN_A_MESSAGE):
                readings += self._keep(enterprise, parts)
                messages += 1
        if self._ledger is not None:
            self._ledger.shown += readings
            self._ledger.stored += readings
        if self._run is not None:
            self._run.write(stop_s, self._ledger)
        return messages, readings

    def _keep(self, enterprise: str, parts: list[Shown]) -> int:
        readings = 0

        def build(boot: str, seq: int) -> bytes:
            nonlocal readings
            message = native.batch(self._place, "GW1", boot, seq, parts)
            readings = message.readings
            return message.payload

        self._gateway.keep(enterprise, build)
        return readings

    def settle(self, most: int) -> None:
        self._gateway.drain(most, stop=self._stop)

    @property
    def faults(self) -> Sequence[Fault]:
        return ()

    @property
    def ledger(self) -> Ledger | None:
        return self._ledger

    def rest(self) -> tuple[int, int]:
        return 0, 0

    def add(self, fault: Fault) -> None:
        raise SimulatorError("a gateway with a spool mends faults")

    def go_on(self, *run: object) -> tuple[int, Path] | None:
        self._run = Unfinished(self._spool, self._gateway.boot, *run)
        before = self._run.read()
        if before is None:
            return None
        reached_s, self._ledger = before
        return reached_s, self._run.path

    def finish(self) -> bool:
        if self.waiting:
            return False
        if self._run is not None:
            self._run.forget()
        return True

    @property
    def spooled(self) -> int | None:
        return self.waiting


class _Plain:
    """Messages as a delivery has them."""

    def __init__(self, publisher: Publisher, delivery: Delivery) -> None:
        self._publisher, self._delivery = publisher, delivery

    @property
    def accepted(self) -> int:
        return self._publisher.accepted

    @property
    def waiting(self) -> int:
        return self._publisher.in_flight + self._delivery.waiting

    @property
    def ledger(self) -> Ledger:
        return self._delivery.ledger

    @property
    def faults(self) -> Sequence[Fault]:
        return self._delivery.faults

    def send(self, start_s: int, stop_s: int) -> tuple[int, int]:
        return self._publish(self._delivery.run(start_s, stop_s))

    def rest(self) -> tuple[int, int]:
        return self._publish(self._delivery.rest())

    def settle(self, most: int) -> None:
        if not most:
            self._publisher.drain()

    def add(self, fault: Fault) -> None:
        self._delivery.add(fault)

    def go_on(self, *run: object) -> tuple[int, Path] | None:
        return None

    def finish(self) -> bool:
        return True

    @property
    def spooled(self) -> int | None:
        return None

    def _publish(self, leaving: Iterable[Message]) -> tuple[int, int]:
        messages = readings = 0
        for each in leaving:
            self._publisher.publish(each.topic, each.payload, retain=each.retain)
            messages, readings = messages + 1, readings + each.readings
        return messages, readings


def _state(
    world: World, door: Door, trips: Mapping[tuple[str, str], int], at_s: int
) -> State:
    """Tell how the park and its door stand."""
    power = {each.code: world.power_w(each.code, at_s) for each in world.enterprises}
    highest = sorted(power.items(), key=lambda each: -each[1])
    return State(
        park=world.code,
        at=datetime.fromtimestamp(at_s, world.zone),
        speed=1.0,
        acknowledged=door.accepted,
        waiting=door.waiting,
        faults=tuple(
            (each.kind, each.subject, datetime.fromtimestamp(each.stop_s, world.zone))
            for each in door.faults
            if each.start_s <= at_s < each.stop_s
        ),
        tripped=tuple(
            (*which, datetime.fromtimestamp(until_s, world.zone))
            for which, until_s in trips.items()
            if at_s < until_s
        ),
        power_kw=world.power_w(world.code, at_s) / 1000,
        contract_kw=world.scenario.contract_demand_kw,
        enterprises=tuple((code, power_w / 1000) for code, power_w in highest),
    )


def _named(world: World, subject: str) -> str:
    """Give the code of a subject, of ``gateway-3`` that of the third gateway by code."""
    number = subject.removeprefix("gateway-")
    if number == subject or not number.isdecimal():
        return subject
    codes = sorted({each.gateway for each in world.meters if each.gateway is not None})
    if not 0 < int(number) <= len(codes):
        raise SimulatorError(f"there are {len(codes)} gateways, and no number {number}")
    return codes[int(number) - 1]


def _obey(
    world: World,
    door: Door,
    trips: dict[tuple[str, str], int],
    now_s: int,
    command: Command,
) -> str:
    if command.word == "status":
        return f"{door.accepted} messages acknowledged, {door.waiting} waiting"
    if command.word == "trip":
        until_s = now_s + (command.lasts_s or _TRIP_S)
        which = str(command.subject), str(command.part)
        answer = world.trip(*which, now_s, until_s)
        trips[which] = max(until_s, trips.get(which, 0))
        return answer
    command = replace(command, subject=_named(world, str(command.subject)))
    fault = planning.command(command.line, world.meters, now_s)
    if fault is None:
        raise SimulatorError(f"{command.line!r} is no fault that can begin now")
    door.add(fault)
    until = datetime.fromtimestamp(fault.stop_s, world.zone)
    ends = f" until {until:%m-%d %H:%M}" if fault.stop_s > fault.start_s else ""
    return f"{fault.kind} of {fault.subject}{ends}"
