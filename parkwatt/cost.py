"""Tariffs and bills."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import tariffs
from analytics.jobs.billing import Assumed, bills
from parkwatt.options import (
    CapacityOption,
    EnterpriseOption,
    FromOption,
    JsonOption,
    KnownOption,
    MeterOption,
    MethodOption,
    ParkOption,
    SourceOption,
    StandardOption,
    TariffOption,
    ToOption,
    moment,
    read_text,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import registry
from store import tariffs as stored_tariffs
from store.settings import settings

tariff_app = typer.Typer(no_args_is_help=True, help="Tariffs as data.")


@tariff_app.command("list")
def tariff_list() -> None:
    """List the tariffs that are known."""
    with connection() as conn:
        known = stored_tariffs.tariffs(conn)
    table = Table("code", "name", "from", "to", "prices", "source")
    for each in sorted(known, key=lambda each: (each.code, each.valid_from)):
        examples = each.terms.get("prices_are_examples")
        table.add_row(
            escape(each.code),
            escape(each.terms["name"]),
            str(each.valid_from),
            str(each.valid_to or ""),
            "examples" if examples else "stated",
            escape(each.source),
        )
    out.print(table)


@tariff_app.command("add")
def tariff_add(file: Path) -> None:
    """Record a tariff from a YAML file; docs/cost.md says how it is written."""
    with connection() as conn:
        code = tariffs.add(conn, read_text(file))
    out.print(f"{code}: recorded")


@tariff_app.command("hot-day")
def tariff_hot_day(
    park: ParkOption,
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"])],
    source: SourceOption,
    no: Annotated[bool, typer.Option("--no", help="it was none after all")] = False,
) -> None:
    """Say that a day was hot in the sense of the tariff."""
    with connection() as conn:
        stored_tariffs.say_hot(
            conn,
            registry.park(conn, park).park_id,
            day.date(),
            hot=not no,
            source=source,
        )


def billing(
    park: ParkOption,
    tariff: Annotated[str, typer.Option(help="code of the tariff")],
    method: Annotated[str, typer.Option(help="capacity, contract, demand or none")],
    since: FromOption,
    source: SourceOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    capacity: CapacityOption = None,
    standard: StandardOption = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="day after the last, if any"),
    ] = None,
) -> None:
    """State by which tariff and method a park, an enterprise or a meter is billed."""
    with connection() as conn:
        stored_tariffs.set_billing(
            conn,
            registry.subject(conn, park, enterprise, meter).subject_id,
            tariff,
            method,
            since.date(),
            None if until is None else until.date(),
            capacity_kva=capacity,
            power_factor_standard=standard,
            source=source,
        )


def bill(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    tariff: TariffOption = None,
    method: MethodOption = None,
    capacity: CapacityOption = None,
    standard: StandardOption = None,
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the bills of whole months, as stated or under other terms."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        found = bills(
            conn,
            subject,
            first.date(),
            last.date(),
            assumed=Assumed(
                tariff=tariff,
                method=method,
                capacity_kva=capacity,
                power_factor_standard=standard,
            ),
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    for each in found["bills"]:
        _print_bill(each)
    totals = found["comparison"]["totals_cny"]
    words = ", ".join(f"by {name} {shown(cny, 2)}" for name, cny in totals.items())
    out.print(f"Total {shown(found['total_cny'], 2)} CNY; {words}", highlight=False)
    if any(each["prices_are_examples"] for each in found["bills"]):
        out.print("The prices are examples; hours and ratios are the notice's.")


def _print_bill(found: dict[str, Any]) -> None:
    words = "" if found["complete"] else ", so far"
    table = Table(
        "line",
        "period",
        "quantity",
        "price",
        "CNY",
        "rule",
        title=f"{found['month']}: coverage {found['coverage']:.1%}{words}",
    )
    for each in found["lines"]:
        table.add_row(
            each["kind"].replace("_", " "),
            (each["period"] or "").replace("_", " "),
            f"{shown(each['quantity'], 2)} {each['unit']}",
            "" if each["price_cny"] is None else f"{each['price_cny']:g}",
            shown(each["amount_cny"], 2),
            escape(each["rule"]),
        )
    table.add_row("total", "", "", "", shown(found["total_cny"], 2), "")
    out.print(table)
