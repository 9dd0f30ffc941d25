"""What was recognised in registers, how it is judged, and what does not add up."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    JsonOption,
    MeterOption,
    ParkOption,
    SourceOption,
    ToOption,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import judgements, policies, registry
from store.errors import Invalid
from store.policies import POLICIES
from store.quantities import QUANTITIES
from store.settings import settings


def events(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="rows")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """List what was recognised in registers, the newest first."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        zone = ZoneInfo(subject.park.zone)
        found = judgements.events(
            conn,
            subject.park.park_id,
            enterprise=subject.enterprise,
            meter=subject.meter,
            start=first.replace(tzinfo=zone),
            stop=last.replace(tzinfo=zone),
            most=limit,
        )
    if as_json:
        rows = [vars(each) for each in found]
        print_json(rows)
        return
    table = Table("meter", "register", "at", "what", "before", "after", "said")
    for each in found:
        said = f"{each.verdict}: {each.why} ({each.who})" if each.verdict else ""
        table.add_row(
            escape(f"{each.enterprise}/{each.meter}"),
            each.quantity,
            each.at.astimezone(zone).isoformat(),
            each.kind or "",
            *(
                "" if value is None else f"{value:,.15g}"
                for value in (each.value_before, each.value_after)
            ),
            escape(said),
        )
    out.print(table)


def balance(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    quantity: Annotated[str, typer.Option(help="what is balanced")] = "energy_import",
    grain: Annotated[str, typer.Option(help="day or month")] = "month",
    as_json: JsonOption = False,
) -> None:
    """Set each meter that others are placed below against these."""
    from analytics.jobs.balancing import balances

    if grain not in ("day", "month"):
        raise Invalid(f"grain {grain!r} is none of day, month")
    if quantity not in QUANTITIES:
        raise Invalid(f"quantity {quantity!r} is none of {', '.join(QUANTITIES)}")
    with connection() as conn:
        found = balances(
            conn,
            registry.park(conn, park),
            first.date(),
            last.date(),
            quantity=quantity,
            grain=grain,
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table("meter", "start", "main", "parts", "unaccounted", "share", "±")
    for each in found:
        share = each["share"]
        table.add_row(
            escape(each["meter"]),
            each["start"],
            *(shown(each[name], 1) for name in ("main", "parts", "unaccounted")),
            "unknown" if share is None else f"{share:.1%}",
            shown(each["uncertainty"], 1),
        )
    out.print(table)


def judge(
    park: ParkOption,
    meter: Annotated[str, typer.Option(help="code of the meter")],
    at: Annotated[str, typer.Option(help="instant with its offset")],
    verdict: Annotated[
        str, typer.Option(help="real, left out, rollover, reset, replacement or rule")
    ],
    who: Annotated[str, typer.Option(help="the person who says so")],
    why: Annotated[str, typer.Option(help="the reason")],
    quantity: Annotated[str, typer.Option(help="the register")] = "energy_import",
    final: Annotated[
        float | None, typer.Option(help="last value of the register replaced")
    ] = None,
    initial: Annotated[
        float | None, typer.Option(help="first value of the new register")
    ] = None,
    enterprise: EnterpriseOption = None,
) -> None:
    """Say what happened to a register at an instant; `rule` takes it back."""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        raise Invalid(f"--at {at!r} is no time") from None
    if instant.tzinfo is None:
        raise Invalid(f"--at {at!r} has no offset: end it with Z or +08:00")
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        judgements.judge(
            conn,
            subject.subject_id,
            quantity,
            instant,
            verdict,
            final=final,
            initial=initial,
            who=who,
            why=why,
        )


def policy(
    park: ParkOption,
    meter: Annotated[str, typer.Option(help="code of the meter")],
    name: Annotated[str, typer.Option(help=f"one of {', '.join(POLICIES)}")],
    source: SourceOption,
    value: Annotated[
        float | None, typer.Option(help="seconds, or readings; without: the default")
    ] = None,
    enterprise: EnterpriseOption = None,
) -> None:
    """State how the registers of a meter are judged; figures restate."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        policies.set_policy(conn, subject.subject_id, name, value, source=source)


def checks(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    as_json: JsonOption = False,
) -> None:
    """List the rules that a period violates, by meter."""
    from analytics.jobs.checking import checks as checked

    with connection() as conn:
        found = checked(
            conn,
            registry.park(conn, park),
            first.date(),
            last.date(),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table("meter", "quantity", "rule", "times", "last", "value", "limit")
    for each in found:
        table.add_row(
            escape(each["meter"]),
            each["quantity"] or "",
            each["rule"],
            "" if each["count"] is None else f"{each['count']:,}",
            each["last"] or "",
            *(
                "" if each[name] is None else f"{each[name]:,.6g}"
                for name in ("value", "limit")
            ),
        )
    out.print(table)
