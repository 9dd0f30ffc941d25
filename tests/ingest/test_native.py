"""The native format against golden payloads that were worked out by hand."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingest.explaining import explain
from ingest.formats import native
from ingest.reading import Parsed, Refused, check_size
from store.quantities import KEYS
from store.readings import NO_UNTIL, to_datetime

WIRE = Path(__file__).parents[1] / "data" / "wire"
LIMIT = 262_144
NOW_US = 1_795_500_000_000_000  # 2026-11-24
INDEX: list[dict[str, Any]] = yaml.safe_load((WIRE / "index.yaml").read_text("utf-8"))


def parse(topic: str, payload: bytes, arrived_us: int, limit: int) -> Parsed:
    check_size(payload, limit)
    if not native.accepts(topic):
        raise Refused("of another kind")
    return native.parse(topic, payload, arrived_us)


@pytest.mark.parametrize("case", INDEX, ids=lambda case: str(case["file"]))
def test_golden(case: dict[str, Any]) -> None:
    payload = (WIRE / case["file"]).read_bytes()
    readings: list[list[object]] = []
    reasons: list[str] = []
    try:
        parsed = parse(case["topic"], payload, NOW_US, LIMIT)
    except Refused as refused:
        reasons = [str(refused)]
    else:
        reasons = [each.reason for each in parsed.rejects]
        for each in parsed.readings:
            known = KEYS[each.key]
            until = None
            if each.until_us != NO_UNTIL:
                until = to_datetime(each.until_us).isoformat()
            readings.append(
                [
                    each.meter,
                    known.quantity.name,
                    known.kind,
                    to_datetime(each.at_us).isoformat(),
                    until,
                    pytest.approx(each.value, rel=1e-12),
                ]
            )
    assert case.get("readings", []) == readings
    wanted = case.get("reasons", [])
    assert len(reasons) == len(wanted)
    for words, reason in zip(wanted, reasons, strict=True):
        assert words in reason


@pytest.mark.parametrize(
    "topic",
    [
        "parkwatt/v1/p/e/m",
        "parkwatt/v1/p/e/m/readings/more",
        "parkwatt/v1/p//m/readings",
        "parkwatt/v1/p/e/m x/readings",
        "parkwatt/v2/p/e/m/readings",
        "something/else",
        "",
    ],
)
def test_a_topic_of_another_form_is_refused(topic: str) -> None:
    with pytest.raises(Refused):
        parse(topic, b'{"at": "2026-11-23T10:00:00Z", "power_kw": 1}', NOW_US, LIMIT)


def test_a_payload_over_the_limit_is_refused_by_its_size() -> None:
    with pytest.raises(Refused, match="300000 bytes is over the limit of 262144"):
        parse("parkwatt/v1/p/e/m/readings", b" " * 300_000, NOW_US, LIMIT)


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b'{"at":"2026-11-23T10:00:00Z","power_kw":' + b"9" * 100_000 + b"}",
        b"\xff\xfe\x00",
        b"\x00",
        b"null",
        b'"text"',
        b'{"readings": 5}',
        b'{"readings": [5]}',
        b'{"at": 1763892900, "power_kw": 1}',
        b'{"at": "2026-11-23T10:00:00Z", "power_kw": "83.2"}',
        b'{"at": "2026-11-23T10:00:00Z", "power_kw": true}',
        b'{"at": "2026-11-23T10:00:00Z", "power_kw": [1]}',
    ],
)
def test_rubbish_has_a_reason_and_never_a_reading(payload: bytes) -> None:
    with contextlib.suppress(Refused):
        parsed = parse("parkwatt/v1/p/e/m/readings", payload, NOW_US, LIMIT)
        assert parsed.readings == []
        assert parsed.rejects


def test_each_value_of_a_refused_meter_is_counted() -> None:
    payload = (WIRE / "partly-bad-batch.json").read_bytes()
    parsed = parse("parkwatt/v1/P01/E01/GW1/batch", payload, NOW_US, LIMIT)
    assert [each.readings for each in parsed.rejects] == [3]


@given(st.binary(max_size=300), st.sampled_from(["readings", "batch"]))
def test_no_bytes_crash_the_parser(payload: bytes, form: str) -> None:
    with contextlib.suppress(Refused):
        parse(f"parkwatt/v1/p/e/m/{form}", payload, NOW_US, LIMIT)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["2026-11-23T10:00:00Z", "1970-01-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [*list(KEYS)[:20], "at", "from", "to", "readings", "meters"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["at", "readings", "power_kw"]), JSON))
def test_no_json_crashes_the_parser_and_what_it_gives_is_finite(
    body: dict[str, Any],
) -> None:
    with contextlib.suppress(Refused):
        parsed = parse(
            "parkwatt/v1/p/e/m/readings", json.dumps(body).encode(), NOW_US, LIMIT
        )
        for each in parsed.readings:
            assert -1e15 < each.value < 1e15


def test_a_value_beside_readings_is_not_dropped_without_a_word() -> None:
    body = (
        b'{"readings": [{"at": "2026-11-23T10:00:00Z", "power_kw": 1}], "power_kw": 2}'
    )
    parsed = parse("parkwatt/v1/p/e/m/readings", body, NOW_US, LIMIT)
    assert len(parsed.readings) == 1
    assert [each.reason for each in parsed.rejects] == [
        "'power_kw' stands beside readings"
    ]


def test_the_answer_names_the_batch() -> None:
    parsed = parse(
        "parkwatt/v1/p/e/gw/batch", b'{"boot":"b","seq":7,"meters":{}}', NOW_US, LIMIT
    )
    assert parsed.answer is not None
    assert parsed.answer.topic == "parkwatt/v1/p/e/gw/ack"
    assert parsed.answer.payload == b'{"boot":"b","seq":7}'
    assert native.silent(parsed.answer.topic)


def test_explain_shows_what_would_be_read(tmp_path: Path) -> None:
    file = tmp_path / "message"
    file.write_bytes(b'{"at":"2026-11-23T10:15:00+08:00","power_w":83200,"colour":1}')
    found = explain("parkwatt/v1/p/e/m/readings", [file], LIMIT)
    assert found["readings"] == [
        {
            "meter": "m",
            "quantity": "power",
            "kind": "gauge",
            "at": "2026-11-23T02:15:00+00:00",
            "until": None,
            "value": 83.2,
            "unit": "kw",
        }
    ]
    assert found["refused"] == [{"reason": "unknown key 'colour'", "readings": 1}]
