"""The monthly book of a park: the arithmetic of domain examples, and one truth."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from analytics.jobs.accounting import known_total
from analytics.jobs.book import difference, load_book
from analytics.jobs.figures import figures
from store import registry, relations
from store.database import connect
from store.errors import Invalid
from store.factors import factors, record_factors
from tests.analytics.jobs.conftest import ZONE, Monthly

pytestmark = pytest.mark.db

# enterprise X: one year, all inputs invented
YEAR = (date(2023, 1, 1), date(2024, 1, 1))
X = {
    "energy_import": [1_000_000.0] * 12,
    "pv_generation": [125_000.0] * 12,
    "natural_gas": [66_000.0] * 11 + [74_000.0],
    "diesel": [10.0] * 12,
    "heat": [2_500.0] * 12,
}


def test_enterprise_x_from_registers_to_tonnes(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("X", X, 2023)
    park.compute()
    with connect(timescale_database) as conn:
        book = load_book(conn, park.park, *YEAR)
        row = book.row("X")
        # 13.5 GWh x 0.1229 + 1064 + 174.852 + 1023.6, and x 0.3024
        assert book.coal["calorific"].over_cells(row) == pytest.approx(
            3921.602, abs=5e-4
        )
        assert book.coal["equal_value"].over_cells(row) == pytest.approx(
            6344.852, abs=5e-4
        )
        # 2023's own coal rate, 0.3019: 13.5 GWh x 0.0005 less
        assert book.coal["equal_value_of_year"].over_cells(row) == pytest.approx(
            6344.852 - 6.75, abs=5e-4
        )
        for method, electricity in (
            ("location_region", 6992.4),
            ("location_national", 6367.2),  # 12 000 MWh x 0.5306
            ("residual", 7315.2),
            ("zero_carbon_park", 9990.0),
        ):
            account = book.carbon[method]
            assert known_total(account.parts["electricity"][row]) == pytest.approx(
                electricity, abs=5e-4
            )
            # gas 1729.751, diesel 371.509, heat 3300
            assert known_total(account.scope_1[row]) == pytest.approx(
                2101.260, abs=5e-3
            )
            assert known_total(account.parts["heat"][row]) == pytest.approx(3300.0)
            assert account.over_cells(row) == pytest.approx(
                5401.260 + electricity, abs=5e-3
            )
        # no factor is known for the park's alone enterprise that the park lacks
        assert np.array_equal(book.carbon["residual"].total[0], account_of(book, row))
        assert book.carbon["ets"].over_cells(row) == pytest.approx(
            12_000 * 0.5703 + 5401.260, abs=5e-3
        )
        assert (book.known_share[row] == 1).all()


def account_of(book: object, row: int) -> np.ndarray:
    return np.asarray(book.carbon["residual"].total[row])  # type: ignore[attr-defined]


def odd(seed: int) -> dict[str, list[float | None]]:
    rng = np.random.default_rng(seed)
    used: dict[str, list[float | None]] = {}
    for quantity in ("energy_import", "energy_export", "natural_gas", "coal", "steam"):
        if quantity == "coal" and seed % 2:
            continue
        begin, end = int(rng.integers(0, 3)), int(rng.integers(3, 6))
        used[quantity] = [
            round(float(rng.uniform(0, 9999)), 3) if begin <= i < end else None
            for i in range(5)
        ]
    return used


def test_the_figures_of_whole_months_are_those_of_the_book(
    timescale_database: str,
) -> None:
    """Bit for bit: each subject, month, quantity, basis and method; as known on, too."""
    park = Monthly(timescale_database)
    for i, code in enumerate(("b", "a", "c")):
        park.add(code, odd(i), 2022)
    park.compute()
    first, last = date(2022, 1, 1), date(2022, 6, 1)
    with connect(timescale_database) as conn:
        book = load_book(conn, park.park, first, last)
        assert [each.enterprise for each in book.subjects] == [None, "a", "b", "c"]
        later = datetime.now(UTC)
        anew = load_book(conn, park.park, first, last, later)
        assert difference(book, anew) == []
        for name in book.amounts:
            assert np.array_equal(book.expected_s[name], anew.expected_s[name])
            assert np.array_equal(book.measured_s[name], anew.measured_s[name])
            assert np.array_equal(book.estimated_s[name], anew.estimated_s[name])
        known = 0
        for row, subject in enumerate(book.subjects):
            for cell, month in enumerate(book.months):
                following = (month + timedelta(31)).replace(day=1)
                found = figures(conn, subject, month, following)
                for name, each in found["amounts"].items():
                    assert same(each["amount"], book.amounts[name][row, cell]), name
                    share = book.coverage(name)[row, cell]
                    assert each["coverage"] == pytest.approx(share)
                for name, total in found["tce"].items():
                    assert same(total, book.coal[name].total[row, cell]), name
                for name, total in found["co2_t"].items():
                    assert same(total, book.carbon[name].total[row, cell]), name
                    known += total is not None
            whole = figures(conn, subject, first, last)
            for name, total in whole["tce"].items():
                assert total == book.coal[name].over_cells(row)
            for name, total in whole["co2_t"].items():
                assert total == book.carbon[name].over_cells(row)
                lines = whole["parentage"]["co2_t"][name]
                results = [each["result_t"] for each in lines if each["counts"]]
                if total is not None:
                    assert total == pytest.approx(sum(results))
                    assert all(each["factor_id"] for each in lines)
        assert known > 50  # raw coal has no factor of CO2: some are unknown


def same(figure: float | None, cell: float) -> bool:
    return np.isnan(cell) if figure is None else figure == cell


def test_unknown_is_not_zero_and_a_missing_factor_spoils_the_sum(
    timescale_database: str,
) -> None:
    park = Monthly(timescale_database)
    park.add("a", {"energy_import": [1000.0, None, None], "coal": [None, 1, 1]}, 2022)
    park.compute()
    with connect(timescale_database) as conn:
        book = load_book(conn, park.park, date(2022, 1, 1), date(2022, 4, 1))
    row = book.row("a")
    coal = book.coal["calorific"]
    assert coal.total[row] == pytest.approx([0.1229, 0.7143, 0.7143])
    assert np.isnan(book.amounts["energy_import"][row, 1])
    assert book.coverage("energy_import")[row].tolist() == [1, 0, 0]
    assert book.known_share[row].tolist() == [0, 0, 0]
    carbon = book.carbon["location_national"]
    assert carbon.unpriced[row].tolist() == [False, True, True]
    assert carbon.total[row, 0] == pytest.approx(0.5306)
    assert np.isnan(carbon.total[row, 1:]).all()
    assert np.isnan(carbon.scope_1[row, 1:]).all()
    assert carbon.scope_2[row, 0] == pytest.approx(0.5306)
    assert np.isnan(carbon.scope_2[row, 1:]).all()
    assert carbon.over_cells(row) is None


def test_months_before_now_alone_are_expected(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("a", {"energy_import": [1.0]}, 2022)
    park.compute()
    now = datetime(2022, 2, 11, tzinfo=ZONE)
    with connect(timescale_database) as conn:
        asked = (conn, park.park, date(2021, 12, 1), date(2022, 4, 1))
        book = load_book(*asked, now=now)
        days = (book.expected_s["energy_import"][0] / 86_400).tolist()
        assert days == [0, 31, 10, 0]
        with pytest.raises(Invalid, match="whole months"):
            load_book(conn, park.park, date(2022, 1, 2), date(2022, 4, 1))
        with pytest.raises(Invalid, match="no enterprise"):
            book.row("z")


def test_a_restated_factor_lists_what_it_moved(timescale_database: str) -> None:
    """Only what rests on the provincial average moves, by amount x difference."""
    park = Monthly(timescale_database)
    park.add("a", {"energy_import": [1000.0, 2000.0]}, 2023)
    park.add("b", {"energy_import": [3000.0, 4000.0], "natural_gas": [1, 1]}, 2023)
    park.compute()
    months = (date(2023, 1, 1), date(2023, 3, 1))
    with connect(timescale_database, autocommit=True) as conn:
        before = datetime.now(UTC)
        (old,) = [
            each for each in factors(conn) if each.code == "grid_average/CN-JS/2023"
        ]
        row = {
            name: getattr(old, name)
            for name in ("code", "kind", "carrier", "basis", "region", "data_year")
        }
        row |= {"published": old.published, "unit": old.unit, "source": "corrected"}
        record_factors(conn, [row | {"value": 0.6, "verified": True}])
        was = load_book(conn, park.park, *months, factors_known_on=before)
        now = load_book(conn, park.park, *months)
        assert difference(now, now) == []
        moves = difference(was, now)
    assert {each.name for each in moves} == {
        "location_region",
        "provincial_inventory",
        "ghg_location",
    }
    assert {each.kind for each in moves} == {"co2"}
    by = {(e.enterprise, e.month.month): e for e in moves if e.name == "ghg_location"}
    assert len(by) == 6
    for (enterprise, month), mwh in {
        (None, 1): 4,
        (None, 2): 6,
        ("a", 1): 1,
        ("a", 2): 2,
        ("b", 1): 3,
        ("b", 2): 4,
    }.items():
        move = by[enterprise, month]
        assert move.after - move.before == pytest.approx(mwh * (0.6 - 0.5827))


def test_as_known_on_takes_amounts_and_factors_of_then(timescale_database: str) -> None:
    park = Monthly(timescale_database)
    park.add("a", {"energy_import": [1000.0]}, 2023)
    park.compute()
    months = (date(2023, 1, 1), date(2023, 2, 1))
    before = datetime.now(UTC)
    with connect(timescale_database, autocommit=True) as conn:
        owner = registry.find_enterprise(conn, "P", "a")
        assert owner is not None
        meter, _ = registry.find_meter(conn, owner[1], "M")
        assert meter is not None
        relations.set_multiplier(
            conn,
            meter,
            ct=2.0,
            pt=1.0,
            valid_from=datetime(2000, 1, 1, tzinfo=UTC),
            source="plate",
        )
    park.compute()
    with connect(timescale_database) as conn:
        now = load_book(conn, park.park, *months)
        then = load_book(conn, park.park, *months, before)
        moves = difference(then, now)
    assert then.amounts["energy_import"][0, 0] == pytest.approx(1000)
    assert now.amounts["energy_import"][0, 0] == pytest.approx(2000)
    amounts = [each for each in moves if each.kind == "amount"]
    assert [each.enterprise for each in amounts] == [None, "a"]
    assert [each.after - each.before for each in amounts] == pytest.approx([1000] * 2)
