import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import onsite
from analytics.onsite import IDENTITY_NAMES

ENERGY = st.integers(0, 10_000).map(lambda eighths: eighths / 8)


def energies(n: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, n, elements=ENERGY)


@given(energies(48), energies(48))
def test_without_storage_metered_and_interval_shares_agree(
    generated: np.ndarray, load: np.ndarray
) -> None:
    # a net meter: what is not used at once is exported, what is missing is imported
    exported = np.maximum(generated - load, 0).sum()
    imported = np.maximum(load - generated, 0).sum()
    share, coverage = onsite.self_consumption_by_interval(generated, load)
    metered = onsite.self_consumption(generated.sum(), exported)
    assert_allclose(share, metered)
    assert coverage == 1
    if generated.sum() > 0:
        assert 0 <= share <= 1
    covered = onsite.self_sufficiency(generated.sum(), exported, imported)
    if load.sum() > 0:
        assert_allclose(covered, 1 - imported / load.sum(), atol=1e-12)


@given(ENERGY, ENERGY, ENERGY, ENERGY, ENERGY)
def test_sufficiency_is_what_was_not_imported(
    imported: float,
    generated: float,
    discharged: float,
    exported: float,
    charged: float,
) -> None:
    load = imported + generated + discharged - exported - charged
    found = onsite.self_sufficiency(generated, exported, imported, discharged, charged)
    if load > 0:
        assert found == pytest.approx(1 - imported / load, abs=1e-9)
    else:
        assert np.isnan(found)


def test_photovoltaics_by_hand() -> None:
    assert onsite.self_consumption(1000, 250) == 0.75
    assert onsite.self_sufficiency(1000, 250, 2250) == 0.25
    assert onsite.self_sufficiency(1000, 250, 2250, 90, 100) == 740 / 2990
    assert onsite.full_load_hours(1_150_000, 1000) == 1150
    share, _ = onsite.self_consumption_by_interval([4, 8, 0], [6, 2, 5])
    assert share == 0.5
    assert np.isnan(onsite.self_consumption(0, 0))
    assert np.isnan(onsite.self_consumption(1000, np.nan))


def test_unknown_intervals_are_passed_over_down_to_the_coverage() -> None:
    generated, load = np.full(20, 4.0), np.full(20, 3.0)
    load[3] = np.nan
    share, coverage = onsite.self_consumption_by_interval(generated, load)
    assert (float(share), float(coverage)) == (0.75, 0.95)
    generated[4] = np.nan
    share, coverage = onsite.self_consumption_by_interval(generated, load)
    assert np.isnan(share)
    assert coverage == 0.9


def test_storage_by_hand() -> None:
    assert onsite.round_trip_efficiency(1000, 880) == 0.88
    # 20 % of 500 kWh are still in it
    assert onsite.round_trip_efficiency(1000, 780, 0.2, 500) == 0.88
    assert onsite.round_trip_efficiency(1000, 980, -0.2, 500) == 0.88
    assert np.isnan(onsite.round_trip_efficiency(0, 0))
    assert np.isnan(onsite.round_trip_efficiency(1000, 880, np.nan, 500))
    assert onsite.equivalent_cycles(1500, 500) == 3


@given(st.floats(0.5, 1), st.lists(ENERGY, min_size=2, max_size=20), st.floats(1, 100))
def test_a_storage_without_inner_loss_shows_its_efficiency_at_any_state(
    efficiency: float, charges: list[float], kept: float
) -> None:
    # all losses on the way in: what is inside comes out whole
    charged, rated = sum(charges) + 1.0, 1000.0
    discharged = efficiency * charged - kept
    found = onsite.round_trip_efficiency(charged, discharged, kept / rated, rated)
    assert found == pytest.approx(efficiency, rel=1e-9)


def test_charging_by_hand() -> None:
    assert onsite.time_utilisation(480, 10, 240) == 0.2
    assert onsite.power_utilisation(28_800, 1200, 240) == 0.1
    assert np.isnan(onsite.time_utilisation(480, 0, 240))


def test_the_definition_of_clean_is_part_of_the_answer() -> None:
    parts = {
        "non_fossil_electricity": 30.0,
        "non_fossil_heat": 10.0,
        "natural_gas": 40.0,
    }
    shares = {
        name: onsite.clean_share(parts, 100, definition=name, basis="calorific")
        for name in onsite.CLEAN_PARTS
    }
    assert [each.share for each in shares.values()] == [0.3, 0.4, 0.8]
    for name, each in shares.items():
        assert (each.definition, each.basis) == (name, "calorific")
    known = onsite.clean_share(
        {"non_fossil_electricity": 30.0},
        100,
        definition="non_fossil",
        basis="equal_value",
    )
    assert np.isnan(known.share)  # nobody said that there is no heat
    for definition, basis in (("green", "calorific"), ("non_fossil", "当量")):
        with pytest.raises(ValueError, match="no clean energy"):
            onsite.clean_share(parts, 100, definition=definition, basis=basis)
    nothing = onsite.clean_share(parts, 0, definition="non_fossil", basis="calorific")
    assert np.isnan(nothing.share)


@given(
    arrays(np.float64, (3, 6), elements=ENERGY),
    arrays(np.float64, (2, 6), elements=ENERGY),
)
def test_what_balances_holds_and_a_lost_load_is_found(
    sources: np.ndarray, others: np.ndarray
) -> None:
    load = sources.sum(axis=0) - others.sum(axis=0)
    sinks = np.vstack([load, others])
    classes = [0.5, 0.5, 1, 1, 0.5, 1]
    found = onsite.identity(sources, sinks, classes)
    assert_array_equal(found.residual, np.zeros(6))
    assert_array_equal(found.state, [onsite.HOLDS] * 6)
    for sign in (-1, 1):  # lost, and out of nothing
        other = sinks.copy()
        other[0] += sign * (3 * found.tolerance + 1)
        wrong = onsite.identity(sources, other, classes)
        assert_array_equal(wrong.state, [onsite.BROKEN] * 6)


def test_the_identity_by_hand() -> None:
    sources = np.array([[100.0, 100, 100, np.nan], [50, 50, 50, 50], [10, 10, 10, 10]])
    sinks = np.array([[140.0, 137, 120, 140], [10, 10, 10, 10], [5, 5, 5, 5]])
    found = onsite.identity(sources, sinks, [1.0] * 6, losses=5)
    assert_array_equal(found.residual, [0, 3, 20, np.nan])
    # 2·√Σ(E/100)²/3 of the first: Σ E² = 100² + 50² + 10² + 140² + 10² + 5²
    assert found.tolerance[0] == pytest.approx(0.02 * np.sqrt(32325 / 3))
    assert [IDENTITY_NAMES[each] for each in found.state] == [
        "holds",
        "broken",
        "broken",
        "unknown",
    ]
    wide = onsite.identity(sources, sinks, [1.0] * 6, losses=5, resolution_kwh=0.5)
    assert wide.state[1] == onsite.HOLDS


def test_gas_at_reference() -> None:
    assert pytest.approx(1.0732, abs=5e-5) == onsite.M3_AT_20C_PER_NM3
    found = onsite.gas_at_reference(1.0732, 101.325, 20)
    assert found == pytest.approx(1, abs=5e-5)
    assert onsite.gas_at_reference(1, 202.65, 0) == pytest.approx(2)
    assert onsite.gas_at_reference(1, 101.325, 0, 20) == pytest.approx(1.0732, abs=5e-5)
    found = onsite.gas_at_reference(1, 101.325, 20, 20, compressibility_ratio=0.8)
    assert found == pytest.approx(1.25)
    for kpa, celsius in ((0, 20), (np.nan, 20), (100, -300)):
        assert np.isnan(onsite.gas_at_reference(1, kpa, celsius))
