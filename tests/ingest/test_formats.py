"""Each format reads the samples of its devices: meter, quantity, unit, sign and time."""

import contextlib
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingest import formats
from ingest.explaining import Remembered
from ingest.reading import Heard, Place, Refused
from store.quantities import KEYS
from store.readings import to_datetime
from store.registry import is_code

SAMPLES = Path(__file__).parents[1] / "data" / "formats"
ARRIVED_US = 1_795_500_000_000_000  # 2026-11-24
PLACE = Place("P01", "E01", ZoneInfo("Asia/Shanghai"))
FILES = sorted(SAMPLES.glob("*.yaml"))
TOPICS = [
    str(each["topic"]) for file in FILES for each in yaml.safe_load(file.read_text())
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_samples(file: Path) -> None:
    known = Remembered()
    for number, sample in enumerate(yaml.safe_load(file.read_text("utf-8"))):
        assert sample["source"], "where is it from?"
        readings, reasons, unread = read(sample, known, file.stem)
        where = f"{file.name}, message {number}: {sample['topic']}"
        if "refused" in sample:
            assert sample["refused"] in reasons, where
            continue
        assert readings == sample.get("readings", []), where
        wanted = sample.get("reasons", [])
        assert len(reasons) == len(wanted), (where, reasons)
        for words, reason in zip(wanted, reasons, strict=True):
            assert words in reason, where
        if "unread" in sample:
            assert sorted(unread) == sorted(sample["unread"]), where


def read(
    sample: dict[str, Any], known: Remembered, name: str
) -> tuple[list[list[Any]], list[str] | str, list[str]]:
    form = formats.find(sample["topic"], lambda _: known)
    assert form is not None, sample["topic"]
    assert form.name.partition("/")[0] == sample.get("format", name), sample["topic"]
    if "hex" in sample:
        payload = bytes.fromhex(sample["hex"])
    else:
        payload = str(sample.get("payload", "")).encode()
    heard = Heard(sample["topic"], payload, ARRIVED_US, sample.get("retained", False))
    place = PLACE._replace(meter=sample.get("meter"))
    try:
        parsed = form.parse(heard, place, known)
    except Refused as refused:
        return [], str(refused), []
    assert (parsed.park, parsed.enterprise) == ("P01", "E01")
    readings = []
    for each in parsed.readings:
        assert is_code(each.meter)
        at = to_datetime(each.at_us).isoformat()
        if each.at_us == ARRIVED_US:
            assert parsed.on_arrival
            at = "arrival"
        key = KEYS[each.key]
        readings.append(
            [
                each.meter,
                key.quantity.name,
                key.kind,
                at,
                pytest.approx(each.value, rel=1e-12),
            ]
        )
    return readings, [each.reason for each in parsed.rejects], parsed.unread


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(set(TOPICS))), st.binary(max_size=200) | JSON)
def test_no_payload_makes_a_parser_fail(topic: str, payload: Any) -> None:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    survives(topic, raw)


@given(st.data())
def test_no_damaged_sample_makes_a_parser_fail(data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(FILES))
    known = Remembered()
    for sample in yaml.safe_load(file.read_text("utf-8")):
        raw = (
            bytes.fromhex(sample["hex"])
            if "hex" in sample
            else str(sample.get("payload", "")).encode()
        )
        low = data.draw(st.integers(0, len(raw)))
        high = data.draw(st.integers(low, min(low + 8, len(raw))))
        middle = data.draw(st.binary(max_size=6))
        survives(sample["topic"], raw[:low] + middle + raw[high:], known)


def survives(topic: str, raw: bytes, known: Remembered | None = None) -> None:
    """A parser may refuse; what it gives is finite and can be stored."""
    memory = Remembered() if known is None else known
    form = formats.find(topic, lambda _: memory)
    assert form is not None
    with contextlib.suppress(Refused):
        parsed = form.parse(Heard(topic, raw, ARRIVED_US), PLACE, memory)
        for each in parsed.readings:
            assert -1e15 < each.value < 1e15
            assert is_code(each.meter)
            assert each.key in KEYS
        json.dumps(dict(memory), allow_nan=False)
