"""The commands by which people state things, and what follows from it."""

import hashlib
import json
from pathlib import Path

import pytest

from store import membership, registry
from store.database import connect
from tests.system.conftest import HEADER, ROWS, Run

pytestmark = pytest.mark.db

DAYS = ("--from", "2026-03-01", "--to", "2026-03-02")


def test_statements_intensity_and_targets(
    parkwatt: Run, timescale_database: str
) -> None:
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
    parkwatt("owner", *who, "--enterprise", "e1", "--name", "Group One")
    with connect(timescale_database) as conn:
        held = membership.owners(conn, registry.park(conn, "p").park_id)
    assert [each.owner for each in held] == ["Group One"]
    parkwatt("owner", *who, "--enterprise", "e1")
    with connect(timescale_database) as conn:
        assert not membership.owners(conn, registry.park(conn, "p").park_id)
    asked = ("--park", "p", "--enterprise", "e1", "--as-known-on", "2026-02-01")
    quarter = json.loads(parkwatt("benchmark", *asked).stdout)
    assert (quarter["year"], quarter["rows"][0]["band"]) == (2025, "no_figure")
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
