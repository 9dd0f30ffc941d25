"""A park as a YAML file: who is in it, what they have, and how it is metered.

docs/simulator.md explains each word. What is not stated is drawn by the seed.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from simulators import faults, formats
from simulators.archetypes import BDEW, Amount, Archetype, Share, Strict, archetypes
from simulators.errors import SimulatorError
from simulators.load import EPOCH
from simulators.reading import checked, read_yaml
from simulators.weather import CLIMATES

FOLDER = Path(__file__).parent / "scenarios"
_LAST = date(2099, 12, 31)
_OF_A_MACHINE = ("localtime", "posixrules")  # files that mean another zone elsewhere

# not of dots alone, which mean a folder
Code = Annotated[
    str, Field(pattern=r"^[._-]*[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)
]
Metered = Literal[
    "electricity",
    "natural_gas",
    "steam",
    "heat",
    "water",
    "wastewater",
    "compressed_air",
]
Part = Literal["process", "base", "cooling", "charging"]


def _range(value: object) -> object:
    return (value, value) if isinstance(value, int | float) else value


def _format(name: str) -> str:
    formats.named(name)
    return name


Power = Annotated[float, Field(ge=0, le=1_000_000)]  # [kW], counted in whole watts
# a number, or the least and the most of what the seed draws
Range = Annotated[tuple[Power, Power], BeforeValidator(_range)]
Form = Annotated[str, AfterValidator(_format)]
Cadence = Annotated[int, Field(ge=1, le=31 * 86_400)]
Ratio = Annotated[float, Field(gt=0, le=100_000)]


class Battery(Strict):
    """Storage with a schedule that ends each day as it began."""

    power_kw: Annotated[Power, Field(gt=0)]
    capacity_kwh: Annotated[float, Field(gt=0, le=10_000_000)]
    charge: Literal["valley", "sun"] = "valley"
    efficiency: Annotated[float, Field(gt=0.5, le=1)] = 0.88  # there and back


class Charging(Strict):
    """Charging points for vehicles."""

    points: Annotated[int, Field(ge=1, le=10_000)]
    power_kw: Annotated[float, Field(gt=0, le=10_000)] = 60.0  # of each


class Group(Strict):
    """One enterprise, or `count` of a kind."""

    archetype: str
    count: Annotated[int, Field(ge=1, le=2000)] = 1
    code: Code | None = None
    name: str | None = None
    size_kw: Range | None = None
    shifts: str | None = None  # a shape of archetypes.yaml, or bdew/g25
    carriers: tuple[Metered, ...] | None = None
    pv_kwp: Range | None = None
    battery: Battery | None = None
    charging: Charging | None = None
    sub_meters: tuple[Part, ...] = ()
    own_boiler: bool = False  # its steam is made from gas
    monitors: bool = False  # of pollutants
    feeder: Annotated[int, Field(ge=1)] | None = None
    behind: Code | None = None  # tenant behind this enterprise's meter
    replay: Literal["steel_2018"] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Group":
        kinds = archetypes()
        if self.archetype not in kinds.archetypes:
            known = ", ".join(kinds.archetypes)
            raise ValueError(f"archetype {self.archetype!r}: use one of {known}")
        known_shapes = (*kinds.shapes, BDEW)
        if self.shifts is not None and self.shifts not in known_shapes:
            raise ValueError(
                f"shifts {self.shifts!r}: use one of {', '.join(known_shapes)}"
            )
        if self.count > 1 and (self.code or self.name or self.replay):
            raise ValueError("code, name and replay are of one enterprise: no count")
        for word, value in (("size_kw", self.size_kw), ("pv_kwp", self.pv_kwp)):
            if value is not None and value[0] > value[1]:
                raise ValueError(f"a range is [least, most], not {list(value)}")
            if value is not None and value[0] == 0 < value[1]:
                raise ValueError(f"{word}: a range begins above 0, not {list(value)}")
        if self.monitors and not self._outlets(kinds.archetypes[self.archetype]):
            able = [name for name, each in kinds.archetypes.items() if each.monitored]
            raise ValueError(
                f"monitors: this {self.archetype} has no wastewater and no flue gas to "
                f"measure: use one of {', '.join(able)}, with wastewater or natural_gas "
                "among its carriers"
            )
        self._has_what_it_names(kinds.archetypes[self.archetype])
        return self

    def _has_what_it_names(self, kind: Archetype) -> None:
        made = self._made(kind)
        if self.own_boiler and "steam" not in made:
            raise ValueError(f"own_boiler: this {self.archetype} uses no steam")
        if odd := [each for each in self.carriers or () if each not in made]:
            raise ValueError(
                f"carriers: this {self.archetype} uses no {odd[0]} beside electricity: "
                f"use some of {', '.join(sorted(made))}"
            )
        parts = {"process"} if self.replay else {"process", "base"}
        if not self.replay and (kind.cooling_per_k or kind.heating_per_k):
            parts.add("cooling")
        if self.charging:
            parts.add("charging")
        if lacking := [each for each in self.sub_meters if each not in parts]:
            raise ValueError(
                f"sub_meters: this {self.archetype} has no {lacking[0]} to measure: use "
                f"some of {', '.join(sorted(parts))}"
            )

    def _made(self, kind: Archetype) -> set[str]:
        """Return the carriers beside electricity that there can be meters of."""
        made: set[str] = set(kind.carriers)
        if "water" in made:
            made.add("wastewater")
        if self.own_boiler and "steam" in made:
            made.add("natural_gas")
        return made

    def _outlets(self, kind: Archetype) -> set[str]:
        """Return by which carriers this leaves what monitors measure."""
        made = self._made(kind)
        if self.carriers is not None:
            made &= set(self.carriers)
        return kind.monitored & made


class Transformer(Strict):
    """Losses of a feeder's transformer, as shares of its rating."""

    rated_kva: Annotated[Power, Field(gt=0)] | None = None  # else by what it feeds
    no_load: Share = 0.0008
    load: Share = 0.008  # at its rating


class Common(Strict):
    """What the park uses itself: street lights, pumps, greens."""

    power_kw: Power = 0.0
    water_m3_h: Power = 0.0


class Grounds(Strict):
    """What belongs to the park itself."""

    operator: Code = "PARK"
    gate: bool = True  # one meter on all electricity
    feeders: Annotated[int, Field(ge=0, le=100)] = 4
    transformer: Transformer = Transformer()
    line_loss: Share = 0.003  # of the gate's meter before the feeders
    common: Common = Common()


class Override(Strict):
    """Other properties of the meters whose code fits."""

    match: str  # such as E07-*
    format: Form | None = None
    cadence_s: Cadence | None = None
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    digits: Annotated[int, Field(ge=3, le=10)] | None = None
    initial: Amount | None = None
    ct: Ratio | None = None
    pt: Ratio | None = None
    accuracy_class: Annotated[float, Field(gt=0, le=20)] | None = None
    error_ppm: Annotated[int, Field(ge=-500_000, le=500_000)] | None = None
    clock_offset_s: Annotated[float, Field(ge=-86_400, le=86_400)] | None = None
    clock_drift_ppm: Annotated[float, Field(ge=-100_000, le=100_000)] | None = None
    gateway: Code | None = None


class Meters(Strict):
    """How the park is metered, where no override says otherwise."""

    format: Form = "native"
    cadence_s: Cadence = 900
    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    digits: Annotated[int, Field(ge=3, le=10)] = 8
    gateway: bool = True  # each enterprise has one; else meters send by themselves
    transformers: bool = False  # CT and PT by size: the display is secondary
    quadrants: Literal["all", "where_needed"] = "where_needed"
    gauges: Literal["power", "all", "none"] = "power"
    accuracy_class: Mapping[Metered, Annotated[float, Field(gt=0, le=20)]] = {}
    # the most, either way
    clock_offset_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    clock_drift_ppm: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    overrides: tuple[Override, ...] = ()


# those of the registers that factors are multiplied with
_PER = {"electricity": "kWh", "heat": "GJ", "steam": "t"}


class Factor(Strict):
    """CO2 of a carrier, and who says so."""

    value: Amount
    unit: str
    source: str


class Weather(Strict):
    """Where the park is."""

    latitude_deg: Annotated[float, Field(ge=-66, le=66)] = 31.3
    longitude_deg: Annotated[float, Field(ge=-180, le=180)] = 120.6
    climate: str = "humid_subtropical"

    @model_validator(mode="after")
    def _known(self) -> "Weather":
        if self.climate not in CLIMATES:
            raise ValueError(
                f"climate {self.climate!r}: use one of {', '.join(CLIMATES)}"
            )
        return self


class Business(Strict):
    """Added value and output by month, and the years before metering."""

    growth_per_year: Annotated[float, Field(gt=-0.5, lt=1)] = 0.05
    season: Annotated[tuple[Amount, ...], Field(min_length=12, max_length=12)] = (
        *(0.96, 0.78, 1.02, 1.0, 0.99, 1.02),
        *(1.0, 1.0, 1.04, 0.95, 1.06, 1.18),
    )
    noise: Share = 0.03
    # emissions and energy four, three, two and one year before, this year being 1
    before: tuple[Amount, ...] = (1.01, 1.05, 1.03, 1.01)


class Scenario(Strict):
    """A park."""

    code: Code
    name: str
    zone: str = "Asia/Shanghai"
    region: str = "CN-JS"
    country: str = "CN"  # of its holidays
    seed: int = 1
    since: date = EPOCH.date()  # registers begin
    contract_demand_kw: Annotated[float, Field(gt=0)]
    capacity_kva: Annotated[float, Field(gt=0)] | None = None
    weather: Weather = Weather()
    load_growth_per_year: Annotated[float, Field(gt=-0.5, lt=1)] = 0.02
    afternoon_peak: Share = 0.0  # more on workdays around 14:45
    enterprises: Annotated[tuple[Group, ...], Field(min_length=1)]
    park: Grounds = Grounds()
    meters: Meters = Meters()
    business: Business = Business()
    factors: Mapping[Metered, Factor]
    faults: str | Mapping[str, object] | None = None  # read by whoever injects them

    @field_validator("faults")
    @classmethod
    def _kinds_are_known(
        cls, wanted: str | Mapping[str, object] | None
    ) -> str | Mapping[str, object] | None:
        if wanted:
            faults.read({wanted: 1} if isinstance(wanted, str) else wanted)
        return wanted

    @model_validator(mode="after")
    def _makes_sense(self) -> "Scenario":
        try:
            ZoneInfo(self.zone)
            if self.zone in _OF_A_MACHINE:
                raise ZoneInfoNotFoundError(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"zone {self.zone!r} is no time zone: use a name such as Asia/Shanghai"
            ) from error
        if self.country not in holidays.list_supported_countries():
            raise ValueError(f"country {self.country!r}: use a code such as CN or DE")
        if self.since < EPOCH.date():
            raise ValueError(f"since: the simulator begins on {EPOCH:%Y-%m-%d}")
        if self.since > _LAST:
            raise ValueError(
                f"since: {self.since} is after {_LAST}: state a day before"
            )
        if not self.factors:
            raise ValueError(
                "factors: none is stated: name those of the carriers that emit, such "
                "as electricity: {value: 0.5827, unit: kgCO2/kWh, source: ...}"
            )
        for carrier, factor in self.factors.items():
            unit = f"kgCO2/{_PER.get(carrier, 'm3')}"
            if factor.unit != unit:
                raise ValueError(
                    f"factors.{carrier}.unit: {factor.unit!r}: state its value in {unit}"
                )
        codes = [each.code for each in self.enterprises if each.code]
        twice = {code for code in codes if codes.count(code) > 1}
        if twice:
            raise ValueError(
                f"two enterprises have the code {', '.join(sorted(twice))}"
            )
        for number, each in enumerate(self.enterprises):
            if each.feeder is not None and each.feeder > self.park.feeders:
                raise ValueError(
                    f"enterprises.{number}.feeder: {each.feeder}, but the park has "
                    f"{self.park.feeders}"
                )
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of all that the park rests on, the kinds of enterprises too."""
        said = self.model_dump_json() + archetypes().model_dump_json()
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def since_day(self) -> int:
        """UTC days from the epoch to where registers begin: before that local day."""
        return max((self.since - EPOCH.date()) // timedelta(days=1) - 1, 0)


def shipped() -> list[str]:
    """Return the names of the scenarios that come along."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str | Path) -> Scenario:
    """Read a scenario.

    With ``extends: NAME`` a file says only what differs from the one beside it.

    Parameters
    ----------
    name : str or Path
        A file, or the name of one that comes along.

    Raises
    ------
    SimulatorError
        If there is no such file, or it says what cannot be: file, place, what to do.
    """
    path = Path(name)
    if not path.suffix:
        path = FOLDER / f"{name}.yaml"
        if not path.exists():
            known = ", ".join(shipped())
            raise SimulatorError(
                f"no scenario {str(name)!r}: name a file.yaml or one of {known}"
            )
    content = read_yaml(path)
    if isinstance(content, dict) and "extends" in content:
        base = read_yaml(path.parent / f"{content.pop('extends')}.yaml")
        if isinstance(base, dict):
            content = base | content
    return checked(Scenario, content, path)


def read(content: Mapping[str, object], place: str = "scenario") -> Scenario:
    """Return a scenario from what a file would say.

    Raises
    ------
    SimulatorError
        If it says what cannot be.
    """
    return checked(Scenario, content, place)
