"""Intensities, and the limits of a year."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import intensities
from analytics.jobs.benchmark import benchmark
from analytics.jobs.budgets import budgets, zone_year
from analytics.jobs.methods import of_kind
from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    ParkOption,
    SourceOption,
    ToOption,
    WhoOption,
    moment,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import registry, targets
from store.errors import Invalid
from store.settings import settings

target_app = typer.Typer(no_args_is_help=True, help="Limits of a year.")


def intensity(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    length: Annotated[str, typer.Option(help=", ".join(intensities.LENGTHS))] = "month",
    of: Annotated[
        str, typer.Option(help="of a park: park, enterprises or above_size")
    ] = "park",
    price_base: Annotated[
        int | None, typer.Option(help="also at the prices of this year")
    ] = None,
    method: Annotated[
        str, typer.Option(help="denton or pro_rata: how sums are spread over months")
    ] = "denton",
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Give energy, carbon and water per added value, area and head of whole months."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = intensities.history(
            conn,
            subject,
            first.date(),
            last.date(),
            length=length,
            of=of,
            price_base=price_base,
            method=method,
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table(
        "period",
        "10⁴ CNY",
        "how",
        "tce/10⁴",
        "tCO2/10⁴",
        "coverage",
        "m³/10⁴",
        "coverage",
    )
    for row in found["rows"]:
        per = row["per"]["added_value_10k_cny"]
        words = ", ".join(per["how"] or [f"missing: {' '.join(per['missing'])}"])
        share, of_water = (
            "" if each["coverage"] is None else f"{each['coverage']:.1%}"
            for each in (row, row["water_m3"])
        )
        table.add_row(
            row["period"],
            shown(per["amount"], 2),
            escape(words),
            shown(per["tce"]["calorific"], 5),
            shown(per["co2_t"]["location_national"], 5),
            share + ("" if row["publishable"] else ", not publishable"),
            shown(per["water_m3"], 3),
            of_water,
        )
    out.print(table)
    for doubt in found["doubts"]:
        out.print(
            f"{doubt['enterprise']} {doubt['kind']}: statement {doubt['statement_id']} "
            f"{doubt['what'].replace('_', ' ')}; counts: {doubt['counts']}",
            highlight=False,
        )


def own_benchmark(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
) -> None:
    """Give an enterprise's quarter of its industry last year, to the park alone."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        print_json(benchmark(conn, subject, known_on=moment(as_known_on, subject)))


@target_app.command("add")
def target_add(
    park: ParkOption,
    kind: Annotated[str, typer.Option(help=", ".join(targets.UNITS))],
    year: Annotated[int, typer.Option(min=1990, max=2200)],
    source: SourceOption,
    who: WhoOption,
    value: Annotated[
        float | None, typer.Option(min=0, help="without it: withdrawn")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="how energy or carbon is counted")
    ] = None,
    enterprise: EnterpriseOption = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="renewable, feedstock: does not count against it"),
    ] = None,
) -> None:
    """Set a limit of a year of energy, carbon, water, demand or an intensity."""
    if method is not None:
        names = [e.name for e in of_kind("co2" if kind.startswith("co2") else "energy")]
        if method not in names:
            raise Invalid(f"method {method!r} is none of {', '.join(names)}")
    with connection() as conn:
        targets.set_target(
            conn,
            targets.NewTarget(
                subject_id=registry.subject(conn, park, enterprise).subject_id,
                kind=kind,
                method=method,
                year=year,
                value=value,
                excluded=tuple(exclude or ()),
                source=source,
                who=who,
            ),
        )


@target_app.command("show")
def target_show(
    park: ParkOption,
    enterprise: EnterpriseOption = None,
    year: Annotated[int | None, typer.Option(min=1990, max=2200)] = None,
    pace: Annotated[str, typer.Option(help="uniform or history")] = "uniform",
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Tell how the limits of a year go: pace, year's end, the day they are spent."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = budgets(
            conn,
            subject,
            zone_year(subject) if year is None else year,
            pace=pace,
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table("limit", "value", "so far", "left", "ahead", "year's end", "spent on")
    for row in found["rows"]:
        going = row["outlook"] or {}
        so_far = row["so_far"] or {}
        used = going.get("used", so_far.get("value"))
        table.add_row(
            f"{row['kind']} {row['method'] or ''}".strip(),
            f"{row['value']:.15g} {row['unit']}",
            shown(used),
            shown(going.get("left", so_far.get("left"))),
            shown(going.get("ahead_of_pace")),
            shown(going.get("year_end")),
            going.get("spent_on") or "",
        )
    out.print(table)
