"""CSV and XLSX: each row is accounted for, before and after."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingest import importing, tables
from ingest.importing import Options, Report, import_file
from store.database import Connection, connect
from store.errors import Invalid
from store.records import Counts
from store.settings import Settings

pytestmark = pytest.mark.db

HEADER = "park,enterprise,meter,quantity,at,value"
Row = tuple[Any, ...]


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as conn:
        yield conn


def at(minute: int) -> str:
    return (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()


def row(minute: int, value: object, meter: str = "M") -> Row:
    return ("p", "e", meter, "energy_import_kwh", at(minute), value)


def text(path: Path, *rows: Row) -> Path:
    lines = [HEADER, *(",".join(str(each) for each in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def book(path: Path, *rows: Row) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(HEADER.split(","))
    for each in rows:
        sheet.append(list(each))
    made.save(path)
    return path


def go(conn: Connection, path: Path, **options: Any) -> Report:
    options.setdefault("create", True)
    return import_file(conn, path, Settings(), Options(**options))


def told(path: Path) -> list[tuple[str, ...]]:
    return [tuple(each) for each in csv.reader(io.StringIO(path.read_text("utf-8")))]


def everything(conn: Connection) -> list[object]:
    names = ["reading", "conflict", "quarantine", "batch", "source_total", "dirty"]
    names += ["park", "enterprise", "meter", "channel", "assignment", "subject"]
    return [
        conn.execute(f"SELECT * FROM core.{each} ORDER BY 1, 2").fetchall()
        for each in names
    ]


MIXED = [row(0, 1), row(1, 2), row(1, 2), row(1, 3), row(2, "1;5"), row(0, 7)]


@pytest.mark.parametrize("write", [text, book])
@pytest.mark.parametrize("known", [False, True])
def test_a_dry_run_says_what_then_happens_and_stores_nothing(
    conn: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[..., Path],
    known: bool,
) -> None:
    monkeypatch.setattr(importing, "ROWS_PER_BATCH", 2)  # keys meet across batches
    if known:
        go(conn, text(tmp_path / "before.csv", row(0, 1), row(2, 4)))
    file = write(tmp_path / "file", *MIXED)
    before = everything(conn)
    dry, wet = tmp_path / "dry.csv", tmp_path / "wet.csv"
    said = go(conn, file, dry_run=True, report=dry)
    assert everything(conn) == before
    done = go(conn, file, report=wet)
    assert said.counts == done.counts
    assert said.counts == (
        Counts(inserted=1, duplicate=2, conflict=2, quarantined=1)
        if known
        else Counts(inserted=2, duplicate=1, conflict=2, quarantined=1)
    )
    assert told(dry)[1:] == [
        (line, "new" if outcome == "inserted" else outcome, reason, stored)
        for line, outcome, reason, stored in told(wet)[1:]
    ]
    first = "duplicate" if known else "inserted"
    assert told(wet) == [
        ("line", "outcome", "reason", "stored"),
        ("2", first, "", ""),
        ("3", "inserted", "", ""),
        ("4", "duplicate", "", ""),
        ("5", "conflict", "another value is stored", "2.0"),
        ("6", "refused", "value '1;5' is not a number", ""),
        ("7", "conflict", "another value is stored", "1.0"),
    ]


def test_a_dry_run_knows_who_may_register(conn: Connection, tmp_path: Path) -> None:
    go(conn, text(tmp_path / "a.csv", row(0, 1)))
    settings = Settings(unconfirmed_meters=2)
    rows = [row(0, 1, f"N{i}") for i in range(4)] + [("x", *row(0, 1)[1:])]
    file = text(tmp_path / "b.csv", *rows)
    found = [
        import_file(conn, file, settings, Options(dry_run=dry)) for dry in (True, False)
    ]
    assert found[0].counts == Counts(inserted=2, quarantined=3)
    assert found[0].counts == found[1].counts
    assert found[0].problems == found[1].problems


def test_a_workbook_as_people_type_it(conn: Connection, tmp_path: Path) -> None:
    naive = datetime(2026, 3, 1, 8, 15)  # noqa: DTZ001
    file = book(
        tmp_path / "w.xlsx",
        ("p", "e", 101, "energy_import_kwh", naive, 12.5),
        ("p", "e", 101.0, "energy_import_kwh", at(30), "13.5"),
        ("p", "e", 101, "energy_import_kwh", at(45), "1,234"),
        ("p", "e", 101, "energy_import_kwh", 46082.5, 1),
        ("p", "e", 101, "energy_import_kwh", at(45), True),
        ("p", "e", 101, "energy_import_kwh", naive.date(), 1),
        ("p", "e", 101, "energy_import_kwh", naive.time(), 1),
        ("p", "e", 1.5, "energy_import_kwh", at(45), 1),
        (None, None, None, None, None, None),
        ("p", "e", 101, "energy_import_kwh", at(45), "#DIV/0!"),
        ("p", "e", 101, "energy_import_kwh", at(45), "=1+1"),
    )
    without = go(conn, file, dry_run=True)
    assert "line 2: time '2026-03-01T08:15:00' has no zone" in without.problems
    found = go(conn, file, zone="Asia/Shanghai")
    assert found.counts == Counts(inserted=2, quarantined=8)
    assert found.problems == [
        "line 4: value '1,234' is not a number: write it without commas",
        "line 5: at 46082.5 is a number: format the cell as date and time",
        "line 6: value is TRUE, no text or number",
        "line 7: at 2026-03-01 is a day without a time",
        "line 8: at 08:15:00 is no date with its time",
        "line 9: meter 1.5 is a number: make the cell a text",
        "line 11: value is the error #DIV/0!",
        "line 12: value is a formula without a stored result: open the file in a "
        "spreadsheet program and save it",
    ]
    stored = conn.execute("SELECT at, value FROM reading ORDER BY at").fetchall()
    assert stored == [
        (datetime(2026, 3, 1, 0, 15, tzinfo=UTC), 12.5),
        (datetime(2026, 3, 1, 0, 30, tzinfo=UTC), 13.5),
    ]


def repacked(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Write a workbook's parts anew."""
    with zipfile.ZipFile(path) as old:
        parts = {each: old.read(each) for each in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, change(name, content))
    return path


def test_a_formula_counts_by_its_stored_result(
    conn: Connection, tmp_path: Path
) -> None:
    def cached(name: str, content: bytes) -> bytes:
        return content.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>").replace(
            b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>"
        )

    file = repacked(book(tmp_path / "f.xlsx", row(0, "=1+1")), cached)
    assert go(conn, file).counts == Counts(inserted=1)
    assert conn.execute("SELECT value FROM reading").fetchone() == (2.0,)


def test_what_unpacks_to_too_much_is_refused(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = book(tmp_path / "b.xlsx", row(0, 1))

    def bomb(name: str, content: bytes) -> bytes:
        return content + b" " * (3 << 20) if name.endswith("sheet1.xml") else content

    repacked(file, bomb)
    assert file.stat().st_size < 100_000
    monkeypatch.setattr(tables, "SHEET_BYTES", 1 << 20)
    with pytest.raises(Invalid, match="its sheets unpack to 3 MiB, and the most is 1"):
        go(conn, file)
    monkeypatch.setattr(tables, "SHEET_BYTES", 1 << 30)
    monkeypatch.setattr(tables, "OTHER_BYTES", 100)
    with pytest.raises(Invalid, match="texts and styles"):
        go(conn, file)


def test_a_row_far_away_costs_nothing(conn: Connection, tmp_path: Path) -> None:
    def far(name: str, content: bytes) -> bytes:
        return content.replace(b'<row r="3"', b'<row r="2000000000"').replace(
            b'r="A3"', b'r="XFD2000000000"'
        )

    file = repacked(book(tmp_path / "r.xlsx", row(0, 1), row(1, 1)), far)
    assert go(conn, file).counts.inserted == 1


def test_good_rows_before_a_break_are_kept(conn: Connection, tmp_path: Path) -> None:
    def cut(name: str, content: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return content
        return content[: content.index(b'r="E5"')]

    file = repacked(book(tmp_path / "c.xlsx", *(row(i, i) for i in range(5))), cut)
    found = go(conn, file)
    assert found.counts == Counts(inserted=3)
    assert "cannot be read from row 5 on" in found.broken


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
        (b"PK\x03\x04 no archive", "is no workbook"),
        (b"park;enterprise;meter;quantity;at;value\n", "needs commas"),
        (b"park,park,enterprise,meter,quantity,at,value\n", "more than once"),
    ],
)
def test_files_of_another_kind(
    conn: Connection, tmp_path: Path, content: bytes, why: str
) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    with pytest.raises(Invalid, match=why):
        go(conn, file)


def test_a_decimal_comma_does_not_cut_a_number(
    conn: Connection, tmp_path: Path
) -> None:
    file = tmp_path / "c.csv"
    line = "p,e,M,energy_import_kwh,2026-01-01T00:00:00+08:00,1234"
    file.write_text(
        f"park,enterprise,meter,quantity,at,value\n{line},56\n{line},\n{line}\n"
    )
    found = go(conn, file, dry_run=True, create=True)
    assert found.counts == Counts(inserted=1, duplicate=1, quarantined=1)
    assert "7 cells, and the header has 6" in found.problems[0]


def test_other_sheets_are_named(conn: Connection, tmp_path: Path) -> None:
    file = book(tmp_path / "s.xlsx", row(0, 1))
    made = openpyxl.load_workbook(file)
    made.create_sheet("more")
    made.save(file)
    assert "not more" in go(conn, file).note


def test_an_endless_line_is_one_refusal(conn: Connection, tmp_path: Path) -> None:
    file = text(tmp_path / "l.csv", row(0, 1), ("x" * 400_000,), row(1, 2))
    found = go(conn, file)
    assert found.counts == Counts(inserted=2, quarantined=1)
    assert found.problems == ["line 3: line is longer than 65536 bytes"]


def test_no_cell_of_the_report_runs(conn: Connection, tmp_path: Path) -> None:
    target = tmp_path / "r.csv"
    file = text(tmp_path / "i.csv", ("=1+1", *row(0, 1)[1:]), row(0, "@x"))
    go(conn, file, report=target)
    cells = [cell for row in told(target) for cell in row]
    assert not [each for each in cells if each.startswith(tuple("=+-@\t\r"))]


def test_the_report_is_not_the_file(conn: Connection, tmp_path: Path) -> None:
    file = text(tmp_path / "i.csv", row(0, 1))
    with pytest.raises(Invalid, match="is the file itself"):
        go(conn, file, report=file)
    with pytest.raises(Invalid, match="No such file"):
        go(conn, file, report=tmp_path / "none" / "r.csv")


def test_many_rows_are_told_with_bounded_memory(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_PER_BATCH", 500)
    file = book(tmp_path / "m.xlsx", *(row(i, i) for i in range(3000)))
    seen: list[tuple[int, int]] = []
    found = import_file(
        conn, file, Settings(), Options(create=True), lambda *at: seen.append(at)
    )
    assert found.counts.inserted == 3000
    assert len(seen) == 7
    assert seen[-1] == (3001, 3001)
