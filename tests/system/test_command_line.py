"""The commands as a person types them: answers, and one line when something is wrong."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from store.processes import free_port

pytestmark = pytest.mark.db

HEADER = "park,enterprise,meter,quantity,at,value\n"


@pytest.fixture
def parkwatt(timescale_database: str, tmp_path: Path) -> "Run":
    return Run(timescale_database, tmp_path)


class Run:
    """Runs commands against one database; nothing of this machine is used."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self._env = {
            "PATH": os.environ["PATH"],
            "PARKWATT_DATABASE_URL": url,
            "PARKWATT_HOME": str(folder / "home"),
            "COLUMNS": "200",
        }

    def __call__(
        self, *arguments: str, status: int = 0, **env: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "parkwatt", *arguments],
            env={**self._env, **env},
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)


ROWS = """p,e1,M1,energy_import_kwh,2026-03-01T00:15:00+08:00,110
p,e1,M1,energy_import_kwh,2026-03-01T00:00:00+08:00,100
p,e1,M1,energy_import_kwh,2026-03-01T00:30:00+08:00,135.5
p,e2,M1,energy_import,2026-03-01T00:00:00+08:00,5
p,e2,M1,energy_import_mwh,2026-03-01T00:15:00+08:00,0.006
"""
DAYS = ("--from", "2026-03-01", "--to", "2026-03-02")


def test_import_then_figures(parkwatt: Run) -> None:
    file = parkwatt.file("readings.csv", HEADER + ROWS)
    done = parkwatt("import", file, "--create", "--region", "CN-JS")
    assert "5 inserted, 0 duplicate" in done.stdout
    done = parkwatt("import", file)
    assert "0 inserted, 5 duplicate" in done.stdout

    found = json.loads(parkwatt("figures", "--park", "p", *DAYS, "--json").stdout)
    assert found["energy_kwh"] == pytest.approx(36.5)
    # from 00:15 on e2 is unknown: half a park's window cannot be its peak
    assert found["peak_demand_kw"] == pytest.approx(44)
    assert found["peak_start"] == "2026-03-01T00:00:00+08:00"
    assert found["publishable"] is False
    one = parkwatt(
        "figures", "--park", "p", "--enterprise", "e2", "--meter", "M1", *DAYS, "--json"
    )
    assert json.loads(one.stdout)["energy_kwh"] == pytest.approx(1.0)
    one = parkwatt("figures", "--park", "p", "--enterprise", "e1", *DAYS, "--json")
    assert json.loads(one.stdout)["peak_demand_kw"] == pytest.approx(102)
    table = parkwatt("figures", "--park", "p", "--enterprise", "e1", *DAYS)
    assert "35.500" in table.stdout
    assert "not publishable" in table.stdout


def test_statements_intensity_and_targets(parkwatt: Run) -> None:
    parkwatt("import", parkwatt.file("r.csv", HEADER + ROWS), "--create")
    who = ("--park", "p", "--who", "Clerk One", "--source", "report")
    add = ("statement", "add", *who, "--enterprise", "e1", "--kind")
    parkwatt(*add, "added_value", "--period", "2026-03", "--amount", "10")
    rows = (
        "enterprise,kind,period,amount,source\ne1,heads,2026,40,list\ne1,x,2026,1,l\n"
    )
    file = parkwatt.file("s.csv", rows)
    bad = parkwatt("statement", "import", *who[:4], file, status=1)
    assert "kind 'x' is none of" in bad.stderr
    assert "1 new, 0 withdrawn, 0 known, 1 refused; nothing is stored" in bad.stdout
    good = parkwatt.file("s.csv", rows.rsplit("e1,x", 1)[0])
    assert "1 new" in parkwatt("statement", "import", *who[:4], good).stdout
    listed = parkwatt("statement", "list", "--park", "p").stdout
    assert "added_value" in listed
    assert "heads" in listed
    assert "gross_output" in parkwatt("statement", "kinds").stdout
    book = parkwatt.file("t.xlsx", "")
    parkwatt("statement", "template", "--park", "p", book)
    assert Path(book).read_bytes().startswith(b"PK")
    parkwatt("above-size", *who, "--enterprise", "e1", "--year", "2026")
    since = ("--from", "2020-01-01")
    parkwatt("industry", *who, "--enterprise", "e1", "--code", "C3011", *since)
    months = ("--park", "p", "--from", "2026-03-01", "--to", "2026-04-01")
    found = json.loads(
        parkwatt("intensity", *months, "--of", "above_size", "--json").stdout
    )["rows"][0]
    assert (found["members"], found["set_year"]) == (["e1"], 2026)
    per = found["per"]["added_value_10k_cny"]
    assert per["tce"]["calorific"] == pytest.approx(found["tce"]["calorific"] / 10)
    assert "10.00" in parkwatt("intensity", *months, "--enterprise", "e1").stdout
    target = (
        "target",
        "add",
        *who,
        "--year",
        "2026",
        "--kind",
        "energy",
        "--value",
        "9",
    )
    parkwatt(*target, "--method", "calorific")
    assert "needs its method" in parkwatt(*target, status=1).stderr
    shown = ("target", "show", "--park", "p", "--year", "2026")
    assert "9 tce" in parkwatt(*shown).stdout
    assert json.loads(parkwatt(*shown, "--json").stdout)["rows"][0]["value"] == 9


def test_added_value_and_as_known_on(parkwatt: Run) -> None:
    parkwatt("import", parkwatt.file("r.csv", HEADER + ROWS), "--create")
    for enterprise, amount in (("e1", "10"), ("e2", "5")):
        parkwatt(
            "added-value",
            "--park",
            "p",
            "--enterprise",
            enterprise,
            *DAYS,
            "--amount",
            amount,
            "--source",
            "test",
        )
    known = json.loads(parkwatt("figures", "--park", "p", *DAYS, "--json").stdout)
    assert known["intensity"]["added_value_10k_cny"] == 15
    early = parkwatt(
        "figures", "--park", "p", *DAYS, "--as-known-on", "2020-01-01", "--json"
    )
    assert json.loads(early.stdout)["energy_kwh"] is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "lacks the column park, enterprise, meter"),
        ("", "lacks the column"),
        (b"\xff\xfe\x00\x01", "x.csv is not CSV text: byte 1 is not UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(
    parkwatt: Run, content: str | bytes, words: str
) -> None:
    done = parkwatt("import", parkwatt.file("x.csv", content), status=1)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_line_spoils_no_other(parkwatt: Run) -> None:
    lines = [line.encode() for line in (HEADER + ROWS).splitlines(keepends=True)]
    lines[2:2] = [b'p,"e1,M1,energy_import_kwh,2026-03-01T00:01:00+08:00,101\n']
    lines[4:4] = [b"p,e1,M\xff,energy_import_kwh,2026-03-01T00:01:00+08:00,1\r\n"]
    file = parkwatt.file("readings.csv", b"\xef\xbb\xbf" + b"".join(lines))
    done = parkwatt("import", file, "--create", status=1)
    assert "5 inserted, 0 duplicate, 0 conflict, 2 quarantined" in done.stdout
    assert "line 3: not CSV" in done.stdout + done.stderr
    assert "line 5: byte 7 is not UTF-8" in done.stdout + done.stderr
    found = json.loads(parkwatt("figures", "--park", "p", *DAYS, "--json").stdout)
    assert found["energy_kwh"] == pytest.approx(36.5)


def test_a_person_says_what_a_fall_was(parkwatt: Run) -> None:
    parkwatt("migrate")
    parkwatt("register", "--park", "p", "--enterprise", "e", "--meter", "M")
    lines = [
        f"p,e,M,energy_import,2026-03-01T0{hour}:00:00+08:00,{value}"
        for hour, value in enumerate((500, 510, 2, 5))
    ]
    head = "park,enterprise,meter,quantity,at,value"
    parkwatt("import", parkwatt.file("r.csv", "\n".join([head, *lines])))

    def energy() -> float:
        parkwatt("analyse", "--once")
        asked = parkwatt("figures", "--park", "p", *DAYS, "--json")
        return float(json.loads(asked.stdout)["energy_kwh"])

    of_meter = ("--park", "p", "--meter", "M")
    assert energy() == 13.0
    listed = parkwatt("events", "--park", "p", *DAYS, "--json")
    kinds = [each["kind"] for each in json.loads(listed.stdout)]
    assert kinds == ["reset"]  # read each hour, so no hour is a gap
    policy = ("policy", *of_meter, "--source", "reads each hour")
    parkwatt(*policy, "--name", "measured_up_to_s", "--value", "3600")
    parkwatt("analyse", "--once")
    refused = parkwatt(*policy, "--name", "colour", "--value", "1", status=1)
    assert "none of measured_up_to_s" in refused.stderr
    (share, reset) = json.loads(
        parkwatt("checks", "--park", "p", *DAYS, "--json").stdout
    )
    assert (share["rule"], reset["rule"]) == ("missing share", "reset")
    assert (reset["value_before"], reset["value"], reset["count"]) == (510, 2, 1)
    assert "reset" in parkwatt("checks", "--park", "p", *DAYS).stdout
    listed = parkwatt("events", "--park", "p", *DAYS, "--json")
    (found,) = json.loads(listed.stdout)
    assert (found["kind"], found["value_before"], found["value_after"]) == (
        "reset",
        510,
        2,
    )
    assert found["confidence"] == 0.6
    signed = ("--who", "Reader One", "--why", "exchanged")
    said = ("judge", *of_meter, "--at", "2026-03-01T01:30:00+08:00", *signed)
    needs = parkwatt(*said, "--verdict", "replacement", status=1)
    assert "needs the old register's final" in needs.stderr
    parkwatt(*said, "--verdict", "replacement", "--final", "511", "--initial", "1")
    assert energy() == 15.0
    assert "replacement" in parkwatt("events", "--park", "p", *DAYS).stdout
    parkwatt(*said, "--verdict", "rule")
    assert energy() == 13.0
    parkwatt("plate", *of_meter, "--fall", "restart", "--source", "manual")
    assert energy() == 15.0
    parkwatt("plate", *of_meter, "--rated", "5", "--source", "plate")
    assert energy() == 5.0  # 10 kWh in an hour are more than 5 kW allow
    at = ("--at", "2026-03-01T01:10:00+08:00", "--verdict", "real")
    assert "was not read" in parkwatt("judge", *of_meter, *signed, *at, status=1).stderr


def test_a_grid_meter_counts_for_the_park_alone(parkwatt: Run) -> None:
    parkwatt("migrate")
    for enterprise, meter in (("op", "G"), ("a", "M")):
        parkwatt(
            "register", "--park", "p", "--enterprise", enterprise, "--meter", meter
        )
    lines = [
        f"p,{owner},{meter},energy_import,2026-03-01T0{hour}:00:00+08:00,{used * hour}"
        for owner, meter, used in (("op", "G", 10), ("a", "M", 6))
        for hour in range(3)
    ]
    head = "park,enterprise,meter,quantity,at,value"
    parkwatt("import", parkwatt.file("r.csv", "\n".join([head, *lines])))
    of_day = ("--since", "2026-01-01", "--source", "plan")
    place = ("place", "--park", "p", *of_day)
    parkwatt(*place, "--enterprise", "op", "--meter", "G", "--role", "park")
    parkwatt(*place, "--enterprise", "a", "--meter", "M", "--above", "op/G")
    parkwatt("analyse", "--once")

    def energy(*of: str) -> float:
        asked = parkwatt("figures", "--park", "p", *of, *DAYS, "--json")
        return float(json.loads(asked.stdout)["energy_kwh"])

    assert (energy(), energy("--enterprise", "a")) == (20.0, 12.0)
    plate = ("plate", "--park", "p", "--class", "1", "--source", "plate")
    for owner, meter in (("op", "G"), ("a", "M")):
        parkwatt(*plate, "--enterprise", owner, "--meter", meter)
    parkwatt("analyse", "--once")
    shown = parkwatt("balance", "--park", "p", *DAYS).stdout
    assert "op/G" in shown
    assert "unknown" in shown  # two of 24 hours
    above = parkwatt(
        *place, "--enterprise", "op", "--meter", "G", "--above", "a/M", status=1
    )
    assert "stands below this one" in above.stderr


def test_a_virtual_meter_and_a_rule_of_demand(parkwatt: Run) -> None:
    head = "park,enterprise,meter,quantity,at,value"
    lines = [
        f"p,e1,{meter},energy_import,2026-03-01T{n // 4:02}:{n % 4 * 15:02}:00+08:00,{kwh}"
        for meter, used in (("M1", 3.0), ("M2", 1.0))
        for n in range(9)
        for kwh in [used * n + (5.0 if n > 2 else 0.0)]
    ]
    file = parkwatt.file("r.csv", "\n".join([head, *lines]))
    parkwatt("import", file, "--create")
    of = ("--park", "p", "--enterprise", "e1", "--source", "plan")
    formula = ("--formula", "e1/M1 - 0.5 e1/M2")
    parkwatt("virtual", "set", *of, "--meter", "V", *formula)
    parkwatt("analyse", "--once")

    def found(*of_what: str) -> dict[str, object]:
        asked = parkwatt("figures", "--park", "p", *of_what, *DAYS, "--json")
        return json.loads(asked.stdout)  # type: ignore[no-any-return]

    # by hand: 29 kWh of the one, half of 13 kWh of the other
    assert found("--meter", "V")["energy_kwh"] == 29 - 6.5
    assert "e1/M1 - 0.5 e1/M2" in parkwatt("virtual", "list", "--park", "p").stdout
    wrong = parkwatt(
        "virtual", "set", *of, "--meter", "V", "--formula", "e1/V", status=1
    )
    assert "rests on this meter itself" in wrong.stderr
    rule = ("--window", "60", "--method", "fixed", "--from", "2026-03-01")
    parkwatt("demand-rule", *of, *rule)
    parkwatt("analyse", "--once")
    # four quarters of 4 kWh, and 10 kWh more in one of the first hour's
    hourly = found("--enterprise", "e1")
    assert (hourly["demand_method"], hourly["peak_demand_kw"]) == ("demand_fixed60", 26)


def test_a_register_rolls_over_at_the_digits_stated(parkwatt: Run) -> None:
    rows = "".join(
        f"p,e1,M1,energy_import_kwh,2026-03-01T00:{minute}:00+08:00,{value}\n"
        for minute, value in (("00", 9990), ("15", 9999), ("30", 3), ("45", 8))
    )
    file = parkwatt.file("readings.csv", HEADER + rows)
    parkwatt("import", file, "--create")
    asked = ("figures", "--park", "p", *DAYS, "--json")
    assert json.loads(parkwatt(*asked).stdout)["energy_kwh"] == 9 + 5
    of_meter = ("--park", "p", "--meter", "M1", "--source", "plate")
    assert (
        "no register"
        in parkwatt(
            "digits", *of_meter, "--digits", "4", "--quantity", "power", status=1
        ).stderr
    )
    parkwatt("digits", *of_meter, "--digits", "4")
    parkwatt("analyse", "--once")
    assert json.loads(parkwatt(*asked).stdout)["energy_kwh"] == 9 + 4 + 5


def test_a_meter_counts_from_the_day_stated(parkwatt: Run) -> None:
    file = parkwatt.file("readings.csv", HEADER + ROWS)
    parkwatt("register", "--park", "p", "--enterprise", "e1")
    for meter, since in (("M1", "2026-02-01"), ("M2", "2026-03-05")):
        named = ("--park", "p", "--enterprise", "e1", "--meter", meter)
        parkwatt("register", *named, "--since", since)
    parkwatt("import", file, status=1)  # it names an enterprise that is unknown
    found = json.loads(parkwatt("figures", "--park", "p", *DAYS, "--json").stdout)
    assert found["series"][0]["expected_s"] == 86400


def test_a_taken_port_is_told_before_anything_starts(parkwatt: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = parkwatt("up", status=1, PARKWATT_API_PORT=port)
    assert f"127.0.0.1:{port}" in done.stderr
    assert not (parkwatt.folder / "home" / "log").exists()


def test_bad_rows_are_named_and_good_ones_stored(parkwatt: Run) -> None:
    rows = [
        "p,e1,M1,energy_import_kwh,2026-03-01T00:45:00+08:00,140",
        "p,e1,M1,energy_import_kwh,2026-03-01T00:45:00,140",
        "p,e1,M1,energy_import_kwh,2026-03-01T00:45:00+08:00,NaN",
        "p,e1,M1,energy_import_kwh,2026-03-01T00:45:00+08:00,1;5",
        "p,e1,M1,colour,2026-03-01T00:45:00+08:00,1",
        "p,nobody,M1,power_kw,2026-03-01T00:45:00+08:00,1",
        "p,,M1,power_kw,2026-03-01T00:45:00+08:00,1",
        "p,e1",
    ]
    parkwatt("import", parkwatt.file("r.csv", HEADER + ROWS), "--create")
    file = parkwatt.file("bad.csv", HEADER + "\n".join(rows) + "\n")
    done = parkwatt("import", file, status=1)
    assert "1 inserted, 0 duplicate, 0 conflict, 7 quarantined" in done.stdout
    for line, words in (
        (3, "has no zone"),
        (4, "'NaN' is not a number"),
        (5, "'1;5' is not a number"),
        (6, "unknown quantity 'colour'"),
        (7, "unknown enterprise 'nobody'"),
        (8, "enterprise code ''"),
        (9, "meter code ''"),
    ):
        assert any(
            row.startswith(f"line {line}:") and words in row
            for row in done.stderr.splitlines()
        ), (line, words)


def test_a_second_value_of_a_key_is_a_conflict(parkwatt: Run) -> None:
    parkwatt("import", parkwatt.file("r.csv", HEADER + ROWS), "--create")
    other = HEADER + "p,e1,M1,energy_import_kwh,2026-03-01T00:00:00+08:00,101\n"
    done = parkwatt("import", parkwatt.file("c.csv", other), status=1)
    assert "0 inserted, 0 duplicate, 1 conflict" in done.stdout


def test_payload_needs_neither_broker_nor_database(parkwatt: Run) -> None:
    nowhere = "postgresql://127.0.0.1:1/none"
    message = b'{"at": "2026-11-23T10:15:00+08:00", "power_kw": 83.2}'
    done = parkwatt(
        "payload",
        "parkwatt/v1/p/e/M1/readings",
        parkwatt.file("m.json", message),
        PARKWATT_DATABASE_URL=nowhere,
    )
    assert "83.2" in done.stdout
    done = parkwatt("payload", "hall/dtu-7/up", parkwatt.file("m.json", message))
    assert "read by flat/1" in done.stdout
    assert "of no enterprise" in done.stdout


def test_an_unknown_device_becomes_readable_in_a_minute(parkwatt: Run) -> None:
    parkwatt("migrate")
    parkwatt("register", "--park", "p", "--enterprise", "e1")
    files = [
        parkwatt.file(f"{n}.json", f'{{"ts": {1772323200 + n}, "[/EP]": 1, "EP": {n}}}')
        for n in range(2)
    ]
    topic = "factory/a/dtu-0071/up"
    done = parkwatt("payload", topic, *files, status=1)
    assert "a draft for" in done.stdout
    assert "it only grows" in done.stdout
    draft = json.loads(parkwatt("payload", topic, *files, "--json", status=1).stdout)
    text = draft["proposal"].replace("PARK", "p").replace("ENTERPRISE", "e1")
    file = parkwatt.file("dtu.yaml", text)
    tried = parkwatt("payload", topic, *files, "--mapping", file)
    assert "read by mapping/factory.a.dtu-0071" in tried.stdout
    added = parkwatt("mapping", "add", file, "--source", "plate")
    assert "factory/a/{meter}/up → p/e1" in added.stdout
    assert "factory.a.dtu-0071" in parkwatt("mapping", "list").stdout
    assert "0 of 0 messages" in parkwatt("retry").stdout
    parkwatt("mapping", "end", "factory.a.dtu-0071")
    assert (
        "mapping 'factory.a.dtu-0071'"
        in parkwatt("mapping", "end", "factory.a.dtu-0071", status=1).stderr
    )
    wrong = parkwatt.file("wrong.yaml", text.replace("park: p", "park: nowhere"))
    assert (
        "park 'nowhere'"
        in parkwatt("mapping", "add", wrong, "--source", "x", status=1).stderr
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("figures", "--park", "nowhere", *DAYS),
            "There is no such thing: park 'nowhere'",
        ),
        (
            ("figures", "--park", "p", "--from", "2026-03-02", "--to", "2026-03-01"),
            "is empty",
        ),
        (("figures", "--park", "p", *DAYS, "--grain", "week"), "none of 15min, day"),
        (("figures", "--park", "p", *DAYS, "--as-known-on", "soon"), "is no date"),
        (("import", "missing.csv"), "No such file"),
        (("payload", "t", "missing.json"), "No such file"),
        (("replay", "missing.csv", "--csv", "out.csv"), "missing.csv"),
        (("dashboards", "push"), "GRAFANA"),
        (("simulate",), "no broker is running"),
        (("register", "--park", "a b"), "code 'a b'"),
        (("register", "--park", "q", "--zone", "Mars/X"), "no IANA time zone"),
    ],
)
def test_errors_are_one_line(
    parkwatt: Run, arguments: tuple[str, ...], words: str
) -> None:
    parkwatt("register", "--park", "p")
    done = parkwatt(*arguments, status=1)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("parkwatt: ")
    assert words in last
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away(parkwatt: Run) -> None:
    done = parkwatt(
        "figures",
        "--park",
        "p",
        *DAYS,
        status=1,
        PARKWATT_DATABASE_URL=f"postgresql://x@127.0.0.1:{free_port()}/x",
    )
    assert "cannot be reached; see `parkwatt doctor`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_tariffs_and_bills(parkwatt: Run) -> None:
    """15 days at 4 kWh each quarter hour, as someone types it; [x] in names stays text."""
    rows = "".join(
        f"p,e1,M1,energy_import,2026-06-{day:02}T00:00:00+08:00,{384 * (day - 1)}\n"
        for day in range(1, 17)
    )
    parkwatt("import", parkwatt.file("r.csv", HEADER + rows), "--create")
    tariff = """
code: MINE
name: "ours [bold]"
valid_from: 2026-01-01
source: "=1+1 [red]"
energy_cny_per_kwh: [{name: "[b]energy", price: 0.5}]
seasons:
  - {months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], ratio: {flat: 1.0}, hours: {flat: ["00:00-24:00"]}}
basic: {capacity_cny_per_kva: 26.0}
"""
    parkwatt("tariff", "add", parkwatt.file("t.yaml", tariff))
    listed = parkwatt("tariff", "list").stdout
    assert "ours [bold]" in listed
    assert "=1+1 [red]" in listed
    whose = ("--park", "p", "--enterprise", "e1")
    of = (*whose, "--tariff", "MINE", "--from", "2026-06-01", "--source", "contract")
    june = ("--from", "2026-06-01", "--to", "2026-07-01")
    for wrong, words in (
        (("--method", "guess"), "none of capacity"),
        (("--method", "capacity"), "needs the capacity"),
        (("--method", "none", "--standard", "0.95"), "none of 0.90, 0.85 and 0.80"),
        (("--method", "none", "--to", "2026-06-01"), "are none"),
    ):
        done = parkwatt("billing", *of, *wrong, status=1)
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    until = ("--to", "2026-06-16")
    parkwatt("billing", *of, "--method", "capacity", "--capacity", "100", *until)
    said = json.loads(parkwatt("bill", *whose, *june, "--json").stdout)["bills"][0]
    # of the last 15 days nothing says how they are billed: lines, but no total
    assert said["days_without_terms"]
    assert said["total_cny"] is None
    assert [(e["kind"], e["quantity"], e["amount_cny"]) for e in said["lines"]] == [
        ("energy", 5760.0, 2880.0),
        ("basic", 50.0, 1300.0),
    ]
    shown = parkwatt("bill", *whose, *june).stdout
    assert "[b]energy 0.5" in shown
    done = parkwatt("bill", *whose, *june, "--method", "guess", status=1)
    assert "none of capacity" in done.stderr


def test_a_setting_that_cannot_be(parkwatt: Run) -> None:
    done = parkwatt("doctor", status=1, PARKWATT_API_PORT="many")
    assert "PARKWATT_API_PORT" in done.stderr


def test_doctor_says_what_is_missing(parkwatt: Run) -> None:
    done = parkwatt("doctor", status=1)
    assert "answers" in done.stdout
    assert "up to date" in done.stdout
    assert "broker" in done.stdout
    assert "run `parkwatt up`" in done.stdout


def test_a_dry_run_and_a_report(parkwatt: Run) -> None:
    rows = ROWS + "p,e1,M1,energy_import_kwh,2026-03-01T00:00,1\n"
    file = parkwatt.file("r.csv", HEADER + rows)
    asked = ("import", file, "--create", "--report", "out.csv")
    done = parkwatt(*asked, "--dry-run", status=1)
    assert "5 new, 0 duplicate, 0 conflict, 1 refused; nothing is stored" in done.stdout
    assert "There is no such thing" in parkwatt(
        "figures", "--park", "p", *DAYS, status=1
    ).stderr.replace("\n", "")
    done = parkwatt(*asked, "--zone", "Asia/Shanghai", status=1)
    assert "5 inserted, 0 duplicate, 1 conflict, 0 quarantined" in done.stdout
    told = (parkwatt.folder / "out.csv").read_text("utf-8").splitlines()
    assert told[-1] == "7,conflict,another value is stored,100.0"
    assert len(told) == 7


def test_a_conflict_is_listed_and_settled(parkwatt: Run) -> None:
    parkwatt("import", parkwatt.file("r.csv", HEADER + ROWS), "--create")
    asked = ("figures", "--park", "p", "--enterprise", "e1", *DAYS, "--json")
    assert json.loads(parkwatt(*asked).stdout)["energy_kwh"] == 35.5
    other = HEADER + "p,e1,M1,energy_import_kwh,2026-03-01T00:30:00+08:00,140\n"
    parkwatt("import", parkwatt.file("c.csv", other), status=1)
    assert "135.5" in parkwatt("conflicts", "--park", "p").stdout
    found = json.loads(parkwatt("conflicts", "--park", "p", "--json").stdout)
    signed = ("--park", "p", "--who", "Reader One", "--why", "seen at the meter")
    number = str(found[0]["conflict_id"])
    done = parkwatt("revise", *signed, "--conflict", number)
    assert "135.5 kwh → 140 kwh" in done.stdout
    assert "no conflicts" in parkwatt("conflicts", "--park", "p").stdout
    parkwatt("analyse", "--once")
    assert json.loads(parkwatt(*asked).stdout)["energy_kwh"] == 40
    place = ("--enterprise", "e1", "--meter", "M1", "--at", "2026-03-01T00:30:00+08:00")
    done = parkwatt("revise", *signed, *place, "--strike")
    assert "struck out" in done.stdout
    parkwatt("analyse", "--once")
    assert json.loads(parkwatt(*asked).stdout)["energy_kwh"] == 10
    for arguments, words in (
        (("--strike",), "no reading at"),
        (("--value", "1,5"), "without commas"),
        (("--value", "1", "--strike"), "either --value or --strike"),
        ((), "either --value or --strike"),
        (("--value", "1", "--quantity", "colour"), "unknown quantity 'colour'"),
        (("--conflict", "1"), "stands alone"),
    ):
        done = parkwatt("revise", *signed, *place, *arguments, status=1)
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_accounts_with_what_people_state(parkwatt: Run) -> None:
    """Diesel of which no meter knows, an own heat factor, power with certificates."""
    rows = "".join(
        f"p,e1,M1,energy_import_kwh,2026-0{month}-01T00:00:00+08:00,{register}\n"
        for month, register in ((1, 0), (2, 5000), (3, 9000))
    )
    file = parkwatt.file("readings.csv", HEADER + rows)
    parkwatt("import", file, "--create", "--region", "CN-JS", "--zone", "Asia/Shanghai")
    said = ("--source", "invoice 7", "--who", "Metering office")
    where = ("--park", "p", "--enterprise", "e1", "--month", "2026-01")
    diesel = ("--item", "diesel", "--use", "burnt", "--unit", "kg")
    stated = ("activity", "add", *where, *diesel, "--amount", "1000", *said)
    assert "recorded" in parkwatt(*stated).stdout
    assert "known already" in parkwatt(*stated).stdout
    wrong = parkwatt(*stated[:-4], "--source", " ", "--who", "x", status=1)
    assert "needs a source" in wrong.stderr
    head = "enterprise,month,item,use,amount,unit,source,beside\n"
    bad = "e1,2026-02,diesel,burnt,many,t,x,\ne9,2026-02,coke,burnt,1,t,x,\n"
    good = "e1,2026-02,naphtha,feedstock,5,t,x,yes\n"
    taking = ("activity", "import", "--park", "p", "--who", "Metering office")
    done = parkwatt(*taking, parkwatt.file("bad.csv", head + good + bad), status=1)
    assert "row 3: amount 'many' is no number" in done.stderr
    assert "row 4: enterprise 'e9' is unknown" in done.stderr
    file = parkwatt.file("good.csv", head + good)
    assert "1 new, 0 known" in parkwatt(*taking, file).stdout
    assert "0 new, 1 known" in parkwatt(*taking, file).stdout
    months = ("--from", "2026-01-01", "--to", "2026-03-01")
    assert "1.000 t" in parkwatt("activity", "list", "--park", "p", *months).stdout
    assert "clinker" in parkwatt("activity", "items").stdout
    assert "zero_carbon_park" in parkwatt("factor", "methods").stdout
    ncv = ("--carrier", "diesel", "--ncv", "43", "--from", "2026-01-01", *said)
    done = parkwatt("factor", "add", "--park", "p", *ncv)
    assert "net_calorific/p/diesel/2026-01-01" in done.stdout
    assert "43 GJ" not in parkwatt("factor", "list", "--carrier", "diesel").stdout
    assert "kgce/kg" in parkwatt("factor", "list", "--park", "p").stdout
    batch = ("--park", "p", "--kind", "certificate", "--reference", "GEC-1")
    made = ("--month", "2026-01", "--mwh", "6", "--technology", "wind")
    parkwatt("green", "add", *batch, *made, "--evidence", "no. 1 to 6", *said)
    match = ["green", "match", *batch, "--enterprise", "e1", "--produced", "2026-01"]
    match += ["--month", "2026-02", *said]
    assert "more than" in parkwatt(*match, "--mwh", "5", status=1).stderr
    parkwatt(*match, "--mwh", "3")
    assert "held" in parkwatt("green", "list", "--park", "p").stdout
    found = json.loads(parkwatt("accounts", "--park", "p", *months, "--json").stdout)
    by = {each["method"]: each for each in found["totals"]}
    # 43 x 20.2e-3 x 0.98 x 44/12 = 3.12117; 6 of 9 MWh from the grid
    for method, power_t in (
        ("enterprise", 6 * 0.5306),
        ("location_region", 9 * 0.5827),
    ):
        assert by[method]["park"] == pytest.approx(3.12117 + power_t, abs=1e-5)
        assert by[method]["difference"] == pytest.approx(0)
    shown = parkwatt("accounts", "--park", "p", *months, "--enterprise", "e1").stdout
    assert f"{3.12117 + 6 * 0.5306:.3f}" in shown


def test_explain_close_and_verify(parkwatt: Run) -> None:
    rows = "".join(
        f"p,e1,M1,energy_import_kwh,2026-0{month}-01T00:00:00+08:00,{month * 100}\n"
        for month in (2, 3)
    )
    parkwatt("import", parkwatt.file("r.csv", HEADER + rows), "--create")
    month = ("--park", "p", "--from", "2026-02-01", "--to", "2026-03-01")
    told = parkwatt("explain", "tce.calorific", *month).stdout
    assert "tce.calorific = 0.012290 tce" in told  # 100 kWh x 0.1229
    assert "0.1229 kgce/kWh" in told
    assert "energy_import" in told
    wrong = parkwatt("explain", "tce", *month, status=1).stderr
    assert "tce.calorific" in wrong
    since = parkwatt("explain", "energy_kwh", *month, "--compare-with", "2026-01-01")
    assert "unknown → 100.000000 kWh" in since.stdout

    done = parkwatt("close", *month, "--who", "Auditor One").stdout
    sha256 = done.split()[-1]
    assert sha256 in parkwatt("closings", "--park", "p", "--verify").stdout
    text = parkwatt("closings", "--park", "p", "--content", "1").stdout
    assert hashlib.sha256(text.encode()).hexdigest() == sha256
    assert "closed already" in parkwatt("close", *month, "--who", "A", status=1).stderr
    late = "p,e1,M1,energy_import_kwh,2026-02-15T00:00:00+08:00,150\n"
    parkwatt("import", parkwatt.file("l.csv", HEADER + late))
    found = parkwatt("closings", "--park", "p", "--check", "--json").stdout
    assert json.loads(found)["closings"][0]["restatements"] == []  # the sum is the same
    fixed = ("--enterprise", "e1", "--meter", "M1", "--quantity", "energy_import")
    parkwatt(
        *("revise", "--park", "p", *fixed, "--at", "2026-03-01T00:00:00+08:00"),
        *("--value", "310", "--who", "Reader One", "--why", "read again"),
    )
    parkwatt("analyse", "--once")
    found = parkwatt("closings", "--park", "p", "--json").stdout
    (restated,) = json.loads(found)["closings"][0]["restatements"]
    changes = {
        each["figure"]: each["change"]
        for each in restated["differences"]
        if each["subject"] == "e1"
    }
    assert changes["amounts.energy_import"] == pytest.approx(10.0)
    grounds = {each["table"]: each for each in restated["rows"]}
    assert grounds["revision"]["who"] == "Reader One"
    assert grounds["batch"]["what"].startswith("energy_import: 1 readings")
