"""What a meter shows: registers, gauges and its clock, with the faults of all three.

A register is an exact integral, counted in whole steps of its last digit; a fault
changes where the counting begins, never what flowed. So any instant can be asked for
alone, and the same meter with the same faults always shows the same.
"""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from simulators.errors import SimulatorError
from simulators.load import EPOCH_S, Flow, Integers
from simulators.meter import Channel, Fault, Float64, Meter, Shown

GAUGE_DECIMALS = 4  # XX.XXXX kW, as DL/T 645 meters show power
_UNIT = 3_600_000  # thousandths/h x s in one unit
_BEGIN_ANEW = ("reset", "replacement")
_SEGMENTS = (*_BEGIN_ANEW, "multiplier_change")
_VALUES = ("wrong_unit", "spike", "glitch", "null")
_CLOCK = ("clock_skew", "clock_jump", "clock_1970")

Bools = NDArray[np.bool_]


class Display:
    """A meter with its faults; `show` may be asked for any instants.

    Parameters
    ----------
    meter : Meter
        Whose display.
    faults : iterable of Fault
        Those of other subjects, and those of delivery, are passed over.

    Raises
    ------
    SimulatorError
        If a register cannot be counted exactly, or a rollover is wanted of one that was
        reset or replaced: where it began is then told.
    """

    def __init__(self, meter: Meter, faults: Iterable[Fault] = ()) -> None:
        self.meter = meter
        mine = sorted(
            (each for each in faults if each.subject in (meter.code, meter.gateway)),
            key=lambda each: (each.start_s, each.kind),
        )
        self._stuck = [each for each in mine if each.kind == "stuck"]
        self._clock = [each for each in mine if each.kind in _CLOCK]
        self._first = first_register(meter)
        self._odd = [each for each in mine if each.kind in _VALUES]
        changes = [each for each in mine if each.kind in _SEGMENTS]
        self._ratios = _Ratios(meter, changes)
        self._registers = {
            channel.key: _Register(
                meter,
                channel.flow,
                changes,
                [
                    each
                    for each in mine
                    if each.kind == "rollover" and self._key(each) == channel.key
                ],
            )
            for channel in meter.channels
            if channel.kind == "register"
        }

    def show(self, at_s: Integers) -> Shown:
        """Return what the meter shows at ascending true instants.

        Parameters
        ----------
        at_s : ndarray of int64, (n,)
            [s since 1970], at or after the simulator's epoch.
        """
        values: dict[str, Float64] = {}
        if at_s.size:
            frozen = self._frozen(at_s)
            for channel in self.meter.channels:
                values[channel.key] = self._value(channel, at_s, frozen)
        else:
            values = {channel.key: np.empty(0) for channel in self.meter.channels}
        return Shown(
            meter=self.meter,
            at_s=at_s,
            stamp_us=_stamps(self.meter, at_s, self._clock),
            values=values,
        )

    def rounds(self, at_s: Integers) -> dict[str, Integers]:
        """Return how often each register has come to 0 again since it began."""
        return {key: register.rounds(at_s) for key, register in self._registers.items()}

    def _frozen(self, at: Integers) -> Integers:
        for fault in self._stuck:
            at = np.where(
                (at >= fault.start_s) & (at < fault.stop_s), fault.start_s, at
            )
        return at

    def _value(self, channel: Channel, at: Integers, frozen: Integers) -> Float64:
        if channel.kind == "register":
            register = self._registers[channel.key]
            value = register.shown(frozen)
            most = register.most
        else:
            value, most = self._gauge(channel, frozen), np.inf
        for fault in self._odd:
            wanted = self._key(fault)
            if fault.kind == "null" and "channel" not in fault.parameters:
                wanted = channel.key
            if wanted == channel.key:
                hit = struck(self.meter, fault, at)
                value = np.where(hit, _odd(fault, value, most), value)
        return value

    def _gauge(self, channel: Channel, at: Integers) -> Float64:
        rate = channel.flow.rate(at) * (channel.scale / 1000)
        if _is_power(channel.key):
            rate = rate / self._ratios.at(at)
        if _is_power(channel.key) or "_flow_" in channel.key:
            rate = rate * (1 + self.meter.error_ppm / 1e6)
        rounded: Float64 = np.round(rate, GAUGE_DECIMALS)
        return rounded

    def _key(self, fault: Fault) -> str:
        return str(fault.parameters.get("channel", self._first))


def show(meter: Meter, at_s: Integers, faults: Iterable[Fault] = ()) -> Shown:
    """Return what a meter shows at ascending instants; see `Display`."""
    return Display(meter, faults).show(at_s)


def instants(meter: Meter, start_s: int, stop_s: int) -> Integers:
    """Return when the meter reads itself within ``[start_s, stop_s)``, in true time.

    It does so at the first whole second at which its own clock, with offset and drift,
    has reached a multiple of its cadence. Faults of the clock change only the stamps.

    Returns
    -------
    ndarray of int64, (n,)
        Ascending [s since 1970].
    """
    if stop_s <= start_s:
        return np.empty(0, dtype=np.int64)
    step_us = meter.cadence_s * 1_000_000
    low, high = _stamps(meter, np.array([start_s - 1, stop_s - 1]), ()).tolist()
    # struck after start_s - 1, and up to the last second before stop_s
    target = np.arange(low // step_us + 1, high // step_us + 1) * step_us
    rate = 1 + meter.clock_drift_ppm / 1e6
    since = (target - EPOCH_S * 1_000_000) / 1e6 - meter.clock_offset_s
    at = EPOCH_S + np.ceil(since / rate).astype(np.int64)
    at -= _stamps(meter, at - 1, ()) >= target
    at += _stamps(meter, at, ()) < target
    return np.unique(at)  # a fast clock may strike twice in a second


def struck(meter: Meter, fault: Fault, at: Integers) -> Bools:
    """Tell which instants a fault falls upon.

    Those within ``[start_s, stop_s)``. Where both are the same, the meter's first own
    readings from then on: as many as the parameter `readings` says, one without it.
    """
    if fault.stop_s > fault.start_s:
        inside: Bools = (at >= fault.start_s) & (at < fault.stop_s)
        return inside
    number = int(fault.parameters.get("readings", 1))
    span = (number + 1) * meter.cadence_s
    if not at.size or at[-1] < fault.start_s or at[0] > fault.start_s + span:
        return np.zeros(at.size, dtype=np.bool_)
    own = instants(meter, fault.start_s, fault.start_s + span)[:number]
    return np.isin(at, own)


def first_register(meter: Meter) -> str | None:
    """Return the key of the register that a fault falls upon if it names none."""
    return next((each.key for each in meter.channels if each.kind == "register"), None)


class _Ratios:
    """CT x PT over time."""

    def __init__(self, meter: Meter, changes: Iterable[Fault]) -> None:
        self.exact = [_ratio(meter.ct, meter.pt)]
        self._from: list[int] = []
        for fault in changes:
            if fault.kind == "multiplier_change":
                self._from.append(fault.start_s)
                ct = float(fault.parameters["ct"])
                self.exact.append(_ratio(ct, meter.pt))

    def at(self, at: Integers) -> Float64:
        ratios = np.array([float(each) for each in self.exact])
        return ratios[np.searchsorted(self._from, at, "right")]


class _Register:
    """A register as segments: from when, from what integral, from what count.

    One begins at the epoch and one at each reset, replacement or change of the ratio;
    there the part of a step that was not yet counted is lost, as in a new meter.
    """

    def __init__(
        self,
        meter: Meter,
        flow: Flow,
        changes: Iterable[Fault],
        rollovers: Iterable[Fault],
    ) -> None:
        self._flow, self._ppm = flow, meter.error_ppm
        self._steps = 10**meter.decimals
        self._modulus = 10 ** (meter.digits + meter.decimals)
        self.most = (self._modulus - 1) / self._steps
        self._start = np.zeros(1, dtype=np.int64)
        self._origin = np.zeros(1, dtype=np.int64)
        self._base = np.array([round(meter.initial * self._steps)], dtype=np.int64)
        self._times, self._parts = self._per_step(_ratio(meter.ct, meter.pt))
        began = [0]  # segments in which the count begins anew
        for fault in changes:
            ratio = None
            if fault.kind == "multiplier_change":
                base = self._at(fault.start_s)
                ratio = _ratio(float(fault.parameters["ct"]), meter.pt)
            else:
                began.append(self._start.size)
                base = round(float(fault.parameters.get("initial", 0)) * self._steps)
            self._append(fault.start_s, base, ratio)
        for fault in rollovers:
            self._roll(meter, fault.start_s, [*began, self._start.size][1])

    def shown(self, at: Integers) -> Float64:
        value: Float64 = self._counts(at) % self._modulus / self._steps
        return value

    def rounds(self, at: Integers) -> Integers:
        rounds: Integers = self._counts(at) // self._modulus
        return rounds

    def _counts(self, at: Integers) -> Integers:
        segment = np.searchsorted(self._start, at, "right") - 1
        since = self._own(at) - self._origin[segment]
        parts, times = self._parts[segment], self._times[segment]
        whole, rest = np.divmod(since, parts)
        counts: Integers = self._base[segment] + whole * times + rest * times // parts
        return counts

    def _own(self, at: Integers) -> Integers:
        """Integral as this meter counts it, with its error, rounded down."""
        integral = self._flow.integral(at)
        millions, rest = np.divmod(integral, 1_000_000)
        own: Integers = integral + millions * self._ppm + rest * self._ppm // 1_000_000
        return own

    def _at(self, at_s: int) -> int:
        return int(self._counts(np.array([at_s], dtype=np.int64))[0])

    def _append(self, start_s: int, base: int, ratio: Fraction | None) -> None:
        origin = int(self._own(np.array([start_s], dtype=np.int64))[0])
        times, parts = self._times[-1:], self._parts[-1:]
        if ratio is not None:
            times, parts = self._per_step(ratio)
        self._start = np.append(self._start, start_s)
        self._origin = np.append(self._origin, origin)
        self._base = np.append(self._base, base)
        self._times = np.append(self._times, times)
        self._parts = np.append(self._parts, parts)

    def _per_step(self, ratio: Fraction) -> tuple[Integers, Integers]:
        """Return steps and how much of the integral makes them, in lowest terms."""
        step = _UNIT * ratio / self._steps
        times, parts = step.denominator, step.numerator
        if times * parts >= 2**62:
            raise SimulatorError(
                f"ratio {float(ratio):g} with {self._steps:g} steps in a unit cannot "
                "be counted exactly"
            )
        return np.array([times]), np.array([parts])

    def _roll(self, meter: Meter, at_s: int, second: int) -> None:
        """Shift what is before the second beginning: it has just come to 0 at `at_s`."""
        if at_s >= np.append(self._start, np.iinfo(np.int64).max)[second]:
            raise SimulatorError(
                f"meter {meter.code}: a register that was reset or replaced cannot be "
                "placed for a rollover"
            )
        self._base[:second] += -self._at(at_s) % self._modulus


def _odd(fault: Fault, value: Float64, most: float) -> Float64 | float:
    parameters = fault.parameters
    if fault.kind == "null":
        return np.nan
    if fault.kind == "wrong_unit":
        return value * float(parameters.get("factor", 1000))
    if fault.kind == "spike":
        return np.minimum(value + float(parameters["by"]), most)
    if "by" in parameters:
        return np.maximum(value - float(parameters["by"]), 0)
    return float(parameters.get("to", 0))


def _stamps(meter: Meter, at: Integers, faults: Iterable[Fault]) -> Integers:
    """Return what the meter's clock says at true instants [µs since 1970]."""
    drift_us = np.round((at - EPOCH_S) * meter.clock_drift_ppm).astype(np.int64)
    stamp: Integers = at * 1_000_000 + round(meter.clock_offset_s * 1e6) + drift_us
    for fault in faults:
        if fault.kind == "clock_1970":
            wrong = (at - fault.start_s) * 1_000_000
        else:
            wrong = stamp + round(float(fault.parameters["by_s"]) * 1e6)
        stamp = np.where(struck(meter, fault, at), wrong, stamp)
    return stamp


def _ratio(ct: float, pt: float) -> Fraction:
    """Return CT x PT as the decimal numbers say it."""
    return Fraction(str(ct)) * Fraction(str(pt))


def _is_power(key: str) -> bool:
    return "power" in key and "factor" not in key
