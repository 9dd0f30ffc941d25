"""Which enterprises are above designated size by year, in which industry, and whose."""

from typing import Any

from fastapi import APIRouter, Response

from api.answer import CSV_TOO, table
from api.asking import AskedPark, AskedSubject, Conn, Format, KnownOn
from api.errors import WRITE_ERRORS
from api.statement_models import (
    Industries,
    Industry,
    NewIndustry,
    NewOwner,
    NewSize,
    Owner,
    Owners,
    Size,
    Sizes,
)
from store import membership, registry
from store.errors import Invalid

router = APIRouter(prefix="/parks/{park}", tags=["statements"])


def _rows(conn: Conn, subject: AskedSubject, found: Any, names: list[str]) -> Any:
    codes = {
        each.enterprise_id: each.code
        for each in registry.enterprises(conn, subject.park.park_id)
        if subject.enterprise in (None, each.code)
    }
    return [
        {name: getattr(each, name, None) for name in names}
        | {"enterprise": codes[each.enterprise_id]}
        for each in found
        if each.enterprise_id in codes
    ]


@router.get("/above-size", response_model=Sizes, responses=CSV_TOO)
def sizes(
    conn: Conn, subject: AskedSubject, known_on: KnownOn, form: Format = "json"
) -> Any:
    """List which enterprises are above designated size, by year."""
    names = list(Size.model_fields)
    found = membership.sizes(conn, subject.park.park_id, known_on)
    rows = _rows(conn, subject, found, names)
    if form == "csv":
        return table(f"{subject.park.code}-above-size", names, rows)
    return {"rows": rows}


@router.post(
    "/above-size", response_model=Size, status_code=201, responses=WRITE_ERRORS
)
def state_size(conn: Conn, park: AskedPark, asked: NewSize, reply: Response) -> Any:
    """Say whether an enterprise is above designated size in a year."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    new = membership.state_size(
        conn,
        subject.subject_id,
        asked.year,
        asked.above_designated_size,
        source=asked.source,
        who=asked.who,
    )
    reply.status_code = 201 if new else 200
    rows = _rows(
        conn, subject, membership.sizes(conn, park.park_id), list(Size.model_fields)
    )
    return next(each for each in rows if each["year"] == asked.year)


@router.get("/industries", response_model=Industries, responses=CSV_TOO)
def industries(
    conn: Conn, subject: AskedSubject, known_on: KnownOn, form: Format = "json"
) -> Any:
    """List what was said of the industries of the enterprises."""
    names = list(Industry.model_fields)
    found = membership.industries(conn, subject.park.park_id, known_on)
    rows = _rows(conn, subject, found, names)
    if form == "csv":
        return table(f"{subject.park.code}-industries", names, rows)
    return {"rows": rows}


@router.post(
    "/industries", response_model=Industry, status_code=201, responses=WRITE_ERRORS
)
def state_industry(
    conn: Conn, park: AskedPark, asked: NewIndustry, reply: Response
) -> Any:
    """Say in which industry an enterprise is from a day on."""
    if asked.valid_to is not None and asked.valid_to <= asked.valid_from:
        raise Invalid("valid_to is not after valid_from")
    subject = registry.subject(conn, park.code, asked.enterprise)
    new = membership.state_industry(
        conn,
        subject.subject_id,
        membership.digits(asked.code),
        asked.valid_from,
        asked.valid_to,
        source=asked.source,
        who=asked.who,
    )
    reply.status_code = 201 if new else 200
    found = membership.industries(conn, park.park_id)
    return _rows(conn, subject, found, list(Industry.model_fields))[-1]


@router.get("/owners", response_model=Owners, responses=CSV_TOO)
def owners(
    conn: Conn, subject: AskedSubject, known_on: KnownOn, form: Format = "json"
) -> Any:
    """List whose the enterprises are, where somebody has said so."""
    names = list(Owner.model_fields)
    found = membership.owners(conn, subject.park.park_id, known_on)
    rows = _rows(conn, subject, found, names)
    if form == "csv":
        return table(f"{subject.park.code}-owners", names, rows)
    return {"rows": rows}


@router.post("/owners", response_model=Owner, status_code=201, responses=WRITE_ERRORS)
def state_owner(conn: Conn, park: AskedPark, asked: NewOwner) -> Any:
    """Say whose an enterprise is; the benchmark takes those of one owner as one."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    said = {"source": asked.source, "who": asked.who}
    made = membership.state_owner(conn, subject.subject_id, asked.owner, **said)
    return _rows(conn, subject, [made], list(Owner.model_fields))[0]
