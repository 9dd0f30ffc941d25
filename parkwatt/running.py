"""The parts that run: migrate, ingest, analyse, serve, and all of them together."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from analytics.jobs import factors, service, tariffs
from ingest import service as ingest_service
from parkwatt.printing import out, say
from parkwatt.servers import (
    Address,
    address_of,
    broker_address,
    database,
    page_address,
    private_broker,
    private_database,
    until_stopped,
)
from store.database import session, translated
from store.migrate import migrate as apply_migrations
from store.processes import Child, Supervisor
from store.settings import Settings, settings


def migrate() -> None:
    """Bring the database up to date; record the shipped factors and tariffs."""
    with database() as url:
        done = bring_up_to_date(url)
    out.print("\n".join(done) if done else "nothing to do")


def bring_up_to_date(url: str) -> list[str]:
    """Migrate and record what is shipped; give what was new."""
    with translated():
        done = apply_migrations(url)
    with session(url) as conn:
        for name, load in (("factors", factors.load), ("tariffs", tariffs.load)):
            added = load(conn)
            done += [f"{added} {name}"] if added else []
    return done


def ingest() -> None:
    """Store what the broker brings, until stopped."""
    with database() as url, broker_address() as broker:
        known = _with_broker(settings(), broker)
        ingest_service.run(url, known, until_stopped())


def _with_broker(known: Settings, broker: Address) -> Settings:
    return known.model_copy(update={"mqtt_host": broker.host, "mqtt_port": broker.port})


def analyse(
    once: Annotated[
        bool, typer.Option("--once", help="end when nothing is left to do")
    ] = False,
) -> None:
    """Turn readings into usage, demand and totals, until stopped."""
    with database() as url:
        service.run(
            url,
            until_stopped(),
            once=once,
            minimum_coverage=settings().minimum_coverage,
        )


def serve() -> None:
    """Serve the API and the live page, until stopped."""
    with database() as url:
        from api.serve import serve  # the web stack starts slowly: here alone

        serve(url, settings(), until_stopped())


def up() -> None:
    """Run ingest, analyse and serve together, with a private database if none is set."""
    stop = until_stopped()
    with services(restarts=None) as (_, broker, supervisor):
        say(f"broker {broker.host}:{broker.port}, page {page_address()}")
        while not stop.wait(0.5):
            supervisor.poll()


@contextlib.contextmanager
def services(
    restarts: int | None = 5,
) -> Iterator[tuple[str, Address, Supervisor]]:
    """Run database, broker and the three processes."""
    from api.serve import listen

    listen(settings()).close()  # a taken port is told before anything is started
    with (
        private_database() as server,
        private_broker() as own_broker,
        Supervisor(restarts=restarts, say=say) as supervisor,
    ):
        url = server.url if server else settings().database_url
        broker = address_of(own_broker)
        for name, part in (("database", server), ("broker", own_broker)):
            if part is not None:
                supervisor.watch(name, part)
        for line in bring_up_to_date(url):
            say(f"applied {line}")
        for name in ("ingest", "analyse", "serve"):
            supervisor.start(child(url, broker, name))
        yield url, broker, supervisor


def child(url: str, broker: Address, *command: str) -> Child:
    """Give a command as a process that uses this database and this broker."""
    return Child(
        name=command[0],
        argv=[sys.executable, "-P", "-m", "parkwatt", *command],
        env={
            "PARKWATT_DATABASE_URL": url,
            "PARKWATT_MQTT_HOST": broker.host,
            "PARKWATT_MQTT_PORT": str(broker.port),
            "PYTHONUNBUFFERED": "1",
        },
        log_path=settings().folder / "log" / f"{command[0]}.log",
    )
