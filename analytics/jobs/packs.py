"""Indicator packs from YAML: what is shipped, and the check of what people bring."""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
import yaml

from analytics import indicators
from analytics.indicators import Formula, SizeClass, Threshold
from analytics.jobs.park_values import UNITS, base_name
from analytics.jobs.shipped import contents
from store import packs as stored
from store.database import Connection
from store.errors import Invalid

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Number = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]

MANDATORY = "mandatory"
GUIDING = "guiding"
ALONE = (GUIDING, "index", "scored")  # they decide nothing together
YES_NO = "yes_no"  # unit of an input that is stated as 1 or 0


class Level(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a value is held against: one of three, or both ends of a band."""

    at_most: Number | None = None
    at_least: Number | None = None
    by_sign: Number | None = None  # at most where the sign is above 0, else at least

    def threshold(self) -> Threshold:
        """Give it as the kernel takes it."""
        if self.by_sign is not None:
            return Threshold("by_sign", high=self.by_sign)
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        if self.at_least is None:
            return Threshold("at_most", high=high)
        return Threshold("at_least" if self.at_most is None else "band", low, high)


class SizeLevel(Level, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level of the subjects of a size, low ≤ size < high."""

    low: Number = msgspec.field(name="from")
    high: Number | None = msgspec.field(name="to", default=None)


class Indicator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One indicator as its file says it."""

    name: Name
    title: Text
    title_zh: str = ""
    number: str = ""
    unit: str
    formula: Text | list[Text]  # several: each is held against the threshold
    boundary: Text = "park"
    need: Name = MANDATORY  # or one of ALONE, or the name of a group
    waiver: Name | None = None  # a yes_no input: 1 sets a guiding indicator aside
    threshold: Level | None = None
    size: Text | None = None  # a formula, for classes
    size_unit: str = ""
    classes: list[SizeLevel] = []
    sign: Text | None = None  # a formula, for by_sign
    lead: Number | None = None  # of an index
    better: Literal["more", "less"] | None = None
    source: Text
    verified: bool
    note: str | None = None

    def formulas(self) -> list[Formula]:
        """Give its formulas, parsed."""
        each = [self.formula] if isinstance(self.formula, str) else self.formula
        return [indicators.parse(text) for text in each]

    def sizes(self) -> list[SizeClass]:
        """Give its classes as the kernel takes them."""
        return [
            SizeClass(
                each.low,
                math.inf if each.high is None else each.high,
                each.threshold(),
            )
            for each in self.classes
        ]


class PackInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that people state for a year."""

    unit: str
    title: Text
    title_zh: str = ""


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A set of indicators as its file says it."""

    name: Name
    title: Text
    title_zh: str = ""
    source: Text
    verified: bool
    note: str | None = None
    indicators_in_source: int | None = None  # where not all of them are here
    needed: dict[Name, Annotated[int, msgspec.Meta(ge=1)]] = {}  # of a group; else 1
    inputs: dict[Name, PackInput] = {}
    indicators: Annotated[list[Indicator], msgspec.Meta(min_length=1, max_length=500)]


def parse(terms: Any) -> Pack:
    """Check a pack and give it typed.

    Raises
    ------
    Invalid
        Saying what is wrong and where: an unknown field, a formula that is none, a name
        that neither the platform computes nor the pack lists among its inputs.
    """
    try:
        pack = msgspec.convert(terms, Pack)
    except msgspec.ValidationError as error:
        raise Invalid(f"the pack is not understood: {error}") from error
    for name, each in pack.inputs.items():
        if base_name(name)[0] != name:
            raise Invalid(
                f"input {name} ends like an earlier year; name the value alone"
            )
        if name in UNITS and UNITS[name] != each.unit:
            raise Invalid(f"{name} is computed in {UNITS[name]}, not in {each.unit}")
    seen: set[str] = set()
    for indicator in pack.indicators:
        try:
            _check(pack, indicator)
        except (ValueError, Invalid) as error:
            raise Invalid(f"indicator {indicator.name}: {error}") from error
        if indicator.name in seen:
            raise Invalid(f"two indicators are named {indicator.name}")
        seen.add(indicator.name)
    of_group = Counter(each.need for each in pack.indicators)
    for name, count in pack.needed.items():
        if name in (MANDATORY, *ALONE) or name not in of_group:
            raise Invalid(f"needed names {name}, and no indicator is of that group")
        if count > of_group[name]:
            raise Invalid(f"needed asks for {count} of the {of_group[name]} of {name}")
    return pack


def _check(pack: Pack, of: Indicator) -> None:
    texts = [of.formula] if isinstance(of.formula, str) else list(of.formula)
    texts += [each for each in (of.size, of.sign) if each is not None]
    for text in texts:
        for name in indicators.parse(text).names:
            if (
                base_name(name)[0] not in UNITS
                and base_name(name)[0] not in pack.inputs
            ):
                raise Invalid(f"{name} is no value of the platform and no input")
    levels = [*of.classes, *([of.threshold] if of.threshold else [])]
    for level in levels:
        given = (level.at_most, level.at_least, level.by_sign)
        if given == (None, None, None):
            raise Invalid("a threshold says neither at_most, at_least nor by_sign")
        if level.by_sign is not None and given[:2] != (None, None):
            raise Invalid("by_sign stands alone")
        if level.by_sign is not None and of.sign is None:
            raise Invalid("by_sign needs the formula of its sign")
    if of.classes and (of.size is None or of.threshold is not None):
        raise Invalid("classes need the formula of the size, and no threshold beside")
    ordered = sorted(of.sizes())
    for one, two in pairwise(ordered):
        if one.high > two.low:
            raise Invalid("two classes hold the same size")
    if (of.lead is None) != (of.better is None):
        raise Invalid("an index needs lead and better")
    if of.lead is not None and (of.lead <= 0 or not isinstance(of.formula, str)):
        raise Invalid("an index needs a lead above 0 and one formula")
    if of.waiver is not None:
        said = pack.inputs.get(of.waiver)
        if of.need != GUIDING or said is None or said.unit != YES_NO:
            raise Invalid("a waiver is a yes_no input, of a guiding indicator")


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once; elsewhere the last of its name would count."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                line = key.start_mark.line + 1
                raise Invalid(f"line {line} says {key.value[:70]} a second time")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read(text: str) -> tuple[Pack, Any]:
    """Read a pack that is new: what cannot mean anything is refused as well.

    Raises
    ------
    Invalid
        Also for a key that stands twice, ends that leave nothing between them, a size that
        nothing asks for, a group of one that ``needed`` does not name, and a formula that
        is unknown whatever the values are.
    """
    try:
        terms = yaml.load(text, _Loader)  # noqa: S506  (safe: a yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise Invalid(f"the file is no YAML: {error}") from error
    pack = parse(terms)
    of_group = Counter(each.need for each in pack.indicators)
    for each in pack.indicators:
        words = _senseless(each)
        group = each.need not in (MANDATORY, *ALONE, *pack.needed)
        if group and of_group[each.need] == 1:
            words = f"{each.need} is the need of it alone, and not in needed"
        if words is not None:
            raise Invalid(f"indicator {each.name}: {words}")
    return pack, terms


def _senseless(of: Indicator) -> str | None:
    """Say what can never be: recorded packs are read with it all the same."""
    texts = [of.formula] if isinstance(of.formula, str) else of.formula
    for text in (*texts, *(each for each in (of.size, of.sign) if each is not None)):
        part = indicators.never_known(indicators.parse(text))
        if part is not None:
            return f"{part} is unknown whatever the values are"
    for level in (*of.classes, *([of.threshold] if of.threshold else [])):
        low, high = level.at_least, level.at_most
        if low is not None and high is not None and low > high:
            return f"nothing is at least {low:g} and at most {high:g}"
    for each in of.classes:
        if each.high is not None and each.low >= each.high:
            return f"no size is from {each.low:g} to below {each.high:g}"
    if of.size is not None and not of.classes:
        return "a size needs classes"
    return None


@lru_cache(maxsize=1)
def shipped() -> tuple[Pack, ...]:
    """Read all packs of ``analytics/packs/*.yaml``, by name."""
    found = [parse(each) for each in contents("packs")]
    return tuple(sorted(found, key=lambda each: each.name))


def known(conn: Connection, known_on: datetime | None = None) -> list[Pack]:
    """List all packs, the shipped ones first."""
    brought = [parse(each.terms) for each in stored.packs(conn, known_on)]
    return [*shipped(), *brought]


def find(conn: Connection, name: str, known_on: datetime | None = None) -> Pack:
    """Find a pack by its name.

    Raises
    ------
    Invalid
        When there is none.
    """
    all_packs = known(conn, known_on)
    for each in all_packs:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in all_packs)
    raise Invalid(f"pack {name[:70]!r} is none of {names}")


def add(conn: Connection, text: str, *, who: str) -> tuple[str, bool]:
    """Record a pack written in YAML; give its name and whether it is new.

    Raises
    ------
    Invalid
        When it is no YAML or no pack, has a shipped one's name, or asks for a unit of an
        input that another pack asks for in a different one.
    """
    pack, terms = read(text)
    if pack.name in {each.name for each in shipped()}:
        raise Invalid(f"{pack.name} is shipped; give the pack a name of its own")
    if not who.strip():
        raise Invalid("a pack needs a person who brings it")
    others = [each for each in known(conn) if each.name != pack.name]
    units = input_units(others)
    for name, each in pack.inputs.items():
        if units.get(name, each.unit) != each.unit:
            raise Invalid(f"{name} is stated in {units[name]} for another pack")
    return pack.name, stored.record_pack(
        conn, pack.name, terms, source=pack.source, who=who
    )


def input_units(packs: Iterable[Pack]) -> dict[str, str]:
    """Give the unit of each value that people can state."""
    units = dict(UNITS)
    for pack in packs:
        units |= {name: each.unit for name, each in pack.inputs.items()}
    return units


def state(
    conn: Connection,
    park_id: int,
    *,
    name: str,
    year: int,
    value: float | None,
    unit: str,
    evidence: str | None = None,
    source: str,
    who: str,
) -> bool:
    """Record a value of a park's year for packs; tell if it says anything new.

    Raises
    ------
    Invalid
        For a name that no pack asks for, another unit, or no source or person.
    """
    units = input_units(known(conn))
    if name not in units:
        raise Invalid(
            f"no pack asks for {name[:70]!r}; `parkwatt pack show` lists what is asked for"
        )
    if unit != units[name]:
        raise Invalid(
            f"{name} is stated in {units[name] or 'no unit'}, not {unit[:70]!r}"
        )
    if unit == YES_NO and value not in (None, 0, 1):
        raise Invalid(f"{name} is stated as 1 for yes or 0 for no, not {value:g}")
    if not 1980 <= year <= 2100:
        raise Invalid(f"year {year} lies outside 1980 to 2100")
    if value is not None and not -1e15 < value < 1e15:
        raise Invalid(f"value {value} is no number")
    if not source.strip() or not who.strip():
        raise Invalid("a statement needs a source and a person")
    return stored.record_input(
        conn,
        park_id,
        name,
        year,
        value,
        unit,
        evidence=evidence,
        source=source,
        who=who,
    )


def listed(conn: Connection, known_on: datetime | None = None) -> list[dict[str, Any]]:
    """List all packs for people, with what each asks them for."""
    own = {each.name for each in shipped()}
    return [
        {
            "name": each.name,
            "title": each.title,
            "title_zh": each.title_zh,
            "source": each.source,
            "verified": each.verified,
            "note": each.note,
            "shipped": each.name in own,
            "indicators": len(each.indicators),
            "indicators_in_source": each.indicators_in_source,
            "inputs": [
                {"name": name, "unit": i.unit, "title": i.title, "title_zh": i.title_zh}
                for name, i in each.inputs.items()
            ],
        }
        for each in known(conn, known_on)
    ]
