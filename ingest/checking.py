"""What is running, what is missing, and how to get it."""

import shutil
import socket
from typing import NamedTuple

from ingest import probing
from ingest.broker import Broker
from store.database import connect
from store.embedded.server import Server
from store.embedded.timescale import PACKAGE, installed
from store.errors import ParkwattError
from store.migrate import pending, timescale_version
from store.settings import Settings


class Check(NamedTuple):
    """The state of one part."""

    part: str
    good: bool
    needed: bool
    state: str
    remedy: str


def checks(settings: Settings) -> list[Check]:
    """Look at each part without starting or installing anything."""
    return [
        *_database(settings),
        *_broker(settings),
        _page(settings),
        _program("mosquitto", "broker of `parkwatt up`", "apt install mosquitto"),
        _program("chromium", "browser test of the page", "apt install chromium"),
        Check(
            "grafana",
            bool(settings.grafana_url),
            False,
            settings.grafana_url or "no address",
            "" if settings.grafana_url else "set PARKWATT_GRAFANA_URL and _TOKEN",
        ),
    ]


def _database(settings: Settings) -> list[Check]:
    url = settings.database_url
    if not url:
        found = installed(settings.folder)
        if found is None:
            remedy = f"run `parkwatt up`, which gets {PACKAGE}"
            return [Check("database", False, True, "no private server", remedy)]
        server = Server(found, "main")
        if server.pid is None:
            state = f"private server in {settings.folder}, stopped"
            return [Check("database", False, True, state, "run `parkwatt up`")]
        url = server.url
    try:
        with connect(url) as conn:
            version = timescale_version(conn)
            waiting = pending(conn)
    except ParkwattError as error:
        remedy = "set PARKWATT_DATABASE_URL to a server that answers"
        return [Check("database", False, True, str(error), remedy)]
    return [
        Check("database", True, True, "answers", ""),
        Check(
            "TimescaleDB",
            bool(version),
            False,
            version or "plain PostgreSQL",
            "" if version else f"install {PACKAGE}; it works without, slower",
        ),
        Check(
            "schema",
            not waiting,
            True,
            f"lacks {', '.join(waiting)}" if waiting else "up to date",
            "run `parkwatt migrate`" if waiting else "",
        ),
    ]


def _broker(settings: Settings) -> list[Check]:
    host, port = settings.mqtt_host, settings.mqtt_port
    if not port:
        broker = Broker(settings.folder / "broker")
        host, port = broker.host, broker.remembered_port
        if broker.pid is None:
            return [Check("broker", False, True, "not running", "run `parkwatt up`")]
    if not _answers(host, port):
        remedy = "check PARKWATT_MQTT_HOST and PARKWATT_MQTT_PORT"
        return [Check("broker", False, True, f"{host}:{port}", remedy)]
    found = Check("broker", True, True, f"{host}:{port}", "")
    at = settings.model_copy(update={"mqtt_host": host, "mqtt_port": port})
    try:
        risks = probing.look(at)
    except probing.NotPossible as reason:
        return [found, Check("broker's queue", False, False, str(reason), "")]
    if risks:
        remedy = "take the settings of `parkwatt broker-config`"
        return [found, Check("broker's queue", False, True, risks[0], remedy)]
    state = f"keeps {probing.MESSAGES} messages for who is away"
    return [found, Check("broker's queue", True, True, state, "")]


def _page(settings: Settings) -> Check:
    good = _answers(settings.api_host, settings.api_port)
    state = f"http://{settings.api_host}:{settings.api_port}/"
    return Check("page", good, False, state, "" if good else "run `parkwatt up`")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2.0).close()
    except OSError:
        return False
    return True


def _program(name: str, purpose: str, remedy: str) -> Check:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    return Check(name, bool(found), False, found or purpose, "" if found else remedy)
