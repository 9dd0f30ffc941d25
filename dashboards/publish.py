"""Publishing to Grafana: folder, data source, dashboards; what is equal is left alone."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from dashboards.datasource import datasource
from store.errors import ParkwattError, SettingInvalid

FOLDER_UID = "parkwatt"
FOLDER_TITLE = "Parkwatt"

_SETTINGS = ("GRAFANA_URL", "GRAFANA_TOKEN", "GRAFANA_DATABASE_URL")
_SERVER_OWNS = ("id", "version")  # Grafana sets these in what it stores

Json: TypeAlias = dict[str, Any]


class GrafanaMissing(ParkwattError):
    """Grafana's client is not installed; run `pip install parkwatt[grafana]`."""


class GrafanaUnreachable(ParkwattError):
    """Grafana cannot be reached; check PARKWATT_GRAFANA_URL and that it runs."""


class GrafanaRefused(ParkwattError):
    """Grafana refused the request; check PARKWATT_GRAFANA_TOKEN and its role (Admin)."""


class DashboardForeign(ParkwattError):
    """A stored dashboard has Grafana's v2 layout, which pushing would destroy; move it."""


def push(
    url: str, token: str, database_url: str, *, timescaledb: bool = False
) -> list[str]:
    """Publish all dashboards and their data source.

    Grafana never gives a password back, so a changed password alone is not noticed:
    delete the data source in Grafana and push again.

    Parameters
    ----------
    url
        Grafana's address, a path below the host included.
    token
        Of a service account with the role Admin, which data sources need.
    database_url
        Database address as seen from the Grafana server.
    timescaledb
        Whether Grafana may use ``time_bucket`` in queries that people add.

    Returns
    -------
    list of str
        What was created or updated; empty where all was so already.

    Raises
    ------
    SettingInvalid
        When one of the three is empty or the address is none.
    GrafanaMissing
        When the extra ``grafana`` is not installed.
    GrafanaUnreachable, GrafanaRefused
        When the server does not answer, or not as wanted.
    DashboardForeign
        When someone saved one of our dashboards in the v2 layout; nothing is changed.
    """
    for name, value in zip(_SETTINGS, (url, token, database_url), strict=True):
        if not value:
            raise SettingInvalid(f"PARKWATT_{name} is not set")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SettingInvalid(f"PARKWATT_GRAFANA_URL: {url!r} is not an http address")
    source = datasource(database_url, timescaledb=timescaledb)
    try:
        from grafana_client.api import GrafanaApi
        from niquests.exceptions import RequestException

        from dashboards.build import dashboards
    except ImportError as error:
        raise GrafanaMissing from error
    # the client glues "api" to the address as it is
    grafana = GrafanaApi.from_url(url.rstrip("/") + "/", credential=token)
    made = dashboards()
    with closing(grafana.client.s), _translated(url, RequestException):
        stored = {uid: _find(grafana.dashboard.get_dashboard, uid) for uid in made}
        for uid, found in stored.items():
            if found and {"elements", "layout", "spec"} & found["dashboard"].keys():
                raise DashboardForeign(uid)
        changed = [*_folder(grafana), *_source(grafana, source)]
        for uid, dashboard in made.items():
            changed += _dashboard(grafana, dashboard, stored[uid])
    return changed


@contextmanager
def _translated(url: str, transport: type[Exception]) -> Iterator[None]:
    from grafana_client.client import GrafanaException, GrafanaTimeoutError

    host = urlsplit(url).hostname or ""
    try:
        yield
    except (transport, GrafanaTimeoutError) as error:
        raise GrafanaUnreachable(host) from error
    except GrafanaException as error:
        line = " ".join(str(error.message).split())[:200]
        raise GrafanaRefused(f"{host}: {line}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise GrafanaRefused(f"{host} does not answer like Grafana") from error


def _find(get: Callable[[str], Any], uid: str) -> Json | None:
    from grafana_client.client import GrafanaClientError

    try:
        found: Json = get(uid)
    except GrafanaClientError as error:
        if error.status_code == 404:
            return None
        raise
    return found


def _folder(grafana: Any) -> list[str]:
    found = _find(grafana.folder.get_folder, FOLDER_UID)
    if found is None:
        grafana.folder.create_folder(FOLDER_TITLE, FOLDER_UID)
        return [f"folder {FOLDER_TITLE} created"]
    if found["title"] == FOLDER_TITLE:
        return []
    grafana.folder.update_folder(FOLDER_UID, title=FOLDER_TITLE, overwrite=True)
    return [f"folder {FOLDER_TITLE} updated"]


def _source(grafana: Any, wanted: Json) -> list[str]:
    found = _find(grafana.datasource.get_datasource_by_uid, wanted["uid"])
    if found is None:
        grafana.datasource.create_datasource(wanted)
        return [f"data source {wanted['name']} created"]
    visible = {key: wanted[key] for key in wanted if key != "secureJsonData"}
    if _contains(found, visible):
        return []
    grafana.datasource.update_datasource_by_uid(wanted["uid"], wanted)
    return [f"data source {wanted['name']} updated"]


def _contains(found: Any, wanted: Any) -> bool:
    """Tell whether all that is wanted is there; the server adds keys of its own."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _contains(found.get(key), value) for key, value in wanted.items()
        )
    return bool(found == wanted)


def _dashboard(grafana: Any, wanted: Json, found: Json | None) -> list[str]:
    if (
        found
        and found["meta"].get("folderUid") == FOLDER_UID
        and _own(found["dashboard"]) == _own(wanted)
    ):
        return []
    grafana.dashboard.update_dashboard(
        {
            "dashboard": {**wanted, "id": None},
            "folderUid": FOLDER_UID,
            "overwrite": True,
            "message": "parkwatt dashboards push",
        }
    )
    return [f"dashboard {wanted['uid']} {'updated' if found else 'created'}"]


def _own(dashboard: Json) -> Json:
    return {key: dashboard[key] for key in dashboard if key not in _SERVER_OWNS}
