"""How annual emissions go, what moved them, and what measures would do."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from analytics.jobs import trajectory as trajectories
from analytics.jobs import whatifs, yearly
from analytics.jobs.decomposing import decompose
from parkwatt.options import (
    EnterpriseOption,
    JsonOption,
    KnownOption,
    ParkOption,
    SourceOption,
    WhoOption,
    YearOption,
    moment,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import registry
from store.settings import settings

history_app = typer.Typer(no_args_is_help=True, help="Years before metering.")


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
    with connection() as conn:
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
    with connection() as conn:
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
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise)
        found = trajectories.trajectory(
            conn,
            subject,
            names=method or (),
            first=first,
            last=last,
            smooth=smooth,
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
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
                shown(each["value_t"], 1),
                each["rule"],
                shown(each["metered_t"], 1),
                shown(each["stated_t"], 1),
                f"{each['months_complete']} of {each['months_over']}",
            )
        out.print(table)
        told = series["state"]
        after = told["after_peak"]
        rests = f", years {told['from']} to {told['to']}" if told["to"] else ""
        out.print(
            f"{told['state']} ({told['reason']}){rests}; peak year "
            f"{told['peak_year'] or 'unknown'}, after it n {after['n']}, "
            f"Z {shown(after['z'], 4)}, p {shown(after['p'], 4)}, "
            f"{shown(after['sen_slope_t_per_year'], 2)} t a year",
            highlight=False,
        )


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
    with connection() as conn:
        subject = registry.subject(conn, park)
        found = decompose(
            conn,
            subject.park,
            before,
            after,
            method=method,
            energy=energy,
            prices=prices,
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table("what moved it", "tCO2")
    for name, value in (*found["effects"].items(), ("change_t", found["change_t"])):
        table.add_row(name.removesuffix("_t").replace("_", " "), shown(value, 4))
    out.print(table)
    for year, codes in found["missing_added_value"].items():
        if codes:
            out.print(f"no added value of {year}: {', '.join(codes)}", highlight=False)


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
    with connection() as conn:
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
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table("year", "without, tCO2", "with, tCO2")
    for each in found["lines"]:
        cells = shown(each["without_t"], 1), shown(each["with_t"], 1)
        table.add_row(str(each["year"]), *cells)
    out.print(table)
    for effect in found["effects"]:
        rests = ", ".join(
            f"{a['name']} {a['value']:g} {a['unit']}" for a in effect["assumptions"]
        )
        words = f"{effect['measure']}: {effect['co2_t']:+,.1f} t a year ({rests})"
        out.print(words, highlight=False)
