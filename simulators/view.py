"""A run as a terminal shows it, or as lines where there is none."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_WIDE = 90  # from here on two columns stand side by side
_SILENT = ("gap", "silent")  # faults in which nothing arrives
_SHOWN = 6  # faults and enterprises
_BAR = 30
_PER_S = 4  # renewals of the screen


@dataclass(frozen=True, kw_only=True)
class State:
    """A run at an instant.

    Attributes
    ----------
    at : datetime
        Simulated time, in the park's zone.
    speed : float
        Simulated seconds in a second.
    done : float, optional
        Part of the run, 0 … 1; None: it has no end.
    waiting : int
        Batches in the spool and messages that are not yet due.
    faults : tuple of (kind, subject, until)
        At work now.
    tripped : tuple of (enterprise, load, until)
        Loads that are off now.
    power_kw, contract_kw : float, optional
        Of the park now.
    enterprises : tuple of (code, kW)
        By power, the highest first.
    answers : tuple of (line, answer)
        Of the last commands.
    """

    park: str
    at: datetime
    speed: float
    readings: int = 0
    readings_per_s: float = 0.0
    messages: int = 0
    acknowledged: int = 0
    waiting: int = 0
    done: float | None = None
    faults: tuple[tuple[str, str, datetime | None], ...] = ()
    tripped: tuple[tuple[str, str, datetime], ...] = ()
    power_kw: float | None = None
    contract_kw: float | None = None
    enterprises: tuple[tuple[str, float], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()


# takes how a run goes, as often as it is told
View = Callable[[State], None]


def render(state: State, width: int) -> RenderableType:
    """Return a state for a terminal of `width` columns."""
    left, right = _numbers(state), _park(state)
    if width >= _WIDE:
        both = Table.grid(padding=(0, 4))
        both.add_row(left, right)
        body: RenderableType = both
    else:
        body = Group(left, right)
    parts: list[RenderableType] = [_head(state), body]
    if state.faults or state.tripped:
        parts.append(_faults(state))
    parts += [
        Text.assemble((f"> {said}  ", "bold"), answer) for said, answer in state.answers
    ]
    return Group(*parts)


def line(state: State) -> str:
    """Return a state as one line."""
    words = [
        f"{state.at:%Y-%m-%d %H:%M:%S}",
        f"x{state.speed:g}",
        f"{state.readings} readings",
        f"{state.readings_per_s:.0f}/s",
        f"{state.acknowledged} of {state.messages} acknowledged",
        f"{state.waiting} waiting",
        f"{len(state.faults)} faults",
    ]
    if state.done is not None:
        words.insert(1, f"{state.done:.1%}")
    if state.power_kw is not None:
        words.append(f"{state.power_kw:.0f} kW")
    return ", ".join(words)


def status(state: State) -> dict[str, Any]:
    """Return a state as JSON can say it: docs/simulator_score.md, live control."""
    return {
        "park": state.park,
        "at": state.at.isoformat(),
        "speed": state.speed,
        "readings": state.readings,
        "readings_per_s": round(state.readings_per_s, 1),
        "messages": state.messages,
        "acknowledged": state.acknowledged,
        "waiting": state.waiting,
        "power_kw": state.power_kw,
        "contract_kw": state.contract_kw,
        "faults": [
            {"kind": kind, "subject": subject, "until": until and until.isoformat()}
            for kind, subject, until in state.faults
        ],
        "silenced": sorted(
            {subject for kind, subject, _ in state.faults if kind in _SILENT}
        ),
        "tripped": [
            {"enterprise": enterprise, "load": load, "until": until.isoformat()}
            for enterprise, load, until in state.tripped
        ],
    }


@contextmanager
def _no_echo() -> Iterator[None]:
    """Let what is typed not be written into the view, where keys are a terminal's."""
    try:
        import termios
    except ImportError:  # another system
        yield
        return
    try:
        before = termios.tcgetattr(sys.stdin)
        background = _in_background(sys.stdin.fileno())
    except (OSError, ValueError, termios.error):  # no terminal's
        yield
        return
    if background:
        yield
        return
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _in_background(terminal: int) -> bool:
    """Tell whether a change to the terminal would stop this process."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:  # not the one that controls it
        return False


@contextmanager
def viewing(
    console: Console, *, headless: bool = False, every_s: float = 10.0
) -> Iterator[View]:
    """Give where a run tells its state.

    Parameters
    ----------
    headless : bool
        Print a line each `every_s` instead; so it is where the console is no terminal.
    """
    if headless or not console.is_terminal:
        yield _Lines(console, every_s)
        return
    with _no_echo(), Live(console=console, refresh_per_second=_PER_S) as live:
        yield lambda state: live.update(render(state, console.width))


class _Lines:
    def __init__(self, console: Console, every_s: float) -> None:
        self._console, self._every_s = console, every_s
        self._due = time.monotonic()

    def __call__(self, state: State) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._every_s
            self._console.print(line(state), highlight=False, soft_wrap=True)


def _head(state: State) -> RenderableType:
    head = Text.assemble(
        (f"{state.park}  ", "bold"),
        (f"{state.at:%a %Y-%m-%d %H:%M:%S}", "bold cyan"),
        f"  x{state.speed:g}",
    )
    if state.done is None:
        return head
    row = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=1.0, completed=state.done, width=_BAR // 2)
    row.add_row(head, bar, f"{state.done:.1%}")
    return row


def _numbers(state: State) -> Table:
    table = _grid()
    for name, value in (
        ("readings/s", f"{state.readings_per_s:,.0f}"),
        ("readings", f"{state.readings:,}"),
        ("messages", f"{state.messages:,}"),
        ("acknowledged", f"{state.acknowledged:,}"),
        ("waiting", f"{state.waiting:,}"),
        ("faults at work", str(len(state.faults))),
    ):
        table.add_row(name, value)
    return table


def _park(state: State) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    if state.power_kw is not None:
        table.add_row("park", f"{state.power_kw:,.0f} kW", _against(state))
    for code, kw in state.enterprises[:_SHOWN]:
        share = kw / state.power_kw if state.power_kw else 0.0
        bar = ProgressBar(total=1.0, completed=min(max(share, 0.0), 1.0), width=_BAR)
        table.add_row(code, f"{kw:,.0f} kW", bar)
    return table


def _against(state: State) -> Text:
    if not state.contract_kw or state.power_kw is None:
        return Text("")
    share = state.power_kw / state.contract_kw
    colour = "red" if share > 1 else "yellow" if share > 0.9 else "green"
    return Text(f"{share:.0%} of {state.contract_kw:,.0f} kW", colour)


def _faults(state: State) -> Table:
    table = _grid()
    for enterprise, load, ends in state.tripped:
        table.add_row(f"trip {enterprise} {load}", f"until {ends:%d %H:%M}")
    for kind, subject, until in state.faults[:_SHOWN]:
        table.add_row(f"{kind} {subject}", f"until {until:%d %H:%M}" if until else "")
    if len(state.faults) > _SHOWN:
        table.add_row(f"and {len(state.faults) - _SHOWN} more", "")
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    return table
