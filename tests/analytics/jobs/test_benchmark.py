"""An enterprise's quarter among its industry, and that it tells nothing of a neighbour."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.jobs.benchmark import benchmark
from store import membership, registry
from store.database import Connection, connect
from store.errors import Invalid
from tests.analytics.jobs.conftest import Monthly
from tests.analytics.jobs.test_intensity import MWH, say

pytestmark = pytest.mark.db

NOW = datetime(2024, 5, 1, tzinfo=UTC)
# each 12 MWh, 1.4748 tce; in middles of classes that are a quarter apart
VALUES = {"A": 1.4, "B": 2.2, "C": 3.5, "D": 5.5, "E": 8.6, "F": 13.4, "G": 21.0}


@pytest.fixture(scope="module")
def filled(timescale: Any) -> Iterator[Monthly]:
    """Two industries, to be copied."""
    made = Monthly(timescale.copy())
    for code in VALUES:
        made.add(code, {"energy_import": [MWH] * 12}, 2023)
    made.add("H", {"energy_import": [MWH] * 12}, 2023)
    made.compute()
    with connect(made.url, autocommit=True) as conn:
        for code, value in VALUES.items():
            _industry(conn, code, "C3011" if code < "D" else "3099")
            say(conn, code, "added_value", "2023", value)
        say(conn, "H", "added_value", "2023", 99.0)
        _industry(conn, "H", "2211")
    yield made
    timescale.drop(made.url)


@pytest.fixture
def park(timescale: Any, filled: Monthly) -> Iterator[Monthly]:
    own = copy.copy(filled)
    own.url = timescale.copy(filled.url)
    yield own
    timescale.drop(own.url)


def _industry(conn: Connection, code: str, industry: str) -> None:
    enterprise = registry.subject(conn, "P", code).subject_id
    digits = membership.digits(industry)
    day = datetime(2020, 1, 1, tzinfo=UTC).date()
    membership.state_industry(conn, enterprise, digits, day, source="list")


def ask(conn: Connection, code: str) -> Any:
    return benchmark(conn, registry.subject(conn, "P", code), now=NOW)


def bands(conn: Connection, code: str) -> list[str]:
    return [each["band"] for each in ask(conn, code)["rows"]]


def test_quarters_of_an_industry(park: Monthly) -> None:
    with connect(park.url, autocommit=True) as conn:
        found = ask(conn, "G")
        assert (found["year"], found["industry"]) == (2023, "30")
        tce = found["rows"][0]
        assert tce["value"] == pytest.approx(12 * 0.1229 / 21)
        assert tce["band"] == "best_quarter"  # of six others none is better
        assert bands(conn, "A")[:2] == ["last_quarter"] * 2
        # one of six is better, two, three, …: shares of 1/6, 2/6, 3/6, 4/6, 5/6
        middle = [bands(conn, code)[0] for code in "FEDCB"]
        assert middle == [
            "best_quarter",
            "second_quarter",
            "third_quarter",
            "third_quarter",
            "last_quarter",
        ]
        assert bands(conn, "G")[2] == "no_figure"  # no water is known
        assert bands(conn, "H")[0] == "too_few"  # alone in its industry
        with pytest.raises(Invalid):
            benchmark(conn, registry.subject(conn, "P"), now=NOW)


def test_nothing_depends_on_one_neighbours_exact_value(park: Monthly) -> None:
    def answer(conn: Connection, code: str) -> str:
        return json.dumps(ask(conn, code), sort_keys=True)

    with connect(park.url, autocommit=True) as conn:
        before = answer(conn, "D")
        for code, value in VALUES.items():
            if code == "D":
                continue
            for factor in (0.97, 1.03):
                say(conn, code, "added_value", "2023", value * factor)
                assert answer(conn, "D") == before, (code, factor)
            say(conn, code, "added_value", "2023", value)
        # however good or bad one of the last gets: it stays on its side
        for value in (0.001, 1.0, 2.9):
            say(conn, "A", "added_value", "2023", value)
            assert answer(conn, "D") == before


def test_too_few_others_and_no_coverage(park: Monthly) -> None:
    with connect(park.url, autocommit=True) as conn:
        for code in "AB":  # four others are left to C
            say(conn, code, "added_value", "2023", -1.0)
        assert bands(conn, "C")[0] == "too_few"
        assert bands(conn, "A")[0] == "no_figure"
        own = ask(conn, "C")["rows"][0]["value"]
        assert own == pytest.approx(12 * 0.1229 / 3.5)


def test_what_one_owner_has_does_not_corner_a_neighbour(park: Monthly) -> None:
    """Five others of which four are one's own: the fifth's quarter would be told."""
    with connect(park.url, autocommit=True) as conn:
        say(conn, "G", "added_value", "2023", -1.0)  # five others are left to A
        assert bands(conn, "A")[0] == "last_quarter"
        for code in "ABCDE":
            enterprise = registry.subject(conn, "P", code).subject_id
            membership.state_owner(conn, enterprise, "group", source="list", who="x")
        assert bands(conn, "A")[0] == "too_few"
        assert bands(conn, "F")[0] == "too_few"  # others of one owner are one
        enterprise = registry.subject(conn, "P", "A").subject_id
        membership.state_owner(conn, enterprise, "itself", source="sale", who="x")
        assert bands(conn, "A")[0] == "too_few"  # two owners, five enterprises


def test_an_owner_as_known_on_an_earlier_date(park: Monthly) -> None:
    with connect(park.url, autocommit=True) as conn:
        d = registry.subject(conn, "P", "D")
        say(conn, "G", "added_value", "2023", -1.0)  # five others are left to D
        earlier = benchmark(conn, d, now=NOW)
        assert earlier["rows"][0]["band"] != "too_few"
        then = [datetime.now(UTC)]
        for owner in ("group", "other", None):
            for code in "AB":
                of = registry.subject(conn, "P", code).subject_id
                membership.state_owner(conn, of, owner, source="list", who="x")
            then.append(datetime.now(UTC))
        owners = [
            {each.owner for each in membership.owners(conn, park.park.park_id, at)}
            for at in (*then, None)
        ]
        assert owners == [set(), {"group"}, {"other"}, set(), set()]
        # of two that are one's own four others are left
        late = datetime(2100, 1, 1, tzinfo=UTC)
        told = [benchmark(conn, d, known_on=at, now=NOW) for at in (*then, late)]
        assert [each["rows"][0]["band"] for each in told[1:3]] == ["too_few"] * 2
        assert told[0] == told[3] == told[4] == earlier  # to the bit


def test_water_is_compared_by_the_coverage_of_water(timescale_database: str) -> None:
    made = Monthly(timescale_database)
    for code in VALUES:
        made.add(code, {"energy_import": [MWH] * 12}, 2023)
        late = [None] * 11 if code == "G" else [1000.0] * 11
        made.add(code, {"water": [*late, 1000.0]}, 2023, meter="W")
    made.compute()
    with connect(made.url, autocommit=True) as conn:
        for code, value in VALUES.items():
            _industry(conn, code, "3011")
            say(conn, code, "added_value", "2023", value)
        tce, _, water = ask(conn, "G")["rows"]
        assert (tce["band"], tce["coverage"]) == ("best_quarter", 1)
        assert (water["band"], water["coverage"]) == ("no_figure", 0)
        assert water["value"] is None
        # F is the best of six, and G is not among its others
        assert bands(conn, "F")[2] == "best_quarter"
        assert bands(conn, "E")[2] == "best_quarter"  # one of five is better
