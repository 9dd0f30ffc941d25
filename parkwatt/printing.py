"""What a person reads: figures on standard output, the rest on standard error."""

import contextlib
import json
import sys
import time as clock
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TimeElapsedColumn,
)

import simulators.simulate

err = Console(stderr=True)
out = Console()


def say(text: str) -> None:
    """Tell how the work goes."""
    err.print(f"[dim]·[/] {escape(text)}", highlight=False)


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; call with done and total."""
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
    ) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(
            task, completed=done, total=total or None
        )


@contextlib.contextmanager
def run_bar(title: str) -> Iterator[simulators.simulate.Progress]:
    """Show how far a simulated run is, and its rate; as `progress_bar`."""
    with Progress(
        "{task.description}",
        BarColumn(),
        TaskProgressColumn(),
        "{task.fields[readings]:,} readings, {task.fields[rate]:,.0f}/s",
        TimeElapsedColumn(),
        console=err,
    ) as progress:
        task = progress.add_task(title, total=None, readings=0, rate=0.0)
        begin = clock.monotonic()

        def show(done: int, total: int, readings: int) -> None:
            rate = readings / max(clock.monotonic() - begin, 1e-9)
            progress.update(
                task, completed=done, total=total, readings=readings, rate=rate
            )

        yield show


def print_json(found: Any) -> None:
    """Write what was found for a program to read."""
    sys.stdout.write(
        json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n"
    )


def shown(value: float | None, places: int = 3) -> str:
    """Give a number as it is printed; None is unknown."""
    return "unknown" if value is None else f"{value:,.{places}f}"
