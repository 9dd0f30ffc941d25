"""The serving process: on loopback only, until there is sign-in."""

import socket
import threading
from collections.abc import Callable

import uvicorn

from api.app import create_app
from api.headers import is_loopback
from store.errors import ParkwattError
from store.settings import Settings


class NotLoopback(ParkwattError):
    """The API serves loopback only, as there is no sign-in; unset PARKWATT_API_HOST."""


class AddressTaken(ParkwattError):
    """The API cannot listen; stop what does, or set another PARKWATT_API_PORT."""


class _Server(uvicorn.Server):
    """Stops when told, and ends the live streams before it waits for answers."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stop.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.config.app.state.hub.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """Open the socket that questions come to.

    Raises
    ------
    NotLoopback
        When asked to listen where others can ask.
    AddressTaken
        When something else listens there.
    """
    host = settings.api_host
    if not is_loopback(host):
        raise NotLoopback(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.api_port), family=family)
    except OSError as error:
        raise AddressTaken(f"{host}:{settings.api_port}: {error.strerror}") from error


def serve(
    url: str,
    settings: Settings,
    stop: threading.Event,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until `stop` is set or a signal comes.

    Parameters
    ----------
    ready
        Called with the address as soon as questions are taken.

    Raises
    ------
    NotLoopback, AddressTaken
        As of :func:`listen`.
    """
    host = settings.api_host
    with listen(settings) as listening:
        # else each answer on a kept connection waits 40 ms; accepted ones inherit it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            create_app(url, settings),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        if ready is not None:
            name = f"[{host}]" if ":" in host else host
            ready(f"http://{name}:{listening.getsockname()[1]}")
        _Server(config, stop).run(sockets=[listening])
