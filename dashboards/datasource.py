"""The data source: how Grafana reaches the views."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from store.errors import ParkwattError

UID = "parkwatt"
NAME = "Parkwatt"
TYPE = "grafana-postgresql-datasource"


class DataSourceUnusable(ParkwattError):
    """Grafana's database address must be postgresql://user[:password]@host[:port]/name."""


def datasource(database_url: str, *, timescaledb: bool = False) -> dict[str, Any]:
    """Describe the data source that reads `database_url`.

    Parameters
    ----------
    database_url
        Address as seen from the Grafana server, with a login that is a member of
        ``parkwatt_grafana``; ``sslmode`` is taken over, by default as PostgreSQL's
        ``disable`` on loopback and ``require`` elsewhere.
    timescaledb
        Whether Grafana may use ``time_bucket``; our own panels need not.

    Raises
    ------
    DataSourceUnusable
        When host, user or database is missing.
    """
    try:
        parts = urlsplit(database_url)
        port = parts.port or 5432
    except ValueError as error:
        raise DataSourceUnusable(str(error)) from error
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgresql", "postgres"):
        raise DataSourceUnusable("it begins otherwise")
    if not (parts.hostname and parts.username and name):
        raise DataSourceUnusable("host, user or name is missing")
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    sslmode = parse_qs(parts.query).get("sslmode", ["disable" if local else "require"])
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return {
        "uid": UID,
        "name": NAME,
        "type": TYPE,
        "access": "proxy",
        "url": f"{host}:{port}",
        "user": unquote(parts.username),
        "jsonData": {
            "database": name,
            "sslmode": sslmode[0],
            "timescaledb": timescaledb,
            "postgresVersion": 1500,
            "timeInterval": "1m",
        },
        "secureJsonData": {"password": unquote(parts.password or "")},
    }
