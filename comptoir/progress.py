"""Progress on the terminal: a bar where somebody watches, plain lines where nobody does."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

Advance = Callable[[int], None]
"""Called with how many more units are done."""


@contextmanager
def bar(label: str, total: int | None, unit: str = "") -> Iterator[Advance]:
    """A bar for work that may take longer than two seconds. Writes to standard error."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda count: progress.advance(task, count)


@contextmanager
def counted(label: str, unit: str) -> Iterator[Advance]:
    """A bar of unknown length, told how many units are done so far rather than how many more."""
    seen = 0
    with bar(label, None, unit) as advance:

        def so_far(count: int) -> None:
            nonlocal seen
            advance(count - seen)
            seen = count

        yield so_far


@contextmanager
def stages(*, says_lines: bool = True) -> Iterator[Callable[[str, int, int], None]]:
    """For work in named stages of known length: a bar for each; where nobody watches a line for
    each, or nothing. Told the stage, the steps done and their number."""
    if not sys.stderr.isatty():
        if not says_lines:
            yield lambda _, __, ___: None
            return
        told: list[str] = []

        def say(stage: str, done: int, total: int) -> None:
            if stage not in told:
                told.append(stage)
                sys.stderr.write(f"{stage} ({done} of {total})\n")
                sys.stderr.flush()

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield show


class Stopwatch:
    """Seconds since it was made, for the lines that say how long a step took."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def __str__(self) -> str:
        return f"{time.perf_counter() - self._start:.1f} s"

    @property
    def seconds(self) -> float:
        """Elapsed seconds."""
        return time.perf_counter() - self._start
