import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import student

T = st.floats(0, 60)
FREEDOM = st.integers(1, 400)


@given(T, FREEDOM)
def test_both_sides_are_alike_and_further_is_rarer(t: float, freedom: int) -> None:
    p = student.two_sided_p(t, freedom)
    assert 0 <= p <= 1
    assert student.two_sided_p(-t, freedom) == p
    assert student.two_sided_p(t + 0.5, freedom) < p


@given(T)
def test_closed_forms_of_one_and_two_degrees(t: float) -> None:
    # Cauchy: 1 - 2/π·atan t; ν = 2: 1 - t/√(2 + t²)
    one = 2 / math.pi * math.atan2(1, t)
    assert student.two_sided_p(t, 1) == pytest.approx(one, rel=1e-10)
    root = math.sqrt(2 + t * t)
    assert student.two_sided_p(t, 2) == pytest.approx(2 / root / (root + t), rel=1e-10)


@given(st.floats(0, 6))
def test_many_degrees_are_the_normal_distribution(t: float) -> None:
    found = student.two_sided_p(t, 1e7)
    assert found == pytest.approx(math.erfc(t / math.sqrt(2)), rel=1e-4)


@pytest.mark.parametrize(
    ("freedom", "one_sided", "t"),
    [
        # printed tables of the t distribution
        (1, 0.95, 6.314),
        (2, 0.90, 1.886),
        (3, 0.90, 1.638),
        (4, 0.975, 2.776),
        (10, 0.975, 2.228),
        (30, 0.95, 1.697),
        (120, 0.995, 2.617),
    ],
)
def test_tables(freedom: int, one_sided: float, t: float) -> None:
    assert student.quantile(one_sided, freedom) == pytest.approx(t, abs=5e-4)
    assert student.quantile(1 - one_sided, freedom) == pytest.approx(-t, abs=5e-4)


@given(st.floats(0.001, 0.999), st.integers(1, 100))
def test_a_quantile_has_its_share(share: float, freedom: int) -> None:
    t = student.quantile(share, freedom)
    p = student.two_sided_p(t, freedom)
    assert (p / 2 if share < 0.5 else 1 - p / 2) == pytest.approx(share, rel=1e-9)


def test_edges() -> None:
    assert student.two_sided_p(0, 5) == 1
    assert student.two_sided_p(math.inf, 5) == 0
    assert student.two_sided_p(1e200, 5) == 0
    for t, freedom in ((math.nan, 5.0), (1, 0.0), (1, math.nan)):
        assert math.isnan(student.two_sided_p(t, freedom))
    assert student.quantile(0.5, 3) == 0
    for share, freedom in ((0.0, 3.0), (1.0, 3.0), (math.nan, 3.0), (0.9, 0.5)):
        with pytest.raises(ValueError, match="no quantile"):
            student.quantile(share, freedom)
