"""A seeded plan of faults, and faults on demand.

A scenario says how many of each kind, or names them one by one; the plan is a list of
faults in true time. The same scenario, park and seed give the same list. What each kind
does stands in docs/simulator_faults.md.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from simulators import formats
from simulators.display import first_register, instants
from simulators.errors import SimulatorError
from simulators.load import EPOCH_S, draw, seconds
from simulators.meter import Fault, Meter

DISTANCE_S = 86_400  # between two faults of a meter; the month's 30th in shorter runs
MONTH_S = 30 * 86_400
LONGEST_S = 366 * 86_400  # of what is asked for while a run goes on
_LEAST_STEPS = 10  # of a register, before and after what is done to it
_TRIES = 100
_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault.

    Attributes
    ----------
    rate : float
        In the mixture, faults in a meter and month of 30 days.
    lasts_s : tuple of int, optional
        Shortest and longest; None: it happens at an instant.
    parameters : tuple of str
        Which it may have; all but these are refused.
    needs : {"", "register", "ratio", "text"}
        What its meter must have: a register that counts, a transformer ratio, a format
        of text.
    gateways : bool
        Of whole gateways, where meters have one.
    """

    rate: float
    lasts_s: tuple[int, int] | None = None
    parameters: tuple[str, ...] = ()
    needs: str = ""
    gateways: bool = False


# the longest first: they find a place where others have not yet been put
KINDS: dict[str, Kind] = {
    "silent": Kind(rate=0.02, lasts_s=(14 * _DAY, 21 * _DAY)),
    "late": Kind(rate=0.2, lasts_s=(2 * _HOUR, 12 * _HOUR), parameters=("delay_s",)),
    "replay": Kind(rate=0.1, lasts_s=(6 * _HOUR, _DAY), parameters=("again_s",)),
    "burst": Kind(rate=0.1, lasts_s=(4 * _HOUR, _DAY), gateways=True),
    "stuck": Kind(rate=0.1, lasts_s=(6 * _HOUR, _DAY), needs="register"),
    "duplicates": Kind(
        rate=0.3, lasts_s=(2 * _HOUR, 12 * _HOUR), parameters=("copies", "again_s")
    ),
    "shuffle": Kind(
        rate=0.2, lasts_s=(2 * _HOUR, 12 * _HOUR), parameters=("within_s",)
    ),
    "gap": Kind(rate=0.3, lasts_s=(2 * _HOUR, 12 * _HOUR)),
    "clock_jump": Kind(rate=0.05, lasts_s=(2 * _HOUR, 6 * _HOUR), parameters=("by_s",)),
    "clock_skew": Kind(rate=0.1, lasts_s=(2 * _HOUR, 12 * _HOUR), parameters=("by_s",)),
    "clock_1970": Kind(rate=0.05, lasts_s=(_HOUR, 6 * _HOUR)),
    "wrong_unit": Kind(
        rate=0.05,
        lasts_s=(2 * _HOUR, 6 * _HOUR),
        parameters=("factor", "channel"),
        needs="register",
    ),
    "null": Kind(
        rate=0.1, lasts_s=(_HOUR, 6 * _HOUR), parameters=("channel", "readings")
    ),
    "nan": Kind(rate=0.05, lasts_s=(_HOUR, 3 * _HOUR), needs="text"),
    "truncated": Kind(
        rate=0.1, lasts_s=(_HOUR, 3 * _HOUR), parameters=("share",), needs="text"
    ),
    "wrong_tenant": Kind(
        rate=0.05, lasts_s=(_HOUR, 3 * _HOUR), parameters=("enterprise", "where")
    ),
    "retained": Kind(rate=0.05, lasts_s=(_HOUR, 3 * _HOUR), parameters=("again_s",)),
    "rollover": Kind(rate=0.05, parameters=("channel",), needs="register"),
    "replacement": Kind(rate=0.05, parameters=("initial",), needs="register"),
    "multiplier_change": Kind(rate=0.02, parameters=("ct", "stated"), needs="ratio"),
    "reset": Kind(rate=0.1, needs="register"),
    "spike": Kind(rate=0.2, parameters=("by", "channel", "readings"), needs="register"),
    "glitch": Kind(
        rate=0.2, parameters=("by", "to", "channel", "readings"), needs="register"
    ),
}
_BETWEEN_READINGS = ("rollover", "replacement", "multiplier_change", "reset")
_UNITS_S = {"minutes": 60, "hours": _HOUR, "days": _DAY}


def plan(
    wanted: Mapping[str, object],
    meters: Sequence[Meter],
    start_s: int,
    stop_s: int,
    seed: int,
    tell: Callable[[str], None] | None = None,
) -> list[Fault]:
    """Plan the faults of a run.

    Parameters
    ----------
    wanted : mapping
        Kind to how many of it in a meter and month of 30 days, at least one; or to a
        list of entries, each with `meter` or `gateway`, `at`, `minutes`, `hours` or
        `days`, and parameters of the kind. ``mixed: 1`` stands for the rates of
        :data:`KINDS`, ``mixed: 2`` for twice as many; a kind that is named as well has
        its own.
    meters : sequence of Meter
        Of the park.
    start_s, stop_s : int
        The run [s since 1970].
    tell : callable, optional
        Takes a line for each entry that lies outside the run and is left out.

    Returns
    -------
    list of Fault
        By time. Those that are counted keep :data:`DISTANCE_S` from all others of
        their meters, in shorter runs than a month its thirtieth; where there is no such
        place left there are fewer.

    Raises
    ------
    SimulatorError
        If a kind, subject or parameter is unknown, a time is none, or a meter cannot
        have what an entry wants of it.
    """
    rates, listed = read(wanted)
    planner = _Planner(meters, start_s, stop_s, seed, tell)
    for kind in KINDS:
        for number, entry in enumerate(listed.get(kind, ())):
            planner.enter(kind, entry, number)
    # one of each finds its place before there are many of any
    for most in (1, None):
        for kind in KINDS:
            if rates.get(kind, 0) > 0 and kind not in listed:
                planner.scatter(kind, rates[kind], most)
    return sorted(
        planner.faults, key=lambda each: (each.start_s, each.subject, each.kind)
    )


def read(
    wanted: Mapping[str, object],
) -> tuple[dict[str, float], dict[str, list[Mapping[str, object]]]]:
    """Read what :func:`plan` takes: the rates of kinds, and entries one by one.

    Raises
    ------
    SimulatorError
        If a kind or parameter is unknown, or a rate is none.
    """
    rates: dict[str, float] = {}
    listed: dict[str, list[Mapping[str, object]]] = {}
    for kind, value in wanted.items():
        if kind == "mixed":
            times = _amount(kind, value)
            rates = {name: times * each.rate for name, each in KINDS.items()} | rates
        elif isinstance(value, list):
            _known(kind)
            for entry in value:
                _check_words(kind, entry)
            listed[kind] = value
        else:
            _known(kind)
            rates[kind] = _amount(kind, value)
    return rates, listed


def _check_words(kind: str, entry: object) -> None:
    if not isinstance(entry, dict):
        raise SimulatorError(
            f"fault {kind}: {entry!r} is no entry: write {{meter: E03-M1, at: …}}"
        )
    known = {"meter", "gateway", "at", *_UNITS_S, *KINDS[kind].parameters}
    if odd := entry.keys() - known:
        raise SimulatorError(f"fault {kind}: unknown {sorted(map(str, odd))[0]!r}")


def command(text: str, meters: Sequence[Meter], now_s: int) -> Fault | None:
    """Read a fault on demand: ``silence GW3``, ``glitch E07-M1``, ``late E07-M1 2 h``.

    Without a duration it lasts an hour. Nobody is told of it beforehand: a change of
    ratio is not stated.

    Returns
    -------
    Fault or None
        None: the first word is no fault; it may be a word for the world's loads.

    Raises
    ------
    SimulatorError
        If the subject is unknown or cannot have this fault, what is asked cannot begin
        while it runs, or it lasts no time or more than a year.
    """
    found = re.fullmatch(
        r"\s*(\w+)\s+([\w.-]+)(?:\s+(?:for\s+)?(\d+)\s*(min|h|d))?\s*", text
    )
    kind = {"silence": "gap"}.get(found[1], found[1]) if found else ""
    if found is None or kind not in KINDS:
        return None
    if kind == "rollover":
        raise SimulatorError(
            "a register rolls over where it stands: plan it beforehand"
        )
    unit = {"min": 60, "h": _HOUR, "d": _DAY, None: _HOUR}[found[4]]
    lasts_s = int((found[3] or "1")[:12]) * unit
    if not 0 < lasts_s <= LONGEST_S:
        raise SimulatorError(
            f"fault {kind}: it lasts at least 1 s and at most {LONGEST_S // _DAY} d"
        )
    members = _members(found[2], meters)
    for each in members:
        if lack := _lacks(kind, each) or _lacks_ratio(kind, each):
            raise SimulatorError(f"fault {kind}: meter {each.code} {lack}")
    parameters = _parameters(kind, members[0], now_s, f"command/{found[2]}/{now_s}")
    if "stated" in parameters:
        parameters["stated"] = 0.0
    return Fault(
        kind=kind,
        subject=found[2],
        start_s=now_s,
        stop_s=now_s + (lasts_s if KINDS[kind].lasts_s else 0),
        parameters=parameters,
    )


def within(
    fault: Fault, meters: Iterable[Meter], start_s: int, stop_s: int
) -> Fault | None:
    """Return what of a fault lies in the run ``[start_s, stop_s)``.

    Returns
    -------
    Fault or None
        The same, or with its times cut to the run; None: it is over before the run, or
        no reading of its meters follows in it.
    """
    lasts = fault.stop_s > fault.start_s
    if fault.stop_s <= start_s if lasts else fault.start_s < start_s:
        return None
    begin_s = max(fault.start_s, start_s)
    if not any(
        instants(each, begin_s, stop_s).size for each in meters_of(fault, meters)
    ):
        return None
    return replace(fault, start_s=begin_s, stop_s=min(fault.stop_s, stop_s))


def meters_of(fault: Fault, meters: Iterable[Meter]) -> list[Meter]:
    """Return the meters that a fault falls upon: one, or those of a gateway."""
    return [each for each in meters if fault.subject in (each.code, each.gateway)]


class _Planner:
    def __init__(
        self,
        meters: Sequence[Meter],
        start_s: int,
        stop_s: int,
        seed: int,
        tell: Callable[[str], None] | None,
    ) -> None:
        self.faults: list[Fault] = []
        self._tell = tell
        self._meters, self._seed = meters, seed
        self._start_s, self._stop_s = start_s, stop_s
        span = stop_s - start_s
        self._distance_s = min(DISTANCE_S, span * DISTANCE_S // MONTH_S)
        self._longest_s = span // 4  # silent: twice that
        self._busy: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._begun: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._placed: dict[str, int] = defaultdict(int)

    def enter(self, kind: str, entry: Mapping[str, object], number: int) -> None:
        """Take a fault that the scenario names."""
        about = dict(entry)
        subject = about.pop("meter", None) or about.pop("gateway", None)
        members = _members(str(subject), self._meters)
        for each in members:
            if lack := _lacks(kind, each):
                raise SimulatorError(f"fault {kind}: meter {each.code} {lack}")
        start_s = _second(kind, about.pop("at", None))
        name = f"{kind}/entry/{number}"
        stop_s = start_s
        if KINDS[kind].lasts_s is not None:
            stop_s += self._lasts(kind, name)
        units = about.keys() & _UNITS_S.keys()
        if units:
            stop_s = start_s + round(
                sum(_amount(each, about.pop(each)) * _UNITS_S[each] for each in units)
            )
        given = {
            key: value if isinstance(value, str) else _number(key, value)
            for key, value in about.items()
        }
        drawn = _parameters(kind, members[0], self._seed, name)
        if given.keys() & {"by", "to"}:
            drawn = {key: drawn[key] for key in drawn.keys() - {"by", "to"}}
        fault = Fault(
            kind=kind,
            subject=str(subject),
            start_s=start_s,
            stop_s=stop_s,
            parameters=drawn | given,
        )
        if within(fault, members, self._start_s, self._stop_s) is not None:
            self._take(fault, members)
        elif self._tell is not None:
            at = datetime.fromtimestamp(start_s, UTC).isoformat()
            self._tell(
                f"fault {kind} of {subject} at {at} lies outside the run: left out"
            )

    def scatter(self, kind: str, rate: float, most: int | None) -> None:
        """Place so many of a kind in a meter and month, at most `most` of them now."""
        subjects = self._subjects(kind)
        if not subjects:
            return
        months = (self._stop_s - self._start_s) / MONTH_S
        total = max(1, round(rate * months * len(subjects)))
        for number in range(self._placed[kind], total if most is None else most):
            for attempt in range(_TRIES):
                fault, members = self._drawn(
                    kind, subjects, f"{kind}/{number}/{attempt}"
                )
                if self._fits(fault, members):
                    self._take(fault, members)
                    self._placed[kind] += 1
                    break

    def _subjects(self, kind: str) -> list[str]:
        able = [each for each in self._meters if _can(kind, each)]
        if KINDS[kind].gateways:
            return list(dict.fromkeys(each.gateway or each.code for each in able))
        return [each.code for each in able]

    def _drawn(
        self, kind: str, subjects: list[str], name: str
    ) -> tuple[Fault, list[Meter]]:
        subject = subjects[int(draw(self._seed, name, "subject") * len(subjects))]
        members = _members(subject, self._meters)
        lasts = 0 if KINDS[kind].lasts_s is None else self._lasts(kind, name)
        room = max(1, self._stop_s - self._start_s - lasts)
        start_s = self._start_s + int(draw(self._seed, name, "start") * room)
        if KINDS[kind].lasts_s is None:
            start_s = _at_reading(kind, members[0], start_s)
        parameters = _parameters(kind, members[0], self._seed, name)
        for key in parameters.keys() & {"delay_s", "again_s"}:
            parameters[key] = min(float(parameters[key]), float(self._longest_s))
        return Fault(
            kind=kind,
            subject=subject,
            start_s=start_s,
            stop_s=start_s + lasts,
            parameters=parameters,
        ), members

    def _lasts(self, kind: str, name: str) -> int:
        shortest, longest = KINDS[kind].lasts_s or (0, 0)
        lasts = shortest + draw(self._seed, name, "lasts") * (longest - shortest)
        return min(int(lasts), self._longest_s * (2 if kind == "silent" else 1))

    def _fits(self, fault: Fault, members: list[Meter]) -> bool:
        first, last = _reach(fault)
        if first < self._start_s + self._distance_s:
            return False
        if last > self._stop_s - self._distance_s:
            return False
        for meter in members:
            for start, stop in self._busy[meter.code]:
                if first < stop + self._distance_s and start < last + self._distance_s:
                    return False
        (meter, *_) = members
        if KINDS[fault.kind].needs not in ("register", "ratio"):
            return True
        begun = self._begun[meter.code]
        if fault.kind == "rollover" and any(
            kind == "rollover" or at < fault.start_s for kind, at in begun
        ):
            return False
        if fault.kind in ("reset", "replacement") and any(
            kind == "rollover" and at > fault.start_s for kind, at in begun
        ):
            return False
        return _counts(meter, fault)

    def _take(self, fault: Fault, members: list[Meter]) -> None:
        self.faults.append(fault)
        for meter in members:
            self._busy[meter.code].append(_reach(fault))
            if fault.kind in ("rollover", "reset", "replacement"):
                self._begun[meter.code].append((fault.kind, fault.start_s))


def _can(kind: str, meter: Meter) -> bool:
    return not (_lacks(kind, meter) or _lacks_ratio(kind, meter))


def _lacks_ratio(kind: str, meter: Meter) -> str:
    """Tell that a meter has no ratio to change; one that is named may get its first."""
    alone = KINDS[kind].needs == "ratio" and meter.ct * meter.pt == 1
    return "has no transformers: its ratio is 1" if alone else ""


def _lacks(kind: str, meter: Meter) -> str:
    """Tell what a meter lacks for a kind of fault; nothing where it can have it."""
    needs = KINDS[kind].needs
    form = formats.named(meter.format)
    if needs == "text":
        return "" if form.text else f"speaks {meter.format}, which is no text"
    if not needs:
        return "" if meter.channels else "has no channel"
    if first_register(meter) in form.carried(each.key for each in meter.channels):
        return ""
    return f"has no register that {meter.format} can carry"


def _members(subject: str, meters: Sequence[Meter]) -> list[Meter]:
    found = [each for each in meters if subject in (each.code, each.gateway)]
    if not found:
        raise SimulatorError(f"no meter or gateway {subject!r} in the park")
    return found


def _at_reading(kind: str, meter: Meter, at_s: int) -> int:
    """Move an instant to the next reading, or between that and the one after it."""
    reading = int(instants(meter, at_s, at_s + 2 * meter.cadence_s + 2)[0])
    return reading + meter.cadence_s // 2 if kind in _BETWEEN_READINGS else reading


def _reach(fault: Fault) -> tuple[int, int]:
    """Return from when to when something of a fault may be seen."""
    later = [
        float(fault.parameters[key])
        for key in ("delay_s", "again_s", "within_s")
        if key in fault.parameters
    ]
    first, last = fault.start_s, fault.stop_s + int(max(later, default=0))
    if fault.kind in ("clock_jump", "clock_skew"):
        off = int(abs(float(fault.parameters["by_s"]))) + 1
        return first - off, last + off
    return first, last


def _counts(meter: Meter, fault: Fault) -> bool:
    """Tell whether the register moves before and after a fault begins."""
    wanted = fault.parameters.get("channel", first_register(meter))
    (channel,) = (each for each in meter.channels if each.key == wanted)
    beside = max(_HOUR, 2 * meter.cadence_s)
    at = np.array([fault.start_s - beside, fault.start_s, fault.start_s + beside])
    at = np.maximum(at, EPOCH_S)
    units = np.diff(channel.flow.integral(at)) / 3_600_000 / (meter.ct * meter.pt)
    return bool((units * 10**meter.decimals >= _LEAST_STEPS).all())


def _parameters(
    kind: str, meter: Meter, seed: int, name: str
) -> dict[str, float | str]:
    """Draw what a fault needs beside its time."""
    share, other = draw(seed, name, "share"), draw(seed, name, "other")
    digit = float(10 ** max(0, meter.digits - 2)) * int(1 + 9 * share)
    sign = 1 if other < 0.5 else -1
    drawn: dict[str, dict[str, float | str]] = {
        "late": {"delay_s": _between(3 * _HOUR, 3 * _DAY, share)},
        "replay": {"again_s": _between(6 * _HOUR, 4 * _DAY, share)},
        "retained": {"again_s": _between(_HOUR, 6 * _HOUR, share)},
        "duplicates": {"copies": float(1 + int(2 * share)), "again_s": 60.0},
        "shuffle": {"within_s": _between(1800, 2 * _HOUR, share)},
        # no whole number of cadences: stamps of different instants do not meet
        "clock_jump": {
            "by_s": sign * (_between(_HOUR, 8 * _HOUR, share) // 60 * 60 + 7.5)
        },
        "clock_skew": {"by_s": sign * (_between(20, 50, share) + 0.5)},
        "wrong_unit": {"factor": 1000.0 if other < 0.7 else 0.001},
        "truncated": {"share": round(0.2 + 0.7 * share, 3)},
        "wrong_tenant": {
            "enterprise": f"{meter.enterprise}x",
            "where": "payload" if meter.format == "native" else "topic",
        },
        "replacement": {"initial": round(50 * share, 1)},
        "multiplier_change": {
            "ct": meter.ct * (2.0 if other < 0.5 else 0.5),
            "stated": 1.0,
        },
        "spike": {"by": digit},
        "glitch": {"to": 0.0} if other < 0.5 else {"by": digit},
    }
    return drawn.get(kind, {})


def _between(low: int, high: int, share: float) -> float:
    return float(int(low + share * (high - low)))


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise SimulatorError(
            f"unknown fault {kind!r}: it is mixed or one of {', '.join(KINDS)}"
        )


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float) or not np.isfinite(value):
        raise SimulatorError(f"{name}: {value!r} is not a number")
    return float(value)


def _amount(name: str, value: object) -> float:
    if (number := _number(name, value)) < 0:
        raise SimulatorError(f"{name}: {value} is below 0")
    return number


def _second(kind: str, value: object) -> int:
    try:
        at = (
            value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        )
    except ValueError:
        raise SimulatorError(f"fault {kind}: {value!r} is not a time") from None
    return seconds(at)
