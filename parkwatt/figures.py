"""The figures of local days, and the book of whole months."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import telling
from analytics.jobs.book import load_book
from analytics.jobs.figures import figures as compute_figures
from analytics.jobs.methods import of_kind
from analytics.jobs.netting import netting
from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    JsonOption,
    KnownOption,
    MeterOption,
    ParkOption,
    ToOption,
    moment,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import registry
from store.settings import settings


def figures(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    grain: Annotated[str, typer.Option(help="15min, day or month")] = "month",
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the figures of a park, an enterprise or a meter for local days."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        found = compute_figures(
            conn,
            subject,
            first.date(),
            last.date(),
            grain=grain,
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
    else:
        print_figures(found)


def print_figures(found: dict[str, Any]) -> None:
    """Show figures as tables, and why they are not final."""
    names = [found["park"], found["enterprise"], found["meter"]]
    table = Table(
        title=f"{' / '.join(n for n in names if n)}  {found['from']} – {found['to']}",
        title_justify="left",
    )
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("factor", overflow="fold")
    for line in _lines(found):
        table.add_row(*line)
    out.print(table)
    _print_series(found)
    if found["pending"]:
        out.print(
            "[yellow]pending:[/] readings wait to be computed; is analyse running?"
        )
    if not found["publishable"]:
        out.print(
            f"[yellow]not publishable:[/] coverage {found['coverage']:.1%} is below "
            f"{settings().minimum_coverage:.0%}"
        )


def _print_series(found: dict[str, Any]) -> None:
    """Show the intervals of the grain, unless they are too many to read."""
    if not 1 < len(found["series"]) <= 62:
        return
    table = Table("start", "energy kWh", "peak kW", "peak in the interval starting")
    for column in table.columns[1:3]:
        column.justify = "right"
    for row in found["series"]:
        table.add_row(
            row["start"],
            shown(row["energy_kwh"], 2),
            shown(row["peak_demand_kw"], 2),
            row["peak_start"] or "unknown",
        )
    out.print(table)


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Give figure, value, unit and factor as they are printed."""
    yield "energy", shown(found["energy_kwh"]), "kWh", ""
    method = found["demand_method"].removeprefix("demand_")
    known = f"a lower bound, {found['peak_known_share']:.1%} known"
    note = known if found["peak_lower_bound"] else ""
    yield (
        f"peak demand, {method[:-2]} {method[-2:]} min",
        shown(found["peak_demand_kw"]),
        "kW",
        note,
    )
    yield "  interval starting", found["peak_start"] or "unknown", "", ""
    yield "peak demand, any minute", shown(found["peak_sliding_kw"]), "kW", ""
    if found["peak_sliding_start"] is not None:
        yield "  interval starting", found["peak_sliding_start"], "", ""
    yield "load factor", shown(found["load_factor"], 5), "", ""
    yield "power factor", shown(found["power_factor"], 5), "", ""
    yield "coverage", f"{found['coverage']:.2%}", "", ""
    parentage = found["parentage"]
    for basis, name in (("calorific", "当量"), ("equal_value", "等价")):
        of = _factor(parentage["tce"][basis])
        yield f"coal, {basis} {name}", shown(found["tce"][basis]), "tce", of
    methods = [each.name for each in of_kind("co2") if each.summary]
    for method in methods:
        of = _factor(parentage["co2_t"][method])
        yield f"CO2, {method}", shown(found["co2_t"][method]), "t", of
    ratios = found["intensity"]
    value = ratios["added_value_10k_cny"]
    yield "added value", shown(value), "10⁴ CNY", ""
    for basis in ("calorific", "equal_value"):
        ratio = ratios["tce_per_10k_cny"][basis]
        yield f"intensity, {basis}", shown(ratio, 5), "tce/10⁴ CNY", ""
    for method in methods:
        ratio = ratios["co2_t_per_10k_cny"][method]
        yield f"intensity, {method}", shown(ratio, 5), "tCO2/10⁴ CNY", ""


def _factor(lines: list[dict[str, Any]]) -> str:
    return ", ".join(
        str(line["factor"] or f"none for {line['carrier']}") for line in lines
    )


def accounts(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    method: Annotated[
        list[str] | None, typer.Option(help="its name; may be said several times")
    ] = None,
    as_known_on: KnownOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="every month")] = False,
) -> None:
    """Give the book of whole months: energy and carbon by method, park and enterprises."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        known_on = moment(as_known_on, subject)
        book = load_book(conn, subject.park, first.date(), last.date(), known_on)
        whole = enterprise is None
        nets = telling.nets(netting(conn, book)) if whole and not known_on else []
    errors = telling.errors(book, enterprise)
    if as_json:
        rows = telling.rows(
            book, enterprise=enterprise, every=enterprise is None, names=method or ()
        )
        found = {
            "totals": telling.totals(book) if whole else [],
            "netting": nets,
            "errors": errors,
            "rows": list(rows),
        }
        print_json(found)
        return
    table = Table("method", "unit", "park", "enterprises together", "difference")
    if enterprise is not None:
        table = Table("method", "unit", escape(enterprise))
    row = book.row(enterprise)
    for each in telling.totals(book):
        if method and each["method"] not in method:
            continue
        of = book.coal if each["kind"] == "energy" else book.carbon
        cells = [shown(of[each["method"]].over_cells(row))]
        if enterprise is None:
            cells += [shown(each["enterprises"]), shown(each["difference"])]
        table.add_row(each["method"], each["unit"], *cells)
    out.print(table)
    for error in errors:
        out.print(f"[red]not proven:[/] {escape(error)}", highlight=False)
