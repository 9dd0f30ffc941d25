"""The demonstration: a real plant's year and a simulated park, through MQTT."""

import threading
import time as clock
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

import simulators.simulate
from analytics.jobs.figures import figures as compute_figures
from parkwatt.figures import print_figures
from parkwatt.printing import err, out, print_json, progress_bar, run_bar, say
from parkwatt.running import child, services
from parkwatt.servers import Address, page_address, until_stopped
from parkwatt.simulated_park import INVENTED, WHO, register_world
from parkwatt.simulating import DEMO_PARK, PLANT, PLANT_METER, STEEL, spool
from simulators import replay as replaying
from simulators import scenario as scenarios
from simulators import steel
from simulators.errors import PublishError
from simulators.publisher import Publisher
from simulators.world import World
from store import dirty, live, registry, relations, statements
from store.database import Connection, session
from store.errors import Invalid
from store.processes import Supervisor
from store.settings import settings

PLANT_YEAR = (date(2018, 1, 1), date(2019, 1, 1))
PLANT_ADDED_VALUE_10K_CNY = 2000.0  # invented: the plant's is not published
DEMO_ZONE = ZoneInfo("Asia/Shanghai")
DEMO_QUARTERS_DAYS = 35  # so far back by quarter hours, further by hours


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="print the figures as JSON and end")
    ] = False,
) -> None:
    """Show it all: a real plant's year and a simulated park, through MQTT."""
    began = clock.monotonic()
    stop = until_stopped()
    with services() as (url, broker, supervisor):
        world = World(scenarios.load(DEMO_PARK))
        _register_plant(url)
        register_world(url, world, _history())
        _wait_for_ingest(broker, supervisor, stop)
        if not _complete(url):
            _replay_plant(broker)
        _backfill_demo(url, broker, world, stop)
        _settle(url, supervisor, stop)
        answer = _demo_figures(url, world) | {"seconds": clock.monotonic() - began}
        if once:
            print_json(answer)
            return
        supervisor.start(child(url, broker, "simulate", "--cadence", "5"))
        print_figures(answer["plant"])
        print_figures(answer["park"])
        out.print(
            f"\nready after {answer['seconds']:.0f} s; "
            f"live page [bold]{page_address()}[/] · Ctrl-C stops everything",
            highlight=False,
        )
        while not stop.wait(0.5):
            supervisor.poll()


def _register_plant(url: str) -> None:
    with session(url) as conn:
        enterprise_id = _register(
            conn, PLANT, STEEL, PLANT_METER, zone=steel.ZONE, region="CN-JS"
        )
        statements.state_added_value(
            conn,
            enterprise_id,
            *PLANT_YEAR,
            PLANT_ADDED_VALUE_10K_CNY,
            source=INVENTED,
        )


def _register(
    conn: Connection, park: str, enterprise: str, meter: str, *, zone: str, region: str
) -> int:
    park_id = registry.add_park(conn, park, zone=zone, region=region)
    enterprise_id = registry.add_enterprise(conn, park_id, enterprise)
    meter_id = registry.add_meter(conn, park_id, enterprise_id, meter)
    relations.confirm_meter(conn, meter_id, enterprise_id, source=WHO)
    return enterprise_id


def _history() -> datetime:
    """Give when the demonstration's history begins: with the last whole year."""
    today = datetime.now(DEMO_ZONE)
    return datetime(today.year - 1, 1, 1, tzinfo=DEMO_ZONE)


def _wait_for_ingest(
    broker: Address, supervisor: Supervisor, stop: threading.Event
) -> None:
    """Wait until somebody listens: an answer's topic is taken and holds no reading."""
    for _ in range(120):
        if stop.is_set():
            raise typer.Exit(130)
        supervisor.poll()
        try:
            with Publisher(broker.host, broker.port, client_id="parkwatt-demo") as door:
                door.publish(f"parkwatt/v1/{DEMO_PARK}/E01/door/ack", b"{}")
                door.drain()
        except PublishError:
            stop.wait(0.5)
        else:
            return
    raise Invalid(f"ingest does not listen; see {settings().folder / 'log'}")


def _complete(url: str) -> bool:
    with session(url) as conn:
        found = compute_figures(conn, registry.subject(conn, PLANT), *PLANT_YEAR)
    return bool(found["coverage"] == 1.0)


def _replay_plant(broker: Address) -> None:
    with progress_bar("plant's year over MQTT") as progress:
        report = replaying.replay(
            host=broker.host,
            port=broker.port,
            park=PLANT,
            enterprise=STEEL,
            meter=PLANT_METER,
            shuffle=True,
            duplicates=0.03,
            progress=progress,
        )
    say(
        f"{report.readings} readings sent in {report.seconds:.1f} s, shuffled, "
        "3 % of them twice"
    )


def _backfill_demo(
    url: str, broker: Address, world: World, stop: threading.Event
) -> None:
    """Send what the simulated park has measured since it was last heard of."""
    now = datetime.now(UTC).replace(microsecond=0)
    midnight = datetime.combine(now.astimezone(world.zone).date(), time(), world.zone)
    quarters = midnight - timedelta(days=DEMO_QUARTERS_DAYS)
    with session(url) as conn:
        newest = live.newest(conn, registry.subject(conn, world.code).park.park_id)
    start = newest or _history()
    where = simulators.simulate.Broker(
        host=broker.host, port=broker.port, spool=spool(world.code)
    )
    edges = [start, max(start, quarters), max(start, midnight), now]
    for (low, high), cadence_s in zip(pairwise(edges), (3600, 900, 300), strict=True):
        if low < high and not stop.is_set():
            with run_bar(
                f"simulated park from {low.astimezone(world.zone):%m-%d}"
            ) as bar:
                simulators.simulate.backfill(
                    world,
                    where,
                    start=low,
                    until=high,
                    cadence_s=cadence_s,
                    stop=stop,
                    progress=bar,
                )


def _settle(url: str, supervisor: Supervisor, stop: threading.Event) -> None:
    """Wait until all that was sent is stored and computed."""
    with err.status("computing usage, demand and totals"):
        quiet = 0
        while quiet < 2 and not stop.wait(0.5):
            supervisor.poll()
            with session(url) as conn:
                quiet = quiet + 1 if not dirty.waiting(conn) and _complete(url) else 0
    if stop.is_set():
        raise typer.Exit(130)


def _last_month() -> tuple[date, date]:
    """Give the last whole month of the simulated park."""
    this = datetime.now(DEMO_ZONE).date().replace(day=1)
    return (this - timedelta(days=1)).replace(day=1), this


def _demo_figures(url: str, world: World) -> dict[str, Any]:
    with session(url) as conn:
        plant = compute_figures(conn, registry.subject(conn, PLANT), *PLANT_YEAR)
        whole = compute_figures(
            conn, registry.subject(conn, world.code), *_last_month()
        )
        sources = [vars(each) for each in live.source_counts(conn)]
    return {"plant": plant, "park": whole, "sources": sources, "page": page_address()}
