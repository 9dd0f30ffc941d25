"""Messages of foreign devices: how they are read, and read again."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ingest import explaining as explaining_payload
from ingest import retrying
from ingest.mapping import load as load_mapping
from parkwatt.options import SourceOption, read_text
from parkwatt.printing import out, print_json
from parkwatt.running import bring_up_to_date
from parkwatt.servers import connection, database
from store import devices, registry
from store.settings import settings

mapping_app = typer.Typer(no_args_is_help=True, help="How foreign devices are read.")


def payload(
    topic: str,
    files: Annotated[
        list[Path], typer.Argument(help="the bytes of a message, or of several in turn")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
    by: Annotated[
        Path | None, typer.Option("--mapping", help="a mapping to try (YAML)")
    ] = None,
    zone: Annotated[
        str, typer.Option(help="IANA zone of times without one")
    ] = "Asia/Shanghai",
) -> None:
    """Show what ingest would read from a message; needs no broker and no database.

    For a message of an unknown shape it drafts a mapping.
    """
    found = explaining_payload.explain(
        topic,
        files,
        settings().payload_bytes,
        zone=zone,
        by=load_mapping(read_text(by)) if by else None,
    )
    if as_json:
        print_json(found)
    else:
        table = Table(title=escape(topic), title_justify="left")
        for name in ("meter", "quantity", "kind", "at", "until", "value", "unit"):
            table.add_column(name)
        for each in found["readings"]:
            table.add_row(*(escape(str(value or "")) for value in each.values()))
        out.print(table)
        if found["read_by"]:
            out.print(f"read by {escape(found['read_by'])}")
        if found["read_by"] and not found["enterprise"]:
            out.print("of no enterprise: it needs a mapping, or the prefix of one")
        if found["timed_on_arrival"]:
            out.print("[yellow]no time of its own:[/] that of arrival is taken")
        if found["unread"]:
            out.print(f"not read: {escape(', '.join(found['unread']))}")
        for each in found["refused"]:
            out.print(
                f"[red]refused[/] ({each['readings']}): {escape(each['reason'])}",
                highlight=False,
            )
        if found["proposal"]:
            out.print("\na draft for `parkwatt mapping add`; look at every line:\n")
            sys.stdout.write(found["proposal"])
    if found["refused"]:
        raise typer.Exit(1)


@mapping_app.command("add")
def mapping_add(file: Path, source: SourceOption) -> None:
    """Record how the messages of a topic are read; one of the same name is replaced."""
    text = read_text(file)
    found = load_mapping(text)
    with connection() as conn:
        subject = registry.subject(conn, found.park, found.enterprise)
        devices.add_mapping(
            conn, found.name, subject.subject_id, found.topic, text, source=source
        )
    out.print(f"{found.name}: {found.topic} → {found.park}/{found.enterprise}")


@mapping_app.command("list")
def mapping_list() -> None:
    """List the mappings, and the topics that nobody can place."""
    with connection() as conn:
        known, unknown = devices.mappings(conn), devices.unknown_topics(conn)
    table = Table("mapping", "topic", "enterprise", "since", "source")
    for each in known:
        cells = (each.name, each.topic, f"{each.park}/{each.enterprise}")
        since = f"{each.recorded_at:%Y-%m-%d %H:%M}"
        table.add_row(*(escape(cell) for cell in (*cells, since, each.source)))
    out.print(table)
    for topic in unknown:
        out.print(
            f"{topic.messages} messages on {escape(topic.pattern)}: "
            f"{escape(topic.reason)}",
            highlight=False,
        )


@mapping_app.command("end")
def mapping_end(name: str) -> None:
    """End a mapping; what it has read stays."""
    with connection() as conn:
        devices.end_mapping(conn, name)


def retry() -> None:
    """Read again what is kept of messages that nobody could place before."""
    with database() as url:
        bring_up_to_date(url)
        done = retrying.retry(url, settings())
    out.print(f"{done.placed} of {done.messages} messages placed: {done.counts}")
