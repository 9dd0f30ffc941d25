"""Kinds of enterprises, read from ``archetypes.yaml``: how they use energy, and for what.

The shares, shapes and prices are ours, chosen to look like such plants; they are no
statistics of real ones.
"""

import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.errors import SimulatorError
from simulators.load import NODE_S
from simulators.reading import checked, read_yaml
from simulators.series import Float64

FILE = Path(__file__).parent / "archetypes.yaml"
DAY_KINDS = ("workday", "saturday", "sunday", "holiday")

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Hours = Annotated[tuple[Share, ...], Field(min_length=24, max_length=24)]
Carrier = Literal["natural_gas", "steam", "heat", "water", "compressed_air"]


class Strict(BaseModel):
    """What is read from a file: nothing unknown or infinite, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Shape(Strict):
    """Share of the highest activity at each full hour, straight between."""

    workday: Hours
    saturday: Hours
    sunday: Hours
    holiday: Hours

    def course(self) -> Float64:
        """Return the share at every node of each kind of day, (4, 288)."""
        hours = np.arange(0, 24, NODE_S / 3600)
        return np.array(
            [
                np.interp(hours, np.arange(25), (*row, row[0]))
                for row in (getattr(self, kind) for kind in DAY_KINDS)
            ]
        )


class Use(Strict):
    """How much of a carrier goes with the electricity of production."""

    per_mwh: Amount = 0.0  # [unit/MWh]
    heating_per_k: Amount = 0.0  # [unit/h] for each MW of size and K below 15 °C


class Bursts(Strict):
    """Machines that come and go: furnaces, presses."""

    share: Share  # of the size
    minutes: Annotated[float, Field(ge=20)]


class Product(Strict):
    """What is made, and how much of it with a MWh."""

    product: str
    unit: str
    per_mwh: Amount


class Archetype(Strict):
    """A kind of enterprise."""

    makes: Annotated[tuple[str, ...], Field(min_length=1)]
    size_kw: tuple[float, float]
    shape: str
    base: Share  # of the size, never rests
    cooling_per_k: Share = 0.0  # of the size, for each K above 18 °C
    heating_per_k: Share = 0.0  # 〃 below 15 °C, by heat pumps
    bursts: Bursts | None = None
    power_factor: Annotated[float, Field(gt=0.5, le=1)]
    carriers: Mapping[Carrier, Use] = {}
    wastewater: Share = 0.8  # of the water
    added_value_10k_cny_per_mwh: Amount
    output: Product | None = None
    water_mg_l: Mapping[Literal["cod", "nh3_n"], Amount] = {}
    flue_mg_m3: Mapping[Literal["so2", "nox"], Amount] = {}

    @property
    def monitored(self) -> set[str]:
        """Return the carriers whose pollutants monitors can measure."""
        of = {"wastewater": self.water_mg_l, "natural_gas": self.flue_mg_m3}
        return {carrier for carrier, means in of.items() if means}


class Archetypes(Strict):
    """All that the file says."""

    shapes: Mapping[str, Shape]
    archetypes: Mapping[str, Archetype]

    @model_validator(mode="after")
    def _shapes_are_known(self) -> "Archetypes":
        for name, each in self.archetypes.items():
            if each.shape not in self.shapes:
                raise ValueError(f"{name} names the shape {each.shape!r}; add it")
        return self


@cache
def archetypes(path: Path = FILE) -> Archetypes:
    """Return the kinds of enterprises.

    Raises
    ------
    SimulatorError
        If the file is not what it should be.
    """
    return checked(Archetypes, read_yaml(path), path)


# trade at large, standard load profile of the German association BDEW, 2025
BDEW = "bdew/g25"


@cache
def shape(name: str) -> Shape:
    """Return a shape of the file, or `BDEW` of the package ``demandlib``.

    Of a profile the mean over the year counts.

    Raises
    ------
    SimulatorError
        If the extra ``simulate`` is not installed.
    """
    if name != BDEW:
        return archetypes().shapes[name]
    try:
        import pandas
        from demandlib.bdew import G25
    except ImportError as error:
        raise SimulatorError(
            f"the shape {name} needs demandlib: install parkwatt[simulate]"
        ) from error
    hours = pandas.date_range("2025-01-01", "2025-12-31 23:00", freq="h")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas gives notice of what demandlib uses
        profile = G25(hours).to_numpy().reshape(-1, 24)
    weekday = hours.day_of_week.to_numpy()[::24]
    kinds = (weekday < 5, weekday == 5, weekday == 6, weekday == 6)
    means = np.array([profile[kind].mean(axis=0) for kind in kinds])
    shares = np.round(means / means.max(), 4).tolist()
    return Shape.model_validate(dict(zip(DAY_KINDS, shares, strict=True)))
