"""Statements that people make: checked row by row, stored all or not at all."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ingest.entry import number
from ingest.reading import Refused
from ingest.sheets import SheetRow
from store import periods, registry, statements
from store.database import Connection
from store.errors import Invalid
from store.records import Park, Stated
from store.statement_kinds import KINDS, PRICES, STAGES, Kind

COLUMNS: tuple[str, ...] = (
    "enterprise",
    "kind",
    "product",
    "unit",
    "period",
    "amount",
    "prices",
    "price_base",
    "stage",
    "source",
)
_ZH = ("企业", "指标", "产品", "单位", "期间", "数值", "价格", "基年", "阶段", "来源")
REQUIRED = ("kind", "period", "amount", "source")
NAMES: dict[str, str] = {  # headers that are read, in small letters
    spelling: name
    for name, zh in zip(COLUMNS, _ZH, strict=True)
    for spelling in (name, zh, f"{name} {zh}")
}
TEXT = 500  # longest source, in characters
_PREFIX = str(Invalid("")).rstrip(".") + ": "
_UNIT = re.compile(r"[A-Za-z0-9._%/-]{1,20}")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a row, or would."""

    row: int
    outcome: str  # new, withdrawn, known (said already) or refused
    message: str = ""
    statement_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of all rows: stored all, or nothing because one was refused."""

    stored: bool
    rows: tuple[Outcome, ...]

    def count(self, outcome: str) -> int:
        """Count the rows that ended so."""
        return sum(each.outcome == outcome for each in self.rows)


def store(
    conn: Connection,
    park: Park,
    rows: Sequence[SheetRow],
    *,
    who: str,
    dry_run: bool = False,
    today: date | None = None,
) -> Report:
    """Store statements, each new one as a row of its own; all or nothing.

    Parameters
    ----------
    rows
        Cells by :data:`COLUMNS`. Without an enterprise it is the park's own.
    who
        Who enters them.
    dry_run
        Store nothing, only tell.

    Raises
    ------
    Invalid
        When nobody is named.
    """
    if not who.strip():
        raise Invalid("say who enters this")
    today = today or datetime.now(ZoneInfo(park.zone)).date()
    ids: dict[str, int] = {
        each.code: each.enterprise_id
        for each in registry.enterprises(conn, park.park_id)
    }
    ids[""] = park.park_id
    said: dict[Stated, tuple[int, float | None]] = {}  # key → row and amount
    checked: list[Stated | str] = []
    for row in rows:
        try:
            one = _checked(row, ids, who.strip(), today)
            key = replace(one, amount=None, source="")
            other = said.setdefault(key, (row.number, one.amount))
            if other[1] != one.amount:
                raise Refused(f"row {other[0]} says another amount")
            checked.append(one)
        except (Refused, Invalid) as refused:
            checked.append(str(refused).removeprefix(_PREFIX))
    good = not any(isinstance(each, str) for each in checked)
    outcomes: list[Outcome] = []
    with conn.transaction(force_rollback=not good or dry_run):
        for row, found in zip(rows, checked, strict=True):
            if isinstance(found, str):
                refusal = Outcome(row=row.number, outcome="refused", message=found)
                outcomes.append(refusal)
                continue
            made = statements.state(conn, found)
            kept = "withdrawn" if found.amount is None else "new"
            outcomes.append(
                Outcome(
                    row=row.number,
                    outcome="known" if made is None else kept,
                    statement_id=made if good and not dry_run else None,
                )
            )
    return Report(stored=good and not dry_run, rows=tuple(outcomes))


def rows_of(asked: Sequence[Mapping[str, Any]]) -> list[SheetRow]:
    """Give the rows of a request their numbers."""
    return [SheetRow(number=i, cells=each) for i, each in enumerate(asked, 1)]


def _checked(row: SheetRow, ids: Mapping[str, int], who: str, today: date) -> Stated:
    if row.problem:
        raise Refused(row.problem)
    cells = row.cells
    code = _text(cells, "enterprise")
    if code not in ids:
        raise Refused(f"there is no enterprise {code[:70]!r} in this park")
    kind = KINDS.get(_text(cells, "kind"))
    if kind is None:
        raise Refused(
            f"kind {_text(cells, 'kind')[:70]!r} is none of {', '.join(KINDS)}"
        )
    if not code and not kind.park:
        raise Refused(f"{kind.name} is stated of an enterprise: name one")
    first, last = _period(cells.get("period"))
    stage = _text(cells, "stage") or "final"
    if stage not in STAGES:
        raise Refused(f"stage {stage[:70]!r} is none of {', '.join(STAGES)}")
    if first > today:
        raise Refused(f"the period begins after today, {today}")
    if stage == "final" and not kind.level and last > today:
        raise Refused(f"the period ends after today, {today}: it is provisional")
    source = _text(cells, "source")
    if not 0 < len(source) <= TEXT:
        raise Refused(f"source is empty or longer than {TEXT} characters")
    unit, scale = _unit(cells, kind)
    prices, base = _prices(cells, kind, first)
    return Stated(
        subject_id=ids[code],
        kind=kind.name,
        product=_product(cells, kind),
        unit=unit,
        period_from=first,
        period_to=last,
        amount=_amount(cells, kind, scale),
        prices=prices,
        price_base=base,
        stage=stage,
        source=source,
        who=who,
    )


def _text(cells: Mapping[str, Any], name: str) -> str:
    value = cells.get(name)
    if isinstance(value, float | datetime):
        raise Refused(f"{name} {value} is no text: make the cell a text")
    return "" if value is None else str(value).strip()


def _period(value: object) -> tuple[date, date]:
    if isinstance(value, datetime):
        raise Refused(
            f"period {value:%Y-%m-%d} is a date: make the cell a text such as "
            f"{value:%Y-%m}"
        )
    return periods.period("" if value is None else str(value))


def _unit(cells: Mapping[str, Any], kind: Kind) -> tuple[str, float]:
    unit = _text(cells, "unit")
    if kind.unit:
        unit = unit or kind.unit
        if unit not in kind.units:
            raise Refused(
                f"unit {unit[:40]!r} of {kind.name} is none of {', '.join(kind.units)}"
            )
        return kind.unit, kind.units[unit]
    if not _UNIT.fullmatch(unit):
        raise Refused(f"{kind.name} needs its unit, up to 20 letters, digits or ._%/-")
    return unit, 1.0


def _product(cells: Mapping[str, Any], kind: Kind) -> str | None:
    product = _text(cells, "product")
    if not kind.product:
        if product:
            raise Refused(f"{kind.name} has no product")
        return None
    if not registry.is_code(product):
        raise Refused(
            f"product {product[:70]!r} of {kind.name} is not 1-64 letters, digits, "
            "dots, _ or -"
        )
    return product


def _prices(
    cells: Mapping[str, Any], kind: Kind, first: date
) -> tuple[str | None, int | None]:
    prices, base = _text(cells, "prices"), _text(cells, "price_base")
    if not kind.money:
        if prices or base:
            raise Refused(f"{kind.name} has no prices")
        return None, None
    prices = prices or "current"
    if prices not in PRICES:
        raise Refused(f"prices {prices[:70]!r} is none of {', '.join(PRICES)}")
    if prices == "current":
        if base:
            raise Refused("price_base belongs to comparable prices")
        return prices, None
    if not re.fullmatch(r"\d{4}", base) or not 1990 <= int(base) <= first.year:
        raise Refused(
            "comparable prices need price_base, the year whose prices they are, not "
            "after the period"
        )
    return prices, int(base)


def _amount(cells: Mapping[str, Any], kind: Kind, scale: float) -> float | None:
    value = cells.get("amount")
    if cells.get("withdraw"):
        if value is not None:
            raise Refused("what is withdrawn has no amount")
        return None
    if value is None or isinstance(value, datetime | bool):
        raise Refused("amount is missing")
    amount = number(value) * scale
    if not math.isfinite(amount) or abs(amount) >= 1e12:
        raise Refused(f"amount {amount:g} is too large")
    if amount < 0 and not kind.negative:
        raise Refused(f"{kind.name} cannot be below zero")
    if amount == 0 and kind.positive:
        raise Refused(f"{kind.name} cannot be zero")
    return amount


def as_rows(report: Report) -> list[dict[str, Any]]:
    """Give the report's rows as plain values."""
    return [asdict(each) for each in report.rows]
