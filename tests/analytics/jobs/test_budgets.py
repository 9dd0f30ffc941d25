"""How the targets of a year go; numbers by hand."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics.jobs import ledger
from analytics.jobs.budgets import budgets
from store import registry, targets
from store.database import Connection, connect
from store.errors import Invalid
from store.targets import NewTarget
from tests.analytics.jobs.conftest import Monthly
from tests.analytics.jobs.test_intensity import MWH, say

pytestmark = pytest.mark.db

NOW = datetime(2024, 7, 15, tzinfo=UTC)


def put(conn: Connection, code: str | None, kind: str, value: Any, **more: Any) -> bool:
    row: dict[str, Any] = {
        "subject_id": registry.subject(conn, "P", code).subject_id,
        "kind": kind,
        "method": "calorific" if kind.startswith("energy") else None,
        "year": 2024,
        "value": value,
        "source": "notice",
        "who": "Clerk One",
    }
    return targets.set_target(conn, NewTarget(**(row | more)))


def go(conn: Connection, code: str | None = "A", **more: Any) -> Any:
    options: dict[str, Any] = {"now": NOW} | more
    found = budgets(conn, registry.subject(conn, "P", code), 2024, **options)
    assert found["months_over"] == 6
    return {each["kind"]: each for each in found["rows"]}


def test_pace_year_end_and_the_day_it_is_spent(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    used = {"energy_import": [1000 * MWH] * 6, "water": [50.0] * 6}
    park.add("A", used, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        assert put(conn, "A", "energy", 1200.0)
        assert not put(conn, "A", "energy", 1200.0)
        put(conn, "A", "water", 700.0)
        found = go(conn)
        energy = found["energy"]["outlook"]
        assert energy["used"] == pytest.approx(737.4)  # 6 x 122.9
        assert energy["left"] == pytest.approx(462.6)
        # the half year has 182 of 366 days
        assert energy["ahead_of_pace"] == pytest.approx(737.4 - 1200 * 182 / 366)
        assert energy["pace"][-1] == pytest.approx(1200)
        assert energy["year_end"] == pytest.approx(737.4 * 366 / 182)
        # 1200 / 737.4 x 182 = 296.2 days: 22 days after September
        assert energy["spent_on"] == "2024-10-23"
        assert (energy["method"], energy["year_end_low"]) == ("uniform", None)
        assert energy["publishable"]
        water = found["water"]["outlook"]
        assert water["used"] == pytest.approx(300)
        assert water["spent_on"] is None  # 603 at the end of the year
        assert put(conn, "A", "water", None)
        assert list(go(conn)) == ["energy"]
        early = datetime.now(UTC)
        put(conn, "A", "energy", 1500.0)
        assert go(conn, known_on=None)["energy"]["value"] == 1500
        rows = budgets(
            conn, registry.subject(conn, "P", "A"), 2024, known_on=early, now=NOW
        )["rows"]
        assert [each["value"] for each in rows] == [1200]
        with pytest.raises(Invalid, match="pace"):
            go(conn, pace="fast")


def test_a_budget_of_water_rests_on_the_coverage_of_water(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    year = [1000 * MWH] * 12
    park.add("A", {"energy_import": year + year[:6]}, 2023)
    # the register comes in the last month of the year before, and is silent in May
    months = [None] * 11 + [50.0] * 5 + [None]
    park.add("A", {"water": months}, 2023, meter="W")
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        put(conn, "A", "water", 700.0)
        outlook = go(conn)["water"]["outlook"]
        assert outlook["months"] == [50.0] * 4 + [None] * 2
        assert (outlook["coverage"], outlook["publishable"]) == (0, False)
        assert outlook["year_end"] is None
        assert outlook["history_years"] == 0  # one month is no year
        for month, amount in (("05", 60), ("06", 40)):
            say(conn, "A", "fresh_water", f"2024-{month}", amount)
        outlook = go(conn)["water"]["outlook"]
        assert outlook["used"] == pytest.approx(4 * 50 + 60 + 40)
        assert (outlook["coverage"], outlook["publishable"]) == (1, True)
        # 300 in 182 of 366 days
        assert outlook["year_end"] == pytest.approx(300 * 366 / 182)


def test_what_is_left_out_is_itemised(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    used = {"energy_import": [1000 * MWH] * 6, "pv_generation": [100 * MWH] * 6}
    park.add("A", used, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        put(conn, "A", "energy", 1200.0, excluded=("feedstock", "renewable"))
        for month in (1, 2):
            say(conn, "A", "feedstock_energy", f"2024-{month:02}", 20, unit="tce")
        outlook = go(conn)["energy"]["outlook"]
        # 1 100 MWh a month are 135.19 tce, of which 12.29 is own photovoltaic
        assert outlook["left_out"]["renewable"]["sum"] == pytest.approx(6 * 12.29)
        assert outlook["left_out"]["feedstock"]["sum"] == pytest.approx(40)
        assert outlook["left_out"]["feedstock"]["months"][2:] == [None] * 4
        assert outlook["used"] == pytest.approx(6 * 122.9 - 40)
        for kind, wrong in (
            ("energy", {"excluded": ("coal",)}),
            ("energy", {"method": None}),
            ("water", {"method": "calorific"}),
            ("gold", {}),
        ):
            with pytest.raises(Invalid):
                put(conn, "A", kind, 1.0, **wrong)


def test_proven_green_power_is_left_out(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    used = {
        "energy_import": [1000 * MWH] * 6,
        "pv_generation": [100 * MWH] * 6,
        "energy_export": [40 * MWH] * 6,
    }
    park.add("A", used, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        put(conn, "A", "energy", 1200.0, excluded=("renewable",))
        put(conn, None, "energy", 1200.0, excluded=("renewable",))
        january, february = date(2024, 1, 1), date(2024, 2, 1)
        said: dict[str, Any] = {"source": "notice", "who": "Clerk One"}
        of: dict[str, Any] = {"kind": "certificate", "reference": "GEC-1", **said}
        ledger.record(
            conn,
            park.park,
            production_month=january,
            mwh=300,
            technology="wind",
            evidence="certificates 1 to 300",
            **of,
        )
        ledger.match(
            conn,
            park.park,
            "A",
            production_month=january,
            month=february,
            mwh=300,
            **of,
        )
        for code in ("A", None):
            outlook = go(conn, code)["energy"]["outlook"]
            months = outlook["left_out"]["renewable"]["months"]
            # 60 MWh stay each month, and in February 300 more are proven
            assert months[0] == pytest.approx(60 * 0.1229)
            assert months[1] == pytest.approx(360 * 0.1229)
            assert outlook["used"] == pytest.approx(6 * 1060 * 0.1229 - 660 * 0.1229)


def test_own_power_that_its_record_proves_is_left_out(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    used = {"energy_import": [1000 * MWH] * 6}
    park.add("A", used, 2024)
    park.add("B", used | {"pv_generation": [100 * MWH] * 6}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        said: dict[str, Any] = {"source": "notice", "who": "Clerk One", "mwh": 60}
        of: dict[str, Any] = {"kind": "self_use", "reference": "PV", **said}
        month = date(2024, 1, 1)
        of["production_month"] = month
        ledger.record(conn, park.park, technology="solar", evidence="log", **of)
        ledger.match(conn, park.park, "A", month=month, **of)
        for code, january in (("A", 60), (None, 160)):
            put(conn, code, "energy", 1200.0, excluded=("renewable",))
            outlook = go(conn, code)["energy"]["outlook"]
            months = outlook["left_out"]["renewable"]["months"]
            assert months[0] == pytest.approx(january * 0.1229)
            taken = 6000 if code else 12_000
            assert outlook["used"] == pytest.approx(taken * 0.1229)


def test_earlier_years_give_a_band(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    months: list[float] = []
    for second in (1.0, 1.2, 1.1):
        months += [1000 * MWH] * 6 + [1000 * MWH * second] * 6
    park.add("A", {"energy_import": months + [1000 * MWH] * 6}, 2021)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        put(conn, "A", "energy", 1400.0)
        put(conn, None, "co2", 9999.0, method="location_national")
        outlook = go(conn)["energy"]["outlook"]
        assert (outlook["method"], outlook["history_years"]) == ("history_band", 3)
        # the year ended at 2.0, 2.2 and 2.1 times the half year
        wanted = 737.4 * (2.0 * 2.2 * 2.1) ** (1 / 3)
        assert outlook["year_end"] == pytest.approx(wanted)
        assert outlook["year_end_low"] < wanted < outlook["year_end_high"]
        assert outlook["spent_early"] <= outlook["spent_on"]
        assert outlook["spent_late"] is None  # at the low edge the year ends below it
        assert outlook["year_end_low"] < 1400
        assert outlook["publishable"]
        paced = go(conn, pace="history")["energy"]["outlook"]
        assert paced["pace_by"] == "history"
        # halves of 18 and 19.8 GWh
        assert paced["pace"][5] == pytest.approx(1400 * 18 / 37.8)
        park_row = go(conn, None)["co2"]["outlook"]
        assert park_row["used"] == pytest.approx(6000 * 0.5306)


def test_intensity_and_demand(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [1000 * MWH] * 6}, 2024)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        put(conn, "A", "energy_intensity", 1.3)
        put(conn, "A", "demand", 2000.0)
        assert go(conn)["energy_intensity"]["so_far"]["missing"] == ["A"]
        say(conn, "A", "added_value", "2024-H1", 600)
        found = go(conn)
        so_far = found["energy_intensity"]["so_far"]
        assert so_far["value"] == pytest.approx(737.4 / 600)
        assert so_far["left"] == pytest.approx(1.3 - 737.4 / 600)
        # a month of 29 days spread evenly
        peak = found["demand"]["so_far"]
        assert peak["value"] == pytest.approx(1000 * MWH / (29 * 24))
        assert peak["estimated"]
