"""What no meter measures: fuels, heat, process emissions by month."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import activities
from ingest.activity_rows import read_activities
from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    MonthOption,
    ParkOption,
    SourceOption,
    ToOption,
    WhoOption,
)
from parkwatt.printing import err, out
from parkwatt.servers import connection
from store import activities as stored_activities
from store import registry

activity_app = typer.Typer(no_args_is_help=True, help="What no meter measures.")


@activity_app.command("add")
def activity_add(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    month: MonthOption,
    item: Annotated[str, typer.Option(help="see `parkwatt activity items`")],
    use: Annotated[
        str, typer.Option(help="burnt, bought, process, released, feedstock")
    ],
    unit: Annotated[str, typer.Option(help="t, kg, m3, kwh, gj …")],
    source: SourceOption,
    who: WhoOption,
    amount: Annotated[
        float | None, typer.Option(help="none takes back what this stage says")
    ] = None,
    beside: Annotated[
        bool, typer.Option("--beside", help="no meter counts any of it")
    ] = False,
    supplier: Annotated[
        str | None, typer.Option(help="enterprise of the park that passed it on")
    ] = None,
    stage: Annotated[str, typer.Option(help="provisional or final")] = "final",
) -> None:
    """State what an enterprise burnt, bought, made or set free in a month."""
    with connection() as conn:
        new = activities.state(
            conn,
            registry.subject(conn, park, enterprise).subject_id,
            month=month.date(),
            item=item,
            use=use,
            amount=amount,
            unit=unit,
            beside=beside,
            supplier_id=registry.subject(conn, park, supplier).subject_id
            if supplier
            else None,
            stage=stage,
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


@activity_app.command("import")
def activity_import(
    park: ParkOption,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or XLSX: enterprise,month,item,use,amount,unit,source"
            "[,beside,supplier,stage]"
        ),
    ],
    who: WhoOption,
) -> None:
    """State what a file says, all of it or, where a row is wrong, nothing."""
    rows = list(read_activities(file))
    with connection() as conn, conn.transaction():
        found = activities.state_all(conn, registry.park(conn, park), rows, who=who)
        for number, problem in found.refused:
            err.print(f"row {number}: {problem}", highlight=False, markup=False)
        if found.refused:
            raise typer.Exit(1)
    out.print(f"{found.new} new, {found.known} known already", highlight=False)


@activity_app.command("list")
def activity_list(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
) -> None:
    """List the statements of months that count unless a meter goes first."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        rows = stored_activities.activities(
            conn,
            subject.park.park_id,
            first.date(),
            last.date(),
            enterprise_id=subject.subject_id if enterprise else None,
        )
    table = Table(
        *("enterprise", "month", "item", "use", "amount", "supplier", "stage", "source")
    )
    for each in rows:
        amount = f"{each.amount:,.3f} {each.unit}"
        cells = (each.enterprise, f"{each.month:%Y-%m}", each.item, each.use, amount)
        table.add_row(*cells, each.supplier, each.stage, escape(each.source))
    out.print(table)


@activity_app.command("items")
def activity_items() -> None:
    """List what can be stated, for which use and in which units."""
    table = Table("item", "use", "units")
    for each in activities.listed():
        table.add_row(each["item"], ", ".join(each["uses"]), ", ".join(each["units"]))
    out.print(table)
