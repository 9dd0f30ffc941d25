"""The tariffs that are known."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from api.answer import CSV_TOO, table
from api.asking import Conn, Format
from api.cost_models import ListedTariff, Tariffs
from store.tariffs import tariffs

router = APIRouter(tags=["cost"])


@router.get("/tariffs", response_model=Tariffs, responses=CSV_TOO)
def asked_tariffs(conn: Conn, form: Format = "json") -> Any:
    """List the tariffs that are known."""
    rows = [
        {name: each.terms.get(name) for name in ("name", "name_zh", "note")}
        | {
            name: bool(each.terms.get(name))
            for name in ("verified", "prices_are_examples")
        }
        | {
            name: value
            for name, value in asdict(each).items()
            if name not in ("terms", "tariff_id")
        }
        for each in tariffs(conn)
    ]
    rows.sort(key=lambda each: (each["code"], each["valid_from"], each["recorded_at"]))
    if form == "csv":
        return table("tariffs", list(ListedTariff.model_fields), rows)
    return {"rows": rows}
