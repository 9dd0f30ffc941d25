"""Meters on flows, made as the scenario says or the seed draws."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from simulators.errors import SimulatorError
from simulators.load import EPOCH_S, NODE_S, Flow, draw
from simulators.meter import Channel, Meter
from simulators.network import Node, quadrant
from simulators.plant import Plant, flue, pollutant
from simulators.scenario import Scenario
from simulators.series import Noise, Series, negative, positive

# carrier -> suffix of its meter's code, key of its register
CARRIERS = {
    "natural_gas": ("G1", "natural_gas_m3"),
    "steam": ("S1", "steam_t"),
    "heat": ("H1", "heat_gj"),
    "water": ("W1", "water_m3"),
    "wastewater": ("D1", "wastewater_m3"),
    "compressed_air": ("A1", "compressed_air_m3"),
}
_FLOWS = {
    "natural_gas": "natural_gas_flow_m3_h",
    "steam": "steam_flow_t_h",
    "heat": "heat_flow_gj_h",
    "water": "water_flow_m3_h",
    "wastewater": "wastewater_flow_m3_h",
    "compressed_air": "compressed_air_flow_m3_h",
}
_CT_A = (50, 75, 100, 150, 200, 300, 400, 500, 600, 800, 1000, 1500, 2000, 3000, 4000)
_HIGH_VOLTAGE_KW = 400  # from here on metered at 10 kV
# number, sign of the active and of the reactive power
_QUADRANTS = ((1, 1, 1), (2, -1, 1), (3, -1, -1), (4, 1, -1))


class Metering:
    """Makes the meters of a park.

    Attributes
    ----------
    flows : list of Flow
        Behind all registers so far.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._said, self._seed = scenario.meters, scenario.seed
        self._since = scenario.since_day
        self.flows: list[Flow] = []
        self._fitting: set[str] = set()

    def electric(
        self, enterprise: str, code: str, node: Node, role: str, parent: str | None
    ) -> Meter:
        """Return a meter on a node, with as many quadrants as it needs."""
        four = self._said.quadrants == "all" or node.signed
        registers = {"energy_import_kwh": positive(node.net)}
        if four:
            registers["energy_export_kwh"] = negative(node.net)
        for number, active, lagging in _QUADRANTS if four else _QUADRANTS[:1]:
            name = f"reactive_energy_q{number}_kvarh"
            registers[name] = quadrant(node, active, lagging)
        gauges = {"power_kw": node.net}
        if self._said.gauges == "all":
            gauges["reactive_power_kvar"] = node.reactive
        return self._meter(
            enterprise,
            code,
            "electricity",
            self._channels(registers, gauges),
            role=role,
            parent=parent,
            size_kw=1.6 * node.size_kw + 50,
        )

    def behind(self, plant: Plant) -> Iterator[Meter]:
        """Yield the meters behind an enterprise's main meter, and of other carriers."""
        for number, part in enumerate(plant.group.sub_meters, start=2):
            if part in plant.parts:
                load = plant.parts[part]
                yield self._meter(
                    plant.code,
                    f"{plant.code}-M{number}",
                    "electricity",
                    self._channels({"energy_import_kwh": load}, {"power_kw": load}),
                    role="sub",
                    parent=f"{plant.code}-M1",
                )
        for suffix, registers, gauges in _own(plant):
            yield self._meter(
                plant.code,
                f"{plant.code}-{suffix}",
                "electricity",
                self._channels(registers, gauges),
            )
        for carrier, series in plant.carriers.items():
            own = carrier == "steam" and plant.group.own_boiler
            # steam of one's own is in the gas already
            yield self.carrier(plant.code, carrier, series, "sub" if own else "main")

    def carrier(
        self, enterprise: str, carrier: str, series: Series, role: str = "main"
    ) -> Meter:
        """Return the meter of a carrier other than electricity."""
        suffix, name = CARRIERS[carrier]
        gauges = {_FLOWS[carrier]: series} if self._said.gauges == "all" else {}
        return self._meter(
            enterprise,
            f"{enterprise}-{suffix}",
            carrier,
            self._channels({name: series}, gauges),
            role=role,
        )

    def monitors(self, plant: Plant, noise: Noise) -> Iterator[Meter]:
        """Yield the monitors of wastewater and flue gas, with masses as registers."""
        if not plant.group.monitors:
            return
        gas = plant.carriers.get("natural_gas")
        outlets = (
            ("wastewater", "Q1", plant.carriers.get("wastewater"), "mg_l", 1),
            ("flue_gas", "Q2", gas and flue(gas), "mg_m3", 1000),
        )
        for carrier, suffix, outlet, unit, litres in outlets:
            means = plant.kind.water_mg_l if litres == 1 else plant.kind.flue_mg_m3
            if outlet is None or not means:
                continue
            gauges, masses = {f"{carrier}_flow_m3_h": outlet}, {}
            for name, mean in means.items():
                wander = noise.named(plant.code, name)
                found = pollutant(outlet, mean, litres, wander)
                gauges[f"{name}_concentration_{unit}"] = found.concentration
                masses[f"{name}_kg"] = found.mass
            yield self._meter(
                plant.code,
                f"{plant.code}-{suffix}",
                carrier,
                (*self._registers(masses), *self._gauges(gauges)),
                finer=2,  # they count grams, and tenths
            )

    def check_overrides(self) -> None:
        """Refuse overrides that fit none of the meters made so far."""
        for number, other in enumerate(self._said.overrides):
            if other.match not in self._fitting:
                raise SimulatorError(
                    f"meters.overrides.{number}.match: {other.match!r} fits no meter of "
                    "the park: write a code such as E01-M1, or a pattern such as E01-*"
                )

    def _channels(
        self, registers: Mapping[str, Series], gauges: Mapping[str, Series]
    ) -> tuple[Channel, ...]:
        shown = gauges if self._said.gauges != "none" else {}
        return (*self._registers(registers), *self._gauges(shown))

    def _registers(self, named: Mapping[str, Series]) -> Iterator[Channel]:
        for name, series in named.items():
            flow = Flow(series, since=self._since)
            self.flows.append(flow)
            yield Channel(key=name, kind="register", flow=flow)

    def _gauges(self, named: Mapping[str, Series]) -> Iterator[Channel]:
        for name, series in named.items():
            yield Channel(key=name, kind="gauge", flow=Flow(series, since=self._since))

    def _meter(
        self,
        enterprise: str,
        code: str,
        carrier: str,
        channels: tuple[Channel, ...],
        role: str = "main",
        parent: str | None = None,
        size_kw: float | None = None,
        finer: int = 0,
    ) -> Meter:
        said = self._said
        other = self._overrides(code)

        def either_way(most: float, what: str) -> float:
            return round(most * (2 * draw(self._seed, code, what) - 1), 6)

        grade = {str(of): each for of, each in said.accuracy_class.items()}.get(carrier)
        grade = other.get("accuracy_class", grade)
        ct, pt = (1.0, 1.0)
        rated = self._rated(channels)
        if said.transformers and size_kw is not None:
            ct, pt = _ratios(max(size_kw, rated))
        meter = Meter(
            enterprise=enterprise,
            code=code,
            carrier=carrier,
            role=role,
            parent=parent,
            channels=channels,
            format=said.format,
            gateway=f"{enterprise}-GW" if said.gateway else None,
            cadence_s=said.cadence_s,
            # a secondary register counts slowly, so it shows more decimals
            decimals=said.decimals + (2 if ct * pt > 1 else finer),
            digits=said.digits,
            initial=round(20_000 * draw(self._seed, code, "initial"), said.decimals),
            ct=ct,
            pt=pt,
            rated_per_h=rated,
            accuracy_class=grade,
            error_ppm=round(either_way(9000 * (grade or 0), "error")),
            clock_offset_s=either_way(said.clock_offset_s, "clock"),
            clock_drift_ppm=either_way(said.clock_drift_ppm, "drift"),
        )
        return replace(meter, **other)

    def _rated(self, channels: Iterable[Channel]) -> float:
        """Return what a meter is chosen for: twice what a winter and a summer bring."""
        weeks = EPOCH_S + 86400 * (
            self._since + np.array([[20], [200]]) + np.arange(0, 8, NODE_S / 86400)
        )
        at = weeks.astype(np.int64).ravel()
        highest = max(
            int(each.flow.rate(at).max())
            for each in channels
            if each.kind == "register"
        )
        return float(max(1, -(-2 * highest // 1000)))

    def _overrides(self, code: str) -> dict[str, Any]:
        stated: dict[str, Any] = {}
        for other in self._said.overrides:
            if fnmatchcase(code, other.match):
                stated |= other.model_dump(exclude={"match"}, exclude_none=True)
                self._fitting.add(other.match)
        digits = stated.get("digits", self._said.digits)
        if stated.get("initial", 0) >= 10**digits:
            raise SimulatorError(
                f"meters.overrides: initial {stated['initial']:.15g} of {code} does not fit "
                f"on its {digits} digits: state less, or more digits"
            )
        return stated


def _own(
    plant: Plant,
) -> Iterator[tuple[str, dict[str, Series], dict[str, Series]]]:
    """Yield suffix, registers and gauges of own plant: sunshine, storage, charging."""
    if plant.pv:
        yield "P1", {"pv_generation_kwh": plant.pv}, {"pv_power_kw": plant.pv}
    if plant.charge and plant.discharge and plant.charged:
        yield (
            "B1",
            {
                "storage_charge_kwh": plant.charge,
                "storage_discharge_kwh": plant.discharge,
            },
            {
                "storage_power_kw": _difference(plant.charge, plant.discharge),
                "state_of_charge_percent": plant.charged,
            },
        )
    if cars := plant.parts.get("charging"):
        yield "C1", {"charging_energy_kwh": cars}, {"charging_power_kw": cars}


def _difference(one: Series, other: Series) -> Series:
    return Series(lambda number: one.chunk(number) - other.chunk(number))


def _ratios(rated_kw: float) -> tuple[float, float]:
    """Return CT and PT of a meter at 10 kV, or at 400 V for small ones."""
    high = rated_kw >= _HIGH_VOLTAGE_KW
    current_a = rated_kw / (3**0.5 * (10 if high else 0.4))
    if not high and current_a < _CT_A[0]:
        return 1.0, 1.0
    primary_a = next((each for each in _CT_A if each >= current_a), _CT_A[-1])
    return primary_a / 5, 100.0 if high else 1.0
