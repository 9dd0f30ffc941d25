import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from analytics import decomposition
from analytics.decomposition import Effects, State

POSITIVE = st.floats(1e-3, 1e6)
AMOUNT = st.one_of(POSITIVE, st.just(0.0))


@st.composite
def states(draw: st.DrawFn, elements: st.SearchStrategy[float] = POSITIVE) -> State:
    """Three enterprises with two carriers; nothing comes out of nothing."""
    value = draw(arrays(np.float64, 3, elements=elements))
    energy = draw(arrays(np.float64, (3, 2), elements=elements))
    energy[value == 0] = 0
    factor = draw(arrays(np.float64, (3, 2), elements=st.floats(0, 10)))
    factor[factor < 0.01] = 0
    return State(value, energy, energy * factor)


def total(effects: Effects) -> np.ndarray:
    return np.asarray(np.sum(effects[:5], axis=0))


def close(found: np.ndarray, wanted: np.ndarray, *of: State) -> None:
    size = max([1.0, *(float(each.carbon.max()) for each in of)])
    assert_allclose(found, wanted, rtol=0, atol=1e-9 * size)


@given(states(), states())
def test_the_effects_add_up_to_the_change(before: State, after: State) -> None:
    found = decomposition.lmdi(before, after)
    change = after.carbon.sum(axis=1) - before.carbon.sum(axis=1)
    close(found.change, change, before, after)
    close(total(found), change, before, after)


@given(states(AMOUNT), states(AMOUNT))
def test_they_do_so_when_enterprises_and_carriers_come_and_go(
    before: State, after: State
) -> None:
    found = decomposition.lmdi(before, after)
    if before.value.sum() > 0 and after.value.sum() > 0:
        close(total(found), found.change, before, after)
    else:
        assert np.isnan(found[:5]).all()


@given(states(AMOUNT), states(AMOUNT))
def test_the_way_back_has_the_opposite_effects(before: State, after: State) -> None:
    there = decomposition.lmdi(before, after)
    back = decomposition.lmdi(after, before)
    for one, other in zip(there, back, strict=True):
        close(one, -other, before, after)


@given(states(), st.floats(0.5, 2))
def test_growth_of_everything_alike_is_activity_alone(
    before: State, growth: float
) -> None:
    after = State(*(growth * each for each in before))
    found = decomposition.lmdi(before, after)
    close(found.activity, found.change, before, after)
    for other in found[1:5]:
        close(other, np.zeros(3), before, after)


@given(states(AMOUNT), states(AMOUNT))
def test_zeros_are_the_limits_of_small_numbers(before: State, after: State) -> None:
    # a tiny enterprise instead of none; the limit is reached as 1 / log, so slowly
    if before.value.sum() == 0 or after.value.sum() == 0:
        return

    def tiny(state: State, other: State) -> State:
        gone = (state.value == 0) & (other.value > 0)
        value = np.where(gone, 1e-250 * other.value, state.value)
        energy = np.where(gone[:, None], 1e-250 * other.energy, state.energy)
        carbon = np.where(gone[:, None], 1e-250 * other.carbon, state.carbon)
        return State(value, energy, carbon)

    exact = decomposition.lmdi(before, after)
    near = decomposition.lmdi(tiny(before, after), tiny(after, before))
    size = max(1.0, before.carbon.max(), after.carbon.max())
    for one, other in zip(exact, near, strict=True):
        assert_allclose(one, other, rtol=0, atol=0.1 * size)


def test_the_known_vector() -> None:
    before = State(np.array([200.0]), np.array([[100.0]]), np.array([[250.0]]))
    after = State(np.array([240.0]), np.array([[108.0]]), np.array([[243.0]]))
    weight = decomposition.log_mean(after.carbon, before.carbon)
    assert weight.item() == pytest.approx(246.4834, abs=5e-5)
    found = decomposition.lmdi(before, after)
    assert found.activity.item() == pytest.approx(44.9392, abs=5e-5)
    assert found.intensity.item() == pytest.approx(-25.9696, abs=5e-5)
    assert found.carbon_factor.item() == pytest.approx(-25.9696, abs=5e-5)
    assert found.structure == found.mix == 0
    assert total(found).item() == pytest.approx(-7)


# value, energy of power and gas, carbon of power and gas
ALONE = State(np.array([100.0, 0]), np.array([[10.0, 0], [0, 0]]), np.zeros((2, 2)))


def enterprises(*rows: tuple[float, float, float, float, float]) -> State:
    table = np.array(rows)
    return State(table[:, 0], table[:, 1:3], table[:, 3:])


def test_entry_and_exit_belong_to_structure() -> None:
    one = enterprises((100, 10, 0, 20, 0), (0, 0, 0, 0, 0))
    two = enterprises((100, 10, 0, 20, 0), (100, 5, 5, 7, 9))
    found = decomposition.lmdi(one, two)
    assert found.structure[1] == 16
    assert found.change[1] == 16
    # the other's share was halved while all grew to twice: 20·ln 2 and back
    assert_allclose(found.activity, [20 * np.log(2), 0])
    assert_allclose(found.structure[0], -20 * np.log(2))
    assert_allclose(decomposition.lmdi(two, one).structure[1], -16)


def test_a_new_carrier_is_mix_and_a_clean_one_is_carbon_factor() -> None:
    before = enterprises((100, 10, 0, 20, 0))
    found = decomposition.lmdi(before, enterprises((100, 5, 5, 10, 8)))
    # power: 10/ln 2 · ln(1/2) = -10; gas: +8
    assert found.mix.item() == pytest.approx(-2)
    assert found.carbon_factor.item() == pytest.approx(0)
    found = decomposition.lmdi(before, enterprises((100, 10, 0, 0, 0)))
    assert found.carbon_factor.item() == pytest.approx(-20)
    assert found.mix == found.intensity == found.activity == 0


def test_an_enterprise_without_energy_and_one_that_never_was() -> None:
    idle = enterprises((100, 0, 0, 0, 0), (50, 1, 0, 2, 0), (0, 0, 0, 0, 0))
    runs = enterprises((100, 10, 0, 20, 0), (50, 1, 0, 2, 0), (0, 0, 0, 0, 0))
    found = decomposition.lmdi(idle, runs)
    assert_array_equal(found.intensity, [20, 0, 0])
    assert_array_equal(total(found), [20, 0, 0])


def test_what_no_product_describes_is_unknown_for_that_enterprise_alone() -> None:
    before = enterprises(*[(100, 10, 1, 20, 2)] * 7)
    after = enterprises(
        (100, 10, 1, 20, 2),
        (0, 10, 1, 20, 2),  # energy without added value
        (100, 10, 0, 20, 2),  # carbon without energy
        (-10, 10, 1, 20, 2),
        (100, -1, 12, 20, 2),
        (100, 10, 1, -20, 2),
        (100, 10, 1, np.nan, 2),
    )
    found = decomposition.lmdi(before, after)
    for each in found[:5]:
        assert_array_equal(np.isnan(each), [False] + [True] * 6)
    assert_array_equal(found.change, [0, 0, 0, 0, 0, -40, np.nan])


def test_an_unknown_value_of_one_makes_the_activity_of_all_unknown() -> None:
    before = enterprises((100, 10, 1, 20, 2), (100, 10, 1, 20, 2))
    after = enterprises((100, 10, 1, 20, 2), (np.nan, 10, 1, 20, 2))
    assert np.isnan(decomposition.lmdi(before, after)[:5]).all()


@given(st.lists(states(AMOUNT), min_size=2, max_size=4))
def test_chained_effects_add_up_to_the_whole_change(years: list[State]) -> None:
    if min(each.value.sum() for each in years) == 0:
        return
    found = decomposition.lmdi_chained(years)
    change = years[-1].carbon.sum(axis=1) - years[0].carbon.sum(axis=1)
    close(found.change, change, *years)
    close(total(found), change, *years)


def test_a_chain_needs_two_periods() -> None:
    with pytest.raises(ValueError, match="1 periods"):
        decomposition.lmdi_chained([ALONE])


@given(POSITIVE, POSITIVE)
def test_the_logarithmic_mean_lies_between_the_other_means(a: float, b: float) -> None:
    mean = float(decomposition.log_mean(np.array(a), np.array(b)))
    assert np.sqrt(a) * np.sqrt(b) * (1 - 1e-12) <= mean <= (a + b) / 2 * (1 + 1e-12)


@given(POSITIVE, st.integers(1, 1000))
def test_the_logarithmic_mean_of_neighbours_keeps_its_digits(
    a: float, steps: int
) -> None:
    b = a + steps * float(np.spacing(a))
    mean = float(decomposition.log_mean(np.array(a), np.array(b)))
    assert mean == pytest.approx((a + b) / 2, rel=1e-15)


def test_the_logarithmic_mean_of_near_equals_and_of_nothing() -> None:
    found = decomposition.log_mean(
        np.array([3.0, 1 + 1e-12, 0, 5, 0, -1, np.nan]),
        np.array([3.0, 1, 5, 0, 0, 1, 1]),
    )
    assert_allclose(found, [3, 1 + 5e-13, 0, 0, 0, np.nan, np.nan], rtol=1e-15)
