"""Own plant: photovoltaics, storage, charging."""

from typing import Annotated

import typer
from rich.table import Table

from analytics.jobs import onsiting
from parkwatt.options import (
    CleanOption,
    EnterpriseOption,
    FromOption,
    JsonOption,
    KnownOption,
    MeterOption,
    ParkOption,
    SourceOption,
    ToOption,
    UntilOption,
    WhoOption,
    moment,
)
from parkwatt.printing import out, print_json, shown
from parkwatt.servers import connection
from store import registry
from store.settings import settings


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
    with connection() as conn:
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
    with connection() as conn:
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
            known_on=moment(as_known_on, subject),
            minimum_coverage=settings().minimum_coverage,
        )
    if as_json:
        print_json(found)
        return
    table = Table("figure", "value")
    for name, each in found["amounts"].items():
        table.add_row(name, f"{shown(each['amount_kwh'])} kWh")
    for name in (
        "self_consumption",
        "self_sufficiency",
        "full_load_hours",
        "round_trip_efficiency",
        "equivalent_cycles",
        "charging_power_utilisation",
        "charging_time_utilisation",
    ):
        table.add_row(name.replace("_", " "), shown(found[name], 4))
    clean_energy = found["clean_energy"]
    words = f"clean energy ({clean_energy['definition']}, {clean_energy['basis']})"
    table.add_row(words, shown(clean_energy["share"], 4))
    if found["identity"] is not None:
        balance = found["identity"]
        words = f"{balance['holds']} hold, {balance['broken']} broken, "
        table.add_row("quarter hours", words + f"{balance['unknown']} unknown")
    out.print(table)
    for each in found["assumed"]:
        out.print(f"assumed: {each}", highlight=False)
