"""The front door: one command-line app that composes the rooms."""

import contextlib
import json
import logging
import signal
import sys
import threading
import time as clock
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TimeElapsedColumn,
)
from rich.table import Table

import simulators.simulate
from analytics.jobs import (
    activities,
    baselines,
    closed,
    closing,
    explaining,
    factors,
    intensities,
    ledger,
    onsiting,
    own_factors,
    packs,
    restatement,
    service,
    tariffs,
    telling,
    whatifs,
    yearly,
)
from analytics.jobs import trajectory as trajectories
from analytics.jobs.billing import Assumed, bills
from analytics.jobs.book import load_book
from analytics.jobs.budgets import budgets, zone_year
from analytics.jobs.decomposing import decompose
from analytics.jobs.evaluating import evaluate
from analytics.jobs.figures import figures as compute_figures
from analytics.jobs.methods import of_kind
from analytics.jobs.methods import shipped as shipped_methods
from analytics.jobs.netting import netting
from analytics.jobs.park_comparison import comparison as compare_parks
from analytics.jobs.workbooks import zero_carbon_workbook
from analytics.jobs.zero_carbon import report as zero_carbon_report
from ingest import (
    checking,
    importing,
    manual,
    mosquitto,
    retrying,
    stating,
)
from ingest import explaining as explaining_payload
from ingest import service as ingest_service
from ingest.activity_rows import read_activities
from ingest.broker import Broker
from ingest.broker import find_or_install as find_broker
from ingest.mapping import load as load_mapping
from ingest.sheets import SheetRow, read_sheet
from ingest.statement_template import template
from simulators import faults as simulated_faults
from simulators import formats as simulated_formats
from simulators import loading, steel
from simulators import replay as replaying
from simulators import scenario as scenarios
from simulators import truth as truths
from simulators.control import Control, keyboard, listening
from simulators.errors import PublishError, SimulatorError
from simulators.meter import Fault
from simulators.publisher import Publisher
from simulators.view import viewing
from simulators.world import World
from store import activities as stored_activities
from store import closings as stored_closings
from store import (
    demand_rules,
    devices,
    dirty,
    formulas,
    judgements,
    live,
    membership,
    periods,
    policies,
    registry,
    relations,
    revisions,
    statements,
    targets,
)
from store import factors as stored_factors
from store import tariffs as stored_tariffs
from store.database import Connection, connect, session, translated
from store.embedded import Server, find_or_install
from store.errors import Invalid, ParkwattError
from store.migrate import migrate as apply_migrations
from store.policies import POLICIES
from store.processes import Child, Supervisor
from store.quantities import QUANTITIES
from store.records import Stated, Subject
from store.settings import Settings, settings
from store.statement_kinds import KINDS

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Carbon and energy monitoring for industrial parks.",
)
dashboards_app = typer.Typer(no_args_is_help=True, help="Grafana dashboards as code.")
app.add_typer(dashboards_app, name="dashboards")
mapping_app = typer.Typer(no_args_is_help=True, help="How foreign devices are read.")
app.add_typer(mapping_app, name="mapping")
virtual_app = typer.Typer(no_args_is_help=True, help="Meters by formula.")
app.add_typer(virtual_app, name="virtual")
tariff_app = typer.Typer(no_args_is_help=True, help="Tariffs as data.")
app.add_typer(tariff_app, name="tariff")
activity_app = typer.Typer(no_args_is_help=True, help="What no meter measures.")
app.add_typer(activity_app, name="activity")
factor_app = typer.Typer(no_args_is_help=True, help="Factors and methods.")
app.add_typer(factor_app, name="factor")
green_app = typer.Typer(no_args_is_help=True, help="The ledger of green power.")
app.add_typer(green_app, name="green")
target_app = typer.Typer(no_args_is_help=True, help="Limits of a year.")
app.add_typer(target_app, name="target")
statement_app = typer.Typer(no_args_is_help=True, help="What enterprises state.")
app.add_typer(statement_app, name="statement")
history_app = typer.Typer(no_args_is_help=True, help="Years before metering.")
app.add_typer(history_app, name="history")
pack_app = typer.Typer(no_args_is_help=True, help="Packs of indicators.")
app.add_typer(pack_app, name="pack")
report_app = typer.Typer(no_args_is_help=True, help="Reports.")
app.add_typer(report_app, name="report")
baseline_app = typer.Typer(no_args_is_help=True, help="Energy baselines.")
app.add_typer(baseline_app, name="baseline")
err = Console(stderr=True)
out = Console()

PLANT, STEEL, PLANT_METER = "plant", "steel", "M1"
PLANT_YEAR = (date(2018, 1, 1), date(2019, 1, 1))
PLANT_ADDED_VALUE_10K_CNY = 2000.0  # invented: the plant's is not published
DEMO_PARK = "demo"
DEMO_ZONE = ZoneInfo("Asia/Shanghai")
DEMO_QUARTERS_DAYS = 35  # so far back by quarter hours, further by hours
INVENTED = "invented for the demonstration"

ParkOption = Annotated[str, typer.Option("--park", help="code of the park")]
EnterpriseOption = Annotated[
    str | None, typer.Option("--enterprise", help="code of an enterprise")
]
TariffOption = Annotated[str | None, typer.Option("--tariff", help="its code")]
MethodOption = Annotated[
    str | None,
    typer.Option("--method", help="capacity, contract, demand, none: the basic charge"),
]
CapacityOption = Annotated[
    float | None, typer.Option("--capacity", min=0.001, help="connected, in kVA")
]
StandardOption = Annotated[
    float | None, typer.Option("--standard", help="power factor: 0.90, 0.85 or 0.80")
]
MeterOption = Annotated[str | None, typer.Option("--meter", help="code of a meter")]
FromOption = Annotated[
    datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="first day")
]
ToOption = Annotated[
    datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="day after the last")
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="day after the last; else open"),
]
SourceOption = Annotated[
    str, typer.Option("--source", help="where this is known from, and who says so")
]
WhoOption = Annotated[str, typer.Option("--who", help="the person who says so")]
MonthOption = Annotated[
    datetime, typer.Option("--month", formats=["%Y-%m"], help="local month")
]


YearOption = Annotated[int, typer.Option("--year", help="calendar year")]
KnownOption = Annotated[
    str | None, typer.Option("--as-known-on", help="date or time: what was known then")
]
CleanOption = Annotated[
    str,
    typer.Option(
        "--clean", help="non_fossil_electricity, non_fossil or non_fossil_and_gas"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="everything")]


class Address(NamedTuple):
    """Where the broker is."""

    host: str
    port: int


def main() -> None:
    """Run the app; errors are one line on standard error and exit status 1."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request
    try:
        app()
    except (ParkwattError, SimulatorError) as error:
        err.print(
            f"[red]parkwatt:[/] {escape(str(error))}", soft_wrap=True, highlight=False
        )
        sys.exit(1)


def _say(text: str) -> None:
    err.print(f"[dim]·[/] {escape(text)}", highlight=False)


@contextlib.contextmanager
def _private_database() -> Iterator[Server | None]:
    """Run the private database as long as needed; None where another is set."""
    known = settings()
    if known.database_url:
        yield None
        return
    with Server(find_or_install(known.folder, _say), "main") as server:
        yield server


@contextlib.contextmanager
def _database() -> Iterator[str]:
    """Give the address of the database."""
    with _private_database() as server:
        yield server.url if server else settings().database_url


@contextlib.contextmanager
def _connection() -> Iterator[Connection]:
    with _database() as url, translated(), connect(url, autocommit=True) as conn:
        yield conn


@contextlib.contextmanager
def _private_broker() -> Iterator[Broker | None]:
    """Run the private broker as long as needed; None where another is set."""
    known = settings()
    if known.mqtt_port:
        yield None
        return
    program = find_broker(known.folder, _say)
    with Broker(known.folder / "broker", program=program) as broker:
        yield broker


@contextlib.contextmanager
def _broker() -> Iterator[Address]:
    """Give the address of the broker."""
    with _private_broker() as broker:
        yield _address(broker)


def _address(broker: Broker | None) -> Address:
    known = settings()
    if broker is None:
        return Address(known.mqtt_host, known.mqtt_port)
    return Address(broker.host, broker.port)


def _known_broker() -> Address:
    """Give the broker that runs already; nothing is started for a single message."""
    known = settings()
    if known.mqtt_port:
        return Address(known.mqtt_host, known.mqtt_port)
    broker = Broker(known.folder / "broker")
    if broker.pid is None:
        raise Invalid(
            "no broker is running: start `parkwatt up` or set "
            "PARKWATT_MQTT_HOST and PARKWATT_MQTT_PORT"
        )
    return Address(broker.host, broker.remembered_port)


def _until_stopped() -> threading.Event:
    """Give an event that Ctrl-C and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; call with done and total."""
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
    ) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(
            task, completed=done, total=total or None
        )


@contextlib.contextmanager
def _run_bar(title: str) -> Iterator[simulators.simulate.Progress]:
    """Show how far a simulated run is, and its rate; as `_bar`."""
    with Progress(
        "{task.description}",
        BarColumn(),
        TaskProgressColumn(),
        "{task.fields[readings]:,} readings, {task.fields[rate]:,.0f}/s",
        TimeElapsedColumn(),
        console=err,
    ) as progress:
        task = progress.add_task(title, total=None, readings=0, rate=0.0)
        begin = clock.monotonic()

        def show(done: int, total: int, readings: int) -> None:
            rate = readings / max(clock.monotonic() - begin, 1e-9)
            progress.update(
                task, completed=done, total=total, readings=readings, rate=rate
            )

        yield show


@app.command()
def migrate() -> None:
    """Bring the database up to date; record the shipped factors and tariffs."""
    with _database() as url:
        done = _migrate(url)
    out.print("\n".join(done) if done else "nothing to do")


def _migrate(url: str) -> list[str]:
    with translated():
        done = apply_migrations(url)
    with session(url) as conn:
        for name, load in (("factors", factors.load), ("tariffs", tariffs.load)):
            added = load(conn)
            done += [f"{added} {name}"] if added else []
    return done


@app.command()
def ingest() -> None:
    """Store what the broker brings, until stopped."""
    with _database() as url, _broker() as broker:
        known = _with_broker(settings(), broker)
        ingest_service.run(url, known, _until_stopped())


def _with_broker(known: Settings, broker: Address) -> Settings:
    return known.model_copy(update={"mqtt_host": broker.host, "mqtt_port": broker.port})


@app.command()
def analyse(
    once: Annotated[
        bool, typer.Option("--once", help="end when nothing is left to do")
    ] = False,
) -> None:
    """Turn readings into usage, demand and totals, until stopped."""
    with _database() as url:
        service.run(
            url,
            _until_stopped(),
            once=once,
            minimum_coverage=settings().minimum_coverage,
        )


@app.command()
def serve() -> None:
    """Serve the API and the live page, until stopped."""
    with _database() as url:
        from api.serve import serve  # the web stack starts slowly: here alone

        serve(url, settings(), _until_stopped())


@app.command()
def up() -> None:
    """Run ingest, analyse and serve together, with a private database if none is set."""
    stop = _until_stopped()
    with _services(restarts=None) as (_, broker, supervisor):
        _say(f"broker {broker.host}:{broker.port}, page {_page()}")
        while not stop.wait(0.5):
            supervisor.poll()


def _page() -> str:
    return f"http://{settings().api_host}:{settings().api_port}/"


@contextlib.contextmanager
def _services(
    restarts: int | None = 5,
) -> Iterator[tuple[str, Address, Supervisor]]:
    """Run database, broker and the three processes."""
    from api.serve import listen

    listen(settings()).close()  # a taken port is told before anything is started
    with (
        _private_database() as server,
        _private_broker() as private_broker,
        Supervisor(restarts=restarts, say=_say) as supervisor,
    ):
        url = server.url if server else settings().database_url
        broker = _address(private_broker)
        for name, part in (("database", server), ("broker", private_broker)):
            if part is not None:
                supervisor.watch(name, part)
        for line in _migrate(url):
            _say(f"applied {line}")
        for name in ("ingest", "analyse", "serve"):
            supervisor.start(_child(url, broker, name))
        yield url, broker, supervisor


def _child(url: str, broker: Address, *command: str) -> Child:
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


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="print the figures as JSON and end")
    ] = False,
) -> None:
    """Show it all: a real plant's year and a simulated park, through MQTT."""
    began = clock.monotonic()
    stop = _until_stopped()
    with _services() as (url, broker, supervisor):
        world = World(scenarios.load(DEMO_PARK))
        _register_plant(url)
        _register_world(url, world, _year_back())
        _wait_for_ingest(broker, supervisor, stop)
        if not _complete(url):
            _replay_plant(broker)
        _backfill_demo(url, broker, world, stop)
        _settle(url, supervisor, stop)
        answer = _demo_figures(url, world) | {"seconds": clock.monotonic() - began}
        if once:
            sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
            return
        supervisor.start(_child(url, broker, "simulate", "--cadence", "5"))
        _print_figures(answer["plant"])
        _print_figures(answer["park"])
        out.print(
            f"\nready after {answer['seconds']:.0f} s; "
            f"live page [bold]{_page()}[/] · Ctrl-C stops everything",
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
            source="invented for the demonstration",
        )


def _register(
    conn: Connection, park: str, enterprise: str, meter: str, *, zone: str, region: str
) -> int:
    park_id = registry.add_park(conn, park, zone=zone, region=region)
    enterprise_id = registry.add_enterprise(conn, park_id, enterprise)
    meter_id = registry.add_meter(conn, park_id, enterprise_id, meter)
    relations.confirm_meter(conn, meter_id, enterprise_id, source="demonstration")
    return enterprise_id


def _year_back() -> datetime:
    """Give when the demonstration's history begins: a month's first, a year ago."""
    today = datetime.now(DEMO_ZONE)
    return datetime(today.year - 1, today.month, 1, tzinfo=DEMO_ZONE)


def _register_world(
    url: str, world: World, since: datetime, faults: Iterable[Fault] = ()
) -> None:
    """Make a simulated park known, its meters confirmed; one that is known stays."""
    said = world.scenario
    with session(url) as conn:
        if any(each.code == world.code for each in registry.parks(conn)):
            return
        with conn.transaction():
            park_id = registry.add_park(
                conn, world.code, name=said.name, zone=said.zone, region=said.region
            )
            statements.set_contract_demand(
                conn, park_id, said.contract_demand_kw, since, source=INVENTED
            )
            ids = {
                each.code: registry.add_enterprise(
                    conn, park_id, each.code, name=each.name
                )
                for each in world.enterprises
            }
            _register_meters(conn, world, park_id, ids, since)
            _state_ratios(conn, world, faults)
            _state_invented(conn, world, ids, since.astimezone(world.zone).date())


def _register_meters(
    conn: Connection, world: World, park_id: int, ids: dict[str, int], since: datetime
) -> None:
    known: dict[str, int] = {}
    place = simulated_formats.Place(world.code, world.zone)
    for meter in world.meters:
        owner = ids[meter.enterprise]
        code = simulated_formats.code_of(meter, place)
        meter_id = known[meter.code] = registry.add_meter(conn, park_id, owner, code)
        relations.confirm_meter(conn, meter_id, owner, source=INVENTED, since=since)
        if meter.role != "main" or meter.parent is not None:
            above = known[meter.parent] if meter.parent else None
            relations.place_meter(
                conn, meter_id, meter.role, above, since, source=INVENTED
            )
        if meter.ct * meter.pt != 1:
            relations.set_multiplier(
                conn,
                meter_id,
                ct=meter.ct,
                pt=meter.pt,
                valid_from=since,
                source=INVENTED,
            )
        if meter.accuracy_class is not None or meter.rated_per_h is not None:
            judgements.set_plate(
                conn,
                meter_id,
                accuracy_class=meter.accuracy_class,
                rated_per_h=meter.rated_per_h,
                source=INVENTED,
            )
        for channel in meter.channels:
            if channel.kind == "register":
                quantity = channel.key.rpartition("_")[0]
                relations.add_meter_channel(conn, meter_id, quantity, "register")
                relations.set_digits(
                    conn, meter_id, quantity, meter.digits, source=INVENTED
                )


def _state_ratios(conn: Connection, world: World, faults: Iterable[Fault]) -> None:
    """State the changes of ratios that the plan of faults says are stated."""
    for fault in faults:
        if fault.kind == "multiplier_change" and fault.parameters.get("stated"):
            [meter] = simulated_faults.meters_of(fault, world.meters)
            subject = registry.subject(conn, world.code, meter.enterprise, meter.code)
            relations.set_multiplier(
                conn,
                subject.subject_id,
                ct=float(fault.parameters["ct"]),
                pt=meter.pt,
                valid_from=datetime.fromtimestamp(fault.start_s, UTC),
                source=INVENTED,
            )


def _state_invented(
    conn: Connection, world: World, ids: dict[str, int], since: date
) -> None:
    """State added value, output, earlier years, limits and plant: all invented."""
    whole = registry.subject(conn, world.code)
    this_month = datetime.now(world.zone).date().replace(day=1)
    for each in world.statements(since.replace(day=1), this_month):
        statements.state(
            conn,
            Stated(
                subject_id=ids[each.enterprise],
                kind=each.kind,
                product=each.product,
                unit=each.unit,
                period_from=each.first,
                period_to=each.following,
                amount=each.amount,
                prices="current" if KINDS[each.kind].money else None,
                stage="provisional",
                source=INVENTED,
            ),
        )
    common: dict[str, Any] = {"source": INVENTED, "who": "demonstration"}
    year = zone_year(whole)
    past_t: dict[int, float] = defaultdict(float)
    for month in world.before(year):
        past_t[month.first.year] += month.co2_t
        yearly.state(
            conn,
            whole,
            method="location_region",
            year=month.first.year,
            month=month.first.month,
            amount_t=month.co2_t,
            **common,
        )
    for of, amount_t in past_t.items():
        yearly.state(
            conn,
            whole,
            method="location_region",
            year=of,
            amount_t=round(amount_t, 1),
            **common,
        )
    limits = [("energy_intensity", "calorific", 0.1)]
    if past_t:
        limits.append(("co2", "location_region", round(0.98 * past_t[year - 1], -2)))
    for kind, method, value in limits:
        targets.set_target(
            conn,
            targets.NewTarget(
                subject_id=whole.subject_id,
                kind=kind,
                method=method,
                year=year,
                value=value,
                **common,
            ),
        )
    for enterprise in world.enterprises:
        subject = registry.subject(conn, world.code, enterprise.code)
        for what in ("pv_kwp", "storage_kwh", "charging_kw", "charging_piles"):
            if value := getattr(enterprise, what):
                onsiting.state(
                    conn,
                    subject,
                    what=what,
                    value=float(value),
                    valid_from=since,
                    valid_to=None,
                    **common,
                )
        if enterprise.size_kw:
            stored_tariffs.set_billing(
                conn,
                ids[enterprise.code],
                "CN-JS",
                "demand",
                since,
                capacity_kva=round(1.25 * enterprise.size_kw, -1) or 10.0,
                power_factor_standard=0.90,
                source=INVENTED,
            )


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
    with _bar("plant's year over MQTT") as progress:
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
    _say(
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
    start = newest or _year_back()
    where = simulators.simulate.Broker(
        host=broker.host, port=broker.port, spool=_spool(world.code)
    )
    edges = [start, max(start, quarters), max(start, midnight), now]
    for (low, high), cadence_s in zip(pairwise(edges), (3600, 900, 300), strict=True):
        if low < high and not stop.is_set():
            with _run_bar(
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


def _spool(park: str) -> Path:
    """Where a simulated park's gateway keeps what is not yet stored."""
    return settings().folder / "spool" / f"{park}.db"


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
    return {"plant": plant, "park": whole, "sources": sources, "page": _page()}


TIME_FORMATS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


@app.command()
def simulate(
    scenario: Annotated[
        str, typer.Argument(help="demo, clean, mixed, year, or a YAML file")
    ] = DEMO_PARK,
    park: Annotated[str | None, typer.Option(help="another code of the park")] = None,
    seed: Annotated[
        int | None, typer.Option(help="another seed: same seed, same park")
    ] = None,
    interval: Annotated[float, typer.Option(help="seconds between ticks")] = 5.0,
    speed: Annotated[float, typer.Option(help="times real time, from --start")] = 1.0,
    start: Annotated[
        datetime | None,
        typer.Option(formats=TIME_FORMATS, help="the park's local time"),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=TIME_FORMATS, help="with --start: back-fill to here and end"
        ),
    ] = None,
    cadence: Annotated[
        int | None, typer.Option(help="seconds between readings; else the scenario's")
    ] = None,
    faults: Annotated[
        str | None, typer.Option(help="mixed; none: not even the scenario's")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="write what truly happened to this file")
    ] = None,
    control: Annotated[
        int | None, typer.Option(help="take commands by HTTP on this port and by keys")
    ] = None,
    view: Annotated[bool, typer.Option(help="show the run in the terminal")] = False,
    rate: Annotated[
        float | None, typer.Option(help="load: readings a second, from --start")
    ] = None,
    connections: Annotated[int, typer.Option(help="of the load")] = 10,
    seconds: Annotated[float, typer.Option(help="how long the load lasts")] = 60.0,
    gateway: Annotated[
        bool, typer.Option(help="keep batches on disk until they are stored")
    ] = True,
    register: Annotated[
        bool, typer.Option(help="register and confirm the park's meters first")
    ] = False,
) -> None:
    """Be a park over MQTT: in real time, accelerated, back-filled, or as a load."""
    world = World(_scenario(scenario, park, seed))
    begin = start.replace(tzinfo=world.zone) if start else None
    end = until.replace(tzinfo=world.zone) if until else None
    plan = _planned_faults(world, begin, end, faults, cadence)
    if register:
        with _database() as url:
            _register_world(url, world, begin or datetime.now(UTC), plan)
    where = _simulated_broker(world.code, gateway)
    stop = _until_stopped()
    if rate is not None:
        if begin is None:
            raise Invalid("a load needs --start: its readings go on from there")
        sent = loading.load(world, where, begin, rate, connections, seconds, stop=stop)
        _say(
            f"{sent.readings} readings in {sent.messages} messages, "
            f"{sent.rate:.0f} readings/s over {connections} connections"
        )
        return
    if begin is not None and end is not None:
        with _run_bar(f"park {world.code}") as bar:
            report = simulators.simulate.backfill(
                world,
                where,
                start=begin,
                until=end,
                cadence_s=cadence,
                faults=plan,
                stop=stop,
                progress=bar,
            )
    else:
        with contextlib.ExitStack() as stack:
            commands = None
            if control is not None:
                commands = Control(stop, simulated_faults.KINDS)
                address = stack.enter_context(
                    listening(commands, lambda: {"park": world.code}, port=control)
                )
                keyboard(commands, sys.stdin, lambda text: _say(text))
                _say(f"commands: {address}, or type them; help lists them")
            report = simulators.simulate.run(
                world,
                where,
                interval_s=interval,
                cadence_s=cadence,
                start=begin,
                speed=speed,
                faults=plan,
                control=commands,
                view=stack.enter_context(viewing(err, headless=not view)),
                stop=stop,
            )
    _tell_run(world, report, truth)


def _scenario(name: str, park: str | None, seed: int | None) -> scenarios.Scenario:
    found = scenarios.load(Path(name) if Path(name).suffix else name)
    other = {"code": park, "seed": seed}
    return found.model_copy(
        update={key: value for key, value in other.items() if value is not None}
    )


def _planned_faults(
    world: World,
    begin: datetime | None,
    end: datetime | None,
    wanted: str | None,
    cadence: int | None,
) -> list[Fault]:
    if wanted == "none" or not (wanted or world.scenario.faults):
        return []
    if begin is None or end is None:
        raise Invalid("a plan of faults needs --start and --until")
    return simulators.simulate.planned(world, begin, end, wanted, cadence)


def _simulated_broker(park: str, gateway: bool) -> simulators.simulate.Broker:
    address, known = _known_broker(), settings()
    return simulators.simulate.Broker(
        host=address.host,
        port=address.port,
        username=known.mqtt_username or None,
        password=known.mqtt_password or None,
        spool=_spool(park) if gateway else None,
    )


def _tell_run(
    world: World, report: simulators.simulate.Report, truth: Path | None
) -> None:
    """Say what a run sent, and write its truth."""
    _say(
        f"{report.readings} readings in {report.messages} messages, "
        f"{report.readings / max(report.seconds, 1e-9):.0f} readings/s"
    )
    if truth is None:
        return
    quarter = 900
    start_s = -(-int(report.start.timestamp()) // quarter) * quarter
    stop_s = int(report.stop.timestamp()) // quarter * quarter
    written = truths.write(
        truth,
        world,
        datetime.fromtimestamp(start_s, UTC),
        datetime.fromtimestamp(stop_s, UTC),
        faults=report.faults,
        ledger=asdict(report.ledger) if report.ledger else None,
    )
    _say(f"{truth}: {written.rows} rows of truth in {written.seconds:.1f} s")


@app.command()
def score(
    truth: Annotated[Path, typer.Argument(help="what a simulated run has written")],
    url: Annotated[
        str | None, typer.Option(help="of the platform; else this machine's")
    ] = None,
    clean: Annotated[
        bool, typer.Option(help="bars of a run without faults: all exact")
    ] = False,
    before: Annotated[
        Path | None,
        typer.Option(
            help="/api/v1/sources from before the run, where the platform was not empty"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Compare the platform with a run's truth by its API; status 1 where a bar is missed."""
    from simulators import bars, client, score_table, truth_file
    from simulators import score as scoring

    told = truth_file.read(truth)
    thresholds = bars.Thresholds.of_a_clean_run() if clean else bars.Thresholds()
    with client.Platform(url or _page().rstrip("/"), told.park, told.zone) as platform:
        found = scoring.score(
            told,
            platform,
            thresholds=thresholds,
            before=client.counts(before.read_bytes()) if before else None,
        )
    if as_json:
        sys.stdout.write(found.to_json().decode() + "\n")
    else:
        score_table.show(out, found)
    raise typer.Exit(0 if found.passed else 1)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="the UCI steel file")] = steel.FILE,
    park: ParkOption = PLANT,
    enterprise: Annotated[str, typer.Option(help="its code")] = STEEL,
    meter: Annotated[str, typer.Option(help="its code")] = PLANT_METER,
    shuffle: Annotated[bool, typer.Option(help="in random order")] = False,
    duplicates: Annotated[float, typer.Option(help="share sent twice")] = 0.0,
    seed: Annotated[int, typer.Option(help="of the random order")] = 1,
    per_message: Annotated[int, typer.Option(help="instants in one message")] = 50,
    csv: Annotated[
        Path | None, typer.Option(help="write a file for `parkwatt import` instead")
    ] = None,
) -> None:
    """Send a real plant's year as cumulative registers over MQTT, QoS 1."""
    if csv is not None:
        rows = replaying.write_csv(
            file,
            csv,
            park=park,
            enterprise=enterprise,
            meter=meter,
            shuffle=shuffle,
            duplicates=duplicates,
            seed=seed,
        )
        out.print(f"{rows} rows in {csv}", highlight=False)
        return
    address = _known_broker()
    with _bar("readings") as bar:
        report = replaying.replay(
            file,
            host=address.host,
            port=address.port,
            park=park,
            enterprise=enterprise,
            meter=meter,
            shuffle=shuffle,
            duplicates=duplicates,
            seed=seed,
            per_message=per_message,
            progress=bar,
            username=settings().mqtt_username or None,
            password=settings().mqtt_password or None,
        )
    out.print(
        f"{report.readings} readings in {report.messages} messages, "
        f"{report.seconds:.1f} s",
        highlight=False,
    )


@app.command("import")
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
    with _database() as url:
        if not dry_run:
            _migrate(url)
        with (
            translated(),
            connect(url, autocommit=True) as conn,
            _bar(escape(file.name)) as bar,
        ):
            found = importing.import_file(conn, file, settings(), options, bar)
        if not dry_run:
            with err.status("computing usage, demand and totals"):
                service.run(
                    url,
                    _until_stopped(),
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


@app.command()
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
    with _connection() as conn:
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


@app.command()
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
    with _connection() as conn:
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
        sys.stdout.write(
            json.dumps(rows, ensure_ascii=False, indent=2, default=str) + "\n"
        )
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


@app.command()
def figures(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    grain: Annotated[str, typer.Option(help="15min, day or month")] = "month",
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Give the figures of a park, an enterprise or a meter for local days."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        found = compute_figures(
            conn,
            subject,
            first.date(),
            last.date(),
            grain=grain,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    else:
        _print_figures(found)


def _moment(text: str | None, subject: Subject) -> datetime | None:
    """Read a date (its end, in the park's zone) or a time with zone."""
    if text is None:
        return None
    zone = ZoneInfo(subject.park.zone)
    try:
        if len(text) == len("2026-11-23"):
            day = date.fromisoformat(text) + timedelta(days=1)
            return datetime.combine(day, time(), zone)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no date or ISO 8601 time") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _print_figures(found: dict[str, Any]) -> None:
    names = [found["park"], found["enterprise"], found["meter"]]
    table = Table(
        title=f"{' / '.join(n for n in names if n)}  {found['from']} – {found['to']}",
        title_justify="left",
    )
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("factor", overflow="fold")
    for line in _lines(found):
        table.add_row(*line)
    out.print(table)
    _print_series(found)
    if found["pending"]:
        out.print(
            "[yellow]pending:[/] readings wait to be computed; is analyse running?"
        )
    if not found["publishable"]:
        out.print(
            f"[yellow]not publishable:[/] coverage {found['coverage']:.1%} is below "
            f"{settings().minimum_coverage:.0%}"
        )


def _print_series(found: dict[str, Any]) -> None:
    """Show the intervals of the grain, unless they are too many to read."""
    if not 1 < len(found["series"]) <= 62:
        return
    table = Table("start", "energy kWh", "peak kW", "peak in the interval starting")
    for column in table.columns[1:3]:
        column.justify = "right"
    for row in found["series"]:
        table.add_row(
            row["start"],
            _shown(row["energy_kwh"], 2),
            _shown(row["peak_demand_kw"], 2),
            row["peak_start"] or "unknown",
        )
    out.print(table)


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Give figure, value, unit and factor as they are printed."""
    yield "energy", _shown(found["energy_kwh"]), "kWh", ""
    method = found["demand_method"].removeprefix("demand_")
    known = f"a lower bound, {found['peak_known_share']:.1%} known"
    note = known if found["peak_lower_bound"] else ""
    yield (
        f"peak demand, {method[:-2]} {method[-2:]} min",
        _shown(found["peak_demand_kw"]),
        "kW",
        note,
    )
    yield "  interval starting", found["peak_start"] or "unknown", "", ""
    yield "peak demand, any minute", _shown(found["peak_sliding_kw"]), "kW", ""
    if found["peak_sliding_start"] is not None:
        yield "  interval starting", found["peak_sliding_start"], "", ""
    yield "load factor", _shown(found["load_factor"], 5), "", ""
    yield "power factor", _shown(found["power_factor"], 5), "", ""
    yield "coverage", f"{found['coverage']:.2%}", "", ""
    parentage = found["parentage"]
    for basis, name in (("calorific", "当量"), ("equal_value", "等价")):
        of = _factor(parentage["tce"][basis])
        yield f"coal, {basis} {name}", _shown(found["tce"][basis]), "tce", of
    methods = [each.name for each in of_kind("co2") if each.summary]
    for method in methods:
        of = _factor(parentage["co2_t"][method])
        yield f"CO2, {method}", _shown(found["co2_t"][method]), "t", of
    ratios = found["intensity"]
    value = ratios["added_value_10k_cny"]
    yield "added value", _shown(value), "10⁴ CNY", ""
    for basis in ("calorific", "equal_value"):
        ratio = ratios["tce_per_10k_cny"][basis]
        yield f"intensity, {basis}", _shown(ratio, 5), "tce/10⁴ CNY", ""
    for method in methods:
        ratio = ratios["co2_t_per_10k_cny"][method]
        yield f"intensity, {method}", _shown(ratio, 5), "tCO2/10⁴ CNY", ""


def _json(found: Any) -> None:
    sys.stdout.write(
        json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n"
    )


def _shown(value: float | None, places: int = 3) -> str:
    return "unknown" if value is None else f"{value:,.{places}f}"


def _factor(lines: list[dict[str, Any]]) -> str:
    return ", ".join(
        str(line["factor"] or f"none for {line['carrier']}") for line in lines
    )


@app.command()
def explain(
    figure: Annotated[str, typer.Argument(help="its name, such as tce.calorific")],
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    compare_with: Annotated[
        str | None, typer.Option(help="date or time: what changed since, and why")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Say why a figure is what it is, and why it is another one than it was."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        found = explaining.explain(
            conn,
            subject,
            figure,
            first.date(),
            last.date(),
            known_on=_moment(as_known_on, subject),
            compare_with=_moment(compare_with, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    out.print(f"{figure} = {_shown(found['value'], 6)} {found['unit']}", markup=False)
    out.print(f"  {found['formula']}", markup=False)
    for line in found["lines"]:
        times = "no factor"
        if line["factor"]:
            times = f"{line['factor_value']:g} {line['factor_unit']} ({line['factor']})"
        out.print(
            f"  {line['carrier']}: {_shown(line['amount'])} {line['unit']} × {times}"
            f" = {_shown(line['result_t'], 6)} t",
            markup=False,
        )
    table = Table("meter", "quantity", "from", "to", "amount")
    for each in found["meters"]:
        amount = f"{_shown(each['amount'])} {each['unit']}"
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
        f"since {change['since']}: {_shown(change['before'], 6)} → "
        f"{_shown(change['after'], 6)} {unit}, {_shown(change['change'], 6)}",
        markup=False,
    )
    for cause in change["causes"]:
        out.print(f"  {cause['kind']}: {_shown(cause['change'], 6)}", markup=False)
        if cause["readings"]:
            read = cause["readings"]
            out.print(
                f"    {read['readings']} readings of {', '.join(read['sources'])}, "
                f"arrived {read['first_received_at']} to {read['last_received_at']}",
                markup=False,
            )
        _print_grounds(cause["rows"])


@app.command("close")
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
    with _connection() as conn:
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


@app.command("closings")
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
    with _connection() as conn:
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
        sys.stdout.write(
            json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n"
        )
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


@app.command()
def accounts(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    method: Annotated[
        list[str] | None, typer.Option(help="its name; may be said several times")
    ] = None,
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="every month")] = False,
) -> None:
    """Give the book of whole months: energy and carbon by method, park and enterprises."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        known_on = _moment(as_known_on, subject)
        book = load_book(conn, subject.park, first.date(), last.date(), known_on)
        whole = enterprise is None
        nets = telling.nets(netting(conn, book)) if whole and not known_on else []
    errors = telling.errors(book, enterprise)
    if as_json:
        rows = telling.rows(
            book, enterprise=enterprise, every=enterprise is None, names=method or ()
        )
        found = {
            "totals": telling.totals(book) if whole else [],
            "netting": nets,
            "errors": errors,
            "rows": list(rows),
        }
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    table = Table("method", "unit", "park", "enterprises together", "difference")
    if enterprise is not None:
        table = Table("method", "unit", escape(enterprise))
    row = book.row(enterprise)
    for each in telling.totals(book):
        if method and each["method"] not in method:
            continue
        of = book.coal if each["kind"] == "energy" else book.carbon
        cells = [_shown(of[each["method"]].over_cells(row))]
        if enterprise is None:
            cells += [_shown(each["enterprises"]), _shown(each["difference"])]
        table.add_row(each["method"], each["unit"], *cells)
    out.print(table)
    for error in errors:
        out.print(f"[red]not proven:[/] {escape(error)}", highlight=False)


@activity_app.command("add")
def activity_add(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    month: MonthOption,
    item: Annotated[str, typer.Option(help="see `parkwatt activity items`")],
    use: Annotated[
        str, typer.Option(help="burnt, bought, process, released, feedstock")
    ],
    unit: Annotated[str, typer.Option(help="t, kg, m3, kwh, gj …")],
    source: SourceOption,
    who: WhoOption,
    amount: Annotated[
        float | None, typer.Option(help="none takes back what this stage says")
    ] = None,
    beside: Annotated[
        bool, typer.Option("--beside", help="no meter counts any of it")
    ] = False,
    supplier: Annotated[
        str | None, typer.Option(help="enterprise of the park that passed it on")
    ] = None,
    stage: Annotated[str, typer.Option(help="provisional or final")] = "final",
) -> None:
    """State what an enterprise burnt, bought, made or set free in a month."""
    with _connection() as conn:
        new = activities.state(
            conn,
            registry.subject(conn, park, enterprise).subject_id,
            month=month.date(),
            item=item,
            use=use,
            amount=amount,
            unit=unit,
            beside=beside,
            supplier_id=registry.subject(conn, park, supplier).subject_id
            if supplier
            else None,
            stage=stage,
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


@activity_app.command("import")
def activity_import(
    park: ParkOption,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or XLSX: enterprise,month,item,use,amount,unit,source"
            "[,beside,supplier,stage]"
        ),
    ],
    who: WhoOption,
) -> None:
    """State what a file says, all of it or, where a row is wrong, nothing."""
    rows = list(read_activities(file))
    with _connection() as conn, conn.transaction():
        found = activities.state_all(conn, registry.park(conn, park), rows, who=who)
        for number, problem in found.refused:
            err.print(f"row {number}: {problem}", highlight=False, markup=False)
        if found.refused:
            raise typer.Exit(1)
    out.print(f"{found.new} new, {found.known} known already", highlight=False)


@activity_app.command("list")
def activity_list(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
) -> None:
    """List the statements of months that count unless a meter goes first."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        rows = stored_activities.activities(
            conn,
            subject.park.park_id,
            first.date(),
            last.date(),
            enterprise_id=subject.subject_id if enterprise else None,
        )
    table = Table(
        *("enterprise", "month", "item", "use", "amount", "supplier", "stage", "source")
    )
    for each in rows:
        amount = f"{each.amount:,.3f} {each.unit}"
        cells = (each.enterprise, f"{each.month:%Y-%m}", each.item, each.use, amount)
        table.add_row(*cells, each.supplier, each.stage, escape(each.source))
    out.print(table)


@activity_app.command("items")
def activity_items() -> None:
    """List what can be stated, for which use and in which units."""
    table = Table("item", "use", "units")
    for each in activities.listed():
        table.add_row(each["item"], ", ".join(each["uses"]), ", ".join(each["units"]))
    out.print(table)


@factor_app.command("add")
def factor_add(
    park: ParkOption,
    carrier: Annotated[str, typer.Option(help="natural_gas, heat, clinker …")],
    since: FromOption,
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
    ncv: Annotated[
        float | None, typer.Option(help="measured: GJ/t, of gases GJ/10⁴ Nm³")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="co2 or energy")] = None,
    basis: Annotated[str | None, typer.Option(help="what it stands in for")] = None,
    value: Annotated[float | None, typer.Option(help="the factor")] = None,
    unit: Annotated[str | None, typer.Option(help="tCO2/GJ, kgce/kg …")] = None,
    until: UntilOption = None,
    evidence: Annotated[str | None, typer.Option(help="of a factor of 0")] = None,
) -> None:
    """Record a factor of a park's or an enterprise's own, or a measured heat value."""
    end = until.date() if until else None
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        if ncv is not None:
            done = own_factors.record_ncv(
                conn,
                subject,
                carrier=carrier,
                ncv_gj=ncv,
                valid_from=since.date(),
                valid_to=end,
                source=source,
                who=who,
            )
        elif kind is None or basis is None or value is None or unit is None:
            raise Invalid("name --ncv, or --kind, --basis, --value and --unit")
        else:
            done = [
                own_factors.record(
                    conn,
                    subject,
                    kind=kind,
                    carrier=carrier,
                    basis=basis,
                    value=value,
                    unit=unit,
                    valid_from=since.date(),
                    valid_to=end,
                    source=source,
                    evidence=evidence,
                    who=who,
                )
            ]
    out.print("\n".join(done), highlight=False)


@factor_app.command("list")
def factor_list(
    park: Annotated[
        str | None, typer.Option("--park", help="own factors of this park alone")
    ] = None,
    carrier: Annotated[str | None, typer.Option(help="of what")] = None,
) -> None:
    """List the factors that are known, or the own ones of a park."""
    with _connection() as conn:
        rows = (
            stored_factors.factors(conn)
            if park is None
            else stored_factors.local_factors(conn, registry.park(conn, park).park_id)
        )
    table = Table("code", "value", "unit", "valid", "verified")
    for each in rows:
        if carrier in (None, each.carrier):
            valid = f"{each.valid_from or ''} – {each.valid_to or ''}".strip(" –")
            table.add_row(
                each.code,
                f"{each.value:g}",
                each.unit,
                valid,
                "yes" if each.verified else "no",
            )
    out.print(table)


@factor_app.command("methods")
def factor_methods() -> None:
    """List the methods of energy and carbon, and which factor each takes of power."""
    table = Table("method", "kind", "what it is", "electricity", "verified")
    for each in shipped_methods():
        power = each.factors["electricity"]
        of = power.code or f"{power.basis}, {power.region}, {power.year}"
        table.add_row(
            each.name, each.kind, each.title, of, "yes" if each.verified else "no"
        )
    out.print(table)


@green_app.command("add")
def green_add(
    park: ParkOption,
    kind: Annotated[str, typer.Option(help="certificate, trade, direct or self_use")],
    reference: Annotated[str, typer.Option(help="batch of certificates, or contract")],
    month: Annotated[
        datetime, typer.Option("--month", formats=["%Y-%m"], help="of production")
    ],
    mwh: Annotated[float, typer.Option(help="a certificate is of 1 MWh")],
    technology: Annotated[str, typer.Option(help="wind, solar, hydro …")],
    source: SourceOption,
    who: WhoOption,
    evidence: Annotated[
        str | None,
        typer.Option(help="settlement, certificate, or monthly original record"),
    ] = None,
    plant: Annotated[str | None, typer.Option(help="where it was made")] = None,
    producer: Annotated[
        str | None, typer.Option(help="enterprise of the park that made it")
    ] = None,
    part_of: Annotated[
        str | None, typer.Option(help="trade or supply that certificates stand for")
    ] = None,
    issued: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    cancelled: Annotated[bool, typer.Option("--cancelled")] = False,
) -> None:
    """Record certificates, a trade, a direct supply or self-use of green power."""
    with _connection() as conn:
        ledger.record(
            conn,
            registry.park(conn, park),
            kind=kind,
            reference=reference,
            production_month=month.date(),
            mwh=mwh,
            technology=technology,
            plant=plant,
            producer=producer,
            part_of=part_of,
            evidence=evidence,
            issued=issued.date() if issued else None,
            expires=expires.date() if expires else None,
            cancelled=cancelled,
            source=source,
            who=who,
        )


@green_app.command("match")
def green_match(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="that used it")],
    kind: Annotated[str, typer.Option(help="certificate, trade, direct or self_use")],
    reference: Annotated[str, typer.Option(help="batch of certificates, or contract")],
    produced: Annotated[
        datetime, typer.Option("--produced", formats=["%Y-%m"], help="month")
    ],
    month: MonthOption,
    mwh: Annotated[float, typer.Option(help="0 takes a match back")],
    source: SourceOption,
    who: WhoOption,
) -> None:
    """Say that an enterprise used green power in a month; refused without proof."""
    with _connection() as conn:
        ledger.match(
            conn,
            registry.park(conn, park),
            enterprise,
            kind=kind,
            reference=reference,
            production_month=produced.date(),
            month=month.date(),
            mwh=mwh,
            source=source,
            who=who,
        )


@green_app.command("list")
def green_list(park: ParkOption) -> None:
    """List the ledger: what is held, used, expired, cancelled or without evidence."""
    with _connection() as conn:
        rows = ledger.listed(conn, registry.park(conn, park))
    table = Table("kind", "reference", "made", "MWh", "used", "ends", "status")
    for each in rows:
        table.add_row(
            each["kind"],
            escape(each["reference"]),
            f"{each['production_month']:%Y-%m}",
            f"{each['kwh'] / 1000:,.3f}",
            f"{each['used_kwh'] / 1000:,.3f}",
            str(each["expires"] or ""),
            each["status"],
        )
    out.print(table)


@history_app.command("add")
def history_add(
    park: ParkOption,
    method: Annotated[str, typer.Option(help="see `parkwatt factor methods`")],
    year: YearOption,
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
    month: Annotated[
        int | None, typer.Option(min=1, max=12, help="one month of the year")
    ] = None,
    amount: Annotated[
        float | None,
        typer.Option(help="tCO2 or tce; none takes back what its stage says"),
    ] = None,
    stage: Annotated[str, typer.Option(help="provisional or final")] = "final",
) -> None:
    """State the total of a year or a month before metering, by a method."""
    with _connection() as conn:
        new = yearly.state(
            conn,
            registry.subject(conn, park, enterprise),
            method=method,
            year=year,
            month=month,
            amount_t=amount,
            stage=stage,
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


@history_app.command("list")
def history_list(park: ParkOption, enterprise: EnterpriseOption = None) -> None:
    """List the stated totals of years and months that count unless meters go first."""
    with _connection() as conn:
        rows = trajectories.listed(conn, registry.subject(conn, park, enterprise))
    table = Table("method", "period", "amount", "stage", "source")
    for each in rows:
        amount = f"{each['amount_t']:,.3f} {each['unit']}"
        table.add_row(
            each["method"],
            each["period"],
            amount,
            each["stage"],
            escape(each["source"]),
        )
    out.print(table)


@app.command()
def trajectory(
    park: ParkOption,
    enterprise: EnterpriseOption = None,
    method: Annotated[
        list[str] | None, typer.Option(help="its name; may be said several times")
    ] = None,
    first: Annotated[int | None, typer.Option(help="first year")] = None,
    last: Annotated[int | None, typer.Option(help="last year")] = None,
    smooth: Annotated[
        bool, typer.Option("--smooth", help="judge the median of three years")
    ] = False,
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how annual emissions go: years, rolling twelve months, state of the peak."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = trajectories.trajectory(
            conn,
            subject,
            names=method or (),
            first=first,
            last=last,
            smooth=smooth,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _json(found)
        return
    for series in found["series"]:
        table = Table("year", "value", "rule", "metered", "stated", "complete months")
        table.title, table.title_justify = (
            f"{series['title']}, {series['unit']}",
            "left",
        )
        for each in series["years"]:
            table.add_row(
                str(each["year"]),
                _shown(each["value_t"], 1),
                each["rule"],
                _shown(each["metered_t"], 1),
                _shown(each["stated_t"], 1),
                f"{each['months_complete']} of {each['months_over']}",
            )
        out.print(table)
        told = series["state"]
        after = told["after_peak"]
        out.print(
            f"{told['state']} ({told['reason']}); peak year "
            f"{told['peak_year'] or 'unknown'}, after it n {after['n']}, "
            f"Z {_shown(after['z'], 4)}, p {_shown(after['p'], 4)}, "
            f"{_shown(after['sen_slope_t_per_year'], 2)} t a year",
            highlight=False,
        )


@app.command()
def decomposition(
    park: ParkOption,
    before: Annotated[int, typer.Option(help="year")],
    after: Annotated[int, typer.Option(help="a later year")],
    method: Annotated[str, typer.Option(help="of CO2")] = "enterprise",
    energy: Annotated[str, typer.Option(help="method of energy")] = "calorific",
    prices: Annotated[str, typer.Option(help="comparable or current")] = "comparable",
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Split the change of a park's emissions between two years by enterprise (LMDI-I)."""
    with _connection() as conn:
        subject = registry.subject(conn, park)
        found = decompose(
            conn,
            subject.park,
            before,
            after,
            method=method,
            energy=energy,
            prices=prices,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _json(found)
        return
    table = Table("what moved it", "tCO2")
    for name, value in (*found["effects"].items(), ("change_t", found["change_t"])):
        table.add_row(name.removesuffix("_t").replace("_", " "), _shown(value, 4))
    out.print(table)
    for year, codes in found["missing_added_value"].items():
        if codes:
            out.print(f"no added value of {year}: {', '.join(codes)}", highlight=False)


@app.command("what-if")
def what_if(
    park: ParkOption,
    year: YearOption,
    enterprise: EnterpriseOption = None,
    method: Annotated[str, typer.Option(help="of CO2")] = "zero_carbon_park",
    pv: Annotated[float, typer.Option(min=0, help="added, kWp")] = 0.0,
    hours: Annotated[float, typer.Option(min=0, help="full-load hours a year")] = 1000,
    self_use: Annotated[float, typer.Option(min=0, max=1)] = 1.0,
    electrify: Annotated[str | None, typer.Option(help="a fuel")] = None,
    electrify_share: Annotated[float, typer.Option(min=0, max=1)] = 0.0,
    fuel_efficiency: Annotated[float, typer.Option(min=0, max=1)] = 0.9,
    electric_efficiency: Annotated[float, typer.Option(min=0)] = 1.0,
    green: Annotated[float, typer.Option(min=0, max=1, help="share")] = 0.0,
    first: Annotated[int | None, typer.Option(help="first year of effect")] = None,
    last: Annotated[int | None, typer.Option(help="last year drawn")] = None,
    ramp: Annotated[int, typer.Option(min=1, help="years to full effect")] = 1,
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw later years with measures taken; plain arithmetic, assumptions named."""
    measures = whatifs.Measures(
        pv_kwp=pv,
        full_load_hours=hours,
        self_use=self_use,
        electrify=electrify,
        electrify_share=electrify_share,
        fuel_efficiency=fuel_efficiency,
        electric_efficiency=electric_efficiency,
        green_share=green,
    )
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = whatifs.what_if(
            conn,
            subject,
            year,
            measures,
            method=method,
            first=first,
            last=last,
            ramp_years=ramp,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _json(found)
        return
    table = Table("year", "without, tCO2", "with, tCO2")
    for each in found["lines"]:
        cells = _shown(each["without_t"], 1), _shown(each["with_t"], 1)
        table.add_row(str(each["year"]), *cells)
    out.print(table)
    for effect in found["effects"]:
        rests = ", ".join(
            f"{a['name']} {a['value']:g} {a['unit']}" for a in effect["assumptions"]
        )
        words = f"{effect['measure']}: {effect['co2_t']:+,.1f} t a year ({rests})"
        out.print(words, highlight=False)


@pack_app.command("add")
def pack_add(
    file: Annotated[Path, typer.Argument(help="YAML", exists=True, dir_okay=False)],
    who: WhoOption,
) -> None:
    """Record a pack of indicators of your own; a newer one of its name stands in."""
    with _connection() as conn:
        name, new = packs.add(conn, file.read_text("utf-8"), who=who)
    out.print(f"{name}: {'recorded' if new else 'known already'}", highlight=False)


@pack_app.command("list")
def pack_list() -> None:
    """List the packs of indicators, shipped and brought."""
    with _connection() as conn:
        rows = packs.listed(conn)
    table = Table("pack", "what it is", "indicators", "shipped", "verified")
    for each in rows:
        table.add_row(
            each["name"],
            escape(each["title"]),
            str(each["indicators"]),
            "yes" if each["shipped"] else "no",
            "yes" if each["verified"] else "no",
        )
    out.print(table)


@pack_app.command("show")
def pack_show(name: Annotated[str, typer.Argument(help="of the pack")]) -> None:
    """Show what a pack asks people for: name, unit and meaning."""
    with _connection() as conn:
        pack = packs.find(conn, name)
    table = Table("input", "unit", "meaning")
    for each, what in pack.inputs.items():
        table.add_row(each, what.unit, escape(what.title))
    out.print(table)


@pack_app.command("state")
def pack_state(
    park: ParkOption,
    name: Annotated[str, typer.Option(help="of the input: `parkwatt pack show`")],
    year: YearOption,
    unit: Annotated[str, typer.Option(help="in which it is asked for")],
    source: SourceOption,
    who: WhoOption,
    value: Annotated[float | None, typer.Option(help="none withdraws it")] = None,
    evidence: Annotated[str | None, typer.Option(help="what proves it")] = None,
) -> None:
    """State a value of a park's year for packs of indicators."""
    with _connection() as conn:
        new = packs.state(
            conn,
            registry.park(conn, park).park_id,
            name=name,
            year=year,
            value=value,
            unit=unit,
            evidence=evidence,
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


@app.command()
def indicators(
    park: ParkOption,
    pack: Annotated[str, typer.Option(help="see `parkwatt pack list`")],
    year: YearOption,
    clean: CleanOption = "non_fossil",
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a pack of indicators for a park and a year."""
    with _connection() as conn:
        subject = registry.subject(conn, park)
        found = evaluate(
            conn,
            subject,
            pack,
            year,
            clean=clean,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _json(found)
    else:
        _print_indicators(found)


def _print_indicators(found: dict[str, Any]) -> None:
    table = Table("indicator", "value", "unit", "threshold", "state", "need")
    table.title = f"{found['title']}, {found['park']} {found['year']}: {found['state']}"
    table.title_justify = "left"
    for each in found["indicators"]:
        low, high = each["at_least"], each["at_most"]
        bounds = [f"≥ {low:g}"] if low is not None else []
        bounds += [f"≤ {high:g}"] if high is not None else []
        cells = _shown(each["value"]), each["unit"], ", ".join(bounds), each["state"]
        table.add_row(escape(each["title"]), *cells, each["need"])
    out.print(table)
    for each in found["missing"]:
        words = f"missing: {each['name']} {each['year']}, {each['why']}"
        out.print(words, highlight=False, markup=False)


@report_app.command("zero-carbon")
def report_zero_carbon(
    park: ParkOption,
    year: YearOption,
    clean: CleanOption = "non_fossil",
    xlsx: Annotated[Path | None, typer.Option(help="write a workbook, too")] = None,
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the report of a zero-carbon park (发改环资〔2025〕910号) and what would reach it."""
    with _connection() as conn:
        subject = registry.subject(conn, park)
        found = zero_carbon_report(
            conn,
            subject,
            year,
            clean=clean,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if xlsx is not None:
        xlsx.write_bytes(zero_carbon_workbook(found))
    if as_json:
        _json(found)
        return
    _print_indicators(found)
    table = Table("step", "tCO2", "tCO2/tce", "assumption")
    for each in found["steps"]:
        numbers = _shown(each["co2_t"], 1), _shown(each["core"])
        table.add_row(each["name"], *numbers, each["assumption"])
    out.print(table)
    for each in found["reach"]:
        kwh = each["green_power_kwh"]
        out.print(
            f"for {each['at_most']:g} tCO2/tce{'' if each['applies'] else ' (no band)'}: "
            f"cut {each['to_cut_t']:,.1f} t, by green power {each['by_green_power_t']:,.1f} t "
            f"({_shown(None if kwh is None else kwh / 1000, 0)} MWh), "
            f"by heat and fuels {each['by_heat_and_fuel_t']:,.1f} t",
            highlight=False,
        )
    for each in found["cautions"]:
        out.print(f"[yellow]note:[/] {escape(each)}", highlight=False)


@app.command("own-plant")
def own_plant(
    park: ParkOption,
    what: Annotated[
        str, typer.Option(help="pv_kwp, storage_kwh, charging_kw or charging_piles")
    ],
    since: FromOption,
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
    value: Annotated[
        float | None, typer.Option(help="none: not known any more")
    ] = None,
    until: UntilOption = None,
) -> None:
    """State what photovoltaics, storage or charging piles can do, from a day on."""
    with _connection() as conn:
        new = onsiting.state(
            conn,
            registry.subject(conn, park, enterprise),
            what=what,
            value=value,
            valid_from=since.date(),
            valid_to=until.date() if until else None,
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


@app.command()
def onsite(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
    load: Annotated[
        list[str] | None, typer.Option(help="ENTERPRISE/METER of the load, all of them")
    ] = None,
    soc_change: Annotated[
        float | None, typer.Option(min=-1, max=1, help="of the storage, share")
    ] = None,
    resolution: Annotated[float, typer.Option(min=0, help="of registers, kWh")] = 0.0,
    clean: CleanOption = "non_fossil",
    basis: Annotated[
        str, typer.Option(help="calorific or equal_value")
    ] = "equal_value",
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the figures of own plant: photovoltaics, storage, charging, balance."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        found = onsiting.own_plant(
            conn,
            subject,
            first.date(),
            last.date(),
            load=load or (),
            soc_change=soc_change,
            resolution_kwh=resolution,
            definition=clean,
            basis=basis,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _json(found)
        return
    table = Table("figure", "value")
    for name, each in found["amounts"].items():
        table.add_row(name, f"{_shown(each['amount_kwh'])} kWh")
    for name in (
        "self_consumption",
        "self_sufficiency",
        "full_load_hours",
        "round_trip_efficiency",
        "equivalent_cycles",
        "charging_power_utilisation",
        "charging_time_utilisation",
    ):
        table.add_row(name.replace("_", " "), _shown(found[name], 4))
    clean_energy = found["clean_energy"]
    words = f"clean energy ({clean_energy['definition']}, {clean_energy['basis']})"
    table.add_row(words, _shown(clean_energy["share"], 4))
    if found["identity"] is not None:
        balance = found["identity"]
        words = f"{balance['holds']} hold, {balance['broken']} broken, "
        table.add_row("quarter hours", words + f"{balance['unknown']} unknown")
    out.print(table)
    for each in found["assumed"]:
        out.print(f"assumed: {each}", highlight=False)


@app.command()
def comparison(
    last: Annotated[int, typer.Option(help="year")],
    first: Annotated[int | None, typer.Option(help="year; else the same")] = None,
    clean: CleanOption = "non_fossil",
    basis: Annotated[
        str, typer.Option(help="calorific or equal_value")
    ] = "equal_value",
    as_json: JsonOption = False,
) -> None:
    """Compare all parks: who has more than half of its energy clean, rank and trend."""
    with _connection() as conn:
        found = compare_parks(
            conn,
            last if first is None else first,
            last,
            definition=clean,
            basis=basis,
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _json(found)
        return
    table = Table(
        "park", "place", f"clean share {last}", "coverage", "trend", "why not"
    )
    for each in found["parks"]:
        newest = each["years"][-1]
        table.add_row(
            each["park"],
            str(newest["place"] or ""),
            _shown(newest["share"], 4),
            _shown(newest["coverage"], 3),
            each["trend"]["trend"],
            newest["refused_because"] or "",
        )
    out.print(table)
    newest = found["years"][-1]
    out.print(
        f"{newest['above_half']} of {newest['compared']} parks compared have more than "
        f"half of their energy clean ({found['definition']}, {found['basis']})",
        highlight=False,
    )


@baseline_app.command("define")
def baseline_define(
    park: ParkOption,
    name: Annotated[str, typer.Option(help="of the baseline")],
    figure: Annotated[
        str, typer.Option(help="a counted quantity, or an energy method")
    ],
    variable: Annotated[list[str], typer.Option(help="a driver; several times")],
    first: FromOption,
    last: ToOption,
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
) -> None:
    """Define an energy baseline over whole months: what is explained, and by what."""
    with _connection() as conn:
        new = baselines.define(
            conn,
            registry.subject(conn, park, enterprise),
            name=name,
            figure=figure,
            variables=variable,
            first=first.date(),
            last=last.date(),
            source=source,
            who=who,
        )
    out.print("recorded" if new else "known already")


@baseline_app.command("drive")
def baseline_drive(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV: name,grain,first,value,unit", exists=True, dir_okay=False
        ),
    ],
    park: ParkOption,
    source: SourceOption,
    who: WhoOption,
    enterprise: EnterpriseOption = None,
) -> None:
    """Record what drives energy: production of months, mean temperatures of days."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        text = file.read_text("utf-8-sig")
        new, known = baselines.read_drivers(conn, subject, text, source=source, who=who)
    out.print(f"{new} recorded, {known} known already", highlight=False)


@baseline_app.command("savings")
def baseline_savings(
    park: ParkOption,
    name: Annotated[str, typer.Option(help="of the baseline")],
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    as_known_on: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a baseline and judge whole months against it: savings and CUSUM."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = baselines.judged(
            conn,
            subject,
            name,
            first.date(),
            last.date(),
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _json(found)
        return
    unit = found["unit"]
    table = Table(
        "month", f"used, {unit}", "expected", "saved", "CUSUM", "beyond chance"
    )
    for each in found["months"]:
        numbers = (each["used"], each["expected"], each["saved"], each["cusum"])
        word = "saves" if each["saves"] else "loses" if each["loses"] else ""
        table.add_row(each["month"], *(_shown(n, 2) for n in numbers), word)
    out.print(table)
    fit = found["fit"]
    out.print(
        f"saved {_shown(found['saved'], 2)} {unit} in {found['months_known']} months; fit: "
        f"n {fit['n']}, R² {_shown(fit['r2'], 4)}, CV(RMSE) {_shown(fit['cv_rmse'], 4)}",
        highlight=False,
    )
    for each in found["warnings"]:
        out.print(f"[yellow]warning:[/] {each}", highlight=False)


@app.command()
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
        by=load_mapping(_text(by)) if by else None,
    )
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
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


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file}: {error}") from error


@mapping_app.command("add")
def mapping_add(file: Path, source: SourceOption) -> None:
    """Record how the messages of a topic are read; one of the same name is replaced."""
    text = _text(file)
    found = load_mapping(text)
    with _connection() as conn:
        subject = registry.subject(conn, found.park, found.enterprise)
        devices.add_mapping(
            conn, found.name, subject.subject_id, found.topic, text, source=source
        )
    out.print(f"{found.name}: {found.topic} → {found.park}/{found.enterprise}")


@mapping_app.command("list")
def mapping_list() -> None:
    """List the mappings, and the topics that nobody can place."""
    with _connection() as conn:
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
    with _connection() as conn:
        devices.end_mapping(conn, name)


@app.command()
def retry() -> None:
    """Read again what is kept of messages that nobody could place before."""
    with _database() as url:
        _migrate(url)
        done = retrying.retry(url, settings())
    out.print(f"{done.placed} of {done.messages} messages placed: {done.counts}")


@app.command()
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
    ] = datetime(2000, 1, 1),  # noqa: DTZ001
) -> None:
    """Register a park, an enterprise of it, or a meter; a named meter is confirmed."""
    with _connection() as conn:
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


@app.command("added-value")
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
    with _connection() as conn:
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
    with _connection() as conn:
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
    with _connection() as conn:
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
    with _connection() as conn:
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
    with _connection() as conn:
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


@app.command("above-size")
def above_size(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    year: Annotated[int, typer.Option(min=1990, max=2200)],
    source: SourceOption,
    who: WhoOption,
    no: Annotated[bool, typer.Option("--no", help="it is not")] = False,
) -> None:
    """Say that an enterprise is above designated size in a year, or is not."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        membership.state_size(
            conn, subject.subject_id, year, not no, source=source, who=who
        )


@app.command()
def industry(
    park: ParkOption,
    enterprise: Annotated[str, typer.Option(help="code of the enterprise")],
    code: Annotated[str, typer.Option(help="GB/T 4754, two to four digits")],
    since: FromOption,
    source: SourceOption,
    who: WhoOption,
) -> None:
    """Say in which industry an enterprise is from a day on."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        membership.state_industry(
            conn,
            subject.subject_id,
            membership.digits(code),
            since.date(),
            source=source,
            who=who,
        )


@app.command()
def intensity(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    enterprise: EnterpriseOption = None,
    length: Annotated[str, typer.Option(help=", ".join(intensities.LENGTHS))] = "month",
    of: Annotated[
        str, typer.Option(help="of a park: park, enterprises or above_size")
    ] = "park",
    price_base: Annotated[
        int | None, typer.Option(help="also at the prices of this year")
    ] = None,
    method: Annotated[
        str, typer.Option(help="denton or pro_rata: how sums are spread over months")
    ] = "denton",
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Give energy, carbon and water per added value, area and head of whole months."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = intensities.history(
            conn,
            subject,
            first.date(),
            last.date(),
            length=length,
            of=of,
            price_base=price_base,
            method=method,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _print_json(found)
        return
    table = Table(
        "period", "10⁴ CNY", "how", "tce/10⁴", "tCO2/10⁴", "m³/10⁴", "coverage"
    )
    for row in found["rows"]:
        per = row["per"]["added_value_10k_cny"]
        words = ", ".join(per["how"] or [f"missing: {' '.join(per['missing'])}"])
        share = "" if row["coverage"] is None else f"{row['coverage']:.1%}"
        table.add_row(
            row["period"],
            _shown(per["amount"], 2),
            escape(words),
            _shown(per["tce"]["calorific"], 5),
            _shown(per["co2_t"]["location_national"], 5),
            _shown(per["water_m3"], 3),
            share + ("" if row["publishable"] else ", not publishable"),
        )
    out.print(table)
    for doubt in found["doubts"]:
        out.print(
            f"{doubt['enterprise']} {doubt['kind']}: statement {doubt['statement_id']} "
            f"{doubt['what'].replace('_', ' ')}; counts: {doubt['counts']}",
            highlight=False,
        )


def _print_json(found: dict[str, Any]) -> None:
    text = json.dumps(found, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(text + "\n")


@target_app.command("add")
def target_add(
    park: ParkOption,
    kind: Annotated[str, typer.Option(help=", ".join(targets.UNITS))],
    year: Annotated[int, typer.Option(min=1990, max=2200)],
    source: SourceOption,
    who: WhoOption,
    value: Annotated[
        float | None, typer.Option(min=0, help="without it: withdrawn")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="how energy or carbon is counted")
    ] = None,
    enterprise: EnterpriseOption = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="renewable, feedstock: does not count against it"),
    ] = None,
) -> None:
    """Set a limit of a year of energy, carbon, water, demand or an intensity."""
    if method is not None:
        names = [e.name for e in of_kind("co2" if kind.startswith("co2") else "energy")]
        if method not in names:
            raise Invalid(f"method {method!r} is none of {', '.join(names)}")
    with _connection() as conn:
        targets.set_target(
            conn,
            targets.NewTarget(
                subject_id=registry.subject(conn, park, enterprise).subject_id,
                kind=kind,
                method=method,
                year=year,
                value=value,
                excluded=tuple(exclude or ()),
                source=source,
                who=who,
            ),
        )


@target_app.command("show")
def target_show(
    park: ParkOption,
    enterprise: EnterpriseOption = None,
    year: Annotated[int | None, typer.Option(min=1990, max=2200)] = None,
    pace: Annotated[str, typer.Option(help="uniform or history")] = "uniform",
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Tell how the limits of a year go: pace, year's end, the day they are spent."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = budgets(
            conn,
            subject,
            zone_year(subject) if year is None else year,
            pace=pace,
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        _print_json(found)
        return
    table = Table("limit", "value", "so far", "left", "ahead", "year's end", "spent on")
    for row in found["rows"]:
        going = row["outlook"] or {}
        so_far = row["so_far"] or {}
        used = going.get("used", so_far.get("value"))
        table.add_row(
            f"{row['kind']} {row['method'] or ''}".strip(),
            f"{row['value']:.15g} {row['unit']}",
            _shown(used),
            _shown(going.get("left", so_far.get("left"))),
            _shown(going.get("ahead_of_pace")),
            _shown(going.get("year_end")),
            going.get("spent_on") or "",
        )
    out.print(table)


@app.command("contract-demand")
def contract_demand(
    park: ParkOption,
    kw: Annotated[float, typer.Option(help="contract demand")],
    since: FromOption,
    source: SourceOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
) -> None:
    """State the contract demand of a park, an enterprise or a meter from a day on."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        statements.set_contract_demand(
            conn,
            subject.subject_id,
            kw,
            since.replace(tzinfo=ZoneInfo(subject.park.zone)),
            source=source,
        )


@app.command("demand-rule")
def demand_rule(
    park: ParkOption,
    window: Annotated[int, typer.Option(help="minutes: 15, 30 or 60")],
    method: Annotated[str, typer.Option(help="fixed or sliding")],
    since: FromOption,
    source: SourceOption,
    until: UntilOption = None,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
) -> None:
    """State how the demand of a park, an enterprise or a meter is measured."""
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        zone = ZoneInfo(subject.park.zone)
        demand_rules.set_demand_rule(
            conn,
            subject.subject_id,
            window,
            method,
            since.replace(tzinfo=zone),
            None if until is None else until.replace(tzinfo=zone),
            source=source,
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
    with _connection() as conn:
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
    with _connection() as conn:
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


@app.command()
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
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        relations.set_multiplier(
            conn,
            subject.subject_id,
            ct=ct,
            pt=pt,
            valid_from=since.replace(tzinfo=ZoneInfo(subject.park.zone)),
            source=source,
        )


@app.command()
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
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        relations.set_digits(conn, subject.subject_id, quantity, digits, source=source)


@app.command()
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
    with _connection() as conn:
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
        sys.stdout.write(
            json.dumps(rows, ensure_ascii=False, indent=2, default=str) + "\n"
        )
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


@tariff_app.command("list")
def tariff_list() -> None:
    """List the tariffs that are known."""
    with _connection() as conn:
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
    with _connection() as conn:
        code = tariffs.add(conn, _text(file))
    out.print(f"{code}: recorded")


@tariff_app.command("hot-day")
def tariff_hot_day(
    park: ParkOption,
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"])],
    source: SourceOption,
    no: Annotated[bool, typer.Option("--no", help="it was none after all")] = False,
) -> None:
    """Say that a day was hot in the sense of the tariff."""
    with _connection() as conn:
        stored_tariffs.say_hot(
            conn,
            registry.park(conn, park).park_id,
            day.date(),
            hot=not no,
            source=source,
        )


@app.command()
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
    with _connection() as conn:
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


@app.command()
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
    as_known_on: Annotated[
        str | None, typer.Option(help="date or time: what was known then")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Give the bills of whole months, as stated or under other terms."""
    with _connection() as conn:
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
            known_on=_moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    for each in found["bills"]:
        _print_bill(each)
    totals = found["comparison"]["totals_cny"]
    words = ", ".join(f"by {name} {_shown(cny, 2)}" for name, cny in totals.items())
    out.print(f"Total {_shown(found['total_cny'], 2)} CNY; {words}", highlight=False)
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
            f"{_shown(each['quantity'], 2)} {each['unit']}",
            "" if each["price_cny"] is None else f"{each['price_cny']:g}",
            _shown(each["amount_cny"], 2),
            escape(each["rule"]),
        )
    table.add_row("total", "", "", "", _shown(found["total_cny"], 2), "")
    out.print(table)


@app.command()
def balance(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    quantity: Annotated[str, typer.Option(help="what is balanced")] = "energy_import",
    grain: Annotated[str, typer.Option(help="day or month")] = "month",
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """Set each meter that others are placed below against these."""
    from analytics.jobs.balancing import balances

    if grain not in ("day", "month"):
        raise Invalid(f"grain {grain!r} is none of day, month")
    if quantity not in QUANTITIES:
        raise Invalid(f"quantity {quantity!r} is none of {', '.join(QUANTITIES)}")
    with _connection() as conn:
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
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    table = Table("meter", "start", "main", "parts", "unaccounted", "share", "±")
    for each in found:
        share = each["share"]
        table.add_row(
            escape(each["meter"]),
            each["start"],
            *(_shown(each[name], 1) for name in ("main", "parts", "unaccounted")),
            "unknown" if share is None else f"{share:.1%}",
            _shown(each["uncertainty"], 1),
        )
    out.print(table)


@app.command()
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
    with _connection() as conn:
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


@app.command()
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
    with _connection() as conn:
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


@app.command()
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
    with _connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        policies.set_policy(conn, subject.subject_id, name, value, source=source)


@app.command()
def checks(
    park: ParkOption,
    first: FromOption,
    last: ToOption,
    as_json: Annotated[bool, typer.Option("--json", help="everything")] = False,
) -> None:
    """List the rules that a period violates, by meter."""
    from analytics.jobs.checking import checks as checked

    with _connection() as conn:
        found = checked(
            conn,
            registry.park(conn, park),
            first.date(),
            last.date(),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
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


@app.command()
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
    with _connection() as conn:
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


@dashboards_app.command("push")
def dashboards_push() -> None:
    """Publish the dashboards to Grafana; a second run changes nothing."""
    from dashboards.publish import push

    known = settings()
    changed = push(known.grafana_url, known.grafana_token, known.grafana_database_url)
    out.print("\n".join(changed) if changed else "nothing to do")


@app.command("broker-config")
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


@app.command()
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


if __name__ == "__main__":
    main()
