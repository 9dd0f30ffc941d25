"""All that bears on a figure at once: gaps, virtual meters, rules, ratios, judgements.

One park is told everything in order, on PostgreSQL; the same park hears it shuffled, split
and twice, with what people say in between, on TimescaleDB. What is derived is the same
to the bit, and so is every answer that was given on the way, asked for later.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import factors, tariffs
from analytics.jobs.billing import bills
from analytics.jobs.book import load_book
from analytics.jobs.figures import figures
from store import demand_rules, formulas, judgements, registry, relations
from store import tariffs as stored
from store.database import Connection, connect
from store.errors import Unknown
from store.readings import to_datetime, to_us
from tests.analytics.jobs.test_order import MINUTE, Park, Sent, everything

pytestmark = pytest.mark.db

DAYS = 36
Answers = dict[tuple[Any, ...], Any]
CASES = [  # clocks go forward on day 30 of the first; the second is never at a full hour
    ("Europe/Berlin", date(2026, 2, 27), 1),
    ("Asia/Kathmandu", date(2026, 2, 27), 2),
]


def meter(
    rng: np.random.Generator, start: int, gaps: list[tuple[float, float]]
) -> Sent:
    """Quarter hours that run as days do, minutes on the last two days, gaps [day]."""
    fine = start + (DAYS - 2) * 1440 * MINUTE
    at = np.concatenate(
        [
            np.arange(start, fine, 15 * MINUTE),
            np.arange(fine, start + DAYS * 1440 * MINUTE, MINUTE),
        ]
    )
    hour = (at - start) // MINUTE % 1440 / 60
    kw = np.where((hour >= 8) & (hour < 18), 90.0, 10.0) * (0.8 + 0.4 * rng.random())
    step = np.diff(at, append=at[-1] + MINUTE) / 3.6e9
    used = np.round(kw * step * (0.5 + rng.random(at.size)), 3)
    value = np.round(1000.0 + np.cumsum(used) - used, 3)
    keep = np.ones(at.size, np.bool_)
    for low, high in gaps:
        keep &= (at <= start + low * 1440 * MINUTE) | (
            at >= start + high * 1440 * MINUTE
        )
    return Sent(list(zip(at[keep].tolist(), value[keep].tolist(), strict=True)), [])


class Together:
    """The park, and what is said of it in the order in which it is said."""

    def __init__(
        self, url: str, zone: ZoneInfo, first: date, meters: list[Sent]
    ) -> None:
        self.first = first
        self.zone = zone
        self.park = Park(url, meters, zone)
        self.start = to_us(datetime(first.year, first.month, first.day, tzinfo=zone))
        with connect(url, autocommit=True) as conn:
            factors.load(conn)
            tariffs.load(conn)
            self.tenant = registry.add_enterprise(conn, self.park.park, "v")
            registry.add_enterprise(conn, self.park.park, "none")
            for i in range(len(meters)):
                self.park.add(conn, f"M{i}")
            for each in (self.park.park, self.park.enterprise, self.tenant):
                stored.set_billing(
                    conn, each, "CN-JS", "demand", date(2025, 6, 1), source="test"
                )

    def at(self, day: float) -> datetime:
        return to_datetime(self.start + round(day * 1440) * MINUTE)

    def said(self) -> list[Callable[[Connection], object]]:
        """What people say; the order in which they do is part of it."""
        park, ids = self.park, self.park.ids

        def confirm(code: str) -> Callable[[Connection], object]:
            return lambda conn: relations.confirm_meter(
                conn, ids[code], park.enterprise, source="test"
            )

        return [
            confirm("M0"),
            lambda conn: formulas.add_virtual(
                conn,
                park.park,
                self.tenant,
                "V",
                quantity="energy_import",
                formula="e/M0 - e/M1",
                role="main",
                source="test",
            ),
            lambda conn: demand_rules.set_demand_rule(
                conn, park.park, 30, "sliding", self.at(5), source="test"
            ),
            confirm("M1"),
            lambda conn: relations.place_meter(
                conn, ids["M1"], "check", None, self.at(-9), source="test"
            ),
            lambda conn: relations.confirm_meter(
                conn, ids["M2"], self.tenant, source="test", since=self.at(60)
            ),
            # removed in the middle of its gap
            lambda conn: relations.assign_meter(
                conn, ids["M2"], park.enterprise, self.at(-9), self.at(31.3), source="t"
            ),
            lambda conn: relations.set_multiplier(
                conn, ids["M0"], ct=10, pt=1, valid_from=self.at(30.6), source="test"
            ),
            lambda conn: demand_rules.set_demand_rule(
                conn, self.tenant, 60, "fixed", self.at(20.5), source="test"
            ),
            confirm("M3"),
            lambda conn: formulas.add_virtual(
                conn,
                park.park,
                park.enterprise,
                "W",
                quantity="energy_import",
                formula="0.5 v/V + e/M2",
                source="test",
            ),
        ]

    def judge(self, at_us: int, verdict: str) -> None:
        with connect(self.park.url, autocommit=True) as conn:
            judgements.judge(
                conn,
                self.park.ids["M0"],
                "energy_import",
                to_datetime(at_us),
                verdict,
                who="L. Chen",
                why="test",
            )

    def answers(self, known_on: datetime | None) -> Answers:
        """All that can be asked for as known on a date."""
        found: Answers = {}
        first, last = self.first, self.first + timedelta(days=DAYS)
        now = self.at(DAYS)
        of = [(), ("e",), ("v",), ("none",), ("v", "V"), ("e", "W")]
        of += [("e", f"M{i}") for i in range(4)]
        with connect(self.park.url, autocommit=True) as conn:
            for names in of:
                try:
                    subject = registry.subject(conn, "p", *names)
                except Unknown:  # not stated yet
                    continue
                found["figures", names] = figures(
                    conn,
                    subject,
                    first,
                    last,
                    grain="day",
                    known_on=known_on,
                    now=now,
                )
                if len(names) < 2 and names != ("none",):
                    found["bills", names] = bills(
                        conn,
                        subject,
                        date(2026, 3, 1),
                        date(2026, 4, 1),
                        known_on=known_on,
                        now=now,
                    )
            book = load_book(
                conn,
                registry.park(conn, "p"),
                date(2026, 2, 1),
                date(2026, 5, 1),
                known_on,
                now=now,
            )
            for name in ("amounts", "measured_s", "estimated_s", "expected_s"):
                for quantity, table in getattr(book, name).items():
                    found["book", name, quantity] = table.tolist()
            found["book", "carbon"] = repr(book.carbon)
        for each in found.values():
            if isinstance(each, dict):
                each.pop("as_known_on", None)
                each.pop("pending", None)
        return found


def same(one: Answers, other: Answers, when: object) -> None:
    assert one.keys() <= other.keys()  # a meter that was not there yet has no answer
    for name, found in one.items():
        if isinstance(found, dict):
            for key in found:
                assert repr(found[key]) == repr(other[name][key]), (when, name, key)
        else:
            assert repr(found) == repr(other[name]), (when, name)


@pytest.mark.parametrize(("zone", "first", "seed"), CASES)
def test_everything_at_once_in_any_order_on_either_server(
    timescale_database: str, plain_database: str, zone: str, first: date, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    local = ZoneInfo(zone)
    start = to_us(datetime(first.year, first.month, first.day, tzinfo=local))
    meters = [
        meter(rng, start, [(12.3, 12.38), (29.9, 31.2), (33.4, 33.7)]),
        meter(rng, start, [(30.2, 30.9)]),
        meter(rng, start, [(31.0, 31.7)]),
        meter(rng, start, [(20.1, 20.5), (34.01, 34.02)]),
    ]
    odd = meters[0].register[26 * 96 + 40]
    meters[0].register[26 * 96 + 40] = (odd[0], 0.0)
    rows = everything(meters)
    whole = Together(plain_database, local, first, meters)
    parts = Together(timescale_database, local, first, meters)
    whole.park.write(rows)
    with connect(plain_database, autocommit=True) as conn:
        for each in whole.said():
            each(conn)
    whole.park.analyse()

    # what stands in the like days of the gaps comes last, one reading after the other
    late = rng.choice(len(rows), 12, replace=False)
    order = rng.permutation(np.setdiff1d(np.arange(len(rows)), late))
    waiting = parts.said()
    told: list[tuple[datetime, Answers]] = []

    def given() -> None:
        parts.park.analyse()
        with connect(timescale_database, autocommit=True) as conn:
            row = conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        told.append((row[0], parts.answers(None)))  # type: ignore[arg-type]

    batches = np.array_split(order, 5)
    for n, part in enumerate(batches):
        with connect(timescale_database, autocommit=True) as conn:
            for _ in range(min(len(waiting), int(rng.integers(1, 4)))):
                waiting.pop(0)(conn)
        twice = rng.choice(part, 200)
        parts.park.write([rows[i] for i in [*part, *twice]])
        if n % 2:
            given()
    with connect(timescale_database, autocommit=True) as conn:
        for each in waiting:
            each(conn)
    parts.park.write([rows[int(np.flatnonzero([r[2] == odd[0] for r in rows])[0])]])
    given()
    parts.judge(odd[0], "real")
    given()
    for n, i in enumerate(late.tolist()):
        parts.park.write([rows[i]])
        if n % 4 == 0:
            parts.park.analyse()
    given()
    parts.judge(odd[0], "rule")
    given()
    expected, found = whole.park.tables(), parts.park.tables()
    for name, table in expected.items():
        assert found[name] == table, name
    # what rests on a gap is estimated as it is, whatever its other parts are
    inside = [
        row[3:5]
        for row in expected["usage_15min"]
        if row[0] == "V" and whole.at(30) <= row[1] < whole.at(31)  # type: ignore[operator]
    ]
    assert inside == [(0.0, 900.0)] * 96
    assert {row[:2] for row in expected["sliding"]} >= {
        ("park", None),
        ("enterprise", "v"),
        ("meter", "V"),
    }
    kinds = {each[2] for each in expected["events"]}
    assert kinds >= {"gap", "glitch", "multiplier change", "negative"}
    same(whole.answers(None), told[-1][1], "both servers")
    later = datetime.now(UTC) + timedelta(hours=1)
    same(told[-1][1], parts.answers(later), "now")
    for when, answer in told:
        same(answer, parts.answers(when), when)
