"""Formulas are read as they are written, and what makes no sense is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import formulas, registry, relations
from store.database import Connection, connect
from store.errors import Invalid
from store.formulas import Written, parse, wording

CODES = st.from_regex(r"[A-Za-z0-9._-]{1,8}", fullmatch=True)
FACTORS = st.one_of(
    st.just(1.0), st.integers(1, 999_999).map(float), st.floats(1e-9, 999_999.0)
)


def test_a_formula_as_people_write_it() -> None:
    assert parse("E01/M1 + E01/M2 - 0.5 E02/M7") == [
        Written(1.0, "E01", "M1", None),
        Written(1.0, "E01", "M2", None),
        Written(-0.5, "E02", "M7", None),
    ]
    assert parse("- 2 × A/B-1:energy_export") == [
        Written(-2.0, "A", "B-1", "energy_export")
    ]
    assert parse("0.25*A/B".replace("*", " * ")) == [Written(0.25, "A", "B", None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends where a meter is expected"),
        ("A/1 +", "ends where a meter is expected"),
        ("A/1 B/2", r"\+ or - is expected"),
        ("A/1 + + B/2", "a meter is expected"),
        ("A/1+B/2", "no ENTERPRISE/METER"),
        ("M1", "no ENTERPRISE/METER"),
        ("2 3 A/1", "no ENTERPRISE/METER"),
        ("0 A/1", "no factor above 0"),
        ("1e3 A/1", "no ENTERPRISE/METER"),
        ("2 - A/1", "a meter is expected"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        parse(text)


@given(
    st.lists(
        st.builds(
            lambda factor, sign, owner, meter, quantity: Written(
                factor * sign, owner, meter, quantity
            ),
            FACTORS,
            st.sampled_from([1.0, -1.0]),
            CODES,
            CODES,
            st.sampled_from([None, "energy_export"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read_again(terms: list[Written]) -> None:
    again = parse(wording(terms))
    assert [each[1:] for each in again] == [each[1:] for each in terms]
    assert [each.coefficient for each in again] == [
        pytest.approx(each.coefficient, rel=1e-9) for each in terms
    ]


def ground(conn: Connection) -> tuple[int, int]:
    park = registry.add_park(conn, "p", zone="UTC")
    owner = registry.add_enterprise(conn, park, "e")
    for code in ("A", "B"):
        meter = registry.add_meter(conn, park, owner, code)
        relations.confirm_meter(conn, meter, owner, source="test")
        for quantity in ("energy_import", "energy_export"):
            relations.add_meter_channel(conn, meter, quantity, "register")
    return park, owner


def state(
    conn: Connection, ids: tuple[int, int], code: str, formula: str, **more: str
) -> int:
    return formulas.add_virtual(
        conn,
        *ids,
        code,
        formula=formula,
        source="test",
        quantity=more.get("quantity", "energy_import"),
    )


@pytest.mark.db
def test_circles_and_what_is_not_there_are_refused(database: str) -> None:
    with connect(database, autocommit=True) as conn:
        ids = ground(conn)
        state(conn, ids, "V", "e/A + e/B")
        state(conn, ids, "W", "e/V - e/A")
        with pytest.raises(Invalid, match="rests on this meter"):
            state(conn, ids, "V", "e/A + 2 e/W")
        with pytest.raises(Invalid, match="rests on this meter"):
            state(conn, ids, "W", "e/W")
        with pytest.raises(Invalid, match="no meter 'e/Y'"):
            state(conn, ids, "X", "e/Y")
        # of another quantity it is no circle
        state(conn, ids, "V", "e/A:energy_import - e/W", quantity="energy_export")
        with pytest.raises(Invalid, match="in kwh, water"):
            state(conn, ids, "V", "e/A:energy_import", quantity="water")
        with pytest.raises(Invalid, match="none that adds up"):
            state(conn, ids, "V", "e/A", quantity="power")
        assert "X" not in registry.meter_codes(conn, ids[0]).values()
        stated = formulas.stated(conn, ids[0])
        assert [(each.meter, each.formula) for each in stated] == [
            ("V", "e/A:energy_import - e/W"),
            ("V", "e/A + e/B"),
            ("W", "e/V - e/A"),
        ]


@pytest.mark.db
def test_a_virtual_meter_has_no_readings_and_a_read_one_no_formula(
    database: str,
) -> None:
    with connect(database, autocommit=True) as conn:
        ids = ground(conn)
        virtual = state(conn, ids, "V", "e/A + e/B")
        for kind in ("register", "delta", "gauge"):
            with pytest.raises(Invalid, match="a virtual one"):
                relations.add_meter_channel(conn, virtual, "energy_import", kind)
        with pytest.raises(Invalid, match="a virtual one"):
            relations.set_multiplier(
                conn, virtual, ct=2, pt=1, valid_from=relations.BEGINNING, source="test"
            )
        with pytest.raises(Invalid, match="read itself"):
            state(conn, ids, "A", "e/B")
        assert formulas.virtual_meters(conn, ids[0]) == {virtual}
        (row,) = [m for m in registry.meters(conn, ids[0]) if m.code == "V"]
        assert (row.role, row.confirmed_at is not None) == ("check", True)
