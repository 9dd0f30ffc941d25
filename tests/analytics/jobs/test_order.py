"""The order of arrival does not matter, whatever meters send and whenever they join."""

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import service
from analytics.jobs.figures import figures
from analytics.jobs.recompute import Done
from store import formulas, registry, relations
from store.batches import write_batch
from store.database import Connection, connect
from store.readings import NO_UNTIL, Rows, to_datetime, to_us

pytestmark = pytest.mark.db

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 1, 30, tzinfo=ZONE)  # over the end of a month
MINUTE = 60_000_000
METERS = 24


def on_either_server(first: int, second: int) -> pytest.MarkDecorator:
    """Run a long test with one seed on TimescaleDB, with another on PostgreSQL."""
    return pytest.mark.parametrize(
        ("databases", "seed"),
        [
            pytest.param("timescale", first, marks=pytest.mark.timescale),
            ("plain", second),
        ],
        indirect=["databases"],
    )


class Sent(NamedTuple):
    """What one meter sends: times and values of a register, and amounts."""

    register: list[tuple[int, float]]
    amounts: list[tuple[int, int, float]]


def awkward(rng: np.random.Generator) -> Sent:
    """Make up a meter with whatever goes wrong with meters."""
    start = to_us(FIRST)
    at = start + np.cumsum(rng.integers(1, 60, 120)) * MINUTE
    value = np.cumsum(np.round(rng.random(120) * 5, 2))
    kind = rng.integers(0, 5)
    if kind == 1:  # another device answers under the same code for a while
        low = int(rng.integers(0, 90))
        value[low : low + int(rng.integers(2, 30)) : 2] /= 7
    if kind == 2:  # single odd readings, in ones and runs
        odd = rng.random(120) < 0.4
        value[odd] *= rng.choice([0.0, 3.0], odd.sum())
    if kind == 3:  # replaced
        value[60:] -= value[60]
    register = [] if kind == 4 else list(zip(at.tolist(), value.tolist(), strict=True))
    amounts = []
    if kind in (0, 4) or rng.random() < 0.5:
        begin = np.unique(rng.integers(0, 3000, 60)) * MINUTE + start
        length = rng.choice([15, 15, 15, 60, 1440, 2900], begin.size) * MINUTE
        amounts = [
            (int(b), int(b + n), float(np.round(rng.random() * 9, 2)))
            for b, n in zip(begin, length, strict=True)
        ]
        if register and rng.random() < 0.5:  # the register came later
            register = register[60:]
    return Sent(register, amounts)


class Park:
    """A park of awkward meters, all of one enterprise."""

    def __init__(self, url: str, meters: list[Sent], zone: ZoneInfo = ZONE) -> None:
        self.url = url
        self.meters = meters
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, "p", zone=str(zone), region="CN-JS")
            self.enterprise = registry.add_enterprise(conn, self.park, "e")
        self.ids: dict[str, int] = {}

    def add(self, conn: Connection, code: str) -> int:
        if code not in self.ids:
            self.ids[code] = registry.add_meter(conn, self.park, self.enterprise, code)
        return self.ids[code]

    def confirm(self, code: str) -> None:
        with connect(self.url, autocommit=True) as conn:
            meter = self.add(conn, code)
            relations.confirm_meter(conn, meter, self.enterprise, source="test")

    def state(self, code: str, text: str, *, main: bool = False) -> None:
        with connect(self.url, autocommit=True) as conn:
            self.ids[code] = formulas.add_virtual(
                conn,
                self.park,
                self.enterprise,
                code,
                quantity="energy_import",
                formula=text,
                role="main" if main else "check",
                source="test",
            )

    def write(self, some: list[tuple[int, str, int, float, int]]) -> None:
        """Store (meter, kind, at, value, until) in one batch."""
        with connect(self.url, autocommit=True) as conn:
            channel = {
                (m, kind): relations.add_meter_channel(
                    conn, self.add(conn, f"M{m}"), "energy_import", kind
                )
                for m, kind in {each[:2] for each in some}
            }
            rows = Rows(
                np.array([channel[each[:2]] for each in some], np.int64),
                np.array([each[2] for each in some], np.int64),
                np.array([each[3] for each in some], np.float64),
                np.array([each[4] for each in some], np.int64),
            )
            with conn.transaction():
                write_batch(
                    conn,
                    rows,
                    [],
                    parks=dict.fromkeys(channel.values(), self.park),
                    totals=set(channel.values()),
                    source="test",
                    parser="test/1",
                    messages=1,
                )

    def analyse(self) -> int:
        """Let the job do all it has to; give in how many transactions."""
        done: list[Done] = []
        service.run(self.url, threading.Event(), done.append, once=True)
        return len(done)

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """All that was derived, with codes for ids."""
        with connect(self.url) as conn:
            derived = {
                name: conn.execute(
                    f"""
                    SELECT coalesce(m.code, e.code, 'park'), t.start, t.amount,
                           t.measured_s, t.estimated_s, t.expected_s
                    FROM {name} t JOIN channel c USING (channel_id)
                    LEFT JOIN meter m ON m.meter_id = c.subject_id
                    LEFT JOIN enterprise e ON e.enterprise_id = c.subject_id
                    ORDER BY 1, 2
                    """
                ).fetchall()
                for name in ("usage_15min", "usage_day", "usage_month")
            }
            derived["events"] = conn.execute(
                "SELECT m.code, v.at, v.kind, v.value_before, v.value_after "
                "FROM register_event v JOIN channel c USING (channel_id) "
                "JOIN meter m ON m.meter_id = c.subject_id ORDER BY 1, 2, 3"
            ).fetchall()
            derived["demand"] = conn.execute(
                "SELECT s.kind, coalesce(m.code, e.code), d.start, d.fixed_kw, d.coverage "
                "FROM demand d JOIN subject s USING (subject_id) "
                "LEFT JOIN meter m ON m.meter_id = d.subject_id "
                "LEFT JOIN enterprise e ON e.enterprise_id = d.subject_id "
                "ORDER BY 1, 2, 3"
            ).fetchall()
            derived["sliding"] = conn.execute(
                "SELECT s.kind, coalesce(m.code, e.code), d.start, d.kw, d.after_s "
                "FROM demand_sliding d JOIN subject s USING (subject_id) "
                "LEFT JOIN meter m ON m.meter_id = d.subject_id "
                "LEFT JOIN enterprise e ON e.enterprise_id = d.subject_id "
                "ORDER BY 1, 2, 3"
            ).fetchall()
            return derived


def everything(meters: list[Sent]) -> list[tuple[int, str, int, float, int]]:
    return [
        (m, "register", at, value, NO_UNTIL)
        for m, sent in enumerate(meters)
        for at, value in sent.register
    ] + [
        (m, "delta", at, value, until)
        for m, sent in enumerate(meters)
        for at, until, value in sent.amounts
    ]


VIRTUAL = {
    "V0": " + ".join(f"e/M{m}" for m in range(4)),
    "V1": "e/V0 - 0.5 e/M5 + e/M1",
    "V2": "e/M2 - e/M1",
}


@on_either_server(2, 5)
def test_parts_in_any_order_equal_the_whole(
    new_database: Callable[[], str], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    meters = [awkward(rng) for _ in range(METERS)]
    rows = everything(meters)
    whole = Park(new_database(), meters)
    for m in range(METERS):
        whole.confirm(f"M{m}")
    for code, text in VIRTUAL.items():
        whole.state(code, text, main=code == "V2")
    whole.write(rows)
    whole.analyse()
    parts = Park(new_database(), meters)
    with connect(parts.url, autocommit=True) as conn:
        for m in range(METERS):
            parts.add(conn, f"M{m}")
    order = rng.permutation(len(rows))
    late = iter(rng.permutation(METERS).tolist())
    stated = iter(VIRTUAL.items())
    for n, part in enumerate(np.array_split(order, 8)):
        for m in itertools.islice(late, 3):
            parts.confirm(f"M{m}")
        if n % 3 == 1:
            code, text = next(stated)
            parts.state(code, text, main=code == "V2")
        parts.write([rows[i] for i in part])
        parts.analyse()
    expected, found = whole.tables(), parts.tables()
    assert {each[2] for each in expected["events"]} >= {"erratic", "reset", "overlap"}
    assert {row[0] for row in expected["usage_15min"]} >= VIRTUAL.keys()
    for name, table in expected.items():
        assert found[name] == table, name


def close(rng: np.random.Generator, hours: int) -> Sent:
    """Make up a meter that is read each minute, with gaps, around the end of a month."""
    start = to_us(FIRST) + 40 * 60 * MINUTE
    at = start + np.arange(hours * 60 + 1) * MINUTE
    value = np.cumsum(np.round(rng.random(at.size), 2))
    keep = np.ones(at.size, np.bool_)
    for gap in rng.integers(0, at.size, 4):
        keep[gap : gap + int(rng.integers(1, 9))] = False
    return Sent(list(zip(at[keep].tolist(), value[keep].tolist(), strict=True)), [])


def windows(meters: list[Sent]) -> dict[datetime, tuple[float, float]]:
    """The highest minute-stepped window of each quarter of a sum, from the registers."""
    registers = [dict(each.register) for each in meters]
    for (
        each
    ) in registers:  # one minute without a reading lies between two that have one
        for at in list(each):
            if at + MINUTE not in each and at + 2 * MINUTE in each:
                each[at + MINUTE] = (each[at] + each[at + 2 * MINUTE]) / 2

    def energy(low: int, high: int) -> float:
        minutes = range(low, high + MINUTE, MINUTE)
        if any(at not in each for each in registers for at in minutes):
            return float("nan")
        return sum(each[high] - each[low] for each in registers)

    found = {}
    first = min(min(each) for each in registers)
    for quarter in range(first, max(max(each) for each in registers), 15 * MINUTE):
        kw = [
            4 * energy(quarter + n * MINUTE, quarter + (n + 15) * MINUTE)
            for n in range(15)
        ]
        if not np.isnan(kw).any():
            best = int(np.argmax(np.round(kw, 9)))
            found[to_datetime(quarter)] = (kw[best], best * 60.0)
    return found


def test_sliding_demand_of_a_park_is_that_of_its_registers_in_any_order(
    new_database: Callable[[], str],
) -> None:
    rng = np.random.default_rng(3)
    meters = [close(rng, 16) for _ in range(3)]
    rows = everything(meters)
    whole, parts = (Park(new_database(), meters) for _ in "ab")
    for park in (whole, parts):
        for m in range(len(meters)):
            park.confirm(f"M{m}")
    whole.state("V", "e/M0 + 2 e/M2")
    whole.write(rows)
    whole.analyse()
    for n, part in enumerate(np.array_split(rng.permutation(len(rows)), 5)):
        if n == 3:
            parts.state("V", "e/M0 + 2 e/M2")
        parts.write([rows[i] for i in part])
        parts.analyse()
    expected = whole.tables()
    assert parts.tables() == expected
    assert ("meter", "V") in {row[:2] for row in expected["sliding"]}
    for kind, code, some in (
        ("meter", "M1", meters[1:2]),
        ("enterprise", "e", meters),
        ("park", None, meters),
    ):
        stored = {
            row[2]: row[3:] for row in expected["sliding"] if row[:2] == (kind, code)
        }
        by_hand = windows(some)
        with connect(whole.url, autocommit=True) as conn:
            enterprise = None if kind == "park" else "e"
            meter = code if kind == "meter" else None
            subject = registry.subject(conn, "p", enterprise, meter)
            days = (date(2026, 1, 31), date(2026, 2, 2))
            now = datetime.now(UTC) + timedelta(hours=1)
            stored_figures = figures(conn, subject, *days)
            asked = figures(conn, subject, *days, known_on=now)
        for name in ("peak_sliding_kw", "peak_sliding_start", "sliding_coverage"):
            assert asked[name] == stored_figures[name]
        highest = max(
            kw
            for at, (kw, _) in by_hand.items()
            if days[0] <= at.astimezone(ZONE).date() < days[1]
        )
        assert stored_figures["peak_sliding_kw"] == pytest.approx(highest)
        assert 0.2 < stored_figures["sliding_coverage"] < 0.35  # 16 of 48 hours, gaps
        assert len(by_hand) > 20
        assert stored.keys() == by_hand.keys()
        for at, (kw, after_s) in by_hand.items():
            assert stored[at] == (pytest.approx(kw), after_s)


def daily(rng: np.random.Generator, days: int) -> Sent:
    """Make up a meter that is read each quarter of an hour and runs as days do.

    With silences of hours and days, small ones, a rest of more than a day, and readings
    of a clock that was wrong.
    """
    start = to_us(FIRST - timedelta(days=days - 6))
    at = start + np.arange(days * 96) * 15 * MINUTE
    load = np.where(np.arange(at.size) % 96 < 48, 1.0, 3.0)
    load *= np.where((np.arange(at.size) // 96) % 7 < 5, 1.0, 0.4)
    used = np.round(load * (0.5 + rng.random(at.size)), 2)
    rest = int(rng.integers(5, 20)) * 96
    used[rest : rest + 110] = 0.0
    value = np.round(100.0 + np.cumsum(used), 2)
    keep = np.ones(at.size, np.bool_)
    for length in (2, 4, 5, 11, 17, 40, 120, 250):
        gap = int(rng.integers(96, at.size - 260))
        keep[gap : gap + length] = False
    for odd in rng.integers(100, at.size - 100, 5):
        value[odd] = value[odd + int(rng.integers(-40, 40))]
    return Sent(list(zip(at[keep].tolist(), value[keep].tolist(), strict=True)), [])


@on_either_server(1, 4)
def test_gaps_have_the_shape_of_like_days_in_any_order(
    new_database: Callable[[], str], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    meters = [daily(rng, 40) for _ in range(4)]
    rows = everything(meters)
    whole, parts = (Park(new_database(), meters) for _ in "ab")
    for park in (whole, parts):
        for m in range(len(meters)):
            park.confirm(f"M{m}")
    whole.write(rows)
    whole.analyse()
    # a part of the history late and shuffled, the last readings one after the other
    order = rng.permutation(len(rows))
    for part in np.array_split(order[:-30], 4):
        parts.write([rows[i] for i in part])
        parts.analyse()
    for i in order[-30:]:
        parts.write([rows[i]])
        if rng.random() < 0.4:
            parts.analyse()
    parts.analyse()
    expected, found = whole.tables(), parts.tables()
    assert {each[2] for each in expected["events"]} >= {"gap", "stuck", "clock"}
    for name, table in expected.items():
        assert found[name] == table, name
    # the same bits as known now, though computed from the readings of the days asked for
    days = (FIRST.date() + timedelta(days=1), FIRST.date() + timedelta(days=4))
    with connect(parts.url, autocommit=True) as conn:
        now = datetime.now(UTC) + timedelta(hours=1)
        for code in (None, *(f"M{m}" for m in range(len(meters)))):
            subject = registry.subject(conn, "p", code and "e", code)
            stored = figures(conn, subject, *days, grain="15min")
            asked = figures(conn, subject, *days, grain="15min", known_on=now)
            for name in stored.keys() - {"as_known_on", "pending"}:
                assert asked[name] == stored[name], (code, name)


def test_as_known_now_equals_what_is_stored(database: str) -> None:
    rng = np.random.default_rng(5)
    meters = [awkward(rng) for _ in range(METERS)]
    park = Park(database, meters)
    for m in range(METERS):
        park.confirm(f"M{m}")
    park.write(everything(meters))
    park.analyse()
    days = (date(2026, 1, 31), date(2026, 2, 2))
    with connect(database, autocommit=True) as conn:
        now = datetime.now(UTC) + timedelta(hours=1)
        for code in (None, *(f"M{m}" for m in range(METERS))):
            subject = registry.subject(conn, "p", code and "e", code)
            stored = figures(conn, subject, *days, grain="15min")
            asked = figures(conn, subject, *days, grain="15min", known_on=now)
            for name in stored.keys() - {"as_known_on", "pending"}:
                assert asked[name] == stored[name], (code, name)


def test_a_meter_that_joins_later_is_expected_in_what_was_computed_before(
    database: str,
) -> None:
    start = to_us(FIRST)
    line = [(start + i * 15 * MINUTE, float(i)) for i in range(97)]
    park = Park(database, [Sent(line, []), Sent(line[48:], [])])
    park.confirm("M0")
    park.write(everything(park.meters))
    park.analyse()
    assert _coverage(park) == 1.0
    park.confirm("M1")  # it counts from the beginning, and half a day is missing
    park.analyse()
    assert _coverage(park) == pytest.approx(0.75)


def test_a_register_that_joins_amounts_counts_from_its_first_reading_on(
    database: str,
) -> None:
    start = to_us(FIRST)
    amounts = [
        (start + i * 15 * MINUTE, start + (i + 1) * 15 * MINUTE, 2.0) for i in range(96)
    ]
    register = [(start + i * 15 * MINUTE, 3.0 * i) for i in range(48, 97)]
    park = Park(database, [Sent(register, amounts)])
    park.confirm("M0")
    park.write(everything([Sent([], amounts)]))
    park.analyse()
    assert _figure(park, "energy_kwh") == 192.0
    park.write(everything([Sent(register, [])]))
    park.analyse()
    assert _figure(park, "energy_kwh") == 48 * 2.0 + 48 * 3.0
    assert _coverage(park) == 1.0


def test_two_devices_under_one_code_leave_their_time_unknown(database: str) -> None:
    start = to_us(FIRST)
    line = [
        (start + i * 15 * MINUTE, 50_000.0 + i if 30 <= i < 60 and i % 2 else 4.0 * i)
        for i in range(97)
    ]
    park = Park(database, [Sent(line, [])])
    park.confirm("M0")
    park.write(everything(park.meters))
    park.analyse()
    # the known quarters alone, four kilowatt hours each
    assert _figure(park, "energy_kwh") == 4.0 * (96 - 30)
    assert _coverage(park) == pytest.approx(1 - 30 / 96)


def test_a_register_rolls_over_at_its_digits(database: str) -> None:
    start = to_us(FIRST)
    line = [(start + i * 15 * MINUTE, (9_950.0 + i) % 10_000) for i in range(97)]
    park = Park(database, [Sent(line, [])])
    park.confirm("M0")
    park.write(everything(park.meters))
    park.analyse()
    assert _figure(park, "energy_kwh") == 95.0  # across the fall it is unknown
    with connect(database, autocommit=True) as conn:
        relations.set_digits(conn, park.ids["M0"], "energy_import", 4, source="plate")
    park.analyse()
    assert _figure(park, "energy_kwh") == 96.0


def test_a_member_that_left_is_not_expected_any_more(database: str) -> None:
    start = to_us(FIRST)
    lines = [[(start + i * 15 * MINUTE, float(i)) for i in range(97)] for _ in "ab"]
    park = Park(database, [Sent(line, []) for line in lines])
    for code in ("M0", "M1"):
        park.confirm(code)
    with connect(database, autocommit=True) as conn:
        other = registry.add_enterprise(conn, park.park, "f")
        left = FIRST - timedelta(days=20)
        relations.assign_meter(conn, park.ids["M0"], other, left, None, source="test")
    park.write(everything(park.meters))
    park.analyse()
    expected = {row[5] for row in park.tables()["usage_15min"] if row[0] == "e"}
    assert expected == {900.0}


def test_a_late_register_takes_the_place_of_a_long_amount(database: str) -> None:
    start = to_us(FIRST)
    month = 10 * 1440 * MINUTE
    register = [
        (start + 3 * 1440 * MINUTE + i * 15 * MINUTE, float(i)) for i in range(97)
    ]
    whole = Sent(register, [(start, start + month, 100.0)])
    park = Park(database, [whole])
    park.confirm("M0")
    park.write(everything([Sent([], whole.amounts)]))
    park.analyse()
    park.write(everything([Sent(register, [])]))
    park.analyse()
    rows = [row for row in park.tables()["usage_15min"] if row[0] == "M0"]
    assert sum(float(str(row[2])) for row in rows) == pytest.approx(96.0)


def test_readings_that_come_beside_an_open_statement_are_restated_by_it(
    database: str,
) -> None:
    start = to_us(FIRST)
    line = [(start + i * 15 * MINUTE, float(i)) for i in range(97)]
    park = Park(database, [Sent(line, [])])
    park.confirm("M0")
    park.write(everything([Sent(line[:10], [])]))
    with connect(database) as conn:
        relations.set_multiplier(
            conn, park.ids["M0"], ct=10, pt=1, valid_from=FIRST, source="test"
        )
        park.write(everything([Sent(line[10:], [])]))
        park.analyse()
        conn.commit()
    park.analyse()
    assert _figure(park, "energy_kwh") == pytest.approx(960.0)


def test_an_earlier_answer_does_not_expect_what_was_unknown_then(database: str) -> None:
    start = to_us(FIRST)
    line = [(start + i * 15 * MINUTE, float(i)) for i in range(97)]
    park = Park(database, [Sent(line, []), Sent(line, [])])
    for code in ("M0", "M1"):
        park.confirm(code)
    park.write(everything([Sent(line, [])]))
    park.analyse()
    before = _all(park)
    then = _now(park)
    assert before["coverage"] == 1.0
    park.write([(1, *row[1:]) for row in everything([Sent(line[:20], [])])])
    park.analyse()
    assert _coverage(park) < 1.0
    asked = _all(park, then)
    assert {**asked, "as_known_on": None} == before


def test_a_clock_that_was_never_set_costs_nothing(database: str) -> None:
    start = to_us(FIRST)
    line = [(start + i * 15 * MINUTE, float(i)) for i in range(97)]
    odd = [(to_us(datetime(2000, 1, 1, 12, tzinfo=UTC)), 0.0)]
    park = Park(database, [Sent(odd + line, [])])
    park.confirm("M0")
    park.write(everything([Sent(odd, [])]))
    park.analyse()
    park.write(everything([Sent(line, [])]))
    assert park.analyse() <= 4
    assert _figure(park, "energy_kwh") == 96.0
    assert [row[2] for row in park.tables()["events"]] == ["silence"]


def _coverage(park: Park) -> float:
    found = _figure(park, "coverage")
    assert isinstance(found, float)
    return found


def _figure(park: Park, name: str) -> object:
    return _all(park)[name]


def _all(park: Park, known_on: datetime | None = None) -> dict[str, Any]:
    with connect(park.url, autocommit=True) as conn:
        subject = registry.subject(conn, "p", "e")
        days = (FIRST.date(), FIRST.date() + timedelta(days=1))
        return figures(conn, subject, *days, known_on=known_on)


def _now(park: Park) -> datetime:
    with connect(park.url) as conn:
        row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]
