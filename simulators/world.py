"""A park compiled from a scenario: who is in it, its meters, and the flow behind each.

All is a pure function of scenario, seed and time. Electricity is one tree: gate,
feeders with their transformers, main meters, and behind these sub-meters and tenants.
At every node a meter's flow is the sum of those below it and the losses between, in
whole watts; import and export are its two signs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

import numpy as np

from simulators.errors import SimulatorError
from simulators.frame import Frames
from simulators.load import CHUNK_DAYS, EPOCH, EPOCH_S, Flow, Integers, draw
from simulators.meter import Channel, Meter
from simulators.plant import Builder, Plant, behind, flue, pollutant
from simulators.scenario import Factor, Scenario
from simulators.series import Series, hashed, key, negative, positive, total, whole
from simulators.weather import CLIMATES, Weather

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
_SIGNS = {1: positive, -1: negative}


@dataclass(frozen=True, kw_only=True)
class Enterprise:
    """Who must be registered."""

    code: str
    name: str
    archetype: str | None = None  # None: the park's operator
    size_kw: float = 0.0
    pv_kwp: float = 0.0
    storage_kwh: float = 0.0
    charging_kw: float = 0.0
    charging_piles: int = 0
    behind: str | None = None  # tenant behind this enterprise's meter


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What an enterprise states of a month; kinds and units of docs/intensity.md."""

    enterprise: str
    kind: str  # added_value, output, pollutant
    product: str | None
    unit: str
    first: date
    following: date
    amount: float


@dataclass(frozen=True, kw_only=True)
class Past:
    """A month of the park before metering."""

    first: date
    following: date
    electricity_mwh: float
    co2_t: float


@dataclass(frozen=True, kw_only=True)
class Node:
    """A place of the network where a meter may stand.

    `net` is what flows in less what flows out [W]: the sum of what stands below and
    `loss`. Where it is not `signed` nothing ever flows out.
    """

    net: Series
    reactive: Series
    signed: bool
    below: tuple[Series, ...] = ()
    loss: Series | None = None


class World:
    """A park that knows the truth about itself.

    Parameters
    ----------
    scenario : Scenario
        As read by `simulators.scenario`.

    Attributes
    ----------
    enterprises : tuple of Enterprise
        The operator first, if it has a meter.
    meters : tuple of Meter
        In the order in which they must be registered: parents first.
    nodes : dict of str to Node
        The network by the code of its meter.
    monitors : tuple of Meter
        Of pollutants. Not on the native wire, which has no keys for concentrations;
        their masses are stated by the month.

    Raises
    ------
    SimulatorError
        If a tenant names an enterprise that is not there.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.code, self.zone = scenario.code, ZoneInfo(scenario.zone)
        place = scenario.weather
        self.weather = Weather(
            scenario.seed,
            place.latitude_deg,
            place.longitude_deg,
            CLIMATES[place.climate],
        )
        self.frames = Frames(self.zone, scenario.country, self.weather)
        self._builder = Builder(scenario, self.frames)
        self._flows: list[Flow] = []
        self.plants = self._plants()
        hosts = self._hosts()
        self.nodes: dict[str, Node] = {}
        self.meters: tuple[Meter, ...] = (
            *self._grid(hosts),
            *(each for plant in self.plants for each in self._behind(plant)),
        )
        self.monitors: tuple[Meter, ...] = tuple(
            each for plant in self.plants for each in self._monitors(plant)
        )
        self.enterprises = (*self._operator(), *map(_enterprise, self.plants))

    def advance(self, until_s: int) -> Iterator[float]:
        """Sum all registers up to an instant, yielding the part that is done.

        Not needed, but faster: each stretch of days is computed once for all meters,
        where one meter after the other computes what they share again.
        """
        day = (until_s - EPOCH_S) // 86400
        first = self.scenario.since_day
        # a stretch's last day needs the next one's first node: one stretch behind
        for until in range(first, day + 1, CHUNK_DAYS):
            at = np.array([EPOCH_S + until * 86400], dtype=np.int64)
            for flow in self._flows:
                flow.integral(at)
            yield (until - first) / max(day - first, 1)

    def midnight(self, day: date) -> int:
        """Return when a local day begins [s since 1970]."""
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def counted(self, subject: str) -> dict[str, list[Flow]]:
        """Return the registers that count for an enterprise or the park, by key.

        A main meter counts for its enterprise unless the meter above it is a main
        meter of the same one. One without a meter above counts for the park.
        """
        by_code = {meter.code: meter for meter in self.meters}
        flows: dict[str, list[Flow]] = {}
        for meter in self.meters:
            above = by_code[meter.parent] if meter.parent else None
            if subject == self.code:
                counts = above is None and meter.role in ("main", "park")
            else:
                counts = (
                    meter.enterprise == subject
                    and meter.role == "main"
                    and (
                        above is None
                        or above.role == "park"
                        or above.enterprise != subject
                    )
                )
            for channel in meter.channels if counts else ():
                if channel.kind == "register":
                    flows.setdefault(channel.key, []).append(channel.flow)
        return flows

    def statements(self, first: date, last: date) -> list[Statement]:
        """Return what enterprises state of the months from `first` until `last`.

        Parameters
        ----------
        first, last : date
            First days of months, at or after 2024; `last` is not included.
        """
        return [
            statement
            for begin, following in months(first, last)
            for plant in self.plants
            for statement in self._stated(plant, begin, following)
        ]

    def before(self, year: int) -> list[Past]:
        """Return the months of the years before `year`, as the scenario has them.

        Each is the like month of `year`, known by a week of it, times the scenario's
        factor of that year before.
        """
        flows = self.counted(self.code)
        weeks = [self._week(flows, date(year, month, 11)) for month in range(1, 13)]
        factors = self.scenario.business.before
        past = []
        for of, part in enumerate(factors, year - len(factors)):
            for begin, following in months(date(of, 1, 1), date(of + 1, 1, 1)):
                amounts = weeks[begin.month - 1]
                thousands = part * (following - begin).days / 7000
                past.append(
                    Past(
                        first=begin,
                        following=following,
                        electricity_mwh=round(
                            thousands * amounts["energy_import_kwh"], 1
                        ),
                        co2_t=round(thousands * self.co2_kg(amounts), 1),
                    )
                )
        return past

    def factors(self) -> list[tuple[str, int, Factor]]:
        """Return key, sign and factor of what emits."""
        found = []
        for carrier, factor in self.scenario.factors.items():
            if carrier == "electricity":
                found.append(("energy_import_kwh", 1, factor))
                found.append(("energy_export_kwh", -1, factor))
            else:
                found.append((CARRIERS[carrier][1], 1, factor))
        return found

    def co2_kg(self, amounts: Mapping[str, float]) -> float:
        """Return the CO2 of amounts by key [kWh, m³, GJ, t], less what is given."""
        return sum(
            sign * factor.value * amounts.get(each, 0.0)
            for each, sign, factor in self.factors()
        )

    @staticmethod
    def _week(flows: Mapping[str, list[Flow]], first: date) -> dict[str, float]:
        begin = EPOCH_S + (first - EPOCH.date()).days * 86400
        at = np.arange(begin, begin + 7 * 86400, 900, dtype=np.int64)
        return {
            each: float(sum(flow.rate(at).mean() for flow in parts)) * 7 * 24 / 1000
            for each, parts in flows.items()
        }

    def _plants(self) -> tuple[Plant, ...]:
        groups = [
            (group, number)
            for group in self.scenario.enterprises
            for number in range(group.count)
        ]
        width = max(2, len(str(len(groups))))
        made = [
            self._builder.plant(group, group.code or f"E{place:0{width}}", number)
            for place, (group, number) in enumerate(groups, start=1)
        ]
        codes = [plant.code for plant in made]
        twice = {code for code in codes if codes.count(code) > 1}
        if twice:
            raise SimulatorError(
                f"two enterprises have the code {', '.join(sorted(twice))}: one is "
                "stated, the other is by place; state another"
            )
        return tuple(made)

    def _hosts(self) -> dict[str, str]:
        """Return the host of each tenant; the host's flow then has the tenant's."""
        by_code = {plant.code: plant for plant in self.plants}
        hosts: dict[str, str] = {}
        for plant in self.plants:
            host = plant.group.behind
            if host is None:
                continue
            if host not in by_code or host == plant.code or by_code[host].group.behind:
                raise SimulatorError(
                    f"{plant.code} is behind {host}: name an enterprise that has a "
                    "meter on the park's own network"
                )
            behind(by_code[host], plant)
            hosts[plant.code] = host
        return hosts

    def _operator(self) -> Iterator[Enterprise]:
        code = self.scenario.park.operator
        if any(meter.enterprise == code for meter in self.meters):
            yield Enterprise(code=code, name=f"园区运营 Park operator {code}")

    # the network

    def _grid(self, hosts: Mapping[str, str]) -> Iterator[Meter]:
        """Build gate and feeders over the enterprises; yield the meters, top first."""
        park = self.scenario.park
        direct = [plant for plant in self.plants if plant.code not in hosts]
        fed: dict[str, list[Plant]] = {
            f"{park.operator}-F{number}": [] for number in range(1, park.feeders + 1)
        }
        places = list(fed)
        above: dict[str, str | None] = {
            plant.code: places[(plant.group.feeder or number % len(places) + 1) - 1]
            for number, plant in enumerate(direct)
            if places
        }
        for plant in direct if places else ():
            fed[str(above[plant.code])].append(plant)
        gate = f"{park.operator}-G" if park.gate else None
        top = {code: self._feeder(code, plants) for code, plants in fed.items()}
        roles = dict.fromkeys(top, "park")
        if park.common.power_kw:
            lamps = self._builder.common(
                park.operator, "electricity", park.common.power_kw * 1000
            )
            code = f"{park.operator}-M1"
            top[code] = Node(net=lamps, reactive=total([]), signed=False)
            roles[code] = "main"
        if gate is not None:
            below = [*top.values(), *(() if places else map(_node, direct))]
            yield self._electric(gate, self._gate(below), "park", None)
        for code, node in top.items():
            yield self._electric(code, node, roles[code], gate)
        for plant in self.plants:
            host = hosts.get(plant.code)
            upper = f"{host}-M1" if host else above.get(plant.code, gate)
            yield self._electric(f"{plant.code}-M1", _node(plant), "main", upper, plant)
        if park.common.water_m3_h:
            water = self._builder.common(
                park.operator, "water", park.common.water_m3_h * 1000
            )
            yield self._carrier(park.operator, "water", water, "main")

    def _feeder(self, code: str, plants: list[Plant]) -> Node:
        """Return a feeder before its transformer, whose losses rise with its load.

        Source: no-load loss + load loss at rating x (S / rating)², as for any
        transformer.
        """
        of = self.scenario.park.transformer
        rated_w = 1000 * (
            of.rated_kva or max(1.25 * sum(plant.size_kw for plant in plants), 100)
        )
        net = total([plant.net for plant in plants])
        reactive = total([plant.reactive for plant in plants])

        def lost(number: int) -> Integers:
            squares = net.chunk(number) / rated_w, reactive.chunk(number) / rated_w
            part = squares[0] ** 2 + squares[1] ** 2
            return whole(rated_w * (of.no_load + of.load * part))

        return _sum([_node(plant) for plant in plants], Series(lost))

    def _gate(self, below: list[Node]) -> Node:
        share = self.scenario.park.line_loss
        net = total([node.net for node in below])
        return _sum(
            below, Series(lambda number: whole(share * np.abs(net.chunk(number))))
        )

    def _electric(
        self,
        code: str,
        node: Node,
        role: str,
        parent: str | None,
        plant: Plant | None = None,
    ) -> Meter:
        """Return a meter on a node, with as many quadrants as it needs."""
        self.nodes[code] = node
        said = self.scenario.meters
        four = said.quadrants == "all" or node.signed
        channels = [self._register("energy_import_kwh", _part(node.net, 1))]
        if four:
            channels.append(self._register("energy_export_kwh", _part(node.net, -1)))
        quadrants = ((1, 1, 1), (2, -1, 1), (3, -1, -1), (4, 1, -1))
        for number, active, reactive in quadrants if four else quadrants[:1]:
            channels.append(
                self._register(
                    f"reactive_energy_q{number}_kvarh",
                    _quadrant(node.net, node.reactive, active, reactive),
                )
            )
        if said.gauges != "none":
            channels.append(self._gauge("power_kw", node.net))
        if said.gauges == "all":
            channels.append(self._gauge("reactive_power_kvar", node.reactive))
        size = plant.size_kw if plant else sum(each.size_kw for each in self.plants)
        return self._meter(
            plant.code if plant else self.scenario.park.operator,
            code,
            "electricity",
            role,
            tuple(channels),
            parent=parent,
            rated_kw=round(1.6 * size + 50),
        )

    # what stands behind a main meter, and other carriers

    def _behind(self, plant: Plant) -> Iterator[Meter]:
        for number, part in enumerate(plant.group.sub_meters, start=2):
            if part in plant.parts:
                yield self._plain(
                    plant,
                    f"M{number}",
                    {"energy_import_kwh": plant.parts[part]},
                    {"power_kw": plant.parts[part]},
                    role="sub",
                    parent=f"{plant.code}-M1",
                )
        if plant.pv:
            yield self._plain(
                plant, "P1", {"pv_generation_kwh": plant.pv}, {"pv_power_kw": plant.pv}
            )
        if plant.charge and plant.discharge and plant.charged:
            yield self._plain(
                plant,
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
        if "charging" in plant.parts:
            cars = plant.parts["charging"]
            yield self._plain(
                plant, "C1", {"charging_energy_kwh": cars}, {"charging_power_kw": cars}
            )
        for carrier, series in plant.carriers.items():
            own = carrier == "steam" and plant.group.own_boiler
            # steam of one's own is in the gas already
            yield self._carrier(plant.code, carrier, series, "sub" if own else "main")

    def _plain(
        self,
        plant: Plant,
        suffix: str,
        registers: Mapping[str, Series],
        gauges: Mapping[str, Series],
        role: str = "main",
        parent: str | None = None,
    ) -> Meter:
        shown = gauges if self.scenario.meters.gauges != "none" else {}
        return self._meter(
            plant.code,
            f"{plant.code}-{suffix}",
            "electricity",
            role,
            (
                *(self._register(*each) for each in registers.items()),
                *(self._gauge(*each) for each in shown.items()),
            ),
            parent=parent,
        )

    def _carrier(
        self, enterprise: str, carrier: str, series: Series, role: str
    ) -> Meter:
        suffix, name = CARRIERS[carrier]
        channels = [self._register(name, series)]
        if self.scenario.meters.gauges == "all":
            channels.append(self._gauge(_FLOWS[carrier], series))
        return self._meter(
            enterprise, f"{enterprise}-{suffix}", carrier, role, tuple(channels)
        )

    def _monitors(self, plant: Plant) -> Iterator[Meter]:
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
            channels = [self._gauge(f"{carrier}_flow_m3_h", outlet)]
            for name, mean in means.items():
                wander = self._builder.noise.named(plant.code, name)
                found = pollutant(outlet, mean, litres, wander)
                channels.append(self._gauge(f"{name}_{unit}", found.concentration))
                channels.append(self._register(f"{name}_kg", found.mass))
            yield self._meter(
                plant.code, f"{plant.code}-{suffix}", carrier, "main", tuple(channels)
            )

    def _register(self, name: str, series: Series) -> Channel:
        flow = Flow(series, since=self.scenario.since_day)
        self._flows.append(flow)
        return Channel(key=name, kind="register", flow=flow)

    def _gauge(self, name: str, series: Series) -> Channel:
        flow = Flow(series, since=self.scenario.since_day)
        return Channel(key=name, kind="gauge", flow=flow)

    def _meter(
        self,
        enterprise: str,
        code: str,
        carrier: str,
        role: str,
        channels: tuple[Channel, ...],
        parent: str | None = None,
        rated_kw: float | None = None,
    ) -> Meter:
        """Return a meter with what the scenario says of it, or the seed draws."""
        said, seed = self.scenario.meters, self.scenario.seed

        def either_way(most: float, what: str) -> float:
            return round(most * (2 * draw(seed, code, what) - 1), 6)

        grade = dict(said.accuracy_class).get(carrier)  # type: ignore[call-overload]
        ct, pt = (1.0, 1.0)
        if said.transformers and rated_kw is not None:
            ct, pt = _ratios(rated_kw)
        # a secondary register counts slowly, so it shows more decimals
        decimals = said.decimals + (2 if ct * pt > 1 else 0)
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
            decimals=decimals,
            digits=said.digits,
            initial=round(20_000 * draw(seed, code, "initial"), said.decimals),
            ct=ct,
            pt=pt,
            rated_per_h=rated_kw,
            accuracy_class=grade,
            error_ppm=round(either_way(9000 * (grade or 0), "error")),
            clock_offset_s=either_way(said.clock_offset_s, "clock"),
            clock_drift_ppm=either_way(said.clock_drift_ppm, "drift"),
        )
        for other in said.overrides:
            if fnmatchcase(code, other.match):
                meter = replace(
                    meter, **other.model_dump(exclude={"match"}, exclude_none=True)
                )
        return meter

    def _stated(
        self, plant: Plant, first: date, following: date
    ) -> Iterator[Statement]:
        """Yield what an enterprise states of a month."""
        business, seed = self.scenario.business, self.scenario.seed
        number = np.array([first.year * 12 + first.month], dtype=np.int64)
        years = (first - EPOCH.date()).days / 365.2425
        hours = (following - first).days * 24
        usual_mwh = (
            plant.mean_kw
            * hours
            / 1000
            * business.season[first.month - 1]
            * (1 + business.growth_per_year) ** years
        )

        def statement(
            kind: str, product: str | None, unit: str, amount: float
        ) -> Statement:
            drawn = hashed(key(seed, plant.code, kind), number).item()
            spread = 0.0 if kind == "pollutant" else business.noise * (2 * drawn - 1)
            return Statement(
                enterprise=plant.code,
                kind=kind,
                product=product,
                unit=unit,
                first=first,
                following=following,
                amount=round(amount * (1 + spread), 2),
            )

        value = plant.kind.added_value_10k_cny_per_mwh * usual_mwh
        yield statement("added_value", None, "10k_cny", value)
        output = plant.kind.output
        if output is not None:
            amount = output.per_mwh * usual_mwh
            yield statement("output", output.product, output.unit, amount)
        at = np.array([self.midnight(day) for day in (first, following)])
        if at[0] < EPOCH_S + self.scenario.since_day * 86400:
            return
        for monitor in self.monitors:
            for channel in monitor.channels if monitor.enterprise == plant.code else ():
                if channel.kind == "register":
                    begin, end = channel.flow.integral(at).tolist()
                    name = channel.key.removesuffix("_kg")
                    mass_kg = (end - begin) / 3_600_000
                    yield statement("pollutant", name, "kg", mass_kg)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield first day and following first day of the months of ``[first, last)``."""
    while first < last:
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        yield first, following
        first = following


def _enterprise(plant: Plant) -> Enterprise:
    battery, stations = plant.group.battery, plant.group.charging
    return Enterprise(
        code=plant.code,
        name=plant.name,
        archetype=plant.group.archetype,
        size_kw=plant.size_kw,
        pv_kwp=plant.pv_kwp,
        storage_kwh=battery.capacity_kwh if battery else 0.0,
        charging_kw=stations.points * stations.power_kw if stations else 0.0,
        charging_piles=stations.points if stations else 0,
        behind=plant.group.behind,
    )


def _node(plant: Plant) -> Node:
    return Node(net=plant.net, reactive=plant.reactive, signed=plant.signed)


def _sum(below: list[Node], loss: Series) -> Node:
    return Node(
        net=total([*(node.net for node in below), loss]),
        reactive=total([node.reactive for node in below]),
        signed=any(node.signed for node in below),
        below=tuple(node.net for node in below),
        loss=loss,
    )


def _part(of: Series, sign: int) -> Series:
    return _SIGNS[sign](of)


def _quadrant(net: Series, reactive: Series, active: int, lagging: int) -> Series:
    """Return the reactive power of a quadrant; power of 0 counts as taken."""

    def make(number: int) -> Integers:
        inside = (net.chunk(number) >= 0) == (active > 0)
        part: Integers = np.where(inside, lagging * reactive.chunk(number), 0)
        return np.maximum(part, 0)

    return Series(make)


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
