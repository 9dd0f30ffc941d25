"""Virtual meters: what was stated of them, and a new formula."""

from datetime import date
from typing import Any

from fastapi import APIRouter

from api.answer import CSV_TOO, table
from api.asking import AskedPark, Conn, Format, midnight
from api.errors import WRITE_ERRORS
from api.setting_models import NewVirtual, Virtual, Virtuals
from store import formulas, registry
from store.formulas import StatedFormula
from store.records import Park
from store.relations import BEGINNING

router = APIRouter(prefix="/parks/{park}", tags=["settings"])


@router.get("/virtual-meters", response_model=Virtuals, responses=CSV_TOO)
def listed(conn: Conn, park: AskedPark, form: Format = "json") -> Any:
    """List the formulas of virtual meters, each meter's newest first."""
    rows = [_row(each) for each in formulas.stated(conn, park.park_id)]
    if form == "csv":
        columns = [each.alias or name for name, each in Virtual.model_fields.items()]
        return table(f"{park.code}-virtual-meters", columns, rows)
    return {"rows": rows}


@router.post(
    "/virtual-meters", response_model=Virtual, status_code=201, responses=WRITE_ERRORS
)
def state(conn: Conn, park: AskedPark, asked: NewVirtual) -> Any:
    """State a virtual meter's formula from a local day on; figures restate."""
    owner = registry.subject(conn, park.code, asked.enterprise)
    formulas.add_virtual(
        conn,
        park.park_id,
        owner.subject_id,
        asked.meter,
        quantity=asked.quantity,
        formula=asked.formula,
        valid_from=_day(park, asked.first) or BEGINNING,
        valid_to=_day(park, asked.last),
        role=asked.role,
        source=asked.source,
    )
    return next(
        _row(each)
        for each in formulas.stated(conn, park.park_id)
        if (each.enterprise, each.meter, each.quantity)
        == (asked.enterprise, asked.meter, asked.quantity)
    )


def _day(park: Park, day: date | None) -> Any:
    return None if day is None else midnight(day, park.zone)


def _row(each: StatedFormula) -> dict[str, Any]:
    row = dict(vars(each))
    return row | {"from": row.pop("valid_from"), "to": row.pop("valid_to")}
