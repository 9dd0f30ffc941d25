"""When messages leave and in what state; every reading is accounted for."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators import faults as planning
from simulators.delivery import Delivery
from simulators.display import instants
from simulators.formats import FORMATS, Place, named
from simulators.load import EPOCH_S
from simulators.meter import Fault, Message, Meter
from tests.simulators.test_display import QUARTER, fault, meter

PLACE = Place("P01", ZoneInfo("Asia/Shanghai"))
DAY_S = 86_400
KEYS = 3  # of the meter: a register and two gauges


def sent(delivery: Delivery, quarters: int) -> list[Message]:
    """Run quarter hour by quarter hour, then let the rest leave."""
    found: list[Message] = []
    for number in range(quarters):
        start_s = EPOCH_S + number * QUARTER
        found += delivery.run(start_s, start_s + QUARTER)
    return [*found, *delivery.rest()]


def one(*faults: Fault, which: Meter | None = None, live: bool = False) -> Delivery:
    return Delivery([which or meter()], faults, place=PLACE, live=live)


def quarters(messages: list[Message]) -> list[float]:
    """When they leave, in quarter hours since the epoch."""
    return [(each.due_s - EPOCH_S) / QUARTER for each in messages]


def test_without_faults_each_instant_leaves_when_it_is_read() -> None:
    delivery = one()
    messages = sent(delivery, 4)
    assert quarters(messages) == [0, 1, 2, 3]
    assert messages[1].topic == "parkwatt/v1/P01/E01/E01-M1/readings"
    assert json.loads(messages[1].payload) == {
        "at": "2024-01-01T00:15:00Z",
        "energy_import_kwh": 109.0,
        "power_kw": 36.0,
        "voltage_v": 216.0,
    }
    assert delivery.ledger.shown == delivery.ledger.stored == 4 * KEYS


@pytest.mark.parametrize("kind", ["gap", "silent"])
def test_what_is_never_sent(kind: str) -> None:
    delivery = one(fault(kind, 1, 3))
    assert quarters(sent(delivery, 5)) == [0, 3, 4]
    assert delivery.ledger.never_sent == 2 * KEYS
    assert delivery.ledger.stored == 3 * KEYS


def test_late_and_in_another_order() -> None:
    delivery = one(fault("late", 1, 3, delay_s=3.5 * QUARTER))
    assert quarters(sent(delivery, 6)) == [0, 3, 4, 4.5, 5, 5.5]
    assert delivery.ledger.stored == 6 * KEYS


def test_a_burst_leaves_when_the_link_is_back() -> None:
    delivery = one(fault("burst", 1, 4))
    assert quarters(sent(delivery, 6)) == [0, 4, 4, 4, 4, 5]


def test_shuffled_within_a_time() -> None:
    delivery = one(fault("shuffle", 0, 20, within_s=4.0 * QUARTER))
    messages = sent(delivery, 20)
    stamps = [json.loads(each.payload)["at"] for each in messages]
    assert sorted(stamps) != stamps
    assert len(set(stamps)) == 20
    for stamp, due in zip(stamps, quarters(messages), strict=True):
        hour, minute = int(stamp[11:13]), int(stamp[14:16])
        assert 0 <= due - (4 * hour + minute / 15) < 4


def test_twice_and_once_more_later() -> None:
    delivery = one(
        fault("duplicates", 1, 2, copies=2.0, again_s=60.0),
        fault("replay", 3, 4, again_s=2.0 * QUARTER),
    )
    messages = sent(delivery, 5)
    assert Counter(each.payload for each in messages).most_common()[0][1] == 3
    assert quarters(messages)[:4] == [0, 1, pytest.approx(1 + 1 / 15), 1 + 2 / 15]
    assert quarters(messages)[-1] == 5
    assert messages[-1].payload == messages[-3].payload
    assert delivery.ledger.duplicates == 3 * KEYS
    assert delivery.ledger.stored == 5 * KEYS


def test_a_retained_message_comes_again() -> None:
    messages = sent(one(fault("retained", 1, 2, again_s=1.5 * QUARTER)), 3)
    assert [each.retain for each in messages] == [False, True, False, True]


def test_what_no_platform_can_read() -> None:
    delivery = one(
        fault("truncated", 0, 1, share=0.5),
        fault("nan", 1, 2),
        fault("wrong_tenant", 2, 3, enterprise="E01x", where="payload"),
        fault("wrong_tenant", 3, 4, enterprise="E01x", where="topic"),
        fault("clock_1970", 4, 5),
    )
    cut, nan, claimed, elsewhere, unset, good = sent(delivery, 6)
    for broken in (cut, nan):
        with pytest.raises((json.JSONDecodeError, ZeroDivisionError)):
            json.loads(broken.payload, parse_constant=lambda _: 1 / 0)
    assert b'"power_kw":NaN' in nan.payload or nan.payload.count(b"NaN") == KEYS
    assert json.loads(claimed.payload)["enterprise"] == "E01x"
    assert elsewhere.topic == "parkwatt/v1/P01/E01x/E01-M1/readings"
    assert json.loads(unset.payload)["at"].startswith("1970-01-01")
    assert json.loads(good.payload)["at"] == "2024-01-01T01:15:00Z"
    ledger = delivery.ledger
    assert (ledger.corrupt, ledger.foreign) == (2 * KEYS, 2 * KEYS)
    assert (ledger.clock_not_set, ledger.stored) == (KEYS, KEYS)


def test_a_clock_far_ahead_is_told_apart_in_a_live_run_only() -> None:
    jump = fault("clock_jump", 1, 2, by_s=3600.0)
    for live, ahead in ((True, KEYS), (False, 0)):
        delivery = one(jump, live=live)
        sent(delivery, 3)
        assert delivery.ledger.ahead == ahead
        assert delivery.ledger.stored == 3 * KEYS - ahead


def test_batches_of_a_gateway() -> None:
    meters = [
        meter(code=f"E01-M{n}", gateway="GW1", enterprise=enterprise)
        for n, enterprise in enumerate(("E01", "E01", "E02"))
    ]
    silence = Fault(
        kind="gap",
        subject="GW1",
        start_s=EPOCH_S + QUARTER,
        stop_s=EPOCH_S + 2 * QUARTER,
    )
    delivery = Delivery(meters, [silence], place=PLACE, instants_in_message=60)
    messages = list(delivery.run(EPOCH_S, EPOCH_S + 4 * QUARTER))
    bodies = [json.loads(each.payload) for each in messages]
    assert {each.topic for each in messages} == {
        "parkwatt/v1/P01/E01/GW1/batch",
        "parkwatt/v1/P01/E02/GW1/batch",
    }
    # what was read before the gateway was silent, and after
    assert [each["seq"] for each in bodies] == [0, 0]
    assert [each["at"][11:16] for each in bodies[0]["meters"]["E01-M0"]] == [
        "00:00",
        "00:30",
        "00:45",
    ]
    assert list(bodies[0]["meters"]) == ["E01-M0", "E01-M1"]
    assert sum(each.readings for each in messages) == 3 * 3 * KEYS
    assert delivery.ledger.never_sent == 3 * KEYS


@st.composite
def parks(draw: st.DrawFn) -> tuple[list[Meter], list[Fault], int]:
    meters = [
        meter(
            code=f"E0{n}-M1",
            enterprise=f"E0{n}",
            format=draw(st.sampled_from(sorted(FORMATS))),
            gateway=draw(st.sampled_from([None, "GW1", "GW2"])),
            cadence_s=draw(st.sampled_from([300, 900])),
            ct=40.0,
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    seed = draw(st.integers(0, 1000))
    rate = draw(st.sampled_from([1, 20]))
    plan = planning.plan({"mixed": rate}, meters, EPOCH_S, EPOCH_S + 3 * DAY_S, seed)
    return meters, plan, draw(st.sampled_from([1, 7, 60]))


def chunks(delivery: Delivery, step_s: int) -> Iterator[Message]:
    for start_s in range(EPOCH_S, EPOCH_S + 3 * DAY_S, step_s):
        yield from delivery.run(start_s, start_s + step_s)
    yield from delivery.rest()


@given(parks())
@settings(max_examples=25)
def test_every_reading_has_one_fate(park: tuple[list[Meter], list[Fault], int]) -> None:
    meters, plan, many = park
    delivery = Delivery(meters, plan, place=PLACE, instants_in_message=many)
    messages = list(chunks(delivery, 6 * 3600))
    ledger = delivery.ledger
    taken = sum(
        instants(each, EPOCH_S, EPOCH_S + 3 * DAY_S).size
        * len(named(each.format).carried(channel.key for channel in each.channels))
        for each in meters
    )
    nulls = any(each.kind == "null" for each in plan)
    assert ledger.shown <= taken if nulls else ledger.shown == taken
    assert delivery.waiting == 0
    gone = sum(
        count
        for name, count in asdict(ledger).items()
        if name not in ("shown", "never_sent", "nulls", "not_carried")
    )
    assert sum(each.readings for each in messages) == gone
    assert ledger.stored + ledger.never_sent <= ledger.shown
    spoilt = ledger.corrupt + ledger.foreign + ledger.clock_not_set
    assert ledger.stored + ledger.never_sent + spoilt >= ledger.shown
    # copies count as duplicates where the first was good, else with it
    assert [each.due_s for each in messages] == sorted(each.due_s for each in messages)
    again = Delivery(meters, plan, place=PLACE, instants_in_message=many)
    assert list(chunks(again, 6 * 3600)) == messages


def test_a_fault_begins_while_the_run_goes_on() -> None:
    delivery = one()
    first = list(delivery.run(EPOCH_S, EPOCH_S + QUARTER))
    now_s = EPOCH_S + QUARTER
    added = planning.command("silence E01-M1 for 30 min", [meter()], now_s)
    assert added is not None
    delivery.add(added)
    later = list(delivery.run(now_s, EPOCH_S + 4 * QUARTER))
    assert quarters([*first, *later]) == [0, 3]
