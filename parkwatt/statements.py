"""What enterprises state, and what they are."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ingest import stating
from ingest.sheets import SheetRow, read_sheet
from ingest.statement_template import template
from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    ParkOption,
    SourceOption,
    ToOption,
    WhoOption,
)
from parkwatt.printing import err, out
from parkwatt.servers import connection
from store import membership, periods, registry, statements
from store.errors import Invalid
from store.statement_kinds import KINDS

statement_app = typer.Typer(no_args_is_help=True, help="What enterprises state.")


def added_value(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    first: FromOption,
    last: ToOption,
    amount: Annotated[float, typer.Option(help="10⁴ CNY")],
    source: SourceOption,
    stage: Annotated[str, typer.Option(help="provisional or final")] = "final",
    prices: Annotated[str, typer.Option(help="current or comparable")] = "current",
    price_base: Annotated[
        int | None, typer.Option(help="year of the comparable prices")
    ] = None,
) -> None:
    """State an enterprise's industrial added value of a period."""
    with connection() as conn:
        statements.state_added_value(
            conn,
            registry.subject(conn, park, enterprise).subject_id,
            first.date(),
            last.date(),
            amount,
            prices=prices,
            price_base=price_base,
            stage=stage,
            source=source,
        )


@statement_app.command("add")
def statement_add(
    park: ParkOption,
    kind: Annotated[str, typer.Option(help="see parkwatt statement kinds")],
    period: Annotated[str, typer.Option(help=f"one like {periods.EXAMPLES}")],
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
    amount: Annotated[float | None, typer.Option()] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="take back what this stage says")
    ] = False,
    product: Annotated[str | None, typer.Option(help="code, or pollutant")] = None,
    unit: Annotated[str | None, typer.Option(help="if not the canonical one")] = None,
    prices: Annotated[str | None, typer.Option(help="current or comparable")] = None,
    price_base: Annotated[
        int | None, typer.Option(help="year of the comparable prices")
    ] = None,
    stage: Annotated[str, typer.Option(help="provisional or final")] = "final",
) -> None:
    """State output, revenue, area, heads, water and the like of a period."""
    row = {
        "enterprise": enterprise,
        "kind": kind,
        "product": product,
        "unit": unit,
        "period": period,
        "amount": amount,
        "withdraw": withdraw,
        "prices": prices,
        "price_base": price_base,
        "stage": stage,
        "source": source,
    }
    with connection() as conn:
        found = registry.park(conn, park)
        report = stating.store(conn, found, stating.rows_of([row]), who=who)
    _print_stated(report)


@statement_app.command("import")
def statement_import(
    park: ParkOption,
    file: Path,
    who: WhoOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only tell")] = False,
) -> None:
    """Store the statements of an XLSX or CSV file, all or none."""
    rows = _sheet(file)
    with connection() as conn:
        found = registry.park(conn, park)
        _print_stated(stating.store(conn, found, rows, who=who, dry_run=dry_run))


def _sheet(file: Path) -> list[SheetRow]:
    try:
        return read_sheet(file, stating.NAMES, stating.REQUIRED)
    except OSError as error:
        raise Invalid(f"{file}: {error.strerror}") from error


def _print_stated(report: stating.Report) -> None:
    for each in report.rows:
        if each.outcome == "refused":
            err.print(f"row {each.row}: {escape(each.message)}", highlight=False)
    names = ("new", "withdrawn", "known", "refused")
    counts = ", ".join(f"{report.count(name)} {name}" for name in names)
    out.print(counts + ("" if report.stored else "; nothing is stored"))
    if report.count("refused"):
        raise typer.Exit(1)


@statement_app.command("template")
def statement_template(park: ParkOption, file: Path) -> None:
    """Write the workbook to fill in, with instructions and the park's codes."""
    with connection() as conn:
        found = registry.park(conn, park)
        content = template(found, registry.enterprises(conn, found.park_id))
    file.write_bytes(content)


@statement_app.command("list")
def statement_list(
    park: ParkOption,
    enterprise: EnterpriseOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="replaced and withdrawn ones too")
    ] = False,
) -> None:
    """List the statements that count, or all that were ever made."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        ids = {subject.subject_id: subject.enterprise or ""}
        if enterprise is None:
            found = registry.enterprises(conn, subject.park.park_id)
            ids |= {each.enterprise_id: each.code for each in found}
        asked = list(ids), list(KINDS)
        rows = (
            statements.vintages(conn, *asked)
            if every
            else statements.stated(conn, *asked)
        )
    table = Table("enterprise", "kind", "period", "amount", "unit", "stage", "source")
    for each in rows:
        table.add_row(
            ids[each.subject_id],
            escape(f"{each.kind} {each.product or ''}".strip()),
            periods.written(each.period_from, each.period_to),
            "withdrawn" if each.amount is None else f"{each.amount:.15g}",
            each.unit,
            f"{each.stage} {each.prices or ''} {each.price_base or ''}".strip(),
            escape(each.source),
        )
    out.print(table)


@statement_app.command("kinds")
def statement_kinds() -> None:
    """List what can be stated, with its units."""
    table = Table("kind", "meaning", "含义", "units")
    for each in KINDS.values():
        units = ", ".join(each.units) or "its own"
        table.add_row(each.name, each.meaning, each.zh, units)
    out.print(table)


def above_size(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    year: Annotated[int, typer.Option(min=1990, max=2200)],
    source: SourceOption,
    who: WhoOption,
    no: Annotated[bool, typer.Option("--no", help="it is not")] = False,
) -> None:
    """Say that an enterprise is above designated size in a year, or is not."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        membership.state_size(
            conn, subject.subject_id, year, not no, source=source, who=who
        )


def industry(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    code: Annotated[str, typer.Option(help="GB/T 4754, two to four digits")],
    since: FromOption,
    source: SourceOption,
    who: WhoOption,
) -> None:
    """Say in which industry an enterprise is from a day on."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        membership.state_industry(
            conn,
            subject.subject_id,
            membership.digits(code),
            since.date(),
            source=source,
            who=who,
        )


def owner(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    source: SourceOption,
    who: WhoOption,
    name: Annotated[
        str | None, typer.Option(help="whose it is; without it: withdrawn")
    ] = None,
) -> None:
    """Say whose an enterprise is; the benchmark takes those of one owner as one."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        membership.state_owner(conn, subject.subject_id, name, source=source, who=who)
