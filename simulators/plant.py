"""What one enterprise uses and makes, as series of whole numbers.

Electricity is in W, other carriers in thousandths of their unit per hour. Power that
flows in is positive.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from simulators import steel
from simulators.archetypes import Archetype, Bursts, Shape, Use, archetypes
from simulators.archetypes import shape as day_shape
from simulators.frame import Frames
from simulators.load import NODE_S, Integers, draw
from simulators.scenario import Battery, Charging, Group, Range, Scenario
from simulators.series import (
    DAY_NODES,
    Float64,
    Noise,
    Series,
    Wander,
    key,
    total,
    whole,
)

# steam at 2.777 GJ/t, a boiler of 92 %, gas of 38.931 MJ/m³
BOILER_M3_PER_T = 2777 / (0.92 * 38.931)
FLUE_M3_PER_M3 = 10.8  # dry flue gas of gas burnt
_WEEKS_S = 364 * 86400  # of a year that is replayed: whole weeks


@dataclass(kw_only=True)
class Plant:
    """One enterprise and its flows.

    Attributes
    ----------
    parts : dict of str to Series
        Load by part: process, base, cooling, charging.
    net, reactive : Series
        Power and reactive power at the main meter, with what is behind it.
    carriers : dict of str to Series
        By carrier, without electricity.
    """

    code: str
    name: str
    group: Group
    kind: Archetype
    size_kw: float
    shape: Shape
    pv_kwp: float = 0.0
    parts: dict[str, Series] = field(default_factory=dict)
    pv: Series | None = None
    charge: Series | None = None
    discharge: Series | None = None
    charged: Series | None = None  # state of charge [thousandths of a percent]
    net: Series
    reactive: Series
    signed: bool = False  # power may flow out
    carriers: dict[str, Series] = field(default_factory=dict)

    @property
    def mean_kw(self) -> float:
        """What it takes on an ordinary day, nearly."""
        busy = float(self.shape.course()[0].mean())
        return self.size_kw * (self.kind.base + (1 - self.kind.base) * busy)


class Builder:
    """Makes plants of a scenario's groups."""

    def __init__(self, scenario: Scenario, frames: Frames) -> None:
        self._scenario, self._frames = scenario, frames
        self.noise = Noise(scenario.seed)

    def plant(self, group: Group, code: str, number: int) -> Plant:
        """Return the plant of the group's `number`-th enterprise, without tenants."""
        kind = archetypes().archetypes[group.archetype]
        name = group.name or f"{kind.makes[number % len(kind.makes)]} {code}"
        size_kw = self._drawn(group.size_kw or kind.size_kw, code, "size")
        shape = day_shape(group.shifts or kind.shape)
        parts = (
            {"process": self._again(_replayed()[0])}
            if group.replay
            else self._parts(code, kind, shape, size_kw * 1000)
        )
        if group.charging:
            parts["charging"] = self._charging(code, group.charging)
        load = total(list(parts.values()))
        reactive = (
            self._again(_replayed()[1])
            if group.replay
            else self._reactive(code, load, kind.power_factor, size_kw * 1000)
        )
        plant = Plant(
            code=code,
            name=name,
            group=group,
            kind=kind,
            size_kw=size_kw,
            shape=shape,
            parts=parts,
            net=load,
            reactive=reactive,
        )
        if group.pv_kwp:
            plant.pv_kwp = self._drawn(group.pv_kwp, code, "pv")
            plant.pv = self._pv(code, plant.pv_kwp * 1000)
        if group.battery:
            self._install(plant, group.battery)
        plant.net = _net(load, plant)
        plant.signed = bool(group.pv_kwp or group.battery)
        plant.carriers = self._carriers(plant, parts["process"])
        return plant

    def common(self, code: str, carrier: str, peak: float) -> Series:
        """Return the park's own use of `peak` thousandths per hour: lamps, or water."""
        noise = self.noise.named(code, carrier)
        hour = np.arange(DAY_NODES) * NODE_S / 3600
        dark = 1 / (1 + np.exp(-4 * (np.abs(hour - 12.2) - 6.2)))
        course = 0.25 + 0.75 * (dark if carrier == "electricity" else 1 - dark)

        def make(number: int) -> Integers:
            frame = self._frames(number)
            return whole(peak * course[frame.slot] * (1 + 0.03 * noise(number)))

        return Series(make)

    def _drawn(self, span: Range, code: str, what: str) -> float:
        """Return a number of the range, the small ones more often, in whole tens."""
        low, high = span
        at = draw(self._scenario.seed, code, what)
        return low if low == high else round(low * (high / low) ** at, -1)

    def _again(self, nodes: Integers) -> Series:
        """Return whole weeks of nodes again and again, on the park's clock."""

        def make(number: int) -> Integers:
            frame = self._frames(number)
            local = frame.days[frame.day] * DAY_NODES + frame.slot
            again: Integers = nodes[local % nodes.size]
            return again

        return Series(make)

    def _parts(
        self, code: str, kind: Archetype, shape: Shape, size_w: float
    ) -> dict[str, Series]:
        parts = {
            "process": self._process(code, kind, shape, size_w),
            "base": self._base(code, kind.base * size_w),
        }
        if kind.cooling_per_k or kind.heating_per_k:
            parts["cooling"] = self._cooling(code, kind, shape, size_w)
        return parts

    def _process(
        self, code: str, kind: Archetype, shape: Shape, size_w: float
    ) -> Series:
        course = shape.course()
        hour = np.arange(DAY_NODES) * NODE_S / 3600
        bump = np.exp(-(((hour - 14.75) / 1.1) ** 2))
        course[0] *= 1 + self._scenario.afternoon_peak * bump
        flat = course.ravel() * (1 - kind.base) * size_w
        noise = self.noise.named(code, "process")
        level = key(self._scenario.seed, code, "day")
        growth = 1 + self._scenario.load_growth_per_year
        bursts = _bursts(kind.bursts, draw(self._scenario.seed, code, "bursts"))

        def make(number: int) -> Integers:
            frame = self._frames(number)
            active = flat[frame.place]
            rate = active * growth**frame.years * frame.daily(level, 0.03)
            rate *= 1 + 0.025 * noise(number)
            return whole(rate * bursts(frame.at_s))

        return Series(make)

    def _base(self, code: str, rate_w: float) -> Series:
        noise = self.noise.named(code, "base")
        return Series(lambda number: whole(rate_w * (1 + 0.012 * noise(number))))

    def _cooling(
        self, code: str, kind: Archetype, shape: Shape, size_w: float
    ) -> Series:
        people = (0.4 + 0.6 * shape.course()).ravel() * size_w
        noise = self.noise.named(code, "cooling")

        def make(number: int) -> Integers:
            frame = self._frames(number)
            warm = np.maximum(frame.temperature_c - 18, 0) * kind.cooling_per_k
            cold = np.maximum(15 - frame.temperature_c, 0) * kind.heating_per_k
            rate = people[frame.place] * (warm + cold)
            return whole(rate * (1 + 0.04 * noise(number)))

        return Series(make)

    def _charging(self, code: str, stations: Charging) -> Series:
        most_w = stations.points * stations.power_kw * 1000
        # cars come in the morning and are moved after lunch
        hours = (0, 6, 7.5, 9.5, 11.5, 13, 14.5, 16.5, 19, 22, 24)
        share = (0.05, 0.03, 0.15, 0.55, 0.35, 0.45, 0.75, 0.5, 0.25, 0.12, 0.05)
        course = np.interp(np.arange(DAY_NODES) * NODE_S / 3600, hours, share)
        away = np.array([1.0, 0.5, 0.4, 0.3])  # by kind of day
        table = (away[:, None] * course).ravel() * most_w
        noise = self.noise.named(code, "charging")

        def make(number: int) -> Integers:
            rate = table[self._frames(number).place] * (1 + 0.3 * noise(number))
            return whole(np.minimum(rate, most_w))

        return Series(make)

    def _pv(self, code: str, peak_w: float) -> Series:
        # inverter, wires and dirt; each roof has a little more or less
        gain = peak_w * (0.80 + 0.06 * draw(self._scenario.seed, code, "roof")) / 1000
        noise = self.noise.named(code, "pv")

        def make(number: int) -> Integers:
            frame = self._frames(number)
            # a cell is 0.025 K warmer for each W/m², and loses 0.4 % a K
            cell_k = frame.temperature_c + 0.025 * frame.irradiance_w_m2 - 25
            rate = gain * frame.irradiance_w_m2 * (1 - 0.004 * cell_k)
            return whole(np.minimum(rate * (1 + 0.03 * noise(number)), peak_w))

        return Series(make)

    def _install(self, plant: Plant, battery: Battery) -> None:
        """Add a battery that ends each local day as it began.

        It rests on days when the clock changes: an hour that is missing or comes twice
        would make or lose energy.
        """
        taken, given, state = _schedule(battery)
        of = key(self._scenario.seed, plant.code, "battery")

        def rate(table: Float64, floor: int) -> Series:
            def make(number: int) -> Integers:
                frame = self._frames(number)
                # at most the schedule, some days less
                part = frame.daily(of, 0.1) / 1.1 * frame.whole
                return whole(floor + table[frame.slot] * part)

            return Series(make)

        plant.charge, plant.discharge = rate(taken, 0), rate(given, 0)
        plant.charged = rate(state, 10_000)

    def _reactive(
        self, code: str, load: Series, power_factor: float, size_w: float
    ) -> Series:
        """Return lagging reactive power, less what a fixed bank of capacitors gives."""
        seed = self._scenario.seed
        # by day production lags, at night the bank may lead
        angle = np.arccos(power_factor) * (0.95 + 0.1 * draw(seed, code, "lag"))
        tangent = round(1000 * float(np.tan(angle)))
        bank = round(0.12 * tangent * size_w / 1000)
        return Series(lambda number: load.chunk(number) * tangent // 1000 - bank)

    def _carriers(self, plant: Plant, process: Series) -> dict[str, Series]:
        uses = plant.kind.carriers
        made: dict[str, Series] = {
            carrier: self._use(plant, carrier, use, process)
            for carrier, use in uses.items()
        }
        if plant.group.own_boiler and "steam" in made:
            steam = made["steam"]
            burnt = Series(lambda n: whole(steam.chunk(n) * BOILER_M3_PER_T))
            gas = made.get("natural_gas")
            made["natural_gas"] = total([burnt, gas] if gas else [burnt])
        if "water" in made:
            water = made["water"]
            share = plant.kind.wastewater
            made["wastewater"] = Series(lambda n: whole(water.chunk(n) * share))
        wanted = plant.group.carriers
        return {
            carrier: series
            for carrier, series in made.items()
            if wanted is None or carrier in wanted
        }

    def _use(self, plant: Plant, carrier: str, use: Use, process: Series) -> Series:
        noise = self.noise.named(plant.code, carrier)
        per_w = use.per_mwh / 1000
        per_k = use.heating_per_k * plant.size_kw

        def make(number: int) -> Integers:
            rate = per_w * process.chunk(number).astype(np.float64)
            if per_k:
                cold_k = 15 - self._frames(number).temperature_c
                rate += per_k * np.maximum(cold_k, 0)
            return whole(rate * (1 + 0.05 * noise(number)))

        return Series(make)


@dataclass(frozen=True, kw_only=True)
class Pollutant:
    """A pollutant of one outlet: concentration in thousandths, mass in g/h."""

    concentration: Series
    mass: Series


def pollutant(outlet: Series, mean: float, litres: int, wander: Wander) -> Pollutant:
    """Return what an outlet [l/h] carries at about `mean` mg for so many litres."""
    level = Series(lambda n: whole(1000 * mean * np.maximum(1 + 0.12 * wander(n), 0.2)))
    mass = Series(lambda n: outlet.chunk(n) * level.chunk(n) // (1_000_000 * litres))
    return Pollutant(concentration=level, mass=mass)


def flue(gas: Series) -> Series:
    """Return the dry flue gas of burnt gas, both in l/h."""
    return Series(lambda number: whole(gas.chunk(number) * FLUE_M3_PER_M3))


def behind(host: Plant, tenant: Plant) -> None:
    """Place a tenant behind a host's meter."""
    host.net = total([host.net, tenant.net])
    host.reactive = total([host.reactive, tenant.reactive])
    host.signed |= tenant.signed


def _net(load: Series, plant: Plant) -> Series:
    """Return load − pv − discharge + charge."""
    pv, charge, discharge = plant.pv, plant.charge, plant.discharge
    if pv is None and charge is None:
        return load

    def make(number: int) -> Integers:
        rest = load.chunk(number)
        if pv is not None:
            rest = rest - pv.chunk(number)
        if charge is not None and discharge is not None:
            rest = rest + charge.chunk(number) - discharge.chunk(number)
        return rest

    return Series(make)


def _bursts(bursts: Bursts | None, phase: float) -> Callable[[Integers], Float64]:
    """Return the factor of machines that come and go, around 1."""
    if bursts is None:
        return lambda at_s: np.ones(at_s.size)
    turn = 2 * np.pi / (bursts.minutes * 60)

    def factor(at_s: Integers) -> Float64:
        wave = np.sin(turn * (at_s % _WEEKS_S) + 2 * np.pi * phase)
        swing: Float64 = 1 + bursts.share * np.clip(1.8 * wave, -1, 1)
        return swing

    return factor


def _schedule(battery: Battery) -> tuple[Float64, Float64, Float64]:
    """Return charge and discharge [W] and charge held [1/1000 %] by slot of a day."""
    hour = np.arange(DAY_NODES) * NODE_S / 3600
    begin, end = (0.5, 6.0) if battery.charge == "valley" else (9.5, 13.5)
    taking, giving = _trapezoid(hour, begin, end), _trapezoid(hour, 14.0, 17.5)
    taking_h, giving_h = (
        float(each.sum()) * NODE_S / 3600 for each in (taking, giving)
    )
    one_way = battery.efficiency**0.5
    charge_kw = min(
        battery.power_kw,
        0.85 * battery.capacity_kwh / (one_way * taking_h),
        battery.power_kw * giving_h / (battery.efficiency * taking_h),
    )
    discharge_kw = charge_kw * taking_h * battery.efficiency / giving_h
    stored_kw = taking * charge_kw * one_way - giving * discharge_kw / one_way
    # straight between nodes, as the flows are
    steps = (stored_kw + np.roll(stored_kw, -1)) / 2 * NODE_S / 3600
    held_kwh = np.concatenate(([0.0], np.cumsum(steps)[:-1]))
    percent = 1000 * 100 * held_kwh / battery.capacity_kwh
    return taking * charge_kw * 1000, giving * discharge_kw * 1000, percent


def _trapezoid(hour: Float64, begin: float, end: float) -> Float64:
    """Return 1 from begin to end, with a quarter of an hour up and down, else 0."""
    ramp: Float64 = np.clip(np.minimum(hour - begin, end - hour) * 4, 0, 1)
    return ramp


@cache
def _replayed() -> tuple[Integers, Integers]:
    """Return nodes of power and reactive power of the real plant, 52 weeks.

    A year of the file begins on a Monday, as the epoch does. Within each quarter of an
    hour the line between nodes has exactly the usage of the file.
    """
    rows = np.diff(steel.read().hundredths, axis=0)[: _WEEKS_S // steel.STEP_S]
    taken, lagging, leading = (_quarters(column) for column in rows.T)
    return taken, lagging - leading


def _quarters(hundredths: Integers) -> Integers:
    """Return nodes [W] whose quarters of an hour integrate to amounts [1/100 kWh].

    The node between two quarters is the lower of their mean powers; the two within a
    quarter take the rest, so none is below 0.
    """
    mean = hundredths * 40
    edge = np.minimum(np.roll(mean, 1), mean)
    rest = 3 * mean - (edge + np.roll(edge, -1)) // 2
    return np.stack((edge, (rest + 1) // 2, rest // 2), axis=1).ravel()
