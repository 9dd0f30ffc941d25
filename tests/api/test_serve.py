"""Where the API listens, and where it refuses to."""

import socket
import threading

import pytest

from api.headers import is_loopback
from api.serve import AddressTaken, NotLoopback, serve
from store.settings import Settings

NOWHERE = "postgresql://nobody@127.0.0.1:9/none"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_others_cannot_ask(host: str) -> None:
    with pytest.raises(NotLoopback) as caught:
        serve(NOWHERE, Settings(api_host=host), threading.Event())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


def test_taken_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken, match=f"127.0.0.1:{port}"):
            serve(NOWHERE, Settings(api_port=port), threading.Event())
