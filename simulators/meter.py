"""A meter and what it shows: the words between park, faults, wire and truth.

The park model gives every meter its channels, each with the true flow behind it. A
display (`simulators.display`) turns flows and faults into what the meter shows. An
encoder (`simulators.formats`) turns that into messages; a delivery
(`simulators.delivery`) says when each is sent. The truth (`simulators.truth`) is
written from the flows alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulators.errors import SimulatorError
from simulators.load import Flow, Integers

Float64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One quantity of a meter.

    Attributes
    ----------
    key : str
        Of docs/wire.md, such as ``energy_import_kwh``.
    kind : {"register", "gauge"}
        A register shows the integral of its flow, a gauge its rate.
    flow : Flow
        What really flows, primary [thousandths of the unit per hour].
    scale : float
        Gauges: from the flow's unit to that of the key (kW of kWh/h: 1).
    """

    key: str
    kind: Literal["register", "gauge"]
    flow: Flow
    scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Meter:
    """One meter: where it stands, what it is made of, how it reports."""

    enterprise: str  # code; of the park's own meters that of its operator
    code: str  # unique in the park
    carrier: str  # electricity, natural_gas, steam, heat, water, wastewater, …
    role: str = "main"  # main, park, sub, check
    parent: str | None = None  # code of the meter above it
    channels: tuple[Channel, ...] = ()
    format: str = "native"  # of simulators.formats
    gateway: str | None = None  # it reports through this one, with a disk spool
    cadence_s: int = 900  # between readings, on its own clock
    decimals: int = 2  # of a register's display
    digits: int = 8  # of a register before the point: it rolls over at 10**digits
    initial: float = 0.0  # register at the simulator's epoch, as displayed
    ct: float = 1.0  # transformer ratios: a display shows primary / (ct * pt)
    pt: float = 1.0
    rated_per_h: float | None = None  # most that can flow, primary
    accuracy_class: float | None = None  # [% of the value]
    error_ppm: int = 0  # of this very meter, within its class
    clock_offset_s: float = 0.0  # its clock less true time at the epoch
    clock_drift_ppm: float = 0.0


def at_cadence(meters: Iterable[Meter], cadence_s: int | None) -> tuple[Meter, ...]:
    """Return the meters with another cadence; None: as they are.

    Raises
    ------
    SimulatorError
        If it is none.
    """
    if cadence_s is None:
        return tuple(meters)
    if cadence_s < 1:
        raise SimulatorError("a cadence is at least 1 s")
    return tuple(replace(each, cadence_s=cadence_s) for each in meters)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a meter showed at some instants.

    Attributes
    ----------
    at_s : ndarray of int64, (n,)
        True time, ascending [s since 1970].
    stamp_us : ndarray of int64, (n,)
        What its clock said [µs since 1970].
    values : mapping of str to ndarray of float64, (n,)
        By key; NaN: it answered null.
    """

    meter: Meter
    at_s: Integers
    stamp_us: Integers
    values: Mapping[str, Float64]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One injected fault; a row of the truth.

    `start_s` to `stop_s` is when it works, in true time [s since 1970]; for what
    happens at an instant both are the same. `subject` is a meter's or a gateway's code.
    """

    kind: str
    subject: str
    start_s: int
    stop_s: int
    parameters: Mapping[str, float | str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True, order=True)
class Message:
    """One MQTT message and the true time at which it leaves [s since 1970]."""

    due_s: float
    topic: str
    payload: bytes
    readings: int  # values in it that count
    retain: bool = False
