"""The commands in the order of the help."""

import logging
import sys
from collections.abc import Callable

import typer
from rich.markup import escape

from parkwatt import (
    activity,
    audit,
    baseline,
    carbon_peak,
    cost,
    demand,
    demo,
    factor,
    figures,
    green,
    indicators,
    intensity,
    messages,
    meters,
    onsite,
    operation,
    quality,
    readings,
    running,
    simulating,
    statements,
)
from parkwatt.printing import err
from simulators.errors import SimulatorError
from store.errors import ParkwattError

# The order is that of the help, which goes across the subjects; the commands of a
# group have their order from its module.
COMMANDS: dict[str, Callable[..., None]] = {
    "migrate": running.migrate,
    "ingest": running.ingest,
    "analyse": running.analyse,
    "serve": running.serve,
    "up": running.up,
    "demo": demo.demo,
    "simulate": simulating.simulate,
    "score": simulating.score,
    "replay": simulating.replay,
    "import": readings.import_,
    "revise": readings.revise,
    "conflicts": readings.conflicts,
    "figures": figures.figures,
    "explain": audit.explain,
    "close": audit.close_period,
    "closings": audit.list_closings,
    "accounts": figures.accounts,
    "trajectory": carbon_peak.trajectory,
    "decomposition": carbon_peak.decomposition,
    "what-if": carbon_peak.what_if,
    "indicators": indicators.indicators,
    "own-plant": onsite.own_plant,
    "onsite": onsite.onsite,
    "comparison": indicators.comparison,
    "payload": messages.payload,
    "retry": messages.retry,
    "register": meters.register,
    "added-value": statements.added_value,
    "above-size": statements.above_size,
    "industry": statements.industry,
    "owner": statements.owner,
    "intensity": intensity.intensity,
    "benchmark": intensity.own_benchmark,
    "contract-demand": demand.contract_demand,
    "demand-rule": demand.demand_rule,
    "multiplier": meters.multiplier,
    "digits": meters.digits,
    "events": quality.events,
    "billing": cost.billing,
    "bill": cost.bill,
    "balance": quality.balance,
    "judge": quality.judge,
    "plate": meters.plate,
    "policy": quality.policy,
    "checks": quality.checks,
    "place": meters.place,
    "broker-config": operation.broker_config,
    "doctor": operation.doctor,
}
GROUPS = {
    "dashboards": operation.dashboards_app,
    "mapping": messages.mapping_app,
    "virtual": meters.virtual_app,
    "tariff": cost.tariff_app,
    "activity": activity.activity_app,
    "factor": factor.factor_app,
    "green": green.green_app,
    "target": intensity.target_app,
    "statement": statements.statement_app,
    "history": carbon_peak.history_app,
    "pack": indicators.pack_app,
    "report": indicators.report_app,
    "baseline": baseline.baseline_app,
}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Carbon and energy monitoring for industrial parks.",
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


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
