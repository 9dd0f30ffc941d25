"""Statements and membership through the API."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import openpyxl
import pytest

PARK = "/api/v1/parks/P1"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROW: dict[str, Any] = {"enterprise": "E01", "kind": "gross_output", "period": "2025"}
ROW |= {"amount": 1200, "source": "report 205"}


@pytest.fixture
def served(own: Any, serving: Any) -> Iterator[httpx.Client]:
    with serving(own.url) as base, httpx.Client(base_url=base, timeout=20) as client:
        yield client


def say(served: httpx.Client, *rows: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"who": "Clerk One", "rows": rows, **more}
    return served.post(f"{PARK}/statements", json=body)


def test_statements_in_rows(served: httpx.Client) -> None:
    bad = say(served, ROW, ROW | {"period": "2025-13"})
    assert bad.status_code == 422
    assert bad.json()["error"]["code"] == "rows_refused"
    told = bad.json()["error"]["detail"]
    assert [each["outcome"] for each in told] == ["new", "refused"]
    assert "2025-13" in told[1]["message"]
    listed = {"enterprise": "E01", "kind": "gross_output"}
    assert served.get(f"{PARK}/statements", params=listed).json()["rows"] == []
    assert say(served, ROW, dry_run=True).status_code == 200
    good = say(served, ROW, ROW | {"period": "2025-Q4", "stage": "provisional"})
    assert good.status_code == 201, good.text
    assert good.json()["stored"] is True
    assert say(served, ROW).status_code == 200
    assert say(served, ROW | {"amount": 1300}).status_code == 201
    rows = served.get(f"{PARK}/statements", params=listed).json()["rows"]
    assert [(each["period"], each["amount"]) for each in rows] == [
        ("2025", 1300),
        ("2025-Q4", 1200),
    ]
    assert rows[0]["who"] == "Clerk One"
    assert rows[0]["from"] == "2025-01-01"
    assert rows[0]["to"] == "2026-01-01"
    every = served.get(f"{PARK}/statements", params=listed | {"all": True}).json()
    assert [each["amount"] for each in every["rows"]] == [1300, 1200, 1200]
    page = served.get(
        f"{PARK}/statements",
        params=listed
        | {"all": True, "limit": 1, "cursor": every["rows"][1]["statement_id"]},
    ).json()
    assert page["rows"] == every["rows"][2:]
    assert page["next"] is None
    text = served.get(f"{PARK}/statements", params=listed | {"format": "csv"}).text
    assert text.splitlines()[1].split(",")[1:6] == [
        "E01",
        "gross_output",
        "",
        "10k_cny",
        "2025",
    ]
    early = listed | {"as_known_on": "2020-01-01"}
    assert served.get(f"{PARK}/statements", params=early).json()["rows"] == []
    wrong = served.get(f"{PARK}/statements", params={"kind": "profit"})
    assert wrong.status_code == 422
    assert say(served, ROW | {"amount": "7"}).status_code == 422
    assert say(served, ROW, who="").status_code == 422


def test_a_file_filled_in(served: httpx.Client) -> None:
    blank = served.get(f"{PARK}/statements/template")
    assert blank.headers["content-type"] == XLSX
    book = openpyxl.load_workbook(io.BytesIO(blank.content))
    sheet: Any = book.worksheets[0]
    row = ["E02", "heads", "", "", "2025", 120, "", "", "", "list"]
    for number, value in enumerate(row, 1):
        sheet.cell(2, number).value = value or None
    out = io.BytesIO()
    book.save(out)

    def send(content: bytes, kind: str = XLSX, **more: Any) -> httpx.Response:
        return served.post(
            f"{PARK}/statements/file",
            params={"who": "Clerk One", **more},
            content=content,
            headers={"Content-Type": kind},
        )

    assert send(out.getvalue(), dry_run=True).json()["rows"][0]["outcome"] == "new"
    assert send(out.getvalue()).status_code == 201
    assert send(out.getvalue()).json()["rows"][0]["outcome"] == "known"
    text = b"enterprise,kind,period,amount,source\nE02,heads,2024,110,list\n"
    assert send(text, "text/csv").status_code == 201
    bad = send(text.replace(b"110", b"=1+1"), "text/csv")
    assert bad.json()["error"]["code"] == "rows_refused"
    assert send(b"PK\x03\x04").status_code == 422
    refused = send(text, "text/plain")
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        415,
        "not_a_table",
    )
    large = send(text + b"\n" * (4 << 20), "text/csv")
    assert large.status_code == 413
    foreign = served.post(
        f"{PARK}/statements/file?who=x",
        content=text,
        headers={"Content-Type": "text/csv", "Origin": "http://elsewhere.example"},
    )
    assert foreign.status_code == 403
    rows = served.get(f"{PARK}/statements", params={"kind": "heads"}).json()["rows"]
    assert [(each["period"], each["amount"]) for each in rows] == [
        ("2024", 110),
        ("2025", 120),
    ]


def test_a_thousand_rows_can_be_sent(served: httpx.Client) -> None:
    row = {"enterprise": "E04", "kind": "output", "unit": "t", "amount": 1.0}
    rows = [
        row | {"product": f"product_{i}", "period": "2024", "source": "works' books"}
        for i in range(1000)
    ]
    done = served.post(f"{PARK}/statements", json={"who": "Clerk", "rows": rows})
    assert done.status_code == 201, done.text[:300]
    assert len(done.json()["rows"]) == 1000
    # other addresses keep their limit
    large = served.post(f"{PARK}/history", json={"who": "Clerk" * 20_000})
    assert large.status_code == 413


@pytest.mark.parametrize(
    ("kind", "amount"), [("gross_output", -1.0), ("volume_index", 0.0)]
)
def test_an_amount_that_cannot_be_is_refused(
    served: httpx.Client, kind: str, amount: float
) -> None:
    row = {"kind": kind, "period": "2024", "amount": amount, "source": "books"}
    if kind == "gross_output":
        row |= {"enterprise": "E04", "prices": "current"}
    body = {"who": "Clerk", "dry_run": True, "rows": [row]}
    refused = served.post(f"{PARK}/statements", json=body)
    assert refused.status_code == 422
    assert f"{kind} cannot be" in refused.json()["error"]["detail"][0]["message"]
    row["amount"] = 1.0
    assert served.post(f"{PARK}/statements", json=body).status_code == 200


def test_size_and_industry(served: httpx.Client) -> None:
    base = {"enterprise": "E03", "source": "bureau", "who": "Clerk One"}
    size = base | {"year": 2025, "above_designated_size": True}
    assert served.post(f"{PARK}/above-size", json=size).status_code == 201
    assert served.post(f"{PARK}/above-size", json=size).status_code == 200
    size["above_designated_size"] = False
    assert served.post(f"{PARK}/above-size", json=size).status_code == 201
    rows = served.get(f"{PARK}/above-size").json()["rows"]
    assert [each["above_designated_size"] for each in rows] == [False]
    assert served.get(f"{PARK}/above-size?enterprise=E01").json()["rows"] == []
    about = base | {"code": "C3011", "valid_from": "2020-01-01"}
    made = served.post(f"{PARK}/industries", json=about)
    assert made.status_code == 201
    assert made.json()["code"] == "3011"
    assert served.post(f"{PARK}/industries", json=about).status_code == 200
    text = served.get(f"{PARK}/industries?format=csv").text
    assert text.splitlines()[1].startswith("E03,3011,2020-01-01,,bureau,Clerk One,")
    assert (
        served.post(f"{PARK}/industries", json=about | {"code": "steel"}).status_code
        == 422
    )
    assert (
        served.post(
            f"{PARK}/industries", json=about | {"valid_to": "2019-01-01"}
        ).status_code
        == 422
    )


def test_whose_an_enterprise_is(served: httpx.Client) -> None:
    about = {"enterprise": "E03", "source": "register", "who": "Clerk One"}
    for owner in ("91320594", "集团-2"):
        made = served.post(f"{PARK}/owners", json=about | {"owner": owner})
        assert made.status_code == 201
        assert made.json()["owner"] == owner
    for owner in ("", "/12", "a b"):
        refused = served.post(f"{PARK}/owners", json=about | {"owner": owner})
        assert refused.status_code == 422
    rows = served.get(f"{PARK}/owners").json()["rows"]
    assert [(each["enterprise"], each["owner"]) for each in rows] == [("E03", "集团-2")]
    assert served.get(f"{PARK}/owners?enterprise=E01").json()["rows"] == []
    assert "E03,集团-2," in served.get(f"{PARK}/owners?format=csv").text
    then = {"as_known_on": rows[0]["recorded_at"]}
    gone = served.post(f"{PARK}/owners", json=about | {"owner": None})
    assert (gone.status_code, gone.json()["owner"]) == (201, None)
    assert served.get(f"{PARK}/owners").json()["rows"] == []
    assert served.get(f"{PARK}/owners", params=then).json()["rows"] == rows


def test_kinds(api: httpx.Client) -> None:
    rows = api.get("/api/v1/statement-kinds").json()["rows"]
    known = {each["name"]: each for each in rows}
    assert known["added_value"]["units"] == ["10k_cny", "cny", "100m_cny"]
    assert known["heads"]["level"]
    assert "10k_cny cny 100m_cny" in api.get("/api/v1/statement-kinds?format=csv").text
