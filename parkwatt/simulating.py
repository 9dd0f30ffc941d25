"""Simulated parks, their score, and the real plant's year."""

import contextlib
import importlib.util
import logging
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

import simulators.simulate
from parkwatt.options import ParkOption, read_text
from parkwatt.printing import err, out, progress_bar, run_bar, say
from parkwatt.servers import database, known_broker, page_address, until_stopped
from parkwatt.simulated_park import complete_world, register_world
from simulators import faults as simulated_faults
from simulators import loading, steel
from simulators import replay as replaying
from simulators import scenario as scenarios
from simulators import truth as truths
from simulators.control import Control, keyboard, listening
from simulators.meter import Fault
from simulators.view import State, View, status, viewing
from simulators.world import World
from store.errors import Invalid
from store.settings import settings

PLANT, STEEL, PLANT_METER = "plant", "steel", "M1"
DEMO_PARK = "demo"


def spool(park: str) -> Path:
    """Where a simulated park's gateway keeps what is not yet stored."""
    return settings().folder / "spool" / f"{park}.db"


QUARTER_S = 900
_LOAD = "a load (--rate)"
_BACKFILL = "a back-fill (--start with --until)"
_RUN = "a run without --rate"
_USELESS = {  # options that a kind of run would not heed
    _LOAD: ("until", "speed", "interval", "cadence", "truth", "control", "view"),
    _BACKFILL: ("speed", "interval", "control", "view", "connections", "seconds"),
    _RUN: ("connections", "seconds"),
}

TIME_FORMATS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


def simulate(
    context: typer.Context,
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
    _check_options(_given(context), load=rate is not None, begin=begin, end=end)
    if rate is not None and faults != "none" and (faults or world.scenario.faults):
        raise Invalid("a load sends no faults: add --faults none")
    if truth is not None:
        _check_truth(truth, begin, end)
    plan = _planned_faults(world, begin, end, faults, cadence)
    if register:
        with database() as url:
            run = (url, world, begin or datetime.now(UTC))
            if not register_world(*run, until=end, faults=plan):
                stated = complete_world(*run, until=end, faults=plan)
                say(f"park {world.code} is known already; ratios stated: {stated}")
    where = _simulated_broker(world.code, gateway)
    stop = until_stopped()
    if rate is not None and begin is not None:
        sent = loading.load(world, where, begin, rate, connections, seconds, stop=stop)
        say(
            f"{sent.readings} readings in {sent.messages} messages, "
            f"{sent.rate:.0f} readings/s over {connections} connections"
        )
        return
    if begin is not None and end is not None:
        with run_bar(f"park {world.code}") as bar:
            report = simulators.simulate.backfill(
                world,
                where,
                start=begin,
                until=end,
                cadence_s=cadence,
                faults=plan,
                stop=stop,
                progress=bar,
                go_on=True,
                tell=say,
            )
    else:
        with contextlib.ExitStack() as stack:
            commands, seen = None, _Seen(world.code)
            if control is not None:
                # what it says of itself would be written into the view
                logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
                commands = Control(stop, simulated_faults.KINDS)
                address = stack.enter_context(
                    listening(commands, seen.status, port=control)
                )
                say(f"commands: {address}, or type them; help lists them")
                # the view shows the answers, and lines beside it would tear it
                in_view = view and err.is_terminal
                keyboard(commands, sys.stdin, (lambda _: None) if in_view else say)
            seen.view = stack.enter_context(viewing(err, headless=not view))
            report = simulators.simulate.run(
                world,
                where,
                interval_s=interval,
                cadence_s=cadence,
                start=begin,
                speed=speed,
                faults=plan,
                control=commands,
                view=seen,
                stop=stop,
            )
    _tell_run(world, report, truth, cadence)


class _Seen:
    """Keeps the last state of a run, for whoever asks how it goes."""

    def __init__(self, park: str) -> None:
        self.view: View | None = None
        self._park = park
        self._last: State | None = None

    def __call__(self, state: State) -> None:
        self._last = state
        if self.view is not None:
            self.view(state)

    def status(self) -> dict[str, object]:
        """Return how the run goes; before its first tick no more than the park."""
        last = self._last
        return {"park": self._park} if last is None else status(last)


def _given(context: typer.Context) -> set[str]:
    """Give the names of the options that were typed."""
    sources = ((name, context.get_parameter_source(name)) for name in context.params)
    return {name for name, source in sources if source and source.name != "DEFAULT"}


def _check_options(
    given: set[str], *, load: bool, begin: datetime | None, end: datetime | None
) -> None:
    """Refuse options that the run would not heed, before anything is sent."""
    if load and begin is None:
        raise Invalid("a load needs --start: its readings go on from there")
    if not load and begin is None and end is not None:
        raise Invalid("--until needs --start: a back-fill goes from one to the other")
    kind = _LOAD if load else _RUN if end is None else _BACKFILL
    useless = [f"--{name}" for name in _USELESS[kind] if name in given]
    if useless:
        raise Invalid(f"{kind} does not heed {', '.join(useless)}: leave it out")


def _check_truth(truth: Path, begin: datetime | None, end: datetime | None) -> None:
    """Refuse a truth that could not be written, before anything is sent."""
    if importlib.util.find_spec("pyarrow") is None:
        raise Invalid("a truth file needs pyarrow: install parkwatt[simulate]")
    if not truth.absolute().parent.is_dir():
        raise Invalid(f"{truth}: there is no folder {truth.parent}")
    if begin and end and begin < end:
        start_s, stop_s = _quarters(begin, end)
        if stop_s <= start_s:
            raise Invalid(
                "--truth tells whole quarters of an hour, and none lies between "
                f"{begin:%Y-%m-%d %H:%M:%S} and {end:%Y-%m-%d %H:%M:%S}"
            )


def _quarters(start: datetime, stop: datetime) -> tuple[int, int]:
    """Give where the whole quarters of an hour of a run begin and end [s since 1970]."""
    first, last = int(start.timestamp()), int(stop.timestamp())
    return -(-first // QUARTER_S) * QUARTER_S, last // QUARTER_S * QUARTER_S


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
    return simulators.simulate.planned(world, begin, end, wanted, cadence, say)


def _simulated_broker(park: str, gateway: bool) -> simulators.simulate.Broker:
    address, known = known_broker(), settings()
    return simulators.simulate.Broker(
        host=address.host,
        port=address.port,
        username=known.mqtt_username or None,
        password=known.mqtt_password or None,
        spool=spool(park) if gateway else None,
    )


def _tell_run(
    world: World,
    report: simulators.simulate.Report,
    truth: Path | None,
    cadence: int | None,
) -> None:
    """Say what a run sent, and write its truth."""
    say(
        f"{report.readings} readings in {report.messages} messages, "
        f"{report.readings / max(report.seconds, 1e-9):.0f} readings/s"
    )
    if truth is not None:
        _write_truth(world, report, truth, cadence)
    if report.waiting is not None:
        goes_on = ": the same command goes on" if report.unfinished else ""
        say(f"{report.waiting} messages still wait in the spool{goes_on}")


def _write_truth(
    world: World,
    report: simulators.simulate.Report,
    truth: Path,
    cadence: int | None,
) -> None:
    start_s, stop_s = _quarters(report.start, report.stop)
    if stop_s <= start_s:
        say(f"{truth}: not written, as no quarter of an hour has gone by")
        return
    written = truths.write(
        truth,
        world,
        datetime.fromtimestamp(start_s, UTC),
        datetime.fromtimestamp(stop_s, UTC),
        faults=report.faults,
        ledger=asdict(report.ledger) if report.ledger else None,
        cadence_s=cadence,
    )
    say(f"{truth}: {written.rows} rows of truth in {written.seconds:.1f} s")


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
    with client.Platform(
        url or page_address().rstrip("/"), told.park, told.zone
    ) as platform:
        found = scoring.score(
            told,
            platform,
            thresholds=thresholds,
            before=client.counts(read_text(before).encode()) if before else None,
        )
    if as_json:
        sys.stdout.write(found.to_json().decode() + "\n")
    else:
        score_table.show(out, found)
    raise typer.Exit(0 if found.passed else 1)


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
    address = known_broker()
    with progress_bar("readings") as bar:
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
