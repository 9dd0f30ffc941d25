"""Years of a park: metered and stated, the state of the peak, what made a change."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics.jobs import activities, own_factors, trajectory, yearly
from analytics.jobs.book import load_book
from analytics.jobs.core_indicator import zero_carbon
from analytics.jobs.decomposing import decompose
from analytics.jobs.figures import figures
from analytics.jobs.park_values import ParkYears
from analytics.jobs.whatifs import Measures, what_if
from store import registry, statements
from store.database import Connection, connect
from store.errors import Invalid
from store.records import Stated, Subject
from tests.analytics.jobs.conftest import Monthly

pytestmark = pytest.mark.db

SERIES = [100, 112, 121, 130, 138, 135, 133, 131, 129, 128]  # of domain facts
NATIONAL = 0.5306  # kgCO2/kWh, grid_average/CN
LMDI_GJ = (100 / 0.03412, 108 / 0.03412)  # heat of 100 and 108 tce


@pytest.fixture
def conn(timescale_database: str) -> Iterator[Connection]:
    with connect(timescale_database, autocommit=True) as conn:
        yield conn


@pytest.fixture
def park(timescale_database: str) -> Monthly:
    return Monthly(timescale_database)


def whole(conn: Connection) -> Subject:
    return registry.subject(conn, "P")


def say(conn: Connection, year: int, t: float | None, **more: Any) -> bool:
    given: dict[str, Any] = {
        "method": "location_national",
        "source": "statistics bureau",
        "who": "Energy office",
    }
    return yearly.state(conn, whole(conn), year=year, amount_t=t, **(given | more))


def one(conn: Connection, **asked: Any) -> dict[str, Any]:
    asked = {"names": ["location_national"]} | asked
    found = trajectory.trajectory(conn, whole(conn), **asked)
    series: dict[str, Any] = found["series"][0]
    return series


def test_the_series_of_the_guide_peaks_when_its_fifth_year_is_stated(
    park: Monthly, conn: Connection
) -> None:
    for year, t in enumerate(SERIES[:9], 2010):
        assert say(conn, year, float(t))
    four = one(conn, last=2018)["state"]
    # four falling years: S -6, Z -1.6984, p 0.0894
    assert (four["state"], four["reason"]) == (
        "declining-unconfirmed",
        "too_few_years_after",
    )
    assert four["after_peak"]["s"] == -6
    assert four["after_peak"]["z"] == pytest.approx(-1.6984, abs=5e-5)
    assert four["after_peak"]["p"] == pytest.approx(0.0894, abs=5e-5)
    before = datetime.now(UTC)
    assert say(conn, 2019, 128.0)
    assert not say(conn, 2019, 128.0)
    now = one(conn, last=2019)["state"]
    assert (now["state"], now["reason"]) == ("peaked", "significant_decline")
    assert (now["peak_year"], now["peak_t"], now["years_after"]) == (2014, 138.0, 5)
    assert now["after_peak"] == {
        "n": 5,
        "s": -10.0,
        "variance": pytest.approx(16.6667, abs=5e-5),
        "z": pytest.approx(-2.2045, abs=5e-5),
        "p": pytest.approx(0.0275, abs=5e-5),
        "sen_slope_t_per_year": -2.0,
    }
    assert now["whole"]["z"] == pytest.approx(0.894, abs=5e-4)
    assert now["whole"]["p"] == pytest.approx(0.371, abs=5e-4)
    # as known before the last statement, and after its withdrawal; the year is over, and
    # the state of the years before is no longer that of today
    assert one(conn, last=2018, known_on=before)["state"] == four
    say(conn, 2019, None)
    for asked in ({"known_on": before}, {}):
        stale = one(conn, last=2019, **asked)["state"]
        assert (stale["state"], stale["reason"]) == ("unknown", "gap")
        assert (stale["from"], stale["to"]) == (2010, 2018)
        assert stale["undecided"] == [2019]
    # in the year itself it was not over, and nothing was lacking
    running = one(conn, last=2019, now=datetime(2019, 6, 1, tzinfo=UTC))["state"]
    assert running["state"] == "declining-unconfirmed"
    assert (running["to"], running["undecided"]) == (2018, [2019])
    # a year between that nobody knows makes the state unknown; a new maximum starts again
    say(conn, 2019, 128.0)
    say(conn, 2016, None)
    gap = one(conn, last=2019)["state"]
    assert (gap["state"], gap["reason"], gap["undecided"]) == ("unknown", "gap", [2016])
    say(conn, 2016, 133.0)
    say(conn, 2020, 139.0)
    again = one(conn, last=2020)["state"]
    assert (again["state"], again["reason"]) == ("rising", "recent_maximum")


def test_a_provisional_total_never_outranks_a_final_one(
    park: Monthly, conn: Connection
) -> None:
    def counts() -> list[float]:
        return [each["amount_t"] for each in trajectory.listed(conn, subject)]

    subject = registry.subject(conn, "P")
    say(conn, 2019, 5.0)
    say(conn, 2019, 6.0, stage="provisional")
    assert counts() == [5.0]
    say(conn, 2019, None, stage="provisional")
    assert counts() == [5.0]
    say(conn, 2019, 6.0, stage="provisional")
    say(conn, 2019, None)
    assert counts() == [6.0]
    say(conn, 2019, None, stage="provisional")
    assert counts() == []


def test_a_metered_complete_year_beats_a_stated_one_and_both_are_shown(
    park: Monthly, conn: Connection
) -> None:
    # 2022 from April on, 2023 whole, in 2024 two months are not metered
    kwh = [None] * 3 + [1e6] * 21 + [2e6] * 4 + [None] * 2
    park.add("a", {"energy_import": kwh}, 2022)
    park.compute()
    say(conn, 2021, 7000.0)
    say(conn, 2022, 7100.0, stage="provisional")
    say(conn, 2023, 6000.0)
    months = [5.0, 6.0]
    for month, t in zip((5, 6), months, strict=True):
        say(conn, 2024, t, month=month)
    now = datetime(2024, 9, 10, tzinfo=UTC)
    found = one(conn, now=now)
    years = {each["year"]: each for each in found["years"]}
    assert list(years) == [2021, 2022, 2023, 2024]
    rules = {year: (each["rule"], each["decides"]) for year, each in years.items()}
    assert rules == {
        2021: ("stated_year", True),
        2022: ("stated_year", True),
        2023: ("metered_complete", True),
        2024: ("metered_in_part", False),
    }
    assert years[2022]["metered_t"] == pytest.approx(9000 * NATIONAL)
    assert years[2022]["value_t"] == 7100.0
    assert years[2022]["stated_stage"] == "provisional"
    assert (years[2022]["months_complete"], years[2022]["coverage"]) == (9, 0.0)
    year = years[2023]
    assert year["value_t"] == pytest.approx(12_000 * NATIONAL)
    assert year["stated_t"] == 6000.0
    assert year["difference_t"] == pytest.approx(12_000 * NATIONAL - 6000)
    assert (year["coverage"], year["most_enterprises"]) == (1.0, 1)
    assert (years[2024]["months_over"], years[2024]["months_complete"]) == (8, 4)
    rolling = {each["month"]: each for each in found["rolling"]}
    assert rolling["2023-02"]["value_t"] is None  # nobody knows March 2022
    assert rolling["2023-03"]["value_t"] == pytest.approx(12_000 * NATIONAL)
    assert rolling["2024-06"]["value_t"] == pytest.approx(
        (6000 + 4 * 2000) * NATIONAL + 11.0
    )
    assert rolling["2024-06"]["metered"] is False
    assert "2024-07" not in rolling
    assert found["state"]["undecided"] == [2024]
    # twelve months, some metered, some stated, make a year of their own rule
    say(conn, 2022, None, stage="provisional")
    for month in (1, 2, 3):
        say(conn, 2022, 500.0, month=month)
    year = one(conn, now=now)["years"][1]
    assert year["rule"] == "months_together"
    assert year["value_t"] == pytest.approx(1500 + 9000 * NATIONAL)


def test_what_cannot_be_stated(park: Monthly, conn: Connection) -> None:
    for words, more in (
        ("none of", {"method": "guess"}),
        ("below 0", {"t": -1.0}),
        ("not over", {"year": 2090}),
        ("stage", {"stage": "rough"}),
        ("a person", {"who": " "}),
        ("no month", {"month": 13}),
    ):
        given: dict[str, Any] = {"year": 2015, "t": 5.0} | more
        with pytest.raises(Invalid, match=words):
            say(conn, given.pop("year"), given.pop("t"), **given)
    with pytest.raises(Invalid, match="nothing is metered"):
        one(conn)


def heat(park: Monthly, conn: Connection) -> None:
    """One enterprise whose heat makes the vector of the guide: E 100, 108; C 250, 243."""
    months = [LMDI_GJ[0] / 12] * 12 + [LMDI_GJ[1] / 12] * 12
    park.add("a", {"heat": months}, 2022)
    park.compute()
    owner = registry.subject(conn, "P", "a")
    for year, value, co2, gj in (
        (2022, 200.0, 250.0, LMDI_GJ[0]),
        (2023, 240.0, 243.0, LMDI_GJ[1]),
    ):
        first, last = date(year, 1, 1), date(year + 1, 1, 1)
        own_factors.record(
            conn,
            owner,
            kind="co2",
            carrier="heat",
            basis="default",
            value=co2 / gj,
            unit="tCO2/GJ",
            valid_from=first,
            valid_to=last,
            source="boiler",
            evidence=None,
            who="Energy office",
        )
        statements.state_added_value(
            conn, owner.subject_id, first, last, value, prices="comparable", source="b"
        )


def test_lmdi_and_tapio_of_the_guide(park: Monthly, conn: Connection) -> None:
    heat(park, conn)
    with connect(park.url) as other:
        found = decompose(other, park.park, 2022, 2023)
    effects = found["effects"]
    assert found["before_t"] == pytest.approx(250, abs=1e-6)
    assert found["change_t"] == pytest.approx(-7, abs=1e-6)
    assert effects["activity_t"] == pytest.approx(44.9392, abs=5e-5)
    assert effects["intensity_t"] == pytest.approx(-25.9696, abs=5e-5)
    assert effects["carbon_factor_t"] == pytest.approx(-25.9696, abs=5e-5)
    assert effects["structure_t"] == pytest.approx(0, abs=1e-9)
    assert effects["mix_t"] == pytest.approx(0, abs=1e-9)
    assert math.fsum(effects.values()) == pytest.approx(found["change_t"], abs=1e-9)
    (step,) = one(conn, last=2023)["decoupling"]
    assert step["elasticity"] == pytest.approx(-0.14)
    assert step["state"] == "strong decoupling"


def test_added_values_at_prices_of_other_years_are_not_mixed(
    park: Monthly, conn: Connection
) -> None:
    park.add("a", {"energy_import": [1e6] * 24}, 2022)
    park.compute()
    owner = registry.subject(conn, "P", "a").subject_id
    for year, base, value in (
        (2022, 2015, 90.0),
        (2022, 2020, 100.0),
        (2023, 2015, 99.0),
    ):
        first, last = date(year, 1, 1), date(year + 1, 1, 1)
        statements.state_added_value(
            conn,
            owner,
            first,
            last,
            value,
            prices="comparable",
            price_base=base,
            source="bureau",
        )
    (step,) = one(conn, first=2022, last=2023)["decoupling"]
    assert step["state"] == "unknown"  # 2023 is not known at the prices of 2020
    statements.state_added_value(
        conn,
        owner,
        date(2023, 1, 1),
        date(2024, 1, 1),
        120.0,
        prices="comparable",
        price_base=2020,
        source="bureau",
    )
    (step,) = one(conn, first=2022, last=2023)["decoupling"]
    assert step["added_value_change_10k_cny"] == 20
    assert step["state"] == "weak decoupling"


def test_volume_indices_alone_give_comparable_prices(
    park: Monthly, conn: Connection
) -> None:
    park.add("a", {"energy_import": [1e6] * 24}, 2022)
    park.compute()
    owner = registry.subject(conn, "P", "a").subject_id
    year = date(2022, 1, 1), date(2023, 1, 1), date(2024, 1, 1)
    statements.state_added_value(conn, owner, *year[:2], 50.0, source="bureau")
    statements.state_added_value(conn, owner, *year[1:], 70.0, source="bureau")
    index = Stated(
        subject_id=owner,
        kind="volume_index",
        unit="percent",
        period_from=year[1],
        period_to=year[2],
        amount=110.0,
        source="bureau",
        who="",
    )
    statements.state(conn, index)
    found = trajectory.trajectory(conn, whole(conn), first=2022, last=2023)
    assert found["price_base"] == 2022
    values = [each["comparable_10k_cny"] for each in found["added_value"]]
    assert values == pytest.approx([50, 55])  # of the 70, prices are the rest
    with connect(park.url) as other:
        split = decompose(other, park.park, 2022, 2023)
    assert split["price_base"] == 2022
    # 1.1 times as much is made with the same energy
    assert split["effects"]["activity_t"] == pytest.approx(
        split["before_t"] * math.log(1.1)
    )
    assert split["effects"]["intensity_t"] == pytest.approx(
        -split["before_t"] * math.log(1.1)
    )


def test_all_parts_of_a_change_add_up(park: Monthly, conn: Connection) -> None:
    """Two enterprises, one that leaves, one without added value, and a process."""
    heat(park, conn)
    park.add("b", {"energy_import": [1e5] * 12, "natural_gas": [900.0] * 12}, 2022)
    park.add("b", {"energy_import": [3e5] * 12}, 2023, meter="N")
    park.add("c", {"energy_import": [2e4] * 12 + [None] * 12}, 2022)
    park.compute()

    for code, year, value in (("b", 2022, 80.0), ("b", 2023, 90.0), ("c", 2022, 9.0)):
        statements.state_added_value(
            conn,
            registry.subject(conn, "P", code).subject_id,
            date(year, 1, 1),
            date(year + 1, 1, 1),
            value,
            prices="comparable",
            source="bureau",
        )
    activities.state(
        conn,
        registry.subject(conn, "P", "b").subject_id,
        month=date(2023, 5, 1),
        item="calcium_carbonate",
        use="process",
        amount=100.0,
        unit="t",
        source="invoice",
        who="Energy office",
    )
    found = decompose(conn, park.park, 2022, 2023)
    effects = found["effects"]
    assert math.fsum(effects.values()) == pytest.approx(found["change_t"])
    assert effects["without_energy_t"] > 40  # 100 t of CaCO3
    rows = {each["enterprise"]: each for each in found["enterprises"]}
    for each in rows.values():
        parts = [v for k, v in each.items() if k.endswith("_t") and k != "change_t"]
        if each["split"]:
            assert math.fsum(parts) == pytest.approx(each["change_t"])
    with pytest.raises(Invalid, match="not over"):
        decompose(conn, park.park, 2022, 2023, now=datetime(2023, 12, 31, tzinfo=UTC))
    # without a value nothing is split, and it says whose is missing
    current = decompose(conn, park.park, 2022, 2023, prices="current")
    assert current["missing_added_value"]["2022"] == ["a", "b", "c"]
    assert current["effects"]["activity_t"] is None
    assert current["effects"]["not_split_t"] + current["effects"][
        "without_energy_t"
    ] == pytest.approx(current["change_t"])


def test_what_if_by_hand(park: Monthly, conn: Connection) -> None:
    """1 GWh and 10 000 m3: PV 200 kWp · 1000 h, half the gas to heat pumps, 40 % green."""
    park.add(
        "a", {"energy_import": [1e6 / 12] * 12, "natural_gas": [1e4 / 12] * 12}, 2022
    )
    park.compute()
    asked = Measures(
        pv_kwp=200.0,
        electrify="natural_gas",
        electrify_share=0.5,
        electric_efficiency=3.0,
        green_share=0.4,
    )
    found = what_if(conn, whole(conn), 2022, asked, ramp_years=2)
    pv, heat_pump, green = found["effects"]
    assert pv["co2_t"] == pytest.approx(-200 * 0.8325)
    # 5 000 m3 · 1.33 kgce/m3 · 29.3076 MJ/kgce · 0.9 / 3 / 3.6
    added = 5000 * 1.33 * 29.3076 * 0.9 / 3 / 3.6
    assert heat_pump["grid_kwh"] == pytest.approx(added)
    gas = found["base_t"] - 1000 * 0.8325
    assert heat_pump["co2_t"] == pytest.approx(added * 0.8325 / 1000 - gas / 2)
    assert green["co2_t"] == pytest.approx(-0.4 * (800_000 + added) * 0.8325 / 1000)
    whole_change = pv["co2_t"] + heat_pump["co2_t"] + green["co2_t"]
    lines = found["lines"]
    assert [each["year"] for each in lines] == [2022, 2023, 2024, 2025, 2026, 2027]
    assert lines[0]["with_t"] == pytest.approx(found["base_t"])
    assert lines[1]["with_t"] == pytest.approx(found["base_t"] + whole_change / 2)
    assert lines[2]["with_t"] == pytest.approx(found["base_t"] + whole_change)
    names = {a["name"] for e in found["effects"] for a in e["assumptions"]}
    assert {
        "full_load_hours",
        "self_use",
        "electric_efficiency",
        "green_factor",
    } <= names
    with pytest.raises(Invalid, match="does not know green power"):
        what_if(conn, whole(conn), 2022, asked, method="location_national")
    with pytest.raises(Invalid, match="no 'coal' was burnt"):
        what_if(conn, whole(conn), 2022, Measures(electrify="coal"))
    with pytest.raises(Invalid, match="nothing_known"):
        what_if(conn, whole(conn), 2021, asked)
    with pytest.raises(Invalid, match="more than a year has"):
        what_if(conn, whole(conn), 2022, Measures(pv_kwp=1.0, full_load_hours=8784.5))


def test_a_month_of_net_export_is_below_0_and_every_answer_has_the_same_year(
    park: Monthly, conn: Connection
) -> None:
    """11 GWh taken, and 0.5 given in July: where exports are subtracted 10.5 GWh."""
    july = 6
    taken, given = [1e6] * 12, [0.0] * 12
    taken[july], given[july] = 0.0, 5e5
    park.add("a", {"energy_import": taken, "energy_export": given}, 2024)
    park.compute()
    now = datetime(2025, 2, 1, tzinfo=UTC)
    book = load_book(conn, park.park, date(2024, 1, 1), date(2025, 1, 1), now=now)
    whole_year = date(2024, 1, 1), date(2025, 1, 1)
    for method, kg_per_kwh in (("zero_carbon_park", 0.8325), ("enterprise", 0.5306)):
        t = 10.5e3 * kg_per_kwh
        account = book.carbon[method]
        assert account.scope_2[0, july] == pytest.approx(-500 * kg_per_kwh)
        assert account.over_cells(0) == pytest.approx(t)
        (year,) = one(conn, names=[method], first=2024, last=2024, now=now)["years"]
        assert (year["rule"], year["value_t"]) == ("metered_complete", pytest.approx(t))
        assert figures(conn, whole(conn), *whole_year)["co2_t"][
            method
        ] == account.over_cells(0)
        years = ParkYears(conn, whole(conn), clean_by="non_fossil", now=now)
        assert years.year(2024).grid(method) == pytest.approx((10.5e6, t))
    core = zero_carbon(conn, park.park, date(2025, 1, 1), now=now)
    assert core["co2_t"] == book.carbon["zero_carbon_park"].over_cells(0)
    assert core["unproven_kwh"] == pytest.approx(10.5e6)
    # where exports are listed, nothing is subtracted
    listed = book.carbon["ghg_location"]
    assert listed.scope_2[0, july] == 0
    assert [e["amount"] for e in listed.told(0) if not e["counts"]] == [5e5]
