"""The figures that can be explained: unit, formula, what they rest on."""

from dataclasses import dataclass
from typing import Any

from analytics.jobs import accounting
from analytics.jobs.methods import of_kind
from store.errors import Invalid
from store.quantities import QUANTITIES

ENERGY = ("energy_import",)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that can be explained."""

    name: str
    unit: str
    formula: str  # as docs/figures.md has it
    quantities: tuple[str, ...]  # of the catalogue, that it rests on
    path: tuple[str, ...]  # in the answer of `figures`
    account: tuple[str, str] | None = None  # kind and method, of accounts
    stated: bool = False  # rests on added value


_DEMAND = {
    "peak_demand_kw": ("kW", "max over windows of E / t"),
    "peak_sliding_kw": (
        "kW",
        "max over the windows of E / t, at steps of one minute",
    ),
    "sliding_coverage": (
        "1",
        "Share of the quarter hours that have passed whose sliding demand is known",
    ),
    "load_factor": (
        "1",
        "mean of demand / maximum of demand, both of the fixed windows of the rule's "
        "length that are covered",
    ),
    "coverage": ("1", "seconds known / seconds expected of `energy_kwh`"),
    "measured_share": ("1", "seconds known / seconds expected of `energy_kwh`"),
    "estimated_share": ("1", "seconds known / seconds expected of `energy_kwh`"),
    "missing_share": ("1", "seconds known / seconds expected of `energy_kwh`"),
}
_REGISTER = (
    "Σ (register at the end − register at the beginning) × multiplier, split at interval "
    "edges"
)
_ACCOUNTS = {
    "tce": ("energy", "tce", "Σ amount × coefficient"),
    "co2_t": ("co2", "tCO2", "Σ amount × factor"),
}


def known_figures() -> dict[str, Figure]:
    """Give the figures that can be explained by name."""
    found = [
        Figure(
            name="energy_kwh",
            unit="kWh",
            formula=_REGISTER,
            quantities=ENERGY,
            path=("energy_kwh",),
        ),
        *(
            Figure(name=name, unit=unit, formula=how, quantities=ENERGY, path=(name,))
            for name, (unit, how) in _DEMAND.items()
        ),
        Figure(
            name="power_factor",
            unit="1",
            formula="P / √(P² + Q²)",
            quantities=("energy_import", "reactive_energy_q1"),
            path=("power_factor",),
        ),
        Figure(
            name="contract_demand_kw",
            unit="kW",
            formula="contract demand that holds at the end of the period",
            quantities=(),
            path=("contract_demand_kw",),
        ),
        Figure(
            name="added_value_10k_cny",
            unit="10^4 CNY",
            formula="the sum of its enterprises over the sum of their added value",
            quantities=(),
            path=("intensity", "added_value_10k_cny"),
            stated=True,
        ),
        *(
            Figure(
                name=f"amounts.{each.name}",
                unit=each.unit,
                formula=_REGISTER,
                quantities=(each.name,),
                path=("amounts", each.name, "amount"),
            )
            for each in QUANTITIES.values()
            if each.kind == "register"
        ),
    ]
    for name, (kind, unit, formula) in _ACCOUNTS.items():
        for method in of_kind(kind):
            common: dict[str, Any] = {
                "quantities": accounting.COUNTED,
                "account": (name, method.name),
            }
            found.append(
                Figure(
                    name=f"{name}.{method.name}",
                    unit=unit,
                    formula=formula,
                    path=(name, method.name),
                    **common,
                )
            )
            ratio = f"{name}_per_10k_cny"
            found.append(
                Figure(
                    name=f"{ratio}.{method.name}",
                    unit=f"{unit}/10^4 CNY",
                    formula=f"`{ratio}` = {name} / added value",
                    path=("intensity", ratio, method.name),
                    stated=True,
                    **common,
                )
            )
    return {each.name: each for each in found}


def figure_named(name: str) -> Figure:
    """Find a figure.

    Raises
    ------
    Invalid
        With the list of figures where there is none of this name.
    """
    known = known_figures()
    if name not in known:
        raise Invalid(f"figure {name[:70]!r} is none of {', '.join(known)}")
    return known[name]
