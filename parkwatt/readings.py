"""Readings from files, and what people say of readings."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import service
from ingest import importing, manual
from parkwatt.options import EnterpriseOption, MeterOption, ParkOption
from parkwatt.printing import err, out, print_json, progress_bar
from parkwatt.running import bring_up_to_date
from parkwatt.servers import connection, database, until_stopped
from store import registry, revisions
from store.database import connect, translated
from store.errors import Invalid
from store.settings import settings


def import_(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or XLSX: park,enterprise,meter,quantity,at,value"),
    ],
    create: Annotated[
        bool, typer.Option("--create", help="register and confirm what it names")
    ] = False,
    zone: Annotated[
        str | None,
        typer.Option(help="IANA zone of times that name none, and of parks created"),
    ] = None,
    region: Annotated[str, typer.Option(help="of parks created")] = "CN",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="store nothing, say what would happen")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="write the outcome of each row to this CSV")
    ] = None,
) -> None:
    """Import readings from a file, in any order of time, and compute what follows."""
    options = importing.Options(
        create=create, zone=zone, region=region, dry_run=dry_run, report=report
    )
    with database() as url:
        if not dry_run:
            bring_up_to_date(url)
        with (
            translated(),
            connect(url, autocommit=True) as conn,
            progress_bar(escape(file.name)) as bar,
        ):
            found = importing.import_file(conn, file, settings(), options, bar)
        if not dry_run:
            with err.status("computing usage, demand and totals"):
                service.run(
                    url,
                    until_stopped(),
                    once=True,
                    minimum_coverage=settings().minimum_coverage,
                )
    counts = found.counts
    new, refused = ("new", "refused") if dry_run else ("inserted", "quarantined")
    out.print(
        f"{counts.inserted} {new}, {counts.duplicate} duplicate, "
        f"{counts.conflict} conflict, {counts.quarantined} {refused}"
        + ("; nothing is stored (dry run)" if dry_run else ""),
        highlight=False,
    )
    said = [each for each in (found.note, *found.problems) if each]
    more = counts.quarantined - len(found.problems)
    if more > 0:
        said.append(f"{more} more rows were refused: --report FILE names each")
    for problem in [*said, found.broken] if found.broken else said:
        err.print(problem, highlight=False, markup=False, soft_wrap=True)
    if counts.quarantined or counts.conflict or found.broken:
        raise typer.Exit(1)


def revise(
    park: ParkOption,
    who: Annotated[str, typer.Option(help="the person who says so")],
    why: Annotated[str, typer.Option(help="the reason")],
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    quantity: Annotated[
        str, typer.Option(help="wire key, or a name in its canonical unit")
    ] = "energy_import",
    at: Annotated[str | None, typer.Option(help="instant with its offset")] = None,
    until: Annotated[
        str | None, typer.Option(help="end of an interval amount, with its offset")
    ] = None,
    value: Annotated[str | None, typer.Option(help="what it really was")] = None,
    strike: Annotated[
        bool, typer.Option("--strike", help="take the reading out")
    ] = False,
    conflict: Annotated[
        int | None, typer.Option(help="settle this one: take the refused value")
    ] = None,
) -> None:
    """Correct a reading with a person and a reason; the raw reading stays."""
    with connection() as conn:
        if conflict is not None:
            if strike or any(each is not None for each in (meter, at, until, value)):
                raise Invalid("--conflict stands alone: it names reading and value")
            park_id = registry.park(conn, park).park_id
            done = revisions.settle(conn, park_id, conflict, who=who, why=why)
        else:
            if meter is None or at is None:
                raise Invalid("name --meter and --at, or a --conflict")
            if strike == (value is not None):
                raise Invalid("give either --value or --strike")
            done = manual.revise(
                conn,
                registry.subject(conn, park, enterprise, meter),
                quantity=quantity,
                at=at,
                value=value,
                until=until,
                who=who,
                why=why,
            )
    before, after = (
        "none" if each is None else f"{each:.15g} {done.unit}".strip()
        for each in (done.value_before, done.value_after)
    )
    out.print(
        f"revision {done.revision_id}: {done.meter} {done.quantity} "
        f"{done.at.isoformat()}: {before} → "
        f"{'struck out' if done.value_after is None else after}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def conflicts(
    park: ParkOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    settled: Annotated[
        bool, typer.Option("--settled", help="those that are settled too")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="rows")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """List second values of a key that were refused, the newest first."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        found = revisions.conflicts(
            conn,
            subject.park.park_id,
            enterprise=subject.enterprise,
            meter=subject.meter,
            settled=None if settled else False,
            most=limit,
        )
    if as_json:
        rows = [asdict(each) for each in found]
        print_json(rows)
        return
    table = Table("id", "meter", "quantity", "at", "stored", "refused", "from")
    for each in found:
        table.add_row(
            str(each.conflict_id),
            f"{each.enterprise}/{each.meter}",
            f"{each.quantity} {each.unit}".strip(),
            each.at.isoformat(),
            f"{each.stored:.15g}",
            f"{each.refused:.15g}",
            escape(each.source) + (" (settled)" if each.settled else ""),
        )
    out.print(table if found else "no conflicts")
