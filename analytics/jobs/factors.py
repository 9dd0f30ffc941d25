"""The shipped factor tables, read from YAML and recorded in the store."""

import math
from typing import Any

import globalwarmingpotentials

from analytics.jobs.shipped import contents
from store.database import Connection
from store.factors import record_factors

# basis → table of the package
WARMING = {
    "gwp100_ar4": "AR4GWP100",
    "gwp100_ar5": "AR5GWP100",
    "gwp100_ar5_feedback": "AR5CCFGWP100",
    "gwp100_ar6": "AR6GWP100",
}
GASES = (
    *("CH4", "N2O", "SF6", "NF3", "SF5CF3", "SO2F2"),
    *("CF4", "C2F6", "C3F8", "cC4F8", "C4F10", "C5F12", "C6F14"),
    *("HCFC22", "HCFC123", "HCFC124", "HCFC141b", "HCFC142b"),
    *("HFC23", "HFC32", "HFC41", "HFC125", "HFC134", "HFC134a", "HFC143", "HFC143a"),
    *("HFC152a", "HFC227ea", "HFC236fa", "HFC245fa", "HFC365mfc", "HFC4310mee"),
)
# shares by mass, ANSI/ASHRAE Standard 34, from memory
BLENDS = {
    "R404A": {"HFC125": 0.44, "HFC143a": 0.52, "HFC134a": 0.04},
    "R407C": {"HFC32": 0.23, "HFC125": 0.25, "HFC134a": 0.52},
    "R410A": {"HFC32": 0.50, "HFC125": 0.50},
    "R507A": {"HFC125": 0.50, "HFC143a": 0.50},
}


def shipped() -> list[dict[str, Any]]:
    """Read all rows of ``analytics/factors/*.yaml``, and the warming of other gases."""
    rows = [row for each in contents("factors") for row in each]
    return rows + warming()


def warming() -> list[dict[str, Any]]:
    """Give the GWP-100 of gases and of refrigerants that are blends of them."""
    rows = []
    for basis, table in WARMING.items():
        known = globalwarmingpotentials.data[table]
        for gas in GASES:
            value = known.get(gas, math.nan)
            if value > 0:
                rows.append(_warming(basis, gas, value, "", True))
        for blend, shares in BLENDS.items():
            value = math.fsum(share * known[gas] for gas, share in shares.items())
            what = ", ".join(f"{gas} {share:.0%}" for gas, share in shares.items())
            rows.append(_warming(basis, blend, round(value, 4), what, False))
    return rows


def _warming(
    basis: str, gas: str, value: float, blend: str, verified: bool
) -> dict[str, Any]:
    return {
        "code": f"{basis}/GLOBAL/{gas}",
        "kind": "co2",
        "carrier": gas,
        "basis": basis,
        "region": "GLOBAL",
        "value": float(value),
        "unit": "tCO2e/t",
        "source": f"IPCC, table {WARMING[basis]} of the package globalwarmingpotentials"
        + (f"; blend of ANSI/ASHRAE 34 from memory: {blend}" if blend else ""),
        "verified": verified,
    }


def load(conn: Connection) -> int:
    """Record what the store does not have yet; returns how many rows were added."""
    return record_factors(conn, shipped())
