"""Energy baselines."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from analytics.jobs import baselines
from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    JsonOption,
    KnownOption,
    ParkOption,
    SourceOption,
    ToOption,
    WhoOption,
    moment,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import registry
from store.settings import settings

baseline_app = typer.Typer(no_args_is_help=True, help="Energy baselines.")


@baseline_app.command("define")
def baseline_define(
    park: ParkOption,
    name: Annotated[str, typer.Option(help="of the baseline")],
    figure: Annotated[
        str, typer.Option(help="a counted quantity, or an energy method")
    ],
    variable: Annotated[list[str], typer.Option(help="a driver; several times")],
    first: FromOption,
    last: ToOption,
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
) -> None:
    """Define an energy baseline over whole months: what is explained, and by what."""
    with connection() as conn:
        new = baselines.define(
            conn,
            registry.subject(conn, park, enterprise),
            name=name,
            figure=figure,
            variables=variable,
            first=first.date(),
            last=last.date(),
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


@baseline_app.command("drive")
def baseline_drive(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV: name,grain,first,value,unit", exists=True, dir_okay=False
        ),
    ],
    park: ParkOption,
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
) -> None:
    """Record what drives energy: production of months, mean temperatures of days."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        text = file.read_text("utf-8-sig")
        new, known = baselines.read_drivers(conn, subject, text, source=source, who=who)
    out.print(f"{new} recorded, {known} known already", highlight=False)


@baseline_app.command("savings")
def baseline_savings(
    park: ParkOption,
    name: Annotated[str, typer.Option(help="of the baseline")],
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a baseline and judge whole months against it: savings and CUSUM."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = baselines.judged(
            conn,
            subject,
            name,
            first.date(),
            last.date(),
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    unit = found["unit"]
    table = Table(
        "month", f"used, {unit}", "expected", "saved", "CUSUM", "beyond chance"
    )
    for each in found["months"]:
        numbers = (each["used"], each["expected"], each["saved"], each["cusum"])
        word = "saves" if each["saves"] else "loses" if each["loses"] else ""
        table.add_row(each["month"], *(shown(n, 2) for n in numbers), word)
    out.print(table)
    fit = found["fit"]
    out.print(
        f"saved {shown(found['saved'], 2)} {unit} in {found['months_known']} months; fit: "
        f"n {fit['n']}, R² {shown(fit['r2'], 4)}, CV(RMSE) {shown(fit['cv_rmse'], 4)}",
        highlight=False,
    )
    for each in found["warnings"]:
        out.print(f"[yellow]warning:[/] {each}", highlight=False)
