"""Indicators of packs: formulas over named values, thresholds, groups and an index.

A pack is data; what it may say is what stands here. Formulas are sums, products and
ratios of names and numbers, and two functions. What is unknown stays unknown.
"""

import ast
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intensity import ratio

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

LONGEST = 1000  # characters of a formula
DEEPEST = 100  # terms or parentheses within each other
SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})

UNKNOWN, MET, MISSED, NO_THRESHOLD, WAIVED = range(5)
STATE_NAMES = ("unknown", "met", "missed", "no_threshold", "waived")
KINDS = ("at_most", "at_least", "band", "by_sign")


class Formula(NamedTuple):
    """A formula that was checked; :func:`parse` alone makes one."""

    text: str
    names: tuple[str, ...]  # values it needs, in the order of the alphabet
    tree: ast.expr


class Threshold(NamedTuple):
    """What a value is held against, in its unit."""

    kind: str  # of KINDS
    low: float = -math.inf  # at_least, band
    high: float = math.inf  # at_most, band, by_sign


class SizeClass(NamedTuple):
    """Threshold of the subjects of a size: low ≤ size < high."""

    low: float
    high: float
    threshold: Threshold


class Verdict(NamedTuple):
    """How a set of indicators stands as a whole."""

    state: int  # MISSED if any part is, else UNKNOWN if any is, else MET
    mandatory: tuple[int, int, int]  # met, missed, unknown
    groups: tuple[int, int, int]  # 〃 of the groups of which some must be met
    group_states: dict[int, int]


class Index(NamedTuple):
    """A green-park index; without every score that it takes there is none."""

    value: float
    taken: int  # scores that it takes, n of the formula
    unknown: int  # of these
    scores: Float64  # of each indicator, whether taken or not
    chosen: NDArray[np.bool_]  # whose score is known and taken


def growth(before: ArrayLike, after: ArrayLike, years: ArrayLike = 1.0) -> Float64:
    """Mean yearly growth.

    Parameters
    ----------
    before, after
        Values at the begin and the end, same unit, at comparable prices.
    years
        Between them.

    Returns
    -------
    NDArray[np.float64]
        (after / before)^(1/years) - 1; NaN where a value or the years are not above zero.

    Notes
    -----
    HJ 274-2015 indicators 3 and 9; the mean yearly reduction of 26 is minus this.
    """
    a, b, n = np.broadcast_arrays(
        *(np.asarray(each, np.float64) for each in (before, after, years))
    )
    times = ratio(np.where(b > 0, b, np.nan), a)
    per_year = ratio(1.0, n)
    # 1 to the power of NaN is 1
    return np.where(np.isnan(per_year), np.nan, np.power(times, per_year) - 1.0)


def elasticity(growth_of: ArrayLike, growth_of_value: ArrayLike) -> Float64:
    """Growth of a use or a load against growth of added value.

    Parameters
    ----------
    growth_of, growth_of_value
        Shares, as :func:`growth` gives them.

    Returns
    -------
    NDArray[np.float64]
        Their ratio, of any sign; NaN where the value did not change.

    Notes
    -----
    HJ 274-2015 indicators 10, 13 and 25.
    """
    top, bottom = np.broadcast_arrays(
        np.asarray(growth_of, np.float64), np.asarray(growth_of_value, np.float64)
    )
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom != 0)
    return out


FUNCTIONS: dict[str, tuple[Callable[..., Float64], tuple[int, ...]]] = {
    "growth": (growth, (2, 3)),
    "elasticity": (elasticity, (2,)),
}


def parse(text: str) -> Formula:
    """Read a formula and refuse whatever is not arithmetic.

    Parameters
    ----------
    text
        + - × ÷ (or * and /), parentheses, numbers, names of lower-case ASCII letters,
        digits and ``_``, and ``growth(before, after, years)`` and ``elasticity(a, b)``.

    Returns
    -------
    Formula
        With the names it needs.

    Raises
    ------
    ValueError
        If it is longer than 1000 characters, nested more than 100 deep, or holds anything
        else.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a formula of {len(text)} characters is too long")
    try:
        tree = ast.parse(text.translate(SIGNS).strip(), mode="eval").body
        names = sorted(_names(tree))
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"no formula: {text!r}") from error
    return Formula(text, tuple(names), tree)


def evaluate(formula: Formula, values: Mapping[str, ArrayLike | None]) -> Float64:
    """Work out a formula.

    Parameters
    ----------
    formula
        From :func:`parse`.
    values
        By name, numbers or arrays that broadcast; None and NaN are unknown.

    Returns
    -------
    NDArray[np.float64]
        NaN where a value is unknown, something is divided by what is not above zero, or
        the result is too large for a number.

    Raises
    ------
    ValueError
        If a name of the formula is not among the values: a slip is not an unknown.
    """
    missing = [name for name in formula.names if name not in values]
    if missing:
        raise ValueError(f"{formula.text!r} names what is not there: {missing}")
    known = {
        name: np.asarray(np.nan if (each := values[name]) is None else each, np.float64)
        for name in formula.names
    }
    with np.errstate(over="ignore", invalid="ignore"):
        found = _value(formula.tree, known)
    return np.where(np.isfinite(found), found, np.nan)


def never_known(formula: Formula) -> str | None:
    """Give a part that is unknown whatever the values are; None where there is none.

    It is divided by a number that is not above zero, or grows over such a number of years.
    """
    for node in ast.walk(formula.tree):
        match node:
            case ast.BinOp(_, ast.Div(), below) | ast.Call(
                ast.Name("growth"), [_, _, below]
            ) if not _names(below):
                if not evaluate(Formula("", (), below), {}) > 0:
                    return ast.unparse(node)[:80]
    return None


def _names(node: ast.expr, depth: int = 0) -> set[str]:
    """Names below a node; everything that is not allowed is refused here."""
    if depth > DEEPEST:
        raise ValueError(f"a formula nested {depth} deep is too deep")
    below = depth + 1
    match node:
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right):
            return _names(left, below) | _names(right, below)
        case ast.UnaryOp(ast.UAdd() | ast.USub(), operand):
            return _names(operand, below)
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            if abs(value) < 1e300:
                return set()
        case ast.Name(id=name) if name.isascii() and name.islower():
            if name not in FUNCTIONS:
                return {name}
        case ast.Call(ast.Name(id=name), args, keywords=[]) if name in FUNCTIONS:
            if len(args) in FUNCTIONS[name][1]:
                return set().union(*(_names(each, below) for each in args))
    raise ValueError(f"not allowed in a formula: {ast.unparse(node)[:80]!r}")


def _value(node: ast.expr, values: dict[str, Float64]) -> Float64:
    match node:
        case ast.BinOp(left, operator, right):
            a, b = _value(left, values), _value(right, values)
            match operator:
                case ast.Add():
                    return np.asarray(a + b)
                case ast.Sub():
                    return np.asarray(a - b)
                case ast.Mult():
                    return np.asarray(a * b)
            return ratio(a, b)
        case ast.UnaryOp(operator, operand):
            sign = -1.0 if isinstance(operator, ast.USub) else 1.0
            return np.asarray(sign * _value(operand, values))
        case ast.Name(id=name):
            return values[name]
        case ast.Call(ast.Name(id=name), args):
            return FUNCTIONS[name][0](*(_value(each, values) for each in args))
    assert isinstance(node, ast.Constant)  # noqa: S101  (parse lets nothing else pass)
    return np.asarray(node.value, np.float64)


def threshold_of(classes: list[SizeClass], size: float) -> Threshold | None:
    """Find the threshold for a subject's size.

    Parameters
    ----------
    classes
        By size, in any order.
    size
        In the unit of the classes; NaN is unknown.

    Returns
    -------
    Threshold or None
        None where no class holds the size, or it is unknown.

    Raises
    ------
    ValueError
        If two classes hold it.
    """
    found = [each for each in classes if each.low <= size < each.high]
    if len(found) > 1:
        raise ValueError(f"size {size:g} lies in {len(found)} classes")
    return found[0].threshold if found else None


def judge(
    value: ArrayLike, threshold: Threshold | None, sign: ArrayLike = np.nan
) -> Int64:
    """Hold values against a threshold.

    Parameters
    ----------
    value
        Any shape; NaN is unknown.
    threshold
        None: there is none for this size.
    sign
        For *by_sign*: growth of added value. At most `high` where it grew, at least `high`
        where it shrank, as HJ 274-2015 asks of elasticities.

    Returns
    -------
    NDArray[np.int64]
        Index into STATE_NAMES. The threshold itself is met.

    Raises
    ------
    ValueError
        If the kind of threshold has no such name.
    """
    x, s = np.broadcast_arrays(
        np.asarray(value, np.float64), np.asarray(sign, np.float64)
    )
    if threshold is None:
        return np.full(x.shape, NO_THRESHOLD, np.int64)
    kind, low, high = threshold
    if kind not in KINDS:
        raise ValueError(f"no threshold {kind!r}; there are {', '.join(KINDS)}")
    unknown = np.isnan(x)
    if kind == "by_sign":
        met = np.where(s > 0, x <= high, x >= high)
        unknown |= ~(np.abs(s) > 0)
    else:
        met = (x >= low) & (x <= high)
    return np.select([unknown, met], [UNKNOWN, MET], MISSED).astype(np.int64)


def shortfall(value: ArrayLike, threshold: Threshold) -> Float64:
    """Tell how far a value is from its threshold.

    Parameters
    ----------
    value
        Any shape.
    threshold
        Of any kind but *by_sign*.

    Returns
    -------
    NDArray[np.float64]
        What must be added to the value to meet it: negative where it is too high, 0 where
        it is met, NaN where it is unknown.

    Raises
    ------
    ValueError
        With a threshold by sign: which side is asked for is not known here.
    """
    if threshold.kind == "by_sign":
        raise ValueError("no shortfall of a threshold by sign")
    x = np.asarray(value, np.float64)
    return np.clip(x, threshold.low, threshold.high) - x


def verdict(states: list[int], group: list[int], needed: Mapping[int, int]) -> Verdict:
    """Judge a set of mandatory indicators and groups of which some must be met.

    Parameters
    ----------
    states
        Of each indicator, an index into STATE_NAMES.
    group
        Of each: 0 is mandatory, others name a group.
    needed
        How many of a group must be met; 1 where it is not named.

    Returns
    -------
    Verdict
        A group is met when enough of it are, missed when enough no longer can be, else
        unknown. One without a threshold counts as unknown.

    Notes
    -----
    HJ 274-2015: 17 mandatory indicators and 6 groups of which one each.
    """
    alone = [s for s, g in zip(states, group, strict=True) if g == 0]
    of_groups = {}
    for name in sorted(set(group) - {0}):
        mine = [s for s, g in zip(states, group, strict=True) if g == name]
        met, missed = mine.count(MET), mine.count(MISSED)
        want = needed.get(name, 1)
        lost = len(mine) - missed < want
        of_groups[name] = MET if met >= want else MISSED if lost else UNKNOWN
    parts = [*alone, *of_groups.values()]
    whole = UNKNOWN
    if MISSED in parts:
        whole = MISSED
    elif all(each == MET for each in parts) and parts:
        whole = MET
    return Verdict(whole, _counts(alone), _counts([*of_groups.values()]), of_groups)


def _counts(states: list[int]) -> tuple[int, int, int]:
    met, missed = states.count(MET), states.count(MISSED)
    return met, missed, len(states) - met - missed


def green_index(
    value: ArrayLike,
    lead: ArrayLike,
    more_is_better: ArrayLike,
    group: list[int] | None = None,
    needed: Mapping[int, int] | None = None,
) -> Index:
    """Index of a green park against lead values.

    Parameters
    ----------
    value
        Of each indicator, shape (n,); yes is 1, no is 0 with lead 1.
    lead
        Lead value of each, same unit.
    more_is_better
        Whether it is so for each; else less is.
    group
        Of each: 0 is always taken, others name a group of which some are.
    needed
        How many of a group are taken; 1 where it is not named.

    Returns
    -------
    Index
        100/n · Σ s_i over the n that are taken; NaN where one of them is unknown, or without
        indicators.

    Notes
    -----
    s_i = x_i / lead_i, or lead_i / x_i where less is better: 工信厅节函〔2016〕586号, whose
    text was not at hand. A score may exceed 1. Where less is better and the value is not
    above zero the score has no bound: it is unknown; ours. Of a group a park reports those
    it chooses: the best that are known are taken; ours.
    """
    x, best = np.asarray(value, np.float64), np.asarray(lead, np.float64)
    scores = np.where(more_is_better, ratio(x, best), ratio(best, x))
    known = ~np.isnan(scores)
    of = np.asarray([0] * scores.size if group is None else group, np.int64)
    chosen = known & (of == 0)
    taken = int((of == 0).sum())
    for name in sorted(set(of.tolist()) - {0}):
        want = min((needed or {}).get(name, 1), int((of == name).sum()))
        mine = np.flatnonzero((of == name) & known)
        chosen[mine[np.argsort(-scores[mine], kind="stable")[:want]]] = True
        taken += want
    unknown = taken - int(chosen.sum())
    whole = taken > 0 and unknown == 0
    mean = 100.0 / taken * math.fsum(scores[chosen].tolist()) if whole else math.nan
    return Index(mean, taken, unknown, scores, chosen)
