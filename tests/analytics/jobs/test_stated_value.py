"""One added value for all who ask: figures, closing, explanation, history and year."""

import json
from datetime import UTC, date, datetime

import pytest

from analytics.jobs import closing, intensities, yearly
from analytics.jobs.explaining import explain
from analytics.jobs.figures import figures
from analytics.jobs.grounds import load_grounds
from analytics.jobs.stated import exact, flow, index
from analytics.jobs.stated_value import added_values
from analytics.reconciling import Span
from store import registry, statements
from store.database import connect
from tests.analytics.jobs.conftest import Monthly
from tests.analytics.jobs.test_intensity import say

pytestmark = pytest.mark.db

FIRST_QUARTER = date(2023, 1, 1), date(2023, 4, 1)
# a final year of 100 above provisional quarters of 110 together
QUARTERS = (30.0, 30.0, 25.0, 25.0)
BY_HAND = 30.0 * 100.0 / 110.0  # 27.27


def test_all_give_the_reconciled_value_and_name_the_same_statements(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [1000.0] * 12}, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        for number, amount in enumerate(QUARTERS, 1):
            say(
                conn,
                "A",
                "added_value",
                f"2023-Q{number}",
                amount,
                stage="provisional",
            )
        say(conn, "A", "added_value", "2023", 100.0)
        subject = registry.subject(conn, "P", "A")
        ratios = figures(conn, subject, *FIRST_QUARTER)["intensity"]
        value = ratios["added_value_10k_cny"]
        assert value == pytest.approx(BY_HAND, rel=1e-12)
        assert ratios["added_value_provisional"]
        assert ratios["added_value_estimated"]
        # 3 000 kWh at 0.1229 kgce
        assert ratios["tce_per_10k_cny"]["calorific"] == pytest.approx(0.3687 / BY_HAND)
        ids = ratios["added_value_ids"]
        # each quarter decides on how the year is shared
        assert len(ids) == 5

        told = intensities.history(conn, subject, *FIRST_QUARTER, length="quarter")
        below = told["rows"][0]["per"]["added_value_10k_cny"]
        assert (below["amount"], below["statement_ids"]) == (value, ids)
        assert (below["provisional"], below["estimated"]) == (True, True)
        assert below["how"] == ["scaled"]

        why = explain(conn, subject, "added_value_10k_cny", *FIRST_QUARTER)
        assert why["value"] == value
        assert sorted(each["row_id"] for each in why["statements"]) == ids

        made = closing.close(conn, park.park, *FIRST_QUARTER, who="Auditor One")
        content = json.loads(made.content)
        for code in ("A", ""):
            assert content["figures"][code]["added_value_10k_cny"] == value
            stated = content["added_value_statements"][code]
            assert stated == {"ids": ids, "provisional": True}

        (year,) = yearly.added_values(
            conn, [subject.subject_id], 2023, prices="current"
        )
        assert year == 100.0
        # what is final of the year is so, whatever its quarters are
        whole = date(2023, 1, 1), date(2024, 1, 1)
        ratios = figures(conn, subject, *whole)["intensity"]
        assert ratios["added_value_10k_cny"] == 100.0
        assert not ratios["added_value_provisional"]
        assert not ratios["added_value_estimated"]
        told = intensities.history(conn, subject, *whole, length="year")
        assert not told["rows"][0]["per"]["added_value_10k_cny"]["provisional"]


def test_final_periods_together_are_final_whatever_their_months_are() -> None:
    months = [Span(at, at + 1, 8.0, False, 3 + at) for at in range(10)]
    said = flow([Span(0, 6, 60.0, True, 1), Span(6, 9, 30.0, True, 2), *months])
    found = exact(said, 0, 9)
    assert found is not None
    assert (found.amount, found.provisional) == (90.0, False)
    longer = exact(said, 0, 10)
    assert longer is not None
    assert (longer.amount, longer.provisional) == (98.0, True)


def test_a_quarter_beside_it_is_among_the_causes(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [1000.0] * 12}, 2023)
    park.compute()
    with connect(timescale_database, autocommit=True) as conn:
        for number, amount in enumerate(QUARTERS, 1):
            quarter = f"2023-Q{number}"
            say(conn, "A", "added_value", quarter, amount, stage="provisional")
        say(conn, "A", "added_value", "2023", 100.0)
        subject = registry.subject(conn, "P", "A")
        before = datetime.now(UTC)
        # the quarters are 120 together now, so the first one is 30 x 100 / 120 = 25
        say(conn, "A", "added_value", "2023-Q2", 40.0, stage="provisional")
        why = explain(
            conn,
            subject,
            "added_value_10k_cny",
            *FIRST_QUARTER,
            compare_with=before,
        )
        assert why["value"] == pytest.approx(25.0)
        (cause,) = why["change"]["causes"]
        assert cause["kind"] == "statements"
        (row,) = cause["rows"]
        assert row["valid_from"] == "2023-04-01"


def test_what_does_not_fill_the_period_is_unknown(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [1.0] * 12}, 2023)
    park.add("B", {"energy_import": [1.0] * 12}, 2023)
    with connect(timescale_database, autocommit=True) as conn:
        a, b = (registry.subject(conn, "P", each).subject_id for each in "AB")
        say(conn, "A", "added_value", "2023-01..2023-02", 7.0)
        say(conn, "B", "added_value", "2023-Q1", 5.0)
        found = added_values(conn, [a, b], *FIRST_QUARTER)
        assert found[a] is None
        second = found[b]
        assert second is not None
        assert (second.amount, second.provisional) == (5.0, False)
        # a day in the middle of a month splits no statement
        assert added_values(conn, [b], date(2023, 1, 1), date(2023, 3, 15))[b] is None
        # days of their own do, where just these are asked for
        days = date(2023, 1, 1), date(2023, 1, 6)
        statements.state_added_value(conn, a, *days, 2.5, source="test")
        only = added_values(conn, [a], *days)[a]
        assert only is not None
        assert only.amount == 2.5


def test_comparable_prices_are_chained_as_in_the_history(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    park.add("A", {"energy_import": [1.0] * 12}, 2023)
    with connect(timescale_database, autocommit=True) as conn:
        a = registry.subject(conn, "P", "A")
        say(conn, "A", "added_value", "2022", 200.0)
        say(conn, "A", "volume_index", "2023", 105.0)
        for year, value in ((2022, 200.0), (2023, 210.0), (2024, None)):
            days = date(year, 1, 1), date(year + 1, 1, 1)
            asked = added_values(
                conn, [a.subject_id], *days, prices="comparable", base=2022
            )
            found = asked[a.subject_id]
            assert (found and found.amount) == value
            if value is not None:
                months = index(days[0]), index(days[1])
                grounds = load_grounds(conn, park.park, *months, price_base=2022)
                below = grounds.real[a.subject_id].over(*months)
                assert found == below
