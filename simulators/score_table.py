"""A score as tables for people."""

import math
from collections.abc import Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulators.results import Amount, Check, Score

_WORST = 10  # registers and enterprises listed; the JSON has all
_MISSED = 5


def show(console: Console, score: Score) -> None:
    """Print a score."""
    console.print(render(score))


def render(score: Score) -> Group:
    """Return a score as something that rich can print."""
    return Group(*_parts(score))


def _parts(score: Score) -> Iterator[RenderableType]:
    colour = "green" if score.passed else "red"
    yield Text.assemble(
        (score.verdict.upper(), f"bold {colour}"),
        f"  park {score.park}, {score.start} to {score.stop}",
    )
    for note in score.notes:
        yield Text(f"! {note}", "yellow")
    yield _checks(score.checks)
    yield _amounts("Park", score.park_amounts)
    yield _peaks(score)
    yield _honesty(score)
    if score.recalls or score.precisions:
        yield _faults(score)
        yield from _missed(score)
    yield _accounting(score)
    if score.emissions:
        yield _emissions(score)
    wrong = [each for each in score.registers if not each.right]
    if wrong:
        wrong.sort(key=lambda each: -_size(each.error_percent))
        title = f"Registers off by more than their resolution: {len(wrong)}"
        yield _amounts(f"{title} of {len(score.registers)}", wrong[:_WORST])


def _checks(checks: Iterable[Check]) -> Table:
    table = _table("Bars", "figure", "value", "bar", "")
    for each in checks:
        word = {True: "[green]ok", False: "[red]missed", None: "[dim]not judged"}
        table.add_row(
            each.name, _number(each.value), f"{each.bar:g}", word[each.passed]
        )
    return table


def _amounts(title: str, rows: Iterable[Amount]) -> Table:
    table = _table(
        title, "subject", "quantity", "told", "true", "error", "error %", "physical %"
    )
    for each in rows:
        table.add_row(
            each.subject,
            each.quantity,
            _number(each.told),
            _number(each.shown),
            _number(each.error),
            _number(each.error_percent),
            _number(each.physical_error_percent),
        )
    return table


def _peaks(score: Score) -> Table:
    table = _table(
        "Monthly peaks", "subject", "month", "told kW", "true kW", "error %", "time"
    )
    parks = [each for each in score.peaks if each.subject == score.park]
    others = [each for each in score.peaks if each.subject != score.park]
    others.sort(key=lambda each: -_size(each.error_percent))
    for each in (*parks, *others[:_WORST]):
        table.add_row(
            each.subject,
            each.month,
            _number(each.told_kw),
            _number(each.shown_kw),
            _number(each.error_percent),
            "right" if each.time_right else f"[red]{each.told_at or 'none'}",
        )
    return table


def _honesty(score: Score) -> Table:
    counts = score.honesty
    explained = counts.never_sent + counts.unknowable
    table = _table("What it says it knows", "called", "quarter hours", "right", "share")
    for name, part, whole in (
        ("measured", counts.measured_right, counts.measured),
        ("estimated, in the band", counts.inside_band, counts.estimated),
        ("missing, explained", explained, counts.missing),
    ):
        table.add_row(name, str(whole), str(part), _share(part, whole))
    judged = counts.stretches - counts.stretches_open
    table.add_row(
        "estimated stretches, sum",
        str(judged),
        str(counts.stretches_right),
        _share(counts.stretches_right, judged),
    )
    table.caption = (
        f"of {counts.expected} quarter hours; {counts.wrong_unprovoked} measured ones "
        f"are wrong without a fault; missing: {counts.never_sent} never sent, "
        f"{counts.unknowable} unknowable"
    )
    return table


def _faults(score: Score) -> Table:
    table = _table("Faults", "fault", "injected", "found", "recall")
    for each in score.recalls:
        table.add_row(
            each.kind,
            str(each.injected),
            "[dim]not to be seen" if each.found is None else str(each.found),
            _number(each.recall),
        )
    table.add_section()
    for told in score.precisions:
        table.add_row(
            f"event {told.kind}",
            str(told.told),
            f"{told.explained} explained",
            _number(told.precision),
        )
    return table


def _missed(score: Score) -> Iterator[Text]:
    for each in score.recalls:
        if each.missed:
            yield Text(f"missed {each.kind}: {_few(each.missed)}", "red")
    for told in score.precisions:
        if told.false:
            yield Text(f"unexplained {told.kind}: {_few(told.false)}", "red")


def _accounting(score: Score) -> Table:
    of = score.accounting
    table = _table("Readings", "", "platform", "sent")
    for name, counted, sent in (
        ("distinct, stored", of.inserted, of.sent),
        ("again, duplicates", of.duplicate, of.sent_again),
        ("otherwise, conflicts", of.conflict, 0),
        ("refused", of.quarantined, of.refusable),
        ("received", of.received, None),
        ("lost", of.lost, None),
        ("doubled", of.doubled, None),
    ):
        table.add_row(name, _number(counted), _number(sent))
    return table


def _emissions(score: Score) -> Table:
    table = _table(
        "CO2 of whole months", "subject", "month", "told t", "true t", "error %", "by"
    )
    parks = [each for each in score.emissions if each.subject == score.park]
    others = [each for each in score.emissions if each.subject != score.park]
    others.sort(key=lambda each: -_size(each.error_percent))
    for each in (*parks, *others[:_WORST]):
        table.add_row(
            each.subject,
            each.month,
            _number(each.told_t),
            _number(each.shown_t),
            _number(each.error_percent),
            each.method or "the truth's factors",
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place == 0 else "right")
    return table


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if math.isnan(value):
        return "unknown"
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.4%}" if whole else "–"


def _size(percent: float) -> float:
    return math.inf if math.isnan(percent) else abs(percent)


def _few(named: tuple[str, ...]) -> str:
    more = f" and {len(named) - _MISSED} more" if len(named) > _MISSED else ""
    return ", ".join(named[:_MISSED]) + more
