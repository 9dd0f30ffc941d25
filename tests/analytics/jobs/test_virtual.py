"""Virtual meters: sums, differences and parts of other meters, by formula."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.jobs import service, virtual
from analytics.jobs.balancing import balances
from analytics.jobs.figures import figures
from analytics.registers import QUARTER_US
from store import formulas, judgements, registry, relations
from store.batches import write_batch
from store.database import connect
from store.dirty import Span
from store.formulas import Formula, Term
from store.readings import NO_UNTIL, Rows, to_datetime, to_us
from store.records import Channel
from store.series import Series

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
MINUTE_US = 60_000_000
DAYS = date(2026, 3, 2), date(2026, 3, 3)


# --- formulas made flat, without a database


def channel(number: int, kind: str = "register") -> Channel:
    return Channel(
        channel_id=number,
        usage_id=number,
        meter_id=number,
        quantity="energy_import",
        kind=kind,
        digits=None,
        measured_up_to_s=1350.0,
        restarts=False,
        rated_per_h=None,
    )


def formula(
    key: int, terms: dict[int, float], since: datetime = START, **more: Any
) -> Formula:
    return Formula(
        key=key,
        value=tuple(Term(m, "energy_import", c) for m, c in terms.items()),
        valid_from=since,
        valid_to=more.get("until"),
        recorded_at=START,
    )


CHANNELS = [channel(n) for n in (1, 2, 3)] + [channel(n, "virtual") for n in (7, 8, 9)]


def parts(known: virtual.Virtual, at: datetime) -> dict[int, float] | None:
    for each in known.pieces:
        if each.start_us <= to_us(at) < each.stop_us:
            return dict(each.parts)
    return None


def test_formulas_over_virtual_meters_are_taken_apart() -> None:
    known = virtual.flatten(
        CHANNELS,
        [
            formula(7, {1: 1.0, 2: 1.0}),
            formula(8, {7: 2.0, 1: -2.0}),  # twice the second alone
            formula(9, {8: 0.5, 3: 1.0}, START + DAY, until=START + 3 * DAY),
            formula(7, {3: 1.0}, START + 2 * DAY),
        ],
    )
    assert parts(known[7], START) == {1: 1.0, 2: 1.0}
    assert parts(known[8], START) == {2: 2.0}
    assert parts(known[8], START + 2 * DAY) == {3: 2.0, 1: -2.0}
    assert parts(known[9], START) is None
    assert parts(known[9], START + DAY) == {2: 1.0, 3: 1.0}
    assert parts(known[9], START + 2 * DAY) == {1: -1.0, 3: 2.0}
    assert parts(known[9], START + 3 * DAY) is None
    assert known[9].below == {8, 7, 1, 2, 3}
    assert known[7].below == {1, 2, 3}


def test_a_formula_that_names_what_is_not_there_is_unknown() -> None:
    known = virtual.flatten(CHANNELS, [formula(7, {1: 1.0, 5: 1.0})])
    assert known[7].pieces == ()
    assert known[8].pieces == ()  # none was stated


QUARTERS = 8
AMOUNT = st.integers(-999, 999).map(lambda n: n / 8)
# of three meters, each quarter: amount, and which third of it is measured and estimated
USED = st.lists(
    st.lists(
        st.none() | st.tuples(AMOUNT, st.integers(0, 3), st.booleans()),
        min_size=QUARTERS,
        max_size=QUARTERS,
    ),
    min_size=3,
    max_size=3,
)


@given(USED, st.lists(AMOUNT.filter(bool), min_size=3, max_size=3))
def test_it_is_known_where_all_of_every_part_is(
    used: list[list[tuple[float, int, bool] | None]], factors: list[float]
) -> None:
    rows = [
        (m + 1, i, cell[0], 300.0 * cell[1], 300.0 * (3 - cell[1]) * cell[2])
        for m, each in enumerate(used)
        for i, cell in enumerate(each)
        if cell is not None
    ]
    series = Series(
        np.array([r[0] for r in rows], np.int64),
        np.array([to_us(START) + r[1] * QUARTER_US for r in rows], np.int64),
        np.array([[*r[2:], 900.0] for r in rows], np.float64).T.reshape(4, -1),
    )
    known = virtual.flatten(
        CHANNELS, [formula(7, dict(zip((1, 2, 3), factors, strict=True)))]
    )
    span = Span(7, START, START + QUARTERS * QUARTER, True)
    found = virtual.usage(known, [span], series)
    expected = {}
    for i in range(QUARTERS):
        cells = [each[i] for each in used]
        whole = [c for c in cells if c is not None and (c[1] == 3 or c[2])]
        if len(whole) == 3:
            expected[i] = (
                sum(f * c[0] for f, c in zip(factors, whole, strict=True)),
                300.0 * min(c[1] for c in whole),
                300.0 * max(3 - c[1] for c in whole),
                900.0,
            )
    place = (found.start_us - to_us(START)) // QUARTER_US
    assert place.tolist() == list(expected)
    assert [tuple(row) for row in found.values.T.tolist()] == list(expected.values())


# --- with a database


class Park:
    """Meters of one enterprise, each with its energy per step, and virtual ones."""

    def __init__(self, url: str, used: dict[str, np.ndarray], step: int = 15) -> None:
        self.url = url
        self.step_us = step * MINUTE_US
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, "p", zone="Asia/Shanghai")
            self.owner = registry.add_enterprise(conn, self.park, "e")
            self.meters: dict[str, int] = {}
            self.channels: dict[str, int] = {}
            for code in used:
                meter = registry.add_meter(conn, self.park, self.owner, code)
                relations.confirm_meter(conn, meter, self.owner, source="test")
                self.meters[code] = meter
                self.channels[code] = relations.add_meter_channel(
                    conn, meter, "energy_import", "register"
                )
        for code, energy in used.items():
            value = np.concatenate([[0.0], np.cumsum(energy)])
            self.write(code, np.arange(value.size), value)
        self.analyse()

    def write(self, code: str, steps: np.ndarray, value: np.ndarray) -> None:
        keep = ~np.isnan(value)
        at = to_us(START) - 8 * 3600 * 1_000_000 + steps[keep] * self.step_us
        key = self.channels[code]
        with connect(self.url) as conn:
            write_batch(
                conn,
                Rows(
                    np.full(at.size, key, np.int64),
                    at,
                    value[keep],
                    np.full(at.size, NO_UNTIL, np.int64),
                ),
                [],
                parks={key: self.park},
                totals={key},
                source="test",
                parser="test/1",
                messages=1,
            )

    def state(self, code: str, text: str, **more: Any) -> None:
        with connect(self.url, autocommit=True) as conn:
            self.meters[code] = formulas.add_virtual(
                conn,
                self.park,
                self.owner,
                code,
                quantity="energy_import",
                formula=text,
                source="test",
                **more,
            )
        self.analyse()

    def analyse(self) -> None:
        service.run(self.url, threading.Event(), once=True)

    def figures(self, meter: str | None = None, **more: Any) -> dict[str, Any]:
        with connect(self.url, autocommit=True) as conn:
            subject = registry.subject(conn, "p", "e", meter)
            return figures(conn, subject, *DAYS, **more)

    def amounts(self, code: str) -> dict[datetime, float]:
        with connect(self.url) as conn:
            rows = conn.execute(
                "SELECT u.start, u.amount FROM core.usage_15min u "
                "JOIN core.channel c USING (channel_id) "
                "LEFT JOIN core.meter m ON m.meter_id = c.subject_id "
                "LEFT JOIN core.enterprise e ON e.enterprise_id = c.subject_id "
                "WHERE coalesce(m.code, e.code) = %s ORDER BY 1",
                (code,),
            ).fetchall()
        return {row[0]: float(str(row[1])) for row in rows}  # type: ignore[misc]

    def now(self) -> datetime:
        with connect(self.url) as conn:
            row = conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        assert isinstance(row[0], datetime)
        return row[0]


def profile(seed: int, size: int = 96) -> np.ndarray:
    return np.round(np.random.default_rng(seed).random(size) * 9, 2)


@pytest.mark.db
def test_the_sum_of_all_is_the_enterprises_total_to_the_bit(database: str) -> None:
    park = Park(database, {code: profile(i) for i, code in enumerate("ABCDE")})
    # in another order than that of codes: the sum runs in the order of codes
    park.state("V", "e/C + e/A + e/E + e/B + e/D")
    assert park.amounts("V") == park.amounts("e")
    assert len(park.amounts("V")) == 96
    mine, whole = park.figures("V"), park.figures()
    for name in ("energy_kwh", "peak_demand_kw", "peak_start", "coverage"):
        assert mine[name] == whole[name], name


@pytest.mark.db
def test_a_difference_with_a_missing_part_is_unknown(database: str) -> None:
    park = Park(database, {"A": profile(1) + 10, "B": profile(2)[:48]})
    park.state("V", "e/A - 0.5 e/B")
    both = park.amounts("V")
    assert len(both) == 48
    a, b = park.amounts("A"), park.amounts("B")
    assert both == {at: a[at] + -0.5 * b[at] for at in b}
    found = park.figures("V")
    assert found["coverage"] == pytest.approx(0.5)
    assert found["energy_kwh"] == pytest.approx(sum(both.values()))
    # B's register goes on: what it used across the gap is known, its shape is not
    park.write("B", np.array([56]), np.array([profile(2)[:48].sum() + 8.0]))
    park.analyse()
    assert len(park.amounts("V")) == 56
    found = park.figures("V")
    assert found["measured_share"] == pytest.approx(0.5)
    assert found["estimated_share"] == pytest.approx(8 / 96)


@pytest.mark.db
def test_a_negative_difference_is_told_and_counted(database: str) -> None:
    a, b = np.full(96, 2.0), np.full(96, 1.0)
    b[40], b[41] = 5.0, 4.0
    park = Park(database, {"A": a, "B": b})
    park.state("V", "e/A - e/B")
    assert park.figures("V")["energy_kwh"] == pytest.approx(192 - 103)
    with connect(park.url) as conn:
        listed = judgements.events(
            conn, park.park, start=START - DAY, stop=START + DAY, most=9
        )
    (event,) = [each for each in listed if each.kind == "negative"]
    begin = START - timedelta(hours=8)
    assert (event.meter, event.at) == ("V", begin + 40 * QUARTER)
    assert (event.value_before, event.value_after) == pytest.approx((-3.0, -5.0))
    park.state("V", "e/A + e/B")
    with connect(park.url) as conn:
        listed = judgements.events(
            conn, park.park, start=START - DAY, stop=START + DAY, most=9
        )
    assert [each for each in listed if each.kind == "negative"] == []


@pytest.mark.db
def test_a_newer_formula_holds_and_the_older_is_still_answered(database: str) -> None:
    park = Park(database, {code: profile(i) for i, code in enumerate("ABC")})
    park.state("V", "e/A + e/B")
    park.state("W", "e/V - e/B + e/C")
    then = park.now()
    before = {code: park.figures(code) for code in ("V", "W")}
    noon = START + timedelta(hours=4)  # local noon
    park.state("V", "2 e/C", valid_from=noon)
    now = park.now()
    a, b, c = (park.amounts(code) for code in "ABC")
    assert park.amounts("V") == {
        at: a[at] + b[at] if at < noon else 2 * c[at] for at in a
    }
    assert park.amounts("W") == {
        at: a[at] + c[at] if at < noon else -b[at] + 3 * c[at] for at in a
    }
    for code in ("V", "W"):
        asked = park.figures(code, known_on=then)
        assert {**asked, "as_known_on": None} == before[code]
        asked, stored = park.figures(code, known_on=now), park.figures(code)
        assert {**asked, "as_known_on": None} == stored
        assert stored["energy_kwh"] != before[code]["energy_kwh"]


@pytest.mark.db
def test_it_counts_where_it_is_placed_and_balances(database: str) -> None:
    park = Park(database, {"G": profile(1) + 20, "A": profile(2), "B": profile(3)})
    total = park.figures()["energy_kwh"]
    park.state("V", "e/A + e/B")
    assert park.figures()["energy_kwh"] == total  # a check meter: nothing counts twice
    with connect(park.url, autocommit=True) as conn:
        for code in ("A", "B"):
            relations.place_meter(
                conn, park.meters[code], "sub", None, START - DAY, source="test"
            )
        relations.place_meter(
            conn, park.meters["V"], "main", None, START - DAY, source="test"
        )
    park.analyse()
    assert park.figures()["energy_kwh"] == pytest.approx(total)
    with connect(park.url, autocommit=True) as conn:
        relations.place_meter(
            conn, park.meters["V"], "sub", park.meters["G"], START - DAY, source="test"
        )
        park.analyse()
        (row,) = balances(conn, registry.park(conn, "p"), *DAYS)
    g, a, b = (sum(park.amounts(code).values()) for code in "GAB")
    assert row["below"] == ["e/V"]
    assert row["unaccounted"] == pytest.approx(g - a - b)


@pytest.mark.db
def test_its_sliding_demand_is_known_where_all_minutes_are(database: str) -> None:
    minutes = {code: profile(i, 24 * 60 + 60) for i, code in enumerate("AB")}
    park = Park(database, minutes, step=1)
    park.state("V", "e/A - 0.5 e/B")
    energy = minutes["A"] - 0.5 * minutes["B"]
    windows = np.convolve(energy, np.ones(15), "valid")[: 24 * 60] * 4
    found = park.figures("V")
    assert found["sliding_coverage"] == 1.0
    assert found["peak_sliding_kw"] == pytest.approx(windows.max())
    at = START - timedelta(hours=8) + int(np.argmax(windows)) * timedelta(minutes=1)
    assert datetime.fromisoformat(found["peak_sliding_start"]) == at
    assert (
        park.figures("V", known_on=park.now())["peak_sliding_kw"]
        == (found["peak_sliding_kw"])
    )


@pytest.mark.db
def test_a_late_reading_restates_what_rests_on_it_alone(database: str) -> None:
    size = 4 * 96
    park = Park(database, {code: profile(i, size) for i, code in enumerate("AB")})
    park.state("V", "e/A - e/B")
    with connect(park.url, autocommit=True) as conn:
        before = _versions(conn)
        last = size + 1
        park.write("A", np.array([last]), np.array([profile(0, size).sum() + 1.0]))
        park.write("B", np.array([last]), np.array([profile(1, size).sum() + 0.25]))
        park.analyse()
        touched = {
            key[1] for key, xmin in _versions(conn).items() if before.get(key) != xmin
        }
    begin = START - timedelta(hours=8)
    assert touched == {to_datetime(to_us(begin) + size * QUARTER_US)}
    assert park.amounts("V")[begin + size * QUARTER] == pytest.approx(0.75)


def _versions(conn: Any) -> dict[tuple[int, datetime], str]:
    rows = conn.execute(
        "SELECT channel_id, start, amount::text || ' ' || xmin::text FROM core.usage_15min"
    ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}
