"""A pack of indicators over a park's year: values, what is missing, what would reach it."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from analytics import indicators
from analytics.indicators import (
    MET,
    MISSED,
    NO_THRESHOLD,
    STATE_NAMES,
    UNKNOWN,
    WAIVED,
)
from analytics.jobs.packs import (
    ALONE,
    MANDATORY,
    YES_NO,
    Indicator,
    Pack,
    find,
    input_units,
)
from analytics.jobs.park_values import ParkYears, Value, base_name
from store.database import Connection
from store.errors import Invalid
from store.records import Subject


def evaluate(
    conn: Connection,
    subject: Subject,
    name: str,
    year: int,
    *,
    clean: str = "non_fossil",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Evaluate a pack for a park and a calendar year.

    Parameters
    ----------
    clean
        Which definition of clean energy counts: of onsite.CLEAN_PARTS.

    Raises
    ------
    Invalid
        For an unknown pack or definition, or a subject that is no park.
    """
    values = years_of(
        conn,
        subject,
        clean=clean,
        known_on=known_on,
        minimum_coverage=minimum_coverage,
        now=now,
    )
    return evaluated(values, find(conn, name, known_on), year)


def years_of(
    conn: Connection,
    subject: Subject,
    *,
    clean: str,
    known_on: datetime | None,
    minimum_coverage: float,
    now: datetime | None,
) -> ParkYears:
    """Give the values of a park's years.

    Raises
    ------
    Invalid
        For a subject that is no park.
    """
    if subject.kind != "park":
        raise Invalid("packs of indicators are of parks")
    return ParkYears(
        conn,
        subject,
        clean_by=clean,
        known_on=known_on,
        minimum_coverage=minimum_coverage,
        now=now,
    )


def evaluated(values: ParkYears, pack: Pack, year: int) -> dict[str, Any]:
    """Evaluate a pack over values that may serve another pack, too."""
    units = input_units([pack])
    known: dict[str, Value] = {}
    states: list[int] = []
    rows = []
    for each in pack.indicators:
        for name in _names(each):
            base, back = base_name(name)
            if name not in known:
                known[name] = values.value(base, year - back, units[base])
        row = _judged(each, known)
        state = row.pop("_state")
        if each.waiver is not None:
            said = values.value(each.waiver, year, YES_NO)
            if said.value == 1:
                known[each.waiver] = said
                state = WAIVED
                row |= {
                    "state": STATE_NAMES[WAIVED],
                    "would_reach": None,
                    "missing": [],
                }
        states.append(state)
        rows.append(row)
    used = sorted(known)
    lacking = {name for row in rows for name in row["missing"]}
    index, scores = _index(pack, rows)
    for row in rows:
        row |= scores.get(row["name"], {"score": None, "in_index": None})
    return {
        "park": values.subject.park.code,
        "year": year,
        "pack": pack.name,
        "title": pack.title,
        "title_zh": pack.title_zh,
        "source": pack.source,
        "verified": pack.verified,
        "note": pack.note,
        "clean_energy": values.clean,
        "as_known_on": values.known_on.isoformat() if values.known_on else None,
        **_verdict(pack, states),
        "index": index,
        "indicators": rows,
        "values": [{"asked_as": name} | vars(known[name]) for name in used],
        "missing": [
            {
                "asked_as": name,
                "name": known[name].name,
                "year": known[name].year,
                "unit": known[name].unit,
                "why": known[name].why,
            }
            for name in used
            if name in lacking
        ],
    }


def _names(of: Indicator) -> list[str]:
    texts = [each.text for each in of.formulas()]
    texts += [each for each in (of.size, of.sign) if each is not None]
    return [name for text in texts for name in indicators.parse(text).names]


def _number(text: str, known: Mapping[str, Value]) -> float:
    numbers = {name: each.value for name, each in known.items()}
    return float(indicators.evaluate(indicators.parse(text), numbers))


def _judged(of: Indicator, known: Mapping[str, Value]) -> dict[str, Any]:
    found = [_number(each.text, known) for each in of.formulas()]
    size = math.nan if of.size is None else _number(of.size, known)
    sign = math.nan if of.sign is None else _number(of.sign, known)
    if of.classes:
        threshold = indicators.threshold_of(of.sizes(), size)
    else:
        threshold = of.threshold.threshold() if of.threshold else None
    if of.classes and math.isnan(size):
        states = [UNKNOWN] * len(found)
    else:
        states = [int(indicators.judge(each, threshold, sign)) for each in found]
    state = next((s for s in (MISSED, UNKNOWN, MET) if s in states), NO_THRESHOLD)
    reach = None
    if threshold is not None and threshold.kind != "by_sign" and len(found) == 1:
        reach = _known(float(indicators.shortfall(found[0], threshold)))
    missing = sorted({n for n in _names(of) if known[n].value is None})
    return {
        "_state": state,
        "name": of.name,
        "number": of.number,
        "title": of.title,
        "title_zh": of.title_zh,
        "unit": of.unit,
        "boundary": of.boundary,
        "need": of.need,
        "formula": [each.text for each in of.formulas()],
        "value": _known(found[0]) if len(found) == 1 else None,
        "each": [_known(each) for each in found] if len(found) > 1 else None,
        "size": _known(size),
        "size_unit": of.size_unit or None,
        "threshold_kind": None if threshold is None else threshold.kind,
        "at_least": None if threshold is None else _known(threshold.low),
        "at_most": None if threshold is None else _known(threshold.high),
        "state": STATE_NAMES[state],
        "would_reach": reach,
        "lead": of.lead,
        "better": of.better,
        "missing": missing,
        "source": of.source,
        "verified": of.verified,
        "note": of.note,
    }


def _groups(pack: Pack) -> tuple[dict[str, int], dict[int, int]]:
    """Give groups by number, 0 for what is mandatory, and how many each needs."""
    needs = (each.need for each in pack.indicators)
    names = dict.fromkeys(n for n in needs if n not in (MANDATORY, *ALONE))
    group = {name: i for i, name in enumerate(names, 1)} | {MANDATORY: 0}
    return group, {group[name]: count for name, count in pack.needed.items()}


def _verdict(pack: Pack, states: list[int]) -> dict[str, Any]:
    """Judge what is mandatory and the groups; guiding indicators stand by themselves.

    What has a lead value and no threshold is of the index alone.
    """
    group, needed = _groups(pack)
    judged = [
        (each.need, state)
        for each, state in zip(pack.indicators, states, strict=True)
        if each.lead is None or each.threshold is not None or each.classes
    ]
    counted = [(need, state) for need, state in judged if need in group]
    found = indicators.verdict(
        [state for _, state in counted], [group[need] for need, _ in counted], needed
    )
    guiding = [
        state
        for each, state in zip(pack.indicators, states, strict=True)
        if each.need in ALONE
    ]
    met, missed, waived = (guiding.count(each) for each in (MET, MISSED, WAIVED))
    return {
        "state": STATE_NAMES[found.state] if counted else "no_threshold",
        "mandatory": _counts(found.mandatory),
        "groups": _counts(found.groups),
        "group_states": {
            name: STATE_NAMES[found.group_states[i]]
            for name, i in group.items()
            if i in found.group_states
        },
        "guiding": _counts((met, missed, len(guiding) - met - missed - waived))
        | {"waived": waived},
    }


def _counts(of: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("met", "missed", "unknown"), of, strict=True))


def _index(
    pack: Pack, rows: list[dict[str, Any]]
) -> tuple[dict[str, Any] | None, dict[str, dict[str, Any]]]:
    """Give the index against lead values, where the pack has them, and each score."""
    led = [row for row in rows if row["lead"] is not None]
    if not led:
        return None, {}
    value, lead = (
        np.array([math.nan if row[key] is None else row[key] for row in led])
        for key in ("value", "lead")
    )
    group, needed = _groups(pack)
    found = indicators.green_index(
        value,
        lead,
        np.array([row["better"] == "more" for row in led]),
        [group.get(row["need"], 0) for row in led],
        needed,
    )
    scores = [_known(each) for each in found.scores.tolist()]
    whole = {
        "value": _known(found.value),
        "indicators": len(led),
        "indicators_in_source": pack.indicators_in_source,
        "taken": found.taken,
        "unknown": found.unknown,
        "scores": scores,
    }
    return whole, {
        row["name"]: {"score": score, "in_index": chosen}
        for row, score, chosen in zip(led, scores, found.chosen.tolist(), strict=True)
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
