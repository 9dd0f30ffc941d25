"""Packs of indicators, the report of a zero-carbon park, parks compared."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import packs
from analytics.jobs.evaluating import evaluate
from analytics.jobs.park_comparison import comparison as compare_parks
from analytics.jobs.workbooks import zero_carbon_workbook
from analytics.jobs.zero_carbon import report as zero_carbon_report
from parkwatt.options import (
    CleanOption,
    JsonOption,
    KnownOption,
    ParkOption,
    SourceOption,
    WhoOption,
    YearOption,
    moment,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import registry
from store.settings import settings

pack_app = typer.Typer(no_args_is_help=True, help="Packs of indicators.")
report_app = typer.Typer(no_args_is_help=True, help="Reports.")


@pack_app.command("add")
def pack_add(
    file: Annotated[Path, typer.Argument(help="YAML", exists=True, dir_okay=False)],
    who: WhoOption,
) -> None:
    """Record a pack of indicators of your own; a newer one of its name stands in."""
    with connection() as conn:
        name, new = packs.add(conn, file.read_text("utf-8"), who=who)
    out.print(f"{name}: {'recorded' if new else 'known already'}", highlight=False)


@pack_app.command("list")
def pack_list() -> None:
    """List the packs of indicators, shipped and brought."""
    with connection() as conn:
        rows = packs.listed(conn)
    table = Table("pack", "what it is", "indicators", "shipped", "verified")
    for each in rows:
        table.add_row(
            each["name"],
            escape(each["title"]),
            str(each["indicators"]),
            "yes" if each["shipped"] else "no",
            "yes" if each["verified"] else "no",
        )
    out.print(table)


@pack_app.command("show")
def pack_show(name: Annotated[str, typer.Argument(help="of the pack")]) -> None:
    """Show what a pack asks people for: name, unit and meaning."""
    with connection() as conn:
        pack = packs.find(conn, name)
    table = Table("input", "unit", "meaning", "中文")
    for each, what in pack.inputs.items():
        table.add_row(each, what.unit, escape(what.title), escape(what.title_zh))
    out.print(table)
    if any(each.unit == packs.YES_NO for each in pack.inputs.values()):
        out.print(f"{packs.YES_NO}: 1 for yes, 0 for no", highlight=False)


@pack_app.command("state")
def pack_state(
    park: ParkOption,
    name: Annotated[str, typer.Option(help="of the input: `parkwatt pack show`")],
    year: YearOption,
    unit: Annotated[str, typer.Option(help="in which it is asked for")],
    source: SourceOption,
    who: WhoOption,
    value: Annotated[float | None, typer.Option(help="none withdraws it")] = None,
    evidence: Annotated[str | None, typer.Option(help="what proves it")] = None,
) -> None:
    """State a value of a park's year for packs of indicators."""
    with connection() as conn:
        new = packs.state(
            conn,
            registry.park(conn, park).park_id,
            name=name,
            year=year,
            value=value,
            unit=unit,
            evidence=evidence,
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


def indicators(
    park: ParkOption,
    pack: Annotated[str, typer.Option(help="see `parkwatt pack list`")],
    year: YearOption,
    clean: CleanOption = "non_fossil",
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a pack of indicators for a park and a year."""
    with connection() as conn:
        subject = registry.subject(conn, park)
        found = evaluate(
            conn,
            subject,
            pack,
            year,
            clean=clean,
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
    else:
        _print_indicators(found)


def _print_indicators(found: dict[str, Any]) -> None:
    table = Table("indicator", "value", "unit", "threshold", "state", "need")
    table.title = f"{found['title']}, {found['park']} {found['year']}: {found['state']}"
    table.title_justify = "left"
    for each in found["indicators"]:
        low, high = each["at_least"], each["at_most"]
        bounds = [f"≥ {low:g}"] if low is not None else []
        bounds += [f"≤ {high:g}"] if high is not None else []
        if each["threshold_kind"] == "by_sign":
            bounds = [f"≤ {high:g} (sign < 0: ≥)"]
        state = each["state"]
        if each["lead"] is not None:
            bounds.append(f"lead {each['lead']:g}")
            score = f"score {shown(each['score'])}"
            state = score if each["threshold_kind"] is None else f"{state}, {score}"
        values = [each["value"]] if each["each"] is None else each["each"]
        if all(value is None for value in values):
            values = [None]
        cells = ", ".join(shown(value) for value in values), each["unit"]
        table.add_row(
            escape(f"{each['number']} {each['title']}".strip()),
            *cells,
            ", ".join(bounds),
            state,
            each["need"],
        )
    out.print(table)
    if found["index"] is not None:
        index = found["index"]
        out.print(
            f"index: {shown(index['value'], 1)} of {index['taken']} indicators, "
            f"{index['unknown']} of them unknown",
            highlight=False,
        )
    for each in found["indicators"]:
        lacks_one = each["value"] is None and each["each"] is None
        if lacks_one and not each["missing"] and each["state"] != "waived":
            words = "it divides by what is not above 0, or by a growth of 0"
            out.print(
                f"no value: {each['title']}: {words}", highlight=False, markup=False
            )
        elif each["lead"] is not None and not lacks_one and each["score"] is None:
            words = f"{each['value']:g}, and less is better: above 0 alone has a score"
            out.print(
                f"no score: {each['title']}: {words}", highlight=False, markup=False
            )
    if not found["verified"]:
        words = f"not verified: {found['source']}. {found['note'] or ''}"
        out.print(words, highlight=False, markup=False)
    for each in found["missing"]:
        lacking = "; ".join(
            row["title"]
            for row in found["indicators"]
            if each["asked_as"] in row["missing"]
        )
        words = f"missing: {each['name']} {each['year']}, {each['why']} (for {lacking})"
        out.print(words, highlight=False, markup=False)


@report_app.command("zero-carbon")
def report_zero_carbon(
    park: ParkOption,
    year: YearOption,
    clean: CleanOption = "non_fossil",
    xlsx: Annotated[Path | None, typer.Option(help="write a workbook, too")] = None,
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the report of a zero-carbon park (发改环资〔2025〕910号) and what would reach it."""
    with connection() as conn:
        subject = registry.subject(conn, park)
        found = zero_carbon_report(
            conn,
            subject,
            year,
            clean=clean,
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if xlsx is not None:
        xlsx.write_bytes(zero_carbon_workbook(found))
    if as_json:
        print_json(found)
        return
    _print_indicators(found)
    table = Table("step", "tCO2", "tCO2/tce", "assumption")
    for each in found["steps"]:
        numbers = shown(each["co2_t"], 1), shown(each["core"])
        table.add_row(each["name"], *numbers, each["assumption"])
    out.print(table)
    for each in found["reach"]:
        kwh = each["green_power_kwh"]
        out.print(
            f"for {each['at_most']:g} tCO2/tce{'' if each['applies'] else ' (no band)'}: "
            f"cut {each['to_cut_t']:,.1f} t, by green power {each['by_green_power_t']:,.1f} t "
            f"({shown(None if kwh is None else kwh / 1000, 0)} MWh), "
            f"by heat and fuels {each['by_heat_and_fuel_t']:,.1f} t",
            highlight=False,
        )
    for each in found["cautions"]:
        out.print(f"[yellow]note:[/] {escape(each)}", highlight=False)


def comparison(
    last: Annotated[int, typer.Option(help="year")],
    first: Annotated[int | None, typer.Option(help="year; else the same")] = None,
    clean: CleanOption = "non_fossil",
    basis: Annotated[
        str, typer.Option(help="calorific or equal_value")
    ] = "equal_value",
    as_json: JsonOption = False,
) -> None:
    """Compare all parks: who has more than half of its energy clean, rank and trend."""
    with connection() as conn:
        found = compare_parks(
            conn,
            last if first is None else first,
            last,
            definition=clean,
            basis=basis,
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table(
        "park", "place", f"clean share {last}", "coverage", "trend", "why not"
    )
    for each in found["parks"]:
        newest = each["years"][-1]
        table.add_row(
            each["park"],
            str(newest["place"] or ""),
            shown(newest["share"], 4),
            shown(newest["coverage"], 3),
            each["trend"]["trend"],
            newest["refused_because"] or "",
        )
    out.print(table)
    newest = found["years"][-1]
    out.print(
        f"{newest['above_half']} of {newest['compared']} parks compared have more than "
        f"half of their energy clean ({found['definition']}, {found['basis']})",
        highlight=False,
    )
