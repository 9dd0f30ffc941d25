"""CSV: the same rows, safe to open in a spreadsheet."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.answer import table
from store.spreadsheet import cell


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\ta", "'\ta"),
        ("\ra", "'\ra"),
        ("a=1", "a=1"),
        (-1.5, -1.5),
        (7, 7),
        (True, "true"),
        (None, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, tzinfo=UTC), "2026-11-23T00:00:00+00:00"),
    ],
)
def test_cells(value: object, written: object) -> None:
    assert cell(value) == written


def test_numbers_come_back_bit_for_bit() -> None:
    answer = table("x", ["a"], [{"a": 0.1 + 0.2}, {"a": -1e-17}])
    found = [float(each) for each in bytes(answer.body).decode().split()[1:]]
    assert found == [0.1 + 0.2, -1e-17]


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("/parks", 2),
        ("/parks/P1/enterprises", 12),
        ("/parks/P1/meters", 13),
        ("/parks/P1/readings", 1000),
        ("/parks/P1/usage", 1),
        ("/parks/P1/demand", 96),
        ("/parks/P1/energy", 1),
        ("/parks/P1/carbon", 9),
        ("/parks/P1/intensity", 12),
        ("/sources", 2),
        ("/quarantine", 1),
    ],
)
def test_every_list(api: httpx.Client, seeded: Any, path: str, least: int) -> None:
    asked = {"from": str(seeded.today - timedelta(days=1)), "to": str(seeded.today)}
    found = rows(api.get(f"/api/v1{path}", params={**asked, "format": "csv"}))
    assert len(found) == least
    as_json = api.get(f"/api/v1{path}", params=asked).json()
    if "rows" in as_json:
        assert list(found[0]) == list(as_json["rows"][0])


def test_numbers_agree_with_json(api: httpx.Client, seeded: Any) -> None:
    asked = {"from": str(seeded.today - timedelta(days=1)), "to": str(seeded.today)}
    as_csv = rows(api.get("/api/v1/parks/P1/demand", params={**asked, "format": "csv"}))
    as_json = api.get("/api/v1/parks/P1/demand", params=asked).json()["rows"]
    assert [float(each["demand_kw"]) for each in as_csv] == [
        each["demand_kw"] for each in as_json
    ]


def test_a_formula_in_a_payload_is_text(api: httpx.Client) -> None:
    found = rows(api.get("/api/v1/quarantine?format=csv"))
    assert found[0]["payload"] == "'=1+1"


def test_the_next_page_is_in_the_link(api: httpx.Client, seeded: Any) -> None:
    asked = {"from": str(seeded.today - timedelta(days=1)), "to": str(seeded.today)}
    asked |= {"format": "csv", "enterprise": "E01", "limit": "700"}
    first = api.get("/api/v1/parks/P1/readings", params=asked)
    second = api.get(first.links["next"]["url"])
    assert len(rows(first)) == 700
    assert len(rows(second)) == 4 * 288 - 700
    assert "next" not in second.links
