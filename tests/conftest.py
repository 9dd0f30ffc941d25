"""Real servers for the tests: started once, ended with the session.

A test asks for what it needs by the name of a fixture and is marked accordingly:
`database` is an own copy of a migrated database and comes twice, on TimescaleDB and on
plain PostgreSQL; `timescale_database` only the first; `broker` is one Mosquitto for the
whole session, so tests use park codes of their own.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from ingest import broker as brokers
from store.embedded import Installation, Server, find_or_install
from store.migrate import migrate

# the machine may be busy: a slow example is no failure
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

_MARKS = {
    "db": {"databases", "timescale", "plain"},
    "timescale": {"timescale"},
    "broker": {"broker"},
}
# no durable commits: tests outlive no power cut. No background workers: they sit in
# the template and so keep it from being copied
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "timescaledb.max_background_workers": "0",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew: `make test ARGS=--update`."""
    parser.addoption("--update", action="store_true", help="write golden files anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the servers it uses."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for mark, fixtures in _MARKS.items():
            if used & fixtures:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def home() -> Path:
    """The folder where programs are installed once and kept between sessions."""
    default = Path(__file__).parents[1] / ".parkwatt"
    return Path(os.environ.get("PARKWATT_HOME") or default).expanduser().absolute()


@pytest.fixture(scope="session")
def installation(home: Path) -> Installation:
    """The programs of the database server."""
    return find_or_install(home, print)


class Databases:
    """Databases on one server: a migrated template and copies of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._count = 0
        self._template = ""

    def copy(self, of: str = "") -> str:
        """Return the address of a fresh migrated database, or of a copy of one."""
        if of:
            return self.server.url_of(self._create(of.rsplit("/", 1)[1]))
        if not self._template:
            self._template = self._create("template0")
            migrate(self.server.url_of(self._template))
        return self.server.url_of(self._create(self._template))

    def empty(self) -> str:
        """Return the address of a fresh database without anything in it."""
        return self.server.url_of(self._create("template0"))

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.rsplit("/", 1)[1]
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(name)
            )
        )

    def _create(self, template: str) -> str:
        self._count += 1
        name = f"test_{self._count}"
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def _execute(self, statement: sql.Composed) -> None:
        url = self.server.url_of("postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def _databases(
    installation: Installation, name: str, timescale: bool
) -> Iterator[Databases]:
    server = Server(
        installation,
        f"test-{os.getpid()}-{name}",
        timescale=timescale,
        shared_buffers="256MB",
        settings=_SETTINGS,
    )
    try:
        server.start()
        yield Databases(server)
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def timescale(installation: Installation) -> Iterator[Databases]:
    """Databases on TimescaleDB."""
    if not installation.timescale:
        words = "TimescaleDB is not installed and cannot be: run as root on Debian"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    with _databases(installation, "timescale", True) as databases:
        yield databases


@pytest.fixture(scope="session")
def plain(installation: Installation) -> Iterator[Databases]:
    """Databases on the same PostgreSQL without the TimescaleDB library."""
    with _databases(installation, "plain", False) as databases:
        yield databases


@pytest.fixture(
    scope="module",
    params=[pytest.param("timescale", marks=pytest.mark.timescale), "plain"],
)
def databases(request: pytest.FixtureRequest) -> Databases:
    """Each kind of server in turn; only those that are used are started."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Databases)
    return found


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """Address of a migrated database of the test's own, on both kinds of server."""
    url = databases.copy()
    yield url
    databases.drop(url)


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """Address of a database without schema, on both kinds of server."""
    url = databases.empty()
    yield url
    databases.drop(url)


@pytest.fixture
def timescale_database(timescale: Databases) -> Iterator[str]:
    """Address of a migrated database of the test's own, on TimescaleDB only."""
    url = timescale.copy()
    yield url
    timescale.drop(url)


@pytest.fixture
def plain_database(plain: Databases) -> Iterator[str]:
    """Address of a migrated database of the test's own, on plain PostgreSQL only."""
    url = plain.copy()
    yield url
    plain.drop(url)


@pytest.fixture
def new_database(databases: Databases) -> Iterator[Callable[[], str]]:
    """Make as many migrated databases as a test wants, on both kinds of server."""
    made: list[str] = []

    def make() -> str:
        made.append(databases.copy())
        return made[-1]

    yield make
    for url in made:
        databases.drop(url)


@pytest.fixture(scope="session")
def mosquitto(home: Path) -> str:
    """Path of the Mosquitto program."""
    program = brokers.find_or_install(home, print)
    if program == "iotcore":
        pytest.fail("mosquitto is not installed: see `make tools`")
    return program


@pytest.fixture(scope="session")
def broker(
    mosquitto: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[brokers.Broker]:
    """One Mosquitto for the session."""
    folder = tmp_path_factory.mktemp("broker")
    with brokers.Broker(folder, program=mosquitto) as running:
        yield running
