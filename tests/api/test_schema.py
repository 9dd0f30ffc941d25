"""What /openapi.json says of every route."""

from typing import Any

import httpx
import pytest

STATE = {"/health", "/metrics"}
WRITTEN = {"readings", "revisions", "events", "own-factors", "activities"}
WRITTEN |= {"green-power", "green-matches", "policies", "{park}/history"}
WRITTEN |= {"virtual-meters", "demand-rules", "packs", "indicator-inputs"}
WRITTEN |= {"closings"}
WRITTEN |= {"statements", "file", "above-size", "industries", "owners", "targets"}
FILES = ("/stream", "/template")
WRITTEN |= {"packs"}
WRITTEN |= {"indicator-inputs", "plants", "baselines", "drivers"}


@pytest.fixture
def paths(api: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/openapi.json").json()["paths"]
    return found


def test_every_route_has_a_documented_answer(paths: dict[str, Any]) -> None:
    assert len(paths) == 70
    for path, methods in paths.items():
        assert set(methods) <= {"get", "post"}
        written = any(path.endswith(f"/{each}") for each in WRITTEN)
        assert ("post" in methods) == written, path
        for method, about in methods.items():
            _answers(path, about, "200" if method == "get" else "201")


def _answers(path: str, about: dict[str, Any], status: str) -> None:
    assert about["description"], path
    content = about["responses"][status]["content"]
    for kind, body in content.items():
        assert body.get("schema"), (path, kind)
    if path not in STATE and not path.endswith(FILES):
        assert "$ref" in content["application/json"]["schema"], path


def test_every_route_documents_its_errors(paths: dict[str, Any]) -> None:
    for path, methods in paths.items():
        for method, about in methods.items():
            wanted = {"503"} if path in STATE else {"404", "422", "500", "503"}
            if method == "post":
                wanted |= {"403", "413", "415"}
            for status in wanted:
                schema = about["responses"][status]["content"]["application/json"][
                    "schema"
                ]
                assert schema == {"$ref": "#/components/schemas/Problem"}, path


def test_every_parameter_is_described(paths: dict[str, Any]) -> None:
    for path, methods in paths.items():
        for about in methods.values():
            for each in about.get("parameters", []):
                assert each.get("description"), (path, each["name"])


def test_nothing_comes_from_elsewhere(api: httpx.Client) -> None:
    assert api.get("/docs").status_code == 404
    assert api.get("/redoc").status_code == 404
    page = api.get("/").text
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page
    assert " style=" not in page
