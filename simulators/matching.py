"""Which injected faults the platform recognised, and which of its events were right.

The table says of each kind of fault what proves that it was seen. It stands in
docs/simulator_score.md too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.client import QUARTER_S, Event, Refused
from simulators.comparing import Doubt
from simulators.meter import Fault
from simulators.truth_file import MeterNote, Truth

_AFTER = 2  # readings within which something is noticed; ours


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a fault shows.

    Attributes
    ----------
    proof : frozenset of str
        An event of one of these kinds finds it.
    beside : frozenset of str
        Events that it may cause as well: they find nothing and are not wrong.
    refusal : tuple of str
        Words in the reason of a quarantined message, one of which finds it.
    hides : {"", "never_sent", "unknowable"}
        Why usage may be missing: good readings do not arrive, or they tell nothing.
    """

    proof: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    refusal: tuple[str, ...] = ()
    hides: Literal["", "never_sent", "unknowable"] = ""


def _seen(
    *proof: str,
    beside: Iterable[str] = (),
    refusal: tuple[str, ...] = (),
    hides: Literal["", "never_sent", "unknowable"] = "",
) -> Seen:
    return Seen(
        proof=frozenset(proof), beside=frozenset(beside), refusal=refusal, hides=hides
    )


_OUT = ("gap", "silence")
_ODD = ("clock", "glitch", "spike", "erratic")
# a kind without proof and refusal can be seen by nobody, or only in the counts
KINDS: Mapping[str, Seen] = {
    "rollover": _seen("rollover"),
    "reset": _seen("reset", hides="unknowable"),
    "replacement": _seen("replacement", "reset", "jump", hides="unknowable"),
    "multiplier_change": _seen("multiplier change", beside=("jump",)),
    "spike": _seen("spike", "erratic", beside=("gap", "clock"), hides="unknowable"),
    "glitch": _seen("glitch", "erratic", beside=("gap", "clock"), hides="unknowable"),
    "stuck": _seen("stuck", "catch-up", "jump", hides="unknowable"),
    "gap": _seen(*_OUT, hides="never_sent"),
    "silent": _seen(*_OUT, hides="never_sent"),
    "null": _seen(*_OUT, hides="never_sent"),
    "nan": _seen(beside=_OUT, refusal=("not JSON",), hides="never_sent"),
    "truncated": _seen(beside=_OUT, refusal=("not JSON",), hides="never_sent"),
    "wrong_tenant": _seen(
        beside=_OUT,
        refusal=("payload says", "unknown enterprise"),
        hides="never_sent",
    ),
    "clock_1970": _seen(beside=_OUT, refusal=("clock not set",), hides="never_sent"),
    "clock_jump": _seen(
        *(*_ODD, "reset", "gap"),
        beside=("jump",),
        refusal=("in the future",),
        hides="unknowable",
    ),
    "clock_skew": _seen(beside=(*_ODD, "gap"), hides="unknowable"),
    "wrong_unit": _seen(
        *("jump", "reset", "spike", "glitch", "erratic"),
        beside=("gap", "clock"),
        hides="unknowable",
    ),
    "late": _seen(),
    "burst": _seen(),
    "shuffle": _seen(),
    "duplicates": _seen(),
    "replay": _seen(),
    "retained": _seen(),
}


@dataclass(frozen=True, kw_only=True)
class Recall:
    """How many faults of a kind were seen; None: it cannot be."""

    kind: str
    injected: int
    found: int | None
    recall: float | None
    missed: tuple[str, ...] = ()  # meter and time of each


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How many events of a kind have a fault that explains them."""

    kind: str
    told: int
    explained: int
    precision: float
    false: tuple[str, ...] = ()


def recalls(
    truth: Truth, events: Sequence[Event], refused: Sequence[Refused]
) -> tuple[Recall, ...]:
    """Return for each kind of fault how many were seen.

    Parameters
    ----------
    events, refused
        What the platform recognised, and what it keeps in quarantine.
    """
    by_meter: dict[str, list[Event]] = defaultdict(list)
    for each in events:
        by_meter[each.meter].append(each)
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in truth.faults:
        by_kind[fault.kind].append(fault)
    return tuple(
        _recall(truth, kind, faults, by_meter, refused)
        for kind, faults in sorted(by_kind.items())
    )


def precisions(truth: Truth, events: Sequence[Event]) -> tuple[Precision, ...]:
    """Return for each kind of event how many are explained by an injected fault.

    Events of meters that the truth does not know are passed over.
    """
    faults = {code: truth.faults_of(meter) for code, meter in truth.meters.items()}
    by_kind: dict[str, list[tuple[Event, bool]]] = defaultdict(list)
    for event in events:
        meter = truth.meters.get(event.meter)
        if meter is not None:
            explained = any(
                _explains(fault, event, meter) for fault in faults[event.meter]
            )
            by_kind[event.kind].append((event, explained))
    return tuple(
        Precision(
            kind=kind,
            told=len(found),
            explained=(right := sum(explained for _, explained in found)),
            precision=right / len(found),
            false=tuple(
                _named(event.meter, event.at_s)
                for event, explained in found
                if not explained
            ),
        )
        for kind, found in sorted(by_kind.items())
    )


def doubt(truth: Truth, meter: MeterNote, quantity: str) -> Doubt:
    """Return in which quarter hours faults of a meter were at work upon a quantity."""
    masks = {name: np.zeros(truth.quarters, np.bool_) for name in Doubt._fields}
    for fault in truth.faults_of(meter):
        if _quantity(fault) not in (None, quantity):
            continue
        low_s, high_s = _window(fault, meter)
        begin = max(0, int(low_s - truth.start_s) // QUARTER_S)
        end = max(0, -(-int(high_s - truth.start_s) // QUARTER_S))
        masks["any_fault"][begin:end] = True
        hides = KINDS[fault.kind].hides if fault.kind in KINDS else ""
        if hides:
            masks[hides][begin:end] = True
    return Doubt(**masks)


def visible(fault: Fault) -> bool:
    """Tell whether a fault can be seen at all; a change that nobody stated cannot."""
    seen = KINDS.get(fault.kind, Seen())
    if fault.kind == "multiplier_change" and not fault.parameters.get("stated", 1.0):
        return False
    return bool(seen.proof or seen.refusal)


def _recall(
    truth: Truth,
    kind: str,
    faults: Sequence[Fault],
    events: Mapping[str, Sequence[Event]],
    refused: Sequence[Refused],
) -> Recall:
    able = [fault for fault in faults if visible(fault)]
    if not able:
        return Recall(kind=kind, injected=len(faults), found=None, recall=None)
    missed = [fault for fault in able if not _found(fault, truth, events, refused)]
    found = len(able) - len(missed)
    return Recall(
        kind=kind,
        injected=len(faults),
        found=found,
        recall=found / len(able),
        missed=tuple(_named(each.subject, each.start_s) for each in missed),
    )


def _found(
    fault: Fault,
    truth: Truth,
    events: Mapping[str, Sequence[Event]],
    refused: Sequence[Refused],
) -> bool:
    seen = KINDS[fault.kind]
    for meter in truth.meters_of(fault):
        for event in events.get(meter.code, ()):
            if event.kind in seen.proof and _fits(fault, event, meter):
                return True
        for each in refused:
            if any(words in each.reason for words in seen.refusal) and _names(
                each, meter
            ):
                return True
    return False


def _explains(fault: Fault, event: Event, meter: MeterNote) -> bool:
    seen = KINDS.get(fault.kind, Seen())
    return event.kind in seen.proof | seen.beside and _fits(fault, event, meter)


def _fits(fault: Fault, event: Event, meter: MeterNote) -> bool:
    low_s, high_s = _window(fault, meter)
    quantity = _quantity(fault)
    return low_s <= event.at_s <= high_s and quantity in (None, event.quantity)


def _window(fault: Fault, meter: MeterNote) -> tuple[float, float]:
    """Return within which time a fault may show, by the stamps of its meter."""
    around = _AFTER * meter.cadence_s + abs(float(fault.parameters.get("by_s", 0)))
    readings = float(fault.parameters.get("readings", 1)) - 1
    last = fault.stop_s + readings * meter.cadence_s
    return fault.start_s - around, last + around


def _quantity(fault: Fault) -> str | None:
    """Return the one quantity that a fault falls upon, if it names a key."""
    channel = fault.parameters.get("channel")
    return None if channel is None else str(channel).rpartition("_")[0]


def _names(each: Refused, meter: MeterNote) -> bool:
    parts = each.topic.split("/")
    return (
        meter.code in parts
        or (meter.gateway is not None and meter.gateway in parts)
        or f'"{meter.code}"' in each.payload
    )


def _named(subject: str, at_s: float) -> str:
    stamp = np.datetime64(int(at_s), "s")
    return f"{subject} {stamp}Z"
