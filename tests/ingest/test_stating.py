"""Statements from rows and files: checked one by one, stored all or not at all."""

import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingest import sheets, stating
from ingest.sheets import SheetRow, read_sheet
from ingest.statement_template import template
from store import registry, statements
from store.database import Connection, connect
from store.errors import Invalid
from store.records import Park
from store.statement_kinds import KINDS
from tests.ingest.test_importing import repacked

pytestmark = pytest.mark.db

TODAY = date(2026, 5, 10)
GOOD: dict[str, Any] = {
    "enterprise": "E1",
    "kind": "revenue",
    "period": "2026-03",
    "source": "report",
}
GOOD |= {"amount": "12.5"}


@pytest.fixture
def conn(timescale_database: str) -> Iterator[Connection]:
    with connect(timescale_database, autocommit=True) as conn:
        yield conn


@pytest.fixture
def park(conn: Connection) -> Park:
    park_id = registry.add_park(conn, "P", name="=Park", zone="Asia/Shanghai")
    for code in ("E1", "E2"):
        registry.add_enterprise(conn, park_id, code, name=f"=1+{code}")
    return registry.park(conn, "P")


def store(conn: Connection, park: Park, *rows: dict[str, Any], **more: Any) -> Any:
    options: dict[str, Any] = {"who": "Clerk One", "today": TODAY}
    return stating.store(conn, park, stating.rows_of(rows), **(options | more))


def kept(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT kind, product, unit, amount, prices, price_base, stage, who "
        "FROM core.statement ORDER BY statement_id"
    ).fetchall()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"enterprise": "E9"}, "there is no enterprise 'E9' in this park"),
        ({"enterprise": None}, "revenue is stated of an enterprise: name one"),
        ({"kind": "profit"}, "kind 'profit' is none of added_value"),
        ({"period": "2026-3"}, "period '2026-3' is none; write one like 2026"),
        ({"period": "2026-06"}, "the period begins after today, 2026-05-10"),
        ({"period": "2026-Q2"}, "the period ends after today, 2026-05-10: it is pro"),
        ({"stage": "guess"}, "stage 'guess' is none of provisional, final"),
        ({"source": " "}, "source is empty or longer than 500 characters"),
        ({"unit": "t"}, "unit 't' of revenue is none of 10k_cny, cny, 100m_cny"),
        ({"product": "x"}, "revenue has no product"),
        ({"amount": "1,234"}, "value '1,234' is not a number: write it without commas"),
        ({"amount": None}, "amount is missing"),
        ({"amount": ""}, "value '' is not a number"),
        ({"amount": "1e300"}, "amount 1e+300 is too large"),
        ({"amount": 1, "withdraw": True}, "what is withdrawn has no amount"),
        ({"prices": "constant"}, "prices 'constant' is none of current, comparable"),
        ({"prices": "comparable"}, "comparable prices need price_base"),
        ({"prices": "comparable", "price_base": 2027}, "comparable prices need"),
        ({"price_base": 2020}, "price_base belongs to comparable prices"),
        ({"kind": "heads", "amount": -1}, "heads cannot be below zero"),
        ({"kind": "heads", "prices": "current"}, "heads has no prices"),
        ({"kind": "output", "unit": "t"}, "product '' of output is not 1-64 letters"),
        ({"kind": "output", "product": "a"}, "output needs its unit"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_stored(
    conn: Connection, park: Park, change: dict[str, Any], words: str
) -> None:
    report = store(conn, park, GOOD, GOOD | change)
    assert not report.stored
    assert [each.outcome for each in report.rows] == ["new", "refused"]
    assert report.rows[1].message.startswith(words)
    assert kept(conn) == []


def test_all_rows_are_stored_and_known_ones_told(conn: Connection, park: Park) -> None:
    rows = [
        GOOD,
        GOOD | {"kind": "added_value", "unit": "100m_cny", "amount": -0.5},
        GOOD | {"kind": "revenue", "prices": "comparable", "price_base": 2020},
        GOOD | {"kind": "land_area", "unit": "mu", "amount": 3, "period": "2026"},
        GOOD | {"kind": "pollutant", "product": "cod", "unit": "t", "amount": 2},
        GOOD | {"kind": "fresh_water", "unit": "10k_m3", "amount": 1},
        GOOD | {"kind": "output", "product": "rebar", "unit": "t", "period": "2026-Q2"},
    ]
    rows[-1] |= {"stage": "provisional"}
    rows += [GOOD | {"enterprise": "", "kind": "volume_index", "amount": 104.2}]
    dry = store(conn, park, *rows, dry_run=True)
    assert not dry.stored
    assert kept(conn) == []
    report = store(conn, park, *rows)
    assert report.stored
    assert [each.outcome for each in report.rows] == ["new"] * 8
    assert kept(conn) == [
        ("revenue", None, "10k_cny", 12.5, "current", None, "final", "Clerk One"),
        ("added_value", None, "10k_cny", -5000, "current", None, "final", "Clerk One"),
        ("revenue", None, "10k_cny", 12.5, "comparable", 2020, "final", "Clerk One"),
        ("land_area", None, "m2", 2000, None, None, "final", "Clerk One"),
        ("pollutant", "cod", "kg", 2000, None, None, "final", "Clerk One"),
        ("fresh_water", None, "m3", 10000, None, None, "final", "Clerk One"),
        ("output", "rebar", "t", 12.5, None, None, "provisional", "Clerk One"),
        ("volume_index", None, "percent", 104.2, None, None, "final", "Clerk One"),
    ]
    again = store(conn, park, *rows, GOOD | {"amount": None, "withdraw": True})
    assert again.rows[-1].outcome == "refused"  # this file states it too
    again = store(conn, park, *rows)
    assert [each.outcome for each in again.rows] == ["known"] * 8
    gone = store(conn, park, GOOD | {"amount": None, "withdraw": True})
    assert gone.rows[0].outcome == "withdrawn"
    assert len(kept(conn)) == 9


def test_rows_that_contradict_each_other(conn: Connection, park: Park) -> None:
    report = store(conn, park, GOOD, GOOD | {"source": "b"}, GOOD | {"amount": 13})
    assert [each.outcome for each in report.rows] == ["new", "known", "refused"]
    assert report.rows[2].message == "row 1 says another amount"
    with pytest.raises(Invalid, match="say who"):
        store(conn, park, GOOD, who=" ")


def test_csv_with_chinese_headers(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "\ufeff企业,指标,期间,数值,来源,备注\nE1,revenue,2026年3月,12.5,表,x\n\n"
        "E1,revenue,2026-04,1,234,表,x\n",
        "utf-8",
    )
    rows = read_sheet(file, stating.NAMES, stating.REQUIRED)
    assert rows[0].cells == {
        "enterprise": "E1",
        "kind": "revenue",
        "period": "2026年3月",
        "amount": "12.5",
        "source": "表",
    }
    assert rows[1] == SheetRow(number=4, problem="7 cells, and the header has 6")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "lacks the column kind, period, amount, source"),
        (b"kind;period;amount\n", "separates by semicolons"),
        (b"kind,kind,period,amount,source\n", "kind is there more than once"),
        (b"\xff\xfe", "not CSV text"),
        ("企业,指标".encode("gbk"), "not UTF-8: save it as CSV UTF-8 or .xlsx"),
        (b"PK\x03\x04 no zip", "no workbook"),
        (b"kind,period,amount,source\n" + b"x,,,\n" * 5001, "more than 5000 rows"),
        (b" " * (sheets.FILE_BYTES + 1), "the most is 4096"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(content)
    with pytest.raises(Invalid, match=words):
        read_sheet(file, stating.NAMES, stating.REQUIRED)


def test_a_workbook_that_unpacks_to_too_much(park: Park, tmp_path: Path) -> None:
    def swollen(name: str, content: bytes) -> bytes:
        return content + b" " * (sheets.UNPACKED if "sheet1" in name else 0)

    file = tmp_path / "a.xlsx"
    file.write_bytes(template(park, []))
    assert repacked(file, swollen).stat().st_size < 1 << 20
    with pytest.raises(Invalid, match="its sheets unpack to 64 MiB"):
        read_sheet(file, stating.NAMES, stating.REQUIRED)


def test_the_template_filled_in(conn: Connection, park: Park, tmp_path: Path) -> None:
    content = template(park, registry.enterprises(conn, park.park_id))
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert {"=1+E1", "=1+E2", *KINDS} <= {cell.value for cell in cells}
    sheet = book.worksheets[0]
    assert sheet["E2"].number_format == "@"
    month = datetime(2026, 3, 1)  # noqa: DTZ001
    filled: list[list[Any]] = [
        ["E1", "revenue", None, None, "2026-03", "=10+2.5", None, None, None, "=R"],
        ["E1", "revenue", None, None, 2025, 140, None, None, "final", "report"],
        ["E1", "revenue", None, None, month, 1, None, None, None, "report"],
        ["E1", "revenue", None, None, "2026-02", True, None, None, None, "report"],
        ["E1", "revenue", None, None, "2026-01", "#DIV/0!", None, None, None, "r"],
        ["E1", "revenue", None, None, "2026-01", "=1/0", None, None, None, "r"],
    ]
    for line, row in enumerate(filled, 2):
        for number, value in enumerate(row, 1):
            sheet.cell(line, number).value = value
    sheet["J2"].data_type = "s"  # a text that looks like a formula
    file = tmp_path / "t.xlsx"
    book.save(file)

    def results(name: str, part: bytes) -> bytes:
        for empty in (b"<v />", b"<v/>", b"<v></v>"):
            part = part.replace(b"<f>10+2.5</f>" + empty, b"<f>10+2.5</f><v>12.5</v>")
        return part

    rows = read_sheet(repacked(file, results), stating.NAMES, stating.REQUIRED)
    report = stating.store(conn, park, rows, who="Clerk One", today=TODAY)
    assert [(each.outcome, each.message.partition(":")[0]) for each in report.rows] == [
        ("new", ""),
        ("new", ""),
        ("refused", "period 2026-03-01 is a date"),
        ("refused", "amount is TRUE, no text or number"),
        ("refused", "a cell is the error #DIV/0!"),
        ("refused", "a cell is a formula without a stored result"),
    ]
    report = stating.store(conn, park, rows[:2], who="Clerk One", today=TODAY)
    assert report.stored
    e1 = registry.subject(conn, "P", "E1").subject_id
    found = statements.stated(conn, [e1], ["revenue"])
    assert [(each.amount, each.source) for each in found] == [
        (140, "report"),
        (12.5, "=R"),
    ]
