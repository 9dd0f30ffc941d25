"""Raw readings, page by page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.answer import CSV_TOO, table
from api.asking import Conn, Format, NamedSubject, OwnTime, instant
from api.models import Reading, Readings
from store.browse import channels, readings
from store.errors import Invalid
from store.quantities import QUANTITIES
from store.readings import to_datetime, to_us

router = APIRouter(prefix="/parks/{park}", tags=["readings"])

MOST = 10_000
LONGEST = timedelta(days=4000)


@router.get("/readings", response_model=Readings, responses=CSV_TOO)
def page(
    request: Request,
    response: Response,
    conn: Conn,
    subject: NamedSubject,
    own: OwnTime,
    start: Annotated[str, Query(alias="from", description="a time or a local day")],
    stop: Annotated[str, Query(alias="to", description="a time or a local day")],
    quantity: Annotated[str | None, Query(description="see docs/wire.md")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="rows of a page")] = 1000,
    cursor: Annotated[
        str | None, Query(description="`next` of the page before this one")
    ] = None,
    form: Format = "json",
) -> Any:
    """List raw readings of [from, to) by channel and time."""
    if quantity is not None and quantity not in QUANTITIES:
        raise Invalid(f"quantity {quantity!r} is none of {', '.join(QUANTITIES)}")
    low = instant("from", start, subject.park.zone)
    high = instant("to", stop, subject.park.zone)
    if high <= low:
        raise Invalid(f"the period {start} to {stop} is empty")
    if high - low > LONGEST:
        raise Invalid(f"the period is longer than {LONGEST.days} days; ask in parts")
    known = {
        each.channel_id: each
        for each in channels(
            conn,
            subject.park.park_id,
            enterprise=subject.enterprise,
            meter=subject.meter,
            quantity=quantity,
        )
    }
    found = readings(conn, list(known), low, high, _after(cursor), limit + 1, own=own)
    following = None
    if len(found) > limit:
        found = found[:limit]
        following = f"{found[-1].channel_id}.{to_us(found[-1].at)}"
    rows = [
        {
            "enterprise": known[each.channel_id].enterprise,
            "meter": known[each.channel_id].meter,
            "quantity": known[each.channel_id].quantity,
            "kind": known[each.channel_id].kind,
            "unit": known[each.channel_id].unit,
            "at": each.at,
            "until": each.until,
            "value": each.value,
            "batch_id": each.batch_id,
            "received_at": each.received_at,
        }
        for each in found
    ]
    link = _link(request, following)
    if form == "csv":
        name = f"{subject.park.code}-readings"
        return table(name, list(Reading.model_fields), rows, link)
    response.headers.update(link)
    return {"rows": rows, "next": following}


def _after(cursor: str | None) -> tuple[int, datetime]:
    if cursor is None:
        return 0, datetime(2000, 1, 1, tzinfo=UTC)
    if not re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,16}", cursor):
        raise Invalid(f"cursor {cursor!r} is not the `next` of a page")
    channel, _, us = cursor.partition(".")
    return int(channel), to_datetime(int(us))


def _link(request: Request, following: str | None) -> dict[str, str]:
    if following is None:
        return {}
    asked = {**request.query_params, "cursor": following}
    return {"Link": f'<{request.url.path}?{urlencode(asked)}>; rel="next"'}
