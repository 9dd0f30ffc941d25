"""Any device by a mapping: what it may say, what it reads, what is proposed for it."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingest import mapping
from ingest.proposing import propose
from ingest.reading import Heard, Place, Refused
from store.errors import Invalid
from store.readings import to_datetime

ARRIVED_US = 1_795_500_000_000_000
FLAT = """
name: dtu
topic: factory/+/{meter}/up
park: P01
enterprise: E01
time: $.ts
values:
  - {path: $.EP, key: energy_import_kwh, scale: 0.01}
  - {path: $.P, key: power_w}
"""
LIST = """
name: gateway
topic: plant/#
park: P01
enterprise: E01
zone: Asia/Shanghai
each: $.data[*]
meter: $.sn
time: $.time
values:
  - {path: '$.point[?@.id==28].val', key: energy_import_kwh}
  - {path: "$['有功功率']", key: power_kw}
"""


def read(text: str, topic: str, body: Any, retained: bool = False) -> list[list[Any]]:
    each = mapping.load(text)
    matched = mapping.match(each, topic)
    assert matched is not None
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    place = Place(each.park, each.enterprise, ZoneInfo(each.zone or "UTC"), matched[1])
    parsed = mapping.parse(each, Heard(topic, payload, ARRIVED_US, retained), place)
    return [
        [r.meter, r.key, to_datetime(r.at_us).isoformat(), r.value]
        for r in parsed.readings
    ] + [[each.reason] for each in parsed.rejects]


def test_a_flat_message() -> None:
    body = {"ts": 1763864100, "EP": "125050", "P": 8200, "else": 1}
    assert read(FLAT, "factory/a/M-7/up", body) == [
        ["M-7", "energy_import_kwh", "2025-11-23T02:15:00+00:00", 1250.5],
        ["M-7", "power_w", "2025-11-23T02:15:00+00:00", 8.2],
    ]


def test_a_list_of_meters_with_one_time_beside_it() -> None:
    body = {
        "time": "20251123101500",
        "data": [
            {"sn": 4711, "point": [{"id": 1, "val": 2}, {"id": 28, "val": "1500.5"}]},
            {"sn": "水泵 1", "有功功率": 3.5},
        ],
    }
    found = read(LIST, "plant/x/y", body)
    assert found[0] == [
        "4711",
        "energy_import_kwh",
        "2025-11-23T02:15:00+00:00",
        1500.5,
    ]
    assert found[1][1:] == ["power_kw", "2025-11-23T02:15:00+00:00", 3.5]


def test_a_bare_number_comes_when_it_arrives_and_a_kept_one_is_no_news() -> None:
    text = """
    {name: n, topic: "hall/{meter}/power", park: P01, enterprise: E01,
     values: [{path: $, key: power_w}]}
    """
    assert read(text, "hall/m1/power", b" 1500 ") == [
        ["m1", "power_w", to_datetime(ARRIVED_US).isoformat(), 1.5]
    ]
    assert read(text, "hall/m1/power", b"1500", retained=True) == []
    with pytest.raises(Refused, match="neither JSON nor a number"):
        read(text, "hall/m1/power", b"on")


def test_bad_values_have_reasons_and_good_ones_are_kept() -> None:
    body = {"ts": 1763864100, "EP": "lots", "P": 8200}
    found = read(FLAT, "factory/a/M-7/up", body)
    assert found[0][3] == 8.2
    assert found[1] == ["energy_import_kwh: 'lots' is not a number"]
    with pytest.raises(Refused, match="none of the mapping's values"):
        read(FLAT, "factory/a/M-7/up", {"ts": 1763864100})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("topic: a/{meter}/{meter}", "topic: Value error, is no topic filter"),
        ("topic: a/#/b", "is no topic filter"),
        ("topic: a/b+", "stand for whole levels"),
        ("park: P 1", "park: Value error"),
        ("zone: Mars/Base", "is no IANA zone"),
        ("time: '$.['", "is no JSON path"),
        ("meter: 'a b'", "neither a code nor a JSON path"),
        ("format: nothing", "is none of"),
        ("values: []", "either a format or values"),
        ("format: flat", "either a format or values"),
        ("colour: red", "colour: Extra inputs"),
        ("values: [{path: $.a, key: power}]", "is no key of docs/wire.md"),
        ("values: [{path: $.a, key: water_delta_m3}]", "interval amount"),
        ("values: [{path: $.a, key: power_kw, scale: .inf}]", "finite"),
        ("[", "not YAML"),
    ],
)
def test_a_wrong_mapping_is_refused_in_one_line(change: str, words: str) -> None:
    name = change.partition(":")[0]
    lines = [line for line in FLAT.splitlines() if not line.startswith(name)]
    if name == "values":
        lines = [line for line in lines if not line.startswith("  ")]
    with pytest.raises(Invalid, match=words) as caught:
        mapping.load("\n".join([*lines, change]))
    assert "\n" not in str(caught.value)


def test_a_draft_names_its_guesses_and_reads_what_it_was_made_from() -> None:
    bodies = [
        {
            "ts": 1763864100 + n,
            "EP": 100.5 + n,
            "P": 3.2,
            "Ua": 230.1,
            "PF": 0.9,
            "x": 1,
        }
        for n in range(2)
    ]
    topic = "factory/a/dtu-0071/up"
    draft = propose(topic, [json.dumps(each).encode() for each in bodies])
    assert draft is not None
    assert "kwh assumed: check; it only grows" in draft
    found = read(
        draft.replace("PARK", "P").replace("ENTERPRISE", "E"), topic, bodies[0]
    )
    assert [(each[1], each[3]) for each in found] == [
        ("energy_import_kwh", 100.5),
        ("power_kw", 3.2),
        ("voltage_a_v", 230.1),
        ("power_factor", 0.9),
    ]


def test_a_draft_of_a_list_and_of_a_bare_number() -> None:
    body = {"time": "2025-11-23T10:15:00Z", "rows": [{"meterSN": "A1", "kWh": 7}]}
    draft = propose("plant/meters", [json.dumps(body).encode()])
    assert draft is not None
    assert read(draft, "plant/meters", body) == [
        ["A1", "energy_import_kwh", "2025-11-23T10:15:00+00:00", 7.0]
    ]
    draft = propose("hall/pump-17/power", [b"3.5"])
    assert draft is not None
    assert read(draft, "hall/pump-17/power", b"3.5")[0][:2] == ["pump-17", "power_kw"]
    assert propose("hall/pump-17/mode", [b"on"]) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=8)
            | st.sampled_from(["ts", "EP", "P", "data", "sn", "time"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=60) | JSON)
def test_no_payload_makes_a_mapping_or_a_draft_fail(body: Any) -> None:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    for text, topic in ((FLAT, "factory/a/M-7/up"), (LIST, "plant/x")):
        try:
            for each in read(text, topic, payload):
                assert len(each) == 1 or -1e15 < each[3] < 1e15
        except Refused:
            pass
    draft = propose("factory/a/m-1/up", [payload, payload])
    if draft is not None:
        mapping.load(draft)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FLAT + "meter: $.sn\n", "not in both"),
        (FLAT.partition("time:")[0] + "format: flat\ntime: $.ts\n", "by itself"),
        (FLAT.partition("time:")[0] + "format: flat\nmeter: $.sn\n", "by itself"),
        (FLAT.replace("power_w", "energy_import_kwh"), "two places"),
        (FLAT.replace("0.01", "0"), "is 0"),
    ],
)
def test_what_would_be_passed_over_is_refused(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        mapping.load(text)


def test_one_bad_object_spoils_no_other() -> None:
    body = {
        "time": "20251123101500",
        "data": [
            {"sn": "A", "有功功率": 1},
            {"sn": None, "有功功率": 2},
            {"sn": True, "有功功率": 2},
            {"sn": "C", "有功功率": 3},
        ],
    }
    found = read(LIST, "plant/x", body)
    assert [(each[0], each[-1]) for each in found[:2]] == [("A", 1), ("C", 3)]
    assert len(found) == 4
    assert "names no meter" in found[2][0]


def test_a_path_to_several_values_reads_none_of_them() -> None:
    text = FLAT.replace("$.P,", "'$.p[*]',")
    found = read(text, "factory/a/M-7/up", {"ts": 1763864100, "EP": 1, "p": [1, 2]})
    assert found[1] == ["power_w: 2 values stand at $.p[*]"]


def test_long_names_do_not_fall_together() -> None:
    long = "x" * 250
    body = {
        "time": "20251123101500",
        "data": [{"sn": long + n, "有功功率": 1} for n in "ab"],
    }
    found = read(LIST, "plant/x", body)
    assert found[0][0] != found[1][0]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("total_power", "power_kw"),
        ("total_current", None),
        ("total_month", None),
        ("forward_energy_today", None),
        ("import_limit", None),
        ("power_export", None),
        ("pt", None),
        ("heater_power", None),
        ("water_temp", None),
        ("wastewater", None),
        ("steam_pressure", None),
        ("P(kW)", "power_kw"),
        ("Active Power (kW)", "power_kw"),
        ("forward_energy", "energy_import_kwh"),
        ("energy_export", "energy_export_kwh"),
        ("water_m3", "water_m3"),
        ("heat_energy", "heat_gj"),
    ],
)
def test_a_guess_fits_the_whole_name(name: str, key: str | None) -> None:
    draft = propose("x/up", [json.dumps({name: 1.5}).encode()])
    keys = [each["key"] for each in yaml.safe_load(draft)["values"]] if draft else []
    assert keys == ([] if key is None else [key])


def test_a_draft_of_two_circuits_leaves_the_second_to_a_person() -> None:
    body = {"ch1": {"energy": 1}, "ch2": {"energy": 2}}
    draft = propose("x/up", [json.dumps(body).encode()])
    assert draft is not None
    assert "# energy_import_kwh too, of another meter?" in draft
    assert (
        len(mapping.load(draft.replace("PARK", "P").replace("ENTERPRISE", "E")).values)
        == 1
    )
