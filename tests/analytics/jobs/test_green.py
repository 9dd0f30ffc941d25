"""What holds of any ledger: one kWh counts once, and no more than was taken."""

from collections import defaultdict
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from analytics.jobs.green import STORED_KWH, check, expiry
from store.green import GreenMatch, GreenPower

MONTHS = (date(2024, 1, 1), date(2024, 2, 1), date(2026, 1, 1))
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def record(
    i: int, kind: str, month: date, kwh: float, part_of: str | None
) -> GreenPower:
    return GreenPower(
        green_power_id=i,
        kind=kind,
        reference=f"R{i}",
        production_month=month,
        kwh=kwh,
        technology="wind",
        plant={0: "Farm 1", 6: " farm\u3000１", 8: None}.get(i, f"plant {i}"),
        producer=None,
        part_of=part_of,
        evidence="proof" if i != 5 else None,
        issued=None,
        expires=None,
        cancelled=i == 4,
        source="test",
        who="test",
        recorded_at=NOW,
    )


# three trades or supplies, then certificates, some of which stand for them
RECORDS = [
    record(0, "trade", MONTHS[0], 5000, None),
    record(1, "direct", MONTHS[1], 3000, None),
    record(2, "self_use", MONTHS[0], 1000, None),
    record(3, "certificate", MONTHS[0], 4000, "R0"),
    record(4, "certificate", MONTHS[0], 4000, None),
    record(5, "certificate", MONTHS[0], 4000, None),
    record(6, "certificate", MONTHS[0], 4000, None),
    record(7, "certificate", MONTHS[0], 4000, None),
    record(8, "certificate", MONTHS[0], 4000, None),
]
matches = st.lists(
    st.tuples(
        st.sampled_from(RECORDS),
        st.integers(1, 2),
        st.sampled_from(MONTHS),
        st.floats(1, 6000),
    ),
    max_size=12,
)


@given(matches, st.floats(0, 9000))
def test_what_is_right_is_within_every_bound(
    asked: list[tuple[GreenPower, int, date, float]], limit: float
) -> None:
    made = [
        GreenMatch(
            green_match_id=i,
            kind=of.kind,
            reference=of.reference,
            production_month=of.production_month,
            enterprise_id=enterprise,
            enterprise=f"E{enterprise}",
            month=month,
            kwh=kwh,
            source="test",
            who="test",
            recorded_at=NOW,
        )
        for i, (of, enterprise, month, kwh) in enumerate(asked)
    ]
    taken = {(e, month): limit for e in (1, 2) for month in MONTHS}
    wrong = check(RECORDS, made, taken, taken)
    bad = {each.green_match_id for each in wrong}
    right = [each for each in made if each.green_match_id not in bad]
    known = {each.key: each for each in RECORDS}
    volume: dict[str, float] = defaultdict(float)
    month: dict[tuple[int, date, bool], float] = defaultdict(float)
    for each in right:
        of = known[each.key]
        assert of.evidence
        assert not of.cancelled
        end = expiry(of)
        assert end is None or each.month < end
        assert of.kind == "certificate" or each.month == of.production_month
        volume[of.reference] += each.kwh
        if of.part_of is not None:
            volume[of.part_of] += each.kwh
        month[each.enterprise_id, each.month, of.kind == "self_use"] += each.kwh
    for of in RECORDS:
        assert volume[of.reference] <= of.kwh + STORED_KWH + 1e-6
    assert all(each <= limit + STORED_KWH + 1e-6 for each in month.values())
    # certificates of a plant whose trade stands in the ledger are no second proof, nor are
    # those that do not say whose they are
    assert not {each.reference for each in right} & {"R6", "R8"}


def test_certificates_hold_two_years() -> None:
    assert expiry(RECORDS[7]) == date(2026, 1, 1)
    assert expiry(RECORDS[0]) is None
