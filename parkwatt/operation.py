"""What an operator sets up and looks after."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ingest import checking, mosquitto
from parkwatt.printing import out
from store.errors import Invalid
from store.settings import settings

dashboards_app = typer.Typer(no_args_is_help=True, help="Grafana dashboards as code.")


@dashboards_app.command("push")
def dashboards_push() -> None:
    """Publish the dashboards to Grafana; a second run changes nothing."""
    from dashboards.publish import push

    known = settings()
    changed = push(known.grafana_url, known.grafana_token, known.grafana_database_url)
    out.print("\n".join(changed) if changed else "nothing to do")


def broker_config(
    folder: Annotated[Path, typer.Argument(help="where the files are written")],
    gateway: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=park/enterprise, NAME being the common name of the gateway's "
            "certificate; NAME=park/enterprise/CODE where its topics say CODE"
        ),
    ] = None,
    ingest_name: Annotated[
        list[str] | None,
        typer.Option("--ingest", help="common name of ingest's certificate"),
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="address to listen on; without it all")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="8883, plain 1883")
    ] = None,
    inside: Annotated[
        Path | None, typer.Option(help="the folder as the broker sees it")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="folder of the queue; state in the folder")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="no TLS, no sign-in: loopback only")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="replace files that are there")
    ] = False,
) -> None:
    """Write a Mosquitto configuration that loses nothing: TLS, or plain loopback."""
    seen = inside or folder.absolute()
    queue = state or seen / "state"
    if plain:
        if gateway or ingest_name:
            raise Invalid("a plain broker has no sign-in: --gateway is for TLS")
        text = mosquitto.plain(
            host=host or "127.0.0.1", port=port or 1883, state=queue, root=False
        )
        texts = {mosquitto.CONF: text}
    else:
        text = mosquitto.secured(
            host=host or "",
            port=port or 8883,
            certs=seen / "certs",
            acl=seen / mosquitto.ACL,
            state=queue,
        )
        rights = mosquitto.access(
            [mosquitto.gateway(each) for each in gateway or ()],
            ingest_name or [mosquitto.INGEST],
        )
        texts = {mosquitto.CONF: text, mosquitto.ACL: rights}
    if not inside:
        queue.mkdir(parents=True, exist_ok=True)  # Mosquitto makes none
    for path in mosquitto.write(folder, texts, force=force):
        out.print(str(path), highlight=False, soft_wrap=True)


def doctor() -> None:
    """Say what is running, what is missing and how to get it."""
    healthy = True
    table = Table("part", "state", "what to do")
    for check in checking.checks(settings()):
        healthy &= check.good or not check.needed
        mark = "[green]ok[/]" if check.good else "[red]missing[/]"
        table.add_row(check.part, f"{mark} {check.state}", check.remedy)
    out.print(table)
    if not healthy:
        raise typer.Exit(1)
