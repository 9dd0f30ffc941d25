"""Which factor of which year applies, whose it is, and when."""

from datetime import date
from typing import Any

import pytest

from analytics.jobs import factors, methods
from analytics.jobs.choosing import NONE, Chooser
from analytics.jobs.methods import Choice
from store.records import Factor

MONTHS = [date(year, month, 1) for year in range(2018, 2027) for month in (1, 7)]


def rows() -> list[Factor]:
    names = ["data_year", "published", "valid_from", "valid_to", "verified"]
    names += ["code", "kind", "carrier", "basis", "region", "value", "unit", "source"]
    return [
        Factor(factor_id=i, **{name: row.get(name) for name in names})  # type: ignore[arg-type]
        for i, row in enumerate(factors.shipped(), 1)
    ]


def chooser(*local: Factor, **more: Any) -> Chooser:
    given: dict[str, Any] = {"region": "CN-JS", "owners": [(1, 2), (1, 3)]}
    return Chooser(rows(), local, **(given | {"months": MONTHS} | more))


def power(method: str, kind: str = "co2", **more: Any) -> dict[int, float | None]:
    """Give the factor of electricity in July of each year."""
    of = chooser(**more)
    (which,) = [each for each in methods.of_kind(kind) if each.name == method]
    places = of.choose(kind, "electricity", which.factors["electricity"])
    assert (places[0] == places[1]).all()
    return {
        month.year: None if place == NONE else of.factors[place].value
        for month, place in zip(MONTHS, places[0].tolist(), strict=True)
    }


def years(*values: float | None) -> dict[int, float | None]:
    return dict(zip(range(2018, 2027), values, strict=True))


@pytest.mark.parametrize(
    ("method", "kind", "wanted"),
    [
        ("location_national", "co2", years(*[0.5306] * 9)),
        ("location_region", "co2", years(*[0.5827] * 9)),
        ("residual", "co2", years(*[0.6096] * 9)),
        ("zero_carbon_park", "co2", years(*[0.8325] * 9)),
        ("enterprise", "co2", years(*[0.5306] * 9)),
        (
            "provincial_inventory",
            "co2",
            years(None, None, None, 0.6451, 0.5978, *[0.5827] * 4),
        ),
        ("ghg_market", "co2", years(None, None, None, 0.5942, 0.5856, *[0.6096] * 4)),
        (
            "ets",
            "co2",
            years(None, None, None, 0.5810, 0.5703, 0.5703, None, None, None),
        ),
        ("calorific", "energy", years(*[0.1229] * 9)),
        ("equal_value", "energy", years(*[0.3024] * 9)),
        (
            "equal_value_of_year",
            "energy",
            years(None, None, 0.3055, 0.3015, 0.3007, 0.3019, *[0.3024] * 3),
        ),
    ],
)
def test_the_factor_of_power(
    method: str, kind: str, wanted: dict[int, float | None]
) -> None:
    assert power(method, kind) == wanted


def test_other_regions_and_none() -> None:
    assert power("location_region", region="CN-SC")[2025] == 0.1564
    assert power("location_region", region="CN-NORTH")[2025] == 0.6361
    assert power("location_region", region="CN-XZ")[2025] is None  # Tibet
    assert power("location_region", region="CN")[2025] == 0.5306


def own(i: int, subject: int, value: float, **more: Any) -> Factor:
    given: dict[str, Any] = {
        "code": f"own-{i}",
        "kind": "co2",
        "carrier": "heat",
        "basis": "default",
        "region": "own",
        "data_year": None,
        "published": None,
        "valid_from": date(2022, 1, 1),
        "valid_to": None,
        "unit": "tCO2/GJ",
        "source": "test",
        "verified": False,
    }
    return Factor(
        factor_id=10_000 + i, value=value, subject_id=subject, **(given | more)
    )


def test_own_factors_by_validity_the_last_recorded_and_the_nearest() -> None:
    of = chooser(
        own(1, 2, 0.05),
        own(2, 1, 0.09),
        own(3, 2, 0.04, valid_from=date(2023, 1, 1), valid_to=date(2024, 1, 1)),
    )
    choice = Choice(basis="default", region="CN", year="newest_published")
    places = of.choose("co2", "heat", choice)
    values = [[of.factors[i].value for i in row] for row in places.tolist()]
    by_year = {m.year: (a, b) for m, a, b in zip(MONTHS, *values, strict=True)}
    assert by_year[2021] == (0.11, 0.11)
    assert by_year[2022] == (0.05, 0.09)  # the enterprise's goes before the park's
    assert by_year[2023] == (0.04, 0.09)
    assert by_year[2024] == (0.05, 0.09)
    assert of.own("co2", "heat", choice) == [1, 2]
    other = Choice(basis="net_calorific", region="CN", year="newest_published")
    assert of.own("co2", "heat", other) == []


def test_methods_are_whole() -> None:
    known = {row["basis"] for row in factors.shipped()}
    for method in methods.shipped():
        assert {"electricity", "heat", "fuel"} <= set(method.factors)
        assert {each.basis for each in method.factors.values()} <= known
        assert ("process" in method.factors) == (method.processes == "included")
        assert ("gas" in method.factors) == (method.gases == "co2e")
        assert method.source
        if "memory" in method.source:
            assert not method.verified
    bad = vars(methods.shipped()[0]) | {"green": "perhaps", "factors": {}}
    with pytest.raises(ValueError, match="green 'perhaps'"):
        methods._method(bad)
