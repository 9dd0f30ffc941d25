"""A first draft of a mapping for messages of an unknown shape: guesses, each with its why.

Nothing is ever read by a guess: a person looks at the draft and adds it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from ingest.formats.flat import METER_KEYS, TIMES, device
from ingest.reading import from_text
from ingest.topics import looks_like_an_id
from store.quantities import KEYS, QUANTITIES, UNITS

_MOST_LEAVES = 200
# Words of something else than the quantity that the rest of the key looks like
_OTHERWISE = re.compile(
    r"(.*_)?(limit|max|min|today|yesterday|daily|day|week|month|year|temp(erature)?|"
    r"pressure|ratio|rssi|status|alarm|tariff|rate_?\d|t[1-4])(_.*)?|pt|ct"
)

# What a key means, by its last name in small letters; the first that fits. Ours.
_MEANINGS: tuple[tuple[str, str], ...] = tuple(
    (
        rf"(?:{words})(?:_?(?:k|m)?(?:wh|varh|w|var|va|v|a|hz|m3|l|t|kg|gj|mj))?",
        quantity,
    )
    for words, quantity in (
        (r"u_?[a1]n?|v_?[a1]n?|volt(age)?_?[a1]|a相电压", "voltage_a"),
        (r"u_?[b2]n?|v_?[b2]n?|volt(age)?_?[b2]|b相电压", "voltage_b"),
        (r"u_?[c3]n?|v_?[c3]n?|volt(age)?_?[c3]|c相电压", "voltage_c"),
        (r"i_?[a1]|curr(ent)?_?[a1]|a相电流", "current_a"),
        (r"i_?[b2]|curr(ent)?_?[b2]|b相电流", "current_b"),
        (r"i_?[c3]|curr(ent)?_?[c3]|c相电流", "current_c"),
        (r"u|volt(age)?|电压", "voltage"),
        (r"i|curr(ent)?|电流", "current"),
        (r"pf|cos(phi)?|power_?factor|factor|(总)?功率因数", "power_factor"),
        (r"f|fr|freq(uency)?|频率", "frequency"),
        (r".*(solar|pv|光伏).*(energy|yield|kwh|电量|发电量)", "pv_generation"),
        (r".*(solar|pv|光伏).*(power|功率)", "pv_power"),
        (r".*soc|state_?of_?charge", "state_of_charge"),
        (
            r"(ep|e)_?(exp|rev|ret|neg|n|-)|epe|"
            r"(.*energy_?)?(export|reverse|returned|feed_?in)(ed)?(_?energy)?|"
            r".*(energy|kwh).*(export|reverse|returned|feed_?in)|"
            r".*(export|reverse|returned|feed_?in).*(energy|kwh)|"
            r"反向有功(总)?(电能|电量)",
            "energy_export",
        ),
        (r".*(gas|燃气|天然气).*(flow|rate|流量)", "natural_gas_flow"),
        (r".*(gas|燃气|天然气).*", "natural_gas"),
        (r".*(steam|蒸汽).*(flow|rate|流量)", "steam_flow"),
        (r".*(steam|蒸汽).*", "steam"),
        (r".*(water|用水).*(flow|rate|流量)", "water_flow"),
        (r"((tap|cold|fresh)_?)?water(_?(volume|total|meter))?|.*用水.*", "water"),
        (r"heat(_?(energy|meter|total))?|.*热量.*", "heat"),
        (r"s|apparent_?power|视在功率", "apparent_power"),
        (r"q|reactive_?power|(总)?无功功率", "reactive_power"),
        (r"eq|ql?|varh|reactive_?energy|无功(电能|电量)", "reactive_energy_q1"),
        (
            r"p|p_?tot(al)?|(total_?)?(act(ive)?_?)?power|(总)?有功功率|功率",
            "power",
        ),
        (
            r"ep|epi|e|[km]?wh|energy|(total_?)?(act(ive)?_?)?energy(_?total|_?import)?|"
            r"(forward|import|positive|total)_?(.*energy)?|(正向)?有功(总)?(电能|电量)|"
            r"(总)?电量|用电量|电能",
            "energy_import",
        ),
    )
)


class Guess(NamedTuple):
    """What one number of a message may be."""

    path: str
    key: str
    why: str


class _Leaf(NamedTuple):
    path: str
    name: str
    value: Any


def propose(
    topic: str,
    payloads: Sequence[bytes],
    *,
    park: str = "PARK",
    enterprise: str = "ENTERPRISE",
) -> str | None:
    """Draft a mapping as YAML; None where no number in the message has a meaning.

    Parameters
    ----------
    payloads
        Messages of the topic, one after the other; several show which values only grow.
    """
    bodies = [_decoded(each) for each in payloads]
    body = bodies[-1]
    each, shown = _objects(body)
    prefix = "$" if each is None else each
    guesses: list[Guess] = []
    doubles: list[Guess] = []
    for leaf in _leaves(shown, "$"):
        if not leaf.name:  # a bare number: its topic says what it is
            leaf = leaf._replace(name=topic.rpartition("/")[2])
        history = [_at(_objects(other)[1], leaf.path) for other in bodies]
        guess = _guess(leaf, history)
        if guess and guess.key in {each.key for each in guesses}:
            doubles.append(guess)
        elif guess:
            guesses.append(guess)
    if not guesses:
        return None
    # time and meter may stand beside the list of objects
    leaves = list(_leaves(shown, "$", texts=True))
    if each is not None and isinstance(body, dict):
        leaves += _leaves(body, "$", texts=True)
    times = next((leaf.path for leaf in leaves if leaf.name.lower() in TIMES), None)
    named = next(
        (
            leaf.path
            for leaf in leaves
            if METER_KEYS.fullmatch(leaf.name) and str(leaf.value).strip()
        ),
        None,
    )
    lines = [
        "# A draft: every line is a guess until you have looked at it.",
        f"name: {device(topic).lower()[:64]}",
        f"topic: {_quoted(_filter(topic, named))}",
        f"park: {park}",
        f"enterprise: {enterprise}",
    ]
    if each is not None:
        lines.append(f"each: {_quoted(prefix)}  # one object a meter or an instant")
    if named is not None:
        lines.append(f"meter: {_quoted(named)}  # the meter's own name")
    elif "{meter}" not in _filter(topic, named):
        lines.append(f"meter: {device(topic)}")
    if times is not None:
        lines.append(f"time: {_quoted(times)}")
    else:
        lines.append("# no time found: that of arrival is taken")
    lines.append("values:")
    for guess in guesses:
        lines.append(f"  - path: {_quoted(guess.path)}")
        lines.append(f"    key: {guess.key}  # {guess.why}")
    for guess in doubles:
        lines.append(f"  # {guess.key} too, of another meter? {_quoted(guess.path)}")
    return "\n".join(lines) + "\n"


def _decoded(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return from_text(payload[:40].decode("ascii", "replace").strip())


def _objects(body: Any) -> tuple[str | None, Any]:
    """Find a list of objects alike, and one of them; else the message itself."""
    if isinstance(body, list) and body and isinstance(body[0], dict):
        return "$[*]", body[0]
    if isinstance(body, dict):
        for name, part in body.items():
            if not name.isprintable():
                continue
            if isinstance(part, list) and part and isinstance(part[0], dict):
                return f"${_member(name)}[*]", part[0]
    return None, body


def _member(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return f".{name}"
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"


def _leaves(body: Any, path: str, *, texts: bool = False) -> Iterator[_Leaf]:
    """Walk the numbers, or all plain values, of an object; lists are left out."""
    waiting: list[tuple[str, str, Any, int]] = [(path, "", body, 0)]
    found = 0
    while waiting and found < _MOST_LEAVES:
        path, name, part, depth = waiting.pop(0)
        if isinstance(part, dict) and depth < 6:
            waiting += [
                (path + _member(str(key)), str(key).strip(), value, depth + 1)
                for key, value in part.items()
                if str(key).isprintable()
            ]
            continue
        figure = from_text(part)
        number = isinstance(figure, int | float) and not isinstance(figure, bool)
        if number or (texts and isinstance(part, str)):
            found += 1
            yield _Leaf(path, name, figure if number and not texts else part)


def _at(body: Any, path: str) -> Any:
    return next((leaf.value for leaf in _leaves(body, "$") if leaf.path == path), None)


def _guess(leaf: _Leaf, history: list[Any]) -> Guess | None:
    name = leaf.name.lower().replace(" ", "_").replace("-", "_")
    if leaf.name in KEYS and KEYS[leaf.name].kind != "delta":
        return Guess(leaf.path, leaf.name, "a key of ours")
    name = re.sub(r"[(\[]([a-z0-9/]+)[)\]]$", r"_\1", name).replace("__", "_")
    if not name or name in TIMES or _OTHERWISE.fullmatch(name):
        return None
    quantity = next(
        (found for words, found in _MEANINGS if re.fullmatch(words, name)), None
    )
    if quantity is None:
        return None
    known = QUANTITIES[quantity]
    unit = _unit(name, known.unit)
    tail = unit or known.unit
    key = f"{quantity}_{tail}" if tail else quantity
    why = "by the key's name"
    if known.unit not in ("", "v", "a", "hz", "percent") and unit is None:
        why += f"; its unit is not named, {known.unit} assumed: check"
    why += _trend(known.kind, history)
    return Guess(leaf.path, key, why)


def _unit(name: str, canonical: str) -> str | None:
    for unit in sorted(UNITS[canonical], key=len, reverse=True):
        if unit and re.search(rf"(^|[^a-z]){unit}$", name):
            return unit
    return None


def _trend(kind: str, history: list[Any]) -> str:
    """Say what several messages show of a register."""
    if kind != "register" or len(history) < 2 or None in history:
        return ""
    if all(low <= high for low, high in pairwise(history)):
        return "; it only grows"
    return "; it FALLS between the messages: no register?"


def _filter(topic: str, named: str | None) -> str:
    """Turn a topic into a filter: its device's level becomes the meter, or any."""
    levels = topic.split("/")
    ids = [i for i, each in enumerate(levels) if looks_like_an_id(each)]
    for i in ids:
        levels[i] = "+"
    if ids and named is None:
        levels[ids[-1]] = "{meter}"
    return "/".join(levels)


def _quoted(text: str) -> str:
    return json.dumps(text)  # JSON is YAML
