"""What made a park's emissions change between two years, enterprise by enterprise."""

import math
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics import decomposition
from analytics.decomposition import FACTOR_NAMES, State
from analytics.jobs import accounting, methods, yearly
from analytics.jobs.accounting import Account
from analytics.jobs.book import Book, load_book
from store.database import Connection
from store.errors import Invalid
from store.records import Park

Float64 = NDArray[np.float64]

UNPRODUCTIVE = ("process", "gas")  # carbon without energy: no product describes it


def decompose(
    conn: Connection,
    park: Park,
    before: int,
    after: int,
    *,
    method: str = "enterprise",
    energy: str = "calorific",
    prices: str = "comparable",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Split the change of a park's emissions between two metered years by LMDI-I.

    Parameters
    ----------
    before, after
        Calendar years that are over.
    method, energy
        Methods of CO2 and of energy.
    prices
        Of the added value: comparable, or current where nothing else is known.

    Raises
    ------
    Invalid
        For unknown names, or years in the wrong order.

    Notes
    -----
    C = Σ V · V_i/V · E_i/V_i · E_ij/E_i · C_ij/E_ij over enterprises i and carriers j.
    Processes and released gases have no energy: their change stands by itself. So does
    that of enterprises that the product does not describe, and what the park's account
    has beside its enterprises'. All together are the change of the park.
    """
    _check(before, after, method, energy, prices)
    due = now or datetime.now(UTC)
    due = min(due, known_on) if known_on else due
    if date(after + 1, 1, 1) > due.astimezone(ZoneInfo(park.zone)).date():
        raise Invalid(f"{after} is not over yet: its year is not known")
    books = [
        load_book(
            conn,
            park,
            date(year, 1, 1),
            date(year + 1, 1, 1),
            known_on,
            now=now,
        )
        for year in (before, after)
    ]
    ids = [each.subject_id for each in books[0].subjects[1:]]
    base = None
    if prices == "comparable":
        base = yearly.price_base(conn, ids, range(before, after + 1), known_on)
    values = [
        yearly.added_values(
            conn,
            ids,
            year,
            prices=prices,
            base=base,
            known_on=known_on,
        )
        for year in (before, after)
    ]
    carriers = _carriers(books, method, energy)
    tables = [_Table(each, method, energy, carriers) for each in books]
    states = [_state(each, value) for each, value in zip(tables, values, strict=True)]
    codes = [str(each.enterprise) for each in books[0].subjects[1:]]
    effects = decomposition.lmdi(*states)
    split = np.array(effects[:-1])  # (effects, enterprises)
    covered = [each.covered(minimum_coverage) for each in tables]
    good = ~np.isnan(split).any(axis=0) & covered[0] & covered[1]
    if not good.any():
        split = np.full(split.shape, np.nan)
    own = [each.own for each in tables]  # energy's carbon and the rest, per enterprise
    return {
        "park": park.code,
        "before": before,
        "after": after,
        "method": method,
        "energy": energy,
        "prices": prices,
        "price_base": base,
        "as_known_on": known_on.isoformat() if known_on else None,
        "missing_added_value": {
            str(year): [c for c, v in zip(codes, known, strict=True) if v is None]
            for year, known in zip((before, after), values, strict=True)
        },
        "below_coverage": {
            str(year): [c for c, ok in zip(codes, each.tolist(), strict=True) if not ok]
            for year, each in zip((before, after), covered, strict=True)
        },
        **_whole(tables, split, good, effects.change, own),
        "enterprises": [
            {
                "enterprise": code,
                **{
                    f"{name}_t": _number(split[k, i]) if good[i] else None
                    for k, name in enumerate(FACTOR_NAMES)
                },
                "without_energy_t": _number(own[1][1][i] - own[0][1][i]),
                "change_t": _number(own[1].sum(axis=0)[i] - own[0].sum(axis=0)[i]),
                "split": bool(good[i]),
            }
            for i, code in enumerate(codes)
        ],
    }


def _check(before: int, after: int, method: str, energy: str, prices: str) -> None:
    for name, kind in ((method, "co2"), (energy, "energy")):
        known = [each.name for each in methods.of_kind(kind)]
        if name not in known:
            raise Invalid(f"method {name[:70]!r} is none of {', '.join(known)}")
    if prices not in ("comparable", "current"):
        raise Invalid(f"prices {prices[:70]!r} are neither comparable nor current")
    if not yearly.EARLIEST <= before < after < yearly.LATEST:
        raise Invalid(f"{before} does not lie before {after}")


class _Table:
    """A year of a book by enterprise and carrier."""

    def __init__(
        self, book: Book, method: str, energy: str, carriers: tuple[str, ...]
    ) -> None:
        self.book = book
        self.account = book.carbon[method]
        self.energy = _by_carrier(book.coal[energy], carriers)
        self.carbon = _by_carrier(self.account, carriers)
        rest = _by_part(self.account)
        self.own = np.array([self.carbon.sum(axis=1), rest])
        self.park = self.account.over_cells(0)

    def covered(self, minimum: float) -> NDArray[np.bool_]:
        """Tell whose meters cover the year, in the months in which they are expected."""
        share = self.book.known_share[1:]
        return np.asarray(((share >= minimum) | np.isnan(share)).all(axis=1))


def _carriers(books: list[Book], method: str, energy: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            line.carrier
            for book in books
            for account in (book.coal[energy], book.carbon[method])
            for line in account.lines
            if line.counts and line.part not in UNPRODUCTIVE
        )
    )


def _by_carrier(account: Account, carriers: tuple[str, ...]) -> Float64:
    """Give a year's tonnes of each enterprise and carrier; 0 where it has none."""
    rows = account.total.shape[0] - 1
    found = np.zeros((rows, len(carriers)))
    for line in account.lines:
        if line.counts and line.part not in UNPRODUCTIVE:
            found[:, carriers.index(line.carrier)] += _year(line)
    return found


def _by_part(account: Account) -> Float64:
    found = np.zeros(account.total.shape[0] - 1)
    for line in account.lines:
        if line.counts and line.part in UNPRODUCTIVE:
            found += _year(line)
    return found


def _year(line: accounting.Line) -> Float64:
    """Sum a line over its months; NaN where a known amount has no factor."""
    amount, result = line.amount[1:], line.result[1:]
    known = ~np.isnan(amount)
    return np.asarray(np.where(known, result, 0.0).sum(axis=1))


def _state(table: _Table, values: list[float | None]) -> State:
    """Give the state of a year; one that has nothing at all is not there."""
    absent = (table.energy == 0).all(axis=1) & (table.carbon == 0).all(axis=1)
    known = [
        (0.0 if gone else math.nan) if value is None else value
        for value, gone in zip(values, absent.tolist(), strict=True)
    ]
    return State(np.array(known), table.energy, table.carbon)


def _whole(
    tables: list[_Table],
    split: Float64,
    good: NDArray[np.bool_],
    change: Float64,
    own: list[Float64],
) -> dict[str, Any]:
    """Give the park's change and what it consists of."""
    before, after = (each.park for each in tables)
    parts: dict[str, float | None] = {
        f"{name}_t": _number(math.fsum(split[k, good].tolist())) if good.any() else None
        for k, name in enumerate(FACTOR_NAMES)
    }
    parts["not_split_t"] = _number(math.fsum(change[~good].tolist()))
    rest = own[1][1] - own[0][1]
    parts["without_energy_t"] = _number(math.fsum(rest.tolist()))
    together = [_number(math.fsum(each.sum(axis=0).tolist())) for each in own]
    beside = None
    if before is not None and after is not None and None not in together:
        beside = (after - before) - ((together[1] or 0.0) - (together[0] or 0.0))
    parts["beside_the_enterprises_t"] = beside
    return {
        "before_t": before,
        "after_t": after,
        "change_t": None if before is None or after is None else after - before,
        "effects": parts,
    }


def _number(value: Any) -> float | None:
    figure = float(value)
    return figure if math.isfinite(figure) else None
