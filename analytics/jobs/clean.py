"""Clean energy of a subject over the months of a book, by a named definition."""

import math
from dataclasses import dataclass

import numpy as np

from analytics import onsite
from analytics.jobs import ledger
from analytics.jobs.accounting import Account
from analytics.jobs.book import Book
from analytics.onsite import CleanShare
from store.errors import Invalid

BASES = ("calorific", "equal_value")
TCE_PER_GJ = 1.0 / 29.3076  # heat by its content


@dataclass(frozen=True, kw_only=True)
class Power:
    """Electricity of a subject over a book [kWh]; None: not known."""

    taken_kwh: float | None
    used_kwh: float | None  # taken, and own photovoltaic power kept
    green_kwh: float | None  # proven, and own photovoltaic power kept


def check(definition: str) -> None:
    """Refuse a definition of clean energy that has no such name.

    Raises
    ------
    Invalid
        Naming those that there are.
    """
    if definition not in onsite.CLEAN_PARTS:
        names = ", ".join(onsite.CLEAN_PARTS)
        raise Invalid(f"clean energy by {definition[:70]!r} is none of {names}")


def power(book: Book, row: int) -> Power:
    """Give a subject's electricity over the months of the book."""
    found = ledger.shares(book)[row]
    taken, proven = found["taken_kwh"], found["proven_kwh"]
    own = found["own_pv_kwh"]
    return Power(
        taken_kwh=taken,
        used_kwh=None if taken is None else taken + own,
        green_kwh=None if proven is None else proven + own,
    )


def by_carrier(account: Account, row: int) -> dict[str, float]:
    """Add up what counts of an account by carrier [t]; NaN where a factor is missing."""
    found: dict[str, float] = {}
    for line in account.lines:
        known = ~np.isnan(line.amount[row])
        if line.counts and known.any():
            part = math.fsum(line.result[row, known].tolist())
            found[line.carrier] = found.get(line.carrier, 0.0) + part
    return found


def non_fossil_tce(book: Book, row: int, basis: str) -> float | None:
    """Give proven green and own power in tce; None where it is not known."""
    of = power(book, row)
    whole = by_carrier(book.coal[basis], row).get("electricity", 0.0)
    if whole == 0:
        return 0.0
    if of.green_kwh is None or of.used_kwh is None or of.used_kwh <= 0:
        return None
    return whole * of.green_kwh / of.used_kwh


def share(
    book: Book,
    row: int,
    *,
    definition: str,
    basis: str,
    non_fossil_heat_gj: float | None = None,
) -> CleanShare:
    """Give the share of clean energy of a subject over the months of the book.

    Parameters
    ----------
    non_fossil_heat_gj
        As stated; None: not known, and then definitions that need it give NaN.
    """
    parts = {"natural_gas": by_carrier(book.coal[basis], row).get("natural_gas", 0.0)}
    green = non_fossil_tce(book, row, basis)
    if green is not None:
        parts["non_fossil_electricity"] = green
    if non_fossil_heat_gj is not None:
        parts["non_fossil_heat"] = non_fossil_heat_gj * TCE_PER_GJ
    total = book.coal[basis].over_cells(row)
    return onsite.clean_share(
        parts,
        math.nan if total is None else total,
        definition=definition,
        basis=basis,
    )
