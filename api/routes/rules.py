"""How demand is measured: the rules that were stated, and a new one."""

from typing import Any

from fastapi import APIRouter

from api.answer import CSV_TOO, table
from api.asking import AskedPark, Conn, Format, midnight
from api.errors import WRITE_ERRORS
from api.setting_models import NewRule, Rule, Rules
from store import demand_rules, registry
from store.database import Connection
from store.records import Park

router = APIRouter(prefix="/parks/{park}", tags=["settings"])


@router.get("/demand-rules", response_model=Rules, responses=CSV_TOO)
def listed(conn: Conn, park: AskedPark, form: Format = "json") -> Any:
    """List the rules by which the demand of park, enterprises and meters is measured."""
    rows = _rows(conn, park)
    if form == "csv":
        columns = [each.alias or name for name, each in Rule.model_fields.items()]
        return table(f"{park.code}-demand-rules", columns, rows)
    return {"rows": rows}


@router.post(
    "/demand-rules", response_model=Rule, status_code=201, responses=WRITE_ERRORS
)
def state(conn: Conn, park: AskedPark, asked: NewRule) -> Any:
    """State a rule from a local day on; figures, peaks and bills follow it."""
    subject = registry.subject(conn, park.code, asked.enterprise, asked.meter)
    demand_rules.set_demand_rule(
        conn,
        subject.subject_id,
        asked.window_min,
        asked.method,
        midnight(asked.first, park.zone),
        None if asked.last is None else midnight(asked.last, park.zone),
        source=asked.source,
    )
    return [each for each in _rows(conn, park) if _names(each, asked)][-1]


def _names(row: dict[str, Any], asked: NewRule) -> bool:
    if asked.meter is not None:
        return bool(row["meter"] == asked.meter) and asked.enterprise in (
            None,
            row["enterprise"],
        )
    return row["meter"] is None and row["enterprise"] == asked.enterprise


def _rows(conn: Connection, park: Park) -> list[dict[str, Any]]:
    names: dict[int, tuple[str | None, str | None]] = {park.park_id: (None, None)}
    for owner in registry.enterprises(conn, park.park_id):
        names[owner.enterprise_id] = owner.code, None
    for meter in registry.meters(conn, park.park_id):
        names[meter.meter_id] = meter.enterprise, meter.code
    return [
        {
            "enterprise": names[each.key][0],
            "meter": names[each.key][1],
            "window_min": each.window_min,
            "method": each.method,
            "from": each.valid_from,
            "to": each.valid_to,
            "source": each.source,
            "recorded_at": each.recorded_at,
        }
        for each in demand_rules.demand_rules(conn, park.park_id)
    ]
