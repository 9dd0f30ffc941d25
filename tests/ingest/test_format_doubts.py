"""What a format must not guess: direction, unit, whose value it is, and when it was."""

import gzip
import json
import zlib
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest import formats
from ingest.explaining import Remembered
from ingest.formats import lessons
from ingest.formats.sparkplug import _Payload
from ingest.reading import Heard, Parsed, Place, Refused
from store.readings import to_datetime

ARRIVED_US = 1_795_500_000_000_000  # 2026-11-24
PLACE = Place("P01", "E01", ZoneInfo("Asia/Shanghai"))
SENT_MS = 1_757_059_829_000
NODE, DEVICE = "spBv1.0/G/%s/N", "spBv1.0/G/%s/N/D"


def hear(
    topic: str, payload: Any, known: Remembered | None = None, later_us: int = 0
) -> Parsed:
    memory = Remembered() if known is None else known
    form = formats.find(topic, lambda _: memory)
    assert form is not None
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return form.parse(Heard(topic, raw, ARRIVED_US + later_us), PLACE, memory)


def values(parsed: Parsed) -> list[tuple[str, str, Any]]:
    return [
        (each.meter, each.key, pytest.approx(each.value)) for each in parsed.readings
    ]


def reasons(parsed: Parsed) -> list[str]:
    return [each.reason for each in parsed.rejects]


def sparkplug(
    *metrics: dict[str, Any], timestamp: int | None = SENT_MS, **more: Any
) -> bytes:
    payload = _Payload(**more)
    if timestamp is not None:
        payload.timestamp = timestamp
    for each in metrics:
        metric = payload.metrics.add()
        unit = each.pop("unit", None)
        for name, value in each.items():
            setattr(metric, name, value)
        if unit:
            metric.properties.keys.append(b"engUnit")
            metric.properties.values.add(string_value=unit.encode())
    raw: bytes = payload.SerializeToString()
    return raw


# -- Sparkplug


def test_a_metric_without_name_and_alias_is_nobodys() -> None:
    known = Remembered()
    hear(NODE % "NBIRTH", sparkplug(), known)
    birth = {"name": b"energy_import", "alias": 0, "double_value": 5.0, "unit": "kWh"}
    hear(DEVICE % "DBIRTH", sparkplug(birth), known)
    parsed = hear(DEVICE % "DDATA", sparkplug({"double_value": 777.0}), known)
    assert not parsed.readings
    assert reasons(parsed) == ["a metric has neither name nor alias"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [("current_a", "mA"), ("power_kw", "hp"), ("power_kw", "mW"), ("voltage_v", "mV")],
)
def test_an_unknown_unit_is_refused(name: str, unit: str) -> None:
    metric = {"name": name.encode(), "double_value": 10.5, "unit": unit}
    parsed = hear(DEVICE % "DDATA", sparkplug(metric))
    assert not parsed.readings
    assert unit in reasons(parsed)[0]


def test_an_unknown_unit_of_what_is_not_read_is_no_matter() -> None:
    metrics = (
        {"name": b"Temperature", "double_value": 1.0, "unit": "K"},
        {"name": b"power", "double_value": 1.0, "unit": "hp"},
        {"name": b"power_factor", "double_value": 1.0, "unit": "-"},
    )
    parsed = hear(DEVICE % "DDATA", sparkplug(*metrics))
    assert parsed.unread == ["Temperature", "power"]
    assert values(parsed) == [("G.N.D", "power_factor", 1.0)]


def test_names_of_one_series_do_not_mix() -> None:
    metrics = [
        {"name": b"Active Power", "double_value": 1.0, "unit": "kW", "alias": 1},
        {"name": b"Total Active Power", "double_value": 3.0, "unit": "kW", "alias": 2},
        {"name": b"power_w", "double_value": 9.0, "alias": 3},
        {"name": b"folder/power_w", "double_value": 9.0, "alias": 4},
    ]
    wanted = [("G.N.D", "power_kw", 1.0), ("G.N.D.folder", "power_w", 0.009)]
    told = "'Active Power' is power of the same meter"
    known = Remembered()
    hear(NODE % "NBIRTH", sparkplug(), known)
    for kind, memory in (("DDATA", Remembered()), ("DBIRTH", known)):
        parsed = hear(DEVICE % kind, sparkplug(*(dict(e) for e in metrics)), memory)
        assert values(parsed) == wanted
        assert [told in each for each in reasons(parsed)] == [True, True]
    # the birth certificate has decided for later data
    data = sparkplug(
        {"alias": 2, "double_value": 4.0}, {"alias": 4, "double_value": 4.0}
    )
    parsed = hear(DEVICE % "DDATA", data, known)
    assert values(parsed) == [("G.N.D.folder", "power_w", 0.004)]
    late = sparkplug({"name": b"power_kw", "double_value": 4.0})  # not born at all
    assert told in reasons(hear(DEVICE % "DDATA", late, known))[0]


def test_an_alias_of_two_metrics_is_of_none() -> None:
    known = Remembered()
    hear(NODE % "NBIRTH", sparkplug(), known)
    birth = sparkplug(
        {"name": b"energy_import_kwh", "alias": 7, "double_value": 5.0},
        {"name": b"energy_export_kwh", "alias": 7, "double_value": 1.0},
    )
    parsed = hear(DEVICE % "DBIRTH", birth, known)
    assert not parsed.readings
    assert ["alias 7 is that of two" in each for each in reasons(parsed)] == [True] * 2
    data = sparkplug({"alias": 7, "double_value": 6.0})
    parsed = hear(DEVICE % "DDATA", data, known)
    assert not parsed.readings
    assert "alias 7 is that of two metrics" in reasons(parsed)[0]


def test_aliases_end_with_a_birth_that_has_no_time() -> None:
    known = Remembered()
    hear(NODE % "NBIRTH", sparkplug(timestamp=None, seq=0), known)
    birth = sparkplug({"name": b"energy_import_kwh", "alias": 7, "double_value": 5.0})
    hear(DEVICE % "DBIRTH", birth, known)
    data = sparkplug({"alias": 7, "double_value": 99.0})
    assert len(hear(DEVICE % "DDATA", data, known).readings) == 1
    hear(NODE % "NBIRTH", sparkplug(timestamp=None, seq=0), known, later_us=1)
    parsed = hear(DEVICE % "DDATA", data, known, later_us=2)
    assert not parsed.readings
    assert "a rebirth is needed" in reasons(parsed)[0]


@pytest.mark.parametrize(
    ("pack", "algorithm"),
    [(zlib.compress, None), (zlib.compress, "DEFLATE"), (gzip.compress, "gzip")],
)
def test_compressed_payloads_are_read(pack: Any, algorithm: str | None) -> None:
    inner = sparkplug(
        {"name": b"energy_import_kwh", "double_value": 6.0}, timestamp=None
    )
    named = (
        [{"name": b"algorithm", "string_value": algorithm.encode()}]
        if algorithm
        else []
    )
    outer = sparkplug(*named, uuid=b"SPBV1.0_COMPRESSED", body=pack(inner))
    parsed = hear(DEVICE % "DDATA", outer)
    assert values(parsed) == [("G.N.D", "energy_import_kwh", 6.0)]
    assert parsed.readings[0].at_us == SENT_MS * 1000
    assert not parsed.unread


def test_compressed_payloads_that_cannot_be_read_say_so() -> None:
    good = zlib.compress(sparkplug({"name": b"power_kw", "double_value": 6.0}))
    twice = zlib.compress(sparkplug(uuid=b"SPBV1.0_COMPRESSED", body=good))
    for body, algorithm, words in (
        (good, b"LZMA", "compressed by 'LZMA'"),
        (good, b"GZIP", "cannot be inflated"),
        (good[:-6], b"DEFLATE", "cut off"),
        (zlib.compress(bytes(300_000)), b"DEFLATE", "more than 262144 bytes"),
        (b"", b"DEFLATE", "cut off"),
        (twice, b"DEFLATE", "compressed twice"),
        (zlib.compress(b"no protobuf"), b"DEFLATE", "not Sparkplug B"),
    ):
        named = {"name": b"algorithm", "string_value": algorithm}
        with pytest.raises(Refused, match=words):
            hear(
                DEVICE % "DDATA",
                sparkplug(named, uuid=b"SPBV1.0_COMPRESSED", body=body),
            )
    parsed = hear(DEVICE % "DDATA", sparkplug(uuid=b"mine", body=b"x"))
    assert parsed.unread == ["body"]


def test_templates_and_data_sets_say_what_they_are() -> None:
    metrics = (
        {"name": b"energy_import_kwh", "dataset_value": b"\x08\x01"},
        {"name": b"power_kw", "template_value": b""},
        {"name": b"Motor 1", "template_value": b""},
    )
    parsed = hear(DEVICE % "DDATA", sparkplug(*metrics))
    assert "a data set is no number" in reasons(parsed)[0]
    assert "a template is no number" in reasons(parsed)[1]
    assert parsed.unread == ["Motor 1"]


def test_invented_nodes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "MOST", 20)
    known = Remembered()
    birth = sparkplug({"name": b"power_kw", "alias": 1, "double_value": 1.0}, seq=0)
    told = []
    for number in range(50):
        parsed = hear(f"spBv1.0/G/NBIRTH/N{number}", birth, known)
        assert len(parsed.readings) == 1
        told += reasons(parsed)
    assert len(known) <= 21
    assert "have taught 20 things" in told[0]
    # who was learned before may be born again, and means what it says now
    assert not reasons(hear("spBv1.0/G/NBIRTH/N0", birth, known))
    more = sparkplug(*({"name": b"x%d" % each, "alias": each} for each in range(9)))
    assert reasons(hear("spBv1.0/G/NBIRTH/N0", more, known))
    data = sparkplug({"alias": 1, "double_value": 2.0})
    assert "a rebirth" in reasons(hear("spBv1.0/G/NDATA/N0", data, known))[0]


# -- Home Assistant and ESPHome

ENERGY: dict[str, Any] = {
    "device_class": "energy",
    "unit_of_measurement": "kWh",
    "state_class": "total_increasing",
}
POWER: dict[str, Any] = {"device_class": "power", "unit_of_measurement": "W"}


def discovered(
    field: str, known: Remembered | None = None, topic: str = "m/meter", **body: Any
) -> Parsed:
    """Announce a field and send it."""
    memory = Remembered() if known is None else known
    path = f"{{{{ value_json[{field!r}] }}}}"
    sensor = {"state_topic": topic, "name": field, "value_template": path} | body
    hear(f"homeassistant/sensor/{field.replace(' ', '-')}/config", sensor, memory)
    return hear(topic, {field: 7.0}, memory)


@pytest.mark.parametrize(
    "field",
    [
        "reverse",
        "energy_reverse",
        "negative_energy",
        "sold",
        "to_grid",
        "backward",
        "fed into grid",
        "feed_in",
        "einspeisung",
        "2_8_0",
        "1-0:2.8.0",
        "exported",
    ],
)
def test_words_of_export(field: str) -> None:
    [(meter, key, value)] = values(discovered(field, **ENERGY))
    assert (meter.removesuffix(".grid"), key, value) == (
        "m.meter",
        "energy_export_kwh",
        7,
    )


@pytest.mark.parametrize(
    "field", ["import", "energy_import", "1_8_0", "from_grid", "E"]
)
def test_words_of_import(field: str) -> None:
    assert values(discovered(field, **ENERGY))[0][1] == "energy_import_kwh"


@pytest.mark.parametrize(
    "field",
    [
        "Total out",
        "E_out",
        "output energy",
        "outgoing",
        "received",
        "delivered",
        "cooling",
        "chiller_cold",
        "energy_peak",
        "energy_offpeak",
        "energy_night",
        "energy_t1",
        "energy_rate_2",
        "energy_phase_a",
        "energy_l2",
        "1_8_1",
        "21_8_0",
        "reactive_energy",
        "teruglevering",  # a word that is not known, in any language
        "import_export",
        "feed_pump",
    ],
)
def test_words_that_leave_energy_open(field: str) -> None:
    known = Remembered()
    parsed = discovered(field, known, **ENERGY)
    assert not parsed.readings
    assert parsed.unread == [field]


def test_the_reason_names_the_word() -> None:
    sensor = {"state_topic": "m/meter", "name": "Energy out"} | ENERGY
    parsed = hear("homeassistant/sensor/x/config", sensor)
    assert parsed.unread == ["Energy out: 'out' in its name leaves open what it counts"]


@pytest.mark.parametrize(
    "field", ["reverse_power", "max_power", "power_l1", "p1", "sold"]
)
def test_words_that_leave_power_open(field: str) -> None:
    assert not discovered(field, **POWER).readings


@pytest.mark.parametrize(
    ("field", "kind", "unit", "wanted"),
    [
        ("voltage_l2", "voltage", "V", ("m.meter", "voltage_b_v")),
        ("current_phase_a", "current", "A", ("m.meter", "current_a_a")),
        ("current_c", "current", "A", ("m.meter", "current_c_a")),
        ("current_a", "current", "A", None),  # of phase A, or in amperes?
        ("voltage_l1_l2", "voltage", "V", None),
        ("current", "current", "A", ("m.meter", "current_a")),
    ],
)
def test_phases(
    field: str, kind: str, unit: str, wanted: tuple[str, str] | None
) -> None:
    parsed = discovered(field, device_class=kind, unit_of_measurement=unit)
    assert [each[:2] for each in values(parsed)] == ([wanted] if wanted else [])


def test_channels_and_the_name_of_the_device_are_no_doubt() -> None:
    named = {"device": {"name": "Press shop"}} | ENERGY
    assert values(discovered("press_energy", **named))[0][0] == "m.meter.press"
    assert values(discovered("energy_ch2", **ENERGY))[0][0] == "m.meter.ch2"
    parsed = discovered("Energy_kWh", name="Energy (kWh)", **ENERGY)
    assert values(parsed) == [("m.meter", "energy_import_kwh", 7)]
    # a device called so is no register of export
    parsed = discovered("energy", topic="m/reverse-osmosis", **ENERGY)
    assert not parsed.readings


def test_esphome_says_export_in_its_topic() -> None:
    known = Remembered()
    topic = "boiler/sensor/reverse_active_energy/state"
    sensor = {"name": "Reverse active energy", "state_topic": topic} | ENERGY
    hear("homeassistant/sensor/boiler/reverse/config", sensor, known)
    parsed = hear(topic, b"55", known)
    assert values(parsed) == [("boiler", "energy_export_kwh", 55)]


def test_invented_sensors_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lessons, "MOST", 20)
    known = Remembered()

    def announce(number: int, state: int) -> None:
        sensor = {"state_topic": f"m/meter{state}", "name": "Energy"} | ENERGY
        hear(f"homeassistant/sensor/{number}/config", sensor, known)

    for number in range(5):  # three keys and a sensor each
        announce(number, number)
    with pytest.raises(Refused, match="have taught 20 things"):
        announce(5, 5)
    assert len(known) == 16
    # what is known may be said again, taken away and said again
    for _ in range(20):
        announce(0, 0)
        hear("homeassistant/sensor/0/config", b"", known)
        hear("homeassistant/sensor/unknown/config", b"", known)
    assert len(known) == 16


# -- codes


def test_levels_and_dots_do_not_fall_together() -> None:
    now = {"ENERGY": {"Total": 1}}
    topics = ("tele/hall3.press/SENSOR", "tele/hall3/press/SENSOR")
    dotted, plain = (hear(each, now).readings[0].meter for each in topics)
    assert (plain, dotted[:12]) == ("hall3.press", "hall3.press-")
    body = {"total_act_power": 1}
    topics = ("hall3.press/status/em:0", "hall3/press/status/em:0")
    dotted, plain = (hear(each, body).readings[0].meter for each in topics)
    assert (plain, dotted[:12]) == ("hall3.press", "hall3.press-")
    topics = ("shellies/a.b/emeter/0/power", "shellies/a/b/emeter/0/power")
    dotted, plain = (hear(each, b"1").readings[0].meter for each in topics)
    assert plain == "a.b.0" != dotted
    topics = ("a.b/v2/t", "a/b/v2/t")
    dotted, plain = (hear(each, {"power_kw": 1}).readings[0].meter for each in topics)
    assert plain == "a.b" != dotted
    gateway = hear(
        "a/v1/gateway/telemetry", {"b": {"power_kw": 1}, "b.c": {"power_kw": 1}}
    )
    deeper = hear("a/b/v1/gateway/telemetry", {"c": {"power_kw": 1}})
    meters = {each.meter for each in (*gateway.readings, *deeper.readings)}
    assert len(meters) == 3
    assert {"a.b", "a.b.c"} < meters
    dotted, plain = (
        discovered("energy", topic=each, **ENERGY).readings[0].meter
        for each in ("m/a.b", "m/a/b")
    )
    assert plain == "m.a.b" != dotted


def test_a_level_and_a_part_of_one_name_are_claimed_once() -> None:
    known = Remembered()
    discovered("energy_ch2", known, topic="m/a", **ENERGY)
    sensor = {"state_topic": "m/a/ch2", "name": "Energy"}
    sensor["value_template"] = "{{ value_json.energy }}"
    parsed = hear("homeassistant/sensor/second/config", sensor | ENERGY, known)
    assert "is energy_import of the same meter" in reasons(parsed)[0]


def test_a_switch_and_a_meter_of_one_number_stay_apart() -> None:
    known = Remembered()
    both = {"switch:0": {"apower": 5}, "em1:0": {"act_power": 900}}
    notice = {"method": "NotifyStatus", "params": {"ts": 1757060280.21} | both}
    wanted = [("h.0", "power_w", 0.9), ("h.switch-0", "power_w", 0.005)]
    assert values(hear("h/events/rpc", notice, known)) == wanted
    counter = {"aenergy": {"total": 10}}
    assert values(hear("h/status/switch:0", counter, known))[0][0] == "h.switch-0"
    assert (
        values(hear("h/status/em1data:0", {"total_act_energy": 1}, known))[0][0]
        == "h.0"
    )
    # who is alone has the plain name; a switch that does not count is nobody
    assert values(hear("g/status/switch:0", counter, known))[0][0] == "g.0"
    hear("f/status/switch:0", {"output": True}, known)
    assert values(hear("f/status/em1:0", {"act_power": 1}, known))[0][0] == "f.0"


def test_a_relay_and_an_emeter_of_one_number_stay_apart() -> None:
    known = Remembered()
    assert values(hear("shellies/a/emeter/0/power", b"100", known))[0][0] == "a.0"
    assert values(hear("shellies/a/relay/0/power", b"7", known))[0][0] == "a.relay-0"
    assert values(hear("shellies/b/relay/0/power", b"7", known))[0][0] == "b.0"


def test_an_object_of_an_uplink_is_a_meter() -> None:
    topic = "application/a/device/0101/event/up"
    meters = []
    for channel, value in (("ch1", 5), ("ch2", 900)):
        body = {"object": {channel: {"energy_import_kwh": value}}}
        meters += values(hear(topic, body))
    assert meters == [
        ("0101.ch1", "energy_import_kwh", 5),
        ("0101.ch2", "energy_import_kwh", 900),
    ]


# -- times and states


def test_thingsboard_takes_the_time_beside_the_keys() -> None:
    parsed = hear("m/v1/devices/me/telemetry", {"ts": 1451649600512, "power_kw": 5})
    assert (
        to_datetime(parsed.readings[0].at_us).isoformat().startswith("2016-01-01T12:00")
    )
    assert not parsed.unread
    assert not parsed.on_arrival


ACREL = "/gw/acrelHW/ADL/%s/1"
FRAME = {"type": "data", "time": "20211124101800", "meterSN": "4", "wh": 8.98}


def test_acrel_history_needs_its_time_whatever_its_type_says() -> None:
    parsed = hear(ACREL % "hstdata", {"type": "data", "meterSN": "4", "wh": 1})
    assert reasons(parsed) == ["energy_import_kwh: history without its time"]


@pytest.mark.parametrize("when", [20211124101800, 20211124101800000, 20211124101800.0])
def test_acrel_times_that_are_numbers(when: float) -> None:
    parsed = hear(ACREL % "data", FRAME | {"time": when})
    at = to_datetime(parsed.readings[0].at_us).isoformat()
    assert at == "2021-11-24T02:18:00+00:00"


@pytest.mark.parametrize(
    ("channel", "meter"),
    [(1, "4-ch1"), ("1", "4-ch1"), (2.0, "4-ch2"), ("0", "4"), (0, "4"), (None, "4")],
    ids=repr,
)
def test_acrel_circuits(channel: object, meter: str) -> None:
    parsed = hear(ACREL % "data", FRAME | {"ch": channel})
    assert values(parsed) == [(meter, "energy_import_kwh", 8.98)]


def test_acrel_states_that_are_not_bad_are_read() -> None:
    for status in ("NORMAL", None, "", " normal", "running", 1):
        parsed = hear(ACREL % "data", FRAME | {"meterStatus": status})
        assert len(parsed.readings) == 1
    assert not hear(ACREL % "data", FRAME | {"meterStatus": "Missing"}).readings
    with pytest.raises(Refused, match="meterStatus is 'Fault'"):
        hear(ACREL % "data", FRAME | {"meterStatus": "Fault"})
    with pytest.raises(Refused, match="ch is a list"):
        hear(ACREL % "data", FRAME | {"ch": [1]})
