"""Stated activity: what can be stated, in which units, and beside which meters it counts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, Protocol

import numpy as np

from analytics.jobs import factors
from analytics.jobs.months import check_month
from analytics.registers import Bool, Float64
from store import activities as stored
from store.activities import Activity
from store.database import Connection
from store.errors import Invalid
from store.quantities import UNITS
from store.records import Park
from store.registry import enterprises

# products whose processes set CO2 free; no factor is shipped, state one of your own
PRODUCTS = (
    *("clinker", "lime", "ammonia", "methanol_made", "primary_aluminium"),
    *("crude_steel", "ferro_alloy", "industrial_silicon", "calcium_carbide_made"),
)
_MORE_UNITS = {"m3": {"10k_m3": 1e4}, "kwh": {"10k_kwh": 1e4}}
# why a statement counts or is listed alone
Rule = Literal[
    "stated_alone",
    "beside_the_meter",
    "metered_first",
    "park_meter_first",
    "supplied_within",
    "given_by_meter",
    "feedstock",
]
COUNTING = ("stated_alone", "beside_the_meter")  # the rules by which a statement counts
_ENERGY = ("electricity", "heat", "steam")


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that can be stated."""

    name: str
    unit: str  # canonical
    uses: tuple[str, ...]


@lru_cache(maxsize=1)
def items() -> dict[str, Item]:
    """List what can be stated: what the shipped factors know, and products."""
    found: dict[str, Item] = {}

    def add(name: str, unit: str, *uses: str) -> None:
        before = found[name].uses if name in found else ()
        unit = found[name].unit if name in found else unit
        both = tuple(dict.fromkeys((*before, *uses)))
        found[name] = Item(name=name, unit=unit, uses=both)

    for row in factors.shipped():
        name, basis, unit = row["carrier"], row["basis"], row["unit"]
        volume = unit in ("kgce/m3", "tCO2/10^4 Nm3")
        if name in _ENERGY:
            continue
        if basis in ("net_calorific", "calorific"):
            add(name, "m3" if volume else "t", "burnt", "feedstock")
        elif basis == "equal_value_medium":
            add(name, "m3" if volume else "t", "bought")
        elif basis == "carbonate":
            add(name, "t", "process")
        elif basis in factors.WARMING:
            add(name, "t", "released")
    for name, unit in zip(_ENERGY, ("kwh", "gj", "t"), strict=True):
        add(name, unit, "bought")
    for name in PRODUCTS:
        add(name, "t", "process")
    return found


def units(item: Item) -> dict[str, float]:
    """Give the units of an item, and what each is in its canonical one."""
    return UNITS[item.unit] | _MORE_UNITS.get(item.unit, {})


def state(
    conn: Connection,
    enterprise_id: int,
    *,
    month: date,
    item: str,
    use: str,
    amount: float | None,
    unit: str,
    beside: bool = False,
    supplier_id: int | None = None,
    stage: str = "final",
    source: str,
    who: str,
) -> bool:
    """Record a statement of an enterprise's month; tell if it says anything new.

    Parameters
    ----------
    amount
        None withdraws what was stated.
    beside
        No meter counts any of it: it adds to what a meter of the same carrier says.
    supplier_id
        The enterprise of the same park that passed it on: the park has it by what that
        one took, burnt or made.

    Raises
    ------
    Invalid
        For an unknown item, use, unit or stage, a day that begins no month, a month that
        has not begun, an amount below 0, no source or person, or a supplier of what is
        not bought, that is the enterprise itself, or of another park.
    """
    known = items().get(item)
    if known is None:
        raise Invalid(
            f"item {item[:70]!r} is unknown; `parkwatt activity items` lists all"
        )
    if use not in known.uses:
        raise Invalid(f"{item} is {' or '.join(known.uses)}, not {use[:70]!r}")
    scale = units(known).get(unit)
    if scale is None:
        raise Invalid(
            f"{item} is stated in {', '.join(units(known))}, not {unit[:70]!r}"
        )
    if supplier_id is not None and use != "bought":
        raise Invalid(f"a supplier is of what is bought, not {use}")
    if supplier_id == enterprise_id:
        raise Invalid("an enterprise is no supplier of its own")
    check_month(month)
    if month > datetime.now(UTC).date() + timedelta(days=1):  # begun in no zone
        raise Invalid(f"the month {month:%Y-%m} has not begun")
    if amount is not None and not 0 <= amount * scale < 1e15:
        raise Invalid(f"amount {amount} is below 0 or no amount")
    if stage not in ("provisional", "final"):
        raise Invalid(f"stage {stage[:70]!r} is neither provisional nor final")
    if not source.strip() or not who.strip():
        raise Invalid("a statement needs a source and a person")
    return stored.record_activity(
        conn,
        enterprise_id,
        month,
        item,
        use,
        None if amount is None else amount * scale,
        known.unit,
        beside=beside,
        supplier_id=supplier_id,
        stage=stage,
        source=source,
        who=who,
    )


class Row(Protocol):
    """A row of a file that states something."""

    @property
    def number(self) -> int: ...  # noqa: D102
    @property
    def problem(self) -> str: ...  # noqa: D102
    @property
    def enterprise(self) -> str: ...  # noqa: D102
    @property
    def month(self) -> date: ...  # noqa: D102
    @property
    def item(self) -> str: ...  # noqa: D102
    @property
    def use(self) -> str: ...  # noqa: D102
    @property
    def amount(self) -> float | None: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def beside(self) -> bool: ...  # noqa: D102
    @property
    def supplier(self) -> str:
        """Code of the enterprise of the park that passed it on; empty: none did."""
        ...

    @property
    def stage(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of the rows of a file."""

    new: int
    known: int
    refused: list[tuple[int, str]]  # number of the row, why


def state_all(conn: Connection, park: Park, rows: Iterable[Row], *, who: str) -> Taken:
    """Record what rows state; the caller takes it back where any is refused."""
    ids = {each.code: each.enterprise_id for each in enterprises(conn, park.park_id)}
    new = known = 0
    refused: list[tuple[int, str]] = []
    for row in rows:
        try:
            if row.problem:
                raise Invalid(row.problem)
            if row.enterprise not in ids:
                raise Invalid(f"enterprise {row.enterprise[:70]!r} is unknown")
            if row.supplier and row.supplier not in ids:
                raise Invalid(f"supplier {row.supplier[:70]!r} is unknown")
            fresh = state(
                conn,
                ids[row.enterprise],
                month=row.month,
                item=row.item,
                use=row.use,
                amount=row.amount,
                unit=row.unit,
                beside=row.beside,
                supplier_id=ids.get(row.supplier),
                stage=row.stage,
                source=row.source,
                who=who,
            )
        except Invalid as error:
            words = str(error).removeprefix("The input cannot be used: ")
            refused.append((row.number, words))
        else:
            new, known = new + fresh, known + (not fresh)
    return Taken(new=new, known=known, refused=refused)


@dataclass(frozen=True, kw_only=True)
class Stated:
    """Stated amounts that count by one rule, shape (subjects, cells)."""

    item: str
    use: str
    unit: str
    rule: Rule
    counts: bool
    amount: Float64  # NaN: nothing is stated
    ids: Mapping[tuple[int, int], tuple[int, ...]]  # statements by row and cell


def lay_out(
    statements: Iterable[Activity],
    metered: Mapping[str, Float64],
    *,
    rows: Mapping[int, int],
    park_row: int | None,
    months: Sequence[date],
    whole: Bool,
    park_meters: Mapping[str, Bool],
    given: Mapping[tuple[str, str], Bool],
    shape: tuple[int, int],
) -> tuple[Stated, ...]:
    """Lay statements out by item, use and the rule by which they count.

    Parameters
    ----------
    metered
        By item what meters say of it; where that is known it goes first, unless the
        statement is of what no meter counts.
    rows
        Row of each enterprise; others are left out.
    whole
        Which cells are whole months; a statement counts in no other.
    park_meters
        By item the cells in which a meter of the park alone counts it: for the park that
        one goes first.
    given
        By item and code of a supplier the cells in which its own meter counts what it gave.

    Notes
    -----
    Rules: ``stated_alone``, ``beside_the_meter``, ``metered_first`` (listed only),
    ``park_meter_first``, ``supplied_within`` and ``given_by_meter`` (of the park, listed
    only), ``feedstock`` (listed only). Ours.
    """
    cells = {month: i for i, month in enumerate(months) if whole[i]}
    # what the park does not have is laid out apart: an own factor of who took it must
    # take nothing off what the park has of others
    amounts: dict[tuple[str, str, str, Rule, bool], Float64] = {}
    ids: dict[tuple[str, str, str, Rule, bool], dict[tuple[int, int], list[int]]]
    ids = defaultdict(lambda: defaultdict(list))
    for each in statements:
        row, cell = rows.get(each.enterprise_id), cells.get(each.month)
        if row is None or cell is None or each.amount is None:
            continue
        own = metered.get(each.item)
        if each.use == "feedstock":
            rule: Rule = "feedstock"
        elif each.beside:
            rule = "beside_the_meter"
        elif own is None or np.isnan(own[row, cell]):
            rule = "stated_alone"
        else:
            rule = "metered_first"
        of_park = rule
        gate = park_meters.get(each.item)
        if rule == "stated_alone" and gate is not None and gate[cell]:
            of_park = "park_meter_first"
        within = rule in COUNTING and each.supplier is not None
        if within:
            gift = given.get((each.item, each.supplier or ""))
            by_meter = gift is not None and gift[cell]
            of_park = "given_by_meter" if by_meter else "supplied_within"
        for where, named in ((row, rule), (park_row, of_park)):
            if where is None:
                continue
            key = (each.item, each.use, each.unit, named, within)
            table = amounts.setdefault(key, np.full(shape, np.nan))
            before = table[where, cell]
            table[where, cell] = each.amount + (0.0 if np.isnan(before) else before)
            ids[key][where, cell].append(each.activity_id)
    return tuple(
        Stated(
            item=item,
            use=use,
            unit=unit,
            rule=rule,
            counts=rule in COUNTING,
            amount=table,
            ids={
                at: tuple(each)
                for at, each in ids[item, use, unit, rule, within].items()
            },
        )
        for (item, use, unit, rule, within), table in sorted(amounts.items())
    )


def listed() -> list[dict[str, Any]]:
    """List the items with their uses and units, for people."""
    return [
        {"item": each.name, "uses": list(each.uses), "units": list(units(each))}
        for each in items().values()
    ]
