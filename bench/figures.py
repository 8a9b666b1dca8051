"""Figures of a run: measured, named, printed as the table of docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, the value with its unit, and the goal if there is one."""

    name: str
    value: str
    goal: str = ""


def percentiles(seconds: Sequence[float]) -> str:
    """`p50 3.1 / p95 5.0 / p99 7.2 ms` of some durations."""
    cuts = statistics.quantiles(sorted(seconds), n=100, method="inclusive")
    return f"p50 {cuts[49] * 1e3:.1f} / p95 {cuts[94] * 1e3:.1f} / p99 {cuts[98] * 1e3:.1f} ms"


def machine() -> str:
    """The machine in a line, without its name."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (
        f"{os.cpu_count()} cores, {pages * size / 2**30:.0f} GB, Python {platform.python_version()}"
    )


def table(figures: Sequence[Figure]) -> str:
    """Markdown of the figures, headed by date and machine."""
    rows = "\n".join(f"| {row.name} | {row.value} | {row.goal} |" for row in figures)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}\n\n"
        f"| what | measured | goal |\n| --- | --- | --- |\n{rows}\n"
    )
