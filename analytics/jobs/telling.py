"""The book of a park as rows for people and programs."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.jobs import green
from analytics.jobs.accounting import Account, known_total
from analytics.jobs.book import Book
from analytics.jobs.netting import Net

Float64 = NDArray[np.float64]

UNIT = {"energy": "tce", "co2": "tCO2"}


def rows(
    book: Book,
    *,
    enterprise: str | None = None,
    every: bool = True,
    names: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """Give one row for each subject, month and method.

    Parameters
    ----------
    enterprise, every
        One enterprise (or the park, None) alone, unless `every`.
    names
        Methods; none: all.
    """
    share = book.known_share
    chosen = [
        (kind, name, account, account.carriers)
        for kind, accounts in (("energy", book.coal), ("co2", book.carbon))
        for name, account in accounts.items()
        if not names or name in names
    ]
    for row, subject in enumerate(book.subjects):
        if not every and subject.enterprise != enterprise:
            continue
        for cell, month in enumerate(book.months):
            for kind, name, account, carriers in chosen:
                yield {
                    "enterprise": subject.enterprise,
                    "month": f"{month:%Y-%m}",
                    "kind": kind,
                    "method": name,
                    "unit": UNIT[kind]
                    + ("e" if account.method.gases == "co2e" else ""),
                    **_figures(account, row, cell),
                    "carriers": {
                        carrier: float(of[row, cell])
                        for carrier, of in carriers.items()
                        if not math.isnan(of[row, cell])
                    },
                    "known_share": _number(share[row, cell]),
                }


def _figures(account: Account, row: int, cell: int) -> dict[str, float | None]:
    figures = {"total": _number(account.total[row, cell])}
    if account.method.kind == "co2":
        figures["scope_1"] = _number(account.scope_1[row, cell])
        figures["scope_2"] = _number(account.scope_2[row, cell])
    else:
        figures |= {"scope_1": None, "scope_2": None}
    for part in ("fuel", "process", "gas", "electricity", "heat", "medium"):
        of = account.parts.get(part)
        figures[part] = None if of is None else _number(of[row, cell])
    return figures


def totals(book: Book) -> list[dict[str, Any]]:
    """Give by method: the park, the enterprises together, and the difference."""
    found = []
    for kind, accounts in (("energy", book.coal), ("co2", book.carbon)):
        for name, account in accounts.items():
            park = account.over_cells(0)
            own = [account.over_cells(row) for row in range(1, len(book.subjects))]
            # one that lacks a factor spoils the sum; one of which nothing is known adds none
            spoilt = account.unpriced[1:].any()
            known = [each for each in own if each is not None]
            together = None if spoilt or not known else math.fsum(known)
            found.append(
                {
                    "kind": kind,
                    "method": name,
                    "title": account.method.title,
                    "unit": UNIT[kind]
                    + ("e" if account.method.gases == "co2e" else ""),
                    "park": park,
                    "park_scope_1": _scope(account, account.scope_1, kind),
                    "park_scope_2": _scope(account, account.scope_2, kind),
                    "enterprises": together,
                    "difference": None
                    if park is None or together is None
                    else together - park,
                }
            )
    return found


def _scope(account: Account, of: Float64, kind: str) -> float | None:
    """Give a scope of the park over all months; energy has none."""
    if kind == "energy" or account.unpriced[0].any():
        return None
    return known_total(of[0])


def nets(found: Sequence[Net]) -> list[dict[str, Any]]:
    """Give rows of what lies between the enterprises together and the park."""
    return [
        {
            "quantity": each.quantity,
            "unit": each.unit,
            "month": f"{each.month:%Y-%m}",
            "enterprises": each.enterprises,
            "park": each.park,
            "difference": each.difference,
            "flows": [
                {"giver": giver, "taker": taker, "amount": amount}
                for (giver, taker), amount in sorted(each.flows.items())
            ],
            "below_park_meters": each.below_park_meters,
            "park_meters": each.park_meters,
            "unexplained": each.unexplained,
        }
        for each in found
    ]


def errors(book: Book, enterprise: str | None = None) -> list[str]:
    """Say which matches of green power prove nothing, of all or of one enterprise."""
    return green.errors(book.green.faults, enterprise)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
