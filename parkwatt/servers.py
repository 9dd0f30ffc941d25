"""Where database and broker are: those that are set, else private ones."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import NamedTuple

from ingest.broker import Broker
from ingest.broker import find_or_install as find_broker
from parkwatt.printing import say
from store.database import Connection, connect, translated
from store.embedded import Server, find_or_install
from store.errors import Invalid
from store.settings import settings


class Address(NamedTuple):
    """Where the broker is."""

    host: str
    port: int


@contextlib.contextmanager
def private_database() -> Iterator[Server | None]:
    """Run the private database as long as needed; None where another is set."""
    known = settings()
    if known.database_url:
        yield None
        return
    with Server(find_or_install(known.folder, say), "main") as server:
        yield server


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Give the address of the database."""
    with private_database() as server:
        yield server.url if server else settings().database_url


@contextlib.contextmanager
def connection() -> Iterator[Connection]:
    """Connect to the database; its errors are told in our words."""
    with database() as url, translated(), connect(url, autocommit=True) as conn:
        yield conn


@contextlib.contextmanager
def private_broker() -> Iterator[Broker | None]:
    """Run the private broker as long as needed; None where another is set."""
    known = settings()
    if known.mqtt_port:
        yield None
        return
    program = find_broker(known.folder, say)
    with Broker(known.folder / "broker", program=program) as broker:
        yield broker


@contextlib.contextmanager
def broker_address() -> Iterator[Address]:
    """Give the address of the broker."""
    with private_broker() as broker:
        yield address_of(broker)


def address_of(broker: Broker | None) -> Address:
    """Give where a private broker is, or without one where the one that is set is."""
    known = settings()
    if broker is None:
        return Address(known.mqtt_host, known.mqtt_port)
    return Address(broker.host, broker.port)


def known_broker() -> Address:
    """Give the broker that runs already; nothing is started for a single message."""
    known = settings()
    if known.mqtt_port:
        return Address(known.mqtt_host, known.mqtt_port)
    broker = Broker(known.folder / "broker")
    if broker.pid is None:
        raise Invalid(
            "no broker is running: start `parkwatt up` or set "
            "PARKWATT_MQTT_HOST and PARKWATT_MQTT_PORT"
        )
    return Address(broker.host, broker.remembered_port)


def until_stopped() -> threading.Event:
    """Give an event that Ctrl-C and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def page_address() -> str:
    """Give where the live page is."""
    return f"http://{settings().api_host}:{settings().api_port}/"
