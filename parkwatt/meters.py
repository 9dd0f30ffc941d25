"""Meters: made known, placed in the tree, by formula, and what is known of them."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    MeterOption,
    ParkOption,
    SourceOption,
    UntilOption,
)
from parkwatt.printing import out
from parkwatt.servers import connection
from store import formulas, judgements, registry, relations

virtual_app = typer.Typer(no_args_is_help=True, help="Meters by formula.")


def register(
    park: ParkOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    zone: Annotated[
        str, typer.Option(help="IANA zone of a new park")
    ] = "Asia/Shanghai",
    region: Annotated[str, typer.Option(help="grid region of a new park")] = "CN",
    name: Annotated[str, typer.Option(help="of the last one named")] = "",
    since: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="day from which the meter counts"),
    ] = datetime(2000, 1, 1),  # noqa: DTZ001  (a day of the park's zone)
) -> None:
    """Register a park, an enterprise of it, or a meter; a named meter is confirmed."""
    with connection() as conn:
        park_name = name if enterprise is None else ""
        park_id = registry.add_park(
            conn, park, name=park_name, zone=zone, region=region
        )
        if enterprise is None:
            return
        enterprise_id = registry.add_enterprise(
            conn, park_id, enterprise, name=name if meter is None else ""
        )
        if meter is not None:
            meter_id = registry.add_meter(
                conn, park_id, enterprise_id, meter, name=name
            )
            known = registry.subject(conn, park).park
            relations.confirm_meter(
                conn,
                meter_id,
                enterprise_id,
                source="registered by hand",
                since=since.replace(tzinfo=ZoneInfo(known.zone)),
            )


@virtual_app.command("set")
def virtual_set(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="whose meter it is")],
    meter: Annotated[str, typer.Option(help="its code; made where it is new")],
    formula: Annotated[
        str, typer.Option(help='for instance "E01/M1 + E01/M2 - 0.5 E02/M7"')
    ],
    source: SourceOption,
    quantity: Annotated[str, typer.Option(help="what adds up")] = "energy_import",
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="first day; else always"),
    ] = None,
    until: UntilOption = None,
    role: Annotated[
        str, typer.Option(help="of a new meter: check, main, park or sub")
    ] = "check",
    name: Annotated[str, typer.Option(help="of a new meter")] = "",
) -> None:
    """State what a virtual meter adds up; its usage is computed anew."""
    with connection() as conn:
        owner = registry.subject(conn, park, enterprise)
        zone = ZoneInfo(owner.park.zone)
        formulas.add_virtual(
            conn,
            owner.park.park_id,
            owner.subject_id,
            meter,
            quantity=quantity,
            formula=formula,
            valid_from=relations.BEGINNING
            if since is None
            else since.replace(tzinfo=zone),
            valid_to=None if until is None else until.replace(tzinfo=zone),
            role=role,
            name=name,
            source=source,
        )


@virtual_app.command("list")
def virtual_list(park: ParkOption) -> None:
    """List the formulas of virtual meters, each meter's newest first."""
    with connection() as conn:
        known = registry.park(conn, park)
        zone = ZoneInfo(known.zone)
        table = Table("meter", "quantity", "formula", "from", "to", "source")
        for each in formulas.stated(conn, known.park_id):
            table.add_row(
                f"{each.enterprise}/{each.meter}",
                each.quantity,
                escape(each.formula),
                f"{each.valid_from.astimezone(zone):%Y-%m-%d}",
                ""
                if each.valid_to is None
                else f"{each.valid_to.astimezone(zone):%Y-%m-%d}",
                escape(each.source),
            )
    out.print(table)


def multiplier(
    park: ParkOption,
    meter: Annotated[str, typer.Option(help="code of the meter")],
    ct: Annotated[float, typer.Option(help="current transformer ratio")],
    since: FromOption,
    source: SourceOption,
    pt: Annotated[float, typer.Option(help="voltage transformer ratio")] = 1.0,
    enterprise: EnterpriseOption = None,
) -> None:
    """State a meter's transformer ratios from a day on; its usage is computed anew."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        relations.set_multiplier(
            conn,
            subject.subject_id,
            ct=ct,
            pt=pt,
            valid_from=since.replace(tzinfo=ZoneInfo(subject.park.zone)),
            source=source,
        )


def digits(
    park: ParkOption,
    meter: Annotated[str, typer.Option(help="code of the meter")],
    digits: Annotated[int, typer.Option(help="before the decimal point")],
    source: SourceOption,
    quantity: Annotated[
        str, typer.Option(help="register, in its canonical unit")
    ] = "energy_import",
    enterprise: EnterpriseOption = None,
) -> None:
    """State the digits of a meter's register, at which it rolls over."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        relations.set_digits(conn, subject.subject_id, quantity, digits, source=source)


def plate(
    park: ParkOption,
    meter: Annotated[str, typer.Option(help="code of the meter")],
    source: SourceOption,
    accuracy_class: Annotated[
        float | None, typer.Option("--class", help="accuracy class, %")
    ] = None,
    rated: Annotated[
        float | None, typer.Option(help="the most it can count, kW or unit an hour")
    ] = None,
    fall: Annotated[
        str | None,
        typer.Option(help="after a fall the register: unknown, or restart at 0"),
    ] = None,
    enterprise: EnterpriseOption = None,
) -> None:
    """State what is known of a meter itself; a part that is not named stays unknown."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        if accuracy_class is not None or rated is not None:
            judgements.set_plate(
                conn,
                subject.subject_id,
                accuracy_class=accuracy_class,
                rated_per_h=rated,
                source=source,
            )
        if fall is not None:
            judgements.set_fall_policy(conn, subject.subject_id, fall, source=source)


def place(
    park: ParkOption,
    meter: Annotated[str, typer.Option(help="code of the meter")],
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="first local day")
    ],
    source: SourceOption,
    role: Annotated[str, typer.Option(help="main, park, sub or check")] = "main",
    above: Annotated[
        str | None,
        typer.Option(help="the meter above it, as METER or ENTERPRISE/METER"),
    ] = None,
    enterprise: EnterpriseOption = None,
) -> None:
    """State where a meter stands in the tree from a day on: what it counts for."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        over = None
        if above is not None:
            owner, _, code = above.rpartition("/")
            over = registry.subject(conn, park, owner or enterprise, code).subject_id
        relations.place_meter(
            conn,
            subject.subject_id,
            role,
            over,
            since.replace(tzinfo=ZoneInfo(subject.park.zone)),
            source=source,
        )
