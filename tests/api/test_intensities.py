"""From registers and statements through the API: intensities, benchmark, budgets."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from tests.analytics.jobs.conftest import Monthly
from tests.analytics.jobs.test_added_value import DENTON, OUTPUT, PRO_RATA
from tests.analytics.jobs.test_book import X

PARK = "/api/v1/parks/P"
LAST_YEAR = date.today().year - 1  # noqa: DTZ011
WHO = {"source": "report", "who": "Clerk One"}


@pytest.fixture(scope="module")
def filled(timescale: Any) -> Iterator[str]:
    """A year of nine enterprises, to be copied."""
    url: str = timescale.copy()
    park = Monthly(url)
    park.add("X", X, 2023)
    park.add("Y", {"energy_import": [1_000_000.0] * 12}, 2023)
    for i in range(7):
        used = [1000.0 * 1.6**i] * 12
        masses = {"cod": [2.0] * 12} if i == 0 else {}
        park.add(f"B{i}", {"energy_import": used, **masses}, LAST_YEAR)
    park.compute()
    yield url
    timescale.drop(url)


@pytest.fixture
def served(timescale: Any, filled: str, serving: Any) -> Iterator[httpx.Client]:
    url = timescale.copy(filled)
    with serving(url) as base, httpx.Client(base_url=base, timeout=60) as client:
        yield client
    timescale.drop(url)


def say(served: httpx.Client, *rows: tuple[Any, ...]) -> None:
    names = ("enterprise", "kind", "period", "amount")
    body = [dict(zip(names, row, strict=True)) | {"source": "report"} for row in rows]
    answer = served.post(f"{PARK}/statements", json={"who": "Clerk One", "rows": body})
    assert answer.status_code == 201, answer.text


def get(served: httpx.Client, path: str, **asked: Any) -> Any:
    answer = served.get(f"{PARK}{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_enterprise_x_by_year_and_month(served: httpx.Client) -> None:
    say(served, ("X", "added_value", "2023", 26_000))
    year = {"from": "2023-01-01", "to": "2024-01-01"}
    found = get(served, "/intensity/history", **year, enterprise="X", length="year")[
        "rows"
    ][0]
    ratios = found["per"]["added_value_10k_cny"]
    assert round(ratios["tce"]["calorific"], 5) == 0.15083
    assert round(ratios["tce"]["equal_value"], 5) == 0.24403
    assert round(ratios["co2_t"]["location_region"], 5) == 0.47668
    assert found["publishable"]
    both = {"length": "year", "of": "enterprises", **year}
    missing = get(served, "/intensity/history", **both)["rows"][0]
    assert "Y" in missing["per"]["added_value_10k_cny"]["missing"]
    say(served, ("Y", "added_value", "2023", 100))
    ranking = get(served, "/intensity/ranking", period="2023")
    asked = {"period": "2023", "enterprise": "X"}
    own = served.get(f"{PARK}/intensity/ranking", params=asked)
    assert own.status_code == 422
    assert '"Y"' not in own.text
    placed = [(e["place"], e["enterprise"]) for e in ranking["rows"] if e["place"]]
    assert placed == [(1, "X"), (2, "Y")]
    assert {e["reason"] for e in ranking["rows"] if not e["place"]} == {
        "denominator_missing"
    }
    text = served.get(
        f"{PARK}/intensity/history", params={**year, "length": "year", "format": "csv"}
    ).text
    head, *lines = text.splitlines()
    assert head.startswith("period,from,to,of,per,figure,method,value,denominator")
    assert len(lines) == 4 * (3 + 9 + 2)
    say(
        served,
        *(("X", "gross_output", f"2023-0{m}", o) for m, o in enumerate(OUTPUT, 1)),
    )
    assert (
        served.get(
            f"{PARK}/intensity/history",
            params={"from": "2023-01-02", "to": "2023-03-01"},
        ).status_code
        == 422
    )
    assert (
        served.get(f"{PARK}/intensity/ranking", params={"period": "x"}).status_code
        == 422
    )


@pytest.mark.parametrize(
    ("method", "wanted"), [("pro_rata", PRO_RATA), ("denton", DENTON)]
)
def test_the_known_vectors(
    served: httpx.Client, method: str, wanted: list[float]
) -> None:
    say(
        served,
        *(("X", "gross_output", f"2023-0{m}", o) for m, o in enumerate(OUTPUT, 1)),
    )
    say(
        served,
        ("X", "added_value", "2023-Q1", 300),
        ("X", "added_value", "2023-Q2", 330),
    )
    rows = get(
        served,
        "/intensity/history",
        **{"from": "2023-01-01", "to": "2023-07-01"},
        enterprise="X",
        method=method,
    )["rows"]
    got = [each["per"]["added_value_10k_cny"]["amount"] for each in rows]
    assert [round(each, 4) for each in got] == pytest.approx(wanted)
    assert rows[0]["per"]["added_value_10k_cny"]["how"] == [
        "benchmarked",
        "gross_output",
    ]


def test_a_monitored_pollutant_says_so(served: httpx.Client) -> None:
    say(served, ("B0", "added_value", str(LAST_YEAR), 12))
    year = {"from": f"{LAST_YEAR}-01-01", "to": f"{LAST_YEAR + 1}-01-01"}
    asked = {**year, "length": "year", "enterprise": "B0"}
    (row,) = get(served, "/intensity/history", **asked)["rows"]
    assert row["pollutant_kg"] == {
        "cod": {
            "amount": pytest.approx(24),
            "known": pytest.approx(24),
            "basis": ["measured"],
            "measured_share": 1,
            "coverage": 1,
            "missing": [],
        }
    }
    per = row["per"]["added_value_10k_cny"]
    assert per["pollutant_kg"] == {"cod": pytest.approx(2)}
    assert row["tce"]["calorific"] == pytest.approx(12 * 0.1229)


def test_change_with_a_member_that_joins(served: httpx.Client) -> None:
    base = str(LAST_YEAR)
    say(served, ("B0", "added_value", base, 10), ("B1", "added_value", base, 20))
    for code, of in (("B0", LAST_YEAR), ("B0", LAST_YEAR - 1), ("B1", LAST_YEAR)):
        size = {"enterprise": code, "year": of, "above_designated_size": True}
        assert served.post(f"{PARK}/above-size", json=size | WHO).status_code == 201
    found = get(
        served,
        "/intensity/change",
        period=base,
        base=str(LAST_YEAR - 1),
        of="above_size",
    )
    assert (found["joined"], found["left"]) == (["B1"], [])
    assert found["own_sets"]["report"]["members"] == ["B0", "B1"]
    assert found["same_set"]["report"]["members"] == ["B0"]
    tce = found["own_sets"]["change_percent"]["tce"]["calorific"]
    assert tce["of_intensities"] is None  # nothing is known of the year before
    # ratio of sums: 12 and 19.2 MWh over 30
    year = {"from": f"{base}-01-01", "to": f"{LAST_YEAR + 1}-01-01"}
    row = get(served, "/intensity/history", **year, of="above_size", length="year")
    ratio = row["rows"][0]["per"]["added_value_10k_cny"]["tce"]["calorific"]
    assert ratio == pytest.approx(31.2 * 0.1229 / 30)
    assert row["rows"][0]["set_year"] == LAST_YEAR


def test_a_benchmark_shows_only_the_own_figures(served: httpx.Client) -> None:
    for i in range(7):
        about = {"enterprise": f"B{i}", "code": "30", "valid_from": "2020-01-01"}
        assert served.post(f"{PARK}/industries", json=about | WHO).status_code == 201
        say(served, (f"B{i}", "added_value", str(LAST_YEAR), 12.0))
    found = get(served, "/enterprises/B0/benchmark")
    assert found["rows"][0]["band"] == "best_quarter"
    assert found["rows"][0]["value"] == pytest.approx(12 * 0.1229 / 12)
    assert get(served, "/enterprises/B6/benchmark")["rows"][0]["band"] == "last_quarter"
    say(served, ("B5", "added_value", str(LAST_YEAR), 12.1))
    say(served, ("B3", "added_value", str(LAST_YEAR), 11.9))
    assert get(served, "/enterprises/B0/benchmark") == found
    assert "B1" not in str(found)
    assert get(served, "/enterprises/X/benchmark")["rows"][0]["band"] == "no_figure"
    # whom to compare, when and at which coverage cannot be chosen
    asked = {"from": "2020-01-01", "industry": "31", "minimum_coverage": 0}
    assert get(served, "/enterprises/B0/benchmark", **asked) == found
    assert served.get(f"{PARK}/enterprises/NO/benchmark").status_code == 404


def test_targets_and_budgets(served: httpx.Client) -> None:
    target = {"enterprise": "X", "kind": "energy", "method": "calorific", "year": 2023}
    target |= {"value": 3900.0, "excluded": ["renewable"], **WHO}

    def put(**more: Any) -> httpx.Response:
        return served.post(f"{PARK}/targets", json=target | more)

    assert put().status_code == 201
    assert put().status_code == 200
    assert put(kind="demand", method=None, value=5000, excluded=[]).status_code == 201
    assert put(method="guess").status_code == 422
    assert put(kind="water").status_code == 422
    assert put(value=-1).status_code == 422
    assert put(enterprise="NO").status_code == 404
    rows = get(served, "/targets", enterprise="X")["rows"]
    assert [(each["kind"], each["value"]) for each in rows] == [
        ("demand", 5000),
        ("energy", 3900),
    ]
    found = get(served, "/budgets", enterprise="X", year=2023)
    energy = next(each for each in found["rows"] if each["kind"] == "energy")
    outlook = energy["outlook"]
    # 3 921.602 of which 1.5 GWh, 184.35 tce, are own photovoltaic
    assert outlook["used"] == pytest.approx(3921.602 - 184.35, abs=5e-4)
    assert outlook["left_out"]["renewable"]["sum"] == pytest.approx(184.35)
    assert outlook["left"] == pytest.approx(3900 - 3737.252, abs=5e-4)
    assert outlook["spent_on"] is None
    assert put(value=None).status_code == 201
    assert len(get(served, "/targets", enterprise="X")["rows"]) == 1
    every = get(served, "/targets", enterprise="X", all=True)["rows"]
    assert [each["value"] for each in every if each["kind"] == "energy"] == [None, 3900]
    text = served.get(f"{PARK}/targets", params={"format": "csv"}).text
    assert text.splitlines()[1].split(",")[1:6] == ["X", "demand", "", "2023", "5000.0"]
