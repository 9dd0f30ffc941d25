"""The ledger of green power."""

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import ledger
from parkwatt.options import MonthOption, ParkOption, SourceOption, WhoOption
from parkwatt.printing import out
from parkwatt.servers import connection
from store import registry

green_app = typer.Typer(no_args_is_help=True, help="The ledger of green power.")


@green_app.command("add")
def green_add(
    park: ParkOption,
    kind: Annotated[str, typer.Option(help="certificate, trade, direct or self_use")],
    reference: Annotated[str, typer.Option(help="batch of certificates, or contract")],
    month: Annotated[
        datetime, typer.Option("--month", formats=["%Y-%m"], help="of production")
    ],
    mwh: Annotated[float, typer.Option(help="a certificate is of 1 MWh")],
    technology: Annotated[str, typer.Option(help="wind, solar, hydro …")],
    source: SourceOption,
    who: WhoOption,
    evidence: Annotated[
        str | None,
        typer.Option(help="settlement, certificate, or monthly original record"),
    ] = None,
    plant: Annotated[str | None, typer.Option(help="where it was made")] = None,
    producer: Annotated[
        str | None, typer.Option(help="enterprise of the park that made it")
    ] = None,
    part_of: Annotated[
        str | None, typer.Option(help="trade or supply that certificates stand for")
    ] = None,
    issued: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    cancelled: Annotated[bool, typer.Option("--cancelled")] = False,
) -> None:
    """Record certificates, a trade, a direct supply or self-use of green power."""
    with connection() as conn:
        ledger.record(
            conn,
            registry.park(conn, park),
            kind=kind,
            reference=reference,
            production_month=month.date(),
            mwh=mwh,
            technology=technology,
            plant=plant,
            producer=producer,
            part_of=part_of,
            evidence=evidence,
            issued=issued.date() if issued else None,
            expires=expires.date() if expires else None,
            cancelled=cancelled,
            source=source,
            who=who,
        )


@green_app.command("match")
def green_match(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="that used it")],
    kind: Annotated[str, typer.Option(help="certificate, trade, direct or self_use")],
    reference: Annotated[str, typer.Option(help="batch of certificates, or contract")],
    produced: Annotated[
        datetime, typer.Option("--produced", formats=["%Y-%m"], help="month")
    ],
    month: MonthOption,
    mwh: Annotated[float, typer.Option(help="0 takes a match back")],
    source: SourceOption,
    who: WhoOption,
) -> None:
    """Say that an enterprise used green power in a month; refused without proof."""
    with connection() as conn:
        ledger.match(
            conn,
            registry.park(conn, park),
            enterprise,
            kind=kind,
            reference=reference,
            production_month=produced.date(),
            month=month.date(),
            mwh=mwh,
            source=source,
            who=who,
        )


@green_app.command("list")
def green_list(park: ParkOption) -> None:
    """List the ledger: what is held, used, expired, cancelled or without evidence."""
    with connection() as conn:
        rows = ledger.listed(conn, registry.park(conn, park))
    table = Table("kind", "reference", "made", "MWh", "used", "ends", "status")
    for each in rows:
        table.add_row(
            each["kind"],
            escape(each["reference"]),
            f"{each['production_month']:%Y-%m}",
            f"{each['kwh'] / 1000:,.3f}",
            f"{each['used_kwh'] / 1000:,.3f}",
            str(each["expires"] or ""),
            each["status"],
        )
    out.print(table)
