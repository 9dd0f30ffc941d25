"""The simulated park: same seed, same bytes; registers are the integral of power."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulators.errors import SimulatorError
from simulators.park import CONTRACT_DEMAND_KW, Park

DAY = datetime(2026, 3, 4, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Wednesday


def digest(park: Park) -> str:
    total = hashlib.sha256()
    for message in park.history(DAY, DAY + timedelta(days=1), 900):
        total.update(message.topic.encode() + message.payload)
    return total.hexdigest()


def test_who_is_in_the_park() -> None:
    park = Park()
    assert [each.code for each in park.enterprises] == [
        f"E{n:02}" for n in range(1, 13)
    ]
    assert all(each.added_value_10k_cny > 0 for each in park.enterprises)
    count: dict[tuple[str, str], int] = {}
    for meter in park.meters:
        kind = (meter.carrier, meter.role)
        count[kind] = count.get(kind, 0) + 1
        assert meter.code.startswith(f"{meter.enterprise}-")
    assert count == {
        ("electricity", "main"): 12,
        ("electricity", "pv"): 1,
        ("natural_gas", "main"): 2,
        ("water", "main"): 12,
    }


def test_same_seed_same_bytes() -> None:
    assert digest(Park(3)) == digest(Park(3))
    assert digest(Park(3)) != digest(Park(4))


def test_bytes_of_seed_1_stay() -> None:
    """A change of the park must be meant: whoever replays it expects the same."""
    assert digest(Park(1)) == (
        "23e59080565407048f832a4e4ec8af7cce74897965192cb23592dbb211e8c87d"
    )


def test_any_instant_can_be_asked_for_alone() -> None:
    park = Park(1)
    at = DAY + timedelta(hours=9, minutes=7, seconds=13)
    later = {m.topic: m.payload for m in park.snapshot(at)}
    history = Park(1).history(DAY, at + timedelta(seconds=1), 1093, per_message=1)
    # 9:07:13 is 30 steps of 1093 s and 43 s more: not an instant of that history
    assert not {m.payload for m in history} & set(later.values())
    step = int((at - DAY).total_seconds())
    again = Park(1).history(DAY, at + timedelta(seconds=1), step, per_message=1)
    assert {m.topic: m.payload for m in again} == later


def test_snapshot_goes_to_its_topic() -> None:
    park = Park(1, code="P07", zone="Asia/Shanghai")
    message = park.snapshot(datetime(2026, 3, 4, 2, 0, 0, 999_999, tzinfo=UTC))[0]
    assert message.topic == "parkwatt/v1/P07/E01/E01-M1/readings"
    assert message.readings == 3
    body = json.loads(message.payload)
    assert list(body) == [
        "at",
        "energy_import_kwh",
        "reactive_energy_q1_kvarh",
        "power_kw",
    ]
    assert body["at"] == "2026-03-04T10:00:00+08:00"


def test_registers_are_the_integral_of_power() -> None:
    park = Park(1)
    at = np.arange(int(DAY.timestamp()), int(DAY.timestamp()) + 86_401, 10)
    for meter in park.meters:
        readings = park.readings(meter, at)
        register = np.array([float(each[meter.keys[0]]) for each in readings])
        assert np.all(np.diff(register) >= 0), meter.code
        if meter.carrier != "electricity":
            continue
        power = np.array([float(each[meter.keys[-1]]) for each in readings])
        assert np.all(power >= 0)
        energy = np.trapezoid(power, dx=10 / 3600)
        # the register shows hundredths, cut off; power is cut to the watt
        assert register[-1] - register[0] == pytest.approx(energy, abs=0.05)


def test_registers_go_on_across_years() -> None:
    park = Park(1)
    start = datetime(2024, 1, 1, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
    at = np.arange(int(start.timestamp()), int(DAY.timestamp()), 86_400 * 3 // 2)
    for meter in park.meters:
        register = [float(each[meter.keys[0]]) for each in park.readings(meter, at)]
        assert np.all(np.diff(register) >= 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_park_peaks_in_the_afternoon_near_the_contract(seed: int) -> None:
    park = Park(seed)
    mains = [m for m in park.meters if m.role == "main" and "power_kw" in m.keys]
    highest = 0.0
    for month in range(1, 13):
        start = datetime(2026, month, 12, tzinfo=park.zone)
        for day in range(7):
            begin = int((start + timedelta(days=day)).timestamp())
            at = np.arange(begin, begin + 86_400, 900)
            power = np.zeros(at.size)
            for meter in mains:
                readings = park.readings(meter, at)
                power += [float(each["power_kw"]) for each in readings]
            assert 13 <= power.argmax() / 4 <= 16
            highest = max(highest, float(power.max()))
    assert 0.9 * CONTRACT_DEMAND_KW < highest < 1.1 * CONTRACT_DEMAND_KW


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (datetime(2026, 3, 4), "has no zone"),  # noqa: DTZ001
        (datetime(2023, 12, 31, tzinfo=UTC), "before 2024-01-01"),
    ],
)
def test_times_are_checked(at: datetime, reason: str) -> None:
    with pytest.raises(SimulatorError, match=reason):
        Park().snapshot(at)
