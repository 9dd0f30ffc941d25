"""The validation list: each rule is violated once, and nothing else is told."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from analytics.jobs.checking import checks
from store import judgements, policies, registry, relations
from store.batches import Quarantined, write_batch
from store.database import connect
from store.errors import Invalid
from store.readings import Rows, to_datetime, to_us
from store.revisions import add_revision
from tests.analytics.jobs.test_order import FIRST, MINUTE, Park, Sent, everything

pytestmark = pytest.mark.db

DAYS = (FIRST.date(), FIRST.date() + timedelta(days=3))
START = to_us(FIRST)


def line(
    kwh: float = 1.0, first: float = 100.0, quarters: int = 289
) -> list[tuple[int, float]]:
    return [(START + i * 15 * MINUTE, first + kwh * i) for i in range(quarters)]


def park_of(url: str, *meters: Sent) -> Park:
    park = Park(url, list(meters))
    for m in range(len(meters)):
        park.confirm(f"M{m}")
    park.write(everything(park.meters))
    park.analyse()
    return park


def listed(park: Park, days: tuple[date, date] = DAYS) -> list[dict[str, Any]]:
    with connect(park.url, autocommit=True) as conn:
        return checks(conn, registry.park(conn, "p"), *days)


def rules(park: Park) -> list[tuple[str, str]]:
    return [(each["meter"], each["rule"]) for each in listed(park)]


def local(quarters: float) -> str:
    return (FIRST + timedelta(minutes=15 * quarters)).isoformat()


def test_what_is_sound_is_not_on_the_list(database: str) -> None:
    assert rules(park_of(database, Sent(line(), []))) == []


def test_odd_readings_and_rests_are_listed_with_their_values(database: str) -> None:
    odd = line()
    odd[50] = (odd[50][0], 9000.0)
    odd[70] = (odd[70][0], 9100.0)
    rest = [(t, min(v, 200.0)) for t, v in line()]
    wrong = line()
    wrong[50] = (wrong[50][0], 170.0)  # what it showed five hours later
    park = park_of(database, Sent(odd, []), Sent(rest, []), Sent(wrong, []))
    assert rules(park) == [
        ("e/M0", "spike"),
        ("e/M1", "stuck"),
        ("e/M2", "clock"),
        ("e/M2", "spike"),
    ]
    spike, stuck, clock, _ = listed(park)
    assert (spike["count"], spike["judged"]) == (2, 0)
    assert (spike["first"], spike["last"]) == (local(50), local(70))
    assert (spike["value_before"], spike["value"]) == (169.0, 9100.0)
    assert (stuck["first"], stuck["confidence"]) == (local(100 + 96), 0.3)
    assert (clock["value_before"], clock["value"]) == (149.0, 170.0)
    with connect(database, autocommit=True) as conn:
        judgements.judge(
            conn,
            park.ids["M0"],
            "energy_import",
            to_datetime(odd[70][0]),
            "left out",
            who="L. Chen",
            why="seen",
        )
    park.analyse()
    assert listed(park)[0]["judged"] == 1


def test_more_than_the_rating_is_listed_for_registers_and_amounts(
    database: str,
) -> None:
    register = [(t, v + 500.0 * (t >= START + 900 * MINUTE)) for t, v in line()]
    amounts = [
        (t, t + 15 * MINUTE, 30.0 if i == 9 else 2.0)
        for i, (t, _) in enumerate(line(quarters=288))
    ]
    park = park_of(database, Sent(register, []), Sent([], amounts))
    with connect(database, autocommit=True) as conn:
        for meter in park.ids.values():
            judgements.set_plate(
                conn, meter, accuracy_class=None, rated_per_h=100.0, source="plate"
            )
    park.analyse()
    jump, amount = listed(park)
    assert (jump["rule"], jump["first"]) == ("physical maximum", local(60))
    assert (jump["value_before"], jump["value"]) == (159.0, 660.0)
    # 1.1 times 100 kW for a quarter of an hour
    assert (amount["value"], amount["limit"]) == (30.0, pytest.approx(27.5))
    assert (amount["first"], amount["count"]) == (local(9), 1)


def test_shares_of_the_time_are_listed_above_their_limit(database: str) -> None:
    # 12 of 72 hours in one gap; the other register ends after 60 hours
    gap = [each for i, each in enumerate(line()) if not 48 < i < 96]
    park = park_of(database, Sent(gap, []), Sent(line(quarters=241), []))
    share, missing = listed(park)
    assert (share["meter"], share["rule"]) == ("e/M0", "gap share")
    assert share["value"] == pytest.approx(12 / 72)
    assert share["limit"] == pytest.approx(0.05)
    assert share["touches"] == "12 h are known in their sum alone"
    assert (missing["meter"], missing["rule"]) == ("e/M1", "missing share")
    assert missing["value"] == pytest.approx(12 / 72)


def test_a_sum_outside_its_uncertainty_is_listed(database: str) -> None:
    # the parts show 96 and 182.4 of 288 kWh a day; 9.6 are lost
    park = park_of(
        database,
        Sent(line(3.0), []),
        Sent(line(1.0), []),
        Sent(line(1.9), []),
    )
    with connect(database, autocommit=True) as conn:
        for code in park.ids:
            judgements.set_plate(
                conn, park.ids[code], accuracy_class=0.5, rated_per_h=None, source="p"
            )
        for code in ("M1", "M2"):
            relations.place_meter(
                conn, park.ids[code], "sub", park.ids["M0"], FIRST, source="test"
            )
    park.analyse()
    (found,) = listed(park)
    assert (found["rule"], found["meter"], found["count"]) == ("sum check", "e/M0", 3)
    assert found["value"] == pytest.approx(9.6)
    # U = 2 · 0.5 % / √3 · √(288² + 96² + 182.4²)
    assert found["limit"] == pytest.approx(
        2 * 0.005 / 3**0.5 * (288**2 + 96**2 + 182.4**2) ** 0.5
    )


def test_what_the_wire_refuses_is_listed_for_its_own_park(database: str) -> None:
    park = park_of(database, Sent(line(), []))
    reasons = (
        "an interval amount is below 0",
        "time '…' is more than 10 minutes in the future",
    )
    with connect(database) as conn, conn.transaction():
        empty = np.empty(0, np.int64)
        write_batch(
            conn,
            Rows(empty, empty, np.empty(0), empty),
            [
                Quarantined(f"parkwatt/v1/{code}/e/M0/readings", b"{}", reason, 2)
                for code in ("p", "q")
                for reason in reasons
            ],
            parks={},
            totals=set(),
            source="test",
            parser="native/1",
            messages=4,
        )
    today = datetime.now(FIRST.tzinfo).date()
    found = [
        (each["meter"], each["rule"], each["count"])
        for each in listed(park, (today, today + timedelta(days=1)))
        if each["quantity"] is None
    ]
    assert found == [("e/M0", "clock ahead", 2), ("e/M0", "negative", 2)]
    amounts = [(START, START + 15 * MINUTE, 2.0)]
    park.write([(0, "delta", at, value, until) for at, until, value in amounts])
    with connect(database, autocommit=True) as conn:
        channel = registry.find_channel(conn, park.ids["M0"], "energy_import", "delta")
        assert channel is not None
        with pytest.raises(Invalid, match="below 0"):
            add_revision(
                conn, channel, to_datetime(START), -1.0, who="L. Chen", why="test"
            )


def test_a_policy_outside_its_bounds_is_refused(database: str) -> None:
    park = park_of(database, Sent(line(), []))
    with connect(database, autocommit=True) as conn:
        for name, value, words in (
            ("colour", 1.0, "none of"),
            ("stuck_after_s", 60.0, "not within"),
            ("momentary", 2.5, "whole"),
        ):
            with pytest.raises(Invalid, match=words):
                policies.set_policy(conn, park.ids["M0"], name, value, source="test")
        policies.set_policy(conn, park.ids["M0"], "momentary", 2, source="a")
        policies.set_policy(conn, park.ids["M0"], "momentary", 3, source="b")
        assert [(each.name, each.value, each.source) for each in _of(conn, park)] == [
            ("momentary", 3.0, "b")
        ]
        policies.set_policy(conn, park.ids["M0"], "momentary", None, source="c")
        assert _of(conn, park) == []


def _of(conn: Any, park: Park) -> list[policies.Policy]:
    return policies.policies(conn, park.park)
