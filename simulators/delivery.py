"""When messages leave, and in what state: late, shuffled, twice, cut off, never.

A delivery takes what meters showed in a stretch of time, writes it in the meter's
format, and holds each message until it is due. It keeps a ledger of all readings, so
that what a platform has stored can be compared to the last one.
"""

import heapq
import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from simulators import formats
from simulators.display import Display, instants, struck
from simulators.formats import Encode, Place, native
from simulators.formats.common import part, pieces
from simulators.load import draw
from simulators.meter import Fault, Message, Meter, Shown

IN_A_MESSAGE = 2500  # readings at most: well below the 256 KiB of docs/wire.md
AHEAD_S = 600  # a stamp further in the future is refused, says docs/wire.md
_DROPS = ("gap", "silent")
_SENT_AGAIN = ("duplicates", "replay", "retained")
# what readings have in common that share a message
_CLOCK = ("clock_1970", "clock_jump", "clock_skew")
_SPOILT = ("nan", "truncated", "wrong_tenant")
_ROUTES = frozenset(
    (*_DROPS, *_SENT_AGAIN, *_CLOCK, *_SPOILT, "late", "burst", "shuffle")
)
_NUMBER = re.compile(rb'(?<=":)-?\d[\d.eE+-]*')

Route = tuple[Fault, ...]


@dataclass(kw_only=True)
class Ledger:
    """What became of the readings, counted when their messages leave.

    A reading is a value that is not null, of a key that the meter's format can carry.
    Each is one of `stored`, `never_sent`, `corrupt`, `foreign`, `clock_not_set`,
    `ahead`, or still waits; all but the first two count copies as well.

    Attributes
    ----------
    shown : int
        Readings in all that were taken.
    stored : int
        Distinct ones that were sent well: a platform that loses and doubles nothing has
        exactly these.
    duplicates : int
        Sent once more: the same meter, key, time and value.
    never_sent : int
        Of a gap, or a meter that is silent.
    corrupt : int
        Sent in a message that is no JSON.
    foreign : int
        Sent as if of another enterprise.
    clock_not_set : int
        Stamped before 2000.
    ahead : int
        Stamped more than 10 minutes after they left; told apart in a live run only.
    nulls : int
        Not measured; not a reading.
    not_carried : int
        Of a key that the format cannot say; not a reading.
    """

    shown: int = 0
    stored: int = 0
    duplicates: int = 0
    never_sent: int = 0
    corrupt: int = 0
    foreign: int = 0
    clock_not_set: int = 0
    ahead: int = 0
    nulls: int = 0
    not_carried: int = 0


class _Leaving(NamedTuple):
    """A message that waits; `number` keeps the order of those that are due together."""

    due_s: float
    number: int
    message: Message
    fate: str  # the ledger's name for its readings


class Delivery:
    """Messages of a park in the order in which they leave.

    Parameters
    ----------
    meters : sequence of Meter
        Of the park.
    faults : iterable of Fault
        The plan, of display and delivery.
    place : Place
        The park.
    instants_in_message : int
        At most, of the formats that can hold several. 1 in real time.
    boot : str
        Of the batches; another one for each run, as their numbers begin at 0.
    live : bool
        Messages arrive when they leave, so that stamps in the future are refused.
    """

    def __init__(
        self,
        meters: Sequence[Meter],
        faults: Iterable[Fault] = (),
        *,
        place: Place,
        instants_in_message: int = 1,
        boot: str = "simulator",
        live: bool = False,
    ) -> None:
        self.ledger = Ledger()
        self.faults = list(faults)
        self._meters, self._place, self._boot = list(meters), place, boot
        self._many, self._live = instants_in_message, live
        self._encoders: dict[str, Encode] = {}
        self._seq: dict[str, int] = defaultdict(int)
        self._heap: list[_Leaving] = []
        self._number = itertools.count()
        self._lines = {each.code: _Line(each, self.faults) for each in self._meters}

    def add(self, fault: Fault) -> None:
        """Let a fault begin while the run goes on; it must not begin in the past."""
        self.faults.append(fault)
        for meter in self._meters:
            if fault.subject in (meter.code, meter.gateway):
                self._lines[meter.code] = _Line(meter, self.faults)

    def run(self, start_s: int, stop_s: int) -> Iterator[Message]:
        """Give what leaves within ``[start_s, stop_s)``: calls must follow each other.

        Readings of the same stretch are taken, by each meter's own clock.
        """
        self.take(
            self._lines[meter.code].display.show(instants(meter, start_s, stop_s))
            for meter in self._meters
        )
        yield from self.leave(stop_s)

    def rest(self) -> Iterator[Message]:
        """Give all that still waits, as if time ran on without new readings."""
        yield from self.leave(math.inf)

    @property
    def waiting(self) -> int:
        """Messages that are not yet due."""
        return len(self._heap)

    def take(self, shown: Iterable[Shown]) -> None:
        """Take what meters showed in one stretch of time, after those before it."""
        # of a gateway and enterprise what fares alike goes together
        batches: dict[tuple[str, str, Route], list[Shown]] = defaultdict(list)
        for each in shown:
            self._count(each)
            meter = each.meter
            for route, run in self._lines[meter.code].runs(each):
                if _first(route, *_DROPS):
                    self.ledger.never_sent += _readings(run)
                elif meter.format == "native" and meter.gateway:
                    batches[meter.enterprise, meter.gateway, route].append(run)
                else:
                    self._write(run, route)
        for (_, gateway, route), runs in batches.items():
            self._write_batches(gateway, runs, route)

    def leave(self, until_s: float) -> Iterator[Message]:
        """Give the messages that are due before `until_s`, in order."""
        while self._heap and self._heap[0].due_s < until_s:
            leaving = heapq.heappop(self._heap)
            count = getattr(self.ledger, leaving.fate) + leaving.message.readings
            setattr(self.ledger, leaving.fate, count)
            yield leaving.message

    def _count(self, shown: Shown) -> None:
        carried = set(formats.named(shown.meter.format).carried(shown.values))
        for key, values in shown.values.items():
            known = int(np.count_nonzero(~np.isnan(values)))
            self.ledger.nulls += values.size - known
            if key in carried:
                self.ledger.shown += known
            else:
                self.ledger.not_carried += known

    def _write(self, run: Shown, route: Route) -> None:
        name = run.meter.format
        if name not in self._encoders:
            self._encoders[name] = formats.named(name).encoder(self._place)
        keys = max(1, len(run.values))
        for piece in pieces(run, min(self._in_a_message(route), IN_A_MESSAGE // keys)):
            for message in self._encoders[name](piece):
                self._send(message, route, int(piece.stamp_us[-1]))

    def _write_batches(self, gateway: str, runs: Sequence[Shown], route: Route) -> None:
        """Fill batches, all meters going on in time together."""
        for parts in native.batches(runs, self._in_a_message(route), IN_A_MESSAGE):
            topic = f"{parts[0].meter.enterprise}/{gateway}"
            message = native.batch(
                self._place, gateway, self._boot, self._seq[topic], parts
            )
            self._seq[topic] += 1
            latest = max(int(each.stamp_us[-1]) for each in parts)
            self._send(message, route, latest)

    def _in_a_message(self, route: Route) -> int:
        return 1 if _first(route, "shuffle") else self._many

    def _send(self, message: Message, route: Route, latest_us: int) -> None:
        """Let a message wait until it is due, and its copies."""
        if not message.readings:  # births, and where all is null
            self._wait(message, "stored")
            return
        due_s, fate = message.due_s, "stored"
        if late := _first(route, "late"):
            due_s += float(late.parameters["delay_s"])
        if shuffle := _first(route, "shuffle"):
            share = draw(0, message.topic, str(due_s), shuffle.subject)
            due_s += share * float(shuffle.parameters["within_s"])
        if burst := _first(route, "burst"):
            due_s = max(due_s, float(burst.stop_s))
        if _first(route, "clock_1970"):
            fate = "clock_not_set"
        elif self._live and latest_us / 1e6 > due_s + AHEAD_S:
            fate = "ahead"
        if tenant := _first(route, "wrong_tenant"):
            message, fate = _claimed(message, tenant, self._place), "foreign"
        if cut := _first(route, "truncated"):
            size = max(1, int(len(message.payload) * float(cut.parameters["share"])))
            message, fate = replace(message, payload=message.payload[:size]), "corrupt"
        if _first(route, "nan"):
            payload = _NUMBER.sub(b"NaN", message.payload)
            message, fate = replace(message, payload=payload), "corrupt"
        message = replace(
            message, due_s=due_s, retain=_first(route, "retained") is not None
        )
        self._wait(message, fate)
        again = _first(route, *_SENT_AGAIN)
        if again is not None:
            for copy in range(1, int(again.parameters.get("copies", 1)) + 1):
                later_s = due_s + copy * float(again.parameters["again_s"])
                self._wait(
                    replace(message, due_s=later_s),
                    "duplicates" if fate == "stored" else fate,
                )

    def _wait(self, message: Message, fate: str) -> None:
        number = next(self._number)
        heapq.heappush(self._heap, _Leaving(message.due_s, number, message, fate))


class _Line:
    """A meter's display and what its readings meet on their way."""

    def __init__(self, meter: Meter, faults: Iterable[Fault]) -> None:
        mine = [each for each in faults if each.subject in (meter.code, meter.gateway)]
        self._meter = meter
        self.display = Display(meter, mine)
        self._faults = [each for each in mine if each.kind in _ROUTES]

    def runs(self, shown: Shown) -> Iterator[tuple[Route, Shown]]:
        """Cut a stretch where another fault begins or ends to work."""
        at = shown.at_s
        if not at.size:
            return
        inside = [
            each
            for each in self._faults
            if each.start_s <= at[-1] and each.stop_s + self._meter.cadence_s >= at[0]
        ]
        if not inside:
            yield (), shown
            return
        hit = np.array([struck(self._meter, each, at) for each in inside])
        edges = np.flatnonzero((hit[:, 1:] != hit[:, :-1]).any(axis=0)) + 1
        for low, high in itertools.pairwise([0, *edges.tolist(), at.size]):
            route = tuple(
                each for each, met in zip(inside, hit[:, low], strict=True) if met
            )
            yield route, part(shown, low, high)


def _first(route: Route, *kinds: str) -> Fault | None:
    return next((each for each in route if each.kind in kinds), None)


def _readings(shown: Shown) -> int:
    carried = formats.named(shown.meter.format).carried(shown.values)
    return sum(int(np.count_nonzero(~np.isnan(shown.values[key]))) for key in carried)


def _claimed(message: Message, fault: Fault, place: Place) -> Message:
    """Let a message say that it is of another enterprise."""
    other = str(fault.parameters["enterprise"])
    if fault.parameters["where"] == "payload":
        claim = b'{"enterprise":"' + other.encode() + b'","at":'
        return replace(message, payload=message.payload.replace(b'{"at":', claim))
    prefix = f"parkwatt/v1/{place.park}/"
    _, rest = message.topic.removeprefix(prefix).split("/", 1)
    return replace(message, topic=f"{prefix}{other}/{rest}")
