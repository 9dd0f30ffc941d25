"""Why a figure is what it is, and periods that are closed."""

import sys
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import closed, closing, explaining, restatement
from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    JsonOption,
    KnownOption,
    MeterOption,
    ParkOption,
    ToOption,
    WhoOption,
    moment,
)
from parkwatt.printing import err, out, print_json, shown
from parkwatt.servers import connection
from store import closings as stored_closings
from store import registry
from store.settings import settings


def explain(
    figure: Annotated[str, typer.Argument(help="its name, such as tce.calorific")],
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    as_known_on: KnownOption = None,
    compare_with: Annotated[
        str | None, typer.Option(help="date or time: what changed since, and why")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a figure is what it is, and why it is another one than it was."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        found = explaining.explain(
            conn,
            subject,
            figure,
            first.date(),
            last.date(),
            known_on=moment(as_known_on, subject),
            compare_with=moment(compare_with, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    out.print(f"{figure} = {shown(found['value'], 6)} {found['unit']}", markup=False)
    out.print(f"  {found['formula']}", markup=False)
    for line in found["lines"]:
        times = "no factor"
        if line["factor"]:
            times = f"{line['factor_value']:g} {line['factor_unit']} ({line['factor']})"
        out.print(
            f"  {line['carrier']}: {shown(line['amount'])} {line['unit']} × {times}"
            f" = {shown(line['result_t'], 6)} t",
            markup=False,
        )
    table = Table("meter", "quantity", "from", "to", "amount")
    for each in found["meters"]:
        amount = f"{shown(each['amount'])} {each['unit']}"
        name = f"{each['enterprise']}/{each['meter']}"
        table.add_row(name, each["quantity"], each["from"], each["to"], amount)
    if found["meters"]:
        out.print(table)
    read = found["readings"]
    out.print(
        f"{read['readings']} readings in {read['batches']} batches of "
        f"{', '.join(read['sources']) or 'nobody'}, "
        f"{found['coverage']['coverage']:.2%} known, "
        f"{found['coverage']['estimated_share']:.2%} estimated",
        markup=False,
    )
    grounds = ("factors", "multipliers", "membership", "registers", "corrections")
    _print_grounds(
        [
            row
            for name in (*grounds, "events", "statements", "green")
            for row in found[name]
        ]
    )
    if found["change"] is not None:
        _print_change(found["change"], found["unit"])


def _print_grounds(rows: list[dict[str, Any]]) -> None:
    table = Table("row", "of", "what", "from", "to", "who", "why", "recorded at")
    for row in rows:
        of = "/".join(each for each in (row["enterprise"], row["meter"]) if each)
        cells = (row["valid_from"], row["valid_to"], row["who"], row["why"])
        table.add_row(
            f"{row['table']} {row['row_id']}",
            of,
            escape(row["what"]),
            *(escape(each or "") for each in cells),
            row["recorded_at"],
        )
    if rows:
        out.print(table)


def _print_change(change: dict[str, Any], unit: str) -> None:
    out.print(
        f"since {change['since']}: {shown(change['before'], 6)} → "
        f"{shown(change['after'], 6)} {unit}, {shown(change['change'], 6)}",
        markup=False,
    )
    for cause in change["causes"]:
        out.print(f"  {cause['kind']}: {shown(cause['change'], 6)}", markup=False)
        if cause["readings"]:
            read = cause["readings"]
            out.print(
                f"    {read['readings']} readings of {', '.join(read['sources'])}, "
                f"arrived {read['first_received_at']} to {read['last_received_at']}",
                markup=False,
            )
        _print_grounds(cause["rows"])


def close_period(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    who: WhoOption,
    note: Annotated[str, typer.Option(help="kept with it")] = "",
    despite: Annotated[
        str | None, typer.Option(help="why, where coverage is below the minimum")
    ] = None,
) -> None:
    """Freeze the figures of whole months of a park and its enterprises."""
    with connection() as conn:
        made = closing.close(
            conn,
            registry.park(conn, park),
            first.date(),
            last.date(),
            who=who,
            note=note,
            despite=despite,
            minimum_coverage=settings().minimum_coverage,
        )
    out.print(f"closing {made.closing_id}, SHA-256 {made.sha256}", soft_wrap=True)


def list_closings(
    park: ParkOption,
    verify: Annotated[
        bool, typer.Option("--verify", help="recompute every hash")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="look for restatements now")
    ] = False,
    content: Annotated[
        int | None, typer.Option(help="write what was hashed of this closing")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="with restatements")] = False,
) -> None:
    """List closed periods, and what was restated since."""
    with connection() as conn:
        whole = registry.subject(conn, park)
        if check:
            restatement.check(conn, whole.park)
        made = stored_closings.closings(conn, whole.park.park_id)
        if content is not None:
            text = closed.detail(conn, whole, content)["content"]
            sys.stdout.buffer.write(text.encode("utf-8"))  # not a byte more
            return
        rows = [closed.detail(conn, whole, each.closing_id) for each in made]
        faults = list(closing.verify(conn, whole.park)) if verify else []
    if as_json:
        found = {"closings": rows, "faults": faults}
        print_json(found)
    else:
        table = Table(
            "closing", "from", "to", "closed at", "who", "SHA-256", "restated"
        )
        for row in rows:
            one = row["closing"]
            table.add_row(
                str(one["closing_id"]),
                str(one["from"]),
                str(one["to"]),
                one["closed_at"].isoformat(),
                escape(one["who"]),
                one["sha256"],
                str(one["restatements"]),
            )
        out.print(table if rows else "no closings")
    for fault in faults:
        err.print(f"[red]wrong:[/] {escape(fault)}", highlight=False)
    if faults:
        raise typer.Exit(1)
    if verify and not as_json:
        out.print("every hash is the one that was recorded")
