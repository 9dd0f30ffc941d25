"""A park compiled from a scenario: who is in it, its meters, and the flow behind each.

All is a pure function of scenario, seed and time. Electricity is one tree: gate,
feeders with their transformers, main meters, and behind these sub-meters and tenants.
At every node a meter's flow is the sum of those below it and the losses between, in
whole watts; import and export are its two signs.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulators import network
from simulators.errors import SimulatorError
from simulators.frame import Frames
from simulators.load import CHUNK_DAYS, EPOCH, EPOCH_S, NODE_S, Flow, count_up
from simulators.meter import Meter
from simulators.metering import CARRIERS, Metering
from simulators.network import Node
from simulators.plant import FLUE_M3_PER_M3, Builder, Plant, behind
from simulators.scenario import Factor, Scenario
from simulators.statements import Past, Statement, months, nothing_made, stated
from simulators.weather import CLIMATES, Weather

_PARTS = {"chiller": "cooling", "chillers": "cooling", "chargers": "charging"}


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
        Those of the meters that measure pollutants; their masses are stated by the
        month too.

    Raises
    ------
    SimulatorError
        If a tenant names an enterprise that is not there, two have the same code, an
        override fits no meter, or a transformer is far too small.
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
        self._metering = Metering(scenario)
        self.plants = self._plants()
        hosts = self._hosts()
        self.nodes: dict[str, Node] = {}
        meters = (
            *self._grid(hosts),
            *(each for plant in self.plants for each in self._metering.behind(plant)),
        )
        self.monitors: tuple[Meter, ...] = tuple(
            each
            for plant in self.plants
            for each in self._metering.monitors(plant, self._builder.noise)
        )
        self.meters = (*meters, *self.monitors)
        self._metering.check_overrides()
        self.enterprises = (*self._operator(), *map(_enterprise, self.plants))
        self._check_codes()

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
            for flow in self._metering.flows:
                flow.integral(at)
            yield (until - first) / max(day - first, 1)

    def trip(self, enterprise: str, part: str, from_s: int, until_s: int) -> str:
        """Let a load of an enterprise fall to 0 for a while; tell what happens.

        It begins to fall at the first node at or after `from_s` and is 0 at the next,
        five minutes later; after `until_s` it comes back alike. So what is before
        stays as it was, between nodes too: a meter may have told it already.

        Raises
        ------
        SimulatorError
            If there is no such enterprise, or it has no such load.
        """
        plants = {plant.code: plant for plant in self.plants}
        if enterprise not in plants:
            raise SimulatorError(f"no enterprise {enterprise!r} in park {self.code}")
        parts = plants[enterprise].parts
        name = _PARTS.get(part, part)
        if name not in parts:
            raise SimulatorError(
                f"{enterprise} has no load {part!r}, but {', '.join(parts)}"
            )
        first, last = (-(-(at - EPOCH_S) // NODE_S) + 1 for at in (from_s, until_s))
        parts[name].cut_off(first, max(last, first + 1))
        for flow in self._metering.flows:
            flow.forget((from_s - EPOCH_S) // 86400)
        return f"{name} of {enterprise} is off for {(until_s - from_s) / 60:.0f} min"

    def power_w(self, subject: str, at_s: int) -> float:
        """Return the power that an enterprise or the park takes at an instant [W]."""
        at = np.array([at_s], dtype=np.int64)
        flows = self.counted(subject).get("energy_import_kwh", [])
        return float(sum(int(flow.rate(at)[0]) for flow in flows))

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

        Notes
        -----
        The park's operator makes nothing: its added value is 0.
        """
        found: list[Statement] = []
        masses = (each for monitor in self.monitors for each in monitor.channels)
        registers = (each.flow for each in masses if each.kind == "register")
        count_up(registers, self.midnight(last))  # else each by itself
        for begin, following in months(first, last):
            found.extend(
                nothing_made(each.code, begin, following)
                for each in self.enterprises
                if each.archetype is None
            )
            for plant in self.plants:
                masses_kg = self._masses_kg(plant.code, begin, following)
                found.extend(stated(self.scenario, plant, begin, following, masses_kg))
        return found

    def balances(self, first: date, last: date) -> list[Statement]:
        """Return what enterprises state of pollutants that no monitor of theirs counts.

        By the month: what flowed times the usual concentration of their kind; 0 where
        nothing flows or nothing is in it. Of the pollutants that any monitor of the park
        counts, for months after registers begin.
        """
        counted = {
            (monitor.enterprise, channel.key.removesuffix("_kg"))
            for monitor in self.monitors
            for channel in monitor.channels
            if channel.kind == "register"
        }
        names = sorted({name for _, name in counted})
        outlets = {
            each.code: self._outlets(each.code) for each in self.enterprises if names
        }
        count_up(
            (flow for of in outlets.values() for flow, _ in of.values()),
            self.midnight(last),
        )
        return [
            Statement(
                enterprise=code,
                kind="pollutant",
                product=name,
                unit="kg",
                first=begin,
                following=following,
                amount=round(
                    self._flowed(of[name][0], begin, following) * of[name][1], 2
                )
                if name in of
                else 0.0,
            )
            for begin, following in months(first, last)
            if self.midnight(begin) >= EPOCH_S + self.scenario.since_day * 86400
            for code, of in outlets.items()
            for name in names
            if (code, name) not in counted
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
        codes = [self.code, self.scenario.park.operator, *(each.code for each in made)]
        twice = {code for code in codes if codes.count(code) > 1}
        if twice:
            raise SimulatorError(
                f"park, operator and enterprises: two have the code "
                f"{', '.join(sorted(twice))}; enterprises without one are E01, E02 … "
                "by their place, so state another"
            )
        return tuple(made)

    def _check_codes(self) -> None:
        """Refuse what a command or a row of the truth could not tell apart."""
        found = Counter(
            [
                *(each.code for each in self.enterprises),
                *(each.code for each in self.meters),
                *{each.gateway for each in self.meters if each.gateway is not None},
                self.code,
            ]
        )
        if twice := [code for code, times in found.items() if times > 1]:
            raise SimulatorError(
                f"code {', '.join(sorted(twice))}: an enterprise and a meter or gateway "
                "would both have it; state another"
            )

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

    def _grid(self, hosts: Mapping[str, str]) -> Iterator[Meter]:
        """Build gate and feeders over the enterprises; yield the meters, top first."""
        park = self.scenario.park
        mains = {plant.code: network.main(plant) for plant in self.plants}
        fed = self._fed([plant for plant in self.plants if plant.code not in hosts])
        gate = f"{park.operator}-G" if park.gate else None
        above = dict.fromkeys(mains, gate)
        top: dict[str, Node] = {}
        for feeder, codes in fed.items():
            top[feeder] = network.feeder(
                [mains[code] for code in codes], park.transformer
            )
            above |= dict.fromkeys(codes, feeder)
        roles = dict.fromkeys(top, "park")
        if park.common.power_kw:
            code, peak_w = f"{park.operator}-M1", park.common.power_kw * 1000
            series = self._builder.common(park.operator, "electricity", peak_w)
            top[code] = network.lamps(series, park.common.power_kw)
            roles[code] = "main"
        if gate is not None:
            direct = [mains[code] for code in mains if code not in hosts]
            below = [*top.values(), *(direct if not fed else ())]
            node = network.gate(below, park.line_loss)
            yield self._electric(park.operator, gate, node, "park", None)
        for code, node in top.items():
            yield self._electric(park.operator, code, node, roles[code], gate)
        for code, node in mains.items():
            upper = f"{hosts[code]}-M1" if code in hosts else above[code]
            yield self._electric(code, f"{code}-M1", node, "main", upper)
        if park.common.water_m3_h:
            peak = park.common.water_m3_h * 1000
            series = self._builder.common(park.operator, "water", peak)
            yield self._metering.carrier(park.operator, "water", series)

    def _fed(self, direct: list[Plant]) -> dict[str, list[str]]:
        """Return the codes of the enterprises on each feeder."""
        park = self.scenario.park
        fed: dict[str, list[str]] = {
            f"{park.operator}-F{number}": [] for number in range(1, park.feeders + 1)
        }
        for number, plant in enumerate(direct if fed else ()):
            place = plant.group.feeder or number % park.feeders + 1
            fed[f"{park.operator}-F{place}"].append(plant.code)
        return fed

    def _electric(
        self, enterprise: str, code: str, node: Node, role: str, parent: str | None
    ) -> Meter:
        self.nodes[code] = node
        return self._metering.electric(enterprise, code, node, role, parent)

    def _masses_kg(self, code: str, first: date, following: date) -> dict[str, float]:
        """Return what an enterprise's monitors counted; nothing before they began."""
        if self.midnight(first) < EPOCH_S + self.scenario.since_day * 86400:
            return {}
        return {
            channel.key.removesuffix("_kg"): self._flowed(
                channel.flow, first, following
            )
            for monitor in self.monitors
            for channel in monitor.channels
            if monitor.enterprise == code and channel.kind == "register"
        }

    def _flowed(self, flow: Flow, first: date, following: date) -> float:
        # each end alone: asked for both, a flow goes through all that is between
        begin, end = (
            int(flow.integral(np.array([self.midnight(day)], dtype=np.int64))[0])
            for day in (first, following)
        )
        return (end - begin) / 3_600_000

    def _outlets(self, code: str) -> dict[str, tuple[Flow, float]]:
        """Return by pollutant the flow of an enterprise it goes with, and kg in a m³."""
        kind = next((each.kind for each in self.plants if each.code == code), None)
        if kind is None:
            return {}
        flows = self.counted(code)
        means = (
            ("wastewater_m3", kind.water_mg_l, 1e-3),
            ("natural_gas_m3", kind.flue_mg_m3, 1e-6 * FLUE_M3_PER_M3),
        )
        return {
            name: (flows[key][0], mean * per_m3)
            for key, by_name, per_m3 in means
            if key in flows
            for name, mean in by_name.items()
        }


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
