"""The commands as a person types them: answers, and one line when something is wrong."""

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from simulators import scenario, truth
from simulators.world import World
from store.processes import free_port
from tests.system.conftest import HEADER, ROWS, Run

pytestmark = pytest.mark.db


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


SMALL = {
    "code": "S",
    "name": "Small",
    "since": "2026-02-28",
    "contract_demand_kw": 900,
    "enterprises": [{"archetype": "offices", "carriers": []}],
    "park": {"feeders": 0},
    "factors": {"electricity": {"value": 0.5, "unit": "kgCO2/kWh", "source": "test"}},
}
FROM = ("--start", "2026-03-01")
TILL = (*FROM, "--until", "2026-03-02")


def test_options_that_a_run_would_not_heed(parkwatt: Run) -> None:
    """They are refused before a broker is looked for."""
    small = parkwatt.file("small.yaml", json.dumps(SMALL))
    short = ("--until", "2026-03-01T00:10:00", "--truth", "t.parquet")
    for words, said in (
        (("--rate", "100", *FROM, "--truth", "t.parquet"), "does not heed --truth"),
        (("--rate", "100", *TILL), "a load (--rate) does not heed --until"),
        (("--rate", "100"), "a load needs --start"),
        (("--rate", "100", *FROM, "--faults", "mixed"), "add --faults none"),
        (("--until", "2026-03-02"), "--until needs --start"),
        (
            (*TILL, "--control", "9111", "--view", "--speed", "5"),
            "does not heed --speed, --control, --view: leave it out",
        ),
        ((*FROM, "--seconds", "5"), "does not heed --seconds"),
        ((*FROM, *short), "whole quarters of an hour, and none lies between"),
        ((*TILL, "--truth", "none/t.parquet"), "there is no folder none"),
        # what is heeded is not refused
        ((*TILL, "--cadence", "60", "--faults", "mixed"), "no broker is running"),
        (("--rate", "9", *FROM, "--connections", "2"), "no broker is running"),
    ):
        done = parkwatt("simulate", small, *words, status=1)
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_counts_from_before_that_are_not_there(parkwatt: Run) -> None:
    file = parkwatt.folder / "t.parquet"
    world = World(scenario.read(SMALL))
    start = datetime(2026, 3, 1, tzinfo=UTC)
    truth.write(file, world, start, start + timedelta(hours=1), minutes=False)
    for words in ("No such file", "is no answer of"):
        done = parkwatt("score", str(file), "--before", "before.json", status=1)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        parkwatt.file("before.json", "{}")


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
