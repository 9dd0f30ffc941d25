"""Contract demand, and how demand is measured."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    MeterOption,
    ParkOption,
    SourceOption,
    UntilOption,
)
from parkwatt.servers import connection
from store import demand_rules, registry, statements


def contract_demand(
    park: ParkOption,
    kw: Annotated[float, typer.Option(help="contract demand")],
    since: FromOption,
    source: SourceOption,
    enterprise: EnterpriseOption = None,
    meter: MeterOption = None,
) -> None:
    """State the contract demand of a park, an enterprise or a meter from a day on."""
    with connection() as conn:
        subject = registry.subject(conn, park, enterprise, meter)
        statements.set_contract_demand(
            conn,
            subject.subject_id,
            kw,
            since.replace(tzinfo=ZoneInfo(subject.park.zone)),
            source=source,
        )


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
    with connection() as conn:
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
