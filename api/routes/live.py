"""The state of a park now, once and as a stream."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.asking import AskedPark, Conn, Set
from api.hub import Hub
from api.live import park_live
from api.live_models import Live
from store.records import Park

router = APIRouter(prefix="/parks/{park}", tags=["live"])

HEARTBEAT_S = 15
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@router.get("/live", response_model=Live)
def live(conn: Conn, park: AskedPark, settings: Set) -> Any:
    """Give power now, today's demand, the enterprises' shares and the last readings."""
    return park_live(conn, park, settings.minimum_coverage)


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "events named `live`; the data is the object of /live",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def stream(
    request: Request,
    park: AskedPark,
    last_event_id: Annotated[
        str | None, Header(description="taken and not needed: each event is complete")
    ] = None,
) -> EventSourceResponse:
    """Send the live object now and within two seconds of each change."""
    return EventSourceResponse(
        _events(request.app.state.hub, park),
        ping=HEARTBEAT_S,
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
        headers=HEADERS,
    )


async def _events(hub: Hub, park: Park) -> AsyncIterator[ServerSentEvent]:
    async for number, text in hub.events(park.park_id):
        yield ServerSentEvent(text, event="live", id=str(number))
