"""The figures of a period and their cuts: energy, carbon, intensity."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from analytics.jobs import figures as job
from api.answer import CSV_TOO, table
from api.asking import AskedDays, AskedSubject, Conn, Format, Grain, KnownOn, Set
from api.models import Carbon, Energy, Figures, Intensity, SeriesRow, Shares

router = APIRouter(prefix="/parks/{park}", tags=["figures"])

UNITS = {
    "energy_kwh": "kWh",
    "peak_demand_kw": "kW",
    "peak_sliding_kw": "kW",
    "contract_demand_kw": "kW",
    "tce": "tce",
    "co2_t": "tCO2",
    "added_value_10k_cny": "10^4 CNY",
    "tce_per_10k_cny": "tce/10^4 CNY",
    "co2_t_per_10k_cny": "tCO2/10^4 CNY",
    "load_factor": "1",
    "power_factor": "1",
    "coverage": "1",
}
_HEAD = [(field.alias or name) for name, field in Shares.model_fields.items()]
_LINE = ["carrier", "amount", "unit", "factor", "factor_value", "factor_unit"]
_LINE += ["data_year", "result_t", "coverage"]


def _figures(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    settings: Set,
    known_on: KnownOn,
    grain: Grain = "day",
) -> dict[str, Any]:
    found = job.figures(
        conn,
        subject,
        days.first,
        days.last,
        grain=grain,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )
    return {**found, "units": UNITS}


Asked = Annotated[dict[str, Any], Depends(_figures, scope="function")]


def _cut(found: dict[str, Any], names: list[str], parents: list[str]) -> dict[str, Any]:
    units = [*names, *found["intensity"]] if "intensity" in names else names
    return {
        **{name: found[name] for name in [*_HEAD, *names]},
        "units": {name: UNITS[name] for name in units if name in UNITS},
        "parentage": {name: found["parentage"][name] for name in parents},
    }


@router.get("/figures", response_model=Figures)
def everything(found: Asked) -> Any:
    """Give all figures of local days [from, to), as known now or on a date."""
    return found


@router.get("/energy", response_model=Energy, responses=CSV_TOO)
def energy(found: Asked, form: Format = "json") -> Any:
    """Give energy by quantity, tonnes of coal equivalent by basis, and the series."""
    if form == "csv":
        return table(
            f"{found['park']}-energy", list(SeriesRow.model_fields), found["series"]
        )
    return _cut(found, ["energy_kwh", "amounts", "tce", "grain", "series"], ["tce"])


@router.get("/carbon", response_model=Carbon, responses=CSV_TOO)
def carbon(found: Asked, form: Format = "json") -> Any:
    """Give tonnes of CO2 by method with the factors used."""
    if form == "csv":
        rows = [
            {"method": method, **line, "coverage": found["coverage"]}
            for method, lines in found["parentage"]["co2_t"].items()
            for line in lines
        ]
        return table(f"{found['park']}-carbon", ["method", *_LINE], rows)
    return _cut(found, ["co2_t"], ["co2_t"])


@router.get("/intensity", response_model=Intensity, responses=CSV_TOO)
def intensity(found: Asked, form: Format = "json") -> Any:
    """Give energy and carbon per 10⁴ CNY of added value, ratios of sums."""
    if form == "csv":
        rows = [
            {
                "figure": name,
                "basis": basis,
                "value": value,
                "unit": UNITS[name],
                "coverage": found["coverage"],
            }
            for name in ("tce_per_10k_cny", "co2_t_per_10k_cny")
            for basis, value in found["intensity"][name].items()
        ]
        columns = ["figure", "basis", "value", "unit", "coverage"]
        return table(f"{found['park']}-intensity", columns, rows)
    return _cut(found, ["intensity"], ["tce", "co2_t"])
