"""Factors and methods."""

from typing import Annotated

import typer
from rich.table import Table

from analytics.jobs import own_factors
from analytics.jobs.methods import shipped as shipped_methods
from parkwatt.options import (
    EnterpriseOption,
    FromOption,
    ParkOption,
    SourceOption,
    UntilOption,
    WhoOption,
)
from parkwatt.printing import out
from parkwatt.servers import connection
from store import factors as stored_factors
from store import registry
from store.errors import Invalid

factor_app = typer.Typer(no_args_is_help=True, help="Factors and methods.")


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
    with connection() as conn:
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
    with connection() as conn:
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
