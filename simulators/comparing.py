"""What the platform says of one channel, against what truly flowed. Pure numpy.

All arrays are of the quarter hours of a run, shape (n,). docs/simulator_score.md
explains each figure; the rules are ours.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.client import QUARTER_S, Told
from simulators.load import EPOCH_S
from simulators.meter import Float64
from simulators.truth_file import MeterNote

Bools = NDArray[np.bool_]

ROUNDING = 1e-9  # of an amount: floating point, and decimals of a message
_WHOLE_S = QUARTER_S - 1e-3


@dataclass(frozen=True, kw_only=True)
class Energy:
    """One register's amount over its span, in its unit; NaN: the platform has none."""

    told: float
    shown: float  # what this meter, with its error, could show
    flowed: float  # what physically flowed
    tolerance: float  # by which told may differ from shown: the register's resolution

    @property
    def error(self) -> float:
        """Told less shown."""
        return self.told - self.shown

    @property
    def error_percent(self) -> float:
        """Of what could be shown."""
        return percent(self.error, self.shown)

    @property
    def physical_error_percent(self) -> float:
        """Of what flowed: the meter's own error is in it."""
        return percent(self.told - self.flowed, self.flowed)

    @property
    def right(self) -> bool:
        """Whether it agrees within the resolution."""
        return abs(self.error) <= self.tolerance


@dataclass(frozen=True, kw_only=True)
class Honesty:
    """How far the platform may be believed about what it knows: quarter hours.

    Attributes
    ----------
    expected : int
        Between the first and the last reading.
    measured, measured_right : int
        Said to be wholly measured; of these, right within the resolution.
    wrong_unprovoked : int
        Of those that are not right, the ones in which no fault was at work.
    stretches, stretches_right, stretches_open : int
        Said to be estimated, one after the other; of these, right in their sum; and not
        judged, since a part of them is missing.
    estimated, inside_band : int
        In the stretches that are judged; and where the truth lies in the band that is
        told.
    missing, never_sent, unknowable : int
        Said to be unknown, at least in part; of these, where a fault kept readings from
        arriving, and where one made them tell nothing.
    """

    expected: int = 0
    measured: int = 0
    measured_right: int = 0
    wrong_unprovoked: int = 0
    stretches: int = 0
    stretches_right: int = 0
    stretches_open: int = 0
    estimated: int = 0
    inside_band: int = 0
    missing: int = 0
    never_sent: int = 0
    unknowable: int = 0

    def __add__(self, other: "Honesty") -> "Honesty":
        """Count both."""
        names = [each.name for each in fields(self)]
        return Honesty(
            **{name: getattr(self, name) + getattr(other, name) for name in names}
        )


class Doubt(NamedTuple):
    """Quarter hours in which injected faults were at work."""

    any_fault: Bools
    never_sent: Bools  # good readings did not arrive
    unknowable: Bools  # they arrived and told nothing of what was used


class Shown(NamedTuple):
    """What a channel could show."""

    amount: Float64
    tolerance: Float64  # of each quarter hour
    span: slice  # quarter hours between the first and the last reading


def shown(
    flowed: Float64, meter: MeterNote, start_s: int, *, largest_step: float = 1.0
) -> Shown:
    """Return what a register shows of what flowed.

    Parameters
    ----------
    flowed
        True amounts.
    meter
        Whose register.
    start_s
        Of the first quarter hour.
    largest_step
        The largest ratio of the run over the one it began with.

    Notes
    -----
    A difference of two readings is off by less than one step of the register. Where the
    meter's clock is wrong by c seconds, or strikes within a second, its readings are
    also of another instant: up to 2 c / 900 of the larger neighbour is allowed, twice
    the mean power.
    """
    amount = flowed * (1 + meter.error_ppm / 1e6)
    clock_s = clock_error_s(meter, start_s, start_s + flowed.size * QUARTER_S)
    tolerance = meter.step * largest_step + ROUNDING * amount
    if clock_s:
        padded = np.pad(amount, 1, mode="edge")
        near = np.maximum(np.maximum(padded[:-2], padded[2:]), amount)
        tolerance = tolerance + 2 * clock_s / QUARTER_S * near
    return Shown(amount, tolerance, _span(meter, start_s, flowed.size, clock_s))


def clock_error_s(meter: MeterNote, start_s: int, stop_s: int) -> float:
    """Return by how much a clock is wrong at most, 0 where it is never; + 1 s else."""
    if not meter.clock_offset_s and not meter.clock_drift_ppm:
        return 0.0
    at = np.array([start_s, stop_s]) - EPOCH_S
    wrong = meter.clock_offset_s + at * meter.clock_drift_ppm / 1e6
    return float(np.abs(wrong).max()) + 1.0


def energy(told: Told, could: Shown, flowed: Float64, *, begun: int = 0) -> Energy:
    """Return the amount over the span, told and true.

    Parameters
    ----------
    begun
        How often the register began anew: each time the part of a step is lost.
    """
    span = could.span
    amount = could.amount[span]
    known = told.amount[span]
    ends = could.tolerance[span][[0, -1]].max() if amount.size else 0.0
    total = float(amount.sum())
    return Energy(
        told=float(np.nansum(known)) if (~np.isnan(known)).any() else np.nan,
        shown=total,
        flowed=float(flowed[span].sum()),
        tolerance=float(ends) * (1 + begun) + ROUNDING * total,
    )


def honesty(told: Told, could: Shown, doubt: Doubt) -> Honesty:
    """Count what is said to be measured, estimated and missing, and what is true of it."""
    span = could.span
    amount, measured_s, estimated_s, least, most = (each[span] for each in told)
    true, tolerance = could.amount[span], could.tolerance[span]
    any_fault, never_sent, unknowable = (each[span] for each in doubt)
    missing = measured_s + estimated_s < _WHOLE_S
    guessed = estimated_s > 0
    measured = ~missing & ~guessed
    right = np.abs(amount - true) <= tolerance
    inside = (true >= least - tolerance) & (true <= most + tolerance)
    stretches = _stretches(amount, true, tolerance, guessed, missing, inside)
    return Honesty(
        expected=true.size,
        measured=_count(measured),
        measured_right=_count(measured & right),
        wrong_unprovoked=_count(measured & ~right & ~any_fault),
        missing=_count(missing),
        never_sent=_count(missing & never_sent),
        unknowable=_count(missing & unknowable & ~never_sent),
        **stretches,
    )


def percent(part: float, whole: float) -> float:
    """Return a part in percent; of nothing, 0 of 0 is 0 and anything else infinite."""
    if whole:
        return 100.0 * part / whole
    return np.nan if np.isnan(part) else 0.0 if part == 0 else float(np.inf)


def _stretches(
    amount: Float64,
    true: Float64,
    tolerance: Float64,
    guessed: Bools,
    missing: Bools,
    inside: Bools,
) -> dict[str, int]:
    """Judge runs of quarter hours that are estimated, in their sum and their parts."""
    change = np.diff(np.concatenate(([False], guessed, [False])).astype(np.int8))
    begin, end = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    if not begin.size:
        return {}
    edges = np.stack((begin, end), axis=1).ravel()

    def total(values: Float64) -> Float64:
        # the last edge may lie behind the end
        sums: Float64 = np.add.reduceat(np.append(values, 0.0), edges)[::2]
        return sums

    open_ = total(missing.astype(np.float64)) > 0
    told, flowed = total(np.nan_to_num(amount)), total(true)
    allowed = np.maximum(tolerance[begin], tolerance[end - 1]) + ROUNDING * flowed
    right = np.abs(told - flowed) <= allowed
    judged = np.repeat(~open_, end - begin)
    return {
        "stretches": int(begin.size),
        "stretches_right": _count(right & ~open_),
        "stretches_open": _count(open_),
        "estimated": _count(judged),
        "inside_band": _count(judged & inside[guessed]),
    }


def _span(meter: MeterNote, start_s: int, quarters: int, clock_s: float) -> slice:
    """Return the quarter hours that lie between the first and the last reading.

    A reading is due at each multiple of the cadence within the run; where the clock is
    wrong the outermost ones may be those of before or after it, and the first is stamped
    up to a second later.
    """
    cadence_s, stop_s = meter.cadence_s, start_s + quarters * QUARTER_S
    out = cadence_s * int(np.ceil(clock_s / cadence_s))
    first = -(-start_s // cadence_s) * cadence_s + out + (1 if out else 0)
    last = (stop_s - 1) // cadence_s * cadence_s - out
    begin = -(-(first - start_s) // QUARTER_S)
    return slice(begin, max(begin, (last - start_s) // QUARTER_S))


def _count(which: Bools) -> int:
    return int(np.count_nonzero(which))
