"""The catalogue of quantities: what a wire key means, its unit, kind and carrier.

A key on the wire is ``{quantity}_{unit}`` for registers and gauges and
``{quantity}_delta_{unit}`` for interval amounts. Each quantity has one canonical
unit, in which values are stored; the other units of the same dimension are accepted
and scaled.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["register", "delta", "gauge"]
Direction = Literal["consumption", "export", "generation", "none"]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One measurable quantity."""

    name: str  # as in the key, without the unit
    kind: Literal["register", "gauge"]
    unit: str  # canonical unit, as in the key; "" for a pure number
    carrier: str  # what it counts as: electricity, natural_gas, water, ...
    direction: Direction  # how it enters the carrier's balance
    meaning: str

    @property
    def flow(self) -> str:
        """What flow it measures: by flows meters stand above one another.

        All that is exchanged of a carrier with what lies above is one flow, both ways: a
        feed behind a meter that has no register of it stays behind it all the same. What
        is made, stored or charged of electricity comes to that point as part of it, and is
        a flow of its own. So is each pollutant: its mass is no part of what carries it.
        """
        return _APART.get(self.name, self.carrier)


# measured at the outlet, in kg and as a concentration
POLLUTANTS = ("cod", "nh3_n", "so2", "nox")

# concentration -> the flow that carries it, g in a m³ of its unit
CARRIED: dict[str, tuple[str, float]] = {
    "cod_concentration": ("wastewater_flow", 1.0),
    "nh3_n_concentration": ("wastewater_flow", 1.0),
    "so2_concentration": ("flue_gas_flow", 1e-3),
    "nox_concentration": ("flue_gas_flow", 1e-3),
}
# gauges of which masses are made
OF_LOADS = frozenset([*CARRIED, *(flow for flow, _ in CARRIED.values())])

_APART: dict[str, str] = {
    "pv_generation": "pv_generation",
    "pv_power": "pv_generation",
    "storage_charge": "storage",
    "storage_discharge": "storage",
    "storage_power": "storage",
    "state_of_charge": "storage",
    "charging_energy": "charging",
    "charging_power": "charging",
    **{
        name: pollutant
        for pollutant in POLLUTANTS
        for name in (pollutant, f"{pollutant}_concentration")
    },
}


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a wire key stands for: a quantity, its kind and the scale to its unit."""

    quantity: Quantity
    kind: Kind
    scale: float  # canonical = value on the wire x scale

    @property
    def low(self) -> float | None:
        """The least value that the quantity can have, canonical; None: any."""
        return BOUNDS.get(self.quantity.name, (None, 0.0))[0]

    @property
    def high(self) -> float:
        """The highest value, where there is a least one."""
        return BOUNDS.get(self.quantity.name, (None, 0.0))[1]


# canonical; what lies outside is no such quantity, whoever sends it
BOUNDS: dict[str, tuple[float, float]] = {
    "power_factor": (-1.0, 1.0),
    "state_of_charge": (0.0, 100.0),
    "frequency": (0.0, 1000.0),
}


# canonical unit -> {unit on the wire: factor to the canonical unit}
UNITS: dict[str, dict[str, float]] = {
    "": {"": 1.0},
    "kwh": {"kwh": 1.0, "wh": 1e-3, "mwh": 1e3},
    "kvarh": {"kvarh": 1.0, "varh": 1e-3, "mvarh": 1e3},
    "kw": {"kw": 1.0, "w": 1e-3, "mw": 1e3},
    "kvar": {"kvar": 1.0, "var": 1e-3, "mvar": 1e3},
    "kva": {"kva": 1.0, "va": 1e-3, "mva": 1e3},
    "v": {"v": 1.0, "kv": 1e3},
    "a": {"a": 1.0, "ka": 1e3},
    "hz": {"hz": 1.0},
    "percent": {"percent": 1.0},
    "m3": {"m3": 1.0, "l": 1e-3},
    "m3_h": {"m3_h": 1.0, "l_h": 1e-3, "m3_s": 3600.0, "l_s": 3.6},
    "kg": {"kg": 1.0, "g": 1e-3, "t": 1e3},
    "mg_l": {"mg_l": 1.0, "ug_l": 1e-3},
    "mg_m3": {"mg_m3": 1.0, "ug_m3": 1e-3},
    "t": {"t": 1.0, "kg": 1e-3},
    "t_h": {"t_h": 1.0, "kg_h": 1e-3},
    "gj": {"gj": 1.0, "mj": 1e-3},
    "gj_h": {"gj_h": 1.0, "mj_h": 1e-3},
}


def _register(
    name: str, unit: str, carrier: str, direction: Direction, meaning: str
) -> Quantity:
    return Quantity(
        name=name,
        kind="register",
        unit=unit,
        carrier=carrier,
        direction=direction,
        meaning=meaning,
    )


def _gauge(name: str, unit: str, carrier: str, meaning: str) -> Quantity:
    return Quantity(
        name=name,
        kind="gauge",
        unit=unit,
        carrier=carrier,
        direction="none",
        meaning=meaning,
    )


_CATALOGUE: tuple[Quantity, ...] = (
    _register(
        "energy_import", "kwh", "electricity", "consumption", "active energy taken"
    ),
    _register("energy_export", "kwh", "electricity", "export", "active energy given"),
    _register(
        "reactive_energy_q1",
        "kvarh",
        "electricity",
        "none",
        "reactive energy, quadrant I: import, lagging (inductive)",
    ),
    _register(
        "reactive_energy_q2",
        "kvarh",
        "electricity",
        "none",
        "reactive energy, quadrant II: export, leading",
    ),
    _register(
        "reactive_energy_q3",
        "kvarh",
        "electricity",
        "none",
        "reactive energy, quadrant III: export, lagging",
    ),
    _register(
        "reactive_energy_q4",
        "kvarh",
        "electricity",
        "none",
        "reactive energy, quadrant IV: import, leading (capacitive)",
    ),
    _gauge("power", "kw", "electricity", "active power, import positive"),
    _gauge("reactive_power", "kvar", "electricity", "reactive power, lagging positive"),
    _gauge("apparent_power", "kva", "electricity", "apparent power"),
    _gauge("voltage", "v", "electricity", "voltage, single phase or mean"),
    _gauge("voltage_a", "v", "electricity", "voltage, phase A to neutral"),
    _gauge("voltage_b", "v", "electricity", "voltage, phase B to neutral"),
    _gauge("voltage_c", "v", "electricity", "voltage, phase C to neutral"),
    _gauge("current", "a", "electricity", "current, single phase or mean"),
    _gauge("current_a", "a", "electricity", "current, phase A"),
    _gauge("current_b", "a", "electricity", "current, phase B"),
    _gauge("current_c", "a", "electricity", "current, phase C"),
    _gauge("power_factor", "", "electricity", "power factor, -1 to 1"),
    _gauge("frequency", "hz", "electricity", "mains frequency"),
    _register(
        "natural_gas",
        "m3",
        "natural_gas",
        "consumption",
        "natural gas, volume at the meter's reference conditions",
    ),
    _gauge("natural_gas_flow", "m3_h", "natural_gas", "natural gas flow"),
    _register("water", "m3", "water", "consumption", "fresh water"),
    _gauge("water_flow", "m3_h", "water", "fresh water flow"),
    _register("wastewater", "m3", "wastewater", "none", "wastewater discharged"),
    _gauge("wastewater_flow", "m3_h", "wastewater", "wastewater flow"),
    _register("cod", "kg", "wastewater", "none", "chemical oxygen demand discharged"),
    _gauge("cod_concentration", "mg_l", "wastewater", "chemical oxygen demand"),
    _register("nh3_n", "kg", "wastewater", "none", "ammonia nitrogen discharged"),
    _gauge("nh3_n_concentration", "mg_l", "wastewater", "ammonia nitrogen"),
    _gauge(
        "flue_gas_flow",
        "m3_h",
        "flue_gas",
        "flue gas flow, dry at standard state (273 K, 101 325 Pa)",
    ),
    _register("so2", "kg", "flue_gas", "none", "sulphur dioxide emitted"),
    _gauge(
        "so2_concentration",
        "mg_m3",
        "flue_gas",
        "sulphur dioxide, in the state of the flow",
    ),
    _register("nox", "kg", "flue_gas", "none", "nitrogen oxides emitted, as NO2"),
    _gauge(
        "nox_concentration",
        "mg_m3",
        "flue_gas",
        "nitrogen oxides as NO2, in the state of the flow",
    ),
    _register("steam", "t", "steam", "consumption", "steam by mass"),
    _gauge("steam_flow", "t_h", "steam", "steam flow"),
    _register("heat", "gj", "heat", "consumption", "heat (hot water or steam)"),
    _gauge("heat_flow", "gj_h", "heat", "heat flow"),
    _register("steam_export", "t", "steam", "export", "steam given to others, by mass"),
    _register("heat_export", "gj", "heat", "export", "heat given to others"),
    _register(
        "compressed_air", "m3", "compressed_air", "consumption", "compressed air"
    ),
    _gauge("compressed_air_flow", "m3_h", "compressed_air", "compressed air flow"),
    _register("coal", "t", "coal", "consumption", "raw coal burnt"),
    _register("coke", "t", "coke", "consumption", "coke used"),
    _register("fuel_oil", "t", "fuel_oil", "consumption", "fuel oil burnt"),
    _register("diesel", "t", "diesel", "consumption", "diesel burnt"),
    _register("gasoline", "t", "gasoline", "consumption", "gasoline burnt"),
    _register("lpg", "t", "lpg", "consumption", "liquefied petroleum gas burnt"),
    _register("lng", "t", "lng", "consumption", "liquefied natural gas burnt"),
    _register(
        "pv_generation", "kwh", "electricity", "generation", "photovoltaic generation"
    ),
    _gauge("pv_power", "kw", "electricity", "photovoltaic power"),
    _register(
        "storage_charge", "kwh", "electricity", "none", "energy charged into storage"
    ),
    _register(
        "storage_discharge", "kwh", "electricity", "none", "energy taken from storage"
    ),
    _gauge("storage_power", "kw", "electricity", "storage power, charging positive"),
    _gauge("state_of_charge", "percent", "electricity", "storage state of charge"),
    _register(
        "charging_energy", "kwh", "electricity", "none", "energy of charging points"
    ),
    _gauge("charging_power", "kw", "electricity", "power of charging points"),
)

QUANTITIES: dict[str, Quantity] = {each.name: each for each in _CATALOGUE}


def _keys() -> dict[str, Key]:
    keys: dict[str, Key] = {}
    for quantity in _CATALOGUE:
        for unit, scale in UNITS[quantity.unit].items():
            tail = f"_{unit}" if unit else ""
            forms: list[tuple[str, Kind]] = [(quantity.name + tail, quantity.kind)]
            if quantity.kind == "register":
                forms.append((f"{quantity.name}_delta{tail}", "delta"))
            for name, kind in forms:
                if name in keys:
                    raise ValueError(f"wire key {name!r} has two meanings")
                keys[name] = Key(quantity=quantity, kind=kind, scale=scale)
    return keys


KEYS: dict[str, Key] = _keys()
