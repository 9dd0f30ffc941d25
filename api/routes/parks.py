"""Parks, their enterprises and meters."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.answer import CSV_TOO, rows_of, table
from api.asking import AskedPark, Conn, Format, ParkCode
from api.models import (
    Enterprise,
    Enterprises,
    Meter,
    Meters,
    Park,
    ParkDetail,
    Parks,
    Quantities,
    Quantity,
)
from store import formulas, records, registry, statements
from store.quantities import QUANTITIES

router = APIRouter(tags=["parks"])


@router.get("/parks", response_model=Parks, responses=CSV_TOO)
def parks(conn: Conn, form: Format = "json") -> Any:
    """List all parks by code."""
    rows = [_park(each) for each in registry.parks(conn)]
    if form == "csv":
        return table("parks", list(Park.model_fields), rows)
    return {"rows": rows}


def _park(each: records.Park) -> dict[str, Any]:
    row = rows_of([each])[0]
    del row["park_id"]
    return row


@router.get("/quantities", response_model=Quantities, responses=CSV_TOO)
def quantities(form: Format = "json") -> Any:
    """List the catalogue of quantities that a reading can be of."""
    rows = rows_of(list(QUANTITIES.values()))
    if form == "csv":
        return table("quantities", list(Quantity.model_fields), rows)
    return {"rows": rows}


@router.get("/parks/{park}", response_model=ParkDetail)
def park(conn: Conn, park: AskedPark) -> Any:
    """Describe a park: its zone, region, contract demand and how many meters it has."""
    meters = registry.meters(conn, park.park_id)
    return {
        **_park(park),
        "enterprises": len(registry.enterprises(conn, park.park_id)),
        "meters": len(meters),
        "unconfirmed_meters": sum(each.confirmed_at is None for each in meters),
        "contract_demand_kw": statements.contract_demand_at(
            conn, park.park_id, datetime.now(UTC)
        ),
    }


@router.get("/parks/{park}/enterprises", response_model=Enterprises, responses=CSV_TOO)
def enterprises(conn: Conn, park: AskedPark, form: Format = "json") -> Any:
    """List the enterprises of a park by code."""
    meters = registry.meters(conn, park.park_id)
    every = Counter(each.enterprise for each in meters)
    waiting = Counter(each.enterprise for each in meters if each.confirmed_at is None)
    rows = [
        {
            "code": each.code,
            "name": each.name,
            "meters": every[each.code],
            "unconfirmed_meters": waiting[each.code],
        }
        for each in registry.enterprises(conn, park.park_id)
    ]
    if form == "csv":
        return table(f"{park.code}-enterprises", list(Enterprise.model_fields), rows)
    return {"rows": rows}


@router.get("/parks/{park}/meters", response_model=Meters, responses=CSV_TOO)
def meters(
    conn: Conn,
    park: ParkCode,
    enterprise: Annotated[str | None, Query(description="an enterprise's code")] = None,
    confirmed: Annotated[
        bool | None, Query(description="true or false: only those that are, or are not")
    ] = None,
    form: Format = "json",
) -> Any:
    """List the meters of a park, those that wait for confirmation too."""
    asked = registry.subject(conn, park, enterprise)
    virtual = formulas.virtual_meters(conn, asked.park.park_id)
    rows = [
        {
            "enterprise": each.enterprise,
            "code": each.code,
            "name": each.name,
            "role": each.role,
            "parent": each.parent,
            "virtual": each.meter_id in virtual,
            "confirmed": each.confirmed_at is not None,
            "confirmed_at": each.confirmed_at,
        }
        for each in registry.meters(conn, asked.park.park_id, enterprise)
        if confirmed is None or confirmed == (each.confirmed_at is not None)
    ]
    if form == "csv":
        return table(f"{park}-meters", list(Meter.model_fields), rows)
    return {"rows": rows}
