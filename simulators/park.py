"""A seeded park of twelve enterprises with electricity, gas, water and sunshine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulators.errors import SimulatorError
from simulators.load import (
    CONTINUOUS,
    DAY_SHIFT,
    EPOCH_S,
    TWO_SHIFTS,
    Clock,
    Flow,
    Integers,
    Nodes,
    Shape,
    draw,
    load,
    seconds,
    sunshine,
)

CONTRACT_DEMAND_KW = 10_000
MAIN_KEYS = ("energy_import_kwh", "reactive_energy_q1_kvarh", "power_kw")
PV_KEYS = ("pv_generation_kwh", "pv_power_kw")

# one instant of one meter, as on the wire
Reading = dict[str, str | float]


@dataclass(frozen=True, kw_only=True)
class Enterprise:
    """One enterprise of the park."""

    code: str
    name: str
    added_value_10k_cny: float  # in a month


@dataclass(frozen=True, kw_only=True)
class Meter:
    """One meter of an enterprise."""

    enterprise: str
    code: str
    carrier: str  # electricity, natural_gas, water
    role: str  # main, pv
    keys: tuple[str, ...]  # of its readings, beside "at"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One MQTT message of one meter."""

    meter: Meter
    topic: str
    payload: bytes
    instants: int

    @property
    def readings(self) -> int:
        """Values in the message."""
        return self.instants * len(self.meter.keys)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    name: str
    shape: Shape
    peak_kw: float
    added_value_10k_cny: float
    water_m3_h: float
    gas_m3_h: float = 0.0
    pv_kw: float = 0.0


_PLANS = (
    _Plan(
        name="电子元件 E01 Electronic components",
        shape=CONTINUOUS,
        peak_kw=1040,
        added_value_10k_cny=2600,
        water_m3_h=9,
    ),
    _Plan(
        name="金属热处理 E02 Metal heat treatment",
        shape=CONTINUOUS,
        peak_kw=1270,
        added_value_10k_cny=900,
        water_m3_h=4,
        gas_m3_h=160,
    ),
    _Plan(
        name="精密机械 E03 Precision machining",
        shape=TWO_SHIFTS,
        peak_kw=770,
        added_value_10k_cny=1150,
        water_m3_h=2,
    ),
    _Plan(
        name="注塑制品 E04 Injection moulding",
        shape=CONTINUOUS,
        peak_kw=920,
        added_value_10k_cny=820,
        water_m3_h=3,
    ),
    _Plan(
        name="食品加工 E05 Food processing",
        shape=TWO_SHIFTS,
        peak_kw=600,
        added_value_10k_cny=980,
        water_m3_h=14,
        gas_m3_h=90,
    ),
    _Plan(
        name="汽车零部件 E06 Automotive parts",
        shape=TWO_SHIFTS,
        peak_kw=1210,
        added_value_10k_cny=2100,
        water_m3_h=5,
        pv_kw=420,
    ),
    _Plan(
        name="仓储物流 E07 Warehousing and logistics",
        shape=DAY_SHIFT,
        peak_kw=390,
        added_value_10k_cny=360,
        water_m3_h=1,
    ),
    _Plan(
        name="包装印刷 E08 Packaging and printing",
        shape=TWO_SHIFTS,
        peak_kw=520,
        added_value_10k_cny=540,
        water_m3_h=2,
    ),
    _Plan(
        name="生物制药 E09 Biopharmaceuticals",
        shape=CONTINUOUS,
        peak_kw=850,
        added_value_10k_cny=3200,
        water_m3_h=12,
    ),
    _Plan(
        name="纺织印染 E10 Textile finishing",
        shape=CONTINUOUS,
        peak_kw=990,
        added_value_10k_cny=760,
        water_m3_h=38,
    ),
    _Plan(
        name="电池组装 E11 Battery assembly",
        shape=TWO_SHIFTS,
        peak_kw=1080,
        added_value_10k_cny=1900,
        water_m3_h=3,
    ),
    _Plan(
        name="研发办公 E12 Research and offices",
        shape=DAY_SHIFT,
        peak_kw=450,
        added_value_10k_cny=1400,
        water_m3_h=2,
    ),
)


class Park:
    """The park: who is in it, and what its meters show at any time since 2024.

    Parameters
    ----------
    seed : int
        The same seed gives the same bytes for the same time.
    code : str
        The park's code in the topics.
    zone : str
        The park's time zone: its days, its weekends and the times on the wire.
    """

    def __init__(
        self, seed: int = 1, code: str = "P01", zone: str = "Asia/Shanghai"
    ) -> None:
        self.seed, self.code, self.zone = seed, code, ZoneInfo(zone)
        self.enterprises: list[Enterprise] = []
        self.meters: list[Meter] = []
        self._flows: dict[str, Flow] = {}  # by meter code
        self._lag: dict[str, tuple[int, int]] = {}  # tan phi [1/1000], fixed [var]
        clock = Clock(self.zone)
        for number, plan in enumerate(_PLANS, start=1):
            self._enter(f"E{number:02}", plan, clock)

    def readings(self, meter: Meter, at: Integers) -> list[Reading]:
        """Return the meter's readings at ascending instants [s since 1970]."""
        if not at.size:
            return []
        flow = self._flows[meter.code]
        columns = [(flow.register(at) / 100).tolist()]
        if meter.carrier == "electricity":
            if meter.role == "main":
                columns.append((self._reactive(meter, at) / 100).tolist())
            columns.append((flow.rate(at) / 1000).tolist())
        return [
            {
                "at": datetime.fromtimestamp(instant, self.zone).isoformat(),
                **dict(zip(meter.keys, values, strict=True)),
            }
            for instant, *values in zip(at.tolist(), *columns, strict=True)
        ]

    def snapshot(self, at: datetime) -> list[Message]:
        """Return one single-instant message per meter, at the whole second of `at`.

        Raises
        ------
        SimulatorError
            If `at` has no zone or is before 2024.
        """
        instant = np.array([seconds(at)], dtype=np.int64)
        return [self.message(meter, instant) for meter in self.meters]

    def history(
        self, start: datetime, stop: datetime, step_s: int, per_message: int = 60
    ) -> Iterator[Message]:
        """Yield the messages of all meters for the instants of ``[start, stop)``.

        Parameters
        ----------
        start, stop : datetime
            With zone; whole seconds.
        step_s : int
            Seconds between instants.
        per_message : int
            Instants in one message.

        Raises
        ------
        SimulatorError
            If a time has no zone or is before 2024, or a step is not positive.
        """
        for instants in chunks(start, stop, step_s, per_message):
            for meter in self.meters:
                yield self.message(meter, instants)

    def message(self, meter: Meter, at: Integers) -> Message:
        """Return the meter's message of ascending instants [s since 1970]."""
        readings = self.readings(meter, at)
        body = readings[0] if len(readings) == 1 else {"readings": readings}
        return Message(
            meter=meter,
            topic=f"parkwatt/v1/{self.code}/{meter.enterprise}/{meter.code}/readings",
            payload=json.dumps(body, separators=(",", ":")).encode(),
            instants=len(readings),
        )

    def _reactive(self, meter: Meter, at: Integers) -> Integers:
        """Register of q = fixed + tan phi x p, the integral of the same load."""
        tan, fixed = self._lag[meter.code]
        flow = self._flows[meter.code]
        since = flow.integral(at) * tan // 1000 + fixed * (at - EPOCH_S)
        return since // 36_000

    def _enter(self, code: str, plan: _Plan, clock: Clock) -> None:
        self.enterprises.append(
            Enterprise(
                code=code,
                name=plan.name,
                added_value_10k_cny=plan.added_value_10k_cny,
            )
        )
        power = load(clock, plan.shape, plan.peak_kw * 1000, self.seed, code)
        if plan.pv_kw:
            sun = sunshine(clock, plan.pv_kw * 1000, self.seed, code)
            power = _less(power, sun)
            self._install(code, "P1", "electricity", "pv", PV_KEYS, sun)
        main = self._install(code, "M1", "electricity", "main", MAIN_KEYS, power)
        # cos phi between about 0.93 and 0.98
        tan = round(1000 * (0.2 + 0.18 * draw(self.seed, code, "lag")))
        self._lag[main] = (tan, round(10 * plan.peak_kw))
        if plan.gas_m3_h:
            burnt = load(
                clock, plan.shape, plan.gas_m3_h * 1000, self.seed, f"{code}/gas"
            )
            self._install(code, "G1", "natural_gas", "main", ("natural_gas_m3",), burnt)
        drawn = load(
            clock, plan.shape, plan.water_m3_h * 1000, self.seed, f"{code}/water"
        )
        self._install(code, "W1", "water", "main", ("water_m3",), drawn)

    def _install(
        self,
        enterprise: str,
        suffix: str,
        carrier: str,
        role: str,
        keys: tuple[str, ...],
        nodes: Nodes,
    ) -> str:
        code = f"{enterprise}-{suffix}"
        initial = int(draw(self.seed, code, "initial") * 5_000_000)
        self._flows[code] = Flow(nodes, initial)
        self.meters.append(
            Meter(
                enterprise=enterprise,
                code=code,
                carrier=carrier,
                role=role,
                keys=keys,
            )
        )
        return code


def chunks(
    start: datetime, stop: datetime, step_s: int, size: int
) -> Iterator[Integers]:
    """Yield the instants of ``[start, stop)`` [s since 1970], `size` at a time."""
    if step_s < 1 or size < 1:
        raise SimulatorError("step and number of instants must be at least 1")
    instants = np.arange(seconds(start), seconds(stop), step_s, dtype=np.int64)
    for first in range(0, instants.size, size):
        yield instants[first : first + size]


def _less(gross: Nodes, generated: Nodes) -> Nodes:
    """Return what is still taken from the grid beside one's own generation."""

    def nodes(number: Integers) -> Integers:
        rest: Integers = np.maximum(gross(number) - generated(number), 0)
        return rest

    return nodes
