"""What the simulators write, the platform reads: meter, quantity, time and value."""

import json
from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import formats as read_by
from ingest.explaining import Remembered
from ingest.formats import native as reader
from ingest.reading import Heard, Parsed, Place
from ingest.topics import raw
from simulators import formats
from simulators.formats import native, sparkplug
from simulators.load import EPOCH_S, Flow
from simulators.meter import Channel, Message, Meter, Shown
from store.quantities import KEYS

ZONE = ZoneInfo("Asia/Shanghai")
PARK = formats.Place("P01", ZONE)
NOW_US = 1_795_500_000_000_000  # 2026-11-24
FLOW = Flow(lambda number: np.full(number.size, 36_000))
ELECTRIC = {
    "energy_import_kwh": [12345.67, 12346.0, 12350.12],
    "energy_export_kwh": [0.0, 0.01, 3.2],
    "reactive_energy_q1_kvarh": [5.5, 5.75, 6.0],
    "power_kw": [83.2001, 0.0, -12.5],
    "reactive_power_kvar": [7.1, -0.3, 0.0],
    "voltage_a_v": [230.1, 229.9, 231.0],
    "current_a_a": [4.25, 0.5, 4.0],
    "voltage_v": [230.1, 229.9, 231.0],
    "current_a": [4.25, 0.5, 4.0],
    "power_factor": [0.98, 1.0, -0.5],
    "frequency_hz": [50.01, 49.99, 50.0],
}
PHASES = {"voltage_a_v", "current_a_a"}
WHOLE = {"voltage_v", "current_a"}
REACTIVE = {"reactive_energy_q1_kvarh"}
# what docs/formats.md lets each carry
CARRIED = {
    "native": set(ELECTRIC),
    "chirpstack": set(ELECTRIC),
    "sparkplug": set(ELECTRIC),
    "tasmota": set(ELECTRIC) - PHASES - REACTIVE,
    "shelly2": set(ELECTRIC)
    - WHOLE
    - REACTIVE
    - {"power_factor", "reactive_power_kvar"},
    "acrel": set(ELECTRIC) - WHOLE - REACTIVE,
}
# how finely each writes a time [µs]
STEP_US = {"tasmota": 1_000_000, "acrel": 1_000_000, "shelly2": 1000, "sparkplug": 1000}

Series = set[tuple[str, str, int, float]]


def shown(
    form: str,
    values: dict[str, list[float]],
    stamps: Iterable[int] = (0, 900_000_000, 1_800_123_456),
    **changes: str,
) -> Shown:
    kept = {key: np.array(column) for key, column in values.items()}
    channels = tuple(
        Channel(
            key=key,
            kind="register" if KEYS[key].kind == "register" else "gauge",
            flow=FLOW,
        )
        for key in kept
    )
    meter = Meter(
        enterprise="E01",
        code="E01-M1",
        carrier="electricity",
        channels=channels,
        format=form,
    )
    at = EPOCH_S + 900 * np.arange(len(next(iter(values.values()))))
    stamp_us = EPOCH_S * 1_000_000 + np.array(list(stamps)[: at.size])
    return Shown(
        meter=replace(meter, **changes),  # type: ignore[arg-type]
        at_s=at,
        stamp_us=stamp_us,
        values=kept,
    )


def read(messages: list[Message], known: Remembered | None = None) -> list[Parsed]:
    known = Remembered() if known is None else known
    found = []
    for each in messages:
        below = raw(each.topic)
        if below is None:
            found.append(reader.parse(each.topic, each.payload, NOW_US))
            continue
        heard = Heard(below.topic, each.payload, NOW_US)
        form = read_by.find(below.topic, lambda _: known)
        assert form is not None
        place = Place(below.park, below.enterprise, ZONE)
        found.append(form.parse(heard, place, known))
    for message, parsed in zip(messages, found, strict=True):
        assert parsed.rejects == []
        assert not parsed.on_arrival
        assert (parsed.park, parsed.enterprise) == ("P01", "E01")
        assert len(parsed.readings) == message.readings
    return found


def series(parsed: Iterable[Parsed]) -> Series:
    return {
        (each.meter, KEYS[each.key].quantity.name, each.at_us, each.value)
        for message in parsed
        for each in message.readings
    }


def expected(what: Shown, keys: Iterable[str], step_us: int = 1) -> Series:
    code = formats.code_of(what.meter, PARK)
    return {
        (code, KEYS[key].quantity.name, at // step_us * step_us, value)
        for key in keys
        for at, value in zip(
            what.stamp_us.tolist(), what.values[key].tolist(), strict=True
        )
        if value == value
    }


def written(what: Shown) -> list[Message]:
    return formats.named(what.meter.format).encoder(PARK)(what)


@pytest.mark.parametrize("form", formats.FORMATS)
def test_what_is_written_is_read(form: str) -> None:
    what = shown(form, ELECTRIC)
    assert set(formats.named(form).carried(what.values)) == CARRIED[form]
    got = series(read(written(what)))
    assert got == expected(what, CARRIED[form], STEP_US.get(form, 1))
    assert len(got) == 3 * len(CARRIED[form])


@pytest.mark.parametrize("form", formats.FORMATS)
def test_null_is_not_measured(form: str) -> None:
    nan = float("nan")
    what = shown(form, {"energy_import_kwh": [1.5, nan, 2.5], "power_kw": [nan] * 3})
    messages = written(what)
    assert sum(each.readings for each in messages) == 2
    assert {each[1] for each in series(read(messages))} == {"energy_import"}


@pytest.mark.parametrize("form", formats.FORMATS)
@given(
    steps=st.integers(0, 10**10), watts=st.integers(-(10**8), 10**8), stamp=st.data()
)
def test_values_come_back_bit_for_bit(
    form: str, steps: int, watts: int, stamp: st.DataObject
) -> None:
    at_us = stamp.draw(st.integers(0, 50_000_000_000_000))
    values = {"energy_import_kwh": [steps / 100], "power_kw": [watts / 1000]}
    what = shown(form, values, [at_us])
    got = series(read(written(what)))
    assert got == expected(what, values, STEP_US.get(form, 1))


@pytest.mark.parametrize("form", ["native", "chirpstack", "sparkplug"])
def test_other_carriers(form: str) -> None:
    values = {
        "water_m3": [77.25],
        "steam_t": [1.5],
        "heat_gj": [2.25],
        "natural_gas_m3": [8.0],
        "state_of_charge_percent": [55.5],
        "wastewater_flow_m3_h": [0.25],
    }
    what = shown(form, values)
    assert series(read(written(what))) == expected(what, values)


def test_a_format_sends_what_it_can_carry() -> None:
    (message,) = written(shown("tasmota", {"water_m3": [77.25]}))
    assert message.readings == 0
    assert series(read([message])) == set()


def test_native_by_hand() -> None:
    what = shown("native", {"energy_import_kwh": [12345.67], "power_kw": [83.2]})
    assert written(what) == [
        Message(
            due_s=EPOCH_S,
            topic="parkwatt/v1/P01/E01/E01-M1/readings",
            payload=b'{"at":"2024-01-01T00:00:00Z","energy_import_kwh":12345.67,'
            b'"power_kw":83.2}',
            readings=2,
        )
    ]


def test_batch_of_a_gateway() -> None:
    first = shown("native", {"energy_import_kwh": [1.0, 2.0]}, gateway="GW1")
    other = shown("native", {"water_m3": [7.0, float("nan")]}, code="E01-W1")
    message = native.batch(PARK, "GW1", "sim", 7, [first, other])
    assert message.topic == "parkwatt/v1/P01/E01/GW1/batch"
    assert message.readings == 3
    assert message.due_s == EPOCH_S + 900
    (parsed,) = read([message])
    assert series([parsed]) == expected(first, ["energy_import_kwh"]) | expected(
        other, ["water_m3"]
    )
    assert parsed.answer is not None
    assert parsed.answer.topic == "parkwatt/v1/P01/E01/GW1/ack"
    assert json.loads(parsed.answer.payload) == {"boot": "sim", "seq": 7}


def test_topics() -> None:
    topics = {
        form: written(shown(form, {"energy_import_kwh": [1.0]}, gateway="GW3"))[
            -1
        ].topic
        for form in formats.FORMATS
    }
    prefix = "parkwatt/v1/P01/E01"
    assert topics == {
        "native": f"{prefix}/E01-M1/readings",
        "tasmota": f"{prefix}/raw/tele/E01-M1/SENSOR",
        "shelly2": f"{prefix}/raw/E01-M1/events/rpc",
        "acrel": f"{prefix}/raw/gw/acrelHW/ADL400/data/GW3",
        "sparkplug": f"{prefix}/raw/spBv1.0/P01/DDATA/GW3/E01-M1",
        "chirpstack": f"{prefix}/raw/application/1/device/E01-M1/event/up",
    }


def test_local_times_are_the_parks() -> None:
    for form, time in (
        ("tasmota", b'"2024-01-01T08:00:00"'),
        ("acrel", b'"20240101080000"'),
    ):
        (message,) = written(shown(form, {"energy_import_kwh": [1.0]}))
        assert time in message.payload


def test_sparkplug_births_come_first_and_once() -> None:
    encode = formats.named("sparkplug").encoder(PARK)
    first = shown("sparkplug", {"energy_import_kwh": [1.0], "power_kw": [2.0]})
    other = shown("sparkplug", {"water_m3": [3.0]}, code="E01-W1")
    messages = [*encode(first), *encode(first), *encode(other)]
    kinds = [each.topic.split("/")[7] for each in messages]
    assert kinds == ["NBIRTH", "DBIRTH", "DDATA", "DDATA", "DBIRTH", "DDATA"]
    assert [each.readings for each in messages] == [0, 0, 2, 2, 0, 1]
    known = Remembered()
    assert series(read(messages, known)) == expected(first, first.values) | expected(
        other, other.values
    )
    assert known["P01/E01#seq"] == [5, 0]  # no gap
    for _ in range(300):
        read(encode(other), known)
    assert known["P01/E01#seq"] == [305 % 256, 0]


def test_sparkplug_bytes() -> None:
    """Of the samples that protoc wrote with the schema of Eclipse Tahu.

    tests/data/formats/sparkplug.yaml: the birth of plc1, and of its device's data the
    null metric with alias 13; the double by hand, 1250.7 is 0x40938acccccccccd.
    """
    born, later = 1763864100000, 1763864160000
    assert sparkplug.metric(born, name="bdSeq", datatype=8, whole=0) == bytes.fromhex(
        "0a056264536571 18a0f9f8f3aa33 2008 5800"
    )
    assert sparkplug.metric(
        born, name="Node Control/Rebirth", datatype=11, truth=False
    ) == bytes.fromhex(
        "0a144e6f646520436f6e74726f6c2f52656269727468 18a0f9f8f3aa33 200b 7000"
    )
    null = sparkplug.metric(later, alias=13)
    assert null == bytes.fromhex("100d 1880cefcf3aa33 3801")
    assert sparkplug.metric(later, alias=10, value=1250.7) == bytes.fromhex(
        "100a 1880cefcf3aa33 69cdcccccccc8a9340"
    )
    assert sparkplug.payload(born, [null], 2) == bytes.fromhex(
        "08a0f9f8f3aa33 120b 100d1880cefcf3aa333801 1802"
    )


def test_unknown_format() -> None:
    with pytest.raises(Exception, match="unknown format 'modbus'"):
        formats.named("modbus")
