"""docs/api.md is in step with the application."""

import re
from pathlib import Path

import httpx

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_route_and_parameter_is_documented(api: httpx.Client) -> None:
    words = DOCS.read_text("utf-8")
    for path, methods in api.get("/openapi.json").json()["paths"].items():
        assert f"`{path.removeprefix('/api/v1')}`" in words
        for each in (e for m in methods.values() for e in m.get("parameters", [])):
            name = each["name"]
            if name != "park":
                assert re.search(rf"`{name}[`=]", words, re.IGNORECASE), name


def test_every_error_code_is_documented() -> None:
    words = DOCS.read_text("utf-8")
    source = "".join(
        (DOCS.parents[1] / "api" / name).read_text("utf-8")
        for name in ("errors.py", "headers.py")
    )
    codes = re.findall(r'\d{3}[,:] \(?"([a-z_]+)"', source)
    codes += re.findall(r'^        "([a-z_]+)",$', source, re.MULTILINE)
    assert {"not_found", "host_refused", "invalid", "schema_missing"} <= set(codes)
    for code in codes:
        assert f"`{code}`" in words, code


def test_every_metric_is_documented(api: httpx.Client) -> None:
    words = DOCS.read_text("utf-8")
    for name in re.findall(r"^# TYPE (parkwatt_\w+)", api.get("/metrics").text, re.M):
        assert f"`{name}" in words
