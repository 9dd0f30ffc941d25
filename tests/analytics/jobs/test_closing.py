"""A closed period: an auditor's hash, restatements that are found once, no edits."""

import hashlib
import json
import math
import subprocess
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg
import pytest

from analytics.jobs import closing, factors, restatement
from analytics.jobs.book import load_book
from analytics.jobs.figures import figures
from analytics.jobs.watching import Watcher
from store import closings, registry, relations
from store.database import Connection, connect
from store.errors import Invalid
from store.factors import record_factors
from tests.analytics.jobs.conftest import turns
from tests.analytics.jobs.test_explaining import DAYS, YEAR, Lab, late
from tests.analytics.jobs.test_loads import DAY, QUARTER, Outlet

pytestmark = pytest.mark.db

CLOSES: dict[str, Any] = {"who": "Auditor One", "despite": "B was read late"}


def differences(found: closings.Restatement) -> dict[tuple[str, str], dict[str, Any]]:
    """Give the differences; of each the causes make up the whole of it."""
    told = {
        (each["subject"], each["figure"]): each
        for each in json.loads(found.content)["differences"]
    }
    for each in told.values():
        ends = [each["before"], *(cause["after"] for cause in each["causes"])]
        begins = [*(cause["before"] for cause in each["causes"]), each["after"]]
        assert ends == begins
        if None not in begins:
            moved = math.fsum(cause["change"] for cause in each["causes"])
            assert moved == pytest.approx(each["change"], rel=1e-12, abs=1e-12)
    return told


def numbers(found: closing.Figures) -> dict[tuple[str, str], float]:
    return {
        (code, name): np.nan if value is None else value
        for code, figures in found.items()
        for name, value in figures.items()
    }


def closed(lab: Lab, conn: Connection) -> closings.Closing:
    return closing.close(conn, lab.park, *DAYS, **CLOSES)


def test_an_auditor_recomputes_the_hash(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        made = closed(lab, conn)
        # by the tool an auditor has: the text alone
        found = subprocess.run(
            ["sha256sum"], input=made.content.encode(), capture_output=True, check=True
        )
        assert found.stdout.decode().split()[0] == made.sha256
        # and the text from its parts, as docs/audit.md says it
        told = json.loads(made.content)
        parts = json.dumps(
            told, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert parts == made.content
        # its figures are those that everybody sees, to the bit
        for code in (None, "A", "B"):
            shown = figures(conn, lab.of(conn, code), *DAYS)
            mine = told["figures"][code or ""]
            assert mine["amounts.energy_import"] == shown["energy_kwh"]
            assert mine["coverage.energy_import"] == shown["coverage"]
            for kind in ("tce", "co2_t"):
                for name, value in shown[kind].items():
                    assert mine[f"{kind}.{name}"] == value
                    ratio = shown["intensity"][f"{kind}_per_10k_cny"][name]
                    assert mine[f"{kind}_per_10k_cny.{name}"] == ratio
            assert shown["closing"]["sha256"] == made.sha256
            assert not shown["closing"]["restated"]
        used = {each["code"] for each in told["factors"].values()}
        assert {"grid_average/CN/2023", "zero_carbon_park/CN/2025"} & used
        assert list(closing.verify(conn, lab.park)) == []


def test_a_late_reading_becomes_one_restatement(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        made = closed(lab, conn)
        late(lab, conn)
        assert restatement.check(conn, lab.park) == []  # it waits for the job
        lab.compute()  # the analyse service finds it by itself
        (found,) = closings.restatements(conn, made.closing_id)
        moved = differences(found)
        one = moved["B", "amounts.energy_import"]
        moves = (one["before"], one["after"], one["change"])
        assert moves == pytest.approx((1000.0, 1500.0, 500.0))
        (cause,) = one["causes"]
        assert cause["kind"] == "readings"
        assert cause["change"] == one["change"]
        assert moved["", "co2_t.location_national"]["change"] == pytest.approx(0.26530)
        assert not [key for key in moved if key[0] == "A"]
        rows = json.loads(found.content)["rows"]
        assert [(each["enterprise"], each["why"]) for each in rows] == [
            ("B", "late courier")
        ]
        assert restatement.check(conn, lab.park) == []  # found once
        assert Watcher().look(conn) == 0
        # what was published stays, and says that it was restated: to B and the park alone
        (again,) = closings.closings(conn, lab.park.park_id)
        assert again == made
        for code, restated in ((None, True), ("A", False), ("B", True)):
            shown = figures(conn, lab.of(conn, code), *DAYS)
            assert shown["closing"]["restated"] is restated
        assert list(closing.verify(conn, lab.park)) == []


def test_restatements_chain_and_do_not_depend_on_the_order(
    timescale_database: str,
) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        made = closed(lab, conn)
        grid(conn, 0.54)
        assert Watcher().look(conn) == 1  # a factor marks nothing for the job
        late(lab, conn)
        lab.compute()
        one, two = closings.restatements(conn, made.closing_id)
        assert (one.previous, two.previous) == (made.sha256, one.sha256)
        assert {c["kind"] for d in differences(one).values() for c in d["causes"]} == {
            "factors"
        }
        assert {c["kind"] for d in differences(two).values() for c in d["causes"]} == {
            "readings"
        }
        ended = restatement.state(made, [one, two])
        assert ended["B"]["co2_t.location_national"] == pytest.approx(1.5 * 0.54)
        now = closing.figures_of(conn, load_book(conn, lab.park, *DAYS))
        assert numbers(now) == pytest.approx(numbers(ended), rel=1e-9, nan_ok=True)
        at_once = restatement.check(conn, lab.park)
        assert at_once == []
        # back to what it was: a further record, and never an edit
        grid(conn, 0.5306)
        (three,) = restatement.check(conn, lab.park)
        assert differences(three)["A", "co2_t.location_national"]["after"] == (
            pytest.approx(3.0 * 0.5306)
        )
        assert list(closing.verify(conn, lab.park)) == []


def test_both_orders_end_alike(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        made = closed(lab, conn)
        late(lab, conn)
        lab.compute()
        grid(conn, 0.54)
        restatement.check(conn, lab.park)
        found = closings.restatements(conn, made.closing_id)
        ended = restatement.state(made, found)
        assert len(found) == 2
        assert ended["B"]["co2_t.location_national"] == pytest.approx(1.5 * 0.54)
        assert ended["B"]["amounts.energy_import"] == pytest.approx(1500.0)
        now = closing.figures_of(conn, load_book(conn, lab.park, *DAYS))
        assert numbers(now) == pytest.approx(numbers(ended), rel=1e-9, nan_ok=True)


def grid(conn: Connection, value: float) -> None:
    (row,) = [e for e in factors.shipped() if e["code"] == "grid_average/CN/2023"]
    record_factors(conn, [row | {"value": value, "source": "corrigendum"}])


def test_what_cannot_be_closed_is_refused(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        with pytest.raises(Invalid, match=r"coverage below 95% in .*B energy_import"):
            closing.close(conn, lab.park, *DAYS, who="Auditor One")
        with pytest.raises(Invalid, match="not over"):
            closing.close(
                conn,
                lab.park,
                *DAYS,
                now=datetime(2025, 3, 31, 15, 59, tzinfo=UTC),
                **CLOSES,
            )
        with pytest.raises(Invalid, match="first day of a month"):
            closing.close(conn, lab.park, DAYS[0], date(2025, 1, 15), **CLOSES)
        late(lab, conn)
        with pytest.raises(Invalid, match="wait to be computed"):
            closed(lab, conn)
        lab.compute()
        made = closing.close(conn, lab.park, *DAYS, who="Auditor One")
        assert json.loads(made.content)["despite"] is None
        with pytest.raises(Invalid, match="closed already"):
            closed(lab, conn)
        months = [each.date() for each in turns(YEAR)]
        following = closing.close(conn, lab.park, *months[:2], who="Auditor One")
        assert following.previous == made.sha256


def test_a_closing_cannot_be_changed_and_tampering_is_found(
    timescale_database: str,
) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        made = closed(lab, conn)
        late(lab, conn)
        lab.compute()
        for table in ("closing", "restatement"):
            for statement in (
                f"UPDATE core.{table} SET content = content",
                f"DELETE FROM core.{table}",
                f"TRUNCATE core.{table} CASCADE",
            ):
                with pytest.raises(psycopg.Error, match="never changed"):
                    conn.execute(statement)
        # whoever owns the tables can put the rule aside, and is found out
        conn.execute("ALTER TABLE core.closing DISABLE TRIGGER never_changed")
        conn.execute("ALTER TABLE core.restatement DISABLE TRIGGER never_changed")
        forged = made.content.replace('"note":""', '"note":"all is well"')
        conn.execute("UPDATE core.closing SET content = %s", (forged,))
        (fault,) = closing.verify(conn, lab.park)
        assert fault == f"closing {made.closing_id}: its content has another hash"
        grid(conn, 0.54)
        assert Watcher().look(conn) == 0  # nothing is built on it
        # with a new hash it no longer fits what was chained to it
        conn.execute(
            "UPDATE core.closing SET sha256 = %s",
            (hashlib.sha256(forged.encode()).hexdigest(),),
        )
        (fault,) = closing.verify(conn, lab.park)
        assert "restatement" in fault
        conn.execute(
            "UPDATE core.closing SET content = %s, sha256 = %s, who = 'Somebody'",
            (made.content, made.sha256),
        )
        (fault,) = closing.verify(conn, lab.park)
        assert "who" in fault


def test_what_was_under_way_when_it_was_closed(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn, connect(lab.url) as other:
        grid(other, 0.54)  # recorded before the closing, seen after it
        made = closed(lab, conn)
        other.commit()
        (found,) = restatement.check(conn, lab.park)
        one = differences(found)["A", "co2_t.location_national"]
        assert one["before"] == pytest.approx(3.0 * 0.5306)
        assert one["change"] == pytest.approx(3.0 * 0.0094)
        assert [each["kind"] for each in one["causes"]] == ["under_way"]
        assert found.previous == made.sha256


def test_membership_changed_after_closing(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        made = closed(lab, conn)
        meter = registry.meters(conn, lab.park.park_id, "B")[0].meter_id
        relations.assign_meter(
            conn,
            meter,
            lab.of(conn, "A").subject_id,
            turns(YEAR)[1].astimezone(UTC),
            None,
            source="contract of sale",
        )
        lab.compute()
        (found,) = closings.restatements(conn, made.closing_id)
        moved = differences(found)
        assert moved["A", "amounts.energy_import"]["change"] == pytest.approx(500.0)
        assert moved["B", "amounts.energy_import"]["change"] == pytest.approx(-500.0)
        assert ("", "amounts.energy_import") not in moved  # the park has it all along
        assert "contract of sale" in found.content


@pytest.mark.parametrize(
    ("late_one", "before_kg"),
    [
        # 0.5 kg an hour: the concentration of 12 o'clock stands for three hours more,
        ("cod_concentration", 15 * 0.5),
        # the flow for a quarter hour
        ("wastewater_flow", 12.25 * 0.5),
    ],
)
def test_a_late_batch_of_a_monitor_restates_its_mass(
    timescale_database: str, late_one: str, before_kg: float
) -> None:
    outlet = Outlet(timescale_database)
    told = {"cod_concentration": 50.0, "wastewater_flow": 10.0}
    channels = {name: outlet.channel(name) for name in told}
    for name, value in told.items():
        # to 18 o'clock; of the late one to 12 o'clock
        many = dict.fromkeys(range(49 if name == late_one else 73), value)
        outlet.tell(channels[name], many, QUARTER)
    outlet.compute()
    with connect(outlet.url, autocommit=True) as conn:
        park = registry.park(conn, "p")
        made = closing.close(conn, park, DAY, date(2026, 4, 1), **CLOSES)
        # from 12:15 to 18 o'clock twice as much; nothing is told behind
        late = dict.fromkeys(range(49, 73), 2 * told[late_one])
        outlet.tell(channels[late_one], late, QUARTER)
        assert restatement.check(conn, park) == []  # it waits for the job
        outlet.compute()
        (found,) = closings.restatements(conn, made.closing_id)
        moved = differences(found)
        assert {name for _, name in moved} == {"amounts.cod", "coverage.cod"}
        kg = (before_kg, 12.25 * 0.5 + 5.75 * 1.0)
        for code in ("", "a"):
            one = moved[code, "amounts.cod"]
            assert (one["before"], one["after"]) == pytest.approx(kg)
            assert one["change"] == pytest.approx(kg[1] - kg[0])
            (cause,) = one["causes"]
            assert (cause["kind"], cause["change"]) == ("readings", one["change"])
        (row,) = json.loads(found.content)["rows"]
        assert row["what"] == f"{late_one}: 24 readings by test/1"
        assert (row["meter"], row["table"]) == ("Q", "batch")
        assert restatement.check(conn, park) == []  # found once
        assert closings.closings(conn, park.park_id) == [made]
        assert list(closing.verify(conn, park)) == []
