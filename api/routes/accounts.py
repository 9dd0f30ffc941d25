"""The monthly book of a park, and factors of one's own."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query

from analytics.jobs import methods, own_factors, telling
from analytics.jobs.book import load_book
from analytics.jobs.netting import netting
from api.account_models import (
    AccountRow,
    Accounts,
    NewFactor,
    OwnFactor,
    OwnFactors,
    Recorded,
)
from api.answer import CSV_TOO, rows_of, table
from api.asking import AskedDays, AskedPark, AskedSubject, Conn, Format, KnownOn
from api.errors import WRITE_ERRORS
from store import registry
from store.errors import Invalid
from store.factors import local_factors

router = APIRouter(prefix="/parks/{park}", tags=["accounts"])

Method = Annotated[
    list[str] | None, Query(description="a method's name; may be said several times")
]


@router.get("/accounts", response_model=Accounts, responses=CSV_TOO)
def accounts(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    known_on: KnownOn,
    method: Method = None,
    form: Format = "json",
) -> Any:
    """Give the accounts of whole months of the park and its enterprises, or of one."""
    if subject.kind == "meter":
        raise Invalid("accounts are of the park and its enterprises, not of meters")
    known = [each.name for each in methods.shipped()]
    for each in method or ():
        if each not in known:
            raise Invalid(f"method {each[:70]!r} is none of {', '.join(known)}")
    park = subject.park
    book = load_book(conn, park, days.first, days.last, known_on)
    rows = telling.rows(
        book,
        enterprise=subject.enterprise,
        every=subject.kind == "park",
        names=method or (),
    )
    if form == "csv":
        flat = [each | {"carriers": json.dumps(each["carriers"])} for each in rows]
        return table(f"{park.code}-accounts", list(AccountRow.model_fields), flat)
    whole = subject.kind == "park"  # an enterprise's answer says nothing of others
    return {
        "park": park.code,
        "zone": park.zone,
        "as_known_on": known_on.isoformat() if known_on else None,
        "totals": telling.totals(book) if whole else [],
        "netting": telling.nets(netting(conn, book)) if whole and not known_on else [],
        "errors": telling.errors(book, subject.enterprise),
        "rows": list(rows),
    }


@router.get("/own-factors", response_model=OwnFactors, responses=CSV_TOO)
def own(conn: Conn, subject: AskedSubject, form: Format = "json") -> Any:
    """List own factors as recorded: all of a park, or what may count for an enterprise."""
    if subject.kind == "meter":
        raise Invalid("factors are of a park or an enterprise, not of a meter")
    park_id = subject.park.park_id
    codes: dict[int, str | None] = {
        each.enterprise_id: each.code
        for each in registry.enterprises(conn, park_id)
        if subject.enterprise in (None, each.code)
    }
    codes[park_id] = None
    rows = [
        each | {"enterprise": codes[each.pop("subject_id")]}
        for each in rows_of(local_factors(conn, park_id))
        if each["subject_id"] in codes
    ]
    if form == "csv":
        return table("own-factors", list(OwnFactor.model_fields), rows)
    return {"rows": rows}


@router.post(
    "/own-factors",
    response_model=Recorded,
    status_code=201,
    responses=WRITE_ERRORS,
)
def record_own(conn: Conn, park: AskedPark, asked: NewFactor) -> Any:
    """Record a factor of a park's or an enterprise's own, or a calorific value."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    common: dict[str, Any] = asked.model_dump(
        include={"carrier", "valid_from", "valid_to", "source", "who"}
    )
    given = asked.model_dump(include={"kind", "basis", "value", "unit"})
    if asked.ncv_gj is not None:
        if any(each is not None for each in given.values()):
            raise Invalid("ncv_gj stands alone: kind, basis, value and unit follow")
        done = own_factors.record_ncv(conn, subject, ncv_gj=asked.ncv_gj, **common)
    else:
        if None in given.values():
            raise Invalid("name kind, basis, value and unit, or ncv_gj")
        done = [
            own_factors.record(
                conn, subject, evidence=asked.evidence, **given, **common
            )
        ]
    return {"recorded": done}
