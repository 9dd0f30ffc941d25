"""Publishing: order, idempotence and refusals of our client."""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

pytest.importorskip("grafana_client", reason="extra [grafana] not installed")

from dashboards.datasource import DataSourceUnusable, datasource
from dashboards.publish import (
    DashboardForeign,
    GrafanaMissing,
    GrafanaRefused,
    GrafanaUnreachable,
    push,
)
from store.errors import SettingInvalid

Json = dict[str, Any]
DATABASE = "postgresql://reader:s%2Fcret@db.example:5433/parkwatt"
TOKEN = "token"
UIDS = (
    "parkwatt-carbon-peak",
    "parkwatt-demand-peaks",
    "parkwatt-enterprise-intensity",
    "parkwatt-park-peak",
)
UID = UIDS[3]


class FakeGrafana:
    """Our own model of Grafana's API: it proves only the logic of our client.

    It keeps folders, data sources and dashboards as the API's pages describe: 404 for
    unknown uids, 409 for a name taken, 412 without overwrite, no password given back.
    """

    def __init__(self) -> None:
        self.folders: dict[str, Json] = {}
        self.sources: dict[str, Json] = {}
        self.boards: dict[str, Json] = {}
        self.writes: list[str] = []
        self.url = ""

    def app(self) -> FastAPI:
        app = FastAPI()
        base = "/grafana/api"

        @app.middleware("http")
        async def authorise(request: Request, following: Any) -> Any:
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return JSONResponse({"message": "Invalid API key"}, 401)
            if request.method != "GET":
                self.writes.append(f"{request.method} {request.url.path}")
            return await following(request)

        @app.get(base + "/folders/{uid}")
        def folder(uid: str) -> Any:
            return self.folders.get(uid) or missing("folder not found")

        @app.post(base + "/folders")
        def new_folder(body: Json) -> Any:
            self.folders[body["uid"]] = {**body, "version": 1}
            return self.folders[body["uid"]]

        @app.put(base + "/folders/{uid}")
        def change_folder(uid: str, body: Json) -> Any:
            if not body.get("overwrite"):
                return JSONResponse({"message": "version mismatch"}, 412)
            self.folders[uid]["title"] = body["title"]
            return self.folders[uid]

        @app.get(base + "/datasources/uid/{uid}")
        def source(uid: str) -> Any:
            found = self.sources.get(uid)
            if found is None:
                return missing("Data source not found")
            secret = found["secureJsonData"]
            shown = {k: v for k, v in found.items() if k != "secureJsonData"}
            return {
                **shown,
                "readOnly": False,
                "secureJsonFields": dict.fromkeys(secret, True),
            }

        @app.post(base + "/datasources")
        def new_source(body: Json) -> Any:
            if any(each["name"] == body["name"] for each in self.sources.values()):
                return JSONResponse({"message": "name exists"}, 409)
            self.sources[body["uid"]] = {**body, "id": 1, "version": 1}
            return {"datasource": {}, "message": "Datasource added"}

        @app.put(base + "/datasources/uid/{uid}")
        def change_source(uid: str, body: Json) -> Any:
            self.sources[uid] = {**self.sources[uid], **body}
            return {"message": "Datasource updated"}

        @app.get(base + "/dashboards/uid/{uid}")
        def board(uid: str) -> Any:
            return self.boards.get(uid) or missing("Dashboard not found")

        @app.post(base + "/dashboards/db")
        def save_board(body: Json) -> Any:
            new, uid = body["dashboard"], body["dashboard"]["uid"]
            old = self.boards.get(uid)
            if old and not body.get("overwrite"):
                return JSONResponse({"status": "version-mismatch"}, 412)
            version = old["dashboard"]["version"] + 1 if old else 1
            self.boards[uid] = {
                "dashboard": {**new, "id": 7, "version": version},
                "meta": {"folderUid": body["folderUid"]},
            }
            return {"status": "success", "uid": uid, "version": version}

        return app


def missing(message: str) -> JSONResponse:
    return JSONResponse({"message": message}, 404)


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    fake = FakeGrafana()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}/grafana"
        server = uvicorn.Server(uvicorn.Config(fake.app(), log_level="error"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield fake
        server.should_exit = True
        thread.join(10)


def test_second_push_changes_nothing(grafana: FakeGrafana) -> None:
    assert push(grafana.url, TOKEN, DATABASE) == [
        "folder Parkwatt created",
        "data source Parkwatt created",
        *(f"dashboard {uid} created" for uid in UIDS),
    ]
    for uid in UIDS:
        assert grafana.boards[uid]["meta"]["folderUid"] == "parkwatt"
    assert grafana.sources["parkwatt"]["secureJsonData"] == {"password": "s/cret"}
    grafana.writes.clear()
    assert push(grafana.url + "/", TOKEN, DATABASE) == []
    assert grafana.writes == []


def test_what_was_edited_is_put_right(grafana: FakeGrafana) -> None:
    push(grafana.url, TOKEN, DATABASE)
    grafana.folders["parkwatt"]["title"] = "Renamed"
    grafana.boards[UID]["dashboard"]["panels"].pop()
    assert push(grafana.url, TOKEN, DATABASE, timescaledb=True) == [
        "folder Parkwatt updated",
        "data source Parkwatt updated",
        f"dashboard {UID} updated",
    ]
    assert grafana.sources["parkwatt"]["jsonData"]["timescaledb"] is True
    assert grafana.sources["parkwatt"]["secureJsonData"] == {"password": "s/cret"}
    grafana.boards[UID]["meta"]["folderUid"] = "elsewhere"
    assert push(grafana.url, TOKEN, DATABASE, timescaledb=True) == [
        f"dashboard {UID} updated"
    ]
    assert grafana.boards[UID]["dashboard"]["version"] == 3


def test_v2_layout_is_not_overwritten(grafana: FakeGrafana) -> None:
    push(grafana.url, TOKEN, DATABASE)
    grafana.boards[UID]["dashboard"] = {"elements": {}, "layout": {}, "version": 2}
    grafana.folders.clear()
    grafana.writes.clear()
    with pytest.raises(DashboardForeign, match=UID):
        push(grafana.url, TOKEN, DATABASE)
    assert grafana.writes == []


def test_errors_are_one_line(grafana: FakeGrafana) -> None:
    with pytest.raises(GrafanaRefused, match=r"Unauthorized"):
        push(grafana.url, "wrong", DATABASE)
    grafana.sources["other"] = {"name": "Parkwatt", "secureJsonData": {}}
    with pytest.raises(GrafanaRefused, match="name exists") as caught:
        push(grafana.url, TOKEN, DATABASE)
    assert "\n" not in str(caught.value)


def test_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(GrafanaUnreachable, match=r"127\.0\.0\.1"):
        push(f"http://127.0.0.1:{port}", TOKEN, DATABASE)


@pytest.mark.parametrize(
    ("url", "token", "database", "names"),
    [
        ("", TOKEN, DATABASE, "PARKWATT_GRAFANA_URL"),
        ("localhost:3000", TOKEN, DATABASE, "PARKWATT_GRAFANA_URL"),
        ("http://localhost", "", DATABASE, "PARKWATT_GRAFANA_TOKEN"),
        ("http://localhost", TOKEN, "", "PARKWATT_GRAFANA_DATABASE_URL"),
    ],
)
def test_missing_settings(url: str, token: str, database: str, names: str) -> None:
    with pytest.raises(SettingInvalid, match=names):
        push(url, token, database)


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grafana_client.api", None)
    with pytest.raises(GrafanaMissing, match=r"pip install parkwatt\[grafana\]"):
        push("http://localhost", TOKEN, DATABASE)


def test_datasource() -> None:
    made = datasource(DATABASE)
    assert made["url"] == "db.example:5433"
    assert made["user"] == "reader"
    assert made["jsonData"]["database"] == "parkwatt"
    assert made["jsonData"]["sslmode"] == "require"
    local = datasource("postgresql://r@[::1]/p?sslmode=verify-full", timescaledb=True)
    assert local["url"] == "[::1]:5432"
    assert local["jsonData"]["sslmode"] == "verify-full"
    assert local["jsonData"]["timescaledb"] is True


@pytest.mark.parametrize(
    "address",
    ["mysql://a@b/c", "postgresql://b/c", "postgresql://a@b", "postgresql://a@b:x/c"],
)
def test_datasource_address(address: str) -> None:
    with pytest.raises(DataSourceUnusable) as caught:
        datasource(address)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(
    not os.environ.get("GRAFANA_URL"),
    reason="not run against a Grafana server: GRAFANA_URL is not set",
)
def test_live() -> None:
    """GRAFANA_DATABASE_URL is the address of a migrated database as Grafana sees it."""
    where = [
        os.environ[name]
        for name in ("GRAFANA_URL", "GRAFANA_TOKEN", "GRAFANA_DATABASE_URL")
    ]
    push(where[0], where[1], where[2])
    assert push(where[0], where[1], where[2]) == []
