"""Whose green power lowers whose line: the park's account against a plain reckoning."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import carbon
from analytics.jobs import accounting, green, methods
from analytics.jobs.accounting import Account, Sheet
from analytics.jobs.choosing import Chooser
from store.green import GreenMatch, GreenPower
from store.records import Factor

JAN = date(2024, 1, 1)
NOW = datetime(2024, 6, 1, tzinfo=UTC)
CODES = "aotn"
ROWS = {100 + i: i for i in range(1, 1 + len(CODES))}  # 0 is the park
IDS = dict(zip(CODES, ROWS, strict=True))
MWH: dict[str, float] = {"a": 900, "o": 100, "t": 40, "n": 30}
# who is above whose meter, the next one first
TREES: list[dict[str, str]] = [
    {"t": "o"},
    {"t": "o", "n": "o"},
    {"t": "o", "n": "to"},
    {"t": "no", "n": "o"},
    {"n": "t"},
    {"t": "n"},
    {},
]
(METHOD,) = [each for each in methods.shipped() if each.name == "enterprise"]
GRID = 0.5306
OWN = {"a": 0.7, "o": 0.9, "t": 0.5, "n": 0.3}


def factor(i: int, basis: str, value: float, owner: int | None = None) -> Factor:
    return Factor(
        factor_id=i,
        code=f"{basis}/{owner or 'CN'}",
        kind="co2",
        carrier="electricity",
        basis=basis,
        region="CN",
        data_year=None if owner else 2023,
        published=None,
        valid_from=None,
        valid_to=None,
        value=value,
        unit="kgCO2/kWh",
        source="test",
        verified=False,
        subject_id=owner,
    )


def account(
    tree: Mapping[str, str],
    own: Mapping[str, float],
    proofs: Mapping[str, float],
    partly: Mapping[str, str] | None = None,
    maker: str | None = None,
) -> Account:
    """Give the accounts of GB/T 32151 of one month; all proofs are of one record.

    Of those in `partly` another meter stands behind these, the next one first.
    """
    sizes = sizes_of(tree)
    top = sum(each for code, each in sizes.items() if code not in tree)
    amounts = np.array([[top], *([sizes[code]] for code in CODES)]) * 1e3
    chains = {code: tuple(IDS[e] for e in tree.get(code, "")) for code in CODES}
    behind = {
        ("energy_import", IDS[code], 0): frozenset({who})
        for code, who in chains.items()
    }
    for code, who in (partly or {}).items():
        key = ("energy_import", IDS[code], 0)
        behind[key] |= {tuple(IDS[each] for each in who)}
    record = GreenPower(
        green_power_id=1,
        kind="certificate",
        reference="G",
        production_month=JAN,
        kwh=1e9,
        technology="wind",
        plant=None,
        producer=maker,
        part_of=None,
        evidence="certificates",
        issued=None,
        expires=None,
        cancelled=False,
        source="test",
        who="test",
        recorded_at=NOW,
    )
    matches = [
        GreenMatch(
            green_match_id=i,
            kind="certificate",
            reference="G",
            production_month=JAN,
            enterprise_id=IDS[code],
            enterprise=code,
            month=JAN,
            kwh=proof * 1e3,
            source="test",
            who="test",
            recorded_at=NOW,
        )
        for i, (code, proof) in enumerate(proofs.items())
        if proof
    ]
    laid = green.lay_out(
        [record],
        matches,
        amounts,
        np.full_like(amounts, np.nan),
        np.full_like(amounts, np.nan),
        rows=ROWS,
        codes={code: ROWS[IDS[code]] for code in CODES},
        park_row=0,
        months=[JAN],
        whole=np.ones(1, np.bool_),
        shape=(5, 1),
        behind=behind,
    )
    sheet = Sheet(
        amounts={"energy_import": amounts},
        shape=(5, 1),
        park_row=0,
        rows=ROWS,
        stated=(),
        green=laid,
        behind=behind,
    )
    local = [factor(9 + i, "grid_average", own[e], IDS[e]) for i, e in enumerate(own)]
    known = [factor(1, "grid_average", GRID), factor(2, "proven_green", 0.0)]
    owners = [(7,), *((7, each) for each in ROWS)]
    chooser = Chooser(known, local, region="CN-JS", owners=owners, months=[JAN])
    return accounting.account(sheet, METHOD, chooser, carbon.UNIT_SCALE)


def sizes_of(tree: Mapping[str, str]) -> dict[str, float]:
    """Give what went through each meter: at least what went on to those behind."""
    return MWH | {"n": 45 if tree.get("t", "")[:1] == "n" else 30}


def lines(of: Account) -> dict[str, float]:
    """Give the park's metered lines [MWh], by whose factor they take."""
    code = {f"grid_average/{i}": each for each, i in IDS.items()}
    return {
        code.get(each["factor"], "park"): each["amount"] / 1e3
        for each in of.told(0)
        if each["origin"] == "metered"
    }


def reckon(
    tree: Mapping[str, str], own: Mapping[str, float], proofs: Mapping[str, float]
) -> dict[str, float] | None:
    """Reckon the same in fractions, down the tree; None: more is proven than went through.

    What each uses itself is green by its own proof first; what is beyond goes to all behind
    it alike, and is the same share of what each of them has left.
    """
    sizes = {code: Fraction(each) for code, each in sizes_of(tree).items()}

    def below(code: str) -> list[str]:
        return [each for each in CODES if tree.get(each, "")[:1] == code]

    def left(code: str) -> dict[str, Fraction]:
        behind: dict[str, Fraction] = {}
        for each in below(code):
            behind |= left(each)
        use = sizes[code] - sum(sizes[each] for each in below(code))
        proof = Fraction(proofs.get(code, 0))
        if proof <= use:
            return behind | {code: use - proof}
        whole = sum(behind.values())
        if proof - use > whole:
            raise OverflowError
        kept = 1 - (proof - use) / whole
        return {each: amount * kept for each, amount in behind.items()} | {
            code: 0 * use
        }

    found: dict[str, Fraction] = defaultdict(Fraction)
    try:
        for top in (each for each in CODES if each not in tree):
            for code, amount in left(top).items():
                who = next((e for e in (code, *tree.get(code, "")) if e in own), "park")
                found[who] += amount
    except OverflowError:
        return None
    return {who: float(amount) for who, amount in found.items()}


proofs = st.dictionaries(st.sampled_from(CODES), st.integers(0, 110), max_size=4)
owners = st.sets(st.sampled_from(CODES)).map(lambda who: {e: OWN[e] for e in who})


@given(st.sampled_from(TREES), owners, proofs)
def test_lines_are_those_of_a_plain_reckoning(
    tree: dict[str, str], own: dict[str, float], proofs: dict[str, int]
) -> None:
    sizes = sizes_of(tree)
    proofs = {e: min(p, int(sizes[e])) for e, p in proofs.items()}
    of = account(tree, own, proofs)
    expected = reckon(tree, own, proofs)
    if expected is None:
        assert np.isnan(of.total[0, 0])
        return
    told = lines(of)
    assert min(told.values()) >= 0
    top = sum(each for code, each in sizes.items() if code not in tree)
    assert sum(told.values()) == pytest.approx(top - sum(proofs.values()), abs=1e-6)
    for who in {*told, *expected}:
        assert told.get(who, 0) == pytest.approx(expected.get(who, 0), abs=1e-6), who
    kg = sum(mwh * own.get(who, GRID) for who, mwh in expected.items())
    assert of.total[0, 0] == pytest.approx(kg, abs=1e-6)
    # a factor like the one that applies anyway is no change
    for code in CODES:
        above = next((own[e] for e in (code, *tree.get(code, "")) if e in own), GRID)
        same = account(tree, own | {code: above}, proofs)
        assert same.total[0, 0] == pytest.approx(of.total[0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("tree", "own", "proofs", "expected"),
    [
        # n took 45, 40 of them went on to t: of its 30 proven MWh 25 are of t's power
        ({"t": "n"}, "t", {"n": 30}, {"t": 15, "park": 1000}),
        # and o above both keeps its own 55
        ({"t": "no", "n": "o"}, "ot", {"n": 30}, {"o": 55, "t": 15, "park": 900}),
        # o proves 60: its own 55, and 5 of the 15 that are left behind it, all of t
        ({"t": "no", "n": "o"}, "ot", {"n": 30, "o": 60}, {"t": 10, "park": 900}),
        # t, 40 MWh, has 30 behind it and no factor: 15 are beyond its own 10
        ({"t": "o", "n": "to"}, "on", {"t": 25}, {"o": 60, "n": 15, "park": 900}),
        # 20 beyond o's own 30 are two sevenths of the 40 and 30 behind it
        ({"t": "o", "n": "o"}, "ot", {"o": 50}, {"o": 30 * 5 / 7, "t": 40 * 5 / 7}),
        # certificates are of whole MWh: 0.4 kWh are more than all 40 MWh of t
        ({"n": "t"}, "t", {"t": 30, "n": 10.0004}, {"t": 0, "park": 999.9996}),
    ],
)
def test_by_hand(
    tree: dict[str, str],
    own: str,
    proofs: dict[str, float],
    expected: dict[str, float],
) -> None:
    told = lines(account(tree, {each: OWN[each] for each in own}, proofs))
    for who in {*told, *expected}:
        known = expected.get(who, 900 if who == "park" else 0)
        assert told.get(who, 0) == pytest.approx(known, abs=1e-9), who


@pytest.mark.parametrize(
    ("own", "proofs", "known"),
    [
        ("t", {"n": 30}, False),  # how much of n's 15 beyond its own is of t?
        ("t", {}, True),  # nobody asks
        ("", {"n": 30}, True),
        ("o", {"n": 30}, True),
    ],
)
def test_one_that_is_partly_behind_a_prover(
    own: str, proofs: dict[str, float], known: bool
) -> None:
    """Of the two meters of t one is behind n, the other beside it."""
    of = account({"t": "n"}, {each: OWN[each] for each in own}, proofs, {"t": ""})
    assert np.isnan(of.total[0, 0]) != known


@pytest.mark.parametrize(
    ("maker", "o_mwh", "known"),
    [(None, 60, True), (None, 61, False), ("a", 61, False), ("n", 61, True)],
)
def test_power_of_a_neighbour_needs_room_in_the_meter_it_came_through(
    maker: str | None, o_mwh: float, known: bool
) -> None:
    """Of the 100 MWh of o, t has 40 and proves them; what n made never passed o's meter."""
    of = account({"t": "o", "n": "o"}, {}, {"o": o_mwh, "t": 40}, maker=maker)
    assert np.isnan(of.total[0, 0]) != known
