"""How long the command line takes to say anything."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.figures import Figure


def measure() -> Iterator[Figure]:
    """Median of twenty starts, warm."""
    for arguments in (("--help",), ("search", "--help")):
        took = []
        for _ in range(20):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "comptoir.cli", *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            took.append(time.perf_counter() - start)
        name = f"`comptoir {' '.join(arguments)}`"
        yield Figure(name, f"{statistics.median(took):.2f} s", "0.5 s")
