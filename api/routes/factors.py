"""The methods of accounting and anybody's factors."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from analytics.jobs import methods
from api.account_models import Factors, ListedFactor, Methods
from api.answer import CSV_TOO, rows_of, table
from api.asking import Conn, Format
from store.factors import factors

router = APIRouter(tags=["accounts"])


@router.get("/methods", response_model=Methods)
def listed_methods() -> Any:
    """List the methods of energy and carbon."""
    rows = [
        vars(each) | {"factors": {n: asdict(c) for n, c in each.factors.items()}}
        for each in methods.shipped()
    ]
    return {"rows": rows}


@router.get("/factors", response_model=Factors, responses=CSV_TOO)
def listed_factors(
    conn: Conn,
    kind: Annotated[str | None, Query(description="co2 or energy")] = None,
    carrier: Annotated[str | None, Query(description="of what")] = None,
    basis: Annotated[str | None, Query(description="see docs/carbon.md")] = None,
    form: Format = "json",
) -> Any:
    """List anybody's factors, the last recorded of each code."""
    rows = [
        each
        for each in rows_of(factors(conn))
        if kind in (None, each["kind"])
        and carrier in (None, each["carrier"])
        and basis in (None, each["basis"])
    ]
    for each in rows:
        del each["subject_id"]  # nobody's
    if form == "csv":
        return table("factors", list(ListedFactor.model_fields), rows)
    return {"rows": rows}
