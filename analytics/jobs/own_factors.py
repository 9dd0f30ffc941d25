"""Factors of a park's or an enterprise's own, which stand in for the shipped ones."""

from datetime import date
from typing import Any

from analytics import carbon, energy
from analytics.jobs import factors
from analytics.jobs.activities import PRODUCTS, items
from store.database import Connection
from store.errors import Invalid
from store.factors import record_local_factor
from store.records import Subject

KGCE_MJ = 29.3076  # heat of 1 kgce, low heating value
# what an own factor may stand in for, by kind
BASES = {
    "co2": ("net_calorific", "default", "carbonate", "process", "grid_average"),
    "energy": ("calorific", "equal_value", "equal_value_medium"),
}
_SCALES = {"co2": carbon.UNIT_SCALE, "energy": energy.UNIT_SCALE}
_CANONICAL = {"electricity": "kwh", "heat": "gj"}


def record(
    conn: Connection,
    subject: Subject,
    *,
    kind: str,
    carrier: str,
    basis: str,
    value: float,
    unit: str,
    valid_from: date,
    valid_to: date | None = None,
    source: str,
    evidence: str | None = None,
    note: str | None = None,
    who: str,
) -> str:
    """Record a factor of a park or an enterprise; give its code.

    It stands in for the shipped factor of the same kind, carrier and basis in each month
    that begins in [valid_from, valid_to). That of an enterprise goes before its park's.

    Raises
    ------
    Invalid
        For a kind, basis, carrier or unit that no method takes, a factor below 0, one of 0
        or next to it without evidence, or an empty validity.
    """
    if subject.kind == "meter":
        raise Invalid("a factor is of a park or an enterprise, not of a meter")
    if basis not in BASES.get(kind, ()):
        known = ", ".join(f"{k} {b}" for k, each in BASES.items() for b in each)
        raise Invalid(
            f"no method takes own factors of {kind[:20]} {basis[:70]}: {known}"
        )
    canonical = _unit(carrier)
    if (basis == "process") != (carrier in PRODUCTS):
        raise Invalid(f"{carrier} has no factor of basis {basis}")
    if (unit, canonical) not in _SCALES[kind]:
        fitting = [each for each, of in _SCALES[kind] if of == canonical]
        raise Invalid(
            f"the factor of {carrier} is in {', '.join(fitting)}, not {unit[:40]}"
        )
    if not 0 <= value < 1e6:
        raise Invalid(f"{value} is no factor")
    if (
        value < _least(kind, carrier, basis, unit, canonical)
        and not (evidence or "").strip()
    ):
        raise Invalid("a factor of 0, or next to it, needs evidence")
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid(f"the validity {valid_from} to {valid_to} is empty")
    if not source.strip() or not who.strip():
        raise Invalid("a factor needs a source and a person")
    owner = subject.enterprise or subject.park.code
    code = f"{basis}/{owner}/{carrier}/{valid_from}"
    record_local_factor(
        conn,
        subject.subject_id,
        code,
        kind=kind,
        carrier=carrier,
        basis=basis,
        region="own",
        valid_from=valid_from,
        valid_to=valid_to,
        value=value,
        unit=unit,
        source=source,
        evidence=evidence,
        note=note,
        who=who,
    )
    return code


def _least(kind: str, carrier: str, basis: str, unit: str, canonical: str) -> float:
    """Give the factor [unit] below which one is next to 0: a tenth of any shipped; ours."""
    scales = _SCALES[kind]
    shipped = [
        row["value"] * scales[row["unit"], canonical]
        for row in factors.shipped()
        if (row["kind"], row["carrier"], row["basis"]) == (kind, carrier, basis)
        and row["value"] > 0
    ]
    return max(0.1 * min(shipped, default=0.0) / scales[unit, canonical], 5e-324)


def record_ncv(
    conn: Connection,
    subject: Subject,
    *,
    carrier: str,
    ncv_gj: float,
    valid_from: date,
    valid_to: date | None = None,
    source: str,
    who: str,
) -> list[str]:
    """Record a fuel's measured net calorific value as its factors of energy and carbon.

    Parameters
    ----------
    ncv_gj
        [GJ/t], of gases [GJ/10⁴ Nm³].

    Notes
    -----
    Coal equivalent: NCV / 29.3076 GJ/tce (GB/T 2589). CO2: NCV × C × OF × 44/12 with
    carbon per heat and oxidation of GB/T 32151.34-2024 Table C.1.

    Raises
    ------
    Invalid
        For a fuel without carbon per heat in that table, or a value that is none.
    """
    for row in factors.shipped():
        if row["basis"] == "net_calorific" and row["carrier"] == carrier:
            break
    else:
        raise Invalid(
            f"{carrier[:70]} is not in Table C.1 of GB/T 32151.34, which has carbon per "
            "heat: state its factors instead"
        )
    if not 0 < ncv_gj < 1e4:
        raise Invalid(f"{ncv_gj} GJ is no calorific value")
    gas = _unit(carrier) == "m3"
    tonnes = carbon.fuel_factor_t_per_unit(
        ncv_gj, row["carbon_tc_per_gj"], row["oxidation"]
    )
    note = (
        f"NCV {ncv_gj:g} GJ measured × {row['carbon_tc_per_gj']} tC/GJ × "
        f"{row['oxidation']} × 44/12"
    )
    # GJ/t is MJ/kg; GJ/10⁴ m³ is 0.1 MJ/m³
    kgce = ncv_gj / KGCE_MJ / (10 if gas else 1)
    common: dict[str, Any] = {"valid_from": valid_from, "valid_to": valid_to}
    return [
        record(
            conn,
            subject,
            kind="co2",
            carrier=carrier,
            basis="net_calorific",
            value=float(tonnes),
            unit="tCO2/10^4 Nm3" if gas else "tCO2/t",
            source=source,
            note=note,
            who=who,
            **common,
        ),
        record(
            conn,
            subject,
            kind="energy",
            carrier=carrier,
            basis="calorific",
            value=kgce,
            unit="kgce/m3" if gas else "kgce/kg",
            source=source,
            note=f"NCV {ncv_gj:g} GJ measured / 29.3076 GJ/tce",
            who=who,
            **common,
        ),
    ]


def _unit(carrier: str) -> str:
    if carrier in _CANONICAL:
        return _CANONICAL[carrier]
    known = items().get(carrier)
    if known is None or known.uses == ("released",) or carrier == "steam":
        raise Invalid(f"{carrier[:70]!r} has no factor of one's own")
    return known.unit
