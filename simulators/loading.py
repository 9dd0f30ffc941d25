"""A load: the park's meters through many connections, so many readings a second.

Simulated time runs as fast as the rate asks for, so every reading is another one.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from simulators.delivery import IN_A_MESSAGE
from simulators.display import Display, instants
from simulators.errors import PublishError, SimulatorError
from simulators.formats import Place, native
from simulators.load import seconds
from simulators.meter import Message, Meter
from simulators.publisher import Publisher
from simulators.simulate import Broker, count_up_of
from simulators.world import World

# progress(seconds gone, readings so far)
Progress = Callable[[float, int], None]

_MANY = 60  # instants of a meter in one batch
_MESSAGE_S = 0.1  # of a lane's rate in one message, at most
_STRETCH_S = 86_400  # of simulated time written at once


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a load has sent; all of it was acknowledged by the broker."""

    readings: int
    messages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Readings a second."""
        return self.readings / self.seconds if self.seconds else 0.0


def load(
    world: World,
    broker: Broker,
    start: datetime,
    rate: float,
    connections: int = 10,
    lasts_s: float = 60.0,
    *,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Load:
    """Send at a rate for a while.

    Parameters
    ----------
    start : datetime
        Simulated time of the first readings, with zone.
    rate : float
        Readings a second, of all connections.
    connections : int
        Each has its own meters, and its own client id.
    lasts_s : float
        [s].

    Raises
    ------
    SimulatorError
        If a number makes no sense.
    PublishError
        If the broker cannot be reached, or does not accept a message.
    """
    if not (0 < rate < math.inf and connections > 0 and 0 < lasts_s < math.inf):
        raise SimulatorError("rate, connections and seconds must be numbers above 0")
    meters = [each for each in world.meters if each.channels]
    count_up_of(meters, seconds(start))
    turn = threading.Lock()
    lanes = [
        _Lane(world, broker, meters[number::connections], number, turn)
        for number in range(min(connections, len(meters)))
    ]
    ended = stop or threading.Event()
    begin = time.monotonic()
    threads = [
        threading.Thread(
            target=lane.run, args=(seconds(start), rate / len(lanes), lasts_s, ended)
        )
        for lane in lanes
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for thread in threads:
            thread.join(0.5 / len(threads))
        if progress is not None:
            progress(time.monotonic() - begin, sum(lane.readings for lane in lanes))
    failed = next((lane.failure for lane in lanes if lane.failure), None)
    if failed is not None:
        raise failed
    return Load(
        readings=sum(lane.readings for lane in lanes),
        messages=sum(lane.messages for lane in lanes),
        seconds=time.monotonic() - begin,
    )


class _Lane:
    """One connection with its meters; a gateway of its own."""

    def __init__(
        self,
        world: World,
        broker: Broker,
        meters: Sequence[Meter],
        number: int,
        turn: threading.Lock,
    ) -> None:
        self.readings = self.messages = 0
        self.failure: SimulatorError | None = None
        self._world, self._broker = world, broker
        self._turn = turn  # flows keep what they have computed: one asks at a time
        self._displays = [Display(each) for each in meters]
        self._name = f"LOAD{number}"

    def run(
        self, start_s: int, rate: float, lasts_s: float, ended: threading.Event
    ) -> None:
        try:
            with Publisher(
                self._broker.host,
                self._broker.port,
                client_id=f"parkwatt-load-{self._world.code}-{self._name}",
                username=self._broker.username,
                password=self._broker.password,
            ) as publisher:
                self._send(publisher, start_s, rate, lasts_s, ended)
        except PublishError as error:
            self.failure = error

    def _send(
        self,
        publisher: Publisher,
        start_s: int,
        rate: float,
        lasts_s: float,
        ended: threading.Event,
    ) -> None:
        begin = time.monotonic()
        most = min(IN_A_MESSAGE, max(1, int(rate * _MESSAGE_S)))
        for message in self._written(start_s, most):
            # half of it before it is due, half after: so the rate is kept
            due_s = (self.readings + message.readings / 2) / rate
            ended.wait(min(due_s, lasts_s) - (time.monotonic() - begin))
            if ended.is_set() or time.monotonic() - begin >= lasts_s:
                return
            publisher.publish(message.topic, message.payload)
            self.messages += 1
            self.readings += message.readings

    def _written(self, start_s: int, most: int) -> Iterator[Message]:
        place = Place(self._world.code, ZoneInfo(self._world.scenario.zone))
        boot, seq = f"{self._name}-{time.time_ns()}", 0
        enterprises = {each.meter.enterprise for each in self._displays}
        while True:
            for enterprise in sorted(enterprises):
                with self._turn:
                    shown = [
                        each.show(instants(each.meter, start_s, start_s + _STRETCH_S))
                        for each in self._displays
                        if each.meter.enterprise == enterprise
                    ]
                for parts in native.batches(shown, _MANY, most):
                    yield native.batch(place, self._name, boot, seq, parts)
                    seq += 1
            start_s += _STRETCH_S
